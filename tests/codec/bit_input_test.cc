// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/codec/bit_input.hpp"

#include <catch2/catch.hpp>

#include "stream_builder.hpp"

namespace bit_input_test {
namespace {

using namespace vmdk;

constexpr bool reads_bits_across_pieces() {
  const codec_test::stream_builder stream =
      codec_test::stream_builder().number(5, 3).number(0x1234, 13).number(1, 1).bytes({0xAB, 0xCD});
  for (std::size_t piece = 1; piece <= 6; ++piece) {
    codec_test::piece_supply supply(stream.view(), piece);
    detail::bit_input in(supply);
    bool ok = in.fill(3) && in.take(3) == 5 && in.fill(13) && in.take(13) == 0x1234;
    ok = ok && in.offset_bytes() == 2 && in.fill(1) && in.take(1) == 1;
    in.align();
    ok = ok && in.offset_bytes() == 3 && in.fill(16) && in.take(16) == 0xCDAB;
    ok = ok && in.offset_bytes() == 5 && in.fill(0) && !in.fill(1) && !in.fill(16) && !in.pull();
    if (!ok || in.supply_failure || !in.ended || in.supplied_bytes != 5) return false;
  }
  return true;
}
static_assert(reads_bits_across_pieces());

constexpr bool keeps_the_supply_s_failure() {
  const failure broken = source_failure(errc::read_failed, 9);
  codec_test::piece_supply supply({}, 1, broken);
  detail::bit_input in(supply);
  return !in.fill(1) && in.supply_failure == broken && !in.fill(1);
}
static_assert(keeps_the_supply_s_failure());

constexpr bool loads_words() {
  std::byte bytes[9]{};
  for (unsigned i = 0; i < 9; ++i) bytes[i] = static_cast<std::byte>(i);
  return detail::load_word(bytes + 1) == 0x0807060504030201;
}
static_assert(loads_words());

TEST_CASE("bit_input") {
  CHECK(reads_bits_across_pieces());
  CHECK(keeps_the_supply_s_failure());
  CHECK(loads_words());
}

}  // namespace

}  // namespace bit_input_test
