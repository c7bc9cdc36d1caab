// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/verify/repair_testing.hpp"

namespace repair_faults_test {
namespace {

using namespace verify_testing;
using namespace testing_support;

struct damaged_image {
  const char* what;
  bytes file;
  bytes disk;  ///< What it holds when it is whole.
};

/// A whole image with damages of many kinds.
void damage_sparse(std::vector<damaged_image>& all) {
  const auto image = build_sparse(usual_sparse_plan());
  const bytes whole = image.file.bytes();
  const bytes disk = *read_disk(whole);
  bytes file = whole;
  zero_bytes(file.data() + image.table_at.at(0), 2048);
  put(file, image.directory_at + 4, 1, 4);
  put(file, image.redundant_table_at.at(0) + 40, 7, 4);
  put(file, 64, 300, 8);
  put(file, 72, 1, 1);
  all.push_back({"entries, a directory entry and the header", file, disk});
  file = whole;
  const bytes noise = content_bytes(77, 2048);
  copy_bytes(file.data() + image.table_at.at(1), noise.data(), noise.size());
  put(file, image.directory_at + 4, 0, 4);
  put(file, image.redundant_table_at.at(1) + 4 * 50, 0xFFFFFF, 4);
  all.push_back({"a table that is copied", file, disk});
}

void damage_stream(std::vector<damaged_image>& all) {
  const auto image = build_stream(usual_stream_plan());
  const bytes disk = image.disk();
  bytes file = image.file;
  put(file, image.footer_at + 56, 3, 8);
  put(file, image.table_entry_at(3), 0, 4);
  put(file, image.marker_at.at(100), 17, 8);
  all.push_back({"footer, entry and marker", file, disk});
  file = image.file;
  put(file, image.directory_at + 4 * 3, 99, 4);
  put(file, image.directory_at + 4 * 4, image.table_at.at(2) / 512, 4);
  put(file, image.directory_at - 512, 0, 8);
  put(file, image.footer_at + 512, 3, 8);
  put(file, 12, 2200 * 16, 8);
  all.push_back({"the directory's tail, markers and the capacity", file, disk});
  file = image.file;
  put(file, image.directory_at + 4 * 3, 99, 4);
  all.push_back({"the directory's tail", file, disk});
  file = image.file;
  // A table without marker and entries, and the marker of the end.
  zero_bytes(file.data() + image.table_at.at(1), 2048);
  put(file, image.table_at.at(1) - 500, 4, 4);
  put(file, image.directory_entry_at(600), 0, 4);
  put(file, image.footer_at - 512, 9, 8);
  all.push_back({"a table and a marker", file, disk});
  file = image.file;
  put(file, image.marker_at.at(3) + 8, 0, 4);
  put(file, image.footer_at + 36, 19, 8);
  all.push_back({"a gap and the footer", file, disk});
  file = image.file;
  zero_bytes(file.data(), 512);
  put(file, image.directory_entry_at(600), 0, 4);
  all.push_back({"no header", file, disk});
  file = image.file;
  // What is in the header then is in the footer alone, which makes room for a table.
  zero_bytes(file.data(), 512);
  put(file, image.table_at.at(1) - 500, 4, 4);
  put(file, image.directory_entry_at(600), 0, 4);
  all.push_back({"no header, and a table that is nowhere", file, disk});
  file = image.file;
  put(file, 56, 0, 8);
  put(file, 12, 2200 * 16, 8);
  put(file, image.table_at.at(1) - 500, 4, 4);
  put(file, image.directory_entry_at(600), 0, 4);
  all.push_back({"a header of another disk, without a directory", file, disk});
  file = image.file;
  file.resize(image.marker_at.at(1099) + 700);
  all.push_back({"a lost end", file, disk});
  file = image.file;
  zero_bytes(file.data() + image.directory_at - 512, file.size() - image.directory_at + 512);
  all.push_back({"an end of zeros", file, disk});
  const auto known = build_stream(usual_stream_plan(stream_tables::at_end_and_known));
  file = known.file;
  file.resize(known.footer_at - 300);
  all.push_back({"a directory that the header names, and a piece of a marker", file, disk});
}

void damage_stream_in_front(std::vector<damaged_image>& all) {
  auto plan = usual_stream_plan(stream_tables::in_front_twice);
  plan.stored = {600, 0, 3, 1099, 2, 100};
  const auto image = build_stream(plan);
  bytes file = image.file;
  zero_bytes(file.data() + 48, 16);
  zero_bytes(file.data() + image.directory_at, 512);
  zero_bytes(file.data() + image.redundant_directory_at, 512);
  all.push_back({"no tables in front", file, image.disk()});
  file = image.file;
  file.resize(image.marker_at.at(100) + 700);
  put(file, 64, 0, 8);
  put(file, image.table_entry_at(600), 0, 4);
  put(file, image.directory_at + 8, 0xFFFFFFFF, 4);
  all.push_back({"a last grain that is cut", file, image.disk()});
}

/// A stream whose tables a repair began to write behind the grains, and stopped.
void damage_stopped_stream(std::vector<damaged_image>& all) {
  const auto image = build_stream(usual_stream_plan(stream_tables::in_front_twice));
  mended_file file(image.file);
  zero_bytes(file.content.data() + 48, 16);
  zero_bytes(file.content.data() + image.directory_at, 512);
  zero_bytes(file.content.data() + image.redundant_directory_at, 512);
  all.push_back({"no tables in front, grains in order", file.content, image.disk()});
  file.fails_at = 4;
  REQUIRE(mend(file).count(repair_kind::table_rebuilt) == 2);
  all.push_back({"a repair that stopped", file.content, image.disk()});
}

std::vector<damaged_image> damaged_images() {
  std::vector<damaged_image> all;
  damage_sparse(all);
  damage_stream(all);
  damage_stream_in_front(all);
  damage_stopped_stream(all);
  return all;
}

TEST_CASE("where a write or a barrier fails, its failure comes back and the image is no worse") {
  for (const auto& [what, damaged, content] : damaged_images()) {
    const std::uint64_t before = right_grains(damaged, content);
    mended_file whole(damaged);
    REQUIRE(!mend(whole).why);
    REQUIRE((whole.writes > 2 || mend(whole).summary.left != 0));
    for (std::uint64_t n = 0; n < whole.writes; ++n) {
      mended_file broken(damaged);
      broken.fails_at = n;
      const mending done = mend(broken);
      INFO(what << ", write " << n << " of " << whole.writes << "\n" << done.text());
      CHECK(done.why == sink_failure(errc::write_failed, 0, 5));
      CHECK(right_grains(broken.content, content) >= before);
      // Another repair goes on from there.
      mended_file again(broken.content);
      CHECK(!mend(again).why);
      CHECK((again.content == whole.content));
    }
  }
}

TEST_CASE("where a write fails before all of a directory is looked at, its failure comes back") {
  auto plan = usual_sparse_plan();
  plan.capacity_sectors = std::uint64_t{512} * 16 * 300;
  plan.descriptor = sparse_text(plan.capacity_sectors);
  const auto image = build_sparse(plan);
  const bytes whole = image.file.bytes();
  bytes file = whole;
  zero_bytes(file.data() + image.directory_at, 300 * 4);
  mended_file mended(file);
  CHECK(mend(mended).summary.changes >= 300);
  CHECK((mended.content == whole));
  for (const std::uint64_t n : {0u, 1u, 100u, 280u}) {
    mended_file broken(file);
    broken.fails_at = n;
    CHECK(mend(broken).why == sink_failure(errc::write_failed, 0, 5));
    broken.fails_at = ~std::uint64_t{0};
    CHECK(!mend(broken).why);
    CHECK((broken.content == whole));
  }
}

/// Lets each read of a repair fail, or the first ones, and expects that failure back.
void expect_failures(const char* what, const bytes& damaged, std::size_t room,
                     std::uint64_t most_reads = ~std::uint64_t{0}) {
  mended_file file(damaged);
  (void)plan_mending(file, room);
  const std::uint64_t reads = smaller_of(file.reads, most_reads);
  for (std::uint64_t n = 0; n < reads; ++n) {
    file.reads = 0;
    file.read_fails_at = n;
    const mending done = plan_mending(file, room);
    INFO(what << ", room " << room << ", read " << n << " of " << reads);
    CHECK(done.why == source_failure(errc::read_failed, 0, 5));
  }
}

TEST_CASE("where a read fails, its failure comes back") {
  for (const auto& [what, damaged, content] : damaged_images()) {
    expect_failures(what, damaged, repair_room);
    expect_failures(what, damaged, repair_least_bytes);
  }
}

/// 132 tables: each of the two sectors of their directory is read again and again.
stream_image wide_stream(stream_tables tables, std::uint64_t first_tables = 1) {
  auto plan = usual_stream_plan(tables);
  plan.capacity_sectors = std::uint64_t{512} * 16 * 132;
  plan.descriptor = stream_text(plan.capacity_sectors);
  plan.stored.clear();
  for (std::uint64_t i = 0; i < first_tables; ++i) plan.stored.push_back(512 * i);
  for (std::uint64_t i = 126; i < 130; ++i) plan.stored.push_back(512 * i);
  return build_stream(plan);
}

TEST_CASE("where a read of a large directory fails, its failure comes back") {
  const auto in_front = wide_stream(stream_tables::in_front_twice);
  bytes file = in_front.file;
  for (const std::uint64_t directory : {in_front.directory_at, in_front.redundant_directory_at}) {
    for (std::uint64_t i = 3; i < 120; ++i) put(file, directory + 4 * i, 0, 4);
  }
  put(file, in_front.directory_at + 4 * 2, 0xFFFFFFFF, 4);
  put(file, in_front.directory_at + 4 * 127, in_front.table_at.at(126) / 512, 4);
  put(file, in_front.directory_at + 4 * 128, 0xFFFFFFFF, 4);
  put(file, in_front.table_entry_at(0), 9999999, 4);
  expect_failures("in front", file, repair_least_bytes);

  const auto at_end = wide_stream(stream_tables::at_end);
  file = at_end.file;
  put(file, at_end.directory_at + 4 * 126, at_end.table_at.at(0) / 512, 4);
  put(file, at_end.table_entry_at(0), 9999999, 4);
  expect_failures("at the end", file, repair_least_bytes);

  // More tables than are compared at once, one of which has the place of another.
  const auto shared = wide_stream(stream_tables::at_end, 10);
  file = shared.file;
  put(file, shared.directory_at + 4 * 50, shared.table_at.at(128) / 512, 4);
  put(file, shared.directory_at + 4 * 127, shared.table_at.at(3) / 512, 4);
  expect_failures("at the end, shared", file, repair_least_bytes);

  // The first walk over all tables of a file that is no stream.
  auto plan = usual_sparse_plan();
  plan.capacity_sectors = std::uint64_t{512} * 16 * 132;
  plan.descriptor = sparse_text(plan.capacity_sectors);
  plan.copies = table_copies::primary_only;
  const auto sparse = build_sparse(plan);
  file = sparse.file.bytes();
  put(file, sparse.directory_at + 4 * 127, sparse.table_at.at(126) / 512, 4);
  expect_failures("no stream", file, repair_least_bytes, 100);
}

}  // namespace

}  // namespace repair_faults_test
