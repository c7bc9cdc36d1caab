// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/sparse_header.hpp"
#include "vmdk/verify/directory_mender.hpp"
#include "vmdk/verify/directory_search.hpp"
#include "vmdk/verify/dispute_list.hpp"
#include "vmdk/verify/entry_judge.hpp"
#include "vmdk/verify/gap_search.hpp"
#include "vmdk/verify/grain_probe.hpp"
#include "vmdk/verify/hint_search.hpp"
#include "vmdk/verify/lost_end.hpp"
#include "vmdk/verify/marker_mender.hpp"
#include "vmdk/verify/marker_settler.hpp"
#include "vmdk/verify/marker_walk.hpp"
#include "vmdk/verify/mended_extent.hpp"
#include "vmdk/verify/metadata_overlap.hpp"
#include "vmdk/verify/pair_walk.hpp"
#include "vmdk/verify/repair_step.hpp"
#include "vmdk/verify/stream_tables.hpp"
#include "vmdk/verify/stream_view.hpp"
#include "vmdk/verify/table_finder.hpp"
#include "vmdk/verify/table_mender.hpp"
#include "vmdk/verify/table_survey.hpp"
#include "vmdk/verify/table_walk.hpp"

namespace vmdk::detail {

/// Repairs a stream, by what its markers say (SPEC 13.7).
template <class Target, class D>
class stream_repair {
 public:
  constexpr stream_repair(mended_extent<Target>& extent, D& decoder) noexcept
      : extent_(&extent), decoder_(&decoder) {}

  /// Errors, before anything was written: those of directory_search and of lost_end;
  /// errc::grain_size_invalid where the header's is not the grains'; errc::table_overlap. Those of
  /// the file.
  constexpr failure repair() noexcept {
    const bool at_end = extent_->choice.is_footer_usable || header().has_tables_at_end() ||
                        (header().over_head != 0 && header().gd_offset >= header().over_head);
    if (at_end) return repair_at_end();
    if (failure f = extent_->place_directories()) {
      // Tables that cannot be found in front are written behind the grains.
      if (f.code != errc::directory_offset_invalid) return f;
      return repair_at_end();
    }
    return repair_tables(true);
  }

 private:
  using h = sparse_extent_header;
  using walk_type = table_walk<sparse_format, Target>;

  [[nodiscard]] constexpr Target& target() const noexcept { return *extent_->target; }
  [[nodiscard]] constexpr sparse_extent_header& header() const noexcept { return extent_->header; }

  [[nodiscard]] constexpr stream_view<Target> view(bool in_front) const noexcept {
    return stream_view<Target>(target(), header(), in_front, extent_->choice.is_footer_usable);
  }

  /// Finds the directory behind the grains: the one counts that has the most of them right.
  constexpr failure repair_at_end() noexcept {
    const sparse_extent_header& footer = extent_->choice.footer;
    const std::uint64_t footer_directory =
        extent_->choice.is_footer_usable ? footer.gd_offset.get() : 0;
    // A footer that neither has redundant tables nor could name them is right about that.
    if (footer_directory != 0 && footer.rgd_offset == 0 &&
        !footer.has(sparse_flags::redundant_tables)) {
      extent_->drop_copy();
    }
    const std::uint64_t header_directory =
        extent_->choice.header.has_tables_at_end() ? 0 : extent_->choice.header.gd_offset.get();
    stream_view<Target> stream = view(false);
    if (failure f = stream.look()) return f;
    const std::uint64_t wanted[] = {stream.facts().directory, footer_directory, header_directory};
    const directory_search<Target> search(target(), header(), extent_->share.windows);
    extent_->is_copy_lost = header().has(sparse_flags::redundant_tables) &&
                            header().rgd_offset != 0 && !search.may_hold(header().rgd_offset);
    std::uint64_t best = 0;
    std::uint64_t best_matches = 0;
    for (const std::uint64_t sector : wanted) {
      if (sector == 0 || sector == best || !search.may_hold(sector)) continue;
      header().gd_offset = sector;
      walk_type walk(target(), extent_->format(), extent_->share.windows);
      const auto matches = stream_tables<Target>(stream, walk).matches();
      if (!matches) return matches.error();
      if (best != 0 && *matches <= best_matches) continue;
      best = sector;
      best_matches = *matches;
    }
    if (best == 0 || !extent_->choice.is_footer_usable) return rebuild_end(stream);
    header().gd_offset = best;
    return repair_tables(false);
  }

  /// Mends a stream whose directory is where the header says.
  constexpr failure repair_tables(bool in_front) noexcept {
    walk_type walk(target(), extent_->format(), extent_->share.windows);
    entry_judge<Target> judge(target(), header());
    if (failure f = correct_overhead(walk, judge, in_front)) return f;
    const auto is_other = has_other_grains(target(), header(), *decoder_, extent_->share.rest);
    if (!is_other) return is_other.error();
    if (*is_other) return image_failure(errc::grain_size_invalid, offsetof(h, grain_size));
    stream_view<Target> stream = view(in_front);
    gap_search<Target> gaps(stream, walk, judge);
    if (failure f = gaps.fill()) return f;
    const auto hints = hint_search<Target>(stream, walk).collect();
    if (!hints) return hints.error();
    if (hints->is_full) return rebuild_end(stream);
    table_finder<Target> finder(walk, judge, *hints, header().over_head);
    pair_walk<Target> pairs(walk, finder);
    if (stream.facts().is_complete()) {
      const auto is_missing = lacks_tables(stream, pairs);
      if (!is_missing) return is_missing.error();
      if (*is_missing) return rebuild_end(stream);
    }
    if (failure f = refuse_overlap(pairs, extent_->share.rest)) return f;
    extent_->tell_lost_directory();
    directory_mender<Target> directories(target(), pairs);
    if (failure f = directories.plan()) return f;
    dispute_list disputes(extent_->share.rest);
    table_mender<Target> tables(target(), pairs, judge, disputes);
    marker_settler<Target> settler(target(), stream, pairs);
    if (failure f = tables.mend_marked([&] { return settler.settle(disputes); })) return f;
    if (failure f = directories.mend()) return f;
    if (failure f = mend_markers(target(), stream)) return f;
    if (in_front) {
      if (failure f = cut_behind_grains(stream, pairs)) return f;
    } else {
      if (failure f = directories.mend_tail()) return f;
      if (failure f = extent_->mend_footer()) return f;
    }
    return extent_->mend_header();
  }

  /// The walk begins at the first grain that the tables have right, when the overhead is behind it
  /// or no marker stands there.
  constexpr failure correct_overhead(walk_type& walk, entry_judge<Target>& judge,
                                     bool in_front) noexcept {
    marker_walk<Target> start(target(), extent_->geometry(), header().over_head);
    const auto item = start.next();
    if (!item) return item.error();
    const bool is_start = item->kind != marker_kind::no_marker && item->kind != marker_kind::zero &&
                          item->kind != marker_kind::nothing && header().over_head != 0;
    if (is_start && !in_front) return no_failure;
    const stream_view<Target> stream = view(in_front);
    const stream_tables<Target> tables(stream, walk);
    const auto lowest = tables.lowest_behind(judge, 0);
    if (!lowest) return lowest.error();
    // A grain with a broken marker is no reason to begin behind it.
    const auto is_named = tables.is_named(header().over_head);
    if (!is_named) return is_named.error();
    const bool is_behind = !is_start && !*is_named;
    if (*lowest != 0 && (is_behind || *lowest < header().over_head)) header().over_head = *lowest;
    return no_failure;
  }

  /// True when a grain of the stream belongs to a table that is nowhere.
  [[nodiscard]] constexpr result<bool> lacks_tables(const stream_view<Target>& stream,
                                                    pair_walk<Target>& pairs) noexcept {
    bool is_missing = false;
    const auto facts = stream.scan([&](const marker_item& item) -> failure {
      if (item.kind != marker_kind::grain) return no_failure;
      if (!stream.is_place(item.lba)) return no_failure;
      const auto entry = pairs.entry_of(item.lba >> extent_->geometry().grain_shift());
      if (!entry) return entry.error();
      is_missing = is_missing || (!entry->has(0) && !entry->has(1));
      return no_failure;
    });
    if (!facts) return facts.error();
    return is_missing;
  }

  /// Cuts a grain off that goes on behind the end of the file, with tables in front; or what is
  /// left of its marker. Where the grains should begin before the metadata ends, it stays.
  constexpr failure cut_behind_grains(const stream_view<Target>& stream,
                                      pair_walk<Target>& pairs) noexcept {
    const stream_facts& facts = stream.facts();
    const std::uint64_t end_at = facts.stopped_at << sector_shift;
    const bool is_piece = facts.stopped_by == marker_kind::nothing &&
                          facts.stopped_at == extent_->file_sectors() && end_at < target().size();
    if (facts.stopped_by != marker_kind::cut && !is_piece) return no_failure;
    const auto metadata_end = metadata_end_sector(pairs);
    if (!metadata_end) return metadata_end.error();
    if (facts.stopped_at < *metadata_end) return no_failure;
    target().tell({.kind = repair_kind::file_cut,
                   .offset = end_at,
                   .before = target().size(),
                   .after = end_at + sector_bytes});
    if (failure f = target().barrier()) return f;
    // What stops in between ends in a grain that is cut, as before.
    if (target().size() > end_at + sector_bytes) {
      if (failure f = target().resize(end_at + sector_bytes)) return f;
      if (failure f = target().barrier()) return f;
    }
    return target().write(end_at, sector_image{});
  }

  /// Errors: those of lost_end.
  constexpr failure rebuild_end(const stream_view<Target>& stream) noexcept {
    return lost_end<Target, D>(*extent_, *decoder_).rebuild(stream);
  }

  mended_extent<Target>* extent_;
  D* decoder_;
};

}  // namespace vmdk::detail
