// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "vmdk/codec/deflate_alphabet.hpp"

namespace vmdk::detail {

enum class alphabet : std::uint8_t { code_lengths, litlen, distance };

/// What a code word means, in 32 bits: the bits to drop, code and extra bits together (0..5), the
/// bits of the code alone (8..11), flags (12..15, 31), and the literal, or the base to which the
/// extra bits are added (16..30).
struct decoder_entry {
  static constexpr std::uint32_t literal = 0x80000000;
  static constexpr std::uint32_t exceptional = 0x8000;  ///< One of the following three.
  static constexpr std::uint32_t long_code = 0x4000;    ///< Longer than the table's index.
  static constexpr std::uint32_t end = 0x2000;          ///< The end of the block.
  static constexpr std::uint32_t invalid = 0x1000;      ///< May not occur.

  static constexpr std::uint32_t all_bits_mask = 63;
  [[nodiscard]] static constexpr unsigned code_bits(std::uint32_t entry) noexcept {
    return entry >> 8 & 15;
  }
  [[nodiscard]] static constexpr unsigned extra_bits(std::uint32_t entry) noexcept {
    return (entry & 63) - (entry >> 8 & 15);
  }
  [[nodiscard]] static constexpr unsigned value(std::uint32_t entry) noexcept {
    return entry >> 16 & 0x7FFF;
  }

  [[nodiscard]] static constexpr std::uint32_t make(alphabet kind, unsigned symbol,
                                                    unsigned bits) noexcept {
    const std::uint32_t drop = bits << 8 | bits;
    if (kind == alphabet::litlen) {
      if (symbol < end_of_block) return literal | symbol << 16 | drop;
      if (symbol == end_of_block) return exceptional | end | drop;
      if (symbol >= used_litlen_symbols) return exceptional | invalid | drop;
      const unsigned slot = symbol - first_length_symbol;
      return length_base(slot) << 16 | (drop + length_extra_bits(slot));
    }
    if (kind == alphabet::distance) {
      if (symbol >= used_distance_symbols) return exceptional | invalid | drop;
      return distance_base(symbol) << 16 | (drop + distance_extra_bits(symbol));
    }
    return symbol << 16 | drop;
  }
};

/// Where a decoder keeps its tables, whatever their size: one build function serves all alphabets.
struct decoder_tables {
  std::uint32_t* index;    ///< 2^index_bits entries, by the next bits of the input.
  std::uint16_t* symbols;  ///< All symbols in the order of their codes.
  std::uint16_t* counts;   ///< 16: how many codes have each length.
  unsigned index_bits;
};

/// Builds the tables for n symbols with the given code lengths. False for an over-subscribed code,
/// and for an incomplete one, save that a single code word of one bit, or (for distances) none at
/// all, will do: what is left out is an error when it occurs. That is zlib's rule.
[[nodiscard]] constexpr bool build_decoder(const decoder_tables& tables, alphabet kind,
                                           const std::uint8_t* lengths, unsigned n) noexcept {
  std::uint16_t* const counts = tables.counts;
  std::uint32_t* const index = tables.index;
  for (unsigned bits = 0; bits <= longest_code_bits; ++bits) counts[bits] = 0;
  for (unsigned i = 0; i < n; ++i) ++counts[lengths[i]];
  counts[0] = 0;

  std::uint16_t places[longest_code_bits + 1]{};
  unsigned left = 1, used = 0;
  for (unsigned bits = 1; bits <= longest_code_bits; ++bits) {
    left <<= 1;
    if (counts[bits] > left) return false;
    left -= counts[bits];
    places[bits] = static_cast<std::uint16_t>(used);
    used += counts[bits];
  }
  const bool incomplete = left != 0;
  if (incomplete) {
    if (kind == alphabet::code_lengths || used > 1 || used != counts[1]) return false;
    if (used == 0 && kind != alphabet::distance) return false;
  }
  for (unsigned i = 0; i < n; ++i) {
    if (lengths[i] != 0) tables.symbols[places[lengths[i]]++] = static_cast<std::uint16_t>(i);
  }

  // The index doubles from one length to the next. Codes come in ascending order, but their bits
  // lie reversed in the input; `code` counts upwards from its top bit down.
  index[0] = decoder_entry::exceptional | 1U << 8 | 1U |
             (incomplete ? decoder_entry::invalid : decoder_entry::long_code);
  unsigned code = 0, at = 0, size = 1;
  for (unsigned bits = 1; bits <= tables.index_bits; ++bits) {
    if (std::is_constant_evaluated()) {
      for (unsigned i = 0; i < size; ++i) index[size + i] = index[i];
    } else {
      __builtin_memcpy(index + size, index, size * sizeof *index);
    }
    for (const unsigned stop = at + counts[bits]; at != stop; ++at) {
      index[code] = decoder_entry::make(kind, tables.symbols[at], bits);
      unsigned bit = size;
      while ((code & bit) != 0) bit >>= 1;
      code = bit != 0 ? (code & (bit - 1)) | bit : 0;
    }
    size <<= 1;
  }
  return true;
}

/// Decodes a code word that is longer than the index, bit by bit. `bits` holds at least 15.
[[nodiscard]] constexpr std::uint32_t decode_long_code(const std::uint16_t* symbols,
                                                       const std::uint16_t* counts, alphabet kind,
                                                       unsigned bits) noexcept {
  unsigned code = 0, first = 0, at = 0;
  for (unsigned length = 1; length <= longest_code_bits; ++length) {
    code |= bits & 1;
    bits >>= 1;
    const unsigned count = counts[length];
    if (code - first < count) {
      return decoder_entry::make(kind, symbols[at + (code - first)], length);
    }
    at += count;
    first = (first + count) << 1;
    code <<= 1;
  }
  return decoder_entry::exceptional | decoder_entry::invalid;
}

/// The tables of one alphabet. With more index bits fewer codes take the slow way.
template <unsigned IndexBits, unsigned Symbols>
class huffman_decoder {
 public:
  static_assert(IndexBits >= 1 && IndexBits <= longest_code_bits);

  [[nodiscard]] constexpr bool build(alphabet kind, const std::uint8_t* lengths,
                                     unsigned n) noexcept {
    return build_decoder({index_, symbols_, counts_, IndexBits}, kind, lengths, n);
  }

  /// The entry for the next 15 bits of the input.
  [[nodiscard]] constexpr std::uint32_t find(alphabet kind, unsigned bits) const noexcept {
    const std::uint32_t entry = index_[bits & index_mask];
    return (entry & decoder_entry::long_code) != 0 ? find_long(kind, bits) : entry;
  }
  [[nodiscard]] constexpr std::uint32_t find_long(alphabet kind, unsigned bits) const noexcept {
    return decode_long_code(symbols_, counts_, kind, bits);
  }

  [[nodiscard]] constexpr const std::uint32_t* index() const noexcept { return index_; }
  static constexpr unsigned index_mask = (1U << IndexBits) - 1;

 private:
  std::uint32_t index_[std::size_t{1} << IndexBits]{};
  std::uint16_t symbols_[Symbols]{};
  std::uint16_t counts_[longest_code_bits + 1]{};
};

}  // namespace vmdk::detail
