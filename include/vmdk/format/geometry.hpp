// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <limits>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/format/words.hpp"

namespace vmdk {

/// The disk controller that a descriptor asks for (SPEC 6). There is no word for pvscsi, SATA or
/// NVMe: such disks say lsilogic.
enum class adapter : std::uint8_t { lsilogic, buslogic, ide, legacy_esx };

inline constexpr detail::word<adapter> adapter_words[] = {
    {"lsilogic", adapter::lsilogic},
    {"buslogic", adapter::buslogic},
    {"ide", adapter::ide},
    {"legacyESX", adapter::legacy_esx},
};

/// The cylinders, heads and sectors a track that a descriptor states. Nobody but boot code that
/// still thinks in them reads more into it than that they are there.
struct geometry {
  std::uint32_t cylinders = 0;
  std::uint32_t heads = 0;
  std::uint32_t sectors = 0;

  [[nodiscard]] friend constexpr bool operator==(const geometry&,
                                                 const geometry&) noexcept = default;
};

namespace detail {

/// n / divisor by shifts: 64-bit division is a library call on a 32-bit target.
[[nodiscard]] constexpr std::uint64_t divided(std::uint64_t n, std::uint32_t divisor) noexcept {
  std::uint64_t rest = 0;
  std::uint64_t quotient = 0;
  for (int bit = 0; bit < 64; ++bit) {
    rest = rest << 1 | n >> 63;
    n <<= 1;
    quotient <<= 1;
    if (rest >= divisor) {
      rest -= divisor;
      quotient |= 1;
    }
  }
  return quotient;
}

}  // namespace detail

/// Computes the geometry that VMware's own tools state for a disk of so many sectors (SPEC 7).
///
/// IDE disks have 16 heads and 63 sectors a track, and at most 16383 cylinders. All others have 64
/// heads and 32 sectors below 1 GiB, 128 and 32 below 2 GiB, 255 and 63 from there: ESXi, VDDK and
/// vCloud wrote 64/32 into every small SCSI disk that was looked at. Cylinders are rounded down, as
/// VMware does: a guest must not find a cylinder that is not wholly there. There is always one, as
/// a zero makes readers drop the geometry, and never more than 32 bits hold.
[[nodiscard]] constexpr geometry geometry_for(adapter controller,
                                              std::uint64_t capacity_sectors) noexcept {
  constexpr std::uint64_t gib_sectors = std::uint64_t{1} << 21;
  constexpr std::uint64_t most_cylinders = (std::numeric_limits<std::uint32_t>::max)();
  constexpr std::uint64_t most_ide_cylinders = 16383;

  geometry shape{.cylinders = 1, .heads = 255, .sectors = 63};
  std::uint64_t limit = most_cylinders;
  if (controller == adapter::ide) {
    shape.heads = 16;
    limit = most_ide_cylinders;
  } else if (capacity_sectors < 2 * gib_sectors) {
    shape.heads = capacity_sectors < gib_sectors ? 64 : 128;
    shape.sectors = 32;
  }
  const std::uint64_t whole = detail::divided(capacity_sectors, shape.heads * shape.sectors);
  shape.cylinders =
      static_cast<std::uint32_t>(smaller_of(larger_of(whole, std::uint64_t{1}), limit));
  return shape;
}

}  // namespace vmdk
