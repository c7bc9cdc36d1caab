// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// The calls that read and write open files.

#include "vmdk/hosted/os.hpp"
#include "vmdk/hosted/posix/os_io.hpp"
#include "vmdk/hosted/windows/os_io.hpp"
