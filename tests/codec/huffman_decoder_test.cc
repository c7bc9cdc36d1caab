// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/codec/huffman_decoder.hpp"

#include <catch2/catch.hpp>
#include <vector>

#include "stream_builder.hpp"
#include "vmdk/codec/huffman_encoder.hpp"

namespace huffman_decoder_test {
namespace {

using namespace vmdk::detail;

template <unsigned IndexBits>
constexpr bool accepts(alphabet kind, const std::uint8_t* lengths, unsigned n) {
  huffman_decoder<IndexBits, litlen_symbols> decoder;
  return decoder.build(kind, lengths, n);
}

/// zlib's rule: complete codes, and for literals and distances a lone code word of one bit.
constexpr bool incomplete_codes() {
  constexpr std::uint8_t complete[] = {1, 2, 3, 3}, over[] = {1, 1, 1}, lacking[] = {1, 2, 3},
                         lone[] = {0, 1}, lone_long[] = {0, 2}, none[] = {0, 0};
  const auto all = [&](alphabet kind, bool lone_is_good, bool none_is_good) {
    return accepts<2>(kind, complete, 4) && !accepts<2>(kind, over, 3) &&
           !accepts<2>(kind, lacking, 3) && accepts<2>(kind, lone, 2) == lone_is_good &&
           !accepts<2>(kind, lone_long, 2) && accepts<2>(kind, none, 2) == none_is_good;
  };
  return all(alphabet::code_lengths, false, false) && all(alphabet::litlen, true, false) &&
         all(alphabet::distance, true, true);
}
static_assert(incomplete_codes());

/// Each code word of a code, as the encoder makes it, means its symbol, whatever follows it.
template <unsigned IndexBits>
constexpr bool finds_all(const std::uint8_t* lengths, unsigned n) {
  huffman_decoder<IndexBits, litlen_symbols> decoder;
  if (!decoder.build(alphabet::litlen, lengths, n)) return false;
  std::uint32_t words[litlen_symbols]{};
  assign_code_words(lengths, n, words);
  for (unsigned i = 0; i < n; ++i) {
    const unsigned bits = lengths[i];
    if (bits == 0) continue;
    const std::uint32_t expected = decoder_entry::make(alphabet::litlen, i, bits);
    for (const unsigned after : {0U, 0x7FFFU, 0x5555U}) {
      if (decoder.find(alphabet::litlen, words[i] >> 4 | after << bits) != expected) return false;
    }
  }
  return true;
}

constexpr bool finds_fixed_codes() {
  std::uint8_t lengths[litlen_symbols]{};
  for (unsigned i = 0; i < litlen_symbols; ++i) lengths[i] = fixed_litlen_bits(i);
  return finds_all<9>(lengths, litlen_symbols) && finds_all<8>(lengths, litlen_symbols) &&
         finds_all<1>(lengths, litlen_symbols);
}
static_assert(finds_fixed_codes());

constexpr bool entries_say_what_the_rfc_says() {
  using entry = decoder_entry;
  const std::uint32_t a = entry::make(alphabet::litlen, 'a', 8);
  const std::uint32_t longest = entry::make(alphabet::litlen, 284, 9);
  const std::uint32_t far = entry::make(alphabet::distance, 29, 15);
  return entry::value(a) == 'a' && entry::extra_bits(a) == 0 && entry::code_bits(a) == 8 &&
         entry::value(longest) == 227 && entry::extra_bits(longest) == 5 &&
         entry::value(far) == 24577 && entry::extra_bits(far) == 13 && entry::code_bits(far) == 15;
}
static_assert(entries_say_what_the_rfc_says());

TEST_CASE("huffman_decoder: known answers") {
  CHECK(incomplete_codes());
  CHECK(finds_fixed_codes());
  CHECK(entries_say_what_the_rfc_says());
}

constexpr bool unused_code_words_are_invalid() {
  constexpr std::uint16_t symbols[2]{7, 8};
  std::uint16_t counts[longest_code_bits + 1]{};
  counts[2] = 2;  // 00 and 01 stand for symbols; 10 and 11 for nothing.
  const auto decoded = [&](unsigned bits) {
    return decode_long_code(symbols, counts, alphabet::litlen, bits);
  };
  return decoded(0) == decoder_entry::make(alphabet::litlen, 7, 2) &&
         decoded(2) == decoder_entry::make(alphabet::litlen, 8, 2) &&
         decoded(1) == (decoder_entry::exceptional | decoder_entry::invalid);
}
static_assert(unused_code_words_are_invalid());
TEST_CASE("huffman_decoder: a code word that stands for nothing is invalid") {
  CHECK(unused_code_words_are_invalid());
}

TEST_CASE("huffman_decoder: reads what huffman_encoder makes, at every size of the index") {
  codec_test::generator random(6);
  code_builder_memory memory;
  for (int round = 0; round < 500; ++round) {
    const unsigned n = 257 + random.below(30);
    std::vector<std::uint32_t> frequencies(n);
    for (std::uint32_t& f : frequencies) f = random.next() >> (9 + random.below(22)) & 0x3FFFFF;
    std::vector<std::uint8_t> lengths(n);
    build_code_lengths(frequencies.data(), n, 15, lengths.data(), memory);
    REQUIRE(finds_all<1>(lengths.data(), n));
    REQUIRE(finds_all<8>(lengths.data(), n));
    REQUIRE(finds_all<11>(lengths.data(), n));
    REQUIRE(finds_all<15>(lengths.data(), n));
  }
}

}  // namespace

}  // namespace huffman_decoder_test
