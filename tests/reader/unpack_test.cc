// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/reader/unpack.hpp"

#include <catch2/catch.hpp>
#include <vector>

#include "tests/reader/stream_testing.hpp"
#include "vmdk/codec/inflate.hpp"
#include "vmdk/codec/libdeflate.hpp"
#include "vmdk/codec/zlib.hpp"
#include "vmdk/io/counting.hpp"

namespace unpack_test {
namespace {

using namespace reader_testing;

/// A sink in memory that knows holes. One call fails, and every later one.
class hole_sink {
 public:
  failure write(byte_view more) noexcept {
    if (failure f = next_call()) return f;
    content.insert(content.end(), more.begin(), more.end());
    return no_failure;
  }
  failure skip(std::uint64_t n) noexcept {
    if (failure f = next_call()) return f;
    content.resize(content.size() + static_cast<std::size_t>(n));
    ++skips;
    return no_failure;
  }

  bytes content{};
  std::uint64_t calls = 0;
  std::uint64_t skips = 0;
  std::uint64_t failing_call = 0;  ///< Counted from 1; 0: none.

 private:
  failure next_call() noexcept {
    const bool fails = ++calls >= failing_call && failing_call != 0;
    return fails ? sink_failure(errc::write_failed, content.size(), 28) : no_failure;
  }
};
static_assert(HoleSink<hole_sink>);

template <class D = small_inflate, Sink K>
result<std::uint64_t> unpack(byte_view file, K& sink, std::size_t piece_bytes = 1 << 20,
                             std::size_t input_bytes = D::needs_contiguous_input ? 70000 : 512) {
  piecewise_source source(file, piece_bytes);
  stream_reader<piecewise_source> stream(source);
  if (const auto opened = stream.open({}); !opened) return opened.error();
  D decoder;
  bytes grain(stream.geometry().grain_bytes());
  bytes input(input_bytes);
  return unpack_stream(stream, sink, decoder, unpack_spans{grain, input});
}

template <class D>
void unpacks_everything() {
  for (const tables_kind tables : all_tables) {
    for (const bool is_short : {false, true}) {
      for (const std::vector<std::uint64_t>& stored :
           {std::vector<std::uint64_t>{}, {0, 2, 3, 6}, {0, 1, 2, 3, 4, 5, 6}, {5}}) {
        stream_image_plan plan = small_plan(tables);
        plan.last_grain_short = is_short;
        plan.stored = stored;
        const stream_image image = build_stream(plan);
        for (const std::size_t piece : {std::size_t{13}, std::size_t{1} << 20}) {
          hole_sink sink;
          const auto done = unpack<D>(image.file, sink, piece);
          CHECK(done.error() == no_failure);
          CHECK(done == image.plan.capacity_sectors * 512);
          CHECK((sink.content == image.disk()));
        }
      }
    }
  }
}
TEST_CASE("streams are unpacked by small_inflate") { unpacks_everything<small_inflate>(); }
TEST_CASE("streams are unpacked by inflate") { unpacks_everything<vmdk::inflate>(); }
TEST_CASE("streams are unpacked by zlib") { unpacks_everything<zlib_decoder>(); }
TEST_CASE("streams are unpacked by libdeflate") { unpacks_everything<libdeflate_decoder>(); }

template <class D>
void refuses_short_grains() {
  for (const std::size_t n : {2040u, 2047u, 2049u, 2060u}) {
    stream_image_plan plan = small_plan(tables_kind::in_front);
    plan.last_grain_short = true;
    stream_image image = build_stream(plan);
    replace_grain(image, 6, content_bytes(0, n));
    hole_sink sink;
    CHECK(unpack<D>(image.file, sink).error().code == errc::stream_output_short);
  }
}
TEST_CASE("a last grain of another length than exists is refused with any decoder") {
  refuses_short_grains<small_inflate>();
  refuses_short_grains<vmdk::inflate>();
  refuses_short_grains<zlib_decoder>();
  refuses_short_grains<libdeflate_decoder>();
}

TEST_CASE("nothing that was in the caller's memory gets onto the disk") {
  // The stream of the last grain is that of no bytes; its sum of 1 is that of nothing else.
  stream_image_plan plan = small_plan(tables_kind::in_front);
  plan.stored = {6};
  stream_image image = build_stream(plan);
  replace_grain(image, 6, {});
  hole_sink sink;
  CHECK(unpack(image.file, sink).error().code == errc::stream_output_short);
  CHECK((sink.content == bytes(6 * 4096)));
}

TEST_CASE("what is not stored is skipped") {
  hole_sink sink;
  const stream_image image = build_stream(small_plan(tables_kind::at_end));
  CHECK(unpack(image.file, sink).ok());
  CHECK(sink.skips == 2);  // Grain 1, and 4 with 5.
  counting_sink counter;
  piecewise_source source(image.file);
  stream_reader<piecewise_source> stream(source);
  REQUIRE(stream.open({}));
  small_inflate decoder;
  bytes grain(4096), input(512);
  CHECK(unpack_stream(stream, counter, decoder, {grain, input}) == 52 * 512u);
  CHECK(counter.skipped_bytes() == 3 * 4096);
  CHECK(counter.written_bytes() == 3 * 4096 + 2048);
}

TEST_CASE("each failure of the sink comes back") {
  const stream_image image = build_stream(small_plan(tables_kind::at_end));
  std::uint64_t n = 1;
  for (;; ++n) {
    hole_sink sink;
    sink.failing_call = n;
    const auto done = unpack(image.file, sink);
    if (done) break;
    CHECK(done.error() == sink_failure(errc::write_failed, sink.content.size(), 28));
    CHECK(sink.calls == n);
  }
  CHECK(n == 7);  // Four grains, two holes.
}

TEST_CASE("each failure of the source comes back, and a cut is no success") {
  const stream_image image = build_stream(small_plan(tables_kind::at_end));
  std::uint64_t failures = 0;
  for (std::uint64_t n = 1;; ++n, ++failures) {
    piecewise_source source(image.file);
    source.failing_call = n;
    stream_reader<piecewise_source> stream(source);
    hole_sink sink;
    small_inflate decoder;
    bytes grain(4096), input(512);
    failure why = stream.open({}).error();
    if (!why) why = unpack_stream(stream, sink, decoder, {grain, input}).error();
    if (!why) break;
    REQUIRE(why == source_failure(errc::read_failed, 9, 5));
    CHECK(stream.next().error() == why);
  }
  CHECK(failures > 60);
  for (std::size_t sectors = 0; sectors < image.file.size() / 512; ++sectors) {
    for (const std::size_t odd : {0u, 1u, 12u, 511u}) {
      hole_sink sink;
      const failure why = unpack(byte_view(image.file).first(sectors * 512 + odd), sink).error();
      REQUIRE(why.from == origin::image);
    }
  }
}

TEST_CASE("too little memory is told before anything is read, and may be mended") {
  const stream_image image = build_stream(small_plan(tables_kind::at_end));
  piecewise_source source(image.file);
  stream_reader<piecewise_source> stream(source);
  REQUIRE(stream.open({}));
  const std::uint64_t calls = source.calls;
  hole_sink sink;
  small_inflate decoder;
  bytes grain(4096), input(512);
  const byte_span all(grain), some(input);
  CHECK(unpack_stream(stream, sink, decoder, {all.first(4095), some}).error() ==
        options_failure(errc::workspace_too_small, 0, 4096));
  CHECK(unpack_stream(stream, sink, decoder, {all, some.first(511)}).error() ==
        options_failure(errc::workspace_too_small, 0, 512));
  CHECK(source.calls == calls);
  CHECK(unpack_stream(stream, sink, decoder, {all, some}).ok());
  CHECK((sink.content == image.disk()));
  // A decoder that needs all of its input at once.
  hole_sink other;
  constexpr std::size_t whole = 12 + 2 * 4096 + 512;
  CHECK(unpack<libdeflate_decoder>(image.file, other, 512, whole - 1).error() ==
        options_failure(errc::workspace_too_small, 0, whole));
  CHECK(other.calls == 0);
  CHECK(unpack<libdeflate_decoder>(image.file, other, 512, whole).ok());
}

TEST_CASE("the last grain's padding may be missing where nothing follows it, its data not") {
  for (const tables_kind tables : all_tables) {
    const stream_image image = build_stream(small_plan(tables));
    const std::uint64_t marker = image.marker_at.at(6);
    const std::uint64_t end = marker + 12 + load_le<std::uint32_t>(image.file.data() + marker + 8);
    REQUIRE(end > marker + 512);
    const bool may_end = tables == tables_kind::in_front || tables == tables_kind::in_front_twice;
    for (std::uint64_t cut = end - 3; cut < (end | 511); ++cut) {
      INFO(cut - end << " bytes behind the data");
      hole_sink sink;
      const auto done =
          unpack(byte_view(image.file).first(static_cast<std::size_t>(cut)), sink, 100);
      if (may_end && cut >= end) {
        CHECK(done == image.plan.capacity_sectors * 512);
        CHECK((sink.content == image.disk()));
      } else {
        CHECK(done.error() == image_failure(errc::stream_end_missing, cut));
      }
    }
  }
}

/// Can do nothing but append.
struct plain_sink {
  bytes content{};
  failure write(byte_view piece) noexcept {
    content.insert(content.end(), piece.begin(), piece.end());
    return no_failure;
  }
};
static_assert(Sink<plain_sink> && !HoleSink<plain_sink>);

TEST_CASE("a sink without holes gets the zeros") {
  stream_image_plan plan = small_plan(tables_kind::at_end);
  plan.stored = {1, 5};
  const stream_image image = build_stream(plan);
  plain_sink sink;
  CHECK(unpack(image.file, sink) == image.plan.capacity_sectors * 512);
  CHECK((sink.content == image.disk()));
}

}  // namespace

}  // namespace unpack_test
