// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/endian.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/descriptor_fields.hpp"
#include "vmdk/format/extent_line.hpp"
#include "vmdk/format/marker.hpp"
#include "vmdk/format/sparse_header.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/io/put_zeros.hpp"
#include "vmdk/layout/stream.hpp"
#include "vmdk/layout/stream_size.hpp"
#include "vmdk/writer/embedded_descriptor.hpp"
#include "vmdk/writer/placed_sink.hpp"
#include "vmdk/writer/table_builder.hpp"

namespace vmdk {

/// The memory of a stream_builder, the caller's: a table with its marker, and the directory.
struct stream_memory {
  static constexpr std::size_t marked_table_bytes = sector_bytes + table_bytes;
  std::span<std::byte, marked_table_bytes> table;
  byte_span directory{};  ///< directory_memory_bytes() of the layout.
};

/// Builds a streamOptimized file of grains that are compressed already, in the order of the disk.
///
/// Into a sink that only appends: write_head, then `add` for each record, then `finish`. Into a
/// SeekableSink: reserve_head, the records, `finish`, and write_head last, so that a file that was
/// cut short is no image. Sink and memory are the caller's. After an error every further call
/// returns it, and what the sink holds is no image. Source: SPEC 5.
template <Sink K>
class stream_builder {
 public:
  constexpr stream_builder(K& sink, const stream_layout& layout,
                           const stream_memory& memory) noexcept
      : sink_(&sink),
        layout_(layout),
        memory_(memory),
        size_(layout),
        table_(memory.table.data() + sector_bytes) {}

  /// Leaves room for everything before the first grain; all of it is zeros then.
  /// Errors: errc::workspace_too_small (detail: the bytes that the directory takes); those of the
  /// sink.
  constexpr failure reserve_head() noexcept
    requires SeekableSink<K>
  {
    if (failure f = start()) return fail(f);
    if (failure f = sink_->resize(0)) return fail(f);
    return fail(sink_->resize(layout_.overhead_bytes()));
  }

  /// Writes header and descriptor; in a SeekableSink the header after the descriptor, between
  /// barriers. Errors: errc::workspace_too_small; errc::not_supported for tables in front in a sink
  /// that only appends; those of write_descriptor and of the sink.
  constexpr failure write_head(const descriptor_fields& fields,
                               const extent_line& extent) noexcept {
    return write_head_with([&](auto& sink, std::uint64_t region_bytes) {
      return detail::write_embedded_descriptor(sink, fields, extent, region_bytes);
    });
  }

  /// As above, with the text of a descriptor that was built before, perhaps by the compiler.
  /// Errors: errc::option_invalid (detail: descriptor_problem::text_bytes) for one that is longer
  /// than its region; the others as above.
  constexpr failure write_head(byte_view descriptor) noexcept {
    return write_head_with([&](auto& sink, std::uint64_t region_bytes) -> failure {
      if (descriptor.size() > region_bytes) {
        return options_failure(errc::option_invalid, 0,
                               static_cast<std::uint32_t>(descriptor_problem::text_bytes));
      }
      if (failure f = sink.write(descriptor)) return f;
      return put_zeros(sink, region_bytes - descriptor.size());
    });
  }

  /// Writes the next record, as seal_record and pack_grain make them.
  /// Errors: errc::marker_invalid for bytes that are no record; those of stream_size::add_grain, as
  /// for a record that is not behind the last one on the disk; those of the sink.
  constexpr failure add(byte_view record) noexcept {
    if (failed_) return failed_;
    if (record.size() < sector_bytes) return fail(options_failure(errc::marker_invalid));
    const auto lba = load_le<std::uint64_t>(record.data());
    const auto bytes = load_le<std::uint32_t>(record.data() + offsetof(stream_marker, size));
    if (stream_layout::packed_sectors(bytes) << sector_shift != record.size() ||
        (lba & (layout_.grain_sectors() - 1)) != 0) {
      return fail(options_failure(errc::marker_invalid));
    }
    const std::uint64_t grain = lba >> layout_.geometry().grain_shift();
    if (table_.used() && (grain >> sparse_geometry::table_shift) != size_.table()) {
      if (failure f = write_table()) return fail(f);
    }
    const auto sector = size_.add_grain(grain, bytes);
    if (!sector) return fail(sector.error());
    table_.set(grain, *sector);
    return fail(put(*sector, record));
  }

  /// Writes all that follows the last grain, and all tables that are still to be written.
  /// Errors: those of the sink.
  constexpr failure finish() noexcept {
    if (failed_) return failed_;
    if (table_.used()) {
      if (failure f = write_table()) return fail(f);
    }
    return fail(layout_.has_tables_at_end() ? write_tail() : write_front());
  }

  [[nodiscard]] constexpr std::uint64_t stored_grains() const noexcept {
    return size_.stored_grains();
  }

  /// The size of the file if no grain follows; what it is after `finish`.
  [[nodiscard]] constexpr std::uint64_t file_bytes() const noexcept { return size_.file_bytes(); }

 private:
  constexpr failure fail(failure why) noexcept {
    failed_ = why;
    return why;
  }

  constexpr failure start() noexcept {
    if (failed_) return failed_;
    if (!SeekableSink<K> && !layout_.has_tables_at_end()) {
      return sink_failure(errc::not_supported, 0);
    }
    const std::uint64_t wanted = layout_.directory_memory_bytes();
    if (memory_.directory.size() < wanted) {
      constexpr std::uint64_t most = (std::numeric_limits<std::uint32_t>::max)();
      return options_failure(errc::workspace_too_small, 0,
                             static_cast<std::uint32_t>(smaller_of(wanted, most)));
    }
    memory_.directory = memory_.directory.first(static_cast<std::size_t>(wanted));
    zero_bytes(memory_.directory);
    set_marker(marker_type::grain_table, table_sectors);
    return no_failure;
  }

  template <class Put>
  constexpr failure write_head_with(Put put_descriptor) noexcept {
    const std::uint64_t region_bytes = layout_.descriptor().bytes();
    if constexpr (SeekableSink<K>) {
      if (failed_) return failed_;
      placed_sink<K> out(*sink_, layout_.descriptor().first_byte());
      if (failure f = put_descriptor(out, region_bytes)) return fail(f);
      if (failure f = barrier()) return fail(f);
      if (failure f = write_header()) return fail(f);
      return fail(barrier());
    } else {
      if (failure f = start()) return fail(f);
      if (failure f = write_header()) return fail(f);
      if (failure f = put_descriptor(*sink_, region_bytes)) return fail(f);
      const std::uint64_t gap = layout_.overhead_sectors() - layout_.descriptor().end_sector();
      return fail(put_zeros(*sink_, gap << sector_shift));
    }
  }

  /// Puts bytes where they belong in the file, which for a sink that only appends is its end.
  constexpr failure put(std::uint64_t sector, byte_view bytes) noexcept {
    if constexpr (SeekableSink<K>) {
      return sink_->write_at(sector << sector_shift, bytes);
    } else {
      return sink_->write(bytes);
    }
  }

  constexpr failure barrier() noexcept {
    if constexpr (Flushable<K>) {
      return sink_->flush();
    } else {
      return no_failure;
    }
  }

  constexpr failure write_header() noexcept {
    encode(layout_.make_header(), memory_.table.data());
    const failure f = put(0, memory_.table.first(sector_bytes));
    set_marker(marker_type::grain_table, table_sectors);
    return f;
  }

  /// Makes the first sector of the table's memory a marker.
  constexpr void set_marker(marker_type type, std::uint64_t following_sectors) noexcept {
    encode_marker(type, following_sectors, memory_.table.data());
  }

  /// Writes the table of the grains so far, and empties it.
  constexpr failure write_table() noexcept {
    const std::uint64_t table = size_.table();
    if (layout_.has_tables_at_end()) {
      const std::uint64_t sector = size_.end_table();
      if (failure f = put(sector - 1, memory_.table)) return f;
      store_le(memory_.directory.data() + table * sizeof(std::uint32_t),
               static_cast<std::uint32_t>(sector));
    } else {
      if (failure f = put(layout_.table_sector(table), table_.bytes())) return f;
    }
    table_.clear();
    return no_failure;
  }

  /// Directory, footer and end of stream behind the grains. The memory of the table, which is empty
  /// now, serves as their buffer.
  constexpr failure write_tail() noexcept {
    const std::uint64_t directory_sectors = layout_.geometry().directory_sectors();
    const std::uint64_t directory_sector = size_.next_sector() + 1;
    set_marker(marker_type::grain_directory, directory_sectors);
    if (failure f = put(directory_sector - 1, memory_.table.first(sector_bytes))) return f;
    if (failure f = put(directory_sector, memory_.directory)) return f;

    // Marker, footer, and the first zeros of the table as end-of-stream marker.
    set_marker(marker_type::footer, 1);
    encode(layout_.make_header(directory_sector), memory_.table.data() + sector_bytes);
    return put(directory_sector + directory_sectors, memory_.table.first(stream_tail_bytes));
  }

  /// The directory before the grains, and the end of the stream behind them.
  constexpr failure write_front() noexcept {
    if constexpr (SeekableSink<K>) {
      const auto scratch = memory_.table.template last<table_bytes>();
      placed_sink<K> out(*sink_, layout_.directory().first_byte());
      if (failure f = detail::write_directory(out, layout_.geometry(),
                                              layout_.tables().first_sector, scratch)) {
        return f;
      }
    }
    set_marker(marker_type::end_of_stream, 0);
    return put(size_.next_sector(), memory_.table.first(sector_bytes));
  }

  K* sink_;
  stream_layout layout_;
  stream_memory memory_;
  stream_size size_;
  detail::table_builder table_;
  failure failed_{};
};

}  // namespace vmdk
