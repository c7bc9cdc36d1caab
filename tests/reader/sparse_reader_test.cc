// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/reader/sparse.hpp"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/support/image_builder.hpp"
#include "vmdk/io/counting.hpp"
#include "vmdk/io/memory.hpp"
#include "vmdk/layout/sparse.hpp"

namespace {

using namespace vmdk;
using namespace testing_support;

static_assert(SparseSource<sparse_reader<memory_source>>);

/// The smallest image there is: one grain of data in a disk of three, built in a constant
/// expression.
constexpr std::size_t tiny_bytes = 32 * 512 + 8 * 512;
constexpr std::array<std::byte, tiny_bytes> tiny_image() {
  std::array<std::byte, tiny_bytes> bytes{};
  const sparse_layout plan =
      sparse_layout::for_capacity(20 * 512, {.grain_sectors = 8, .capacity = capacity_rule::exact})
          .value();
  const sector_image header = encode(plan.make_header());
  copy_bytes(bytes.data(), header.data(), header.size());
  store_le<std::uint32_t>(bytes.data() + plan.directory().first_byte(), plan.table_sector(0));
  store_le<std::uint32_t>(bytes.data() + plan.tables().first_byte() + 4, 32u);
  for (std::size_t i = 0; i < 8 * 512; ++i) {
    bytes.data()[32 * 512 + i] = static_cast<std::byte>(i / 512 + 1);
  }
  return bytes;
}

constexpr bool a_constant_image_is_read() {
  const auto bytes = tiny_image();
  memory_source source(bytes);
  sparse_reader_memory<> memory;
  auto reader = sparse_reader<memory_source>::open(source, memory, strictness::tolerant);
  bool ok = reader.ok() && reader->size() == 20 * 512;
  std::array<std::byte, 1024> out{};
  ok = ok && !reader->read_at(7 * 512, out) && out[511] == std::byte{0} && out[512] == std::byte{1};
  ok = ok && !reader->read_at(15 * 512, out) && out[0] == std::byte{8} && out[512] == std::byte{0};
  ok = ok && !reader->read_at(20 * 512, {}) && !reader->read_at(18 * 512, out);
  ok = ok && reader->read_at(18 * 512 + 1, out) == source_failure(errc::out_of_range, 18 * 512 + 1);
  ok = ok && reader->next_data(0) == range{8 * 512, 8 * 512};
  ok = ok && reader->next_data(9 * 512) == range{9 * 512, 7 * 512};
  ok = ok && reader->next_data(16 * 512) == range{20 * 512, 0};
  ok = ok && reader->next_data(20 * 512) == range{20 * 512, 0};
  ok = ok &&
       reader->next_data(20 * 512 + 1).error() == source_failure(errc::out_of_range, 20 * 512 + 1);
  // Its disk is no whole number of grains.
  const auto strict = sparse_reader<memory_source>::open(source, memory, strictness::strict);
  return ok && strict.error() == image_failure(errc::capacity_not_whole_grains, 12);
}
static_assert(a_constant_image_is_read());

constexpr bool an_unopened_reader_is_empty() {
  sparse_reader<memory_source> reader;
  std::array<std::byte, 1> out{};
  bool ok = reader.size() == 0 && !reader.read_at(0, {});
  ok = ok && reader.read_at(0, out) == source_failure(errc::out_of_range, 0);
  return ok && reader.next_data(0) == range{0, 0};
}
static_assert(an_unopened_reader_is_empty());

template <class Reader>
bool reads_as_planned(const sparse_image& image, Reader& reader, std::uint64_t offset,
                      std::size_t n) {
  // A block of the exact size, so that a sanitizer sees a byte too many.
  const auto out = std::make_unique<std::byte[]>(n);
  if (reader.read_at(offset, byte_span(out.get(), n))) return false;
  for (std::size_t i = 0; i < n; ++i) {
    if (out[i] != image.disk_byte(offset + i)) return false;
  }
  return true;
}

/// Reads around the ends of grains, of the disk, and at random places, in many sizes; and walks the
/// data.
template <std::size_t DirectoryBytes, std::size_t TableBytes>
bool is_read_in_full(sparse_image& image, strictness mode) {
  sparse_reader_memory<DirectoryBytes, TableBytes> memory;
  auto opened = sparse_reader<paged_file>::open(image.file, memory, mode);
  if (!opened || opened->size() != image.disk_bytes()) return false;
  auto& reader = *opened;
  const std::uint64_t size = reader.size();
  std::mt19937_64 random(3);

  bool ok = true;
  const auto probe = [&](std::uint64_t offset, std::uint64_t n) {
    if (offset < size)
      ok = ok && reads_as_planned(image, reader, offset, std::min(n, size - offset));
  };
  probe(0, 9000);
  probe(size - std::min<std::uint64_t>(size, 9000), 9000);
  for (const auto& [grain, at] : image.grain_at) {
    const std::uint64_t begin = grain * image.grain_bytes();
    probe(begin < 700 ? 0 : begin - 700, 1400);
    probe(begin + image.grain_bytes() - 1, 2);
    probe(begin + random() % image.grain_bytes(), 1 + random() % 3000);
  }
  for (int i = 0; i < 30; ++i) probe(random() % size, 1 + random() % 5000);
  ok = ok && reader.read_at(size, {}) == no_failure;
  std::byte one{};
  ok = ok && reader.read_at(size, byte_span(&one, 1)) == source_failure(errc::out_of_range, size);

  // All the data is found, nothing else, in order, from the ends of what was found.
  std::uint64_t found_bytes = 0;
  for (std::uint64_t at = 0;;) {
    const auto data = reader.next_data(at);
    if (!data || data->offset < at || data->end() > size) return false;
    if (data->bytes == 0) {
      ok = ok && data->offset == size;
      break;
    }
    ok = ok && image.holds(data->offset) && image.holds(data->end() - 1);
    found_bytes += data->bytes;
    at = data->end();
  }
  std::uint64_t stored_bytes = 0;
  for (const auto& [grain, at] : image.grain_at) stored_bytes += image.used_sectors(grain) * 512;
  return ok && found_bytes == stored_bytes;
}

bool is_read_with_any_memory(sparse_image& image, strictness mode) {
  return is_read_in_full<512, 512>(image, mode) && is_read_in_full<8192, 2048>(image, mode);
}

struct variant {
  std::string name;
  sparse_image_plan plan;
  bool strict = true;  ///< Whether a strict reader takes it.
};

std::vector<variant> variants() {
  const std::vector<std::uint64_t> some{0, 3, 4, 5, 63, 31, 30};
  const sparse_image_plan usual{.stored = some};
  std::vector<variant> all;
  const auto add = [&](std::string name, bool strict, auto change) {
    variant v{std::move(name), usual, strict};
    change(v.plan);
    all.push_back(std::move(v));
  };
  add("as VMware writes it", true, [](auto&) {});
  add("primary directory first", true, [](auto& p) { p.copies = table_copies::primary_first; });
  add("no redundant directory", true, [](auto& p) { p.copies = table_copies::primary_only; });
  add("shared directory", false, [](auto& p) { p.copies = table_copies::shared; });
  add("one-sector descriptor", true, [](auto& p) { p.descriptor_sectors = 1; });
  add("no descriptor", true, [](auto& p) { p.descriptor_sectors = 0; });
  add("nothing stored", true, [](auto& p) { p.stored.clear(); });
  add("version 3", true, [](auto& p) { p.version = 3; });
  add("version 2 with zeroed grains", true, [](auto& p) {
    p.version = 2;
    p.more_flags = 4;
    p.zeroed = {1, 2, 62};
  });
  add("zeroed grains in version 1", false, [](auto& p) {
    p.more_flags = 4;
    p.zeroed = {1, 2, 62};
  });
  add("unclean", false, [](auto& p) { p.unclean = true; });
  add("overhead 0", false, [](auto& p) { p.overhead_zero = true; });
  add("grains in any order", true, [](auto& p) { std::reverse(p.stored.begin(), p.stored.end()); });
  add("grains at any sector", true, [](auto& p) {
    p.grain_alignment_sectors = 1;
    p.grain_gap_sectors = 3;
  });
  add("capacity unaligned", false, [](auto& p) { p.capacity_sectors = 1024 - 9; });
  add("capacity unaligned, last grain cut", false, [](auto& p) {
    p.capacity_sectors = 1024 - 9;
    p.stored = {0, 7, 63};
    p.last_grain_cut = true;
  });
  add("one sector", false, [](auto& p) {
    p.capacity_sectors = 1;
    p.stored = {0};
  });
  const auto many_tables = [](auto& p) {
    p.capacity_sectors = 512 * 16 * 130;
    p.stored = {0, 511, 512, 513, 1023, 512 * 127, 512 * 128 - 1, 512 * 128, 512 * 129 + 511};
  };
  add("many tables", true, many_tables);
  add("many tables, missing where empty", true, [&](auto& p) {
    many_tables(p);
    p.empty_tables_missing = true;
  });
  add("tables apart", true, [&](auto& p) {
    many_tables(p);
    p.table_gap_sectors = 5;
  });
  add("tables reversed", true, [&](auto& p) {
    many_tables(p);
    p.tables_reversed = true;
  });
  for (std::uint64_t grain = 1; grain <= 1u << 21; grain *= 2) {
    add("grain of " + std::to_string(grain), grain >= 8 && grain <= 2048, [&](auto& p) {
      p.grain_sectors = grain;
      p.capacity_sectors = 3 * grain;
      p.stored = {2, 0};
      if (grain < 256) {
        p.capacity_sectors = 600 * grain;
        p.stored = {0, 1, 2, 3, 511, 512, 599, 77};
      }
    });
    add("grain of " + std::to_string(grain) + ", disk shorter", grain == 1, [&](auto& p) {
      p.grain_sectors = grain;
      p.capacity_sectors = grain == 1 ? 1 : grain - 1;
      p.stored = {0};
      p.last_grain_cut = true;
    });
    if (grain == 1) all.back().strict = false;
  }
  return all;
}

/// What opening an image says.
failure open_error(paged_file& file, strictness mode = strictness::tolerant) {
  sparse_reader_memory<> memory;
  return sparse_reader<paged_file>::open(file, memory, mode).error();
}

}  // namespace

TEST_CASE("an image in a constant expression is read") {
  CHECK(a_constant_image_is_read());
  CHECK(an_unopened_reader_is_empty());
}

TEST_CASE("all forms of monolithicSparse that others write are read") {
  for (const variant& v : variants()) {
    INFO(v.name);
    sparse_image image = build_sparse(v.plan);
    CHECK(is_read_with_any_memory(image, strictness::tolerant));
    CHECK(is_read_in_full<512, 512>(image, strictness::strict) == v.strict);
  }
}

TEST_CASE("the file may end where the disk ends, and not before") {
  sparse_image image =
      build_sparse({.capacity_sectors = 1024 - 9, .stored = {0, 63}, .last_grain_cut = true});
  const std::uint64_t last = image.grain_at.at(63);
  REQUIRE(image.file.size() == last + 7 * 512);
  sparse_reader_memory<> memory;
  REQUIRE_FALSE(image.file.resize(image.file.size() - 1));
  auto reader = sparse_reader<paged_file>::open(image.file, memory);
  REQUIRE(reader);
  std::array<std::byte, 1> out{};
  CHECK(reader->read_at(63 * 16 * 512, out) ==
        image_failure(errc::grain_past_end, image.table_entry_at(63)));
  CHECK_FALSE(reader->read_at(0, out));
}

TEST_CASE("every bad entry is told, where it is, and does not stick") {
  const sparse_image good =
      build_sparse({.capacity_sectors = 16 * 512 * 3, .stored = {0, 1, 512, 1535}});
  const std::uint64_t file_sectors = good.file.size() / 512;
  const std::uint64_t overhead = good.overhead_bytes / 512;
  const std::uint64_t directory = good.directory_at / 512;
  const std::uint64_t entry = good.table_entry_at(1);
  const std::uint64_t directory_entry = good.directory_entry_at(512);
  struct damage {
    std::uint64_t at;
    std::uint64_t value;
    errc code;  ///< none: fine.
  };
  const damage all[] = {
      {entry, 1, errc::grain_zeroed_not_allowed},
      {entry, 2, errc::grain_below_overhead},
      {entry, overhead - 1, errc::grain_below_overhead},
      {entry, overhead, errc::none},
      {entry, file_sectors - 16, errc::none},
      {entry, file_sectors - 15, errc::grain_past_end},
      {entry, file_sectors, errc::grain_past_end},
      {entry, 0x7FFFFFFF, errc::grain_past_end},
      {entry, 0xFFFFFFFF, errc::grain_past_end},
      {directory_entry, 1, errc::directory_entry_invalid},
      {directory_entry, 20, errc::directory_entry_invalid},
      {directory_entry, directory - 3, errc::directory_entry_invalid},
      {directory_entry, directory - 4, errc::none},
      {directory_entry, directory, errc::directory_entry_invalid},
      {directory_entry, directory + 1, errc::none},
      {directory_entry, file_sectors - 4, errc::none},
      {directory_entry, file_sectors - 3, errc::directory_entry_invalid},
      {directory_entry, file_sectors, errc::directory_entry_invalid},
      {directory_entry, 0xFFFFFFFC, errc::directory_entry_invalid},
      {directory_entry, 0xFFFFFFFF, errc::directory_entry_invalid},
  };
  for (const damage& d : all) {
    INFO(d.at << " = " << d.value);
    sparse_image image = good;
    image.file.put_number(d.at, d.value, 4);
    sparse_reader_memory<> memory;
    auto reader = sparse_reader<paged_file>::open(image.file, memory);
    REQUIRE(reader);
    const std::uint64_t grain = d.at == entry ? 1 : 512;
    const std::uint64_t bad = grain * 8192;
    std::array<std::byte, 3> out{};
    for (int round = 0; round < 2; ++round) {
      const failure why = reader->read_at(bad, out);
      if (d.code == errc::none) {
        // The bytes of a table read as sector numbers of grains may be anything.
        if (d.at == entry) CHECK_FALSE(why);
      } else {
        CHECK(why == image_failure(d.code, d.at));
        CHECK(reader->next_data(bad).error() == why);
        // A read that only touches the bad grain fails alike; its neighbours do not.
        CHECK(reader->read_at(bad + 8190, out) == why);
        CHECK(reader->read_at(bad - 1, out) == why);
      }
      CHECK(reads_as_planned(image, *reader, 0, 8192));
      CHECK(reads_as_planned(image, *reader, 1024 * 8192, 4096));
      CHECK(reads_as_planned(image, *reader, 1535 * 8192, 8192));
      CHECK(reads_as_planned(image, *reader, 511 * 8192, 8192));
    }
  }
}

TEST_CASE("entries past the capacity do no harm") {
  sparse_image image = build_sparse({.stored = {0}});
  for (std::uint64_t i = 64; i < 512; ++i) {
    image.file.put_number(image.table_entry_at(0) + 4 * i, 0xFFFFFFFF, 4);
  }
  CHECK(is_read_with_any_memory(image, strictness::strict));
}

TEST_CASE("what is no such image is not opened") {
  sparse_image image = build_sparse({.stored = {0}});
  const auto damaged = [&](std::uint64_t at, std::uint64_t value, std::size_t n) {
    paged_file file = image.file;
    file.put_number(at, value, n);
    return open_error(file);
  };
  CHECK(damaged(0, 0, 4) == image_failure(errc::magic_invalid, 0));
  CHECK(damaged(12, 0, 8) == image_failure(errc::capacity_zero, 12));
  CHECK(damaged(12, std::uint64_t{1} << 50, 8) ==
        image_failure(errc::directory_offset_invalid, 56));
  CHECK(damaged(56, 0xFFFFFFFFFFFFFFFF, 8) == image_failure(errc::footer_missing, 56));
  for (const std::uint64_t size : {0u, 1u, 511u}) {
    paged_file file(size);
    CHECK(open_error(file) == image_failure(errc::header_truncated, 0));
  }
  paged_file zeros(100000);
  CHECK(open_error(zeros) == image_failure(errc::magic_invalid, 0));
  // Cut anywhere in its metadata.
  for (std::uint64_t size = 512; size < image.overhead_bytes - 511; size += 512) {
    paged_file file = image.file;
    REQUIRE_FALSE(file.resize(size));
    CHECK(open_error(file));
  }
}

TEST_CASE("failures of the source come back as they are, and do not stick") {
  const sparse_image image = build_sparse({.capacity_sectors = 16 * 1024, .stored = {0, 1, 600}});
  struct failing_source {
    const paged_file* file;
    std::uint64_t calls_left;

    std::uint64_t size() const noexcept { return file->size(); }
    failure read_at(std::uint64_t offset, byte_span out) noexcept {
      if (calls_left-- == 0) {
        for (std::byte& b : out) b = std::byte{0xEE};
        return source_failure(errc::read_failed, offset, 5);
      }
      return file->read_at(offset, out);
    }
  };
  bool done = false;
  for (std::uint64_t n = 0; !done; ++n) {
    REQUIRE(n < 20);
    failing_source source{&image.file, n};
    sparse_reader_memory<> memory;
    auto reader = sparse_reader<failing_source>::open(source, memory);
    if (!reader) {
      CHECK(reader.error() == source_failure(errc::read_failed, 0, 5));
      continue;
    }
    done = true;
    for (const std::uint64_t offset : {0u, 8192u, 600u * 8192u}) {
      std::array<std::byte, 600> out{};
      if (const failure why = reader->read_at(offset, out)) {
        done = false;
        CHECK(why.code == errc::read_failed);
        CHECK(why.from == origin::source);
        CHECK(why.detail == 5);
        // What was remembered before is not mixed up with what the failed read left behind.
        for (const std::uint64_t again : {std::uint64_t{0}, offset}) {
          REQUIRE_FALSE(reader->read_at(again, out));
          CHECK(out[599] == image.disk_byte(again + 599));
        }
      }
      CHECK(out[599] == image.disk_byte(offset + 599));
    }
  }
}

TEST_CASE("a small read takes at most three reads of the file, or two") {
  for (const std::uint64_t grain : {8u, 16u, 128u, 2048u}) {
    std::vector<std::uint64_t> stored;
    std::mt19937_64 random(6);
    const std::uint64_t grains = 512 * 130;
    for (std::uint64_t i = 0; i < 400; ++i) stored.push_back(random() % grains);
    std::sort(stored.begin(), stored.end());
    stored.erase(std::unique(stored.begin(), stored.end()), stored.end());
    const sparse_image image = build_sparse(
        {.capacity_sectors = grains * grain, .grain_sectors = grain, .stored = stored});

    const auto most_reads = [&](auto& memory) {
      counting_source<const paged_file> source(image.file);
      auto reader = sparse_reader<counting_source<const paged_file>>::open(source, memory);
      REQUIRE(reader);
      CHECK(source.read_calls() == 1);  // Opening reads the header alone.
      std::array<std::byte, 4096> out{};
      REQUIRE_FALSE(reader->read_at(0, out));
      std::uint64_t most = 0;
      for (int i = 0; i < 1000; ++i) {
        const std::uint64_t near = stored[random() % stored.size()] * grain * 512;
        const std::uint64_t offset =
            (i % 2 == 0 ? near + random() % (grain * 512) : random() % reader->size()) / 4096 *
            4096;
        source.reset();
        REQUIRE_FALSE(reader->read_at(offset, out));
        most = std::max(most, source.read_calls());
      }
      return most;
    };
    sparse_reader_memory<> least;
    CHECK(most_reads(least) == 3);
    sparse_reader_memory<1024> all_of_the_directory;  // 130 entries of 4 bytes.
    CHECK(most_reads(all_of_the_directory) == 2);
  }
}

TEST_CASE("reading a run takes one read of the file") {
  std::vector<std::uint64_t> stored;
  for (std::uint64_t i = 450; i < 600; ++i) stored.push_back(i);
  const sparse_image image = build_sparse({.capacity_sectors = 16 * 1024, .stored = stored});
  counting_source<const paged_file> source(image.file);
  sparse_reader_memory<512, 2048> memory;
  auto reader = sparse_reader<counting_source<const paged_file>>::open(source, memory);
  REQUIRE(reader);
  source.reset();
  CHECK(reads_as_planned(image, *reader, 450 * 8192 + 5, 149 * 8192));
  CHECK(source.read_calls() == 4);  // The directory, two tables, and all the grains.
}
