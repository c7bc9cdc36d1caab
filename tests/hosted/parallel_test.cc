// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/hosted/parallel.hpp"

#include <catch2/catch.hpp>
#include <memory>
#include <new>
#include <vector>

#include "tests/hosted/parallel_testing.hpp"
#include "tests/support/faults.hpp"
#include "vmdk/codec/stored.hpp"
#include "vmdk/io/concat.hpp"
#include "vmdk/io/forward.hpp"
#include "vmdk/io/memory.hpp"
#include "vmdk/io/zero.hpp"

namespace parallel_test {
namespace {

using namespace parallel_testing;
using testing_support::failing_file;
using testing_support::failing_source;
using testing_support::failing_stream;
using testing_support::fault;

template <std::uint32_t Grain, class S, class K>
result<write_report> write_alone(S& source, K& sink, const write_options& options) {
  using type = stream_optimized<Grain>;
  const auto memory = std::make_unique<workspace<type, fast_deflate>>();
  memory->encoder = fast_deflate(2);
  return write<type>(source, sink, options, *memory);
}

constexpr auto make_deflate = [] { return fast_deflate(2); };

template <std::uint32_t Grain>
void check_same_bytes(const write_options& options) {
  const contents& disk = mixed_disk();
  memory_source source{byte_view(disk)};
  fault none;
  failing_file alone(none);
  const auto expected = write_alone<Grain>(source, alone, options);
  REQUIRE(expected.error() == no_failure);
  for (const unsigned threads : thread_counts) {
    CAPTURE(Grain, threads);
    // A source that lies in memory, one that does not, and one that each thread has for itself.
    failing_source unmapped(disk, none);
    zero_source hole(0);
    concat_source sparse(unmapped, hole);
    failing_file file(none);
    const auto from_memory =
        write_parallel<stream_optimized<Grain>>(source, file, options, threads, make_deflate);
    REQUIRE(from_memory.error() == no_failure);
    CHECK(file.content() == alone.content());
    CHECK(from_memory->id == expected->id);
    CHECK(from_memory->stored_grains == expected->stored_grains);
    CHECK(from_memory->file_bytes == expected->file_bytes);

    failing_file read_file(none);
    REQUIRE(
        write_parallel<stream_optimized<Grain>>(sparse, read_file, options, threads, make_deflate));
    CHECK(read_file.content() == alone.content());

    std::vector<fault> faults(threads + 1);
    failing_file shared_file(none);
    std::size_t made = 0;
    REQUIRE(write_parallel<stream_optimized<Grain>>(
        unmapped, shared_file, options, threads, make_deflate,
        [&] { return failing_source(disk, faults[made++]); }));
    CHECK(shared_file.content() == alone.content());

    if (options.table_place == tables::at_end) {
      failing_stream stream(none);
      REQUIRE(write_parallel<stream_optimized<Grain>>(unmapped, stream, options, threads,
                                                      make_deflate));
      CHECK(stream.content() == alone.content());
    }
  }
}

TEST_CASE("any number of threads writes the same bytes") {
  check_same_bytes<8>({});
  check_same_bytes<128>({});
  check_same_bytes<2048>({});
  check_same_bytes<16>({.capacity = capacity_rule::exact, .table_place = tables::in_front});
  check_same_bytes<128>({.cid_given = true, .cid = 99});
}

TEST_CASE("threads read for themselves only what does not lie in memory") {
  // The last grain is not whole, so that it cannot be seen in place.
  const contents& disk = mixed_disk();
  memory_source source{byte_view(disk)};
  fault none;
  failing_file alone(none);
  REQUIRE(write_alone<128>(source, alone, {}));
  for (const unsigned threads : {1u, 2u}) {
    failing_file file(none);
    const auto same_disk = [&]() -> result<memory_source> { return source; };
    REQUIRE(write_parallel<stream_optimized<>>(source, file, {}, threads, make_deflate, same_disk));
    CHECK(file.content() == alone.content());
  }
}

/// Memory as a pipe.
class memory_pipe {
 public:
  explicit memory_pipe(byte_view bytes) : bytes_(bytes) {}
  result<std::size_t> read(byte_span out) noexcept {
    const std::size_t n = smaller_of(smaller_of(out.size(), std::size_t{5000}), bytes_.size());
    copy_bytes(out.data(), bytes_.data(), n);
    bytes_ = bytes_.subspan(n);
    return n;
  }

 private:
  byte_view bytes_;
};

TEST_CASE("threads write from a pipe") {
  const contents& disk = mixed_disk();
  memory_source in_memory{byte_view(disk)};
  fault none;
  failing_file alone(none);
  REQUIRE(write_alone<128>(in_memory, alone, {}));
  for (const unsigned threads : thread_counts) {
    memory_pipe pipe{byte_view(disk)};
    forward_source source(pipe, disk.size());
    failing_file file(none);
    REQUIRE(write_parallel<stream_optimized<>>(source, file, {}, threads, make_deflate));
    CHECK(file.content() == alone.content());

    memory_pipe long_pipe{byte_view(disk)};
    forward_source too_long(long_pipe, disk.size() - 1);
    failing_file no_file(none);
    CHECK(
        write_parallel<stream_optimized<>>(too_long, no_file, {}, threads, make_deflate).error() ==
        source_failure(errc::source_too_long, disk.size() - 1));
    CHECK(is_zero(byte_view(no_file.content()).first(512)));
  }
}

TEST_CASE("an empty disk needs no thread") {
  for (const unsigned threads : thread_counts) {
    zero_source source(std::uint64_t{100} << 20);
    fault none;
    failing_stream sink(none);
    const auto done = write_parallel<stream_optimized<>>(source, sink, {}, threads, make_deflate);
    REQUIRE(done.ok());
    CHECK(done->stored_grains == 0);
    CHECK(sink.content().size() == done->file_bytes);
  }
}

/// Fails for each grain that begins with a number past a limit, whatever thread has it.
struct poisoned_encoder {
  std::uint32_t limit = 0xFFFFFFFF;

  static constexpr std::size_t bound(std::size_t n) noexcept { return stored::bound(n); }
  result<std::size_t> encode(byte_view in, byte_span out) noexcept {
    const auto number = load_le<std::uint32_t>(in.data());
    if (number >= limit) return codec_failure(errc::codec_failed, 3, number);
    return stored{}.encode(in, out);
  }
};

TEST_CASE("the first failure on the disk stops all threads and is told") {
  constexpr std::uint32_t grains = 200;
  const contents disk = numbered_grains(grains);
  using type = stream_optimized<8>;
  for (const unsigned threads : thread_counts) {
    for (const std::uint32_t limit : {1u, 17u, 60u, 200u}) {
      CAPTURE(threads, limit);
      const auto make = [&] { return poisoned_encoder{limit}; };
      memory_source source{byte_view(disk)};
      fault none;
      failing_file file(none);
      const failure why = write_parallel<type>(source, file, {}, threads, make).error();
      CHECK(why == codec_failure(errc::codec_failed, (limit - 1) * 4096 + 3, limit));
      // What was written is what one thread would have written, and no image.
      CHECK(file.content().size() == 24 * 512 + (limit - 1) * 9 * 512);
      CHECK(is_zero(byte_view(file.content()).first(512)));
    }
  }
}

TEST_CASE("a sink that fails under threads is told") {
  const contents disk = numbered_grains(100);
  using type = stream_optimized<8>;
  const failure full = sink_failure(errc::sink_full, 1234, 28);
  for (const unsigned threads : thread_counts) {
    for (std::uint64_t call = 0;; call += 3) {
      memory_source source{byte_view(disk)};
      fault f(call, full);
      failing_stream sink(f);
      const auto make = [] { return poisoned_encoder{}; };
      const auto done = write_parallel<type>(source, sink, {}, threads, make);
      if (!f.happened()) {
        CHECK(done.ok());
        break;
      }
      REQUIRE(done.error() == full);
    }
  }
}

TEST_CASE("a source that fails under threads is told") {
  const contents disk = numbered_grains(100);
  using type = stream_optimized<8>;
  const failure broken = source_failure(errc::read_failed, 77, 5);
  for (const unsigned threads : thread_counts) {
    for (std::uint64_t call = 0;; ++call) {
      fault f(call, broken), none;
      failing_source source(disk, f);
      failing_file sink(none);
      const auto make = [] { return poisoned_encoder{}; };
      const auto done = write_parallel<type>(source, sink, {}, threads, make);
      if (!f.happened()) {
        CHECK(done.ok());
        break;
      }
      REQUIRE(done.error() == broken);
      REQUIRE((sink.content().empty() || is_zero(byte_view(sink.content()).first(512))));
    }
  }
}

TEST_CASE("a source that cannot tell its holes is told") {
  const contents disk = numbered_grains(100);
  for (const unsigned threads : thread_counts) {
    const lost_holes source{memory_source{byte_view(disk)}};
    fault none;
    failing_stream sink(none);
    CHECK(write_parallel<stream_optimized<8>>(source, sink, {}, threads, make_deflate).error() ==
          lost_holes::why);
  }
}

TEST_CASE("a thread's own source that fails is told") {
  const contents disk = numbered_grains(100);
  using type = stream_optimized<8>;
  const failure broken = source_failure(errc::read_failed, 77, 5);
  for (const unsigned threads : thread_counts) {
    fault none, broken_fault(0, broken);
    failing_source source(disk, none);
    failing_file sink(none);
    std::vector<fault> faults(threads + 1, broken_fault);
    std::size_t made = 0;
    CHECK(write_parallel<type>(
              source, sink, {}, threads, [] { return poisoned_encoder{}; },
              [&] { return failing_source(disk, faults[made++]); })
              .error() == broken);
  }
}

TEST_CASE("factories that fail are told, before anything is written") {
  const contents disk = numbered_grains(100);
  using type = stream_optimized<8>;
  const failure missing = codec_failure(errc::codec_not_available);
  for (const unsigned threads : thread_counts) {
    memory_source source{byte_view(disk)};
    fault none;
    failing_stream sink(none);
    CHECK(write_parallel<type>(source, sink, {}, threads, [&]() -> result<poisoned_encoder> {
            return missing;
          }).error() == missing);
    CHECK(write_parallel<type>(source, sink, {}, threads, []() -> poisoned_encoder {
            throw std::bad_alloc();
          }).error() == options_failure(errc::workspace_too_small));
    CHECK(write_parallel<type>(
              source, sink, {}, threads, [] { return poisoned_encoder{}; },
              [&]() -> result<memory_source> { return missing; })
              .error() == missing);
    CHECK(write_parallel<type>(source, sink, {.extent_name = "\""}, threads,
                               [] { return poisoned_encoder{}; })
              .error()
              .code == errc::option_invalid);
    CHECK(sink.content().empty());
  }
}

}  // namespace

}  // namespace parallel_test
