// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/format/cowd.hpp"

#include <catch2/catch.hpp>

#include "tests/format/header_rules.hpp"
#include "vmdk/format/cowd_check.hpp"

namespace cowd_test {
namespace {

using namespace vmdk;
using namespace header_testing;
using enum header_testing::verdict;

constexpr std::uint64_t file_sectors = 200;
constexpr std::uint64_t file_bytes = file_sectors * 512;

/// A header that breaks no rule, for a file of file_bytes: three tables of grains of two sectors.
constexpr cowd_header good_header() {
  cowd_header h;
  h.start.num_sectors = std::uint32_t{3 * 8192};
  h.start.grain_size = 2u;
  h.start.num_gd_entries = 3u;
  h.start.free_sector = 5u;
  return h;
}

constexpr field magic{0, 4}, version{4, 4}, flags{8, 4}, capacity{12, 4}, grain{16, 4},
    directory{20, 4}, entries{24, 4}, free_sector{28, 4}, unclean{1648, 4}, first_pad{1652, 1},
    last_pad{2047, 1};

constexpr cowd_header with(const cowd_header& header, field f, std::uint64_t value) {
  return decode_cowd_header(header_testing::with(encode(header), f, value));
}

constexpr rule rules[] = {
    {magic, 0, errc::cowd_magic_invalid, 0, refuses, refuses},
    {magic, 0x564D444B, errc::cowd_magic_invalid, 0, refuses, refuses},
    {magic, 0x434F5744, errc::cowd_magic_invalid, 0, refuses, refuses},

    {version, 0, errc::cowd_version_unsupported, 4, refuses, refuses},
    {version, 2, errc::cowd_version_unsupported, 4, refuses, refuses},
    {version, 3, errc::cowd_version_unsupported, 4, refuses, refuses},
    {version, 0x01000001, errc::cowd_version_unsupported, 4, refuses, refuses},

    {flags, 0, errc::cowd_flags_invalid, 8, refuses, refuses},
    {flags, 1, errc::cowd_flags_invalid, 8, refuses, refuses},
    {flags, 7, errc::cowd_flags_invalid, 8, refuses, refuses},
    {flags, 0x1B, errc::cowd_flags_invalid, 8, refuses, refuses},
    {flags, 0x80000003, errc::cowd_flags_invalid, 8, refuses, refuses},

    {capacity, 0, errc::capacity_zero, 12, refuses, refuses},
    {capacity, 2 * 8192 + 1, errc::capacity_not_whole_grains, 12, accepts, refuses},
    {capacity, 2 * 8192 + 2, errc::none, 0, accepts, accepts},
    {capacity, 2 * 8192, errc::cowd_directory_size_invalid, 24, refuses, refuses},
    {capacity, 3 * 8192 + 2, errc::cowd_directory_size_invalid, 24, refuses, refuses},
    {capacity, 0xFFFFFFFE, errc::cowd_directory_size_invalid, 24, refuses, refuses},

    {grain, 0, errc::cowd_grain_size_invalid, 16, refuses, refuses},
    {grain, 3, errc::cowd_grain_size_invalid, 16, refuses, refuses},
    {grain, 1, errc::cowd_directory_size_invalid, 24, refuses, refuses},
    {grain, 4, errc::cowd_directory_size_invalid, 24, refuses, refuses},
    {grain, 2048, errc::cowd_directory_size_invalid, 24, refuses, refuses},
    {grain, 4096, errc::cowd_grain_size_invalid, 16, refuses, refuses},
    {grain, 0x80000000, errc::cowd_grain_size_invalid, 16, refuses, refuses},

    {entries, 0, errc::cowd_directory_size_invalid, 24, refuses, refuses},
    {entries, 2, errc::cowd_directory_size_invalid, 24, refuses, refuses},
    {entries, 4, errc::cowd_directory_size_invalid, 24, refuses, refuses},
    {entries, 0xFFFFFFFF, errc::cowd_directory_size_invalid, 24, refuses, refuses},

    {directory, 0, errc::directory_overlap, 20, refuses, refuses},
    {directory, 3, errc::directory_overlap, 20, refuses, refuses},
    {directory, 5, errc::cowd_free_sector_invalid, 28, accepts, refuses},
    {directory, file_sectors - 1, errc::cowd_free_sector_invalid, 28, accepts, refuses},
    {directory, file_sectors, errc::directory_offset_invalid, 20, refuses, refuses},
    {directory, 0x00800004, errc::directory_offset_invalid, 20, refuses, refuses},
    {directory, 0xFFFFFFFF, errc::directory_offset_invalid, 20, refuses, refuses},

    {free_sector, 0, errc::cowd_free_sector_invalid, 28, accepts, refuses},
    {free_sector, 4, errc::cowd_free_sector_invalid, 28, accepts, refuses},
    {free_sector, 5, errc::none, 0, accepts, accepts},
    {free_sector, file_sectors, errc::none, 0, accepts, accepts},
    {free_sector, file_sectors + 1, errc::cowd_free_sector_invalid, 28, accepts, refuses},

    {unclean, 1, errc::unclean_shutdown, 1648, accepts, refuses},
    {unclean, 0x01000000, errc::unclean_shutdown, 1648, accepts, refuses},
    {first_pad, 1, errc::header_padding_not_zero, 1652, accepts, refuses},
    {last_pad, 0x80, errc::header_padding_not_zero, 1652, accepts, refuses},

    // What nobody reads may be anything: parent name, generations, name, description, reserved.
    {{32, 4}, 0xFFFFFFFF, errc::none, 0, accepts, accepts},
    {{1055, 1}, 0xFF, errc::none, 0, accepts, accepts},
    {{1056, 8}, ~std::uint64_t{0}, errc::none, 0, accepts, accepts},
    {{1064, 1}, 0xFF, errc::none, 0, accepts, accepts},
    {{1640, 8}, ~std::uint64_t{0}, errc::none, 0, accepts, accepts},
};

constexpr bool holds(const rule& r) {
  const cowd_header h = with(good_header(), r.changed, r.value);
  errc reported = errc::none;
  std::uint64_t offset = 0;
  std::size_t count = 0;
  const bool usable = check_cowd_header(h, file_bytes, [&](errc code, std::uint64_t at) {
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

constexpr bool every_rule_holds() {
  for (const rule& r : rules) {
    if (!holds(r)) return false;
  }
  return true;
}
static_assert(every_rule_holds());

TEST_CASE("each rule about a COWD header is reported at its field") {
  for (const rule& r : rules) {
    CAPTURE(r.changed.offset, r.value);
    CHECK(holds(r));
  }
}

constexpr bool a_good_header_breaks_no_rule() {
  const cowd_header h = good_header();
  return check_cowd_header(h, file_bytes, [](errc, std::uint64_t) { return false; }) &&
         !validate(h, file_bytes, strictness::strict);
}
static_assert(a_good_header_breaks_no_rule());

/// Where every other figure fits: the largest disk with the smallest and with the largest grain.
constexpr bool the_largest_disks_are_taken() {
  cowd_header h = good_header();
  h.start.num_sectors = 0xFFFFFFFFu;
  h.start.grain_size = 1u;
  h.start.num_gd_entries = std::uint32_t{1} << 20;
  h.start.free_sector = 4u + 8192u;
  const std::uint64_t needed_bytes = (4 + 8192) * std::uint64_t{512};
  bool ok = !validate(h, needed_bytes, strictness::strict);
  ok = ok && validate(h, needed_bytes - 1, strictness::tolerant) ==
                 image_failure(errc::directory_offset_invalid, 20);
  h.start.num_sectors = 0xFFFFF800u;
  h.start.grain_size = 2048u;
  h.start.num_gd_entries = 512u;
  h.start.free_sector = 8u;
  return ok && !validate(h, 8 * 512, strictness::strict);
}
static_assert(the_largest_disks_are_taken());

constexpr bool a_short_file_is_refused() {
  const cowd_header h = good_header();
  const failure truncated = image_failure(errc::header_truncated, 0);
  bool ok = validate(h, 0, strictness::tolerant) == truncated;
  ok = ok && validate(h, 2047, strictness::tolerant) == truncated;
  ok = ok &&
       validate(h, 2048, strictness::tolerant) == image_failure(errc::directory_offset_invalid, 20);
  ok = ok &&
       validate(h, 2059, strictness::tolerant) == image_failure(errc::directory_offset_invalid, 20);
  // An empty disk whose file ends with the directory's last entry.
  return ok && !validate(h, 2060, strictness::strict);
}
static_assert(a_short_file_is_refused());

constexpr bool all_that_is_broken_is_reported_once() {
  cowd_header h = good_header();
  h.start.version = 9u;
  h.start.flags = 9u;
  h.start.num_sectors = 0u;
  h.start.grain_size = 0u;
  h.end.unclean_shutdown = 1u;
  h.end.padding[7] = std::byte{1};
  std::size_t all = 0;
  std::size_t until_stopped = 0;
  check_cowd_header(h, file_bytes, [&](errc, std::uint64_t) { return ++all != 0; });
  check_cowd_header(h, file_bytes, [&](errc, std::uint64_t) { return ++until_stopped < 2; });
  return all == 6 && until_stopped == 2;
}
static_assert(all_that_is_broken_is_reported_once());

/// Where SPEC 10 has each number, taken apart by hand from bytes that count.
constexpr bool every_field_is_in_its_place() {
  cowd_header_image bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i % 251);
  const auto at = [](std::size_t offset) {
    std::uint32_t value = 0;
    for (std::size_t i = 4; i-- > 0;) {
      value = value << 8 | static_cast<std::uint32_t>((offset + i) % 251);
    }
    return value;
  };
  const cowd_header h = decode_cowd_header(bytes.data());
  bool ok = h.start.magic_number == at(0) && h.start.version == at(4) && h.start.flags == at(8);
  ok = ok && h.start.num_sectors == at(12) && h.start.grain_size == at(16);
  ok = ok && h.start.gd_offset == at(20) && h.start.num_gd_entries == at(24);
  ok = ok && h.start.free_sector == at(28) && h.parent_file_name[0] == bytes[32];
  ok = ok && h.parent_generation == at(1056) && h.generation == at(1060);
  ok = ok && h.name[0] == bytes[1064] && h.description[0] == bytes[1124];
  ok = ok && h.end.saved_generation == at(1636) && h.end.reserved[0] == bytes[1640];
  ok = ok && h.end.unclean_shutdown == at(1648) && h.end.padding[0] == bytes[1652];
  ok = ok && h.end.padding[395] == bytes[2047];
  return ok && equal_bytes(encode(h).data(), bytes.data(), bytes.size());
}
static_assert(every_field_is_in_its_place());

constexpr bool a_new_header_has_the_constants_of_the_format() {
  const cowd_header_image bytes = encode(cowd_header{});
  constexpr unsigned char wanted[] = {0x43, 0x4F, 0x57, 0x44, 1, 0, 0, 0, 3, 0, 0, 0,
                                      0,    0,    0,    0,    1, 0, 0, 0, 4, 0, 0, 0};
  for (std::size_t i = 0; i < sizeof wanted; ++i) {
    if (bytes[i] != std::byte{wanted[i]}) return false;
  }
  return is_zero(bytes.data() + sizeof wanted, bytes.size() - sizeof wanted);
}
static_assert(a_new_header_has_the_constants_of_the_format());

static_assert(cowd_table_count(1, 1) == 1);
static_assert(cowd_table_count(4096, 1) == 1);
static_assert(cowd_table_count(4097, 1) == 2);
static_assert(cowd_table_count(0xFFFFFFFF, 1) == 1u << 20);
static_assert(cowd_table_count(0xFFFFFFFF, 2048) == 512);

TEST_CASE("COWD headers") {
  CHECK(a_good_header_breaks_no_rule());
  CHECK(the_largest_disks_are_taken());
  CHECK(a_short_file_is_refused());
  CHECK(all_that_is_broken_is_reported_once());
  CHECK(every_field_is_in_its_place());
  CHECK(a_new_header_has_the_constants_of_the_format());
}

}  // namespace

}  // namespace cowd_test
