// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/writer/delta_source.hpp"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <random>
#include <vector>

#include "vmdk/io/memory.hpp"

namespace delta_source_test {
namespace {

using namespace vmdk;

/// Knows the runs of bytes that are not zero, each by itself, and counts how often it is asked.
class runs_source {
 public:
  explicit runs_source(const std::vector<std::byte>& bytes) : bytes_(&bytes) {}

  std::uint64_t size() const noexcept { return bytes_->size(); }
  failure read_at(std::uint64_t offset, byte_span out) noexcept {
    return memory_source(byte_view(*bytes_)).read_at(offset, out);
  }
  result<range> next_data(std::uint64_t offset) noexcept {
    ++asked;
    if (asked == fails_at) return source_failure(errc::read_failed, offset);
    std::size_t first = offset;
    while (first < bytes_->size() && (*bytes_)[first] == std::byte{0}) ++first;
    std::size_t last = first;
    while (last < bytes_->size() && (*bytes_)[last] != std::byte{0}) ++last;
    return range{first, last - first};
  }

  int asked = 0;
  int fails_at = 0;

 private:
  const std::vector<std::byte>* bytes_;
};

int runs_of(const std::vector<std::byte>& bytes) {
  int runs = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] != std::byte{0} && (i == 0 || bytes[i - 1] == std::byte{0})) ++runs;
  }
  return runs;
}

}  // namespace

TEST_CASE("data is where the disk or its parent has some") {
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::byte> own(40);
    std::vector<std::byte> hidden(30 + random() % 30);  // The parent may be longer or shorter.
    for (std::byte& b : own) b = std::byte{random() % 4 == 0};
    for (std::byte& b : hidden) b = std::byte{random() % 4 == 0};
    runs_source disk(own);
    runs_source parent(hidden);
    detail::delta_source both(disk, parent);
    const auto is_data = [&](std::size_t i) {
      return own[i] != std::byte{0} || (i < hidden.size() && hidden[i] != std::byte{0});
    };
    // Some offsets are left out, as by a reader of whole grains.
    for (std::size_t at = 0; at <= own.size(); at += 1 + random() % 5) {
      const auto found = both.next_data(at);
      REQUIRE(found);
      std::size_t first = at;
      while (first < own.size() && !is_data(first)) ++first;
      REQUIRE(found->offset == first);
      REQUIRE((found->bytes == 0) == (first == own.size()));
      REQUIRE(found->end() <= own.size());
      for (std::size_t i = first; i < found->end(); ++i) REQUIRE(is_data(i));
    }
    // Each run is asked for once, and the end.
    CHECK(disk.asked <= runs_of(own) + 1);
    CHECK(parent.asked <= runs_of(hidden) + 1);
  }
}

TEST_CASE("a walk that failed can go on") {
  const std::vector<std::byte> own(10);
  std::vector<std::byte> hidden(10);
  hidden[7] = std::byte{1};
  runs_source disk(own);
  runs_source parent(hidden);
  detail::delta_source both(disk, parent);
  parent.fails_at = 1;
  CHECK(both.next_data(3).error() == source_failure(errc::read_failed, 3));
  CHECK(both.next_data(3) == range{7, 1});
  CHECK(both.next_data(8) == range{10, 0});
}

TEST_CASE("behind the end of a parent there are zeros") {
  const std::vector<std::byte> hidden(4096 + 100, std::byte{7});
  runs_source parent(hidden);
  std::vector<std::byte> buffer(8192, std::byte{9});
  detail::delta_scanner<runs_source> scanner(parent, sparse_geometry(32, 8), nullptr, buffer);
  std::vector<std::byte> grain(4096);
  REQUIRE(!scanner.fetch(1, 2));
  CHECK(scanner.holds_data(grain.data(), 1));
  CHECK(!scanner.holds_data(grain.data(), 2));
  REQUIRE(!scanner.fetch(2, 2));
  CHECK(!scanner.holds_data(grain.data(), 2));
  CHECK(!scanner.holds_data(grain.data(), 3));
  std::fill_n(grain.begin(), 100, std::byte{7});
  REQUIRE(!scanner.fetch(1, 1));
  CHECK(!scanner.holds_data(grain.data(), 1));
}

}  // namespace delta_source_test
