// SPDX-License-Identifier: BSD-2-Clause
// How large the file of a disk becomes.
#include "vmdk/layout/sparse.hpp"

extern "C" std::uint64_t file_bytes(std::uint64_t disk_bytes, std::uint64_t stored_grains) {
  const auto plan = vmdk::layout<vmdk::monolithic_sparse<128>>::for_capacity(disk_bytes);
  return plan ? plan->file_bytes(stored_grains).value_or(0) : 0;
}
