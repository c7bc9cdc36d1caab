// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "vmdk/codec/concepts.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/core/result.hpp"

namespace vmdk::detail {

/// The register that holds bits on their way in or out: as wide as the machine's addresses.
inline constexpr bool wide_machine = sizeof(void*) == 8;
using bit_word = std::conditional_t<wide_machine, std::uint64_t, std::uint32_t>;

/// Eight bytes as a number.
[[nodiscard]] constexpr std::uint64_t load_word(const std::byte* p) noexcept {
  if (!__builtin_is_constant_evaluated()) {
    std::uint64_t word = 0;
    __builtin_memcpy(&word, p, sizeof word);
    return std::endian::native == std::endian::big ? __builtin_bswap64(word) : word;
  }
  return static_cast<std::uint64_t>(p[0]) | static_cast<std::uint64_t>(p[1]) << 8 |
         static_cast<std::uint64_t>(p[2]) << 16 | static_cast<std::uint64_t>(p[3]) << 24 |
         static_cast<std::uint64_t>(p[4]) << 32 | static_cast<std::uint64_t>(p[5]) << 40 |
         static_cast<std::uint64_t>(p[6]) << 48 | static_cast<std::uint64_t>(p[7]) << 56;
}

/// Reads bits, least significant first, from input that comes in pieces. The members are open to
/// the decoder's inner loop, which keeps them in registers.
template <ByteSupply Supply>
struct bit_input {
  Supply& supply;
  const std::byte* next = nullptr;  ///< What is left of the present piece.
  const std::byte* end = nullptr;
  bit_word bits = 0;   ///< The next bits; zeros above `count`.
  unsigned count = 0;  ///< How many they are.
  bool ended = false;
  std::size_t supplied_bytes = 0;  ///< All pieces together.
  failure supply_failure{};

  constexpr explicit bit_input(Supply& from) noexcept : supply(from) {}

  /// Fetches the next piece; false at the end of the input, or when the supply failed.
  constexpr bool pull() noexcept {
    if (ended) return false;
    const result<byte_view> piece = supply.next();
    supply_failure = piece.error();
    ended = !piece.ok() || (*piece).empty();
    if (ended) return false;
    next = (*piece).data();
    end = next + (*piece).size();
    supplied_bytes += (*piece).size();
    return true;
  }

  /// Makes n bits available, n <= 16; false when the input ends before.
  constexpr bool fill(unsigned n) noexcept {
    for (; count < n; count += 8) {
      if (next == end && !pull()) return false;
      bits |= static_cast<bit_word>(*next++) << count;
    }
    return true;
  }

  /// Takes the next n available bits.
  constexpr unsigned take(unsigned n) noexcept {
    const auto value = static_cast<unsigned>(bits & ((bit_word{1} << n) - 1));
    bits >>= n;
    count -= n;
    return value;
  }

  /// Drops the bits up to the next byte boundary.
  constexpr void align() noexcept { take(count & 7); }

  /// The first byte of which no bit has been taken.
  [[nodiscard]] constexpr std::size_t offset_bytes() const noexcept {
    return supplied_bytes - static_cast<std::size_t>(end - next) - count / 8;
  }
};

}  // namespace vmdk::detail
