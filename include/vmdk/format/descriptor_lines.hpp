// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <string_view>

#include "vmdk/format/descriptor_limits.hpp"
#include "vmdk/format/extent_line.hpp"

namespace vmdk::detail {

/// A line of a descriptor without its end.
struct text_line {
  std::size_t offset = 0;
  std::string_view text{};
};

/// Walks over lines that end in LF or CR LF; the last may end with the text.
class line_reader {
 public:
  constexpr line_reader() noexcept = default;
  constexpr explicit line_reader(std::string_view text, std::size_t from = 0) noexcept
      : text_(text), next_(from) {}

  /// False at the end, with `line` untouched.
  constexpr bool next(text_line& line) noexcept {
    if (next_ >= text_.size()) return false;
    const std::size_t begin = next_;
    const char* p = text_.data();
    std::size_t end = begin;
    while (end < text_.size() && p[end] != '\n') ++end;
    next_ = end + 1;
    if (end < text_.size() && end > begin && p[end - 1] == '\r') --end;
    line = {begin, part(text_, begin, end - begin)};
    return true;
  }

  /// The offset of the line after the last one.
  [[nodiscard]] constexpr std::size_t position() const noexcept {
    return next_ < text_.size() ? next_ : text_.size();
  }

 private:
  std::string_view text_{};
  std::size_t next_ = 0;
};

/// The line's text from its first character that is no blank.
[[nodiscard]] constexpr std::string_view without_indent(std::string_view text) noexcept {
  while (!text.empty() && is_blank(text.front())) text = part(text, 1);
  return text;
}

/// A line "key = value", cut into pieces.
struct entry_parts {
  std::string_view key{};    ///< As it is, with "ddb.".
  std::string_view value{};  ///< Without its quotes.
  bool quoted = false;
  bool spaced = false;         ///< Blanks stand around the '='.
  bool value_is_good = false;  ///< Quotes stand at both ends or nowhere.
};

/// Cuts a line at its first '='; false when there is none, or no single word before it.
[[nodiscard]] constexpr bool split_entry(std::string_view line, entry_parts& parts) noexcept {
  std::size_t at = 0;
  const char* p = line.data();
  while (at < line.size() && p[at] != '=') ++at;
  if (at == line.size()) return false;
  parts.key = trimmed(part(line, 0, at));
  if (parts.key.empty()) return false;
  for (std::size_t i = 0; i < parts.key.size(); ++i) {
    const char c = parts.key.data()[i];
    if (is_blank(c) || c == '"') return false;
  }
  std::string_view value = part(line, at + 1);
  parts.spaced = is_blank(line.data()[at - 1]) || (!value.empty() && is_blank(value.front()));
  value = trimmed(value);
  parts.quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
  parts.value = parts.quoted ? part(value, 1, value.size() - 2) : value;
  parts.value_is_good = true;
  for (std::size_t i = 0; i < parts.value.size(); ++i) {
    if (parts.value.data()[i] == '"') parts.value_is_good = false;
  }
  return true;
}

/// What a line says that only encrypted disks have, wherever it stands and however long it is;
/// empty where there is none.
[[nodiscard]] constexpr std::string_view find_encryption(std::string_view text) noexcept {
  line_reader lines(text);
  text_line line;
  entry_parts parts;
  while (lines.next(line)) {
    if (split_entry(line.text, parts) && same_ignoring_case(parts.key, encryption_key) &&
        !parts.value.empty()) {
      return parts.value;
    }
  }
  return {};
}

[[nodiscard]] constexpr bool has_ddb_prefix(std::string_view key) noexcept {
  return key.size() > ddb_prefix.size() && starts_with_ignoring_case(key, ddb_prefix);
}

/// The key of an entry of the disk data base, without "ddb.".
[[nodiscard]] constexpr std::string_view without_ddb_prefix(std::string_view key) noexcept {
  return has_ddb_prefix(key) ? part(key, ddb_prefix.size()) : key;
}

/// A field of an extent line.
struct token {
  std::string_view text{};  ///< Without quotes; empty at the end of the line.
  bool quoted = false;
  bool is_good = true;  ///< A quote stands at both ends or nowhere.
  [[nodiscard]] constexpr bool is_missing() const noexcept { return text.empty() && !quoted; }
};

/// Takes the next field off a line.
[[nodiscard]] constexpr token take_token(std::string_view& rest) noexcept {
  rest = without_indent(rest);
  token field;
  std::size_t end = 0;
  if (!rest.empty() && rest.front() == '"') {
    end = 1;
    while (end < rest.size() && rest.data()[end] != '"') ++end;
    field.quoted = true;
    field.text = part(rest, 1, end - 1);
    field.is_good = end < rest.size();
    if (field.is_good) ++end;
    field.is_good = field.is_good && (end == rest.size() || is_blank(rest.data()[end]));
  } else {
    while (end < rest.size() && !is_blank(rest.data()[end])) {
      if (rest.data()[end] == '"') field.is_good = false;
      ++end;
    }
    field.text = part(rest, 0, end);
  }
  rest = part(rest, end);
  return field;
}

/// True for a line whose first word says how an extent may be used.
[[nodiscard]] constexpr bool is_extent_line(std::string_view line) noexcept {
  const token first = take_token(line);
  return !first.quoted && find_word(extent_access_words, first.text).found;
}

}  // namespace vmdk::detail
