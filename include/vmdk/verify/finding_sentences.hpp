// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string_view>

#include "vmdk/core/errc.hpp"

namespace vmdk::detail {

struct finding_sentence {
  errc code;
  std::string_view text;
};

/// Sentences with figures. {t} is a finding's table, {e} its entry, {v} its value and {o} the other
/// value, {x} and {X} the same in hexadecimal, {T} and {E} the other table and entry, {n} the name.
/// A code that is missing here has the sentence of `to_string`.
inline constexpr finding_sentence finding_sentences[] = {
    {errc::version_unsupported, "the image's version is {v}, not 1, 2 or 3"},
    {errc::flags_unknown, "the flags {x} have a feature that is not known"},
    {errc::compression_algorithm_invalid,
     "compression algorithm {v} contradicts the header's flags"},
    {errc::capacity_too_large,
     "a capacity of {v} sectors is more than the format or the grain size allows"},
    {errc::grain_size_invalid, "a grain size of {v} sectors is not a power of two"},
    {errc::grain_size_too_large,
     "a grain size of {v} sectors is larger than 1 GiB, or than 2 MiB where grains are compressed"},
    {errc::grain_size_unusual, "a grain size of {v} sectors is one that no known program writes"},
    {errc::grain_size_large, "a grain size of {v} sectors is larger than some programs read"},
    {errc::entries_per_table_invalid, "the grain tables have {v} entries, not 512"},
    {errc::directory_offset_invalid, "the grain directory at sector {v} lies outside the file"},
    {errc::directory_overlap, "the grain directory at sector {v} overlaps other metadata"},
    {errc::redundant_offset_invalid,
     "the redundant grain directory at sector {v} lies outside the file"},
    {errc::redundant_overlap,
     "the redundant grain directory at sector {v} overlaps other metadata"},
    {errc::descriptor_offset_invalid,
     "the embedded descriptor at sector {v} lies outside the file"},
    {errc::descriptor_size_invalid, "the embedded descriptor has {v} sectors, not 1 to 2048"},
    {errc::overhead_outside_file,
     "the file ends before its {v} sectors of metadata do; it was cut"},
    {errc::overhead_too_small, "the header states {v} sectors of metadata, but there are more"},
    {errc::capacity_not_whole_grains, "a capacity of {v} sectors does not end on a grain boundary"},
    {errc::footer_missing, "the footer is missing from the end of the file"},
    {errc::footer_mismatch, "the footer says {v} where the header says {o}"},
    {errc::directory_entry_invalid, "grain directory entry {t} is {v}, where no table can be"},
    {errc::directory_entry_zero, "grain table {t} is missing"},
    {errc::directory_entry_duplicate,
     "grain directory entry {t} names the table of entry {T} at sector {v} ({o} entries do)"},
    {errc::directory_tail_not_zero,
     "grain directory entry {t} is {v}, but lies past the last table"},
    {errc::table_overlap, "grain table {t} overlaps other data from sector {v} on"},
    {errc::grain_below_overhead,
     "grain table entry {e} of table {t} points into the metadata, to sector {v}"},
    {errc::grain_past_end, "grain table entry {e} of table {t} points past the end of the file"},
    {errc::grain_zeroed_not_allowed,
     "grain table entry {e} of table {t} is 1, but the image does not allow zeroed grains"},
    {errc::grain_duplicate,
     "grain table entry {e} of table {t} names the grain of entry {E} of table {T} at sector {v} "
     "({o} entries do)"},
    {errc::grain_overlap,
     "the grain of entry {e} of table {t} shares sector {v} with that of entry {E} of table {T}"},
    {errc::grain_metadata_overlap,
     "the grain of entry {e} of table {t} overlaps the metadata at sector {v}"},
    {errc::grain_unaligned,
     "the grain of entry {e} of table {t} at sector {v} does not start on a grain boundary"},
    {errc::table_tail_not_zero,
     "grain table entry {e} of table {t} is {v}, but lies past the end of the disk"},
    {errc::directories_differ, "grain directory entry {t} is {v}, but {o} in the redundant copy"},
    {errc::tables_differ,
     "grain table entry {e} of table {t} is {v}, but {o} in the redundant copy"},
    {errc::marker_invalid,
     "a marker in the stream is damaged: its value is {v}, the type or length {o}"},
    {errc::marker_lba_mismatch,
     "the marker of entry {e} of table {t} names sector {v} of the disk, not {o}"},
    {errc::marker_lba_not_ascending,
     "the grain for sector {v} of the disk follows the one for sector {o}"},
    {errc::marker_size_invalid, "a compressed grain of {v} bytes is empty or too large"},
    {errc::stream_tables_mismatch,
     "grain table entry {e} of table {t} is {v}, but the grain stands at sector {o}"},
    {errc::stream_gap,
     "{v} zero sectors stand between the grains, where sequential readers see the end"},
    {errc::stream_end_padded, "{v} zero sectors, not one, stand at the end of the stream"},
    {errc::last_grain_short,
     "the last grain has {v} bytes instead of {o}, so that some programs refuse it"},
    {errc::descriptor_too_long, "a descriptor of {v} bytes is longer than 1 MiB"},
    {errc::descriptor_capacity_mismatch, "the descriptor states {v} sectors, but the header {o}"},
    {errc::cowd_zeroed_grain,
     "grain table entry {e} of table {t} is 1, which programs disagree on"},
    {errc::sesparse_entry_invalid,
     "grain table entry {e} of table {t} is {x}, which is of no known kind"},
    {errc::name_not_allowed, "\"{n}\" is not a plain file name; it is not opened"},
    {errc::file_not_found, "the file \"{n}\" is missing"},
    {errc::file_not_regular, "\"{n}\" is not a regular file; it is not opened"},
    {errc::extent_too_short, "the file has {v} bytes, but its extent ends at byte {o}"},
    {errc::extent_mismatch, "the extent's header states {v} sectors, but the descriptor {o}"},
    {errc::extent_rounded_up,
     "the extent's header states {v} sectors, which the descriptor's {o} were rounded up to"},
    {errc::extent_no_access, "line {e} of the descriptor forbids access to its extent"},
    {errc::extent_is_descriptor,
     "line {e} of the descriptor names the descriptor itself, \"{n}\", as an extent"},
    {errc::extent_overlap,
     "the extents in lines {o} and {e} of the descriptor share bytes of one file"},
    {errc::parent_missing, "the parent \"{n}\" is missing"},
    {errc::parent_modified, "the parent's content id is {X}, not {x}: it was modified"},
    {errc::parent_capacity_differs, "the parent has {v} sectors, but the disk {o}"},
    {errc::chain_too_deep, "the chain of parents is too long at \"{n}\""},
    {errc::chain_loop, "the chain of parents leads back to \"{n}\""},
};

}  // namespace vmdk::detail
