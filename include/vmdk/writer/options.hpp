// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/content_id.hpp"
#include "vmdk/format/descriptor_fields.hpp"
#include "vmdk/format/geometry.hpp"
#include "vmdk/layout/capacity.hpp"
#include "vmdk/layout/types.hpp"

namespace vmdk {

/// What an image shall say about itself. Owns nothing: the texts live as long as it is used. The
/// defaults are what every known reader takes (SPEC 4, 6, 12). Every type takes each field that
/// says nothing else; what a type has no use for it ignores.
struct write_options {
  /// The name of the file that the sink is; readers look the disk up by it. With several files it
  /// is the descriptor's, and the others are named after it. Not looked at with like_mkimg.
  std::string_view extent_name{"disk.vmdk", 9};
  std::uint32_t grain_sectors = 128;  ///< For types with dynamic_grain alone.
  /// For types with grains; flat ones are as with `exact`, and a child is as large as its parent.
  capacity_rule capacity = capacity_rule::whole_grains;
  adapter controller = adapter::lsilogic;    ///< With like_mkimg it is IDE.
  std::uint32_t virtual_hw_version = 4;      ///< With like_mkimg for streams alone.
  std::uint32_t tools_version = 2147483647;  ///< This means "unknown". Not with like_mkimg.
  std::string_view uuid{};                   ///< As in descriptor_fields; empty: none.
  std::span<const ddb_entry> more_ddb{};     ///< Further lines, written last.
  bool cid_given = false;                    ///< Else the CID follows from the content (SPEC 14).
  std::uint32_t cid = 0;                     ///< Taken with cid_given or like_mkimg; not ffffffff.
  /// As FreeBSD's mkimg writes it. monolithicSparse: the primary directory first, and a tight
  /// descriptor without names or content id, an IDE disk. streamOptimized: the descriptor alone,
  /// whose extent is RW. Others refuse it: errc::not_supported.
  bool like_mkimg = false;
  tables table_place = tables::at_end;  ///< For streamOptimized alone.
};

/// What a child says of its parent.
struct parent_link {
  std::uint32_t cid = no_parent_cid;  ///< The CID in the parent's descriptor.
  std::string_view file_name_hint{};  ///< The parent's name, or a path to it from the child.
};

/// What was written.
struct write_report {
  std::uint64_t source_bytes = 0;
  std::uint64_t capacity_bytes = 0;  ///< Of the disk: the source, rounded up with zeros.
  std::uint64_t file_bytes = 0;
  std::uint64_t stored_grains = 0;
  content_id id{};
  bool id_from_content = true;  ///< False when it could only be made from size and options.
};

namespace detail {

/// The descriptor that these options ask for, but for its content id.
[[nodiscard]] constexpr descriptor_fields make_fields(const write_options& options,
                                                      create_type type,
                                                      std::uint64_t capacity_sectors) noexcept {
  descriptor_fields fields;
  fields.style = options.like_mkimg ? descriptor_style::mkimg : descriptor_style::usual;
  fields.type = type;
  fields.controller = options.like_mkimg ? adapter::ide : options.controller;
  fields.disk_geometry = geometry_for(fields.controller, capacity_sectors);
  fields.tools_version = options.tools_version;
  fields.virtual_hw_version = options.virtual_hw_version;
  fields.uuid = options.uuid;
  fields.more_ddb = options.more_ddb;
  fields.id.cid = options.cid;
  return fields;
}

/// True when the content must be known to choose the id.
[[nodiscard]] constexpr bool needs_content(const write_options& options) noexcept {
  return !options.like_mkimg && !options.cid_given;
}

/// The content id to write, when the content has this one. Where a CID is given, the long form
/// follows from it alone, so that no sink needs to know the content for it.
[[nodiscard]] constexpr content_id choose_id(const write_options& options,
                                             content_id from_content) noexcept {
  if (options.like_mkimg) return {.cid = options.cid, .long_high = 0, .long_low = options.cid};
  if (!options.cid_given) return from_content;
  content_id given = make_content_id(options.cid);
  given.set_cid(options.cid);
  return given;
}

}  // namespace detail
}  // namespace vmdk
