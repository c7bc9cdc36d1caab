// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/bytes.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/marker.hpp"
#include "vmdk/format/sparse_header.hpp"
#include "vmdk/format/sparse_header_check.hpp"

namespace vmdk {

/// The end of a stream: footer marker, footer, end-of-stream marker (SPEC 5).
inline constexpr std::uint32_t stream_tail_bytes = 3 * sector_bytes;

/// Checks that a footer agrees with its header in everything but the place of the directory.
/// `report` is called as by check_sparse_header; footer_at is added to the offsets.
template <class Report>
constexpr void check_footer_agrees(const sparse_extent_header& header,
                                   const sparse_extent_header& footer, Report&& report,
                                   std::uint64_t footer_at = 0) noexcept {
  using h = sparse_extent_header;
  const auto same = [&](bool equal, std::size_t offset) {
    return equal || report(errc::footer_mismatch, footer_at + offset);
  };
  (void)(same(header.version == footer.version.get(), offsetof(h, version)) &&
         same(header.flags == footer.flags.get(), offsetof(h, flags)) &&
         same(header.capacity == footer.capacity.get(), offsetof(h, capacity)) &&
         same(header.grain_size == footer.grain_size.get(), offsetof(h, grain_size)) &&
         same(header.descriptor_offset == footer.descriptor_offset.get(),
              offsetof(h, descriptor_offset)) &&
         same(header.descriptor_size == footer.descriptor_size.get(),
              offsetof(h, descriptor_size)) &&
         same(header.num_gtes_per_gt == footer.num_gtes_per_gt.get(),
              offsetof(h, num_gtes_per_gt)) &&
         same(header.over_head == footer.over_head.get(), offsetof(h, over_head)) &&
         same(header.compress_algorithm == footer.compress_algorithm.get(),
              offsetof(h, compress_algorithm)));
}

}  // namespace vmdk
