// SPDX-License-Identifier: BSD-2-Clause
#include <array>
#include <cstddef>

#include "vmdk/vmdk.hpp"

using namespace vmdk::literals;
using type = vmdk::monolithic_sparse<128>;  // 64 KiB grains

// The size of the file is known before there is a disk.
constexpr auto plan = vmdk::layout<type>::for_capacity(64_GiB).value();
static_assert(plan.overhead_bytes() == 8454144);
static_assert(plan.file_bytes(/*stored_grains=*/1000) == 8454144 + 1000 * 64_KiB);

// A whole image, computed by the compiler, in .rodata.
constexpr auto image = vmdk::constant_image<vmdk::monolithic_sparse<8>>([] {
  std::array<unsigned char, 4096> disk{0xEB, 0xFE};  // jmp $
  disk[510] = 0x55;
  disk[511] = 0xAA;
  return disk;
});

// Reading it back takes a kilobyte for tables, no heap, and no library.
int main() {
  vmdk::memory_source file{vmdk::byte_view(image)};
  vmdk::sparse_reader_memory<> memory;
  static_assert(sizeof memory == 1024);
  auto disk = vmdk::sparse_reader<vmdk::memory_source>::open(file, memory);
  std::array<std::byte, 512> boot_sector{};
  if (!disk || disk->read_at(0, boot_sector)) return 1;
  return boot_sector[510] == std::byte{0x55} ? 0 : 1;
}
