// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>

#include "tests/support/cowd_builder.hpp"
#include "tests/support/sesparse_builder.hpp"
#include "tests/verify/rule_testing.hpp"

namespace esx_rules_test {
namespace {

using namespace verify_testing;

TEST_CASE("each rule of COWD extents is found where it is broken") {
  bytes room(std::size_t{1} << 20);
  support::cowd_builder image(room, 5001 * 2, 2);
  for (const std::uint32_t grain : {0u, 1u, 4095u, 4096u}) image.store(grain, std::byte{7});
  const bytes good(image.file().begin(), image.file().end());
  const auto first_table = static_cast<std::uint32_t>(get(good, 2048, 4));
  struct {
    std::uint64_t at;
    std::uint32_t value;
    errc code;
    severity level;
  } const rows[] = {
      {0, 0x44574F44, errc::magic_invalid, error},
      {4, 2, errc::cowd_version_unsupported, error},
      {8, 1, errc::cowd_flags_invalid, error},
      {12, 0, errc::capacity_zero, error},
      {12, 10001, errc::capacity_not_whole_grains, warning},
      {16, 3, errc::cowd_grain_size_invalid, error},
      {16, 4096, errc::cowd_grain_size_invalid, error},
      {20, 3, errc::directory_overlap, error},
      {20, 1u << 30, errc::directory_offset_invalid, error},
      {24, 3, errc::cowd_directory_size_invalid, error},
      {28, 1, errc::cowd_free_sector_invalid, warning},
      {1648, 1, errc::unclean_shutdown, severity::unclean},
      {2048, 3, errc::directory_entry_invalid, error},
      {2048, 1u << 30, errc::directory_entry_invalid, error},
      {2052, first_table, errc::directory_entry_duplicate, error},
      {2052, first_table + 31, errc::table_overlap, error},
      {image.entry_at(1), 1, errc::cowd_zeroed_grain, warning},
      {image.entry_at(1), 4, errc::grain_below_overhead, error},
      {image.entry_at(1), 0xFFFFFFF0, errc::grain_past_end, error},
      {image.entry_at(1), image.entry(0), errc::grain_duplicate, error},
      {image.entry_at(1), image.entry(0) + 1, errc::grain_overlap, error},
      {image.entry_at(1), first_table + 5, errc::table_overlap, error},
      {image.entry_at(5000) + 4, 77, errc::table_tail_not_zero, warning},
  };
  for (const auto& r : rows) {
    bytes file = good;
    put(file, r.at, r.value, 4);
    const outcome said = check_bytes_of(file);
    INFO(r.at << " = " << r.value << "\n" << said.text());
    REQUIRE(said.has(r.code));
    CHECK(said.find(r.code)->offset == r.at);
    CHECK(said.find(r.code)->level == r.level);
  }
}

TEST_CASE("each rule of seSparse extents is found where it is broken") {
  bytes room(std::size_t{1} << 21);
  support::sesparse_builder image(room, 5000 * 8);
  for (const std::uint64_t grain : {0u, 1u, 4095u, 4096u}) image.store(grain, std::byte{7});
  const bytes good(image.file().begin(), image.file().end());
  struct {
    std::uint64_t at;
    std::uint64_t value;
    errc code;
    severity level;
  } const rows[] = {
      {0, 0xCAFEBABF, errc::magic_invalid, error},
      {8, 0x200000002, errc::sesparse_version_unsupported, error},
      {16, 0, errc::capacity_zero, error},
      {24, 16, errc::sesparse_grain_size_invalid, error},
      {32, 32, errc::sesparse_table_size_invalid, error},
      {40, 1, errc::sesparse_flags_unknown, error},
      {48, 0x200, errc::sesparse_reserved_unusual, warning},
      {56, 1, errc::sesparse_reserved_not_zero, error},
      {208, 1, errc::sesparse_reserved_not_zero, error},
      {128, 1u << 30, errc::sesparse_region_outside_file, error},
      {144, image.get(128), errc::sesparse_region_overlap, error},
      {192, good.size() / 512, errc::sesparse_grains_outside_file, warning},
      {88, 0, errc::sesparse_region_too_small, error},
      {512, 1, errc::sesparse_volatile_magic_invalid, error},
      {512 + 24, 1, errc::sesparse_dirty, error},
      {image.directory_entry_at(0), 5, errc::directory_entry_invalid, error},
      {image.directory_entry_at(0), std::uint64_t{1} << 60 | 2, errc::directory_entry_invalid,
       error},
      {image.directory_entry_at(1), image.get(image.directory_entry_at(0)),
       errc::directory_entry_duplicate, error},
      {image.entry_at(2), std::uint64_t{5} << 60, errc::sesparse_entry_invalid, error},
      {image.entry_at(2), 77, errc::sesparse_entry_invalid, error},
      {image.entry_at(2), image.stored_entry(8), errc::grain_past_end, error},
      {image.entry_at(2), image.stored_entry(1), errc::grain_duplicate, error},
      {image.entry_at(4999) + 8, image.stored_entry(1), errc::table_tail_not_zero, warning},
  };
  for (const auto& r : rows) {
    bytes file = good;
    put(file, r.at, r.value, 8);
    const outcome said = check_bytes_of(file);
    INFO(r.at << " = " << r.value << "\n" << said.text());
    REQUIRE(said.has(r.code));
    const bool is_region = r.code == errc::sesparse_region_overlap;
    CHECK((is_region || said.find(r.code)->offset == r.at));
    CHECK(said.find(r.code)->level == r.level);
  }
}

}  // namespace

}  // namespace esx_rules_test
