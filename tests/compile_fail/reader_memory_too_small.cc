// SPDX-License-Identifier: BSD-2-Clause
// EXPECT: vmdk: a table cache holds at least one sector
#include "vmdk/reader/sparse.hpp"

vmdk::sparse_reader_memory<512, 511> memory;
