// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/content_id.hpp"
#include "vmdk/format/sparse_geometry.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/layout/flat.hpp"
#include "vmdk/layout/types.hpp"
#include "vmdk/writer/grain_stream.hpp"
#include "vmdk/writer/options.hpp"
#include "vmdk/writer/pieces.hpp"
#include "vmdk/writer/workspace.hpp"
#include "vmdk/writer/write.hpp"

namespace vmdk {
namespace detail {

/// Blocks of zeros become holes, and are what the content id is made of.
inline constexpr std::uint32_t flat_block_sectors = content_hasher::block_bytes / sector_bytes;

/// Writes a disk as it is into an empty sink, in one walk over the source, up to a size in whole
/// sectors; what the source lacks, and each block of zeros, is left as a hole.
/// Errors: those of source and sink.
template <Source S, SeekableSink K>
[[nodiscard]] constexpr failure write_flat_body(S& source, K& sink, std::uint64_t file_bytes,
                                                grain_scanner scanner, byte_span buffer) noexcept {
  const sparse_geometry blocks(file_bytes >> sector_shift, flat_block_sectors);
  const unsigned shift = blocks.grain_byte_shift();
  grain_stream<S> stream(source, blocks, buffer);
  std::uint64_t end = 0;  // of the file so far
  for (;;) {
    const auto chunk = stream.next(blocks.grain_count());
    if (!chunk) return chunk.error();
    if (chunk->grains == 0) break;
    // Neighbours that hold data leave in one write.
    std::uint64_t run = 0;
    for (std::uint64_t i = 0; i <= chunk->grains; ++i) {
      const std::byte* const block = chunk->bytes + (i << shift);
      if (i < chunk->grains && scanner.holds_data(block, chunk->first_grain + i)) {
        ++run;
      } else if (run != 0) {
        const std::uint64_t offset = (chunk->first_grain + i - run) << shift;
        const std::uint64_t bytes = smaller_of(run << shift, file_bytes - offset);
        if (offset != end) {
          if (failure f = sink.resize(offset)) return f;
        }
        const byte_view data(block - (run << shift), static_cast<std::size_t>(bytes));
        if (failure f = sink.write_at(offset, data)) return f;
        end = offset + bytes;
        run = 0;
      }
    }
  }
  return end == file_bytes ? no_failure : sink.resize(file_bytes);
}

/// All files of a flat disk; none has its name yet.
template <Source S, SinkDirectory D>
[[nodiscard]] constexpr result<write_report> write_flat_files(S& source, D& directory,
                                                              const write_options& options,
                                                              const flat_layout& plan,
                                                              byte_span buffer) noexcept {
  content_hasher hasher;
  const auto write_piece = [&](auto& part, auto& sink, std::uint32_t index) noexcept -> failure {
    const region place = plan.piece(index);
    const sparse_geometry blocks(place.sectors, flat_block_sectors);
    const grain_scanner scanner(blocks, needs_content(options) ? &hasher : nullptr,
                                place.first_byte());
    return write_flat_body(part, sink, place.bytes(), scanner, buffer);
  };
  auto report = write_files(source, directory, options, plan, hasher, write_piece);
  if (report) report->file_bytes += plan.extents_bytes();
  return report;
}

/// The writer of both flat types.
template <class Type>
struct flat_writer {
  template <Source S, SinkDirectory D>
  [[nodiscard]] static constexpr result<write_report> write(S& source, D& directory,
                                                            const write_options& options,
                                                            workspace<Type>& memory) noexcept {
    const auto plan = layout<Type>::for_capacity(source.size());
    return commit_or_abort(
        directory, plan ? write_flat_files(source, directory, options, *plan, memory.buffer())
                        : result<write_report>(plan.error()));
  }
};

/// One block. A larger `bulk` is used instead when there is one: it makes reads and writes larger,
/// and never changes the result.
struct flat_workspace {
  std::array<std::byte, content_hasher::block_bytes> block{};
  byte_span bulk{};

  [[nodiscard]] constexpr byte_span buffer() noexcept {
    return bulk.size() > block.size() ? bulk : byte_span(block);
  }
};

}  // namespace detail

template <>
struct workspace<monolithic_flat> : detail::flat_workspace {};
template <>
struct workspace<two_gb_max_extent_flat> : detail::flat_workspace {};

/// Writes the files of a monolithicFlat disk into a SinkDirectory: NAME-flat.vmdk, and last the
/// descriptor, `options.extent_name`.
///
/// The source is walked once, and a forward_source will do. On success the directory has been
/// committed; after any error it has been aborted, and nothing is left. Blocks of 4 KiB that are
/// zero become holes. The capacity is the source's size in whole sectors, whatever
/// `options.capacity` says; the report's file size is that of all files together, holes included.
/// Errors, of origin::options and before anything is created: errc::capacity_zero,
/// errc::capacity_too_large, errc::option_invalid (detail: a descriptor_problem),
/// errc::not_supported (like_mkimg). Those of source and directory; of the latter `index` counts
/// the files from 0, the descriptor last. Source: SPEC 6, 8, 12, 14.
template <>
struct writer<monolithic_flat> : detail::flat_writer<monolithic_flat> {};

/// Writes the files of a twoGbMaxExtentFlat disk: NAME-f001.vmdk and so on, and last the
/// descriptor. As for monolithicFlat.
template <>
struct writer<two_gb_max_extent_flat> : detail::flat_writer<two_gb_max_extent_flat> {};

}  // namespace vmdk
