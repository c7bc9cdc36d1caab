// SPDX-License-Identifier: BSD-2-Clause
// EXPECT: vmdk: the grain size must be a power of two from 8 to 2048 sectors
#include "vmdk/layout/stream.hpp"

const auto plan = vmdk::layout<vmdk::stream_optimized<24>>::for_capacity(1);
