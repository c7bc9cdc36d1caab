// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "vmdk/codec/deflate.hpp"
#include "vmdk/core/endian.hpp"
#include "vmdk/io/memory.hpp"

namespace parallel_testing {

using namespace vmdk;
using contents = std::vector<std::byte>;
using fast_deflate = basic_deflate<12, 15, 1024>;

inline constexpr unsigned thread_counts[] = {0, 1, 2, 7};

/// A disk with all that a stream can have: text, noise, zeros and whole tables of zeros.
inline const contents& mixed_disk() {
  static const contents disk = [] {
    contents bytes((5 << 20) + 777);
    std::mt19937 random(9);
    for (std::size_t i = 0; i < 150000; ++i) bytes[i] = static_cast<std::byte>(i / 7 % 11 * 17);
    for (std::size_t i = 900000; i < 960000; ++i) bytes[i] = static_cast<std::byte>(random() & 255);
    for (std::size_t i = 4300000; i < 4340000; ++i) bytes[i] = static_cast<std::byte>(i & 31);
    bytes.back() = std::byte{1};
    return bytes;
  }();
  return disk;
}

/// Grains of 4 KiB that begin with their number, from 1 on.
inline contents numbered_grains(std::uint32_t count) {
  contents disk(std::size_t{count} * 4096);
  for (std::uint32_t i = 0; i < count; ++i) store_le(disk.data() + i * 4096u, i + 1);
  return disk;
}

/// A disk in memory that fails when it is asked where its data is.
struct lost_holes {
  static constexpr failure why = source_failure(errc::read_failed, 5, 6);
  memory_source disk;

  [[nodiscard]] std::uint64_t size() const noexcept { return disk.size(); }
  failure read_at(std::uint64_t offset, byte_span out) const noexcept {
    return disk.read_at(offset, out);
  }
  result<range> next_data(std::uint64_t) const noexcept { return why; }
};

}  // namespace parallel_testing
