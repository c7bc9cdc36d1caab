// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/hosted/parallel_read.hpp"

#include <catch2/catch.hpp>
#include <cstring>
#include <new>
#include <vector>

#include "tests/hosted/parallel_testing.hpp"
#include "tests/support/faults.hpp"
#include "vmdk/codec/inflate.hpp"
#include "vmdk/io/concat.hpp"
#include "vmdk/io/memory.hpp"
#include "vmdk/io/zero.hpp"

namespace parallel_read_test {
namespace {

using namespace parallel_testing;
using testing_support::failing_source;
using testing_support::fault;

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

TEST_CASE("a disk that cannot tell its holes is not read") {
  const contents disk = numbered_grains(10);
  lost_holes source{memory_source{byte_view(disk)}};
  for (const unsigned threads : thread_counts) {
    CHECK(read_parallel(
              source, threads, 4096, [&] { return source; },
              [](std::uint64_t, byte_view) noexcept { return no_failure; }) == lost_holes::why);
  }
}

TEST_CASE("a factory that fails or throws is told, and nothing is read or expanded") {
  const contents disk = numbered_grains(10);
  memory_source source{byte_view(disk)};
  const packed_grains packed(true);
  const failure missing = codec_failure(errc::codec_not_available);
  const failure no_memory = options_failure(errc::workspace_too_small);
  const auto nothing_comes = [](std::uint64_t, byte_view) noexcept {
    return sink_failure(errc::write_failed, 0);
  };
  const auto nothing_is_asked = [](compressed_piece&) noexcept -> result<bool> {
    return source_failure(errc::read_failed, 0);
  };
  for (const unsigned threads : thread_counts) {
    const auto no_source = [&]() -> result<memory_source> { return missing; };
    const auto thrown_source = []() -> memory_source { throw std::bad_alloc(); };
    CHECK(read_parallel(source, threads, 4096, no_source, nothing_comes) == missing);
    CHECK(read_parallel(source, threads, 4096, thrown_source, nothing_comes) == no_memory);
    const auto no_decoder = [&]() -> result<inflate> { return missing; };
    const auto thrown_decoder = []() -> inflate { throw std::bad_alloc(); };
    CHECK(inflate_parallel(4096, 8192, threads, nothing_is_asked, no_decoder, nothing_comes) ==
          missing);
    CHECK(inflate_parallel(4096, 8192, threads, nothing_is_asked, thrown_decoder, nothing_comes) ==
          no_memory);
  }
}

TEST_CASE("factories may give results") {
  const contents disk = numbered_grains(10);
  memory_source source{byte_view(disk)};
  std::uint64_t end = 0;
  CHECK(read_parallel(
            source, 2, 4096, [&]() -> result<memory_source> { return source; },
            [&](std::uint64_t offset, byte_view bytes) noexcept {
              end = offset + bytes.size();
              return no_failure;
            }) == no_failure);
  CHECK(end == disk.size());
}

TEST_CASE("only the last grain may be shorter than a grain") {
  packed_grains packed(false);
  // The last stream expands to 3 KiB.
  packed.streams[3] = packed.streams.back();
  for (const unsigned threads : thread_counts) {
    contents got;
    CHECK(expand(packed, threads, got).code == errc::stream_output_short);
    CHECK(got.size() == 3 * 4096);
  }
}

/// A decoder that has no memory, which is no fault of the stream.
struct poor_decoder {
  static constexpr bool needs_contiguous_input = false;
  template <class Supply>
  failure decode(Supply&, byte_span) noexcept {
    return options_failure(errc::workspace_too_small, 7);
  }
};

TEST_CASE("a failure that is not the stream's has no place in the file") {
  const packed_grains packed(true);
  CHECK(inflate_parallel(
            4096, 8192, 1,
            [&](compressed_piece& piece) noexcept -> result<bool> {
              piece.file_offset = 1000;
              piece.data = byte_view(packed.streams[0]);
              return true;
            },
            [] { return poor_decoder{}; },
            [](std::uint64_t, byte_view) noexcept { return no_failure; }) ==
        options_failure(errc::workspace_too_small, 7));
}

}  // namespace

}  // namespace parallel_read_test
