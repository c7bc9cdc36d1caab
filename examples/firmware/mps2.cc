// SPDX-License-Identifier: BSD-2-Clause
// ARM's MPS2 boards (AN385, AN386).
#include "machine.hpp"

extern "C" std::uint32_t stack_top[];  // A place, not bytes: see sections.ld.

namespace {

/// The registers of a CMSDK UART.
struct uart {
  std::uint32_t data, state, control, interrupt, divider;
};
constexpr std::uint32_t transmit_full = 1, transmit_enable = 1;

[[noreturn]] void fault() noexcept { machine::exit(99); }

/// The vectors that the processor reads: the first stack, then who handles what.
struct vector_table {
  std::uint32_t* stack = stack_top;
  void (*handlers[15])() = {machine::start, fault, fault, fault, fault, fault, fault, fault,
                            fault,          fault, fault, fault, fault, fault, fault};
};
[[gnu::section(".vectors"), gnu::used]] const vector_table vectors;

}  // namespace

namespace machine {

void send(unsigned port, vmdk::byte_view bytes) noexcept {
  constexpr std::uintptr_t places[] = {0x40004000, 0x40005000, 0x40006000, 0x40007000, 0x40009000};
  auto& to = *reinterpret_cast<volatile uart*>(places[port]);
  to.divider = 16;
  to.control = transmit_enable;
  for (const std::byte b : bytes) {
    while ((to.state & transmit_full) != 0) {
    }
    to.data = std::to_integer<std::uint32_t>(b);
  }
}

const std::byte* chip(unsigned number) noexcept {
  constexpr std::uintptr_t first = 0x21000000, room = 0x800000;
  return reinterpret_cast<const std::byte*>(first + number * room);
}

void exit(std::uint32_t status) noexcept {
  // Semihosting: SYS_EXIT_EXTENDED with ADP_Stopped_ApplicationExit.
  const std::uint32_t reason[2] = {0x20026, status};
  register std::uint32_t operation asm("r0") = 0x20;
  register const std::uint32_t* block asm("r1") = reason;
  asm volatile("bkpt 0xAB" : : "r"(operation), "r"(block) : "memory");
  for (;;) {
  }
}

}  // namespace machine
