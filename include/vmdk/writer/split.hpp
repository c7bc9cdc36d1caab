// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/sparse_header.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/layout/sparse.hpp"
#include "vmdk/layout/split.hpp"
#include "vmdk/layout/types.hpp"
#include "vmdk/writer/grain_stream.hpp"
#include "vmdk/writer/options.hpp"
#include "vmdk/writer/pieces.hpp"
#include "vmdk/writer/sparse_extent.hpp"
#include "vmdk/writer/workspace.hpp"
#include "vmdk/writer/write.hpp"

namespace vmdk {
namespace detail {

/// All files of a twoGbMaxExtentSparse disk, for any grain size; none has its name yet.
template <Source S, SinkDirectory D>
[[nodiscard]] constexpr result<write_report> write_split_files(S& source, D& directory,
                                                               const write_options& options,
                                                               std::uint32_t grain_sectors,
                                                               sparse_scratch scratch) noexcept {
  const auto planned = split_layout::for_capacity(
      source.size(), {.grain_sectors = grain_sectors, .capacity = options.capacity});
  if (!planned) return planned.error();
  const split_layout& plan = *planned;
  if (failure f = check_scratch(plan.extent(0), scratch)) return f;

  content_hasher hasher;
  std::uint64_t stored_grains = 0;
  const auto write_piece = [&](auto& part, auto& sink, std::uint32_t index) noexcept -> failure {
    const sparse_layout extent = plan.extent(index);
    const grain_scanner scanner(extent.geometry(), needs_content(options) ? &hasher : nullptr,
                                plan.piece(index).first_byte());
    const auto stored = write_sparse_body(part, sink, extent, scanner, scratch);
    if (!stored) return stored.error();
    stored_grains += *stored;
    return sink.write_at(0, encode(extent.make_header()));
  };
  auto report = write_files(source, directory, options, plan, hasher, write_piece);
  if (!report) return report;
  report->stored_grains = stored_grains;
  report->file_bytes += plan.extents_bytes(stored_grains).value();
  return report;
}

}  // namespace detail

/// As for monolithicSparse.
template <std::uint32_t GrainSectors>
struct workspace<two_gb_max_extent_sparse<GrainSectors>>
    : workspace<monolithic_sparse<GrainSectors>> {};

/// Writes the files of a twoGbMaxExtentSparse disk into a SinkDirectory: NAME-s001.vmdk and so on,
/// and last the descriptor, `options.extent_name`, which the others are named after.
///
/// The source is walked once, and a forward_source will do. On success the directory has been
/// committed; after any error it has been aborted, and nothing is left. The report's file size is
/// that of all files together. Errors, of origin::options and before anything is created:
/// errc::capacity_zero, errc::capacity_too_large, errc::grain_size_invalid, errc::option_invalid
/// (detail: a descriptor_problem), errc::workspace_too_small, errc::not_supported (like_mkimg).
/// Those of source and directory; of the latter `index` counts the files from 0, the descriptor
/// last. Source: SPEC 3, 6, 8, 12, 14.
template <std::uint32_t GrainSectors>
struct writer<two_gb_max_extent_sparse<GrainSectors>> {
  template <Source S, SinkDirectory D>
  [[nodiscard]] static constexpr result<write_report> write(
      S& source, D& directory, const write_options& options,
      workspace<two_gb_max_extent_sparse<GrainSectors>>& memory) noexcept {
    return detail::commit_or_abort(
        directory,
        detail::write_split_files(source, directory, options,
                                  detail::grain_of<two_gb_max_extent_sparse<GrainSectors>>(options),
                                  {.table = memory.table, .buffer = memory.buffer()}));
  }
};

}  // namespace vmdk
