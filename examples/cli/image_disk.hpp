// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "codecs.hpp"
#include "disk.hpp"
#include "image_files.hpp"
#include "vmdk/reader/cursor.hpp"
#include "vmdk/reader/open.hpp"

namespace vmdk::cli {

/// An opened VMDK of any type, with all its files and parents. Throws an error where it cannot be
/// opened. Stays where it is.
class opened_image {
 public:
  explicit opened_image(const input& from);
  opened_image(const opened_image&) = delete;
  opened_image& operator=(const opened_image&) = delete;

  [[nodiscard]] const image<image_files>& get() const noexcept { return image_; }
  [[nodiscard]] image_files& files() noexcept { return files_; }
  [[nodiscard]] const image_files& files() const noexcept { return files_; }

 private:
  [[noreturn]] void refuse(const failure& why);

  image_files files_;
  std::vector<extent> extents_;
  std::vector<link> links_;
  std::vector<std::byte> text_;
  image<image_files> image_;
};

/// The memory for the tables of an image while one thread reads it.
struct table_memory {
  explicit table_memory(const image<image_files>& of);

  std::vector<link_cache> caches;
  std::vector<std::byte> bytes;
};

/// Where an image stores what; no content, and so no memory for grains.
class image_map {
 public:
  /// Throws an error.
  explicit image_map(const input& from);

  [[nodiscard]] std::uint64_t size() const noexcept { return opened_.get().size(); }
  [[nodiscard]] const opened_image& opened() const noexcept { return opened_; }
  /// What the disk has at an offset, and which link of the chain it comes from. Throws an error.
  disk_mapping at(std::uint64_t offset);

 private:
  opened_image opened_;
  table_memory tables_;
  no_decoder none_;
  image_cursor<image_files> cursor_;
};

/// The disk inside a VMDK.
class image_disk final : public disk {
 public:
  /// Throws an error.
  explicit image_disk(const input& from);
  /// Reads an image that others read as well.
  image_disk(std::shared_ptr<const opened_image> opened, codec which);

  [[nodiscard]] std::uint64_t size() const noexcept override { return opened_->get().size(); }
  failure read_at(std::uint64_t offset, byte_span out) noexcept override {
    return cursor_.read_at(offset, out);
  }
  result<range> next_data(std::uint64_t offset) noexcept override;
  [[nodiscard]] std::string file_of(const failure& why) const override {
    return opened_->files().name(why.index);
  }

  [[nodiscard]] std::size_t compressed_grain_bytes() const noexcept override {
    return grain_.size();
  }
  [[nodiscard]] std::unique_ptr<disk> another() const override;
  [[nodiscard]] bool is_read_from(const std::string& path) const noexcept override {
    return opened_->files().is_open(path);
  }

  [[nodiscard]] const opened_image& opened() const noexcept { return *opened_; }

 private:
  std::shared_ptr<const opened_image> opened_;
  codec codec_;
  table_memory tables_;
  std::vector<std::byte> grain_;
  std::vector<std::byte> input_;
  any_decoder decoder_;
  image_cursor<image_files, any_decoder> cursor_;
};

/// Allows an image's own folder and those that the user named, and opens its file. Throws an error.
[[nodiscard]] file_id open_image_file(image_files& files, const input& from);

/// True when the start of a file is that of any kind of VMDK: an extent's or a text descriptor's.
[[nodiscard]] bool looks_like_vmdk(std::string_view start) noexcept;

}  // namespace vmdk::cli
