// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "vmdk/core/failure.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/verify/entry_pair.hpp"
#include "vmdk/verify/repair_step.hpp"
#include "vmdk/verify/table_formats.hpp"

namespace vmdk::detail {

/// Gives all copies of a table entry one value, or leaves them, and tells which.
template <class Target>
class entry_writer {
 public:
  constexpr explicit entry_writer(Target& target) noexcept : target_(&target) {}

  /// Writes a value into each copy that has another one. Errors: the file's.
  constexpr failure put(const entry_pair& pair, std::uint32_t value, repair_kind kind) noexcept {
    for (unsigned copy = 0; copy < 2; ++copy) {
      if (!pair.has(copy) || pair.value[copy] == value) continue;
      repair_step step = step_of(pair, kind);
      step.offset = pair.at[copy];
      step.before = pair.value[copy];
      step.after = value;
      if (failure f = target_->change_value(step, value)) return f;
    }
    return no_failure;
  }

  /// Writes what one copy has into the other one. Errors: the file's.
  constexpr failure take(const entry_pair& pair, unsigned copy) noexcept {
    return put(pair, pair.value[copy], repair_kind::entry_restored);
  }

  /// Gives a grain up: it reads as absent. Errors: the file's.
  constexpr failure drop(const entry_pair& pair) noexcept {
    return put(pair, 0, repair_kind::entry_dropped);
  }

  /// Tells that an entry is left as it is.
  constexpr failure leave(const entry_pair& pair) noexcept {
    target_->tell(step_of(pair, repair_kind::entry_left));
    return no_failure;
  }

 private:
  [[nodiscard]] static constexpr repair_step step_of(const entry_pair& pair,
                                                     repair_kind kind) noexcept {
    return {.kind = kind,
            .offset = pair.at[pair.one_copy()],
            .table = pair.grain >> sparse_format::table_shift,
            .entry = pair.grain & (entries_per_table - 1)};
  }

  Target* target_;
};

}  // namespace vmdk::detail
