// SPDX-License-Identifier: BSD-2-Clause
// What a stream that is read front to back must keep to (SPEC 13.2).
#include <array>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/reader/stream_testing.hpp"
#include "vmdk/reader/stream.hpp"

namespace stream_rules_test {
namespace {

using namespace reader_testing;

TEST_CASE("a stream that was cut anywhere is never taken for a whole one") {
  for (const tables_kind tables : all_tables) {
    stream_image_plan plan = small_plan(tables);
    plan.capacity_sectors = 7;
    plan.grain_sectors = 1;
    plan.progress_markers = tables == tables_kind::at_end;
    const stream_image image = build_stream(plan);
    const std::size_t size = image.file.size();
    CHECK(why_not(image) == no_failure);
    const std::uint64_t last = image.marker_at.at(6);
    const std::uint64_t data_end = last + 12 + image.get(last + 8, 4);
    std::size_t wrong = size;
    for (std::size_t n = 0; n < size; n += n + 100 < image.overhead_bytes ? 37 : 1) {
      // Tables in front count the grains, and nobody needs the end of stream, or the padding of the
      // last grain, to know that all came.
      if (is_in_front(tables) && n >= data_end && n <= (data_end | 511) + 1) continue;
      const failure why = read_stream(byte_view(image.file).first(n), 1 << 20, true).why;
      const errc due = n < 512 ? errc::header_truncated : errc::stream_end_missing;
      if (why.code != due || why.from != origin::image) wrong = n;
    }
    CHECK(wrong == size);
  }
}

TEST_CASE("bytes behind the end are refused, but for zeros where tables are in front") {
  for (const tables_kind tables :
       {tables_kind::at_end, tables_kind::at_end_and_known, tables_kind::in_front}) {
    const stream_image image = build_stream(small_plan(tables));
    const auto behind = [&](const bytes& more) {
      bytes file = image.file;
      file.insert(file.end(), more.begin(), more.end());
      return why_not(file);
    };
    const failure refused = image_failure(errc::stream_data_after_end, image.file.size());
    for (const std::size_t n : {1u, 100u, 512u, 4096u}) {
      CHECK(behind(bytes(n)) == (is_in_front(tables) ? no_failure : refused));
      CHECK(behind(bytes(n, std::byte{1})) == refused);
    }
    CHECK(behind(image.file) == refused);

    // The place is that of the first byte which is wrong, whatever the pieces.
    bytes file = image.file;
    file.resize(file.size() + 700);
    file.push_back(std::byte{1});
    failure late = refused;
    if (is_in_front(tables)) late.offset += 700;
    for (const std::size_t piece_bytes : {1u, 100u, 512u, 4096u}) {
      CHECK(read_stream(file, piece_bytes).why == late);
    }
  }
}

TEST_CASE("a stream with a grain missing is refused") {
  for (const tables_kind tables : all_tables) {
    for (const std::uint64_t grain : {0u, 2u, 3u, 6u}) {
      stream_image image = build_stream(small_plan(tables));
      // Sectors that carry nothing take its place.
      for (std::uint64_t i = 0; i < 9; ++i) {
        const bytes nothing = marker_sector(0, 4);
        copy_bytes(image.file.data() + image.marker_at[grain] + 512 * i, nothing.data(), 512);
      }
      INFO("tables " << static_cast<int>(tables) << " grain " << grain);
      const errc due = tables == tables_kind::in_front_twice ? errc::stream_end_missing
                                                             : errc::stream_tables_mismatch;
      CHECK(why_not(image).code == due);
    }
  }
}

TEST_CASE("a stream with zero sectors between its grains has an early end") {
  for (const tables_kind tables : all_tables) {
    stream_image_plan plan = small_plan(tables);
    plan.gap_sectors = 1;
    const stream_image image = build_stream(plan);
    const auto expected =
        tables == tables_kind::at_end ? errc::footer_missing : errc::stream_tables_mismatch;
    CHECK(why_not(image) == image_failure(expected, image.marker_at.at(0) + 9 * 512));
  }
}

TEST_CASE("grains come in the order of the disk, on their places") {
  for (const tables_kind tables : all_tables) {
    stream_image_plan plan = small_plan(tables);
    plan.stored = {0, 3, 2, 6};
    stream_image image = build_stream(plan);
    CHECK(why_not(image) == image_failure(errc::marker_lba_not_ascending, image.marker_at.at(2)));

    plan.stored = {0, 2, 3, 6};
    image = build_stream(plan);
    const std::uint64_t at = image.marker_at.at(3);
    const auto with_lba = [&](std::uint64_t lba) {
      image.put(at, lba, 8);
      return why_not(image);
    };
    CHECK(with_lba(16) == image_failure(errc::marker_lba_not_ascending, at));  // Twice the same.
    CHECK(with_lba(25) == image_failure(errc::marker_lba_mismatch, at));
    CHECK(with_lba(56) == image_failure(errc::marker_lba_mismatch, at));
    CHECK(with_lba(52) == image_failure(errc::marker_lba_mismatch, at));
    CHECK(with_lba(std::uint64_t{1} << 63) == image_failure(errc::marker_lba_mismatch, at));
    CHECK(with_lba(24) == no_failure);
    // A place that is free, but not the table's.
    if (!is_in_front(tables)) CHECK(with_lba(32).code == errc::stream_tables_mismatch);
    image.put(at, 24, 8);
    image.put(at + 8, 2 * 4096 + 513, 4);
    CHECK(why_not(image) == image_failure(errc::marker_size_invalid, at + 8, 2 * 4096 + 513));
    image.put(at + 8, 0xFFFFFFFF, 4);
    CHECK(why_not(image) == image_failure(errc::marker_size_invalid, at + 8, 0xFFFFFFFF));
  }
}

TEST_CASE("tables behind grains name them where they stood") {
  for (const tables_kind tables : {tables_kind::at_end, tables_kind::at_end_and_known}) {
    const stream_image image = build_stream(small_plan(tables));
    const std::uint64_t table = image.table_at.at(0);
    const failure refused = image_failure(errc::stream_tables_mismatch, table - 512);
    for (const std::uint64_t entry : {0u, 1u, 2u, 3u, 5u, 6u, 7u, 127u, 128u, 511u}) {
      stream_image other = image;
      other.put(table + 4 * entry, image.get(table + 4 * entry, 4) + 1, 4);
      CHECK(why_not(other) == refused);
      other.put(table + 4 * entry, image.get(table + 4 * entry, 4) ^ 0x80000000, 4);
      CHECK(why_not(other) == refused);
    }
    stream_image other = image;
    other.put(table, 0, 4);
    CHECK(why_not(other) == refused);
  }
}

TEST_CASE("the table of grains comes before those of the next") {
  stream_image_plan plan = small_plan(tables_kind::at_end);
  plan.capacity_sectors = 2 * 512 * 8;
  plan.stored = {1, 513};
  stream_image image = build_stream(plan);
  for (std::uint64_t i = 0; i < 5; ++i) {  // The first table becomes sectors of nothing.
    const bytes nothing = marker_sector(0, 4);
    copy_bytes(image.file.data() + image.table_at[0] - 512 + 512 * i, nothing.data(), 512);
  }
  CHECK(why_not(image) == image_failure(errc::stream_tables_mismatch, image.marker_at[513]));

  image = build_stream(plan);
  image.put(image.directory_at, 0, 4);  // One table fewer than there were.
  CHECK(why_not(image).code == errc::stream_tables_mismatch);
  image = build_stream(plan);
  image.put(image.directory_at + 4, image.directory_at / 512 + 1, 4);  // Behind the directory.
  CHECK(why_not(image) == image_failure(errc::directory_entry_invalid, image.directory_at + 4));
}

TEST_CASE("markers say how long they are, and are of known types") {
  const stream_image image = build_stream(small_plan(tables_kind::at_end));
  const std::uint64_t table = image.table_at.at(0) - 512;
  const std::uint64_t directory = image.directory_at - 512;
  const std::uint64_t footer = image.footer_at - 512;
  const std::uint64_t end = image.footer_at + 512;
  const auto with = [&](std::uint64_t at, std::uint64_t value, std::uint32_t type) {
    stream_image other = image;
    other.put(at, value, 8);
    other.put(at + 12, type, 4);
    return why_not(other);
  };
  for (const auto& [at, type, right] :
       {std::tuple{table, 1u, 4u}, {directory, 2u, 1u}, {footer, 3u, 1u}, {end, 0u, 0u}}) {
    CHECK(with(at, right, type) == no_failure);
    for (const std::uint64_t value :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{3}, std::uint64_t{5},
          ~std::uint64_t{0}, right + (std::uint64_t{1} << 55), right + (std::uint64_t{1} << 32)}) {
      if (value == right) continue;
      CHECK(with(at, value, type) == image_failure(errc::marker_invalid, at));
    }
    for (const std::uint32_t unknown : {5u, 6u, 0x100u, 0xFFFFFFFFu}) {
      CHECK(with(at, right, unknown) == image_failure(errc::marker_invalid, at));
    }
  }
  stream_image other = image;
  other.put(end + 300, 1, 1);
  CHECK(why_not(other) == image_failure(errc::end_of_stream_invalid, end));
}

TEST_CASE("a progress marker is passed over with what it says follows") {
  for (const std::uint64_t sectors : {0u, 1u, 3u}) {
    stream_image image = build_stream(small_plan(tables_kind::in_front));
    const bytes end(image.file.end() - 512, image.file.end());
    image.file.resize(image.file.size() - 512);
    insert_sector(image.file, image.file.size(), marker_sector(sectors, 4));
    image.file.insert(image.file.end(), static_cast<std::size_t>(sectors * 512), std::byte{0xEE});
    insert_sector(image.file, image.file.size(), end);
    CHECK((read_stream(image.file).disk == image.disk()));
    CHECK(why_not(image) == no_failure);
  }
  stream_image image = build_stream(small_plan(tables_kind::at_end));
  const std::uint64_t at = image.directory_at - 512;
  const bytes endless = marker_sector(~std::uint64_t{0}, 4);
  copy_bytes(image.file.data() + at, endless.data(), 512);
  CHECK(why_not(image) == image_failure(errc::stream_end_missing, image.file.size()));
}

TEST_CASE("the footer agrees with the header and stands before the end") {
  const stream_image image = build_stream(small_plan(tables_kind::at_end));
  const std::uint64_t footer = image.footer_at;
  const auto with = [&](std::uint64_t field, std::uint64_t value, unsigned n) {
    stream_image other = image;
    other.put(footer + field, value, n);
    return why_not(other);
  };
  CHECK(with(0, 0, 4) == image_failure(errc::magic_invalid, footer));
  CHECK(with(56, ~std::uint64_t{0}, 8) ==
        image_failure(errc::footer_directory_invalid, footer + 56));
  CHECK(with(56, 0, 8) == image_failure(errc::directory_offset_invalid, footer + 56));
  CHECK(with(56, image.directory_at / 512 + 1, 8) ==
        image_failure(errc::footer_directory_invalid, footer + 56));
  CHECK(with(56, image.directory_at / 512 - 1, 8) ==
        image_failure(errc::footer_directory_invalid, footer + 56));
  for (const auto& [field, value, n] : {std::tuple{4u, 2u, 4u},
                                        {12u, 56u, 8u},
                                        {20u, 16u, 8u},
                                        {28u, 2u, 8u},
                                        {36u, 19u, 8u},
                                        {64u, 16u, 8u},
                                        {64u, 64u, 8u}}) {
    CHECK(with(field, value, n) == image_failure(errc::footer_mismatch, footer + field));
  }
  CHECK(with(44, 256, 4) == image_failure(errc::entries_per_table_invalid, footer + 44));

  // No footer, and its marker alone.
  bytes file = image.file;
  file.erase(file.begin() + static_cast<std::ptrdiff_t>(footer - 512),
             file.begin() + static_cast<std::ptrdiff_t>(footer + 512));
  CHECK(why_not(file) == image_failure(errc::footer_missing, footer - 512));

  // The footer twice; and anything else behind it.
  file = image.file;
  const bytes twice(file.begin() + static_cast<std::ptrdiff_t>(footer - 512),
                    file.begin() + static_cast<std::ptrdiff_t>(footer + 512));
  insert_sector(file, footer + 512, twice);
  CHECK(why_not(file) == image_failure(errc::marker_invalid, footer + 512));
  for (const std::uint32_t type : {1u, 2u, 4u}) {
    file = image.file;
    bytes more = marker_sector(type == 1 ? 4 : type == 2 ? 1 : 0, type);
    more.resize(type == 1 ? 5 * 512 : type == 2 ? 1024 : 512);
    insert_sector(file, footer + 512, more);
    CHECK(why_not(file) == image_failure(errc::marker_invalid, footer + 512));
  }
}

TEST_CASE("nothing but the footer follows the directory") {
  const stream_image image = build_stream(small_plan(tables_kind::at_end));
  const auto directory = static_cast<std::ptrdiff_t>(image.directory_at);
  const auto behind = [&](const bytes& more) {
    stream_image other = image;
    insert_sector(other.file, image.directory_at + 512, more);
    return why_not(other);
  };
  const failure refused = image_failure(errc::stream_tables_mismatch, image.directory_at + 512);
  const auto begin = image.file.begin();
  CHECK(behind(bytes(begin + directory - 512, begin + directory + 512)) == refused);  // Another.
  bytes empty_table = marker_sector(4, 1);
  empty_table.resize(5 * 512);
  CHECK(behind(empty_table) == refused);
  stream_image other = image;
  other.put(image.marker_at.at(6), 40, 8);
  const auto grain = static_cast<std::ptrdiff_t>(image.marker_at.at(6));
  bytes late(begin + grain, begin + grain + 9 * 512);
  CHECK(behind(late).code != errc::none);
  stream_image_plan plan = small_plan(tables_kind::at_end);
  plan.stored = {0, 2, 3};
  const stream_image fewer = build_stream(plan);
  bytes file = fewer.file;
  insert_sector(file, fewer.directory_at + 512, late);
  CHECK(why_not(file) == image_failure(errc::stream_tables_mismatch, fewer.directory_at + 512));
}

TEST_CASE("a header that knows the directory knows the right one") {
  for (const bool with_footer : {true, false}) {
    stream_image image = build_stream(small_plan(tables_kind::at_end_and_known));
    if (!with_footer) {
      const auto at = image.file.begin() + static_cast<std::ptrdiff_t>(image.footer_at);
      image.file.erase(at - 512, at + 512);
    }
    CHECK(why_not(image) == no_failure);
    image.put(56, image.directory_at / 512 - 1, 8);
    CHECK(why_not(image) == image_failure(errc::stream_tables_mismatch, image.directory_at - 512));
  }
}

TEST_CASE("what is no stream is refused before anything is unpacked") {
  const bytes file = build_stream(small_plan(tables_kind::at_end)).file;
  CHECK(why_not(bytes{}) == image_failure(errc::header_truncated, 0));
  CHECK(why_not(bytes(511)) == image_failure(errc::header_truncated, 0));
  CHECK(why_not(bytes(512)) == image_failure(errc::magic_invalid, 0));
  CHECK(why_not(build_sparse({}).file.bytes()) == source_failure(errc::source_not_seekable, 0));
  const auto with = [&](std::size_t field, unsigned value) {
    bytes other = file;
    other[field] = static_cast<std::byte>(value);
    return why_not(other);
  };
  CHECK(with(4, 4) == image_failure(errc::version_unsupported, 4));
  CHECK(with(4, 1).code == errc::footer_mismatch);
  CHECK(with(10, 1) == image_failure(errc::compression_without_markers, 8));
  CHECK(with(20, 24) == image_failure(errc::grain_size_invalid, 20));
  CHECK(with(77, 0) == image_failure(errc::compression_algorithm_invalid, 77));
  CHECK(with(73, 0x0D) == image_failure(errc::newline_bytes_damaged, 73));
  bytes odd = file;
  odd[100] = std::byte{1};
  CHECK(read_stream(odd, 512, true, strictness::strict).why ==
        image_failure(errc::header_padding_not_zero, 79));
}

/// Tables in front of the descriptor; the header is right.
stream_image tables_before_descriptor() {
  stream_image image = build_stream(small_plan(tables_kind::in_front));
  const bytes text(image.file.begin() + 512, image.file.begin() + 21 * 512);
  const bytes tables(image.file.begin() + 21 * 512, image.file.begin() + 26 * 512);
  copy_bytes(image.file.data() + 512, tables.data(), tables.size());
  copy_bytes(image.file.data() + 6 * 512, text.data(), text.size());
  image.put(28, 6, 8);
  image.put(56, 1, 8);
  image.put(512, 2, 4);
  return image;
}

TEST_CASE("tables in front count, wherever in front they stand") {
  const stream_image image = tables_before_descriptor();
  const outcome out = read_stream(image.file);
  CHECK((out.why == no_failure));
  CHECK((out.disk == image.disk()));
  // All grains cut off.
  CHECK(why_not(byte_view(image.file).first(image.overhead_bytes)) ==
        image_failure(errc::stream_end_missing, image.overhead_bytes));

  // A header whose overhead ends inside the tables: the rest of them is no grain.
  stream_image other = build_stream(small_plan(tables_kind::in_front));
  REQUIRE(other.directory_at == 21 * 512);
  other.put(64, 22, 8);
  CHECK(why_not(byte_view(other.file).first(22 * 512)) ==
        image_failure(errc::stream_end_missing, 22 * 512));
}

TEST_CASE("tables in front stand behind their directory, one after the other") {
  for (const std::uint64_t entry : {21u, 23u, 0x7FFFFFFFu}) {
    stream_image image = build_stream(small_plan(tables_kind::in_front));
    image.put(image.directory_at, entry, 4);
    CHECK(why_not(image) == image_failure(errc::directory_entry_invalid, image.directory_at));
  }
  stream_image image = build_stream(small_plan(tables_kind::in_front));
  image.put(image.directory_at + 4, 26, 4);  // A second table, of a disk that has one.
  CHECK(why_not(image) == image_failure(errc::directory_entry_invalid, image.directory_at + 4));
  image = build_stream(small_plan(tables_kind::in_front));
  image.put(image.directory_at, 0, 4);  // No table, but grains.
  CHECK(why_not(image).code == errc::stream_tables_mismatch);
}

TEST_CASE("an overhead beyond all sectors is no small one") {
  stream_image image = build_stream(small_plan(tables_kind::at_end));
  for (const std::uint64_t at : {std::uint64_t{64}, image.footer_at + 64}) {
    image.put(at, std::uint64_t{1} << 55, 8);
  }
  CHECK(why_not(image) == image_failure(errc::stream_end_missing, image.file.size()));
}

}  // namespace

}  // namespace stream_rules_test
