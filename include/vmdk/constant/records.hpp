// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "vmdk/codec/concepts.hpp"
#include "vmdk/constant/content.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/layout/stream.hpp"
#include "vmdk/writer/grain_stream.hpp"
#include "vmdk/writer/pack_grain.hpp"
#include "vmdk/writer/stream.hpp"

// The compressed grains of a constant streamOptimized image, each a constant of its own.

namespace vmdk::detail {

/// True when an encoder did its work; its value is of no interest.
template <class E>
[[nodiscard]] constexpr bool encodes() {
  std::byte in[1]{};
  std::byte out[64]{};
  E encoder{};
  static_cast<void>(encoder.encode(byte_view(in), byte_span(out)));
  return true;
}

/// Can compress while the compiler runs.
template <class E>
concept ConstantEncoder = Encoder<E> && requires { typename std::bool_constant<encodes<E>()>; };

/// What all grains have in common.
template <class Content, std::uint32_t GrainSectors>
struct constant_grains {
  static constexpr stream_layout layout =
      stream_layout::for_capacity(constant_disk<Content>().size(), {.grain_sectors = GrainSectors})
          .value();

  /// Calls found(grain) for each grain that the source does not know to be zeros.
  template <class Found>
  static constexpr void each(Found found) {
    auto disk = constant_disk<Content>();
    using disk_type = decltype(disk);
    grain_stream<disk_type> grains(disk, layout.geometry(), {});
    for (;;) {
      const auto chunk = grains.find(layout.grain_count(), layout.grain_count()).value();
      if (chunk.grains == 0) return;
      for (std::uint64_t i = 0; i < chunk.grains; ++i) found(chunk.first_grain + i);
    }
  }

  static constexpr std::size_t count = [] {
    std::size_t n = 0;
    each([&n](std::uint64_t) { ++n; });
    return n;
  }();

  static constexpr std::array<std::uint64_t, count> numbers = [] {
    std::array<std::uint64_t, count> all{};
    std::uint64_t* to = all.data();
    each([&to](std::uint64_t grain) { *to++ = grain; });
    return all;
  }();
};

/// A grain as it stands in the stream; no bytes for one of zeros.
template <std::size_t N>
struct constant_record {
  std::byte memory[N];
  std::size_t bytes;
};

template <class Content, std::uint32_t GrainSectors, class E, std::uint64_t Grain>
[[nodiscard]] consteval auto pack_constant_grain() {
  constexpr stream_layout layout = constant_grains<Content, GrainSectors>::layout;
  constexpr std::size_t grain_bytes = layout.geometry().grain_bytes();
  constant_record<layout.packed_limit_bytes() + sector_bytes> record{};
  std::byte grain[grain_bytes]{};
  auto disk = constant_disk<Content>();
  const std::uint64_t at = Grain * grain_bytes;
  const auto there =
      static_cast<std::size_t>(smaller_of<std::uint64_t>(grain_bytes, disk.size() - at));
  if (disk.read_at(at, byte_span(grain, there))) __builtin_trap();
  if (is_zero(grain, grain_bytes)) return record;
  E encoder{};
  record.bytes = pack_grain(encoder, layout, Grain, grain, record.memory).value().size();
  return record;
}

template <class Content, std::uint32_t GrainSectors, class E, std::uint64_t Grain>
inline constexpr auto packed_grain = pack_constant_grain<Content, GrainSectors, E, Grain>();

/// Packs grains as serial_packer does, by handing out the records.
template <class Content, std::uint32_t GrainSectors, class E>
class constant_packer {
 public:
  using grains = constant_grains<Content, GrainSectors>;

  [[nodiscard]] constexpr failure check(const stream_layout&) const noexcept { return no_failure; }

  template <Source S, Sink K>
  [[nodiscard]] constexpr failure pack(S& source, const stream_layout& layout,
                                       content_hasher* hasher, stream_builder<K>& builder) {
    grain_scanner scanner(layout.geometry(), hasher);
    grain_stream<S> stream(source, layout.geometry(), buffer_);
    failure why{};
    [&]<std::size_t... Index>(std::index_sequence<Index...>) {
      (void)((why = add<Index>(stream, layout, scanner, builder), !why) && ...);
    }(std::make_index_sequence<grains::count>{});
    return why;
  }

 private:
  template <std::size_t Index, class S, class K>
  constexpr failure add(grain_stream<S>& stream, const stream_layout& layout,
                        grain_scanner& scanner, stream_builder<K>& builder) {
    const auto chunk = stream.next(grains::numbers[Index] + 1);
    if (!chunk) return chunk.error();
    if (!scanner.holds_data(chunk->bytes, chunk->first_grain)) return no_failure;
    constexpr const auto& record = packed_grain<Content, GrainSectors, E, grains::numbers[Index]>;
    static_cast<void>(layout);
    return builder.add(byte_view(record.memory, record.bytes));
  }

  std::byte buffer_[grains::layout.geometry().grain_bytes()]{};
};

}  // namespace vmdk::detail
