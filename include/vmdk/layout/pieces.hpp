// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/descriptor_builder.hpp"
#include "vmdk/format/extent_line.hpp"
#include "vmdk/format/text.hpp"
#include "vmdk/layout/capacity.hpp"

namespace vmdk {

/// What a piece of a disk may have at the most: VMware's figures (SPEC 8). A sparse piece
/// has whole grains of every size, and each piece starts on a block of the content id.
inline constexpr std::uint32_t sparse_piece_sectors = 4192256;  // 2047 MiB
inline constexpr std::uint32_t flat_piece_sectors = 4193792;    // 2047.75 MiB

/// No descriptor has room for more extents: the shortest line of one takes 32 bytes.
inline constexpr std::uint32_t most_pieces = descriptor_max_bytes / 32;

/// How a disk with a text descriptor is cut into files.
enum class piece_form : std::uint8_t {
  sparse,  ///< disk-s001.vmdk, ... of 2047 MiB each.
  flat,    ///< disk-f001.vmdk, ... of 2047.75 MiB each.
  whole,   ///< All of it in disk-flat.vmdk.
};

/// What the files of a disk are named after: its descriptor's name without ".vmdk".
[[nodiscard]] constexpr std::string_view stem_of(std::string_view descriptor_name) noexcept {
  const std::size_t ending = detail::piece_ending.size();
  if (descriptor_name.size() <= ending) return descriptor_name;
  const std::size_t stem = descriptor_name.size() - ending;
  const bool ends_so =
      detail::same_ignoring_case(detail::part(descriptor_name, stem), detail::piece_ending);
  return ends_so ? detail::part(descriptor_name, 0, stem) : descriptor_name;
}

class piece_list;

/// How a disk is cut into files, and what its descriptor says of them: arithmetic only.
class disk_pieces {
 public:
  constexpr disk_pieces() noexcept = default;

  /// Cuts a disk of so many sectors, 1 to capacity_limit_sectors.
  /// Errors: errc::capacity_too_large, of origin::options, when no descriptor could list the files.
  [[nodiscard]] static constexpr result<disk_pieces> cut(std::uint64_t capacity_sectors,
                                                         piece_form form) noexcept {
    disk_pieces pieces;
    pieces.capacity_sectors_ = capacity_sectors;
    pieces.form_ = form;
    if (form == piece_form::whole) return pieces;

    // In units of 2^shift sectors the division has 32 bits: 64 would be a library call.
    constexpr unsigned shift = 9;
    const std::uint32_t sectors =
        form == piece_form::sparse ? sparse_piece_sectors : flat_piece_sectors;
    const std::uint64_t units = ceil_shift(capacity_sectors, shift);
    const std::uint32_t piece_units = sectors >> shift;
    if (units > std::uint64_t{piece_units} * most_pieces) {
      return options_failure(errc::capacity_too_large);
    }
    pieces.count_ = (static_cast<std::uint32_t>(units) + piece_units - 1) / piece_units;
    return pieces;
  }

  [[nodiscard]] constexpr std::uint64_t capacity_sectors() const noexcept {
    return capacity_sectors_;
  }
  [[nodiscard]] constexpr std::uint64_t capacity_bytes() const noexcept {
    return capacity_sectors_ << sector_shift;
  }
  [[nodiscard]] constexpr piece_form form() const noexcept { return form_; }

  /// The number of extents; besides their files there is the descriptor.
  [[nodiscard]] constexpr std::uint32_t piece_count() const noexcept { return count_; }

  /// The sectors of the disk that are in a piece, counted from 0.
  [[nodiscard]] constexpr region piece(std::uint32_t index) const noexcept {
    if (form_ == piece_form::whole) return {0, capacity_sectors_};
    const std::uint64_t sectors =
        form_ == piece_form::sparse ? sparse_piece_sectors : flat_piece_sectors;
    const std::uint64_t first = index * sectors;
    return {first, smaller_of(sectors, capacity_sectors_ - first)};
  }

  /// The extents as the descriptor of this name lists them; an ExtentList, which the name must
  /// outlive.
  [[nodiscard]] constexpr piece_list extents(std::string_view descriptor_name) const noexcept;

  /// The size of the descriptor's text when it has these fields; no content id changes it.
  [[nodiscard]] constexpr std::uint64_t descriptor_bytes(
      const descriptor_fields& fields, std::string_view descriptor_name) const noexcept;

 private:
  std::uint64_t capacity_sectors_ = 0;
  std::uint32_t count_ = 1;
  piece_form form_ = piece_form::whole;
};

static_assert(sparse_piece_sectors % 2048 == 0 && flat_piece_sectors % 512 == 0);
static_assert(std::uint64_t{flat_piece_sectors >> 9} * (most_pieces + 1) <= 0xFFFFFFFF);

/// Computes the extent lines of a disk of several files one by one.
class piece_list {
 public:
  constexpr piece_list(const disk_pieces& pieces, std::string_view descriptor_name) noexcept
      : pieces_(pieces), stem_(stem_of(descriptor_name)) {}

  [[nodiscard]] constexpr std::size_t size() const noexcept { return pieces_.piece_count(); }

  [[nodiscard]] constexpr extent_line operator[](std::size_t index) const noexcept {
    const auto piece = static_cast<std::uint32_t>(index);
    const bool whole = pieces_.form() == piece_form::whole;
    const bool sparse = pieces_.form() == piece_form::sparse;
    extent_line line;
    line.type = sparse ? extent_type::sparse : extent_type::flat;
    line.has_offset = !sparse;
    line.sectors = pieces_.piece(piece).sectors;
    line.name.stem = stem_;
    line.name.kind = sparse ? 's' : 'f';
    line.name.piece = whole ? 0 : piece + 1;
    line.name.flat = whole;
    return line;
  }

 private:
  disk_pieces pieces_;
  std::string_view stem_;
};

static_assert(ExtentList<piece_list>);

constexpr piece_list disk_pieces::extents(std::string_view descriptor_name) const noexcept {
  return {*this, descriptor_name};
}

constexpr std::uint64_t disk_pieces::descriptor_bytes(
    const descriptor_fields& fields, std::string_view descriptor_name) const noexcept {
  return vmdk::descriptor_bytes(fields, extents(descriptor_name));
}

}  // namespace vmdk
