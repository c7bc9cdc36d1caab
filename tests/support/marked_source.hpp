// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/io/memory.hpp"

namespace testing_support {

using namespace vmdk;

/// Bytes 1, 2, 3 ...
template <std::size_t N>
constexpr std::array<std::byte, N> counted_bytes(unsigned first = 1) {
  std::array<std::byte, N> bytes{};
  for (std::size_t i = 0; i < N; ++i) bytes[i] = static_cast<std::byte>(first + i);
  return bytes;
}

/// True when the bytes are first, first + 1, first + 2 ...
constexpr bool counts_from(byte_view bytes, unsigned first) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] != static_cast<std::byte>(first + i)) return false;
  }
  return true;
}

/// A source of bytes 1, 2, 3 ... that says it has data in one range only, and fails as told.
class marked_source {
 public:
  constexpr marked_source(std::uint64_t size_bytes, range data) noexcept
      : size_bytes_(size_bytes), data_(data) {}

  constexpr void fail_with(failure why) noexcept { failure_ = why; }

  [[nodiscard]] constexpr std::uint64_t size() const noexcept { return size_bytes_; }

  constexpr failure read_at(std::uint64_t offset, byte_span out) const noexcept {
    if (failure_) return failure_;
    if (!fits_inside(offset, out.size(), size_bytes_)) {
      return source_failure(errc::out_of_range, offset);
    }
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::uint64_t at = offset + i;
      const bool is_data = at >= data_.offset && at < data_.end();
      out[i] = is_data ? static_cast<std::byte>(at + 1) : std::byte{0};
    }
    return no_failure;
  }

  constexpr result<range> next_data(std::uint64_t offset) const noexcept {
    if (failure_) return failure_;
    if (offset > size_bytes_) return source_failure(errc::out_of_range, offset);
    if (offset >= data_.end() || data_.bytes == 0) return range{size_bytes_, 0};
    const std::uint64_t from = larger_of(offset, data_.offset);
    return range{from, data_.end() - from};
  }

 private:
  std::uint64_t size_bytes_;
  range data_;
  failure failure_{};
};

/// A stream of `size_bytes` bytes 1, 2, 3 ..., at most `step` at a time, that then ends or fails.
class stepwise_stream {
 public:
  constexpr stepwise_stream(std::size_t size_bytes, std::size_t step, failure at_end = {}) noexcept
      : size_bytes_(size_bytes), step_(step), at_end_(at_end) {}

  constexpr result<std::size_t> read(byte_span out) noexcept {
    if (position_ == size_bytes_) {
      if (at_end_) return at_end_;
      return std::size_t{0};
    }
    std::size_t n = 0;
    while (n < out.size() && n < step_ && position_ < size_bytes_) {
      out[n++] = static_cast<std::byte>(++position_);
    }
    return n;
  }

 private:
  std::size_t size_bytes_;
  std::size_t step_;
  failure at_end_;
  std::size_t position_ = 0;
};

static_assert(SparseSource<marked_source> && SequentialSource<stepwise_stream>);

}  // namespace testing_support
