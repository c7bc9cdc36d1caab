// SPDX-License-Identifier: BSD-2-Clause
#include <libdeflate.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <utility>
#include <vector>

#include "vmdk/codec/libdeflate.hpp"
#include "vmdk/codec/zlib.hpp"

namespace codec_limits_test {
namespace {

using namespace vmdk;
using bytes = std::vector<std::byte>;

/// The stream, and behind it one piece more.
struct two_pieces {
  byte_view first, second;
  result<byte_view> next() noexcept {
    const byte_view piece = first;
    first = second;
    second = {};
    return piece;
  }
};

template <class Encoder>
bytes encoded(const bytes& in) {
  bytes out(Encoder::bound(in.size()) + 1000);  // More than it takes.
  const auto length = Encoder().encode(in, out);
  REQUIRE(length.ok());
  out.resize(*length);
  return out;
}

template <class Encoder, class Decoder>
void check_limits() {
  const bytes in(3000, std::byte{7});
  const bytes stream = encoded<Encoder>(in);
  CHECK(stream.size() < 100);
  bytes back(in.size());
  Decoder decoder;
  const std::byte more[1]{};
  two_pieces good{stream, {}};
  CHECK(decoder.decode(good, back) == no_failure);
  CHECK(back == in);
  two_pieces bad{stream, more};
  CHECK(decoder.decode(bad, back).code == errc::stream_input_left);
  const auto bound = static_cast<std::uint32_t>(Encoder::bound(in.size()));
  CHECK(Encoder().encode(in, {}).error() == codec_failure(errc::encoded_too_large, 0, bound));
}

TEST_CASE("room beyond the bound, input beyond the stream, and no room at all") {
  check_limits<libdeflate_encoder, libdeflate_decoder>();
  check_limits<zlib_encoder, zlib_decoder>();
}

TEST_CASE("libdeflate without memory is a failure of the codec") {
  libdeflate_set_memory_allocator([](std::size_t) -> void* { return nullptr; }, std::free);
  libdeflate_encoder encoder;
  libdeflate_decoder decoder;
  libdeflate_set_memory_allocator(std::malloc, std::free);
  const bytes in(10);
  bytes out(100);
  CHECK(encoder.encode(in, out).error() == codec_failure(errc::codec_failed));
  single_supply supply(in);
  CHECK(decoder.decode(supply, out) == codec_failure(errc::codec_failed));
}

TEST_CASE("zlib counts to 4 GiB") {
  if constexpr (std::numeric_limits<std::size_t>::max() > 0xFFFFFFFF) {
    std::byte one{};
    // Only the sizes are looked at.
    const std::size_t huge = std::size_t{1} << 33;
    const failure why =
        codec_failure(errc::codec_failed, 0, static_cast<std::uint32_t>(Z_BUF_ERROR));
    CHECK(zlib_encoder().encode(byte_view(&one, huge), byte_span(&one, 1)).error() == why);
    single_supply supply(byte_view(&one, 1));
    CHECK(zlib_decoder().decode(supply, byte_span(&one, huge)) == why);
  }
}

TEST_CASE("zlib finds that more than 4 GiB are too many") {
  if constexpr (std::numeric_limits<std::size_t>::max() > 0xFFFFFFFF) {
    const bytes in(3000, std::byte{7});
    bytes stream = encoded<zlib_encoder>(in);
    stream.resize(stream.size() + 1000);  // No decoder looks farther ahead.
    single_supply supply(byte_view(stream.data(), std::size_t{1} << 33));
    bytes back(in.size());
    CHECK(zlib_decoder().decode(supply, back).code == errc::stream_input_left);
    CHECK(back == in);
  }
}

TEST_CASE("a decoder that was moved from has no memory") {
  zlib_decoder first;
  const zlib_decoder second = std::move(first);
  const bytes in(10);
  bytes out(10);
  single_supply supply(in);
  CHECK(first.decode(supply, out) ==
        codec_failure(errc::codec_failed, 0, static_cast<std::uint32_t>(Z_MEM_ERROR)));
}

TEST_CASE("zlib's own failures are failures of the codec") {
  CHECK(detail::make_zlib<inflateEnd>([](z_stream*) { return Z_MEM_ERROR; }) == nullptr);
  CHECK(detail::zlib_data_error(nullptr) == errc::codec_failed);
  CHECK(detail::zlib_data_error("something new") == errc::codec_failed);
  CHECK(detail::zlib_data_error("incorrect data check") == errc::stream_checksum);
}

}  // namespace

}  // namespace codec_limits_test
