// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/writer/grain_stream.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>

#include "tests/support/marked_source.hpp"

namespace grain_stream_test {
namespace {

using namespace testing_support;

constexpr sparse_geometry three_grains(24, 8);

constexpr bool a_walk_ends_with_the_source() {
  // The data ends with the second of three grains, the source in the third.
  marked_source source{2 * 4096 + 100, {4096, 4096}};
  std::array<std::byte, 4096> buffer{};
  grain_stream<marked_source> stream(source, three_grains, buffer);
  const auto first = stream.next(9);
  bool ok = first.ok() && first->first_grain == 1 && first->grains == 1;
  ok = ok && first->bytes == buffer.data() && counts_from(byte_view(buffer).first(9), 1);
  // The limit lies behind all of the disk.
  const auto end = stream.next(9);
  return ok && end.ok() && end->grains == 0 && stream.next(9)->grains == 0;
}
static_assert(a_walk_ends_with_the_source());

constexpr bool a_search_says_why_it_failed() {
  const failure why = source_failure(errc::read_failed, 1, 2);
  marked_source source{3 * 4096, {4096, 4096}};
  grain_stream<marked_source> stream(source, three_grains, {});
  source.fail_with(why);
  bool ok = stream.find(3, 3).error() == why;
  source.fail_with({});
  const auto found = stream.find(3, 3);
  return ok && found.ok() && found->first_grain == 1 && found->grains == 1;
}
static_assert(a_search_says_why_it_failed());

}  // namespace

TEST_CASE("a walk over grains ends with the source") { CHECK(a_walk_ends_with_the_source()); }

TEST_CASE("a search that failed says why, and may be repeated") {
  CHECK(a_search_says_why_it_failed());
}

}  // namespace grain_stream_test
