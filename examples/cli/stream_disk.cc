// SPDX-License-Identifier: BSD-2-Clause
#include "stream_disk.hpp"

#include <algorithm>
#include <utility>

#include "error.hpp"
#include "vmdk/core/arithmetic.hpp"
#include "vmdk/format/bytes_as_text.hpp"
#include "vmdk/format/descriptor_parser.hpp"
#include "vmdk/hosted/parallel_read.hpp"
#include "vmdk/reader/compressed_grain.hpp"

namespace vmdk::cli {
namespace {

/// Throws an error where a descriptor, which stands at an offset, says that the stream alone is not
/// the disk.
void refuse_parts(const std::string& name, byte_view text, std::uint64_t offset) {
  if (text.empty()) return;
  const auto view = parse_descriptor(as_text(text), descriptor_place::embedded);
  if (!view) {
    failure why = view.error();
    why.offset += offset;
    fail(name, why);
  }
  if (view->has_parent()) throw error(name, "is a pipe, and the disk has a parent; use a file");
  const extent_iterator line = view->extents().begin();
  if (line->access == extent_access::none) {
    fail(name, image_failure(errc::extent_no_access, offset + line.line_offset()));
  }
}

}  // namespace

stream_disk::stream_disk(std::string name, pipe_source source, codec which)
    : name_(std::move(name)),
      source_(std::move(source)),
      stream_(source_),
      codec_(which),
      decoder_(which) {
  std::vector<std::byte> text(descriptor_max_bytes);
  const auto opened = stream_.open(text);
  if (!opened) {
    if (opened.error().code == errc::source_not_seekable) {
      throw error(name_,
                  "is a pipe, and a VMDK of this type is not read front to back, only "
                  "streamOptimized is; use a file");
    }
    fail(name_, opened.error());
  }
  refuse_parts(name_, *opened, stream_.descriptor_offset());
  const std::uint32_t grain_bytes = stream_.geometry().grain_bytes();
  grain_.resize(grain_bytes);
  input_.resize(static_cast<std::size_t>(compressed_size_limit(grain_bytes)) + sector_bytes);
}

/// Goes to the first grain that ends behind an offset.
failure stream_disk::go_to(std::uint64_t offset) noexcept {
  while (!has_ended_ && present_.end() <= offset) {
    passed_ = present_.end();
    const auto found = stream_.next();
    if (!found) return found.error();
    is_expanded_ = false;
    has_ended_ = found->data_bytes == 0;
    if (has_ended_) break;
    present_ = {found->disk_offset,
                std::min<std::uint64_t>(grain_.size(), size() - found->disk_offset)};
  }
  return no_failure;
}

failure stream_disk::read_at(std::uint64_t offset, byte_span out) noexcept {
  if (!fits_inside(offset, out.size(), size())) return source_failure(errc::out_of_range, offset);
  if (offset < passed_) return source_failure(errc::source_not_seekable, offset);
  while (!out.empty()) {
    if (failure why = go_to(offset)) return why;
    const std::uint64_t data = has_ended_ ? size() : present_.offset;
    if (offset < data) {
      const auto zeros =
          static_cast<std::size_t>(std::min<std::uint64_t>(data - offset, out.size()));
      zero_bytes(out.first(zeros));
      out = out.subspan(zeros);
      offset += zeros;
      continue;
    }
    if (!is_expanded_) {
      if (failure why = stream_.expand(decoder_, input_, grain_)) return why;
      is_expanded_ = true;
    }
    const auto into = static_cast<std::size_t>(offset - present_.offset);
    const auto n = std::min(static_cast<std::size_t>(present_.bytes) - into, out.size());
    copy_bytes(out.data(), grain_.data() + into, n);
    out = out.subspan(n);
    offset += n;
  }
  return no_failure;
}

result<range> stream_disk::next_data(std::uint64_t offset) noexcept {
  if (offset > size()) return source_failure(errc::out_of_range, offset);
  if (offset < passed_) return source_failure(errc::source_not_seekable, offset);
  if (failure why = go_to(offset)) return why;
  if (has_ended_) return range{size(), 0};
  const std::uint64_t from = std::max(offset, present_.offset);
  return range{from, present_.end() - from};
}

failure stream_disk::finish() noexcept {
  while (!has_ended_) {
    if (failure why = go_to(present_.end())) return why;
  }
  return no_failure;
}

failure stream_disk::expand_all(unsigned threads, const take_bytes& take) noexcept {
  const auto next = [this](compressed_piece& piece) noexcept -> result<bool> {
    const auto found = stream_.next();
    if (!found) return found.error();
    if (found->data_bytes == 0) return false;
    piece.disk_offset = found->disk_offset;
    piece.disk_bytes = static_cast<std::size_t>(
        std::min<std::uint64_t>(grain_.size(), size() - found->disk_offset));
    piece.file_offset = stream_.data_offset();
    const auto data = stream_.take(piece.room);
    if (!data) return data.error();
    piece.data = *data;
    return true;
  };
  has_ended_ = true;
  return inflate_parallel(
      grain_.size(), input_.size(), threads, next, [this] { return any_decoder(codec_); },
      [&take](std::uint64_t offset, byte_view bytes) noexcept { return take(offset, bytes); });
}

}  // namespace vmdk::cli
