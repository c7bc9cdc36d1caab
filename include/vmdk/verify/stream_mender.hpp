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
#include "vmdk/format/sparse_header_check.hpp"
#include "vmdk/verify/entry_judge.hpp"
#include "vmdk/verify/marker_walk.hpp"
#include "vmdk/verify/repair_step.hpp"
#include "vmdk/verify/stream_scan.hpp"
#include "vmdk/verify/table_finder.hpp"
#include "vmdk/verify/table_mender.hpp"

namespace vmdk::detail {

/// What a stream tells about its own tables.
template <class Target>
class stream_mender {
 public:
  using walk_type = table_walk<sparse_format, Target>;

  /// `has_footer`: the last three sectors are a footer with its markers.
  constexpr stream_mender(Target& target, const sparse_extent_header& header, bool is_in_front,
                          bool has_footer) noexcept
      : target_(&target),
        header_(header),
        geometry_(header.capacity, header.grain_size),
        is_in_front_(is_in_front),
        has_footer_(has_footer) {}

  [[nodiscard]] constexpr const stream_facts& facts() const noexcept { return facts_; }
  [[nodiscard]] constexpr const marker_gaps& gaps() const noexcept { return gaps_; }
  [[nodiscard]] constexpr const table_hints& hints() const noexcept { return hints_; }

  /// Walks over the whole stream. Where something is no marker, the tables tell what should be
  /// there and where the next one is; `walk` is null while no directory is known. Errors: the
  /// file's.
  constexpr failure look(walk_type* walk, entry_judge<Target>& judge) noexcept {
    gaps_.count = 0;
    while (true) {
      const auto facts = scan([](const marker_item&) { return no_failure; });
      if (!facts) return facts.error();
      facts_ = *facts;
      if (walk == nullptr) return no_failure;
      const auto gap = find_gap(*walk, judge);
      if (!gap) return gap.error();
      if (gap->next_sector <= gap->sector || gaps_.is_full()) break;
      gaps_.add(*gap);
    }
    return collect_hints(*walk);
  }

  /// Calls `visit(const marker_item&) -> failure` for each whole grain and each table.
  template <class Visit>
  [[nodiscard]] constexpr result<stream_facts> scan(Visit&& visit) noexcept {
    const stream_end end{.passes_zeros = is_in_front_,
                         .last_sector = has_footer_ ? footer_sector() + 2 : 0};
    return scan_stream(*target_, geometry_, header_.over_head, end, gaps_, visit);
  }

  /// How many grains the tables name where the stream has them. Errors: the file's.
  [[nodiscard]] constexpr result<std::uint64_t> matches(walk_type& walk) noexcept {
    std::uint64_t count = 0;
    const auto facts = scan([&](const marker_item& item) -> failure {
      if (item.kind != marker_kind::grain || !is_place(item.lba)) return no_failure;
      const auto entry = plain_entry(walk, item.lba >> geometry_.grain_shift());
      if (!entry) return entry.error();
      count += *entry == item.sector;
      return no_failure;
    });
    if (!facts) return facts.error();
    return count;
  }

  /// The lowest sector of a grain that the tables have right; 0 where there is none. Errors: the
  /// file's.
  [[nodiscard]] constexpr result<std::uint64_t> lowest_grain(walk_type& walk,
                                                             entry_judge<Target>& judge) noexcept {
    return lowest_behind(walk, judge, 0);
  }

  /// True when a table entry names a sector. Errors: the file's.
  [[nodiscard]] constexpr result<bool> is_named(walk_type& walk, std::uint64_t sector) noexcept {
    bool found = false;
    const failure f =
        walk.each_table(repeated_tables{}, [&](std::uint64_t table, std::uint64_t place) {
          return walk.each_entry(table, place, [&](const table_entry& entry) -> failure {
            found = found || (entry.value == sector && entry.grain < geometry_.grain_count());
            return no_failure;
          });
        });
    if (f) return f;
    return found;
  }

  /// Sets directory entries behind the last table to 0 that name none: some writers' directories
  /// go on, with tables of their own. Errors: the file's.
  constexpr failure mend_directory_tail(walk_type& walk) noexcept {
    const std::uint64_t entries = walk.format().directory_bytes() >> sparse_format::entry_shift;
    for (std::uint64_t table = geometry_.table_count(); table < entries; ++table) {
      const auto entry = walk.directory_entry(0, table);
      if (!entry) return entry.error();
      if (*entry == 0) continue;
      marker_walk<Target> stream(*target_, geometry_, *entry - 1);
      const auto item = stream.next();
      if (!item) return item.error();
      if (item->kind == marker_kind::table) continue;
      const repair_step step{.kind = repair_kind::directory_entry_restored,
                             .offset = walk.directory_entry_at(0, table),
                             .table = table,
                             .before = *entry,
                             .after = 0};
      if (failure f = target_->change_value(step, std::uint32_t{0})) return f;
    }
    return no_failure;
  }

  /// Settles disputes by the stream: a grain is where its marker is. `is_first`: entries of 0 whose
  /// grain is there are set too. Errors: the file's.
  constexpr failure settle(table_mender<Target>& tables, bool is_first) noexcept {
    dispute_list& list = tables.disputes();
    list.sort_values();
    const auto facts = scan([&](const marker_item& item) -> failure {
      if (item.kind != marker_kind::grain) return no_failure;
      const std::uint64_t grain = item.lba >> geometry_.grain_shift();
      const auto own = is_place(item.lba) ? tables.entry_of(grain) : result<dispute>(dispute{});
      if (!own) return own.error();
      const bool is_named = own->value[0] == item.sector || own->value[1] == item.sector;
      bool is_wanted = false;
      list.each_value(item.sector, item.sector + 1, [&](std::size_t i, unsigned) {
        dispute d = list.get(i);
        if (is_place(item.lba) && d.grain == grain) return;
        // Another entry names this marker, which says something else of itself.
        is_wanted = true;
        d.is_marker = !is_named;
        list.set(i, d);
      });
      if (!is_place(item.lba) || is_named) return no_failure;
      if (const std::size_t i = list.find_grain(grain); i < list.size()) {
        dispute d = list.get(i);
        if (d.found == 0) d.found = static_cast<std::uint32_t>(item.sector);
        list.set(i, d);
        return no_failure;
      }
      const bool is_unnamed = own->at[0] != 0 && own->value[0] == 0 && own->value[1] == 0;
      if (!is_first || is_wanted || !is_unnamed) return no_failure;
      return tables.put(*own, static_cast<std::uint32_t>(item.sector), repair_kind::entry_restored);
    });
    if (!facts) return facts.error();
    bool is_known = facts->is_complete();
    for (std::size_t i = 0; i < gaps_.count; ++i) {
      is_known = is_known && gaps_.kept.data()[i].wanted != marker_kind::nothing;
    }
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (failure f = settle_one(tables, list.get(i), is_known)) return f;
    }
    list.clear();
    return no_failure;
  }

  /// Writes the markers that were not what they should be. Errors: the file's.
  constexpr failure mend_markers() noexcept {
    for (std::size_t i = 0; i < gaps_.count; ++i) {
      const marker_gap& gap = gaps_.kept.data()[i];
      const std::uint64_t offset = gap.sector << sector_shift;
      sector_image marker{};
      switch (gap.wanted) {
        case marker_kind::table:
          encode_marker(marker_type::grain_table, table_sectors, marker.data());
          break;
        case marker_kind::directory:
          encode_marker(marker_type::grain_directory, geometry_.directory_sectors(), marker.data());
          break;
        case marker_kind::footer:
          encode_marker(marker_type::footer, 1, marker.data());
          break;
        default:
          target_->tell({.kind = repair_kind::grain_left, .offset = offset});
          continue;
      }
      const repair_step step{.kind = repair_kind::marker_restored, .offset = offset};
      if (failure f = target_->change(step, marker)) return f;
    }
    if (!has_footer_) return no_failure;
    sector_image last{};
    const std::uint64_t end_at = target_->size() - sector_bytes;
    if (failure f = target_->read_at(end_at, last)) return f;
    if (is_zero(last.data(), last.size())) return no_failure;
    const repair_step step{.kind = repair_kind::marker_restored, .offset = end_at};
    return target_->change(step, sector_image{});
  }

 private:
  /// True for the first sector of a grain of the disk.
  [[nodiscard]] constexpr bool is_place(std::uint64_t lba) const noexcept {
    return (lba & (geometry_.grain_sectors() - 1)) == 0 && lba < geometry_.capacity_sectors();
  }

  [[nodiscard]] constexpr std::uint64_t footer_sector() const noexcept {
    return has_footer_ ? (target_->size() - stream_tail_bytes) >> sector_shift : 0;
  }

  /// A table entry as the directory leads to it; 0 where it leads nowhere.
  [[nodiscard]] static constexpr result<std::uint64_t> plain_entry(walk_type& walk,
                                                                   std::uint64_t grain) noexcept {
    const std::uint64_t index = grain & (entries_per_table - 1);
    const auto table = walk.directory_entry(0, grain >> sparse_format::table_shift);
    if (!table) return table.error();
    if (*table == 0 || !walk.format().names_table(*table)) return std::uint64_t{0};
    const auto bytes = walk.sector_of_table(0, *table, index >> 7);
    if (!bytes) return bytes.error();
    return std::uint64_t{load_le<std::uint32_t>(*bytes + (index & 127) * sizeof(std::uint32_t))};
  }

  /// The next sector of the walk that should hold another marker than it does. A gap of no length
  /// when there is none, or nobody knows where the next marker is.
  [[nodiscard]] constexpr result<marker_gap> find_gap(walk_type& walk,
                                                      entry_judge<Target>& judge) noexcept {
    marker_gap gap;
    // What is behind a sector that should have been another is not to be trusted.
    bool is_found = false;
    marker_item odd{.sector = facts_.stopped_at};
    const auto expect = [&](const marker_item& item) -> failure {
      if (is_found) return no_failure;
      const auto told = metadata_at(walk, item);
      if (!told) return told.error();
      if (told->next_sector == 0) return no_failure;
      is_found = true;
      gap = *told;
      return no_failure;
    };
    marker_walk<Target> stream(*target_, geometry_, header_.over_head);
    while (!is_in_front_ && !is_found) {
      const auto item = stream.next();
      if (!item) return item.error();
      if (const marker_gap* const known = gaps_.find(item->sector)) {
        stream.go_to(known->next_sector);
        continue;
      }
      if (failure f = expect(*item)) return f;
      if (item->sector >= facts_.stopped_at || item->sectors == 0) break;
    }
    if (is_found || facts_.is_complete()) return gap;
    gap = marker_gap{.sector = odd.sector, .next_sector = odd.sector};
    const auto next = lowest_behind(walk, judge, odd.sector);
    if (!next) return next.error();
    if (*next != 0) gap.next_sector = *next;
    return gap;
  }

  /// What footer, directory and header say of a sector, where it holds something else; a gap with
  /// next_sector 0 where it does not.
  [[nodiscard]] constexpr result<marker_gap> metadata_at(walk_type& walk,
                                                         const marker_item& item) noexcept {
    const std::uint64_t directory = walk.format().directory_at(0) >> sector_shift;
    const auto should_be = [&](marker_kind wanted, std::uint64_t next_sector) {
      return item.kind == wanted
                 ? marker_gap{}
                 : marker_gap{.sector = item.sector, .next_sector = next_sector, .wanted = wanted};
    };
    if (has_footer_ && item.sector == footer_sector()) {
      return should_be(marker_kind::footer, item.sector + 2);
    }
    if (item.sector + 1 == directory) {
      return should_be(marker_kind::directory, directory + geometry_.directory_sectors());
    }
    const bool is_sure =
        item.kind == marker_kind::table || (item.kind == marker_kind::grain && is_place(item.lba));
    for (std::uint64_t table = 0; !is_sure && table < geometry_.table_count(); ++table) {
      const auto entry = walk.directory_entry(0, table);
      if (!entry) return entry.error();
      if (*entry == item.sector + 1) {
        return should_be(marker_kind::table, *entry + table_sectors);
      }
    }
    return marker_gap{};
  }

  /// The lowest sector behind another where the tables, or the end of the stream, have a marker.
  [[nodiscard]] constexpr result<std::uint64_t> lowest_behind(walk_type& walk,
                                                              entry_judge<Target>& judge,
                                                              std::uint64_t sector) noexcept {
    std::uint64_t lowest = 0;
    const auto take = [&](std::uint64_t candidate) {
      if (candidate > sector && (lowest == 0 || candidate < lowest)) lowest = candidate;
    };
    if (sector != 0 && !is_in_front_) {
      take((walk.format().directory_at(0) >> sector_shift) - 1);
      take(footer_sector());
    }
    const failure f =
        walk.each_table(repeated_tables{}, [&](std::uint64_t table, std::uint64_t place) {
          if (sector != 0 && !is_in_front_) take(place - 1);
          return walk.each_entry(table, place, [&](const table_entry& entry) -> failure {
            if (entry.grain >= geometry_.grain_count()) return no_failure;
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

  /// Finds tables of the stream that the directory does not name.
  constexpr failure collect_hints(walk_type& walk) noexcept {
    if (is_in_front_) return no_failure;
    std::uint64_t table = 0;
    bool has_grain = false;
    const auto facts = scan([&](const marker_item& item) -> failure {
      if (item.kind == marker_kind::grain) {
        if (!is_place(item.lba)) return no_failure;
        // The marker of a single grain may be wrong: the table is asked as well.
        table = item.lba >> geometry_.grain_shift() >> sparse_format::table_shift;
        has_grain = true;
        return no_failure;
      }
      const auto told = table_at(walk, item.sector + 1, table, has_grain);
      if (!told) return told.error();
      has_grain = false;
      if (*told >= geometry_.table_count()) return no_failure;
      const auto entry = walk.directory_entry(0, *told);
      if (!entry) return entry.error();
      if (*entry != item.sector + 1) hints_.add(*told, item.sector + 1);
      return no_failure;
    });
    return facts.error();
  }

  /// Which table stands at a sector: most entries' grains tell; of one without, those before it.
  [[nodiscard]] constexpr result<std::uint64_t> table_at(walk_type& walk, std::uint64_t sector,
                                                         std::uint64_t guess,
                                                         bool has_guess) noexcept {
    constexpr std::uint64_t none = 0xFFFFFFFFFFFFFFFF;
    std::uint64_t told = none;
    unsigned votes = 0;
    unsigned asked = 0;
    const failure f = walk.each_entry(0, sector, [&](const table_entry& entry) -> failure {
      if (asked == 8) return no_failure;
      ++asked;
      std::array<std::byte, grain_marker_bytes> marker{};
      const std::uint64_t offset = entry.value << sector_shift;
      if (!fits_inside(offset, marker.size(), target_->size())) return no_failure;
      if (failure why = target_->read_at(offset, marker)) return why;
      const auto lba = load_le<std::uint64_t>(marker.data());
      const std::uint64_t grain = lba >> geometry_.grain_shift();
      if (!is_place(lba) || (grain & (entries_per_table - 1)) != entry.index) return no_failure;
      const std::uint64_t table = grain >> sparse_format::table_shift;
      if (votes == 0) told = table;
      if (told == table) {
        ++votes;
      } else {
        --votes;
      }
      return no_failure;
    });
    if (f) return f;
    if (votes != 0) return told;
    return has_guess ? guess : none;
  }

  constexpr failure settle_one(table_mender<Target>& tables, const dispute& d,
                               bool is_known) noexcept {
    if (d.found != 0) return tables.put(d, d.found, repair_kind::entry_restored);
    if (d.is_marker) {
      const bool is_pair = d.at[0] != 0 && d.at[1] != 0;
      if (is_pair && d.value[0] != d.value[1]) return tables.leave(d);
      // The grain is there, and no other marker has its place: its own marker is wrong.
      const unsigned copy = d.at[0] != 0 ? 0 : 1;
      const std::uint64_t lba = d.grain << geometry_.grain_shift();
      const repair_step step{.kind = repair_kind::marker_restored,
                             .offset = std::uint64_t{d.value[copy]} << sector_shift};
      return target_->change_value(step, lba);
    }
    if (is_known) return tables.put(d, 0, repair_kind::entry_dropped);
    return tables.leave(d);
  }

  Target* target_;
  sparse_extent_header header_;
  sparse_geometry geometry_;
  bool is_in_front_;
  bool has_footer_;
  stream_facts facts_{};
  marker_gaps gaps_{};
  table_hints hints_{};
};

}  // namespace vmdk::detail
