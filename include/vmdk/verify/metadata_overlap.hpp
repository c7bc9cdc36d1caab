// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/bytes.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/verify/dispute_list.hpp"
#include "vmdk/verify/pair_walk.hpp"
#include "vmdk/verify/place_search.hpp"

namespace vmdk::detail {

/// Looks for metadata that shares sectors: what is written to one table would be read from the
/// other (SPEC 13.7).
template <class File>
class metadata_overlap {
 public:
  /// The memory is the caller's, for at least one dispute; less of it means more walks.
  constexpr metadata_overlap(pair_walk<File>& pairs, byte_span memory) noexcept
      : pairs_(&pairs), places_(memory) {}

  /// A sector of a table that shares it with another table, a directory, the descriptor or the
  /// header; 0 where none does. Errors: the file's.
  [[nodiscard]] constexpr result<std::uint64_t> find() noexcept {
    bool is_whole = true;  // All tables are in the list.
    const failure f =
        pairs_->each_table([&](std::uint64_t table, const table_places& places) -> failure {
          const auto d = sectors_of(table, places);
          if (!d) return d.error();
          for (const std::uint32_t sector : d->value) {
            if (sector != 0 && !may_hold_table(format(), sector)) take(sector);
          }
          if (d->value[0] == 0 && d->value[1] == 0) return no_failure;
          if (places_.is_full()) {
            is_whole = false;
            if (failure why = compare_all()) return why;
            places_.clear();
          }
          places_.add(*d);
          return no_failure;
        });
    if (f) return f;
    if (!is_whole) {
      if (failure why = compare_all()) return why;
    } else {
      places_.sort_values();
      for (std::size_t i = 0; i < places_.size(); ++i) compare(places_.get(i));
    }
    return found_;
  }

 private:
  [[nodiscard]] constexpr const sparse_format& format() const noexcept { return pairs_->format(); }

  /// The first one that is found counts.
  constexpr void take(std::uint64_t sector) noexcept { found_ = found_ == 0 ? sector : found_; }

  /// A table as if its copies' sectors were disputed: those that the directories are going to name,
  /// also where they are not sure of them; each of them once, and else 0. Errors: the file's.
  [[nodiscard]] constexpr result<dispute> sectors_of(std::uint64_t table,
                                                     const table_places& places) noexcept {
    dispute d;
    d.grain = table;
    for (unsigned copy = 0; copy < format().copies(); ++copy) {
      d.value[copy] = static_cast<std::uint32_t>(places.sector[copy]);
      if (d.value[copy] != 0) continue;
      const auto entry = pairs_->tables().directory_entry(copy, table);
      if (!entry) return entry.error();
      if (format().names_table(*entry)) d.value[copy] = static_cast<std::uint32_t>(*entry);
    }
    if (d.value[0] == d.value[1]) d.value[1] = 0;
    return d;
  }

  /// Takes the sectors of a table that it shares with another one in the list.
  constexpr void compare(const dispute& d) noexcept {
    for (unsigned copy = 0; copy < 2; ++copy) {
      const std::uint64_t sector = d.value[copy];
      if (sector == 0) continue;
      const std::uint64_t first = sector < table_sectors ? 1 : sector - table_sectors + 1;
      places_.each_value(first, sector + table_sectors, [&](std::size_t i, unsigned other) {
        if (places_.get(i).grain != d.grain || other != copy) take(sector);
      });
    }
  }

  /// Compares all tables with those in the list. Errors: the file's.
  constexpr failure compare_all() noexcept {
    places_.sort_values();
    return pairs_->each_table([&](std::uint64_t table, const table_places& places) -> failure {
      const auto d = sectors_of(table, places);
      if (!d) return d.error();
      compare(*d);
      return no_failure;
    });
  }

  pair_walk<File>* pairs_;
  dispute_list places_;
  std::uint64_t found_ = 0;
};

/// Errors: errc::table_overlap at the place of a table that shares sectors; the file's.
template <class File>
constexpr failure refuse_overlap(pair_walk<File>& pairs, byte_span memory) noexcept {
  const auto sector = metadata_overlap<File>(pairs, memory).find();
  if (!sector) return sector.error();
  if (*sector == 0) return no_failure;
  return image_failure(errc::table_overlap, *sector << sector_shift);
}

}  // namespace vmdk::detail
