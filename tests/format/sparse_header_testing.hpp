// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "tests/format/header_rules.hpp"
#include "vmdk/format/sparse_header_check.hpp"

/// A good sparse header, its fields, and what a check says of one.
namespace sparse_header_testing {

using namespace vmdk;
using header_testing::field;

inline constexpr std::uint64_t most = ~std::uint64_t{0};
inline constexpr std::uint64_t file_sectors = 1408;
inline constexpr std::uint64_t file_bytes = file_sectors * 512;

/// A header that breaks no rule, for a file of file_bytes with directories of one sector each.
constexpr sparse_extent_header good_header() {
  sparse_extent_header h;
  h.flags = 3u;
  h.capacity = std::uint64_t{603 * 128};
  h.grain_size = std::uint64_t{128};
  h.descriptor_offset = std::uint64_t{1};
  h.descriptor_size = std::uint64_t{20};
  h.rgd_offset = std::uint64_t{21};
  h.gd_offset = std::uint64_t{30};
  h.over_head = std::uint64_t{128};
  return h;
}

/// The fields of SPEC 2 that the rules are about.
inline constexpr field magic{0, 4}, version{4, 4}, flags{8, 4}, capacity{12, 8}, grain{20, 8},
    descriptor{28, 8}, descriptor_size{36, 8}, entries{44, 4}, redundant{48, 8}, directory{56, 8},
    overhead{64, 8}, unclean{72, 1}, newline_1{73, 1}, newline_2{74, 1}, newline_3{75, 1},
    newline_4{76, 1}, algorithm{77, 2}, first_pad{79, 1}, last_pad{511, 1};

constexpr sparse_extent_header with(const sparse_extent_header& header, field f,
                                    std::uint64_t value) {
  return decode_sparse_header(header_testing::with(encode(header), f, value));
}

/// Gathers what a check reports.
struct findings {
  std::array<errc, 16> codes{};
  std::array<std::uint64_t, 16> offsets{};
  std::size_t count = 0;

  constexpr bool operator()(errc code, std::uint64_t offset) {
    codes[count] = code;
    offsets[count++] = offset;
    return true;
  }
  constexpr bool has(errc code, std::uint64_t offset) const {
    for (std::size_t i = 0; i < count; ++i) {
      if (codes[i] == code && offsets[i] == offset) return true;
    }
    return false;
  }
  constexpr bool has_an_error() const {
    for (std::size_t i = 0; i < count; ++i) {
      if (severity_of(codes[i]) == severity::error) return true;
    }
    return false;
  }
  constexpr bool has_notes_alone() const {
    for (std::size_t i = 0; i < count; ++i) {
      if (severity_of(codes[i]) != severity::note) return false;
    }
    return true;
  }
};

}  // namespace sparse_header_testing
