// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

#include "tests/support/stream_image_builder.hpp"
#include "vmdk/codec/inflate.hpp"
#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/reader/stream.hpp"

namespace reader_testing {

using namespace vmdk;
using namespace testing_support;
using bytes = std::vector<std::byte>;
using tables_kind = testing_support::stream_tables;

/// Memory read front to back, at most so many bytes at a time. After a failure it fails for ever.
class piecewise_source {
 public:
  constexpr explicit piecewise_source(byte_view content, std::size_t piece_bytes = 1 << 20) noexcept
      : left_(content), piece_bytes_(piece_bytes) {}

  constexpr result<std::size_t> read(byte_span out) noexcept {
    if (++calls >= failing_call && failing_call != 0)
      return source_failure(errc::read_failed, 9, 5);
    const std::size_t n = smaller_of(smaller_of(out.size(), piece_bytes_), left_.size());
    copy_bytes(out.data(), left_.data(), n);
    left_ = left_.subspan(n);
    return n;
  }

  std::uint64_t calls = 0;
  std::uint64_t failing_call = 0;  ///< Counted from 1; 0: none.

 private:
  byte_view left_;
  std::size_t piece_bytes_;
};
static_assert(SequentialSource<piecewise_source>);

/// A disk of 6 grains and a cut one, 8 sectors each, of which four are stored.
inline stream_image_plan small_plan(tables_kind tables) {
  return {.capacity_sectors = 6 * 8 + 4,
          .grain_sectors = 8,
          .tables = tables,
          .descriptor = "text",
          .stored = {0, 2, 3, 6}};
}

inline constexpr std::initializer_list<tables_kind> all_tables{
    tables_kind::at_end, tables_kind::at_end_and_known, tables_kind::in_front,
    tables_kind::in_front_twice};

inline bool is_in_front(tables_kind tables) {
  return tables == tables_kind::in_front || tables == tables_kind::in_front_twice;
}

/// Puts a sector into a file, before an offset.
inline void insert_sector(bytes& file, std::uint64_t at, const bytes& sector) {
  file.insert(file.begin() + static_cast<std::ptrdiff_t>(at), sector.begin(), sector.end());
}

/// The sector of a marker without data.
inline bytes marker_sector(std::uint64_t value, std::uint32_t type) {
  bytes sector(512);
  for (std::size_t i = 0; i < 8; ++i) sector[i] = static_cast<std::byte>(value >> (8 * i));
  for (std::size_t i = 0; i < 4; ++i) sector[12 + i] = static_cast<std::byte>(type >> (8 * i));
  return sector;
}

/// Replaces a grain's data by the stream of other bytes, which takes as many sectors.
inline void replace_grain(stream_image& image, std::uint64_t grain, const bytes& content) {
  const auto packed = stored_stream(content);
  const std::uint64_t at = image.marker_at.at(grain);
  image.put(at + 8, packed.size(), 4);
  copy_bytes(image.file.data() + at + 12, packed.data(), packed.size());
}

/// What came out of a stream.
struct outcome {
  failure why{};
  bytes disk{};
  std::uint64_t grains = 0;
};

/// Reads a stream with a sector of input; or, without a decoder, drops all data.
inline outcome read_stream(byte_view file, std::size_t piece_bytes = 1 << 20, bool drop = false,
                           strictness mode = strictness::tolerant) {
  piecewise_source source(file, piece_bytes);
  stream_reader<piecewise_source> stream(source);
  small_inflate decoder;
  bytes input(512);
  outcome out;
  const auto opened = stream.open({}, mode);
  out.why = opened.error();
  if (out.why) return out;
  out.disk.resize(static_cast<std::size_t>(stream.size()));
  bytes grain(stream.geometry().grain_bytes());
  for (;; ++out.grains) {
    const auto next = stream.next();
    out.why = next.error();
    if (out.why || next->data_bytes == 0) return out;
    if (drop) continue;
    out.why = stream.expand(decoder, input, grain);
    if (out.why) return out;
    const auto n = smaller_of<std::uint64_t>(grain.size(), out.disk.size() - next->disk_offset);
    copy_bytes(out.disk.data() + next->disk_offset, grain.data(), static_cast<std::size_t>(n));
  }
}
inline failure why_not(byte_view file) { return read_stream(file).why; }
inline failure why_not(const stream_image& image) { return read_stream(image.file).why; }
}  // namespace reader_testing
