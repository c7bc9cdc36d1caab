// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/io/generator.hpp"

#include <catch2/catch.hpp>

#include "tests/support/marked_source.hpp"

namespace generator_test {
namespace {

using namespace testing_support;

constexpr void count_up(std::uint64_t offset, byte_span out) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::byte>(offset + i);
}

static_assert(Source<generator_source<void (*)(std::uint64_t, byte_span)>>);
static_assert(!Generator<int (*)(std::uint64_t, byte_span)>);

constexpr bool generator_makes_bytes() {
  generator_source source{std::uint64_t{1} << 50, &count_up};
  std::array<std::byte, 4> out{};
  bool ok = source.size() == std::uint64_t{1} << 50;
  ok = ok && !source.read_at((std::uint64_t{1} << 40) + 9, out) && counts_from(out, 9);
  ok = ok && source.read_at(source.size() - 3, out) ==
                 source_failure(errc::out_of_range, source.size() - 3);
  return ok;
}
static_assert(generator_makes_bytes());

constexpr bool generator_may_fail() {
  unsigned calls = 0;
  generator_source source{100, [&calls](std::uint64_t offset, byte_span out) -> failure {
                            ++calls;
                            if (offset >= 50) return source_failure(errc::caller_first, offset, 9);
                            zero_bytes(out);
                            return no_failure;
                          }};
  std::array<std::byte, 4> out{};
  return !source.read_at(0, out) &&
         source.read_at(60, out) == source_failure(errc::caller_first, 60, 9) && calls == 2;
}
static_assert(generator_may_fail());

}  // namespace

TEST_CASE("a generator makes bytes and may fail") {
  CHECK(generator_makes_bytes());
  CHECK(generator_may_fail());
}

}  // namespace generator_test
