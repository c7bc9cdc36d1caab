// SPDX-License-Identifier: BSD-2-Clause
// EXPECT: vmdk: compilers' default limits allow for constant images with 64 KiB of data
#include <array>

#include "vmdk/codec/deflate.hpp"
#include "vmdk/constant/image.hpp"

constexpr auto image = vmdk::constant_image<vmdk::stream_optimized<128>, vmdk::small_deflate>(
    [] { return std::array<char, 16385>{}; });
