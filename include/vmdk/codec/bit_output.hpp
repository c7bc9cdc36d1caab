// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "vmdk/codec/bit_input.hpp"

namespace vmdk::detail {

/// Writes bits, least significant first. The caller knows that they fit: the size of a block is
/// computed before it is written.
struct bit_output {
  std::byte* next = nullptr;
  std::byte* end = nullptr;
  bit_word bits = 0;
  unsigned count = 0;

  /// Adds n <= 16 bits. Wide machines take up to 56 of them between two calls of `flush`.
  constexpr void put(std::uint32_t value, unsigned n) noexcept {
    bits |= static_cast<bit_word>(value) << count, count += n;
    if constexpr (!wide_machine) flush();
  }

  /// Writes the whole bytes out.
  constexpr void flush() noexcept {
    if constexpr (wide_machine) {
      if (!std::is_constant_evaluated() && end - next >= 8) {
        std::uint64_t word = bits;
        if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
        __builtin_memcpy(next, &word, sizeof word);
        next += count >> 3;
        bits >>= count & ~7U;
        count &= 7;
        return;
      }
    }
    for (; count >= 8; count -= 8, bits >>= 8) *next++ = static_cast<std::byte>(bits & 0xFF);
  }

  /// Fills the last byte with zeros.
  constexpr void align() noexcept {
    count = (count + 7) & ~7U;
    flush();
  }
};

}  // namespace vmdk::detail
