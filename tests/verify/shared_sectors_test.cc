// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/verify/shared_sectors.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

namespace shared_sectors_test {
namespace {

using namespace vmdk;
using namespace vmdk::detail;

struct user {
  sector_use use;
  bool reserved = false;
};

/// Finds the shared runs of some users with memory of so many bytes.
shared_runs find(const std::vector<user>& users, std::uint64_t end, unsigned shift,
                 std::size_t memory_bytes) {
  std::vector<std::byte> memory(memory_bytes);
  shared_runs found;
  const auto walk = [&users](const sector_window&, auto&& visit) {
    for (const user& u : users) visit(u.use, u.reserved);
    return no_failure;
  };
  REQUIRE(!find_shared_sectors(sector_window{0, end}, shift, memory, walk, found));
  REQUIRE(!find_users(found, shift, walk));
  return found;
}

/// The same by counting each sector's users.
std::vector<std::pair<std::uint64_t, std::uint64_t>> expected_runs(const std::vector<user>& users,
                                                                   std::uint64_t end,
                                                                   unsigned shift) {
  const std::uint64_t cell = std::uint64_t{1} << shift;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> runs;
  bool open = false;
  for (std::uint64_t at = 0; at < end; at += cell) {
    int uses = 0;
    bool reserved = false;
    bool begins = false;
    for (const user& u : users) {
      const std::uint64_t behind = u.use.first_sector + u.use.sectors;
      if (u.use.first_sector >= at + cell || behind <= at) continue;
      if (u.reserved) reserved = true;
      if (!u.reserved) {
        ++uses;
        begins = begins || u.use.first_sector == at;
      }
    }
    const bool shared = uses > 1 || (uses == 1 && reserved);
    if (shared && open && !begins) {
      runs.back().second += cell;
    } else if (shared) {
      runs.emplace_back(at, cell);
    }
    open = shared;
  }
  return runs;
}

TEST_CASE("shared runs are those that counting each sector finds, whatever the memory") {
  std::mt19937 random(7);
  for (int round = 0; round < 400; ++round) {
    const auto shift = static_cast<unsigned>(random() % 3);
    const std::uint64_t end = 64 + random() % 400;
    std::vector<user> users;
    const auto count = static_cast<unsigned>(2 + random() % 20);
    for (unsigned i = 0; i < count; ++i) {
      user u;
      u.reserved = random() % 5 == 0;
      const unsigned unit = u.reserved ? 0 : shift;
      u.use.kind = sector_use_kind::grain;
      u.use.first_sector = (random() % end) >> unit << unit;
      u.use.sectors = (1 + random() % 40) << unit;
      if (u.use.first_sector + u.use.sectors > end) continue;
      u.use.entry = i;
      users.insert(u.reserved ? users.begin() : users.end(), u);
    }
    const auto wanted = expected_runs(users, end, shift);
    for (const std::size_t memory_bytes : {4u, 7u, 12u, 64u, 4096u}) {
      const shared_runs found = find(users, end, shift, memory_bytes);
      REQUIRE(found.count == wanted.size());
      REQUIRE(found.kept_count == wanted.size());
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        const shared_run& run = found.kept[i];
        CHECK(run.first_sector == wanted[i].first);
        CHECK(run.sectors == wanted[i].second);
        // The first two users in the order of the list.
        REQUIRE(run.has_second_user);
        std::vector<user> own;
        for (const user& u : users) {
          const std::uint64_t behind = u.use.first_sector + u.use.sectors;
          const std::uint64_t cell_end = run.first_sector + (std::uint64_t{1} << shift);
          if (u.use.first_sector < cell_end && behind > run.first_sector) own.push_back(u);
        }
        CHECK(run.user.entry == own[0].use.entry);
        std::size_t second = 1;
        while (own[second].reserved) ++second;
        CHECK(run.second_user.entry == own[second].use.entry);
      }
    }
  }
}

TEST_CASE("of very many runs the first hundred are kept, and all are counted") {
  std::vector<user> users;
  for (std::uint64_t i = 0; i < 300; ++i) {
    for (int twice = 0; twice < 2; ++twice) {
      user u;
      u.use.first_sector = (299 - i) * 2;
      u.use.sectors = 1;
      users.push_back(u);
    }
  }
  for (const std::size_t memory_bytes : {4u, 4096u}) {
    const shared_runs found = find(users, 600, 0, memory_bytes);
    CHECK(found.count == 300);
    REQUIRE(found.kept_count == 100);
    CHECK(found.kept[99].first_sector == 198);
    CHECK(found.kept[99].users == 2);
  }
}

TEST_CASE("a failure of the walk comes back") {
  std::vector<std::byte> memory(64);
  shared_runs found;
  const auto walk = [](const sector_window&, auto&&) {
    return source_failure(errc::read_failed, 3);
  };
  CHECK(find_shared_sectors(sector_window{0, 9}, 0, memory, walk, found) ==
        source_failure(errc::read_failed, 3));
  CHECK(!find_shared_sectors(sector_window{9, 9}, 0, memory, walk, found));
}

}  // namespace

}  // namespace shared_sectors_test
