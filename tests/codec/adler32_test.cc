// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/codec/adler32.hpp"

#include <catch2/catch.hpp>
#include <cstring>
#include <string_view>
#include <vector>

#include "stream_builder.hpp"

namespace adler32_test {
namespace {

using namespace vmdk;

constexpr std::uint32_t of_text(std::string_view text) {
  std::byte bytes[64]{};
  copy_text(bytes, text);
  return adler32(bytes, text.size());
}

constexpr bool known_answers() {
  return adler32({}) == 1 && of_text("a") == 0x00620062 && of_text("abc") == 0x024D0127 &&
         of_text("Wikipedia") == 0x11E60398;
}
static_assert(known_answers());

constexpr bool reduces() {
  for (std::uint32_t x = 0; x < 0xFFF00000; x += 0x000FFF1D) {
    if (detail::adler_reduce(x) != x % 65521) return false;
  }
  return detail::adler_reduce(0xFFFFFFFF) == 0xFFFFFFFF % 65521 &&
         detail::adler_reduce(65521) == 0 && detail::adler_reduce(65520) == 65520;
}
static_assert(reduces());

std::uint32_t plain(const std::byte* p, std::size_t n) {
  std::uint32_t a = 1, b = 0;
  for (std::size_t i = 0; i < n; ++i) {
    a = (a + static_cast<std::uint32_t>(p[i])) % 65521;
    b = (b + a) % 65521;
  }
  return b << 16 | a;
}

TEST_CASE("adler32: known answers") {
  CHECK(known_answers());
  CHECK(reduces());
}

TEST_CASE("adler32: every length, also of the largest bytes, and in two parts") {
  std::vector<std::byte> bytes(20000, std::byte{0xFF});
  for (const bool random : {false, true}) {
    if (random) codec_test::fill(bytes.data(), bytes.size(), codec_test::content::random, 1);
    for (std::size_t n = 0; n < bytes.size(); n += n < 600 ? 1 : 97) {
      REQUIRE(adler32(bytes.data(), n) == plain(bytes.data(), n));
      REQUIRE(adler32(bytes.data() + n / 3, n - n / 3, adler32(bytes.data(), n / 3)) ==
              plain(bytes.data(), n));
    }
  }
}

}  // namespace

}  // namespace adler32_test
