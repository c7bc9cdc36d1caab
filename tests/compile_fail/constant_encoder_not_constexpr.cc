// SPDX-License-Identifier: BSD-2-Clause
// EXPECT: vmdk: the encoder of a constant image must work in constant expressions
#include <array>

#include "vmdk/constant/image.hpp"

// An Encoder, but one of a library that was compiled before.
struct foreign {
  static std::size_t bound(std::size_t n) noexcept { return n; }
  vmdk::result<std::size_t> encode(vmdk::byte_view in, vmdk::byte_span out) noexcept;
};

constexpr auto image = vmdk::constant_image<vmdk::stream_optimized<8>, foreign>(
    [] { return std::array<char, 512>{}; });
