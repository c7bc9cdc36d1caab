// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "vmdk/core/errc.hpp"

namespace vmdk {

/// Where a descriptor's text comes from.
enum class descriptor_place : std::uint8_t {
  embedded,   ///< Out of a sparse file: names are never opened, zeros fill the rest.
  text_file,  ///< A file of its own.
};

namespace detail {

/// Judges what stands behind a descriptor's text, from the zero byte that ends it on. Zeros fill
/// the sectors of an embedded text, and the first sector of a text file that qemu-img writes. When
/// QEMU makes the content id shorter it moves the text forward, and the text's last bytes stay
/// where they were (SPEC 6).
class descriptor_padding {
 public:
  constexpr void add(char c) noexcept {
    if (c != '\0') {
      if (first_ == nowhere) first_ = size_;
      last_ = size_;
    }
    if (size_ < begin_.size()) begin_.data()[size_] = c;
    ++size_;
  }

  /// The rule of SPEC 13.4 that is broken, or none.
  [[nodiscard]] constexpr errc broken_rule(std::string_view text,
                                           descriptor_place place) const noexcept {
    if (first_ == nowhere) return errc::none;
    return place == descriptor_place::embedded || repeats_end_of(text)
               ? errc::descriptor_padding_not_zero
               : errc::descriptor_nul_inside;
  }

  /// The place of the first byte that is not zero, from the end of the text, where there is one.
  [[nodiscard]] constexpr std::size_t broken_at() const noexcept { return first_; }

 private:
  // Of the eight digits of a content id up to seven can be lost, and one byte is the zero.
  static constexpr std::size_t longest_rest = 6;
  static constexpr std::size_t nowhere = std::numeric_limits<std::size_t>::max();

  /// A text has no zero byte, so neither has what may be its end.
  [[nodiscard]] constexpr bool repeats_end_of(std::string_view text) const noexcept {
    if (last_ > longest_rest || last_ > text.size()) return false;
    for (std::size_t i = 1; i <= last_; ++i) {
      if (begin_.data()[i] != text.data()[text.size() - last_ - 1 + i]) return false;
    }
    return true;
  }

  std::array<char, 1 + longest_rest> begin_{};
  std::size_t size_ = 0;
  std::size_t first_ = nowhere;
  std::size_t last_ = 0;
};

}  // namespace detail

}  // namespace vmdk
