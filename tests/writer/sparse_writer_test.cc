// SPDX-License-Identifier: BSD-2-Clause
// The same bytes come from every source into every sink, in the compiler and at run time.
#include "vmdk/writer/sparse.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <random>

#include "tests/support/paged_file.hpp"
#include "tests/support/sparse_checker.hpp"
#include "tests/writer/sparse_testing.hpp"
#include "tests/writer/sparse_ways.hpp"
#include "vmdk/io/append_only.hpp"
#include "vmdk/io/memory.hpp"
#include "vmdk/reader/sparse.hpp"

namespace sparse_writer_test {
namespace {

using namespace writer_testing;
using namespace vmdk::literals;

// One disk, through the compiler and at run time.

constexpr std::array<std::byte, 16384> small_disk() {
  std::array<std::byte, 16384> disk{};
  std::byte* const p = disk.data();
  for (unsigned i = 0; i < 4000; ++i) p[i] = static_cast<std::byte>(i * 7 + (i >> 8));
  p[8192] = std::byte{1};
  p[16383] = std::byte{2};
  return disk;
}

constexpr std::size_t small_image_bytes = 16384 + 3 * 4096;
using small_image_array = std::array<std::byte, small_image_bytes>;

constexpr small_image_array small_image() {
  const auto disk = small_disk();
  memory_source source{byte_view(disk)};
  small_image_array image{};
  memory_sink sink{byte_span(image)};
  workspace<monolithic_sparse<8>> memory{};
  const auto report = write<monolithic_sparse<8>>(source, sink, {}, memory);
  // An image of another size is none.
  if (!report || report->file_bytes != image.size() || sink.size() != image.size()) return {};
  if (report->stored_grains != 3 || report->capacity_bytes != disk.size()) return {};
  return image;
}
constexpr small_image_array computed_image = small_image();
static_assert(load_le<std::uint32_t>(computed_image.data()) == sparse_magic);

/// The same through a sink that only appends.
constexpr bool appended_is_the_same() {
  const auto disk = small_disk();
  memory_source source{byte_view(disk)};
  small_image_array image{};
  memory_sink sink{byte_span(image)};
  append_only_sink appending{sink};
  workspace<monolithic_sparse<8>> memory{};
  const auto report = write<monolithic_sparse<8>>(source, appending, {}, memory);
  return report && sink.size() == image.size() &&
         equal_bytes(image.data(), computed_image.data(), image.size());
}
static_assert(appended_is_the_same());

constexpr bool a_computed_image_is_read_back() {
  memory_source file{byte_view(computed_image)};
  sparse_reader_memory<> memory;
  auto reader = sparse_reader<memory_source>::open(file, memory, strictness::strict);
  std::array<std::byte, 16384> disk{};
  const auto wanted = small_disk();
  return reader && reader->size() == disk.size() && !reader->read_at(0, disk) &&
         equal_bytes(disk.data(), wanted.data(), disk.size());
}
static_assert(a_computed_image_is_read_back());

}  // namespace

TEST_CASE("an image comes out of the compiler as it does at run time") {
  const auto disk = small_disk();
  const contents bytes(disk.begin(), disk.end());
  CHECK(appended_is_the_same());
  CHECK(a_computed_image_is_read_back());
  CHECK(small_image() == computed_image);
  const contents image(computed_image.begin(), computed_image.end());
  CHECK(sparse_file_fault(image, bytes, {.grain_sectors = 8}) == "");
  contents buffer(8_MiB);
  auto source = plain_source(bytes);
  CHECK((seekable(source, {.grain_sectors = 8}, buffer) == image));
  check_every_way(bytes, {.grain_sectors = 8});
}

TEST_CASE("every grain size gives the same bytes from every source into every sink") {
  for (std::uint32_t grain = 8; grain <= 2048; grain *= 2) {
    INFO("grain " << grain);
    const std::uint64_t g = grain * sector_bytes;
    check_every_way(disk_of(3 * g + 700, {{0, 10}, {g - 1, 2}, {3 * g + 600, 1}}),
                    {.grain_sectors = grain});
  }
}

TEST_CASE("disks of every shape give the same bytes from every source into every sink") {
  constexpr std::uint64_t g = 4096;
  const auto whole = capacity_rule::whole_grains;
  const auto exact = capacity_rule::exact;
  const struct {
    const char* what;
    contents disk;
    capacity_rule rule;
  } shapes[] = {
      {"one byte", disk_of(1, {{0, 1}}), whole},
      {"one zero byte", disk_of(1, {}), exact},
      {"all zero", disk_of(20 * g, {}), whole},
      {"all data", disk_of(20 * g, {{0, 20 * g}}), whole},
      {"last grain partial and zero", disk_of(3 * g + 512, {{g, 5}}), whole},
      {"last grain partial and full", disk_of(3 * g + 512, {{3 * g, 512}}), exact},
      {"capacity exact, no whole sector", disk_of(3 * g + 700, {{3 * g + 699, 1}}), exact},
      {"capacity exact, all zero", disk_of(5 * 512, {}), exact},
      {"511 grains", disk_of(511 * g, {{510 * g, g}}), whole},
      {"512 grains", disk_of(512 * g, {{511 * g, g}, {0, 1}}), whole},
      {"513 grains", disk_of(513 * g, {{511 * g + 100, g}}), whole},
      {"513 grains, an empty first table", disk_of(513 * g, {{512 * g, 1}}), whole},
      {"1025 grains, an empty table between", disk_of(1024 * g + 1, {{0, 1}, {1024 * g, 1}}),
       exact},
      {"data to the end of a table", disk_of(520 * g, {{500 * g, 20 * g}}), whole},
  };
  for (const auto& shape : shapes) {
    INFO(shape.what);
    check_every_way(shape.disk, {.grain_sectors = 8, .capacity = shape.rule});
  }
}

TEST_CASE("random disks give the same bytes from every source into every sink") {
  std::mt19937_64 random(5);
  for (int i = 0; i < 8; ++i) {
    contents disk(1 + random() % 300000);
    for (int run = 0; run < 12; ++run) {
      const std::size_t from = random() % disk.size();
      const std::size_t n = smaller_of<std::size_t>(random() % 20000, disk.size() - from);
      for (std::size_t k = 0; k < n; ++k) disk[from + k] = static_cast<std::byte>(random() | 1);
    }
    check_every_way(
        disk, {.grain_sectors = 8u << random() % 4,
               .capacity = random() % 2 == 0 ? capacity_rule::exact : capacity_rule::whole_grains});
  }
}

TEST_CASE("the type's grain size makes the same file as the one given at run time") {
  const contents disk = disk_of(200000, {{0, 10}, {100000, 50000}});
  memory_source source{byte_view(disk)};
  contents buffer(1_MiB);
  const contents reference = seekable(source, {.grain_sectors = 16}, buffer);
  paged_file file;
  workspace<monolithic_sparse<16>> memory;
  // Here the option means nothing.
  REQUIRE(write<monolithic_sparse<16>>(source, file, {.grain_sectors = 99}, memory).ok());
  CHECK((file.bytes() == reference));
  memory.bulk = buffer;
  paged_file again;
  REQUIRE(write<monolithic_sparse<16>>(source, again, {}, memory).ok());
  CHECK(again == file);
}

}  // namespace sparse_writer_test
