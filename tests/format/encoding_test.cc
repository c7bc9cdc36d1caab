// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/format/encoding.hpp"

#include <catch2/catch.hpp>
#include <span>
#include <string_view>

namespace encoding_test {
namespace {

using vmdk::encoding_named;
using vmdk::is_utf8;
using vmdk::name_to_utf8;
using vmdk::text_encoding;

constexpr bool encodings_have_names() {
  return encoding_named("") == text_encoding::utf_8 &&
         encoding_named("UTF-8") == text_encoding::utf_8 &&
         encoding_named("utf-8") == text_encoding::utf_8 &&
         encoding_named("windows-1252") == text_encoding::windows_1252 &&
         encoding_named("GBK") == text_encoding::other &&
         encoding_named("windows-1251") == text_encoding::other;
}
static_assert(encodings_have_names());
TEST_CASE("encodings are known by name") { CHECK(encodings_have_names()); }

constexpr bool utf8_is_checked() {
  constexpr std::string_view good[] = {"",
                                       "abc",
                                       "\x7f",
                                       "\xC2\x80",
                                       "\xDF\xBF",
                                       "\xE0\xA0\x80",
                                       "\xED\x9F\xBF",
                                       "\xEE\x80\x80",
                                       "\xEF\xBF\xBF",
                                       "\xF0\x90\x80\x80",
                                       "\xF4\x8F\xBF\xBF",
                                       "a\xC3\xA4z"};
  constexpr std::string_view bad[] = {"\x80",
                                      "\xBF",
                                      "\xC0\x80",
                                      "\xC1\xBF",
                                      "\xC2",
                                      "\xC2\x7F",
                                      "\xE0\x9F\xBF",
                                      "\xED\xA0\x80",
                                      "\xE1\x80",
                                      "\xFF",
                                      "\xF0\x8F\xBF\xBF",
                                      "\xF4\x90\x80\x80",
                                      "\xF0\x90\x80",
                                      "\xC2\xC0",
                                      "\xF0\x90\x7F\x80",
                                      "\xF0\x90\x80\x7F",
                                      "\xF5\x80\x80\x80",
                                      "a\xE4z"};
  for (const auto text : good) {
    if (!is_utf8(text)) return false;
  }
  for (const auto text : bad) {
    if (is_utf8(text)) return false;
  }
  return vmdk::utf8_prefix_bytes("ab\xC3\xA4\xE4z") == 4;
}
static_assert(utf8_is_checked());
TEST_CASE("UTF-8 has no overlong forms, surrogates or points past the last") {
  CHECK(utf8_is_checked());
}

constexpr bool windows_1252_is_converted() {
  char memory[32] = {};
  const auto text = name_to_utf8("a\xE4\x80\x9F\x81\xFF", text_encoding::windows_1252, memory);
  return text.ok() && *text == "a\xC3\xA4\xE2\x82\xAC\xC5\xB8\xC2\x81\xC3\xBF" && is_utf8(*text);
}
static_assert(windows_1252_is_converted());
TEST_CASE("windows-1252 names become UTF-8") { CHECK(windows_1252_is_converted()); }

constexpr bool little_memory_is_refused() {
  char memory[4] = {};
  const auto text = name_to_utf8("a\xE4\x80", text_encoding::windows_1252, memory);
  return text.error() == vmdk::options_failure(vmdk::errc::workspace_too_small, 0, 6) &&
         name_to_utf8("a\xE4", text_encoding::windows_1252, std::span(memory).first(3)).ok();
}
static_assert(little_memory_is_refused());
TEST_CASE("a conversion that needs more memory says how much") {
  CHECK(little_memory_is_refused());
}

constexpr bool other_names_stay() {
  const std::string_view name = "a\xE4";
  return name_to_utf8(name, text_encoding::other, {}).value().data() == name.data() &&
         name_to_utf8(name, text_encoding::utf_8, {}).value() == name;
}
static_assert(other_names_stay());
TEST_CASE("other encodings need no memory") { CHECK(other_names_stay()); }

}  // namespace

}  // namespace encoding_test
