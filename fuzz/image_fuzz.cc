// SPDX-License-Identifier: BSD-2-Clause
// A stranger's file of any type, whose names all lead to parts of itself: checked, opened and read.
#include <cstddef>
#include <cstdint>

#include "bundle.hpp"
#include "examine.hpp"
#include "guarded_files.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = std::as_bytes(std::span(data, size));
  const fuzzing::bundle files(input);
  fuzzing::generator random(input);
  fuzzing::guarded_files parts(files.files().front().bytes);
  fuzzing::examine(parts, vmdk::file_id{0}, random);
  return 0;
}
