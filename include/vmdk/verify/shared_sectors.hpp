// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/verify/sector_use.hpp"

namespace vmdk::detail {

/// Bits for a run of cells, each a power of two of sectors: which are used, used twice, where users
/// begin, and which hold something that only users may not touch.
class use_bitmap {
 public:
  static constexpr std::size_t planes = 4;

  /// The memory is the caller's: at least `planes` bytes.
  constexpr explicit use_bitmap(byte_span memory) noexcept
      : plane_bytes_(memory.size() / planes), bits_(memory.data()) {}

  [[nodiscard]] constexpr std::uint64_t cells() const noexcept {
    return std::uint64_t{plane_bytes_} * 8;
  }

  constexpr void clear() noexcept { zero_bytes(bits_, plane_bytes_ * planes); }

  /// Marks cells from one up to another as used, once more.
  constexpr void use(std::uint64_t first, std::uint64_t end) noexcept {
    std::byte* const used = plane(0);
    std::byte* const twice = plane(1);
    each_byte(first, end, [&](std::size_t at, std::byte mask) {
      twice[at] |= used[at] & mask;
      used[at] |= mask;
    });
  }
  /// Marks the cell where a user begins.
  constexpr void begin_at(std::uint64_t cell) noexcept {
    plane(2)[cell >> 3] |= static_cast<std::byte>(1u << (cell & 7));
  }
  /// Marks cells that no user may touch.
  constexpr void reserve(std::uint64_t first, std::uint64_t end) noexcept {
    std::byte* const reserved = plane(3);
    each_byte(first, end, [&](std::size_t at, std::byte mask) { reserved[at] |= mask; });
  }

  [[nodiscard]] constexpr bool is_begin(std::uint64_t cell) const noexcept {
    return is_set(bits_ + 2 * plane_bytes_, cell);
  }
  [[nodiscard]] constexpr bool is_shared(std::uint64_t cell) const noexcept {
    return (std::to_integer<unsigned>(shared_byte(cell >> 3)) >> (cell & 7) & 1) != 0;
  }
  /// The first cell of eight at or behind a cell where at least one is shared; cells() when none
  /// is.
  [[nodiscard]] constexpr std::uint64_t next_shared_eight(std::uint64_t cell) const noexcept {
    std::size_t at = static_cast<std::size_t>(cell >> 3);
    while (at < plane_bytes_ && shared_byte(at) == std::byte{0}) ++at;
    return larger_of(cell, std::uint64_t{at} << 3);
  }

 private:
  [[nodiscard]] constexpr std::byte* plane(std::size_t n) noexcept {
    return bits_ + n * plane_bytes_;
  }
  [[nodiscard]] static constexpr bool is_set(const std::byte* bits, std::uint64_t cell) noexcept {
    return (std::to_integer<unsigned>(bits[cell >> 3]) >> (cell & 7) & 1) != 0;
  }
  [[nodiscard]] constexpr std::byte shared_byte(std::uint64_t at) const noexcept {
    const std::byte* const used = bits_ + at;
    return used[plane_bytes_] | (used[0] & used[3 * plane_bytes_]);
  }

  template <class Change>
  static constexpr void each_byte(std::uint64_t first, std::uint64_t end,
                                  Change&& change) noexcept {
    while (first < end) {
      const std::uint64_t next = smaller_of((first | 7) + 1, end);
      const unsigned mask = (0xFFu >> (8 - (next - first))) << (first & 7);
      change(static_cast<std::size_t>(first >> 3), static_cast<std::byte>(mask));
      first = next;
    }
  }

  std::size_t plane_bytes_;
  std::byte* bits_;
};

inline constexpr std::uint64_t no_open_run = 0xFFFFFFFFFFFFFFFF;

/// Finds every run of sectors in a window of a file that has more than one user, whatever the
/// memory: the window is walked piece by piece. A run also ends where another user begins, so that
/// neighbours are told apart.
///
/// `walk(sector_window, visit) -> failure` gives at least the users of that window to
/// `visit(const sector_use&, bool reserved)`, always in the same order. What is reserved comes
/// first, may overlap itself and may begin anywhere; users begin and end on multiples of 2^shift
/// sectors. Errors: those of the walk.
template <class Walk>
constexpr failure find_shared_sectors(const sector_window& window, unsigned shift, byte_span memory,
                                      Walk&& walk, shared_runs& found) noexcept {
  found.clear();
  if (window.first >= window.end) return no_failure;
  const std::uint64_t last_cell = ceil_shift(window.end, shift);
  // Of a small file's window not all of the memory need be cleared and looked through.
  const std::uint64_t wanted_bytes =
      use_bitmap::planes * ceil_shift(last_cell - (window.first >> shift), 3);
  use_bitmap bitmap(memory.first(
      static_cast<std::size_t>(smaller_of<std::uint64_t>(memory.size(), wanted_bytes))));
  std::uint64_t open_first = no_open_run;
  const auto close_at = [&](std::uint64_t cell) {
    if (open_first != no_open_run) found.add(open_first << shift, (cell - open_first) << shift);
    open_first = no_open_run;
  };
  for (std::uint64_t base = window.first >> shift; base < last_cell; base += bitmap.cells()) {
    const std::uint64_t end = smaller_of(base + bitmap.cells(), last_cell);
    bitmap.clear();
    const auto mark = [&](const sector_use& use, bool reserved) {
      const std::uint64_t first = use.first_sector >> shift;
      const std::uint64_t behind = ceil_shift(use.first_sector + use.sectors, shift);
      if (behind <= base || first >= end) return;
      const std::uint64_t from = larger_of(first, base) - base;
      const std::uint64_t to = smaller_of(behind, end) - base;
      if (reserved) return bitmap.reserve(from, to);
      bitmap.use(from, to);
      if (first >= base) bitmap.begin_at(from);
    };
    if (failure f = walk(sector_window{base << shift, end << shift}, mark)) return f;
    for (std::uint64_t cell = 0; cell < end - base; ++cell) {
      if (!bitmap.is_shared(cell)) {
        close_at(base + cell);
        if ((cell & 7) == 0) cell = bitmap.next_shared_eight(cell);
        if (cell >= end - base || !bitmap.is_shared(cell)) continue;
      }
      if (bitmap.is_begin(cell)) close_at(base + cell);
      if (open_first == no_open_run) open_first = base + cell;
    }
  }
  close_at(last_cell);
  return no_failure;
}

/// Finds the users of the runs that were kept: how many, and the first two of the walk, of which
/// the second is not one that is reserved. Errors: those of the walk.
template <class Walk>
constexpr failure find_users(shared_runs& runs, unsigned shift, Walk&& walk) noexcept {
  if (runs.kept_count == 0) return no_failure;
  shared_run* const begin = runs.kept.data();
  shared_run* const end = begin + runs.kept_count;
  const auto visit = [&](const sector_use& use, bool reserved) {
    // A user of a run has all of its first cell, and so overlaps whatever is reserved in it.
    const std::uint64_t behind = use.first_sector + use.sectors;
    shared_run* low = begin;
    shared_run* high = end;
    while (low != high) {
      shared_run* const middle = low + (high - low) / 2;
      const std::uint64_t cell_end = middle->first_sector + (std::uint64_t{1} << shift);
      if (cell_end <= use.first_sector) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    for (; low != end && low->first_sector < behind; ++low) {
      low->add(use, reserved);
    }
  };
  return walk(sector_window{begin->first_sector, end[-1].first_sector + end[-1].sectors}, visit);
}

}  // namespace vmdk::detail
