// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/core/units.hpp"

#include <catch2/catch.hpp>

namespace units_test {
namespace {

using namespace vmdk;
using namespace vmdk::literals;

constexpr bool units_agree() {
  bool ok = sector_bytes == 1u << sector_shift && table_bytes == 4 * entries_per_table;
  ok = ok && table_bytes == 2048 && sector_number_limit == 4294967296;
  ok = ok && 3_KiB == 3072 && 2_MiB == 2097152 && 1_GiB == 1073741824;
  return ok && 2_TiB == sector_number_limit * sector_bytes && 64_TiB == 64 * 1024_GiB;
}
static_assert(units_agree());

}  // namespace

TEST_CASE("units agree with each other") { CHECK(units_agree()); }

}  // namespace units_test
