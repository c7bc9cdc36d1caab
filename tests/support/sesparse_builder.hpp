// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace support {

/// Builds a small seSparse extent (SPEC 11) in memory of the caller's, zeros and enough of them.
/// It shares no code with the library, on purpose. Nothing is checked, so that broken images can be
/// built as well. Regions stand in ESXi's order but are no larger than they must be; tables are
/// used from the last to the first, so that a table's number never is its place in the directory.
class sesparse_builder {
 public:
  static constexpr std::uint32_t table_entries = 4096;

  /// A region's place in the header: the byte offset of its two fields.
  enum field : std::size_t {
    volatile_header = 80,
    journal_header = 96,
    journal = 112,
    directory = 128,
    tables = 144,
    bitmap = 160,
    backmap = 176,
    grains = 192
  };

  /// There is room for so many tables and so many grains.
  constexpr sesparse_builder(std::span<std::byte> room, std::uint64_t capacity_sectors,
                             std::uint32_t table_slots = 2, std::uint32_t grain_slots = 8)
      : at_(room.data()), free_table_(table_slots) {
    put(0, 0xCAFEBABE);
    put(8, 0x0000000200000001);
    put(16, capacity_sectors);
    put(24, 8);
    put(32, 64);
    const std::uint64_t table_count = (capacity_sectors - 1) / (table_entries * 8) + 1;
    const std::uint64_t grain_count = (capacity_sectors - 1) / 8 + 1;
    std::uint64_t sector = 1;
    const auto place = [&](field where, std::uint64_t sectors) {
      put(where, sector);
      put(where + 8, sectors);
      sector += sectors;
    };
    place(volatile_header, 1);
    place(journal_header, 2);
    place(journal, 4);
    place(directory, (table_count * 8 + 511) / 512);
    place(tables, std::uint64_t{table_slots} * 64);
    place(bitmap, (grain_count / 8 + 511) / 512);
    place(backmap, 1);
    place(grains, std::uint64_t{grain_slots} * 8);
    put(512, 0xCAFECAFE);
  }

  /// Stores a grain whose bytes all are `fill`.
  constexpr void store(std::uint64_t grain, std::byte fill) {
    std::byte* const data = at_ + (get(grains) + std::uint64_t{free_grain_} * 8) * 512;
    for (std::size_t i = 0; i < 4096; ++i) data[i] = fill;
    set_entry(grain, stored_entry(free_grain_));
    ++free_grain_;
  }

  /// The entry that names a grain of the grains region.
  [[nodiscard]] static constexpr std::uint64_t stored_entry(std::uint64_t number) {
    return std::uint64_t{3} << 60 | (number & 0xFFF) << 48 | number >> 12;
  }

  /// Sets the entry of a grain, and takes a table for it where there is none.
  constexpr void set_entry(std::uint64_t grain, std::uint64_t entry) {
    const std::uint64_t table = grain / table_entries;
    if (get(directory_entry_at(table)) == 0) {
      --free_table_;
      set_directory_entry(table, std::uint64_t{1} << 60 | free_table_);
    }
    put(entry_at(grain), entry);
  }

  constexpr void set_directory_entry(std::uint64_t table, std::uint64_t entry) {
    put(directory_entry_at(table), entry);
  }

  [[nodiscard]] constexpr std::size_t directory_entry_at(std::uint64_t table) const {
    return get(directory) * 512 + table * 8;
  }

  /// The byte offset of a grain's entry, whose table is there.
  [[nodiscard]] constexpr std::size_t entry_at(std::uint64_t grain) const {
    const std::uint64_t number = get(directory_entry_at(grain / table_entries)) & 0xFFFFFFFF;
    return (get(tables) + number * 64) * 512 + grain % table_entries * 8;
  }

  /// Writes a little-endian word anywhere.
  constexpr void put(std::size_t at, std::uint64_t value) {
    for (std::size_t i = 0; i < 8; ++i) at_[at + i] = static_cast<std::byte>(value >> 8 * i & 0xFF);
  }

  [[nodiscard]] constexpr std::uint64_t get(std::size_t at) const {
    std::uint64_t value = 0;
    for (std::size_t i = 8; i-- > 0;)
      value = value << 8 | std::to_integer<std::uint64_t>(at_[at + i]);
    return value;
  }

  /// The file, with all its room for grains.
  [[nodiscard]] constexpr std::span<std::byte> file() const {
    return {at_, static_cast<std::size_t>((get(grains) + get(grains + 8)) * 512)};
  }

 private:
  std::byte* at_;
  std::uint32_t free_table_;
  std::uint32_t free_grain_ = 0;
};

}  // namespace support
