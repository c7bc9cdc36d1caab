// SPDX-License-Identifier: BSD-2-Clause
// EXPECT: source.read_at(offset, out)
#include "vmdk/io/memory.hpp"
#include "vmdk/writer/sparse.hpp"

struct no_source {
  std::uint64_t size() const noexcept { return 512; }
};

bool write(no_source& source, vmdk::memory_sink& sink,
           vmdk::workspace<vmdk::monolithic_sparse<8>>& memory) {
  return vmdk::write<vmdk::monolithic_sparse<8>>(source, sink, {}, memory).ok();
}
