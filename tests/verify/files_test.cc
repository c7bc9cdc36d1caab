// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/verify/testing.hpp"
#include "vmdk/verify/open_checked.hpp"

namespace files_test {
namespace {

using namespace verify_testing;
using namespace testing_support;

/// A disk of two flat extents.
memory_files flat_disk(const std::string& lines) {
  memory_files files;
  files.put("a-f001.vmdk", bytes(20 * 512));
  files.put("b.vmdk", "not a descriptor");
  files.put("a.vmdk", descriptor_text("custom", lines));
  return files;
}

void expect(memory_files& files, std::string_view name, errc code, std::uint64_t offset = 0,
            std::string_view file_name = {}) {
  const outcome said = check_files(files, name);
  INFO(said.text());
  CHECK(!said.why);
  REQUIRE(said.has(code));
  CHECK(said.has_error());
  for (std::size_t i = 0; i < said.findings.size(); ++i) {
    if (said.findings[i].code != code) continue;
    CHECK(said.findings[i].offset == offset);
    CHECK(said.names[i] == file_name);
  }
  const auto file = files.open(name);
  CHECK(!read_disk(files, *file));
}

TEST_CASE("names that lead to no file of the disk are findings") {
  for (const auto& [name, code] : {std::pair<std::string, errc>{"c.vmdk", errc::file_not_found},
                                   {"json:x", errc::descriptor_extent_name_path},
                                   {"/etc/passwd", errc::descriptor_extent_name_path},
                                   {"../a-f001.vmdk", errc::descriptor_extent_name_path},
                                   {"C:\\x", errc::descriptor_extent_name_path},
                                   {"", errc::descriptor_extent_name_path},
                                   {"..", errc::descriptor_extent_name_path}}) {
    auto files = flat_disk("RW 5 FLAT \"a-f001.vmdk\" 0\nRW 5 FLAT \"" + name + "\" 0\n");
    const std::string text = descriptor_text("custom", "RW 5 FLAT \"a-f001.vmdk\" 0\n");
    const std::uint64_t line = text.find("RW 5") + 26;
    const bool is_missing = code == errc::file_not_found;
    files.opened = 0;
    INFO(name);
    expect(files, "a.vmdk", code, is_missing ? line : line + 11, is_missing ? name : "");
    // Names that are no plain names never reach the files.
    if (!is_missing) CHECK(files.opened <= 3);
  }
}

TEST_CASE("a descriptor that names itself is found") {
  auto files = flat_disk("RW 1 FLAT \"a.vmdk\" 0\n");
  expect(files, "a.vmdk", errc::extent_is_descriptor,
         descriptor_text("custom", "").find("description\n") + 12, "a.vmdk");
}

TEST_CASE("flat extents lie inside their file and apart from each other") {
  auto files = flat_disk("RW 15 FLAT \"a-f001.vmdk\" 6\n");
  expect(files, "a.vmdk", errc::extent_too_short, 20 * 512);
  files = flat_disk("RW 5 FLAT \"a-f001.vmdk\" 10\nRW 4 FLAT \"a-f001.vmdk\" 7\n");
  expect(files, "a.vmdk", errc::extent_overlap);
  files = flat_disk(
      "RW 12 FLAT \"a-f001.vmdk\" 0\nRW 1 FLAT \"a-f001.vmdk\" 1\nRW 1 FLAT \"a-f001.vmdk\" 11\n");
  expect(files, "a.vmdk", errc::extent_overlap);
  CHECK(check_files(files, "a.vmdk").summary.errors == 2);
}

TEST_CASE("an extent of another type than its line says is found") {
  for (const auto& [type, code] : {std::pair{"SPARSE", errc::magic_invalid},
                                   {"VMFSSPARSE", errc::cowd_magic_invalid},
                                   {"SESPARSE", errc::sesparse_magic_invalid}}) {
    auto files = flat_disk(std::string("RW 5 ") + type + " \"a-f001.vmdk\"\n");
    INFO(type);
    expect(files, "a.vmdk", code);
  }
}

TEST_CASE("many extents are sorted, not compared each with each") {
  std::string lines;
  for (int i = 0; i < 2000; ++i) {
    const int place = i * 7919 % 2000;
    lines += "RW 1 FLAT \"a-f001.vmdk\" " + std::to_string(place) + "\n";
  }
  auto files = flat_disk(lines);
  files.put("a-f001.vmdk", bytes(2000 * 512));
  CHECK(check_files(files, "a.vmdk").findings.empty());
  files.put("a.vmdk", descriptor_text("custom", lines + "RW 1 FLAT \"a-f001.vmdk\" 77\n"));
  const outcome said = check_files(files, "a.vmdk");
  INFO(said.text());
  REQUIRE(said.findings.size() == 1);
  CHECK(said.findings[0].code == errc::extent_overlap);
  CHECK(said.findings[0].entry == 8 + 2000);
}

TEST_CASE("a sparse extent must be as large as its line, and must not be there twice") {
  memory_files files;
  auto plan = usual_sparse_plan();
  plan.descriptor_sectors = 0;
  plan.descriptor.clear();
  files.put("a-s001.vmdk", build_sparse(plan).file.bytes());
  const auto disk = [&](const std::string& lines) {
    files.put("a.vmdk", descriptor_text("twoGbMaxExtentSparse", lines));
  };
  disk("RW 9500 SPARSE \"a-s001.vmdk\"\nRW 5 ZERO\n");
  expect(files, "a.vmdk", errc::extent_mismatch, 12);
  disk("RW 9600 SPARSE \"a-s001.vmdk\"\nRW 9600 SPARSE \"a-s001.vmdk\"\n");
  expect(files, "a.vmdk", errc::extent_overlap);
  // An only extent may have been rounded up by its writer.
  disk("RW 9599 SPARSE \"a-s001.vmdk\"\n");
  const outcome rounded = check_files(files, "a.vmdk");
  INFO(rounded.text());
  CHECK(rounded.findings.empty());
  disk("RW 9400 SPARSE \"a-s001.vmdk\"\n");
  CHECK(check_files(files, "a.vmdk").has(errc::extent_mismatch));
  // So may the last one, which is told.
  const auto judged = [&](const std::string& lines) {
    disk(lines);
    const outcome said = check_files(files, "a.vmdk");
    INFO(said.text());
    REQUIRE(said.findings.size() == 1);
    CHECK(said.findings[0].offset == 12);
    CHECK(said.findings[0].value == 9600);
    const auto file = files.open("a.vmdk");
    CHECK(read_disk(files, *file).has_value() == !said.has_error());
    return said.findings[0].code;
  };
  CHECK(judged("RW 5 ZERO\nRW 9599 SPARSE \"a-s001.vmdk\"\n") == errc::extent_rounded_up);
  CHECK(judged("RW 5 ZERO\nRW 9473 SPARSE \"a-s001.vmdk\"\n") == errc::extent_rounded_up);
  CHECK(judged("RW 5 ZERO\nRW 9472 SPARSE \"a-s001.vmdk\"\n") == errc::extent_mismatch);
  CHECK(judged("RW 5 ZERO\nRW 9601 SPARSE \"a-s001.vmdk\"\n") == errc::extent_mismatch);
  CHECK(judged("RW 9599 SPARSE \"a-s001.vmdk\"\nRW 5 ZERO\n") == errc::extent_mismatch);
  disk("RW 9600 SPARSE \"b.vmdk\"\n");
  files.put("b.vmdk", bytes(600));
  expect(files, "a.vmdk", errc::magic_invalid);
}

TEST_CASE("what a text file has behind its zero is judged") {
  const std::string line = "RW 5 FLAT \"a-f001.vmdk\" 0\n";
  const std::string text = descriptor_text("custom", line);
  auto files = flat_disk(line);
  const auto disk = [&](const std::string& rest) {
    files.put("a.vmdk", text + '\0' + rest + std::string(5000, '\0'));
    return check_files(files, "a.vmdk");
  };
  CHECK(disk("").findings.empty());
  const outcome rest = disk("\n");
  INFO(rest.text());
  REQUIRE(rest.findings.size() == 1);
  CHECK(rest.findings[0].code == errc::descriptor_padding_not_zero);
  CHECK(rest.findings[0].offset == text.size() + 1);
  disk("RW 1 FLAT \"b\" 0\n");
  expect(files, "a.vmdk", errc::descriptor_nul_inside, text.size() + 1);
}

TEST_CASE("raw devices are not opened") {
  auto files = flat_disk("RW 5 VMFSRDM \"a-f001.vmdk\"\n");
  expect(files, "a.vmdk", errc::extent_type_unsupported,
         descriptor_text("custom", "").find("description\n") + 12, "a-f001.vmdk");
}

std::string link_text(const std::string& parent_cid, const std::string& parent,
                      const std::string& cid, std::uint64_t sectors = 9600) {
  std::string header = "parentCID=" + parent_cid + "\n";
  if (!parent.empty()) header += "parentFileNameHint=\"" + parent + "\"\n";
  return descriptor_text("monolithicSparse",
                         "RW " + std::to_string(sectors) + " SPARSE \"x.vmdk\"\n", header, cid);
}

void put_link(memory_files& files, const std::string& name, const std::string& text,
              std::uint64_t sectors = 9600) {
  auto plan = usual_sparse_plan();
  plan.capacity_sectors = sectors;
  plan.stored = {3};
  plan.descriptor = text;
  files.put(name, build_sparse(plan).file.bytes());
}

TEST_CASE("chains are followed") {
  memory_files files;
  put_link(files, "base.vmdk", link_text("ffffffff", "", "11111111"));
  put_link(files, "one.vmdk", link_text("11111111", "C:\\disks\\base.vmdk", "22222222"));
  put_link(files, "two.vmdk", link_text("22222222", "one.vmdk", "33333333"));
  const outcome said = check_files(files, "two.vmdk");
  INFO(said.text());
  CHECK(said.findings.empty());
  CHECK(said.summary.files == 3);

  put_link(files, "one.vmdk", link_text("99999999", "base.vmdk", "22222222"));
  expect(files, "two.vmdk", errc::parent_modified);
  put_link(files, "one.vmdk", link_text("11111111", "gone.vmdk", "22222222"));
  expect(files, "two.vmdk", errc::parent_missing, 0, "gone.vmdk");
  put_link(files, "one.vmdk", link_text("33333333", "two.vmdk", "22222222"));
  expect(files, "two.vmdk", errc::chain_loop, 0, "two.vmdk");
  put_link(files, "one.vmdk", link_text("22222222", "one.vmdk", "22222222"));
  expect(files, "one.vmdk", errc::chain_loop, 0, "one.vmdk");
  put_link(files, "one.vmdk", link_text("ffffffff", "", "22222222", 16), 16);
  expect(files, "two.vmdk", errc::parent_capacity_differs);
  // What is wrong in a parent is found too.
  put_link(files, "one.vmdk", link_text("11111111", "base.vmdk", "22222222"));
  files.bytes("base.vmdk")[4] = std::byte{9};
  expect(files, "two.vmdk", errc::version_unsupported, 4);
}

TEST_CASE("a parent's name that is no plain name is not looked up") {
  memory_files files;
  const std::string long_name(512, 'x');
  for (const std::string& hint :
       {std::string(".."), std::string("folder/"), std::string("json:x"), long_name}) {
    put_link(files, "one.vmdk", link_text("11111111", hint, "22222222"));
    files.put(long_name, "a file of this name is there");
    files.opened = 0;
    expect(files, "one.vmdk", errc::name_not_allowed, 0, hint == "folder/" ? "" : hint);
    CHECK(files.opened == 2);  // The child, for the check and for the reader.
  }
}

TEST_CASE("what is checked before it is opened is refused with its place") {
  memory_files files;
  put_link(files, "base.vmdk", link_text("ffffffff", "", "11111111"));
  put_link(files, "one.vmdk", link_text("11111111", "base.vmdk", "22222222"));
  auto memory = std::make_unique<image_memory<>>();
  const image_spans spans{memory->extents, memory->links, memory->text};
  owned_memory<> checking(usual_room);
  auto opened = open_checked(files, "one.vmdk", spans, checking.spans());
  REQUIRE(opened.ok());
  CHECK(opened->links().size() == 2);
  CHECK(open_checked(files, "gone", spans, checking.spans()).error().code == errc::file_not_found);
  // Padding in the parent's header.
  files.bytes("base.vmdk")[511] = std::byte{1};
  opened = open_checked(files, "one.vmdk", spans, checking.spans());
  failure why = image_failure(errc::header_padding_not_zero, 79);
  CHECK(opened.error() == why);
  files.bytes("one.vmdk")[511] = std::byte{1};
  opened = open_checked(files, "one.vmdk", spans, checking.spans());
  why.index = 1;
  CHECK(opened.error() == why);
}

TEST_CASE("an image of one file is opened after its check, in the memory of two objects") {
  memory_files files;
  put_link(files, "base.vmdk", link_text("ffffffff", "", "11111111"));
  put_link(files, "one.vmdk", link_text("11111111", "base.vmdk", "22222222"));
  auto memory = std::make_unique<image_memory<>>();
  auto checking = std::make_unique<check_memory<>>();
  memory_source base(files.bytes("base.vmdk"));
  CHECK(open_checked(base, *memory, *checking).ok());
  memory_source child(files.bytes("one.vmdk"));
  CHECK(open_checked(child, *memory, *checking).error().code == errc::parent_missing);
  CHECK(open_checked(files, "one.vmdk", *memory, *checking).ok());
  files.bytes("base.vmdk")[511] = std::byte{1};
  CHECK(open_checked(base, *memory, *checking).error() ==
        image_failure(errc::header_padding_not_zero, 79));
}

TEST_CASE("a chain has an end") {
  memory_files files;
  for (int i = 0; i < 70; ++i) {
    put_link(files, std::to_string(i), link_text("11111111", std::to_string(i + 1), "11111111"));
  }
  expect(files, "0", errc::chain_too_deep, 0, "64");
  CHECK(check_files(files, "0").summary.files == check_most_links);
}

TEST_CASE("an extent of ESXi's alone has no descriptor") {
  bytes file(4096);
  copy_text(file.data(), "COWD");
  CHECK(check_bytes_of(file).has(errc::embedded_descriptor_missing));
}

TEST_CASE("errors of the files come back, with the number of the file") {
  memory_files files;
  put_link(files, "base.vmdk", link_text("ffffffff", "", "11111111"));
  put_link(files, "one.vmdk", link_text("11111111", "base.vmdk", "22222222"));
  const outcome good = check_files(files, "one.vmdk");
  REQUIRE(good.findings.empty());
  std::uint64_t failed = 0;
  for (std::uint64_t call = 1;; ++call) {
    files.read_fails_at = call;
    const outcome said = check_files(files, "one.vmdk");
    if (!said.why) break;
    ++failed;
    CHECK(said.why.code == errc::read_failed);
    CHECK(said.why.from == origin::source);
    CHECK(said.why.index <= 1);
    CHECK(said.why.detail == 0);
  }
  files.read_fails_at = 0;
  CHECK(failed > 15);
  CHECK(check_files(files, "gone").why.code == errc::file_not_found);
}

}  // namespace

}  // namespace files_test
