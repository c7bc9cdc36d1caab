// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/writer/split.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/support/faults.hpp"
#include "tests/support/memory_directory.hpp"
#include "tests/support/paged_file.hpp"
#include "tests/support/read_back.hpp"
#include "tests/support/walked_source.hpp"
#include "vmdk/io/counting.hpp"
#include "vmdk/io/memory.hpp"
#include "vmdk/io/zero.hpp"
#include "vmdk/writer/sparse.hpp"

namespace split_writer_test {
namespace {

using namespace vmdk;
using namespace vmdk::literals;
using namespace testing_support;

using any_grain = two_gb_max_extent_sparse<dynamic_grain>;
constexpr std::uint64_t piece = 2047_MiB;

// ---- Through the compiler and at run time. ----

constexpr std::array<std::byte, 16384> small_disk() {
  std::array<std::byte, 16384> disk{};
  std::byte* const p = disk.data();
  for (unsigned i = 0; i < 4000; ++i) p[i] = static_cast<std::byte>(i * 7 + (i >> 8));
  p[8192] = std::byte{1};
  p[16383] = std::byte{2};
  return disk;
}

/// Two files in memory, usable in constant expressions.
class small_directory {
 public:
  using sink_type = memory_sink;
  static constexpr std::size_t room = 8192 + 3 * 4096;

  constexpr result<memory_sink*> create(std::string_view) noexcept {
    if (created == 2) return sink_failure(errc::sink_full, 0);
    sink = memory_sink(byte_span(bytes[created++]));
    return &sink;
  }
  constexpr failure commit() noexcept {
    committed = true;
    return no_failure;
  }
  constexpr void abort() noexcept { created = 99; }

  std::array<std::byte, room> bytes[2]{};
  memory_sink sink{};
  std::size_t created = 0;
  bool committed = false;
};
static_assert(SinkDirectory<small_directory>);

constexpr std::array<std::byte, small_directory::room> computed_file(std::size_t which) {
  const auto disk = small_disk();
  memory_source source{byte_view(disk)};
  small_directory directory;
  workspace<two_gb_max_extent_sparse<8>> memory{};
  const auto report = write<two_gb_max_extent_sparse<8>>(source, directory, {}, memory);
  const bool ok = report && directory.committed && directory.created == 2 &&
                  report->stored_grains == 3 &&
                  report->file_bytes == small_directory::room + directory.sink.size();
  return ok ? directory.bytes[which] : std::array<std::byte, small_directory::room>{};
}
constexpr auto computed_extent = computed_file(0);
constexpr auto computed_descriptor = computed_file(1);
static_assert(load_le<std::uint32_t>(computed_extent.data()) == sparse_magic);
static_assert(computed_descriptor[0] == std::byte{'#'});

// ---- Disks of every size, written and read back. ----

paged_file disk_of(std::uint64_t bytes, std::initializer_list<std::uint64_t> data) {
  paged_file disk(bytes);
  for (const std::uint64_t at : data) {
    const std::uint64_t n = smaller_of<std::uint64_t>(8, bytes - at);
    disk.put_number(at, 0x9E3779B97F4A7C15 ^ at, n);
  }
  REQUIRE(disk.size() == bytes);
  return disk;
}

std::string name_of_piece(std::uint32_t index) {
  const std::string digits = std::to_string(index + 1);
  return "disk-s" + std::string(3 - digits.size(), '0') + digits + ".vmdk";
}

/// Writes a disk and holds everything that comes out against the layout and the disk.
void check_disk(paged_file& disk, const write_options& options, std::size_t buffer_grains = 3) {
  const std::size_t grain_bytes = options.grain_sectors * sector_bytes;
  std::vector<std::byte> buffer(buffer_grains * grain_bytes + 7);
  workspace<any_grain> memory;
  memory.bulk = buffer;
  memory_directory directory;
  walked_source source(disk);
  const auto report = write<any_grain>(source, directory, options, memory);
  REQUIRE(report.error() == no_failure);
  CHECK(source.finished == 1);
  CHECK(directory.commits == 1);

  const auto plan = split_layout::for_capacity(disk.size(), {.grain_sectors = options.grain_sectors,
                                                             .capacity = options.capacity})
                        .value();
  std::vector<std::string> names;
  std::uint64_t stored = 0;
  for (std::uint32_t i = 0; i < plan.piece_count(); ++i) {
    names.push_back(name_of_piece(i));
    const std::uint64_t file_bytes = directory.file(i).size();
    const std::uint64_t grains = (file_bytes - plan.extent(i).overhead_bytes()) / grain_bytes;
    CHECK(plan.file_bytes(i, grains) == file_bytes);
    stored += grains;
  }
  names.push_back("disk.vmdk");
  REQUIRE(directory.names() == names);
  descriptor_fields fields;
  fields.type = create_type::two_gb_max_extent_sparse;
  fields.disk_geometry = geometry_for(fields.controller, plan.capacity_sectors());
  CHECK(directory.file(plan.piece_count()).size() == plan.descriptor_bytes(fields, "disk.vmdk"));
  CHECK(report->stored_grains == stored);
  CHECK(report->capacity_bytes == plan.capacity_bytes());
  CHECK(report->source_bytes == disk.size());
  CHECK(report->file_bytes == directory.total_bytes());

  const bool usual =
      plan.capacity_sectors() % options.grain_sectors == 0 && options.grain_sectors <= 128;
  opened_disk opened(directory, "disk.vmdk", usual ? strictness::strict : strictness::tolerant);
  REQUIRE(opened.why == no_failure);
  CHECK(opened.image.descriptor().cid() == report->id.cid);
  paged_file expected = disk;
  REQUIRE_FALSE(expected.resize(plan.capacity_bytes()));
  CHECK(opened.content() == expected);

  // The one file of the other type has the same id.
  paged_file one_file;
  workspace<monolithic_sparse<dynamic_grain>> one_memory;
  one_memory.bulk = buffer;
  const auto one = write<monolithic_sparse<dynamic_grain>>(disk, one_file, options, one_memory);
  REQUIRE(one);
  CHECK(one->id == report->id);
  CHECK(one->stored_grains == stored);
}

}  // namespace

TEST_CASE("a split disk comes out of the compiler as it does at run time") {
  const auto bytes = small_disk();
  memory_source source{byte_view(bytes)};
  memory_directory directory;
  workspace<two_gb_max_extent_sparse<8>> memory;
  REQUIRE(write<two_gb_max_extent_sparse<8>>(source, directory, {}, memory).ok());
  const auto extent = directory.file(0).pages().bytes();
  CHECK((extent == std::vector<std::byte>(computed_extent.begin(), computed_extent.end())));
  const auto text = directory.file(1).pages().bytes();
  REQUIRE(text.size() < computed_descriptor.size());
  CHECK(equal_bytes(text.data(), computed_descriptor.data(), text.size()));
}

TEST_CASE("the descriptor of a split disk is this") {
  paged_file disk = disk_of(piece + 512, {0, piece});
  memory_directory directory;
  workspace<two_gb_max_extent_sparse<128>> memory;
  REQUIRE(
      write<two_gb_max_extent_sparse<128>>(
          disk, directory, {.extent_name = "a b.VMDK", .cid_given = true, .cid = 0x12AB}, memory)
          .ok());
  const std::string text = directory.text(2);
  CHECK(text.find("# Disk DescriptorFile\nversion=1\nencoding=\"UTF-8\"\nCID=000012ab\n"
                  "parentCID=ffffffff\ncreateType=\"twoGbMaxExtentSparse\"\n") == 0);
  CHECK(text.find("\n# Extent description\nRW 4192256 SPARSE \"a b-s001.vmdk\"\n"
                  "RW 128 SPARSE \"a b-s002.vmdk\"\n\n# The Disk Data Base\n#DDB\n") !=
        std::string::npos);
  CHECK(directory.names() ==
        std::vector<std::string>{"a b-s001.vmdk", "a b-s002.vmdk", "a b.VMDK"});
}

TEST_CASE("split disks of every size are written in one walk and read back") {
  for (const auto rule : {capacity_rule::whole_grains, capacity_rule::exact}) {
    for (const std::uint64_t bytes : {std::uint64_t{1}, std::uint64_t{512}, 1_MiB + 3, piece - 1,
                                      piece, piece + 1, piece + 512, 2 * piece, 2 * piece + 513}) {
      INFO("bytes " << bytes << " exact " << (rule == capacity_rule::exact));
      paged_file disk = disk_of(bytes, {0, bytes / 2, bytes - 1});
      check_disk(disk, {.grain_sectors = 128, .capacity = rule});
    }
  }
}

TEST_CASE("split disks of every grain size are read back, with data across the pieces' borders") {
  for (std::uint32_t grain = 8; grain <= 2048; grain *= 2) {
    INFO("grain " << grain);
    paged_file disk =
        disk_of(2 * piece + 3 * 4096, {5, piece - 4, 2 * piece - 4, 2 * piece + 3 * 4096 - 5});
    check_disk(disk, {.grain_sectors = grain}, 1 + grain % 3);
  }
}

TEST_CASE("a large split disk costs what its data costs") {
  paged_file disk = disk_of(200 * piece, {0, 77 * piece - 3, 150 * piece + 1_MiB});
  counting_source source(disk);
  memory_directory directory;
  std::vector<std::byte> buffer(1_MiB);
  workspace<any_grain> memory;
  memory.bulk = buffer;
  const auto report = write<any_grain>(source, directory, {.grain_sectors = 128}, memory);
  REQUIRE(report.error() == no_failure);
  CHECK(report->stored_grains == 4);
  CHECK(source.read_bytes() == 4 * 65536);
  std::uint64_t written = 0;
  for (std::size_t i = 0; i <= 200; ++i) written += directory.file(i).written_bytes;
  // Of each file a header and two directories, of four grains two tables each.
  CHECK(written <= 200 * (512 + 2 * 512) + 4 * (65536 + 2 * 2048) + 16384);
}

TEST_CASE("an empty split disk is a few sectors a piece") {
  zero_source nothing(3 * piece);
  memory_directory directory;
  workspace<two_gb_max_extent_sparse<128>> memory;
  const auto report = write<two_gb_max_extent_sparse<128>>(nothing, directory, {}, memory);
  REQUIRE(report);
  CHECK(report->stored_grains == 0);
  CHECK(directory.names().size() == 4);
  opened_disk opened(directory, "disk.vmdk");
  CHECK(opened.content() == paged_file(3 * piece));
}

TEST_CASE("the memory makes no difference to a split disk") {
  std::vector<std::byte> bytes(100 * 4096 + 100);
  for (std::size_t i = 0; i < bytes.size(); i += 1 + i % 9000) bytes[i] = std::byte{0x5A};
  memory_source source{byte_view(bytes)};
  memory_directory small;
  workspace<two_gb_max_extent_sparse<8>> memory;
  REQUIRE(write<two_gb_max_extent_sparse<8>>(source, small, {.grain_sectors = 99}, memory).ok());
  std::vector<std::byte> buffer(1_MiB);
  memory.bulk = buffer;
  memory_directory large;
  REQUIRE(write<two_gb_max_extent_sparse<8>>(source, large, {}, memory).ok());
  CHECK(small.file(0).pages() == large.file(0).pages());
  CHECK(small.file(1).pages() == large.file(1).pages());
}

TEST_CASE("what cannot be split is refused with nothing created") {
  const auto refusal = [](std::uint64_t bytes, const write_options& options,
                          std::size_t buffer_bytes = 65536) {
    fault f;
    memory_directory directory(f);
    std::vector<std::byte> buffer(buffer_bytes);
    workspace<any_grain> memory;
    memory.bulk = buffer;
    zero_source source(bytes);
    const auto report = write<any_grain>(source, directory, options, memory);
    CHECK(directory.created == 0);
    CHECK(directory.commits == 0);
    CHECK(directory.aborts == 1);
    return report.error();
  };
  CHECK(refusal(0, {}) == options_failure(errc::capacity_zero));
  CHECK(refusal(~std::uint64_t{0}, {}) == options_failure(errc::capacity_too_large));
  // More pieces than fit into the longest descriptor.
  CHECK(refusal(30000 * piece, {}) ==
        options_failure(errc::option_invalid, 0,
                        static_cast<std::uint32_t>(descriptor_problem::text_bytes)));
  CHECK(refusal(4096, {.grain_sectors = 4}) == options_failure(errc::grain_size_invalid, 0, 4));
  CHECK(refusal(4096, {}, 65535) == options_failure(errc::workspace_too_small, 0, 65536));
  CHECK(refusal(4096, {.like_mkimg = true}) == options_failure(errc::not_supported));
  const auto bad_name = options_failure(
      errc::option_invalid, 0, static_cast<std::uint32_t>(descriptor_problem::extent_name));
  for (const char* name : {"", ".", "..", "a/b.vmdk", "a\\b.vmdk", "c:b.vmdk", "a\"b.vmdk",
                           "a\nb.vmdk", "/.vmdk", "createType.vmdk", "\xFF.vmdk"}) {
    INFO(name);
    CHECK(refusal(4096, {.extent_name = name}) == bad_name);
  }
  const std::string long_name(510, 'a');
  CHECK(refusal(4096, {.extent_name = long_name}) == bad_name);
  CHECK(refusal(4096, {.cid_given = true, .cid = 0xFFFFFFFF}).code == errc::option_invalid);
}

TEST_CASE("every failure of a directory comes back, and leaves nothing") {
  paged_file disk = disk_of(2 * piece + 100, {0, piece - 4, 2 * piece + 50});
  const failure why = sink_failure(errc::write_failed, 7, 28);
  workspace<two_gb_max_extent_sparse<128>> memory;
  std::uint32_t file = 0;
  bool done = false;
  for (std::uint64_t n = 0; !done; ++n) {
    INFO("call " << n);
    REQUIRE(n < 200);
    fault f(n, why);
    memory_directory directory(f);
    const auto report = write<two_gb_max_extent_sparse<128>>(disk, directory, {}, memory);
    done = !f.happened();
    CHECK(directory.pending() == 0);
    if (done) {
      CHECK(report.ok());
      CHECK(directory.names().size() == 4);
      CHECK(directory.aborts == 0);
      continue;
    }
    CHECK(directory.names().empty());
    CHECK(directory.aborts == 1);
    failure expected = why;
    expected.index = directory.commits != 0 ? 0 : static_cast<std::uint32_t>(directory.in_file());
    CHECK(report.error() == expected);
    file = larger_of<std::uint32_t>(file, report.error().index);
  }
  CHECK(file == 3);
}

TEST_CASE("every failure of a source comes back, and leaves nothing of a split disk") {
  paged_file disk = disk_of(2 * piece + 100, {0, 5_MiB, piece - 4, 2 * piece + 50});
  const failure why{.code = errc::read_failed, .from = origin::source, .index = 9, .offset = 7};
  workspace<two_gb_max_extent_sparse<128>> memory;
  bool done = false;
  for (std::uint64_t n = 0; !done; ++n) {
    INFO("call " << n);
    REQUIRE(n < 200);
    fault f(n, why);
    walked_source source(disk, &f);
    memory_directory directory;
    const auto report = write<two_gb_max_extent_sparse<128>>(source, directory, {}, memory);
    done = !f.happened();
    CHECK(report.error() == (done ? no_failure : why));
    CHECK(directory.names().size() == (done ? 4 : 0));
    CHECK(directory.pending() == 0);
  }
}

}  // namespace split_writer_test
