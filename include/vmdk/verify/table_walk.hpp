// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/endian.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/reader/table_cache.hpp"
#include "vmdk/verify/sector_use.hpp"
#include "vmdk/verify/table_formats.hpp"

namespace vmdk::detail {

/// Tables that several directory entries name, and the first of these: those with the lowest
/// sectors, in their order. Each is one of the shared runs that were kept.
struct repeated_tables {
  struct table {
    std::uint64_t sector = 0;
    std::uint64_t first_entry = 0;
  };
  std::array<table, shared_runs::most_kept> kept{};
  std::size_t count = 0;

  constexpr void add(std::uint64_t sector, std::uint64_t first_entry) noexcept {
    kept.data()[count++] = {sector, first_entry};
  }
  /// True when an earlier directory entry than this one names the table.
  [[nodiscard]] constexpr bool is_known(std::uint64_t sector, std::uint64_t entry) const noexcept {
    std::size_t low = 0;
    std::size_t high = count;
    while (low < high) {
      const std::size_t middle = low + (high - low) / 2;
      if (kept.data()[middle].sector < sector) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low < count && kept.data()[low].sector == sector && kept.data()[low].first_entry < entry;
  }
};

/// One entry of a grain table that is not 0.
struct table_entry {
  std::uint64_t table = 0;
  std::uint32_t index = 0;
  std::uint64_t at = 0;     ///< Its byte offset in the file.
  std::uint64_t grain = 0;  ///< Of the extent, from 0; past the last one in the tail of a table.
  std::uint64_t value = 0;
};

/// Reads directory and tables of an extent front to back, with bounded work whatever they hold.
template <class Format, class File>
class table_walk {
 public:
  static constexpr std::size_t entry_bytes = std::size_t{1} << Format::entry_shift;
  static constexpr std::uint32_t entries_per_sector = sector_bytes >> Format::entry_shift;
  /// One sector for each copy of directory and tables.
  static constexpr std::size_t least_bytes = std::size_t{4} * sector_bytes;

  /// The memory is the caller's: least_bytes or more.
  constexpr table_walk(File& file, const Format& format, byte_span memory) noexcept
      : file_(&file), format_(format) {
    const std::size_t each = memory.size() / 4 & ~std::size_t{sector_bytes - 1};
    for (std::size_t copy = 0; copy < 2; ++copy) {
      directories_[copy] = window_cache(memory.subspan(2 * copy * each, each));
      tables_[copy] = window_cache(memory.subspan((2 * copy + 1) * each, each));
    }
  }

  [[nodiscard]] constexpr const Format& format() const noexcept { return format_; }
  [[nodiscard]] constexpr File& file() const noexcept { return *file_; }

  /// The byte offset of a directory entry in the file.
  [[nodiscard]] constexpr std::uint64_t directory_entry_at(unsigned copy,
                                                           std::uint64_t table) const noexcept {
    return format_.directory_at(copy) + (table << Format::entry_shift);
  }

  /// Forgets what was read: the file has changed.
  constexpr void forget() noexcept {
    for (unsigned copy = 0; copy < 2; ++copy) {
      directories_[copy].forget();
      tables_[copy].forget();
    }
  }

  /// A directory entry, also one of the tail of the directory's last sector.
  [[nodiscard]] constexpr result<std::uint64_t> directory_entry(unsigned copy,
                                                                std::uint64_t table) noexcept {
    const auto bytes =
        directories_[copy].get(*file_, directory_entry_at(copy, table), entry_bytes,
                               format_.directory_at(copy), format_.directory_bytes());
    if (!bytes) return bytes.error();
    return load_entry(*bytes);
  }

  /// A sector of a table: of the n-th 128 (or 64) entries. Valid until the next call for this copy.
  [[nodiscard]] constexpr result<const std::byte*> sector_of_table(unsigned copy,
                                                                   std::uint64_t table_sector,
                                                                   std::uint64_t n) noexcept {
    const std::uint64_t table_at = table_sector << sector_shift;
    return tables_[copy].get(*file_, table_at + (n << sector_shift), sector_bytes, table_at,
                             sectors_of_table<Format> << sector_shift);
  }

  /// One entry of a table.
  [[nodiscard]] constexpr result<std::uint64_t> entry_of_table(unsigned copy,
                                                               std::uint64_t table_sector,
                                                               std::uint64_t index) noexcept {
    const auto bytes = sector_of_table(copy, table_sector, index / entries_per_sector);
    if (!bytes) return bytes.error();
    return load_entry(*bytes + index % entries_per_sector * entry_bytes);
  }

  [[nodiscard]] static constexpr std::uint64_t load_entry(const std::byte* bytes) noexcept {
    if constexpr (Format::entry_shift == 2) {
      return load_le<std::uint32_t>(bytes);
    } else {
      return load_le<std::uint64_t>(bytes);
    }
  }

  /// Gives each usable table of the primary copy to `visit(table, table_sector) -> failure`, but
  /// none twice that is known to be repeated. No more tables than can lie in the file side by side:
  /// where there are more, they overlap. Errors: those of the file and of `visit`.
  template <class Visit>
  constexpr failure each_table(const repeated_tables& repeated, Visit&& visit) noexcept {
    std::uint64_t left = (format_.file_bytes() >> sector_shift) / sectors_of_table<Format> + 1;
    const std::uint64_t count = format_.table_count();
    for (std::uint64_t table = 0; table < count && left != 0; ++table) {
      const auto entry = directory_entry(0, table);
      if (!entry) return entry.error();
      if (*entry == 0 || !format_.names_table(*entry)) continue;
      const std::uint64_t sector = format_.table_sector(*entry);
      if (repeated.is_known(sector, table)) continue;
      --left;
      if (failure f = visit(table, sector)) return f;
    }
    return no_failure;
  }

  /// Gives each entry of a table of the primary copy that is not 0 to `visit(table_entry) ->
  /// failure`, also those of its tail. Errors: those of the file and of `visit`.
  template <class Visit>
  constexpr failure each_entry(std::uint64_t table, std::uint64_t table_sector,
                               Visit&& visit) noexcept {
    for (std::uint64_t n = 0; n < sectors_of_table<Format>; ++n) {
      const auto bytes = sector_of_table(0, table_sector, n);
      if (!bytes) return bytes.error();
      if (is_zero(*bytes, sector_bytes)) continue;
      for (std::uint32_t i = 0; i < entries_per_sector; ++i) {
        table_entry entry;
        entry.value = load_entry(*bytes + i * entry_bytes);
        if (entry.value == 0) continue;
        entry.table = table;
        entry.index = static_cast<std::uint32_t>(n) * entries_per_sector + i;
        entry.at = ((table_sector + n) << sector_shift) + i * entry_bytes;
        entry.grain = (table << Format::table_shift) + entry.index;
        if (failure f = visit(entry)) return f;
      }
    }
    return no_failure;
  }

 private:
  File* file_;
  Format format_;
  window_cache directories_[2];
  window_cache tables_[2];
};

}  // namespace vmdk::detail
