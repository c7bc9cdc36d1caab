// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/reader/cowd_extent.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <random>
#include <vector>

#include "tests/support/cowd_builder.hpp"
#include "tests/support/read_extent.hpp"

namespace cowd_extent_test {
namespace {

using namespace vmdk;
using support::cowd_builder;
using support::owned_cache;
using support::watched_file;

/// Memory for images of two tables: header, directory, 64 sectors of tables, grains.
using image_room = std::array<std::byte, std::size_t{100} * 512>;

constexpr bool is(const result<mapping>& r, placement where, std::uint64_t bytes,
                  std::uint64_t file_offset = 0) {
  return r.ok() && r->where == where && r->bytes == bytes && r->file_offset == file_offset;
}

constexpr result<cowd_extent> open(watched_file& file, byte_view image,
                                   strictness mode = strictness::tolerant) {
  return cowd_extent::open(file, image.size(), mode);
}

/// 4096 + 100 grains of one sector: two tables, the second of which is there, the first is not.
constexpr bool lookups_find_what_is_there() {
  image_room room{};
  cowd_builder image(room, 4196);
  image.store(4096 + 1, std::byte{0x11});
  image.set_entry(4096 + 2, 1);
  watched_file file(image.file());
  owned_cache<> memory;
  table_cache cache = memory.cache();
  const auto extent = open(file, image.file());
  bool ok = extent.ok() && file.reads == 2 && extent->capacity_bytes() == 4196 * 512;
  ok = ok && extent->table_count() == 2 && extent->grain_count() == 4196;

  // The table is at sector 5, its first grain at 37.
  constexpr std::uint64_t second = std::uint64_t{4096} * 512;
  ok = ok && is(extent->map(file, 0, cache), placement::absent, second);
  ok = ok && is(extent->map(file, 1000, cache), placement::absent, second - 1000);
  ok = ok && is(extent->map(file, second, cache), placement::absent, 512);
  ok = ok && is(extent->map(file, second + 512, cache), placement::stored, 512, 37 * 512);
  ok = ok && is(extent->map(file, second + 1023, cache), placement::stored, 1, 37 * 512 + 511);
  ok = ok && is(extent->map(file, second + 1024, cache), placement::zero, 512);
  return ok && is(extent->map(file, second + 99 * 512, cache), placement::absent, 512);
}
static_assert(lookups_find_what_is_there());

/// Grains of 8 sectors, the last of which the capacity cuts to 3.
constexpr bool the_last_grain_may_be_cut() {
  image_room room{};
  cowd_builder image(room, 2 * 8 + 3, 8);
  image.store(2, std::byte{0x22});
  const byte_view whole = image.file();
  const byte_view cut = whole.first(whole.size() - 5 * 512);
  watched_file file(cut);
  owned_cache<> memory;
  table_cache cache = memory.cache();
  const auto extent = open(file, cut);
  bool ok = is(extent->map(file, 0, cache), placement::absent, 4096);
  ok = ok && is(extent->map(file, 8192, cache), placement::stored, 1536, 37 * 512);
  ok = ok && is(extent->map(file, 8192 + 1535, cache), placement::stored, 1, 37 * 512 + 1535);
  const auto shorter = cowd_extent::open(file, cut.size() - 1, strictness::tolerant);
  ok = ok &&
       shorter->map(file, 8192, cache).error() == image_failure(errc::grain_past_end, 5 * 512 + 8);
  return ok;
}
static_assert(the_last_grain_may_be_cut());

/// An entry, and what a lookup of it says. The file has 200 sectors; the table is at 5 to 36.
struct bad_entry {
  std::uint32_t sector;
  errc tolerant;
  errc strict;
};
constexpr bad_entry grain_entries[] = {
    {0, errc::none, errc::none},
    {1, errc::none, errc::cowd_zeroed_grain},
    {2, errc::grain_below_overhead, errc::grain_below_overhead},
    {3, errc::grain_below_overhead, errc::grain_below_overhead},
    {4, errc::grain_below_overhead, errc::grain_below_overhead},
    {37, errc::none, errc::none},
    {196, errc::none, errc::none},
    {197, errc::grain_past_end, errc::grain_past_end},
    {200, errc::grain_past_end, errc::grain_past_end},
    {0x00800025, errc::grain_past_end, errc::grain_past_end},
    {0xFFFFFFFF, errc::grain_past_end, errc::grain_past_end},
};
constexpr bad_entry directory_entries[] = {
    {0, errc::none, errc::none},
    {1, errc::directory_entry_invalid, errc::directory_entry_invalid},
    {3, errc::directory_entry_invalid, errc::directory_entry_invalid},
    {4, errc::directory_entry_invalid, errc::directory_entry_invalid},
    {5, errc::none, errc::none},
    {168, errc::none, errc::none},
    {169, errc::directory_entry_invalid, errc::directory_entry_invalid},
    {0x00800005, errc::directory_entry_invalid, errc::directory_entry_invalid},
    {0xFFFFFFFF, errc::directory_entry_invalid, errc::directory_entry_invalid},
};

using bad_room = std::array<std::byte, std::size_t{200} * 512>;

constexpr failure looked_up(byte_view image, strictness mode) {
  watched_file file(image);
  owned_cache<> memory;
  table_cache cache = memory.cache();
  const auto extent = open(file, image, mode);
  if (!extent) return extent.error();
  // The neighbour is good, before and after.
  const bool before = extent->map(file, 0, cache).ok();
  const failure seen = extent->map(file, 7 * 4 * 512, cache).error();
  const bool after = extent->map(file, 0, cache).ok();
  if (seen && seen.code != errc::directory_entry_invalid && !(before && after)) return {};
  return seen;
}

constexpr bool grain_entry_holds(const bad_entry& e, strictness mode) {
  bad_room room{};
  cowd_builder image(room, 100, 4);
  image.set_entry(7, e.sector);
  const errc wanted = mode == strictness::strict ? e.strict : e.tolerant;
  return looked_up(room, mode) ==
         (wanted == errc::none ? no_failure : image_failure(wanted, image.entry_at(7)));
}

constexpr bool directory_entry_holds(const bad_entry& e, strictness mode) {
  bad_room room{};
  cowd_builder image(room, 100, 4);
  image.set_directory_entry(0, e.sector);
  const errc wanted = mode == strictness::strict ? e.strict : e.tolerant;
  return looked_up(room, mode) ==
         (wanted == errc::none ? no_failure : image_failure(wanted, cowd_builder::directory_at));
}

constexpr bool entries_are_judged() {
  bool ok = true;
  for (const strictness mode : {strictness::tolerant, strictness::strict}) {
    for (const bad_entry& e : grain_entries) ok = ok && grain_entry_holds(e, mode);
    for (const bad_entry& e : directory_entries) ok = ok && directory_entry_holds(e, mode);
  }
  return ok;
}

TEST_CASE("each bad entry of a COWD extent is refused where it stands") {
  for (const strictness mode : {strictness::tolerant, strictness::strict}) {
    CAPTURE(mode == strictness::strict);
    for (const bad_entry& e : grain_entries) {
      CAPTURE(e.sector);
      CHECK(grain_entry_holds(e, mode));
    }
    for (const bad_entry& e : directory_entries) {
      CAPTURE(e.sector);
      CHECK(directory_entry_holds(e, mode));
    }
  }
  CHECK(entries_are_judged());
}

static_assert(grain_entry_holds(grain_entries[1], strictness::tolerant));
static_assert(grain_entry_holds(grain_entries[1], strictness::strict));
static_assert(grain_entry_holds(grain_entries[7], strictness::tolerant));
static_assert(directory_entry_holds(directory_entries[3], strictness::tolerant));

/// A directory far behind its usual place: what is in front of it may hold tables and grains.
constexpr bool metadata_is_kept_apart_wherever_it_is() {
  cowd_header h;
  h.start.num_sectors = 8u;
  h.start.grain_size = 4u;
  h.start.gd_offset = 60u;
  h.start.num_gd_entries = 1u;
  const cowd_extent extent(h.start, 200 * 512, strictness::tolerant);
  bool ok = extent.judge_grain(4, 0) == errc::none && extent.judge_grain(56, 0) == errc::none;
  ok = ok && extent.judge_grain(57, 0) == errc::grain_below_overhead;
  ok = ok && extent.judge_grain(60, 0) == errc::grain_below_overhead;
  ok = ok && extent.judge_grain(61, 0) == errc::none;
  ok = ok && !extent.may_hold_table(3) && extent.may_hold_table(4) && extent.may_hold_table(28);
  ok = ok && !extent.may_hold_table(29) && !extent.may_hold_table(60);
  return ok && extent.may_hold_table(61) && extent.may_hold_table(168) &&
         !extent.may_hold_table(169);
}
static_assert(metadata_is_kept_apart_wherever_it_is());

/// The largest disk there is: nothing wraps at 32 bits.
constexpr bool the_largest_disk_is_mapped() {
  cowd_header h;
  h.start.num_sectors = 0xFFFFFFFFu;
  h.start.grain_size = 2048u;
  const cowd_extent extent(h.start, std::uint64_t{1} << 42, strictness::tolerant);
  bool ok = extent.capacity_bytes() == std::uint64_t{0xFFFFFFFF} << 9;
  ok = ok && extent.grain_count() == 1u << 21 && extent.table_count() == 512;
  ok = ok && extent.judge_grain(0xFFFFFFFF, (1u << 21) - 1) == errc::none;
  const std::array<std::byte, 4096> zeros{};
  watched_file file(zeros);
  owned_cache<> memory;
  table_cache cache = memory.cache();
  constexpr std::uint64_t table_bytes = std::uint64_t{1} << 32;
  ok = ok && is(extent.map(file, 0, cache), placement::absent, table_bytes);
  return ok && is(extent.map(file, extent.capacity_bytes() - 1, cache), placement::absent, 1);
}
static_assert(the_largest_disk_is_mapped());

constexpr bool opening_tells_what_is_wrong() {
  image_room room{};
  cowd_builder image(room, 100);
  const byte_view whole = image.file();
  watched_file file(whole);
  bool ok = cowd_extent::open(file, 2047, strictness::tolerant).error() ==
            image_failure(errc::header_truncated, 0);
  ok = ok && file.reads == 0 && open(file, whole, strictness::strict).ok();
  image.put(1648, 1);
  ok = ok && open(file, whole).ok();
  ok = ok &&
       open(file, whole, strictness::strict).error() == image_failure(errc::unclean_shutdown, 1648);
  image.put(4, 3);
  return ok && open(file, whole).error() == image_failure(errc::cowd_version_unsupported, 4);
}
static_assert(opening_tells_what_is_wrong());

constexpr bool failures_of_the_file_come_back() {
  image_room room{};
  cowd_builder image(room, 4196);
  image.store(0, std::byte{1});
  image.store(4100, std::byte{2});
  bool ok = true;
  for (const int failing : {1, 2, 3, 4}) {
    watched_file file(image.file());
    file.failing_read = failing;
    owned_cache<> memory;
    table_cache cache = memory.cache();
    const auto extent = open(file, image.file());
    if (failing <= 2) {
      ok = ok && extent.error() == file.why && file.reads == failing;
      continue;
    }
    ok = ok && extent->map(file, 0, cache).error() == file.why && file.reads == failing;
    ok = ok && is(extent->map(file, 0, cache), placement::stored, 512, 37 * 512);
  }
  return ok;
}
static_assert(failures_of_the_file_come_back());

constexpr bool a_lookup_reads_no_more_than_it_must() {
  image_room room{};
  cowd_builder image(room, 4196);
  image.store(0, std::byte{1});
  image.store(4100, std::byte{2});
  watched_file file(image.file());
  owned_cache<> memory;
  table_cache cache = memory.cache();
  const auto extent = open(file, image.file());
  file.reads = 0;
  bool ok = extent->map(file, 0, cache).ok() && file.reads == 2;
  ok = ok && extent->map(file, 127 * 512, cache).ok() && file.reads == 2;
  ok = ok && extent->map(file, 128 * 512, cache).ok() && file.reads == 3;
  return ok && extent->map(file, 4100 * 512, cache).ok() && file.reads == 4;
}
static_assert(a_lookup_reads_no_more_than_it_must());

TEST_CASE("COWD extents") {
  CHECK(lookups_find_what_is_there());
  CHECK(the_last_grain_may_be_cut());
  CHECK(metadata_is_kept_apart_wherever_it_is());
  CHECK(the_largest_disk_is_mapped());
  CHECK(opening_tells_what_is_wrong());
  CHECK(failures_of_the_file_come_back());
  CHECK(a_lookup_reads_no_more_than_it_must());
}

TEST_CASE("random COWD extents read as they were built, with any cache") {
  std::mt19937 random(20);
  for (int round = 0; round < 40; ++round) {
    const std::uint32_t grain_sectors = 1u << random() % 5;
    const std::uint32_t capacity = 1 + static_cast<std::uint32_t>(random() % 9000);
    const std::uint32_t grains = (capacity - 1) / grain_sectors + 1;
    std::vector<std::byte> room(std::size_t{200 + 3 * 32 + 40 * grain_sectors} * 512);
    cowd_builder image(room, capacity, grain_sectors);
    std::vector<std::byte> disk(std::size_t{grains} * grain_sectors * 512, support::absent_byte);
    for (int i = 0; i < 40; ++i) {
      const auto grain = static_cast<std::uint32_t>(random() % grains);
      auto fill = static_cast<std::byte>(random());
      if (random() % 4 == 0) {
        image.set_entry(grain, 1);
        fill = std::byte{0};
      } else {
        image.store(grain, fill);
      }
      const std::size_t grain_bytes = std::size_t{grain_sectors} * 512;
      for (std::size_t k = 0; k < grain_bytes; ++k) disk[grain * grain_bytes + k] = fill;
    }
    disk.resize(std::size_t{capacity} * 512);
    CAPTURE(round, grain_sectors, capacity);

    watched_file file(image.file());
    const auto extent = open(file, image.file());
    REQUIRE(extent.ok());
    owned_cache<> least;
    table_cache small = least.cache();
    CHECK(support::reads_as(disk, *extent, file, small));
    owned_cache<65536, 65536> ample;
    table_cache large = ample.cache();
    CHECK(support::reads_as(disk, *extent, file, large));
  }
}

}  // namespace

}  // namespace cowd_extent_test
