// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/paged_file.hpp"

/// Builds sparse images as other writers make them, or as nobody should: from SPEC 2 to 4 alone and
/// with none of the library's format code, so that neither hides a mistake of the other.
namespace testing_support {

/// The byte that a test disk has at an offset of its stored grains. Never 0, and neighbours differ,
/// as do grains, sectors and disks of another seed.
constexpr std::byte content_byte(std::uint64_t offset, std::uint64_t seed = 0) {
  const std::uint64_t mixed = (offset / 8 + seed * 0x51ED270B + 1) * 0x9E3779B97F4A7C15;
  const auto value = static_cast<unsigned>(mixed >> (8 * (offset % 8)) & 0xFF);
  return static_cast<std::byte>(value == 0 ? 0xA5u : value);
}

inline std::vector<std::byte> content_bytes(std::uint64_t offset, std::size_t n,
                                            std::uint64_t seed = 0) {
  std::vector<std::byte> bytes(n);
  for (std::size_t i = 0; i < n; ++i) bytes[i] = content_byte(offset + i, seed);
  return bytes;
}

/// Which copies of directory and tables a file has, and in which order.
enum class table_copies {
  redundant_first,  ///< VMware, qemu.
  primary_first,    ///< mkimg.
  primary_only,     ///< Flag bit 1 clear.
  shared,           ///< Both header fields name the same directory: old mkimg.
};

/// What a sparse image is to be. The defaults make a small one that every reader takes.
struct sparse_image_plan {
  std::uint64_t capacity_sectors = 1024;
  std::uint64_t grain_sectors = 16;
  std::uint32_t version = 1;
  std::uint32_t more_flags = 0;           ///< Beside newline bytes and redundant tables.
  std::uint32_t descriptor_sectors = 20;  ///< 0: none.
  std::string descriptor{};               ///< Its text; zeros follow.
  table_copies copies = table_copies::redundant_first;

  std::vector<std::uint64_t> stored{};  ///< Grains that hold content_byte, in the file's order.
  std::vector<std::uint64_t> zeroed{};  ///< Grains whose entry is 1.
  std::uint64_t seed = 0;

  std::uint64_t grain_alignment_sectors = 0;  ///< 0: the grain size.
  std::uint64_t grain_gap_sectors = 0;        ///< Unused sectors before each grain.
  std::uint64_t table_gap_sectors = 0;        ///< Unused sectors before each table.
  bool empty_tables_missing = false;          ///< Directory entry 0 where a table would be empty.
  bool tables_reversed = false;               ///< The last table comes first.
  bool last_grain_cut = false;                ///< The file ends with the disk, inside a grain.
  bool overhead_zero = false;                 ///< The header says overhead 0.
  bool unclean = false;
};

/// A built image: its file, where its parts are, and what the disk in it reads as.
struct sparse_image {
  sparse_image_plan plan;
  paged_file file;
  std::uint64_t directory_at = 0;  ///< Byte offsets in the file.
  std::uint64_t redundant_directory_at = 0;
  std::uint64_t overhead_bytes = 0;
  std::map<std::uint64_t, std::uint64_t> table_at;  ///< By the table's number.
  std::map<std::uint64_t, std::uint64_t> redundant_table_at;
  std::map<std::uint64_t, std::uint64_t> grain_at;  ///< By the grain's number.

  std::uint64_t disk_bytes() const { return plan.capacity_sectors * 512; }
  std::uint64_t grain_bytes() const { return plan.grain_sectors * 512; }

  /// Where the directory's and the table's entry of a grain are.
  std::uint64_t directory_entry_at(std::uint64_t grain) const {
    return directory_at + grain / 512 * 4;
  }
  std::uint64_t table_entry_at(std::uint64_t grain) const {
    return table_at.at(grain / 512) + grain % 512 * 4;
  }

  /// True when a byte of the disk lies in a stored grain.
  bool holds(std::uint64_t disk_offset) const {
    return grain_at.contains(disk_offset / grain_bytes());
  }
  /// Sectors of a grain that belong to the disk; fewer in the last.
  std::uint64_t used_sectors(std::uint64_t grain) const {
    const std::uint64_t left = plan.capacity_sectors - grain * plan.grain_sectors;
    return left < plan.grain_sectors ? left : plan.grain_sectors;
  }
  /// Sectors at either end of a grain that are not zero; of huge grains the middle is.
  std::uint64_t filled_sectors(std::uint64_t grain) const {
    return used_sectors(grain) < 256 ? used_sectors(grain) : 8;
  }
  std::byte disk_byte(std::uint64_t disk_offset) const {
    if (!holds(disk_offset)) return std::byte{0};
    const std::uint64_t grain = disk_offset / grain_bytes();
    const std::uint64_t sector = disk_offset % grain_bytes() / 512;
    const bool filled =
        sector < filled_sectors(grain) || sector >= used_sectors(grain) - filled_sectors(grain);
    return filled ? content_byte(disk_offset, plan.seed) : std::byte{0};
  }
};

namespace detail {

/// Puts down one directory and its tables; returns the sector behind them.
inline std::uint64_t build_tables(sparse_image& image, std::uint64_t sector, bool redundant) {
  const sparse_image_plan& plan = image.plan;
  const std::uint64_t grains =
      (plan.capacity_sectors + plan.grain_sectors - 1) / plan.grain_sectors;
  const std::uint64_t tables = (grains + 511) / 512;
  auto& table_at = redundant ? image.redundant_table_at : image.table_at;
  const std::uint64_t directory_at = sector * 512;
  (redundant ? image.redundant_directory_at : image.directory_at) = directory_at;

  std::map<std::uint64_t, bool> used;
  for (const std::uint64_t grain : plan.stored) used[grain / 512] = true;
  for (const std::uint64_t grain : plan.zeroed) used[grain / 512] = true;
  sector += (tables * 4 + 511) / 512;
  (void)image.file.resize(sector * 512);
  for (std::uint64_t i = 0; i < tables; ++i) {
    const std::uint64_t table = plan.tables_reversed ? tables - 1 - i : i;
    if (plan.empty_tables_missing && !used[table]) continue;
    sector += plan.table_gap_sectors;
    table_at[table] = sector * 512;
    image.file.put_number(directory_at + 4 * table, sector, 4);
    sector += 4;
    (void)image.file.resize(sector * 512);
  }
  return sector;
}

}  // namespace detail

/// Builds an image.
inline sparse_image build_sparse(const sparse_image_plan& plan) {
  sparse_image image;
  image.plan = plan;
  const bool both =
      plan.copies == table_copies::redundant_first || plan.copies == table_copies::primary_first;
  std::uint64_t sector = 1 + plan.descriptor_sectors;
  const bool first_is_redundant = plan.copies == table_copies::redundant_first;
  sector = detail::build_tables(image, sector, first_is_redundant);
  if (both) sector = detail::build_tables(image, sector, !first_is_redundant);
  if (plan.copies == table_copies::shared) image.redundant_directory_at = image.directory_at;

  const std::uint64_t alignment =
      plan.grain_alignment_sectors == 0 ? plan.grain_sectors : plan.grain_alignment_sectors;
  const auto align = [alignment](std::uint64_t n) {
    return (n + alignment - 1) / alignment * alignment;
  };
  sector = align(sector);
  image.overhead_bytes = sector * 512;
  (void)image.file.resize(image.overhead_bytes);

  const auto enter = [&image](std::uint64_t grain, std::uint64_t value) {
    image.file.put_number(image.table_entry_at(grain), value, 4);
    if (const auto twin = image.redundant_table_at.find(grain / 512);
        twin != image.redundant_table_at.end()) {
      image.file.put_number(twin->second + grain % 512 * 4, value, 4);
    }
  };
  for (const std::uint64_t grain : plan.zeroed) enter(grain, 1);
  for (const std::uint64_t grain : plan.stored) {
    sector = align(sector + plan.grain_gap_sectors);
    image.grain_at[grain] = sector * 512;
    enter(grain, sector);
    const std::uint64_t begin = grain * plan.grain_sectors;
    const std::uint64_t used = image.used_sectors(grain);
    const std::uint64_t filled = image.filled_sectors(grain);
    (void)image.file.resize((sector + (plan.last_grain_cut ? used : plan.grain_sectors)) * 512);
    for (const std::uint64_t from : {std::uint64_t{0}, used - filled}) {
      (void)image.file.write_at(
          (sector + from) * 512,
          content_bytes((begin + from) * 512, static_cast<std::size_t>(filled * 512), plan.seed));
    }
    sector += plan.grain_sectors;
  }

  paged_file& file = image.file;
  const bool redundant = plan.copies != table_copies::primary_only;
  file.put_number(0, 0x564D444B, 4);
  file.put_number(4, plan.version, 4);
  file.put_number(8, 1u | (redundant ? 2u : 0u) | plan.more_flags, 4);
  file.put_number(12, plan.capacity_sectors, 8);
  file.put_number(20, plan.grain_sectors, 8);
  file.put_number(28, plan.descriptor_sectors == 0 ? 0 : 1, 8);
  file.put_number(36, plan.descriptor_sectors, 8);
  file.put_number(44, 512, 4);
  file.put_number(48, redundant ? image.redundant_directory_at / 512 : 0, 8);
  file.put_number(56, image.directory_at / 512, 8);
  file.put_number(64, plan.overhead_zero ? 0 : image.overhead_bytes / 512, 8);
  file.put_number(72, plan.unclean ? 1 : 0, 1);
  file.put_number(73, 0x0A0D200A, 4);
  std::vector<std::byte> text(plan.descriptor.size());
  vmdk::copy_text(text.data(), plan.descriptor);
  (void)file.write_at(512, text);
  return image;
}

/// Reads some bytes of the disk; tells whether they are what the image holds there.
template <class Reader>
bool reads_as_planned(const sparse_image& image, Reader& reader, std::uint64_t offset,
                      std::size_t n) {
  // A block of the exact size, so that a sanitizer sees a byte too many.
  const auto out = std::make_unique<std::byte[]>(n);
  if (reader.read_at(offset, vmdk::byte_span(out.get(), n))) return false;
  for (std::size_t i = 0; i < n; ++i) {
    if (out[i] != image.disk_byte(offset + i)) return false;
  }
  return true;
}

}  // namespace testing_support
