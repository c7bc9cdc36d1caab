// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/paged_file.hpp"
#include "tests/verify/repair_testing.hpp"

namespace repair_limits_test {
/// What is more than a repair looks at together.
namespace {

using namespace verify_testing;
using namespace testing_support;

constexpr std::uint64_t table_capacity = 512 * 16;  ///< Sectors.

TEST_CASE("behind more gaps than are kept nothing is known, and nothing is dropped") {
  auto plan = usual_stream_plan();
  plan.stored.clear();
  for (std::uint64_t grain = 0; grain < 40; ++grain) plan.stored.push_back(grain);
  const auto image = build_stream(plan);
  for (const std::uint64_t gaps : {16u, 17u, 18u}) {
    bytes file = image.file;
    for (std::uint64_t i = 0; i < gaps; ++i) put(file, image.marker_at.at(2 * i + 1) + 8, 0, 4);
    put(file, image.table_entry_at(100), 99999, 4);
    const bytes before = file;
    const mending done = mend_well(file);
    INFO(gaps << " gaps\n" << done.text());
    CHECK(!done.why);
    CHECK(done.count(repair_kind::grain_left) == 16);
    CHECK(done.summary.changes == 0);
    CHECK((file == before));
  }
}

TEST_CASE("more tables than are looked up one by one get a directory of their own") {
  auto plan = usual_stream_plan();
  plan.capacity_sectors = 70 * table_capacity;
  plan.descriptor = stream_text(plan.capacity_sectors);
  plan.stored.clear();
  for (std::uint64_t table = 0; table < 70; ++table) plan.stored.push_back(table * 512 + table);
  const auto image = build_stream(plan);
  for (const std::size_t lost : {64u, 65u, 70u}) {
    bytes file = image.file;
    zero_bytes(file.data() + image.directory_at, lost * 4);
    const mending done = expect_original(file, image.file);
    CHECK(done.did(repair_kind::directory_rebuilt) == (lost > 64));
    CHECK(done.count(repair_kind::directory_entry_restored) == (lost > 64 ? 0 : 64));
  }
}

TEST_CASE("a directory with more entries to restore than are planned together comes back") {
  auto plan = usual_sparse_plan();
  plan.capacity_sectors = 260 * table_capacity;
  plan.descriptor = sparse_text(plan.capacity_sectors);
  plan.copies = table_copies::primary_only;
  plan.stored = {0, 700, 1400, 130 * 512 + 7, 259 * 512};
  const auto image = build_sparse(plan);
  bytes file = image.file.bytes();
  for (std::uint64_t i = 0; i < 260; ++i) put(file, image.directory_at + 4 * i, 0xFFFFFFFF, 4);
  const mending done = expect_original(file, image.file.bytes());
  CHECK(done.count(repair_kind::directory_entry_restored) == 260);
}

TEST_CASE("among more lost tables than are searched for, the later ones are left") {
  for (const std::uint64_t tables : {1024u, 1100u}) {
    auto plan = usual_sparse_plan();
    plan.capacity_sectors = tables * table_capacity;
    plan.descriptor = sparse_text(plan.capacity_sectors);
    plan.copies = table_copies::primary_only;
    plan.empty_tables_missing = true;
    plan.stored = {tables * 512 - 1};
    const auto image = build_sparse(plan);
    bytes file = image.file.bytes();
    put(file, image.table_entry_at(tables * 512 - 1) - 4, 9999999, 4);
    const mending done = mend_well(file);
    CHECK(!done.why);
    const bool is_found = tables == 1024;
    CHECK(done.count(repair_kind::entry_dropped) == (is_found ? 1 : 0));
    CHECK(done.count(repair_kind::table_left) > 1000);
  }
}

TEST_CASE("more tables than can lie in a file share sectors, and are refused") {
  auto plan = usual_sparse_plan();
  plan.capacity_sectors = 60 * table_capacity;
  plan.descriptor = sparse_text(plan.capacity_sectors);
  plan.copies = table_copies::primary_only;
  plan.empty_tables_missing = true;
  plan.stored = {0, 512};
  const auto image = build_sparse(plan);
  bytes file = image.file.bytes();
  REQUIRE(file.size() / 2048 + 1 < 60);
  // Each of them continues its neighbours.
  for (std::uint64_t i = 0; i < 60; ++i) {
    put(file, image.directory_at + 4 * i, image.table_at.at(i % 2) / 512, 4);
  }
  const bytes before = file;
  CHECK(mend_well(file).why.code == errc::table_overlap);
  CHECK((file == before));
}

TEST_CASE("a repair of a file that forgets what is written ends") {
  const auto image = build_sparse(usual_sparse_plan());
  mended_file file(image.file.bytes());
  file.forgets_writes = true;
  put(file.content, image.table_entry_at(3), 0, 4);
  const mending done = mend(file);
  CHECK(!done.why);
  CHECK(done.summary.changes == 8);
}

TEST_CASE("a descriptor that is longer than the memory says nothing of the capacity") {
  auto plan = usual_sparse_plan();
  plan.descriptor = sparse_text(plan.capacity_sectors - 160);
  for (int line = 0; line < 100; ++line) plan.descriptor += "# Nothing that anybody needs\n";
  const auto image = build_sparse(plan);
  mended_file file(image.file.bytes());
  put(file.content, image.table_entry_at(3), 0, 4);
  CHECK(plan_mending(file).why.code == errc::descriptor_capacity_mismatch);
  CHECK(!mend(file, repair_least_bytes).why);
  CHECK((file.content == image.file.bytes()));
}

TEST_CASE("the tables of a lost end are the same, however many are made in one walk") {
  auto plan = usual_stream_plan(stream_tables::in_front);
  plan.stored = {600, 0, 1099, 3, 601, 100, 512};
  const auto image = build_stream(plan);
  bytes file = image.file;
  zero_bytes(file.data() + image.directory_at, 512);
  put(file, 56, ~std::uint64_t{0}, 8);
  bytes first;
  for (const std::size_t room :
       {static_cast<std::size_t>(repair_bytes(plan.capacity_sectors, 16)), std::size_t{1} << 20}) {
    mended_file mended(file);
    const mending done = mend(mended, room);
    INFO("room " << room << "\n" << done.text());
    CHECK(done.count(repair_kind::table_rebuilt) == 3);
    CHECK((read_disk(mended.content) == image.disk()));
    CHECK(!check_bytes_of(mended.content).has_error());
    if (first.empty()) first = mended.content;
    CHECK((mended.content == first));
  }
}

TEST_CASE("a lost end is not written where sectors have no number") {
  const auto image = build_stream(usual_stream_plan());
  paged_file file;
  const bytes start(image.file.begin(),
                    image.file.begin() + static_cast<std::ptrdiff_t>(image.marker_at.at(2)));
  const bytes grain(image.file.begin() + static_cast<std::ptrdiff_t>(image.marker_at.at(2)),
                    image.file.begin() + static_cast<std::ptrdiff_t>(image.marker_at.at(3)));
  constexpr std::uint64_t last = (std::uint64_t{1} << 32) - 64;
  REQUIRE(!file.write_at(0, start));
  // A progress marker up to the last grain.
  file.put_number(start.size(), last - start.size() / 512 - 1, 8);
  file.put_number(start.size() + 12, 4, 4);
  for (const std::uint64_t sector : {last, last + 40}) {
    file.put_number(start.size(), sector - start.size() / 512 - 1, 8);
    REQUIRE(!file.resize(sector * 512));
    REQUIRE(!file.write_at(sector * 512, grain));
    bytes room(repair_room);
    inflate decoder;
    const auto done =
        plan_repair(file, repair_spans<inflate>{decoder, room}, [](const repair_step&) {});
    CHECK(done.error().code == (sector == last ? errc::none : errc::extent_too_large));
  }
}

}  // namespace

}  // namespace repair_limits_test
