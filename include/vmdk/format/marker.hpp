// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/bytes.hpp"
#include "vmdk/core/endian.hpp"
#include "vmdk/core/units.hpp"

namespace vmdk {

/// What a marker without data announces (SPEC 5).
enum class marker_type : std::uint32_t {
  end_of_stream = 0,
  grain_table = 1,
  grain_directory = 2,
  footer = 3,
  progress = 4,  ///< Seen in exports of vSphere; carries nothing that a reader needs.
};

/// The start of a sector of a stream: a grain's marker, whose data follows at once, when `size` is
/// not 0; else a marker whose sector is filled with zeros (SPEC 5).
struct stream_marker {
  le<std::uint64_t> value{};  ///< Grain: its first sector on the disk. Else: sectors that follow.
  le<std::uint32_t> size{};   ///< Grain: bytes of compressed data. Else: 0.
  le<std::uint32_t> type{};   ///< Not part of a grain's marker, whose data begins here.

  [[nodiscard]] constexpr bool is_grain() const noexcept { return size != 0; }
  [[nodiscard]] constexpr bool is(marker_type wanted) const noexcept {
    return size == 0 && type == static_cast<std::uint32_t>(wanted);
  }
};

static_assert(sizeof(stream_marker) == 16 && alignof(stream_marker) == 1);
static_assert(offsetof(stream_marker, size) == 8 && offsetof(stream_marker, type) == 12);

/// Bytes of a grain's marker before its data.
inline constexpr std::uint32_t grain_marker_bytes = 12;

/// How far a compressed grain may be larger than the grain itself; some readers' buffers end there
/// (SPEC 5).
inline constexpr std::uint32_t compressed_grain_slack_bytes = 500;

/// The marker that these 16 bytes are. Nothing is checked.
[[nodiscard]] constexpr stream_marker decode_marker(const std::byte* bytes) noexcept {
  return {.value = load_le<std::uint64_t>(bytes),
          .size = load_le<std::uint32_t>(bytes + offsetof(stream_marker, size)),
          .type = load_le<std::uint32_t>(bytes + offsetof(stream_marker, type))};
}

/// Makes a sector of a marker without data, whose rest is zeros. `sector` is sector_bytes long.
constexpr void encode_marker(marker_type type, std::uint64_t following_sectors,
                             std::byte* sector) noexcept {
  zero_bytes(sector, sector_bytes);
  store_le(sector, following_sectors);
  store_le(sector + offsetof(stream_marker, type), static_cast<std::uint32_t>(type));
}

}  // namespace vmdk
