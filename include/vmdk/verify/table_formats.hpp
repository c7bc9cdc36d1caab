// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/cowd.hpp"
#include "vmdk/format/sesparse.hpp"
#include "vmdk/format/sparse_header.hpp"
#include "vmdk/reader/cowd_extent.hpp"
#include "vmdk/reader/sesparse_extent.hpp"
#include "vmdk/reader/sparse_extent.hpp"

namespace vmdk::detail {

/// The directory and tables of a hosted sparse extent, in one copy or two. The three formats have
/// the same members, so that one walk serves them all.
class sparse_format {
 public:
  static constexpr unsigned entry_shift = 2;  ///< Bytes of an entry, as a power of two.
  static constexpr unsigned table_shift = sparse_geometry::table_shift;

  /// The header says where the directories are; that of a stream does so once its footer's places
  /// are put into it. It was checked before.
  constexpr sparse_format(const sparse_extent_header& header, std::uint64_t file_bytes) noexcept
      : extent_(header, file_bytes),
        file_bytes_(file_bytes),
        redundant_sector_(has_second_copy(header) ? header.rgd_offset.get() : 0) {}

  [[nodiscard]] constexpr const sparse_extent& extent() const noexcept { return extent_; }
  [[nodiscard]] constexpr std::uint64_t file_bytes() const noexcept { return file_bytes_; }
  [[nodiscard]] constexpr bool is_compressed() const noexcept { return extent_.is_compressed(); }

  [[nodiscard]] constexpr unsigned copies() const noexcept {
    return redundant_sector_ == 0 ? 1 : 2;
  }
  [[nodiscard]] constexpr std::uint64_t directory_at(unsigned copy) const noexcept {
    return copy == 0 ? extent_.directory_offset_bytes() : redundant_sector_ << sector_shift;
  }
  [[nodiscard]] constexpr std::uint64_t directory_bytes() const noexcept {
    return extent_.geometry().directory_sectors() << sector_shift;
  }
  [[nodiscard]] constexpr std::uint64_t table_count() const noexcept {
    return extent_.geometry().table_count();
  }
  [[nodiscard]] constexpr std::uint64_t grain_count() const noexcept {
    return extent_.geometry().grain_count();
  }
  /// Streams leave tables out that have no grains; other readers of sparse files rely on them all.
  [[nodiscard]] constexpr bool may_lack_tables() const noexcept { return is_compressed(); }

  [[nodiscard]] constexpr bool names_table(std::uint64_t entry) const noexcept {
    return extent_.may_hold_table(entry);
  }
  [[nodiscard]] constexpr std::uint64_t table_sector(std::uint64_t entry) const noexcept {
    return entry;
  }
  [[nodiscard]] constexpr errc judge(std::uint64_t entry, std::uint64_t grain) const noexcept {
    return extent_.judge_grain(static_cast<std::uint32_t>(entry), grain);
  }
  /// True for an entry that is not 0, and that judge found good, when it names a grain.
  [[nodiscard]] constexpr bool is_stored(std::uint64_t entry) const noexcept { return entry != 1; }
  [[nodiscard]] constexpr std::uint64_t grain_sector(std::uint64_t entry) const noexcept {
    return entry;
  }
  /// The sectors of a grain as the disk has them: the last one may be cut at the capacity.
  [[nodiscard]] constexpr std::uint64_t grain_sectors(std::uint64_t grain) const noexcept {
    const auto& geometry = extent_.geometry();
    return smaller_of<std::uint64_t>(
        geometry.grain_sectors(), geometry.capacity_sectors() - (grain << geometry.grain_shift()));
  }
  [[nodiscard]] constexpr bool is_aligned(std::uint64_t sector) const noexcept {
    return is_compressed() || (sector & (extent_.geometry().grain_sectors() - 1)) == 0;
  }

 private:
  [[nodiscard]] static constexpr bool has_second_copy(const sparse_extent_header& h) noexcept {
    return h.has(sparse_flags::redundant_tables) && h.rgd_offset != h.gd_offset.get();
  }

  sparse_extent extent_;
  std::uint64_t file_bytes_;
  std::uint64_t redundant_sector_;
};

/// The directory and tables of a COWD extent.
class cowd_format {
 public:
  static constexpr unsigned entry_shift = 2;
  static constexpr unsigned table_shift = cowd_table_shift;

  constexpr cowd_format(const cowd_header_start& header, std::uint64_t file_bytes) noexcept
      : extent_(header, file_bytes, strictness::tolerant),
        file_bytes_(file_bytes),
        capacity_sectors_(header.num_sectors),
        grain_shift_(log2_exact(header.grain_size)) {}

  [[nodiscard]] constexpr std::uint64_t file_bytes() const noexcept { return file_bytes_; }
  [[nodiscard]] constexpr unsigned copies() const noexcept { return 1; }
  [[nodiscard]] constexpr std::uint64_t directory_at(unsigned) const noexcept {
    return extent_.directory_offset_bytes();
  }
  /// Without padding: files end with the last entry of an empty directory.
  [[nodiscard]] constexpr std::uint64_t directory_bytes() const noexcept {
    return table_count() << entry_shift;
  }
  [[nodiscard]] constexpr std::uint64_t table_count() const noexcept {
    return extent_.table_count();
  }
  [[nodiscard]] constexpr std::uint64_t grain_count() const noexcept {
    return extent_.grain_count();
  }
  [[nodiscard]] constexpr bool may_lack_tables() const noexcept { return true; }
  [[nodiscard]] constexpr bool names_table(std::uint64_t entry) const noexcept {
    return extent_.may_hold_table(entry);
  }
  [[nodiscard]] constexpr std::uint64_t table_sector(std::uint64_t entry) const noexcept {
    return entry;
  }
  [[nodiscard]] constexpr errc judge(std::uint64_t entry, std::uint64_t grain) const noexcept {
    return extent_.judge_grain(static_cast<std::uint32_t>(entry), grain);
  }
  [[nodiscard]] constexpr bool is_stored(std::uint64_t entry) const noexcept { return entry != 1; }
  [[nodiscard]] constexpr std::uint64_t grain_sector(std::uint64_t entry) const noexcept {
    return entry;
  }
  [[nodiscard]] constexpr std::uint64_t grain_sectors(std::uint64_t grain) const noexcept {
    return smaller_of<std::uint64_t>(std::uint64_t{1} << grain_shift_,
                                     capacity_sectors_ - (grain << grain_shift_));
  }
  /// Grains stand wherever room was.
  [[nodiscard]] constexpr bool is_aligned(std::uint64_t) const noexcept { return true; }

 private:
  cowd_extent extent_;
  std::uint64_t file_bytes_;
  std::uint64_t capacity_sectors_;
  unsigned grain_shift_;
};

/// The directory and tables of a seSparse extent.
class sesparse_format {
 public:
  static constexpr unsigned entry_shift = 3;
  static constexpr unsigned table_shift = sesparse_table_shift;

  constexpr sesparse_format(const sesparse_header& header, std::uint64_t file_bytes) noexcept
      : extent_(header, file_bytes), file_bytes_(file_bytes), capacity_sectors_(header.capacity) {}

  [[nodiscard]] constexpr std::uint64_t file_bytes() const noexcept { return file_bytes_; }
  [[nodiscard]] constexpr unsigned copies() const noexcept { return 1; }
  [[nodiscard]] constexpr std::uint64_t directory_at(unsigned) const noexcept {
    return extent_.directory_offset_bytes();
  }
  [[nodiscard]] constexpr std::uint64_t directory_bytes() const noexcept {
    return table_count() << entry_shift;
  }
  [[nodiscard]] constexpr std::uint64_t table_count() const noexcept {
    return extent_.table_count();
  }
  [[nodiscard]] constexpr std::uint64_t grain_count() const noexcept {
    return extent_.grain_count();
  }
  [[nodiscard]] constexpr bool may_lack_tables() const noexcept { return true; }
  [[nodiscard]] constexpr bool names_table(std::uint64_t entry) const noexcept {
    return extent_.names_table(entry);
  }
  [[nodiscard]] constexpr std::uint64_t table_sector(std::uint64_t entry) const noexcept {
    return extent_.table_offset_bytes(entry) >> sector_shift;
  }
  [[nodiscard]] constexpr errc judge(std::uint64_t entry, std::uint64_t grain) const noexcept {
    return extent_.judge_grain(entry, grain);
  }
  [[nodiscard]] constexpr bool is_stored(std::uint64_t entry) const noexcept {
    return sesparse_entry_kind(entry) == sesparse_grain::stored;
  }
  [[nodiscard]] constexpr std::uint64_t grain_sector(std::uint64_t entry) const noexcept {
    return extent_.grain_offset_bytes(entry) >> sector_shift;
  }
  [[nodiscard]] constexpr std::uint64_t grain_sectors(std::uint64_t grain) const noexcept {
    return smaller_of<std::uint64_t>(sesparse_grain_sectors,
                                     capacity_sectors_ - (grain << sesparse_grain_shift));
  }
  [[nodiscard]] constexpr bool is_aligned(std::uint64_t) const noexcept { return true; }

 private:
  sesparse_extent extent_;
  std::uint64_t file_bytes_;
  std::uint64_t capacity_sectors_;
};

/// The sectors of one table.
template <class Format>
inline constexpr std::uint64_t sectors_of_table =
    std::uint64_t{1} << (Format::table_shift + Format::entry_shift - sector_shift);

}  // namespace vmdk::detail
