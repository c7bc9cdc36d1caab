// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/format/content_id.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <catch2/catch.hpp>
#include <random>
#include <vector>

namespace content_id_test {
namespace {

using namespace vmdk;

using block = std::array<std::byte, content_hasher::block_bytes>;

constexpr block filled(unsigned value) {
  block b{};
  for (std::byte& byte : b) byte = static_cast<std::byte>(value);
  return b;
}

/// A block that holds one byte at one place.
constexpr block single(std::size_t at, unsigned value) {
  block b{};
  b[at] = static_cast<std::byte>(value);
  return b;
}

constexpr block pattern() {
  block b{};
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = static_cast<std::byte>(7 * i + i / 256);
  return b;
}

constexpr content_id id_of(const block& b, std::uint64_t number) {
  content_hasher hasher;
  hasher.add_block(b.data(), number);
  return hasher.finish();
}

/// Ids go into files that stay: the numbers were worked out by another program from SPEC 14.
constexpr bool ids_are_what_they_always_were() {
  constexpr std::uint64_t far = std::uint64_t{1} << 40;
  bool ok =
      content_hasher{}.finish() == content_id{0xb4bfbf3d, 0x02fe51aa00a0634a, 0xf7466707b4bfbf3d};
  ok = ok &&
       id_of(filled(0xFF), 0) == content_id{0xecac8355, 0x806efabd2334cd49, 0xaf8df8c0ecac8355};
  ok = ok && id_of(pattern(), 1) == content_id{0x79783bb0, 0x7d1420b68a11e2d3, 0xea5b78e979783bb0};
  ok =
      ok && id_of(pattern(), far) == content_id{0x12a258f4, 0x579e89f74fd8c537, 0xb3a7feb912a258f4};
  ok = ok &&
       id_of(single(0, 1), 0) == content_id{0xf55087a5, 0xdf96c7cc038c8367, 0xf78d099ef55087a5};
  ok = ok && id_of(single(4095, 0x80), 1) ==
                 content_id{0x40cbc1c6, 0xed518c998f2ab0fe, 0x660e842540cbc1c6};
  return ok;
}
static_assert(ids_are_what_they_always_were());

constexpr bool a_disk_is_the_sum_of_its_blocks() {
  const block a = pattern();
  const block b = filled(0xFF);
  const block c = single(0, 1);
  content_hasher up;
  up.add_block(a.data(), 0);
  up.add_block(b.data(), 1);
  up.add_block(c.data(), 5);
  content_hasher one;
  content_hasher other;
  other.add_data_block(c.data(), 5);
  one.add_data_block(b.data(), 1);
  other.add_data_block(a.data(), 0);
  one.merge(other);
  one.merge(content_hasher{});
  return up.finish() == one.finish() && up.finish() != other.finish();
}
static_assert(a_disk_is_the_sum_of_its_blocks());

constexpr bool zeros_do_not_count() {
  const block zeros{};
  content_hasher hasher;
  hasher.add_block(zeros.data(), 0);
  hasher.add_block(zeros.data(), 12345);
  bool ok = hasher.finish() == content_hasher{}.finish();
  hasher.add_block(single(100, 1).data(), 3);
  return ok && hasher.finish() == id_of(single(100, 1), 3);
}
static_assert(zeros_do_not_count());

constexpr bool a_given_cid_replaces_the_end() {
  content_id id{1, 2, 0x1122334455667788};
  id.set_cid(0xAABBCCDD);
  return id == content_id{0xAABBCCDD, 2, 0x11223344AABBCCDD};
}
static_assert(a_given_cid_replaces_the_end());

block random_block(std::mt19937_64& random) {
  block b;
  for (std::byte& byte : b) byte = static_cast<std::byte>(random());
  return b;
}

/// The functions of SPEC 14, and the way back through them: every step is a bijection.
constexpr std::uint64_t factor = 0xD6E8FEB86659FD93;
constexpr std::uint64_t step = 0x9E3779B97F4A7C15;
constexpr std::uint64_t low_salt = 0xC949C7DEFEB1CB8D;
constexpr std::array<std::uint64_t, 8> first_keys{
    0xB492B66FBE98F273, 0x1CAD21F72C81017C, 0xDB979083E96DD4DE, 0x1F67B3B7A4A44072,
    0x78E5C0CC4EE679CB, 0x2172FFCC7DD05A82, 0x8E2443F7744608B8, 0x4C263A81E69035E0};

constexpr std::uint64_t inverse_of(std::uint64_t odd) {
  std::uint64_t x = odd;  // Newton: each round doubles the right bits, from three.
  for (int i = 0; i < 5; ++i) x *= 2 - odd * x;
  return x;
}
static_assert(inverse_of(factor) * factor == 1);

constexpr std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ x >> 32) * factor;
  x = (x ^ x >> 32) * factor;
  return x ^ x >> 32;
}

constexpr std::uint64_t unmixed(std::uint64_t x) {
  x = (x ^ x >> 32) * inverse_of(factor);
  x = (x ^ x >> 32) * inverse_of(factor);
  return x ^ x >> 32;
}
static_assert(unmixed(mixed(0x123456789ABCDEF0)) == 0x123456789ABCDEF0);

/// Makes a block that, as block 0 of a disk and the only one, leads to a wanted low half of the id
/// (before the forbidden numbers are avoided).
constexpr block block_that_leads_to(std::uint64_t long_low) {
  constexpr std::size_t words = content_hasher::block_bytes / 8;
  // Words of zeros add the product of the halves of their keys.
  std::array<std::uint64_t, 8> sums{};
  for (std::size_t i = 0; i < words; ++i) {
    const std::uint64_t key = first_keys[i % 8] + i / 8 * step;
    sums[i % 8] += (key & 0xFFFFFFFF) * (key >> 32);
  }
  std::uint64_t hash = mixed(step);
  for (std::size_t i = 0; i < 7; ++i) hash = mixed(hash ^ sums[i]) + step;
  const std::uint64_t wanted_hash = unmixed(long_low) - low_salt;
  const std::uint64_t wanted_sum = unmixed(unmixed(wanted_hash) - step) ^ hash;

  // A word that shares a half with its key adds itself alone. So two words of the last lane, one
  // with the upper half of its key and one with the lower, add whatever is missing.
  const std::uint64_t upper_key = first_keys[7];
  const std::uint64_t lower_key = first_keys[7] + step;
  std::uint64_t missing = wanted_sum - sums[7];
  missing += (upper_key & 0xFFFFFFFF) * (upper_key >> 32);
  missing += (lower_key & 0xFFFFFFFF) * (lower_key >> 32);
  missing -= (upper_key >> 32 << 32) + (lower_key & 0xFFFFFFFF);
  const std::uint64_t upper_word = (upper_key >> 32 << 32) | (missing & 0xFFFFFFFF);
  const std::uint64_t lower_word = (missing >> 32 << 32) | (lower_key & 0xFFFFFFFF);
  block b{};
  for (std::size_t i = 0; i < 8; ++i) {
    b[56 + i] = static_cast<std::byte>(upper_word >> (8 * i));
    b[64 + 56 + i] = static_cast<std::byte>(lower_word >> (8 * i));
  }
  return b;
}

constexpr bool forbidden_cids_are_avoided() {
  const std::uint64_t allowed = 0x1234567800000001;
  bool ok = id_of(block_that_leads_to(allowed), 0).long_low == allowed;
  for (const std::uint64_t forbidden :
       {0x1234567800000000u, 0x12345678FFFFFFFEu, 0x12345678FFFFFFFFu}) {
    const content_id id = id_of(block_that_leads_to(forbidden), 0);
    ok = ok && id.long_low == mixed(forbidden + 1);
    ok = ok && id.cid == static_cast<std::uint32_t>(id.long_low);
    ok = ok && id.cid != 0 && id.cid < 0xFFFFFFFE;
  }
  // The next after all ones is 0, which stays 0 and is forbidden as well.
  ok = ok && id_of(block_that_leads_to(~std::uint64_t{0}), 0).long_low == mixed(1);
  return ok && id_of(block_that_leads_to(0xFFFFFFFD), 0).cid == 0xFFFFFFFD;
}
static_assert(forbidden_cids_are_avoided());

}  // namespace

TEST_CASE("content ids are pinned, sums, and blind to zeros") {
  CHECK(ids_are_what_they_always_were());
  CHECK(a_disk_is_the_sum_of_its_blocks());
  CHECK(zeros_do_not_count());
  CHECK(a_given_cid_replaces_the_end());
}

TEST_CASE("a CID that means something else to readers is never given") {
  CHECK(forbidden_cids_are_avoided());
}

TEST_CASE("blocks, stripes and words cannot change places unseen") {
  std::mt19937_64 random(1);
  const block a = random_block(random);
  const block b = random_block(random);
  const auto pair = [](const block& x, std::uint64_t at_x, const block& y, std::uint64_t at_y) {
    content_hasher hasher;
    hasher.add_block(x.data(), at_x);
    hasher.add_block(y.data(), at_y);
    return hasher.finish();
  };
  CHECK(pair(a, 0, b, 1) == pair(b, 1, a, 0));
  CHECK(pair(a, 0, b, 1) != pair(b, 0, a, 1));
  CHECK(pair(a, 0, b, 1) != pair(a, 0, b, 2));
  CHECK(pair(a, 0, a, 1) != pair(b, 0, b, 1));

  std::vector<std::uint64_t> seen{id_of(a, 0).long_low};
  for (const std::size_t unit : {8u, 64u}) {
    for (std::size_t i = 0; i + unit < a.size(); i += unit) {
      block swapped = a;
      std::swap_ranges(swapped.begin(), swapped.begin() + static_cast<std::ptrdiff_t>(unit),
                       swapped.begin() + static_cast<std::ptrdiff_t>(i + unit));
      if (swapped != a) seen.push_back(id_of(swapped, 0).long_low);
    }
  }
  // The first two words are the only pair that both units count.
  std::sort(seen.begin(), seen.end());
  CHECK(seen.size() == 1 + 511 + 63);
  CHECK(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
}

TEST_CASE("one bit anywhere changes half of the id") {
  std::mt19937_64 random(2);
  for (const block& base : {random_block(random), block{}, filled(0xFF)}) {
    const content_id before = id_of(base, 9);
    std::array<unsigned, 128> flips{};
    std::vector<std::uint64_t> seen{before.long_low};
    unsigned fewest = 128;
    unsigned trials = 0;
    for (std::size_t bit = 0; bit < 8 * base.size(); bit += 13, ++trials) {
      block changed = base;
      changed[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
      const content_id after = id_of(changed, 9);
      const std::uint64_t high = before.long_high ^ after.long_high;
      const std::uint64_t low = before.long_low ^ after.long_low;
      for (unsigned i = 0; i < 64; ++i) {
        flips[i] += static_cast<unsigned>(high >> i & 1);
        flips[64 + i] += static_cast<unsigned>(low >> i & 1);
      }
      fewest = std::min(fewest, static_cast<unsigned>(std::popcount(high) + std::popcount(low)));
      seen.push_back(after.long_low);
    }
    // 2521 trials: five standard deviations are 5 % of them.
    for (const unsigned n : flips) CHECK(std::abs(2.0 * n / trials - 1.0) < 0.1);
    CHECK(fewest > 30);
    std::sort(seen.begin(), seen.end());
    CHECK(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
  }
}

TEST_CASE("one block at many places gives as many ids") {
  std::vector<std::uint32_t> cids;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    cids.push_back(id_of(single(0, 1), i).cid);
    cids.push_back(id_of(single(0, 1), i << 30).cid);
  }
  std::sort(cids.begin(), cids.end());
  cids.erase(std::unique(cids.begin(), cids.end()), cids.end());
  CHECK(cids.size() == 1999);  // Place 0 is there twice.
}

}  // namespace content_id_test
