// SPDX-License-Identifier: BSD-2-Clause
// Constant images of one disk, which the test takes out of the object file.
#include <array>

#include "vmdk/vmdk.hpp"

constexpr auto disk = [] {
  std::array<unsigned char, 16384> bytes{};
  unsigned char* const p = bytes.data();
  for (unsigned i = 0; i < 16384; ++i) p[i] = static_cast<unsigned char>(i * i >> 7);
  return bytes;
};

[[gnu::used]] constexpr auto monolithic_sparse =
    vmdk::constant_image<vmdk::monolithic_sparse<8>>(disk);
[[gnu::used]] constexpr auto stream_stored =
    vmdk::constant_image<vmdk::stream_optimized<8>, vmdk::stored>(disk);
[[gnu::used]] constexpr auto stream_deflate =
    vmdk::constant_image<vmdk::stream_optimized<128>, vmdk::deflate>(disk);
