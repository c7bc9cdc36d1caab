// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "tests/support/faults.hpp"
#include "tests/support/memory_directory.hpp"
#include "vmdk/codec/stored.hpp"
#include "vmdk/io/memory.hpp"
#include "vmdk/vmdk.hpp"
#include "vmdk/writer/delta.hpp"

/// Small images of one disk, as they are written when nothing fails.
namespace fault_testing {

using namespace vmdk;
using testing_support::failing_file;
using testing_support::failing_source;
using testing_support::failing_stream;
using testing_support::fault;
using testing_support::memory_directory;

using contents = std::vector<std::byte>;
using sparse = monolithic_sparse<8>;
using stream = stream_optimized<8>;

/// What the caller's objects say when they fail.
inline constexpr failure injected{
    .code = static_cast<errc>(0x8123), .from = origin::source, .detail = 77, .offset = 5};
/// What an operation of these tests says of itself when it did not do what it should.
inline constexpr failure wrong_content{.code = static_cast<errc>(0x8F01)};
inline constexpr failure not_sticky{.code = static_cast<errc>(0x8F02)};
inline constexpr failure not_recovered{.code = static_cast<errc>(0x8F03)};

/// Ten grains, of which the first and the fourth hold data.
inline const contents& disk() {
  static const contents bytes = [] {
    contents all(std::size_t{10} * 4096);
    for (std::size_t i = 0; i < 4096; ++i) {
      all[i] = static_cast<std::byte>(i % 251 + 1);
      all[3 * 4096 + i] = static_cast<std::byte>(i % 13 + 1);
    }
    return all;
  }();
  return bytes;
}
inline contents part_of_disk(std::size_t offset, std::size_t bytes) {
  const auto begin = disk().begin() + static_cast<std::ptrdiff_t>(offset);
  return contents(begin, begin + static_cast<std::ptrdiff_t>(bytes));
}

/// The disk of the parent: its first grain is the child's, its sixth is not.
inline const contents& parent_disk() {
  static const contents bytes = [] {
    contents all(disk().size());
    copy_bytes(all.data(), disk().data(), 4096);
    all[5 * 4096] = std::byte{9};
    return all;
  }();
  return bytes;
}

template <class Type, class Memory>
contents written(const contents& of, const write_options& options) {
  fault none;
  memory_source source{byte_view(of)};
  failing_file sink(none);
  static Memory memory{};
  const auto done = write<Type>(source, sink, options, memory);
  return done ? sink.content() : contents{};
}

inline const contents& sparse_file() {
  static const contents file = written<sparse, workspace<sparse>>(disk(), {});
  return file;
}
inline const contents& stream_file() {
  static const contents file = written<stream, workspace<stream, stored>>(disk(), {});
  return file;
}
inline const contents& stream_file_in_front() {
  static const contents file =
      written<stream, workspace<stream, stored>>(disk(), {.table_place = tables::in_front});
  return file;
}

inline constexpr std::uint32_t parent_cid = 0x12345678;
inline constexpr parent_link link_to_parent() { return {parent_cid, "parent.vmdk"}; }

inline const contents& parent_file() {
  static const contents file =
      written<sparse, workspace<sparse>>(parent_disk(), {.cid_given = true, .cid = parent_cid});
  return file;
}
inline const contents& child_file() {
  static const contents file = [] {
    fault none;
    memory_source source{byte_view(disk())};
    memory_source parent{byte_view(parent_disk())};
    failing_file sink(none);
    delta_workspace<sparse> memory{};
    const auto done = write_delta(source, parent, link_to_parent(), sink, write_options{}, memory);
    return done ? sink.content() : contents{};
  }();
  return file;
}

/// The sparse file whose primary table is gone, and the stream that was cut behind its grains.
inline const contents& sparse_without_a_table() {
  static const contents file = [] {
    contents bytes = sparse_file();
    const auto plan = layout<sparse>::for_capacity(disk().size()).value();
    zero_bytes(bytes.data() + (plan.table_sector(0) << sector_shift), table_bytes);
    return bytes;
  }();
  return file;
}
inline const contents& stream_without_end() {
  static const contents file(stream_file().begin(), stream_file().end() - 4 * 512);
  return file;
}

/// Reads all of a disk whose files do not fail.
template <Files F>
failure read_disk(F& files, std::string_view name, byte_span out) {
  static image_memory<> memory;
  const auto image = open(files, name, memory);
  if (!image) return image.error();
  static cursor_memory<> caches;
  no_decoder none;
  auto cursor = image_cursor<F>::make(*image, caches.spans(), none);
  if (!cursor) return cursor.error();
  return cursor->size() == out.size() ? cursor->read_at(0, out) : wrong_content;
}

}  // namespace fault_testing
