// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>

#include "tests/verify/repair_testing.hpp"

namespace repair_markers_test {
/// Streams with markers, tables and ends that are rare.
namespace {

using namespace verify_testing;
using namespace testing_support;

stream_image usual_stream(stream_tables tables = stream_tables::at_end) {
  return build_stream(usual_stream_plan(tables));
}

TEST_CASE("a header that names the directory is rebuilt as one that does") {
  const auto image = usual_stream(stream_tables::at_end_and_known);
  bytes file = image.file;
  put(file, 0, 0, 4);
  CHECK(expect_original(file, image.file).count(repair_kind::header_rebuilt) == 1);
}

TEST_CASE("a stream's overhead comes back, also when it names another grain or none") {
  const auto image = usual_stream(stream_tables::in_front);
  for (const std::uint64_t value :
       {std::uint64_t{0}, image.marker_at.at(2) / 512, image.marker_at.at(1099) / 512}) {
    bytes file = image.file;
    put(file, 64, value, 8);
    INFO("overhead " << value);
    CHECK(expect_original(file, image.file).count(repair_kind::header_corrected) == 1);
  }
}

TEST_CASE("a header that looks like a grain's marker is none") {
  auto plan = usual_stream_plan(stream_tables::in_front);
  plan.grain_sectors = 256;  // Its flags are a size that such a grain may have.
  plan.capacity_sectors = 20 * 256;
  plan.descriptor = stream_text(plan.capacity_sectors);
  plan.stored = {0, 3};
  const auto image = build_stream(plan);
  bytes file = image.file;
  put(file, 64, 0, 8);
  CHECK(expect_original(file, image.file).count(repair_kind::header_corrected) == 1);
}

TEST_CASE("an entry behind the last grain does not say where the grains begin") {
  const auto image = usual_stream(stream_tables::in_front);
  bytes whole = image.file;
  put(whole, image.table_at.at(2) + 4 * 200, image.overhead_bytes / 512, 4);
  bytes file = whole;
  put(file, image.table_entry_at(0), 0, 4);
  expect_original(file, whole);
}

TEST_CASE("a stream may have one directory for both") {
  const auto image = usual_stream(stream_tables::at_end_and_known);
  bytes whole = image.file;
  for (const std::uint64_t header : {std::uint64_t{0}, image.footer_at}) {
    put(whole, header + 8, 0x30003, 4);
    put(whole, header + 48, image.directory_at / 512, 8);
  }
  bytes file = whole;
  CHECK(mend_well(file).steps.empty());
  put(file, image.table_entry_at(3), 0, 4);
  expect_original(file, whole);
}

TEST_CASE("a marker that covers the end of a stream is none") {
  const auto image = usual_stream();
  bytes file = image.file;
  const std::uint64_t marker = image.directory_at - 512;
  put(file, marker, 5 * 16, 8);
  put(file, marker + 8, file.size() - marker - 12, 4);
  expect_original(file, image.file);
}

TEST_CASE("a progress marker that leads nowhere is a gap") {
  auto plan = usual_stream_plan();
  plan.progress_markers = true;
  const auto image = build_stream(plan);
  bytes file = image.file;
  const std::uint64_t marker = image.marker_at.at(3) - 512;
  REQUIRE(file[marker + 12] == std::byte{4});
  put(file, marker, ~std::uint64_t{0}, 8);
  put(file, image.table_entry_at(3), 0, 4);
  const mending done = mend_well(file);
  INFO(done.text());
  CHECK(!done.why);
}

TEST_CASE("behind two gaps no grain is given up") {
  for (const stream_tables tables : {stream_tables::at_end, stream_tables::in_front}) {
    const auto image = usual_stream(tables);
    bytes file = image.file;
    put(file, image.marker_at.at(2) + 8, 0, 4);
    put(file, image.marker_at.at(100) + 8, 0, 4);
    put(file, image.table_entry_at(77), 99999, 4);
    const bytes before = file;
    const mending done = mend_well(file);
    INFO(done.text());
    CHECK(done.count(repair_kind::grain_left) == 2);
    CHECK(done.count(repair_kind::entry_left) == 3);
    CHECK((file == before));
  }
}

TEST_CASE("a table's grains say which table it is, but for those that are another one's") {
  const auto image = usual_stream();
  bytes file = image.file;
  // Grain 600 is entry 88 of table 1.
  put(file, image.table_entry_at(88), image.marker_at.at(600) / 512, 4);
  expect_original(file, image.file);
}

TEST_CASE("a grain of a table that is nowhere has no entry to set") {
  const auto image = usual_stream(stream_tables::in_front);
  bytes file = image.file;
  put(file, image.directory_entry_at(600), 0xFFFFFFFF, 4);
  zero_bytes(file.data() + image.table_at.at(1), 2048);
  put(file, image.marker_at.at(1099) + 8, 0xFFFFFFFF, 4);
  const bytes before = file;
  const mending done = mend_well(file);
  INFO(done.text());
  CHECK(!done.why);
  CHECK(done.count(repair_kind::table_left) == 1);
  CHECK((file == before));
}

TEST_CASE("more entries that differ than there is room for are settled list by list") {
  auto plan = usual_stream_plan(stream_tables::in_front_twice);
  plan.stored.clear();
  for (std::uint64_t grain = 0; grain < 40; ++grain) plan.stored.push_back(grain * 13);
  const auto image = build_stream(plan);
  mended_file file(image.file);
  for (const std::uint64_t grain : plan.stored) {
    put(file.content, image.table_entry_at(grain), 0, 4);
    put(file.content, image.redundant_table_at.at(grain / 512) + grain % 512 * 4, 99999, 4);
  }
  const mending done = mend(file, repair_least_bytes);
  INFO(done.text());
  CHECK(done.summary.left == 0);
  CHECK((file.content == image.file));
}

TEST_CASE("a directory entry of a stream that names no table is left where no grain needs it") {
  auto plan = usual_stream_plan(stream_tables::in_front);
  plan.stored = {0, 2, 1099};
  const auto image = build_stream(plan);
  bytes file = image.file;
  put(file, image.directory_entry_at(600), 0xFFFFFFFF, 4);
  const bytes before = file;
  const mending done = mend_well(file);
  INFO(done.text());
  CHECK(done.count(repair_kind::table_left) == 1);
  CHECK((file == before));
}

TEST_CASE("a stream's table is written where its other copy says, over other content") {
  const auto image = usual_stream(stream_tables::in_front_twice);
  for (const bool is_first : {false, true}) {
    bytes file = image.file;
    put(file, (is_first ? image.directory_at : image.redundant_directory_at) + 4, 0, 4);
    const bytes noise = content_bytes(77, 2048);
    const auto& table_at = is_first ? image.table_at : image.redundant_table_at;
    copy_bytes(file.data() + table_at.at(1), noise.data(), noise.size());
    CHECK(expect_original(file, image.file).count(repair_kind::table_copied) == 1);
  }
}

TEST_CASE("tables that neither directory of a stream names are not missed") {
  auto plan = usual_stream_plan(stream_tables::in_front_twice);
  plan.stored = {0, 2, 1099};
  const auto image = build_stream(plan);
  bytes whole = image.file;
  put(whole, image.directory_entry_at(600), 0, 4);
  put(whole, image.redundant_directory_at + 4, 0, 4);
  bytes file = whole;
  put(file, image.table_entry_at(2), 0, 4);
  expect_original(file, whole);
}

TEST_CASE("a table behind the last one of a stream's directory stays, and else no entry does") {
  const auto image = usual_stream();
  bytes whole = image.file;
  put(whole, image.directory_at + 3 * 4, image.table_at.at(2) / 512, 4);
  bytes file = whole;
  put(file, image.directory_at + 4 * 4, 77, 4);
  CHECK(expect_original(file, whole).count(repair_kind::directory_entry_restored) == 1);
}

TEST_CASE("a lost end is made again behind the tables that a stream still has") {
  auto plan = usual_stream_plan();
  plan.stored = {0, 2, 3};
  plan.empty_tables = true;
  const auto image = build_stream(plan);
  bytes file = image.file;
  file.resize(image.directory_at - 512);
  const mending done = mend_well(file);
  INFO(done.text());
  CHECK(!done.why);
  CHECK((read_disk(file) == image.disk()));
  CHECK(!check_bytes_of(file).has_error());
}

TEST_CASE("a stream of a header alone gets its end") {
  auto plan = usual_stream_plan();
  plan.stored.clear();
  const auto image = build_stream(plan);
  for (const std::size_t size : {512u, 513u, 1024u, 2048u}) {
    bytes file = image.file;
    file.resize(size);
    put(file, 28, 0, 8);
    put(file, 36, 0, 8);
    put(file, 64, 1, 8);
    if (size > 512) zero_bytes(file.data() + 512, size - 512);
    const mending done = mend_well(file);
    INFO("size " << size << "\n" << done.text());
    CHECK(!done.why);
    CHECK(done.did(repair_kind::footer_rebuilt));
    CHECK(file.size() == 6 * 512);
    const outcome said = check_bytes_of(file);
    INFO(said.text());
    CHECK(said.summary.errors == 1);
    CHECK(said.has(errc::embedded_descriptor_missing));
  }
}

TEST_CASE("zeros between grains, behind tables in front, are no reason to give grains up") {
  auto plan = usual_stream_plan(stream_tables::in_front);
  plan.gap_sectors = 3;
  const auto image = build_stream(plan);
  bytes file = image.file;
  put(file, image.table_entry_at(3), 0, 4);
  expect_original(file, image.file);
  // With tables behind the grains the first zeros would be the end.
  put(file, image.directory_entry_at(600), 0, 4);
  zero_bytes(file.data() + image.table_at.at(1), 2048);
  const bytes before = file;
  CHECK(mend_well(file).why.code == errc::footer_missing);
  CHECK((file == before));
}

TEST_CASE("of a header and a footer that differ, that with the directory's marker counts") {
  const auto image = usual_stream();
  bytes file = image.file;
  put(file, 12, 2200 * 16, 8);
  // Something else seems to stand there.
  put(file, image.directory_at - 512, 1, 8);
  put(file, image.directory_at - 500, 4, 4);
  const mending done = mend_well(file);
  INFO(done.text());
  CHECK(!done.why);
  CHECK((read_disk(file) == image.disk()));
}

/// A decoder that takes its input in one piece.
struct whole_input_inflate : inflate {
  static constexpr bool needs_contiguous_input = true;
};

template <class D>
void expect_end_again(const stream_image& image, std::size_t cut, std::size_t room_bytes) {
  mended_file file(image.file);
  file.content.resize(cut);
  const auto decoder = std::make_unique<D>();
  bytes room(room_bytes);
  const auto done = repair(file, repair_spans<D>{*decoder, room}, [](const repair_step&) {});
  CHECK(done.ok());
  CHECK((file.content == image.file));
}

TEST_CASE("a stream's end comes back with any decoder, and without one") {
  const auto image = usual_stream();
  const std::size_t cut = image.footer_at;
  expect_end_again<no_decoder>(image, cut, repair_room);
  expect_end_again<whole_input_inflate>(image, cut, repair_room);
  // 20 sectors: no room for the input of a grain.
  expect_end_again<whole_input_inflate>(image, cut, 10240 + 2560);
}

TEST_CASE("a directory that the header names stays, or the end is not made again") {
  const auto image = usual_stream(stream_tables::at_end_and_known);
  const auto tail_at = static_cast<std::ptrdiff_t>(image.footer_at - 512);
  const bytes known(image.file.begin(), image.file.begin() + tail_at);
  bytes file = known;
  CHECK(expect_original(file, image.file).count(repair_kind::footer_rebuilt) == 1);
  // The last table is nowhere: where its directory is, it cannot be written.
  file = known;
  const std::uint64_t marker = image.table_at.at(image.table_at.size() - 1) - 512;
  put(file, marker + 12, 4, 4);
  bytes before = file;
  CHECK(mend_well(file).why.code == errc::footer_missing);
  CHECK((file == before));
  // It is further behind than it would be.
  const auto with_progress = [&](const bytes& stream) {
    bytes progress(1024);
    put(progress, 0, 1, 8);
    put(progress, 12, 4, 4);
    bytes longer = stream;
    longer.insert(longer.begin() + static_cast<std::ptrdiff_t>(image.directory_at - 512),
                  progress.begin(), progress.end());
    put(longer, 56, image.directory_at / 512 + 2, 8);
    return longer;
  };
  file = with_progress(known);
  before = file;
  CHECK(mend_well(file).why.code == errc::footer_missing);
  CHECK((file == before));
  // A header that cannot be read names nothing, wherever that would be.
  file = image.file;
  for (int i = 0; i < 10; ++i) file = with_progress(file);
  const std::uint64_t last_entry = image.directory_at + 20 * 512 + 4 * (image.table_at.size() - 1);
  put(file, marker + 12, 4, 4);
  put(file, last_entry, 0, 4);
  put(file, 56, image.directory_at / 512 + 20, 8);
  put(file, 0, 0, 4);
  const mending done = mend_well(file);
  INFO(done.text());
  CHECK(!done.why);
  CHECK((read_disk(file) == image.disk()));
}

TEST_CASE("a header that a footer contradicts is mended with the end that is made again") {
  const auto image = usual_stream();
  const std::uint64_t last = image.table_at.size() - 1;
  for (const std::uint64_t named :
       {std::uint64_t{0}, image.overhead_bytes / 512, std::uint64_t{99999}}) {
    bytes file = image.file;
    put(file, image.table_at.at(last) - 500, 4, 4);
    put(file, image.directory_at + 4 * last, 0, 4);
    put(file, 36, 19, 8);
    put(file, 56, named, 8);
    const mending done = mend_well(file);
    INFO(done.text());
    CHECK(!done.why);
    CHECK((read_disk(file) == image.disk()));
  }
}

TEST_CASE("a stream that begins nowhere, or before its metadata ends, is not cut there") {
  auto plan = usual_stream_plan(stream_tables::in_front);
  plan.capacity_sectors = 1600;
  plan.descriptor = stream_text(plan.capacity_sectors);
  plan.stored.clear();
  const auto image = build_stream(plan);
  // A sector whose offset wraps around, and a table with an entry that looks like a long grain.
  for (const std::uint64_t overhead : {(std::uint64_t{1} << 55) + 1, image.table_at.at(0) / 512}) {
    bytes file = image.file;
    put(file, 64, overhead, 8);
    put(file, image.table_at.at(0) + 8, 16000, 4);
    const mending done = mend_well(file);
    INFO("overhead " << overhead << "\n" << done.text());
    CHECK(done.why.code == errc::none);
    CHECK(file.size() == image.file.size());
  }
}

}  // namespace

}  // namespace repair_markers_test
