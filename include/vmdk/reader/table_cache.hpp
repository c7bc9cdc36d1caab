// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"

namespace vmdk {

/// Remembers one window of a file: all of a region where the memory has room for it, else the
/// part that begins at the sector that was asked for.
class window_cache {
 public:
  constexpr window_cache() noexcept = default;
  /// The memory, of at least one sector, is the caller's.
  constexpr explicit window_cache(byte_span memory) noexcept : memory_(memory) {}

  /// Gives n bytes, which do not cross a sector, at an offset inside a region of the file. They
  /// stay valid until the next call. Errors: those of the file, after which nothing is remembered.
  template <class File>
  [[nodiscard]] constexpr result<const std::byte*> get(File& file, std::uint64_t offset,
                                                       std::size_t n, std::uint64_t region_offset,
                                                       std::uint64_t region_bytes) noexcept {
    if (offset < first_ || !fits_inside(offset - first_, n, bytes_)) {
      std::uint64_t first = region_offset;
      if (region_bytes > memory_.size()) {
        first += (offset - region_offset) & ~std::uint64_t{sector_bytes - 1};
      }
      const std::uint64_t left = region_bytes - (first - region_offset);
      bytes_ = 0;
      const byte_span window =
          memory_.first(static_cast<std::size_t>(smaller_of<std::uint64_t>(left, memory_.size())));
      if (failure f = file.read_at(first, window)) return f;
      first_ = first;
      bytes_ = window.size();
    }
    return memory_.data() + (offset - first_);
  }

  /// How many bytes from an offset, which `get` has just given, are remembered.
  [[nodiscard]] constexpr std::uint64_t bytes_from(std::uint64_t offset) const noexcept {
    return bytes_ - (offset - first_);
  }

  constexpr void forget() noexcept { bytes_ = 0; }

 private:
  byte_span memory_{};
  std::uint64_t first_ = 0;
  std::uint64_t bytes_ = 0;
};

/// What looking up a grain remembers. One such pair serves one extent at a time.
struct table_cache {
  window_cache directory;
  window_cache table;

  constexpr void forget() noexcept {
    directory.forget();
    table.forget();
  }
};

}  // namespace vmdk
