// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/layout/split.hpp"

#include <catch2/catch.hpp>
#include <string_view>

namespace split_layout_test {
namespace {

using namespace vmdk;
using namespace vmdk::literals;

constexpr std::uint64_t piece = 2047_MiB;

constexpr std::uint64_t capacity_of(std::uint64_t bytes, std::uint32_t grain, capacity_rule rule) {
  const std::uint64_t unit = rule == capacity_rule::exact ? 512 : grain * 512;
  return (bytes + unit - 1) / unit * unit;
}

/// All that must hold of a disk of so many bytes, by arithmetic of its own.
constexpr bool is_laid_out(std::uint64_t bytes, std::uint32_t grain, capacity_rule rule) {
  const auto made = split_layout::for_capacity(bytes, {.grain_sectors = grain, .capacity = rule});
  if (!made) return false;
  const split_layout& l = *made;
  const std::uint64_t capacity = capacity_of(bytes, grain, rule);
  const std::uint64_t count = (capacity + piece - 1) / piece;
  const std::uint64_t grain_bytes = grain * 512;
  const std::uint64_t grains = (capacity + grain_bytes - 1) / grain_bytes;
  bool ok = l.capacity_bytes() == capacity && l.capacity_sectors() == capacity / 512;
  ok = ok && l.piece_count() == count && l.grain_count() == grains && l.grain_sectors() == grain;

  std::uint64_t disk = 0;
  std::uint64_t smallest = 0;
  std::uint64_t largest = 0;
  std::uint64_t piece_grains = 0;
  for (std::uint32_t i = 0; ok && i < count; ++i) {
    const region place = l.piece(i);
    const std::uint64_t wanted = i + 1 < count ? piece : capacity - disk;
    ok = ok && place.first_byte() == disk && place.bytes() == wanted;
    disk += wanted;
    const sparse_layout extent = l.extent(i);
    ok = ok && extent.capacity_bytes() == wanted && extent.grain_sectors() == grain;
    // Header, two directories, two sets of tables, padding.
    const std::uint64_t own_grains = (wanted + grain_bytes - 1) / grain_bytes;
    const std::uint64_t tables = (own_grains + 511) / 512;
    const std::uint64_t directory = (tables * 4 + 511) / 512;
    const std::uint64_t overhead =
        (1 + 2 * (directory + 4 * tables) + grain - 1) / grain * grain * 512;
    ok = ok && extent.redundant_directory() == region{1, directory};
    ok = ok && extent.directory() == region{1 + directory + 4 * tables, directory};
    ok = ok && extent.descriptor().sectors == 0;
    const sparse_extent_header h = extent.make_header();
    ok = ok && h.descriptor_offset == 0u && h.descriptor_size == 0u && h.rgd_offset == 1u;
    ok = ok && l.file_bytes(i, 0) == overhead;
    ok = ok && l.file_bytes(i, own_grains) == overhead + own_grains * grain_bytes;
    ok = ok &&
         l.file_bytes(i, own_grains + 1).error() == options_failure(errc::content_exceeds_capacity);
    smallest += overhead;
    largest += overhead + own_grains * grain_bytes;
    piece_grains += own_grains;
  }
  ok = ok && disk == capacity && piece_grains == grains;
  ok = ok && l.min_extents_bytes() == smallest && l.max_extents_bytes() == largest;
  ok = ok && l.extents_bytes(1) == smallest + grain_bytes;
  return ok &&
         l.extents_bytes(grains + 1).error() == options_failure(errc::content_exceeds_capacity);
}

constexpr bool borders_are_met() {
  for (const auto rule : {capacity_rule::whole_grains, capacity_rule::exact}) {
    for (const std::uint64_t bytes :
         {std::uint64_t{1}, std::uint64_t{512}, 1_MiB, piece - 512, piece - 1, piece, piece + 1,
          piece + 512, 2 * piece, 2 * piece + 513, 64_GiB}) {
      if (!is_laid_out(bytes, 128, rule)) return false;
    }
  }
  for (std::uint32_t grain = 8; grain <= 2048; grain *= 2) {
    if (!is_laid_out(piece + 1, grain, capacity_rule::whole_grains)) return false;
    if (!is_laid_out(piece + 1, grain, capacity_rule::exact)) return false;
  }
  return true;
}
static_assert(borders_are_met());

// ---- The sizes as a user asks for them. ----

constexpr auto large = layout<two_gb_max_extent_sparse<128>>::for_capacity(64_GiB).value();
static_assert(large.piece_count() == 33);
static_assert(large.piece(32) == region{32u * 4192256u, 64u * 2048u * 1024u - 32u * 4192256u});
static_assert(large.extent(0).overhead_sectors() == 640);
// Two directories of one sector, each with the four sectors of one table.
static_assert(large.extent(32).overhead_sectors() == 128);
static_assert(large.min_extents_bytes() == (32 * 640 + 128) * 512);
static_assert(large.max_extents_bytes() == 64_GiB + (32 * 640 + 128) * 512);

constexpr bool descriptor_is_counted() {
  using namespace std::string_view_literals;
  descriptor_fields fields;
  fields.type = create_type::two_gb_max_extent_sparse;
  fields.disk_geometry = geometry_for(fields.controller, large.capacity_sectors());
  const auto lines = large.extents("disk.vmdk"sv);
  bool ok = lines.size() == 33 && lines[0].sectors == 4192256 && lines[0].name.piece == 1;
  ok = ok && lines[32].name.piece == 33 && lines[32].name.stem == "disk"sv;
  ok = ok && lines[5].type == extent_type::sparse && !lines[5].has_offset;
  std::byte text[4096]{};
  const auto built = build_descriptor(fields, lines, text);
  ok = ok && built.ok() && *built == large.descriptor_bytes(fields, "disk.vmdk"sv);
  // Each further letter of the name is in 33 lines.
  return ok && large.descriptor_bytes(fields, "disks.vmdk"sv) == *built + 33;
}
static_assert(descriptor_is_counted());

constexpr bool stems_are_cut() {
  using namespace std::string_view_literals;
  return stem_of("disk.vmdk"sv) == "disk"sv && stem_of("DISK.VMDK"sv) == "DISK"sv &&
         stem_of("disk"sv) == "disk"sv && stem_of("a.vmdk.vmdk"sv) == "a.vmdk"sv &&
         stem_of(".vmdk"sv) == ".vmdk"sv && stem_of("avmdk"sv) == "avmdk"sv &&
         stem_of("a.b"sv) == "a.b"sv && stem_of(""sv) == ""sv;
}
static_assert(stems_are_cut());

constexpr bool bad_disks_are_refused() {
  const auto refused = [](std::uint64_t bytes, std::uint32_t grain) {
    return split_layout::for_capacity(bytes, {.grain_sectors = grain}).error();
  };
  bool ok = refused(0, 128) == options_failure(errc::capacity_zero);
  for (const std::uint32_t grain : {0u, 4u, 7u, 4096u}) {
    ok = ok && refused(4096, grain) == options_failure(errc::grain_size_invalid, 0, grain);
  }
  ok = ok && refused(most_pieces * piece, 128) == no_failure;
  ok = ok && refused(most_pieces * piece + 1, 128) == options_failure(errc::capacity_too_large);
  ok = ok && refused(std::uint64_t{1} << 62, 128) == options_failure(errc::capacity_too_large);
  ok = ok && refused(~std::uint64_t{0}, 128) == options_failure(errc::capacity_too_large);
  return ok && split_layout::for_capacity(most_pieces * piece).value().piece_count() == most_pieces;
}
static_assert(bad_disks_are_refused());

constexpr bool bad_disks_of_a_type_are_refused() {
  using type = two_gb_max_extent_sparse<16>;
  return layout<type>::for_capacity(0).error() == options_failure(errc::capacity_zero) &&
         layout<type>::for_capacity(1, {.grain_sectors = 7})->grain_sectors() == 16;
}
static_assert(bad_disks_of_a_type_are_refused());

}  // namespace

TEST_CASE("a split sparse disk is cut where it should be, and each file has its size") {
  CHECK(borders_are_met());
  CHECK(is_laid_out(3_TiB, 128, capacity_rule::whole_grains));
}

TEST_CASE("the size of a split disk's descriptor is that of its text") {
  CHECK(descriptor_is_counted());
}

TEST_CASE("the names of a disk's files follow from its descriptor's") { CHECK(stems_are_cut()); }

TEST_CASE("disks that cannot be split are refused") {
  CHECK(bad_disks_are_refused());
  CHECK(bad_disks_of_a_type_are_refused());
}

TEST_CASE("the type's grain makes the layout of the one given at run time") {
  const auto fixed = layout<two_gb_max_extent_sparse<16>>::for_capacity(5_GiB + 7).value();
  const auto given = layout<two_gb_max_extent_sparse<dynamic_grain>>::for_capacity(
                         5_GiB + 7, {.grain_sectors = 16})
                         .value();
  CHECK(fixed.grain_sectors() == 16);
  CHECK(fixed.capacity_sectors() == given.capacity_sectors());
  CHECK(fixed.max_extents_bytes() == given.max_extents_bytes());
}

}  // namespace split_layout_test
