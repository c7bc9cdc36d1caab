// SPDX-License-Identifier: BSD-2-Clause
// EXPECT: T::bound(n)
#include "vmdk/io/memory.hpp"
#include "vmdk/writer/stream.hpp"

struct no_encoder {
  vmdk::result<std::size_t> encode(vmdk::byte_view in, vmdk::byte_span out) noexcept;
};

bool write(vmdk::memory_source& source, vmdk::memory_sink& sink,
           vmdk::workspace<vmdk::stream_optimized<8>, no_encoder>& memory) {
  return vmdk::write<vmdk::stream_optimized<8>>(source, sink, {}, memory).ok();
}
