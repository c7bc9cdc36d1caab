// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <concepts>
#include <cstddef>

#include "vmdk/core/bytes.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/core/result.hpp"

namespace vmdk {

/// Compresses one grain into an RFC 1950 stream (SPEC 5). `bound(n)` is the most that n bytes can
/// become. `encode` gives the length of the stream in `out`; when `out` is too small it fails with
/// errc::encoded_too_large, and the encoder is as good as before.
template <class T>
concept Encoder = requires(T& encoder, std::size_t n, byte_view in, byte_span out) {
  { T::bound(n) } noexcept -> std::same_as<std::size_t>;
  { encoder.encode(in, out) } noexcept -> std::same_as<result<std::size_t>>;
};

/// Gives compressed input in pieces of any size; an empty piece is its end.
template <class T>
concept ByteSupply = requires(T& supply) {
  { supply.next() } noexcept -> std::same_as<result<byte_view>>;
};

/// Supplies one contiguous piece, and then the end.
class single_supply {
 public:
  constexpr explicit single_supply(byte_view bytes) noexcept : bytes_(bytes) {}
  [[nodiscard]] constexpr result<byte_view> next() noexcept {
    const byte_view piece = bytes_;
    bytes_ = {};
    return piece;
  }

 private:
  byte_view bytes_;
};

/// Expands one RFC 1950 stream into exactly `out.size()` bytes; anything else is a failure, after
/// which the bytes of `out` are unspecified and the decoder is as good as before. A stream with
/// which nothing is wrong but that it is shorter fails with errc::stream_output_short, and what
/// there is of it is in `out`. A decoder whose `needs_contiguous_input` is true takes its whole
/// input from the first piece.
template <class T>
concept Decoder = requires(T& decoder, single_supply& supply, byte_span out) {
  { T::needs_contiguous_input } -> std::convertible_to<bool>;
  { decoder.decode(supply, out) } noexcept -> std::same_as<failure>;
};

}  // namespace vmdk
