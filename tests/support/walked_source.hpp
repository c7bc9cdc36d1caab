// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "tests/support/faults.hpp"
#include "tests/support/paged_file.hpp"
#include "vmdk/io/concepts.hpp"

namespace testing_support {

/// A disk that can be walked once, front to back, as a stream that knows its holes: a read that
/// goes back fails. Any call fails when a fault says so.
class walked_source {
 public:
  explicit walked_source(const paged_file& disk, fault* f = nullptr) : disk_(&disk), fault_(f) {}

  std::uint64_t size() const noexcept { return disk_->size(); }
  vmdk::failure read_at(std::uint64_t offset, vmdk::byte_span out) noexcept {
    if (vmdk::failure f = next()) return f;
    if (offset < position_) return vmdk::source_failure(vmdk::errc::source_not_seekable, offset);
    position_ = offset + out.size();
    return disk_->read_at(offset, out);
  }
  vmdk::result<vmdk::range> next_data(std::uint64_t offset) noexcept {
    if (vmdk::failure f = next()) return f;
    return disk_->next_data(offset);
  }
  vmdk::failure finish() noexcept {
    ++finished;
    return next();
  }

  int finished = 0;

 private:
  vmdk::failure next() { return fault_ != nullptr ? fault_->next() : vmdk::no_failure; }

  const paged_file* disk_;
  fault* fault_;
  std::uint64_t position_ = 0;
};

static_assert(vmdk::SparseSource<walked_source> && vmdk::FinishingSource<walked_source>);

}  // namespace testing_support
