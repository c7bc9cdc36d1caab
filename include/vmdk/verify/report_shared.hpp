// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/failure.hpp"
#include "vmdk/verify/finding.hpp"
#include "vmdk/verify/sector_use.hpp"

namespace vmdk::detail {

/// The finding that a run of sectors with several users is: it stands where the second one is
/// named.
[[nodiscard]] constexpr finding finding_of(const shared_run& run) noexcept {
  using kind = sector_use_kind;
  const sector_use& first = run.user;
  const sector_use& second = run.second_user;
  const bool same_place = first.first_sector == second.first_sector;
  finding found;
  found.offset = second.named_at;
  found.value = run.first_sector;
  found.other = run.users;
  found.table = second.table;
  if (second.kind == kind::grain) found.entry = second.entry;
  if (first.kind == kind::grain || first.kind == kind::table) found.other_table = first.table;
  if (first.kind == kind::grain) found.other_entry = first.entry;

  if (second.kind == kind::table) {
    const bool twice = first.kind == kind::table && same_place;
    found.code = twice ? errc::directory_entry_duplicate : errc::table_overlap;
  } else if (first.kind == kind::grain) {
    found.code = same_place ? errc::grain_duplicate : errc::grain_overlap;
  } else {
    found.code = first.kind == kind::table ? errc::table_overlap : errc::grain_metadata_overlap;
  }
  return found;
}

/// Tells the runs that were kept, and counts the others as findings of one code. Errors: the log's.
template <class Log>
constexpr failure report_shared(const shared_runs& shared, errc code_of_rest, Log& log) noexcept {
  for (std::size_t i = 0; i < shared.kept_count; ++i) {
    if (failure f = log.add(finding_of(shared.kept.data()[i]))) return f;
  }
  const std::uint64_t rest = shared.count - shared.kept_count;
  if (rest != 0) log.add_untold(code_of_rest, rest);
  return no_failure;
}

}  // namespace vmdk::detail
