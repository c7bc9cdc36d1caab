// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/endian.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/footer_check.hpp"
#include "vmdk/format/marker.hpp"
#include "vmdk/format/sparse_header.hpp"
#include "vmdk/verify/marker_walk.hpp"
#include "vmdk/verify/repair_step.hpp"
#include "vmdk/verify/stream_scan.hpp"

namespace vmdk::detail {

/// Writes the end of a stream that has lost it: tables whose markers are missing, the directory,
/// the footer and the end-of-stream marker, behind the last whole grain (SPEC 13.7).
template <class Target>
class stream_tail {
 public:
  /// `end_sector` is where the grains end: what lies behind is no longer read. The memory is the
  /// caller's.
  constexpr stream_tail(Target& target, const sparse_extent_header& header, const marker_gaps& gaps,
                        std::uint64_t end_sector, byte_span memory) noexcept
      : target_(&target),
        header_(header),
        geometry_(header.capacity, header.grain_size),
        gaps_(&gaps),
        end_sector_(end_sector),
        memory_(memory) {}

  /// The memory that is needed at least.
  [[nodiscard]] static constexpr std::uint64_t least_bytes(
      const sparse_geometry& geometry) noexcept {
    return (geometry.directory_sectors() << sector_shift) + table_bytes;
  }

  /// Finds out which tables the stream has and which it lacks. Nothing is written yet. Errors:
  /// the file's; errc::workspace_too_small; errc::extent_too_large when a sector number would pass
  /// 2^32.
  constexpr failure plan() noexcept {
    const std::uint64_t wanted = least_bytes(geometry_);
    if (memory_.size() < wanted) {
      return options_failure(
          errc::workspace_too_small, 0,
          static_cast<std::uint32_t>(smaller_of<std::uint64_t>(wanted, 0xFFFFFFFF)));
    }
    directory_ =
        memory_.first(static_cast<std::size_t>(geometry_.directory_sectors() << sector_shift));
    tables_ = memory_.subspan(directory_.size());
    zero_bytes(directory_);
    std::uint64_t table = 0;
    marker_item last_grain;
    std::uint64_t doubtful = 0;
    const auto facts = scan([&](const marker_item& item) -> failure {
      if (item.kind == marker_kind::grain) {
        table = table_of(item.lba);
        last_grain = item;
        doubtful = 0;
        if (place_of(table) == 0) set_place(table, needed);
      } else if (place_of(table) == needed) {
        const auto is_its_own = names(item.sector + 1, last_grain);
        if (!is_its_own) return is_its_own.error();
        set_place(table, static_cast<std::uint32_t>(item.sector + 1));
        if (!*is_its_own) doubtful = item.sector;
      } else if (doubtful == 0) {
        doubtful = item.sector;
      }
      return no_failure;
    });
    if (!facts) return facts.error();
    // Tables behind the last grain's own: a repair that stopped half way wrote them.
    if (doubtful != 0) {
      end_sector_ = doubtful;
      if (place_of(table) > doubtful) set_place(table, needed);
    }
    missing_ = 0;
    for (std::uint64_t i = 0; i < geometry_.table_count(); ++i) missing_ += place_of(i) == needed;
    const std::uint64_t directory_at = end_sector_ + missing_ * (1 + table_sectors) + 1;
    if (directory_at + geometry_.directory_sectors() >= sector_number_limit) {
      return options_failure(errc::extent_too_large);
    }
    return no_failure;
  }

  /// The sector where the directory is going to be, and the size of the file.
  [[nodiscard]] constexpr std::uint64_t directory_sector() const noexcept {
    return end_sector_ + missing_ * (1 + table_sectors) + 1;
  }
  [[nodiscard]] constexpr std::uint64_t file_bytes() const noexcept {
    return ((directory_sector() + geometry_.directory_sectors()) << sector_shift) +
           stream_tail_bytes;
  }

  /// True when the directory stands where it is going to be, if it stands at a sector, and no table
  /// is missing.
  [[nodiscard]] constexpr bool may_stand_at(std::uint64_t sector) const noexcept {
    return missing_ == 0 && sector == directory_sector();
  }
  /// Where the grains end that are kept.
  [[nodiscard]] constexpr std::uint64_t end_sector() const noexcept { return end_sector_; }

  /// Cuts the file behind the grains, or behind a directory that stands already, and writes the
  /// rest, the footer behind a barrier: what stops in between is again a stream without an end.
  /// Errors: the file's.
  constexpr failure write(bool directory_stands) noexcept {
    const std::uint64_t end_at = end_sector_ << sector_shift;
    if (target_->size() > file_bytes()) {
      target_->tell({.kind = repair_kind::file_cut,
                     .offset = file_bytes(),
                     .before = target_->size(),
                     .after = file_bytes()});
    }
    // The last grain's padding may be cut as well.
    if (!directory_stands && target_->size() != end_at) {
      if (failure f = target_->resize(end_at)) return f;
    }
    if (failure f = write_tables()) return f;
    const std::uint64_t directory = directory_sector();
    if (failure f = put_marker(directory - 1, marker_type::grain_directory,
                               geometry_.directory_sectors())) {
      return f;
    }
    target_->tell({.kind = repair_kind::directory_rebuilt, .offset = directory << sector_shift});
    if (failure f = target_->write(directory << sector_shift, directory_)) return f;
    if (failure f = target_->barrier()) return f;

    const std::uint64_t footer = directory + geometry_.directory_sectors();
    if (directory_stands) {
      if (failure f = target_->resize(footer << sector_shift)) return f;
    }
    if (failure f = put_marker(footer, marker_type::footer, 1)) return f;
    header_.gd_offset = directory;
    target_->tell({.kind = repair_kind::footer_rebuilt, .offset = (footer + 1) << sector_shift});
    if (failure f = target_->write((footer + 1) << sector_shift, encode(header_))) return f;
    if (failure f = put_marker(footer + 2, marker_type::end_of_stream, 0)) return f;
    return target_->barrier();
  }

 private:
  static constexpr std::uint32_t needed = 0xFFFFFFFF;

  template <class Visit>
  [[nodiscard]] constexpr result<stream_facts> scan(Visit&& visit) noexcept {
    // What is behind is cut off before the first table is written.
    const stream_end end{.limit_sector = end_sector_};
    return scan_stream(*target_, geometry_, header_.over_head, end, *gaps_, visit);
  }
  /// The table of a grain. The grains were found to be those of the disk; should the file have
  /// changed since, they count as the last table's.
  [[nodiscard]] constexpr std::uint64_t table_of(std::uint64_t lba) const noexcept {
    return smaller_of(lba >> geometry_.grain_shift() >> sparse_geometry::table_shift,
                      geometry_.table_count() - 1);
  }
  /// True when a table has the place of a grain. Errors: the file's.
  [[nodiscard]] constexpr result<bool> names(std::uint64_t table_sector,
                                             const marker_item& grain) noexcept {
    const std::uint64_t index = (grain.lba >> geometry_.grain_shift()) & (entries_per_table - 1);
    std::array<std::byte, sizeof(std::uint32_t)> entry{};
    const std::uint64_t offset = (table_sector << sector_shift) + index * entry.size();
    if (failure f = target_->read_at(offset, entry)) return f;
    return load_le<std::uint32_t>(entry.data()) == grain.sector;
  }
  [[nodiscard]] constexpr std::uint32_t place_of(std::uint64_t table) const noexcept {
    return load_le<std::uint32_t>(directory_.data() + table * sizeof(std::uint32_t));
  }
  constexpr void set_place(std::uint64_t table, std::uint32_t sector) noexcept {
    store_le(directory_.data() + table * sizeof(std::uint32_t), sector);
  }

  constexpr failure put_marker(std::uint64_t sector, marker_type type,
                               std::uint64_t following_sectors) noexcept {
    sector_image marker{};
    encode_marker(type, following_sectors, marker.data());
    return target_->write(sector << sector_shift, marker);
  }

  /// Fills as many missing tables as there is memory for in one walk, and writes them.
  constexpr failure write_tables() noexcept {
    const std::uint64_t most = tables_.size() / table_bytes;
    std::uint64_t sector = end_sector_;
    for (std::uint64_t first = 0; first < geometry_.table_count();) {
      std::uint64_t end = first;
      std::uint64_t count = 0;
      for (; end < geometry_.table_count() && count < most; ++end) count += place_of(end) == needed;
      if (count != 0) {
        if (failure f = fill(first, end)) return f;
      }
      for (std::uint64_t table = first, n = 0; table < end; ++table) {
        if (place_of(table) != needed) continue;
        const byte_view bytes =
            tables_.subspan(static_cast<std::size_t>(n++) * table_bytes, table_bytes);
        if (failure f = put_marker(sector, marker_type::grain_table, table_sectors)) return f;
        const repair_step step{.kind = repair_kind::table_rebuilt,
                               .offset = (sector + 1) << sector_shift,
                               .table = table};
        if (failure f = target_->change(step, bytes)) return f;
        // Not before the others of this turn are written: a number is looked up by counting.
        sector += 1 + table_sectors;
      }
      std::uint64_t place = sector - count * (1 + table_sectors) + 1;
      for (std::uint64_t table = first; table < end; ++table) {
        if (place_of(table) != needed) continue;
        set_place(table, static_cast<std::uint32_t>(place));
        place += 1 + table_sectors;
      }
      first = end;
    }
    return no_failure;
  }

  /// Enters the grains of the missing tables from one up to another.
  constexpr failure fill(std::uint64_t first, std::uint64_t end) noexcept {
    zero_bytes(tables_);
    std::uint64_t last_table = first;
    std::uint64_t number = 0;
    const auto facts = scan([&](const marker_item& item) -> failure {
      if (item.kind != marker_kind::grain) return no_failure;
      const std::uint64_t grain = item.lba >> geometry_.grain_shift();
      const std::uint64_t table = grain >> sparse_geometry::table_shift;
      if (table < first || table >= end || place_of(table) != needed) return no_failure;
      if (table < last_table) {
        last_table = first;
        number = 0;
      }
      for (; last_table < table; ++last_table) number += place_of(last_table) == needed;
      std::byte* const entry = tables_.data() + number * table_bytes +
                               (grain & (entries_per_table - 1)) * sizeof(needed);
      store_le(entry, static_cast<std::uint32_t>(item.sector));
      return no_failure;
    });
    return facts.error();
  }

  Target* target_;
  sparse_extent_header header_;
  sparse_geometry geometry_;
  const marker_gaps* gaps_;
  std::uint64_t end_sector_;
  byte_span memory_;
  byte_span directory_{};
  byte_span tables_{};
  std::uint64_t missing_ = 0;
};

}  // namespace vmdk::detail
