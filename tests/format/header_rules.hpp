// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "vmdk/core/failure.hpp"

/// Rows of rules about headers: each changes one field of a good header.
namespace header_testing {

/// A field by its place: offset and bytes.
struct field {
  std::size_t offset = 0;
  std::size_t bytes = 0;
};

/// The bytes of a header with another value in a field.
template <std::size_t N>
constexpr std::array<std::byte, N> with(std::array<std::byte, N> header, field f,
                                        std::uint64_t value) {
  for (std::size_t i = 0; i < f.bytes; ++i) {
    header[f.offset + i] = static_cast<std::byte>(value >> (8 * i));
  }
  return header;
}

enum class verdict { accepts, refuses };

/// One rule of SPEC 13: what is changed, what is reported where, and what readers make of it.
struct rule {
  field changed;
  std::uint64_t value;
  vmdk::errc reported;
  std::uint64_t offset;
  verdict tolerant;
  verdict strict;
};

/// What a reader says of the changed header.
constexpr vmdk::failure expected(const rule& r, verdict v) {
  return v == verdict::accepts ? vmdk::no_failure : vmdk::image_failure(r.reported, r.offset);
}

}  // namespace header_testing
