// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/core/failure.hpp"

#include <catch2/catch.hpp>
#include <type_traits>

namespace failure_test {
namespace {

using namespace vmdk;

static_assert(std::is_trivially_copyable_v<failure> && sizeof(failure) <= 24);
static_assert(!std::is_convertible_v<failure, bool>, "a failure is not a number");
static_assert(static_cast<std::uint16_t>(errc::caller_first) == 0x8000);

constexpr bool failures_say_who_where_and_why() {
  bool ok = !no_failure && no_failure == failure{} && no_failure.from == origin::none;
  const failure f = image_failure(errc::capacity_zero, 12, 7);
  ok = ok && f && f.code == errc::capacity_zero && f.from == origin::image && f.index == 0;
  ok = ok && f.detail == 7 && f.offset == 12;
  ok = ok && source_failure(errc::read_failed, 1, 2).from == origin::source;
  ok = ok && sink_failure(errc::write_failed, 1, 2).from == origin::sink;
  ok = ok && codec_failure(errc::codec_failed, 1, 2).from == origin::codec;
  ok = ok && options_failure(errc::option_invalid, 1, 2).from == origin::options;
  ok = ok && source_failure(errc::read_failed, 1, 2).offset == 1;
  ok = ok && sink_failure(errc::write_failed, 1, 2).detail == 2;
  return ok;
}
static_assert(failures_say_who_where_and_why());

constexpr bool every_part_counts() {
  const failure f{errc::read_failed, origin::source, 1, 2, 3};
  bool ok = f == failure{errc::read_failed, origin::source, 1, 2, 3};
  ok = ok && f != failure{errc::write_failed, origin::source, 1, 2, 3};
  ok = ok && f != failure{errc::read_failed, origin::sink, 1, 2, 3};
  ok = ok && f != failure{errc::read_failed, origin::source, 9, 2, 3};
  ok = ok && f != failure{errc::read_failed, origin::source, 1, 9, 3};
  return ok && f != failure{errc::read_failed, origin::source, 1, 2, 9};
}
static_assert(every_part_counts());

constexpr bool callers_have_codes_of_their_own() {
  const auto own = static_cast<errc>(static_cast<std::uint16_t>(errc::caller_first) + 42);
  const failure f = source_failure(own, 0);
  return f && f.code == own && f.code != errc::caller_first;
}
static_assert(callers_have_codes_of_their_own());

}  // namespace

TEST_CASE("a failure says who, where and why") {
  CHECK(failures_say_who_where_and_why());
  CHECK(every_part_counts());
  CHECK(callers_have_codes_of_their_own());
}

}  // namespace failure_test
