// SPDX-License-Identifier: BSD-2-Clause
// How often reading a sparse disk reads the file.
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <random>
#include <vector>

#include "tests/support/image_builder.hpp"
#include "vmdk/io/counting.hpp"
#include "vmdk/reader/sparse.hpp"

namespace sparse_reader_cost_test {
namespace {

using namespace vmdk;
using namespace testing_support;

}  // namespace

TEST_CASE("a small read takes at most three reads of the file, or two") {
  for (const std::uint64_t grain : {8u, 16u, 128u, 2048u}) {
    std::vector<std::uint64_t> stored;
    std::mt19937_64 random(6);
    const std::uint64_t grains = 512 * 130;
    for (std::uint64_t i = 0; i < 400; ++i) stored.push_back(random() % grains);
    std::sort(stored.begin(), stored.end());
    stored.erase(std::unique(stored.begin(), stored.end()), stored.end());
    const sparse_image image = build_sparse(
        {.capacity_sectors = grains * grain, .grain_sectors = grain, .stored = stored});

    const auto most_reads = [&](auto& memory) {
      counting_source<const paged_file> source(image.file);
      auto reader = sparse_reader<counting_source<const paged_file>>::open(source, memory);
      REQUIRE(reader);
      CHECK(source.read_calls() == 1);  // Opening reads the header alone.
      std::array<std::byte, 4096> out{};
      REQUIRE_FALSE(reader->read_at(0, out));
      std::uint64_t most = 0;
      for (int i = 0; i < 1000; ++i) {
        const std::uint64_t near = stored[random() % stored.size()] * grain * 512;
        const std::uint64_t offset =
            (i % 2 == 0 ? near + random() % (grain * 512) : random() % reader->size()) / 4096 *
            4096;
        source.reset();
        REQUIRE_FALSE(reader->read_at(offset, out));
        most = std::max(most, source.read_calls());
      }
      return most;
    };
    sparse_reader_memory<> least;
    CHECK(most_reads(least) == 3);
    sparse_reader_memory<1024> all_of_the_directory;  // 130 entries of 4 bytes.
    CHECK(most_reads(all_of_the_directory) == 2);
  }
}

TEST_CASE("reading a run takes one read of the file") {
  std::vector<std::uint64_t> stored;
  for (std::uint64_t i = 450; i < 600; ++i) stored.push_back(i);
  const sparse_image image = build_sparse({.capacity_sectors = 16 * 1024, .stored = stored});
  counting_source<const paged_file> source(image.file);
  sparse_reader_memory<512, 2048> memory;
  auto reader = sparse_reader<counting_source<const paged_file>>::open(source, memory);
  REQUIRE(reader);
  source.reset();
  CHECK(reads_as_planned(image, *reader, 450 * 8192 + 5, 149 * 8192));
  CHECK(source.read_calls() == 4);  // The directory, two tables, and all the grains.
}

}  // namespace sparse_reader_cost_test
