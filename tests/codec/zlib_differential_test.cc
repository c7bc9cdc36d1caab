// SPDX-License-Identifier: BSD-2-Clause

// zlib is the control. It is driven so that its verdict is a Decoder's: one call with the whole
// input and exactly the expected room for output; good is Z_STREAM_END with all the input used and
// all the room filled.

#include <libdeflate.h>
#include <zlib.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "stream_builder.hpp"
#include "vmdk/codec/adler32.hpp"
#include "vmdk/codec/deflate.hpp"
#include "vmdk/codec/inflate.hpp"
#include "vmdk/codec/zlib.hpp"

namespace {

using namespace vmdk;
using codec_test::content;
using codec_test::generator;
using codec_test::piece_supply;

using bytes = std::vector<std::byte>;

class control {
 public:
  control() { inflateInit(&stream_); }
  ~control() { inflateEnd(&stream_); }
  control(const control&) = delete;
  control& operator=(const control&) = delete;

  errc decode(byte_view in, byte_span out) {
    inflateReset(&stream_);
    std::byte nothing{};
    stream_.next_in = detail::zlib_bytes(in.data());
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.empty() ? &nothing : out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    const int code = ::inflate(&stream_, Z_FINISH);
    if (code == Z_NEED_DICT) return errc::stream_dictionary;
    if (code == Z_DATA_ERROR) return detail::zlib_data_error(stream_.msg);
    if (code != Z_STREAM_END) {
      return stream_.avail_in == 0 ? errc::stream_truncated : errc::stream_output_overrun;
    }
    if (stream_.avail_in != 0) return errc::stream_input_left;
    return stream_.avail_out != 0 ? errc::stream_output_short : errc::none;
  }

 private:
  z_stream stream_{};
};

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
      small_deflate& encoder = *encoders_[which - streams_.size()];
      out.resize(encoder.encode(in, out).value_or(0));
      return out;
    }
    z_stream& stream = *streams_[which];
    deflateReset(&stream);
    stream.next_in = detail::zlib_bytes(in.data());
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
  std::vector<std::unique_ptr<small_deflate>> encoders_ = [] {
    std::vector<std::unique_ptr<small_deflate>> all;
    for (unsigned level = 0; level < 10; ++level) {
      all.push_back(std::make_unique<small_deflate>(level));
    }
    return all;
  }();
};

void damage(bytes& stream, generator& random) {
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
bytes noise(generator& random) {
  bytes stream(3 + random.below(120));
  for (std::byte& b : stream) b = static_cast<std::byte>(random.below(256));
  stream[0] = std::byte{0x78};
  stream[1] = std::byte{0x9C};
  stream[2] = static_cast<std::byte>((random.below(256) & ~7U) | (random.below(4) == 0 ? 3 : 5));
  return stream;
}

/// Lengths of a complete code for some of n symbols, `must` among them: leaves that split at
/// random.
std::vector<unsigned> random_code(generator& random, unsigned n, unsigned most_bits,
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
void spoil(std::vector<unsigned>& lengths, generator& random, unsigned must) {
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
std::vector<unsigned> code_words(const std::vector<unsigned>& lengths) {
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
bytes designed(generator& random, bytes& content_bytes) {
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

  codec_test::stream_builder stream;
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

struct tally {
  unsigned long good = 0, bad = 0, differing_causes = 0, all = 0;
  std::string complaint;
};

/// Decodes with zlib and with both of our configurations, the input in pieces for one of them.
void compare(tally& sums, control& zlib, vmdk::inflate& decoder, small_inflate& small_decoder,
             const bytes& stream, std::size_t n, std::size_t piece) {
  bytes expected(n), out(n), small_out(n);
  const errc wanted = zlib.decode(stream, expected);
  single_supply supply{stream};
  piece_supply pieces(stream, piece);
  const failure why = decoder.decode(supply, out);
  const failure small_why = small_decoder.decode(pieces, small_out);
  const errc found = why.code, small_found = small_why.code;
  ++sums.all;
  ++(wanted == errc::none ? sums.good : sums.bad);
  sums.differing_causes += found != wanted ? 1 : 0;
  const bool same = (wanted == errc::none) == (found == errc::none) && why == small_why &&
                    (wanted != errc::none || (out == expected && small_out == expected));
  if (!same && sums.complaint.empty()) {
    sums.complaint = "stream " + std::to_string(sums.all) + ": zlib " +
                     std::to_string(static_cast<int>(wanted)) + ", inflate " +
                     std::to_string(static_cast<int>(found)) + ", small_inflate " +
                     std::to_string(static_cast<int>(small_found));
  }
}

TEST_CASE("inflate and zlib agree on a million valid and damaged streams") {
  generator random(20);
  control zlib;
  stream_maker maker;
  vmdk::inflate decoder;
  small_inflate small_decoder;
  tally sums;
  for (int round = 0; round < 120000; ++round) {
    const auto kind = static_cast<content>(random.below(static_cast<unsigned>(content::count)));
    bytes in(random.below(4) == 0 ? random.below(1500) : random.below(120));
    codec_test::fill(in.data(), in.size(), kind, static_cast<std::uint64_t>(round));
    const bytes stream = maker.make(in, random);
    compare(sums, zlib, decoder, small_decoder, stream, in.size(), 1 + random.below(40));
    for (int i = 0; i < 5; ++i) {
      bytes damaged = stream;
      damage(damaged, random);
      compare(sums, zlib, decoder, small_decoder, damaged, in.size(), 1 + random.below(40));
    }
    compare(sums, zlib, decoder, small_decoder, stream, in.size() + random.below(3),
            stream.size() + 1);
    compare(sums, zlib, decoder, small_decoder, noise(random), random.below(300),
            1 + random.below(40));
    bytes content_bytes;
    const bytes made = designed(random, content_bytes);
    compare(sums, zlib, decoder, small_decoder, made, content_bytes.size(), 1 + random.below(40));
    if (!sums.complaint.empty()) break;
  }
  INFO(sums.complaint);
  CHECK(sums.complaint.empty());
  CHECK(sums.all >= 1000000);
  CHECK(sums.good >= 180000);
  CHECK(sums.bad >= 500000);
  // Where several things are wrong at once, either may be named; that is rare.
  CHECK(sums.differing_causes <= sums.all / 100);
}

bytes read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<char> chars((std::istreambuf_iterator<char>(file)), {});
  bytes all(chars.size());
  if (!chars.empty()) std::memcpy(all.data(), chars.data(), chars.size());
  return all;
}

std::uint32_t big_endian(const std::byte* p) {
  return static_cast<std::uint32_t>(p[0]) << 24 | static_cast<std::uint32_t>(p[1]) << 16 |
         static_cast<std::uint32_t>(p[2]) << 8 | static_cast<std::uint32_t>(p[3]);
}

/// The zlib stream in a .png's IDAT chunks, or a .gz's deflate stream rewrapped as one.
bytes payload_of_png(const bytes& file) {
  bytes stream;
  for (std::size_t at = 8; at + 12 <= file.size();) {
    const std::size_t n = big_endian(file.data() + at);
    if (n > file.size() - at - 12) break;
    if (std::memcmp(file.data() + at + 4, "IDAT", 4) == 0) {
      const auto from = file.begin() + static_cast<std::ptrdiff_t>(at) + 8;
      stream.insert(stream.end(), from, from + static_cast<std::ptrdiff_t>(n));
    }
    at += n + 12;
  }
  return stream;
}

bytes payload_of_gz(const bytes& file, const bytes& content_bytes) {
  std::size_t at = 10;
  const auto flags = file.size() > 18 ? static_cast<unsigned>(file[3]) : 0xFFU;
  if ((flags & 0xE6) != 0) return {};
  if ((flags & 8) != 0) {
    while (at < file.size() && file[at] != std::byte{0}) ++at;
    ++at;
  }
  if (at + 8 > file.size()) return {};
  bytes stream = {std::byte{0x78}, std::byte{0x9C}};
  stream.insert(stream.end(), file.begin() + static_cast<std::ptrdiff_t>(at), file.end() - 8);
  const std::uint32_t sum = adler32(content_bytes);
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    stream.push_back(static_cast<std::byte>(sum >> shift & 0xFF));
  }
  return stream;
}

/// Expands a stream of unknown size with zlib.
bytes expand_with_zlib(byte_view stream, int window_bits) {
  z_stream z{};
  inflateInit2(&z, window_bits);
  z.next_in = detail::zlib_bytes(stream.data());
  z.avail_in = static_cast<uInt>(stream.size());
  bytes out(65536);
  int code = Z_OK;
  while (code == Z_OK || (code == Z_BUF_ERROR && z.avail_out == 0)) {
    if (z.total_out == out.size()) out.resize(2 * out.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data() + z.total_out);
    z.avail_out = static_cast<uInt>(out.size() - z.total_out);
    code = ::inflate(&z, Z_NO_FLUSH);
    if (code == Z_OK && z.avail_in == 0 && z.avail_out != 0) break;
  }
  out.resize(z.total_out);
  inflateEnd(&z);
  return code == Z_STREAM_END ? out : bytes{};
}

TEST_CASE("inflate agrees with zlib on the .gz and .png files of this machine") {
  namespace fs = std::filesystem;
  vmdk::inflate decoder;
  small_inflate small_decoder;
  control zlib;
  unsigned gz = 0, png = 0;
  for (const char* const root : {"/usr/share/doc", "/usr/share/man", "/usr/share/icons",
                                 "/usr/share/pixmaps", "/usr/lib/python3", "/usr/share"}) {
    std::error_code ignored;
    auto walk = fs::recursive_directory_iterator(
        root, fs::directory_options::skip_permission_denied, ignored);
    for (; walk != fs::recursive_directory_iterator(); walk.increment(ignored)) {
      const fs::path& path = walk->path();
      const bool is_gz = path.extension() == ".gz";
      if (!is_gz && path.extension() != ".png") continue;
      if ((is_gz ? gz : png) >= 3000 || !walk->is_regular_file(ignored)) continue;
      const bytes file = read_file(path);
      if (file.size() > (1U << 24)) continue;
      bytes content_bytes, stream;
      if (is_gz) {
        content_bytes = expand_with_zlib(file, 15 + 16);
        stream = payload_of_gz(file, content_bytes);
        // A file of several members is not one stream.
        if (stream.empty() || content_bytes.empty()) continue;
      } else {
        stream = payload_of_png(file);
        content_bytes = expand_with_zlib(stream, 15);
        if (stream.empty() || content_bytes.empty()) continue;
      }
      bytes expected(content_bytes.size());
      const errc wanted = zlib.decode(stream, expected);
      bytes out(content_bytes.size());
      single_supply supply{stream};
      const errc found = decoder.decode(supply, out).code;
      bytes small_out(content_bytes.size());
      piece_supply pieces(stream, 512);
      const errc small_found = small_decoder.decode(pieces, small_out).code;
      INFO(path.string());
      const bool same = (found == errc::none) == (wanted == errc::none) && found == small_found &&
                        (found != errc::none || (out == content_bytes && small_out == out));
      REQUIRE(same);
      REQUIRE(found == errc::none);
      ++(is_gz ? gz : png);
    }
  }
  if (gz == 0) WARN("no .gz files on this machine");
  if (png == 0) WARN("no .png files on this machine");
}

TEST_CASE("zlib and libdeflate read what deflate writes") {
  generator random(5);
  control zlib;
  libdeflate_decompressor* const other = libdeflate_alloc_decompressor();
  std::vector<std::unique_ptr<vmdk::deflate>> encoders;
  for (unsigned level = 0; level < 10; ++level)
    encoders.push_back(std::make_unique<vmdk::deflate>(level));
  bool ok = true;
  for (int round = 0; round < 4000 && ok; ++round) {
    const auto kind = static_cast<content>(random.below(static_cast<unsigned>(content::count)));
    bytes in(random.below(20) == 0 ? random.below(200000) : random.below(3000));
    codec_test::fill(in.data(), in.size(), kind, static_cast<std::uint64_t>(round));
    bytes stream(vmdk::deflate::bound(in.size())), out(in.size());
    stream.resize(encoders[random.below(10)]->encode(in, stream).value_or(0));
    ok = zlib.decode(stream, out) == errc::none && out == in;
    std::fill(out.begin(), out.end(), std::byte{1});
    std::size_t taken = 0;
    ok = ok && libdeflate_zlib_decompress_ex(other, stream.data(), stream.size(), out.data(),
                                             out.size(), &taken, nullptr) == LIBDEFLATE_SUCCESS;
    ok = ok && taken == stream.size() && out == in;
    INFO(round);
    CHECK(ok);
  }
  libdeflate_free_decompressor(other);
}

}  // namespace
