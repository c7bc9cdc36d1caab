// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/footer_check.hpp"
#include "vmdk/format/sparse_header.hpp"
#include "vmdk/verify/marker_walk.hpp"
#include "vmdk/verify/stream_scan.hpp"

namespace vmdk::detail {

/// A stream as a walk over its markers shows it, with what the last walk came to and the gaps that
/// are known by now.
template <class File>
class stream_view {
 public:
  /// `is_in_front`: its tables are. `has_footer`: the last three sectors are a footer with its
  /// markers.
  constexpr stream_view(File& file, const sparse_extent_header& header, bool is_in_front,
                        bool has_footer) noexcept
      : file_(&file),
        geometry_(header.capacity, header.grain_size),
        first_sector_(header.over_head),
        is_in_front_(is_in_front),
        has_footer_(has_footer) {}

  [[nodiscard]] constexpr File& file() const noexcept { return *file_; }
  [[nodiscard]] constexpr const sparse_geometry& geometry() const noexcept { return geometry_; }
  /// Where the walk begins.
  [[nodiscard]] constexpr std::uint64_t first_sector() const noexcept { return first_sector_; }
  [[nodiscard]] constexpr bool is_in_front() const noexcept { return is_in_front_; }
  [[nodiscard]] constexpr bool has_footer() const noexcept { return has_footer_; }
  /// Of the footer's marker, where there is one.
  [[nodiscard]] constexpr std::uint64_t footer_sector() const noexcept {
    return (file_->size() - stream_tail_bytes) >> sector_shift;
  }
  [[nodiscard]] constexpr const stream_facts& facts() const noexcept { return facts_; }
  [[nodiscard]] constexpr const marker_gaps& gaps() const noexcept { return gaps_; }

  /// True for the first sector of a grain of the disk.
  [[nodiscard]] constexpr bool is_place(std::uint64_t lba) const noexcept {
    return (lba & (geometry_.grain_sectors() - 1)) == 0 && lba < geometry_.capacity_sectors();
  }

  /// Calls `visit(const marker_item&) -> failure` for each whole grain and each table. Errors:
  /// those of the file and of `visit`.
  template <class Visit>
  [[nodiscard]] constexpr result<stream_facts> scan(Visit&& visit) const noexcept {
    const stream_end end{.passes_zeros = is_in_front_,
                         .last_sector = has_footer_ ? footer_sector() + 2 : 0};
    return scan_stream(*file_, geometry_, first_sector_, end, gaps_, visit);
  }

  /// Walks over the whole stream. Errors: the file's.
  constexpr failure look() noexcept {
    const auto facts = scan([](const marker_item&) { return no_failure; });
    if (!facts) return facts.error();
    facts_ = *facts;
    return no_failure;
  }

  /// Lets further walks go on behind a sector that is no marker. There is room: !gaps().is_full().
  constexpr void add_gap(const marker_gap& gap) noexcept { gaps_.add(gap); }

 private:
  File* file_;
  sparse_geometry geometry_;
  std::uint64_t first_sector_;
  bool is_in_front_;
  bool has_footer_;
  stream_facts facts_{};
  marker_gaps gaps_{};
};

}  // namespace vmdk::detail
