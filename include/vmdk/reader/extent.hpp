// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/reader/cowd_extent.hpp"
#include "vmdk/reader/mapping.hpp"
#include "vmdk/reader/sesparse_extent.hpp"
#include "vmdk/reader/sparse_extent.hpp"
#include "vmdk/reader/table_cache.hpp"

namespace vmdk {

/// How an extent's bytes are found.
enum class extent_kind : std::uint8_t { zero, no_access, flat, sparse, cowd, sesparse };

/// One extent of a link: a part of the disk, and how to find its bytes. A plain value.
struct extent {
  constexpr extent() noexcept : sparse{} {}

  extent_kind kind = extent_kind::zero;
  file_id file{};
  std::uint64_t begin = 0;        ///< Where on the disk it begins, in bytes.
  std::uint64_t bytes = 0;        ///< How much of the disk it is.
  std::uint64_t file_offset = 0;  ///< flat: where in the file it begins, in bytes.
  union {
    sparse_extent sparse;
    cowd_extent cowd;
    sesparse_extent sesparse;
  };

  [[nodiscard]] constexpr std::uint64_t end() const noexcept { return begin + bytes; }

  /// Finds what the extent has at an offset of its own, below `bytes`.
  /// Errors: errc::extent_no_access; those of the kind's `map`.
  template <class File>
  [[nodiscard]] constexpr result<mapping> map(File& from, std::uint64_t offset,
                                              table_cache& cache) const noexcept {
    auto found = map_by_kind(from, offset, cache);
    if (found) found->bytes = smaller_of(found->bytes, bytes - offset);
    return found;
  }

  /// The bytes of a grain, where the kind has grains; else 0.
  [[nodiscard]] constexpr std::uint32_t compressed_grain_bytes() const noexcept {
    return kind == extent_kind::sparse && sparse.is_compressed() ? sparse.geometry().grain_bytes()
                                                                 : 0;
  }

 private:
  template <class File>
  [[nodiscard]] constexpr result<mapping> map_by_kind(File& from, std::uint64_t offset,
                                                      table_cache& cache) const noexcept {
    switch (kind) {
      case extent_kind::flat:
        return mapping{placement::stored, bytes - offset, file_offset + offset};
      case extent_kind::sparse:
        return sparse.map(from, offset, cache);
      case extent_kind::cowd:
        return cowd.map(from, offset, cache);
      case extent_kind::sesparse:
        return sesparse.map(from, offset, cache);
      case extent_kind::no_access:
        return image_failure(errc::extent_no_access, begin + offset);
      default:
        break;
    }
    return mapping{placement::zero, bytes - offset, 0};
  }
};

}  // namespace vmdk
