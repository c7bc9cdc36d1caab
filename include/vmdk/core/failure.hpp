// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "vmdk/core/errc.hpp"

namespace vmdk {

/// Says whose failure it is.
enum class origin : std::uint8_t {
  none,
  source,   ///< The caller's source could not be read.
  sink,     ///< The caller's sink could not be written.
  codec,    ///< A compressed grain.
  image,    ///< The bytes of the image break a rule of the format.
  files,    ///< A name could not be turned into a file.
  options,  ///< What the caller asked for cannot be.
};

/// What went wrong, whose fault it is and where. Small and trivially copyable; every call that can
/// fail returns it, and nothing on the way up drops or replaces it.
///
/// `if (failure f = source.read_at(0, block)) return f;`
struct [[nodiscard]] failure {
  errc code = errc::none;
  origin from = origin::none;
  std::uint32_t index = 0;   ///< Which extent, or link of a chain; 0 where there is but one.
  std::uint32_t detail = 0;  ///< errno, or the size wanted; each errc says which.
  std::uint64_t offset = 0;  ///< Byte offset in the object named by `from`.

  /// True when something failed.
  [[nodiscard]] constexpr explicit operator bool() const noexcept { return code != errc::none; }

  [[nodiscard]] friend constexpr bool operator==(const failure&, const failure&) noexcept = default;
};

/// The failure that is none.
inline constexpr failure no_failure{};

/// Makes a failure of the image itself at a byte offset of its file.
[[nodiscard]] constexpr failure image_failure(errc code, std::uint64_t offset,
                                              std::uint32_t detail = 0) noexcept {
  return {.code = code, .from = origin::image, .index = 0, .detail = detail, .offset = offset};
}

/// Makes a failure of what the caller asked for.
[[nodiscard]] constexpr failure options_failure(errc code, std::uint64_t offset = 0,
                                                std::uint32_t detail = 0) noexcept {
  return {.code = code, .from = origin::options, .index = 0, .detail = detail, .offset = offset};
}

/// Makes a failure of a source at a byte offset.
[[nodiscard]] constexpr failure source_failure(errc code, std::uint64_t offset,
                                               std::uint32_t detail = 0) noexcept {
  return {.code = code, .from = origin::source, .index = 0, .detail = detail, .offset = offset};
}

/// Makes a failure of a sink at a byte offset.
[[nodiscard]] constexpr failure sink_failure(errc code, std::uint64_t offset,
                                             std::uint32_t detail = 0) noexcept {
  return {.code = code, .from = origin::sink, .index = 0, .detail = detail, .offset = offset};
}

/// Makes a failure of a codec at a byte offset of its input.
[[nodiscard]] constexpr failure codec_failure(errc code, std::uint64_t offset = 0,
                                              std::uint32_t detail = 0) noexcept {
  return {.code = code, .from = origin::codec, .index = 0, .detail = detail, .offset = offset};
}

}  // namespace vmdk
