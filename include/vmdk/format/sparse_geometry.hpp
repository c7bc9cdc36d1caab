// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/units.hpp"

namespace vmdk {

/// The grain sizes, in sectors, that a reader takes and a writer makes (SPEC 12).
inline constexpr std::uint32_t largest_readable_grain_sectors = 1u << 21;
/// Where grains are compressed, a reader has one of them in memory.
inline constexpr std::uint32_t largest_compressed_grain_sectors = 4096;
inline constexpr std::uint32_t smallest_writable_grain_sectors = 8;
inline constexpr std::uint32_t largest_writable_grain_sectors = 2048;

/// No reader takes a capacity beyond this many sectors; it keeps every product inside 64 bits.
inline constexpr std::uint64_t capacity_limit_sectors = std::uint64_t{1} << 54;

/// The most tables of a sparse extent, and so entries of its directory: as qemu has it (SPEC 12).
inline constexpr std::uint64_t table_count_limit = std::uint64_t{1} << 25;

/// The figures of SPEC 3 that follow from a capacity and a grain size. The caller has made sure
/// that the capacity is 1 .. capacity_limit_sectors and the grain a power of two within its limits.
class sparse_geometry {
 public:
  constexpr sparse_geometry() noexcept = default;
  constexpr sparse_geometry(std::uint64_t capacity_sectors, std::uint64_t grain_sectors) noexcept
      : capacity_sectors_(capacity_sectors),
        grain_shift_(static_cast<std::uint8_t>(log2_exact(grain_sectors))) {}

  [[nodiscard]] constexpr std::uint64_t capacity_sectors() const noexcept {
    return capacity_sectors_;
  }
  [[nodiscard]] constexpr std::uint64_t capacity_bytes() const noexcept {
    return capacity_sectors_ << sector_shift;
  }
  [[nodiscard]] constexpr std::uint32_t grain_sectors() const noexcept {
    return std::uint32_t{1} << grain_shift_;
  }
  [[nodiscard]] constexpr std::uint32_t grain_bytes() const noexcept {
    return std::uint32_t{1} << grain_byte_shift();
  }
  [[nodiscard]] constexpr unsigned grain_shift() const noexcept { return grain_shift_; }
  [[nodiscard]] constexpr unsigned grain_byte_shift() const noexcept {
    return grain_shift_ + sector_shift;
  }
  [[nodiscard]] constexpr std::uint64_t grain_count() const noexcept {
    return ceil_shift(capacity_sectors_, grain_shift_);
  }
  [[nodiscard]] constexpr std::uint64_t table_count() const noexcept {
    return ceil_shift(grain_count(), table_shift);
  }
  [[nodiscard]] constexpr std::uint64_t directory_sectors() const noexcept {
    return ceil_shift(table_count(), entries_per_sector_shift);
  }
  /// How many of a table's entries stand for grains: 512, but for the last table.
  [[nodiscard]] constexpr std::uint32_t entries_in_table(std::uint64_t table) const noexcept {
    return static_cast<std::uint32_t>(
        smaller_of<std::uint64_t>(entries_per_table, grain_count() - (table << table_shift)));
  }

  static constexpr unsigned table_shift = 9;  ///< 512 entries a table.
  static constexpr unsigned entries_per_sector_shift = 7;

 private:
  std::uint64_t capacity_sectors_ = 0;
  std::uint8_t grain_shift_ = 0;
};

}  // namespace vmdk
