// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/verify/repair_testing.hpp"

namespace repair_test {
namespace {

using namespace verify_testing;
using namespace testing_support;

bytes sparse_file() { return build_sparse(usual_sparse_plan()).file.bytes(); }

TEST_CASE("good images are left as they are") {
  std::vector<bytes> images;
  for (const auto copies : {table_copies::redundant_first, table_copies::primary_first,
                            table_copies::primary_only, table_copies::shared}) {
    for (const bool odd : {false, true}) {
      auto plan = usual_sparse_plan();
      plan.copies = copies;
      plan.tables_reversed = odd;
      plan.table_gap_sectors = odd ? 3 : 0;
      plan.overhead_zero = odd;
      images.push_back(build_sparse(plan).file.bytes());
    }
  }
  for (const auto tables : {stream_tables::at_end, stream_tables::at_end_and_known,
                            stream_tables::in_front, stream_tables::in_front_twice}) {
    for (const bool odd : {false, true}) {
      auto plan = usual_stream_plan(tables);
      plan.progress_markers = odd;
      plan.empty_tables = odd;
      images.push_back(build_stream(plan).file);
    }
  }
  for (const bytes& image : images) {
    mended_file file(image);
    const mending done = mend(file);
    INFO(done.text());
    CHECK(!done.why);
    CHECK(done.steps.empty());
    CHECK(file.writes == 0);
  }
}

TEST_CASE("a table's copy mends it, entry by entry") {
  const auto image = build_sparse(usual_sparse_plan());
  const bytes whole = image.file.bytes();
  for (const std::uint64_t first_copy : {image.table_at.at(0), image.redundant_table_at.at(0)}) {
    bytes file = whole;
    put(file, first_copy, 0, 4);                                     // lost
    put(file, first_copy + 4, 999999, 4);                            // past the end
    put(file, first_copy + 3 * 4, 5, 4);                             // below the grains
    put(file, first_copy + 7 * 4, image.grain_at.at(512) / 512, 4);  // another one's
    const mending done = expect_original(file, whole);
    CHECK(done.count(repair_kind::entry_restored) == 4);
    CHECK(done.steps.front().table == 0);
  }
}

TEST_CASE("a whole table of zeros or noise is mended") {
  const auto image = build_sparse(usual_sparse_plan());
  const bytes whole = image.file.bytes();
  for (const std::uint64_t table : {image.table_at.at(0), image.redundant_table_at.at(1)}) {
    bytes file = whole;
    zero_bytes(file.data() + table, 2048);
    expect_original(file, whole);
    const bytes noise = content_bytes(77, 2048);
    copy_bytes(file.data() + table, noise.data(), noise.size());
    expect_original(file, whole);
  }
}

TEST_CASE("more disputes than there is room for are settled list by list") {
  auto plan = usual_sparse_plan();
  plan.stored.clear();
  for (std::uint64_t grain = 0; grain < 40; ++grain) plan.stored.push_back(grain * 13);
  const auto image = build_sparse(plan);
  for (const std::uint64_t table : {image.table_at.at(0), image.redundant_table_at.at(0)}) {
    mended_file file(image.file.bytes());
    zero_bytes(file.content.data() + table, 2048);
    CHECK(plan_mending(file, repair_least_bytes).summary.changes == 40);
    const mending done = mend(file, repair_least_bytes);
    INFO(done.text());
    CHECK((file.content == image.file.bytes()));
  }
}

TEST_CASE("a table is copied as its other copy is in the end") {
  const auto image = build_sparse(usual_sparse_plan());
  bytes file = image.file.bytes();
  const bytes noise = content_bytes(77, 2048);
  copy_bytes(file.data() + image.table_at.at(1), noise.data(), noise.size());
  put(file, image.directory_at + 4, 0xFFFFFFFF, 4);
  put(file, image.redundant_table_at.at(1) + 4 * 50, 0xFFFFFF, 4);
  const mending done = mend_well(file);
  INFO(done.text());
  CHECK(done.count(repair_kind::table_copied) == 1);
  CHECK(done.count(repair_kind::entry_dropped) == 1);
  CHECK(!check_bytes_of(file).has_error());
}

TEST_CASE("directory entries are found again, of either copy") {
  for (const bool odd : {false, true}) {
    auto plan = usual_sparse_plan();
    plan.capacity_sectors = 600 * 16 * 4;
    plan.descriptor = sparse_text(plan.capacity_sectors);
    plan.stored = {0, 600, 1200, 1800, 2399};
    plan.tables_reversed = odd;
    const auto image = build_sparse(plan);
    const bytes whole = image.file.bytes();
    const std::uint64_t own = image.table_at.at(1) / 512;
    const std::uint64_t twin = image.redundant_table_at.at(1) / 512;
    for (const std::uint64_t directory : {image.directory_at, image.redundant_directory_at}) {
      for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{1}, own + 4, twin, own - 1,
                                        twin + 1, std::uint64_t{60}, std::uint64_t{0xFFFFFFFF}}) {
        bytes file = whole;
        put(file, directory + 4, value, 4);
        if (file == whole) continue;
        const mending done = expect_original(file, whole);
        CHECK(done.count(repair_kind::directory_entry_restored) == 1);
        CHECK(done.summary.changes == 1);
      }
      bytes file = whole;
      zero_bytes(file.data() + directory, 512);
      if (!odd) expect_original(file, whole);
    }
  }
}

TEST_CASE("directories that the header has wrong are found where they always are") {
  for (const auto copies : {table_copies::redundant_first, table_copies::primary_first}) {
    auto plan = usual_sparse_plan();
    plan.copies = copies;
    const bytes whole = build_sparse(plan).file.bytes();
    for (const std::uint64_t field : {std::uint64_t{48}, std::uint64_t{56}}) {
      for (const std::uint64_t value : {0ull, 22ull, 25ull, 40ull, 100000ull, ~0ull}) {
        bytes file = whole;
        put(file, field, value, 8);
        if (file == whole) continue;
        const mending done = expect_original(file, whole);
        CHECK(done.count(repair_kind::header_corrected) == 1);
      }
    }
  }
}

TEST_CASE("an overhead that the grains contradict is corrected, and costs no grain") {
  const bytes whole = sparse_file();
  for (const std::uint64_t value : {100ull, 65ull, 1000000ull, ~0ull}) {
    bytes file = whole;
    put(file, 64, value, 8);
    const mending done = expect_original(file, whole);
    CHECK(done.count(repair_kind::header_corrected) == 1);
  }
}

TEST_CASE("the flag of zeroed grains comes back in version 2") {
  auto plan = usual_sparse_plan();
  plan.version = 2;
  plan.more_flags = 4;
  plan.zeroed = {1, 513};
  const bytes whole = build_sparse(plan).file.bytes();
  bytes file = whole;
  put(file, 8, 3, 4);
  CHECK(expect_original(file, whole).count(repair_kind::header_corrected) == 1);
  put(file, 4, 1, 4);
  const mending done = mend_well(file);
  CHECK(done.count(repair_kind::entry_dropped) == 4);
}

TEST_CASE("entries past the end of a file that was cut are dropped, the others stay") {
  const auto image = build_sparse(usual_sparse_plan());
  bytes file = image.file.bytes();
  const std::uint64_t cut = image.grain_at.at(512) + 100;
  file.resize(cut);
  const mending done = mend_well(file);
  INFO(done.text());
  CHECK(done.summary.dropped_entries == 2 * 3);
  CHECK(!check_bytes_of(file).has_error());
  const auto disk = read_disk(file);
  REQUIRE(disk);
  for (const std::uint64_t grain : {0u, 2u, 3u, 511u}) {
    const auto content = content_bytes(grain * 8192, 8192);
    CHECK(equal_bytes(disk->data() + grain * 8192, content.data(), 8192));
  }
}

TEST_CASE("the unclean flag goes when nothing is left, and stays otherwise") {
  auto plan = usual_sparse_plan();
  const bytes whole = build_sparse(plan).file.bytes();
  plan.unclean = true;
  plan.grain_gap_sectors = 40;
  const auto image = build_sparse(plan);
  bytes file = image.file.bytes();
  CHECK(mend_well(file).did(repair_kind::unclean_cleared));
  CHECK(file[72] == std::byte{0});

  // Two places between which nothing chooses.
  file = image.file.bytes();
  put(file, image.table_entry_at(3), image.grain_at.at(3) / 512 - 16, 4);
  const bytes before = file;
  const mending done = mend_well(file);
  CHECK(done.count(repair_kind::entry_left) == 1);
  CHECK(done.summary.changes == 0);
  CHECK((file == before));
}

TEST_CASE("a place that two disputed entries name is given to neither") {
  const auto image = build_sparse(usual_sparse_plan());
  for (const bool is_unaligned : {false, true}) {
    bytes file = image.file.bytes();
    // The grain's own entry is lost in one copy, and in the other one another entry names it.
    const std::uint64_t grain = image.grain_at.at(0) / 512;
    put(file, image.redundant_table_at.at(0), 0, 4);
    put(file, image.redundant_table_at.at(0) + 100 * 4, grain + (is_unaligned ? 1 : 0), 4);
    const bytes before = file;
    const mending done = mend_well(file);
    INFO(done.text());
    CHECK(done.count(repair_kind::entry_left) == 2);
    CHECK(done.summary.changes == 0);
    CHECK((file == before));
  }
}

TEST_CASE("tables that share sectors are refused, and nothing is touched") {
  auto plan = usual_sparse_plan();
  plan.capacity_sectors = 600 * 16 * 4;
  plan.descriptor = sparse_text(plan.capacity_sectors);
  const auto image = build_sparse(plan);
  // Each of two entries continues a neighbour, and the places between them are one table's half.
  bytes file = image.file.bytes();
  const std::uint64_t table = image.table_at.at(2) / 512;
  put(file, image.directory_at + 2 * 4, table - 2, 4);
  put(file, image.directory_at + 3 * 4, table + 2, 4);
  put(file, image.redundant_directory_at + 2 * 4, 0, 4);
  put(file, image.redundant_directory_at + 3 * 4, 0, 4);
  put(file, image.directory_at, 999999, 4);
  const bytes before = file;
  const mending done = mend_well(file);
  INFO(done.text());
  CHECK(done.why.code == errc::table_overlap);
  CHECK((file == before));
}

TEST_CASE("entries in both copies that overlap are a reason to drop nothing") {
  const auto image = build_sparse(usual_sparse_plan());
  bytes file = image.file.bytes();
  // The grain size is wrong: half of the grains now overlap, and the last is past the end.
  put(file, 20, 32, 8);
  const bytes before = file;
  const mending done = mend_well(file);
  INFO(done.text());
  CHECK(done.summary.dropped_entries == 0);
  CHECK((file == before));
}

TEST_CASE("what nothing tells is refused, and nothing is touched") {
  const struct {
    std::uint64_t at;
    unsigned width;
    std::uint64_t value;
    errc code;
  } cases[] = {
      {0, 4, 0, errc::magic_invalid},
      {4, 4, 9, errc::version_unsupported},
      {8, 4, 0x80000003, errc::flags_unknown},
      {12, 8, 0, errc::capacity_zero},
      {12, 8, 9616, errc::descriptor_capacity_mismatch},
      {20, 8, 17, errc::grain_size_invalid},
      {44, 4, 511, errc::entries_per_table_invalid},
      {73, 1, 0x0D, errc::newline_bytes_damaged},
  };
  for (const auto& each : cases) {
    bytes file = sparse_file();
    put(file, each.at, each.value, each.width);
    mended_file mended(file);
    const mending done = mend(mended);
    CHECK(done.why == image_failure(each.code, each.at));
    CHECK(done.steps.empty());
    CHECK(mended.writes == 0);
  }
  mended_file nothing(bytes(100));
  CHECK(mend(nothing).why.code == errc::header_truncated);
  mended_file file(sparse_file());
  CHECK(mend(file, repair_least_bytes - 1).why.code == errc::workspace_too_small);
}

TEST_CASE("directories that no field names are found; without their entries they are not") {
  const auto image = build_sparse(usual_sparse_plan());
  bytes file = image.file.bytes();
  const auto disk = read_disk(file);
  put(file, 48, 0, 8);
  put(file, 56, 0, 8);
  bytes mended = file;
  mend_well(mended);
  CHECK(!check_bytes_of(mended).has_error());
  CHECK((read_disk(mended) == disk));

  zero_bytes(file.data() + image.directory_at, 512);
  zero_bytes(file.data() + image.redundant_directory_at, 512);
  const bytes before = file;
  const mending done = mend_well(file);
  CHECK(done.why == image_failure(errc::directory_offset_invalid, 56));
  CHECK((file == before));
}

TEST_CASE("the result does not depend on the memory") {
  const auto image = build_sparse(usual_sparse_plan());
  bytes file = image.file.bytes();
  zero_bytes(file.data() + image.table_at.at(0), 2048);
  const bytes noise = content_bytes(77, 2048);
  copy_bytes(file.data() + image.redundant_table_at.at(1), noise.data(), noise.size());
  for (const std::size_t room : {repair_least_bytes, std::size_t{4096}, std::size_t{1} << 20}) {
    mended_file mended(file);
    const mending done = mend(mended, room);
    INFO("room " << room << "\n" << done.text());
    CHECK((mended.content == image.file.bytes()));
  }
}

}  // namespace

}  // namespace repair_test
