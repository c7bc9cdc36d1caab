// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/errc.hpp"
#include "vmdk/format/descriptor_view.hpp"
#include "vmdk/format/extent_name.hpp"

namespace vmdk::detail {

/// The name of a file in UTF-8, kept while the descriptor that has it makes room.
class kept_name {
 public:
  /// Keeps a name of a descriptor; what is too long to be a file's name is cut.
  constexpr void set(std::string_view name, text_encoding encoding) noexcept {
    const auto converted = name_to_utf8(name, encoding, bytes_);
    const std::string_view text = converted ? *converted : name;
    size_ = smaller_of(text.size(), bytes_.size());
    for (std::size_t i = 0; i < size_; ++i) bytes_.data()[i] = text.data()[i];
  }
  [[nodiscard]] constexpr std::string_view view() const noexcept { return {bytes_.data(), size_}; }

 private:
  std::array<char, 3 * extent_name_max_bytes> bytes_{};
  std::size_t size_ = 0;
};

/// What a link's files say about the link, as far as they could be read.
struct link_facts {
  std::uint64_t capacity_sectors = 0;  ///< 0: not known.
  bool has_descriptor = false;
  bool has_parent = false;
  std::uint32_t cid = 0;
  std::uint32_t parent_cid = 0;
  errc parent_refusal = errc::none;  ///< Why no file has the parent's name.
  kept_name parent_name{};

  constexpr void take(const descriptor_view& descriptor) noexcept {
    has_descriptor = true;
    cid = descriptor.cid();
    parent_cid = descriptor.parent_cid();
    has_parent = descriptor.has_parent();
    // Only the last part of the hint counts: which folders may be searched is the caller's say.
    std::string_view hint = descriptor.parent_file_name_hint();
    const errc not_a_name = hint.empty() ? errc::parent_missing : errc::name_not_allowed;
    for (std::size_t i = hint.size(); i-- > 0;) {
      if (hint.data()[i] != '/' && hint.data()[i] != '\\') continue;
      hint = part(hint, i + 1);
      break;
    }
    const bool is_allowed = is_plain_name(hint) && hint.size() <= extent_name_max_bytes;
    parent_refusal = is_allowed ? errc::none : not_a_name;
    parent_name.set(hint, descriptor.encoding());
  }
};

/// What a descriptor in another file says about an extent.
struct extent_claim {
  bool has_line = false;  ///< False for a file that is a disk by itself.
  bool is_only = false;   ///< The only extent of its disk.
  bool is_last = false;   ///< The last extent of its disk.
  std::uint64_t sectors = 0;
};

/// True when a header's capacity is what an extent line says. Some writers round the header up to
/// 64 KiB, and others rely on the line: where a disk has but one extent, both are right.
[[nodiscard]] constexpr bool is_same_capacity(std::uint64_t header_sectors,
                                              std::uint64_t line_sectors, bool is_only) noexcept {
  constexpr std::uint64_t rounded_to_sectors = 128;
  return header_sectors == line_sectors ||
         (is_only && header_sectors == align_up(line_sectors, rounded_to_sectors));
}

}  // namespace vmdk::detail
