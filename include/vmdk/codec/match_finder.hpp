// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "vmdk/codec/bit_input.hpp"
#include "vmdk/codec/deflate_alphabet.hpp"
#include "vmdk/core/endian.hpp"

namespace vmdk::detail {

// What a compiler counts while it evaluates constant expressions is statements and calls. Hence the
// comma and conditional operators in this header: one statement in the place of several.

/// Four bytes as a number.
[[nodiscard]] constexpr std::uint32_t load_four(const std::byte* p) noexcept {
  return __builtin_is_constant_evaluated()
             ? unsigned(p[0]) | unsigned(p[1]) << 8 | unsigned(p[2]) << 16 | unsigned(p[3]) << 24
             : load_le<std::uint32_t>(p);
}

/// True when four bytes are the same; the last one is the most likely to differ.
[[nodiscard]] constexpr bool same_four(const std::byte* a, const std::byte* b) noexcept {
  return __builtin_is_constant_evaluated()
             ? a[3] == b[3] && a[0] == b[0] && a[1] == b[1] && a[2] == b[2]
             : load_le<std::uint32_t>(a) == load_le<std::uint32_t>(b);
}

/// How many of the first n bytes are the same; the first `same` are known to be.
[[nodiscard]] constexpr unsigned match_length(const std::byte* a, const std::byte* b, unsigned same,
                                              unsigned n) noexcept {
  if constexpr (wide_machine) {
    if (!std::is_constant_evaluated()) {
      for (; same + 8 <= n; same += 8) {
        const std::uint64_t differing = load_word(a + same) ^ load_word(b + same);
        if (differing != 0) {
          return same + static_cast<unsigned>(__builtin_ctzll(differing)) / 8;
        }
      }
    }
  }
  while (same < n && a[same] == b[same]) ++same;
  return same;
}

struct match {
  unsigned length = 0;  ///< 0: none.
  unsigned distance = 0;
};

/// Finds earlier occurrences through chains of positions with one hash of four bytes, and the last
/// occurrence of three bytes. A position, counted from 1, is kept as its low 16 bits: whatever a
/// slot holds names some position, and comparing the bytes shows whether it is a match. So nothing
/// needs to slide, and slots that were never written do no harm.
template <unsigned HashBits, unsigned WindowBits>
class match_finder {
 public:
  static_assert(HashBits >= 6 && HashBits <= 16, "a position has 16 bits");
  static_assert(WindowBits >= 8 && WindowBits <= 15, "RFC 1950 knows windows of 2^8 .. 2^15");
  static constexpr unsigned window_bytes = 1U << WindowBits;

  /// Starts on new input, which stays where it is. The heads are cleared for speed alone: what they
  /// hold of earlier input leads to bytes that do not match.
  constexpr void begin(const std::byte* data, std::size_t n) noexcept {
    data_ = data;
    bytes_ = n;
    if (std::is_constant_evaluated()) {
      heads_ = heads{};
    } else {
      __builtin_memset(&heads_, 0, sizeof heads_);
    }
    if (n >= hashed_bytes) prepare(data);
  }

  /// Enters the positions from `at` up to `end`; all must be entered, in ascending order.
  constexpr void skip(std::size_t at, std::size_t end) noexcept {
    const std::size_t last = bytes_ < hashed_bytes ? 0 : bytes_ - hashed_bytes + 1,
                      stop = end < last ? end : last;
    if (__builtin_is_constant_evaluated()) {
      // As in enter, but that the next four bytes are the last three of these and one more.
      for (; at < stop;
           chain_[at & window_mask] = heads_.of_four[next_four_],
                       heads_.of_four[next_four_] = heads_.of_three[next_three_] =
                           static_cast<std::uint16_t>((at + 1) & 0xFFFF),
                       next_bytes_ = next_bytes_ >> 8 | static_cast<std::uint32_t>(data_[at + 4])
                                                            << 24,
                       next_four_ = next_bytes_ * hash_factor >> (32 - HashBits),
                       next_three_ = (next_bytes_ << 8) * hash_factor >> (32 - short_hash_bits),
                       ++at) {
      }
      return;
    }
    for (; at < stop; ++at) enter(at);
  }

  /// Enters one position and looks for a match longer than `best`, of at least three bytes: among
  /// the last `tries` candidates, and content with `enough` bytes.
  constexpr match find(std::size_t at, unsigned best, unsigned tries, unsigned enough) noexcept {
    match found{};
    if (bytes_ - at < hashed_bytes) return found;
    const std::byte* const here = data_ + at;
    const std::uint32_t four = next_bytes_;
    const unsigned position = static_cast<unsigned>((at + 1) & 0xFFFF),
                   farthest = at < window_bytes ? static_cast<unsigned>(at) : window_bytes,
                   most = bytes_ - at < longest_match ? static_cast<unsigned>(bytes_ - at)
                                                      : longest_match;
    unsigned distance = (position - heads_.of_three[next_three_]) & 0xFFFF, before = 0;
    unsigned head = 0;
    if (__builtin_is_constant_evaluated()) {
      skip(at, at + 1), head = chain_[at & window_mask];
    } else {
      head = enter(at);
    }
    if (best < shortest_match) {
      best = shortest_match;
      if (distance - 1 < farthest && ((load_four(here - distance) ^ four) << 8) == 0) {
        found = {shortest_match, distance};
      }
    }
    // Distances grow along a chain; where they do not, it has been overwritten. All of a step but
    // the comparison stands in the head of the loop, which costs a compiler nothing.
    for (distance = (position - head) & 0xFFFF;
         tries != 0 && best < most && distance > before && distance <= farthest; --tries,
        before = distance, distance = (position - chain_[(at - distance) & window_mask]) & 0xFFFF) {
      if ((!__builtin_is_constant_evaluated() || here[best] == (here - distance)[best]) &&
          same_four(here - distance + (best - 3), here + (best - 3)) &&
          same_four(here - distance, here)) {
        const unsigned length = match_length(here - distance, here, 4, most);
        if (length > best) {
          best = length;
          found = {length, distance};
          if (length >= enough) break;
        }
      }
    }
    return found;
  }

 private:
  static constexpr std::size_t hashed_bytes = 5;  ///< Four, and those of the next position.
  static constexpr std::size_t window_mask = window_bytes - 1;
  static constexpr unsigned short_hash_bits = HashBits - 2;
  static constexpr std::uint32_t hash_factor = 0x9E3779B1;

  struct heads {
    std::uint16_t of_four[std::size_t{1} << HashBits];
    std::uint16_t of_three[std::size_t{1} << short_hash_bits];
  };

  /// Computes the slots of the next position early, so that they are in the cache when needed.
  constexpr void prepare(const std::byte* next) noexcept {
    next_bytes_ = load_four(next);
    next_four_ = next_bytes_ * hash_factor >> (32 - HashBits),
    next_three_ = (next_bytes_ << 8) * hash_factor >> (32 - short_hash_bits);
    if (!__builtin_is_constant_evaluated()) {
      __builtin_prefetch(heads_.of_four + next_four_, 1);
      __builtin_prefetch(heads_.of_three + next_three_, 1);
    }
  }

  /// Puts a position at the head of its chain and gives the former head.
  constexpr unsigned enter(std::size_t at) noexcept {
    const std::uint16_t former = heads_.of_four[next_four_];
    chain_[at & window_mask] = former, heads_.of_four[next_four_] = heads_.of_three[next_three_] =
                                           static_cast<std::uint16_t>((at + 1) & 0xFFFF);
    prepare(data_ + at + 1);
    return former;
  }

  const std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
  std::uint32_t next_bytes_ = 0, next_four_ = 0, next_three_ = 0;
  heads heads_{};
  std::uint16_t chain_[window_bytes]{};
};

}  // namespace vmdk::detail
