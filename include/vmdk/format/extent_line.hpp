// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>

#include "vmdk/format/extent_name.hpp"
#include "vmdk/format/words.hpp"

namespace vmdk {

/// What a guest may do with an extent.
enum class extent_access : std::uint8_t { read_write, read_only, none };

inline constexpr detail::word<extent_access> extent_access_words[] = {
    {"RW", extent_access::read_write},
    {"RDONLY", extent_access::read_only},
    {"NOACCESS", extent_access::none},
};

/// How an extent is stored (SPEC 6, 8, 10, 11).
enum class extent_type : std::uint8_t {
  sparse,       ///< A hosted sparse file (SPEC 2).
  flat,         ///< The sectors as they are.
  zero,         ///< Nothing is stored; reads as zeros.
  vmfs,         ///< As flat.
  vmfs_sparse,  ///< COWD.
  se_sparse,
  vmfs_rdm,
  vmfs_raw,
};

inline constexpr detail::word<extent_type> extent_type_words[] = {
    {"SPARSE", extent_type::sparse},
    {"FLAT", extent_type::flat},
    {"ZERO", extent_type::zero},
    {"VMFS", extent_type::vmfs},
    {"VMFSSPARSE", extent_type::vmfs_sparse},
    {"SESPARSE", extent_type::se_sparse},
    {"VMFSRDM", extent_type::vmfs_rdm},
    {"VMFSRAW", extent_type::vmfs_raw},
};

/// True for the types that may start somewhere inside their file.
[[nodiscard]] constexpr bool may_have_offset(extent_type type) noexcept {
  return type == extent_type::flat || type == extent_type::vmfs || type == extent_type::vmfs_rdm ||
         type == extent_type::vmfs_raw;
}

/// One line of a descriptor's extent section: so many sectors of the disk lie in that file. Owns
/// nothing.
struct extent_line {
  extent_access access = extent_access::read_write;
  extent_type type = extent_type::sparse;
  bool has_offset = false;  ///< FLAT lines have one; other readers refuse it with sparse types.
  std::uint64_t sectors = 0;
  extent_name name{};
  std::uint64_t offset_sectors = 0;  ///< Where in the file the extent starts.
};

/// The extents of a disk, front to back: a std::array, a std::span, or an object that computes
/// them.
template <class T>
concept ExtentList = requires(const T& extents, std::size_t index) {
  { extents.size() } -> std::convertible_to<std::size_t>;
  { extents[index] } -> std::convertible_to<extent_line>;
};

}  // namespace vmdk
