// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "vmdk/codec/stored.hpp"
#include "vmdk/constant/content.hpp"
#include "vmdk/constant/records.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/errc.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/io/counting.hpp"
#include "vmdk/io/memory.hpp"
#include "vmdk/layout/sparse.hpp"
#include "vmdk/layout/stream.hpp"
#include "vmdk/layout/types.hpp"
#include "vmdk/writer/options.hpp"
#include "vmdk/writer/sparse.hpp"
#include "vmdk/writer/stream.hpp"
#include "vmdk/writer/workspace.hpp"
#include "vmdk/writer/write.hpp"

namespace vmdk {

/// As the last argument of constant_image: the compiler was told to take more steps than it does by
/// default (-fconstexpr-ops-limit and -fconstexpr-loop-limit, or -fconstexpr-steps).
struct raised_limits {};

namespace detail {

/// What compilers take with the limits that they have by default: grains, the data of the whole
/// disk, and that of a grain which is compressed.
inline constexpr std::uint32_t constant_grain_limit_sectors = 128;
inline constexpr std::uint64_t constant_data_limit_bytes = 65536;
inline constexpr std::uint64_t constant_compressed_limit_bytes = 16384;
inline constexpr std::uint64_t every_byte = ~std::uint64_t{0};

struct usual_options {
  constexpr write_options operator()() const noexcept { return {}; }
};

/// How an image of a type is made a constant.
template <class Type, class... Codec>
struct constant_writer {
  static_assert(sizeof(Type) == 0,
                "vmdk: a constant image is a monolithic_sparse<GRAIN>, or a "
                "stream_optimized<GRAIN> with an encoder, GRAIN being known");
};

template <std::uint32_t GrainSectors>
  requires(GrainSectors != dynamic_grain)
struct constant_writer<monolithic_sparse<GrainSectors>> {
  template <class Content>
  static constexpr bool is_within_limits =
      GrainSectors <= constant_grain_limit_sectors &&
      most_data_in_a_grain<Content>(every_byte) <= constant_data_limit_bytes;

  template <class Content, Sink K>
  [[nodiscard]] static constexpr result<write_report> write(K& sink, const write_options& options) {
    auto disk = constant_disk<Content>();
    workspace<monolithic_sparse<GrainSectors>> memory{};
    return vmdk::write<monolithic_sparse<GrainSectors>>(disk, sink, options, memory);
  }
};

template <std::uint32_t GrainSectors, class E>
  requires(GrainSectors != dynamic_grain)
struct constant_writer<stream_optimized<GrainSectors>, E> {
  static_assert(ConstantEncoder<E>,
                "vmdk: the encoder of a constant image must work in constant expressions, as "
                "vmdk::stored, vmdk::small_deflate and vmdk::deflate do");
  template <class Content>
  static constexpr bool is_within_limits =
      GrainSectors <= constant_grain_limit_sectors &&
      most_data_in_a_grain<Content>(every_byte) <= constant_data_limit_bytes &&
      (std::is_same_v<E, stored> || most_data_in_a_grain<Content>(GrainSectors * sector_bytes) <=
                                        constant_compressed_limit_bytes);

  template <class Content, Sink K>
  [[nodiscard]] static constexpr result<write_report> write(K& sink, const write_options& options) {
    auto disk = constant_disk<Content>();
    auto plan = plan_stream(disk.size(), options, GrainSectors);
    if (!plan) return plan.error();
    std::byte table[stream_memory::marked_table_bytes]{};
    constexpr std::uint64_t directory_bytes =
        constant_grains<Content, GrainSectors>::layout.directory_memory_bytes();
    std::byte directory[directory_bytes]{};
    constant_packer<Content, GrainSectors, E> packer{};
    return write_stream(disk, sink, options, *plan, {.table = table, .directory = directory},
                        packer);
  }
};

/// Tells what stands in the way of a constant image; the compiler shows the code.
template <errc Code>
consteval void refuse() {
  static_assert(Code != errc::capacity_zero, "vmdk: the disk of a constant image is empty");
  static_assert(Code != errc::capacity_too_large && Code != errc::extent_too_large,
                "vmdk: the disk is too large for an image of this type and grain size");
  static_assert(Code != errc::option_invalid,
                "vmdk: an option of the constant image must not stand in a descriptor");
  static_assert(Code == errc::none, "vmdk: the constant image cannot be written; see the errc");
}

template <class Writer, class Content, class Options>
inline constexpr auto constant_report = [] {
  counting_sink sink;
  return Writer::template write<Content>(sink, Options{}());
}();

/// Makes sure that an image can be a constant, and gives the report of its writing.
template <class Type, class Writer, class Content, class Options, bool Raised>
[[nodiscard]] consteval write_report check_constant() {
  static_assert(ConstantContent<Content>,
                "vmdk: the content of a constant image is a lambda without captures that returns a "
                "std::array of bytes or a Source");
  refuse<layout<Type>::for_capacity(constant_disk<Content>().size()).error().code>();
  constexpr bool can_be_made = Raised || Writer::template is_within_limits<Content>;
  static_assert(can_be_made,
                "vmdk: compilers' default limits allow for constant images with 64 KiB of data, 16 "
                "KiB in a grain that is compressed, in grains of at most 64 KiB; leave zeros to a "
                "zero_source, or raise the limits and say so with vmdk::raised_limits{}");
  if constexpr (can_be_made) {
    constexpr auto& report = constant_report<Writer, Content, Options>;
    refuse<report.error().code>();
    return *report;
  } else {
    return {};
  }
}

}  // namespace detail

/// Computes the size of the whole file that constant_image makes of the same arguments.
template <class Type, class... Codec, class Content, class Options = detail::usual_options,
          class... Raised>
[[nodiscard]] consteval std::uint64_t constant_file_bytes(Content /*content*/,
                                                          Options /*options*/ = {},
                                                          Raised... /*raised*/) {
  using writer = detail::constant_writer<Type, Codec...>;
  return detail::check_constant<Type, writer, Content, Options, sizeof...(Raised) != 0>()
      .file_bytes;
}

/// Makes the whole file of an image a constant: a std::array of exactly the file's size, with the
/// bytes that `write` gives at run time. `content` is a lambda without captures, because the
/// array's size depends on what it returns: a std::array of bytes, or a Source, whose parts then
/// are constants themselves. So is `options`, which returns write_options.
///
/// Whatever stands in the way is an error of the compiler. Compilers' default limits allow for
/// disks with 64 KiB of data, 16 KiB in a grain that is compressed; holes cost nothing in a Source
/// that knows them.
template <class Type, class... Codec, class Content, class Options = detail::usual_options,
          class... Raised>
[[nodiscard]] consteval auto constant_image(Content content, Options options = {},
                                            Raised... raised) {
  using writer = detail::constant_writer<Type, Codec...>;
  constexpr std::uint64_t bytes =
      constant_file_bytes<Type, Codec...>(Content{}, Options{}, Raised{}...);
  static_cast<void>(content), static_cast<void>(options), (static_cast<void>(raised), ...);
  std::array<std::byte, bytes> file{};
  memory_sink sink{byte_span(file)};
  static_cast<void>(writer::template write<Content>(sink, Options{}()));
  return file;
}

}  // namespace vmdk
