// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/verify/directory_judge.hpp"
#include "vmdk/verify/entry_judge.hpp"
#include "vmdk/verify/place_search.hpp"
#include "vmdk/verify/table_formats.hpp"
#include "vmdk/verify/table_hints.hpp"
#include "vmdk/verify/table_walk.hpp"

namespace vmdk::detail {

/// Where the copies of a table are.
struct table_places {
  std::uint64_t sector[2]{};  ///< 0: not found, or there is no such copy.
  bool is_unwritten[2]{};     ///< It belongs there, but what stands there is something else.
};

/// Finds the tables of a sparse extent whose directory may have wrong entries (SPEC 13.7).
///
/// Where an entry is not right by itself, the content of the places tells where its table may be:
/// compared with the other copy or, where there is none, judged entry by entry.
template <class File>
class table_finder {
 public:
  using walk_type = table_walk<sparse_format, File>;

  constexpr table_finder(walk_type& walk, entry_judge<File>& judge, const table_hints& hints,
                         std::uint64_t overhead_sectors) noexcept
      : walk_(&walk),
        directory_(walk, judge, hints, overhead_sectors),
        places_(directory_),
        overhead_sectors_(overhead_sectors) {}

  [[nodiscard]] constexpr unsigned copies() const noexcept { return walk_->format().copies(); }

  /// Begins a walk over all tables.
  constexpr void begin() noexcept { budget_ = search_limit(); }

  /// Finds the copies of one table. Errors: the file's.
  [[nodiscard]] constexpr result<table_places> find(std::uint64_t table) noexcept {
    table_places places;
    bool sure[2]{};
    for (unsigned copy = 0; copy < copies(); ++copy) {
      const auto is_right = directory_.is_right(copy, table);
      if (!is_right) return is_right.error();
      sure[copy] = *is_right;
      if (!*is_right) continue;
      const auto entry = walk_->directory_entry(copy, table);
      if (!entry) return entry.error();
      places.sector[copy] = *entry;
    }
    const bool is_whole = sure[0] && (copies() == 1 || sure[1]);
    if (is_whole || budget_ == 0) return places;
    --budget_;
    if (copies() == 1) {
      const auto best = best_alone(table);
      if (!best) return best.error();
      places.sector[0] = *best;
      return places;
    }
    if (failure f = find_pair(table, sure, places)) return f;
    return places;
  }

 private:
  /// How many entries that continue nothing are looked into in one walk over all tables: each costs
  /// some walks over the directory.
  [[nodiscard]] constexpr std::uint64_t search_limit() const noexcept {
    constexpr std::uint32_t most_searches = 1024;
    constexpr std::uint32_t most_entries = std::uint32_t{1} << 22;
    // In 32 bits: small processors have no division of 64.
    const auto tables =
        static_cast<std::uint32_t>(smaller_of<std::uint64_t>(format().table_count(), most_entries));
    return smaller_of(most_searches, 1 + most_entries / (1 + tables));
  }

  [[nodiscard]] constexpr const sparse_format& format() const noexcept { return walk_->format(); }

  /// True for two tables with the same entries. Two without any tell nothing.
  [[nodiscard]] constexpr result<bool> are_equal(std::uint64_t first,
                                                 std::uint64_t second) noexcept {
    bool is_empty = true;
    for (std::uint64_t n = 0; n < table_sectors; ++n) {
      const auto ours = walk_->sector_of_table(0, first, n);
      if (!ours) return ours.error();
      const auto theirs = walk_->sector_of_table(1, second, n);
      if (!theirs) return theirs.error();
      if (!equal_bytes(*ours, *theirs, sector_bytes)) return false;
      is_empty = is_empty && is_zero(*ours, sector_bytes);
    }
    return !is_empty;
  }

  /// Finds both copies of a table, at least one of which is not where the directory is sure of it.
  constexpr failure find_pair(std::uint64_t table, const bool (&sure)[2],
                              table_places& places) noexcept {
    place_candidates all[2];
    bool is_named = !format().may_lack_tables();
    for (unsigned copy = 0; copy < 2; ++copy) {
      const auto entry = walk_->directory_entry(copy, table);
      if (!entry) return entry.error();
      is_named = is_named || *entry != 0;
    }
    if (!is_named) return no_failure;
    for (unsigned copy = 0; copy < 2; ++copy) {
      if (sure[copy]) {
        all[copy].sector.data()[0] = places.sector[copy];
        all[copy].count = 1;
        continue;
      }
      const auto found = places_.list(copy, table);
      if (!found) return found.error();
      all[copy] = *found;
    }
    for (std::size_t i = 0; i < all[0].count; ++i) {
      for (std::size_t j = 0; j < all[1].count; ++j) {
        const std::uint64_t first = all[0].sector.data()[i];
        const std::uint64_t second = all[1].sector.data()[j];
        if (first == 0 || second == 0 || first == second) continue;
        const auto equal = are_equal(first, second);
        if (!equal) return equal.error();
        if (!*equal) continue;
        places.sector[0] = first;
        places.sector[1] = second;
        return no_failure;
      }
    }
    for (unsigned copy = 0; copy < 2; ++copy) {
      if (sure[copy]) continue;
      places.sector[copy] = all[copy].sector.data()[0];
      if (places.sector[copy] != 0 || !sure[1 - copy]) continue;
      for (std::size_t i = 1; i < all[copy].count && places.sector[copy] == 0; ++i) {
        const std::uint64_t sector = all[copy].sector.data()[i];
        // Below the overhead no grain can be.
        if (sector == 0 || sector + table_sectors > overhead_sectors_) continue;
        places.sector[copy] = sector;
        places.is_unwritten[copy] = true;
      }
    }
    return no_failure;
  }

  /// The place of a table without a copy: its own while that has an entry that is right, and else
  /// the one whose entries are right most often.
  [[nodiscard]] constexpr result<std::uint64_t> best_alone(std::uint64_t table) noexcept {
    const auto all = places_.list(0, table);
    if (!all) return all.error();
    std::uint64_t best = 0;
    std::int64_t best_score = 0;
    for (std::size_t i = 0; i < all->count; ++i) {
      const std::uint64_t sector = all->sector.data()[i];
      if (sector == 0) continue;
      const auto score = directory_.score_of(table, sector);
      if (!score) return score.error();
      if (i == 0 && score->has_good) return sector;
      const bool may_be_empty =
          i == 0 || (!format().may_lack_tables() && sector + table_sectors <= overhead_sectors_);
      const auto is_marked = i == 0 ? directory_.has_marker(sector) : result<bool>(false);
      if (!is_marked) return is_marked.error();
      // What stands behind a table's marker, and is no other table, is this one, whatever it says.
      const std::int64_t least = *is_marked     ? -std::int64_t{entries_per_table}
                                 : may_be_empty ? 0
                                                : 1;
      const std::int64_t now = score->good_less_bad;
      if (now < least || (best != 0 && now <= best_score)) continue;
      best = sector;
      best_score = now;
    }
    return best;
  }

  walk_type* walk_;
  directory_judge<File> directory_;
  place_search<File> places_;
  std::uint64_t overhead_sectors_;
  std::uint64_t budget_ = search_limit();
};

}  // namespace vmdk::detail
