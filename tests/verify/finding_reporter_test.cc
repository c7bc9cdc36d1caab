// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/verify/finding_reporter.hpp"

#include <catch2/catch.hpp>
#include <cstdint>

namespace finding_reporter_test {
namespace {

using namespace vmdk;

/// Adds up what it is told.
struct totals {
  std::uint64_t told = 0;
  std::uint64_t more = 0;
  constexpr void operator()(const finding& f) { f.more == 0 ? ++told : more += f.more; }
};

constexpr bool a_count_that_is_full_stays_full() {
  constexpr std::uint64_t most = 0xFFFFFFFF;
  detail::finding_counts counts{};
  totals all;
  detail::finding_reporter log(counts, all);
  log.add_untold(errc::grain_overlap, most);
  bool ok = counts[static_cast<std::size_t>(errc::grain_overlap)] == most;
  log.add_untold(errc::grain_overlap, 5);
  ok = ok && !log.add(errc::grain_overlap, 0);
  ok = ok && counts[static_cast<std::size_t>(errc::grain_overlap)] == most;
  ok = ok && all.told == 0 && log.summary.errors == most + 6;
  log.close();
  return ok && all.more == most - findings_told_per_code;
}
static_assert(a_count_that_is_full_stays_full());

constexpr bool codes_of_a_callers_decoder_share_a_place() {
  detail::finding_counts counts{};
  totals all;
  detail::finding_reporter log(counts, all);
  const auto first = static_cast<std::uint16_t>(errc::caller_first);
  for (std::uint16_t i = 0; i < 3; ++i) {
    if (log.add(static_cast<errc>(first + i), 0)) return false;
  }
  return all.told == 3 && counts.back() == 3 && log.summary.errors == 3;
}
static_assert(codes_of_a_callers_decoder_share_a_place());

constexpr bool an_image_is_sound_without_errors_of_a_closed_file() {
  check_summary summary{.notes = 3, .warnings = 4};
  bool ok = summary.is_sound();
  summary.unclean = true;
  ok = ok && !summary.is_sound();
  summary = {.errors = 1};
  return ok && !summary.is_sound();
}
static_assert(an_image_is_sound_without_errors_of_a_closed_file());

TEST_CASE("findings are counted at run time too") {
  CHECK(a_count_that_is_full_stays_full());
  CHECK(codes_of_a_callers_decoder_share_a_place());
  CHECK(an_image_is_sound_without_errors_of_a_closed_file());
}

}  // namespace

}  // namespace finding_reporter_test
