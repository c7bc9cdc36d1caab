// SPDX-License-Identifier: BSD-2-Clause
// A stranger's stream, read front to back in pieces of any size: safely, in one way whatever the
// pieces, and to the disk that a reader at random sees. Input: a bundle of one file.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "bundle.hpp"
#include "checked.hpp"
#include "demand.hpp"
#include "vmdk/codec/inflate.hpp"
#include "vmdk/io/memory.hpp"
#include "vmdk/reader/sparse_extent.hpp"
#include "vmdk/reader/stream.hpp"

namespace {

using namespace vmdk;
using fuzzing::demand;
using fuzzing::generator;
using bytes = std::vector<std::byte>;

constexpr std::uint32_t largest_grain_bytes = 1 << 18;
constexpr std::size_t most_expanded_bytes = std::size_t{1} << 20;

/// Gives so many bytes at a time, or a few; after the end it must not be asked again and again.
class pieces_source {
 public:
  pieces_source(byte_view content, generator* random) : left_(content), random_(random) {}
  result<std::size_t> read(byte_span out) noexcept {
    demand(!out.empty(), "a source is not asked for nothing");
    std::size_t n = std::min(out.size(), left_.size());
    if (random_ != nullptr && n > 1) n = 1 + random_->below(n);
    if (n == 0) demand(++ends_ < 4, "a stream that has ended is not read on and on");
    copy_bytes(out.data(), left_.data(), n);
    left_ = left_.subspan(n);
    return n;
  }

 private:
  byte_view left_;
  generator* random_;
  int ends_ = 0;
};

/// What reading a stream gave.
struct outcome {
  failure why;
  bool opened = false;
  bool ended = false;  ///< Else it went wrong, or was too much to expand.
  std::uint64_t size = 0;
  sparse_geometry geometry{};
  std::map<std::uint64_t, bytes> grains;  ///< By their offset on the disk.
};

template <class D>
outcome read_stream(byte_view file, generator* random, strictness mode) {
  static const auto decoder = std::make_unique<D>();
  outcome seen;
  pieces_source source(file, random);
  stream_reader<pieces_source> reader(source);
  seen.why = reader.open({}, mode).error();
  if (seen.why) return seen;
  seen.opened = true;
  seen.size = reader.size();
  seen.geometry = reader.geometry();
  demand(seen.size != 0, "a stream has a size");
  const std::uint32_t grain_bytes = reader.geometry().grain_bytes();
  if (grain_bytes > largest_grain_bytes) return seen;
  bytes input(512);
  std::size_t expanded_bytes = 0;
  std::uint64_t next_offset = 0;
  for (;;) {
    const auto grain = reader.next();
    seen.why = grain.error();
    if (seen.why) break;
    if (grain->data_bytes == 0) {
      seen.ended = true;
      const auto again = reader.next();
      demand(again.ok() && again->data_bytes == 0, "a stream that has ended stays so");
      return seen;
    }
    demand(grain->disk_offset >= next_offset && grain->disk_offset < seen.size,
           "grains ascend, inside the disk");
    next_offset = grain->disk_offset + grain_bytes;
    if ((expanded_bytes += grain_bytes) > most_expanded_bytes) return seen;
    bytes& out = seen.grains[grain->disk_offset];
    out.resize(grain_bytes);
    seen.why = reader.expand(*decoder, input, out);
    if (seen.why) {
      seen.grains.erase(grain->disk_offset);
      break;
    }
  }
  demand(reader.next().error() == seen.why, "a stream stays failed");
  demand(seen.why.from == origin::image || seen.why.from == origin::codec,
         "a failure to read a stream is the stream's own");
  return seen;
}

/// What a reader at random has in place of a grain; false where it fails or reads zeros.
bool read_at_random(memory_source& file, const sparse_extent& extent, std::uint64_t offset,
                    bytes& out) {
  static const auto decoder = std::make_unique<vmdk::inflate>();
  static bytes directory(512);
  static bytes table(512);
  table_cache cache{window_cache(directory), window_cache(table)};
  const auto found = extent.map(file, offset, cache);
  if (!found || found->where != placement::compressed) return false;
  bytes input(4096);
  return !read_compressed_grain(file, file.size(), extent, found->file_offset, offset, input,
                                *decoder, out);
}

void compare_with_random(byte_view bytes_of_file, const outcome& seen) {
  memory_source file(bytes_of_file);
  const auto extent = sparse_extent::open(file, file.size(), strictness::tolerant);
  if (!extent) return;
  demand(extent->capacity_bytes() == seen.size &&
             extent->geometry().grain_bytes() == seen.geometry.grain_bytes(),
         "both readers see one disk");
  bytes out(seen.geometry.grain_bytes());
  for (const auto& [offset, content] : seen.grains) {
    if (!read_at_random(file, *extent, offset, out)) continue;
    const auto exists =
        static_cast<std::ptrdiff_t>(smaller_of<std::uint64_t>(out.size(), seen.size - offset));
    demand(std::equal(out.begin(), out.begin() + exists, content.begin()),
           "a grain holds the same for both readers");
  }
}

/// What a check finds no fault with reads as one disk, whichever way it is read.
void compare_with_check(byte_view bytes_of_file, const outcome& seen, const outcome& strict) {
  memory_source file(bytes_of_file);
  single_file<memory_source> files(file);
  const auto said = fuzzing::check_with_room(files, file_id{}, std::size_t{1} << 16);
  const bool is_flawless = said.accepted(strictness::strict) && said.summary.notes == 0;
  if (is_flawless) {
    demand(!seen.why && !strict.why, "a stream without a flaw can be read in sequence", said);
  }
  if (!seen.ended || !said.accepted(strictness::tolerant)) return;
  demand(said.summary.stored_grains == seen.grains.size(),
         "a sound stream has the same grains in sequence as at random", said);
  const auto extent = sparse_extent::open(file, file.size(), strictness::tolerant);
  demand(extent.ok(), "a sound stream can be opened", said);
  bytes out(seen.geometry.grain_bytes());
  for (const auto& [offset, content] : seen.grains) {
    demand(read_at_random(file, *extent, offset, out), "a sound stream can be read at random",
           said);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = std::as_bytes(std::span(data, size));
  const fuzzing::bundle bundle(input);
  const byte_view file = bundle.files().front().bytes;
  generator random(input);
  const outcome whole = read_stream<vmdk::inflate>(file, nullptr, strictness::tolerant);
  const outcome pieces = read_stream<small_inflate>(file, &random, strictness::tolerant);
  demand(whole.why == pieces.why && whole.ended == pieces.ended && whole.grains == pieces.grains,
         "pieces change nothing");
  const outcome strict = read_stream<vmdk::inflate>(file, &random, strictness::strict);
  demand(!strict.ended || whole.ended, "a tolerant reader takes what a strict one does");
  if (!whole.opened || whole.geometry.grain_bytes() > largest_grain_bytes) return 0;
  compare_with_random(file, whole);
  compare_with_check(file, whole, strict);
  return 0;
}
