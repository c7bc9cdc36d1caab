// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/core/endian.hpp"

static_assert(sizeof(vmdk::le<unsigned>) == sizeof(unsigned));
