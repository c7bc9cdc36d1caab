// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "vmdk/codec/inflate.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/sparse_geometry.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/verify/check_memory.hpp"
#include "vmdk/verify/extent_repair.hpp"
#include "vmdk/verify/repair_step.hpp"
#include "vmdk/verify/repair_target.hpp"

namespace vmdk {

/// The least room that a repair takes.
inline constexpr std::size_t repair_least_bytes = check_least_bytes;

/// The room that the repair of a stream takes which has lost its end: the directory is made in it.
/// No other repair takes more than repair_least_bytes; more makes it faster.
[[nodiscard]] constexpr std::uint64_t repair_bytes(std::uint64_t capacity_sectors,
                                                   std::uint64_t grain_sectors) noexcept {
  const sparse_geometry geometry(capacity_sectors, grain_sectors);
  const std::uint64_t tail = (geometry.directory_sectors() << sector_shift) + table_bytes;
  // The windows over tables have up to a quarter of the room.
  return repair_least_bytes + tail * 2;
}

/// The memory of a repair as spans, for room whose size is known at run time only.
template <class D = inflate>
struct repair_spans {
  D& decoder;
  byte_span room;
};

/// The memory of a repair. More room means fewer passes, as long as there is repair_bytes of it;
/// and where many entries contradict one another, more of them are weighed together.
template <std::size_t RoomBytes = std::size_t{256} << 10, class D = inflate>
struct repair_memory {
  static_assert(RoomBytes >= repair_least_bytes,
                "vmdk: a repair needs at least repair_least_bytes");
  D decoder{};
  std::array<std::byte, RoomBytes> room{};

  [[nodiscard]] constexpr repair_spans<D> spans() noexcept { return {decoder, room}; }
};

namespace detail {

inline constexpr unsigned most_repair_rounds = 8;

template <class S, class D, class OnStep>
[[nodiscard]] constexpr result<repair_summary> repair_file(S& file, const repair_spans<D>& memory,
                                                           bool writes, OnStep& on_step) noexcept {
  if (memory.room.size() < repair_least_bytes) {
    return options_failure(errc::workspace_too_small, 0, repair_least_bytes);
  }
  // Mended entries may let more be found than the broken ones did, mostly nothing. A trial sees the
  // first round alone.
  repair_summary total;
  for (unsigned round = 0; round < most_repair_rounds; ++round) {
    repair_target<S, OnStep> target(file, writes, on_step);
    target.tells_what_is_left = round == 0;
    extent_repairer<repair_target<S, OnStep>, D> extent(target, memory.decoder, memory.room);
    if (failure f = extent.repair()) return f;
    total.changes += target.summary.changes;
    total.dropped_entries += target.summary.dropped_entries;
    total.left = target.summary.left;
    if (!writes || target.summary.changes == 0) break;
  }
  return total;
}

}  // namespace detail

/// Mends the metadata of a hosted sparse file, in place: monolithicSparse, streamOptimized, or one
/// extent of a split disk. What is right follows from the other copy of a table, directory or
/// header, from the markers of a stream, and from where tables are known to lie (SPEC 13.7). No
/// grain's data is changed. Entries whose grain is nowhere become 0: such a grain reads as zeros,
/// or as what a parent has. A grain that can be read stays so, unless its sectors are those of
/// metadata, or an entry of another grain names them too, in either copy of the tables.
///
/// `on_step(const repair_step&)` is called before each change, and for all that cannot be repaired,
/// and must not throw.
/// What is written in between leads to nothing that is not there yet, with barriers before header
/// and footer: where it stops, an image is no worse than before, and another repair goes on. A
/// second repair changes nothing.
///
/// Errors, before anything was written: what is wrong, with its place, where there is nothing to
/// tell how it was, such as a header without a footer that cannot be; errc::table_overlap where
/// tables share sectors; errc::workspace_too_small (see repair_bytes). Those of the file, at any
/// time.
template <Storage S, class D, class OnStep>
[[nodiscard]] constexpr result<repair_summary> repair(S& file, const repair_spans<D>& memory,
                                                      OnStep&& on_step) noexcept {
  return detail::repair_file(file, memory, true, on_step);
}

/// As above, in the memory of one object.
template <Storage S, std::size_t RoomBytes, class D, class OnStep>
[[nodiscard]] constexpr result<repair_summary> repair(S& file, repair_memory<RoomBytes, D>& memory,
                                                      OnStep&& on_step) noexcept {
  return repair(file, memory.spans(), on_step);
}

/// Tells what a repair would do, and writes nothing; where a repair changes something that lets
/// more be found, it goes on with that, and does more. Errors: as for `repair`.
template <Source S, class D, class OnStep>
[[nodiscard]] constexpr result<repair_summary> plan_repair(S& file, const repair_spans<D>& memory,
                                                           OnStep&& on_step) noexcept {
  return detail::repair_file(file, memory, false, on_step);
}

/// As above, in the memory of one object.
template <Source S, std::size_t RoomBytes, class D, class OnStep>
[[nodiscard]] constexpr result<repair_summary> plan_repair(S& file,
                                                           repair_memory<RoomBytes, D>& memory,
                                                           OnStep&& on_step) noexcept {
  return plan_repair(file, memory.spans(), on_step);
}

}  // namespace vmdk
