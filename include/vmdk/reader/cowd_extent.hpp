// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/endian.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/cowd.hpp"
#include "vmdk/format/cowd_check.hpp"
#include "vmdk/format/severity.hpp"
#include "vmdk/reader/mapping.hpp"
#include "vmdk/reader/read_object.hpp"
#include "vmdk/reader/table_cache.hpp"

namespace vmdk {

/// The facts of one COWD extent, ESXi's redo log: enough to find any of its grains. A plain value;
/// the file is handed to each call, as anything with `read_at` (SPEC 10).
class cowd_extent {
 public:
  constexpr cowd_extent() noexcept = default;

  /// Reads the header of a file of so many bytes. Directory and tables are not read: their entries
  /// are checked when they are used. Errors: each rule of SPEC 13.5 that this strictness refuses;
  /// those of the file.
  template <class File>
  [[nodiscard]] static constexpr result<cowd_extent> open(File& file, std::uint64_t file_bytes,
                                                          strictness mode) noexcept {
    if (file_bytes < sizeof(cowd_header)) return image_failure(errc::header_truncated, 0);
    cowd_header_start start;
    if (failure f = read_object(file, offsetof(cowd_header, start), start)) return f;
    cowd_header_end end;
    if (failure f = read_object(file, offsetof(cowd_header, end), end)) return f;
    first_refusal refusal(mode);
    check_cowd_header(start, end, file_bytes, refusal);
    if (refusal.why()) return refusal.why();
    return cowd_extent(start, file_bytes, mode);
  }

  /// Takes the facts from a header that was checked before.
  constexpr cowd_extent(const cowd_header_start& header, std::uint64_t file_bytes,
                        strictness mode) noexcept
      : file_bytes_(file_bytes),
        capacity_sectors_(header.num_sectors),
        directory_sector_(header.gd_offset),
        grain_shift_(static_cast<std::uint8_t>(log2_exact(header.grain_size))),
        mode_(mode) {}

  [[nodiscard]] constexpr std::uint64_t capacity_bytes() const noexcept {
    return std::uint64_t{capacity_sectors_} << sector_shift;
  }
  [[nodiscard]] constexpr std::uint32_t grain_bytes() const noexcept {
    return std::uint32_t{1} << grain_byte_shift();
  }
  [[nodiscard]] constexpr std::uint32_t grain_count() const noexcept {
    return static_cast<std::uint32_t>(ceil_shift(capacity_sectors_, grain_shift_));
  }
  [[nodiscard]] constexpr std::uint32_t table_count() const noexcept {
    return static_cast<std::uint32_t>(ceil_shift(grain_count(), cowd_table_shift));
  }
  [[nodiscard]] constexpr std::uint64_t directory_offset_bytes() const noexcept {
    return std::uint64_t{directory_sector_} << sector_shift;
  }

  /// Finds what the extent has at an offset of its part of the disk, below capacity_bytes().
  /// Errors: errc::directory_entry_invalid, errc::grain_below_overhead, errc::grain_past_end, a
  /// strict reader's errc::cowd_zeroed_grain, each with the offset of the entry in the file; those
  /// of the file. The next lookup starts afresh.
  template <class File>
  [[nodiscard]] constexpr result<mapping> map(File& file, std::uint64_t offset,
                                              table_cache& cache) const noexcept {
    const unsigned shift = grain_byte_shift();
    const std::uint64_t grain = offset >> shift;
    const std::uint64_t table = grain >> cowd_table_shift;

    const std::uint64_t directory_entry_at = directory_offset_bytes() + table * entry_bytes;
    const auto directory_entry =
        cache.directory.get(file, directory_entry_at, entry_bytes, directory_offset_bytes(),
                            table_count() * std::uint64_t{entry_bytes});
    if (!directory_entry) return directory_entry.error();
    const std::uint32_t table_sector = load_le<std::uint32_t>(*directory_entry);
    if (table_sector == 0) {
      const std::uint64_t table_end = (table + 1) << (cowd_table_shift + shift);
      return mapping{placement::absent, smaller_of(table_end, capacity_bytes()) - offset, 0};
    }
    if (!may_hold_table(table_sector)) {
      return image_failure(errc::directory_entry_invalid, directory_entry_at);
    }

    const std::uint64_t table_at = std::uint64_t{table_sector} << sector_shift;
    const std::uint64_t entry_at = table_at + (grain & (cowd_entries_per_table - 1)) * entry_bytes;
    const auto entry = cache.table.get(file, entry_at, entry_bytes, table_at,
                                       std::uint64_t{cowd_table_sectors} << sector_shift);
    if (!entry) return entry.error();
    const std::uint32_t sector = load_le<std::uint32_t>(*entry);
    const errc broken = judge_grain(sector, grain);
    if (broken != errc::none && !accepts(mode_, broken)) return image_failure(broken, entry_at);

    const std::uint64_t into_grain = offset & (grain_bytes() - 1);
    mapping found;
    found.bytes = smaller_of(grain_bytes() - into_grain, capacity_bytes() - offset);
    if (sector == 0) {
      found.where = placement::absent;
    } else if (sector == zeroed_entry) {
      found.where = placement::zero;
    } else {
      found.where = placement::stored;
      found.file_offset = (std::uint64_t{sector} << sector_shift) + into_grain;
    }
    return found;
  }

  /// True when a grain table may begin at this sector: behind the header, inside the file, apart
  /// from the directory (SPEC 13.5).
  [[nodiscard]] constexpr bool may_hold_table(std::uint64_t sector) const noexcept {
    return is_behind_metadata(sector, cowd_table_sectors) &&
           fits_inside(sector, cowd_table_sectors, file_bytes_ >> sector_shift);
  }

  /// The rule of SPEC 13.5 that a table entry breaks by itself, or errc::none.
  ///
  /// No source says what VMware does with an entry of 1. It lies inside the header, so it cannot be
  /// data; in every other kind of extent it means zeros, and the readers that know it here agree.
  /// That makes zeros the one reading there is, and the entry a warning.
  [[nodiscard]] constexpr errc judge_grain(std::uint32_t sector,
                                           std::uint64_t grain) const noexcept {
    if (sector == 0) return errc::none;
    if (sector == zeroed_entry) return errc::cowd_zeroed_grain;
    // The last grain may be cut at the capacity.
    const std::uint64_t sectors = smaller_of<std::uint64_t>(
        std::uint64_t{1} << grain_shift_, capacity_sectors_ - (grain << grain_shift_));
    if (!is_behind_metadata(sector, sectors)) return errc::grain_below_overhead;
    const bool inside = fits_inside(sector, sectors, file_bytes_ >> sector_shift);
    return inside ? errc::none : errc::grain_past_end;
  }

 private:
  static constexpr std::uint32_t zeroed_entry = 1;
  static constexpr std::size_t entry_bytes = sizeof(std::uint32_t);

  [[nodiscard]] constexpr unsigned grain_byte_shift() const noexcept {
    return grain_shift_ + sector_shift;
  }

  /// True when sectors lie neither in the header nor in the directory.
  [[nodiscard]] constexpr bool is_behind_metadata(std::uint64_t sector,
                                                  std::uint64_t sectors) const noexcept {
    const std::uint64_t directory_sectors =
        ceil_shift(table_count() * std::uint64_t{entry_bytes}, sector_shift);
    return sector >= cowd_header_sectors && (sector >= directory_sector_ + directory_sectors ||
                                             sector + sectors <= directory_sector_);
  }

  std::uint64_t file_bytes_ = 0;
  std::uint32_t capacity_sectors_ = 0;
  std::uint32_t directory_sector_ = 0;
  std::uint8_t grain_shift_ = 0;
  strictness mode_ = strictness::tolerant;
};

}  // namespace vmdk
