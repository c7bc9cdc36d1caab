// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/format/sparse_geometry.hpp"

#include <catch2/catch.hpp>
#include <cstdint>

namespace sparse_geometry_test {
namespace {

using vmdk::sparse_geometry;

constexpr bool the_last_table_is_shorter() {
  constexpr std::uint64_t table_sectors = 512 * 128;
  const sparse_geometry whole(2 * table_sectors, 128);
  const sparse_geometry more(2 * table_sectors + 1, 128);
  const sparse_geometry less(2 * table_sectors - 128, 128);
  return whole.table_count() == 2 && whole.entries_in_table(0) == 512 &&
         whole.entries_in_table(1) == 512 && more.table_count() == 3 &&
         more.entries_in_table(1) == 512 && more.entries_in_table(2) == 1 &&
         less.table_count() == 2 && less.entries_in_table(1) == 511;
}
static_assert(the_last_table_is_shorter());
TEST_CASE("the last table has entries for the grains that are left") {
  CHECK(the_last_table_is_shorter());
}

}  // namespace

}  // namespace sparse_geometry_test
