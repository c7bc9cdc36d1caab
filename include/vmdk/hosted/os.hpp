// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "vmdk/hosted/os_types.hpp"
#include "vmdk/hosted/posix/os.hpp"
#include "vmdk/hosted/windows/os.hpp"

namespace vmdk {

/// What the operating system calls an open file: a descriptor, on Windows a HANDLE.
using native_file = detail::os::handle::native;

}  // namespace vmdk
