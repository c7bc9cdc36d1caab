// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/sparse_geometry.hpp"
#include "vmdk/format/sparse_header.hpp"
#include "vmdk/verify/check_memory.hpp"
#include "vmdk/verify/directory_search.hpp"
#include "vmdk/verify/header_choice.hpp"
#include "vmdk/verify/header_mender.hpp"
#include "vmdk/verify/repair_step.hpp"
#include "vmdk/verify/table_formats.hpp"

namespace vmdk::detail {

/// The extent that is repaired: its file, the memory for it, and its header as it is going to be.
template <class Target>
struct mended_extent {
  Target* target = nullptr;
  walk_room share;
  header_choice choice{};  ///< The headers as they are.
  sparse_extent_header header{};
  bool is_copy_lost = false;  ///< There should be redundant tables, and they cannot be found.

  [[nodiscard]] constexpr std::uint64_t file_sectors() const noexcept {
    return target->size() >> sector_shift;
  }
  [[nodiscard]] constexpr sparse_geometry geometry() const noexcept {
    return sparse_geometry(header.capacity, header.grain_size);
  }
  /// The directories and tables that are to be walked over.
  [[nodiscard]] constexpr sparse_format format() const noexcept {
    sparse_extent_header taken = header;
    if (is_copy_lost) taken.rgd_offset = header.gd_offset.get();
    return sparse_format(taken, target->size());
  }

  /// Puts both directories' places into the header. Errors: those of directory_search.
  constexpr failure place_directories() noexcept {
    directory_search<Target> search(*target, header, share.windows);
    const failure f = search.place();
    is_copy_lost = search.is_copy_lost();
    return f;
  }
  /// Says that there are no redundant tables.
  constexpr void drop_copy() noexcept {
    header.flags = header.flags & ~sparse_flags::redundant_tables;
    header.rgd_offset = std::uint64_t{0};
  }
  /// Tells that the redundant directory is left, if it is.
  constexpr void tell_lost_directory() noexcept {
    if (!is_copy_lost) return;
    target->tell({.kind = repair_kind::directory_left,
                  .offset = offsetof(sparse_extent_header, rgd_offset)});
  }

  /// As header_mender does with this header; the unclean flag goes last. Errors: the file's.
  constexpr failure mend_header() noexcept {
    header_mender<Target> mender(*target, choice);
    if (failure f = mender.mend_header(header)) return f;
    return mender.clear_unclean();
  }
  /// Writes the header now, all but the unclean flag, so that what follows may stop anywhere.
  /// Errors: the file's.
  constexpr failure mend_header_first() noexcept {
    if (failure f = header_mender<Target>(*target, choice).mend_header(header)) return f;
    const std::uint8_t unclean =
        choice.is_header_usable ? choice.header.unclean_shutdown : std::uint8_t{0};
    choice.header = header;
    choice.header.unclean_shutdown = unclean;
    choice.is_header_usable = true;
    return no_failure;
  }
  constexpr failure mend_footer() noexcept {
    return header_mender<Target>(*target, choice).mend_footer(header);
  }
};

}  // namespace vmdk::detail
