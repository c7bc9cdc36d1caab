// SPDX-License-Identifier: BSD-2-Clause
// Compressed data from a stranger: zlib is the control. Both take the same streams, and expand them
// into the same bytes. Input: how many bytes are expected (two bytes), and the stream.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "choices.hpp"
#include "demand.hpp"
#include "tests/support/zlib_control.hpp"
#include "vmdk/codec/inflate.hpp"

namespace {

using namespace vmdk;
using fuzzing::demand;

/// Hands out a copy of each piece in a heap block of its own.
class piece_supply {
 public:
  piece_supply(byte_view bytes, fuzzing::generator& random) : left_(bytes), random_(&random) {}
  result<byte_view> next() noexcept {
    piece_ = fuzzing::exact_copy(
        left_.first(std::min(left_.size(), 1 + random_->below(random_->below(3) == 0 ? 600 : 9))));
    left_ = left_.subspan(piece_.size());
    return byte_view(piece_);
  }

 private:
  byte_view left_;
  fuzzing::generator* random_;
  std::vector<std::byte> piece_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static testing_support::zlib_control zlib;
  static const auto decoder = std::make_unique<vmdk::inflate>();
  static const auto small_decoder = std::make_unique<small_inflate>();
  const byte_view input = std::as_bytes(std::span(data, size));
  fuzzing::generator random(input);
  fuzzing::choices choose(input);
  const auto expected_bytes = static_cast<std::size_t>(choose.number(2));
  const std::vector<std::byte> stream = fuzzing::exact_copy(choose.rest());

  std::vector<std::byte> expected(expected_bytes);
  std::vector<std::byte> out(expected_bytes);
  std::vector<std::byte> small_out(expected_bytes);
  const errc wanted = zlib.decode(stream, expected);
  single_supply whole{stream};
  piece_supply pieces(stream, random);
  const failure why = decoder->decode(whole, out);
  const failure small_why = small_decoder->decode(pieces, small_out);
  demand(why == small_why, "pieces and table sizes change no verdict");
  demand((wanted == errc::none) == (why.code == errc::none), "inflate refuses what zlib refuses");
  demand(!why || why.from == origin::codec, "a bad stream is the codec's failure");
  demand(why.offset <= stream.size(), "a failure lies inside the stream");
  demand(why || (out == expected && small_out == expected), "inflate expands as zlib does");
  if (wanted == errc::stream_output_short || why.code == errc::stream_output_short) {
    // The one failure of which the output counts, so that both must call it so.
    demand(why.code == wanted, "a short stream is called short");
    const auto end = static_cast<std::ptrdiff_t>(zlib.expanded_bytes());
    demand(std::equal(out.begin(), out.begin() + end, expected.begin()) &&
               std::equal(small_out.begin(), small_out.begin() + end, expected.begin()),
           "what there is of a short stream is expanded");
  }
  return 0;
}
