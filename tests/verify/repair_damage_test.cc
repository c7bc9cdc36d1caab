// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

#include "tests/verify/damage.hpp"
#include "tests/verify/repair_testing.hpp"

namespace repair_damage_test {
namespace {

using namespace verify_testing;

struct tally {
  unsigned damages = 0;
  unsigned harmful = 0;
  unsigned mended = 0;
  unsigned refused = 0;
  unsigned left = 0;
};

/// More rounds by hand: VMDK_REPAIR_ROUNDS=10000.
unsigned rounds() {
  const char* const wanted = std::getenv("VMDK_REPAIR_ROUNDS");
  return wanted == nullptr ? 200 : static_cast<unsigned>(std::atoi(wanted));
}

tally repair_all(specimen& s, unsigned rounds, std::uint64_t seed) {
  tally t;
  std::mt19937_64 random(seed);
  const auto good = read_disk(s.files, *s.files.open(s.name));
  REQUIRE(good);
  for (unsigned round = 0; round < rounds; ++round) {
    const damage d = random_damage(s, random);
    if (d.value == d.old_value) continue;
    ++t.damages;
    bytes& file = s.files.bytes(d.where.file);
    const bytes whole = file;
    put(file, d.where.at, d.value, d.where.bytes);
    const bytes damaged = file;
    const std::uint64_t before = right_grains(s.files, s.name, *good);
    const bool harmful = read_disk(s.files, *s.files.open(s.name)) != good ||
                         check_files(s.files, s.name).has_error();
    mended_file trial(damaged);
    const mending planned = plan_mending(trial);
    mended_file mended(damaged);
    const mending done = mend(mended);
    INFO(s.what << ", round " << round << ": " << d.where.file << " at " << d.where.at << ", "
                << d.where.bytes << " bytes: " << d.old_value << " became " << d.value << "\n"
                << done.text());
    CHECK(planned.steps == done.steps);
    CHECK(planned.why == done.why);
    CHECK(trial.writes == 0);
    if (done.why) CHECK(mended.writes == 0);
    mended_file again(mended.content);
    const mending second = mend(again);
    INFO("again: " << second.text());
    CHECK((again.content == mended.content));
    CHECK(second.summary.changes == 0);
    file = mended.content;
    CHECK(right_grains(s.files, s.name, *good) >= before);
    if (harmful) {
      ++t.harmful;
      t.refused += !!done.why;
      t.left += done.summary.left != 0;
      const bool is_good = read_disk(s.files, *s.files.open(s.name)) == good;
      const outcome said = check_files(s.files, s.name);
      if (is_good && !said.has_error()) ++t.mended;
    }
    file = whole;
  }
  return t;
}

TEST_CASE("no repair of a random damage leaves fewer readable grains") {
  std::uint64_t seed = 1;
  for (specimen& s : all_specimens()) {
    const tally t = repair_all(s, rounds(), seed++);
    INFO(s.what << ": " << t.damages << " damages, " << t.harmful << " harmful, " << t.mended
                << " mended, " << t.refused << " refused, " << t.left << " left");
    CHECK(t.damages > rounds() / 2);
    // What is not mended is a descriptor's text, the size of a grain, or a header without a copy.
    // A few damages say little of the share.
    if (rounds() >= 200) CHECK(t.mended * 3 > t.harmful * 2);
    if (rounds() > 200) {
      WARN(s.what << ": " << t.damages << " damages, " << t.harmful << " harmful, " << t.mended
                  << " mended, " << t.refused << " refused, " << t.left << " left");
    }
  }
}

}  // namespace

}  // namespace repair_damage_test
