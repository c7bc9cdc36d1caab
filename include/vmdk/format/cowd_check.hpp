// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/errc.hpp"
#include "vmdk/format/cowd.hpp"
#include "vmdk/format/severity.hpp"

namespace vmdk {

/// Checks both ends of a COWD header against every rule of SPEC 13.5, without reading anything
/// else. What stands between them is for programs of old and judged by nobody.
///
/// Calls `report(code, byte offset of the field)` for each broken rule; `report` returns false to
/// stop. Returns true when the checks that later steps rely on all held (magic, version, flags,
/// capacity, grain, directory), so that the header's figures can be used.
/// file_bytes is the size of the extent's file.
template <class Report>
constexpr bool check_cowd_header(const cowd_header_start& h, const cowd_header_end& end,
                                 std::uint64_t file_bytes, Report&& report) noexcept {
  bool usable = true;
  bool go_on = true;
  const auto broken = [&](errc code, std::size_t offset) {
    if (severity_of(code) == severity::error) usable = false;
    if (go_on) go_on = report(code, std::uint64_t{offset});
  };
  using start = cowd_header_start;

  if (file_bytes < sizeof(cowd_header)) {
    broken(errc::header_truncated, 0);
    return false;
  }
  if (h.magic_number != cowd_magic) {
    broken(errc::cowd_magic_invalid, offsetof(start, magic_number));
    return false;
  }
  // The same magic with another version is Workstation 3's, whose tables are smaller.
  if (h.version != 1) broken(errc::cowd_version_unsupported, offsetof(start, version));
  if (h.flags != 3) broken(errc::cowd_flags_invalid, offsetof(start, flags));
  if (h.num_sectors == 0) broken(errc::capacity_zero, offsetof(start, num_sectors));
  if (!is_power_of_two(h.grain_size) || h.grain_size > cowd_largest_grain_sectors) {
    broken(errc::cowd_grain_size_invalid, offsetof(start, grain_size));
  }
  if (end.unclean_shutdown != 0) {
    broken(errc::unclean_shutdown,
           offsetof(cowd_header, end) + offsetof(cowd_header_end, unclean_shutdown));
  }
  if (!is_zero(end.padding.data(), end.padding.size())) {
    broken(errc::header_padding_not_zero,
           offsetof(cowd_header, end) + offsetof(cowd_header_end, padding));
  }
  // The directory can be judged only when capacity and grain are sane.
  if (!usable) return false;

  if ((h.num_sectors & (h.grain_size - 1)) != 0) {
    broken(errc::capacity_not_whole_grains, offsetof(start, num_sectors));
  }
  if (h.num_gd_entries != cowd_table_count(h.num_sectors, h.grain_size)) {
    broken(errc::cowd_directory_size_invalid, offsetof(start, num_gd_entries));
    return false;
  }
  // In bytes: files exist that end with the last entry of an empty directory.
  const std::uint64_t directory_bytes =
      std::uint64_t{h.num_gd_entries.get()} * sizeof(std::uint32_t);
  const std::uint64_t directory_at = std::uint64_t{h.gd_offset.get()} << sector_shift;
  if (!fits_inside(directory_at, directory_bytes, file_bytes)) {
    broken(errc::directory_offset_invalid, offsetof(start, gd_offset));
    return false;
  }
  if (h.gd_offset < cowd_header_sectors) {
    broken(errc::directory_overlap, offsetof(start, gd_offset));
    return false;
  }
  const std::uint64_t first_free = ceil_shift(directory_at + directory_bytes, sector_shift);
  if (h.free_sector < first_free || h.free_sector > ceil_shift(file_bytes, sector_shift)) {
    broken(errc::cowd_free_sector_invalid, offsetof(start, free_sector));
  }
  return usable;
}

/// Checks a whole header, as above.
template <class Report>
constexpr bool check_cowd_header(const cowd_header& header, std::uint64_t file_bytes,
                                 Report&& report) noexcept {
  return check_cowd_header(header.start, header.end, file_bytes, report);
}

/// Checks a header as a reader does. Errors: the first rule of SPEC 13.5 that this strictness
/// refuses, of origin image, with the offset in the file.
[[nodiscard]] constexpr failure validate(const cowd_header& header, std::uint64_t file_bytes,
                                         strictness mode) noexcept {
  first_refusal refusal(mode);
  check_cowd_header(header, file_bytes, refusal);
  return refusal.why();
}

}  // namespace vmdk
