// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/core/bytes.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <memory>
#include <vector>

namespace bytes_test {
namespace {

using namespace vmdk;

constexpr std::size_t longest = 70;

/// Every length up to `most_bytes`, from one offset of a buffer that is not zero around the range,
/// and one byte that is not zero at every place of it.
constexpr bool zeros_are_told_from(std::size_t offset, std::size_t most_bytes) {
  bool ok = true;
  for (std::size_t n = 0; n <= most_bytes; ++n) {
    std::array<std::byte, 2 * longest + 1> bytes{};
    for (std::byte& b : bytes) b = std::byte{0xFF};
    std::byte* const p = bytes.data() + offset;
    zero_bytes(p, n);
    ok = ok && is_zero(p, n) && is_zero(byte_view(p, n)) && p[n] == std::byte{0xFF};
    ok = ok && (offset == 0 || bytes[offset - 1] == std::byte{0xFF});
    for (std::size_t i = 0; i < n; ++i) {
      p[i] = std::byte{0x80};
      ok = ok && !is_zero(p, n) && is_zero(p, i) && is_zero(p + i + 1, n - i - 1);
      p[i] = std::byte{0};
    }
  }
  return ok;
}
static_assert(zeros_are_told_from(0, 20) && zeros_are_told_from(3, 34));

constexpr bool bytes_are_compared() {
  bool ok = true;
  for (std::size_t n = 0; n <= 20; ++n) {
    std::array<std::byte, 22> a{};
    std::array<std::byte, 22> b{};
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<std::byte>(i + 1);
    copy_bytes(b.data() + 1, a.data() + 1, n);
    ok = ok && equal_bytes(a.data() + 1, b.data() + 1, n);
    ok = ok && b[0] == std::byte{0} && b[n + 1] == std::byte{0};
    for (std::size_t i = 1; i <= n; ++i) {
      b[i] ^= std::byte{1};
      ok = ok && !equal_bytes(a.data() + 1, b.data() + 1, n);
      ok = ok && equal_bytes(a.data() + 1, b.data() + 1, i - 1);
      b[i] ^= std::byte{1};
    }
  }
  return ok;
}
static_assert(bytes_are_compared());

constexpr bool nothing_may_be_null() {
  copy_bytes(nullptr, nullptr, 0);
  zero_bytes(nullptr, 0);
  zero_bytes(byte_span{});
  return is_zero(nullptr, 0) && is_zero(byte_view{}) && equal_bytes(nullptr, nullptr, 0);
}
static_assert(nothing_may_be_null());

constexpr bool text_is_copied() {
  std::array<std::byte, 4> bytes{};
  copy_text(bytes.data(), "a\xFF");
  copy_text(bytes.data() + 3, {});
  return bytes[0] == std::byte{'a'} && bytes[1] == std::byte{0xFF} && bytes[2] == std::byte{0};
}
static_assert(text_is_copied());

}  // namespace

TEST_CASE("zeros are told at every length, offset and place") {
  for (std::size_t offset = 0; offset <= longest; ++offset) {
    INFO(offset);
    CHECK(zeros_are_told_from(offset, longest));
  }
}

TEST_CASE("zeros are told in large blocks, to the last byte and no further") {
  for (const std::size_t n : {511u, 512u, 513u, 4096u, 65536u, 65551u}) {
    // A block of the exact size, so that a sanitizer sees a read past its end.
    const auto block = std::make_unique<std::byte[]>(n);
    CHECK(is_zero(block.get(), n));
    for (const std::size_t i :
         std::initializer_list<std::size_t>{0, 15, 16, 17, n / 2, n - 17, n - 16, n - 1}) {
      block[i] = std::byte{1};
      CHECK_FALSE(is_zero(block.get(), n));
      block[i] = std::byte{0};
    }
  }
}

TEST_CASE("bytes are copied, compared and cleared") {
  CHECK(bytes_are_compared());
  CHECK(nothing_may_be_null());
  CHECK(text_is_copied());
}

}  // namespace bytes_test
