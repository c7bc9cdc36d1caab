// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// Needs libdeflate (link with -ldeflate). No other header of the library includes this one.

#include <libdeflate.h>

#include <cstddef>
#include <memory>

#include "vmdk/codec/concepts.hpp"
#include "vmdk/codec/inflate.hpp"
#include "vmdk/codec/stored.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/errc.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/core/result.hpp"

namespace vmdk {
namespace detail {

struct libdeflate_free {
  void operator()(libdeflate_compressor* c) const noexcept { libdeflate_free_compressor(c); }
  void operator()(libdeflate_decompressor* d) const noexcept { libdeflate_free_decompressor(d); }
};

}  // namespace detail

/// Compresses with libdeflate. Owns a compressor, which libdeflate allocates; it can be moved, not
/// copied. Levels are 0 (stored) .. 12, as libdeflate has them; higher ones count as 12.
class libdeflate_encoder {
 public:
  static constexpr unsigned default_level = 5;  ///< As small as zlib's 6.
  static constexpr unsigned highest_level = 12;

  explicit libdeflate_encoder(unsigned level = default_level) noexcept
      : handle_(libdeflate_alloc_compressor(
            static_cast<int>(level < highest_level ? level : highest_level))) {}

  /// The most that n bytes can become: what libdeflate makes longer than `stored` is stored.
  [[nodiscard]] static constexpr std::size_t bound(std::size_t n) noexcept {
    return stored::bound(n);
  }

  /// Compresses a grain into `out`, and gives the length of the stream.
  /// Errors: encoded_too_large when `out` has no room, detail: the bound, which always suffices;
  /// codec_failed when libdeflate had no memory.
  [[nodiscard]] result<std::size_t> encode(byte_view in, byte_span out) noexcept {
    if (handle_ == nullptr) return codec_failure(errc::codec_failed);
    const std::size_t most = bound(in.size());
    const std::size_t bytes = libdeflate_zlib_compress(
        handle_.get(), in.data(), in.size(), out.data(), most < out.size() ? most : out.size());
    return bytes != 0 ? result<std::size_t>(bytes) : stored{}.encode(in, out);
  }

 private:
  std::unique_ptr<libdeflate_compressor, detail::libdeflate_free> handle_;
};

/// Expands with libdeflate. Owns a decompressor, which libdeflate allocates; it can be moved, not
/// copied. libdeflate tells no causes apart, so what it refuses is decoded once more by `inflate`,
/// whose verdict and errors count; codec_failed when libdeflate had no memory. libdeflate reads
/// unused code words of an incomplete code where `inflate` and zlib refuse the stream; the Adler-32
/// is exact all the same.
class libdeflate_decoder {
 public:
  static constexpr bool needs_contiguous_input = true;

  libdeflate_decoder() noexcept : handle_(libdeflate_alloc_decompressor()) {}

  /// Expands a stream, as Decoder says. Errors: those of the supply; of origin codec, with the
  /// offset in the stream, one from errc::stream_truncated to errc::stream_checksum;
  /// errc::codec_failed when libdeflate had no memory.
  template <ByteSupply Supply>
  [[nodiscard]] failure decode(Supply& supply, byte_span out) noexcept {
    if (handle_ == nullptr) return codec_failure(errc::codec_failed);
    const result<byte_view> in = supply.next();
    if (!in) return in.error();
    std::size_t taken_bytes = 0;
    const libdeflate_result code = libdeflate_zlib_decompress_ex(
        handle_.get(), in->data(), in->size(), out.data(), out.size(), &taken_bytes, nullptr);
    if (code != LIBDEFLATE_SUCCESS || taken_bytes != in->size()) {
      single_supply again(*in);
      return explainer_.decode(again, out);
    }
    const result<byte_view> rest = supply.next();
    if (!rest) return rest.error();
    return rest->empty() ? no_failure : codec_failure(errc::stream_input_left, in->size());
  }

 private:
  std::unique_ptr<libdeflate_decompressor, detail::libdeflate_free> handle_;
  small_inflate explainer_;
};

}  // namespace vmdk
