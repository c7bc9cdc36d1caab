// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/format/sparse_header.hpp"

#include <catch2/catch.hpp>
#include <iterator>

namespace sparse_header_test {
namespace {

using namespace vmdk;

/// A field, where SPEC 2 has it, and what it is set to here: another byte at each place.
struct placed_field {
  std::size_t offset;
  std::size_t bytes;
};
constexpr placed_field fields[] = {{0, 4},  {4, 4},  {8, 4},  {12, 8}, {20, 8}, {28, 8},
                                   {36, 8}, {44, 4}, {48, 8}, {56, 8}, {64, 8}, {72, 1},
                                   {73, 1}, {74, 1}, {75, 1}, {76, 1}, {77, 2}};

/// Takes the bytes 1, 2, 3 ... apart by hand.
constexpr std::uint64_t expected_number(const placed_field& field) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < field.bytes; ++i) {
    value |= std::uint64_t{(field.offset + i + 1) & 0xFF} << (8 * i);
  }
  return value;
}

constexpr sector_image counted_sector() {
  sector_image bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i + 1);
  return bytes;
}

constexpr bool every_field_is_in_its_place() {
  const sparse_extent_header h = decode_sparse_header(counted_sector());
  const std::uint64_t numbers[] = {h.magic_number,
                                   h.version,
                                   h.flags,
                                   h.capacity,
                                   h.grain_size,
                                   h.descriptor_offset,
                                   h.descriptor_size,
                                   h.num_gtes_per_gt,
                                   h.rgd_offset,
                                   h.gd_offset,
                                   h.over_head,
                                   h.unclean_shutdown,
                                   h.single_end_line_char,
                                   h.non_end_line_char,
                                   h.double_end_line_char1,
                                   h.double_end_line_char2,
                                   h.compress_algorithm};
  static_assert(std::size(numbers) == std::size(fields));
  bool ok = fields[16].offset + fields[16].bytes == 79;
  for (std::size_t i = 0; i < std::size(fields); ++i) {
    ok = ok && numbers[i] == expected_number(fields[i]);
  }
  return ok && h.pad[0] == std::byte{80} && h.pad[432] == std::byte{0};
}
static_assert(every_field_is_in_its_place());

constexpr bool bytes_come_back() {
  const sector_image bytes = counted_sector();
  bool ok = encode(decode_sparse_header(bytes)) == bytes;
  ok = ok && encode(decode_sparse_header(bytes.data())) == bytes;
  // The same without copies.
  sparse_extent_header in_place;
  decode_sparse_header(bytes, in_place);
  sector_image again{};
  encode(in_place, again.data());
  return ok && again == bytes && with_sparse_header(bytes, [&](const sparse_extent_header& h) {
           return encode(h) == bytes;
         });
}
static_assert(bytes_come_back());

/// The header that qemu-img makes for a disk of 77138 sectors (SPEC 4), byte by byte.
constexpr bool a_header_has_the_known_bytes() {
  sparse_extent_header h;
  h.flags = 3u;
  h.capacity = std::uint64_t{77138};
  h.grain_size = std::uint64_t{128};
  h.descriptor_offset = std::uint64_t{1};
  h.descriptor_size = std::uint64_t{20};
  h.rgd_offset = std::uint64_t{21};
  h.gd_offset = std::uint64_t{30};
  h.over_head = std::uint64_t{128};
  constexpr unsigned char expected[] = {
      'K',  'D',  'M', 'V',  1,    0, 0, 0,  // version
      3,    0,    0,   0,                    // flags
      0x52, 0x2D, 1,   0,    0,    0, 0, 0,  // capacity
      128,  0,    0,   0,    0,    0, 0, 0,  // grain
      1,    0,    0,   0,    0,    0, 0, 0,  // descriptor
      20,   0,    0,   0,    0,    0, 0, 0,  //
      0,    2,    0,   0,                    // entries
      21,   0,    0,   0,    0,    0, 0, 0,  // redundant directory
      30,   0,    0,   0,    0,    0, 0, 0,  // directory
      128,  0,    0,   0,    0,    0, 0, 0,  // overhead
      0,    '\n', ' ', '\r', '\n',           // clean; newline bytes
      0,    0};                              // no compression
  static_assert(std::size(expected) == 79);
  const sector_image bytes = encode(h);
  bool ok = true;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const unsigned wanted = i < std::size(expected) ? expected[i] : 0u;
    ok = ok && std::to_integer<unsigned>(bytes[i]) == wanted;
  }
  return ok;
}
static_assert(a_header_has_the_known_bytes());

constexpr bool flags_are_told() {
  sparse_extent_header h;
  bool ok = !h.is_compressed() && !h.has_tables_at_end() && !h.has(0xFFFFFFFF);
  h.flags = 0x30001u;
  h.gd_offset = directory_at_end;
  ok = ok && h.is_compressed() && h.has_tables_at_end() && h.has(sparse_flags::markers);
  ok = ok && h.has(sparse_flags::newline_bytes_valid) && !h.has(sparse_flags::redundant_tables);
  ok = ok && !h.has(sparse_flags::zeroed_grains) && !h.has(sparse_flags::incompatible_unknown);
  h.flags = 1u << 18;
  ok = ok && h.has(sparse_flags::incompatible_unknown);
  h.flags = 1u << 15;
  return ok && !h.has(sparse_flags::incompatible_unknown);
}
static_assert(flags_are_told());

}  // namespace

TEST_CASE("the sparse header is these 512 bytes") {
  CHECK(every_field_is_in_its_place());
  CHECK(bytes_come_back());
  CHECK(a_header_has_the_known_bytes());
  CHECK(flags_are_told());
}

}  // namespace sparse_header_test
