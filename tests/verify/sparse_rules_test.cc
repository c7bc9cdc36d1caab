// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>

#include "tests/verify/rule_testing.hpp"

namespace sparse_rules_test {
namespace {

using namespace verify_testing;

const row<sparse_image> sparse_rows[] = {
    {"shorter than a header", errc::header_truncated, error, refused, refused,
     [](bytes& f, const sparse_image&) { return f.resize(511), 0u; }},
    {"other magic", errc::magic_invalid, error, refused, refused,
     field<sparse_image>(0, 0x564D444C, 4)},
    {"unfinished", errc::magic_unfinished, error, refused, refused,
     field<sparse_image>(0, 0x766D646B, 4)},
    {"version 0", errc::version_unsupported, error, refused, refused, field<sparse_image>(4, 0, 4)},
    {"version 4", errc::version_unsupported, error, refused, refused, field<sparse_image>(4, 4, 4)},
    {"version 1 with zeroed grains", errc::zeroed_grains_need_version_2, warning, accepted, refused,
     field<sparse_image>(8, 7, 4)},
    {"an unknown flag", errc::flags_unknown, error, refused, refused,
     field<sparse_image>(8, 0x40003, 4)},
    {"the highest flag", errc::flags_unknown, error, refused, refused,
     field<sparse_image>(8, 0x80000003, 4)},
    {"markers alone", errc::markers_without_compression, error, refused, refused,
     field<sparse_image>(8, 0x20003, 4)},
    {"compression alone", errc::compression_without_markers, error, refused, refused,
     field<sparse_image>(8, 0x10003, 4)},
    {"an algorithm alone", errc::compression_algorithm_invalid, error, refused, refused,
     field<sparse_image>(77, 1, 2)},
    {"text mode", errc::newline_bytes_damaged, error, refused, refused,
     field<sparse_image>(73, 0x0D, 1)},
    {"no capacity", errc::capacity_zero, error, refused, refused, field<sparse_image>(12, 0, 8)},
    {"too much capacity", errc::capacity_too_large, error, refused, refused,
     field<sparse_image>(12, (std::uint64_t{1} << 54) + 1, 8)},
    {"a directory of 128 MiB", errc::directory_offset_invalid, error, refused, refused,
     [](bytes& f, const sparse_image&) {
       put(f, 12, std::uint64_t{1} << 38, 8);
       return 56u;
     }},
    {"a directory of 128 MiB and an entry", errc::capacity_too_large, error, refused, refused,
     field<sparse_image>(12, (std::uint64_t{1} << 38) + 16, 8)},
    {"capacity against the descriptor", errc::descriptor_capacity_mismatch, error, accepted,
     accepted,
     [](bytes& f, const sparse_image&) {
       put(f, 12, 9584, 8);
       return 512u;
     }},
    {"no grain", errc::grain_size_invalid, error, refused, refused, field<sparse_image>(20, 0, 8)},
    {"a grain of 24", errc::grain_size_invalid, error, refused, refused,
     field<sparse_image>(20, 24, 8)},
    {"a huge grain", errc::grain_size_too_large, error, refused, refused,
     field<sparse_image>(20, 1u << 22, 8)},
    {"a grain of 2^63", errc::grain_size_too_large, error, refused, refused,
     field<sparse_image>(20, std::uint64_t{1} << 63, 8)},
    {"511 entries", errc::entries_per_table_invalid, error, refused, refused,
     field<sparse_image>(44, 511, 4)},
    {"directory at 0", errc::directory_offset_invalid, error, refused, refused,
     field<sparse_image>(56, 0, 8)},
    {"directory past the end", errc::directory_offset_invalid, error, refused, refused,
     field<sparse_image>(56, 1000000, 8)},
    {"directory at the end", errc::footer_missing, error, refused, refused,
     field<sparse_image>(56, ~std::uint64_t{0}, 8)},
    {"directory in the descriptor", errc::directory_overlap, error, refused, refused,
     field<sparse_image>(56, 20, 8)},
    {"redundant directory at 0", errc::redundant_offset_invalid, error, refused, refused,
     field<sparse_image>(48, 0, 8)},
    {"redundant directory past the end", errc::redundant_offset_invalid, error, refused, refused,
     field<sparse_image>(48, std::uint64_t{1} << 60, 8)},
    {"redundant directory in the descriptor", errc::redundant_overlap, error, refused, refused,
     field<sparse_image>(48, 1, 8)},
    {"one directory", errc::redundant_shared, warning, accepted, refused,
     [](bytes& f, const sparse_image& i) {
       put(f, 48, i.directory_at / 512, 8);
       return 48u;
     }},
    {"descriptor past the end", errc::descriptor_offset_invalid, error, refused, refused,
     field<sparse_image>(28, 1000000, 8)},
    {"descriptor of nothing", errc::descriptor_size_invalid, error, refused, refused,
     field<sparse_image>(36, 0, 8)},
    {"a huge descriptor", errc::descriptor_size_invalid, error, refused, refused,
     field<sparse_image>(36, 2049, 8)},
    {"no descriptor", errc::embedded_descriptor_missing, error, refused, refused,
     field<sparse_image>(28, 0, 8)},
    {"overhead past the end", errc::overhead_outside_file, error, refused, refused,
     field<sparse_image>(64, 1000000, 8)},
    {"overhead before the directory's end", errc::overhead_too_small, warning, accepted, refused,
     field<sparse_image>(64, 22, 8)},
    {"overhead before the tables' end", errc::overhead_too_small, warning, accepted, accepted,
     [](bytes& f, const sparse_image& i) {
       put(f, 64, i.directory_at / 512 + 2, 8);
       return 64u;
     }},
    {"not closed", errc::unclean_shutdown, severity::unclean, accepted, refused,
     field<sparse_image>(72, 1, 1)},
    {"padding in use", errc::header_padding_not_zero, warning, accepted, refused,
     [](bytes& f, const sparse_image&) {
       put(f, 511, 1, 1);
       return 79u;
     }},
    // Directories and tables.
    {"table past the end", errc::directory_entry_invalid, error, unreadable, unreadable,
     [](bytes& f, const sparse_image& i) {
       put(f, i.directory_at, f.size() / 512 - 3, 4);
       return i.directory_at;
     }},
    {"table in the descriptor", errc::directory_entry_invalid, error, unreadable, unreadable,
     [](bytes& f, const sparse_image& i) {
       put(f, i.directory_at + 4, 17, 4);
       return i.directory_at + 4;
     }},
    {"redundant table past the end", errc::directory_entry_invalid, error, accepted, accepted,
     [](bytes& f, const sparse_image& i) {
       put(f, i.redundant_directory_at, 0xFFFFFFFF, 4);
       return i.redundant_directory_at;
     }},
    {"table missing in one copy", errc::directories_differ, error, accepted, accepted,
     [](bytes& f, const sparse_image& i) {
       put(f, i.directory_at, 0, 4);
       return i.directory_at;
     }},
    {"table missing in the other copy", errc::directories_differ, error, accepted, accepted,
     [](bytes& f, const sparse_image& i) {
       put(f, i.redundant_directory_at + 4, 0, 4);
       return i.directory_at + 4;
     }},
    {"table missing in both copies", errc::directory_entry_zero, error, accepted, accepted,
     [](bytes& f, const sparse_image& i) {
       put(f, i.directory_at, 0, 4);
       put(f, i.redundant_directory_at, 0, 4);
       return i.directory_at;
     }},
    {"one table twice", errc::directory_entry_duplicate, error, accepted, accepted,
     [](bytes& f, const sparse_image& i) {
       put(f, i.directory_at + 4, i.table_at.at(0) / 512, 4);
       return i.directory_at + 4;
     }},
    {"a table of both copies", errc::directory_entry_duplicate, error, accepted, accepted,
     [](bytes& f, const sparse_image& i) {
       put(f, i.redundant_directory_at, i.table_at.at(0) / 512, 4);
       return i.redundant_directory_at;
     }},
    {"tables that overlap", errc::table_overlap, error, accepted, accepted,
     [](bytes& f, const sparse_image& i) {
       // Entries of the first table's tail, which is zero, are the second one's first.
       put(f, i.directory_at + 4, i.table_at.at(0) / 512 + 1, 4);
       return i.directory_at + 4;
     }},
    {"a grain in a table", errc::table_overlap, error, accepted, accepted,
     [](bytes& f, const sparse_image& i) {
       put(f, i.directory_at + 4, i.grain_at.at(100) / 512 + 4, 4);
       for (std::uint64_t n = 0; n < 512; ++n) put(f, i.grain_at.at(100) + 2048 + 4 * n, 0, 4);
       return i.table_entry_at(100);
     }},
    {"a directory entry behind the last", errc::directory_tail_not_zero, warning, accepted,
     accepted,
     [](bytes& f, const sparse_image& i) {
       put(f, i.directory_at + 8, 3, 4);
       return i.directory_at + 8;
     }},
    {"grain in the metadata", errc::grain_below_overhead, error, unreadable, unreadable,
     [](bytes& f, const sparse_image& i) {
       put(f, i.table_entry_at(3), 32, 4);
       return i.table_entry_at(3);
     }},
    {"grain past the end", errc::grain_past_end, error, unreadable, unreadable,
     [](bytes& f, const sparse_image& i) {
       put(f, i.table_entry_at(3), f.size() / 512 - 15, 4);
       return i.table_entry_at(3);
     }},
    {"grain far past the end", errc::grain_past_end, error, unreadable, unreadable,
     [](bytes& f, const sparse_image& i) {
       put(f, i.table_entry_at(599), 0xFFFFFFFF, 4);
       return i.table_entry_at(599);
     }},
    {"zeroed without the flag", errc::grain_zeroed_not_allowed, error, unreadable, unreadable,
     [](bytes& f, const sparse_image& i) {
       put(f, i.table_entry_at(511), 1, 4);
       return i.table_entry_at(511);
     }},
    {"one grain twice", errc::grain_duplicate, error, accepted, accepted,
     [](bytes& f, const sparse_image& i) {
       put(f, i.table_entry_at(512), i.grain_at.at(3) / 512, 4);
       return i.table_entry_at(512);
     }},
    {"grains that overlap", errc::grain_overlap, error, accepted, accepted,
     [](bytes& f, const sparse_image& i) {
       put(f, i.table_entry_at(4), i.grain_at.at(3) / 512 + 15, 4);
       return i.table_entry_at(4);
     }},
    {"grain off its boundary", errc::grain_unaligned, warning, accepted, accepted,
     [](bytes& f, const sparse_image& i) {
       f.resize(f.size() + 512 * 17);
       put(f, i.table_entry_at(5), f.size() / 512 - 16, 4);
       put(f, i.redundant_table_at.at(0) + 20, f.size() / 512 - 16, 4);
       return i.table_entry_at(5);
     }},
    {"entry behind the last grain", errc::table_tail_not_zero, warning, accepted, accepted,
     [](bytes& f, const sparse_image& i) {
       put(f, i.table_at.at(1) + 88 * 4, 500, 4);
       put(f, i.redundant_table_at.at(1) + 88 * 4, 500, 4);
       return i.table_at.at(1) + 88 * 4;
     }},
    {"copies that differ", errc::tables_differ, error, accepted, accepted,
     [](bytes& f, const sparse_image& i) {
       put(f, i.redundant_table_at.at(1), 0, 4);
       return i.table_entry_at(512);
     }},
    {"copies that differ in the tail", errc::tables_differ, error, accepted, accepted,
     [](bytes& f, const sparse_image& i) {
       put(f, i.redundant_table_at.at(1) + 2044, 1, 4);
       return i.table_at.at(1) + 2044;
     }},
};

TEST_CASE("each rule of sparse headers and tables is found where it is broken") {
  const auto image = build_sparse(usual_sparse_plan());
  const bytes file = image.file.bytes();
  for (const auto& r : sparse_rows) expect_row(r, image, file);
}

const row<sparse_image> no_overhead_rows[] = {
    {"a grain in the descriptor", errc::grain_metadata_overlap, error, accepted, refused,
     [](bytes& f, const sparse_image& i) {
       put(f, i.table_entry_at(3), 2, 4);
       return i.table_entry_at(3);
     }},
    {"a grain on the directory", errc::grain_metadata_overlap, error, accepted, refused,
     [](bytes& f, const sparse_image& i) {
       put(f, i.table_entry_at(3), i.directory_at / 512, 4);
       return i.table_entry_at(3);
     }},
    {"a grain on a table", errc::table_overlap, error, accepted, refused,
     [](bytes& f, const sparse_image& i) {
       put(f, i.table_entry_at(3), i.table_at.at(1) / 512 + 3, 4);
       return i.table_entry_at(3);
     }},
};

TEST_CASE("a table that several entries name is walked for the first of them") {
  const auto image = build_sparse(usual_sparse_plan());
  bytes file = image.file.bytes();
  put(file, image.directory_at + 4, image.table_at.at(0) / 512, 4);
  const outcome said = check_bytes_of(file);
  INFO(said.text());
  CHECK(said.findings.size() == 1);
  CHECK(said.has(errc::directory_entry_duplicate));
  CHECK(said.summary.tables == 1);
}

TEST_CASE("all of the directory's last sector is looked at") {
  const auto image = build_sparse(usual_sparse_plan());
  bytes file = image.file.bytes();
  put(file, image.redundant_directory_at + 508, 7, 4);
  const outcome said = check_bytes_of(file);
  REQUIRE(said.findings.size() == 1);
  CHECK(said.findings[0].code == errc::directory_tail_not_zero);
  CHECK(said.findings[0].offset == image.redundant_directory_at + 508);
  CHECK(said.findings[0].table == 127);
}

TEST_CASE("grains in the metadata are found where the header states no overhead") {
  auto plan = usual_sparse_plan();
  plan.overhead_zero = true;
  const auto image = build_sparse(plan);
  const bytes file = image.file.bytes();
  for (const auto& r : no_overhead_rows) expect_row(r, image, file);
}

TEST_CASE("a table is missed where there is but one copy") {
  auto plan = usual_sparse_plan();
  plan.copies = table_copies::primary_only;
  const auto image = build_sparse(plan);
  const row<sparse_image> r{"a table is missing",
                            errc::directory_entry_zero,
                            error,
                            accepted,
                            accepted,
                            [](bytes& f, const sparse_image& i) {
                              put(f, i.directory_at + 4, 0, 4);
                              return i.directory_at + 4;
                            }};
  expect_row(r, image, image.file.bytes());
}

TEST_CASE("grains of a size that nobody writes are told") {
  for (const std::uint64_t grain : {4u, 4096u}) {
    auto plan = usual_sparse_plan();
    plan.grain_sectors = grain;
    plan.capacity_sectors = 20 * grain;
    plan.stored = {0, 7};
    const outcome said = check_bytes_of(build_sparse(plan).file.bytes());
    INFO(said.text());
    REQUIRE(said.has(errc::grain_size_unusual));
    CHECK(said.find(errc::grain_size_unusual)->level == warning);
    CHECK(said.find(errc::grain_size_unusual)->offset == 20);
  }
}

TEST_CASE("grains that are larger than some programs read are noted, and read") {
  auto plan = usual_sparse_plan();
  plan.grain_sectors = 256;
  plan.capacity_sectors = 20 * 256;
  plan.descriptor = sparse_text(plan.capacity_sectors);
  plan.stored = {0, 3, 19};
  const auto image = build_sparse(plan);
  const row<sparse_image> large{"large grains", errc::grain_size_large,         note, accepted,
                                accepted,       field<sparse_image>(20, 256, 8)};
  expect_row(large, image, image.file.bytes());
}

}  // namespace

}  // namespace sparse_rules_test
