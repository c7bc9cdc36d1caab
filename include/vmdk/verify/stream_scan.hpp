// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/sparse_geometry.hpp"
#include "vmdk/verify/marker_walk.hpp"

namespace vmdk::detail {

/// A sector of a stream that should hold a marker and does not, and where the walk goes on.
struct marker_gap {
  std::uint64_t sector = 0;
  std::uint64_t next_sector = 0;
  marker_kind wanted = marker_kind::nothing;  ///< What should stand here, if that is known.
};

struct marker_gaps {
  std::array<marker_gap, 16> kept{};
  std::size_t count = 0;

  [[nodiscard]] constexpr bool is_full() const noexcept { return count == kept.size(); }
  constexpr void add(const marker_gap& gap) noexcept { kept.data()[count++] = gap; }
  [[nodiscard]] constexpr const marker_gap* find(std::uint64_t sector) const noexcept {
    for (std::size_t i = 0; i < count; ++i) {
      if (kept.data()[i].sector == sector) return kept.data() + i;
    }
    return nullptr;
  }
};

/// What a walk over a stream came to.
struct stream_facts {
  std::uint64_t grains = 0;
  std::uint64_t misplaced = 0;        ///< Grains whose place on the disk cannot be, or comes twice.
  std::uint64_t first_misplaced = 0;  ///< The sector of the first of them.
  std::uint64_t last_grain = 0;       ///< Its sector.
  std::uint64_t content_end = 0;      ///< The sector behind the last whole grain or table.
  std::uint64_t directory = 0;        ///< Behind its marker; 0: none.
  std::uint64_t footer = 0;           ///< Its marker's sector; 0: none.
  std::uint64_t stopped_at = 0;       ///< Where the walk ended.
  marker_kind stopped_by = marker_kind::nothing;
  bool has_holes = false;  ///< Zeros, which elsewhere are a stream's end, stand before a grain.

  /// False when something stopped the walk before the stream's end.
  [[nodiscard]] constexpr bool is_complete() const noexcept {
    return stopped_by != marker_kind::no_marker;
  }
};

/// Where a stream may end.
struct stream_end {
  bool passes_zeros = false;      ///< Tables stand in front: the file's size says where the end is.
  std::uint64_t last_sector = 0;  ///< Not 0: a footer says that the end is here and nowhere else.
  std::uint64_t limit_sector = 0xFFFFFFFFFFFFFFFF;  ///< Nothing from here on is read.
};

/// Walks over a stream from one of its markers on. `visit(const marker_item&) -> failure` gets
/// whole grains and tables. Errors: those of the file and of `visit`.
template <class File, class Visit>
[[nodiscard]] constexpr result<stream_facts> scan_stream(
    File& file, const sparse_geometry& geometry, std::uint64_t first_sector, const stream_end& end,
    const marker_gaps& gaps, Visit&& visit) noexcept {
  stream_facts facts;
  facts.content_end = first_sector;
  marker_walk<File> walk(file, geometry, first_sector);
  std::uint64_t last_lba = 0;
  bool passed_zeros = false;
  while (true) {
    if (walk.sector() >= end.limit_sector) {
      facts.stopped_at = walk.sector();
      facts.stopped_by = marker_kind::nothing;
      return facts;
    }
    auto item = walk.next();
    if (!item) return item.error();
    if (const marker_gap* const gap = gaps.find(item->sector)) {
      item->kind = gap->wanted;
      walk.go_to(gap->next_sector);
      if (gap->wanted == marker_kind::nothing) {
        facts.content_end = gap->next_sector;
        continue;
      }
    } else if (end.last_sector != 0) {
      if (item->sector == end.last_sector) {
        item->kind = marker_kind::zero;
      } else if (item->kind == marker_kind::zero || item->kind == marker_kind::cut ||
                 item->kind == marker_kind::nothing) {
        item->kind = marker_kind::no_marker;
      }
    }
    facts.stopped_at = item->sector;
    facts.stopped_by = item->kind;
    switch (item->kind) {
      case marker_kind::grain: {
        const bool can_be = (item->lba & (geometry.grain_sectors() - 1)) == 0 &&
                            item->lba < geometry.capacity_sectors();
        if (!can_be || (facts.grains != 0 && item->lba == last_lba)) {
          if (facts.misplaced++ == 0) facts.first_misplaced = item->sector;
        }
        last_lba = item->lba;
        facts.has_holes = passed_zeros;
        ++facts.grains;
        facts.last_grain = item->sector;
        facts.content_end = walk.sector();
        if (failure f = visit(*item)) return f;
        continue;
      }
      case marker_kind::table:
        facts.content_end = walk.sector();
        if (failure f = visit(*item)) return f;
        continue;
      case marker_kind::directory:
        facts.directory = item->sector + 1;
        continue;
      case marker_kind::footer:
        facts.footer = item->sector;
        continue;
      case marker_kind::progress:
        continue;
      case marker_kind::zero:
        if (!end.passes_zeros) return facts;
        passed_zeros = true;
        continue;
      default:  // no_marker, cut, nothing
        return facts;
    }
  }
}

}  // namespace vmdk::detail
