// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstdint>

#include "vmdk/core/bytes.hpp"
#include "vmdk/core/endian.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/sparse_header.hpp"
#include "vmdk/verify/entry_pair.hpp"
#include "vmdk/verify/table_finder.hpp"
#include "vmdk/verify/table_walk.hpp"

namespace vmdk::detail {

/// Reads both copies of an extent's tables side by side, each where the finder found it.
template <class File>
class pair_walk {
 public:
  using walk_type = table_walk<sparse_format, File>;

  constexpr pair_walk(walk_type& walk, table_finder<File>& finder) noexcept
      : walk_(&walk), finder_(&finder) {}

  [[nodiscard]] constexpr const sparse_format& format() const noexcept { return walk_->format(); }
  [[nodiscard]] constexpr walk_type& tables() const noexcept { return *walk_; }

  /// Gives each table to `visit(table, const table_places&) -> failure`. No more tables than can
  /// lie in the file side by side: where there are more, they overlap. Errors: those of the file
  /// and of `visit`.
  template <class Visit>
  constexpr failure each_table(Visit&& visit) noexcept {
    const std::uint64_t most = (format().file_bytes() >> sector_shift) / table_sectors + 1;
    const std::uint64_t count = format().table_count();
    finder_->begin();
    for (std::uint64_t table = 0, seen = 0; table < count && seen < most; ++table) {
      const auto places = finder_->find(table);
      if (!places) return places.error();
      if (places->sector[0] != 0 || places->sector[1] != 0) ++seen;
      if (failure f = visit(table, *places)) return f;
    }
    return no_failure;
  }

  /// Gives each entry that is not 0 in all copies to `visit(const entry_pair&) -> failure`, also
  /// those of the tail. Who visits may walk as well. Errors: those of the file and of `visit`.
  template <class Visit>
  constexpr failure each_pair(Visit&& visit) noexcept {
    return each_table([&](std::uint64_t table, const table_places& places) -> failure {
      // Held here: a walk inside this one reads other sectors.
      std::array<sector_image, 2> held{};
      for (std::uint64_t n = 0; n < table_sectors; ++n) {
        bool is_held[2]{};
        bool is_empty = true;
        for (unsigned copy = 0; copy < format().copies(); ++copy) {
          if (places.sector[copy] == 0 || places.is_unwritten[copy]) continue;
          const auto found = walk_->sector_of_table(copy, places.sector[copy], n);
          if (!found) return found.error();
          is_held[copy] = true;
          is_empty = is_empty && is_zero(*found, sector_bytes);
          copy_bytes(held.data()[copy].data(), *found, sector_bytes);
        }
        if (is_empty) continue;
        for (std::uint32_t i = 0; i < walk_type::entries_per_sector; ++i) {
          entry_pair pair;
          pair.grain =
              (table << sparse_format::table_shift) + n * walk_type::entries_per_sector + i;
          for (unsigned copy = 0; copy < 2; ++copy) {
            if (!is_held[copy]) continue;
            const std::uint64_t offset = i * sizeof(std::uint32_t);
            pair.at[copy] = ((places.sector[copy] + n) << sector_shift) + offset;
            pair.value[copy] = load_le<std::uint32_t>(held.data()[copy].data() + offset);
          }
          if (pair.value[0] == 0 && pair.value[1] == 0) continue;
          if (failure f = visit(pair)) return f;
        }
      }
      return no_failure;
    });
  }

  /// One entry. Errors: the file's.
  [[nodiscard]] constexpr result<entry_pair> entry_of(std::uint64_t grain) noexcept {
    const std::uint64_t table = grain >> sparse_format::table_shift;
    const std::uint64_t index = grain & (entries_per_table - 1);
    if (!has_places_ || table != places_table_) {
      const auto places = finder_->find(table);
      if (!places) return places.error();
      places_ = *places;
      places_table_ = table;
      has_places_ = true;
    }
    entry_pair pair;
    pair.grain = grain;
    for (unsigned copy = 0; copy < format().copies(); ++copy) {
      if (places_.sector[copy] == 0 || places_.is_unwritten[copy]) continue;
      const auto value = walk_->entry_of_table(copy, places_.sector[copy], index);
      if (!value) return value.error();
      pair.at[copy] = (places_.sector[copy] << sector_shift) + index * sizeof(std::uint32_t);
      pair.value[copy] = static_cast<std::uint32_t>(*value);
    }
    return pair;
  }

 private:
  walk_type* walk_;
  table_finder<File>* finder_;
  // The table that entry_of looked for last.
  table_places places_{};
  std::uint64_t places_table_ = 0;
  bool has_places_ = false;
};

}  // namespace vmdk::detail
