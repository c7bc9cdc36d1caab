// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/sparse_geometry.hpp"
#include "vmdk/verify/dispute_list.hpp"
#include "vmdk/verify/entry_pair.hpp"
#include "vmdk/verify/entry_writer.hpp"
#include "vmdk/verify/marker_walk.hpp"
#include "vmdk/verify/pair_walk.hpp"
#include "vmdk/verify/repair_step.hpp"
#include "vmdk/verify/stream_view.hpp"

namespace vmdk::detail {

/// Settles disputes about compressed grains by the stream: a grain is where its marker is (SPEC
/// 13.7).
template <class Target>
class marker_settler {
 public:
  constexpr marker_settler(Target& target, const stream_view<Target>& stream,
                           pair_walk<Target>& pairs) noexcept
      : target_(&target), stream_(&stream), pairs_(&pairs), entries_(target) {}

  /// Settles all disputes of a list and clears it. The first time, entries of 0 whose grain is
  /// there are set too. Errors: the file's.
  constexpr failure settle(dispute_list& list) noexcept {
    const bool is_first = is_first_;
    is_first_ = false;
    list.sort_values();
    const auto facts = stream_->scan([&](const marker_item& item) -> failure {
      if (item.kind != marker_kind::grain) return no_failure;
      const std::uint64_t grain = item.lba >> geometry().grain_shift();
      const auto own =
          stream_->is_place(item.lba) ? pairs_->entry_of(grain) : result<entry_pair>(entry_pair{});
      if (!own) return own.error();
      const bool is_named = own->value[0] == item.sector || own->value[1] == item.sector;
      bool is_wanted = false;
      list.each_value(item.sector, item.sector + 1, [&](std::size_t i, unsigned) {
        dispute d = list.get(i);
        // This entry names a marker that says something else of itself.
        is_wanted = true;
        d.is_marker = !is_named;
        list.set(i, d);
      });
      if (!stream_->is_place(item.lba) || is_named) return no_failure;
      if (const std::size_t i = list.find_grain(grain); i < list.size()) {
        dispute d = list.get(i);
        if (d.found == 0) d.found = static_cast<std::uint32_t>(item.sector);
        list.set(i, d);
        return no_failure;
      }
      const bool is_unnamed = own->has(0) && own->value[0] == 0 && own->value[1] == 0;
      if (!is_first || is_wanted || !is_unnamed) return no_failure;
      return entries_.put(*own, static_cast<std::uint32_t>(item.sector),
                          repair_kind::entry_restored);
    });
    if (!facts) return facts.error();
    bool is_known = facts->is_complete();
    for (std::size_t i = 0; i < stream_->gaps().count; ++i) {
      is_known = is_known && stream_->gaps().kept.data()[i].wanted != marker_kind::nothing;
    }
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (failure f = settle_one(list.get(i), is_known)) return f;
    }
    list.clear();
    return no_failure;
  }

 private:
  [[nodiscard]] constexpr const sparse_geometry& geometry() const noexcept {
    return stream_->geometry();
  }

  /// `is_known`: the whole stream is, so that a grain which was not found is nowhere.
  constexpr failure settle_one(const dispute& d, bool is_known) noexcept {
    if (d.found != 0) return entries_.put(d, d.found, repair_kind::entry_restored);
    if (d.is_marker) {
      if (!d.agrees()) return entries_.leave(d);
      // The grain is there, and no other marker has its place: its own marker is wrong.
      const std::uint64_t lba = d.grain << geometry().grain_shift();
      const repair_step step{.kind = repair_kind::marker_restored,
                             .offset = std::uint64_t{d.value[d.one_copy()]} << sector_shift};
      return target_->change_value(step, lba);
    }
    if (is_known) return entries_.drop(d);
    return entries_.leave(d);
  }

  Target* target_;
  const stream_view<Target>* stream_;
  pair_walk<Target>* pairs_;
  entry_writer<Target> entries_;
  bool is_first_ = true;
};

}  // namespace vmdk::detail
