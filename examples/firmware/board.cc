// SPDX-License-Identifier: BSD-2-Clause
// The peripherals of ARM's MPS2 boards (AN385, AN386).
#include "board.hpp"

#include "vmdk/core/arithmetic.hpp"

namespace {

/// The registers of a CMSDK UART.
struct uart {
  std::uint32_t data, state, control, interrupt, divider;
};
constexpr std::uint32_t transmit_full = 1, transmit_enable = 1;

volatile uart& port(unsigned number) noexcept {
  constexpr std::uintptr_t places[] = {0x40004000, 0x40005000, 0x40006000, 0x40007000, 0x40009000};
  return *reinterpret_cast<volatile uart*>(places[number]);
}

void send(volatile uart& to, std::byte b) noexcept {
  to.divider = 16;
  to.control = transmit_enable;
  while ((to.state & transmit_full) != 0) {
  }
  to.data = std::to_integer<std::uint32_t>(b);
}

/// A chip begins with the size of what is in it, in four bytes, and 12 bytes of nothing.
constexpr std::uintptr_t first_chip = 0x21000000, chip_room = 0x800000, chip_head = 16;

const std::byte* chip(unsigned number) noexcept {
  return reinterpret_cast<const std::byte*>(first_chip + number * chip_room);
}

vmdk::failure out_of_range(std::uint64_t offset) noexcept {
  return vmdk::source_failure(vmdk::errc::out_of_range, offset);
}

/// Four bytes of the generated disk.
std::uint32_t word(std::uint32_t number) noexcept {
  if ((number >> 14 & 15) != 0) return 0;
  const std::uint32_t noise = (number ^ number >> 15) * 0x2C1B3C6D;
  switch (number >> 10 & 3) {
    case 0:
      return number >> 4;
    case 1:
      return 0x20202020 | (number & 7);
    case 2:
      return noise ^ noise >> 12;
    default:
      return 0;
  }
}

}  // namespace

namespace board {

std::uint64_t flash::size() const noexcept {
  return *reinterpret_cast<const volatile std::uint32_t*>(chip(chip_));
}

vmdk::failure flash::read_at(std::uint64_t offset, vmdk::byte_span out) noexcept {
  if (!vmdk::fits_inside(offset, out.size(), size())) return out_of_range(offset);
  vmdk::copy_bytes(out.data(), chip(chip_) + chip_head + offset, out.size());
  return vmdk::no_failure;
}

vmdk::result<std::size_t> line_in::read(vmdk::byte_span out) noexcept {
  // Less than is asked for, as lines do.
  const auto now = static_cast<std::size_t>(
      vmdk::smaller_of<std::uint64_t>(chip_.size() - at_, out.size() < 100 ? out.size() : 100));
  if (vmdk::failure f = chip_.read_at(at_, out.first(now))) return f;
  at_ += now;
  return now;
}

vmdk::failure line_out::write(vmdk::byte_view bytes) noexcept {
  for (const std::byte b : bytes) send(port(port_), b);
  return vmdk::no_failure;
}

vmdk::failure line_out::skip(std::uint64_t n) noexcept {
  for (; n != 0; --n) send(port(port_), std::byte{0});
  return vmdk::no_failure;
}

std::uint64_t generated_disk::size() const noexcept { return disk_bytes; }

vmdk::failure generated_disk::read_at(std::uint64_t offset, vmdk::byte_span out) noexcept {
  if (!vmdk::fits_inside(offset, out.size(), disk_bytes)) return out_of_range(offset);
  auto at = static_cast<std::uint32_t>(offset);
  for (std::byte& b : out) {
    b = static_cast<std::byte>(word(at >> 2) >> (8 * (at & 3)) & 0xFF);
    ++at;
  }
  return vmdk::no_failure;
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

}  // namespace board
