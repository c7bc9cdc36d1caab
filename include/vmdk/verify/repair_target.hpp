// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/bytes.hpp"
#include "vmdk/core/endian.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/verify/repair_step.hpp"

namespace vmdk::detail {

/// The file that is repaired, and who is told. Without a Storage, or in a trial, nothing is
/// written: every decision of a repair follows from what stands in the file before it, and is the
/// same once it is done.
template <Source S, class OnStep>
class repair_target {
 public:
  constexpr repair_target(S& file, bool writes, OnStep& on_step) noexcept
      : file_(&file), on_step_(&on_step), size_bytes_(file.size()), writes_(writes) {}

  /// The size that the file had.
  [[nodiscard]] constexpr std::uint64_t size() const noexcept { return size_bytes_; }

  constexpr failure read_at(std::uint64_t offset, byte_span out) noexcept {
    return file_->read_at(offset, out);
  }

  /// Tells a step that changes bytes at its offset, and makes it. Errors: the file's.
  constexpr failure change(const repair_step& step, byte_view bytes) noexcept {
    tell(step);
    return write(step.offset, bytes);
  }

  /// The same for a table or directory entry, or a field of a header.
  template <class T>
  constexpr failure change_value(const repair_step& step, T value) noexcept {
    std::byte bytes[sizeof(T)]{};
    store_le(bytes, value);
    return change(step, bytes);
  }

  /// Tells a step; one that changes something is then made with `write`.
  constexpr void tell(const repair_step& step) noexcept {
    if (is_left(step.kind)) {
      ++summary.left;
      if (!tells_what_is_left) return;
    } else {
      ++summary.changes;
    }
    if (step.kind == repair_kind::entry_dropped) ++summary.dropped_entries;
    (*on_step_)(step);
  }

  constexpr failure write(std::uint64_t offset, byte_view bytes) noexcept {
    if constexpr (Storage<S>) {
      if (writes_) return file_->write_at(offset, bytes);
    }
    return no_failure;
  }

  /// What was written before is on the medium before what is written after.
  constexpr failure barrier() noexcept {
    if constexpr (Storage<S>) {
      if (writes_ && summary.changes != 0) return file_->flush();
    }
    return no_failure;
  }

  constexpr failure resize(std::uint64_t size_bytes) noexcept {
    if constexpr (Storage<S>) {
      if (writes_) return file_->resize(size_bytes);
    }
    return no_failure;
  }

  repair_summary summary{};
  bool tells_what_is_left = true;

 private:
  S* file_;
  OnStep* on_step_;
  std::uint64_t size_bytes_;
  bool writes_;
};

}  // namespace vmdk::detail
