// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "vmdk/core/result.hpp"
#include "vmdk/format/words.hpp"

namespace vmdk {

/// How the bytes of a descriptor's names are meant (SPEC 6).
enum class text_encoding : std::uint8_t {
  utf_8,  ///< Also where a descriptor says nothing.
  windows_1252,
  other,  ///< Big5, GBK, Shift_JIS ...: names stay the bytes they are.
};

inline constexpr detail::word<text_encoding> text_encoding_words[] = {
    {"UTF-8", text_encoding::utf_8},
    {"UTF8", text_encoding::utf_8},
    {"windows-1252", text_encoding::windows_1252},
};

/// The encoding that a descriptor's word for it means; UTF-8 for no word.
[[nodiscard]] constexpr text_encoding encoding_named(std::string_view word) noexcept {
  if (word.empty()) return text_encoding::utf_8;
  const auto match = detail::find_word(text_encoding_words, word);
  return match.found ? match.value : text_encoding::other;
}

namespace detail {

/// The length of the UTF-8 sequence at the start of a text; 0 when there is none, or an overlong
/// one, a surrogate or one past U+10FFFF.
[[nodiscard]] constexpr std::size_t utf8_sequence(std::string_view text) noexcept {
  const auto at = [text](std::size_t i) { return static_cast<unsigned char>(text.data()[i]); };
  const auto follows = [&](std::size_t i, unsigned low, unsigned high) {
    return i < text.size() && at(i) >= low && at(i) <= high;
  };
  const unsigned lead = at(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return follows(1, 0x80, 0xBF) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const unsigned low = lead == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = lead == 0xED ? 0x9F : 0xBF;
    return follows(1, low, high) && follows(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const unsigned low = lead == 0xF0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xF4 ? 0x8F : 0xBF;
    return follows(1, low, high) && follows(2, 0x80, 0xBF) && follows(3, 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

/// What 0x80 .. 0x9F mean in windows-1252; the five that mean nothing stay the control characters
/// that they are in Unicode, as browsers have it.
inline constexpr std::uint16_t windows_1252_high[32] = {
    0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178};

[[nodiscard]] constexpr std::uint16_t windows_1252_to_unicode(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 && byte < 0xA0 ? windows_1252_high[byte - 0x80] : byte;
}

}  // namespace detail

/// The offset of the first byte that is not part of well-formed UTF-8; the size when all are.
[[nodiscard]] constexpr std::size_t utf8_prefix_bytes(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t n = detail::utf8_sequence(detail::part(text, at));
    if (n == 0) break;
    at += n;
  }
  return at;
}

[[nodiscard]] constexpr bool is_utf8(std::string_view text) noexcept {
  return utf8_prefix_bytes(text) == text.size();
}

/// Gives a name of a descriptor in UTF-8. Only windows-1252 needs the caller's memory, three times
/// the name's bytes at most; names in UTF-8 and in encodings that are not known come back as they
/// are.
/// Errors: errc::workspace_too_small; detail: the bytes that are needed.
[[nodiscard]] constexpr result<std::string_view> name_to_utf8(std::string_view name,
                                                              text_encoding encoding,
                                                              std::span<char> memory) noexcept {
  if (encoding != text_encoding::windows_1252) return name;
  std::size_t size = 0;
  const auto put = [&size, memory](unsigned byte) {
    if (size < memory.size()) memory.data()[size] = static_cast<char>(byte);
    ++size;
  };
  for (std::size_t i = 0; i < name.size(); ++i) {
    const unsigned point = detail::windows_1252_to_unicode(name.data()[i]);
    if (point < 0x80) {
      put(point);
    } else if (point < 0x800) {
      put(0xC0 | point >> 6);
      put(0x80 | (point & 0x3F));
    } else {
      put(0xE0 | point >> 12);
      put(0x80 | (point >> 6 & 0x3F));
      put(0x80 | (point & 0x3F));
    }
  }
  if (size > memory.size()) {
    return options_failure(errc::workspace_too_small, 0, static_cast<std::uint32_t>(size));
  }
  return std::string_view{memory.data(), size};
}

}  // namespace vmdk
