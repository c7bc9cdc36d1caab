// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/verify/check_memory.hpp"

#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <random>
#include <string>
#include <vector>

#include "tests/verify/testing.hpp"
#include "vmdk/io/counting.hpp"
#include "vmdk/io/memory.hpp"

namespace memory_test {
namespace {

using namespace verify_testing;
using namespace testing_support;

static_assert(check_least_bytes == 3072);
static_assert(sizeof(check_memory<check_least_bytes, no_decoder>) < std::size_t{24} << 10);
static_assert(check_bytes(0, 0) == check_least_bytes);
static_assert(check_bytes(10240, 0) == 10240 + 512);
static_assert(check_bytes(0, 65536) == 65536 + check_least_bytes);

/// A kind of image and how many bytes its check needs at least.
struct specimen {
  const char* what;
  bytes file;
  std::uint64_t least_bytes;
};

std::vector<specimen> specimens() {
  std::vector<specimen> all;
  auto plan = usual_sparse_plan();
  all.push_back({"sparse", build_sparse(plan).file.bytes(), check_bytes(600, 0)});
  plan.copies = table_copies::primary_only;
  plan.grain_alignment_sectors = 1;
  plan.grain_gap_sectors = 1;
  all.push_back({"unaligned", build_sparse(plan).file.bytes(), check_bytes(600, 0)});
  for (const auto tables : {stream_tables::at_end, stream_tables::in_front_twice}) {
    auto image = build_stream(usual_stream_plan(tables));
    all.push_back({"stream", image.file, check_bytes(600, 8192)});
    // Many overlaps and more.
    for (std::uint64_t i = 0; i < 300; ++i) {
      const std::uint64_t at = image.table_at.begin()->second + 4 * i;
      image.put(at, 48 + i * 7 % 40, 4);
    }
    all.push_back({"broken stream", image.file, check_bytes(600, 8192)});
  }
  // Grains that overlap in many ways, over a file of many bitmaps.
  plan = usual_sparse_plan();
  plan.overhead_zero = true;
  auto image = build_sparse(plan);
  bytes file = image.file.bytes();
  file.resize(std::size_t{4} << 20);
  std::mt19937 random(3);
  for (std::uint64_t i = 0; i < 600; ++i) {
    put(file, image.table_entry_at(i), random() % (file.size() / 512 + 3), 4);
  }
  put(file, image.directory_at + 4, image.table_at.at(0) / 512 + 1, 4);
  all.push_back({"broken sparse", file, check_bytes(600, 0)});
  return all;
}

TEST_CASE("what is found does not depend on the memory") {
  for (const auto& s : specimens()) {
    const outcome wanted = check_bytes_of(s.file, usual_room);
    const auto least = static_cast<std::size_t>(s.least_bytes);
    for (const std::size_t room : {least, least + 1, least + 4096, std::size_t{100000}}) {
      const outcome said = check_bytes_of(s.file, room);
      INFO(s.what << " with " << room);
      CHECK(!said.why);
      CHECK(said.text() == wanted.text());
      CHECK(said.summary.errors == wanted.summary.errors);
      CHECK(said.summary.warnings == wanted.summary.warnings);
      CHECK(said.summary.stored_grains == wanted.summary.stored_grains);
      CHECK(said.summary.expanded_grains == wanted.summary.expanded_grains);
    }
  }
}

TEST_CASE("too little memory is told, with the bytes that are enough") {
  const auto image = build_stream(usual_stream_plan());
  outcome said = check_bytes_of(image.file, check_least_bytes - 1);
  CHECK(said.why == options_failure(errc::workspace_too_small, 0, check_least_bytes));
  said = check_bytes_of(image.file, check_least_bytes + 8191);
  CHECK(said.why == options_failure(errc::workspace_too_small, 0, check_least_bytes + 8192));
  said = check_bytes_of(image.file, said.why.detail);
  CHECK(!said.why);
  // A text that does not fit.
  auto plan = usual_sparse_plan();
  plan.descriptor += "# " + std::string(9000, 'x');
  plan.descriptor_sectors = 40;
  const bytes file = build_sparse(plan).file.bytes();
  said = check_bytes_of(file, 4000);
  REQUIRE(said.why.code == errc::workspace_too_small);
  CHECK(!check_bytes_of(file, said.why.detail).why);
}

TEST_CASE("without a decoder grains are not expanded, and need no room") {
  const auto image = build_stream(usual_stream_plan());
  memory_source source(image.file);
  check_memory<check_least_bytes, no_decoder> memory;
  const auto done = check(source, memory, [](const finding&) {});
  REQUIRE(done.ok());
  CHECK(done->is_sound());
  CHECK(done->expanded_grains == 0);
}

TEST_CASE("a caller may stop at any finding") {
  const auto all = specimens();
  for (const auto& s : all) {
    const std::size_t count = check_bytes_of(s.file).findings.size();
    for (const std::size_t stop_after : {std::size_t{1}, count / 2, count}) {
      if (stop_after == 0 || count == 0) continue;
      memory_source source(s.file);
      owned_memory<> memory(usual_room);
      std::size_t seen = 0;
      const auto done =
          check(source, memory.spans(), [&](const finding&) { return ++seen != stop_after; });
      REQUIRE(done.ok());
      CHECK(done->stopped);
      CHECK(seen == stop_after);
    }
  }
}

TEST_CASE("findings of one code are told a hundred times, and then counted") {
  auto plan = usual_sparse_plan();
  auto image = build_sparse(plan);
  bytes file = image.file.bytes();
  for (std::uint64_t i = 0; i < 500; ++i) put(file, image.table_entry_at(i), 0xFFFFFF00, 4);
  const outcome said = check_bytes_of(file);
  std::uint64_t told = 0;
  std::uint64_t left_out = 0;
  for (const finding& f : said.findings) {
    if (f.code != errc::grain_past_end) continue;
    f.more == 0 ? ++told : left_out += f.more;
  }
  CHECK(told == findings_told_per_code);
  CHECK(left_out == 400);
  CHECK(said.summary.errors == 500 + 500);  // The copies differ, too.
}

// ---------------------------------------------------------------- hostile work

/// Counts reads and the time of a check with 1 MiB of room.
void expect_bounded(const char* what, const bytes& file, bool has_errors = true) {
  memory_source inner(file);
  counting_source<memory_source> source(inner);
  const std::clock_t begin = std::clock();
  const outcome said = check_source(source, usual_room);
  const auto spent_ms = (std::clock() - begin) * 1000 / CLOCKS_PER_SEC;
  INFO(what << ": " << source.read_bytes() << " bytes in " << source.read_calls() << " reads, "
            << spent_ms << " ms, " << said.findings.size() << " findings");
  CHECK(!said.why);
  CHECK(said.has_error() == has_errors);
  CHECK(source.read_bytes() <= 12 * file.size() + 65536);
  CHECK(source.read_calls() <= 8 * (file.size() / 512) + 64);
  CHECK(said.findings.size() < 1000);
#if defined(NDEBUG)
  CHECK(spent_ms < 100);
#endif
}

constexpr std::size_t mebibyte = std::size_t{1} << 20;

/// A file of 1 MiB whose directory has room for 2^17 tables.
bytes with_large_directory(std::uint64_t first_entry, std::uint64_t step) {
  bytes file(mebibyte);
  const std::string text = sparse_text(std::uint64_t{1} << 30);
  auto plan = usual_sparse_plan();
  plan.descriptor = text;
  const bytes head = build_sparse(plan).file.bytes();
  copy_bytes(file.data(), head.data(), 21 * 512);
  put(file, 8, 1, 4);
  put(file, 12, std::uint64_t{1} << 30, 8);  // 2^26 grains, 2^17 tables.
  put(file, 56, 21, 8);
  put(file, 64, 1045, 8);
  for (std::uint64_t i = 0; i < std::uint64_t{1} << 17; ++i) {
    put(file, 21 * 512 + 4 * i, first_entry + i * step % 990, 4);
  }
  return file;
}

TEST_CASE("a hostile directory costs no more than the file's size") {
  expect_bounded("all entries name one table", with_large_directory(1045, 0));
  expect_bounded("tables overlap sector by sector", with_large_directory(1045, 1));
  expect_bounded("tables overlap in leaps", with_large_directory(1045, 7));
  expect_bounded("entries that name nothing", with_large_directory(5000, 3));
}

TEST_CASE("tables full of overlapping grains cost no more than the file's size") {
  bytes file = with_large_directory(1045, 4);
  std::mt19937 random(5);
  for (std::uint64_t at = 1045 * 512; at + 4 <= file.size(); at += 4) {
    put(file, at, 1045 + random() % 980, 4);
  }
  expect_bounded("random grains", file);
  for (std::uint64_t at = 1045 * 512; at + 4 <= file.size(); at += 4) put(file, at, 1100, 4);
  expect_bounded("one grain for all", file);
}

/// A stream of 1 MiB whose tables are full of entries.
bytes hostile_stream(std::uint64_t grain_sectors, std::uint32_t marker_bytes, bool spread) {
  stream_image_plan plan;
  plan.tables = stream_tables::in_front;
  plan.grain_sectors = grain_sectors;
  plan.capacity_sectors = grain_sectors * 512 * 100;
  plan.descriptor = stream_text(plan.capacity_sectors);
  stream_image image = build_stream(plan);
  image.file.resize(mebibyte);
  const std::uint64_t first = image.overhead_bytes / 512;
  const std::uint64_t count = mebibyte / 512 - first;
  for (std::uint64_t grain = 0; grain < 512 * 100; ++grain) {
    const std::uint64_t sector = first + (spread ? grain * 97 % count : grain % count);
    image.put(image.table_entry_at(grain), sector, 4);
    if (grain >= count) continue;
    image.put(sector * 512, grain * grain_sectors, 8);
    image.put(sector * 512 + 8, marker_bytes, 4);
    image.put(sector * 512 + 12, 0x0178, 2);
  }
  return image.file;
}

TEST_CASE("compressed grains that overlap cost no more than the file's size") {
  expect_bounded("small grains", hostile_stream(16, 400, false));
  expect_bounded("grains over each other", hostile_stream(128, 60000, false));
  expect_bounded("grains over each other, leaping", hostile_stream(128, 60000, true));
  expect_bounded("large grains", hostile_stream(1024, 500000, true));
}

TEST_CASE("a grain too large for the memory is judged by all that does not need it") {
  stream_image_plan plan = usual_stream_plan(stream_tables::in_front);
  stream_image image = build_stream(plan);
  image.put(20, 4096, 8);
  const outcome said = check_bytes_of(image.file);
  CHECK(said.has_error());
}

TEST_CASE("a hostile descriptor costs little") {
  const auto text_of = [](const std::string& line, std::size_t size) {
    std::string text = descriptor_text("custom", "RW 5 ZERO\n");
    const std::size_t at = text.find("\n# The Disk");
    std::string lines;
    while (text.size() + lines.size() + line.size() <= size) lines += line;
    text.insert(at, lines);
    bytes file(text.size());
    copy_text(file.data(), text);
    return file;
  };
  const std::size_t most = usual_room - 4096;
  expect_bounded("lines that are nothing", text_of("x\n", most));
  expect_bounded("extents", text_of("RW 1 ZERO\n", most), false);
  expect_bounded("keys", text_of("CID=1\n", most));
  expect_bounded("control characters", text_of("#\x01\n", most));
  expect_bounded("extents without end", text_of("RW 1 FLAT \"x\" 0 a b c d e f\n", most));
}

TEST_CASE("a disk of very many files costs little more than opening them") {
  std::string lines;
  while (lines.size() < 400000) lines += "RW 1 FLAT \"a\" " + std::to_string(lines.size()) + "\n";
  memory_files files;
  files.put("a", bytes(512));
  files.put("a.vmdk", descriptor_text("custom", lines));
  const std::clock_t begin = std::clock();
  const outcome said = check_files(files, "a.vmdk");
  const auto spent_ms = (std::clock() - begin) * 1000 / CLOCKS_PER_SEC;
  INFO(spent_ms << " ms");
  CHECK(!said.why);
  CHECK(said.has(errc::extent_too_short));
#if defined(NDEBUG)
  CHECK(spent_ms < 200);
#endif
}

}  // namespace

}  // namespace memory_test
