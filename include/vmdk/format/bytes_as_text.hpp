// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "vmdk/core/bytes.hpp"

namespace vmdk {

/// The same bytes as characters. Not in constant expressions, where memory cannot change its type:
/// see copy_as_text.
[[nodiscard]] inline std::string_view as_text(byte_view bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Copies bytes into characters; `to` has room for them.
constexpr std::string_view copy_as_text(byte_view bytes, char* to) noexcept {
  const std::byte* from = bytes.data();
  for (std::size_t i = 0; i < bytes.size(); ++i) to[i] = std::to_integer<char>(from[i]);
  return {to, bytes.size()};
}

}  // namespace vmdk
