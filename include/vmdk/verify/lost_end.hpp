// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/sparse_header.hpp"
#include "vmdk/verify/grain_probe.hpp"
#include "vmdk/verify/marker_mender.hpp"
#include "vmdk/verify/marker_walk.hpp"
#include "vmdk/verify/mended_extent.hpp"
#include "vmdk/verify/stream_scan.hpp"
#include "vmdk/verify/stream_tail.hpp"
#include "vmdk/verify/stream_view.hpp"

namespace vmdk::detail {

/// Gives a stream its end back that it has lost: tables, directory and footer behind the grains
/// (SPEC 13.7).
template <class Target, class D>
class lost_end {
 public:
  constexpr lost_end(mended_extent<Target>& extent, D& decoder) noexcept
      : extent_(&extent), decoder_(&decoder) {}

  /// Writes the end of a stream anew. Errors: errc::footer_missing where it is not sure where the
  /// grains end, zeros between them would be the end, or the directory that the header names would
  /// be lost meanwhile; those of stream_tail.
  constexpr failure rebuild(const stream_view<Target>& stream) noexcept {
    const auto refused = image_failure(errc::footer_missing, offsetof(h, gd_offset));
    const stream_facts facts = stream.facts();
    if (!facts.is_complete() || facts.misplaced != 0 || facts.has_holes) return refused;
    if (header().over_head > extent_->file_sectors()) return refused;
    // What would be written behind the grains must not lie in the descriptor.
    if (header().descriptor_offset != 0 &&
        header().descriptor_offset + header().descriptor_size > header().over_head) {
      return refused;
    }
    if (facts.stopped_by == marker_kind::zero) {
      const auto is_end = is_zero_from(facts.stopped_at);
      if (!is_end) return is_end.error();
      if (!*is_end) return refused;
    }
    std::uint64_t end = facts.content_end;
    if (facts.last_grain != 0) {
      for (const std::uint64_t sector : {header().over_head.get(), facts.last_grain}) {
        const auto state = probe_grain(target(), header(), sector, *decoder_, extent_->share.rest);
        if (!state) return state.error();
        // The header's grain size is not the stream's: nothing that follows from it can be right.
        if (*state == grain_state::of_other_size) {
          return image_failure(errc::grain_size_invalid, offsetof(h, grain_size));
        }
        if (sector == facts.last_grain && *state == grain_state::torn) end = sector;
      }
    }
    header().gd_offset = directory_at_end;
    extent_->drop_copy();
    stream_tail<Target> tail(target(), header(), stream.gaps(), end, extent_->share.rest);
    if (failure f = tail.plan()) return f;
    // Until there is a footer, the file is read by the directory that its header names.
    const bool is_named =
        names_directory() && extent_->choice.header.gd_offset >= tail.end_sector();
    if (is_named) {
      header().gd_offset = extent_->choice.header.gd_offset;
      if (!tail.may_stand_at(header().gd_offset)) return refused;
    }
    // Nobody reads the file yet. The footer is written over: what it knows has to be in the header.
    if (extent_->choice.do_differ && !names_directory()) {
      if (failure f = extent_->mend_header_first()) return f;
    }
    if (failure f = mend_markers(target(), stream)) return f;
    if (failure f = tail.write(is_named)) return f;
    return extent_->mend_header();
  }

 private:
  using h = sparse_extent_header;

  [[nodiscard]] constexpr Target& target() const noexcept { return *extent_->target; }
  [[nodiscard]] constexpr sparse_extent_header& header() const noexcept { return extent_->header; }

  /// True when the header that stands there names a directory that is in the file.
  [[nodiscard]] constexpr bool names_directory() const noexcept {
    const std::uint64_t named = extent_->choice.header.gd_offset;
    return extent_->choice.is_header_usable && named != 0 && named < extent_->file_sectors();
  }

  /// True when a file has only zeros from a sector on. Errors: the file's.
  [[nodiscard]] constexpr result<bool> is_zero_from(std::uint64_t sector) noexcept {
    const byte_span window = extent_->share.rest;
    for (std::uint64_t at = sector << sector_shift; at < target().size();) {
      const auto bytes =
          static_cast<std::size_t>(smaller_of<std::uint64_t>(target().size() - at, window.size()));
      if (failure f = target().read_at(at, window.first(bytes))) return f;
      if (!is_zero(window.data(), bytes)) return false;
      at += bytes;
    }
    return true;
  }

  mended_extent<Target>* extent_;
  D* decoder_;
};

}  // namespace vmdk::detail
