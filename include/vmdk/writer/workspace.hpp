// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "vmdk/core/bytes.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/layout/types.hpp"

namespace vmdk {

/// All the memory that writing an image of a type takes, besides a few hundred bytes of stack. The
/// caller owns it and may use it again for the next image. Specialised for each type.
template <class Type, class... Codec>
struct workspace;

/// For monolithicSparse: one table and one grain. A larger `bulk` is used instead of the grain when
/// there is one: it makes reads larger and saves walks, and never changes the result.
template <std::uint32_t GrainSectors>
struct workspace<monolithic_sparse<GrainSectors>> {
  std::array<std::byte, table_bytes> table{};
  std::array<std::byte, monolithic_sparse<GrainSectors>::grain_sectors * sector_bytes> grain{};
  byte_span bulk{};

  [[nodiscard]] constexpr byte_span buffer() noexcept {
    return bulk.size() > grain.size() ? bulk : byte_span(grain);
  }
};

/// With a grain size known at run time: `bulk` holds at least one grain.
template <>
struct workspace<monolithic_sparse<dynamic_grain>> {
  std::array<std::byte, table_bytes> table{};
  byte_span bulk{};

  [[nodiscard]] constexpr byte_span buffer() noexcept { return bulk; }
};

/// For streamOptimized: the encoder, a table, a grain as it is and as it goes out, and a directory
/// for a small disk. A `directory` of directory_memory_bytes() of the layout is used instead when
/// it is larger, and so is a larger `bulk` instead of the grain; neither changes the result.
template <std::uint32_t GrainSectors, class E>
struct workspace<stream_optimized<GrainSectors>, E> {
  static constexpr std::size_t grain_bytes =
      std::size_t{stream_optimized<GrainSectors>::grain_sectors} * sector_bytes;

  E encoder{};
  std::array<std::byte, sector_bytes + table_bytes> table{};
  std::array<std::byte, sector_bytes> small_directory{};
  std::array<std::byte, grain_bytes> grain{};
  std::array<std::byte, grain_bytes + sector_bytes> packed{};
  byte_span directory{};
  byte_span bulk{};

  [[nodiscard]] constexpr byte_span directory_memory() noexcept {
    return directory.size() > small_directory.size() ? directory : byte_span(small_directory);
  }
  [[nodiscard]] constexpr byte_span buffer(std::size_t /*packed_bytes*/) noexcept {
    return bulk.size() > grain.size() ? bulk : byte_span(grain);
  }
  [[nodiscard]] constexpr byte_span slot(std::size_t /*packed_bytes*/) noexcept { return packed; }
};

/// With a grain size known at run time: `bulk` holds at least two grains and a sector.
template <class E>
struct workspace<stream_optimized<dynamic_grain>, E> {
  E encoder{};
  std::array<std::byte, sector_bytes + table_bytes> table{};
  std::array<std::byte, sector_bytes> small_directory{};
  byte_span directory{};
  byte_span bulk{};

  [[nodiscard]] constexpr byte_span directory_memory() noexcept {
    return directory.size() > small_directory.size() ? directory : byte_span(small_directory);
  }
  [[nodiscard]] constexpr byte_span buffer(std::size_t packed_bytes) noexcept {
    return bulk.size() > packed_bytes ? bulk.subspan(packed_bytes) : byte_span{};
  }
  [[nodiscard]] constexpr byte_span slot(std::size_t packed_bytes) noexcept {
    return bulk.size() > packed_bytes ? bulk.first(packed_bytes) : byte_span{};
  }
};

}  // namespace vmdk
