// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

namespace vmdk {

/// Names every way in which a call of this library can fail. Each rule about the bytes of an image
/// (SPEC section 13) has a code of its own. `to_string.hpp` has one sentence for each.
///
/// Codes from `caller_first` up are never used by the library: sources, sinks and codecs of the
/// caller's own may return them, and they come back unchanged.
enum class errc : std::uint16_t {
  none = 0,

  // Reading and writing bytes.
  read_failed = 1,      ///< The source's medium failed; detail: errno.
  write_failed,         ///< The sink's medium failed; detail: errno.
  out_of_range,         ///< A range lies outside the object it was asked of.
  unexpected_end,       ///< The source ended before its stated size.
  source_too_long,      ///< The source goes on after its stated size.
  source_changed,       ///< The source gave other bytes on a later walk.
  source_not_seekable,  ///< A sequential source was asked to go back.
  sink_full,            ///< The sink has no room left.
  workspace_too_small,  ///< detail: the bytes that are needed.
  not_supported,        ///< The object cannot do what was asked of it.
  cancelled,            ///< Another thread's failure stopped this one.

  // The sparse extent header and the footer (SPEC 13.1, 13.3).
  header_truncated = 100,         ///< The file is shorter than a header.
  magic_invalid,                  ///< Not a sparse extent.
  magic_unfinished,               ///< "kdmv": its writer never finished the file.
  version_unsupported,            ///< 0, or newer than 3.
  flags_unknown,                  ///< An incompatible flag bit that nobody has defined.
  markers_without_compression,    ///< Flag bit 17 without bit 16.
  compression_without_markers,    ///< Flag bit 16 without bit 17; detail: the flags.
  compression_algorithm_invalid,  ///< The algorithm contradicts flag bit 16.
  newline_bytes_damaged,          ///< The file went through a text-mode transfer.
  capacity_zero,
  capacity_too_large,         ///< Beyond what the format or the reader's policy allows.
  grain_size_invalid,         ///< Zero or no power of two.
  grain_size_too_large,       ///< More than 2^21 sectors; where compressed, 4096.
  grain_size_unusual,         ///< Below 8 or above 2048 sectors (strict readers only).
  grain_size_large,           ///< 256 to 2048 sectors: a note, which strict readers pass over.
  entries_per_table_invalid,  ///< Not 512.
  directory_offset_invalid,   ///< Zero, or the directory lies outside the file.
  directory_overlap,          ///< The directory overlaps the header or the descriptor.
  redundant_offset_invalid,   ///< As directory_offset_invalid, for the redundant one.
  redundant_overlap,          ///< As directory_overlap, for the redundant one.
  redundant_shared,           ///< Both directories are the same sectors.
  descriptor_offset_invalid,  ///< The embedded descriptor lies outside the file.
  descriptor_size_invalid,    ///< Zero or more than 2048 sectors.
  overhead_outside_file,      ///< The file is shorter than its metadata.
  overhead_too_small,         ///< The overhead ends before the tables do.
  unclean_shutdown,           ///< The last writer did not close the image.
  header_padding_not_zero,
  zeroed_grains_need_version_2,  ///< Flag bit 2 in a version 1 header.
  capacity_not_whole_grains,
  footer_missing,               ///< The header says tables at the end; no footer there.
  footer_mismatch,              ///< Header and footer disagree; offset: the field.
  footer_marker_invalid,        ///< The marker before the footer is not (1, 0, 3).
  footer_directory_invalid,     ///< The footer has no usable directory offset.
  end_of_stream_invalid,        ///< The last sector is not an end-of-stream marker.
  embedded_descriptor_missing,  ///< A file of its own without a descriptor inside.

  // Directories, tables, grains, markers (SPEC 13.2).
  directory_entry_invalid = 200,  ///< Below the metadata or outside the file.
  directory_entry_zero,           ///< A table is missing where the type has none missing.
  directory_entry_duplicate,      ///< Two directory entries name one table.
  directory_tail_not_zero,        ///< Directory entries past the last table are in use.
  table_overlap,                  ///< A table overlaps other metadata or a grain.
  grain_below_overhead,           ///< A table entry points into the metadata.
  grain_past_end,                 ///< A grain does not lie inside the file.
  grain_zeroed_not_allowed,       ///< Entry 1 without flag bit 2.
  grain_duplicate,                ///< Two table entries name one grain.
  grain_overlap,                  ///< Two grains share sectors.
  grain_metadata_overlap,         ///< A grain overlaps the header, descriptor, directory or footer.
  grain_unaligned,                ///< A grain does not start on a grain boundary.
  table_tail_not_zero,            ///< Entries past the capacity are in use.
  directories_differ,             ///< A table is missing in one copy only.
  tables_differ,                  ///< The two copies of a table entry differ.
  marker_invalid,                 ///< A marker with a size, type or length that cannot be.
  marker_lba_mismatch,            ///< A grain's marker names another place of the disk.
  marker_lba_not_ascending,
  marker_size_invalid,  ///< A compressed grain that is empty or too large.
  marker_padding_not_zero,
  stream_data_after_end,   ///< Bytes follow the end-of-stream marker.
  stream_end_missing,      ///< The stream ends without an end-of-stream marker.
  stream_tables_mismatch,  ///< A table in the stream contradicts the grains before it.
  stream_gap,              ///< Zero sectors between grains: read in sequence, an early end.
  stream_end_padded,       ///< Zeros follow the end-of-stream marker.
  last_grain_short,        ///< The last grain was not padded before it was compressed.

  // Descriptors (SPEC 13.4).
  descriptor_signature_missing = 300,  ///< Another first line than "# Disk DescriptorFile".
  descriptor_empty,
  descriptor_too_long,          ///< More than 1 MiB.
  descriptor_nul_inside,        ///< Other text after a zero byte, in a text file.
  descriptor_padding_not_zero,  ///< Bytes after the end that hide nothing.
  descriptor_control_character,
  descriptor_line_end_invalid,  ///< A carriage return without a newline behind it.
  descriptor_line_end_unusual,  ///< Lines that end in carriage return and newline.
  descriptor_line_too_long,     ///< More than 2048 bytes.
  descriptor_line_invalid,      ///< No comment, key or extent.
  descriptor_blanks_unusual,    ///< A tab, or a blank where VMware has none.
  descriptor_not_utf8,
  descriptor_encoding_unknown,  ///< Not ASCII, in an encoding that cannot be converted.
  descriptor_encrypted,         ///< encryptionKeys has a value.
  descriptor_too_many_keys,
  descriptor_key_duplicate,
  descriptor_key_case,    ///< A header key in other letters: readers disagree on it.
  descriptor_key_hidden,  ///< A header key inside a comment, name or value.
  descriptor_key_unknown,
  descriptor_section_order,  ///< A header key or an extent behind its section.
  descriptor_value_invalid,  ///< Quotes that do not match, or text behind them.
  descriptor_value_unquoted,
  descriptor_value_case,  ///< A known word in other letters.
  descriptor_version_missing,
  descriptor_version_invalid,  ///< Not 1, 2 or 3.
  descriptor_cid_missing,
  descriptor_cid_invalid,   ///< CID or parentCID is not 1 to 8 hexadecimal digits.
  descriptor_cid_reserved,  ///< The CID is ffffffff.
  descriptor_cid_order,     ///< parentCID stands before CID.
  descriptor_parent_cid_missing,
  descriptor_parent_hint_missing,   ///< A parentCID without a parentFileNameHint.
  descriptor_parent_contradiction,  ///< A parentFileNameHint without a parentCID.
  descriptor_parent_by_uuid,        ///< VirtualBox's: ddb.uuid.parent without a parentCID.
  descriptor_create_type_missing,
  descriptor_create_type_unknown,
  descriptor_create_type_misplaced,  ///< Embedded, but of a text file's type; or the reverse.
  descriptor_create_type_mismatch,   ///< The extents are not what the type has.
  descriptor_extent_missing,
  descriptor_extent_fields,  ///< A field is missing, or its quotes do not match.
  descriptor_extent_extra,   ///< Fields behind the offset.
  descriptor_extent_type_unknown,
  descriptor_extent_sectors,         ///< No number, 0, or more than 2^54 in all.
  descriptor_extent_offset,          ///< No number, too large, or not 0 with a sparse type.
  descriptor_extent_offset_unusual,  ///< FLAT without an offset, or another type with one.
  descriptor_extent_name_unusual,    ///< Embedded: empty, too long or a path. Never opened.
  descriptor_extent_name_path,       ///< In a text file: empty, too long or a path. Never opened.
  descriptor_embedded_extents,       ///< Embedded: not exactly one extent, of type SPARSE.
  descriptor_ddb_missing,            ///< No disk data base.
  descriptor_ddb_prefix_missing,     ///< A key of the disk data base without its "ddb.".
  descriptor_ddb_value_invalid,      ///< No number, or a word that is not known, where one belongs.
  descriptor_capacity_mismatch,      ///< Embedded: the extent's size contradicts the header.
  descriptor_compression_mismatch,   ///< Embedded: the createType contradicts the header's flags.

  // Codecs.
  stream_truncated = 400,  ///< The compressed input ends early.
  stream_header_invalid,   ///< Not an RFC 1950 header.
  stream_dictionary,       ///< A preset dictionary is asked for.
  stream_block_invalid,    ///< A block type, length or complement that cannot be.
  stream_code_invalid,     ///< An over-subscribed or incomplete Huffman code.
  stream_symbol_invalid,   ///< A code word or distance that cannot be.
  stream_output_overrun,   ///< More output than the grain has room for.
  stream_output_short,     ///< Less output than a whole grain.
  stream_input_left,       ///< Input bytes are left over.
  stream_checksum,         ///< The Adler-32 does not match.
  codec_failed,            ///< The codec gave up; detail: its own code.
  codec_not_available,     ///< No decoder was built in for this image.
  encoded_too_large,       ///< An encoder's output is larger than the room given.

  // Layouts, writers and their options.
  option_invalid = 500,  ///< A value that a descriptor cannot hold.
  extent_too_large,      ///< A sector number would pass 2^32.
  content_exceeds_capacity,

  // COWD and seSparse extents (SPEC 13.5).
  cowd_magic_invalid = 600,         ///< Not a COWD extent.
  cowd_version_unsupported,         ///< Not 1.
  cowd_flags_invalid,               ///< Not 3.
  cowd_grain_size_invalid,          ///< No power of two from 1 to 2048 sectors.
  cowd_directory_size_invalid,      ///< Not the entries that capacity and grain ask for.
  cowd_free_sector_invalid,         ///< The next free sector is in use, or behind the file.
  cowd_zeroed_grain,                ///< A table entry of 1.
  sesparse_magic_invalid = 620,     ///< Not a seSparse extent.
  sesparse_version_unsupported,     ///< Not 2.1.
  sesparse_grain_size_invalid,      ///< Not 8 sectors.
  sesparse_table_size_invalid,      ///< Not 64 sectors.
  sesparse_flags_unknown,           ///< Not 0.
  sesparse_reserved_unusual,        ///< A reserved field has a value that is known to be harmless.
  sesparse_reserved_not_zero,       ///< A reserved field or padding is in use.
  sesparse_region_outside_file,     ///< offset: the region's fields.
  sesparse_region_overlap,          ///< Two regions share sectors; offset: the later one's fields.
  sesparse_region_too_small,        ///< A region has no room for what must be in it.
  sesparse_grains_outside_file,     ///< The room for grains ends behind the file.
  sesparse_volatile_magic_invalid,  ///< No volatile header where one should be.
  sesparse_dirty,                   ///< The journal waits to be replayed.
  sesparse_entry_invalid,           ///< A table entry of no known kind.

  // Names, files and chains.
  name_not_allowed = 700,  ///< Not a plain base name.
  file_not_found,
  file_not_regular,  ///< A directory, device, FIFO or symbolic link.
  extent_too_short,  ///< The file ends before its extent does.
  extent_no_access,  ///< NOACCESS: nobody may read it.
  extent_type_unsupported,
  extent_mismatch,       ///< The extent's header contradicts its descriptor line; offset: its
                         ///< capacity; detail: the line's sectors, at most 2^32 - 1.
  extent_rounded_up,     ///< The last extent's header rounds up its line: a note.
  extent_is_descriptor,  ///< An extent line names the descriptor itself.
  extent_overlap,        ///< Two extents share bytes of one file.
  extent_count_invalid,  ///< More extents than the workspace holds.
  parent_missing,        ///< A delta link without its parent.
  parent_modified,       ///< The parent's content id is not the one recorded.
  parent_capacity_differs,
  chain_too_deep,
  chain_loop,
  already_exists,

  caller_first = 0x8000,
};

}  // namespace vmdk
