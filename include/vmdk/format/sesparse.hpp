// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "vmdk/core/bytes.hpp"
#include "vmdk/core/endian.hpp"
#include "vmdk/core/units.hpp"

namespace vmdk {

inline constexpr std::uint64_t sesparse_magic = 0x00000000CAFEBABE;
inline constexpr std::uint64_t sesparse_volatile_magic = 0x00000000CAFECAFE;
inline constexpr std::uint64_t sesparse_version = 0x0000000200000001;  ///< 2.1

/// The one grain size, 4 KiB, and the one table size, 4096 entries of eight bytes (SPEC 11).
inline constexpr unsigned sesparse_grain_shift = 3;
inline constexpr std::uint32_t sesparse_grain_sectors = 1u << sesparse_grain_shift;
inline constexpr unsigned sesparse_table_shift = 12;
inline constexpr std::uint32_t sesparse_entries_per_table = 1u << sesparse_table_shift;
inline constexpr unsigned sesparse_table_sectors_shift = 6;
inline constexpr std::uint32_t sesparse_table_sectors = 1u << sesparse_table_sectors_shift;

/// No disk is larger than 64 TiB (SPEC 11).
inline constexpr std::uint64_t sesparse_capacity_limit_sectors = std::uint64_t{1} << 37;

/// The first of the reserved words has this value in files of newer ESXi; they read the same.
inline constexpr std::uint64_t sesparse_reserved_known = 0x200;

/// Where a part of the file lies, in sectors.
struct sesparse_region {
  le<std::uint64_t> offset{};
  le<std::uint64_t> size{};
};

/// The first sector of a seSparse extent, byte for byte (SPEC 11). It never changes once the file
/// is made. Offsets and sizes are in sectors.
struct sesparse_header {
  le<std::uint64_t> magic{sesparse_magic};
  le<std::uint64_t> version{sesparse_version};
  le<std::uint64_t> capacity{};
  le<std::uint64_t> grain_size{sesparse_grain_sectors};
  le<std::uint64_t> grain_table_size{sesparse_table_sectors};
  le<std::uint64_t> flags{};
  std::array<le<std::uint64_t>, 4> reserved{};
  sesparse_region volatile_header{};
  sesparse_region journal_header{};
  sesparse_region journal{};
  sesparse_region grain_directory{};
  sesparse_region grain_tables{};
  sesparse_region free_bitmap{};
  sesparse_region backmap{};
  sesparse_region grains{};
  std::array<std::byte, 304> pad{};
};

/// The sector with what changes while the extent is in use (SPEC 11).
struct sesparse_volatile_header {
  le<std::uint64_t> magic{sesparse_volatile_magic};
  le<std::uint64_t> free_gt_number{};
  le<std::uint64_t> next_txn_seq_number{};
  le<std::uint64_t> replay_journal{};
  std::array<std::byte, 480> pad{};
};

static_assert(sizeof(sesparse_region) == 16);
static_assert(sizeof(sesparse_header) == sector_bytes && alignof(sesparse_header) == 1);
static_assert(std::is_trivially_copyable_v<sesparse_header>);
static_assert(offsetof(sesparse_header, magic) == 0);
static_assert(offsetof(sesparse_header, version) == 8);
static_assert(offsetof(sesparse_header, capacity) == 16);
static_assert(offsetof(sesparse_header, grain_size) == 24);
static_assert(offsetof(sesparse_header, grain_table_size) == 32);
static_assert(offsetof(sesparse_header, flags) == 40);
static_assert(offsetof(sesparse_header, reserved) == 48);
static_assert(offsetof(sesparse_header, volatile_header) == 80);
static_assert(offsetof(sesparse_header, journal_header) == 96);
static_assert(offsetof(sesparse_header, journal) == 112);
static_assert(offsetof(sesparse_header, grain_directory) == 128);
static_assert(offsetof(sesparse_header, grain_tables) == 144);
static_assert(offsetof(sesparse_header, free_bitmap) == 160);
static_assert(offsetof(sesparse_header, backmap) == 176);
static_assert(offsetof(sesparse_header, grains) == 192);
static_assert(offsetof(sesparse_header, pad) == 208);
static_assert(sizeof(sesparse_volatile_header) == sector_bytes);
static_assert(alignof(sesparse_volatile_header) == 1);
static_assert(std::is_trivially_copyable_v<sesparse_volatile_header>);
static_assert(offsetof(sesparse_volatile_header, magic) == 0);
static_assert(offsetof(sesparse_volatile_header, free_gt_number) == 8);
static_assert(offsetof(sesparse_volatile_header, next_txn_seq_number) == 16);
static_assert(offsetof(sesparse_volatile_header, replay_journal) == 24);
static_assert(offsetof(sesparse_volatile_header, pad) == 32);

using sesparse_header_image = std::array<std::byte, sector_bytes>;

/// The header's bytes as they stand on disk.
[[nodiscard]] constexpr sesparse_header_image encode(const sesparse_header& header) noexcept {
  return std::bit_cast<sesparse_header_image>(header);
}
[[nodiscard]] constexpr sesparse_header_image encode(
    const sesparse_volatile_header& header) noexcept {
  return std::bit_cast<sesparse_header_image>(header);
}

/// The header that these bytes are. Nothing is checked: see sesparse_check.hpp.
[[nodiscard]] constexpr sesparse_header decode_sesparse_header(
    const sesparse_header_image& bytes) noexcept {
  return std::bit_cast<sesparse_header>(bytes);
}
[[nodiscard]] constexpr sesparse_volatile_header decode_sesparse_volatile_header(
    const sesparse_header_image& bytes) noexcept {
  return std::bit_cast<sesparse_volatile_header>(bytes);
}

/// What the top four bits of a grain table entry say (SPEC 11).
enum class sesparse_grain : std::uint8_t {
  absent,    ///< Never written: the parent's content. The whole entry is 0.
  unmapped,  ///< Given back by the guest: zeros.
  zero,
  stored,
  invalid,  ///< None of these.
};

/// What a grain table entry says.
[[nodiscard]] constexpr sesparse_grain sesparse_entry_kind(std::uint64_t entry) noexcept {
  if (entry == 0) return sesparse_grain::absent;
  switch (entry >> 60) {
    case 1:
      return sesparse_grain::unmapped;
    case 2:
      return sesparse_grain::zero;
    case 3:
      return sesparse_grain::stored;
    default:
      return sesparse_grain::invalid;
  }
}

/// The number of the grain in the grains region that a `stored` entry names. Its lowest 12 bits are
/// bits 48 to 59 of the entry (SPEC 11).
[[nodiscard]] constexpr std::uint64_t sesparse_entry_grain(std::uint64_t entry) noexcept {
  return (entry >> 48 & 0xFFF) | (entry & 0x0000FFFFFFFFFFFF) << 12;
}

/// True when a directory entry that is not 0 names a table: its number in the tables region is the
/// lower half (SPEC 11).
[[nodiscard]] constexpr bool sesparse_entry_names_table(std::uint64_t directory_entry) noexcept {
  return directory_entry >> 32 == 0x10000000;
}

}  // namespace vmdk
