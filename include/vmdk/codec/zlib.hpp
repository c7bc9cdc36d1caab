// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// Needs zlib (link with -lz). No other header of the library includes this one.

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <string_view>

#include "vmdk/codec/concepts.hpp"
#include "vmdk/codec/stored.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/errc.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/core/result.hpp"

namespace vmdk {
namespace detail {

/// A z_stream on the heap: zlib's state points back to it, so it may not move.
template <int (*End)(z_stream*)>
struct zlib_end {
  void operator()(z_stream* stream) const noexcept {
    End(stream);
    delete stream;
  }
};
template <int (*End)(z_stream*)>
using zlib_handle = std::unique_ptr<z_stream, zlib_end<End>>;

template <int (*End)(z_stream*), class Init>
[[nodiscard]] zlib_handle<End> make_zlib(Init init) noexcept {
  auto* const stream = new (std::nothrow) z_stream{};
  if (stream != nullptr && init(stream) != Z_OK) {
    delete stream;
    return nullptr;
  }
  return zlib_handle<End>(stream);
}

[[nodiscard]] inline Bytef* zlib_bytes(const std::byte* p) noexcept {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): zlib does not write its input.
  return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(p));
}

/// zlib tells kinds of bad data apart by text alone.
[[nodiscard]] inline errc zlib_data_error(const char* message) noexcept {
  const std::string_view text = message != nullptr ? message : "";
  if (text == "incorrect header check" || text == "unknown compression method" ||
      text == "invalid window size") {
    return errc::stream_header_invalid;
  }
  if (text == "invalid block type" || text == "invalid stored block lengths") {
    return errc::stream_block_invalid;
  }
  if (text == "too many length or distance symbols" || text == "invalid code lengths set" ||
      text == "invalid bit length repeat" || text == "invalid code -- missing end-of-block" ||
      text == "invalid literal/lengths set" || text == "invalid distances set") {
    return errc::stream_code_invalid;
  }
  if (text == "invalid literal/length code" || text == "invalid distance code" ||
      text == "invalid distance too far back") {
    return errc::stream_symbol_invalid;
  }
  return text == "incorrect data check" ? errc::stream_checksum : errc::codec_failed;
}

}  // namespace detail

/// Compresses with zlib. Owns a deflate state of about 256 KiB, which zlib allocates; it can be
/// moved, not copied. Levels are 0 (stored) .. 9, as zlib has them; higher ones count as 9.
class zlib_encoder {
 public:
  static constexpr unsigned default_level = 6;
  static constexpr unsigned highest_level = 9;

  explicit zlib_encoder(unsigned level = default_level) noexcept {
    if (level == 0) return;
    handle_ = detail::make_zlib<deflateEnd>([level](z_stream* stream) {
      return deflateInit(stream, static_cast<int>(level < highest_level ? level : highest_level));
    });
    failed_ = handle_ == nullptr;
  }

  /// The most that n bytes can become: what zlib makes longer than `stored` is stored.
  [[nodiscard]] static constexpr std::size_t bound(std::size_t n) noexcept {
    return stored::bound(n);
  }

  /// Compresses a grain into `out`, and gives the length of the stream.
  /// Errors: encoded_too_large when `out` has no room, detail: the bound, which always suffices;
  /// codec_failed when zlib had no memory, or the input is 4 GiB or longer, detail: zlib's code.
  [[nodiscard]] result<std::size_t> encode(byte_view in, byte_span out) noexcept {
    if (failed_) return codec_failure(errc::codec_failed, 0, detail_of(Z_MEM_ERROR));
    const std::size_t most = bound(in.size());
    if (most > (std::numeric_limits<uInt>::max)()) {
      return codec_failure(errc::codec_failed, 0, detail_of(Z_BUF_ERROR));
    }
    if (handle_ != nullptr && !out.empty()) {
      z_stream& stream = *handle_;
      deflateReset(&stream);
      stream.next_in = detail::zlib_bytes(in.data());
      stream.avail_in = static_cast<uInt>(in.size());
      stream.next_out = reinterpret_cast<Bytef*>(out.data());
      stream.avail_out = static_cast<uInt>(most < out.size() ? most : out.size());
      if (::deflate(&stream, Z_FINISH) == Z_STREAM_END) {
        return static_cast<std::size_t>(stream.total_out);
      }
    }
    return stored{}.encode(in, out);
  }

 private:
  [[nodiscard]] static std::uint32_t detail_of(int code) noexcept {
    return static_cast<std::uint32_t>(code);
  }

  detail::zlib_handle<deflateEnd> handle_;
  bool failed_ = false;
};

/// Expands with zlib. Owns an inflate state of about 8 KiB, which zlib allocates; it can be moved,
/// not copied. Verdicts and errors are those of `inflate`; besides them codec_failed when zlib had
/// no memory, or the output is 4 GiB or longer (detail: zlib's code).
class zlib_decoder {
 public:
  static constexpr bool needs_contiguous_input = false;

  zlib_decoder() noexcept
      : handle_(detail::make_zlib<inflateEnd>([](z_stream* s) { return inflateInit(s); })) {}

  /// Expands a stream, as Decoder says. Errors: those of the supply; of origin codec, with the
  /// offset in the stream, one from errc::stream_truncated to errc::stream_checksum;
  /// errc::codec_failed when zlib had no memory.
  template <ByteSupply Supply>
  [[nodiscard]] failure decode(Supply& supply, byte_span out) noexcept {
    constexpr std::size_t most = (std::numeric_limits<uInt>::max)();
    if (handle_ == nullptr) return failed(errc::codec_failed, Z_MEM_ERROR);
    if (out.size() > most) return failed(errc::codec_failed, Z_BUF_ERROR);
    z_stream& stream = *handle_;
    inflateReset(&stream);
    std::byte nothing{};
    stream.next_out = reinterpret_cast<Bytef*>(out.empty() ? &nothing : out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    stream.avail_in = 0;
    byte_view piece;
    for (;;) {
      if (stream.avail_in == 0) {
        if (piece.empty()) {
          const result<byte_view> next = supply.next();
          if (!next) return next.error();
          piece = *next;
          if (piece.empty()) return failed(errc::stream_truncated);
        }
        const byte_view part = piece.first(piece.size() < most ? piece.size() : most);
        piece = piece.subspan(part.size());
        stream.next_in = detail::zlib_bytes(part.data());
        stream.avail_in = static_cast<uInt>(part.size());
      }
      const int code = ::inflate(&stream, Z_NO_FLUSH);
      if (code == Z_STREAM_END) break;
      if (code == Z_NEED_DICT) return failed(errc::stream_dictionary);
      if (code == Z_DATA_ERROR) return failed(detail::zlib_data_error(stream.msg), code);
      if (code == Z_BUF_ERROR) return failed(errc::stream_output_overrun);
      if (code != Z_OK) return failed(errc::codec_failed, code);
    }
    if (stream.avail_in != 0 || !piece.empty()) return failed(errc::stream_input_left);
    const result<byte_view> rest = supply.next();
    if (!rest) return rest.error();
    if (!rest->empty()) return failed(errc::stream_input_left);
    return stream.avail_out == 0 ? no_failure : failed(errc::stream_output_short);
  }

 private:
  [[nodiscard]] failure failed(errc code, int detail = 0) const noexcept {
    const std::uint64_t offset = handle_ != nullptr ? handle_->total_in : 0;
    return codec_failure(code, offset, static_cast<std::uint32_t>(detail));
  }

  detail::zlib_handle<inflateEnd> handle_;
};

}  // namespace vmdk
