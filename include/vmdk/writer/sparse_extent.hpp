// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/content_id.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/layout/sparse.hpp"
#include "vmdk/writer/grain_stream.hpp"
#include "vmdk/writer/placed_sink.hpp"
#include "vmdk/writer/table_builder.hpp"

namespace vmdk {

/// The memory that writing a sparse extent takes, all of it the caller's. A larger buffer means
/// larger reads and fewer walks, never other bytes.
struct sparse_scratch {
  std::span<std::byte, table_bytes> table;
  byte_span buffer;  ///< At least one grain.
};

namespace detail {

[[nodiscard]] constexpr failure check_scratch(const sparse_layout& layout,
                                              const sparse_scratch& scratch) noexcept {
  const std::uint32_t wanted = layout.geometry().grain_bytes();
  if (scratch.buffer.size() >= wanted) return no_failure;
  return options_failure(errc::workspace_too_small, 0, wanted);
}

/// The failure of a disk whose data does not fit; the offset is that of the grain on the disk.
[[nodiscard]] constexpr failure does_not_fit(const sparse_layout& layout,
                                             std::uint64_t grain) noexcept {
  return options_failure(errc::extent_too_large, grain << layout.geometry().grain_byte_shift());
}

/// Adds whole grains at the end of a file; blocks of zeros before and behind their data are added
/// as a hole. Errors: those of the sink.
template <SeekableSink K>
[[nodiscard]] constexpr failure append_grains(K& sink, std::uint64_t offset,
                                              byte_view grains) noexcept {
  constexpr std::size_t block = content_hasher::block_bytes;
  byte_view data = grains;
  while (!data.empty() && is_zero(data.first(block))) data = data.subspan(block);
  const std::size_t zeros_before = grains.size() - data.size();
  while (!data.empty() && is_zero(data.last(block))) data = data.first(data.size() - block);
  if (zeros_before != 0) {
    if (failure f = sink.resize(offset + zeros_before)) return f;
  }
  if (failure f = sink.write_at(offset + zeros_before, data)) return f;
  if (zeros_before + data.size() == grains.size()) return no_failure;
  return sink.resize(offset + grains.size());
}

}  // namespace detail

/// Writes all of a sparse extent but its first sectors, header and descriptor, which stay zero: in
/// one walk over the source, each grain once, each table as it fills. Until the header is written
/// the file is not an image.
///
/// The scanner says which grains are stored: `holds_data(bytes, grain)`. One that has to read
/// something first has a `fetch(first_grain, grains)` too, which is called before it is asked about
/// these; of a source that is not mapped they are at most as many as the buffer holds.
///
/// Gives the number of grains stored; the extent's file then ends behind the last of them.
/// Errors: errc::workspace_too_small; errc::extent_too_large at the first grain that would pass
/// 2^32 sectors; those of source, sink and `fetch`. After an error the sink's content is
/// unspecified, but its first sector is zero. Source: SPEC 3, 4.
template <Source S, SeekableSink K, class Scanner>
[[nodiscard]] constexpr result<std::uint64_t> write_sparse_body(S& source, K& sink,
                                                                const sparse_layout& layout,
                                                                Scanner scanner,
                                                                sparse_scratch& scratch) noexcept {
  if (failure f = detail::check_scratch(layout, scratch)) return f;
  if (failure f = sink.resize(0)) return f;
  if (failure f = sink.resize(layout.overhead_bytes())) return f;

  const unsigned shift = layout.geometry().grain_byte_shift();
  const std::uint64_t stored_limit = layout.max_stored_grains();
  grain_stream<S> grains(source, layout.geometry(), scratch.buffer);
  detail::table_builder table(scratch.table.data());
  std::uint64_t stored = 0;

  for (std::uint64_t t = 0; t < layout.table_count(); ++t) {
    const std::uint64_t limit = smaller_of((t + 1) * entries_per_table, layout.grain_count());
    for (;;) {
      const auto chunk = grains.next(limit);
      if (!chunk) return chunk.error();
      if (chunk->grains == 0) break;
      if constexpr (requires { scanner.fetch(chunk->first_grain, chunk->grains); }) {
        if (failure f = scanner.fetch(chunk->first_grain, chunk->grains)) return f;
      }
      // Neighbours that hold data leave in one write.
      std::uint64_t run = 0;
      for (std::uint64_t i = 0; i <= chunk->grains; ++i) {
        const std::byte* const grain = chunk->bytes + (i << shift);
        if (i < chunk->grains && scanner.holds_data(grain, chunk->first_grain + i)) {
          if (stored + run == stored_limit) {
            return detail::does_not_fit(layout, chunk->first_grain + i);
          }
          table.set(chunk->first_grain + i, layout.grain_sector(stored + run));
          ++run;
        } else if (run != 0) {
          const byte_view bytes(grain - (run << shift), static_cast<std::size_t>(run << shift));
          const std::uint64_t end = layout.grain_sector(stored) << sector_shift;
          if (failure f = detail::append_grains(sink, end, bytes)) return f;
          stored += run;
          run = 0;
        }
      }
    }
    if (table.used()) {
      const std::uint64_t primary = layout.table_sector(t);
      const std::uint64_t redundant = layout.redundant_table_sector(t);
      if (failure f = sink.write_at(primary << sector_shift, table.bytes())) return f;
      if (failure f = sink.write_at(redundant << sector_shift, table.bytes())) return f;
      table.clear();
    }
  }
  for (const region& directory : {layout.directory(), layout.redundant_directory()}) {
    placed_sink<K> out(sink, directory.first_byte());
    if (failure f =
            detail::write_directory(out, layout.geometry(), directory.end_sector(), scratch.table))
      return f;
  }
  return stored;
}

}  // namespace vmdk
