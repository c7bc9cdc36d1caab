// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/endian.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/marker.hpp"
#include "vmdk/format/sparse_geometry.hpp"
#include "vmdk/verify/marker_walk.hpp"
#include "vmdk/verify/stream_view.hpp"
#include "vmdk/verify/table_hints.hpp"
#include "vmdk/verify/table_walk.hpp"

namespace vmdk::detail {

/// Finds tables of a stream by their markers, and by their grains which tables they are. All errors
/// are the file's.
template <class File>
class hint_search {
 public:
  using walk_type = table_walk<sparse_format, File>;

  constexpr hint_search(const stream_view<File>& stream, walk_type& walk) noexcept
      : stream_(&stream), walk_(&walk) {}

  /// Collects the tables that the directory does not name.
  [[nodiscard]] constexpr result<table_hints> collect() const noexcept {
    table_hints hints;
    if (stream_->is_in_front()) return hints;
    std::uint64_t table = 0;
    bool has_grain = false;
    const auto facts = stream_->scan([&](const marker_item& item) -> failure {
      if (item.kind == marker_kind::grain) {
        if (!stream_->is_place(item.lba)) return no_failure;
        // The marker of a single grain may be wrong: the table is asked as well.
        table = item.lba >> geometry().grain_shift() >> sparse_format::table_shift;
        has_grain = true;
        return no_failure;
      }
      const auto told = table_at(item.sector + 1, table, has_grain);
      if (!told) return told.error();
      has_grain = false;
      if (*told >= geometry().table_count()) return no_failure;
      const auto entry = walk_->directory_entry(0, *told);
      if (!entry) return entry.error();
      if (*entry != item.sector + 1) hints.add(*told, item.sector + 1);
      return no_failure;
    });
    if (!facts) return facts.error();
    return hints;
  }

 private:
  [[nodiscard]] constexpr const sparse_geometry& geometry() const noexcept {
    return stream_->geometry();
  }

  /// Which table stands at a sector: most entries' grains tell; of one without, those before it.
  [[nodiscard]] constexpr result<std::uint64_t> table_at(std::uint64_t sector, std::uint64_t guess,
                                                         bool has_guess) const noexcept {
    constexpr std::uint64_t none = 0xFFFFFFFFFFFFFFFF;
    std::uint64_t told = none;
    unsigned votes = 0;
    unsigned asked = 0;
    const failure f = walk_->each_entry(0, sector, [&](const table_entry& entry) -> failure {
      if (asked == 8) return no_failure;
      ++asked;
      std::array<std::byte, grain_marker_bytes> marker{};
      const std::uint64_t offset = entry.value << sector_shift;
      if (!fits_inside(offset, marker.size(), stream_->file().size())) return no_failure;
      if (failure why = stream_->file().read_at(offset, marker)) return why;
      const auto lba = load_le<std::uint64_t>(marker.data());
      const std::uint64_t grain = lba >> geometry().grain_shift();
      const bool is_here = (grain & (entries_per_table - 1)) == entry.index;
      if (!stream_->is_place(lba) || !is_here) return no_failure;
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

  const stream_view<File>* stream_;
  walk_type* walk_;
};

}  // namespace vmdk::detail
