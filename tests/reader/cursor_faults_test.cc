// SPDX-License-Identifier: BSD-2-Clause
// What a cursor says where files cannot be read, or hold what is wrong.
#include <catch2/catch.hpp>

#include "tests/reader/every_type.hpp"
#include "tests/reader/testing.hpp"
#include "vmdk/codec/inflate.hpp"
#include "vmdk/reader/cursor.hpp"

namespace cursor_faults_test {
namespace {

using namespace reader_testing;

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

}  // namespace

}  // namespace cursor_faults_test
