// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

namespace vmdk {

using byte_view = std::span<const std::byte>;  ///< Bytes that somebody else owns.
using byte_span = std::span<std::byte>;        ///< Writable bytes that somebody else owns.

/// Copies n bytes between ranges that do not overlap.
constexpr void copy_bytes(std::byte* to, const std::byte* from, std::size_t n) noexcept {
  if (std::is_constant_evaluated()) {
    // Compilers count statements: eight bytes in each.
    for (; n >= 8; n -= 8, to += 8, from += 8) {
      to[0] = from[0], to[1] = from[1], to[2] = from[2], to[3] = from[3], to[4] = from[4],
      to[5] = from[5], to[6] = from[6], to[7] = from[7];
    }
    for (std::size_t i = 0; i < n; ++i) to[i] = from[i];
  } else if (n != 0) {
    __builtin_memcpy(to, from, n);
  }
}

/// Sets n bytes to zero.
constexpr void zero_bytes(std::byte* to, std::size_t n) noexcept {
  if (std::is_constant_evaluated()) {
    for (std::size_t i = 0; i < n; ++i) to[i] = std::byte{0};
  } else if (n != 0) {
    __builtin_memset(to, 0, n);
  }
}

constexpr void zero_bytes(byte_span to) noexcept { zero_bytes(to.data(), to.size()); }

/// True when n bytes of two ranges are the same.
[[nodiscard]] constexpr bool equal_bytes(const std::byte* a, const std::byte* b,
                                         std::size_t n) noexcept {
  if (std::is_constant_evaluated()) {
    for (std::size_t i = 0; i < n; ++i) {
      if (a[i] != b[i]) return false;
    }
    return true;
  }
  return n == 0 || __builtin_memcmp(a, b, n) == 0;
}

/// True when every byte is zero; true for no bytes at all.
[[nodiscard]] constexpr bool is_zero(const std::byte* p, std::size_t n) noexcept {
  if (std::is_constant_evaluated()) {
    constexpr std::byte zero{0};
    for (; n >= 8; n -= 8, p += 8) {
      if (p[0] != zero || p[1] != zero || p[2] != zero || p[3] != zero || p[4] != zero ||
          p[5] != zero || p[6] != zero || p[7] != zero) {
        return false;
      }
    }
    for (std::size_t i = 0; i < n; ++i) {
      if (p[i] != std::byte{0}) return false;
    }
    return true;
  }
  // A range is zero if it starts with 16 zeros and equals itself shifted by 16: the platform's
  // memcmp is the fastest scan there is, and data usually ends the test in the first bytes.
  constexpr std::size_t head = 16;
  for (std::size_t i = 0; i < (n < head ? n : head); ++i) {
    if (p[i] != std::byte{0}) return false;
  }
  return n <= head || __builtin_memcmp(p, p + head, n - head) == 0;
}

[[nodiscard]] constexpr bool is_zero(byte_view bytes) noexcept {
  return is_zero(bytes.data(), bytes.size());
}

/// Copies text into bytes; `to` has room for it.
constexpr void copy_text(std::byte* to, std::string_view text) noexcept {
  const char* from = text.data();
  for (std::size_t i = 0; i < text.size(); ++i) {
    to[i] = static_cast<std::byte>(static_cast<unsigned char>(from[i]));
  }
}

}  // namespace vmdk
