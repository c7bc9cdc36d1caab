// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/hosted/parallel.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstring>
#include <memory>
#include <new>
#include <random>
#include <thread>
#include <vector>

#include "tests/support/faults.hpp"
#include "vmdk/codec/deflate.hpp"
#include "vmdk/codec/inflate.hpp"
#include "vmdk/codec/stored.hpp"
#include "vmdk/core/endian.hpp"
#include "vmdk/hosted/parallel_read.hpp"
#include "vmdk/io/concat.hpp"
#include "vmdk/io/forward.hpp"
#include "vmdk/io/memory.hpp"
#include "vmdk/io/zero.hpp"

namespace {

using namespace vmdk;
using testing_support::failing_file;
using testing_support::failing_source;
using testing_support::failing_stream;
using testing_support::fault;

using contents = std::vector<std::byte>;
constexpr unsigned thread_counts[] = {0, 1, 2, 7};

// The pipeline.

struct numbered_job {
  std::uint64_t number = 0;
  std::uint64_t answer = 0;
};

/// Takes its time, and more of it for some jobs than for others; fails at one job.
struct squaring_worker {
  std::uint64_t fails_at = ~std::uint64_t{0};
  std::atomic<int>* at_work = nullptr;

  failure operator()(numbered_job& job) noexcept {
    if (at_work != nullptr) ++*at_work;
    if (job.number % 5 == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
    job.answer = job.number * job.number;
    if (at_work != nullptr) --*at_work;
    // Others fail as well, behind the first.
    return job.number >= fails_at ? codec_failure(errc::codec_failed, job.number) : no_failure;
  }
};

struct pipeline_run {
  failure why{};
  std::uint64_t made = 0;
  std::uint64_t taken = 0;
  bool in_order = true;
  bool bounded = true;
};

pipeline_run run_jobs(unsigned threads, std::uint64_t jobs, std::uint64_t make_fails_at,
                      std::uint64_t work_fails_at, std::uint64_t take_fails_at) {
  std::vector<squaring_worker> workers(threads, {.fails_at = work_fails_at});
  std::vector<pipeline_slot<numbered_job>> slots(2 * threads);
  ordered_pipeline<numbered_job, squaring_worker> pipeline(workers, slots);
  pipeline_run r;
  const auto caller = std::this_thread::get_id();
  r.why = pipeline.run(
      [&](numbered_job& job) noexcept -> result<bool> {
        r.bounded =
            r.bounded && r.made - r.taken < slots.size() && std::this_thread::get_id() == caller;
        if (r.made == make_fails_at) return source_failure(errc::read_failed, r.made);
        job.number = r.made;
        return r.made++ < jobs;
      },
      [&](numbered_job& job) noexcept -> failure {
        r.in_order = r.in_order && job.number == r.taken && job.answer == r.taken * r.taken &&
                     std::this_thread::get_id() == caller;
        if (r.taken == take_fails_at) return sink_failure(errc::sink_full, r.taken);
        ++r.taken;
        return no_failure;
      });
  return r;
}

constexpr std::uint64_t never = ~std::uint64_t{0};

TEST_CASE("a pipeline gives results in the order of the jobs") {
  for (const unsigned threads : {1u, 2u, 7u}) {
    for (const std::uint64_t jobs : {0u, 1u, 5u, 300u}) {
      const pipeline_run r = run_jobs(threads, jobs, never, never, never);
      CHECK(r.why == no_failure);
      CHECK(r.taken == jobs);
      CHECK(r.in_order);
      CHECK(r.bounded);
    }
  }
}

TEST_CASE("a pipeline stops at the first failure in the order of the jobs") {
  for (const unsigned threads : {1u, 2u, 7u}) {
    for (const std::uint64_t at : {0u, 1u, 7u, 40u}) {
      CAPTURE(threads, at);
      const pipeline_run make = run_jobs(threads, 60, at, at + 1, at + 2);
      CHECK(make.why == source_failure(errc::read_failed, at));
      CHECK(make.taken == at);
      const pipeline_run work = run_jobs(threads, 60, at + 1, at, at + 3);
      CHECK(work.why == codec_failure(errc::codec_failed, at));
      CHECK(work.taken == at);
      const pipeline_run take = run_jobs(threads, 60, at + 4, at + 2, at);
      CHECK(take.why == sink_failure(errc::sink_full, at));
      CHECK(take.taken == at);
    }
  }
}

TEST_CASE("a pipeline leaves no thread at work, and may be run again") {
  std::atomic<int> at_work{0};
  std::vector<squaring_worker> workers(4, {.fails_at = 3, .at_work = &at_work});
  std::vector<pipeline_slot<numbered_job>> slots(8);
  ordered_pipeline<numbered_job, squaring_worker> pipeline(workers, slots);
  for (int round = 0; round < 20; ++round) {
    std::uint64_t made = 0;
    const failure why = pipeline.run(
        [&](numbered_job& job) noexcept -> result<bool> {
          job.number = made++;
          return true;
        },
        [](numbered_job&) noexcept { return no_failure; });
    CHECK(at_work == 0);
    CHECK(why == codec_failure(errc::codec_failed, 3));
  }
}

// Writing.

/// A disk with all that a stream can have: text, noise, zeros and whole tables of zeros.
const contents& mixed_disk() {
  static const contents disk = [] {
    contents bytes((5 << 20) + 777);
    std::mt19937 random(9);
    for (std::size_t i = 0; i < 700000; ++i) bytes[i] = static_cast<std::byte>(i / 7 % 11 * 17);
    for (std::size_t i = 900000; i < 1200000; ++i)
      bytes[i] = static_cast<std::byte>(random() & 255);
    for (std::size_t i = 4300000; i < 4500000; ++i) bytes[i] = static_cast<std::byte>(i & 31);
    bytes.back() = std::byte{1};
    return bytes;
  }();
  return disk;
}

using fast_deflate = basic_deflate<12, 15, 1024>;

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

contents numbered_grains(std::uint32_t count) {
  contents disk(std::size_t{count} * 4096);
  for (std::uint32_t i = 0; i < count; ++i) store_le(disk.data() + i * 4096u, i + 1);
  return disk;
}

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
    CHECK(write_parallel<type>(source, sink, {.extent_name = "\""}, threads,
                               [] { return poisoned_encoder{}; })
              .error()
              .code == errc::option_invalid);
    CHECK(sink.content().empty());
  }
}

// Reading.

TEST_CASE("threads read a disk in order") {
  const contents& disk = mixed_disk();
  for (const unsigned threads : thread_counts) {
    for (const std::size_t piece : {std::size_t{4096}, std::size_t{65536}, std::size_t{8} << 20}) {
      memory_source first{byte_view(disk)};
      zero_source hole(1000000);
      concat_source source(hole, first);
      contents got(disk.size() + 1000000);
      std::uint64_t end = 0;
      bool ascending = true;
      const failure why = read_parallel(
          source, threads, piece, [&] { return source; },
          [&](std::uint64_t offset, byte_view bytes) noexcept {
            ascending = ascending && offset >= end;
            end = offset + bytes.size();
            std::memcpy(got.data() + offset, bytes.data(), bytes.size());
            return no_failure;
          });
      CHECK(why == no_failure);
      CHECK(ascending);
      CHECK(end == got.size());
      CHECK(std::memcmp(got.data() + 1000000, disk.data(), disk.size()) == 0);
    }
  }
}

TEST_CASE("the first piece that cannot be read is told") {
  const contents disk = numbered_grains(100);
  const failure broken = source_failure(errc::read_failed, 1, 5);
  for (const unsigned threads : thread_counts) {
    fault none, first_call(0, broken);
    failing_source source(disk, none);
    int taken = 0;
    std::vector<fault> faults(threads + 1, first_call);
    std::size_t made = 0;
    CHECK(read_parallel(
              source, threads, 4096, [&] { return failing_source(disk, faults[made++]); },
              [&](std::uint64_t, byte_view) noexcept {
                ++taken;
                return no_failure;
              }) == broken);
    CHECK(taken == 0);
    const failure full = sink_failure(errc::sink_full, 9);
    memory_source whole{byte_view(disk)};
    CHECK(read_parallel(
              whole, threads, 4096, [&] { return whole; },
              [&](std::uint64_t offset, byte_view) noexcept {
                return offset == 40960 ? full : no_failure;
              }) == full);
  }
}

/// Grains of 8 sectors, compressed; the last one of the disk with or without its padding.
struct packed_grains {
  std::vector<contents> streams;
  contents disk;

  explicit packed_grains(bool padded) : disk(numbered_grains(40)) {
    disk.resize(disk.size() - 1024);
    for (std::size_t at = 0; at < disk.size(); at += 4096) {
      contents grain(4096);
      const std::size_t there = smaller_of<std::size_t>(4096, disk.size() - at);
      std::memcpy(grain.data(), disk.data() + at, there);
      contents stream(8192);
      fast_deflate encoder(1);
      const auto n = encoder.encode(byte_view(grain).first(padded ? 4096 : there), stream);
      stream.resize(n.value());
      streams.push_back(stream);
    }
  }
};

failure expand(const packed_grains& packed, unsigned threads, contents& got) {
  std::size_t at = 0;
  return inflate_parallel(
      4096, 8192, threads,
      [&](compressed_piece& piece) noexcept -> result<bool> {
        if (at == packed.streams.size()) return false;
        const contents& stream = packed.streams[at];
        piece.disk_offset = at * 4096;
        piece.disk_bytes = smaller_of<std::size_t>(4096, packed.disk.size() - at * 4096);
        piece.file_offset = 1000 * at;
        copy_bytes(piece.room.data(), stream.data(), stream.size());
        piece.data = piece.room.first(stream.size());
        ++at;
        return true;
      },
      [] { return inflate{}; },
      [&](std::uint64_t offset, byte_view bytes) noexcept -> failure {
        if (offset != got.size()) return sink_failure(errc::out_of_range, offset);
        got.insert(got.end(), bytes.begin(), bytes.end());
        return no_failure;
      });
}

TEST_CASE("threads inflate in order") {
  for (const unsigned threads : thread_counts) {
    for (const bool padded : {true, false}) {
      const packed_grains packed(padded);
      contents got;
      CHECK(expand(packed, threads, got) == no_failure);
      CHECK(got == packed.disk);
    }
  }
}

TEST_CASE("the first grain that does not inflate is told") {
  packed_grains packed(true);
  packed.streams[7].back() ^= std::byte{1};
  packed.streams[8][0] = std::byte{0};
  for (const unsigned threads : thread_counts) {
    contents got;
    const failure why = expand(packed, threads, got);
    CHECK(why.code == errc::stream_checksum);
    CHECK(why.from == origin::codec);
    CHECK(why.offset >= 7000);
    CHECK(why.offset < 8000);
    CHECK(got.size() == 7 * 4096);
  }
}

}  // namespace
