// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/endian.hpp"
#include "vmdk/core/units.hpp"

namespace vmdk {

inline constexpr std::uint32_t cowd_magic = 0x44574F43;  ///< "COWD"

/// The header's four sectors, and the grain sizes in sectors that are read (SPEC 10, 13.5).
inline constexpr std::uint32_t cowd_header_sectors = 4;
inline constexpr std::uint32_t cowd_largest_grain_sectors = 2048;

/// Grain tables of a COWD extent hold 4096 entries of four bytes (SPEC 10).
inline constexpr unsigned cowd_table_shift = 12;
inline constexpr std::uint32_t cowd_entries_per_table = 1u << cowd_table_shift;
inline constexpr std::uint32_t cowd_table_sectors = 32;

/// The first 32 bytes of a COWD extent: all that finding a grain needs (SPEC 10). Members have the
/// technote's names in snake_case; offsets and sizes are in sectors.
struct cowd_header_start {
  le<std::uint32_t> magic_number{cowd_magic};
  le<std::uint32_t> version{1u};
  le<std::uint32_t> flags{3u};
  le<std::uint32_t> num_sectors{};  ///< The capacity.
  le<std::uint32_t> grain_size{1u};
  le<std::uint32_t> gd_offset{cowd_header_sectors};
  le<std::uint32_t> num_gd_entries{};
  le<std::uint32_t> free_sector{};  ///< The first sector that is not in use.
};

/// The last 412 bytes of a COWD header (SPEC 10).
struct cowd_header_end {
  le<std::uint32_t> saved_generation{};
  std::array<std::byte, 8> reserved{};
  le<std::uint32_t> unclean_shutdown{};
  std::array<std::byte, 396> padding{};
};

/// The first four sectors of a COWD extent, byte for byte (SPEC 10). Only a base disk has a
/// geometry; it stands in the first twelve bytes of parent_file_name, which is then no name.
struct cowd_header {
  cowd_header_start start{};
  std::array<std::byte, 1024> parent_file_name{};
  le<std::uint32_t> parent_generation{};
  le<std::uint32_t> generation{};
  std::array<std::byte, 60> name{};
  std::array<std::byte, 512> description{};
  cowd_header_end end{};
};

static_assert(sizeof(cowd_header_start) == 32 && sizeof(cowd_header_end) == 412);
static_assert(sizeof(cowd_header) == std::size_t{cowd_header_sectors} * sector_bytes);
static_assert(alignof(cowd_header) == 1);
static_assert(std::is_trivially_copyable_v<cowd_header>);
static_assert(offsetof(cowd_header_start, magic_number) == 0);
static_assert(offsetof(cowd_header_start, version) == 4);
static_assert(offsetof(cowd_header_start, flags) == 8);
static_assert(offsetof(cowd_header_start, num_sectors) == 12);
static_assert(offsetof(cowd_header_start, grain_size) == 16);
static_assert(offsetof(cowd_header_start, gd_offset) == 20);
static_assert(offsetof(cowd_header_start, num_gd_entries) == 24);
static_assert(offsetof(cowd_header_start, free_sector) == 28);
static_assert(offsetof(cowd_header, start) == 0);
static_assert(offsetof(cowd_header, parent_file_name) == 32);
static_assert(offsetof(cowd_header, parent_generation) == 1056);
static_assert(offsetof(cowd_header, generation) == 1060);
static_assert(offsetof(cowd_header, name) == 1064);
static_assert(offsetof(cowd_header, description) == 1124);
static_assert(offsetof(cowd_header, end) == 1636);
static_assert(offsetof(cowd_header_end, saved_generation) == 1636 - 1636);
static_assert(offsetof(cowd_header_end, reserved) == 1640 - 1636);
static_assert(offsetof(cowd_header_end, unclean_shutdown) == 1648 - 1636);
static_assert(offsetof(cowd_header_end, padding) == 1652 - 1636);

using cowd_header_image = std::array<std::byte, sizeof(cowd_header)>;

/// The header's bytes as they stand on disk.
[[nodiscard]] constexpr cowd_header_image encode(const cowd_header& header) noexcept {
  return std::bit_cast<cowd_header_image>(header);
}

/// The header that these bytes are. Nothing is checked: see cowd_check.hpp.
[[nodiscard]] constexpr cowd_header decode_cowd_header(const cowd_header_image& bytes) noexcept {
  return std::bit_cast<cowd_header>(bytes);
}

/// The header in the first 2048 of these bytes.
[[nodiscard]] constexpr cowd_header decode_cowd_header(const std::byte* bytes) noexcept {
  cowd_header_image copy{};
  copy_bytes(copy.data(), bytes, copy.size());
  return decode_cowd_header(copy);
}

/// The number of grain tables, and so of directory entries, that a disk has. The grain is a power
/// of two (SPEC 10).
[[nodiscard]] constexpr std::uint32_t cowd_table_count(std::uint32_t capacity_sectors,
                                                       std::uint32_t grain_sectors) noexcept {
  return static_cast<std::uint32_t>(
      ceil_shift(capacity_sectors, log2_exact(grain_sectors) + cowd_table_shift));
}

}  // namespace vmdk
