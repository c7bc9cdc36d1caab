// SPDX-License-Identifier: BSD-2-Clause
// From reset to main, and what the stack was used for.
#include "board.hpp"
#include "machine.hpp"

// Places, not bytes: see sections.ld.
extern "C" {
extern std::uint32_t data_load[], data_begin[], data_end[], bss_begin[], bss_end[];
int main();
}

namespace {

constexpr std::uint32_t paint = 0xC5C5C5C5;

}  // namespace

extern "C" void machine::start() noexcept {
  const std::uint32_t* from = data_load;
  for (std::uint32_t* to = data_begin; to != data_end;) *to++ = *from++;
  for (std::uint32_t* to = bss_begin; to != bss_end;) *to++ = 0;
  machine::exit(static_cast<std::uint32_t>(main()));
}

// What is below the stack pointer here is unused, but for an interrupt's frame; there are none.
void board::paint_stack() noexcept {
  auto* const here = static_cast<volatile std::uint32_t*>(__builtin_frame_address(0)) - 16;
  for (volatile std::uint32_t* p = bss_end; p < here; ++p) *p = paint;
}

std::uint32_t board::painted_over() noexcept {
  auto* const here = static_cast<const volatile std::uint32_t*>(__builtin_frame_address(0));
  const volatile std::uint32_t* p = bss_end;
  while (p < here && *p == paint) ++p;
  return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(here) -
                                    reinterpret_cast<std::uintptr_t>(p));
}
