// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

#include "tests/verify/repair_testing.hpp"

namespace repair_stream_test {
namespace {

using namespace verify_testing;
using namespace testing_support;

constexpr stream_tables at_end = stream_tables::at_end;
constexpr stream_tables all_forms[] = {at_end, stream_tables::at_end_and_known,
                                       stream_tables::in_front, stream_tables::in_front_twice};

stream_image usual_stream(stream_tables tables = at_end) {
  return build_stream(usual_stream_plan(tables));
}

TEST_CASE("entries of a stream's tables are set from its markers") {
  for (const stream_tables tables : all_forms) {
    const auto image = usual_stream(tables);
    for (const std::uint64_t value : {0ull, 1ull, 3ull, 33ull, 200ull, 99999ull}) {
      bytes file = image.file;
      put(file, image.table_entry_at(3), value, 4);
      put(file, image.table_entry_at(600), image.marker_at.at(0) / 512, 4);
      put(file, image.table_entry_at(77), image.marker_at.at(2) / 512, 4);
      INFO("tables " << static_cast<int>(tables) << ", value " << value);
      expect_original(file, image.file);
    }
  }
}

TEST_CASE("a whole table of a stream, and its copy, are made again") {
  for (const stream_tables tables : all_forms) {
    const auto image = usual_stream(tables);
    bytes file = image.file;
    zero_bytes(file.data() + image.table_at.at(0), 2048);
    if (!image.redundant_table_at.empty()) {
      zero_bytes(file.data() + image.redundant_table_at.at(0), 2048);
    }
    INFO("tables " << static_cast<int>(tables));
    expect_original(file, image.file);
  }
}

TEST_CASE("more disputes of a stream than there is room for are settled list by list") {
  auto plan = usual_stream_plan();
  plan.stored.clear();
  for (std::uint64_t grain = 0; grain < 40; ++grain) plan.stored.push_back(grain * 13);
  const auto image = build_stream(plan);
  mended_file file(image.file);
  for (const std::uint64_t grain : plan.stored) {
    put(file.content, image.table_entry_at(grain), grain % 2 == 0 ? 0 : 99999, 4);
  }
  CHECK(plan_mending(file, repair_least_bytes).summary.changes == 40);
  const mending done = mend(file, repair_least_bytes);
  INFO(done.text());
  CHECK((file.content == image.file));
}

TEST_CASE("directory entries of a stream are found by the tables' markers or their order") {
  for (const stream_tables tables : all_forms) {
    const auto image = usual_stream(tables);
    const std::uint64_t other = image.table_at.at(2) / 512;
    for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{1}, other, other + 1,
                                      std::uint64_t{40}, std::uint64_t{0xFFFFFFFF}}) {
      bytes file = image.file;
      put(file, image.directory_entry_at(600), value, 4);
      INFO("tables " << static_cast<int>(tables) << ", value " << value);
      CHECK(expect_original(file, image.file).did(repair_kind::directory_entry_restored));
    }
  }
}

TEST_CASE("a grain's marker gets back the place that its table entry has") {
  for (const stream_tables tables : all_forms) {
    const auto image = usual_stream(tables);
    for (const std::uint64_t lba : {17ull, 5 * 16ull, 2 * 16ull, 1ull << 40}) {
      bytes file = image.file;
      put(file, image.marker_at.at(100), lba, 8);
      INFO("tables " << static_cast<int>(tables) << ", place " << lba);
      CHECK(expect_original(file, image.file).did(repair_kind::marker_restored));
    }
  }
}

TEST_CASE("a marker is not given the place of an entry whose copies differ") {
  const auto image = usual_stream(stream_tables::in_front_twice);
  bytes file = image.file;
  put(file, image.marker_at.at(100), 17, 8);
  put(file, image.table_entry_at(100), 0, 4);
  const bytes before = file;
  const mending done = mend_well(file);
  INFO(done.text());
  CHECK(!done.why);
  CHECK(done.count(repair_kind::entry_left) == 1);
  CHECK((file == before));
}

TEST_CASE("of a grain that a stream has twice, its entry says which counts, and else the first") {
  for (const stream_tables tables : all_forms) {
    const auto image = usual_stream(tables);
    bytes file = image.file;
    put(file, image.marker_at.at(100), 3 * 16, 8);
    put(file, image.table_entry_at(100), 0, 4);
    if (!image.redundant_table_at.empty()) {
      put(file, image.redundant_table_at.at(0) + 100 * 4, 0, 4);
    }
    const bytes before = file;
    INFO("tables " << static_cast<int>(tables));
    CHECK(mend_well(file).steps.empty());
    CHECK((file == before));
    put(file, image.table_entry_at(3), 99999, 4);
    if (!image.redundant_table_at.empty()) {
      put(file, image.redundant_table_at.at(0) + 3 * 4, 99999, 4);
    }
    expect_original(file, before);
  }
}

TEST_CASE("markers of tables, directory, footer and end are restored") {
  for (const stream_tables tables : {at_end, stream_tables::at_end_and_known}) {
    const auto image = usual_stream(tables);
    for (const std::uint64_t at :
         {image.table_at.at(0) - 512, image.table_at.at(2) - 512, image.directory_at - 512,
          image.footer_at - 512, image.footer_at + 512}) {
      for (const std::uint64_t field : {0u, 8u, 12u}) {
        for (const std::uint64_t value : {0u, 2u, 3u, 100000u}) {
          bytes file = image.file;
          put(file, at + field, value, 4);
          INFO("marker " << at << ", field " << field << ", value " << value);
          if (file != image.file) expect_original(file, image.file);
        }
      }
    }
  }
}

TEST_CASE("header and footer are rebuilt from each other") {
  const auto image = usual_stream();
  bytes file = image.file;
  zero_bytes(file.data(), 512);
  CHECK(expect_original(file, image.file).did(repair_kind::header_rebuilt));
  file = image.file;
  zero_bytes(file.data() + image.footer_at, 512);
  CHECK(expect_original(file, image.file).did(repair_kind::footer_rebuilt));

  // Where both could be, the stream and the descriptor say which one is.
  const std::pair<std::uint64_t, std::uint64_t> fields[] = {
      {12, 1099 * 16}, {12, 2200 * 16}, {20, 32}, {20, 8}, {64, 33}, {64, 100}, {36, 19}};
  for (const std::uint64_t header : {std::uint64_t{0}, image.footer_at}) {
    for (const auto& [field, value] : fields) {
      file = image.file;
      put(file, header + field, value, 8);
      const mending done = mend_well(file);
      INFO("header " << header << ", field " << field << ", value " << value << "\n"
                     << done.text());
      CHECK(!done.why);
      CHECK((read_disk(file) == image.disk()));
      CHECK(!check_bytes_of(file).has_error());
    }
    for (const auto& [field, value] : {std::pair{56u, 40u}, {8u, 0x30003u}}) {
      file = image.file;
      put(file, header + field, value, 4);
      expect_original(file, image.file);
    }
  }

  file = image.file;
  zero_bytes(file.data(), 512);
  zero_bytes(file.data() + image.footer_at, 512);
  const bytes before = file;
  CHECK(mend_well(file).why == image_failure(errc::magic_invalid, 0));
  CHECK((file == before));
}

TEST_CASE("data of a guest that looks like a footer is none") {
  const auto sparse = build_sparse(usual_sparse_plan());
  const auto stream = usual_stream();
  bytes file = sparse.file.bytes();
  zero_bytes(file.data(), 512);
  copy_bytes(file.data() + file.size() - 1536, stream.file.data() + stream.footer_at - 512, 1536);
  const bytes before = file;
  CHECK(mend_well(file).why == image_failure(errc::magic_invalid, 0));
  CHECK((file == before));
}

template <class Image>
void expect_whole_grains(const Image& image, const bytes& disk, std::size_t cut) {
  bytes file = image.file;
  file.resize(cut);
  const mending done = mend_well(file);
  bytes wanted = disk;
  for (const auto& [grain, at] : image.marker_at) {
    // 12 bytes of marker, 8203 of stored blocks.
    if (at + 12 + 8203 > cut) zero_bytes(wanted.data() + grain * 8192, 8192);
  }
  const auto now = read_disk(file);
  const outcome said = check_bytes_of(file, repair_room);
  INFO("cut at " << cut << "\n" << done.text() << said.text());
  REQUIRE(!done.why);
  CHECK(done.summary.left == 0);
  REQUIRE((now == wanted));
  CHECK(!said.has_error());
  CHECK(said.summary.warnings == 0);
}

TEST_CASE("a stream that was cut anywhere keeps each whole grain") {
  for (const stream_tables tables : all_forms) {
    INFO("tables " << static_cast<int>(tables));
    const auto image = usual_stream(tables);
    const bytes disk = image.disk();
    // Every few sectors, and more often where tables and footer are.
    for (std::size_t cut = image.overhead_bytes; cut < image.file.size();
         cut += cut + 12000 < image.file.size() ? 5777 : 403) {
      expect_whole_grains(image, disk, cut);
    }
    // In every byte of a marker.
    const std::size_t marker_at = std::prev(image.marker_at.end())->second;
    for (std::size_t bytes = 1; bytes <= 20; ++bytes) {
      expect_whole_grains(image, disk, marker_at + bytes);
    }
  }
}

TEST_CASE("zeros or other bytes behind a stream are cut off") {
  const auto image = usual_stream();
  bytes file = image.file;
  file.resize(file.size() + 5000);
  CHECK(expect_original(file, image.file).did(repair_kind::file_cut));
  // A download that was given its size and then stopped.
  file = image.file;
  zero_bytes(file.data() + 40000, file.size() - 40000);
  CHECK(!mend_well(file).why);
  CHECK(!check_bytes_of(file).has_error());
  // And one with a hole: what is behind it may be whole, so nothing is thrown away.
  file = image.file;
  zero_bytes(file.data() + 40000, 25000);
  zero_bytes(file.data() + image.footer_at, 512);
  const bytes before = file;
  CHECK(mend_well(file).why.code == errc::footer_missing);
  CHECK((file == before));
}

TEST_CASE("tables in front that cannot be found are written behind the grains") {
  for (const stream_tables tables : {stream_tables::in_front, stream_tables::in_front_twice}) {
    const auto twice = usual_stream(tables);
    bytes file = twice.file;
    put(file, 48, ~std::uint64_t{0}, 8);
    put(file, 56, ~std::uint64_t{0}, 8);
    zero_bytes(file.data() + twice.directory_at, 512);
    if (twice.redundant_directory_at != 0) {
      zero_bytes(file.data() + twice.redundant_directory_at, 512);
    }
    const mending done = mend_well(file);
    INFO("tables " << static_cast<int>(tables) << "\n"
                   << done.text() << check_bytes_of(file).text());
    CHECK(!done.why);
    CHECK((read_disk(file) == twice.disk()));
    CHECK(!check_bytes_of(file).has_error());
  }
  const auto image = usual_stream(stream_tables::in_front);
  bytes file = image.file;
  put(file, 56, 22, 8);
  expect_original(file, image.file);
  zero_bytes(file.data() + image.directory_at, 512);
  CHECK(!mend_well(file).why);
  CHECK((read_disk(file) == image.disk()));
  CHECK(!check_bytes_of(file).has_error());
}

TEST_CASE("a lost end is not made again where something else is wrong as well") {
  const auto image = usual_stream();
  const bytes cut(image.file.begin(),
                  image.file.begin() + static_cast<std::ptrdiff_t>(image.footer_at));
  const struct {
    const char* what;
    std::uint64_t at;
    std::uint64_t value;
    unsigned width;
    errc code;
  } cases[] = {
      {"a grain that is nowhere on the disk", image.marker_at.at(100), 17, 8, errc::footer_missing},
      {"no marker", image.marker_at.at(100) + 8, 0xFFFFFFFF, 4, errc::footer_missing},
      {"grains from sector 0 on", 64, 0, 8, errc::footer_missing},
      {"grains behind the end", 64, 100000, 8, errc::footer_missing},
      {"places of smaller grains", 20, 32, 8, errc::footer_missing},
      {"grains that are larger", 20, 8, 8, errc::grain_size_invalid},
  };
  for (const auto& each : cases) {
    bytes file = cut;
    put(file, each.at, each.value, each.width);
    const bytes before = file;
    const mending done = mend_well(file);
    INFO(each.what << "\n" << done.text());
    CHECK(done.why.code == each.code);
    CHECK((file == before));
  }
}

TEST_CASE("the end of a stream is not written where the descriptor is") {
  const auto image = usual_stream(stream_tables::at_end);
  bytes file(image.file.begin(), image.file.end() - 1024);
  put(file, 36, image.file.size() / 512 - 8, 8);
  const bytes before = file;
  CHECK(mend_well(file).why.code == errc::footer_missing);
  CHECK((file == before));
}

TEST_CASE("a second directory outside the file is no reason to read there") {
  const auto image = usual_stream(stream_tables::at_end);
  bytes file = image.file;
  const std::uint64_t footer = file.size() - 1024;
  for (const std::uint64_t header : {std::uint64_t{0}, footer}) {
    file[header + 8] |= std::byte{2};
    put(file, header + 48, std::uint64_t{1} << 35, 8);
  }
  const bytes before = file;
  const mending done = mend_well(file);
  INFO(done.text());
  CHECK(!done.why);
  CHECK(done.count(repair_kind::directory_left) == 1);
  CHECK((file == before));
}

TEST_CASE("a grain size that the grains contradict is refused") {
  const auto image = usual_stream(stream_tables::in_front);
  for (const std::uint64_t sectors : {8u, 32u}) {
    bytes file = image.file;
    put(file, 20, sectors, 8);
    const bytes before = file;
    CHECK(mend_well(file).why == image_failure(errc::grain_size_invalid, 20));
    CHECK((file == before));
  }
}

TEST_CASE("a grain whose marker has lost its size stays as it is, and so does its entry") {
  for (const stream_tables tables : all_forms) {
    const auto image = usual_stream(tables);
    const std::pair<std::uint64_t, std::uint64_t> cases[] = {
        {100, 0}, {100, 0xFFFFFFFF}, {1099, 0xFFFFFFFF}};
    for (const auto& [grain, size] : cases) {
      bytes file = image.file;
      put(file, image.marker_at.at(grain) + 8, size, 4);
      const bytes before = file;
      const mending done = mend_well(file);
      INFO("tables " << static_cast<int>(tables) << ", grain " << grain << "\n" << done.text());
      CHECK(!done.why);
      // Of the last one nothing says where the next marker is.
      if (grain == 100) CHECK(done.did(repair_kind::grain_left));
      CHECK(done.did(repair_kind::entry_left));
      CHECK(done.summary.changes == 0);
      CHECK((file == before));
    }
  }
}

TEST_CASE("the end of a stream takes its directory's room, and says so") {
  auto plan = usual_stream_plan();
  plan.capacity_sectors = 512 * 16 * 1000;
  plan.descriptor = stream_text(plan.capacity_sectors);
  const auto image = build_stream(plan);
  bytes file = image.file;
  file.resize(image.footer_at);
  mended_file mended(file);
  CHECK(mend(mended, repair_least_bytes).why.code == errc::workspace_too_small);
  CHECK(mended.writes == 0);
  const auto enough =
      static_cast<std::size_t>(repair_bytes(plan.capacity_sectors, plan.grain_sectors));
  CHECK(!mend(mended, enough).why);
  CHECK((mended.content == image.file));
}

}  // namespace

}  // namespace repair_stream_test
