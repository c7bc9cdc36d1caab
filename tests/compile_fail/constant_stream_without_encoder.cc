// SPDX-License-Identifier: BSD-2-Clause
// EXPECT: vmdk: a constant image is a monolithic_sparse<GRAIN>, or a stream_optimized<GRAIN> with
// an encoder
#include <array>

#include "vmdk/constant/image.hpp"

constexpr auto image =
    vmdk::constant_image<vmdk::stream_optimized<8>>([] { return std::array<char, 512>{}; });
