// SPDX-License-Identifier: BSD-2-Clause
// EXPECT: vmdk: a constant image is a monolithic_sparse<GRAIN>
#include <array>

#include "vmdk/constant/image.hpp"

constexpr auto image =
    vmdk::constant_image<vmdk::monolithic_flat>([] { return std::array<char, 512>{}; });
