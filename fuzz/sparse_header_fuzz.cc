// SPDX-License-Identifier: BSD-2-Clause
// A stranger's monolithicSparse file: judged as wide arithmetic judges it, and read without harm.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "tests/support/sparse_oracle.hpp"
#include "vmdk/format/sparse_header_check.hpp"
#include "vmdk/io/memory.hpp"
#include "vmdk/io/padded.hpp"
#include "vmdk/reader/sparse.hpp"

namespace {

using namespace vmdk;

void require(bool holds) {
  if (!holds) std::abort();
}

struct tally {
  bool error = false;
  bool anything = false;

  bool operator()(errc code, std::uint64_t offset) noexcept {
    require(code != errc::none && offset < sector_bytes);
    anything = true;
    error = error || severity_of(code) == severity::error;
    return true;
  }
};

/// Every way of judging a header agrees, with the oracle too.
void judge(const sector_image& bytes, std::uint64_t file_bytes) {
  const sparse_extent_header header = decode_sparse_header(bytes);
  require(encode(header) == bytes);
  tally found;
  const bool usable = check_sparse_header(header, file_bytes, found);
  const failure tolerant = validate(header, file_bytes, strictness::tolerant);
  const failure strict = validate(header, file_bytes, strictness::strict);
  require(usable == !found.error && usable == !tolerant && !strict == !found.anything);
  require(strict || !tolerant);
  const bool is_ours = testing_support::number_at(bytes.data(), 0, 4) == 0x564D444B;
  const auto facts = testing_support::sparse_facts_of(bytes.data(), file_bytes);
  require(usable == (is_ours && file_bytes >= sector_bytes && facts.all()));
}

/// What one reader gives at an offset: bytes, or a failure of the image itself.
template <class Reader>
failure read(Reader& reader, std::uint64_t offset, byte_span out) {
  const std::uint64_t left = reader.size() - offset;
  zero_bytes(out);
  const failure why = reader.read_at(
      offset, out.first(static_cast<std::size_t>(smaller_of<std::uint64_t>(left, out.size()))));
  if (why) {
    require(why.from == origin::image);
    zero_bytes(out);
  }
  return why;
}

/// Readers with little and with much memory, open strictly or not, give the same.
template <Source S>
void read_all_ways(S source) {
  sparse_reader_memory<> little;
  sparse_reader_memory<8192, 4096> much;
  auto first = sparse_reader<S>::open(source, little, strictness::tolerant);
  auto second = sparse_reader<S>::open(source, much, strictness::tolerant);
  require(first.error() == second.error());
  sparse_reader_memory<> unused;
  const auto strict = sparse_reader<S>::open(source, unused, strictness::strict);
  require(!strict || first);
  if (!first) {
    require(first.error().from == origin::image);
    return;
  }
  const std::uint64_t size = first->size();
  require(size == second->size() && size != 0);
  static std::array<std::byte, 5000> a;
  static std::array<std::byte, 5000> b;
  for (std::uint64_t at = 0, n = 0; at < size && n < 16; at += 4999, ++n) {
    require(read(*first, at, a) == read(*second, at, b) && a == b);
    const std::uint64_t from_end = size - smaller_of(size, at + 1);
    require(read(*second, from_end, a) == read(*first, from_end, b) && a == b);
    const std::uint64_t middle = size / 16 * n;
    require(read(*first, middle, a) == read(*second, middle, b) && a == b);
  }
  // A walk is as long as the directory.
  if (first->extent().geometry().table_count() > 64) return;
  for (std::uint64_t at = 0, n = 0; at < size && n < 64; ++n) {
    const auto data = first->next_data(at);
    const auto same = second->next_data(at);
    require(data.error() == same.error());
    if (!data) break;
    // How much of a run is told at once depends on the memory.
    require(data->offset == same->offset && data->offset >= at);
    require(data->end() <= size && same->end() <= size);
    require((data->bytes == 0) == (same->bytes == 0));
    if (data->bytes == 0) break;
    require(!read(*first, data->offset, a) || data->bytes < a.size());
    at = smaller_of(data->end(), same->end());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const byte_view bytes = std::as_bytes(std::span(data, size));
  sector_image header{};
  copy_bytes(header.data(), bytes.data(), smaller_of(size, header.size()));
  for (const std::uint64_t file_bytes :
       {std::uint64_t{size}, std::uint64_t{size} + 1, std::uint64_t{0}, std::uint64_t{1} << 40,
        ~std::uint64_t{0}}) {
    judge(header, file_bytes);
  }
  memory_source file(bytes);
  read_all_ways(file);
  // A huge file, as far as its holes go.
  read_all_ways(padded_source<memory_source>(file, std::uint64_t{1} << 40));
  return 0;
}
