// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/bytes_as_text.hpp"
#include "vmdk/format/descriptor_parser.hpp"
#include "vmdk/format/encoding.hpp"
#include "vmdk/format/extent_name.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/reader/extent_file.hpp"
#include "vmdk/reader/file_view.hpp"
#include "vmdk/reader/image.hpp"

namespace vmdk::detail {

/// Opens a disk and its parents, link by link.
template <Files F>
class image_opener {
  static constexpr std::size_t name_bytes = 3 * extent_name_max_bytes;
  static constexpr std::uint64_t most_detail = 0xFFFFFFFF;

 public:
  constexpr image_opener(F& files, const image_spans& memory, strictness mode) noexcept
      : files_(&files), memory_(memory), mode_(mode), free_text_(memory.text) {}

  [[nodiscard]] result<image<F>> open(file_id file) noexcept {
    const auto top = open_link(file);
    if (!top) return top.error();
    free_text_ = memory_.text.subspan(top->text().size());
    descriptor_view child = *top;
    while (child.has_parent()) {
      const auto parent = open_parent(child);
      if (!parent) return parent.error();
      child = *parent;
    }
    return image<F>(*files_, memory_.extents.first(extent_count_), memory_.links.first(link_count_),
                    *top);
  }

 private:
  /// Opens the next link: a sparse file with its descriptor inside, or a text descriptor.
  [[nodiscard]] result<descriptor_view> open_link(file_id file) noexcept {
    if (link_count_ == memory_.links.size()) {
      return failed(file, errc::chain_too_deep, 0, link_count_);
    }
    file_ = file;
    link& now = memory_.links[link_count_++];
    now = {.file = file, .first_extent = extent_count_, .extent_count = 0, .cid = 0};
    link_bytes_ = 0;

    const auto kind = identify_file(*files_, file);
    if (!kind) return kind.error();
    const auto view = *kind == file_contents::text ? open_text() : open_embedded(*kind);
    if (!view) return view.error();
    now.cid = view->cid();
    now.extent_count = extent_count_ - now.first_extent;
    return view;
  }

  [[nodiscard]] result<descriptor_view> open_parent(const descriptor_view& child) noexcept {
    const file_id child_file = file_;
    std::array<char, name_bytes> name{};
    // Only the last part of the hint counts: which folders may be searched is the caller's say.
    const std::string_view hint = child.parent_file_name_hint();
    if (hint.empty()) return failed(child_file, errc::parent_missing);
    const std::string_view base = base_name(hint);
    if (!is_plain_name(base) || base.size() > extent_name_max_bytes) {
      return failed(child_file, errc::name_not_allowed);
    }
    const auto parent = open_named(*files_, child_file, utf8(base, child.encoding(), name));
    if (!parent) {
      failure why = parent.error();
      if (why.code == errc::file_not_found) why.code = errc::parent_missing;
      return file_view<F>::in_file(why, child_file);
    }
    for (std::uint32_t i = 0; i < link_count_; ++i) {
      if (memory_.links[i].file == *parent) return failed(child_file, errc::chain_loop);
    }
    const std::uint64_t disk_bytes = link_bytes_;
    const std::uint32_t wanted_cid = child.parent_cid();
    const auto view = open_link(*parent);
    if (!view) return view;
    if (view->cid() != wanted_cid) {
      return failed(child_file, errc::parent_modified, 0, view->cid());
    }
    if (link_bytes_ != disk_bytes) return failed(*parent, errc::parent_capacity_differs);
    return view;
  }

  /// A sparse file: its one extent, and the descriptor inside it. The name in the descriptor is not
  /// looked at, so that a file may be renamed.
  [[nodiscard]] result<descriptor_view> open_embedded(file_contents contents) noexcept {
    if (contents != file_contents::sparse) {
      return failed(file_, errc::embedded_descriptor_missing);
    }
    file_view<F> from(*files_, file_);
    auto opened = open_extent_file(from, file_, extent_kind::sparse, mode_);
    if (!opened) return opened.error();
    const sparse_extent& sparse = opened->sparse;
    if (sparse.descriptor_bytes() == 0) return failed(file_, errc::embedded_descriptor_missing);
    const auto view = read_descriptor(sparse.descriptor_offset_bytes(), sparse.descriptor_bytes(),
                                      descriptor_place::embedded);
    if (!view) return view;
    if (view->extents().begin()->access == extent_access::none) {
      opened->kind = extent_kind::no_access;
    }
    if (failure f = add_extent(*opened)) return f;
    return view;
  }

  [[nodiscard]] result<descriptor_view> open_text() noexcept {
    const std::uint64_t bytes = files_->size(file_);
    if (bytes > descriptor_max_bytes) return failed(file_, errc::magic_invalid);
    const auto view = read_descriptor(0, bytes, descriptor_place::text_file);
    if (!view) return view;
    const bool only = view->extent_count() == 1;
    std::size_t left = view->extent_count();
    for (const extent_line& line : view->extents()) {
      if (failure f = open_line(line, view->encoding(), only, --left == 0)) return f;
    }
    return view;
  }

  /// Opens one extent line of a text descriptor. The header of an only extent says how large the
  /// disk is; of several, each must be as large as its line says, or the last be rounded up.
  [[nodiscard]] failure open_line(const extent_line& line, text_encoding encoding, bool only,
                                  bool last) noexcept {
    extent opened;
    // The parser takes no line that is longer, or begins further behind, than a disk can be.
    const std::uint64_t line_bytes = line.sectors << sector_shift;
    if (line.access == extent_access::none) {
      opened.kind = extent_kind::no_access;
    } else if (line.type == extent_type::vmfs_rdm || line.type == extent_type::vmfs_raw) {
      return failed(file_, errc::extent_type_unsupported);
    } else if (line.type != extent_type::zero) {
      std::array<char, name_bytes> memory{};
      const auto id = open_named(*files_, file_, utf8(line.name.stem, encoding, memory));
      if (!id) return file_view<F>::in_file(id.error(), file_);
      if (*id == file_) return failed(file_, errc::extent_is_descriptor);
      file_view<F> from(*files_, *id);
      const auto kind = kind_of_line(from, line.type);
      if (!kind) return kind.error();
      auto result = open_extent_file(from, *id, *kind, mode_);
      if (!result) return result.error();
      opened = *result;
      if (*kind == extent_kind::flat) {
        opened.file_offset = line.offset_sectors << sector_shift;
        if (!fits_inside(opened.file_offset, line_bytes, from.size())) {
          return failed(*id, errc::extent_too_short, from.size());
        }
      } else if (!only && opened.bytes != line_bytes && !(last && is_longer_last(opened, line))) {
        return failed(*id, errc::extent_mismatch, capacity_field(*kind),
                      static_cast<std::uint32_t>(smaller_of(line.sectors, most_detail)));
      }
    }
    if (!only || opened.bytes == 0) opened.bytes = line_bytes;
    return add_extent(opened);
  }

  [[nodiscard]] failure add_extent(extent next) noexcept {
    if (extent_count_ == memory_.extents.size()) {
      return failed(file_, errc::extent_count_invalid, 0, extent_count_);
    }
    const link& now = memory_.links[link_count_ - 1];
    next.begin = link_bytes_;
    // One file may hold several flat extents, but no byte of it is in two of them. A number above
    // all others is a file that no extent has had yet.
    if (has_file(next) && next.file.value <= last_file_.value) {
      for (std::uint32_t i = now.first_extent; i < extent_count_; ++i) {
        if (shares_bytes(memory_.extents[i], next)) return failed(next.file, errc::extent_overlap);
      }
    }
    last_file_.value = larger_of(last_file_.value, next.file.value);
    link_bytes_ = next.end();
    memory_.extents[extent_count_++] = next;
    return no_failure;
  }

  /// True for the last extent of a disk whose writer rounds capacities up.
  [[nodiscard]] static constexpr bool is_longer_last(const extent& e,
                                                     const extent_line& line) noexcept {
    return e.kind == extent_kind::sparse && is_rounded_up(e.bytes >> sector_shift, line.sectors,
                                                          e.sparse.geometry().grain_sectors());
  }

  [[nodiscard]] static constexpr bool has_file(const extent& e) noexcept {
    return e.kind != extent_kind::zero && e.kind != extent_kind::no_access;
  }

  /// True when an extent has bytes of a file that another one has; `b` has a file.
  [[nodiscard]] static constexpr bool shares_bytes(const extent& a, const extent& b) noexcept {
    if (!has_file(a) || a.file != b.file) return false;
    if (a.kind != extent_kind::flat || b.kind != extent_kind::flat) return true;
    return a.file_offset < b.file_offset + b.bytes && b.file_offset < a.file_offset + a.bytes;
  }

  [[nodiscard]] result<descriptor_view> read_descriptor(std::uint64_t offset, std::uint64_t bytes,
                                                        descriptor_place place) noexcept {
    if (bytes > free_text_.size()) {
      return failed(file_, errc::workspace_too_small, offset, static_cast<std::uint32_t>(bytes));
    }
    const byte_span text = free_text_.first(static_cast<std::size_t>(bytes));
    file_view<F> from(*files_, file_);
    if (failure f = from.read_at(offset, text)) return f;
    const auto view = parse_descriptor(as_text(text), place, mode_);
    if (!view) {
      failure why = view.error();
      why.offset += offset;
      return file_view<F>::in_file(why, file_);
    }
    return view;
  }

  [[nodiscard]] static std::string_view utf8(std::string_view name, text_encoding encoding,
                                             std::array<char, name_bytes>& memory) noexcept {
    return name_to_utf8(name, encoding, memory).value_or(name);
  }

  [[nodiscard]] static std::string_view base_name(std::string_view path) noexcept {
    std::size_t begin = 0;
    for (std::size_t i = 0; i < path.size(); ++i) {
      if (path.data()[i] == '/' || path.data()[i] == '\\') begin = i + 1;
    }
    return {path.data() + begin, path.size() - begin};
  }

  [[nodiscard]] static failure failed(file_id file, errc code, std::uint64_t offset = 0,
                                      std::uint32_t detail = 0) noexcept {
    return file_view<F>::in_file(image_failure(code, offset, detail), file);
  }

  F* files_;
  image_spans memory_;
  strictness mode_;
  byte_span free_text_;
  file_id file_{};                ///< The file of the link that is being opened.
  file_id last_file_{};           ///< The highest number of an extent's file.
  std::uint64_t link_bytes_ = 0;  ///< Of the disk, as far as the present link's extents go.
  std::uint32_t extent_count_ = 0;
  std::uint32_t link_count_ = 0;
};

}  // namespace vmdk::detail
