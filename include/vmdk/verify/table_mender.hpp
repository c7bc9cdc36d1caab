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
  std::uint64_t unaligned = 0;
  std::uint64_t ones = 0;   ///< Entries of 1.
  bool do_overlap = false;  ///< Two that follow each other in a table share sectors.
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
      if (!judge_->is_aligned(value)) ++found.unaligned;
      const std::uint64_t each = judge_->is_compressed() ? 1 : judge_->geometry().grain_sectors();
      if (last != 0 && value < last + each && last < value + each) found.do_overlap = true;
      last = value;
      found.lowest_grain_sector = smaller_of(found.lowest_grain_sector, value);
      return no_failure;
    });
    if (f) return f;
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

  /// Mends the entries that a look at both copies settles, and hands what is left to `settle()`,
  /// list by list: with `is_last` when no more come. `drops`: entries that no copy has right are
  /// set to 0. Errors: the file's.
  template <class Settle>
  constexpr failure mend_entries(bool drops, Settle&& settle) noexcept {
    disputes_.clear();
    if (!judge_->is_compressed()) {
      // Before anything else is written: a place is claimed by what both copies said all along.
      const failure f = each_pair([&](const pair& at) -> failure {
        if (at.grain >= format().grain_count()) return no_failure;
        const auto seen = look_at(at);
        if (!seen) return seen.error();
        return seen->is_dispute(at) ? dispute_about(at, settle) : no_failure;
      });
      if (f) return f;
      if (failure why = settle(true)) return why;
    }
    const failure f = each_pair([&](const pair& at) -> failure {
      if (at.grain >= format().grain_count()) return mend_tail(at);
      const auto seen = look_at(at);
      if (!seen) return seen.error();
      if (at.agrees()) {
        if (!seen->is_bad(at.one_copy())) return no_failure;
        return judge_->is_compressed() ? dispute_about(at, settle) : drop(at, drops);
      }
      if (judge_->is_compressed()) {
        // A marker that fits is proof.
        for (unsigned copy = 0; copy < 2; ++copy) {
          if (seen->of[copy] == entry_verdict::good) return take(at, copy);
        }
        return dispute_about(at, settle);
      }
      if (seen->is_bad(0) && seen->is_bad(1)) return drop(at, drops);
      if (seen->is_bad(0) || seen->is_bad(1)) return take(at, seen->is_bad(0) ? 1 : 0);
      return no_failure;  // Settled above, or left.
    });
    if (f) return f;
    return judge_->is_compressed() ? settle(true) : no_failure;
  }

  /// Settles disputes about grains that are not compressed: a place belongs to one entry, grains
  /// are aligned where all others are, and an entry is lost more easily than made. Errors: the
  /// file's.
  constexpr failure settle_by_claims(bool all_aligned) noexcept {
    if (disputes_.size() == 0) return no_failure;
    disputes_.sort_values();
    const std::uint64_t each = judge_->geometry().grain_sectors();
    const failure f = each_pair([&](const pair& at) -> failure {
      if (!at.agrees() || at.grain >= format().grain_count()) return no_failure;
      const std::uint64_t value = at.value[at.one_copy()];
      if (value <= 1) return no_failure;
      const std::uint64_t first = value < each ? 0 : value - each + 1;
      disputes_.each_value(larger_of<std::uint64_t>(first, 2), value + each,
                           [&](std::size_t i, unsigned copy) {
                             dispute d = disputes_.get(i);
                             if (d.grain == at.grain) return;
                             d.is_claimed[copy] = true;
                             disputes_.set(i, d);
                           });
      return no_failure;
    });
    if (f) return f;
    for (std::size_t i = 0; i < disputes_.size(); ++i) {
      const dispute d = disputes_.get(i);
      const unsigned choice = choose(d, all_aligned);
      if (choice == 2) {
        leave(d);
        continue;
      }
      if (failure why = put(d, d.value[choice], repair_kind::entry_restored)) return why;
    }
    disputes_.clear();
    return no_failure;
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
  constexpr void leave(const dispute& d) noexcept {
    target_->tell(step_of(d, repair_kind::entry_left));
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
    [[nodiscard]] constexpr unsigned one_copy() const noexcept { return has(0) ? 0 : 1; }
    [[nodiscard]] constexpr bool agrees() const noexcept {
      return !is_pair() || value[0] == value[1];
    }
  };

  /// What the judge says of an entry's copies.
  struct verdicts {
    entry_verdict of[2]{};

    [[nodiscard]] constexpr bool is_bad(unsigned copy) const noexcept {
      return of[copy] == entry_verdict::bad;
    }
    /// Both copies could be right, and say different things.
    [[nodiscard]] constexpr bool is_dispute(const pair& at) const noexcept {
      return !at.agrees() && !is_bad(0) && !is_bad(1);
    }
  };

  /// Judges an entry of a grain of the disk. Errors: the file's.
  [[nodiscard]] constexpr result<verdicts> look_at(const pair& at) noexcept {
    verdicts seen;
    for (unsigned copy = 0; copy < 2; ++copy) {
      if (!at.has(copy)) continue;
      const auto judged = judge_->judge(at.value[copy], at.grain);
      if (!judged) return judged.error();
      seen.of[copy] = *judged;
    }
    return seen;
  }

  [[nodiscard]] constexpr const sparse_format& format() const noexcept { return walk_->format(); }

  template <class Visit>
  constexpr failure each_table(Visit&& visit) noexcept {
    // No more tables than can lie in the file side by side can be sound.
    const std::uint64_t most = (target_->size() >> sector_shift) / table_sectors + 1;
    const std::uint64_t count = format().table_count();
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
      for (std::uint64_t n = 0; n < table_sectors; ++n) {
        const std::byte* bytes[2]{};
        bool is_empty = true;
        for (unsigned copy = 0; copy < finder_->copies(); ++copy) {
          if (places.sector[copy] == 0 || places.is_unwritten[copy]) continue;
          const auto found = walk_->sector_of_table(copy, places.sector[copy], n);
          if (!found) return found.error();
          bytes[copy] = *found;
          is_empty = is_empty && is_zero(*found, sector_bytes);
        }
        if (is_empty) continue;
        for (std::uint32_t i = 0; i < walk_type::entries_per_sector; ++i) {
          pair at;
          at.grain = (table << sparse_format::table_shift) + n * walk_type::entries_per_sector + i;
          for (unsigned copy = 0; copy < 2; ++copy) {
            if (bytes[copy] == nullptr) continue;
            at.at[copy] = ((places.sector[copy] + n) << sector_shift) + i * sizeof(std::uint32_t);
            at.value[copy] = load_le<std::uint32_t>(bytes[copy] + i * sizeof(std::uint32_t));
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

  template <class Settle>
  constexpr failure dispute_about(const pair& at, Settle& settle) noexcept {
    disputes_.add(dispute_of(at));
    return disputes_.is_full() ? settle(false) : no_failure;
  }
  constexpr failure take(const pair& at, unsigned copy) noexcept {
    return put(dispute_of(at), at.value[copy], repair_kind::entry_restored);
  }
  constexpr failure drop(const pair& at, bool drops) noexcept {
    if (drops) return put(dispute_of(at), 0, repair_kind::entry_dropped);
    leave(dispute_of(at));
    return no_failure;
  }

  /// Behind the last grain entries are 0; what both copies have there is a warning and stays.
  constexpr failure mend_tail(const pair& at) noexcept {
    if (at.agrees()) return no_failure;
    if (at.value[0] == 0 || at.value[1] == 0) return take(at, at.value[0] == 0 ? 0 : 1);
    leave(dispute_of(at));
    return no_failure;
  }

  /// Which copy of an entry is right: 0 or 1, or 2 when nothing tells.
  [[nodiscard]] constexpr unsigned choose(const dispute& d, bool all_aligned) const noexcept {
    const auto is_odd = [&](unsigned copy) {
      return d.is_claimed[copy] ||
             (all_aligned && d.value[copy] > 1 && !judge_->is_aligned(d.value[copy]));
    };
    if (is_odd(0) && is_odd(1)) return 2;
    if (is_odd(0) || is_odd(1)) return is_odd(0) ? 1 : 0;
    const bool names_grain[] = {d.value[0] > 1, d.value[1] > 1};
    if (names_grain[0] && names_grain[1]) return 2;
    if (names_grain[0] || names_grain[1]) return names_grain[0] ? 0 : 1;
    // 0 or 1: every reader takes the primary copy.
    return 0;
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
