// SPDX-License-Identifier: BSD-2-Clause
// What the boards have in common.
#include "board.hpp"

#include "machine.hpp"
#include "vmdk/core/arithmetic.hpp"

namespace {

/// A chip begins with the size of what is in it, in four bytes, and 12 bytes of nothing.
constexpr std::size_t chip_head = 16;

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
  return *reinterpret_cast<const volatile std::uint32_t*>(machine::chip(chip_));
}

vmdk::failure flash::read_at(std::uint64_t offset, vmdk::byte_span out) noexcept {
  if (!vmdk::fits_inside(offset, out.size(), size())) return out_of_range(offset);
  vmdk::copy_bytes(out.data(), machine::chip(chip_) + chip_head + offset, out.size());
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
  machine::send(port_, bytes);
  return vmdk::no_failure;
}

vmdk::failure line_out::skip(std::uint64_t n) noexcept {
  static constexpr std::byte zeros[512]{};
  while (n != 0) {
    const auto now = static_cast<std::size_t>(vmdk::smaller_of<std::uint64_t>(n, sizeof zeros));
    machine::send(port_, {zeros, now});
    n -= now;
  }
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

}  // namespace board
