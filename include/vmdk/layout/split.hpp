// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/layout/capacity.hpp"
#include "vmdk/layout/pieces.hpp"
#include "vmdk/layout/sparse.hpp"
#include "vmdk/layout/types.hpp"

namespace vmdk {

/// What the files of a twoGbMaxExtentSparse disk hang on besides its size (SPEC 8).
struct split_layout_options {
  std::uint32_t grain_sectors = 128;  ///< A type without dynamic_grain has its own.
  capacity_rule capacity = capacity_rule::whole_grains;
};

/// Where everything of a twoGbMaxExtentSparse disk goes, for any grain size: files of 2047 MiB of
/// the disk each, the last one of what is left, and the descriptor's text.
///
/// Each file is a sparse extent of its own that numbers its grains from 0 and has no descriptor.
/// None can pass 2^32 sectors. Source: SPEC 3, 8, 12.
class split_layout : public disk_pieces {
 public:
  constexpr split_layout() noexcept = default;

  /// Lays out a disk of so many bytes, rounded up as `options.capacity` says.
  /// Errors, all with origin options: errc::grain_size_invalid (detail: the grain's sectors);
  /// errc::capacity_zero; errc::capacity_too_large past 2^54 sectors, or for more files than a
  /// descriptor can list. Source: SPEC 3, 8, 12.
  [[nodiscard]] static constexpr result<split_layout> for_capacity(
      std::uint64_t disk_bytes, const split_layout_options& options = {}) noexcept {
    if (failure f = detail::check_grain(options.grain_sectors)) return f;
    const auto capacity = capacity_for(disk_bytes, options.grain_sectors, options.capacity);
    if (!capacity) return capacity.error();
    const auto pieces = disk_pieces::cut(*capacity, piece_form::sparse);
    if (!pieces) return pieces.error();
    return split_layout(*pieces, options.grain_sectors);
  }

  [[nodiscard]] constexpr std::uint32_t grain_sectors() const noexcept { return grain_sectors_; }

  /// The grains of the whole disk: all pieces but the last consist of whole ones.
  [[nodiscard]] constexpr std::uint64_t grain_count() const noexcept {
    return ceil_shift(capacity_sectors(), log2_exact(grain_sectors_));
  }

  /// The layout of a piece's file, counted from 0.
  [[nodiscard]] constexpr sparse_layout extent(std::uint32_t index) const noexcept {
    // A piece of such a disk can always be laid out.
    return sparse_layout::for_capacity(piece(index).bytes(), {.grain_sectors = grain_sectors_,
                                                              .descriptor_sectors = 0,
                                                              .capacity = capacity_rule::exact})
        .value();
  }

  /// The size of a piece's file with so many grains stored in it.
  /// Errors: errc::content_exceeds_capacity for more grains than the piece has.
  [[nodiscard]] constexpr result<std::uint64_t> file_bytes(
      std::uint32_t index, std::uint64_t stored_grains) const noexcept {
    return extent(index).file_bytes(stored_grains);
  }

  /// The size of all pieces' files together with so many grains stored, wherever they are. The
  /// descriptor comes on top: see descriptor_bytes.
  /// Errors: errc::content_exceeds_capacity for more grains than the disk has.
  [[nodiscard]] constexpr result<std::uint64_t> extents_bytes(
      std::uint64_t stored_grains) const noexcept {
    if (stored_grains > grain_count()) return options_failure(errc::content_exceeds_capacity);
    const std::uint32_t last = piece_count() - 1;
    const std::uint64_t overhead =
        last * extent(0).overhead_bytes() + extent(last).overhead_bytes();
    return overhead + stored_grains * grain_sectors_ * sector_bytes;
  }

  /// The size of all pieces' files together, of an empty disk and with every grain stored.
  [[nodiscard]] constexpr std::uint64_t min_extents_bytes() const noexcept {
    return extents_bytes(0).value();
  }
  [[nodiscard]] constexpr std::uint64_t max_extents_bytes() const noexcept {
    return extents_bytes(grain_count()).value();
  }

 private:
  constexpr split_layout(const disk_pieces& pieces, std::uint32_t grain_sectors) noexcept
      : disk_pieces(pieces), grain_sectors_(grain_sectors) {}

  std::uint32_t grain_sectors_ = 128;
};

/// The layout of a twoGbMaxExtentSparse disk whose grain size is part of the type. A face over
/// split_layout: the arithmetic is the same code.
template <std::uint32_t GrainSectors>
class layout<two_gb_max_extent_sparse<GrainSectors>> : public split_layout {
 public:
  constexpr layout() noexcept = default;
  constexpr explicit layout(const split_layout& base) noexcept : split_layout(base) {}

  /// As split_layout::for_capacity, with the grain size of the type. Errors: those of it, but
  /// errc::grain_size_invalid with dynamic_grain alone.
  [[nodiscard]] static constexpr result<layout> for_capacity(
      std::uint64_t disk_bytes, split_layout_options options = {}) noexcept {
    options.grain_sectors = detail::grain_of<two_gb_max_extent_sparse<GrainSectors>>(options);
    const auto base = split_layout::for_capacity(disk_bytes, options);
    if (!base) return base.error();
    return layout(*base);
  }
};

}  // namespace vmdk
