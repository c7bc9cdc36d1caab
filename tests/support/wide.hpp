// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <compare>
#include <cstdint>

/// Numbers so wide that what tests work out about files and disks cannot wrap.
namespace testing_support {

#if defined(__SIZEOF_INT128__)
__extension__ using wide = unsigned __int128;
#else
/// An unsigned integer of 128 bits, for hosts whose compiler has none.
class wide {
 public:
  constexpr wide(std::uint64_t value = 0) : low_(value) {}

  constexpr explicit operator std::uint64_t() const { return low_; }

  friend constexpr auto operator<=>(const wide&, const wide&) = default;

  friend constexpr wide operator+(wide a, wide b) {
    return {a.high_ + b.high_ + (a.low_ + b.low_ < a.low_ ? 1 : 0), a.low_ + b.low_};
  }
  friend constexpr wide operator-(wide a, wide b) {
    return {a.high_ - b.high_ - (a.low_ < b.low_ ? 1 : 0), a.low_ - b.low_};
  }
  friend constexpr wide operator<<(wide a, unsigned n) {
    if (n == 0) return a;
    if (n >= 64) return {a.low_ << (n - 64), 0};
    return {a.high_ << n | a.low_ >> (64 - n), a.low_ << n};
  }
  friend constexpr wide operator*(wide a, wide b) {
    wide product;
    for (unsigned bit = 0; bit < 128; ++bit) {
      if (b.has(bit)) product = product + (a << bit);
    }
    return product;
  }
  friend constexpr wide operator/(wide a, wide b) {
    if (a.high_ == 0 && b.high_ == 0) return a.low_ / b.low_;
    wide quotient;
    wide rest;
    for (unsigned bit = 128; bit-- > 0;) {
      rest = (rest << 1) + wide(a.has(bit) ? 1 : 0);
      if (rest < b) continue;
      rest = rest - b;
      quotient = quotient + (wide(1) << bit);
    }
    return quotient;
  }

  constexpr wide& operator+=(wide b) { return *this = *this + b; }
  constexpr wide& operator-=(wide b) { return *this = *this - b; }

 private:
  constexpr wide(std::uint64_t high, std::uint64_t low) : high_(high), low_(low) {}

  constexpr bool has(unsigned bit) const {
    return ((bit < 64 ? low_ >> bit : high_ >> (bit - 64)) & 1) != 0;
  }

  std::uint64_t high_ = 0;
  std::uint64_t low_ = 0;
};
#endif

}  // namespace testing_support
