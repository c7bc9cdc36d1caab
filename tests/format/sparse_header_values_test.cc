// SPDX-License-Identifier: BSD-2-Clause
// Headers with any values are judged as the wide arithmetic of an oracle judges them.
#include <catch2/catch.hpp>
#include <cstdint>
#include <random>

#include "tests/format/sparse_header_testing.hpp"
#include "tests/support/sparse_oracle.hpp"

namespace sparse_header_values_test {
namespace {

using namespace sparse_header_testing;

/// Checks that a header is judged alike on every way, and never accepted where the wide arithmetic
/// of the oracle finds it unsafe.
bool is_judged_consistently(const sector_image& bytes, std::uint64_t size) {
  const sparse_extent_header h = decode_sparse_header(bytes);
  findings found;
  const bool usable = check_sparse_header(h, size, found);
  const bool tolerant = !validate(h, size, strictness::tolerant);
  const bool strict = !validate(h, size, strictness::strict);
  if (usable != tolerant || usable == found.has_an_error()) return false;
  if (strict != found.has_notes_alone() || (strict && !tolerant)) return false;
  const bool magic_is_good = testing_support::number_at(bytes.data(), 0, 4) == 0x564D444B;
  const bool safe = magic_is_good && testing_support::sparse_facts_of(bytes.data(), size).all();
  return tolerant == safe;
}

constexpr std::uint64_t nasty_numbers[] = {
    0,          1,          2,          3,          7,          20,         21,
    30,         31,         127,        128,        129,        512,        1387,
    1388,       1389,       1407,       1408,       1409,       2048,       2049,
    4096,       8192,       1ull << 21, 1ull << 22, 1ull << 31, 1ull << 32, 1ull << 41,
    1ull << 42, 1ull << 54, 1ull << 55, 1ull << 61, 1ull << 62, 1ull << 63, most - 1407,
    most - 127, most - 20,  most - 3,   most - 2,   most - 1,   most};

constexpr field wide_fields[] = {capacity,  grain,     descriptor, descriptor_size,
                                 redundant, directory, overhead};

}  // namespace

TEST_CASE("any byte of the header may have any value") {
  const sector_image good = encode(good_header());
  std::size_t wrong = 0;
  for (std::size_t at = 0; at < good.size(); ++at) {
    sector_image bytes = good;
    for (unsigned value = 0; value < 256; ++value) {
      bytes[at] = static_cast<std::byte>(value);
      wrong += is_judged_consistently(bytes, file_bytes) ? 0 : 1;
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("any two fields may have values at the edges, in files of any size") {
  std::size_t wrong = 0;
  for (const std::uint64_t size : {file_bytes, file_bytes + 1, std::uint64_t{512}, most}) {
    for (const field a : wide_fields) {
      for (const std::uint64_t x : nasty_numbers) {
        for (const field b : wide_fields) {
          for (const std::uint64_t y : nasty_numbers) {
            const auto h = with(with(good_header(), a, x), b, y);
            wrong += is_judged_consistently(encode(h), size) ? 0 : 1;
          }
        }
      }
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("all fields may have values at the edges together") {
  std::mt19937_64 random(20);
  const auto pick = [&] { return nasty_numbers[random() % std::size(nasty_numbers)]; };
  std::size_t wrong = 0;
  for (int i = 0; i < 100000; ++i) {
    sparse_extent_header h = good_header();
    for (const field f : wide_fields) {
      if (random() % 2 == 0) h = with(h, f, pick());
    }
    if (random() % 4 == 0) h = with(h, flags, random() % 8 | (random() % 8) << 16);
    if (random() % 4 == 0) h = with(h, algorithm, random() % 2);
    wrong += is_judged_consistently(encode(h), random() % 2 == 0 ? file_bytes : pick()) ? 0 : 1;
  }
  CHECK(wrong == 0);
}

}  // namespace sparse_header_values_test
