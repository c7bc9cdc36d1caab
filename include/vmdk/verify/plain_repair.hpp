// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/format/sparse_header.hpp"
#include "vmdk/verify/directory_mender.hpp"
#include "vmdk/verify/dispute_list.hpp"
#include "vmdk/verify/entry_judge.hpp"
#include "vmdk/verify/mended_extent.hpp"
#include "vmdk/verify/metadata_overlap.hpp"
#include "vmdk/verify/pair_walk.hpp"
#include "vmdk/verify/table_finder.hpp"
#include "vmdk/verify/table_hints.hpp"
#include "vmdk/verify/table_mender.hpp"
#include "vmdk/verify/table_survey.hpp"
#include "vmdk/verify/table_walk.hpp"

namespace vmdk::detail {

/// Repairs an extent whose grains are not compressed, by the copies of its tables, and by where
/// tables and grains lie (SPEC 13.7).
template <class Target>
class plain_repair {
 public:
  constexpr explicit plain_repair(mended_extent<Target>& extent) noexcept : extent_(&extent) {}

  /// Errors, before anything was written: those of directory_search; errc::table_overlap. Those of
  /// the file.
  constexpr failure repair() noexcept {
    if (failure f = extent_->place_directories()) return f;
    table_walk<sparse_format, Target> walk(target(), extent_->format(), extent_->share.windows);
    entry_judge<Target> judge(target(), header());
    judge.allows_zeroed = header().has(sparse_flags::zeroed_grains);
    judge.floor_sector = header().over_head;
    const table_hints hints;
    table_finder<Target> finder(walk, judge, hints, header().over_head);
    pair_walk<Target> pairs(walk, finder);
    const auto found = survey_tables(pairs, judge, header().over_head);
    if (!found) return found.error();
    if (failure f = refuse_overlap(pairs, extent_->share.rest)) return f;
    correct_overhead(*found, finder.copies() == 2, judge);
    if (!judge.allows_zeroed && header().version >= 2 && found->ones != 0) {
      // Version 2 is what zeroed grains are for.
      judge.allows_zeroed = true;
      header().flags = header().flags | sparse_flags::zeroed_grains;
    }
    extent_->tell_lost_directory();
    directory_mender<Target> directories(target(), pairs);
    if (failure f = directories.plan()) return f;
    dispute_list disputes(extent_->share.rest);
    table_mender<Target> tables(target(), pairs, judge, disputes);
    if (failure f = tables.mend_plain(!found->do_overlap)) return f;
    if (failure f = directories.mend()) return f;
    return extent_->mend_header();
  }

 private:
  [[nodiscard]] constexpr Target& target() const noexcept { return *extent_->target; }
  [[nodiscard]] constexpr sparse_extent_header& header() const noexcept { return extent_->header; }

  /// Grains that all copies name are there, whatever the overhead says.
  constexpr void correct_overhead(const table_survey& found, bool is_twice,
                                  entry_judge<Target>& judge) noexcept {
    const std::uint64_t stated = header().over_head;
    const bool contradicted =
        found.below_overhead != 0 && (is_twice || found.below_overhead * 2 > found.grains);
    if (contradicted || stated > extent_->file_sectors()) {
      const std::uint64_t end = found.metadata_end_sector;
      const std::uint64_t aligned = align_up(end, header().grain_size);
      const std::uint64_t most = smaller_of(found.lowest_grain_sector, extent_->file_sectors());
      header().over_head = aligned <= most ? aligned : most;
    }
    judge.floor_sector = header().over_head;
    // Of a single copy nothing says whether the entry or the overhead is wrong.
    if (!is_twice) judge.floor_sector = smaller_of(judge.floor_sector, found.metadata_end_sector);
  }

  mended_extent<Target>* extent_;
};

}  // namespace vmdk::detail
