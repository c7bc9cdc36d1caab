// SPDX-License-Identifier: BSD-2-Clause
// What deflate writes, as others read it.
#include <libdeflate.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <vector>

#include "stream_builder.hpp"
#include "tests/support/zlib_control.hpp"
#include "vmdk/codec/deflate.hpp"

namespace deflate_differential_test {
namespace {

using namespace vmdk;
using codec_test::content;
using codec_test::generator;
using testing_support::zlib_control;

using bytes = std::vector<std::byte>;

TEST_CASE("zlib and libdeflate read what deflate writes") {
  generator random(5);
  zlib_control zlib;
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

}  // namespace deflate_differential_test
