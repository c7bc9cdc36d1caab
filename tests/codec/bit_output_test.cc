// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/codec/bit_output.hpp"

#include <catch2/catch.hpp>

#include "stream_builder.hpp"
#include "vmdk/core/bytes.hpp"

namespace bit_output_test {
namespace {

using namespace vmdk;

/// The bytes come out alike whether they are written in words or, near the end of the room, singly.
constexpr bool writes_bits(std::size_t room) {
  codec_test::generator random(4);
  codec_test::stream_builder expected;
  std::byte bytes[64]{};
  detail::bit_output out{bytes, bytes + room};
  unsigned bits = 0;
  while (bits < 8 * 40 - 16) {
    const unsigned n = random.below(17);
    const std::uint32_t value = random.next() & ((1U << n) - 1);
    out.put(value, n);
    expected.number(value, n);
    bits += n;
    if (random.below(3) == 0 || out.count > 40) out.flush();
  }
  out.align();
  const auto n = static_cast<std::size_t>(out.next - bytes);
  bool ok = out.count == 0 && n == expected.view().size();
  ok = ok && equal_bytes(bytes, expected.view().data(), n);
  for (std::size_t i = room; i < sizeof bytes; ++i) ok = ok && bytes[i] == std::byte{0};
  return ok;
}
static_assert(writes_bits(40) && writes_bits(64));

TEST_CASE("bit_output") {
  CHECK(writes_bits(40));
  CHECK(writes_bits(41));
  CHECK(writes_bits(64));
}

}  // namespace

}  // namespace bit_output_test
