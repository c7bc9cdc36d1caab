// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/sparse_header.hpp"
#include "vmdk/layout/capacity.hpp"
#include "vmdk/layout/extent_head.hpp"
#include "vmdk/layout/types.hpp"

namespace vmdk {

/// Which copy of directory and tables comes first in the file.
enum class directory_order : std::uint8_t {
  redundant_first,  ///< As VMware writes it.
  primary_first,    ///< As mkimg writes it.
};

/// What the places in a hosted sparse extent hang on besides the size of the disk (SPEC 3, 4).
struct sparse_layout_options {
  std::uint32_t grain_sectors = 128;  ///< A type without dynamic_grain has its own.
  std::uint32_t descriptor_sectors = usual_descriptor_sectors;  ///< 0: a file without one.
  capacity_rule capacity = capacity_rule::whole_grains;
  directory_order order = directory_order::redundant_first;
};

/// Where everything in a hosted sparse extent goes: arithmetic only, for any grain size.
///
/// header | descriptor | one directory and its tables | the other copy | padding | grains.
/// All sector numbers are from the start of the file. Source: SPEC 3, 4, 12.
class sparse_layout : public extent_head {
 public:
  constexpr sparse_layout() noexcept = default;

  /// Lays out a disk of so many bytes, rounded up as `options.capacity` says.
  /// Errors, all with origin options: errc::grain_size_invalid (detail: the grain's sectors);
  /// errc::capacity_zero; errc::capacity_too_large for more than 2^25 tables, or when descriptor
  /// and tables would pass sector 2^32. Source: SPEC 3, 4, 12.
  [[nodiscard]] static constexpr result<sparse_layout> for_capacity(
      std::uint64_t disk_bytes, const sparse_layout_options& options = {}) noexcept {
    const auto head = make(disk_bytes, options);
    if (!head) return head.error();
    const sparse_layout plan(*head, options.order);
    if (plan.overhead_sectors() > sector_number_limit) {
      return options_failure(errc::capacity_too_large);
    }
    return plan;
  }

  [[nodiscard]] constexpr region directory() const noexcept {
    return copy_directory(order_ == directory_order::primary_first);
  }
  [[nodiscard]] constexpr region tables() const noexcept { return tables_behind(directory()); }
  [[nodiscard]] constexpr region redundant_directory() const noexcept {
    return copy_directory(order_ == directory_order::redundant_first);
  }
  [[nodiscard]] constexpr region redundant_tables() const noexcept {
    return tables_behind(redundant_directory());
  }

  /// The directory entry of a table: its first sector. Never 0, and tables lie one behind the
  /// other, because some readers compute their places and ignore the directory.
  [[nodiscard]] constexpr std::uint32_t table_sector(std::uint64_t table) const noexcept {
    return static_cast<std::uint32_t>(tables().first_sector + table * table_sectors);
  }
  [[nodiscard]] constexpr std::uint32_t redundant_table_sector(std::uint64_t table) const noexcept {
    return static_cast<std::uint32_t>(redundant_tables().first_sector + table * table_sectors);
  }

  /// Sectors of metadata: the first grain lies here.
  [[nodiscard]] constexpr std::uint64_t overhead_sectors() const noexcept {
    return align_up(copy_directory(false).end_sector() + table_count() * table_sectors,
                    grain_sectors());
  }
  [[nodiscard]] constexpr std::uint64_t overhead_bytes() const noexcept {
    return overhead_sectors() << sector_shift;
  }

  /// The sector of the n-th stored grain, counted from 0 in the order of the disk.
  [[nodiscard]] constexpr std::uint64_t grain_sector(std::uint64_t stored_index) const noexcept {
    return overhead_sectors() + (stored_index << geometry().grain_shift());
  }

  /// How many grains can be stored before a sector number would pass 2^32.
  [[nodiscard]] constexpr std::uint64_t max_stored_grains() const noexcept {
    return smaller_of(grain_count(),
                      (sector_number_limit - overhead_sectors()) >> geometry().grain_shift());
  }

  /// The size of the whole file with so many grains stored.
  /// Errors, all with origin options: errc::content_exceeds_capacity for more grains than the disk
  /// has; errc::extent_too_large when a sector number would pass 2^32.
  [[nodiscard]] constexpr result<std::uint64_t> file_bytes(
      std::uint64_t stored_grains) const noexcept {
    if (stored_grains > grain_count()) return options_failure(errc::content_exceeds_capacity);
    if (stored_grains > max_stored_grains()) return options_failure(errc::extent_too_large);
    return grain_sector(stored_grains) << sector_shift;
  }

  /// The size of the whole file of an empty disk. Errors: none, for what could be laid out.
  [[nodiscard]] constexpr result<std::uint64_t> min_file_bytes() const noexcept {
    return file_bytes(0);
  }

  /// The size of the whole file with every grain stored. Errors: errc::extent_too_large when a
  /// sector number would pass 2^32; the disk can be written all the same if it has enough zeros.
  [[nodiscard]] constexpr result<std::uint64_t> max_file_bytes() const noexcept {
    return file_bytes(grain_count());
  }

  /// The header of this file.
  [[nodiscard]] constexpr sparse_extent_header make_header() const noexcept {
    sparse_extent_header h{};
    h.flags = sparse_flags::newline_bytes_valid | sparse_flags::redundant_tables;
    h.capacity = capacity_sectors();
    h.grain_size = std::uint64_t{grain_sectors()};
    h.descriptor_offset = std::uint64_t{descriptor().sectors == 0 ? 0u : 1u};
    h.descriptor_size = descriptor().sectors;
    h.rgd_offset = redundant_directory().first_sector;
    h.gd_offset = directory().first_sector;
    h.over_head = overhead_sectors();
    return h;
  }

 private:
  constexpr sparse_layout(const extent_head& head, directory_order order) noexcept
      : extent_head(head), order_(order) {}

  [[nodiscard]] constexpr region copy_directory(bool first) const noexcept {
    const std::uint64_t begin = 1 + descriptor().sectors;
    const std::uint64_t sectors = geometry().directory_sectors();
    return {first ? begin : begin + sectors + table_count() * table_sectors, sectors};
  }
  [[nodiscard]] constexpr region tables_behind(const region& directory) const noexcept {
    return {directory.end_sector(), table_count() * table_sectors};
  }

  directory_order order_ = directory_order::redundant_first;
};

/// The layout of a monolithicSparse file whose grain size is part of the type. A face over
/// sparse_layout: the arithmetic is the same code.
template <std::uint32_t GrainSectors>
class layout<monolithic_sparse<GrainSectors>> : public sparse_layout {
  // Instantiating the tag is what reports a bad grain size.
  static_assert(sizeof(monolithic_sparse<GrainSectors>) != 0);

 public:
  constexpr layout() noexcept = default;
  constexpr explicit layout(const sparse_layout& base) noexcept : sparse_layout(base) {}

  /// As sparse_layout::for_capacity, with the grain size of the type. Errors: those of it, but
  /// errc::grain_size_invalid with dynamic_grain alone.
  [[nodiscard]] static constexpr result<layout> for_capacity(
      std::uint64_t disk_bytes, sparse_layout_options options = {}) noexcept {
    options.grain_sectors = detail::grain_of<monolithic_sparse<GrainSectors>>(options);
    const auto base = sparse_layout::for_capacity(disk_bytes, options);
    if (!base) return base.error();
    return layout(*base);
  }
};

}  // namespace vmdk
