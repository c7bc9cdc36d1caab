// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "tests/support/paged_file.hpp"
#include "vmdk/writer/delta.hpp"

namespace delta_testing {

using namespace vmdk;
using namespace testing_support;

using any_grain = monolithic_sparse<dynamic_grain>;
using contents = std::vector<std::byte>;

inline constexpr parent_link some_parent{.cid = 0x1234, .file_name_hint = "parent.vmdk"};

/// Puts numbers at random into a disk, none of them zero.
inline void fill(paged_file& disk, std::uint64_t at, std::uint64_t bytes, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (std::uint64_t i = 0; i < bytes; i += 8) disk.put_number(at + i, random() | 1, 8);
}

}  // namespace delta_testing
