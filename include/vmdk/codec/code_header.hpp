// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/codec/bit_output.hpp"
#include "vmdk/codec/deflate_alphabet.hpp"
#include "vmdk/codec/huffman_encoder.hpp"

namespace vmdk::detail {

inline constexpr unsigned all_symbols = litlen_symbols + distance_symbols;

/// The header of a dynamic block: the code lengths of both alphabets, run-length coded, and coded
/// once more (RFC 1951, section 3.2.7).
class code_header {
 public:
  /// Takes the lengths of the literal code and, at `litlen_symbols`, of the distance code. Gives
  /// the number of bits that `write` will write.
  constexpr std::size_t plan(const std::uint8_t* lengths, code_builder_memory& memory) noexcept {
    litlens_ = used_litlen_symbols;
    distances_ = used_distance_symbols;
    while (lengths[litlens_ - 1] == 0) --litlens_;
    while (distances_ > 1 && lengths[litlen_symbols + distances_ - 1] == 0) --distances_;

    std::uint32_t counts[length_code_symbols]{};
    runs_count_ = 0;
    const auto add = [&](unsigned symbol, unsigned extra) {
      ++counts[symbol];
      runs_[runs_count_++] = static_cast<std::uint16_t>(symbol << 8 | extra);
    };
    const auto add_repeats = [&](unsigned symbol, unsigned& left, unsigned least, unsigned most) {
      while (left >= least) {
        const unsigned n = left < most ? left : most;
        add(symbol, n - least);
        left -= n;
      }
    };
    const unsigned all = litlens_ + distances_, gap = litlen_symbols - litlens_;
    for (unsigned i = 0, stop = 0; i < all; i = stop) {
      const unsigned length = lengths[i < litlens_ ? i : i + gap];
      for (stop = i + 1; stop < all && lengths[stop < litlens_ ? stop : stop + gap] == length;) {
        ++stop;
      }
      unsigned left = stop - i;
      if (length == 0) {
        add_repeats(18, left, 11, 138);
        add_repeats(17, left, 3, 10);
      } else if (left > 3) {
        add(length, 0);
        --left;
        add_repeats(16, left, 3, 6);
      }
      for (; left != 0; --left) add(length, 0);
    }

    build_code_lengths(counts, length_code_symbols, longest_length_code_bits, lengths_, memory);
    lengths_count_ = length_code_symbols;
    while (lengths_[length_code_order[lengths_count_ - 1]] == 0) --lengths_count_;
    std::size_t bits = 5 + 5 + 4 + 3 * lengths_count_;
    for (unsigned i = 0; i < length_code_symbols; ++i) {
      bits += std::size_t{counts[i]} * (lengths_[i] + repeat_bits(i));
    }
    return bits;
  }

  constexpr void write(bit_output& out) const noexcept {
    out.put(litlens_ - 257, 5);
    out.put(distances_ - 1, 5);
    out.put(lengths_count_ - 4, 4);
    out.flush();
    for (unsigned i = 0; i < lengths_count_; ++i) {
      out.put(lengths_[length_code_order[i]], 3);
      out.flush();
    }
    std::uint32_t words[length_code_symbols]{};
    assign_code_words(lengths_, length_code_symbols, words);
    for (unsigned i = 0; i < runs_count_; ++i) {
      const unsigned symbol = runs_[i] >> 8U;
      out.put(words[symbol] >> 4, words[symbol] & 15);
      out.put(runs_[i] & 0xFFU, repeat_bits(symbol));
      out.flush();
    }
  }

 private:
  [[nodiscard]] static constexpr unsigned repeat_bits(unsigned symbol) noexcept {
    return symbol < 16 ? 0 : symbol == 16 ? 2 : symbol == 17 ? 3 : 7;
  }

  unsigned litlens_ = 0, distances_ = 0, runs_count_ = 0, lengths_count_ = 0;
  std::uint16_t runs_[used_litlen_symbols + used_distance_symbols]{};  ///< Symbol * 256 + extra.
  std::uint8_t lengths_[length_code_symbols]{};
};

}  // namespace vmdk::detail
