// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>

namespace vmdk {

/// True for 1, 2, 4, 8 ... Spelled out because std::has_single_bit costs a library call on
/// bare-metal targets.
[[nodiscard]] constexpr bool is_power_of_two(std::uint64_t n) noexcept {
  return n != 0 && (n & (n - 1)) == 0;
}

/// The exponent of a power of two.
[[nodiscard]] constexpr unsigned log2_exact(std::uint64_t power_of_two) noexcept {
  unsigned shift = 0;
  while ((power_of_two >> shift) > 1) ++shift;
  return shift;
}

/// n / 2^shift, rounded up, without overflow for any n.
[[nodiscard]] constexpr std::uint64_t ceil_shift(std::uint64_t n, unsigned shift) noexcept {
  const std::uint64_t mask = (std::uint64_t{1} << shift) - 1;
  return (n >> shift) + ((n & mask) != 0 ? 1 : 0);
}

/// n rounded up to a multiple of a power of two; the caller knows that the sum fits.
[[nodiscard]] constexpr std::uint64_t align_up(std::uint64_t n,
                                               std::uint64_t power_of_two) noexcept {
  return (n + (power_of_two - 1)) & ~(power_of_two - 1);
}

/// Adds; false, and `sum` untouched, when the sum does not fit.
[[nodiscard]] constexpr bool checked_add(std::uint64_t a, std::uint64_t b,
                                         std::uint64_t& sum) noexcept {
  if (b > (std::numeric_limits<std::uint64_t>::max)() - a) return false;
  sum = a + b;
  return true;
}

/// n * 2^shift; false, and `product` untouched, when it does not fit.
[[nodiscard]] constexpr bool checked_shift(std::uint64_t n, unsigned shift,
                                           std::uint64_t& product) noexcept {
  if (shift != 0 && (shift > 63 || (n >> (64 - shift)) != 0)) return false;
  product = n << shift;
  return true;
}

/// True when [offset, offset + n) lies inside [0, size).
[[nodiscard]] constexpr bool fits_inside(std::uint64_t offset, std::uint64_t n,
                                         std::uint64_t size) noexcept {
  return offset <= size && n <= size - offset;
}

template <std::unsigned_integral T>
[[nodiscard]] constexpr T smaller_of(T a, T b) noexcept {
  return a < b ? a : b;
}

template <std::unsigned_integral T>
[[nodiscard]] constexpr T larger_of(T a, T b) noexcept {
  return a < b ? b : a;
}

}  // namespace vmdk
