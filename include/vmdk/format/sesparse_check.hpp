// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/errc.hpp"
#include "vmdk/format/sesparse.hpp"
#include "vmdk/format/severity.hpp"

namespace vmdk {

namespace detail {

/// The regions of a seSparse header, in the order in which they stand in it.
inline constexpr sesparse_region sesparse_header::* sesparse_regions[] = {
    &sesparse_header::volatile_header, &sesparse_header::journal_header,
    &sesparse_header::journal,         &sesparse_header::grain_directory,
    &sesparse_header::grain_tables,    &sesparse_header::free_bitmap,
    &sesparse_header::backmap,         &sesparse_header::grains,
};
inline constexpr std::size_t sesparse_region_count = 8;
static_assert(sizeof(sesparse_regions) == sesparse_region_count * sizeof(sesparse_regions[0]));

/// The byte offset of the n-th region's fields in the header.
[[nodiscard]] constexpr std::size_t sesparse_region_field(std::size_t n) noexcept {
  return offsetof(sesparse_header, volatile_header) + n * sizeof(sesparse_region);
}

/// True when regions inside the file share a sector.
[[nodiscard]] constexpr bool overlap(const sesparse_region& a, const sesparse_region& b) noexcept {
  return a.offset < b.offset + b.size && b.offset < a.offset + a.size && a.size != 0 && b.size != 0;
}

/// Reports regions that lie outside the file or on other ones.
template <class Broken>
constexpr void check_sesparse_places(const sesparse_header& h, std::uint64_t file_sectors,
                                     Broken&& broken) noexcept {
  bool inside[sesparse_region_count]{};
  for (std::size_t i = 0; i < sesparse_region_count; ++i) {
    const sesparse_region& region = h.*sesparse_regions[i];
    const bool is_grains = i == sesparse_region_count - 1;
    // Grains are looked at one by one, so the room for them may end behind the file.
    const std::uint64_t most = std::uint64_t{1} << (63 - sector_shift);
    inside[i] = fits_inside(region.offset, region.size, is_grains ? most : file_sectors) &&
                region.offset <= file_sectors;
    if (!inside[i]) {
      broken(errc::sesparse_region_outside_file, sesparse_region_field(i));
      continue;
    }
    if (region.size > file_sectors - region.offset) {
      broken(errc::sesparse_grains_outside_file, sesparse_region_field(i));
    }
    bool apart = region.size == 0 || region.offset != 0;  // Sector 0 is the header's.
    for (std::size_t j = 0; j < i; ++j) {
      if (inside[j] && overlap(region, h.*sesparse_regions[j])) apart = false;
    }
    if (!apart) broken(errc::sesparse_region_overlap, sesparse_region_field(i));
  }
}

}  // namespace detail

/// The number of grain tables, and so of directory entries, that a disk has (SPEC 11).
[[nodiscard]] constexpr std::uint64_t sesparse_table_count(
    std::uint64_t capacity_sectors) noexcept {
  return ceil_shift(capacity_sectors, sesparse_grain_shift + sesparse_table_shift);
}

/// Checks the first sector of a seSparse extent against every rule of SPEC 13.5, without reading
/// anything else.
///
/// Calls `report(code, byte offset of the field)` for each broken rule; `report` returns false to
/// stop. Returns true when all held but those that are warnings, so that the figures can be used.
/// file_bytes is the size of the extent's file.
template <class Report>
constexpr bool check_sesparse_header(const sesparse_header& h, std::uint64_t file_bytes,
                                     Report&& report) noexcept {
  bool usable = true;
  bool go_on = true;
  const auto broken = [&](errc code, std::size_t offset) {
    if (severity_of(code) == severity::error) usable = false;
    if (go_on) go_on = report(code, std::uint64_t{offset});
  };
  using header = sesparse_header;

  if (file_bytes < sector_bytes) {
    broken(errc::header_truncated, 0);
    return false;
  }
  if (h.magic != sesparse_magic) {
    broken(errc::sesparse_magic_invalid, offsetof(header, magic));
    return false;
  }
  if (h.version != sesparse_version) {
    broken(errc::sesparse_version_unsupported, offsetof(header, version));
  }
  if (h.grain_size != sesparse_grain_sectors) {
    broken(errc::sesparse_grain_size_invalid, offsetof(header, grain_size));
  }
  if (h.grain_table_size != sesparse_table_sectors) {
    broken(errc::sesparse_table_size_invalid, offsetof(header, grain_table_size));
  }
  if (h.flags != 0) broken(errc::sesparse_flags_unknown, offsetof(header, flags));
  for (std::size_t i = 0; i < h.reserved.size(); ++i) {
    const le<std::uint64_t>* const word = h.reserved.data() + i;
    if (*word == 0) continue;
    const bool known = i == 0 && *word == sesparse_reserved_known;
    broken(known ? errc::sesparse_reserved_unusual : errc::sesparse_reserved_not_zero,
           offsetof(header, reserved) + i * sizeof *word);
  }
  // The format is known from its files alone: what was zero in all of them may mean anything.
  if (!is_zero(h.pad.data(), h.pad.size())) {
    broken(errc::sesparse_reserved_not_zero, offsetof(header, pad));
  }
  if (h.capacity == 0) {
    broken(errc::capacity_zero, offsetof(header, capacity));
  } else if (h.capacity > sesparse_capacity_limit_sectors) {
    broken(errc::capacity_too_large, offsetof(header, capacity));
  } else if ((h.capacity & (sesparse_grain_sectors - 1)) != 0) {
    broken(errc::capacity_not_whole_grains, offsetof(header, capacity));
  }
  detail::check_sesparse_places(h, file_bytes >> sector_shift, broken);
  if (!usable) return false;

  constexpr std::size_t size_field = offsetof(sesparse_region, size);
  if (h.volatile_header.size == 0) {
    broken(errc::sesparse_region_too_small, offsetof(header, volatile_header) + size_field);
  }
  constexpr unsigned entries_per_sector_shift = 6;
  if (h.grain_directory.size <
      ceil_shift(sesparse_table_count(h.capacity), entries_per_sector_shift)) {
    broken(errc::sesparse_region_too_small, offsetof(header, grain_directory) + size_field);
  }
  return usable;
}

/// Checks the volatile header, which stands at this byte offset of the file, as above.
template <class Report>
constexpr bool check_sesparse_volatile_header(const sesparse_volatile_header& h,
                                              std::uint64_t header_at, Report&& report) noexcept {
  using header = sesparse_volatile_header;
  if (h.magic != sesparse_volatile_magic) {
    report(errc::sesparse_volatile_magic_invalid, header_at + offsetof(header, magic));
    return false;
  }
  bool usable = true;
  if (h.replay_journal != 0) {
    usable = false;
    if (!report(errc::sesparse_dirty, header_at + offsetof(header, replay_journal))) return false;
  }
  if (!is_zero(h.pad.data(), h.pad.size())) {
    usable = false;
    report(errc::sesparse_reserved_not_zero, header_at + offsetof(header, pad));
  }
  return usable;
}

/// Checks a header as a reader does. Errors: the first rule of SPEC 13.5 that this strictness
/// refuses, of origin image, with the offset in the file.
[[nodiscard]] constexpr failure validate(const sesparse_header& header, std::uint64_t file_bytes,
                                         strictness mode) noexcept {
  first_refusal refusal(mode);
  check_sesparse_header(header, file_bytes, refusal);
  return refusal.why();
}

/// Checks a volatile header at this byte offset of the file as a reader does. Errors: as above.
[[nodiscard]] constexpr failure validate(const sesparse_volatile_header& header,
                                         std::uint64_t header_at, strictness mode) noexcept {
  first_refusal refusal(mode);
  check_sesparse_volatile_header(header, header_at, refusal);
  return refusal.why();
}

}  // namespace vmdk
