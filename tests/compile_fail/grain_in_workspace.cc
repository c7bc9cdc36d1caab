// SPDX-License-Identifier: BSD-2-Clause
// EXPECT: vmdk: the grain size must be a power of two from 8 to 2048 sectors
#include "vmdk/writer/workspace.hpp"

vmdk::workspace<vmdk::monolithic_sparse<12>> memory;
