// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/verify/check_memory.hpp"
#include "vmdk/verify/report_shared.hpp"
#include "vmdk/verify/shared_sectors.hpp"
#include "vmdk/verify/table_walk.hpp"

namespace vmdk::detail {

/// Checks the directory of one extent in all its copies, and that metadata lies apart (SPEC 13.2,
/// 13.5). `Fixed` gives the metadata whose places the header states: `fixed(visit(sector_use))`.
template <class Format, class File, class Log, class Fixed>
class directory_checker {
 public:
  constexpr directory_checker(table_walk<Format, File>& walk, check_state& state, byte_span bits,
                              Log& log, Fixed& fixed) noexcept
      : walk_(&walk),
        format_(walk.format()),
        state_(&state),
        bits_(bits),
        log_(&log),
        fixed_(&fixed) {}

  /// Fills in which tables are repeated. Errors: those of the file and of the log.
  constexpr failure check() noexcept {
    state_->repeated.count = 0;
    if (failure f = check_entries()) return f;
    return find_shared_metadata();
  }

  /// The first sector behind all metadata.
  [[nodiscard]] constexpr std::uint64_t metadata_end_sector() const noexcept {
    return metadata_end_sector_;
  }

  /// Gives all metadata: what the header places, then the tables of each copy.
  template <class Visit>
  constexpr failure each_metadata(Visit&& visit) noexcept {
    (*fixed_)(visit);
    for (unsigned copy = 0; copy < format_.copies(); ++copy) {
      for (std::uint64_t table = 0; table < format_.table_count(); ++table) {
        const auto entry = walk_->directory_entry(copy, table);
        if (!entry) return entry.error();
        if (*entry == 0 || !format_.names_table(*entry)) continue;
        visit(sector_use{.kind = sector_use_kind::table,
                         .first_sector = format_.table_sector(*entry),
                         .sectors = sectors_of_table<Format>,
                         .named_at = walk_->directory_entry_at(copy, table),
                         .table = table});
      }
    }
    return no_failure;
  }

 private:
  constexpr failure check_entries() noexcept {
    const std::uint64_t tables = format_.table_count();
    const std::uint64_t entries = format_.directory_bytes() >> Format::entry_shift;
    for (std::uint64_t table = 0; table < entries; ++table) {
      std::uint64_t entry[2]{};
      for (unsigned copy = 0; copy < format_.copies(); ++copy) {
        const auto found = walk_->directory_entry(copy, table);
        if (!found) return found.error();
        entry[copy] = *found;
      }
      const bool is_tail = table >= tables;
      for (unsigned copy = 0; copy < format_.copies(); ++copy) {
        if (entry[copy] == 0 || (!is_tail && format_.names_table(entry[copy]))) continue;
        const errc code = is_tail ? errc::directory_tail_not_zero : errc::directory_entry_invalid;
        if (failure f = add_finding(code, copy, table, entry[copy])) return f;
      }
      if (is_tail) continue;
      if (format_.copies() == 2 && (entry[0] == 0) != (entry[1] == 0)) {
        finding differ = entry_finding(errc::directories_differ, 0, table, entry[0]);
        differ.other = entry[1];
        if (failure f = log_->add(differ)) return f;
      } else if (entry[0] == 0) {
        if (format_.may_lack_tables()) continue;
        if (failure f = add_finding(errc::directory_entry_zero, 0, table, 0)) return f;
      }
    }
    return no_failure;
  }

  [[nodiscard]] constexpr finding entry_finding(errc code, unsigned copy, std::uint64_t table,
                                                std::uint64_t value) const noexcept {
    finding found;
    found.code = code;
    found.offset = walk_->directory_entry_at(copy, table);
    found.table = table;
    found.value = value;
    return found;
  }
  constexpr failure add_finding(errc code, unsigned copy, std::uint64_t table,
                                std::uint64_t value) noexcept {
    return log_->add(entry_finding(code, copy, table, value));
  }

  constexpr failure find_shared_metadata() noexcept {
    sector_window window{ceil_shift(format_.file_bytes(), sector_shift), 0};
    const auto stretch = [&](const sector_use& use) {
      window.first = smaller_of(window.first, use.first_sector);
      window.end = larger_of(window.end, use.first_sector + use.sectors);
    };
    if (failure f = each_metadata(stretch)) return f;
    metadata_end_sector_ = window.end;
    const auto walk = [&](const sector_window&, auto&& visit) {
      return each_metadata([&](const sector_use& use) { visit(use, false); });
    };
    shared_runs& shared = state_->shared;
    if (failure f = find_shared_sectors(window, 0, bits_, walk, shared)) return f;
    if (failure f = find_users(shared, 0, walk)) return f;
    for (std::size_t i = 0; i < shared.kept_count; ++i) {
      const shared_run& run = shared.kept.data()[i];
      const finding found = finding_of(run);
      if (found.code == errc::directory_entry_duplicate &&
          run.first_sector == run.user.first_sector) {
        state_->repeated.add(run.first_sector, found.other_table);
      }
    }
    return report_shared(shared, errc::table_overlap, *log_);
  }

  table_walk<Format, File>* walk_;
  Format format_;
  check_state* state_;
  byte_span bits_;
  Log* log_;
  Fixed* fixed_;
  std::uint64_t metadata_end_sector_ = 0;
};

}  // namespace vmdk::detail
