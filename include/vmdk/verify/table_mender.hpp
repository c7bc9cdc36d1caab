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
#include "vmdk/verify/dispute_list.hpp"
#include "vmdk/verify/entry_judge.hpp"
#include "vmdk/verify/repair_step.hpp"
#include "vmdk/verify/table_finder.hpp"
#include "vmdk/verify/table_walk.hpp"

namespace vmdk::detail {

/// What the entries say on which all copies agree.
struct table_survey {
  std::uint64_t metadata_end_sector = 0;
  std::uint64_t lowest_grain_sector = 0xFFFFFFFFFFFFFFFF;  ///< Behind the metadata.
  std::uint64_t grains = 0;          ///< Entries that name a place in the file.
  std::uint64_t below_overhead = 0;  ///< Those of them that the overhead says cannot be.
  std::uint64_t ones = 0;            ///< Entries of 1.
  bool do_overlap = false;           ///< Two that follow each other in a table share sectors.
};

/// Mends directory and tables of an extent from what they and their copies say (SPEC 13.7).
template <class Target>
class table_mender {
 public:
  using walk_type = table_walk<sparse_format, Target>;

  constexpr table_mender(Target& target, walk_type& walk, table_finder<Target>& finder,
                         entry_judge<Target>& judge, byte_span memory) noexcept
      : target_(&target), walk_(&walk), finder_(&finder), judge_(&judge), disputes_(memory) {}

  [[nodiscard]] constexpr dispute_list& disputes() noexcept { return disputes_; }

  /// Looks at all entries on which the copies agree. Errors: the file's.
  [[nodiscard]] constexpr result<table_survey> survey(std::uint64_t overhead_sectors) noexcept {
    table_survey found;
    const auto reaches = [&](std::uint64_t sector) {
      found.metadata_end_sector = larger_of(found.metadata_end_sector, sector);
    };
    for (unsigned copy = 0; copy < finder_->copies(); ++copy) {
      reaches((format().directory_at(copy) + format().directory_bytes()) >> sector_shift);
    }
    const auto& extent = format().extent();
    reaches((extent.descriptor_offset_bytes() + extent.descriptor_bytes()) >> sector_shift);
    failure f = each_table([&](std::uint64_t, const table_places& places) {
      for (const std::uint64_t sector : places.sector) {
        if (sector != 0) reaches(sector + table_sectors);
      }
      return no_failure;
    });
    if (f) return f;
    std::uint64_t last = 0;
    f = each_pair([&](const pair& at) -> failure {
      if (!at.agrees() || at.grain >= format().grain_count()) return no_failure;
      const std::uint64_t value = at.value[at.one_copy()];
      if (value == 1) ++found.ones;
      if (value <= 1 || value >= target_->size() >> sector_shift) return no_failure;
      if (value < found.metadata_end_sector && value < overhead_sectors) return no_failure;
      ++found.grains;
      if (value < overhead_sectors) ++found.below_overhead;
      const std::uint64_t each = judge_->is_compressed() ? 1 : judge_->geometry().grain_sectors();
      if (last != 0 && value < last + each && last < value + each) found.do_overlap = true;
      last = value;
      found.lowest_grain_sector = smaller_of(found.lowest_grain_sector, value);
      return no_failure;
    });
    if (f) return f;
    return found;
  }

  /// A sector of a table that shares it with another table, a directory, the descriptor or the
  /// header; 0 where none does. What is written to one of them would be read from the other.
  /// Errors: the file's.
  [[nodiscard]] constexpr result<std::uint64_t> find_overlap() noexcept {
    std::uint64_t found = 0;
    const auto take = [&](std::uint64_t sector) { found = found == 0 ? sector : found; };
    bool is_whole = true;  // All tables are in the list.
    disputes_.clear();
    const failure f = each_table([&](std::uint64_t table, const table_places& places) -> failure {
      const auto d = sectors_of(table, places);
      if (!d) return d.error();
      for (const std::uint32_t sector : d->value) {
        if (sector != 0 && !is_apart(sector)) take(sector);
      }
      if (d->value[0] == 0 && d->value[1] == 0) return no_failure;
      if (disputes_.is_full()) {
        is_whole = false;
        if (failure why = compare_places(take)) return why;
        disputes_.clear();
      }
      disputes_.add(*d);
      return no_failure;
    });
    if (f) return f;
    if (!is_whole) {
      if (failure why = compare_places(take)) return why;
    } else {
      disputes_.sort_values();
      for (std::size_t i = 0; i < disputes_.size(); ++i) compare_place(disputes_.get(i), take);
    }
    disputes_.clear();
    return found;
  }

  /// Finds out which directory entries are to change, before any entry of a table does: where a
  /// table is must not follow from what was just written. What there is no room for is changed at
  /// once. Errors: the file's.
  constexpr failure plan_directory() noexcept {
    return each_table([&](std::uint64_t table, const table_places& places) -> failure {
      bool is_lost = false;
      bool is_known = false;
      for (unsigned copy = 0; copy < finder_->copies(); ++copy) {
        const auto entry = walk_->directory_entry(copy, table);
        if (!entry) return entry.error();
        const std::uint64_t wanted = places.sector[copy];
        is_known = is_known || wanted != 0;
        is_lost = is_lost || (wanted == 0 && (*entry != 0 || !format().may_lack_tables()));
        if (wanted == 0 || wanted == *entry) continue;
        directory_change& change = changes_.data()[change_count_++];
        change = {.table = table,
                  .before = static_cast<std::uint32_t>(*entry),
                  .after = static_cast<std::uint32_t>(wanted),
                  .copied_from = 0,
                  .copy = copy};
        if (places.is_unwritten[copy]) {
          change.copied_from = static_cast<std::uint32_t>(places.sector[1 - copy]);
        }
        if (change_count_ != changes_.size()) continue;
        if (failure f = mend_directory()) return f;
      }
      if (is_lost || (!is_known && !format().may_lack_tables())) {
        target_->tell({.kind = repair_kind::table_left,
                       .offset = walk_->directory_entry_at(0, table),
                       .table = table});
      }
      return no_failure;
    });
  }

  /// Writes the directory entries that plan_directory found, and tables whose place had other
  /// content: as they are in the other copy by now. Errors: the file's.
  constexpr failure mend_directory() noexcept {
    walk_->forget();
    for (std::size_t i = 0; i < change_count_; ++i) {
      if (failure f = change_directory(changes_.data()[i])) return f;
    }
    change_count_ = 0;
    return no_failure;
  }

  /// Mends the entries of grains that are not compressed: those on which the copies differ, and
  /// those that no copy has right, which become 0. `are_grains_sure`: else the header's grain size
  /// is wrong, and what follows from it is left. Errors: the file's.
  constexpr failure mend_plain(bool are_grains_sure) noexcept {
    // Before anything else is written: a place is claimed by what the copies said all along.
    disputes_.clear();
    const failure f = each_pair([&](const pair& at) -> failure {
      if (at.agrees() || at.grain >= format().grain_count()) return no_failure;
      disputes_.add(dispute_of(at));
      return disputes_.is_full() ? settle_by_claims(are_grains_sure) : no_failure;
    });
    if (f) return f;
    if (failure why = settle_by_claims(are_grains_sure)) return why;
    return each_pair([&](const pair& at) -> failure {
      if (at.grain >= format().grain_count()) return mend_tail(at);
      const auto is_bad = at.agrees() ? is_bad_value(at.value[at.one_copy()], at.grain) : false;
      if (!is_bad) return is_bad.error();
      return *is_bad ? drop(dispute_of(at), are_grains_sure) : no_failure;
    });
  }

  /// Mends the entries of compressed grains whose marker settles it, and hands what is left to
  /// `settle() -> failure`, list by list. Errors: the file's.
  template <class Settle>
  constexpr failure mend_marked(Settle&& settle) noexcept {
    disputes_.clear();
    const failure f = each_pair([&](const pair& at) -> failure {
      if (at.grain >= format().grain_count()) return mend_tail(at);
      bool is_bad = false;
      for (unsigned copy = 0; copy < 2; ++copy) {
        if (!at.has(copy)) continue;
        const auto judged = judge_->judge(at.value[copy], at.grain);
        if (!judged) return judged.error();
        // A marker that fits is proof.
        if (*judged == entry_verdict::good) return take(at, copy);
        is_bad = is_bad || *judged == entry_verdict::bad;
      }
      if (!is_bad) return no_failure;
      disputes_.add(dispute_of(at));
      return disputes_.is_full() ? settle() : no_failure;
    });
    if (f) return f;
    return settle();
  }

  /// Writes an entry into each copy that has another value, and tells it. Errors: the file's.
  constexpr failure put(const dispute& d, std::uint32_t value, repair_kind kind) noexcept {
    for (unsigned copy = 0; copy < 2; ++copy) {
      if (d.at[copy] == 0 || d.value[copy] == value) continue;
      repair_step step = step_of(d, kind);
      step.offset = d.at[copy];
      step.before = d.value[copy];
      step.after = value;
      if (failure f = target_->change_value(step, value)) return f;
    }
    return no_failure;
  }

  /// Tells that an entry is left as it is.
  constexpr failure leave(const dispute& d) noexcept {
    target_->tell(step_of(d, repair_kind::entry_left));
    return no_failure;
  }

  /// An entry as it stands in all its copies, for `put`. Errors: the file's.
  [[nodiscard]] constexpr result<dispute> entry_of(std::uint64_t grain) noexcept {
    const std::uint64_t table = grain >> sparse_format::table_shift;
    const std::uint64_t index = grain & (entries_per_table - 1);
    if (!has_places_ || table != places_table_) {
      const auto places = finder_->find(table);
      if (!places) return places.error();
      places_ = *places;
      places_table_ = table;
      has_places_ = true;
    }
    dispute d;
    d.grain = grain;
    for (unsigned copy = 0; copy < finder_->copies(); ++copy) {
      if (places_.sector[copy] == 0 || places_.is_unwritten[copy]) continue;
      const auto bytes = walk_->sector_of_table(copy, places_.sector[copy], index >> 7);
      if (!bytes) return bytes.error();
      d.at[copy] = (places_.sector[copy] << sector_shift) + index * sizeof(std::uint32_t);
      d.value[copy] = load_le<std::uint32_t>(*bytes + (index & 127) * sizeof(std::uint32_t));
    }
    return d;
  }

 private:
  /// An entry in the copies that there are.
  struct pair {
    std::uint64_t grain = 0;
    std::uint64_t at[2]{};  ///< 0: there is no such copy.
    std::uint32_t value[2]{};

    [[nodiscard]] constexpr bool has(unsigned copy) const noexcept { return at[copy] != 0; }
    [[nodiscard]] constexpr bool is_pair() const noexcept { return has(0) && has(1); }
    /// Both copies say the same.
    [[nodiscard]] constexpr bool is_sure() const noexcept {
      return is_pair() && value[0] == value[1];
    }
    [[nodiscard]] constexpr unsigned one_copy() const noexcept { return has(0) ? 0 : 1; }
    [[nodiscard]] constexpr bool agrees() const noexcept {
      return !is_pair() || value[0] == value[1];
    }
  };

  /// True for an entry that breaks a rule by itself. Errors: the file's.
  [[nodiscard]] constexpr result<bool> is_bad_value(std::uint64_t value,
                                                    std::uint64_t grain) noexcept {
    const auto judged = judge_->judge(value, grain);
    if (!judged) return judged.error();
    return *judged == entry_verdict::bad;
  }

  /// Settles disputes about grains that are not compressed, by what other entries claim. Errors:
  /// the file's.
  constexpr failure settle_by_claims(bool are_grains_sure) noexcept {
    if (disputes_.size() == 0) return no_failure;
    disputes_.sort_values();
    if (failure f = each_pair([&](const pair& at) { return claim(at); })) return f;
    for (std::size_t i = 0; i < disputes_.size(); ++i) {
      if (failure f = settle_one(disputes_.get(i), are_grains_sure)) return f;
    }
    disputes_.clear();
    return no_failure;
  }

  /// Marks the disputed values whose sectors an entry names. Errors: the file's.
  constexpr failure claim(const pair& at) noexcept {
    if (at.grain >= format().grain_count()) return no_failure;
    const std::uint64_t each = judge_->geometry().grain_sectors();
    for (unsigned named = 0; named < 2; ++named) {
      const std::uint64_t value = at.value[named];
      if (value <= 1) continue;
      const auto is_bad = is_bad_value(value, at.grain);
      if (!is_bad) return is_bad.error();
      if (*is_bad) continue;
      const std::uint64_t first = value < each ? 0 : value - each + 1;
      disputes_.each_value(larger_of<std::uint64_t>(first, 2), value + each,
                           [&](std::size_t i, unsigned copy) {
                             dispute d = disputes_.get(i);
                             if (d.grain == at.grain) return;
                             (at.is_sure() ? d.is_claimed : d.is_wanted)[copy] = true;
                             disputes_.set(i, d);
                           });
    }
    return no_failure;
  }

  /// Of two values one loses that breaks a rule, or whose place other copies agree to be another
  /// grain's; a grain wins against 0 and 1. What two disputes are about is left: it must not be
  /// given to both. Errors: the file's.
  constexpr failure settle_one(const dispute& d, bool are_grains_sure) noexcept {
    bool is_bad[2]{};
    bool is_wrong[2]{};
    for (unsigned copy = 0; copy < 2; ++copy) {
      const auto judged = is_bad_value(d.value[copy], d.grain);
      if (!judged) return judged.error();
      is_bad[copy] = *judged;
      is_wrong[copy] = *judged || d.is_claimed[copy];
      const bool is_open = d.is_wanted[copy] || (d.is_claimed[copy] && !are_grains_sure);
      if (!*judged && is_open) return leave(d);
    }
    if (is_bad[0] && is_bad[1]) return drop(d, are_grains_sure);
    if (is_wrong[0] && is_wrong[1]) return leave(d);
    const auto takes = [&](unsigned copy) {
      return put(d, d.value[copy], repair_kind::entry_restored);
    };
    if (is_wrong[0] || is_wrong[1]) return takes(is_wrong[0] ? 1 : 0);
    if (d.value[0] > 1 && d.value[1] > 1) return leave(d);
    // Between 0 and 1 the primary copy wins, which every reader takes.
    return takes(d.value[1] > 1 ? 1 : 0);
  }

  [[nodiscard]] constexpr const sparse_format& format() const noexcept { return walk_->format(); }

  /// True for a table that shares no sector with what the header names.
  [[nodiscard]] constexpr bool is_apart(std::uint64_t sector) const noexcept {
    const auto is_clear_of = [sector](std::uint64_t offset, std::uint64_t bytes) {
      const std::uint64_t first = offset >> sector_shift;
      return sector >= first + (bytes >> sector_shift) || sector + table_sectors <= first;
    };
    const auto& extent = format().extent();
    bool is_clear =
        sector != 0 && is_clear_of(extent.descriptor_offset_bytes(), extent.descriptor_bytes());
    for (unsigned copy = 0; copy < finder_->copies(); ++copy) {
      is_clear = is_clear && is_clear_of(format().directory_at(copy), format().directory_bytes());
    }
    return is_clear;
  }

  /// A table as if its copies' sectors were disputed: those that the directories are going to name,
  /// also where they are not sure of them; each of them once, and else 0. Errors: the file's.
  [[nodiscard]] constexpr result<dispute> sectors_of(std::uint64_t table,
                                                     const table_places& places) noexcept {
    dispute d;
    d.grain = table;
    for (unsigned copy = 0; copy < finder_->copies(); ++copy) {
      d.value[copy] = static_cast<std::uint32_t>(places.sector[copy]);
      if (d.value[copy] != 0) continue;
      const auto entry = walk_->directory_entry(copy, table);
      if (!entry) return entry.error();
      if (format().names_table(*entry)) d.value[copy] = static_cast<std::uint32_t>(*entry);
    }
    if (d.value[0] == d.value[1]) d.value[1] = 0;
    return d;
  }

  /// Calls `take(sector)` where a table shares sectors with another one in the list.
  template <class Take>
  constexpr void compare_place(const dispute& d, Take& take) const noexcept {
    for (unsigned copy = 0; copy < 2; ++copy) {
      const std::uint64_t sector = d.value[copy];
      if (sector == 0) continue;
      const std::uint64_t first = sector < table_sectors ? 1 : sector - table_sectors + 1;
      disputes_.each_value(first, sector + table_sectors, [&](std::size_t i, unsigned other) {
        if (disputes_.get(i).grain != d.grain || other != copy) take(sector);
      });
    }
  }
  /// The same for all tables. Errors: the file's.
  template <class Take>
  constexpr failure compare_places(Take& take) noexcept {
    disputes_.sort_values();
    return each_table([&](std::uint64_t table, const table_places& places) -> failure {
      const auto d = sectors_of(table, places);
      if (!d) return d.error();
      compare_place(*d, take);
      return no_failure;
    });
  }

  template <class Visit>
  constexpr failure each_table(Visit&& visit) noexcept {
    // No more tables than can lie in the file side by side can be sound.
    const std::uint64_t most = (target_->size() >> sector_shift) / table_sectors + 1;
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

  /// Gives each entry that is not 0 in all copies to `visit(pair) -> failure`.
  template <class Visit>
  constexpr failure each_pair(Visit&& visit) noexcept {
    return each_table([&](std::uint64_t table, const table_places& places) -> failure {
      // Held here: who visits an entry may walk over tables as well.
      std::array<sector_image, 2> held{};
      for (std::uint64_t n = 0; n < table_sectors; ++n) {
        bool is_held[2]{};
        bool is_empty = true;
        for (unsigned copy = 0; copy < finder_->copies(); ++copy) {
          if (places.sector[copy] == 0 || places.is_unwritten[copy]) continue;
          const auto found = walk_->sector_of_table(copy, places.sector[copy], n);
          if (!found) return found.error();
          is_held[copy] = true;
          is_empty = is_empty && is_zero(*found, sector_bytes);
          copy_bytes(held.data()[copy].data(), *found, sector_bytes);
        }
        if (is_empty) continue;
        for (std::uint32_t i = 0; i < walk_type::entries_per_sector; ++i) {
          pair at;
          at.grain = (table << sparse_format::table_shift) + n * walk_type::entries_per_sector + i;
          for (unsigned copy = 0; copy < 2; ++copy) {
            if (!is_held[copy]) continue;
            const std::uint64_t offset = i * sizeof(std::uint32_t);
            at.at[copy] = ((places.sector[copy] + n) << sector_shift) + offset;
            at.value[copy] = load_le<std::uint32_t>(held.data()[copy].data() + offset);
          }
          if (at.value[0] == 0 && at.value[1] == 0) continue;
          if (failure f = visit(at)) return f;
        }
      }
      return no_failure;
    });
  }

  [[nodiscard]] static constexpr dispute dispute_of(const pair& at) noexcept {
    dispute d;
    d.grain = at.grain;
    for (unsigned copy = 0; copy < 2; ++copy) {
      d.at[copy] = at.at[copy];
      d.value[copy] = at.value[copy];
    }
    return d;
  }
  [[nodiscard]] static constexpr repair_step step_of(const dispute& d, repair_kind kind) noexcept {
    return {.kind = kind,
            .offset = d.at[0] != 0 ? d.at[0] : d.at[1],
            .table = d.grain >> sparse_format::table_shift,
            .entry = d.grain & (entries_per_table - 1)};
  }

  constexpr failure take(const pair& at, unsigned copy) noexcept {
    return put(dispute_of(at), at.value[copy], repair_kind::entry_restored);
  }
  constexpr failure drop(const dispute& d, bool drops) noexcept {
    return drops ? put(d, 0, repair_kind::entry_dropped) : leave(d);
  }

  /// Behind the last grain entries are 0; what both copies have there is a warning and stays.
  constexpr failure mend_tail(const pair& at) noexcept {
    if (at.agrees()) return no_failure;
    if (at.value[0] == 0 || at.value[1] == 0) return take(at, at.value[0] == 0 ? 0 : 1);
    return leave(dispute_of(at));
  }

  /// A directory entry that is to name the place of a table.
  struct directory_change {
    std::uint64_t table = 0;
    std::uint32_t before = 0;
    std::uint32_t after = 0;
    std::uint32_t copied_from = 0;  ///< The sector of its other copy, where it is to be copied.
    unsigned copy = 0;
  };
  constexpr failure change_directory(const directory_change& change) noexcept {
    if (change.copied_from != 0) {
      if (failure f = copy_table(change)) return f;
    }
    const repair_step step{.kind = repair_kind::directory_entry_restored,
                           .offset = walk_->directory_entry_at(change.copy, change.table),
                           .table = change.table,
                           .before = change.before,
                           .after = change.after};
    return target_->change_value(step, change.after);
  }
  constexpr failure copy_table(const directory_change& change) noexcept {
    const std::uint64_t to = std::uint64_t{change.after} << sector_shift;
    target_->tell({.kind = repair_kind::table_copied, .offset = to, .table = change.table});
    for (std::uint64_t n = 0; n < table_sectors; ++n) {
      const auto bytes = walk_->sector_of_table(1 - change.copy, change.copied_from, n);
      if (!bytes) return bytes.error();
      if (failure f = target_->write(to + (n << sector_shift), byte_view(*bytes, sector_bytes))) {
        return f;
      }
    }
    return target_->barrier();
  }

  Target* target_;
  walk_type* walk_;
  table_finder<Target>* finder_;
  entry_judge<Target>* judge_;
  dispute_list disputes_;
  std::array<directory_change, 256> changes_{};
  std::size_t change_count_ = 0;
  table_places places_{};
  std::uint64_t places_table_ = 0;
  bool has_places_ = false;
};

}  // namespace vmdk::detail
