// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "vmdk/core/bytes.hpp"
#include "vmdk/core/endian.hpp"

namespace vmdk {
namespace detail {

/// The largest prime below 2^16, and the most bytes whose sums fit 32 bits before a reduction.
inline constexpr std::uint32_t adler_modulus = 65521;
inline constexpr std::size_t adler_run_bytes = 5552;

/// x modulo 65521, without a division: 65536 is 15.
[[nodiscard]] constexpr std::uint32_t adler_reduce(std::uint32_t x) noexcept {
  x = (x >> 16) * 15 + (x & 0xFFFF);
  x = (x >> 16) * 15 + (x & 0xFFFF);
  return x < adler_modulus ? x : x - adler_modulus;
}

/// Adds the bytes of a multiple of eight to both sums, eight at a time: the even and the odd bytes
/// of a word are four 16-bit lanes each, and a lane holds the sums of 22 words without overflow.
constexpr void adler_add_words(const std::byte* p, std::size_t words, std::uint32_t& a,
                               std::uint32_t& b) noexcept {
  constexpr std::uint64_t lanes = 0x00FF00FF00FF00FF;
  constexpr std::uint64_t pairs = 0x0000FFFF0000FFFF;
  constexpr std::size_t most_words = 22;
  constexpr auto lane = [](std::uint64_t x, unsigned i) {
    return static_cast<std::uint32_t>(x >> (16 * i) & 0xFFFF);
  };
  while (words != 0) {
    const std::size_t run = words < most_words ? words : most_words;
    words -= run;
    std::uint64_t even = 0, odd = 0, even_before = 0, odd_before = 0;
    for (std::size_t i = 0; i < run; ++i, p += 8) {
      const std::uint64_t word = load_le<std::uint64_t>(p);
      even_before += even;
      odd_before += odd;
      even += word & lanes;
      odd += word >> 8 & lanes;
    }
    // The byte at place i of its word counts 8 - i times in b, and eight times more for every word
    // that follows it.
    const std::uint64_t before = (even_before & pairs) + (even_before >> 16 & pairs) +
                                 (odd_before & pairs) + (odd_before >> 16 & pairs);
    b += a * static_cast<std::uint32_t>(8 * run) +
         8 * static_cast<std::uint32_t>((before & 0xFFFFFFFF) + (before >> 32)) +  //
         8 * lane(even, 0) + 7 * lane(odd, 0) + 6 * lane(even, 1) + 5 * lane(odd, 1) +
         4 * lane(even, 2) + 3 * lane(odd, 2) + 2 * lane(even, 3) + lane(odd, 3);
    const std::uint64_t sum = (even & pairs) + (even >> 16 & pairs) +  //
                              (odd & pairs) + (odd >> 16 & pairs);
    a += static_cast<std::uint32_t>((sum & 0xFFFFFFFF) + (sum >> 32));
  }
}

}  // namespace detail

/// Computes the Adler-32 of n bytes, the checksum at the end of an RFC 1950 stream. `start` is the
/// checksum of the bytes before them; 1 when there are none.
[[nodiscard]] constexpr std::uint32_t adler32(const std::byte* p, std::size_t n,
                                              std::uint32_t start = 1) noexcept {
  std::uint32_t a = start & 0xFFFF;
  std::uint32_t b = start >> 16;
  while (n != 0) {
    std::size_t run = n < detail::adler_run_bytes ? n : detail::adler_run_bytes;
    n -= run;
    if constexpr (sizeof(void*) == 8) {
      if (!std::is_constant_evaluated()) {
        detail::adler_add_words(p, run / 8, a, b);
        p += run & ~std::size_t{7};
        run &= 7;
      }
    }
    for (; run != 0; --run) b += a += static_cast<std::uint32_t>(*p++);
    a = detail::adler_reduce(a);
    b = detail::adler_reduce(b);
  }
  return b << 16 | a;
}

[[nodiscard]] constexpr std::uint32_t adler32(byte_view bytes, std::uint32_t start = 1) noexcept {
  return adler32(bytes.data(), bytes.size(), start);
}

}  // namespace vmdk
