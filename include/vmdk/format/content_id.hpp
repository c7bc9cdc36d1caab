// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/bytes.hpp"
#include "vmdk/core/endian.hpp"

namespace vmdk {

/// The CID of an image and the longContentID that ends in it (SPEC 6, 14).
struct content_id {
  std::uint32_t cid = 0;
  std::uint64_t long_high = 0;
  std::uint64_t long_low = 0;  ///< Its low 32 bits are the CID.

  /// Takes another CID and keeps the rest.
  constexpr void set_cid(std::uint32_t other) noexcept {
    cid = other;
    long_low = (long_low & 0xFFFFFFFF00000000) | other;
  }

  [[nodiscard]] friend constexpr bool operator==(const content_id&,
                                                 const content_id&) noexcept = default;
};

namespace detail {

/// A bijection of 64 bits in which each input bit reaches each output bit.
[[nodiscard]] constexpr std::uint64_t mix_bits(std::uint64_t x) noexcept {
  x ^= x >> 32;
  x *= 0xD6E8FEB86659FD93;
  x ^= x >> 32;
  x *= 0xD6E8FEB86659FD93;
  x ^= x >> 32;
  return x;
}

}  // namespace detail

/// Spreads a number over all of an id. Its CID is never 0, fffffffe or ffffffff, which mean
/// something else to readers.
[[nodiscard]] constexpr content_id make_content_id(std::uint64_t number) noexcept {
  content_id id;
  id.long_high = detail::mix_bits(number ^ 0x9AE16A3B2F90404F);
  id.long_low = detail::mix_bits(number + 0xC949C7DEFEB1CB8D);
  id.cid = static_cast<std::uint32_t>(id.long_low);
  while (id.cid == 0 || id.cid >= 0xFFFFFFFE) {
    id.long_low = detail::mix_bits(id.long_low + 1);
    id.cid = static_cast<std::uint32_t>(id.long_low);
  }
  return id;
}

/// Computes the content id of a disk from its content alone (SPEC 14): each 4 KiB block that is not
/// zero is hashed with its number as the key, and the hashes are added up. So the order of blocks
/// does not matter, nor does the type of image, the grain, holes, or the thread that saw a block.
///
/// Blocks are hashed with 32 x 32 -> 64 bit products, which every target has, in eight lanes, which
/// compilers turn into vector code.
class content_hasher {
 public:
  static constexpr std::size_t block_bytes = 4096;

  /// Adds one whole block, zero or not.
  constexpr void add_block(const std::byte* block, std::uint64_t block_number) noexcept {
    if (!is_zero(block, block_bytes)) add_data_block(block, block_number);
  }

  /// Adds one whole block that is known not to be zero.
  constexpr void add_data_block(const std::byte* block, std::uint64_t block_number) noexcept {
    sum_ += hash_block(block, block_number);
  }

  /// Adds what another hasher has seen of the same disk.
  constexpr void merge(const content_hasher& other) noexcept { sum_ += other.sum_; }

  /// The id of all that was added.
  [[nodiscard]] constexpr content_id finish() const noexcept { return make_content_id(sum_); }

 private:
  static constexpr std::size_t lanes = 8;
  static constexpr std::size_t stripe_bytes = lanes * 8;

  [[nodiscard]] static constexpr std::uint64_t hash_block(const std::byte* block,
                                                          std::uint64_t block_number) noexcept {
    constexpr std::uint64_t step = 0x9E3779B97F4A7C15;
    std::uint64_t sums[lanes] = {};
    std::uint64_t keys[lanes] = {0xB492B66FBE98F273, 0x1CAD21F72C81017C, 0xDB979083E96DD4DE,
                                 0x1F67B3B7A4A44072, 0x78E5C0CC4EE679CB, 0x2172FFCC7DD05A82,
                                 0x8E2443F7744608B8, 0x4C263A81E69035E0};
    // The key moves on with each stripe, so that stripes cannot change places unseen; the plain sum
    // keeps the bits of a factor whose partner happens to be zero.
    for (std::size_t at = 0; at < block_bytes; at += stripe_bytes) {
      for (std::size_t i = 0; i < lanes; ++i) {
        const std::uint64_t value = load_le<std::uint64_t>(block + at + 8 * i);
        const std::uint64_t keyed = value ^ keys[i];
        sums[i] += (keyed & 0xFFFFFFFF) * (keyed >> 32) + value;
        keys[i] += step;
      }
    }
    std::uint64_t hash = detail::mix_bits(block_number + step);
    for (std::size_t i = 0; i < lanes; ++i) hash = detail::mix_bits(hash ^ sums[i]) + step;
    return detail::mix_bits(hash);
  }

  std::uint64_t sum_ = 0;
};

}  // namespace vmdk
