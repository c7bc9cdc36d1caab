// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "vmdk/core/bytes.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/verify/marker_walk.hpp"
#include "vmdk/verify/pair_walk.hpp"
#include "vmdk/verify/repair_step.hpp"

namespace vmdk::detail {

/// Lets the directories name the places where the finder found their tables. It is planned before
/// any table changes, and done once all have: where a table is must not follow from what was just
/// written.
template <class Target>
class directory_mender {
 public:
  constexpr directory_mender(Target& target, pair_walk<Target>& pairs) noexcept
      : target_(&target), pairs_(&pairs) {}

  /// Finds out which directory entries are to change. What there is no room for is changed at once.
  /// Errors: the file's.
  constexpr failure plan() noexcept {
    return pairs_->each_table([&](std::uint64_t table, const table_places& places) -> failure {
      const sparse_format& format = pairs_->format();
      bool is_lost = false;
      for (unsigned copy = 0; copy < format.copies(); ++copy) {
        const auto entry = walk().directory_entry(copy, table);
        if (!entry) return entry.error();
        const std::uint64_t wanted = places.sector[copy];
        is_lost = is_lost || (wanted == 0 && (*entry != 0 || !format.may_lack_tables()));
        if (wanted == 0 || wanted == *entry) continue;
        entry_change& change = changes_.data()[change_count_++];
        change = {.table = table,
                  .before = static_cast<std::uint32_t>(*entry),
                  .after = static_cast<std::uint32_t>(wanted),
                  .copied_from = 0,
                  .copy = copy};
        if (places.is_unwritten[copy]) {
          change.copied_from = static_cast<std::uint32_t>(places.sector[1 - copy]);
        }
        if (change_count_ != changes_.size()) continue;
        if (failure f = mend()) return f;
      }
      if (is_lost) {
        target_->tell({.kind = repair_kind::table_left,
                       .offset = walk().directory_entry_at(0, table),
                       .table = table});
      }
      return no_failure;
    });
  }

  /// Writes the directory entries that plan found, behind a barrier, and tables whose place had
  /// other content: as they are in the other copy by now. Errors: the file's.
  constexpr failure mend() noexcept {
    walk().forget();
    if (change_count_ == 0) return no_failure;
    if (failure f = target_->barrier()) return f;
    for (std::size_t i = 0; i < change_count_; ++i) {
      if (failure f = make(changes_.data()[i])) return f;
    }
    change_count_ = 0;
    return no_failure;
  }

  /// Sets entries of a stream's directory behind the last table to 0 that name none: some writers'
  /// directories go on, with tables of their own. Errors: the file's.
  constexpr failure mend_tail() noexcept {
    const std::uint64_t entries = pairs_->format().directory_bytes() >> sparse_format::entry_shift;
    for (std::uint64_t table = pairs_->format().table_count(); table < entries; ++table) {
      const auto entry = walk().directory_entry(0, table);
      if (!entry) return entry.error();
      if (*entry == 0) continue;
      marker_walk<Target> stream(*target_, pairs_->format().extent().geometry(), *entry - 1);
      const auto item = stream.next();
      if (!item) return item.error();
      if (item->kind == marker_kind::table) continue;
      const repair_step step{.kind = repair_kind::directory_entry_restored,
                             .offset = walk().directory_entry_at(0, table),
                             .table = table,
                             .before = *entry,
                             .after = 0};
      if (failure f = target_->change_value(step, std::uint32_t{0})) return f;
    }
    return no_failure;
  }

 private:
  /// A directory entry that is to name the place of a table.
  struct entry_change {
    std::uint64_t table = 0;
    std::uint32_t before = 0;
    std::uint32_t after = 0;
    std::uint32_t copied_from = 0;  ///< The sector of its other copy, where it is to be copied.
    unsigned copy = 0;
  };

  [[nodiscard]] constexpr auto& walk() const noexcept { return pairs_->tables(); }

  constexpr failure make(const entry_change& change) noexcept {
    if (change.copied_from != 0) {
      if (failure f = copy_table(change)) return f;
    }
    const repair_step step{.kind = repair_kind::directory_entry_restored,
                           .offset = walk().directory_entry_at(change.copy, change.table),
                           .table = change.table,
                           .before = change.before,
                           .after = change.after};
    return target_->change_value(step, change.after);
  }

  constexpr failure copy_table(const entry_change& change) noexcept {
    const std::uint64_t to = std::uint64_t{change.after} << sector_shift;
    target_->tell({.kind = repair_kind::table_copied, .offset = to, .table = change.table});
    for (std::uint64_t n = 0; n < table_sectors; ++n) {
      const auto bytes = walk().sector_of_table(1 - change.copy, change.copied_from, n);
      if (!bytes) return bytes.error();
      if (failure f = target_->write(to + (n << sector_shift), byte_view(*bytes, sector_bytes))) {
        return f;
      }
    }
    return target_->barrier();
  }

  Target* target_;
  pair_walk<Target>* pairs_;
  std::array<entry_change, 256> changes_{};
  std::size_t change_count_ = 0;
};

}  // namespace vmdk::detail
