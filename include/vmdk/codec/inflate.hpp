// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "vmdk/codec/adler32.hpp"
#include "vmdk/codec/bit_input.hpp"
#include "vmdk/codec/concepts.hpp"
#include "vmdk/codec/deflate_alphabet.hpp"
#include "vmdk/codec/huffman_decoder.hpp"
#include "vmdk/codec/inflate_run.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/errc.hpp"
#include "vmdk/core/failure.hpp"

namespace vmdk {

/// Expands RFC 1950 streams (SPEC 5). The output is the window, so the object holds Huffman tables
/// only: its `sizeof` is all the memory used. More index bits are faster and take more memory.
///
/// `decode` refuses what zlib's inflate refuses, reads no byte past the input and writes none past
/// the output. Errors, all of origin codec with the byte offset in the compressed input: the
/// `stream_*` codes of errc; and whatever the supply fails with, unchanged. After an error the
/// output's bytes are unspecified and the object is as good as before.
template <unsigned LitlenBits, unsigned DistanceBits>
class basic_inflate {
 public:
  static constexpr bool needs_contiguous_input = false;

  /// Expands a stream, as Decoder says. Errors: those of the supply; of origin codec, with the
  /// offset in the stream, one from errc::stream_truncated to errc::stream_checksum.
  template <ByteSupply Supply>
  [[nodiscard]] constexpr failure decode(Supply& supply, byte_span out) noexcept {
    detail::bit_input<Supply> in(supply);
    output to{out.data(), out.data(), out.data() + out.size()};
    const errc code = stream(in, to);
    if (in.supply_failure) return in.supply_failure;
    if (code == errc::none) return no_failure;
    return codec_failure(code, code == errc::stream_truncated ? in.supplied_bytes  // Its end.
                                                              : in.offset_bytes());
  }

 private:
  using entry = detail::decoder_entry;
  using alphabet = detail::alphabet;
  using output = detail::inflate_output;

  template <class Input>
  constexpr errc stream(Input& in, output& out) noexcept {
    if (!in.fill(16)) return errc::stream_truncated;
    const unsigned method = in.take(8), flags = in.take(8);
    if (!divides_by_31(method << 8 | flags) || (method & 15) != 8 || method >> 4 > 7) {
      return errc::stream_header_invalid;
    }
    if ((flags & 0x20) != 0) return errc::stream_dictionary;

    bool last = false, fixed_tables = false;
    while (!last) {
      if (!in.fill(3)) return errc::stream_truncated;
      last = in.take(1) != 0;
      errc code = errc::none;
      switch (static_cast<detail::block_type>(in.take(2))) {
        case detail::block_type::stored:
          code = stored_block(in, out);
          break;
        case detail::block_type::fixed:
          if (!fixed_tables) load_fixed_codes();
          fixed_tables = true;
          code = coded_block(in, out);
          break;
        case detail::block_type::dynamic:
          fixed_tables = false;
          code = read_codes(in);
          if (code == errc::none) code = coded_block(in, out);
          break;
        default:
          return errc::stream_block_invalid;
      }
      if (code != errc::none) return code;
    }

    in.align();
    std::uint32_t checksum = 0;
    for (unsigned i = 0; i < 4; ++i) {
      if (!in.fill(8)) return errc::stream_truncated;
      checksum = checksum << 8 | in.take(8);
    }
    const auto bytes = static_cast<std::size_t>(out.next - out.begin);
    if (checksum != adler32(out.begin, bytes)) return errc::stream_checksum;
    if (in.count != 0 || in.next != in.end || in.pull()) return errc::stream_input_left;
    return out.next == out.end ? errc::none : errc::stream_output_short;
  }

  /// True for multiples of 31, from 31 to 2^16: 32 is 1. A division costs a library call on small
  /// devices.
  [[nodiscard]] static constexpr bool divides_by_31(unsigned x) noexcept {
    x = (x >> 10) + (x >> 5 & 31) + (x & 31);
    return (x >> 5) + (x & 31) == 31;
  }

  template <class Input>
  constexpr errc stored_block(Input& in, output& out) noexcept {
    in.align();
    if (!in.fill(16)) return errc::stream_truncated;
    std::size_t left = in.take(16);
    if (!in.fill(16)) return errc::stream_truncated;
    if (in.take(16) != (left ^ 0xFFFF)) return errc::stream_block_invalid;
    if (left > static_cast<std::size_t>(out.end - out.next)) return errc::stream_output_overrun;
    for (; left != 0 && in.count != 0; --left) *out.next++ = static_cast<std::byte>(in.take(8));
    while (left != 0) {
      if (in.next == in.end && !in.pull()) return errc::stream_truncated;
      const auto ready = static_cast<std::size_t>(in.end - in.next);
      const std::size_t n = left < ready ? left : ready;
      copy_bytes(out.next, in.next, n);
      out.next += n;
      in.next += n;
      left -= n;
    }
    return errc::none;
  }

  constexpr void load_fixed_codes() noexcept {
    for (unsigned i = 0; i < detail::litlen_symbols; ++i)
      lengths_[i] = detail::fixed_litlen_bits(i);
    static_cast<void>(litlen_.build(alphabet::litlen, lengths_, detail::litlen_symbols));
    for (unsigned i = 0; i < detail::distance_symbols; ++i) {
      lengths_[i] = detail::fixed_distance_bits;
    }
    static_cast<void>(distance_.build(alphabet::distance, lengths_, detail::distance_symbols));
  }

  /// Reads the codes of a dynamic block. The code-length code lives in the literal tables, which
  /// are not needed before it is done with.
  template <class Input>
  constexpr errc read_codes(Input& in) noexcept {
    if (!in.fill(14)) return errc::stream_truncated;
    const unsigned litlens = in.take(5) + 257, distances = in.take(5) + 1;
    const unsigned code_lengths = in.take(4) + 4;
    if (litlens > detail::used_litlen_symbols || distances > detail::used_distance_symbols) {
      return errc::stream_code_invalid;
    }
    for (unsigned i = 0; i < detail::length_code_symbols; ++i) lengths_[i] = 0;
    for (unsigned i = 0; i < code_lengths; ++i) {
      if (!in.fill(3)) return errc::stream_truncated;
      lengths_[detail::length_code_order[i]] = static_cast<std::uint8_t>(in.take(3));
    }
    if (!litlen_.build(alphabet::code_lengths, lengths_, detail::length_code_symbols)) {
      return errc::stream_code_invalid;
    }

    for (unsigned i = 0; i < litlens + distances;) {
      std::uint32_t code = 0;
      if (!next_code(in, litlen_, alphabet::code_lengths, code)) return errc::stream_truncated;
      unsigned repeat = 1;
      auto length = static_cast<std::uint8_t>(entry::value(code));
      if (length >= 16) {
        const unsigned symbol = length;
        if (symbol == 16 && i == 0) return errc::stream_code_invalid;
        length = symbol == 16 ? lengths_[i - 1] : std::uint8_t{0};
        const unsigned extra = symbol == 16 ? 2 : symbol == 17 ? 3 : 7;
        if (!in.fill(extra)) return errc::stream_truncated;
        repeat = in.take(extra) + (symbol == 18 ? 11 : 3);
        if (repeat > litlens + distances - i) return errc::stream_code_invalid;
      }
      for (; repeat != 0; --repeat) lengths_[i++] = length;
    }
    return lengths_[detail::end_of_block] != 0 &&
                   litlen_.build(alphabet::litlen, lengths_, litlens) &&
                   distance_.build(alphabet::distance, lengths_ + litlens, distances)
               ? errc::none
               : errc::stream_code_invalid;
  }

  /// Decodes and drops one code word; false when the input ends inside it.
  template <class Input, class Tables>
  static constexpr bool next_code(Input& in, const Tables& tables, alphabet kind,
                                  std::uint32_t& code) noexcept {
    static_cast<void>(in.fill(detail::longest_code_bits));
    code = tables.find(kind, static_cast<unsigned>(in.bits));
    if (entry::code_bits(code) > in.count) return false;
    in.take(entry::code_bits(code));
    return true;
  }

  template <class Input>
  constexpr errc coded_block(Input& in, output& out) noexcept {
    for (;;) {
      std::uint32_t code = 0;
      if constexpr (detail::wide_machine) {
        if (detail::inflate_run(in, out, litlen_, distance_, code)) {
          return (code & entry::end) != 0 ? errc::none : errc::stream_symbol_invalid;
        }
      }
      if (!next_code(in, litlen_, alphabet::litlen, code)) return errc::stream_truncated;
      if ((code & entry::literal) != 0) {
        if (out.next == out.end) return errc::stream_output_overrun;
        *out.next++ = static_cast<std::byte>(entry::value(code));
        continue;
      }
      if ((code & entry::exceptional) != 0) {
        return (code & entry::end) != 0 ? errc::none : errc::stream_symbol_invalid;
      }
      if (!in.fill(entry::extra_bits(code))) return errc::stream_truncated;
      std::size_t length = entry::value(code) + in.take(entry::extra_bits(code));
      if (!next_code(in, distance_, alphabet::distance, code)) return errc::stream_truncated;
      if ((code & entry::exceptional) != 0) return errc::stream_symbol_invalid;
      if (!in.fill(entry::extra_bits(code))) return errc::stream_truncated;
      const std::size_t distance = entry::value(code) + in.take(entry::extra_bits(code));
      if (distance > static_cast<std::size_t>(out.next - out.begin)) {
        return errc::stream_symbol_invalid;
      }
      if (length > static_cast<std::size_t>(out.end - out.next)) {
        return errc::stream_output_overrun;
      }
      const std::byte* from = out.next - distance;
      for (; length != 0; --length) *out.next++ = *from++;
    }
  }

  detail::huffman_decoder<LitlenBits, detail::litlen_symbols> litlen_{};
  detail::huffman_decoder<DistanceBits, detail::distance_symbols> distance_{};
  std::uint8_t lengths_[detail::litlen_symbols + detail::distance_symbols]{};
};

/// For hosts: about 10 KiB.
using inflate = basic_inflate<11, 8>;

/// For small devices: about two KiB, at half the speed of the other on a host.
using small_inflate = basic_inflate<8, 5>;

}  // namespace vmdk
