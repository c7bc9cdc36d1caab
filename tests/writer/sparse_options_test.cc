// SPDX-License-Identifier: BSD-2-Clause
// What the options say, and the image then says of itself.
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/paged_file.hpp"
#include "tests/support/sparse_checker.hpp"
#include "tests/writer/sparse_testing.hpp"
#include "tests/writer/sparse_ways.hpp"
#include "vmdk/format/content_id.hpp"
#include "vmdk/io/memory.hpp"
#include "vmdk/writer/sparse.hpp"

namespace sparse_options_test {
namespace {

using namespace writer_testing;
using namespace vmdk::literals;

bool is_named(byte_view image, std::string_view text) {
  return std::string_view(reinterpret_cast<const char*>(image.data()), image.size()).find(text) !=
         std::string_view::npos;
}

}  // namespace

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

}  // namespace sparse_options_test
