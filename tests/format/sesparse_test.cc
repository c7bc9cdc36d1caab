// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/format/sesparse.hpp"

#include <catch2/catch.hpp>
#include <iterator>
#include <utility>

#include "tests/format/header_rules.hpp"
#include "vmdk/format/sesparse_check.hpp"

namespace sesparse_test {
namespace {

using namespace vmdk;
using namespace header_testing;
using enum header_testing::verdict;

constexpr std::uint64_t most = ~std::uint64_t{0};
constexpr std::uint64_t file_sectors = 12288 + 204800;
constexpr std::uint64_t file_bytes = file_sectors * 512;

constexpr sesparse_region region(std::uint64_t offset, std::uint64_t size) {
  return {.offset = offset, .size = size};
}

/// The header that ESXi gives a disk of 100 MiB.
constexpr sesparse_header good_header() {
  sesparse_header h;
  h.capacity = std::uint64_t{204800};
  h.volatile_header = region(1, 1);
  h.journal_header = region(2, 2);
  h.journal = region(2048, 2048);
  h.grain_directory = region(4096, 2048);
  h.grain_tables = region(6144, 2048);
  h.free_bitmap = region(8192, 2048);
  h.backmap = region(10240, 2048);
  h.grains = region(12288, 204800);
  return h;
}

constexpr field magic{0, 8}, version{8, 8}, capacity{16, 8}, grain{24, 8}, table{32, 8},
    flags{40, 8}, reserved_1{48, 8}, reserved_2{56, 8}, reserved_3{64, 8}, reserved_4{72, 8},
    volatile_at{80, 8}, volatile_size{88, 8}, journal_header_at{96, 8}, journal_header_size{104, 8},
    journal_at{112, 8}, journal_size{120, 8}, directory_at{128, 8}, directory_size{136, 8},
    tables_at{144, 8}, tables_size{152, 8}, bitmap_at{160, 8}, bitmap_size{168, 8},
    backmap_at{176, 8}, backmap_size{184, 8}, grains_at{192, 8}, grains_size{200, 8},
    first_pad{208, 1}, last_pad{511, 1};

constexpr rule rules[] = {
    {magic, 0, errc::sesparse_magic_invalid, 0, refuses, refuses},
    {magic, 0xCAFECAFE, errc::sesparse_magic_invalid, 0, refuses, refuses},
    {magic, 0x1CAFEBABE, errc::sesparse_magic_invalid, 0, refuses, refuses},
    {version, 0, errc::sesparse_version_unsupported, 8, refuses, refuses},
    {version, 0x200000000, errc::sesparse_version_unsupported, 8, refuses, refuses},
    {version, 0x200000002, errc::sesparse_version_unsupported, 8, refuses, refuses},
    {version, 0x100000002, errc::sesparse_version_unsupported, 8, refuses, refuses},
    {grain, 0, errc::sesparse_grain_size_invalid, 24, refuses, refuses},
    {grain, 7, errc::sesparse_grain_size_invalid, 24, refuses, refuses},
    {grain, 16, errc::sesparse_grain_size_invalid, 24, refuses, refuses},
    {grain, 2048, errc::sesparse_grain_size_invalid, 24, refuses, refuses},
    {table, 0, errc::sesparse_table_size_invalid, 32, refuses, refuses},
    {table, 32, errc::sesparse_table_size_invalid, 32, refuses, refuses},
    {table, most, errc::sesparse_table_size_invalid, 32, refuses, refuses},
    {flags, 1, errc::sesparse_flags_unknown, 40, refuses, refuses},
    {flags, std::uint64_t{1} << 63, errc::sesparse_flags_unknown, 40, refuses, refuses},
    {reserved_1, 0x200, errc::sesparse_reserved_unusual, 48, accepts, refuses},
    {reserved_1, 1, errc::sesparse_reserved_not_zero, 48, refuses, refuses},
    {reserved_1, 0x201, errc::sesparse_reserved_not_zero, 48, refuses, refuses},
    {reserved_2, 0x200, errc::sesparse_reserved_not_zero, 56, refuses, refuses},
    {reserved_3, 1, errc::sesparse_reserved_not_zero, 64, refuses, refuses},
    {reserved_4, std::uint64_t{1} << 63, errc::sesparse_reserved_not_zero, 72, refuses, refuses},
    {first_pad, 1, errc::sesparse_reserved_not_zero, 208, refuses, refuses},
    {last_pad, 0x80, errc::sesparse_reserved_not_zero, 208, refuses, refuses},

    {capacity, 0, errc::capacity_zero, 16, refuses, refuses},
    {capacity, 204801, errc::capacity_not_whole_grains, 16, accepts, refuses},
    {capacity, 204808, errc::none, 0, accepts, accepts},
    {capacity, std::uint64_t{1} << 32, errc::none, 0, accepts, accepts},
    {capacity, (std::uint64_t{1} << 32) + 8, errc::sesparse_region_too_small, 136, refuses,
     refuses},
    {capacity, std::uint64_t{1} << 37, errc::sesparse_region_too_small, 136, refuses, refuses},
    {capacity, (std::uint64_t{1} << 37) + 8, errc::capacity_too_large, 16, refuses, refuses},
    {capacity, most, errc::capacity_too_large, 16, refuses, refuses},

    // Places: inside the file ...
    {volatile_at, file_sectors, errc::sesparse_region_outside_file, 80, refuses, refuses},
    {volatile_at, most, errc::sesparse_region_outside_file, 80, refuses, refuses},
    {volatile_size, 0, errc::sesparse_region_too_small, 88, refuses, refuses},
    {volatile_size, file_sectors, errc::sesparse_region_outside_file, 80, refuses, refuses},
    {journal_header_at, most, errc::sesparse_region_outside_file, 96, refuses, refuses},
    {journal_header_size, most, errc::sesparse_region_outside_file, 96, refuses, refuses},
    {journal_header_size, 0, errc::none, 0, accepts, accepts},
    {journal_at, most, errc::sesparse_region_outside_file, 112, refuses, refuses},
    {journal_size, most, errc::sesparse_region_outside_file, 112, refuses, refuses},
    {journal_size, 0, errc::none, 0, accepts, accepts},
    {directory_at, most, errc::sesparse_region_outside_file, 128, refuses, refuses},
    {directory_size, most, errc::sesparse_region_outside_file, 128, refuses, refuses},
    {directory_size, 0, errc::sesparse_region_too_small, 136, refuses, refuses},
    {directory_size, 1, errc::none, 0, accepts, accepts},
    {tables_at, most, errc::sesparse_region_outside_file, 144, refuses, refuses},
    {tables_size, most, errc::sesparse_region_outside_file, 144, refuses, refuses},
    {tables_size, 0, errc::none, 0, accepts, accepts},
    {bitmap_at, most, errc::sesparse_region_outside_file, 160, refuses, refuses},
    {bitmap_size, file_sectors, errc::sesparse_region_outside_file, 160, refuses, refuses},
    {backmap_at, file_sectors - 2047, errc::sesparse_region_outside_file, 176, refuses, refuses},
    {backmap_size, most, errc::sesparse_region_outside_file, 176, refuses, refuses},
    {grains_at, file_sectors + 1, errc::sesparse_region_outside_file, 192, refuses, refuses},
    {grains_at, file_sectors, errc::sesparse_grains_outside_file, 192, accepts, refuses},
    {grains_at, 12289, errc::sesparse_grains_outside_file, 192, accepts, refuses},
    {grains_size, 204801, errc::sesparse_grains_outside_file, 192, accepts, refuses},
    {grains_size, (std::uint64_t{1} << 54) - 12288, errc::sesparse_grains_outside_file, 192,
     accepts, refuses},
    {grains_size, (std::uint64_t{1} << 54) - 12287, errc::sesparse_region_outside_file, 192,
     refuses, refuses},
    {grains_size, most, errc::sesparse_region_outside_file, 192, refuses, refuses},
    {grains_size, 0, errc::none, 0, accepts, accepts},

    // ... and apart.
    {volatile_at, 0, errc::sesparse_region_overlap, 80, refuses, refuses},
    {volatile_at, 2, errc::sesparse_region_overlap, 96, refuses, refuses},
    {volatile_size, 2, errc::sesparse_region_overlap, 96, refuses, refuses},
    {journal_header_at, 1, errc::sesparse_region_overlap, 96, refuses, refuses},
    {journal_header_size, 2047, errc::sesparse_region_overlap, 112, refuses, refuses},
    {journal_header_size, 2046, errc::none, 0, accepts, accepts},
    {journal_at, 3, errc::sesparse_region_overlap, 112, refuses, refuses},
    {journal_size, 2049, errc::sesparse_region_overlap, 128, refuses, refuses},
    {directory_at, 4095, errc::sesparse_region_overlap, 128, refuses, refuses},
    {directory_size, 2049, errc::sesparse_region_overlap, 144, refuses, refuses},
    {tables_at, 6143, errc::sesparse_region_overlap, 144, refuses, refuses},
    {tables_size, 2049, errc::sesparse_region_overlap, 160, refuses, refuses},
    {bitmap_size, 2049, errc::sesparse_region_overlap, 176, refuses, refuses},
    {backmap_at, 8192, errc::sesparse_region_overlap, 176, refuses, refuses},
    {backmap_size, 2049, errc::sesparse_region_overlap, 192, refuses, refuses},
    {grains_at, 12287, errc::sesparse_region_overlap, 192, refuses, refuses},
    {grains_at, 0, errc::sesparse_region_overlap, 192, refuses, refuses},
};

constexpr bool holds(const rule& r) {
  const sesparse_header h = decode_sesparse_header(with(encode(good_header()), r.changed, r.value));
  errc reported = errc::none;
  std::uint64_t offset = 0;
  std::size_t count = 0;
  const bool usable = check_sesparse_header(h, file_bytes, [&](errc code, std::uint64_t at) {
    reported = code;
    offset = at;
    ++count;
    return true;
  });
  return reported == r.reported && offset == r.offset && count == (r.reported != errc::none) &&
         usable == (r.tolerant == accepts) &&
         validate(h, file_bytes, strictness::tolerant) == expected(r, r.tolerant) &&
         validate(h, file_bytes, strictness::strict) == expected(r, r.strict);
}

// Each rule is a constant expression of its own, since compilers count the steps of each.
template <std::size_t N>
constexpr bool rule_holds = holds(rules[N]);

template <std::size_t... N>
constexpr bool every_rule_holds(std::index_sequence<N...>) {
  return (rule_holds<N> && ...);
}
static_assert(every_rule_holds(std::make_index_sequence<std::size(rules)>{}));

constexpr bool empty_regions_lie_on_nothing() {
  using detail::overlap;
  return overlap(region(4, 4), region(7, 4)) && overlap(region(7, 4), region(4, 4)) &&
         overlap(region(4, 4), region(5, 1)) && !overlap(region(4, 4), region(8, 4)) &&
         !overlap(region(8, 4), region(4, 4)) && !overlap(region(4, 4), region(5, 0)) &&
         !overlap(region(5, 0), region(4, 4));
}
static_assert(empty_regions_lie_on_nothing());
TEST_CASE("regions overlap where they share a sector") { CHECK(empty_regions_lie_on_nothing()); }

TEST_CASE("each rule about a seSparse header is reported at its field") {
  for (const rule& r : rules) {
    CAPTURE(r.changed.offset, r.value);
    CHECK(holds(r));
  }
}

constexpr std::uint64_t header_at = 512;
constexpr field volatile_magic{0, 8}, free_table{8, 8}, sequence{16, 8}, replay{24, 8},
    volatile_first_pad{32, 1};

constexpr rule volatile_rules[] = {
    {volatile_magic, 0, errc::sesparse_volatile_magic_invalid, 512, refuses, refuses},
    {volatile_magic, 0xCAFEBABE, errc::sesparse_volatile_magic_invalid, 512, refuses, refuses},
    {free_table, most, errc::none, 0, accepts, accepts},
    {sequence, most, errc::none, 0, accepts, accepts},
    {replay, 1, errc::sesparse_dirty, 536, refuses, refuses},
    {replay, std::uint64_t{1} << 63, errc::sesparse_dirty, 536, refuses, refuses},
    {volatile_first_pad, 1, errc::sesparse_reserved_not_zero, 544, refuses, refuses},
    {last_pad, 1, errc::sesparse_reserved_not_zero, 544, refuses, refuses},
};

constexpr bool holds_for_volatile(const rule& r) {
  const sesparse_volatile_header h =
      decode_sesparse_volatile_header(with(encode(sesparse_volatile_header{}), r.changed, r.value));
  std::size_t count = 0;
  const bool usable =
      check_sesparse_volatile_header(h, header_at, [&](errc, std::uint64_t) { return ++count; });
  return usable == (r.tolerant == accepts) && count == (r.reported != errc::none) &&
         validate(h, header_at, strictness::tolerant) == expected(r, r.tolerant) &&
         validate(h, header_at, strictness::strict) == expected(r, r.strict);
}

constexpr bool every_volatile_rule_holds() {
  for (const rule& r : volatile_rules) {
    if (!holds_for_volatile(r)) return false;
  }
  return true;
}
static_assert(every_volatile_rule_holds());

TEST_CASE("each rule about a seSparse volatile header is reported at its field") {
  for (const rule& r : volatile_rules) {
    CAPTURE(r.changed.offset, r.value);
    CHECK(holds_for_volatile(r));
  }
}

constexpr bool a_good_header_breaks_no_rule() {
  const sesparse_header h = good_header();
  return check_sesparse_header(h, file_bytes, [](errc, std::uint64_t) { return false; }) &&
         !validate(h, file_bytes, strictness::strict);
}
static_assert(a_good_header_breaks_no_rule());

/// Regions may stand in any order, right behind one another.
constexpr bool regions_may_stand_in_any_order() {
  sesparse_header h = good_header();
  h.backmap = region(4, 2044);
  bool ok = !validate(h, file_bytes, strictness::strict);
  h.backmap = region(4, 2045);
  return ok && validate(h, file_bytes, strictness::tolerant) ==
                   image_failure(errc::sesparse_region_overlap, 176);
}
static_assert(regions_may_stand_in_any_order());

/// Files grow as grains are written: what is in front of the grains must be there, no more.
constexpr bool a_short_file_is_refused() {
  const sesparse_header h = good_header();
  const failure truncated = image_failure(errc::header_truncated, 0);
  bool ok = validate(h, 0, strictness::tolerant) == truncated;
  ok = ok && validate(h, 511, strictness::tolerant) == truncated;
  ok = ok && validate(h, 512, strictness::tolerant) ==
                 image_failure(errc::sesparse_region_outside_file, 80);
  ok = ok && validate(h, 12288 * 512 - 1, strictness::tolerant) ==
                 image_failure(errc::sesparse_region_outside_file, 176);
  ok = ok && !validate(h, 12288 * 512, strictness::tolerant);
  return ok && validate(h, file_bytes - 1, strictness::strict) ==
                   image_failure(errc::sesparse_grains_outside_file, 192);
}
static_assert(a_short_file_is_refused());

constexpr bool all_that_is_broken_is_reported_once() {
  sesparse_header h = good_header();
  h.version = std::uint64_t{1};
  h.flags = std::uint64_t{1};
  h.reserved[3] = std::uint64_t{1};
  h.capacity = std::uint64_t{0};
  h.backmap = h.free_bitmap;
  h.grains = h.free_bitmap;
  std::size_t all = 0;
  std::size_t until_stopped = 0;
  check_sesparse_header(h, file_bytes, [&](errc, std::uint64_t) { return ++all != 0; });
  check_sesparse_header(h, file_bytes, [&](errc, std::uint64_t) { return ++until_stopped < 2; });
  sesparse_volatile_header v;
  v.replay_journal = std::uint64_t{1};
  v.pad[0] = std::byte{1};
  std::size_t in_volatile = 0;
  check_sesparse_volatile_header(v, 0, [&](errc, std::uint64_t) { return ++in_volatile != 0; });
  return all == 6 && until_stopped == 2 && in_volatile == 2;
}
static_assert(all_that_is_broken_is_reported_once());

/// Where SPEC 11 has each number, taken apart by hand from bytes that count.
constexpr bool every_field_is_in_its_place() {
  sesparse_header_image bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i % 251);
  const auto at = [](std::size_t offset) {
    std::uint64_t value = 0;
    for (std::size_t i = 8; i-- > 0;) value = value << 8 | (offset + i) % 251;
    return value;
  };
  const auto region_is_at = [&](const sesparse_region& r, std::size_t offset) {
    return r.offset == at(offset) && r.size == at(offset + 8);
  };
  const sesparse_header h = decode_sesparse_header(bytes);
  bool ok = h.magic == at(0) && h.version == at(8) && h.capacity == at(16);
  ok = ok && h.grain_size == at(24) && h.grain_table_size == at(32) && h.flags == at(40);
  ok = ok && h.reserved[0] == at(48) && h.reserved[3] == at(72);
  ok = ok && region_is_at(h.volatile_header, 80) && region_is_at(h.journal_header, 96);
  ok = ok && region_is_at(h.journal, 112) && region_is_at(h.grain_directory, 128);
  ok = ok && region_is_at(h.grain_tables, 144) && region_is_at(h.free_bitmap, 160);
  ok = ok && region_is_at(h.backmap, 176) && region_is_at(h.grains, 192);
  ok = ok && h.pad[0] == bytes[208] && h.pad[303] == bytes[511];
  const sesparse_volatile_header v = decode_sesparse_volatile_header(bytes);
  ok = ok && v.magic == at(0) && v.free_gt_number == at(8) && v.next_txn_seq_number == at(16);
  ok = ok && v.replay_journal == at(24) && v.pad[0] == bytes[32] && v.pad[479] == bytes[511];
  return ok && encode(h) == bytes && encode(v) == bytes;
}
static_assert(every_field_is_in_its_place());

constexpr bool entries_say_what_the_format_says() {
  bool ok = sesparse_entry_kind(0) == sesparse_grain::absent;
  ok = ok && sesparse_entry_kind(1) == sesparse_grain::invalid;
  ok = ok && sesparse_entry_kind(0x0FFFFFFFFFFFFFFF) == sesparse_grain::invalid;
  ok = ok && sesparse_entry_kind(0x1000000000000000) == sesparse_grain::unmapped;
  ok = ok && sesparse_entry_kind(0x1000000000000007) == sesparse_grain::unmapped;
  ok = ok && sesparse_entry_kind(0x2000000000000000) == sesparse_grain::zero;
  ok = ok && sesparse_entry_kind(0x3000000000000000) == sesparse_grain::stored;
  ok = ok && sesparse_entry_kind(0x4000000000000000) == sesparse_grain::invalid;
  ok = ok && sesparse_entry_kind(0xF000000000000000) == sesparse_grain::invalid;

  ok = ok && sesparse_entry_grain(0x3000000000000000) == 0;
  ok = ok && sesparse_entry_grain(0x3001000000000000) == 1;
  ok = ok && sesparse_entry_grain(0x3FFF000000000000) == 4095;
  ok = ok && sesparse_entry_grain(0x3000000000000001) == 4096;
  ok = ok && sesparse_entry_grain(0x3123000000000456) == 0x456123;
  ok = ok && sesparse_entry_grain(0x3FFFFFFFFFFFFFFF) == 0x0FFFFFFFFFFFFFFF;

  ok = ok && sesparse_entry_names_table(0x1000000000000000);
  ok = ok && sesparse_entry_names_table(0x10000000FFFFFFFF);
  ok = ok && !sesparse_entry_names_table(0) && !sesparse_entry_names_table(1);
  ok = ok && !sesparse_entry_names_table(0x1000000100000000);
  return ok && !sesparse_entry_names_table(0x3000000000000000);
}
static_assert(entries_say_what_the_format_says());

static_assert(sesparse_table_count(1) == 1);
static_assert(sesparse_table_count(32768) == 1);
static_assert(sesparse_table_count(32769) == 2);
static_assert(sesparse_table_count(204800) == 7);

TEST_CASE("seSparse headers") {
  CHECK(a_good_header_breaks_no_rule());
  CHECK(regions_may_stand_in_any_order());
  CHECK(a_short_file_is_refused());
  CHECK(all_that_is_broken_is_reported_once());
  CHECK(every_field_is_in_its_place());
  CHECK(entries_say_what_the_format_says());
}

}  // namespace

}  // namespace sesparse_test
