// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/constant/image.hpp"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <memory>
#include <vector>

#include "vmdk/codec/deflate.hpp"
#include "vmdk/codec/inflate.hpp"
#include "vmdk/codec/stored.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/io/concat.hpp"
#include "vmdk/io/generator.hpp"
#include "vmdk/io/slice.hpp"
#include "vmdk/io/zero.hpp"
#include "vmdk/reader/sparse.hpp"

namespace image_test {
namespace {

using namespace vmdk;
using namespace vmdk::literals;

/// Bytes that do not compress, the worst that a compiler can be given.
template <std::size_t N>
constexpr std::array<unsigned char, N> noise() {
  std::array<unsigned char, N> disk{};
  unsigned char* const p = disk.data();
  unsigned x = 1;
  for (std::size_t i = 0; i < N; ++i) {
    x = x * 1664525U + 1013904223U, p[i] = static_cast<unsigned char>(x >> 24);
  }
  return disk;
}

// As much as is promised, in small grains and in the usual ones.
constexpr auto most = [] { return noise<65536>(); };
constexpr auto most_compressed = [] { return noise<16384>(); };
constexpr auto sparse_8 = constant_image<monolithic_sparse<8>>(most);
constexpr auto stored_128 = constant_image<stream_optimized<>, stored>(most);
constexpr auto small_8 = constant_image<stream_optimized<8>, small_deflate>(most_compressed);
constexpr auto deflate_128 = constant_image<stream_optimized<>, deflate>(most_compressed);

// Header, descriptor, two copies of directory and table up to a grain; 16 grains.
static_assert(sparse_8.size() == 32 * 512 + 65536);
// What does not compress is stored: a marker and 11 bytes around each 4096, or 64 KiB, make one
// more sector. Behind it a table, the directory, the footer and the end of the stream.
static_assert(stored_128.size() == (128 + 129 + 5 + 2 + 3) * 512);
static_assert(small_8.size() == (24 + 4 * 9 + 5 + 2 + 3) * 512);
static_assert(constant_file_bytes<monolithic_sparse<8>>(most) == sparse_8.size());

template <class Image>
constexpr bool starts_like_an_image(const Image& image, unsigned version) {
  return image[0] == std::byte{'K'} && image[1] == std::byte{'D'} && image[2] == std::byte{'M'} &&
         image[3] == std::byte{'V'} && image[4] == static_cast<std::byte>(version);
}
static_assert(starts_like_an_image(sparse_8, 1));
static_assert(starts_like_an_image(stored_128, 3) && starts_like_an_image(small_8, 3));

// Read by the compiler, too: the last bytes of the disk.
template <class Image>
constexpr bool ends_like_the_noise(const Image& image) {
  memory_source file{byte_view(image)};
  sparse_reader_memory<> memory;
  auto disk = sparse_reader<memory_source>::open(file, memory);
  std::byte end[16]{};
  if (!disk || disk->size() != 65536 || disk->read_at(65536 - 16, end)) return false;
  const auto want = noise<65536>();
  bool same = true;
  for (std::size_t i = 0; i < 16; ++i) {
    same = same && end[i] == static_cast<std::byte>(want.data()[65536 - 16 + i]);
  }
  return same;
}
static_assert(ends_like_the_noise(sparse_8));

/// What `write` gives at run time.
template <class Type, class... Codec, class S>
std::vector<std::byte> written(S source, const write_options& options = {}) {
  std::vector<std::byte> file(1 << 18);
  memory_sink sink{byte_span(file)};
  const auto memory = std::make_unique<workspace<Type, Codec...>>();
  const auto done = vmdk::write<Type>(source, sink, options, *memory);
  REQUIRE(done.ok());
  file.resize(static_cast<std::size_t>(done->file_bytes));
  return file;
}

/// What the functions that make the constant give at run time.
template <class Type, class... Codec, class Content>
std::vector<std::byte> made_at_run_time(Content /*content*/) {
  std::vector<std::byte> file(1 << 18);
  memory_sink sink{byte_span(file)};
  const auto done = detail::constant_writer<Type, Codec...>::template write<Content>(
      sink, detail::usual_options{}());
  REQUIRE(done.ok());
  file.resize(static_cast<std::size_t>(done->file_bytes));
  return file;
}

template <class Image>
bool same(const Image& image, const std::vector<std::byte>& file) {
  return std::equal(image.begin(), image.end(), file.begin(), file.end());
}

TEST_CASE("a constant image has the bytes that are written at run time") {
  const auto large = noise<65536>();
  const auto small = noise<16384>();
  const memory_source all(std::as_bytes(std::span(large)));
  const memory_source part(std::as_bytes(std::span(small)));
  CHECK(same(sparse_8, written<monolithic_sparse<8>>(all)));
  CHECK(same(stored_128, written<stream_optimized<>, stored>(all)));
  CHECK(same(small_8, written<stream_optimized<8>, small_deflate>(part)));
  CHECK(same(deflate_128, written<stream_optimized<>, deflate>(part)));
}

// Sources: a boot sector, a hole, a piece of something, something that is computed.
constexpr std::array<std::byte, 4> jump{std::byte{0xEB}, std::byte{0xFE}};
constexpr memory_source boot{byte_view(jump)};
constexpr zero_source gap(1_MiB - 4);
constexpr memory_source text{byte_view(jump)};

constexpr auto concatenated = [] { return concat_source(boot, gap, text); };
constexpr auto sliced = [] { return slice_source<const memory_source>(boot, 1, 2); };
constexpr auto generated = [] {
  return generator_source(20480, [](std::uint64_t offset, byte_span out) {
    for (std::byte& byte : out) byte = static_cast<std::byte>(offset++ >> 12);
  });
};
constexpr auto zeros = [] { return zero_source(1_GiB); };

TEST_CASE("a constant image is made of any source") {
  constexpr auto sparse = constant_image<monolithic_sparse<8>>(concatenated);
  CHECK(same(sparse, written<monolithic_sparse<8>>(concatenated())));
  constexpr auto part = constant_image<monolithic_sparse<8>>(sliced);
  CHECK(same(part, written<monolithic_sparse<8>>(sliced())));
  constexpr auto stream = constant_image<stream_optimized<8>, small_deflate>(concatenated);
  CHECK(same(stream, written<stream_optimized<8>, small_deflate>(concatenated())));
  // Its first grain is zeros, though the source does not say so.
  constexpr auto computed = constant_image<stream_optimized<8>, small_deflate>(generated);
  CHECK(same(computed, written<stream_optimized<8>, small_deflate>(generated())));
  static_assert(constant_file_bytes<stream_optimized<>, stored>(zeros) == (128 + 2 + 3) * 512);
  constexpr auto empty = constant_image<stream_optimized<>, stored>(zeros);
  CHECK(same(empty, written<stream_optimized<>, stored>(zeros())));
}

TEST_CASE("a constant image is made at run time in the same way") {
  CHECK(same(sparse_8, made_at_run_time<monolithic_sparse<8>>(most)));
  CHECK(same(small_8, made_at_run_time<stream_optimized<8>, small_deflate>(most_compressed)));
  constexpr auto computed = constant_image<stream_optimized<8>, small_deflate>(generated);
  CHECK(same(computed, made_at_run_time<stream_optimized<8>, small_deflate>(generated)));

  // Grain 0 is of zeros, but a generator knows of no holes.
  using grains = detail::constant_grains<decltype(generated), 8>;
  std::vector<std::uint64_t> found;
  grains::each([&found](std::uint64_t grain) { found.push_back(grain); });
  CHECK(found == std::vector<std::uint64_t>{0, 1, 2, 3, 4});
  CHECK(std::equal(found.begin(), found.end(), grains::numbers.begin(), grains::numbers.end()));
  CHECK(detail::encodes<stored>());
  CHECK(detail::encodes<small_deflate>());
}

/// Content that only the compiler can read.
struct source_of_the_compiler {
  constexpr std::uint64_t size() const noexcept { return 8192; }
  constexpr failure read_at(std::uint64_t offset, byte_span out) const noexcept {
    if (!std::is_constant_evaluated()) return source_failure(errc::read_failed, offset, 5);
    for (std::byte& byte : out) byte = std::byte{1};
    return no_failure;
  }
};
constexpr auto unreadable = [] { return source_of_the_compiler{}; };

TEST_CASE("a stream that cannot be begun or read is no image") {
  std::vector<std::byte> file(1 << 18);
  memory_sink sink{byte_span(file)};
  using writer = detail::constant_writer<stream_optimized<8>, small_deflate>;
  CHECK(writer::write<decltype(unreadable)>(sink, {}).error() ==
        source_failure(errc::read_failed, 0, 5));
  const write_options bad{.extent_name = "a\"b"};
  CHECK(writer::write<decltype(generated)>(sink, bad).error().code == errc::option_invalid);
}

TEST_CASE("a constant image takes options") {
  constexpr auto options = [] {
    return write_options{.extent_name = "boot.vmdk", .cid_given = true, .cid = 0x12345678};
  };
  constexpr auto image = constant_image<monolithic_sparse<8>>(concatenated, options);
  CHECK(same(image, written<monolithic_sparse<8>>(concatenated(), options())));
  CHECK_FALSE(same(image, written<monolithic_sparse<8>>(concatenated())));
}

}  // namespace

}  // namespace image_test
