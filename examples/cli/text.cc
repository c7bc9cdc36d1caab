// SPDX-License-Identifier: BSD-2-Clause
#include "text.hpp"

#include <cstddef>
#include <cstdio>
#include <cstring>
#include <span>

#include "error.hpp"
#include "vmdk/core/arithmetic.hpp"
#include "vmdk/format/encoding.hpp"
#include "vmdk/format/text.hpp"
#include "vmdk/hosted/os_io.hpp"

namespace vmdk::cli {
namespace {

constexpr std::string_view units = "KMGTP";

namespace os = vmdk::detail::os;

/// Writes all of a text to a standard stream; 0 or an errno.
int write_all(os::standard_stream stream, std::string_view text) noexcept {
  std::size_t done = 0;
  return os::write_stream(os::standard(stream), std::as_bytes(std::span(text)), done);
}

/// The length of the character at the start of a text; 0 for what must not reach a terminal.
std::size_t printable_bytes(std::string_view text) noexcept {
  const std::size_t n = vmdk::detail::utf8_sequence(text);
  if (n == 1 && vmdk::detail::is_control(text.front())) return 0;
  // U+0080 to U+009F are control characters too.
  if (n == 2 && text[0] == '\xC2' && static_cast<unsigned char>(text[1]) < 0xA0) return 0;
  return n;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const std::size_t n = printable_bytes(text);
    if (n == 0) {
      const auto byte = static_cast<unsigned char>(text.front());
      shown += "\\x";
      shown += vmdk::detail::number_text::hex(byte, 2).view();
    } else {
      shown += text.substr(0, n);
    }
    text.remove_prefix(n == 0 ? 1 : n);
  }
  return shown;
}

void print(std::string_view text) {
  if (const int problem = write_all(os::standard_stream::output, text)) {
    throw error("standard output", std::strerror(problem));
  }
}

void print_note(std::string_view subject, std::string_view text) noexcept {
  std::string line = "vmdk: ";
  if (!subject.empty()) line += printable(subject) + ": ";
  print_error(line + printable(text) + '\n');
}

void print_error(std::string_view text) noexcept {
  // There is nobody left to tell when this fails.
  (void)write_all(os::standard_stream::error, text);
}

bool read_size(std::string_view text, std::uint64_t& bytes) {
  unsigned shift = 0;
  if (!text.empty()) {
    const char last = text.back();
    for (std::size_t i = 0; i < units.size(); ++i) {
      if (vmdk::detail::lower(last) != vmdk::detail::lower(units[i])) continue;
      shift = 10 * static_cast<unsigned>(i + 1);
      text.remove_suffix(1);
      break;
    }
  }
  std::uint64_t number = 0;
  return vmdk::detail::read_decimal(text, number) && checked_shift(number, shift, bytes);
}

std::string counted(std::uint64_t count, std::string_view what) {
  std::string text = std::to_string(count) + ' ';
  text += what;
  if (count != 1) text += 's';
  return text;
}

std::string size_text(std::uint64_t bytes) {
  if (bytes < 1024) return counted(bytes, "byte");
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  char digits[32];
  (void)std::snprintf(digits, sizeof digits, "%.2f", value);
  std::string shown = digits;
  while (shown.back() == '0') shown.pop_back();
  if (shown.back() == '.') shown.pop_back();
  return shown + ' ' + units[unit] + "iB";
}

std::string exact_size_text(std::uint64_t bytes) {
  const std::string exact = counted(bytes, "byte");
  return bytes < 1024 ? exact : exact + " (" + size_text(bytes) + ')';
}

}  // namespace vmdk::cli
