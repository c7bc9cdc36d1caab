// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/codec/concepts.hpp"
#include "vmdk/codec/stored.hpp"
#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/endian.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/marker.hpp"
#include "vmdk/layout/stream.hpp"

namespace vmdk {

/// Makes a record, which is a grain as it stands in a stream, of compressed data that lies in
/// `slot` behind room for its marker: puts the marker before it and zeros behind it. The slot has
/// packed_limit_bytes() of the layout, and the data at most compressed_limit_bytes().
constexpr byte_view seal_record(byte_span slot, const stream_layout& layout, std::uint64_t grain,
                                std::uint32_t compressed_bytes) noexcept {
  std::byte* const at = slot.data();
  const std::size_t used = grain_marker_bytes + std::size_t{compressed_bytes};
  const auto bytes =
      static_cast<std::size_t>(stream_layout::packed_sectors(compressed_bytes) << sector_shift);
  store_le(at, grain << layout.geometry().grain_shift());
  store_le(at + offsetof(stream_marker, size), compressed_bytes);
  zero_bytes(at + used, bytes - used);
  return {at, bytes};
}

/// Compresses a whole grain into a record. Where the encoder would make more of it than readers
/// take, the record holds the grain as it is, in an RFC 1950 stream of stored blocks.
///
/// The slot has packed_limit_bytes() of the layout; the record lies in it. Errors: those of the
/// encoder, with the offset on the disk; errc::codec_failed for an encoder that breaks its
/// contract.
template <Encoder E>
[[nodiscard]] constexpr result<byte_view> pack_grain(E& encoder, const stream_layout& layout,
                                                     std::uint64_t grain, const std::byte* bytes,
                                                     byte_span slot) noexcept {
  const byte_view in(bytes, layout.geometry().grain_bytes());
  const byte_span room = slot.subspan(grain_marker_bytes, layout.compressed_limit_bytes());
  result<std::size_t> compressed = encoder.encode(in, room);
  if (compressed.error().code == errc::encoded_too_large) compressed = stored{}.encode(in, room);

  const std::uint64_t disk_offset = grain << layout.geometry().grain_byte_shift();
  if (!compressed) {
    failure why = compressed.error();
    why.offset += disk_offset;
    return why;
  }
  if (*compressed == 0 || *compressed > room.size()) {
    return codec_failure(errc::codec_failed, disk_offset);
  }
  return seal_record(slot, layout, grain, static_cast<std::uint32_t>(*compressed));
}

}  // namespace vmdk
