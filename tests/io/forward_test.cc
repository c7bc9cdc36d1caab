// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/io/forward.hpp"

#include <catch2/catch.hpp>

#include "tests/support/marked_source.hpp"

namespace forward_test {
namespace {

using namespace testing_support;

static_assert(Source<forward_source<stepwise_stream>>);

constexpr bool forward_reads_upwards_and_drops_gaps() {
  stepwise_stream stream{3000, 700};
  forward_source source{stream, 3000};
  std::array<std::byte, 4> out{};
  bool ok = source.size() == 3000 && !source.read_at(0, out) && counts_from(out, 1);
  ok = ok && !source.read_at(4, out) && counts_from(out, 5) && source.position() == 8;
  ok = ok && !source.read_at(1500, out) && counts_from(out, 1501) && source.position() == 1504;
  ok = ok && !source.read_at(2996, out) && counts_from(out, 2997) && !source.finish();
  return ok;
}
static_assert(forward_reads_upwards_and_drops_gaps());

constexpr bool forward_refuses_to_go_back_and_lives() {
  stepwise_stream stream{100, 3};
  forward_source source{stream, 100};
  std::array<std::byte, 8> out{};
  bool ok = !source.read_at(10, out);
  ok = ok && source.read_at(17, out) == source_failure(errc::source_not_seekable, 17);
  ok = ok && source.read_at(93, out) == source_failure(errc::out_of_range, 93);
  ok = ok && !source.read_at(3, {}) && source.position() == 18;
  ok = ok && !source.read_at(18, out) && counts_from(out, 19);
  return ok;
}
static_assert(forward_refuses_to_go_back_and_lives());

constexpr bool forward_notices_an_early_end() {
  const failure early = source_failure(errc::unexpected_end, 50);
  std::array<std::byte, 8> out{};
  stepwise_stream while_reading{50, 3};
  forward_source first{while_reading, 100};
  bool ok = first.read_at(48, out) == early && first.read_at(60, out) == early;
  ok = ok && first.finish() == early;
  stepwise_stream while_dropping{50, 3};
  forward_source second{while_dropping, 100};
  ok = ok && second.read_at(80, out) == early;
  stepwise_stream at_the_end{50, 3};
  forward_source third{at_the_end, 100};
  ok = ok && third.finish() == early && third.finish() == early;
  return ok;
}
static_assert(forward_notices_an_early_end());

constexpr bool forward_notices_a_late_end() {
  stepwise_stream stream{101, 3};
  forward_source source{stream, 100};
  const failure late = source_failure(errc::source_too_long, 100);
  std::array<std::byte, 8> out{};
  return !source.read_at(0, out) && source.finish() == late && source.finish() == late;
}
static_assert(forward_notices_a_late_end());

constexpr bool forward_passes_failures_of_the_stream() {
  const failure why{errc::read_failed, origin::source, 2, 5, 50};
  std::array<std::byte, 8> out{};
  stepwise_stream broken{50, 64, why};
  forward_source source{broken, 100};
  bool ok = source.read_at(44, out) == why && source.read_at(90, out) == why;
  stepwise_stream broken_at_the_end{50, 64, why};
  forward_source whole{broken_at_the_end, 50};
  ok = ok && whole.finish() == why;
  return ok;
}
static_assert(forward_passes_failures_of_the_stream());

}  // namespace

TEST_CASE("a stream is read upwards as a source") {
  CHECK(forward_reads_upwards_and_drops_gaps());
  CHECK(forward_refuses_to_go_back_and_lives());
}

TEST_CASE("a stream of another size than stated is noticed") {
  CHECK(forward_notices_an_early_end());
  CHECK(forward_notices_a_late_end());
  CHECK(forward_passes_failures_of_the_stream());
}

}  // namespace forward_test
