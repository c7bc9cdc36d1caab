// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/constant/file_bytes.hpp"

#include <array>
#include <catch2/catch.hpp>

#include "vmdk/codec/deflate.hpp"
#include "vmdk/codec/stored.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/io/concat.hpp"
#include "vmdk/io/memory.hpp"
#include "vmdk/io/zero.hpp"
#include "vmdk/layout/flat.hpp"
#include "vmdk/layout/split.hpp"
#include "vmdk/writer/flat.hpp"
#include "vmdk/writer/sparse.hpp"
#include "vmdk/writer/split.hpp"
#include "vmdk/writer/stream.hpp"

namespace file_bytes_test {
namespace {

using namespace vmdk;
using namespace vmdk::literals;

constexpr std::array<std::byte, 512> sector{std::byte{1}};
constexpr memory_source data{byte_view(sector)};

/// The size for a disk of 3 GiB whose only data is its first sector: two files of the split types.
template <class Type, class... Codec>
constexpr std::uint64_t size_of() {
  zero_source rest(3_GiB - 512);
  concat_source disk(data, rest);
  return file_bytes<Type, Codec...>(disk).value();
}

/// The same, as the compiler finds it.
template <class Type, class... Codec>
inline constexpr std::uint64_t constant_size = size_of<Type, Codec...>();

constexpr auto sparse = layout<monolithic_sparse<>>::for_capacity(3_GiB).value();
static_assert(constant_size<monolithic_sparse<>> == sparse.file_bytes(1));
// One record of 129 sectors with its table; the end of the stream.
static_assert(constant_size<stream_optimized<>, stored> == (128 + 129 + 5 + 2 + 3) * 512);
static_assert(constant_size<stream_optimized<>, small_deflate> == (128 + 1 + 5 + 2 + 3) * 512);
// All files, and a descriptor of a few hundred bytes.
constexpr std::uint64_t text = constant_size<monolithic_flat> - 3_GiB;
static_assert(text > 300 && text < 600);
constexpr std::uint64_t two_lines = constant_size<two_gb_max_extent_flat> - 3_GiB;
static_assert(two_lines > text && two_lines < text + 100);
constexpr auto split = layout<two_gb_max_extent_sparse<>>::for_capacity(3_GiB).value();
constexpr std::uint64_t split_text =
    constant_size<two_gb_max_extent_sparse<>> - split.extents_bytes(1).value();
static_assert(split_text > text && split_text < text + 100);

TEST_CASE("the size of the file of every type is a constant, and the same at run time") {
  CHECK(size_of<monolithic_sparse<>>() == constant_size<monolithic_sparse<>>);
  CHECK(size_of<stream_optimized<>, stored>() == constant_size<stream_optimized<>, stored>);
  CHECK(size_of<stream_optimized<>, small_deflate>() ==
        constant_size<stream_optimized<>, small_deflate>);
  CHECK(size_of<monolithic_flat>() == constant_size<monolithic_flat>);
  CHECK(size_of<two_gb_max_extent_flat>() == constant_size<two_gb_max_extent_flat>);
  CHECK(size_of<two_gb_max_extent_sparse<>>() == constant_size<two_gb_max_extent_sparse<>>);
}

constexpr bool a_failure_is_no_size() {
  zero_source nothing(0);
  bool ok = file_bytes<monolithic_sparse<>>(nothing).error().code == errc::capacity_zero;
  ok = ok && file_bytes<monolithic_flat>(nothing).error().code == errc::capacity_zero;
  zero_source sectors(512);
  const write_options options{.extent_name = "a\"b"};
  return ok &&
         file_bytes<monolithic_sparse<>>(sectors, options).error().code == errc::option_invalid;
}
static_assert(a_failure_is_no_size());

TEST_CASE("what cannot be written has no size") { CHECK(a_failure_is_no_size()); }

}  // namespace

}  // namespace file_bytes_test
