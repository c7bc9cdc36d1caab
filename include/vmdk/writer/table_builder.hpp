// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/endian.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/sparse_geometry.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/io/put_zeros.hpp"

namespace vmdk::detail {

/// Writes one directory, and zeros to the end of its sectors: entry i is the i-th of tables behind
/// one another. The content of `scratch` is lost. Errors: those of the sink.
template <Sink K>
[[nodiscard]] constexpr failure write_directory(
    K& sink, const sparse_geometry& geometry, std::uint64_t first_table_sector,
    std::span<std::byte, table_bytes> scratch) noexcept {
  std::uint64_t sector = first_table_sector;
  std::uint64_t tables_left = geometry.table_count();
  std::byte* const out = scratch.data();
  while (tables_left != 0) {
    const auto now =
        static_cast<std::uint32_t>(smaller_of<std::uint64_t>(tables_left, entries_per_table));
    for (std::uint32_t i = 0; i < now; ++i, sector += table_sectors) {
      store_le(out + std::size_t{4} * i, static_cast<std::uint32_t>(sector));
    }
    tables_left -= now;
    if (failure f = sink.write(byte_view(out, std::size_t{now} * 4))) return f;
  }
  const std::uint64_t used_bytes = geometry.table_count() * sizeof(std::uint32_t);
  return put_zeros(sink, (geometry.directory_sectors() << sector_shift) - used_bytes);
}

/// One grain table while it is filled.
class table_builder {
 public:
  /// The memory, table_bytes of it, is the caller's.
  constexpr explicit table_builder(std::byte* bytes) noexcept : bytes_(bytes) { clear(); }

  constexpr void set(std::uint64_t grain, std::uint64_t sector) noexcept {
    store_le(bytes_ + 4 * (grain & (entries_per_table - 1)), static_cast<std::uint32_t>(sector));
    used_ = true;
  }
  constexpr void clear() noexcept {
    zero_bytes(bytes_, table_bytes);
    used_ = false;
  }
  [[nodiscard]] constexpr bool used() const noexcept { return used_; }
  [[nodiscard]] constexpr byte_view bytes() const noexcept { return {bytes_, table_bytes}; }

 private:
  std::byte* bytes_;
  bool used_ = false;
};

}  // namespace vmdk::detail
