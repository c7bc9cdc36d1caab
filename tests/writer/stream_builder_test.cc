// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/writer/stream_builder.hpp"

#include <array>
#include <catch2/catch.hpp>

#include "vmdk/codec/stored.hpp"
#include "vmdk/core/endian.hpp"
#include "vmdk/io/append_only.hpp"
#include "vmdk/io/counting.hpp"
#include "vmdk/io/memory.hpp"
#include "vmdk/writer/pack_grain.hpp"
#include "vmdk/writer/stream.hpp"

namespace stream_builder_test {
namespace {

using namespace vmdk;

constexpr std::uint64_t mkimg_disk_bytes = 0x2800 * 512;

/// A stream with all the memory that it takes.
template <class K>
struct building {
  constexpr building(K& sink, const stream_layout& layout)
      : builder(sink, layout, {.table = table, .directory = directory}) {}

  std::array<std::byte, stream_memory::marked_table_bytes> table{};
  std::array<std::byte, 512> directory{};
  stream_builder<K> builder;
};

constexpr descriptor_fields small_fields() {
  descriptor_fields fields;
  fields.style = descriptor_style::mkimg;
  fields.type = create_type::stream_optimized;
  fields.controller = adapter::ide;
  fields.disk_geometry = {.cylinders = 10, .heads = 16, .sectors = 63};
  return fields;
}

constexpr extent_line small_extent(std::uint64_t sectors) {
  extent_line extent;
  extent.sectors = sectors;
  return extent;
}

/// The same descriptor as text, built by the compiler.
constexpr auto small_text = [] {
  std::array<std::byte, 512> text{};
  const std::array<extent_line, 1> extents{small_extent(0x2800)};
  (void)build_descriptor(small_fields(), extents, text);
  return text;
}();

/// A record of made-up data; only its length counts here.
constexpr byte_view made_up(byte_span slot, const stream_layout& layout, std::uint64_t grain,
                            std::uint32_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) slot[grain_marker_bytes + i] = std::byte{0xAA};
  return seal_record(slot, layout, grain, bytes);
}

constexpr std::uint32_t u32_at(byte_view file, std::size_t at) {
  return load_le<std::uint32_t>(file.data() + at);
}

/// The known answer of a file that mkimg wrote, whose compressed bytes hang on its zlib, but whose
/// structure does not.
constexpr bool structure_is_the_known_one(bool descriptor_as_text) {
  const auto layout =
      stream_layout::for_capacity(mkimg_disk_bytes, {.descriptor_sectors = 1}).value();
  std::array<std::byte, 0x19800> file{};
  memory_sink inner{byte_span(file)};
  append_only_sink sink(inner);
  building<append_only_sink<memory_sink>> stream(sink, layout);
  std::array<std::byte, 66048> slot{};
  const failure head = descriptor_as_text
                           ? stream.builder.write_head(small_text)
                           : stream.builder.write_head(small_fields(), small_extent(0x2800));
  bool ok = !head && equal_bytes(file.data() + 512, small_text.data(), 512);
  ok = ok && !stream.builder.add(made_up(slot, layout, 0, 0xf1));
  ok = ok && !stream.builder.add(made_up(slot, layout, 1, 1));
  ok = ok && !stream.builder.add(made_up(slot, layout, 79, 64 * 512 - 12));
  ok = ok && !stream.builder.finish();
  ok = ok && inner.size() == 0x19800 && stream.builder.file_bytes() == 0x19800;
  ok = ok && stream.builder.stored_grains() == 3;

  const byte_view f(file);
  ok = ok && u32_at(f, 0) == 0x564D444B && u32_at(f, 4) == 3 && u32_at(f, 8) == 0x30001;
  ok = ok && u32_at(f, 12) == 0x2800 && u32_at(f, 20) == 128 && u32_at(f, 36) == 1;
  ok = ok && u32_at(f, 56) == 0xFFFFFFFF && u32_at(f, 60) == 0xFFFFFFFF && u32_at(f, 64) == 0x80;
  ok = ok && u32_at(f, 0x10000) == 0 && u32_at(f, 0x10008) == 0xf1;
  ok = ok && u32_at(f, 0x10400) == 79 * 128 && u32_at(f, 0x10408) == 64 * 512 - 12;
  ok = ok && u32_at(f, 0x18400) == 4 && u32_at(f, 0x18408) == 0 && u32_at(f, 0x1840c) == 1;
  ok = ok && u32_at(f, 0x18600) == 0x80 && u32_at(f, 0x18604) == 0x81;
  ok = ok && u32_at(f, 0x18600 + 4 * 79) == 0x82;
  ok = ok && u32_at(f, 0x18e00) == 1 && u32_at(f, 0x18e0c) == 2 && u32_at(f, 0x19000) == 0xc3;
  ok = ok && u32_at(f, 0x19200) == 1 && u32_at(f, 0x1920c) == 3;
  ok = ok && u32_at(f, 0x19400) == 0x564D444B && u32_at(f, 0x19438) == 0xc8;
  ok = ok && u32_at(f, 0x1943c) == 0 && is_zero(f.data() + 0x19600, 512);
  return ok;
}

/// A head and what refuses to follow it.
template <class Act>
failure after_head(Act act) {
  const auto layout = stream_layout::for_capacity(1 << 20).value();
  counting_sink counter;
  append_only_sink sink(counter);
  building<append_only_sink<counting_sink>> stream(sink, layout);
  REQUIRE(!stream.builder.write_head(small_fields(), small_extent(2048)));
  std::array<std::byte, 66048> slot{};
  const failure why = act(stream.builder, layout, byte_span(slot));
  // What failed stays failed.
  if (why) {
    const std::uint64_t bytes = counter.size();
    CHECK(stream.builder.add(made_up(slot, layout, 15, 100)) == why);
    CHECK(stream.builder.finish() == why);
    CHECK(stream.builder.write_head(small_fields(), small_extent(2048)) == why);
    CHECK(counter.size() == bytes);
  }
  return why;
}

TEST_CASE("a stream is built as mkimg builds it") {
  CHECK(structure_is_the_known_one(false));
  CHECK(structure_is_the_known_one(true));
}

TEST_CASE("a builder takes no descriptor that is longer than its region") {
  const auto layout = stream_layout::for_capacity(1 << 20, {.descriptor_sectors = 1}).value();
  const std::array<std::byte, 513> text{};
  const failure too_long = options_failure(
      errc::option_invalid, 0, static_cast<std::uint32_t>(descriptor_problem::text_bytes));
  counting_sink file;
  building<counting_sink> seekable(file, layout);
  REQUIRE(!seekable.builder.reserve_head());
  REQUIRE(!seekable.builder.finish());
  CHECK(seekable.builder.write_head(text) == too_long);
  append_only_sink stream(file);
  building<append_only_sink<counting_sink>> appending(stream, layout);
  CHECK(appending.builder.write_head(text) == too_long);
  CHECK(appending.builder.finish() == too_long);
}

TEST_CASE("a builder takes records alone") {
  const failure invalid = options_failure(errc::marker_invalid);
  CHECK(after_head([](auto& builder, const auto&, byte_span) { return builder.add({}); }) ==
        invalid);
  CHECK(after_head([](auto& builder, const auto& layout, byte_span slot) {
          return builder.add(made_up(slot, layout, 0, 600).first(512));
        }) == invalid);
  CHECK(after_head([](auto& builder, const auto& layout, byte_span slot) {
          (void)made_up(slot, layout, 0, 100);
          return builder.add(byte_view(slot).first(1024));
        }) == invalid);
  CHECK(after_head([](auto& builder, const auto& layout, byte_span slot) {
          (void)made_up(slot, layout, 0, 100);
          slot[0] = std::byte{1};
          return builder.add(byte_view(slot).first(512));
        }) == invalid);
  CHECK(after_head([](auto& builder, const auto& layout, byte_span slot) {
          return builder.add(made_up(slot, layout, 0, 0));
        }) == options_failure(errc::marker_size_invalid));
}

TEST_CASE("a builder that failed writes no head to what seeks") {
  const auto layout = stream_layout::for_capacity(1 << 20).value();
  counting_sink file;
  building<counting_sink> stream(file, layout);
  const std::array<std::byte, 7> no_record{};
  const failure why = stream.builder.add(no_record);
  REQUIRE(why);
  CHECK(stream.builder.write_head(small_fields(), small_extent(2048)) == why);
  CHECK(file.size() == 0);
}

TEST_CASE("a stream with more tables than readers take is refused") {
  const write_options options{.table_place = tables::in_front};
  CHECK(detail::plan_stream(std::uint64_t{1} << 62, options, 128).error() ==
        options_failure(errc::capacity_too_large));
}

TEST_CASE("a builder takes grains of the disk in order") {
  CHECK(after_head([](auto& builder, const auto& layout, byte_span slot) {
          REQUIRE(!builder.add(made_up(slot, layout, 5, 100)));
          return builder.add(made_up(slot, layout, 5, 100));
        }) == options_failure(errc::marker_lba_not_ascending, 5 * 65536));
  CHECK(after_head([](auto& builder, const auto& layout, byte_span slot) {
          return builder.add(made_up(slot, layout, 16, 100));
        }) == options_failure(errc::content_exceeds_capacity, 1 << 20));
}

TEST_CASE("a builder stops at sector 2^32") {
  for (const tables place : {tables::at_end, tables::in_front}) {
    // A descriptor so long that there is room for few grains behind it.
    const auto layout = stream_layout::for_capacity(
                            100 << 20, {.descriptor_sectors = 0xFFFFFE00u, .table_place = place})
                            .value();
    counting_sink sink;
    building<counting_sink> stream(sink, layout);
    REQUIRE(!stream.builder.reserve_head());
    std::array<std::byte, 66048> slot{};
    const auto bytes = static_cast<std::uint32_t>(stored::bound(65536));
    std::uint64_t grain = 0;
    failure why;
    while (!why) why = stream.builder.add(made_up(slot, layout, grain++, bytes));
    CHECK(why == options_failure(errc::extent_too_large, (grain - 1) * 65536));
    CHECK(grain - 1 == (place == tables::at_end ? 2 : 4));
    CHECK(stream.builder.finish() == why);
  }
}

TEST_CASE("a builder needs memory for the directory") {
  const auto layout = stream_layout::for_capacity(std::uint64_t{5} << 32).value();
  counting_sink sink;
  std::array<std::byte, stream_memory::marked_table_bytes> table{};
  std::array<std::byte, 2560> directory{};
  stream_builder<counting_sink> too_small(
      sink, layout, {.table = table, .directory = byte_span(directory).first(2559)});
  CHECK(too_small.reserve_head() == options_failure(errc::workspace_too_small, 0, 2560));
  CHECK(too_small.finish() == options_failure(errc::workspace_too_small, 0, 2560));
  stream_builder<counting_sink> enough(sink, layout, {.table = table, .directory = directory});
  CHECK(enough.reserve_head() == no_failure);
}

constexpr bool a_record_has_its_marker_and_padding() {
  const auto layout = stream_layout::for_capacity(1 << 20, {.grain_sectors = 8}).value();
  std::array<std::byte, 4096> grain{};
  for (std::byte& b : grain) b = std::byte{0x31};
  std::array<std::byte, 4608> slot{};
  for (std::byte& b : slot) b = std::byte{0xEE};
  stored encoder;
  const auto record = pack_grain(encoder, layout, 7, grain.data(), slot);
  bool ok = record && record->size() == 4608 && record->data() == slot.data();
  ok = ok && load_le<std::uint64_t>(slot.data()) == 56 && u32_at(slot, 8) == stored::bound(4096);
  ok = ok && slot[12] == std::byte{0x78};
  return ok && is_zero(slot.data() + 12 + stored::bound(4096), 4596 - stored::bound(4096));
}
static_assert(a_record_has_its_marker_and_padding());

TEST_CASE("a record is whole sectors") { CHECK(a_record_has_its_marker_and_padding()); }

}  // namespace

}  // namespace stream_builder_test
