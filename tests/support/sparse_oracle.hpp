// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "tests/support/wide.hpp"

/// What SPEC 13.1 wants of a sparse header, worked out a second time from its raw bytes: in numbers
/// so wide that nothing can wrap, and with none of the library's code.
namespace testing_support {

/// Reads n bytes as a little-endian number.
constexpr std::uint64_t number_at(const std::byte* bytes, std::size_t offset, std::size_t n) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < n; ++i) {
    value |= std::uint64_t{std::to_integer<unsigned>(bytes[offset + i])} << (8 * i);
  }
  return value;
}

constexpr wide ceil_divided(wide n, wide divisor) { return (n + divisor - 1) / divisor; }

/// What a reader may rely on once it has accepted a header.
struct sparse_facts {
  bool lengths_are_sane = false;      ///< Capacity, grain, table size and tables by themselves.
  bool directory_is_inside = false;   ///< Or it is at the end, where a footer says.
  bool redundant_is_inside = false;   ///< Or there is none.
  bool descriptor_is_inside = false;  ///< Or there is none.
  bool overhead_is_inside = false;    ///< Or the directory, and so a footer, is at the end.
  bool nothing_overlaps = false;      ///< Header, descriptor and primary directory.
  bool flags_are_consistent = false;

  constexpr bool all() const {
    return lengths_are_sane && directory_is_inside && redundant_is_inside && descriptor_is_inside &&
           overhead_is_inside && nothing_overlaps && flags_are_consistent;
  }
};

/// Works the facts out for a file of so many bytes that begins with these 512.
constexpr sparse_facts sparse_facts_of(const std::byte* header, std::uint64_t file_bytes) {
  constexpr std::uint64_t at_end = ~std::uint64_t{0};
  const std::uint64_t flags = number_at(header, 8, 4);
  const wide capacity = number_at(header, 12, 8);
  const wide grain = number_at(header, 20, 8);
  const wide descriptor = number_at(header, 28, 8);
  const wide descriptor_size = number_at(header, 36, 8);
  const wide redundant = number_at(header, 48, 8);
  const wide primary = number_at(header, 56, 8);
  const wide overhead = number_at(header, 64, 8);
  const std::uint64_t algorithm = number_at(header, 77, 2);
  const wide file_sectors = file_bytes / 512;

  sparse_facts facts;
  bool power_of_two = false;
  const bool compressed = (flags & 0x10000) != 0;
  const unsigned largest_shift = compressed ? 12 : 21;
  for (unsigned shift = 0; shift <= largest_shift; ++shift) {
    power_of_two |= grain == wide{1} << shift;
  }
  facts.lengths_are_sane = power_of_two && capacity >= 1 && capacity <= wide{1} << 54 &&
                           number_at(header, 44, 4) == 512 && number_at(header, 4, 4) >= 1 &&
                           number_at(header, 4, 4) <= 3;
  if (!facts.lengths_are_sane) return facts;

  const wide tables = ceil_divided(ceil_divided(capacity, grain), 512);
  facts.lengths_are_sane = tables <= wide{1} << 25;
  if (!facts.lengths_are_sane) return facts;
  const wide directory_sectors = ceil_divided(tables * 4, 512);
  const auto inside = [&](wide first, wide sectors) {
    return first >= 1 && first + sectors <= file_sectors;
  };
  const auto apart = [](wide a, wide a_sectors, wide b, wide b_sectors) {
    return a + a_sectors <= b || b + b_sectors <= a;
  };
  const bool primary_here = primary != at_end;
  const bool redundant_here = (flags & 2) != 0 && !(redundant == 0 && !primary_here);
  facts.directory_is_inside = !primary_here || inside(primary, directory_sectors);
  facts.redundant_is_inside = !redundant_here || inside(redundant, directory_sectors);
  facts.descriptor_is_inside = descriptor == 0 || (inside(descriptor, descriptor_size) &&
                                                   descriptor_size >= 1 && descriptor_size <= 2048);
  facts.overhead_is_inside = !primary_here || overhead <= ceil_divided(file_bytes, 512);
  facts.nothing_overlaps = (!primary_here || descriptor == 0 ||
                            apart(primary, directory_sectors, descriptor, descriptor_size)) &&
                           (!redundant_here || descriptor == 0 ||
                            apart(redundant, directory_sectors, descriptor, descriptor_size)) &&
                           (!redundant_here || !primary_here || redundant == primary ||
                            apart(redundant, directory_sectors, primary, directory_sectors));
  facts.flags_are_consistent = (flags & 0xFFFC0000) == 0 &&
                               compressed == ((flags >> 17 & 1) != 0) &&
                               algorithm == (compressed ? 1 : 0) &&
                               ((flags & 1) == 0 || number_at(header, 73, 4) == 0x0A0D200A);
  return facts;
}

}  // namespace testing_support
