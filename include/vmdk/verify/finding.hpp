// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <string_view>

#include "vmdk/core/errc.hpp"
#include "vmdk/format/severity.hpp"

namespace vmdk {

/// In a finding: a figure that it does not have.
inline constexpr std::uint64_t no_figure = 0xFFFFFFFFFFFFFFFF;

/// One broken rule of SPEC 13, where it is broken, and the figures that `describe` puts into its
/// sentence. Tables count from 0 in the order of the directory, entries from 0 in their table.
struct finding {
  errc code = errc::none;
  severity level = severity::error;
  std::uint32_t file = 0;                 ///< Which file of the Files object; 0 for a Source.
  std::uint64_t offset = 0;               ///< Of the field, entry, marker or text, in bytes.
  std::uint64_t table = no_figure;        ///< The table that the rule is about.
  std::uint64_t entry = no_figure;        ///< Its entry; in a descriptor the line, from 1.
  std::uint64_t value = no_figure;        ///< What stands there.
  std::uint64_t other = no_figure;        ///< What should, or what it contradicts.
  std::uint64_t other_table = no_figure;  ///< The other party of an overlap.
  std::uint64_t other_entry = no_figure;  ///< no_figure when that party is the table itself.
  std::uint64_t more = 0;                 ///< Not 0: only says how many of this code were left out.
  std::string_view name{};                ///< A file's name; valid during the call alone.
};

/// What a check looked at and how much it found. Findings that were left out are counted.
struct check_summary {
  std::uint64_t notes = 0;
  std::uint64_t warnings = 0;
  std::uint64_t errors = 0;
  bool unclean = false;  ///< Some file was not closed by its last writer.
  bool stopped = false;  ///< The caller wanted no more findings; the rest was not looked at.
  std::uint32_t files = 0;
  std::uint64_t tables = 0;         ///< Grain tables, not counting their copies.
  std::uint64_t stored_grains = 0;  ///< Table entries that name a grain.
  std::uint64_t zeroed_grains = 0;
  std::uint64_t expanded_grains = 0;  ///< Compressed grains that hold what they should.

  /// True when nothing worse than a warning was found.
  [[nodiscard]] constexpr bool is_sound() const noexcept { return errors == 0 && !unclean; }
};

}  // namespace vmdk
