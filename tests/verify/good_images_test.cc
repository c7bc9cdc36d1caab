// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "tests/support/cowd_builder.hpp"
#include "tests/support/sesparse_builder.hpp"
#include "tests/verify/testing.hpp"
#include "vmdk/writer/sparse.hpp"

namespace good_images_test {
namespace {

using namespace verify_testing;
using namespace testing_support;

void expect_nothing(const outcome& said) {
  INFO(said.text());
  CHECK(said.findings.empty());
  CHECK(!said.why);
  CHECK(said.summary.is_sound());
}

void expect_only(const outcome& said, errc code) {
  INFO(said.text());
  CHECK(!said.why);
  CHECK(said.summary.errors == 0);
  CHECK(!said.findings.empty());
  for (const finding& f : said.findings) CHECK(f.code == code);
}

TEST_CASE("sparse images of all good forms give no finding") {
  for (const auto copies : {table_copies::redundant_first, table_copies::primary_first,
                            table_copies::primary_only, table_copies::shared}) {
    for (const bool reversed : {false, true}) {
      auto plan = usual_sparse_plan();
      plan.copies = copies;
      plan.tables_reversed = reversed;
      const auto image = build_sparse(plan);
      const outcome said = check_bytes_of(image.file.bytes());
      INFO("copies " << static_cast<int>(copies));
      if (copies == table_copies::shared) {
        expect_only(said, errc::redundant_shared);
      } else {
        expect_nothing(said);
      }
      CHECK(said.summary.tables == 2);
      CHECK(said.summary.stored_grains == 7);
      CHECK(said.summary.files == 1);
    }
  }
}

TEST_CASE("zeroed grains are counted where they are allowed") {
  auto plan = usual_sparse_plan();
  plan.version = 2;
  plan.more_flags = 4;
  plan.zeroed = {7, 513};
  const outcome said = check_bytes_of(build_sparse(plan).file.bytes());
  expect_nothing(said);
  CHECK(said.summary.zeroed_grains == 2);
}

TEST_CASE("what is unusual but harmless is a warning") {
  auto plan = usual_sparse_plan();
  plan.capacity_sectors = 600 * 16 - 5;
  plan.descriptor = sparse_text(plan.capacity_sectors);
  plan.last_grain_cut = true;
  plan.stored = {0, 599};
  expect_only(check_bytes_of(build_sparse(plan).file.bytes()), errc::capacity_not_whole_grains);

  plan = usual_sparse_plan();
  plan.grain_alignment_sectors = 1;
  plan.grain_gap_sectors = 3;
  expect_only(check_bytes_of(build_sparse(plan).file.bytes()), errc::grain_unaligned);

  plan = usual_sparse_plan();
  plan.overhead_zero = true;
  expect_only(check_bytes_of(build_sparse(plan).file.bytes()), errc::overhead_too_small);

  plan = usual_sparse_plan();
  plan.unclean = true;
  const outcome said = check_bytes_of(build_sparse(plan).file.bytes());
  expect_only(said, errc::unclean_shutdown);
  CHECK(said.summary.unclean);
  CHECK(!said.summary.is_sound());
}

TEST_CASE("streams of all good forms give no error") {
  for (const auto tables : {stream_tables::at_end, stream_tables::at_end_and_known,
                            stream_tables::in_front, stream_tables::in_front_twice}) {
    INFO("tables " << static_cast<int>(tables));
    auto plan = usual_stream_plan(tables);
    const auto image = build_stream(plan);
    REQUIRE(read_disk(image.file) == image.disk());
    outcome said = check_bytes_of(image.file);
    if (tables == stream_tables::in_front_twice) {
      expect_only(said, errc::stream_end_missing);
    } else {
      expect_nothing(said);
    }
    CHECK(said.summary.stored_grains == 7);
    CHECK(said.summary.expanded_grains == 7);
    CHECK(said.summary.tables == 3);

    plan.progress_markers = true;
    plan.empty_tables = true;
    plan.stored = {0, 1099};
    said = check_bytes_of(build_stream(plan).file);
    CHECK(said.summary.errors == 0);
    CHECK(said.summary.warnings == 0);
  }
}

TEST_CASE("a short last grain of a stream is a warning") {
  auto plan = usual_stream_plan();
  plan.capacity_sectors -= 5;
  plan.descriptor = stream_text(plan.capacity_sectors);
  plan.last_grain_short = true;
  const outcome said = check_bytes_of(build_stream(plan).file);
  INFO(said.text());
  CHECK(said.summary.errors == 0);
  REQUIRE(said.has(errc::last_grain_short));
  CHECK(said.find(errc::last_grain_short)->value == 11 * 512);
  CHECK(said.find(errc::last_grain_short)->other == 16 * 512);
}

TEST_CASE("grains out of order are a warning where the tables stand in front") {
  auto plan = usual_stream_plan(stream_tables::in_front);
  plan.stored = {5, 4, 700, 1};
  const outcome said = check_bytes_of(build_stream(plan).file);
  expect_only(said, errc::marker_lba_not_ascending);
}

TEST_CASE("zero sectors between grains are a warning where the tables stand in front") {
  auto plan = usual_stream_plan(stream_tables::in_front);
  plan.gap_sectors = 3;
  const outcome said = check_bytes_of(build_stream(plan).file);
  INFO(said.text());
  CHECK(said.summary.errors == 0);
  CHECK(said.summary.warnings == plan.stored.size() - 1);
  CHECK(said.has(errc::stream_gap));
  CHECK(said.has(errc::stream_end_padded));
}

TEST_CASE("what the library writes gives no finding") {
  const bytes content = content_bytes(0, 300000);
  memory_source source(content);
  bytes room(std::size_t{1} << 20);
  memory_sink sink(room);
  auto memory = std::make_unique<workspace<monolithic_sparse<16>>>();
  REQUIRE(write<monolithic_sparse<16>>(source, sink, write_options{}, *memory).ok());
  memory_source written(sink.written());
  const outcome said = check_source(written);
  expect_nothing(said);
  CHECK(said.summary.stored_grains == (300000 + 8191) / 8192);
}

TEST_CASE("a split disk with its descriptor gives no finding") {
  memory_files files;
  auto plan = usual_sparse_plan();
  plan.descriptor.clear();
  plan.descriptor_sectors = 0;
  files.put("a-s001.vmdk", build_sparse(plan).file.bytes());
  plan.seed = 1;
  plan.capacity_sectors = 100 * 16;
  plan.stored = {7, 99};
  files.put("a-s002.vmdk", build_sparse(plan).file.bytes());
  files.put("a.vmdk", descriptor_text("twoGbMaxExtentSparse",
                                      "RW 9600 SPARSE \"a-s001.vmdk\"\n"
                                      "RW 1600 SPARSE \"a-s002.vmdk\"\n"));
  const outcome said = check_files(files, "a.vmdk");
  expect_nothing(said);
  CHECK(said.summary.files == 3);
  CHECK(said.summary.stored_grains == 9);
}

TEST_CASE("flat and ZERO extents give no finding, and NOACCESS a note") {
  memory_files files;
  files.put("a-f001.vmdk", bytes(40 * 512));
  files.put("a.vmdk", descriptor_text("custom",
                                      "RW 10 FLAT \"a-f001.vmdk\" 0\nRW 7 ZERO\n"
                                      "NOACCESS 9 FLAT \"absent.vmdk\" 0\n"
                                      "RDONLY 30 FLAT \"a-f001.vmdk\" 10\n"));
  const outcome said = check_files(files, "a.vmdk");
  INFO(said.text());
  REQUIRE(said.findings.size() == 1);
  CHECK(said.findings[0].code == errc::extent_no_access);
  CHECK(said.findings[0].level == severity::note);
  CHECK(said.findings[0].entry == 10);
  CHECK(said.summary.files == 2);
}

TEST_CASE("ESXi's redo logs and their chain give no finding") {
  memory_files files;
  bytes room(std::size_t{1} << 20);
  support::cowd_builder cowd(room, 5000);
  for (const std::uint32_t grain : {0u, 1u, 4095u, 4096u, 4999u}) cowd.store(grain, std::byte{7});
  files.put("c-delta.vmdk", bytes(cowd.file().begin(), cowd.file().end()));
  files.put("c.vmdk", descriptor_text("vmfsSparse", "RW 5000 VMFSSPARSE \"c-delta.vmdk\"\n",
                                      "parentCID=aaaaaaaa\nparentFileNameHint=\"p.vmdk\"\n"));
  bytes other(std::size_t{1} << 20);
  support::sesparse_builder se(other, 5000);
  for (const std::uint64_t grain : {0u, 5u, 624u}) se.store(grain, std::byte{9});
  files.put("p-sesparse.vmdk", bytes(se.file().begin(), se.file().end()));
  files.put("p.vmdk", descriptor_text("seSparse", "RW 5000 SESPARSE \"p-sesparse.vmdk\"\n",
                                      "parentCID=bbbbbbbb\nparentFileNameHint=\"/vmfs/b.vmdk\"\n",
                                      "aaaaaaaa"));
  files.put("b-flat.vmdk", bytes(5000 * 512));
  files.put("b.vmdk", descriptor_text("vmfs", "RW 5000 VMFS \"b-flat.vmdk\"\n",
                                      "parentCID=ffffffff\n", "bbbbbbbb"));
  const outcome said = check_files(files, "c.vmdk");
  expect_nothing(said);
  CHECK(said.summary.files == 6);
  CHECK(said.summary.stored_grains == 8);
}

TEST_CASE("one file's bytes are checked without its extents") {
  const std::string text = descriptor_text("vmfs", "RW 5000 VMFS \"b-flat.vmdk\"\n");
  bytes file(text.size());
  copy_text(file.data(), text);
  expect_nothing(check_bytes_of(file));
}

}  // namespace

}  // namespace good_images_test
