// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace vmdk {

/// Loads a little-endian integer from sizeof(T) bytes at any alignment. One expression per width:
/// compilers fold it to a single load.
template <std::unsigned_integral T>
[[nodiscard]] constexpr T load_le(const std::byte* p) noexcept {
  constexpr auto at = [](const std::byte* q, int i) {
    return static_cast<std::uint64_t>(std::to_integer<std::uint8_t>(q[i]));
  };
  if constexpr (sizeof(T) == 1) {
    return std::to_integer<T>(p[0]);
  } else if constexpr (sizeof(T) == 2) {
    return static_cast<T>(at(p, 0) | at(p, 1) << 8);
  } else if constexpr (sizeof(T) == 4) {
    return static_cast<T>(at(p, 0) | at(p, 1) << 8 | at(p, 2) << 16 | at(p, 3) << 24);
  } else {
    static_assert(sizeof(T) == 8);
    return static_cast<T>(at(p, 0) | at(p, 1) << 8 | at(p, 2) << 16 | at(p, 3) << 24 |
                          at(p, 4) << 32 | at(p, 5) << 40 | at(p, 6) << 48 | at(p, 7) << 56);
  }
}

/// Stores a little-endian integer into sizeof(T) bytes at any alignment.
template <std::unsigned_integral T>
constexpr void store_le(std::byte* p, T value) noexcept {
  const auto v = static_cast<std::uint64_t>(value);
  p[0] = static_cast<std::byte>(v & 0xFF);
  if constexpr (sizeof(T) >= 2) p[1] = static_cast<std::byte>(v >> 8 & 0xFF);
  if constexpr (sizeof(T) >= 4) {
    p[2] = static_cast<std::byte>(v >> 16 & 0xFF);
    p[3] = static_cast<std::byte>(v >> 24 & 0xFF);
  }
  if constexpr (sizeof(T) == 8) {
    p[4] = static_cast<std::byte>(v >> 32 & 0xFF);
    p[5] = static_cast<std::byte>(v >> 40 & 0xFF);
    p[6] = static_cast<std::byte>(v >> 48 & 0xFF);
    p[7] = static_cast<std::byte>(v >> 56 & 0xFF);
  }
}

/// A little-endian integer of alignment 1: the member type of every on-disk struct, so that the
/// struct is packed with no attribute, works on any host and survives std::bit_cast.
template <std::unsigned_integral T>
class le {
 public:
  using value_type = T;

  constexpr le() noexcept = default;
  constexpr le(T value) noexcept { store_le<T>(bytes_, value); }

  [[nodiscard]] constexpr T get() const noexcept { return load_le<T>(bytes_); }
  [[nodiscard]] constexpr operator T() const noexcept { return get(); }

 private:
  std::byte bytes_[sizeof(T)]{};
};

static_assert(sizeof(le<std::uint64_t>) == 8 && alignof(le<std::uint64_t>) == 1);
static_assert(std::is_trivially_copyable_v<le<std::uint32_t>>);

}  // namespace vmdk
