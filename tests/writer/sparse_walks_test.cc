// SPDX-License-Identifier: BSD-2-Clause
// How often a source is walked, and what is done with its holes.
#include <array>
#include <catch2/catch.hpp>
#include <utility>

#include "tests/support/paged_file.hpp"
#include "tests/writer/sparse_testing.hpp"
#include "tests/writer/sparse_ways.hpp"
#include "vmdk/io/append_only.hpp"
#include "vmdk/io/counting.hpp"
#include "vmdk/reader/sparse.hpp"
#include "vmdk/writer/sparse.hpp"

namespace sparse_walks_test {
namespace {

using namespace writer_testing;
using namespace vmdk::literals;

}  // namespace

TEST_CASE("a source is walked once, twice or four times, in large pieces") {
  const contents disk = disk_of(4 * 1024 * 1024, {{0, 4 * 1024 * 1024}});
  auto plain = plain_source(disk);
  const auto reads = [&](bool append, std::size_t buffer_bytes) {
    counting_source source(plain);
    contents buffer(buffer_bytes);
    const write_options options{.grain_sectors = 8};
    (void)(append ? appended(source, options, buffer) : seekable(source, options, buffer));
    return std::pair(source.read_bytes() / disk.size(), source.read_calls());
  };
  CHECK(reads(false, 4096) == std::pair<std::uint64_t, std::uint64_t>(1, 1024));
  CHECK(reads(false, 1_MiB) == std::pair<std::uint64_t, std::uint64_t>(1, 4));
  CHECK(reads(true, 4096) == std::pair<std::uint64_t, std::uint64_t>(4, 4 * 1024));
  CHECK(reads(true, 4096 + 127) == std::pair<std::uint64_t, std::uint64_t>(4, 4 * 1024));
  CHECK(reads(true, 4096 + 128) == std::pair<std::uint64_t, std::uint64_t>(2, 2 * 1024));
  CHECK(reads(true, 1_MiB + 128) == std::pair<std::uint64_t, std::uint64_t>(2, 2 * 4));
}

TEST_CASE("holes are not read, and a huge disk with little data is quick") {
  paged_file disk(64_TiB);
  disk.put_number(0, 0x55AA, 2);
  disk.put_number(33_TiB + 5, 0x77, 1);
  disk.put_number(64_TiB - 1, 0x99, 1);
  counting_source source(disk);
  contents buffer(4_MiB);
  paged_file file;
  workspace<any_grain> memory{{}, buffer};
  const write_options options{.grain_sectors = 2048};
  const auto report = write<any_grain>(source, file, options, memory);
  REQUIRE(report.error() == no_failure);
  CHECK(report->stored_grains == 3);
  CHECK(source.read_bytes() == 3_MiB);
  CHECK(file.kept_bytes() < 8_MiB);  // Two directories, a few tables, and the grains.
  paged_file piped_file;
  append_only_sink sink(piped_file);
  REQUIRE(write<any_grain>(source, sink, options, memory).ok());
  CHECK(piped_file == file);

  sparse_reader_memory<> tables;
  auto reader = sparse_reader<paged_file>::open(file, tables);
  REQUIRE(reader);
  std::array<std::byte, 1> last{};
  CHECK_FALSE(reader->read_at(64_TiB - 1, last));
  CHECK(last[0] == std::byte{0x99});
}

TEST_CASE("blocks of zeros around the data of a grain become holes of the file") {
  // Grains of 64 KiB. Data in a block of the first, to its end; in the next from its beginning; and
  // in the middle of the last, which ends the file.
  const contents disk = disk_of(1_MiB, {{60 * 1024, 8 * 1024}, {512 * 1024, 4096}});
  auto source = plain_source(disk);
  counting_sink counter;
  contents buffer(1_MiB);
  workspace<any_grain> memory{{}, buffer};
  const auto counted = write<any_grain>(source, counter, {}, memory);
  REQUIRE(counted);
  CHECK(counted->stored_grains == 3);
  CHECK(counter.size() == counted->file_bytes);
  const std::uint64_t head_bytes = counter.written_bytes() - 3 * 4096;
  CHECK(head_bytes < 16_KiB);  // Header, descriptor, two tables, two directories.

  paged_file file;
  REQUIRE(write<any_grain>(source, file, {}, memory));
  sparse_reader_memory<> tables;
  auto reader = sparse_reader<paged_file>::open(file, tables);
  REQUIRE(reader);
  contents back(disk.size());
  CHECK_FALSE(reader->read_at(0, back));
  CHECK(back == disk);
}

}  // namespace sparse_walks_test
