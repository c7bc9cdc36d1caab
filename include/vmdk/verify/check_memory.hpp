// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "vmdk/codec/inflate.hpp"
#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/verify/finding_reporter.hpp"
#include "vmdk/verify/sector_use.hpp"
#include "vmdk/verify/table_walk.hpp"

namespace vmdk {

/// What a check keeps between its passes. Nothing in it is of use to anybody else.
struct check_state {
  detail::finding_counts counts{};
  detail::shared_runs shared{};
  detail::repeated_tables repeated{};
};

/// The least room for a check's windows and bitmaps: one sector each for the directory and the
/// tables in two copies, for a marker and for the bits.
inline constexpr std::size_t check_least_bytes = std::size_t{6} * sector_bytes;

/// The room that a check of one file needs at least. Descriptors are read as a whole, and a
/// compressed grain is expanded as a whole; with no_decoder grain_bytes is 0.
[[nodiscard]] constexpr std::uint64_t check_bytes(std::uint64_t descriptor_text_bytes,
                                                  std::uint64_t grain_bytes) noexcept {
  return larger_of<std::uint64_t>(check_least_bytes + grain_bytes,
                                  descriptor_text_bytes + sector_bytes);
}

/// The memory of a check as spans, for room whose size is known at run time only.
template <class D = inflate>
struct check_spans {
  check_state& state;
  D& decoder;
  byte_span room;
};

/// The memory of a check. More room means fewer passes over the tables, never another result.
template <std::size_t RoomBytes = std::size_t{256} << 10, class D = inflate>
struct check_memory {
  static_assert(RoomBytes >= check_least_bytes, "vmdk: a check needs at least check_least_bytes");
  check_state state{};
  D decoder{};
  std::array<std::byte, RoomBytes> room{};

  [[nodiscard]] constexpr check_spans<D> spans() noexcept { return {state, decoder, room}; }
};

namespace detail {

/// How a check shares out its room while it walks over tables.
struct walk_room {
  /// A directory or table is hardly ever larger than so much.
  static constexpr std::size_t most_window_bytes = std::size_t{64} << 10;

  byte_span windows;  ///< For directories and tables.
  byte_span marker;   ///< One sector.
  byte_span rest;     ///< Bitmaps; or the input of a decoder.

  constexpr explicit walk_room(byte_span room) noexcept {
    const std::size_t each =
        larger_of<std::size_t>(
            smaller_of<std::size_t>(room.size() / 16, most_window_bytes) / sector_bytes, 1) *
        sector_bytes;
    windows = room.first(4 * each);
    marker = room.subspan(4 * each, sector_bytes);
    rest = room.subspan(4 * each + sector_bytes);
  }
};

}  // namespace detail
}  // namespace vmdk
