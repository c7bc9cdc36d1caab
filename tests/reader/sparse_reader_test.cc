// SPDX-License-Identifier: BSD-2-Clause
// The forms of monolithicSparse that are read.
#include "vmdk/reader/sparse.hpp"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "tests/support/image_builder.hpp"
#include "vmdk/io/memory.hpp"
#include "vmdk/layout/sparse.hpp"

namespace sparse_reader_test {
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

TEST_CASE("entries past the capacity do no harm") {
  sparse_image image = build_sparse({.stored = {0}});
  for (std::uint64_t i = 64; i < 512; ++i) {
    image.file.put_number(image.table_entry_at(0) + 4 * i, 0xFFFFFFFF, 4);
  }
  CHECK(is_read_with_any_memory(image, strictness::strict));
}

}  // namespace sparse_reader_test
