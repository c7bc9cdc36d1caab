// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <random>
#include <utility>
#include <vector>

#include "tests/support/paged_file.hpp"
#include "vmdk/io/generator.hpp"
#include "vmdk/io/memory.hpp"
#include "vmdk/writer/sparse.hpp"

namespace writer_testing {

using namespace vmdk;
using namespace testing_support;

using any_grain = monolithic_sparse<dynamic_grain>;
using contents = std::vector<std::byte>;

/// A source that cannot be seen in place and knows no holes.
inline auto plain_source(const contents& disk) {
  return generator_source(disk.size(), [&disk](std::uint64_t offset, byte_span out) {
    copy_bytes(out.data(), disk.data() + offset, out.size());
  });
}

/// Claims data in some ranges only, and shows something else than zeros nowhere else.
class holey_source {
 public:
  holey_source(const contents& disk, std::vector<range> data)
      : disk_(&disk), data_(std::move(data)) {}

  std::uint64_t size() const noexcept { return disk_->size(); }
  failure read_at(std::uint64_t offset, byte_span out) noexcept {
    return memory_source(byte_view(*disk_)).read_at(offset, out);
  }
  result<range> next_data(std::uint64_t offset) noexcept {
    if (offset > size()) return source_failure(errc::out_of_range, offset);
    for (const range& r : data_) {
      if (r.end() <= offset) continue;
      const std::uint64_t from = larger_of(offset, r.offset);
      return range{from, r.end() - from};
    }
    return range{size(), 0};
  }

 private:
  const contents* disk_;
  std::vector<range> data_;
};
static_assert(SparseSource<holey_source>);

/// The runs of a disk that are not zero, each in pieces of at most `piece` bytes.
inline std::vector<range> runs_of(const contents& disk, std::uint64_t piece) {
  std::vector<range> runs;
  for (std::size_t at = 0; at < disk.size();) {
    std::size_t end = at;
    while (end < disk.size() && disk[end] != std::byte{0} && end - at < piece) ++end;
    if (end != at) runs.push_back({at, end - at});
    at = larger_of(end, at + 1);
    if (end == at || disk[at - 1] != std::byte{0}) at = end;
  }
  return runs;
}

/// A stream over memory, a few bytes at a time.
class trickle {
 public:
  explicit trickle(const contents& disk) : disk_(&disk) {}
  result<std::size_t> read(byte_span out) noexcept {
    const std::size_t n = std::min({out.size(), disk_->size() - at_, std::size_t{1000}});
    copy_bytes(out.data(), disk_->data() + at_, n);
    at_ += n;
    return n;
  }

 private:
  const contents* disk_;
  std::size_t at_ = 0;
};

inline contents disk_of(std::size_t bytes, std::initializer_list<range> data) {
  contents disk(bytes);
  std::mt19937_64 random(bytes);
  for (const range& r : data) {
    for (std::uint64_t i = r.offset; i < r.end() && i < bytes; ++i) {
      disk[static_cast<std::size_t>(i)] = static_cast<std::byte>(random() | 1);
    }
  }
  return disk;
}

/// Writes a disk into a file that can seek.
template <class S>
contents seekable(S& source, const write_options& options, byte_span buffer) {
  paged_file file;
  workspace<any_grain> memory{{}, buffer};
  const auto report = write<any_grain>(source, file, options, memory);
  REQUIRE(report.error() == no_failure);
  CHECK(report->file_bytes == file.size());
  CHECK(report->source_bytes == source.size());
  return file.bytes();
}

}  // namespace writer_testing
