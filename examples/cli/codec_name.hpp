// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

namespace vmdk::cli {

/// What compresses and expands grains.
enum class codec : std::uint8_t { builtin, stored, zlib, libdeflate };

}  // namespace vmdk::cli
