// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/reader/sparse.hpp"

#include "jobs.hpp"

namespace {

vmdk::sparse_reader_memory<> tables;
std::byte block[512];

}  // namespace

vmdk::failure jobs::read_sparse(board::flash& image, board::line_out& out) noexcept {
  auto disk = vmdk::sparse_reader<board::flash>::open(image, tables);
  if (!disk) return disk.error();
  const std::uint64_t size = disk->size();
  for (std::uint64_t at = 0; at < size; at += sizeof block) {
    if (vmdk::failure f = disk->read_at(at, block)) return f;
    if (vmdk::failure f = out.write(block)) return f;
  }
  return vmdk::no_failure;
}
