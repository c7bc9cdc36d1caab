// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/cowd_builder.hpp"
#include "tests/support/sesparse_builder.hpp"
#include "tests/verify/rule_testing.hpp"

namespace stops_test {
/// Images with many broken rules: a check of them may be stopped at any finding, and any of its
/// reads may fail.
namespace {

using namespace verify_testing;

/// Stops a check behind each finding and lets each of its reads fail. What was found up to there is
/// the same as always, and nothing is found behind it.
void expect_stops(const char* what, memory_files files, std::size_t room_bytes = usual_room) {
  INFO(what);
  const outcome all = check_files(files, "disk.vmdk", room_bytes);
  const std::string text = all.text();
  INFO(text);
  REQUIRE(!all.why);
  REQUIRE(!all.findings.empty());
  for (std::size_t last = 1; last <= all.findings.size(); ++last) {
    const outcome said = check_files(files, "disk.vmdk", room_bytes, last);
    const bool is_right = !said.why && said.summary.stopped && said.findings.size() == last &&
                          text.starts_with(said.text());
    INFO("stopped behind finding " << last);
    CHECK(is_right);
  }
  for (std::uint64_t call = 1;; ++call) {
    files.read_fails_at = call;
    outcome said = check_files(files, "disk.vmdk", room_bytes);
    if (!said.why) break;
    const bool is_read = said.why.code == errc::read_failed && said.why.from == origin::source;
    said.why = {};
    const bool is_right = is_read && text.starts_with(said.text());
    INFO("read " << call);
    CHECK(is_right);
  }
}

memory_files one_file(bytes file) {
  memory_files files;
  files.put("disk.vmdk", std::move(file));
  return files;
}

/// A directory of two sectors, which a window of one sector cannot keep.
sparse_image_plan wide_plan() {
  auto plan = usual_sparse_plan();
  plan.capacity_sectors = 130 * 512 * 16;
  plan.descriptor = sparse_text(plan.capacity_sectors);
  plan.empty_tables_missing = true;
  plan.stored = {0, 3, 2, 511, 512, 100, 129 * 512};
  return plan;
}

TEST_CASE("a check of a sparse file stops where it is told to") {
  auto plan = usual_sparse_plan();
  plan.descriptor = "no key\n" + sparse_text(600 * 16 + 8);
  const auto image = build_sparse(plan);
  bytes file = image.file.bytes();
  put(file, 512 + plan.descriptor.size() + 9, 'x', 1);                // Padding.
  put(file, 64, image.directory_at / 512 + 2, 8);                     // Overhead.
  put(file, image.directory_at + 4 * 3, 77, 4);                       // Behind the directory.
  put(file, image.redundant_directory_at, 0xFFFFFF, 4);               // A table past the end.
  put(file, image.table_entry_at(1), image.grain_at.at(0) / 512, 4);  // One grain twice.
  put(file, image.table_entry_at(4), image.grain_at.at(3) / 512 + 1,
      4);                                             // Unaligned, over another.
  put(file, image.table_entry_at(5), 0xFFFFFFF0, 4);  // Past the end.
  put(file, image.table_entry_at(6), 1, 4);           // Zeroed, in version 1.
  put(file, image.table_entry_at(599) + 4, 5, 4);     // Behind the table.
  expect_stops("sparse", one_file(file));
  expect_stops("sparse, little room", one_file(file), check_least_bytes);

  plan = usual_sparse_plan();
  plan.descriptor = stream_text(plan.capacity_sectors);
  expect_stops("a stream's descriptor", one_file(build_sparse(plan).file.bytes()));
  expect_stops("two sectors of directory", one_file(build_sparse(wide_plan()).file.bytes()),
               check_least_bytes);
}

TEST_CASE("tables that overlap a table named twice are told apart from it") {
  auto plan = wide_plan();
  plan.copies = table_copies::primary_only;
  const auto image = build_sparse(plan);
  bytes file = image.file.bytes();
  const std::uint64_t table = image.table_at.at(0) / 512;
  put(file, image.directory_at + 4 * 2, table, 4);
  put(file, image.directory_at + 4 * 3, table + 2, 4);
  // A table further behind, so that those before it are looked for among the repeated ones.
  put(file, image.directory_at + 4 * 128, image.table_at.at(129) / 512, 4);
  expect_stops("overlapping tables", one_file(file), check_least_bytes);
  const outcome said = check_bytes_of(file);
  INFO(said.text());
  REQUIRE(said.has(errc::directory_entry_duplicate));
  CHECK(said.find(errc::directory_entry_duplicate)->other_table == 0);
  // Grains of the table that is named twice are looked at once.
  CHECK(said.summary.tables == 4);
}

TEST_CASE("a check of a stream stops where it is told to") {
  for (const auto tables : {stream_tables::at_end, stream_tables::in_front}) {
    auto stream_plan = usual_stream_plan(tables);
    stream_plan.progress_markers = true;
    const stream_image good = build_stream(stream_plan);
    const std::uint64_t grain = good.marker_at.at(3);
    const std::uint64_t next_grain = good.marker_at.at(100);
    const std::uint64_t progress = next_grain - 512;
    const auto with = [&](const char* what, auto&& spoil) {
      stream_image image = good;
      spoil(image);
      expect_stops(what, one_file(image.file), check_least_bytes + 8192);
    };
    with("many rules", [&](stream_image& i) {
      i.put(next_grain + 12 + i.get(next_grain + 8, 4), 1, 1);  // Padding of a grain.
      i.put(progress + 40, 1, 1);                               // Padding of a marker.
      i.put(i.table_entry_at(2), 0, 4);                         // A grain that no table names.
      i.put(i.marker_at.at(511) + 300, 0x55, 1);                // Its checksum.
      i.put(i.marker_at.at(600), 16, 8);                        // Another grain's marker.
      i.put(i.table_entry_at(1099) + 8, 5, 4);                  // Behind the last table.
    });
    with("off the grain", [&](stream_image& i) { i.put(grain, 49, 8); });
    with("a huge grain", [&](stream_image& i) { i.put(grain + 8, 0x7FFFFFFF, 4); });
    with("an unknown marker", [&](stream_image& i) { i.put(progress + 12, 9, 4); });
    with("a progress marker past the end", [&](stream_image& i) { i.put(progress, 1 << 20, 8); });
    with("an unnamed table", [&](stream_image& i) { i.put(i.directory_entry_at(600), 0, 4); });
    with("a table past the end",
         [&](stream_image& i) { i.put(i.directory_entry_at(600), 0xFFFFFF, 4); });
    with("a cut end", [&](stream_image& i) { i.file.resize(i.file.size() - 512); });
    with("half an end", [&](stream_image& i) { i.file.resize(i.file.size() - 100); });
    with("a padded end", [&](stream_image& i) { i.file.resize(i.file.size() + 1000); });
    with("an end inside",
         [&](stream_image& i) { zero_bytes(byte_span(i.file).subspan(grain, 512)); });
    if (good.footer_at == 0) continue;
    with("no footer's magic", [&](stream_image& i) { i.put(i.footer_at, 0, 4); });
    with("a table's marker", [&](stream_image& i) { i.put(i.table_at.at(1) - 512, 5, 8); });
    with("another place of a table",
         [&](stream_image& i) { i.put(i.directory_entry_at(600), i.table_at.at(0) / 512, 4); });
    with("a directory's marker", [&](stream_image& i) { i.put(i.directory_at - 512, 5, 8); });
    with("another place of the directory",
         [&](stream_image& i) { i.put(i.footer_at + 56, i.table_at.at(1) / 512, 8); });
    with("a table more", [&](stream_image& i) {
      i.put(i.directory_at + 4 * 5, i.table_at.at(1) / 512, 4);
      i.put(i.footer_at - 1, 1, 1);
    });
  }
}

/// A disk of one extent of ESXi's.
memory_files with_line(const std::string& line, bytes file) {
  memory_files files;
  files.put("disk.vmdk", descriptor_text("custom", line));
  files.put("a.vmdk", std::move(file));
  return files;
}

TEST_CASE("a check of ESXi's extents stops where it is told to") {
  // Two sectors of directory, of which the windows hold one.
  bytes room(std::size_t{1} << 17);
  constexpr std::uint32_t cowd_sectors = 129 * 4096;
  support::cowd_builder cowd(room, cowd_sectors);
  const std::string cowd_line = "RW " + std::to_string(cowd_sectors) + " VMFSSPARSE \"a.vmdk\"\n";
  const auto cowd_file = [&] { return bytes(cowd.file().begin(), cowd.file().end()); };
  auto empty = with_line(cowd_line, cowd_file());
  CHECK(check_files(empty, "disk.vmdk").text() == "");
  for (const std::uint32_t grain : {0u, 1u, 4095u, 4096u}) cowd.store(grain, std::byte{7});
  bytes file = cowd_file();
  put(file, 28, 1, 4);                            // The first free sector.
  put(file, cowd.entry_at(2), 0xFFFFFFF0, 4);     // A grain past the end.
  put(file, cowd.entry_at(3), cowd.entry(1), 4);  // One grain twice.
  put(file, 2048 + 4 * 128, 1u << 30, 4);         // A table past the end.
  expect_stops("COWD alone", one_file(file), check_least_bytes);
  expect_stops("COWD", with_line(cowd_line, file), check_least_bytes + 512);
  expect_stops("COWD of another size", with_line("RW 8 VMFSSPARSE \"a.vmdk\"\n", file));
  expect_stops("cut COWD", with_line(cowd_line, bytes(file.begin(), file.begin() + 2047)));

  bytes se_room(std::size_t{1} << 18);
  constexpr std::uint64_t se_sectors = 65 * 4096 * 8;
  support::sesparse_builder se(se_room, se_sectors);
  const std::string se_line = "RW " + std::to_string(se_sectors) + " SESPARSE \"a.vmdk\"\n";
  const auto se_file = [&] { return bytes(se.file().begin(), se.file().end()); };
  empty = with_line(se_line, se_file());
  CHECK(check_files(empty, "disk.vmdk").text() == "");
  for (const std::uint64_t grain : {0u, 1u, 4095u, 4096u}) se.store(grain, std::byte{7});
  file = se_file();
  put(file, 48, 0x200, 8);                           // Reserved.
  put(file, se.entry_at(2), 77, 8);                  // No kind of entry.
  put(file, se.entry_at(3), se.stored_entry(1), 8);  // One grain twice.
  put(file, se.directory_entry_at(64), 5, 8);        // No kind of entry.
  expect_stops("seSparse alone", one_file(file), check_least_bytes);
  expect_stops("seSparse", with_line(se_line, file), check_least_bytes + 512);
  expect_stops("seSparse of another size", with_line("RW 8 SESPARSE \"a.vmdk\"\n", file));
  put(file, 512 + 24, 1, 8);  // The journal was not replayed.
  expect_stops("dirty seSparse", with_line(se_line, file));
  expect_stops("cut seSparse", with_line(se_line, bytes(file.begin(), file.begin() + 511)));
}

TEST_CASE("a check of a disk that nobody may read stops where it is told to") {
  auto plan = usual_sparse_plan();
  plan.descriptor = descriptor_text("monolithicSparse", "NOACCESS 9500 SPARSE \"disk.vmdk\"\n");
  expect_stops("no access", one_file(build_sparse(plan).file.bytes()));
}

TEST_CASE("a check of a disk of several files stops where it is told to") {
  memory_files files;
  files.put("a-f001.vmdk", bytes(20 * 512));
  auto plan = usual_sparse_plan();
  plan.descriptor_sectors = 0;
  plan.descriptor.clear();
  files.put("s.vmdk", build_sparse(plan).file.bytes());
  files.put("t.vmdk", build_sparse(plan).file.bytes());
  files.put("disk.vmdk", descriptor_text("custom",
                                         "RW 5 FLAT \"a-f001.vmdk\" 18\n"
                                         "RW 4 FLAT \"a-f001.vmdk\" 20\n"
                                         "RW 4 FLAT \"a-f001.vmdk\" 0\n"
                                         "RW 7 SPARSE \"s.vmdk\"\n"
                                         "RW 9 FLAT \"t.vmdk\" 0\n"
                                         "RW 9600 SPARSE \"t.vmdk\"\n"
                                         "RW 5 FLAT \"gone.vmdk\" 0\n"
                                         "RW 5 FLAT \"disk.vmdk\" 0\n"
                                         "RW 1 VMFSRDM \"s.vmdk\"\n"
                                         "NOACCESS 3 ZERO\n"
                                         "RW 5 FLAT \"s.vmdk\" 0\n"));
  expect_stops("several files", files);
  const outcome said = check_files(files, "disk.vmdk");
  CHECK(said.has(errc::extent_overlap));
  CHECK(said.find(errc::extent_mismatch)->level == error);
}

TEST_CASE("a check of a chain stops where it is told to") {
  const auto put_link = [](memory_files& files, const std::string& name, const std::string& header,
                           std::uint64_t sectors) {
    auto plan = usual_sparse_plan();
    plan.capacity_sectors = sectors;
    plan.stored = {3};
    plan.version = 1;
    plan.more_flags = 4;  // Which version 1 does not have.
    plan.descriptor = descriptor_text(
        "monolithicSparse", "RW " + std::to_string(sectors) + " SPARSE \"x.vmdk\"\n", header);
    files.put(name, build_sparse(plan).file.bytes());
  };
  memory_files files;
  put_link(files, "disk.vmdk", "parentCID=11111111\nparentFileNameHint=\"one.vmdk\"\n", 9600);
  put_link(files, "one.vmdk", "parentCID=12345678\nparentFileNameHint=\"two.vmdk\"\n", 960);
  put_link(files, "two.vmdk", "parentCID=12345678\nparentFileNameHint=\"disk.vmdk\"\n", 960);
  expect_stops("a loop", files);
  put_link(files, "two.vmdk", "parentCID=12345678\nparentFileNameHint=\"..\"\n", 960);
  expect_stops("a parent of no name", files);
  // A parent whose header is damaged has no capacity that could differ.
  put(files.bytes("one.vmdk"), 12, 0, 8);
  expect_stops("a damaged parent", files);
  CHECK(!check_files(files, "disk.vmdk").has(errc::parent_capacity_differs));
}

TEST_CASE("a stream whose directory has several sectors is read in pieces") {
  auto plan = usual_stream_plan();
  plan.capacity_sectors = 300 * 512 * 16;
  plan.descriptor = stream_text(plan.capacity_sectors);
  plan.stored = {0, 200 * 512};
  stream_image image = build_stream(plan);
  CHECK(check_bytes_of(image.file).text() == "");
  // A table that the stream does not have.
  image.put(image.directory_at + 4 * 299, image.table_at.at(0) / 512, 4);
  expect_stops("a table more", one_file(image.file), check_least_bytes + 8192);
  CHECK(check_bytes_of(image.file).has(errc::stream_tables_mismatch));
}

TEST_CASE("the walk over a stream without an overhead begins at its first grain") {
  stream_image image = build_stream(usual_stream_plan(stream_tables::in_front));
  image.put(64, 0, 8);
  CHECK(check_bytes_of(image.file).text() == "");
  image.put(image.table_entry_at(2), 0, 4);
  CHECK(check_bytes_of(image.file).has(errc::stream_tables_mismatch));
}

TEST_CASE("a grain that ends with its sector has no padding") {
  stream_image image = build_stream(usual_stream_plan());
  const std::uint64_t at = image.marker_at.at(100);
  image.put(at + 8, 17 * 512 - 12, 4);
  const outcome said = check_bytes_of(image.file);
  CHECK(said.has(errc::stream_input_left));
  CHECK(!said.has(errc::marker_padding_not_zero));
}

TEST_CASE("data that cannot hold its grain is known by its size") {
  auto plan = usual_stream_plan(stream_tables::in_front);
  plan.grain_sectors = 128;
  plan.capacity_sectors = 1100 * 128;
  plan.descriptor = stream_text(plan.capacity_sectors);
  stream_image image = build_stream(plan);
  const std::uint64_t at = image.marker_at.at(100);
  const auto short_at = [&](std::uint32_t data_bytes) {
    image.put(at + 8, data_bytes, 4);
    const outcome said = check_bytes_of(image.file);
    for (const finding& f : said.findings) {
      if (f.code == errc::stream_output_short) return f.offset - at;
    }
    return std::uint64_t{0};
  };
  CHECK(short_at(63) == 12 + 63);
  CHECK(short_at(64) == 0);
}

TEST_CASE("a last grain is expanded as far as memory and disk go") {
  auto plan = usual_stream_plan();
  plan.last_grain_short = true;
  plan.capacity_sectors = 1100 * 16 - 8;
  plan.descriptor = stream_text(plan.capacity_sectors);
  stream_image image = build_stream(plan);
  expect_stops("a short grain", one_file(image.file), check_least_bytes + 8192);
  // Without room for a grain.
  auto files = one_file(image.file);
  CHECK(check_files(files, "disk.vmdk", check_least_bytes).why ==
        options_failure(errc::workspace_too_small, 0, check_least_bytes + 8192));
  // Shorter than the disk has it.
  for (const std::uint64_t header : {std::uint64_t{0}, image.footer_at}) {
    image.put(header + 12, plan.capacity_sectors + 4, 8);
  }
  files = one_file(image.file);
  CHECK(check_files(files, "disk.vmdk").has(errc::stream_output_short));
  // A disk of less than a grain, and room for that alone.
  plan.capacity_sectors = 8;
  plan.descriptor = stream_text(plan.capacity_sectors);
  plan.stored = {0};
  expect_stops("a small disk", one_file(build_stream(plan).file), check_least_bytes + 8 * 512);
}

}  // namespace

}  // namespace stops_test
