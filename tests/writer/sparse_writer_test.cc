// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/writer/sparse.hpp"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "tests/support/faults.hpp"
#include "tests/support/paged_file.hpp"
#include "tests/support/sparse_checker.hpp"
#include "tests/writer/sparse_testing.hpp"
#include "vmdk/io/append_only.hpp"
#include "vmdk/io/concat.hpp"
#include "vmdk/io/counting.hpp"
#include "vmdk/io/forward.hpp"
#include "vmdk/io/memory.hpp"
#include "vmdk/io/slice.hpp"
#include "vmdk/reader/sparse.hpp"

namespace {

using namespace writer_testing;
using namespace vmdk::literals;

// ---- One disk, through the compiler and at run time. ----

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

// ---- Sinks of all kinds. ----

template <class S>
contents appended(S& source, const write_options& options, byte_span buffer) {
  paged_file file;
  append_only_sink sink{file};
  workspace<any_grain> memory{{}, buffer};
  const auto report = write<any_grain>(source, sink, options, memory);
  REQUIRE(report.error() == no_failure);
  CHECK(report->file_bytes == file.size());
  return file.bytes();
}

/// Neither seeks nor knows holes.
template <class S>
contents piped(S& source, const write_options& options, byte_span buffer) {
  fault none;
  failing_stream sink(none);
  workspace<any_grain> memory{{}, buffer};
  REQUIRE(write<any_grain>(source, sink, options, memory).error() == no_failure);
  return sink.content();
}

/// Writes a disk in every way there is: the same bytes come out.
void check_every_way(const contents& disk, const write_options& options) {
  const std::size_t grain_bytes = options.grain_sectors * sector_bytes;
  contents large(larger_of<std::size_t>(8_MiB, 4 * grain_bytes));
  contents exact(grain_bytes);
  contents odd(5 * grain_bytes + 77);
  memory_source mapped{byte_view(disk)};
  const contents reference = seekable(mapped, options, large);
  CHECK(sparse_file_fault(reference, disk,
                          {.grain_sectors = options.grain_sectors,
                           .descriptor_sectors = options.like_mkimg ? 1u : 20u,
                           .primary_first = options.like_mkimg,
                           .exact_capacity = options.capacity == capacity_rule::exact}) == "");

  auto plain = plain_source(disk);
  for (byte_span buffer : {byte_span(exact), byte_span(odd), byte_span(large)}) {
    INFO("buffer " << buffer.size());
    CHECK((seekable(plain, options, buffer) == reference));
    CHECK((appended(plain, options, buffer) == reference));
    CHECK((piped(plain, options, buffer) == reference));
  }
  CHECK((appended(mapped, options, large) == reference));
  CHECK((piped(mapped, options, exact) == reference));

  trickle stream(disk);
  forward_source forward(stream, disk.size());
  CHECK((seekable(forward, options, odd) == reference));

  const range everything{0, disk.size()};
  for (const auto& runs : {runs_of(disk, 1u << 30), runs_of(disk, 3000), std::vector{everything}}) {
    holey_source holey(disk, runs);
    CHECK((seekable(holey, options, odd) == reference));
    CHECK((appended(holey, options, exact) == reference));
  }
  paged_file pages;
  REQUIRE_FALSE(pages.write(disk));
  CHECK((seekable(pages, options, large) == reference));
  const std::size_t half = disk.size() * 2 / 3;
  slice_source front(mapped, 0, half);
  slice_source back(plain, half, disk.size() - half);
  concat_source both(front, back);
  CHECK((appended(both, options, odd) == reference));

  // A target that had other content, and one that is full of it.
  for (const std::size_t old_bytes : {std::size_t{100}, reference.size() + 5000}) {
    fault none;
    failing_file used(none, contents(old_bytes, std::byte{0xEE}));
    workspace<any_grain> memory{{}, odd};
    REQUIRE(write<any_grain>(plain, used, options, memory).error() == no_failure);
    CHECK((used.content() == reference));
  }

  // What was written is read back, and written again it is the same.
  memory_source file{byte_view(reference)};
  sparse_reader_memory<> tables;
  auto reader = sparse_reader<memory_source>::open(file, tables);
  REQUIRE(reader);
  contents back_again(static_cast<std::size_t>(reader->size()));
  REQUIRE_FALSE(reader->read_at(0, back_again));
  CHECK(std::equal(disk.begin(), disk.end(), back_again.begin()));
  CHECK(is_zero(back_again.data() + disk.size(), back_again.size() - disk.size()));
  if (options.capacity == capacity_rule::whole_grains || disk.size() % 512 == 0) {
    CHECK((seekable(*reader, options, odd) == reference));
  }
}

bool is_named(byte_view image, std::string_view text) {
  return std::string_view(reinterpret_cast<const char*>(image.data()), image.size()).find(text) !=
         std::string_view::npos;
}

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

TEST_CASE("mkimg's image is made byte by byte") {
  contents disk = disk_of(0x2800 * 512, {{0, 512}, {639 * 8192, 8192}});
  const std::string text =
      "# Disk DescriptorFile\nversion=1\nCID=00000000\nparentCID=ffffffff\n"
      "createType=\"monolithicSparse\"\n# Extent description\nRW 10240 SPARSE \"\"\n"
      "# The Disk Data Base\n#DDB\nddb.adapterType = \"ide\"\n"
      "ddb.geometry.cylinders = \"10\"\nddb.geometry.heads = \"16\"\n"
      "ddb.geometry.sectors = \"63\"\n";
  paged_file expected;
  expected.put_number(0, 0x564D444B, 4);
  expected.put_number(4, 1, 4);
  expected.put_number(8, 3, 4);
  expected.put_number(12, 0x2800, 8);
  expected.put_number(20, 0x10, 8);
  expected.put_number(28, 1, 8);
  expected.put_number(36, 1, 8);
  expected.put_number(44, 512, 4);
  expected.put_number(48, 0x0b, 8);
  expected.put_number(56, 2, 8);
  expected.put_number(64, 0x20, 8);
  expected.put_number(73, 0x0A0D200A, 4);
  contents text_bytes(text.size());
  copy_text(text_bytes.data(), text);
  expected.put_number(512, 0, 1);
  REQUIRE_FALSE(expected.write_at(512, text_bytes));
  expected.put_number(0x400, 3, 4);
  expected.put_number(0x404, 7, 4);
  expected.put_number(0x600, 0x20, 4);            // The first grain.
  expected.put_number(0x600 + 4 * 639, 0x30, 4);  // The last of 640.
  expected.put_number(0x1600, 0x0c, 4);
  expected.put_number(0x1604, 0x10, 4);
  expected.put_number(0x1800, 0x20, 4);
  expected.put_number(0x1800 + 4 * 639, 0x30, 4);
  REQUIRE_FALSE(expected.resize(0x20 * 512));
  REQUIRE_FALSE(expected.write(byte_view(disk).first(8192)));
  REQUIRE_FALSE(expected.write(byte_view(disk).subspan(639 * 8192)));

  contents buffer(1_MiB);
  memory_source source{byte_view(disk)};
  const write_options like_mkimg{.grain_sectors = 16, .like_mkimg = true};
  CHECK((seekable(source, like_mkimg, buffer) == expected.bytes()));
  CHECK((appended(source, like_mkimg, buffer) == expected.bytes()));
  check_every_way(disk_of(100000, {{5000, 20000}}), like_mkimg);
}

TEST_CASE("the descriptor says what was asked for, and gets more room where it needs it") {
  const contents disk = disk_of(100000, {{0, 10}});
  memory_source source{byte_view(disk)};
  contents buffer(1_MiB);
  const contents image =
      seekable(source, {.extent_name = "a b.vmdk", .cid_given = true, .cid = 0x12ab}, buffer);
  CHECK(is_named(image, "RW 256 SPARSE \"a b.vmdk\"\n"));
  CHECK(is_named(image, "CID=000012ab\n"));
  const contents exact = seekable(source, {.capacity = capacity_rule::exact}, buffer);
  CHECK(is_named(exact, "RW 196 SPARSE \"disk.vmdk\"\n"));

  // 30 lines of 400 bytes do not fit into 20 sectors.
  const std::string long_value(400, 'x');
  std::vector<std::string> keys;
  for (int i = 0; i < 30; ++i) keys.push_back("comment" + std::to_string(i));
  std::vector<ddb_entry> more;
  for (const std::string& key : keys) more.push_back({key, long_value});
  const contents roomy = seekable(source, {.more_ddb = more}, buffer);
  const std::uint64_t sectors = number_at(roomy.data(), 36, 8);
  CHECK(sectors > 20);
  CHECK(sparse_file_fault(roomy, disk, {.descriptor_sectors = sectors}) == "");
  CHECK((piped(source, {.more_ddb = more}, buffer) == roomy));
}

TEST_CASE("the content id depends on the content alone") {
  const contents disk = disk_of(300000, {{0, 10}, {150000, 3000}});
  content_hasher hasher;
  for (std::size_t at = 0; at < disk.size(); at += 4096) {
    contents block(4096);
    copy_bytes(block.data(), disk.data() + at, std::min<std::size_t>(4096, disk.size() - at));
    hasher.add_block(block.data(), at / 4096);
  }
  contents buffer(8_MiB);
  for (std::uint32_t grain = 8; grain <= 2048; grain *= 2) {
    for (const auto rule : {capacity_rule::exact, capacity_rule::whole_grains}) {
      memory_source source{byte_view(disk)};
      paged_file file;
      workspace<any_grain> memory{{}, buffer};
      const auto report =
          write<any_grain>(source, file, {.grain_sectors = grain, .capacity = rule}, memory);
      REQUIRE(report);
      CHECK(report->id == hasher.finish());
    }
  }
}

TEST_CASE("a source is walked once, twice or four times, in large pieces") {
  const contents disk = disk_of(4 * 1024 * 1024, {{0, 4 * 1024 * 1024}});
  auto plain = plain_source(disk);
  const auto reads = [&](bool append, std::size_t buffer_bytes) {
    counting_source source(plain);
    contents buffer(buffer_bytes);
    const write_options options{.grain_sectors = 8};
    (void)(append ? appended(source, options, buffer) : seekable(source, options, buffer));
    return std::pair(source.read_bytes() / disk.size(), source.read_calls());
  };
  CHECK(reads(false, 4096) == std::pair<std::uint64_t, std::uint64_t>(1, 1024));
  CHECK(reads(false, 1_MiB) == std::pair<std::uint64_t, std::uint64_t>(1, 4));
  CHECK(reads(true, 4096) == std::pair<std::uint64_t, std::uint64_t>(4, 4 * 1024));
  CHECK(reads(true, 4096 + 127) == std::pair<std::uint64_t, std::uint64_t>(4, 4 * 1024));
  CHECK(reads(true, 4096 + 128) == std::pair<std::uint64_t, std::uint64_t>(2, 2 * 1024));
  CHECK(reads(true, 1_MiB + 128) == std::pair<std::uint64_t, std::uint64_t>(2, 2 * 4));
}

TEST_CASE("holes are not read, and a huge disk with little data is quick") {
  paged_file disk(64_TiB);
  disk.put_number(0, 0x55AA, 2);
  disk.put_number(33_TiB + 5, 0x77, 1);
  disk.put_number(64_TiB - 1, 0x99, 1);
  counting_source source(disk);
  contents buffer(4_MiB);
  paged_file file;
  workspace<any_grain> memory{{}, buffer};
  const write_options options{.grain_sectors = 2048};
  const auto report = write<any_grain>(source, file, options, memory);
  REQUIRE(report.error() == no_failure);
  CHECK(report->stored_grains == 3);
  CHECK(source.read_bytes() == 3_MiB);
  CHECK(file.kept_bytes() < 8_MiB);  // Two directories, a few tables, and the grains.
  paged_file piped_file;
  append_only_sink sink(piped_file);
  REQUIRE(write<any_grain>(source, sink, options, memory).ok());
  CHECK(piped_file == file);

  sparse_reader_memory<> tables;
  auto reader = sparse_reader<paged_file>::open(file, tables);
  REQUIRE(reader);
  std::array<std::byte, 1> last{};
  CHECK_FALSE(reader->read_at(64_TiB - 1, last));
  CHECK(last[0] == std::byte{0x99});
}

TEST_CASE("blocks of zeros around the data of a grain become holes of the file") {
  // Grains of 64 KiB. Data in a block of the first, to its end; in the next from its beginning; and
  // in the middle of the last, which ends the file.
  const contents disk = disk_of(1_MiB, {{60 * 1024, 8 * 1024}, {512 * 1024, 4096}});
  auto source = plain_source(disk);
  counting_sink counter;
  contents buffer(1_MiB);
  workspace<any_grain> memory{{}, buffer};
  const auto counted = write<any_grain>(source, counter, {}, memory);
  REQUIRE(counted);
  CHECK(counted->stored_grains == 3);
  CHECK(counter.size() == counted->file_bytes);
  const std::uint64_t head_bytes = counter.written_bytes() - 3 * 4096;
  CHECK(head_bytes < 16_KiB);  // Header, descriptor, two tables, two directories.

  paged_file file;
  REQUIRE(write<any_grain>(source, file, {}, memory));
  sparse_reader_memory<> tables;
  auto reader = sparse_reader<paged_file>::open(file, tables);
  REQUIRE(reader);
  contents back(disk.size());
  CHECK_FALSE(reader->read_at(0, back));
  CHECK(back == disk);
}
