// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/layout/stream.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

#include "tests/support/sparse_oracle.hpp"
#include "vmdk/codec/stored.hpp"
#include "vmdk/layout/stream_size.hpp"

namespace stream_layout_test {
namespace {

using namespace vmdk;
using namespace vmdk::literals;
using testing_support::ceil_divided;
using testing_support::wide;

constexpr std::uint64_t most = ~std::uint64_t{0};

/// What is known about some disks: worked out by hand from SPEC 5, and seen in other writers'
/// files.
struct known_answer {
  std::uint64_t capacity_sectors;
  std::uint32_t grain;
  std::uint64_t grains, tables, directory_sectors;
  std::uint64_t overhead, empty_sectors;              ///< Tables at the end.
  std::uint64_t front_overhead, front_empty_sectors;  ///< Tables in front.
};

// An empty file at the end has a marker and the directory, a marker and the footer, and the end.
constexpr known_answer known_answers[] = {
    {77138, 128, 603, 2, 1, 128, 128 + 2 + 3, 30, 31},
    {1, 128, 1, 1, 1, 128, 133, 26, 27},
    {1, 16, 1, 1, 1, 32, 37, 26, 27},
    {1, 8, 1, 1, 1, 24, 29, 26, 27},
    {1, 2048, 1, 1, 1, 2048, 2053, 26, 27},
    {64_GiB / 512, 128, 1048576, 2048, 16, 128, 148, 21 + 16 + 8192, 8230},
    {128 * 512 * 129, 128, 512 * 129, 129, 2, 128, 134, 21 + 2 + 516, 540},
};

constexpr bool answers_are_known(const known_answer& known, tables place) {
  const auto made = stream_layout::for_capacity(
      known.capacity_sectors * 512, {.grain_sectors = known.grain, .table_place = place});
  if (!made) return false;
  const stream_layout& l = *made;
  const bool at_end = place == tables::at_end;
  bool ok = l.grain_count() == known.grains && l.table_count() == known.tables;
  ok = ok && l.header() == region{0, 1} && l.descriptor() == region{1, 20};
  ok = ok && l.overhead_sectors() == (at_end ? known.overhead : known.front_overhead);
  ok = ok && l.overhead_bytes() == 512 * l.overhead_sectors();
  const std::uint64_t empty = at_end ? known.empty_sectors : known.front_empty_sectors;
  ok = ok && l.min_file_bytes() == 512 * empty && stream_size(l).file_bytes() == 512 * empty;
  ok = ok && l.directory_memory_bytes() == (at_end ? 512 * known.directory_sectors : 0);
  if (at_end) {
    ok = ok && l.directory().sectors == 0 && l.tables().sectors == 0;
  } else {
    ok = ok && l.directory() == region{21, known.directory_sectors};
    ok = ok && l.tables() == region{21 + known.directory_sectors, 4 * known.tables};
    ok = ok && l.table_sector(0) == l.tables().first_sector;
    ok = ok && l.table_sector(known.tables - 1) + 4 == l.tables().end_sector();
  }
  return ok;
}

constexpr bool all_answers_are_known() {
  for (const known_answer& known : known_answers) {
    if (!answers_are_known(known, tables::at_end)) return false;
    if (!answers_are_known(known, tables::in_front)) return false;
  }
  return true;
}
static_assert(all_answers_are_known());

constexpr bool what_cannot_be_is_refused() {
  const auto of = [](std::uint64_t bytes, stream_layout_options options = {}) {
    return stream_layout::for_capacity(bytes, options).error();
  };
  bool ok = of(0) == options_failure(errc::capacity_zero);
  for (const std::uint32_t grain : {0u, 1u, 4u, 24u, 4096u, 1u << 31}) {
    ok = ok &&
         of(512, {.grain_sectors = grain}) == options_failure(errc::grain_size_invalid, 0, grain);
  }
  // No reader takes more than 2^25 tables; that is all of their capacity, or a grain past it.
  const failure too_large = options_failure(errc::capacity_too_large);
  for (const auto place : {tables::at_end, tables::in_front}) {
    for (const std::uint32_t grain : {8u, 128u, 2048u}) {
      const stream_layout_options options{.grain_sectors = grain, .table_place = place};
      const std::uint64_t largest = (std::uint64_t{512} << 25) * grain * 512;
      ok = ok && of(largest, options) == no_failure && of(largest + 1, options) == too_large;
    }
    ok = ok && of(most, {.table_place = place}) == too_large;
  }
  // A directory of one sector and a table in front end at sector 2^32, and past it.
  const auto behind = [](std::uint32_t descriptor_sectors) {
    return stream_layout_options{.descriptor_sectors = descriptor_sectors,
                                 .table_place = tables::in_front};
  };
  ok = ok && of(512, behind(0xFFFFFFFF - 5)) == no_failure;
  ok = ok && of(512, behind(0xFFFFFFFF - 4)) == too_large;
  return ok;
}
static_assert(what_cannot_be_is_refused());

constexpr bool the_type_has_the_grain() {
  using usual = layout<stream_optimized<>>;
  constexpr auto l = usual::for_capacity(1_GiB).value();
  static_assert(l.grain_sectors() == 128 && l.overhead_bytes() == 65536);
  static_assert(l.min_file_bytes() == 65536 + 5 * 512);
  // 16384 grains of 129 sectors, 32 tables and their markers.
  static_assert(l.max_file_bytes(stored::bound(65536)).value() ==
                (128 + 16384 * 129 + 32 * 5 + 5) * 512);
  static_assert(layout<stream_optimized<16>>::for_capacity(1, {.grain_sectors = 64})
                    .value()
                    .grain_sectors() == 16);
  static_assert(layout<stream_optimized<dynamic_grain>>::for_capacity(1, {.grain_sectors = 64})
                    .value()
                    .grain_sectors() == 64);
  const auto at_run_time = layout<stream_optimized<16>>::for_capacity(1, {.grain_sectors = 64});
  return at_run_time->grain_sectors() == 16 &&
         layout<stream_optimized<16>>::for_capacity(0).error() ==
             options_failure(errc::capacity_zero);
}
static_assert(the_type_has_the_grain());

constexpr bool a_grain_takes_what_readers_take() {
  const auto l = stream_layout::for_capacity(1_MiB).value();
  bool ok = l.compressed_limit_bytes() == 65536 + 500 && l.packed_limit_bytes() == 129 * 512;
  ok = ok && stream_layout::packed_sectors(1) == 1 && stream_layout::packed_sectors(500) == 1;
  ok = ok && stream_layout::packed_sectors(501) == 2 && stream_layout::packed_sectors(66036) == 129;
  // An encoder that promises nothing is held to the limit.
  ok = ok && l.max_file_bytes(most) == l.max_file_bytes(66036).value();
  return ok;
}
static_assert(a_grain_takes_what_readers_take());

constexpr bool stored_grains_never_pass_the_limit() {
  for (std::uint32_t grain = 8; grain <= 2048; grain *= 2) {
    const auto l = stream_layout::for_capacity(1_MiB, {.grain_sectors = grain}).value();
    if (stored::bound(std::size_t{grain} * 512) > l.compressed_limit_bytes()) return false;
  }
  return true;
}
static_assert(stored_grains_never_pass_the_limit());

constexpr bool header_says_what_the_format_wants() {
  const auto l = stream_layout::for_capacity(1_MiB).value();
  const sparse_extent_header h = l.make_header();
  bool ok = h.version == 3 && h.flags == 0x30001 && h.compress_algorithm == 1;
  ok = ok && h.capacity == 2048 && h.grain_size == 128 && h.over_head == 128;
  ok = ok && h.descriptor_offset == 1 && h.descriptor_size == 20 && h.rgd_offset == 0;
  ok = ok && h.gd_offset == ~std::uint64_t{0} && h.unclean_shutdown == 0;
  ok = ok && l.make_header(4711).gd_offset == 4711;
  const auto front = stream_layout::for_capacity(1_MiB, {.table_place = tables::in_front}).value();
  ok = ok && front.table_place() == tables::in_front && l.table_place() == tables::at_end;
  ok = ok && front.make_header().gd_offset == 21 && front.make_header().over_head == 26;
  return ok;
}
static_assert(header_says_what_the_format_wants());

/// A file that mkimg writes: a grain of 0xf1 bytes at byte 0x10000, the table behind 66 sectors of
/// grains.
constexpr bool size_counts_a_known_file() {
  const auto l = stream_layout::for_capacity(0x2800 * 512, {.descriptor_sectors = 1}).value();
  stream_size size(l);
  bool ok = size.add_grain(0, 0xf1) == 0x80 && !size.ends_table(1);
  ok = ok && size.add_grain(79, 65 * 512 - 12) == 0x81 && size.next_sector() == 0x18400 / 512;
  ok = ok && size.table_open() && size.table() == 0 && size.file_bytes() == 0x19800;
  ok = ok && size.end_table() == 0xc3 && !size.table_open() && size.file_bytes() == 0x19800;
  return ok && size.stored_grains() == 2;
}
static_assert(size_counts_a_known_file());

constexpr bool size_puts_tables_between_grains() {
  const auto l = stream_layout::for_capacity(200_MiB).value();
  stream_size size(l);
  bool ok = size.add_grain(511, 1) == 128 && size.ends_table(512) && size.ends_table(1024);
  ok = ok && size.add_grain(1024, 1) == 129 + 5 && size.table() == 2;
  ok = ok && size.file_bytes() == 512 * (135 + 5 + 2 + 3);
  const auto front =
      stream_layout::for_capacity(200_MiB, {.table_place = tables::in_front}).value();
  stream_size dense(front);
  const std::uint64_t first = 22 + 7 * 4;
  ok = ok && dense.add_grain(511, 1) == first && !dense.ends_table(1024);
  ok = ok && dense.add_grain(1024, 1) == first + 1 && dense.file_bytes() == 512 * (first + 3);
  return ok;
}
static_assert(size_puts_tables_between_grains());

constexpr bool size_refuses_what_is_no_grain() {
  const auto l = stream_layout::for_capacity(1_MiB).value();
  stream_size size(l);
  bool ok = size.add_grain(3, 100) == 128;
  const std::uint64_t at = 65536;
  ok =
      ok && size.add_grain(3, 1).error() == options_failure(errc::marker_lba_not_ascending, 3 * at);
  ok = ok && size.add_grain(0, 1).error() == options_failure(errc::marker_lba_not_ascending);
  ok =
      ok && size.add_grain(16, 1).error() == options_failure(errc::content_exceeds_capacity, 1_MiB);
  ok = ok && size.add_grain(most, 1).error().code == errc::content_exceeds_capacity;
  ok = ok && size.add_grain(4, 0).error() == options_failure(errc::marker_size_invalid, 4 * at, 0);
  ok = ok && size.add_grain(4, 66037).error() ==
                 options_failure(errc::marker_size_invalid, 4 * at, 66037);
  ok = ok && size.add_grain(15, 66036) == 129 && size.stored_grains() == 2;
  return ok;
}
static_assert(size_refuses_what_is_no_grain());

/// Of grains that do not compress, the last one that fits is the one whose table still begins below
/// sector 2^32. A very long descriptor leaves room for few of them.
bool size_ends_at_the_last_sector_number(tables place) {
  const auto l =
      stream_layout::for_capacity(4_GiB, {.descriptor_sectors = 0xFFFF0000, .table_place = place})
          .value();
  const auto bound = static_cast<std::uint32_t>(stored::bound(65536));
  if (l.max_file_bytes(bound).error() != options_failure(errc::extent_too_large)) return false;
  stream_size size(l);
  std::uint64_t grain = 0;
  std::uint64_t last = 0;
  for (;; ++grain) {
    const stream_size before = size;
    const auto sector = size.add_grain(grain, bound);
    if (sector) {
      last = *sector;
      continue;
    }
    const bool same = size.next_sector() == before.next_sector();
    if (!same || sector.error() != options_failure(errc::extent_too_large, grain * 65536)) {
      return false;
    }
    break;
  }
  constexpr std::uint64_t limit = std::uint64_t{1} << 32;
  // A smaller grain may still fit.
  const auto small = size.add_grain(grain, 1);
  if (place == tables::at_end) {
    stream_size ended = size;
    return last < limit && ended.end_table() < limit && size.next_sector() + 1 + 129 >= limit;
  }
  return last < limit && !small && size.next_sector() >= limit;
}

/// True when a disk of one grain behind a very long descriptor fits, or not, as it should.
constexpr bool fits_or_not(bool should, std::uint32_t descriptor_sectors, std::uint32_t bytes,
                           tables place) {
  const auto l =
      stream_layout::for_capacity(
          512, {.grain_sectors = 8, .descriptor_sectors = descriptor_sectors, .table_place = place})
          .value();
  return stream_size(l).add_grain(0, bytes).ok() == should &&
         l.max_file_bytes(bytes).ok() == should;
}

constexpr bool maximum_ends_at_the_last_sector_number() {
  // The grain at sector 2^32 - 8, its table behind it and a marker.
  bool ok = fits_or_not(true, 0xFFFFFFF7, 6 * 512 - 12, tables::at_end);
  ok = ok && fits_or_not(false, 0xFFFFFFF7, 6 * 512 - 11, tables::at_end);
  // The grain at sector 2^32 - 1, behind a sector of directory and a table.
  ok = ok && fits_or_not(true, 0xFFFFFFFF - 6, 4096, tables::in_front);
  return ok && fits_or_not(false, 0xFFFFFFFF - 5, 1, tables::in_front);
}
static_assert(maximum_ends_at_the_last_sector_number());

bool maximum_is_what_the_largest_grains_take(tables place, std::uint32_t grain_sectors,
                                             std::uint64_t disk_bytes, std::uint32_t bound) {
  const auto l = stream_layout::for_capacity(disk_bytes,
                                             {.grain_sectors = grain_sectors, .table_place = place})
                     .value();
  stream_size size(l);
  for (std::uint64_t grain = 0; grain < l.grain_count(); ++grain) {
    if (!size.add_grain(grain, bound)) return false;
  }
  return l.max_file_bytes(bound) == size.file_bytes();
}

/// In numbers that cannot wrap.
bool agrees_with_wide_arithmetic(std::mt19937_64& random) {
  const std::uint64_t bytes = (random() >> (random() % 64)) | 1;
  const std::uint32_t grain = 8u << random() % 9;
  const auto place = random() % 2 == 0 ? tables::at_end : tables::in_front;
  const auto rule = random() % 2 == 0 ? capacity_rule::exact : capacity_rule::whole_grains;
  const auto descriptor = static_cast<std::uint32_t>(1 + random() % 2048);
  const std::uint64_t bound = 1 + (random() >> (random() % 64)) % (most - 1);

  wide capacity = ceil_divided(bytes, 512);
  if (rule == capacity_rule::whole_grains) capacity = ceil_divided(capacity, grain) * grain;
  const wide grains = ceil_divided(capacity, grain);
  const wide all_tables = ceil_divided(grains, 512);
  const wide directory = ceil_divided(all_tables, 128);
  wide overhead = 1 + descriptor;
  if (place == tables::at_end) {
    overhead = ceil_divided(overhead, grain) * grain;
  } else {
    overhead += directory + 4 * all_tables;
  }
  constexpr wide limit = wide{1} << 32;
  const bool possible = all_tables <= (wide{1} << 25) && overhead <= limit;

  const auto made = stream_layout::for_capacity(bytes, {.grain_sectors = grain,
                                                        .descriptor_sectors = descriptor,
                                                        .capacity = rule,
                                                        .table_place = place});
  if (!possible) return made.error() == options_failure(errc::capacity_too_large);
  if (!made) return false;
  const wide most_bytes = std::min<wide>(bound, wide{grain} * 512 + 500);
  const wide each = ceil_divided(most_bytes + 12, 512);
  const wide tail = place == tables::at_end ? 1 + directory + 3 : 1;
  wide end = overhead + grains * each;
  wide last = end - each;
  if (place == tables::at_end) {
    end += 5 * all_tables;
    last = end - 4;
  }
  bool ok = made->overhead_sectors() == overhead;
  ok = ok && made->min_file_bytes() == (overhead + tail) * 512;
  const auto maximum = made->max_file_bytes(bound);
  if (last >= limit) return ok && maximum.error() == options_failure(errc::extent_too_large);
  return ok && maximum && *maximum == (end + tail) * 512;
}

TEST_CASE("a stream's layout is where other writers have it") {
  CHECK(all_answers_are_known());
  CHECK(what_cannot_be_is_refused());
  CHECK(the_type_has_the_grain());
  CHECK(header_says_what_the_format_wants());
}

TEST_CASE("a stream's grains have the room that readers have") {
  CHECK(a_grain_takes_what_readers_take());
  CHECK(stored_grains_never_pass_the_limit());
}

TEST_CASE("a stream's size follows from its grains") {
  CHECK(size_counts_a_known_file());
  CHECK(size_puts_tables_between_grains());
  CHECK(size_refuses_what_is_no_grain());
}

TEST_CASE("a stream's grains and tables begin below sector 2^32") {
  CHECK(size_ends_at_the_last_sector_number(tables::at_end));
  CHECK(size_ends_at_the_last_sector_number(tables::in_front));
  CHECK(maximum_ends_at_the_last_sector_number());
}

TEST_CASE("a stream is never larger than its maximum") {
  for (const auto place : {tables::at_end, tables::in_front}) {
    CHECK(maximum_is_what_the_largest_grains_take(place, 128, 100_MiB + 5, 66036));
    CHECK(maximum_is_what_the_largest_grains_take(place, 8, 33_MiB, 4096 + 500));
    CHECK(maximum_is_what_the_largest_grains_take(place, 16, 1, 1));
  }
}

TEST_CASE("a stream's arithmetic never wraps") {
  std::mt19937_64 random(4711);
  bool ok = true;
  for (int i = 0; i < 20000 && ok; ++i) ok = agrees_with_wide_arithmetic(random);
  CHECK(ok);
}

}  // namespace

}  // namespace stream_layout_test
