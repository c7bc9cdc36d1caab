// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/marker.hpp"
#include "vmdk/format/sparse_header.hpp"
#include "vmdk/io/concepts.hpp"

namespace vmdk {

/// The sectors of a stream front to back, with the memory of one, and the data of the grain whose
/// marker the last one begins with (SPEC 5). After a failure it is of no further use.
/// Errors of each call: errc::stream_end_missing when the source ends too early, with the offset in
/// the stream; those of the source.
template <SequentialSource S>
class stream_input {
 public:
  constexpr explicit stream_input(S& source) noexcept : source_(&source) {}

  /// The bytes read from the source.
  [[nodiscard]] constexpr std::uint64_t position() const noexcept { return position_; }
  /// The last sector read.
  [[nodiscard]] constexpr const sector_image& sector() const noexcept { return sector_; }

  [[nodiscard]] constexpr failure read_sector() noexcept {
    sector_used_ = sector_bytes;
    return read_exactly(sector_);
  }

  [[nodiscard]] constexpr failure pass_over(std::uint64_t sectors) noexcept {
    for (; sectors != 0; --sectors) {
      if (failure f = read_sector()) return f;
    }
    return no_failure;
  }

  /// Finds that the source ends here, or behind zeros where they may follow.
  /// Errors: errc::stream_data_after_end, with the offset of the first byte that may not be there.
  [[nodiscard]] constexpr failure read_end(bool zeros_may_follow) noexcept {
    for (;;) {
      const auto got = source_->read(sector_);
      if (!got) return got.error();
      if (*got == 0) return no_failure;
      std::size_t zeros = 0;
      while (zeros_may_follow && zeros < *got && sector_[zeros] == std::byte{0}) ++zeros;
      position_ += zeros;
      if (zeros != *got) return image_failure(errc::stream_data_after_end, position_);
    }
  }

  /// Makes the sector a marker of a grain with that many bytes of data.
  constexpr void begin_data(std::uint32_t bytes) noexcept {
    left_bytes_ = bytes;
    sector_used_ = grain_marker_bytes;
  }

  /// How much of the grain's data is still to be read.
  [[nodiscard]] constexpr std::uint32_t left_bytes() const noexcept { return left_bytes_; }
  /// Where in the stream the next byte of it is.
  [[nodiscard]] constexpr std::uint64_t data_offset() const noexcept {
    return position_ - sector_bytes + sector_used_;
  }
  /// The last four bytes of data that were read, big-endian.
  [[nodiscard]] constexpr std::uint32_t last_word() const noexcept { return last_word_; }

  /// Fills the span with the grain's next data, of which at least that much is left.
  [[nodiscard]] constexpr failure read_data(byte_span out) noexcept {
    left_bytes_ -= static_cast<std::uint32_t>(out.size());
    const std::size_t ready = smaller_of<std::size_t>(out.size(), sector_.size() - sector_used_);
    copy_bytes(out.data(), sector_.data() + sector_used_, ready);
    sector_used_ += static_cast<std::uint32_t>(ready);
    if (failure f = read_exactly(out.subspan(ready))) return f;
    const byte_view last = out.last(smaller_of<std::size_t>(out.size(), sizeof last_word_));
    for (const std::byte b : last) last_word_ = last_word_ << 8 | std::to_integer<unsigned>(b);
    return no_failure;
  }

  /// Drops what is left of the grain's data, and the rest of its last sector. Where the source ends
  /// instead of that rest, nothing is lost: old versions of qemu-img do not pad the last grain.
  [[nodiscard]] constexpr failure leave_data() noexcept {
    std::array<std::byte, 64> dropped{};
    while (left_bytes_ != 0) {
      const auto now = smaller_of<std::size_t>(left_bytes_, dropped.size());
      if (failure f = read_data(byte_span(dropped).first(now))) return f;
    }
    const auto odd = static_cast<std::size_t>(position_ & (sector_bytes - 1));
    if (odd == 0) return no_failure;
    const failure f = read_exactly(byte_span(sector_).first(sector_bytes - odd));
    return f.code == errc::stream_end_missing ? no_failure : f;
  }

 private:
  [[nodiscard]] constexpr failure read_exactly(byte_span out) noexcept {
    while (!out.empty()) {
      const auto got = source_->read(out);
      if (!got) return got.error();
      if (*got == 0) return image_failure(errc::stream_end_missing, position_);
      position_ += *got;
      out = out.subspan(*got);
    }
    return no_failure;
  }

  S* source_;
  std::uint64_t position_ = 0;
  sector_image sector_{};
  std::uint32_t sector_used_ = sector_bytes;  ///< How much of it has been handed out.
  std::uint32_t left_bytes_ = 0;
  std::uint32_t last_word_ = 0;
};

/// Supplies a decoder with the grain's data in pieces.
template <SequentialSource S>
struct stream_supply {
  stream_input<S>* input;
  byte_span buffer;

  [[nodiscard]] constexpr result<byte_view> next() noexcept {
    const byte_span piece =
        buffer.first(smaller_of<std::size_t>(buffer.size(), input->left_bytes()));
    if (failure f = input->read_data(piece)) return f;
    return byte_view(piece);
  }
};

}  // namespace vmdk
