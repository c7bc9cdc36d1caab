// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/content_id.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/io/put_zeros.hpp"
#include "vmdk/layout/sparse.hpp"
#include "vmdk/writer/grain_stream.hpp"
#include "vmdk/writer/sparse_extent.hpp"

namespace vmdk {

/// Writes a sparse extent into a sink that only appends. Its tables come before its grains, so the
/// source is walked first to learn which grains hold data, and again for the grains; when there is
/// no room to remember one bit a grain, also once for each copy of the tables.
template <Source S>
class sparse_appender {
 public:
  /// The buffer of `scratch` holds at least one grain; one bit a grain more saves two walks. All
  /// belongs to the caller and outlives this object.
  constexpr sparse_appender(S& source, const sparse_layout& layout,
                            sparse_scratch& scratch) noexcept
      : source_(&source), layout_(&layout), scratch_(&scratch), buffer_(scratch.buffer) {
    const std::uint64_t map_bytes = layout.table_count() * bits_bytes;
    const std::uint64_t grain_bytes = layout.geometry().grain_bytes();
    if (scratch.buffer.size() >= grain_bytes && scratch.buffer.size() - grain_bytes >= map_bytes) {
      map_ = scratch.buffer.last(static_cast<std::size_t>(map_bytes));
      buffer_ = scratch.buffer.first(scratch.buffer.size() - map_.size());
      zero_bytes(map_);
    }
  }

  /// Walks the source for the first time. Gives the number of grains that will be stored.
  /// Errors: errc::workspace_too_small; errc::extent_too_large; those of the source.
  [[nodiscard]] constexpr result<std::uint64_t> survey(grain_scanner scanner) noexcept {
    if (failure f = detail::check_scratch(*layout_, *scratch_)) return f;
    seen first;
    const failure f = walk(scanner, [&](std::uint64_t grain, const std::byte*) -> failure {
      if (first.grains == layout_->max_stored_grains()) {
        return detail::does_not_fit(*layout_, grain);
      }
      first.add(grain);
      if (!map_.empty()) map_.data()[grain >> 3] |= std::byte{1} << (grain & 7);
      return no_failure;
    });
    if (f) return f;
    surveyed_ = first;
    return first.grains;
  }

  /// Writes everything behind the descriptor. Call after `survey`, and after the header and the
  /// descriptor were written. A hasher gets what is written, to be compared with what was surveyed.
  /// Errors: errc::source_changed when the data is no longer where the survey saw it; those of
  /// source and sink. The sink's content is then of no use.
  template <Sink K>
  [[nodiscard]] constexpr failure write(K& sink, content_hasher* hasher) noexcept {
    const bool redundant_first =
        layout_->redundant_directory().first_sector < layout_->directory().first_sector;
    for (const bool redundant : {redundant_first, !redundant_first}) {
      const region tables = redundant ? layout_->redundant_tables() : layout_->tables();
      if (failure f = detail::write_directory(sink, layout_->geometry(), tables.first_sector,
                                              scratch_->table)) {
        return f;
      }
      if (failure f = write_tables(sink)) return f;
    }
    const std::uint64_t end =
        larger_of(layout_->tables().end_sector(), layout_->redundant_tables().end_sector());
    if (failure f = put_zeros(sink, (layout_->overhead_sectors() - end) << sector_shift)) return f;

    seen now;
    const unsigned shift = layout_->geometry().grain_byte_shift();
    const failure f = walk(grain_scanner(layout_->geometry(), hasher),
                           [&](std::uint64_t grain, const std::byte* bytes) -> failure {
                             now.add(grain);
                             return sink.write(byte_view(bytes, std::size_t{1} << shift));
                           });
    return f ? f : same_as_surveyed(now);
  }

 private:
  static constexpr std::uint64_t bits_bytes = entries_per_table / 8;

  /// Which grains a walk saw, in few bytes: enough to notice that a later walk saw others.
  struct seen {
    std::uint64_t grains = 0;
    std::uint64_t fingerprint = 0;

    constexpr void add(std::uint64_t grain) noexcept {
      ++grains;
      fingerprint = (fingerprint ^ grain) * 0x100000001B3;
    }
  };

  [[nodiscard]] constexpr failure same_as_surveyed(const seen& now) const noexcept {
    const bool same = now.grains == surveyed_.grains && now.fingerprint == surveyed_.fingerprint;
    return same ? no_failure : source_failure(errc::source_changed, 0);
  }

  /// Calls `data(grain, bytes)` for each grain that holds data.
  template <class Data>
  [[nodiscard]] constexpr failure walk(grain_scanner scanner, Data&& data) noexcept {
    const unsigned shift = layout_->geometry().grain_byte_shift();
    grain_stream<S> grains(*source_, layout_->geometry(), buffer_);
    for (;;) {
      const auto chunk = grains.next(layout_->grain_count());
      if (!chunk) return chunk.error();
      if (chunk->grains == 0) return no_failure;
      for (std::uint64_t i = 0; i < chunk->grains; ++i) {
        const std::byte* const bytes = chunk->bytes + (i << shift);
        if (!scanner.holds_data(bytes, chunk->first_grain + i)) continue;
        if (failure f = data(chunk->first_grain + i, bytes)) return f;
      }
    }
  }

  template <Sink K>
  [[nodiscard]] constexpr failure write_tables(K& sink) noexcept {
    detail::table_builder table(scratch_->table.data());
    std::uint64_t written = 0;  // tables
    seen now;
    // Tables up to the one of this grain are complete.
    const auto complete_until = [&](std::uint64_t table_index) -> failure {
      while (written < table_index) {
        if (failure f = table.used() ? sink.write(table.bytes()) : put_zeros(sink, table_bytes)) {
          return f;
        }
        if (table.used()) table.clear();
        ++written;
      }
      return no_failure;
    };
    const auto stored = [&](std::uint64_t grain) -> failure {
      if (failure f = complete_until(grain >> sparse_geometry::table_shift)) return f;
      table.set(grain, layout_->grain_sector(now.grains));
      now.add(grain);
      return no_failure;
    };
    if (map_.empty()) {
      const failure f =
          walk(grain_scanner(layout_->geometry(), nullptr),
               [&](std::uint64_t grain, const std::byte*) -> failure { return stored(grain); });
      if (f) return f;
    } else {
      const std::byte* const map = map_.data();
      for (std::uint64_t at = 0; at < map_.size(); ++at) {
        for (unsigned bit = 0; map[at] != std::byte{0} && bit < 8; ++bit) {
          if ((map[at] >> bit & std::byte{1}) == std::byte{0}) continue;
          if (failure f = stored(at * 8 + bit)) return f;
        }
      }
    }
    if (failure f = complete_until(layout_->table_count())) return f;
    return same_as_surveyed(now);
  }

  S* source_;
  const sparse_layout* layout_;
  sparse_scratch* scratch_;
  byte_span buffer_;  ///< The scratch buffer less the map.
  byte_span map_{};   ///< One bit a grain, or nothing.
  seen surveyed_{};
};

}  // namespace vmdk
