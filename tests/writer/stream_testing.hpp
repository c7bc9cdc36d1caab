// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "tests/support/faults.hpp"
#include "tests/support/stream_checker.hpp"
#include "vmdk/codec/stored.hpp"
#include "vmdk/io/memory.hpp"
#include "vmdk/writer/stream.hpp"

namespace stream_testing {

using namespace vmdk;
using stream_checking::stream_checker;
using stream_checking::stream_facts;
using testing_support::failing_file;
using testing_support::failing_source;
using testing_support::failing_stream;
using testing_support::fault;

using contents = std::vector<std::byte>;

struct asked {
  std::uint32_t grain = 128;
  std::size_t bulk_bytes = 0;  ///< More than what is needed.
  write_options options{};
};

/// Writes with memory of the right size.
template <class E = stored, class S, class K>
result<write_report> write_to(S& source, K& sink, const asked& how, E encoder = E{}) {
  using type = stream_optimized<dynamic_grain>;
  const auto memory = std::make_unique<workspace<type, E>>(workspace<type, E>{encoder});
  contents bulk(2 * 512 * how.grain + 512 + how.bulk_bytes);
  contents directory(1 << 16);
  memory->bulk = bulk;
  memory->directory = directory;
  write_options options = how.options;
  options.grain_sectors = how.grain;
  return write<type>(source, sink, options, *memory);
}

struct written {
  contents file;
  write_report report{};
};

template <class E = stored, class S>
written write_file(S& source, const asked& how, E encoder = E{}) {
  fault none;
  failing_file sink(none);
  const auto done = write_to<E>(source, sink, how, encoder);
  REQUIRE(done.error() == no_failure);
  REQUIRE(done->file_bytes == sink.content().size());
  return {sink.content(), *done};
}

template <class E = stored>
written write_disk(const contents& disk, const asked& how, E encoder = E{}) {
  memory_source source{byte_view(disk)};
  return write_file<E>(source, how, encoder);
}

template <class E = stored, class S>
contents write_stream(S& source, const asked& how, E encoder = E{}) {
  fault none;
  failing_stream sink(none);
  const auto done = write_to<E>(source, sink, how, encoder);
  REQUIRE(done.error() == no_failure);
  REQUIRE(done->file_bytes == sink.content().size());
  return sink.content();
}

inline stream_facts facts_of(const contents& file, tables place = tables::at_end) {
  stream_checker checker{byte_view(file)};
  return place == tables::at_end ? checker.check_tables_at_end() : checker.check_tables_in_front();
}

inline bool holds(const stream_facts& facts, const contents& disk) {
  const std::size_t n = disk.size();
  if (facts.disk.size() < n || std::memcmp(facts.disk.data(), disk.data(), n) != 0) return false;
  for (std::size_t i = n; i < facts.disk.size(); ++i) {
    if (facts.disk[i] != 0) return false;
  }
  return true;
}

inline contents random_bytes(std::size_t n, unsigned seed = 1) {
  std::mt19937 random(seed);
  contents bytes(n);
  for (std::byte& b : bytes) b = static_cast<std::byte>(random() & 0xFF);
  return bytes;
}

inline contents text_bytes(std::size_t n) {
  constexpr char text[] = "all work and no play makes a dull disk\n";
  contents bytes(n);
  for (std::size_t i = 0; i < n; ++i)
    bytes[i] = static_cast<std::byte>(text[i % (sizeof text - 1)]);
  return bytes;
}

/// A little data here and there, in three tables of grains of 8 sectors, with holes of whole
/// tables.
inline contents sparse_bytes() {
  contents bytes(7 << 20);
  std::mt19937 random(3);
  for (const std::size_t at : {0u, 4095u, 1000000u, 2096000u, 4194304u, 4700000u}) {
    for (std::size_t i = 0; i < 700; ++i) bytes[at + i] = static_cast<std::byte>(random() & 0xFF);
  }
  return bytes;
}

inline const std::vector<contents>& disks() {
  static const std::vector<contents> all = {
      contents(1, std::byte{7}), contents(512),    random_bytes(513), random_bytes(300000),
      text_bytes(200001),        contents(200000), sparse_bytes()};
  return all;
}

}  // namespace stream_testing
