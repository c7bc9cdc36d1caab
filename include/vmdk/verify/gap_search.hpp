// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/sparse_geometry.hpp"
#include "vmdk/verify/entry_judge.hpp"
#include "vmdk/verify/marker_walk.hpp"
#include "vmdk/verify/stream_tables.hpp"
#include "vmdk/verify/stream_view.hpp"
#include "vmdk/verify/table_walk.hpp"

namespace vmdk::detail {

/// Finds what stands in a stream and is no marker, or another one than directory, footer and file
/// size say. The tables tell where the next marker is. A stream whose tables are not in front has a
/// footer. All errors are the file's.
template <class File>
class gap_search {
 public:
  using walk_type = table_walk<sparse_format, File>;

  constexpr gap_search(stream_view<File>& stream, walk_type& walk,
                       entry_judge<File>& judge) noexcept
      : stream_(&stream), walk_(&walk), judge_(&judge) {}

  /// Walks over the stream again and again, until it finds no further gap.
  constexpr failure fill() noexcept {
    while (true) {
      if (failure f = stream_->look()) return f;
      const auto gap = find();
      if (!gap) return gap.error();
      if (gap->next_sector <= gap->sector || stream_->gaps().is_full()) return no_failure;
      stream_->add_gap(*gap);
    }
  }

 private:
  [[nodiscard]] constexpr const sparse_geometry& geometry() const noexcept {
    return stream_->geometry();
  }

  /// The next sector of the walk that should hold another marker than it does. A gap of no length
  /// when there is none, or nobody knows where the next marker is.
  [[nodiscard]] constexpr result<marker_gap> find() const noexcept {
    const std::uint64_t stopped_at = stream_->facts().stopped_at;
    marker_walk<File> walk(stream_->file(), geometry(), stream_->first_sector());
    while (!stream_->is_in_front()) {
      const auto item = walk.next();
      if (!item) return item.error();
      if (const marker_gap* const known = stream_->gaps().find(item->sector)) {
        walk.go_to(known->next_sector);
        continue;
      }
      const auto told = metadata_at(*item);
      if (!told) return told.error();
      // What is behind a sector that should have been another is not to be trusted.
      if (told->next_sector != 0) return *told;
      if (item->sector >= stopped_at) break;
    }
    if (stream_->facts().is_complete()) return marker_gap{};
    const stream_tables<File> tables(*stream_, *walk_);
    const auto next = tables.lowest_behind(*judge_, stopped_at);
    if (!next) return next.error();
    return marker_gap{.sector = stopped_at, .next_sector = *next != 0 ? *next : stopped_at};
  }

  /// What footer, directory and header say of a sector, where it holds something else; a gap with
  /// next_sector 0 where it does not.
  [[nodiscard]] constexpr result<marker_gap> metadata_at(const marker_item& item) const noexcept {
    const std::uint64_t directory = walk_->format().directory_at(0) >> sector_shift;
    const auto should_be = [&](marker_kind wanted, std::uint64_t next_sector) {
      return item.kind == wanted
                 ? marker_gap{}
                 : marker_gap{.sector = item.sector, .next_sector = next_sector, .wanted = wanted};
    };
    if (item.sector == stream_->footer_sector()) {
      return should_be(marker_kind::footer, item.sector + 2);
    }
    if (item.sector + 1 == directory) {
      return should_be(marker_kind::directory, directory + geometry().directory_sectors());
    }
    const bool is_sure = item.kind == marker_kind::table ||
                         (item.kind == marker_kind::grain && stream_->is_place(item.lba));
    for (std::uint64_t table = 0; !is_sure && table < geometry().table_count(); ++table) {
      const auto entry = walk_->directory_entry(0, table);
      if (!entry) return entry.error();
      if (*entry == item.sector + 1) {
        return should_be(marker_kind::table, *entry + table_sectors);
      }
    }
    return marker_gap{};
  }

  stream_view<File>* stream_;
  walk_type* walk_;
  entry_judge<File>* judge_;
};

}  // namespace vmdk::detail
