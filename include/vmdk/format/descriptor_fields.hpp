// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "vmdk/format/content_id.hpp"
#include "vmdk/format/create_type.hpp"
#include "vmdk/format/descriptor_limits.hpp"
#include "vmdk/format/geometry.hpp"

namespace vmdk {

/// How a descriptor is laid out.
enum class descriptor_style : std::uint8_t {
  usual,  ///< As VMware's own tools write it.
  mkimg,  ///< As FreeBSD's mkimg does: short, without a content id, the extent's name may be empty.
};

/// One line of the disk data base: `ddb.KEY = "VALUE"`; the key is without its "ddb.".
struct ddb_entry {
  std::string_view key;
  std::string_view value;
};

/// Everything that a new descriptor says, except its extents (SPEC 6). Owns nothing: the texts must
/// live as long as it is used.
struct descriptor_fields {
  descriptor_style style = descriptor_style::usual;
  create_type type = create_type::monolithic_sparse;
  content_id id{};
  std::uint32_t parent_cid = no_parent_cid;
  std::string_view parent_file_name_hint{};  ///< For a disk that has a parent, and no other.
  adapter controller = adapter::lsilogic;
  geometry disk_geometry{};                  ///< See geometry_for; must be given.
  std::uint32_t tools_version = 2147483647;  ///< This number means "unknown".
  std::uint32_t virtual_hw_version = 4;
  std::string_view uuid{};  ///< "60 00 C2 9x xx xx xx xx-xx xx xx xx xx xx xx xx", or empty.
  std::span<const ddb_entry> more_ddb{};  ///< Further lines, written last.
};

/// What is wrong with the fields of a descriptor: the `detail` of an errc::option_invalid. The
/// failure's `offset` counts which extent, or which of `more_ddb`, from 0.
enum class descriptor_problem : std::uint32_t {
  none,
  create_type,       ///< Not one of the five that are written.
  content_id,        ///< The CID is ffffffff, which stands for no parent.
  parent,            ///< A parent's CID without a hint, or the other way round.
  parent_hint,       ///< As ddb_value.
  geometry,          ///< A zero in it.
  uuid,              ///< Not 16 pairs of hexadecimal digits, a '-' in the middle, else blanks.
  ddb_count,         ///< More lines than readers take.
  ddb_key,           ///< Empty, too long, or something else than letters, digits, '.', '_', '-'.
  ddb_key_reserved,  ///< A field has it, or it contradicts one.
  ddb_key_twice,
  ddb_value,     ///< A quote, control character, bytes that are not UTF-8, too long, or a word that
                 ///< readers take for a key wherever it stands: createType, parentCID ...
  extent_count,  ///< None, or more than one for a type that has one.
  extent_name,   ///< Not a plain file name, too long, or as ddb_value.
  extent_sectors,  ///< None, or more than 2^54 in all.
  extent_type,     ///< Not one that the create type has.
  extent_offset,   ///< FLAT without an offset, or another with one.
  text_bytes,      ///< The text would be longer than readers take: too many extents.
};

/// One sentence that a user can act on, for messages.
[[nodiscard]] constexpr std::string_view to_string(descriptor_problem problem) noexcept {
  using namespace std::string_view_literals;
  switch (problem) {
    case descriptor_problem::none:
      return "nothing is wrong with the descriptor"sv;
    case descriptor_problem::create_type:
      return "this createType can be read, but not written"sv;
    case descriptor_problem::content_id:
      return "the CID ffffffff means no parent; take another"sv;
    case descriptor_problem::parent:
      return "a parent needs both its CID and its file name"sv;
    case descriptor_problem::parent_hint:
      return "the parent's file name has a character that a descriptor cannot hold, or is too long"sv;
    case descriptor_problem::geometry:
      return "cylinders, heads and sectors must be at least 1"sv;
    case descriptor_problem::uuid:
      return "the uuid must look like \"60 00 C2 90 00 00 00 00-00 00 00 00 00 00 00 00\""sv;
    case descriptor_problem::ddb_count:
      return "there are too many ddb keys"sv;
    case descriptor_problem::ddb_key:
      return "a ddb key may have only letters, digits, '.', '_' and '-'"sv;
    case descriptor_problem::ddb_key_reserved:
      return "this ddb key is set by an option of its own"sv;
    case descriptor_problem::ddb_key_twice:
      return "a ddb key is given twice"sv;
    case descriptor_problem::ddb_value:
      return "a ddb value has a character that a descriptor cannot hold, or is too long"sv;
    case descriptor_problem::extent_count:
      return "this type has exactly one extent"sv;
    case descriptor_problem::extent_name:
      return "the extent's name must be a plain file name, without path, quote or control "
             "character"sv;
    case descriptor_problem::extent_sectors:
      return "the extents are empty or too large"sv;
    case descriptor_problem::extent_type:
      return "this createType has no extents of that type"sv;
    case descriptor_problem::extent_offset:
      return "FLAT extents have an offset, and only they"sv;
    case descriptor_problem::text_bytes:
      return "the descriptor would be longer than 1 MiB"sv;
  }
  return "something is wrong with the descriptor"sv;
}

}  // namespace vmdk
