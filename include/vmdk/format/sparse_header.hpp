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

inline constexpr std::uint32_t sparse_magic = 0x564D444B;             ///< "KDMV"
inline constexpr std::uint32_t sparse_magic_unfinished = 0x766D646B;  ///< "kdmv"

/// The gd_offset of a stream whose tables are behind its grains: look in the footer (SPEC 5).
inline constexpr std::uint64_t directory_at_end = 0xFFFFFFFFFFFFFFFF;

/// Flags of a sparse extent header (SPEC 2). The low half is compatible: readers may ignore a bit
/// there that they do not know. The high half is not.
namespace sparse_flags {
inline constexpr std::uint32_t newline_bytes_valid = 1u << 0;
inline constexpr std::uint32_t redundant_tables = 1u << 1;
inline constexpr std::uint32_t zeroed_grains = 1u << 2;
inline constexpr std::uint32_t compressed = 1u << 16;
inline constexpr std::uint32_t markers = 1u << 17;
inline constexpr std::uint32_t incompatible_unknown = 0xFFFC0000u;
}  // namespace sparse_flags

/// The first sector of a sparse extent, byte for byte (SPEC 2). Members have the technote's names
/// in snake_case; offsets and sizes are in sectors. It is packed because its members are bytes.
struct sparse_extent_header {
  le<std::uint32_t> magic_number{sparse_magic};
  le<std::uint32_t> version{1u};
  le<std::uint32_t> flags{};
  le<std::uint64_t> capacity{};
  le<std::uint64_t> grain_size{};
  le<std::uint64_t> descriptor_offset{};
  le<std::uint64_t> descriptor_size{};
  le<std::uint32_t> num_gtes_per_gt{entries_per_table};
  le<std::uint64_t> rgd_offset{};
  le<std::uint64_t> gd_offset{};
  le<std::uint64_t> over_head{};
  std::uint8_t unclean_shutdown = 0;
  std::uint8_t single_end_line_char = 0x0A;
  std::uint8_t non_end_line_char = 0x20;
  std::uint8_t double_end_line_char1 = 0x0D;
  std::uint8_t double_end_line_char2 = 0x0A;
  le<std::uint16_t> compress_algorithm{};
  std::array<std::byte, 433> pad{};

  [[nodiscard]] constexpr bool has(std::uint32_t flag) const noexcept {
    return (flags.get() & flag) != 0;
  }
  [[nodiscard]] constexpr bool is_compressed() const noexcept {
    return has(sparse_flags::compressed);
  }
  [[nodiscard]] constexpr bool has_tables_at_end() const noexcept {
    return gd_offset.get() == directory_at_end;
  }
};

static_assert(sizeof(sparse_extent_header) == sector_bytes);
static_assert(alignof(sparse_extent_header) == 1);
static_assert(std::is_trivially_copyable_v<sparse_extent_header>);
static_assert(offsetof(sparse_extent_header, magic_number) == 0);
static_assert(offsetof(sparse_extent_header, version) == 4);
static_assert(offsetof(sparse_extent_header, flags) == 8);
static_assert(offsetof(sparse_extent_header, capacity) == 12);
static_assert(offsetof(sparse_extent_header, grain_size) == 20);
static_assert(offsetof(sparse_extent_header, descriptor_offset) == 28);
static_assert(offsetof(sparse_extent_header, descriptor_size) == 36);
static_assert(offsetof(sparse_extent_header, num_gtes_per_gt) == 44);
static_assert(offsetof(sparse_extent_header, rgd_offset) == 48);
static_assert(offsetof(sparse_extent_header, gd_offset) == 56);
static_assert(offsetof(sparse_extent_header, over_head) == 64);
static_assert(offsetof(sparse_extent_header, unclean_shutdown) == 72);
static_assert(offsetof(sparse_extent_header, single_end_line_char) == 73);
static_assert(offsetof(sparse_extent_header, non_end_line_char) == 74);
static_assert(offsetof(sparse_extent_header, double_end_line_char1) == 75);
static_assert(offsetof(sparse_extent_header, double_end_line_char2) == 76);
static_assert(offsetof(sparse_extent_header, compress_algorithm) == 77);
static_assert(offsetof(sparse_extent_header, pad) == 79);

using sector_image = std::array<std::byte, sector_bytes>;

/// The header's bytes as they stand on disk.
[[nodiscard]] constexpr sector_image encode(const sparse_extent_header& header) noexcept {
  return std::bit_cast<sector_image>(header);
}

/// As above, into memory of the caller: at run time straight from one to the other, as a small
/// machine's stack has no room for a third copy.
constexpr void encode(const sparse_extent_header& header, std::byte* to) noexcept {
  if (std::is_constant_evaluated()) {
    const sector_image bytes = encode(header);
    copy_bytes(to, bytes.data(), bytes.size());
  } else {
    __builtin_memcpy(to, &header, sector_bytes);
  }
}

/// The header that these bytes are. Nothing is checked: see sparse_header_check.hpp.
[[nodiscard]] constexpr sparse_extent_header decode_sparse_header(
    const sector_image& bytes) noexcept {
  return std::bit_cast<sparse_extent_header>(bytes);
}

/// As above, straight into its place.
constexpr void decode_sparse_header(const sector_image& bytes,
                                    sparse_extent_header& header) noexcept {
  if (std::is_constant_evaluated()) {
    header = decode_sparse_header(bytes);
  } else {
    __builtin_memcpy(&header, bytes.data(), sector_bytes);
  }
}

/// Returns what `use(header)` does of the header that these bytes are: at run time without a copy,
/// for which a small machine's stack has no room.
template <class Use>
constexpr auto with_sparse_header(const sector_image& bytes, Use&& use) noexcept {
  if (std::is_constant_evaluated()) return use(decode_sparse_header(bytes));
  // An array of bytes is room for the objects that its bytes make.
  const auto* const header = reinterpret_cast<const sparse_extent_header*>(bytes.data());
  return use(*__builtin_launder(header));
}

/// The header in the first 512 of these bytes.
[[nodiscard]] constexpr sparse_extent_header decode_sparse_header(const std::byte* bytes) noexcept {
  sector_image copy{};
  copy_bytes(copy.data(), bytes, copy.size());
  return decode_sparse_header(copy);
}

}  // namespace vmdk
