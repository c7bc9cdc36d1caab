// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "vmdk/reader/mapping.hpp"
#include "vmdk/reader/table_cache.hpp"

namespace support {

/// A file in memory that counts its reads and fails one of them.
class watched_file {
 public:
  constexpr explicit watched_file(vmdk::byte_view bytes) : bytes_(bytes) {}

  constexpr vmdk::failure read_at(std::uint64_t offset, vmdk::byte_span out) {
    if (++reads == failing_read) return why;
    if (!vmdk::fits_inside(offset, out.size(), bytes_.size())) {
      return vmdk::source_failure(vmdk::errc::out_of_range, offset);
    }
    vmdk::copy_bytes(out.data(), bytes_.data() + offset, out.size());
    return vmdk::no_failure;
  }

  int reads = 0;
  int failing_read = 0;  ///< Counted from 1.
  vmdk::failure why = vmdk::source_failure(vmdk::errc::read_failed, 77, 5);

 private:
  vmdk::byte_view bytes_;
};

/// A table cache with the least memory, or with so much.
template <std::size_t DirectoryBytes = 512, std::size_t TableBytes = 512>
struct owned_cache {
  std::array<std::byte, DirectoryBytes> directory{};
  std::array<std::byte, TableBytes> table{};

  constexpr vmdk::table_cache cache() {
    return {vmdk::window_cache(directory), vmdk::window_cache(table)};
  }
};

/// What stands where an extent has nothing.
inline constexpr std::byte absent_byte{0xA5};

/// The whole disk of an extent; empty when a lookup fails or tells of a range that cannot be.
template <class Extent, class File>
std::vector<std::byte> read_extent(const Extent& extent, File& file, vmdk::table_cache& cache) {
  std::vector<std::byte> disk(static_cast<std::size_t>(extent.capacity_bytes()), absent_byte);
  for (std::uint64_t at = 0; at < disk.size();) {
    const auto found = extent.map(file, at, cache);
    if (!found || found->bytes == 0 || found->bytes > disk.size() - at) return {};
    const vmdk::byte_span part{disk.data() + at, static_cast<std::size_t>(found->bytes)};
    if (found->where == vmdk::placement::zero) vmdk::zero_bytes(part);
    if (found->where == vmdk::placement::stored && file.read_at(found->file_offset, part))
      return {};
    at += found->bytes;
  }
  return disk;
}

/// True when an extent reads as a disk.
template <class Extent, class File>
bool reads_as(const std::vector<std::byte>& disk, const Extent& extent, File& file,
              vmdk::table_cache& cache) {
  const std::vector<std::byte> read = read_extent(extent, file, cache);
  return read.size() == disk.size() && vmdk::equal_bytes(read.data(), disk.data(), disk.size());
}

}  // namespace support
