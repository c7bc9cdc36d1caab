// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/format/geometry.hpp"

#include <catch2/catch.hpp>
#include <cstdint>

namespace geometry_test {
namespace {

using vmdk::adapter;
using vmdk::geometry;
using vmdk::geometry_for;

// Figures that VMware's own programs wrote.
constexpr bool geometry_is_vmwares() {
  return geometry_for(adapter::lsilogic, 4096) == geometry{2, 64, 32} &&
         geometry_for(adapter::buslogic, 2048) == geometry{1, 64, 32} &&
         geometry_for(adapter::lsilogic, 81920) == geometry{40, 64, 32} &&
         geometry_for(adapter::lsilogic, 125829120) == geometry{7832, 255, 63} &&
         geometry_for(adapter::lsilogic, 83886080) == geometry{5221, 255, 63} &&
         geometry_for(adapter::lsilogic, 10485760) == geometry{652, 255, 63} &&
         geometry_for(adapter::ide, 10485760) == geometry{10402, 16, 63} &&
         geometry_for(adapter::ide, 208896) == geometry{207, 16, 63} &&
         geometry_for(adapter::ide, 18432000) == geometry{16383, 16, 63};
}
static_assert(geometry_is_vmwares());
TEST_CASE("geometry is what VMware states for known disks") { CHECK(geometry_is_vmwares()); }

constexpr bool geometry_changes_at_the_thresholds() {
  constexpr std::uint64_t gib = 1u << 21;
  return geometry_for(adapter::lsilogic, gib - 1) == geometry{1023, 64, 32} &&
         geometry_for(adapter::lsilogic, gib) == geometry{512, 128, 32} &&
         geometry_for(adapter::legacy_esx, 2 * gib - 1) == geometry{1023, 128, 32} &&
         geometry_for(adapter::legacy_esx, 2 * gib) == geometry{261, 255, 63} &&
         geometry_for(adapter::ide, gib - 1) == geometry{2080, 16, 63};
}
static_assert(geometry_changes_at_the_thresholds());
TEST_CASE("small SCSI disks have fewer heads") { CHECK(geometry_changes_at_the_thresholds()); }

constexpr bool geometry_has_limits() {
  constexpr std::uint64_t huge = std::uint64_t{1} << 54;
  constexpr std::uint64_t last = 16383 * std::uint64_t{1008};
  return geometry_for(adapter::lsilogic, 1) == geometry{1, 64, 32} &&
         geometry_for(adapter::ide, 1) == geometry{1, 16, 63} &&
         geometry_for(adapter::ide, last - 1) == geometry{16382, 16, 63} &&
         geometry_for(adapter::ide, last) == geometry{16383, 16, 63} &&
         geometry_for(adapter::ide, huge) == geometry{16383, 16, 63} &&
         geometry_for(adapter::lsilogic, huge) == geometry{0xFFFFFFFF, 255, 63} &&
         geometry_for(adapter::lsilogic, std::uint64_t{1} << 37) == geometry{8555179, 255, 63};
}
static_assert(geometry_has_limits());
TEST_CASE("there is at least one cylinder and at most 32 bits of them") {
  CHECK(geometry_has_limits());
}

constexpr bool shifts_divide() {
  constexpr std::uint32_t divisors[] = {1, 2, 1008, 2048, 16065, 0xFFFFFFFF};
  std::uint64_t n = 0;
  for (int i = 0; i < 40; ++i, n = n * 31 + 17) {
    for (const std::uint32_t divisor : divisors) {
      if (vmdk::detail::divided(n, divisor) != n / divisor) return false;
    }
  }
  return vmdk::detail::divided(~std::uint64_t{0}, 3) == ~std::uint64_t{0} / 3;
}
static_assert(shifts_divide());
TEST_CASE("division by shifts is division") { CHECK(shifts_divide()); }

}  // namespace

}  // namespace geometry_test
