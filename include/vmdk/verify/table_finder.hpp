// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/verify/entry_judge.hpp"
#include "vmdk/verify/marker_walk.hpp"
#include "vmdk/verify/table_formats.hpp"
#include "vmdk/verify/table_walk.hpp"

namespace vmdk::detail {

/// Where the copies of a table are.
struct table_places {
  std::uint64_t sector[2]{};  ///< 0: not found, or there is no such copy.
  bool is_unwritten[2]{};     ///< It belongs there, but what stands there is something else.
};

/// Tables whose places the stream itself tells.
struct table_hints {
  struct hint {
    std::uint64_t table = 0;
    std::uint64_t sector = 0;
  };
  std::array<hint, 64> kept{};
  std::size_t count = 0;
  bool is_full = false;

  constexpr void add(std::uint64_t table, std::uint64_t sector) noexcept {
    is_full = is_full || count == kept.size();
    if (!is_full) kept.data()[count++] = {table, sector};
  }
  [[nodiscard]] constexpr std::uint64_t find(std::uint64_t table) const noexcept {
    for (std::size_t i = 0; i < count; ++i) {
      if (kept.data()[i].table == table) return kept.data()[i].sector;
    }
    return 0;
  }
};

/// Finds the tables of a sparse extent whose directory may have wrong entries (SPEC 13.7).
///
/// An entry that continues its neighbours, or the directory itself, is right, as tables follow one
/// another in most images. Of another one's place the content tells, compared with the other copy
/// or, where there is none, judged entry by entry; so it tells of the places where the table would
/// be if it followed its neighbours.
template <class File>
class table_finder {
 public:
  using walk_type = table_walk<sparse_format, File>;

  constexpr table_finder(walk_type& walk, entry_judge<File>& judge, const table_hints& hints,
                         std::uint64_t overhead_sectors) noexcept
      : walk_(&walk), judge_(&judge), hints_(&hints), overhead_sectors_(overhead_sectors) {}

  [[nodiscard]] constexpr unsigned copies() const noexcept { return walk_->format().copies(); }

  /// Begins a walk over all tables.
  constexpr void begin() noexcept { budget_ = search_limit(); }

  /// Errors: the file's.
  [[nodiscard]] constexpr result<table_places> find(std::uint64_t table) noexcept {
    table_places places;
    bool sure[2]{};
    for (unsigned copy = 0; copy < copies(); ++copy) {
      const auto is_right = continues(copy, table);
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
  static constexpr std::size_t most_candidates = 7;
  /// How many entries that continue nothing are looked into in one walk over all tables: each costs
  /// some walks over the directory.
  [[nodiscard]] constexpr std::uint64_t search_limit() const noexcept {
    constexpr std::uint64_t most_searches = 1024;
    constexpr std::uint64_t most_entries = std::uint64_t{1} << 22;
    return smaller_of(most_searches, 1 + most_entries / (1 + format().table_count()));
  }
  struct candidates {
    std::array<std::uint64_t, most_candidates> sector{};  ///< The directory's own comes first.
    std::size_t count = 0;
  };

  [[nodiscard]] constexpr const sparse_format& format() const noexcept { return walk_->format(); }

  /// Where the table would be if all of them followed the directory.
  [[nodiscard]] constexpr std::uint64_t usual_sector(unsigned copy,
                                                     std::uint64_t table) const noexcept {
    return ((format().directory_at(copy) + format().directory_bytes()) >> sector_shift) +
           table * table_sectors;
  }

  /// A neighbour in the directory; 0 where there is none.
  [[nodiscard]] constexpr result<std::uint64_t> neighbour(unsigned copy, std::uint64_t table,
                                                          bool next) noexcept {
    if (next ? table + 1 >= format().table_count() : table == 0) return std::uint64_t{0};
    return walk_->directory_entry(copy, next ? table + 1 : table - 1);
  }

  [[nodiscard]] constexpr result<bool> continues(unsigned copy, std::uint64_t table) noexcept {
    const auto entry = walk_->directory_entry(copy, table);
    if (!entry) return entry.error();
    const std::uint64_t hint = copy == 0 ? hints_->find(table) : 0;
    if (hint != 0) return *entry == hint;
    // Streams whose tables are behind the grains leave tables out.
    if (*entry == 0) return format().may_lack_tables() && copies() == 1 && !is_in_front();
    if (!format().names_table(*entry)) return false;
    if (*entry == usual_sector(copy, table)) return true;
    const auto before = neighbour(copy, table, false);
    if (!before) return before.error();
    const auto after = neighbour(copy, table, true);
    if (!after) return after.error();
    const auto is_beside = [&](std::uint64_t other) {
      return other != 0 && (*entry == other + table_sectors || *entry + table_sectors == other);
    };
    if (is_beside(*before) || is_beside(*after)) return true;
    const auto is_marked = has_marker(*entry);
    if (!is_marked || !*is_marked) return is_marked;
    const auto score = score_of(table, *entry);
    if (!score) return score.error();
    return *score > 0;
  }

  [[nodiscard]] constexpr bool is_in_front() const noexcept {
    return format().directory_at(0) < overhead_sectors_ << sector_shift;
  }

  /// True for a table of a stream whose marker stands before it.
  [[nodiscard]] constexpr result<bool> has_marker(std::uint64_t sector) noexcept {
    if (!format().is_compressed() || is_in_front()) return false;
    marker_walk<File> stream(walk_->file(), format().extent().geometry(), sector - 1);
    const auto item = stream.next();
    if (!item) return item.error();
    return item->kind == marker_kind::table;
  }

  [[nodiscard]] constexpr result<candidates> list(unsigned copy, std::uint64_t table) noexcept {
    candidates found;
    const auto own = walk_->directory_entry(copy, table);
    if (!own) return own.error();
    const auto before = neighbour(copy, table, false);
    if (!before) return before.error();
    const auto after = neighbour(copy, table, true);
    if (!after) return after.error();
    const auto behind = [](std::uint64_t entry) { return entry == 0 ? 0 : entry + table_sectors; };
    const auto ahead = [](std::uint64_t entry) {
      return entry < table_sectors ? 0 : entry - table_sectors;
    };
    const std::uint64_t wanted[] = {*own,
                                    copy == 0 ? hints_->find(table) : 0,
                                    usual_sector(copy, table),
                                    behind(*before),
                                    ahead(*after),
                                    ahead(*before),
                                    behind(*after)};
    for (std::size_t i = 0; i < most_candidates; ++i) {
      const auto is_free = may_lie_at(copy, table, wanted[i], i == 0);
      if (!is_free) return is_free.error();
      // What the directory or the stream says is this table's claim; the others are guesses.
      const auto is_wanted =
          *is_free && i >= 2 ? is_wanted_by_others(copy, table, wanted[i]) : result<bool>(false);
      if (!is_wanted) return is_wanted.error();
      found.sector.data()[found.count++] = *is_free && !*is_wanted ? wanted[i] : 0;
    }
    return found;
  }

  /// True when a table can be here without sharing sectors with any other metadata. Directory
  /// entries that may be wrong themselves count where it is not `is_own`.
  [[nodiscard]] constexpr result<bool> may_lie_at(unsigned copy, std::uint64_t table,
                                                  std::uint64_t sector, bool is_own) noexcept {
    if (sector == 0 || sector >= sector_number_limit || !format().names_table(sector)) return false;
    const auto apart = [&](std::uint64_t first, std::uint64_t sectors) {
      return sector >= first + sectors || sector + table_sectors <= first;
    };
    for (unsigned other = 0; other < copies(); ++other) {
      if (!apart(format().directory_at(other) >> sector_shift,
                 format().directory_bytes() >> sector_shift)) {
        return false;
      }
      for (std::uint64_t i = 0; i < format().table_count(); ++i) {
        if (other == copy && i == table) continue;
        const auto entry = walk_->directory_entry(other, i);
        if (!entry) return entry.error();
        if (*entry == 0 || !format().names_table(*entry)) continue;
        if (apart(*entry, table_sectors)) continue;
        const auto is_right = is_own ? continues(other, i) : result<bool>(true);
        if (!is_right) return is_right.error();
        if (*is_right) return false;
      }
    }
    return true;
  }

  /// True when a place might as well be another lost table's, or part of it: that one usually lies
  /// there, or beside a neighbour.
  [[nodiscard]] constexpr result<bool> is_wanted_by_others(unsigned copy, std::uint64_t table,
                                                           std::uint64_t sector) noexcept {
    const auto is_there = [sector](std::uint64_t place) {
      return place < sector + table_sectors && sector < place + table_sectors;
    };
    const std::uint64_t count = format().table_count();
    for (unsigned other = 0; other < copies(); ++other) {
      bool is_beside_last = false;
      bool is_beside_this = false;
      for (std::uint64_t i = 0; i < count; ++i) {
        // What its own neighbours give is this one's before it is another's.
        const auto gives = [&](std::uint64_t at) -> result<bool> {
          if (at >= count || (other == copy && at + 1 >= table && at <= table + 1)) return false;
          const auto entry = walk_->directory_entry(other, at);
          if (!entry) return entry.error();
          return *entry != 0 &&
                 (is_there(*entry + table_sectors) || is_there(*entry - table_sectors));
        };
        const auto is_beside_next = gives(i + 1);
        if (!is_beside_next) return is_beside_next.error();
        if (i == 0) {
          const auto first = gives(0);
          if (!first) return first.error();
          is_beside_this = *first;
        }
        const bool is_guess = is_there(usual_sector(other, i)) || is_beside_last || *is_beside_next;
        is_beside_last = is_beside_this;
        is_beside_this = *is_beside_next;
        if (other == copy && i == table) continue;
        if (!is_guess) continue;
        const auto is_right = continues(other, i);
        if (!is_right) return is_right.error();
        if (!*is_right) return true;
      }
    }
    return false;
  }

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
    candidates all[2];
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
      const auto found = list(copy, table);
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
    const auto all = list(0, table);
    if (!all) return all.error();
    std::uint64_t best = 0;
    std::int64_t best_score = 0;
    for (std::size_t i = 0; i < all->count; ++i) {
      const std::uint64_t sector = all->sector.data()[i];
      if (sector == 0) continue;
      bool has_good = false;
      const auto score = score_of(table, sector, &has_good);
      if (!score) return score.error();
      if (i == 0 && has_good) return sector;
      const bool may_be_empty =
          i == 0 || (!format().may_lack_tables() && sector + table_sectors <= overhead_sectors_);
      const auto is_marked = i == 0 ? has_marker(sector) : result<bool>(false);
      if (!is_marked) return is_marked.error();
      // What stands behind a table's marker, and is no other table, is this one, whatever it says.
      const std::int64_t least = *is_marked     ? -std::int64_t{entries_per_table}
                                 : may_be_empty ? 0
                                                : 1;
      if (*score < least || (best != 0 && *score <= best_score)) continue;
      best = sector;
      best_score = *score;
    }
    return best;
  }

  /// How many entries of a table are good, less those that are bad.
  [[nodiscard]] constexpr result<std::int64_t> score_of(std::uint64_t table, std::uint64_t sector,
                                                        bool* has_good = nullptr) noexcept {
    std::int64_t score = 0;
    const failure f = walk_->each_entry(table, sector, [&](const table_entry& entry) -> failure {
      if (entry.grain >= format().grain_count()) return no_failure;
      const auto verdict = judge_->judge(entry.value, entry.grain);
      if (!verdict) return verdict.error();
      const bool is_good = *verdict == entry_verdict::good;
      score += is_good ? 1 : -1;
      if (has_good != nullptr) *has_good = *has_good || is_good;
      return no_failure;
    });
    if (f) return f;
    return score;
  }

  walk_type* walk_;
  entry_judge<File>* judge_;
  const table_hints* hints_;
  std::uint64_t overhead_sectors_;
  std::uint64_t budget_ = search_limit();
};

}  // namespace vmdk::detail
