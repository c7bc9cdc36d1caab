// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/io/concepts.hpp"

#include <catch2/catch.hpp>

namespace concepts_test {
namespace {

using namespace vmdk;

// Archetypes: the least that satisfies each concept, and near misses that must not.

struct source {
  std::uint64_t size() const noexcept;
  failure read_at(std::uint64_t, byte_span) noexcept;
};
static_assert(Source<source> && !SparseSource<source> && !MappedSource<source>);

struct source_that_throws {
  std::uint64_t size() const noexcept;
  failure read_at(std::uint64_t, byte_span);
};
struct source_without_const_size {
  std::uint64_t size() noexcept;
  failure read_at(std::uint64_t, byte_span) noexcept;
};
struct source_with_32_bits {
  std::uint32_t size() const noexcept;
  failure read_at(std::uint64_t, byte_span) noexcept;
};
struct source_that_drops_failures {
  std::uint64_t size() const noexcept;
  void read_at(std::uint64_t, byte_span) noexcept;
};
struct source_that_cannot_fill {
  std::uint64_t size() const noexcept;
  failure read_at(std::uint64_t, std::span<std::byte, 512>) noexcept;
};
static_assert(!Source<source_that_throws> && !Source<source_without_const_size> &&
              !Source<source_with_32_bits> && !Source<source_that_drops_failures> &&
              !Source<source_that_cannot_fill> && !Source<int>);

struct sparse_source : source {
  result<range> next_data(std::uint64_t) noexcept;
};
struct sparse_source_without_failure : source {
  range next_data(std::uint64_t) noexcept;
};
struct holes_without_source {
  result<range> next_data(std::uint64_t) noexcept;
};
static_assert(SparseSource<sparse_source>);
static_assert(!SparseSource<sparse_source_without_failure> &&
              Source<sparse_source_without_failure>);
static_assert(!SparseSource<holes_without_source>);

struct mapped_source : source {
  byte_view view(std::uint64_t, std::size_t) noexcept;
};
struct writable_mapped_source : source {
  byte_span view(std::uint64_t, std::size_t) noexcept;
};
static_assert(MappedSource<mapped_source> && !MappedSource<writable_mapped_source>);

struct sequential_source {
  result<std::size_t> read(byte_span) noexcept;
};
struct sequential_source_that_throws {
  result<std::size_t> read(byte_span);
};
struct sequential_source_without_failure {
  std::size_t read(byte_span) noexcept;
};
static_assert(SequentialSource<sequential_source> && !Source<sequential_source>);
static_assert(!SequentialSource<sequential_source_that_throws> &&
              !SequentialSource<sequential_source_without_failure> && !SequentialSource<source>);

struct sink {
  failure write(byte_view) noexcept;
};
struct sink_of_writable_bytes {
  failure write(byte_span) noexcept;
};
struct sink_that_throws {
  failure write(byte_view);
};
static_assert(Sink<sink> && !SeekableSink<sink> && !HoleSink<sink> && !Flushable<sink>);
static_assert(!Sink<sink_of_writable_bytes> && !Sink<sink_that_throws> && !Sink<source>);

struct seekable_sink : sink {
  failure write_at(std::uint64_t, byte_view) noexcept;
  failure resize(std::uint64_t) noexcept;
};
struct seekable_sink_of_fixed_size : sink {
  failure write_at(std::uint64_t, byte_view) noexcept;
};
struct seekable_without_write {
  failure write_at(std::uint64_t, byte_view) noexcept;
  failure resize(std::uint64_t) noexcept;
};
static_assert(SeekableSink<seekable_sink>);
static_assert(!SeekableSink<seekable_sink_of_fixed_size> && !SeekableSink<seekable_without_write>);

struct hole_sink : sink {
  failure skip(std::uint64_t) noexcept;
};
struct hole_sink_that_throws : sink {
  failure skip(std::uint64_t);
};
static_assert(HoleSink<hole_sink> && !HoleSink<hole_sink_that_throws>);

struct storage : source, seekable_sink {
  failure flush() noexcept;
};
struct storage_without_barrier : source, seekable_sink {};
static_assert(Storage<storage> && Flushable<storage>);
static_assert(!Storage<storage_without_barrier> && !Storage<seekable_sink> && !Storage<source>);

struct files {
  result<file_id> open(std::string_view) noexcept;
  std::uint64_t size(file_id) const noexcept;
  failure read_at(file_id, std::uint64_t, byte_span) noexcept;
};
struct files_of_c_strings {
  result<file_id> open(const char*) noexcept;
  std::uint64_t size(file_id) const noexcept;
  failure read_at(file_id, std::uint64_t, byte_span) noexcept;
};
struct files_without_size {
  result<file_id> open(std::string_view) noexcept;
  failure read_at(file_id, std::uint64_t, byte_span) noexcept;
};
static_assert(Files<files> && !Files<files_of_c_strings> && !Files<files_without_size>);

struct sink_directory {
  using sink_type = seekable_sink;
  result<seekable_sink*> create(std::string_view) noexcept;
  failure commit() noexcept;
  void abort() noexcept;
};
struct sink_directory_of_pipes {
  using sink_type = sink;
  result<sink*> create(std::string_view) noexcept;
  failure commit() noexcept;
  void abort() noexcept;
};
struct sink_directory_without_abort {
  using sink_type = seekable_sink;
  result<seekable_sink*> create(std::string_view) noexcept;
  failure commit() noexcept;
};
static_assert(SinkDirectory<sink_directory>);
static_assert(!SinkDirectory<sink_directory_of_pipes> &&
              !SinkDirectory<sink_directory_without_abort>);

constexpr bool range_knows_its_end() {
  return range{3, 4}.end() == 7 && range{3, 4} == range{3, 4} && !(range{3, 4} == range{3, 5});
}
static_assert(range_knows_its_end());

}  // namespace

TEST_CASE("a range knows its end") { CHECK(range_knows_its_end()); }

}  // namespace concepts_test
