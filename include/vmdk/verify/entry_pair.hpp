// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

namespace vmdk::detail {

/// A table entry in the copies that there are.
struct entry_pair {
  std::uint64_t grain = 0;
  std::uint64_t at[2]{};  ///< The byte offset of each copy's entry; 0 where there is no such copy.
  std::uint32_t value[2]{};

  [[nodiscard]] constexpr bool has(unsigned copy) const noexcept { return at[copy] != 0; }
  [[nodiscard]] constexpr bool is_pair() const noexcept { return has(0) && has(1); }
  /// A copy that there is.
  [[nodiscard]] constexpr unsigned one_copy() const noexcept { return has(0) ? 0 : 1; }
  /// No copy says anything else.
  [[nodiscard]] constexpr bool agrees() const noexcept {
    return !is_pair() || value[0] == value[1];
  }
  /// Both copies say the same.
  [[nodiscard]] constexpr bool is_sure() const noexcept { return is_pair() && agrees(); }
};

}  // namespace vmdk::detail
