// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "disk.hpp"
#include "vmdk/hosted/file_source.hpp"
#include "vmdk/hosted/pipe_source.hpp"
#include "vmdk/io/forward.hpp"

namespace vmdk::cli {

/// A raw disk in a file or on a device.
class raw_disk final : public disk {
 public:
  raw_disk(std::string name, file_source source)
      : name_(std::move(name)), source_(std::move(source)) {}

  [[nodiscard]] std::uint64_t size() const noexcept override { return source_.size(); }
  failure read_at(std::uint64_t offset, byte_span out) noexcept override {
    return source_.read_at(offset, out);
  }
  result<range> next_data(std::uint64_t offset) noexcept override {
    return source_.next_data(offset);
  }
  [[nodiscard]] std::string file_of(const failure&) const override { return name_; }

 private:
  std::string name_;
  file_source source_;
};

/// A raw disk of a stated size that comes through a pipe.
class piped_disk final : public disk {
 public:
  piped_disk(std::string name, pipe_source source, std::uint64_t size_bytes)
      : name_(std::move(name)), source_(std::move(source)), stream_(source_, size_bytes) {}

  [[nodiscard]] std::uint64_t size() const noexcept override { return stream_.size(); }
  failure read_at(std::uint64_t offset, byte_span out) noexcept override {
    return stream_.read_at(offset, out);
  }
  result<range> next_data(std::uint64_t offset) noexcept override {
    return range{offset, size() - offset};
  }
  [[nodiscard]] bool can_go_back() const noexcept override { return false; }
  failure finish() noexcept override { return stream_.finish(); }
  [[nodiscard]] std::string file_of(const failure&) const override { return name_; }

 private:
  std::string name_;
  pipe_source source_;
  forward_source<pipe_source> stream_;
};

}  // namespace vmdk::cli
