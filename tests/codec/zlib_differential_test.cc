// SPDX-License-Identifier: BSD-2-Clause
// Streams without number: zlib is the control.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "stream_builder.hpp"
#include "stream_makers.hpp"
#include "tests/support/zlib_control.hpp"
#include "vmdk/codec/inflate.hpp"

namespace zlib_differential_test {
namespace {

using namespace vmdk;
using namespace codec_test;
using testing_support::zlib_control;

struct tally {
  unsigned long good = 0, bad = 0, differing_causes = 0, all = 0;
  std::string complaint;
};

/// Decodes with zlib and with both of our configurations, the input in pieces for one of them.
void compare(tally& sums, zlib_control& zlib, vmdk::inflate& decoder, small_inflate& small_decoder,
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
  zlib_control zlib;
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

}  // namespace

}  // namespace zlib_differential_test
