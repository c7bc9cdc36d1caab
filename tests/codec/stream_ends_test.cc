// SPDX-License-Identifier: BSD-2-Clause
#include <array>
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "vmdk/codec/code_header.hpp"
#include "vmdk/codec/deflate.hpp"
#include "vmdk/codec/inflate.hpp"

namespace stream_ends_test {
namespace {

using namespace vmdk;
using vmdk::deflate;
using vmdk::inflate;  // Not zlib's functions.
using bytes = std::vector<std::byte>;

TEST_CASE("inflate: input behind a stream is found, however much of it was taken in advance") {
  const auto encoder = std::make_unique<deflate>();
  for (std::size_t n = 1000; n < 101000; n += 997) {
    bytes in(n, std::byte{7});
    bytes stream(deflate::bound(n));
    stream.resize(encoder->encode(in, stream).value());
    for (const std::size_t more : {1u, 2u, 8u, 64u}) {
      bytes longer = stream;
      longer.resize(stream.size() + more);
      bytes back(n);
      inflate decoder;
      single_supply supply{longer};
      INFO(n << " bytes and " << more << " behind the stream");
      CHECK(decoder.decode(supply, back).code == errc::stream_input_left);
    }
  }
}

TEST_CASE("code_header: a block without distances states one code length of 0") {
  std::array<std::uint8_t, detail::all_symbols> lengths{};
  lengths[0] = lengths[256] = 1;
  detail::code_builder_memory memory;
  detail::code_header header;
  const std::size_t bits = header.plan(lengths.data(), memory);
  bytes out(100);
  detail::bit_output output{.next = out.data(), .end = out.data() + out.size()};
  header.write(output);
  output.align();
  output.flush();
  // HLIT and HDIST are 0: 257 literal codes and one distance code.
  CHECK((static_cast<unsigned>(out[0]) & 0x1F) == 0);
  CHECK((static_cast<unsigned>(out[0]) >> 5 | (static_cast<unsigned>(out[1]) & 3) << 3) == 0);
  CHECK(bits > 17);
}

}  // namespace

}  // namespace stream_ends_test
