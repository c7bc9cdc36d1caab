// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "disk.hpp"

namespace vmdk::cli {

/// A disk that one thread reads while others read theirs.
class thread_disk {
 public:
  explicit thread_disk(std::unique_ptr<disk> own) noexcept : own_(std::move(own)) {}

  [[nodiscard]] std::uint64_t size() const noexcept { return own_->size(); }
  failure read_at(std::uint64_t offset, byte_span out) noexcept {
    return own_->read_at(offset, out);
  }

 private:
  std::unique_ptr<disk> own_;
};

}  // namespace vmdk::cli
