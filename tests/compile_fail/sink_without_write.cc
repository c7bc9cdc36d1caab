// SPDX-License-Identifier: BSD-2-Clause
// EXPECT: sink.write(bytes)
#include "vmdk/io/memory.hpp"
#include "vmdk/writer/sparse.hpp"

struct no_sink {};

bool write(vmdk::memory_source& source, no_sink& sink,
           vmdk::workspace<vmdk::monolithic_sparse<8>>& memory) {
  return vmdk::write<vmdk::monolithic_sparse<8>>(source, sink, {}, memory).ok();
}
