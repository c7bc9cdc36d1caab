// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "vmdk/format/create_type.hpp"
#include "vmdk/format/descriptor_ranges.hpp"
#include "vmdk/format/encoding.hpp"
#include "vmdk/format/geometry.hpp"

namespace vmdk {
namespace detail {

/// What a parser keeps of a descriptor; everything else is looked up in the text again.
struct descriptor_facts {
  descriptor_sections sections{};
  std::uint32_t version = 1;
  std::uint32_t cid = 0;
  std::uint32_t parent_cid = no_parent_cid;
  vmdk::create_type type = vmdk::create_type::unknown;
  text_encoding encoding = text_encoding::utf_8;
  std::size_t extent_count = 0;
  std::uint64_t total_sectors = 0;
};

}  // namespace detail

/// A descriptor that was parsed (SPEC 6). Owns nothing: the text must live as long as the view and
/// all that comes out of it. Names and values are the bytes of the text; `name_to_utf8` converts
/// them. A look-up costs one walk over a section of the text.
class descriptor_view {
 public:
  constexpr descriptor_view() noexcept = default;
  constexpr explicit descriptor_view(const detail::descriptor_facts& facts) noexcept
      : facts_(facts) {}

  /// The text, without padding.
  [[nodiscard]] constexpr std::string_view text() const noexcept { return facts_.sections.text; }
  /// The descriptor's version, 1 to 3.
  [[nodiscard]] constexpr std::uint32_t version() const noexcept { return facts_.version; }
  [[nodiscard]] constexpr std::uint32_t cid() const noexcept { return facts_.cid; }
  [[nodiscard]] constexpr std::uint32_t parent_cid() const noexcept { return facts_.parent_cid; }
  /// True for a delta link: what it does not hold is in its parent.
  [[nodiscard]] constexpr bool has_parent() const noexcept {
    return facts_.parent_cid != no_parent_cid;
  }
  [[nodiscard]] constexpr create_type type() const noexcept { return facts_.type; }
  /// The create type as it is written.
  [[nodiscard]] constexpr std::string_view type_text() const noexcept {
    using namespace std::string_view_literals;
    return headers().find("createType"sv).value;
  }
  /// Empty where the descriptor has none.
  [[nodiscard]] constexpr std::string_view parent_file_name_hint() const noexcept {
    using namespace std::string_view_literals;
    return headers().find("parentFileNameHint"sv).value;
  }
  /// The file of changed block tracking; empty where the descriptor has none.
  [[nodiscard]] constexpr std::string_view change_track_path() const noexcept {
    return headers().find(detail::change_track_key).value;
  }
  [[nodiscard]] constexpr text_encoding encoding() const noexcept { return facts_.encoding; }

  [[nodiscard]] constexpr std::size_t extent_count() const noexcept { return facts_.extent_count; }
  /// The sum of all extents: at least 1, at most 2^54.
  [[nodiscard]] constexpr std::uint64_t total_sectors() const noexcept {
    return facts_.total_sectors;
  }
  [[nodiscard]] constexpr extent_range extents() const noexcept {
    return extent_range(facts_.sections);
  }

  /// The entries of the first section, and changeTrackPath wherever it stands.
  [[nodiscard]] constexpr entry_range headers() const noexcept {
    return {facts_.sections, detail::entry_section::header};
  }
  /// The entries of the disk data base.
  [[nodiscard]] constexpr entry_range ddb() const noexcept {
    return {facts_.sections, detail::entry_section::ddb};
  }

  /// The controller; lsilogic where the descriptor names none or one that is not known.
  [[nodiscard]] constexpr adapter controller() const noexcept {
    using namespace std::string_view_literals;
    return detail::find_word(adapter_words, ddb().find("adapterType"sv).value).value;
  }
  /// The geometry; zero in what is missing or no number.
  [[nodiscard]] constexpr geometry disk_geometry() const noexcept {
    using namespace std::string_view_literals;
    return {.cylinders = number("geometry.cylinders"sv),
            .heads = number("geometry.heads"sv),
            .sectors = number("geometry.sectors"sv)};
  }
  /// The number that an entry of the disk data base has; 0 where there is none of 32 bits.
  [[nodiscard]] constexpr std::uint32_t number(std::string_view ddb_key) const noexcept {
    std::uint64_t value = 0;
    if (!detail::read_decimal(ddb().find(ddb_key).value, value)) return 0;
    return value > 0xFFFFFFFF ? 0 : static_cast<std::uint32_t>(value);
  }

 private:
  detail::descriptor_facts facts_{};
};

}  // namespace vmdk
