// SPDX-License-Identifier: BSD-2-Clause
// EXPECT: vmdk: the content of a constant image is a lambda without captures
#include "vmdk/constant/image.hpp"

constexpr auto image = vmdk::constant_image<vmdk::monolithic_sparse<8>>([] { return 512; });
