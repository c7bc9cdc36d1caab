// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/codec/bit_output.hpp"
#include "vmdk/codec/code_header.hpp"
#include "vmdk/codec/deflate_alphabet.hpp"
#include "vmdk/codec/huffman_encoder.hpp"
#include "vmdk/codec/stored.hpp"

namespace vmdk::detail {

/// The slots of lengths 3..258, by length - 3.
struct length_slot_table {
  std::uint8_t of[longest_match - shortest_match + 1]{};

  constexpr length_slot_table() noexcept {
    for (unsigned slot = 0, i = 0; slot < 28; ++slot) {
      for (; i < length_base(slot + 1) - shortest_match; ++i) {
        of[i] = static_cast<std::uint8_t>(slot);
      }
    }
    of[longest_match - shortest_match] = 28;
  }
};
inline constexpr length_slot_table length_slots{};

/// The slot of a distance: twice the place of the highest bit of distance - 1, and the bit below.
[[nodiscard]] constexpr unsigned distance_slot(unsigned distance) noexcept {
  const unsigned d = distance - 1;
  if (d < 4) return d;
  unsigned top = 0;
  if constexpr (wide_machine) {
    top = 31U - static_cast<unsigned>(__builtin_clz(d));
  } else {
    for (unsigned rest = d; rest > 1; rest >>= 1) ++top;
  }
  return 2 * top + (d >> (top - 1) & 1);
}

/// A match and the number of literals before it.
struct sequence {
  std::uint32_t literals;
  std::uint16_t length_and_slot;  ///< The match's length * 32 + the slot of its distance.
  std::uint16_t distance;
};

/// Chooses the cheapest form of a block whose symbols were counted, and writes it.
class block_writer {
 public:
  /// How often each symbol occurs; distances follow the others, at `litlen_symbols`.
  std::uint32_t counts[all_symbols]{};

  constexpr void begin() noexcept {
    for (std::uint32_t& n : counts) n = 0;
  }

  constexpr sequence count_match(std::size_t literals, unsigned length,
                                 unsigned distance) noexcept {
    const unsigned slot = distance_slot(distance);
    ++counts[first_length_symbol + length_slots.of[length - shortest_match]];
    ++counts[litlen_symbols + slot];
    return {static_cast<std::uint32_t>(literals), static_cast<std::uint16_t>(length << 5 | slot),
            static_cast<std::uint16_t>(distance)};
  }

  /// Writes the block that was counted: n sequences, then literals, `bytes` bytes of input in all.
  /// False, and nothing written, when it would pass `limit`.
  constexpr bool write(bit_output& out, const std::byte* limit, const std::byte* in,
                       std::size_t bytes, const sequence* sequences, std::size_t n,
                       bool last) noexcept {
    counts[end_of_block] = 1;
    build_code_lengths(counts, litlen_symbols, litlen_code_bits, lengths_, memory_);
    build_code_lengths(counts + litlen_symbols, distance_symbols, longest_code_bits,
                       lengths_ + litlen_symbols, memory_);
    std::size_t dynamic_bits = header_.plan(lengths_, memory_), fixed_bits = 0;
    for (unsigned i = 0; i < end_of_block; ++i) {
      dynamic_bits += std::size_t{counts[i]} * lengths_[i],
          fixed_bits += std::size_t{counts[i]} * (i < 144 ? 8 : 9);
    }
    for (unsigned i = end_of_block; i < all_symbols; ++i) {
      if (counts[i] == 0) continue;
      const unsigned extra = extra_bits(i);
      dynamic_bits += std::size_t{counts[i]} * (lengths_[i] + extra);
      fixed_bits += std::size_t{counts[i]} * (fixed_bits_of(i) + extra);
    }
    const bool fixed = fixed_bits <= dynamic_bits;
    const std::size_t coded_bits = out.count + 3 + (fixed ? fixed_bits : dynamic_bits);
    // The first stored block's type may still fit into the byte that is being filled.
    const std::size_t stored_bytes =
        (out.count + 3 + 7) / 8 - 1 + bytes + stored_frame_bytes * stored_blocks(bytes);
    const bool stores = 8 * stored_bytes < coded_bits;
    const auto room = static_cast<std::size_t>(limit - out.next);
    if ((stores ? stored_bytes : (coded_bits + 7) / 8) > room) return false;

    if (stores) {
      write_stored(out, in, bytes, last);
      return true;
    }
    const block_type type = fixed ? block_type::fixed : block_type::dynamic;
    out.put(static_cast<std::uint32_t>(type) << 1 | (last ? 1U : 0U), 3);
    if (fixed) {
      for (unsigned i = 0; i < all_symbols; ++i) lengths_[i] = fixed_bits_of(i);
    } else {
      header_.write(out);
    }
    assign_code_words(lengths_, litlen_symbols, words_);
    assign_code_words(lengths_ + litlen_symbols, distance_symbols, words_ + litlen_symbols);
    write_symbols(out, in, bytes, sequences, n);
    return true;
  }

 private:
  /// One bit less than allowed: then a wide machine can put four literals before it flushes.
  static constexpr unsigned litlen_code_bits = longest_code_bits - 1;

  [[nodiscard]] static constexpr unsigned extra_bits(unsigned symbol) noexcept {
    return symbol < first_length_symbol ? 0
           : symbol < litlen_symbols    ? length_extra_bits(symbol - first_length_symbol)
                                        : distance_extra_bits(symbol - litlen_symbols);
  }
  [[nodiscard]] static constexpr std::uint8_t fixed_bits_of(unsigned symbol) noexcept {
    return symbol < litlen_symbols ? fixed_litlen_bits(symbol) : fixed_distance_bits;
  }

  static constexpr void write_stored(bit_output& out, const std::byte* in, std::size_t bytes,
                                     bool last) noexcept {
    do {
      const std::size_t n = bytes < stored_block_bytes ? bytes : stored_block_bytes;
      bytes -= n;
      out.put(last && bytes == 0 ? 1 : 0, 3);
      out.align();
      out.next = put_stored_block(out.next, in, n);
      in += n;
    } while (bytes != 0);
  }

  constexpr void write_symbols(bit_output& to, const std::byte* in, std::size_t bytes,
                               const sequence* sequences, std::size_t n) const noexcept {
    bit_output out = to;  // A local copy can live in registers.
    const std::byte* const stop = in + bytes;
    for (const sequence* const end = sequences + n; sequences != end; ++sequences) {
      write_literals(out, in, sequences->literals);
      const unsigned length = sequences->length_and_slot >> 5U;
      const unsigned slot = length_slots.of[length - shortest_match];
      const unsigned far_slot = sequences->length_and_slot & 31U;
      put_word(out, first_length_symbol + slot);
      out.put(length - length_base(slot), length_extra_bits(slot));
      put_word(out, litlen_symbols + far_slot);
      out.put(sequences->distance - distance_base(far_slot), distance_extra_bits(far_slot));
      out.flush();
      in += sequences->literals + length;
    }
    write_literals(out, in, static_cast<std::size_t>(stop - in));
    put_word(out, end_of_block);
    out.flush();
    to = out;
  }

  constexpr void write_literals(bit_output& out, const std::byte* in,
                                std::size_t n) const noexcept {
    if (__builtin_is_constant_evaluated()) {
      // As below, in fewer statements.
      for (; n != 0;
           --n,
           out.bits |= static_cast<bit_word>(words_[static_cast<unsigned>(*in)] >> 4) << out.count,
           out.count += words_[static_cast<unsigned>(*in++)] & 15) {
        if (out.count > 4 * sizeof(bit_word)) out.flush();
      }
      out.flush();
      return;
    }
    for (; n >= 4; n -= 4, in += 4) {
      put_word(out, static_cast<unsigned>(in[0]));
      put_word(out, static_cast<unsigned>(in[1]));
      put_word(out, static_cast<unsigned>(in[2]));
      put_word(out, static_cast<unsigned>(in[3]));
      out.flush();
    }
    for (; n != 0; --n) put_word(out, static_cast<unsigned>(*in++));
    out.flush();
  }

  constexpr void put_word(bit_output& out, unsigned symbol) const noexcept {
    out.put(words_[symbol] >> 4, words_[symbol] & 15);
  }

  std::uint32_t words_[all_symbols]{};
  std::uint8_t lengths_[all_symbols]{};
  code_header header_{};
  code_builder_memory memory_{};
};

}  // namespace vmdk::detail
