// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/verify/repair_testing.hpp"

namespace {

using namespace verify_testing;
using namespace testing_support;

/// Grains of a disk that can be read and are right.
unsigned right_grains(const bytes& file, const bytes& disk) {
  memory_source source(file);
  single_file<memory_source> files(source);
  auto memory = std::make_unique<image_memory<16, 4, std::size_t{1} << 16>>();
  const auto opened = open(files, file_id{}, *memory, strictness::tolerant);
  if (!opened) return 0;
  auto room = std::make_unique<cursor_memory<4, 2 * sector_bytes, std::size_t{1} << 16>>();
  auto decoder = std::make_unique<inflate>();
  auto cursor =
      image_cursor<single_file<memory_source>, inflate>::make(*opened, room->spans(), *decoder);
  unsigned right = 0;
  bytes grain(8192);
  for (std::uint64_t at = 0; cursor && at + 8192 <= disk.size(); at += 8192) {
    if (cursor->read_at(at, grain)) continue;
    right += equal_bytes(grain.data(), disk.data() + at, 8192);
  }
  return right;
}

/// Images with damages of many kinds, and what their disks are.
std::vector<std::pair<bytes, bytes>> damaged_images() {
  const auto sparse = build_sparse(usual_sparse_plan());
  bytes first = sparse.file.bytes();
  const bytes disk = *read_disk(first);
  zero_bytes(first.data() + sparse.table_at.at(0), 2048);
  put(first, sparse.directory_at + 4, 1, 4);
  put(first, sparse.redundant_table_at.at(0) + 40, 7, 4);
  put(first, 64, 300, 8);
  put(first, 72, 1, 1);
  const auto stream = build_stream(usual_stream_plan());
  bytes second = stream.file;
  put(second, stream.footer_at + 56, 3, 8);
  put(second, stream.table_entry_at(3), 0, 4);
  put(second, stream.marker_at.at(100), 17, 8);
  bytes third = stream.file;
  third.resize(stream.marker_at.at(1099) + 700);
  const auto in_front = build_stream(usual_stream_plan(stream_tables::in_front_twice));
  bytes fourth = in_front.file;
  zero_bytes(fourth.data() + 48, 16);
  zero_bytes(fourth.data() + in_front.directory_at, 512);
  zero_bytes(fourth.data() + in_front.redundant_directory_at, 512);
  return {
      {first, disk}, {second, stream.disk()}, {third, stream.disk()}, {fourth, in_front.disk()}};
}

TEST_CASE("where a write fails, its failure comes back and the image is no worse") {
  for (const auto& [damaged, content] : damaged_images()) {
    const unsigned before = right_grains(damaged, content);
    mended_file whole(damaged);
    REQUIRE(!mend(whole).why);
    REQUIRE(whole.writes > 2);
    for (std::uint64_t n = 0; n < whole.writes; ++n) {
      mended_file broken(damaged);
      broken.fails_at = n;
      const mending done = mend(broken);
      INFO("write " << n << " of " << whole.writes << "\n" << done.text());
      CHECK(done.why == sink_failure(errc::write_failed, 0, 5));
      CHECK(right_grains(broken.content, content) >= before);
      // Another repair goes on from there.
      mended_file again(broken.content);
      CHECK(!mend(again).why);
      CHECK((again.content == whole.content));
    }
  }
}

/// Lets each read of a repair fail, and expects that failure back.
void expect_failures(const char* what, const bytes& damaged, std::size_t room) {
  mended_file file(damaged);
  const mending whole = plan_mending(file, room);
  const std::uint64_t reads = file.reads;
  WARN(what << ", room " << room << ": " << reads << "\n" << whole.text());
  for (std::uint64_t n = 0; n < reads; ++n) {
    file.reads = 0;
    file.read_fails_at = n;
    const mending done = plan_mending(file, room);
    INFO(what << ", room " << room << ", read " << n << " of " << reads);
    CHECK(done.why == source_failure(errc::read_failed, 0, 5));
  }
}

sparse_image wide_sparse(table_copies copies) {
  auto plan = usual_sparse_plan();
  plan.capacity_sectors = 512 * 16 * 132;
  plan.descriptor = sparse_text(plan.capacity_sectors);
  plan.copies = copies;
  plan.empty_tables_missing = true;
  plan.stored = {0, 126 * 512, 127 * 512, 128 * 512, 129 * 512 + 3};
  return build_sparse(plan);
}

TEST_CASE("where a read fails, its failure comes back: sparse") {
  for (const auto& [damaged, content] : damaged_images()) {
    expect_failures("damaged", damaged, repair_room);
    expect_failures("damaged", damaged, repair_least_bytes);
  }
  for (const auto copies : {table_copies::redundant_first, table_copies::primary_only}) {
    const auto image = wide_sparse(copies);
    bytes file = image.file.bytes();
    put(file, image.directory_entry_at(127 * 512), 0, 4);
    put(file, image.table_entry_at(0), 9999999, 4);
    expect_failures("wide", file, repair_least_bytes);
  }
}

TEST_CASE("where a read fails, its failure comes back: stream") {
  for (const auto tables :
       {stream_tables::at_end, stream_tables::in_front, stream_tables::in_front_twice}) {
    auto plan = usual_stream_plan(tables);
    plan.capacity_sectors = 512 * 16 * 132;
    plan.descriptor = stream_text(plan.capacity_sectors);
    plan.stored = {0, 126 * 512, 127 * 512, 128 * 512, 129 * 512 + 3};
    const auto image = build_stream(plan);
    bytes file = image.file;
    put(file, image.directory_entry_at(127 * 512), 0, 4);
    put(file, image.table_entry_at(0), 9999999, 4);
    expect_failures("wide", file, repair_least_bytes);
  }
}

}  // namespace
