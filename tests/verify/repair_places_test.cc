// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/verify/repair_testing.hpp"

namespace repair_places_test {
/// Where directories, tables and grains of sparse files may be, and may not.
namespace {

using namespace verify_testing;
using namespace testing_support;

TEST_CASE("a second directory that shares sectors with the first one is left alone") {
  auto plan = usual_sparse_plan();
  plan.capacity_sectors = 512 * 16 * 132;
  plan.descriptor = sparse_text(plan.capacity_sectors);
  plan.empty_tables_missing = true;
  plan.grain_alignment_sectors = 1;  // No room in which a table might be.
  const auto image = build_sparse(plan);
  const std::uint64_t primary = image.directory_at / 512;
  // Two sectors each; the second one of either is the first one of the other.
  for (const std::uint64_t second : {primary - 1, primary + 1}) {
    bytes file = image.file.bytes();
    put(file, 48, second, 8);
    const bytes before = file;
    const mending done = mend_well(file);
    INFO("at " << second << ", not " << primary << "\n" << done.text());
    CHECK(!done.why);
    CHECK(done.count(repair_kind::directory_left) == 1);
    CHECK((file == before));
  }
}

TEST_CASE("a table is not written where the header says that grains are") {
  const auto image = build_sparse(usual_sparse_plan());
  bytes file = image.file.bytes();
  // The redundant tables lie first.
  put(file, image.redundant_directory_at + 4, 0, 4);
  const bytes noise = content_bytes(77, 2048);
  copy_bytes(file.data() + image.redundant_table_at.at(1), noise.data(), noise.size());
  put(file, 64, image.redundant_table_at.at(1) / 512 + 3, 8);
  const bytes before = file;
  const mending done = mend_well(file);
  INFO(done.text());
  CHECK(done.count(repair_kind::table_left) == 1);
  CHECK((file == before));
}

TEST_CASE("without a copy, a table behind the overhead is found by its entries") {
  auto plan = usual_sparse_plan();
  plan.copies = table_copies::primary_only;
  plan.capacity_sectors = 512 * 16 * 3;
  plan.descriptor = sparse_text(plan.capacity_sectors);
  const auto image = build_sparse(plan);
  for (const std::uint64_t table : {1u, 2u}) {
    bytes file = image.file.bytes();
    put(file, 64, image.table_at.at(table) / 512, 8);
    const bytes before = file;
    put(file, image.directory_at + 4 * table, 0, 4);
    const mending done = mend_well(file);
    INFO("table " << table << "\n" << done.text());
    // The last one has none.
    CHECK(done.did(repair_kind::table_left) == (table == 2));
    CHECK((file == before) == (table == 1));
  }
}

TEST_CASE("entries that name metadata are no grains, but where the overhead is too small") {
  const auto image = build_sparse(usual_sparse_plan());
  for (const bool is_small : {false, true}) {
    bytes file = image.file.bytes();
    const std::uint64_t inside = image.table_at.at(1) / 512;
    if (is_small) put(file, 64, image.directory_at / 512, 8);
    const bytes before = file;
    put(file, image.table_entry_at(50), inside, 4);
    put(file, image.redundant_table_at.at(0) + 50 * 4, inside, 4);
    const mending done = mend_well(file);
    INFO(done.text());
    CHECK(!done.why);
    CHECK(done.count(repair_kind::entry_dropped) == (is_small ? 0 : 2));
    CHECK((file == before) == !is_small);
  }
}

TEST_CASE("a table of which both copies share sectors is refused") {
  auto plan = usual_sparse_plan();
  plan.capacity_sectors = 512 * 16 * 4;
  plan.descriptor = sparse_text(plan.capacity_sectors);
  const auto image = build_sparse(plan);
  bytes file = image.file.bytes();
  // Each of the two entries continues the other one.
  const std::uint64_t last = image.table_at.at(3) / 512;
  put(file, image.redundant_directory_at + 2 * 4, last - 1, 4);
  put(file, image.redundant_directory_at + 3 * 4, last + 3, 4);
  const bytes before = file;
  CHECK(mend_well(file).why.code == errc::table_overlap);
  CHECK((file == before));
}

TEST_CASE("grains that are larger than all that lies before them are settled as others are") {
  sparse_image_plan plan;
  plan.grain_sectors = 128;
  plan.capacity_sectors = 128 * 20;
  plan.descriptor_sectors = 0;
  plan.grain_alignment_sectors = 1;
  plan.stored = {0, 1, 2};
  const auto image = build_sparse(plan);
  REQUIRE(image.grain_at.at(0) / 512 < 128);
  for (const std::uint64_t grain : plan.stored) {
    bytes file = image.file.bytes();
    put(file, image.table_entry_at(grain), 0, 4);
    put(file, image.redundant_table_at.at(0) + 7 * 4, image.grain_at.at(0) / 512, 4);
    if (grain != 0) {
      expect_original(file, image.file.bytes());
      continue;
    }
    // The first one's place is not sure then.
    const bytes before = file;
    CHECK(mend_well(file).count(repair_kind::entry_left) == 2);
    CHECK((file == before));
  }
}

TEST_CASE("version 2 without zeroed grains needs no flag for them") {
  auto plan = usual_sparse_plan();
  plan.version = 2;
  const bytes whole = build_sparse(plan).file.bytes();
  CHECK(expect_original(whole, whole).steps.empty());
}

TEST_CASE("data that looks like a footer, behind a header that can be, is none") {
  const auto sparse = build_sparse(usual_sparse_plan());
  const auto stream = build_stream(usual_stream_plan());
  bytes file = sparse.file.bytes();
  copy_bytes(file.data() + file.size() - 1536, stream.file.data() + stream.footer_at - 512, 1536);
  const bytes whole = file;
  CHECK(mend_well(file).steps.empty());
  put(file, sparse.table_entry_at(3), 0, 4);
  expect_original(file, whole);
}

TEST_CASE("steps are the same when all of their figures are, and unknown kinds have no word") {
  const repair_step step{.kind = repair_kind::entry_restored,
                         .offset = 1,
                         .table = 2,
                         .entry = 3,
                         .before = 4,
                         .after = 5};
  CHECK(step == step);
  repair_step others[] = {step, step, step, step, step, step};
  others[0].kind = repair_kind::entry_dropped;
  others[1].offset = 9;
  others[2].table = 9;
  others[3].entry = 9;
  others[4].before = 9;
  others[5].after = 9;
  for (const repair_step& other : others) CHECK(step != other);
  const repair_step unknown{.kind = static_cast<repair_kind>(99)};
  CHECK(id_of(unknown.kind) == "unknown");
  std::string sentence;
  describe(unknown, [&sentence](std::string_view piece) { sentence += piece; });
  CHECK(sentence == "unknown");
}

}  // namespace

}  // namespace repair_places_test
