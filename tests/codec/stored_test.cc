// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/codec/stored.hpp"

#include <catch2/catch.hpp>
#include <vector>

#include "stream_builder.hpp"
#include "vmdk/codec/inflate.hpp"

namespace stored_test {
namespace {

using namespace vmdk;
using vmdk::inflate;  // Not zlib's function.

static_assert(Encoder<stored>);
static_assert(stored::bound(0) == 11 && stored::bound(1) == 12);
static_assert(stored::bound(65535) == 65535 + 11 && stored::bound(65536) == 65536 + 16);
static_assert(stored::bound(131070) == 131070 + 16 && stored::bound(131071) == 131071 + 21);

constexpr bool counts_blocks() {
  for (std::size_t n = 1; n < 40000000; n += 65535 * 3 - 1 + n % 3) {
    if (detail::stored_blocks(n) != (n + 65534) / 65535) return false;
  }
  return detail::stored_blocks(0) == 1;
}
static_assert(counts_blocks());

constexpr bool known_answer() {
  constexpr std::byte in[] = {std::byte{'a'}, std::byte{'b'}, std::byte{'c'}};
  constexpr unsigned expected[] = {0x78, 0x01, 0x01, 0x03, 0x00, 0xFC, 0xFF,
                                   'a',  'b',  'c',  0x02, 0x4D, 0x01, 0x27};
  std::byte out[stored::bound(3)]{};
  const result<std::size_t> bytes = stored{}.encode(in, out);
  bool ok = bytes.ok() && *bytes == sizeof out && sizeof out == sizeof expected / sizeof *expected;
  for (std::size_t i = 0; i < sizeof out; ++i) ok = ok && out[i] == std::byte(expected[i]);
  const result<std::size_t> refused = stored{}.encode(in, byte_span(out).first(sizeof out - 1));
  return ok && refused.error() == codec_failure(errc::encoded_too_large, 0, sizeof out);
}
static_assert(known_answer());

TEST_CASE("stored: known answer") {
  CHECK(known_answer());
  CHECK(counts_blocks());
}

TEST_CASE("stored: lengths around the block's come back") {
  inflate decoder;
  for (const std::size_t n : {0U, 1U, 65534U, 65535U, 65536U, 131070U, 131071U, 1048576U}) {
    std::vector<std::byte> in(n), back(n), out(stored::bound(n));
    codec_test::fill(in.data(), n, codec_test::content::random, n);
    REQUIRE(stored{}.encode(in, out).value_or(0) == out.size());
    single_supply supply{out};
    REQUIRE_FALSE(decoder.decode(supply, back));
    REQUIRE(in == back);
  }
}

}  // namespace

}  // namespace stored_test
