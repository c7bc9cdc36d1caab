// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "vmdk/format/words.hpp"

namespace vmdk {

/// What a descriptor may cost a reader (SPEC 13.4). Entries are bounded because a key given twice
/// must be found without a heap; extents are bounded by the text alone.
inline constexpr std::size_t descriptor_max_bytes = std::size_t{1} << 20;
inline constexpr std::size_t descriptor_line_max_bytes = 2048;
inline constexpr std::size_t descriptor_max_header_entries = 32;
inline constexpr std::size_t descriptor_max_ddb_entries = 192;

/// The parentCID of a disk that has no parent.
inline constexpr std::uint32_t no_parent_cid = 0xFFFFFFFF;

namespace detail {

inline constexpr std::string_view descriptor_signature = "# Disk DescriptorFile";
inline constexpr std::string_view ddb_prefix = "ddb.";
inline constexpr std::string_view change_track_key = "changeTrackPath";
inline constexpr std::string_view encryption_key = "encryptionKeys";

/// The keys that a descriptor's first section is known to have.
enum class header_key : std::uint8_t {
  unknown,
  version,
  encoding,
  cid,
  parent_cid,
  is_native_snapshot,
  create_type,
  parent_file_name_hint,
  change_track_path,
  encryption_keys,
};

inline constexpr word<header_key> header_key_words[] = {
    {"version", header_key::version},
    {"encoding", header_key::encoding},
    {"CID", header_key::cid},
    {"parentCID", header_key::parent_cid},
    {"isNativeSnapshot", header_key::is_native_snapshot},
    {"createType", header_key::create_type},
    {"parentFileNameHint", header_key::parent_file_name_hint},
    {"changeTrackPath", header_key::change_track_path},
    {encryption_key, header_key::encryption_keys},
};

/// The offset of a word that some readers look for anywhere in the text, so that it must stand
/// nowhere but as the key of its own line; the size when there is none (SPEC 13.4).
[[nodiscard]] constexpr std::size_t find_hidden_key(std::string_view text) noexcept {
  constexpr std::string_view words[] = {"CID=", "createType", "parentCID", "parentFileNameHint"};
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = lower(text.data()[at]);
    if (c != 'c' && c != 'p') continue;
    for (const std::string_view word : words) {
      if (starts_with_ignoring_case(part(text, at), word)) return at;
    }
  }
  return text.size();
}

}  // namespace detail
}  // namespace vmdk
