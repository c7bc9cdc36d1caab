// SPDX-License-Identifier: BSD-2-Clause
// What is refused of the files that make a disk, and which of them are never asked for.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/reader/testing.hpp"
#include "vmdk/reader/open.hpp"

namespace open_refusals_test {
namespace {

using namespace reader_testing;
using names = std::vector<std::string>;

TEST_CASE("names that are no plain names are never asked for") {
  for (const std::string name :
       {"/etc/passwd", "../x", "a/b", "..", ".", "", "/dev/zero", "\\\\.\\PhysicalDrive0", "C:x",
        "json:{}", "nbd:host", "file:///x", "a\\b", "x:stream"}) {
    for (const std::string type : {"FLAT", "SPARSE", "VMFS", "VMFSSPARSE", "SESPARSE", "VMFSRDM"}) {
      watched_files files;
      files.put(name, content_bytes(0, 1 << 16));
      const failure why =
          open_lines(files, {"RW 1 " + type + " \"" + name + "\"" + (type == "FLAT" ? " 0" : "")});
      INFO(type << " " << name);
      CHECK(why.code == errc::descriptor_extent_name_path);
      CHECK(why.index == 1);
      CHECK(files.asked == names{"disk.vmdk"});
    }
  }
  // A name that is too long, and one with a control character.
  watched_files files;
  CHECK(open_lines(files, {"RW 1 FLAT \"" + std::string(512, 'x') + "\" 0"}).code ==
        errc::descriptor_extent_name_path);
  CHECK(open_lines(files, {"RW 1 FLAT \"a\x01\" 0"}).code == errc::descriptor_control_character);
  CHECK(files.asked == names{"disk.vmdk"});
}

TEST_CASE("nothing in an embedded descriptor is opened") {
  for (const std::string name : {"/etc/passwd", "../x", "json:{}", ""}) {
    watched_files files;
    sparse_image_plan plan{.stored = {2}};
    plan.descriptor =
        text_of({.type = "monolithicSparse", .extents = {"RW 1024 SPARSE \"" + name + "\""}});
    files.put("x", build_sparse(plan).file.bytes());
    CHECK_FALSE(opened_image<watched_files>(files, "x").error());
    CHECK(opened_image<watched_files>(files, "x", strictness::strict).error().code ==
          errc::descriptor_extent_name_unusual);
    CHECK(files.asked == names{"x", "x"});
  }
  // A descriptor inside that speaks of flat files.
  watched_files files;
  sparse_image_plan plan{.stored = {2}};
  plan.descriptor = text_of({.type = "monolithicFlat", .extents = {"RW 1024 FLAT \"passwd\" 0"}});
  files.put("x", build_sparse(plan).file.bytes());
  const auto line = plan.descriptor.find("RW");
  CHECK(opened_image<watched_files>(files, "x").error() ==
        in_file(0, errc::descriptor_embedded_extents, 512 + line));
  CHECK(files.asked == names{"x"});
}

TEST_CASE("a stream without its right end is refused") {
  const stream_image whole = whole_stream({.capacity_sectors = 64, .stored = {0, 2}});
  const std::uint64_t marker_at = whole.footer_at - 512;
  const auto why = [](const stream_image& image) {
    watched_files files;
    files.put("x", image.file);
    return opened_image<watched_files>(files, "x").error();
  };
  CHECK(why(whole) == no_failure);
  stream_image image = whole;
  image.put(marker_at + 12, 4, 4);
  CHECK(why(image) == in_file(0, errc::footer_missing, 56));
  image = whole;
  image.put(marker_at, 2, 8);
  CHECK(why(image) == in_file(0, errc::footer_marker_invalid, marker_at));
  image = whole;
  image.put(whole.footer_at + 1023, 1, 1);
  CHECK(why(image) == in_file(0, errc::end_of_stream_invalid, whole.footer_at + 512));
}

TEST_CASE("extents that do not fit together are refused") {
  watched_files files;
  files.put("zeroth", content_bytes(0, 512));
  files.put("flat", content_bytes(0, 100 * 512));
  files.put("sparse", sparse_piece({.capacity_sectors = 64}).file.bytes());
  files.put("cowd", build_cowd(50, 1).file);
  files.put("se", build_sesparse(64).file);
  files.put("disk.vmdk", "");
  constexpr std::uint16_t flat = 1, sparse = 2, cowd = 3, se = 4, text = 5;
  const struct {
    names lines;
    failure why;
  } cases[] = {
      // Flat ranges of one file that share a sector; each a neighbour of a good one.
      {{"RW 10 FLAT \"flat\" 0", "RW 10 FLAT \"flat\" 10"}, {}},
      {{"RW 10 FLAT \"flat\" 10", "RW 10 FLAT \"flat\" 0"}, {}},
      {{"RW 10 FLAT \"flat\" 0", "RW 10 FLAT \"flat\" 9"}, in_file(flat, errc::extent_overlap)},
      {{"RW 10 FLAT \"flat\" 9", "RW 10 FLAT \"flat\" 0"}, in_file(flat, errc::extent_overlap)},
      {{"RW 10 FLAT \"flat\" 0", "RW 1 ZERO", "RW 1 FLAT \"flat\" 5"},
       in_file(flat, errc::extent_overlap)},
      {{"RW 10 FLAT \"flat\" 0", "RW 64 SPARSE \"sparse\"", "RW 1 FLAT \"flat\" 5"},
       in_file(flat, errc::extent_overlap)},
      {{"RW 64 SPARSE \"sparse\"", "RW 10 FLAT \"flat\" 0", "RW 64 SPARSE \"sparse\""},
       in_file(sparse, errc::extent_overlap)},
      {{"RW 64 SPARSE \"sparse\"", "RW 1 FLAT \"sparse\" 0"},
       in_file(sparse, errc::extent_overlap)},
      {{"RW 1 FLAT \"sparse\" 0", "RW 64 SPARSE \"sparse\""},
       in_file(sparse, errc::extent_overlap)},
      {{"RW 50 VMFSSPARSE \"cowd\"", "RW 50 SPARSE \"cowd\""}, in_file(cowd, errc::extent_overlap)},
      // Sizes.
      {{"RW 100 FLAT \"flat\" 0"}, {}},
      {{"RW 101 FLAT \"flat\" 0"}, in_file(flat, errc::extent_too_short, 51200)},
      {{"RW 100 FLAT \"flat\" 1"}, in_file(flat, errc::extent_too_short, 51200)},
      {{"RW 1 FLAT \"flat\" 18014398509481984"}, in_file(flat, errc::extent_too_short, 51200)},
      {{"RW 64 SPARSE \"sparse\"", "RW 1 ZERO"}, {}},
      {{"RW 63 SPARSE \"sparse\"", "RW 1 ZERO"}, in_file(sparse, errc::extent_mismatch, 12, 63)},
      {{"RW 65 SPARSE \"sparse\"", "RW 1 ZERO"}, in_file(sparse, errc::extent_mismatch, 12, 65)},
      {{"RW 1 ZERO", "RW 65 SPARSE \"sparse\""}, in_file(sparse, errc::extent_mismatch, 12, 65)},
      {{"RW 1 ZERO", "RW 5000000000 SPARSE \"sparse\""},
       in_file(sparse, errc::extent_mismatch, 12, 0xFFFFFFFF)},
      {{"RW 1 ZERO", "RW 49 VMFSSPARSE \"cowd\""}, in_file(cowd, errc::extent_mismatch, 12, 49)},
      {{"RW 1 ZERO", "RW 65 SESPARSE \"se\""}, in_file(se, errc::extent_mismatch, 16, 65)},
      // Types.
      {{"RW 64 SPARSE \"flat\""}, in_file(flat, errc::magic_invalid)},
      {{"RW 50 SESPARSE \"cowd\""}, in_file(cowd, errc::sesparse_magic_invalid)},
      {{"RW 64 VMFSSPARSE \"se\""}, in_file(se, errc::header_truncated)},
      {{"RW 64 VMFSSPARSE \"flat\""}, in_file(flat, errc::cowd_magic_invalid)},
      {{"RW 64 VMFSRDM \"flat\""}, in_file(text, errc::extent_type_unsupported)},
      {{"RW 64 VMFSRAW \"flat\""}, in_file(text, errc::extent_type_unsupported)},
      // The descriptor itself.
      {{"RW 1 FLAT \"disk.vmdk\" 0"}, in_file(text, errc::extent_is_descriptor)},
      {{"RW 1 ZERO", "RW 1 SPARSE \"disk.vmdk\""}, in_file(text, errc::extent_is_descriptor)},
  };
  for (const auto& c : cases) {
    std::string lines;
    for (const auto& line : c.lines) lines += line + "; ";
    INFO(lines);
    // The file of the smaller seSparse image has no COWD header's length.
    files.content(se).resize(c.why.code == errc::header_truncated ? 2047
                                                                  : files.content(se).size());
    const failure why = open_lines(files, c.lines);
    CHECK(static_cast<int>(why.code) == static_cast<int>(c.why.code));
    CHECK(why.index == c.why.index);
    CHECK(why.offset == c.why.offset);
    CHECK(why == c.why);
    files.content(se) = build_sesparse(64).file;
  }
}

TEST_CASE("of an only sparse extent the header says how large the disk is") {
  watched_files files;
  const sparse_image sparse = sparse_piece({.capacity_sectors = 128, .stored = {7}});
  files.put("sparse", sparse.file.bytes());
  CHECK_FALSE(open_lines(files, {"RW 100 SPARSE \"sparse\""}));
  CHECK((read_image(files, "disk.vmdk") == disk_of(sparse)));
}

TEST_CASE("the last extent's header may be rounded up, to 64 KiB or to the grain") {
  const struct {
    std::uint64_t capacity, grain, line;
    bool is_read;
  } cases[] = {{640, 128, 640, true},  {640, 128, 580, true},  {640, 8, 580, true},
               {640, 128, 513, true},  {640, 8, 513, true},    {640, 128, 512, false},
               {640, 8, 512, false},   {640, 128, 641, false}, {1024, 256, 769, true},
               {1024, 256, 768, false}};
  for (const auto& c : cases) {
    INFO(c.capacity << " in grains of " << c.grain << ", line " << c.line);
    watched_files files;
    const sparse_image sparse = sparse_piece({.capacity_sectors = c.capacity,
                                              .grain_sectors = c.grain,
                                              .stored = {c.capacity / c.grain - 1}});
    files.put("sparse", sparse.file.bytes());
    const std::string line = "RW " + std::to_string(c.line) + " SPARSE \"sparse\"";
    for (const auto mode : {strictness::tolerant, strictness::strict}) {
      const failure why = open_lines(files, {"RW 1 ZERO", line}, mode);
      const auto said = static_cast<std::uint32_t>(c.line);
      CHECK(why == (c.is_read ? no_failure : in_file(0, errc::extent_mismatch, 12, said)));
    }
    if (!c.is_read) continue;
    // What the header adds is no part of the disk, though it may be stored.
    bytes disk(512);
    const bytes whole = disk_of(sparse);
    disk.insert(disk.end(), whole.begin(), whole.begin() + static_cast<long>(c.line * 512));
    CHECK((read_image(files, "disk.vmdk") == disk));
    // Behind another extent, it would move what follows.
    if (c.line != c.capacity) {
      CHECK(open_lines(files, {line, "RW 1 ZERO"}).code == errc::extent_mismatch);
    }
  }
  // ESXi's extents are never rounded.
  watched_files files;
  files.put("se", build_sesparse(64).file);
  CHECK(open_lines(files, {"RW 1 ZERO", "RW 63 SESPARSE \"se\""}).code == errc::extent_mismatch);
}

TEST_CASE("what is missing is named") {
  watched_files files;
  files.put("a", content_bytes(0, 512));
  CHECK(opened_image<watched_files>(files, "nothing").error() ==
        failure{.code = errc::file_not_found, .from = origin::files, .detail = 2});
  CHECK(open_lines(files, {"RW 1 FLAT \"a\" 0", "RW 1 FLAT \"b\" 0"}) ==
        failure{.code = errc::file_not_found, .from = origin::files, .index = 1, .detail = 2});
  CHECK(files.asked == names{"disk.vmdk", "a", "b"});
}

TEST_CASE("files that are no image are refused") {
  const auto why_not = [](bytes content) {
    watched_files files;
    files.put("other", "");
    files.put("x", std::move(content));
    return opened_image<watched_files>(files, "x").error();
  };
  CHECK(why_not({}) == in_file(1, errc::magic_invalid));
  CHECK(why_not(bytes(4096)) == in_file(1, errc::magic_invalid));
  CHECK(why_not(bytes_of("\x7F"
                         "ELF\x02")) == in_file(1, errc::magic_invalid));
  CHECK(why_not(bytes_of("KDM")).code == errc::descriptor_line_invalid);
  CHECK(why_not(bytes_of("KDMV")) == in_file(1, errc::header_truncated));
  CHECK(why_not(bytes_of("kdmv" + std::string(600, ' '))) == in_file(1, errc::magic_unfinished));
  CHECK(why_not(bytes_of("COWD")) == in_file(1, errc::embedded_descriptor_missing));
  CHECK(why_not(build_cowd(50, 1).file) == in_file(1, errc::embedded_descriptor_missing));
  CHECK(why_not(build_sesparse(50).file) == in_file(1, errc::embedded_descriptor_missing));
  CHECK(why_not(sparse_piece({}).file.bytes()) == in_file(1, errc::embedded_descriptor_missing));
  CHECK(why_not(bytes(std::size_t{1} << 20 | 1, std::byte{'#'})) ==
        in_file(1, errc::magic_invalid));
  CHECK(why_not(bytes(100, std::byte{0x20})).code == errc::descriptor_empty);
  bytes cut = whole_sparse({}).file.bytes();
  cut.resize(2048);
  CHECK(why_not(cut).index == 1);
  CHECK(why_not(cut).from == origin::image);
}

TEST_CASE("offsets of a descriptor's faults are those in its file") {
  watched_files files;
  sparse_image_plan plan{};
  descriptor_plan says{.type = "monolithicSparse", .extents = {"RW 1024 SPARSE \"x\""}};
  says.cid = "nonsense";
  plan.descriptor = text_of(says);
  files.put("a", "");
  files.put("x", build_sparse(plan).file.bytes());
  CHECK(opened_image<watched_files>(files, "x").error() ==
        in_file(1, errc::descriptor_cid_invalid, 512 + plan.descriptor.find("nonsense")));
}

}  // namespace

}  // namespace open_refusals_test
