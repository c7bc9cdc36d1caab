// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/core/to_string.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace to_string_test {
namespace {

using vmdk::errc;

/// True when a number is one of errc's enumerators: compilers then spell its name here, else a
/// cast.
template <errc Code>
constexpr bool is_enumerator() {
  const std::string_view spelled = __PRETTY_FUNCTION__;
  const std::size_t at = spelled.find("Code = ");
  return at != std::string_view::npos && spelled[at + 7] != '(';
}

static_assert(is_enumerator<errc::read_failed>());
static_assert(!is_enumerator<static_cast<errc>(99)>());

constexpr std::size_t block = 128;
constexpr std::size_t blocks = 8;  // Codes of the library's own are below 1024.

template <std::size_t Base, std::size_t... I>
constexpr std::array<bool, block> enumerators(std::index_sequence<I...>) {
  return {is_enumerator<static_cast<errc>(Base + I)>()...};
}

template <std::size_t Base>
void check_block() {
  constexpr auto used = enumerators<Base>(std::make_index_sequence<block>());
  for (std::size_t i = 0; i < block; ++i) {
    const auto text = vmdk::to_string(static_cast<errc>(Base + i));
    INFO("code " << Base + i << ": " << text);
    CHECK((text != "an unknown error") == used[i]);
  }
}

template <std::size_t... Block>
void check_blocks(std::index_sequence<Block...>) {
  (check_block<Block * block>(), ...);
}

TEST_CASE("every code has a sentence, and no other number has") {
  check_blocks(std::make_index_sequence<blocks>());
}

TEST_CASE("sentences can follow a file's name on one line, and differ") {
  const auto& all = vmdk::detail::error_sentences;
  for (const auto& one : all) {
    INFO(one.text);
    CHECK(one.text.size() >= 10);
    CHECK(one.text.size() <= 100);
    CHECK(one.text.back() != '.');
    CHECK(one.text.find('\n') == std::string_view::npos);
    int same = 0;
    for (const auto& other : all) same += other.text == one.text || other.code == one.code;
    CHECK(same == 1);
  }
}

constexpr bool other_codes_are_told_apart() {
  return vmdk::to_string(errc::caller_first) == "an error of the caller's own code" &&
         vmdk::to_string(static_cast<errc>(0x9000)) == "an error of the caller's own code" &&
         vmdk::to_string(static_cast<errc>(0x7000)) == "an unknown error";
}
static_assert(other_codes_are_told_apart());
TEST_CASE("codes of the caller's own are told apart from unknown ones") {
  CHECK(other_codes_are_told_apart());
}

constexpr bool origins_have_words() {
  using vmdk::origin;
  return vmdk::to_string(origin::none) == "none" && vmdk::to_string(origin::source) == "source" &&
         vmdk::to_string(origin::sink) == "sink" && vmdk::to_string(origin::codec) == "codec" &&
         vmdk::to_string(origin::image) == "image" && vmdk::to_string(origin::files) == "files" &&
         vmdk::to_string(origin::options) == "options" &&
         vmdk::to_string(static_cast<origin>(99)) == "unknown";
}
static_assert(origins_have_words());
TEST_CASE("origins have words") { CHECK(origins_have_words()); }

}  // namespace

}  // namespace to_string_test
