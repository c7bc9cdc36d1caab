// SPDX-License-Identifier: BSD-2-Clause
#include <array>
#include <cstddef>

#include "vmdk/vmdk.hpp"

namespace {

using type = vmdk::monolithic_sparse<8>;

std::array<std::byte, 65536> disk;
std::array<std::byte, 131072> file;
vmdk::workspace<type> workspace;
vmdk::sparse_reader_memory<> memory;

}  // namespace

/// Writes an image into memory and reads it back.
extern "C" int write_and_read() {
  vmdk::memory_source content{vmdk::byte_view(disk)};
  vmdk::memory_sink sink{vmdk::byte_span(file)};
  if (!vmdk::write<type>(content, sink, vmdk::write_options{}, workspace)) return 1;
  vmdk::memory_source image{sink.written()};
  auto reader = vmdk::sparse_reader<vmdk::memory_source>::open(image, memory);
  if (!reader) return 2;
  return reader->read_at(0, vmdk::byte_span(disk)) ? 3 : 0;
}

/// The same through a sink that only appends.
extern "C" int append() {
  vmdk::memory_source content{vmdk::byte_view(disk)};
  vmdk::memory_sink sink{vmdk::byte_span(file)};
  vmdk::append_only_sink pipe(sink);
  return vmdk::write<type>(content, pipe, vmdk::write_options{}, workspace) ? 0 : 1;
}
