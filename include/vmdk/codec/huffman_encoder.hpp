// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/codec/deflate_alphabet.hpp"

namespace vmdk::detail {

/// Scratch memory of build_code_lengths.
struct code_builder_memory {
  std::uint32_t weights[litlen_symbols]{};
  std::uint32_t sorted[litlen_symbols]{};
};

/// Sorts n keys by their bits from `shift` up, ascending and stable. The result lies in one of the
/// two arrays: a radix sort takes the fewest steps in a constant expression.
[[nodiscard]] constexpr std::uint32_t* sort_keys(std::uint32_t* keys, std::uint32_t* other,
                                                 unsigned n, unsigned shift) noexcept {
  constexpr unsigned digits = 64;
  std::uint32_t all = 0;
  for (unsigned i = 0; i < n; ++i) all |= keys[i];
  for (; shift < 32 && all >> shift != 0; shift += 6) {
    std::uint16_t places[digits + 1]{};
    for (unsigned i = 0; i < n; ++i) ++places[(keys[i] >> shift) % digits + 1];
    for (unsigned i = 1; i < digits; ++i) {
      places[i] = static_cast<std::uint16_t>(places[i] + places[i - 1]);
    }
    for (unsigned i = 0; i < n; ++i) other[places[(keys[i] >> shift) % digits]++] = keys[i];
    std::uint32_t* const sorted = other;
    other = keys;
    keys = sorted;
  }
  return keys;
}

/// Replaces n >= 2 ascending weights by the depths of their leaves in a Huffman tree, in place
/// (Moffat and Katajainen, 1995). The sum of the weights fits 32 bits.
constexpr void weights_to_depths(std::uint32_t* a, unsigned n) noexcept {
  // Left to right: a[next] becomes the weight of an inner node, then the place of its parent.
  unsigned leaf = 0, root = 0;
  const auto lighter = [&](unsigned next) {
    if (leaf >= n || (root < next && a[root] < a[leaf])) {
      const std::uint32_t weight = a[root];
      a[root++] = next;
      return weight;
    }
    return a[leaf++];
  };
  for (unsigned next = 0; next + 1 < n; ++next) {
    const std::uint32_t weight = lighter(next);
    a[next] = weight + lighter(next);
  }
  // Right to left: places of parents become depths of inner nodes,
  a[n - 2] = 0;
  for (unsigned next = n - 2; next-- > 0;) a[next] = a[a[next]] + 1;
  // and the number of inner nodes on each level gives the leaves'.
  unsigned available = 1, depth = 0, inner = n - 1, next = n;
  while (available > 0) {
    unsigned used = 0;
    for (; inner > 0 && a[inner - 1] == depth; --inner) ++used;
    for (; available > used; --available) a[--next] = depth;
    available = 2 * used;
    ++depth;
  }
}

/// Computes the lengths, at most `most_bits`, of a prefix code for n symbols with the given
/// frequencies (each below 2^22). The code is complete, as some decoders demand: where fewer than
/// two symbols occur, others get a code word that is not used.
constexpr void build_code_lengths(const std::uint32_t* frequencies, unsigned n, unsigned most_bits,
                                  std::uint8_t* lengths, code_builder_memory& memory) noexcept {
  constexpr unsigned symbol_bits = 9;
  constexpr std::uint32_t symbol_mask = (1U << symbol_bits) - 1;
  unsigned used = 0;
  for (unsigned i = 0; i < n; ++i) {
    lengths[i] = 0;
    if (frequencies[i] != 0) memory.weights[used++] = frequencies[i] << symbol_bits | i;
  }
  if (used < 2) {
    const unsigned only = used == 1 ? memory.weights[0] & symbol_mask : 0;
    lengths[only] = 1;
    lengths[only == 0 ? 1 : 0] = 1;
    return;
  }
  const std::uint32_t* const sorted = sort_keys(memory.weights, memory.sorted, used, symbol_bits);
  std::uint32_t* const weights = sorted == memory.weights ? memory.sorted : memory.weights;
  for (unsigned i = 0; i < used; ++i) weights[i] = sorted[i] >> symbol_bits;
  weights_to_depths(weights, used);

  // Leaves that lie too deep move up to the limit; each leaf that a shorter code word then gives
  // up room for makes two of the next length.
  std::uint16_t counts[longest_code_bits + 1]{};
  std::uint32_t excess = 0;
  for (unsigned i = 0; i < used; ++i) {
    ++counts[weights[i] < most_bits ? weights[i] : most_bits];
  }
  for (unsigned bits = 1; bits <= most_bits; ++bits) {
    excess += static_cast<std::uint32_t>(counts[bits]) << (most_bits - bits);
  }
  for (excess -= 1U << most_bits; excess != 0; --excess) {
    unsigned bits = most_bits - 1;
    while (counts[bits] == 0) --bits;
    --counts[bits];
    counts[bits + 1] = static_cast<std::uint16_t>(counts[bits + 1] + 2);
    --counts[most_bits];
  }
  for (unsigned bits = most_bits, i = 0; bits >= 1; --bits) {
    for (unsigned left = counts[bits]; left != 0; --left) {
      lengths[sorted[i++] & symbol_mask] = static_cast<std::uint8_t>(bits);
    }
  }
}

/// Assigns the canonical code words to code lengths: words[i] holds the word of symbol i, its bits
/// reversed as they are sent, above the low four bits, which hold its length.
constexpr void assign_code_words(const std::uint8_t* lengths, unsigned n,
                                 std::uint32_t* words) noexcept {
  std::uint32_t next[longest_code_bits + 2]{};
  for (unsigned i = 0; i < n; ++i) ++next[lengths[i] + 1];
  next[1] = 0;
  for (unsigned bits = 1, code = 0; bits <= longest_code_bits; ++bits) {
    code = (code + next[bits]) << 1;
    next[bits] = code;
  }
  for (unsigned i = 0; i < n; ++i) {
    const unsigned bits = lengths[i];
    std::uint32_t code = bits != 0 ? next[bits]++ : 0;
    code = (code & 0x5555) << 1 | (code >> 1 & 0x5555),
    code = (code & 0x3333) << 2 | (code >> 2 & 0x3333),
    code = (code & 0x0F0F) << 4 | (code >> 4 & 0x0F0F),
    code = (code & 0x00FF) << 8 | (code >> 8 & 0x00FF);
    words[i] = code >> (16 - bits) << 4 | bits;
  }
}

}  // namespace vmdk::detail
