// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace vmdk::detail {

/// Tables whose places the stream itself tells.
struct table_hints {
  struct hint {
    std::uint64_t table = 0;
    std::uint64_t sector = 0;
  };
  std::array<hint, 64> kept{};
  std::size_t count = 0;
  bool is_full = false;

  constexpr void add(std::uint64_t table, std::uint64_t sector) noexcept {
    is_full = is_full || count == kept.size();
    if (!is_full) kept.data()[count++] = {table, sector};
  }
  [[nodiscard]] constexpr std::uint64_t find(std::uint64_t table) const noexcept {
    for (std::size_t i = 0; i < count; ++i) {
      if (kept.data()[i].table == table) return kept.data()[i].sector;
    }
    return 0;
  }
};

}  // namespace vmdk::detail
