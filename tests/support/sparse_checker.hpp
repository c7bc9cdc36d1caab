// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/sparse_oracle.hpp"

namespace testing_support {

/// What a monolithicSparse file has to be, for sparse_file_fault.
struct sparse_file_demands {
  std::uint64_t grain_sectors = 128;
  std::uint64_t descriptor_sectors = 20;
  bool primary_first = false;
  bool exact_capacity = false;
};

/// Holds a whole file against SPEC 2 to 4 and the disk that it is made from, and says what is wrong
/// with it first; nothing when all is right. Every byte is accounted for except the descriptor's
/// text. Shares no code with the writer.
inline std::string sparse_file_fault(const std::vector<std::byte>& file,
                                     const std::vector<std::byte>& disk,
                                     const sparse_file_demands& demands) {
  const auto rounded = [](std::uint64_t n, std::uint64_t unit) {
    return (n + unit - 1) / unit * unit;
  };
  const auto field = [&](std::size_t offset, std::size_t n) {
    return offset + n <= file.size() ? number_at(file.data(), offset, n) : 0;
  };
  const auto zeros = [&](std::uint64_t from, std::uint64_t to) {
    return to <= file.size() && std::all_of(file.begin() + static_cast<std::ptrdiff_t>(from),
                                            file.begin() + static_cast<std::ptrdiff_t>(to),
                                            [](std::byte b) { return b == std::byte{0}; });
  };
  const std::uint64_t grain_sectors = demands.grain_sectors;
  const std::uint64_t grain_bytes = grain_sectors * 512;
  const std::uint64_t capacity =
      rounded(disk.size(), demands.exact_capacity ? 512 : grain_bytes) / 512;
  const std::uint64_t grains = rounded(disk.size(), grain_bytes) / grain_bytes;
  const std::uint64_t tables = rounded(grains, 512) / 512;
  const std::uint64_t directory_sectors = rounded(tables * 4, 512) / 512;
  const std::uint64_t first_directory = 1 + demands.descriptor_sectors;
  const std::uint64_t second_directory = first_directory + directory_sectors + 4 * tables;
  const std::uint64_t tables_end = second_directory + directory_sectors + 4 * tables;
  const std::uint64_t overhead = rounded(tables_end, grain_sectors);

  if (file.size() < overhead * 512) return "shorter than its overhead";
  constexpr std::string_view magic = "KDMV";
  for (std::size_t i = 0; i < 4; ++i) {
    if (static_cast<char>(file[i]) != magic[i]) return "magic";
  }
  if (field(4, 4) != 1) return "version";
  if (field(8, 4) != 3) return "flags";
  if (field(12, 8) != capacity) return "capacity";
  if (field(20, 8) != grain_sectors) return "grain size";
  if (field(28, 8) != 1 || field(36, 8) != demands.descriptor_sectors) return "descriptor's place";
  if (field(44, 4) != 512) return "entries per table";
  if (field(48, 8) != (demands.primary_first ? second_directory : first_directory)) return "rgd";
  if (field(56, 8) != (demands.primary_first ? first_directory : second_directory)) return "gd";
  if (field(64, 8) != overhead) return "overhead";
  if (field(72, 1) != 0 || field(73, 4) != 0x0A0D200A || field(77, 2) != 0) return "header's end";
  if (!zeros(79, 512)) return "header's padding";

  std::uint64_t text_end = 512;
  while (text_end < first_directory * 512 && file[text_end] != std::byte{0}) ++text_end;
  if (text_end == 512 || file[text_end - 1] != std::byte{'\n'}) return "descriptor's text";
  if (!zeros(text_end, first_directory * 512)) return "descriptor's padding";

  for (const std::uint64_t directory : {first_directory, second_directory}) {
    const std::uint64_t first_table = directory + directory_sectors;
    for (std::uint64_t t = 0; t < tables; ++t) {
      if (field(directory * 512 + 4 * t, 4) != first_table + 4 * t) return "directory";
    }
    if (!zeros(directory * 512 + 4 * tables, first_table * 512)) return "directory's padding";

    std::uint64_t next = overhead;
    for (std::uint64_t g = 0; g < tables * 512; ++g) {
      const std::uint64_t from = std::min<std::uint64_t>(g * grain_bytes, disk.size());
      const std::uint64_t to = std::min<std::uint64_t>(from + grain_bytes, disk.size());
      const bool data = std::any_of(disk.begin() + static_cast<std::ptrdiff_t>(from),
                                    disk.begin() + static_cast<std::ptrdiff_t>(to),
                                    [](std::byte b) { return b != std::byte{0}; });
      const std::uint64_t entry = field(first_table * 512 + 4 * g, 4);
      if (entry != (data ? next : 0)) return "entry of grain " + std::to_string(g);
      if (!data) continue;
      if (file.size() < (next + grain_sectors) * 512) return "shorter than its grains";
      if (!std::equal(disk.begin() + static_cast<std::ptrdiff_t>(from),
                      disk.begin() + static_cast<std::ptrdiff_t>(to),
                      file.begin() + static_cast<std::ptrdiff_t>(next * 512))) {
        return "content of grain " + std::to_string(g);
      }
      if (!zeros(next * 512 + (to - from), (next + grain_sectors) * 512)) return "grain's padding";
      next += grain_sectors;
    }
    if (file.size() != next * 512) return "file size";
  }
  if (!zeros(tables_end * 512, overhead * 512)) return "padding before the grains";
  return {};
}

}  // namespace testing_support
