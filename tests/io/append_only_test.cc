// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/io/append_only.hpp"

#include <catch2/catch.hpp>

#include "tests/support/marked_source.hpp"

namespace append_only_test {
namespace {

using namespace testing_support;

using wrapped = append_only_sink<memory_sink>;
static_assert(HoleSink<wrapped> && !SeekableSink<wrapped> && !Flushable<wrapped>);
static_assert(Flushable<append_only_sink<memory_storage>>);

struct plain_sink {
  constexpr failure write(byte_view) noexcept { return no_failure; }
};
static_assert(Sink<append_only_sink<plain_sink>> && !HoleSink<append_only_sink<plain_sink>>);

constexpr bool append_only_passes_everything_on() {
  const auto bytes = counted_bytes<4>();
  std::array<std::byte, 10> room{};
  memory_storage inner{byte_span(room)};
  append_only_sink sink{inner};
  bool ok = !sink.write(bytes) && !sink.skip(3) && !sink.write(byte_view(bytes).first(1));
  ok = ok && inner.size() == 8 && room[7] == std::byte{1} && !sink.flush();
  ok = ok && sink.write(bytes) == sink_failure(errc::sink_full, 8);
  ok = ok && sink.skip(0) == sink_failure(errc::sink_full, 8);
  return ok;
}
static_assert(append_only_passes_everything_on());

}  // namespace

TEST_CASE("an append-only sink passes everything on") { CHECK(append_only_passes_everything_on()); }

}  // namespace append_only_test
