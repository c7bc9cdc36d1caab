// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "vmdk/core/bytes.hpp"
#include "vmdk/core/failure.hpp"

namespace vmdk {

/// Reads an on-disk struct from a byte offset of a file, straight into its place, so that a second
/// copy of it never lies on the stack. Nothing is checked. Errors: those of the file, after which
/// the object's content is not to be used.
template <class File, class T>
[[nodiscard]] constexpr failure read_object(File& file, std::uint64_t offset, T& object) noexcept {
  static_assert(std::is_trivially_copyable_v<T> && alignof(T) == 1);
  if (std::is_constant_evaluated()) {
    std::array<std::byte, sizeof(T)> bytes{};
    const failure f = file.read_at(offset, bytes);
    object = std::bit_cast<T>(bytes);
    return f;
  }
  return file.read_at(offset, byte_span(reinterpret_cast<std::byte*>(&object), sizeof(T)));
}

}  // namespace vmdk
