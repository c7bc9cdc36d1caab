// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "vmdk/core/to_string.hpp"
#include "vmdk/format/text.hpp"
#include "vmdk/verify/finding.hpp"
#include "vmdk/verify/finding_id.hpp"
#include "vmdk/verify/finding_sentences.hpp"

namespace vmdk {
namespace detail {

/// The figure that a letter of a sentence stands for.
[[nodiscard]] constexpr std::uint64_t figure_of(const finding& f, char letter) noexcept {
  switch (letter) {
    case 't':
      return f.table;
    case 'e':
      return f.entry;
    case 'v':
    case 'x':
      return f.value;
    case 'o':
    case 'X':
      return f.other;
    case 'T':
      return f.other_table;
    default:  // 'E'
      return f.other_entry;
  }
}

/// Puts a number in eight or sixteen hexadecimal digits.
template <class Put>
constexpr void put_hex(std::uint64_t number, Put&& put) noexcept {
  using namespace std::string_view_literals;
  unsigned digits = 8;
  if (number >> 32 != 0) digits = 16;
  put("0x"sv);
  put(number_text::hex(number, digits).view());
}

/// Puts a name from an image; what could disturb a line of output becomes a question mark.
template <class Put>
constexpr void put_name(std::string_view name, Put&& put) noexcept {
  using namespace std::string_view_literals;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool bad = is_control(name.data()[i]) || name.data()[i] == '"';
    put(bad ? "?"sv : part(name, i, 1));
  }
}

/// Fills a sentence's figures and name in; false, having put nothing, when the finding lacks one.
template <class Put>
constexpr bool put_sentence(std::string_view text, const finding& f, Put&& put) noexcept {
  for (std::size_t i = 0; i + 2 < text.size(); ++i) {
    if (text.data()[i] != '{') continue;
    const char letter = text.data()[i + 1];
    const bool is_there = letter == 'n' ? !f.name.empty() : figure_of(f, letter) != no_figure;
    if (!is_there) return false;
  }
  std::size_t from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.data()[i] != '{') continue;
    const char letter = text.data()[i + 1];
    put(part(text, from, i - from));
    if (letter == 'n') {
      put_name(f.name, put);
    } else if (letter == 'x' || letter == 'X') {
      put_hex(figure_of(f, letter), put);
    } else {
      put(number_text::decimal(figure_of(f, letter)).view());
    }
    from = i + 3;
    i += 2;
  }
  put(part(text, from));
  return true;
}

}  // namespace detail

/// Says a finding in one sentence with its figures, for a user's eyes: no full stop, no line end.
/// The sentence goes to `put(std::string_view)` piece by piece. Names are shown as they are in the
/// image, but for control characters.
template <class Put>
constexpr void describe(const finding& f, Put&& put) noexcept {
  using namespace std::string_view_literals;
  if (f.more != 0) {
    put(detail::number_text::decimal(f.more).view());
    put(" more like this: "sv);
    put(to_string(f.code));
    return;
  }
  for (const detail::finding_sentence& sentence : detail::finding_sentences) {
    if (sentence.code == f.code && detail::put_sentence(sentence.text, f, put)) return;
  }
  const bool has_table = f.table != no_figure && f.entry != no_figure;
  const bool is_text = f.code >= errc::descriptor_signature_missing &&
                       f.code < errc::stream_truncated && f.entry != no_figure;
  if (has_table) {
    detail::put_sentence("grain table entry {e} of table {t}: "sv, f, put);
  } else if (is_text) {
    detail::put_sentence("line {e} of the descriptor: "sv, f, put);
  }
  put(to_string(f.code));
}

}  // namespace vmdk
