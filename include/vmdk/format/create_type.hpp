// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "vmdk/format/extent_line.hpp"

namespace vmdk {

/// What a descriptor says the disk is (SPEC 1). The first five are written, the others only read.
enum class create_type : std::uint8_t {
  unknown,
  monolithic_sparse,
  stream_optimized,
  two_gb_max_extent_sparse,
  monolithic_flat,
  two_gb_max_extent_flat,
  vmfs,
  vmfs_thin,
  vmfs_preallocated,
  vmfs_eager_zeroed_thick,
  vmfs_thick,
  vmfs_sparse,
  se_sparse,
  vmfs_rdm,
  vmfs_rdm_passthrough,
  vmfs_raw,
  full_device,
  partitioned_device,
  custom,
};

inline constexpr detail::word<create_type> create_type_words[] = {
    {"monolithicSparse", create_type::monolithic_sparse},
    {"streamOptimized", create_type::stream_optimized},
    {"twoGbMaxExtentSparse", create_type::two_gb_max_extent_sparse},
    {"2GbMaxExtentSparse", create_type::two_gb_max_extent_sparse},
    {"monolithicFlat", create_type::monolithic_flat},
    {"twoGbMaxExtentFlat", create_type::two_gb_max_extent_flat},
    {"2GbMaxExtentFlat", create_type::two_gb_max_extent_flat},
    {"vmfs", create_type::vmfs},
    {"vmfsThin", create_type::vmfs_thin},
    {"vmfsPreallocated", create_type::vmfs_preallocated},
    {"vmfsEagerZeroedThick", create_type::vmfs_eager_zeroed_thick},
    {"vmfsThick", create_type::vmfs_thick},
    {"vmfsSparse", create_type::vmfs_sparse},
    {"seSparse", create_type::se_sparse},
    {"vmfsSeSparse", create_type::se_sparse},
    {"vmfsRawDeviceMap", create_type::vmfs_rdm},
    {"vmfsRDM", create_type::vmfs_rdm},
    {"vmfsPassthroughRawDeviceMap", create_type::vmfs_rdm_passthrough},
    {"vmfsRDMP", create_type::vmfs_rdm_passthrough},
    {"vmfsRaw", create_type::vmfs_raw},
    {"fullDevice", create_type::full_device},
    {"partitionedDevice", create_type::partitioned_device},
    {"custom", create_type::custom},
};

/// True for the types whose descriptor lies inside their one sparse file.
[[nodiscard]] constexpr bool has_embedded_descriptor(create_type type) noexcept {
  return type == create_type::monolithic_sparse || type == create_type::stream_optimized;
}

/// True for the types that have one extent by definition.
[[nodiscard]] constexpr bool has_single_extent(create_type type) noexcept {
  return has_embedded_descriptor(type) || type == create_type::monolithic_flat;
}

/// True when a disk of this type may have an extent of that one. Holes stand in any disk that has
/// its descriptor in a text file.
[[nodiscard]] constexpr bool fits(create_type disk, extent_type extent) noexcept {
  if (extent == extent_type::zero) return !has_embedded_descriptor(disk);
  switch (disk) {
    case create_type::unknown:
    case create_type::custom:
      return true;
    case create_type::monolithic_sparse:
    case create_type::stream_optimized:
    case create_type::two_gb_max_extent_sparse:
      return extent == extent_type::sparse;
    case create_type::monolithic_flat:
    case create_type::two_gb_max_extent_flat:
    case create_type::full_device:
    case create_type::partitioned_device:
      return extent == extent_type::flat;
    case create_type::vmfs_sparse:
      return extent == extent_type::vmfs_sparse;
    case create_type::se_sparse:
      return extent == extent_type::se_sparse;
    case create_type::vmfs_rdm:
    case create_type::vmfs_rdm_passthrough:
      return extent == extent_type::vmfs_rdm;
    case create_type::vmfs_raw:
      return extent == extent_type::vmfs_raw;
    default:
      return extent == extent_type::vmfs;
  }
}

}  // namespace vmdk
