// SPDX-License-Identifier: BSD-2-Clause
// EXPECT: vmdk: compilers' default limits allow for constant images with 64 KiB of data
#include <array>

#include "vmdk/constant/image.hpp"

constexpr auto image =
    vmdk::constant_image<vmdk::monolithic_sparse<8>>([] { return std::array<char, 65537>{}; });
