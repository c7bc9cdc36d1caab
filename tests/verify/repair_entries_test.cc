// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/verify/repair_testing.hpp"

namespace repair_entries_test {
namespace {

using namespace verify_testing;
using namespace testing_support;

/// A version 2 file, in which 1 stands for zeros, with room between its grains.
sparse_image spacious_image() {
  auto plan = usual_sparse_plan();
  plan.version = 2;
  plan.more_flags = 4;
  plan.zeroed = {1};
  plan.grain_gap_sectors = 40;
  return build_sparse(plan);
}

void put_copies(bytes& file, const sparse_image& image, std::uint64_t grain, std::uint64_t primary,
                std::uint64_t redundant) {
  put(file, image.table_entry_at(grain), primary, 4);
  put(file, image.redundant_table_at.at(grain / 512) + grain % 512 * 4, redundant, 4);
}

std::uint64_t entry_at(const bytes& file, std::uint64_t at) {
  return load_le<std::uint32_t>(file.data() + at);
}

/// Repairs a file where the copies of an entry say this, and expects it to come to that.
void expect_settled(const sparse_image& image, bytes file, std::uint64_t grain,
                    const std::uint64_t (&is)[2], repair_kind kind, const std::uint64_t (&due)[2]) {
  put_copies(file, image, grain, is[0], is[1]);
  const mending done = mend_well(file);
  INFO("grain " << grain << ": " << is[0] << " and " << is[1] << "\n" << done.text());
  CHECK(!done.why);
  CHECK(done.did(kind));
  CHECK(entry_at(file, image.table_entry_at(grain)) == due[0]);
  CHECK(entry_at(file, image.redundant_table_at.at(grain / 512) + grain % 512 * 4) == due[1]);
}

TEST_CASE("two copies of an entry are settled by rule") {
  const auto image = spacious_image();
  const bytes whole = image.file.bytes();
  const std::uint64_t first = image.grain_at.at(0) / 512;
  const std::uint64_t second = image.grain_at.at(2) / 512;
  const std::uint64_t free = first - 16;
  const std::uint64_t end = whole.size() / 512;
  const auto taken = repair_kind::entry_restored;
  const auto dropped = repair_kind::entry_dropped;
  const auto left = repair_kind::entry_left;
  const struct {
    std::uint64_t is[2];
    repair_kind kind;
    std::uint64_t due[2];
  } cases[] = {
      {{999999, 5}, dropped, {0, 0}},              // none is right
      {{999999, free}, taken, {free, free}},       // one is
      {{end - 15, free}, taken, {free, free}},     // a grain's last sector is behind the end
      {{free, 5}, taken, {free, free}},            //
      {{free, second}, taken, {free, free}},       // another one's
      {{second + 15, free}, taken, {free, free}},  // its last sector is
      {{free, second - 15}, taken, {free, free}},  // its first sector is
      {{free, second + 16}, left, {free, second + 16}},
      {{free, second - 16}, left, {free, second - 16}},
      {{first, second}, left, {first, second}},    // two other ones'
      {{999999, second}, left, {999999, second}},  //
      {{0, free}, taken, {free, free}},            // a grain wins
      {{free, 1}, taken, {free, free}},            //
      {{0, 1}, taken, {0, 0}},                     // what readers take
      {{1, 0}, taken, {1, 1}},                     //
  };
  for (const auto& each : cases) expect_settled(image, whole, 50, each.is, each.kind, each.due);
}

TEST_CASE("entries that are wrong in both copies, or behind the last grain, claim no place") {
  const auto image = build_sparse(usual_sparse_plan());
  const std::uint64_t last = image.grain_at.at(100) / 512;  // Of the file.
  for (const std::uint64_t copy : {0u, 1u}) {
    bytes file = image.file.bytes();
    put_copies(file, image, 60, last + 1, last + 1);
    const std::uint64_t is[2] = {copy == 0 ? last : 0, copy == 0 ? 0 : last};
    expect_settled(image, file, 100, is, repair_kind::entry_dropped, {last, last});
    file = image.file.bytes();
    put_copies(file, image, 700, last, last);
    expect_settled(image, file, 100, is, repair_kind::entry_restored, {last, last});
  }
}

TEST_CASE(
    "a value that breaks a rule gives way, also where another disputed entry wants its place") {
  const auto image = spacious_image();
  const std::uint64_t free = image.grain_at.at(0) / 512 - 16;
  bytes file = image.file.bytes();
  const std::uint64_t end = file.size() / 512;
  file.resize(file.size() + 8192);
  put_copies(file, image, 60, 0, end);
  expect_settled(image, file, 50, {end + 8, free}, repair_kind::entry_restored, {free, free});
}

TEST_CASE("entries behind the last grain become 0 where a copy has that") {
  const auto image = build_sparse(usual_sparse_plan());
  const bytes whole = image.file.bytes();
  expect_settled(image, whole, 700, {0, 7}, repair_kind::entry_restored, {0, 0});
  expect_settled(image, whole, 700, {200, 0}, repair_kind::entry_restored, {0, 0});
  expect_settled(image, whole, 700, {200, 7}, repair_kind::entry_left, {200, 7});
  bytes file = whole;
  put_copies(file, image, 700, 7, 7);
  const bytes before = file;
  CHECK(mend_well(file).steps.empty());
  CHECK((file == before));
}

TEST_CASE("where grains overlap in both copies, no grain gives way to another") {
  const auto image = spacious_image();
  const std::uint64_t other = image.grain_at.at(511) / 512;
  const std::uint64_t first = image.grain_at.at(0) / 512;
  bytes file = image.file.bytes();
  put_copies(file, image, 510, other + 8, other + 8);
  expect_settled(image, file, 50, {0, first}, repair_kind::entry_left, {0, first});
  expect_settled(image, file, 50, {9999999, 9999999}, repair_kind::entry_left, {9999999, 9999999});
  expect_settled(image, file, 50, {9999999, first - 16}, repair_kind::entry_restored,
                 {first - 16, first - 16});
}

TEST_CASE("without a copy, most entries must contradict an overhead") {
  auto plan = usual_sparse_plan();
  plan.copies = table_copies::primary_only;
  const auto image = build_sparse(plan);
  for (const bool is_most : {false, true}) {
    bytes file = image.file.bytes();
    // Three grains of seven are before that of 511, four before that of 512.
    put(file, 64, image.grain_at.at(is_most ? 512 : 511) / 512, 8);
    const bytes before = file;
    const mending done = mend_well(file);
    INFO(done.text());
    CHECK(done.did(repair_kind::header_corrected) == is_most);
    CHECK((file == (is_most ? image.file.bytes() : before)));
  }
}

TEST_CASE("an entry of which a copy is lost contradicts no overhead") {
  const auto image = build_sparse(usual_sparse_plan());
  const bytes whole = image.file.bytes();
  bytes file = whole;
  const bytes noise = content_bytes(77, 2048);
  copy_bytes(file.data() + image.redundant_table_at.at(1), noise.data(), noise.size());
  put(file, image.redundant_directory_at + 4, 0, 4);
  // Between the metadata and the first grain.
  put(file, image.table_entry_at(550), image.overhead_bytes / 512 - 1, 4);
  const mending done = mend_well(file);
  INFO(done.text());
  CHECK(done.count(repair_kind::table_copied) == 1);
  CHECK(done.count(repair_kind::entry_dropped) == 1);
  CHECK((file == whole));
}

TEST_CASE("an overhead becomes the end of the metadata, rounded up, or the first grain") {
  for (const std::uint64_t alignment : {1u, 16u, 64u}) {
    auto plan = usual_sparse_plan();
    plan.grain_alignment_sectors = alignment;
    const auto image = build_sparse(plan);
    bytes file = image.file.bytes();
    put(file, 64, 1000000, 8);
    CHECK(mend_well(file).count(repair_kind::header_corrected) == 1);
    const std::uint64_t end = (image.table_at.at(1) + 2048) / 512;
    CHECK(entry_at(file, 64) == (alignment == 1 ? end : (end + 15) / 16 * 16));
  }
}

}  // namespace

}  // namespace repair_entries_test
