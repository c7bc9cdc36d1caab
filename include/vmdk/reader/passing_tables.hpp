// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/endian.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/sparse_geometry.hpp"
#include "vmdk/format/sparse_header.hpp"

namespace vmdk {

/// Holds the tables of a stream against the grains that a sequential reader sees, with the memory
/// of one table. Tables behind the grains are compared entry by entry; of tables in front, which go
/// by before any grain, the entries are counted (SPEC 5).
class passing_tables {
 public:
  constexpr void begin(const sparse_extent_header& header) noexcept {
    in_front_ = !header.has_tables_at_end() && header.gd_offset < header.over_head.get();
    const sparse_geometry geometry(header.capacity, header.grain_size);
    directory_sector_ = header.gd_offset;
    table_count_ = geometry.table_count();
  }

  /// A sector before the first grain. Tables in front are counted when they lie behind one another
  /// after their directory, which is where every writer puts them.
  /// Errors: errc::directory_entry_invalid when they do not.
  [[nodiscard]] constexpr failure see_front_sector(const sector_image& sector,
                                                   std::uint64_t at) noexcept {
    if (!in_front_) return no_failure;
    const std::uint64_t number = at >> sector_shift;
    const std::uint64_t directory_end =
        directory_sector_ + ceil_shift(table_count_, sparse_geometry::entries_per_sector_shift);
    for (std::size_t i = 0; i < sector_bytes; i += 4) {
      const auto entry = load_le<std::uint32_t>(sector.data() + i);
      if (number >= directory_sector_ && number < directory_end) {
        const std::uint64_t table = ((number - directory_sector_) << 7) + i / 4;
        const std::uint64_t due = directory_end + table * table_sectors;
        if (entry == 0) continue;
        if (table >= table_count_ || entry != due) {
          return image_failure(errc::directory_entry_invalid, at + i);
        }
        front_end_ = due + table_sectors;
      } else if (number >= directory_end && number < front_end_ && entry > 1) {
        ++grains_due_;
      }
    }
    return no_failure;
  }

  /// The sector behind the last table in front, as far as its directory was seen.
  [[nodiscard]] constexpr std::uint64_t front_end() const noexcept { return front_end_; }

  /// A grain, by its number on the disk, and where its marker stands.
  /// Errors: errc::marker_lba_not_ascending; errc::stream_tables_mismatch when the table of the
  /// grains before it is missing, or the directory has been there.
  [[nodiscard]] constexpr failure see_grain(std::uint64_t grain, std::uint64_t at) noexcept {
    if (grain < next_grain_) return image_failure(errc::marker_lba_not_ascending, at);
    const std::uint64_t table = grain >> sparse_geometry::table_shift;
    if (!in_front_ && (has_directory_ || (pending_ && table != table_))) {
      return image_failure(errc::stream_tables_mismatch, at);
    }
    next_grain_ = grain + 1;
    table_ = table;
    pending_ = true;
    ++grains_seen_;
    entries_[grain & (entries_per_table - 1)] = static_cast<std::uint32_t>(at >> sector_shift);
    return no_failure;
  }

  /// A table begins.
  constexpr void begin_table() noexcept { table_is_due_ = pending_; }

  /// One of a table's four sectors. Errors: errc::stream_tables_mismatch.
  [[nodiscard]] constexpr failure see_table_sector(const sector_image& sector, std::uint32_t index,
                                                   std::uint64_t at) noexcept {
    std::uint32_t* const entries = entries_.data() + std::size_t{index} * (sector_bytes / 4);
    for (std::size_t i = 0; i < sector_bytes / 4; ++i) {
      if (load_le<std::uint32_t>(sector.data() + 4 * i) != entries[i]) {
        return image_failure(errc::stream_tables_mismatch, at);
      }
      entries[i] = 0;
    }
    if (index + 1 == table_sectors) {
      pending_ = false;
      if (table_is_due_) ++tables_seen_;
    }
    return no_failure;
  }

  /// One of the directory's sectors, behind all tables. Errors: errc::stream_tables_mismatch when
  /// it has fewer entries than there were tables with grains.
  [[nodiscard]] constexpr failure see_directory_sector(const sector_image& sector,
                                                       std::uint64_t at) noexcept {
    for (std::size_t i = 0; i < sector_bytes; i += 4) {
      const auto entry = load_le<std::uint32_t>(sector.data() + i);
      if (entry == 0) continue;
      if (entry > at >> sector_shift) return image_failure(errc::directory_entry_invalid, at + i);
      ++directory_entries_;
    }
    has_directory_ = true;
    return no_failure;
  }

  /// True when the tables lie before the grains.
  [[nodiscard]] constexpr bool are_in_front() const noexcept { return in_front_; }

  /// True when the directory behind the grains has been there.
  [[nodiscard]] constexpr bool has_directory() const noexcept { return has_directory_; }

  /// True when no grain is missing that a table or the directory knows of.
  [[nodiscard]] constexpr bool all_grains_seen() const noexcept {
    if (in_front_) return grains_seen_ == grains_due_;
    return has_directory_ && !pending_ && directory_entries_ >= tables_seen_;
  }

 private:
  bool in_front_ = false;
  bool pending_ = false;       ///< Grains were seen whose table was not.
  bool table_is_due_ = false;  ///< The table that goes by is that of such grains.
  bool has_directory_ = false;
  std::uint64_t directory_sector_ = 0;
  std::uint64_t table_count_ = 0;
  std::uint64_t front_end_ = 0;
  std::uint64_t next_grain_ = 0;
  std::uint64_t table_ = 0;
  std::uint64_t grains_seen_ = 0;
  std::uint64_t grains_due_ = 0;
  std::uint64_t tables_seen_ = 0;
  std::uint64_t directory_entries_ = 0;
  std::array<std::uint32_t, entries_per_table> entries_{};
};

}  // namespace vmdk
