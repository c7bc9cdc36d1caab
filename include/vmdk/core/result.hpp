// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

#include "vmdk/core/failure.hpp"

namespace vmdk {

/// A value, or why there is none. The value type must have a default, which stands in for a missing
/// value: there is no union to get wrong, and it is usable in constant expressions.
template <class T>
class [[nodiscard]] result {
  static_assert(std::default_initializable<T>);

 public:
  using value_type = T;

  constexpr result(T value) noexcept(std::is_nothrow_move_constructible_v<T>)
      : value_(std::move(value)) {}
  constexpr result(failure why) noexcept : failure_(why) {}

  [[nodiscard]] constexpr bool ok() const noexcept { return !failure_; }
  [[nodiscard]] constexpr explicit operator bool() const noexcept { return ok(); }

  /// The failure; `no_failure` when there is a value.
  [[nodiscard]] constexpr failure error() const noexcept { return failure_; }

  /// The value. Asking for a value that is not there stops the program (or the compiler).
  [[nodiscard]] constexpr const T& value() const& noexcept {
    if (!ok()) __builtin_trap();
    return value_;
  }
  [[nodiscard]] constexpr T& value() & noexcept {
    if (!ok()) __builtin_trap();
    return value_;
  }
  [[nodiscard]] constexpr T&& value() && noexcept {
    if (!ok()) __builtin_trap();
    return std::move(value_);
  }

  [[nodiscard]] constexpr const T& operator*() const& noexcept { return value(); }
  [[nodiscard]] constexpr T& operator*() & noexcept { return value(); }
  [[nodiscard]] constexpr const T* operator->() const noexcept { return &value(); }
  [[nodiscard]] constexpr T* operator->() noexcept { return &value(); }

  [[nodiscard]] constexpr T value_or(T other) const { return ok() ? value_ : other; }

  /// True when there is a value and it equals `wanted`.
  [[nodiscard]] friend constexpr bool operator==(const result& r, const T& wanted) noexcept
    requires std::equality_comparable<T>
  {
    return r.ok() && r.value_ == wanted;
  }

 private:
  T value_{};
  failure failure_{};
};

}  // namespace vmdk
