// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// Streams at random, of many makers: valid ones, damaged ones, noise, and ones whose codes are
// designed to be wrong in one place.

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "stream_builder.hpp"
#include "vmdk/codec/deflate.hpp"
#include "vmdk/codec/zlib.hpp"

namespace codec_test {

using bytes = std::vector<std::byte>;

/// Valid streams of many makers: zlib with every level, strategy, window and memory, and ours.
class stream_maker {
 public:
  stream_maker() {
    for (int level = 1; level <= 9; ++level) {
      for (const int strategy : {Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED}) {
        auto stream = std::make_unique<z_stream>();
        deflateInit2(stream.get(), level, Z_DEFLATED, 9 + level % 7, 1 + level, strategy);
        streams_.push_back(std::move(stream));
      }
    }
  }
  ~stream_maker() {
    for (auto& stream : streams_) deflateEnd(stream.get());
  }
  stream_maker(const stream_maker&) = delete;
  stream_maker& operator=(const stream_maker&) = delete;

  bytes make(const bytes& in, generator& random) {
    bytes out(in.size() + 1000);
    const std::uint32_t which = random.below(static_cast<std::uint32_t>(streams_.size()) + 10);
    if (which >= streams_.size()) {
      vmdk::small_deflate& encoder = *encoders_[which - streams_.size()];
      out.resize(encoder.encode(in, out).value_or(0));
      return out;
    }
    z_stream& stream = *streams_[which];
    deflateReset(&stream);
    stream.next_in = vmdk::detail::zlib_bytes(in.data());
    stream.avail_in = 0;
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    // Several blocks, also empty ones.
    const auto half = static_cast<uInt>(in.size() / 2);
    if (random.below(4) == 0) {
      stream.avail_in = half;
      ::deflate(&stream, random.below(2) != 0 ? Z_FULL_FLUSH : Z_PARTIAL_FLUSH);
      stream.avail_in = static_cast<uInt>(in.size()) - half;
    } else {
      stream.avail_in = static_cast<uInt>(in.size());
    }
    ::deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    return out;
  }

 private:
  std::vector<std::unique_ptr<z_stream>> streams_;
  std::vector<std::unique_ptr<vmdk::small_deflate>> encoders_ = [] {
    std::vector<std::unique_ptr<vmdk::small_deflate>> all;
    for (unsigned level = 0; level < 10; ++level) {
      all.push_back(std::make_unique<vmdk::small_deflate>(level));
    }
    return all;
  }();
};

inline void damage(bytes& stream, generator& random) {
  for (std::uint32_t times = 1 + random.below(3); times != 0 && !stream.empty(); --times) {
    const std::size_t at = random.below(static_cast<std::uint32_t>(stream.size()));
    // Most of what can go wrong is decided in the first bytes of a block.
    const std::size_t early = at % (stream.size() < 40 ? stream.size() : 40);
    switch (random.below(8)) {
      case 0:
        stream.resize(at);
        break;
      case 1:
        stream.push_back(static_cast<std::byte>(random.below(256)));
        break;
      case 2:
        stream[at] = static_cast<std::byte>(random.below(256));
        break;
      case 3:
        stream.insert(stream.begin() + static_cast<std::ptrdiff_t>(at),
                      static_cast<std::byte>(random.below(256)));
        break;
      case 4:
        stream.erase(stream.begin() + static_cast<std::ptrdiff_t>(at));
        break;
      case 5:
        stream[early] = static_cast<std::byte>(random.below(256));
        break;
      default:
        stream[early] ^= static_cast<std::byte>(1U << random.below(8));
        break;
    }
  }
}

/// A stream whose blocks are noise: the header of a dynamic block, and what follows.
inline bytes noise(generator& random) {
  bytes stream(3 + random.below(120));
  for (std::byte& b : stream) b = static_cast<std::byte>(random.below(256));
  stream[0] = std::byte{0x78};
  stream[1] = std::byte{0x9C};
  stream[2] = static_cast<std::byte>((random.below(256) & ~7U) | (random.below(4) == 0 ? 3 : 5));
  return stream;
}

/// Lengths of a complete code for some of n symbols, `must` among them: leaves that split at
/// random.
inline std::vector<unsigned> random_code(generator& random, unsigned n, unsigned most_bits,
                                         unsigned must) {
  std::vector<unsigned> leaves{0};
  const std::uint32_t splits = 1 + random.below(random.below(5) == 0 ? n : 6);
  for (std::uint32_t i = 0; i < splits && leaves.size() < n; ++i) {
    // The newest leaf is split often, so that some codes are long.
    const std::size_t at = random.below(2) == 0
                               ? leaves.size() - 1
                               : random.below(static_cast<std::uint32_t>(leaves.size()));
    if (leaves[at] == most_bits) continue;
    ++leaves[at];
    leaves.push_back(leaves[at]);
  }
  std::vector<unsigned> lengths(n, 0);
  lengths[must] = leaves[0];
  for (std::size_t i = 1; i < leaves.size();) {
    unsigned& length = lengths[random.below(n)];
    if (length == 0) length = leaves[i++];
  }
  return lengths;
}

/// Spoils a code a little, or leaves it with one word, or none.
inline void spoil(std::vector<unsigned>& lengths, generator& random, unsigned must) {
  unsigned& length = lengths[random.below(static_cast<std::uint32_t>(lengths.size()))];
  switch (random.below(5)) {
    case 0:
      length = random.below(4);
      break;
    case 1:
      lengths[must] = 0;
      break;
    default:
      std::fill(lengths.begin(), lengths.end(), 0U);
      if (random.below(4) != 0) (random.below(2) != 0 ? length : lengths[must]) = 1;
      if (random.below(8) == 0) (random.below(2) != 0 ? length : lengths[must]) = 2;
      break;
  }
}

/// The canonical words of a code, whether it is a good one or not.
inline std::vector<unsigned> code_words(const std::vector<unsigned>& lengths) {
  std::vector<unsigned> words(lengths.size());
  unsigned word = 0;
  for (unsigned bits = 1; bits <= 15; ++bits, word <<= 1) {
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      if (lengths[i] == bits) words[i] = word++;
    }
  }
  return words;
}

/// A stream that is right in all but, now and then, one of its codes or one of its symbols.
inline bytes designed(generator& random, bytes& content_bytes) {
  constexpr unsigned order[] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
  const std::uint32_t fault = random.below(12);  // From 4 up there is none.
  const bool lone = random.below(6) == 0;
  auto litlens = random_code(random, 257 + random.below(random.below(20) == 0 ? 32 : 30), 15, 256);
  auto distances = random_code(random, 1 + random.below(random.below(20) == 0 ? 32 : 30), 15, 0);
  auto code_lengths = random_code(random, 19, 7, 0);
  for (unsigned i = 0; i < 19; ++i) code_lengths[i] = i < 13 ? 4 : 5;
  if (fault == 0) spoil(litlens, random, 256);
  if (fault == 1 || lone) spoil(distances, random, 0);
  if (fault == 2) spoil(code_lengths, random, 0);

  stream_builder stream;
  stream.header().block(2);
  stream.number(static_cast<std::uint32_t>(litlens.size()) - 257, 5);
  stream.number(static_cast<std::uint32_t>(distances.size()) - 1, 5).number(19 - 4, 4);
  for (const unsigned symbol : order) stream.number(code_lengths[symbol], 3);
  const auto length_words = code_words(code_lengths);
  std::vector<unsigned> all(litlens);
  all.insert(all.end(), distances.begin(), distances.end());
  for (std::size_t i = 0, n = 0; i < all.size(); i += n) {
    for (n = 1; i + n < all.size() && all[i + n] == all[i] && n < 138;) ++n;
    if (all[i] == 0 && n >= 11) {
      stream.code(length_words[18], code_lengths[18]);
      stream.number(static_cast<std::uint32_t>(n) - 11, 7);
    } else {
      n = 1;
      stream.code(length_words[all[i]], code_lengths[all[i]]);
    }
  }
  const auto litlen_words = code_words(litlens);
  const auto distance_words = code_words(distances);
  for (std::uint32_t left = random.below(40); left != 0; --left) {
    const unsigned symbol = random.below(static_cast<std::uint32_t>(litlens.size()));
    if (litlens[symbol] == 0 || symbol == 256) continue;
    if (symbol < 256) {
      stream.code(litlen_words[symbol], litlens[symbol]);
      content_bytes.push_back(static_cast<std::byte>(symbol));
      continue;
    }
    const unsigned slot = random.below(static_cast<std::uint32_t>(distances.size()));
    if (symbol >= 286 || slot >= 30 || distances[slot] == 0) {
      if (fault != 3) continue;
    }
    const unsigned length_bits = symbol < 265 || symbol >= 285 ? 0 : (symbol - 261) / 4;
    const unsigned distance_bits = slot < 4 ? 0 : slot / 2 - 1;
    // Bases, by adding up what the symbols before can say.
    unsigned length = 3, distance = 1;
    for (unsigned i = 257; i < symbol; ++i) length += 1U << (i < 265 ? 0 : (i - 261) / 4);
    if (symbol == 285) length = 258;
    for (unsigned i = 0; i < slot; ++i) distance += 1U << (i < 4 ? 0 : i / 2 - 1);
    const std::uint32_t more = random.next() & ((1U << length_bits) - 1);
    std::uint32_t farther = random.next() & ((1U << distance_bits) - 1);
    length += more;
    if (distance + farther > content_bytes.size()) farther = 0;
    if (distance > content_bytes.size() && fault != 3) continue;
    stream.code(litlen_words[symbol], litlens[symbol]).number(more, length_bits);
    stream.code(distance_words[slot], distances[slot]).number(farther, distance_bits);
    for (distance += farther; length != 0 && content_bytes.size() < 5000; --length) {
      const std::size_t at = content_bytes.size();
      content_bytes.push_back(distance <= at ? content_bytes[at - distance] : std::byte{0});
    }
  }
  stream.code(litlen_words[256], litlens[256]).checksum(content_bytes);
  return {stream.view().begin(), stream.view().end()};
}

}  // namespace codec_test
