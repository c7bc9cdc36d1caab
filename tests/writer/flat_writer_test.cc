// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/writer/flat.hpp"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <string>
#include <type_traits>
#include <vector>

#include "tests/support/faults.hpp"
#include "tests/support/memory_directory.hpp"
#include "tests/support/paged_file.hpp"
#include "tests/support/read_back.hpp"
#include "tests/support/walked_source.hpp"
#include "vmdk/io/counting.hpp"
#include "vmdk/io/forward.hpp"
#include "vmdk/io/generator.hpp"
#include "vmdk/io/memory.hpp"
#include "vmdk/io/zero.hpp"
#include "vmdk/writer/sparse.hpp"

namespace flat_writer_test {
namespace {

using namespace vmdk;
using namespace vmdk::literals;
using namespace testing_support;

constexpr std::uint64_t piece = std::uint64_t{4193792} * 512;

// ---- Through the compiler. ----

/// Two files in memory, usable in constant expressions.
class small_directory {
 public:
  using sink_type = memory_sink;

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

  std::array<std::byte, 12800> bytes[2]{};  // No room for more than whole sectors.
  memory_sink sink{};
  std::size_t created = 0;
  bool committed = false;
};

constexpr bool written_as_it_is() {
  std::array<std::byte, 12345> disk{};
  for (std::size_t i = 0; i < 3000; ++i) disk[i] = static_cast<std::byte>(i % 251);
  disk[8192] = std::byte{1};
  disk[12344] = std::byte{2};
  memory_source source{byte_view(disk)};
  small_directory directory;
  workspace<monolithic_flat> memory{};
  const auto report = write<monolithic_flat>(source, directory, {}, memory);
  return report && directory.committed && report->capacity_bytes == 12800 &&
         report->file_bytes == 12800 + directory.sink.size() && report->stored_grains == 0 &&
         equal_bytes(directory.bytes[0].data(), disk.data(), disk.size()) &&
         directory.bytes[1][0] == std::byte{'#'};
}
static_assert(written_as_it_is());

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
  return "disk-f" + std::string(3 - digits.size(), '0') + digits + ".vmdk";
}

template <class Type>
void check_disk(paged_file& disk, std::size_t buffer_bytes = 20000) {
  constexpr bool whole = std::is_same_v<Type, monolithic_flat>;
  std::vector<std::byte> buffer(buffer_bytes);
  workspace<Type> memory;
  memory.bulk = buffer;
  memory_directory directory;
  walked_source source(disk);
  const auto report = write<Type>(source, directory, {}, memory);
  REQUIRE(report.error() == no_failure);
  CHECK(source.finished == 1);
  CHECK(directory.commits == 1);

  const auto plan = layout<Type>::for_capacity(disk.size()).value();
  std::vector<std::string> names;
  std::uint64_t kept = 0;
  for (std::uint32_t i = 0; i < plan.piece_count(); ++i) {
    names.push_back(whole ? "disk-flat.vmdk" : name_of_piece(i));
    CHECK(directory.file(i).size() == plan.file_bytes(i));
    kept += directory.file(i).pages().kept_bytes();
  }
  names.push_back("disk.vmdk");
  REQUIRE(directory.names() == names);
  CHECK(kept <= disk.kept_bytes());  // Holes are kept.
  descriptor_fields fields;
  fields.type = whole ? create_type::monolithic_flat : create_type::two_gb_max_extent_flat;
  fields.disk_geometry = geometry_for(fields.controller, plan.capacity_sectors());
  CHECK(directory.file(plan.piece_count()).size() == plan.descriptor_bytes(fields, "disk.vmdk"));
  CHECK(report->stored_grains == 0);
  CHECK(report->capacity_bytes == (disk.size() + 511) / 512 * 512);
  CHECK(report->file_bytes == directory.total_bytes());

  opened_disk opened(directory, "disk.vmdk");
  REQUIRE(opened.why == no_failure);
  CHECK(opened.image.descriptor().cid() == report->id.cid);
  paged_file expected = disk;
  REQUIRE_FALSE(expected.resize(plan.capacity_bytes()));
  CHECK(opened.content() == expected);

  paged_file one_file;
  workspace<monolithic_sparse<128>> one_memory;
  const auto one = write<monolithic_sparse<128>>(disk, one_file, {}, one_memory);
  REQUIRE(one);
  CHECK(one->id == report->id);
}

}  // namespace

TEST_CASE("a flat disk is written as it is") { CHECK(written_as_it_is()); }

TEST_CASE("the descriptors of flat disks are these") {
  paged_file disk = disk_of(piece + 512, {0, piece});
  const write_options options{.extent_name = "a b.vmdk", .cid_given = true, .cid = 0x12AB};
  memory_directory directory;
  workspace<two_gb_max_extent_flat> memory;
  REQUIRE(write<two_gb_max_extent_flat>(disk, directory, options, memory).ok());
  const std::string text = directory.text(2);
  CHECK(text.find("# Disk DescriptorFile\nversion=1\nencoding=\"UTF-8\"\nCID=000012ab\n"
                  "parentCID=ffffffff\ncreateType=\"twoGbMaxExtentFlat\"\n") == 0);
  CHECK(text.find("\n# Extent description\nRW 4193792 FLAT \"a b-f001.vmdk\" 0\n"
                  "RW 1 FLAT \"a b-f002.vmdk\" 0\n\n# The Disk Data Base\n#DDB\n") !=
        std::string::npos);
  memory_directory single;
  workspace<monolithic_flat> single_memory;
  REQUIRE(write<monolithic_flat>(disk, single, options, single_memory).ok());
  CHECK(single.text(1).find("createType=\"monolithicFlat\"\n\n# Extent description\n"
                            "RW 4193793 FLAT \"a b-flat.vmdk\" 0\n\n") != std::string::npos);
  CHECK(single.names() == std::vector<std::string>{"a b-flat.vmdk", "a b.vmdk"});
}

TEST_CASE("flat disks of every size are written in one walk and read back") {
  for (const std::uint64_t bytes : {std::uint64_t{1}, std::uint64_t{511}, std::uint64_t{512},
                                    std::uint64_t{4096}, std::uint64_t{4097}, 1_MiB + 3, piece - 1,
                                    piece, piece + 1, piece + 512, 2 * piece, 2 * piece + 5000}) {
    INFO("bytes " << bytes);
    paged_file disk = disk_of(bytes, {0, bytes / 2, bytes - 1});
    check_disk<monolithic_flat>(disk);
    check_disk<two_gb_max_extent_flat>(disk);
  }
}

TEST_CASE("data across the borders of flat pieces stays whole") {
  for (const std::size_t buffer_bytes : {0u, 4096u, 4097u, 100000u}) {
    paged_file disk = disk_of(2 * piece + 40000, {piece - 4, 2 * piece - 4, 2 * piece + 39000});
    for (std::uint64_t at = 0; at < 200000; at += 8) disk.put_number(piece - 100000 + at, at, 8);
    check_disk<two_gb_max_extent_flat>(disk, buffer_bytes);
    check_disk<monolithic_flat>(disk, buffer_bytes);
  }
}

TEST_CASE("blocks of data and of zeros in every pattern come back from every source") {
  // Each of 12 blocks is zero or not, as a bit says; the last one is cut.
  for (unsigned pattern = 0; pattern < 4096; pattern += 37) {
    std::vector<std::byte> bytes(11 * 4096 + 700);
    for (std::size_t block = 0; block < 12; ++block) {
      if ((pattern >> block & 1) != 0) bytes[block * 4096 + 699] = std::byte{1};
    }
    memory_source mapped{byte_view(bytes)};
    generator_source plain(bytes.size(), [&](std::uint64_t offset, byte_span out) {
      copy_bytes(out.data(), bytes.data() + offset, out.size());
    });
    memory_directory first;
    memory_directory second;
    workspace<monolithic_flat> memory;
    REQUIRE(write<monolithic_flat>(mapped, first, {}, memory).ok());
    std::vector<std::byte> buffer(3 * 4096);
    memory.bulk = buffer;
    REQUIRE(write<monolithic_flat>(plain, second, {}, memory).ok());
    CHECK(first.file(0).pages() == second.file(0).pages());
    CHECK(first.file(1).pages() == second.file(1).pages());
    bytes.resize(11 * 4096 + 1024);
    CHECK((first.file(0).pages().bytes() == bytes));
  }
}

TEST_CASE("a huge flat disk with little data is quick, and its holes stay") {
  paged_file disk = disk_of(64_TiB, {0, 33_TiB + 5, 64_TiB - 8});
  counting_source source(disk);
  memory_directory directory;
  workspace<monolithic_flat> memory;
  const auto report = write<monolithic_flat>(source, directory, {}, memory);
  REQUIRE(report.error() == no_failure);
  CHECK(source.read_bytes() == 3 * 4096);
  CHECK(directory.file(0).size() == 64_TiB);
  CHECK(directory.file(0).written_bytes == 3 * 4096);
  zero_source nothing(64_TiB);
  memory_directory empty;
  REQUIRE(write<monolithic_flat>(nothing, empty, {}, memory).ok());
  CHECK(empty.file(0).written_bytes == 0);
  CHECK(empty.file(0).size() == 64_TiB);
}

TEST_CASE("a stream becomes a flat disk, and must have the stated length") {
  struct stream {
    std::uint64_t left;
    result<std::size_t> read(byte_span out) noexcept {
      const auto n = static_cast<std::size_t>(smaller_of<std::uint64_t>(left, out.size()));
      for (std::size_t i = 0; i < n; ++i) out[i] = std::byte{7};
      left -= n;
      return n;
    }
  };
  const auto written = [](std::uint64_t there, std::uint64_t stated) {
    stream inner{there};
    forward_source source(inner, stated);
    memory_directory directory;
    workspace<monolithic_flat> memory;
    const failure why = write<monolithic_flat>(source, directory, {}, memory).error();
    CHECK(directory.names().size() == (why ? 0 : 2));
    return why;
  };
  CHECK(written(50000, 50000) == no_failure);
  CHECK(written(50000, 50001) == source_failure(errc::unexpected_end, 50000));
  CHECK(written(50000, 49999) == source_failure(errc::source_too_long, 49999));
}

TEST_CASE("what cannot be a flat disk is refused with nothing created") {
  const auto refusal = [](std::uint64_t bytes, const write_options& options) {
    memory_directory directory;
    workspace<monolithic_flat> memory;
    zero_source source(bytes);
    const failure why = write<monolithic_flat>(source, directory, options, memory).error();
    memory_directory pieces;
    workspace<two_gb_max_extent_flat> pieces_memory;
    CHECK(write<two_gb_max_extent_flat>(source, pieces, options, pieces_memory).error() == why);
    CHECK(directory.created + pieces.created == 0);
    CHECK(directory.commits + pieces.commits == 0);
    CHECK(directory.aborts + pieces.aborts == 2);
    return why;
  };
  CHECK(refusal(0, {}) == options_failure(errc::capacity_zero));
  CHECK(refusal(~std::uint64_t{0}, {}) == options_failure(errc::capacity_too_large));
  CHECK(refusal(4096, {.like_mkimg = true}) == options_failure(errc::not_supported));
  const auto bad_name = options_failure(
      errc::option_invalid, 0, static_cast<std::uint32_t>(descriptor_problem::extent_name));
  for (const char* name : {"", "..", "a/b.vmdk", "a\"b.vmdk", "/.vmdk", "parentCID.vmdk"}) {
    INFO(name);
    CHECK(refusal(4096, {.extent_name = name}) == bad_name);
  }
}

TEST_CASE("every failure of a directory comes back, and leaves nothing of a flat disk") {
  paged_file disk = disk_of(2 * piece + 100, {0, 5_MiB, piece - 4, 2 * piece + 50});
  const failure why = sink_failure(errc::write_failed, 7, 28);
  workspace<two_gb_max_extent_flat> memory;
  bool done = false;
  std::uint32_t last = 0;
  for (std::uint64_t n = 0; !done; ++n) {
    INFO("call " << n);
    REQUIRE(n < 200);
    fault f(n, why);
    memory_directory directory(f);
    const auto report = write<two_gb_max_extent_flat>(disk, directory, {}, memory);
    done = !f.happened();
    CHECK(directory.pending() == 0);
    CHECK(directory.names().size() == (done ? 4 : 0));
    if (done) continue;
    failure expected = why;
    expected.index = directory.commits != 0 ? 0 : static_cast<std::uint32_t>(directory.in_file());
    CHECK(report.error() == expected);
    last = std::max(last, report.error().index);
  }
  CHECK(last == 3u);
}

TEST_CASE("every failure of a source comes back, and leaves nothing of a flat disk") {
  paged_file disk = disk_of(2 * piece + 100, {0, 5_MiB, piece - 4, 2 * piece + 50});
  const failure why{.code = errc::read_failed, .from = origin::source, .index = 9, .offset = 7};
  workspace<two_gb_max_extent_flat> memory;
  bool done = false;
  for (std::uint64_t n = 0; !done; ++n) {
    INFO("call " << n);
    REQUIRE(n < 200);
    fault f(n, why);
    walked_source source(disk, &f);
    memory_directory directory;
    const auto report = write<two_gb_max_extent_flat>(source, directory, {}, memory);
    done = !f.happened();
    CHECK(report.error() == (done ? no_failure : why));
    CHECK(directory.names().size() == (done ? 4 : 0));
  }
}

}  // namespace flat_writer_test
