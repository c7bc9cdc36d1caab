// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/descriptor_builder.hpp"
#include "vmdk/format/sparse_header_check.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/io/put_zeros.hpp"
#include "vmdk/layout/types.hpp"

namespace vmdk::detail {

/// Writes the descriptor and the zeros behind it.
template <Sink K>
[[nodiscard]] constexpr failure write_embedded_descriptor(K& sink, const descriptor_fields& fields,
                                                          const extent_line& extent,
                                                          std::uint64_t region_bytes) noexcept {
  const std::array<extent_line, 1> extents{extent};
  if (failure f = write_descriptor(fields, extents, sink)) return f;
  return put_zeros(sink, region_bytes - descriptor_bytes(fields, extents));
}

/// The sectors that a descriptor is given: room to edit it, or more if its text needs more.
[[nodiscard]] constexpr result<std::uint32_t> embedded_descriptor_sectors(
    const descriptor_fields& fields, const extent_line& extent) noexcept {
  const std::array<extent_line, 1> extents{extent};
  if (failure f = check_descriptor_fields(fields, extents)) return f;
  const auto needed =
      static_cast<std::uint32_t>(ceil_shift(descriptor_bytes(fields, extents), sector_shift));
  static_assert(descriptor_max_bytes >> sector_shift <= embedded_descriptor_limit_sectors);
  return fields.style == descriptor_style::mkimg ? needed
                                                 : larger_of(needed, usual_descriptor_sectors);
}

}  // namespace vmdk::detail
