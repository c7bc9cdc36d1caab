// SPDX-License-Identifier: BSD-2-Clause
// EXPECT: noexcept
#include "vmdk/reader/sparse.hpp"

struct no_source {
  std::uint64_t size() const noexcept { return 512; }
  vmdk::failure read_at(std::uint64_t, vmdk::byte_span) { return {}; }
};

vmdk::sparse_reader<no_source> reader;
