// SPDX-License-Identifier: BSD-2-Clause

#include "tests/verify/repair_testing.hpp"

#include <catch2/catch.hpp>
#include <memory>

namespace verify_testing {

namespace {

/// Calls something that repairs, and collects what it tells.
template <class Repair>
mending collect_mending(std::size_t room_bytes, Repair&& call) {
  auto decoder = std::make_unique<inflate>();
  bytes room(room_bytes);
  mending done;
  const auto summary = call(repair_spans<inflate>{*decoder, room},
                            [&done](const repair_step& s) { done.steps.push_back(s); });
  done.summary = summary.value_or({});
  done.why = summary.error();
  return done;
}

}  // namespace

mending mend(mended_file& file, std::size_t room_bytes) {
  return collect_mending(room_bytes,
                         [&file](auto spans, auto&& tell) { return repair(file, spans, tell); });
}

mending plan_mending(mended_file& file, std::size_t room_bytes) {
  return collect_mending(
      room_bytes, [&file](auto spans, auto&& tell) { return plan_repair(file, spans, tell); });
}

mending mend_well(bytes& file) {
  mended_file trial(file);
  const mending planned = plan_mending(trial);
  mended_file mended(file);
  mending done = mend(mended);
  INFO(done.text());
  CHECK(planned.steps == done.steps);
  CHECK(planned.why == done.why);
  CHECK(trial.writes == 0);
  mended_file again(mended.content);
  CHECK(mend(again).summary.changes == 0);
  CHECK(again.writes == 0);
  file = mended.content;
  return done;
}

mending expect_original(bytes damaged, const bytes& whole) {
  mending done = mend_well(damaged);
  INFO(done.text());
  CHECK(!done.why);
  CHECK(done.summary.left == 0);
  CHECK((damaged == whole));
  return done;
}

}  // namespace verify_testing
