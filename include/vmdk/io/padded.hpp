// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/io/next_data.hpp"

namespace vmdk {

/// Reads another Source, which the caller owns and keeps alive, followed by zeros up to a size.
/// SparseSource: the zeros are a hole, and those of the inner source are kept.
template <Source S>
class padded_source {
 public:
  /// Pads to `size_bytes`; a smaller number than the inner size pads nothing and cuts nothing.
  constexpr padded_source(S& inner, std::uint64_t size_bytes) noexcept
      : inner_(&inner), size_bytes_(larger_of(size_bytes, inner_bytes())) {}

  [[nodiscard]] constexpr std::uint64_t size() const noexcept { return size_bytes_; }

  /// Reads the inner source's share and zeros the rest. Errors: errc::out_of_range, and those of
  /// the inner source.
  constexpr failure read_at(std::uint64_t offset, byte_span out) noexcept {
    if (!fits_inside(offset, out.size(), size_bytes_)) {
      return source_failure(errc::out_of_range, offset);
    }
    const std::uint64_t left_bytes = offset < inner_bytes() ? inner_bytes() - offset : 0;
    const auto share = static_cast<std::size_t>(smaller_of<std::uint64_t>(left_bytes, out.size()));
    if (share != 0) {
      if (failure why = inner_->read_at(offset, out.first(share))) return why;
    }
    zero_bytes(out.subspan(share));
    return no_failure;
  }

  /// Finds the inner source's data. Errors: errc::out_of_range, and those of the inner source.
  constexpr result<range> next_data(std::uint64_t offset) noexcept {
    if (offset > size_bytes_) return source_failure(errc::out_of_range, offset);
    if (offset >= inner_bytes()) return range{size_bytes_, 0};
    const result<range> found = next_data_of(*inner_, offset);
    if (found && found->bytes == 0) return range{size_bytes_, 0};
    return found;
  }

 private:
  [[nodiscard]] constexpr std::uint64_t inner_bytes() const noexcept {
    return static_cast<const S*>(inner_)->size();
  }

  S* inner_;
  std::uint64_t size_bytes_;
};

}  // namespace vmdk
