// SPDX-License-Identifier: BSD-2-Clause
// What reading a sparse file says where it is bad, or its source fails.
#include <array>
#include <catch2/catch.hpp>

#include "tests/support/image_builder.hpp"
#include "vmdk/reader/sparse.hpp"

namespace sparse_reader_faults_test {
namespace {

using namespace vmdk;
using namespace testing_support;

/// What opening an image says.
failure open_error(paged_file& file, strictness mode = strictness::tolerant) {
  sparse_reader_memory<> memory;
  return sparse_reader<paged_file>::open(file, memory, mode).error();
}

}  // namespace

TEST_CASE("the file may end where the disk ends, and not before") {
  sparse_image image =
      build_sparse({.capacity_sectors = 1024 - 9, .stored = {0, 63}, .last_grain_cut = true});
  const std::uint64_t last = image.grain_at.at(63);
  REQUIRE(image.file.size() == last + 7 * 512);
  sparse_reader_memory<> memory;
  REQUIRE_FALSE(image.file.resize(image.file.size() - 1));
  auto reader = sparse_reader<paged_file>::open(image.file, memory);
  REQUIRE(reader);
  std::array<std::byte, 1> out{};
  CHECK(reader->read_at(63 * 16 * 512, out) ==
        image_failure(errc::grain_past_end, image.table_entry_at(63)));
  CHECK_FALSE(reader->read_at(0, out));
}

TEST_CASE("every bad entry is told, where it is, and does not stick") {
  const sparse_image good =
      build_sparse({.capacity_sectors = 16 * 512 * 3, .stored = {0, 1, 512, 1535}});
  const std::uint64_t file_sectors = good.file.size() / 512;
  const std::uint64_t overhead = good.overhead_bytes / 512;
  const std::uint64_t directory = good.directory_at / 512;
  const std::uint64_t entry = good.table_entry_at(1);
  const std::uint64_t directory_entry = good.directory_entry_at(512);
  struct damage {
    std::uint64_t at;
    std::uint64_t value;
    errc code;  ///< none: fine.
  };
  const damage all[] = {
      {entry, 1, errc::grain_zeroed_not_allowed},
      {entry, 2, errc::grain_below_overhead},
      {entry, overhead - 1, errc::grain_below_overhead},
      {entry, overhead, errc::none},
      {entry, file_sectors - 16, errc::none},
      {entry, file_sectors - 15, errc::grain_past_end},
      {entry, file_sectors, errc::grain_past_end},
      {entry, 0x7FFFFFFF, errc::grain_past_end},
      {entry, 0xFFFFFFFF, errc::grain_past_end},
      {directory_entry, 1, errc::directory_entry_invalid},
      {directory_entry, 20, errc::directory_entry_invalid},
      {directory_entry, directory - 3, errc::directory_entry_invalid},
      {directory_entry, directory - 4, errc::none},
      {directory_entry, directory, errc::directory_entry_invalid},
      {directory_entry, directory + 1, errc::none},
      {directory_entry, file_sectors - 4, errc::none},
      {directory_entry, file_sectors - 3, errc::directory_entry_invalid},
      {directory_entry, file_sectors, errc::directory_entry_invalid},
      {directory_entry, 0xFFFFFFFC, errc::directory_entry_invalid},
      {directory_entry, 0xFFFFFFFF, errc::directory_entry_invalid},
  };
  for (const damage& d : all) {
    INFO(d.at << " = " << d.value);
    sparse_image image = good;
    image.file.put_number(d.at, d.value, 4);
    sparse_reader_memory<> memory;
    auto reader = sparse_reader<paged_file>::open(image.file, memory);
    REQUIRE(reader);
    const std::uint64_t grain = d.at == entry ? 1 : 512;
    const std::uint64_t bad = grain * 8192;
    std::array<std::byte, 3> out{};
    for (int round = 0; round < 2; ++round) {
      const failure why = reader->read_at(bad, out);
      if (d.code == errc::none) {
        // The bytes of a table read as sector numbers of grains may be anything.
        if (d.at == entry) CHECK_FALSE(why);
      } else {
        CHECK(why == image_failure(d.code, d.at));
        CHECK(reader->next_data(bad).error() == why);
        // A read that only touches the bad grain fails alike; its neighbours do not.
        CHECK(reader->read_at(bad + 8190, out) == why);
        CHECK(reader->read_at(bad - 1, out) == why);
      }
      CHECK(reads_as_planned(image, *reader, 0, 8192));
      CHECK(reads_as_planned(image, *reader, 1024 * 8192, 4096));
      CHECK(reads_as_planned(image, *reader, 1535 * 8192, 8192));
      CHECK(reads_as_planned(image, *reader, 511 * 8192, 8192));
    }
  }
}

TEST_CASE("what is no such image is not opened") {
  sparse_image image = build_sparse({.stored = {0}});
  const auto damaged = [&](std::uint64_t at, std::uint64_t value, std::size_t n) {
    paged_file file = image.file;
    file.put_number(at, value, n);
    return open_error(file);
  };
  CHECK(damaged(0, 0, 4) == image_failure(errc::magic_invalid, 0));
  CHECK(damaged(12, 0, 8) == image_failure(errc::capacity_zero, 12));
  CHECK(damaged(12, std::uint64_t{1} << 36, 8) ==
        image_failure(errc::directory_offset_invalid, 56));
  CHECK(damaged(12, std::uint64_t{1} << 50, 8) == image_failure(errc::capacity_too_large, 12));
  CHECK(damaged(56, 0xFFFFFFFFFFFFFFFF, 8) == image_failure(errc::footer_missing, 56));
  for (const std::uint64_t size : {0u, 1u, 511u}) {
    paged_file file(size);
    CHECK(open_error(file) == image_failure(errc::header_truncated, 0));
  }
  paged_file zeros(100000);
  CHECK(open_error(zeros) == image_failure(errc::magic_invalid, 0));
  // Cut anywhere in its metadata.
  for (std::uint64_t size = 512; size < image.overhead_bytes - 511; size += 512) {
    paged_file file = image.file;
    REQUIRE_FALSE(file.resize(size));
    CHECK(open_error(file));
  }
}

TEST_CASE("failures of the source come back as they are, and do not stick") {
  const sparse_image image = build_sparse({.capacity_sectors = 16 * 1024, .stored = {0, 1, 600}});
  struct failing_source {
    const paged_file* file;
    std::uint64_t calls_left;

    std::uint64_t size() const noexcept { return file->size(); }
    failure read_at(std::uint64_t offset, byte_span out) noexcept {
      if (calls_left-- == 0) {
        for (std::byte& b : out) b = std::byte{0xEE};
        return source_failure(errc::read_failed, offset, 5);
      }
      return file->read_at(offset, out);
    }
  };
  bool done = false;
  for (std::uint64_t n = 0; !done; ++n) {
    REQUIRE(n < 20);
    failing_source source{&image.file, n};
    sparse_reader_memory<> memory;
    auto reader = sparse_reader<failing_source>::open(source, memory);
    if (!reader) {
      CHECK(reader.error() == source_failure(errc::read_failed, 0, 5));
      continue;
    }
    done = true;
    for (const std::uint64_t offset : {0u, 8192u, 600u * 8192u}) {
      std::array<std::byte, 600> out{};
      if (const failure why = reader->read_at(offset, out)) {
        done = false;
        CHECK(why.code == errc::read_failed);
        CHECK(why.from == origin::source);
        CHECK(why.detail == 5);
        // What was remembered before is not mixed up with what the failed read left behind.
        for (const std::uint64_t again : {std::uint64_t{0}, offset}) {
          REQUIRE_FALSE(reader->read_at(again, out));
          CHECK(out[599] == image.disk_byte(again + 599));
        }
      }
      CHECK(out[599] == image.disk_byte(offset + 599));
    }
  }
}

}  // namespace sparse_reader_faults_test
