// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/format/descriptor_fields.hpp"
#include "vmdk/format/encoding.hpp"
#include "vmdk/format/sparse_geometry.hpp"

namespace vmdk::detail {

[[nodiscard]] constexpr failure refused(descriptor_problem problem,
                                        std::size_t which = 0) noexcept {
  return options_failure(errc::option_invalid, which, static_cast<std::uint32_t>(problem));
}

/// True for what can stand between quotes, and that every reader understands alike.
[[nodiscard]] constexpr bool is_quotable(std::string_view value) noexcept {
  constexpr std::size_t room_for_the_key = 256;
  if (value.size() > descriptor_line_max_bytes - room_for_the_key) return false;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value.data()[i];
    if (c == '"' || is_control(c)) return false;
  }
  return is_utf8(value) && find_hidden_key(value) == value.size();
}

[[nodiscard]] constexpr bool is_ddb_key(std::string_view key) noexcept {
  constexpr std::size_t longest = 128;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const char c = lower(key.data()[i]);
    if (!(is_digit(c) || (c >= 'a' && c <= 'z') || c == '.' || c == '_' || c == '-')) return false;
  }
  return !key.empty() && key.size() <= longest && find_hidden_key(key) == key.size();
}

/// True for a key that the fields set, or that would contradict them.
[[nodiscard]] constexpr bool is_reserved_ddb_key(std::string_view key) noexcept {
  constexpr std::string_view reserved[] = {
      "adapterType",   "geometry.cylinders", "geometry.heads", "geometry.sectors",
      "longContentID", "toolsVersion",       "uuid",           "virtualHWVersion",
      "encoding",      "uuid.parent"};
  for (const std::string_view word : reserved) {
    if (same_ignoring_case(word, key)) return true;
  }
  return false;
}

/// True for VMware's form of a uuid: 16 pairs of digits in two halves.
[[nodiscard]] constexpr bool is_vmware_uuid(std::string_view uuid) noexcept {
  constexpr std::size_t pairs = 16;
  if (uuid.size() != pairs * 3 - 1) return false;
  const char* p = uuid.data();
  for (std::size_t i = 0; i < pairs; ++i) {
    if (hex_digit(p[3 * i]) > 15 || hex_digit(p[3 * i + 1]) > 15) return false;
    if (i + 1 < pairs && p[3 * i + 2] != (i + 1 == pairs / 2 ? '-' : ' ')) return false;
  }
  return true;
}

[[nodiscard]] constexpr failure check_ddb(std::span<const ddb_entry> entries) noexcept {
  constexpr std::size_t own_lines = 9;
  if (entries.size() > descriptor_max_ddb_entries - own_lines) {
    return refused(descriptor_problem::ddb_count);
  }
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const ddb_entry& entry = entries.data()[i];
    if (!is_ddb_key(entry.key)) return refused(descriptor_problem::ddb_key, i);
    if (is_reserved_ddb_key(entry.key)) return refused(descriptor_problem::ddb_key_reserved, i);
    if (!is_quotable(entry.value)) return refused(descriptor_problem::ddb_value, i);
    for (std::size_t j = 0; j < i; ++j) {
      if (same_ignoring_case(entries.data()[j].key, entry.key)) {
        return refused(descriptor_problem::ddb_key_twice, i);
      }
    }
  }
  return no_failure;
}

/// The first thing that keeps fields from being a descriptor, its extents aside.
[[nodiscard]] constexpr failure check_fields(const descriptor_fields& fields) noexcept {
  if (fields.type == create_type::unknown || fields.type > create_type::two_gb_max_extent_flat) {
    return refused(descriptor_problem::create_type);
  }
  if (fields.id.cid == no_parent_cid) return refused(descriptor_problem::content_id);
  if ((fields.parent_cid == no_parent_cid) != fields.parent_file_name_hint.empty()) {
    return refused(descriptor_problem::parent);
  }
  if (!is_quotable(fields.parent_file_name_hint)) return refused(descriptor_problem::parent_hint);
  const geometry& shape = fields.disk_geometry;
  if (shape.cylinders == 0 || shape.heads == 0 || shape.sectors == 0) {
    return refused(descriptor_problem::geometry);
  }
  if (!fields.uuid.empty() && !is_vmware_uuid(fields.uuid)) {
    return refused(descriptor_problem::uuid);
  }
  return check_ddb(fields.more_ddb);
}

/// What keeps one extent from being a line of such a descriptor.
[[nodiscard]] constexpr descriptor_problem check_extent(const descriptor_fields& fields,
                                                        const extent_line& extent) noexcept {
  if (extent.sectors == 0) return descriptor_problem::extent_sectors;
  if (!fits(fields.type, extent.type)) return descriptor_problem::extent_type;
  if (extent.has_offset != (extent.type == extent_type::flat)) {
    return descriptor_problem::extent_offset;
  }
  const std::string_view stem = extent.name.stem;
  const bool may_be_empty =
      extent.type == extent_type::zero || fields.style == descriptor_style::mkimg;
  if (extent.name.bytes() == 0) {
    return may_be_empty ? descriptor_problem::none : descriptor_problem::extent_name;
  }
  if (extent.type == extent_type::zero || !is_plain_name(stem) || !is_quotable(stem) ||
      extent.name.bytes() > extent_name_max_bytes ||
      (extent.name.kind != 's' && extent.name.kind != 'f')) {
    return descriptor_problem::extent_name;
  }
  return descriptor_problem::none;
}

template <ExtentList Extents>
[[nodiscard]] constexpr failure check_extents(const descriptor_fields& fields,
                                              const Extents& extents) noexcept {
  const std::size_t count = extents.size();
  if (count == 0 || (count != 1 && has_single_extent(fields.type))) {
    return refused(descriptor_problem::extent_count);
  }
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const extent_line extent = extents[i];
    const descriptor_problem problem = check_extent(fields, extent);
    if (problem != descriptor_problem::none) return refused(problem, i);
    if (!checked_add(sum, extent.sectors, sum) || sum > capacity_limit_sectors) {
      return refused(descriptor_problem::extent_sectors, i);
    }
  }
  return no_failure;
}

}  // namespace vmdk::detail
