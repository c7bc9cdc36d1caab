// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/endian.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/sparse_geometry.hpp"
#include "vmdk/format/sparse_header.hpp"
#include "vmdk/format/sparse_header_check.hpp"

namespace vmdk::detail {

/// Finds the directories of a file whose header may have them wrong (SPEC 13.7).
template <class File>
class directory_search {
 public:
  /// The header, whose other figures are right, is the caller's, and so is at least a sector of
  /// memory.
  constexpr directory_search(File& file, sparse_extent_header& header, byte_span window) noexcept
      : file_(&file), header_(&header), window_(window) {}

  /// True when the redundant directory is nowhere; the header keeps what it says of it.
  [[nodiscard]] constexpr bool is_copy_lost() const noexcept { return is_copy_lost_; }

  /// True where a directory can be: inside the file, apart from the descriptor.
  [[nodiscard]] constexpr bool may_hold(std::uint64_t sector) const noexcept {
    return place_directory(*header_, sector, geometry().directory_sectors(),
                           file_->size() >> sector_shift) == directory_place::good;
  }

  /// Puts both directories' places into the header, whose tables are not at the end. Errors: the
  /// file's; errc::directory_offset_invalid.
  constexpr failure place() noexcept {
    const bool has_copy = header_->has(sparse_flags::redundant_tables);
    const std::uint64_t copy_at =
        header_->rgd_offset == header_->gd_offset.get() ? 0 : header_->rgd_offset.get();
    const auto primary = find(header_->gd_offset, has_copy ? copy_at : 0);
    if (!primary) return primary.error();
    if (*primary != 0) header_->gd_offset = *primary;
    if (!may_hold(header_->gd_offset)) {
      return image_failure(errc::directory_offset_invalid,
                           offsetof(sparse_extent_header, gd_offset));
    }
    // Old writers have one directory for both.
    if (!has_copy || header_->rgd_offset == header_->gd_offset.get()) return no_failure;
    const auto copy = find(copy_at, header_->gd_offset);
    if (!copy) return copy.error();
    if (*copy != 0) header_->rgd_offset = *copy;
    const std::uint64_t sectors = geometry().directory_sectors();
    const bool overlaps = header_->rgd_offset < header_->gd_offset + sectors &&
                          header_->gd_offset < header_->rgd_offset + sectors;
    if (may_hold(header_->rgd_offset) && !overlaps) return no_failure;
    is_copy_lost_ = true;
    return no_failure;
  }

 private:
  [[nodiscard]] constexpr sparse_geometry geometry() const noexcept {
    return sparse_geometry(header_->capacity, header_->grain_size);
  }

  /// How many of a directory's entries name the tables that follow it. Errors: the file's.
  [[nodiscard]] constexpr result<std::uint64_t> regular_entries(std::uint64_t sector) noexcept {
    const std::uint64_t count = geometry().table_count();
    std::uint64_t due = sector + geometry().directory_sectors();
    std::uint64_t regular = 0;
    const byte_span window = window_;
    for (std::uint64_t first = 0; first < count; first += window.size() / sizeof(std::uint32_t)) {
      const auto bytes = static_cast<std::size_t>(
          smaller_of<std::uint64_t>((count - first) * sizeof(std::uint32_t), window.size()));
      const std::uint64_t at = (sector << sector_shift) + first * sizeof(std::uint32_t);
      if (failure f = file_->read_at(at, window.first(bytes))) return f;
      for (std::size_t i = 0; i < bytes; i += sizeof(std::uint32_t), due += table_sectors) {
        regular += load_le<std::uint32_t>(window.data() + i) == due;
      }
    }
    return regular;
  }

  /// Finds a directory that is not where the header says: before or behind the other one with its
  /// tables, or behind the descriptor. 0 when it stays as it is. Errors: the file's.
  [[nodiscard]] constexpr result<std::uint64_t> find(std::uint64_t stated,
                                                     std::uint64_t other) noexcept {
    const std::uint64_t each =
        geometry().directory_sectors() + geometry().table_count() * table_sectors;
    const auto is_regular = [&](std::uint64_t sector) -> result<bool> {
      if (sector == other || !may_hold(sector)) return false;
      const auto regular = regular_entries(sector);
      if (!regular) return regular.error();
      return *regular * 2 > geometry().table_count();
    };
    const auto own = is_regular(stated);
    if (!own) return own.error();
    if (*own) return std::uint64_t{0};
    const std::uint64_t behind_descriptor =
        header_->descriptor_offset == 0 ? 1 : header_->descriptor_offset + header_->descriptor_size;
    const std::uint64_t wanted[] = {other == 0 ? 0 : other + each, other > each ? other - each : 0,
                                    behind_descriptor};
    for (const std::uint64_t sector : wanted) {
      const auto found = is_regular(sector);
      if (!found) return found.error();
      if (*found) return sector;
    }
    return std::uint64_t{0};
  }

  File* file_;
  sparse_extent_header* header_;
  byte_span window_;
  bool is_copy_lost_ = false;
};

}  // namespace vmdk::detail
