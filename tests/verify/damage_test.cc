// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

#include "tests/verify/damage.hpp"

namespace damage_test {
namespace {

using namespace verify_testing;

/// Damages that no checker can see, and why; asked where the content differs and no error was
/// found.
const char* excuse(const specimen& s, const field& f) {
  auto files = s.files;
  const bytes& file = files.bytes(f.file);
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  const std::string_view heading = "# Extent description";
  const std::size_t heading_end = text.find(heading);
  if (f.file == "a.vmdk" && heading_end != std::string_view::npos &&
      f.at == heading_end + heading.size()) {
    return "the first extent line becomes part of the comment before it, and nothing else says how "
           "many extents there are";
  }
  return nullptr;
}

struct tally {
  unsigned damages = 0;
  unsigned harmful = 0;
  unsigned reported = 0;
  unsigned excused = 0;
  unsigned harmless_errors = 0;
};

tally damage_all(specimen& s, unsigned rounds, std::uint64_t seed) {
  tally t;
  std::mt19937_64 random(seed);
  const auto file_of = [&s] { return *s.files.open(s.name); };
  const auto good = read_disk(s.files, file_of());
  REQUIRE(good);
  REQUIRE(!check_files(s.files, s.name).has_error());
  for (unsigned round = 0; round < rounds; ++round) {
    const damage d = random_damage(s, random);
    const field& f = d.where;
    const std::uint64_t old = d.old_value;
    const std::uint64_t value = d.value;
    if (value == old) continue;
    bytes& file = s.files.bytes(f.file);
    put(file, f.at, value, f.bytes);
    ++t.damages;
    const auto now = read_disk(s.files, file_of());
    const outcome said = check_files(s.files, s.name);
    const bool harmful = now != good;
    if (harmful) ++t.harmful;
    if (said.has_error() && !harmful) ++t.harmless_errors;
    if (harmful && said.has_error()) ++t.reported;
    if (harmful && !said.has_error()) {
      const char* const why = excuse(s, f);
      INFO(s.what << ", round " << round << ": " << f.file << " at " << f.at << ", " << f.bytes
                  << " bytes: " << old << " became " << value
                  << (now ? "; other content" : "; not readable") << "\n"
                  << said.text());
      CHECK(why != nullptr);
      ++t.excused;
    }
    put(file, f.at, old, f.bytes);
  }
  return t;
}

/// More rounds by hand: VMDK_DAMAGE_ROUNDS=10000.
unsigned rounds() {
  const char* const wanted = std::getenv("VMDK_DAMAGE_ROUNDS");
  return wanted == nullptr ? 300 : static_cast<unsigned>(std::atoi(wanted));
}

TEST_CASE("whenever a damage changes what is read, check reports an error") {
  std::uint64_t seed = 1;
  for (specimen& s : all_specimens()) {
    const tally t = damage_all(s, rounds(), seed++);
    INFO(s.what << ": " << t.damages << " damages, " << t.harmful << " harmful, " << t.reported
                << " reported, " << t.excused << " excused");
    CHECK(t.damages > rounds() / 2);
    CHECK(t.reported + t.excused == t.harmful);
    if (rounds() > 300) {
      WARN(s.what << ": " << t.damages << " damages, " << t.harmful << " harmful, " << t.reported
                  << " reported, " << t.excused << " excused, " << t.harmless_errors
                  << " harmless errors");
    }
  }
}

}  // namespace

}  // namespace damage_test
