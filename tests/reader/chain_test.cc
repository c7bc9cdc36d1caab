// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/reader/testing.hpp"

namespace chain_test {
namespace {

using namespace reader_testing;
using names = std::vector<std::string>;

failure in_file(std::uint16_t number, errc code, std::uint64_t offset = 0,
                std::uint32_t detail = 0) {
  failure why = image_failure(code, offset, detail);
  why.index = number;
  return why;
}

std::vector<bool> present_in(const sparse_image& image) {
  std::vector<bool> present(image.plan.capacity_sectors);
  for (std::size_t s = 0; s < present.size(); ++s) {
    const std::uint64_t grain = s / image.plan.grain_sectors;
    present[s] = image.grain_at.contains(grain);
    for (const std::uint64_t zeroed : image.plan.zeroed) present[s] = present[s] || zeroed == grain;
  }
  return present;
}

constexpr std::uint64_t capacity = 300;  ///< Sectors; no whole number of grains of most sizes.

/// Grains of a link, so that over three links each comes with each: stored, zeroed, absent.
sparse_image_plan link_plan(std::uint64_t level) {
  constexpr std::uint64_t sizes[] = {8, 16, 4, 32};
  sparse_image_plan plan{.capacity_sectors = capacity,
                         .grain_sectors = sizes[level],
                         .version = 2,
                         .more_flags = 4,
                         .seed = level + 1};
  const std::uint64_t period = level == 0 ? 1 : level == 1 ? 3 : 9;
  for (std::uint64_t g = 0; g * plan.grain_sectors < capacity; ++g) {
    const std::uint64_t kind = g / period % 3;
    if (kind == 0) plan.stored.push_back(g);
    if (kind == 1) plan.zeroed.push_back(g);
  }
  return plan;
}

/// A chain of sparse files, link0.vmdk on top, and its disk.
bytes put_chain(watched_files& files, std::size_t links) {
  bytes disk(capacity * 512);
  for (std::size_t level = links; level-- > 0;) {
    descriptor_plan says{.cid = "0000001" + std::to_string(level)};
    if (level + 1 < links) {
      says.parent = "0000001" + std::to_string(level + 1);
      says.hint = "link" + std::to_string(level + 1) + ".vmdk";
    }
    const sparse_image image = whole_sparse(link_plan(level), says);
    disk = over(disk, disk_of(image), present_in(image));
    files.put("link" + std::to_string(level) + ".vmdk", image.file.bytes());
  }
  return disk;
}

TEST_CASE("chains of one to four links are read, each kind of grain over each other") {
  for (std::size_t links = 1; links <= 4; ++links) {
    INFO(links << " links");
    watched_files files;
    const bytes disk = put_chain(files, links);
    CHECK((read_image(files, "link0.vmdk") == disk));
    names expected;
    for (std::size_t i = 0; i < links; ++i)
      expected.push_back("link" + std::to_string(i) + ".vmdk");
    CHECK(files.asked == expected);

    opened_image<watched_files> opened(files, "link0.vmdk");
    REQUIRE(opened);
    CHECK(opened.image->links().size() == links);
    CHECK(opened.image->links()[0].cid == 0x10);
    CHECK(opened.image->descriptor().cid() == 0x10);
    // With a cache for each link, with one for all, and with some in between.
    for (const std::size_t caches : {1u, 2u, 3u, 4u, 9u}) {
      cursor_room room(caches, caches * 1024, 0, 0);
      no_decoder none;
      auto cursor = image_cursor<watched_files>::make(*opened.image, room.spans(), none);
      REQUIRE(cursor);
      CHECK((read_all(*cursor, 5000) == disk));
    }
  }
}

TEST_CASE("a link says where each range comes from") {
  watched_files files;
  const sparse_image base = whole_sparse(
      {.capacity_sectors = 64, .grain_sectors = 8, .stored = {3, 2, 1, 0}}, {.cid = "1"});
  const sparse_image child = whole_sparse({.capacity_sectors = 64,
                                           .grain_sectors = 16,
                                           .version = 2,
                                           .more_flags = 4,
                                           .stored = {0},
                                           .zeroed = {2}},
                                          {.cid = "2", .parent = "1", .hint = "base"});
  files.put("child", child.file.bytes());
  files.put("base", base.file.bytes());
  opened_image<watched_files> opened(files, "child");
  REQUIRE(opened);
  cursor_room room(2, 2048, 0, 0);
  no_decoder none;
  auto cursor = image_cursor<watched_files>::make(*opened.image, room.spans(), none);
  const struct {
    std::uint64_t sector;
    placement where;
    std::uint64_t sectors;
    std::uint32_t link;
    std::uint64_t file_offset;
  } cases[] = {{0, placement::stored, 16, 0, child.grain_at.at(0)},
               {9, placement::stored, 7, 0, child.grain_at.at(0) + 9 * 512},
               {16, placement::stored, 8, 1, base.grain_at.at(2)},
               {24, placement::stored, 8, 1, base.grain_at.at(3)},
               {32, placement::zero, 16, 0, 0},
               {48, placement::zero, 16, 1, 0},
               {63, placement::zero, 1, 1, 0}};
  for (const auto& c : cases) {
    INFO("sector " << c.sector);
    const auto found = cursor->map(c.sector * 512);
    REQUIRE(found);
    CHECK(found->where == c.where);
    // Of what nobody stores, a part may be told at a time.
    CHECK((found->bytes == c.sectors * 512 || c.where == placement::zero));
    CHECK(found->bytes != 0);
    CHECK(found->bytes <= c.sectors * 512);
    CHECK(found->link == c.link);
    CHECK(found->extent == c.link);
    if (c.where == placement::stored) CHECK(found->file_offset == c.file_offset);
  }
  CHECK(cursor->next_data(0) == range{0, 16 * 512});
  CHECK(cursor->next_data(16 * 512) == range{16 * 512, 8 * 512});
  CHECK(cursor->next_data(32 * 512) == range{64 * 512, 0});
}

TEST_CASE("redo logs of ESXi lie over a flat disk") {
  const bytes base = content_bytes(0, 400 * 512, 5);
  const redo_log cowd = build_cowd(400, 4);
  const redo_log sesparse = build_sesparse(400);
  for (const bool is_cowd : {true, false}) {
    const redo_log& log = is_cowd ? cowd : sesparse;
    watched_files files;
    files.put("x-000001.vmdk",
              text_of({.type = is_cowd ? "vmfsSparse" : "seSparse",
                       .extents = {std::string("RW 400 ") + (is_cowd ? "VMFSSPARSE" : "SESPARSE") +
                                   " \"x-000001-delta.vmdk\""},
                       .cid = "aaaaaaaa",
                       .parent = "bbbbbbbb",
                       .hint = "x.vmdk"}));
    files.put("x-000001-delta.vmdk", log.file);
    files.put(
        "x.vmdk",
        text_of({.type = "vmfs", .extents = {"RW 400 VMFS \"x-flat.vmdk\""}, .cid = "bbbbbbbb"}));
    files.put("x-flat.vmdk", base);
    CHECK((read_image(files, "x-000001.vmdk") == over(base, log.disk, log.present)));
    CHECK(files.asked == names{"x-000001.vmdk", "x-000001-delta.vmdk", "x.vmdk", "x-flat.vmdk"});
  }
  // And over one another: seSparse over COWD over flat.
  watched_files files;
  files.put("a", text_of({.type = "seSparse",
                          .extents = {"RW 400 SESPARSE \"a-se\""},
                          .cid = "3",
                          .parent = "2",
                          .hint = "b"}));
  files.put("a-se", sesparse.file);
  files.put("b", text_of({.type = "vmfsSparse",
                          .extents = {"RW 400 VMFSSPARSE \"b-delta\""},
                          .cid = "2",
                          .parent = "1",
                          .hint = "c"}));
  files.put("b-delta", cowd.file);
  files.put("c", text_of({.extents = {"RW 400 FLAT \"c-flat\" 0"}, .cid = "1"}));
  files.put("c-flat", base);
  CHECK(read_image(files, "a") ==
        over(over(base, cowd.disk, cowd.present), sesparse.disk, sesparse.present));
}

TEST_CASE("a split child lies over a parent that is split elsewhere, and over a stream") {
  for (const bool is_stream : {false, true}) {
    watched_files files;
    bytes disk(300 * 512);
    if (is_stream) {
      const stream_image parent = whole_stream(
          {.capacity_sectors = 300, .stored = {0, 1, 2, 5, 6, 7, 10, 18}, .last_grain_short = true},
          {.cid = "1"});
      files.put("p.vmdk", parent.file);
      disk = parent.disk();
    } else {
      files.put("p.vmdk",
                text_of({.extents = {"RW 77 FLAT \"p\" 0", "RW 100 ZERO", "RW 123 FLAT \"p\" 177"},
                         .cid = "1"}));
      disk = content_bytes(0, 300 * 512);
      files.put("p", disk);
      zero_bytes(disk.data() + 77 * 512, 100 * 512);
    }
    std::uint64_t begin = 0;
    std::vector<std::string> lines;
    for (const std::uint64_t sectors : {100u, 33u, 167u}) {
      const std::string name = "c-s00" + std::to_string(lines.size() + 1) + ".vmdk";
      const sparse_image piece = sparse_piece({.capacity_sectors = sectors,
                                               .version = 2,
                                               .more_flags = 4,
                                               .stored = {0, 2},
                                               .zeroed = {1},
                                               .seed = sectors});
      files.put(name, piece.file.bytes());
      lines.push_back("RW " + std::to_string(sectors) + " SPARSE \"" + name + "\"");
      std::vector<bool> present(300);
      const auto own = present_in(piece);
      bytes shifted(300 * 512);
      const bytes content = disk_of(piece);
      copy_bytes(shifted.data() + begin * 512, content.data(), content.size());
      for (std::size_t s = 0; s < own.size(); ++s) present[begin + s] = own[s];
      disk = over(disk, shifted, present);
      begin += sectors;
    }
    files.put("c.vmdk", text_of({.type = "twoGbMaxExtentSparse",
                                 .extents = lines,
                                 .cid = "2",
                                 .parent = "1",
                                 .hint = "p.vmdk"}));
    CHECK((read_image(files, "c.vmdk") == disk));
  }
}

/// A child over a base file, with a hint.
failure open_child(watched_files& files, const descriptor_plan& says, std::uint64_t sectors = 64) {
  files.put("child", whole_sparse({.capacity_sectors = sectors, .stored = {1}}, says).file.bytes());
  files.asked.clear();
  return opened_image<watched_files>(files, "child").error();
}
void put_base(watched_files& files, const std::string& name) {
  files.put("unused", "");
  files.put("child", "");
  files.put(name, whole_sparse({.capacity_sectors = 64, .stored = {0}}, {.cid = "1"}).file.bytes());
}

TEST_CASE("of a hint only the last part is asked for") {
  for (const std::string hint :
       {"base.vmdk", "/vm/a/base.vmdk", "../base.vmdk", "C:\\vms\\a\\base.vmdk", "a/b\\base.vmdk",
        "\\\\server\\share\\base.vmdk", "json:{}/base.vmdk"}) {
    watched_files files;
    put_base(files, "base.vmdk");
    INFO(hint);
    CHECK(open_child(files, {.cid = "2", .parent = "1", .hint = hint}) == no_failure);
    CHECK(files.asked == names{"child", "base.vmdk"});
  }
  watched_files files;
  put_base(files, "b\xC3\xA4se");
  CHECK_FALSE(open_child(
      files, {.cid = "2", .parent = "1", .hint = "D:\\x\\b\xE4se", .encoding = "windows-1252"}));
  CHECK(files.asked == names{"child", "b\xC3\xA4se"});
}

TEST_CASE("a hint that ends in no plain name opens nothing") {
  for (const std::string& hint : names{"/", "a/", "..", ".", "a/..", "a\\", "C:base", "json:{}",
                                       "nbd:unix:x", "file:", std::string(600, 'x')}) {
    watched_files files;
    put_base(files, "base");
    INFO(hint);
    CHECK(open_child(files, {.cid = "2", .parent = "1", .hint = hint}) ==
          in_file(1, errc::name_not_allowed));
    CHECK(files.asked == names{"child"});
  }
}

TEST_CASE("a parent must be there, be the right one, and be as large") {
  watched_files files;
  put_base(files, "base");
  CHECK_FALSE(open_child(files, {.cid = "2", .parent = "1", .hint = "base"}));
  CHECK(open_child(files, {.cid = "2", .parent = "1"}) == in_file(1, errc::parent_missing));
  CHECK(files.asked == names{"child"});
  CHECK(open_child(files, {.cid = "2", .parent = "1", .hint = "nobody"}) ==
        failure{.code = errc::parent_missing, .from = origin::files, .index = 1, .detail = 2});
  CHECK(open_child(files, {.cid = "2", .parent = "3", .hint = "base"}) ==
        in_file(1, errc::parent_modified, 0, 1));
  CHECK(open_child(files, {.cid = "2", .parent = "1", .hint = "base"}, 63) ==
        in_file(2, errc::parent_capacity_differs));
  CHECK(open_child(files, {.cid = "2", .parent = "1", .hint = "base"}, 65) ==
        in_file(2, errc::parent_capacity_differs));
  CHECK(open_child(files, {.cid = "2", .parent = "1", .hint = "unused"}) ==
        in_file(0, errc::magic_invalid));
  files.put("raw", bytes(64 * 512));
  CHECK(open_child(files, {.cid = "2", .parent = "1", .hint = "raw"}) ==
        in_file(3, errc::magic_invalid));
  files.put("piece", sparse_piece({.capacity_sectors = 64}).file.bytes());
  CHECK(open_child(files, {.cid = "2", .parent = "1", .hint = "piece"}) ==
        in_file(4, errc::embedded_descriptor_missing));
}

TEST_CASE("a chain that bites its tail ends") {
  watched_files files;
  put_base(files, "base");
  CHECK(open_child(files, {.cid = "2", .parent = "2", .hint = "child"}) ==
        in_file(1, errc::chain_loop));
  CHECK(files.asked == names{"child", "child"});
  // a over b over c over b.
  const auto put = [&](const std::string& name, const std::string& cid, const std::string& parent,
                       const std::string& hint) {
    files.put(name,
              text_of({.extents = {"RW 64 ZERO"}, .cid = cid, .parent = parent, .hint = hint}));
  };
  put("a", "1", "2", "b");
  put("b", "2", "3", "c");
  put("c", "3", "2", "x/b");
  CHECK(opened_image<watched_files>(files, "a").error() == in_file(5, errc::chain_loop));
}

TEST_CASE("a chain is as long as the memory has room for links, extents and text") {
  watched_files files;
  const bytes disk = put_chain(files, 3);
  std::vector<extent> extents(3);
  std::vector<vmdk::link> links(3);
  bytes text(3 * 20 * 512);
  std::string top;
  {
    opened_image<watched_files> opened(files, "link0.vmdk");
    top = opened.image->descriptor().text();
  }
  const auto open_with = [&](std::size_t e, std::size_t l, std::size_t t) {
    return vmdk::open(files, "link0.vmdk",
                      image_spans{std::span(extents).first(e), std::span(links).first(l),
                                  byte_span(text).first(t)});
  };
  // Files come from the base up: link0.vmdk has number 2.
  const std::size_t enough = top.size() + 20 * 512;
  CHECK(open_with(3, 3, enough).ok());
  CHECK(open_with(3, 3, enough)->descriptor().text() == top);
  CHECK(open_with(3, 2, enough).error() == in_file(0, errc::chain_too_deep, 0, 2));
  CHECK(open_with(2, 3, enough).error() == in_file(0, errc::extent_count_invalid, 0, 2));
  CHECK(open_with(3, 3, enough - 1).error().code == errc::workspace_too_small);
  CHECK(open_with(3, 3, enough - 1).error().index == 1);
}

TEST_CASE("a damaged link is named by the file it is in, and hides nothing above it") {
  watched_files files;
  const bytes disk = put_chain(files, 3);
  // The middle link: its file's number is 1. Its directory names a table far away.
  const sparse_image middle =
      whole_sparse(link_plan(1), {.cid = "00000011", .parent = "00000012", .hint = "link2.vmdk"});
  for (std::size_t i = 0; i < 4; ++i) files.content(1)[middle.directory_at + i] = std::byte{0x7F};
  opened_image<watched_files> opened(files, "link0.vmdk");
  REQUIRE(opened);
  cursor_room room(3, 3 * 1024, 0, 0);
  no_decoder none;
  auto cursor = image_cursor<watched_files>::make(*opened.image, room.spans(), none);
  bytes out(512);
  std::uint64_t failures = 0;
  for (std::uint64_t at = 0; at < disk.size(); at += 512) {
    const failure why = cursor->read_at(at, out);
    if (!why) {
      CHECK((out == bytes(disk.begin() + static_cast<std::ptrdiff_t>(at),
                          disk.begin() + static_cast<std::ptrdiff_t>(at + 512))));
      continue;
    }
    ++failures;
    CHECK(why == in_file(1, errc::directory_entry_invalid, middle.directory_at));
  }
  CHECK(failures == 96);  // Twelve absent grains of 8 sectors in the link above.
}

}  // namespace

}  // namespace chain_test
