// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/errc.hpp"
#include "vmdk/format/severity.hpp"
#include "vmdk/format/sparse_geometry.hpp"
#include "vmdk/format/sparse_header.hpp"

namespace vmdk {

/// The largest embedded descriptor that is read, in sectors (SPEC 13.1).
inline constexpr std::uint64_t embedded_descriptor_limit_sectors = 2048;

namespace detail {

/// Where a directory may lie: behind the header, inside the file, apart from the descriptor.
enum class directory_place : std::uint8_t { good, outside, overlapping };

[[nodiscard]] constexpr directory_place place_directory(const sparse_extent_header& h,
                                                        std::uint64_t first_sector,
                                                        std::uint64_t sectors,
                                                        std::uint64_t file_sectors) noexcept {
  if (first_sector == 0 || !fits_inside(first_sector, sectors, file_sectors)) {
    return directory_place::outside;
  }
  const std::uint64_t descriptor = h.descriptor_offset;
  const bool apart = descriptor == 0 || first_sector >= descriptor + h.descriptor_size ||
                     first_sector + sectors <= descriptor;
  return apart ? directory_place::good : directory_place::overlapping;
}

}  // namespace detail

/// Checks a sparse extent header against every rule of SPEC 13.1, without reading anything else.
///
/// Calls `report(code, byte offset of the field)` for each broken rule; `report` returns false to
/// stop. Returns true when the checks that later steps rely on all held (magic, version, flags,
/// capacity, grain, entries, places), so that the header's figures can be used.
/// file_bytes is the size of the extent's file. A footer is checked by the same rules; header_at is
/// where it stands, and added to the offsets.
template <class Report>
constexpr bool check_sparse_header(const sparse_extent_header& h, std::uint64_t file_bytes,
                                   Report&& report, std::uint64_t header_at = 0) noexcept {
  bool usable = true;
  bool go_on = true;
  const auto broken = [&](errc code, std::size_t offset) {
    if (severity_of(code) == severity::error) usable = false;
    if (go_on) go_on = report(code, header_at + offset);
  };
  using header = sparse_extent_header;

  if (file_bytes < sector_bytes) {
    broken(errc::header_truncated, 0);
    return false;
  }
  if (h.magic_number != sparse_magic) {
    broken(h.magic_number == sparse_magic_unfinished ? errc::magic_unfinished : errc::magic_invalid,
           offsetof(header, magic_number));
    return false;
  }
  if (h.has(sparse_flags::newline_bytes_valid) &&
      (h.single_end_line_char != 0x0A || h.non_end_line_char != 0x20 ||
       h.double_end_line_char1 != 0x0D || h.double_end_line_char2 != 0x0A)) {
    broken(errc::newline_bytes_damaged, offsetof(header, single_end_line_char));
  }
  if (h.version == 0 || h.version > 3) {
    broken(errc::version_unsupported, offsetof(header, version));
  }
  if (h.version == 1 && h.has(sparse_flags::zeroed_grains)) {
    broken(errc::zeroed_grains_need_version_2, offsetof(header, flags));
  }
  if (h.has(sparse_flags::incompatible_unknown)) {
    broken(errc::flags_unknown, offsetof(header, flags));
  }
  if (h.has(sparse_flags::markers) && !h.is_compressed()) {
    broken(errc::markers_without_compression, offsetof(header, flags));
  }
  if (h.is_compressed() && !h.has(sparse_flags::markers)) {
    broken(errc::compression_without_markers, offsetof(header, flags));
  }
  if (h.compress_algorithm != (h.is_compressed() ? 1 : 0)) {
    broken(errc::compression_algorithm_invalid, offsetof(header, compress_algorithm));
  }
  if (h.num_gtes_per_gt != entries_per_table) {
    broken(errc::entries_per_table_invalid, offsetof(header, num_gtes_per_gt));
  }
  if (h.unclean_shutdown != 0) {
    broken(errc::unclean_shutdown, offsetof(header, unclean_shutdown));
  }
  if (!is_zero(h.pad.data(), h.pad.size())) {
    broken(errc::header_padding_not_zero, offsetof(header, pad));
  }

  const std::uint64_t file_sectors = file_bytes >> sector_shift;
  if (h.descriptor_offset != 0) {
    if (h.descriptor_size == 0 || h.descriptor_size > embedded_descriptor_limit_sectors) {
      broken(errc::descriptor_size_invalid, offsetof(header, descriptor_size));
    } else if (!fits_inside(h.descriptor_offset, h.descriptor_size, file_sectors)) {
      broken(errc::descriptor_offset_invalid, offsetof(header, descriptor_offset));
    }
  }
  // With tables at the end the footer repeats this figure: a cut file is told by its missing
  // footer.
  if (!h.has_tables_at_end() && h.over_head > ceil_shift(file_bytes, sector_shift)) {
    broken(errc::overhead_outside_file, offsetof(header, over_head));
  }

  if (!is_power_of_two(h.grain_size)) {
    broken(errc::grain_size_invalid, offsetof(header, grain_size));
  } else if (h.grain_size > (h.is_compressed() ? largest_compressed_grain_sectors
                                               : largest_readable_grain_sectors)) {
    broken(errc::grain_size_too_large, offsetof(header, grain_size));
  } else if (h.grain_size < smallest_writable_grain_sectors ||
             h.grain_size > largest_writable_grain_sectors) {
    broken(errc::grain_size_unusual, offsetof(header, grain_size));
  } else if (h.grain_size > 128) {
    broken(errc::grain_size_large, offsetof(header, grain_size));
  }
  if (h.capacity == 0) {
    broken(errc::capacity_zero, offsetof(header, capacity));
  } else if (h.capacity > capacity_limit_sectors) {
    broken(errc::capacity_too_large, offsetof(header, capacity));
  }
  // The directory's size and place can be judged only when capacity, grain and descriptor are sane.
  if (!usable) return false;
  const sparse_geometry geometry(h.capacity, h.grain_size);
  if (geometry.table_count() > table_count_limit) {
    broken(errc::capacity_too_large, offsetof(header, capacity));
    return false;
  }

  if ((h.capacity & (h.grain_size - 1)) != 0) {
    broken(errc::capacity_not_whole_grains, offsetof(header, capacity));
  }
  const std::uint64_t directory_sectors = geometry.directory_sectors();
  bool inside = false;  // The primary directory.
  if (!h.has_tables_at_end()) {
    const auto place = detail::place_directory(h, h.gd_offset, directory_sectors, file_sectors);
    inside = place != detail::directory_place::outside;
    if (place == detail::directory_place::outside) {
      broken(errc::directory_offset_invalid, offsetof(header, gd_offset));
    } else if (place == detail::directory_place::overlapping) {
      broken(errc::directory_overlap, offsetof(header, gd_offset));
    } else if (!h.is_compressed() && h.over_head < h.gd_offset + directory_sectors) {
      broken(errc::overhead_too_small, offsetof(header, over_head));
    }
  }
  if (h.has(sparse_flags::redundant_tables) && (!h.has_tables_at_end() || h.rgd_offset != 0)) {
    const auto place = detail::place_directory(h, h.rgd_offset, directory_sectors, file_sectors);
    if (place == detail::directory_place::outside) {
      broken(errc::redundant_offset_invalid, offsetof(header, rgd_offset));
    } else if (h.rgd_offset == h.gd_offset) {
      broken(errc::redundant_shared, offsetof(header, rgd_offset));
    } else if (place == detail::directory_place::overlapping ||
               (inside && h.rgd_offset < h.gd_offset + directory_sectors &&
                h.gd_offset < h.rgd_offset + directory_sectors)) {
      broken(errc::redundant_overlap, offsetof(header, rgd_offset));
    }
  }
  return usable;
}

/// Checks a header as a reader does. Errors: the first rule of SPEC 13.1 that this strictness
/// refuses, of origin image, with the offset in the file.
[[nodiscard]] constexpr failure validate(const sparse_extent_header& header,
                                         std::uint64_t file_bytes, strictness mode) noexcept {
  first_refusal refusal(mode);
  check_sparse_header(header, file_bytes, refusal);
  return refusal.why();
}

}  // namespace vmdk
