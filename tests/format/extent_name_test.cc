// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/format/extent_name.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <span>
#include <string_view>

namespace extent_name_test {
namespace {

using vmdk::extent_name;
using vmdk::is_plain_name;

constexpr bool composes(extent_name name, std::string_view expected) {
  char memory[64] = {};
  const auto text = name.compose(memory);
  return text.ok() && *text == expected && name.bytes() == expected.size();
}

constexpr bool names_are_composed() {
  return composes({"disk.vmdk"}, "disk.vmdk") && composes({"disk", 's', 1}, "disk-s001.vmdk") &&
         composes({"disk", 'f', 999}, "disk-f999.vmdk") &&
         composes({"disk", 's', 1000}, "disk-s1000.vmdk") &&
         composes({"d", 's', 4294967295}, "d-s4294967295.vmdk") && composes({}, "") &&
         composes({.stem = "disk", .kind = 'f', .flat = true}, "disk-flat.vmdk");
}
static_assert(names_are_composed());
TEST_CASE("names of pieces count from 001") { CHECK(names_are_composed()); }

constexpr bool short_memory_is_refused() {
  std::array<char, 13> memory{};
  const extent_name name{"disk", 's', 1};
  const auto text = name.compose(memory);
  return text.error() == vmdk::options_failure(vmdk::errc::workspace_too_small, 0, 14);
}
static_assert(short_memory_is_refused());
TEST_CASE("a name that does not fit its memory is refused") { CHECK(short_memory_is_refused()); }

constexpr bool plain_names_are_known() {
  constexpr std::string_view bad[] = {"",      ".",     "..",    "/etc/passwd", "../x", "a/b",
                                      "a\\b",  "C:x",   "json:", "a\"b",        "a\nb", "a\tb",
                                      "a\x7f", "nbd:x", "/",     "x/"};
  constexpr std::string_view good[] = {"disk.vmdk",      "...",          ".x", "a b",
                                       "disk-s001.vmdk", "\xC3\xA4.vmdk"};
  for (const auto name : bad) {
    if (is_plain_name(name)) return false;
  }
  for (const auto name : good) {
    if (!is_plain_name(name)) return false;
  }
  return !is_plain_name(std::string_view("a\0b", 3));
}
static_assert(plain_names_are_known());
TEST_CASE("a plain name cannot leave its folder") { CHECK(plain_names_are_known()); }

}  // namespace

}  // namespace extent_name_test
