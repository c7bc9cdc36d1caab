// SPDX-License-Identifier: BSD-2-Clause
// What a cursor costs: memory, reads, expansions.
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "tests/reader/testing.hpp"
#include "vmdk/codec/inflate.hpp"
#include "vmdk/io/counting.hpp"
#include "vmdk/reader/cursor.hpp"

namespace cursor_cost_test {
namespace {

using namespace reader_testing;

TEST_CASE("a cursor needs the memory it says") {
  watched_files files;
  files.put("disk", whole_stream({.stored = {0}}).file);
  files.put("flat", text_of({.extents = {"RW 1 ZERO"}}));
  opened_image<watched_files> stream(files, "disk");
  opened_image<watched_files> flat(files, "flat");
  REQUIRE((stream && flat));
  small_inflate decoder;
  const auto make = [&](const image<watched_files>& of, std::size_t caches, std::size_t tables,
                        std::size_t grain, std::size_t input) {
    cursor_room room(caches, tables, grain, input);
    return image_cursor<watched_files, small_inflate>::make(of, room.spans(), decoder).error();
  };
  const auto small = [](std::uint32_t wanted) {
    return options_failure(errc::workspace_too_small, 0, wanted);
  };
  CHECK(make(*stream.image, 1, 1024, 8192, 512) == no_failure);
  CHECK(make(*stream.image, 0, 1024, 8192, 512) == small(sizeof(link_cache)));
  CHECK(make(*stream.image, 1, 1023, 8192, 512) == small(1024));
  CHECK(make(*stream.image, 3, 3071, 8192, 512) == small(3072));
  CHECK(make(*stream.image, 3, 3072, 8192, 512) == no_failure);
  CHECK(make(*stream.image, 1, 1024, 8191, 512) == small(8192));
  CHECK(make(*stream.image, 1, 1024, 8192, 511) == small(512));
  CHECK(make(*flat.image, 1, 1024, 0, 0) == no_failure);
}

TEST_CASE("a random 4 KiB read takes two reads a link, or three where the directory is too large") {
  // 130 tables: a directory of two sectors.
  constexpr std::uint64_t capacity = 130 * 512 * 8;
  std::vector<std::uint64_t> stored;
  for (std::uint64_t g = 0; g < capacity / 8; g += 400) stored.push_back(g);
  const sparse_image image =
      whole_sparse({.capacity_sectors = capacity, .grain_sectors = 8, .stored = stored});
  counting_source<const paged_file> counted(image.file);
  single_file<counting_source<const paged_file>> files(counted);
  using F = single_file<counting_source<const paged_file>>;
  opened_image<F> opened(files, file_id{});
  REQUIRE(opened);
  std::mt19937 random(5);
  for (const std::size_t table_bytes : {1024u, 2048u, 8192u}) {
    cursor_room room(1, table_bytes, 0, 0);
    no_decoder none;
    auto cursor = image_cursor<F>::make(*opened.image, room.spans(), none);
    REQUIRE(cursor);
    bytes out(4096);
    REQUIRE_FALSE(cursor->read_at(0, out));
    std::uint64_t most = 0;
    for (int i = 0; i < 500; ++i) {
      counted.reset();
      const std::uint64_t at = stored[random() % stored.size()] * 4096;
      REQUIRE_FALSE(cursor->read_at(at, out));
      most = larger_of(most, counted.read_calls());
    }
    CHECK(most == (table_bytes == 1024 ? 3u : 2u));
  }
}

TEST_CASE("of a chain each link costs no more than that") {
  watched_files files;
  constexpr std::uint64_t capacity = 512 * 8 * 4;
  std::vector<std::uint64_t> all_grains(capacity / 8);
  for (std::size_t i = 0; i < all_grains.size(); ++i) all_grains[i] = i;
  for (unsigned level = 0; level < 3; ++level) {
    descriptor_plan says{.cid = std::to_string(level + 1)};
    if (level != 2) says.parent = std::to_string(level + 2);
    if (level != 2) says.hint = "link" + std::to_string(level + 1);
    files.put("link" + std::to_string(level),
              whole_sparse({.capacity_sectors = capacity,
                            .grain_sectors = 8,
                            .stored = level == 2 ? all_grains : std::vector<std::uint64_t>{}},
                           says)
                  .file.bytes());
  }
  opened_image<watched_files> opened(files, "link0");
  REQUIRE(opened);
  cursor_room room(3, std::size_t{3} * 1024, 0, 0);
  no_decoder none;
  auto cursor = image_cursor<watched_files>::make(*opened.image, room.spans(), none);
  bytes out(4096);
  REQUIRE_FALSE(cursor->read_at(0, out));
  std::mt19937 random(5);
  std::uint64_t most = 0;
  for (int i = 0; i < 300; ++i) {
    files.reads = 0;
    REQUIRE_FALSE(cursor->read_at(random() % (capacity / 8) * 4096, out));
    most = larger_of(most, files.reads.load());
  }
  CHECK(most == 4);  // A table each, and the data.
}

TEST_CASE("of a stream a whole grain and its parts cost one expansion") {
  watched_files files;
  const stream_image image = whole_stream({.stored = {0, 1, 2, 3}});
  files.put("disk", image.file);
  opened_image<watched_files> opened(files, "disk");
  REQUIRE(opened);
  cursor_room room(1, 1024, 8192, 2 * 8192 + 524);
  small_inflate decoder;
  auto cursor =
      image_cursor<watched_files, small_inflate>::make(*opened.image, room.spans(), decoder);
  bytes out(8192);
  REQUIRE_FALSE(cursor->read_at(0, out));
  files.reads = 0;
  for (std::uint64_t at = 8192; at < 16384; at += 512) {
    REQUIRE_FALSE(cursor->read_at(at, byte_span(out).first(512)));
  }
  CHECK(files.reads == 1);
  REQUIRE_FALSE(cursor->read_at(16384, out));  // Straight to the caller: the other is kept.
  REQUIRE_FALSE(cursor->read_at(8192 + 77, byte_span(out).first(100)));
  CHECK(files.reads == 2);
  CHECK((out[0] == content_byte(8192 + 77)));
}

}  // namespace

}  // namespace cursor_cost_test
