// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/verify/dispute_list.hpp"
#include "vmdk/verify/entry_judge.hpp"
#include "vmdk/verify/entry_pair.hpp"
#include "vmdk/verify/entry_writer.hpp"
#include "vmdk/verify/pair_walk.hpp"

namespace vmdk::detail {

/// Settles disputes about grains that are not compressed by what other entries claim: a sector
/// belongs to one grain (SPEC 13.7).
template <class Target>
class claim_settler {
 public:
  /// `are_grains_sure`: else the header's grain size is wrong, and what follows from it is left.
  constexpr claim_settler(Target& target, pair_walk<Target>& pairs, entry_judge<Target>& judge,
                          bool are_grains_sure) noexcept
      : pairs_(&pairs), judge_(&judge), entries_(target), are_grains_sure_(are_grains_sure) {}

  /// Settles all disputes of a list and clears it. Errors: the file's.
  constexpr failure settle(dispute_list& list) noexcept {
    if (list.size() == 0) return no_failure;
    list.sort_values();
    if (failure f = pairs_->each_pair([&](const entry_pair& at) { return claim(list, at); })) {
      return f;
    }
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (failure f = settle_one(list.get(i))) return f;
    }
    list.clear();
    return no_failure;
  }

  /// Lets an entry become 0 that no copy has right. Errors: the file's.
  constexpr failure drop(const entry_pair& pair) noexcept {
    return are_grains_sure_ ? entries_.drop(pair) : entries_.leave(pair);
  }

 private:
  [[nodiscard]] constexpr bool is_bad_value(std::uint64_t value,
                                            std::uint64_t grain) const noexcept {
    return judge_->judge_place(value, grain) == entry_verdict::bad;
  }

  /// Marks the disputed values whose sectors an entry names.
  constexpr failure claim(dispute_list& list, const entry_pair& pair) const noexcept {
    if (pair.grain >= pairs_->format().grain_count()) return no_failure;
    const std::uint64_t each = judge_->geometry().grain_sectors();
    for (unsigned named = 0; named < 2; ++named) {
      const std::uint64_t value = pair.value[named];
      if (value <= 1 || is_bad_value(value, pair.grain)) continue;
      const std::uint64_t first = value < each ? 0 : value - each + 1;
      list.each_value(larger_of<std::uint64_t>(first, 2), value + each,
                      [&](std::size_t i, unsigned copy) {
                        dispute d = list.get(i);
                        if (d.grain == pair.grain) return;
                        (pair.is_sure() ? d.is_claimed : d.is_wanted)[copy] = true;
                        list.set(i, d);
                      });
    }
    return no_failure;
  }

  /// Of two values one loses that breaks a rule, or whose place other copies agree to be another
  /// grain's; a grain wins against 0 and 1. What two disputes are about is left: it must not be
  /// given to both. Errors: the file's.
  constexpr failure settle_one(const dispute& d) noexcept {
    bool is_bad[2]{};
    bool is_wrong[2]{};
    for (unsigned copy = 0; copy < 2; ++copy) {
      is_bad[copy] = is_bad_value(d.value[copy], d.grain);
      is_wrong[copy] = is_bad[copy] || d.is_claimed[copy];
      const bool is_open = d.is_wanted[copy] || (d.is_claimed[copy] && !are_grains_sure_);
      if (!is_bad[copy] && is_open) return entries_.leave(d);
    }
    if (is_bad[0] && is_bad[1]) return drop(d);
    if (is_wrong[0] && is_wrong[1]) return entries_.leave(d);
    if (is_wrong[0] || is_wrong[1]) return entries_.take(d, is_wrong[0] ? 1 : 0);
    if (d.value[0] > 1 && d.value[1] > 1) return entries_.leave(d);
    // Between 0 and 1 the primary copy wins, which every reader takes.
    return entries_.take(d, d.value[1] > 1 ? 1 : 0);
  }

  pair_walk<Target>* pairs_;
  entry_judge<Target>* judge_;
  entry_writer<Target> entries_;
  bool are_grains_sure_;
};

}  // namespace vmdk::detail
