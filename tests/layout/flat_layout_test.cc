// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/layout/flat.hpp"

#include <catch2/catch.hpp>
#include <string_view>

namespace flat_layout_test {
namespace {

using namespace vmdk;
using namespace vmdk::literals;
using namespace std::string_view_literals;

constexpr std::uint64_t piece = std::uint64_t{4193792} * 512;

constexpr bool is_cut(std::uint64_t bytes) {
  const auto made = layout<two_gb_max_extent_flat>::for_capacity(bytes);
  if (!made) return false;
  const std::uint64_t capacity = (bytes + 511) / 512 * 512;
  bool ok = made->capacity_bytes() == capacity && made->extents_bytes() == capacity;
  ok = ok && made->piece_count() == (capacity + piece - 1) / piece;
  std::uint64_t sum = 0;
  for (std::uint32_t i = 0; i < made->piece_count(); ++i) {
    ok = ok && made->piece(i).first_byte() == sum && made->file_bytes(i) == made->piece(i).bytes();
    ok = ok && (i + 1 == made->piece_count() || made->file_bytes(i) == piece);
    sum += made->file_bytes(i);
  }
  return ok && sum == capacity && made->file_bytes(made->piece_count() - 1) != 0;
}

constexpr bool borders_are_met() {
  for (const std::uint64_t bytes :
       {std::uint64_t{1}, std::uint64_t{512}, std::uint64_t{513}, piece - 512, piece - 1, piece,
        piece + 1, piece + 512, 2 * piece, 2 * piece + 1, 64_GiB}) {
    if (!is_cut(bytes)) return false;
  }
  return true;
}
static_assert(borders_are_met());

constexpr auto one_file = layout<monolithic_flat>::for_capacity(64_TiB + 1).value();
static_assert(one_file.piece_count() == 1 && one_file.piece(0).sectors == (64_TiB >> 9) + 1);
static_assert(one_file.file_bytes(0) == 64_TiB + 512 && one_file.extents_bytes() == 64_TiB + 512);

/// The whole text, of one file and of two.
constexpr bool descriptor_is_counted() {
  descriptor_fields fields;
  fields.type = create_type::monolithic_flat;
  fields.disk_geometry = geometry_for(fields.controller, 1);
  std::byte text[4096]{};
  const auto holds = [&](std::size_t n, std::string_view part) {
    for (std::size_t at = 0; at + part.size() <= n; ++at) {
      std::size_t i = 0;
      while (i < part.size() && static_cast<char>(text[at + i]) == part[i]) ++i;
      if (i == part.size()) return true;
    }
    return false;
  };
  const auto whole = layout<monolithic_flat>::for_capacity(1000).value();
  auto built = build_descriptor(fields, whole.extents("d.vmdk"sv), text);
  bool ok = built.ok() && *built == whole.descriptor_bytes(fields, "d.vmdk"sv);
  ok = ok && holds(*built, "\nRW 2 FLAT \"d-flat.vmdk\" 0\n"sv);

  const auto two = layout<two_gb_max_extent_flat>::for_capacity(piece + 1).value();
  fields.type = create_type::two_gb_max_extent_flat;
  built = build_descriptor(fields, two.extents("d.vmdk"sv), text);
  ok = ok && built.ok() && *built == two.descriptor_bytes(fields, "d.vmdk"sv);
  return ok &&
         holds(*built, "\nRW 4193792 FLAT \"d-f001.vmdk\" 0\nRW 1 FLAT \"d-f002.vmdk\" 0\n"sv);
}
static_assert(descriptor_is_counted());

constexpr bool bad_disks_are_refused() {
  const auto flat = [](std::uint64_t bytes) {
    return layout<monolithic_flat>::for_capacity(bytes).error();
  };
  const auto split = [](std::uint64_t bytes) {
    return layout<two_gb_max_extent_flat>::for_capacity(bytes).error();
  };
  const failure too_large = options_failure(errc::capacity_too_large);
  return flat(0) == options_failure(errc::capacity_zero) &&
         split(0) == options_failure(errc::capacity_zero) && !flat(std::uint64_t{1} << 63) &&
         flat((std::uint64_t{1} << 63) + 1) == too_large && !split(most_pieces * piece) &&
         split(most_pieces * piece + 1) == too_large && split(~std::uint64_t{0}) == too_large;
}
static_assert(bad_disks_are_refused());

}  // namespace

TEST_CASE("a split flat disk is cut where it should be") {
  CHECK(borders_are_met());
  CHECK(is_cut(3_TiB + 5));
}

TEST_CASE("the size of a flat disk's descriptor is that of its text") {
  CHECK(descriptor_is_counted());
}

TEST_CASE("disks that cannot be flat are refused") { CHECK(bad_disks_are_refused()); }

}  // namespace flat_layout_test
