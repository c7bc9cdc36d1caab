// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/sparse_geometry.hpp"
#include "vmdk/verify/entry_judge.hpp"
#include "vmdk/verify/marker_walk.hpp"
#include "vmdk/verify/stream_view.hpp"
#include "vmdk/verify/table_walk.hpp"

namespace vmdk::detail {

/// Compares a stream with what its directory and the tables that this names say of it. All errors
/// are the file's.
template <class File>
class stream_tables {
 public:
  using walk_type = table_walk<sparse_format, File>;

  constexpr stream_tables(const stream_view<File>& stream, walk_type& walk) noexcept
      : stream_(&stream), walk_(&walk) {}

  /// How many grains the tables name where the stream has them.
  [[nodiscard]] constexpr result<std::uint64_t> matches() const noexcept {
    std::uint64_t count = 0;
    const auto facts = stream_->scan([&](const marker_item& item) -> failure {
      if (item.kind != marker_kind::grain || !stream_->is_place(item.lba)) return no_failure;
      const auto entry = plain_entry(item.lba >> geometry().grain_shift());
      if (!entry) return entry.error();
      count += *entry == item.sector;
      return no_failure;
    });
    if (!facts) return facts.error();
    return count;
  }

  /// True when a table entry names a sector.
  [[nodiscard]] constexpr result<bool> is_named(std::uint64_t sector) const noexcept {
    bool found = false;
    const failure f =
        walk_->each_table(repeated_tables{}, [&](std::uint64_t table, std::uint64_t place) {
          return walk_->each_entry(table, place, [&](const table_entry& entry) -> failure {
            found = found || (entry.value == sector && entry.grain < geometry().grain_count());
            return no_failure;
          });
        });
    if (f) return f;
    return found;
  }

  /// The lowest sector behind another where the tables, or the end of the stream, have a marker; 0
  /// where there is none. Behind sector 0 it is that of a grain.
  [[nodiscard]] constexpr result<std::uint64_t> lowest_behind(entry_judge<File>& judge,
                                                              std::uint64_t sector) const noexcept {
    std::uint64_t lowest = 0;
    const auto take = [&](std::uint64_t candidate) {
      if (candidate > sector && (lowest == 0 || candidate < lowest)) lowest = candidate;
    };
    if (sector != 0 && !stream_->is_in_front()) {
      take((walk_->format().directory_at(0) >> sector_shift) - 1);
      take(stream_->footer_sector());
    }
    const failure f =
        walk_->each_table(repeated_tables{}, [&](std::uint64_t table, std::uint64_t place) {
          if (sector != 0 && !stream_->is_in_front()) take(place - 1);
          return walk_->each_entry(table, place, [&](const table_entry& entry) -> failure {
            if (entry.grain >= geometry().grain_count()) return no_failure;
            if (entry.value <= sector || (lowest != 0 && entry.value >= lowest)) return no_failure;
            const auto verdict = judge.judge(entry.value, entry.grain);
            if (!verdict) return verdict.error();
            if (*verdict == entry_verdict::good) take(entry.value);
            return no_failure;
          });
        });
    if (f) return f;
    return lowest;
  }

 private:
  [[nodiscard]] constexpr const sparse_geometry& geometry() const noexcept {
    return stream_->geometry();
  }

  /// A table entry as the directory leads to it; 0 where it leads nowhere.
  [[nodiscard]] constexpr result<std::uint64_t> plain_entry(std::uint64_t grain) const noexcept {
    const auto table = walk_->directory_entry(0, grain >> sparse_format::table_shift);
    if (!table) return table.error();
    if (!walk_->format().names_table(*table)) return std::uint64_t{0};
    return walk_->entry_of_table(0, *table, grain & (entries_per_table - 1));
  }

  const stream_view<File>* stream_;
  walk_type* walk_;
};

}  // namespace vmdk::detail
