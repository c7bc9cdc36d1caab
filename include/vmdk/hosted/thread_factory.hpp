// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <thread>
#include <type_traits>
#include <utility>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/result.hpp"

namespace vmdk {

/// As many threads as the machine runs at once.
[[nodiscard]] inline unsigned usual_threads() noexcept {
  return larger_of(std::thread::hardware_concurrency(), 1u);
}

namespace detail {

/// Jobs under way for each thread: one that it does, one that waits for it, one that waits to be
/// taken.
inline constexpr std::size_t jobs_per_thread = 3;

/// What a factory makes: a T, whether it gives a T or a result<T>.
template <class T>
struct made_by {
  using type = T;
};
template <class T>
struct made_by<result<T>> {
  using type = T;
};
template <class F>
using made_by_t = typename made_by<std::invoke_result_t<F&>>::type;

/// Calls a factory. What it throws, the caller of this catches.
template <class F>
[[nodiscard]] result<std::unique_ptr<made_by_t<F>>> make_with(F& factory) {
  using T = made_by_t<F>;
  if constexpr (std::same_as<std::invoke_result_t<F&>, T>) {
    return std::unique_ptr<T>(new T(factory()));
  } else {
    result<T> made = factory();
    if (!made) return made.error();
    return std::make_unique<T>(std::move(*made));
  }
}

}  // namespace detail
}  // namespace vmdk
