// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/codec/adler32.hpp"
#include "vmdk/codec/concepts.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/errc.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/core/result.hpp"

namespace vmdk {
namespace detail {

inline constexpr std::size_t stored_block_bytes = 65535;  ///< The most that one block holds.
inline constexpr std::size_t stored_frame_bytes = 5;      ///< Type, length, complement.
inline constexpr std::size_t zlib_frame_bytes = 6;        ///< Header and Adler-32.

/// How many stored blocks n bytes take; one for none. 65536 = 65535 + 1 saves the division.
[[nodiscard]] constexpr std::size_t stored_blocks(std::size_t n) noexcept {
  std::size_t blocks = 0;
  while (n > stored_block_bytes) {
    blocks += n >> 16;
    n = (n >> 16) + (n & 0xFFFF);
  }
  return blocks + 1;
}

/// Writes a stored block behind its type: the length, its complement and the bytes, at most 65535.
constexpr std::byte* put_stored_block(std::byte* to, const std::byte* from,
                                      std::size_t n) noexcept {
  to[0] = static_cast<std::byte>(n & 0xFF);
  to[1] = static_cast<std::byte>(n >> 8);
  to[2] = ~to[0];
  to[3] = ~to[1];
  copy_bytes(to + 4, from, n);
  return to + 4 + n;
}

/// Writes the Adler-32 of the input, big-endian, which ends the stream.
constexpr std::byte* put_checksum(std::byte* to, byte_view in) noexcept {
  const std::uint32_t checksum = adler32(in);
  for (unsigned i = 0; i < 4; ++i) to[i] = static_cast<std::byte>(checksum >> (24 - 8 * i) & 0xFF);
  return to + 4;
}

}  // namespace detail

/// Wraps bytes into an RFC 1950 stream without compressing them: no memory, and the size is known
/// beforehand.
class stored {
 public:
  /// The exact length of the stream for n bytes.
  [[nodiscard]] static constexpr std::size_t bound(std::size_t n) noexcept {
    return n + detail::stored_frame_bytes * detail::stored_blocks(n) + detail::zlib_frame_bytes;
  }

  /// Compresses a grain into `out`, and gives the length of the stream.
  /// Errors: encoded_too_large when `out` is shorter than the bound; detail: the bound.
  [[nodiscard]] constexpr result<std::size_t> encode(byte_view in, byte_span out) const noexcept {
    const std::size_t bytes = bound(in.size());
    if (bytes > out.size()) {
      return codec_failure(errc::encoded_too_large, 0, static_cast<std::uint32_t>(bytes));
    }
    std::byte* to = out.data();
    *to++ = std::byte{0x78};  // Window of 32 KiB, and the check bits for the fastest level.
    *to++ = std::byte{0x01};
    const std::byte* from = in.data();
    std::size_t left = in.size();
    do {
      const std::size_t n = left < detail::stored_block_bytes ? left : detail::stored_block_bytes;
      left -= n;
      *to++ = static_cast<std::byte>(left == 0 ? 1 : 0);
      to = detail::put_stored_block(to, from, n);
      from += n;
    } while (left != 0);
    detail::put_checksum(to, in);
    return bytes;
  }
};

}  // namespace vmdk
