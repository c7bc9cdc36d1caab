// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/reader/cursor.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/reader/testing.hpp"
#include "vmdk/codec/inflate.hpp"
#include "vmdk/codec/libdeflate.hpp"
#include "vmdk/codec/zlib.hpp"
#include "vmdk/io/counting.hpp"
#include "vmdk/io/memory.hpp"

namespace {

using namespace reader_testing;

static_assert(SparseSource<image_cursor<watched_files>>);
static_assert(SparseSource<image_cursor<watched_files, small_inflate>>);

/// A disk of some type and what it reads as. Its first file is `disk`.
struct sample {
  explicit sample(std::string called) : name(std::move(called)) {}

  std::string name;
  watched_files files{};
  bytes disk{};
};
using samples = std::deque<sample>;

sample& add(samples& all, std::string name) { return all.emplace_back(std::move(name)); }

void add_sparse(samples& all, const std::string& name, sparse_image_plan plan) {
  sample& s = add(all, name);
  const sparse_image image = whole_sparse(std::move(plan));
  s.files.put("disk", image.file.bytes());
  s.disk = disk_of(image);
}

/// One of each type, of odd sizes.
samples every_type() {
  samples all;
  const std::vector<std::uint64_t> some{0, 3, 4, 5, 63, 31, 30};
  add_sparse(all, "sparse", {.capacity_sectors = 1021, .stored = some});
  add_sparse(all, "sparse, grain of one sector",
             {.capacity_sectors = 1000, .grain_sectors = 1, .stored = {0, 1, 2, 7, 511, 512, 999}});
  add_sparse(
      all, "sparse, large grains, the last one cut",
      {.capacity_sectors = 300, .grain_sectors = 128, .stored = {0, 2}, .last_grain_cut = true});
  add_sparse(all, "sparse, zeroed grains",
             {.version = 2, .more_flags = 4, .stored = some, .zeroed = {1, 2, 40}});
  add_sparse(all, "sparse, no tables where nothing is",
             {.capacity_sectors = 3 * 512 * 4,
              .grain_sectors = 4,
              .stored = {0, 1200},
              .empty_tables_missing = true});
  for (const auto tables :
       {testing_support::stream_tables::at_end, testing_support::stream_tables::at_end_and_known,
        testing_support::stream_tables::in_front, testing_support::stream_tables::in_front_twice}) {
    for (const bool is_short : {false, true}) {
      sample& s = add(all, "stream " + std::to_string(static_cast<int>(tables)));
      const stream_image image = whole_stream({.capacity_sectors = 1021,
                                               .tables = tables,
                                               .stored = {0, 3, 4, 30, 31, 63},
                                               .last_grain_short = is_short,
                                               .progress_markers = !is_short});
      s.files.put("disk", image.file);
      s.disk = image.disk();
    }
  }
  {
    sample& s = add(all, "flat");
    s.files.put("disk", text_of({.extents = {"RW 500 FLAT \"flat\" 3"}}));
    s.files.put("flat", content_bytes(0, 503 * 512));
    s.disk = content_bytes(3 * 512, 500 * 512);
  }
  for (const bool is_cowd : {true, false}) {
    sample& s = add(all, is_cowd ? "cowd" : "sesparse");
    const redo_log log = is_cowd ? build_cowd(333, 2) : build_sesparse(333);
    s.files.put("disk", text_of({.type = is_cowd ? "vmfsSparse" : "seSparse",
                                 .extents = {std::string("RW 333 ") +
                                             (is_cowd ? "VMFSSPARSE" : "SESPARSE") + " \"log\""}}));
    s.files.put("log", log.file);
    s.disk = log.disk;
  }
  {
    sample& s = add(all, "a mix over a parent");
    const sparse_image sparse = sparse_piece({.capacity_sectors = 70, .stored = {1}});
    const stream_image stream = whole_stream({.capacity_sectors = 33, .stored = {0, 2}, .seed = 4});
    const stream_image base = whole_stream(
        {.capacity_sectors = 130, .stored = {1, 2, 4, 8}, .seed = 9, .last_grain_short = true},
        {.cid = "1"});
    s.files.put("disk", text_of({.extents = {"RW 7 FLAT \"flat\" 0", "RW 70 SPARSE \"sparse\"",
                                             "RW 20 ZERO", "RW 33 SPARSE \"stream\""},
                                 .parent = "1",
                                 .hint = "base"}));
    s.files.put("flat", content_bytes(0, 7 * 512, 2));
    s.files.put("sparse", sparse.file.bytes());
    s.files.put("stream", stream.file);
    s.files.put("base", base.file);
    s.disk = base.disk();
    const auto put = [&s](std::size_t sector, const bytes& content) {
      copy_bytes(s.disk.data() + sector * 512, content.data(), content.size());
    };
    put(0, content_bytes(0, 7 * 512, 2));
    put(7 + 16, content_bytes(16 * 512, 16 * 512));
    put(77, bytes(20 * 512));
    put(97, content_bytes(0, 16 * 512, 4));
    put(97 + 32, content_bytes(32 * 512, 512, 4));
  }
  return all;
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

constexpr std::size_t largest_grain = 8192;  ///< Of those that are compressed.

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
  }
}

TEST_CASE("each failing read comes back with its file, and does not stick") {
  for (sample& s : every_type()) {
    INFO(s.name);
    opened_image<watched_files> opened(s.files, "disk");
    REQUIRE(opened);
    const std::size_t n = smaller_of<std::size_t>(s.disk.size(), 40000);
    const bytes expected(s.disk.begin(), s.disk.begin() + static_cast<std::ptrdiff_t>(n));
    std::uint64_t failures = 0;
    for (std::uint64_t call = 1;; ++call) {
      cursor_room room(2, 2048, largest_grain, 512);
      small_inflate decoder;
      auto cursor =
          image_cursor<watched_files, small_inflate>::make(*opened.image, room.spans(), decoder);
      bytes out(n);
      s.files.reads = 0;
      s.files.failing_read = call;
      const failure why = cursor->read_at(0, out);
      const bool came = s.files.reads >= call;
      s.files.failing_read = 0;
      REQUIRE_FALSE(cursor->read_at(0, out));
      REQUIRE((out == expected));
      if (!came) break;
      if (!why) continue;  // It only looked ahead, and asked again.
      ++failures;
      REQUIRE(why.code == errc::read_failed);
      REQUIRE(why.from == origin::source);
      REQUIRE(why.detail == 5);
    }
    CHECK(failures != 0);
  }
}

TEST_CASE("a bad grain is named by its file and place, and its neighbours are read") {
  // File 0 is nothing, so that the number of the file is seen.
  watched_files files;
  files.put("nothing", "");
  const sparse_image image =
      sparse_piece({.capacity_sectors = 64, .grain_sectors = 8, .stored = {0, 1, 2, 3}});
  bytes& file = files.put("sparse", image.file.bytes());
  file[image.table_entry_at(1) + 3] = std::byte{0x7F};
  const stream_image stream =
      whole_stream({.capacity_sectors = 64, .grain_sectors = 8, .stored = {0, 1, 2, 3}});
  bytes& other = files.put("stream", stream.file);
  other[stream.marker_at.at(1) + 100] ^= std::byte{1};  // The sum of grain 1.
  other[stream.marker_at.at(3)] ^= std::byte{8};        // The place of grain 3.
  files.put("disk", text_of({.extents = {"RW 64 SPARSE \"sparse\"", "RW 64 SPARSE \"stream\""}}));
  opened_image<watched_files> opened(files, "disk");
  REQUIRE(opened);
  cursor_room room(1, 1024, 4096, 512);
  small_inflate decoder;
  auto cursor =
      image_cursor<watched_files, small_inflate>::make(*opened.image, room.spans(), decoder);
  const auto read = [&](std::uint64_t at, std::size_t n) {
    bytes out(n);
    const failure why = cursor->read_at(at, out);
    if (!why) {
      const std::uint64_t own = at < 64 * 512 ? at : at - 64 * 512;
      CHECK((out == content_bytes(own, n)));
    }
    return why;
  };
  failure bad = image_failure(errc::grain_past_end, image.table_entry_at(1));
  bad.index = 1;
  CHECK(read(0, 4096) == no_failure);
  CHECK(read(0, 4097) == bad);
  CHECK(read(4096, 1) == bad);
  CHECK(read(8191, 2) == bad);
  CHECK(read(8192, 8192) == no_failure);
  CHECK(read(100, 3996) == no_failure);
  CHECK(cursor->next_data(4096).error() == bad);
  CHECK(cursor->map(5000).error() == bad);

  constexpr std::uint64_t second = 64 * 512;
  CHECK(read(second + 5, 1000) == no_failure);  // Grain 0 is kept now.
  failure sum = codec_failure(errc::stream_checksum, stream.marker_at.at(1) + 12 + 4096 + 11);
  sum.index = 2;
  CHECK(read(second + 4096, 100) == sum);
  CHECK(read(second + 4096, 4096) == sum);
  CHECK(read(second + 5, 1000) == no_failure);
  CHECK(read(second + 4095, 2) == sum);
  CHECK(read(second + 2 * 4096, 4096) == no_failure);
  CHECK(read(second + 2 * 4096 + 1, 4095) == no_failure);
  failure place = image_failure(errc::marker_lba_mismatch, stream.marker_at.at(3));
  place.index = 2;
  CHECK(read(second + 3 * 4096, 4096) == place);
  CHECK(read(second + 3 * 4096 + 7, 1) == place);
}

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

constexpr bool an_unmade_cursor_is_empty() {
  image_cursor<single_file<memory_source>> cursor;
  std::array<std::byte, 1> out{};
  bool ok = cursor.size() == 0 && !cursor.read_at(0, {});
  ok = ok && cursor.read_at(0, out) == source_failure(errc::out_of_range, 0);
  return ok && cursor.next_data(0) == range{0, 0};
}
static_assert(an_unmade_cursor_is_empty());

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
    ++asked_for_data;
    const std::uint64_t begin = offset % 4096 < 2048 ? offset : offset / 4096 * 4096 + 4096;
    if (begin >= size(id)) return range{size(id), 0};
    return range{begin, smaller_of(begin / 4096 * 4096 + 2048, size(id)) - begin};
  }
  std::uint64_t asked_for_data = 0;
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
}

}  // namespace
