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
#include "vmdk/verify/stream_scan.hpp"

namespace vmdk::detail {

/// The header of a sparse file and its footer, as they stand and as they are taken.
struct header_choice {
  sparse_extent_header header{};  ///< As it stands in sector 0.
  sparse_extent_header footer{};  ///< As it stands in the last sector but one.
  sparse_extent_header taken{};   ///< The one to go by; its gd_offset is not judged.
  bool is_header_usable = false;
  bool is_footer_usable = false;  ///< There is one, before a marker or an end of its own.
  bool do_differ = false;         ///< The footer is usable, and the header does not say the same.
};

/// The first error of a header, but for where it says that directories are.
[[nodiscard]] constexpr failure first_error_of(sparse_extent_header header,
                                               std::uint64_t file_bytes) noexcept {
  header.gd_offset = directory_at_end;
  header.rgd_offset = std::uint64_t{0};
  return validate(header, file_bytes, strictness::tolerant);
}

/// What speaks against a header of a stream, and how many grains it gives the stream.
struct header_evidence {
  unsigned against = 0;
  std::uint64_t grains = 0;

  [[nodiscard]] constexpr bool is_better_than(const header_evidence& other) const noexcept {
    return against != other.against ? against < other.against : grains > other.grains;
  }
};

/// How many things in a stream contradict a header that it is to have.
template <class File>
[[nodiscard]] constexpr result<header_evidence> evidence_for(
    File& file, const sparse_extent_header& header) noexcept {
  const sparse_geometry geometry(header.capacity, header.grain_size);
  const auto ignore = [](const marker_item&) { return no_failure; };
  const auto facts =
      scan_stream(file, geometry, header.over_head, stream_end{}, marker_gaps{}, ignore);
  if (!facts) return facts.error();
  header_evidence found{.against = facts->misplaced == 0 ? 0u : 1u, .grains = facts->grains};
  if (!facts->is_complete()) ++found.against;
  if (facts->footer == 0 || facts->directory == 0) ++found.against;
  return found;
}

/// Reads header and footer and chooses between them (SPEC 13.7): the one that can be; of two that
/// can be and differ, the one that the stream contradicts less, or that sees more of it; and else
/// the header. `contradicts` adds what else is known against one: (header) -> result<unsigned>.
/// Errors: those of the file; what is wrong with the header when neither is usable.
template <class File, class Contradicts>
[[nodiscard]] constexpr result<header_choice> choose_header(File& file,
                                                            Contradicts&& contradicts) noexcept {
  const std::uint64_t file_bytes = file.size();
  header_choice choice;
  if (file_bytes < sector_bytes) return image_failure(errc::header_truncated, 0);
  if (failure f = read_object(file, 0, choice.header)) return f;
  const failure broken = first_error_of(choice.header, file_bytes);
  choice.is_header_usable = !broken;
  const std::uint64_t footer_at = file_bytes < sector_bytes + stream_tail_bytes
                                      ? 0
                                      : file_bytes - std::uint64_t{2} * sector_bytes;
  if (footer_at != 0 && file_bytes % sector_bytes == 0) {
    stream_marker marker;
    if (failure f = read_object(file, footer_at - sector_bytes, marker)) return f;
    if (failure f = read_object(file, footer_at, choice.footer)) return f;
    const bool is_whole = marker.is(marker_type::footer) || choice.is_header_usable;
    choice.is_footer_usable =
        is_whole && choice.footer.is_compressed() && !first_error_of(choice.footer, file_bytes);
  }
  if (!choice.is_header_usable && !choice.is_footer_usable) return broken;
  choice.taken = choice.is_header_usable ? choice.header : choice.footer;
  if (!choice.is_header_usable || !choice.is_footer_usable) {
    if (choice.is_header_usable) return choice;
    // Data of a guest may look like a footer: what stands before it must be a stream.
    const auto found = evidence_for(file, choice.footer);
    if (!found) return found.error();
    if (found->against != 0) return broken;
    choice.do_differ = true;
    return choice;
  }
  // A footer behind grains that are not compressed is data.
  if (!choice.header.is_compressed()) {
    choice.is_footer_usable = false;
    return choice;
  }
  bool agree = true;
  check_footer_agrees(choice.header, choice.footer, [&](errc, std::uint64_t) {
    agree = false;
    return false;
  });
  if (agree) return choice;
  header_evidence found[2];
  for (unsigned i = 0; i < 2; ++i) {
    const sparse_extent_header& each = i == 0 ? choice.header : choice.footer;
    const auto stream = evidence_for(file, each);
    if (!stream) return stream.error();
    const auto other = contradicts(each);
    if (!other) return other.error();
    found[i] = *stream;
    found[i].against += *other;
  }
  if (found[1].is_better_than(found[0])) choice.taken = choice.footer;
  choice.do_differ = true;
  return choice;
}

}  // namespace vmdk::detail
