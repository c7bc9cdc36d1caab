// SPDX-License-Identifier: BSD-2-Clause
// What a cursor reads, and what it says of where that is.
#include "vmdk/reader/cursor.hpp"

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <random>
#include <thread>
#include <vector>

#include "tests/reader/every_type.hpp"
#include "tests/reader/testing.hpp"
#include "vmdk/codec/inflate.hpp"
#include "vmdk/codec/libdeflate.hpp"
#include "vmdk/codec/zlib.hpp"
#include "vmdk/io/memory.hpp"

namespace cursor_test {
namespace {

using namespace reader_testing;

static_assert(SparseSource<image_cursor<watched_files>>);
static_assert(SparseSource<image_cursor<watched_files, small_inflate>>);

constexpr bool an_unmade_cursor_is_empty() {
  image_cursor<single_file<memory_source>> cursor;
  std::array<std::byte, 1> out{};
  bool ok = cursor.size() == 0 && !cursor.read_at(0, {});
  ok = ok && cursor.read_at(0, out) == source_failure(errc::out_of_range, 0);
  ok = ok && cursor.map(0).error() == source_failure(errc::out_of_range, 0);
  return ok && cursor.next_data(0) == range{0, 0};
}
static_assert(an_unmade_cursor_is_empty());

constexpr bool an_image_that_was_not_opened_is_empty() {
  const image<single_file<memory_source>> none;
  return none.size() == 0 && none.links().empty() && none.extents().empty();
}
static_assert(an_image_that_was_not_opened_is_empty());

TEST_CASE("cursors and images that were not made are empty at run time too") {
  CHECK(an_unmade_cursor_is_empty());
  CHECK(an_image_that_was_not_opened_is_empty());
}

template <class D>
void reads_at_random(sample& s, cursor_room& room, unsigned reads) {
  opened_image<watched_files> opened(s.files, "disk");
  REQUIRE(opened);
  D decoder;
  auto cursor = image_cursor<watched_files, D>::make(*opened.image, room.spans(), decoder);
  REQUIRE(cursor);
  REQUIRE(cursor->size() == s.disk.size());
  std::mt19937 random(11);
  const std::size_t size = s.disk.size();
  for (unsigned i = 0; i < reads; ++i) {
    const std::size_t at = random() % size;
    const std::size_t most = i % 3 == 0 ? 600 : i % 3 == 1 ? 9000 : 40000;
    const std::size_t n = smaller_of<std::size_t>(random() % most + 1, size - at);
    bytes out(n, std::byte{0xAA});
    if (cursor->read_at(at, out) ||
        out != bytes(s.disk.begin() + static_cast<std::ptrdiff_t>(at),
                     s.disk.begin() + static_cast<std::ptrdiff_t>(at + n))) {
      FAIL(s.name << ": " << n << " bytes at " << at);
    }
  }
  CHECK_FALSE(cursor->read_at(size, {}));
  bytes one(1);
  CHECK(cursor->read_at(size, one) == source_failure(errc::out_of_range, size));
  CHECK(cursor->read_at(~std::uint64_t{0}, one) ==
        source_failure(errc::out_of_range, ~std::uint64_t{0}));
}

TEST_CASE("every type is read at random, with any decoder and any memory") {
  for (sample& s : every_type()) {
    cursor_room least(1, 1024, largest_grain, 512);
    reads_at_random<small_inflate>(s, least, 150);
    cursor_room large(4, std::size_t{4} * 200000, 4 * largest_grain, 1 << 20);
    reads_at_random<vmdk::inflate>(s, large, 60);
    reads_at_random<zlib_decoder>(s, least, 60);
    cursor_room contiguous(2, 4096, largest_grain, 2 * largest_grain + 524);
    reads_at_random<libdeflate_decoder>(s, contiguous, 60);
  }
}

TEST_CASE("maps and data ranges of every type are what is read") {
  for (sample& s : every_type()) {
    INFO(s.name);
    opened_image<watched_files> opened(s.files, "disk");
    REQUIRE(opened);
    cursor_room room(1, 1024, largest_grain, 512);
    small_inflate decoder;
    auto cursor =
        image_cursor<watched_files, small_inflate>::make(*opened.image, room.spans(), decoder);
    REQUIRE(cursor);
    const std::uint64_t size = s.disk.size();
    // Ranges follow each other; stored bytes are those of the file that the map names.
    bytes mapped(s.disk.size(), std::byte{0xAA});
    for (std::uint64_t at = 0; at < size;) {
      const auto found = cursor->map(at);
      REQUIRE(found);
      REQUIRE(found->bytes != 0);
      REQUIRE(found->bytes <= size - at);
      REQUIRE(found->where != placement::absent);
      REQUIRE(found->link < opened.image->links().size());
      const byte_span part(mapped.data() + at, static_cast<std::size_t>(found->bytes));
      if (found->where == placement::zero) zero_bytes(part);
      if (found->where == placement::compressed) REQUIRE_FALSE(cursor->read_at(at, part));
      if (found->where == placement::stored) {
        const file_id file = opened.image->extents()[found->extent].file;
        REQUIRE_FALSE(s.files.read_at(file, found->file_offset, part));
      }
      at += found->bytes;
    }
    CHECK((mapped == s.disk));
    // Outside the data there are zeros.
    bytes data(s.disk.size());
    std::uint64_t at = 0;
    for (;;) {
      const auto next = cursor->next_data(at);
      REQUIRE(next);
      REQUIRE(next->offset >= at);
      REQUIRE(next->end() <= size);
      if (next->bytes == 0) {
        CHECK(next->offset == size);
        break;
      }
      copy_bytes(data.data() + next->offset, s.disk.data() + next->offset,
                 static_cast<std::size_t>(next->bytes));
      at = next->end();
    }
    CHECK((data == s.disk));
    CHECK(cursor->next_data(size) == range{size, 0});
    CHECK(cursor->next_data(size + 1).error() == source_failure(errc::out_of_range, size + 1));
    for (const std::uint64_t past : {size, size + 1, size + (std::uint64_t{1} << 40), ~size}) {
      CHECK(cursor->map(past).error() == source_failure(errc::out_of_range, past));
    }
  }
}

TEST_CASE("a cursor has room for the largest grain that its decoder may be given") {
  for (sample& s : every_type()) {
    opened_image<watched_files> opened(s.files, "disk");
    REQUIRE(opened);
    const std::uint32_t grain = opened.image->compressed_grain_bytes();
    if (grain == 0) continue;
    const auto make_with = [&](auto decoder, std::size_t input_bytes) {
      cursor_room room(1, 1024, grain, input_bytes);
      return image_cursor<watched_files, decltype(decoder)>::make(*opened.image, room.spans(),
                                                                  decoder)
          .error();
    };
    const std::uint32_t whole = 12 + 2 * grain + 512;
    CHECK(make_with(small_inflate{}, 511) == options_failure(errc::workspace_too_small, 0, 512));
    CHECK(make_with(small_inflate{}, 512) == no_failure);
    CHECK(make_with(libdeflate_decoder{}, whole - 1) ==
          options_failure(errc::workspace_too_small, 0, whole));
    CHECK(make_with(libdeflate_decoder{}, whole) == no_failure);
  }
}

TEST_CASE("without a decoder compressed grains take no memory; they are mapped, and not read") {
  unsigned compressed = 0;
  for (sample& s : every_type()) {
    opened_image<watched_files> opened(s.files, "disk");
    REQUIRE(opened);
    cursor_room room(1, 1024, 0, 0);
    no_decoder none;
    auto cursor = image_cursor<watched_files>::make(*opened.image, room.spans(), none);
    REQUIRE(cursor);
    for (std::uint64_t at = 0; at < cursor->size();) {
      const auto found = cursor->map(at);
      REQUIRE(found);
      if (found->where == placement::compressed) {
        ++compressed;
        bytes out(1);
        failure why = codec_failure(errc::codec_not_available, found->file_offset);
        why.index = opened.image->extents()[found->extent].file.value;
        CHECK(cursor->read_at(at, out) == why);
      }
      at += found->bytes;
    }
  }
  CHECK(compressed != 0);
}

TEST_CASE("threads read one image, each with a cursor of its own") {
  samples all = every_type();
  for (sample& s : all) {
    opened_image<watched_files> opened(s.files, "disk");
    REQUIRE(opened);
    std::atomic<int> wrong{0};
    const auto work = [&](std::size_t piece) {
      cursor_room room(1, 1024, largest_grain, 512);
      small_inflate decoder;
      auto cursor =
          image_cursor<watched_files, small_inflate>::make(*opened.image, room.spans(), decoder);
      if (!cursor || read_all(*cursor, piece) != s.disk) ++wrong;
    };
    std::thread one(work, 3000);
    std::thread two(work, 8192);
    one.join();
    two.join();
    CHECK(wrong == 0);
  }
}

/// Flat files that know their holes: every other four sectors.
struct holey_files : watched_files {
  result<range> next_data(file_id id, std::uint64_t offset) noexcept {
    if (++asked_for_data == failing_question) return source_failure(errc::read_failed, offset);
    const std::uint64_t begin = offset % 4096 < 2048 ? offset : offset / 4096 * 4096 + 4096;
    if (begin >= size(id)) return range{size(id), 0};
    return range{begin, smaller_of(begin / 4096 * 4096 + 2048, size(id)) - begin};
  }
  std::uint64_t asked_for_data = 0;
  std::uint64_t failing_question = 0;  ///< Counted from 1; 0: none.
};
static_assert(SparseFiles<holey_files> && !SparseFiles<watched_files>);

TEST_CASE("flat files that know their holes tell them") {
  holey_files files;
  files.put("disk",
            text_of({.extents = {"RW 13 FLAT \"flat\" 2", "RW 3 ZERO", "RW 20 FLAT \"flat\" 17"}}));
  files.put("flat", content_bytes(0, 100 * 512));
  opened_image<holey_files> opened(files, "disk");
  REQUIRE(opened);
  cursor_room room(1, 1024, 0, 0);
  no_decoder none;
  auto cursor = image_cursor<holey_files>::make(*opened.image, room.spans(), none);
  std::vector<range> found;
  for (std::uint64_t at = 0;;) {
    const auto next = cursor->next_data(at);
    REQUIRE(next);
    if (next->bytes == 0) break;
    found.push_back({next->offset / 512, next->bytes / 512});
    at = next->end();
  }
  // Sectors 2 to 15 and 17 to 36 of the file; data are 0 to 3, 8 to 11, 16 to 19 ...
  CHECK(found == std::vector<range>{{0, 2}, {6, 4}, {16, 3}, {23, 4}, {31, 4}});
  // Where the files cannot say, the cursor cannot.
  files.failing_question = files.asked_for_data + 1;
  failure why = source_failure(errc::read_failed, 2 * 512);
  why.index = 1;
  CHECK(cursor->next_data(0).error() == why);
  CHECK(cursor->next_data(0) == range{0, 2 * 512});
}

}  // namespace

}  // namespace cursor_test
