// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/codec/inflate.hpp"

#include <catch2/catch.hpp>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "stream_builder.hpp"
#include "vmdk/codec/deflate.hpp"

namespace inflate_test {
namespace {

using namespace vmdk;
using codec_test::content;
using codec_test::piece_supply;
using codec_test::stream_builder;
using vmdk::deflate;
using vmdk::inflate;  // Not zlib's functions.

static_assert(Decoder<inflate> && !inflate::needs_contiguous_input);
static_assert(Decoder<small_inflate> && !small_inflate::needs_contiguous_input);
static_assert(sizeof(small_inflate) <= 4096);

/// Room for output, and a copy of what is expected there.
struct text_buffer {
  std::byte bytes[600]{};
  std::size_t n = 0;

  constexpr explicit text_buffer(std::string_view text) : n(text.size()) { copy_text(bytes, text); }
  constexpr explicit text_buffer(std::size_t length) : n(length) {}
  [[nodiscard]] constexpr byte_view view() const { return {bytes, n}; }
};

/// Decodes with both configurations and pieces of every size; the failure must always be the same.
constexpr failure expand(byte_view stream, byte_view expected, std::size_t largest_piece = 3) {
  failure first{};
  for (std::size_t piece = 1; piece <= largest_piece + 1; ++piece) {
    const std::size_t n = piece <= largest_piece ? piece : stream.size() + 1;
    text_buffer out(expected.size()), small_out(expected.size());
    inflate decoder;
    small_inflate small_decoder;
    piece_supply supply(stream, n), small_supply(stream, n);
    const failure now = decoder.decode(supply, {out.bytes, out.n});
    const failure small_now = small_decoder.decode(small_supply, {small_out.bytes, small_out.n});
    if (piece == 1) first = now;
    if (now != first || small_now != first) return {.code = errc::caller_first};
    if (!first && !(equal_bytes(out.bytes, expected.data(), out.n) &&
                    equal_bytes(small_out.bytes, expected.data(), out.n))) {
      return {.code = errc::caller_first};
    }
  }
  return first;
}

constexpr bool fails(const stream_builder& stream, std::size_t out_bytes, errc code,
                     std::size_t offset) {
  const text_buffer out(out_bytes);
  return expand(stream.view(), out.view()) == codec_failure(code, offset);
}

/// The zlib stream of "hello hello hello hello", as zlib 1.2.13 writes it at level 6.
constexpr bool known_answer() {
  const text_buffer text("hello hello hello hello");
  const stream_builder stream =
      stream_builder().bytes({0x78, 0x9C, 0xCB, 0x48, 0xCD, 0xC9, 0xC9, 0x57, 0xC8, 0x40, 0x27,
                              0x01, 0x68, 0x03, 0x08, 0xB1});
  return !expand(stream.view(), text.view(), 20);
}
static_assert(known_answer());

constexpr bool stored_blocks_work() {
  const text_buffer text("abcde");
  stream_builder stream;
  stream.header().block(0, false).bytes({3, 0, 0xFC, 0xFF, 'a', 'b', 'c'});
  stream.block(0, false).bytes({0, 0, 0xFF, 0xFF}).block(0).bytes({2, 0, 0xFD, 0xFF, 'd', 'e'});
  stream.checksum(text.view());
  return !expand(stream.view(), text.view(), 30);
}
static_assert(stored_blocks_work());

constexpr bool fixed_blocks_work() {
  // A match of 258 that overlaps itself, and one of 3.
  text_buffer text(1 + 258 + 1 + 3);
  for (std::size_t i = 0; i < text.n; ++i) text.bytes[i] = std::byte{0xF0};
  text.bytes[259] = text.bytes[262] = std::byte{'x'};
  stream_builder stream;
  stream.header().block(1, false).fixed(0xF0).fixed(285).code(0, 5).fixed(256);
  stream.block(1).fixed('x').fixed(257).code(2, 5).fixed(256).checksum(text.view());
  return !expand(stream.view(), text.view(), 20);
}
static_assert(fixed_blocks_work());

/// The start of a dynamic block whose code-length code gives 0, 1, 2 and 18 two bits each.
constexpr stream_builder dynamic_start(unsigned litlens, unsigned distances) {
  stream_builder stream;
  stream.header().block(2).number(litlens - 257, 5).number(distances - 1, 5).number(18 - 4, 4);
  // The order is 16 17 18 0 8 7 9 6 10 5 11 4 12 3 13 2 14 1 15.
  for (unsigned i = 0; i < 18; ++i) {
    stream.number(i == 2 || i == 3 || i == 15 || i == 17 ? 2 : 0, 3);
  }
  return stream;
}
constexpr unsigned length_0 = 0, length_1 = 1, length_2 = 2, zeros = 3;
constexpr void put_zeros(stream_builder& stream, unsigned n) {
  for (; n > 138; n -= 138) stream.code(zeros, 2).number(138 - 11, 7);
  stream.code(zeros, 2).number(n - 11, 7);
}

/// 'a' 0, end of block 10, length 3 11; distances as told.
constexpr stream_builder dynamic_block(std::initializer_list<unsigned> distances) {
  stream_builder stream = dynamic_start(258, static_cast<unsigned>(distances.size()));
  put_zeros(stream, 'a');
  stream.code(length_1, 2);
  put_zeros(stream, 255 - 'a');
  stream.code(length_2, 2).code(length_2, 2);
  for (const unsigned length : distances) stream.code(length, 2);
  return stream;
}

constexpr bool dynamic_blocks_work() {
  const text_buffer text("aaaaa");
  stream_builder one = dynamic_block({1});  // One distance code word alone may be.
  one.code(0, 1).code(0, 1).code(3, 2).code(0, 1).code(2, 2).checksum(text.view());
  stream_builder two = dynamic_block({1, 1});
  two.code(0, 1).code(0, 1).code(3, 2).code(1, 1).code(2, 2).checksum(text.view());
  stream_builder none = dynamic_block({0});
  for (int i = 0; i < 5; ++i) none.code(0, 1);
  none.code(2, 2).checksum(text.view());
  // A single code word of one bit: the end of the block.
  stream_builder empty = dynamic_start(257, 1);
  put_zeros(empty, 256);
  empty.code(length_1, 2).code(length_0, 2).code(0, 1).checksum({});
  return !expand(one.view(), text.view(), 40) && !expand(two.view(), text.view()) &&
         !expand(none.view(), text.view()) && !expand(empty.view(), {});
}
static_assert(dynamic_blocks_work());

constexpr bool headers_are_checked() {
  bool ok = fails(stream_builder(), 1, errc::stream_truncated, 0);
  ok = ok && fails(stream_builder().bytes({0x78}), 1, errc::stream_truncated, 1);
  ok = ok && fails(stream_builder().bytes({0x78, 0x9D}), 1, errc::stream_header_invalid, 2);
  ok = ok && fails(stream_builder().bytes({0x77, 0x85}), 1, errc::stream_header_invalid, 2);
  ok = ok && fails(stream_builder().bytes({0x88, 0x1C}), 1, errc::stream_header_invalid, 2);
  return ok && fails(stream_builder().bytes({0x78, 0xBB}), 1, errc::stream_dictionary, 2);
}
static_assert(headers_are_checked());

constexpr bool blocks_are_checked() {
  bool ok = fails(stream_builder().header().block(3), 1, errc::stream_block_invalid, 3);
  ok = ok && fails(stream_builder().header().block(0).bytes({1, 0, 0xFE, 0xFE, 'a'}), 1,
                   errc::stream_block_invalid, 7);
  ok = ok && fails(stream_builder().header().block(0).bytes({2, 0, 0xFD, 0xFF, 'a'}), 1,
                   errc::stream_output_overrun, 7);
  ok = ok && fails(stream_builder().header().block(0).bytes({2, 0, 0xFD, 0xFF, 'a'}), 2,
                   errc::stream_truncated, 8);
  return ok && fails(stream_builder().header().block(0).bytes({2, 0, 0xFD}), 2,
                     errc::stream_truncated, 6);
}
static_assert(blocks_are_checked());

constexpr bool codes_are_checked() {
  bool ok = true;
  // More symbols than there are.
  for (const unsigned litlens : {287U, 288U}) {
    stream_builder stream;
    stream.header().block(2).number(litlens - 257, 5).number(0, 5).number(0, 4);
    ok = ok && fails(stream, 1, errc::stream_code_invalid, 5);
  }
  for (const unsigned distances : {31U, 32U}) {
    stream_builder stream;
    stream.header().block(2).number(0, 5).number(distances - 1, 5).number(0, 4);
    ok = ok && fails(stream, 1, errc::stream_code_invalid, 5);
  }
  // A code-length code that is over-subscribed, incomplete, or nothing at all.
  for (const unsigned length : {1U, 7U, 0U}) {
    stream_builder stream;
    stream.header().block(2).number(0, 5).number(0, 5).number(0, 4);
    for (int i = 0; i < 4; ++i) stream.number(length, 3);
    ok = ok && fails(stream, 1, errc::stream_code_invalid, 6);
  }
  // A repeat with nothing before it; one that goes on too long.
  stream_builder repeat;
  repeat.header().block(2).number(0, 5).number(0, 5).number(0, 4);
  repeat.number(1, 3).number(0, 3).number(0, 3).number(1, 3).code(1, 1).number(0, 2);
  ok = ok && fails(repeat, 1, errc::stream_code_invalid, 6);
  stream_builder too_long = dynamic_start(257, 1);
  put_zeros(too_long, 138);
  put_zeros(too_long, 121);
  ok = ok && expand(too_long.view(), text_buffer(std::size_t{1}).view()).code ==
                 errc::stream_code_invalid;
  // No end of block; over-subscribed and incomplete literals, distances.
  stream_builder endless = dynamic_start(257, 1);
  put_zeros(endless, 137);
  put_zeros(endless, 117);
  endless.code(length_1, 2).code(length_1, 2).code(length_0, 2).code(length_1, 2);
  ok = ok &&
       expand(endless.view(), text_buffer(std::size_t{1}).view()).code == errc::stream_code_invalid;
  for (const unsigned first : {length_1, length_0}) {
    stream_builder stream = dynamic_start(257, 1);
    put_zeros(stream, 138);
    put_zeros(stream, 115);
    stream.code(first, 2).code(first, 2).code(first == length_1 ? 1 : 2, 2);
    stream.code(first == length_1 ? 1 : 2, 2).code(length_1, 2);
    ok = ok && expand(stream.view(), text_buffer(std::size_t{1}).view()).code ==
                   errc::stream_code_invalid;
  }
  ok = ok && expand(dynamic_block({1, 1, 1}).view(), text_buffer(std::size_t{1}).view()).code ==
                 errc::stream_code_invalid;
  ok = ok && expand(dynamic_block({1, 2}).view(), text_buffer(std::size_t{1}).view()).code ==
                 errc::stream_code_invalid;
  ok = ok && expand(dynamic_block({2}).view(), text_buffer(std::size_t{1}).view()).code ==
                 errc::stream_code_invalid;
  return ok;
}
static_assert(codes_are_checked());

constexpr bool symbols_are_checked() {
  bool ok = true;
  for (const unsigned symbol : {286U, 287U}) {
    ok = ok &&
         fails(stream_builder().header().block(1).fixed(symbol), 9, errc::stream_symbol_invalid, 4);
  }
  for (const unsigned distance : {30U, 31U}) {
    stream_builder stream;
    stream.header().block(1).fixed('a').fixed(257).code(distance, 5);
    ok = ok && fails(stream, 9, errc::stream_symbol_invalid, 5);
  }
  // Two bytes back where there is but one.
  stream_builder far;
  far.header().block(1).fixed('a').fixed(257).code(1, 5);
  ok = ok && fails(far, 9, errc::stream_symbol_invalid, 5);
  // The code word that an incomplete code leaves out.
  stream_builder left_out = dynamic_block({1});
  left_out.code(0, 1).code(3, 2).code(1, 1).number(0, 20);
  ok = ok && expand(left_out.view(), text_buffer(std::size_t{9}).view()).code ==
                 errc::stream_symbol_invalid;
  stream_builder no_distance = dynamic_block({0});
  no_distance.code(0, 1).code(3, 2).code(0, 1).number(0, 20);
  return ok && expand(no_distance.view(), text_buffer(std::size_t{9}).view()).code ==
                   errc::stream_symbol_invalid;
}
static_assert(symbols_are_checked());

constexpr bool ends_are_checked() {
  const text_buffer text("ab");
  stream_builder stream;
  stream.header().block(1).fixed('a').fixed('b').fixed(256).checksum(text.view());
  const std::size_t n = stream.view().size();
  bool ok = !expand(stream.view(), text.view());
  ok = ok && fails(stream, 1, errc::stream_output_overrun, 5);
  ok = ok && fails(stream, 0, errc::stream_output_overrun, 4);
  ok = ok && fails(stream, 3, errc::stream_output_short, n);
  for (std::size_t cut = 0; cut < n; ++cut) {
    ok = ok && expand(stream.view().first(cut), text.view()) ==
                   codec_failure(errc::stream_truncated, cut);
  }
  stream_builder longer = stream, wrong;
  wrong.header().block(1).fixed('a').fixed('c').fixed(256).checksum(text.view());
  ok = ok && fails(longer.bytes({0}), 2, errc::stream_input_left, n);
  ok = ok && fails(wrong, 2, errc::stream_checksum, n);
  stream_builder match;
  match.header().block(1).fixed('a').fixed(257).code(0, 5).fixed(256);
  return ok && fails(match, 3, errc::stream_output_overrun, 5);
}
static_assert(ends_are_checked());

constexpr bool failures_of_the_supply_come_back() {
  const text_buffer text("ab");
  stream_builder stream;
  stream.header().block(1).fixed('a').fixed('b').fixed(256).checksum(text.view());
  const failure broken = source_failure(errc::read_failed, 77, 5);
  for (std::size_t cut = 0; cut <= stream.view().size(); ++cut) {
    piece_supply supply(stream.view().first(cut), 2, broken);
    text_buffer out(2UL);
    inflate decoder;
    if (decoder.decode(supply, {out.bytes, 2}) != broken) return false;
  }
  return true;
}
static_assert(failures_of_the_supply_come_back());

TEST_CASE("inflate: block types") {
  CHECK(known_answer());
  CHECK(stored_blocks_work());
  CHECK(fixed_blocks_work());
  CHECK(dynamic_blocks_work());
}

TEST_CASE("inflate: each error, at its offset, whatever the pieces") {
  CHECK(headers_are_checked());
  CHECK(blocks_are_checked());
  CHECK(codes_are_checked());
  CHECK(symbols_are_checked());
  CHECK(ends_are_checked());
  CHECK(failures_of_the_supply_come_back());
}

TEST_CASE("inflate: pieces of any size give the same, and nothing outside the buffers is touched") {
  const auto encoder = std::make_unique<deflate>();
  inflate decoder;
  small_inflate small_decoder;
  for (unsigned kind = 0; kind < static_cast<unsigned>(content::count); ++kind) {
    for (const std::size_t n : {1U, 257U, 258U, 259U, 600U, 5000U, 70000U}) {
      std::vector<std::byte> in(n), stream(deflate::bound(n));
      codec_test::fill(in.data(), n, static_cast<content>(kind), n);
      stream.resize(encoder->encode(in, stream).value_or(0));
      // Exact-size copies on the heap: a sanitizer sees any step outside.
      for (std::size_t piece = 1; piece <= stream.size(); piece += 1 + piece / 3) {
        std::vector<std::byte> copy(stream), out(n);
        copy.shrink_to_fit();
        piece_supply supply(copy, piece), again(copy, piece);
        REQUIRE_FALSE(decoder.decode(supply, out));
        REQUIRE(out == in);
        REQUIRE_FALSE(small_decoder.decode(again, out));
        REQUIRE(out == in);
      }
    }
  }
}

TEST_CASE("inflate: codes longer than the index") {
  // Fibonacci frequencies make the longest codes; the tables' index has 11 bits, the small one 8.
  std::vector<std::byte> in;
  for (unsigned symbol = 0, a = 1, b = 1; symbol < 20; ++symbol) {
    for (unsigned i = 0; i < a; ++i) in.push_back(static_cast<std::byte>(symbol * 11));
    const unsigned sum = a + b;
    a = b;
    b = sum;
  }
  codec_test::generator random(3);
  for (std::size_t i = in.size(); i > 1; --i) {
    std::swap(in[i - 1], in[random.below(static_cast<std::uint32_t>(i))]);
  }
  const auto encoder = std::make_unique<deflate>();
  std::vector<std::byte> stream(deflate::bound(in.size())), out(in.size());
  stream.resize(encoder->encode(in, stream).value_or(0));
  const auto decodes = [&](auto& decoder, std::size_t piece) {
    piece_supply supply(stream, piece);
    return !decoder.decode(supply, out) && out == in;
  };
  inflate decoder;
  small_inflate small_decoder;
  basic_inflate<1, 1> smallest_decoder;
  basic_inflate<15, 15> largest_decoder;
  for (const std::size_t piece : {std::size_t{1}, std::size_t{100}, stream.size()}) {
    CHECK(decodes(decoder, piece));
    CHECK(decodes(small_decoder, piece));
    CHECK(decodes(smallest_decoder, piece));
    CHECK(decodes(largest_decoder, piece));
  }
}

}  // namespace

}  // namespace inflate_test
