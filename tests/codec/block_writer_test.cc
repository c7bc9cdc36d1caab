// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/codec/block_writer.hpp"

#include <catch2/catch.hpp>
#include <memory>
#include <vector>

#include "stream_builder.hpp"
#include "vmdk/codec/block_splitter.hpp"
#include "vmdk/core/bytes.hpp"

namespace block_writer_test {
namespace {

using namespace vmdk::detail;

constexpr bool slots_invert_the_bases() {
  for (unsigned distance = 1; distance <= 32768; distance += 1 + distance / 50) {
    const unsigned slot = distance_slot(distance);
    const unsigned extra = distance - distance_base(slot);
    if (slot >= 30 || distance < distance_base(slot) || extra >> distance_extra_bits(slot) != 0) {
      return false;
    }
  }
  for (unsigned length = 3; length <= 258; ++length) {
    const unsigned slot = length_slots.of[length - 3];
    const unsigned extra = length - length_base(slot);
    if (slot >= 29 || length < length_base(slot) || extra >> length_extra_bits(slot) != 0) {
      return false;
    }
  }
  return length_slots.of[255] == 28 && distance_slot(32768) == 29 && distance_slot(1) == 0;
}
static_assert(slots_invert_the_bases());

/// Writes one block of literals and gives its type and length.
struct written {
  unsigned type;
  std::size_t bytes;
};
written write_literals(const std::vector<std::byte>& in, std::size_t room) {
  const auto writer = std::make_unique<block_writer>();
  std::vector<std::byte> out(room);
  bit_output to{out.data(), out.data() + room};
  writer->begin();
  for (const std::byte b : in) ++writer->counts[static_cast<unsigned>(b)];
  if (!writer->write(to, to.end, in.data(), in.size(), nullptr, 0, true)) return {9, 0};
  to.align();
  return {static_cast<unsigned>(out[0]) >> 1 & 3, static_cast<std::size_t>(to.next - out.data())};
}

TEST_CASE("block_writer: slots") { CHECK(slots_invert_the_bases()); }

TEST_CASE("block_writer: the cheapest form is chosen, and its size known before") {
  std::vector<std::byte> few(3, std::byte{'a'}), many(5000, std::byte{'a'}), noise(5000);
  codec_test::fill(noise.data(), noise.size(), codec_test::content::random, 1);
  CHECK(write_literals(few, 100).type == 1);
  CHECK(write_literals(many, 5000).type == 2);
  CHECK(write_literals(noise, 6000).type == 0);
  for (const auto* in : {&few, &many, &noise}) {
    const std::size_t n = write_literals(*in, 6000).bytes;
    CHECK(write_literals(*in, n).bytes == n);
    CHECK(write_literals(*in, n - 1).type == 9);
  }
}

TEST_CASE("block_splitter: ends a block where the content changes, not elsewhere") {
  block_splitter splitter;
  codec_test::generator random(2);
  std::uint32_t counts[all_symbols]{};
  const auto ends_after = [&](unsigned first, unsigned n) {
    bool ends = false;
    for (unsigned round = 0; round < 6 && !ends; ++round) {
      for (int i = 0; i < 2000; ++i) ++counts[first + random.below(n)];
      ends = splitter.ends(counts, 6000);
    }
    return ends;
  };
  splitter.begin();
  CHECK_FALSE(ends_after('a', 26));
  CHECK(ends_after(128, 128));
}

TEST_CASE("block_writer: the slots of lengths are those of RFC 1951") {
  const auto slots = std::make_unique<length_slot_table>();
  for (unsigned length = shortest_match; length <= longest_match; ++length) {
    unsigned slot = 28;
    while (length_base(slot) > length) --slot;
    INFO(length);
    CHECK(slots->of[length - shortest_match] == slot);
    CHECK(length_slots.of[length - shortest_match] == slot);
  }
}

}  // namespace

}  // namespace block_writer_test
