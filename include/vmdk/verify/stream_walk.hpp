// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/endian.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/marker.hpp"
#include "vmdk/verify/compressed_grains.hpp"
#include "vmdk/verify/finding.hpp"
#include "vmdk/verify/table_formats.hpp"
#include "vmdk/verify/table_walk.hpp"

namespace vmdk::detail {

/// Walks a stream from marker to marker, as a reader does that cannot go back, and compares what it
/// meets with the tables (SPEC 5, 13.2). What a grain holds is not looked at.
template <class File, class Log>
class stream_walker {
 public:
  /// `marker` is one sector of memory.
  constexpr stream_walker(table_walk<sparse_format, File>& tables, byte_span marker,
                          bool has_footer, Log& log) noexcept
      : tables_(&tables),
        format_(&tables.format()),
        marker_(marker.first(sector_bytes)),
        file_sectors_(ceil_shift(tables.format().file_bytes(), sector_shift)),
        has_footer_(has_footer),
        log_(&log) {}

  /// Walks from a sector to the end. Errors: those of the file and of the log.
  constexpr failure walk(std::uint64_t first_sector) noexcept {
    at_ = first_sector;
    while (at_ < file_sectors_ && !ended_) {
      const std::uint64_t left = format_->file_bytes() - offset();
      zero_bytes(marker_);
      const auto bytes = static_cast<std::size_t>(smaller_of<std::uint64_t>(left, sector_bytes));
      if (failure f = tables_->file().read_at(offset(), marker_.first(bytes))) return f;
      if (failure f = take_marker()) return f;
      if (lost_) return no_failure;
    }
    if (!ended_) {
      if (failure f = log_->add(errc::stream_end_missing, format_->file_bytes())) return f;
    }
    return check_tables_left();
  }

 private:
  [[nodiscard]] constexpr std::uint64_t offset() const noexcept { return at_ << sector_shift; }
  [[nodiscard]] constexpr std::uint64_t value() const noexcept {
    return load_le<std::uint64_t>(marker_.data());
  }

  constexpr failure take_marker() noexcept {
    const std::uint32_t size = load_le<std::uint32_t>(marker_.data() + 8);
    if (size != 0) return take_grain(size);
    const auto type = static_cast<marker_type>(load_le<std::uint32_t>(marker_.data() + 12));
    if (type != marker_type::end_of_stream && !is_zero(marker_.data() + 16, sector_bytes - 16)) {
      if (failure f = log_->add(errc::marker_padding_not_zero, offset() + 16)) return f;
    }
    switch (type) {
      case marker_type::end_of_stream:
        return take_end();
      case marker_type::grain_table:
        return take_table();
      case marker_type::grain_directory:
        return take_directory();
      case marker_type::footer:
        // What it says is judged where the header is.
        return at_ + 3 == file_sectors_ ? skip(1) : lose();
      case marker_type::progress:
        return value() < file_sectors_ - at_ ? skip(value()) : lose();
    }
    return lose();
  }

  /// Goes on behind the marker's sector and so many more.
  constexpr failure skip(std::uint64_t sectors) noexcept {
    at_ += 1 + sectors;
    return no_failure;
  }

  /// Tells that what stands here is no marker, and gives up: nobody knows where the next one is.
  constexpr failure lose() noexcept {
    lost_ = true;
    finding found{.code = errc::marker_invalid, .offset = offset(), .value = value()};
    found.other = load_le<std::uint32_t>(marker_.data() + 12);
    return log_->add(found);
  }

  constexpr failure take_grain(std::uint32_t size) noexcept {
    const auto& geometry = format_->extent().geometry();
    if (size > compressed_size_limit(geometry.grain_bytes())) {
      lost_ = true;
      return log_->add(
          finding{.code = errc::marker_size_invalid, .offset = offset() + 8, .value = size});
    }
    if (!fits_inside(offset() + grain_marker_bytes, size, format_->file_bytes())) {
      lost_ = true;
      return log_->add(finding{.code = errc::grain_past_end, .offset = offset(), .value = at_});
    }
    const std::uint64_t lba = value();
    if ((lba & (geometry.grain_sectors() - 1)) != 0 || lba >= geometry.capacity_sectors()) {
      const finding found{.code = errc::marker_lba_mismatch, .offset = offset(), .value = lba};
      if (failure f = log_->add(found)) return f;
    } else {
      if (has_grain_ && lba <= last_lba_) {
        const finding found{.code = errc::marker_lba_not_ascending,
                            .offset = offset(),
                            .value = lba,
                            .other = last_lba_};
        if (failure f = log_->add(found)) return f;
      }
      has_grain_ = true;
      last_lba_ = lba;
      if (failure f = look_up(lba >> geometry.grain_shift())) return f;
    }
    return skip(marked_sectors(size) - 1);
  }

  /// Compares the place of a grain with what the tables say.
  constexpr failure look_up(std::uint64_t grain) noexcept {
    const std::uint64_t table = grain >> sparse_format::table_shift;
    const std::uint64_t index = grain & (entries_per_table - 1);
    const auto directory_entry = tables_->directory_entry(0, table);
    if (!directory_entry) return directory_entry.error();
    std::uint64_t entry = 0;
    if (*directory_entry != 0) {
      if (!format_->names_table(*directory_entry)) return no_failure;
      constexpr std::uint32_t each = table_walk<sparse_format, File>::entries_per_sector;
      const auto bytes = tables_->sector_of_table(0, *directory_entry, index / each);
      if (!bytes) return bytes.error();
      entry = load_le<std::uint32_t>(*bytes + (index & (each - 1)) * sizeof(std::uint32_t));
    }
    if (entry == at_) return no_failure;
    finding found{.code = errc::stream_tables_mismatch, .offset = offset()};
    found.table = table;
    found.entry = index;
    found.value = entry;
    found.other = at_;
    return log_->add(found);
  }

  /// An end-of-stream marker is the last sector. Where the tables stand in front, a stream may have
  /// zero sectors between its grains that only a sequential reader takes for its end.
  constexpr failure take_end() noexcept {
    if (!is_zero(marker_.data(), sector_bytes)) return lose();
    const std::uint64_t end_at = at_;
    ended_ = at_ + 1 == file_sectors_ && format_->file_bytes() % sector_bytes == 0;
    if (ended_) return skip(0);
    if (has_footer_) {
      ended_ = true;
      return log_->add(errc::stream_data_after_end, offset() + sector_bytes);
    }
    do {
      ++at_;
      if (at_ >= file_sectors_) break;
      const std::uint64_t left = format_->file_bytes() - offset();
      zero_bytes(marker_);
      const auto bytes = static_cast<std::size_t>(smaller_of<std::uint64_t>(left, sector_bytes));
      if (failure f = tables_->file().read_at(offset(), marker_.first(bytes))) return f;
    } while (is_zero(marker_.data(), sector_bytes));
    ended_ = at_ >= file_sectors_;
    return log_->add(finding{.code = ended_ ? errc::stream_end_padded : errc::stream_gap,
                             .offset = end_at << sector_shift,
                             .value = at_ - end_at});
  }

  constexpr failure check_length(std::uint64_t sectors) noexcept {
    if (value() == sectors) return no_failure;
    return log_->add(finding{
        .code = errc::marker_invalid, .offset = offset(), .value = value(), .other = sectors});
  }

  /// The tables of a stream stand in the order of its directory.
  constexpr failure take_table() noexcept {
    if (failure f = check_length(table_sectors)) return f;
    const auto entry = next_table();
    if (!entry) return entry.error();
    has_tables_ = true;
    if (*entry != at_ + 1) {
      finding found{.code = errc::stream_tables_mismatch, .offset = offset()};
      if (*entry != 0) found.table = next_table_ - 1;
      found.value = *entry;
      found.other = at_ + 1;
      if (failure f = log_->add(found)) return f;
    }
    return skip(table_sectors);
  }

  constexpr failure take_directory() noexcept {
    const std::uint64_t sectors = format_->directory_bytes() >> sector_shift;
    if (failure f = check_length(sectors)) return f;
    const std::uint64_t directory = format_->directory_at(0) >> sector_shift;
    if (directory != at_ + 1) {
      finding found{.code = errc::stream_tables_mismatch, .offset = offset()};
      found.value = directory;
      found.other = at_ + 1;
      if (failure f = log_->add(found)) return f;
    }
    return skip(sectors);
  }

  /// The next directory entry that is not 0; 0 when none is left. Some writers' directories go on
  /// behind the last table, with tables of their own.
  constexpr result<std::uint64_t> next_table() noexcept {
    while (next_table_ < format_->directory_bytes() >> sparse_format::entry_shift) {
      const auto entry = tables_->directory_entry(0, next_table_++);
      if (!entry || *entry != 0) return entry;
    }
    return std::uint64_t{0};
  }

  /// Where tables stand in the stream, all of them do.
  constexpr failure check_tables_left() noexcept {
    while (has_tables_) {
      const auto entry = next_table();
      if (!entry) return entry.error();
      if (*entry == 0) return no_failure;
      finding found{.code = errc::stream_tables_mismatch,
                    .offset = tables_->directory_entry_at(0, next_table_ - 1)};
      found.table = next_table_ - 1;
      found.value = *entry;
      if (failure f = log_->add(found)) return f;
    }
    return no_failure;
  }

  table_walk<sparse_format, File>* tables_;
  const sparse_format* format_;
  byte_span marker_;
  std::uint64_t file_sectors_;
  bool has_footer_;
  Log* log_;
  std::uint64_t at_ = 0;
  std::uint64_t last_lba_ = 0;
  std::uint64_t next_table_ = 0;
  bool has_grain_ = false;
  bool has_tables_ = false;
  bool ended_ = false;
  bool lost_ = false;
};

}  // namespace vmdk::detail
