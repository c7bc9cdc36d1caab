// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <variant>

#include "codec_name.hpp"
#include "vmdk/codec/concepts.hpp"
#include "vmdk/codec/deflate.hpp"
#include "vmdk/codec/inflate.hpp"
#include "vmdk/codec/stored.hpp"

// With VMDK_CLI_BUILTIN_CODECS the program is built where there are no such libraries.
#if !defined(VMDK_CLI_BUILTIN_CODECS)
#include "vmdk/codec/libdeflate.hpp"
#include "vmdk/codec/zlib.hpp"
#endif

namespace vmdk::cli {

#if defined(VMDK_CLI_BUILTIN_CODECS)
using encoder_variant = std::variant<stored, deflate>;
using decoder_variant = std::variant<inflate>;
inline constexpr codec fastest_codec = codec::builtin;
#else
using encoder_variant = std::variant<stored, deflate, zlib_encoder, libdeflate_encoder>;
using decoder_variant = std::variant<libdeflate_decoder, zlib_decoder, inflate>;
inline constexpr codec fastest_codec = codec::libdeflate;
#endif

/// The codec that --codec names; the fastest where nothing is named. Throws an error.
[[nodiscard]] codec find_codec(const std::optional<std::string>& name);

/// The level to compress with: the one given, or the codec's own default. Throws an error for one
/// that the codec does not have.
[[nodiscard]] unsigned level_for(codec which, const std::optional<unsigned>& given);

/// Compresses with the codec that the user chose.
class any_encoder {
 public:
  any_encoder(codec which, unsigned level) noexcept { choose(which, level); }

  /// All of them keep to the same bound.
  [[nodiscard]] static constexpr std::size_t bound(std::size_t n) noexcept {
    return stored::bound(n);
  }
  [[nodiscard]] result<std::size_t> encode(byte_view in, byte_span out) noexcept {
    return std::visit([&](auto& encoder) noexcept { return encoder.encode(in, out); }, encoder_);
  }

 private:
  void choose(codec which, unsigned level) noexcept;

  encoder_variant encoder_;
};

/// Expands with the codec that the user chose. `stored` only writes: streams are then read with the
/// fastest.
class any_decoder {
 public:
  static constexpr bool needs_contiguous_input = true;

  explicit any_decoder(codec which) noexcept { choose(which); }

  template <ByteSupply Supply>
  [[nodiscard]] failure decode(Supply& supply, byte_span out) noexcept {
    return std::visit([&](auto& decoder) noexcept { return decoder.decode(supply, out); },
                      decoder_);
  }

 private:
  void choose(codec which) noexcept;

  decoder_variant decoder_;
};

}  // namespace vmdk::cli
