// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "vmdk/core/failure.hpp"
#include "vmdk/format/descriptor_limits.hpp"
#include "vmdk/format/descriptor_padding.hpp"
#include "vmdk/format/encoding.hpp"
#include "vmdk/format/severity.hpp"

namespace vmdk::detail {

/// Hands findings on, and remembers whether the text is still usable and whether to go on.
template <class Report>
class finding_log {
 public:
  constexpr explicit finding_log(Report& report) noexcept : report_(&report) {}

  constexpr void add(errc code, std::size_t offset) noexcept {
    if (stopped_) return;
    stopped_ = !(*report_)(code, offset);
    if ((stopped_ || severity_of(code) == severity::error) && !why_) {
      why_ = image_failure(code, offset);
    }
  }
  /// Adds a finding that is worth telling once a text.
  constexpr void add_first(errc code, std::size_t offset, bool& told) noexcept {
    if (!told) add(code, offset);
    told = true;
  }

  [[nodiscard]] constexpr bool stopped() const noexcept { return stopped_; }
  /// Why the text is not usable.
  [[nodiscard]] constexpr failure why() const noexcept { return why_; }

 private:
  Report* report_;
  failure why_{};
  bool stopped_ = false;
};

/// The text before its padding.
template <class Report>
[[nodiscard]] constexpr std::string_view without_padding(std::string_view bytes,
                                                         descriptor_place place,
                                                         finding_log<Report>& log) noexcept {
  std::size_t end = 0;
  while (end < bytes.size() && bytes.data()[end] != '\0') ++end;
  const std::string_view text = part(bytes, 0, end);
  descriptor_padding padding;
  for (std::size_t i = end; i < bytes.size(); ++i) padding.add(bytes.data()[i]);
  if (const errc broken = padding.broken_rule(text, place); broken != errc::none) {
    log.add(broken, end + padding.broken_at());
  }
  return text;
}

/// Checks what must hold for every character and line. Returns the offset of the first character
/// that is not ASCII, or the size.
template <class Report>
constexpr std::size_t check_characters(std::string_view text, finding_log<Report>& log) noexcept {
  bool control_told = false;
  bool line_end_told = false;
  bool unusual_end_told = false;
  bool tab_told = false;
  bool length_told = false;
  std::size_t first_not_ascii = text.size();
  std::size_t line_begin = 0;
  const char* p = text.data();
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = p[i];
    if (c == '\n') {
      line_begin = i + 1;
    } else if (i - line_begin >= descriptor_line_max_bytes) {
      log.add_first(errc::descriptor_line_too_long, line_begin, length_told);
    }
    if (c == '\r') {
      if (i + 1 == text.size() || p[i + 1] != '\n') {
        log.add_first(errc::descriptor_line_end_invalid, i, line_end_told);
      } else {
        log.add_first(errc::descriptor_line_end_unusual, i, unusual_end_told);
      }
    } else if (c == '\t') {
      log.add_first(errc::descriptor_blanks_unusual, i, tab_told);
    } else if (is_control(c) && c != '\n') {
      log.add_first(errc::descriptor_control_character, i, control_told);
    } else if (!is_ascii(c) && first_not_ascii == text.size()) {
      first_not_ascii = i;
    }
  }
  return first_not_ascii;
}

/// Checks that the characters from the first that is not ASCII on are what the encoding has.
template <class Report>
constexpr void check_encoding(std::string_view text, std::size_t first_not_ascii,
                              text_encoding encoding, finding_log<Report>& log) noexcept {
  if (first_not_ascii == text.size()) return;
  if (encoding == text_encoding::other) {
    log.add(errc::descriptor_encoding_unknown, first_not_ascii);
  } else if (encoding == text_encoding::utf_8) {
    const std::size_t good = utf8_prefix_bytes(part(text, first_not_ascii));
    if (first_not_ascii + good != text.size()) {
      log.add(errc::descriptor_not_utf8, first_not_ascii + good);
    }
  }
}

}  // namespace vmdk::detail
