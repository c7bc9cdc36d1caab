// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "vmdk/core/failure.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/io/concepts.hpp"

namespace vmdk {

/// Finds the first range at or after an offset that may hold something else than zeros, in any
/// Source: one that does not know its holes is data to its end. A length of 0, at size(), when only
/// zeros are left. Errors: errc::out_of_range past size(); those of the source's `next_data`.
template <Source S>
[[nodiscard]] constexpr result<range> next_data_of(S& source, std::uint64_t offset) noexcept {
  if constexpr (SparseSource<S>) {
    return source.next_data(offset);
  } else {
    const std::uint64_t size_bytes = source.size();
    if (offset > size_bytes) return source_failure(errc::out_of_range, offset);
    return range{offset, size_bytes - offset};
  }
}

}  // namespace vmdk
