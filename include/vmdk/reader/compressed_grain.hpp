// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/codec/concepts.hpp"
#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/endian.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/marker.hpp"
#include "vmdk/reader/sparse_extent.hpp"

namespace vmdk {

/// A place of the decoder for readers that shall open no compressed image.
struct no_decoder {
  static constexpr bool needs_contiguous_input = false;
  template <ByteSupply Supply>
  [[nodiscard]] constexpr failure decode(Supply&, byte_span) noexcept {
    return codec_failure(errc::codec_not_available);
  }
};

/// The most compressed bytes that a reader takes for one grain: no writer needs more, and it bounds
/// the work (SPEC 5).
[[nodiscard]] constexpr std::uint64_t compressed_size_limit(std::uint32_t grain_bytes) noexcept {
  return std::uint64_t{grain_bytes} * 2 + sector_bytes;
}

/// How much room for `input` a reader of compressed grains wants: for a decoder that needs
/// contiguous input the largest compressed grain and its marker, for others a sector.
template <Decoder D>
[[nodiscard]] constexpr std::uint64_t compressed_input_bytes(std::uint32_t grain_bytes) noexcept {
  if (!D::needs_contiguous_input) return sector_bytes;
  return grain_marker_bytes + compressed_size_limit(grain_bytes);
}

/// Where a compressed grain's data lies in its file.
struct compressed_grain {
  std::uint64_t data_offset = 0;
  std::uint32_t data_bytes = 0;
};

/// Reads and checks a grain's marker: its place on the disk and its size (SPEC 13.2).
/// grain_offset is where in the extent's part of the disk the grain begins, in bytes.
/// Errors: errc::marker_lba_mismatch, errc::marker_size_invalid, errc::grain_past_end, all with the
/// place in the file.
[[nodiscard]] constexpr result<compressed_grain> check_grain_marker(
    const std::byte* marker, std::uint64_t marker_offset, const sparse_extent& extent,
    std::uint64_t grain_offset, std::uint64_t file_bytes) noexcept {
  const std::uint64_t lba = load_le<std::uint64_t>(marker);
  const std::uint32_t size = load_le<std::uint32_t>(marker + 8);
  if (size == 0 || size > compressed_size_limit(extent.geometry().grain_bytes())) {
    return image_failure(errc::marker_size_invalid, marker_offset + 8, size);
  }
  if (lba != grain_offset >> sector_shift) {
    return image_failure(errc::marker_lba_mismatch, marker_offset);
  }
  const std::uint64_t data_offset = marker_offset + grain_marker_bytes;
  if (!fits_inside(data_offset, size, file_bytes)) {
    return image_failure(errc::grain_past_end, marker_offset);
  }
  return compressed_grain{data_offset, size};
}

/// Supplies a grain's compressed bytes to a decoder, piece by piece through a buffer.
template <class File>
class grain_supply {
 public:
  /// `ready` is the beginning of the data, read already; the rest comes through `buffer`, which may
  /// be the same memory. All belongs to the caller.
  constexpr grain_supply(File& file, const compressed_grain& grain, byte_view ready,
                         byte_span buffer) noexcept
      : file_(&file),
        at_(grain.data_offset),
        left_(grain.data_bytes),
        ready_(ready),
        buffer_(buffer) {}

  [[nodiscard]] constexpr result<byte_view> next() noexcept {
    byte_view piece = ready_;
    ready_ = {};
    if (piece.empty()) {
      piece = buffer_.first(smaller_of<std::size_t>(left_, buffer_.size()));
      if (piece.empty()) return piece;
      if (failure f = file_->read_at(at_, buffer_.first(piece.size()))) return f;
    }
    piece = piece.first(smaller_of<std::size_t>(left_, piece.size()));
    at_ += piece.size();
    left_ -= static_cast<std::uint32_t>(piece.size());
    return piece;
  }

 private:
  File* file_;
  std::uint64_t at_;
  std::uint32_t left_;
  byte_view ready_;
  byte_span buffer_;
};

/// Reads and expands one compressed grain into `out`: a whole grain, zeros behind the capacity.
///
/// `input` holds at least one sector; with room for a whole compressed grain one read is enough,
/// and decoders that need contiguous input get it. Writers disagree whether the last grain of an
/// unaligned disk is padded before it is compressed; both are read (SPEC 5).
/// Errors: those of check_grain_marker, of the decoder (origin codec, offset in the file) and of
/// the file; errc::workspace_too_small for a decoder that needs more room.
template <class File, Decoder D>
[[nodiscard]] constexpr failure read_compressed_grain(File& file, std::uint64_t file_bytes,
                                                      const sparse_extent& extent,
                                                      std::uint64_t marker_offset,
                                                      std::uint64_t grain_offset, byte_span input,
                                                      D& decoder, byte_span out) noexcept {
  if (!fits_inside(marker_offset, grain_marker_bytes, file_bytes)) {
    return image_failure(errc::grain_past_end, marker_offset);
  }
  const std::uint64_t most =
      smaller_of(grain_marker_bytes + compressed_size_limit(extent.geometry().grain_bytes()),
                 file_bytes - marker_offset);
  const byte_span window =
      input.first(static_cast<std::size_t>(smaller_of<std::uint64_t>(input.size(), most)));
  const std::uint64_t exists =
      smaller_of<std::uint64_t>(out.size(), extent.capacity_bytes() - grain_offset);
  failure why;
  // A short last grain is tried when the padded form turns out too short.
  for (const std::size_t wanted : {out.size(), static_cast<std::size_t>(exists)}) {
    if (failure f = file.read_at(marker_offset, window)) return f;
    const auto grain =
        check_grain_marker(window.data(), marker_offset, extent, grain_offset, file_bytes);
    if (!grain) return grain.error();
    const byte_view ready = window.subspan(grain_marker_bytes);
    if (D::needs_contiguous_input && ready.size() < grain->data_bytes) {
      return options_failure(errc::workspace_too_small, 0, grain->data_bytes + grain_marker_bytes);
    }
    grain_supply<File> supply(file, *grain, ready, input);
    why = decoder.decode(supply, out.first(wanted));
    if (why && why.from == origin::codec) why.offset += grain->data_offset;
    if (!why) {
      zero_bytes(out.subspan(wanted));
      return no_failure;
    }
    if (why.code != errc::stream_output_short || exists == out.size()) break;
  }
  return why;
}

}  // namespace vmdk
