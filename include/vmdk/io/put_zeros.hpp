// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/io/concepts.hpp"

namespace vmdk {

/// Makes the next n bytes of a sink zeros: left out where the sink can do that.
/// Errors: those of the sink.
template <Sink K>
[[nodiscard]] constexpr failure put_zeros(K& sink, std::uint64_t n) noexcept {
  if constexpr (HoleSink<K>) {
    return sink.skip(n);
  } else {
    constexpr std::size_t piece = 64;
    const std::byte zeros[piece]{};
    while (n != 0) {
      const auto now = static_cast<std::size_t>(smaller_of<std::uint64_t>(n, piece));
      if (failure f = sink.write(byte_view(zeros, now))) return f;
      n -= now;
    }
    return no_failure;
  }
}

}  // namespace vmdk
