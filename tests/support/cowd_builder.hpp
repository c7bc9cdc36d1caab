// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace support {

/// Builds a small COWD extent (SPEC 10) in memory of the caller's, zeros and enough of them. It
/// shares no code with the library, on purpose. Nothing is checked, so that broken images can be
/// built as well.
class cowd_builder {
 public:
  static constexpr std::uint32_t table_entries = 4096;
  static constexpr std::size_t directory_at = 2048;

  constexpr cowd_builder(std::span<std::byte> room, std::uint32_t capacity_sectors,
                         std::uint32_t grain_sectors = 1)
      : at_(room.data()), grain_sectors_(grain_sectors) {
    const std::uint32_t covered = table_entries * grain_sectors;
    const std::uint32_t tables = (capacity_sectors - 1) / covered + 1;
    free_sector_ = 4 + (tables * 4 + 511) / 512;
    constexpr char magic[] = {'C', 'O', 'W', 'D'};
    for (std::size_t i = 0; i < 4; ++i) at_[i] = static_cast<std::byte>(magic[i]);
    put(4, 1);
    put(8, 3);
    put(12, capacity_sectors);
    put(16, grain_sectors);
    put(20, 4);
    put(24, tables);
    put(28, free_sector_);
  }

  /// Stores a grain whose bytes all are `fill`.
  constexpr void store(std::uint32_t grain, std::byte fill) {
    need_table(grain / table_entries);
    set_entry(grain, free_sector_);
    std::byte* const data = at_ + std::size_t{free_sector_} * 512;
    for (std::size_t i = 0; i < std::size_t{grain_sectors_} * 512; ++i) data[i] = fill;
    take(grain_sectors_);
  }

  /// Sets the entry of a grain, and makes its table where there is none.
  constexpr void set_entry(std::uint32_t grain, std::uint32_t sector) {
    need_table(grain / table_entries);
    put(entry_at(grain), sector);
  }

  constexpr void set_directory_entry(std::uint32_t table, std::uint32_t sector) {
    put(directory_at + table * std::size_t{4}, sector);
  }

  /// The byte offset of a grain's entry, whose table is there.
  [[nodiscard]] constexpr std::size_t entry_at(std::uint32_t grain) const {
    const std::uint32_t table = get(directory_at + grain / table_entries * std::size_t{4});
    return std::size_t{table} * 512 + (grain % table_entries) * std::size_t{4};
  }

  [[nodiscard]] constexpr std::uint32_t entry(std::uint32_t grain) const {
    return get(entry_at(grain));
  }

  /// Writes a little-endian word anywhere.
  constexpr void put(std::size_t at, std::uint32_t value) {
    for (std::size_t i = 0; i < 4; ++i) at_[at + i] = static_cast<std::byte>(value >> 8 * i & 0xFF);
  }

  /// The file as it is now.
  [[nodiscard]] constexpr std::span<std::byte> file() const {
    return {at_, std::size_t{free_sector_} * 512};
  }

 private:
  constexpr void need_table(std::uint32_t table) {
    if (get(directory_at + table * std::size_t{4}) != 0) return;
    set_directory_entry(table, free_sector_);
    take(table_entries * 4 / 512);
  }

  constexpr void take(std::uint32_t sectors) {
    free_sector_ += sectors;
    put(28, free_sector_);
  }

  [[nodiscard]] constexpr std::uint32_t get(std::size_t at) const {
    std::uint32_t value = 0;
    for (std::size_t i = 4; i-- > 0;)
      value = value << 8 | std::to_integer<std::uint32_t>(at_[at + i]);
    return value;
  }

  std::byte* at_;
  std::uint32_t grain_sectors_;
  std::uint32_t free_sector_ = 0;
};

}  // namespace support
