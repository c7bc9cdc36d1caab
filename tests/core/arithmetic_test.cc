// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/core/arithmetic.hpp"

#include <catch2/catch.hpp>

namespace arithmetic_test {
namespace {

using namespace vmdk;

constexpr std::uint64_t most = ~std::uint64_t{0};

constexpr bool powers_of_two_are_told() {
  bool ok = !is_power_of_two(0) && !is_power_of_two(most);
  for (unsigned shift = 0; shift < 64; ++shift) {
    const std::uint64_t power = std::uint64_t{1} << shift;
    ok = ok && is_power_of_two(power) && log2_exact(power) == shift;
    if (shift > 1) ok = ok && !is_power_of_two(power - 1) && !is_power_of_two(power + 1);
  }
  return ok;
}
static_assert(powers_of_two_are_told());

constexpr bool shifts_round_up() {
  bool ok = ceil_shift(0, 9) == 0 && ceil_shift(1, 9) == 1 && ceil_shift(511, 9) == 1;
  ok = ok && ceil_shift(512, 9) == 1 && ceil_shift(513, 9) == 2;
  ok = ok && ceil_shift(7, 0) == 7 && ceil_shift(most, 0) == most;
  ok = ok && ceil_shift(most, 1) == std::uint64_t{1} << 63;
  ok = ok && ceil_shift(most, 63) == 2 && ceil_shift(std::uint64_t{1} << 63, 63) == 1;
  ok = ok && align_up(0, 8) == 0 && align_up(1, 8) == 8 && align_up(8, 8) == 8;
  ok = ok && align_up(9, 1) == 9 && align_up(most - 7, 8) == most - 7;
  return ok;
}
static_assert(shifts_round_up());

constexpr bool sums_are_checked() {
  std::uint64_t sum = 77;
  bool ok = checked_add(most, 0, sum) && sum == most;
  ok = ok && checked_add(0, most, sum) && sum == most;
  ok = ok && checked_add(most - 5, 5, sum) && sum == most;
  sum = 77;
  ok = ok && !checked_add(most, 1, sum) && !checked_add(1, most, sum);
  ok = ok && !checked_add(most, most, sum) && !checked_add(most - 4, 5, sum) && sum == 77;
  sum = 40;
  return ok && checked_add(sum, 2, sum) && sum == 42;
}
static_assert(sums_are_checked());

constexpr bool products_are_checked() {
  std::uint64_t product = 77;
  bool ok = checked_shift(most, 0, product) && product == most;
  ok = ok && checked_shift(1, 63, product) && product == std::uint64_t{1} << 63;
  ok = ok && checked_shift(most >> 9, 9, product) && product == (most >> 9) << 9;
  product = 77;
  ok = ok && !checked_shift((most >> 9) + 1, 9, product) && !checked_shift(2, 63, product);
  ok = ok && !checked_shift(most, 1, product) && !checked_shift(1, 64, product);
  ok = ok && !checked_shift(0, 64, product) && !checked_shift(1, 1000, product) && product == 77;
  return ok;
}
static_assert(products_are_checked());

constexpr bool ranges_are_told() {
  bool ok = fits_inside(0, 0, 0) && fits_inside(0, 10, 10) && fits_inside(10, 0, 10);
  ok = ok && fits_inside(3, 7, 10) && !fits_inside(3, 8, 10) && !fits_inside(11, 0, 10);
  ok = ok && !fits_inside(most, 1, 10) && !fits_inside(1, most, 10) && !fits_inside(0, 1, 0);
  ok = ok && fits_inside(0, most, most) && fits_inside(most, 0, most);
  ok = ok && !fits_inside(most, 1, most) && !fits_inside(1, most, most);
  return ok;
}
static_assert(ranges_are_told());

constexpr bool ends_are_picked() {
  bool ok = smaller_of(1u, 2u) == 1 && smaller_of(2u, 1u) == 1 && smaller_of(most, most) == most;
  ok = ok && larger_of(1u, 2u) == 2 && larger_of(2u, 1u) == 2;
  return ok && larger_of(most, std::uint64_t{0}) == most;
}
static_assert(ends_are_picked());

}  // namespace

TEST_CASE("arithmetic holds at the edges") {
  CHECK(powers_of_two_are_told());
  CHECK(shifts_round_up());
  CHECK(sums_are_checked());
  CHECK(products_are_checked());
  CHECK(ranges_are_told());
  CHECK(ends_are_picked());
}

}  // namespace arithmetic_test
