// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/bytes.hpp"
#include "vmdk/reader/extent.hpp"

namespace vmdk::detail {

/// An extent line whose file was opened.
struct named_extent {
  std::uint32_t file = 0;
  std::uint32_t line = 0;  ///< In the descriptor, from 1.
  std::uint64_t sectors = 0;
  std::uint64_t first_sector = 0;  ///< flat: where in the file it begins.
  extent_kind kind = extent_kind::zero;
  bool is_last = false;  ///< Of the disk.

  /// The order of files, and in each of places.
  [[nodiscard]] constexpr bool is_before(const named_extent& other) const noexcept {
    if (file != other.file) return file < other.file;
    if (first_sector != other.first_sector) return first_sector < other.first_sector;
    return line < other.line;
  }
  /// True when both are extents of one file and share sectors of it. Files of other kinds than flat
  /// are an extent as a whole.
  [[nodiscard]] constexpr bool shares_sectors(const named_extent& later) const noexcept {
    if (file != later.file) return false;
    if (kind != extent_kind::flat || later.kind != extent_kind::flat) return true;
    return later.first_sector - first_sector < sectors;
  }
};

/// A list of extents in bytes of the caller's.
class extent_list {
 public:
  constexpr explicit extent_list(byte_span memory) noexcept : memory_(memory) {}

  [[nodiscard]] constexpr std::size_t size() const noexcept { return count_; }
  [[nodiscard]] constexpr std::size_t used_bytes() const noexcept { return count_ * each; }

  /// False when there is no room.
  [[nodiscard]] bool add(const named_extent& extent) noexcept {
    if (memory_.size() - used_bytes() < each) return false;
    set(count_++, extent);
    return true;
  }

  [[nodiscard]] named_extent get(std::size_t i) const noexcept {
    named_extent extent;
    __builtin_memcpy(&extent, memory_.data() + i * each, each);
    return extent;
  }

  /// Sorts by file and place. In place, and in n log n steps whatever the order.
  void sort() noexcept {
    for (std::size_t i = count_ / 2; i-- > 0;) sink(i, count_);
    for (std::size_t end = count_; end > 1;) {
      const named_extent last = get(--end);
      set(end, get(0));
      set(0, last);
      sink(0, end);
    }
  }

 private:
  static constexpr std::size_t each = sizeof(named_extent);

  void set(std::size_t i, const named_extent& extent) noexcept {
    __builtin_memcpy(memory_.data() + i * each, &extent, each);
  }

  /// Moves an extent down the heap until none below it is behind it in the order.
  void sink(std::size_t i, std::size_t end) noexcept {
    const named_extent moving = get(i);
    for (std::size_t child = 2 * i + 1; child < end; child = 2 * i + 1) {
      if (child + 1 < end && get(child).is_before(get(child + 1))) ++child;
      if (!moving.is_before(get(child))) break;
      set(i, get(child));
      i = child;
    }
    set(i, moving);
  }

  byte_span memory_;
  std::size_t count_ = 0;
};

}  // namespace vmdk::detail
