// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/codec/bit_output.hpp"
#include "vmdk/codec/block_splitter.hpp"
#include "vmdk/codec/block_writer.hpp"
#include "vmdk/codec/concepts.hpp"
#include "vmdk/codec/match_finder.hpp"
#include "vmdk/codec/stored.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/errc.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/core/result.hpp"

namespace vmdk {

/// Compresses into RFC 1950 streams (SPEC 5). The object is the workspace: its `sizeof` is all the
/// memory used. The output depends on the input, the level and the template parameters alone, and
/// is never longer than `stored` makes it.
///
/// Levels are 0 (stored), 1 (fast) .. 6 (default) .. 9 (small); higher ones count as 9.
template <unsigned HashBits, unsigned WindowBits, std::size_t BlockMatches>
class basic_deflate {
 public:
  static_assert(BlockMatches >= 16);
  static constexpr unsigned default_level = 6;
  static constexpr unsigned highest_level = 9;

  constexpr basic_deflate() noexcept = default;
  constexpr explicit basic_deflate(unsigned level) noexcept
      : level_less_default_(static_cast<std::int8_t>(
            static_cast<int>(level < highest_level ? level : highest_level) -
            static_cast<int>(default_level))) {}

  /// The most that n bytes can become.
  [[nodiscard]] static constexpr std::size_t bound(std::size_t n) noexcept {
    return stored::bound(n);
  }

  /// Compresses a grain into `out`, and gives the length of the stream.
  /// Errors: encoded_too_large when `out` has no room; detail: the bound, which always suffices.
  [[nodiscard]] constexpr result<std::size_t> encode(byte_view in, byte_span out) noexcept {
    const unsigned level = static_cast<unsigned>(level_less_default_ + int{default_level});
    const std::size_t most = bound(in.size());
    if (level != 0) {
      const std::size_t bytes =
          compress(in, out.first(most < out.size() ? most : out.size()), efforts[level - 1]);
      if (bytes != 0) return bytes;
    }
    return stored{}.encode(in, out);
  }

 private:
  struct effort {
    std::uint16_t tries;       ///< Candidates that are looked at for a match.
    std::uint16_t enough;      ///< A match of this length is taken without looking further.
    std::uint8_t looks_ahead;  ///< Positions at which a better match is looked for.
  };
  static constexpr effort efforts[highest_level] = {
      {2, 12, 0},  {6, 20, 0},   {16, 32, 0},   {12, 24, 1},    {16, 40, 1},
      {32, 80, 1}, {80, 160, 1}, {256, 258, 2}, {1024, 258, 2},
  };

  /// A match of three bytes this far back costs more than three literals.
  static constexpr unsigned far_for_three = 8192;

  /// Gives the length of the stream; 0 when it does not fit.
  constexpr std::size_t compress(byte_view in, byte_span out, const effort& how) noexcept {
    const std::byte* const data = in.data();
    const std::size_t bytes = in.size();
    if (out.size() < detail::zlib_frame_bytes) return 0;
    detail::bit_output to{out.data(), out.data() + out.size()};
    const std::byte* const limit = to.end - 4;  // The checksum.
    *to.next++ = std::byte{0x78};
    *to.next++ = std::byte{0x9C};

    finder_.begin(data, bytes);
    std::size_t at = 0;
    detail::match pending{};
    do {
      const std::size_t start = at;
      std::size_t sequences = 0, matched = at;  // `matched`: the end of the last match.
      std::size_t stop = 0;
      writer_.begin();
      splitter_.begin();
      do {
        stop = bytes - at < check_bytes ? bytes : at + check_bytes;
        while (at < stop && sequences != BlockMatches) {
          const detail::match found =
              pending.length != 0
                  ? pending
                  : finder_.find(at, detail::shortest_match - 1, how.tries, how.enough);
          if (found.length == 0) {
            ++writer_.counts[static_cast<unsigned>(data[at++])];
            continue;
          }
          std::size_t entered = at + 1;  // The finder knows the positions before.
          pending = {};
          if (found.length == 3 && found.distance > far_for_three) {
            ++writer_.counts[static_cast<unsigned>(data[at++])];
            continue;
          }
          if (found.length < how.enough && how.looks_ahead != 0) {
            pending = finder_.find(at + 1, found.length - 1, how.tries / 2U, how.enough);
            if (better(pending, found)) {
              ++writer_.counts[static_cast<unsigned>(data[at++])];
              continue;
            }
            pending = {};
            ++entered;
          }
          sequences_[sequences++] = writer_.count_match(at - matched, found.length, found.distance);
          at += found.length;
          matched = at;
          finder_.skip(entered, at);
        }
      } while (at != bytes && sequences != BlockMatches && at - start < longest_block_bytes &&
               (at - start < shortest_block_bytes || bytes - at < shortest_block_bytes ||
                !splitter_.ends(writer_.counts, at - start)));
      if (!writer_.write(to, limit, data + start, at - start, sequences_, sequences, at == bytes)) {
        return 0;
      }
    } while (at != bytes);
    to.align();
    to.next = detail::put_checksum(to.next, in);
    return static_cast<std::size_t>(to.next - out.data());
  }

  /// True when a match one byte later is worth a literal: four bits for each byte of length against
  /// the bits of the distance. There may be no later one.
  [[nodiscard]] static constexpr bool better(const detail::match& later,
                                             const detail::match& found) noexcept {
    if (later.length < found.length) return false;
    const unsigned gain = 4 * (later.length - found.length);
    const unsigned cost = detail::distance_slot(later.distance) / 2;
    return gain + detail::distance_slot(found.distance) / 2 > cost + 2;
  }

  static constexpr std::size_t longest_block_bytes = std::size_t{1} << 18;
  static constexpr std::size_t shortest_block_bytes = 5000;
  static constexpr std::size_t check_bytes = 2048;  ///< How often the splitter looks.

  // As a difference, so that an object with the default level is all zeros and costs no flash.
  std::int8_t level_less_default_ = 0;
  detail::block_splitter splitter_{};
  detail::block_writer writer_{};
  detail::match_finder<HashBits, WindowBits> finder_{};
  detail::sequence sequences_[BlockMatches]{};
};

/// For hosts: about 280 KiB.
using deflate = basic_deflate<15, 15, 16384>;

/// For small devices: about 20 KiB, and a window of 4 KiB.
using small_deflate = basic_deflate<10, 12, 512>;

}  // namespace vmdk
