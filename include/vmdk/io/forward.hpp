// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/io/concepts.hpp"

namespace vmdk {

/// Reads a SequentialSource of a stated size as a Source whose offsets may only ascend. The inner
/// source is the caller's, who keeps it alive and reads nothing from it meanwhile.
///
/// Bytes between two ranges are read and dropped, through 512 bytes of stack. A failure of the
/// stream, or its early end, sticks: every later call returns it. Failures carry offsets from where
/// this object began.
template <SequentialSource S>
class forward_source {
 public:
  constexpr forward_source(S& inner, std::uint64_t size_bytes) noexcept
      : inner_(&inner), size_bytes_(size_bytes) {}

  [[nodiscard]] constexpr std::uint64_t size() const noexcept { return size_bytes_; }

  /// The offset that the stream has reached.
  [[nodiscard]] constexpr std::uint64_t position() const noexcept { return position_; }

  /// Reads at an offset not below position(). Errors: errc::out_of_range and
  /// errc::source_not_seekable (offset: the one asked for), after either of which the object is as
  /// good as before; errc::unexpected_end (offset: where the stream ended), and those of the
  /// stream.
  constexpr failure read_at(std::uint64_t offset, byte_span out) noexcept {
    if (failed_) return failed_;
    if (!fits_inside(offset, out.size(), size_bytes_)) {
      return source_failure(errc::out_of_range, offset);
    }
    if (out.empty()) return no_failure;
    if (offset < position_) return source_failure(errc::source_not_seekable, offset);
    if (failure why = drop_until(offset)) return why;
    return fill(out);
  }

  /// Drops what is left up to size() and makes sure that the stream ends there. Errors:
  /// errc::unexpected_end, errc::source_too_long (offset: size()), and those of the stream.
  constexpr failure finish() noexcept {
    if (failed_) return failed_;
    if (failure why = drop_until(size_bytes_)) return why;
    std::byte more[1]{};
    const result<std::size_t> got = inner_->read(byte_span(more));
    if (!got) return fail(got.error());
    if (*got != 0) return fail(source_failure(errc::source_too_long, size_bytes_));
    return no_failure;
  }

 private:
  constexpr failure drop_until(std::uint64_t offset) noexcept {
    std::byte dropped[512]{};
    while (position_ < offset) {
      const std::uint64_t left_bytes = offset - position_;
      const auto n = static_cast<std::size_t>(smaller_of<std::uint64_t>(left_bytes, 512));
      if (failure why = fill(byte_span(dropped).first(n))) return why;
    }
    return no_failure;
  }

  constexpr failure fill(byte_span out) noexcept {
    while (!out.empty()) {
      const result<std::size_t> got = inner_->read(out);
      if (!got) return fail(got.error());
      if (*got == 0) return fail(source_failure(errc::unexpected_end, position_));
      position_ += *got;
      out = out.subspan(*got);
    }
    return no_failure;
  }

  constexpr failure fail(failure why) noexcept {
    failed_ = why;
    return why;
  }

  S* inner_;
  std::uint64_t size_bytes_;
  std::uint64_t position_ = 0;
  failure failed_{};
};

}  // namespace vmdk
