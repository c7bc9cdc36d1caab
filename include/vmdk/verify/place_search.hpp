// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/verify/directory_judge.hpp"
#include "vmdk/verify/table_formats.hpp"

namespace vmdk::detail {

/// True where a table can be that shares no sector with the header, the descriptor or a directory.
[[nodiscard]] constexpr bool may_hold_table(const sparse_format& format,
                                            std::uint64_t sector) noexcept {
  if (!format.names_table(sector)) return false;
  if (format.copies() == 1) return true;
  const std::uint64_t copy = format.directory_at(1) >> sector_shift;
  return sector >= copy + (format.directory_bytes() >> sector_shift) ||
         sector + table_sectors <= copy;
}

/// Where a copy of a table may be; 0 for a place where it cannot.
struct place_candidates {
  std::array<std::uint64_t, 7> sector{};  ///< The directory's own comes first.
  std::size_t count = 0;
};

/// Collects the places where a table may be whose directory entry may be wrong (SPEC 13.7): what it
/// names, what the stream tells, and where the table would be if it followed its neighbours. All
/// errors are the file's.
template <class File>
class place_search {
 public:
  constexpr explicit place_search(const directory_judge<File>& directory) noexcept
      : directory_(directory) {}

  /// Lists the places for one copy of a table that no other metadata has, nor might have as well.
  [[nodiscard]] constexpr result<place_candidates> list(unsigned copy,
                                                        std::uint64_t table) const noexcept {
    place_candidates found;
    const auto own = walk().directory_entry(copy, table);
    if (!own) return own.error();
    const auto before = directory_.neighbour(copy, table, false);
    if (!before) return before.error();
    const auto after = directory_.neighbour(copy, table, true);
    if (!after) return after.error();
    const auto behind = [](std::uint64_t entry) { return entry == 0 ? 0 : entry + table_sectors; };
    const auto ahead = [](std::uint64_t entry) {
      return entry < table_sectors ? 0 : entry - table_sectors;
    };
    const std::uint64_t wanted[] = {*own,
                                    directory_.hint(copy, table),
                                    directory_.usual_sector(copy, table),
                                    behind(*before),
                                    ahead(*after),
                                    ahead(*before),
                                    behind(*after)};
    for (std::size_t i = 0; i < found.sector.size(); ++i) {
      const auto is_free = may_lie_at(copy, table, wanted[i], i == 0);
      if (!is_free) return is_free.error();
      // What the directory or the stream says is this table's claim; the others are guesses.
      const bool is_guess = *is_free && i >= 2;
      const auto is_wanted =
          is_guess ? is_wanted_by_others(copy, table, wanted[i]) : result<bool>(false);
      if (!is_wanted) return is_wanted.error();
      const bool is_place = *is_free && !*is_wanted;
      found.sector.data()[found.count++] = is_place ? wanted[i] : 0;
    }
    return found;
  }

 private:
  [[nodiscard]] constexpr const sparse_format& format() const noexcept {
    return directory_.format();
  }
  /// True for two tables that are not apart.
  [[nodiscard]] static constexpr bool share_sectors(std::uint64_t first,
                                                    std::uint64_t second) noexcept {
    return first < second + table_sectors && second < first + table_sectors;
  }
  [[nodiscard]] constexpr auto& walk() const noexcept { return directory_.walk(); }

  /// True when a table can be here without sharing sectors with any other metadata. Directory
  /// entries that may be wrong themselves count where it is not `is_own`.
  [[nodiscard]] constexpr result<bool> may_lie_at(unsigned copy, std::uint64_t table,
                                                  std::uint64_t sector,
                                                  bool is_own) const noexcept {
    if (sector >= sector_number_limit || !may_hold_table(format(), sector)) return false;
    for (unsigned other = 0; other < format().copies(); ++other) {
      for (std::uint64_t i = 0; i < format().table_count(); ++i) {
        if (other == copy && i == table) continue;
        const auto entry = walk().directory_entry(other, i);
        if (!entry) return entry.error();
        if (!format().names_table(*entry) || !share_sectors(*entry, sector)) continue;
        const auto is_right = is_own ? directory_.is_right(other, i) : result<bool>(true);
        if (!is_right) return is_right.error();
        if (*is_right) return false;
      }
    }
    return true;
  }

  /// True when a place might as well be another lost table's, or part of it: that one usually lies
  /// there, or beside a neighbour.
  [[nodiscard]] constexpr result<bool> is_wanted_by_others(unsigned copy, std::uint64_t table,
                                                           std::uint64_t sector) const noexcept {
    const auto is_there = [sector](std::uint64_t place) { return share_sectors(place, sector); };
    const std::uint64_t count = format().table_count();
    for (unsigned other = 0; other < format().copies(); ++other) {
      bool is_beside_last = false;
      bool is_beside_this = false;
      for (std::uint64_t i = 0; i < count; ++i) {
        // What its own neighbours give is this one's before it is another's.
        const auto gives = [&](std::uint64_t at) -> result<bool> {
          if (at >= count || (other == copy && at + 1 >= table && at <= table + 1)) return false;
          const auto entry = walk().directory_entry(other, at);
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
        const bool is_guess =
            is_there(directory_.usual_sector(other, i)) || is_beside_last || *is_beside_next;
        is_beside_last = is_beside_this;
        is_beside_this = *is_beside_next;
        if (other == copy && i == table) continue;
        if (!is_guess) continue;
        const auto is_right = directory_.is_right(other, i);
        if (!is_right) return is_right.error();
        if (!*is_right) return true;
      }
    }
    return false;
  }

  directory_judge<File> directory_;
};

}  // namespace vmdk::detail
