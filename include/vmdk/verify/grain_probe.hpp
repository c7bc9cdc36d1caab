// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/marker.hpp"
#include "vmdk/format/sparse_header.hpp"
#include "vmdk/reader/compressed_grain.hpp"
#include "vmdk/verify/marker_walk.hpp"

namespace vmdk::detail {

enum class grain_state : std::uint8_t { whole, torn, of_other_size };

/// Expands the compressed grain at a sector. Without a decoder or enough memory it counts as whole.
/// Errors: the file's.
template <class File, class D>
[[nodiscard]] constexpr result<grain_state> probe_grain(File& file,
                                                        const sparse_extent_header& header,
                                                        std::uint64_t sector, D& decoder,
                                                        byte_span memory) noexcept {
  if constexpr (std::is_same_v<D, no_decoder>) {
    return grain_state::whole;
  } else {
    const sparse_geometry geometry(header.capacity, header.grain_size);
    const std::uint64_t whole = geometry.grain_bytes();
    marker_walk<File> walk(file, geometry, sector);
    const auto item = walk.next();
    if (!item) return item.error();
    if (item->kind != marker_kind::grain || item->lba >= header.capacity) {
      return grain_state::torn;
    }
    if (memory.size() < whole + sector_bytes) return grain_state::whole;
    const byte_span input = memory.subspan(static_cast<std::size_t>(whole));
    if constexpr (D::needs_contiguous_input) {
      if (input.size() < item->data_bytes) return grain_state::whole;
    }
    const std::uint64_t left = (header.capacity - item->lba) << sector_shift;
    grain_state state = grain_state::torn;
    for (const std::uint64_t wanted : {whole, smaller_of(whole, left)}) {
      const compressed_grain grain{(sector << sector_shift) + grain_marker_bytes, item->data_bytes};
      grain_supply<File> supply(file, grain, {}, input);
      const failure f = decoder.decode(supply, memory.first(static_cast<std::size_t>(wanted)));
      if (!f) return grain_state::whole;
      if (f.from != origin::codec) return f;
      const bool is_longer = f.code == errc::stream_output_overrun;
      if (is_longer || f.code == errc::stream_output_short) state = grain_state::of_other_size;
    }
    return state;
  }
}

/// True when the first grain of a stream is not of the size that a header says. Errors: the file's.
template <class File, class D>
[[nodiscard]] constexpr result<bool> has_other_grains(File& file,
                                                      const sparse_extent_header& header,
                                                      D& decoder, byte_span memory) noexcept {
  const auto state = probe_grain(file, header, header.over_head, decoder, memory);
  if (!state) return state.error();
  return *state == grain_state::of_other_size;
}

}  // namespace vmdk::detail
