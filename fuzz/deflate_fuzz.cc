// SPDX-License-Identifier: BSD-2-Clause
// What our encoders write is read by zlib and by our decoders, and is never larger than promised.
// Input: level and room, then content, as it is or as a list of runs and repeats.
#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "choices.hpp"
#include "demand.hpp"
#include "vmdk/codec/deflate.hpp"
#include "vmdk/codec/inflate.hpp"
#include "vmdk/codec/stored.hpp"

namespace {

using namespace vmdk;
using fuzzing::demand;
using bytes = std::vector<std::byte>;

constexpr std::size_t most_content_bytes = 70000;

/// Content that a few bytes of input can make long: literals, repeats of what was there, runs, and
/// what does not compress.
bytes compose(fuzzing::choices& choose) {
  bytes content;
  while (!choose.empty() && content.size() < most_content_bytes) {
    const std::uint32_t form = choose.byte();
    std::size_t n = form >> 2;
    switch (form & 3) {
      case 0: {
        const byte_view literals = choose.take(n + 1);
        content.insert(content.end(), literals.begin(), literals.end());
        break;
      }
      case 1: {
        const auto distance = static_cast<std::size_t>(choose.number(2)) + 1;
        n = 3 + n * n / 8;
        for (; n != 0 && distance <= content.size(); --n) {
          content.push_back(content[content.size() - distance]);
        }
        break;
      }
      case 2:
        content.insert(content.end(), 1 + n * n, static_cast<std::byte>(choose.byte()));
        break;
      default: {
        fuzzing::generator random(choose.byte());
        const auto mask = static_cast<std::uint64_t>(choose.byte());
        for (n = n * n / 2; n != 0; --n)
          content.push_back(static_cast<std::byte>(random.next() & mask));
        break;
      }
    }
  }
  content.resize(std::min(content.size(), most_content_bytes));
  return fuzzing::exact_copy(content);
}

template <class D>
void demand_reads(D& decoder, byte_view stream, const bytes& content, const char* promise) {
  bytes out(content.size(), std::byte{0xEE});
  single_supply supply{stream};
  demand(!decoder.decode(supply, out) && out == content, promise);
}

/// Writes with an encoder into room of this size, and reads it again.
template <class E>
void round_trip(E& encoder, const bytes& content, std::size_t room_bytes) {
  static const auto decoder = std::make_unique<vmdk::inflate>();
  static const auto small_decoder = std::make_unique<small_inflate>();
  bytes room(room_bytes);
  const auto written = encoder.encode(content, room);
  if (!written) {
    demand(written.error().code == errc::encoded_too_large && room_bytes < E::bound(content.size()),
           "an encoder fails for want of room alone");
    return;
  }
  demand(*written <= room_bytes && *written <= E::bound(content.size()) &&
             E::bound(content.size()) <= stored::bound(content.size()),
         "an encoder keeps to its room and its bound");
  const bytes stream = fuzzing::exact_copy(byte_view(room).first(*written));
  demand_reads(*decoder, stream, content, "inflate reads what an encoder wrote");
  demand_reads(*small_decoder, stream, content, "small_inflate reads what an encoder wrote");

  bytes out(content.size() + 1);
  z_stream zlib{};
  inflateInit(&zlib);
  zlib.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(stream.data()));
  zlib.avail_in = static_cast<uInt>(stream.size());
  zlib.next_out = reinterpret_cast<Bytef*>(out.data());
  zlib.avail_out = static_cast<uInt>(out.size());
  const int code = ::inflate(&zlib, Z_FINISH);
  inflateEnd(&zlib);
  demand(code == Z_STREAM_END && zlib.avail_in == 0 && zlib.total_out == content.size() &&
             std::equal(content.begin(), content.end(), out.begin()),
         "zlib reads what an encoder wrote");

  // The stream hangs on content and level alone, and not on what an encoder did before.
  bytes again(E::bound(content.size()));
  const auto second = encoder.encode(content, again);
  demand(second && *second == *written && std::equal(stream.begin(), stream.end(), again.begin()),
         "an encoder writes the same again");
}

template <class E>
E& encoder_of_level(unsigned level) {
  static std::unique_ptr<E> encoders[10];
  auto& encoder = encoders[level];
  if (encoder == nullptr) encoder = std::make_unique<E>(level);
  return *encoder;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const byte_view input = std::as_bytes(std::span(data, size));
  fuzzing::choices choose(input);
  const unsigned level = choose.below(10);
  const std::uint32_t form = choose.byte();
  const std::uint32_t room = choose.byte();
  const bytes content = (form & 1) != 0 ? compose(choose) : fuzzing::exact_copy(choose.rest());
  const std::size_t bound = stored::bound(content.size());
  // Mostly all the room that may be wanted; else a part of it.
  const std::size_t room_bytes = room < 192 ? bound : bound * (room - 192) / 64;
  if ((form & 2) != 0) {
    round_trip(encoder_of_level<vmdk::deflate>(level), content, room_bytes);
  } else {
    round_trip(encoder_of_level<small_deflate>(level), content, room_bytes);
  }
  if (level == 0) {
    stored plain;
    round_trip(plain, content, room_bytes);
  }
  return 0;
}
