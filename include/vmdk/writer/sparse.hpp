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
#include "vmdk/writer/file_plan.hpp"
#include "vmdk/writer/grain_stream.hpp"
#include "vmdk/writer/options.hpp"
#include "vmdk/writer/placed_sink.hpp"
#include "vmdk/writer/sparse_append.hpp"
#include "vmdk/writer/sparse_extent.hpp"
#include "vmdk/writer/workspace.hpp"
#include "vmdk/writer/write.hpp"

namespace vmdk {
namespace detail {

using sparse_plan = file_plan<sparse_layout>;

/// Writes descriptor and header, which make an image of what lies behind them. The header comes
/// last, behind a barrier: a file that was cut short is no image. Errors: those of the sink.
template <SeekableSink K>
[[nodiscard]] constexpr failure write_sparse_head(K& sink, const sparse_plan& plan) noexcept {
  const sector_image header = encode(plan.layout.make_header());
  const region descriptor = plan.layout.descriptor();
  placed_sink<K> out(sink, descriptor.first_byte());
  if (failure f = write_embedded_descriptor(out, plan.fields, plan.extent, descriptor.bytes())) {
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
  auto planned = plan_file<sparse_layout>(
      source.size(), options, create_type::monolithic_sparse,
      sparse_layout_options{.grain_sectors = grain_sectors,
                            .capacity = options.capacity,
                            .order = options.like_mkimg ? directory_order::primary_first
                                                        : directory_order::redundant_first});
  if (!planned) return planned.error();
  sparse_plan& plan = *planned;
  const sparse_layout& layout = plan.layout;

  content_hasher hasher;
  const grain_scanner scanner(layout.geometry(), needs_content(options) ? &hasher : nullptr);
  write_report report{.source_bytes = source.size(), .capacity_bytes = layout.capacity_bytes()};

  if constexpr (SeekableSink<K>) {
    const auto stored = write_sparse_body(source, sink, layout, scanner, scratch);
    if (!stored) return stored.error();
    if (failure f = finish_source(source)) return f;
    report.stored_grains = *stored;
    plan.fields.id = report.id = choose_id(options, hasher.finish());
    if (failure f = write_sparse_head(sink, plan)) return f;
  } else if constexpr (FinishingSource<S>) {
    // The tables precede the grains, and a stream cannot be read twice.
    return source_failure(errc::source_not_seekable, 0);
  } else {
    sparse_appender<S> appender(source, layout, scratch);
    const auto stored = appender.survey(scanner);
    if (!stored) return stored.error();
    report.stored_grains = *stored;
    plan.fields.id = report.id = choose_id(options, hasher.finish());
    encode(layout.make_header(), scratch.table.data());
    if (failure f = sink.write(scratch.table.template first<sector_bytes>())) return f;
    if (failure f = write_embedded_descriptor(sink, plan.fields, plan.extent,
                                              layout.descriptor().bytes())) {
      return f;
    }
    content_hasher written;
    if (failure f = appender.write(sink, needs_content(options) ? &written : nullptr)) return f;
    // The id that was announced must be that of what was written.
    if (needs_content(options) && written.finish() != hasher.finish()) {
      return source_failure(errc::source_changed, 0);
    }
  }
  report.file_bytes = layout.file_bytes(report.stored_grains).value();
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
    return detail::write_monolithic_sparse(
        source, sink, options, detail::grain_of<monolithic_sparse<GrainSectors>>(options),
        {.table = memory.table, .buffer = memory.buffer()});
  }
};

}  // namespace vmdk
