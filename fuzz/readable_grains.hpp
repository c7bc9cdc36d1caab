// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "vmdk/codec/inflate.hpp"
#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/endian.hpp"
#include "vmdk/format/sparse_header.hpp"
#include "vmdk/io/memory.hpp"
#include "vmdk/reader/compressed_grain.hpp"
#include "vmdk/reader/sparse_extent.hpp"

namespace fuzzing {

/// Whose each sector of a sparse file is, as its directories and tables say, in both copies.
class sector_owners {
 public:
  sector_owners(const std::vector<std::byte>& content, const vmdk::sparse_extent& extent)
      : content_(&content), owners_((content.size() + 511) / 512) {
    vmdk::sparse_extent_header header;
    vmdk::copy_bytes(reinterpret_cast<std::byte*>(&header), content.data(), sizeof header);
    own(0, 1, metadata);
    own(extent.descriptor_offset_bytes() >> 9, extent.descriptor_bytes() >> 9, metadata);
    // The marker before a directory or table, and the end of a stream.
    const std::uint64_t before = extent.is_compressed() ? 1 : 0;
    if (before != 0) own(vmdk::larger_of<std::uint64_t>(owners_.size(), 3) - 3, 3, metadata);
    const bool has_copy = header.has(vmdk::sparse_flags::redundant_tables);
    const std::uint64_t directories[] = {extent.directory_offset_bytes() >> 9,
                                         has_copy ? header.rgd_offset.get() : 0};
    for (const std::uint64_t directory : directories) {
      if (directory == 0 || directory >= owners_.size()) continue;
      own(directory - before, extent.geometry().directory_sectors() + before, metadata);
      for (std::uint64_t i = 0; i < extent.geometry().table_count(); ++i) {
        const std::uint64_t table = value_at((directory << 9) + 4 * i);
        if (table == 0) continue;
        own(table - before, vmdk::table_sectors + before, metadata);
        if (!extent.is_compressed() && i < most_tables) own_grains(extent, i, table);
      }
    }
  }

  /// True when a run of sectors is nobody's but one grain's.
  bool is_alone(std::uint64_t first, std::uint64_t sectors) const {
    for (std::uint64_t i = first; i < first + sectors && i < owners_.size(); ++i) {
      if (owners_[i] >= metadata) return false;
    }
    return true;
  }

 private:
  static constexpr std::uint64_t most_tables = 2000;
  static constexpr std::uint64_t metadata = ~std::uint64_t{0} - 1;
  static constexpr std::uint64_t several = ~std::uint64_t{0};

  /// An owner is the number of a grain, from 1.
  void own(std::uint64_t first, std::uint64_t sectors, std::uint64_t owner) {
    for (std::uint64_t i = first; i - first < sectors && i < owners_.size(); ++i) {
      owners_[i] = owners_[i] == 0 || owners_[i] == owner ? owner : several;
    }
  }

  std::uint32_t value_at(std::uint64_t offset) const {
    if (!vmdk::fits_inside(offset, 4, content_->size())) return 0;
    return vmdk::load_le<std::uint32_t>(content_->data() + offset);
  }

  void own_grains(const vmdk::sparse_extent& extent, std::uint64_t number, std::uint64_t table) {
    for (std::uint64_t n = 0; n < vmdk::entries_per_table; ++n) {
      const std::uint64_t grain = number * vmdk::entries_per_table + n;
      if (grain >= extent.geometry().grain_count()) return;
      const std::uint64_t sector = value_at((table << 9) + 4 * n);
      if (sector > 1) own(sector, extent.geometry().grain_sectors(), grain + 1);
    }
  }

  const std::vector<std::byte>* content_;
  std::vector<std::uint64_t> owners_;
};

/// What of a sparse file can be read.
struct readable_grains {
  static constexpr int most_grains = 40;

  struct grain {
    std::vector<std::byte> bytes;
    /// No table, directory or header has a sector of it, and no entry of another grain names one,
    /// in either copy. (Compressed grains may: each says itself where it belongs.)
    bool is_alone = false;
  };

  std::uint64_t size_bytes = 0;           ///< Of the disk; 0 where it cannot be opened.
  std::map<std::uint64_t, grain> grains;  ///< By their offset on the disk.
  std::uint64_t looked_at_bytes = 0;  ///< Of the disk: where most_grains were found, not all of it.

  explicit readable_grains(const std::vector<std::byte>& content) {
    constexpr std::uint32_t largest_grain_bytes = 1 << 16;
    static const auto decoder = std::make_unique<vmdk::inflate>();
    vmdk::memory_source file(content);
    const auto extent = vmdk::sparse_extent::open(file, file.size(), vmdk::strictness::tolerant);
    if (!extent) return;
    size_bytes = extent->capacity_bytes();
    const std::uint32_t grain_bytes = extent->geometry().grain_bytes();
    if (grain_bytes > largest_grain_bytes) return;
    const sector_owners owners(content, *extent);
    std::vector<std::byte> directory(8192);
    std::vector<std::byte> table(2048);
    std::vector<std::byte> input(4096);
    vmdk::table_cache cache{vmdk::window_cache(directory), vmdk::window_cache(table)};
    std::uint64_t at = 0;
    for (int steps = 0, found = 0; at < size_bytes && steps < 20000 && found < most_grains;
         ++steps) {
      const auto one = extent->map(file, at, cache);
      const bool is_grain = one && (one->where == vmdk::placement::stored ||
                                    one->where == vmdk::placement::compressed);
      if (!is_grain) {
        at += one ? one->bytes : grain_bytes;
        continue;
      }
      std::vector<std::byte> out(grain_bytes);
      const auto exists =
          static_cast<std::size_t>(vmdk::smaller_of<std::uint64_t>(grain_bytes, size_bytes - at));
      std::uint64_t stored_bytes = exists;
      bool is_read = false;
      if (one->where == vmdk::placement::stored) {
        is_read = !file.read_at(one->file_offset, vmdk::byte_span(out).first(exists));
      } else {
        is_read = !vmdk::read_compressed_grain(file, file.size(), *extent, one->file_offset, at,
                                               input, *decoder, out);
        if (is_read) {
          stored_bytes = vmdk::grain_marker_bytes +
                         vmdk::load_le<std::uint32_t>(content.data() + one->file_offset + 8);
        }
      }
      out.resize(exists);
      ++found;
      if (is_read) {
        grains[at] = {out, owners.is_alone(one->file_offset >> 9, (stored_bytes + 511) >> 9)};
      }
      at += grain_bytes;
    }
    looked_at_bytes = at;
  }

  /// True when another state of the file has each grain that stands alone, as far as that was
  /// looked at.
  bool are_kept_in(const readable_grains& other) const {
    return std::all_of(grains.begin(), grains.end(), [&other](const auto& one) {
      const auto& [offset, what] = one;
      if (!what.is_alone) return true;
      const auto found = other.grains.find(offset);
      if (found == other.grains.end()) return offset >= other.looked_at_bytes;
      return found->second.bytes == what.bytes;
    });
  }
};

}  // namespace fuzzing
