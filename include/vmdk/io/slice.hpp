// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/io/concepts.hpp"

namespace vmdk {

/// Reads a run of bytes of another Source, which the caller owns and keeps alive. SparseSource and
/// MappedSource where that one is.
///
/// Failures carry offsets of the inner source, also errc::out_of_range: what lies outside the
/// slice, and everything when the slice itself does not lie inside the inner source.
template <Source S>
class slice_source {
 public:
  constexpr slice_source(S& inner, std::uint64_t offset, std::uint64_t size_bytes) noexcept
      : inner_(&inner), start_(offset), size_bytes_(size_bytes) {}

  [[nodiscard]] constexpr std::uint64_t size() const noexcept { return size_bytes_; }

  /// Reads from the inner source. Errors: errc::out_of_range, and those of the inner source.
  constexpr failure read_at(std::uint64_t offset, byte_span out) noexcept {
    if (!fits_inside(offset, out.size(), size_bytes_) || !is_inside()) return outside(offset);
    return inner_->read_at(start_ + offset, out);
  }

  /// Finds data, as the inner source sees it. Errors: errc::out_of_range, and those of the inner
  /// source.
  constexpr result<range> next_data(std::uint64_t offset) noexcept
    requires SparseSource<S>
  {
    if (offset > size_bytes_ || !is_inside()) return outside(offset);
    const result<range> found = inner_->next_data(start_ + offset);
    if (!found) return found.error();
    const std::uint64_t end = start_ + size_bytes_;
    if (found->bytes == 0 || found->offset >= end) return range{size_bytes_, 0};
    return range{found->offset - start_, smaller_of(found->bytes, end - found->offset)};
  }

  /// Gives n bytes in place; none at all when they do not lie inside size().
  [[nodiscard]] constexpr byte_view view(std::uint64_t offset, std::size_t n) noexcept
    requires MappedSource<S>
  {
    if (!fits_inside(offset, n, size_bytes_) || !is_inside()) return {};
    return inner_->view(start_ + offset, n);
  }

 private:
  [[nodiscard]] constexpr bool is_inside() const noexcept {
    return fits_inside(start_, size_bytes_, static_cast<const S*>(inner_)->size());
  }

  [[nodiscard]] constexpr failure outside(std::uint64_t offset) const noexcept {
    std::uint64_t inner_offset = (std::numeric_limits<std::uint64_t>::max)();
    (void)checked_add(start_, offset, inner_offset);
    return source_failure(errc::out_of_range, inner_offset);
  }

  S* inner_;
  std::uint64_t start_;
  std::uint64_t size_bytes_;
};

}  // namespace vmdk
