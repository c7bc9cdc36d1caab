// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/layout/stream.hpp"

namespace vmdk {

/// Where each thing of a stream goes: takes the sizes of the compressed grains, in the order of the
/// disk, and knows the tables and markers between and behind them. The builder of streams and
/// whoever wants the exact size of a file beforehand use this same count.
class stream_size {
 public:
  constexpr stream_size() noexcept = default;
  constexpr explicit stream_size(const stream_layout& layout) noexcept
      : layout_(layout), next_sector_(layout.overhead_sectors()) {}

  /// Places the next stored grain, and before it the table of the grains so far if this one
  /// belongs to another. Gives the sector of the grain's marker. The table of a grain that was
  /// placed has its place too.
  /// Errors, all with origin options, the grain's offset on the disk, and the object as before:
  /// errc::content_exceeds_capacity for a grain that the disk does not have (offset: the capacity);
  /// errc::marker_lba_not_ascending; errc::marker_size_invalid for data that is empty or larger
  /// than readers take (detail: the size); errc::extent_too_large when the grain or its table would
  /// lie at or behind sector 2^32.
  [[nodiscard]] constexpr result<std::uint64_t> add_grain(std::uint64_t grain,
                                                          std::uint32_t compressed_bytes) noexcept {
    if (grain >= layout_.grain_count()) {
      return options_failure(errc::content_exceeds_capacity, layout_.capacity_bytes());
    }
    const std::uint64_t disk_offset = grain << layout_.geometry().grain_byte_shift();
    if (grain < next_grain_) return options_failure(errc::marker_lba_not_ascending, disk_offset);
    if (compressed_bytes == 0 || compressed_bytes > layout_.compressed_limit_bytes()) {
      return options_failure(errc::marker_size_invalid, disk_offset, compressed_bytes);
    }
    const std::uint64_t sector = ends_table(grain) ? end_of_table() : next_sector_;
    const std::uint64_t end = sector + stream_layout::packed_sectors(compressed_bytes);
    const std::uint64_t last = layout_.has_tables_at_end() ? end + 1 : sector;
    if (last >= sector_number_limit) return options_failure(errc::extent_too_large, disk_offset);
    next_sector_ = end;
    next_grain_ = grain + 1;
    table_open_ = layout_.has_tables_at_end();
    ++stored_grains_;
    return sector;
  }

  /// True when placing this grain ends the table of the grains so far.
  [[nodiscard]] constexpr bool ends_table(std::uint64_t grain) const noexcept {
    return table_open_ && (grain >> sparse_geometry::table_shift) != table();
  }

  /// Places the table of the grains so far behind its marker, and gives the table's sector. Only
  /// when table_open().
  constexpr std::uint64_t end_table() noexcept {
    const std::uint64_t sector = next_sector_ + 1;
    next_sector_ = end_of_table();
    table_open_ = false;
    return sector;
  }

  /// True when grains were placed whose table will follow them.
  [[nodiscard]] constexpr bool table_open() const noexcept { return table_open_; }

  /// The number of the table that the last grain belongs to.
  [[nodiscard]] constexpr std::uint64_t table() const noexcept {
    return (next_grain_ - 1) >> sparse_geometry::table_shift;
  }

  /// The sector behind everything placed so far.
  [[nodiscard]] constexpr std::uint64_t next_sector() const noexcept { return next_sector_; }

  [[nodiscard]] constexpr std::uint64_t stored_grains() const noexcept { return stored_grains_; }

  /// The size of the whole file if no grain follows.
  [[nodiscard]] constexpr std::uint64_t file_bytes() const noexcept {
    const std::uint64_t end = table_open_ ? end_of_table() : next_sector_;
    return (end + layout_.tail_sectors()) << sector_shift;
  }

 private:
  [[nodiscard]] constexpr std::uint64_t end_of_table() const noexcept {
    return next_sector_ + 1 + table_sectors;
  }

  stream_layout layout_{};
  std::uint64_t next_sector_ = 0;
  std::uint64_t next_grain_ = 0;
  std::uint64_t stored_grains_ = 0;
  bool table_open_ = false;
};

}  // namespace vmdk
