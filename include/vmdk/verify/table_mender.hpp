// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "vmdk/core/result.hpp"
#include "vmdk/verify/claim_settler.hpp"
#include "vmdk/verify/dispute_list.hpp"
#include "vmdk/verify/entry_judge.hpp"
#include "vmdk/verify/entry_pair.hpp"
#include "vmdk/verify/entry_writer.hpp"
#include "vmdk/verify/pair_walk.hpp"

namespace vmdk::detail {

/// Mends the entries of an extent's tables (SPEC 13.7): those that tell by themselves at once, and
/// the others as a list of disputes.
template <class Target>
class table_mender {
 public:
  /// The list has room for at least one dispute.
  constexpr table_mender(Target& target, pair_walk<Target>& pairs, entry_judge<Target>& judge,
                         dispute_list& disputes) noexcept
      : target_(&target), pairs_(&pairs), judge_(&judge), disputes_(&disputes), entries_(target) {}

  /// Mends the entries of grains that are not compressed: those on which the copies differ, and
  /// those that no copy has right, which become 0. `are_grains_sure`: else the header's grain size
  /// is wrong, and what follows from it is left. Errors: the file's.
  constexpr failure mend_plain(bool are_grains_sure) noexcept {
    claim_settler<Target> settler(*target_, *pairs_, *judge_, are_grains_sure);
    // Before anything else is written: a place is claimed by what the copies said all along.
    disputes_->clear();
    const failure f = pairs_->each_pair([&](const entry_pair& pair) -> failure {
      if (pair.agrees() || is_tail(pair)) return no_failure;
      disputes_->add(dispute{pair});
      return disputes_->is_full() ? settler.settle(*disputes_) : no_failure;
    });
    if (f) return f;
    if (failure why = settler.settle(*disputes_)) return why;
    return pairs_->each_pair([&](const entry_pair& pair) -> failure {
      if (is_tail(pair)) return mend_tail(pair);
      if (!pair.agrees()) return no_failure;
      const auto judged = judge_->judge_place(pair.value[pair.one_copy()], pair.grain);
      return judged == entry_verdict::bad ? settler.drop(pair) : no_failure;
    });
  }

  /// Mends the entries of compressed grains whose marker settles it, and hands what is left to
  /// `settle() -> failure`, list by list. Errors: the file's.
  template <class Settle>
  constexpr failure mend_marked(Settle&& settle) noexcept {
    disputes_->clear();
    const failure f = pairs_->each_pair([&](const entry_pair& pair) -> failure {
      if (is_tail(pair)) return mend_tail(pair);
      for (unsigned copy = 0; copy < 2; ++copy) {
        if (!pair.has(copy)) continue;
        const auto judged = judge_->judge(pair.value[copy], pair.grain);
        if (!judged) return judged.error();
        // A marker that fits is proof.
        if (*judged == entry_verdict::good) return entries_.take(pair, copy);
      }
      disputes_->add(dispute{pair});
      return disputes_->is_full() ? settle() : no_failure;
    });
    if (f) return f;
    return settle();
  }

 private:
  /// True for an entry behind the last grain.
  [[nodiscard]] constexpr bool is_tail(const entry_pair& pair) const noexcept {
    return pair.grain >= pairs_->format().grain_count();
  }

  /// Behind the last grain entries are 0; what both copies have there is a warning and stays.
  constexpr failure mend_tail(const entry_pair& pair) noexcept {
    if (pair.agrees()) return no_failure;
    if (pair.value[0] == 0 || pair.value[1] == 0) {
      return entries_.take(pair, pair.value[0] == 0 ? 0 : 1);
    }
    return entries_.leave(pair);
  }

  Target* target_;
  pair_walk<Target>* pairs_;
  entry_judge<Target>* judge_;
  dispute_list* disputes_;
  entry_writer<Target> entries_;
};

}  // namespace vmdk::detail
