// SPDX-License-Identifier: BSD-2-Clause
// EXPECT: vmdk: an option of the constant image must not stand in a descriptor
#include <array>

#include "vmdk/constant/image.hpp"

constexpr auto image = vmdk::constant_image<vmdk::monolithic_sparse<8>>(
    [] { return std::array<char, 512>{}; },
    [] { return vmdk::write_options{.extent_name = "a\"b"}; });
