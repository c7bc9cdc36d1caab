// SPDX-License-Identifier: BSD-2-Clause
// Disks of several files from a stranger: extents, parents, and descriptors that name them.
#include <cstddef>
#include <cstdint>

#include "bundle.hpp"
#include "examine.hpp"
#include "guarded_files.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = std::as_bytes(std::span(data, size));
  const fuzzing::bundle bundle(input);
  fuzzing::generator random(input);
  fuzzing::guarded_files files(bundle);
  fuzzing::examine(files, vmdk::file_id{0}, random);
  return 0;
}
