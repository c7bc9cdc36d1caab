// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/codec/concepts.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/format/content_id.hpp"
#include "vmdk/format/descriptor_builder.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/layout/stream.hpp"
#include "vmdk/writer/embedded_descriptor.hpp"
#include "vmdk/writer/file_plan.hpp"
#include "vmdk/writer/grain_stream.hpp"
#include "vmdk/writer/options.hpp"
#include "vmdk/writer/pack_grain.hpp"
#include "vmdk/writer/stream_builder.hpp"
#include "vmdk/writer/workspace.hpp"
#include "vmdk/writer/write.hpp"

namespace vmdk {
namespace detail {

using stream_plan = file_plan<stream_layout>;

/// Plans a streamOptimized file. Errors: those of plan_file.
[[nodiscard]] constexpr result<stream_plan> plan_stream(std::uint64_t disk_bytes,
                                                        const write_options& options,
                                                        std::uint32_t grain_sectors) noexcept {
  return plan_file<stream_layout>(disk_bytes, options, create_type::stream_optimized,
                                  stream_layout_options{.grain_sectors = grain_sectors,
                                                        .capacity = options.capacity,
                                                        .table_place = options.table_place});
}

/// A sink that keeps a number which hangs on every byte.
class number_sink {
 public:
  constexpr failure write(byte_view bytes) noexcept {
    const std::byte* const p = bytes.data();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      number_ = (number_ ^ std::to_integer<std::uint64_t>(p[i])) * 0x100000001B3;
    }
    return no_failure;
  }
  [[nodiscard]] constexpr std::uint64_t number() const noexcept { return number_; }

 private:
  std::uint64_t number_ = 0xCBF29CE484222325;
};

/// An id that follows from capacity and options alone: from the descriptor without an id.
[[nodiscard]] constexpr content_id id_without_content(const stream_plan& plan) noexcept {
  number_sink descriptor;
  // The plan was made with fields that have been checked.
  (void)write_embedded_descriptor(descriptor, plan.fields, plan.extent,
                                  plan.layout.descriptor().bytes());
  return make_content_id(descriptor.number());
}

/// Packs grains one after the other with the caller's memory.
template <Encoder E>
class serial_packer {
 public:
  /// `buffer` holds at least one grain and `slot` packed_limit_bytes() of the layout.
  constexpr serial_packer(E& encoder, byte_span buffer, byte_span slot) noexcept
      : encoder_(&encoder), buffer_(buffer), slot_(slot) {}

  [[nodiscard]] constexpr failure check(const stream_layout& layout) const noexcept {
    const std::uint32_t grain_bytes = layout.geometry().grain_bytes();
    if (buffer_.size() >= grain_bytes && slot_.size() >= layout.packed_limit_bytes()) {
      return no_failure;
    }
    return options_failure(errc::workspace_too_small, 0, grain_bytes + layout.packed_limit_bytes());
  }

  /// Adds all of the source to the hasher.
  template <Source S>
  [[nodiscard]] constexpr failure survey(S& source, const stream_layout& layout,
                                         content_hasher& hasher) noexcept {
    return walk(source, layout, &hasher,
                [](std::uint64_t, const std::byte*) -> failure { return no_failure; });
  }

  /// Hands each grain that is not zero to the builder. Without a hasher nothing is hashed.
  template <Source S, Sink K>
  [[nodiscard]] constexpr failure pack(S& source, const stream_layout& layout,
                                       content_hasher* hasher,
                                       stream_builder<K>& builder) noexcept {
    return walk(source, layout, hasher,
                [&](std::uint64_t grain, const std::byte* bytes) -> failure {
                  const auto record = pack_grain(*encoder_, layout, grain, bytes, slot_);
                  if (!record) return record.error();
                  return builder.add(*record);
                });
  }

 private:
  template <Source S, class Data>
  [[nodiscard]] constexpr failure walk(S& source, const stream_layout& layout,
                                       content_hasher* hasher, Data&& data) noexcept {
    const unsigned shift = layout.geometry().grain_byte_shift();
    grain_stream<S> grains(source, layout.geometry(), buffer_);
    grain_scanner scanner(layout.geometry(), hasher);
    for (;;) {
      const auto chunk = grains.next(layout.grain_count());
      if (!chunk) return chunk.error();
      if (chunk->grains == 0) return no_failure;
      for (std::uint64_t i = 0; i < chunk->grains; ++i) {
        const std::byte* const bytes = chunk->bytes + (i << shift);
        if (!scanner.holds_data(bytes, chunk->first_grain + i)) continue;
        if (failure f = data(chunk->first_grain + i, bytes)) return f;
      }
    }
  }

  E* encoder_;
  byte_span buffer_;
  byte_span slot_;
};

/// Chooses the id before the content is written: walks the source for it where it can be walked
/// twice and the content counts.
template <Source S, class Packer>
[[nodiscard]] constexpr failure choose_id_first(S& source, const write_options& options,
                                                const stream_plan& plan, Packer& packer,
                                                content_hasher& surveyed,
                                                write_report& report) noexcept {
  if (!needs_content(options)) {
    report.id = choose_id(options, {});
    return no_failure;
  }
  if constexpr (FinishingSource<S>) {
    report.id = id_without_content(plan);
    report.id_from_content = false;
    return no_failure;
  } else {
    const failure why = packer.survey(source, plan.layout, surveyed);
    if (!why) report.id = surveyed.finish();
    return why;
  }
}

/// Writes one streamOptimized file; `packer` turns the source into records.
template <Source S, Sink K, class Packer>
[[nodiscard]] constexpr result<write_report> write_stream(S& source, K& sink,
                                                          const write_options& options,
                                                          stream_plan& plan,
                                                          const stream_memory& memory,
                                                          Packer& packer) noexcept {
  const stream_layout& layout = plan.layout;
  if (failure f = packer.check(layout)) return f;
  write_report report{.source_bytes = source.size(), .capacity_bytes = layout.capacity_bytes()};
  content_hasher hasher;
  stream_builder<K> builder(sink, layout, memory);

  if constexpr (SeekableSink<K>) {
    if (failure f = builder.reserve_head()) return f;
    content_hasher* const wanted = needs_content(options) ? &hasher : nullptr;
    if (failure f = packer.pack(source, layout, wanted, builder)) return f;
    if (failure f = finish_source(source)) return f;
    if (failure f = builder.finish()) return f;
    plan.fields.id = report.id = choose_id(options, hasher.finish());
    if (failure f = builder.write_head(plan.fields, plan.extent)) return f;
  } else {
    content_hasher surveyed;
    if (failure f = choose_id_first(source, options, plan, packer, surveyed, report)) return f;
    plan.fields.id = report.id;
    if (failure f = builder.write_head(plan.fields, plan.extent)) return f;
    const bool was_surveyed = needs_content(options) && report.id_from_content;
    if (failure f = packer.pack(source, layout, was_surveyed ? &hasher : nullptr, builder)) {
      return f;
    }
    if (failure f = finish_source(source)) return f;
    // What was announced must be what was written, or the file is left without its end.
    if (was_surveyed && hasher.finish() != surveyed.finish()) {
      return source_failure(errc::source_changed, 0);
    }
    if (failure f = builder.finish()) return f;
  }
  report.stored_grains = builder.stored_grains();
  report.file_bytes = builder.file_bytes();
  return report;
}

}  // namespace detail

/// Writes one streamOptimized file.
///
/// Into a SeekableSink the source is walked once. Into one that only appends it is walked once if a
/// CID is given, else twice, since the content id comes first in the file; a forward_source, which
/// cannot be walked twice, gets an id from its size and the options there, and the report says so.
/// Tables in front need a SeekableSink.
///
/// Errors: errc::capacity_zero, errc::capacity_too_large, errc::grain_size_invalid,
/// errc::option_invalid (detail: a descriptor_problem), errc::workspace_too_small (detail: bytes)
/// and errc::not_supported before anything is written; errc::extent_too_large at the first grain
/// that would pass sector 2^32; errc::source_changed; those of source, encoder and sink.
/// Source: SPEC 3, 5, 6, 12, 14.
template <std::uint32_t GrainSectors>
struct writer<stream_optimized<GrainSectors>> {
  template <Source S, Sink K, Encoder E>
  [[nodiscard]] static constexpr result<write_report> write(
      S& source, K& sink, const write_options& options,
      workspace<stream_optimized<GrainSectors>, E>& memory) noexcept {
    auto plan = detail::plan_stream(source.size(), options,
                                    detail::grain_of<stream_optimized<GrainSectors>>(options));
    if (!plan) return plan.error();
    const auto packed_bytes = static_cast<std::size_t>(plan->layout.packed_limit_bytes());
    detail::serial_packer<E> packer(memory.encoder, memory.buffer(packed_bytes),
                                    memory.slot(packed_bytes));
    return detail::write_stream(source, sink, options, *plan,
                                {.table = memory.table, .directory = memory.directory_memory()},
                                packer);
  }
};

}  // namespace vmdk
