// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/reader/sparse_extent.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>

#include "vmdk/core/endian.hpp"

namespace sparse_extent_test {
namespace {

using vmdk::placement;

constexpr std::uint32_t grain_sectors = 128;

/// A file of 2 TiB that holds a directory in sector 1, one table in sector 2, and nothing else.
struct entries_at_the_limit {
  std::array<std::byte, vmdk::table_bytes> table{};

  constexpr vmdk::failure read_at(std::uint64_t offset, vmdk::byte_span out) noexcept {
    vmdk::zero_bytes(out);
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::uint64_t at = offset + i;
      if (at == vmdk::sector_bytes) out[i] = std::byte{2};
      if (at >= 2 * vmdk::sector_bytes && at < 2 * vmdk::sector_bytes + table.size()) {
        out[i] = table[static_cast<std::size_t>(at) - 2 * vmdk::sector_bytes];
      }
    }
    return vmdk::no_failure;
  }
};

struct looked_up {
  std::array<std::byte, vmdk::sector_bytes> directory{};
  std::array<std::byte, vmdk::sector_bytes> table{};

  constexpr vmdk::mapping map(entries_at_the_limit& file, std::uint64_t offset) {
    vmdk::sparse_extent_header header;
    header.capacity = std::uint64_t{grain_sectors * 16};
    header.grain_size = std::uint64_t{grain_sectors};
    header.gd_offset = std::uint64_t{1};
    header.over_head = std::uint64_t{grain_sectors};
    const vmdk::sparse_extent extent(header, vmdk::sector_number_limit * vmdk::sector_bytes);
    vmdk::table_cache cache{vmdk::window_cache(directory), vmdk::window_cache(table)};
    return extent.map(file, offset, cache).value();
  }
};

constexpr void set_entry(entries_at_the_limit& file, std::size_t index, std::uint32_t sector) {
  vmdk::store_le(file.table.data() + 4 * index, sector);
}

// A number behind the last one that 32 bits hold is not 0.
constexpr bool a_run_ends_at_the_last_sector() {
  entries_at_the_limit file;
  set_entry(file, 0, 0xFFFFFF00);
  set_entry(file, 1, 0xFFFFFF80);
  looked_up run;
  const vmdk::mapping found = run.map(file, 0);
  return found.where == placement::stored && found.bytes == 2 * 65536 &&
         looked_up().map(file, 2 * 65536).where == placement::absent;
}

constexpr bool neighbours_in_the_file_are_one_run() {
  entries_at_the_limit file;
  for (std::uint32_t i = 0; i < 5; ++i) set_entry(file, i, 128 + i * grain_sectors);
  set_entry(file, 5, 128 + 6 * grain_sectors);
  return looked_up().map(file, 65536 + 512).bytes == 4 * 65536 - 512 &&
         looked_up().map(file, 65536 + 512).file_offset == 2 * 65536 + 512;
}

constexpr bool absent_neighbours_are_one_run() {
  entries_at_the_limit file;
  set_entry(file, 7, 128);
  return looked_up().map(file, 0).bytes == 7 * 65536 &&
         looked_up().map(file, 8 * 65536).bytes == 8 * 65536;
}

constexpr bool a_bad_neighbour_ends_a_run() {
  entries_at_the_limit file;
  set_entry(file, 0, 0xFFFFFF80 - 1);
  set_entry(file, 1, 0xFFFFFF80 - 1 + grain_sectors);
  return looked_up().map(file, 0).bytes == 65536;
}

static_assert(a_run_ends_at_the_last_sector());
static_assert(neighbours_in_the_file_are_one_run());
static_assert(absent_neighbours_are_one_run());
static_assert(a_bad_neighbour_ends_a_run());

}  // namespace

TEST_CASE("neighbours are found in one look-up") {
  CHECK(a_run_ends_at_the_last_sector());
  CHECK(neighbours_in_the_file_are_one_run());
  CHECK(absent_neighbours_are_one_run());
  CHECK(a_bad_neighbour_ends_a_run());
}

}  // namespace sparse_extent_test
