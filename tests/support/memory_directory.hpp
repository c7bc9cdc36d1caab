// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/faults.hpp"
#include "tests/support/paged_file.hpp"
#include "vmdk/format/extent_name.hpp"
#include "vmdk/io/concepts.hpp"

namespace testing_support {

/// A file that may be of any size, each of whose calls may fail.
class directory_file {
 public:
  explicit directory_file(fault& f) : fault_(&f) {}

  std::uint64_t size() const noexcept { return pages_.size(); }
  vmdk::failure write(vmdk::byte_view bytes) noexcept { return write_at(pages_.size(), bytes); }
  vmdk::failure write_at(std::uint64_t offset, vmdk::byte_view bytes) noexcept {
    if (vmdk::failure f = fault_->next()) return f;
    written_bytes += bytes.size();
    return pages_.write_at(offset, bytes);
  }
  vmdk::failure resize(std::uint64_t size_bytes) noexcept {
    if (vmdk::failure f = fault_->next()) return f;
    return pages_.resize(size_bytes);
  }
  const paged_file& pages() const { return pages_; }

  std::uint64_t written_bytes = 0;

 private:
  fault* fault_;
  paged_file pages_;
};

/// A folder in memory: a SinkDirectory, and the Files of what was committed to it. Every call to it
/// and to its files may fail.
class memory_directory {
 public:
  using sink_type = directory_file;

  memory_directory() : fault_(&none_) {}
  explicit memory_directory(fault& f) : fault_(&f) {}
  memory_directory(const memory_directory&) = delete;

  vmdk::result<directory_file*> create(std::string_view name) noexcept {
    ++created;
    if (vmdk::failure f = fault_->next()) return f;
    if (!vmdk::is_plain_name(name)) return vmdk::sink_failure(vmdk::errc::name_not_allowed, 0);
    pending_.emplace_back(std::string(name), std::make_unique<directory_file>(*fault_));
    return pending_.back().second.get();
  }
  vmdk::failure commit() noexcept {
    ++commits;
    if (vmdk::failure f = fault_->next()) return f;
    for (auto& file : pending_) files_.push_back(std::move(file));
    pending_.clear();
    return vmdk::no_failure;
  }
  void abort() noexcept {
    ++aborts;
    pending_.clear();
  }

  vmdk::result<vmdk::file_id> open(std::string_view name) noexcept {
    for (std::uint32_t i = 0; i < files_.size(); ++i) {
      if (files_[i].first == name) return vmdk::file_id{i};
    }
    return vmdk::failure{.code = vmdk::errc::file_not_found, .from = vmdk::origin::files};
  }
  std::uint64_t size(vmdk::file_id id) const noexcept { return files_[id.value].second->size(); }
  vmdk::failure read_at(vmdk::file_id id, std::uint64_t offset, vmdk::byte_span out) noexcept {
    return files_[id.value].second->pages().read_at(offset, out);
  }
  vmdk::result<vmdk::range> next_data(vmdk::file_id id, std::uint64_t offset) noexcept {
    return files_[id.value].second->pages().next_data(offset);
  }

  /// The names of the files that were committed, in the order of their creation.
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& file : files_) all.push_back(file.first);
    return all;
  }
  const directory_file& file(std::size_t index) const { return *files_.at(index).second; }
  /// The text of a small file.
  std::string text(std::size_t index) const {
    const auto bytes = file(index).pages().bytes();
    std::string text;
    for (const std::byte b : bytes) text.push_back(static_cast<char>(b));
    return text;
  }
  std::size_t pending() const { return pending_.size(); }
  std::uint64_t total_bytes() const {
    std::uint64_t sum = 0;
    for (const auto& file : files_) sum += file.second->size();
    return sum;
  }

  /// The number of the file that was created last, or was to be.
  int in_file() const { return created - 1; }

  int created = 0;  ///< Calls of `create`.
  int commits = 0;
  int aborts = 0;

 private:
  fault none_;
  fault* fault_;
  std::vector<std::pair<std::string, std::unique_ptr<directory_file>>> pending_;
  std::vector<std::pair<std::string, std::unique_ptr<directory_file>>> files_;
};

static_assert(vmdk::SinkDirectory<memory_directory> && vmdk::Files<memory_directory>);

}  // namespace testing_support
