// SPDX-License-Identifier: BSD-2-Clause
#include <cstddef>
#include <cstdint>

#include "vmdk/core/endian.hpp"

extern "C" std::uint64_t load_sector_number(const std::byte* at) noexcept {
  return vmdk::load_le<std::uint64_t>(at);
}
