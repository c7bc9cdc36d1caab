// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "vmdk/core/errc.hpp"
#include "vmdk/format/descriptor_lines.hpp"
#include "vmdk/format/sparse_geometry.hpp"

namespace vmdk::detail {

/// What a line of the extent section says, and what is odd about it.
struct parsed_extent {
  extent_line line{};
  errc error = errc::none;     ///< Why it is no extent.
  std::string_view culprit{};  ///< The piece of the line that the error is about.
  bool has_unusual_word = false;
  bool has_unusual_offset = false;
  bool has_more_fields = false;

  constexpr void fail(errc code, std::string_view where) noexcept {
    if (error != errc::none) return;
    error = code;
    culprit = where;
  }
};

/// The words before the name: access, sectors, type.
constexpr void parse_extent_words(std::string_view& rest, parsed_extent& parsed) noexcept {
  const token access = take_token(rest);
  const token sectors = take_token(rest);
  const token type = take_token(rest);
  if (sectors.quoted || type.quoted || type.is_missing()) {
    parsed.fail(errc::descriptor_extent_fields, access.text);
    return;
  }
  const auto access_match = find_word(extent_access_words, access.text);
  const auto type_match = find_word(extent_type_words, type.text);
  if (!read_decimal(sectors.text, parsed.line.sectors) || parsed.line.sectors == 0 ||
      parsed.line.sectors > capacity_limit_sectors) {
    parsed.fail(errc::descriptor_extent_sectors, sectors.text);
  }
  if (!type_match.found) parsed.fail(errc::descriptor_extent_type_unknown, type.text);
  parsed.line.access = access_match.value;
  parsed.line.type = type_match.value;
  parsed.has_unusual_word = !access_match.exact || !type_match.exact;
}

/// The number behind the name. What it would mean with a sparse type nobody knows, unless it is 0.
constexpr void parse_extent_offset(const token& field, parsed_extent& parsed) noexcept {
  extent_line& line = parsed.line;
  line.has_offset = !field.is_missing();
  parsed.has_unusual_offset = line.has_offset != (line.type == extent_type::flat);
  if (!line.has_offset) return;
  if (field.quoted || !read_decimal(field.text, line.offset_sectors) ||
      line.offset_sectors > capacity_limit_sectors ||
      (line.offset_sectors != 0 && !may_have_offset(line.type))) {
    parsed.fail(errc::descriptor_extent_offset, field.text);
  }
}

/// Parses a line that is_extent_line took for one (SPEC 6).
[[nodiscard]] constexpr parsed_extent parse_extent(std::string_view line) noexcept {
  // VMware names a partition with "partitionUUID ID deviceId ID".
  constexpr int most_fields_behind = 4;
  parsed_extent parsed;
  std::string_view rest = line;
  parse_extent_words(rest, parsed);
  if (parsed.error != errc::none) return parsed;
  if (parsed.line.type == extent_type::zero) {
    if (!trimmed(rest).empty()) parsed.fail(errc::descriptor_extent_fields, trimmed(rest));
    return parsed;
  }
  const token name = take_token(rest);
  if (!name.quoted || !name.is_good) {
    parsed.fail(errc::descriptor_extent_fields, name.text);
    return parsed;
  }
  parsed.line.name.stem = name.text;
  parse_extent_offset(take_token(rest), parsed);
  for (int fields = 0;; ++fields) {
    const token more = take_token(rest);
    if (more.is_missing()) break;
    parsed.has_more_fields = true;
    if (!more.is_good || fields == most_fields_behind) {
      parsed.fail(errc::descriptor_extent_fields, more.text);
      break;
    }
  }
  return parsed;
}

}  // namespace vmdk::detail
