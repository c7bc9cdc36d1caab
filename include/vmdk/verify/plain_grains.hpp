// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "vmdk/core/result.hpp"
#include "vmdk/verify/table_walk.hpp"

namespace vmdk::detail {

/// The grains of a format that does not compress them: there is nothing to look into.
template <class Format>
struct plain_grains {
  const Format& format;

  /// How many sectors of the file a grain can take at most.
  [[nodiscard]] constexpr std::uint64_t most_sectors() const noexcept {
    return format.grain_sectors(0);
  }
  /// How many a grain takes.
  [[nodiscard]] constexpr result<std::uint64_t> sectors(const table_entry& entry) const noexcept {
    return format.grain_sectors(entry.grain);
  }
  /// The same, having looked into it.
  template <class Log>
  [[nodiscard]] constexpr result<std::uint64_t> check(const table_entry& entry,
                                                      Log&) const noexcept {
    return sectors(entry);
  }
};

}  // namespace vmdk::detail
