// SPDX-License-Identifier: BSD-2-Clause
// Images of any type are opened, read and checked without a heap or a C library.
#include <array>
#include <cstddef>
#include <cstdint>

#include "vmdk/vmdk.hpp"

namespace {

using source_type = vmdk::memory_source;
using cursor_type = vmdk::image_cursor<vmdk::single_file<source_type>, vmdk::small_inflate>;

vmdk::image_memory<> image_memory;
vmdk::cursor_memory<16, 1024, 65536> caches;
vmdk::small_inflate decoder;
vmdk::check_memory<80 * 1024> check_memory;  // Grains of up to 64 KiB.

// What opening and checking take, all in all.
static_assert(sizeof image_memory <= 56 * 1024);
static_assert(sizeof check_memory <= 112 * 1024);

}  // namespace

vmdk::failure read_disk(vmdk::byte_view file, std::uint64_t offset, vmdk::byte_span out) {
  source_type source{file};
  const auto image = vmdk::open(source, image_memory);
  if (!image) return image.error();
  auto disk = cursor_type::make(*image, caches.spans(), decoder);
  return disk ? disk->read_at(offset, out) : disk.error();
}

vmdk::failure check_disk(vmdk::byte_view file, std::uint64_t& errors) {
  source_type source{file};
  const auto done = vmdk::check(source, check_memory, [&errors](const vmdk::finding& found) {
    errors += vmdk::accepts(vmdk::strictness::tolerant, found.code) ? 0 : 1;
  });
  return done ? vmdk::no_failure : done.error();
}
