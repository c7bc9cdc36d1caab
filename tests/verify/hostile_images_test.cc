// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/support/cowd_builder.hpp"
#include "tests/support/sesparse_builder.hpp"
#include "tests/verify/testing.hpp"
#include "vmdk/verify/open_checked.hpp"

namespace {

using namespace verify_testing;
using namespace testing_support;

/// What a reader does with an image.
enum class verdict {
  refused,     ///< open fails.
  unreadable,  ///< open takes it, but reading all of the disk fails.
  accepted,
};

verdict judge(const bytes& file, strictness mode) {
  memory_source source(file);
  single_file<memory_source> files(source);
  auto memory = std::make_unique<image_memory<16, 4, std::size_t{1} << 21>>();
  if (!open(files, file_id{}, *memory, mode)) return verdict::refused;
  return read_disk(file, mode) ? verdict::accepted : verdict::unreadable;
}

/// True when a strict reader that looks at everything first takes the image.
bool is_opened_after_check(const bytes& file) {
  memory_source source(file);
  single_file<memory_source> files(source);
  auto memory = std::make_unique<image_memory<16, 4, std::size_t{1} << 21>>();
  owned_memory<> checking(usual_room);
  return open_checked(files, file_id{}, image_spans{memory->extents, memory->links, memory->text},
                      checking.spans())
      .ok();
}

/// One broken rule: how to break it in a good image, and what must be said. `spoil` gives the
/// offset at which the finding stands.
template <class Image>
struct row {
  const char* what;
  errc code;
  severity level;
  verdict tolerant;
  verdict strict;
  std::function<std::uint64_t(bytes&, const Image&)> spoil;
};

constexpr auto refused = verdict::refused;
constexpr auto unreadable = verdict::unreadable;
constexpr auto accepted = verdict::accepted;
constexpr auto error = severity::error;
constexpr auto warning = severity::warning;
constexpr auto note = severity::note;

void put(bytes& file, std::uint64_t at, std::uint64_t value, unsigned n) {
  if (file.size() < at + n) file.resize(at + n);
  for (unsigned i = 0; i < n; ++i) file[at + i] = static_cast<std::byte>(value >> (8 * i) & 0xFF);
}
std::uint64_t get(const bytes& file, std::uint64_t at, unsigned n) {
  std::uint64_t value = 0;
  for (unsigned i = n; i-- > 0;) value = value << 8 | std::to_integer<unsigned>(file[at + i]);
  return value;
}

/// Sets a header field; the finding stands at it.
template <class Image>
auto field(std::uint64_t at, std::uint64_t value, unsigned n) {
  return [=](bytes& file, const Image&) {
    put(file, at, value, n);
    return at;
  };
}

template <class Image>
void expect_row(const row<Image>& r, const Image& good, bytes file) {
  INFO(r.what);
  const std::uint64_t at = r.spoil(file, good);
  const outcome said = check_bytes_of(file);
  INFO(said.text());
  REQUIRE(said.has(r.code));
  bool is_there = false;
  for (const finding& f : said.findings) {
    if (f.code != r.code) continue;
    CHECK(f.level == r.level);
    is_there = is_there || f.offset == at;
  }
  INFO("expected at " << at);
  CHECK(is_there);
  CHECK(said.has_error() == (r.level == error || r.tolerant != accepted));
  CHECK(judge(file, strictness::tolerant) == r.tolerant);
  CHECK(judge(file, strictness::strict) == r.strict);
  CHECK(is_opened_after_check(file) == (r.level == note));
}

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
    {"a petabyte", errc::directory_offset_invalid, error, refused, refused,
     [](bytes& f, const sparse_image&) {
       put(f, 12, std::uint64_t{1} << 41, 8);
       return 56u;
     }},
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

std::uint64_t marker(const stream_image& i, std::uint64_t grain) { return i.marker_at.at(grain); }

/// The rows that hold for every kind of stream.
const row<stream_image> stream_rows[] = {
    {"no algorithm", errc::compression_algorithm_invalid, error, refused, refused,
     field<stream_image>(77, 0, 2)},
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

struct text_row {
  errc code;
  severity level;
  verdict tolerant;
  verdict strict;
  std::string text;
};

std::string with(std::string text, const std::string& what, const std::string& by) {
  const auto at = text.find(what);
  if (at == std::string::npos) throw std::runtime_error("no " + what);
  return text.replace(at, what.size(), by);
}

TEST_CASE("each rule of an embedded descriptor is found") {
  const std::string good = sparse_text(9600);
  const text_row rows[] = {
      {errc::descriptor_empty, error, refused, refused, ""},
      {errc::descriptor_signature_missing, warning, accepted, refused,
       with(good, "# Disk", "#Disk")},
      {errc::descriptor_padding_not_zero, warning, accepted, refused,
       good + std::string(3, '\0') + "x"},
      {errc::descriptor_control_character, error, refused, refused, with(good, "# Ext", "# \aExt")},
      {errc::descriptor_line_end_invalid, error, refused, refused, with(good, "# Ext", "# \rExt")},
      {errc::descriptor_line_end_unusual, warning, accepted, refused,
       with(good, "\n# Ext", "\r\n# Ext")},
      {errc::descriptor_line_too_long, error, refused, refused,
       with(good, "# Ext", "# " + std::string(2100, 'x') + "Ext")},
      {errc::descriptor_line_invalid, error, refused, refused, with(good, "# Ext", "what\n# Ext")},
      {errc::descriptor_not_utf8, warning, accepted, refused, with(good, "# Ext", "# \xFF Ext")},
      {errc::descriptor_key_duplicate, error, refused, refused,
       with(good, "version=1\n", "version=1\nversion=1\n")},
      {errc::descriptor_key_case, error, refused, refused, with(good, "createType", "CreateType")},
      {errc::descriptor_key_hidden, error, refused, refused,
       with(good, "# Ext", "#parentFileNameHint=\"x\"\n# Ext")},
      {errc::descriptor_key_unknown, warning, accepted, refused,
       with(good, "version=1\n", "version=1\nx=1\n")},
      {errc::descriptor_version_invalid, error, refused, refused,
       with(good, "version=1", "version=9")},
      {errc::descriptor_cid_invalid, error, refused, refused, with(good, "12345678", "1234567g")},
      {errc::descriptor_cid_missing, error, refused, refused, with(good, "\nCID=12345678", "")},
      {errc::descriptor_parent_contradiction, error, refused, refused,
       with(good, "parentCID=ffffffff\n", "parentCID=ffffffff\nparentFileNameHint=\"x\"\n")},
      {errc::descriptor_create_type_missing, error, refused, refused,
       with(good, "createType=\"monolithicSparse\"\n", "")},
      {errc::descriptor_create_type_misplaced, warning, accepted, refused,
       with(good, "monolithicSparse", "custom")},
      {errc::descriptor_compression_mismatch, warning, accepted, accepted,
       with(good, "monolithicSparse", "streamOptimized")},
      {errc::descriptor_extent_missing, error, refused, refused,
       with(good, "RW 9600 SPARSE \"disk.vmdk\"\n", "")},
      {errc::descriptor_embedded_extents, error, refused, refused,
       with(good, "RW 9600 SPARSE \"disk.vmdk\"\n",
            "RW 9600 SPARSE \"disk.vmdk\"\nRW 16 SPARSE \"b.vmdk\"\n")},
      {errc::descriptor_embedded_extents, error, refused, refused,
       with(good, "SPARSE \"disk.vmdk\"", "FLAT \"/etc/passwd\" 0")},
      {errc::descriptor_extent_name_unusual, warning, accepted, refused,
       with(good, "disk.vmdk", "../x")},
      {errc::descriptor_extent_name_unusual, warning, accepted, refused,
       with(good, "disk.vmdk", "")},
      {errc::descriptor_extent_sectors, error, refused, refused, with(good, "9600", "0")},
      {errc::descriptor_extent_offset, error, refused, refused,
       with(good, "\"disk.vmdk\"", "\"disk.vmdk\" 1")},
      {errc::descriptor_capacity_mismatch, error, accepted, accepted, with(good, "9600", "9601")},
      {errc::descriptor_ddb_missing, warning, accepted, refused, good.substr(0, good.find("ddb."))},
      {errc::descriptor_ddb_value_invalid, warning, accepted, refused,
       with(good, "\"10\"", "\"x\"")},
  };
  for (const auto& r : rows) {
    auto plan = usual_sparse_plan();
    plan.descriptor = r.text;
    const bytes file = build_sparse(plan).file.bytes();
    const outcome said = check_bytes_of(file);
    INFO(r.text);
    INFO(said.text());
    REQUIRE(said.has(r.code));
    CHECK(said.find(r.code)->level == r.level);
    CHECK(said.find(r.code)->offset >= 512);
    CHECK(said.has_error() == (r.level == error));
    CHECK(judge(file, strictness::tolerant) == r.tolerant);
    CHECK(judge(file, strictness::strict) == r.strict);
  }
}

TEST_CASE("each rule of COWD extents is found where it is broken") {
  bytes room(std::size_t{1} << 20);
  support::cowd_builder image(room, 5001 * 2, 2);
  for (const std::uint32_t grain : {0u, 1u, 4095u, 4096u}) image.store(grain, std::byte{7});
  const bytes good(image.file().begin(), image.file().end());
  const auto first_table = static_cast<std::uint32_t>(get(good, 2048, 4));
  struct {
    std::uint64_t at;
    std::uint32_t value;
    errc code;
    severity level;
  } const rows[] = {
      {0, 0x44574F44, errc::magic_invalid, error},
      {4, 2, errc::cowd_version_unsupported, error},
      {8, 1, errc::cowd_flags_invalid, error},
      {12, 0, errc::capacity_zero, error},
      {12, 10001, errc::capacity_not_whole_grains, warning},
      {16, 3, errc::cowd_grain_size_invalid, error},
      {16, 4096, errc::cowd_grain_size_invalid, error},
      {20, 3, errc::directory_overlap, error},
      {20, 1u << 30, errc::directory_offset_invalid, error},
      {24, 3, errc::cowd_directory_size_invalid, error},
      {28, 1, errc::cowd_free_sector_invalid, warning},
      {1648, 1, errc::unclean_shutdown, severity::unclean},
      {2048, 3, errc::directory_entry_invalid, error},
      {2048, 1u << 30, errc::directory_entry_invalid, error},
      {2052, first_table, errc::directory_entry_duplicate, error},
      {2052, first_table + 31, errc::table_overlap, error},
      {image.entry_at(1), 1, errc::cowd_zeroed_grain, warning},
      {image.entry_at(1), 4, errc::grain_below_overhead, error},
      {image.entry_at(1), 0xFFFFFFF0, errc::grain_past_end, error},
      {image.entry_at(1), image.entry(0), errc::grain_duplicate, error},
      {image.entry_at(1), image.entry(0) + 1, errc::grain_overlap, error},
      {image.entry_at(1), first_table + 5, errc::table_overlap, error},
      {image.entry_at(5000) + 4, 77, errc::table_tail_not_zero, warning},
  };
  for (const auto& r : rows) {
    bytes file = good;
    put(file, r.at, r.value, 4);
    const outcome said = check_bytes_of(file);
    INFO(r.at << " = " << r.value << "\n" << said.text());
    REQUIRE(said.has(r.code));
    CHECK(said.find(r.code)->offset == r.at);
    CHECK(said.find(r.code)->level == r.level);
  }
}

TEST_CASE("each rule of seSparse extents is found where it is broken") {
  bytes room(std::size_t{1} << 21);
  support::sesparse_builder image(room, 5000 * 8);
  for (const std::uint64_t grain : {0u, 1u, 4095u, 4096u}) image.store(grain, std::byte{7});
  const bytes good(image.file().begin(), image.file().end());
  struct {
    std::uint64_t at;
    std::uint64_t value;
    errc code;
    severity level;
  } const rows[] = {
      {0, 0xCAFEBABF, errc::magic_invalid, error},
      {8, 0x200000002, errc::sesparse_version_unsupported, error},
      {16, 0, errc::capacity_zero, error},
      {24, 16, errc::sesparse_grain_size_invalid, error},
      {32, 32, errc::sesparse_table_size_invalid, error},
      {40, 1, errc::sesparse_flags_unknown, error},
      {48, 0x200, errc::sesparse_reserved_unusual, warning},
      {56, 1, errc::sesparse_reserved_not_zero, error},
      {208, 1, errc::sesparse_reserved_not_zero, error},
      {128, 1u << 30, errc::sesparse_region_outside_file, error},
      {144, image.get(128), errc::sesparse_region_overlap, error},
      {512, 1, errc::sesparse_volatile_magic_invalid, error},
      {512 + 24, 1, errc::sesparse_dirty, error},
      {image.directory_entry_at(0), 5, errc::directory_entry_invalid, error},
      {image.directory_entry_at(0), std::uint64_t{1} << 60 | 2, errc::directory_entry_invalid,
       error},
      {image.directory_entry_at(1), image.get(image.directory_entry_at(0)),
       errc::directory_entry_duplicate, error},
      {image.entry_at(2), std::uint64_t{5} << 60, errc::sesparse_entry_invalid, error},
      {image.entry_at(2), 77, errc::sesparse_entry_invalid, error},
      {image.entry_at(2), image.stored_entry(8), errc::grain_past_end, error},
      {image.entry_at(2), image.stored_entry(1), errc::grain_duplicate, error},
      {image.entry_at(4999) + 8, image.stored_entry(1), errc::table_tail_not_zero, warning},
  };
  for (const auto& r : rows) {
    bytes file = good;
    put(file, r.at, r.value, 8);
    const outcome said = check_bytes_of(file);
    INFO(r.at << " = " << r.value << "\n" << said.text());
    REQUIRE(said.has(r.code));
    const bool is_region = r.code == errc::sesparse_region_overlap;
    CHECK((is_region || said.find(r.code)->offset == r.at));
    CHECK(said.find(r.code)->level == r.level);
  }
}

}  // namespace
