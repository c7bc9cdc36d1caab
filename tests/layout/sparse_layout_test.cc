// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/layout/sparse.hpp"

#include <catch2/catch.hpp>
#include <iterator>
#include <random>

#include "tests/support/sparse_oracle.hpp"
#include "vmdk/format/sparse_header_check.hpp"

namespace sparse_layout_test {
namespace {

using namespace vmdk;
using namespace vmdk::literals;
using testing_support::ceil_divided;
using testing_support::wide;

constexpr std::uint64_t most = ~std::uint64_t{0};

/// What is known about some disks: worked out by hand, and seen in other writers' files.
struct known_answer {
  std::uint64_t capacity_sectors;
  std::uint32_t grain;
  std::uint64_t grains, tables;
  std::uint64_t rgd, rgts, gd, gts;
  std::uint64_t overhead;
  std::uint64_t empty_bytes, full_bytes;  ///< full_bytes 0: it would pass 2^32 sectors.
};

constexpr known_answer known_answers[] = {
    {77138, 128, 603, 2, 21, 22, 30, 31, 128, 65536, 39583744},
    {1, 128, 1, 1, 21, 22, 26, 27, 128, 65536, 131072},
    {2_MiB / 512, 8, 512, 1, 21, 22, 26, 27, 32, 16384, 2113536},
    {64_GiB / 512, 128, 1048576, 2048, 21, 37, 8229, 8245, 16512, 8454144, 68727930880},
    {2_TiB / 512, 128, 33554432, 65536, 21, 533, 262677, 263189, 525440, 269025280, 0},
};

constexpr bool answers_are_known(const known_answer& known, capacity_rule rule) {
  const auto made = sparse_layout::for_capacity(known.capacity_sectors * 512,
                                                {.grain_sectors = known.grain, .capacity = rule});
  if (!made) return false;
  const sparse_layout& l = *made;
  bool ok = l.grain_count() == known.grains && l.table_count() == known.tables;
  ok = ok && l.header() == region{0, 1} && l.descriptor() == region{1, 20};
  const std::uint64_t directory_sectors = (known.tables * 4 + 511) / 512;
  ok = ok && l.redundant_directory() == region{known.rgd, directory_sectors};
  ok = ok && l.redundant_tables() == region{known.rgts, known.tables * 4};
  ok = ok && l.directory() == region{known.gd, directory_sectors};
  ok = ok && l.tables() == region{known.gts, known.tables * 4};
  ok = ok && l.overhead_sectors() == known.overhead && l.min_file_bytes() == known.empty_bytes;
  ok = ok && l.overhead_bytes() == known.empty_bytes && l.file_bytes(0) == known.empty_bytes;
  if (known.full_bytes == 0) {
    ok = ok && l.max_file_bytes().error() == options_failure(errc::extent_too_large);
  } else {
    ok = ok && l.max_file_bytes() == known.full_bytes;
  }
  const std::uint64_t whole =
      (known.capacity_sectors + known.grain - 1) / known.grain * known.grain;
  const std::uint64_t capacity = rule == capacity_rule::exact ? known.capacity_sectors : whole;
  return ok && l.capacity_sectors() == capacity && l.capacity_bytes() == 512 * capacity;
}

constexpr bool all_answers_are_known() {
  bool ok = true;
  for (const known_answer& known : known_answers) {
    ok = ok && answers_are_known(known, capacity_rule::whole_grains);
    ok = ok && answers_are_known(known, capacity_rule::exact);
  }
  return ok;
}
static_assert(all_answers_are_known());

// The same through the type, as a program's own static_assert would say it.
constexpr auto l64 = layout<monolithic_sparse<128>>::for_capacity(64_GiB).value();
static_assert(l64.overhead_bytes() == 8454144 && l64.file_bytes(0) == 8454144);
static_assert(layout<monolithic_sparse<>>::for_capacity(64_GiB).value().tables() == l64.tables());
static_assert(layout<monolithic_sparse<8>>::for_capacity(2_MiB).value().max_file_bytes() ==
              2113536);
static_assert(layout<monolithic_sparse<dynamic_grain>>::for_capacity(2_MiB, {.grain_sectors = 8})
                  .value()
                  .max_file_bytes() == 2113536);
// The type's grain counts, whatever the options say.
static_assert(layout<monolithic_sparse<8>>::for_capacity(2_MiB, {.grain_sectors = 77})
                  .value()
                  .grain_count() == 512);

/// FreeBSD's mkimg, for its test image img-1x1-4096-gpt.vmdk (SPEC 4).
constexpr bool mkimg_is_known() {
  const auto made = sparse_layout::for_capacity(
      0x2800 * 512,
      {.grain_sectors = 0x10, .descriptor_sectors = 1, .order = directory_order::primary_first});
  const sparse_layout& l = made.value();
  bool ok = l.descriptor() == region{1, 1} && l.directory() == region{2, 1};
  ok = ok && l.table_count() == 2 && l.table_sector(0) == 3 && l.table_sector(1) == 7;
  ok = ok && l.redundant_directory() == region{0x0b, 1};
  ok = ok && l.redundant_table_sector(0) == 0x0c && l.redundant_table_sector(1) == 0x10;
  ok = ok && l.overhead_sectors() == 0x20 && l.grain_sector(0) == 0x20;
  const sparse_extent_header h = l.make_header();
  ok = ok && h.version == 1u && h.flags == 3u && h.capacity == 0x2800u && h.grain_size == 0x10u;
  ok = ok && h.descriptor_offset == 1u && h.descriptor_size == 1u && h.gd_offset == 2u;
  return ok && h.rgd_offset == 0x0bu && h.over_head == 0x20u && h.num_gtes_per_gt == 512u;
}
static_assert(mkimg_is_known());

constexpr bool headers_say_where_things_are() {
  const sparse_extent_header h = l64.make_header();
  bool ok = h.magic_number == sparse_magic && h.version == 1u && h.flags == 3u;
  ok = ok && h.capacity == 64_GiB / 512 && h.grain_size == 128u && h.descriptor_offset == 1u;
  ok = ok && h.descriptor_size == 20u && h.rgd_offset == 21u && h.gd_offset == 8229u;
  ok = ok && h.over_head == 16512u && h.unclean_shutdown == 0 && h.compress_algorithm == 0u;
  const auto bare = sparse_layout::for_capacity(1, {.descriptor_sectors = 0});
  const sparse_extent_header none = bare->make_header();
  ok = ok && bare->redundant_directory().first_sector == 1 && bare->descriptor().sectors == 0;
  return ok && none.descriptor_offset == 0u && none.descriptor_size == 0u;
}
static_assert(headers_say_where_things_are());

constexpr bool what_cannot_be_is_refused() {
  const auto refused = [](std::uint64_t bytes, sparse_layout_options options = {}) {
    return sparse_layout::for_capacity(bytes, options).error();
  };
  bool ok = refused(0) == options_failure(errc::capacity_zero);
  for (const std::uint32_t grain : {0u, 1u, 4u, 7u, 24u, 4096u, 1u << 31, 0xFFFFFFFFu}) {
    ok = ok && refused(4096, {.grain_sectors = grain}) ==
                   options_failure(errc::grain_size_invalid, 0, grain);
  }
  const auto too_large = options_failure(errc::capacity_too_large);
  ok = ok && refused(most) == too_large && refused(most, {.grain_sectors = 2048}) == too_large;
  ok = ok && refused(most, {.capacity = capacity_rule::exact}) == too_large;
  ok = ok && refused(4096, {.descriptor_sectors = 0xFFFFFFFF}) == too_large;
  const auto beyond = layout<monolithic_sparse<8>>::for_capacity(0);
  return ok && beyond.error() == options_failure(errc::capacity_zero);
}
static_assert(what_cannot_be_is_refused());

constexpr bool capacities_are_rounded() {
  constexpr auto whole = capacity_rule::whole_grains;
  constexpr auto exact = capacity_rule::exact;
  bool ok = capacity_for(1, 128, whole) == 128 && capacity_for(1, 128, exact) == 1;
  ok = ok && capacity_for(512, 128, exact) == 1 && capacity_for(513, 128, exact) == 2;
  ok = ok && capacity_for(65536, 128, whole) == 128 && capacity_for(65537, 128, whole) == 256;
  const std::uint64_t limit = capacity_limit_sectors;
  ok = ok && capacity_for(limit * 512, 2048, whole) == limit;
  ok = ok && capacity_for(limit * 512 - 1, 2048, exact) == limit;
  const auto too_large = options_failure(errc::capacity_too_large);
  ok = ok && capacity_for(limit * 512 + 1, 8, whole).error() == too_large;
  ok = ok && capacity_for(limit * 512 + 1, 8, exact).error() == too_large;
  ok = ok && capacity_for(most, 2048, whole).error() == too_large;
  return ok && capacity_for(0, 8, exact).error() == options_failure(errc::capacity_zero);
}
static_assert(capacities_are_rounded());

/// For each grain size, the largest disk whose grains can all be stored ends at sector 2^32 or less
/// than a grain before it; with one grain more, the last does not fit.
constexpr bool the_last_sector_number_is_used() {
  bool ok = true;
  for (std::uint32_t grain = 8; grain <= 2048; grain *= 2) {
    const auto full_sectors = [grain](std::uint64_t grains) {
      const auto l = sparse_layout::for_capacity(grains * grain * 512, {.grain_sectors = grain});
      return l->overhead_sectors() + grains * grain;
    };
    std::uint64_t fits = 1;
    std::uint64_t fails = sector_number_limit / grain;
    while (fails - fits > 1) {
      const std::uint64_t middle = (fits + fails) / 2;
      (full_sectors(middle) <= sector_number_limit ? fits : fails) = middle;
    }
    const auto l = sparse_layout::for_capacity(fits * grain * 512, {.grain_sectors = grain});
    ok = ok && l->max_stored_grains() == fits && l->max_file_bytes() == full_sectors(fits) * 512;
    ok = ok && l->grain_sector(fits - 1) + grain <= sector_number_limit;

    const auto more = sparse_layout::for_capacity(fails * grain * 512, {.grain_sectors = grain});
    const std::uint64_t stored = more->max_stored_grains();
    ok = ok && stored < fails && more->max_file_bytes().error().code == errc::extent_too_large;
    ok = ok && more->file_bytes(stored).ok();
    ok = ok && more->file_bytes(stored + 1).error() == options_failure(errc::extent_too_large);
    ok = ok &&
         more->file_bytes(fails + 1).error() == options_failure(errc::content_exceeds_capacity);
    ok = ok && more->grain_sector(stored) + grain > sector_number_limit;
  }
  // Exactly 2^32 sectors: 17 grains of overhead and 2^21 - 17 grains of data.
  const auto brim = layout<monolithic_sparse<2048>>::for_capacity((2097152 - 17) * 1_MiB);
  ok = ok && brim->overhead_sectors() == 17 * 2048 && brim->max_file_bytes() == 2_TiB;
  const auto over = layout<monolithic_sparse<2048>>::for_capacity((2097152 - 16) * 1_MiB);
  return ok && over->max_stored_grains() == 2097152 - 17 && !over->max_file_bytes();
}
static_assert(the_last_sector_number_is_used());

/// Metadata may fill the file to sector 2^32, and then no grain can be stored; a sector more is too
/// many.
constexpr bool metadata_may_reach_the_limit() {
  bool ok = true;
  for (const std::uint32_t grain : {8u, 128u, 2048u}) {
    // Two copies of a directory of one sector and of its only table.
    const auto behind = [grain](std::uint32_t descriptor_sectors) {
      return sparse_layout::for_capacity(
          512, {.grain_sectors = grain, .descriptor_sectors = descriptor_sectors});
    };
    const auto brim = behind(0xFFFFFFFF - 10);
    ok = ok && brim->overhead_sectors() == sector_number_limit;
    ok = ok && brim->max_stored_grains() == 0 && brim->file_bytes(0).ok() && !brim->file_bytes(1);
    ok = ok && brim->table_sector(0) == brim->tables().end_sector() - 4;
    ok = ok && behind(0xFFFFFFFF - 9).error() == options_failure(errc::capacity_too_large);
  }
  return ok;
}
static_assert(metadata_may_reach_the_limit());

/// A disk has 2^25 tables at the most, as readers take no more.
constexpr bool tables_are_no_more_than_readers_take() {
  bool ok = true;
  for (const std::uint32_t grain : {8u, 128u, 2048u}) {
    const std::uint64_t largest = (std::uint64_t{512} << 25) * grain * 512;
    const auto l = sparse_layout::for_capacity(largest, {.grain_sectors = grain});
    ok = ok && l->table_count() == std::uint64_t{1} << 25 && l->file_bytes(1).ok();
    ok = ok && l->table_sector(l->table_count() - 1) == l->tables().end_sector() - 4;
    const sparse_extent_header h = l->make_header();
    ok = ok && validate(h, l->min_file_bytes().value(), strictness::strict) == no_failure;
    const auto more = sparse_layout::for_capacity(largest + 1, {.grain_sectors = grain});
    ok = ok && more.error() == options_failure(errc::capacity_too_large);
  }
  return ok;
}
static_assert(tables_are_no_more_than_readers_take());

/// Works the whole layout out again, the slow way: one piece behind the other, in numbers that
/// cannot wrap.
bool agrees_with_the_naive_way(std::uint64_t disk_bytes, const sparse_layout_options& options) {
  const wide grain = options.grain_sectors;
  wide capacity = ceil_divided(disk_bytes, 512);
  if (options.capacity == capacity_rule::whole_grains)
    capacity = ceil_divided(capacity, grain) * grain;
  const wide grains = ceil_divided(capacity, grain);
  const wide tables = ceil_divided(grains, 512);
  const wide directory_sectors = ceil_divided(4 * tables, 512);
  wide at = 0;
  const auto take = [&at](wide sectors) {
    const region r{static_cast<std::uint64_t>(at), static_cast<std::uint64_t>(sectors)};
    at += sectors;
    return r;
  };
  const region header = take(1);
  const region descriptor = take(options.descriptor_sectors);
  const region directory_1 = take(directory_sectors);
  const region tables_1 = take(4 * tables);
  const region directory_2 = take(directory_sectors);
  const region tables_2 = take(4 * tables);
  const wide overhead = ceil_divided(at, grain) * grain;

  const auto made = sparse_layout::for_capacity(disk_bytes, options);
  const wide limit = wide{1} << 32;
  if (tables > wide{1} << 25 || overhead > limit) {
    return made.error() == options_failure(errc::capacity_too_large);
  }
  if (!made) return false;
  const sparse_layout& l = *made;
  const bool primary_first = options.order == directory_order::primary_first;
  bool ok = l.capacity_sectors() == capacity && l.grain_count() == grains;
  ok = ok && l.table_count() == tables && l.overhead_sectors() == overhead;
  ok = ok && l.header() == header && l.descriptor() == descriptor;
  ok = ok && l.directory() == (primary_first ? directory_1 : directory_2);
  ok = ok && l.tables() == (primary_first ? tables_1 : tables_2);
  ok = ok && l.redundant_directory() == (primary_first ? directory_2 : directory_1);
  ok = ok && l.redundant_tables() == (primary_first ? tables_2 : tables_1);
  ok = ok && l.table_sector(l.table_count() - 1) + 4 == l.tables().end_sector();
  ok = ok && l.redundant_table_sector(0) == l.redundant_tables().first_sector;
  ok = ok && l.overhead_sectors() % options.grain_sectors == 0;

  const wide room = (limit - overhead) / grain;
  ok = ok && l.max_stored_grains() == (room < grains ? room : grains);
  const wide full = (overhead + grains * grain) * 512;
  ok = ok && (room < grains ? !l.max_file_bytes() : l.max_file_bytes().value() == full);
  ok = ok && l.min_file_bytes().value() == overhead * 512 && l.grain_sector(0) == overhead;
  const std::uint64_t last = l.max_stored_grains();
  ok = ok && l.file_bytes(last).value() == (overhead + last * grain) * 512;
  // A header of this layout is one that readers take.
  const std::uint64_t file_bytes = l.min_file_bytes().value();
  const sector_image bytes = encode(l.make_header());
  const auto facts = testing_support::sparse_facts_of(bytes.data(), file_bytes);
  return ok && (facts.all() || options.descriptor_sectors > 2048);
}

}  // namespace

TEST_CASE("layouts have the answers that are known") {
  CHECK(all_answers_are_known());
  CHECK(mkimg_is_known());
  CHECK(headers_say_where_things_are());
}

TEST_CASE("layouts end where sector numbers do") {
  CHECK(what_cannot_be_is_refused());
  CHECK(capacities_are_rounded());
  CHECK(the_last_sector_number_is_used());
  CHECK(metadata_may_reach_the_limit());
  CHECK(tables_are_no_more_than_readers_take());
}

TEST_CASE("layouts are what adding one piece behind the other gives") {
  std::mt19937_64 random(4);
  std::size_t wrong = 0;
  std::size_t made = 0;
  for (int i = 0; i < 200000; ++i) {
    std::uint64_t bytes = random() >> random() % 64;
    if (random() % 4 == 0) bytes = bytes / 512 * 512;
    if (random() % 4 == 0) bytes = (bytes >> 20 << 20) + random() % 3 - 1;
    if (bytes == 0) bytes = 1;
    const sparse_layout_options options{
        .grain_sectors = 8u << random() % 9,
        .descriptor_sectors = static_cast<std::uint32_t>(random() >> (32 + random() % 32)),
        .capacity = random() % 2 == 0 ? capacity_rule::exact : capacity_rule::whole_grains,
        .order =
            random() % 2 == 0 ? directory_order::primary_first : directory_order::redundant_first};
    wrong += agrees_with_the_naive_way(bytes, options) ? 0 : 1;
    made += sparse_layout::for_capacity(bytes, options).ok() ? 1 : 0;
  }
  CHECK(wrong == 0);
  CHECK(made > 100000);
}

}  // namespace sparse_layout_test
