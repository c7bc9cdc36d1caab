// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "vmdk/core/bytes.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/io/counting.hpp"
#include "vmdk/io/memory.hpp"
#include "vmdk/writer/options.hpp"
#include "vmdk/writer/workspace.hpp"
#include "vmdk/writer/write.hpp"

namespace vmdk {
namespace detail {

/// A disk as a Source: itself, or an array of bytes of any one-byte type.
template <class Disk>
struct disk_of {
  Disk source;
};

template <class Byte, std::size_t N>
  requires(sizeof(Byte) == 1)
struct disk_of<std::array<Byte, N>> {
  constexpr explicit disk_of(const std::array<Byte, N>& disk) noexcept {
    for (std::size_t i = 0; i < N; ++i) {
      bytes.data()[i] = static_cast<std::byte>(static_cast<unsigned char>(disk.data()[i]));
    }
  }

  std::array<std::byte, N> bytes{};
  memory_source source{byte_view(bytes)};
};

/// The result of writing the content to a sink; a failure does not compile.
template <class Type, class... Codec, class Content, class K>
[[nodiscard]] consteval write_report write_constant(Content content, K& sink,
                                                    const write_options& options) {
  auto made = content();
  disk_of<decltype(made)> disk(made);
  static_assert(Source<decltype(disk.source)>,
                "vmdk: the content of a constant image is a std::array of bytes or a Source");
  workspace<Type, Codec...> memory{};
  return vmdk::write<Type>(disk.source, sink, options, memory).value();
}

}  // namespace detail

/// Computes the size of the whole file that `write` makes of the disk which `content()` gives: a
/// std::array of bytes or a constexpr Source. Every failure of the writer is an error of the
/// compiler.
template <class Type, class... Codec, class Content>
[[nodiscard]] consteval std::uint64_t constant_file_bytes(Content content,
                                                          const write_options& options = {}) {
  counting_sink sink;
  return detail::write_constant<Type, Codec...>(content, sink, options).file_bytes;
}

/// Makes the whole file of an image a constant: a std::array of exactly the file's size, with the
/// bytes that `write` gives at run time. The content is a lambda without captures, because the
/// array's size depends on what it returns.
///
/// Compilers' default limits allow for disks with some 64 KiB of data, 16 KiB when compressed.
template <class Type, class... Codec, class Content>
[[nodiscard]] consteval auto constant_image(Content) {
  constexpr std::uint64_t bytes = constant_file_bytes<Type, Codec...>(Content{});
  std::array<std::byte, bytes> file{};
  memory_sink sink{byte_span(file)};
  static_cast<void>(detail::write_constant<Type, Codec...>(Content{}, sink, write_options{}));
  return file;
}

}  // namespace vmdk
