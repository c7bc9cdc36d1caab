// SPDX-License-Identifier: BSD-2-Clause
// What a stream hands to its decoder, and where its descriptor stands.
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>

#include "tests/reader/stream_testing.hpp"

namespace stream_supply_test {
namespace {

using namespace reader_testing;

/// Takes one piece, and says that it was too little.
struct early_decoder {
  static constexpr bool needs_contiguous_input = false;

  template <class Supply>
  failure decode(Supply& supply, byte_span) noexcept {
    const auto piece = supply.next();
    return piece ? codec_failure(errc::stream_output_short, 0) : piece.error();
  }
};

TEST_CASE("a read that fails while a grain is taken comes back, and stays") {
  const stream_image image = build_stream(small_plan(tables_kind::at_end));
  const std::uint64_t before = image.marker_at.at(0) / 512 + 1;
  bytes data(5000);
  for (std::uint64_t call = before + 1; call <= before + 9; ++call) {
    piecewise_source source(image.file, 512);
    stream_reader<piecewise_source> stream(source);
    REQUIRE(stream.open({}));
    REQUIRE(stream.next());
    REQUIRE(source.calls == before);
    source.failing_call = call;
    const failure why = stream.take(data).error();
    // What is left behind the marker's sector takes eight reads.
    const bool is_last = call == before + 9;
    CHECK(why == (is_last ? no_failure : source_failure(errc::read_failed, 9, 5)));
    if (!is_last) CHECK(stream.next().error() == why);
  }
}

TEST_CASE("a short grain is judged by its checksum when all of it was taken, and not before") {
  stream_image image = build_stream(small_plan(tables_kind::at_end));
  const std::uint64_t data = image.marker_at.at(6) + 12;
  // The first piece ends with the sum of 2048 zeros, as the grain's data would.
  for (std::uint64_t i = 0; i < 4; ++i) image.put(data + 508 + i, i == 0 ? 8 : i == 3, 1);
  bytes input(512);
  piecewise_source source(image.file);
  stream_reader<piecewise_source> stream(source);
  REQUIRE(stream.open({}));
  for (int i = 0; i < 4; ++i) REQUIRE(stream.next());
  bytes out(4096);
  early_decoder decoder;
  CHECK(stream.expand(decoder, input, out).code == errc::stream_output_short);
}

TEST_CASE("a grain whose table is missing is told at the end") {
  const stream_image_plan plan = small_plan(tables_kind::at_end);
  stream_image image = build_stream(plan);
  for (std::uint64_t i = 0; i < 5; ++i) {  // The table becomes sectors of nothing.
    const bytes nothing = marker_sector(0, 4);
    copy_bytes(image.file.data() + image.table_at[0] - 512 + 512 * i, nothing.data(), 512);
  }
  CHECK(why_not(image) == image_failure(errc::stream_tables_mismatch, image.footer_at + 512));
}

TEST_CASE("a descriptor may stand behind the sector that follows the header") {
  stream_image image = build_stream(small_plan(tables_kind::in_front));
  image.put(28, 2, 8);
  image.put(36, 19, 8);
  image.put(1024, 'X', 1);
  piecewise_source source(image.file);
  stream_reader<piecewise_source> stream(source);
  bytes text(19 * 512);
  const auto opened = stream.open(text);
  REQUIRE(opened);
  CHECK(opened->size() == text.size());
  CHECK(bytes(opened->begin(), opened->end()) ==
        bytes(image.file.begin() + 1024, image.file.begin() + 21 * 512));
}

}  // namespace

}  // namespace stream_supply_test
