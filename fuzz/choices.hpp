// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "vmdk/core/bytes.hpp"

namespace fuzzing {

/// Takes a fuzzer's bytes apart into choices, front to back; when they are used up each choice is
/// the first.
class choices {
 public:
  explicit choices(vmdk::byte_view bytes) : left_(bytes) {}

  bool empty() const { return left_.empty(); }
  std::size_t left() const { return left_.size(); }

  /// A little-endian number of so many bytes.
  std::uint64_t number(std::size_t bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes && !left_.empty(); ++i) {
      value |= std::uint64_t{std::to_integer<unsigned>(left_.front())} << (8 * i);
      left_ = left_.subspan(1);
    }
    return value;
  }
  std::uint32_t byte() { return static_cast<std::uint32_t>(number(1)); }
  bool flag() { return (byte() & 1) != 0; }

  /// One of n, at most 256.
  std::uint32_t below(std::uint32_t n) { return byte() % n; }

  /// A number from 0 to 2^64 - 1 that is often near a power of two: one byte, or more.
  std::uint64_t wide() {
    const std::uint32_t form = byte();
    switch (form >> 6) {
      case 0:
        return form;
      case 1:
        return (std::uint64_t{1} << (form & 63)) + number(1) - 128;
      case 2:
        return number(8);
      default:
        return number(4) << (form & 31);
    }
  }

  vmdk::byte_view take(std::size_t n) {
    const vmdk::byte_view taken = left_.first(std::min(n, left_.size()));
    left_ = left_.subspan(taken.size());
    return taken;
  }
  vmdk::byte_view rest() { return take(left_.size()); }

 private:
  vmdk::byte_view left_;
};

/// Numbers that look random and follow from an input alone, for what no byte of it should decide.
class generator {
 public:
  explicit generator(std::uint64_t seed) : state_(seed) {}

  /// Begins with a number that hangs on the length of the bytes and on some of them.
  explicit generator(vmdk::byte_view bytes) : state_(bytes.size()) {
    const std::size_t step = bytes.size() / 64 + 1;
    for (std::size_t i = 0; i < bytes.size(); i += step) {
      state_ = (state_ ^ std::to_integer<unsigned>(bytes[i])) * 0x100000001B3;
    }
  }

  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(next() % n); }

 private:
  std::uint64_t state_;
};

/// A heap block of exactly these bytes, so that a sanitizer sees the first byte read past the end.
inline std::vector<std::byte> exact_copy(vmdk::byte_view bytes) {
  std::vector<std::byte> copy;
  copy.reserve(bytes.size());
  copy.assign(bytes.begin(), bytes.end());
  return copy;
}

}  // namespace fuzzing
