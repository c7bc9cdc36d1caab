// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "vmdk/codec/concepts.hpp"
#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/reader/compressed_grain.hpp"
#include "vmdk/reader/file_view.hpp"
#include "vmdk/reader/image.hpp"

namespace vmdk {

/// The tables that a cursor remembers of one link.
struct link_cache {
  table_cache tables{};
  std::uint32_t extent = 0xFFFFFFFF;  ///< Whose tables they are, among all extents.
};

/// The memory of a cursor as spans.
struct cursor_spans {
  std::span<link_cache> caches;  ///< One a link is best; at least one.
  byte_span tables;              ///< Shared out among the caches; two sectors each at least.
  byte_span grain;               ///< For compressed images and a decoder: their largest grain.
  byte_span input;               ///< For compressed images and a decoder: compressed_input_bytes.
};

/// The memory of a cursor. GrainBytes is 0 where no image is compressed; InputBytes is at least the
/// decoder's compressed_input_bytes.
template <std::size_t Links = 1, std::size_t TableBytes = 2 * sector_bytes,
          std::size_t GrainBytes = 0, std::size_t InputBytes = GrainBytes == 0 ? 0 : sector_bytes>
struct cursor_memory {
  std::array<link_cache, Links> caches{};
  std::array<std::byte, Links * TableBytes> tables{};
  std::array<std::byte, GrainBytes> grain{};
  std::array<std::byte, InputBytes> input{};

  [[nodiscard]] constexpr cursor_spans spans() noexcept { return {caches, tables, grain, input}; }
};

/// What a disk has at a place, and where it comes from.
struct disk_mapping {
  placement where = placement::zero;  ///< Never absent: with no parent left, that is zero.
  std::uint64_t bytes = 0;            ///< For how many bytes this holds; at least 1.
  std::uint64_t file_offset = 0;      ///< As in `mapping`.
  std::uint32_t extent = 0;           ///< Among all extents; of no meaning for zeros of nobody.
  std::uint32_t link = 0;             ///< 0: the disk itself; 1: its parent ...
};

/// Reads the disk of an image: a Source that one thread uses at a time. Any number of cursors may
/// share an image. Image, memory and decoder are the caller's and outlive it.
///
/// After a failure the cursor is as good as before: one bad grain does not hide the others.
template <Files F, Decoder D = no_decoder>
class image_cursor {
 public:
  constexpr image_cursor() noexcept = default;

  /// Makes a cursor over a disk, with memory that nobody else uses meanwhile. With no_decoder it
  /// needs none for compressed grains: it maps them, and does not read them.
  /// Errors: errc::workspace_too_small; detail: the bytes wanted.
  [[nodiscard]] static constexpr result<image_cursor> make(const image<F>& of,
                                                           const cursor_spans& memory,
                                                           D& decoder) noexcept {
    image_cursor cursor;
    if (memory.caches.empty()) return too_small(sizeof(link_cache));
    // Half of a cache is for the directory, which is read once, and half for tables.
    const std::size_t each =
        smaller_of<std::size_t>(memory.tables.size() / memory.caches.size(), most_table_bytes) &
        ~std::size_t{2 * sector_bytes - 1};
    if (each == 0) return too_small(std::size_t{2} * sector_bytes * memory.caches.size());
    for (std::size_t i = 0; i < memory.caches.size(); ++i) {
      const byte_span own = memory.tables.subspan(i * each, each);
      link_cache& cache = memory.caches.data()[i];
      cache.extent = no_extent;
      cache.tables.table = window_cache(own.first(each / 2));
      cache.tables.directory = window_cache(own.last(each / 2));
    }
    const std::uint32_t grain = expands ? of.compressed_grain_bytes() : 0;
    if (memory.grain.size() < grain) return too_small(grain);
    const std::uint64_t input = grain == 0 ? 0 : compressed_input_bytes<D>(grain);
    if (memory.input.size() < input) return too_small(input);
    cursor.image_ = &of;
    cursor.memory_ = memory;
    cursor.decoder_ = &decoder;
    return cursor;
  }

  [[nodiscard]] constexpr std::uint64_t size() const noexcept {
    return image_ == nullptr ? 0 : image_->size();
  }

  /// Reads bytes of the disk. Errors: errc::out_of_range; those of the extents' `map`, of
  /// read_compressed_grain and of the files; errc::codec_not_available, with the grain's place in
  /// the file, where there is no_decoder.
  [[nodiscard]] constexpr failure read_at(std::uint64_t offset, byte_span out) noexcept {
    if (!fits_inside(offset, out.size(), size())) return source_failure(errc::out_of_range, offset);
    while (!out.empty()) {
      const auto run = map_run(offset, out.size());
      if (!run) return run.error();
      const byte_span now = out.first(static_cast<std::size_t>(run->bytes));
      if (failure f = read_run(*run, offset, now)) return f;
      offset += now.size();
      out = out.subspan(now.size());
    }
    return no_failure;
  }

  /// The next place at or behind an offset that may hold something else than zeros.
  /// Errors: as `map`.
  [[nodiscard]] constexpr result<range> next_data(std::uint64_t offset) noexcept {
    if (offset > size()) return source_failure(errc::out_of_range, offset);
    while (offset < size()) {
      const auto found = map(offset);
      if (!found) return found.error();
      const auto data = data_in(*found, offset);
      if (!data) return data.error();
      if (data->bytes != 0) return data;
      offset += found->bytes;
    }
    return range{size(), 0};
  }

  /// What the disk has at an offset, and which link it comes from.
  /// Errors: errc::out_of_range for an offset that is not below size(); those of the extents'
  /// `map`, with the number of the file.
  [[nodiscard]] constexpr result<disk_mapping> map(std::uint64_t offset) noexcept {
    if (offset >= size()) return source_failure(errc::out_of_range, offset);
    disk_mapping found;
    found.bytes = size() - offset;
    const auto links = image_->links();
    for (std::size_t i = 0; i < links.size(); ++i) {
      const std::uint32_t number = image_->find_extent(links.data()[i], offset);
      const extent& e = image_->extents().data()[number];
      link_cache& cache = memory_.caches.data()[i % memory_.caches.size()];
      if (cache.extent != number) {
        cache.tables.forget();
        cache.extent = number;
      }
      file_view<F> from(image_->files(), e.file);
      const auto own = e.map(from, offset - e.begin, cache.tables);
      if (!own) return file_view<F>::in_file(own.error(), e.file);
      found.bytes = smaller_of(found.bytes, own->bytes);
      found.extent = number;
      found.link = static_cast<std::uint32_t>(i);
      if (own->where == placement::absent) continue;
      found.where = own->where;
      found.file_offset = own->file_offset;
      return found;
    }
    return found;
  }

 private:
  static constexpr bool expands = !std::is_same_v<D, no_decoder>;
  static constexpr std::uint32_t no_extent = 0xFFFFFFFF;
  static constexpr std::size_t most_table_bytes = std::size_t{1} << 24;

  [[nodiscard]] static constexpr failure too_small(std::uint64_t wanted) noexcept {
    return options_failure(errc::workspace_too_small, 0, static_cast<std::uint32_t>(wanted));
  }

  /// What is at an offset, with the neighbours that continue it, up to a limit that
  /// lies on the disk.
  [[nodiscard]] constexpr result<disk_mapping> map_run(std::uint64_t offset,
                                                       std::uint64_t limit_bytes) noexcept {
    auto run = map(offset);
    if (!run) return run;
    while (run->where != placement::compressed && run->bytes < limit_bytes) {
      const auto next = map(offset + run->bytes);
      // A bad neighbour is reported when its own turn comes.
      if (!next || next->where != run->where) break;
      const bool continues =
          next->extent == run->extent && next->file_offset == run->file_offset + run->bytes;
      if (run->where == placement::stored && !continues) break;
      run->bytes += next->bytes;
    }
    run->bytes = smaller_of(run->bytes, limit_bytes);
    return run;
  }

  [[nodiscard]] constexpr failure read_run(const disk_mapping& run, std::uint64_t offset,
                                           byte_span out) noexcept {
    const extent& e = image_->extents().data()[run.extent];
    file_view<F> from(image_->files(), e.file);
    switch (run.where) {
      case placement::stored:
        return from.read_at(run.file_offset, out);
      case placement::compressed:
        if constexpr (expands) {
          return read_compressed(run, e, from, offset, out);
        } else {
          return file_view<F>::in_file(codec_failure(errc::codec_not_available, run.file_offset),
                                       e.file);
        }
      default:
        zero_bytes(out);
        return no_failure;
    }
  }

  [[nodiscard]] constexpr failure read_compressed(const disk_mapping& run, const extent& e,
                                                  file_view<F>& from, std::uint64_t offset,
                                                  byte_span out) noexcept {
    const std::uint32_t grain_bytes = e.sparse.geometry().grain_bytes();
    const std::uint64_t into = (offset - e.begin) & (grain_bytes - 1);
    const std::uint64_t grain_offset = offset - e.begin - into;
    const auto expand = [&](byte_span to) {
      return file_view<F>::in_file(
          read_compressed_grain(from, from.size(), e.sparse, run.file_offset, grain_offset,
                                memory_.input, *decoder_, to),
          e.file);
    };
    // A whole grain goes straight to the caller; of parts the grain is kept for the next call.
    if (out.size() == grain_bytes) return expand(out);
    if (kept_extent_ != run.extent || kept_grain_offset_ != grain_offset) {
      kept_extent_ = no_extent;
      if (failure f = expand(memory_.grain.first(grain_bytes))) return f;
      kept_extent_ = run.extent;
      kept_grain_offset_ = grain_offset;
    }
    copy_bytes(out.data(), memory_.grain.data() + into, out.size());
    return no_failure;
  }

  /// The part of a mapping that may hold data; flat files know their own holes.
  [[nodiscard]] constexpr result<range> data_in(const disk_mapping& found,
                                                std::uint64_t offset) noexcept {
    if (found.where == placement::zero) return range{offset, 0};
    if constexpr (SparseFiles<F>) {
      const extent& e = image_->extents().data()[found.extent];
      if (e.kind == extent_kind::flat) {
        const auto data = image_->files().next_data(e.file, found.file_offset);
        if (!data) return file_view<F>::in_file(data.error(), e.file);
        const std::uint64_t skipped = data->offset - found.file_offset;
        if (data->bytes == 0 || skipped >= found.bytes) return range{offset, 0};
        return range{offset + skipped, smaller_of(data->bytes, found.bytes - skipped)};
      }
    }
    return range{offset, found.bytes};
  }

  const image<F>* image_ = nullptr;
  cursor_spans memory_{};
  D* decoder_ = nullptr;
  std::uint32_t kept_extent_ = no_extent;  ///< Whose expanded grain is in memory_.grain.
  std::uint64_t kept_grain_offset_ = 0;
};

}  // namespace vmdk
