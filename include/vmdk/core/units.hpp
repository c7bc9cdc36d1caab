// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

namespace vmdk {

/// The sector of every offset and size in a VMDK, also for guests with 4 KiB sectors (SPEC 1).
inline constexpr std::uint32_t sector_bytes = 512;
inline constexpr unsigned sector_shift = 9;

/// Tables hold 512 entries of four bytes: four sectors (SPEC 3).
inline constexpr std::uint32_t entries_per_table = 512;
inline constexpr std::uint32_t table_sectors = 4;
inline constexpr std::uint32_t table_bytes = table_sectors * sector_bytes;

/// Sector numbers in directories and tables have 32 bits (SPEC 12).
inline constexpr std::uint64_t sector_number_limit = std::uint64_t{1} << 32;

namespace literals {
[[nodiscard]] consteval std::uint64_t operator""_KiB(unsigned long long n) { return n << 10; }
[[nodiscard]] consteval std::uint64_t operator""_MiB(unsigned long long n) { return n << 20; }
[[nodiscard]] consteval std::uint64_t operator""_GiB(unsigned long long n) { return n << 30; }
[[nodiscard]] consteval std::uint64_t operator""_TiB(unsigned long long n) { return n << 40; }
}  // namespace literals

}  // namespace vmdk
