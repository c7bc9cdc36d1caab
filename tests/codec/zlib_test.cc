// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/codec/zlib.hpp"

#include <catch2/catch.hpp>
#include <utility>
#include <vector>

#include "stream_builder.hpp"
#include "vmdk/codec/inflate.hpp"
#include "vmdk/codec/libdeflate.hpp"

namespace zlib_test {
namespace {

using namespace vmdk;
using codec_test::content;
using codec_test::piece_supply;
using codec_test::stream_builder;
using bytes = std::vector<std::byte>;

static_assert(Encoder<zlib_encoder> && Decoder<zlib_decoder>);
static_assert(Encoder<libdeflate_encoder> && Decoder<libdeflate_decoder>);
static_assert(!zlib_decoder::needs_contiguous_input && libdeflate_decoder::needs_contiguous_input);

template <class Encoder>
void check_encoder(unsigned highest_level) {
  vmdk::inflate ours;
  zlib_decoder zlib;
  libdeflate_decoder other;
  for (unsigned level = 0; level <= highest_level + 1; ++level) {
    Encoder encoder(level);
    for (unsigned kind = 0; kind < static_cast<unsigned>(content::count); ++kind) {
      for (const std::size_t n : {0U, 1U, 300U, 65536U, 200000U}) {
        if (level > 9 && n > 65536) continue;
        bytes in(n), out(Encoder::bound(n)), back(n);
        codec_test::fill(in.data(), n, static_cast<content>(kind), n);
        const std::size_t length = encoder.encode(in, out).value_or(0);
        REQUIRE(length != 0);
        const byte_view stream = byte_view(out).first(length);
        const auto decodes = [&](auto& decoder, std::size_t piece) {
          std::fill(back.begin(), back.end(), std::byte{0xEE});
          piece_supply supply(stream, piece);
          return !decoder.decode(supply, back) && back == in;
        };
        REQUIRE(decodes(ours, length));
        REQUIRE(decodes(zlib, 1000));
        REQUIRE(decodes(other, length));
        bytes small(length - 1);
        REQUIRE(encoder.encode(in, small).error() ==
                codec_failure(errc::encoded_too_large, 0,
                              static_cast<std::uint32_t>(Encoder::bound(n))));
      }
    }
  }
}

TEST_CASE("zlib_encoder and libdeflate_encoder: everything comes back, within the bound") {
  check_encoder<zlib_encoder>(9);
  check_encoder<libdeflate_encoder>(12);
}

/// The errors of one decoder, with all the input in one piece.
template <class Decoder>
void check_errors(Decoder decoder) {
  const std::byte text[] = {std::byte{'a'}, std::byte{'b'}};
  const auto decode = [&](const stream_builder& stream, std::size_t n) {
    bytes out(n);
    single_supply supply(stream.view());
    return decoder.decode(supply, out);
  };
  stream_builder good, wrong, longer, far;
  good.header().block(1).fixed('a').fixed('b').fixed(256).checksum(text);
  wrong.header().block(1).fixed('a').fixed('c').fixed(256).checksum(text);
  longer = good;
  longer.bytes({0});
  far.header().block(1).fixed('a').fixed(257).code(1, 5).number(0, 30);
  stream_builder code;
  code.header().block(2).number(0, 5).number(0, 5).number(0, 4).number(0xFFF, 12).number(0, 30);
  CHECK_FALSE(decode(good, 2));
  CHECK(decode(good, 1).code == errc::stream_output_overrun);
  CHECK(decode(good, 3).code == errc::stream_output_short);
  CHECK(decode(wrong, 2).code == errc::stream_checksum);
  CHECK(decode(longer, 2).code == errc::stream_input_left);
  CHECK(decode(far, 9).code == errc::stream_symbol_invalid);
  CHECK(decode(code, 9).code == errc::stream_code_invalid);
  CHECK(decode(stream_builder().bytes({0x78, 0x9C, 7}), 2).code == errc::stream_block_invalid);
  CHECK(decode(stream_builder().bytes({0x78, 0x9D}), 2).code == errc::stream_header_invalid);
  CHECK(decode(stream_builder().bytes({0x78, 0xBB, 0, 0, 0, 1}), 2).code ==
        errc::stream_dictionary);
  CHECK(decode(stream_builder().header(), 2).code == errc::stream_truncated);
  CHECK(decode(wrong, 2).from == origin::codec);
  // After an error the decoder is as good as before; also when it was moved.
  Decoder moved(std::move(decoder));
  bytes out(2);
  single_supply supply(good.view());
  CHECK_FALSE(moved.decode(supply, out));
  const failure broken = source_failure(errc::read_failed, 5, 6);
  piece_supply failing({}, 9, broken);
  CHECK(moved.decode(failing, out) == broken);
  piece_supply failing_later(good.view(), 100, broken);
  CHECK(moved.decode(failing_later, out) == broken);
}

TEST_CASE("zlib_decoder and libdeflate_decoder: each error") {
  check_errors(zlib_decoder());
  check_errors(libdeflate_decoder());
  check_errors(vmdk::inflate());
  check_errors(small_inflate());
}

}  // namespace

}  // namespace zlib_test
