// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/codec/match_finder.hpp"

#include <catch2/catch.hpp>
#include <memory>
#include <vector>

#include "stream_builder.hpp"
#include "vmdk/core/bytes.hpp"

namespace match_finder_test {
namespace {

using namespace vmdk::detail;
using codec_test::content;

constexpr bool finds_what_is_there() {
  constexpr char text[] = "abcd-abcdefg-abcdefgh-abc.....";
  std::byte bytes[sizeof text]{};
  vmdk::copy_text(bytes, text);
  match_finder<8, 8> finder;
  finder.begin(bytes, sizeof text - 1);
  bool ok = true;
  for (std::size_t at = 0; at < sizeof text - 1; ++at) {
    const match found = finder.find(at, 2, 16, 258);
    if (at < 5) ok = ok && found.length == 0;
    if (at == 5) ok = ok && found.length == 4 && found.distance == 5;
    if (at == 12) ok = ok && found.length == 8 && found.distance == 8;
    if (at == 13) ok = ok && found.length == 7 && found.distance == 8;
    if (at == 22) ok = ok && found.length == 3 && found.distance == 9;
    if (at == 24) ok = ok && found.length == 0;
  }
  return ok;
}
static_assert(finds_what_is_there());

constexpr bool too_little_has_no_match() {
  std::byte zeros[4]{};
  match_finder<8, 8> finder;
  finder.begin(zeros, 4);
  finder.skip(0, 3);
  return finder.find(3, 0, 9, 258).length == 0;
}
static_assert(too_little_has_no_match());
TEST_CASE("match_finder: four bytes are too few to be entered") {
  CHECK(too_little_has_no_match());
}

constexpr bool only_longer_ones_count() {
  std::byte zeros[40]{};
  match_finder<8, 8> finder;
  finder.begin(zeros, sizeof zeros);
  finder.skip(0, 1);
  return finder.find(1, 2, 1, 258).length == 39 && finder.find(2, 38, 9, 258).length == 0 &&
         finder.find(3, 36, 9, 258).length == 37 && finder.find(4, 2, 9, 258).distance == 1;
}
static_assert(only_longer_ones_count());

constexpr bool lengths_are_counted() {
  std::byte a[40]{}, b[40]{};
  bool ok = match_length(a, b, 4, 40) == 40 && match_length(a, b, 0, 3) == 3;
  for (unsigned i = 0; i < 40; ++i) {
    b[i] = std::byte{0x80};
    ok = ok && match_length(a, b, 0, 40) == i && match_length(a, b, i, i + 1) == i;
    b[i] = std::byte{0};
  }
  return ok;
}
static_assert(lengths_are_counted());

TEST_CASE("match_finder: known answers") {
  CHECK(finds_what_is_there());
  CHECK(only_longer_ones_count());
  CHECK(lengths_are_counted());
}

TEST_CASE("match_finder: what it gives is a match, inside the window") {
  const auto finder = std::make_unique<match_finder<12, 15>>();
  const auto near_finder = std::make_unique<match_finder<6, 8>>();
  for (unsigned kind = 0; kind < static_cast<unsigned>(content::count); ++kind) {
    std::vector<std::byte> in(100000);
    codec_test::fill(in.data(), in.size(), static_cast<content>(kind), kind);
    in.shrink_to_fit();
    finder->begin(in.data(), in.size());
    near_finder->begin(in.data(), in.size());
    bool ok = true;
    std::size_t longest = 0;
    for (std::size_t at = 0; at < in.size(); ++at) {
      for (const bool near : {false, true}) {
        const match found = near ? near_finder->find(at, 2, 4, 100) : finder->find(at, 2, 20, 258);
        if (found.length == 0) continue;
        longest = found.length > longest ? found.length : longest;
        ok = ok && found.length >= 3 && found.length <= 258 && found.length <= in.size() - at &&
             found.distance >= 1 && found.distance <= at && found.distance <= (near ? 256 : 32768);
        for (unsigned i = 0; ok && i < found.length; ++i) {
          ok = in[at + i] == in[at + i - found.distance];
        }
      }
    }
    CHECK(ok);
    CHECK(longest >= (kind == static_cast<unsigned>(content::random) ? 3 : 6));
  }
}

}  // namespace

}  // namespace match_finder_test
