// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/io/zero.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <limits>

#include "vmdk/io/memory.hpp"
#include "vmdk/io/next_data.hpp"

namespace zero_test {
namespace {

using namespace vmdk;

constexpr bool zero_source_is_one_hole() {
  zero_source source{std::uint64_t{1} << 60};
  std::array<std::byte, 4> out{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
  bool ok = source.size() == std::uint64_t{1} << 60;
  ok = ok && !source.read_at(source.size() - 4, out) && is_zero(out);
  ok = ok && source.read_at(source.size() - 3, out) ==
                 source_failure(errc::out_of_range, source.size() - 3);
  ok = ok && *source.next_data(0) == range{source.size(), 0};
  ok = ok && *source.next_data(source.size()) == range{source.size(), 0};
  ok = ok && source.next_data(source.size() + 1).error() ==
                 source_failure(errc::out_of_range, source.size() + 1);
  return ok;
}
static_assert(zero_source_is_one_hole());

constexpr bool next_data_of_a_dense_source_is_the_rest() {
  std::array<std::byte, 4> bytes{};
  memory_source dense{byte_view(bytes)};
  zero_source sparse{4};
  bool ok = *next_data_of(dense, 1) == range{1, 3} && *next_data_of(dense, 4) == range{4, 0};
  ok = ok && next_data_of(dense, 5).error() == source_failure(errc::out_of_range, 5);
  ok = ok && *next_data_of(sparse, 1) == range{4, 0};
  return ok;
}
static_assert(next_data_of_a_dense_source_is_the_rest());

}  // namespace

TEST_CASE("a zero source is one hole") { CHECK(zero_source_is_one_hole()); }

TEST_CASE("a source that does not know its holes is data to its end") {
  CHECK(next_data_of_a_dense_source_is_the_rest());
}

}  // namespace zero_test
