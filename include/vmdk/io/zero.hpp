// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/io/concepts.hpp"

namespace vmdk {

/// Reads as zeros. SparseSource: one hole.
class zero_source {
 public:
  constexpr zero_source() noexcept = default;
  constexpr explicit zero_source(std::uint64_t size_bytes) noexcept : size_bytes_(size_bytes) {}

  [[nodiscard]] constexpr std::uint64_t size() const noexcept { return size_bytes_; }

  /// Fills with zeros. Errors: errc::out_of_range.
  constexpr failure read_at(std::uint64_t offset, byte_span out) const noexcept {
    if (!fits_inside(offset, out.size(), size_bytes_)) {
      return source_failure(errc::out_of_range, offset);
    }
    zero_bytes(out);
    return no_failure;
  }

  /// Finds nothing. Errors: errc::out_of_range.
  constexpr result<range> next_data(std::uint64_t offset) const noexcept {
    if (offset > size_bytes_) return source_failure(errc::out_of_range, offset);
    return range{size_bytes_, 0};
  }

 private:
  std::uint64_t size_bytes_ = 0;
};

static_assert(SparseSource<zero_source>);

}  // namespace vmdk
