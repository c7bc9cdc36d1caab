// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "vmdk/codec/adler32.hpp"
#include "vmdk/codec/concepts.hpp"
#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/footer_check.hpp"
#include "vmdk/format/marker.hpp"
#include "vmdk/format/severity.hpp"
#include "vmdk/format/sparse_geometry.hpp"
#include "vmdk/format/sparse_header.hpp"
#include "vmdk/format/sparse_header_check.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/reader/compressed_grain.hpp"
#include "vmdk/reader/passing_tables.hpp"
#include "vmdk/reader/stream_input.hpp"

namespace vmdk {

/// A grain that a stream_reader has come to.
struct stream_grain {
  std::uint64_t disk_offset = 0;  ///< Where on the disk it begins, in bytes.
  std::uint32_t data_bytes = 0;   ///< Of its compressed data; 0: the stream has ended, and well.
};

/// Reads a streamOptimized image front to back, once: from a pipe or a network. Tables may lie in
/// front of the grains or behind them; either way they are compared with the grains that were seen,
/// so that a stream with a grain missing is not taken for a whole one (SPEC 5, 13.2, 13.3).
///
/// Call `open`, then `next` and `expand` or `take` in turn until there is no grain left. After a
/// failure every call returns it.
template <SequentialSource S>
class stream_reader {
 public:
  constexpr explicit stream_reader(S& source) noexcept : input_(source) {}

  /// Reads the header and the embedded descriptor. The descriptor's bytes go to `text`, which may
  /// be empty: then they are passed over. Gives the descriptor's bytes; what they say is not looked
  /// at. Errors: each rule of SPEC 13.1; errc::source_not_seekable for an image that is no stream,
  /// and can only be read at random; errc::workspace_too_small for `text`; those of the source.
  [[nodiscard]] constexpr result<byte_view> open(byte_span text,
                                                 strictness mode = strictness::tolerant) noexcept {
    const auto opened = read_head(text, mode);
    if (!opened) return fail(opened.error());
    return opened;
  }

  [[nodiscard]] constexpr const sparse_geometry& geometry() const noexcept { return geometry_; }
  /// The capacity of the disk in bytes.
  [[nodiscard]] constexpr std::uint64_t size() const noexcept { return geometry_.capacity_bytes(); }

  /// Where in the stream the embedded descriptor is, in bytes; 0: there is none.
  [[nodiscard]] constexpr std::uint64_t descriptor_offset() const noexcept {
    return header_.descriptor_offset << sector_shift;
  }

  /// Goes to the next grain; drops the data of the present one if nobody took it.
  /// Errors: the rules of SPEC 13.2 and 13.3, with the offset in the stream;
  /// errc::stream_end_missing when the source ends too early; those of the source.
  [[nodiscard]] constexpr result<stream_grain> next() noexcept {
    if (failed_) return failed_;
    const auto found = find_grain();
    if (!found) return fail(found.error());
    return found;
  }

  /// Expands the present grain: `out` is one grain. `input` takes compressed bytes on their way, of
  /// at least one sector; decoders that need contiguous input need room for all of them. Errors:
  /// those of the decoder (offset in the stream) and of the source.
  template <Decoder D>
  [[nodiscard]] constexpr failure expand(D& decoder, byte_span input, byte_span out) noexcept {
    if (failed_) return failed_;
    const std::uint64_t data_at = data_offset();
    // A decoder that stops early must leave nothing behind that was there before.
    if (short_bytes_ != 0) zero_bytes(out);
    if (D::needs_contiguous_input) {
      const auto data = take(input);
      if (!data) return data.error();
      single_supply supply(*data);
      return finish_expanding(decoder.decode(supply, out), data_at, out);
    }
    stream_supply<S> supply{&input_, input};
    return finish_expanding(decoder.decode(supply, out), data_at, out);
  }

  /// Where in the stream the present grain's next compressed byte is.
  [[nodiscard]] constexpr std::uint64_t data_offset() const noexcept {
    return input_.data_offset();
  }

  /// Copies the present grain's compressed data out, for somebody else to expand.
  /// Errors: errc::workspace_too_small (detail: the bytes wanted); those of the source.
  [[nodiscard]] constexpr result<byte_view> take(byte_span out) noexcept {
    if (failed_) return failed_;
    const std::uint32_t left_bytes = input_.left_bytes();
    if (out.size() < left_bytes) {
      return fail(options_failure(errc::workspace_too_small, 0, left_bytes));
    }
    const byte_span data = out.first(left_bytes);
    if (failure f = input_.read_data(data)) return fail(f);
    return byte_view(data);
  }

 private:
  [[nodiscard]] constexpr failure fail(failure why) noexcept {
    failed_ = why;
    return why;
  }

  /// A last grain that was not padded expands into less than a whole one. It cannot be read again
  /// to expand it into what exists, but its own checksum, the last thing that it holds, tells
  /// whether that is there.
  [[nodiscard]] constexpr failure finish_expanding(failure why, std::uint64_t data_at,
                                                   byte_span out) noexcept {
    if (why.code == errc::stream_output_short && short_bytes_ != 0 && input_.left_bytes() == 0 &&
        adler32(out.first(short_bytes_)) == input_.last_word()) {
      zero_bytes(out.subspan(short_bytes_));
      why = {};
    }
    if (why && why.from == origin::codec) why.offset += data_at;
    return why ? fail(why) : why;
  }

  [[nodiscard]] constexpr result<byte_view> read_head(byte_span text, strictness mode) noexcept {
    if (failure f = input_.read_sector()) {
      return f.code == errc::stream_end_missing ? image_failure(errc::header_truncated, 0) : f;
    }
    decode_sparse_header(input_.sector(), header_);
    // A pipe has no size that the header could be held against.
    if (failure f = validate(header_, ~std::uint64_t{0}, mode)) return f;
    if (!header_.is_compressed()) return source_failure(errc::source_not_seekable, 0);
    geometry_ = sparse_geometry(header_.capacity, header_.grain_size);
    mode_ = mode;

    const std::uint64_t text_begin = header_.descriptor_offset;
    const std::uint64_t text_end = text_begin == 0 ? 0 : text_begin + header_.descriptor_size;
    const std::uint64_t text_bytes = (text_end - text_begin) << sector_shift;
    if (!text.empty() && text_bytes > text.size()) {
      return options_failure(errc::workspace_too_small, 0, static_cast<std::uint32_t>(text_bytes));
    }
    tables_.begin(header_);
    for (std::uint64_t number = 1;
         number < larger_of(text_end, larger_of(header_.over_head.get(), tables_.front_end()));
         ++number) {
      if (failure f = input_.read_sector()) return f;
      if (failure f = tables_.see_front_sector(input_.sector(), number << sector_shift)) return f;
      if (!text.empty() && number >= text_begin && number < text_end) {
        const std::uint64_t into = (number - text_begin) << sector_shift;
        copy_bytes(text.data() + into, input_.sector().data(), sector_bytes);
      }
    }
    return text.empty() ? byte_view{} : byte_view(text.first(static_cast<std::size_t>(text_bytes)));
  }

  [[nodiscard]] constexpr result<stream_grain> find_grain() noexcept {
    if (ended_) return stream_grain{};
    if (failure f = input_.leave_data()) return f;
    for (;;) {
      const std::uint64_t at = input_.position();
      const failure f = input_.read_sector();
      // A writer of tables in front may end without a marker: then the tables tell what was due.
      if (f.code == errc::stream_end_missing && input_.position() == at && tables_.are_in_front() &&
          tables_.all_grains_seen()) {
        ended_ = true;
        return stream_grain{};
      }
      if (f) return f;
      const stream_marker marker = decode_marker(input_.sector().data());
      if (marker.is_grain()) return begin_grain(marker, at);
      if (failure broken = take_marker(marker, at)) return broken;
      if (ended_) return stream_grain{};
    }
  }

  [[nodiscard]] constexpr result<stream_grain> begin_grain(const stream_marker& marker,
                                                           std::uint64_t at) noexcept {
    const std::uint64_t lba = marker.value;
    if (lba >= geometry_.capacity_sectors() || (lba & (geometry_.grain_sectors() - 1)) != 0) {
      return image_failure(errc::marker_lba_mismatch, at);
    }
    if (marker.size > compressed_size_limit(geometry_.grain_bytes())) {
      return image_failure(errc::marker_size_invalid, at + 8, marker.size);
    }
    if (failure f = tables_.see_grain(lba >> geometry_.grain_shift(), at)) return f;
    input_.begin_data(marker.size);
    const std::uint64_t disk_offset = lba << sector_shift;
    const std::uint64_t exists = geometry_.capacity_bytes() - disk_offset;
    short_bytes_ = exists < geometry_.grain_bytes() ? static_cast<std::uint32_t>(exists) : 0;
    return stream_grain{disk_offset, marker.size};
  }

  [[nodiscard]] constexpr failure take_marker(const stream_marker& marker,
                                              std::uint64_t at) noexcept {
    const auto wrong = [at] { return image_failure(errc::marker_invalid, at); };
    // Who reads at random looks for the footer right before the end, and for one directory.
    if (has_footer_ && !marker.is(marker_type::end_of_stream)) return wrong();
    const bool is_table =
        marker.is(marker_type::grain_table) || marker.is(marker_type::grain_directory);
    if (is_table && tables_.has_directory()) {
      return image_failure(errc::stream_tables_mismatch, at);
    }
    switch (static_cast<marker_type>(marker.type.get())) {
      case marker_type::end_of_stream:
        return marker.value == 0 ? take_end(at) : wrong();
      case marker_type::grain_table:
        return marker.value == table_sectors ? take_table(at) : wrong();
      case marker_type::grain_directory:
        if (marker.value != geometry_.directory_sectors()) return wrong();
        directory_sector_ = input_.position() >> sector_shift;
        if (!header_.has_tables_at_end() && header_.gd_offset != directory_sector_) {
          return image_failure(errc::stream_tables_mismatch, at);
        }
        return take_directory();
      case marker_type::footer:
        return marker.value == 1 ? take_footer() : wrong();
      case marker_type::progress:
        return input_.pass_over(marker.value);
    }
    return wrong();
  }

  [[nodiscard]] constexpr failure take_table(std::uint64_t at) noexcept {
    tables_.begin_table();
    for (std::uint32_t i = 0; i < table_sectors; ++i) {
      if (failure f = input_.read_sector()) return f;
      if (failure f = tables_.see_table_sector(input_.sector(), i, at)) return f;
    }
    return no_failure;
  }

  [[nodiscard]] constexpr failure take_directory() noexcept {
    for (std::uint64_t i = 0; i < geometry_.directory_sectors(); ++i) {
      const std::uint64_t at = input_.position();
      if (failure f = input_.read_sector()) return f;
      if (failure f = tables_.see_directory_sector(input_.sector(), at)) return f;
    }
    return no_failure;
  }

  [[nodiscard]] constexpr failure take_footer() noexcept {
    const std::uint64_t at = input_.position();
    if (failure f = input_.read_sector()) return f;
    // The first of these that fails is the one that counts.
    first_refusal refusal(mode_);
    const bool is_right =
        with_sparse_header(input_.sector(), [&](const sparse_extent_header& footer) {
          check_sparse_header(footer, ~std::uint64_t{0}, refusal, at);
          check_footer_agrees(header_, footer, refusal, at);
          return footer.gd_offset == directory_sector_;
        });
    if (!is_right) {
      refusal(errc::footer_directory_invalid, at + offsetof(sparse_extent_header, gd_offset));
    }
    has_footer_ = !refusal.why();
    return refusal.why();
  }

  [[nodiscard]] constexpr failure take_end(std::uint64_t at) noexcept {
    if (!is_zero(input_.sector().data(), input_.sector().size())) {
      return image_failure(errc::end_of_stream_invalid, at);
    }
    if (header_.has_tables_at_end() && !has_footer_) {
      return image_failure(errc::footer_missing, at);
    }
    if (!tables_.all_grains_seen()) return image_failure(errc::stream_tables_mismatch, at);
    // With tables in front some writers round the file up with zeros.
    if (failure f = input_.read_end(tables_.are_in_front())) return f;
    ended_ = true;
    return no_failure;
  }

  stream_input<S> input_;
  sparse_extent_header header_{};
  sparse_geometry geometry_{};
  strictness mode_ = strictness::tolerant;
  failure failed_{};
  std::uint32_t short_bytes_ = 0;  ///< The part of the last grain that exists, when it is cut.
  std::uint64_t directory_sector_ = 0;
  passing_tables tables_{};
  bool has_footer_ = false;
  bool ended_ = false;
};

}  // namespace vmdk
