// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/endian.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/severity.hpp"
#include "vmdk/format/sparse_geometry.hpp"
#include "vmdk/format/sparse_header.hpp"
#include "vmdk/format/sparse_header_check.hpp"
#include "vmdk/reader/footer.hpp"
#include "vmdk/reader/mapping.hpp"
#include "vmdk/reader/read_object.hpp"
#include "vmdk/reader/table_cache.hpp"

namespace vmdk {

/// The facts of one hosted sparse extent: enough to find any of its grains. A plain value; the file
/// is handed to each call, as anything with `read_at`.
class sparse_extent {
 public:
  constexpr sparse_extent() noexcept = default;

  /// Reads the header, and the footer where there is one, of a file of so many bytes.
  /// Directory and tables are not read: their entries are checked when they are used.
  /// Errors: each rule of SPEC 13.1 and 13.3 that this strictness refuses; those of the file.
  template <class File>
  [[nodiscard]] static constexpr result<sparse_extent> open(File& file, std::uint64_t file_bytes,
                                                            strictness mode) noexcept {
    if (file_bytes < sector_bytes) return image_failure(errc::header_truncated, 0);
    sparse_extent_header header{};
    if (failure f = read_object(file, 0, header)) return f;
    if (failure f = validate(header, file_bytes, mode)) return f;
    if (header.is_compressed() || header.has_tables_at_end()) {
      first_refusal refusal(mode);
      const auto directory = find_footer(file, file_bytes, header, refusal);
      if (!directory) return directory.error();
      if (refusal.why()) return refusal.why();
      header.gd_offset = *directory;
    }
    return sparse_extent(header, file_bytes);
  }

  /// As `open`, of a file that is not compressed, which takes a third less code and memory.
  /// Errors: each rule of SPEC 13.1 that this strictness refuses; errc::codec_not_available for a
  /// compressed file; errc::footer_missing for one whose header leaves the directory to a footer,
  /// which only streams have; those of the file.
  template <class File>
  [[nodiscard]] static constexpr result<sparse_extent> open_uncompressed(File& file,
                                                                         std::uint64_t file_bytes,
                                                                         strictness mode) noexcept {
    if (file_bytes < sector_bytes) return image_failure(errc::header_truncated, 0);
    sparse_extent_header header{};
    if (failure f = read_object(file, 0, header)) return f;
    if (failure f = validate(header, file_bytes, mode)) return f;
    if (header.is_compressed()) return image_failure(errc::codec_not_available, 0);
    if (header.has_tables_at_end()) {
      return image_failure(errc::footer_missing, offsetof(sparse_extent_header, gd_offset));
    }
    return sparse_extent(header, file_bytes);
  }

  /// Takes the facts from a header that was checked before.
  constexpr sparse_extent(const sparse_extent_header& header, std::uint64_t file_bytes) noexcept
      : geometry_(header.capacity, header.grain_size),
        file_bytes_(file_bytes),
        directory_sector_(header.gd_offset),
        overhead_sectors_(header.over_head),
        descriptor_sector_(header.descriptor_offset),
        descriptor_sectors_(static_cast<std::uint32_t>(header.descriptor_size)),
        flags_(header.flags) {}

  [[nodiscard]] constexpr const sparse_geometry& geometry() const noexcept { return geometry_; }
  [[nodiscard]] constexpr std::uint64_t capacity_bytes() const noexcept {
    return geometry_.capacity_bytes();
  }
  [[nodiscard]] constexpr bool is_compressed() const noexcept {
    return (flags_ & sparse_flags::compressed) != 0;
  }
  /// The place of the embedded descriptor in the file; 0 bytes where there is none.
  [[nodiscard]] constexpr std::uint64_t descriptor_offset_bytes() const noexcept {
    return descriptor_sector_ << sector_shift;
  }
  [[nodiscard]] constexpr std::uint32_t descriptor_bytes() const noexcept {
    return descriptor_sector_ == 0 ? 0 : descriptor_sectors_ << sector_shift;
  }
  [[nodiscard]] constexpr std::uint64_t directory_offset_bytes() const noexcept {
    return directory_sector_ << sector_shift;
  }

  /// Finds what the extent has at an offset of its part of the disk, below capacity_bytes().
  /// Errors: errc::directory_entry_invalid, errc::grain_below_overhead, errc::grain_past_end,
  /// errc::grain_zeroed_not_allowed, each with the offset of the entry in the file; those of the
  /// file. The next lookup starts afresh.
  template <class File>
  [[nodiscard]] constexpr result<mapping> map(File& file, std::uint64_t offset,
                                              table_cache& cache) const noexcept {
    const unsigned shift = geometry_.grain_byte_shift();
    const std::uint64_t grain = offset >> shift;
    const std::uint64_t table = grain >> sparse_geometry::table_shift;

    const std::uint64_t directory_entry_at = directory_offset_bytes() + table * entry_bytes;
    const auto directory_entry =
        cache.directory.get(file, directory_entry_at, entry_bytes, directory_offset_bytes(),
                            geometry_.table_count() * entry_bytes);
    if (!directory_entry) return directory_entry.error();
    const std::uint64_t table_sector = load_le<std::uint32_t>(*directory_entry);
    if (table_sector == 0) {
      const std::uint64_t table_end = (table + 1) << (sparse_geometry::table_shift + shift);
      return mapping{placement::absent, smaller_of(table_end, capacity_bytes()) - offset, 0};
    }
    if (!may_hold_table(table_sector)) {
      return image_failure(errc::directory_entry_invalid, directory_entry_at);
    }

    const std::uint64_t table_at = table_sector << sector_shift;
    const std::uint64_t entry_at = table_at + (grain & (entries_per_table - 1)) * entry_bytes;
    const auto entry = cache.table.get(file, entry_at, entry_bytes, table_at, table_bytes);
    if (!entry) return entry.error();
    const std::uint32_t sector = load_le<std::uint32_t>(*entry);
    if (const errc broken = judge_grain(sector, grain); broken != errc::none) {
      return image_failure(broken, entry_at);
    }

    const std::uint64_t into_grain = offset & (geometry_.grain_bytes() - 1);
    const std::uint64_t grains = count_alike(*entry, grain, cache.table.bytes_from(entry_at));
    mapping found;
    found.bytes = smaller_of((grains << shift) - into_grain, capacity_bytes() - offset);
    if (sector == 0) {
      found.where = placement::absent;
    } else if (sector == zeroed_entry) {
      found.where = placement::zero;
    } else {
      found.where = is_compressed() ? placement::compressed : placement::stored;
      found.file_offset = std::uint64_t{sector} << sector_shift;
      if (!is_compressed()) found.file_offset += into_grain;
    }
    return found;
  }

  /// True when a grain table may begin at this sector: behind the header, inside the file, apart
  /// from the descriptor and the directory (SPEC 13.2).
  [[nodiscard]] constexpr bool may_hold_table(std::uint64_t sector) const noexcept {
    const std::uint64_t file_sectors = file_bytes_ >> sector_shift;
    if (sector == 0 || !fits_inside(sector, table_sectors, file_sectors)) return false;
    const auto apart = [&](std::uint64_t first, std::uint64_t sectors) {
      return sector >= first + sectors || sector + table_sectors <= first;
    };
    return apart(descriptor_sector_, descriptor_sector_ == 0 ? 0 : descriptor_sectors_) &&
           apart(directory_sector_, geometry_.directory_sectors());
  }

  /// The rule of SPEC 13.2 that a table entry breaks by itself, or errc::none.
  [[nodiscard]] constexpr errc judge_grain(std::uint32_t sector,
                                           std::uint64_t grain) const noexcept {
    if (sector == 0) return errc::none;
    if (sector == zeroed_entry) {
      const bool allowed = (flags_ & sparse_flags::zeroed_grains) != 0;
      return allowed ? errc::none : errc::grain_zeroed_not_allowed;
    }
    if (sector < overhead_sectors_) return errc::grain_below_overhead;
    // The last grain may be cut at the capacity; of a compressed one only the marker is sure.
    const std::uint64_t grain_at = grain << geometry_.grain_byte_shift();
    const std::uint64_t bytes =
        is_compressed()
            ? std::uint64_t{sector_bytes}
            : smaller_of<std::uint64_t>(geometry_.grain_bytes(), capacity_bytes() - grain_at);
    const bool inside = fits_inside(std::uint64_t{sector} << sector_shift, bytes, file_bytes_);
    return inside ? errc::none : errc::grain_past_end;
  }

 private:
  static constexpr std::uint32_t zeroed_entry = 1;
  static constexpr std::size_t entry_bytes = sizeof(std::uint32_t);

  /// How many grains from this one on continue it: absent like it, or behind one another in the
  /// file. Looks no further than the entries at hand.
  [[nodiscard]] constexpr std::uint64_t count_alike(const std::byte* entry, std::uint64_t grain,
                                                    std::uint64_t bytes_at_hand) const noexcept {
    const auto first = load_le<std::uint32_t>(entry);
    if (first == zeroed_entry || (first != 0 && is_compressed())) return 1;
    const std::uint64_t most =
        smaller_of(bytes_at_hand / entry_bytes, geometry_.grain_count() - grain);
    const std::uint64_t step = first == 0 ? 0 : geometry_.grain_sectors();
    std::uint64_t grains = 1;
    for (std::uint64_t due = first + step; grains < most; due += step, ++grains) {
      const auto next = load_le<std::uint32_t>(entry + grains * entry_bytes);
      if (next != due || judge_grain(next, grain + grains) != errc::none) break;
    }
    return grains;
  }

  sparse_geometry geometry_{};
  std::uint64_t file_bytes_ = 0;
  std::uint64_t directory_sector_ = 0;
  std::uint64_t overhead_sectors_ = 0;
  std::uint64_t descriptor_sector_ = 0;
  std::uint32_t descriptor_sectors_ = 0;
  std::uint32_t flags_ = 0;
};

}  // namespace vmdk
