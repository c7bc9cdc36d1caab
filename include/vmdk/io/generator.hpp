// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <concepts>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/io/concepts.hpp"

namespace vmdk {

/// Can fill a span with the bytes at an offset; returns nothing, or a failure.
template <class F>
concept Generator = std::invocable<F&, std::uint64_t, byte_span> &&
                    (std::is_void_v<std::invoke_result_t<F&, std::uint64_t, byte_span>> ||
                     std::same_as<std::invoke_result_t<F&, std::uint64_t, byte_span>, failure>);

/// Reads bytes that a function makes up: `make(offset, span)` fills the span, whose range lies
/// inside the size. The same offset must always give the same bytes. The function must not throw.
template <Generator F>
class generator_source {
 public:
  constexpr generator_source(std::uint64_t size_bytes, F make) noexcept
      : size_bytes_(size_bytes), make_(std::move(make)) {}

  [[nodiscard]] constexpr std::uint64_t size() const noexcept { return size_bytes_; }

  /// Has the bytes made. Errors: errc::out_of_range, and those that the function returns.
  constexpr failure read_at(std::uint64_t offset, byte_span out) noexcept {
    if (!fits_inside(offset, out.size(), size_bytes_)) {
      return source_failure(errc::out_of_range, offset);
    }
    if constexpr (std::is_void_v<std::invoke_result_t<F&, std::uint64_t, byte_span>>) {
      make_(offset, out);
      return no_failure;
    } else {
      return make_(offset, out);
    }
  }

 private:
  std::uint64_t size_bytes_;
  F make_;
};

}  // namespace vmdk
