// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/codec/deflate.hpp"

#include <catch2/catch.hpp>
#include <memory>
#include <vector>

#include "stream_builder.hpp"
#include "vmdk/codec/inflate.hpp"

namespace deflate_test {
namespace {

using namespace vmdk;
using codec_test::content;
using codec_test::stream_builder;
using vmdk::deflate;
using vmdk::inflate;  // Not zlib's functions.

static_assert(Encoder<deflate> && Encoder<small_deflate>);
static_assert(deflate::bound(65536) <= 65536 + 500 && deflate::bound(0) == stored::bound(0));
static_assert(sizeof(small_deflate) <= 24 * 1024);
static_assert(sizeof(deflate) <= 400 * 1024);

using bytes = std::vector<std::byte>;

constexpr bool equals(byte_view out, const stream_builder& expected) {
  return out.size() == expected.view().size() &&
         equal_bytes(out.data(), expected.view().data(), out.size());
}

/// Short inputs, whose best stream can be written down.
constexpr bool known_answers() {
  small_deflate encoder;
  std::byte in[100]{}, out[300]{};
  for (std::byte& b : in) b = std::byte{'a'};
  const auto encode = [&](std::size_t n) {
    const result<std::size_t> length = encoder.encode({in, n}, out);
    return byte_view(out).first(length.value_or(0));
  };
  stream_builder none, one;
  none.header().block(1).fixed(256).checksum({});
  one.header().block(1).fixed('a').fixed(256).checksum({in, 1});
  bool ok = equals(encode(0), none) && equals(encode(1), one);
  // A run: one literal and a match from one byte back, of length symbol 276 (59 .. 66).
  stream_builder run;
  run.header().block(1).fixed('a').fixed(276).number(63 - 59, 3).code(0, 5).fixed(256);
  run.checksum({in, 64});
  ok = ok && equals(encode(64), run);
  small_inflate decoder;
  for (std::size_t n = 0; n <= sizeof in; n += 9) {
    std::byte back[sizeof in]{};
    single_supply supply(encode(n));
    ok = ok && !decoder.decode(supply, {back, n}) && equal_bytes(back, in, n);
  }
  return ok;
}
static_assert(known_answers());

/// An object of the default level is all zeros, so that it costs a device no flash.
constexpr bool default_is_level_6() {
  std::byte in[200]{}, out[300]{}, other[300]{};
  codec_test::fill(in, sizeof in, content::text, 1);
  small_deflate encoder, explicit_encoder(6);
  const std::size_t n = encoder.encode(in, out).value_or(0);
  return n != 0 && n == explicit_encoder.encode(in, other).value_or(1) &&
         equal_bytes(out, other, n);
}
static_assert(default_is_level_6());

struct array_16k {
  std::byte bytes[16384]{};
};
struct stream_16k {
  std::byte bytes[deflate::bound(16384)]{};
  std::size_t n = 0;
};
constexpr array_16k make_16k(content kind) {
  array_16k array;
  codec_test::fill(array.bytes, sizeof array.bytes, kind, 7);
  return array;
}
constexpr stream_16k compress_16k(const array_16k& in) {
  stream_16k stream;
  deflate encoder;
  stream.n = encoder.encode(in.bytes, stream.bytes).value_or(0);
  return stream;
}
constexpr bool expands_16k(const stream_16k& stream, const array_16k& in) {
  array_16k back;
  inflate decoder;
  single_supply supply({stream.bytes, stream.n});
  return !decoder.decode(supply, back.bytes) && equal_bytes(back.bytes, in.bytes, sizeof in.bytes);
}

// 16 KiB in one piece, by the default level, inside the compilers' default limits.
constexpr array_16k text_16k = make_16k(content::text);
constexpr stream_16k text_16k_stream = compress_16k(text_16k);
static_assert(expands_16k(text_16k_stream, text_16k));
constexpr array_16k skewed_16k = make_16k(content::skewed);
constexpr stream_16k skewed_16k_stream = compress_16k(skewed_16k);
static_assert(expands_16k(skewed_16k_stream, skewed_16k));

TEST_CASE("deflate: known answers") {
  CHECK(known_answers());
  CHECK(default_is_level_6());
}

TEST_CASE("deflate: the same bytes in the compiler and at run time") {
  const auto same = [](const stream_16k& stream, const array_16k& in) {
    const auto encoder = std::make_unique<deflate>();
    bytes out(deflate::bound(sizeof in.bytes));
    out.resize(encoder->encode(in.bytes, out).value_or(0));
    return out.size() == stream.n && equal_bytes(out.data(), stream.bytes, stream.n);
  };
  CHECK(same(text_16k_stream, text_16k));
  CHECK(same(skewed_16k_stream, skewed_16k));
  CHECK(expands_16k(text_16k_stream, text_16k));
}

template <class Encoder>
bool comes_back(Encoder& encoder, const bytes& in) {
  bytes out(Encoder::bound(in.size())), back(in.size());
  const result<std::size_t> n = encoder.encode(in, out);
  if (!n || *n > out.size()) return false;
  out.resize(*n);
  single_supply supply{out};
  inflate decoder;
  return !decoder.decode(supply, back) && back == in;
}

TEST_CASE("deflate: everything comes back, at every level, never longer than stored") {
  const auto small = std::make_unique<basic_deflate<6, 8, 16>>(9);
  for (unsigned level = 0; level <= 10; ++level) {
    const auto encoder = std::make_unique<deflate>(level);
    const auto small_encoder = std::make_unique<small_deflate>(level);
    for (unsigned kind = 0; kind < static_cast<unsigned>(content::count); ++kind) {
      for (std::size_t n = 0; n < 70000; n += n < 20 ? 1 : n < 400 ? 37 : n) {
        bytes in(n);
        codec_test::fill(in.data(), n, static_cast<content>(kind), n + level);
        INFO("level " << level << " kind " << kind << " bytes " << n);
        REQUIRE(comes_back(*encoder, in));
        REQUIRE(comes_back(*small_encoder, in));
        if (level == 9) REQUIRE(comes_back(*small, in));
      }
    }
  }
}

TEST_CASE("deflate: a grain of 1 MiB of mixed content") {
  bytes in(1 << 20);
  for (std::size_t at = 0; at < in.size(); at += 1 << 16) {
    codec_test::fill(in.data() + at, 1 << 16, static_cast<content>((at >> 16) % 5), at % 7);
  }
  for (const unsigned level : {1U, 6U, 9U}) {
    const auto encoder = std::make_unique<deflate>(level);
    CHECK(comes_back(*encoder, in));
  }
}

TEST_CASE("deflate: the output depends on the input alone") {
  for (const unsigned level : {1U, 6U, 9U}) {
    const auto used = std::make_unique<deflate>(level);
    for (unsigned round = 0; round < 20; ++round) {
      // Longer than the window and than 2^16 positions: what earlier calls left must not count.
      bytes in(round % 4 == 0 ? 150000 : 3000 * round);
      codec_test::fill(in.data(), in.size(), static_cast<content>(1 + round % 4), round % 3);
      const auto fresh = std::make_unique<deflate>(level);
      bytes out(deflate::bound(in.size())), expected(out.size() + 100);
      const std::size_t n = used->encode(in, out).value_or(0);
      REQUIRE(n == fresh->encode(in, expected).value_or(1));
      REQUIRE(equal_bytes(out.data(), expected.data(), n));
    }
  }
}

TEST_CASE("deflate: too little room is an error, just enough is not") {
  const auto encoder = std::make_unique<deflate>();
  for (unsigned kind = 0; kind < static_cast<unsigned>(content::count); ++kind) {
    for (const std::size_t n : {0U, 1U, 100U, 5000U, 70000U}) {
      bytes in(n), out(deflate::bound(n));
      codec_test::fill(in.data(), n, static_cast<content>(kind), n);
      const std::size_t length = encoder->encode(in, out).value_or(0);
      REQUIRE(length != 0);
      for (std::size_t room = 0; room < length; room += 1 + (length - room) / 2) {
        bytes less(room);
        less.shrink_to_fit();
        const failure why = encoder->encode(in, less).error();
        REQUIRE(why == codec_failure(errc::encoded_too_large, 0,
                                     static_cast<std::uint32_t>(deflate::bound(n))));
      }
      bytes enough(length);
      REQUIRE(encoder->encode(in, enough).value_or(0) == length);
      REQUIRE(equal_bytes(enough.data(), out.data(), length));
    }
  }
}

TEST_CASE("deflate: higher levels are not worse") {
  std::size_t before = 100000;
  bytes in(65536);
  codec_test::fill(in.data(), in.size(), content::text, 3);
  for (unsigned level = 0; level <= 9; ++level) {
    const auto encoder = std::make_unique<deflate>(level);
    bytes out(deflate::bound(in.size()));
    const std::size_t n = encoder->encode(in, out).value_or(before + 1);
    CHECK(n <= before + before / 100);
    before = n;
  }
}

}  // namespace

}  // namespace deflate_test
