// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/cowd_builder.hpp"
#include "tests/support/image_builder.hpp"
#include "tests/support/sesparse_builder.hpp"
#include "tests/support/stream_image_builder.hpp"
#include "vmdk/codec/inflate.hpp"
#include "vmdk/reader/cursor.hpp"
#include "vmdk/reader/open.hpp"

namespace reader_testing {

using namespace vmdk;
using namespace testing_support;

using bytes = std::vector<std::byte>;

inline bytes bytes_of(std::string_view text) {
  bytes all(text.size());
  copy_text(all.data(), text);
  return all;
}

/// Files in memory that take every name there is, and note each that they were asked for. Threads
/// may read at the same time.
class watched_files {
 public:
  /// Adds a file, or replaces it. The numbers of the files are in the order of their coming.
  bytes& put(const std::string& name, bytes content) {
    for (auto& [known, old] : files_) {
      if (known == name) return old = std::move(content);
    }
    return files_.emplace_back(name, std::move(content)).second;
  }
  bytes& put(const std::string& name, std::string_view text) { return put(name, bytes_of(text)); }
  bytes& content(std::uint32_t number) { return files_[number].second; }

  result<file_id> open(std::string_view name) noexcept {
    asked.emplace_back(name);
    for (std::uint32_t i = 0; i < files_.size(); ++i) {
      if (files_[i].first == name) return file_id{i};
    }
    return failure{.code = errc::file_not_found, .from = origin::files, .detail = 2};
  }
  std::uint64_t size(file_id id) const noexcept { return files_[id.value].second.size(); }
  failure read_at(file_id id, std::uint64_t offset, byte_span out) noexcept {
    if (++reads == failing_read) return source_failure(errc::read_failed, offset, 5);
    const bytes& all = files_[id.value].second;
    if (!fits_inside(offset, out.size(), all.size())) {
      return source_failure(errc::out_of_range, offset);
    }
    copy_bytes(out.data(), all.data() + offset, out.size());
    return no_failure;
  }

  std::vector<std::string> asked{};
  std::atomic<std::uint64_t> reads{0};
  std::uint64_t failing_read = 0;  ///< Counted from 1.

 private:
  std::deque<std::pair<std::string, bytes>> files_;
};
static_assert(Files<watched_files>);

/// What a descriptor says.
struct descriptor_plan {
  std::string type = "custom";
  std::vector<std::string> extents{};
  std::string cid = "12345678";
  std::string parent = "ffffffff";
  std::string hint{};
  std::string encoding = "UTF-8";
};

inline std::string text_of(const descriptor_plan& plan) {
  std::string text = "# Disk DescriptorFile\nversion=1\nencoding=\"" + plan.encoding +
                     "\"\nCID=" + plan.cid + "\nparentCID=" + plan.parent + "\ncreateType=\"" +
                     plan.type + "\"\n";
  if (!plan.hint.empty()) text += "parentFileNameHint=\"" + plan.hint + "\"\n";
  text += "\n# Extent description\n";
  for (const std::string& line : plan.extents) text += line + "\n";
  return text + "\n# The Disk Data Base\n#DDB\n\nddb.adapterType = \"lsilogic\"\n";
}

/// The disk in a sparse image of small grains.
inline bytes disk_of(const sparse_image& image) {
  bytes disk(image.disk_bytes());
  for (const auto& [grain, at] : image.grain_at) {
    const std::uint64_t begin = grain * image.grain_bytes();
    const auto content = content_bytes(
        begin, static_cast<std::size_t>(image.used_sectors(grain) * 512), image.plan.seed);
    copy_bytes(disk.data() + begin, content.data(), content.size());
  }
  return disk;
}

/// A sparse image with a descriptor inside.
inline sparse_image whole_sparse(sparse_image_plan plan, descriptor_plan says = {}) {
  says.type = "monolithicSparse";
  says.extents = {"RW " + std::to_string(plan.capacity_sectors) + " SPARSE \"whatever.vmdk\""};
  plan.descriptor = text_of(says);
  return build_sparse(plan);
}

/// A piece of a split disk, which has none.
inline sparse_image sparse_piece(sparse_image_plan plan) {
  plan.descriptor_sectors = 0;
  return build_sparse(plan);
}

inline stream_image whole_stream(stream_image_plan plan, descriptor_plan says = {}) {
  says.type = "streamOptimized";
  says.extents = {"RDONLY " + std::to_string(plan.capacity_sectors) + " SPARSE \"any.vmdk\""};
  plan.descriptor = text_of(says);
  return build_stream(plan);
}

/// A redo log's file, and what it says of each sector: stored bytes, zeros, or nothing.
struct redo_log {
  bytes file;
  bytes disk;
  std::vector<bool> present;  ///< By sector.
};

/// A COWD file whose grains are stored (number % 3 == 1), zeroed (== 2) or absent.
inline redo_log build_cowd(std::uint32_t capacity_sectors, std::uint32_t grain_sectors) {
  redo_log log{.file = bytes(std::size_t{1} << 20),
               .disk = bytes(std::size_t{capacity_sectors} * 512),
               .present = std::vector<bool>(capacity_sectors)};
  support::cowd_builder image(log.file, capacity_sectors, grain_sectors);
  for (std::uint32_t s = 0; s < capacity_sectors; ++s) {
    const std::uint32_t grain = s / grain_sectors;
    if (s % grain_sectors == 0 && grain % 3 == 2) image.set_entry(grain, 1);
    if (s % grain_sectors == 0 && grain % 3 == 1) {
      image.store(grain, static_cast<std::byte>(grain % 250 + 1));
    }
    log.present[s] = grain % 3 != 0;
    for (std::size_t i = 0; i < 512 && grain % 3 == 1; ++i) {
      log.disk[std::size_t{s} * 512 + i] = static_cast<std::byte>(grain % 250 + 1);
    }
  }
  log.file.resize(image.file().size());
  return log;
}

/// A seSparse file whose grains are stored (number % 4 == 1), unmapped (== 2), zero (== 3) or
/// absent.
inline redo_log build_sesparse(std::uint32_t capacity_sectors) {
  redo_log log{.file = bytes(std::size_t{1} << 20),
               .disk = bytes(std::size_t{capacity_sectors} * 512),
               .present = std::vector<bool>(capacity_sectors)};
  support::sesparse_builder image(log.file, capacity_sectors, 2, 32);
  for (std::uint32_t s = 0; s < capacity_sectors; ++s) {
    const std::uint32_t grain = s / 8;
    const auto fill = static_cast<std::byte>(grain % 250 + 1);
    if (s % 8 == 0 && grain % 4 == 1) image.store(grain, fill);
    if (s % 8 == 0 && grain % 4 >= 2) image.set_entry(grain, std::uint64_t{grain % 4 - 1} << 60);
    log.present[s] = grain % 4 != 0;
    for (std::size_t i = 0; i < 512 && grain % 4 == 1; ++i) {
      log.disk[std::size_t{s} * 512 + i] = fill;
    }
  }
  log.file.resize(image.file().size());
  return log;
}

/// A link's content over that of its parent.
inline bytes over(const bytes& parent, const bytes& child, const std::vector<bool>& present) {
  bytes disk = parent;
  for (std::size_t s = 0; s < present.size(); ++s) {
    if (present[s]) copy_bytes(disk.data() + s * 512, child.data() + s * 512, 512);
  }
  return disk;
}

/// An opened image with the memory that it lies in.
template <Files F>
struct opened_image {
  using memory_type = image_memory<64, 8>;

  opened_image(F& files, std::string_view name, strictness mode = strictness::tolerant)
      : memory(std::make_unique<memory_type>()), image(vmdk::open(files, name, *memory, mode)) {}
  opened_image(F& files, file_id id, strictness mode = strictness::tolerant)
      : memory(std::make_unique<memory_type>()), image(vmdk::open(files, id, *memory, mode)) {}

  explicit operator bool() const { return image.ok(); }
  failure error() const { return image.error(); }

  std::unique_ptr<memory_type> memory;
  result<vmdk::image<F>> image;
};

/// The memory of a cursor, each part of exactly the size asked for, so that a sanitizer sees a byte
/// too many.
struct cursor_room {
  cursor_room(std::size_t links, std::size_t table_bytes, std::size_t grain_bytes,
              std::size_t input_bytes)
      : caches(links), tables(table_bytes), grain(grain_bytes), input(input_bytes) {}
  cursor_spans spans() { return {caches, tables, grain, input}; }

  std::vector<link_cache> caches;
  bytes tables;
  bytes grain;
  bytes input;
};

/// All of a disk, read in pieces of so many bytes; empty when a read fails.
template <class Cursor>
bytes read_all(Cursor& cursor, std::size_t piece_bytes) {
  bytes disk(static_cast<std::size_t>(cursor.size()));
  for (std::size_t at = 0; at < disk.size(); at += piece_bytes) {
    const std::size_t n = smaller_of(piece_bytes, disk.size() - at);
    if (cursor.read_at(at, byte_span(disk.data() + at, n))) return {};
  }
  return disk;
}

/// All of an image's disk, with the least memory. Empty when something fails.
template <Files F>
bytes read_image(F& files, std::string_view name) {
  opened_image<F> opened(files, name);
  if (!opened) return {};
  cursor_room room(1, 1024, opened.image->compressed_grain_bytes(), 512);
  small_inflate decoder;
  auto cursor = image_cursor<F, small_inflate>::make(*opened.image, room.spans(), decoder);
  return cursor ? read_all(*cursor, 7777) : bytes{};
}

/// Opens `disk.vmdk` with a descriptor; files beside it were put before.
inline failure open_text(watched_files& files, const std::string& text,
                         strictness mode = strictness::tolerant) {
  files.put("disk.vmdk", text);
  files.asked.clear();
  return opened_image<watched_files>(files, "disk.vmdk", mode).error();
}
inline failure open_lines(watched_files& files, std::vector<std::string> lines,
                          strictness mode = strictness::tolerant) {
  return open_text(files, text_of({.extents = std::move(lines)}), mode);
}

/// A failure of the image in the file of a number.
inline failure in_file(std::uint16_t number, errc code, std::uint64_t offset = 0,
                       std::uint32_t detail = 0) {
  failure why = image_failure(code, offset, detail);
  why.index = number;
  return why;
}

}  // namespace reader_testing
