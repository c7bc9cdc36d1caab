// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

namespace vmdk::detail {

// The symbols of RFC 1951, section 3.2, as both directions use them.

inline constexpr unsigned litlen_symbols = 288;   ///< Of which 286 and 287 may not occur.
inline constexpr unsigned distance_symbols = 32;  ///< Of which 30 and 31 may not occur.
inline constexpr unsigned length_code_symbols = 19;
inline constexpr unsigned used_litlen_symbols = 286;
inline constexpr unsigned used_distance_symbols = 30;
inline constexpr unsigned end_of_block = 256;
inline constexpr unsigned first_length_symbol = 257;

inline constexpr unsigned longest_code_bits = 15;
inline constexpr unsigned longest_length_code_bits = 7;

inline constexpr unsigned shortest_match = 3;
inline constexpr unsigned longest_match = 258;
inline constexpr unsigned longest_distance = 32768;

enum class block_type : std::uint8_t { stored = 0, fixed = 1, dynamic = 2 };

/// The order in which the lengths of the code-length code are written.
inline constexpr std::uint8_t length_code_order[length_code_symbols] = {
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};

/// Slot s is symbol 257 + s. Computed, because code is smaller than tables here.
[[nodiscard]] constexpr unsigned length_extra_bits(unsigned slot) noexcept {
  return slot < 8 || slot == 28 ? 0 : (slot >> 2) - 1;
}
[[nodiscard]] constexpr unsigned length_base(unsigned slot) noexcept {
  return slot < 8     ? slot + shortest_match
         : slot == 28 ? longest_match
                      : ((4 + (slot & 3)) << length_extra_bits(slot)) + shortest_match;
}

[[nodiscard]] constexpr unsigned distance_extra_bits(unsigned slot) noexcept {
  return slot < 4 ? 0 : (slot >> 1) - 1;
}
[[nodiscard]] constexpr unsigned distance_base(unsigned slot) noexcept {
  return slot < 4 ? slot + 1 : ((2 + (slot & 1)) << distance_extra_bits(slot)) + 1;
}

/// Code lengths of a block with fixed codes.
[[nodiscard]] constexpr std::uint8_t fixed_litlen_bits(unsigned symbol) noexcept {
  return symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8;
}
inline constexpr std::uint8_t fixed_distance_bits = 5;

static_assert(length_base(0) == 3 && length_base(8) == 11 && length_extra_bits(8) == 1);
static_assert(length_base(27) == 227 && length_extra_bits(27) == 5 && length_base(28) == 258);
static_assert(distance_base(4) == 5 && distance_extra_bits(4) == 1);
static_assert(distance_base(29) == 24577 && distance_extra_bits(29) == 13);

}  // namespace vmdk::detail
