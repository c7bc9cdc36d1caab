// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/io/padded.hpp"

#include <catch2/catch.hpp>

#include "tests/support/marked_source.hpp"

namespace padded_test {
namespace {

using namespace testing_support;

static_assert(SparseSource<padded_source<memory_source>>);

constexpr bool padding_reads_as_zeros() {
  const auto bytes = counted_bytes<5>();
  memory_source inner{byte_view(bytes)};
  padded_source padded{inner, 8};
  auto out = counted_bytes<8>(100);
  bool ok = padded.size() == 8 && !padded.read_at(0, out);
  ok = ok && counts_from(byte_view(out).first(5), 1) && is_zero(byte_view(out).subspan(5));
  out = counted_bytes<8>(100);
  ok = ok && !padded.read_at(6, byte_span(out).first(2)) && is_zero(byte_view(out).first(2));
  ok = ok && !padded.read_at(4, byte_span(out).first(1)) && out[0] == std::byte{5};
  ok = ok && padded.read_at(7, byte_span(out).first(2)) == source_failure(errc::out_of_range, 7);
  ok = ok && padded_source(inner, 3).size() == 5;
  return ok;
}
static_assert(padding_reads_as_zeros());

constexpr bool padding_is_a_hole() {
  const auto bytes = counted_bytes<5>();
  memory_source dense{byte_view(bytes)};
  padded_source padded{dense, 8};
  bool ok = *padded.next_data(0) == range{0, 5} && *padded.next_data(5) == range{8, 0};
  ok = ok && *padded.next_data(8) == range{8, 0};
  ok = ok && padded.next_data(9).error() == source_failure(errc::out_of_range, 9);
  marked_source sparse{10, {2, 4}};
  padded_source more{sparse, 16};
  ok = ok && *more.next_data(0) == range{2, 4} && *more.next_data(6) == range{16, 0};
  return ok;
}
static_assert(padding_is_a_hole());

constexpr bool padding_passes_failures() {
  marked_source inner{10, {0, 10}};
  padded_source padded{inner, 16};
  const failure why{errc::read_failed, origin::source, 1, 5, 77};
  inner.fail_with(why);
  std::array<std::byte, 4> out{};
  return padded.read_at(8, out) == why && padded.next_data(0).error() == why &&
         !padded.read_at(10, out);
}
static_assert(padding_passes_failures());

}  // namespace

TEST_CASE("padding reads as zeros and is a hole") {
  CHECK(padding_reads_as_zeros());
  CHECK(padding_is_a_hole());
  CHECK(padding_passes_failures());
}

}  // namespace padded_test
