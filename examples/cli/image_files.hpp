// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vmdk/core/bytes.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/hosted/directory.hpp"
#include "vmdk/io/concepts.hpp"

namespace vmdk::cli {

/// The files of one image, in the folders that the user allows, with their names for messages.
/// SparseFiles.
class image_files {
 public:
  static constexpr std::size_t max_files = 40000;

  image_files() noexcept : files_(max_files) {}

  failure allow(const std::string& folder) noexcept { return files_.allow(folder); }

  /// Opens the file that the user named; `name` is for messages.
  result<file_id> open_path(const std::string& path, const std::string& name) noexcept {
    return remember(files_.open_path(path), name);
  }

  result<file_id> open(std::string_view name) noexcept {
    last_name_ = name;
    return remember(files_.open(name), std::string(name));
  }
  result<file_id> open_beside(file_id opener, std::string_view name) noexcept {
    last_name_ = name;
    return remember(files_.open_beside(opener, name), std::string(name));
  }
  [[nodiscard]] std::uint64_t size(file_id id) const noexcept { return files_.size(id); }
  failure read_at(file_id id, std::uint64_t offset, byte_span out) noexcept {
    return files_.read_at(id, offset, out);
  }
  result<range> next_data(file_id id, std::uint64_t offset) noexcept {
    return files_.next_data(id, offset);
  }

  [[nodiscard]] bool is_open(const std::string& path) const noexcept {
    return files_.is_open(path);
  }

  /// The name of an open file: the number is a failure's `index`. Another number gives the name
  /// that was asked for last.
  [[nodiscard]] const std::string& name(std::size_t number) const noexcept {
    return number < names_.size() ? names_[number] : last_name_;
  }
  /// The name that was asked for last: the culprit of a failure of origin::files.
  [[nodiscard]] const std::string& last_name() const noexcept { return last_name_; }

 private:
  result<file_id> remember(result<file_id> opened, const std::string& name) noexcept {
    if (opened && opened->value >= names_.size()) names_.resize(opened->value + 1, name);
    return opened;
  }

  directory_files files_;
  std::vector<std::string> names_;
  std::string last_name_;
};

static_assert(FolderFiles<image_files>);

}  // namespace vmdk::cli
