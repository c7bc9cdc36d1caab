// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/bytes.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/footer_check.hpp"
#include "vmdk/format/marker.hpp"
#include "vmdk/format/sparse_header.hpp"
#include "vmdk/format/sparse_header_check.hpp"
#include "vmdk/reader/read_object.hpp"

namespace vmdk {
namespace detail {

/// What stands where the marker of a footer should.
struct footer_marker {
  bool is_footer = false;
  bool has_right_length = false;
  bool is_padded = false;
};

/// Errors: those of the file.
template <class File>
[[nodiscard]] constexpr result<footer_marker> read_footer_marker(File& file,
                                                                 std::uint64_t at) noexcept {
  sector_image sector{};
  if (failure f = file.read_at(at, sector)) return f;
  const stream_marker marker = decode_marker(sector.data());
  return footer_marker{marker.is(marker_type::footer), marker.value == 1,
                       is_zero(sector.data() + sizeof marker, sector.size() - sizeof marker)};
}

/// Reports a stream's last sector when it is not zero. Errors: those of the file.
template <class File, class Report>
[[nodiscard]] constexpr failure check_last_sector(File& file, std::uint64_t at,
                                                  Report& report) noexcept {
  sector_image sector{};
  if (failure f = file.read_at(at, sector)) return f;
  if (!is_zero(sector.data(), sector.size())) report(errc::end_of_stream_invalid, at);
  return no_failure;
}

}  // namespace detail

/// Finds the sector of a stream's directory: in the footer when the header says so. A footer behind
/// a header that has a directory of its own must name the same one, since readers disagree about
/// which of the two counts (SPEC 13.3).
///
/// Broken rules go to `report(code, offset in the file)`, which returns false to stop. Gives 0,
/// after at least one report, when no directory can be had. Errors: those of the file. Reads at
/// most three sectors.
template <class File, class Report>
[[nodiscard]] constexpr result<std::uint64_t> find_footer(File& file, std::uint64_t file_bytes,
                                                          const sparse_extent_header& header,
                                                          Report&& report) noexcept {
  constexpr std::uint64_t none = 0;
  const bool needed = header.has_tables_at_end();
  const std::uint64_t directory = needed ? none : header.gd_offset.get();
  const auto missing = [&]() -> result<std::uint64_t> {
    if (needed) {
      report(errc::footer_missing, std::uint64_t{offsetof(sparse_extent_header, gd_offset)});
    }
    return directory;
  };
  if (file_bytes < sector_bytes + stream_tail_bytes || file_bytes % sector_bytes != 0) {
    return missing();
  }

  // The three sectors share their place on the stack.
  const std::uint64_t marker_at = file_bytes - stream_tail_bytes;
  const std::uint64_t footer_at = marker_at + sector_bytes;
  const auto marker = detail::read_footer_marker(file, marker_at);
  if (!marker) return marker.error();
  if (!marker->is_footer) return missing();

  std::uint64_t found = none;
  {
    sparse_extent_header footer{};
    if (failure f = read_object(file, footer_at, footer)) return f;
    if (footer.magic_number != sparse_magic) return missing();
    if (!marker->has_right_length) {
      report(errc::footer_marker_invalid, marker_at);
      return directory;
    }
    if (!marker->is_padded &&
        !report(errc::marker_padding_not_zero, marker_at + sizeof(stream_marker))) {
      return directory;
    }
    found = footer.gd_offset;
    const std::uint64_t found_at = footer_at + offsetof(sparse_extent_header, gd_offset);
    if (found == directory_at_end || found == 0) {
      report(errc::footer_directory_invalid, found_at);
      return directory;
    }
    if (!check_sparse_header(footer, file_bytes, report, footer_at)) return directory;
    check_footer_agrees(header, footer, report, footer_at);
    if (!needed && found != directory) report(errc::footer_mismatch, found_at);
  }

  if (failure f = detail::check_last_sector(file, footer_at + sector_bytes, report)) return f;
  return found;
}

}  // namespace vmdk
