// SPDX-License-Identifier: BSD-2-Clause
#include <array>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/reader/stream_testing.hpp"
#include "vmdk/codec/inflate.hpp"
#include "vmdk/codec/libdeflate.hpp"
#include "vmdk/codec/stored.hpp"
#include "vmdk/reader/stream.hpp"

namespace stream_reader_test {
namespace {

using namespace reader_testing;
using reader = stream_reader<piecewise_source>;

/// A disk of three sectors, the first and the last of which are stored; tables at the end.
constexpr std::size_t tiny_sectors = 14;
constexpr std::array<std::byte, tiny_sectors * 512> tiny_stream() {
  std::array<std::byte, tiny_sectors * 512> file{};
  std::size_t sector = 0;
  const auto put = [&](const sector_image& s) {
    copy_bytes(file.data() + 512 * sector++, s.data(), s.size());
  };
  sparse_extent_header header{};
  header.magic_number = sparse_magic;
  header.version = 3;
  header.flags = 0x30001;
  header.capacity = 3;
  header.grain_size = 1;
  header.num_gtes_per_gt = 512;
  header.gd_offset = ~std::uint64_t{0};
  header.over_head = 1;
  header.single_end_line_char = 0x0A;
  header.non_end_line_char = 0x20;
  header.double_end_line_char1 = 0x0D;
  header.double_end_line_char2 = 0x0A;
  header.compress_algorithm = 1;
  put(encode(header));
  const auto put_marker = [&](marker_type type, std::uint64_t following_sectors) {
    store_le(file.data() + 512 * sector, following_sectors);
    store_le(file.data() + 512 * sector++ + offsetof(stream_marker, type),
             static_cast<std::uint32_t>(type));
  };
  for (const unsigned grain : {0u, 2u}) {
    std::array<std::byte, 512> data{};
    for (std::size_t i = 0; i < 512; ++i) data.data()[i] = static_cast<std::byte>(i + grain + 1);
    std::byte* const marker = file.data() + 512 * sector;
    store_le<std::uint64_t>(marker, grain);
    store_le<std::uint32_t>(marker + 8, static_cast<std::uint32_t>(stored::bound(512)));
    (void)stored{}.encode(data, byte_span(file).subspan(512 * sector + 12, stored::bound(512)));
    sector += 2;
  }
  put_marker(marker_type::grain_table, 4);
  store_le<std::uint32_t>(file.data() + 512 * sector, 1u);
  store_le<std::uint32_t>(file.data() + 512 * sector + 8, 3u);
  sector += 4;
  put_marker(marker_type::grain_directory, 1);
  header.gd_offset = sector;
  store_le<std::uint32_t>(file.data() + 512 * sector++, 6u);
  put_marker(marker_type::footer, 1);
  put(encode(header));
  return file;
}

constexpr bool a_constant_stream_is_read(std::size_t piece_bytes) {
  std::array<std::byte, tiny_sectors * 512 + 512> file{};
  copy_bytes(file.data(), tiny_stream().data(), tiny_sectors * 512);
  piecewise_source source(file, piece_bytes);
  reader stream(source);
  small_inflate decoder;
  std::array<std::byte, 512> input{};
  std::array<std::byte, 512> grain{};
  bool ok = stream.open({}).ok() && stream.size() == 3 * 512;
  auto next = stream.next();
  ok = ok && next.ok() && next->disk_offset == 0 && next->data_bytes == stored::bound(512);
  ok = ok && !stream.expand(decoder, input, grain) && grain[0] == std::byte{1};
  next = stream.next();
  ok = ok && next.ok() && next->disk_offset == 1024;
  ok = ok && !stream.expand(decoder, input, grain) && grain[511] == std::byte{2};
  for (int i = 0; i < 2; ++i) {
    next = stream.next();
    ok = ok && next.ok() && next->data_bytes == 0;
  }
  return ok;
}
static_assert(a_constant_stream_is_read(700));

TEST_CASE("a stream is read in a constant expression and in pieces of any size") {
  for (const std::size_t piece : {1u, 2u, 3u, 11u, 12u, 13u, 511u, 512u, 513u, 1u << 20u}) {
    CHECK(a_constant_stream_is_read(piece));
  }
}

TEST_CASE("streams of all writers are read") {
  for (const tables_kind tables : all_tables) {
    for (unsigned bits = 0; bits < 8; ++bits) {
      stream_image_plan plan = small_plan(tables);
      plan.last_grain_short = (bits & 1) != 0;
      plan.progress_markers = (bits & 2) != 0;
      plan.empty_tables = (bits & 4) != 0;
      // Three tables, of which the middle one is empty.
      plan.capacity_sectors = 2 * 512 * 8 + 4;
      plan.stored = {0, 1, 511, 1024};
      const stream_image image = build_stream(plan);
      INFO("tables " << static_cast<int>(tables) << ", variant " << bits);
      for (const std::size_t piece : {std::size_t{97}, std::size_t{512}, std::size_t{1} << 20}) {
        const outcome out = read_stream(image.file, piece);
        CHECK((out.why == no_failure));
        CHECK((out.grains == 4));
        CHECK((out.disk == image.disk()));
      }
      CHECK(read_stream(image.file, 512, true).grains == 4);
    }
  }
}

TEST_CASE("streams of no grains, of all grains and of one grain are read") {
  for (const tables_kind tables : all_tables) {
    stream_image_plan plan = small_plan(tables);
    for (const std::vector<std::uint64_t>& stored :
         {std::vector<std::uint64_t>{}, {0, 1, 2, 3, 4, 5, 6}, {6}, {5}}) {
      plan.stored = stored;
      const stream_image image = build_stream(plan);
      const outcome out = read_stream(image.file);
      CHECK((out.why == no_failure));
      CHECK((out.disk == image.disk()));
    }
  }
}

TEST_CASE("versions 1 and 2, and grains of any size, are read") {
  for (const std::uint32_t version : {1u, 2u, 3u}) {
    stream_image image = build_stream(small_plan(tables_kind::at_end));
    image.put(4, version, 4);
    image.put(image.footer_at + 4, version, 4);
    CHECK((read_stream(image.file).disk == image.disk()));
  }
  for (const std::uint64_t grain : {1u, 2u, 128u, 1024u}) {
    stream_image_plan plan = small_plan(tables_kind::at_end);
    plan.grain_sectors = grain;
    plan.capacity_sectors = 7 * grain;
    const stream_image image = build_stream(plan);
    const outcome out = read_stream(image.file, 4000);
    CHECK((out.why == no_failure));
    CHECK((out.disk == image.disk()));
  }
}

TEST_CASE("the descriptor is handed out, or passed over") {
  stream_image_plan plan = small_plan(tables_kind::in_front);
  plan.descriptor = std::string(10000, 'x') + "end";
  const stream_image image = build_stream(plan);
  for (const std::size_t room : {std::size_t{0}, std::size_t{20 * 512}, std::size_t{30 * 512}}) {
    piecewise_source source(image.file, 700);
    reader stream(source);
    bytes text(room, std::byte{0xEE});
    const auto opened = stream.open(text);
    REQUIRE(opened);
    CHECK(opened->size() == (room == 0 ? 0 : 20 * 512));
    CHECK(stream.descriptor_offset() == 512);
    for (std::size_t i = 0; i < opened->size(); ++i) {
      if ((*opened)[i] != image.file[512 + i]) FAIL("at " << i);
    }
    CHECK(stream.next()->disk_offset == 0);
  }
  stream_image behind = image;
  behind.put(28, 3, 8);
  behind.put(36, 18, 8);
  piecewise_source moved(behind.file);
  reader later(moved);
  bytes part(18 * 512);
  REQUIRE(later.open(part));
  CHECK(later.descriptor_offset() == 3 * 512);
  CHECK(equal_bytes(part.data(), behind.file.data() + 3 * 512, part.size()));

  piecewise_source source(image.file);
  reader stream(source);
  bytes text(20 * 512 - 1);
  const failure small = options_failure(errc::workspace_too_small, 0, 20 * 512);
  CHECK(stream.open(text).error() == small);
  CHECK(stream.next().error() == small);
}

TEST_CASE("a last grain that is cut expands into exactly what exists, or into a whole one") {
  for (const tables_kind tables : all_tables) {
    stream_image_plan plan = small_plan(tables);
    plan.last_grain_short = true;  // Of its 4096 bytes 2048 exist.
    const stream_image good = build_stream(plan);
    CHECK(why_not(good) == no_failure);
    for (const std::size_t n : {2040u, 2047u, 2049u, 2060u}) {
      stream_image image = good;
      replace_grain(image, 6, content_bytes(0, n, 77));
      const failure why = why_not(image);
      INFO(n << " bytes");
      CHECK(why.code == errc::stream_output_short);
      CHECK(why.from == origin::codec);
    }
    // Another than the last grain is never short.
    stream_image image = good;
    replace_grain(image, 3, content_bytes(0, 4080, 77));
    CHECK(why_not(image).code == errc::stream_output_short);
    // The checksum of what exists does not make up for bytes behind the stream.
    image = good;
    const std::uint64_t at = image.marker_at.at(6);
    const std::uint64_t size = image.get(at + 8, 4);
    image.put(at + 8, size + 4, 4);
    for (std::uint64_t i = 0; i < 4; ++i) {
      image.file[at + 12 + size + i] = image.file[at + 12 + size - 4 + i];
    }
    CHECK(why_not(image).code != errc::none);
  }
}

TEST_CASE("faults of the data come with their place in the stream") {
  const stream_image good = build_stream(small_plan(tables_kind::at_end));
  const std::uint64_t data = good.marker_at.at(2) + 12;
  stream_image image = good;
  image.put(data, 0x79, 1);
  failure why = why_not(image);
  CHECK(why.code == errc::stream_header_invalid);
  CHECK(why.from == origin::codec);
  CHECK(why.offset >= data);
  CHECK(why.offset <= data + 2);
  image = good;
  image.file[data + 2000] ^= std::byte{1};
  why = why_not(image);
  CHECK(why.code == errc::stream_checksum);
  CHECK(why.offset == data + 4096 + 11);
  image = good;
  image.put(data - 4, 4096 + 10, 4);
  CHECK(why_not(image).code == errc::stream_truncated);
  image.put(data - 4, 4096 + 12, 4);
  CHECK(why_not(image).code == errc::stream_input_left);
  replace_grain(image, 2, content_bytes(0, 4097));
  CHECK(why_not(image).code == errc::stream_output_overrun);
}

TEST_CASE("a grain's data may be taken as it is") {
  for (const tables_kind tables : all_tables) {
    const stream_image image = build_stream(small_plan(tables));
    piecewise_source source(image.file, 100);
    reader stream(source);
    REQUIRE(stream.open({}));
    bytes room(5000);
    for (const std::uint64_t grain : {0u, 2u, 3u, 6u}) {
      const auto next = stream.next();
      REQUIRE(next);
      CHECK(next->disk_offset == grain * 4096);
      bytes exact(next->data_bytes);
      const auto data = stream.take(exact);
      REQUIRE(data);
      const std::uint64_t at = image.marker_at.at(grain) + 12;
      CHECK(bytes(data->begin(), data->end()) ==
            bytes(image.file.begin() + static_cast<std::ptrdiff_t>(at),
                  image.file.begin() + static_cast<std::ptrdiff_t>(at + next->data_bytes)));
      CHECK(stream.take(room)->empty());  // Nothing is left of it.
    }
    CHECK(stream.next()->data_bytes == 0);
    CHECK(stream.next()->data_bytes == 0);
  }
}

TEST_CASE("data that has no room is told once and for all") {
  const stream_image image = build_stream(small_plan(tables_kind::at_end));
  piecewise_source source(image.file);
  reader stream(source);
  REQUIRE(stream.open({}));
  REQUIRE(stream.next());
  bytes room(4096);
  const failure small = options_failure(errc::workspace_too_small, 0, 4096 + 11);
  CHECK(stream.take(room).error() == small);
  CHECK(stream.take({}).error() == small);
  CHECK(stream.next().error() == small);
  small_inflate decoder;
  CHECK(stream.expand(decoder, room, room) == small);

  piecewise_source again(image.file);
  reader other(again);
  REQUIRE(other.open({}));
  REQUIRE(other.next());
  libdeflate_decoder contiguous;
  CHECK(other.expand(contiguous, room, room) == small);
  CHECK(other.next().error() == small);
}

TEST_CASE("without an open, and without a grain, nothing is read") {
  const bytes file = build_stream(small_plan(tables_kind::at_end)).file;
  piecewise_source source(file);
  reader stream(source);
  CHECK(stream.size() == 0);
  CHECK(stream.next().error().code != errc::none);

  piecewise_source again(file);
  reader opened(again);
  REQUIRE(opened.open({}));
  small_inflate decoder;
  bytes input(512), grain(4096);
  CHECK(opened.expand(decoder, input, grain).code == errc::stream_truncated);
}

TEST_CASE("each failing read comes back, and stays") {
  for (const tables_kind tables : all_tables) {
    const bytes file = build_stream(small_plan(tables)).file;
    std::uint64_t failures = 0;
    for (std::uint64_t n = 1;; ++n, ++failures) {
      piecewise_source source(file);
      source.failing_call = n;
      reader stream(source);
      small_inflate decoder;
      bytes input(512), grain(4096);
      failure why = stream.open({}).error();
      bool more = true;
      while (!why && more) {
        const auto next = stream.next();
        why = next.error();
        more = !why && next->data_bytes != 0;
        if (more) why = stream.expand(decoder, input, grain);
      }
      if (!why) break;
      REQUIRE(why == source_failure(errc::read_failed, 9, 5));
      const std::uint64_t calls = source.calls;
      CHECK(stream.next().error() == why);
      CHECK(stream.take(input).error() == why);
      CHECK(stream.expand(decoder, input, grain) == why);
      CHECK(source.calls == calls);
    }
    CHECK(failures > 40);
  }
}

}  // namespace

}  // namespace stream_reader_test
