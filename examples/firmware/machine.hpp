// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/bytes.hpp"

/// What is of one machine: mps2.cc and virt.cc.
namespace machine {

/// Sends bytes out of a port.
void send(unsigned port, vmdk::byte_view bytes) noexcept;

/// Where a memory chip begins.
[[nodiscard]] const std::byte* chip(unsigned number) noexcept;

/// Ends the program; 0 is success.
[[noreturn]] void exit(std::uint32_t status) noexcept;

/// What the machine calls with a stack and nothing else: initialises the memory and runs main.
extern "C" [[noreturn]] void start() noexcept;

}  // namespace machine
