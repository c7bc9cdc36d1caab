// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/endian.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/marker.hpp"
#include "vmdk/format/sparse_header.hpp"
#include "vmdk/format/sparse_header_check.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/reader/compressed_grain.hpp"
#include "vmdk/reader/extent_file.hpp"
#include "vmdk/reader/footer.hpp"
#include "vmdk/reader/read_object.hpp"
#include "vmdk/verify/check_context.hpp"
#include "vmdk/verify/compressed_grains.hpp"
#include "vmdk/verify/descriptor_text.hpp"
#include "vmdk/verify/link_facts.hpp"
#include "vmdk/verify/plain_grains.hpp"
#include "vmdk/verify/stream_walk.hpp"
#include "vmdk/verify/table_check.hpp"

namespace vmdk::detail {

/// The value of the header field at a byte offset; no_figure where none begins.
[[nodiscard]] constexpr std::uint64_t header_field(const sparse_extent_header& header,
                                                   std::uint64_t offset) noexcept {
  const sector_image bytes = encode(header);
  switch (offset) {
    case offsetof(sparse_extent_header, magic_number):
    case offsetof(sparse_extent_header, version):
    case offsetof(sparse_extent_header, flags):
    case offsetof(sparse_extent_header, num_gtes_per_gt):
      return load_le<std::uint32_t>(bytes.data() + offset);
    case offsetof(sparse_extent_header, capacity):
    case offsetof(sparse_extent_header, grain_size):
    case offsetof(sparse_extent_header, descriptor_offset):
    case offsetof(sparse_extent_header, descriptor_size):
    case offsetof(sparse_extent_header, rgd_offset):
    case offsetof(sparse_extent_header, gd_offset):
    case offsetof(sparse_extent_header, over_head):
      return load_le<std::uint64_t>(bytes.data() + offset);
    case offsetof(sparse_extent_header, unclean_shutdown):
      return load_le<std::uint8_t>(bytes.data() + offset);
    case offsetof(sparse_extent_header, compress_algorithm):
      return load_le<std::uint16_t>(bytes.data() + offset);
    default:
      return no_figure;
  }
}

/// Checks one hosted sparse file: header, footer, descriptor, tables, grains and stream.
template <class File, class Log, class D>
class sparse_file_checker {
 public:
  constexpr sparse_file_checker(File& file, const check_context<Log, D>& context,
                                const extent_claim& claim, link_facts& facts) noexcept
      : file_(&file), file_bytes_(file.size()), context_(context), claim_(claim), facts_(&facts) {}

  /// Errors: those of the file and of the log; errc::workspace_too_small.
  failure check() noexcept {
    if (file_bytes_ < sector_bytes) return log().add(errc::header_truncated, 0);
    if (failure f = read_object(*file_, 0, header_)) return f;
    failure why;
    const auto report = [&](errc code, std::uint64_t offset) {
      why = log().add(
          finding{.code = code, .offset = offset, .value = header_field(header_, offset)});
      return !why;
    };
    const bool is_usable = check_sparse_header(header_, file_bytes_, report);
    if (why || !is_usable) return why;
    facts_->capacity_sectors = header_.capacity;
    if (failure f = check_claim()) return f;
    if (header_.is_compressed() || header_.has_tables_at_end()) {
      if (failure f = check_footer()) return f;
    }
    if (!claim_.has_line) {
      if (failure f = check_descriptor_inside()) return f;
    }
    // Without a directory there is nothing more to find.
    return header_.gd_offset == 0 ? no_failure : check_tables();
  }

 private:
  [[nodiscard]] constexpr Log& log() const noexcept { return context_.log; }

  constexpr failure check_claim() noexcept {
    if (!claim_.has_line || is_same_capacity(header_.capacity, claim_.sectors, claim_.is_only)) {
      return no_failure;
    }
    const bool is_rounded =
        claim_.is_last && is_rounded_up(header_.capacity, claim_.sectors, header_.grain_size);
    return log().add(finding{.code = is_rounded ? errc::extent_rounded_up : errc::extent_mismatch,
                             .offset = offsetof(sparse_extent_header, capacity),
                             .value = header_.capacity,
                             .other = claim_.sectors});
  }

  /// Checks the end of a stream, and puts what only the footer says into the header.
  constexpr failure check_footer() noexcept {
    const bool is_needed = header_.has_tables_at_end();
    const std::uint64_t footer_at = file_bytes_ - std::uint64_t{2} * sector_bytes;
    bool has_room = file_bytes_ >= sector_bytes + stream_tail_bytes;
    sparse_extent_header footer;
    if (has_room) {
      stream_marker marker;
      if (failure f = read_object(*file_, footer_at - sector_bytes, marker)) return f;
      if (failure f = read_object(*file_, footer_at, footer)) return f;
      has_room = file_bytes_ % sector_bytes == 0 && marker.is(marker_type::footer) &&
                 footer.magic_number == sparse_magic;
    }
    has_footer_ = has_room;
    failure why;
    const auto report = [&](errc code, std::uint64_t offset) {
      finding found{.code = code, .offset = offset};
      found.value = header_field(footer, offset - footer_at);
      if (code == errc::footer_mismatch) found.other = header_field(header_, offset - footer_at);
      if (code == errc::footer_missing) found.value = file_bytes_;
      why = log().add(found);
      return !why;
    };
    const auto directory = find_footer(*file_, file_bytes_, header_, report);
    if (!directory) return directory.error();
    header_.gd_offset = *directory;
    if (is_needed && has_footer_) header_.rgd_offset = footer.rgd_offset;
    // What a footer says was judged by its own figures; the header's are those that are used.
    const std::uint64_t sectors =
        sparse_geometry(header_.capacity, header_.grain_size).directory_sectors();
    const auto is_good = [&](std::uint64_t first_sector) {
      return place_directory(header_, first_sector, sectors, file_bytes_ >> sector_shift) ==
             directory_place::good;
    };
    if (!is_good(header_.gd_offset)) header_.gd_offset = std::uint64_t{0};
    if (!is_good(header_.rgd_offset)) header_.rgd_offset = header_.gd_offset;
    return why;
  }

  failure check_descriptor_inside() noexcept {
    if (header_.descriptor_offset == 0) {
      return log().add(errc::embedded_descriptor_missing,
                       offsetof(sparse_extent_header, descriptor_offset));
    }
    const range region{header_.descriptor_offset << sector_shift,
                       header_.descriptor_size << sector_shift};
    const auto text =
        check_descriptor_text(*file_, region, descriptor_place::embedded, context_.room, log());
    if (!text) return text.error();
    if (!text->is_usable) return no_failure;
    facts_->take(text->view);
    const create_type type = text->view.type();
    if (has_embedded_descriptor(type) &&
        (type == create_type::stream_optimized) != header_.is_compressed()) {
      if (failure f = log().add(errc::descriptor_compression_mismatch, region.offset)) return f;
    }
    const extent_iterator line = text->view.extents().begin();
    if (line->access == extent_access::none) {
      descriptor_reporter<Log> lines(text->view.text(), region.offset, log());
      if (!lines(errc::extent_no_access, line.line_offset())) return lines.why();
    }
    if (is_same_capacity(header_.capacity, text->view.total_sectors(), true)) return no_failure;
    return log().add(finding{.code = errc::descriptor_capacity_mismatch,
                             .offset = region.offset,
                             .value = text->view.total_sectors(),
                             .other = header_.capacity});
  }

  failure check_tables() noexcept {
    const sparse_format format(header_, file_bytes_);
    byte_span room = context_.room;
    expanding_room expanding{};
    if constexpr (!std::is_same_v<D, no_decoder>) {
      // Of a disk smaller than a grain, less may be enough.
      const std::uint64_t whole = format.extent().geometry().grain_bytes();
      const std::uint64_t used = smaller_of(whole, format.extent().capacity_bytes());
      for (const std::uint64_t wanted : {whole, used}) {
        if (!header_.is_compressed() || !expanding.output.empty()) break;
        if (room.size() < check_least_bytes + wanted) continue;
        expanding.output = room.last(static_cast<std::size_t>(wanted));
        room = room.first(room.size() - expanding.output.size());
      }
    }
    const walk_room share(room);
    // No pass needs bits and a decoder's input at once.
    expanding.input = share.rest;
    table_walk<sparse_format, File> walk(*file_, format, share.windows);
    compressed_grains<File, D> compressed(*file_, format, share.marker, expanding,
                                          context_.decoder);
    plain_grains<sparse_format> plain{format};
    const failure found = header_.is_compressed() ? check_tables_with(walk, share, compressed)
                                                  : check_tables_with(walk, share, plain);
    if (found) return found;
    const std::uint64_t lacking = compressed.lacking_bytes();
    if (lacking == 0) return no_failure;
    const auto wanted = static_cast<std::uint32_t>(check_least_bytes + lacking);
    return options_failure(errc::workspace_too_small, 0, wanted);
  }

  template <class Walk, class Grains>
  failure check_tables_with(Walk& walk, const walk_room& share, Grains& grains) noexcept {
    const auto fixed = [&](auto&& visit) { each_fixed(walk.format(), visit); };
    table_checker tables(walk, context_.state, share.rest, log(), fixed, grains);
    if (failure f = tables.check()) return f;
    const std::uint64_t overhead = header_.over_head;
    const std::uint64_t directory_end =
        (walk.format().directory_at(0) + walk.format().directory_bytes()) >> sector_shift;
    if (!header_.is_compressed()) {
      // An overhead that ends before the directory does was told with the header.
      if (overhead < directory_end || overhead >= tables.metadata_end_sector()) return no_failure;
      return log().add(finding{.code = errc::overhead_too_small,
                               .offset = offsetof(sparse_extent_header, over_head),
                               .value = overhead,
                               .other = tables.metadata_end_sector()});
    }
    // Looking up a grain reads no more than a sector each of directory and table.
    Walk look_up(*file_, walk.format(), share.windows.first(Walk::least_bytes));
    stream_walker<File, Log> stream(look_up, share.marker, has_footer_, log());
    return stream.walk(overhead != 0 ? overhead : tables.first_grain_sector());
  }

  /// Gives the metadata whose places the header states.
  template <class Visit>
  constexpr void each_fixed(const sparse_format& format, Visit&& visit) const noexcept {
    using kind = sector_use_kind;
    using h = sparse_extent_header;
    const std::uint64_t directory_sectors = format.directory_bytes() >> sector_shift;
    visit(sector_use{.kind = kind::header, .first_sector = 0, .sectors = 1});
    if (header_.descriptor_offset != 0) {
      visit(sector_use{.kind = kind::descriptor,
                       .first_sector = header_.descriptor_offset,
                       .sectors = header_.descriptor_size,
                       .named_at = offsetof(h, descriptor_offset)});
    }
    for (unsigned copy = 0; copy < format.copies(); ++copy) {
      visit(sector_use{.kind = kind::directory,
                       .first_sector = format.directory_at(copy) >> sector_shift,
                       .sectors = directory_sectors,
                       .named_at = copy == 0 ? offsetof(h, gd_offset) : offsetof(h, rgd_offset)});
    }
    if (has_footer_) {
      constexpr std::uint64_t tail_sectors = stream_tail_bytes >> sector_shift;
      const std::uint64_t file_sectors = file_bytes_ >> sector_shift;
      visit(sector_use{.kind = kind::footer,
                       .first_sector = file_sectors - tail_sectors,
                       .sectors = tail_sectors});
    }
  }

  File* file_;
  std::uint64_t file_bytes_;
  check_context<Log, D> context_;
  extent_claim claim_;
  link_facts* facts_;
  sparse_extent_header header_{};
  bool has_footer_ = false;
};

}  // namespace vmdk::detail
