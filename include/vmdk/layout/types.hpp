// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/format/sparse_geometry.hpp"

namespace vmdk {

/// As a grain size: known at run time only, and given in the options.
inline constexpr std::uint32_t dynamic_grain = 0;

/// True for the grain sizes that this library writes.
[[nodiscard]] constexpr bool is_writable_grain(std::uint64_t grain_sectors) noexcept {
  return is_power_of_two(grain_sectors) && grain_sectors >= smallest_writable_grain_sectors &&
         grain_sectors <= largest_writable_grain_sectors;
}

/// The sectors that VMware leaves for the descriptor, so that tools find room to edit it.
inline constexpr std::uint32_t usual_descriptor_sectors = 20;

/// Where a stream has its directory and tables.
enum class tables : std::uint8_t {
  at_end,    ///< Behind the grains, with markers and a footer: what every reader takes (SPEC 5).
  in_front,  ///< Before the grains, as VMware's vmdk-convert writes it: for readers that refuse
             ///< footers. Needs a sink that can be written anywhere; 7-Zip does not open it.
};

namespace detail {

template <std::uint32_t GrainSectors>
struct grain_tag {
  static_assert(GrainSectors == dynamic_grain || is_writable_grain(GrainSectors),
                "vmdk: the grain size must be a power of two from 8 to 2048 sectors (4 KiB to "
                "1 MiB); 16 to 128 is what every reader opens");
  static constexpr std::uint32_t grain_sectors = GrainSectors;
};

/// The grain size of a type; that of the options where the type has dynamic_grain.
template <class Type, class Options>
[[nodiscard]] constexpr std::uint32_t grain_of(const Options& options) noexcept {
  return Type::grain_sectors == dynamic_grain ? options.grain_sectors : Type::grain_sectors;
}

/// Errors: errc::grain_size_invalid, with origin options, for a grain size that is not written
/// (detail: the size).
[[nodiscard]] constexpr failure check_grain(std::uint32_t grain_sectors) noexcept {
  if (is_writable_grain(grain_sectors)) return no_failure;
  return options_failure(errc::grain_size_invalid, 0, grain_sectors);
}

}  // namespace detail

/// One file: header, descriptor, tables and the grains that hold data (SPEC 4).
template <std::uint32_t GrainSectors = 128>
struct monolithic_sparse : detail::grain_tag<GrainSectors> {};

/// One file of compressed grains behind markers, for shipping (SPEC 5).
template <std::uint32_t GrainSectors = 128>
struct stream_optimized : detail::grain_tag<GrainSectors> {};

/// Sparse files of 2047 MiB each, and a text descriptor (SPEC 8).
template <std::uint32_t GrainSectors = 128>
struct two_gb_max_extent_sparse : detail::grain_tag<GrainSectors> {};

/// The raw disk in one file, and a text descriptor (SPEC 8).
struct monolithic_flat {};

/// The raw disk in files of at most 2047.75 MiB each, and a text descriptor (SPEC 8).
struct two_gb_max_extent_flat {};

/// Where everything of an image of this type goes; specialised in layout/.
template <class Type>
class layout;

}  // namespace vmdk
