// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/content_id.hpp"
#include "vmdk/format/sparse_header.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/layout/sparse.hpp"
#include "vmdk/writer/embedded_descriptor.hpp"
#include "vmdk/writer/grain_stream.hpp"
#include "vmdk/writer/options.hpp"
#include "vmdk/writer/placed_sink.hpp"
#include "vmdk/writer/sparse_append.hpp"
#include "vmdk/writer/sparse_extent.hpp"
#include "vmdk/writer/workspace.hpp"
#include "vmdk/writer/write.hpp"

namespace vmdk {
namespace detail {

/// Writes descriptor and header, which make an image of what lies behind them. The header comes
/// last, behind a barrier: a file that was cut short is no image. Errors: those of the sink.
template <SeekableSink K>
[[nodiscard]] constexpr failure write_sparse_head(K& sink, const sparse_layout& plan,
                                                  const descriptor_fields& fields,
                                                  const extent_line& extent) noexcept {
  const sector_image header = encode(plan.make_header());
  placed_sink<K> out(sink, plan.descriptor().first_byte());
  if (failure f = write_embedded_descriptor(out, fields, extent, plan.descriptor().bytes())) {
    return f;
  }
  if constexpr (Flushable<K>) {
    if (failure f = sink.flush()) return f;
  }
  if (failure f = sink.write_at(0, header)) return f;
  if constexpr (Flushable<K>) {
    if (failure f = sink.flush()) return f;
  }
  return no_failure;
}

/// One monolithicSparse file, for any grain size (SPEC 4).
template <Source S, Sink K>
[[nodiscard]] constexpr result<write_report> write_monolithic_sparse(
    S& source, K& sink, const write_options& options, std::uint32_t grain_sectors,
    sparse_scratch scratch) noexcept {
  if (!is_writable_grain(grain_sectors)) {
    return options_failure(errc::grain_size_invalid, 0, grain_sectors);
  }
  const auto capacity = capacity_for(source.size(), grain_sectors, options.capacity);
  if (!capacity) return capacity.error();
  descriptor_fields fields = make_fields(options, create_type::monolithic_sparse, *capacity);
  extent_line extent;
  extent.sectors = *capacity;
  if (!options.like_mkimg) extent.name.stem = options.extent_name;
  const auto descriptor_sectors = embedded_descriptor_sectors(fields, extent);
  if (!descriptor_sectors) return descriptor_sectors.error();

  const auto planned = sparse_layout::for_capacity(
      source.size(), {.grain_sectors = grain_sectors,
                      .descriptor_sectors = *descriptor_sectors,
                      .capacity = options.capacity,
                      .order = options.like_mkimg ? directory_order::primary_first
                                                  : directory_order::redundant_first});
  if (!planned) return planned.error();
  const sparse_layout& plan = *planned;

  content_hasher hasher;
  const grain_scanner scanner(plan.geometry(), needs_content(options) ? &hasher : nullptr);
  write_report report{.source_bytes = source.size(), .capacity_bytes = plan.capacity_bytes()};

  if constexpr (SeekableSink<K>) {
    const auto stored = write_sparse_body(source, sink, plan, scanner, scratch);
    if (!stored) return stored.error();
    if constexpr (FinishingSource<S>) {
      if (failure f = source.finish()) return f;
    }
    report.stored_grains = *stored;
    fields.id = report.id = choose_id(options, hasher.finish());
    if (failure f = write_sparse_head(sink, plan, fields, extent)) return f;
  } else if constexpr (FinishingSource<S>) {
    // The tables precede the grains, and a stream cannot be read twice.
    return source_failure(errc::source_not_seekable, 0);
  } else {
    sparse_appender<S> appender(source, plan, scratch);
    const auto stored = appender.survey(scanner);
    if (!stored) return stored.error();
    report.stored_grains = *stored;
    fields.id = report.id = choose_id(options, hasher.finish());
    encode(plan.make_header(), scratch.table.data());
    if (failure f = sink.write(scratch.table.template first<sector_bytes>())) return f;
    if (failure f = write_embedded_descriptor(sink, fields, extent, plan.descriptor().bytes())) {
      return f;
    }
    content_hasher written;
    if (failure f = appender.write(sink, needs_content(options) ? &written : nullptr)) return f;
    // The id that was announced must be that of what was written.
    if (needs_content(options) && written.finish() != hasher.finish()) {
      return source_failure(errc::source_changed, 0);
    }
  }
  report.file_bytes = plan.file_bytes(report.stored_grains).value();
  return report;
}

}  // namespace detail

/// Writes one monolithicSparse file.
///
/// Into a SeekableSink the source is walked once, and a forward_source will do; into one that only
/// appends it is walked at least twice. Errors: errc::capacity_zero, errc::capacity_too_large,
/// errc::grain_size_invalid, errc::option_invalid (detail: a descriptor_problem) and
/// errc::workspace_too_small before anything is written; errc::extent_too_large when the data would
/// pass 2^32 sectors; errc::source_changed, errc::source_not_seekable; those of source and sink.
/// Source: SPEC 3, 4, 6, 12, 14.
template <std::uint32_t GrainSectors>
struct writer<monolithic_sparse<GrainSectors>> {
  template <Source S, Sink K>
  [[nodiscard]] static constexpr result<write_report> write(
      S& source, K& sink, const write_options& options,
      workspace<monolithic_sparse<GrainSectors>>& memory) noexcept {
    constexpr std::uint32_t grain = monolithic_sparse<GrainSectors>::grain_sectors;
    return detail::write_monolithic_sparse(source, sink, options,
                                           grain == dynamic_grain ? options.grain_sectors : grain,
                                           {.table = memory.table, .buffer = memory.buffer()});
  }
};

}  // namespace vmdk
