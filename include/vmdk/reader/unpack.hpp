// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "vmdk/codec/concepts.hpp"
#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/io/put_zeros.hpp"
#include "vmdk/reader/compressed_grain.hpp"
#include "vmdk/reader/stream.hpp"

namespace vmdk {

/// The memory of unpack_stream, all of it the caller's.
struct unpack_spans {
  byte_span grain;  ///< One grain of the stream.
  byte_span input;  ///< The decoder's compressed_input_bytes.
};

/// Writes the disk of a stream that `open` has been called on to a sink, front to back, so that a
/// network is unpacked without a second copy. Grains ascend, so a sink that only appends will do;
/// between them zeros are written, or left out where the sink can do that. Gives the size of the
/// disk.
/// Errors: errc::workspace_too_small (detail: the bytes wanted) before anything is read; those of
/// stream_reader, of the decoder and of the sink. The sink's content is then incomplete.
template <SequentialSource S, Sink K, Decoder D>
[[nodiscard]] constexpr result<std::uint64_t> unpack_stream(stream_reader<S>& stream, K& sink,
                                                            D& decoder,
                                                            const unpack_spans& memory) noexcept {
  const std::uint32_t grain_bytes = stream.geometry().grain_bytes();
  if (memory.grain.size() < grain_bytes) {
    return options_failure(errc::workspace_too_small, 0, grain_bytes);
  }
  const std::uint64_t input_bytes = compressed_input_bytes<D>(grain_bytes);
  if (memory.input.size() < input_bytes) {
    return options_failure(errc::workspace_too_small, 0, static_cast<std::uint32_t>(input_bytes));
  }
  std::uint64_t written = 0;
  for (;;) {
    const auto grain = stream.next();
    if (!grain) return grain.error();
    const std::uint64_t until = grain->data_bytes == 0 ? stream.size() : grain->disk_offset;
    if (until != written) {
      if (failure f = put_zeros(sink, until - written)) return f;
    }
    written = until;
    if (grain->data_bytes == 0) return written;
    const byte_span out = memory.grain.first(grain_bytes);
    if (failure f = stream.expand(decoder, memory.input, out)) return f;
    const std::uint64_t exists = smaller_of<std::uint64_t>(grain_bytes, stream.size() - written);
    if (failure f = sink.write(out.first(static_cast<std::size_t>(exists)))) return f;
    written += exists;
  }
}

}  // namespace vmdk
