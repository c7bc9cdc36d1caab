// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/hosted/device_sink.hpp"
#include "vmdk/hosted/stream_sink.hpp"
#include "vmdk/io/concepts.hpp"

namespace vmdk::cli {

/// The smallest run of zeros that a sink is better told of than sent: a block of most file systems;
/// a command of its own for a device; nothing gains a stream.
template <HoleSink K>
inline constexpr std::size_t smallest_hole_bytes = 4096;
template <>
inline constexpr std::size_t smallest_hole_bytes<device_sink> = std::size_t{64} << 10;
template <>
inline constexpr std::size_t smallest_hole_bytes<stream_sink> = 0;

/// Writes bytes that belong at an offset of the disk, blocks of zeros left out.
template <HoleSink K>
[[nodiscard]] failure write_around_zeros(K& sink, std::uint64_t offset, byte_view bytes) noexcept {
  constexpr std::size_t hole = smallest_hole_bytes<K>;
  if constexpr (hole == 0) return sink.write(bytes);
  while (!bytes.empty()) {
    // A run of blocks that are all zeros, or all not. Blocks lie on their boundaries on the disk.
    std::size_t run = 0;
    bool is_hole = false;
    while (run < bytes.size()) {
      const std::size_t to_boundary = hole - static_cast<std::size_t>((offset + run) % hole);
      const std::size_t n = std::min(to_boundary, bytes.size() - run);
      const bool zero = is_zero(bytes.data() + run, n);
      if (run != 0 && zero != is_hole) break;
      is_hole = zero;
      run += n;
    }
    if (failure why = is_hole ? sink.skip(run) : sink.write(bytes.first(run))) return why;
    offset += run;
    bytes = bytes.subspan(run);
  }
  return no_failure;
}

/// Writes all of a disk front to back, holes as holes, and makes sure that a pipe ended with it.
/// Errors: those of source and sink.
template <SparseSource S, HoleSink K>
[[nodiscard]] failure copy_disk(S& source, K& sink, byte_span buffer) noexcept {
  const std::uint64_t size_bytes = source.size();
  std::uint64_t at = 0;
  while (at < size_bytes) {
    const auto data = source.next_data(at);
    if (!data) return data.error();
    const std::uint64_t begin = data->bytes == 0 ? size_bytes : data->offset;
    if (begin != at) {
      if (failure why = sink.skip(begin - at)) return why;
      at = begin;
    }
    while (at < size_bytes && at < data->end()) {
      const byte_span block = buffer.first(
          static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), data->end() - at)));
      if (failure why = source.read_at(at, block)) return why;
      if (failure why = write_around_zeros(sink, at, block)) return why;
      at += block.size();
    }
  }
  if constexpr (requires { source.finish(); }) return source.finish();
  return no_failure;
}

}  // namespace vmdk::cli
