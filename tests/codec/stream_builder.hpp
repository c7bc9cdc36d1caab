// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// What the codec tests share: a builder of streams by hand, good and bad, that knows nothing of the
// code under test; supplies that hand input out in pieces; and deterministic data.

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "vmdk/codec/concepts.hpp"
#include "vmdk/core/bytes.hpp"

namespace codec_test {

using vmdk::byte_view;

/// Writes bits as RFC 1951 wants them: numbers from the lowest bit, code words from the highest.
class stream_builder {
 public:
  constexpr stream_builder& number(std::uint32_t value, unsigned bits) {
    for (unsigned i = 0; i < bits; ++i) bit(value >> i & 1);
    return *this;
  }
  constexpr stream_builder& code(std::uint32_t word, unsigned bits) {
    while (bits-- != 0) bit(word >> bits & 1);
    return *this;
  }
  constexpr stream_builder& align() {
    count_ = (count_ + 7) / 8 * 8;
    return *this;
  }
  constexpr stream_builder& bytes(std::initializer_list<unsigned> values) {
    align();
    for (const unsigned value : values) number(value, 8);
    return *this;
  }

  /// The usual header of RFC 1950.
  constexpr stream_builder& header() { return bytes({0x78, 0x9C}); }
  constexpr stream_builder& block(unsigned type, bool last = true) {
    return number(last ? 1 : 0, 1).number(type, 2);
  }
  /// A literal or a match of 3 bytes in a block with fixed codes; 256 ends it.
  constexpr stream_builder& fixed(unsigned symbol) {
    return symbol < 144   ? code(0x30 + symbol, 8)
           : symbol < 256 ? code(0x190 + symbol - 144, 9)
           : symbol < 280 ? code(symbol - 256, 7)
                          : code(0xC0 + symbol - 280, 8);
  }
  /// The Adler-32 in its plainest form.
  constexpr stream_builder& checksum(byte_view content) {
    std::uint32_t a = 1, b = 0;
    for (const std::byte value : content) {
      a = (a + static_cast<std::uint32_t>(value)) % 65521;
      b = (b + a) % 65521;
    }
    return bytes({b >> 8, b & 0xFF, a >> 8, a & 0xFF});
  }

  [[nodiscard]] constexpr byte_view view() const { return {bytes_, (count_ + 7) / 8}; }

 private:
  constexpr void bit(std::uint32_t value) {
    if (value != 0) {
      bytes_[count_ / 8] |= static_cast<std::byte>(1U << count_ % 8);
    }
    ++count_;
  }

  std::byte bytes_[1024]{};
  std::size_t count_ = 0;
};

/// Hands input out in pieces of n bytes, and then fails if it was told to.
class piece_supply {
 public:
  constexpr piece_supply(byte_view bytes, std::size_t n, vmdk::failure at_the_end = {})
      : bytes_(bytes), n_(n), at_the_end_(at_the_end) {}

  [[nodiscard]] constexpr vmdk::result<byte_view> next() noexcept {
    if (bytes_.empty() && at_the_end_) return at_the_end_;
    const byte_view piece = bytes_.first(n_ < bytes_.size() ? n_ : bytes_.size());
    bytes_ = bytes_.subspan(piece.size());
    return piece;
  }
  [[nodiscard]] constexpr std::size_t left() const { return bytes_.size(); }

 private:
  byte_view bytes_;
  std::size_t n_;
  vmdk::failure at_the_end_;
};

/// A small generator whose numbers are the same everywhere.
class generator {
 public:
  constexpr explicit generator(std::uint64_t seed) : state_(seed * 2 + 1) {}
  constexpr std::uint32_t next() {
    state_ = state_ * 6364136223846793005 + 1442695040888963407;
    return static_cast<std::uint32_t>(state_ >> 33);
  }
  constexpr std::uint32_t below(std::uint32_t n) { return next() % n; }

 private:
  std::uint64_t state_;
};

enum class content : unsigned { zeros, random, text, runs, skewed, count };

/// Fills memory with data of one kind.
constexpr void fill(std::byte* to, std::size_t n, content kind, std::uint64_t seed) {
  constexpr char words[] = "grain sector table directory extent header footer marker zero one disk";
  generator random(seed);
  std::uint32_t value = 0, left = 0;
  for (std::size_t i = 0; i < n; ++i) {
    switch (kind) {
      case content::zeros:
      case content::count:
        break;
      case content::random:
        value = random.next() >> 8;
        break;
      case content::text:
        if (left == 0) value = random.below(sizeof words - 10), left = 3 + random.below(8);
        --left;
        to[i] = static_cast<std::byte>(words[value + left]);
        continue;
      case content::runs:
        if (left == 0) value = random.next() >> 8, left = 1 + random.below(300);
        --left;
        break;
      case content::skewed: {
        const std::uint32_t x = random.next() & 0xFFFF;
        value = x * x >> 22 & x;
        break;
      }
    }
    to[i] = static_cast<std::byte>(value & 0xFF);
  }
}

}  // namespace codec_test
