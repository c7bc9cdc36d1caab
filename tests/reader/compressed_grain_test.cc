// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/reader/compressed_grain.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <memory>
#include <random>
#include <vector>

#include "tests/support/image_builder.hpp"
#include "tests/support/read_extent.hpp"
#include "tests/support/stream_image_builder.hpp"
#include "vmdk/codec/deflate.hpp"
#include "vmdk/codec/inflate.hpp"
#include "vmdk/codec/libdeflate.hpp"
#include "vmdk/codec/stored.hpp"
#include "vmdk/codec/zlib.hpp"

namespace compressed_grain_test {
namespace {

using namespace vmdk;
using support::watched_file;
using testing_support::content_bytes;
using testing_support::stored_stream;
using bytes = std::vector<std::byte>;

/// An extent of grains of so many sectors, compressed, in a file that ends where it will.
constexpr sparse_extent extent_of(std::uint64_t capacity_sectors, std::uint64_t grain_sectors) {
  sparse_extent_header header{};
  header.flags = 0x30001;
  header.capacity = capacity_sectors;
  header.grain_size = grain_sectors;
  return sparse_extent(header, ~std::uint64_t{0});
}

constexpr bool limits_of_a_marker_are_exact() {
  const sparse_extent extent = extent_of(64, 8);
  constexpr std::uint64_t at = 1024;
  constexpr std::uint64_t huge = std::uint64_t{1} << 40;
  std::array<std::byte, 12> marker{};
  const auto check = [&](std::uint64_t lba, std::uint32_t size, std::uint64_t file_bytes) {
    store_le<std::uint64_t>(marker.data(), lba);
    store_le<std::uint32_t>(marker.data() + 8, size);
    return check_grain_marker(marker.data(), at, extent, 16 * 512, file_bytes);
  };
  bool ok = compressed_size_limit(4096) == 2 * 4096 + 512;
  ok = ok && compressed_size_limit(1u << 30) == (std::uint64_t{1} << 31) + 512;
  const auto good = check(16, 100, at + 112);
  ok = ok && good.ok() && good->data_offset == at + 12 && good->data_bytes == 100;
  ok = ok && check(16, 8704, huge).ok() && check(16, 1, at + 13).ok();
  ok = ok && check(16, 100, at + 111).error() == image_failure(errc::grain_past_end, at);
  ok =
      ok && check(16, 8705, huge).error() == image_failure(errc::marker_size_invalid, at + 8, 8705);
  ok = ok && check(16, 0, huge).error() == image_failure(errc::marker_size_invalid, at + 8);
  for (const std::uint64_t lba : {0u, 8u, 15u, 17u, 24u}) {
    ok = ok && check(lba, 100, huge).error() == image_failure(errc::marker_lba_mismatch, at);
  }
  const std::uint64_t high = 16 + (std::uint64_t{1} << 32);
  return ok && check(high, 100, huge).error() == image_failure(errc::marker_lba_mismatch, at);
}
static_assert(limits_of_a_marker_are_exact());
TEST_CASE("a marker is checked against its place and its limits") {
  CHECK(limits_of_a_marker_are_exact());
}

/// Two sectors of disk in a file of their own: a grain of one sector, and its decoder's least
/// input.
constexpr bool a_constant_grain_is_read() {
  constexpr std::size_t packed = stored::bound(512);
  std::array<std::byte, 12 + packed> file{};
  std::array<std::byte, 512> data{};
  for (std::size_t i = 0; i < 512; ++i) data.data()[i] = static_cast<std::byte>(i * 7);
  store_le<std::uint64_t>(file.data(), std::uint64_t{1});
  store_le<std::uint32_t>(file.data() + 8, static_cast<std::uint32_t>(packed));
  bool ok = stored{}.encode(data, byte_span(file).subspan(12)).ok();
  watched_file source(file);
  std::array<std::byte, 512> input{};
  std::array<std::byte, 512> out{};
  small_inflate decoder;
  ok = ok &&
       !read_compressed_grain(source, file.size(), extent_of(2, 1), 0, 512, input, decoder, out);
  for (std::size_t i = 0; i < 512; ++i) ok = ok && out.data()[i] == data.data()[i];
  return ok && source.reads == 2;  // The rest behind the first sector is one more.
}
static_assert(a_constant_grain_is_read());

/// A grain in a file: its marker at 512, in front of more.
struct grain_file {
  bytes file;
  bytes content;  ///< A whole grain: what a reader gives.
};
constexpr std::uint64_t marker_at = 512;

grain_file build(std::uint64_t lba, const bytes& packed, bytes content, std::size_t behind = 0) {
  grain_file made{bytes(marker_at + 12 + packed.size() + behind, std::byte{0xEE}),
                  std::move(content)};
  store_le<std::uint64_t>(made.file.data() + marker_at, lba);
  store_le<std::uint32_t>(made.file.data() + marker_at + 8,
                          static_cast<std::uint32_t>(packed.size()));
  copy_bytes(made.file.data() + marker_at + 12, packed.data(), packed.size());
  return made;
}

bytes compressible(std::size_t n) {
  bytes data = content_bytes(0, n);
  for (std::size_t i = 0; i < n; ++i) {
    if (i % 700 > 200) data[i] = data[i % 50];
  }
  return data;
}
bytes deflated(const bytes& content, unsigned level) {
  zlib_encoder encoder(level);
  bytes packed(zlib_encoder::bound(content.size()));
  packed.resize(encoder.encode(content, packed).value());
  return packed;
}

/// What a read says and gives, with memory of the exact size.
template <class D>
failure read_with(const grain_file& image, std::size_t input_bytes, bytes& out,
                  std::uint64_t capacity_sectors, std::uint64_t grain_sectors,
                  std::uint64_t grain_offset, int* reads = nullptr) {
  watched_file source(image.file);
  const auto input = std::make_unique<std::byte[]>(input_bytes);
  D decoder;
  const failure why = read_compressed_grain(
      source, image.file.size(), extent_of(capacity_sectors, grain_sectors), marker_at,
      grain_offset, byte_span(input.get(), input_bytes), decoder, out);
  if (reads != nullptr) *reads = source.reads;
  return why;
}

template <class D>
void reads_with_any_input() {
  const bytes content = compressible(32 * 512);
  for (const unsigned level : {0u, 1u, 9u}) {
    const bytes packed = deflated(content, level);
    for (const std::size_t behind : {std::size_t{0}, std::size_t{100}, std::size_t{100000}}) {
      const grain_file image = build(96, packed, content, behind);
      for (const std::size_t input :
           {std::size_t{512}, std::size_t{513}, std::size_t{700}, packed.size() + 11,
            packed.size() + 12, packed.size() + 13, std::size_t{1} << 16, std::size_t{1} << 21}) {
        bytes out(32 * 512, std::byte{0xAA});
        const failure why = read_with<D>(image, input, out, 1024, 32, 96 * 512);
        if (D::needs_contiguous_input && input < packed.size() + 12) {
          CHECK(why == options_failure(errc::workspace_too_small, 0,
                                       static_cast<std::uint32_t>(packed.size() + 12)));
        } else {
          CHECK(why == no_failure);
          CHECK((out == content));
        }
      }
    }
  }
}
TEST_CASE("any size of input gives the same grain: inflate") {
  reads_with_any_input<vmdk::inflate>();
  reads_with_any_input<small_inflate>();
}
TEST_CASE("any size of input gives the same grain: zlib") { reads_with_any_input<zlib_decoder>(); }
TEST_CASE("any size of input gives the same grain: libdeflate") {
  reads_with_any_input<libdeflate_decoder>();
}

/// The last grain of a disk that ends inside it.
template <class D>
void reads_last_grains() {
  for (const std::uint64_t exists : {1u, 3u, 7u}) {
    const bytes content = content_bytes(0, exists * 512);
    bytes padded = content;
    padded.resize(8 * 512);
    for (const bool is_short : {true, false}) {
      for (const std::size_t input : {std::size_t{512}, std::size_t{10000}}) {
        if (D::needs_contiguous_input && input == 512) continue;
        const grain_file image = build(16, stored_stream(is_short ? content : padded), padded, 7);
        bytes out(8 * 512, std::byte{0xAA});
        CHECK(read_with<D>(image, input, out, 16 + exists, 8, 16 * 512) == no_failure);
        CHECK((out == padded));
        // The same stream where the grain is not the last.
        const failure why = read_with<D>(image, input, out, 64, 8, 16 * 512);
        CHECK(why.code == (is_short ? errc::stream_output_short : errc::none));
      }
    }
    for (const std::size_t n : {std::size_t{0}, content.size() - 1, content.size() + 1,
                                std::size_t{8 * 512 - 1}, std::size_t{8 * 512 + 1}}) {
      const grain_file image = build(16, stored_stream(content_bytes(0, n)), {}, 7);
      bytes out(8 * 512);
      const failure why = read_with<D>(image, 10000, out, 16 + exists, 8, 16 * 512);
      CHECK(why.from == origin::codec);
      CHECK((why.code == errc::stream_output_short || why.code == errc::stream_output_overrun));
    }
  }
}
TEST_CASE("a last grain is read whether it was padded or not, and in no third form") {
  reads_last_grains<vmdk::inflate>();
  reads_last_grains<small_inflate>();
  reads_last_grains<zlib_decoder>();
  reads_last_grains<libdeflate_decoder>();
}

TEST_CASE("faults of the data come with their place in the file") {
  const bytes content = content_bytes(0, 4096);
  const bytes packed = stored_stream(content);
  const auto why_not = [&](bytes changed, std::size_t input = 512) {
    const grain_file image = build(16, changed, {}, 500);
    bytes out(4096);
    const failure why = read_with<small_inflate>(image, input, out, 64, 8, 16 * 512);
    const failure same = read_with<small_inflate>(image, 10000, out, 64, 8, 16 * 512);
    CHECK(why == same);
    return why;
  };
  CHECK(why_not(packed) == no_failure);
  bytes changed = packed;
  changed[0] = std::byte{0x79};
  failure why = why_not(changed);
  CHECK(why.code == errc::stream_header_invalid);
  CHECK(why.from == origin::codec);
  CHECK(why.offset > marker_at + 12);
  CHECK(why.offset <= marker_at + 14);
  changed = packed;
  changed[1000] ^= std::byte{1};
  CHECK(why_not(changed) == codec_failure(errc::stream_checksum, marker_at + 12 + packed.size()));
  changed = packed;
  changed.push_back(std::byte{0});
  CHECK(why_not(changed).code == errc::stream_input_left);
  changed = packed;
  changed.pop_back();
  CHECK(why_not(changed).code == errc::stream_truncated);
}

TEST_CASE("without a decoder no compressed grain is read") {
  const grain_file image = build(16, stored_stream(content_bytes(0, 4096)), {});
  bytes out(4096);
  CHECK(read_with<no_decoder>(image, 512, out, 64, 8, 16 * 512) ==
        codec_failure(errc::codec_not_available, marker_at + 12));
}

TEST_CASE("a marker at the very end of the file is no grain") {
  bytes out(4096);
  grain_file image = build(16, stored_stream(content_bytes(0, 4096)), {});
  const std::size_t whole = image.file.size();
  for (const std::size_t n : {std::size_t{0}, std::size_t{511}, std::size_t{512}, std::size_t{523},
                              std::size_t{524}, std::size_t{525}, std::size_t{1024}, whole - 1}) {
    image.file.resize(n);
    CHECK(read_with<small_inflate>(image, 512, out, 64, 8, 16 * 512) ==
          image_failure(errc::grain_past_end, marker_at));
    image = build(16, stored_stream(content_bytes(0, 4096)), {});
  }
}

TEST_CASE("no more is read than a grain can need, in one read where there is room") {
  const bytes content = content_bytes(0, 8 * 512);
  const grain_file image = build(16, stored_stream(content), content, 1 << 20);
  struct counting_file {
    byte_view content;
    std::uint64_t reads = 0;
    std::uint64_t most = 0;
    failure read_at(std::uint64_t offset, byte_span out) noexcept {
      ++reads;
      most = larger_of<std::uint64_t>(most, out.size());
      copy_bytes(out.data(), content.data() + offset, out.size());
      return no_failure;
    }
  } file{image.file};
  bytes input(1 << 20);
  bytes out(8 * 512);
  small_inflate decoder;
  CHECK_FALSE(read_compressed_grain(file, image.file.size(), extent_of(64, 8), marker_at, 16 * 512,
                                    input, decoder, out));
  CHECK(file.reads == 1);
  CHECK(file.most == 12 + 2 * 8 * 512 + 512);
}

TEST_CASE("each failing read comes back") {
  const bytes content = content_bytes(0, 3 * 512);
  const grain_file image = build(16, stored_stream(content), {}, 7);
  int n = 1;
  for (;; ++n) {
    watched_file file(image.file);
    file.failing_read = n;
    bytes input(512), out(8 * 512);
    small_inflate decoder;
    const failure why = read_compressed_grain(file, image.file.size(), extent_of(19, 8), marker_at,
                                              16 * 512, input, decoder, out);
    if (!why) break;
    CHECK(why == file.why);
  }
  CHECK(n - 1 == 8);  // Four sectors and a bit of data, twice: the grain is short.
}

TEST_CASE("random damage of a grain's data never gives success with other content") {
  const bytes content = compressible(16 * 512);
  const bytes packed = deflated(content, 6);
  std::mt19937 random(7);
  for (int i = 0; i < 500; ++i) {
    bytes changed = packed;
    changed[random() % changed.size()] ^= static_cast<std::byte>(1u << random() % 8);
    if (i % 3 == 0) changed.resize(random() % changed.size() + 1);
    const grain_file image = build(16, changed, {}, 600);
    bytes out(16 * 512);
    const failure why = read_with<small_inflate>(image, 512, out, 64, 16, 16 * 512);
    if (!why && out != content) FAIL("damage " << i);
    const failure same = read_with<vmdk::inflate>(image, 20000, out, 64, 16, 16 * 512);
    if (why.code != same.code) FAIL("damage " << i);
  }
}

}  // namespace

}  // namespace compressed_grain_test
