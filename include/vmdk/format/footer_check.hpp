// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "vmdk/core/bytes.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/marker.hpp"
#include "vmdk/format/sparse_header.hpp"
#include "vmdk/format/sparse_header_check.hpp"

namespace vmdk {

/// The end of a stream: footer marker, footer, end-of-stream marker (SPEC 5).
inline constexpr std::uint32_t stream_tail_bytes = 3 * sector_bytes;

namespace detail {

/// What of a header its footer repeats.
struct repeated_field {
  std::uint8_t offset;
  std::uint8_t bytes;
};
inline constexpr repeated_field repeated_fields[] = {
    {offsetof(sparse_extent_header, version), 4},
    {offsetof(sparse_extent_header, flags), 4},
    {offsetof(sparse_extent_header, capacity), 8},
    {offsetof(sparse_extent_header, grain_size), 8},
    {offsetof(sparse_extent_header, descriptor_offset), 8},
    {offsetof(sparse_extent_header, descriptor_size), 8},
    {offsetof(sparse_extent_header, num_gtes_per_gt), 4},
    {offsetof(sparse_extent_header, over_head), 8},
    {offsetof(sparse_extent_header, compress_algorithm), 2},
};

}  // namespace detail

/// Checks that a footer agrees with its header in everything but the place of the directory.
/// `report` is called as by check_sparse_header; footer_at is added to the offsets.
template <class Report>
constexpr void check_footer_agrees(const sparse_extent_header& header,
                                   const sparse_extent_header& footer, Report&& report,
                                   std::uint64_t footer_at = 0) noexcept {
  const auto compare = [&](const std::byte* one, const std::byte* other) {
    for (const auto [offset, bytes] : detail::repeated_fields) {
      if (!equal_bytes(one + offset, other + offset, bytes) &&
          !report(errc::footer_mismatch, footer_at + offset)) {
        return;
      }
    }
  };
  if (std::is_constant_evaluated()) {
    const sector_image one = encode(header), other = encode(footer);
    compare(one.data(), other.data());
  } else {
    compare(reinterpret_cast<const std::byte*>(&header),
            reinterpret_cast<const std::byte*>(&footer));
  }
}

}  // namespace vmdk
