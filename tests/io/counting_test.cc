// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/io/counting.hpp"

#include <catch2/catch.hpp>
#include <limits>

#include "tests/support/marked_source.hpp"

namespace counting_test {
namespace {

using namespace testing_support;

constexpr std::uint64_t huge = (std::numeric_limits<std::uint64_t>::max)();

static_assert(SparseSource<counting_source<marked_source>>);
static_assert(!MappedSource<counting_source<marked_source>>);
static_assert(MappedSource<counting_source<memory_source>>);
static_assert(!SparseSource<counting_source<memory_source>>);

constexpr bool sink_counts() {
  const auto bytes = counted_bytes<8>();
  counting_sink sink;
  bool ok = !sink.write(bytes) && !sink.skip(100) && !sink.write_at(4, bytes);
  ok = ok && sink.size() == 108 && sink.written_bytes() == 16 && sink.skipped_bytes() == 100;
  ok = ok && sink.write_calls() == 2;
  ok = ok && !sink.write_at(104, bytes) && sink.size() == 112;
  ok = ok && !sink.resize(5) && sink.size() == 5 && !sink.write(bytes) && sink.size() == 13;
  return ok;
}
static_assert(sink_counts());

constexpr bool sink_failures_stick() {
  const auto bytes = counted_bytes<8>();
  counting_sink beyond;
  const failure outside = sink_failure(errc::out_of_range, 1);
  bool ok = beyond.write_at(1, bytes) == outside && beyond.write(bytes) == outside;
  ok = ok && beyond.skip(1) == outside && beyond.resize(1) == outside && beyond.size() == 0;
  counting_sink full;
  const failure no_room = sink_failure(errc::sink_full, huge - 1);
  ok = ok && !full.skip(huge - 1) && full.write(bytes) == no_room && full.skip(1) == no_room;
  counting_sink skipped;
  ok = ok && !skipped.skip(huge) && skipped.skip(1) == sink_failure(errc::sink_full, huge);
  return ok;
}
static_assert(sink_failures_stick());

constexpr bool source_counts() {
  marked_source inner{100, {10, 20}};
  counting_source source{inner};
  std::array<std::byte, 8> out{};
  bool ok = source.size() == 100 && !source.read_at(12, out) && counts_from(out, 13);
  ok = ok && source.read_at(99, out) == source_failure(errc::out_of_range, 99);
  ok = ok && source.read_calls() == 2 && source.read_bytes() == 16;
  ok = ok && *source.next_data(0) == range{10, 20} && source.next_data_calls() == 1;
  source.reset();
  ok = ok && source.read_calls() == 0 && source.read_bytes() == 0 && source.next_data_calls() == 0;

  const auto bytes = counted_bytes<8>();
  memory_source mapped{byte_view(bytes)};
  counting_source viewed{mapped};
  ok = ok && viewed.view(2, 3).data() == bytes.data() + 2;
  ok = ok && viewed.read_calls() == 1 && viewed.read_bytes() == 3;
  return ok;
}
static_assert(source_counts());

}  // namespace

TEST_CASE("a counting sink counts") {
  CHECK(sink_counts());
  CHECK(sink_failures_stick());
}

TEST_CASE("a counting source counts") { CHECK(source_counts()); }

}  // namespace counting_test
