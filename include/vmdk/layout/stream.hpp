// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/footer_check.hpp"
#include "vmdk/format/marker.hpp"
#include "vmdk/format/sparse_header.hpp"
#include "vmdk/layout/capacity.hpp"
#include "vmdk/layout/extent_head.hpp"
#include "vmdk/layout/types.hpp"

namespace vmdk {

/// What the places in a streamOptimized file hang on besides the disk (SPEC 5).
struct stream_layout_options {
  std::uint32_t grain_sectors = 128;  ///< A type without dynamic_grain has its own.
  std::uint32_t descriptor_sectors = usual_descriptor_sectors;
  capacity_rule capacity = capacity_rule::whole_grains;
  tables table_place = tables::at_end;
};

/// Where everything in a streamOptimized file goes, as far as it does not hang on how well the
/// grains compress: arithmetic only, for any grain size.
///
/// at_end:   header | descriptor | padding | grains of a table, marker, table | ... |
///           marker, directory | marker, footer | end of stream.
/// in_front: header | descriptor | directory | tables | grains | end of stream.
/// All sector numbers are from the start of the file. Source: SPEC 5, 12.
class stream_layout : public extent_head {
 public:
  constexpr stream_layout() noexcept = default;

  /// Lays out a disk of so many bytes, rounded up as `options.capacity` says.
  /// Errors, all with origin options: errc::grain_size_invalid (detail: the grain's sectors);
  /// errc::capacity_zero; errc::capacity_too_large for more than 2^25 tables, or when descriptor
  /// and tables in front would pass sector 2^32. Source: SPEC 5, 12.
  [[nodiscard]] static constexpr result<stream_layout> for_capacity(
      std::uint64_t disk_bytes, const stream_layout_options& options = {}) noexcept {
    const auto head = make(disk_bytes, options);
    if (!head) return head.error();
    const stream_layout plan(*head, options.table_place);
    if (plan.overhead_sectors() > sector_number_limit) {
      return options_failure(errc::capacity_too_large);
    }
    return plan;
  }

  [[nodiscard]] constexpr vmdk::tables table_place() const noexcept { return table_place_; }
  [[nodiscard]] constexpr bool has_tables_at_end() const noexcept {
    return table_place_ == vmdk::tables::at_end;
  }

  /// The directory and the tables in front; empty when they are at the end, where their places
  /// follow from the grains (see stream_size).
  [[nodiscard]] constexpr region directory() const noexcept {
    return {descriptor().end_sector(), has_tables_at_end() ? 0 : geometry().directory_sectors()};
  }
  [[nodiscard]] constexpr region tables() const noexcept {
    return {directory().end_sector(), has_tables_at_end() ? 0 : table_count() * table_sectors};
  }

  /// The directory entry of a table in front. There is one for each table, also for those of
  /// zeros: readers of such files compute the places and ignore the directory (SPEC 3).
  [[nodiscard]] constexpr std::uint32_t table_sector(std::uint64_t table) const noexcept {
    return static_cast<std::uint32_t>(tables().first_sector + table * table_sectors);
  }

  /// Sectors before the first grain. With tables at the end the first grain starts on a grain
  /// boundary as in every sparse file, which is sector 128 for the usual grain, as every such
  /// writer has it; with tables in front grains follow at once, as VMware's own writer has it.
  [[nodiscard]] constexpr std::uint64_t overhead_sectors() const noexcept {
    const std::uint64_t end = tables().end_sector();
    return has_tables_at_end() ? align_up(end, grain_sectors()) : end;
  }
  [[nodiscard]] constexpr std::uint64_t overhead_bytes() const noexcept {
    return overhead_sectors() << sector_shift;
  }

  /// The most bytes that the compressed data of one grain may have: what every reader takes.
  [[nodiscard]] constexpr std::uint32_t compressed_limit_bytes() const noexcept {
    return geometry().grain_bytes() + compressed_grain_slack_bytes;
  }

  /// The sectors of a grain's marker, its compressed data and their padding.
  [[nodiscard]] static constexpr std::uint64_t packed_sectors(
      std::uint64_t compressed_bytes) noexcept {
    return ceil_shift(compressed_bytes + grain_marker_bytes, sector_shift);
  }

  /// The memory that a grain takes on its way into the stream, at the most.
  [[nodiscard]] constexpr std::uint32_t packed_limit_bytes() const noexcept {
    return compressed_limit_bytes() + grain_marker_bytes;
  }

  /// The memory that the directory takes while the stream is written.
  [[nodiscard]] constexpr std::uint64_t directory_memory_bytes() const noexcept {
    return has_tables_at_end() ? geometry().directory_sectors() << sector_shift : 0;
  }

  /// What follows the last grain and its table.
  [[nodiscard]] constexpr std::uint64_t tail_sectors() const noexcept {
    if (!has_tables_at_end()) return 1;
    return 1 + geometry().directory_sectors() + (stream_tail_bytes >> sector_shift);
  }

  /// The size of the file of an empty disk.
  [[nodiscard]] constexpr std::uint64_t min_file_bytes() const noexcept {
    return (overhead_sectors() + tail_sectors()) << sector_shift;
  }

  /// The size that no file of this disk passes, when no grain becomes larger than the encoder's
  /// bound for a grain. Errors, with origin options: errc::extent_too_large when such a file would
  /// have a grain or a table at or behind sector 2^32; the disk can be written all the same if it
  /// compresses well.
  [[nodiscard]] constexpr result<std::uint64_t> max_file_bytes(
      std::uint64_t encoder_bound_bytes) const noexcept {
    // Below 2^51 grains of at most 2^12 sectors: nothing wraps.
    const std::uint64_t each =
        packed_sectors(smaller_of<std::uint64_t>(encoder_bound_bytes, compressed_limit_bytes()));
    std::uint64_t end = overhead_sectors() + grain_count() * each;
    std::uint64_t last = end - each;
    if (has_tables_at_end()) {
      end += table_count() * (1 + table_sectors);
      last = end - table_sectors;
    }
    if (last >= sector_number_limit) return options_failure(errc::extent_too_large);
    return (end + tail_sectors()) << sector_shift;
  }

  /// The header of this file; or its footer, which alone has the place of a directory at the end.
  [[nodiscard]] constexpr sparse_extent_header make_header(
      std::uint64_t directory_sector) const noexcept {
    sparse_extent_header h{};
    h.version = 3u;
    h.flags = sparse_flags::newline_bytes_valid | sparse_flags::compressed | sparse_flags::markers;
    h.capacity = capacity_sectors();
    h.grain_size = std::uint64_t{grain_sectors()};
    h.descriptor_offset = std::uint64_t{1};
    h.descriptor_size = descriptor().sectors;
    h.gd_offset = directory_sector;
    h.over_head = overhead_sectors();
    h.compress_algorithm = std::uint16_t{1};
    return h;
  }
  [[nodiscard]] constexpr sparse_extent_header make_header() const noexcept {
    return make_header(has_tables_at_end() ? directory_at_end : directory().first_sector);
  }

 private:
  constexpr stream_layout(const extent_head& head, vmdk::tables table_place) noexcept
      : extent_head(head), table_place_(table_place) {}

  vmdk::tables table_place_ = vmdk::tables::at_end;
};

/// The layout of a streamOptimized file whose grain size is part of the type. A face over
/// stream_layout: the arithmetic is the same code.
template <std::uint32_t GrainSectors>
class layout<stream_optimized<GrainSectors>> : public stream_layout {
 public:
  constexpr layout() noexcept = default;
  constexpr explicit layout(const stream_layout& base) noexcept : stream_layout(base) {}

  /// As stream_layout::for_capacity, with the grain size of the type. Errors: those of it, but
  /// errc::grain_size_invalid with dynamic_grain alone.
  [[nodiscard]] static constexpr result<layout> for_capacity(
      std::uint64_t disk_bytes, stream_layout_options options = {}) noexcept {
    options.grain_sectors = detail::grain_of<stream_optimized<GrainSectors>>(options);
    const auto base = stream_layout::for_capacity(disk_bytes, options);
    if (!base) return base.error();
    return layout(*base);
  }
};

}  // namespace vmdk
