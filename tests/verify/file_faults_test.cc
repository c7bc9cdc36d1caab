// SPDX-License-Identifier: BSD-2-Clause
// What a check says where files fail, and where the memory ends.
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/verify/rule_testing.hpp"
#include "vmdk/verify/named_extents.hpp"

namespace file_faults_test {
namespace {

using namespace verify_testing;

failure of_files(errc code) { return {.code = code, .from = origin::files}; }

constexpr bool names_without_files_are_known() {
  bool ok = true;
  for (const errc code : {errc::file_not_found, errc::name_not_allowed, errc::file_not_regular}) {
    ok = ok && vmdk::detail::is_about_name({.code = code, .from = origin::files});
  }
  return ok && !vmdk::detail::is_about_name({.code = errc::read_failed, .from = origin::files});
}
static_assert(names_without_files_are_known());

constexpr bool a_name_that_is_too_long_is_cut() {
  vmdk::detail::kept_name kept;
  char name[3 * extent_name_max_bytes + 1] = {};
  for (char& c : name) c = 'x';
  kept.set({name, sizeof name}, text_encoding::windows_1252);
  bool ok = kept.view() == std::string_view(name, sizeof name - 1);
  kept.set("\x80", text_encoding::windows_1252);
  return ok && kept.view() == "\xE2\x82\xAC";
}
static_assert(a_name_that_is_too_long_is_cut());

TEST_CASE("names are kept, and judged by why they lead to no file") {
  CHECK(names_without_files_are_known());
  CHECK(a_name_that_is_too_long_is_cut());
}

TEST_CASE("an extent or parent that may not be read is a finding, one that fails is not") {
  memory_files extents;
  extents.put("disk.vmdk", descriptor_text("custom", "RW 5 FLAT \"a\" 0\n"));
  memory_files chain;
  auto plan = usual_sparse_plan();
  plan.descriptor = descriptor_text("monolithicSparse", "RW 9600 SPARSE \"x\"\n",
                                    "parentCID=11111111\nparentFileNameHint=\"a\"\n");
  chain.put("disk.vmdk", build_sparse(plan).file.bytes());
  for (memory_files* const files : {&extents, &chain}) {
    files->closed = "a";
    for (const errc code : {errc::name_not_allowed, errc::file_not_regular}) {
      files->closed_why = of_files(code);
      const outcome said = check_files(*files, "disk.vmdk");
      CHECK(!said.why);
      CHECK(said.has(code));
      CHECK(said.names.back() == "a");
    }
    files->closed_why = of_files(errc::read_failed);
    const outcome said = check_files(*files, "disk.vmdk");
    CHECK(said.findings.empty());
    CHECK(said.why == of_files(errc::read_failed));
  }
}

TEST_CASE("a file that is no image is a finding, a read that fails is not, whatever its code") {
  memory_files files;
  files.put("disk.vmdk", bytes(1000));
  outcome said = check_files(files, "disk.vmdk");
  CHECK(!said.why);
  CHECK(said.has(errc::magic_invalid));
  CHECK(said.summary.files == 1);
  for (const errc code : {errc::magic_invalid, errc::read_failed}) {
    files.read_fails_at = 1;
    files.fails_with = code;
    said = check_files(files, "disk.vmdk");
    CHECK(said.findings.empty());
    CHECK(said.why == source_failure(code, 0));
  }
}

TEST_CASE("a descriptor leaves room for its extents, or it is told how much is wanted") {
  auto plan = usual_sparse_plan();
  plan.descriptor_sectors = 0;
  plan.descriptor.clear();
  memory_files files;
  files.put("a", build_sparse(plan).file.bytes());
  const std::string line = "RW 9600 SPARSE \"a\"\n";
  std::string text = descriptor_text("custom", line);
  files.put("disk.vmdk", text);
  std::size_t room = check_least_bytes;
  const auto expect_more = [&] {
    const outcome said = check_files(files, "disk.vmdk", room);
    INFO(said.text());
    REQUIRE(said.why.code == errc::workspace_too_small);
    CHECK(said.why.from == origin::options);
    CHECK(said.why.detail > room);
    room = said.why.detail;
  };
  expect_more();
  CHECK(check_files(files, "disk.vmdk", room).text() == "");
  CHECK(check_files(files, "disk.vmdk", room - 1).why.detail == room);
  // Room for the text, but not for the list of its extents.
  while (text.size() + 4 < check_least_bytes) text += "# x\n";
  while (text.size() < check_least_bytes) text += "\n";
  files.put("disk.vmdk", text);
  room = check_least_bytes + 1;
  expect_more();
  expect_more();
  CHECK(check_files(files, "disk.vmdk", room).text() == "");
}

TEST_CASE("a source alone is checked without its parent, a Files object of it with") {
  auto plan = usual_sparse_plan();
  plan.descriptor = descriptor_text("monolithicSparse", "RW 9600 SPARSE \"x\"\n",
                                    "parentCID=11111111\nparentFileNameHint=\"a\"\n");
  const bytes child = build_sparse(plan).file.bytes();
  const bytes base = build_sparse(usual_sparse_plan()).file.bytes();
  for (const bool has_parent : {true, false}) {
    memory_source source(has_parent ? child : base);
    single_file<memory_source> files(source);
    owned_memory<> memory(usual_room);
    outcome alone;
    outcome with_files;
    REQUIRE(check(source, memory.spans(), collect(alone)).ok());
    REQUIRE(check(files, file_id{}, memory.spans(), collect(with_files)).ok());
    CHECK(alone.findings.empty());
    CHECK(with_files.has(errc::parent_missing) == has_parent);
  }
}

/// Inflates data that it has as a whole.
struct whole_decoder {
  static constexpr bool needs_contiguous_input = true;

  template <class Supply>
  failure decode(Supply& supply, byte_span out) noexcept {
    const auto data = supply.next();
    if (!data) return data.error();
    single_supply whole(*data);
    return inner.decode(whole, out);
  }

  inflate inner{};
};

TEST_CASE(
    "a decoder that wants a grain's data as a whole has room for it, or it is told how much") {
  const stream_image image = build_stream(usual_stream_plan());
  const auto check_in = [&](std::size_t room) {
    memory_source source(image.file);
    owned_memory<whole_decoder> memory(room);
    return check(source, memory.spans(), [](const finding&) {});
  };
  const std::size_t wanted = check_least_bytes + 3 * 8192 + 512;
  const failure why = options_failure(errc::workspace_too_small, 0, wanted);
  for (const std::size_t too_few : {check_least_bytes, check_least_bytes + 8192}) {
    CHECK(check_in(too_few).error() == why);
  }
  REQUIRE(check_in(wanted).ok());
  CHECK(check_in(wanted)->expanded_grains == 7);
}

TEST_CASE("a stream that is too short for a footer is a stream without one") {
  stream_image_plan plan;
  plan.capacity_sectors = 16;
  plan.tables = stream_tables::in_front;
  stream_image image = build_stream(plan);
  // The header, and a directory without tables.
  image.put(28, 0, 8);
  image.put(36, 0, 8);
  image.put(56, 1, 8);
  image.put(64, 2, 8);
  bytes file(image.file.begin(), image.file.begin() + 512);
  file.resize(1024);
  const outcome said = check_bytes_of(file);
  INFO(said.text());
  CHECK(!said.why);
  CHECK(said.findings.size() == 2);
  CHECK(said.has(errc::embedded_descriptor_missing));
  CHECK(said.has(errc::stream_end_missing));
}

}  // namespace

}  // namespace file_faults_test
