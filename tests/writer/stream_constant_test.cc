// SPDX-License-Identifier: BSD-2-Clause
// Streams that the compiler makes.
#include <array>
#include <catch2/catch.hpp>

#include "tests/writer/stream_testing.hpp"
#include "vmdk/codec/deflate.hpp"
#include "vmdk/codec/stored.hpp"
#include "vmdk/io/append_only.hpp"
#include "vmdk/io/memory.hpp"

namespace stream_constant_test {
namespace {

using namespace stream_testing;

/// A small disk whose image the compiler can make: half of it data.
constexpr std::array<std::byte, 16384> small_disk() {
  std::array<std::byte, 16384> disk{};
  std::byte* const p = disk.data();
  for (unsigned i = 0; i < 5000; ++i) p[i] = static_cast<std::byte>((i * 7 + (i >> 8)) & 0xFF);
  p[16383] = std::byte{1};
  return disk;
}

template <std::size_t Room>
struct image_of {
  std::array<std::byte, Room> bytes{};
  std::size_t size = 0;
  write_report report{};

  constexpr byte_view view() const { return byte_view(bytes).first(size); }
};

template <class E, bool AppendOnly, std::size_t Room = 40960>
constexpr image_of<Room> small_image(tables place = tables::at_end) {
  const auto disk = small_disk();
  memory_source source{byte_view(disk)};
  image_of<Room> image;
  memory_sink sink{byte_span(image.bytes)};
  workspace<stream_optimized<8>, E> memory{};
  const write_options options{.table_place = place};
  result<write_report> done = no_failure;
  if constexpr (AppendOnly) {
    append_only_sink stream(sink);
    done = write<stream_optimized<8>>(source, stream, options, memory);
  } else {
    done = write<stream_optimized<8>>(source, sink, options, memory);
  }
  if (done) image.report = *done;
  image.size = static_cast<std::size_t>(sink.size());
  return image;
}

constexpr auto compiled_stored = small_image<stored, false>();
constexpr auto compiled_appended = small_image<stored, true>();
constexpr auto compiled_small_deflate = small_image<small_deflate, false>();
constexpr auto compiled_in_front = small_image<stored, false>(tables::in_front);

// Four grains of 8 sectors; the third is zeros. A stored grain takes 4096 + 11 + 12 bytes, 9
// sectors.
static_assert(compiled_stored.report.stored_grains == 3);
static_assert(compiled_stored.size == (24 + 3 * 9 + 5 + 2 + 3) * 512);
static_assert(compiled_stored.report.file_bytes == compiled_stored.size);
static_assert(compiled_stored.report.capacity_bytes == 16384);
static_assert(compiled_stored.report.id_from_content);
static_assert(compiled_appended.size == compiled_stored.size);
static_assert(compiled_appended.report.id == compiled_stored.report.id);
static_assert(compiled_small_deflate.size < compiled_stored.size);
static_assert(compiled_in_front.size == (26 + 3 * 9 + 1) * 512);

/// The same disk, but that what the compiler has made of it is not kept for the program.
contents small_disk_at_run_time() {
  const auto disk = small_disk();
  return {disk.begin(), disk.end()};
}

bool same(byte_view a, byte_view b) {
  return a.size() == b.size() && equal_bytes(a.data(), b.data(), a.size());
}

TEST_CASE("the compiler makes the same stream as the program") {
  CHECK(same(compiled_stored.view(), small_image<stored, false>().view()));
  CHECK(same(compiled_stored.view(), compiled_appended.view()));
  CHECK(same(compiled_small_deflate.view(), small_image<small_deflate, false>().view()));
  CHECK(same(compiled_in_front.view(), small_image<stored, false>(tables::in_front).view()));

  const contents disk = small_disk_at_run_time();
  CHECK(same(compiled_stored.view(), write_disk(disk, {.grain = 8}).file));
  CHECK(same(compiled_small_deflate.view(), write_disk<small_deflate>(disk, {.grain = 8}).file));
  CHECK(holds(facts_of({compiled_stored.view().begin(), compiled_stored.view().end()}), disk));
  CHECK(holds(facts_of({compiled_in_front.view().begin(), compiled_in_front.view().end()},
                       tables::in_front),
              disk));
}

}  // namespace

}  // namespace stream_constant_test
