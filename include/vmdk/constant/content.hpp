// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/io/memory.hpp"
#include "vmdk/io/next_data.hpp"

// What a compiler grants it grants to each constant: so a disk becomes an image in several
// constants, each of which is made of the one before.

namespace vmdk::detail {

/// The content of a disk, as the caller's lambda gives it.
template <class Content>
inline constexpr auto constant_content = Content{}();

template <class T>
inline constexpr std::size_t bytes_of_array = 0;
template <class Byte, std::size_t N>
  requires(sizeof(Byte) == 1)
inline constexpr std::size_t bytes_of_array<std::array<Byte, N>> = N;

template <std::size_t N>
struct byte_array {
  std::byte bytes[N];
};

/// An array's bytes as std::byte.
template <class Content>
[[nodiscard]] consteval auto bytes_of_content() {
  constexpr std::size_t n = bytes_of_array<decltype(Content{}())>;
  byte_array<n> to{};
  const auto* const from = constant_content<Content>.data();
  for (std::size_t i = 0; i < n; ++i) {
    to.bytes[i] = static_cast<std::byte>(static_cast<unsigned char>(from[i]));
  }
  return to;
}

template <class Content>
inline constexpr auto constant_bytes = bytes_of_content<Content>();

template <class Content>
concept ConstantContent =
    bytes_of_array<decltype(Content{}())> != 0 || Source<decltype(Content{}())>;

/// The disk as a Source of its own.
template <ConstantContent Content>
[[nodiscard]] consteval auto constant_disk() {
  if constexpr (bytes_of_array<decltype(Content{}())> != 0) {
    return memory_source(byte_view(constant_bytes<Content>.bytes));
  } else {
    return constant_content<Content>;
  }
}

/// The most bytes of one grain of a disk that are not known to be zeros.
template <ConstantContent Content>
[[nodiscard]] consteval std::uint64_t most_data_in_a_grain(std::uint64_t grain_bytes) {
  constexpr std::uint64_t array_bytes = bytes_of_array<decltype(Content{}())>;
  if (array_bytes != 0) return smaller_of(array_bytes, grain_bytes);
  auto disk = constant_disk<Content>();
  std::uint64_t most = 0, in_grain = 0, grain = 0;
  for (std::uint64_t at = 0; at < disk.size();) {
    const range data = next_data_of(disk, at).value();
    if (data.bytes == 0) break;
    for (at = data.offset; at < data.end() && most < grain_bytes;) {
      if (at / grain_bytes != grain) in_grain = 0, grain = at / grain_bytes;
      const std::uint64_t end = smaller_of(data.end(), (grain + 1) * grain_bytes);
      in_grain += end - at;
      most = larger_of(most, in_grain);
      at = end;
    }
    at = data.end();
  }
  return most;
}

}  // namespace vmdk::detail
