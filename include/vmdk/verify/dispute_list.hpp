// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/bytes.hpp"
#include "vmdk/core/endian.hpp"
#include "vmdk/verify/entry_pair.hpp"

namespace vmdk::detail {

/// A table entry about which its two copies, or the table and the stream, disagree.
struct dispute : entry_pair {
  std::uint32_t found = 0;  ///< Where the stream has the grain; 0: nowhere.
  bool is_claimed[2]{};     ///< The value's place belongs to another entry.
  bool is_wanted[2]{};      ///< A copy of another entry, on which its copies differ, names it.
  bool is_marker = false;   ///< A grain's marker does stand at the value.
};

/// A list of disputes in memory of the caller's, in the order of their grains, which can be
/// searched by grain and by value.
class dispute_list {
 public:
  constexpr explicit dispute_list(byte_span memory) noexcept
      : memory_(memory), most_(memory.size() / (record_bytes + 2 * key_bytes)) {}

  [[nodiscard]] constexpr std::size_t size() const noexcept { return count_; }
  [[nodiscard]] constexpr bool is_full() const noexcept { return count_ == most_; }
  constexpr void clear() noexcept { count_ = 0; }

  constexpr void add(const dispute& d) noexcept { set(count_++, d); }

  [[nodiscard]] constexpr dispute get(std::size_t i) const noexcept {
    const std::byte* const from = record(i);
    dispute d;
    d.grain = load_le<std::uint64_t>(from);
    const auto flags = load_le<std::uint32_t>(from + 36);
    for (std::size_t copy = 0; copy < 2; ++copy) {
      d.at[copy] = load_le<std::uint64_t>(from + 8 + 8 * copy);
      d.value[copy] = load_le<std::uint32_t>(from + 24 + 4 * copy);
      d.is_claimed[copy] = (flags >> copy & 1) != 0;
      d.is_wanted[copy] = (flags >> copy & 8) != 0;
    }
    d.found = load_le<std::uint32_t>(from + 32);
    d.is_marker = (flags & 4) != 0;
    return d;
  }
  constexpr void set(std::size_t i, const dispute& d) noexcept {
    std::byte* const to = record(i);
    store_le(to, d.grain);
    for (std::size_t copy = 0; copy < 2; ++copy) {
      store_le(to + 8 + 8 * copy, d.at[copy]);
      store_le(to + 24 + 4 * copy, d.value[copy]);
    }
    store_le(to + 32, d.found);
    const unsigned flags = (d.is_claimed[0] ? 1u : 0u) | (d.is_claimed[1] ? 2u : 0u) |
                           (d.is_marker ? 4u : 0u) | (d.is_wanted[0] ? 8u : 0u) |
                           (d.is_wanted[1] ? 16u : 0u);
    store_le(to + 36, static_cast<std::uint32_t>(flags));
  }

  /// The dispute about a grain; size() when there is none.
  [[nodiscard]] constexpr std::size_t find_grain(std::uint64_t grain) const noexcept {
    std::size_t low = 0;
    std::size_t high = count_;
    while (low < high) {
      const std::size_t middle = low + (high - low) / 2;
      if (load_le<std::uint64_t>(record(middle)) < grain) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low < count_ && load_le<std::uint64_t>(record(low)) == grain ? low : count_;
  }

  /// Sorts the values, so that each_value can find them.
  constexpr void sort_values() noexcept {
    keys_ = 2 * count_;
    for (std::size_t i = 0; i < count_; ++i) {
      for (std::size_t copy = 0; copy < 2; ++copy) {
        const std::uint64_t value = load_le<std::uint32_t>(record(i) + 24 + 4 * copy);
        set_key(2 * i + copy, value << 32 | (2 * i + copy));
      }
    }
    for (std::size_t i = keys_ / 2; i-- > 0;) sink(i, keys_);
    for (std::size_t end = keys_; end > 1;) {
      const std::uint64_t last = key(--end);
      set_key(end, key(0));
      set_key(0, last);
      sink(0, end);
    }
  }

  /// Calls `visit(number of the dispute, copy)` for each value from one up to another.
  template <class Visit>
  constexpr void each_value(std::uint64_t first, std::uint64_t end, Visit&& visit) const noexcept {
    std::size_t low = 0;
    std::size_t high = keys_;
    while (low < high) {
      const std::size_t middle = low + (high - low) / 2;
      if (key(middle) >> 32 < first) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    for (; low < keys_ && key(low) >> 32 < end; ++low) {
      const auto owner = static_cast<std::uint32_t>(key(low));
      visit(std::size_t{owner >> 1}, unsigned{owner & 1});
    }
  }

 private:
  static constexpr std::size_t record_bytes = 40;
  static constexpr std::size_t key_bytes = sizeof(std::uint64_t);  ///< One for each value.

  [[nodiscard]] constexpr std::byte* record(std::size_t i) const noexcept {
    return memory_.data() + i * record_bytes;
  }
  [[nodiscard]] constexpr std::byte* key_at(std::size_t i) const noexcept {
    return memory_.data() + most_ * record_bytes + i * key_bytes;
  }
  [[nodiscard]] constexpr std::uint64_t key(std::size_t i) const noexcept {
    return load_le<std::uint64_t>(key_at(i));
  }
  constexpr void set_key(std::size_t i, std::uint64_t value) noexcept {
    store_le(key_at(i), value);
  }

  /// Moves a key down the heap until none below it is larger.
  constexpr void sink(std::size_t i, std::size_t end) noexcept {
    const std::uint64_t moving = key(i);
    for (std::size_t child = 2 * i + 1; child < end; child = 2 * i + 1) {
      if (child + 1 < end && key(child) < key(child + 1)) ++child;
      if (key(child) <= moving) break;
      set_key(i, key(child));
      i = child;
    }
    set_key(i, moving);
  }

  byte_span memory_;
  std::size_t most_;
  std::size_t count_ = 0;
  std::size_t keys_ = 0;
};

}  // namespace vmdk::detail
