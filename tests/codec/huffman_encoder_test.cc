// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/codec/huffman_encoder.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <queue>
#include <vector>

#include "stream_builder.hpp"

namespace huffman_encoder_test {
namespace {

using namespace vmdk::detail;

constexpr bool known_codes() {
  // The example of RFC 1951, section 3.2.2: lengths 3 3 3 3 3 2 4 4.
  constexpr std::uint8_t lengths[] = {3, 3, 3, 3, 3, 2, 4, 4};
  constexpr std::uint32_t expected[] = {0b010, 0b110, 0b001, 0b101, 0b011, 0b00, 0b0111, 0b1111};
  std::uint32_t words[8]{};
  assign_code_words(lengths, 8, words);
  for (unsigned i = 0; i < 8; ++i) {
    if (words[i] != (expected[i] << 4 | lengths[i])) return false;
  }
  return true;
}
static_assert(known_codes());

constexpr bool known_lengths() {
  code_builder_memory memory;
  constexpr std::uint32_t frequencies[] = {5, 0, 9, 12, 13, 16, 45};
  constexpr std::uint8_t expected[] = {4, 0, 4, 3, 3, 3, 1};
  std::uint8_t lengths[7]{};
  build_code_lengths(frequencies, 7, 15, lengths, memory);
  for (unsigned i = 0; i < 7; ++i) {
    if (lengths[i] != expected[i]) return false;
  }
  // Fewer than two symbols: a complete code all the same.
  constexpr std::uint32_t none[4]{}, last[] = {0, 0, 0, 7}, first[] = {7, 0, 0, 0};
  std::uint8_t few[4]{};
  build_code_lengths(none, 4, 15, few, memory);
  bool ok = few[0] == 1 && few[1] == 1 && few[2] == 0 && few[3] == 0;
  build_code_lengths(last, 4, 15, few, memory);
  ok = ok && few[0] == 1 && few[1] == 0 && few[2] == 0 && few[3] == 1;
  build_code_lengths(first, 4, 15, few, memory);
  return ok && few[0] == 1 && few[1] == 1 && few[2] == 0 && few[3] == 0;
}
static_assert(known_lengths());

/// The least possible number of bits, without a limit to the lengths.
std::uint64_t huffman_cost(const std::vector<std::uint32_t>& frequencies) {
  std::priority_queue<std::uint64_t, std::vector<std::uint64_t>, std::greater<>> heap;
  for (const std::uint32_t f : frequencies) {
    if (f != 0) heap.push(f);
  }
  std::uint64_t cost = 0;
  while (heap.size() > 1) {
    const std::uint64_t a = heap.top();
    heap.pop();
    const std::uint64_t b = heap.top();
    heap.pop();
    heap.push(a + b);
    cost += a + b;
  }
  return cost;
}

TEST_CASE("huffman_encoder: known answers") {
  CHECK(known_codes());
  CHECK(known_lengths());
}

TEST_CASE("huffman_encoder: codes are complete, within the limit, and the best without it") {
  codec_test::generator random(8);
  code_builder_memory memory;
  for (int round = 0; round < 4000; ++round) {
    const unsigned n = 2 + random.below(287), most_bits = n <= 19 ? 7 : 14;
    std::vector<std::uint32_t> frequencies(n);
    for (std::uint32_t& f : frequencies) {
      f = random.below(3) == 0 ? 0 : random.next() >> (9 + random.below(22)) & 0x3FFFFF;
    }
    std::vector<std::uint8_t> lengths(n);
    build_code_lengths(frequencies.data(), n, most_bits, lengths.data(), memory);
    std::uint32_t kraft = 0, longest = 0;
    std::uint64_t cost = 0;
    bool ok = true;
    for (unsigned i = 0; i < n; ++i) {
      ok = ok && lengths[i] <= most_bits && (frequencies[i] == 0 || lengths[i] != 0);
      if (lengths[i] != 0) kraft += 1U << (15 - lengths[i]);
      cost += std::uint64_t{frequencies[i]} * lengths[i];
      longest = (std::max)(longest, std::uint32_t{lengths[i]});
    }
    REQUIRE(ok);
    REQUIRE(kraft == 1U << 15);
    const std::uint64_t best = huffman_cost(frequencies);
    if (best == 0) continue;  // One symbol: it takes one bit, for no information.
    if (longest < most_bits) REQUIRE(cost == best);
    REQUIRE(cost <= best + best / 4 + 300);
  }
}

}  // namespace

}  // namespace huffman_encoder_test
