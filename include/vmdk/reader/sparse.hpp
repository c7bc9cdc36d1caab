// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/reader/sparse_extent.hpp"

namespace vmdk {

/// The memory of a sparse_reader: the tables that it remembers. The default is the least; with all
/// of the directory in it, no read takes more than two reads of the source.
template <std::size_t DirectoryBytes = sector_bytes, std::size_t TableBytes = sector_bytes>
struct sparse_reader_memory {
  static_assert(DirectoryBytes >= sector_bytes && TableBytes >= sector_bytes,
                "vmdk: a table cache holds at least one sector");
  std::array<std::byte, DirectoryBytes> directory{};
  std::array<std::byte, TableBytes> table{};
};

/// Reads the disk inside one uncompressed sparse file: what a bootloader needs, and no more. It
/// looks at no descriptor and opens no other file. A Source itself; one thread uses it at a time.
/// Source: SPEC 2, 3, 4.
template <Source S>
class sparse_reader {
 public:
  constexpr sparse_reader() noexcept = default;

  /// Opens an image; source and memory are the caller's and outlive the reader.
  /// Errors: those of sparse_extent::open_uncompressed.
  template <std::size_t DirectoryBytes, std::size_t TableBytes>
  [[nodiscard]] static constexpr result<sparse_reader> open(
      S& source, sparse_reader_memory<DirectoryBytes, TableBytes>& memory,
      strictness mode = strictness::tolerant) noexcept {
    const auto extent = sparse_extent::open_uncompressed(source, source.size(), mode);
    if (!extent) return extent.error();
    sparse_reader reader;
    reader.source_ = &source;
    reader.extent_ = *extent;
    reader.cache_.directory = window_cache(memory.directory);
    reader.cache_.table = window_cache(memory.table);
    return reader;
  }

  /// The capacity of the disk.
  [[nodiscard]] constexpr std::uint64_t size() const noexcept { return extent_.capacity_bytes(); }

  [[nodiscard]] constexpr const sparse_extent& extent() const noexcept { return extent_; }

  /// Reads bytes of the disk. Errors: errc::out_of_range; those of sparse_extent::map and of the
  /// source. One bad grain does not keep others from being read.
  [[nodiscard]] constexpr failure read_at(std::uint64_t offset, byte_span out) noexcept {
    if (!fits_inside(offset, out.size(), size())) return source_failure(errc::out_of_range, offset);
    while (!out.empty()) {
      const auto run = map_run(offset, out.size());
      if (!run) return run.error();
      const byte_span now = out.first(static_cast<std::size_t>(run->bytes));
      if (run->where == placement::stored) {
        if (failure f = source_->read_at(run->file_offset, now)) return f;
      } else {
        zero_bytes(now);
      }
      offset += now.size();
      out = out.subspan(now.size());
    }
    return no_failure;
  }

  /// The next run of stored grains at or behind an offset. Errors: as `read_at`.
  [[nodiscard]] constexpr result<range> next_data(std::uint64_t offset) noexcept {
    if (offset > size()) return source_failure(errc::out_of_range, offset);
    while (offset < size()) {
      const auto found = extent_.map(*source_, offset, cache_);
      if (!found) return found.error();
      if (found->where == placement::stored) return range{offset, found->bytes};
      offset += found->bytes;
    }
    return range{size(), 0};
  }

 private:
  /// What is at an offset, with the neighbours that continue it in the file, up to a limit
  /// that lies on the disk.
  [[nodiscard]] constexpr result<mapping> map_run(std::uint64_t offset,
                                                  std::uint64_t limit_bytes) noexcept {
    auto run = extent_.map(*source_, offset, cache_);
    if (!run) return run;
    while (run->bytes < limit_bytes) {
      const auto next = extent_.map(*source_, offset + run->bytes, cache_);
      // A bad neighbour is reported when its own turn comes.
      if (!next || next->where != run->where) break;
      if (run->where == placement::stored && next->file_offset != run->file_offset + run->bytes) {
        break;
      }
      run->bytes += next->bytes;
    }
    run->bytes = smaller_of(run->bytes, limit_bytes);
    return run;
  }

  S* source_ = nullptr;
  sparse_extent extent_{};
  table_cache cache_{};
};

}  // namespace vmdk
