// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/endian.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/marker.hpp"
#include "vmdk/format/sparse_geometry.hpp"
#include "vmdk/format/sparse_header.hpp"
#include "vmdk/reader/compressed_grain.hpp"
#include "vmdk/verify/compressed_grains.hpp"

namespace vmdk::detail {

/// A marker that fills its sector (SPEC 5).
[[nodiscard]] constexpr sector_image marker_sector(marker_type type,
                                                   std::uint64_t following_sectors) noexcept {
  sector_image bytes{};
  store_le(bytes.data(), following_sectors);
  store_le(bytes.data() + offsetof(stream_marker, type), static_cast<std::uint32_t>(type));
  return bytes;
}

enum class marker_kind : std::uint8_t {
  grain,
  cut,  ///< A marker of what goes on behind the end of the file.
  table,
  directory,
  footer,
  progress,
  zero,  ///< A sector of zeros: the end of a stream, or a gap.
  no_marker,
  nothing,  ///< The file ends here.
};

/// What stands at a sector of a stream.
struct marker_item {
  marker_kind kind = marker_kind::nothing;
  std::uint64_t sector = 0;
  std::uint64_t sectors = 0;  ///< To the next marker.
  std::uint64_t lba = 0;      ///< grain: what it says; not judged.
  std::uint32_t data_bytes = 0;
};

/// Reads the markers of a stream one after the other. A marker whose length is not that of what it
/// announces is none.
template <class File>
class marker_walk {
 public:
  constexpr marker_walk(File& file, const sparse_geometry& geometry,
                        std::uint64_t first_sector) noexcept
      : file_(&file), geometry_(geometry), file_bytes_(file.size()), at_(first_sector) {}

  /// What stands here; goes on behind it, but for no_marker and what the file's end cuts.
  [[nodiscard]] constexpr result<marker_item> next() noexcept {
    marker_item item;
    item.sector = at_;
    if (at_ > file_bytes_ >> sector_shift) return item;
    const std::uint64_t offset = at_ << sector_shift;
    std::array<std::byte, 16> head{};
    if (!fits_inside(offset, head.size(), file_bytes_)) return item;
    if (failure f = file_->read_at(offset, head)) return f;
    judge(item, head.data());
    at_ += item.sectors;
    return item;
  }

  [[nodiscard]] constexpr std::uint64_t sector() const noexcept { return at_; }
  constexpr void go_to(std::uint64_t sector) noexcept { at_ = sector; }

 private:
  constexpr void judge(marker_item& item, const std::byte* head) const noexcept {
    const auto value = load_le<std::uint64_t>(head);
    const auto size = load_le<std::uint32_t>(head + 8);
    const auto type = static_cast<marker_type>(load_le<std::uint32_t>(head + 12));
    const std::uint64_t left = (file_bytes_ >> sector_shift) - item.sector;
    item.kind = marker_kind::no_marker;
    const auto is = [&](marker_kind kind, std::uint64_t sectors) {
      item.kind = sectors > left ? marker_kind::cut : kind;
      item.sectors = sectors > left ? 0 : sectors;
    };
    if (size != 0) {
      if (size > compressed_size_limit(geometry_.grain_bytes())) return;
      item.lba = value;
      item.data_bytes = size;
      const std::uint64_t offset = (item.sector << sector_shift) + grain_marker_bytes;
      if (!fits_inside(offset, size, file_bytes_)) {
        item.kind = marker_kind::cut;
        return;
      }
      item.kind = marker_kind::grain;
      item.sectors = marked_sectors(size);
      return;
    }
    if (type == marker_type::end_of_stream && value == 0) {
      is(marker_kind::zero, 1);
    } else if (type == marker_type::grain_table && value == table_sectors) {
      is(marker_kind::table, 1 + table_sectors);
    } else if (type == marker_type::grain_directory && value == geometry_.directory_sectors()) {
      is(marker_kind::directory, 1 + value);
    } else if (type == marker_type::footer && value == 1) {
      is(marker_kind::footer, 2);
    } else if (type == marker_type::progress && value < left) {
      is(marker_kind::progress, 1 + value);
    }
  }

  File* file_;
  sparse_geometry geometry_;
  std::uint64_t file_bytes_;
  std::uint64_t at_;
};

}  // namespace vmdk::detail
