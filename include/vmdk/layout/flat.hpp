// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "vmdk/core/result.hpp"
#include "vmdk/layout/capacity.hpp"
#include "vmdk/layout/pieces.hpp"
#include "vmdk/layout/types.hpp"

namespace vmdk {

/// Where everything of a flat disk goes: the sectors as they are, in one file or several, and the
/// descriptor's text. The capacity is the disk's size, rounded up to a sector and no further: flat
/// files have no grains. Source: SPEC 8, 12.
class flat_layout : public disk_pieces {
 public:
  constexpr flat_layout() noexcept = default;

  /// Lays out a disk of so many bytes, rounded up to a sector.
  /// Errors, all with origin options: errc::capacity_zero; errc::capacity_too_large past 2^54
  /// sectors, or for more files than a descriptor can list. Source: SPEC 8, 12.
  [[nodiscard]] static constexpr result<flat_layout> for_capacity(std::uint64_t disk_bytes,
                                                                  piece_form form) noexcept {
    const auto capacity = capacity_for(disk_bytes, 1, capacity_rule::exact);
    if (!capacity) return capacity.error();
    const auto pieces = disk_pieces::cut(*capacity, form);
    if (!pieces) return pieces.error();
    return flat_layout(*pieces);
  }

  /// The size of a piece's file, counted from 0.
  [[nodiscard]] constexpr std::uint64_t file_bytes(std::uint32_t index) const noexcept {
    return piece(index).bytes();
  }

  /// The size of all pieces' files together; the descriptor comes on top.
  [[nodiscard]] constexpr std::uint64_t extents_bytes() const noexcept { return capacity_bytes(); }

 private:
  constexpr explicit flat_layout(const disk_pieces& pieces) noexcept : disk_pieces(pieces) {}
};

/// The layout of a monolithicFlat disk.
template <>
class layout<monolithic_flat> : public flat_layout {
 public:
  constexpr layout() noexcept = default;
  constexpr explicit layout(const flat_layout& base) noexcept : flat_layout(base) {}

  /// As flat_layout::for_capacity, in one file: the number of files is no error.
  [[nodiscard]] static constexpr result<layout> for_capacity(std::uint64_t disk_bytes) noexcept {
    const auto base = flat_layout::for_capacity(disk_bytes, piece_form::whole);
    if (!base) return base.error();
    return layout(*base);
  }
};

/// The layout of a twoGbMaxExtentFlat disk.
template <>
class layout<two_gb_max_extent_flat> : public flat_layout {
 public:
  constexpr layout() noexcept = default;
  constexpr explicit layout(const flat_layout& base) noexcept : flat_layout(base) {}

  /// As flat_layout::for_capacity, in files of 2047.75 MiB.
  [[nodiscard]] static constexpr result<layout> for_capacity(std::uint64_t disk_bytes) noexcept {
    const auto base = flat_layout::for_capacity(disk_bytes, piece_form::flat);
    if (!base) return base.error();
    return layout(*base);
  }
};

}  // namespace vmdk
