// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "vmdk/codec/bit_input.hpp"
#include "vmdk/codec/deflate_alphabet.hpp"
#include "vmdk/codec/huffman_decoder.hpp"

namespace vmdk::detail {

/// The output of a decoder, which is its window, too.
struct inflate_output {
  std::byte* begin;
  std::byte* next;
  std::byte* end;
};

/// Copies eight bytes by way of a register, so that the ranges may overlap.
inline void copy_word(std::byte* to, const std::byte* from) noexcept {
  std::uint64_t word = 0;
  __builtin_memcpy(&word, from, sizeof word);
  __builtin_memcpy(to, &word, sizeof word);
}

/// Repeats `length` bytes from `distance` bytes back, in words; up to 15 bytes more are touched.
constexpr void inflate_copy(std::byte* to, std::size_t distance, std::size_t length) noexcept {
  const std::byte* from = to - distance;
  if (std::is_constant_evaluated()) {
    for (; length != 0; --length) *to++ = *from++;
    return;
  }
  const std::byte* const stop = to + length;
  if (distance >= 8) {
    do {
      copy_word(to, from);
      to += 8;
      from += 8;
    } while (to < stop);
  } else if (distance == 1) {
    const std::uint64_t word = 0x0101010101010101 * static_cast<std::uint64_t>(*from);
    do {
      __builtin_memcpy(to, &word, 8);
      to += 8;
    } while (to < stop);
  } else {
    do {
      copy_word(to, from);
      to += distance;
      from += distance;
    } while (to < stop);
  }
}

/// Decodes a block with Huffman codes for as long as so much input and output is left that neither
/// has to be tested within a match. True when the block ended, or failed, with the entry `code`.
template <class Input, class LitlenDecoder, class DistanceDecoder>
[[nodiscard]] constexpr bool inflate_run(Input& in, inflate_output& out,
                                         const LitlenDecoder& litlen,
                                         const DistanceDecoder& distance_codes,
                                         std::uint32_t& code) noexcept {
  using entry = decoder_entry;
  // Three literals, one match and a word copied past its end; two refills.
  constexpr std::ptrdiff_t out_slack = 3 + longest_match + 16;
  constexpr std::ptrdiff_t in_slack = 16;
  if (in.end - in.next < in_slack || out.end - out.next < out_slack) return false;
  const std::byte* const in_stop = in.end - in_slack;
  std::byte* const out_stop = out.end - out_slack;
  const std::uint32_t* const litlens = litlen.index();
  const std::uint32_t* const distances = distance_codes.index();
  constexpr unsigned litlen_mask = LitlenDecoder::index_mask;
  constexpr unsigned distance_mask = DistanceDecoder::index_mask;

  const std::byte* next = in.next;
  std::byte* to = out.next;
  std::uint64_t bits = in.bits;
  unsigned count = in.count;
  bool done = false;
  const auto refill = [&]() {
    bits |= load_word(next) << count;
    next += (63 - count) >> 3, count |= 56;
  };
  const auto drop = [&](std::uint32_t e) {
    bits >>= e & entry::all_bits_mask, count -= e & entry::all_bits_mask;
  };
  const auto value_with_extra = [&](std::uint32_t e) {
    const std::uint64_t mask = (std::uint64_t{1} << (e & entry::all_bits_mask)) - 1;
    return (e >> 16) + static_cast<std::uint32_t>((bits & mask) >> entry::code_bits(e));
  };

  do {
    refill();
    std::uint32_t e = litlens[bits & litlen_mask];
    if ((e & entry::literal) != 0) {
      drop(e);
      *to++ = static_cast<std::byte>(e >> 16);
      e = litlens[bits & litlen_mask];
      if ((e & entry::literal) != 0) {
        drop(e);
        *to++ = static_cast<std::byte>(e >> 16);
        e = litlens[bits & litlen_mask];
        if ((e & entry::literal) != 0) {
          drop(e);
          *to++ = static_cast<std::byte>(e >> 16);
          continue;
        }
      }
      refill();
    }
    if ((e & entry::exceptional) != 0) {
      if ((e & entry::long_code) != 0) {
        e = litlen.find_long(alphabet::litlen, static_cast<unsigned>(bits));
        if ((e & entry::literal) != 0) {
          drop(e);
          *to++ = static_cast<std::byte>(e >> 16);
          continue;
        }
      }
      if ((e & entry::exceptional) != 0) {
        drop(e);
        code = e;
        done = true;
        break;
      }
    }
    const std::size_t length = value_with_extra(e);
    drop(e);
    e = distances[bits & distance_mask];
    if ((e & entry::long_code) != 0) {
      e = distance_codes.find_long(alphabet::distance, static_cast<unsigned>(bits));
    }
    const std::size_t distance = value_with_extra(e);
    drop(e);
    if ((e & entry::exceptional) != 0 || distance > static_cast<std::size_t>(to - out.begin)) {
      code = entry::invalid;
      done = true;
      break;
    }
    inflate_copy(to, distance, length);
    to += length;
  } while (next <= in_stop && to <= out_stop);

  in.next = next;
  in.bits = bits & ((std::uint64_t{1} << count) - 1);
  in.count = count;
  out.next = to;
  return done;
}

}  // namespace vmdk::detail
