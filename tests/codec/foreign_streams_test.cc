// SPDX-License-Identifier: BSD-2-Clause
// Streams that programs of all kinds wrote: zlib is the control.
#include <zlib.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <vector>

#include "stream_builder.hpp"
#include "tests/support/zlib_control.hpp"
#include "vmdk/codec/adler32.hpp"
#include "vmdk/codec/inflate.hpp"

namespace foreign_streams_test {
namespace {

using namespace vmdk;
using codec_test::piece_supply;
using testing_support::zlib_control;

using bytes = std::vector<std::byte>;

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
  zlib_control zlib;
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

}  // namespace

}  // namespace foreign_streams_test
