// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

/// The few text functions that descriptors need, without locales, heap, or the 64-bit division that
/// is a library call on a 32-bit target.
namespace vmdk::detail {

// A string_view of a literal takes its length at compile time, not by strlen.
using namespace std::string_view_literals;

/// n characters from an offset that lie inside the text; std::string_view::substr can throw.
[[nodiscard]] constexpr std::string_view part(std::string_view text, std::size_t from,
                                              std::size_t n) noexcept {
  return {text.data() + from, n};
}

/// All characters from an offset on.
[[nodiscard]] constexpr std::string_view part(std::string_view text, std::size_t from) noexcept {
  return {text.data() + from, text.size() - from};
}

[[nodiscard]] constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }

[[nodiscard]] constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// True for what no line of text may hold, tab included.
[[nodiscard]] constexpr bool is_control(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

[[nodiscard]] constexpr bool is_ascii(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x80;
}

/// ASCII letters only.
[[nodiscard]] constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

[[nodiscard]] constexpr bool same_ignoring_case(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  const char* p = a.data();
  const char* q = b.data();
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(p[i]) != lower(q[i])) return false;
  }
  return true;
}

[[nodiscard]] constexpr bool starts_with_ignoring_case(std::string_view text,
                                                       std::string_view head) noexcept {
  return text.size() >= head.size() && same_ignoring_case(part(text, 0, head.size()), head);
}

/// The text without blanks at both ends.
[[nodiscard]] constexpr std::string_view trimmed(std::string_view text) noexcept {
  const char* first = text.data();
  const char* last = first + text.size();
  while (first != last && is_blank(*first)) ++first;
  while (first != last && is_blank(last[-1])) --last;
  return {first, static_cast<std::size_t>(last - first)};
}

/// Reads a number of decimal digits and nothing else; false, and `value` untouched, when it is none
/// or does not fit.
[[nodiscard]] constexpr bool read_decimal(std::string_view text, std::uint64_t& value) noexcept {
  constexpr std::uint64_t largest = (std::numeric_limits<std::uint64_t>::max)();
  if (text.empty()) return false;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text.data()[i];
    if (!is_digit(c) || sum > largest / 10) return false;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (digit > largest - sum * 10) return false;
    sum = sum * 10 + digit;
  }
  value = sum;
  return true;
}

/// The value of a hexadecimal digit, or 16.
[[nodiscard]] constexpr std::uint32_t hex_digit(char c) noexcept {
  if (is_digit(c)) return static_cast<std::uint32_t>(c - '0');
  const char small = lower(c);
  return small >= 'a' && small <= 'f' ? static_cast<std::uint32_t>(small - 'a' + 10) : 16;
}

/// Reads one to eight hexadecimal digits and nothing else; false, and `value` untouched, otherwise.
[[nodiscard]] constexpr bool read_hex(std::string_view text, std::uint32_t& value) noexcept {
  if (text.empty() || text.size() > 8) return false;
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::uint32_t digit = hex_digit(text.data()[i]);
    if (digit > 15) return false;
    sum = sum << 4 | digit;
  }
  value = sum;
  return true;
}

/// The digits of a number.
class number_text {
 public:
  [[nodiscard]] static constexpr number_text decimal(std::uint64_t value,
                                                     unsigned least_digits = 1) noexcept {
    constexpr std::uint64_t powers[] = {1u,
                                        10u,
                                        100u,
                                        1000u,
                                        10000u,
                                        100000u,
                                        1000000u,
                                        10000000u,
                                        100000000u,
                                        1000000000u,
                                        10000000000u,
                                        100000000000u,
                                        1000000000000u,
                                        10000000000000u,
                                        100000000000000u,
                                        1000000000000000u,
                                        10000000000000000u,
                                        100000000000000000u,
                                        1000000000000000000u,
                                        10000000000000000000u};
    number_text text;
    for (unsigned i = 20; i-- > 0;) {
      char digit = '0';
      while (value >= powers[i]) {
        value -= powers[i];
        ++digit;
      }
      if (digit != '0' || text.size_ != 0 || i < least_digits) text.text_[text.size_++] = digit;
    }
    return text;
  }

  /// Exactly so many digits, 1 to 16, in lower case.
  [[nodiscard]] static constexpr number_text hex(std::uint64_t value, unsigned digits) noexcept {
    number_text text;
    text.size_ = digits;
    for (std::size_t i = digits; i > 0; --i, value >>= 4) {
      text.text_[i - 1] = "0123456789abcdef"[value & 15];
    }
    return text;
  }

  [[nodiscard]] constexpr std::string_view view() const noexcept { return {text_, size_}; }

 private:
  char text_[20]{};
  std::size_t size_ = 0;
};

}  // namespace vmdk::detail
