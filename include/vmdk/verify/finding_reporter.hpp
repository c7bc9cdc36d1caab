// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "vmdk/core/failure.hpp"
#include "vmdk/verify/finding.hpp"

namespace vmdk {

/// How many findings of one code are told one by one; the others are counted.
inline constexpr std::uint32_t findings_told_per_code = 100;

namespace detail {

/// How many findings of each code there were. Codes beyond the library's own share the last place.
using finding_counts = std::array<std::uint32_t, 1024>;

/// Counts findings, hands them to the caller and keeps their number bounded.
template <class OnFinding>
class finding_reporter {
 public:
  constexpr finding_reporter(finding_counts& counts, OnFinding& on_finding) noexcept
      : counts_(&counts), on_finding_(&on_finding) {
    for (std::uint32_t& count : counts) count = 0;
  }

  /// Which file the findings from now on are about.
  constexpr void set_file(std::uint32_t file) noexcept { file_ = file; }

  /// Takes a finding, whose severity and file are filled in here. Fails with errc::cancelled, of
  /// nobody's origin, once the caller wants no more.
  constexpr failure add(finding found) noexcept {
    found.level = severity_of(found.code);
    found.file = file_;
    count(found.level);
    std::uint32_t& seen = (*counts_)[place_of(found.code)];
    if (seen != 0xFFFFFFFF) ++seen;
    if (seen > findings_told_per_code || tell(found)) return no_failure;
    summary.stopped = true;
    return {.code = errc::cancelled};
  }

  /// Takes a finding that has no figures.
  constexpr failure add(errc code, std::uint64_t offset) noexcept {
    return add(finding{.code = code, .offset = offset});
  }

  /// Counts findings that nobody kept.
  constexpr void add_untold(errc code, std::uint64_t how_many) noexcept {
    std::uint32_t& seen = (*counts_)[place_of(code)];
    if (seen < findings_told_per_code) seen = findings_told_per_code;
    seen = how_many < 0xFFFFFFFF - seen ? seen + static_cast<std::uint32_t>(how_many) : 0xFFFFFFFF;
    summary.errors += how_many;
  }

  /// Tells how many findings were left out, code by code.
  constexpr void close() noexcept {
    for (std::size_t i = 0; i < counts_->size() && !summary.stopped; ++i) {
      const std::uint32_t seen = counts_->data()[i];
      if (seen <= findings_told_per_code) continue;
      const auto code = static_cast<errc>(i);
      const finding rest{
          .code = code, .level = severity_of(code), .more = seen - findings_told_per_code};
      summary.stopped = !tell(rest);
    }
  }

  check_summary summary{};

 private:
  [[nodiscard]] constexpr std::size_t place_of(errc code) const noexcept {
    const auto place = static_cast<std::size_t>(code);
    return place < counts_->size() ? place : counts_->size() - 1;
  }

  constexpr void count(severity level) noexcept {
    switch (level) {
      case severity::note:
        ++summary.notes;
        break;
      case severity::warning:
        ++summary.warnings;
        break;
      case severity::unclean:
        summary.unclean = true;
        break;
      default:
        ++summary.errors;
        break;
    }
  }

  /// False when the caller wants no more; a callback without a result always wants more.
  // NOLINTNEXTLINE(bugprone-exception-escape): a callback that throws ends the program.
  constexpr bool tell(const finding& found) noexcept {
    if constexpr (std::is_void_v<decltype((*on_finding_)(found))>) {
      (*on_finding_)(found);
      return true;
    } else {
      return static_cast<bool>((*on_finding_)(found));
    }
  }

  finding_counts* counts_;
  OnFinding* on_finding_;
  std::uint32_t file_ = 0;
};

}  // namespace detail
}  // namespace vmdk
