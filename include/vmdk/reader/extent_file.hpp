// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/endian.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/format/cowd.hpp"
#include "vmdk/format/extent_line.hpp"
#include "vmdk/format/sesparse.hpp"
#include "vmdk/format/sparse_header.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/reader/extent.hpp"
#include "vmdk/reader/file_view.hpp"

namespace vmdk {

/// What a file is by its first bytes.
enum class file_contents : std::uint8_t { text, sparse, cowd, sesparse };

/// Looks at the first bytes of a file. Anything that no extent begins with may be a descriptor if
/// it has no control characters. Errors: errc::magic_invalid; those of the files.
template <Files F>
[[nodiscard]] constexpr result<file_contents> identify_file(F& files, file_id file) noexcept {
  std::array<std::byte, 32> first{};
  file_view<F> from(files, file);
  const auto bytes = static_cast<std::size_t>(smaller_of<std::uint64_t>(first.size(), from.size()));
  if (failure f = from.read_at(0, byte_span(first).first(bytes))) return f;
  const auto magic = load_le<std::uint32_t>(first.data());
  if (bytes >= 4 && (magic == sparse_magic || magic == sparse_magic_unfinished)) {
    return file_contents::sparse;
  }
  if (bytes >= 4 && magic == cowd_magic) return file_contents::cowd;
  if (bytes >= 8 && load_le<std::uint64_t>(first.data()) == sesparse_magic) {
    return file_contents::sesparse;
  }
  for (std::size_t i = 0; i < bytes; ++i) {
    const auto c = std::to_integer<unsigned>(first.data()[i]);
    const bool line_control = c == '\t' || c == '\n' || c == '\r';
    if (c < 0x20 && !line_control) {
      return file_view<F>::in_file(image_failure(errc::magic_invalid, 0), file);
    }
  }
  if (bytes == 0) return file_view<F>::in_file(image_failure(errc::magic_invalid, 0), file);
  return file_contents::text;
}

/// The kind of extent that a descriptor line means. Some writers call a COWD file SPARSE.
/// Errors: errc::extent_type_unsupported for raw devices; those of the file.
template <Files F>
[[nodiscard]] constexpr result<extent_kind> kind_of_line(file_view<F>& from,
                                                         extent_type type) noexcept {
  switch (type) {
    case extent_type::zero:
      return extent_kind::zero;
    case extent_type::flat:
    case extent_type::vmfs:
      return extent_kind::flat;
    case extent_type::vmfs_sparse:
      return extent_kind::cowd;
    case extent_type::se_sparse:
      return extent_kind::sesparse;
    case extent_type::sparse: {
      std::array<std::byte, 4> magic{};
      if (from.size() < magic.size()) return extent_kind::sparse;
      if (failure f = from.read_at(0, magic)) return f;
      const bool is_cowd = load_le<std::uint32_t>(magic.data()) == cowd_magic;
      return is_cowd ? extent_kind::cowd : extent_kind::sparse;
    }
    case extent_type::vmfs_rdm:
    case extent_type::vmfs_raw:
      break;
  }
  return image_failure(errc::extent_type_unsupported, 0);
}

namespace detail {

/// Where the header of a kind of extent states its capacity.
[[nodiscard]] constexpr std::uint64_t capacity_field(extent_kind kind) noexcept {
  if (kind == extent_kind::cowd) return offsetof(cowd_header_start, num_sectors);
  if (kind == extent_kind::sesparse) return offsetof(sesparse_header, capacity);
  return offsetof(sparse_extent_header, capacity);
}

/// True when a hosted sparse extent's header has at least the sectors of its line, and more only as
/// rounding up gives: VirtualBox's to 64 KiB, or that to the grain. It keeps the line exact, so
/// the disk's last extent may be so (SPEC 8).
[[nodiscard]] constexpr bool is_rounded_up(std::uint64_t header_sectors, std::uint64_t line_sectors,
                                           std::uint64_t grain_sectors) noexcept {
  constexpr std::uint64_t rounded_to_sectors = 128;
  return header_sectors >= line_sectors &&
         header_sectors - line_sectors < larger_of(rounded_to_sectors, grain_sectors);
}

}  // namespace detail

/// Opens the file of an extent: its place on the disk is the caller's to set. The length is that of
/// the extent's own header; 0 for a flat file, which has none.
/// Errors: those of the kind's `open`, with the number of the file.
template <Files F>
[[nodiscard]] constexpr result<extent> open_extent_file(file_view<F>& from, file_id file,
                                                        extent_kind kind,
                                                        strictness mode) noexcept {
  extent opened;
  opened.kind = kind;
  opened.file = file;
  failure why;
  const auto take = [&](const auto& extent_or_not, auto& place) {
    why = file_view<F>::in_file(extent_or_not.error(), file);
    if (why) return;
    place = *extent_or_not;
    opened.bytes = extent_or_not->capacity_bytes();
  };
  switch (kind) {
    case extent_kind::sparse:
      take(sparse_extent::open(from, from.size(), mode), opened.sparse);
      break;
    case extent_kind::cowd:
      take(cowd_extent::open(from, from.size(), mode), opened.cowd);
      break;
    case extent_kind::sesparse:
      take(sesparse_extent::open(from, from.size(), mode), opened.sesparse);
      break;
    default:
      break;
  }
  if (why) return why;
  return opened;
}

}  // namespace vmdk
