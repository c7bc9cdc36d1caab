// SPDX-License-Identifier: BSD-2-Clause
// EXPECT: vmdk: the grain size must be a power of two from 8 to 2048 sectors
#include "vmdk/layout/split.hpp"

const auto plan = vmdk::layout<vmdk::two_gb_max_extent_sparse<4>>::for_capacity(1);
