// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/reader/sesparse_extent.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <random>
#include <vector>

#include "tests/support/read_extent.hpp"
#include "tests/support/sesparse_builder.hpp"

namespace sesparse_extent_test {
namespace {

using namespace vmdk;
using support::owned_cache;
using support::sesparse_builder;
using support::watched_file;

/// Memory for an image with two tables and eight grains: 204 sectors, of which the tables are 9 to
/// 136, the bitmap 137 to 138, the backmap 139 and the grains 140 to 203.
using image_room = std::array<std::byte, std::size_t{204} * 512>;
constexpr std::uint32_t tables_at = 9;
constexpr std::uint32_t grains_at = 140;

/// A disk of a table and a half.
constexpr std::uint64_t capacity = (4096 + 2048) * 8;
constexpr std::uint64_t second = std::uint64_t{4096} * 4096;

constexpr bool is(const result<mapping>& r, placement where, std::uint64_t bytes,
                  std::uint64_t file_offset = 0) {
  return r.ok() && r->where == where && r->bytes == bytes && r->file_offset == file_offset;
}

constexpr result<sesparse_extent> open(watched_file& file, byte_view image,
                                       strictness mode = strictness::tolerant) {
  return sesparse_extent::open(file, image.size(), mode);
}

constexpr bool lookups_find_what_is_there() {
  image_room room{};
  sesparse_builder image(room, capacity);
  image.store(4096 + 1, std::byte{0x11});
  image.store(4096 + 9, std::byte{0x22});
  image.set_entry(4096 + 2, std::uint64_t{1} << 60);
  image.set_entry(4096 + 3, std::uint64_t{2} << 60);
  watched_file file(image.file());
  owned_cache<> memory;
  table_cache cache = memory.cache();
  const auto extent = open(file, image.file(), strictness::strict);
  bool ok = extent.ok() && file.reads == 2 && image.file().size() == room.size();
  ok = ok && extent->capacity_bytes() == capacity * 512;
  ok = ok && extent->table_count() == 2 && extent->grain_count() == 4096 + 2048;

  constexpr std::uint64_t grains = std::uint64_t{grains_at} * 512;
  ok = ok && is(extent->map(file, 0, cache), placement::absent, second);
  ok = ok && is(extent->map(file, 5000, cache), placement::absent, second - 5000);
  ok = ok && is(extent->map(file, second, cache), placement::absent, 4096);
  ok = ok && is(extent->map(file, second + 4096, cache), placement::stored, 4096, grains);
  ok = ok && is(extent->map(file, second + 8191, cache), placement::stored, 1, grains + 4095);
  ok = ok && is(extent->map(file, second + 2 * 4096, cache), placement::zero, 4096);
  ok = ok && is(extent->map(file, second + 3 * 4096 + 1, cache), placement::zero, 4095);
  ok =
      ok && is(extent->map(file, second + 9 * 4096, cache), placement::stored, 4096, grains + 4096);
  return ok && is(extent->map(file, capacity * 512 - 1, cache), placement::absent, 1);
}
static_assert(lookups_find_what_is_there());

/// A missing table at the end of the disk is no longer than the disk.
constexpr bool an_absent_table_ends_with_the_disk() {
  image_room room{};
  sesparse_builder image(room, capacity);
  image.store(0, std::byte{1});
  watched_file file(image.file());
  owned_cache<> memory;
  table_cache cache = memory.cache();
  const auto extent = open(file, image.file());
  return is(extent->map(file, second, cache), placement::absent, capacity * 512 - second);
}
static_assert(an_absent_table_ends_with_the_disk());

/// The capacity cuts the last grain to three sectors, and so may the file.
constexpr bool the_last_grain_may_be_cut() {
  image_room room{};
  sesparse_builder image(room, 8 + 3);
  image.store(1, std::byte{0x22});
  const std::uint64_t grains = image.get(sesparse_builder::grains) * 512;
  watched_file file(room);
  owned_cache<> memory;
  table_cache cache = memory.cache();
  const auto extent = sesparse_extent::open(file, grains + 1536, strictness::tolerant);
  bool ok = is(extent->map(file, 4096, cache), placement::stored, 1536, grains);
  ok = ok && is(extent->map(file, 4096 + 1535, cache), placement::stored, 1, grains + 1535);
  const auto shorter = sesparse_extent::open(file, grains + 1535, strictness::tolerant);
  return ok && shorter->map(file, 4096, cache).error() ==
                   image_failure(errc::grain_past_end, image.entry_at(1));
}
static_assert(the_last_grain_may_be_cut());

/// An entry, and what a lookup of it says.
struct bad_entry {
  std::uint64_t entry;
  errc wanted;
};
constexpr bad_entry grain_entries[] = {
    {0, errc::none},
    {1, errc::sesparse_entry_invalid},
    {0x0001000000000000, errc::sesparse_entry_invalid},
    {0x0FFFFFFFFFFFFFFF, errc::sesparse_entry_invalid},
    {0x1000000000000000, errc::none},
    {0x1FFFFFFFFFFFFFFF, errc::none},
    {0x2000000000000000, errc::none},
    {0x3000000000000000, errc::none},
    {0x3007000000000000, errc::none},
    {0x3008000000000000, errc::grain_past_end},
    {0x3000000000000001, errc::grain_past_end},
    {0x3FFFFFFFFFFFFFFF, errc::grain_past_end},
    {0x4000000000000000, errc::sesparse_entry_invalid},
    {0x8000000000000000, errc::sesparse_entry_invalid},
    {0xFFFFFFFFFFFFFFFF, errc::sesparse_entry_invalid},
};
constexpr bad_entry directory_entries[] = {
    {0, errc::none},
    {0x1000000000000000, errc::none},
    {0x1000000000000001, errc::none},
    {0x1000000000000002, errc::directory_entry_invalid},
    {0x10000000FFFFFFFF, errc::directory_entry_invalid},
    {0x1000000100000000, errc::directory_entry_invalid},
    {0x1800000000000000, errc::directory_entry_invalid},
    {0x2000000000000000, errc::directory_entry_invalid},
    {0x3000000000000000, errc::directory_entry_invalid},
    {0x0000000000000001, errc::directory_entry_invalid},
    {0xFFFFFFFFFFFFFFFF, errc::directory_entry_invalid},
};

constexpr failure looked_up(byte_view image, std::uint64_t offset) {
  watched_file file(image);
  owned_cache<> memory;
  table_cache cache = memory.cache();
  const auto extent = open(file, image);
  return extent ? extent->map(file, offset, cache).error() : extent.error();
}

constexpr bool grain_entry_holds(const bad_entry& e) {
  image_room room{};
  sesparse_builder image(room, capacity);
  image.set_entry(7, e.entry);
  return looked_up(room, 6 * 4096) == no_failure &&
         looked_up(room, 7 * 4096) ==
             (e.wanted == errc::none ? no_failure : image_failure(e.wanted, image.entry_at(7)));
}

constexpr bool directory_entry_holds(const bad_entry& e) {
  image_room room{};
  sesparse_builder image(room, capacity);
  image.set_directory_entry(1, e.entry);
  return looked_up(room, 0) == no_failure &&
         looked_up(room, second) == (e.wanted == errc::none
                                         ? no_failure
                                         : image_failure(e.wanted, image.directory_entry_at(1)));
}

TEST_CASE("each bad entry of a seSparse extent is refused where it stands") {
  for (const bad_entry& e : grain_entries) {
    CAPTURE(e.entry);
    CHECK(grain_entry_holds(e));
  }
  for (const bad_entry& e : directory_entries) {
    CAPTURE(e.entry);
    CHECK(directory_entry_holds(e));
  }
}
static_assert(grain_entry_holds(grain_entries[1]));
static_assert(grain_entry_holds(grain_entries[9]));
static_assert(grain_entry_holds(grain_entries[11]));
static_assert(directory_entry_holds(directory_entries[3]));

/// Room for more grains than 12 bits count: the number's halves stand the other way round.
constexpr bool the_number_of_a_grain_is_put_together() {
  image_room room{};
  sesparse_builder image(room, capacity);
  image.put(sesparse_builder::grains + 8, std::uint64_t{1} << 40);
  image.set_entry(3, std::uint64_t{3} << 60 | std::uint64_t{0x123} << 48 | 0x456);
  watched_file file(room);
  owned_cache<> memory;
  table_cache cache = memory.cache();
  const std::uint64_t grain_at = (grains_at + std::uint64_t{0x456123} * 8) * 512;
  const auto extent = sesparse_extent::open(file, grain_at + 4096, strictness::tolerant);
  bool ok = is(extent->map(file, 3 * 4096, cache), placement::stored, 4096, grain_at);
  const auto shorter = sesparse_extent::open(file, grain_at + 4095, strictness::tolerant);
  return ok && shorter->map(file, 3 * 4096, cache).error() ==
                   image_failure(errc::grain_past_end, image.entry_at(3));
}
static_assert(the_number_of_a_grain_is_put_together());

/// A grain behind the room for grains is refused although the file goes on there.
constexpr bool grains_stay_in_their_room() {
  image_room room{};
  sesparse_builder image(room, capacity);
  image.put(sesparse_builder::grains + 8, 7 * 8);
  image.set_entry(0, sesparse_builder::stored_entry(6));
  image.set_entry(1, sesparse_builder::stored_entry(7));
  return looked_up(room, 0) == no_failure &&
         looked_up(room, 4096) == image_failure(errc::grain_past_end, image.entry_at(1));
}
static_assert(grains_stay_in_their_room());

/// No figure that a header may have makes a lookup wrap.
constexpr bool the_largest_disk_is_mapped() {
  sesparse_header h;
  h.capacity = sesparse_capacity_limit_sectors;
  h.grain_directory.offset = std::uint64_t{0};
  h.grains.offset = std::uint64_t{1} << 53;
  h.grains.size = std::uint64_t{1} << 53;
  const std::uint64_t file_bytes = std::uint64_t{1} << 63;
  const sesparse_extent extent(h, file_bytes);
  bool ok = extent.table_count() == 1u << 22;
  const std::uint64_t last = (std::uint64_t{1} << 50) - 1;
  ok = ok && extent.judge_grain(sesparse_builder::stored_entry(last), 0) == errc::none;
  ok = ok && extent.grain_offset_bytes(sesparse_builder::stored_entry(last)) == file_bytes - 4096;
  ok =
      ok && extent.judge_grain(sesparse_builder::stored_entry(last + 1), 0) == errc::grain_past_end;
  const std::array<std::byte, 512> zeros{};
  watched_file file(zeros);
  owned_cache<> memory;
  table_cache cache = memory.cache();
  return ok && is(extent.map(file, 1, cache), placement::absent, second - 1);
}
static_assert(the_largest_disk_is_mapped());

constexpr bool opening_tells_what_is_wrong() {
  image_room room{};
  sesparse_builder image(room, capacity);
  watched_file file(room);
  bool ok = sesparse_extent::open(file, 511, strictness::tolerant).error() ==
            image_failure(errc::header_truncated, 0);
  ok = ok && file.reads == 0 && open(file, room, strictness::strict).ok();
  image.put(512 + 24, 1);
  ok = ok && open(file, room).error() == image_failure(errc::sesparse_dirty, 512 + 24);
  image.put(512, 0);
  ok = ok && open(file, room).error() == image_failure(errc::sesparse_volatile_magic_invalid, 512);
  image.put(24, 16);
  return ok && open(file, room).error() == image_failure(errc::sesparse_grain_size_invalid, 24);
}
static_assert(opening_tells_what_is_wrong());

/// The volatile header is where the first one says.
constexpr bool the_volatile_header_may_be_elsewhere() {
  image_room room{};
  sesparse_builder image(room, capacity);
  image.put(sesparse_builder::volatile_header, 203);
  image.put(sesparse_builder::grains + 8, 7 * 8);
  watched_file file(room);
  bool ok =
      open(file, room).error() == image_failure(errc::sesparse_volatile_magic_invalid, 203 * 512);
  image.put(std::size_t{203} * 512, 0xCAFECAFE);
  return ok && open(file, room, strictness::strict).ok();
}
static_assert(the_volatile_header_may_be_elsewhere());

constexpr bool failures_of_the_file_come_back() {
  image_room room{};
  sesparse_builder image(room, capacity);
  image.store(0, std::byte{1});
  bool ok = true;
  for (const int failing : {1, 2, 3, 4}) {
    watched_file file(room);
    file.failing_read = failing;
    owned_cache<> memory;
    table_cache cache = memory.cache();
    const auto extent = open(file, room);
    if (failing <= 2) {
      ok = ok && extent.error() == file.why && file.reads == failing;
      continue;
    }
    ok = ok && extent->map(file, 0, cache).error() == file.why && file.reads == failing;
    ok = ok && is(extent->map(file, 0, cache), placement::stored, 4096, grains_at * 512);
  }
  return ok;
}
static_assert(failures_of_the_file_come_back());

constexpr bool a_lookup_reads_no_more_than_it_must() {
  image_room room{};
  sesparse_builder image(room, capacity);
  image.store(0, std::byte{1});
  image.store(4096, std::byte{2});
  watched_file file(room);
  owned_cache<> memory;
  table_cache cache = memory.cache();
  const auto extent = open(file, room);
  file.reads = 0;
  bool ok = extent->map(file, 0, cache).ok() && file.reads == 2;
  ok = ok && extent->map(file, 63 * 4096, cache).ok() && file.reads == 2;
  ok = ok && extent->map(file, 64 * 4096, cache).ok() && file.reads == 3;
  return ok && extent->map(file, second, cache).ok() && file.reads == 4;
}
static_assert(a_lookup_reads_no_more_than_it_must());

static_assert(tables_at + 2 * 64 + 2 + 1 == grains_at);

TEST_CASE("seSparse extents") {
  CHECK(lookups_find_what_is_there());
  CHECK(an_absent_table_ends_with_the_disk());
  CHECK(the_last_grain_may_be_cut());
  CHECK(the_number_of_a_grain_is_put_together());
  CHECK(grains_stay_in_their_room());
  CHECK(the_largest_disk_is_mapped());
  CHECK(opening_tells_what_is_wrong());
  CHECK(the_volatile_header_may_be_elsewhere());
  CHECK(failures_of_the_file_come_back());
  CHECK(a_lookup_reads_no_more_than_it_must());
}

TEST_CASE("random seSparse extents read as they were built, with any cache") {
  std::mt19937 random(21);
  for (int round = 0; round < 20; ++round) {
    const std::uint64_t sectors = 1 + random() % (3 * 32768);
    const std::uint64_t grains = (sectors - 1) / 8 + 1;
    std::vector<std::byte> room(std::size_t{600 + 40 * 8} * 512);
    sesparse_builder image(room, sectors, 3, 40);
    std::vector<std::byte> disk(grains * 4096, support::absent_byte);
    for (int i = 0; i < 40; ++i) {
      const std::uint64_t grain = random() % grains;
      auto fill = static_cast<std::byte>(random());
      if (random() % 4 == 0) {
        image.set_entry(grain, std::uint64_t{1 + random() % 2} << 60);
        fill = std::byte{0};
      } else {
        image.store(grain, fill);
      }
      for (std::size_t k = 0; k < 4096; ++k) disk[grain * 4096 + k] = fill;
    }
    disk.resize(sectors * 512);
    CAPTURE(round, sectors);

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

}  // namespace sesparse_extent_test
