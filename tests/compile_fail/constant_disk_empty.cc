// SPDX-License-Identifier: BSD-2-Clause
// EXPECT: vmdk: the disk of a constant image is empty
#include "vmdk/codec/stored.hpp"
#include "vmdk/constant/image.hpp"
#include "vmdk/io/zero.hpp"

constexpr auto image = vmdk::constant_image<vmdk::stream_optimized<8>, vmdk::stored>(
    [] { return vmdk::zero_source(0); });
