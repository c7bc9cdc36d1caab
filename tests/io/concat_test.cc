// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/io/concat.hpp"

#include <catch2/catch.hpp>

#include "tests/support/marked_source.hpp"
#include "vmdk/io/zero.hpp"

namespace concat_test {
namespace {

using namespace testing_support;

static_assert(Source<concat_source<memory_source>>);
static_assert(!SparseSource<concat_source<memory_source, memory_source>>);
static_assert(SparseSource<concat_source<memory_source, zero_source>>);

constexpr bool concat_reads_across_its_parts() {
  const auto bytes = counted_bytes<9>();
  memory_source first{byte_view(bytes).first(2)};
  memory_source empty{};
  memory_source second{byte_view(bytes).subspan(2, 4)};
  memory_source third{byte_view(bytes).subspan(6)};
  concat_source all{first, empty, second, third};
  bool ok = all.size() == 9;
  for (std::size_t offset = 0; offset <= 9; ++offset) {
    for (std::size_t n = 0; offset + n <= 9; ++n) {
      std::array<std::byte, 9> out{};
      const byte_span part = byte_span(out).first(n);
      ok = ok && !all.read_at(offset, part) && counts_from(part, static_cast<unsigned>(offset + 1));
    }
  }
  std::array<std::byte, 2> out{};
  ok = ok && all.read_at(8, out) == source_failure(errc::out_of_range, 8);
  ok = ok && all.read_at(10, {}) == source_failure(errc::out_of_range, 10);
  return ok;
}
static_assert(concat_reads_across_its_parts());

constexpr bool concat_says_which_part_failed() {
  marked_source first{4, {0, 4}};
  marked_source second{4, {0, 4}};
  concat_source all{first, second};
  std::array<std::byte, 8> out{};
  second.fail_with({errc::read_failed, origin::source, 0, 5, 2});
  bool ok = all.read_at(0, out) == failure{errc::read_failed, origin::source, 1, 5, 2};
  ok = ok && !all.read_at(0, byte_span(out).first(4));
  ok = ok && all.next_data(5).error() == failure{errc::read_failed, origin::source, 1, 5, 2};
  second.fail_with({errc::grain_past_end, origin::image, 3, 0, 512});
  ok = ok && all.read_at(4, byte_span(out).first(1)) ==
                 failure{errc::grain_past_end, origin::image, 3, 0, 512};
  second.fail_with({});
  first.fail_with({errc::read_failed, origin::source, 0, 5, 1});
  ok = ok && all.read_at(0, out) == failure{errc::read_failed, origin::source, 0, 5, 1};
  return ok;
}
static_assert(concat_says_which_part_failed());

constexpr bool concat_joins_data_that_touches() {
  marked_source holes_around{10, {4, 2}};
  marked_source starts_with_data{10, {0, 3}};
  marked_source ends_with_data{10, {8, 2}};
  zero_source hole{10};
  const auto bytes = counted_bytes<10>();
  memory_source dense{byte_view(bytes)};

  concat_source all{hole, ends_with_data, dense, starts_with_data, hole, holes_around, hole};
  bool ok = *all.next_data(0) == range{18, 15};
  ok = ok && *all.next_data(25) == range{25, 8};
  ok = ok && *all.next_data(33) == range{54, 2};
  ok = ok && *all.next_data(55) == range{55, 1};
  ok = ok && *all.next_data(56) == range{70, 0};
  ok = ok && *all.next_data(70) == range{70, 0};
  ok = ok && all.next_data(71).error() == source_failure(errc::out_of_range, 71);
  concat_source apart{ends_with_data, holes_around};
  ok = ok && *apart.next_data(0) == range{8, 2};
  return ok;
}
static_assert(concat_joins_data_that_touches());

constexpr bool concat_is_bounded() {
  constexpr std::uint64_t most = ~std::uint64_t{0};
  zero_source large{most};
  zero_source more{2};
  concat_source all{large, more, large};
  return all.size() == most;
}
static_assert(concat_is_bounded());

}  // namespace

TEST_CASE("the size of a concatenation does not wrap around") { CHECK(concat_is_bounded()); }

TEST_CASE("a concatenation reads across its parts") { CHECK(concat_reads_across_its_parts()); }

TEST_CASE("a concatenation says which part failed") { CHECK(concat_says_which_part_failed()); }

TEST_CASE("a concatenation joins data that touches") { CHECK(concat_joins_data_that_touches()); }

}  // namespace concat_test
