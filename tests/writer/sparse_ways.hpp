// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// The ways to write a sparse file, which all give the same bytes.

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tests/support/faults.hpp"
#include "tests/support/paged_file.hpp"
#include "tests/support/sparse_checker.hpp"
#include "tests/writer/sparse_testing.hpp"
#include "vmdk/io/append_only.hpp"
#include "vmdk/io/concat.hpp"
#include "vmdk/io/forward.hpp"
#include "vmdk/io/memory.hpp"
#include "vmdk/io/slice.hpp"
#include "vmdk/reader/sparse.hpp"

namespace writer_testing {

/// Writes a disk into a file that takes appending writes alone.
template <class S>
contents appended(S& source, const write_options& options, byte_span buffer) {
  paged_file file;
  append_only_sink sink{file};
  workspace<any_grain> memory{{}, buffer};
  const auto report = write<any_grain>(source, sink, options, memory);
  REQUIRE(report.error() == no_failure);
  CHECK(report->file_bytes == file.size());
  return file.bytes();
}

/// Writes a disk into a stream, which neither seeks nor knows holes.
template <class S>
contents piped(S& source, const write_options& options, byte_span buffer) {
  fault none;
  failing_stream sink(none);
  workspace<any_grain> memory{{}, buffer};
  REQUIRE(write<any_grain>(source, sink, options, memory).error() == no_failure);
  return sink.content();
}

/// Writes a disk in every way there is: the same bytes come out.
inline void check_every_way(const contents& disk, const write_options& options) {
  using namespace vmdk::literals;
  const std::size_t grain_bytes = options.grain_sectors * sector_bytes;
  contents large(larger_of<std::size_t>(8_MiB, 4 * grain_bytes));
  contents exact(grain_bytes);
  contents odd(5 * grain_bytes + 77);
  memory_source mapped{byte_view(disk)};
  const contents reference = seekable(mapped, options, large);
  CHECK(sparse_file_fault(reference, disk,
                          {.grain_sectors = options.grain_sectors,
                           .descriptor_sectors = options.like_mkimg ? 1u : 20u,
                           .primary_first = options.like_mkimg,
                           .exact_capacity = options.capacity == capacity_rule::exact}) == "");

  auto plain = plain_source(disk);
  for (byte_span buffer : {byte_span(exact), byte_span(odd), byte_span(large)}) {
    INFO("buffer " << buffer.size());
    CHECK((seekable(plain, options, buffer) == reference));
    CHECK((appended(plain, options, buffer) == reference));
    CHECK((piped(plain, options, buffer) == reference));
  }
  CHECK((appended(mapped, options, large) == reference));
  CHECK((piped(mapped, options, exact) == reference));

  trickle stream(disk);
  forward_source forward(stream, disk.size());
  CHECK((seekable(forward, options, odd) == reference));

  const range everything{0, disk.size()};
  for (const auto& runs : {runs_of(disk, 1u << 30), runs_of(disk, 3000), std::vector{everything}}) {
    holey_source holey(disk, runs);
    CHECK((seekable(holey, options, odd) == reference));
    CHECK((appended(holey, options, exact) == reference));
  }
  paged_file pages;
  REQUIRE_FALSE(pages.write(disk));
  CHECK((seekable(pages, options, large) == reference));
  const std::size_t half = disk.size() * 2 / 3;
  slice_source front(mapped, 0, half);
  slice_source back(plain, half, disk.size() - half);
  concat_source both(front, back);
  CHECK((appended(both, options, odd) == reference));

  // A target that had other content, and one that is full of it.
  for (const std::size_t old_bytes : {std::size_t{100}, reference.size() + 5000}) {
    fault none;
    failing_file used(none, contents(old_bytes, std::byte{0xEE}));
    workspace<any_grain> memory{{}, odd};
    REQUIRE(write<any_grain>(plain, used, options, memory).error() == no_failure);
    CHECK((used.content() == reference));
  }

  // What was written is read back, and written again it is the same.
  memory_source file{byte_view(reference)};
  sparse_reader_memory<> tables;
  auto reader = sparse_reader<memory_source>::open(file, tables);
  REQUIRE(reader);
  contents back_again(static_cast<std::size_t>(reader->size()));
  REQUIRE_FALSE(reader->read_at(0, back_again));
  CHECK(std::equal(disk.begin(), disk.end(), back_again.begin()));
  CHECK(is_zero(back_again.data() + disk.size(), back_again.size() - disk.size()));
  if (options.capacity == capacity_rule::whole_grains || disk.size() % 512 == 0) {
    CHECK((seekable(*reader, options, odd) == reference));
  }
}

}  // namespace writer_testing
