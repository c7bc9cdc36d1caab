// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/sparse_geometry.hpp"

namespace vmdk {

/// A run of sectors of an image's file.
struct region {
  std::uint64_t first_sector = 0;
  std::uint64_t sectors = 0;

  [[nodiscard]] constexpr std::uint64_t end_sector() const noexcept {
    return first_sector + sectors;
  }
  [[nodiscard]] constexpr std::uint64_t first_byte() const noexcept {
    return first_sector << sector_shift;
  }
  [[nodiscard]] constexpr std::uint64_t bytes() const noexcept { return sectors << sector_shift; }
  [[nodiscard]] friend constexpr bool operator==(const region&, const region&) noexcept = default;
};

/// What the disk's capacity is rounded up to.
enum class capacity_rule : std::uint8_t {
  whole_grains,  ///< A multiple of the grain: what every reader takes (SPEC 12).
  exact,         ///< A multiple of a sector only.
};

/// The capacity in sectors for a disk of so many bytes; the grain is a power of two.
/// Errors, all with origin options: errc::capacity_zero; errc::capacity_too_large past 2^54
/// sectors. Source: SPEC 12.
[[nodiscard]] constexpr result<std::uint64_t> capacity_for(std::uint64_t disk_bytes,
                                                           std::uint32_t grain_sectors,
                                                           capacity_rule rule) noexcept {
  if (disk_bytes == 0) return options_failure(errc::capacity_zero);
  std::uint64_t sectors = ceil_shift(disk_bytes, sector_shift);
  if (rule == capacity_rule::whole_grains) sectors = align_up(sectors, grain_sectors);
  if (sectors > capacity_limit_sectors) return options_failure(errc::capacity_too_large);
  return sectors;
}

}  // namespace vmdk
