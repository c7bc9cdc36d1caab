// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/verify/entry_judge.hpp"
#include "vmdk/verify/entry_pair.hpp"
#include "vmdk/verify/pair_walk.hpp"

namespace vmdk::detail {

/// What the entries say on which all copies agree: how far the metadata reaches and where grains
/// are, whatever the header says of it.
struct table_survey {
  std::uint64_t metadata_end_sector = 0;
  std::uint64_t lowest_grain_sector = 0xFFFFFFFFFFFFFFFF;  ///< Behind the metadata.
  std::uint64_t grains = 0;          ///< Entries that name a place in the file.
  std::uint64_t below_overhead = 0;  ///< Those that the overhead says cannot be; no copy is lost.
  std::uint64_t ones = 0;            ///< Entries of 1.
  bool do_overlap = false;           ///< Two that follow each other in a table share sectors.
};

/// Finds the end of the directories, the descriptor and the tables. Errors: the file's.
template <class File>
[[nodiscard]] constexpr result<std::uint64_t> metadata_end_sector(pair_walk<File>& pairs) noexcept {
  std::uint64_t end = 0;
  const auto reaches = [&](std::uint64_t sector) { end = larger_of(end, sector); };
  const sparse_format& format = pairs.format();
  for (unsigned copy = 0; copy < format.copies(); ++copy) {
    reaches((format.directory_at(copy) + format.directory_bytes()) >> sector_shift);
  }
  const auto& extent = format.extent();
  reaches((extent.descriptor_offset_bytes() + extent.descriptor_bytes()) >> sector_shift);
  const failure f = pairs.each_table([&](std::uint64_t, const table_places& places) {
    for (const std::uint64_t sector : places.sector) {
      if (sector != 0) reaches(sector + table_sectors);
    }
    return no_failure;
  });
  if (f) return f;
  return end;
}

/// Looks at all entries, of grains that are not compressed, on which the copies agree. Errors: the
/// file's.
template <class File>
[[nodiscard]] constexpr result<table_survey> survey_tables(
    pair_walk<File>& pairs, const entry_judge<File>& judge,
    std::uint64_t overhead_sectors) noexcept {
  const auto end = metadata_end_sector(pairs);
  if (!end) return end.error();
  table_survey found;
  found.metadata_end_sector = *end;
  const sparse_format& format = pairs.format();
  const std::uint64_t each = judge.geometry().grain_sectors();
  std::uint64_t last = 0;
  const failure f = pairs.each_pair([&](const entry_pair& pair) -> failure {
    if (!pair.agrees() || pair.grain >= format.grain_count()) return no_failure;
    const std::uint64_t value = pair.value[pair.one_copy()];
    if (value == 1) ++found.ones;
    if (value <= 1 || value >= format.file_bytes() >> sector_shift) return no_failure;
    if (value < found.metadata_end_sector && value < overhead_sectors) return no_failure;
    ++found.grains;
    // Where a copy of the table is lost, nothing speaks for an entry against the overhead.
    const bool is_sure = format.copies() == 1 || pair.is_sure();
    if (is_sure && value < overhead_sectors) ++found.below_overhead;
    if (last != 0 && value < last + each && last < value + each) found.do_overlap = true;
    last = value;
    found.lowest_grain_sector = smaller_of(found.lowest_grain_sector, value);
    return no_failure;
  });
  if (f) return f;
  return found;
}

}  // namespace vmdk::detail
