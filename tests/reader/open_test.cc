// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/reader/open.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/reader/testing.hpp"
#include "vmdk/io/memory.hpp"

namespace open_test {
namespace {

using namespace reader_testing;
using names = std::vector<std::string>;

bytes joined(const std::vector<bytes>& parts) {
  bytes all;
  for (const bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

TEST_CASE("flat disks are read, whatever their type is called") {
  const bytes disk = content_bytes(0, 40 * 512);
  for (const std::string type : {"monolithicFlat", "vmfs", "vmfsThin", "vmfsEagerZeroedThick",
                                 "custom", "partitionedDevice", "somethingNew"}) {
    for (const std::string word : {"FLAT", "VMFS"}) {
      INFO(type << " " << word);
      watched_files files;
      files.put("x.vmdk", text_of({.type = type,
                                   .extents = {"RW 40 " + word + " \"x-flat.vmdk\"" +
                                               (word == "FLAT" ? " 0" : "")}}));
      files.put("x-flat.vmdk", disk);
      CHECK((read_image(files, "x.vmdk") == disk));
      CHECK(files.asked == names{"x.vmdk", "x-flat.vmdk"});
    }
  }
}

TEST_CASE("a flat extent begins where its line says, in a file that may be longer") {
  watched_files files;
  files.put("x-flat.vmdk", content_bytes(0, 100 * 512));
  files.put("x.vmdk", text_of({.extents = {"RW 40 FLAT \"x-flat.vmdk\" 13"}}));
  CHECK((read_image(files, "x.vmdk") == content_bytes(13 * 512, 40 * 512)));
}

TEST_CASE("split flat disks are read across their pieces") {
  watched_files files;
  const std::vector<bytes> parts{content_bytes(0, 7 * 512, 1), content_bytes(0, 512, 2),
                                 content_bytes(0, 30 * 512, 3)};
  files.put("x.vmdk",
            text_of({.type = "twoGbMaxExtentFlat",
                     .extents = {"RW 7 FLAT \"x-f001.vmdk\" 0", "RDONLY 1 FLAT \"x-f002.vmdk\" 0",
                                 "RW 30 FLAT \"x-f003.vmdk\" 0"}}));
  for (std::size_t i = 0; i < 3; ++i)
    files.put("x-f00" + std::to_string(i + 1) + ".vmdk", parts[i]);
  CHECK((read_image(files, "x.vmdk") == joined(parts)));

  opened_image<watched_files> opened(files, "x.vmdk");
  REQUIRE(opened);
  const auto& image = *opened.image;
  CHECK(image.size() == 38 * 512);
  CHECK(image.links().size() == 1);
  CHECK(image.extents().size() == 3);
  CHECK(image.descriptor().type() == create_type::two_gb_max_extent_flat);
  CHECK(image.compressed_grain_bytes() == 0);
  for (const auto& [offset, extent] :
       {std::pair{0, 0}, {7 * 512 - 1, 0}, {7 * 512, 1}, {8 * 512 - 1, 1}, {8 * 512, 2}}) {
    CHECK(image.find_extent(image.links()[0], static_cast<std::uint64_t>(offset)) ==
          static_cast<std::uint32_t>(extent));
  }
}

TEST_CASE("split sparse disks are read, with boundaries that are no multiple of the grain") {
  watched_files files;
  std::vector<bytes> parts;
  std::vector<std::string> lines;
  for (const std::uint64_t sectors : {100u, 33u, 1024u, 1u}) {
    const std::string name = "x-s00" + std::to_string(parts.size() + 1) + ".vmdk";
    const sparse_image piece = sparse_piece(
        {.capacity_sectors = sectors, .stored = {0, (sectors - 1) / 16}, .seed = sectors});
    lines.push_back("RW " + std::to_string(sectors) + " SPARSE \"" + name + "\"");
    parts.push_back(disk_of(piece));
    files.put(name, piece.file.bytes());
  }
  files.put("x.vmdk", text_of({.type = "twoGbMaxExtentSparse", .extents = lines}));
  CHECK((read_image(files, "x.vmdk") == joined(parts)));
  CHECK(files.asked == names{"x.vmdk", "x-s001.vmdk", "x-s002.vmdk", "x-s003.vmdk", "x-s004.vmdk"});
}

TEST_CASE("a piece that states a descriptor without having one is read") {
  watched_files files;
  const sparse_image piece = build_sparse({.stored = {3}});  // 20 sectors of zeros, as qemu does.
  files.put("x-s001.vmdk", piece.file.bytes());
  files.put("x.vmdk", text_of({.type = "twoGbMaxExtentSparse",
                               .extents = {"RW 1024 SPARSE \"x-s001.vmdk\""}}));
  CHECK((read_image(files, "x.vmdk") == disk_of(piece)));
  // By itself it is no disk.
  CHECK(opened_image<watched_files>(files, "x-s001.vmdk").error() ==
        in_file(0, errc::descriptor_empty, 512));
}

TEST_CASE("redo logs without a parent are read") {
  const redo_log cowd = build_cowd(300, 1);
  const redo_log sesparse = build_sesparse(400);
  struct {
    const char* type;
    const char* line;
    const redo_log& log;
  } const cases[] = {{"vmfsSparse", "RW 300 VMFSSPARSE \"x-delta.vmdk\"", cowd},
                     {"vmfsSparse", "RW 300 SPARSE \"x-delta.vmdk\"", cowd},
                     {"seSparse", "RW 400 SESPARSE \"x-delta.vmdk\"", sesparse},
                     {"vmfsSeSparse", "RW 400 SESPARSE \"x-delta.vmdk\"", sesparse}};
  for (const auto& c : cases) {
    INFO(c.type << ": " << c.line);
    watched_files files;
    files.put("x.vmdk", text_of({.type = c.type, .extents = {c.line}}));
    files.put("x-delta.vmdk", c.log.file);
    CHECK((read_image(files, "x.vmdk") == c.log.disk));
  }
}

TEST_CASE("a mix of all kinds of extents is one disk") {
  watched_files files;
  const sparse_image sparse = sparse_piece({.capacity_sectors = 100, .stored = {1, 6}});
  const stream_image stream =
      whole_stream({.capacity_sectors = 77, .stored = {0, 4}, .seed = 4, .last_grain_short = true});
  const redo_log cowd = build_cowd(50, 4);
  const redo_log sesparse = build_sesparse(64);
  files.put("flat", content_bytes(0, 64 * 512, 9));
  files.put("sparse", sparse.file.bytes());
  files.put("stream", stream.file);
  files.put("cowd", cowd.file);
  files.put("se", sesparse.file);
  files.put("x.vmdk",
            text_of({.extents = {"RW 10 FLAT \"flat\" 20", "RW 5 ZERO",
                                 "RDONLY 100 SPARSE \"sparse\"", "RW 50 VMFSSPARSE \"cowd\"",
                                 "RW 77 SPARSE \"stream\"", "RW 3 ZERO ", "RW 64 SESPARSE \"se\"",
                                 "RW 20 FLAT \"flat\" 0", "RW 34 FLAT \"flat\" 30"}}));
  const bytes disk = joined({content_bytes(20 * 512, 10 * 512, 9), bytes(5 * 512), disk_of(sparse),
                             cowd.disk, stream.disk(), bytes(3 * 512), sesparse.disk,
                             content_bytes(0, 20 * 512, 9), content_bytes(30 * 512, 34 * 512, 9)});
  CHECK((read_image(files, "x.vmdk") == disk));
  CHECK(opened_image<watched_files>(files, "x.vmdk").image->compressed_grain_bytes() == 8192);
}

TEST_CASE("where nobody may read, reading fails, and everything else is read") {
  watched_files files;
  files.put("a", content_bytes(0, 10 * 512));
  files.put("x.vmdk", text_of({.extents = {"RW 4 FLAT \"a\" 0", "NOACCESS 3 FLAT \"secret\" 0",
                                           "NOACCESS 2 ZERO", "RW 4 FLAT \"a\" 4"}}));
  opened_image<watched_files> opened(files, "x.vmdk");
  REQUIRE(opened);
  CHECK(files.asked == names{"x.vmdk", "a", "a"});
  cursor_room room(1, 1024, 0, 0);
  no_decoder none;
  auto cursor = image_cursor<watched_files>::make(*opened.image, room.spans(), none);
  REQUIRE(cursor);
  bytes out(13 * 512);
  const byte_span all(out);
  const auto refused = [](std::uint64_t offset) {
    return image_failure(errc::extent_no_access, offset);
  };
  CHECK(cursor->read_at(0, all) == refused(4 * 512));
  CHECK(cursor->read_at(5 * 512 + 1, all.first(1)) == refused(5 * 512 + 1));
  CHECK(cursor->read_at(8 * 512, all.first(512)) == refused(8 * 512));
  CHECK(cursor->next_data(4 * 512).error() == refused(4 * 512));
  CHECK_FALSE(cursor->read_at(0, all.first(4 * 512)));
  CHECK_FALSE(cursor->read_at(9 * 512, all.subspan(9 * 512)));
  CHECK(bytes(out.begin(), out.begin() + 4 * 512) == content_bytes(0, 4 * 512));
  CHECK(bytes(out.begin() + 9 * 512, out.end()) == content_bytes(4 * 512, 4 * 512));
}

TEST_CASE("an embedded descriptor that forbids access is heard") {
  watched_files files;
  sparse_image_plan plan{.stored = {2}};
  plan.descriptor =
      text_of({.type = "monolithicSparse", .extents = {"NOACCESS 1024 SPARSE \"x\""}});
  files.put("x", build_sparse(plan).file.bytes());
  opened_image<watched_files> opened(files, "x", strictness::strict);
  REQUIRE(opened);
  CHECK(opened.image->size() == 1024 * 512);
  cursor_room room(1, 1024, 0, 0);
  no_decoder none;
  auto cursor = image_cursor<watched_files>::make(*opened.image, room.spans(), none);
  REQUIRE(cursor);
  bytes out(512);
  CHECK(cursor->read_at(7, out) == image_failure(errc::extent_no_access, 7));
  CHECK(cursor->next_data(0).error() == image_failure(errc::extent_no_access, 0));
}

TEST_CASE("a disk of which nothing may be read opens") {
  watched_files files;
  CHECK_FALSE(open_lines(files, {"NOACCESS 3 SPARSE \"disk.vmdk\""}));
  CHECK(files.asked == names{"disk.vmdk"});
}

TEST_CASE("odd but readable descriptors are read, unless the reader is strict") {
  const bytes disk = content_bytes(0, 40 * 512);
  const std::string usual =
      text_of({.type = "monolithicFlat", .extents = {"RW 40 FLAT \"x-flat.vmdk\" 0"}});
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = usual;
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
      text.replace(at, from.size(), to);
    }
    return text;
  };
  const std::string zeros(700, '\0');
  for (const std::string& text :
       {with("\n", "\r\n"), with("\"monolithicFlat\"", "monolithicFlat"), with("ddb.", ""),
        with("# Disk DescriptorFile", "# Something else"), with("RW 40 ", "\tRW\t 40 "),
        with("createType=", "createType = ")}) {
    INFO(text);
    REQUIRE(text != usual);
    watched_files files;
    files.put("x-flat.vmdk", disk);
    CHECK_FALSE(open_text(files, text));
    CHECK((read_image(files, "disk.vmdk") == disk));
    CHECK(open_text(files, text, strictness::strict).code != errc::none);
  }
  watched_files files;
  files.put("x-flat.vmdk", disk);
  CHECK_FALSE(open_text(files, usual, strictness::strict));
  CHECK_FALSE(open_text(files, usual + zeros, strictness::strict));
  CHECK((read_image(files, "disk.vmdk") == disk));
}

TEST_CASE("files are asked for by their name in UTF-8") {
  const std::string u_umlaut = "\xC3\xBC";
  const std::string euro = "\xE2\x82\xAC";
  for (const bool windows : {false, true}) {
    watched_files files;
    files.put(u_umlaut + euro + ".vmdk", content_bytes(0, 512));
    const std::string name = windows ? "\xFC\x80.vmdk" : u_umlaut + euro + ".vmdk";
    CHECK_FALSE(open_text(files, text_of({.extents = {"RW 1 FLAT \"" + name + "\" 0"},
                                          .encoding = windows ? "windows-1252" : "UTF-8"})));
    CHECK(files.asked == names{"disk.vmdk", u_umlaut + euro + ".vmdk"});
  }
  // In other encodings a name is the bytes it is.
  watched_files files;
  files.put("\x83\x65.vmdk", content_bytes(0, 512));
  CHECK_FALSE(open_text(
      files, text_of({.extents = {"RW 1 FLAT \"\x83\x65.vmdk\" 0"}, .encoding = "Shift_JIS"})));
}

TEST_CASE("a sparse file and a stream open under any name, and open nothing else") {
  const sparse_image sparse = whole_sparse({.stored = {0, 9}});
  const stream_image stream = whole_stream({.stored = {0, 9}});
  watched_files files;
  files.put("renamed", sparse.file.bytes());
  files.put("stream", stream.file);
  CHECK((read_image(files, "renamed") == disk_of(sparse)));
  CHECK((read_image(files, "stream") == stream.disk()));
  CHECK(files.asked == names{"renamed", "stream"});
}

TEST_CASE("a single source is an image of one file") {
  const bytes file = whole_sparse({.stored = {3}}).file.bytes();
  memory_source source(file);
  image_memory<1, 1> memory;
  const auto image = open(source, memory);
  REQUIRE(image);
  CHECK(image->size() == 1024 * 512);
  CHECK(open(source, memory, strictness::strict).ok());
  cursor_room room(1, 1024, 0, 0);
  no_decoder none;
  auto cursor = image_cursor<single_file<memory_source>>::make(*image, room.spans(), none);
  REQUIRE(cursor);
  watched_files files;
  files.put("disk.vmdk", file);
  CHECK((read_all(*cursor, 7777) == read_image(files, "disk.vmdk")));

  const bytes text = bytes_of(text_of({.extents = {"RW 1 FLAT \"/etc/passwd\" 0"}}));
  const bytes plain = bytes_of(text_of({.extents = {"RW 1 FLAT \"passwd\" 0"}}));
  memory_source other(plain);
  CHECK(open(other, memory).error() ==
        failure{.code = errc::file_not_found, .from = origin::files});
}

TEST_CASE("too little memory is told, and memory that just suffices does") {
  watched_files files;
  files.put("disk.vmdk", text_of({.extents = {"RW 1 ZERO", "RW 2 ZERO", "RW 3 ZERO"}}));
  std::vector<extent> extents(3);
  std::vector<vmdk::link> links(1);
  bytes text(files.content(0).size());
  const auto open_with = [&](std::size_t e, std::size_t l, std::size_t t) {
    return vmdk::open(files, "disk.vmdk",
                      image_spans{std::span(extents).first(e), std::span(links).first(l),
                                  byte_span(text).first(t)});
  };
  CHECK(open_with(3, 1, text.size())->size() == 6 * 512);
  CHECK(open_with(2, 1, text.size()).error() == in_file(0, errc::extent_count_invalid, 0, 2));
  CHECK(open_with(0, 1, text.size()).error() == in_file(0, errc::extent_count_invalid, 0, 0));
  CHECK(open_with(3, 0, text.size()).error() == in_file(0, errc::chain_too_deep, 0, 0));
  const failure small = open_with(3, 1, text.size() - 1).error();
  CHECK(small.code == errc::workspace_too_small);
  CHECK(small.detail == text.size());

  files.put("disk.vmdk", whole_sparse({}).file.bytes());
  CHECK(open_with(3, 1, text.size()).error().detail == 20 * 512);
  CHECK(open_with(3, 1, text.size()).error().offset == 512);
  text.resize(20 * 512);
  CHECK(open_with(1, 1, text.size()).ok());
}

TEST_CASE("thousands of extents of one name or of none are opened in no time") {
  watched_files files;
  files.put("flat", content_bytes(0, 512));
  std::vector<std::string> lines(5000, "RW 1 ZERO");
  lines.emplace_back("RW 1 FLAT \"flat\" 0");
  files.put("disk.vmdk", text_of({.extents = lines}));
  std::vector<extent> extents(6000);
  std::vector<vmdk::link> links(1);
  bytes text(1 << 20);
  const auto image = vmdk::open(files, "disk.vmdk", image_spans{extents, links, text});
  REQUIRE(image);
  CHECK(image->size() == 5001 * 512);
  CHECK(files.asked.size() == 2);
}

TEST_CASE("each failing read while opening comes back with the file it was in") {
  watched_files files;
  const sparse_image sparse = sparse_piece({.capacity_sectors = 64});
  const stream_image stream = whole_stream({.capacity_sectors = 64, .stored = {0}});
  files.put("sparse", sparse.file.bytes());
  files.put("stream", stream.file);
  files.put("cowd", build_cowd(50, 1).file);
  files.put("se", build_sesparse(64).file);
  files.put("disk.vmdk",
            text_of({.extents = {"RW 64 SPARSE \"sparse\"", "RW 64 SPARSE \"stream\"",
                                 "RW 50 VMFSSPARSE \"cowd\"", "RW 64 SESPARSE \"se\""}}));
  std::uint64_t failures = 0;
  std::vector<bool> seen(5);
  for (std::uint64_t n = 1;; ++n) {
    files.reads = 0;
    files.failing_read = n;
    const failure why = opened_image<watched_files>(files, "disk.vmdk").error();
    if (!why) break;
    ++failures;
    CHECK(why.code == errc::read_failed);
    CHECK(why.from == origin::source);
    CHECK(why.detail == 5);
    REQUIRE(why.index < 5);
    seen[why.index] = true;
  }
  CHECK(failures >= 10);
  CHECK(failures < 30);  // "A few reads a file".
  CHECK(seen == std::vector<bool>(5, true));
}

TEST_CASE("opening takes the same few reads however large the disk is") {
  const auto reads_to_open = [](std::uint64_t capacity) {
    watched_files files;
    files.put("x", whole_sparse({.capacity_sectors = capacity, .stored = {0}}).file.bytes());
    opened_image<watched_files> opened(files, "x");
    REQUIRE(opened);
    return files.reads.load();
  };
  CHECK(reads_to_open(1024) == reads_to_open(1 << 22));
  CHECK(reads_to_open(1024) <= 3);
}

}  // namespace

}  // namespace open_test
