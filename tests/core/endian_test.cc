// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/core/endian.hpp"

#include <array>
#include <bit>
#include <catch2/catch.hpp>

namespace endian_test {
namespace {

using namespace vmdk;

/// The value whose bytes, lowest first, are first, first + 1 ...
template <class T>
constexpr T counted(unsigned first) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < sizeof(T); ++i) value += std::uint64_t{first + i} << (8 * i);
  return static_cast<T>(value);
}

/// Stores and loads one width at every alignment; the neighbours stay as they were.
template <class T>
constexpr bool works_at_every_alignment() {
  constexpr std::byte untouched{0xEE};
  bool ok = true;
  for (std::size_t at = 0; at < 9; ++at) {
    std::array<std::byte, 17> bytes{};
    for (std::byte& b : bytes) b = untouched;
    store_le<T>(bytes.data() + at, counted<T>(0xA1));
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const bool inside = i >= at && i < at + sizeof(T);
      ok = ok && bytes[i] == (inside ? static_cast<std::byte>(0xA1 + i - at) : untouched);
    }
    ok = ok && load_le<T>(bytes.data() + at) == counted<T>(0xA1);
  }
  return ok;
}

/// Each bit by itself, none and all of them survive.
template <class T>
constexpr bool keeps_every_bit() {
  std::array<std::byte, sizeof(T)> bytes{};
  const auto survives = [&](T value) {
    store_le<T>(bytes.data(), value);
    return load_le<T>(bytes.data()) == value && le<T>(value).get() == value;
  };
  bool ok = survives(T{0}) && survives(static_cast<T>(~T{0}));
  for (unsigned bit = 0; bit < 8 * sizeof(T); ++bit) {
    const auto one = static_cast<T>(T{1} << bit);
    ok = ok && survives(one) && survives(static_cast<T>(~one));
    ok = ok && std::to_integer<unsigned>(bytes[bit / 8]) == (0xFFu ^ 1u << bit % 8);
  }
  return ok;
}

template <class T>
constexpr bool width_works() {
  return works_at_every_alignment<T>() && keeps_every_bit<T>();
}
static_assert(width_works<std::uint8_t>());
static_assert(width_works<std::uint16_t>());
static_assert(width_works<std::uint32_t>());
static_assert(width_works<std::uint64_t>());

struct packed {
  le<std::uint8_t> a{};
  le<std::uint64_t> b{};
  le<std::uint16_t> c{};
  le<std::uint32_t> d{};
};
static_assert(sizeof(packed) == 15 && alignof(packed) == 1);
static_assert(std::is_trivially_copyable_v<packed>);

constexpr bool le_behaves_as_an_integer() {
  const le<std::uint32_t> five = 5u;
  const le<std::uint32_t> none;
  bool ok = five == 5u && 5u == five && five != 6u && five == five && none == 0u;
  ok = ok && five + 1u == 6u && (five & 4u) == 4u && five << 1 == 10u;
  packed p{.a = std::uint8_t{1}, .b = std::uint64_t{0x0807060504030201}, .c = std::uint16_t{0x201}};
  p.d = 0xFFFFFFFFu;
  const auto bytes = std::bit_cast<std::array<std::byte, sizeof(packed)>>(p);
  ok = ok && bytes[0] == std::byte{1} && bytes[1] == std::byte{1} && bytes[8] == std::byte{8};
  ok = ok && bytes[9] == std::byte{1} && bytes[10] == std::byte{2} && bytes[14] == std::byte{0xFF};
  const auto back = std::bit_cast<packed>(bytes);
  return ok && back.b == 0x0807060504030201u && back.d.get() == 0xFFFFFFFFu;
}
static_assert(le_behaves_as_an_integer());

}  // namespace

TEST_CASE("little-endian integers load and store at any place") {
  CHECK(width_works<std::uint8_t>());
  CHECK(width_works<std::uint16_t>());
  CHECK(width_works<std::uint32_t>());
  CHECK(width_works<std::uint64_t>());
  CHECK(le_behaves_as_an_integer());
}

}  // namespace endian_test
