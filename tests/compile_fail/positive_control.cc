// SPDX-License-Identifier: BSD-2-Clause
// What the other files here get wrong, done right.
#include "vmdk/core/endian.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/io/memory.hpp"
#include "vmdk/layout/sparse.hpp"
#include "vmdk/reader/sparse.hpp"
#include "vmdk/writer/sparse.hpp"

static_assert(sizeof(vmdk::le<unsigned>) == sizeof(unsigned));

const auto smallest = vmdk::layout<vmdk::monolithic_sparse<8>>::for_capacity(1);
const auto largest = vmdk::layout<vmdk::monolithic_sparse<2048>>::for_capacity(1);
const auto any = vmdk::layout<vmdk::monolithic_sparse<vmdk::dynamic_grain>>::for_capacity(1);

bool write(vmdk::memory_source& source, vmdk::memory_sink& sink,
           vmdk::workspace<vmdk::monolithic_sparse<8>>& memory) {
  return vmdk::write<vmdk::monolithic_sparse<8>>(source, sink, {}, memory).ok();
}

vmdk::sparse_reader_memory<512, 512> memory;
vmdk::sparse_reader<vmdk::memory_source> reader;

vmdk::result<int> something();
bool ask() { return something().ok(); }
