// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

namespace vmdk {

/// What an extent has at a place of the disk.
enum class placement : std::uint8_t {
  absent,      ///< Nothing: the parent's content, or zeros where there is no parent.
  zero,        ///< Zeros, whatever a parent has.
  stored,      ///< Bytes of the extent's file.
  compressed,  ///< A marker and a compressed grain in the extent's file.
};

/// What an extent has from a place of the disk on, for a number of bytes.
struct mapping {
  placement where = placement::absent;
  std::uint64_t bytes = 0;        ///< For how many bytes of the disk this holds; at least 1.
  std::uint64_t file_offset = 0;  ///< stored: of the bytes asked for; compressed: of the marker.
};

}  // namespace vmdk
