// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/verify/entry_judge.hpp"
#include "vmdk/verify/marker_walk.hpp"
#include "vmdk/verify/table_formats.hpp"
#include "vmdk/verify/table_hints.hpp"
#include "vmdk/verify/table_walk.hpp"

namespace vmdk::detail {

/// What the entries at a place tell of whether a table is there.
struct table_score {
  std::int64_t good_less_bad = 0;  ///< How many are right, less those that are not.
  bool has_good = false;
};

/// Says whether a directory entry is right (SPEC 13.7). One that continues its neighbours, or the
/// directory itself, is, as tables follow one another in most images; so is one that names what the
/// stream tells. All errors are the file's.
template <class File>
class directory_judge {
 public:
  using walk_type = table_walk<sparse_format, File>;

  constexpr directory_judge(walk_type& walk, entry_judge<File>& judge, const table_hints& hints,
                            std::uint64_t overhead_sectors) noexcept
      : walk_(&walk), judge_(&judge), hints_(&hints), overhead_sectors_(overhead_sectors) {}

  [[nodiscard]] constexpr const sparse_format& format() const noexcept { return walk_->format(); }
  [[nodiscard]] constexpr walk_type& walk() const noexcept { return *walk_; }

  /// True for an entry that needs nothing else to be believed.
  [[nodiscard]] constexpr result<bool> is_right(unsigned copy, std::uint64_t table) const noexcept {
    const auto entry = walk_->directory_entry(copy, table);
    if (!entry) return entry.error();
    const std::uint64_t told = hint(copy, table);
    if (told != 0) return *entry == told;
    // Streams whose tables are behind the grains leave tables out.
    if (*entry == 0) return format().may_lack_tables() && format().copies() == 1 && !is_in_front();
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
    return score->good_less_bad > 0;
  }

  /// Where the stream has a table; 0 where it does not tell.
  [[nodiscard]] constexpr std::uint64_t hint(unsigned copy, std::uint64_t table) const noexcept {
    return copy == 0 ? hints_->find(table) : 0;
  }

  /// Where the table would be if all of them followed the directory.
  [[nodiscard]] constexpr std::uint64_t usual_sector(unsigned copy,
                                                     std::uint64_t table) const noexcept {
    return ((format().directory_at(copy) + format().directory_bytes()) >> sector_shift) +
           table * table_sectors;
  }

  /// A neighbour in the directory; 0 where there is none.
  [[nodiscard]] constexpr result<std::uint64_t> neighbour(unsigned copy, std::uint64_t table,
                                                          bool next) const noexcept {
    if (next ? table + 1 >= format().table_count() : table == 0) return std::uint64_t{0};
    return walk_->directory_entry(copy, next ? table + 1 : table - 1);
  }

  /// True for a table of a stream whose marker stands before it.
  [[nodiscard]] constexpr result<bool> has_marker(std::uint64_t sector) const noexcept {
    if (!format().is_compressed() || is_in_front()) return false;
    marker_walk<File> stream(walk_->file(), format().extent().geometry(), sector - 1);
    const auto item = stream.next();
    if (!item) return item.error();
    return item->kind == marker_kind::table;
  }

  /// Judges the entries at a sector as those of a table.
  [[nodiscard]] constexpr result<table_score> score_of(std::uint64_t table,
                                                       std::uint64_t sector) const noexcept {
    table_score score;
    const failure f = walk_->each_entry(table, sector, [&](const table_entry& entry) -> failure {
      if (entry.grain >= format().grain_count()) return no_failure;
      const auto verdict = judge_->judge(entry.value, entry.grain);
      if (!verdict) return verdict.error();
      const bool is_good = *verdict == entry_verdict::good;
      score.good_less_bad += is_good ? 1 : -1;
      score.has_good = score.has_good || is_good;
      return no_failure;
    });
    if (f) return f;
    return score;
  }

 private:
  [[nodiscard]] constexpr bool is_in_front() const noexcept {
    return format().directory_at(0) < overhead_sectors_ << sector_shift;
  }

  walk_type* walk_;
  entry_judge<File>* judge_;
  const table_hints* hints_;
  std::uint64_t overhead_sectors_;
};

}  // namespace vmdk::detail
