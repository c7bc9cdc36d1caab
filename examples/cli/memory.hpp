// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>

#include "vmdk/core/bytes.hpp"

namespace vmdk::cli {

/// The one large piece of memory that the program has. A command uses it for one thing at a time.
inline constexpr std::size_t bulk_bytes = std::size_t{4} << 20;
alignas(4096) inline std::array<std::byte, bulk_bytes> bulk_memory{};

/// How much is read at a time: what stays in a processor's cache while it is looked at, hashed and
/// written.
inline constexpr std::size_t block_bytes = std::size_t{256} << 10;

}  // namespace vmdk::cli
