// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/endian.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/sesparse.hpp"
#include "vmdk/format/sesparse_check.hpp"
#include "vmdk/format/severity.hpp"
#include "vmdk/reader/mapping.hpp"
#include "vmdk/reader/read_object.hpp"
#include "vmdk/reader/table_cache.hpp"

namespace vmdk {

/// The facts of one seSparse extent, ESXi's newer redo log: enough to find any of its grains. A
/// plain value; the file is handed to each call, as anything with `read_at` (SPEC 11).
class sesparse_extent {
 public:
  constexpr sesparse_extent() noexcept = default;

  /// Reads both headers of a file of so many bytes. Directory and tables are not read: their
  /// entries are checked when they are used. Errors: each rule of SPEC 13.5 that this strictness
  /// refuses, among them errc::sesparse_dirty when the journal was not replayed; those of the file.
  template <class File>
  [[nodiscard]] static constexpr result<sesparse_extent> open(File& file, std::uint64_t file_bytes,
                                                              strictness mode) noexcept {
    if (file_bytes < sector_bytes) return image_failure(errc::header_truncated, 0);
    sesparse_extent extent;
    std::uint64_t volatile_at = 0;
    {
      // In a block of its own, so that the two headers may share their place on the stack.
      sesparse_header header;
      if (failure f = read_object(file, 0, header)) return f;
      if (failure f = validate(header, file_bytes, mode)) return f;
      extent = sesparse_extent(header, file_bytes);
      volatile_at = header.volatile_header.offset << sector_shift;
    }
    if (failure f = check_volatile_header(file, volatile_at, mode)) return f;
    return extent;
  }

  /// Takes the facts from a header that was checked before.
  constexpr sesparse_extent(const sesparse_header& header, std::uint64_t file_bytes) noexcept
      : file_sectors_(file_bytes >> sector_shift),
        capacity_sectors_(header.capacity),
        directory_sector_(header.grain_directory.offset),
        tables_sector_(header.grain_tables.offset),
        table_slots_(header.grain_tables.size >> sesparse_table_sectors_shift),
        grains_sector_(header.grains.offset),
        grain_slots_(header.grains.size >> sesparse_grain_shift) {}

  [[nodiscard]] constexpr std::uint64_t capacity_bytes() const noexcept {
    return capacity_sectors_ << sector_shift;
  }
  [[nodiscard]] constexpr std::uint64_t grain_count() const noexcept {
    return ceil_shift(capacity_sectors_, sesparse_grain_shift);
  }
  [[nodiscard]] constexpr std::uint64_t table_count() const noexcept {
    return sesparse_table_count(capacity_sectors_);
  }
  [[nodiscard]] constexpr std::uint64_t directory_offset_bytes() const noexcept {
    return directory_sector_ << sector_shift;
  }

  /// Finds what the extent has at an offset of its part of the disk, below capacity_bytes().
  /// Errors: errc::directory_entry_invalid, errc::sesparse_entry_invalid, errc::grain_past_end,
  /// each with the offset of the entry in the file; those of the file. The next lookup starts
  /// afresh.
  template <class File>
  [[nodiscard]] constexpr result<mapping> map(File& file, std::uint64_t offset,
                                              table_cache& cache) const noexcept {
    const std::uint64_t grain = offset >> grain_byte_shift;
    const std::uint64_t table = grain >> sesparse_table_shift;

    const std::uint64_t directory_entry_at = directory_offset_bytes() + table * entry_bytes;
    const auto directory_entry =
        cache.directory.get(file, directory_entry_at, entry_bytes, directory_offset_bytes(),
                            table_count() * entry_bytes);
    if (!directory_entry) return directory_entry.error();
    const std::uint64_t table_entry = load_le<std::uint64_t>(*directory_entry);
    if (table_entry == 0) {
      const std::uint64_t table_end = (table + 1) << (sesparse_table_shift + grain_byte_shift);
      return mapping{placement::absent, smaller_of(table_end, capacity_bytes()) - offset, 0};
    }
    if (!names_table(table_entry)) {
      return image_failure(errc::directory_entry_invalid, directory_entry_at);
    }

    const std::uint64_t table_at = table_offset_bytes(table_entry);
    const std::uint64_t entry_at =
        table_at + (grain & (sesparse_entries_per_table - 1)) * entry_bytes;
    const auto loaded = cache.table.get(file, entry_at, entry_bytes, table_at,
                                        std::uint64_t{sesparse_table_sectors} << sector_shift);
    if (!loaded) return loaded.error();
    const std::uint64_t entry = load_le<std::uint64_t>(*loaded);
    if (const errc broken = judge_grain(entry, grain); broken != errc::none) {
      return image_failure(broken, entry_at);
    }

    const std::uint64_t into_grain = offset & (grain_bytes - 1);
    mapping found;
    found.bytes = smaller_of(grain_bytes - into_grain, capacity_bytes() - offset);
    switch (sesparse_entry_kind(entry)) {
      case sesparse_grain::stored:
        found.where = placement::stored;
        found.file_offset = grain_offset_bytes(entry) + into_grain;
        break;
      case sesparse_grain::unmapped:
      case sesparse_grain::zero:
        found.where = placement::zero;
        break;
      default:
        found.where = placement::absent;
    }
    return found;
  }

  /// True when a directory entry that is not 0 names a table of the tables region (SPEC 13.5).
  [[nodiscard]] constexpr bool names_table(std::uint64_t directory_entry) const noexcept {
    return sesparse_entry_names_table(directory_entry) &&
           (directory_entry & table_number_mask) < table_slots_;
  }

  /// Where in the file the table is that a directory entry names.
  [[nodiscard]] constexpr std::uint64_t table_offset_bytes(
      std::uint64_t directory_entry) const noexcept {
    const std::uint64_t sectors = (directory_entry & table_number_mask)
                                  << sesparse_table_sectors_shift;
    return (tables_sector_ + sectors) << sector_shift;
  }

  /// Where in the file the grain is that a table entry names, one that judge_grain found good.
  [[nodiscard]] constexpr std::uint64_t grain_offset_bytes(std::uint64_t entry) const noexcept {
    const std::uint64_t sectors = sesparse_entry_grain(entry) << sesparse_grain_shift;
    return (grains_sector_ + sectors) << sector_shift;
  }

  /// The rule of SPEC 13.5 that a table entry breaks by itself, or errc::none. Zeros are what an
  /// unmapped grain reads as: all readers but one have it so.
  [[nodiscard]] constexpr errc judge_grain(std::uint64_t entry,
                                           std::uint64_t grain) const noexcept {
    const sesparse_grain kind = sesparse_entry_kind(entry);
    if (kind == sesparse_grain::invalid) return errc::sesparse_entry_invalid;
    if (kind != sesparse_grain::stored) return errc::none;
    if (sesparse_entry_grain(entry) >= grain_slots_) return errc::grain_past_end;
    // The last grain may be cut at the capacity.
    const std::uint64_t sectors = smaller_of<std::uint64_t>(
        sesparse_grain_sectors, capacity_sectors_ - (grain << sesparse_grain_shift));
    const std::uint64_t first = grain_offset_bytes(entry) >> sector_shift;
    return fits_inside(first, sectors, file_sectors_) ? errc::none : errc::grain_past_end;
  }

 private:
  template <class File>
  [[nodiscard]] static constexpr failure check_volatile_header(File& file, std::uint64_t at,
                                                               strictness mode) noexcept {
    sesparse_volatile_header header;
    if (failure f = read_object(file, at, header)) return f;
    return validate(header, at, mode);
  }

  static constexpr unsigned grain_byte_shift = sesparse_grain_shift + sector_shift;
  static constexpr std::uint64_t grain_bytes = std::uint64_t{1} << grain_byte_shift;
  static constexpr std::size_t entry_bytes = sizeof(std::uint64_t);
  static constexpr std::uint64_t table_number_mask = 0xFFFFFFFF;

  std::uint64_t file_sectors_ = 0;
  std::uint64_t capacity_sectors_ = 0;
  std::uint64_t directory_sector_ = 0;
  std::uint64_t tables_sector_ = 0;
  std::uint64_t table_slots_ = 0;
  std::uint64_t grains_sector_ = 0;
  std::uint64_t grain_slots_ = 0;
};

}  // namespace vmdk
