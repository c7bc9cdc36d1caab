// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "vmdk/core/result.hpp"
#include "vmdk/format/text.hpp"

namespace vmdk {

/// The longest name of an extent's file, in bytes: what other readers have room for (SPEC 6).
inline constexpr std::size_t extent_name_max_bytes = 511;

/// True for a name that can only mean a file in the descriptor's own folder: not empty, not "." or
/// "..", no '/', '\' or ':' (which also rules out drives and "json:"), no quote, no control
/// character (SPEC 13.4).
[[nodiscard]] constexpr bool is_plain_name(std::string_view name) noexcept {
  using namespace std::string_view_literals;
  if (name.empty() || name == "."sv || name == ".."sv) return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name.data()[i];
    if (c == '/' || c == '\\' || c == ':' || c == '"' || detail::is_control(c)) return false;
  }
  return true;
}

namespace detail {
inline constexpr std::string_view piece_ending = ".vmdk";
inline constexpr std::string_view flat_ending = "-flat.vmdk";
}  // namespace detail

/// The name of an extent's file: as it is, or composed, so that thousands of pieces need no memory
/// for their names. Owns nothing.
struct extent_name {
  std::string_view stem{};  ///< The whole name where `piece` is 0 and it is not `flat`.
  char kind = 's';          ///< 's' or 'f': stem-s001.vmdk, stem-f001.vmdk.
  std::uint32_t piece = 0;  ///< Counts from 1; three digits, more from 1000 on.
  bool flat = false;        ///< stem-flat.vmdk, where `piece` is 0.

  /// Gives the name to `put(std::string_view)` part by part.
  template <class Put>
  constexpr void each_part(Put&& put) const noexcept {
    put(stem);
    if (piece == 0) {
      if (flat) put(detail::flat_ending);
      return;
    }
    const char joint[] = {'-', kind};
    put(std::string_view{joint, sizeof joint});
    put(detail::number_text::decimal(piece, 3).view());
    put(detail::piece_ending);
  }

  [[nodiscard]] constexpr std::size_t bytes() const noexcept {
    std::size_t sum = 0;
    each_part([&sum](std::string_view part) { sum += part.size(); });
    return sum;
  }

  /// Composes the name in the caller's memory; extent_name_max_bytes are always enough for a name
  /// that a descriptor can hold.
  /// Errors: errc::workspace_too_small; detail: the bytes that are needed.
  [[nodiscard]] constexpr result<std::string_view> compose(std::span<char> memory) const noexcept {
    const std::size_t needed = bytes();
    if (needed > memory.size()) {
      return options_failure(errc::workspace_too_small, 0, static_cast<std::uint32_t>(needed));
    }
    char* to = memory.data();
    each_part([&to](std::string_view part) {
      for (std::size_t i = 0; i < part.size(); ++i) *to++ = part.data()[i];
    });
    return std::string_view{memory.data(), needed};
  }
};

}  // namespace vmdk
