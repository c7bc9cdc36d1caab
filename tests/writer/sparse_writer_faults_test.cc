// SPDX-License-Identifier: BSD-2-Clause
// What writing a sparse file refuses, and what it does when its source or sink fails.
#include <algorithm>
#include <catch2/catch.hpp>
#include <vector>

#include "tests/support/faults.hpp"
#include "tests/support/paged_file.hpp"
#include "tests/writer/sparse_testing.hpp"
#include "vmdk/io/counting.hpp"
#include "vmdk/io/forward.hpp"
#include "vmdk/io/generator.hpp"
#include "vmdk/io/memory.hpp"
#include "vmdk/io/slice.hpp"
#include "vmdk/io/zero.hpp"

namespace sparse_writer_faults_test {
namespace {

using namespace writer_testing;
using namespace vmdk::literals;

}  // namespace

TEST_CASE("what cannot be written is refused with nothing touched") {
  const contents disk = disk_of(100000, {{0, 10}});
  const auto refusal = [&](std::uint64_t source_bytes, const write_options& options,
                           std::size_t buffer_bytes) {
    zero_source source(source_bytes);
    contents buffer(buffer_bytes);
    workspace<any_grain> memory{{}, buffer};
    counting_sink sink;
    REQUIRE_FALSE(sink.resize(77));
    const auto report = write<any_grain>(source, sink, options, memory);
    CHECK(sink.size() == 77);
    CHECK(sink.write_calls() == 0);
    fault none;
    failing_stream stream(none);
    CHECK(write<any_grain>(source, stream, options, memory).error() == report.error());
    CHECK(stream.content().empty());
    return report.error();
  };
  CHECK(refusal(0, {}, 65536) == options_failure(errc::capacity_zero));
  CHECK(refusal(~std::uint64_t{0}, {}, 65536) == options_failure(errc::capacity_too_large));
  CHECK(refusal(1_TiB << 20, {.grain_sectors = 8}, 65536) ==
        options_failure(errc::capacity_too_large));
  for (const std::uint32_t grain : {0u, 4u, 7u, 4096u}) {
    CHECK(refusal(4096, {.grain_sectors = grain}, 65536) ==
          options_failure(errc::grain_size_invalid, 0, grain));
  }
  CHECK(refusal(4096, {}, 65535) == options_failure(errc::workspace_too_small, 0, 65536));
  CHECK(refusal(4096, {}, 0) == options_failure(errc::workspace_too_small, 0, 65536));
  CHECK(refusal(4096, {.extent_name = "a\"b"}, 65536).code == errc::option_invalid);
  CHECK(refusal(4096, {.extent_name = "a\nb"}, 65536).code == errc::option_invalid);
  CHECK(refusal(4096, {.extent_name = "../b"}, 65536).code == errc::option_invalid);
  CHECK(refusal(4096, {.cid_given = true, .cid = 0xFFFFFFFF}, 65536).code == errc::option_invalid);
}

TEST_CASE("what a source has stored may be zeros, which need no room") {
  // All of it is data, says its map, and more than sectors have numbers.
  struct full_source {
    std::uint64_t size() const noexcept { return 3_TiB; }
    failure read_at(std::uint64_t offset, byte_span out) noexcept {
      if (offset >= 4_MiB) return source_failure(errc::read_failed, offset);
      zero_bytes(out);
      return no_failure;
    }
    result<range> next_data(std::uint64_t offset) noexcept { return range{offset, 3_TiB - offset}; }
  };
  contents buffer(1_MiB);
  workspace<any_grain> memory{{}, buffer};
  full_source source;
  counting_sink sink;
  CHECK(write<any_grain>(source, sink, {.grain_sectors = 2048}, memory).error() ==
        source_failure(errc::read_failed, 4_MiB));
}

TEST_CASE("a walk stops at the first grain that does not fit") {
  // A descriptor so long that two grains alone have room behind it.
  const auto plan =
      sparse_layout::for_capacity(
          64 * 4096, {.grain_sectors = 8, .descriptor_sectors = 0xFFFFFFFF - 10 - 2 * 8})
          .value();
  const std::uint64_t room = plan.max_stored_grains();
  REQUIRE(room == 2);
  const grain_scanner scanner(plan.geometry(), nullptr);
  // Data in every third grain, or in all of them.
  for (const std::uint64_t step : {3u, 1u}) {
    generator_source source{plan.capacity_bytes(), [&](std::uint64_t offset, byte_span out) {
                              for (std::size_t i = 0; i < out.size(); i += 4096) {
                                zero_bytes(out.data() + i, 4096);
                                const std::uint64_t grain = (offset + i) / 4096;
                                if (grain % step == step / 2) out[i] = std::byte{1};
                              }
                            }};
    const auto expected = options_failure(errc::extent_too_large, (step * room + step / 2) * 4096);
    for (const std::size_t buffer_bytes : {4096u, 1u << 20}) {
      contents buffer(buffer_bytes);
      std::array<std::byte, table_bytes> table{};
      sparse_scratch scratch{.table = table, .buffer = buffer};
      counting_sink sink;
      CHECK(write_sparse_body(source, sink, plan, scanner, scratch).error() == expected);
      CHECK(sink.written_bytes() <= room * 4096);
      sparse_appender appender(source, plan, scratch);
      CHECK(appender.survey(scanner).error() == expected);
    }
  }
}

TEST_CASE("a source that changes between walks is noticed") {
  const contents disk = disk_of(1000 * 4096, {{0, 1}, {99 * 4096, 2 * 4096}, {700 * 4096, 1}});
  /// On its n-th walk some grain appears, vanishes, or both.
  struct changing_source {
    const contents* disk;
    std::uint64_t change_at_walk;
    bool appears;
    bool vanishes;
    std::uint64_t walk = 0;

    std::uint64_t size() const noexcept { return disk->size(); }
    failure read_at(std::uint64_t offset, byte_span out) noexcept {
      if (offset == 0) ++walk;
      (void)memory_source(byte_view(*disk)).read_at(offset, out);
      if (walk != change_at_walk) return no_failure;
      for (std::size_t i = 0; i < out.size(); i += 4096) {
        if (appears && offset + i == 600 * 4096) out[i] = std::byte{1};
        if (vanishes && offset + i == 700 * 4096) out[i] = std::byte{0};
      }
      return no_failure;
    }
  };
  for (const std::size_t buffer_bytes : {std::size_t{4096}, std::size_t{4096 + 128}}) {
    const std::uint64_t walks = buffer_bytes == 4096 ? 4 : 2;
    for (std::uint64_t walk = 2; walk <= walks + 1; ++walk) {
      for (const unsigned change : {1u, 2u, 3u}) {
        changing_source source{&disk, walk, (change & 1) != 0, (change & 2) != 0};
        contents buffer(buffer_bytes);
        workspace<any_grain> memory{{}, buffer};
        fault none;
        failing_stream sink(none);
        const auto report = write<any_grain>(source, sink, {.grain_sectors = 8}, memory);
        if (walk <= walks) {
          CHECK(report.error() == source_failure(errc::source_changed, 0));
        } else {
          CHECK(report.error() == no_failure);
          CHECK(source.walk == walks);
        }
      }
    }
  }
}

TEST_CASE("other bytes in the grains of the last walk are noticed where they make the id") {
  struct rewritten_source {
    const contents* disk;
    std::uint64_t change_at_walk;
    std::uint64_t walk = 0;

    std::uint64_t size() const noexcept { return disk->size(); }
    failure read_at(std::uint64_t offset, byte_span out) noexcept {
      if (offset == 0) ++walk;
      (void)memory_source(byte_view(*disk)).read_at(offset, out);
      if (offset == 0 && walk == change_at_walk) out[0] ^= std::byte{2};
      return no_failure;
    }
  };
  const contents disk = disk_of(1000 * 4096, {{0, 1}, {99 * 4096, 2 * 4096}, {700 * 4096, 1}});
  for (const std::uint64_t change_at_walk : {2u, 3u}) {
    for (const bool cid_given : {false, true}) {
      rewritten_source source{&disk, change_at_walk};
      contents buffer(4096 + 128);
      workspace<any_grain> memory{{}, buffer};
      fault none;
      failing_stream sink(none);
      const write_options options{.grain_sectors = 8, .cid_given = cid_given, .cid = 1};
      const auto report = write<any_grain>(source, sink, options, memory);
      CHECK(source.walk == 2);
      const bool noticed = change_at_walk == 2 && !cid_given;
      CHECK(report.error() == (noticed ? source_failure(errc::source_changed, 0) : no_failure));
    }
  }
}

TEST_CASE("a stream is written to what seeks, and must have the stated length") {
  const contents disk = disk_of(50000, {{0, 10}, {40000, 10000}});
  contents buffer(1_MiB);
  workspace<any_grain> memory{{}, buffer};
  const auto into_file = [&](std::uint64_t stated) {
    trickle stream(disk);
    forward_source source(stream, stated);
    fault none;
    failing_file file(none);
    const auto report = write<any_grain>(source, file, {.grain_sectors = 8}, memory);
    CHECK((report || is_zero(byte_view(file.content()).first(512))));
    return report.error();
  };
  CHECK(into_file(50000) == no_failure);
  CHECK(into_file(50001) == source_failure(errc::unexpected_end, 50000));
  CHECK(into_file(90000) == source_failure(errc::unexpected_end, 50000));
  CHECK(into_file(49999) == source_failure(errc::source_too_long, 49999));
  trickle stream(disk);
  forward_source source(stream, disk.size());
  fault none;
  failing_stream sink(none);
  CHECK(write<any_grain>(source, sink, {.grain_sectors = 8}, memory).error() ==
        source_failure(errc::source_not_seekable, 0));
  CHECK(sink.content().empty());
}

TEST_CASE("a source that cannot show its bytes says why") {
  const contents disk = disk_of(50000, {{0, 50000}});
  memory_source inner{byte_view(disk)};
  slice_source outside(inner, 10000, 50000);
  contents buffer(1_MiB);
  workspace<any_grain> memory{{}, buffer};
  paged_file file;
  CHECK(write<any_grain>(outside, file, {.grain_sectors = 8}, memory).error() ==
        source_failure(errc::out_of_range, 10000));
}

TEST_CASE("every failure of a sink comes back, and leaves no image") {
  const contents disk = disk_of(600 * 4096, {{0, 5 * 4096}, {300 * 4096, 4096}, {599 * 4096, 1}});
  memory_source source{byte_view(disk)};
  contents buffer(16 * 4096);
  const contents old_image = seekable(source, {.grain_sectors = 16}, buffer);
  const contents new_image = seekable(source, {.grain_sectors = 8}, buffer);
  const failure why = sink_failure(errc::write_failed, 7, 28);
  workspace<any_grain> memory{{}, buffer};

  bool done = false;
  for (std::uint64_t n = 0; !done; ++n) {
    INFO("call " << n);
    REQUIRE(n < 100);
    fault f(n, why);
    failing_file file(f, old_image);
    const auto report = write<any_grain>(source, file, {.grain_sectors = 8}, memory);
    done = !f.happened();
    if (done) {
      CHECK(report.ok());
    } else {
      CHECK(report.error() == why);
    }
    // Untouched, or no image, or complete but for the last barrier.
    const bool untouched = n == 0 && file.content() == old_image;
    const bool complete = file.content() == new_image;
    const bool headless =
        file.content().size() < 512 || is_zero(byte_view(file.content()).first(512));
    CHECK((untouched || complete || headless));
    CHECK((!done || complete));
  }
  done = false;
  for (std::uint64_t n = 0; !done; ++n) {
    INFO("call " << n);
    REQUIRE(n < 10000);
    fault f(n, why);
    failing_stream stream(f);
    const auto report = write<any_grain>(source, stream, {.grain_sectors = 8}, memory);
    done = !f.happened();
    const contents& got = stream.content();
    if (done) {
      CHECK((report.ok() && got == new_image));
    } else {
      CHECK(report.error() == why);
      CHECK(
          (got.size() < new_image.size() && std::equal(got.begin(), got.end(), new_image.begin())));
    }
    if (n > 40) n += 16;  // Zeros leave in many small pieces.
  }
}

TEST_CASE("every failure of a source comes back, and leaves no image") {
  const contents disk = disk_of(600 * 4096, {{0, 5 * 4096}, {300 * 4096, 4096}, {599 * 4096, 1}});
  const failure why = source_failure(errc::read_failed, 7, 5);
  contents buffer(16 * 4096);
  workspace<any_grain> memory{{}, buffer};
  for (const bool append : {false, true}) {
    bool done = false;
    for (std::uint64_t n = 0; !done; ++n) {
      INFO("call " << n);
      REQUIRE(n < 200);
      fault f(n, why);
      failing_source source(disk, f);
      fault none;
      failing_file file(none);
      failing_stream stream(none);
      const write_options options{.grain_sectors = 8};
      const auto report = append ? write<any_grain>(source, stream, options, memory)
                                 : write<any_grain>(source, file, options, memory);
      done = !f.happened();
      CHECK(report.error() == (done ? no_failure : why));
      if (!done && !append) CHECK(is_zero(byte_view(file.content()).first(512)));
    }
  }
}

TEST_CASE("a sink that is full says so") {
  const contents disk = disk_of(100 * 4096, {{0, 100 * 4096}});
  memory_source source{byte_view(disk)};
  contents buffer(16 * 4096);
  workspace<any_grain> memory{{}, buffer};
  const contents whole = seekable(source, {.grain_sectors = 8}, buffer);
  for (const std::size_t room :
       {std::size_t{0}, std::size_t{511}, std::size_t{16384}, whole.size() - 1, whole.size()}) {
    contents target(room);
    memory_sink sink{byte_span(target)};
    const auto report = write<any_grain>(source, sink, {.grain_sectors = 8}, memory);
    CHECK(report.error().code == (room < whole.size() ? errc::sink_full : errc::none));
    CHECK((report || is_zero(byte_view(target).first(std::min<std::size_t>(room, 512)))));
    CHECK((!report || target == whole));
  }
}

}  // namespace sparse_writer_faults_test
