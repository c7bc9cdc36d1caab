// SPDX-License-Identifier: BSD-2-Clause
#include <array>
#include <catch2/catch.hpp>
#include <cstddef>

#include "vmdk/codec/inflate.hpp"
#include "vmdk/constant/image.hpp"
#include "vmdk/io/memory.hpp"
#include "vmdk/layout/types.hpp"
#include "vmdk/reader/compressed_grain.hpp"
#include "vmdk/verify/repair.hpp"
#include "vmdk/writer/sparse.hpp"

namespace repair_constant_test {
namespace {

using namespace vmdk;

constexpr auto good = constant_image<monolithic_sparse<8>>([] {
  std::array<std::byte, 4096> disk{};
  disk[0] = std::byte{7};
  return disk;
});

/// Mends an image one byte of which is another.
constexpr bool byte_comes_back(std::size_t at, std::byte value) {
  auto image = good;
  image.data()[at] = value;
  memory_storage file(image, image.size());
  no_decoder decoder;
  std::array<std::byte, repair_least_bytes> room{};
  unsigned steps = 0;
  const auto done =
      repair(file, repair_spans<no_decoder>{decoder, room}, [&](const repair_step&) { ++steps; });
  return done.ok() && done->changes == 1 && done->left == 0 && steps == 1 &&
         equal_bytes(image.data(), good.data(), good.size());
}

constexpr std::size_t directory = 26 * sector_bytes;
constexpr std::size_t table = directory + sector_bytes;
constexpr std::size_t redundant_table = table - 5 * sector_bytes;

static_assert(byte_comes_back(72, std::byte{1}), "the unclean flag");
static_assert(byte_comes_back(directory, std::byte{9}), "a directory entry");
static_assert(byte_comes_back(redundant_table, std::byte{9}), "an entry of the redundant copy");

TEST_CASE("images are repaired in constant expressions as at run time") {
  CHECK(byte_comes_back(72, std::byte{1}));
  CHECK(byte_comes_back(directory, std::byte{9}));
  CHECK(byte_comes_back(table, std::byte{9}));
  CHECK(byte_comes_back(redundant_table, std::byte{9}));
}

}  // namespace

}  // namespace repair_constant_test
