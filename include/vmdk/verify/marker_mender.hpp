// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/bytes.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/marker.hpp"
#include "vmdk/format/sparse_header.hpp"
#include "vmdk/verify/marker_walk.hpp"
#include "vmdk/verify/repair_step.hpp"
#include "vmdk/verify/stream_view.hpp"

namespace vmdk::detail {

/// Writes the markers of a stream that were not what they should be, and tells what is left: gaps
/// of which nobody knows what should be there. Errors: the file's.
template <class Target>
constexpr failure mend_markers(Target& target, const stream_view<Target>& stream) noexcept {
  for (std::size_t i = 0; i < stream.gaps().count; ++i) {
    const marker_gap& gap = stream.gaps().kept.data()[i];
    const std::uint64_t offset = gap.sector << sector_shift;
    sector_image marker{};
    switch (gap.wanted) {
      case marker_kind::table:
        encode_marker(marker_type::grain_table, table_sectors, marker.data());
        break;
      case marker_kind::directory:
        encode_marker(marker_type::grain_directory, stream.geometry().directory_sectors(),
                      marker.data());
        break;
      case marker_kind::footer:
        encode_marker(marker_type::footer, 1, marker.data());
        break;
      default:
        target.tell({.kind = repair_kind::grain_left, .offset = offset});
        continue;
    }
    const repair_step step{.kind = repair_kind::marker_restored, .offset = offset};
    if (failure f = target.change(step, marker)) return f;
  }
  if (!stream.has_footer()) return no_failure;
  sector_image last{};
  const std::uint64_t end_at = target.size() - sector_bytes;
  if (failure f = target.read_at(end_at, last)) return f;
  if (is_zero(last.data(), last.size())) return no_failure;
  const repair_step step{.kind = repair_kind::marker_restored, .offset = end_at};
  return target.change(step, sector_image{});
}

}  // namespace vmdk::detail
