// SPDX-License-Identifier: BSD-2-Clause
// What a child holds, and what it reads as over its parent.
#include "vmdk/writer/delta.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "tests/support/memory_directory.hpp"
#include "tests/support/paged_file.hpp"
#include "tests/support/read_back.hpp"
#include "tests/support/walked_source.hpp"
#include "tests/writer/delta_testing.hpp"
#include "vmdk/io/counting.hpp"
#include "vmdk/io/generator.hpp"
#include "vmdk/io/memory.hpp"
#include "vmdk/writer/split.hpp"

namespace delta_writer_test {
namespace {

using namespace delta_testing;
using namespace vmdk::literals;

// ---- Through the compiler. ----

constexpr bool only_what_differs_is_stored() {
  std::array<std::byte, 4 * 4096> parent{};
  std::array<std::byte, 4 * 4096> disk{};
  parent[0] = disk[0] = std::byte{1};  // The same.
  parent[4096] = std::byte{2};         // Zero in the child.
  disk[3 * 4096] = std::byte{3};       // New in it.
  memory_source parent_source{byte_view(parent)};
  memory_source source{byte_view(disk)};
  std::array<std::byte, 16384 + 2 * 4096> file{};
  memory_sink sink{byte_span(file)};
  delta_workspace<monolithic_sparse<8>> memory{};
  const auto report = write_delta<monolithic_sparse<8>>(
      source, parent_source, {.cid = 7, .file_name_hint = {"p.vmdk", 6}}, sink, {}, memory);
  return report && report->stored_grains == 2 && sink.size() == file.size() &&
         is_zero(file.data() + 16384, 4096) && file[16384 + 4096] == std::byte{3};
}
static_assert(only_what_differs_is_stored());

// ---- Parents and children in a folder. ----

/// Puts a disk into a folder; gives its CID.
template <class S>
std::uint32_t put_base(memory_directory& folder, const std::string& name, S& disk,
                       std::uint32_t grain) {
  contents buffer(grain * sector_bytes);
  workspace<any_grain> memory;
  memory.bulk = buffer;
  const auto sink = folder.create(name);
  const auto report =
      write<any_grain>(disk, **sink, {.extent_name = name, .grain_sectors = grain}, memory);
  REQUIRE(report.error() == no_failure);
  REQUIRE_FALSE(folder.commit());
  return report->id.cid;
}

/// Puts a child of a disk in a folder there.
template <class S>
write_report put_child(memory_directory& folder, const std::string& name,
                       const std::string& parent_name, S& disk, std::uint32_t grain,
                       std::size_t buffer_grains = 5) {
  contents buffer(buffer_grains * grain * sector_bytes + 77);
  delta_workspace<any_grain> memory;
  memory.bulk = buffer;
  opened_disk parent(folder, parent_name, strictness::tolerant);
  REQUIRE(parent.why == no_failure);
  const auto sink = folder.create(name);
  const auto report = write_delta<any_grain>(
      disk, parent.cursor, {.cid = parent.image.links()[0].cid, .file_name_hint = parent_name},
      **sink, {.extent_name = name, .grain_sectors = grain}, memory);
  REQUIRE(report.error() == no_failure);
  CHECK(report->file_bytes == (*sink)->size());
  REQUIRE_FALSE(folder.commit());
  return *report;
}

paged_file content_of(memory_directory& folder, const std::string& name) {
  opened_disk opened(folder, name, strictness::tolerant);
  CHECK(opened.why == no_failure);
  return opened.content();
}

std::uint32_t cid_of(paged_file& disk) {
  paged_file file;
  workspace<monolithic_sparse<128>> memory;
  return write<monolithic_sparse<128>>(disk, file, {}, memory)->id.cid;
}

/// The grains in which two disks differ.
std::uint64_t differing_grains(const paged_file& a, const paged_file& b, std::uint64_t bytes) {
  std::uint64_t count = 0;
  contents x(bytes);
  contents y(bytes);
  for (std::uint64_t at = 0; at < a.size(); at += bytes) {
    const auto n = static_cast<std::size_t>(smaller_of(bytes, a.size() - at));
    REQUIRE_FALSE(a.read_at(at, byte_span(x).first(n)));
    REQUIRE_FALSE(b.read_at(at, byte_span(y).first(n)));
    if (!equal_bytes(x.data(), y.data(), n)) ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("a child holds what differs, zeros too") { CHECK(only_what_differs_is_stored()); }

TEST_CASE("a child and its parent read as the disk, for all grains of both") {
  constexpr std::uint64_t size = 6_MiB + 5 * 512;
  paged_file base(size);
  fill(base, 0, 100000, 1);
  fill(base, 2_MiB, 1_MiB, 2);
  fill(base, 6_MiB, 5 * 512, 3);
  paged_file disk = base;
  disk.put_number(50, 0, 8);  // A changed grain,
  for (std::uint64_t i = 0; i < 300000; i += 8) disk.put_number(2_MiB + i, 0, 8);  // a wiped one,
  fill(disk, 4_MiB + 4096, 5000, 4);                                               // a new one,
  disk.put_number(size - 1, 0x77, 1);  // and the cut one at the end.

  for (const std::uint32_t base_grain : {8u, 128u, 2048u}) {
    for (const std::uint32_t grain : {8u, 16u, 128u, 2048u}) {
      INFO("grains " << base_grain << " and " << grain);
      memory_directory folder;
      (void)put_base(folder, "base.vmdk", base, base_grain);
      // The base is rounded up to its grain, the disk is not.
      const auto report = put_child(folder, "child.vmdk", "base.vmdk", disk, grain, 2 + grain % 5);
      paged_file expected = disk;
      const std::uint64_t capacity = align_up(size, base_grain * 512);
      REQUIRE_FALSE(expected.resize(capacity));
      CHECK(report.capacity_bytes == capacity);
      CHECK(report.source_bytes == size);
      paged_file padded_base = base;
      REQUIRE_FALSE(padded_base.resize(capacity));
      CHECK(report.stored_grains == differing_grains(padded_base, expected, grain * 512));
      CHECK(content_of(folder, "child.vmdk") == expected);
      CHECK(report.id.cid == cid_of(disk));

      // A walk that cannot go back or see its holes gives the same file.
      walked_source walked(disk);
      (void)put_child(folder, "walked.vmdk", "base.vmdk", walked, grain, 7);
      CHECK(walked.finished == 1);
      generator_source plain(
          size, [&](std::uint64_t offset, byte_span out) { (void)disk.read_at(offset, out); });
      (void)put_child(folder, "plain.vmdk", "base.vmdk", plain, grain, 9);
      CHECK(content_of(folder, "walked.vmdk") == expected);
      CHECK(content_of(folder, "plain.vmdk") == expected);
      CHECK(folder.file(2).size() == folder.file(1).size());
      CHECK(folder.file(3).size() == folder.file(1).size());
    }
  }
}

TEST_CASE("a chain of children reads as the last disk") {
  std::mt19937_64 random(11);
  constexpr std::uint64_t size = 4_MiB;
  paged_file disk(size);
  fill(disk, 0, 200000, 1);
  memory_directory folder;
  std::string name = "base.vmdk";
  (void)put_base(folder, name, disk, 16);
  for (std::uint32_t link = 0; link < 8; ++link) {
    for (int change = 0; change < 6; ++change) {
      const std::uint64_t at = random() % (size / 4096) * 4096;
      for (std::uint64_t i = 0; i < 4096; i += 8) {
        disk.put_number(at + i, random() % 3 == 0 ? 0 : link + 1, 8);
      }
    }
    const std::string child = "child" + std::to_string(link) + ".vmdk";
    (void)put_child(folder, child, name, disk, 8u << link % 5);
    CHECK(content_of(folder, child) == disk);
    name = child;
  }
}

TEST_CASE("the child of a split disk reads as the disk") {
  paged_file base(2047_MiB + 65536);
  base.put_number(0, 1, 1);
  base.put_number(2047_MiB - 4, 0x123456789, 8);
  paged_file disk = base;
  disk.put_number(2047_MiB, 0, 4);
  memory_directory folder;
  workspace<two_gb_max_extent_sparse<128>> memory;
  REQUIRE(write<two_gb_max_extent_sparse<128>>(base, folder, {}, memory).ok());
  CHECK(put_child(folder, "child.vmdk", "disk.vmdk", disk, 128).stored_grains == 1);
  CHECK(content_of(folder, "child.vmdk") == disk);
}

TEST_CASE("what neither disk nor parent has is not read") {
  paged_file base(8_TiB);
  base.put_number(0, 5, 1);
  base.put_number(3_TiB, 5, 1);
  base.put_number(7_TiB, 5, 1);
  paged_file disk(8_TiB);
  disk.put_number(0, 5, 1);
  disk.put_number(5_TiB, 6, 1);
  disk.put_number(7_TiB, 5, 1);
  disk.put_number(8_TiB - 1, 6, 1);
  counting_source parent(base);
  counting_source source(disk);
  paged_file file;
  delta_workspace<monolithic_sparse<2048>> memory;
  const auto report =
      write_delta<monolithic_sparse<2048>>(source, parent, some_parent, file, {}, memory);
  REQUIRE(report.error() == no_failure);
  CHECK(report->stored_grains == 3);
  CHECK(source.read_bytes() == 5_MiB);
  CHECK(parent.read_bytes() == 5_MiB);
  CHECK(source.next_data_calls() <= 5);
  CHECK(parent.next_data_calls() <= 4);
}

TEST_CASE("the same disk, and an empty child, store nothing") {
  // The last grain of the children ends behind the disk.
  constexpr std::uint64_t size = 1_MiB + 4096;
  paged_file base(size);
  fill(base, 12345 * 8, size - 12345 * 8, 1);
  memory_directory folder;
  const std::uint32_t cid = put_base(folder, "base.vmdk", base, 8);
  const auto same = put_child(folder, "same.vmdk", "base.vmdk", base, 128);
  CHECK(same.stored_grains == 0);
  CHECK(same.id.cid == cid);
  CHECK(content_of(folder, "same.vmdk") == base);

  delta_workspace<monolithic_sparse<128>> memory;
  const auto sink = folder.create("empty.vmdk");
  const auto empty =
      write_empty_delta<monolithic_sparse<128>>(size, {.cid = cid, .file_name_hint = "base.vmdk"},
                                                **sink, {.extent_name = "empty.vmdk"}, memory);
  REQUIRE(empty.error() == no_failure);
  REQUIRE_FALSE(folder.commit());
  CHECK(empty->stored_grains == 0);
  CHECK(empty->id.cid == cid);
  CHECK_FALSE(empty->id_from_content);
  CHECK(empty->capacity_bytes == size);
  CHECK(folder.file(2).size() == empty->file_bytes);
  CHECK(content_of(folder, "empty.vmdk") == base);
}

TEST_CASE("an empty child has a CID that readers can use") {
  const auto cid_of_child = [](std::uint32_t parent_cid, const write_options& options) {
    counting_sink sink;
    delta_workspace<monolithic_sparse<128>> memory;
    const auto report = write_empty_delta<monolithic_sparse<128>>(
        1_MiB, {.cid = parent_cid, .file_name_hint = "p.vmdk"}, sink, options, memory);
    REQUIRE(report.error() == no_failure);
    CHECK(static_cast<std::uint32_t>(report->id.long_low) == report->id.cid);
    return report->id.cid;
  };
  CHECK(cid_of_child(5, {}) == 5);
  CHECK(cid_of_child(0xFFFFFFFD, {}) == 0xFFFFFFFD);
  CHECK(cid_of_child(5, {.cid_given = true, .cid = 6}) == 6);
  for (const std::uint32_t unusable : {0u, 0xFFFFFFFEu}) {
    const std::uint32_t cid = cid_of_child(unusable, {});
    CHECK(cid != 0);
    CHECK(cid < 0xFFFFFFFE);
  }
}

TEST_CASE("the descriptor of a child names its parent") {
  paged_file base(1_MiB);
  paged_file file;
  delta_workspace<monolithic_sparse<128>> memory;
  REQUIRE(write_delta<monolithic_sparse<128>>(
              base, base, {.cid = 0xAB, .file_name_hint = "/far/away/p.vmdk"}, file,
              {.extent_name = "c.vmdk", .cid_given = true, .cid = 0xCD}, memory)
              .ok());
  const contents bytes = file.bytes();
  const std::string text(reinterpret_cast<const char*>(bytes.data()) + 512, 20 * 512);
  CHECK(text.find("\nCID=000000cd\nparentCID=000000ab\ncreateType=\"monolithicSparse\"\n"
                  "parentFileNameHint=\"/far/away/p.vmdk\"\n") != std::string::npos);
  CHECK(text.find("\nRW 2048 SPARSE \"c.vmdk\"\n") != std::string::npos);
}

}  // namespace delta_writer_test
