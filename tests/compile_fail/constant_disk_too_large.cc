// SPDX-License-Identifier: BSD-2-Clause
// EXPECT: vmdk: the disk is too large for an image of this type and grain size
#include "vmdk/constant/image.hpp"
#include "vmdk/io/zero.hpp"

// The tables of so large a disk would not be addressed by 32 bits.
constexpr auto bytes = vmdk::constant_file_bytes<vmdk::monolithic_sparse<8>>(
    [] { return vmdk::zero_source(std::uint64_t{1} << 60); });
