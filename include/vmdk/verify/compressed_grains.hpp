// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "vmdk/codec/concepts.hpp"
#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/endian.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/marker.hpp"
#include "vmdk/reader/compressed_grain.hpp"
#include "vmdk/verify/finding.hpp"
#include "vmdk/verify/table_formats.hpp"
#include "vmdk/verify/table_walk.hpp"

namespace vmdk::detail {

/// The sectors of a compressed grain with its marker.
[[nodiscard]] constexpr std::uint64_t marked_sectors(std::uint64_t data_bytes) noexcept {
  return ceil_shift(data_bytes + grain_marker_bytes, sector_shift);
}

/// Memory to expand a grain in; without an output grains are not expanded.
struct expanding_room {
  byte_span input;   ///< At least one sector.
  byte_span output;  ///< A grain.
};

/// Looks into the compressed grains of an extent: markers, padding and what they expand to.
template <class File, class D>
class compressed_grains {
 public:
  constexpr compressed_grains(File& file, const sparse_format& format, byte_span marker,
                              const expanding_room& room, D& decoder) noexcept
      : file_(&file),
        format_(&format),
        marker_(marker),
        room_(room),
        decoder_(&decoder),
        budget_sectors_(ceil_shift(format.file_bytes(), sector_shift)) {}

  /// The grain size in bytes when a grain could not be expanded because the room is too small.
  [[nodiscard]] constexpr std::uint64_t lacking_bytes() const noexcept { return lacking_bytes_; }

  [[nodiscard]] constexpr std::uint64_t most_sectors() const noexcept {
    return marked_sectors(compressed_size_limit(format_->extent().geometry().grain_bytes()));
  }

  /// What the marker says, 1 when that cannot be; never more than the file has. Errors: the file's.
  [[nodiscard]] constexpr result<std::uint64_t> sectors(const table_entry& entry) noexcept {
    const std::uint64_t marker_at = entry.value << sector_shift;
    if (failure f = file_->read_at(marker_at, marker_.first(grain_marker_bytes))) return f;
    return sectors_stated(marker_at);
  }

  /// Checks marker, padding and content. Errors: those of the file and of the log.
  template <class Log>
  [[nodiscard]] constexpr result<std::uint64_t> check(const table_entry& entry, Log& log) noexcept {
    const std::uint64_t marker_at = entry.value << sector_shift;
    if (failure f = file_->read_at(marker_at, marker_.first(grain_marker_bytes))) return f;
    const std::uint64_t sectors = sectors_stated(marker_at);
    finding found;
    found.table = entry.table;
    found.entry = entry.index;
    const std::uint64_t grain_offset = entry.grain
                                       << format_->extent().geometry().grain_byte_shift();
    const auto grain = check_grain_marker(marker_.data(), marker_at, format_->extent(),
                                          grain_offset, format_->file_bytes());
    if (!grain) {
      found.code = grain.error().code;
      found.offset = grain.error().offset;
      const bool wrong_place = found.code == errc::marker_lba_mismatch;
      found.value = wrong_place ? load_le<std::uint64_t>(marker_.data())
                                : load_le<std::uint32_t>(marker_.data() + 8);
      found.other = wrong_place ? grain_offset >> sector_shift : no_figure;
      if (failure f = log.add(found)) return f;
      return sectors;
    }
    found.offset = marker_at;
    if (failure f = check_padding(*grain, found, log)) return f;
    // Grains that lie side by side cannot be more than the file; where they are, they overlap.
    if (sectors > budget_sectors_) return sectors;
    budget_sectors_ -= sectors;
    if (failure f = expand(*grain, grain_offset, found, log)) return f;
    return sectors;
  }

 private:
  [[nodiscard]] constexpr std::uint64_t sectors_stated(std::uint64_t marker_at) const noexcept {
    const std::uint64_t size = load_le<std::uint32_t>(marker_.data() + 8);
    if (size == 0 || size > compressed_size_limit(format_->extent().geometry().grain_bytes())) {
      return 1;
    }
    const std::uint64_t left = ceil_shift(format_->file_bytes() - marker_at, sector_shift);
    return smaller_of(marked_sectors(size), left);
  }

  template <class Log>
  constexpr failure check_padding(const compressed_grain& grain, finding found, Log& log) noexcept {
    const std::uint64_t data_end = grain.data_offset + grain.data_bytes;
    const std::uint64_t sector_end =
        smaller_of(ceil_shift(data_end, sector_shift) << sector_shift, format_->file_bytes());
    const byte_span padding = marker_.first(static_cast<std::size_t>(sector_end - data_end));
    if (padding.empty()) return no_failure;
    if (failure f = file_->read_at(data_end, padding)) return f;
    if (is_zero(padding)) return no_failure;
    found.code = errc::marker_padding_not_zero;
    found.offset = data_end;
    return log.add(found);
  }

  /// Expands a grain; the last one of an unaligned disk may be short.
  template <class Log>
  constexpr failure expand(const compressed_grain& grain, std::uint64_t grain_offset, finding found,
                           Log& log) noexcept {
    if constexpr (std::is_same_v<D, no_decoder>) {
      return no_failure;
    } else {
      const auto& geometry = format_->extent().geometry();
      const std::uint64_t whole = geometry.grain_bytes();
      const std::uint64_t exists =
          smaller_of<std::uint64_t>(whole, format_->extent().capacity_bytes() - grain_offset);
      // Two bits of a stream give 258 bytes at most, so that some cannot hold what they must.
      const std::uint64_t most = std::uint64_t{grain.data_bytes} * 1032;
      const auto decode = [&](std::uint64_t wanted) -> failure {
        if (most < wanted) return codec_failure(errc::stream_output_short, grain.data_bytes);
        const std::size_t at_once = D::needs_contiguous_input ? grain.data_bytes : 0;
        if (room_.output.size() < wanted || room_.input.size() < at_once) {
          return options_failure(errc::workspace_too_small);
        }
        grain_supply<File> supply(*file_, grain, {}, room_.input);
        return decoder_->decode(supply, room_.output.first(static_cast<std::size_t>(wanted)));
      };
      failure why = decode(whole);
      const bool may_be_short =
          why.code == errc::stream_output_short || why.code == errc::workspace_too_small;
      if (may_be_short && exists < whole) {
        const failure cut = decode(exists);
        if (!cut) {
          ++log.summary.expanded_grains;
          found.code = errc::last_grain_short;
          found.value = exists;
          found.other = whole;
          return log.add(found);
        }
        // What did not fit its part of the disk may still be a whole grain.
        if (why.code == errc::stream_output_short || cut.from == origin::source) why = cut;
      }
      if (!why) {
        ++log.summary.expanded_grains;
        return no_failure;
      }
      if (why.code == errc::workspace_too_small) {
        lacking_bytes_ = D::needs_contiguous_input ? whole * 3 + sector_bytes : whole;
        return no_failure;
      }
      if (why.from != origin::codec) return why;
      found.code = why.code;
      found.offset = grain.data_offset + why.offset;
      return log.add(found);
    }
  }

  File* file_;
  const sparse_format* format_;
  byte_span marker_;
  expanding_room room_;
  D* decoder_;
  std::uint64_t budget_sectors_;
  std::uint64_t lacking_bytes_ = 0;
};

}  // namespace vmdk::detail
