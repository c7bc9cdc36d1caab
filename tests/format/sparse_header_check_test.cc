// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/format/sparse_header_check.hpp"

#include <catch2/catch.hpp>

#include "tests/format/sparse_header_testing.hpp"

namespace sparse_header_check_test {
namespace {

using namespace sparse_header_testing;
using namespace header_testing;
using enum header_testing::verdict;

constexpr rule rules[] = {
    {magic, 0, errc::magic_invalid, 0, refuses, refuses},
    {magic, 0x4B444D56, errc::magic_invalid, 0, refuses, refuses},
    {magic, 0x44574F43, errc::magic_invalid, 0, refuses, refuses},
    {magic, 0x766D646B, errc::magic_unfinished, 0, refuses, refuses},

    {version, 0, errc::version_unsupported, 4, refuses, refuses},
    {version, 2, errc::none, 0, accepts, accepts},
    {version, 3, errc::none, 0, accepts, accepts},
    {version, 4, errc::version_unsupported, 4, refuses, refuses},
    {version, 0x01000000, errc::version_unsupported, 4, refuses, refuses},
    {version, 0xFFFFFFFF, errc::version_unsupported, 4, refuses, refuses},

    {flags, 0, errc::none, 0, accepts, accepts},
    {flags, 1, errc::none, 0, accepts, accepts},
    {flags, 2, errc::none, 0, accepts, accepts},
    {flags, 0xFFFB, errc::none, 0, accepts, accepts},
    {flags, 7, errc::zeroed_grains_need_version_2, 8, accepts, refuses},
    {flags, 0x40003, errc::flags_unknown, 8, refuses, refuses},
    {flags, 0x80000003, errc::flags_unknown, 8, refuses, refuses},
    {flags, 0x20003, errc::markers_without_compression, 8, refuses, refuses},
    {flags, 0x30003, errc::compression_algorithm_invalid, 77, refuses, refuses},
    {algorithm, 1, errc::compression_algorithm_invalid, 77, refuses, refuses},
    {algorithm, 0x100, errc::compression_algorithm_invalid, 77, refuses, refuses},
    {algorithm, 0xFFFF, errc::compression_algorithm_invalid, 77, refuses, refuses},

    {newline_1, 0x0D, errc::newline_bytes_damaged, 73, refuses, refuses},
    {newline_2, 0, errc::newline_bytes_damaged, 73, refuses, refuses},
    {newline_3, 0x0A, errc::newline_bytes_damaged, 73, refuses, refuses},
    {newline_4, 0x0D, errc::newline_bytes_damaged, 73, refuses, refuses},

    {capacity, 0, errc::capacity_zero, 12, refuses, refuses},
    {capacity, 128, errc::none, 0, accepts, accepts},
    {capacity, 1, errc::capacity_not_whole_grains, 12, accepts, refuses},
    {capacity, 77138, errc::capacity_not_whole_grains, 12, accepts, refuses},
    {capacity, 128ull * 512 * 128, errc::none, 0, accepts, accepts},
    {capacity, 10 * 128ull * 512 * 128, errc::redundant_overlap, 48, refuses, refuses},
    // 2^25 tables of 2^16 sectors each are the most.
    {capacity, std::uint64_t{1} << 41, errc::directory_offset_invalid, 56, refuses, refuses},
    {capacity, (std::uint64_t{1} << 41) + 1, errc::capacity_too_large, 12, refuses, refuses},
    {capacity, std::uint64_t{1} << 54, errc::capacity_too_large, 12, refuses, refuses},
    {capacity, (std::uint64_t{1} << 54) + 1, errc::capacity_too_large, 12, refuses, refuses},
    {capacity, std::uint64_t{1} << 63, errc::capacity_too_large, 12, refuses, refuses},
    {capacity, most, errc::capacity_too_large, 12, refuses, refuses},

    {grain, 0, errc::grain_size_invalid, 20, refuses, refuses},
    {grain, 3, errc::grain_size_invalid, 20, refuses, refuses},
    {grain, 24, errc::grain_size_invalid, 20, refuses, refuses},
    {grain, 129, errc::grain_size_invalid, 20, refuses, refuses},
    {grain, (std::uint64_t{1} << 32) + 128, errc::grain_size_invalid, 20, refuses, refuses},
    {grain, most, errc::grain_size_invalid, 20, refuses, refuses},
    {grain, 1, errc::grain_size_unusual, 20, accepts, refuses},
    {grain, 4, errc::grain_size_unusual, 20, accepts, refuses},
    {grain, 8, errc::none, 0, accepts, accepts},
    {grain, 16, errc::none, 0, accepts, accepts},
    {grain, 4096, errc::grain_size_unusual, 20, accepts, refuses},
    {grain, 1u << 21, errc::grain_size_unusual, 20, accepts, refuses},
    {grain, 1u << 22, errc::grain_size_too_large, 20, refuses, refuses},
    {grain, std::uint64_t{1} << 32, errc::grain_size_too_large, 20, refuses, refuses},
    {grain, std::uint64_t{1} << 63, errc::grain_size_too_large, 20, refuses, refuses},

    {entries, 0, errc::entries_per_table_invalid, 44, refuses, refuses},
    {entries, 128, errc::entries_per_table_invalid, 44, refuses, refuses},
    {entries, 511, errc::entries_per_table_invalid, 44, refuses, refuses},
    {entries, 1024, errc::entries_per_table_invalid, 44, refuses, refuses},
    {entries, 0x80000000, errc::entries_per_table_invalid, 44, refuses, refuses},
    {entries, 0xFFFFFFFF, errc::entries_per_table_invalid, 44, refuses, refuses},

    {directory, 0, errc::directory_offset_invalid, 56, refuses, refuses},
    {directory, 1, errc::directory_overlap, 56, refuses, refuses},
    {directory, 20, errc::directory_overlap, 56, refuses, refuses},
    {directory, 22, errc::none, 0, accepts, accepts},
    {directory, 128, errc::overhead_too_small, 64, accepts, refuses},
    {directory, file_sectors - 1, errc::overhead_too_small, 64, accepts, refuses},
    {directory, file_sectors, errc::directory_offset_invalid, 56, refuses, refuses},
    {directory, std::uint64_t{1} << 55, errc::directory_offset_invalid, 56, refuses, refuses},
    {directory, (std::uint64_t{1} << 55) + 30, errc::directory_offset_invalid, 56, refuses,
     refuses},
    {directory, most - 1, errc::directory_offset_invalid, 56, refuses, refuses},
    {directory, most, errc::none, 0, accepts, accepts},

    {redundant, 0, errc::redundant_offset_invalid, 48, refuses, refuses},
    {redundant, 1, errc::redundant_overlap, 48, refuses, refuses},
    {redundant, 20, errc::redundant_overlap, 48, refuses, refuses},
    {redundant, 30, errc::redundant_shared, 48, accepts, refuses},
    {redundant, 31, errc::none, 0, accepts, accepts},
    {redundant, file_sectors - 1, errc::none, 0, accepts, accepts},
    {redundant, file_sectors, errc::redundant_offset_invalid, 48, refuses, refuses},
    {redundant, std::uint64_t{1} << 63, errc::redundant_offset_invalid, 48, refuses, refuses},
    {redundant, most, errc::redundant_offset_invalid, 48, refuses, refuses},

    {descriptor, 0, errc::none, 0, accepts, accepts},
    {descriptor, 10, errc::redundant_overlap, 48, refuses, refuses},
    {descriptor, 22, errc::directory_overlap, 56, refuses, refuses},
    {descriptor, 31, errc::none, 0, accepts, accepts},
    {descriptor, file_sectors - 20, errc::none, 0, accepts, accepts},
    {descriptor, file_sectors - 19, errc::descriptor_offset_invalid, 28, refuses, refuses},
    {descriptor, file_sectors, errc::descriptor_offset_invalid, 28, refuses, refuses},
    {descriptor, most - 19, errc::descriptor_offset_invalid, 28, refuses, refuses},
    {descriptor, most, errc::descriptor_offset_invalid, 28, refuses, refuses},
    {descriptor_size, 0, errc::descriptor_size_invalid, 36, refuses, refuses},
    {descriptor_size, 1, errc::none, 0, accepts, accepts},
    {descriptor_size, 21, errc::redundant_overlap, 48, refuses, refuses},
    {descriptor_size, 1408, errc::descriptor_offset_invalid, 28, refuses, refuses},
    {descriptor_size, 2048, errc::descriptor_offset_invalid, 28, refuses, refuses},
    {descriptor_size, 2049, errc::descriptor_size_invalid, 36, refuses, refuses},
    {descriptor_size, std::uint64_t{1} << 32, errc::descriptor_size_invalid, 36, refuses, refuses},
    {descriptor_size, most, errc::descriptor_size_invalid, 36, refuses, refuses},

    {overhead, 0, errc::overhead_too_small, 64, accepts, refuses},
    {overhead, 30, errc::overhead_too_small, 64, accepts, refuses},
    {overhead, 31, errc::none, 0, accepts, accepts},
    {overhead, file_sectors, errc::none, 0, accepts, accepts},
    {overhead, file_sectors + 1, errc::overhead_outside_file, 64, refuses, refuses},
    {overhead, std::uint64_t{1} << 55, errc::overhead_outside_file, 64, refuses, refuses},
    {overhead, most, errc::overhead_outside_file, 64, refuses, refuses},

    {unclean, 1, errc::unclean_shutdown, 72, accepts, refuses},
    {unclean, 255, errc::unclean_shutdown, 72, accepts, refuses},
    {first_pad, 1, errc::header_padding_not_zero, 79, accepts, refuses},
    {last_pad, 128, errc::header_padding_not_zero, 79, accepts, refuses},
};

constexpr bool holds(const rule& r) {
  const sparse_extent_header h = with(good_header(), r.changed, r.value);
  findings found;
  const bool usable = check_sparse_header(h, file_bytes, found);
  bool ok = usable == (r.tolerant == accepts) && usable != found.has_an_error();
  ok = ok && (r.reported == errc::none ? found.count == 0 : found.has(r.reported, r.offset));

  return ok && validate(h, file_bytes, strictness::tolerant) == expected(r, r.tolerant) &&
         validate(h, file_bytes, strictness::strict) == expected(r, r.strict);
}

/// In parts, because compilers bound the steps of one constant expression.
template <std::size_t First>
constexpr bool rules_hold_from() {
  bool ok = true;
  for (std::size_t i = First; i < First + 20 && i < std::size(rules); ++i)
    ok = ok && holds(rules[i]);
  return ok;
}
static_assert(rules_hold_from<0>() && rules_hold_from<20>());
static_assert(rules_hold_from<40>() && rules_hold_from<60>());
static_assert(rules_hold_from<80>() && rules_hold_from<100>());
static_assert(std::size(rules) <= 120);

/// Rules that one field alone cannot break.
constexpr bool rules_of_two_fields_hold() {
  const auto both = [](field a, std::uint64_t x, field b, std::uint64_t y) {
    return with(with(good_header(), a, x), b, y);
  };
  const auto first = [](const sparse_extent_header& h, strictness mode) {
    return validate(h, file_bytes, mode);
  };
  constexpr auto tolerant = strictness::tolerant;
  constexpr auto strict = strictness::strict;
  bool ok = true;
  // Compression without markers, though the algorithm is right.
  ok = ok && first(both(flags, 0x10003, algorithm, 1), tolerant) ==
                 image_failure(errc::compression_without_markers, 8);
  ok = ok && !first(both(flags, 0x30003, algorithm, 1), strict);
  // Grains of 128 KiB to 1 MiB are worth a note.
  for (const std::uint64_t sectors : {256u, 2048u}) {
    const sparse_extent_header h = both(grain, sectors, capacity, 9 * sectors);
    findings found;
    ok = ok && !first(h, strict) && check_sparse_header(h, file_bytes, found);
    ok = ok && found.count == 1 && found.has(errc::grain_size_large, 20);
  }
  // What a grain's size costs is memory when grains are compressed, and nothing else.
  const auto compressed = [&](std::uint64_t sectors) {
    return with(both(flags, 0x30003, algorithm, 1), grain, sectors);
  };
  ok = ok && !first(compressed(4096), tolerant) && !first(both(grain, 8192, flags, 3), tolerant);
  for (const std::uint64_t sectors : {8192u, 1u << 21}) {
    ok =
        ok && first(compressed(sectors), tolerant) == image_failure(errc::grain_size_too_large, 20);
  }
  // The largest grains reach 2^54 sectors with fewer tables than are the most.
  const auto largest = both(grain, 1u << 21, capacity, std::uint64_t{1} << 54);
  ok = ok && first(largest, tolerant) == image_failure(errc::directory_offset_invalid, 56);
  // Where tables are too many, nothing is said of the directory's place.
  findings found;
  ok = ok &&
       !check_sparse_header(both(capacity, std::uint64_t{1} << 42, grain, 128), file_bytes, found);
  ok = ok && found.count == 1 && found.has(errc::capacity_too_large, 12);
  // Newline bytes and the redundant directory count only when their flag is set.
  ok = ok && !first(both(flags, 2, newline_1, 0), strict);
  ok = ok && !first(both(flags, 1, redundant, most), strict);
  // Version 1 alone has no zeroed grains.
  ok = ok && !first(both(flags, 7, version, 2), strict) &&
       !first(both(flags, 7, version, 3), strict);
  // The descriptor's size means nothing without an offset.
  ok = ok && !first(both(descriptor, 0, descriptor_size, most), strict);
  // Directories of two sectors that share one.
  for (const std::uint64_t place : {29u, 31u}) {
    ok = ok && first(both(grain, 1, redundant, place), tolerant) ==
                   image_failure(errc::redundant_overlap, 48);
  }
  ok = ok && !first(both(grain, 1, redundant, 28), tolerant);
  ok = ok && !first(both(grain, 1, redundant, 32), tolerant);
  // A stream's header has its directory in the footer, and no redundant one.
  ok = ok && !first(both(directory, most, redundant, 0), strict);
  ok = ok && first(both(directory, most, redundant, file_sectors), tolerant) ==
                 image_failure(errc::redundant_offset_invalid, 48);
  return ok;
}
static_assert(rules_of_two_fields_hold());

constexpr bool the_file_bounds_everything() {
  const auto first = [](std::uint64_t bytes, const sparse_extent_header& h = good_header()) {
    return validate(h, bytes, strictness::tolerant);
  };
  bool ok = first(0) == image_failure(errc::header_truncated, 0);
  ok = ok && first(511) == image_failure(errc::header_truncated, 0);
  ok = ok && first(512) == image_failure(errc::descriptor_offset_invalid, 28);
  ok = ok && first(127 * 512) == image_failure(errc::overhead_outside_file, 64);
  // Other readers round the file up to a sector.
  ok = ok && !first(127 * 512 + 1) && !first(128 * 512) && !first(most);
  const auto at_127 = with(good_header(), directory, 127);
  ok = ok && !first(128 * 512, at_127);
  ok = ok && first(127 * 512 + 511, at_127) == image_failure(errc::directory_offset_invalid, 56);
  return ok;
}
static_assert(the_file_bounds_everything());

constexpr bool all_that_is_wrong_is_said_until_told_to_stop() {
  sparse_extent_header h = with(good_header(), version, 9);
  h = with(with(with(h, entries, 1), unclean, 1), first_pad, 1);
  h = with(with(h, overhead, most), grain, 0);
  findings found;
  bool ok = !check_sparse_header(h, file_bytes, found) && found.count == 6;
  ok = ok && found.has(errc::version_unsupported, 4) && found.has(errc::unclean_shutdown, 72);
  ok = ok && found.has(errc::grain_size_invalid, 20);
  std::size_t calls = 0;
  // What is not reported any more still counts.
  ok = ok && !check_sparse_header(h, file_bytes, [&](errc, std::uint64_t) { return ++calls < 2; });
  return ok && calls == 2;
}
static_assert(all_that_is_wrong_is_said_until_told_to_stop());

constexpr bool severities_decide() {
  bool ok = vmdk::accepts(strictness::tolerant, errc::unclean_shutdown);
  ok = ok && !vmdk::accepts(strictness::strict, errc::unclean_shutdown);
  ok = ok && vmdk::accepts(strictness::tolerant, errc::redundant_shared);
  ok = ok && !vmdk::accepts(strictness::strict, errc::redundant_shared);
  ok = ok && !vmdk::accepts(strictness::tolerant, errc::capacity_zero);
  first_refusal refusal(strictness::tolerant);
  ok = ok && refusal(errc::unclean_shutdown, 72) && !refusal.why();
  ok = ok && !refusal(errc::capacity_zero, 12) && !refusal(errc::magic_invalid, 0);
  return ok && refusal.why() == image_failure(errc::capacity_zero, 12);
}

}  // namespace

TEST_CASE("every rule of the sparse header is reported at its field and judged as designed") {
  for (const rule& r : rules) {
    INFO("field at " << r.changed.offset << " = " << r.value);
    CHECK(holds(r));
  }
  CHECK_FALSE(validate(good_header(), file_bytes, strictness::strict));
  CHECK(rules_of_two_fields_hold());
  CHECK(the_file_bounds_everything());
  CHECK(all_that_is_wrong_is_said_until_told_to_stop());
}

TEST_CASE("the severity of a rule decides who refuses") { CHECK(severities_decide()); }

}  // namespace sparse_header_check_test
