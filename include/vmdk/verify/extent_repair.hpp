// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/footer_check.hpp"
#include "vmdk/format/sparse_header.hpp"
#include "vmdk/format/sparse_header_check.hpp"
#include "vmdk/verify/check_memory.hpp"
#include "vmdk/verify/compressed_grains.hpp"
#include "vmdk/verify/descriptor_text.hpp"
#include "vmdk/verify/directory_search.hpp"
#include "vmdk/verify/entry_judge.hpp"
#include "vmdk/verify/grain_probe.hpp"
#include "vmdk/verify/header_choice.hpp"
#include "vmdk/verify/header_mender.hpp"
#include "vmdk/verify/link_facts.hpp"
#include "vmdk/verify/repair_target.hpp"
#include "vmdk/verify/stream_mender.hpp"
#include "vmdk/verify/stream_tail.hpp"
#include "vmdk/verify/table_finder.hpp"
#include "vmdk/verify/table_mender.hpp"

namespace vmdk::detail {

/// Repairs one hosted sparse file (SPEC 13.7). First everything is read that may be a reason to
/// refuse; then tables, directories, and at last the header are mended, so that no step leads to
/// what is not there yet.
template <class Target, class D>
class extent_repairer {
 public:
  constexpr extent_repairer(Target& target, D& decoder, byte_span room) noexcept
      : target_(&target), decoder_(&decoder), room_(room), share_(room) {}

  /// Errors, before anything was written: what is wrong where nothing else tells how it was;
  /// errc::workspace_too_small. Those of the file.
  constexpr failure repair() noexcept {
    const auto chosen = choose_header(*target_, [&](const sparse_extent_header& header) {
      const auto grain = has_other_grains(header);
      if (!grain || *grain) return grain ? result<unsigned>(1u) : result<unsigned>(grain.error());
      return contradicts(header);
    });
    if (!chosen) return chosen.error();
    choice_ = *chosen;
    header_ = choice_.taken;
    const auto other_capacity = contradicts(header_);
    if (!other_capacity) return other_capacity.error();
    if (*other_capacity != 0) {
      return image_failure(errc::descriptor_capacity_mismatch,
                           offsetof(sparse_extent_header, capacity));
    }
    return header_.is_compressed() ? repair_stream() : repair_plain();
  }

 private:
  using walk_type = table_walk<sparse_format, Target>;
  using h = sparse_extent_header;

  /// A log that nobody reads.
  struct no_log {
    constexpr failure add(const finding&) noexcept { return no_failure; }
  };

  [[nodiscard]] constexpr std::uint64_t file_sectors() const noexcept {
    return target_->size() >> sector_shift;
  }
  [[nodiscard]] constexpr sparse_geometry geometry() const noexcept {
    return sparse_geometry(header_.capacity, header_.grain_size);
  }

  /// 1 when the embedded descriptor gives the disk another size than a header, else 0. A text that
  /// cannot be read says nothing.
  [[nodiscard]] constexpr result<unsigned> contradicts(
      const sparse_extent_header& header) noexcept {
    if (std::is_constant_evaluated() || header.descriptor_offset == 0) return 0u;
    return contradicts_text(header);
  }
  [[nodiscard]] result<unsigned> contradicts_text(const sparse_extent_header& header) noexcept {
    const range region{header.descriptor_offset << sector_shift,
                       header.descriptor_size << sector_shift};
    no_log log;
    const auto text =
        check_descriptor_text(*target_, region, descriptor_place::embedded, room_, log);
    if (!text) {
      if (text.error().code == errc::workspace_too_small) return 0u;
      return text.error();
    }
    if (!text->is_usable) return 0u;
    return is_same_capacity(header.capacity, text->view.total_sectors(), true) ? 0u : 1u;
  }

  /// Puts both directories' places into header_. Errors: those of directory_search.
  constexpr failure place_directories() noexcept {
    directory_search<Target> search(*target_, header_, share_.windows);
    const failure f = search.place();
    is_copy_lost_ = search.is_copy_lost();
    return f;
  }

  [[nodiscard]] constexpr header_mender<Target> headers() noexcept {
    return header_mender<Target>(*target_, choice_);
  }

  [[nodiscard]] constexpr sparse_format format() const noexcept {
    sparse_extent_header taken = header_;
    if (is_copy_lost_) taken.rgd_offset = header_.gd_offset.get();
    return sparse_format(taken, target_->size());
  }

  constexpr failure repair_plain() noexcept {
    if (failure f = place_directories()) return f;
    walk_type walk(*target_, format(), share_.windows);
    entry_judge<Target> judge(*target_, header_);
    judge.allows_zeroed = header_.has(sparse_flags::zeroed_grains);
    judge.floor_sector = header_.over_head;
    const table_hints hints;
    table_finder<Target> finder(walk, judge, hints, header_.over_head);
    table_mender<Target> tables(*target_, walk, finder, judge, share_.rest);
    const auto found = tables.survey(header_.over_head);
    if (!found) return found.error();
    if (failure f = refuse_overlap(tables)) return f;
    correct_overhead(*found, finder.copies() == 2, judge);
    if (!judge.allows_zeroed && header_.version >= 2 && found->ones != 0) {
      // Version 2 is what zeroed grains are for.
      judge.allows_zeroed = true;
      header_.flags = header_.flags | sparse_flags::zeroed_grains;
    }
    if (is_copy_lost_) {
      target_->tell({.kind = repair_kind::directory_left, .offset = offsetof(h, rgd_offset)});
    }
    if (failure f = tables.plan_directory()) return f;
    if (failure f = tables.mend_plain(!found->do_overlap)) return f;
    if (failure f = target_->barrier()) return f;
    if (failure f = tables.mend_directory()) return f;
    return headers().mend_header(header_);
  }

  /// Errors: errc::table_overlap where what is written to one table would be read from another.
  static constexpr failure refuse_overlap(table_mender<Target>& tables) noexcept {
    const auto sector = tables.find_overlap();
    if (!sector) return sector.error();
    if (*sector == 0) return no_failure;
    return image_failure(errc::table_overlap, *sector << sector_shift);
  }

  /// Grains that all copies name are there, whatever the overhead says.
  constexpr void correct_overhead(const table_survey& found, bool is_twice,
                                  entry_judge<Target>& judge) noexcept {
    const std::uint64_t stated = header_.over_head;
    const bool contradicted =
        found.below_overhead != 0 && (is_twice || found.below_overhead * 2 > found.grains);
    if (contradicted || stated > file_sectors()) {
      const std::uint64_t end = found.metadata_end_sector;
      const std::uint64_t aligned = align_up(end, header_.grain_size);
      const std::uint64_t most = smaller_of(found.lowest_grain_sector, file_sectors());
      header_.over_head = aligned <= most ? aligned : most;
    }
    judge.floor_sector = header_.over_head;
    // Of a single copy nothing says whether the entry or the overhead is wrong.
    if (!is_twice) judge.floor_sector = smaller_of(judge.floor_sector, found.metadata_end_sector);
  }

  constexpr failure repair_stream() noexcept {
    const bool at_end = choice_.is_footer_usable || header_.has_tables_at_end() ||
                        (header_.over_head != 0 && header_.gd_offset >= header_.over_head);
    if (at_end) return repair_stream_at_end();
    if (failure f = place_directories()) {
      // Tables that cannot be found in front are written behind the grains.
      if (f.code != errc::directory_offset_invalid || f.from != origin::image) return f;
      return repair_stream_at_end();
    }
    return repair_stream_tables(true);
  }

  constexpr failure repair_stream_at_end() noexcept {
    const std::uint64_t footer_directory =
        choice_.is_footer_usable ? choice_.footer.gd_offset.get() : 0;
    const std::uint64_t header_directory =
        choice_.header.has_tables_at_end() ? 0 : choice_.header.gd_offset.get();
    entry_judge<Target> judge(*target_, header_);
    stream_mender<Target> stream(*target_, header_, false, choice_.is_footer_usable);
    if (failure f = stream.look(nullptr, judge)) return f;
    const std::uint64_t wanted[] = {stream.facts().directory, footer_directory, header_directory};
    const directory_search<Target> search(*target_, header_, share_.windows);
    is_copy_lost_ = header_.has(sparse_flags::redundant_tables) && header_.rgd_offset != 0 &&
                    !search.may_hold(header_.rgd_offset);
    std::uint64_t best = 0;
    std::uint64_t best_matches = 0;
    for (const std::uint64_t sector : wanted) {
      if (sector == 0 || sector == best || !search.may_hold(sector)) continue;
      header_.gd_offset = sector;
      walk_type walk(*target_, format(), share_.windows);
      const auto matches = stream.matches(walk);
      if (!matches) return matches.error();
      if (best != 0 && *matches <= best_matches) continue;
      best = sector;
      best_matches = *matches;
    }
    if (best == 0 || !choice_.is_footer_usable) return rebuild_tail(stream);
    header_.gd_offset = best;
    return repair_stream_tables(false);
  }

  /// Mends a stream whose directory is at header_.gd_offset.
  constexpr failure repair_stream_tables(bool in_front) noexcept {
    walk_type walk(*target_, format(), share_.windows);
    entry_judge<Target> judge(*target_, header_);
    if (failure f = correct_stream_overhead(walk, judge, in_front)) return f;
    const auto is_other = has_other_grains(header_);
    if (!is_other) return is_other.error();
    if (*is_other) return image_failure(errc::grain_size_invalid, offsetof(h, grain_size));
    stream_mender<Target> stream(*target_, header_, in_front, choice_.is_footer_usable);
    if (failure f = stream.look(&walk, judge)) return f;
    if (stream.hints().is_full) return rebuild_tail(stream);
    table_finder<Target> finder(walk, judge, stream.hints(), header_.over_head);
    table_mender<Target> tables(*target_, walk, finder, judge, share_.rest);
    if (stream.facts().is_complete()) {
      const auto is_missing = lacks_tables(stream, tables);
      if (!is_missing) return is_missing.error();
      if (*is_missing) return rebuild_tail(stream);
    }
    if (failure f = refuse_overlap(tables)) return f;
    if (is_copy_lost_) {
      target_->tell({.kind = repair_kind::directory_left, .offset = offsetof(h, rgd_offset)});
    }
    if (failure f = tables.plan_directory()) return f;
    bool is_first = true;
    const auto settle = [&] {
      const bool now = is_first;
      is_first = false;
      return stream.settle(tables, now);
    };
    if (failure f = tables.mend_marked(settle)) return f;
    if (failure f = tables.mend_directory()) return f;
    if (failure f = stream.mend_markers()) return f;
    if (!in_front) {
      if (failure f = stream.mend_directory_tail(walk)) return f;
    }
    if (in_front) {
      if (failure f = cut_behind_grains(stream)) return f;
    } else if (failure f = headers().mend_footer(header_)) {
      return f;
    }
    return headers().mend_header(header_);
  }

  /// The walk begins at the first grain that the tables have right, when the overhead is behind it
  /// or no marker stands there.
  constexpr failure correct_stream_overhead(walk_type& walk, entry_judge<Target>& judge,
                                            bool in_front) noexcept {
    marker_walk<Target> start(*target_, geometry(), header_.over_head);
    const auto item = start.next();
    if (!item) return item.error();
    const bool is_start = item->kind != marker_kind::no_marker && item->kind != marker_kind::zero &&
                          item->kind != marker_kind::nothing && header_.over_head != 0;
    if (is_start && !in_front) return no_failure;
    stream_mender<Target> stream(*target_, header_, in_front, choice_.is_footer_usable);
    const auto lowest = stream.lowest_grain(walk, judge);
    if (!lowest) return lowest.error();
    // A grain with a broken marker is no reason to begin behind it.
    const auto is_named = stream.is_named(walk, header_.over_head);
    if (!is_named) return is_named.error();
    const bool is_behind = !is_start && !*is_named;
    if (*lowest != 0 && (is_behind || *lowest < header_.over_head)) header_.over_head = *lowest;
    return no_failure;
  }

  /// True when a grain of the stream belongs to a table that is nowhere.
  [[nodiscard]] constexpr result<bool> lacks_tables(stream_mender<Target>& stream,
                                                    table_mender<Target>& tables) noexcept {
    bool is_missing = false;
    const auto facts = stream.scan([&](const marker_item& item) -> failure {
      if (item.kind != marker_kind::grain) return no_failure;
      if ((item.lba & (header_.grain_size - 1)) != 0 || item.lba >= header_.capacity) {
        return no_failure;
      }
      const auto entry = tables.entry_of(item.lba >> geometry().grain_shift());
      if (!entry) return entry.error();
      is_missing = is_missing || (entry->at[0] == 0 && entry->at[1] == 0);
      return no_failure;
    });
    if (!facts) return facts.error();
    return is_missing;
  }

  /// Writes the end of a stream anew. Errors: errc::footer_missing where it is not sure where the
  /// grains end; those of stream_tail.
  constexpr failure rebuild_tail(stream_mender<Target>& stream) noexcept {
    const auto refused = image_failure(errc::footer_missing, offsetof(h, gd_offset));
    const stream_facts facts = stream.facts();
    if (!facts.is_complete() || facts.misplaced != 0 || header_.over_head == 0) return refused;
    if (header_.over_head > file_sectors()) return refused;
    // What would be written behind the grains must not lie in the descriptor.
    if (header_.descriptor_offset != 0 &&
        header_.descriptor_offset + header_.descriptor_size > header_.over_head) {
      return refused;
    }
    if (facts.stopped_by == marker_kind::zero) {
      const auto is_end = is_zero_from(facts.stopped_at);
      if (!is_end) return is_end.error();
      if (!*is_end) return refused;
    }
    std::uint64_t end = facts.content_end;
    if (facts.last_grain != 0) {
      for (const std::uint64_t sector : {header_.over_head.get(), facts.last_grain}) {
        const auto state = probe_grain(*target_, header_, sector, *decoder_, share_.rest);
        if (!state) return state.error();
        // The header's grain size is not the stream's: nothing that follows from it can be right.
        if (*state == grain_state::of_other_size) {
          return image_failure(errc::grain_size_invalid, offsetof(h, grain_size));
        }
        if (sector == facts.last_grain && *state == grain_state::torn) end = sector;
      }
    }
    header_.gd_offset = directory_at_end;
    header_.rgd_offset = std::uint64_t{0};
    stream_tail<Target> tail(*target_, header_, stream.gaps(), end, share_.rest);
    if (failure f = tail.plan()) return f;
    if (failure f = stream.mend_markers()) return f;
    if (failure f = tail.write()) return f;
    return headers().mend_header(header_);
  }

  /// True when a file has only zeros from a sector on, or a footer that is to be replaced.
  [[nodiscard]] constexpr result<bool> is_zero_from(std::uint64_t sector) noexcept {
    const byte_span window = share_.rest;
    for (std::uint64_t at = sector << sector_shift; at < target_->size();) {
      const auto bytes =
          static_cast<std::size_t>(smaller_of<std::uint64_t>(target_->size() - at, window.size()));
      if (failure f = target_->read_at(at, window.first(bytes))) return f;
      if (!is_zero(window.data(), bytes)) return false;
      at += bytes;
    }
    return true;
  }

  /// True when the first grain of a stream is not of the size that a header says.
  [[nodiscard]] constexpr result<bool> has_other_grains(
      const sparse_extent_header& header) noexcept {
    const auto state = probe_grain(*target_, header, header.over_head, *decoder_, share_.rest);
    if (!state) return state.error();
    return *state == grain_state::of_other_size;
  }

  /// Cuts a grain off that goes on behind the end of the file, with tables in front.
  constexpr failure cut_behind_grains(stream_mender<Target>& stream) noexcept {
    const stream_facts& facts = stream.facts();
    if (facts.stopped_by != marker_kind::cut) return no_failure;
    const std::uint64_t end_at = facts.stopped_at << sector_shift;
    target_->tell({.kind = repair_kind::file_cut,
                   .offset = end_at,
                   .before = target_->size(),
                   .after = end_at + sector_bytes});
    if (failure f = target_->barrier()) return f;
    if (failure f = target_->write(end_at, sector_image{})) return f;
    return target_->resize(end_at + sector_bytes);
  }

  Target* target_;
  D* decoder_;
  byte_span room_;
  walk_room share_;
  header_choice choice_{};
  sparse_extent_header header_{};
  bool is_copy_lost_ = false;
};

}  // namespace vmdk::detail
