// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/verify/check_memory.hpp"
#include "vmdk/verify/directory_check.hpp"
#include "vmdk/verify/finding_reporter.hpp"
#include "vmdk/verify/report_shared.hpp"
#include "vmdk/verify/shared_sectors.hpp"
#include "vmdk/verify/table_walk.hpp"

namespace vmdk::detail {

/// Checks directory, tables and the places of grains of one extent (SPEC 13.2, 13.5).
///
/// `Fixed` gives the metadata whose places the header states: `fixed(visit(sector_use))`. `Grains`
/// has the members of plain_grains.
template <class Format, class File, class Log, class Fixed, class Grains>
class table_checker {
 public:
  constexpr table_checker(table_walk<Format, File>& walk, check_state& state, byte_span bits,
                          Log& log, Fixed& fixed, Grains& grains) noexcept
      : walk_(&walk),
        format_(walk.format()),
        state_(&state),
        bits_(bits),
        log_(&log),
        directory_(walk, state, bits, log, fixed),
        grains_(&grains) {}

  /// Errors: those of the file; that of the log when the caller wants no more.
  constexpr failure check() noexcept {
    if (failure f = directory_.check()) return f;
    if (failure f = check_entries()) return f;
    return find_shared_grains();
  }

  /// The first sector behind all metadata, and the one where the first grain lies: its own, or the
  /// file's end when there is none.
  [[nodiscard]] constexpr std::uint64_t metadata_end_sector() const noexcept {
    return directory_.metadata_end_sector();
  }
  [[nodiscard]] constexpr std::uint64_t first_grain_sector() const noexcept {
    return grains_window_.first;
  }

 private:
  /// How many grains are still looked into. There cannot be more of them than the file has sectors;
  /// where there are, some overlap, and for the others only their first sector counts.
  using grain_budget = std::uint64_t;

  [[nodiscard]] constexpr std::uint64_t file_sectors() const noexcept {
    return ceil_shift(format_.file_bytes(), sector_shift);
  }

  constexpr failure check_entries() noexcept {
    grain_budget budget = file_sectors();
    place_bits_ = largest_readable_grain_sectors;
    grains_window_ = {file_sectors(), 0};
    return walk_->each_table(state_->repeated, [&](std::uint64_t table, std::uint64_t sector) {
      ++log_->summary.tables;
      if (format_.copies() == 2) {
        if (failure f = compare_copies(table, sector)) return f;
      }
      return walk_->each_entry(
          table, sector, [&](const table_entry& entry) { return check_entry(entry, budget); });
    });
  }

  constexpr failure check_entry(const table_entry& entry, grain_budget& budget) noexcept {
    finding found;
    found.offset = entry.at;
    found.table = entry.table;
    found.entry = entry.index;
    found.value = entry.value;
    if (entry.grain >= format_.grain_count()) {
      found.code = errc::table_tail_not_zero;
      return log_->add(found);
    }
    found.code = format_.judge(entry.value, entry.grain);
    if (found.code != errc::none) {
      if (failure f = log_->add(found)) return f;
      if (severity_of(found.code) == severity::error) return no_failure;
    }
    if (!format_.is_stored(entry.value)) {
      ++log_->summary.zeroed_grains;
      return no_failure;
    }
    ++log_->summary.stored_grains;
    const std::uint64_t first = format_.grain_sector(entry.value);
    if (!format_.is_aligned(first)) {
      found.code = errc::grain_unaligned;
      if (failure f = log_->add(found)) return f;
    }
    const auto sectors = take(budget) ? grains_->check(entry, *log_) : result<std::uint64_t>(1);
    if (!sectors) return sectors.error();
    place_bits_ |= first | *sectors;
    grains_window_.first = smaller_of(grains_window_.first, first);
    grains_window_.end = larger_of(grains_window_.end, first + *sectors);
    return no_failure;
  }

  [[nodiscard]] static constexpr bool take(grain_budget& budget) noexcept {
    if (budget == 0) return false;
    --budget;
    return true;
  }

  /// Compares a table with its copy, entry by entry.
  constexpr failure compare_copies(std::uint64_t table, std::uint64_t sector) noexcept {
    const auto copy_entry = walk_->directory_entry(1, table);
    if (!copy_entry) return copy_entry.error();
    if (*copy_entry == 0 || !format_.names_table(*copy_entry)) return no_failure;
    const std::uint64_t copy_sector = format_.table_sector(*copy_entry);
    if (copy_sector == sector) return no_failure;
    using walk = table_walk<Format, File>;
    for (std::uint64_t n = 0; n < sectors_of_table<Format>; ++n) {
      const auto ours = walk_->sector_of_table(0, sector, n);
      if (!ours) return ours.error();
      const auto theirs = walk_->sector_of_table(1, copy_sector, n);
      if (!theirs) return theirs.error();
      if (equal_bytes(*ours, *theirs, sector_bytes)) continue;
      for (std::uint32_t i = 0; i < walk::entries_per_sector; ++i) {
        finding differ;
        differ.value = walk::load_entry(*ours + i * walk::entry_bytes);
        differ.other = walk::load_entry(*theirs + i * walk::entry_bytes);
        if (differ.value == differ.other) continue;
        differ.code = errc::tables_differ;
        differ.table = table;
        differ.entry = n * walk::entries_per_sector + i;
        differ.offset = ((sector + n) << sector_shift) + i * walk::entry_bytes;
        if (failure f = log_->add(differ)) return f;
      }
    }
    return no_failure;
  }

  /// Gives all metadata, then all grains that may have sectors in a window.
  template <class Visit>
  constexpr failure each_use(const sector_window& window, Visit&& visit) noexcept {
    const auto reserve = [&](const sector_use& use) { visit(use, true); };
    if (failure f = directory_.each_metadata(reserve)) return f;
    grain_budget budget = file_sectors();
    return walk_->each_table(state_->repeated, [&](std::uint64_t table, std::uint64_t sector) {
      return walk_->each_entry(table, sector, [&](const table_entry& entry) -> failure {
        if (entry.grain >= format_.grain_count()) return no_failure;
        const errc broken = format_.judge(entry.value, entry.grain);
        if (broken != errc::none && severity_of(broken) == severity::error) return no_failure;
        if (!format_.is_stored(entry.value)) return no_failure;
        const bool looked_into = take(budget);
        const std::uint64_t first = format_.grain_sector(entry.value);
        if (first >= window.end || first + grains_->most_sectors() <= window.first) {
          return no_failure;
        }
        const auto sectors = looked_into ? grains_->sectors(entry) : result<std::uint64_t>(1);
        if (!sectors) return sectors.error();
        visit(sector_use{.kind = sector_use_kind::grain,
                         .first_sector = first,
                         .sectors = *sectors,
                         .named_at = entry.at,
                         .table = entry.table,
                         .entry = entry.index},
              false);
        return no_failure;
      });
    });
  }

  /// Cells are as large as the places of all grains allow, which makes one pass do for most images.
  constexpr failure find_shared_grains() noexcept {
    if (grains_window_.first >= grains_window_.end) return no_failure;
    unsigned shift = 0;
    while ((place_bits_ >> shift & 1) == 0) ++shift;
    const auto walk = [&](const sector_window& window, auto&& visit) {
      return each_use(window, visit);
    };
    shared_runs& shared = state_->shared;
    if (failure f = find_shared_sectors(grains_window_, shift, bits_, walk, shared)) return f;
    if (failure f = find_users(shared, shift, walk)) return f;
    return report_shared(shared, errc::grain_overlap, *log_);
  }

  table_walk<Format, File>* walk_;
  Format format_;
  check_state* state_;
  byte_span bits_;
  Log* log_;
  directory_checker<Format, File, Log, Fixed> directory_;
  Grains* grains_;
  sector_window grains_window_{};
  std::uint64_t place_bits_ = 0;  ///< All places and lengths of grains, or-ed together.
};

}  // namespace vmdk::detail
