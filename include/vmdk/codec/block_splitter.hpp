// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/codec/deflate_alphabet.hpp"

namespace vmdk::detail {

/// Guesses where a new Huffman code pays. It sorts the symbols of a block into ten classes and
/// compares the latest few hundred with those before. The idea is libdeflate's.
class block_splitter {
 public:
  constexpr void begin() noexcept {
    for (unsigned i = 0; i < classes; ++i) older_[i] = 0;
    older_sum_ = 0;
  }

  /// True when the block of `bytes` bytes, whose symbols are counted, should end here.
  [[nodiscard]] constexpr bool ends(const std::uint32_t* counts, std::size_t bytes) noexcept {
    std::uint32_t all[classes]{}, sum = 0;
    for (unsigned i = 0; i < end_of_block; ++i) {
      all[(i >> 5 & 6) | (i & 1)] += counts[i], sum += counts[i];
    }
    for (unsigned i = first_length_symbol; i < used_litlen_symbols; ++i) {
      all[i < first_long_symbol ? 8 : 9] += counts[i], sum += counts[i];
    }
    const std::uint32_t newer_sum = sum - older_sum_;
    if (newer_sum < least_symbols) return false;
    if (older_sum_ != 0) {
      std::uint32_t difference = 0;
      for (unsigned i = 0; i < classes; ++i) {
        const std::uint32_t expected = older_[i] * newer_sum,
                            found = (all[i] - older_[i]) * older_sum_;
        difference += expected < found ? found - expected : expected - found;
      }
      // The longer a block is, the more readily it ends; short ones must differ more.
      std::uint32_t bearable = (newer_sum * 200 >> 9) * older_sum_;
      if (bytes < 10000 && sum < 8192) bearable += (bearable >> 13) * (8192 - sum);
      if (difference + static_cast<std::uint32_t>(bytes >> 12) * older_sum_ >= bearable) {
        return true;
      }
    }
    for (unsigned i = 0; i < classes; ++i) older_[i] = all[i];
    older_sum_ = sum;
    return false;
  }

 private:
  static constexpr unsigned classes = 10;
  static constexpr unsigned first_long_symbol = first_length_symbol + 6;  ///< Nine bytes.
  static constexpr std::uint32_t least_symbols = 256;

  std::uint32_t older_[classes]{};
  std::uint32_t older_sum_ = 0;
};

}  // namespace vmdk::detail
