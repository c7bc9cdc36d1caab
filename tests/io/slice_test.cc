// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/io/slice.hpp"

#include <catch2/catch.hpp>
#include <limits>

#include "tests/support/marked_source.hpp"

namespace slice_test {
namespace {

using namespace testing_support;

constexpr std::uint64_t huge = (std::numeric_limits<std::uint64_t>::max)();

static_assert(SparseSource<slice_source<marked_source>>);
static_assert(!MappedSource<slice_source<marked_source>>);
static_assert(MappedSource<slice_source<memory_source>>);
static_assert(!SparseSource<slice_source<memory_source>>);

constexpr bool slice_reads_its_share() {
  const auto bytes = counted_bytes<10>();
  memory_source inner{byte_view(bytes)};
  slice_source slice{inner, 3, 5};
  std::array<std::byte, 5> out{};
  bool ok = slice.size() == 5 && !slice.read_at(0, out) && counts_from(out, 4);
  ok = ok && !slice.read_at(4, byte_span(out).first(1)) && out[0] == std::byte{8};
  ok = ok && slice.view(1, 4).data() == bytes.data() + 4 && slice.view(1, 4).size() == 4;
  ok = ok && slice.view(1, 5).empty();
  return ok;
}
static_assert(slice_reads_its_share());

constexpr bool slice_fails_with_inner_offsets() {
  marked_source inner{10, {0, 10}};
  slice_source slice{inner, 3, 5};
  std::array<std::byte, 5> out{};
  bool ok = slice.read_at(1, out) == source_failure(errc::out_of_range, 4);
  ok = ok && slice.next_data(6).error() == source_failure(errc::out_of_range, 9);
  const failure why{errc::read_failed, origin::source, 7, 5, 1234};
  inner.fail_with(why);
  ok = ok && slice.read_at(0, out) == why && slice.next_data(0).error() == why;
  return ok;
}
static_assert(slice_fails_with_inner_offsets());

constexpr bool slice_outside_its_source_fails() {
  const auto bytes = counted_bytes<10>();
  memory_source inner{byte_view(bytes)};
  slice_source beyond{inner, 8, 5};
  slice_source wrapping{inner, huge - 1, 5};
  std::array<std::byte, 1> out{};
  bool ok = beyond.read_at(0, out) == source_failure(errc::out_of_range, 8);
  ok = ok && wrapping.read_at(4, out) == source_failure(errc::out_of_range, huge);
  ok = ok && beyond.view(0, 1).empty() && wrapping.view(4, 1).empty();
  marked_source sparse{10, {0, 1}};
  slice_source beyond_sparse{sparse, 8, 5};
  ok = ok && beyond_sparse.next_data(0).error() == source_failure(errc::out_of_range, 8);
  return ok;
}
static_assert(slice_outside_its_source_fails());

constexpr bool slice_keeps_holes() {
  marked_source inner{100, {20, 40}};
  bool ok = *slice_source(inner, 10, 80).next_data(0) == range{10, 40};
  ok = ok && *slice_source(inner, 10, 80).next_data(15) == range{15, 35};
  ok = ok && *slice_source(inner, 10, 80).next_data(50) == range{80, 0};
  ok = ok && *slice_source(inner, 10, 20).next_data(0) == range{10, 10};
  ok = ok && *slice_source(inner, 30, 10).next_data(0) == range{0, 10};
  ok = ok && *slice_source(inner, 5, 15).next_data(0) == range{15, 0};
  ok = ok && *slice_source(inner, 5, 10).next_data(0) == range{10, 0};
  ok = ok && *slice_source(inner, 70, 30).next_data(30) == range{30, 0};
  return ok;
}
static_assert(slice_keeps_holes());

}  // namespace

TEST_CASE("a slice reads its share of a source") { CHECK(slice_reads_its_share()); }

TEST_CASE("a slice fails with the offsets of its source") {
  CHECK(slice_fails_with_inner_offsets());
  CHECK(slice_outside_its_source_fails());
}

TEST_CASE("a slice keeps holes") { CHECK(slice_keeps_holes()); }

}  // namespace slice_test
