// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <string_view>

#include "vmdk/format/text.hpp"

namespace vmdk::detail {

/// One word of a descriptor and what it means. In a table, a value's first word is the one that is
/// written; the others are only read.
template <class T>
struct word {
  std::string_view text;
  T value;
};

/// What a word was found to mean.
template <class T>
struct word_match {
  T value{};
  bool found = false;
  bool exact = false;  ///< In the case that the table has.
};

/// Looks a word up. Its case does not matter for the meaning (SPEC 6).
template <class T, std::size_t N>
[[nodiscard]] constexpr word_match<T> find_word(const word<T> (&words)[N],
                                                std::string_view text) noexcept {
  for (const word<T>& candidate : words) {
    if (same_ignoring_case(candidate.text, text)) {
      return {candidate.value, true, candidate.text == text};
    }
  }
  return {};
}

/// The word that is written for a value; empty for a value that has none.
template <class T, std::size_t N>
[[nodiscard]] constexpr std::string_view word_of(const word<T> (&words)[N], T value) noexcept {
  for (const word<T>& candidate : words) {
    if (candidate.value == value) return candidate.text;
  }
  return {};
}

}  // namespace vmdk::detail
