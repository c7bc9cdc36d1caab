// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>

#include "tests/verify/rule_testing.hpp"

namespace stream_rules_test {
namespace {

using namespace verify_testing;

std::uint64_t marker(const stream_image& i, std::uint64_t grain) { return i.marker_at.at(grain); }

/// The rows that hold for every kind of stream.
const row<stream_image> stream_rows[] = {
    {"no algorithm", errc::compression_algorithm_invalid, error, refused, refused,
     field<stream_image>(77, 0, 2)},
    {"grains of 4 MiB", errc::grain_size_too_large, error, refused, refused,
     field<stream_image>(20, 8192, 8)},
    {"marker of another grain", errc::marker_lba_mismatch, error, unreadable, unreadable,
     [](bytes& f, const stream_image& i) {
       put(f, marker(i, 3), 64, 8);
       return marker(i, 3);
     }},
    {"marker off the grain", errc::marker_lba_mismatch, error, unreadable, unreadable,
     [](bytes& f, const stream_image& i) {
       put(f, marker(i, 3), 49, 8);
       return marker(i, 3);
     }},
    {"an empty grain", errc::marker_size_invalid, error, unreadable, unreadable,
     [](bytes& f, const stream_image& i) {
       put(f, marker(i, 2) + 8, 0, 4);
       return marker(i, 2) + 8;
     }},
    {"a huge grain", errc::marker_size_invalid, error, unreadable, unreadable,
     [](bytes& f, const stream_image& i) {
       put(f, marker(i, 2) + 8, 0x7FFFFFFF, 4);
       return marker(i, 2) + 8;
     }},
    {"no zlib header", errc::stream_header_invalid, error, unreadable, unreadable,
     [](bytes& f, const stream_image& i) {
       put(f, marker(i, 100) + 12, 0x79, 1);
       return marker(i, 100) + 14;
     }},
    {"a dictionary", errc::stream_dictionary, error, unreadable, unreadable,
     [](bytes& f, const stream_image& i) {
       put(f, marker(i, 100) + 13, 0x20, 1);
       return marker(i, 100) + 14;
     }},
    {"another byte", errc::stream_checksum, error, unreadable, unreadable,
     [](bytes& f, const stream_image& i) {
       f[marker(i, 100) + 500] ^= std::byte{0x10};
       return marker(i, 100) + 12 + 2 + 5 + 8192 + 4;
     }},
    {"too little", errc::stream_truncated, error, unreadable, unreadable,
     [](bytes& f, const stream_image& i) {
       const std::uint64_t size = get(f, marker(i, 100) + 8, 4) - 3;
       put(f, marker(i, 100) + 8, size, 4);
       return marker(i, 100) + 12 + size;
     }},
    {"too much", errc::stream_input_left, error, unreadable, unreadable,
     [](bytes& f, const stream_image& i) {
       const std::uint64_t size = get(f, marker(i, 100) + 8, 4);
       put(f, marker(i, 100) + 8, size + 3, 4);
       return marker(i, 100) + 12 + size;
     }},
    {"padding in use", errc::marker_padding_not_zero, warning, accepted, accepted,
     [](bytes& f, const stream_image& i) {
       const std::uint64_t end = marker(i, 100) + 12 + get(f, marker(i, 100) + 8, 4);
       put(f, (end + 511) / 512 * 512 - 1, 1, 1);
       return end;
     }},
    {"one grain twice", errc::grain_duplicate, error, unreadable, unreadable,
     [](bytes& f, const stream_image& i) {
       put(f, i.table_entry_at(600), marker(i, 3) / 512, 4);
       return i.table_entry_at(600);
     }},
    {"a grain that no table names", errc::stream_tables_mismatch, error, accepted, accepted,
     [](bytes& f, const stream_image& i) {
       put(f, i.table_entry_at(2), 0, 4);
       return marker(i, 2);
     }},
    {"a table that is not named", errc::stream_tables_mismatch, error, accepted, accepted,
     [](bytes& f, const stream_image& i) {
       put(f, i.directory_entry_at(600), 0, 4);
       return marker(i, 600);
     }},
};

TEST_CASE("each rule of compressed grains is found where it is broken") {
  for (const auto tables : {stream_tables::at_end, stream_tables::in_front}) {
    const auto image = build_stream(usual_stream_plan(tables));
    for (const auto& r : stream_rows) expect_row(r, image, image.file);
  }
}

TEST_CASE("a compressed grain inside another one is found by its place") {
  auto image = build_stream(usual_stream_plan(stream_tables::in_front));
  // The marker lies on a sector boundary inside the other's content.
  const std::uint64_t at = image.marker_at.at(600) + 1024;
  image.put(at, 601 * 16, 8);
  image.put(at + 8, 100, 4);
  image.put(image.table_entry_at(601), at / 512, 4);
  const outcome said = check_bytes_of(image.file);
  INFO(said.text());
  REQUIRE(said.has(errc::grain_overlap));
  CHECK(said.find(errc::grain_overlap)->offset == image.table_entry_at(601));
  CHECK(said.find(errc::grain_overlap)->other_entry == 600 % 512);
}

const row<stream_image> end_rows[] = {
    {"another capacity", errc::footer_mismatch, error, refused, refused,
     [](bytes& f, const stream_image& i) {
       put(f, i.footer_at + 12, 1090 * 16, 8);
       return i.footer_at + 12;
     }},
    {"another version", errc::footer_mismatch, error, refused, refused,
     [](bytes& f, const stream_image& i) {
       put(f, i.footer_at + 4, 1, 4);
       return i.footer_at + 4;
     }},
    {"no directory", errc::footer_directory_invalid, error, refused, refused,
     [](bytes& f, const stream_image& i) {
       put(f, i.footer_at + 56, ~std::uint64_t{0}, 8);
       return i.footer_at + 56;
     }},
    {"directory at 0", errc::footer_directory_invalid, error, refused, refused,
     [](bytes& f, const stream_image& i) {
       put(f, i.footer_at + 56, 0, 8);
       return i.footer_at + 56;
     }},
    {"directory past the end", errc::directory_offset_invalid, error, refused, refused,
     [](bytes& f, const stream_image& i) {
       put(f, i.footer_at + 56, 1u << 30, 8);
       return i.footer_at + 56;
     }},
    {"a marker of two sectors", errc::footer_marker_invalid, error, refused, refused,
     [](bytes& f, const stream_image& i) {
       put(f, i.footer_at - 512, 2, 8);
       return i.footer_at - 512;
     }},
    {"padding in the marker", errc::marker_padding_not_zero, warning, accepted, refused,
     [](bytes& f, const stream_image& i) {
       put(f, i.footer_at - 1, 2, 1);
       return i.footer_at - 512 + 16;
     }},
    {"no end", errc::end_of_stream_invalid, error, refused, refused,
     [](bytes& f, const stream_image& i) {
       put(f, i.footer_at + 512, 5, 1);
       return i.footer_at + 512;
     }},
    {"a table's marker of five sectors", errc::marker_invalid, error, accepted, accepted,
     [](bytes& f, const stream_image& i) {
       put(f, i.table_at.at(1) - 512, 5, 8);
       return i.table_at.at(1) - 512;
     }},
    {"a marker of no known type", errc::marker_invalid, error, accepted, accepted,
     [](bytes& f, const stream_image& i) {
       put(f, i.table_at.at(1) - 500, 9, 4);
       return i.table_at.at(1) - 512;
     }},
    {"a directory's marker of four sectors", errc::marker_invalid, error, accepted, accepted,
     [](bytes& f, const stream_image& i) {
       put(f, i.directory_at - 512, 4, 8);
       return i.directory_at - 512;
     }},
    {"a table that is not in the stream", errc::stream_tables_mismatch, error, accepted, accepted,
     [](bytes& f, const stream_image& i) {
       put(f, i.directory_at + 12, 100, 4);
       return i.directory_at + 12;
     }},
    {"tables out of order", errc::stream_tables_mismatch, error, unreadable, unreadable,
     [](bytes& f, const stream_image& i) {
       put(f, i.directory_at, i.table_at.at(1) / 512, 4);
       put(f, i.directory_at + 4, i.table_at.at(0) / 512, 4);
       return i.table_at.at(0) - 512;
     }},
};

TEST_CASE("each rule of the end of a stream is found where it is broken") {
  const auto image = build_stream(usual_stream_plan());
  for (const auto& r : end_rows) expect_row(r, image, image.file);
  const row<stream_image> cut{
      "cut", errc::footer_missing, error, refused, refused, [](bytes& f, const stream_image&) {
        f.resize(f.size() - 512);
        return 56u;
      }};
  expect_row(cut, image, image.file);
}

TEST_CASE("a header and a footer that both know the directory must agree") {
  const auto image = build_stream(usual_stream_plan(stream_tables::at_end_and_known));
  const row<stream_image> r{"two directories",
                            errc::footer_mismatch,
                            error,
                            refused,
                            refused,
                            [](bytes& f, const stream_image& i) {
                              put(f, 56, i.directory_at / 512 - 1, 8);
                              return i.footer_at + 56;
                            }};
  expect_row(r, image, image.file);
}

TEST_CASE("zeros inside a stream that has a footer are its end") {
  auto plan = usual_stream_plan();
  plan.gap_sectors = 1;
  const auto image = build_stream(plan);
  const row<stream_image> r{"a gap",
                            errc::stream_data_after_end,
                            error,
                            accepted,
                            accepted,
                            [](bytes& f, const stream_image& i) {
                              const auto size = get(f, marker(i, 0) + 8, 4);
                              return marker(i, 0) + (12 + size + 511) / 512 * 512 + 512;
                            }};
  expect_row(r, image, image.file);
}

TEST_CASE("the copies of a compressed image's tables are compared") {
  const auto image = build_stream(usual_stream_plan(stream_tables::in_front_twice));
  const row<stream_image> rows[] = {
      {"an entry", errc::tables_differ, error, accepted, accepted,
       [](bytes& f, const stream_image& i) {
         put(f, i.redundant_table_at.at(1) + 4 * 7, 200, 4);
         return i.table_at.at(1) + 4 * 7;
       }},
      {"a table", errc::directories_differ, error, accepted, accepted,
       [](bytes& f, const stream_image& i) {
         put(f, i.redundant_directory_at + 8, 0, 4);
         return i.directory_at + 8;
       }},
      {"no end", errc::stream_end_missing, note, accepted, accepted,
       [](bytes& f, const stream_image&) { return f.size(); }},
  };
  for (const auto& r : rows) expect_row(r, image, image.file);
}

}  // namespace

}  // namespace stream_rules_test
