// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/format/text.hpp"

#include <catch2/catch.hpp>
#include <cstdint>
#include <limits>
#include <string_view>

namespace text_test {
namespace {

using vmdk::detail::number_text;
using vmdk::detail::read_decimal;
using vmdk::detail::read_hex;
using vmdk::detail::same_ignoring_case;
using vmdk::detail::trimmed;

constexpr bool decimal_is(std::string_view text, std::uint64_t expected) {
  std::uint64_t value = 12345;
  return read_decimal(text, value) && value == expected;
}

constexpr bool decimal_fails(std::string_view text) {
  std::uint64_t value = 12345;
  return !read_decimal(text, value) && value == 12345;
}

constexpr bool decimals_are_read() {
  return decimal_is("0", 0) && decimal_is("7", 7) && decimal_is("0042", 42) &&
         decimal_is("18446744073709551615", (std::numeric_limits<std::uint64_t>::max)()) &&
         decimal_is("000000000000000000000000000001", 1) && decimal_fails("") &&
         decimal_fails("18446744073709551616") && decimal_fails("99999999999999999999") &&
         decimal_fails("-1") && decimal_fails("+1") && decimal_fails(" 1") && decimal_fails("1 ") &&
         decimal_fails("0x1") && decimal_fails("1.0");
}
static_assert(decimals_are_read());
TEST_CASE("decimal numbers are digits that fit 64 bits") { CHECK(decimals_are_read()); }

constexpr bool hex_is(std::string_view text, std::uint32_t expected) {
  std::uint32_t value = 7;
  return read_hex(text, value) && value == expected;
}

constexpr bool hex_fails(std::string_view text) {
  std::uint32_t value = 7;
  return !read_hex(text, value) && value == 7;
}

constexpr bool hex_is_read() {
  return hex_is("0", 0) && hex_is("ffffffff", 0xFFFFFFFF) && hex_is("DeadBeef", 0xDEADBEEF) &&
         hex_is("1af", 0x1AF) && hex_fails("") && hex_fails("123456789") && hex_fails("0x12") &&
         hex_fails("g") && hex_fails("12 ") && hex_fails("-1") && hex_fails("@") && hex_fails("`");
}
static_assert(hex_is_read());
TEST_CASE("hexadecimal numbers have one to eight digits") { CHECK(hex_is_read()); }

constexpr bool numbers_are_spelled() {
  return number_text::decimal(0).view() == "0" && number_text::decimal(10).view() == "10" &&
         number_text::decimal(9).view() == "9" && number_text::decimal(1, 3).view() == "001" &&
         number_text::decimal(999, 3).view() == "999" &&
         number_text::decimal(1000, 3).view() == "1000" &&
         number_text::decimal((std::numeric_limits<std::uint64_t>::max)()).view() ==
             "18446744073709551615" &&
         number_text::decimal(10000000000000000000u).view() == "10000000000000000000" &&
         number_text::hex(0xABC, 8).view() == "00000abc" &&
         number_text::hex(0x123456789, 8).view() == "23456789" &&
         number_text::hex(0xFEDCBA9876543210, 16).view() == "fedcba9876543210";
}
static_assert(numbers_are_spelled());
TEST_CASE("numbers are spelled with at least so many digits") { CHECK(numbers_are_spelled()); }

constexpr bool every_decimal_comes_back() {
  std::uint64_t n = 1;
  for (int i = 0; i < 64; ++i, n = n * 7 + 3) {
    if (!decimal_is(number_text::decimal(n).view(), n)) return false;
  }
  return true;
}
static_assert(every_decimal_comes_back());
TEST_CASE("a spelled number reads as itself") { CHECK(every_decimal_comes_back()); }

constexpr bool text_is_compared() {
  return same_ignoring_case("createType", "CREATEtYPE") && !same_ignoring_case("a", "ab") &&
         !same_ignoring_case("@", "`") && !same_ignoring_case("[", "{") &&
         same_ignoring_case("", "") && vmdk::detail::starts_with_ignoring_case("DDB.x", "ddb.") &&
         !vmdk::detail::starts_with_ignoring_case("dd", "ddb.") && trimmed(" \ta b\t ") == "a b" &&
         trimmed("  ").empty() && trimmed("").empty();
}
static_assert(text_is_compared());
TEST_CASE("only ASCII letters have two cases") { CHECK(text_is_compared()); }

}  // namespace

}  // namespace text_test
