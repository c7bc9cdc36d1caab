// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/endian.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/marker.hpp"
#include "vmdk/format/sparse_header.hpp"
#include "vmdk/reader/compressed_grain.hpp"

namespace vmdk::detail {

enum class entry_verdict : std::uint8_t { absent, good, bad };

/// Says whether a table entry can be right. Of compressed grains the marker tells; of others only
/// their place.
template <class File>
class entry_judge {
 public:
  constexpr entry_judge(File& file, const sparse_extent_header& header) noexcept
      : file_(&file),
        file_bytes_(file.size()),
        geometry_(header.capacity, header.grain_size),
        is_compressed_(header.is_compressed()) {}

  /// Grains lie at or behind this sector.
  std::uint64_t floor_sector = 1;
  /// Entries of 1 stand for zeros.
  bool allows_zeroed = false;

  [[nodiscard]] constexpr const sparse_geometry& geometry() const noexcept { return geometry_; }

  /// Errors: the file's.
  [[nodiscard]] constexpr result<entry_verdict> judge(std::uint64_t value,
                                                      std::uint64_t grain) const noexcept {
    if (is_compressed_ && value > 1) return judge_marker(value << sector_shift, grain);
    return judge_place(value, grain);
  }

  /// The same for a grain that is not compressed: nothing is read.
  [[nodiscard]] constexpr entry_verdict judge_place(std::uint64_t value,
                                                    std::uint64_t grain) const noexcept {
    if (value == 0) return entry_verdict::absent;
    if (value == 1) return allows_zeroed ? entry_verdict::good : entry_verdict::bad;
    const std::uint64_t offset = value << sector_shift;
    const std::uint64_t first = grain << geometry_.grain_byte_shift();
    const std::uint64_t bytes =
        smaller_of<std::uint64_t>(geometry_.grain_bytes(), geometry_.capacity_bytes() - first);
    const bool good = value >= floor_sector && fits_inside(offset, bytes, file_bytes_);
    return good ? entry_verdict::good : entry_verdict::bad;
  }

 private:
  constexpr result<entry_verdict> judge_marker(std::uint64_t offset,
                                               std::uint64_t grain) const noexcept {
    std::array<std::byte, grain_marker_bytes> marker{};
    if (!fits_inside(offset, marker.size(), file_bytes_)) return entry_verdict::bad;
    if (failure f = file_->read_at(offset, marker)) return f;
    const auto size = load_le<std::uint32_t>(marker.data() + 8);
    const bool good = load_le<std::uint64_t>(marker.data()) == grain << geometry_.grain_shift() &&
                      size != 0 && size <= compressed_size_limit(geometry_.grain_bytes()) &&
                      fits_inside(offset + grain_marker_bytes, size, file_bytes_);
    return good ? entry_verdict::good : entry_verdict::bad;
  }

  File* file_;
  std::uint64_t file_bytes_;
  sparse_geometry geometry_;
  bool is_compressed_;
};

}  // namespace vmdk::detail
