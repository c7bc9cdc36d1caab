// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// Made by tools/amalgamate of the headers in include/. Change those instead.
//
// BSD 2-Clause License
//
// Copyright (c) 2026, The vmdk authors
//
// Redistribution and use in source and binary forms, with or without
// modification, are permitted provided that the following conditions are met:
//
// 1. Redistributions of source code must retain the above copyright notice, this
//    list of conditions and the following disclaimer.
//
// 2. Redistributions in binary form must reproduce the above copyright notice,
//    this list of conditions and the following disclaimer in the documentation
//    and/or other materials provided with the distribution.
//
// THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS"
// AND ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE
// IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
// DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE
// FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL
// DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR
// SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER
// CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY,
// OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE
// OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

// ---- vmdk/core/bytes.hpp

namespace vmdk {

using byte_view = std::span<const std::byte>;  ///< Bytes that somebody else owns.
using byte_span = std::span<std::byte>;        ///< Writable bytes that somebody else owns.

/// Copies n bytes between ranges that do not overlap.
constexpr void copy_bytes(std::byte* to, const std::byte* from, std::size_t n) noexcept {
  if (std::is_constant_evaluated()) {
    // Compilers count statements: eight bytes in each.
    for (; n >= 8; n -= 8, to += 8, from += 8) {
      to[0] = from[0], to[1] = from[1], to[2] = from[2], to[3] = from[3], to[4] = from[4],
      to[5] = from[5], to[6] = from[6], to[7] = from[7];
    }
    for (std::size_t i = 0; i < n; ++i) to[i] = from[i];
  } else if (n != 0) {
    __builtin_memcpy(to, from, n);
  }
}

/// Sets n bytes to zero.
constexpr void zero_bytes(std::byte* to, std::size_t n) noexcept {
  if (std::is_constant_evaluated()) {
    for (std::size_t i = 0; i < n; ++i) to[i] = std::byte{0};
  } else if (n != 0) {
    __builtin_memset(to, 0, n);
  }
}

constexpr void zero_bytes(byte_span to) noexcept { zero_bytes(to.data(), to.size()); }

/// True when n bytes of two ranges are the same.
[[nodiscard]] constexpr bool equal_bytes(const std::byte* a, const std::byte* b,
                                         std::size_t n) noexcept {
  if (std::is_constant_evaluated()) {
    for (std::size_t i = 0; i < n; ++i) {
      if (a[i] != b[i]) return false;
    }
    return true;
  }
  return n == 0 || __builtin_memcmp(a, b, n) == 0;
}

/// True when every byte is zero; true for no bytes at all.
[[nodiscard]] constexpr bool is_zero(const std::byte* p, std::size_t n) noexcept {
  if (std::is_constant_evaluated()) {
    constexpr std::byte zero{0};
    for (; n >= 8; n -= 8, p += 8) {
      if (p[0] != zero || p[1] != zero || p[2] != zero || p[3] != zero || p[4] != zero ||
          p[5] != zero || p[6] != zero || p[7] != zero) {
        return false;
      }
    }
    for (std::size_t i = 0; i < n; ++i) {
      if (p[i] != std::byte{0}) return false;
    }
    return true;
  }
  // A range is zero if it starts with 16 zeros and equals itself shifted by 16: the platform's
  // memcmp is the fastest scan there is, and data usually ends the test in the first bytes.
  constexpr std::size_t head = 16;
  for (std::size_t i = 0; i < (n < head ? n : head); ++i) {
    if (p[i] != std::byte{0}) return false;
  }
  return n <= head || __builtin_memcmp(p, p + head, n - head) == 0;
}

[[nodiscard]] constexpr bool is_zero(byte_view bytes) noexcept {
  return is_zero(bytes.data(), bytes.size());
}

/// Copies text into bytes; `to` has room for it.
constexpr void copy_text(std::byte* to, std::string_view text) noexcept {
  const char* from = text.data();
  for (std::size_t i = 0; i < text.size(); ++i) {
    to[i] = static_cast<std::byte>(static_cast<unsigned char>(from[i]));
  }
}

}  // namespace vmdk

// ---- vmdk/core/errc.hpp

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

// ---- vmdk/core/failure.hpp

namespace vmdk {

/// Says whose failure it is.
enum class origin : std::uint8_t {
  none,
  source,   ///< The caller's source could not be read.
  sink,     ///< The caller's sink could not be written.
  codec,    ///< A compressed grain.
  image,    ///< The bytes of the image break a rule of the format.
  files,    ///< A name could not be turned into a file.
  options,  ///< What the caller asked for cannot be.
};

/// What went wrong, whose fault it is and where. Small and trivially copyable; every call that can
/// fail returns it, and nothing on the way up drops or replaces it.
///
/// `if (failure f = source.read_at(0, block)) return f;`
struct [[nodiscard]] failure {
  errc code = errc::none;
  origin from = origin::none;
  std::uint32_t index = 0;   ///< Which extent, or link of a chain; 0 where there is but one.
  std::uint32_t detail = 0;  ///< errno, or the size wanted; each errc says which.
  std::uint64_t offset = 0;  ///< Byte offset in the object named by `from`.

  /// True when something failed.
  [[nodiscard]] constexpr explicit operator bool() const noexcept { return code != errc::none; }

  [[nodiscard]] friend constexpr bool operator==(const failure&, const failure&) noexcept = default;
};

/// The failure that is none.
inline constexpr failure no_failure{};

/// Makes a failure of the image itself at a byte offset of its file.
[[nodiscard]] constexpr failure image_failure(errc code, std::uint64_t offset,
                                              std::uint32_t detail = 0) noexcept {
  return {.code = code, .from = origin::image, .index = 0, .detail = detail, .offset = offset};
}

/// Makes a failure of what the caller asked for.
[[nodiscard]] constexpr failure options_failure(errc code, std::uint64_t offset = 0,
                                                std::uint32_t detail = 0) noexcept {
  return {.code = code, .from = origin::options, .index = 0, .detail = detail, .offset = offset};
}

/// Makes a failure of a source at a byte offset.
[[nodiscard]] constexpr failure source_failure(errc code, std::uint64_t offset,
                                               std::uint32_t detail = 0) noexcept {
  return {.code = code, .from = origin::source, .index = 0, .detail = detail, .offset = offset};
}

/// Makes a failure of a sink at a byte offset.
[[nodiscard]] constexpr failure sink_failure(errc code, std::uint64_t offset,
                                             std::uint32_t detail = 0) noexcept {
  return {.code = code, .from = origin::sink, .index = 0, .detail = detail, .offset = offset};
}

/// Makes a failure of a codec at a byte offset of its input.
[[nodiscard]] constexpr failure codec_failure(errc code, std::uint64_t offset = 0,
                                              std::uint32_t detail = 0) noexcept {
  return {.code = code, .from = origin::codec, .index = 0, .detail = detail, .offset = offset};
}

}  // namespace vmdk

// ---- vmdk/core/result.hpp

namespace vmdk {

/// A value, or why there is none. The value type must have a default, which stands in for a missing
/// value: there is no union to get wrong, and it is usable in constant expressions.
template <class T>
class [[nodiscard]] result {
  static_assert(std::default_initializable<T>);

 public:
  using value_type = T;

  constexpr result(T value) noexcept(std::is_nothrow_move_constructible_v<T>)
      : value_(std::move(value)) {}
  constexpr result(failure why) noexcept : failure_(why) {}

  [[nodiscard]] constexpr bool ok() const noexcept { return !failure_; }
  [[nodiscard]] constexpr explicit operator bool() const noexcept { return ok(); }

  /// The failure; `no_failure` when there is a value.
  [[nodiscard]] constexpr failure error() const noexcept { return failure_; }

  /// The value. Asking for a value that is not there stops the program (or the compiler).
  [[nodiscard]] constexpr const T& value() const& noexcept {
    if (!ok()) __builtin_trap();
    return value_;
  }
  [[nodiscard]] constexpr T& value() & noexcept {
    if (!ok()) __builtin_trap();
    return value_;
  }
  [[nodiscard]] constexpr T&& value() && noexcept {
    if (!ok()) __builtin_trap();
    return std::move(value_);
  }

  [[nodiscard]] constexpr const T& operator*() const& noexcept { return value(); }
  [[nodiscard]] constexpr T& operator*() & noexcept { return value(); }
  [[nodiscard]] constexpr const T* operator->() const noexcept { return &value(); }
  [[nodiscard]] constexpr T* operator->() noexcept { return &value(); }

  [[nodiscard]] constexpr T value_or(T other) const { return ok() ? value_ : other; }

  /// True when there is a value and it equals `wanted`.
  [[nodiscard]] friend constexpr bool operator==(const result& r, const T& wanted) noexcept
    requires std::equality_comparable<T>
  {
    return r.ok() && r.value_ == wanted;
  }

 private:
  T value_{};
  failure failure_{};
};

}  // namespace vmdk

// ---- vmdk/codec/concepts.hpp

namespace vmdk {

/// Compresses one grain into an RFC 1950 stream (SPEC 5). `bound(n)` is the most that n bytes can
/// become. `encode` gives the length of the stream in `out`; when `out` is too small it fails with
/// errc::encoded_too_large, and the encoder is as good as before.
template <class T>
concept Encoder = requires(T& encoder, std::size_t n, byte_view in, byte_span out) {
  { T::bound(n) } noexcept -> std::same_as<std::size_t>;
  { encoder.encode(in, out) } noexcept -> std::same_as<result<std::size_t>>;
};

/// Gives compressed input in pieces of any size; an empty piece is its end.
template <class T>
concept ByteSupply = requires(T& supply) {
  { supply.next() } noexcept -> std::same_as<result<byte_view>>;
};

/// Supplies one contiguous piece, and then the end.
class single_supply {
 public:
  constexpr explicit single_supply(byte_view bytes) noexcept : bytes_(bytes) {}
  [[nodiscard]] constexpr result<byte_view> next() noexcept {
    const byte_view piece = bytes_;
    bytes_ = {};
    return piece;
  }

 private:
  byte_view bytes_;
};

/// Expands one RFC 1950 stream into exactly `out.size()` bytes; anything else is a failure, after
/// which the bytes of `out` are unspecified and the decoder is as good as before. A stream with
/// which nothing is wrong but that it is shorter fails with errc::stream_output_short, and what
/// there is of it is in `out`. A decoder whose `needs_contiguous_input` is true takes its whole
/// input from the first piece.
template <class T>
concept Decoder = requires(T& decoder, single_supply& supply, byte_span out) {
  { T::needs_contiguous_input } -> std::convertible_to<bool>;
  { decoder.decode(supply, out) } noexcept -> std::same_as<failure>;
};

}  // namespace vmdk

// ---- vmdk/codec/bit_input.hpp

namespace vmdk::detail {

/// The register that holds bits on their way in or out: as wide as the machine's addresses.
inline constexpr bool wide_machine = sizeof(void*) == 8;
using bit_word = std::conditional_t<wide_machine, std::uint64_t, std::uint32_t>;

/// Eight bytes as a number.
[[nodiscard]] constexpr std::uint64_t load_word(const std::byte* p) noexcept {
  if (!__builtin_is_constant_evaluated()) {
    std::uint64_t word = 0;
    __builtin_memcpy(&word, p, sizeof word);
    return std::endian::native == std::endian::big ? __builtin_bswap64(word) : word;
  }
  return static_cast<std::uint64_t>(p[0]) | static_cast<std::uint64_t>(p[1]) << 8 |
         static_cast<std::uint64_t>(p[2]) << 16 | static_cast<std::uint64_t>(p[3]) << 24 |
         static_cast<std::uint64_t>(p[4]) << 32 | static_cast<std::uint64_t>(p[5]) << 40 |
         static_cast<std::uint64_t>(p[6]) << 48 | static_cast<std::uint64_t>(p[7]) << 56;
}

/// Reads bits, least significant first, from input that comes in pieces. The members are open to
/// the decoder's inner loop, which keeps them in registers.
template <ByteSupply Supply>
struct bit_input {
  Supply& supply;
  const std::byte* next = nullptr;  ///< What is left of the present piece.
  const std::byte* end = nullptr;
  bit_word bits = 0;   ///< The next bits; zeros above `count`.
  unsigned count = 0;  ///< How many they are.
  bool ended = false;
  std::size_t supplied_bytes = 0;  ///< All pieces together.
  failure supply_failure{};

  constexpr explicit bit_input(Supply& from) noexcept : supply(from) {}

  /// Fetches the next piece; false at the end of the input, or when the supply failed.
  constexpr bool pull() noexcept {
    if (ended) return false;
    const result<byte_view> piece = supply.next();
    supply_failure = piece.error();
    ended = !piece.ok() || (*piece).empty();
    if (ended) return false;
    next = (*piece).data();
    end = next + (*piece).size();
    supplied_bytes += (*piece).size();
    return true;
  }

  /// Makes n bits available, n <= 16; false when the input ends before.
  constexpr bool fill(unsigned n) noexcept {
    for (; count < n; count += 8) {
      if (next == end && !pull()) return false;
      bits |= static_cast<bit_word>(*next++) << count;
    }
    return true;
  }

  /// Takes the next n available bits.
  constexpr unsigned take(unsigned n) noexcept {
    const auto value = static_cast<unsigned>(bits & ((bit_word{1} << n) - 1));
    bits >>= n;
    count -= n;
    return value;
  }

  /// Drops the bits up to the next byte boundary.
  constexpr void align() noexcept { take(count & 7); }

  /// The first byte of which no bit has been taken.
  [[nodiscard]] constexpr std::size_t offset_bytes() const noexcept {
    return supplied_bytes - static_cast<std::size_t>(end - next) - count / 8;
  }
};

}  // namespace vmdk::detail

// ---- vmdk/codec/bit_output.hpp

namespace vmdk::detail {

/// Writes bits, least significant first. The caller knows that they fit: the size of a block is
/// computed before it is written.
struct bit_output {
  std::byte* next = nullptr;
  std::byte* end = nullptr;
  bit_word bits = 0;
  unsigned count = 0;

  /// Adds n <= 16 bits. Wide machines take up to 56 of them between two calls of `flush`.
  constexpr void put(std::uint32_t value, unsigned n) noexcept {
    bits |= static_cast<bit_word>(value) << count, count += n;
    if constexpr (!wide_machine) flush();
  }

  /// Writes the whole bytes out.
  constexpr void flush() noexcept {
    if constexpr (wide_machine) {
      if (!std::is_constant_evaluated() && end - next >= 8) {
        std::uint64_t word = bits;
        if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
        __builtin_memcpy(next, &word, sizeof word);
        next += count >> 3;
        bits >>= count & ~7U;
        count &= 7;
        return;
      }
    }
    for (; count >= 8; count -= 8, bits >>= 8) *next++ = static_cast<std::byte>(bits & 0xFF);
  }

  /// Fills the last byte with zeros.
  constexpr void align() noexcept {
    count = (count + 7) & ~7U;
    flush();
  }
};

}  // namespace vmdk::detail

// ---- vmdk/codec/deflate_alphabet.hpp

namespace vmdk::detail {

// The symbols of RFC 1951, section 3.2, as both directions use them.

inline constexpr unsigned litlen_symbols = 288;   ///< Of which 286 and 287 may not occur.
inline constexpr unsigned distance_symbols = 32;  ///< Of which 30 and 31 may not occur.
inline constexpr unsigned length_code_symbols = 19;
inline constexpr unsigned used_litlen_symbols = 286;
inline constexpr unsigned used_distance_symbols = 30;
inline constexpr unsigned end_of_block = 256;
inline constexpr unsigned first_length_symbol = 257;

inline constexpr unsigned longest_code_bits = 15;
inline constexpr unsigned longest_length_code_bits = 7;

inline constexpr unsigned shortest_match = 3;
inline constexpr unsigned longest_match = 258;
inline constexpr unsigned longest_distance = 32768;

enum class block_type : std::uint8_t { stored = 0, fixed = 1, dynamic = 2 };

/// The order in which the lengths of the code-length code are written.
inline constexpr std::uint8_t length_code_order[length_code_symbols] = {
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};

/// Slot s is symbol 257 + s. Computed, because code is smaller than tables here.
[[nodiscard]] constexpr unsigned length_extra_bits(unsigned slot) noexcept {
  return slot < 8 || slot == 28 ? 0 : (slot >> 2) - 1;
}
[[nodiscard]] constexpr unsigned length_base(unsigned slot) noexcept {
  return slot < 8     ? slot + shortest_match
         : slot == 28 ? longest_match
                      : ((4 + (slot & 3)) << length_extra_bits(slot)) + shortest_match;
}

[[nodiscard]] constexpr unsigned distance_extra_bits(unsigned slot) noexcept {
  return slot < 4 ? 0 : (slot >> 1) - 1;
}
[[nodiscard]] constexpr unsigned distance_base(unsigned slot) noexcept {
  return slot < 4 ? slot + 1 : ((2 + (slot & 1)) << distance_extra_bits(slot)) + 1;
}

/// Code lengths of a block with fixed codes.
[[nodiscard]] constexpr std::uint8_t fixed_litlen_bits(unsigned symbol) noexcept {
  return symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8;
}
inline constexpr std::uint8_t fixed_distance_bits = 5;

static_assert(length_base(0) == 3 && length_base(8) == 11 && length_extra_bits(8) == 1);
static_assert(length_base(27) == 227 && length_extra_bits(27) == 5 && length_base(28) == 258);
static_assert(distance_base(4) == 5 && distance_extra_bits(4) == 1);
static_assert(distance_base(29) == 24577 && distance_extra_bits(29) == 13);

}  // namespace vmdk::detail

// ---- vmdk/codec/block_splitter.hpp

namespace vmdk::detail {

/// Guesses where a new Huffman code pays. It sorts the symbols of a block into ten classes and
/// compares the latest few hundred with those before. The idea is libdeflate's.
class block_splitter {
 public:
  constexpr void begin() noexcept {
    for (unsigned i = 0; i < classes; ++i) older_[i] = 0;
    older_sum_ = 0;
  }

  /// True when the block of `bytes` bytes, whose symbols are counted, should end here.
  [[nodiscard]] constexpr bool ends(const std::uint32_t* counts, std::size_t bytes) noexcept {
    std::uint32_t all[classes]{}, sum = 0;
    for (unsigned i = 0; i < end_of_block; ++i) {
      all[(i >> 5 & 6) | (i & 1)] += counts[i], sum += counts[i];
    }
    for (unsigned i = first_length_symbol; i < used_litlen_symbols; ++i) {
      all[i < first_long_symbol ? 8 : 9] += counts[i], sum += counts[i];
    }
    const std::uint32_t newer_sum = sum - older_sum_;
    if (newer_sum < least_symbols) return false;
    if (older_sum_ != 0) {
      std::uint32_t difference = 0;
      for (unsigned i = 0; i < classes; ++i) {
        const std::uint32_t expected = older_[i] * newer_sum,
                            found = (all[i] - older_[i]) * older_sum_;
        difference += expected < found ? found - expected : expected - found;
      }
      // The longer a block is, the more readily it ends; short ones must differ more.
      std::uint32_t bearable = (newer_sum * 200 >> 9) * older_sum_;
      if (bytes < 10000 && sum < 8192) bearable += (bearable >> 13) * (8192 - sum);
      if (difference + static_cast<std::uint32_t>(bytes >> 12) * older_sum_ >= bearable) {
        return true;
      }
    }
    for (unsigned i = 0; i < classes; ++i) older_[i] = all[i];
    older_sum_ = sum;
    return false;
  }

 private:
  static constexpr unsigned classes = 10;
  static constexpr unsigned first_long_symbol = first_length_symbol + 6;  ///< Nine bytes.
  static constexpr std::uint32_t least_symbols = 256;

  std::uint32_t older_[classes]{};
  std::uint32_t older_sum_ = 0;
};

}  // namespace vmdk::detail

// ---- vmdk/codec/huffman_encoder.hpp

namespace vmdk::detail {

/// Scratch memory of build_code_lengths.
struct code_builder_memory {
  std::uint32_t weights[litlen_symbols]{};
  std::uint32_t sorted[litlen_symbols]{};
};

/// Sorts n keys by their bits from `shift` up, ascending and stable. The result lies in one of the
/// two arrays: a radix sort takes the fewest steps in a constant expression.
[[nodiscard]] constexpr std::uint32_t* sort_keys(std::uint32_t* keys, std::uint32_t* other,
                                                 unsigned n, unsigned shift) noexcept {
  constexpr unsigned digits = 64;
  std::uint32_t all = 0;
  for (unsigned i = 0; i < n; ++i) all |= keys[i];
  for (; shift < 32 && all >> shift != 0; shift += 6) {
    std::uint16_t places[digits + 1]{};
    for (unsigned i = 0; i < n; ++i) ++places[(keys[i] >> shift) % digits + 1];
    for (unsigned i = 1; i < digits; ++i) {
      places[i] = static_cast<std::uint16_t>(places[i] + places[i - 1]);
    }
    for (unsigned i = 0; i < n; ++i) other[places[(keys[i] >> shift) % digits]++] = keys[i];
    std::uint32_t* const sorted = other;
    other = keys;
    keys = sorted;
  }
  return keys;
}

/// Replaces n >= 2 ascending weights by the depths of their leaves in a Huffman tree, in place
/// (Moffat and Katajainen, 1995). The sum of the weights fits 32 bits.
constexpr void weights_to_depths(std::uint32_t* a, unsigned n) noexcept {
  // Left to right: a[next] becomes the weight of an inner node, then the place of its parent.
  unsigned leaf = 0, root = 0;
  const auto lighter = [&](unsigned next) {
    if (leaf >= n || (root < next && a[root] < a[leaf])) {
      const std::uint32_t weight = a[root];
      a[root++] = next;
      return weight;
    }
    return a[leaf++];
  };
  for (unsigned next = 0; next + 1 < n; ++next) {
    const std::uint32_t weight = lighter(next);
    a[next] = weight + lighter(next);
  }
  // Right to left: places of parents become depths of inner nodes,
  a[n - 2] = 0;
  for (unsigned next = n - 2; next-- > 0;) a[next] = a[a[next]] + 1;
  // and the number of inner nodes on each level gives the leaves'.
  unsigned available = 1, depth = 0, inner = n - 1, next = n;
  while (available > 0) {
    unsigned used = 0;
    for (; inner > 0 && a[inner - 1] == depth; --inner) ++used;
    for (; available > used; --available) a[--next] = depth;
    available = 2 * used;
    ++depth;
  }
}

/// Computes the lengths, at most `most_bits`, of a prefix code for n symbols with the given
/// frequencies (each below 2^22). The code is complete, as some decoders demand: where fewer than
/// two symbols occur, others get a code word that is not used.
constexpr void build_code_lengths(const std::uint32_t* frequencies, unsigned n, unsigned most_bits,
                                  std::uint8_t* lengths, code_builder_memory& memory) noexcept {
  constexpr unsigned symbol_bits = 9;
  constexpr std::uint32_t symbol_mask = (1U << symbol_bits) - 1;
  unsigned used = 0;
  for (unsigned i = 0; i < n; ++i) {
    lengths[i] = 0;
    if (frequencies[i] != 0) memory.weights[used++] = frequencies[i] << symbol_bits | i;
  }
  if (used < 2) {
    const unsigned only = used == 1 ? memory.weights[0] & symbol_mask : 0;
    lengths[only] = 1;
    lengths[only == 0 ? 1 : 0] = 1;
    return;
  }
  const std::uint32_t* const sorted = sort_keys(memory.weights, memory.sorted, used, symbol_bits);
  std::uint32_t* const weights = sorted == memory.weights ? memory.sorted : memory.weights;
  for (unsigned i = 0; i < used; ++i) weights[i] = sorted[i] >> symbol_bits;
  weights_to_depths(weights, used);

  // Leaves that lie too deep move up to the limit; each leaf that a shorter code word then gives
  // up room for makes two of the next length.
  std::uint16_t counts[longest_code_bits + 1]{};
  std::uint32_t excess = 0;
  for (unsigned i = 0; i < used; ++i) {
    ++counts[weights[i] < most_bits ? weights[i] : most_bits];
  }
  for (unsigned bits = 1; bits <= most_bits; ++bits) {
    excess += static_cast<std::uint32_t>(counts[bits]) << (most_bits - bits);
  }
  for (excess -= 1U << most_bits; excess != 0; --excess) {
    unsigned bits = most_bits - 1;
    while (counts[bits] == 0) --bits;
    --counts[bits];
    counts[bits + 1] = static_cast<std::uint16_t>(counts[bits + 1] + 2);
    --counts[most_bits];
  }
  for (unsigned bits = most_bits, i = 0; bits >= 1; --bits) {
    for (unsigned left = counts[bits]; left != 0; --left) {
      lengths[sorted[i++] & symbol_mask] = static_cast<std::uint8_t>(bits);
    }
  }
}

/// Assigns the canonical code words to code lengths: words[i] holds the word of symbol i, its bits
/// reversed as they are sent, above the low four bits, which hold its length.
constexpr void assign_code_words(const std::uint8_t* lengths, unsigned n,
                                 std::uint32_t* words) noexcept {
  std::uint32_t next[longest_code_bits + 2]{};
  for (unsigned i = 0; i < n; ++i) ++next[lengths[i] + 1];
  next[1] = 0;
  for (unsigned bits = 1, code = 0; bits <= longest_code_bits; ++bits) {
    code = (code + next[bits]) << 1;
    next[bits] = code;
  }
  for (unsigned i = 0; i < n; ++i) {
    const unsigned bits = lengths[i];
    std::uint32_t code = bits != 0 ? next[bits]++ : 0;
    code = (code & 0x5555) << 1 | (code >> 1 & 0x5555),
    code = (code & 0x3333) << 2 | (code >> 2 & 0x3333),
    code = (code & 0x0F0F) << 4 | (code >> 4 & 0x0F0F),
    code = (code & 0x00FF) << 8 | (code >> 8 & 0x00FF);
    words[i] = code >> (16 - bits) << 4 | bits;
  }
}

}  // namespace vmdk::detail

// ---- vmdk/codec/code_header.hpp

namespace vmdk::detail {

inline constexpr unsigned all_symbols = litlen_symbols + distance_symbols;

/// The header of a dynamic block: the code lengths of both alphabets, run-length coded, and coded
/// once more (RFC 1951, section 3.2.7).
class code_header {
 public:
  /// Takes the lengths of the literal code and, at `litlen_symbols`, of the distance code. Gives
  /// the number of bits that `write` will write.
  constexpr std::size_t plan(const std::uint8_t* lengths, code_builder_memory& memory) noexcept {
    litlens_ = used_litlen_symbols;
    distances_ = used_distance_symbols;
    while (lengths[litlens_ - 1] == 0) --litlens_;
    while (distances_ > 1 && lengths[litlen_symbols + distances_ - 1] == 0) --distances_;

    std::uint32_t counts[length_code_symbols]{};
    runs_count_ = 0;
    const auto add = [&](unsigned symbol, unsigned extra) {
      ++counts[symbol];
      runs_[runs_count_++] = static_cast<std::uint16_t>(symbol << 8 | extra);
    };
    const auto add_repeats = [&](unsigned symbol, unsigned& left, unsigned least, unsigned most) {
      while (left >= least) {
        const unsigned n = left < most ? left : most;
        add(symbol, n - least);
        left -= n;
      }
    };
    const unsigned all = litlens_ + distances_, gap = litlen_symbols - litlens_;
    for (unsigned i = 0, stop = 0; i < all; i = stop) {
      const unsigned length = lengths[i < litlens_ ? i : i + gap];
      for (stop = i + 1; stop < all && lengths[stop < litlens_ ? stop : stop + gap] == length;) {
        ++stop;
      }
      unsigned left = stop - i;
      if (length == 0) {
        add_repeats(18, left, 11, 138);
        add_repeats(17, left, 3, 10);
      } else if (left > 3) {
        add(length, 0);
        --left;
        add_repeats(16, left, 3, 6);
      }
      for (; left != 0; --left) add(length, 0);
    }

    build_code_lengths(counts, length_code_symbols, longest_length_code_bits, lengths_, memory);
    lengths_count_ = length_code_symbols;
    while (lengths_[length_code_order[lengths_count_ - 1]] == 0) --lengths_count_;
    std::size_t bits = 5 + 5 + 4 + 3 * lengths_count_;
    for (unsigned i = 0; i < length_code_symbols; ++i) {
      bits += std::size_t{counts[i]} * (lengths_[i] + repeat_bits(i));
    }
    return bits;
  }

  constexpr void write(bit_output& out) const noexcept {
    out.put(litlens_ - 257, 5);
    out.put(distances_ - 1, 5);
    out.put(lengths_count_ - 4, 4);
    out.flush();
    for (unsigned i = 0; i < lengths_count_; ++i) {
      out.put(lengths_[length_code_order[i]], 3);
      out.flush();
    }
    std::uint32_t words[length_code_symbols]{};
    assign_code_words(lengths_, length_code_symbols, words);
    for (unsigned i = 0; i < runs_count_; ++i) {
      const unsigned symbol = runs_[i] >> 8U;
      out.put(words[symbol] >> 4, words[symbol] & 15);
      out.put(runs_[i] & 0xFFU, repeat_bits(symbol));
      out.flush();
    }
  }

 private:
  [[nodiscard]] static constexpr unsigned repeat_bits(unsigned symbol) noexcept {
    return symbol < 16 ? 0 : symbol == 16 ? 2 : symbol == 17 ? 3 : 7;
  }

  unsigned litlens_ = 0, distances_ = 0, runs_count_ = 0, lengths_count_ = 0;
  std::uint16_t runs_[used_litlen_symbols + used_distance_symbols]{};  ///< Symbol * 256 + extra.
  std::uint8_t lengths_[length_code_symbols]{};
};

}  // namespace vmdk::detail

// ---- vmdk/core/endian.hpp

namespace vmdk {

/// Loads a little-endian integer from sizeof(T) bytes at any alignment. One expression per width:
/// compilers fold it to a single load.
template <std::unsigned_integral T>
[[nodiscard]] constexpr T load_le(const std::byte* p) noexcept {
  constexpr auto at = [](const std::byte* q, int i) {
    return static_cast<std::uint64_t>(std::to_integer<std::uint8_t>(q[i]));
  };
  if constexpr (sizeof(T) == 1) {
    return std::to_integer<T>(p[0]);
  } else if constexpr (sizeof(T) == 2) {
    return static_cast<T>(at(p, 0) | at(p, 1) << 8);
  } else if constexpr (sizeof(T) == 4) {
    return static_cast<T>(at(p, 0) | at(p, 1) << 8 | at(p, 2) << 16 | at(p, 3) << 24);
  } else {
    static_assert(sizeof(T) == 8);
    return static_cast<T>(at(p, 0) | at(p, 1) << 8 | at(p, 2) << 16 | at(p, 3) << 24 |
                          at(p, 4) << 32 | at(p, 5) << 40 | at(p, 6) << 48 | at(p, 7) << 56);
  }
}

/// Stores a little-endian integer into sizeof(T) bytes at any alignment.
template <std::unsigned_integral T>
constexpr void store_le(std::byte* p, T value) noexcept {
  const auto v = static_cast<std::uint64_t>(value);
  p[0] = static_cast<std::byte>(v & 0xFF);
  if constexpr (sizeof(T) >= 2) p[1] = static_cast<std::byte>(v >> 8 & 0xFF);
  if constexpr (sizeof(T) >= 4) {
    p[2] = static_cast<std::byte>(v >> 16 & 0xFF);
    p[3] = static_cast<std::byte>(v >> 24 & 0xFF);
  }
  if constexpr (sizeof(T) == 8) {
    p[4] = static_cast<std::byte>(v >> 32 & 0xFF);
    p[5] = static_cast<std::byte>(v >> 40 & 0xFF);
    p[6] = static_cast<std::byte>(v >> 48 & 0xFF);
    p[7] = static_cast<std::byte>(v >> 56 & 0xFF);
  }
}

/// A little-endian integer of alignment 1: the member type of every on-disk struct, so that the
/// struct is packed with no attribute, works on any host and survives std::bit_cast.
template <std::unsigned_integral T>
class le {
 public:
  using value_type = T;

  constexpr le() noexcept = default;
  constexpr le(T value) noexcept { store_le<T>(bytes_, value); }

  [[nodiscard]] constexpr T get() const noexcept { return load_le<T>(bytes_); }
  [[nodiscard]] constexpr operator T() const noexcept { return get(); }

 private:
  std::byte bytes_[sizeof(T)]{};
};

static_assert(sizeof(le<std::uint64_t>) == 8 && alignof(le<std::uint64_t>) == 1);
static_assert(std::is_trivially_copyable_v<le<std::uint32_t>>);

}  // namespace vmdk

// ---- vmdk/codec/adler32.hpp

namespace vmdk {
namespace detail {

/// The largest prime below 2^16, and the most bytes whose sums fit 32 bits before a reduction.
inline constexpr std::uint32_t adler_modulus = 65521;
inline constexpr std::size_t adler_run_bytes = 5552;

/// x modulo 65521, without a division: 65536 is 15.
[[nodiscard]] constexpr std::uint32_t adler_reduce(std::uint32_t x) noexcept {
  x = (x >> 16) * 15 + (x & 0xFFFF);
  x = (x >> 16) * 15 + (x & 0xFFFF);
  return x < adler_modulus ? x : x - adler_modulus;
}

/// Adds the bytes of a multiple of eight to both sums, eight at a time: the even and the odd bytes
/// of a word are four 16-bit lanes each, and a lane holds the sums of 22 words without overflow.
constexpr void adler_add_words(const std::byte* p, std::size_t words, std::uint32_t& a,
                               std::uint32_t& b) noexcept {
  constexpr std::uint64_t lanes = 0x00FF00FF00FF00FF;
  constexpr std::uint64_t pairs = 0x0000FFFF0000FFFF;
  constexpr std::size_t most_words = 22;
  constexpr auto lane = [](std::uint64_t x, unsigned i) {
    return static_cast<std::uint32_t>(x >> (16 * i) & 0xFFFF);
  };
  while (words != 0) {
    const std::size_t run = words < most_words ? words : most_words;
    words -= run;
    std::uint64_t even = 0, odd = 0, even_before = 0, odd_before = 0;
    for (std::size_t i = 0; i < run; ++i, p += 8) {
      const std::uint64_t word = load_le<std::uint64_t>(p);
      even_before += even;
      odd_before += odd;
      even += word & lanes;
      odd += word >> 8 & lanes;
    }
    // The byte at place i of its word counts 8 - i times in b, and eight times more for every word
    // that follows it.
    const std::uint64_t before = (even_before & pairs) + (even_before >> 16 & pairs) +
                                 (odd_before & pairs) + (odd_before >> 16 & pairs);
    b += a * static_cast<std::uint32_t>(8 * run) +
         8 * static_cast<std::uint32_t>((before & 0xFFFFFFFF) + (before >> 32)) +  //
         8 * lane(even, 0) + 7 * lane(odd, 0) + 6 * lane(even, 1) + 5 * lane(odd, 1) +
         4 * lane(even, 2) + 3 * lane(odd, 2) + 2 * lane(even, 3) + lane(odd, 3);
    const std::uint64_t sum = (even & pairs) + (even >> 16 & pairs) +  //
                              (odd & pairs) + (odd >> 16 & pairs);
    a += static_cast<std::uint32_t>((sum & 0xFFFFFFFF) + (sum >> 32));
  }
}

}  // namespace detail

/// Computes the Adler-32 of n bytes, the checksum at the end of an RFC 1950 stream. `start` is the
/// checksum of the bytes before them; 1 when there are none.
[[nodiscard]] constexpr std::uint32_t adler32(const std::byte* p, std::size_t n,
                                              std::uint32_t start = 1) noexcept {
  std::uint32_t a = start & 0xFFFF;
  std::uint32_t b = start >> 16;
  while (n != 0) {
    std::size_t run = n < detail::adler_run_bytes ? n : detail::adler_run_bytes;
    n -= run;
    if constexpr (sizeof(void*) == 8) {
      if (!std::is_constant_evaluated()) {
        detail::adler_add_words(p, run / 8, a, b);
        p += run & ~std::size_t{7};
        run &= 7;
      }
    }
    for (; run != 0; --run) b += a += static_cast<std::uint32_t>(*p++);
    a = detail::adler_reduce(a);
    b = detail::adler_reduce(b);
  }
  return b << 16 | a;
}

[[nodiscard]] constexpr std::uint32_t adler32(byte_view bytes, std::uint32_t start = 1) noexcept {
  return adler32(bytes.data(), bytes.size(), start);
}

}  // namespace vmdk

// ---- vmdk/codec/stored.hpp

namespace vmdk {
namespace detail {

inline constexpr std::size_t stored_block_bytes = 65535;  ///< The most that one block holds.
inline constexpr std::size_t stored_frame_bytes = 5;      ///< Type, length, complement.
inline constexpr std::size_t zlib_frame_bytes = 6;        ///< Header and Adler-32.

/// How many stored blocks n bytes take; one for none. 65536 = 65535 + 1 saves the division.
[[nodiscard]] constexpr std::size_t stored_blocks(std::size_t n) noexcept {
  std::size_t blocks = 0;
  while (n > stored_block_bytes) {
    blocks += n >> 16;
    n = (n >> 16) + (n & 0xFFFF);
  }
  return blocks + 1;
}

/// Writes a stored block behind its type: the length, its complement and the bytes, at most 65535.
constexpr std::byte* put_stored_block(std::byte* to, const std::byte* from,
                                      std::size_t n) noexcept {
  to[0] = static_cast<std::byte>(n & 0xFF);
  to[1] = static_cast<std::byte>(n >> 8);
  to[2] = ~to[0];
  to[3] = ~to[1];
  copy_bytes(to + 4, from, n);
  return to + 4 + n;
}

/// Writes the Adler-32 of the input, big-endian, which ends the stream.
constexpr std::byte* put_checksum(std::byte* to, byte_view in) noexcept {
  const std::uint32_t checksum = adler32(in);
  for (unsigned i = 0; i < 4; ++i) to[i] = static_cast<std::byte>(checksum >> (24 - 8 * i) & 0xFF);
  return to + 4;
}

}  // namespace detail

/// Wraps bytes into an RFC 1950 stream without compressing them: no memory, and the size is known
/// beforehand.
class stored {
 public:
  /// The exact length of the stream for n bytes.
  [[nodiscard]] static constexpr std::size_t bound(std::size_t n) noexcept {
    return n + detail::stored_frame_bytes * detail::stored_blocks(n) + detail::zlib_frame_bytes;
  }

  /// Compresses a grain into `out`, and gives the length of the stream.
  /// Errors: encoded_too_large when `out` is shorter than the bound; detail: the bound.
  [[nodiscard]] constexpr result<std::size_t> encode(byte_view in, byte_span out) const noexcept {
    const std::size_t bytes = bound(in.size());
    if (bytes > out.size()) {
      return codec_failure(errc::encoded_too_large, 0, static_cast<std::uint32_t>(bytes));
    }
    std::byte* to = out.data();
    *to++ = std::byte{0x78};  // Window of 32 KiB, and the check bits for the fastest level.
    *to++ = std::byte{0x01};
    const std::byte* from = in.data();
    std::size_t left = in.size();
    do {
      const std::size_t n = left < detail::stored_block_bytes ? left : detail::stored_block_bytes;
      left -= n;
      *to++ = static_cast<std::byte>(left == 0 ? 1 : 0);
      to = detail::put_stored_block(to, from, n);
      from += n;
    } while (left != 0);
    detail::put_checksum(to, in);
    return bytes;
  }
};

}  // namespace vmdk

// ---- vmdk/codec/block_writer.hpp

namespace vmdk::detail {

/// The slots of lengths 3..258, by length - 3.
struct length_slot_table {
  std::uint8_t of[longest_match - shortest_match + 1]{};

  constexpr length_slot_table() noexcept {
    for (unsigned slot = 0, i = 0; slot < 28; ++slot) {
      for (; i < length_base(slot + 1) - shortest_match; ++i) {
        of[i] = static_cast<std::uint8_t>(slot);
      }
    }
    of[longest_match - shortest_match] = 28;
  }
};
inline constexpr length_slot_table length_slots{};

/// The slot of a distance: twice the place of the highest bit of distance - 1, and the bit below.
[[nodiscard]] constexpr unsigned distance_slot(unsigned distance) noexcept {
  const unsigned d = distance - 1;
  if (d < 4) return d;
  unsigned top = 0;
  if constexpr (wide_machine) {
    top = 31U - static_cast<unsigned>(__builtin_clz(d));
  } else {
    for (unsigned rest = d; rest > 1; rest >>= 1) ++top;
  }
  return 2 * top + (d >> (top - 1) & 1);
}

/// A match and the number of literals before it.
struct sequence {
  std::uint32_t literals;
  std::uint16_t length_and_slot;  ///< The match's length * 32 + the slot of its distance.
  std::uint16_t distance;
};

/// Chooses the cheapest form of a block whose symbols were counted, and writes it.
class block_writer {
 public:
  /// How often each symbol occurs; distances follow the others, at `litlen_symbols`.
  std::uint32_t counts[all_symbols]{};

  constexpr void begin() noexcept {
    for (std::uint32_t& n : counts) n = 0;
  }

  constexpr sequence count_match(std::size_t literals, unsigned length,
                                 unsigned distance) noexcept {
    const unsigned slot = distance_slot(distance);
    ++counts[first_length_symbol + length_slots.of[length - shortest_match]];
    ++counts[litlen_symbols + slot];
    return {static_cast<std::uint32_t>(literals), static_cast<std::uint16_t>(length << 5 | slot),
            static_cast<std::uint16_t>(distance)};
  }

  /// Writes the block that was counted: n sequences, then literals, `bytes` bytes of input in all.
  /// False, and nothing written, when it would pass `limit`.
  constexpr bool write(bit_output& out, const std::byte* limit, const std::byte* in,
                       std::size_t bytes, const sequence* sequences, std::size_t n,
                       bool last) noexcept {
    counts[end_of_block] = 1;
    build_code_lengths(counts, litlen_symbols, litlen_code_bits, lengths_, memory_);
    build_code_lengths(counts + litlen_symbols, distance_symbols, longest_code_bits,
                       lengths_ + litlen_symbols, memory_);
    std::size_t dynamic_bits = header_.plan(lengths_, memory_), fixed_bits = 0;
    for (unsigned i = 0; i < end_of_block; ++i) {
      dynamic_bits += std::size_t{counts[i]} * lengths_[i],
          fixed_bits += std::size_t{counts[i]} * (i < 144 ? 8 : 9);
    }
    for (unsigned i = end_of_block; i < all_symbols; ++i) {
      if (counts[i] == 0) continue;
      const unsigned extra = extra_bits(i);
      dynamic_bits += std::size_t{counts[i]} * (lengths_[i] + extra);
      fixed_bits += std::size_t{counts[i]} * (fixed_bits_of(i) + extra);
    }
    const bool fixed = fixed_bits <= dynamic_bits;
    const std::size_t coded_bits = out.count + 3 + (fixed ? fixed_bits : dynamic_bits);
    // The first stored block's type may still fit into the byte that is being filled.
    const std::size_t stored_bytes =
        (out.count + 3 + 7) / 8 - 1 + bytes + stored_frame_bytes * stored_blocks(bytes);
    const bool stores = 8 * stored_bytes < coded_bits;
    const auto room = static_cast<std::size_t>(limit - out.next);
    if ((stores ? stored_bytes : (coded_bits + 7) / 8) > room) return false;

    if (stores) {
      write_stored(out, in, bytes, last);
      return true;
    }
    const block_type type = fixed ? block_type::fixed : block_type::dynamic;
    out.put(static_cast<std::uint32_t>(type) << 1 | (last ? 1U : 0U), 3);
    if (fixed) {
      for (unsigned i = 0; i < all_symbols; ++i) lengths_[i] = fixed_bits_of(i);
    } else {
      header_.write(out);
    }
    assign_code_words(lengths_, litlen_symbols, words_);
    assign_code_words(lengths_ + litlen_symbols, distance_symbols, words_ + litlen_symbols);
    write_symbols(out, in, bytes, sequences, n);
    return true;
  }

 private:
  /// One bit less than allowed: then a wide machine can put four literals before it flushes.
  static constexpr unsigned litlen_code_bits = longest_code_bits - 1;

  [[nodiscard]] static constexpr unsigned extra_bits(unsigned symbol) noexcept {
    return symbol < first_length_symbol ? 0
           : symbol < litlen_symbols    ? length_extra_bits(symbol - first_length_symbol)
                                        : distance_extra_bits(symbol - litlen_symbols);
  }
  [[nodiscard]] static constexpr std::uint8_t fixed_bits_of(unsigned symbol) noexcept {
    return symbol < litlen_symbols ? fixed_litlen_bits(symbol) : fixed_distance_bits;
  }

  static constexpr void write_stored(bit_output& out, const std::byte* in, std::size_t bytes,
                                     bool last) noexcept {
    do {
      const std::size_t n = bytes < stored_block_bytes ? bytes : stored_block_bytes;
      bytes -= n;
      out.put(last && bytes == 0 ? 1 : 0, 3);
      out.align();
      out.next = put_stored_block(out.next, in, n);
      in += n;
    } while (bytes != 0);
  }

  constexpr void write_symbols(bit_output& to, const std::byte* in, std::size_t bytes,
                               const sequence* sequences, std::size_t n) const noexcept {
    bit_output out = to;  // A local copy can live in registers.
    const std::byte* const stop = in + bytes;
    for (const sequence* const end = sequences + n; sequences != end; ++sequences) {
      write_literals(out, in, sequences->literals);
      const unsigned length = sequences->length_and_slot >> 5U;
      const unsigned slot = length_slots.of[length - shortest_match];
      const unsigned far_slot = sequences->length_and_slot & 31U;
      put_word(out, first_length_symbol + slot);
      out.put(length - length_base(slot), length_extra_bits(slot));
      put_word(out, litlen_symbols + far_slot);
      out.put(sequences->distance - distance_base(far_slot), distance_extra_bits(far_slot));
      out.flush();
      in += sequences->literals + length;
    }
    write_literals(out, in, static_cast<std::size_t>(stop - in));
    put_word(out, end_of_block);
    out.flush();
    to = out;
  }

  constexpr void write_literals(bit_output& out, const std::byte* in,
                                std::size_t n) const noexcept {
    if (__builtin_is_constant_evaluated()) {
      // As below, in fewer statements.
      for (; n != 0;
           --n,
           out.bits |= static_cast<bit_word>(words_[static_cast<unsigned>(*in)] >> 4) << out.count,
           out.count += words_[static_cast<unsigned>(*in++)] & 15) {
        if (out.count > 4 * sizeof(bit_word)) out.flush();
      }
      out.flush();
      return;
    }
    for (; n >= 4; n -= 4, in += 4) {
      put_word(out, static_cast<unsigned>(in[0]));
      put_word(out, static_cast<unsigned>(in[1]));
      put_word(out, static_cast<unsigned>(in[2]));
      put_word(out, static_cast<unsigned>(in[3]));
      out.flush();
    }
    for (; n != 0; --n) put_word(out, static_cast<unsigned>(*in++));
    out.flush();
  }

  constexpr void put_word(bit_output& out, unsigned symbol) const noexcept {
    out.put(words_[symbol] >> 4, words_[symbol] & 15);
  }

  std::uint32_t words_[all_symbols]{};
  std::uint8_t lengths_[all_symbols]{};
  code_header header_{};
  code_builder_memory memory_{};
};

}  // namespace vmdk::detail

// ---- vmdk/codec/match_finder.hpp

namespace vmdk::detail {

// What a compiler counts while it evaluates constant expressions is statements and calls. Hence the
// comma and conditional operators in this header: one statement in the place of several.

/// Four bytes as a number.
[[nodiscard]] constexpr std::uint32_t load_four(const std::byte* p) noexcept {
  return __builtin_is_constant_evaluated()
             ? unsigned(p[0]) | unsigned(p[1]) << 8 | unsigned(p[2]) << 16 | unsigned(p[3]) << 24
             : load_le<std::uint32_t>(p);
}

/// True when four bytes are the same; the last one is the most likely to differ.
[[nodiscard]] constexpr bool same_four(const std::byte* a, const std::byte* b) noexcept {
  return __builtin_is_constant_evaluated()
             ? a[3] == b[3] && a[0] == b[0] && a[1] == b[1] && a[2] == b[2]
             : load_le<std::uint32_t>(a) == load_le<std::uint32_t>(b);
}

/// How many of the first n bytes are the same; the first `same` are known to be.
[[nodiscard]] constexpr unsigned match_length(const std::byte* a, const std::byte* b, unsigned same,
                                              unsigned n) noexcept {
  if constexpr (wide_machine) {
    if (!std::is_constant_evaluated()) {
      for (; same + 8 <= n; same += 8) {
        const std::uint64_t differing = load_word(a + same) ^ load_word(b + same);
        if (differing != 0) {
          return same + static_cast<unsigned>(__builtin_ctzll(differing)) / 8;
        }
      }
    }
  }
  while (same < n && a[same] == b[same]) ++same;
  return same;
}

struct match {
  unsigned length = 0;  ///< 0: none.
  unsigned distance = 0;
};

/// Finds earlier occurrences through chains of positions with one hash of four bytes, and the last
/// occurrence of three bytes. A position, counted from 1, is kept as its low 16 bits: whatever a
/// slot holds names some position, and comparing the bytes shows whether it is a match. So nothing
/// needs to slide, and slots that were never written do no harm.
template <unsigned HashBits, unsigned WindowBits>
class match_finder {
 public:
  static_assert(HashBits >= 6 && HashBits <= 16, "a position has 16 bits");
  static_assert(WindowBits >= 8 && WindowBits <= 15, "RFC 1950 knows windows of 2^8 .. 2^15");
  static constexpr unsigned window_bytes = 1U << WindowBits;

  /// Starts on new input, which stays where it is. The heads are cleared for speed alone: what they
  /// hold of earlier input leads to bytes that do not match.
  constexpr void begin(const std::byte* data, std::size_t n) noexcept {
    data_ = data;
    bytes_ = n;
    if (std::is_constant_evaluated()) {
      heads_ = heads{};
    } else {
      __builtin_memset(&heads_, 0, sizeof heads_);
    }
    if (n >= hashed_bytes) prepare(data);
  }

  /// Enters the positions from `at` up to `end`; all must be entered, in ascending order.
  constexpr void skip(std::size_t at, std::size_t end) noexcept {
    const std::size_t last = bytes_ < hashed_bytes ? 0 : bytes_ - hashed_bytes + 1,
                      stop = end < last ? end : last;
    if (__builtin_is_constant_evaluated()) {
      // As in enter, but that the next four bytes are the last three of these and one more.
      for (; at < stop;
           chain_[at & window_mask] = heads_.of_four[next_four_],
                       heads_.of_four[next_four_] = heads_.of_three[next_three_] =
                           static_cast<std::uint16_t>((at + 1) & 0xFFFF),
                       next_bytes_ = next_bytes_ >> 8 | static_cast<std::uint32_t>(data_[at + 4])
                                                            << 24,
                       next_four_ = next_bytes_ * hash_factor >> (32 - HashBits),
                       next_three_ = (next_bytes_ << 8) * hash_factor >> (32 - short_hash_bits),
                       ++at) {
      }
      return;
    }
    for (; at < stop; ++at) enter(at);
  }

  /// Enters one position and looks for a match longer than `best`, of at least three bytes: among
  /// the last `tries` candidates, and content with `enough` bytes.
  constexpr match find(std::size_t at, unsigned best, unsigned tries, unsigned enough) noexcept {
    match found{};
    if (bytes_ - at < hashed_bytes) return found;
    const std::byte* const here = data_ + at;
    const std::uint32_t four = next_bytes_;
    const unsigned position = static_cast<unsigned>((at + 1) & 0xFFFF),
                   farthest = at < window_bytes ? static_cast<unsigned>(at) : window_bytes,
                   most = bytes_ - at < longest_match ? static_cast<unsigned>(bytes_ - at)
                                                      : longest_match;
    unsigned distance = (position - heads_.of_three[next_three_]) & 0xFFFF, before = 0;
    unsigned head = 0;
    if (__builtin_is_constant_evaluated()) {
      skip(at, at + 1), head = chain_[at & window_mask];
    } else {
      head = enter(at);
    }
    if (best < shortest_match) {
      best = shortest_match;
      if (distance - 1 < farthest && ((load_four(here - distance) ^ four) << 8) == 0) {
        found = {shortest_match, distance};
      }
    }
    // Distances grow along a chain; where they do not, it has been overwritten. All of a step but
    // the comparison stands in the head of the loop, which costs a compiler nothing.
    for (distance = (position - head) & 0xFFFF;
         tries != 0 && best < most && distance > before && distance <= farthest; --tries,
        before = distance, distance = (position - chain_[(at - distance) & window_mask]) & 0xFFFF) {
      if ((!__builtin_is_constant_evaluated() || here[best] == (here - distance)[best]) &&
          same_four(here - distance + (best - 3), here + (best - 3)) &&
          same_four(here - distance, here)) {
        const unsigned length = match_length(here - distance, here, 4, most);
        if (length > best) {
          best = length;
          found = {length, distance};
          if (length >= enough) break;
        }
      }
    }
    return found;
  }

 private:
  static constexpr std::size_t hashed_bytes = 5;  ///< Four, and those of the next position.
  static constexpr std::size_t window_mask = window_bytes - 1;
  static constexpr unsigned short_hash_bits = HashBits - 2;
  static constexpr std::uint32_t hash_factor = 0x9E3779B1;

  struct heads {
    std::uint16_t of_four[std::size_t{1} << HashBits];
    std::uint16_t of_three[std::size_t{1} << short_hash_bits];
  };

  /// Computes the slots of the next position early, so that they are in the cache when needed.
  constexpr void prepare(const std::byte* next) noexcept {
    next_bytes_ = load_four(next);
    next_four_ = next_bytes_ * hash_factor >> (32 - HashBits),
    next_three_ = (next_bytes_ << 8) * hash_factor >> (32 - short_hash_bits);
    if (!__builtin_is_constant_evaluated()) {
      __builtin_prefetch(heads_.of_four + next_four_, 1);
      __builtin_prefetch(heads_.of_three + next_three_, 1);
    }
  }

  /// Puts a position at the head of its chain and gives the former head.
  constexpr unsigned enter(std::size_t at) noexcept {
    const std::uint16_t former = heads_.of_four[next_four_];
    chain_[at & window_mask] = former, heads_.of_four[next_four_] = heads_.of_three[next_three_] =
                                           static_cast<std::uint16_t>((at + 1) & 0xFFFF);
    prepare(data_ + at + 1);
    return former;
  }

  const std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
  std::uint32_t next_bytes_ = 0, next_four_ = 0, next_three_ = 0;
  heads heads_{};
  std::uint16_t chain_[window_bytes]{};
};

}  // namespace vmdk::detail

// ---- vmdk/codec/deflate.hpp

namespace vmdk {

/// Compresses into RFC 1950 streams (SPEC 5). The object is the workspace: its `sizeof` is all the
/// memory used. The output depends on the input, the level and the template parameters alone, and
/// is never longer than `stored` makes it.
///
/// Levels are 0 (stored), 1 (fast) .. 6 (default) .. 9 (small); higher ones count as 9.
template <unsigned HashBits, unsigned WindowBits, std::size_t BlockMatches>
class basic_deflate {
 public:
  static_assert(BlockMatches >= 16);
  static constexpr unsigned default_level = 6;
  static constexpr unsigned highest_level = 9;

  constexpr basic_deflate() noexcept = default;
  constexpr explicit basic_deflate(unsigned level) noexcept
      : level_less_default_(static_cast<std::int8_t>(
            static_cast<int>(level < highest_level ? level : highest_level) -
            static_cast<int>(default_level))) {}

  /// The most that n bytes can become.
  [[nodiscard]] static constexpr std::size_t bound(std::size_t n) noexcept {
    return stored::bound(n);
  }

  /// Compresses a grain into `out`, and gives the length of the stream.
  /// Errors: encoded_too_large when `out` has no room; detail: the bound, which always suffices.
  [[nodiscard]] constexpr result<std::size_t> encode(byte_view in, byte_span out) noexcept {
    const unsigned level = static_cast<unsigned>(level_less_default_ + int{default_level});
    const std::size_t most = bound(in.size());
    if (level != 0) {
      const std::size_t bytes =
          compress(in, out.first(most < out.size() ? most : out.size()), efforts[level - 1]);
      if (bytes != 0) return bytes;
    }
    return stored{}.encode(in, out);
  }

 private:
  struct effort {
    std::uint16_t tries;       ///< Candidates that are looked at for a match.
    std::uint16_t enough;      ///< A match of this length is taken without looking further.
    std::uint8_t looks_ahead;  ///< Positions at which a better match is looked for.
  };
  static constexpr effort efforts[highest_level] = {
      {2, 12, 0},  {6, 20, 0},   {16, 32, 0},   {12, 24, 1},    {16, 40, 1},
      {32, 80, 1}, {80, 160, 1}, {256, 258, 2}, {1024, 258, 2},
  };

  /// A match of three bytes this far back costs more than three literals.
  static constexpr unsigned far_for_three = 8192;

  /// Gives the length of the stream; 0 when it does not fit.
  constexpr std::size_t compress(byte_view in, byte_span out, const effort& how) noexcept {
    const std::byte* const data = in.data();
    const std::size_t bytes = in.size();
    if (out.size() < detail::zlib_frame_bytes) return 0;
    detail::bit_output to{out.data(), out.data() + out.size()};
    const std::byte* const limit = to.end - 4;  // The checksum.
    *to.next++ = std::byte{0x78};
    *to.next++ = std::byte{0x9C};

    finder_.begin(data, bytes);
    std::size_t at = 0;
    detail::match pending{};
    do {
      const std::size_t start = at;
      std::size_t sequences = 0, matched = at;  // `matched`: the end of the last match.
      std::size_t stop = 0;
      writer_.begin();
      splitter_.begin();
      do {
        stop = bytes - at < check_bytes ? bytes : at + check_bytes;
        while (at < stop && sequences != BlockMatches) {
          const detail::match found =
              pending.length != 0
                  ? pending
                  : finder_.find(at, detail::shortest_match - 1, how.tries, how.enough);
          if (found.length == 0) {
            ++writer_.counts[static_cast<unsigned>(data[at++])];
            continue;
          }
          std::size_t entered = at + 1;  // The finder knows the positions before.
          pending = {};
          if (found.length == 3 && found.distance > far_for_three) {
            ++writer_.counts[static_cast<unsigned>(data[at++])];
            continue;
          }
          if (found.length < how.enough && how.looks_ahead != 0) {
            pending = finder_.find(at + 1, found.length - 1, how.tries / 2U, how.enough);
            if (better(pending, found)) {
              ++writer_.counts[static_cast<unsigned>(data[at++])];
              continue;
            }
            pending = {};
            ++entered;
          }
          sequences_[sequences++] = writer_.count_match(at - matched, found.length, found.distance);
          at += found.length;
          matched = at;
          finder_.skip(entered, at);
        }
      } while (at != bytes && sequences != BlockMatches && at - start < longest_block_bytes &&
               (at - start < shortest_block_bytes || bytes - at < shortest_block_bytes ||
                !splitter_.ends(writer_.counts, at - start)));
      if (!writer_.write(to, limit, data + start, at - start, sequences_, sequences, at == bytes)) {
        return 0;
      }
    } while (at != bytes);
    to.align();
    to.next = detail::put_checksum(to.next, in);
    return static_cast<std::size_t>(to.next - out.data());
  }

  /// True when a match one byte later is worth a literal: four bits for each byte of length against
  /// the bits of the distance. There may be no later one.
  [[nodiscard]] static constexpr bool better(const detail::match& later,
                                             const detail::match& found) noexcept {
    if (later.length < found.length) return false;
    const unsigned gain = 4 * (later.length - found.length);
    const unsigned cost = detail::distance_slot(later.distance) / 2;
    return gain + detail::distance_slot(found.distance) / 2 > cost + 2;
  }

  static constexpr std::size_t longest_block_bytes = std::size_t{1} << 18;
  static constexpr std::size_t shortest_block_bytes = 5000;
  static constexpr std::size_t check_bytes = 2048;  ///< How often the splitter looks.

  // As a difference, so that an object with the default level is all zeros and costs no flash.
  std::int8_t level_less_default_ = 0;
  detail::block_splitter splitter_{};
  detail::block_writer writer_{};
  detail::match_finder<HashBits, WindowBits> finder_{};
  detail::sequence sequences_[BlockMatches]{};
};

/// For hosts: about 280 KiB.
using deflate = basic_deflate<15, 15, 16384>;

/// For small devices: about 20 KiB, and a window of 4 KiB.
using small_deflate = basic_deflate<10, 12, 512>;

}  // namespace vmdk

// ---- vmdk/codec/huffman_decoder.hpp

namespace vmdk::detail {

enum class alphabet : std::uint8_t { code_lengths, litlen, distance };

/// What a code word means, in 32 bits: the bits to drop, code and extra bits together (0..5), the
/// bits of the code alone (8..11), flags (12..15, 31), and the literal, or the base to which the
/// extra bits are added (16..30).
struct decoder_entry {
  static constexpr std::uint32_t literal = 0x80000000;
  static constexpr std::uint32_t exceptional = 0x8000;  ///< One of the following three.
  static constexpr std::uint32_t long_code = 0x4000;    ///< Longer than the table's index.
  static constexpr std::uint32_t end = 0x2000;          ///< The end of the block.
  static constexpr std::uint32_t invalid = 0x1000;      ///< May not occur.

  static constexpr std::uint32_t all_bits_mask = 63;
  [[nodiscard]] static constexpr unsigned code_bits(std::uint32_t entry) noexcept {
    return entry >> 8 & 15;
  }
  [[nodiscard]] static constexpr unsigned extra_bits(std::uint32_t entry) noexcept {
    return (entry & 63) - (entry >> 8 & 15);
  }
  [[nodiscard]] static constexpr unsigned value(std::uint32_t entry) noexcept {
    return entry >> 16 & 0x7FFF;
  }

  [[nodiscard]] static constexpr std::uint32_t make(alphabet kind, unsigned symbol,
                                                    unsigned bits) noexcept {
    const std::uint32_t drop = bits << 8 | bits;
    if (kind == alphabet::litlen) {
      if (symbol < end_of_block) return literal | symbol << 16 | drop;
      if (symbol == end_of_block) return exceptional | end | drop;
      if (symbol >= used_litlen_symbols) return exceptional | invalid | drop;
      const unsigned slot = symbol - first_length_symbol;
      return length_base(slot) << 16 | (drop + length_extra_bits(slot));
    }
    if (kind == alphabet::distance) {
      if (symbol >= used_distance_symbols) return exceptional | invalid | drop;
      return distance_base(symbol) << 16 | (drop + distance_extra_bits(symbol));
    }
    return symbol << 16 | drop;
  }
};

/// Where a decoder keeps its tables, whatever their size: one build function serves all alphabets.
struct decoder_tables {
  std::uint32_t* index;    ///< 2^index_bits entries, by the next bits of the input.
  std::uint16_t* symbols;  ///< All symbols in the order of their codes.
  std::uint16_t* counts;   ///< 16: how many codes have each length.
  unsigned index_bits;
};

/// Builds the tables for n symbols with the given code lengths. False for an over-subscribed code,
/// and for an incomplete one, save that a single code word of one bit, or (for distances) none at
/// all, will do: what is left out is an error when it occurs. That is zlib's rule.
[[nodiscard]] constexpr bool build_decoder(const decoder_tables& tables, alphabet kind,
                                           const std::uint8_t* lengths, unsigned n) noexcept {
  std::uint16_t* const counts = tables.counts;
  std::uint32_t* const index = tables.index;
  for (unsigned bits = 0; bits <= longest_code_bits; ++bits) counts[bits] = 0;
  for (unsigned i = 0; i < n; ++i) ++counts[lengths[i]];
  counts[0] = 0;

  std::uint16_t places[longest_code_bits + 1]{};
  unsigned left = 1, used = 0;
  for (unsigned bits = 1; bits <= longest_code_bits; ++bits) {
    left <<= 1;
    if (counts[bits] > left) return false;
    left -= counts[bits];
    places[bits] = static_cast<std::uint16_t>(used);
    used += counts[bits];
  }
  const bool incomplete = left != 0;
  if (incomplete) {
    if (kind == alphabet::code_lengths || used > 1 || used != counts[1]) return false;
    if (used == 0 && kind != alphabet::distance) return false;
  }
  for (unsigned i = 0; i < n; ++i) {
    if (lengths[i] != 0) tables.symbols[places[lengths[i]]++] = static_cast<std::uint16_t>(i);
  }

  // The index doubles from one length to the next. Codes come in ascending order, but their bits
  // lie reversed in the input; `code` counts upwards from its top bit down.
  index[0] = decoder_entry::exceptional | 1U << 8 | 1U |
             (incomplete ? decoder_entry::invalid : decoder_entry::long_code);
  unsigned code = 0, at = 0, size = 1;
  for (unsigned bits = 1; bits <= tables.index_bits; ++bits) {
    if (std::is_constant_evaluated()) {
      for (unsigned i = 0; i < size; ++i) index[size + i] = index[i];
    } else {
      __builtin_memcpy(index + size, index, size * sizeof *index);
    }
    for (const unsigned stop = at + counts[bits]; at != stop; ++at) {
      index[code] = decoder_entry::make(kind, tables.symbols[at], bits);
      unsigned bit = size;
      while ((code & bit) != 0) bit >>= 1;
      code = bit != 0 ? (code & (bit - 1)) | bit : 0;
    }
    size <<= 1;
  }
  return true;
}

/// Decodes a code word that is longer than the index, bit by bit. `bits` holds at least 15.
[[nodiscard]] constexpr std::uint32_t decode_long_code(const std::uint16_t* symbols,
                                                       const std::uint16_t* counts, alphabet kind,
                                                       unsigned bits) noexcept {
  unsigned code = 0, first = 0, at = 0;
  for (unsigned length = 1; length <= longest_code_bits; ++length) {
    code |= bits & 1;
    bits >>= 1;
    const unsigned count = counts[length];
    if (code - first < count) {
      return decoder_entry::make(kind, symbols[at + (code - first)], length);
    }
    at += count;
    first = (first + count) << 1;
    code <<= 1;
  }
  return decoder_entry::exceptional | decoder_entry::invalid;
}

/// The tables of one alphabet. With more index bits fewer codes take the slow way.
template <unsigned IndexBits, unsigned Symbols>
class huffman_decoder {
 public:
  static_assert(IndexBits >= 1 && IndexBits <= longest_code_bits);

  [[nodiscard]] constexpr bool build(alphabet kind, const std::uint8_t* lengths,
                                     unsigned n) noexcept {
    return build_decoder({index_, symbols_, counts_, IndexBits}, kind, lengths, n);
  }

  /// The entry for the next 15 bits of the input.
  [[nodiscard]] constexpr std::uint32_t find(alphabet kind, unsigned bits) const noexcept {
    const std::uint32_t entry = index_[bits & index_mask];
    return (entry & decoder_entry::long_code) != 0 ? find_long(kind, bits) : entry;
  }
  [[nodiscard]] constexpr std::uint32_t find_long(alphabet kind, unsigned bits) const noexcept {
    return decode_long_code(symbols_, counts_, kind, bits);
  }

  [[nodiscard]] constexpr const std::uint32_t* index() const noexcept { return index_; }
  static constexpr unsigned index_mask = (1U << IndexBits) - 1;

 private:
  std::uint32_t index_[std::size_t{1} << IndexBits]{};
  std::uint16_t symbols_[Symbols]{};
  std::uint16_t counts_[longest_code_bits + 1]{};
};

}  // namespace vmdk::detail

// ---- vmdk/codec/inflate_run.hpp

namespace vmdk::detail {

/// The output of a decoder, which is its window, too.
struct inflate_output {
  std::byte* begin;
  std::byte* next;
  std::byte* end;
};

/// Copies eight bytes by way of a register, so that the ranges may overlap.
inline void copy_word(std::byte* to, const std::byte* from) noexcept {
  std::uint64_t word = 0;
  __builtin_memcpy(&word, from, sizeof word);
  __builtin_memcpy(to, &word, sizeof word);
}

/// Repeats `length` bytes from `distance` bytes back, in words; up to 15 bytes more are touched.
constexpr void inflate_copy(std::byte* to, std::size_t distance, std::size_t length) noexcept {
  const std::byte* from = to - distance;
  if (std::is_constant_evaluated()) {
    for (; length != 0; --length) *to++ = *from++;
    return;
  }
  const std::byte* const stop = to + length;
  if (distance >= 8) {
    do {
      copy_word(to, from);
      to += 8;
      from += 8;
    } while (to < stop);
  } else if (distance == 1) {
    const std::uint64_t word = 0x0101010101010101 * static_cast<std::uint64_t>(*from);
    do {
      __builtin_memcpy(to, &word, 8);
      to += 8;
    } while (to < stop);
  } else {
    do {
      copy_word(to, from);
      to += distance;
      from += distance;
    } while (to < stop);
  }
}

/// Decodes a block with Huffman codes for as long as so much input and output is left that neither
/// has to be tested within a match. True when the block ended, or failed, with the entry `code`.
template <class Input, class LitlenDecoder, class DistanceDecoder>
[[nodiscard]] constexpr bool inflate_run(Input& in, inflate_output& out,
                                         const LitlenDecoder& litlen,
                                         const DistanceDecoder& distance_codes,
                                         std::uint32_t& code) noexcept {
  using entry = decoder_entry;
  // Three literals, one match and a word copied past its end; two refills.
  constexpr std::ptrdiff_t out_slack = 3 + longest_match + 16;
  constexpr std::ptrdiff_t in_slack = 16;
  if (in.end - in.next < in_slack || out.end - out.next < out_slack) return false;
  const std::byte* const in_stop = in.end - in_slack;
  std::byte* const out_stop = out.end - out_slack;
  const std::uint32_t* const litlens = litlen.index();
  const std::uint32_t* const distances = distance_codes.index();
  constexpr unsigned litlen_mask = LitlenDecoder::index_mask;
  constexpr unsigned distance_mask = DistanceDecoder::index_mask;

  const std::byte* next = in.next;
  std::byte* to = out.next;
  std::uint64_t bits = in.bits;
  unsigned count = in.count;
  bool done = false;
  const auto refill = [&]() {
    bits |= load_word(next) << count;
    next += (63 - count) >> 3, count |= 56;
  };
  const auto drop = [&](std::uint32_t e) {
    bits >>= e & entry::all_bits_mask, count -= e & entry::all_bits_mask;
  };
  const auto value_with_extra = [&](std::uint32_t e) {
    const std::uint64_t mask = (std::uint64_t{1} << (e & entry::all_bits_mask)) - 1;
    return (e >> 16) + static_cast<std::uint32_t>((bits & mask) >> entry::code_bits(e));
  };

  do {
    refill();
    std::uint32_t e = litlens[bits & litlen_mask];
    if ((e & entry::literal) != 0) {
      drop(e);
      *to++ = static_cast<std::byte>(e >> 16);
      e = litlens[bits & litlen_mask];
      if ((e & entry::literal) != 0) {
        drop(e);
        *to++ = static_cast<std::byte>(e >> 16);
        e = litlens[bits & litlen_mask];
        if ((e & entry::literal) != 0) {
          drop(e);
          *to++ = static_cast<std::byte>(e >> 16);
          continue;
        }
      }
      refill();
    }
    if ((e & entry::exceptional) != 0) {
      if ((e & entry::long_code) != 0) {
        e = litlen.find_long(alphabet::litlen, static_cast<unsigned>(bits));
        if ((e & entry::literal) != 0) {
          drop(e);
          *to++ = static_cast<std::byte>(e >> 16);
          continue;
        }
      }
      if ((e & entry::exceptional) != 0) {
        drop(e);
        code = e;
        done = true;
        break;
      }
    }
    const std::size_t length = value_with_extra(e);
    drop(e);
    e = distances[bits & distance_mask];
    if ((e & entry::long_code) != 0) {
      e = distance_codes.find_long(alphabet::distance, static_cast<unsigned>(bits));
    }
    const std::size_t distance = value_with_extra(e);
    drop(e);
    if ((e & entry::exceptional) != 0 || distance > static_cast<std::size_t>(to - out.begin)) {
      code = entry::invalid;
      done = true;
      break;
    }
    inflate_copy(to, distance, length);
    to += length;
  } while (next <= in_stop && to <= out_stop);

  in.next = next;
  in.bits = bits & ((std::uint64_t{1} << count) - 1);
  in.count = count;
  out.next = to;
  return done;
}

}  // namespace vmdk::detail

// ---- vmdk/codec/inflate.hpp

namespace vmdk {

/// Expands RFC 1950 streams (SPEC 5). The output is the window, so the object holds Huffman tables
/// only: its `sizeof` is all the memory used. More index bits are faster and take more memory.
///
/// `decode` refuses what zlib's inflate refuses, reads no byte past the input and writes none past
/// the output. Errors, all of origin codec with the byte offset in the compressed input: the
/// `stream_*` codes of errc; and whatever the supply fails with, unchanged. After an error the
/// output's bytes are unspecified and the object is as good as before.
template <unsigned LitlenBits, unsigned DistanceBits>
class basic_inflate {
 public:
  static constexpr bool needs_contiguous_input = false;

  /// Expands a stream, as Decoder says. Errors: those of the supply; of origin codec, with the
  /// offset in the stream, one from errc::stream_truncated to errc::stream_checksum.
  template <ByteSupply Supply>
  [[nodiscard]] constexpr failure decode(Supply& supply, byte_span out) noexcept {
    detail::bit_input<Supply> in(supply);
    output to{out.data(), out.data(), out.data() + out.size()};
    const errc code = stream(in, to);
    if (in.supply_failure) return in.supply_failure;
    if (code == errc::none) return no_failure;
    return codec_failure(code, code == errc::stream_truncated ? in.supplied_bytes  // Its end.
                                                              : in.offset_bytes());
  }

 private:
  using entry = detail::decoder_entry;
  using alphabet = detail::alphabet;
  using output = detail::inflate_output;

  template <class Input>
  constexpr errc stream(Input& in, output& out) noexcept {
    if (!in.fill(16)) return errc::stream_truncated;
    const unsigned method = in.take(8), flags = in.take(8);
    if (!divides_by_31(method << 8 | flags) || (method & 15) != 8 || method >> 4 > 7) {
      return errc::stream_header_invalid;
    }
    if ((flags & 0x20) != 0) return errc::stream_dictionary;

    bool last = false, fixed_tables = false;
    while (!last) {
      if (!in.fill(3)) return errc::stream_truncated;
      last = in.take(1) != 0;
      errc code = errc::none;
      switch (static_cast<detail::block_type>(in.take(2))) {
        case detail::block_type::stored:
          code = stored_block(in, out);
          break;
        case detail::block_type::fixed:
          if (!fixed_tables) load_fixed_codes();
          fixed_tables = true;
          code = coded_block(in, out);
          break;
        case detail::block_type::dynamic:
          fixed_tables = false;
          code = read_codes(in);
          if (code == errc::none) code = coded_block(in, out);
          break;
        default:
          return errc::stream_block_invalid;
      }
      if (code != errc::none) return code;
    }

    in.align();
    std::uint32_t checksum = 0;
    for (unsigned i = 0; i < 4; ++i) {
      if (!in.fill(8)) return errc::stream_truncated;
      checksum = checksum << 8 | in.take(8);
    }
    const auto bytes = static_cast<std::size_t>(out.next - out.begin);
    if (checksum != adler32(out.begin, bytes)) return errc::stream_checksum;
    if (in.count != 0 || in.next != in.end || in.pull()) return errc::stream_input_left;
    return out.next == out.end ? errc::none : errc::stream_output_short;
  }

  /// True for multiples of 31, from 31 to 2^16: 32 is 1. A division costs a library call on small
  /// devices.
  [[nodiscard]] static constexpr bool divides_by_31(unsigned x) noexcept {
    x = (x >> 10) + (x >> 5 & 31) + (x & 31);
    return (x >> 5) + (x & 31) == 31;
  }

  template <class Input>
  constexpr errc stored_block(Input& in, output& out) noexcept {
    in.align();
    if (!in.fill(16)) return errc::stream_truncated;
    std::size_t left = in.take(16);
    if (!in.fill(16)) return errc::stream_truncated;
    if (in.take(16) != (left ^ 0xFFFF)) return errc::stream_block_invalid;
    if (left > static_cast<std::size_t>(out.end - out.next)) return errc::stream_output_overrun;
    for (; left != 0 && in.count != 0; --left) *out.next++ = static_cast<std::byte>(in.take(8));
    while (left != 0) {
      if (in.next == in.end && !in.pull()) return errc::stream_truncated;
      const auto ready = static_cast<std::size_t>(in.end - in.next);
      const std::size_t n = left < ready ? left : ready;
      copy_bytes(out.next, in.next, n);
      out.next += n;
      in.next += n;
      left -= n;
    }
    return errc::none;
  }

  constexpr void load_fixed_codes() noexcept {
    for (unsigned i = 0; i < detail::litlen_symbols; ++i)
      lengths_[i] = detail::fixed_litlen_bits(i);
    static_cast<void>(litlen_.build(alphabet::litlen, lengths_, detail::litlen_symbols));
    for (unsigned i = 0; i < detail::distance_symbols; ++i) {
      lengths_[i] = detail::fixed_distance_bits;
    }
    static_cast<void>(distance_.build(alphabet::distance, lengths_, detail::distance_symbols));
  }

  /// Reads the codes of a dynamic block. The code-length code lives in the literal tables, which
  /// are not needed before it is done with.
  template <class Input>
  constexpr errc read_codes(Input& in) noexcept {
    if (!in.fill(14)) return errc::stream_truncated;
    const unsigned litlens = in.take(5) + 257, distances = in.take(5) + 1;
    const unsigned code_lengths = in.take(4) + 4;
    if (litlens > detail::used_litlen_symbols || distances > detail::used_distance_symbols) {
      return errc::stream_code_invalid;
    }
    for (unsigned i = 0; i < detail::length_code_symbols; ++i) lengths_[i] = 0;
    for (unsigned i = 0; i < code_lengths; ++i) {
      if (!in.fill(3)) return errc::stream_truncated;
      lengths_[detail::length_code_order[i]] = static_cast<std::uint8_t>(in.take(3));
    }
    if (!litlen_.build(alphabet::code_lengths, lengths_, detail::length_code_symbols)) {
      return errc::stream_code_invalid;
    }

    for (unsigned i = 0; i < litlens + distances;) {
      std::uint32_t code = 0;
      if (!next_code(in, litlen_, alphabet::code_lengths, code)) return errc::stream_truncated;
      unsigned repeat = 1;
      auto length = static_cast<std::uint8_t>(entry::value(code));
      if (length >= 16) {
        const unsigned symbol = length;
        if (symbol == 16 && i == 0) return errc::stream_code_invalid;
        length = symbol == 16 ? lengths_[i - 1] : std::uint8_t{0};
        const unsigned extra = symbol == 16 ? 2 : symbol == 17 ? 3 : 7;
        if (!in.fill(extra)) return errc::stream_truncated;
        repeat = in.take(extra) + (symbol == 18 ? 11 : 3);
        if (repeat > litlens + distances - i) return errc::stream_code_invalid;
      }
      for (; repeat != 0; --repeat) lengths_[i++] = length;
    }
    return lengths_[detail::end_of_block] != 0 &&
                   litlen_.build(alphabet::litlen, lengths_, litlens) &&
                   distance_.build(alphabet::distance, lengths_ + litlens, distances)
               ? errc::none
               : errc::stream_code_invalid;
  }

  /// Decodes and drops one code word; false when the input ends inside it.
  template <class Input, class Tables>
  static constexpr bool next_code(Input& in, const Tables& tables, alphabet kind,
                                  std::uint32_t& code) noexcept {
    static_cast<void>(in.fill(detail::longest_code_bits));
    code = tables.find(kind, static_cast<unsigned>(in.bits));
    if (entry::code_bits(code) > in.count) return false;
    in.take(entry::code_bits(code));
    return true;
  }

  template <class Input>
  constexpr errc coded_block(Input& in, output& out) noexcept {
    for (;;) {
      std::uint32_t code = 0;
      if constexpr (detail::wide_machine) {
        if (detail::inflate_run(in, out, litlen_, distance_, code)) {
          return (code & entry::end) != 0 ? errc::none : errc::stream_symbol_invalid;
        }
      }
      if (!next_code(in, litlen_, alphabet::litlen, code)) return errc::stream_truncated;
      if ((code & entry::literal) != 0) {
        if (out.next == out.end) return errc::stream_output_overrun;
        *out.next++ = static_cast<std::byte>(entry::value(code));
        continue;
      }
      if ((code & entry::exceptional) != 0) {
        return (code & entry::end) != 0 ? errc::none : errc::stream_symbol_invalid;
      }
      if (!in.fill(entry::extra_bits(code))) return errc::stream_truncated;
      std::size_t length = entry::value(code) + in.take(entry::extra_bits(code));
      if (!next_code(in, distance_, alphabet::distance, code)) return errc::stream_truncated;
      if ((code & entry::exceptional) != 0) return errc::stream_symbol_invalid;
      if (!in.fill(entry::extra_bits(code))) return errc::stream_truncated;
      const std::size_t distance = entry::value(code) + in.take(entry::extra_bits(code));
      if (distance > static_cast<std::size_t>(out.next - out.begin)) {
        return errc::stream_symbol_invalid;
      }
      if (length > static_cast<std::size_t>(out.end - out.next)) {
        return errc::stream_output_overrun;
      }
      const std::byte* from = out.next - distance;
      for (; length != 0; --length) *out.next++ = *from++;
    }
  }

  detail::huffman_decoder<LitlenBits, detail::litlen_symbols> litlen_{};
  detail::huffman_decoder<DistanceBits, detail::distance_symbols> distance_{};
  std::uint8_t lengths_[detail::litlen_symbols + detail::distance_symbols]{};
};

/// For hosts: about 10 KiB.
using inflate = basic_inflate<11, 8>;

/// For small devices: about two KiB, at half the speed of the other on a host.
using small_inflate = basic_inflate<8, 5>;

}  // namespace vmdk

// ---- vmdk/io/concepts.hpp

namespace vmdk {

/// A run of bytes of a disk or a file.
struct range {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;

  [[nodiscard]] constexpr std::uint64_t end() const noexcept { return offset + bytes; }
  [[nodiscard]] friend constexpr bool operator==(const range&, const range&) noexcept = default;
};

/// Can be read at random: a raw file, memory, an opened VMDK, a slice of another Source.
/// `read_at` fills the whole span or says why not (errc::out_of_range past the end); after a
/// failure the span's bytes are unspecified and the object is as good as before.
template <class T>
concept Source = requires(T& source, const T& constant, std::uint64_t offset, byte_span out) {
  { constant.size() } noexcept -> std::same_as<std::uint64_t>;
  { source.read_at(offset, out) } noexcept -> std::same_as<failure>;
};

/// Knows its holes. `next_data(offset)` is the first range at or after the offset that may hold
/// something else than zeros; its length is 0, at size(), when only zeros are left. Another may
/// follow it at once.
template <class T>
concept SparseSource = Source<T> && requires(T& source, std::uint64_t offset) {
  { source.next_data(offset) } noexcept -> std::same_as<result<range>>;
};

/// Lies in memory: `view` gives n bytes at an offset, inside size(), without copying them.
template <class T>
concept MappedSource = Source<T> && requires(T& source, std::uint64_t offset, std::size_t n) {
  { source.view(offset, n) } noexcept -> std::same_as<byte_view>;
};

/// Can only be read front to back: a pipe, a network connection. `read` gives at least one byte, or
/// 0 at the end. After a failure every further call fails alike.
template <class T>
concept SequentialSource = requires(T& source, byte_span out) {
  { source.read(out) } noexcept -> std::same_as<result<std::size_t>>;
};

/// Reads a stream that cannot go back, and knows whether it ended where it should: `finish` drops
/// what is left of it and fails when there is less or more than its size.
template <class T>
concept FinishingSource = Source<T> && requires(T& source) {
  { source.finish() } noexcept -> std::same_as<failure>;
};

/// Takes bytes one after the other: a pipe, a UART, a socket. All of them, or why not; after a
/// failure every further call fails alike.
template <class T>
concept Sink = requires(T& sink, byte_view bytes) {
  { sink.write(bytes) } noexcept -> std::same_as<failure>;
};

/// Can also write anywhere. `write_at` takes an offset up to the present size and does not move the
/// place of `write`; `resize` cuts, or adds bytes that READ AS ZERO.
template <class T>
concept SeekableSink =
    Sink<T> && requires(T& sink, std::uint64_t offset, byte_view bytes, std::uint64_t size) {
      { sink.write_at(offset, bytes) } noexcept -> std::same_as<failure>;
      { sink.resize(size) } noexcept -> std::same_as<failure>;
    };

/// Can leave n bytes out that READ AS ZERO afterwards (a device that cannot do so writes zeros).
template <class T>
concept HoleSink = Sink<T> && requires(T& sink, std::uint64_t n) {
  { sink.skip(n) } noexcept -> std::same_as<failure>;
};

/// Has a barrier: what was written before `flush` is on the medium before anything written after.
template <class T>
concept Flushable = requires(T& object) {
  { object.flush() } noexcept -> std::same_as<failure>;
};

/// One object that is read and written in place.
template <class T>
concept Storage = Source<T> && SeekableSink<T> && Flushable<T>;

/// A file that a `Files` object opened.
struct file_id {
  std::uint32_t value = 0;
  [[nodiscard]] friend constexpr bool operator==(const file_id&, const file_id&) noexcept = default;
};

/// The only way from a name inside an image to bytes. The caller decides which names it knows.
/// Two names of one file must give one id.
template <class T>
concept Files = requires(T& files, const T& constant, std::string_view name, file_id id,
                         std::uint64_t offset, byte_span out) {
  { files.open(name) } noexcept -> std::same_as<result<file_id>>;
  { constant.size(id) } noexcept -> std::same_as<std::uint64_t>;
  { files.read_at(id, offset, out) } noexcept -> std::same_as<failure>;
};

/// Has files in several folders. `open_beside` is `open` for a name inside a file that is open: it
/// looks where that file lies first, and gives the file itself only when no other has the name.
template <class T>
concept FolderFiles = Files<T> && requires(T& files, file_id opener, std::string_view name) {
  { files.open_beside(opener, name) } noexcept -> std::same_as<result<file_id>>;
};

/// Takes the files of an image that has several. `create` gives an empty file, which stays valid
/// until the next `create`, `commit` or `abort`; nothing has its final name before `commit`, and
/// the file created last appears last.
template <class T>
concept SinkDirectory = requires(T& directory, std::string_view name) {
  typename T::sink_type;
  requires SeekableSink<typename T::sink_type>;
  { directory.create(name) } noexcept -> std::same_as<result<typename T::sink_type*>>;
  { directory.commit() } noexcept -> std::same_as<failure>;
  { directory.abort() } noexcept;
};

}  // namespace vmdk

// ---- vmdk/core/arithmetic.hpp

namespace vmdk {

/// True for 1, 2, 4, 8 ... Spelled out because std::has_single_bit costs a library call on
/// bare-metal targets.
[[nodiscard]] constexpr bool is_power_of_two(std::uint64_t n) noexcept {
  return n != 0 && (n & (n - 1)) == 0;
}

/// The exponent of a power of two.
[[nodiscard]] constexpr unsigned log2_exact(std::uint64_t power_of_two) noexcept {
  unsigned shift = 0;
  while ((power_of_two >> shift) > 1) ++shift;
  return shift;
}

/// n / 2^shift, rounded up, without overflow for any n.
[[nodiscard]] constexpr std::uint64_t ceil_shift(std::uint64_t n, unsigned shift) noexcept {
  const std::uint64_t mask = (std::uint64_t{1} << shift) - 1;
  return (n >> shift) + ((n & mask) != 0 ? 1 : 0);
}

/// n rounded up to a multiple of a power of two; the caller knows that the sum fits.
[[nodiscard]] constexpr std::uint64_t align_up(std::uint64_t n,
                                               std::uint64_t power_of_two) noexcept {
  return (n + (power_of_two - 1)) & ~(power_of_two - 1);
}

/// Adds; false, and `sum` untouched, when the sum does not fit.
[[nodiscard]] constexpr bool checked_add(std::uint64_t a, std::uint64_t b,
                                         std::uint64_t& sum) noexcept {
  if (b > (std::numeric_limits<std::uint64_t>::max)() - a) return false;
  sum = a + b;
  return true;
}

/// n * 2^shift; false, and `product` untouched, when it does not fit.
[[nodiscard]] constexpr bool checked_shift(std::uint64_t n, unsigned shift,
                                           std::uint64_t& product) noexcept {
  if (shift != 0 && (shift > 63 || (n >> (64 - shift)) != 0)) return false;
  product = n << shift;
  return true;
}

/// True when [offset, offset + n) lies inside [0, size).
[[nodiscard]] constexpr bool fits_inside(std::uint64_t offset, std::uint64_t n,
                                         std::uint64_t size) noexcept {
  return offset <= size && n <= size - offset;
}

template <std::unsigned_integral T>
[[nodiscard]] constexpr T smaller_of(T a, T b) noexcept {
  return a < b ? a : b;
}

template <std::unsigned_integral T>
[[nodiscard]] constexpr T larger_of(T a, T b) noexcept {
  return a < b ? b : a;
}

}  // namespace vmdk

// ---- vmdk/io/counting.hpp

namespace vmdk {

/// Keeps nothing of what is written but the numbers. SeekableSink and HoleSink: tells how large an
/// output becomes without room for it. After a failure every further call returns it.
class counting_sink {
 public:
  /// The size that a file written like this would have.
  [[nodiscard]] constexpr std::uint64_t size() const noexcept { return size_bytes_; }
  /// Bytes handed to `write` and `write_at`.
  [[nodiscard]] constexpr std::uint64_t written_bytes() const noexcept { return written_bytes_; }
  /// Bytes left out by `skip`.
  [[nodiscard]] constexpr std::uint64_t skipped_bytes() const noexcept { return skipped_bytes_; }
  /// Calls of `write` and `write_at`.
  [[nodiscard]] constexpr std::uint64_t write_calls() const noexcept { return write_calls_; }

  /// Counts bytes at the end. Errors: errc::sink_full past 2^64 - 1 bytes.
  constexpr failure write(byte_view bytes) noexcept { return write_at(size_bytes_, bytes); }

  /// Counts a hole at the end. Errors: errc::sink_full past 2^64 - 1 bytes.
  constexpr failure skip(std::uint64_t n) noexcept {
    if (failed_) return failed_;
    if (!checked_add(size_bytes_, n, size_bytes_)) return fail(errc::sink_full, size_bytes_);
    skipped_bytes_ += n;
    return no_failure;
  }

  /// Counts bytes at an offset up to size(). Errors: errc::out_of_range, errc::sink_full.
  constexpr failure write_at(std::uint64_t offset, byte_view bytes) noexcept {
    if (failed_) return failed_;
    if (offset > size_bytes_) return fail(errc::out_of_range, offset);
    std::uint64_t end = 0;
    if (!checked_add(offset, bytes.size(), end)) return fail(errc::sink_full, offset);
    size_bytes_ = larger_of(size_bytes_, end);
    written_bytes_ += bytes.size();
    ++write_calls_;
    return no_failure;
  }

  /// Takes another size. Errors: only an earlier one.
  constexpr failure resize(std::uint64_t size_bytes) noexcept {
    if (failed_) return failed_;
    size_bytes_ = size_bytes;
    return no_failure;
  }

 private:
  constexpr failure fail(errc code, std::uint64_t offset) noexcept {
    failed_ = sink_failure(code, offset);
    return failed_;
  }

  std::uint64_t size_bytes_ = 0;
  std::uint64_t written_bytes_ = 0;
  std::uint64_t skipped_bytes_ = 0;
  std::uint64_t write_calls_ = 0;
  failure failed_{};
};

/// Counts what is read of another Source, which the caller owns and keeps alive. SparseSource and
/// MappedSource where that one is. Failures pass unchanged.
template <Source S>
class counting_source {
 public:
  constexpr explicit counting_source(S& inner) noexcept : inner_(&inner) {}

  [[nodiscard]] constexpr std::uint64_t size() const noexcept {
    return static_cast<const S*>(inner_)->size();
  }
  /// Bytes asked of `read_at` and `view`.
  [[nodiscard]] constexpr std::uint64_t read_bytes() const noexcept { return read_bytes_; }
  /// Calls of `read_at` and `view`.
  [[nodiscard]] constexpr std::uint64_t read_calls() const noexcept { return read_calls_; }
  /// Calls of `next_data`.
  [[nodiscard]] constexpr std::uint64_t next_data_calls() const noexcept {
    return next_data_calls_;
  }
  /// Counts from zero again.
  constexpr void reset() noexcept { read_bytes_ = read_calls_ = next_data_calls_ = 0; }

  /// Counts and reads. Errors: those of the inner source.
  constexpr failure read_at(std::uint64_t offset, byte_span out) noexcept {
    ++read_calls_;
    read_bytes_ += out.size();
    return inner_->read_at(offset, out);
  }

  /// Counts and asks. Errors: those of the inner source.
  constexpr result<range> next_data(std::uint64_t offset) noexcept
    requires SparseSource<S>
  {
    ++next_data_calls_;
    return inner_->next_data(offset);
  }

  /// Counts and gives bytes in place.
  [[nodiscard]] constexpr byte_view view(std::uint64_t offset, std::size_t n) noexcept
    requires MappedSource<S>
  {
    ++read_calls_;
    read_bytes_ += n;
    return inner_->view(offset, n);
  }

 private:
  S* inner_;
  std::uint64_t read_bytes_ = 0;
  std::uint64_t read_calls_ = 0;
  std::uint64_t next_data_calls_ = 0;
};

static_assert(SeekableSink<counting_sink> && HoleSink<counting_sink>);

}  // namespace vmdk

// ---- vmdk/core/units.hpp

namespace vmdk {

/// The sector of every offset and size in a VMDK, also for guests with 4 KiB sectors (SPEC 1).
inline constexpr std::uint32_t sector_bytes = 512;
inline constexpr unsigned sector_shift = 9;

/// Tables hold 512 entries of four bytes: four sectors (SPEC 3).
inline constexpr std::uint32_t entries_per_table = 512;
inline constexpr std::uint32_t table_sectors = 4;
inline constexpr std::uint32_t table_bytes = table_sectors * sector_bytes;

/// Sector numbers in directories and tables have 32 bits (SPEC 12).
inline constexpr std::uint64_t sector_number_limit = std::uint64_t{1} << 32;

namespace literals {
[[nodiscard]] consteval std::uint64_t operator""_KiB(unsigned long long n) { return n << 10; }
[[nodiscard]] consteval std::uint64_t operator""_MiB(unsigned long long n) { return n << 20; }
[[nodiscard]] consteval std::uint64_t operator""_GiB(unsigned long long n) { return n << 30; }
[[nodiscard]] consteval std::uint64_t operator""_TiB(unsigned long long n) { return n << 40; }
}  // namespace literals

}  // namespace vmdk

// ---- vmdk/format/content_id.hpp

namespace vmdk {

/// The CID of an image and the longContentID that ends in it (SPEC 6, 14).
struct content_id {
  std::uint32_t cid = 0;
  std::uint64_t long_high = 0;
  std::uint64_t long_low = 0;  ///< Its low 32 bits are the CID.

  /// Takes another CID and keeps the rest.
  constexpr void set_cid(std::uint32_t other) noexcept {
    cid = other;
    long_low = (long_low & 0xFFFFFFFF00000000) | other;
  }

  [[nodiscard]] friend constexpr bool operator==(const content_id&,
                                                 const content_id&) noexcept = default;
};

namespace detail {

/// A bijection of 64 bits in which each input bit reaches each output bit.
[[nodiscard]] constexpr std::uint64_t mix_bits(std::uint64_t x) noexcept {
  x ^= x >> 32;
  x *= 0xD6E8FEB86659FD93;
  x ^= x >> 32;
  x *= 0xD6E8FEB86659FD93;
  x ^= x >> 32;
  return x;
}

}  // namespace detail

/// Spreads a number over all of an id. Its CID is never 0, fffffffe or ffffffff, which mean
/// something else to readers.
[[nodiscard]] constexpr content_id make_content_id(std::uint64_t number) noexcept {
  content_id id;
  id.long_high = detail::mix_bits(number ^ 0x9AE16A3B2F90404F);
  id.long_low = detail::mix_bits(number + 0xC949C7DEFEB1CB8D);
  id.cid = static_cast<std::uint32_t>(id.long_low);
  while (id.cid == 0 || id.cid >= 0xFFFFFFFE) {
    id.long_low = detail::mix_bits(id.long_low + 1);
    id.cid = static_cast<std::uint32_t>(id.long_low);
  }
  return id;
}

/// Computes the content id of a disk from its content alone (SPEC 14): each 4 KiB block that is not
/// zero is hashed with its number as the key, and the hashes are added up. So the order of blocks
/// does not matter, nor does the type of image, the grain, holes, or the thread that saw a block.
///
/// Blocks are hashed with 32 x 32 -> 64 bit products, which every target has, in eight lanes, which
/// compilers turn into vector code.
class content_hasher {
 public:
  static constexpr std::size_t block_bytes = 4096;

  /// Adds one whole block, zero or not.
  constexpr void add_block(const std::byte* block, std::uint64_t block_number) noexcept {
    if (!is_zero(block, block_bytes)) add_data_block(block, block_number);
  }

  /// Adds one whole block that is known not to be zero.
  constexpr void add_data_block(const std::byte* block, std::uint64_t block_number) noexcept {
    sum_ += hash_block(block, block_number);
  }

  /// Adds what another hasher has seen of the same disk.
  constexpr void merge(const content_hasher& other) noexcept { sum_ += other.sum_; }

  /// The id of all that was added.
  [[nodiscard]] constexpr content_id finish() const noexcept { return make_content_id(sum_); }

 private:
  static constexpr std::size_t lanes = 8;
  static constexpr std::size_t stripe_bytes = lanes * 8;

  [[nodiscard]] static constexpr std::uint64_t hash_block(const std::byte* block,
                                                          std::uint64_t block_number) noexcept {
    constexpr std::uint64_t step = 0x9E3779B97F4A7C15;
    std::uint64_t sums[lanes] = {};
    std::uint64_t keys[lanes] = {0xB492B66FBE98F273, 0x1CAD21F72C81017C, 0xDB979083E96DD4DE,
                                 0x1F67B3B7A4A44072, 0x78E5C0CC4EE679CB, 0x2172FFCC7DD05A82,
                                 0x8E2443F7744608B8, 0x4C263A81E69035E0};
    // The key moves on with each stripe, so that stripes cannot change places unseen; the plain sum
    // keeps the bits of a factor whose partner happens to be zero.
    for (std::size_t at = 0; at < block_bytes; at += stripe_bytes) {
      for (std::size_t i = 0; i < lanes; ++i) {
        const std::uint64_t value = load_le<std::uint64_t>(block + at + 8 * i);
        const std::uint64_t keyed = value ^ keys[i];
        sums[i] += (keyed & 0xFFFFFFFF) * (keyed >> 32) + value;
        keys[i] += step;
      }
    }
    std::uint64_t hash = detail::mix_bits(block_number + step);
    for (std::size_t i = 0; i < lanes; ++i) hash = detail::mix_bits(hash ^ sums[i]) + step;
    return detail::mix_bits(hash);
  }

  std::uint64_t sum_ = 0;
};

}  // namespace vmdk

// ---- vmdk/format/text.hpp

/// The few text functions that descriptors need, without locales, heap, or the 64-bit division that
/// is a library call on a 32-bit target.
namespace vmdk::detail {

// A string_view of a literal takes its length at compile time, not by strlen.
using namespace std::string_view_literals;

/// n characters from an offset that lie inside the text; std::string_view::substr can throw.
[[nodiscard]] constexpr std::string_view part(std::string_view text, std::size_t from,
                                              std::size_t n) noexcept {
  return {text.data() + from, n};
}

/// All characters from an offset on.
[[nodiscard]] constexpr std::string_view part(std::string_view text, std::size_t from) noexcept {
  return {text.data() + from, text.size() - from};
}

[[nodiscard]] constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }

[[nodiscard]] constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// True for what no line of text may hold, tab included.
[[nodiscard]] constexpr bool is_control(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

[[nodiscard]] constexpr bool is_ascii(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x80;
}

/// ASCII letters only.
[[nodiscard]] constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

[[nodiscard]] constexpr bool same_ignoring_case(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  const char* p = a.data();
  const char* q = b.data();
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(p[i]) != lower(q[i])) return false;
  }
  return true;
}

[[nodiscard]] constexpr bool starts_with_ignoring_case(std::string_view text,
                                                       std::string_view head) noexcept {
  return text.size() >= head.size() && same_ignoring_case(part(text, 0, head.size()), head);
}

/// The text without blanks at both ends.
[[nodiscard]] constexpr std::string_view trimmed(std::string_view text) noexcept {
  const char* first = text.data();
  const char* last = first + text.size();
  while (first != last && is_blank(*first)) ++first;
  while (first != last && is_blank(last[-1])) --last;
  return {first, static_cast<std::size_t>(last - first)};
}

/// Reads a number of decimal digits and nothing else; false, and `value` untouched, when it is none
/// or does not fit.
[[nodiscard]] constexpr bool read_decimal(std::string_view text, std::uint64_t& value) noexcept {
  constexpr std::uint64_t largest = (std::numeric_limits<std::uint64_t>::max)();
  if (text.empty()) return false;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text.data()[i];
    if (!is_digit(c) || sum > largest / 10) return false;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (digit > largest - sum * 10) return false;
    sum = sum * 10 + digit;
  }
  value = sum;
  return true;
}

/// The value of a hexadecimal digit, or 16.
[[nodiscard]] constexpr std::uint32_t hex_digit(char c) noexcept {
  if (is_digit(c)) return static_cast<std::uint32_t>(c - '0');
  const char small = lower(c);
  return small >= 'a' && small <= 'f' ? static_cast<std::uint32_t>(small - 'a' + 10) : 16;
}

/// Reads one to eight hexadecimal digits and nothing else; false, and `value` untouched, otherwise.
[[nodiscard]] constexpr bool read_hex(std::string_view text, std::uint32_t& value) noexcept {
  if (text.empty() || text.size() > 8) return false;
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::uint32_t digit = hex_digit(text.data()[i]);
    if (digit > 15) return false;
    sum = sum << 4 | digit;
  }
  value = sum;
  return true;
}

/// The digits of a number.
class number_text {
 public:
  [[nodiscard]] static constexpr number_text decimal(std::uint64_t value,
                                                     unsigned least_digits = 1) noexcept {
    constexpr std::uint64_t powers[] = {1u,
                                        10u,
                                        100u,
                                        1000u,
                                        10000u,
                                        100000u,
                                        1000000u,
                                        10000000u,
                                        100000000u,
                                        1000000000u,
                                        10000000000u,
                                        100000000000u,
                                        1000000000000u,
                                        10000000000000u,
                                        100000000000000u,
                                        1000000000000000u,
                                        10000000000000000u,
                                        100000000000000000u,
                                        1000000000000000000u,
                                        10000000000000000000u};
    number_text text;
    for (unsigned i = 20; i-- > 0;) {
      char digit = '0';
      while (value >= powers[i]) {
        value -= powers[i];
        ++digit;
      }
      if (digit != '0' || text.size_ != 0 || i < least_digits) text.text_[text.size_++] = digit;
    }
    return text;
  }

  /// Exactly so many digits, 1 to 16, in lower case.
  [[nodiscard]] static constexpr number_text hex(std::uint64_t value, unsigned digits) noexcept {
    number_text text;
    text.size_ = digits;
    for (std::size_t i = digits; i > 0; --i, value >>= 4) {
      text.text_[i - 1] = "0123456789abcdef"[value & 15];
    }
    return text;
  }

  [[nodiscard]] constexpr std::string_view view() const noexcept { return {text_, size_}; }

 private:
  char text_[20]{};
  std::size_t size_ = 0;
};

}  // namespace vmdk::detail

// ---- vmdk/format/extent_name.hpp

namespace vmdk {

/// The longest name of an extent's file, in bytes: what other readers have room for (SPEC 6).
inline constexpr std::size_t extent_name_max_bytes = 511;

/// True for a name that can only mean a file in the descriptor's own folder: not empty, not "." or
/// "..", no '/', '\' or ':' (which also rules out drives and "json:"), no quote, no control
/// character (SPEC 13.4).
[[nodiscard]] constexpr bool is_plain_name(std::string_view name) noexcept {
  using namespace std::string_view_literals;
  if (name.empty() || name == "."sv || name == ".."sv) return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name.data()[i];
    if (c == '/' || c == '\\' || c == ':' || c == '"' || detail::is_control(c)) return false;
  }
  return true;
}

namespace detail {
inline constexpr std::string_view piece_ending = ".vmdk";
inline constexpr std::string_view flat_ending = "-flat.vmdk";
}  // namespace detail

/// The name of an extent's file: as it is, or composed, so that thousands of pieces need no memory
/// for their names. Owns nothing.
struct extent_name {
  std::string_view stem{};  ///< The whole name where `piece` is 0 and it is not `flat`.
  char kind = 's';          ///< 's' or 'f': stem-s001.vmdk, stem-f001.vmdk.
  std::uint32_t piece = 0;  ///< Counts from 1; three digits, more from 1000 on.
  bool flat = false;        ///< stem-flat.vmdk, where `piece` is 0.

  /// Gives the name to `put(std::string_view)` part by part.
  template <class Put>
  constexpr void each_part(Put&& put) const noexcept {
    put(stem);
    if (piece == 0) {
      if (flat) put(detail::flat_ending);
      return;
    }
    const char joint[] = {'-', kind};
    put(std::string_view{joint, sizeof joint});
    put(detail::number_text::decimal(piece, 3).view());
    put(detail::piece_ending);
  }

  [[nodiscard]] constexpr std::size_t bytes() const noexcept {
    std::size_t sum = 0;
    each_part([&sum](std::string_view part) { sum += part.size(); });
    return sum;
  }

  /// Composes the name in the caller's memory; extent_name_max_bytes are always enough for a name
  /// that a descriptor can hold.
  /// Errors: errc::workspace_too_small; detail: the bytes that are needed.
  [[nodiscard]] constexpr result<std::string_view> compose(std::span<char> memory) const noexcept {
    const std::size_t needed = bytes();
    if (needed > memory.size()) {
      return options_failure(errc::workspace_too_small, 0, static_cast<std::uint32_t>(needed));
    }
    char* to = memory.data();
    each_part([&to](std::string_view part) {
      for (std::size_t i = 0; i < part.size(); ++i) *to++ = part.data()[i];
    });
    return std::string_view{memory.data(), needed};
  }
};

}  // namespace vmdk

// ---- vmdk/format/words.hpp

namespace vmdk::detail {

/// One word of a descriptor and what it means. In a table, a value's first word is the one that is
/// written; the others are only read.
template <class T>
struct word {
  std::string_view text;
  T value;
};

/// What a word was found to mean.
template <class T>
struct word_match {
  T value{};
  bool found = false;
  bool exact = false;  ///< In the case that the table has.
};

/// Looks a word up. Its case does not matter for the meaning (SPEC 6).
template <class T, std::size_t N>
[[nodiscard]] constexpr word_match<T> find_word(const word<T> (&words)[N],
                                                std::string_view text) noexcept {
  for (const word<T>& candidate : words) {
    if (same_ignoring_case(candidate.text, text)) {
      return {candidate.value, true, candidate.text == text};
    }
  }
  return {};
}

/// The word that is written for a value; empty for a value that has none.
template <class T, std::size_t N>
[[nodiscard]] constexpr std::string_view word_of(const word<T> (&words)[N], T value) noexcept {
  for (const word<T>& candidate : words) {
    if (candidate.value == value) return candidate.text;
  }
  return {};
}

}  // namespace vmdk::detail

// ---- vmdk/format/extent_line.hpp

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

// ---- vmdk/format/create_type.hpp

namespace vmdk {

/// What a descriptor says the disk is (SPEC 1). The first five are written, the others only read.
enum class create_type : std::uint8_t {
  unknown,
  monolithic_sparse,
  stream_optimized,
  two_gb_max_extent_sparse,
  monolithic_flat,
  two_gb_max_extent_flat,
  vmfs,
  vmfs_thin,
  vmfs_preallocated,
  vmfs_eager_zeroed_thick,
  vmfs_thick,
  vmfs_sparse,
  se_sparse,
  vmfs_rdm,
  vmfs_rdm_passthrough,
  vmfs_raw,
  full_device,
  partitioned_device,
  custom,
};

inline constexpr detail::word<create_type> create_type_words[] = {
    {"monolithicSparse", create_type::monolithic_sparse},
    {"streamOptimized", create_type::stream_optimized},
    {"twoGbMaxExtentSparse", create_type::two_gb_max_extent_sparse},
    {"2GbMaxExtentSparse", create_type::two_gb_max_extent_sparse},
    {"monolithicFlat", create_type::monolithic_flat},
    {"twoGbMaxExtentFlat", create_type::two_gb_max_extent_flat},
    {"2GbMaxExtentFlat", create_type::two_gb_max_extent_flat},
    {"vmfs", create_type::vmfs},
    {"vmfsThin", create_type::vmfs_thin},
    {"vmfsPreallocated", create_type::vmfs_preallocated},
    {"vmfsEagerZeroedThick", create_type::vmfs_eager_zeroed_thick},
    {"vmfsThick", create_type::vmfs_thick},
    {"vmfsSparse", create_type::vmfs_sparse},
    {"seSparse", create_type::se_sparse},
    {"vmfsSeSparse", create_type::se_sparse},
    {"vmfsRawDeviceMap", create_type::vmfs_rdm},
    {"vmfsRDM", create_type::vmfs_rdm},
    {"vmfsPassthroughRawDeviceMap", create_type::vmfs_rdm_passthrough},
    {"vmfsRDMP", create_type::vmfs_rdm_passthrough},
    {"vmfsRaw", create_type::vmfs_raw},
    {"fullDevice", create_type::full_device},
    {"partitionedDevice", create_type::partitioned_device},
    {"custom", create_type::custom},
};

/// True for the types whose descriptor lies inside their one sparse file.
[[nodiscard]] constexpr bool has_embedded_descriptor(create_type type) noexcept {
  return type == create_type::monolithic_sparse || type == create_type::stream_optimized;
}

/// True for the types that have one extent by definition.
[[nodiscard]] constexpr bool has_single_extent(create_type type) noexcept {
  return has_embedded_descriptor(type) || type == create_type::monolithic_flat;
}

/// True when a disk of this type may have an extent of that one. Holes stand in any disk that has
/// its descriptor in a text file.
[[nodiscard]] constexpr bool fits(create_type disk, extent_type extent) noexcept {
  if (extent == extent_type::zero) return !has_embedded_descriptor(disk);
  switch (disk) {
    case create_type::unknown:
    case create_type::custom:
      return true;
    case create_type::monolithic_sparse:
    case create_type::stream_optimized:
    case create_type::two_gb_max_extent_sparse:
      return extent == extent_type::sparse;
    case create_type::monolithic_flat:
    case create_type::two_gb_max_extent_flat:
    case create_type::full_device:
    case create_type::partitioned_device:
      return extent == extent_type::flat;
    case create_type::vmfs_sparse:
      return extent == extent_type::vmfs_sparse;
    case create_type::se_sparse:
      return extent == extent_type::se_sparse;
    case create_type::vmfs_rdm:
    case create_type::vmfs_rdm_passthrough:
      return extent == extent_type::vmfs_rdm;
    case create_type::vmfs_raw:
      return extent == extent_type::vmfs_raw;
    default:
      return extent == extent_type::vmfs;
  }
}

}  // namespace vmdk

// ---- vmdk/format/descriptor_limits.hpp

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

// ---- vmdk/format/geometry.hpp

namespace vmdk {

/// The disk controller that a descriptor asks for (SPEC 6). There is no word for pvscsi, SATA or
/// NVMe: such disks say lsilogic.
enum class adapter : std::uint8_t { lsilogic, buslogic, ide, legacy_esx };

inline constexpr detail::word<adapter> adapter_words[] = {
    {"lsilogic", adapter::lsilogic},
    {"buslogic", adapter::buslogic},
    {"ide", adapter::ide},
    {"legacyESX", adapter::legacy_esx},
};

/// The cylinders, heads and sectors a track that a descriptor states. Nobody but boot code that
/// still thinks in them reads more into it than that they are there.
struct geometry {
  std::uint32_t cylinders = 0;
  std::uint32_t heads = 0;
  std::uint32_t sectors = 0;

  [[nodiscard]] friend constexpr bool operator==(const geometry&,
                                                 const geometry&) noexcept = default;
};

namespace detail {

/// n / divisor by shifts: 64-bit division is a library call on a 32-bit target.
[[nodiscard]] constexpr std::uint64_t divided(std::uint64_t n, std::uint32_t divisor) noexcept {
  std::uint64_t rest = 0;
  std::uint64_t quotient = 0;
  for (int bit = 0; bit < 64; ++bit) {
    rest = rest << 1 | n >> 63;
    n <<= 1;
    quotient <<= 1;
    if (rest >= divisor) {
      rest -= divisor;
      quotient |= 1;
    }
  }
  return quotient;
}

}  // namespace detail

/// Computes the geometry that VMware's own tools state for a disk of so many sectors (SPEC 7).
///
/// IDE disks have 16 heads and 63 sectors a track, and at most 16383 cylinders. All others have 64
/// heads and 32 sectors below 1 GiB, 128 and 32 below 2 GiB, 255 and 63 from there: ESXi, VDDK and
/// vCloud wrote 64/32 into every small SCSI disk that was looked at. Cylinders are rounded down, as
/// VMware does: a guest must not find a cylinder that is not wholly there. There is always one, as
/// a zero makes readers drop the geometry, and never more than 32 bits hold.
[[nodiscard]] constexpr geometry geometry_for(adapter controller,
                                              std::uint64_t capacity_sectors) noexcept {
  constexpr std::uint64_t gib_sectors = std::uint64_t{1} << 21;
  constexpr std::uint64_t most_cylinders = (std::numeric_limits<std::uint32_t>::max)();
  constexpr std::uint64_t most_ide_cylinders = 16383;

  geometry shape{.cylinders = 1, .heads = 255, .sectors = 63};
  std::uint64_t limit = most_cylinders;
  if (controller == adapter::ide) {
    shape.heads = 16;
    limit = most_ide_cylinders;
  } else if (capacity_sectors < 2 * gib_sectors) {
    shape.heads = capacity_sectors < gib_sectors ? 64 : 128;
    shape.sectors = 32;
  }
  const std::uint64_t whole = detail::divided(capacity_sectors, shape.heads * shape.sectors);
  shape.cylinders =
      static_cast<std::uint32_t>(smaller_of(larger_of(whole, std::uint64_t{1}), limit));
  return shape;
}

}  // namespace vmdk

// ---- vmdk/format/descriptor_fields.hpp

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

// ---- vmdk/format/sparse_geometry.hpp

namespace vmdk {

/// The grain sizes, in sectors, that a reader takes and a writer makes (SPEC 12).
inline constexpr std::uint32_t largest_readable_grain_sectors = 1u << 21;
/// Where grains are compressed, a reader has one of them in memory.
inline constexpr std::uint32_t largest_compressed_grain_sectors = 4096;
inline constexpr std::uint32_t smallest_writable_grain_sectors = 8;
inline constexpr std::uint32_t largest_writable_grain_sectors = 2048;

/// No reader takes a capacity beyond this many sectors; it keeps every product inside 64 bits.
inline constexpr std::uint64_t capacity_limit_sectors = std::uint64_t{1} << 54;

/// The most tables of a sparse extent, and so entries of its directory: as qemu has it (SPEC 12).
inline constexpr std::uint64_t table_count_limit = std::uint64_t{1} << 25;

/// The figures of SPEC 3 that follow from a capacity and a grain size. The caller has made sure
/// that the capacity is 1 .. capacity_limit_sectors and the grain a power of two within its limits.
class sparse_geometry {
 public:
  constexpr sparse_geometry() noexcept = default;
  constexpr sparse_geometry(std::uint64_t capacity_sectors, std::uint64_t grain_sectors) noexcept
      : capacity_sectors_(capacity_sectors),
        grain_shift_(static_cast<std::uint8_t>(log2_exact(grain_sectors))) {}

  [[nodiscard]] constexpr std::uint64_t capacity_sectors() const noexcept {
    return capacity_sectors_;
  }
  [[nodiscard]] constexpr std::uint64_t capacity_bytes() const noexcept {
    return capacity_sectors_ << sector_shift;
  }
  [[nodiscard]] constexpr std::uint32_t grain_sectors() const noexcept {
    return std::uint32_t{1} << grain_shift_;
  }
  [[nodiscard]] constexpr std::uint32_t grain_bytes() const noexcept {
    return std::uint32_t{1} << grain_byte_shift();
  }
  [[nodiscard]] constexpr unsigned grain_shift() const noexcept { return grain_shift_; }
  [[nodiscard]] constexpr unsigned grain_byte_shift() const noexcept {
    return grain_shift_ + sector_shift;
  }
  [[nodiscard]] constexpr std::uint64_t grain_count() const noexcept {
    return ceil_shift(capacity_sectors_, grain_shift_);
  }
  [[nodiscard]] constexpr std::uint64_t table_count() const noexcept {
    return ceil_shift(grain_count(), table_shift);
  }
  [[nodiscard]] constexpr std::uint64_t directory_sectors() const noexcept {
    return ceil_shift(table_count(), entries_per_sector_shift);
  }
  /// How many of a table's entries stand for grains: 512, but for the last table.
  [[nodiscard]] constexpr std::uint32_t entries_in_table(std::uint64_t table) const noexcept {
    return static_cast<std::uint32_t>(
        smaller_of<std::uint64_t>(entries_per_table, grain_count() - (table << table_shift)));
  }

  static constexpr unsigned table_shift = 9;  ///< 512 entries a table.
  static constexpr unsigned entries_per_sector_shift = 7;

 private:
  std::uint64_t capacity_sectors_ = 0;
  std::uint8_t grain_shift_ = 0;
};

}  // namespace vmdk

// ---- vmdk/layout/capacity.hpp

namespace vmdk {

/// A run of sectors of an image's file.
struct region {
  std::uint64_t first_sector = 0;
  std::uint64_t sectors = 0;

  [[nodiscard]] constexpr std::uint64_t end_sector() const noexcept {
    return first_sector + sectors;
  }
  [[nodiscard]] constexpr std::uint64_t first_byte() const noexcept {
    return first_sector << sector_shift;
  }
  [[nodiscard]] constexpr std::uint64_t bytes() const noexcept { return sectors << sector_shift; }
  [[nodiscard]] friend constexpr bool operator==(const region&, const region&) noexcept = default;
};

/// What the disk's capacity is rounded up to.
enum class capacity_rule : std::uint8_t {
  whole_grains,  ///< A multiple of the grain: what every reader takes (SPEC 12).
  exact,         ///< A multiple of a sector only.
};

/// The capacity in sectors for a disk of so many bytes; the grain is a power of two.
/// Errors, all with origin options: errc::capacity_zero; errc::capacity_too_large past 2^54
/// sectors. Source: SPEC 12.
[[nodiscard]] constexpr result<std::uint64_t> capacity_for(std::uint64_t disk_bytes,
                                                           std::uint32_t grain_sectors,
                                                           capacity_rule rule) noexcept {
  if (disk_bytes == 0) return options_failure(errc::capacity_zero);
  std::uint64_t sectors = ceil_shift(disk_bytes, sector_shift);
  if (rule == capacity_rule::whole_grains) sectors = align_up(sectors, grain_sectors);
  if (sectors > capacity_limit_sectors) return options_failure(errc::capacity_too_large);
  return sectors;
}

}  // namespace vmdk

// ---- vmdk/layout/types.hpp

namespace vmdk {

/// As a grain size: known at run time only, and given in the options.
inline constexpr std::uint32_t dynamic_grain = 0;

/// True for the grain sizes that this library writes.
[[nodiscard]] constexpr bool is_writable_grain(std::uint64_t grain_sectors) noexcept {
  return is_power_of_two(grain_sectors) && grain_sectors >= smallest_writable_grain_sectors &&
         grain_sectors <= largest_writable_grain_sectors;
}

/// The sectors that VMware leaves for the descriptor, so that tools find room to edit it.
inline constexpr std::uint32_t usual_descriptor_sectors = 20;

/// Where a stream has its directory and tables.
enum class tables : std::uint8_t {
  at_end,    ///< Behind the grains, with markers and a footer: what every reader takes (SPEC 5).
  in_front,  ///< Before the grains, as VMware's vmdk-convert writes it: for readers that refuse
             ///< footers. Needs a sink that can be written anywhere; 7-Zip does not open it.
};

namespace detail {

template <std::uint32_t GrainSectors>
struct grain_tag {
  static_assert(GrainSectors == dynamic_grain || is_writable_grain(GrainSectors),
                "vmdk: the grain size must be a power of two from 8 to 2048 sectors (4 KiB to "
                "1 MiB); 16 to 128 is what every reader opens");
  static constexpr std::uint32_t grain_sectors = GrainSectors;
};

/// The grain size of a type; that of the options where the type has dynamic_grain.
template <class Type, class Options>
[[nodiscard]] constexpr std::uint32_t grain_of(const Options& options) noexcept {
  return Type::grain_sectors == dynamic_grain ? options.grain_sectors : Type::grain_sectors;
}

/// Errors: errc::grain_size_invalid, with origin options, for a grain size that is not written
/// (detail: the size).
[[nodiscard]] constexpr failure check_grain(std::uint32_t grain_sectors) noexcept {
  if (is_writable_grain(grain_sectors)) return no_failure;
  return options_failure(errc::grain_size_invalid, 0, grain_sectors);
}

}  // namespace detail

/// One file: header, descriptor, tables and the grains that hold data (SPEC 4).
template <std::uint32_t GrainSectors = 128>
struct monolithic_sparse : detail::grain_tag<GrainSectors> {};

/// One file of compressed grains behind markers, for shipping (SPEC 5).
template <std::uint32_t GrainSectors = 128>
struct stream_optimized : detail::grain_tag<GrainSectors> {};

/// Sparse files of 2047 MiB each, and a text descriptor (SPEC 8).
template <std::uint32_t GrainSectors = 128>
struct two_gb_max_extent_sparse : detail::grain_tag<GrainSectors> {};

/// The raw disk in one file, and a text descriptor (SPEC 8).
struct monolithic_flat {};

/// The raw disk in files of at most 2047.75 MiB each, and a text descriptor (SPEC 8).
struct two_gb_max_extent_flat {};

/// Where everything of an image of this type goes; specialised in layout/.
template <class Type>
class layout;

}  // namespace vmdk

// ---- vmdk/writer/options.hpp

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

// ---- vmdk/writer/workspace.hpp

namespace vmdk {

/// All the memory that writing an image of a type takes, besides a few hundred bytes of stack. The
/// caller owns it and may use it again for the next image. Specialised for each type.
template <class Type, class... Codec>
struct workspace;

/// For monolithicSparse: one table and one grain. A larger `bulk` is used instead of the grain when
/// there is one: it makes reads larger and saves walks, and never changes the result.
template <std::uint32_t GrainSectors>
struct workspace<monolithic_sparse<GrainSectors>> {
  std::array<std::byte, table_bytes> table{};
  std::array<std::byte, monolithic_sparse<GrainSectors>::grain_sectors * sector_bytes> grain{};
  byte_span bulk{};

  [[nodiscard]] constexpr byte_span buffer() noexcept {
    return bulk.size() > grain.size() ? bulk : byte_span(grain);
  }
};

/// With a grain size known at run time: `bulk` holds at least one grain.
template <>
struct workspace<monolithic_sparse<dynamic_grain>> {
  std::array<std::byte, table_bytes> table{};
  byte_span bulk{};

  [[nodiscard]] constexpr byte_span buffer() noexcept { return bulk; }
};

/// For streamOptimized: the encoder, a table, a grain as it is and as it goes out, and a directory
/// for a small disk. A `directory` of directory_memory_bytes() of the layout is used instead when
/// it is larger, and so is a larger `bulk` instead of the grain; neither changes the result.
template <std::uint32_t GrainSectors, class E>
struct workspace<stream_optimized<GrainSectors>, E> {
  static constexpr std::size_t grain_bytes =
      std::size_t{stream_optimized<GrainSectors>::grain_sectors} * sector_bytes;

  E encoder{};
  std::array<std::byte, sector_bytes + table_bytes> table{};
  std::array<std::byte, sector_bytes> small_directory{};
  std::array<std::byte, grain_bytes> grain{};
  std::array<std::byte, grain_bytes + sector_bytes> packed{};
  byte_span directory{};
  byte_span bulk{};

  [[nodiscard]] constexpr byte_span directory_memory() noexcept {
    return directory.size() > small_directory.size() ? directory : byte_span(small_directory);
  }
  [[nodiscard]] constexpr byte_span buffer(std::size_t /*packed_bytes*/) noexcept {
    return bulk.size() > grain.size() ? bulk : byte_span(grain);
  }
  [[nodiscard]] constexpr byte_span slot(std::size_t /*packed_bytes*/) noexcept { return packed; }
};

/// With a grain size known at run time: `bulk` holds at least two grains and a sector.
template <class E>
struct workspace<stream_optimized<dynamic_grain>, E> {
  E encoder{};
  std::array<std::byte, sector_bytes + table_bytes> table{};
  std::array<std::byte, sector_bytes> small_directory{};
  byte_span directory{};
  byte_span bulk{};

  [[nodiscard]] constexpr byte_span directory_memory() noexcept {
    return directory.size() > small_directory.size() ? directory : byte_span(small_directory);
  }
  [[nodiscard]] constexpr byte_span buffer(std::size_t packed_bytes) noexcept {
    return bulk.size() > packed_bytes ? bulk.subspan(packed_bytes) : byte_span{};
  }
  [[nodiscard]] constexpr byte_span slot(std::size_t packed_bytes) noexcept {
    return bulk.size() > packed_bytes ? bulk.first(packed_bytes) : byte_span{};
  }
};

}  // namespace vmdk

// ---- vmdk/writer/write.hpp

namespace vmdk {

/// How an image of a type is written; specialised by each writer.
template <class Type>
struct writer;

/// Writes an image of a type: reads the disk from a Source, front to back, and writes the file to a
/// Sink. The same bytes come out whatever the sink, the block size and the host.
///
/// Errors: those of the type's writer, of the source and of the sink. After an error the sink's
/// content is no image: its header is missing, or its end. Nothing else is kept: a new call starts
/// afresh.
template <class Type, class S, class K, class Workspace>
[[nodiscard]] constexpr result<write_report> write(S& source, K& sink, const write_options& options,
                                                   Workspace& memory) noexcept {
  return writer<Type>::write(source, sink, options, memory);
}

}  // namespace vmdk

// ---- vmdk/constant/file_bytes.hpp

namespace vmdk {
namespace detail {

/// Takes the files of an image that has several, and keeps nothing.
class counting_directory {
 public:
  using sink_type = counting_sink;

  constexpr result<counting_sink*> create(std::string_view /*name*/) noexcept {
    file_ = {};
    return &file_;
  }
  constexpr failure commit() noexcept { return no_failure; }
  constexpr void abort() noexcept {}

 private:
  counting_sink file_{};
};

static_assert(SinkDirectory<counting_directory>);

}  // namespace detail

/// Computes the size of the file, or of all files together, that `write` makes of a disk. It does
/// all that `write` does, and keeps nothing: the layout alone gives bounds at no cost.
/// Errors: those of `write`.
template <class Type, Source S, class Workspace>
[[nodiscard]] constexpr result<std::uint64_t> file_bytes(S& source, const write_options& options,
                                                         Workspace& memory) noexcept {
  result<write_report> report = no_failure;
  if constexpr (requires(counting_sink& sink) {
                  writer<Type>::write(source, sink, options, memory);
                }) {
    counting_sink sink;
    report = writer<Type>::write(source, sink, options, memory);
  } else {
    detail::counting_directory directory;
    report = writer<Type>::write(source, directory, options, memory);
  }
  if (!report) return report.error();
  return report->file_bytes;
}

/// As above, with the workspace of the type, and of the encoder where it has one, on the stack.
template <class Type, class... Codec, Source S>
[[nodiscard]] constexpr result<std::uint64_t> file_bytes(
    S& source, const write_options& options = {}) noexcept {
  workspace<Type, Codec...> memory{};
  return file_bytes<Type>(source, options, memory);
}

}  // namespace vmdk

// ---- vmdk/io/memory.hpp

namespace vmdk {

/// Reads bytes that lie in memory and belong to the caller. Source and MappedSource; may be copied
/// and shared by threads.
class memory_source {
 public:
  constexpr memory_source() noexcept = default;
  constexpr explicit memory_source(byte_view bytes) noexcept : bytes_(bytes) {}

  [[nodiscard]] constexpr std::uint64_t size() const noexcept { return bytes_.size(); }

  /// Copies bytes out. Errors: errc::out_of_range.
  constexpr failure read_at(std::uint64_t offset, byte_span out) const noexcept {
    if (!fits_inside(offset, out.size(), bytes_.size())) {
      return source_failure(errc::out_of_range, offset);
    }
    copy_bytes(out.data(), bytes_.data() + offset, out.size());
    return no_failure;
  }

  /// Gives n bytes in place; none at all when they do not lie inside size().
  [[nodiscard]] constexpr byte_view view(std::uint64_t offset, std::size_t n) const noexcept {
    if (!fits_inside(offset, n, bytes_.size())) return {};
    return bytes_.subspan(static_cast<std::size_t>(offset), n);
  }

 private:
  byte_view bytes_{};
};

/// Writes into memory of the caller. SeekableSink and HoleSink: `write` and `skip` add at the end
/// of what is in use; errc::sink_full when the memory is used up. After a failure every further
/// call returns it.
class memory_sink {
 public:
  constexpr memory_sink() noexcept = default;

  /// Writes into `room`, whose first bytes are in use already where `used_bytes` says so.
  constexpr explicit memory_sink(byte_span room, std::size_t used_bytes = 0) noexcept
      : room_(room), size_bytes_(smaller_of(used_bytes, room.size())) {}

  [[nodiscard]] constexpr std::uint64_t size() const noexcept { return size_bytes_; }

  /// Gives the bytes in use.
  [[nodiscard]] constexpr byte_view written() const noexcept { return room_.first(size_bytes_); }

  /// Adds bytes at the end. Errors: errc::sink_full.
  constexpr failure write(byte_view bytes) noexcept { return write_at(size_bytes_, bytes); }

  /// Adds n zero bytes at the end. Errors: errc::sink_full.
  constexpr failure skip(std::uint64_t n) noexcept {
    std::uint64_t wanted = 0;
    if (!failed_ && !checked_add(size_bytes_, n, wanted)) return fail(errc::sink_full, size_bytes_);
    return failed_ ? failed_ : resize(wanted);
  }

  /// Writes at an offset up to size(), past which the bytes in use grow.
  /// Errors: errc::out_of_range, errc::sink_full.
  constexpr failure write_at(std::uint64_t offset, byte_view bytes) noexcept {
    if (failed_) return failed_;
    if (offset > size_bytes_) return fail(errc::out_of_range, offset);
    if (!fits_inside(offset, bytes.size(), room_.size())) return fail(errc::sink_full, offset);
    const auto at = static_cast<std::size_t>(offset);
    copy_bytes(room_.data() + at, bytes.data(), bytes.size());
    size_bytes_ = larger_of(size_bytes_, at + bytes.size());
    return no_failure;
  }

  /// Cuts, or adds zero bytes. Errors: errc::sink_full.
  constexpr failure resize(std::uint64_t size_bytes) noexcept {
    if (failed_) return failed_;
    if (size_bytes > room_.size()) return fail(errc::sink_full, size_bytes_);
    const auto wanted = static_cast<std::size_t>(size_bytes);
    if (wanted > size_bytes_) zero_bytes(room_.data() + size_bytes_, wanted - size_bytes_);
    size_bytes_ = wanted;
    return no_failure;
  }

 private:
  constexpr failure fail(errc code, std::uint64_t offset) noexcept {
    failed_ = sink_failure(code, offset);
    return failed_;
  }

  byte_span room_{};
  std::size_t size_bytes_ = 0;
  failure failed_{};
};

/// Reads and writes memory of the caller in place. Storage, HoleSink and MappedSource. Writing is
/// as in memory_sink; a failed write does not stop reading.
class memory_storage : public memory_sink {
 public:
  using memory_sink::memory_sink;

  /// Copies bytes out. Errors: errc::out_of_range.
  constexpr failure read_at(std::uint64_t offset, byte_span out) const noexcept {
    return memory_source(written()).read_at(offset, out);
  }

  /// Gives n bytes in place; none at all when they do not lie inside size().
  [[nodiscard]] constexpr byte_view view(std::uint64_t offset, std::size_t n) const noexcept {
    return memory_source(written()).view(offset, n);
  }

  /// Does nothing: memory keeps the order of writes.
  constexpr failure flush() noexcept { return no_failure; }
};

static_assert(MappedSource<memory_source>);
static_assert(SeekableSink<memory_sink> && HoleSink<memory_sink>);
static_assert(Storage<memory_storage> && HoleSink<memory_storage> && MappedSource<memory_storage>);

}  // namespace vmdk

// ---- vmdk/io/next_data.hpp

namespace vmdk {

/// Finds the first range at or after an offset that may hold something else than zeros, in any
/// Source: one that does not know its holes is data to its end. A length of 0, at size(), when only
/// zeros are left. Errors: errc::out_of_range past size(); those of the source's `next_data`.
template <Source S>
[[nodiscard]] constexpr result<range> next_data_of(S& source, std::uint64_t offset) noexcept {
  if constexpr (SparseSource<S>) {
    return source.next_data(offset);
  } else {
    const std::uint64_t size_bytes = source.size();
    if (offset > size_bytes) return source_failure(errc::out_of_range, offset);
    return range{offset, size_bytes - offset};
  }
}

}  // namespace vmdk

// ---- vmdk/constant/content.hpp

// What a compiler grants it grants to each constant: so a disk becomes an image in several
// constants, each of which is made of the one before.

namespace vmdk::detail {

/// The content of a disk, as the caller's lambda gives it.
template <class Content>
inline constexpr auto constant_content = Content{}();

template <class T>
inline constexpr std::size_t bytes_of_array = 0;
template <class Byte, std::size_t N>
  requires(sizeof(Byte) == 1)
inline constexpr std::size_t bytes_of_array<std::array<Byte, N>> = N;

template <std::size_t N>
struct byte_array {
  std::byte bytes[N];
};

/// An array's bytes as std::byte.
template <class Content>
[[nodiscard]] consteval auto bytes_of_content() {
  constexpr std::size_t n = bytes_of_array<decltype(Content{}())>;
  byte_array<n> to{};
  const auto* const from = constant_content<Content>.data();
  for (std::size_t i = 0; i < n; ++i) {
    to.bytes[i] = static_cast<std::byte>(static_cast<unsigned char>(from[i]));
  }
  return to;
}

template <class Content>
inline constexpr auto constant_bytes = bytes_of_content<Content>();

template <class Content>
concept ConstantContent =
    bytes_of_array<decltype(Content{}())> != 0 || Source<decltype(Content{}())>;

/// The disk as a Source of its own.
template <ConstantContent Content>
[[nodiscard]] consteval auto constant_disk() {
  if constexpr (bytes_of_array<decltype(Content{}())> != 0) {
    return memory_source(byte_view(constant_bytes<Content>.bytes));
  } else {
    return constant_content<Content>;
  }
}

/// The most bytes of one grain of a disk that are not known to be zeros.
template <ConstantContent Content>
[[nodiscard]] consteval std::uint64_t most_data_in_a_grain(std::uint64_t grain_bytes) {
  constexpr std::uint64_t array_bytes = bytes_of_array<decltype(Content{}())>;
  if (array_bytes != 0) return smaller_of(array_bytes, grain_bytes);
  auto disk = constant_disk<Content>();
  std::uint64_t most = 0, in_grain = 0, grain = 0;
  for (std::uint64_t at = 0; at < disk.size();) {
    const range data = next_data_of(disk, at).value();
    if (data.bytes == 0) break;
    for (at = data.offset; at < data.end() && most < grain_bytes;) {
      if (at / grain_bytes != grain) in_grain = 0, grain = at / grain_bytes;
      const std::uint64_t end = smaller_of(data.end(), (grain + 1) * grain_bytes);
      in_grain += end - at;
      most = larger_of(most, in_grain);
      at = end;
    }
    at = data.end();
  }
  return most;
}

}  // namespace vmdk::detail

// ---- vmdk/format/marker.hpp

namespace vmdk {

/// What a marker without data announces (SPEC 5).
enum class marker_type : std::uint32_t {
  end_of_stream = 0,
  grain_table = 1,
  grain_directory = 2,
  footer = 3,
  progress = 4,  ///< Seen in exports of vSphere; carries nothing that a reader needs.
};

/// The start of a sector of a stream: a grain's marker, whose data follows at once, when `size` is
/// not 0; else a marker whose sector is filled with zeros (SPEC 5).
struct stream_marker {
  le<std::uint64_t> value{};  ///< Grain: its first sector on the disk. Else: sectors that follow.
  le<std::uint32_t> size{};   ///< Grain: bytes of compressed data. Else: 0.
  le<std::uint32_t> type{};   ///< Not part of a grain's marker, whose data begins here.

  [[nodiscard]] constexpr bool is_grain() const noexcept { return size != 0; }
  [[nodiscard]] constexpr bool is(marker_type wanted) const noexcept {
    return size == 0 && type == static_cast<std::uint32_t>(wanted);
  }
};

static_assert(sizeof(stream_marker) == 16 && alignof(stream_marker) == 1);
static_assert(offsetof(stream_marker, size) == 8 && offsetof(stream_marker, type) == 12);

/// Bytes of a grain's marker before its data.
inline constexpr std::uint32_t grain_marker_bytes = 12;

/// How far a compressed grain may be larger than the grain itself; some readers' buffers end there
/// (SPEC 5).
inline constexpr std::uint32_t compressed_grain_slack_bytes = 500;

/// The marker that these 16 bytes are. Nothing is checked.
[[nodiscard]] constexpr stream_marker decode_marker(const std::byte* bytes) noexcept {
  return {.value = load_le<std::uint64_t>(bytes),
          .size = load_le<std::uint32_t>(bytes + offsetof(stream_marker, size)),
          .type = load_le<std::uint32_t>(bytes + offsetof(stream_marker, type))};
}

/// Makes a sector of a marker without data, whose rest is zeros. `sector` is sector_bytes long.
constexpr void encode_marker(marker_type type, std::uint64_t following_sectors,
                             std::byte* sector) noexcept {
  zero_bytes(sector, sector_bytes);
  store_le(sector, following_sectors);
  store_le(sector + offsetof(stream_marker, type), static_cast<std::uint32_t>(type));
}

}  // namespace vmdk

// ---- vmdk/format/sparse_header.hpp

namespace vmdk {

inline constexpr std::uint32_t sparse_magic = 0x564D444B;             ///< "KDMV"
inline constexpr std::uint32_t sparse_magic_unfinished = 0x766D646B;  ///< "kdmv"

/// The gd_offset of a stream whose tables are behind its grains: look in the footer (SPEC 5).
inline constexpr std::uint64_t directory_at_end = 0xFFFFFFFFFFFFFFFF;

/// Flags of a sparse extent header (SPEC 2). The low half is compatible: readers may ignore a bit
/// there that they do not know. The high half is not.
namespace sparse_flags {
inline constexpr std::uint32_t newline_bytes_valid = 1u << 0;
inline constexpr std::uint32_t redundant_tables = 1u << 1;
inline constexpr std::uint32_t zeroed_grains = 1u << 2;
inline constexpr std::uint32_t compressed = 1u << 16;
inline constexpr std::uint32_t markers = 1u << 17;
inline constexpr std::uint32_t incompatible_unknown = 0xFFFC0000u;
}  // namespace sparse_flags

/// The first sector of a sparse extent, byte for byte (SPEC 2). Members have the technote's names
/// in snake_case; offsets and sizes are in sectors. It is packed because its members are bytes.
struct sparse_extent_header {
  le<std::uint32_t> magic_number{sparse_magic};
  le<std::uint32_t> version{1u};
  le<std::uint32_t> flags{};
  le<std::uint64_t> capacity{};
  le<std::uint64_t> grain_size{};
  le<std::uint64_t> descriptor_offset{};
  le<std::uint64_t> descriptor_size{};
  le<std::uint32_t> num_gtes_per_gt{entries_per_table};
  le<std::uint64_t> rgd_offset{};
  le<std::uint64_t> gd_offset{};
  le<std::uint64_t> over_head{};
  std::uint8_t unclean_shutdown = 0;
  std::uint8_t single_end_line_char = 0x0A;
  std::uint8_t non_end_line_char = 0x20;
  std::uint8_t double_end_line_char1 = 0x0D;
  std::uint8_t double_end_line_char2 = 0x0A;
  le<std::uint16_t> compress_algorithm{};
  std::array<std::byte, 433> pad{};

  [[nodiscard]] constexpr bool has(std::uint32_t flag) const noexcept {
    return (flags.get() & flag) != 0;
  }
  [[nodiscard]] constexpr bool is_compressed() const noexcept {
    return has(sparse_flags::compressed);
  }
  [[nodiscard]] constexpr bool has_tables_at_end() const noexcept {
    return gd_offset.get() == directory_at_end;
  }
};

static_assert(sizeof(sparse_extent_header) == sector_bytes);
static_assert(alignof(sparse_extent_header) == 1);
static_assert(std::is_trivially_copyable_v<sparse_extent_header>);
static_assert(offsetof(sparse_extent_header, magic_number) == 0);
static_assert(offsetof(sparse_extent_header, version) == 4);
static_assert(offsetof(sparse_extent_header, flags) == 8);
static_assert(offsetof(sparse_extent_header, capacity) == 12);
static_assert(offsetof(sparse_extent_header, grain_size) == 20);
static_assert(offsetof(sparse_extent_header, descriptor_offset) == 28);
static_assert(offsetof(sparse_extent_header, descriptor_size) == 36);
static_assert(offsetof(sparse_extent_header, num_gtes_per_gt) == 44);
static_assert(offsetof(sparse_extent_header, rgd_offset) == 48);
static_assert(offsetof(sparse_extent_header, gd_offset) == 56);
static_assert(offsetof(sparse_extent_header, over_head) == 64);
static_assert(offsetof(sparse_extent_header, unclean_shutdown) == 72);
static_assert(offsetof(sparse_extent_header, single_end_line_char) == 73);
static_assert(offsetof(sparse_extent_header, non_end_line_char) == 74);
static_assert(offsetof(sparse_extent_header, double_end_line_char1) == 75);
static_assert(offsetof(sparse_extent_header, double_end_line_char2) == 76);
static_assert(offsetof(sparse_extent_header, compress_algorithm) == 77);
static_assert(offsetof(sparse_extent_header, pad) == 79);

using sector_image = std::array<std::byte, sector_bytes>;

/// The header's bytes as they stand on disk.
[[nodiscard]] constexpr sector_image encode(const sparse_extent_header& header) noexcept {
  return std::bit_cast<sector_image>(header);
}

/// As above, into memory of the caller: at run time straight from one to the other, as a small
/// machine's stack has no room for a third copy.
constexpr void encode(const sparse_extent_header& header, std::byte* to) noexcept {
  if (std::is_constant_evaluated()) {
    const sector_image bytes = encode(header);
    copy_bytes(to, bytes.data(), bytes.size());
  } else {
    __builtin_memcpy(to, &header, sector_bytes);
  }
}

/// The header that these bytes are. Nothing is checked: see sparse_header_check.hpp.
[[nodiscard]] constexpr sparse_extent_header decode_sparse_header(
    const sector_image& bytes) noexcept {
  return std::bit_cast<sparse_extent_header>(bytes);
}

/// As above, straight into its place.
constexpr void decode_sparse_header(const sector_image& bytes,
                                    sparse_extent_header& header) noexcept {
  if (std::is_constant_evaluated()) {
    header = decode_sparse_header(bytes);
  } else {
    __builtin_memcpy(&header, bytes.data(), sector_bytes);
  }
}

/// Returns what `use(header)` does of the header that these bytes are: at run time without a copy,
/// for which a small machine's stack has no room.
template <class Use>
constexpr auto with_sparse_header(const sector_image& bytes, Use&& use) noexcept {
  if (std::is_constant_evaluated()) return use(decode_sparse_header(bytes));
  // An array of bytes is room for the objects that its bytes make.
  const auto* const header = reinterpret_cast<const sparse_extent_header*>(bytes.data());
  return use(*__builtin_launder(header));
}

/// The header in the first 512 of these bytes.
[[nodiscard]] constexpr sparse_extent_header decode_sparse_header(const std::byte* bytes) noexcept {
  sector_image copy{};
  copy_bytes(copy.data(), bytes, copy.size());
  return decode_sparse_header(copy);
}

}  // namespace vmdk

// ---- vmdk/format/severity.hpp

namespace vmdk {

/// How bad it is that an image breaks a rule (SPEC 13).
enum class severity : std::uint8_t {
  note,     ///< Worth knowing; every reader opens the image.
  warning,  ///< No good writer makes this; strict readers refuse it.
  unclean,  ///< The last writer did not finish; the content may be old.
  error,    ///< Wrong data or unbounded work may follow; refused.
};

/// The word for a severity, to stand before a finding's sentence.
[[nodiscard]] constexpr std::string_view to_string(severity level) noexcept {
  using namespace std::string_view_literals;
  switch (level) {
    case severity::note:
      return "note"sv;
    case severity::warning:
      return "warning"sv;
    case severity::unclean:
      return "unclean"sv;
    case severity::error:
      return "error"sv;
  }
  return "unknown"sv;
}

/// How strict a reader is.
enum class strictness : std::uint8_t {
  tolerant,  ///< Refuses errors alone.
  strict,    ///< Refuses warnings and unclean images too.
};

/// The severity of breaking the rule that a code stands for; the one table of SPEC 13.
[[nodiscard]] constexpr severity severity_of(errc code) noexcept {
  switch (code) {
    case errc::grain_size_unusual:
    case errc::redundant_shared:
    case errc::overhead_too_small:
    case errc::header_padding_not_zero:
    case errc::zeroed_grains_need_version_2:
    case errc::capacity_not_whole_grains:
    case errc::grain_unaligned:
    case errc::table_tail_not_zero:
    case errc::directory_tail_not_zero:
    case errc::marker_lba_not_ascending:
    case errc::stream_gap:
    case errc::last_grain_short:
    case errc::marker_padding_not_zero:
    case errc::descriptor_signature_missing:
    case errc::descriptor_padding_not_zero:
    case errc::descriptor_line_end_unusual:
    case errc::descriptor_blanks_unusual:
    case errc::descriptor_not_utf8:
    case errc::descriptor_encoding_unknown:
    case errc::descriptor_key_unknown:
    case errc::descriptor_value_unquoted:
    case errc::descriptor_value_case:
    case errc::descriptor_version_missing:
    case errc::descriptor_cid_reserved:
    case errc::descriptor_cid_order:
    case errc::descriptor_parent_cid_missing:
    case errc::descriptor_parent_hint_missing:
    case errc::descriptor_create_type_unknown:
    case errc::descriptor_create_type_misplaced:
    case errc::descriptor_create_type_mismatch:
    case errc::descriptor_extent_extra:
    case errc::descriptor_extent_offset_unusual:
    case errc::descriptor_extent_name_unusual:
    case errc::descriptor_ddb_missing:
    case errc::descriptor_ddb_prefix_missing:
    case errc::descriptor_ddb_value_invalid:
    case errc::descriptor_compression_mismatch:
    case errc::cowd_free_sector_invalid:
    case errc::cowd_zeroed_grain:
    case errc::sesparse_reserved_unusual:
    case errc::sesparse_grains_outside_file:
      return severity::warning;
    case errc::grain_size_large:
    case errc::stream_end_missing:
    case errc::stream_end_padded:
    case errc::extent_no_access:
    case errc::extent_rounded_up:
      return severity::note;
    case errc::unclean_shutdown:
      return severity::unclean;
    default:
      return severity::error;
  }
}

/// True when a reader of this strictness goes on although the rule is broken.
[[nodiscard]] constexpr bool accepts(strictness mode, errc code) noexcept {
  const severity s = severity_of(code);
  if (mode == strictness::tolerant) return s != severity::error;
  return s == severity::note;
}

/// A finding callback that keeps the first failure which a reader of this strictness refuses.
/// Checks call `report(code, offset)` and stop when it returns false.
class first_refusal {
 public:
  constexpr explicit first_refusal(strictness mode) noexcept : mode_(mode) {}

  constexpr bool operator()(errc code, std::uint64_t offset) noexcept {
    if (accepts(mode_, code)) return true;
    if (!why_) why_ = image_failure(code, offset);
    return false;
  }

  [[nodiscard]] constexpr failure why() const noexcept { return why_; }

 private:
  strictness mode_;
  failure why_{};
};

}  // namespace vmdk

// ---- vmdk/format/sparse_header_check.hpp

namespace vmdk {

/// The largest embedded descriptor that is read, in sectors (SPEC 13.1).
inline constexpr std::uint64_t embedded_descriptor_limit_sectors = 2048;

namespace detail {

/// Where a directory may lie: behind the header, inside the file, apart from the descriptor.
enum class directory_place : std::uint8_t { good, outside, overlapping };

[[nodiscard]] constexpr directory_place place_directory(const sparse_extent_header& h,
                                                        std::uint64_t first_sector,
                                                        std::uint64_t sectors,
                                                        std::uint64_t file_sectors) noexcept {
  if (first_sector == 0 || !fits_inside(first_sector, sectors, file_sectors)) {
    return directory_place::outside;
  }
  const std::uint64_t descriptor = h.descriptor_offset;
  const bool apart = descriptor == 0 || first_sector >= descriptor + h.descriptor_size ||
                     first_sector + sectors <= descriptor;
  return apart ? directory_place::good : directory_place::overlapping;
}

}  // namespace detail

/// Checks a sparse extent header against every rule of SPEC 13.1, without reading anything else.
///
/// Calls `report(code, byte offset of the field)` for each broken rule; `report` returns false to
/// stop. Returns true when the checks that later steps rely on all held (magic, version, flags,
/// capacity, grain, entries, places), so that the header's figures can be used.
/// file_bytes is the size of the extent's file. A footer is checked by the same rules; header_at is
/// where it stands, and added to the offsets.
template <class Report>
constexpr bool check_sparse_header(const sparse_extent_header& h, std::uint64_t file_bytes,
                                   Report&& report, std::uint64_t header_at = 0) noexcept {
  bool usable = true;
  bool go_on = true;
  const auto broken = [&](errc code, std::size_t offset) {
    if (severity_of(code) == severity::error) usable = false;
    if (go_on) go_on = report(code, header_at + offset);
  };
  using header = sparse_extent_header;

  if (file_bytes < sector_bytes) {
    broken(errc::header_truncated, 0);
    return false;
  }
  if (h.magic_number != sparse_magic) {
    broken(h.magic_number == sparse_magic_unfinished ? errc::magic_unfinished : errc::magic_invalid,
           offsetof(header, magic_number));
    return false;
  }
  if (h.has(sparse_flags::newline_bytes_valid) &&
      (h.single_end_line_char != 0x0A || h.non_end_line_char != 0x20 ||
       h.double_end_line_char1 != 0x0D || h.double_end_line_char2 != 0x0A)) {
    broken(errc::newline_bytes_damaged, offsetof(header, single_end_line_char));
  }
  if (h.version == 0 || h.version > 3) {
    broken(errc::version_unsupported, offsetof(header, version));
  }
  if (h.version == 1 && h.has(sparse_flags::zeroed_grains)) {
    broken(errc::zeroed_grains_need_version_2, offsetof(header, flags));
  }
  if (h.has(sparse_flags::incompatible_unknown)) {
    broken(errc::flags_unknown, offsetof(header, flags));
  }
  if (h.has(sparse_flags::markers) && !h.is_compressed()) {
    broken(errc::markers_without_compression, offsetof(header, flags));
  }
  if (h.is_compressed() && !h.has(sparse_flags::markers)) {
    broken(errc::compression_without_markers, offsetof(header, flags));
  }
  if (h.compress_algorithm != (h.is_compressed() ? 1 : 0)) {
    broken(errc::compression_algorithm_invalid, offsetof(header, compress_algorithm));
  }
  if (h.num_gtes_per_gt != entries_per_table) {
    broken(errc::entries_per_table_invalid, offsetof(header, num_gtes_per_gt));
  }
  if (h.unclean_shutdown != 0) {
    broken(errc::unclean_shutdown, offsetof(header, unclean_shutdown));
  }
  if (!is_zero(h.pad.data(), h.pad.size())) {
    broken(errc::header_padding_not_zero, offsetof(header, pad));
  }

  const std::uint64_t file_sectors = file_bytes >> sector_shift;
  if (h.descriptor_offset != 0) {
    if (h.descriptor_size == 0 || h.descriptor_size > embedded_descriptor_limit_sectors) {
      broken(errc::descriptor_size_invalid, offsetof(header, descriptor_size));
    } else if (!fits_inside(h.descriptor_offset, h.descriptor_size, file_sectors)) {
      broken(errc::descriptor_offset_invalid, offsetof(header, descriptor_offset));
    }
  }
  // With tables at the end the footer repeats this figure: a cut file is told by its missing
  // footer.
  if (!h.has_tables_at_end() && h.over_head > ceil_shift(file_bytes, sector_shift)) {
    broken(errc::overhead_outside_file, offsetof(header, over_head));
  }

  if (!is_power_of_two(h.grain_size)) {
    broken(errc::grain_size_invalid, offsetof(header, grain_size));
  } else if (h.grain_size > (h.is_compressed() ? largest_compressed_grain_sectors
                                               : largest_readable_grain_sectors)) {
    broken(errc::grain_size_too_large, offsetof(header, grain_size));
  } else if (h.grain_size < smallest_writable_grain_sectors ||
             h.grain_size > largest_writable_grain_sectors) {
    broken(errc::grain_size_unusual, offsetof(header, grain_size));
  } else if (h.grain_size > 128) {
    broken(errc::grain_size_large, offsetof(header, grain_size));
  }
  if (h.capacity == 0) {
    broken(errc::capacity_zero, offsetof(header, capacity));
  } else if (h.capacity > capacity_limit_sectors) {
    broken(errc::capacity_too_large, offsetof(header, capacity));
  }
  // The directory's size and place can be judged only when capacity, grain and descriptor are sane.
  if (!usable) return false;
  const sparse_geometry geometry(h.capacity, h.grain_size);
  if (geometry.table_count() > table_count_limit) {
    broken(errc::capacity_too_large, offsetof(header, capacity));
    return false;
  }

  if ((h.capacity & (h.grain_size - 1)) != 0) {
    broken(errc::capacity_not_whole_grains, offsetof(header, capacity));
  }
  const std::uint64_t directory_sectors = geometry.directory_sectors();
  bool inside = false;  // The primary directory.
  if (!h.has_tables_at_end()) {
    const auto place = detail::place_directory(h, h.gd_offset, directory_sectors, file_sectors);
    inside = place != detail::directory_place::outside;
    if (place == detail::directory_place::outside) {
      broken(errc::directory_offset_invalid, offsetof(header, gd_offset));
    } else if (place == detail::directory_place::overlapping) {
      broken(errc::directory_overlap, offsetof(header, gd_offset));
    } else if (!h.is_compressed() && h.over_head < h.gd_offset + directory_sectors) {
      broken(errc::overhead_too_small, offsetof(header, over_head));
    }
  }
  if (h.has(sparse_flags::redundant_tables) && (!h.has_tables_at_end() || h.rgd_offset != 0)) {
    const auto place = detail::place_directory(h, h.rgd_offset, directory_sectors, file_sectors);
    if (place == detail::directory_place::outside) {
      broken(errc::redundant_offset_invalid, offsetof(header, rgd_offset));
    } else if (h.rgd_offset == h.gd_offset) {
      broken(errc::redundant_shared, offsetof(header, rgd_offset));
    } else if (place == detail::directory_place::overlapping ||
               (inside && h.rgd_offset < h.gd_offset + directory_sectors &&
                h.gd_offset < h.rgd_offset + directory_sectors)) {
      broken(errc::redundant_overlap, offsetof(header, rgd_offset));
    }
  }
  return usable;
}

/// Checks a header as a reader does. Errors: the first rule of SPEC 13.1 that this strictness
/// refuses, of origin image, with the offset in the file.
[[nodiscard]] constexpr failure validate(const sparse_extent_header& header,
                                         std::uint64_t file_bytes, strictness mode) noexcept {
  first_refusal refusal(mode);
  check_sparse_header(header, file_bytes, refusal);
  return refusal.why();
}

}  // namespace vmdk

// ---- vmdk/format/footer_check.hpp

namespace vmdk {

/// The end of a stream: footer marker, footer, end-of-stream marker (SPEC 5).
inline constexpr std::uint32_t stream_tail_bytes = 3 * sector_bytes;

namespace detail {

/// What of a header its footer repeats.
struct repeated_field {
  std::uint8_t offset;
  std::uint8_t bytes;
};
inline constexpr repeated_field repeated_fields[] = {
    {offsetof(sparse_extent_header, version), 4},
    {offsetof(sparse_extent_header, flags), 4},
    {offsetof(sparse_extent_header, capacity), 8},
    {offsetof(sparse_extent_header, grain_size), 8},
    {offsetof(sparse_extent_header, descriptor_offset), 8},
    {offsetof(sparse_extent_header, descriptor_size), 8},
    {offsetof(sparse_extent_header, num_gtes_per_gt), 4},
    {offsetof(sparse_extent_header, over_head), 8},
    {offsetof(sparse_extent_header, compress_algorithm), 2},
};

}  // namespace detail

/// Checks that a footer agrees with its header in everything but the place of the directory.
/// `report` is called as by check_sparse_header; footer_at is added to the offsets.
template <class Report>
constexpr void check_footer_agrees(const sparse_extent_header& header,
                                   const sparse_extent_header& footer, Report&& report,
                                   std::uint64_t footer_at = 0) noexcept {
  const auto compare = [&](const std::byte* one, const std::byte* other) {
    for (const auto [offset, bytes] : detail::repeated_fields) {
      if (!equal_bytes(one + offset, other + offset, bytes) &&
          !report(errc::footer_mismatch, footer_at + offset)) {
        return;
      }
    }
  };
  if (std::is_constant_evaluated()) {
    const sector_image one = encode(header), other = encode(footer);
    compare(one.data(), other.data());
  } else {
    compare(reinterpret_cast<const std::byte*>(&header),
            reinterpret_cast<const std::byte*>(&footer));
  }
}

}  // namespace vmdk

// ---- vmdk/layout/extent_head.hpp

namespace vmdk {

/// What the layouts of all hosted sparse extents share: the disk in grains and tables, and the
/// header and descriptor in front of them. Source: SPEC 2, 3.
class extent_head {
 public:
  constexpr extent_head() noexcept = default;

  [[nodiscard]] constexpr const sparse_geometry& geometry() const noexcept { return geometry_; }
  [[nodiscard]] constexpr std::uint64_t capacity_sectors() const noexcept {
    return geometry_.capacity_sectors();
  }
  [[nodiscard]] constexpr std::uint64_t capacity_bytes() const noexcept {
    return geometry_.capacity_bytes();
  }
  [[nodiscard]] constexpr std::uint32_t grain_sectors() const noexcept {
    return geometry_.grain_sectors();
  }
  [[nodiscard]] constexpr std::uint64_t grain_count() const noexcept {
    return geometry_.grain_count();
  }
  [[nodiscard]] constexpr std::uint64_t table_count() const noexcept {
    return geometry_.table_count();
  }

  [[nodiscard]] constexpr region header() const noexcept { return {0, 1}; }
  [[nodiscard]] constexpr region descriptor() const noexcept { return {1, descriptor_sectors_}; }

 protected:
  /// Computes what hangs on size and grain alone.
  /// Errors, all with origin options: errc::grain_size_invalid (detail: the grain's sectors);
  /// errc::capacity_zero; errc::capacity_too_large for more than 2^25 tables, which no reader
  /// takes.
  template <class Options>
  [[nodiscard]] static constexpr result<extent_head> make(std::uint64_t disk_bytes,
                                                          const Options& options) noexcept {
    if (failure f = detail::check_grain(options.grain_sectors)) return f;
    const auto capacity = capacity_for(disk_bytes, options.grain_sectors, options.capacity);
    if (!capacity) return capacity.error();
    extent_head head;
    head.geometry_ = sparse_geometry(*capacity, options.grain_sectors);
    if (head.table_count() > table_count_limit) return options_failure(errc::capacity_too_large);
    head.descriptor_sectors_ = options.descriptor_sectors;
    return head;
  }

 private:
  sparse_geometry geometry_{};
  std::uint32_t descriptor_sectors_ = usual_descriptor_sectors;
};

}  // namespace vmdk

// ---- vmdk/layout/stream.hpp

namespace vmdk {

/// What the places in a streamOptimized file hang on besides the disk (SPEC 5).
struct stream_layout_options {
  std::uint32_t grain_sectors = 128;  ///< A type without dynamic_grain has its own.
  std::uint32_t descriptor_sectors = usual_descriptor_sectors;
  capacity_rule capacity = capacity_rule::whole_grains;
  tables table_place = tables::at_end;
};

/// Where everything in a streamOptimized file goes, as far as it does not hang on how well the
/// grains compress: arithmetic only, for any grain size.
///
/// at_end:   header | descriptor | padding | grains of a table, marker, table | ... |
///           marker, directory | marker, footer | end of stream.
/// in_front: header | descriptor | directory | tables | grains | end of stream.
/// All sector numbers are from the start of the file. Source: SPEC 5, 12.
class stream_layout : public extent_head {
 public:
  constexpr stream_layout() noexcept = default;

  /// Lays out a disk of so many bytes, rounded up as `options.capacity` says.
  /// Errors, all with origin options: errc::grain_size_invalid (detail: the grain's sectors);
  /// errc::capacity_zero; errc::capacity_too_large for more than 2^25 tables, or when descriptor
  /// and tables in front would pass sector 2^32. Source: SPEC 5, 12.
  [[nodiscard]] static constexpr result<stream_layout> for_capacity(
      std::uint64_t disk_bytes, const stream_layout_options& options = {}) noexcept {
    const auto head = make(disk_bytes, options);
    if (!head) return head.error();
    const stream_layout plan(*head, options.table_place);
    if (plan.overhead_sectors() > sector_number_limit) {
      return options_failure(errc::capacity_too_large);
    }
    return plan;
  }

  [[nodiscard]] constexpr vmdk::tables table_place() const noexcept { return table_place_; }
  [[nodiscard]] constexpr bool has_tables_at_end() const noexcept {
    return table_place_ == vmdk::tables::at_end;
  }

  /// The directory and the tables in front; empty when they are at the end, where their places
  /// follow from the grains (see stream_size).
  [[nodiscard]] constexpr region directory() const noexcept {
    return {descriptor().end_sector(), has_tables_at_end() ? 0 : geometry().directory_sectors()};
  }
  [[nodiscard]] constexpr region tables() const noexcept {
    return {directory().end_sector(), has_tables_at_end() ? 0 : table_count() * table_sectors};
  }

  /// The directory entry of a table in front. There is one for each table, also for those of
  /// zeros: readers of such files compute the places and ignore the directory (SPEC 3).
  [[nodiscard]] constexpr std::uint32_t table_sector(std::uint64_t table) const noexcept {
    return static_cast<std::uint32_t>(tables().first_sector + table * table_sectors);
  }

  /// Sectors before the first grain. With tables at the end the first grain starts on a grain
  /// boundary as in every sparse file, which is sector 128 for the usual grain, as every such
  /// writer has it; with tables in front grains follow at once, as VMware's own writer has it.
  [[nodiscard]] constexpr std::uint64_t overhead_sectors() const noexcept {
    const std::uint64_t end = tables().end_sector();
    return has_tables_at_end() ? align_up(end, grain_sectors()) : end;
  }
  [[nodiscard]] constexpr std::uint64_t overhead_bytes() const noexcept {
    return overhead_sectors() << sector_shift;
  }

  /// The most bytes that the compressed data of one grain may have: what every reader takes.
  [[nodiscard]] constexpr std::uint32_t compressed_limit_bytes() const noexcept {
    return geometry().grain_bytes() + compressed_grain_slack_bytes;
  }

  /// The sectors of a grain's marker, its compressed data and their padding.
  [[nodiscard]] static constexpr std::uint64_t packed_sectors(
      std::uint64_t compressed_bytes) noexcept {
    return ceil_shift(compressed_bytes + grain_marker_bytes, sector_shift);
  }

  /// The memory that a grain takes on its way into the stream, at the most.
  [[nodiscard]] constexpr std::uint32_t packed_limit_bytes() const noexcept {
    return compressed_limit_bytes() + grain_marker_bytes;
  }

  /// The memory that the directory takes while the stream is written.
  [[nodiscard]] constexpr std::uint64_t directory_memory_bytes() const noexcept {
    return has_tables_at_end() ? geometry().directory_sectors() << sector_shift : 0;
  }

  /// What follows the last grain and its table.
  [[nodiscard]] constexpr std::uint64_t tail_sectors() const noexcept {
    if (!has_tables_at_end()) return 1;
    return 1 + geometry().directory_sectors() + (stream_tail_bytes >> sector_shift);
  }

  /// The size of the file of an empty disk.
  [[nodiscard]] constexpr std::uint64_t min_file_bytes() const noexcept {
    return (overhead_sectors() + tail_sectors()) << sector_shift;
  }

  /// The size that no file of this disk passes, when no grain becomes larger than the encoder's
  /// bound for a grain. Errors, with origin options: errc::extent_too_large when such a file would
  /// have a grain or a table at or behind sector 2^32; the disk can be written all the same if it
  /// compresses well.
  [[nodiscard]] constexpr result<std::uint64_t> max_file_bytes(
      std::uint64_t encoder_bound_bytes) const noexcept {
    // Below 2^51 grains of at most 2^12 sectors: nothing wraps.
    const std::uint64_t each =
        packed_sectors(smaller_of<std::uint64_t>(encoder_bound_bytes, compressed_limit_bytes()));
    std::uint64_t end = overhead_sectors() + grain_count() * each;
    std::uint64_t last = end - each;
    if (has_tables_at_end()) {
      end += table_count() * (1 + table_sectors);
      last = end - table_sectors;
    }
    if (last >= sector_number_limit) return options_failure(errc::extent_too_large);
    return (end + tail_sectors()) << sector_shift;
  }

  /// The header of this file; or its footer, which alone has the place of a directory at the end.
  [[nodiscard]] constexpr sparse_extent_header make_header(
      std::uint64_t directory_sector) const noexcept {
    sparse_extent_header h{};
    h.version = 3u;
    h.flags = sparse_flags::newline_bytes_valid | sparse_flags::compressed | sparse_flags::markers;
    h.capacity = capacity_sectors();
    h.grain_size = std::uint64_t{grain_sectors()};
    h.descriptor_offset = std::uint64_t{1};
    h.descriptor_size = descriptor().sectors;
    h.gd_offset = directory_sector;
    h.over_head = overhead_sectors();
    h.compress_algorithm = std::uint16_t{1};
    return h;
  }
  [[nodiscard]] constexpr sparse_extent_header make_header() const noexcept {
    return make_header(has_tables_at_end() ? directory_at_end : directory().first_sector);
  }

 private:
  constexpr stream_layout(const extent_head& head, vmdk::tables table_place) noexcept
      : extent_head(head), table_place_(table_place) {}

  vmdk::tables table_place_ = vmdk::tables::at_end;
};

/// The layout of a streamOptimized file whose grain size is part of the type. A face over
/// stream_layout: the arithmetic is the same code.
template <std::uint32_t GrainSectors>
class layout<stream_optimized<GrainSectors>> : public stream_layout {
 public:
  constexpr layout() noexcept = default;
  constexpr explicit layout(const stream_layout& base) noexcept : stream_layout(base) {}

  /// As stream_layout::for_capacity, with the grain size of the type. Errors: those of it, but
  /// errc::grain_size_invalid with dynamic_grain alone.
  [[nodiscard]] static constexpr result<layout> for_capacity(
      std::uint64_t disk_bytes, stream_layout_options options = {}) noexcept {
    options.grain_sectors = detail::grain_of<stream_optimized<GrainSectors>>(options);
    const auto base = stream_layout::for_capacity(disk_bytes, options);
    if (!base) return base.error();
    return layout(*base);
  }
};

}  // namespace vmdk

// ---- vmdk/writer/grain_stream.hpp

namespace vmdk {

/// Walks a disk front to back in whole grains and passes over what the source knows to be holes.
/// Reads ascend and are as large as the buffer allows; a mapped source is not copied.
template <Source S>
class grain_stream {
 public:
  /// Neighbouring whole grains; none when nothing is left below the limit.
  struct chunk {
    std::uint64_t first_grain = 0;
    std::uint64_t grains = 0;
    const std::byte* bytes = nullptr;
  };

  /// The buffer holds at least one grain; source and buffer outlive the stream.
  constexpr grain_stream(S& source, const sparse_geometry& geometry, byte_span buffer) noexcept
      : source_(&source),
        grain_byte_shift_(geometry.grain_byte_shift()),
        source_bytes_(source.size()),
        buffer_(buffer) {}

  [[nodiscard]] constexpr unsigned grain_byte_shift() const noexcept { return grain_byte_shift_; }

  /// Gives the next grains below a limit that may hold data; they stay valid until the next call.
  /// Bytes past the end of the source are zeros. Errors: those of the source; the call may be
  /// repeated.
  [[nodiscard]] constexpr result<chunk> next(std::uint64_t limit_grain) noexcept {
    return next(limit_grain, buffer_);
  }

  /// As above, into another buffer of at least one grain.
  [[nodiscard]] constexpr result<chunk> next(std::uint64_t limit_grain, byte_span buffer) noexcept {
    auto found = peek(limit_grain);
    if (!found || found->grains == 0) return found;
    if constexpr (MappedSource<S>) {
      const std::uint64_t mapped = (source_bytes_ - at()) >> grain_byte_shift_;
      if (mapped != 0) {
        found->grains = smaller_of(found->grains, mapped);
        const auto wanted = static_cast<std::size_t>(found->grains << grain_byte_shift_);
        const byte_view there = source_->view(at(), wanted);
        if (there.size() == wanted) {
          found->bytes = there.data();
          return step(*found);
        }
        // A source that cannot show its bytes says why when it is to read them.
      }
    }
    found->grains = smaller_of<std::uint64_t>(found->grains, buffer.size() >> grain_byte_shift_);
    if (failure f = read(*source_, *found, buffer)) return f;
    found->bytes = buffer.data();
    return step(*found);
  }

  /// Gives at most so many of the next grains below a limit that may hold data, and passes over
  /// them without reading them. Errors: those of the source; the call may be repeated.
  [[nodiscard]] constexpr result<chunk> find(std::uint64_t limit_grain,
                                             std::uint64_t most_grains) noexcept {
    auto found = peek(limit_grain);
    if (!found) return found;
    found->grains = smaller_of(found->grains, most_grains);
    return step(*found);
  }

  /// Reads grains that were found, from this source or another one of the same disk, into a buffer
  /// that has room for them. Errors: those of the source.
  template <Source From>
  [[nodiscard]] constexpr failure read(From& source, const chunk& found,
                                       byte_span buffer) const noexcept {
    const std::uint64_t offset = found.first_grain << grain_byte_shift_;
    const auto wanted = static_cast<std::size_t>(found.grains << grain_byte_shift_);
    const auto there =
        static_cast<std::size_t>(smaller_of<std::uint64_t>(wanted, source_bytes_ - offset));
    if (failure f = source.read_at(offset, buffer.first(there))) return f;
    zero_bytes(buffer.data() + there, wanted - there);
    return no_failure;
  }

 private:
  [[nodiscard]] constexpr std::uint64_t at() const noexcept { return grain_ << grain_byte_shift_; }

  [[nodiscard]] constexpr chunk step(const chunk& found) noexcept {
    grain_ += found.grains;
    return found;
  }

  /// All of the next grains below a limit that may hold data.
  [[nodiscard]] constexpr result<chunk> peek(std::uint64_t limit_grain) noexcept {
    if (failure f = pass_over_hole()) return f;
    if (grain_ >= limit_grain || at() >= source_bytes_) return chunk{};
    const std::uint64_t data_grains = ceil_shift(data_.end() - at(), grain_byte_shift_);
    return chunk{.first_grain = grain_,
                 .grains = smaller_of(limit_grain - grain_, data_grains),
                 .bytes = nullptr};
  }

  /// Moves to the first grain at or behind the present one that holds data, or past the end.
  [[nodiscard]] constexpr failure pass_over_hole() noexcept {
    if (at() < data_.end() || at() >= source_bytes_) return no_failure;
    const auto found = next_data_of(*source_, at());
    if (!found) return found.error();
    data_ = *found;
    if (data_.bytes == 0)
      data_.offset = align_up(source_bytes_, std::uint64_t{1} << grain_byte_shift_);
    grain_ = larger_of(grain_, data_.offset >> grain_byte_shift_);
    return no_failure;
  }

  S* source_;
  unsigned grain_byte_shift_;
  std::uint64_t source_bytes_;
  byte_span buffer_;
  std::uint64_t grain_ = 0;
  range data_{};  ///< The source's data around the present grain.
};

/// Tells grains of zeros from others, and adds what it sees to a content id.
class grain_scanner {
 public:
  /// Without a hasher only zeros are looked for. `disk_offset` is where on the disk grain 0 lies, a
  /// multiple of 4 KiB; the hasher is the caller's.
  constexpr grain_scanner(const sparse_geometry& geometry, content_hasher* hasher,
                          std::uint64_t disk_offset = 0) noexcept
      : hasher_(hasher),
        first_block_(disk_offset >> block_shift),
        blocks_shift_(geometry.grain_byte_shift() - block_shift) {}

  /// True when the grain holds anything but zeros.
  [[nodiscard]] constexpr bool holds_data(const std::byte* grain,
                                          std::uint64_t grain_index) noexcept {
    const std::uint64_t blocks = std::uint64_t{1} << blocks_shift_;
    bool data = false;
    for (std::uint64_t i = 0; i < blocks; ++i) {
      const std::byte* block = grain + (i << block_shift);
      if (is_zero(block, content_hasher::block_bytes)) continue;
      data = true;
      if (hasher_ == nullptr) break;
      hasher_->add_data_block(block, first_block_ + (grain_index << blocks_shift_) + i);
    }
    return data;
  }

 private:
  static constexpr unsigned block_shift = log2_exact(content_hasher::block_bytes);

  content_hasher* hasher_;
  std::uint64_t first_block_;
  unsigned blocks_shift_;
};

namespace detail {

/// Makes sure that a source which knows where it must end ended there.
template <Source S>
[[nodiscard]] constexpr failure finish_source(S& source) noexcept {
  if constexpr (FinishingSource<S>) {
    return source.finish();
  } else {
    return no_failure;
  }
}

}  // namespace detail
}  // namespace vmdk

// ---- vmdk/writer/pack_grain.hpp

namespace vmdk {

/// Makes a record, which is a grain as it stands in a stream, of compressed data that lies in
/// `slot` behind room for its marker: puts the marker before it and zeros behind it. The slot has
/// packed_limit_bytes() of the layout, and the data at most compressed_limit_bytes().
constexpr byte_view seal_record(byte_span slot, const stream_layout& layout, std::uint64_t grain,
                                std::uint32_t compressed_bytes) noexcept {
  std::byte* const at = slot.data();
  const std::size_t used = grain_marker_bytes + std::size_t{compressed_bytes};
  const auto bytes =
      static_cast<std::size_t>(stream_layout::packed_sectors(compressed_bytes) << sector_shift);
  store_le(at, grain << layout.geometry().grain_shift());
  store_le(at + offsetof(stream_marker, size), compressed_bytes);
  zero_bytes(at + used, bytes - used);
  return {at, bytes};
}

/// Compresses a whole grain into a record. Where the encoder would make more of it than readers
/// take, the record holds the grain as it is, in an RFC 1950 stream of stored blocks.
///
/// The slot has packed_limit_bytes() of the layout; the record lies in it. Errors: those of the
/// encoder, with the offset on the disk; errc::codec_failed for an encoder that breaks its
/// contract.
template <Encoder E>
[[nodiscard]] constexpr result<byte_view> pack_grain(E& encoder, const stream_layout& layout,
                                                     std::uint64_t grain, const std::byte* bytes,
                                                     byte_span slot) noexcept {
  const byte_view in(bytes, layout.geometry().grain_bytes());
  const byte_span room = slot.subspan(grain_marker_bytes, layout.compressed_limit_bytes());
  result<std::size_t> compressed = encoder.encode(in, room);
  if (compressed.error().code == errc::encoded_too_large) compressed = stored{}.encode(in, room);

  const std::uint64_t disk_offset = grain << layout.geometry().grain_byte_shift();
  if (!compressed) {
    failure why = compressed.error();
    why.offset += disk_offset;
    return why;
  }
  if (*compressed == 0 || *compressed > room.size()) {
    return codec_failure(errc::codec_failed, disk_offset);
  }
  return seal_record(slot, layout, grain, static_cast<std::uint32_t>(*compressed));
}

}  // namespace vmdk

// ---- vmdk/format/encoding.hpp

namespace vmdk {

/// How the bytes of a descriptor's names are meant (SPEC 6).
enum class text_encoding : std::uint8_t {
  utf_8,  ///< Also where a descriptor says nothing.
  windows_1252,
  other,  ///< Big5, GBK, Shift_JIS ...: names stay the bytes they are.
};

inline constexpr detail::word<text_encoding> text_encoding_words[] = {
    {"UTF-8", text_encoding::utf_8},
    {"UTF8", text_encoding::utf_8},
    {"windows-1252", text_encoding::windows_1252},
};

/// The encoding that a descriptor's word for it means; UTF-8 for no word.
[[nodiscard]] constexpr text_encoding encoding_named(std::string_view word) noexcept {
  if (word.empty()) return text_encoding::utf_8;
  const auto match = detail::find_word(text_encoding_words, word);
  return match.found ? match.value : text_encoding::other;
}

namespace detail {

/// The length of the UTF-8 sequence at the start of a text; 0 when there is none, or an overlong
/// one, a surrogate or one past U+10FFFF.
[[nodiscard]] constexpr std::size_t utf8_sequence(std::string_view text) noexcept {
  const auto at = [text](std::size_t i) { return static_cast<unsigned char>(text.data()[i]); };
  const auto follows = [&](std::size_t i, unsigned low, unsigned high) {
    return i < text.size() && at(i) >= low && at(i) <= high;
  };
  const unsigned lead = at(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return follows(1, 0x80, 0xBF) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const unsigned low = lead == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = lead == 0xED ? 0x9F : 0xBF;
    return follows(1, low, high) && follows(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const unsigned low = lead == 0xF0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xF4 ? 0x8F : 0xBF;
    return follows(1, low, high) && follows(2, 0x80, 0xBF) && follows(3, 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

/// What 0x80 .. 0x9F mean in windows-1252; the five that mean nothing stay the control characters
/// that they are in Unicode, as browsers have it.
inline constexpr std::uint16_t windows_1252_high[32] = {
    0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178};

[[nodiscard]] constexpr std::uint16_t windows_1252_to_unicode(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 && byte < 0xA0 ? windows_1252_high[byte - 0x80] : byte;
}

}  // namespace detail

/// The offset of the first byte that is not part of well-formed UTF-8; the size when all are.
[[nodiscard]] constexpr std::size_t utf8_prefix_bytes(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t n = detail::utf8_sequence(detail::part(text, at));
    if (n == 0) break;
    at += n;
  }
  return at;
}

[[nodiscard]] constexpr bool is_utf8(std::string_view text) noexcept {
  return utf8_prefix_bytes(text) == text.size();
}

/// Gives a name of a descriptor in UTF-8. Only windows-1252 needs the caller's memory, three times
/// the name's bytes at most; names in UTF-8 and in encodings that are not known come back as they
/// are.
/// Errors: errc::workspace_too_small; detail: the bytes that are needed.
[[nodiscard]] constexpr result<std::string_view> name_to_utf8(std::string_view name,
                                                              text_encoding encoding,
                                                              std::span<char> memory) noexcept {
  if (encoding != text_encoding::windows_1252) return name;
  std::size_t size = 0;
  const auto put = [&size, memory](unsigned byte) {
    if (size < memory.size()) memory.data()[size] = static_cast<char>(byte);
    ++size;
  };
  for (std::size_t i = 0; i < name.size(); ++i) {
    const unsigned point = detail::windows_1252_to_unicode(name.data()[i]);
    if (point < 0x80) {
      put(point);
    } else if (point < 0x800) {
      put(0xC0 | point >> 6);
      put(0x80 | (point & 0x3F));
    } else {
      put(0xE0 | point >> 12);
      put(0x80 | (point >> 6 & 0x3F));
      put(0x80 | (point & 0x3F));
    }
  }
  if (size > memory.size()) {
    return options_failure(errc::workspace_too_small, 0, static_cast<std::uint32_t>(size));
  }
  return std::string_view{memory.data(), size};
}

}  // namespace vmdk

// ---- vmdk/format/descriptor_fields_check.hpp

namespace vmdk::detail {

[[nodiscard]] constexpr failure refused(descriptor_problem problem,
                                        std::size_t which = 0) noexcept {
  return options_failure(errc::option_invalid, which, static_cast<std::uint32_t>(problem));
}

/// True for what can stand between quotes, and that every reader understands alike.
[[nodiscard]] constexpr bool is_quotable(std::string_view value) noexcept {
  constexpr std::size_t room_for_the_key = 256;
  if (value.size() > descriptor_line_max_bytes - room_for_the_key) return false;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value.data()[i];
    if (c == '"' || is_control(c)) return false;
  }
  return is_utf8(value) && find_hidden_key(value) == value.size();
}

[[nodiscard]] constexpr bool is_ddb_key(std::string_view key) noexcept {
  constexpr std::size_t longest = 128;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const char c = lower(key.data()[i]);
    if (!(is_digit(c) || (c >= 'a' && c <= 'z') || c == '.' || c == '_' || c == '-')) return false;
  }
  return !key.empty() && key.size() <= longest && find_hidden_key(key) == key.size();
}

/// True for a key that the fields set, or that would contradict them.
[[nodiscard]] constexpr bool is_reserved_ddb_key(std::string_view key) noexcept {
  constexpr std::string_view reserved[] = {
      "adapterType",   "geometry.cylinders", "geometry.heads", "geometry.sectors",
      "longContentID", "toolsVersion",       "uuid",           "virtualHWVersion",
      "encoding",      "uuid.parent"};
  for (const std::string_view word : reserved) {
    if (same_ignoring_case(word, key)) return true;
  }
  return false;
}

/// True for VMware's form of a uuid: 16 pairs of digits in two halves.
[[nodiscard]] constexpr bool is_vmware_uuid(std::string_view uuid) noexcept {
  constexpr std::size_t pairs = 16;
  if (uuid.size() != pairs * 3 - 1) return false;
  const char* p = uuid.data();
  for (std::size_t i = 0; i < pairs; ++i) {
    if (hex_digit(p[3 * i]) > 15 || hex_digit(p[3 * i + 1]) > 15) return false;
    if (i + 1 < pairs && p[3 * i + 2] != (i + 1 == pairs / 2 ? '-' : ' ')) return false;
  }
  return true;
}

[[nodiscard]] constexpr failure check_ddb(std::span<const ddb_entry> entries) noexcept {
  constexpr std::size_t own_lines = 9;
  if (entries.size() > descriptor_max_ddb_entries - own_lines) {
    return refused(descriptor_problem::ddb_count);
  }
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const ddb_entry& entry = entries.data()[i];
    if (!is_ddb_key(entry.key)) return refused(descriptor_problem::ddb_key, i);
    if (is_reserved_ddb_key(entry.key)) return refused(descriptor_problem::ddb_key_reserved, i);
    if (!is_quotable(entry.value)) return refused(descriptor_problem::ddb_value, i);
    for (std::size_t j = 0; j < i; ++j) {
      if (same_ignoring_case(entries.data()[j].key, entry.key)) {
        return refused(descriptor_problem::ddb_key_twice, i);
      }
    }
  }
  return no_failure;
}

/// The first thing that keeps fields from being a descriptor, its extents aside.
[[nodiscard]] constexpr failure check_fields(const descriptor_fields& fields) noexcept {
  if (fields.type == create_type::unknown || fields.type > create_type::two_gb_max_extent_flat) {
    return refused(descriptor_problem::create_type);
  }
  if (fields.id.cid == no_parent_cid) return refused(descriptor_problem::content_id);
  if ((fields.parent_cid == no_parent_cid) != fields.parent_file_name_hint.empty()) {
    return refused(descriptor_problem::parent);
  }
  if (!is_quotable(fields.parent_file_name_hint)) return refused(descriptor_problem::parent_hint);
  const geometry& shape = fields.disk_geometry;
  if (shape.cylinders == 0 || shape.heads == 0 || shape.sectors == 0) {
    return refused(descriptor_problem::geometry);
  }
  if (!fields.uuid.empty() && !is_vmware_uuid(fields.uuid)) {
    return refused(descriptor_problem::uuid);
  }
  return check_ddb(fields.more_ddb);
}

/// What keeps one extent from being a line of such a descriptor.
[[nodiscard]] constexpr descriptor_problem check_extent(const descriptor_fields& fields,
                                                        const extent_line& extent) noexcept {
  if (extent.sectors == 0) return descriptor_problem::extent_sectors;
  if (!fits(fields.type, extent.type)) return descriptor_problem::extent_type;
  if (extent.has_offset != (extent.type == extent_type::flat)) {
    return descriptor_problem::extent_offset;
  }
  const std::string_view stem = extent.name.stem;
  const bool may_be_empty =
      extent.type == extent_type::zero || fields.style == descriptor_style::mkimg;
  if (extent.name.bytes() == 0) {
    return may_be_empty ? descriptor_problem::none : descriptor_problem::extent_name;
  }
  if (extent.type == extent_type::zero || !is_plain_name(stem) || !is_quotable(stem) ||
      extent.name.bytes() > extent_name_max_bytes ||
      (extent.name.kind != 's' && extent.name.kind != 'f')) {
    return descriptor_problem::extent_name;
  }
  return descriptor_problem::none;
}

template <ExtentList Extents>
[[nodiscard]] constexpr failure check_extents(const descriptor_fields& fields,
                                              const Extents& extents) noexcept {
  const std::size_t count = extents.size();
  if (count == 0 || (count != 1 && has_single_extent(fields.type))) {
    return refused(descriptor_problem::extent_count);
  }
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const extent_line extent = extents[i];
    const descriptor_problem problem = check_extent(fields, extent);
    if (problem != descriptor_problem::none) return refused(problem, i);
    if (!checked_add(sum, extent.sectors, sum) || sum > capacity_limit_sectors) {
      return refused(descriptor_problem::extent_sectors, i);
    }
  }
  return no_failure;
}

}  // namespace vmdk::detail

// ---- vmdk/format/descriptor_builder.hpp

namespace vmdk {
namespace detail {

/// Only counts: the size of a descriptor comes from the code that writes it.
class text_counter {
 public:
  constexpr bool put(std::string_view text) noexcept {
    bytes_ += text.size();
    return true;
  }
  [[nodiscard]] constexpr std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  std::uint64_t bytes_ = 0;
};

/// Writes into memory that has been found large enough.
class text_in_memory {
 public:
  constexpr explicit text_in_memory(std::byte* to) noexcept : to_(to) {}

  constexpr bool put(std::string_view text) noexcept {
    copy_text(to_, text);
    to_ += text.size();
    return true;
  }

 private:
  std::byte* to_;
};

/// Gathers small pieces and hands them to a sink together.
template <Sink To>
class text_into_sink {
 public:
  constexpr explicit text_into_sink(To& sink) noexcept : sink_(&sink) {}

  constexpr bool put(std::string_view text) noexcept {
    while (!text.empty() && !why_) {
      if (used_ == sizeof pieces_) flush();
      const std::size_t room = sizeof pieces_ - used_;
      const std::size_t n = text.size() < room ? text.size() : room;
      copy_text(pieces_ + used_, part(text, 0, n));
      used_ += n;
      text = part(text, n);
    }
    return !why_;
  }

  constexpr failure finish() noexcept {
    flush();
    return why_;
  }

 private:
  constexpr void flush() noexcept {
    if (!why_) why_ = sink_->write(byte_view{pieces_, used_});
    used_ = 0;
  }

  To* sink_;
  std::size_t used_ = 0;
  failure why_{};
  std::byte pieces_[256]{};
};

template <class Text>
constexpr void put_ddb(Text& text, std::string_view key, std::string_view value) noexcept {
  text.put(ddb_prefix);
  text.put(key);
  text.put(" = \""sv);
  text.put(value);
  text.put("\"\n"sv);
}

template <class Text>
constexpr void put_ddb(Text& text, std::string_view key, std::uint32_t value) noexcept {
  put_ddb(text, key, number_text::decimal(value).view());
}

template <class Text>
constexpr void put_header(Text& text, const descriptor_fields& fields) noexcept {
  text.put(descriptor_signature);
  text.put("\nversion=1\n"sv);
  if (fields.style == descriptor_style::usual) text.put("encoding=\"UTF-8\"\n"sv);
  text.put("CID="sv);
  text.put(number_text::hex(fields.id.cid, 8).view());
  text.put("\nparentCID="sv);
  text.put(number_text::hex(fields.parent_cid, 8).view());
  text.put("\ncreateType=\""sv);
  text.put(word_of(create_type_words, fields.type));
  text.put("\"\n"sv);
  if (!fields.parent_file_name_hint.empty()) {
    text.put("parentFileNameHint=\""sv);
    text.put(fields.parent_file_name_hint);
    text.put("\"\n"sv);
  }
}

/// False when the text takes no more.
template <class Text>
constexpr bool put_extent(Text& text, const extent_line& extent) noexcept {
  text.put(word_of(extent_access_words, extent.access));
  text.put(" "sv);
  text.put(number_text::decimal(extent.sectors).view());
  text.put(" "sv);
  text.put(word_of(extent_type_words, extent.type));
  if (extent.type != extent_type::zero) {
    text.put(" \""sv);
    extent.name.each_part([&text](std::string_view part) { text.put(part); });
    text.put("\""sv);
  }
  if (extent.has_offset) {
    text.put(" "sv);
    text.put(number_text::decimal(extent.offset_sectors).view());
  }
  return text.put("\n"sv);
}

template <class Text>
constexpr void put_disk_data_base(Text& text, const descriptor_fields& fields) noexcept {
  const bool usual = fields.style == descriptor_style::usual;
  put_ddb(text, "adapterType"sv, word_of(adapter_words, fields.controller));
  put_ddb(text, "geometry.cylinders"sv, fields.disk_geometry.cylinders);
  put_ddb(text, "geometry.heads"sv, fields.disk_geometry.heads);
  put_ddb(text, "geometry.sectors"sv, fields.disk_geometry.sectors);
  if (usual) {
    text.put("ddb.longContentID = \""sv);
    text.put(number_text::hex(fields.id.long_high, 16).view());
    text.put(number_text::hex(fields.id.long_low >> 32, 8).view());
    text.put(number_text::hex(fields.id.cid, 8).view());
    text.put("\"\n"sv);
    put_ddb(text, "toolsVersion"sv, fields.tools_version);
  }
  if (!fields.uuid.empty()) put_ddb(text, "uuid"sv, fields.uuid);
  // mkimg states it for streams alone.
  if (usual || fields.type == create_type::stream_optimized) {
    put_ddb(text, "virtualHWVersion"sv, fields.virtual_hw_version);
  }
  for (const ddb_entry& entry : fields.more_ddb) put_ddb(text, entry.key, entry.value);
}

/// Writes the whole descriptor; the one place that knows its form.
template <class Text, ExtentList Extents>
constexpr void put_descriptor(Text& text, const descriptor_fields& fields,
                              const Extents& extents) noexcept {
  const std::string_view blank_line = fields.style == descriptor_style::usual ? "\n"sv : ""sv;
  put_header(text, fields);
  text.put(blank_line);
  text.put("# Extent description\n"sv);
  const std::size_t count = extents.size();
  for (std::size_t i = 0; i < count; ++i) {
    if (!put_extent(text, extents[i])) return;
  }
  text.put(blank_line);
  text.put("# The Disk Data Base\n#DDB\n"sv);
  text.put(blank_line);
  put_disk_data_base(text, fields);
}

}  // namespace detail

/// Computes the size in bytes of the descriptor that these fields and extents make (SPEC 6). No
/// value of the content id changes it.
template <ExtentList Extents>
[[nodiscard]] constexpr std::uint64_t descriptor_bytes(const descriptor_fields& fields,
                                                       const Extents& extents) noexcept {
  detail::text_counter counter;
  detail::put_descriptor(counter, fields, extents);
  return counter.bytes();
}

/// Checks that fields and extents make a descriptor that every reader understands alike, before
/// anything is written (SPEC 6, 13.4).
/// Errors: errc::option_invalid; detail: a descriptor_problem; offset: which extent or ddb line.
template <ExtentList Extents>
[[nodiscard]] constexpr failure check_descriptor_fields(const descriptor_fields& fields,
                                                        const Extents& extents) noexcept {
  if (failure why = detail::check_fields(fields)) return why;
  if (failure why = detail::check_extents(fields, extents)) return why;
  if (descriptor_bytes(fields, extents) > descriptor_max_bytes) {
    return detail::refused(descriptor_problem::text_bytes);
  }
  return no_failure;
}

/// Builds a descriptor in the caller's memory and gives its size; bytes behind it stay as they are.
/// Errors: those of check_descriptor_fields; errc::workspace_too_small, detail: the bytes that are
/// needed. After an error nothing has been written.
template <ExtentList Extents>
[[nodiscard]] constexpr result<std::size_t> build_descriptor(const descriptor_fields& fields,
                                                             const Extents& extents,
                                                             byte_span out) noexcept {
  if (failure why = check_descriptor_fields(fields, extents)) return why;
  const auto bytes = static_cast<std::size_t>(descriptor_bytes(fields, extents));
  if (bytes > out.size()) {
    return options_failure(errc::workspace_too_small, 0, static_cast<std::uint32_t>(bytes));
  }
  detail::text_in_memory text(out.data());
  detail::put_descriptor(text, fields, extents);
  return bytes;
}

/// Writes a descriptor to a sink in small pieces, so that thousands of extents need no memory.
/// Errors: those of check_descriptor_fields, with nothing written; those of the sink.
template <ExtentList Extents, Sink To>
[[nodiscard]] constexpr failure write_descriptor(const descriptor_fields& fields,
                                                 const Extents& extents, To& sink) noexcept {
  if (failure why = check_descriptor_fields(fields, extents)) return why;
  detail::text_into_sink<To> text(sink);
  detail::put_descriptor(text, fields, extents);
  return text.finish();
}

}  // namespace vmdk

// ---- vmdk/io/put_zeros.hpp

namespace vmdk {

/// Makes the next n bytes of a sink zeros: left out where the sink can do that.
/// Errors: those of the sink.
template <Sink K>
[[nodiscard]] constexpr failure put_zeros(K& sink, std::uint64_t n) noexcept {
  if constexpr (HoleSink<K>) {
    return sink.skip(n);
  } else {
    constexpr std::size_t piece = 64;
    const std::byte zeros[piece]{};
    while (n != 0) {
      const auto now = static_cast<std::size_t>(smaller_of<std::uint64_t>(n, piece));
      if (failure f = sink.write(byte_view(zeros, now))) return f;
      n -= now;
    }
    return no_failure;
  }
}

}  // namespace vmdk

// ---- vmdk/writer/embedded_descriptor.hpp

namespace vmdk::detail {

/// Writes the descriptor and the zeros behind it.
template <Sink K>
[[nodiscard]] constexpr failure write_embedded_descriptor(K& sink, const descriptor_fields& fields,
                                                          const extent_line& extent,
                                                          std::uint64_t region_bytes) noexcept {
  const std::array<extent_line, 1> extents{extent};
  if (failure f = write_descriptor(fields, extents, sink)) return f;
  return put_zeros(sink, region_bytes - descriptor_bytes(fields, extents));
}

/// The sectors that a descriptor is given: room to edit it, or more if its text needs more.
[[nodiscard]] constexpr result<std::uint32_t> embedded_descriptor_sectors(
    const descriptor_fields& fields, const extent_line& extent) noexcept {
  const std::array<extent_line, 1> extents{extent};
  if (failure f = check_descriptor_fields(fields, extents)) return f;
  const auto needed =
      static_cast<std::uint32_t>(ceil_shift(descriptor_bytes(fields, extents), sector_shift));
  static_assert(descriptor_max_bytes >> sector_shift <= embedded_descriptor_limit_sectors);
  return fields.style == descriptor_style::mkimg ? needed
                                                 : larger_of(needed, usual_descriptor_sectors);
}

}  // namespace vmdk::detail

// ---- vmdk/writer/file_plan.hpp

namespace vmdk::detail {

/// What an image in one file shall be: all that is known before its content.
template <class Layout>
struct file_plan {
  Layout layout{};
  descriptor_fields fields{};  ///< But for the content id.
  extent_line extent{};
};

/// Plans an image in one file. `wanted` is what its layout shall be, but for the descriptor's
/// sectors, which follow from the text.
/// Errors, all with origin options and in this order: errc::grain_size_invalid;
/// errc::capacity_zero; errc::capacity_too_large; errc::option_invalid (detail: a
/// descriptor_problem); those of Layout::for_capacity. Source: SPEC 4, 5, 6.
template <class Layout, class LayoutOptions>
[[nodiscard]] constexpr result<file_plan<Layout>> plan_file(
    std::uint64_t disk_bytes, const write_options& options, create_type type, LayoutOptions wanted,
    const parent_link& parent = {}) noexcept {
  if (failure f = check_grain(wanted.grain_sectors)) return f;
  const auto capacity = capacity_for(disk_bytes, wanted.grain_sectors, wanted.capacity);
  if (!capacity) return capacity.error();
  file_plan<Layout> plan;
  plan.fields = make_fields(options, type, *capacity);
  plan.fields.parent_cid = parent.cid;
  plan.fields.parent_file_name_hint = parent.file_name_hint;
  plan.extent.sectors = *capacity;
  if (!options.like_mkimg) {
    plan.extent.name.stem = options.extent_name;
    if (type == create_type::stream_optimized) plan.extent.access = extent_access::read_only;
  }
  const auto descriptor_sectors = embedded_descriptor_sectors(plan.fields, plan.extent);
  if (!descriptor_sectors) return descriptor_sectors.error();
  wanted.descriptor_sectors = *descriptor_sectors;
  const auto layout = Layout::for_capacity(disk_bytes, wanted);
  if (!layout) return layout.error();
  plan.layout = *layout;
  return plan;
}

}  // namespace vmdk::detail

// ---- vmdk/layout/stream_size.hpp

namespace vmdk {

/// Where each thing of a stream goes: takes the sizes of the compressed grains, in the order of the
/// disk, and knows the tables and markers between and behind them. The builder of streams and
/// whoever wants the exact size of a file beforehand use this same count.
class stream_size {
 public:
  constexpr stream_size() noexcept = default;
  constexpr explicit stream_size(const stream_layout& layout) noexcept
      : layout_(layout), next_sector_(layout.overhead_sectors()) {}

  /// Places the next stored grain, and before it the table of the grains so far if this one
  /// belongs to another. Gives the sector of the grain's marker. The table of a grain that was
  /// placed has its place too.
  /// Errors, all with origin options, the grain's offset on the disk, and the object as before:
  /// errc::content_exceeds_capacity for a grain that the disk does not have (offset: the capacity);
  /// errc::marker_lba_not_ascending; errc::marker_size_invalid for data that is empty or larger
  /// than readers take (detail: the size); errc::extent_too_large when the grain or its table would
  /// lie at or behind sector 2^32.
  [[nodiscard]] constexpr result<std::uint64_t> add_grain(std::uint64_t grain,
                                                          std::uint32_t compressed_bytes) noexcept {
    if (grain >= layout_.grain_count()) {
      return options_failure(errc::content_exceeds_capacity, layout_.capacity_bytes());
    }
    const std::uint64_t disk_offset = grain << layout_.geometry().grain_byte_shift();
    if (grain < next_grain_) return options_failure(errc::marker_lba_not_ascending, disk_offset);
    if (compressed_bytes == 0 || compressed_bytes > layout_.compressed_limit_bytes()) {
      return options_failure(errc::marker_size_invalid, disk_offset, compressed_bytes);
    }
    const std::uint64_t sector = ends_table(grain) ? end_of_table() : next_sector_;
    const std::uint64_t end = sector + stream_layout::packed_sectors(compressed_bytes);
    const std::uint64_t last = layout_.has_tables_at_end() ? end + 1 : sector;
    if (last >= sector_number_limit) return options_failure(errc::extent_too_large, disk_offset);
    next_sector_ = end;
    next_grain_ = grain + 1;
    table_open_ = layout_.has_tables_at_end();
    ++stored_grains_;
    return sector;
  }

  /// True when placing this grain ends the table of the grains so far.
  [[nodiscard]] constexpr bool ends_table(std::uint64_t grain) const noexcept {
    return table_open_ && (grain >> sparse_geometry::table_shift) != table();
  }

  /// Places the table of the grains so far behind its marker, and gives the table's sector. Only
  /// when table_open().
  constexpr std::uint64_t end_table() noexcept {
    const std::uint64_t sector = next_sector_ + 1;
    next_sector_ = end_of_table();
    table_open_ = false;
    return sector;
  }

  /// True when grains were placed whose table will follow them.
  [[nodiscard]] constexpr bool table_open() const noexcept { return table_open_; }

  /// The number of the table that the last grain belongs to.
  [[nodiscard]] constexpr std::uint64_t table() const noexcept {
    return (next_grain_ - 1) >> sparse_geometry::table_shift;
  }

  /// The sector behind everything placed so far.
  [[nodiscard]] constexpr std::uint64_t next_sector() const noexcept { return next_sector_; }

  [[nodiscard]] constexpr std::uint64_t stored_grains() const noexcept { return stored_grains_; }

  /// The size of the whole file if no grain follows.
  [[nodiscard]] constexpr std::uint64_t file_bytes() const noexcept {
    const std::uint64_t end = table_open_ ? end_of_table() : next_sector_;
    return (end + layout_.tail_sectors()) << sector_shift;
  }

 private:
  [[nodiscard]] constexpr std::uint64_t end_of_table() const noexcept {
    return next_sector_ + 1 + table_sectors;
  }

  stream_layout layout_{};
  std::uint64_t next_sector_ = 0;
  std::uint64_t next_grain_ = 0;
  std::uint64_t stored_grains_ = 0;
  bool table_open_ = false;
};

}  // namespace vmdk

// ---- vmdk/writer/placed_sink.hpp

namespace vmdk {

/// Writes front to back at a place of a SeekableSink, so that one piece of code serves both kinds
/// of sink. The bytes passed over by `skip` must be zero already: `resize` has made them so.
template <SeekableSink K>
class placed_sink {
 public:
  /// The sink is the caller's.
  constexpr placed_sink(K& sink, std::uint64_t offset) noexcept : sink_(&sink), offset_(offset) {}

  /// Errors: those of the sink, after which the place has not moved.
  constexpr failure write(byte_view bytes) noexcept {
    if (failure f = sink_->write_at(offset_, bytes)) return f;
    offset_ += bytes.size();
    return no_failure;
  }
  constexpr failure skip(std::uint64_t n) noexcept {
    offset_ += n;
    return no_failure;
  }

 private:
  K* sink_;
  std::uint64_t offset_;
};

}  // namespace vmdk

// ---- vmdk/writer/table_builder.hpp

namespace vmdk::detail {

/// Writes one directory, and zeros to the end of its sectors: entry i is the i-th of tables behind
/// one another. The content of `scratch` is lost. Errors: those of the sink.
template <Sink K>
[[nodiscard]] constexpr failure write_directory(
    K& sink, const sparse_geometry& geometry, std::uint64_t first_table_sector,
    std::span<std::byte, table_bytes> scratch) noexcept {
  std::uint64_t sector = first_table_sector;
  std::uint64_t tables_left = geometry.table_count();
  std::byte* const out = scratch.data();
  while (tables_left != 0) {
    const auto now =
        static_cast<std::uint32_t>(smaller_of<std::uint64_t>(tables_left, entries_per_table));
    for (std::uint32_t i = 0; i < now; ++i, sector += table_sectors) {
      store_le(out + std::size_t{4} * i, static_cast<std::uint32_t>(sector));
    }
    tables_left -= now;
    if (failure f = sink.write(byte_view(out, std::size_t{now} * 4))) return f;
  }
  const std::uint64_t used_bytes = geometry.table_count() * sizeof(std::uint32_t);
  return put_zeros(sink, (geometry.directory_sectors() << sector_shift) - used_bytes);
}

/// One grain table while it is filled.
class table_builder {
 public:
  /// The memory, table_bytes of it, is the caller's.
  constexpr explicit table_builder(std::byte* bytes) noexcept : bytes_(bytes) { clear(); }

  constexpr void set(std::uint64_t grain, std::uint64_t sector) noexcept {
    store_le(bytes_ + 4 * (grain & (entries_per_table - 1)), static_cast<std::uint32_t>(sector));
    used_ = true;
  }
  constexpr void clear() noexcept {
    zero_bytes(bytes_, table_bytes);
    used_ = false;
  }
  [[nodiscard]] constexpr bool used() const noexcept { return used_; }
  [[nodiscard]] constexpr byte_view bytes() const noexcept { return {bytes_, table_bytes}; }

 private:
  std::byte* bytes_;
  bool used_ = false;
};

}  // namespace vmdk::detail

// ---- vmdk/writer/stream_builder.hpp

namespace vmdk {

/// The memory of a stream_builder, the caller's: a table with its marker, and the directory.
struct stream_memory {
  static constexpr std::size_t marked_table_bytes = sector_bytes + table_bytes;
  std::span<std::byte, marked_table_bytes> table;
  byte_span directory{};  ///< directory_memory_bytes() of the layout.
};

/// Builds a streamOptimized file of grains that are compressed already, in the order of the disk.
///
/// Into a sink that only appends: write_head, then `add` for each record, then `finish`. Into a
/// SeekableSink: reserve_head, the records, `finish`, and write_head last, so that a file that was
/// cut short is no image. Sink and memory are the caller's. After an error every further call
/// returns it, and what the sink holds is no image. Source: SPEC 5.
template <Sink K>
class stream_builder {
 public:
  constexpr stream_builder(K& sink, const stream_layout& layout,
                           const stream_memory& memory) noexcept
      : sink_(&sink),
        layout_(layout),
        memory_(memory),
        size_(layout),
        table_(memory.table.data() + sector_bytes) {}

  /// Leaves room for everything before the first grain; all of it is zeros then.
  /// Errors: errc::workspace_too_small (detail: the bytes that the directory takes); those of the
  /// sink.
  constexpr failure reserve_head() noexcept
    requires SeekableSink<K>
  {
    if (failure f = start()) return fail(f);
    if (failure f = sink_->resize(0)) return fail(f);
    return fail(sink_->resize(layout_.overhead_bytes()));
  }

  /// Writes header and descriptor; in a SeekableSink the header after the descriptor, between
  /// barriers. Errors: errc::workspace_too_small; errc::not_supported for tables in front in a sink
  /// that only appends; those of write_descriptor and of the sink.
  constexpr failure write_head(const descriptor_fields& fields,
                               const extent_line& extent) noexcept {
    return write_head_with([&](auto& sink, std::uint64_t region_bytes) {
      return detail::write_embedded_descriptor(sink, fields, extent, region_bytes);
    });
  }

  /// As above, with the text of a descriptor that was built before, perhaps by the compiler.
  /// Errors: errc::option_invalid (detail: descriptor_problem::text_bytes) for one that is longer
  /// than its region; the others as above.
  constexpr failure write_head(byte_view descriptor) noexcept {
    return write_head_with([&](auto& sink, std::uint64_t region_bytes) -> failure {
      if (descriptor.size() > region_bytes) {
        return options_failure(errc::option_invalid, 0,
                               static_cast<std::uint32_t>(descriptor_problem::text_bytes));
      }
      if (failure f = sink.write(descriptor)) return f;
      return put_zeros(sink, region_bytes - descriptor.size());
    });
  }

  /// Writes the next record, as seal_record and pack_grain make them.
  /// Errors: errc::marker_invalid for bytes that are no record; those of stream_size::add_grain, as
  /// for a record that is not behind the last one on the disk; those of the sink.
  constexpr failure add(byte_view record) noexcept {
    if (failed_) return failed_;
    if (record.size() < sector_bytes) return fail(options_failure(errc::marker_invalid));
    const auto lba = load_le<std::uint64_t>(record.data());
    const auto bytes = load_le<std::uint32_t>(record.data() + offsetof(stream_marker, size));
    if (stream_layout::packed_sectors(bytes) << sector_shift != record.size() ||
        (lba & (layout_.grain_sectors() - 1)) != 0) {
      return fail(options_failure(errc::marker_invalid));
    }
    const std::uint64_t grain = lba >> layout_.geometry().grain_shift();
    if (table_.used() && (grain >> sparse_geometry::table_shift) != size_.table()) {
      if (failure f = write_table()) return fail(f);
    }
    const auto sector = size_.add_grain(grain, bytes);
    if (!sector) return fail(sector.error());
    table_.set(grain, *sector);
    return fail(put(*sector, record));
  }

  /// Writes all that follows the last grain, and all tables that are still to be written.
  /// Errors: those of the sink.
  constexpr failure finish() noexcept {
    if (failed_) return failed_;
    if (table_.used()) {
      if (failure f = write_table()) return fail(f);
    }
    return fail(layout_.has_tables_at_end() ? write_tail() : write_front());
  }

  [[nodiscard]] constexpr std::uint64_t stored_grains() const noexcept {
    return size_.stored_grains();
  }

  /// The size of the file if no grain follows; what it is after `finish`.
  [[nodiscard]] constexpr std::uint64_t file_bytes() const noexcept { return size_.file_bytes(); }

 private:
  constexpr failure fail(failure why) noexcept {
    failed_ = why;
    return why;
  }

  constexpr failure start() noexcept {
    if (failed_) return failed_;
    if (!SeekableSink<K> && !layout_.has_tables_at_end()) {
      return sink_failure(errc::not_supported, 0);
    }
    const std::uint64_t wanted = layout_.directory_memory_bytes();
    if (memory_.directory.size() < wanted) {
      constexpr std::uint64_t most = (std::numeric_limits<std::uint32_t>::max)();
      return options_failure(errc::workspace_too_small, 0,
                             static_cast<std::uint32_t>(smaller_of(wanted, most)));
    }
    memory_.directory = memory_.directory.first(static_cast<std::size_t>(wanted));
    zero_bytes(memory_.directory);
    set_marker(marker_type::grain_table, table_sectors);
    return no_failure;
  }

  template <class Put>
  constexpr failure write_head_with(Put put_descriptor) noexcept {
    const std::uint64_t region_bytes = layout_.descriptor().bytes();
    if constexpr (SeekableSink<K>) {
      if (failed_) return failed_;
      placed_sink<K> out(*sink_, layout_.descriptor().first_byte());
      if (failure f = put_descriptor(out, region_bytes)) return fail(f);
      if (failure f = barrier()) return fail(f);
      if (failure f = write_header()) return fail(f);
      return fail(barrier());
    } else {
      if (failure f = start()) return fail(f);
      if (failure f = write_header()) return fail(f);
      if (failure f = put_descriptor(*sink_, region_bytes)) return fail(f);
      const std::uint64_t gap = layout_.overhead_sectors() - layout_.descriptor().end_sector();
      return fail(put_zeros(*sink_, gap << sector_shift));
    }
  }

  /// Puts bytes where they belong in the file, which for a sink that only appends is its end.
  constexpr failure put(std::uint64_t sector, byte_view bytes) noexcept {
    if constexpr (SeekableSink<K>) {
      return sink_->write_at(sector << sector_shift, bytes);
    } else {
      return sink_->write(bytes);
    }
  }

  constexpr failure barrier() noexcept {
    if constexpr (Flushable<K>) {
      return sink_->flush();
    } else {
      return no_failure;
    }
  }

  constexpr failure write_header() noexcept {
    encode(layout_.make_header(), memory_.table.data());
    const failure f = put(0, memory_.table.first(sector_bytes));
    set_marker(marker_type::grain_table, table_sectors);
    return f;
  }

  /// Makes the first sector of the table's memory a marker.
  constexpr void set_marker(marker_type type, std::uint64_t following_sectors) noexcept {
    encode_marker(type, following_sectors, memory_.table.data());
  }

  /// Writes the table of the grains so far, and empties it.
  constexpr failure write_table() noexcept {
    const std::uint64_t table = size_.table();
    if (layout_.has_tables_at_end()) {
      const std::uint64_t sector = size_.end_table();
      if (failure f = put(sector - 1, memory_.table)) return f;
      store_le(memory_.directory.data() + table * sizeof(std::uint32_t),
               static_cast<std::uint32_t>(sector));
    } else {
      if (failure f = put(layout_.table_sector(table), table_.bytes())) return f;
    }
    table_.clear();
    return no_failure;
  }

  /// Directory, footer and end of stream behind the grains. The memory of the table, which is empty
  /// now, serves as their buffer.
  constexpr failure write_tail() noexcept {
    const std::uint64_t directory_sectors = layout_.geometry().directory_sectors();
    const std::uint64_t directory_sector = size_.next_sector() + 1;
    set_marker(marker_type::grain_directory, directory_sectors);
    if (failure f = put(directory_sector - 1, memory_.table.first(sector_bytes))) return f;
    if (failure f = put(directory_sector, memory_.directory)) return f;

    // Marker, footer, and the first zeros of the table as end-of-stream marker.
    set_marker(marker_type::footer, 1);
    encode(layout_.make_header(directory_sector), memory_.table.data() + sector_bytes);
    return put(directory_sector + directory_sectors, memory_.table.first(stream_tail_bytes));
  }

  /// The directory before the grains, and the end of the stream behind them.
  constexpr failure write_front() noexcept {
    if constexpr (SeekableSink<K>) {
      const auto scratch = memory_.table.template last<table_bytes>();
      placed_sink<K> out(*sink_, layout_.directory().first_byte());
      if (failure f = detail::write_directory(out, layout_.geometry(),
                                              layout_.tables().first_sector, scratch)) {
        return f;
      }
    }
    set_marker(marker_type::end_of_stream, 0);
    return put(size_.next_sector(), memory_.table.first(sector_bytes));
  }

  K* sink_;
  stream_layout layout_;
  stream_memory memory_;
  stream_size size_;
  detail::table_builder table_;
  failure failed_{};
};

}  // namespace vmdk

// ---- vmdk/writer/stream.hpp

namespace vmdk {
namespace detail {

using stream_plan = file_plan<stream_layout>;

/// Plans a streamOptimized file. Errors: those of plan_file.
[[nodiscard]] constexpr result<stream_plan> plan_stream(std::uint64_t disk_bytes,
                                                        const write_options& options,
                                                        std::uint32_t grain_sectors) noexcept {
  return plan_file<stream_layout>(disk_bytes, options, create_type::stream_optimized,
                                  stream_layout_options{.grain_sectors = grain_sectors,
                                                        .capacity = options.capacity,
                                                        .table_place = options.table_place});
}

/// A sink that keeps a number which hangs on every byte.
class number_sink {
 public:
  constexpr failure write(byte_view bytes) noexcept {
    const std::byte* const p = bytes.data();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      number_ = (number_ ^ std::to_integer<std::uint64_t>(p[i])) * 0x100000001B3;
    }
    return no_failure;
  }
  [[nodiscard]] constexpr std::uint64_t number() const noexcept { return number_; }

 private:
  std::uint64_t number_ = 0xCBF29CE484222325;
};

/// An id that follows from capacity and options alone: from the descriptor without an id.
[[nodiscard]] constexpr content_id id_without_content(const stream_plan& plan) noexcept {
  number_sink descriptor;
  // The plan was made with fields that have been checked.
  (void)write_embedded_descriptor(descriptor, plan.fields, plan.extent,
                                  plan.layout.descriptor().bytes());
  return make_content_id(descriptor.number());
}

/// Packs grains one after the other with the caller's memory.
template <Encoder E>
class serial_packer {
 public:
  /// `buffer` holds at least one grain and `slot` packed_limit_bytes() of the layout.
  constexpr serial_packer(E& encoder, byte_span buffer, byte_span slot) noexcept
      : encoder_(&encoder), buffer_(buffer), slot_(slot) {}

  [[nodiscard]] constexpr failure check(const stream_layout& layout) const noexcept {
    const std::uint32_t grain_bytes = layout.geometry().grain_bytes();
    if (buffer_.size() >= grain_bytes && slot_.size() >= layout.packed_limit_bytes()) {
      return no_failure;
    }
    return options_failure(errc::workspace_too_small, 0, grain_bytes + layout.packed_limit_bytes());
  }

  /// Adds all of the source to the hasher.
  template <Source S>
  [[nodiscard]] constexpr failure survey(S& source, const stream_layout& layout,
                                         content_hasher& hasher) noexcept {
    return walk(source, layout, &hasher,
                [](std::uint64_t, const std::byte*) -> failure { return no_failure; });
  }

  /// Hands each grain that is not zero to the builder. Without a hasher nothing is hashed.
  template <Source S, Sink K>
  [[nodiscard]] constexpr failure pack(S& source, const stream_layout& layout,
                                       content_hasher* hasher,
                                       stream_builder<K>& builder) noexcept {
    return walk(source, layout, hasher,
                [&](std::uint64_t grain, const std::byte* bytes) -> failure {
                  const auto record = pack_grain(*encoder_, layout, grain, bytes, slot_);
                  if (!record) return record.error();
                  return builder.add(*record);
                });
  }

 private:
  template <Source S, class Data>
  [[nodiscard]] constexpr failure walk(S& source, const stream_layout& layout,
                                       content_hasher* hasher, Data&& data) noexcept {
    const unsigned shift = layout.geometry().grain_byte_shift();
    grain_stream<S> grains(source, layout.geometry(), buffer_);
    grain_scanner scanner(layout.geometry(), hasher);
    for (;;) {
      const auto chunk = grains.next(layout.grain_count());
      if (!chunk) return chunk.error();
      if (chunk->grains == 0) return no_failure;
      for (std::uint64_t i = 0; i < chunk->grains; ++i) {
        const std::byte* const bytes = chunk->bytes + (i << shift);
        if (!scanner.holds_data(bytes, chunk->first_grain + i)) continue;
        if (failure f = data(chunk->first_grain + i, bytes)) return f;
      }
    }
  }

  E* encoder_;
  byte_span buffer_;
  byte_span slot_;
};

/// Chooses the id before the content is written: walks the source for it where it can be walked
/// twice and the content counts.
template <Source S, class Packer>
[[nodiscard]] constexpr failure choose_id_first(S& source, const write_options& options,
                                                const stream_plan& plan, Packer& packer,
                                                content_hasher& surveyed,
                                                write_report& report) noexcept {
  if (!needs_content(options)) {
    report.id = choose_id(options, {});
    return no_failure;
  }
  if constexpr (FinishingSource<S>) {
    report.id = id_without_content(plan);
    report.id_from_content = false;
    return no_failure;
  } else {
    const failure why = packer.survey(source, plan.layout, surveyed);
    if (!why) report.id = surveyed.finish();
    return why;
  }
}

/// Writes one streamOptimized file; `packer` turns the source into records.
template <Source S, Sink K, class Packer>
[[nodiscard]] constexpr result<write_report> write_stream(S& source, K& sink,
                                                          const write_options& options,
                                                          stream_plan& plan,
                                                          const stream_memory& memory,
                                                          Packer& packer) noexcept {
  const stream_layout& layout = plan.layout;
  if (failure f = packer.check(layout)) return f;
  write_report report{.source_bytes = source.size(), .capacity_bytes = layout.capacity_bytes()};
  content_hasher hasher;
  stream_builder<K> builder(sink, layout, memory);

  if constexpr (SeekableSink<K>) {
    if (failure f = builder.reserve_head()) return f;
    content_hasher* const wanted = needs_content(options) ? &hasher : nullptr;
    if (failure f = packer.pack(source, layout, wanted, builder)) return f;
    if (failure f = finish_source(source)) return f;
    if (failure f = builder.finish()) return f;
    plan.fields.id = report.id = choose_id(options, hasher.finish());
    if (failure f = builder.write_head(plan.fields, plan.extent)) return f;
  } else {
    content_hasher surveyed;
    if (failure f = choose_id_first(source, options, plan, packer, surveyed, report)) return f;
    plan.fields.id = report.id;
    if (failure f = builder.write_head(plan.fields, plan.extent)) return f;
    const bool was_surveyed = needs_content(options) && report.id_from_content;
    if (failure f = packer.pack(source, layout, was_surveyed ? &hasher : nullptr, builder)) {
      return f;
    }
    if (failure f = finish_source(source)) return f;
    // What was announced must be what was written, or the file is left without its end.
    if (was_surveyed && hasher.finish() != surveyed.finish()) {
      return source_failure(errc::source_changed, 0);
    }
    if (failure f = builder.finish()) return f;
  }
  report.stored_grains = builder.stored_grains();
  report.file_bytes = builder.file_bytes();
  return report;
}

}  // namespace detail

/// Writes one streamOptimized file.
///
/// Into a SeekableSink the source is walked once. Into one that only appends it is walked once if a
/// CID is given, else twice, since the content id comes first in the file; a forward_source, which
/// cannot be walked twice, gets an id from its size and the options there, and the report says so.
/// Tables in front need a SeekableSink.
///
/// Errors: errc::capacity_zero, errc::capacity_too_large, errc::grain_size_invalid,
/// errc::option_invalid (detail: a descriptor_problem), errc::workspace_too_small (detail: bytes)
/// and errc::not_supported before anything is written; errc::extent_too_large at the first grain
/// that would pass sector 2^32; errc::source_changed; those of source, encoder and sink.
/// Source: SPEC 3, 5, 6, 12, 14.
template <std::uint32_t GrainSectors>
struct writer<stream_optimized<GrainSectors>> {
  template <Source S, Sink K, Encoder E>
  [[nodiscard]] static constexpr result<write_report> write(
      S& source, K& sink, const write_options& options,
      workspace<stream_optimized<GrainSectors>, E>& memory) noexcept {
    auto plan = detail::plan_stream(source.size(), options,
                                    detail::grain_of<stream_optimized<GrainSectors>>(options));
    if (!plan) return plan.error();
    const auto packed_bytes = static_cast<std::size_t>(plan->layout.packed_limit_bytes());
    detail::serial_packer<E> packer(memory.encoder, memory.buffer(packed_bytes),
                                    memory.slot(packed_bytes));
    return detail::write_stream(source, sink, options, *plan,
                                {.table = memory.table, .directory = memory.directory_memory()},
                                packer);
  }
};

}  // namespace vmdk

// ---- vmdk/constant/records.hpp

// The compressed grains of a constant streamOptimized image, each a constant of its own.

namespace vmdk::detail {

/// True when an encoder did its work; its value is of no interest.
template <class E>
[[nodiscard]] constexpr bool encodes() {
  std::byte in[1]{};
  std::byte out[64]{};
  E encoder{};
  static_cast<void>(encoder.encode(byte_view(in), byte_span(out)));
  return true;
}

/// Can compress while the compiler runs.
template <class E>
concept ConstantEncoder = Encoder<E> && requires { typename std::bool_constant<encodes<E>()>; };

/// What all grains have in common.
template <class Content, std::uint32_t GrainSectors>
struct constant_grains {
  static constexpr stream_layout layout =
      stream_layout::for_capacity(constant_disk<Content>().size(), {.grain_sectors = GrainSectors})
          .value();

  /// Calls found(grain) for each grain that the source does not know to be zeros.
  template <class Found>
  static constexpr void each(Found found) {
    auto disk = constant_disk<Content>();
    using disk_type = decltype(disk);
    grain_stream<disk_type> grains(disk, layout.geometry(), {});
    for (;;) {
      const auto chunk = grains.find(layout.grain_count(), layout.grain_count()).value();
      if (chunk.grains == 0) return;
      for (std::uint64_t i = 0; i < chunk.grains; ++i) found(chunk.first_grain + i);
    }
  }

  static constexpr std::size_t count = [] {
    std::size_t n = 0;
    each([&n](std::uint64_t) { ++n; });
    return n;
  }();

  static constexpr std::array<std::uint64_t, count> numbers = [] {
    std::array<std::uint64_t, count> all{};
    std::uint64_t* to = all.data();
    each([&to](std::uint64_t grain) { *to++ = grain; });
    return all;
  }();
};

/// A grain as it stands in the stream; no bytes for one of zeros.
template <std::size_t N>
struct constant_record {
  std::byte memory[N];
  std::size_t bytes;
};

template <class Content, std::uint32_t GrainSectors, class E, std::uint64_t Grain>
[[nodiscard]] consteval auto pack_constant_grain() {
  constexpr stream_layout layout = constant_grains<Content, GrainSectors>::layout;
  constexpr std::size_t grain_bytes = layout.geometry().grain_bytes();
  constant_record<layout.packed_limit_bytes() + sector_bytes> record{};
  std::byte grain[grain_bytes]{};
  auto disk = constant_disk<Content>();
  const std::uint64_t at = Grain * grain_bytes;
  const auto there =
      static_cast<std::size_t>(smaller_of<std::uint64_t>(grain_bytes, disk.size() - at));
  if (disk.read_at(at, byte_span(grain, there))) __builtin_trap();
  if (is_zero(grain, grain_bytes)) return record;
  E encoder{};
  record.bytes = pack_grain(encoder, layout, Grain, grain, record.memory).value().size();
  return record;
}

template <class Content, std::uint32_t GrainSectors, class E, std::uint64_t Grain>
inline constexpr auto packed_grain = pack_constant_grain<Content, GrainSectors, E, Grain>();

/// Packs grains as serial_packer does, by handing out the records.
template <class Content, std::uint32_t GrainSectors, class E>
class constant_packer {
 public:
  using grains = constant_grains<Content, GrainSectors>;

  [[nodiscard]] constexpr failure check(const stream_layout&) const noexcept { return no_failure; }

  template <Source S, Sink K>
  [[nodiscard]] constexpr failure pack(S& source, const stream_layout& layout,
                                       content_hasher* hasher, stream_builder<K>& builder) {
    grain_scanner scanner(layout.geometry(), hasher);
    grain_stream<S> stream(source, layout.geometry(), buffer_);
    failure why{};
    [&]<std::size_t... Index>(std::index_sequence<Index...>) {
      (void)((why = add<Index>(stream, layout, scanner, builder), !why) && ...);
    }(std::make_index_sequence<grains::count>{});
    return why;
  }

 private:
  template <std::size_t Index, class S, class K>
  constexpr failure add(grain_stream<S>& stream, const stream_layout& layout,
                        grain_scanner& scanner, stream_builder<K>& builder) {
    const auto chunk = stream.next(grains::numbers[Index] + 1);
    if (!chunk) return chunk.error();
    if (!scanner.holds_data(chunk->bytes, chunk->first_grain)) return no_failure;
    constexpr const auto& record = packed_grain<Content, GrainSectors, E, grains::numbers[Index]>;
    static_cast<void>(layout);
    return builder.add(byte_view(record.memory, record.bytes));
  }

  std::byte buffer_[grains::layout.geometry().grain_bytes()]{};
};

}  // namespace vmdk::detail

// ---- vmdk/layout/sparse.hpp

namespace vmdk {

/// Which copy of directory and tables comes first in the file.
enum class directory_order : std::uint8_t {
  redundant_first,  ///< As VMware writes it.
  primary_first,    ///< As mkimg writes it.
};

/// What the places in a hosted sparse extent hang on besides the size of the disk (SPEC 3, 4).
struct sparse_layout_options {
  std::uint32_t grain_sectors = 128;  ///< A type without dynamic_grain has its own.
  std::uint32_t descriptor_sectors = usual_descriptor_sectors;  ///< 0: a file without one.
  capacity_rule capacity = capacity_rule::whole_grains;
  directory_order order = directory_order::redundant_first;
};

/// Where everything in a hosted sparse extent goes: arithmetic only, for any grain size.
///
/// header | descriptor | one directory and its tables | the other copy | padding | grains.
/// All sector numbers are from the start of the file. Source: SPEC 3, 4, 12.
class sparse_layout : public extent_head {
 public:
  constexpr sparse_layout() noexcept = default;

  /// Lays out a disk of so many bytes, rounded up as `options.capacity` says.
  /// Errors, all with origin options: errc::grain_size_invalid (detail: the grain's sectors);
  /// errc::capacity_zero; errc::capacity_too_large for more than 2^25 tables, or when descriptor
  /// and tables would pass sector 2^32. Source: SPEC 3, 4, 12.
  [[nodiscard]] static constexpr result<sparse_layout> for_capacity(
      std::uint64_t disk_bytes, const sparse_layout_options& options = {}) noexcept {
    const auto head = make(disk_bytes, options);
    if (!head) return head.error();
    const sparse_layout plan(*head, options.order);
    if (plan.overhead_sectors() > sector_number_limit) {
      return options_failure(errc::capacity_too_large);
    }
    return plan;
  }

  [[nodiscard]] constexpr region directory() const noexcept {
    return copy_directory(order_ == directory_order::primary_first);
  }
  [[nodiscard]] constexpr region tables() const noexcept { return tables_behind(directory()); }
  [[nodiscard]] constexpr region redundant_directory() const noexcept {
    return copy_directory(order_ == directory_order::redundant_first);
  }
  [[nodiscard]] constexpr region redundant_tables() const noexcept {
    return tables_behind(redundant_directory());
  }

  /// The directory entry of a table: its first sector. Never 0, and tables lie one behind the
  /// other, because some readers compute their places and ignore the directory.
  [[nodiscard]] constexpr std::uint32_t table_sector(std::uint64_t table) const noexcept {
    return static_cast<std::uint32_t>(tables().first_sector + table * table_sectors);
  }
  [[nodiscard]] constexpr std::uint32_t redundant_table_sector(std::uint64_t table) const noexcept {
    return static_cast<std::uint32_t>(redundant_tables().first_sector + table * table_sectors);
  }

  /// Sectors of metadata: the first grain lies here.
  [[nodiscard]] constexpr std::uint64_t overhead_sectors() const noexcept {
    return align_up(copy_directory(false).end_sector() + table_count() * table_sectors,
                    grain_sectors());
  }
  [[nodiscard]] constexpr std::uint64_t overhead_bytes() const noexcept {
    return overhead_sectors() << sector_shift;
  }

  /// The sector of the n-th stored grain, counted from 0 in the order of the disk.
  [[nodiscard]] constexpr std::uint64_t grain_sector(std::uint64_t stored_index) const noexcept {
    return overhead_sectors() + (stored_index << geometry().grain_shift());
  }

  /// How many grains can be stored before a sector number would pass 2^32.
  [[nodiscard]] constexpr std::uint64_t max_stored_grains() const noexcept {
    return smaller_of(grain_count(),
                      (sector_number_limit - overhead_sectors()) >> geometry().grain_shift());
  }

  /// The size of the whole file with so many grains stored.
  /// Errors, all with origin options: errc::content_exceeds_capacity for more grains than the disk
  /// has; errc::extent_too_large when a sector number would pass 2^32.
  [[nodiscard]] constexpr result<std::uint64_t> file_bytes(
      std::uint64_t stored_grains) const noexcept {
    if (stored_grains > grain_count()) return options_failure(errc::content_exceeds_capacity);
    if (stored_grains > max_stored_grains()) return options_failure(errc::extent_too_large);
    return grain_sector(stored_grains) << sector_shift;
  }

  /// The size of the whole file of an empty disk. Errors: none, for what could be laid out.
  [[nodiscard]] constexpr result<std::uint64_t> min_file_bytes() const noexcept {
    return file_bytes(0);
  }

  /// The size of the whole file with every grain stored. Errors: errc::extent_too_large when a
  /// sector number would pass 2^32; the disk can be written all the same if it has enough zeros.
  [[nodiscard]] constexpr result<std::uint64_t> max_file_bytes() const noexcept {
    return file_bytes(grain_count());
  }

  /// The header of this file.
  [[nodiscard]] constexpr sparse_extent_header make_header() const noexcept {
    sparse_extent_header h{};
    h.flags = sparse_flags::newline_bytes_valid | sparse_flags::redundant_tables;
    h.capacity = capacity_sectors();
    h.grain_size = std::uint64_t{grain_sectors()};
    h.descriptor_offset = std::uint64_t{descriptor().sectors == 0 ? 0u : 1u};
    h.descriptor_size = descriptor().sectors;
    h.rgd_offset = redundant_directory().first_sector;
    h.gd_offset = directory().first_sector;
    h.over_head = overhead_sectors();
    return h;
  }

 private:
  constexpr sparse_layout(const extent_head& head, directory_order order) noexcept
      : extent_head(head), order_(order) {}

  [[nodiscard]] constexpr region copy_directory(bool first) const noexcept {
    const std::uint64_t begin = 1 + descriptor().sectors;
    const std::uint64_t sectors = geometry().directory_sectors();
    return {first ? begin : begin + sectors + table_count() * table_sectors, sectors};
  }
  [[nodiscard]] constexpr region tables_behind(const region& directory) const noexcept {
    return {directory.end_sector(), table_count() * table_sectors};
  }

  directory_order order_ = directory_order::redundant_first;
};

/// The layout of a monolithicSparse file whose grain size is part of the type. A face over
/// sparse_layout: the arithmetic is the same code.
template <std::uint32_t GrainSectors>
class layout<monolithic_sparse<GrainSectors>> : public sparse_layout {
  // Instantiating the tag is what reports a bad grain size.
  static_assert(sizeof(monolithic_sparse<GrainSectors>) != 0);

 public:
  constexpr layout() noexcept = default;
  constexpr explicit layout(const sparse_layout& base) noexcept : sparse_layout(base) {}

  /// As sparse_layout::for_capacity, with the grain size of the type. Errors: those of it, but
  /// errc::grain_size_invalid with dynamic_grain alone.
  [[nodiscard]] static constexpr result<layout> for_capacity(
      std::uint64_t disk_bytes, sparse_layout_options options = {}) noexcept {
    options.grain_sectors = detail::grain_of<monolithic_sparse<GrainSectors>>(options);
    const auto base = sparse_layout::for_capacity(disk_bytes, options);
    if (!base) return base.error();
    return layout(*base);
  }
};

}  // namespace vmdk

// ---- vmdk/writer/sparse_extent.hpp

namespace vmdk {

/// The memory that writing a sparse extent takes, all of it the caller's. A larger buffer means
/// larger reads and fewer walks, never other bytes.
struct sparse_scratch {
  std::span<std::byte, table_bytes> table;
  byte_span buffer;  ///< At least one grain.
};

namespace detail {

[[nodiscard]] constexpr failure check_scratch(const sparse_layout& layout,
                                              const sparse_scratch& scratch) noexcept {
  const std::uint32_t wanted = layout.geometry().grain_bytes();
  if (scratch.buffer.size() >= wanted) return no_failure;
  return options_failure(errc::workspace_too_small, 0, wanted);
}

/// The failure of a disk whose data does not fit; the offset is that of the grain on the disk.
[[nodiscard]] constexpr failure does_not_fit(const sparse_layout& layout,
                                             std::uint64_t grain) noexcept {
  return options_failure(errc::extent_too_large, grain << layout.geometry().grain_byte_shift());
}

/// Adds whole grains at the end of a file; blocks of zeros before and behind their data are added
/// as a hole. Errors: those of the sink.
template <SeekableSink K>
[[nodiscard]] constexpr failure append_grains(K& sink, std::uint64_t offset,
                                              byte_view grains) noexcept {
  constexpr std::size_t block = content_hasher::block_bytes;
  byte_view data = grains;
  while (!data.empty() && is_zero(data.first(block))) data = data.subspan(block);
  const std::size_t zeros_before = grains.size() - data.size();
  while (!data.empty() && is_zero(data.last(block))) data = data.first(data.size() - block);
  if (zeros_before != 0) {
    if (failure f = sink.resize(offset + zeros_before)) return f;
  }
  if (failure f = sink.write_at(offset + zeros_before, data)) return f;
  if (zeros_before + data.size() == grains.size()) return no_failure;
  return sink.resize(offset + grains.size());
}

}  // namespace detail

/// Writes all of a sparse extent but its first sectors, header and descriptor, which stay zero: in
/// one walk over the source, each grain once, each table as it fills. Until the header is written
/// the file is not an image.
///
/// The scanner says which grains are stored: `holds_data(bytes, grain)`. One that has to read
/// something first has a `fetch(first_grain, grains)` too, which is called before it is asked about
/// these; of a source that is not mapped they are at most as many as the buffer holds.
///
/// Gives the number of grains stored; the extent's file then ends behind the last of them.
/// Errors: errc::workspace_too_small; errc::extent_too_large at the first grain that would pass
/// 2^32 sectors; those of source, sink and `fetch`. After an error the sink's content is
/// unspecified, but its first sector is zero. Source: SPEC 3, 4.
template <Source S, SeekableSink K, class Scanner>
[[nodiscard]] constexpr result<std::uint64_t> write_sparse_body(S& source, K& sink,
                                                                const sparse_layout& layout,
                                                                Scanner scanner,
                                                                sparse_scratch& scratch) noexcept {
  if (failure f = detail::check_scratch(layout, scratch)) return f;
  if (failure f = sink.resize(0)) return f;
  if (failure f = sink.resize(layout.overhead_bytes())) return f;

  const unsigned shift = layout.geometry().grain_byte_shift();
  const std::uint64_t stored_limit = layout.max_stored_grains();
  grain_stream<S> grains(source, layout.geometry(), scratch.buffer);
  detail::table_builder table(scratch.table.data());
  std::uint64_t stored = 0;

  for (std::uint64_t t = 0; t < layout.table_count(); ++t) {
    const std::uint64_t limit = smaller_of((t + 1) * entries_per_table, layout.grain_count());
    for (;;) {
      const auto chunk = grains.next(limit);
      if (!chunk) return chunk.error();
      if (chunk->grains == 0) break;
      if constexpr (requires { scanner.fetch(chunk->first_grain, chunk->grains); }) {
        if (failure f = scanner.fetch(chunk->first_grain, chunk->grains)) return f;
      }
      // Neighbours that hold data leave in one write.
      std::uint64_t run = 0;
      for (std::uint64_t i = 0; i <= chunk->grains; ++i) {
        const std::byte* const grain = chunk->bytes + (i << shift);
        if (i < chunk->grains && scanner.holds_data(grain, chunk->first_grain + i)) {
          if (stored + run == stored_limit) {
            return detail::does_not_fit(layout, chunk->first_grain + i);
          }
          table.set(chunk->first_grain + i, layout.grain_sector(stored + run));
          ++run;
        } else if (run != 0) {
          const byte_view bytes(grain - (run << shift), static_cast<std::size_t>(run << shift));
          const std::uint64_t end = layout.grain_sector(stored) << sector_shift;
          if (failure f = detail::append_grains(sink, end, bytes)) return f;
          stored += run;
          run = 0;
        }
      }
    }
    if (table.used()) {
      const std::uint64_t primary = layout.table_sector(t);
      const std::uint64_t redundant = layout.redundant_table_sector(t);
      if (failure f = sink.write_at(primary << sector_shift, table.bytes())) return f;
      if (failure f = sink.write_at(redundant << sector_shift, table.bytes())) return f;
      table.clear();
    }
  }
  for (const region& directory : {layout.directory(), layout.redundant_directory()}) {
    placed_sink<K> out(sink, directory.first_byte());
    if (failure f =
            detail::write_directory(out, layout.geometry(), directory.end_sector(), scratch.table))
      return f;
  }
  return stored;
}

}  // namespace vmdk

// ---- vmdk/writer/sparse_append.hpp

namespace vmdk {

/// Writes a sparse extent into a sink that only appends. Its tables come before its grains, so the
/// source is walked first to learn which grains hold data, and again for the grains; when there is
/// no room to remember one bit a grain, also once for each copy of the tables.
template <Source S>
class sparse_appender {
 public:
  /// The buffer of `scratch` holds at least one grain; one bit a grain more saves two walks. All
  /// belongs to the caller and outlives this object.
  constexpr sparse_appender(S& source, const sparse_layout& layout,
                            sparse_scratch& scratch) noexcept
      : source_(&source), layout_(&layout), scratch_(&scratch), buffer_(scratch.buffer) {
    const std::uint64_t map_bytes = layout.table_count() * bits_bytes;
    const std::uint64_t grain_bytes = layout.geometry().grain_bytes();
    if (scratch.buffer.size() >= grain_bytes && scratch.buffer.size() - grain_bytes >= map_bytes) {
      map_ = scratch.buffer.last(static_cast<std::size_t>(map_bytes));
      buffer_ = scratch.buffer.first(scratch.buffer.size() - map_.size());
      zero_bytes(map_);
    }
  }

  /// Walks the source for the first time. Gives the number of grains that will be stored.
  /// Errors: errc::workspace_too_small; errc::extent_too_large; those of the source.
  [[nodiscard]] constexpr result<std::uint64_t> survey(grain_scanner scanner) noexcept {
    if (failure f = detail::check_scratch(*layout_, *scratch_)) return f;
    seen first;
    const failure f = walk(scanner, [&](std::uint64_t grain, const std::byte*) -> failure {
      if (first.grains == layout_->max_stored_grains()) {
        return detail::does_not_fit(*layout_, grain);
      }
      first.add(grain);
      if (!map_.empty()) map_.data()[grain >> 3] |= std::byte{1} << (grain & 7);
      return no_failure;
    });
    if (f) return f;
    surveyed_ = first;
    return first.grains;
  }

  /// Writes everything behind the descriptor. Call after `survey`, and after the header and the
  /// descriptor were written. A hasher gets what is written, to be compared with what was surveyed.
  /// Errors: errc::source_changed when the data is no longer where the survey saw it; those of
  /// source and sink. The sink's content is then of no use.
  template <Sink K>
  [[nodiscard]] constexpr failure write(K& sink, content_hasher* hasher) noexcept {
    const bool redundant_first =
        layout_->redundant_directory().first_sector < layout_->directory().first_sector;
    for (const bool redundant : {redundant_first, !redundant_first}) {
      const region tables = redundant ? layout_->redundant_tables() : layout_->tables();
      if (failure f = detail::write_directory(sink, layout_->geometry(), tables.first_sector,
                                              scratch_->table)) {
        return f;
      }
      if (failure f = write_tables(sink)) return f;
    }
    const std::uint64_t end =
        larger_of(layout_->tables().end_sector(), layout_->redundant_tables().end_sector());
    if (failure f = put_zeros(sink, (layout_->overhead_sectors() - end) << sector_shift)) return f;

    seen now;
    const unsigned shift = layout_->geometry().grain_byte_shift();
    const failure f = walk(grain_scanner(layout_->geometry(), hasher),
                           [&](std::uint64_t grain, const std::byte* bytes) -> failure {
                             now.add(grain);
                             return sink.write(byte_view(bytes, std::size_t{1} << shift));
                           });
    return f ? f : same_as_surveyed(now);
  }

 private:
  static constexpr std::uint64_t bits_bytes = entries_per_table / 8;

  /// Which grains a walk saw, in few bytes: enough to notice that a later walk saw others.
  struct seen {
    std::uint64_t grains = 0;
    std::uint64_t fingerprint = 0;

    constexpr void add(std::uint64_t grain) noexcept {
      ++grains;
      fingerprint = (fingerprint ^ grain) * 0x100000001B3;
    }
  };

  [[nodiscard]] constexpr failure same_as_surveyed(const seen& now) const noexcept {
    const bool same = now.grains == surveyed_.grains && now.fingerprint == surveyed_.fingerprint;
    return same ? no_failure : source_failure(errc::source_changed, 0);
  }

  /// Calls `data(grain, bytes)` for each grain that holds data.
  template <class Data>
  [[nodiscard]] constexpr failure walk(grain_scanner scanner, Data&& data) noexcept {
    const unsigned shift = layout_->geometry().grain_byte_shift();
    grain_stream<S> grains(*source_, layout_->geometry(), buffer_);
    for (;;) {
      const auto chunk = grains.next(layout_->grain_count());
      if (!chunk) return chunk.error();
      if (chunk->grains == 0) return no_failure;
      for (std::uint64_t i = 0; i < chunk->grains; ++i) {
        const std::byte* const bytes = chunk->bytes + (i << shift);
        if (!scanner.holds_data(bytes, chunk->first_grain + i)) continue;
        if (failure f = data(chunk->first_grain + i, bytes)) return f;
      }
    }
  }

  template <Sink K>
  [[nodiscard]] constexpr failure write_tables(K& sink) noexcept {
    detail::table_builder table(scratch_->table.data());
    std::uint64_t written = 0;  // tables
    seen now;
    // Tables up to the one of this grain are complete.
    const auto complete_until = [&](std::uint64_t table_index) -> failure {
      while (written < table_index) {
        if (failure f = table.used() ? sink.write(table.bytes()) : put_zeros(sink, table_bytes)) {
          return f;
        }
        if (table.used()) table.clear();
        ++written;
      }
      return no_failure;
    };
    const auto stored = [&](std::uint64_t grain) -> failure {
      if (failure f = complete_until(grain >> sparse_geometry::table_shift)) return f;
      table.set(grain, layout_->grain_sector(now.grains));
      now.add(grain);
      return no_failure;
    };
    if (map_.empty()) {
      const failure f =
          walk(grain_scanner(layout_->geometry(), nullptr),
               [&](std::uint64_t grain, const std::byte*) -> failure { return stored(grain); });
      if (f) return f;
    } else {
      const std::byte* const map = map_.data();
      for (std::uint64_t at = 0; at < map_.size(); ++at) {
        for (unsigned bit = 0; map[at] != std::byte{0} && bit < 8; ++bit) {
          if ((map[at] >> bit & std::byte{1}) == std::byte{0}) continue;
          if (failure f = stored(at * 8 + bit)) return f;
        }
      }
    }
    if (failure f = complete_until(layout_->table_count())) return f;
    return same_as_surveyed(now);
  }

  S* source_;
  const sparse_layout* layout_;
  sparse_scratch* scratch_;
  byte_span buffer_;  ///< The scratch buffer less the map.
  byte_span map_{};   ///< One bit a grain, or nothing.
  seen surveyed_{};
};

}  // namespace vmdk

// ---- vmdk/writer/sparse.hpp

namespace vmdk {
namespace detail {

using sparse_plan = file_plan<sparse_layout>;

/// Writes descriptor and header, which make an image of what lies behind them. The header comes
/// last, behind a barrier: a file that was cut short is no image. Errors: those of the sink.
template <SeekableSink K>
[[nodiscard]] constexpr failure write_sparse_head(K& sink, const sparse_plan& plan) noexcept {
  const sector_image header = encode(plan.layout.make_header());
  const region descriptor = plan.layout.descriptor();
  placed_sink<K> out(sink, descriptor.first_byte());
  if (failure f = write_embedded_descriptor(out, plan.fields, plan.extent, descriptor.bytes())) {
    return f;
  }
  if constexpr (Flushable<K>) {
    if (failure f = sink.flush()) return f;
  }
  if (failure f = sink.write_at(0, header)) return f;
  if constexpr (Flushable<K>) {
    if (failure f = sink.flush()) return f;
  }
  return no_failure;
}

/// One monolithicSparse file, for any grain size (SPEC 4).
template <Source S, Sink K>
[[nodiscard]] constexpr result<write_report> write_monolithic_sparse(
    S& source, K& sink, const write_options& options, std::uint32_t grain_sectors,
    sparse_scratch scratch) noexcept {
  auto planned = plan_file<sparse_layout>(
      source.size(), options, create_type::monolithic_sparse,
      sparse_layout_options{.grain_sectors = grain_sectors,
                            .capacity = options.capacity,
                            .order = options.like_mkimg ? directory_order::primary_first
                                                        : directory_order::redundant_first});
  if (!planned) return planned.error();
  sparse_plan& plan = *planned;
  const sparse_layout& layout = plan.layout;

  content_hasher hasher;
  const grain_scanner scanner(layout.geometry(), needs_content(options) ? &hasher : nullptr);
  write_report report{.source_bytes = source.size(), .capacity_bytes = layout.capacity_bytes()};

  if constexpr (SeekableSink<K>) {
    const auto stored = write_sparse_body(source, sink, layout, scanner, scratch);
    if (!stored) return stored.error();
    if (failure f = finish_source(source)) return f;
    report.stored_grains = *stored;
    plan.fields.id = report.id = choose_id(options, hasher.finish());
    if (failure f = write_sparse_head(sink, plan)) return f;
  } else if constexpr (FinishingSource<S>) {
    // The tables precede the grains, and a stream cannot be read twice.
    return source_failure(errc::source_not_seekable, 0);
  } else {
    sparse_appender<S> appender(source, layout, scratch);
    const auto stored = appender.survey(scanner);
    if (!stored) return stored.error();
    report.stored_grains = *stored;
    plan.fields.id = report.id = choose_id(options, hasher.finish());
    encode(layout.make_header(), scratch.table.data());
    if (failure f = sink.write(scratch.table.template first<sector_bytes>())) return f;
    if (failure f = write_embedded_descriptor(sink, plan.fields, plan.extent,
                                              layout.descriptor().bytes())) {
      return f;
    }
    content_hasher written;
    if (failure f = appender.write(sink, needs_content(options) ? &written : nullptr)) return f;
    // The id that was announced must be that of what was written.
    if (needs_content(options) && written.finish() != hasher.finish()) {
      return source_failure(errc::source_changed, 0);
    }
  }
  report.file_bytes = layout.file_bytes(report.stored_grains).value();
  return report;
}

}  // namespace detail

/// Writes one monolithicSparse file.
///
/// Into a SeekableSink the source is walked once, and a forward_source will do; into one that only
/// appends it is walked at least twice. Errors: errc::capacity_zero, errc::capacity_too_large,
/// errc::grain_size_invalid, errc::option_invalid (detail: a descriptor_problem) and
/// errc::workspace_too_small before anything is written; errc::extent_too_large when the data would
/// pass 2^32 sectors; errc::source_changed, errc::source_not_seekable; those of source and sink.
/// Source: SPEC 3, 4, 6, 12, 14.
template <std::uint32_t GrainSectors>
struct writer<monolithic_sparse<GrainSectors>> {
  template <Source S, Sink K>
  [[nodiscard]] static constexpr result<write_report> write(
      S& source, K& sink, const write_options& options,
      workspace<monolithic_sparse<GrainSectors>>& memory) noexcept {
    return detail::write_monolithic_sparse(
        source, sink, options, detail::grain_of<monolithic_sparse<GrainSectors>>(options),
        {.table = memory.table, .buffer = memory.buffer()});
  }
};

}  // namespace vmdk

// ---- vmdk/constant/image.hpp

namespace vmdk {

/// As the last argument of constant_image: the compiler was told to take more steps than it does by
/// default (-fconstexpr-ops-limit and -fconstexpr-loop-limit, or -fconstexpr-steps).
struct raised_limits {};

namespace detail {

/// What compilers take with the limits that they have by default: grains, the data of the whole
/// disk, and that of a grain which is compressed.
inline constexpr std::uint32_t constant_grain_limit_sectors = 128;
inline constexpr std::uint64_t constant_data_limit_bytes = 65536;
inline constexpr std::uint64_t constant_compressed_limit_bytes = 16384;
inline constexpr std::uint64_t every_byte = ~std::uint64_t{0};

struct usual_options {
  constexpr write_options operator()() const noexcept { return {}; }
};

/// How an image of a type is made a constant.
template <class Type, class... Codec>
struct constant_writer {
  static_assert(sizeof(Type) == 0,
                "vmdk: a constant image is a monolithic_sparse<GRAIN>, or a "
                "stream_optimized<GRAIN> with an encoder, GRAIN being known");
};

template <std::uint32_t GrainSectors>
  requires(GrainSectors != dynamic_grain)
struct constant_writer<monolithic_sparse<GrainSectors>> {
  template <class Content>
  static constexpr bool is_within_limits =
      GrainSectors <= constant_grain_limit_sectors &&
      most_data_in_a_grain<Content>(every_byte) <= constant_data_limit_bytes;

  template <class Content, Sink K>
  [[nodiscard]] static constexpr result<write_report> write(K& sink, const write_options& options) {
    auto disk = constant_disk<Content>();
    workspace<monolithic_sparse<GrainSectors>> memory{};
    return vmdk::write<monolithic_sparse<GrainSectors>>(disk, sink, options, memory);
  }
};

template <std::uint32_t GrainSectors, class E>
  requires(GrainSectors != dynamic_grain)
struct constant_writer<stream_optimized<GrainSectors>, E> {
  static_assert(ConstantEncoder<E>,
                "vmdk: the encoder of a constant image must work in constant expressions, as "
                "vmdk::stored, vmdk::small_deflate and vmdk::deflate do");
  template <class Content>
  static constexpr bool is_within_limits =
      GrainSectors <= constant_grain_limit_sectors &&
      most_data_in_a_grain<Content>(every_byte) <= constant_data_limit_bytes &&
      (std::is_same_v<E, stored> || most_data_in_a_grain<Content>(GrainSectors * sector_bytes) <=
                                        constant_compressed_limit_bytes);

  template <class Content, Sink K>
  [[nodiscard]] static constexpr result<write_report> write(K& sink, const write_options& options) {
    auto disk = constant_disk<Content>();
    auto plan = plan_stream(disk.size(), options, GrainSectors);
    if (!plan) return plan.error();
    std::byte table[stream_memory::marked_table_bytes]{};
    constexpr std::uint64_t directory_bytes =
        constant_grains<Content, GrainSectors>::layout.directory_memory_bytes();
    std::byte directory[directory_bytes]{};
    constant_packer<Content, GrainSectors, E> packer{};
    return write_stream(disk, sink, options, *plan, {.table = table, .directory = directory},
                        packer);
  }
};

/// Tells what stands in the way of a constant image; the compiler shows the code.
template <errc Code>
consteval void refuse() {
  static_assert(Code != errc::capacity_zero, "vmdk: the disk of a constant image is empty");
  static_assert(Code != errc::capacity_too_large && Code != errc::extent_too_large,
                "vmdk: the disk is too large for an image of this type and grain size");
  static_assert(Code != errc::option_invalid,
                "vmdk: an option of the constant image must not stand in a descriptor");
  static_assert(Code == errc::none, "vmdk: the constant image cannot be written; see the errc");
}

template <class Writer, class Content, class Options>
inline constexpr auto constant_report = [] {
  counting_sink sink;
  return Writer::template write<Content>(sink, Options{}());
}();

/// Makes sure that an image can be a constant, and gives the report of its writing.
template <class Type, class Writer, class Content, class Options, bool Raised>
[[nodiscard]] consteval write_report check_constant() {
  static_assert(ConstantContent<Content>,
                "vmdk: the content of a constant image is a lambda without captures that returns a "
                "std::array of bytes or a Source");
  refuse<layout<Type>::for_capacity(constant_disk<Content>().size()).error().code>();
  constexpr bool can_be_made = Raised || Writer::template is_within_limits<Content>;
  static_assert(can_be_made,
                "vmdk: compilers' default limits allow for constant images with 64 KiB of data, 16 "
                "KiB in a grain that is compressed, in grains of at most 64 KiB; leave zeros to a "
                "zero_source, or raise the limits and say so with vmdk::raised_limits{}");
  if constexpr (can_be_made) {
    constexpr auto& report = constant_report<Writer, Content, Options>;
    refuse<report.error().code>();
    return *report;
  } else {
    return {};
  }
}

}  // namespace detail

/// Computes the size of the whole file that constant_image makes of the same arguments.
template <class Type, class... Codec, class Content, class Options = detail::usual_options,
          class... Raised>
[[nodiscard]] consteval std::uint64_t constant_file_bytes(Content /*content*/,
                                                          Options /*options*/ = {},
                                                          Raised... /*raised*/) {
  using writer = detail::constant_writer<Type, Codec...>;
  return detail::check_constant<Type, writer, Content, Options, sizeof...(Raised) != 0>()
      .file_bytes;
}

/// Makes the whole file of an image a constant: a std::array of exactly the file's size, with the
/// bytes that `write` gives at run time. `content` is a lambda without captures, because the
/// array's size depends on what it returns: a std::array of bytes, or a Source, whose parts then
/// are constants themselves. So is `options`, which returns write_options.
///
/// Whatever stands in the way is an error of the compiler. Compilers' default limits allow for
/// disks with 64 KiB of data, 16 KiB in a grain that is compressed; holes cost nothing in a Source
/// that knows them.
template <class Type, class... Codec, class Content, class Options = detail::usual_options,
          class... Raised>
[[nodiscard]] consteval auto constant_image(Content content, Options options = {},
                                            Raised... raised) {
  using writer = detail::constant_writer<Type, Codec...>;
  constexpr std::uint64_t bytes =
      constant_file_bytes<Type, Codec...>(Content{}, Options{}, Raised{}...);
  static_cast<void>(content), static_cast<void>(options), (static_cast<void>(raised), ...);
  std::array<std::byte, bytes> file{};
  memory_sink sink{byte_span(file)};
  static_cast<void>(writer::template write<Content>(sink, Options{}()));
  return file;
}

}  // namespace vmdk

// ---- vmdk/core/error_sentences.hpp

namespace vmdk::detail {

struct error_sentence {
  errc code;
  std::string_view text;
};

/// What each code means, for a user's eyes. In the order of errc.
inline constexpr error_sentence error_sentences[] = {
    {errc::none, "nothing failed"},
    // Reading and writing bytes.
    {errc::read_failed, "reading failed"},
    {errc::write_failed, "writing failed"},
    {errc::out_of_range, "the range lies outside the disk or file"},
    {errc::unexpected_end, "the input ended before its stated size; was it cut or changed?"},
    {errc::source_too_long, "the input goes on after its stated size"},
    {errc::source_changed, "the input changed while it was read"},
    {errc::source_not_seekable, "the input can only be read once, front to back; use a file"},
    {errc::sink_full, "the destination has no room left"},
    {errc::workspace_too_small, "the memory given for this is too small"},
    {errc::not_supported, "this input or destination cannot do what is needed"},
    {errc::cancelled, "stopped because another part of the work failed"},

    // The sparse extent header and the footer.
    {errc::header_truncated, "the file is too short to be a VMDK"},
    {errc::magic_invalid, "this is not a VMDK: the file does not start with KDMV"},
    {errc::magic_unfinished, "the program that wrote this image never finished it"},
    {errc::version_unsupported, "the image's version is not 1, 2 or 3"},
    {errc::flags_unknown, "the image uses a feature that is not known"},
    {errc::markers_without_compression,
     "the header states markers but no compression, which cannot be"},
    {errc::compression_without_markers,
     "the grains are compressed without markers, which no program writes"},
    {errc::compression_algorithm_invalid,
     "the compression algorithm contradicts the header's flags"},
    {errc::newline_bytes_damaged,
     "the file was damaged by a transfer in text mode; copy it again in binary mode"},
    {errc::capacity_zero, "the disk has no sectors"},
    {errc::capacity_too_large, "the disk is larger than its format or its grain size allows"},
    {errc::grain_size_invalid, "the grain size is not a power of two"},
    {errc::grain_size_too_large,
     "the grain size is larger than 1 GiB, or than 2 MiB where grains are compressed"},
    {errc::grain_size_unusual, "the grain size is one that no known program writes"},
    {errc::grain_size_large, "the grain size is larger than some programs read"},
    {errc::entries_per_table_invalid, "the grain tables do not have 512 entries"},
    {errc::directory_offset_invalid, "the grain directory lies outside the file"},
    {errc::directory_overlap, "the grain directory overlaps other metadata"},
    {errc::redundant_offset_invalid, "the redundant grain directory lies outside the file"},
    {errc::redundant_overlap, "the redundant grain directory overlaps other metadata"},
    {errc::redundant_shared,
     "the redundant grain directory is the primary one, so there is no second copy"},
    {errc::descriptor_offset_invalid, "the embedded descriptor lies outside the file"},
    {errc::descriptor_size_invalid, "the embedded descriptor is empty or too large"},
    {errc::overhead_outside_file, "the file ends before its metadata does; it was cut"},
    {errc::overhead_too_small, "the header states less metadata than there is"},
    {errc::unclean_shutdown, "the image was not closed properly by its last writer"},
    {errc::header_padding_not_zero, "the header's padding is not zero"},
    {errc::zeroed_grains_need_version_2,
     "a version 1 image uses zeroed grains, which came with version 2"},
    {errc::capacity_not_whole_grains, "the disk does not end on a grain boundary"},
    {errc::footer_missing, "the footer is missing from the end of the file"},
    {errc::footer_mismatch, "header and footer contradict each other"},
    {errc::footer_marker_invalid, "the marker before the footer is damaged"},
    {errc::footer_directory_invalid, "the footer has no usable grain directory"},
    {errc::end_of_stream_invalid, "the file does not end with an end-of-stream marker"},
    {errc::embedded_descriptor_missing,
     "the file has no descriptor; open the text descriptor that names it instead"},

    // Directories, tables, grains, markers.
    {errc::directory_entry_invalid,
     "a grain directory entry points into other metadata or past the end of the file"},
    {errc::directory_entry_zero, "a grain table is missing"},
    {errc::directory_entry_duplicate, "two grain directory entries name one table"},
    {errc::directory_tail_not_zero, "grain directory entries past the last table are used"},
    {errc::table_overlap, "a grain table overlaps other data"},
    {errc::grain_below_overhead, "a grain table entry points into the metadata"},
    {errc::grain_past_end, "a grain table entry points past the end of the file"},
    {errc::grain_zeroed_not_allowed,
     "a grain table entry is 1, but the image does not allow zeroed grains"},
    {errc::grain_duplicate, "two grain table entries name one grain"},
    {errc::grain_overlap, "two grains share sectors"},
    {errc::grain_metadata_overlap, "a grain overlaps the metadata"},
    {errc::grain_unaligned, "a grain does not start on a grain boundary"},
    {errc::table_tail_not_zero, "grain table entries past the end of the disk are used"},
    {errc::directories_differ, "a grain table is missing in one of the two copies"},
    {errc::tables_differ, "the two copies of a grain table entry differ"},
    {errc::marker_invalid, "a marker in the stream is damaged"},
    {errc::marker_lba_mismatch, "a grain's marker names another place of the disk"},
    {errc::marker_lba_not_ascending, "the grains of the stream are out of order"},
    {errc::marker_size_invalid, "a compressed grain is empty or too large"},
    {errc::marker_padding_not_zero, "the padding of a marker or grain is not zero"},
    {errc::stream_data_after_end, "data follows the end of the stream"},
    {errc::stream_end_missing, "the stream has no end; it was cut"},
    {errc::stream_tables_mismatch, "a grain table contradicts the grains before it"},
    {errc::stream_gap,
     "zero sectors stand between the grains, where sequential readers see the end"},
    {errc::stream_end_padded, "zero sectors follow the end of the stream"},
    {errc::last_grain_short,
     "the last grain was not padded before it was compressed, so that some programs refuse it"},

    // Descriptors.
    {errc::descriptor_signature_missing,
     "the descriptor does not start with \"# Disk DescriptorFile\""},
    {errc::descriptor_empty, "the descriptor is empty"},
    {errc::descriptor_too_long, "the descriptor is longer than 1 MiB"},
    {errc::descriptor_nul_inside, "the descriptor goes on after a zero byte"},
    {errc::descriptor_padding_not_zero, "the space behind the descriptor is not zero"},
    {errc::descriptor_control_character, "the descriptor has a control character"},
    {errc::descriptor_line_end_invalid, "the descriptor has a carriage return inside a line"},
    {errc::descriptor_line_end_unusual, "the descriptor's lines end as on Windows"},
    {errc::descriptor_line_too_long, "a line of the descriptor is too long"},
    {errc::descriptor_line_invalid, "a line of the descriptor is no comment, no key and no extent"},
    {errc::descriptor_blanks_unusual,
     "the descriptor has tabs or blanks that some programs refuse"},
    {errc::descriptor_not_utf8, "the descriptor is not valid UTF-8"},
    {errc::descriptor_encoding_unknown,
     "the descriptor's names are in an encoding that cannot be converted"},
    {errc::descriptor_encrypted, "the disk is encrypted"},
    {errc::descriptor_too_many_keys, "the descriptor has too many keys"},
    {errc::descriptor_key_duplicate, "a key of the descriptor is given twice"},
    {errc::descriptor_key_case,
     "a key of the descriptor has the wrong case, so that programs disagree on it"},
    {errc::descriptor_key_hidden,
     "a comment, name or value of the descriptor hides a key that some programs obey"},
    {errc::descriptor_key_unknown, "a key of the descriptor is not known"},
    {errc::descriptor_section_order, "the descriptor's sections are out of order"},
    {errc::descriptor_value_invalid, "the quotes of a value do not match"},
    {errc::descriptor_value_unquoted, "a value has no quotes"},
    {errc::descriptor_value_case, "a word of the descriptor has the wrong case"},
    {errc::descriptor_version_missing, "the descriptor states no version"},
    {errc::descriptor_version_invalid, "the descriptor's version is not 1, 2 or 3"},
    {errc::descriptor_cid_missing, "the descriptor has no CID"},
    {errc::descriptor_cid_invalid, "a content id is not 1 to 8 hexadecimal digits"},
    {errc::descriptor_cid_reserved, "the CID is ffffffff, which stands for no parent"},
    {errc::descriptor_cid_order, "parentCID stands before CID, which some programs mix up"},
    {errc::descriptor_parent_cid_missing, "the descriptor has no parentCID"},
    {errc::descriptor_parent_hint_missing, "the descriptor states a parent but not its file name"},
    {errc::descriptor_parent_contradiction,
     "the descriptor names a parent's file but states no parent"},
    {errc::descriptor_parent_by_uuid,
     "the disk's parent is known by its UUID alone, as VirtualBox has it; it cannot be found"},
    {errc::descriptor_create_type_missing, "the descriptor has no createType"},
    {errc::descriptor_create_type_unknown, "the createType is not known"},
    {errc::descriptor_create_type_misplaced,
     "the createType does not belong where this descriptor is"},
    {errc::descriptor_create_type_mismatch, "the extents do not match the createType"},
    {errc::descriptor_extent_missing, "the descriptor has no extent"},
    {errc::descriptor_extent_fields, "a field of an extent is missing or damaged"},
    {errc::descriptor_extent_extra, "an extent has more fields than usual"},
    {errc::descriptor_extent_type_unknown, "an extent's type is not known"},
    {errc::descriptor_extent_sectors, "an extent's size is no number, zero or too large"},
    {errc::descriptor_extent_offset, "an extent's offset is not possible"},
    {errc::descriptor_extent_offset_unusual,
     "an extent has an offset that other programs refuse, or lacks one"},
    {errc::descriptor_extent_name_unusual,
     "the embedded descriptor's file name is not a plain name"},
    {errc::descriptor_extent_name_path,
     "an extent's file name is a path or empty; only plain names are opened"},
    {errc::descriptor_embedded_extents,
     "an embedded descriptor must have exactly one extent, of type SPARSE"},
    {errc::descriptor_ddb_missing, "the descriptor has no disk data base"},
    {errc::descriptor_ddb_prefix_missing, "a key lacks its \"ddb.\""},
    {errc::descriptor_ddb_value_invalid, "a value of the disk data base is not possible"},
    {errc::descriptor_capacity_mismatch,
     "the descriptor states another size of the disk than the header"},
    {errc::descriptor_compression_mismatch,
     "the createType does not say rightly whether the grains are compressed"},

    // Codecs.
    {errc::stream_truncated, "a compressed grain ends early"},
    {errc::stream_header_invalid, "a compressed grain has no zlib header"},
    {errc::stream_dictionary, "a compressed grain asks for a dictionary"},
    {errc::stream_block_invalid, "a compressed grain is damaged (block)"},
    {errc::stream_code_invalid, "a compressed grain is damaged (code)"},
    {errc::stream_symbol_invalid, "a compressed grain is damaged (symbol)"},
    {errc::stream_output_overrun, "a compressed grain holds more than a grain"},
    {errc::stream_output_short, "a compressed grain holds less than a grain"},
    {errc::stream_input_left, "bytes are left over behind a compressed grain"},
    {errc::stream_checksum, "the checksum of a compressed grain is wrong"},
    {errc::codec_failed, "compressing or decompressing failed"},
    {errc::codec_not_available, "this program was built without the needed codec"},
    {errc::encoded_too_large, "a compressed grain does not fit the memory given for it"},

    // Layouts, writers and their options.
    {errc::option_invalid, "an option has a value that the image cannot hold"},
    {errc::extent_too_large,
     "the image would be larger than its 32-bit sector numbers allow (2 TiB of data)"},
    {errc::content_exceeds_capacity, "the input is larger than the disk"},

    // COWD and seSparse extents.
    {errc::cowd_magic_invalid, "this is not a COWD (vmfsSparse) extent"},
    {errc::cowd_version_unsupported, "the COWD extent's version is not 1"},
    {errc::cowd_flags_invalid, "the COWD extent's flags are not those of its version"},
    {errc::cowd_grain_size_invalid,
     "the COWD extent's grain size is not a power of two from 1 to 2048 sectors"},
    {errc::cowd_directory_size_invalid,
     "the COWD extent's grain directory does not match the disk's size"},
    {errc::cowd_free_sector_invalid,
     "the COWD extent's next free sector is in use or behind the end of the file"},
    {errc::cowd_zeroed_grain, "a COWD grain table entry is 1, which programs disagree on"},
    {errc::sesparse_magic_invalid, "this is not a seSparse extent"},
    {errc::sesparse_version_unsupported, "the seSparse extent's version is not 2.1"},
    {errc::sesparse_grain_size_invalid, "the seSparse extent's grain size is not 4 KiB"},
    {errc::sesparse_table_size_invalid, "the seSparse extent's grain tables are not of 32 KiB"},
    {errc::sesparse_flags_unknown, "the seSparse extent uses a feature that is not known"},
    {errc::sesparse_reserved_unusual,
     "a reserved field of the seSparse header has a value that some programs refuse"},
    {errc::sesparse_reserved_not_zero, "a reserved field of a seSparse header is not zero"},
    {errc::sesparse_region_outside_file,
     "a region of the seSparse extent lies outside the file; was it cut?"},
    {errc::sesparse_region_overlap, "two regions of the seSparse extent overlap"},
    {errc::sesparse_region_too_small,
     "a region of the seSparse extent is too small for what must be in it"},
    {errc::sesparse_grains_outside_file,
     "the seSparse extent's room for grains goes on behind the end of the file"},
    {errc::sesparse_volatile_magic_invalid, "the seSparse extent's volatile header is damaged"},
    {errc::sesparse_dirty, "the seSparse image was not closed properly; open it once in ESXi"},
    {errc::sesparse_entry_invalid, "a seSparse grain table entry is of no known kind"},

    // Names, files and chains.
    {errc::name_not_allowed, "a file name inside the image is not a plain name"},
    {errc::file_not_found, "there is no such file"},
    {errc::file_not_regular, "this is not a regular file"},
    {errc::extent_too_short, "an extent's file is shorter than the descriptor says"},
    {errc::extent_no_access, "the descriptor forbids access to an extent"},
    {errc::extent_type_unsupported, "extents of this type cannot be read"},
    {errc::extent_mismatch, "an extent's file contradicts the descriptor"},
    {errc::extent_rounded_up, "the last extent's header is rounded up from the descriptor's size"},
    {errc::extent_is_descriptor, "the descriptor names itself as one of its extents"},
    {errc::extent_overlap, "two extents of the disk share bytes of one file"},
    {errc::extent_count_invalid, "the image has more extents than there is room for"},
    {errc::parent_missing, "the parent of this delta disk is needed and missing"},
    {errc::parent_modified, "the parent was modified after this delta disk was made"},
    {errc::parent_capacity_differs, "the parent has another capacity"},
    {errc::chain_too_deep, "the chain of parents is longer than there is room for"},
    {errc::chain_loop, "the chain of parents leads back to itself"},
    {errc::already_exists, "the destination exists already"},
};

}  // namespace vmdk::detail

// ---- vmdk/core/to_string.hpp

namespace vmdk {

/// Says in one sentence what a code means, for a user's eyes: no full stop, no line end. Codes of a
/// caller's own are "an error of the caller's own code"; their text is the caller's.
[[nodiscard]] constexpr std::string_view to_string(errc code) noexcept {
  using namespace std::string_view_literals;
  for (const detail::error_sentence& sentence : detail::error_sentences) {
    if (sentence.code == code) return sentence.text;
  }
  return code >= errc::caller_first ? "an error of the caller's own code"sv : "an unknown error"sv;
}

/// Says whose failure it is, to stand before or after a sentence.
[[nodiscard]] constexpr std::string_view to_string(origin from) noexcept {
  using namespace std::string_view_literals;
  switch (from) {
    case origin::none:
      return "none"sv;
    case origin::source:
      return "source"sv;
    case origin::sink:
      return "sink"sv;
    case origin::codec:
      return "codec"sv;
    case origin::image:
      return "image"sv;
    case origin::files:
      return "files"sv;
    case origin::options:
      return "options"sv;
  }
  return "unknown"sv;
}

}  // namespace vmdk

// ---- vmdk/core/version.hpp

namespace vmdk {

/// The version of the library and of its program. The build files take it from this line or are
/// tested to agree with it.
inline constexpr std::string_view library_version = "0.1.0";

}  // namespace vmdk

// ---- vmdk/format/descriptor_padding.hpp

namespace vmdk {

/// Where a descriptor's text comes from.
enum class descriptor_place : std::uint8_t {
  embedded,   ///< Out of a sparse file: names are never opened, zeros fill the rest.
  text_file,  ///< A file of its own.
};

namespace detail {

/// Judges what stands behind a descriptor's text, from the zero byte that ends it on. Zeros fill
/// the sectors of an embedded text, and the first sector of a text file that qemu-img writes. When
/// QEMU makes the content id shorter it moves the text forward, and the text's last bytes stay
/// where they were (SPEC 6).
class descriptor_padding {
 public:
  constexpr void add(char c) noexcept {
    if (c != '\0') {
      if (first_ == nowhere) first_ = size_;
      last_ = size_;
    }
    if (size_ < begin_.size()) begin_.data()[size_] = c;
    ++size_;
  }

  /// The rule of SPEC 13.4 that is broken, or none.
  [[nodiscard]] constexpr errc broken_rule(std::string_view text,
                                           descriptor_place place) const noexcept {
    if (first_ == nowhere) return errc::none;
    return place == descriptor_place::embedded || repeats_end_of(text)
               ? errc::descriptor_padding_not_zero
               : errc::descriptor_nul_inside;
  }

  /// The place of the first byte that is not zero, from the end of the text, where there is one.
  [[nodiscard]] constexpr std::size_t broken_at() const noexcept { return first_; }

 private:
  // Of the eight digits of a content id up to seven can be lost, and one byte is the zero.
  static constexpr std::size_t longest_rest = 6;
  static constexpr std::size_t nowhere = std::numeric_limits<std::size_t>::max();

  /// A text has no zero byte, so neither has what may be its end.
  [[nodiscard]] constexpr bool repeats_end_of(std::string_view text) const noexcept {
    if (last_ > longest_rest || last_ > text.size()) return false;
    for (std::size_t i = 1; i <= last_; ++i) {
      if (begin_.data()[i] != text.data()[text.size() - last_ - 1 + i]) return false;
    }
    return true;
  }

  std::array<char, 1 + longest_rest> begin_{};
  std::size_t size_ = 0;
  std::size_t first_ = nowhere;
  std::size_t last_ = 0;
};

}  // namespace detail

}  // namespace vmdk

// ---- vmdk/format/descriptor_text_check.hpp

namespace vmdk::detail {

/// Hands findings on, and remembers whether the text is still usable and whether to go on.
template <class Report>
class finding_log {
 public:
  constexpr explicit finding_log(Report& report) noexcept : report_(&report) {}

  constexpr void add(errc code, std::size_t offset) noexcept {
    if (stopped_) return;
    stopped_ = !(*report_)(code, offset);
    if ((stopped_ || severity_of(code) == severity::error) && !why_) {
      why_ = image_failure(code, offset);
    }
  }
  /// Adds a finding that is worth telling once a text.
  constexpr void add_first(errc code, std::size_t offset, bool& told) noexcept {
    if (!told) add(code, offset);
    told = true;
  }

  [[nodiscard]] constexpr bool stopped() const noexcept { return stopped_; }
  /// Why the text is not usable.
  [[nodiscard]] constexpr failure why() const noexcept { return why_; }

 private:
  Report* report_;
  failure why_{};
  bool stopped_ = false;
};

/// The text before its padding.
template <class Report>
[[nodiscard]] constexpr std::string_view without_padding(std::string_view bytes,
                                                         descriptor_place place,
                                                         finding_log<Report>& log) noexcept {
  std::size_t end = 0;
  while (end < bytes.size() && bytes.data()[end] != '\0') ++end;
  const std::string_view text = part(bytes, 0, end);
  descriptor_padding padding;
  for (std::size_t i = end; i < bytes.size(); ++i) padding.add(bytes.data()[i]);
  if (const errc broken = padding.broken_rule(text, place); broken != errc::none) {
    log.add(broken, end + padding.broken_at());
  }
  return text;
}

/// Checks what must hold for every character and line. Returns the offset of the first character
/// that is not ASCII, or the size.
template <class Report>
constexpr std::size_t check_characters(std::string_view text, finding_log<Report>& log) noexcept {
  bool control_told = false;
  bool line_end_told = false;
  bool unusual_end_told = false;
  bool tab_told = false;
  bool length_told = false;
  std::size_t first_not_ascii = text.size();
  std::size_t line_begin = 0;
  const char* p = text.data();
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = p[i];
    if (c == '\n') {
      line_begin = i + 1;
    } else if (i - line_begin >= descriptor_line_max_bytes) {
      log.add_first(errc::descriptor_line_too_long, line_begin, length_told);
    }
    if (c == '\r') {
      if (i + 1 == text.size() || p[i + 1] != '\n') {
        log.add_first(errc::descriptor_line_end_invalid, i, line_end_told);
      } else {
        log.add_first(errc::descriptor_line_end_unusual, i, unusual_end_told);
      }
    } else if (c == '\t') {
      log.add_first(errc::descriptor_blanks_unusual, i, tab_told);
    } else if (is_control(c) && c != '\n') {
      log.add_first(errc::descriptor_control_character, i, control_told);
    } else if (!is_ascii(c) && first_not_ascii == text.size()) {
      first_not_ascii = i;
    }
  }
  return first_not_ascii;
}

/// Checks that the characters from the first that is not ASCII on are what the encoding has.
template <class Report>
constexpr void check_encoding(std::string_view text, std::size_t first_not_ascii,
                              text_encoding encoding, finding_log<Report>& log) noexcept {
  if (first_not_ascii == text.size()) return;
  if (encoding == text_encoding::other) {
    log.add(errc::descriptor_encoding_unknown, first_not_ascii);
  } else if (encoding == text_encoding::utf_8) {
    const std::size_t good = utf8_prefix_bytes(part(text, first_not_ascii));
    if (first_not_ascii + good != text.size()) {
      log.add(errc::descriptor_not_utf8, first_not_ascii + good);
    }
  }
}

}  // namespace vmdk::detail

// ---- vmdk/format/descriptor_lines.hpp

namespace vmdk::detail {

/// A line of a descriptor without its end.
struct text_line {
  std::size_t offset = 0;
  std::string_view text{};
};

/// Walks over lines that end in LF or CR LF; the last may end with the text.
class line_reader {
 public:
  constexpr line_reader() noexcept = default;
  constexpr explicit line_reader(std::string_view text, std::size_t from = 0) noexcept
      : text_(text), next_(from) {}

  /// False at the end, with `line` untouched.
  constexpr bool next(text_line& line) noexcept {
    if (next_ >= text_.size()) return false;
    const std::size_t begin = next_;
    const char* p = text_.data();
    std::size_t end = begin;
    while (end < text_.size() && p[end] != '\n') ++end;
    next_ = end + 1;
    if (end < text_.size() && end > begin && p[end - 1] == '\r') --end;
    line = {begin, part(text_, begin, end - begin)};
    return true;
  }

  /// The offset of the line after the last one.
  [[nodiscard]] constexpr std::size_t position() const noexcept {
    return next_ < text_.size() ? next_ : text_.size();
  }

 private:
  std::string_view text_{};
  std::size_t next_ = 0;
};

/// The line's text from its first character that is no blank.
[[nodiscard]] constexpr std::string_view without_indent(std::string_view text) noexcept {
  while (!text.empty() && is_blank(text.front())) text = part(text, 1);
  return text;
}

/// A line "key = value", cut into pieces.
struct entry_parts {
  std::string_view key{};    ///< As it is, with "ddb.".
  std::string_view value{};  ///< Without its quotes.
  bool quoted = false;
  bool spaced = false;         ///< Blanks stand around the '='.
  bool value_is_good = false;  ///< Quotes stand at both ends or nowhere.
};

/// Cuts a line at its first '='; false when there is none, or no single word before it.
[[nodiscard]] constexpr bool split_entry(std::string_view line, entry_parts& parts) noexcept {
  std::size_t at = 0;
  const char* p = line.data();
  while (at < line.size() && p[at] != '=') ++at;
  if (at == line.size()) return false;
  parts.key = trimmed(part(line, 0, at));
  if (parts.key.empty()) return false;
  for (std::size_t i = 0; i < parts.key.size(); ++i) {
    const char c = parts.key.data()[i];
    if (is_blank(c) || c == '"') return false;
  }
  std::string_view value = part(line, at + 1);
  parts.spaced = is_blank(line.data()[at - 1]) || (!value.empty() && is_blank(value.front()));
  value = trimmed(value);
  parts.quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
  parts.value = parts.quoted ? part(value, 1, value.size() - 2) : value;
  parts.value_is_good = true;
  for (std::size_t i = 0; i < parts.value.size(); ++i) {
    if (parts.value.data()[i] == '"') parts.value_is_good = false;
  }
  return true;
}

/// What a line says that only encrypted disks have, wherever it stands and however long it is;
/// empty where there is none.
[[nodiscard]] constexpr std::string_view find_encryption(std::string_view text) noexcept {
  line_reader lines(text);
  text_line line;
  entry_parts parts;
  while (lines.next(line)) {
    if (split_entry(line.text, parts) && same_ignoring_case(parts.key, encryption_key) &&
        !parts.value.empty()) {
      return parts.value;
    }
  }
  return {};
}

[[nodiscard]] constexpr bool has_ddb_prefix(std::string_view key) noexcept {
  return key.size() > ddb_prefix.size() && starts_with_ignoring_case(key, ddb_prefix);
}

/// The key of an entry of the disk data base, without "ddb.".
[[nodiscard]] constexpr std::string_view without_ddb_prefix(std::string_view key) noexcept {
  return has_ddb_prefix(key) ? part(key, ddb_prefix.size()) : key;
}

/// A field of an extent line.
struct token {
  std::string_view text{};  ///< Without quotes; empty at the end of the line.
  bool quoted = false;
  bool is_good = true;  ///< A quote stands at both ends or nowhere.
  [[nodiscard]] constexpr bool is_missing() const noexcept { return text.empty() && !quoted; }
};

/// Takes the next field off a line.
[[nodiscard]] constexpr token take_token(std::string_view& rest) noexcept {
  rest = without_indent(rest);
  token field;
  std::size_t end = 0;
  if (!rest.empty() && rest.front() == '"') {
    end = 1;
    while (end < rest.size() && rest.data()[end] != '"') ++end;
    field.quoted = true;
    field.text = part(rest, 1, end - 1);
    field.is_good = end < rest.size();
    if (field.is_good) ++end;
    field.is_good = field.is_good && (end == rest.size() || is_blank(rest.data()[end]));
  } else {
    while (end < rest.size() && !is_blank(rest.data()[end])) {
      if (rest.data()[end] == '"') field.is_good = false;
      ++end;
    }
    field.text = part(rest, 0, end);
  }
  rest = part(rest, end);
  return field;
}

/// True for a line whose first word says how an extent may be used.
[[nodiscard]] constexpr bool is_extent_line(std::string_view line) noexcept {
  const token first = take_token(line);
  return !first.quoted && find_word(extent_access_words, first.text).found;
}

}  // namespace vmdk::detail

// ---- vmdk/format/extent_parser.hpp

namespace vmdk::detail {

/// What a line of the extent section says, and what is odd about it.
struct parsed_extent {
  extent_line line{};
  errc error = errc::none;     ///< Why it is no extent.
  std::string_view culprit{};  ///< The piece of the line that the error is about.
  bool has_unusual_word = false;
  bool has_unusual_offset = false;
  bool has_more_fields = false;

  constexpr void fail(errc code, std::string_view where) noexcept {
    if (error != errc::none) return;
    error = code;
    culprit = where;
  }
};

/// The words before the name: access, sectors, type.
constexpr void parse_extent_words(std::string_view& rest, parsed_extent& parsed) noexcept {
  const token access = take_token(rest);
  const token sectors = take_token(rest);
  const token type = take_token(rest);
  if (sectors.quoted || type.quoted || type.is_missing()) {
    parsed.fail(errc::descriptor_extent_fields, access.text);
    return;
  }
  const auto access_match = find_word(extent_access_words, access.text);
  const auto type_match = find_word(extent_type_words, type.text);
  if (!read_decimal(sectors.text, parsed.line.sectors) || parsed.line.sectors == 0 ||
      parsed.line.sectors > capacity_limit_sectors) {
    parsed.fail(errc::descriptor_extent_sectors, sectors.text);
  }
  if (!type_match.found) parsed.fail(errc::descriptor_extent_type_unknown, type.text);
  parsed.line.access = access_match.value;
  parsed.line.type = type_match.value;
  parsed.has_unusual_word = !access_match.exact || !type_match.exact;
}

/// The number behind the name. What it would mean with a sparse type nobody knows, unless it is 0.
constexpr void parse_extent_offset(const token& field, parsed_extent& parsed) noexcept {
  extent_line& line = parsed.line;
  line.has_offset = !field.is_missing();
  parsed.has_unusual_offset = line.has_offset != (line.type == extent_type::flat);
  if (!line.has_offset) return;
  if (field.quoted || !read_decimal(field.text, line.offset_sectors) ||
      line.offset_sectors > capacity_limit_sectors ||
      (line.offset_sectors != 0 && !may_have_offset(line.type))) {
    parsed.fail(errc::descriptor_extent_offset, field.text);
  }
}

/// Parses a line that is_extent_line took for one (SPEC 6).
[[nodiscard]] constexpr parsed_extent parse_extent(std::string_view line) noexcept {
  // VMware names a partition with "partitionUUID ID deviceId ID".
  constexpr int most_fields_behind = 4;
  parsed_extent parsed;
  std::string_view rest = line;
  parse_extent_words(rest, parsed);
  if (parsed.error != errc::none) return parsed;
  if (parsed.line.type == extent_type::zero) {
    if (!trimmed(rest).empty()) parsed.fail(errc::descriptor_extent_fields, trimmed(rest));
    return parsed;
  }
  const token name = take_token(rest);
  if (!name.quoted || !name.is_good) {
    parsed.fail(errc::descriptor_extent_fields, name.text);
    return parsed;
  }
  parsed.line.name.stem = name.text;
  parse_extent_offset(take_token(rest), parsed);
  for (int fields = 0;; ++fields) {
    const token more = take_token(rest);
    if (more.is_missing()) break;
    parsed.has_more_fields = true;
    if (!more.is_good || fields == most_fields_behind) {
      parsed.fail(errc::descriptor_extent_fields, more.text);
      break;
    }
  }
  return parsed;
}

}  // namespace vmdk::detail

// ---- vmdk/format/descriptor_ranges.hpp

namespace vmdk {

/// One "key = value" of a descriptor.
struct descriptor_entry {
  std::string_view key{};    ///< Without "ddb.".
  std::string_view value{};  ///< Without quotes.
  std::size_t offset = 0;    ///< Where its line starts in the text.
};

/// The end of a walk over lines.
struct end_of_lines {};

namespace detail {

/// Where the sections of a descriptor's text are.
struct descriptor_sections {
  std::string_view text{};
  std::size_t header_end = 0;
  std::size_t tail_begin = 0;  ///< Behind the extents: the disk data base, and changeTrackPath.
};

enum class entry_section : std::uint8_t { header, ddb };

}  // namespace detail

/// Walks over the entries of one section. Entries are parsed again from their lines; nothing is
/// stored.
class entry_iterator {
 public:
  using value_type = descriptor_entry;
  using difference_type = std::ptrdiff_t;

  constexpr entry_iterator() noexcept = default;
  constexpr entry_iterator(const detail::descriptor_sections& sections,
                           detail::entry_section wanted) noexcept
      : sections_(sections),
        wanted_(wanted),
        lines_(sections.text, wanted == detail::entry_section::header ? 0 : sections.tail_begin) {
    ++*this;
  }

  [[nodiscard]] constexpr const descriptor_entry& operator*() const noexcept { return entry_; }
  [[nodiscard]] constexpr const descriptor_entry* operator->() const noexcept { return &entry_; }

  constexpr entry_iterator& operator++() noexcept {
    detail::text_line line;
    for (;;) {
      if (lines_.position() >= sections_.header_end && lines_.position() < sections_.tail_begin) {
        lines_ = detail::line_reader(sections_.text, sections_.tail_begin);
      }
      if (!lines_.next(line)) break;
      if (is_wanted(line)) return *this;
    }
    at_end_ = true;
    return *this;
  }
  constexpr entry_iterator operator++(int) noexcept {
    const entry_iterator before = *this;
    ++*this;
    return before;
  }

  [[nodiscard]] friend constexpr bool operator==(const entry_iterator& a,
                                                 const entry_iterator& b) noexcept {
    return a.at_end_ == b.at_end_ && (a.at_end_ || a.entry_.offset == b.entry_.offset);
  }
  [[nodiscard]] friend constexpr bool operator==(const entry_iterator& a, end_of_lines) noexcept {
    return a.at_end_;
  }

 private:
  constexpr bool is_wanted(const detail::text_line& line) noexcept {
    const std::string_view text = detail::without_indent(line.text);
    detail::entry_parts parts;
    if (text.empty() || text.front() == '#' || !detail::split_entry(text, parts)) return false;
    const bool is_ddb = line.offset >= sections_.tail_begin &&
                        !detail::same_ignoring_case(parts.key, detail::change_track_key);
    if (is_ddb != (wanted_ == detail::entry_section::ddb)) return false;
    entry_ = {is_ddb ? detail::without_ddb_prefix(parts.key) : parts.key, parts.value, line.offset};
    return true;
  }

  detail::descriptor_sections sections_{};
  detail::entry_section wanted_ = detail::entry_section::header;
  detail::line_reader lines_{};
  descriptor_entry entry_{};
  bool at_end_ = false;
};

/// Walks over the extents of a descriptor that was parsed, front to back of the disk.
class extent_iterator {
 public:
  using value_type = extent_line;
  using difference_type = std::ptrdiff_t;

  constexpr extent_iterator() noexcept = default;
  constexpr explicit extent_iterator(const detail::descriptor_sections& sections) noexcept
      : lines_(detail::part(sections.text, 0, sections.tail_begin), sections.header_end) {
    ++*this;
  }

  [[nodiscard]] constexpr const extent_line& operator*() const noexcept { return extent_; }
  [[nodiscard]] constexpr const extent_line* operator->() const noexcept { return &extent_; }

  constexpr extent_iterator& operator++() noexcept {
    detail::text_line line;
    while (lines_.next(line)) {
      if (!detail::is_extent_line(line.text)) continue;
      extent_ = detail::parse_extent(line.text).line;
      offset_ = line.offset;
      return *this;
    }
    at_end_ = true;
    return *this;
  }
  constexpr extent_iterator operator++(int) noexcept {
    const extent_iterator before = *this;
    ++*this;
    return before;
  }

  [[nodiscard]] friend constexpr bool operator==(const extent_iterator& a,
                                                 const extent_iterator& b) noexcept {
    return a.at_end_ == b.at_end_ && (a.at_end_ || a.offset_ == b.offset_);
  }
  [[nodiscard]] friend constexpr bool operator==(const extent_iterator& a, end_of_lines) noexcept {
    return a.at_end_;
  }

  /// Where the present extent's line starts in the text.
  [[nodiscard]] constexpr std::size_t line_offset() const noexcept { return offset_; }

 private:
  detail::line_reader lines_{};
  extent_line extent_{};
  std::size_t offset_ = 0;
  bool at_end_ = false;
};

/// The entries of one section, as a range.
class entry_range {
 public:
  constexpr entry_range(const detail::descriptor_sections& sections,
                        detail::entry_section wanted) noexcept
      : sections_(sections), wanted_(wanted) {}
  [[nodiscard]] constexpr entry_iterator begin() const noexcept { return {sections_, wanted_}; }
  [[nodiscard]] constexpr end_of_lines end() const noexcept { return {}; }

  /// The entry of that key, in whatever case; one with an empty key when there is none.
  [[nodiscard]] constexpr descriptor_entry find(std::string_view key) const noexcept {
    for (entry_iterator at = begin(); at != end_of_lines{}; ++at) {
      if (detail::same_ignoring_case(at->key, key)) return *at;
    }
    return {};
  }

 private:
  detail::descriptor_sections sections_;
  detail::entry_section wanted_;
};

/// The extents of a descriptor, as a range.
class extent_range {
 public:
  constexpr explicit extent_range(const detail::descriptor_sections& sections) noexcept
      : sections_(sections) {}
  [[nodiscard]] constexpr extent_iterator begin() const noexcept {
    return extent_iterator(sections_);
  }
  [[nodiscard]] constexpr end_of_lines end() const noexcept { return {}; }

 private:
  detail::descriptor_sections sections_;
};

}  // namespace vmdk

// ---- vmdk/format/descriptor_view.hpp

namespace vmdk {
namespace detail {

/// What a parser keeps of a descriptor; everything else is looked up in the text again.
struct descriptor_facts {
  descriptor_sections sections{};
  std::uint32_t version = 1;
  std::uint32_t cid = 0;
  std::uint32_t parent_cid = no_parent_cid;
  vmdk::create_type type = vmdk::create_type::unknown;
  text_encoding encoding = text_encoding::utf_8;
  std::size_t extent_count = 0;
  std::uint64_t total_sectors = 0;
};

}  // namespace detail

/// A descriptor that was parsed (SPEC 6). Owns nothing: the text must live as long as the view and
/// all that comes out of it. Names and values are the bytes of the text; `name_to_utf8` converts
/// them. A look-up costs one walk over a section of the text.
class descriptor_view {
 public:
  constexpr descriptor_view() noexcept = default;
  constexpr explicit descriptor_view(const detail::descriptor_facts& facts) noexcept
      : facts_(facts) {}

  /// The text, without padding.
  [[nodiscard]] constexpr std::string_view text() const noexcept { return facts_.sections.text; }
  /// The descriptor's version, 1 to 3.
  [[nodiscard]] constexpr std::uint32_t version() const noexcept { return facts_.version; }
  [[nodiscard]] constexpr std::uint32_t cid() const noexcept { return facts_.cid; }
  [[nodiscard]] constexpr std::uint32_t parent_cid() const noexcept { return facts_.parent_cid; }
  /// True for a delta link: what it does not hold is in its parent.
  [[nodiscard]] constexpr bool has_parent() const noexcept {
    return facts_.parent_cid != no_parent_cid;
  }
  [[nodiscard]] constexpr create_type type() const noexcept { return facts_.type; }
  /// The create type as it is written.
  [[nodiscard]] constexpr std::string_view type_text() const noexcept {
    using namespace std::string_view_literals;
    return headers().find("createType"sv).value;
  }
  /// Empty where the descriptor has none.
  [[nodiscard]] constexpr std::string_view parent_file_name_hint() const noexcept {
    using namespace std::string_view_literals;
    return headers().find("parentFileNameHint"sv).value;
  }
  /// The file of changed block tracking; empty where the descriptor has none.
  [[nodiscard]] constexpr std::string_view change_track_path() const noexcept {
    return headers().find(detail::change_track_key).value;
  }
  [[nodiscard]] constexpr text_encoding encoding() const noexcept { return facts_.encoding; }

  [[nodiscard]] constexpr std::size_t extent_count() const noexcept { return facts_.extent_count; }
  /// The sum of all extents: at least 1, at most 2^54.
  [[nodiscard]] constexpr std::uint64_t total_sectors() const noexcept {
    return facts_.total_sectors;
  }
  [[nodiscard]] constexpr extent_range extents() const noexcept {
    return extent_range(facts_.sections);
  }

  /// The entries of the first section, and changeTrackPath wherever it stands.
  [[nodiscard]] constexpr entry_range headers() const noexcept {
    return {facts_.sections, detail::entry_section::header};
  }
  /// The entries of the disk data base.
  [[nodiscard]] constexpr entry_range ddb() const noexcept {
    return {facts_.sections, detail::entry_section::ddb};
  }

  /// The controller; lsilogic where the descriptor names none or one that is not known.
  [[nodiscard]] constexpr adapter controller() const noexcept {
    using namespace std::string_view_literals;
    return detail::find_word(adapter_words, ddb().find("adapterType"sv).value).value;
  }
  /// The geometry; zero in what is missing or no number.
  [[nodiscard]] constexpr geometry disk_geometry() const noexcept {
    using namespace std::string_view_literals;
    return {.cylinders = number("geometry.cylinders"sv),
            .heads = number("geometry.heads"sv),
            .sectors = number("geometry.sectors"sv)};
  }
  /// The number that an entry of the disk data base has; 0 where there is none of 32 bits.
  [[nodiscard]] constexpr std::uint32_t number(std::string_view ddb_key) const noexcept {
    std::uint64_t value = 0;
    if (!detail::read_decimal(ddb().find(ddb_key).value, value)) return 0;
    return value > 0xFFFFFFFF ? 0 : static_cast<std::uint32_t>(value);
  }

 private:
  detail::descriptor_facts facts_{};
};

}  // namespace vmdk

// ---- vmdk/format/descriptor_entry_check.hpp

namespace vmdk::detail {

/// False for a value of the disk data base that is no number, or no word that is known, where one
/// belongs (SPEC 6).
[[nodiscard]] constexpr bool is_good_ddb_value(std::string_view key,
                                               std::string_view value) noexcept {
  constexpr std::string_view number_keys[] = {
      "geometry.cylinders", "geometry.heads",       "geometry.sectors", "geometry.biosCylinders",
      "geometry.biosHeads", "geometry.biosSectors", "virtualHWVersion", "toolsVersion"};
  if (same_ignoring_case(key, "adapterType"sv)) return find_word(adapter_words, value).found;
  for (const std::string_view number_key : number_keys) {
    std::uint64_t number = 0;
    if (!same_ignoring_case(key, number_key)) continue;
    return read_decimal(value, number) && number <= 0xFFFFFFFF;
  }
  return true;
}

/// True for the UUID of nothing, as VirtualBox has it for the parent of a disk without one.
[[nodiscard]] constexpr bool is_no_uuid(std::string_view uuid) noexcept {
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    const char c = uuid.data()[i];
    if (c != '0' && c != '-' && c != ' ') return false;
  }
  return true;
}

/// Takes the values of the first section, and knows what is missing there and what contradicts.
template <class Report>
class header_checker {
 public:
  constexpr header_checker(descriptor_facts& facts, finding_log<Report>& log) noexcept
      : facts_(&facts), log_(&log) {}

  /// Takes an entry; `offset` is where its value stands.
  constexpr void take(header_key key, const entry_parts& parts, std::size_t offset) noexcept {
    switch (key) {
      case header_key::unknown:
        log_->add(errc::descriptor_key_unknown, offset);
        return;
      case header_key::version:
        take_version(parts, offset);
        return;
      case header_key::cid:
        has_cid_ = true;
        if (has_parent_cid_) log_->add(errc::descriptor_cid_order, offset);
        take_cid(parts, offset, facts_->cid);
        if (facts_->cid == no_parent_cid) log_->add(errc::descriptor_cid_reserved, offset);
        return;
      case header_key::parent_cid:
        has_parent_cid_ = true;
        take_cid(parts, offset, facts_->parent_cid);
        return;
      case header_key::create_type:
        take_type(parts.value, offset);
        break;
      case header_key::encoding:
        facts_->encoding = encoding_named(parts.value);
        has_encoding_ = true;
        break;
      case header_key::parent_file_name_hint:
        has_parent_hint_ = !parts.value.empty();
        break;
      default:
        break;
    }
    if (!parts.quoted) log_->add(errc::descriptor_value_unquoted, offset);
  }

  /// VDDK states the encoding in the disk data base only.
  constexpr void take_ddb_encoding(std::string_view value) noexcept {
    if (!has_encoding_) facts_->encoding = encoding_named(value);
  }

  /// VirtualBox knows a parent by its UUID alone: a reader that looks for a parentCID would take
  /// the difference for the disk.
  constexpr void take_ddb_parent(std::string_view uuid, std::size_t offset) noexcept {
    if (facts_->parent_cid == no_parent_cid && !is_no_uuid(uuid)) {
      log_->add(errc::descriptor_parent_by_uuid, offset);
    }
  }

  /// Reports what is missing or contradicts, at the end of the text.
  constexpr void finish(std::size_t end) noexcept {
    if (!has_version_) log_->add(errc::descriptor_version_missing, end);
    if (!has_cid_) log_->add(errc::descriptor_cid_missing, end);
    if (!has_type_) log_->add(errc::descriptor_create_type_missing, end);
    // Without a parentCID some readers open the parent that the hint names, and some do not.
    const bool has_parent = facts_->parent_cid != no_parent_cid;
    if (has_parent_hint_ && !has_parent) {
      log_->add(errc::descriptor_parent_contradiction, end);
    } else if (!has_parent_cid_) {
      log_->add(errc::descriptor_parent_cid_missing, end);
    } else if (has_parent && !has_parent_hint_) {
      log_->add(errc::descriptor_parent_hint_missing, end);
    }
  }

 private:
  constexpr void take_version(const entry_parts& parts, std::size_t offset) noexcept {
    std::uint64_t number = 0;
    has_version_ = true;
    if (parts.quoted || !read_decimal(parts.value, number) || number == 0 || number > 3) {
      log_->add(errc::descriptor_version_invalid, offset);
      return;
    }
    facts_->version = static_cast<std::uint32_t>(number);
  }

  constexpr void take_cid(const entry_parts& parts, std::size_t offset,
                          std::uint32_t& cid) noexcept {
    if (parts.quoted || !read_hex(parts.value, cid)) {
      log_->add(errc::descriptor_cid_invalid, offset);
    }
  }

  constexpr void take_type(std::string_view word, std::size_t offset) noexcept {
    if (word.empty()) return;
    has_type_ = true;
    const auto type = find_word(create_type_words, word);
    facts_->type = type.value;
    if (!type.found) log_->add(errc::descriptor_create_type_unknown, offset);
    if (type.found && !type.exact) log_->add(errc::descriptor_value_case, offset);
  }

  descriptor_facts* facts_;
  finding_log<Report>* log_;
  bool has_version_ = false;
  bool has_cid_ = false;
  bool has_parent_cid_ = false;
  bool has_parent_hint_ = false;
  bool has_type_ = false;
  bool has_encoding_ = false;
};

}  // namespace vmdk::detail

// ---- vmdk/format/descriptor_parser.hpp

namespace vmdk {
namespace detail {

/// One walk over a descriptor's text that finds every rule it breaks (SPEC 13.4).
template <class Report>
class descriptor_parser {
 public:
  constexpr descriptor_parser(Report& report, descriptor_place place) noexcept
      : log_(report), place_(place) {}
  descriptor_parser(const descriptor_parser&) = delete;
  descriptor_parser& operator=(const descriptor_parser&) = delete;

  constexpr result<descriptor_view> parse(std::string_view bytes) noexcept {
    if (bytes.size() > descriptor_max_bytes) {
      log_.add(errc::descriptor_too_long, descriptor_max_bytes);
      return log_.why();
    }
    text_ = without_padding(bytes, place_, log_);
    if (trimmed(text_).empty()) {
      log_.add(errc::descriptor_empty, 0);
      return log_.why();
    }
    // Its line may be longer than others: what is wrong with it is not its length.
    const std::string_view encryption = find_encryption(text_);
    if (!encryption.empty()) log_.add(errc::descriptor_encrypted, at(encryption));
    const std::size_t first_not_ascii = check_characters(text_, log_);
    if (!log_.stopped()) take_lines();
    if (!log_.stopped()) finish();
    if (!log_.stopped()) check_encoding(text_, first_not_ascii, facts_.encoding, log_);
    if (log_.why()) return log_.why();
    return descriptor_view(facts_);
  }

 private:
  constexpr void take_lines() noexcept {
    line_reader lines(text_);
    text_line line;
    while (!log_.stopped() && lines.next(line)) {
      const std::string_view text = without_indent(line.text);
      if (line.offset == 0 && trimmed(line.text) != descriptor_signature) {
        log_.add(errc::descriptor_signature_missing, 0);
      }
      if (text.empty()) continue;
      if (text.size() != line.text.size()) unusual_blanks(line.offset);
      entry_parts parts;
      if (text.front() == '#') {
        check_hidden_keys(text);
      } else if (is_extent_line(text)) {
        check_hidden_keys(text);
        take_extent(text, lines.position());
      } else if (split_entry(text, parts)) {
        take_entry(text, parts);
      } else {
        log_.add(errc::descriptor_line_invalid, line.offset);
      }
    }
  }

  constexpr void take_extent(std::string_view line, std::size_t next_line) noexcept {
    if (in_tail_) return log_.add(errc::descriptor_section_order, at(line));
    const parsed_extent parsed = parse_extent(line);
    const extent_line& extent = parsed.line;
    if (facts_.extent_count == 0) header_end_ = at(line);
    tail_begin_ = next_line;
    ++facts_.extent_count;
    if (parsed.error != errc::none) return log_.add(parsed.error, at(parsed.culprit));

    if (!checked_add(facts_.total_sectors, extent.sectors, facts_.total_sectors) ||
        facts_.total_sectors > capacity_limit_sectors) {
      log_.add(errc::descriptor_extent_sectors, at(line));
    }
    if (parsed.has_unusual_word) log_.add(errc::descriptor_value_case, at(line));
    if (parsed.has_unusual_offset) log_.add(errc::descriptor_extent_offset_unusual, at(line));
    if (parsed.has_more_fields) log_.add(errc::descriptor_extent_extra, at(line));
    const bool embedded = place_ == descriptor_place::embedded;
    const std::string_view name = extent.name.stem;
    if (extent.type != extent_type::zero &&
        (!is_plain_name(name) || name.size() > extent_name_max_bytes)) {
      log_.add(embedded ? errc::descriptor_extent_name_unusual : errc::descriptor_extent_name_path,
               at(name));
    }
    if (embedded && (facts_.extent_count > 1 || extent.type != extent_type::sparse)) {
      log_.add(errc::descriptor_embedded_extents, at(line));
    }
    extent_types_ |= 1u << static_cast<unsigned>(extent.type);
  }

  constexpr void take_entry(std::string_view line, const entry_parts& parts) noexcept {
    const auto key = find_word(header_key_words, parts.key);
    if (key.found && !key.exact) return log_.add(errc::descriptor_key_case, at(line));
    check_hidden_keys(key.found ? parts.value : line);
    if (!parts.value_is_good) return log_.add(errc::descriptor_value_invalid, at(parts.value));
    if (!in_tail_ && (facts_.extent_count != 0 || has_ddb_prefix(parts.key))) {
      in_tail_ = true;
      if (facts_.extent_count == 0) header_end_ = tail_begin_ = at(line);
    }
    const bool is_header = key.found || !in_tail_;
    if (key.found && in_tail_ && key.value != header_key::change_track_path) {
      return log_.add(errc::descriptor_section_order, at(line));
    }
    if (!is_new(is_header ? parts.key : without_ddb_prefix(parts.key), is_header, at(line))) return;
    if (is_header) {
      if (parts.spaced) unusual_blanks(at(line));
      header_.take(key.value, parts, at(key.found ? parts.value : parts.key));
    } else {
      take_ddb(parts);
    }
  }

  constexpr void take_ddb(const entry_parts& parts) noexcept {
    const std::string_view key = without_ddb_prefix(parts.key);
    if (!parts.key.starts_with(ddb_prefix)) {
      log_.add(errc::descriptor_ddb_prefix_missing, at(parts.key));
    }
    if (!is_good_ddb_value(key, parts.value)) {
      log_.add(errc::descriptor_ddb_value_invalid, at(parts.value));
    }
    if (!parts.quoted) log_.add(errc::descriptor_value_unquoted, at(parts.value));
    if (same_ignoring_case(key, "encoding"sv)) header_.take_ddb_encoding(parts.value);
    if (same_ignoring_case(key, "uuid.parent"sv)) {
      header_.take_ddb_parent(parts.value, at(parts.value));
    }
  }

  /// Looks for the key in what was read before; no more than a bounded number of times.
  constexpr bool is_new(std::string_view key, bool is_header, std::size_t offset) noexcept {
    std::size_t& count = is_header ? header_entries_ : ddb_entries_;
    const std::size_t most = is_header ? descriptor_max_header_entries : descriptor_max_ddb_entries;
    if (count == most) {
      log_.add_first(errc::descriptor_too_many_keys, offset, too_many_told_);
      return false;
    }
    ++count;
    const descriptor_sections before{part(text_, 0, offset), smaller_of(header_end_, offset),
                                     smaller_of(tail_begin_, offset)};
    const entry_range entries(before, is_header ? entry_section::header : entry_section::ddb);
    if (entries.find(key).key.empty()) return true;
    log_.add(errc::descriptor_key_duplicate, offset);
    return false;
  }

  /// Finds what is missing, and what contradicts.
  constexpr void finish() noexcept {
    const std::size_t end = text_.size();
    facts_.sections = {text_, smaller_of(header_end_, end), smaller_of(tail_begin_, end)};
    header_.finish(end);
    if (facts_.extent_count == 0) log_.add(errc::descriptor_extent_missing, end);
    if (ddb_entries_ == 0) log_.add(errc::descriptor_ddb_missing, end);
    if (facts_.type == create_type::unknown) return;
    if (has_embedded_descriptor(facts_.type) != (place_ == descriptor_place::embedded)) {
      log_.add(errc::descriptor_create_type_misplaced, end);
    }
    bool matches = facts_.extent_count < 2 || !has_single_extent(facts_.type);
    for (const auto& type : extent_type_words) {
      const bool seen = (extent_types_ >> static_cast<unsigned>(type.value) & 1) != 0;
      matches = matches && (!seen || fits(facts_.type, type.value));
    }
    if (!matches) log_.add(errc::descriptor_create_type_mismatch, end);
  }

  constexpr void check_hidden_keys(std::string_view text) noexcept {
    const std::size_t found = find_hidden_key(text);
    if (found != text.size()) log_.add(errc::descriptor_key_hidden, at(text) + found);
  }

  constexpr void unusual_blanks(std::size_t offset) noexcept {
    log_.add_first(errc::descriptor_blanks_unusual, offset, blanks_told_);
  }

  /// Where a piece of the text stands in it.
  [[nodiscard]] constexpr std::size_t at(std::string_view piece) const noexcept {
    return static_cast<std::size_t>(piece.data() - text_.data());
  }

  finding_log<Report> log_;
  descriptor_place place_;
  std::string_view text_{};
  descriptor_facts facts_{};
  header_checker<Report> header_{facts_, log_};
  std::size_t header_end_ = descriptor_max_bytes;
  std::size_t tail_begin_ = descriptor_max_bytes;
  std::size_t header_entries_ = 0;
  std::size_t ddb_entries_ = 0;
  unsigned extent_types_ = 0;
  bool in_tail_ = false;
  bool blanks_told_ = false;
  bool too_many_told_ = false;
};

}  // namespace detail

/// Parses a descriptor and reports every rule that it breaks: `report(errc, offset) -> bool`, the
/// offset in bytes from the start of the text; false ends the parsing (SPEC 6, 13.4).
/// Gives a view when no error was found and `report` always wanted more; else the first error, or
/// the finding that ended it. A caller adds the place of the text in its file to the offset.
template <class Report>
constexpr result<descriptor_view> check_descriptor(std::string_view text, descriptor_place place,
                                                   Report& report) noexcept {
  return detail::descriptor_parser<Report>(report, place).parse(text);
}

/// Parses a descriptor as a reader does. Text behind the first zero byte is padding.
/// Errors: the first descriptor_* code of an error (SPEC 13.4), in strict mode also of a warning,
/// with its offset in the text.
[[nodiscard]] constexpr result<descriptor_view> parse_descriptor(
    std::string_view text, descriptor_place place,
    strictness mode = strictness::tolerant) noexcept {
  first_refusal refusal(mode);
  return check_descriptor(text, place, refusal);
}

}  // namespace vmdk

// ---- vmdk/io/append_only.hpp

namespace vmdk {

/// Lets another Sink, which the caller owns and keeps alive, be written at its end only, as a pipe
/// would be. HoleSink and Flushable where that one is. Failures pass unchanged.
template <Sink S>
class append_only_sink {
 public:
  constexpr explicit append_only_sink(S& inner) noexcept : inner_(&inner) {}

  /// Adds bytes at the end. Errors: those of the inner sink.
  constexpr failure write(byte_view bytes) noexcept { return inner_->write(bytes); }

  /// Leaves a hole at the end. Errors: those of the inner sink.
  constexpr failure skip(std::uint64_t n) noexcept
    requires HoleSink<S>
  {
    return inner_->skip(n);
  }

  /// Puts a barrier. Errors: those of the inner sink.
  constexpr failure flush() noexcept
    requires Flushable<S>
  {
    return inner_->flush();
  }

 private:
  S* inner_;
};

}  // namespace vmdk

// ---- vmdk/io/concat.hpp

namespace vmdk {

namespace detail {

template <std::size_t Index, Source S>
struct concat_part {
  S* source;
};

template <class Indices, Source... S>
class concat_parts;

template <std::size_t... Index, Source... S>
class concat_parts<std::index_sequence<Index...>, S...> : concat_part<Index, S>... {
 public:
  constexpr explicit concat_parts(S&... parts) noexcept : concat_part<Index, S>{&parts}... {}

  /// Calls visit(source, index) for each part in turn, as long as it returns true.
  template <class Visit>
  constexpr void each(Visit visit) const noexcept {
    (void)(visit(*static_cast<const concat_part<Index, S>&>(*this).source,
                 static_cast<std::uint32_t>(Index)) &&
           ...);
  }
};

}  // namespace detail

/// Reads several Sources, which the caller owns and keeps alive, as one after the other.
/// SparseSource where one of them is.
///
/// A part's failure keeps its cause and its offset in that part; `index`, where the part left it 0,
/// says which part. errc::out_of_range of the whole carries the offset in the whole.
template <Source... S>
  requires(sizeof...(S) != 0)
class concat_source {
 public:
  constexpr explicit concat_source(S&... parts) noexcept : parts_(parts...) {}

  /// The sum of the parts' sizes; it must be less than 2^64.
  [[nodiscard]] constexpr std::uint64_t size() const noexcept {
    std::uint64_t sum = 0;
    parts_.each([&](const auto& part, std::uint32_t) {
      if (checked_add(sum, part.size(), sum)) return true;
      sum = (std::numeric_limits<std::uint64_t>::max)();
      return false;
    });
    return sum;
  }

  /// Reads from each part that has a share in the range. Errors: errc::out_of_range, and those of
  /// the parts.
  constexpr failure read_at(std::uint64_t offset, byte_span out) noexcept {
    if (!fits_inside(offset, out.size(), size())) {
      return source_failure(errc::out_of_range, offset);
    }
    failure why;
    parts_.each([&](auto& part, std::uint32_t index) {
      const std::uint64_t part_bytes = std::as_const(part).size();
      if (offset >= part_bytes) {
        offset -= part_bytes;
        return true;
      }
      const auto share =
          static_cast<std::size_t>(smaller_of<std::uint64_t>(out.size(), part_bytes - offset));
      if (share != 0) why = of_part(part.read_at(offset, out.first(share)), index);
      out = out.subspan(share);
      offset = 0;
      return !why && !out.empty();
    });
    return why;
  }

  /// Finds data; runs that touch across parts are one. Errors: errc::out_of_range, and those of the
  /// parts.
  constexpr result<range> next_data(std::uint64_t offset) noexcept
    requires(SparseSource<S> || ...)
  {
    const std::uint64_t size_bytes = size();
    if (offset > size_bytes) return source_failure(errc::out_of_range, offset);
    range found{size_bytes, 0};
    failure why;
    std::uint64_t end = 0;
    parts_.each([&](auto& part, std::uint32_t index) {
      const std::uint64_t start = end;
      end += std::as_const(part).size();
      if (offset >= end) return true;
      const result<range> piece = next_data_of(part, offset > start ? offset - start : 0);
      if (!piece) {
        why = of_part(piece.error(), index);
        return false;
      }
      if (piece->bytes == 0) return found.bytes == 0;
      if (found.bytes == 0) {
        found = {start + piece->offset, piece->bytes};
      } else if (start + piece->offset == found.end()) {
        found.bytes += piece->bytes;
      }
      return found.end() == end;
    });
    if (why) return why;
    return found;
  }

 private:
  static constexpr failure of_part(failure why, std::uint32_t index) noexcept {
    if (why && why.index == 0) why.index = index;
    return why;
  }

  detail::concat_parts<std::index_sequence_for<S...>, S...> parts_;
};

}  // namespace vmdk

// ---- vmdk/io/forward.hpp

namespace vmdk {

/// Reads a SequentialSource of a stated size as a Source whose offsets may only ascend. The inner
/// source is the caller's, who keeps it alive and reads nothing from it meanwhile.
///
/// Bytes between two ranges are read and dropped, through 512 bytes of stack. A failure of the
/// stream, or its early end, sticks: every later call returns it. Failures carry offsets from where
/// this object began.
template <SequentialSource S>
class forward_source {
 public:
  constexpr forward_source(S& inner, std::uint64_t size_bytes) noexcept
      : inner_(&inner), size_bytes_(size_bytes) {}

  [[nodiscard]] constexpr std::uint64_t size() const noexcept { return size_bytes_; }

  /// The offset that the stream has reached.
  [[nodiscard]] constexpr std::uint64_t position() const noexcept { return position_; }

  /// Reads at an offset not below position(). Errors: errc::out_of_range and
  /// errc::source_not_seekable (offset: the one asked for), after either of which the object is as
  /// good as before; errc::unexpected_end (offset: where the stream ended), and those of the
  /// stream.
  constexpr failure read_at(std::uint64_t offset, byte_span out) noexcept {
    if (failed_) return failed_;
    if (!fits_inside(offset, out.size(), size_bytes_)) {
      return source_failure(errc::out_of_range, offset);
    }
    if (out.empty()) return no_failure;
    if (offset < position_) return source_failure(errc::source_not_seekable, offset);
    if (failure why = drop_until(offset)) return why;
    return fill(out);
  }

  /// Drops what is left up to size() and makes sure that the stream ends there. Errors:
  /// errc::unexpected_end, errc::source_too_long (offset: size()), and those of the stream.
  constexpr failure finish() noexcept {
    if (failed_) return failed_;
    if (failure why = drop_until(size_bytes_)) return why;
    std::byte more[1]{};
    const result<std::size_t> got = inner_->read(byte_span(more));
    if (!got) return fail(got.error());
    if (*got != 0) return fail(source_failure(errc::source_too_long, size_bytes_));
    return no_failure;
  }

 private:
  constexpr failure drop_until(std::uint64_t offset) noexcept {
    std::byte dropped[512]{};
    while (position_ < offset) {
      const std::uint64_t left_bytes = offset - position_;
      const auto n = static_cast<std::size_t>(smaller_of<std::uint64_t>(left_bytes, 512));
      if (failure why = fill(byte_span(dropped).first(n))) return why;
    }
    return no_failure;
  }

  constexpr failure fill(byte_span out) noexcept {
    while (!out.empty()) {
      const result<std::size_t> got = inner_->read(out);
      if (!got) return fail(got.error());
      if (*got == 0) return fail(source_failure(errc::unexpected_end, position_));
      position_ += *got;
      out = out.subspan(*got);
    }
    return no_failure;
  }

  constexpr failure fail(failure why) noexcept {
    failed_ = why;
    return why;
  }

  S* inner_;
  std::uint64_t size_bytes_;
  std::uint64_t position_ = 0;
  failure failed_{};
};

}  // namespace vmdk

// ---- vmdk/io/generator.hpp

namespace vmdk {

/// Can fill a span with the bytes at an offset; returns nothing, or a failure.
template <class F>
concept Generator = std::invocable<F&, std::uint64_t, byte_span> &&
                    (std::is_void_v<std::invoke_result_t<F&, std::uint64_t, byte_span>> ||
                     std::same_as<std::invoke_result_t<F&, std::uint64_t, byte_span>, failure>);

/// Reads bytes that a function makes up: `make(offset, span)` fills the span, whose range lies
/// inside the size. The same offset must always give the same bytes. The function must not throw.
template <Generator F>
class generator_source {
 public:
  constexpr generator_source(std::uint64_t size_bytes, F make) noexcept
      : size_bytes_(size_bytes), make_(std::move(make)) {}

  [[nodiscard]] constexpr std::uint64_t size() const noexcept { return size_bytes_; }

  /// Has the bytes made. Errors: errc::out_of_range, and those that the function returns.
  constexpr failure read_at(std::uint64_t offset, byte_span out) noexcept {
    if (!fits_inside(offset, out.size(), size_bytes_)) {
      return source_failure(errc::out_of_range, offset);
    }
    if constexpr (std::is_void_v<std::invoke_result_t<F&, std::uint64_t, byte_span>>) {
      make_(offset, out);
      return no_failure;
    } else {
      return make_(offset, out);
    }
  }

 private:
  std::uint64_t size_bytes_;
  F make_;
};

}  // namespace vmdk

// ---- vmdk/io/padded.hpp

namespace vmdk {

/// Reads another Source, which the caller owns and keeps alive, followed by zeros up to a size.
/// SparseSource: the zeros are a hole, and those of the inner source are kept.
template <Source S>
class padded_source {
 public:
  /// Pads to `size_bytes`; a smaller number than the inner size pads nothing and cuts nothing.
  constexpr padded_source(S& inner, std::uint64_t size_bytes) noexcept
      : inner_(&inner), size_bytes_(larger_of(size_bytes, inner_bytes())) {}

  [[nodiscard]] constexpr std::uint64_t size() const noexcept { return size_bytes_; }

  /// Reads the inner source's share and zeros the rest. Errors: errc::out_of_range, and those of
  /// the inner source.
  constexpr failure read_at(std::uint64_t offset, byte_span out) noexcept {
    if (!fits_inside(offset, out.size(), size_bytes_)) {
      return source_failure(errc::out_of_range, offset);
    }
    const std::uint64_t left_bytes = offset < inner_bytes() ? inner_bytes() - offset : 0;
    const auto share = static_cast<std::size_t>(smaller_of<std::uint64_t>(left_bytes, out.size()));
    if (share != 0) {
      if (failure why = inner_->read_at(offset, out.first(share))) return why;
    }
    zero_bytes(out.subspan(share));
    return no_failure;
  }

  /// Finds the inner source's data. Errors: errc::out_of_range, and those of the inner source.
  constexpr result<range> next_data(std::uint64_t offset) noexcept {
    if (offset > size_bytes_) return source_failure(errc::out_of_range, offset);
    if (offset >= inner_bytes()) return range{size_bytes_, 0};
    const result<range> found = next_data_of(*inner_, offset);
    if (found && found->bytes == 0) return range{size_bytes_, 0};
    return found;
  }

 private:
  [[nodiscard]] constexpr std::uint64_t inner_bytes() const noexcept {
    return static_cast<const S*>(inner_)->size();
  }

  S* inner_;
  std::uint64_t size_bytes_;
};

}  // namespace vmdk

// ---- vmdk/io/slice.hpp

namespace vmdk {

/// Reads a run of bytes of another Source, which the caller owns and keeps alive. SparseSource and
/// MappedSource where that one is.
///
/// Failures carry offsets of the inner source, also errc::out_of_range: what lies outside the
/// slice, and everything when the slice itself does not lie inside the inner source.
template <Source S>
class slice_source {
 public:
  constexpr slice_source(S& inner, std::uint64_t offset, std::uint64_t size_bytes) noexcept
      : inner_(&inner), start_(offset), size_bytes_(size_bytes) {}

  [[nodiscard]] constexpr std::uint64_t size() const noexcept { return size_bytes_; }

  /// Reads from the inner source. Errors: errc::out_of_range, and those of the inner source.
  constexpr failure read_at(std::uint64_t offset, byte_span out) noexcept {
    if (!fits_inside(offset, out.size(), size_bytes_) || !is_inside()) return outside(offset);
    return inner_->read_at(start_ + offset, out);
  }

  /// Finds data, as the inner source sees it. Errors: errc::out_of_range, and those of the inner
  /// source.
  constexpr result<range> next_data(std::uint64_t offset) noexcept
    requires SparseSource<S>
  {
    if (offset > size_bytes_ || !is_inside()) return outside(offset);
    const result<range> found = inner_->next_data(start_ + offset);
    if (!found) return found.error();
    const std::uint64_t end = start_ + size_bytes_;
    if (found->bytes == 0 || found->offset >= end) return range{size_bytes_, 0};
    return range{found->offset - start_, smaller_of(found->bytes, end - found->offset)};
  }

  /// Gives n bytes in place; none at all when they do not lie inside size().
  [[nodiscard]] constexpr byte_view view(std::uint64_t offset, std::size_t n) noexcept
    requires MappedSource<S>
  {
    if (!fits_inside(offset, n, size_bytes_) || !is_inside()) return {};
    return inner_->view(start_ + offset, n);
  }

 private:
  [[nodiscard]] constexpr bool is_inside() const noexcept {
    return fits_inside(start_, size_bytes_, static_cast<const S*>(inner_)->size());
  }

  [[nodiscard]] constexpr failure outside(std::uint64_t offset) const noexcept {
    std::uint64_t inner_offset = (std::numeric_limits<std::uint64_t>::max)();
    (void)checked_add(start_, offset, inner_offset);
    return source_failure(errc::out_of_range, inner_offset);
  }

  S* inner_;
  std::uint64_t start_;
  std::uint64_t size_bytes_;
};

}  // namespace vmdk

// ---- vmdk/io/zero.hpp

namespace vmdk {

/// Reads as zeros. SparseSource: one hole.
class zero_source {
 public:
  constexpr zero_source() noexcept = default;
  constexpr explicit zero_source(std::uint64_t size_bytes) noexcept : size_bytes_(size_bytes) {}

  [[nodiscard]] constexpr std::uint64_t size() const noexcept { return size_bytes_; }

  /// Fills with zeros. Errors: errc::out_of_range.
  constexpr failure read_at(std::uint64_t offset, byte_span out) const noexcept {
    if (!fits_inside(offset, out.size(), size_bytes_)) {
      return source_failure(errc::out_of_range, offset);
    }
    zero_bytes(out);
    return no_failure;
  }

  /// Finds nothing. Errors: errc::out_of_range.
  constexpr result<range> next_data(std::uint64_t offset) const noexcept {
    if (offset > size_bytes_) return source_failure(errc::out_of_range, offset);
    return range{size_bytes_, 0};
  }

 private:
  std::uint64_t size_bytes_ = 0;
};

static_assert(SparseSource<zero_source>);

}  // namespace vmdk

// ---- vmdk/layout/pieces.hpp

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

// ---- vmdk/layout/flat.hpp

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

// ---- vmdk/layout/split.hpp

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

// ---- vmdk/reader/read_object.hpp

namespace vmdk {

/// Reads an on-disk struct from a byte offset of a file, straight into its place, so that a second
/// copy of it never lies on the stack. Nothing is checked. Errors: those of the file, after which
/// the object's content is not to be used.
template <class File, class T>
[[nodiscard]] constexpr failure read_object(File& file, std::uint64_t offset, T& object) noexcept {
  static_assert(std::is_trivially_copyable_v<T> && alignof(T) == 1);
  if (std::is_constant_evaluated()) {
    std::array<std::byte, sizeof(T)> bytes{};
    const failure f = file.read_at(offset, bytes);
    object = std::bit_cast<T>(bytes);
    return f;
  }
  return file.read_at(offset, byte_span(reinterpret_cast<std::byte*>(&object), sizeof(T)));
}

}  // namespace vmdk

// ---- vmdk/reader/footer.hpp

namespace vmdk {
namespace detail {

/// What stands where the marker of a footer should.
struct footer_marker {
  bool is_footer = false;
  bool has_right_length = false;
  bool is_padded = false;
};

/// Errors: those of the file.
template <class File>
[[nodiscard]] constexpr result<footer_marker> read_footer_marker(File& file,
                                                                 std::uint64_t at) noexcept {
  sector_image sector{};
  if (failure f = file.read_at(at, sector)) return f;
  const stream_marker marker = decode_marker(sector.data());
  return footer_marker{marker.is(marker_type::footer), marker.value == 1,
                       is_zero(sector.data() + sizeof marker, sector.size() - sizeof marker)};
}

/// Reports a stream's last sector when it is not zero. Errors: those of the file.
template <class File, class Report>
[[nodiscard]] constexpr failure check_last_sector(File& file, std::uint64_t at,
                                                  Report& report) noexcept {
  sector_image sector{};
  if (failure f = file.read_at(at, sector)) return f;
  if (!is_zero(sector.data(), sector.size())) report(errc::end_of_stream_invalid, at);
  return no_failure;
}

}  // namespace detail

/// Finds the sector of a stream's directory: in the footer when the header says so. A footer behind
/// a header that has a directory of its own must name the same one, since readers disagree about
/// which of the two counts (SPEC 13.3).
///
/// Broken rules go to `report(code, offset in the file)`, which returns false to stop. Gives 0,
/// after at least one report, when no directory can be had. Errors: those of the file. Reads at
/// most three sectors.
template <class File, class Report>
[[nodiscard]] constexpr result<std::uint64_t> find_footer(File& file, std::uint64_t file_bytes,
                                                          const sparse_extent_header& header,
                                                          Report&& report) noexcept {
  constexpr std::uint64_t none = 0;
  const bool needed = header.has_tables_at_end();
  const std::uint64_t directory = needed ? none : header.gd_offset.get();
  const auto missing = [&]() -> result<std::uint64_t> {
    if (needed) {
      report(errc::footer_missing, std::uint64_t{offsetof(sparse_extent_header, gd_offset)});
    }
    return directory;
  };
  if (file_bytes < sector_bytes + stream_tail_bytes || file_bytes % sector_bytes != 0) {
    return missing();
  }

  // The three sectors share their place on the stack.
  const std::uint64_t marker_at = file_bytes - stream_tail_bytes;
  const std::uint64_t footer_at = marker_at + sector_bytes;
  const auto marker = detail::read_footer_marker(file, marker_at);
  if (!marker) return marker.error();
  if (!marker->is_footer) return missing();

  std::uint64_t found = none;
  {
    sparse_extent_header footer{};
    if (failure f = read_object(file, footer_at, footer)) return f;
    if (footer.magic_number != sparse_magic) return missing();
    if (!marker->has_right_length) {
      report(errc::footer_marker_invalid, marker_at);
      return directory;
    }
    if (!marker->is_padded &&
        !report(errc::marker_padding_not_zero, marker_at + sizeof(stream_marker))) {
      return directory;
    }
    found = footer.gd_offset;
    const std::uint64_t found_at = footer_at + offsetof(sparse_extent_header, gd_offset);
    if (found == directory_at_end || found == 0) {
      report(errc::footer_directory_invalid, found_at);
      return directory;
    }
    if (!check_sparse_header(footer, file_bytes, report, footer_at)) return directory;
    check_footer_agrees(header, footer, report, footer_at);
    if (!needed && found != directory) report(errc::footer_mismatch, found_at);
  }

  if (failure f = detail::check_last_sector(file, footer_at + sector_bytes, report)) return f;
  return found;
}

}  // namespace vmdk

// ---- vmdk/reader/mapping.hpp

namespace vmdk {

/// What an extent has at a place of the disk.
enum class placement : std::uint8_t {
  absent,      ///< Nothing: the parent's content, or zeros where there is no parent.
  zero,        ///< Zeros, whatever a parent has.
  stored,      ///< Bytes of the extent's file.
  compressed,  ///< A marker and a compressed grain in the extent's file.
};

/// What an extent has from a place of the disk on, for a number of bytes.
struct mapping {
  placement where = placement::absent;
  std::uint64_t bytes = 0;        ///< For how many bytes of the disk this holds; at least 1.
  std::uint64_t file_offset = 0;  ///< stored: of the bytes asked for; compressed: of the marker.
};

}  // namespace vmdk

// ---- vmdk/reader/table_cache.hpp

namespace vmdk {

/// Remembers one window of a file: all of a region where the memory has room for it, else the
/// part that begins at the sector that was asked for.
class window_cache {
 public:
  constexpr window_cache() noexcept = default;
  /// The memory, of at least one sector, is the caller's.
  constexpr explicit window_cache(byte_span memory) noexcept : memory_(memory) {}

  /// Gives n bytes, which do not cross a sector, at an offset inside a region of the file. They
  /// stay valid until the next call. Errors: those of the file, after which nothing is remembered.
  template <class File>
  [[nodiscard]] constexpr result<const std::byte*> get(File& file, std::uint64_t offset,
                                                       std::size_t n, std::uint64_t region_offset,
                                                       std::uint64_t region_bytes) noexcept {
    if (offset < first_ || !fits_inside(offset - first_, n, bytes_)) {
      std::uint64_t first = region_offset;
      if (region_bytes > memory_.size()) {
        first += (offset - region_offset) & ~std::uint64_t{sector_bytes - 1};
      }
      const std::uint64_t left = region_bytes - (first - region_offset);
      bytes_ = 0;
      const byte_span window =
          memory_.first(static_cast<std::size_t>(smaller_of<std::uint64_t>(left, memory_.size())));
      if (failure f = file.read_at(first, window)) return f;
      first_ = first;
      bytes_ = window.size();
    }
    return memory_.data() + (offset - first_);
  }

  /// How many bytes from an offset, which `get` has just given, are remembered.
  [[nodiscard]] constexpr std::uint64_t bytes_from(std::uint64_t offset) const noexcept {
    return bytes_ - (offset - first_);
  }

  constexpr void forget() noexcept { bytes_ = 0; }

 private:
  byte_span memory_{};
  std::uint64_t first_ = 0;
  std::uint64_t bytes_ = 0;
};

/// What looking up a grain remembers. One such pair serves one extent at a time.
struct table_cache {
  window_cache directory;
  window_cache table;

  constexpr void forget() noexcept {
    directory.forget();
    table.forget();
  }
};

}  // namespace vmdk

// ---- vmdk/reader/sparse_extent.hpp

namespace vmdk {

/// The facts of one hosted sparse extent: enough to find any of its grains. A plain value; the file
/// is handed to each call, as anything with `read_at`.
class sparse_extent {
 public:
  constexpr sparse_extent() noexcept = default;

  /// Reads the header, and the footer where there is one, of a file of so many bytes.
  /// Directory and tables are not read: their entries are checked when they are used.
  /// Errors: each rule of SPEC 13.1 and 13.3 that this strictness refuses; those of the file.
  template <class File>
  [[nodiscard]] static constexpr result<sparse_extent> open(File& file, std::uint64_t file_bytes,
                                                            strictness mode) noexcept {
    if (file_bytes < sector_bytes) return image_failure(errc::header_truncated, 0);
    sparse_extent_header header{};
    if (failure f = read_object(file, 0, header)) return f;
    if (failure f = validate(header, file_bytes, mode)) return f;
    if (header.is_compressed() || header.has_tables_at_end()) {
      first_refusal refusal(mode);
      const auto directory = find_footer(file, file_bytes, header, refusal);
      if (!directory) return directory.error();
      if (refusal.why()) return refusal.why();
      header.gd_offset = *directory;
    }
    return sparse_extent(header, file_bytes);
  }

  /// As `open`, of a file that is not compressed, which takes a third less code and memory.
  /// Errors: each rule of SPEC 13.1 that this strictness refuses; errc::codec_not_available for a
  /// compressed file; errc::footer_missing for one whose header leaves the directory to a footer,
  /// which only streams have; those of the file.
  template <class File>
  [[nodiscard]] static constexpr result<sparse_extent> open_uncompressed(File& file,
                                                                         std::uint64_t file_bytes,
                                                                         strictness mode) noexcept {
    if (file_bytes < sector_bytes) return image_failure(errc::header_truncated, 0);
    sparse_extent_header header{};
    if (failure f = read_object(file, 0, header)) return f;
    if (failure f = validate(header, file_bytes, mode)) return f;
    if (header.is_compressed()) return image_failure(errc::codec_not_available, 0);
    if (header.has_tables_at_end()) {
      return image_failure(errc::footer_missing, offsetof(sparse_extent_header, gd_offset));
    }
    return sparse_extent(header, file_bytes);
  }

  /// Takes the facts from a header that was checked before.
  constexpr sparse_extent(const sparse_extent_header& header, std::uint64_t file_bytes) noexcept
      : geometry_(header.capacity, header.grain_size),
        file_bytes_(file_bytes),
        directory_sector_(header.gd_offset),
        overhead_sectors_(header.over_head),
        descriptor_sector_(header.descriptor_offset),
        descriptor_sectors_(static_cast<std::uint32_t>(header.descriptor_size)),
        flags_(header.flags) {}

  [[nodiscard]] constexpr const sparse_geometry& geometry() const noexcept { return geometry_; }
  [[nodiscard]] constexpr std::uint64_t capacity_bytes() const noexcept {
    return geometry_.capacity_bytes();
  }
  [[nodiscard]] constexpr bool is_compressed() const noexcept {
    return (flags_ & sparse_flags::compressed) != 0;
  }
  /// The place of the embedded descriptor in the file; 0 bytes where there is none.
  [[nodiscard]] constexpr std::uint64_t descriptor_offset_bytes() const noexcept {
    return descriptor_sector_ << sector_shift;
  }
  [[nodiscard]] constexpr std::uint32_t descriptor_bytes() const noexcept {
    return descriptor_sector_ == 0 ? 0 : descriptor_sectors_ << sector_shift;
  }
  [[nodiscard]] constexpr std::uint64_t directory_offset_bytes() const noexcept {
    return directory_sector_ << sector_shift;
  }

  /// Finds what the extent has at an offset of its part of the disk, below capacity_bytes().
  /// Errors: errc::directory_entry_invalid, errc::grain_below_overhead, errc::grain_past_end,
  /// errc::grain_zeroed_not_allowed, each with the offset of the entry in the file; those of the
  /// file. The next lookup starts afresh.
  template <class File>
  [[nodiscard]] constexpr result<mapping> map(File& file, std::uint64_t offset,
                                              table_cache& cache) const noexcept {
    const unsigned shift = geometry_.grain_byte_shift();
    const std::uint64_t grain = offset >> shift;
    const std::uint64_t table = grain >> sparse_geometry::table_shift;

    const std::uint64_t directory_entry_at = directory_offset_bytes() + table * entry_bytes;
    const auto directory_entry =
        cache.directory.get(file, directory_entry_at, entry_bytes, directory_offset_bytes(),
                            geometry_.table_count() * entry_bytes);
    if (!directory_entry) return directory_entry.error();
    const std::uint64_t table_sector = load_le<std::uint32_t>(*directory_entry);
    if (table_sector == 0) {
      const std::uint64_t table_end = (table + 1) << (sparse_geometry::table_shift + shift);
      return mapping{placement::absent, smaller_of(table_end, capacity_bytes()) - offset, 0};
    }
    if (!may_hold_table(table_sector)) {
      return image_failure(errc::directory_entry_invalid, directory_entry_at);
    }

    const std::uint64_t table_at = table_sector << sector_shift;
    const std::uint64_t entry_at = table_at + (grain & (entries_per_table - 1)) * entry_bytes;
    const auto entry = cache.table.get(file, entry_at, entry_bytes, table_at, table_bytes);
    if (!entry) return entry.error();
    const std::uint32_t sector = load_le<std::uint32_t>(*entry);
    if (const errc broken = judge_grain(sector, grain); broken != errc::none) {
      return image_failure(broken, entry_at);
    }

    const std::uint64_t into_grain = offset & (geometry_.grain_bytes() - 1);
    const std::uint64_t grains = count_alike(*entry, grain, cache.table.bytes_from(entry_at));
    mapping found;
    found.bytes = smaller_of((grains << shift) - into_grain, capacity_bytes() - offset);
    if (sector == 0) {
      found.where = placement::absent;
    } else if (sector == zeroed_entry) {
      found.where = placement::zero;
    } else {
      found.where = is_compressed() ? placement::compressed : placement::stored;
      found.file_offset = std::uint64_t{sector} << sector_shift;
      if (!is_compressed()) found.file_offset += into_grain;
    }
    return found;
  }

  /// True when a grain table may begin at this sector: behind the header, inside the file, apart
  /// from the descriptor and the directory (SPEC 13.2).
  [[nodiscard]] constexpr bool may_hold_table(std::uint64_t sector) const noexcept {
    const std::uint64_t file_sectors = file_bytes_ >> sector_shift;
    if (sector == 0 || !fits_inside(sector, table_sectors, file_sectors)) return false;
    const auto apart = [&](std::uint64_t first, std::uint64_t sectors) {
      return sector >= first + sectors || sector + table_sectors <= first;
    };
    return apart(descriptor_sector_, descriptor_sector_ == 0 ? 0 : descriptor_sectors_) &&
           apart(directory_sector_, geometry_.directory_sectors());
  }

  /// The rule of SPEC 13.2 that a table entry breaks by itself, or errc::none.
  [[nodiscard]] constexpr errc judge_grain(std::uint32_t sector,
                                           std::uint64_t grain) const noexcept {
    if (sector == 0) return errc::none;
    if (sector == zeroed_entry) {
      const bool allowed = (flags_ & sparse_flags::zeroed_grains) != 0;
      return allowed ? errc::none : errc::grain_zeroed_not_allowed;
    }
    if (sector < overhead_sectors_) return errc::grain_below_overhead;
    // The last grain may be cut at the capacity; of a compressed one only the marker is sure.
    const std::uint64_t grain_at = grain << geometry_.grain_byte_shift();
    const std::uint64_t bytes =
        is_compressed()
            ? std::uint64_t{sector_bytes}
            : smaller_of<std::uint64_t>(geometry_.grain_bytes(), capacity_bytes() - grain_at);
    const bool inside = fits_inside(std::uint64_t{sector} << sector_shift, bytes, file_bytes_);
    return inside ? errc::none : errc::grain_past_end;
  }

 private:
  static constexpr std::uint32_t zeroed_entry = 1;
  static constexpr std::size_t entry_bytes = sizeof(std::uint32_t);

  /// How many grains from this one on continue it: absent like it, or behind one another in the
  /// file. Looks no further than the entries at hand.
  [[nodiscard]] constexpr std::uint64_t count_alike(const std::byte* entry, std::uint64_t grain,
                                                    std::uint64_t bytes_at_hand) const noexcept {
    const auto first = load_le<std::uint32_t>(entry);
    if (first == zeroed_entry || (first != 0 && is_compressed())) return 1;
    const std::uint64_t most =
        smaller_of(bytes_at_hand / entry_bytes, geometry_.grain_count() - grain);
    const std::uint64_t step = first == 0 ? 0 : geometry_.grain_sectors();
    std::uint64_t grains = 1;
    for (std::uint64_t due = first + step; grains < most; due += step, ++grains) {
      const auto next = load_le<std::uint32_t>(entry + grains * entry_bytes);
      if (next != due || judge_grain(next, grain + grains) != errc::none) break;
    }
    return grains;
  }

  sparse_geometry geometry_{};
  std::uint64_t file_bytes_ = 0;
  std::uint64_t directory_sector_ = 0;
  std::uint64_t overhead_sectors_ = 0;
  std::uint64_t descriptor_sector_ = 0;
  std::uint32_t descriptor_sectors_ = 0;
  std::uint32_t flags_ = 0;
};

}  // namespace vmdk

// ---- vmdk/reader/compressed_grain.hpp

namespace vmdk {

/// A place of the decoder for readers that shall open no compressed image.
struct no_decoder {
  static constexpr bool needs_contiguous_input = false;
  template <ByteSupply Supply>
  [[nodiscard]] constexpr failure decode(Supply&, byte_span) noexcept {
    return codec_failure(errc::codec_not_available);
  }
};

/// The most compressed bytes that a reader takes for one grain: no writer needs more, and it bounds
/// the work (SPEC 5).
[[nodiscard]] constexpr std::uint64_t compressed_size_limit(std::uint32_t grain_bytes) noexcept {
  return std::uint64_t{grain_bytes} * 2 + sector_bytes;
}

/// How much room for `input` a reader of compressed grains wants: for a decoder that needs
/// contiguous input the largest compressed grain and its marker, for others a sector.
template <Decoder D>
[[nodiscard]] constexpr std::uint64_t compressed_input_bytes(std::uint32_t grain_bytes) noexcept {
  if (!D::needs_contiguous_input) return sector_bytes;
  return grain_marker_bytes + compressed_size_limit(grain_bytes);
}

/// Where a compressed grain's data lies in its file.
struct compressed_grain {
  std::uint64_t data_offset = 0;
  std::uint32_t data_bytes = 0;
};

/// Reads and checks a grain's marker: its place on the disk and its size (SPEC 13.2).
/// grain_offset is where in the extent's part of the disk the grain begins, in bytes.
/// Errors: errc::marker_lba_mismatch, errc::marker_size_invalid, errc::grain_past_end, all with the
/// place in the file.
[[nodiscard]] constexpr result<compressed_grain> check_grain_marker(
    const std::byte* marker, std::uint64_t marker_offset, const sparse_extent& extent,
    std::uint64_t grain_offset, std::uint64_t file_bytes) noexcept {
  const std::uint64_t lba = load_le<std::uint64_t>(marker);
  const std::uint32_t size = load_le<std::uint32_t>(marker + 8);
  if (size == 0 || size > compressed_size_limit(extent.geometry().grain_bytes())) {
    return image_failure(errc::marker_size_invalid, marker_offset + 8, size);
  }
  if (lba != grain_offset >> sector_shift) {
    return image_failure(errc::marker_lba_mismatch, marker_offset);
  }
  const std::uint64_t data_offset = marker_offset + grain_marker_bytes;
  if (!fits_inside(data_offset, size, file_bytes)) {
    return image_failure(errc::grain_past_end, marker_offset);
  }
  return compressed_grain{data_offset, size};
}

/// Supplies a grain's compressed bytes to a decoder, piece by piece through a buffer.
template <class File>
class grain_supply {
 public:
  /// `ready` is the beginning of the data, read already; the rest comes through `buffer`, which may
  /// be the same memory. All belongs to the caller.
  constexpr grain_supply(File& file, const compressed_grain& grain, byte_view ready,
                         byte_span buffer) noexcept
      : file_(&file),
        at_(grain.data_offset),
        left_(grain.data_bytes),
        ready_(ready),
        buffer_(buffer) {}

  [[nodiscard]] constexpr result<byte_view> next() noexcept {
    byte_view piece = ready_;
    ready_ = {};
    if (piece.empty()) {
      piece = buffer_.first(smaller_of<std::size_t>(left_, buffer_.size()));
      if (piece.empty()) return piece;
      if (failure f = file_->read_at(at_, buffer_.first(piece.size()))) return f;
    }
    piece = piece.first(smaller_of<std::size_t>(left_, piece.size()));
    at_ += piece.size();
    left_ -= static_cast<std::uint32_t>(piece.size());
    return piece;
  }

 private:
  File* file_;
  std::uint64_t at_;
  std::uint32_t left_;
  byte_view ready_;
  byte_span buffer_;
};

/// Reads and expands one compressed grain into `out`: a whole grain, zeros behind the capacity.
///
/// `input` holds at least one sector; with room for a whole compressed grain one read is enough,
/// and decoders that need contiguous input get it. Writers disagree whether the last grain of an
/// unaligned disk is padded before it is compressed; both are read (SPEC 5).
/// Errors: those of check_grain_marker, of the decoder (origin codec, offset in the file) and of
/// the file; errc::workspace_too_small for a decoder that needs more room.
template <class File, Decoder D>
[[nodiscard]] constexpr failure read_compressed_grain(File& file, std::uint64_t file_bytes,
                                                      const sparse_extent& extent,
                                                      std::uint64_t marker_offset,
                                                      std::uint64_t grain_offset, byte_span input,
                                                      D& decoder, byte_span out) noexcept {
  if (!fits_inside(marker_offset, grain_marker_bytes, file_bytes)) {
    return image_failure(errc::grain_past_end, marker_offset);
  }
  const std::uint64_t most =
      smaller_of(grain_marker_bytes + compressed_size_limit(extent.geometry().grain_bytes()),
                 file_bytes - marker_offset);
  const byte_span window =
      input.first(static_cast<std::size_t>(smaller_of<std::uint64_t>(input.size(), most)));
  const std::uint64_t exists =
      smaller_of<std::uint64_t>(out.size(), extent.capacity_bytes() - grain_offset);
  failure why;
  // A short last grain is tried when the padded form turns out too short.
  for (const std::size_t wanted : {out.size(), static_cast<std::size_t>(exists)}) {
    if (failure f = file.read_at(marker_offset, window)) return f;
    const auto grain =
        check_grain_marker(window.data(), marker_offset, extent, grain_offset, file_bytes);
    if (!grain) return grain.error();
    const byte_view ready = window.subspan(grain_marker_bytes);
    if (D::needs_contiguous_input && ready.size() < grain->data_bytes) {
      return options_failure(errc::workspace_too_small, 0, grain->data_bytes + grain_marker_bytes);
    }
    grain_supply<File> supply(file, *grain, ready, input);
    why = decoder.decode(supply, out.first(wanted));
    if (why && why.from == origin::codec) why.offset += grain->data_offset;
    if (!why) {
      zero_bytes(out.subspan(wanted));
      return no_failure;
    }
    if (why.code != errc::stream_output_short || exists == out.size()) break;
  }
  return why;
}

}  // namespace vmdk

// ---- vmdk/reader/file_view.hpp

namespace vmdk {

/// A single Source as a Files object that knows no names: for images of one file. It only refers to
/// the source, and may be copied.
template <Source S>
class single_file {
 public:
  constexpr single_file() noexcept = default;
  /// The source is the caller's.
  constexpr explicit single_file(S& source) noexcept : source_(&source) {}

  [[nodiscard]] constexpr result<file_id> open(std::string_view) const noexcept {
    return failure{.code = errc::file_not_found, .from = origin::files};
  }
  [[nodiscard]] constexpr std::uint64_t size(file_id) const noexcept { return source_->size(); }
  [[nodiscard]] constexpr failure read_at(file_id, std::uint64_t offset,
                                          byte_span out) const noexcept {
    return source_->read_at(offset, out);
  }
  [[nodiscard]] constexpr result<range> next_data(file_id, std::uint64_t offset) const noexcept
    requires SparseSource<S>
  {
    return source_->next_data(offset);
  }

 private:
  S* source_ = nullptr;
};

/// Refers to a Files object that the caller keeps; a single_file, which itself only refers to
/// something, is copied.
template <Files F>
class files_pointer {
 public:
  constexpr files_pointer() noexcept = default;
  // Not explicit: it stands for the reference.
  constexpr files_pointer(F& files) noexcept : files_(&files) {}

  [[nodiscard]] constexpr F& operator*() const noexcept { return *files_; }
  [[nodiscard]] constexpr F* operator->() const noexcept { return files_; }

 private:
  F* files_ = nullptr;
};

template <Source S>
class files_pointer<single_file<S>> {
 public:
  constexpr files_pointer() noexcept = default;
  // Not explicit: it stands for the object.
  constexpr files_pointer(const single_file<S>& file) noexcept : file_(file) {}

  [[nodiscard]] constexpr single_file<S> operator*() const noexcept { return file_; }
  [[nodiscard]] constexpr const single_file<S>* operator->() const noexcept { return &file_; }

 private:
  single_file<S> file_{};
};

/// One file of a Files object, as a Source. Its failures say in `index` which file it was.
template <Files F>
class file_view {
 public:
  constexpr file_view(files_pointer<F> files, file_id id) noexcept : files_(files), id_(id) {}

  [[nodiscard]] constexpr std::uint64_t size() const noexcept { return files_->size(id_); }

  [[nodiscard]] constexpr failure read_at(std::uint64_t offset, byte_span out) noexcept {
    return in_file(files_->read_at(id_, offset, out), id_);
  }

  /// The failure, with the number of this file.
  [[nodiscard]] static constexpr failure in_file(failure why, file_id id) noexcept {
    if (why) why.index = id.value;
    return why;
  }

 private:
  files_pointer<F> files_;
  file_id id_;
};

/// Opens what a file of an image names. Errors: those of `files`.
template <Files F>
[[nodiscard]] constexpr result<file_id> open_named(F& files, [[maybe_unused]] file_id opener,
                                                   std::string_view name) noexcept {
  if constexpr (FolderFiles<F>) {
    return files.open_beside(opener, name);
  } else {
    return files.open(name);
  }
}

/// A Files object that knows the holes of its files.
template <class T>
concept SparseFiles = Files<T> && requires(T& files, file_id id, std::uint64_t offset) {
  { files.next_data(id, offset) } noexcept -> std::same_as<result<range>>;
};

}  // namespace vmdk

// ---- vmdk/format/cowd.hpp

namespace vmdk {

inline constexpr std::uint32_t cowd_magic = 0x44574F43;  ///< "COWD"

/// The header's four sectors, and the grain sizes in sectors that are read (SPEC 10, 13.5).
inline constexpr std::uint32_t cowd_header_sectors = 4;
inline constexpr std::uint32_t cowd_largest_grain_sectors = 2048;

/// Grain tables of a COWD extent hold 4096 entries of four bytes (SPEC 10).
inline constexpr unsigned cowd_table_shift = 12;
inline constexpr std::uint32_t cowd_entries_per_table = 1u << cowd_table_shift;
inline constexpr std::uint32_t cowd_table_sectors = 32;

/// The first 32 bytes of a COWD extent: all that finding a grain needs (SPEC 10). Members have the
/// technote's names in snake_case; offsets and sizes are in sectors.
struct cowd_header_start {
  le<std::uint32_t> magic_number{cowd_magic};
  le<std::uint32_t> version{1u};
  le<std::uint32_t> flags{3u};
  le<std::uint32_t> num_sectors{};  ///< The capacity.
  le<std::uint32_t> grain_size{1u};
  le<std::uint32_t> gd_offset{cowd_header_sectors};
  le<std::uint32_t> num_gd_entries{};
  le<std::uint32_t> free_sector{};  ///< The first sector that is not in use.
};

/// The last 412 bytes of a COWD header (SPEC 10).
struct cowd_header_end {
  le<std::uint32_t> saved_generation{};
  std::array<std::byte, 8> reserved{};
  le<std::uint32_t> unclean_shutdown{};
  std::array<std::byte, 396> padding{};
};

/// The first four sectors of a COWD extent, byte for byte (SPEC 10). Only a base disk has a
/// geometry; it stands in the first twelve bytes of parent_file_name, which is then no name.
struct cowd_header {
  cowd_header_start start{};
  std::array<std::byte, 1024> parent_file_name{};
  le<std::uint32_t> parent_generation{};
  le<std::uint32_t> generation{};
  std::array<std::byte, 60> name{};
  std::array<std::byte, 512> description{};
  cowd_header_end end{};
};

static_assert(sizeof(cowd_header_start) == 32 && sizeof(cowd_header_end) == 412);
static_assert(sizeof(cowd_header) == std::size_t{cowd_header_sectors} * sector_bytes);
static_assert(alignof(cowd_header) == 1);
static_assert(std::is_trivially_copyable_v<cowd_header>);
static_assert(offsetof(cowd_header_start, magic_number) == 0);
static_assert(offsetof(cowd_header_start, version) == 4);
static_assert(offsetof(cowd_header_start, flags) == 8);
static_assert(offsetof(cowd_header_start, num_sectors) == 12);
static_assert(offsetof(cowd_header_start, grain_size) == 16);
static_assert(offsetof(cowd_header_start, gd_offset) == 20);
static_assert(offsetof(cowd_header_start, num_gd_entries) == 24);
static_assert(offsetof(cowd_header_start, free_sector) == 28);
static_assert(offsetof(cowd_header, start) == 0);
static_assert(offsetof(cowd_header, parent_file_name) == 32);
static_assert(offsetof(cowd_header, parent_generation) == 1056);
static_assert(offsetof(cowd_header, generation) == 1060);
static_assert(offsetof(cowd_header, name) == 1064);
static_assert(offsetof(cowd_header, description) == 1124);
static_assert(offsetof(cowd_header, end) == 1636);
static_assert(offsetof(cowd_header_end, saved_generation) == 1636 - 1636);
static_assert(offsetof(cowd_header_end, reserved) == 1640 - 1636);
static_assert(offsetof(cowd_header_end, unclean_shutdown) == 1648 - 1636);
static_assert(offsetof(cowd_header_end, padding) == 1652 - 1636);

using cowd_header_image = std::array<std::byte, sizeof(cowd_header)>;

/// The header's bytes as they stand on disk.
[[nodiscard]] constexpr cowd_header_image encode(const cowd_header& header) noexcept {
  return std::bit_cast<cowd_header_image>(header);
}

/// The header that these bytes are. Nothing is checked: see cowd_check.hpp.
[[nodiscard]] constexpr cowd_header decode_cowd_header(const cowd_header_image& bytes) noexcept {
  return std::bit_cast<cowd_header>(bytes);
}

/// The header in the first 2048 of these bytes.
[[nodiscard]] constexpr cowd_header decode_cowd_header(const std::byte* bytes) noexcept {
  cowd_header_image copy{};
  copy_bytes(copy.data(), bytes, copy.size());
  return decode_cowd_header(copy);
}

/// The number of grain tables, and so of directory entries, that a disk has. The grain is a power
/// of two (SPEC 10).
[[nodiscard]] constexpr std::uint32_t cowd_table_count(std::uint32_t capacity_sectors,
                                                       std::uint32_t grain_sectors) noexcept {
  return static_cast<std::uint32_t>(
      ceil_shift(capacity_sectors, log2_exact(grain_sectors) + cowd_table_shift));
}

}  // namespace vmdk

// ---- vmdk/format/cowd_check.hpp

namespace vmdk {

/// Checks both ends of a COWD header against every rule of SPEC 13.5, without reading anything
/// else. What stands between them is for programs of old and judged by nobody.
///
/// Calls `report(code, byte offset of the field)` for each broken rule; `report` returns false to
/// stop. Returns true when the checks that later steps rely on all held (magic, version, flags,
/// capacity, grain, directory), so that the header's figures can be used.
/// file_bytes is the size of the extent's file.
template <class Report>
constexpr bool check_cowd_header(const cowd_header_start& h, const cowd_header_end& end,
                                 std::uint64_t file_bytes, Report&& report) noexcept {
  bool usable = true;
  bool go_on = true;
  const auto broken = [&](errc code, std::size_t offset) {
    if (severity_of(code) == severity::error) usable = false;
    if (go_on) go_on = report(code, std::uint64_t{offset});
  };
  using start = cowd_header_start;

  if (file_bytes < sizeof(cowd_header)) {
    broken(errc::header_truncated, 0);
    return false;
  }
  if (h.magic_number != cowd_magic) {
    broken(errc::cowd_magic_invalid, offsetof(start, magic_number));
    return false;
  }
  // The same magic with another version is Workstation 3's, whose tables are smaller.
  if (h.version != 1) broken(errc::cowd_version_unsupported, offsetof(start, version));
  if (h.flags != 3) broken(errc::cowd_flags_invalid, offsetof(start, flags));
  if (h.num_sectors == 0) broken(errc::capacity_zero, offsetof(start, num_sectors));
  if (!is_power_of_two(h.grain_size) || h.grain_size > cowd_largest_grain_sectors) {
    broken(errc::cowd_grain_size_invalid, offsetof(start, grain_size));
  }
  if (end.unclean_shutdown != 0) {
    broken(errc::unclean_shutdown,
           offsetof(cowd_header, end) + offsetof(cowd_header_end, unclean_shutdown));
  }
  if (!is_zero(end.padding.data(), end.padding.size())) {
    broken(errc::header_padding_not_zero,
           offsetof(cowd_header, end) + offsetof(cowd_header_end, padding));
  }
  // The directory can be judged only when capacity and grain are sane.
  if (!usable) return false;

  if ((h.num_sectors & (h.grain_size - 1)) != 0) {
    broken(errc::capacity_not_whole_grains, offsetof(start, num_sectors));
  }
  if (h.num_gd_entries != cowd_table_count(h.num_sectors, h.grain_size)) {
    broken(errc::cowd_directory_size_invalid, offsetof(start, num_gd_entries));
    return false;
  }
  // In bytes: files exist that end with the last entry of an empty directory.
  const std::uint64_t directory_bytes =
      std::uint64_t{h.num_gd_entries.get()} * sizeof(std::uint32_t);
  const std::uint64_t directory_at = std::uint64_t{h.gd_offset.get()} << sector_shift;
  if (!fits_inside(directory_at, directory_bytes, file_bytes)) {
    broken(errc::directory_offset_invalid, offsetof(start, gd_offset));
    return false;
  }
  if (h.gd_offset < cowd_header_sectors) {
    broken(errc::directory_overlap, offsetof(start, gd_offset));
    return false;
  }
  const std::uint64_t first_free = ceil_shift(directory_at + directory_bytes, sector_shift);
  if (h.free_sector < first_free || h.free_sector > ceil_shift(file_bytes, sector_shift)) {
    broken(errc::cowd_free_sector_invalid, offsetof(start, free_sector));
  }
  return usable;
}

/// Checks a whole header, as above.
template <class Report>
constexpr bool check_cowd_header(const cowd_header& header, std::uint64_t file_bytes,
                                 Report&& report) noexcept {
  return check_cowd_header(header.start, header.end, file_bytes, report);
}

/// Checks a header as a reader does. Errors: the first rule of SPEC 13.5 that this strictness
/// refuses, of origin image, with the offset in the file.
[[nodiscard]] constexpr failure validate(const cowd_header& header, std::uint64_t file_bytes,
                                         strictness mode) noexcept {
  first_refusal refusal(mode);
  check_cowd_header(header, file_bytes, refusal);
  return refusal.why();
}

}  // namespace vmdk

// ---- vmdk/reader/cowd_extent.hpp

namespace vmdk {

/// The facts of one COWD extent, ESXi's redo log: enough to find any of its grains. A plain value;
/// the file is handed to each call, as anything with `read_at` (SPEC 10).
class cowd_extent {
 public:
  constexpr cowd_extent() noexcept = default;

  /// Reads the header of a file of so many bytes. Directory and tables are not read: their entries
  /// are checked when they are used. Errors: each rule of SPEC 13.5 that this strictness refuses;
  /// those of the file.
  template <class File>
  [[nodiscard]] static constexpr result<cowd_extent> open(File& file, std::uint64_t file_bytes,
                                                          strictness mode) noexcept {
    if (file_bytes < sizeof(cowd_header)) return image_failure(errc::header_truncated, 0);
    cowd_header_start start;
    if (failure f = read_object(file, offsetof(cowd_header, start), start)) return f;
    cowd_header_end end;
    if (failure f = read_object(file, offsetof(cowd_header, end), end)) return f;
    first_refusal refusal(mode);
    check_cowd_header(start, end, file_bytes, refusal);
    if (refusal.why()) return refusal.why();
    return cowd_extent(start, file_bytes, mode);
  }

  /// Takes the facts from a header that was checked before.
  constexpr cowd_extent(const cowd_header_start& header, std::uint64_t file_bytes,
                        strictness mode) noexcept
      : file_bytes_(file_bytes),
        capacity_sectors_(header.num_sectors),
        directory_sector_(header.gd_offset),
        grain_shift_(static_cast<std::uint8_t>(log2_exact(header.grain_size))),
        mode_(mode) {}

  [[nodiscard]] constexpr std::uint64_t capacity_bytes() const noexcept {
    return std::uint64_t{capacity_sectors_} << sector_shift;
  }
  [[nodiscard]] constexpr std::uint32_t grain_bytes() const noexcept {
    return std::uint32_t{1} << grain_byte_shift();
  }
  [[nodiscard]] constexpr std::uint32_t grain_count() const noexcept {
    return static_cast<std::uint32_t>(ceil_shift(capacity_sectors_, grain_shift_));
  }
  [[nodiscard]] constexpr std::uint32_t table_count() const noexcept {
    return static_cast<std::uint32_t>(ceil_shift(grain_count(), cowd_table_shift));
  }
  [[nodiscard]] constexpr std::uint64_t directory_offset_bytes() const noexcept {
    return std::uint64_t{directory_sector_} << sector_shift;
  }

  /// Finds what the extent has at an offset of its part of the disk, below capacity_bytes().
  /// Errors: errc::directory_entry_invalid, errc::grain_below_overhead, errc::grain_past_end, a
  /// strict reader's errc::cowd_zeroed_grain, each with the offset of the entry in the file; those
  /// of the file. The next lookup starts afresh.
  template <class File>
  [[nodiscard]] constexpr result<mapping> map(File& file, std::uint64_t offset,
                                              table_cache& cache) const noexcept {
    const unsigned shift = grain_byte_shift();
    const std::uint64_t grain = offset >> shift;
    const std::uint64_t table = grain >> cowd_table_shift;

    const std::uint64_t directory_entry_at = directory_offset_bytes() + table * entry_bytes;
    const auto directory_entry =
        cache.directory.get(file, directory_entry_at, entry_bytes, directory_offset_bytes(),
                            table_count() * std::uint64_t{entry_bytes});
    if (!directory_entry) return directory_entry.error();
    const std::uint32_t table_sector = load_le<std::uint32_t>(*directory_entry);
    if (table_sector == 0) {
      const std::uint64_t table_end = (table + 1) << (cowd_table_shift + shift);
      return mapping{placement::absent, smaller_of(table_end, capacity_bytes()) - offset, 0};
    }
    if (!may_hold_table(table_sector)) {
      return image_failure(errc::directory_entry_invalid, directory_entry_at);
    }

    const std::uint64_t table_at = std::uint64_t{table_sector} << sector_shift;
    const std::uint64_t entry_at = table_at + (grain & (cowd_entries_per_table - 1)) * entry_bytes;
    const auto entry = cache.table.get(file, entry_at, entry_bytes, table_at,
                                       std::uint64_t{cowd_table_sectors} << sector_shift);
    if (!entry) return entry.error();
    const std::uint32_t sector = load_le<std::uint32_t>(*entry);
    const errc broken = judge_grain(sector, grain);
    if (broken != errc::none && !accepts(mode_, broken)) return image_failure(broken, entry_at);

    const std::uint64_t into_grain = offset & (grain_bytes() - 1);
    mapping found;
    found.bytes = smaller_of(grain_bytes() - into_grain, capacity_bytes() - offset);
    if (sector == 0) {
      found.where = placement::absent;
    } else if (sector == zeroed_entry) {
      found.where = placement::zero;
    } else {
      found.where = placement::stored;
      found.file_offset = (std::uint64_t{sector} << sector_shift) + into_grain;
    }
    return found;
  }

  /// True when a grain table may begin at this sector: behind the header, inside the file, apart
  /// from the directory (SPEC 13.5).
  [[nodiscard]] constexpr bool may_hold_table(std::uint64_t sector) const noexcept {
    return is_behind_metadata(sector, cowd_table_sectors) &&
           fits_inside(sector, cowd_table_sectors, file_bytes_ >> sector_shift);
  }

  /// The rule of SPEC 13.5 that a table entry breaks by itself, or errc::none.
  ///
  /// No source says what VMware does with an entry of 1. It lies inside the header, so it cannot be
  /// data; in every other kind of extent it means zeros, and the readers that know it here agree.
  /// That makes zeros the one reading there is, and the entry a warning.
  [[nodiscard]] constexpr errc judge_grain(std::uint32_t sector,
                                           std::uint64_t grain) const noexcept {
    if (sector == 0) return errc::none;
    if (sector == zeroed_entry) return errc::cowd_zeroed_grain;
    // The last grain may be cut at the capacity.
    const std::uint64_t sectors = smaller_of<std::uint64_t>(
        std::uint64_t{1} << grain_shift_, capacity_sectors_ - (grain << grain_shift_));
    if (!is_behind_metadata(sector, sectors)) return errc::grain_below_overhead;
    const bool inside = fits_inside(sector, sectors, file_bytes_ >> sector_shift);
    return inside ? errc::none : errc::grain_past_end;
  }

 private:
  static constexpr std::uint32_t zeroed_entry = 1;
  static constexpr std::size_t entry_bytes = sizeof(std::uint32_t);

  [[nodiscard]] constexpr unsigned grain_byte_shift() const noexcept {
    return grain_shift_ + sector_shift;
  }

  /// True when sectors lie neither in the header nor in the directory.
  [[nodiscard]] constexpr bool is_behind_metadata(std::uint64_t sector,
                                                  std::uint64_t sectors) const noexcept {
    const std::uint64_t directory_sectors =
        ceil_shift(table_count() * std::uint64_t{entry_bytes}, sector_shift);
    return sector >= cowd_header_sectors && (sector >= directory_sector_ + directory_sectors ||
                                             sector + sectors <= directory_sector_);
  }

  std::uint64_t file_bytes_ = 0;
  std::uint32_t capacity_sectors_ = 0;
  std::uint32_t directory_sector_ = 0;
  std::uint8_t grain_shift_ = 0;
  strictness mode_ = strictness::tolerant;
};

}  // namespace vmdk

// ---- vmdk/format/sesparse.hpp

namespace vmdk {

inline constexpr std::uint64_t sesparse_magic = 0x00000000CAFEBABE;
inline constexpr std::uint64_t sesparse_volatile_magic = 0x00000000CAFECAFE;
inline constexpr std::uint64_t sesparse_version = 0x0000000200000001;  ///< 2.1

/// The one grain size, 4 KiB, and the one table size, 4096 entries of eight bytes (SPEC 11).
inline constexpr unsigned sesparse_grain_shift = 3;
inline constexpr std::uint32_t sesparse_grain_sectors = 1u << sesparse_grain_shift;
inline constexpr unsigned sesparse_table_shift = 12;
inline constexpr std::uint32_t sesparse_entries_per_table = 1u << sesparse_table_shift;
inline constexpr unsigned sesparse_table_sectors_shift = 6;
inline constexpr std::uint32_t sesparse_table_sectors = 1u << sesparse_table_sectors_shift;

/// No disk is larger than 64 TiB (SPEC 11).
inline constexpr std::uint64_t sesparse_capacity_limit_sectors = std::uint64_t{1} << 37;

/// The first of the reserved words has this value in files of newer ESXi; they read the same.
inline constexpr std::uint64_t sesparse_reserved_known = 0x200;

/// Where a part of the file lies, in sectors.
struct sesparse_region {
  le<std::uint64_t> offset{};
  le<std::uint64_t> size{};
};

/// The first sector of a seSparse extent, byte for byte (SPEC 11). It never changes once the file
/// is made. Offsets and sizes are in sectors.
struct sesparse_header {
  le<std::uint64_t> magic{sesparse_magic};
  le<std::uint64_t> version{sesparse_version};
  le<std::uint64_t> capacity{};
  le<std::uint64_t> grain_size{sesparse_grain_sectors};
  le<std::uint64_t> grain_table_size{sesparse_table_sectors};
  le<std::uint64_t> flags{};
  std::array<le<std::uint64_t>, 4> reserved{};
  sesparse_region volatile_header{};
  sesparse_region journal_header{};
  sesparse_region journal{};
  sesparse_region grain_directory{};
  sesparse_region grain_tables{};
  sesparse_region free_bitmap{};
  sesparse_region backmap{};
  sesparse_region grains{};
  std::array<std::byte, 304> pad{};
};

/// The sector with what changes while the extent is in use (SPEC 11).
struct sesparse_volatile_header {
  le<std::uint64_t> magic{sesparse_volatile_magic};
  le<std::uint64_t> free_gt_number{};
  le<std::uint64_t> next_txn_seq_number{};
  le<std::uint64_t> replay_journal{};
  std::array<std::byte, 480> pad{};
};

static_assert(sizeof(sesparse_region) == 16);
static_assert(sizeof(sesparse_header) == sector_bytes && alignof(sesparse_header) == 1);
static_assert(std::is_trivially_copyable_v<sesparse_header>);
static_assert(offsetof(sesparse_header, magic) == 0);
static_assert(offsetof(sesparse_header, version) == 8);
static_assert(offsetof(sesparse_header, capacity) == 16);
static_assert(offsetof(sesparse_header, grain_size) == 24);
static_assert(offsetof(sesparse_header, grain_table_size) == 32);
static_assert(offsetof(sesparse_header, flags) == 40);
static_assert(offsetof(sesparse_header, reserved) == 48);
static_assert(offsetof(sesparse_header, volatile_header) == 80);
static_assert(offsetof(sesparse_header, journal_header) == 96);
static_assert(offsetof(sesparse_header, journal) == 112);
static_assert(offsetof(sesparse_header, grain_directory) == 128);
static_assert(offsetof(sesparse_header, grain_tables) == 144);
static_assert(offsetof(sesparse_header, free_bitmap) == 160);
static_assert(offsetof(sesparse_header, backmap) == 176);
static_assert(offsetof(sesparse_header, grains) == 192);
static_assert(offsetof(sesparse_header, pad) == 208);
static_assert(sizeof(sesparse_volatile_header) == sector_bytes);
static_assert(alignof(sesparse_volatile_header) == 1);
static_assert(std::is_trivially_copyable_v<sesparse_volatile_header>);
static_assert(offsetof(sesparse_volatile_header, magic) == 0);
static_assert(offsetof(sesparse_volatile_header, free_gt_number) == 8);
static_assert(offsetof(sesparse_volatile_header, next_txn_seq_number) == 16);
static_assert(offsetof(sesparse_volatile_header, replay_journal) == 24);
static_assert(offsetof(sesparse_volatile_header, pad) == 32);

using sesparse_header_image = std::array<std::byte, sector_bytes>;

/// The header's bytes as they stand on disk.
[[nodiscard]] constexpr sesparse_header_image encode(const sesparse_header& header) noexcept {
  return std::bit_cast<sesparse_header_image>(header);
}
[[nodiscard]] constexpr sesparse_header_image encode(
    const sesparse_volatile_header& header) noexcept {
  return std::bit_cast<sesparse_header_image>(header);
}

/// The header that these bytes are. Nothing is checked: see sesparse_check.hpp.
[[nodiscard]] constexpr sesparse_header decode_sesparse_header(
    const sesparse_header_image& bytes) noexcept {
  return std::bit_cast<sesparse_header>(bytes);
}
[[nodiscard]] constexpr sesparse_volatile_header decode_sesparse_volatile_header(
    const sesparse_header_image& bytes) noexcept {
  return std::bit_cast<sesparse_volatile_header>(bytes);
}

/// What the top four bits of a grain table entry say (SPEC 11).
enum class sesparse_grain : std::uint8_t {
  absent,    ///< Never written: the parent's content. The whole entry is 0.
  unmapped,  ///< Given back by the guest: zeros.
  zero,
  stored,
  invalid,  ///< None of these.
};

/// What a grain table entry says.
[[nodiscard]] constexpr sesparse_grain sesparse_entry_kind(std::uint64_t entry) noexcept {
  if (entry == 0) return sesparse_grain::absent;
  switch (entry >> 60) {
    case 1:
      return sesparse_grain::unmapped;
    case 2:
      return sesparse_grain::zero;
    case 3:
      return sesparse_grain::stored;
    default:
      return sesparse_grain::invalid;
  }
}

/// The number of the grain in the grains region that a `stored` entry names. Its lowest 12 bits are
/// bits 48 to 59 of the entry (SPEC 11).
[[nodiscard]] constexpr std::uint64_t sesparse_entry_grain(std::uint64_t entry) noexcept {
  return (entry >> 48 & 0xFFF) | (entry & 0x0000FFFFFFFFFFFF) << 12;
}

/// True when a directory entry that is not 0 names a table: its number in the tables region is the
/// lower half (SPEC 11).
[[nodiscard]] constexpr bool sesparse_entry_names_table(std::uint64_t directory_entry) noexcept {
  return directory_entry >> 32 == 0x10000000;
}

}  // namespace vmdk

// ---- vmdk/format/sesparse_check.hpp

namespace vmdk {

namespace detail {

/// The regions of a seSparse header, in the order in which they stand in it.
inline constexpr sesparse_region sesparse_header::* sesparse_regions[] = {
    &sesparse_header::volatile_header, &sesparse_header::journal_header,
    &sesparse_header::journal,         &sesparse_header::grain_directory,
    &sesparse_header::grain_tables,    &sesparse_header::free_bitmap,
    &sesparse_header::backmap,         &sesparse_header::grains,
};
inline constexpr std::size_t sesparse_region_count = 8;
static_assert(sizeof(sesparse_regions) == sesparse_region_count * sizeof(sesparse_regions[0]));

/// The byte offset of the n-th region's fields in the header.
[[nodiscard]] constexpr std::size_t sesparse_region_field(std::size_t n) noexcept {
  return offsetof(sesparse_header, volatile_header) + n * sizeof(sesparse_region);
}

/// True when regions inside the file share a sector.
[[nodiscard]] constexpr bool overlap(const sesparse_region& a, const sesparse_region& b) noexcept {
  return a.offset < b.offset + b.size && b.offset < a.offset + a.size && a.size != 0 && b.size != 0;
}

/// Reports regions that lie outside the file or on other ones.
template <class Broken>
constexpr void check_sesparse_places(const sesparse_header& h, std::uint64_t file_sectors,
                                     Broken&& broken) noexcept {
  bool inside[sesparse_region_count]{};
  for (std::size_t i = 0; i < sesparse_region_count; ++i) {
    const sesparse_region& region = h.*sesparse_regions[i];
    const bool is_grains = i == sesparse_region_count - 1;
    // Grains are looked at one by one, so the room for them may end behind the file.
    const std::uint64_t most = std::uint64_t{1} << (63 - sector_shift);
    inside[i] = fits_inside(region.offset, region.size, is_grains ? most : file_sectors) &&
                region.offset <= file_sectors;
    if (!inside[i]) {
      broken(errc::sesparse_region_outside_file, sesparse_region_field(i));
      continue;
    }
    if (region.size > file_sectors - region.offset) {
      broken(errc::sesparse_grains_outside_file, sesparse_region_field(i));
    }
    bool apart = region.size == 0 || region.offset != 0;  // Sector 0 is the header's.
    for (std::size_t j = 0; j < i; ++j) {
      if (inside[j] && overlap(region, h.*sesparse_regions[j])) apart = false;
    }
    if (!apart) broken(errc::sesparse_region_overlap, sesparse_region_field(i));
  }
}

}  // namespace detail

/// The number of grain tables, and so of directory entries, that a disk has (SPEC 11).
[[nodiscard]] constexpr std::uint64_t sesparse_table_count(
    std::uint64_t capacity_sectors) noexcept {
  return ceil_shift(capacity_sectors, sesparse_grain_shift + sesparse_table_shift);
}

/// Checks the first sector of a seSparse extent against every rule of SPEC 13.5, without reading
/// anything else.
///
/// Calls `report(code, byte offset of the field)` for each broken rule; `report` returns false to
/// stop. Returns true when all held but those that are warnings, so that the figures can be used.
/// file_bytes is the size of the extent's file.
template <class Report>
constexpr bool check_sesparse_header(const sesparse_header& h, std::uint64_t file_bytes,
                                     Report&& report) noexcept {
  bool usable = true;
  bool go_on = true;
  const auto broken = [&](errc code, std::size_t offset) {
    if (severity_of(code) == severity::error) usable = false;
    if (go_on) go_on = report(code, std::uint64_t{offset});
  };
  using header = sesparse_header;

  if (file_bytes < sector_bytes) {
    broken(errc::header_truncated, 0);
    return false;
  }
  if (h.magic != sesparse_magic) {
    broken(errc::sesparse_magic_invalid, offsetof(header, magic));
    return false;
  }
  if (h.version != sesparse_version) {
    broken(errc::sesparse_version_unsupported, offsetof(header, version));
  }
  if (h.grain_size != sesparse_grain_sectors) {
    broken(errc::sesparse_grain_size_invalid, offsetof(header, grain_size));
  }
  if (h.grain_table_size != sesparse_table_sectors) {
    broken(errc::sesparse_table_size_invalid, offsetof(header, grain_table_size));
  }
  if (h.flags != 0) broken(errc::sesparse_flags_unknown, offsetof(header, flags));
  for (std::size_t i = 0; i < h.reserved.size(); ++i) {
    const le<std::uint64_t>* const word = h.reserved.data() + i;
    if (*word == 0) continue;
    const bool known = i == 0 && *word == sesparse_reserved_known;
    broken(known ? errc::sesparse_reserved_unusual : errc::sesparse_reserved_not_zero,
           offsetof(header, reserved) + i * sizeof *word);
  }
  // The format is known from its files alone: what was zero in all of them may mean anything.
  if (!is_zero(h.pad.data(), h.pad.size())) {
    broken(errc::sesparse_reserved_not_zero, offsetof(header, pad));
  }
  if (h.capacity == 0) {
    broken(errc::capacity_zero, offsetof(header, capacity));
  } else if (h.capacity > sesparse_capacity_limit_sectors) {
    broken(errc::capacity_too_large, offsetof(header, capacity));
  } else if ((h.capacity & (sesparse_grain_sectors - 1)) != 0) {
    broken(errc::capacity_not_whole_grains, offsetof(header, capacity));
  }
  detail::check_sesparse_places(h, file_bytes >> sector_shift, broken);
  if (!usable) return false;

  constexpr std::size_t size_field = offsetof(sesparse_region, size);
  if (h.volatile_header.size == 0) {
    broken(errc::sesparse_region_too_small, offsetof(header, volatile_header) + size_field);
  }
  constexpr unsigned entries_per_sector_shift = 6;
  if (h.grain_directory.size <
      ceil_shift(sesparse_table_count(h.capacity), entries_per_sector_shift)) {
    broken(errc::sesparse_region_too_small, offsetof(header, grain_directory) + size_field);
  }
  return usable;
}

/// Checks the volatile header, which stands at this byte offset of the file, as above.
template <class Report>
constexpr bool check_sesparse_volatile_header(const sesparse_volatile_header& h,
                                              std::uint64_t header_at, Report&& report) noexcept {
  using header = sesparse_volatile_header;
  if (h.magic != sesparse_volatile_magic) {
    report(errc::sesparse_volatile_magic_invalid, header_at + offsetof(header, magic));
    return false;
  }
  bool usable = true;
  if (h.replay_journal != 0) {
    usable = false;
    if (!report(errc::sesparse_dirty, header_at + offsetof(header, replay_journal))) return false;
  }
  if (!is_zero(h.pad.data(), h.pad.size())) {
    usable = false;
    report(errc::sesparse_reserved_not_zero, header_at + offsetof(header, pad));
  }
  return usable;
}

/// Checks a header as a reader does. Errors: the first rule of SPEC 13.5 that this strictness
/// refuses, of origin image, with the offset in the file.
[[nodiscard]] constexpr failure validate(const sesparse_header& header, std::uint64_t file_bytes,
                                         strictness mode) noexcept {
  first_refusal refusal(mode);
  check_sesparse_header(header, file_bytes, refusal);
  return refusal.why();
}

/// Checks a volatile header at this byte offset of the file as a reader does. Errors: as above.
[[nodiscard]] constexpr failure validate(const sesparse_volatile_header& header,
                                         std::uint64_t header_at, strictness mode) noexcept {
  first_refusal refusal(mode);
  check_sesparse_volatile_header(header, header_at, refusal);
  return refusal.why();
}

}  // namespace vmdk

// ---- vmdk/reader/sesparse_extent.hpp

namespace vmdk {

/// The facts of one seSparse extent, ESXi's newer redo log: enough to find any of its grains. A
/// plain value; the file is handed to each call, as anything with `read_at` (SPEC 11).
class sesparse_extent {
 public:
  constexpr sesparse_extent() noexcept = default;

  /// Reads both headers of a file of so many bytes. Directory and tables are not read: their
  /// entries are checked when they are used. Errors: each rule of SPEC 13.5 that this strictness
  /// refuses, among them errc::sesparse_dirty when the journal was not replayed; those of the file.
  template <class File>
  [[nodiscard]] static constexpr result<sesparse_extent> open(File& file, std::uint64_t file_bytes,
                                                              strictness mode) noexcept {
    if (file_bytes < sector_bytes) return image_failure(errc::header_truncated, 0);
    sesparse_extent extent;
    std::uint64_t volatile_at = 0;
    {
      // In a block of its own, so that the two headers may share their place on the stack.
      sesparse_header header;
      if (failure f = read_object(file, 0, header)) return f;
      if (failure f = validate(header, file_bytes, mode)) return f;
      extent = sesparse_extent(header, file_bytes);
      volatile_at = header.volatile_header.offset << sector_shift;
    }
    if (failure f = check_volatile_header(file, volatile_at, mode)) return f;
    return extent;
  }

  /// Takes the facts from a header that was checked before.
  constexpr sesparse_extent(const sesparse_header& header, std::uint64_t file_bytes) noexcept
      : file_sectors_(file_bytes >> sector_shift),
        capacity_sectors_(header.capacity),
        directory_sector_(header.grain_directory.offset),
        tables_sector_(header.grain_tables.offset),
        table_slots_(header.grain_tables.size >> sesparse_table_sectors_shift),
        grains_sector_(header.grains.offset),
        grain_slots_(header.grains.size >> sesparse_grain_shift) {}

  [[nodiscard]] constexpr std::uint64_t capacity_bytes() const noexcept {
    return capacity_sectors_ << sector_shift;
  }
  [[nodiscard]] constexpr std::uint64_t grain_count() const noexcept {
    return ceil_shift(capacity_sectors_, sesparse_grain_shift);
  }
  [[nodiscard]] constexpr std::uint64_t table_count() const noexcept {
    return sesparse_table_count(capacity_sectors_);
  }
  [[nodiscard]] constexpr std::uint64_t directory_offset_bytes() const noexcept {
    return directory_sector_ << sector_shift;
  }

  /// Finds what the extent has at an offset of its part of the disk, below capacity_bytes().
  /// Errors: errc::directory_entry_invalid, errc::sesparse_entry_invalid, errc::grain_past_end,
  /// each with the offset of the entry in the file; those of the file. The next lookup starts
  /// afresh.
  template <class File>
  [[nodiscard]] constexpr result<mapping> map(File& file, std::uint64_t offset,
                                              table_cache& cache) const noexcept {
    const std::uint64_t grain = offset >> grain_byte_shift;
    const std::uint64_t table = grain >> sesparse_table_shift;

    const std::uint64_t directory_entry_at = directory_offset_bytes() + table * entry_bytes;
    const auto directory_entry =
        cache.directory.get(file, directory_entry_at, entry_bytes, directory_offset_bytes(),
                            table_count() * entry_bytes);
    if (!directory_entry) return directory_entry.error();
    const std::uint64_t table_entry = load_le<std::uint64_t>(*directory_entry);
    if (table_entry == 0) {
      const std::uint64_t table_end = (table + 1) << (sesparse_table_shift + grain_byte_shift);
      return mapping{placement::absent, smaller_of(table_end, capacity_bytes()) - offset, 0};
    }
    if (!names_table(table_entry)) {
      return image_failure(errc::directory_entry_invalid, directory_entry_at);
    }

    const std::uint64_t table_at = table_offset_bytes(table_entry);
    const std::uint64_t entry_at =
        table_at + (grain & (sesparse_entries_per_table - 1)) * entry_bytes;
    const auto loaded = cache.table.get(file, entry_at, entry_bytes, table_at,
                                        std::uint64_t{sesparse_table_sectors} << sector_shift);
    if (!loaded) return loaded.error();
    const std::uint64_t entry = load_le<std::uint64_t>(*loaded);
    if (const errc broken = judge_grain(entry, grain); broken != errc::none) {
      return image_failure(broken, entry_at);
    }

    const std::uint64_t into_grain = offset & (grain_bytes - 1);
    mapping found;
    found.bytes = smaller_of(grain_bytes - into_grain, capacity_bytes() - offset);
    switch (sesparse_entry_kind(entry)) {
      case sesparse_grain::stored:
        found.where = placement::stored;
        found.file_offset = grain_offset_bytes(entry) + into_grain;
        break;
      case sesparse_grain::unmapped:
      case sesparse_grain::zero:
        found.where = placement::zero;
        break;
      default:
        found.where = placement::absent;
    }
    return found;
  }

  /// True when a directory entry that is not 0 names a table of the tables region (SPEC 13.5).
  [[nodiscard]] constexpr bool names_table(std::uint64_t directory_entry) const noexcept {
    return sesparse_entry_names_table(directory_entry) &&
           (directory_entry & table_number_mask) < table_slots_;
  }

  /// Where in the file the table is that a directory entry names.
  [[nodiscard]] constexpr std::uint64_t table_offset_bytes(
      std::uint64_t directory_entry) const noexcept {
    const std::uint64_t sectors = (directory_entry & table_number_mask)
                                  << sesparse_table_sectors_shift;
    return (tables_sector_ + sectors) << sector_shift;
  }

  /// Where in the file the grain is that a table entry names, one that judge_grain found good.
  [[nodiscard]] constexpr std::uint64_t grain_offset_bytes(std::uint64_t entry) const noexcept {
    const std::uint64_t sectors = sesparse_entry_grain(entry) << sesparse_grain_shift;
    return (grains_sector_ + sectors) << sector_shift;
  }

  /// The rule of SPEC 13.5 that a table entry breaks by itself, or errc::none. Zeros are what an
  /// unmapped grain reads as: all readers but one have it so.
  [[nodiscard]] constexpr errc judge_grain(std::uint64_t entry,
                                           std::uint64_t grain) const noexcept {
    const sesparse_grain kind = sesparse_entry_kind(entry);
    if (kind == sesparse_grain::invalid) return errc::sesparse_entry_invalid;
    if (kind != sesparse_grain::stored) return errc::none;
    if (sesparse_entry_grain(entry) >= grain_slots_) return errc::grain_past_end;
    // The last grain may be cut at the capacity.
    const std::uint64_t sectors = smaller_of<std::uint64_t>(
        sesparse_grain_sectors, capacity_sectors_ - (grain << sesparse_grain_shift));
    const std::uint64_t first = grain_offset_bytes(entry) >> sector_shift;
    return fits_inside(first, sectors, file_sectors_) ? errc::none : errc::grain_past_end;
  }

 private:
  template <class File>
  [[nodiscard]] static constexpr failure check_volatile_header(File& file, std::uint64_t at,
                                                               strictness mode) noexcept {
    sesparse_volatile_header header;
    if (failure f = read_object(file, at, header)) return f;
    return validate(header, at, mode);
  }

  static constexpr unsigned grain_byte_shift = sesparse_grain_shift + sector_shift;
  static constexpr std::uint64_t grain_bytes = std::uint64_t{1} << grain_byte_shift;
  static constexpr std::size_t entry_bytes = sizeof(std::uint64_t);
  static constexpr std::uint64_t table_number_mask = 0xFFFFFFFF;

  std::uint64_t file_sectors_ = 0;
  std::uint64_t capacity_sectors_ = 0;
  std::uint64_t directory_sector_ = 0;
  std::uint64_t tables_sector_ = 0;
  std::uint64_t table_slots_ = 0;
  std::uint64_t grains_sector_ = 0;
  std::uint64_t grain_slots_ = 0;
};

}  // namespace vmdk

// ---- vmdk/reader/extent.hpp

namespace vmdk {

/// How an extent's bytes are found.
enum class extent_kind : std::uint8_t { zero, no_access, flat, sparse, cowd, sesparse };

/// One extent of a link: a part of the disk, and how to find its bytes. A plain value.
struct extent {
  constexpr extent() noexcept : sparse{} {}

  extent_kind kind = extent_kind::zero;
  file_id file{};
  std::uint64_t begin = 0;        ///< Where on the disk it begins, in bytes.
  std::uint64_t bytes = 0;        ///< How much of the disk it is.
  std::uint64_t file_offset = 0;  ///< flat: where in the file it begins, in bytes.
  union {
    sparse_extent sparse;
    cowd_extent cowd;
    sesparse_extent sesparse;
  };

  [[nodiscard]] constexpr std::uint64_t end() const noexcept { return begin + bytes; }

  /// Finds what the extent has at an offset of its own, below `bytes`.
  /// Errors: errc::extent_no_access; those of the kind's `map`.
  template <class File>
  [[nodiscard]] constexpr result<mapping> map(File& from, std::uint64_t offset,
                                              table_cache& cache) const noexcept {
    auto found = map_by_kind(from, offset, cache);
    if (found) found->bytes = smaller_of(found->bytes, bytes - offset);
    return found;
  }

  /// The bytes of a grain, where the kind has grains; else 0.
  [[nodiscard]] constexpr std::uint32_t compressed_grain_bytes() const noexcept {
    return kind == extent_kind::sparse && sparse.is_compressed() ? sparse.geometry().grain_bytes()
                                                                 : 0;
  }

 private:
  template <class File>
  [[nodiscard]] constexpr result<mapping> map_by_kind(File& from, std::uint64_t offset,
                                                      table_cache& cache) const noexcept {
    switch (kind) {
      case extent_kind::flat:
        return mapping{placement::stored, bytes - offset, file_offset + offset};
      case extent_kind::sparse:
        return sparse.map(from, offset, cache);
      case extent_kind::cowd:
        return cowd.map(from, offset, cache);
      case extent_kind::sesparse:
        return sesparse.map(from, offset, cache);
      case extent_kind::no_access:
        return image_failure(errc::extent_no_access, begin + offset);
      default:
        break;
    }
    return mapping{placement::zero, bytes - offset, 0};
  }
};

}  // namespace vmdk

// ---- vmdk/reader/image.hpp

namespace vmdk {

/// One link of a chain: the disk itself, or an ancestor of it.
struct link {
  file_id file{};                  ///< Of its descriptor, or of the sparse file that holds it.
  std::uint32_t first_extent = 0;  ///< Among all extents of the image.
  std::uint32_t extent_count = 0;
  std::uint32_t cid = 0;
};

/// The memory of an opened image as spans, for memory whose size is known at run time only.
struct image_spans {
  std::span<extent> extents;
  std::span<link> links;
  byte_span text;
};

/// The memory of an opened image. It bounds how many extents and links an image may have, and how
/// long its descriptors may be; the default takes what is common, in about 50 KiB.
template <std::size_t MaxExtents = 128, std::size_t MaxLinks = 16,
          std::size_t TextBytes = 2 * 20 * sector_bytes>
struct image_memory {
  std::array<extent, MaxExtents> extents{};
  std::array<link, MaxLinks> links{};
  std::array<std::byte, TextBytes> text{};

  [[nodiscard]] constexpr image_spans spans() noexcept { return {extents, links, text}; }
};

/// An opened VMDK of any type, with its parents. Immutable: threads may share it, each with a
/// cursor of its own. Files and memory are the caller's and outlive it. Made by `open`.
template <Files F>
class image {
 public:
  constexpr image() noexcept = default;
  constexpr image(files_pointer<F> files, std::span<const extent> extents,
                  std::span<const link> links, const descriptor_view& descriptor) noexcept
      : files_(files), extents_(extents), links_(links), descriptor_(descriptor) {}

  /// The capacity of the disk in bytes.
  [[nodiscard]] constexpr std::uint64_t size() const noexcept {
    return links_.empty() ? 0 : last_extent(links_.front()).end();
  }

  /// The Files object; the single_file of an image of one Source, by value.
  [[nodiscard]] constexpr decltype(auto) files() const noexcept { return *files_; }

  /// The disk's own link first, then its parent, and so on.
  [[nodiscard]] constexpr std::span<const link> links() const noexcept { return links_; }

  /// The extents of a link, in the order of the disk.
  [[nodiscard]] constexpr std::span<const extent> extents(const link& of) const noexcept {
    return extents_.subspan(of.first_extent, of.extent_count);
  }
  /// All extents of all links.
  [[nodiscard]] constexpr std::span<const extent> extents() const noexcept { return extents_; }

  /// The descriptor of the disk's own link; its text lies in the caller's memory.
  [[nodiscard]] constexpr const descriptor_view& descriptor() const noexcept { return descriptor_; }

  /// The number, among all extents, of the one of a link that has an offset of the disk.
  [[nodiscard]] constexpr std::uint32_t find_extent(const link& of,
                                                    std::uint64_t offset) const noexcept {
    const extent* const first = extents_.data() + of.first_extent;
    std::uint32_t low = 0;
    std::uint32_t high = of.extent_count - 1;
    while (low < high) {
      const std::uint32_t middle = low + (high - low) / 2;
      if (offset < first[middle].end()) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return of.first_extent + low;
  }

  /// The largest grain of all compressed extents, in bytes; 0 when nothing is compressed.
  [[nodiscard]] constexpr std::uint32_t compressed_grain_bytes() const noexcept {
    std::uint32_t largest = 0;
    for (std::size_t i = 0; i < extents_.size(); ++i) {
      largest = larger_of(largest, extents_.data()[i].compressed_grain_bytes());
    }
    return largest;
  }

 private:
  [[nodiscard]] constexpr const extent& last_extent(const link& of) const noexcept {
    return extents_.data()[of.first_extent + of.extent_count - 1];
  }

  files_pointer<F> files_{};
  std::span<const extent> extents_{};
  std::span<const link> links_{};
  descriptor_view descriptor_{};
};

}  // namespace vmdk

// ---- vmdk/reader/cursor.hpp

namespace vmdk {

/// The tables that a cursor remembers of one link.
struct link_cache {
  table_cache tables{};
  std::uint32_t extent = 0xFFFFFFFF;  ///< Whose tables they are, among all extents.
};

/// The memory of a cursor as spans.
struct cursor_spans {
  std::span<link_cache> caches;  ///< One a link is best; at least one.
  byte_span tables;              ///< Shared out among the caches; two sectors each at least.
  byte_span grain;               ///< For compressed images and a decoder: their largest grain.
  byte_span input;               ///< For compressed images and a decoder: compressed_input_bytes.
};

/// The memory of a cursor. GrainBytes is 0 where no image is compressed; InputBytes is at least the
/// decoder's compressed_input_bytes.
template <std::size_t Links = 1, std::size_t TableBytes = 2 * sector_bytes,
          std::size_t GrainBytes = 0, std::size_t InputBytes = GrainBytes == 0 ? 0 : sector_bytes>
struct cursor_memory {
  std::array<link_cache, Links> caches{};
  std::array<std::byte, Links * TableBytes> tables{};
  std::array<std::byte, GrainBytes> grain{};
  std::array<std::byte, InputBytes> input{};

  [[nodiscard]] constexpr cursor_spans spans() noexcept { return {caches, tables, grain, input}; }
};

/// What a disk has at a place, and where it comes from.
struct disk_mapping {
  placement where = placement::zero;  ///< Never absent: with no parent left, that is zero.
  std::uint64_t bytes = 0;            ///< For how many bytes this holds; at least 1.
  std::uint64_t file_offset = 0;      ///< As in `mapping`.
  std::uint32_t extent = 0;           ///< Among all extents; of no meaning for zeros of nobody.
  std::uint32_t link = 0;             ///< 0: the disk itself; 1: its parent ...
};

/// Reads the disk of an image: a Source that one thread uses at a time. Any number of cursors may
/// share an image. Image, memory and decoder are the caller's and outlive it.
///
/// After a failure the cursor is as good as before: one bad grain does not hide the others.
template <Files F, Decoder D = no_decoder>
class image_cursor {
 public:
  constexpr image_cursor() noexcept = default;

  /// Makes a cursor over a disk, with memory that nobody else uses meanwhile. With no_decoder it
  /// needs none for compressed grains: it maps them, and does not read them.
  /// Errors: errc::workspace_too_small; detail: the bytes wanted.
  [[nodiscard]] static constexpr result<image_cursor> make(const image<F>& of,
                                                           const cursor_spans& memory,
                                                           D& decoder) noexcept {
    image_cursor cursor;
    if (memory.caches.empty()) return too_small(sizeof(link_cache));
    // Half of a cache is for the directory, which is read once, and half for tables.
    const std::size_t each =
        smaller_of<std::size_t>(memory.tables.size() / memory.caches.size(), most_table_bytes) &
        ~std::size_t{2 * sector_bytes - 1};
    if (each == 0) return too_small(std::size_t{2} * sector_bytes * memory.caches.size());
    for (std::size_t i = 0; i < memory.caches.size(); ++i) {
      const byte_span own = memory.tables.subspan(i * each, each);
      link_cache& cache = memory.caches.data()[i];
      cache.extent = no_extent;
      cache.tables.table = window_cache(own.first(each / 2));
      cache.tables.directory = window_cache(own.last(each / 2));
    }
    const std::uint32_t grain = expands ? of.compressed_grain_bytes() : 0;
    if (memory.grain.size() < grain) return too_small(grain);
    const std::uint64_t input = grain == 0 ? 0 : compressed_input_bytes<D>(grain);
    if (memory.input.size() < input) return too_small(input);
    cursor.image_ = &of;
    cursor.memory_ = memory;
    cursor.decoder_ = &decoder;
    return cursor;
  }

  [[nodiscard]] constexpr std::uint64_t size() const noexcept {
    return image_ == nullptr ? 0 : image_->size();
  }

  /// Reads bytes of the disk. Errors: errc::out_of_range; those of the extents' `map`, of
  /// read_compressed_grain and of the files; errc::codec_not_available, with the grain's place in
  /// the file, where there is no_decoder.
  [[nodiscard]] constexpr failure read_at(std::uint64_t offset, byte_span out) noexcept {
    if (!fits_inside(offset, out.size(), size())) return source_failure(errc::out_of_range, offset);
    while (!out.empty()) {
      const auto run = map_run(offset, out.size());
      if (!run) return run.error();
      const byte_span now = out.first(static_cast<std::size_t>(run->bytes));
      if (failure f = read_run(*run, offset, now)) return f;
      offset += now.size();
      out = out.subspan(now.size());
    }
    return no_failure;
  }

  /// The next place at or behind an offset that may hold something else than zeros.
  /// Errors: as `map`.
  [[nodiscard]] constexpr result<range> next_data(std::uint64_t offset) noexcept {
    if (offset > size()) return source_failure(errc::out_of_range, offset);
    while (offset < size()) {
      const auto found = map(offset);
      if (!found) return found.error();
      const auto data = data_in(*found, offset);
      if (!data) return data.error();
      if (data->bytes != 0) return data;
      offset += found->bytes;
    }
    return range{size(), 0};
  }

  /// What the disk has at an offset, and which link it comes from.
  /// Errors: errc::out_of_range for an offset that is not below size(); those of the extents'
  /// `map`, with the number of the file.
  [[nodiscard]] constexpr result<disk_mapping> map(std::uint64_t offset) noexcept {
    if (offset >= size()) return source_failure(errc::out_of_range, offset);
    disk_mapping found;
    found.bytes = size() - offset;
    const auto links = image_->links();
    for (std::size_t i = 0; i < links.size(); ++i) {
      const std::uint32_t number = image_->find_extent(links.data()[i], offset);
      const extent& e = image_->extents().data()[number];
      link_cache& cache = memory_.caches.data()[i % memory_.caches.size()];
      if (cache.extent != number) {
        cache.tables.forget();
        cache.extent = number;
      }
      file_view<F> from(image_->files(), e.file);
      const auto own = e.map(from, offset - e.begin, cache.tables);
      if (!own) return file_view<F>::in_file(own.error(), e.file);
      found.bytes = smaller_of(found.bytes, own->bytes);
      found.extent = number;
      found.link = static_cast<std::uint32_t>(i);
      if (own->where == placement::absent) continue;
      found.where = own->where;
      found.file_offset = own->file_offset;
      return found;
    }
    return found;
  }

 private:
  static constexpr bool expands = !std::is_same_v<D, no_decoder>;
  static constexpr std::uint32_t no_extent = 0xFFFFFFFF;
  static constexpr std::size_t most_table_bytes = std::size_t{1} << 24;

  [[nodiscard]] static constexpr failure too_small(std::uint64_t wanted) noexcept {
    return options_failure(errc::workspace_too_small, 0, static_cast<std::uint32_t>(wanted));
  }

  /// What is at an offset, with the neighbours that continue it, up to a limit that
  /// lies on the disk.
  [[nodiscard]] constexpr result<disk_mapping> map_run(std::uint64_t offset,
                                                       std::uint64_t limit_bytes) noexcept {
    auto run = map(offset);
    if (!run) return run;
    while (run->where != placement::compressed && run->bytes < limit_bytes) {
      const auto next = map(offset + run->bytes);
      // A bad neighbour is reported when its own turn comes.
      if (!next || next->where != run->where) break;
      const bool continues =
          next->extent == run->extent && next->file_offset == run->file_offset + run->bytes;
      if (run->where == placement::stored && !continues) break;
      run->bytes += next->bytes;
    }
    run->bytes = smaller_of(run->bytes, limit_bytes);
    return run;
  }

  [[nodiscard]] constexpr failure read_run(const disk_mapping& run, std::uint64_t offset,
                                           byte_span out) noexcept {
    const extent& e = image_->extents().data()[run.extent];
    file_view<F> from(image_->files(), e.file);
    switch (run.where) {
      case placement::stored:
        return from.read_at(run.file_offset, out);
      case placement::compressed:
        if constexpr (expands) {
          return read_compressed(run, e, from, offset, out);
        } else {
          return file_view<F>::in_file(codec_failure(errc::codec_not_available, run.file_offset),
                                       e.file);
        }
      default:
        zero_bytes(out);
        return no_failure;
    }
  }

  [[nodiscard]] constexpr failure read_compressed(const disk_mapping& run, const extent& e,
                                                  file_view<F>& from, std::uint64_t offset,
                                                  byte_span out) noexcept {
    const std::uint32_t grain_bytes = e.sparse.geometry().grain_bytes();
    const std::uint64_t into = (offset - e.begin) & (grain_bytes - 1);
    const std::uint64_t grain_offset = offset - e.begin - into;
    const auto expand = [&](byte_span to) {
      return file_view<F>::in_file(
          read_compressed_grain(from, from.size(), e.sparse, run.file_offset, grain_offset,
                                memory_.input, *decoder_, to),
          e.file);
    };
    // A whole grain goes straight to the caller; of parts the grain is kept for the next call.
    if (out.size() == grain_bytes) return expand(out);
    if (kept_extent_ != run.extent || kept_grain_offset_ != grain_offset) {
      kept_extent_ = no_extent;
      if (failure f = expand(memory_.grain.first(grain_bytes))) return f;
      kept_extent_ = run.extent;
      kept_grain_offset_ = grain_offset;
    }
    copy_bytes(out.data(), memory_.grain.data() + into, out.size());
    return no_failure;
  }

  /// The part of a mapping that may hold data; flat files know their own holes.
  [[nodiscard]] constexpr result<range> data_in(const disk_mapping& found,
                                                std::uint64_t offset) noexcept {
    if (found.where == placement::zero) return range{offset, 0};
    if constexpr (SparseFiles<F>) {
      const extent& e = image_->extents().data()[found.extent];
      if (e.kind == extent_kind::flat) {
        const auto data = image_->files().next_data(e.file, found.file_offset);
        if (!data) return file_view<F>::in_file(data.error(), e.file);
        const std::uint64_t skipped = data->offset - found.file_offset;
        if (data->bytes == 0 || skipped >= found.bytes) return range{offset, 0};
        return range{offset + skipped, smaller_of(data->bytes, found.bytes - skipped)};
      }
    }
    return range{offset, found.bytes};
  }

  const image<F>* image_ = nullptr;
  cursor_spans memory_{};
  D* decoder_ = nullptr;
  std::uint32_t kept_extent_ = no_extent;  ///< Whose expanded grain is in memory_.grain.
  std::uint64_t kept_grain_offset_ = 0;
};

}  // namespace vmdk

// ---- vmdk/format/bytes_as_text.hpp

namespace vmdk {

/// The same bytes as characters. Not in constant expressions, where memory cannot change its type:
/// see copy_as_text.
[[nodiscard]] inline std::string_view as_text(byte_view bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Copies bytes into characters; `to` has room for them.
constexpr std::string_view copy_as_text(byte_view bytes, char* to) noexcept {
  const std::byte* from = bytes.data();
  for (std::size_t i = 0; i < bytes.size(); ++i) to[i] = std::to_integer<char>(from[i]);
  return {to, bytes.size()};
}

}  // namespace vmdk

// ---- vmdk/reader/extent_file.hpp

namespace vmdk {

/// What a file is by its first bytes.
enum class file_contents : std::uint8_t { text, sparse, cowd, sesparse };

/// Looks at the first bytes of a file. Anything that no extent begins with may be a descriptor if
/// it has no control characters. Errors: errc::magic_invalid; those of the files.
template <Files F>
[[nodiscard]] constexpr result<file_contents> identify_file(F& files, file_id file) noexcept {
  std::array<std::byte, 32> first{};
  file_view<F> from(files, file);
  const auto bytes = static_cast<std::size_t>(smaller_of<std::uint64_t>(first.size(), from.size()));
  if (failure f = from.read_at(0, byte_span(first).first(bytes))) return f;
  const auto magic = load_le<std::uint32_t>(first.data());
  if (bytes >= 4 && (magic == sparse_magic || magic == sparse_magic_unfinished)) {
    return file_contents::sparse;
  }
  if (bytes >= 4 && magic == cowd_magic) return file_contents::cowd;
  if (bytes >= 8 && load_le<std::uint64_t>(first.data()) == sesparse_magic) {
    return file_contents::sesparse;
  }
  for (std::size_t i = 0; i < bytes; ++i) {
    const auto c = std::to_integer<unsigned>(first.data()[i]);
    const bool line_control = c == '\t' || c == '\n' || c == '\r';
    if (c < 0x20 && !line_control) {
      return file_view<F>::in_file(image_failure(errc::magic_invalid, 0), file);
    }
  }
  if (bytes == 0) return file_view<F>::in_file(image_failure(errc::magic_invalid, 0), file);
  return file_contents::text;
}

/// The kind of extent that a descriptor line means. Some writers call a COWD file SPARSE.
/// Errors: errc::extent_type_unsupported for raw devices; those of the file.
template <Files F>
[[nodiscard]] constexpr result<extent_kind> kind_of_line(file_view<F>& from,
                                                         extent_type type) noexcept {
  switch (type) {
    case extent_type::zero:
      return extent_kind::zero;
    case extent_type::flat:
    case extent_type::vmfs:
      return extent_kind::flat;
    case extent_type::vmfs_sparse:
      return extent_kind::cowd;
    case extent_type::se_sparse:
      return extent_kind::sesparse;
    case extent_type::sparse: {
      std::array<std::byte, 4> magic{};
      if (from.size() < magic.size()) return extent_kind::sparse;
      if (failure f = from.read_at(0, magic)) return f;
      const bool is_cowd = load_le<std::uint32_t>(magic.data()) == cowd_magic;
      return is_cowd ? extent_kind::cowd : extent_kind::sparse;
    }
    case extent_type::vmfs_rdm:
    case extent_type::vmfs_raw:
      break;
  }
  return image_failure(errc::extent_type_unsupported, 0);
}

namespace detail {

/// Where the header of a kind of extent states its capacity.
[[nodiscard]] constexpr std::uint64_t capacity_field(extent_kind kind) noexcept {
  if (kind == extent_kind::cowd) return offsetof(cowd_header_start, num_sectors);
  if (kind == extent_kind::sesparse) return offsetof(sesparse_header, capacity);
  return offsetof(sparse_extent_header, capacity);
}

/// True when a hosted sparse extent's header has at least the sectors of its line, and more only as
/// rounding up gives: VirtualBox's to 64 KiB, or that to the grain. It keeps the line exact, so
/// the disk's last extent may be so (SPEC 8).
[[nodiscard]] constexpr bool is_rounded_up(std::uint64_t header_sectors, std::uint64_t line_sectors,
                                           std::uint64_t grain_sectors) noexcept {
  constexpr std::uint64_t rounded_to_sectors = 128;
  return header_sectors >= line_sectors &&
         header_sectors - line_sectors < larger_of(rounded_to_sectors, grain_sectors);
}

}  // namespace detail

/// Opens the file of an extent: its place on the disk is the caller's to set. The length is that of
/// the extent's own header; 0 for a flat file, which has none.
/// Errors: those of the kind's `open`, with the number of the file.
template <Files F>
[[nodiscard]] constexpr result<extent> open_extent_file(file_view<F>& from, file_id file,
                                                        extent_kind kind,
                                                        strictness mode) noexcept {
  extent opened;
  opened.kind = kind;
  opened.file = file;
  failure why;
  const auto take = [&](const auto& extent_or_not, auto& place) {
    why = file_view<F>::in_file(extent_or_not.error(), file);
    if (why) return;
    place = *extent_or_not;
    opened.bytes = extent_or_not->capacity_bytes();
  };
  switch (kind) {
    case extent_kind::sparse:
      take(sparse_extent::open(from, from.size(), mode), opened.sparse);
      break;
    case extent_kind::cowd:
      take(cowd_extent::open(from, from.size(), mode), opened.cowd);
      break;
    case extent_kind::sesparse:
      take(sesparse_extent::open(from, from.size(), mode), opened.sesparse);
      break;
    default:
      break;
  }
  if (why) return why;
  return opened;
}

}  // namespace vmdk

// ---- vmdk/reader/image_opener.hpp

namespace vmdk::detail {

/// Opens a disk and its parents, link by link.
template <Files F>
class image_opener {
  static constexpr std::size_t name_bytes = 3 * extent_name_max_bytes;
  static constexpr std::uint64_t most_detail = 0xFFFFFFFF;

 public:
  constexpr image_opener(F& files, const image_spans& memory, strictness mode) noexcept
      : files_(&files), memory_(memory), mode_(mode), free_text_(memory.text) {}

  [[nodiscard]] result<image<F>> open(file_id file) noexcept {
    const auto top = open_link(file);
    if (!top) return top.error();
    free_text_ = memory_.text.subspan(top->text().size());
    descriptor_view child = *top;
    while (child.has_parent()) {
      const auto parent = open_parent(child);
      if (!parent) return parent.error();
      child = *parent;
    }
    return image<F>(*files_, memory_.extents.first(extent_count_), memory_.links.first(link_count_),
                    *top);
  }

 private:
  /// Opens the next link: a sparse file with its descriptor inside, or a text descriptor.
  [[nodiscard]] result<descriptor_view> open_link(file_id file) noexcept {
    if (link_count_ == memory_.links.size()) {
      return failed(file, errc::chain_too_deep, 0, link_count_);
    }
    file_ = file;
    link& now = memory_.links[link_count_++];
    now = {.file = file, .first_extent = extent_count_, .extent_count = 0, .cid = 0};
    link_bytes_ = 0;

    const auto kind = identify_file(*files_, file);
    if (!kind) return kind.error();
    const auto view = *kind == file_contents::text ? open_text() : open_embedded(*kind);
    if (!view) return view.error();
    now.cid = view->cid();
    now.extent_count = extent_count_ - now.first_extent;
    return view;
  }

  [[nodiscard]] result<descriptor_view> open_parent(const descriptor_view& child) noexcept {
    const file_id child_file = file_;
    std::array<char, name_bytes> name{};
    // Only the last part of the hint counts: which folders may be searched is the caller's say.
    const std::string_view hint = child.parent_file_name_hint();
    if (hint.empty()) return failed(child_file, errc::parent_missing);
    const std::string_view base = base_name(hint);
    if (!is_plain_name(base) || base.size() > extent_name_max_bytes) {
      return failed(child_file, errc::name_not_allowed);
    }
    const auto parent = open_named(*files_, child_file, utf8(base, child.encoding(), name));
    if (!parent) {
      failure why = parent.error();
      if (why.code == errc::file_not_found) why.code = errc::parent_missing;
      return file_view<F>::in_file(why, child_file);
    }
    for (std::uint32_t i = 0; i < link_count_; ++i) {
      if (memory_.links[i].file == *parent) return failed(child_file, errc::chain_loop);
    }
    const std::uint64_t disk_bytes = link_bytes_;
    const std::uint32_t wanted_cid = child.parent_cid();
    const auto view = open_link(*parent);
    if (!view) return view;
    if (view->cid() != wanted_cid) {
      return failed(child_file, errc::parent_modified, 0, view->cid());
    }
    if (link_bytes_ != disk_bytes) return failed(*parent, errc::parent_capacity_differs);
    return view;
  }

  /// A sparse file: its one extent, and the descriptor inside it. The name in the descriptor is not
  /// looked at, so that a file may be renamed.
  [[nodiscard]] result<descriptor_view> open_embedded(file_contents contents) noexcept {
    if (contents != file_contents::sparse) {
      return failed(file_, errc::embedded_descriptor_missing);
    }
    file_view<F> from(*files_, file_);
    auto opened = open_extent_file(from, file_, extent_kind::sparse, mode_);
    if (!opened) return opened.error();
    const sparse_extent& sparse = opened->sparse;
    if (sparse.descriptor_bytes() == 0) return failed(file_, errc::embedded_descriptor_missing);
    const auto view = read_descriptor(sparse.descriptor_offset_bytes(), sparse.descriptor_bytes(),
                                      descriptor_place::embedded);
    if (!view) return view;
    if (view->extents().begin()->access == extent_access::none) {
      opened->kind = extent_kind::no_access;
    }
    if (failure f = add_extent(*opened)) return f;
    return view;
  }

  [[nodiscard]] result<descriptor_view> open_text() noexcept {
    const std::uint64_t bytes = files_->size(file_);
    if (bytes > descriptor_max_bytes) return failed(file_, errc::magic_invalid);
    const auto view = read_descriptor(0, bytes, descriptor_place::text_file);
    if (!view) return view;
    const bool only = view->extent_count() == 1;
    std::size_t left = view->extent_count();
    for (const extent_line& line : view->extents()) {
      if (failure f = open_line(line, view->encoding(), only, --left == 0)) return f;
    }
    return view;
  }

  /// Opens one extent line of a text descriptor. The header of an only extent says how large the
  /// disk is; of several, each must be as large as its line says, or the last be rounded up.
  [[nodiscard]] failure open_line(const extent_line& line, text_encoding encoding, bool only,
                                  bool last) noexcept {
    extent opened;
    // The parser takes no line that is longer, or begins further behind, than a disk can be.
    const std::uint64_t line_bytes = line.sectors << sector_shift;
    if (line.access == extent_access::none) {
      opened.kind = extent_kind::no_access;
    } else if (line.type == extent_type::vmfs_rdm || line.type == extent_type::vmfs_raw) {
      return failed(file_, errc::extent_type_unsupported);
    } else if (line.type != extent_type::zero) {
      std::array<char, name_bytes> memory{};
      const auto id = open_named(*files_, file_, utf8(line.name.stem, encoding, memory));
      if (!id) return file_view<F>::in_file(id.error(), file_);
      if (*id == file_) return failed(file_, errc::extent_is_descriptor);
      file_view<F> from(*files_, *id);
      const auto kind = kind_of_line(from, line.type);
      if (!kind) return kind.error();
      auto result = open_extent_file(from, *id, *kind, mode_);
      if (!result) return result.error();
      opened = *result;
      if (*kind == extent_kind::flat) {
        opened.file_offset = line.offset_sectors << sector_shift;
        if (!fits_inside(opened.file_offset, line_bytes, from.size())) {
          return failed(*id, errc::extent_too_short, from.size());
        }
      } else if (!only && opened.bytes != line_bytes && !(last && is_longer_last(opened, line))) {
        return failed(*id, errc::extent_mismatch, capacity_field(*kind),
                      static_cast<std::uint32_t>(smaller_of(line.sectors, most_detail)));
      }
    }
    if (!only || opened.bytes == 0) opened.bytes = line_bytes;
    return add_extent(opened);
  }

  [[nodiscard]] failure add_extent(extent next) noexcept {
    if (extent_count_ == memory_.extents.size()) {
      return failed(file_, errc::extent_count_invalid, 0, extent_count_);
    }
    const link& now = memory_.links[link_count_ - 1];
    next.begin = link_bytes_;
    // One file may hold several flat extents, but no byte of it is in two of them. A number above
    // all others is a file that no extent has had yet.
    if (has_file(next) && next.file.value <= last_file_.value) {
      for (std::uint32_t i = now.first_extent; i < extent_count_; ++i) {
        if (shares_bytes(memory_.extents[i], next)) return failed(next.file, errc::extent_overlap);
      }
    }
    last_file_.value = larger_of(last_file_.value, next.file.value);
    link_bytes_ = next.end();
    memory_.extents[extent_count_++] = next;
    return no_failure;
  }

  /// True for the last extent of a disk whose writer rounds capacities up.
  [[nodiscard]] static constexpr bool is_longer_last(const extent& e,
                                                     const extent_line& line) noexcept {
    return e.kind == extent_kind::sparse && is_rounded_up(e.bytes >> sector_shift, line.sectors,
                                                          e.sparse.geometry().grain_sectors());
  }

  [[nodiscard]] static constexpr bool has_file(const extent& e) noexcept {
    return e.kind != extent_kind::zero && e.kind != extent_kind::no_access;
  }

  /// True when an extent has bytes of a file that another one has; `b` has a file.
  [[nodiscard]] static constexpr bool shares_bytes(const extent& a, const extent& b) noexcept {
    if (!has_file(a) || a.file != b.file) return false;
    if (a.kind != extent_kind::flat || b.kind != extent_kind::flat) return true;
    return a.file_offset < b.file_offset + b.bytes && b.file_offset < a.file_offset + a.bytes;
  }

  [[nodiscard]] result<descriptor_view> read_descriptor(std::uint64_t offset, std::uint64_t bytes,
                                                        descriptor_place place) noexcept {
    if (bytes > free_text_.size()) {
      return failed(file_, errc::workspace_too_small, offset, static_cast<std::uint32_t>(bytes));
    }
    const byte_span text = free_text_.first(static_cast<std::size_t>(bytes));
    file_view<F> from(*files_, file_);
    if (failure f = from.read_at(offset, text)) return f;
    const auto view = parse_descriptor(as_text(text), place, mode_);
    if (!view) {
      failure why = view.error();
      why.offset += offset;
      return file_view<F>::in_file(why, file_);
    }
    return view;
  }

  [[nodiscard]] static std::string_view utf8(std::string_view name, text_encoding encoding,
                                             std::array<char, name_bytes>& memory) noexcept {
    return name_to_utf8(name, encoding, memory).value_or(name);
  }

  [[nodiscard]] static std::string_view base_name(std::string_view path) noexcept {
    std::size_t begin = 0;
    for (std::size_t i = 0; i < path.size(); ++i) {
      if (path.data()[i] == '/' || path.data()[i] == '\\') begin = i + 1;
    }
    return {path.data() + begin, path.size() - begin};
  }

  [[nodiscard]] static failure failed(file_id file, errc code, std::uint64_t offset = 0,
                                      std::uint32_t detail = 0) noexcept {
    return file_view<F>::in_file(image_failure(code, offset, detail), file);
  }

  F* files_;
  image_spans memory_;
  strictness mode_;
  byte_span free_text_;
  file_id file_{};                ///< The file of the link that is being opened.
  file_id last_file_{};           ///< The highest number of an extent's file.
  std::uint64_t link_bytes_ = 0;  ///< Of the disk, as far as the present link's extents go.
  std::uint32_t extent_count_ = 0;
  std::uint32_t link_count_ = 0;
};

}  // namespace vmdk::detail

// ---- vmdk/reader/open.hpp

namespace vmdk {

/// Opens an image whose files the caller names through a Files object: a sparse file, or a text
/// descriptor with its extents, and all parents.
///
/// Header, footer, descriptor and the place of each directory are checked; table entries are
/// checked when they are used, so opening takes a few reads a file. Every name inside the image
/// goes to `files.open`, and nothing else is opened. Errors: every rule of SPEC 13 that this
/// strictness refuses, with the number of the file in `index` and the offset in it;
/// errc::chain_too_deep, errc::extent_count_invalid and errc::workspace_too_small when the memory
/// is too small for the image; those of `files`.
template <Files F>
[[nodiscard]] result<image<F>> open(F& files, std::string_view name, const image_spans& memory,
                                    strictness mode = strictness::tolerant) noexcept {
  const auto file = files.open(name);
  if (!file) return file.error();
  return detail::image_opener<F>(files, memory, mode).open(*file);
}

/// As above, for a file that the Files object has opened already.
template <Files F>
[[nodiscard]] result<image<F>> open(F& files, file_id file, const image_spans& memory,
                                    strictness mode = strictness::tolerant) noexcept {
  return detail::image_opener<F>(files, memory, mode).open(file);
}

/// As above, in the memory of one object; `file_or_name` is a file_id or a name.
template <Files F, class Name, std::size_t E, std::size_t L, std::size_t T>
[[nodiscard]] result<image<F>> open(F& files, Name file_or_name, image_memory<E, L, T>& memory,
                                    strictness mode = strictness::tolerant) noexcept {
  return open(files, file_or_name, memory.spans(), mode);
}

/// An opened image of one file.
template <Source S>
using source_image = image<single_file<S>>;

/// Opens the image in one Source, which outlives it. Errors: as above; errc::file_not_found, origin
/// files, where the image names a further file.
template <Source S>
[[nodiscard]] result<source_image<S>> open(S& source, const image_spans& memory,
                                           strictness mode = strictness::tolerant) noexcept {
  single_file<S> file(source);
  return open(file, file_id{}, memory, mode);
}

/// As above, in the memory of one object.
template <Source S, std::size_t E, std::size_t L, std::size_t T>
[[nodiscard]] result<source_image<S>> open(S& source, image_memory<E, L, T>& memory,
                                           strictness mode = strictness::tolerant) noexcept {
  return open(source, memory.spans(), mode);
}

}  // namespace vmdk

// ---- vmdk/reader/sparse.hpp

namespace vmdk {

/// The memory of a sparse_reader: the tables that it remembers. The default is the least; with all
/// of the directory in it, no read takes more than two reads of the source.
template <std::size_t DirectoryBytes = sector_bytes, std::size_t TableBytes = sector_bytes>
struct sparse_reader_memory {
  static_assert(DirectoryBytes >= sector_bytes && TableBytes >= sector_bytes,
                "vmdk: a table cache holds at least one sector");
  std::array<std::byte, DirectoryBytes> directory{};
  std::array<std::byte, TableBytes> table{};
};

/// Reads the disk inside one uncompressed sparse file: what a bootloader needs, and no more. It
/// looks at no descriptor and opens no other file. A Source itself; one thread uses it at a time.
/// Source: SPEC 2, 3, 4.
template <Source S>
class sparse_reader {
 public:
  constexpr sparse_reader() noexcept = default;

  /// Opens an image; source and memory are the caller's and outlive the reader.
  /// Errors: those of sparse_extent::open_uncompressed.
  template <std::size_t DirectoryBytes, std::size_t TableBytes>
  [[nodiscard]] static constexpr result<sparse_reader> open(
      S& source, sparse_reader_memory<DirectoryBytes, TableBytes>& memory,
      strictness mode = strictness::tolerant) noexcept {
    const auto extent = sparse_extent::open_uncompressed(source, source.size(), mode);
    if (!extent) return extent.error();
    sparse_reader reader;
    reader.source_ = &source;
    reader.extent_ = *extent;
    reader.cache_.directory = window_cache(memory.directory);
    reader.cache_.table = window_cache(memory.table);
    return reader;
  }

  /// The capacity of the disk.
  [[nodiscard]] constexpr std::uint64_t size() const noexcept { return extent_.capacity_bytes(); }

  [[nodiscard]] constexpr const sparse_extent& extent() const noexcept { return extent_; }

  /// Reads bytes of the disk. Errors: errc::out_of_range; those of sparse_extent::map and of the
  /// source. One bad grain does not keep others from being read.
  [[nodiscard]] constexpr failure read_at(std::uint64_t offset, byte_span out) noexcept {
    if (!fits_inside(offset, out.size(), size())) return source_failure(errc::out_of_range, offset);
    while (!out.empty()) {
      const auto run = map_run(offset, out.size());
      if (!run) return run.error();
      const byte_span now = out.first(static_cast<std::size_t>(run->bytes));
      if (run->where == placement::stored) {
        if (failure f = source_->read_at(run->file_offset, now)) return f;
      } else {
        zero_bytes(now);
      }
      offset += now.size();
      out = out.subspan(now.size());
    }
    return no_failure;
  }

  /// The next run of stored grains at or behind an offset. Errors: as `read_at`.
  [[nodiscard]] constexpr result<range> next_data(std::uint64_t offset) noexcept {
    if (offset > size()) return source_failure(errc::out_of_range, offset);
    while (offset < size()) {
      const auto found = extent_.map(*source_, offset, cache_);
      if (!found) return found.error();
      if (found->where == placement::stored) return range{offset, found->bytes};
      offset += found->bytes;
    }
    return range{size(), 0};
  }

 private:
  /// What is at an offset, with the neighbours that continue it in the file, up to a limit
  /// that lies on the disk.
  [[nodiscard]] constexpr result<mapping> map_run(std::uint64_t offset,
                                                  std::uint64_t limit_bytes) noexcept {
    auto run = extent_.map(*source_, offset, cache_);
    if (!run) return run;
    while (run->bytes < limit_bytes) {
      const auto next = extent_.map(*source_, offset + run->bytes, cache_);
      // A bad neighbour is reported when its own turn comes.
      if (!next || next->where != run->where) break;
      if (run->where == placement::stored && next->file_offset != run->file_offset + run->bytes) {
        break;
      }
      run->bytes += next->bytes;
    }
    run->bytes = smaller_of(run->bytes, limit_bytes);
    return run;
  }

  S* source_ = nullptr;
  sparse_extent extent_{};
  table_cache cache_{};
};

}  // namespace vmdk

// ---- vmdk/reader/passing_tables.hpp

namespace vmdk {

/// Holds the tables of a stream against the grains that a sequential reader sees, with the memory
/// of one table. Tables behind the grains are compared entry by entry; of tables in front, which go
/// by before any grain, the entries are counted (SPEC 5).
class passing_tables {
 public:
  constexpr void begin(const sparse_extent_header& header) noexcept {
    in_front_ = !header.has_tables_at_end() && header.gd_offset < header.over_head.get();
    const sparse_geometry geometry(header.capacity, header.grain_size);
    directory_sector_ = header.gd_offset;
    table_count_ = geometry.table_count();
  }

  /// A sector before the first grain. Tables in front are counted when they lie behind one another
  /// after their directory, which is where every writer puts them.
  /// Errors: errc::directory_entry_invalid when they do not.
  [[nodiscard]] constexpr failure see_front_sector(const sector_image& sector,
                                                   std::uint64_t at) noexcept {
    if (!in_front_) return no_failure;
    const std::uint64_t number = at >> sector_shift;
    const std::uint64_t directory_end =
        directory_sector_ + ceil_shift(table_count_, sparse_geometry::entries_per_sector_shift);
    for (std::size_t i = 0; i < sector_bytes; i += 4) {
      const auto entry = load_le<std::uint32_t>(sector.data() + i);
      if (number >= directory_sector_ && number < directory_end) {
        const std::uint64_t table = ((number - directory_sector_) << 7) + i / 4;
        const std::uint64_t due = directory_end + table * table_sectors;
        if (entry == 0) continue;
        if (table >= table_count_ || entry != due) {
          return image_failure(errc::directory_entry_invalid, at + i);
        }
        front_end_ = due + table_sectors;
      } else if (number >= directory_end && number < front_end_ && entry > 1) {
        ++grains_due_;
      }
    }
    return no_failure;
  }

  /// The sector behind the last table in front, as far as its directory was seen.
  [[nodiscard]] constexpr std::uint64_t front_end() const noexcept { return front_end_; }

  /// A grain, by its number on the disk, and where its marker stands.
  /// Errors: errc::marker_lba_not_ascending; errc::stream_tables_mismatch when the table of the
  /// grains before it is missing, or the directory has been there.
  [[nodiscard]] constexpr failure see_grain(std::uint64_t grain, std::uint64_t at) noexcept {
    if (grain < next_grain_) return image_failure(errc::marker_lba_not_ascending, at);
    const std::uint64_t table = grain >> sparse_geometry::table_shift;
    if (!in_front_ && (has_directory_ || (pending_ && table != table_))) {
      return image_failure(errc::stream_tables_mismatch, at);
    }
    next_grain_ = grain + 1;
    table_ = table;
    pending_ = true;
    ++grains_seen_;
    entries_[grain & (entries_per_table - 1)] = static_cast<std::uint32_t>(at >> sector_shift);
    return no_failure;
  }

  /// A table begins.
  constexpr void begin_table() noexcept { table_is_due_ = pending_; }

  /// One of a table's four sectors. Errors: errc::stream_tables_mismatch.
  [[nodiscard]] constexpr failure see_table_sector(const sector_image& sector, std::uint32_t index,
                                                   std::uint64_t at) noexcept {
    std::uint32_t* const entries = entries_.data() + std::size_t{index} * (sector_bytes / 4);
    for (std::size_t i = 0; i < sector_bytes / 4; ++i) {
      if (load_le<std::uint32_t>(sector.data() + 4 * i) != entries[i]) {
        return image_failure(errc::stream_tables_mismatch, at);
      }
      entries[i] = 0;
    }
    if (index + 1 == table_sectors) {
      pending_ = false;
      if (table_is_due_) ++tables_seen_;
    }
    return no_failure;
  }

  /// One of the directory's sectors, behind all tables. Errors: errc::stream_tables_mismatch when
  /// it has fewer entries than there were tables with grains.
  [[nodiscard]] constexpr failure see_directory_sector(const sector_image& sector,
                                                       std::uint64_t at) noexcept {
    for (std::size_t i = 0; i < sector_bytes; i += 4) {
      const auto entry = load_le<std::uint32_t>(sector.data() + i);
      if (entry == 0) continue;
      if (entry > at >> sector_shift) return image_failure(errc::directory_entry_invalid, at + i);
      ++directory_entries_;
    }
    has_directory_ = true;
    return no_failure;
  }

  /// True when the tables lie before the grains.
  [[nodiscard]] constexpr bool are_in_front() const noexcept { return in_front_; }

  /// True when the directory behind the grains has been there.
  [[nodiscard]] constexpr bool has_directory() const noexcept { return has_directory_; }

  /// True when no grain is missing that a table or the directory knows of.
  [[nodiscard]] constexpr bool all_grains_seen() const noexcept {
    if (in_front_) return grains_seen_ == grains_due_;
    return has_directory_ && !pending_ && directory_entries_ >= tables_seen_;
  }

 private:
  bool in_front_ = false;
  bool pending_ = false;       ///< Grains were seen whose table was not.
  bool table_is_due_ = false;  ///< The table that goes by is that of such grains.
  bool has_directory_ = false;
  std::uint64_t directory_sector_ = 0;
  std::uint64_t table_count_ = 0;
  std::uint64_t front_end_ = 0;
  std::uint64_t next_grain_ = 0;
  std::uint64_t table_ = 0;
  std::uint64_t grains_seen_ = 0;
  std::uint64_t grains_due_ = 0;
  std::uint64_t tables_seen_ = 0;
  std::uint64_t directory_entries_ = 0;
  std::array<std::uint32_t, entries_per_table> entries_{};
};

}  // namespace vmdk

// ---- vmdk/reader/stream_input.hpp

namespace vmdk {

/// The sectors of a stream front to back, with the memory of one, and the data of the grain whose
/// marker the last one begins with (SPEC 5). After a failure it is of no further use.
/// Errors of each call: errc::stream_end_missing when the source ends too early, with the offset in
/// the stream; those of the source.
template <SequentialSource S>
class stream_input {
 public:
  constexpr explicit stream_input(S& source) noexcept : source_(&source) {}

  /// The bytes read from the source.
  [[nodiscard]] constexpr std::uint64_t position() const noexcept { return position_; }
  /// The last sector read.
  [[nodiscard]] constexpr const sector_image& sector() const noexcept { return sector_; }

  [[nodiscard]] constexpr failure read_sector() noexcept {
    sector_used_ = sector_bytes;
    return read_exactly(sector_);
  }

  [[nodiscard]] constexpr failure pass_over(std::uint64_t sectors) noexcept {
    for (; sectors != 0; --sectors) {
      if (failure f = read_sector()) return f;
    }
    return no_failure;
  }

  /// Finds that the source ends here, or behind zeros where they may follow.
  /// Errors: errc::stream_data_after_end, with the offset of the first byte that may not be there.
  [[nodiscard]] constexpr failure read_end(bool zeros_may_follow) noexcept {
    for (;;) {
      const auto got = source_->read(sector_);
      if (!got) return got.error();
      if (*got == 0) return no_failure;
      std::size_t zeros = 0;
      while (zeros_may_follow && zeros < *got && sector_[zeros] == std::byte{0}) ++zeros;
      position_ += zeros;
      if (zeros != *got) return image_failure(errc::stream_data_after_end, position_);
    }
  }

  /// Makes the sector a marker of a grain with that many bytes of data.
  constexpr void begin_data(std::uint32_t bytes) noexcept {
    left_bytes_ = bytes;
    sector_used_ = grain_marker_bytes;
  }

  /// How much of the grain's data is still to be read.
  [[nodiscard]] constexpr std::uint32_t left_bytes() const noexcept { return left_bytes_; }
  /// Where in the stream the next byte of it is.
  [[nodiscard]] constexpr std::uint64_t data_offset() const noexcept {
    return position_ - sector_bytes + sector_used_;
  }
  /// The last four bytes of data that were read, big-endian.
  [[nodiscard]] constexpr std::uint32_t last_word() const noexcept { return last_word_; }

  /// Fills the span with the grain's next data, of which at least that much is left.
  [[nodiscard]] constexpr failure read_data(byte_span out) noexcept {
    left_bytes_ -= static_cast<std::uint32_t>(out.size());
    const std::size_t ready = smaller_of<std::size_t>(out.size(), sector_.size() - sector_used_);
    copy_bytes(out.data(), sector_.data() + sector_used_, ready);
    sector_used_ += static_cast<std::uint32_t>(ready);
    if (failure f = read_exactly(out.subspan(ready))) return f;
    const byte_view last = out.last(smaller_of<std::size_t>(out.size(), sizeof last_word_));
    for (const std::byte b : last) last_word_ = last_word_ << 8 | std::to_integer<unsigned>(b);
    return no_failure;
  }

  /// Drops what is left of the grain's data, and the rest of its last sector. Where the source ends
  /// instead of that rest, nothing is lost: old versions of qemu-img do not pad the last grain.
  [[nodiscard]] constexpr failure leave_data() noexcept {
    std::array<std::byte, 64> dropped{};
    while (left_bytes_ != 0) {
      const auto now = smaller_of<std::size_t>(left_bytes_, dropped.size());
      if (failure f = read_data(byte_span(dropped).first(now))) return f;
    }
    const auto odd = static_cast<std::size_t>(position_ & (sector_bytes - 1));
    if (odd == 0) return no_failure;
    const failure f = read_exactly(byte_span(sector_).first(sector_bytes - odd));
    return f.code == errc::stream_end_missing ? no_failure : f;
  }

 private:
  [[nodiscard]] constexpr failure read_exactly(byte_span out) noexcept {
    while (!out.empty()) {
      const auto got = source_->read(out);
      if (!got) return got.error();
      if (*got == 0) return image_failure(errc::stream_end_missing, position_);
      position_ += *got;
      out = out.subspan(*got);
    }
    return no_failure;
  }

  S* source_;
  std::uint64_t position_ = 0;
  sector_image sector_{};
  std::uint32_t sector_used_ = sector_bytes;  ///< How much of it has been handed out.
  std::uint32_t left_bytes_ = 0;
  std::uint32_t last_word_ = 0;
};

/// Supplies a decoder with the grain's data in pieces.
template <SequentialSource S>
struct stream_supply {
  stream_input<S>* input;
  byte_span buffer;

  [[nodiscard]] constexpr result<byte_view> next() noexcept {
    const byte_span piece =
        buffer.first(smaller_of<std::size_t>(buffer.size(), input->left_bytes()));
    if (failure f = input->read_data(piece)) return f;
    return byte_view(piece);
  }
};

}  // namespace vmdk

// ---- vmdk/reader/stream.hpp

namespace vmdk {

/// A grain that a stream_reader has come to.
struct stream_grain {
  std::uint64_t disk_offset = 0;  ///< Where on the disk it begins, in bytes.
  std::uint32_t data_bytes = 0;   ///< Of its compressed data; 0: the stream has ended, and well.
};

/// Reads a streamOptimized image front to back, once: from a pipe or a network. Tables may lie in
/// front of the grains or behind them; either way they are compared with the grains that were seen,
/// so that a stream with a grain missing is not taken for a whole one (SPEC 5, 13.2, 13.3).
///
/// Call `open`, then `next` and `expand` or `take` in turn until there is no grain left. After a
/// failure every call returns it.
template <SequentialSource S>
class stream_reader {
 public:
  constexpr explicit stream_reader(S& source) noexcept : input_(source) {}

  /// Reads the header and the embedded descriptor. The descriptor's bytes go to `text`, which may
  /// be empty: then they are passed over. Gives the descriptor's bytes; what they say is not looked
  /// at. Errors: each rule of SPEC 13.1; errc::source_not_seekable for an image that is no stream,
  /// and can only be read at random; errc::workspace_too_small for `text`; those of the source.
  [[nodiscard]] constexpr result<byte_view> open(byte_span text,
                                                 strictness mode = strictness::tolerant) noexcept {
    const auto opened = read_head(text, mode);
    if (!opened) return fail(opened.error());
    return opened;
  }

  [[nodiscard]] constexpr const sparse_geometry& geometry() const noexcept { return geometry_; }
  /// The capacity of the disk in bytes.
  [[nodiscard]] constexpr std::uint64_t size() const noexcept { return geometry_.capacity_bytes(); }

  /// Where in the stream the embedded descriptor is, in bytes; 0: there is none.
  [[nodiscard]] constexpr std::uint64_t descriptor_offset() const noexcept {
    return header_.descriptor_offset << sector_shift;
  }

  /// Goes to the next grain; drops the data of the present one if nobody took it.
  /// Errors: the rules of SPEC 13.2 and 13.3, with the offset in the stream;
  /// errc::stream_end_missing when the source ends too early; those of the source.
  [[nodiscard]] constexpr result<stream_grain> next() noexcept {
    if (failed_) return failed_;
    const auto found = find_grain();
    if (!found) return fail(found.error());
    return found;
  }

  /// Expands the present grain: `out` is one grain. `input` takes compressed bytes on their way, of
  /// at least one sector; decoders that need contiguous input need room for all of them. Errors:
  /// those of the decoder (offset in the stream) and of the source.
  template <Decoder D>
  [[nodiscard]] constexpr failure expand(D& decoder, byte_span input, byte_span out) noexcept {
    if (failed_) return failed_;
    const std::uint64_t data_at = data_offset();
    // A decoder that stops early must leave nothing behind that was there before.
    if (short_bytes_ != 0) zero_bytes(out);
    if (D::needs_contiguous_input) {
      const auto data = take(input);
      if (!data) return data.error();
      single_supply supply(*data);
      return finish_expanding(decoder.decode(supply, out), data_at, out);
    }
    stream_supply<S> supply{&input_, input};
    return finish_expanding(decoder.decode(supply, out), data_at, out);
  }

  /// Where in the stream the present grain's next compressed byte is.
  [[nodiscard]] constexpr std::uint64_t data_offset() const noexcept {
    return input_.data_offset();
  }

  /// Copies the present grain's compressed data out, for somebody else to expand.
  /// Errors: errc::workspace_too_small (detail: the bytes wanted); those of the source.
  [[nodiscard]] constexpr result<byte_view> take(byte_span out) noexcept {
    if (failed_) return failed_;
    const std::uint32_t left_bytes = input_.left_bytes();
    if (out.size() < left_bytes) {
      return fail(options_failure(errc::workspace_too_small, 0, left_bytes));
    }
    const byte_span data = out.first(left_bytes);
    if (failure f = input_.read_data(data)) return fail(f);
    return byte_view(data);
  }

 private:
  [[nodiscard]] constexpr failure fail(failure why) noexcept {
    failed_ = why;
    return why;
  }

  /// A last grain that was not padded expands into less than a whole one. It cannot be read again
  /// to expand it into what exists, but its own checksum, the last thing that it holds, tells
  /// whether that is there.
  [[nodiscard]] constexpr failure finish_expanding(failure why, std::uint64_t data_at,
                                                   byte_span out) noexcept {
    if (why.code == errc::stream_output_short && short_bytes_ != 0 && input_.left_bytes() == 0 &&
        adler32(out.first(short_bytes_)) == input_.last_word()) {
      zero_bytes(out.subspan(short_bytes_));
      why = {};
    }
    if (why && why.from == origin::codec) why.offset += data_at;
    return why ? fail(why) : why;
  }

  [[nodiscard]] constexpr result<byte_view> read_head(byte_span text, strictness mode) noexcept {
    if (failure f = input_.read_sector()) {
      return f.code == errc::stream_end_missing ? image_failure(errc::header_truncated, 0) : f;
    }
    decode_sparse_header(input_.sector(), header_);
    // A pipe has no size that the header could be held against.
    if (failure f = validate(header_, ~std::uint64_t{0}, mode)) return f;
    if (!header_.is_compressed()) return source_failure(errc::source_not_seekable, 0);
    geometry_ = sparse_geometry(header_.capacity, header_.grain_size);
    mode_ = mode;

    const std::uint64_t text_begin = header_.descriptor_offset;
    const std::uint64_t text_end = text_begin == 0 ? 0 : text_begin + header_.descriptor_size;
    const std::uint64_t text_bytes = (text_end - text_begin) << sector_shift;
    if (!text.empty() && text_bytes > text.size()) {
      return options_failure(errc::workspace_too_small, 0, static_cast<std::uint32_t>(text_bytes));
    }
    tables_.begin(header_);
    for (std::uint64_t number = 1;
         number < larger_of(text_end, larger_of(header_.over_head.get(), tables_.front_end()));
         ++number) {
      if (failure f = input_.read_sector()) return f;
      if (failure f = tables_.see_front_sector(input_.sector(), number << sector_shift)) return f;
      if (!text.empty() && number >= text_begin && number < text_end) {
        const std::uint64_t into = (number - text_begin) << sector_shift;
        copy_bytes(text.data() + into, input_.sector().data(), sector_bytes);
      }
    }
    return text.empty() ? byte_view{} : byte_view(text.first(static_cast<std::size_t>(text_bytes)));
  }

  [[nodiscard]] constexpr result<stream_grain> find_grain() noexcept {
    if (ended_) return stream_grain{};
    if (failure f = input_.leave_data()) return f;
    for (;;) {
      const std::uint64_t at = input_.position();
      const failure f = input_.read_sector();
      // A writer of tables in front may end without a marker: then the tables tell what was due.
      if (f.code == errc::stream_end_missing && input_.position() == at && tables_.are_in_front() &&
          tables_.all_grains_seen()) {
        ended_ = true;
        return stream_grain{};
      }
      if (f) return f;
      const stream_marker marker = decode_marker(input_.sector().data());
      if (marker.is_grain()) return begin_grain(marker, at);
      if (failure broken = take_marker(marker, at)) return broken;
      if (ended_) return stream_grain{};
    }
  }

  [[nodiscard]] constexpr result<stream_grain> begin_grain(const stream_marker& marker,
                                                           std::uint64_t at) noexcept {
    const std::uint64_t lba = marker.value;
    if (lba >= geometry_.capacity_sectors() || (lba & (geometry_.grain_sectors() - 1)) != 0) {
      return image_failure(errc::marker_lba_mismatch, at);
    }
    if (marker.size > compressed_size_limit(geometry_.grain_bytes())) {
      return image_failure(errc::marker_size_invalid, at + 8, marker.size);
    }
    if (failure f = tables_.see_grain(lba >> geometry_.grain_shift(), at)) return f;
    input_.begin_data(marker.size);
    const std::uint64_t disk_offset = lba << sector_shift;
    const std::uint64_t exists = geometry_.capacity_bytes() - disk_offset;
    short_bytes_ = exists < geometry_.grain_bytes() ? static_cast<std::uint32_t>(exists) : 0;
    return stream_grain{disk_offset, marker.size};
  }

  [[nodiscard]] constexpr failure take_marker(const stream_marker& marker,
                                              std::uint64_t at) noexcept {
    const auto wrong = [at] { return image_failure(errc::marker_invalid, at); };
    // Who reads at random looks for the footer right before the end, and for one directory.
    if (has_footer_ && !marker.is(marker_type::end_of_stream)) return wrong();
    const bool is_table =
        marker.is(marker_type::grain_table) || marker.is(marker_type::grain_directory);
    if (is_table && tables_.has_directory()) {
      return image_failure(errc::stream_tables_mismatch, at);
    }
    switch (static_cast<marker_type>(marker.type.get())) {
      case marker_type::end_of_stream:
        return marker.value == 0 ? take_end(at) : wrong();
      case marker_type::grain_table:
        return marker.value == table_sectors ? take_table(at) : wrong();
      case marker_type::grain_directory:
        if (marker.value != geometry_.directory_sectors()) return wrong();
        directory_sector_ = input_.position() >> sector_shift;
        if (!header_.has_tables_at_end() && header_.gd_offset != directory_sector_) {
          return image_failure(errc::stream_tables_mismatch, at);
        }
        return take_directory();
      case marker_type::footer:
        return marker.value == 1 ? take_footer() : wrong();
      case marker_type::progress:
        return input_.pass_over(marker.value);
    }
    return wrong();
  }

  [[nodiscard]] constexpr failure take_table(std::uint64_t at) noexcept {
    tables_.begin_table();
    for (std::uint32_t i = 0; i < table_sectors; ++i) {
      if (failure f = input_.read_sector()) return f;
      if (failure f = tables_.see_table_sector(input_.sector(), i, at)) return f;
    }
    return no_failure;
  }

  [[nodiscard]] constexpr failure take_directory() noexcept {
    for (std::uint64_t i = 0; i < geometry_.directory_sectors(); ++i) {
      const std::uint64_t at = input_.position();
      if (failure f = input_.read_sector()) return f;
      if (failure f = tables_.see_directory_sector(input_.sector(), at)) return f;
    }
    return no_failure;
  }

  [[nodiscard]] constexpr failure take_footer() noexcept {
    const std::uint64_t at = input_.position();
    if (failure f = input_.read_sector()) return f;
    // The first of these that fails is the one that counts.
    first_refusal refusal(mode_);
    const bool is_right =
        with_sparse_header(input_.sector(), [&](const sparse_extent_header& footer) {
          check_sparse_header(footer, ~std::uint64_t{0}, refusal, at);
          check_footer_agrees(header_, footer, refusal, at);
          return footer.gd_offset == directory_sector_;
        });
    if (!is_right) {
      refusal(errc::footer_directory_invalid, at + offsetof(sparse_extent_header, gd_offset));
    }
    has_footer_ = !refusal.why();
    return refusal.why();
  }

  [[nodiscard]] constexpr failure take_end(std::uint64_t at) noexcept {
    if (!is_zero(input_.sector().data(), input_.sector().size())) {
      return image_failure(errc::end_of_stream_invalid, at);
    }
    if (header_.has_tables_at_end() && !has_footer_) {
      return image_failure(errc::footer_missing, at);
    }
    if (!tables_.all_grains_seen()) return image_failure(errc::stream_tables_mismatch, at);
    // With tables in front some writers round the file up with zeros.
    if (failure f = input_.read_end(tables_.are_in_front())) return f;
    ended_ = true;
    return no_failure;
  }

  stream_input<S> input_;
  sparse_extent_header header_{};
  sparse_geometry geometry_{};
  strictness mode_ = strictness::tolerant;
  failure failed_{};
  std::uint32_t short_bytes_ = 0;  ///< The part of the last grain that exists, when it is cut.
  std::uint64_t directory_sector_ = 0;
  passing_tables tables_{};
  bool has_footer_ = false;
  bool ended_ = false;
};

}  // namespace vmdk

// ---- vmdk/reader/unpack.hpp

namespace vmdk {

/// The memory of unpack_stream, all of it the caller's.
struct unpack_spans {
  byte_span grain;  ///< One grain of the stream.
  byte_span input;  ///< The decoder's compressed_input_bytes.
};

/// Writes the disk of a stream that `open` has been called on to a sink, front to back, so that a
/// network is unpacked without a second copy. Grains ascend, so a sink that only appends will do;
/// between them zeros are written, or left out where the sink can do that. Gives the size of the
/// disk.
/// Errors: errc::workspace_too_small (detail: the bytes wanted) before anything is read; those of
/// stream_reader, of the decoder and of the sink. The sink's content is then incomplete.
template <SequentialSource S, Sink K, Decoder D>
[[nodiscard]] constexpr result<std::uint64_t> unpack_stream(stream_reader<S>& stream, K& sink,
                                                            D& decoder,
                                                            const unpack_spans& memory) noexcept {
  const std::uint32_t grain_bytes = stream.geometry().grain_bytes();
  if (memory.grain.size() < grain_bytes) {
    return options_failure(errc::workspace_too_small, 0, grain_bytes);
  }
  const std::uint64_t input_bytes = compressed_input_bytes<D>(grain_bytes);
  if (memory.input.size() < input_bytes) {
    return options_failure(errc::workspace_too_small, 0, static_cast<std::uint32_t>(input_bytes));
  }
  std::uint64_t written = 0;
  for (;;) {
    const auto grain = stream.next();
    if (!grain) return grain.error();
    const std::uint64_t until = grain->data_bytes == 0 ? stream.size() : grain->disk_offset;
    if (until != written) {
      if (failure f = put_zeros(sink, until - written)) return f;
    }
    written = until;
    if (grain->data_bytes == 0) return written;
    const byte_span out = memory.grain.first(grain_bytes);
    if (failure f = stream.expand(decoder, memory.input, out)) return f;
    const std::uint64_t exists = smaller_of<std::uint64_t>(grain_bytes, stream.size() - written);
    if (failure f = sink.write(out.first(static_cast<std::size_t>(exists)))) return f;
    written += exists;
  }
}

}  // namespace vmdk

// ---- vmdk/verify/finding.hpp

namespace vmdk {

/// In a finding: a figure that it does not have.
inline constexpr std::uint64_t no_figure = 0xFFFFFFFFFFFFFFFF;

/// One broken rule of SPEC 13, where it is broken, and the figures that `describe` puts into its
/// sentence. Tables count from 0 in the order of the directory, entries from 0 in their table.
struct finding {
  errc code = errc::none;
  severity level = severity::error;
  std::uint32_t file = 0;                 ///< Which file of the Files object; 0 for a Source.
  std::uint64_t offset = 0;               ///< Of the field, entry, marker or text, in bytes.
  std::uint64_t table = no_figure;        ///< The table that the rule is about.
  std::uint64_t entry = no_figure;        ///< Its entry; in a descriptor the line, from 1.
  std::uint64_t value = no_figure;        ///< What stands there.
  std::uint64_t other = no_figure;        ///< What should, or what it contradicts.
  std::uint64_t other_table = no_figure;  ///< The other party of an overlap.
  std::uint64_t other_entry = no_figure;  ///< no_figure when that party is the table itself.
  std::uint64_t more = 0;                 ///< Not 0: only says how many of this code were left out.
  std::string_view name{};                ///< A file's name; valid during the call alone.
};

/// What a check looked at and how much it found. Findings that were left out are counted.
struct check_summary {
  std::uint64_t notes = 0;
  std::uint64_t warnings = 0;
  std::uint64_t errors = 0;
  bool unclean = false;  ///< Some file was not closed by its last writer.
  bool stopped = false;  ///< The caller wanted no more findings; the rest was not looked at.
  std::uint32_t files = 0;
  std::uint64_t tables = 0;         ///< Grain tables, not counting their copies.
  std::uint64_t stored_grains = 0;  ///< Table entries that name a grain.
  std::uint64_t zeroed_grains = 0;
  std::uint64_t expanded_grains = 0;  ///< Compressed grains that hold what they should.

  /// True when nothing worse than a warning was found.
  [[nodiscard]] constexpr bool is_sound() const noexcept { return errors == 0 && !unclean; }
};

}  // namespace vmdk

// ---- vmdk/verify/finding_reporter.hpp

namespace vmdk {

/// How many findings of one code are told one by one; the others are counted.
inline constexpr std::uint32_t findings_told_per_code = 100;

namespace detail {

/// How many findings of each code there were. Codes beyond the library's own share the last place.
using finding_counts = std::array<std::uint32_t, 1024>;

/// Counts findings, hands them to the caller and keeps their number bounded.
template <class OnFinding>
class finding_reporter {
 public:
  constexpr finding_reporter(finding_counts& counts, OnFinding& on_finding) noexcept
      : counts_(&counts), on_finding_(&on_finding) {
    for (std::uint32_t& count : counts) count = 0;
  }

  /// Which file the findings from now on are about.
  constexpr void set_file(std::uint32_t file) noexcept { file_ = file; }

  /// Takes a finding, whose severity and file are filled in here. Fails with errc::cancelled, of
  /// nobody's origin, once the caller wants no more.
  constexpr failure add(finding found) noexcept {
    found.level = severity_of(found.code);
    found.file = file_;
    count(found.level);
    std::uint32_t& seen = (*counts_)[place_of(found.code)];
    if (seen != 0xFFFFFFFF) ++seen;
    if (seen > findings_told_per_code || tell(found)) return no_failure;
    summary.stopped = true;
    return {.code = errc::cancelled};
  }

  /// Takes a finding that has no figures.
  constexpr failure add(errc code, std::uint64_t offset) noexcept {
    return add(finding{.code = code, .offset = offset});
  }

  /// Counts findings that nobody kept.
  constexpr void add_untold(errc code, std::uint64_t how_many) noexcept {
    std::uint32_t& seen = (*counts_)[place_of(code)];
    if (seen < findings_told_per_code) seen = findings_told_per_code;
    seen = how_many < 0xFFFFFFFF - seen ? seen + static_cast<std::uint32_t>(how_many) : 0xFFFFFFFF;
    summary.errors += how_many;
  }

  /// Tells how many findings were left out, code by code.
  constexpr void close() noexcept {
    for (std::size_t i = 0; i < counts_->size() && !summary.stopped; ++i) {
      const std::uint32_t seen = counts_->data()[i];
      if (seen <= findings_told_per_code) continue;
      const auto code = static_cast<errc>(i);
      const finding rest{
          .code = code, .level = severity_of(code), .more = seen - findings_told_per_code};
      summary.stopped = !tell(rest);
    }
  }

  check_summary summary{};

 private:
  [[nodiscard]] constexpr std::size_t place_of(errc code) const noexcept {
    const auto place = static_cast<std::size_t>(code);
    return place < counts_->size() ? place : counts_->size() - 1;
  }

  constexpr void count(severity level) noexcept {
    switch (level) {
      case severity::note:
        ++summary.notes;
        break;
      case severity::warning:
        ++summary.warnings;
        break;
      case severity::unclean:
        summary.unclean = true;
        break;
      default:
        ++summary.errors;
        break;
    }
  }

  /// False when the caller wants no more; a callback without a result always wants more.
  // NOLINTNEXTLINE(bugprone-exception-escape): a callback that throws ends the program.
  constexpr bool tell(const finding& found) noexcept {
    if constexpr (std::is_void_v<decltype((*on_finding_)(found))>) {
      (*on_finding_)(found);
      return true;
    } else {
      return static_cast<bool>((*on_finding_)(found));
    }
  }

  finding_counts* counts_;
  OnFinding* on_finding_;
  std::uint32_t file_ = 0;
};

}  // namespace detail
}  // namespace vmdk

// ---- vmdk/verify/sector_use.hpp

namespace vmdk::detail {

/// What sectors of an extent's file are used for.
enum class sector_use_kind : std::uint8_t {
  header,
  descriptor,
  directory,
  table,
  footer,
  region,  ///< A part of a seSparse file that check does not look into.
  grain,
};

/// A run of sectors, what it is used for and who says so.
struct sector_use {
  sector_use_kind kind = sector_use_kind::header;
  std::uint64_t first_sector = 0;
  std::uint64_t sectors = 0;
  std::uint64_t named_at = 0;  ///< Byte offset of the field or entry that names it.
  std::uint64_t table = 0;
  std::uint32_t entry = 0;
};

/// Sectors of a file from one up to another.
struct sector_window {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
};

/// Sectors that have more than one user, and the first two of these in the order of the walk.
struct shared_run {
  std::uint64_t first_sector = 0;
  std::uint64_t sectors = 0;
  std::uint64_t users = 0;  ///< Not counting what is reserved.
  bool has_user = false;
  bool has_second_user = false;
  sector_use user{};
  sector_use second_user{};

  constexpr void add(const sector_use& use, bool reserved) noexcept {
    if (!reserved) ++users;
    if (!has_user) {
      has_user = true;
      user = use;
    } else if (!reserved && !has_second_user) {
      has_second_user = true;
      second_user = use;
    }
  }
};

/// The shared runs with the lowest sectors, and how many there are in all.
struct shared_runs {
  static constexpr std::size_t most_kept = 100;
  std::array<shared_run, most_kept> kept{};
  std::size_t kept_count = 0;
  std::uint64_t count = 0;

  constexpr void clear() noexcept {
    kept_count = 0;
    count = 0;
  }
  constexpr void add(std::uint64_t first_sector, std::uint64_t sectors) noexcept {
    ++count;
    if (kept_count == most_kept) return;
    shared_run& run = kept.data()[kept_count++];
    run = {};
    run.first_sector = first_sector;
    run.sectors = sectors;
  }
};

}  // namespace vmdk::detail

// ---- vmdk/verify/table_formats.hpp

namespace vmdk::detail {

/// The directory and tables of a hosted sparse extent, in one copy or two. The three formats have
/// the same members, so that one walk serves them all.
class sparse_format {
 public:
  static constexpr unsigned entry_shift = 2;  ///< Bytes of an entry, as a power of two.
  static constexpr unsigned table_shift = sparse_geometry::table_shift;

  /// The header says where the directories are; that of a stream does so once its footer's places
  /// are put into it. It was checked before.
  constexpr sparse_format(const sparse_extent_header& header, std::uint64_t file_bytes) noexcept
      : extent_(header, file_bytes),
        file_bytes_(file_bytes),
        redundant_sector_(has_second_copy(header) ? header.rgd_offset.get() : 0) {}

  [[nodiscard]] constexpr const sparse_extent& extent() const noexcept { return extent_; }
  [[nodiscard]] constexpr std::uint64_t file_bytes() const noexcept { return file_bytes_; }
  [[nodiscard]] constexpr bool is_compressed() const noexcept { return extent_.is_compressed(); }

  [[nodiscard]] constexpr unsigned copies() const noexcept {
    return redundant_sector_ == 0 ? 1 : 2;
  }
  [[nodiscard]] constexpr std::uint64_t directory_at(unsigned copy) const noexcept {
    return copy == 0 ? extent_.directory_offset_bytes() : redundant_sector_ << sector_shift;
  }
  [[nodiscard]] constexpr std::uint64_t directory_bytes() const noexcept {
    return extent_.geometry().directory_sectors() << sector_shift;
  }
  [[nodiscard]] constexpr std::uint64_t table_count() const noexcept {
    return extent_.geometry().table_count();
  }
  [[nodiscard]] constexpr std::uint64_t grain_count() const noexcept {
    return extent_.geometry().grain_count();
  }
  /// Streams leave tables out that have no grains; other readers of sparse files rely on them all.
  [[nodiscard]] constexpr bool may_lack_tables() const noexcept { return is_compressed(); }

  [[nodiscard]] constexpr bool names_table(std::uint64_t entry) const noexcept {
    return extent_.may_hold_table(entry);
  }
  [[nodiscard]] constexpr std::uint64_t table_sector(std::uint64_t entry) const noexcept {
    return entry;
  }
  [[nodiscard]] constexpr errc judge(std::uint64_t entry, std::uint64_t grain) const noexcept {
    return extent_.judge_grain(static_cast<std::uint32_t>(entry), grain);
  }
  /// True for an entry that is not 0, and that judge found good, when it names a grain.
  [[nodiscard]] constexpr bool is_stored(std::uint64_t entry) const noexcept { return entry != 1; }
  [[nodiscard]] constexpr std::uint64_t grain_sector(std::uint64_t entry) const noexcept {
    return entry;
  }
  /// The sectors of a grain as the disk has them: the last one may be cut at the capacity.
  [[nodiscard]] constexpr std::uint64_t grain_sectors(std::uint64_t grain) const noexcept {
    const auto& geometry = extent_.geometry();
    return smaller_of<std::uint64_t>(
        geometry.grain_sectors(), geometry.capacity_sectors() - (grain << geometry.grain_shift()));
  }
  [[nodiscard]] constexpr bool is_aligned(std::uint64_t sector) const noexcept {
    return is_compressed() || (sector & (extent_.geometry().grain_sectors() - 1)) == 0;
  }

 private:
  [[nodiscard]] static constexpr bool has_second_copy(const sparse_extent_header& h) noexcept {
    return h.has(sparse_flags::redundant_tables) && h.rgd_offset != h.gd_offset.get();
  }

  sparse_extent extent_;
  std::uint64_t file_bytes_;
  std::uint64_t redundant_sector_;
};

/// The directory and tables of a COWD extent.
class cowd_format {
 public:
  static constexpr unsigned entry_shift = 2;
  static constexpr unsigned table_shift = cowd_table_shift;

  constexpr cowd_format(const cowd_header_start& header, std::uint64_t file_bytes) noexcept
      : extent_(header, file_bytes, strictness::tolerant),
        file_bytes_(file_bytes),
        capacity_sectors_(header.num_sectors),
        grain_shift_(log2_exact(header.grain_size)) {}

  [[nodiscard]] constexpr std::uint64_t file_bytes() const noexcept { return file_bytes_; }
  [[nodiscard]] constexpr unsigned copies() const noexcept { return 1; }
  [[nodiscard]] constexpr std::uint64_t directory_at(unsigned) const noexcept {
    return extent_.directory_offset_bytes();
  }
  /// Without padding: files end with the last entry of an empty directory.
  [[nodiscard]] constexpr std::uint64_t directory_bytes() const noexcept {
    return table_count() << entry_shift;
  }
  [[nodiscard]] constexpr std::uint64_t table_count() const noexcept {
    return extent_.table_count();
  }
  [[nodiscard]] constexpr std::uint64_t grain_count() const noexcept {
    return extent_.grain_count();
  }
  [[nodiscard]] constexpr bool may_lack_tables() const noexcept { return true; }
  [[nodiscard]] constexpr bool names_table(std::uint64_t entry) const noexcept {
    return extent_.may_hold_table(entry);
  }
  [[nodiscard]] constexpr std::uint64_t table_sector(std::uint64_t entry) const noexcept {
    return entry;
  }
  [[nodiscard]] constexpr errc judge(std::uint64_t entry, std::uint64_t grain) const noexcept {
    return extent_.judge_grain(static_cast<std::uint32_t>(entry), grain);
  }
  [[nodiscard]] constexpr bool is_stored(std::uint64_t entry) const noexcept { return entry != 1; }
  [[nodiscard]] constexpr std::uint64_t grain_sector(std::uint64_t entry) const noexcept {
    return entry;
  }
  [[nodiscard]] constexpr std::uint64_t grain_sectors(std::uint64_t grain) const noexcept {
    return smaller_of<std::uint64_t>(std::uint64_t{1} << grain_shift_,
                                     capacity_sectors_ - (grain << grain_shift_));
  }
  /// Grains stand wherever room was.
  [[nodiscard]] constexpr bool is_aligned(std::uint64_t) const noexcept { return true; }

 private:
  cowd_extent extent_;
  std::uint64_t file_bytes_;
  std::uint64_t capacity_sectors_;
  unsigned grain_shift_;
};

/// The directory and tables of a seSparse extent.
class sesparse_format {
 public:
  static constexpr unsigned entry_shift = 3;
  static constexpr unsigned table_shift = sesparse_table_shift;

  constexpr sesparse_format(const sesparse_header& header, std::uint64_t file_bytes) noexcept
      : extent_(header, file_bytes), file_bytes_(file_bytes), capacity_sectors_(header.capacity) {}

  [[nodiscard]] constexpr std::uint64_t file_bytes() const noexcept { return file_bytes_; }
  [[nodiscard]] constexpr unsigned copies() const noexcept { return 1; }
  [[nodiscard]] constexpr std::uint64_t directory_at(unsigned) const noexcept {
    return extent_.directory_offset_bytes();
  }
  [[nodiscard]] constexpr std::uint64_t directory_bytes() const noexcept {
    return table_count() << entry_shift;
  }
  [[nodiscard]] constexpr std::uint64_t table_count() const noexcept {
    return extent_.table_count();
  }
  [[nodiscard]] constexpr std::uint64_t grain_count() const noexcept {
    return extent_.grain_count();
  }
  [[nodiscard]] constexpr bool may_lack_tables() const noexcept { return true; }
  [[nodiscard]] constexpr bool names_table(std::uint64_t entry) const noexcept {
    return extent_.names_table(entry);
  }
  [[nodiscard]] constexpr std::uint64_t table_sector(std::uint64_t entry) const noexcept {
    return extent_.table_offset_bytes(entry) >> sector_shift;
  }
  [[nodiscard]] constexpr errc judge(std::uint64_t entry, std::uint64_t grain) const noexcept {
    return extent_.judge_grain(entry, grain);
  }
  [[nodiscard]] constexpr bool is_stored(std::uint64_t entry) const noexcept {
    return sesparse_entry_kind(entry) == sesparse_grain::stored;
  }
  [[nodiscard]] constexpr std::uint64_t grain_sector(std::uint64_t entry) const noexcept {
    return extent_.grain_offset_bytes(entry) >> sector_shift;
  }
  [[nodiscard]] constexpr std::uint64_t grain_sectors(std::uint64_t grain) const noexcept {
    return smaller_of<std::uint64_t>(sesparse_grain_sectors,
                                     capacity_sectors_ - (grain << sesparse_grain_shift));
  }
  [[nodiscard]] constexpr bool is_aligned(std::uint64_t) const noexcept { return true; }

 private:
  sesparse_extent extent_;
  std::uint64_t file_bytes_;
  std::uint64_t capacity_sectors_;
};

/// The sectors of one table.
template <class Format>
inline constexpr std::uint64_t sectors_of_table =
    std::uint64_t{1} << (Format::table_shift + Format::entry_shift - sector_shift);

}  // namespace vmdk::detail

// ---- vmdk/verify/table_walk.hpp

namespace vmdk::detail {

/// Tables that several directory entries name, and the first of these: those with the lowest
/// sectors, in their order. Each is one of the shared runs that were kept.
struct repeated_tables {
  struct table {
    std::uint64_t sector = 0;
    std::uint64_t first_entry = 0;
  };
  std::array<table, shared_runs::most_kept> kept{};
  std::size_t count = 0;

  constexpr void add(std::uint64_t sector, std::uint64_t first_entry) noexcept {
    kept.data()[count++] = {sector, first_entry};
  }
  /// True when an earlier directory entry than this one names the table.
  [[nodiscard]] constexpr bool is_known(std::uint64_t sector, std::uint64_t entry) const noexcept {
    std::size_t low = 0;
    std::size_t high = count;
    while (low < high) {
      const std::size_t middle = low + (high - low) / 2;
      if (kept.data()[middle].sector < sector) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low < count && kept.data()[low].sector == sector && kept.data()[low].first_entry < entry;
  }
};

/// One entry of a grain table that is not 0.
struct table_entry {
  std::uint64_t table = 0;
  std::uint32_t index = 0;
  std::uint64_t at = 0;     ///< Its byte offset in the file.
  std::uint64_t grain = 0;  ///< Of the extent, from 0; past the last one in the tail of a table.
  std::uint64_t value = 0;
};

/// Reads directory and tables of an extent front to back, with bounded work whatever they hold.
template <class Format, class File>
class table_walk {
 public:
  static constexpr std::size_t entry_bytes = std::size_t{1} << Format::entry_shift;
  static constexpr std::uint32_t entries_per_sector = sector_bytes >> Format::entry_shift;
  /// One sector for each copy of directory and tables.
  static constexpr std::size_t least_bytes = std::size_t{4} * sector_bytes;

  /// The memory is the caller's: least_bytes or more.
  constexpr table_walk(File& file, const Format& format, byte_span memory) noexcept
      : file_(&file), format_(format) {
    const std::size_t each = memory.size() / 4 & ~std::size_t{sector_bytes - 1};
    for (std::size_t copy = 0; copy < 2; ++copy) {
      directories_[copy] = window_cache(memory.subspan(2 * copy * each, each));
      tables_[copy] = window_cache(memory.subspan((2 * copy + 1) * each, each));
    }
  }

  [[nodiscard]] constexpr const Format& format() const noexcept { return format_; }
  [[nodiscard]] constexpr File& file() const noexcept { return *file_; }

  /// The byte offset of a directory entry in the file.
  [[nodiscard]] constexpr std::uint64_t directory_entry_at(unsigned copy,
                                                           std::uint64_t table) const noexcept {
    return format_.directory_at(copy) + (table << Format::entry_shift);
  }

  /// Forgets what was read: the file has changed.
  constexpr void forget() noexcept {
    for (unsigned copy = 0; copy < 2; ++copy) {
      directories_[copy].forget();
      tables_[copy].forget();
    }
  }

  /// A directory entry, also one of the tail of the directory's last sector.
  [[nodiscard]] constexpr result<std::uint64_t> directory_entry(unsigned copy,
                                                                std::uint64_t table) noexcept {
    const auto bytes =
        directories_[copy].get(*file_, directory_entry_at(copy, table), entry_bytes,
                               format_.directory_at(copy), format_.directory_bytes());
    if (!bytes) return bytes.error();
    return load_entry(*bytes);
  }

  /// A sector of a table: of the n-th 128 (or 64) entries. Valid until the next call for this copy.
  [[nodiscard]] constexpr result<const std::byte*> sector_of_table(unsigned copy,
                                                                   std::uint64_t table_sector,
                                                                   std::uint64_t n) noexcept {
    const std::uint64_t table_at = table_sector << sector_shift;
    return tables_[copy].get(*file_, table_at + (n << sector_shift), sector_bytes, table_at,
                             sectors_of_table<Format> << sector_shift);
  }

  /// One entry of a table.
  [[nodiscard]] constexpr result<std::uint64_t> entry_of_table(unsigned copy,
                                                               std::uint64_t table_sector,
                                                               std::uint64_t index) noexcept {
    const auto bytes = sector_of_table(copy, table_sector, index / entries_per_sector);
    if (!bytes) return bytes.error();
    return load_entry(*bytes + index % entries_per_sector * entry_bytes);
  }

  [[nodiscard]] static constexpr std::uint64_t load_entry(const std::byte* bytes) noexcept {
    if constexpr (Format::entry_shift == 2) {
      return load_le<std::uint32_t>(bytes);
    } else {
      return load_le<std::uint64_t>(bytes);
    }
  }

  /// Gives each usable table of the primary copy to `visit(table, table_sector) -> failure`, but
  /// none twice that is known to be repeated. No more tables than can lie in the file side by side:
  /// where there are more, they overlap. Errors: those of the file and of `visit`.
  template <class Visit>
  constexpr failure each_table(const repeated_tables& repeated, Visit&& visit) noexcept {
    std::uint64_t left = (format_.file_bytes() >> sector_shift) / sectors_of_table<Format> + 1;
    const std::uint64_t count = format_.table_count();
    for (std::uint64_t table = 0; table < count && left != 0; ++table) {
      const auto entry = directory_entry(0, table);
      if (!entry) return entry.error();
      if (*entry == 0 || !format_.names_table(*entry)) continue;
      const std::uint64_t sector = format_.table_sector(*entry);
      if (repeated.is_known(sector, table)) continue;
      --left;
      if (failure f = visit(table, sector)) return f;
    }
    return no_failure;
  }

  /// Gives each entry of a table of the primary copy that is not 0 to `visit(table_entry) ->
  /// failure`, also those of its tail. Errors: those of the file and of `visit`.
  template <class Visit>
  constexpr failure each_entry(std::uint64_t table, std::uint64_t table_sector,
                               Visit&& visit) noexcept {
    for (std::uint64_t n = 0; n < sectors_of_table<Format>; ++n) {
      const auto bytes = sector_of_table(0, table_sector, n);
      if (!bytes) return bytes.error();
      if (is_zero(*bytes, sector_bytes)) continue;
      for (std::uint32_t i = 0; i < entries_per_sector; ++i) {
        table_entry entry;
        entry.value = load_entry(*bytes + i * entry_bytes);
        if (entry.value == 0) continue;
        entry.table = table;
        entry.index = static_cast<std::uint32_t>(n) * entries_per_sector + i;
        entry.at = ((table_sector + n) << sector_shift) + i * entry_bytes;
        entry.grain = (table << Format::table_shift) + entry.index;
        if (failure f = visit(entry)) return f;
      }
    }
    return no_failure;
  }

 private:
  File* file_;
  Format format_;
  window_cache directories_[2];
  window_cache tables_[2];
};

}  // namespace vmdk::detail

// ---- vmdk/verify/check_memory.hpp

namespace vmdk {

/// What a check keeps between its passes. Nothing in it is of use to anybody else.
struct check_state {
  detail::finding_counts counts{};
  detail::shared_runs shared{};
  detail::repeated_tables repeated{};
};

/// The least room for a check's windows and bitmaps: one sector each for the directory and the
/// tables in two copies, for a marker and for the bits.
inline constexpr std::size_t check_least_bytes = std::size_t{6} * sector_bytes;

/// The room that a check of one file needs at least. Descriptors are read as a whole, and a
/// compressed grain is expanded as a whole; with no_decoder grain_bytes is 0.
[[nodiscard]] constexpr std::uint64_t check_bytes(std::uint64_t descriptor_text_bytes,
                                                  std::uint64_t grain_bytes) noexcept {
  return larger_of<std::uint64_t>(check_least_bytes + grain_bytes,
                                  descriptor_text_bytes + sector_bytes);
}

/// The memory of a check as spans, for room whose size is known at run time only.
template <class D = inflate>
struct check_spans {
  check_state& state;
  D& decoder;
  byte_span room;
};

/// The memory of a check. More room means fewer passes over the tables, never another result.
template <std::size_t RoomBytes = std::size_t{256} << 10, class D = inflate>
struct check_memory {
  static_assert(RoomBytes >= check_least_bytes, "vmdk: a check needs at least check_least_bytes");
  check_state state{};
  D decoder{};
  std::array<std::byte, RoomBytes> room{};

  [[nodiscard]] constexpr check_spans<D> spans() noexcept { return {state, decoder, room}; }
};

namespace detail {

/// How a check shares out its room while it walks over tables.
struct walk_room {
  /// A directory or table is hardly ever larger than so much.
  static constexpr std::size_t most_window_bytes = std::size_t{64} << 10;

  byte_span windows;  ///< For directories and tables.
  byte_span marker;   ///< One sector.
  byte_span rest;     ///< Bitmaps; or the input of a decoder.

  constexpr explicit walk_room(byte_span room) noexcept {
    const std::size_t each =
        larger_of<std::size_t>(
            smaller_of<std::size_t>(room.size() / 16, most_window_bytes) / sector_bytes, 1) *
        sector_bytes;
    windows = room.first(4 * each);
    marker = room.subspan(4 * each, sector_bytes);
    rest = room.subspan(4 * each + sector_bytes);
  }
};

}  // namespace detail
}  // namespace vmdk

// ---- vmdk/verify/check_context.hpp

namespace vmdk::detail {

/// What every part of a check is handed on.
template <class Log, class D>
struct check_context {
  Log& log;
  check_state& state;
  D& decoder;
  byte_span room;  ///< What is left of it.
};

}  // namespace vmdk::detail

// ---- vmdk/verify/descriptor_text.hpp

namespace vmdk::detail {

/// A descriptor that was read and checked.
struct checked_descriptor {
  bool is_usable = false;
  descriptor_view view{};
  std::size_t text_bytes = 0;  ///< At the start of the memory.
};

/// Turns what the descriptor's parser finds into findings, with the number of the line.
template <class Log>
class descriptor_reporter {
 public:
  constexpr descriptor_reporter(std::string_view text, std::uint64_t text_at, Log& log) noexcept
      : text_(text), text_at_(text_at), log_(&log) {}

  constexpr bool operator()(errc code, std::uint64_t offset) noexcept {
    finding found{.code = code, .offset = text_at_ + offset};
    found.entry = line_at(offset);
    why_ = log_->add(found);
    return !why_;
  }

  /// The line, from 1, of a place in the text. Places are mostly near to the one asked for before.
  [[nodiscard]] constexpr std::uint64_t line_at(std::uint64_t offset) noexcept {
    const auto wanted = static_cast<std::size_t>(smaller_of<std::uint64_t>(offset, text_.size()));
    for (; place_ < wanted; ++place_) line_ += text_.data()[place_] == '\n';
    for (; place_ > wanted; --place_) line_ -= text_.data()[place_ - 1] == '\n';
    return line_;
  }

  [[nodiscard]] constexpr failure why() const noexcept { return why_; }

 private:
  std::string_view text_;
  std::uint64_t text_at_;
  Log* log_;
  std::size_t place_ = 0;
  std::uint64_t line_ = 1;
  failure why_{};
};

/// Reads the text of a descriptor, up to the first zero byte of a region of a file, and checks it
/// and the padding behind it. The text stays at the start of the memory.
/// Errors: those of the file and of the log; errc::workspace_too_small.
template <class File, class Log>
[[nodiscard]] inline result<checked_descriptor> check_descriptor_text(
    File& file, const range& region, descriptor_place place, byte_span memory, Log& log) noexcept {
  std::uint64_t text_bytes = no_figure;
  descriptor_padding padding;
  for (std::uint64_t at = 0; at < region.bytes;) {
    // Padding is read over itself, so that only the text needs room.
    const auto used = static_cast<std::size_t>(smaller_of(text_bytes, at));
    const byte_span piece = memory.subspan(used).first(static_cast<std::size_t>(
        smaller_of<std::uint64_t>(memory.size() - used, region.bytes - at)));
    if (piece.empty()) {
      const auto wanted = static_cast<std::uint32_t>(region.bytes + sector_bytes);
      return options_failure(errc::workspace_too_small, 0, wanted);
    }
    if (failure f = file.read_at(region.offset + at, piece)) return f;
    std::size_t i = 0;
    if (text_bytes == no_figure) {
      while (i < piece.size() && piece.data()[i] != std::byte{0}) ++i;
      if (i < piece.size()) text_bytes = at + i;
    }
    for (; i < piece.size(); ++i) padding.add(static_cast<char>(piece.data()[i]));
    at += piece.size();
  }
  text_bytes = smaller_of(text_bytes, region.bytes);
  const std::string_view text = as_text(memory.first(static_cast<std::size_t>(text_bytes)));
  descriptor_reporter<Log> report(text, region.offset, log);
  if (const errc broken = padding.broken_rule(text, place); broken != errc::none) {
    report(broken, text_bytes + padding.broken_at());
    if (report.why()) return report.why();
  }
  const auto view = check_descriptor(text, place, report);
  if (report.why()) return report.why();
  checked_descriptor checked;
  checked.is_usable = view.ok();
  checked.view = view.value_or(descriptor_view{});
  checked.text_bytes = text.size();
  return checked;
}

}  // namespace vmdk::detail

// ---- vmdk/verify/link_facts.hpp

namespace vmdk::detail {

/// The name of a file in UTF-8, kept while the descriptor that has it makes room.
class kept_name {
 public:
  /// Keeps a name of a descriptor; what is too long to be a file's name is cut.
  constexpr void set(std::string_view name, text_encoding encoding) noexcept {
    const auto converted = name_to_utf8(name, encoding, bytes_);
    const std::string_view text = converted ? *converted : name;
    size_ = smaller_of(text.size(), bytes_.size());
    for (std::size_t i = 0; i < size_; ++i) bytes_.data()[i] = text.data()[i];
  }
  [[nodiscard]] constexpr std::string_view view() const noexcept { return {bytes_.data(), size_}; }

 private:
  std::array<char, 3 * extent_name_max_bytes> bytes_{};
  std::size_t size_ = 0;
};

/// What a link's files say about the link, as far as they could be read.
struct link_facts {
  std::uint64_t capacity_sectors = 0;  ///< 0: not known.
  bool has_descriptor = false;
  bool has_parent = false;
  std::uint32_t cid = 0;
  std::uint32_t parent_cid = 0;
  errc parent_refusal = errc::none;  ///< Why no file has the parent's name.
  kept_name parent_name{};

  constexpr void take(const descriptor_view& descriptor) noexcept {
    has_descriptor = true;
    cid = descriptor.cid();
    parent_cid = descriptor.parent_cid();
    has_parent = descriptor.has_parent();
    // Only the last part of the hint counts: which folders may be searched is the caller's say.
    std::string_view hint = descriptor.parent_file_name_hint();
    const errc not_a_name = hint.empty() ? errc::parent_missing : errc::name_not_allowed;
    for (std::size_t i = hint.size(); i-- > 0;) {
      if (hint.data()[i] != '/' && hint.data()[i] != '\\') continue;
      hint = part(hint, i + 1);
      break;
    }
    const bool is_allowed = is_plain_name(hint) && hint.size() <= extent_name_max_bytes;
    parent_refusal = is_allowed ? errc::none : not_a_name;
    parent_name.set(hint, descriptor.encoding());
  }
};

/// What a descriptor in another file says about an extent.
struct extent_claim {
  bool has_line = false;  ///< False for a file that is a disk by itself.
  bool is_only = false;   ///< The only extent of its disk.
  bool is_last = false;   ///< The last extent of its disk.
  std::uint64_t sectors = 0;
};

/// True when a header's capacity is what an extent line says. Some writers round the header up to
/// 64 KiB, and others rely on the line: where a disk has but one extent, both are right.
[[nodiscard]] constexpr bool is_same_capacity(std::uint64_t header_sectors,
                                              std::uint64_t line_sectors, bool is_only) noexcept {
  constexpr std::uint64_t rounded_to_sectors = 128;
  return header_sectors == line_sectors ||
         (is_only && header_sectors == align_up(line_sectors, rounded_to_sectors));
}

}  // namespace vmdk::detail

// ---- vmdk/verify/plain_grains.hpp

namespace vmdk::detail {

/// The grains of a format that does not compress them: there is nothing to look into.
template <class Format>
struct plain_grains {
  const Format& format;

  /// How many sectors of the file a grain can take at most.
  [[nodiscard]] constexpr std::uint64_t most_sectors() const noexcept {
    return format.grain_sectors(0);
  }
  /// How many a grain takes.
  [[nodiscard]] constexpr result<std::uint64_t> sectors(const table_entry& entry) const noexcept {
    return format.grain_sectors(entry.grain);
  }
  /// The same, having looked into it.
  template <class Log>
  [[nodiscard]] constexpr result<std::uint64_t> check(const table_entry& entry,
                                                      Log&) const noexcept {
    return sectors(entry);
  }
};

}  // namespace vmdk::detail

// ---- vmdk/verify/report_shared.hpp

namespace vmdk::detail {

/// The finding that a run of sectors with several users is: it stands where the second one is
/// named.
[[nodiscard]] constexpr finding finding_of(const shared_run& run) noexcept {
  using kind = sector_use_kind;
  const sector_use& first = run.user;
  const sector_use& second = run.second_user;
  const bool same_place = first.first_sector == second.first_sector;
  finding found;
  found.offset = second.named_at;
  found.value = run.first_sector;
  found.other = run.users;
  found.table = second.table;
  if (second.kind == kind::grain) found.entry = second.entry;
  if (first.kind == kind::grain || first.kind == kind::table) found.other_table = first.table;
  if (first.kind == kind::grain) found.other_entry = first.entry;

  if (second.kind == kind::table) {
    const bool twice = first.kind == kind::table && same_place;
    found.code = twice ? errc::directory_entry_duplicate : errc::table_overlap;
  } else if (first.kind == kind::grain) {
    found.code = same_place ? errc::grain_duplicate : errc::grain_overlap;
  } else {
    found.code = first.kind == kind::table ? errc::table_overlap : errc::grain_metadata_overlap;
  }
  return found;
}

/// Tells the runs that were kept, and counts the others as findings of one code. Errors: the log's.
template <class Log>
constexpr failure report_shared(const shared_runs& shared, errc code_of_rest, Log& log) noexcept {
  for (std::size_t i = 0; i < shared.kept_count; ++i) {
    if (failure f = log.add(finding_of(shared.kept.data()[i]))) return f;
  }
  const std::uint64_t rest = shared.count - shared.kept_count;
  if (rest != 0) log.add_untold(code_of_rest, rest);
  return no_failure;
}

}  // namespace vmdk::detail

// ---- vmdk/verify/shared_sectors.hpp

namespace vmdk::detail {

/// Bits for a run of cells, each a power of two of sectors: which are used, used twice, where users
/// begin, and which hold something that only users may not touch.
class use_bitmap {
 public:
  static constexpr std::size_t planes = 4;

  /// The memory is the caller's: at least `planes` bytes.
  constexpr explicit use_bitmap(byte_span memory) noexcept
      : plane_bytes_(memory.size() / planes), bits_(memory.data()) {}

  [[nodiscard]] constexpr std::uint64_t cells() const noexcept {
    return std::uint64_t{plane_bytes_} * 8;
  }

  constexpr void clear() noexcept { zero_bytes(bits_, plane_bytes_ * planes); }

  /// Marks cells from one up to another as used, once more.
  constexpr void use(std::uint64_t first, std::uint64_t end) noexcept {
    std::byte* const used = plane(0);
    std::byte* const twice = plane(1);
    each_byte(first, end, [&](std::size_t at, std::byte mask) {
      twice[at] |= used[at] & mask;
      used[at] |= mask;
    });
  }
  /// Marks the cell where a user begins.
  constexpr void begin_at(std::uint64_t cell) noexcept {
    plane(2)[cell >> 3] |= static_cast<std::byte>(1u << (cell & 7));
  }
  /// Marks cells that no user may touch.
  constexpr void reserve(std::uint64_t first, std::uint64_t end) noexcept {
    std::byte* const reserved = plane(3);
    each_byte(first, end, [&](std::size_t at, std::byte mask) { reserved[at] |= mask; });
  }

  [[nodiscard]] constexpr bool is_begin(std::uint64_t cell) const noexcept {
    return is_set(bits_ + 2 * plane_bytes_, cell);
  }
  [[nodiscard]] constexpr bool is_shared(std::uint64_t cell) const noexcept {
    return (std::to_integer<unsigned>(shared_byte(cell >> 3)) >> (cell & 7) & 1) != 0;
  }
  /// The first cell of eight at or behind a cell where at least one is shared; cells() when none
  /// is.
  [[nodiscard]] constexpr std::uint64_t next_shared_eight(std::uint64_t cell) const noexcept {
    std::size_t at = static_cast<std::size_t>(cell >> 3);
    while (at < plane_bytes_ && shared_byte(at) == std::byte{0}) ++at;
    return larger_of(cell, std::uint64_t{at} << 3);
  }

 private:
  [[nodiscard]] constexpr std::byte* plane(std::size_t n) noexcept {
    return bits_ + n * plane_bytes_;
  }
  [[nodiscard]] static constexpr bool is_set(const std::byte* bits, std::uint64_t cell) noexcept {
    return (std::to_integer<unsigned>(bits[cell >> 3]) >> (cell & 7) & 1) != 0;
  }
  [[nodiscard]] constexpr std::byte shared_byte(std::uint64_t at) const noexcept {
    const std::byte* const used = bits_ + at;
    return used[plane_bytes_] | (used[0] & used[3 * plane_bytes_]);
  }

  template <class Change>
  static constexpr void each_byte(std::uint64_t first, std::uint64_t end,
                                  Change&& change) noexcept {
    while (first < end) {
      const std::uint64_t next = smaller_of((first | 7) + 1, end);
      const unsigned mask = (0xFFu >> (8 - (next - first))) << (first & 7);
      change(static_cast<std::size_t>(first >> 3), static_cast<std::byte>(mask));
      first = next;
    }
  }

  std::size_t plane_bytes_;
  std::byte* bits_;
};

inline constexpr std::uint64_t no_open_run = 0xFFFFFFFFFFFFFFFF;

/// Finds every run of sectors in a window of a file that has more than one user, whatever the
/// memory: the window is walked piece by piece. A run also ends where another user begins, so that
/// neighbours are told apart.
///
/// `walk(sector_window, visit) -> failure` gives at least the users of that window to
/// `visit(const sector_use&, bool reserved)`, always in the same order. What is reserved comes
/// first, may overlap itself and may begin anywhere; users begin and end on multiples of 2^shift
/// sectors. Errors: those of the walk.
template <class Walk>
constexpr failure find_shared_sectors(const sector_window& window, unsigned shift, byte_span memory,
                                      Walk&& walk, shared_runs& found) noexcept {
  found.clear();
  if (window.first >= window.end) return no_failure;
  const std::uint64_t last_cell = ceil_shift(window.end, shift);
  // Of a small file's window not all of the memory need be cleared and looked through.
  const std::uint64_t wanted_bytes =
      use_bitmap::planes * ceil_shift(last_cell - (window.first >> shift), 3);
  use_bitmap bitmap(memory.first(
      static_cast<std::size_t>(smaller_of<std::uint64_t>(memory.size(), wanted_bytes))));
  std::uint64_t open_first = no_open_run;
  const auto close_at = [&](std::uint64_t cell) {
    if (open_first != no_open_run) found.add(open_first << shift, (cell - open_first) << shift);
    open_first = no_open_run;
  };
  for (std::uint64_t base = window.first >> shift; base < last_cell; base += bitmap.cells()) {
    const std::uint64_t end = smaller_of(base + bitmap.cells(), last_cell);
    bitmap.clear();
    const auto mark = [&](const sector_use& use, bool reserved) {
      const std::uint64_t first = use.first_sector >> shift;
      const std::uint64_t behind = ceil_shift(use.first_sector + use.sectors, shift);
      if (behind <= base || first >= end) return;
      const std::uint64_t from = larger_of(first, base) - base;
      const std::uint64_t to = smaller_of(behind, end) - base;
      if (reserved) return bitmap.reserve(from, to);
      bitmap.use(from, to);
      if (first >= base) bitmap.begin_at(from);
    };
    if (failure f = walk(sector_window{base << shift, end << shift}, mark)) return f;
    for (std::uint64_t cell = 0; cell < end - base; ++cell) {
      if (!bitmap.is_shared(cell)) {
        close_at(base + cell);
        if ((cell & 7) == 0) cell = bitmap.next_shared_eight(cell);
        if (cell >= end - base || !bitmap.is_shared(cell)) continue;
      }
      if (bitmap.is_begin(cell)) close_at(base + cell);
      if (open_first == no_open_run) open_first = base + cell;
    }
  }
  close_at(last_cell);
  return no_failure;
}

/// Finds the users of the runs that were kept: how many, and the first two of the walk, of which
/// the second is not one that is reserved. Errors: those of the walk.
template <class Walk>
constexpr failure find_users(shared_runs& runs, unsigned shift, Walk&& walk) noexcept {
  if (runs.kept_count == 0) return no_failure;
  shared_run* const begin = runs.kept.data();
  shared_run* const end = begin + runs.kept_count;
  const auto visit = [&](const sector_use& use, bool reserved) {
    // A user of a run has all of its first cell, and so overlaps whatever is reserved in it.
    const std::uint64_t behind = use.first_sector + use.sectors;
    shared_run* low = begin;
    shared_run* high = end;
    while (low != high) {
      shared_run* const middle = low + (high - low) / 2;
      const std::uint64_t cell_end = middle->first_sector + (std::uint64_t{1} << shift);
      if (cell_end <= use.first_sector) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    for (; low != end && low->first_sector < behind; ++low) {
      low->add(use, reserved);
    }
  };
  return walk(sector_window{begin->first_sector, end[-1].first_sector + end[-1].sectors}, visit);
}

}  // namespace vmdk::detail

// ---- vmdk/verify/directory_check.hpp

namespace vmdk::detail {

/// Checks the directory of one extent in all its copies, and that metadata lies apart (SPEC 13.2,
/// 13.5). `Fixed` gives the metadata whose places the header states: `fixed(visit(sector_use))`.
template <class Format, class File, class Log, class Fixed>
class directory_checker {
 public:
  constexpr directory_checker(table_walk<Format, File>& walk, check_state& state, byte_span bits,
                              Log& log, Fixed& fixed) noexcept
      : walk_(&walk),
        format_(walk.format()),
        state_(&state),
        bits_(bits),
        log_(&log),
        fixed_(&fixed) {}

  /// Fills in which tables are repeated. Errors: those of the file and of the log.
  constexpr failure check() noexcept {
    state_->repeated.count = 0;
    if (failure f = check_entries()) return f;
    return find_shared_metadata();
  }

  /// The first sector behind all metadata.
  [[nodiscard]] constexpr std::uint64_t metadata_end_sector() const noexcept {
    return metadata_end_sector_;
  }

  /// Gives all metadata: what the header places, then the tables of each copy.
  template <class Visit>
  constexpr failure each_metadata(Visit&& visit) noexcept {
    (*fixed_)(visit);
    for (unsigned copy = 0; copy < format_.copies(); ++copy) {
      for (std::uint64_t table = 0; table < format_.table_count(); ++table) {
        const auto entry = walk_->directory_entry(copy, table);
        if (!entry) return entry.error();
        if (*entry == 0 || !format_.names_table(*entry)) continue;
        visit(sector_use{.kind = sector_use_kind::table,
                         .first_sector = format_.table_sector(*entry),
                         .sectors = sectors_of_table<Format>,
                         .named_at = walk_->directory_entry_at(copy, table),
                         .table = table});
      }
    }
    return no_failure;
  }

 private:
  constexpr failure check_entries() noexcept {
    const std::uint64_t tables = format_.table_count();
    const std::uint64_t entries = format_.directory_bytes() >> Format::entry_shift;
    for (std::uint64_t table = 0; table < entries; ++table) {
      std::uint64_t entry[2]{};
      for (unsigned copy = 0; copy < format_.copies(); ++copy) {
        const auto found = walk_->directory_entry(copy, table);
        if (!found) return found.error();
        entry[copy] = *found;
      }
      const bool is_tail = table >= tables;
      for (unsigned copy = 0; copy < format_.copies(); ++copy) {
        if (entry[copy] == 0 || (!is_tail && format_.names_table(entry[copy]))) continue;
        const errc code = is_tail ? errc::directory_tail_not_zero : errc::directory_entry_invalid;
        if (failure f = add_finding(code, copy, table, entry[copy])) return f;
      }
      if (is_tail) continue;
      if (format_.copies() == 2 && (entry[0] == 0) != (entry[1] == 0)) {
        finding differ = entry_finding(errc::directories_differ, 0, table, entry[0]);
        differ.other = entry[1];
        if (failure f = log_->add(differ)) return f;
      } else if (entry[0] == 0) {
        if (format_.may_lack_tables()) continue;
        if (failure f = add_finding(errc::directory_entry_zero, 0, table, 0)) return f;
      }
    }
    return no_failure;
  }

  [[nodiscard]] constexpr finding entry_finding(errc code, unsigned copy, std::uint64_t table,
                                                std::uint64_t value) const noexcept {
    finding found;
    found.code = code;
    found.offset = walk_->directory_entry_at(copy, table);
    found.table = table;
    found.value = value;
    return found;
  }
  constexpr failure add_finding(errc code, unsigned copy, std::uint64_t table,
                                std::uint64_t value) noexcept {
    return log_->add(entry_finding(code, copy, table, value));
  }

  constexpr failure find_shared_metadata() noexcept {
    sector_window window{ceil_shift(format_.file_bytes(), sector_shift), 0};
    const auto stretch = [&](const sector_use& use) {
      window.first = smaller_of(window.first, use.first_sector);
      window.end = larger_of(window.end, use.first_sector + use.sectors);
    };
    if (failure f = each_metadata(stretch)) return f;
    metadata_end_sector_ = window.end;
    const auto walk = [&](const sector_window&, auto&& visit) {
      return each_metadata([&](const sector_use& use) { visit(use, false); });
    };
    shared_runs& shared = state_->shared;
    if (failure f = find_shared_sectors(window, 0, bits_, walk, shared)) return f;
    if (failure f = find_users(shared, 0, walk)) return f;
    for (std::size_t i = 0; i < shared.kept_count; ++i) {
      const shared_run& run = shared.kept.data()[i];
      const finding found = finding_of(run);
      if (found.code == errc::directory_entry_duplicate &&
          run.first_sector == run.user.first_sector) {
        state_->repeated.add(run.first_sector, found.other_table);
      }
    }
    return report_shared(shared, errc::table_overlap, *log_);
  }

  table_walk<Format, File>* walk_;
  Format format_;
  check_state* state_;
  byte_span bits_;
  Log* log_;
  Fixed* fixed_;
  std::uint64_t metadata_end_sector_ = 0;
};

}  // namespace vmdk::detail

// ---- vmdk/verify/table_check.hpp

namespace vmdk::detail {

/// Checks directory, tables and the places of grains of one extent (SPEC 13.2, 13.5).
///
/// `Fixed` gives the metadata whose places the header states: `fixed(visit(sector_use))`. `Grains`
/// has the members of plain_grains.
template <class Format, class File, class Log, class Fixed, class Grains>
class table_checker {
 public:
  constexpr table_checker(table_walk<Format, File>& walk, check_state& state, byte_span bits,
                          Log& log, Fixed& fixed, Grains& grains) noexcept
      : walk_(&walk),
        format_(walk.format()),
        state_(&state),
        bits_(bits),
        log_(&log),
        directory_(walk, state, bits, log, fixed),
        grains_(&grains) {}

  /// Errors: those of the file; that of the log when the caller wants no more.
  constexpr failure check() noexcept {
    if (failure f = directory_.check()) return f;
    if (failure f = check_entries()) return f;
    return find_shared_grains();
  }

  /// The first sector behind all metadata, and the one where the first grain lies: its own, or the
  /// file's end when there is none.
  [[nodiscard]] constexpr std::uint64_t metadata_end_sector() const noexcept {
    return directory_.metadata_end_sector();
  }
  [[nodiscard]] constexpr std::uint64_t first_grain_sector() const noexcept {
    return grains_window_.first;
  }

 private:
  /// How many grains are still looked into. There cannot be more of them than the file has sectors;
  /// where there are, some overlap, and for the others only their first sector counts.
  using grain_budget = std::uint64_t;

  [[nodiscard]] constexpr std::uint64_t file_sectors() const noexcept {
    return ceil_shift(format_.file_bytes(), sector_shift);
  }

  constexpr failure check_entries() noexcept {
    grain_budget budget = file_sectors();
    place_bits_ = largest_readable_grain_sectors;
    grains_window_ = {file_sectors(), 0};
    return walk_->each_table(state_->repeated, [&](std::uint64_t table, std::uint64_t sector) {
      ++log_->summary.tables;
      if (format_.copies() == 2) {
        if (failure f = compare_copies(table, sector)) return f;
      }
      return walk_->each_entry(
          table, sector, [&](const table_entry& entry) { return check_entry(entry, budget); });
    });
  }

  constexpr failure check_entry(const table_entry& entry, grain_budget& budget) noexcept {
    finding found;
    found.offset = entry.at;
    found.table = entry.table;
    found.entry = entry.index;
    found.value = entry.value;
    if (entry.grain >= format_.grain_count()) {
      found.code = errc::table_tail_not_zero;
      return log_->add(found);
    }
    found.code = format_.judge(entry.value, entry.grain);
    if (found.code != errc::none) {
      if (failure f = log_->add(found)) return f;
      if (severity_of(found.code) == severity::error) return no_failure;
    }
    if (!format_.is_stored(entry.value)) {
      ++log_->summary.zeroed_grains;
      return no_failure;
    }
    ++log_->summary.stored_grains;
    const std::uint64_t first = format_.grain_sector(entry.value);
    if (!format_.is_aligned(first)) {
      found.code = errc::grain_unaligned;
      if (failure f = log_->add(found)) return f;
    }
    const auto sectors = take(budget) ? grains_->check(entry, *log_) : result<std::uint64_t>(1);
    if (!sectors) return sectors.error();
    place_bits_ |= first | *sectors;
    grains_window_.first = smaller_of(grains_window_.first, first);
    grains_window_.end = larger_of(grains_window_.end, first + *sectors);
    return no_failure;
  }

  [[nodiscard]] static constexpr bool take(grain_budget& budget) noexcept {
    if (budget == 0) return false;
    --budget;
    return true;
  }

  /// Compares a table with its copy, entry by entry.
  constexpr failure compare_copies(std::uint64_t table, std::uint64_t sector) noexcept {
    const auto copy_entry = walk_->directory_entry(1, table);
    if (!copy_entry) return copy_entry.error();
    if (*copy_entry == 0 || !format_.names_table(*copy_entry)) return no_failure;
    const std::uint64_t copy_sector = format_.table_sector(*copy_entry);
    if (copy_sector == sector) return no_failure;
    using walk = table_walk<Format, File>;
    for (std::uint64_t n = 0; n < sectors_of_table<Format>; ++n) {
      const auto ours = walk_->sector_of_table(0, sector, n);
      if (!ours) return ours.error();
      const auto theirs = walk_->sector_of_table(1, copy_sector, n);
      if (!theirs) return theirs.error();
      if (equal_bytes(*ours, *theirs, sector_bytes)) continue;
      for (std::uint32_t i = 0; i < walk::entries_per_sector; ++i) {
        finding differ;
        differ.value = walk::load_entry(*ours + i * walk::entry_bytes);
        differ.other = walk::load_entry(*theirs + i * walk::entry_bytes);
        if (differ.value == differ.other) continue;
        differ.code = errc::tables_differ;
        differ.table = table;
        differ.entry = n * walk::entries_per_sector + i;
        differ.offset = ((sector + n) << sector_shift) + i * walk::entry_bytes;
        if (failure f = log_->add(differ)) return f;
      }
    }
    return no_failure;
  }

  /// Gives all metadata, then all grains that may have sectors in a window.
  template <class Visit>
  constexpr failure each_use(const sector_window& window, Visit&& visit) noexcept {
    const auto reserve = [&](const sector_use& use) { visit(use, true); };
    if (failure f = directory_.each_metadata(reserve)) return f;
    grain_budget budget = file_sectors();
    return walk_->each_table(state_->repeated, [&](std::uint64_t table, std::uint64_t sector) {
      return walk_->each_entry(table, sector, [&](const table_entry& entry) -> failure {
        if (entry.grain >= format_.grain_count()) return no_failure;
        const errc broken = format_.judge(entry.value, entry.grain);
        if (broken != errc::none && severity_of(broken) == severity::error) return no_failure;
        if (!format_.is_stored(entry.value)) return no_failure;
        const bool looked_into = take(budget);
        const std::uint64_t first = format_.grain_sector(entry.value);
        if (first >= window.end || first + grains_->most_sectors() <= window.first) {
          return no_failure;
        }
        const auto sectors = looked_into ? grains_->sectors(entry) : result<std::uint64_t>(1);
        if (!sectors) return sectors.error();
        visit(sector_use{.kind = sector_use_kind::grain,
                         .first_sector = first,
                         .sectors = *sectors,
                         .named_at = entry.at,
                         .table = entry.table,
                         .entry = entry.index},
              false);
        return no_failure;
      });
    });
  }

  /// Cells are as large as the places of all grains allow, which makes one pass do for most images.
  constexpr failure find_shared_grains() noexcept {
    if (grains_window_.first >= grains_window_.end) return no_failure;
    unsigned shift = 0;
    while ((place_bits_ >> shift & 1) == 0) ++shift;
    const auto walk = [&](const sector_window& window, auto&& visit) {
      return each_use(window, visit);
    };
    shared_runs& shared = state_->shared;
    if (failure f = find_shared_sectors(grains_window_, shift, bits_, walk, shared)) return f;
    if (failure f = find_users(shared, shift, walk)) return f;
    return report_shared(shared, errc::grain_overlap, *log_);
  }

  table_walk<Format, File>* walk_;
  Format format_;
  check_state* state_;
  byte_span bits_;
  Log* log_;
  directory_checker<Format, File, Log, Fixed> directory_;
  Grains* grains_;
  sector_window grains_window_{};
  std::uint64_t place_bits_ = 0;  ///< All places and lengths of grains, or-ed together.
};

}  // namespace vmdk::detail

// ---- vmdk/verify/esx_file_check.hpp

namespace vmdk::detail {

/// Compares the capacity of ESXi's extents with the line that names them.
template <class Log>
constexpr failure check_esx_claim(const extent_claim& claim, std::uint64_t sectors,
                                  std::size_t field, Log& log) noexcept {
  if (!claim.has_line || claim.sectors == sectors) return no_failure;
  return log.add(finding{
      .code = errc::extent_mismatch, .offset = field, .value = sectors, .other = claim.sectors});
}

/// Checks the tables and grains of an extent of ESXi's.
template <class Format, class File, class Log, class D, class Fixed>
constexpr failure check_esx_tables(File& file, const Format& format,
                                   const check_context<Log, D>& context,
                                   const Fixed& fixed) noexcept {
  const walk_room share(context.room);
  table_walk<Format, File> walk(file, format, share.windows);
  plain_grains<Format> grains{format};
  return table_checker(walk, context.state, share.rest, context.log, fixed, grains).check();
}

/// Checks a COWD file: header, directory, tables and the places of grains (SPEC 10, 13.5).
/// Errors: those of the file and of the log.
template <class File, class Log, class D>
constexpr failure check_cowd_file(File& file, const check_context<Log, D>& context,
                                  const extent_claim& claim, link_facts& facts) noexcept {
  const std::uint64_t file_bytes = file.size();
  if (file_bytes < sizeof(cowd_header)) return context.log.add(errc::header_truncated, 0);
  cowd_header_start start;
  if (failure f = read_object(file, offsetof(cowd_header, start), start)) return f;
  cowd_header_end end;
  if (failure f = read_object(file, offsetof(cowd_header, end), end)) return f;
  failure why;
  const auto report = [&](errc code, std::uint64_t offset) {
    why = context.log.add(code, offset);
    return !why;
  };
  const bool is_usable = check_cowd_header(start, end, file_bytes, report);
  if (why || !is_usable) return why;
  facts.capacity_sectors = start.num_sectors;
  if (failure f = check_esx_claim(claim, start.num_sectors,
                                  offsetof(cowd_header_start, num_sectors), context.log)) {
    return f;
  }
  const cowd_format format(start, file_bytes);
  const auto fixed = [&](auto&& visit) {
    visit(sector_use{.kind = sector_use_kind::header, .sectors = cowd_header_sectors});
    visit(sector_use{.kind = sector_use_kind::directory,
                     .first_sector = start.gd_offset,
                     .sectors = ceil_shift(format.directory_bytes(), sector_shift),
                     .named_at = offsetof(cowd_header_start, gd_offset)});
  };
  return check_esx_tables(file, format, context, fixed);
}

/// Checks a seSparse file: both headers, directory, tables and the places of grains (SPEC
/// 11, 13.5). Errors: those of the file and of the log.
template <class File, class Log, class D>
constexpr failure check_sesparse_file(File& file, const check_context<Log, D>& context,
                                      const extent_claim& claim, link_facts& facts) noexcept {
  const std::uint64_t file_bytes = file.size();
  if (file_bytes < sector_bytes) return context.log.add(errc::header_truncated, 0);
  sesparse_header header;
  if (failure f = read_object(file, 0, header)) return f;
  failure why;
  const auto report = [&](errc code, std::uint64_t offset) {
    why = context.log.add(code, offset);
    return !why;
  };
  const bool is_usable = check_sesparse_header(header, file_bytes, report);
  if (why || !is_usable) return why;
  facts.capacity_sectors = header.capacity;
  const std::uint64_t volatile_at = header.volatile_header.offset << sector_shift;
  {
    sesparse_volatile_header second;
    if (failure f = read_object(file, volatile_at, second)) return f;
    check_sesparse_volatile_header(second, volatile_at, report);
    if (why) return why;
  }
  if (failure f = check_esx_claim(claim, header.capacity, offsetof(sesparse_header, capacity),
                                  context.log)) {
    return f;
  }
  // That the regions lie apart was checked with the header; tables and grains stay inside theirs.
  const auto fixed = [](auto&&) {};
  return check_esx_tables(file, sesparse_format(header, file_bytes), context, fixed);
}

}  // namespace vmdk::detail

// ---- vmdk/verify/extent_list.hpp

namespace vmdk::detail {

/// An extent line whose file was opened.
struct named_extent {
  std::uint32_t file = 0;
  std::uint32_t line = 0;  ///< In the descriptor, from 1.
  std::uint64_t sectors = 0;
  std::uint64_t first_sector = 0;  ///< flat: where in the file it begins.
  extent_kind kind = extent_kind::zero;
  bool is_last = false;  ///< Of the disk.

  /// The order of files, and in each of places.
  [[nodiscard]] constexpr bool is_before(const named_extent& other) const noexcept {
    if (file != other.file) return file < other.file;
    if (first_sector != other.first_sector) return first_sector < other.first_sector;
    return line < other.line;
  }
  /// True when both are extents of one file and share sectors of it. Files of other kinds than flat
  /// are an extent as a whole.
  [[nodiscard]] constexpr bool shares_sectors(const named_extent& later) const noexcept {
    if (file != later.file) return false;
    if (kind != extent_kind::flat || later.kind != extent_kind::flat) return true;
    return later.first_sector - first_sector < sectors;
  }
};

/// A list of extents in bytes of the caller's.
class extent_list {
 public:
  constexpr explicit extent_list(byte_span memory) noexcept : memory_(memory) {}

  [[nodiscard]] constexpr std::size_t size() const noexcept { return count_; }
  [[nodiscard]] constexpr std::size_t used_bytes() const noexcept { return count_ * each; }

  /// False when there is no room.
  [[nodiscard]] bool add(const named_extent& extent) noexcept {
    if (memory_.size() - used_bytes() < each) return false;
    set(count_++, extent);
    return true;
  }

  [[nodiscard]] named_extent get(std::size_t i) const noexcept {
    named_extent extent;
    __builtin_memcpy(&extent, memory_.data() + i * each, each);
    return extent;
  }

  /// Sorts by file and place. In place, and in n log n steps whatever the order.
  void sort() noexcept {
    for (std::size_t i = count_ / 2; i-- > 0;) sink(i, count_);
    for (std::size_t end = count_; end > 1;) {
      const named_extent last = get(--end);
      set(end, get(0));
      set(0, last);
      sink(0, end);
    }
  }

 private:
  static constexpr std::size_t each = sizeof(named_extent);

  void set(std::size_t i, const named_extent& extent) noexcept {
    __builtin_memcpy(memory_.data() + i * each, &extent, each);
  }

  /// Moves an extent down the heap until none below it is behind it in the order.
  void sink(std::size_t i, std::size_t end) noexcept {
    const named_extent moving = get(i);
    for (std::size_t child = 2 * i + 1; child < end; child = 2 * i + 1) {
      if (child + 1 < end && get(child).is_before(get(child + 1))) ++child;
      if (!moving.is_before(get(child))) break;
      set(i, get(child));
      i = child;
    }
    set(i, moving);
  }

  byte_span memory_;
  std::size_t count_ = 0;
};

}  // namespace vmdk::detail

// ---- vmdk/verify/named_extents.hpp

namespace vmdk::detail {

/// True when a name leads to no file that may be read: that is the image's fault.
[[nodiscard]] constexpr bool is_about_name(const failure& why) noexcept {
  return why.code == errc::file_not_found || why.code == errc::name_not_allowed ||
         why.code == errc::file_not_regular;
}

/// Opens the file of each extent that has one. Names that lead to no file are findings.
/// Errors: those of the files and of the log; errc::workspace_too_small, detail: how much more.
template <Files F, class Log>
failure open_extents(F& files, file_id descriptor, const descriptor_view& view,
                     extent_list& extents, Log& log) noexcept {
  descriptor_reporter<Log> lines(view.text(), 0, log);
  const extent_range range = view.extents();
  std::size_t left = view.extent_count();
  for (extent_iterator at = range.begin(); at != end_of_lines{}; ++at) {
    const extent_line& line = *at;
    --left;
    finding found{.offset = at.line_offset(), .entry = lines.line_at(at.line_offset())};
    if (line.access == extent_access::none) {
      found.code = errc::extent_no_access;
      if (failure f = log.add(found)) return f;
      continue;
    }
    if (line.type == extent_type::zero) continue;
    kept_name name;
    name.set(line.name.stem, view.encoding());
    found.name = name.view();
    const auto file = open_named(files, descriptor, name.view());
    auto kind = result<extent_kind>(extent_kind::zero);
    if (!file) {
      found.code = file.error().code;
      if (!is_about_name(file.error())) return file_view<F>::in_file(file.error(), descriptor);
    } else if (*file == descriptor) {
      found.code = errc::extent_is_descriptor;
    } else {
      file_view<F> extent_file(files, *file);
      kind = kind_of_line(extent_file, line.type);
      if (!kind && kind.error().from != origin::image) return kind.error();
      found.code = kind.error().code;
    }
    if (found.code != errc::none) {
      if (failure f = log.add(found)) return f;
      continue;
    }
    const named_extent extent{.file = file->value,
                              .line = static_cast<std::uint32_t>(found.entry),
                              .sectors = line.sectors,
                              .first_sector = line.offset_sectors,
                              .kind = *kind,
                              .is_last = left == 0};
    if (!extents.add(extent)) return options_failure(errc::workspace_too_small, 0, sizeof(extent));
  }
  return no_failure;
}

/// Finds extents, which are sorted, that share sectors of a file. Errors: those of the log.
template <class Log>
failure find_shared_extents(const extent_list& extents, Log& log) noexcept {
  named_extent longest;
  for (std::size_t i = 0; i < extents.size(); ++i) {
    const named_extent extent = extents.get(i);
    if (i != 0 && longest.shares_sectors(extent)) {
      finding found{.code = errc::extent_overlap, .entry = extent.line};
      found.other = longest.line;
      if (failure f = log.add(found)) return f;
    }
    const bool reaches_further =
        longest.file != extent.file ||
        extent.first_sector + extent.sectors > longest.first_sector + longest.sectors;
    if (i == 0 || reaches_further) longest = extent;
  }
  return no_failure;
}

}  // namespace vmdk::detail

// ---- vmdk/verify/compressed_grains.hpp

namespace vmdk::detail {

/// The sectors of a compressed grain with its marker.
[[nodiscard]] constexpr std::uint64_t marked_sectors(std::uint64_t data_bytes) noexcept {
  return ceil_shift(data_bytes + grain_marker_bytes, sector_shift);
}

/// Memory to expand a grain in; without an output grains are not expanded.
struct expanding_room {
  byte_span input;   ///< At least one sector.
  byte_span output;  ///< A grain.
};

/// Looks into the compressed grains of an extent: markers, padding and what they expand to.
template <class File, class D>
class compressed_grains {
 public:
  constexpr compressed_grains(File& file, const sparse_format& format, byte_span marker,
                              const expanding_room& room, D& decoder) noexcept
      : file_(&file),
        format_(&format),
        marker_(marker),
        room_(room),
        decoder_(&decoder),
        budget_sectors_(ceil_shift(format.file_bytes(), sector_shift)) {}

  /// The grain size in bytes when a grain could not be expanded because the room is too small.
  [[nodiscard]] constexpr std::uint64_t lacking_bytes() const noexcept { return lacking_bytes_; }

  [[nodiscard]] constexpr std::uint64_t most_sectors() const noexcept {
    return marked_sectors(compressed_size_limit(format_->extent().geometry().grain_bytes()));
  }

  /// What the marker says, 1 when that cannot be; never more than the file has. Errors: the file's.
  [[nodiscard]] constexpr result<std::uint64_t> sectors(const table_entry& entry) noexcept {
    const std::uint64_t marker_at = entry.value << sector_shift;
    if (failure f = file_->read_at(marker_at, marker_.first(grain_marker_bytes))) return f;
    return sectors_stated(marker_at);
  }

  /// Checks marker, padding and content. Errors: those of the file and of the log.
  template <class Log>
  [[nodiscard]] constexpr result<std::uint64_t> check(const table_entry& entry, Log& log) noexcept {
    const std::uint64_t marker_at = entry.value << sector_shift;
    if (failure f = file_->read_at(marker_at, marker_.first(grain_marker_bytes))) return f;
    const std::uint64_t sectors = sectors_stated(marker_at);
    finding found;
    found.table = entry.table;
    found.entry = entry.index;
    const std::uint64_t grain_offset = entry.grain
                                       << format_->extent().geometry().grain_byte_shift();
    const auto grain = check_grain_marker(marker_.data(), marker_at, format_->extent(),
                                          grain_offset, format_->file_bytes());
    if (!grain) {
      found.code = grain.error().code;
      found.offset = grain.error().offset;
      const bool wrong_place = found.code == errc::marker_lba_mismatch;
      found.value = wrong_place ? load_le<std::uint64_t>(marker_.data())
                                : load_le<std::uint32_t>(marker_.data() + 8);
      found.other = wrong_place ? grain_offset >> sector_shift : no_figure;
      if (failure f = log.add(found)) return f;
      return sectors;
    }
    found.offset = marker_at;
    if (failure f = check_padding(*grain, found, log)) return f;
    // Grains that lie side by side cannot be more than the file; where they are, they overlap.
    if (sectors > budget_sectors_) return sectors;
    budget_sectors_ -= sectors;
    if (failure f = expand(*grain, grain_offset, found, log)) return f;
    return sectors;
  }

 private:
  [[nodiscard]] constexpr std::uint64_t sectors_stated(std::uint64_t marker_at) const noexcept {
    const std::uint64_t size = load_le<std::uint32_t>(marker_.data() + 8);
    if (size == 0 || size > compressed_size_limit(format_->extent().geometry().grain_bytes())) {
      return 1;
    }
    const std::uint64_t left = ceil_shift(format_->file_bytes() - marker_at, sector_shift);
    return smaller_of(marked_sectors(size), left);
  }

  template <class Log>
  constexpr failure check_padding(const compressed_grain& grain, finding found, Log& log) noexcept {
    const std::uint64_t data_end = grain.data_offset + grain.data_bytes;
    const std::uint64_t sector_end =
        smaller_of(ceil_shift(data_end, sector_shift) << sector_shift, format_->file_bytes());
    const byte_span padding = marker_.first(static_cast<std::size_t>(sector_end - data_end));
    if (padding.empty()) return no_failure;
    if (failure f = file_->read_at(data_end, padding)) return f;
    if (is_zero(padding)) return no_failure;
    found.code = errc::marker_padding_not_zero;
    found.offset = data_end;
    return log.add(found);
  }

  /// Expands a grain; the last one of an unaligned disk may be short.
  template <class Log>
  constexpr failure expand(const compressed_grain& grain, std::uint64_t grain_offset, finding found,
                           Log& log) noexcept {
    if constexpr (std::is_same_v<D, no_decoder>) {
      return no_failure;
    } else {
      const auto& geometry = format_->extent().geometry();
      const std::uint64_t whole = geometry.grain_bytes();
      const std::uint64_t exists =
          smaller_of<std::uint64_t>(whole, format_->extent().capacity_bytes() - grain_offset);
      // Two bits of a stream give 258 bytes at most, so that some cannot hold what they must.
      const std::uint64_t most = std::uint64_t{grain.data_bytes} * 1032;
      const auto decode = [&](std::uint64_t wanted) -> failure {
        if (most < wanted) return codec_failure(errc::stream_output_short, grain.data_bytes);
        const std::size_t at_once = D::needs_contiguous_input ? grain.data_bytes : 0;
        if (room_.output.size() < wanted || room_.input.size() < at_once) {
          return options_failure(errc::workspace_too_small);
        }
        grain_supply<File> supply(*file_, grain, {}, room_.input);
        return decoder_->decode(supply, room_.output.first(static_cast<std::size_t>(wanted)));
      };
      failure why = decode(whole);
      const bool may_be_short =
          why.code == errc::stream_output_short || why.code == errc::workspace_too_small;
      if (may_be_short && exists < whole) {
        const failure cut = decode(exists);
        if (!cut) {
          ++log.summary.expanded_grains;
          found.code = errc::last_grain_short;
          found.value = exists;
          found.other = whole;
          return log.add(found);
        }
        // What did not fit its part of the disk may still be a whole grain.
        if (why.code == errc::stream_output_short || cut.from == origin::source) why = cut;
      }
      if (!why) {
        ++log.summary.expanded_grains;
        return no_failure;
      }
      if (why.code == errc::workspace_too_small) {
        lacking_bytes_ = D::needs_contiguous_input ? whole * 3 + sector_bytes : whole;
        return no_failure;
      }
      if (why.from != origin::codec) return why;
      found.code = why.code;
      found.offset = grain.data_offset + why.offset;
      return log.add(found);
    }
  }

  File* file_;
  const sparse_format* format_;
  byte_span marker_;
  expanding_room room_;
  D* decoder_;
  std::uint64_t budget_sectors_;
  std::uint64_t lacking_bytes_ = 0;
};

}  // namespace vmdk::detail

// ---- vmdk/verify/stream_walk.hpp

namespace vmdk::detail {

/// Walks a stream from marker to marker, as a reader does that cannot go back, and compares what it
/// meets with the tables (SPEC 5, 13.2). What a grain holds is not looked at.
template <class File, class Log>
class stream_walker {
 public:
  /// `marker` is one sector of memory.
  constexpr stream_walker(table_walk<sparse_format, File>& tables, byte_span marker,
                          bool has_footer, Log& log) noexcept
      : tables_(&tables),
        format_(&tables.format()),
        marker_(marker.first(sector_bytes)),
        file_sectors_(ceil_shift(tables.format().file_bytes(), sector_shift)),
        has_footer_(has_footer),
        log_(&log) {}

  /// Walks from a sector to the end. Errors: those of the file and of the log.
  constexpr failure walk(std::uint64_t first_sector) noexcept {
    at_ = first_sector;
    while (at_ < file_sectors_ && !ended_) {
      const std::uint64_t left = format_->file_bytes() - offset();
      zero_bytes(marker_);
      const auto bytes = static_cast<std::size_t>(smaller_of<std::uint64_t>(left, sector_bytes));
      if (failure f = tables_->file().read_at(offset(), marker_.first(bytes))) return f;
      if (failure f = take_marker()) return f;
      if (lost_) return no_failure;
    }
    if (!ended_) {
      if (failure f = log_->add(errc::stream_end_missing, format_->file_bytes())) return f;
    }
    return check_tables_left();
  }

 private:
  [[nodiscard]] constexpr std::uint64_t offset() const noexcept { return at_ << sector_shift; }
  [[nodiscard]] constexpr std::uint64_t value() const noexcept {
    return load_le<std::uint64_t>(marker_.data());
  }

  constexpr failure take_marker() noexcept {
    const std::uint32_t size = load_le<std::uint32_t>(marker_.data() + 8);
    if (size != 0) return take_grain(size);
    const auto type = static_cast<marker_type>(load_le<std::uint32_t>(marker_.data() + 12));
    if (type != marker_type::end_of_stream && !is_zero(marker_.data() + 16, sector_bytes - 16)) {
      if (failure f = log_->add(errc::marker_padding_not_zero, offset() + 16)) return f;
    }
    switch (type) {
      case marker_type::end_of_stream:
        return take_end();
      case marker_type::grain_table:
        return take_table();
      case marker_type::grain_directory:
        return take_directory();
      case marker_type::footer:
        // What it says is judged where the header is.
        return at_ + 3 == file_sectors_ ? skip(1) : lose();
      case marker_type::progress:
        return value() < file_sectors_ - at_ ? skip(value()) : lose();
    }
    return lose();
  }

  /// Goes on behind the marker's sector and so many more.
  constexpr failure skip(std::uint64_t sectors) noexcept {
    at_ += 1 + sectors;
    return no_failure;
  }

  /// Tells that what stands here is no marker, and gives up: nobody knows where the next one is.
  constexpr failure lose() noexcept {
    lost_ = true;
    finding found{.code = errc::marker_invalid, .offset = offset(), .value = value()};
    found.other = load_le<std::uint32_t>(marker_.data() + 12);
    return log_->add(found);
  }

  constexpr failure take_grain(std::uint32_t size) noexcept {
    const auto& geometry = format_->extent().geometry();
    if (size > compressed_size_limit(geometry.grain_bytes())) {
      lost_ = true;
      return log_->add(
          finding{.code = errc::marker_size_invalid, .offset = offset() + 8, .value = size});
    }
    if (!fits_inside(offset() + grain_marker_bytes, size, format_->file_bytes())) {
      lost_ = true;
      return log_->add(finding{.code = errc::grain_past_end, .offset = offset(), .value = at_});
    }
    const std::uint64_t lba = value();
    if ((lba & (geometry.grain_sectors() - 1)) != 0 || lba >= geometry.capacity_sectors()) {
      const finding found{.code = errc::marker_lba_mismatch, .offset = offset(), .value = lba};
      if (failure f = log_->add(found)) return f;
    } else {
      if (has_grain_ && lba <= last_lba_) {
        const finding found{.code = errc::marker_lba_not_ascending,
                            .offset = offset(),
                            .value = lba,
                            .other = last_lba_};
        if (failure f = log_->add(found)) return f;
      }
      has_grain_ = true;
      last_lba_ = lba;
      if (failure f = look_up(lba >> geometry.grain_shift())) return f;
    }
    return skip(marked_sectors(size) - 1);
  }

  /// Compares the place of a grain with what the tables say.
  constexpr failure look_up(std::uint64_t grain) noexcept {
    const std::uint64_t table = grain >> sparse_format::table_shift;
    const std::uint64_t index = grain & (entries_per_table - 1);
    const auto directory_entry = tables_->directory_entry(0, table);
    if (!directory_entry) return directory_entry.error();
    std::uint64_t entry = 0;
    if (*directory_entry != 0) {
      if (!format_->names_table(*directory_entry)) return no_failure;
      constexpr std::uint32_t each = table_walk<sparse_format, File>::entries_per_sector;
      const auto bytes = tables_->sector_of_table(0, *directory_entry, index / each);
      if (!bytes) return bytes.error();
      entry = load_le<std::uint32_t>(*bytes + (index & (each - 1)) * sizeof(std::uint32_t));
    }
    if (entry == at_) return no_failure;
    finding found{.code = errc::stream_tables_mismatch, .offset = offset()};
    found.table = table;
    found.entry = index;
    found.value = entry;
    found.other = at_;
    return log_->add(found);
  }

  /// An end-of-stream marker is the last sector. Where the tables stand in front, a stream may have
  /// zero sectors between its grains that only a sequential reader takes for its end.
  constexpr failure take_end() noexcept {
    if (!is_zero(marker_.data(), sector_bytes)) return lose();
    const std::uint64_t end_at = at_;
    ended_ = at_ + 1 == file_sectors_ && format_->file_bytes() % sector_bytes == 0;
    if (ended_) return skip(0);
    if (has_footer_) {
      ended_ = true;
      return log_->add(errc::stream_data_after_end, offset() + sector_bytes);
    }
    do {
      ++at_;
      if (at_ >= file_sectors_) break;
      const std::uint64_t left = format_->file_bytes() - offset();
      zero_bytes(marker_);
      const auto bytes = static_cast<std::size_t>(smaller_of<std::uint64_t>(left, sector_bytes));
      if (failure f = tables_->file().read_at(offset(), marker_.first(bytes))) return f;
    } while (is_zero(marker_.data(), sector_bytes));
    ended_ = at_ >= file_sectors_;
    return log_->add(finding{.code = ended_ ? errc::stream_end_padded : errc::stream_gap,
                             .offset = end_at << sector_shift,
                             .value = at_ - end_at});
  }

  constexpr failure check_length(std::uint64_t sectors) noexcept {
    if (value() == sectors) return no_failure;
    return log_->add(finding{
        .code = errc::marker_invalid, .offset = offset(), .value = value(), .other = sectors});
  }

  /// The tables of a stream stand in the order of its directory.
  constexpr failure take_table() noexcept {
    if (failure f = check_length(table_sectors)) return f;
    const auto entry = next_table();
    if (!entry) return entry.error();
    has_tables_ = true;
    if (*entry != at_ + 1) {
      finding found{.code = errc::stream_tables_mismatch, .offset = offset()};
      if (*entry != 0) found.table = next_table_ - 1;
      found.value = *entry;
      found.other = at_ + 1;
      if (failure f = log_->add(found)) return f;
    }
    return skip(table_sectors);
  }

  constexpr failure take_directory() noexcept {
    const std::uint64_t sectors = format_->directory_bytes() >> sector_shift;
    if (failure f = check_length(sectors)) return f;
    const std::uint64_t directory = format_->directory_at(0) >> sector_shift;
    if (directory != at_ + 1) {
      finding found{.code = errc::stream_tables_mismatch, .offset = offset()};
      found.value = directory;
      found.other = at_ + 1;
      if (failure f = log_->add(found)) return f;
    }
    return skip(sectors);
  }

  /// The next directory entry that is not 0; 0 when none is left. Some writers' directories go on
  /// behind the last table, with tables of their own.
  constexpr result<std::uint64_t> next_table() noexcept {
    while (next_table_ < format_->directory_bytes() >> sparse_format::entry_shift) {
      const auto entry = tables_->directory_entry(0, next_table_++);
      if (!entry || *entry != 0) return entry;
    }
    return std::uint64_t{0};
  }

  /// Where tables stand in the stream, all of them do.
  constexpr failure check_tables_left() noexcept {
    while (has_tables_) {
      const auto entry = next_table();
      if (!entry) return entry.error();
      if (*entry == 0) return no_failure;
      finding found{.code = errc::stream_tables_mismatch,
                    .offset = tables_->directory_entry_at(0, next_table_ - 1)};
      found.table = next_table_ - 1;
      found.value = *entry;
      if (failure f = log_->add(found)) return f;
    }
    return no_failure;
  }

  table_walk<sparse_format, File>* tables_;
  const sparse_format* format_;
  byte_span marker_;
  std::uint64_t file_sectors_;
  bool has_footer_;
  Log* log_;
  std::uint64_t at_ = 0;
  std::uint64_t last_lba_ = 0;
  std::uint64_t next_table_ = 0;
  bool has_grain_ = false;
  bool has_tables_ = false;
  bool ended_ = false;
  bool lost_ = false;
};

}  // namespace vmdk::detail

// ---- vmdk/verify/sparse_file_check.hpp

namespace vmdk::detail {

/// The value of the header field at a byte offset; no_figure where none begins.
[[nodiscard]] constexpr std::uint64_t header_field(const sparse_extent_header& header,
                                                   std::uint64_t offset) noexcept {
  const sector_image bytes = encode(header);
  switch (offset) {
    case offsetof(sparse_extent_header, magic_number):
    case offsetof(sparse_extent_header, version):
    case offsetof(sparse_extent_header, flags):
    case offsetof(sparse_extent_header, num_gtes_per_gt):
      return load_le<std::uint32_t>(bytes.data() + offset);
    case offsetof(sparse_extent_header, capacity):
    case offsetof(sparse_extent_header, grain_size):
    case offsetof(sparse_extent_header, descriptor_offset):
    case offsetof(sparse_extent_header, descriptor_size):
    case offsetof(sparse_extent_header, rgd_offset):
    case offsetof(sparse_extent_header, gd_offset):
    case offsetof(sparse_extent_header, over_head):
      return load_le<std::uint64_t>(bytes.data() + offset);
    case offsetof(sparse_extent_header, unclean_shutdown):
      return load_le<std::uint8_t>(bytes.data() + offset);
    case offsetof(sparse_extent_header, compress_algorithm):
      return load_le<std::uint16_t>(bytes.data() + offset);
    default:
      return no_figure;
  }
}

/// Checks one hosted sparse file: header, footer, descriptor, tables, grains and stream.
template <class File, class Log, class D>
class sparse_file_checker {
 public:
  constexpr sparse_file_checker(File& file, const check_context<Log, D>& context,
                                const extent_claim& claim, link_facts& facts) noexcept
      : file_(&file), file_bytes_(file.size()), context_(context), claim_(claim), facts_(&facts) {}

  /// Errors: those of the file and of the log; errc::workspace_too_small.
  failure check() noexcept {
    if (file_bytes_ < sector_bytes) return log().add(errc::header_truncated, 0);
    if (failure f = read_object(*file_, 0, header_)) return f;
    failure why;
    const auto report = [&](errc code, std::uint64_t offset) {
      why = log().add(
          finding{.code = code, .offset = offset, .value = header_field(header_, offset)});
      return !why;
    };
    const bool is_usable = check_sparse_header(header_, file_bytes_, report);
    if (why || !is_usable) return why;
    facts_->capacity_sectors = header_.capacity;
    if (failure f = check_claim()) return f;
    if (header_.is_compressed() || header_.has_tables_at_end()) {
      if (failure f = check_footer()) return f;
    }
    if (!claim_.has_line) {
      if (failure f = check_descriptor_inside()) return f;
    }
    // Without a directory there is nothing more to find.
    return header_.gd_offset == 0 ? no_failure : check_tables();
  }

 private:
  [[nodiscard]] constexpr Log& log() const noexcept { return context_.log; }

  constexpr failure check_claim() noexcept {
    if (!claim_.has_line || is_same_capacity(header_.capacity, claim_.sectors, claim_.is_only)) {
      return no_failure;
    }
    const bool is_rounded =
        claim_.is_last && is_rounded_up(header_.capacity, claim_.sectors, header_.grain_size);
    return log().add(finding{.code = is_rounded ? errc::extent_rounded_up : errc::extent_mismatch,
                             .offset = offsetof(sparse_extent_header, capacity),
                             .value = header_.capacity,
                             .other = claim_.sectors});
  }

  /// Checks the end of a stream, and puts what only the footer says into the header.
  constexpr failure check_footer() noexcept {
    const bool is_needed = header_.has_tables_at_end();
    const std::uint64_t footer_at = file_bytes_ - std::uint64_t{2} * sector_bytes;
    bool has_room = file_bytes_ >= sector_bytes + stream_tail_bytes;
    sparse_extent_header footer;
    if (has_room) {
      stream_marker marker;
      if (failure f = read_object(*file_, footer_at - sector_bytes, marker)) return f;
      if (failure f = read_object(*file_, footer_at, footer)) return f;
      has_room = file_bytes_ % sector_bytes == 0 && marker.is(marker_type::footer) &&
                 footer.magic_number == sparse_magic;
    }
    has_footer_ = has_room;
    failure why;
    const auto report = [&](errc code, std::uint64_t offset) {
      finding found{.code = code, .offset = offset};
      found.value = header_field(footer, offset - footer_at);
      if (code == errc::footer_mismatch) found.other = header_field(header_, offset - footer_at);
      if (code == errc::footer_missing) found.value = file_bytes_;
      why = log().add(found);
      return !why;
    };
    const auto directory = find_footer(*file_, file_bytes_, header_, report);
    if (!directory) return directory.error();
    header_.gd_offset = *directory;
    if (is_needed && has_footer_) header_.rgd_offset = footer.rgd_offset;
    // What a footer says was judged by its own figures; the header's are those that are used.
    const std::uint64_t sectors =
        sparse_geometry(header_.capacity, header_.grain_size).directory_sectors();
    const auto is_good = [&](std::uint64_t first_sector) {
      return place_directory(header_, first_sector, sectors, file_bytes_ >> sector_shift) ==
             directory_place::good;
    };
    if (!is_good(header_.gd_offset)) header_.gd_offset = std::uint64_t{0};
    if (!is_good(header_.rgd_offset)) header_.rgd_offset = header_.gd_offset;
    return why;
  }

  failure check_descriptor_inside() noexcept {
    if (header_.descriptor_offset == 0) {
      return log().add(errc::embedded_descriptor_missing,
                       offsetof(sparse_extent_header, descriptor_offset));
    }
    const range region{header_.descriptor_offset << sector_shift,
                       header_.descriptor_size << sector_shift};
    const auto text =
        check_descriptor_text(*file_, region, descriptor_place::embedded, context_.room, log());
    if (!text) return text.error();
    if (!text->is_usable) return no_failure;
    facts_->take(text->view);
    const create_type type = text->view.type();
    if (has_embedded_descriptor(type) &&
        (type == create_type::stream_optimized) != header_.is_compressed()) {
      if (failure f = log().add(errc::descriptor_compression_mismatch, region.offset)) return f;
    }
    const extent_iterator line = text->view.extents().begin();
    if (line->access == extent_access::none) {
      descriptor_reporter<Log> lines(text->view.text(), region.offset, log());
      if (!lines(errc::extent_no_access, line.line_offset())) return lines.why();
    }
    if (is_same_capacity(header_.capacity, text->view.total_sectors(), true)) return no_failure;
    return log().add(finding{.code = errc::descriptor_capacity_mismatch,
                             .offset = region.offset,
                             .value = text->view.total_sectors(),
                             .other = header_.capacity});
  }

  failure check_tables() noexcept {
    const sparse_format format(header_, file_bytes_);
    byte_span room = context_.room;
    expanding_room expanding{};
    if constexpr (!std::is_same_v<D, no_decoder>) {
      // Of a disk smaller than a grain, less may be enough.
      const std::uint64_t whole = format.extent().geometry().grain_bytes();
      const std::uint64_t used = smaller_of(whole, format.extent().capacity_bytes());
      for (const std::uint64_t wanted : {whole, used}) {
        if (!header_.is_compressed() || !expanding.output.empty()) break;
        if (room.size() < check_least_bytes + wanted) continue;
        expanding.output = room.last(static_cast<std::size_t>(wanted));
        room = room.first(room.size() - expanding.output.size());
      }
    }
    const walk_room share(room);
    // No pass needs bits and a decoder's input at once.
    expanding.input = share.rest;
    table_walk<sparse_format, File> walk(*file_, format, share.windows);
    compressed_grains<File, D> compressed(*file_, format, share.marker, expanding,
                                          context_.decoder);
    plain_grains<sparse_format> plain{format};
    const failure found = header_.is_compressed() ? check_tables_with(walk, share, compressed)
                                                  : check_tables_with(walk, share, plain);
    if (found) return found;
    const std::uint64_t lacking = compressed.lacking_bytes();
    if (lacking == 0) return no_failure;
    const auto wanted = static_cast<std::uint32_t>(check_least_bytes + lacking);
    return options_failure(errc::workspace_too_small, 0, wanted);
  }

  template <class Walk, class Grains>
  failure check_tables_with(Walk& walk, const walk_room& share, Grains& grains) noexcept {
    const auto fixed = [&](auto&& visit) { each_fixed(walk.format(), visit); };
    table_checker tables(walk, context_.state, share.rest, log(), fixed, grains);
    if (failure f = tables.check()) return f;
    const std::uint64_t overhead = header_.over_head;
    const std::uint64_t directory_end =
        (walk.format().directory_at(0) + walk.format().directory_bytes()) >> sector_shift;
    if (!header_.is_compressed()) {
      // An overhead that ends before the directory does was told with the header.
      if (overhead < directory_end || overhead >= tables.metadata_end_sector()) return no_failure;
      return log().add(finding{.code = errc::overhead_too_small,
                               .offset = offsetof(sparse_extent_header, over_head),
                               .value = overhead,
                               .other = tables.metadata_end_sector()});
    }
    // Looking up a grain reads no more than a sector each of directory and table.
    Walk look_up(*file_, walk.format(), share.windows.first(Walk::least_bytes));
    stream_walker<File, Log> stream(look_up, share.marker, has_footer_, log());
    return stream.walk(overhead != 0 ? overhead : tables.first_grain_sector());
  }

  /// Gives the metadata whose places the header states.
  template <class Visit>
  constexpr void each_fixed(const sparse_format& format, Visit&& visit) const noexcept {
    using kind = sector_use_kind;
    using h = sparse_extent_header;
    const std::uint64_t directory_sectors = format.directory_bytes() >> sector_shift;
    visit(sector_use{.kind = kind::header, .first_sector = 0, .sectors = 1});
    if (header_.descriptor_offset != 0) {
      visit(sector_use{.kind = kind::descriptor,
                       .first_sector = header_.descriptor_offset,
                       .sectors = header_.descriptor_size,
                       .named_at = offsetof(h, descriptor_offset)});
    }
    for (unsigned copy = 0; copy < format.copies(); ++copy) {
      visit(sector_use{.kind = kind::directory,
                       .first_sector = format.directory_at(copy) >> sector_shift,
                       .sectors = directory_sectors,
                       .named_at = copy == 0 ? offsetof(h, gd_offset) : offsetof(h, rgd_offset)});
    }
    if (has_footer_) {
      constexpr std::uint64_t tail_sectors = stream_tail_bytes >> sector_shift;
      const std::uint64_t file_sectors = file_bytes_ >> sector_shift;
      visit(sector_use{.kind = kind::footer,
                       .first_sector = file_sectors - tail_sectors,
                       .sectors = tail_sectors});
    }
  }

  File* file_;
  std::uint64_t file_bytes_;
  check_context<Log, D> context_;
  extent_claim claim_;
  link_facts* facts_;
  sparse_extent_header header_{};
  bool has_footer_ = false;
};

}  // namespace vmdk::detail

// ---- vmdk/verify/image_check.hpp

namespace vmdk {

/// The most links of a chain that a check follows.
inline constexpr std::size_t check_most_links = 64;

namespace detail {

/// Checks a disk: its file or descriptor, the extents that this names, and all parents.
template <Files F, class Log, class D>
class image_checker {
 public:
  image_checker(F& files, const check_context<Log, D>& context, bool follows_names) noexcept
      : files_(&files), context_(context), follows_names_(follows_names) {}

  /// Errors: those of the files, with the number of the file; that of the log;
  /// errc::workspace_too_small.
  failure check(file_id file) noexcept {
    link_facts child;
    if (failure f = check_link(file, child)) return f;
    while (follows_names_ && child.has_parent) {
      const auto parent = open_parent(file, child);
      if (!parent) return parent.error();
      if (!*parent) return no_failure;
      const file_id child_file = file;
      file = next_;
      link_facts facts;
      if (failure f = check_link(file, facts)) return f;
      if (failure f = compare_links(child_file, child, facts)) return f;
      child = facts;
    }
    return no_failure;
  }

 private:
  [[nodiscard]] constexpr Log& log() const noexcept { return context_.log; }

  void turn_to(file_id file) noexcept { log().set_file(file.value); }

  /// Checks the file of a link: a sparse file with its descriptor inside, or a text descriptor.
  failure check_link(file_id file, link_facts& facts) noexcept {
    links_.data()[link_count_++] = file;
    turn_to(file);
    const auto contents = identify_file(*files_, file);
    if (!contents) {
      const failure why = contents.error();
      const bool is_no_image = why.code == errc::magic_invalid && why.from == origin::image;
      return is_no_image ? count_file(log().add(why.code, why.offset)) : why;
    }
    if (*contents == file_contents::text) return check_text(file, facts);
    if (*contents == file_contents::sparse) {
      return check_extent_file(file, extent_kind::sparse, {}, context_.room, facts);
    }
    // Those of ESXi's have their descriptor in a file of its own.
    if (failure f = log().add(errc::embedded_descriptor_missing, 0)) return f;
    const auto kind = *contents == file_contents::cowd ? extent_kind::cowd : extent_kind::sesparse;
    return check_extent_file(file, kind, {}, context_.room, facts);
  }

  failure count_file(failure why) noexcept {
    ++log().summary.files;
    return why;
  }

  /// Checks a file of an extent that has tables.
  failure check_extent_file(file_id file, extent_kind kind, const extent_claim& claim,
                            byte_span room, link_facts& facts) noexcept {
    turn_to(file);
    ++log().summary.files;
    file_view<F> view(*files_, file);
    const check_context<Log, D> context{log(), context_.state, context_.decoder, room};
    if (room.size() < check_least_bytes) return too_small(check_least_bytes - room.size());
    if (kind == extent_kind::cowd) return check_cowd_file(view, context, claim, facts);
    if (kind == extent_kind::sesparse) return check_sesparse_file(view, context, claim, facts);
    return sparse_file_checker<file_view<F>, Log, D>(view, context, claim, facts).check();
  }

  [[nodiscard]] failure too_small(std::size_t more) const noexcept {
    return options_failure(errc::workspace_too_small, 0,
                           static_cast<std::uint32_t>(context_.room.size() + more));
  }

  failure check_text(file_id file, link_facts& facts) noexcept {
    ++log().summary.files;
    const std::uint64_t bytes = files_->size(file);
    if (bytes > descriptor_max_bytes) {
      return log().add(finding{
          .code = errc::descriptor_too_long, .offset = descriptor_max_bytes, .value = bytes});
    }
    file_view<F> view(*files_, file);
    const auto text = check_descriptor_text(view, range{0, bytes}, descriptor_place::text_file,
                                            context_.room, log());
    if (!text) return text.error();
    if (!text->is_usable) return no_failure;
    facts.take(text->view);
    facts.capacity_sectors = text->view.total_sectors();
    if (!follows_names_) return no_failure;
    byte_span room = context_.room.subspan(text->text_bytes);
    extent_list extents(room);
    if (failure f = open_extents(*files_, file, text->view, extents, log())) {
      if (f.code == errc::workspace_too_small) return too_small(f.detail);
      return f;
    }
    extents.sort();
    if (failure f = find_shared_extents(extents, log())) return f;
    room = room.subspan(extents.used_bytes());
    return check_extents(extents, text->view.extent_count() == 1, room, facts);
  }

  failure check_extents(const extent_list& extents, bool is_only, byte_span room,
                        link_facts& facts) noexcept {
    for (std::size_t i = 0; i < extents.size(); ++i) {
      const named_extent extent = extents.get(i);
      const file_id file{extent.file};
      if (extent.kind == extent_kind::flat) {
        if (failure f = check_flat(extent, i == 0 || extents.get(i - 1).file != extent.file)) {
          return f;
        }
        continue;
      }
      // One file several times is told already.
      if (i != 0 && extents.get(i - 1).file == extent.file) continue;
      link_facts own;
      const extent_claim claim{.has_line = true,
                               .is_only = is_only,
                               .is_last = extent.is_last,
                               .sectors = extent.sectors};
      if (failure f = check_extent_file(file, extent.kind, claim, room, own)) return f;
      // The header of an only extent says how large the disk is.
      if (is_only && own.capacity_sectors != 0) facts.capacity_sectors = own.capacity_sectors;
    }
    return no_failure;
  }

  failure check_flat(const named_extent& extent, bool is_new_file) noexcept {
    const file_id file{extent.file};
    turn_to(file);
    if (is_new_file) ++log().summary.files;
    const std::uint64_t bytes = files_->size(file);
    const std::uint64_t end_sector = extent.first_sector + extent.sectors;
    if (end_sector <= bytes >> sector_shift) return no_failure;
    return log().add(finding{.code = errc::extent_too_short,
                             .offset = bytes,
                             .entry = extent.line,
                             .value = bytes,
                             .other = end_sector << sector_shift});
  }

  /// Opens the parent of a link into next_; false when there is none to go on with.
  result<bool> open_parent(file_id child_file, const link_facts& child) noexcept {
    turn_to(child_file);
    finding found;
    found.name = child.parent_name.view();
    if (child.parent_refusal != errc::none) {
      found.code = child.parent_refusal;
      if (failure f = log().add(found)) return f;
      return false;
    }
    const auto parent = open_named(*files_, child_file, child.parent_name.view());
    if (!parent) {
      if (!is_about_name(parent.error())) {
        return file_view<F>::in_file(parent.error(), child_file);
      }
      const bool is_missing = parent.error().code == errc::file_not_found;
      found.code = is_missing ? errc::parent_missing : parent.error().code;
    } else {
      for (std::size_t i = 0; i < link_count_; ++i) {
        if (links_.data()[i] == *parent) found.code = errc::chain_loop;
      }
      if (found.code == errc::none && link_count_ == links_.size()) {
        found.code = errc::chain_too_deep;
      }
    }
    if (found.code != errc::none) {
      if (failure f = log().add(found)) return f;
      return false;
    }
    next_ = *parent;
    return true;
  }

  failure compare_links(file_id child_file, const link_facts& child,
                        const link_facts& parent) noexcept {
    if (parent.has_descriptor && parent.cid != child.parent_cid) {
      turn_to(child_file);
      finding found{.code = errc::parent_modified};
      found.value = child.parent_cid;
      found.other = parent.cid;
      if (failure f = log().add(found)) return f;
    }
    // A child that names a parent has a descriptor, and so a capacity.
    const bool is_known = parent.capacity_sectors != 0;
    if (!is_known || parent.capacity_sectors == child.capacity_sectors) return no_failure;
    turn_to(next_);
    finding found{.code = errc::parent_capacity_differs};
    found.value = parent.capacity_sectors;
    found.other = child.capacity_sectors;
    return log().add(found);
  }

  F* files_;
  check_context<Log, D> context_;
  bool follows_names_;
  std::array<file_id, check_most_links> links_{};
  std::size_t link_count_ = 0;
  file_id next_{};
};

}  // namespace detail
}  // namespace vmdk

// ---- vmdk/verify/check.hpp

namespace vmdk {
namespace detail {

template <Files F, class D, class OnFinding>
[[nodiscard]] result<check_summary> check_files(F& files, file_id file,
                                                const check_spans<D>& memory, OnFinding& on_finding,
                                                bool follows_names) noexcept {
  if (memory.room.size() < check_least_bytes) {
    return options_failure(errc::workspace_too_small, 0, check_least_bytes);
  }
  using log_type = finding_reporter<OnFinding>;
  log_type log(memory.state.counts, on_finding);
  const check_context<log_type, D> context{log, memory.state, memory.decoder, memory.room};
  image_checker<F, log_type, D> checker(files, context, follows_names);
  const failure why = checker.check(file);
  if (why && !log.summary.stopped) return why;
  log.close();
  return log.summary;
}

}  // namespace detail

/// Checks a disk whose files the caller names through a Files object: its descriptor, each extent,
/// and all parents, by every rule of SPEC 13. It takes the raw bytes and so also judges what `open`
/// refuses. Nothing is opened but what `files.open` gives.
///
/// `on_finding(const finding&)` is called for each broken rule; it returns void, or false to stop,
/// and must not throw.
/// Of each code findings_told_per_code are told, and at the end how many more there were. What is
/// found does not depend on the memory; how often tables are read does: once for each part of a
/// file that the bitmaps have room for. Each pass reads directory and tables once and a sector of
/// each compressed grain; each compressed grain is read and expanded once. Errors: those of
/// `files`, with the number of the file in `index`; errc::workspace_too_small, detail: the bytes of
/// room that are needed (see check_bytes), after all that could be found.
template <Files F, class D, class OnFinding>
[[nodiscard]] result<check_summary> check(F& files, file_id file, const check_spans<D>& memory,
                                          OnFinding&& on_finding) noexcept {
  return detail::check_files(files, file, memory, on_finding, true);
}

/// As above, for a file that is named. Errors: also those of `files.open`.
template <Files F, class D, class OnFinding>
[[nodiscard]] result<check_summary> check(F& files, std::string_view name,
                                          const check_spans<D>& memory,
                                          OnFinding&& on_finding) noexcept {
  const auto file = files.open(name);
  if (!file) return file.error();
  return detail::check_files(files, *file, memory, on_finding, true);
}

/// As above, in the memory of one object; `file_or_name` is a file_id or a name.
template <Files F, class Name, std::size_t RoomBytes, class D, class OnFinding>
[[nodiscard]] result<check_summary> check(F& files, Name file_or_name,
                                          check_memory<RoomBytes, D>& memory,
                                          OnFinding&& on_finding) noexcept {
  return check(files, file_or_name, memory.spans(), on_finding);
}

/// Checks the bytes of one file alone: neither the extents that a text descriptor names nor any
/// parent. Otherwise as above.
template <Source S, class D, class OnFinding>
[[nodiscard]] result<check_summary> check(S& source, const check_spans<D>& memory,
                                          OnFinding&& on_finding) noexcept {
  single_file<S> files(source);
  return detail::check_files(files, file_id{}, memory, on_finding, false);
}

/// As above, in the memory of one object.
template <Source S, std::size_t RoomBytes, class D, class OnFinding>
[[nodiscard]] result<check_summary> check(S& source, check_memory<RoomBytes, D>& memory,
                                          OnFinding&& on_finding) noexcept {
  return check(source, memory.spans(), on_finding);
}

}  // namespace vmdk

// ---- vmdk/writer/pieces.hpp

namespace vmdk::detail {

/// Tells which file of a directory could not be written, in the order of their creation.
[[nodiscard]] constexpr failure in_file(failure why, std::uint32_t file) noexcept {
  if (why.from == origin::sink) why.index = file;
  return why;
}

/// The createType that goes with a form.
[[nodiscard]] constexpr create_type type_of(piece_form form) noexcept {
  if (form == piece_form::sparse) return create_type::two_gb_max_extent_sparse;
  if (form == piece_form::flat) return create_type::two_gb_max_extent_flat;
  return create_type::monolithic_flat;
}

/// Writes the extents of a disk one after the other, in one walk over the source, and at last their
/// descriptor: without it the extents are no disk. `write_piece(part, sink, index)` writes one
/// extent, whose part of the disk is a Source of its own, and may add to the hasher.
/// The report lacks the stored grains and the size of the extents.
template <Source S, SinkDirectory D, class WritePiece>
[[nodiscard]] constexpr result<write_report> write_files(S& source, D& directory,
                                                         const write_options& options,
                                                         const disk_pieces& pieces,
                                                         const content_hasher& hasher,
                                                         WritePiece&& write_piece) noexcept {
  if (options.like_mkimg) return options_failure(errc::not_supported);
  descriptor_fields fields =
      make_fields(options, type_of(pieces.form()), pieces.capacity_sectors());
  // The descriptor's own name is a plain one if those that are made from it are.
  const piece_list extents = pieces.extents(options.extent_name);
  if (failure f = check_descriptor_fields(fields, extents)) return f;

  std::array<char, extent_name_max_bytes> name_memory{};
  const std::uint32_t count = pieces.piece_count();
  for (std::uint32_t i = 0; i < count; ++i) {
    // A name that fields may have fits.
    const auto name = extents[i].name.compose(name_memory).value();
    const auto sink = directory.create(name);
    if (!sink) return in_file(sink.error(), i);
    const region place = pieces.piece(i);
    const std::uint64_t rest_bytes = source.size() - place.first_byte();
    slice_source<S> part(source, place.first_byte(), smaller_of(place.bytes(), rest_bytes));
    if (failure f = write_piece(part, **sink, i)) return in_file(f, i);
  }
  if (failure f = finish_source(source)) return f;

  write_report report{.source_bytes = source.size(), .capacity_bytes = pieces.capacity_bytes()};
  fields.id = report.id = choose_id(options, hasher.finish());
  const auto sink = directory.create(options.extent_name);
  if (!sink) return in_file(sink.error(), count);
  if (failure f = write_descriptor(fields, extents, **sink)) return in_file(f, count);
  report.file_bytes = descriptor_bytes(fields, extents);
  return report;
}

/// Gives the files their names if all was written, and takes them away if not.
template <SinkDirectory D>
[[nodiscard]] constexpr result<write_report> commit_or_abort(
    D& directory, const result<write_report>& report) noexcept {
  failure why = report.error();
  if (!why) why = directory.commit();
  if (!why) return report;
  directory.abort();
  return why;
}

}  // namespace vmdk::detail

// ---- vmdk/writer/flat.hpp

namespace vmdk {
namespace detail {

/// Blocks of zeros become holes, and are what the content id is made of.
inline constexpr std::uint32_t flat_block_sectors = content_hasher::block_bytes / sector_bytes;

/// Writes a disk as it is into an empty sink, in one walk over the source, up to a size in whole
/// sectors; what the source lacks, and each block of zeros, is left as a hole.
/// Errors: those of source and sink.
template <Source S, SeekableSink K>
[[nodiscard]] constexpr failure write_flat_body(S& source, K& sink, std::uint64_t file_bytes,
                                                grain_scanner scanner, byte_span buffer) noexcept {
  const sparse_geometry blocks(file_bytes >> sector_shift, flat_block_sectors);
  const unsigned shift = blocks.grain_byte_shift();
  grain_stream<S> stream(source, blocks, buffer);
  std::uint64_t end = 0;  // of the file so far
  for (;;) {
    const auto chunk = stream.next(blocks.grain_count());
    if (!chunk) return chunk.error();
    if (chunk->grains == 0) break;
    // Neighbours that hold data leave in one write.
    std::uint64_t run = 0;
    for (std::uint64_t i = 0; i <= chunk->grains; ++i) {
      const std::byte* const block = chunk->bytes + (i << shift);
      if (i < chunk->grains && scanner.holds_data(block, chunk->first_grain + i)) {
        ++run;
      } else if (run != 0) {
        const std::uint64_t offset = (chunk->first_grain + i - run) << shift;
        const std::uint64_t bytes = smaller_of(run << shift, file_bytes - offset);
        if (offset != end) {
          if (failure f = sink.resize(offset)) return f;
        }
        const byte_view data(block - (run << shift), static_cast<std::size_t>(bytes));
        if (failure f = sink.write_at(offset, data)) return f;
        end = offset + bytes;
        run = 0;
      }
    }
  }
  return end == file_bytes ? no_failure : sink.resize(file_bytes);
}

/// All files of a flat disk; none has its name yet.
template <Source S, SinkDirectory D>
[[nodiscard]] constexpr result<write_report> write_flat_files(S& source, D& directory,
                                                              const write_options& options,
                                                              const flat_layout& plan,
                                                              byte_span buffer) noexcept {
  content_hasher hasher;
  const auto write_piece = [&](auto& part, auto& sink, std::uint32_t index) noexcept -> failure {
    const region place = plan.piece(index);
    const sparse_geometry blocks(place.sectors, flat_block_sectors);
    const grain_scanner scanner(blocks, needs_content(options) ? &hasher : nullptr,
                                place.first_byte());
    return write_flat_body(part, sink, place.bytes(), scanner, buffer);
  };
  auto report = write_files(source, directory, options, plan, hasher, write_piece);
  if (report) report->file_bytes += plan.extents_bytes();
  return report;
}

/// The writer of both flat types.
template <class Type>
struct flat_writer {
  template <Source S, SinkDirectory D>
  [[nodiscard]] static constexpr result<write_report> write(S& source, D& directory,
                                                            const write_options& options,
                                                            workspace<Type>& memory) noexcept {
    const auto plan = layout<Type>::for_capacity(source.size());
    return commit_or_abort(
        directory, plan ? write_flat_files(source, directory, options, *plan, memory.buffer())
                        : result<write_report>(plan.error()));
  }
};

/// One block. A larger `bulk` is used instead when there is one: it makes reads and writes larger,
/// and never changes the result.
struct flat_workspace {
  std::array<std::byte, content_hasher::block_bytes> block{};
  byte_span bulk{};

  [[nodiscard]] constexpr byte_span buffer() noexcept {
    return bulk.size() > block.size() ? bulk : byte_span(block);
  }
};

}  // namespace detail

template <>
struct workspace<monolithic_flat> : detail::flat_workspace {};
template <>
struct workspace<two_gb_max_extent_flat> : detail::flat_workspace {};

/// Writes the files of a monolithicFlat disk into a SinkDirectory: NAME-flat.vmdk, and last the
/// descriptor, `options.extent_name`.
///
/// The source is walked once, and a forward_source will do. On success the directory has been
/// committed; after any error it has been aborted, and nothing is left. Blocks of 4 KiB that are
/// zero become holes. The capacity is the source's size in whole sectors, whatever
/// `options.capacity` says; the report's file size is that of all files together, holes included.
/// Errors, of origin::options and before anything is created: errc::capacity_zero,
/// errc::capacity_too_large, errc::option_invalid (detail: a descriptor_problem),
/// errc::not_supported (like_mkimg). Those of source and directory; of the latter `index` counts
/// the files from 0, the descriptor last. Source: SPEC 6, 8, 12, 14.
template <>
struct writer<monolithic_flat> : detail::flat_writer<monolithic_flat> {};

/// Writes the files of a twoGbMaxExtentFlat disk: NAME-f001.vmdk and so on, and last the
/// descriptor. As for monolithicFlat.
template <>
struct writer<two_gb_max_extent_flat> : detail::flat_writer<two_gb_max_extent_flat> {};

}  // namespace vmdk

// ---- vmdk/writer/split.hpp

namespace vmdk {
namespace detail {

/// All files of a twoGbMaxExtentSparse disk, for any grain size; none has its name yet.
template <Source S, SinkDirectory D>
[[nodiscard]] constexpr result<write_report> write_split_files(S& source, D& directory,
                                                               const write_options& options,
                                                               std::uint32_t grain_sectors,
                                                               sparse_scratch scratch) noexcept {
  const auto planned = split_layout::for_capacity(
      source.size(), {.grain_sectors = grain_sectors, .capacity = options.capacity});
  if (!planned) return planned.error();
  const split_layout& plan = *planned;
  if (failure f = check_scratch(plan.extent(0), scratch)) return f;

  content_hasher hasher;
  std::uint64_t stored_grains = 0;
  const auto write_piece = [&](auto& part, auto& sink, std::uint32_t index) noexcept -> failure {
    const sparse_layout extent = plan.extent(index);
    const grain_scanner scanner(extent.geometry(), needs_content(options) ? &hasher : nullptr,
                                plan.piece(index).first_byte());
    const auto stored = write_sparse_body(part, sink, extent, scanner, scratch);
    if (!stored) return stored.error();
    stored_grains += *stored;
    return sink.write_at(0, encode(extent.make_header()));
  };
  auto report = write_files(source, directory, options, plan, hasher, write_piece);
  if (!report) return report;
  report->stored_grains = stored_grains;
  report->file_bytes += plan.extents_bytes(stored_grains).value();
  return report;
}

}  // namespace detail

/// As for monolithicSparse.
template <std::uint32_t GrainSectors>
struct workspace<two_gb_max_extent_sparse<GrainSectors>>
    : workspace<monolithic_sparse<GrainSectors>> {};

/// Writes the files of a twoGbMaxExtentSparse disk into a SinkDirectory: NAME-s001.vmdk and so on,
/// and last the descriptor, `options.extent_name`, which the others are named after.
///
/// The source is walked once, and a forward_source will do. On success the directory has been
/// committed; after any error it has been aborted, and nothing is left. The report's file size is
/// that of all files together. Errors, of origin::options and before anything is created:
/// errc::capacity_zero, errc::capacity_too_large, errc::grain_size_invalid, errc::option_invalid
/// (detail: a descriptor_problem), errc::workspace_too_small, errc::not_supported (like_mkimg).
/// Those of source and directory; of the latter `index` counts the files from 0, the descriptor
/// last. Source: SPEC 3, 6, 8, 12, 14.
template <std::uint32_t GrainSectors>
struct writer<two_gb_max_extent_sparse<GrainSectors>> {
  template <Source S, SinkDirectory D>
  [[nodiscard]] static constexpr result<write_report> write(
      S& source, D& directory, const write_options& options,
      workspace<two_gb_max_extent_sparse<GrainSectors>>& memory) noexcept {
    return detail::commit_or_abort(
        directory,
        detail::write_split_files(source, directory, options,
                                  detail::grain_of<two_gb_max_extent_sparse<GrainSectors>>(options),
                                  {.table = memory.table, .buffer = memory.buffer()}));
  }
};

}  // namespace vmdk

// ---- vmdk/vmdk.hpp

/// VMDK disk images as templates: writes, reads and checks. What fewer programs want would make
/// every compilation longer, and is asked for by itself: writer/delta.hpp, verify/repair.hpp,
/// verify/open_checked.hpp, verify/describe.hpp, hosted.hpp and the optional codecs.

// ---- vmdk/verify/entry_pair.hpp

namespace vmdk::detail {

/// A table entry in the copies that there are.
struct entry_pair {
  std::uint64_t grain = 0;
  std::uint64_t at[2]{};  ///< The byte offset of each copy's entry; 0 where there is no such copy.
  std::uint32_t value[2]{};

  [[nodiscard]] constexpr bool has(unsigned copy) const noexcept { return at[copy] != 0; }
  [[nodiscard]] constexpr bool is_pair() const noexcept { return has(0) && has(1); }
  /// A copy that there is.
  [[nodiscard]] constexpr unsigned one_copy() const noexcept { return has(0) ? 0 : 1; }
  /// No copy says anything else.
  [[nodiscard]] constexpr bool agrees() const noexcept {
    return !is_pair() || value[0] == value[1];
  }
  /// Both copies say the same.
  [[nodiscard]] constexpr bool is_sure() const noexcept { return is_pair() && agrees(); }
};

}  // namespace vmdk::detail

// ---- vmdk/verify/dispute_list.hpp

namespace vmdk::detail {

/// A table entry about which its two copies, or the table and the stream, disagree.
struct dispute : entry_pair {
  std::uint32_t found = 0;  ///< Where the stream has the grain; 0: nowhere.
  bool is_claimed[2]{};     ///< The value's place belongs to another entry.
  bool is_wanted[2]{};      ///< A copy of another entry, on which its copies differ, names it.
  bool is_marker = false;   ///< A grain's marker does stand at the value.
};

/// A list of disputes in memory of the caller's, in the order of their grains, which can be
/// searched by grain and by value.
class dispute_list {
 public:
  constexpr explicit dispute_list(byte_span memory) noexcept
      : memory_(memory), most_(memory.size() / (record_bytes + 2 * key_bytes)) {}

  [[nodiscard]] constexpr std::size_t size() const noexcept { return count_; }
  [[nodiscard]] constexpr bool is_full() const noexcept { return count_ == most_; }
  constexpr void clear() noexcept { count_ = 0; }

  constexpr void add(const dispute& d) noexcept { set(count_++, d); }

  [[nodiscard]] constexpr dispute get(std::size_t i) const noexcept {
    const std::byte* const from = record(i);
    dispute d;
    d.grain = load_le<std::uint64_t>(from);
    const auto flags = load_le<std::uint32_t>(from + 36);
    for (std::size_t copy = 0; copy < 2; ++copy) {
      d.at[copy] = load_le<std::uint64_t>(from + 8 + 8 * copy);
      d.value[copy] = load_le<std::uint32_t>(from + 24 + 4 * copy);
      d.is_claimed[copy] = (flags >> copy & 1) != 0;
      d.is_wanted[copy] = (flags >> copy & 8) != 0;
    }
    d.found = load_le<std::uint32_t>(from + 32);
    d.is_marker = (flags & 4) != 0;
    return d;
  }
  constexpr void set(std::size_t i, const dispute& d) noexcept {
    std::byte* const to = record(i);
    store_le(to, d.grain);
    for (std::size_t copy = 0; copy < 2; ++copy) {
      store_le(to + 8 + 8 * copy, d.at[copy]);
      store_le(to + 24 + 4 * copy, d.value[copy]);
    }
    store_le(to + 32, d.found);
    const unsigned flags = (d.is_claimed[0] ? 1u : 0u) | (d.is_claimed[1] ? 2u : 0u) |
                           (d.is_marker ? 4u : 0u) | (d.is_wanted[0] ? 8u : 0u) |
                           (d.is_wanted[1] ? 16u : 0u);
    store_le(to + 36, static_cast<std::uint32_t>(flags));
  }

  /// The dispute about a grain; size() when there is none.
  [[nodiscard]] constexpr std::size_t find_grain(std::uint64_t grain) const noexcept {
    std::size_t low = 0;
    std::size_t high = count_;
    while (low < high) {
      const std::size_t middle = low + (high - low) / 2;
      if (load_le<std::uint64_t>(record(middle)) < grain) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low < count_ && load_le<std::uint64_t>(record(low)) == grain ? low : count_;
  }

  /// Sorts the values, so that each_value can find them.
  constexpr void sort_values() noexcept {
    keys_ = 2 * count_;
    for (std::size_t i = 0; i < count_; ++i) {
      for (std::size_t copy = 0; copy < 2; ++copy) {
        const std::uint64_t value = load_le<std::uint32_t>(record(i) + 24 + 4 * copy);
        set_key(2 * i + copy, value << 32 | (2 * i + copy));
      }
    }
    for (std::size_t i = keys_ / 2; i-- > 0;) sink(i, keys_);
    for (std::size_t end = keys_; end > 1;) {
      const std::uint64_t last = key(--end);
      set_key(end, key(0));
      set_key(0, last);
      sink(0, end);
    }
  }

  /// Calls `visit(number of the dispute, copy)` for each value from one up to another.
  template <class Visit>
  constexpr void each_value(std::uint64_t first, std::uint64_t end, Visit&& visit) const noexcept {
    std::size_t low = 0;
    std::size_t high = keys_;
    while (low < high) {
      const std::size_t middle = low + (high - low) / 2;
      if (key(middle) >> 32 < first) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    for (; low < keys_ && key(low) >> 32 < end; ++low) {
      const auto owner = static_cast<std::uint32_t>(key(low));
      visit(std::size_t{owner >> 1}, unsigned{owner & 1});
    }
  }

 private:
  static constexpr std::size_t record_bytes = 40;
  static constexpr std::size_t key_bytes = sizeof(std::uint64_t);  ///< One for each value.

  [[nodiscard]] constexpr std::byte* record(std::size_t i) const noexcept {
    return memory_.data() + i * record_bytes;
  }
  [[nodiscard]] constexpr std::byte* key_at(std::size_t i) const noexcept {
    return memory_.data() + most_ * record_bytes + i * key_bytes;
  }
  [[nodiscard]] constexpr std::uint64_t key(std::size_t i) const noexcept {
    return load_le<std::uint64_t>(key_at(i));
  }
  constexpr void set_key(std::size_t i, std::uint64_t value) noexcept {
    store_le(key_at(i), value);
  }

  /// Moves a key down the heap until none below it is larger.
  constexpr void sink(std::size_t i, std::size_t end) noexcept {
    const std::uint64_t moving = key(i);
    for (std::size_t child = 2 * i + 1; child < end; child = 2 * i + 1) {
      if (child + 1 < end && key(child) < key(child + 1)) ++child;
      if (key(child) <= moving) break;
      set_key(i, key(child));
      i = child;
    }
    set_key(i, moving);
  }

  byte_span memory_;
  std::size_t most_;
  std::size_t count_ = 0;
  std::size_t keys_ = 0;
};

}  // namespace vmdk::detail

// ---- vmdk/verify/entry_judge.hpp

namespace vmdk::detail {

enum class entry_verdict : std::uint8_t { absent, good, bad };

/// Says whether a table entry can be right. Of compressed grains the marker tells; of others only
/// their place.
template <class File>
class entry_judge {
 public:
  constexpr entry_judge(File& file, const sparse_extent_header& header) noexcept
      : file_(&file),
        file_bytes_(file.size()),
        geometry_(header.capacity, header.grain_size),
        is_compressed_(header.is_compressed()) {}

  /// Grains lie at or behind this sector.
  std::uint64_t floor_sector = 1;
  /// Entries of 1 stand for zeros.
  bool allows_zeroed = false;

  [[nodiscard]] constexpr const sparse_geometry& geometry() const noexcept { return geometry_; }

  /// Errors: the file's.
  [[nodiscard]] constexpr result<entry_verdict> judge(std::uint64_t value,
                                                      std::uint64_t grain) const noexcept {
    if (is_compressed_ && value > 1) return judge_marker(value << sector_shift, grain);
    return judge_place(value, grain);
  }

  /// The same for a grain that is not compressed: nothing is read.
  [[nodiscard]] constexpr entry_verdict judge_place(std::uint64_t value,
                                                    std::uint64_t grain) const noexcept {
    if (value == 0) return entry_verdict::absent;
    if (value == 1) return allows_zeroed ? entry_verdict::good : entry_verdict::bad;
    const std::uint64_t offset = value << sector_shift;
    const std::uint64_t first = grain << geometry_.grain_byte_shift();
    const std::uint64_t bytes =
        smaller_of<std::uint64_t>(geometry_.grain_bytes(), geometry_.capacity_bytes() - first);
    const bool good = value >= floor_sector && fits_inside(offset, bytes, file_bytes_);
    return good ? entry_verdict::good : entry_verdict::bad;
  }

 private:
  constexpr result<entry_verdict> judge_marker(std::uint64_t offset,
                                               std::uint64_t grain) const noexcept {
    std::array<std::byte, grain_marker_bytes> marker{};
    if (!fits_inside(offset, marker.size(), file_bytes_)) return entry_verdict::bad;
    if (failure f = file_->read_at(offset, marker)) return f;
    const auto size = load_le<std::uint32_t>(marker.data() + 8);
    const bool good = load_le<std::uint64_t>(marker.data()) == grain << geometry_.grain_shift() &&
                      size != 0 && size <= compressed_size_limit(geometry_.grain_bytes()) &&
                      fits_inside(offset + grain_marker_bytes, size, file_bytes_);
    return good ? entry_verdict::good : entry_verdict::bad;
  }

  File* file_;
  std::uint64_t file_bytes_;
  sparse_geometry geometry_;
  bool is_compressed_;
};

}  // namespace vmdk::detail

// ---- vmdk/verify/repair_step.hpp

namespace vmdk {

/// What a repair does, or cannot do, in one place (SPEC 13.7).
enum class repair_kind : std::uint8_t {
  header_rebuilt,            ///< From the footer.
  footer_rebuilt,            ///< From the header, or with a lost end of a stream.
  header_corrected,          ///< One field; offset says which.
  unclean_cleared,           ///< The flag that the last writer left.
  directory_entry_restored,  ///< A table was found where the directory did not name it.
  table_copied,              ///< A whole table, from the other copy.
  entry_restored,            ///< A table entry, from the other copy or from the stream's markers.
  entry_dropped,             ///< A table entry that no copy has right: the grain reads as absent.
  marker_restored,           ///< A marker of a stream, from what the tables say of it.
  table_rebuilt,             ///< A table of a stream that has lost its end.
  directory_rebuilt,         ///< The same for the directory.
  file_cut,                  ///< What followed the last whole grain, or the end, is gone.
  entry_left,                ///< Not repaired: nothing tells which value is right.
  table_left,                ///< Not repaired: no copy of a table, or of one copy, was found.
  directory_left,            ///< Not repaired: the redundant directory cannot be found.
  grain_left,                ///< Not repaired: something in a stream that is no marker.
};

/// One step of a repair: a change that was made, or would be made, or what had to be left.
struct repair_step {
  repair_kind kind = repair_kind::header_rebuilt;
  std::uint64_t offset = 0;          ///< In the file, in bytes: of what changes.
  std::uint64_t table = no_figure;   ///< From 0 in the order of the directory.
  std::uint64_t entry = no_figure;   ///< From 0 in its table.
  std::uint64_t before = no_figure;  ///< The value that stood there.
  std::uint64_t after = no_figure;   ///< The value that stands there now.

  [[nodiscard]] friend constexpr bool operator==(const repair_step& a,
                                                 const repair_step& b) noexcept {
    return a.kind == b.kind && a.offset == b.offset && a.table == b.table && a.entry == b.entry &&
           a.before == b.before && a.after == b.after;
  }
};

/// True for what could not be repaired.
[[nodiscard]] constexpr bool is_left(repair_kind kind) noexcept {
  return kind >= repair_kind::entry_left;
}

/// What a repair came to.
struct repair_summary {
  std::uint64_t changes = 0;          ///< Steps that changed something, or would.
  std::uint64_t dropped_entries = 0;  ///< Those of them that gave a grain up.
  std::uint64_t left = 0;             ///< Steps that say what could not be repaired.
};

/// A word for a kind of step that stays the same between versions.
[[nodiscard]] constexpr std::string_view id_of(repair_kind kind) noexcept {
  using namespace std::string_view_literals;
  switch (kind) {
    case repair_kind::header_rebuilt:
      return "header-rebuilt"sv;
    case repair_kind::footer_rebuilt:
      return "footer-rebuilt"sv;
    case repair_kind::header_corrected:
      return "header-corrected"sv;
    case repair_kind::unclean_cleared:
      return "unclean-cleared"sv;
    case repair_kind::directory_entry_restored:
      return "directory-entry-restored"sv;
    case repair_kind::table_copied:
      return "table-copied"sv;
    case repair_kind::entry_restored:
      return "entry-restored"sv;
    case repair_kind::entry_dropped:
      return "entry-dropped"sv;
    case repair_kind::marker_restored:
      return "marker-restored"sv;
    case repair_kind::table_rebuilt:
      return "table-rebuilt"sv;
    case repair_kind::directory_rebuilt:
      return "directory-rebuilt"sv;
    case repair_kind::file_cut:
      return "file-cut"sv;
    case repair_kind::entry_left:
      return "entry-left"sv;
    case repair_kind::table_left:
      return "table-left"sv;
    case repair_kind::directory_left:
      return "directory-left"sv;
    case repair_kind::grain_left:
      return "grain-left"sv;
  }
  return "unknown"sv;
}

namespace detail {

/// The sentence of a step, with {t} for its table, {e} for its entry, {v} for the value before and
/// {o} for the one after.
[[nodiscard]] constexpr std::string_view step_sentence(repair_kind kind) noexcept {
  using namespace std::string_view_literals;
  switch (kind) {
    case repair_kind::header_rebuilt:
      return "the header is rebuilt from the footer"sv;
    case repair_kind::footer_rebuilt:
      return "the footer is written anew"sv;
    case repair_kind::header_corrected:
      return "a field of the header is corrected from {v} to {o}"sv;
    case repair_kind::unclean_cleared:
      return "the image is marked as closed by its last writer"sv;
    case repair_kind::directory_entry_restored:
      return "grain directory entry {t} is restored from {v} to {o}"sv;
    case repair_kind::table_copied:
      return "grain table {t} is written from its other copy"sv;
    case repair_kind::entry_restored:
      return "grain table entry {e} of table {t} is restored from {v} to {o}"sv;
    case repair_kind::entry_dropped:
      return "grain table entry {e} of table {t} is dropped; it was {v}, where no such grain can "
             "be"sv;
    case repair_kind::marker_restored:
      return "a marker of the stream is restored"sv;
    case repair_kind::table_rebuilt:
      return "grain table {t} is written from the stream's markers"sv;
    case repair_kind::directory_rebuilt:
      return "the grain directory is written from the stream's markers"sv;
    case repair_kind::file_cut:
      return "the file is cut from {v} to {o} bytes, behind the last whole grain and its tables"sv;
    case repair_kind::entry_left:
      return "grain table entry {e} of table {t} is left: nothing tells which value is right"sv;
    case repair_kind::table_left:
      return "grain table {t} is left: a copy of it cannot be found"sv;
    case repair_kind::directory_left:
      return "the redundant grain directory is left: it cannot be found"sv;
    case repair_kind::grain_left:
      return "what stands here in the stream is left: it is no marker"sv;
  }
  return "unknown"sv;
}

}  // namespace detail

/// Says a step in one sentence with its figures: no full stop, no line end. The sentence goes to
/// `put(std::string_view)` piece by piece.
template <class Put>
constexpr void describe(const repair_step& step, Put&& put) noexcept {
  const std::string_view text = detail::step_sentence(step.kind);
  const auto figure = [&step](char letter) {
    return letter == 't'   ? step.table
           : letter == 'e' ? step.entry
           : letter == 'v' ? step.before
                           : step.after;
  };
  std::size_t from = 0;
  for (std::size_t i = 0; i + 2 < text.size(); ++i) {
    if (text.data()[i] != '{') continue;
    put(detail::part(text, from, i - from));
    put(detail::number_text::decimal(figure(text.data()[i + 1])).view());
    from = i + 3;
  }
  put(detail::part(text, from));
}

}  // namespace vmdk

// ---- vmdk/verify/entry_writer.hpp

namespace vmdk::detail {

/// Gives all copies of a table entry one value, or leaves them, and tells which.
template <class Target>
class entry_writer {
 public:
  constexpr explicit entry_writer(Target& target) noexcept : target_(&target) {}

  /// Writes a value into each copy that has another one. Errors: the file's.
  constexpr failure put(const entry_pair& pair, std::uint32_t value, repair_kind kind) noexcept {
    for (unsigned copy = 0; copy < 2; ++copy) {
      if (!pair.has(copy) || pair.value[copy] == value) continue;
      repair_step step = step_of(pair, kind);
      step.offset = pair.at[copy];
      step.before = pair.value[copy];
      step.after = value;
      if (failure f = target_->change_value(step, value)) return f;
    }
    return no_failure;
  }

  /// Writes what one copy has into the other one. Errors: the file's.
  constexpr failure take(const entry_pair& pair, unsigned copy) noexcept {
    return put(pair, pair.value[copy], repair_kind::entry_restored);
  }

  /// Gives a grain up: it reads as absent. Errors: the file's.
  constexpr failure drop(const entry_pair& pair) noexcept {
    return put(pair, 0, repair_kind::entry_dropped);
  }

  /// Tells that an entry is left as it is.
  constexpr failure leave(const entry_pair& pair) noexcept {
    target_->tell(step_of(pair, repair_kind::entry_left));
    return no_failure;
  }

 private:
  [[nodiscard]] static constexpr repair_step step_of(const entry_pair& pair,
                                                     repair_kind kind) noexcept {
    return {.kind = kind,
            .offset = pair.at[pair.one_copy()],
            .table = pair.grain >> sparse_format::table_shift,
            .entry = pair.grain & (entries_per_table - 1)};
  }

  Target* target_;
};

}  // namespace vmdk::detail

// ---- vmdk/verify/marker_walk.hpp

namespace vmdk::detail {

enum class marker_kind : std::uint8_t {
  grain,
  cut,  ///< A marker of what goes on behind the end of the file.
  table,
  directory,
  footer,
  progress,
  zero,  ///< A sector of zeros: the end of a stream, or a gap.
  no_marker,
  nothing,  ///< The file ends here.
};

/// What stands at a sector of a stream.
struct marker_item {
  marker_kind kind = marker_kind::nothing;
  std::uint64_t sector = 0;
  std::uint64_t sectors = 0;  ///< To the next marker.
  std::uint64_t lba = 0;      ///< grain: what it says; not judged.
  std::uint32_t data_bytes = 0;
};

/// Reads the markers of a stream one after the other. A marker whose length is not that of what it
/// announces is none.
template <class File>
class marker_walk {
 public:
  constexpr marker_walk(File& file, const sparse_geometry& geometry,
                        std::uint64_t first_sector) noexcept
      : file_(&file), geometry_(geometry), file_bytes_(file.size()), at_(first_sector) {}

  /// What stands here; goes on behind it, but for no_marker and what the file's end cuts.
  [[nodiscard]] constexpr result<marker_item> next() noexcept {
    marker_item item;
    item.sector = at_;
    if (at_ > file_bytes_ >> sector_shift) return item;
    const std::uint64_t offset = at_ << sector_shift;
    std::array<std::byte, 16> head{};
    if (!fits_inside(offset, head.size(), file_bytes_)) return item;
    if (failure f = file_->read_at(offset, head)) return f;
    judge(item, head.data());
    at_ += item.sectors;
    return item;
  }

  [[nodiscard]] constexpr std::uint64_t sector() const noexcept { return at_; }
  constexpr void go_to(std::uint64_t sector) noexcept { at_ = sector; }

 private:
  constexpr void judge(marker_item& item, const std::byte* head) const noexcept {
    const auto value = load_le<std::uint64_t>(head);
    const auto size = load_le<std::uint32_t>(head + 8);
    const auto type = static_cast<marker_type>(load_le<std::uint32_t>(head + 12));
    const std::uint64_t left = (file_bytes_ >> sector_shift) - item.sector;
    item.kind = marker_kind::no_marker;
    const auto is = [&](marker_kind kind, std::uint64_t sectors) {
      item.kind = sectors > left ? marker_kind::cut : kind;
      item.sectors = sectors > left ? 0 : sectors;
    };
    if (size != 0) {
      if (size > compressed_size_limit(geometry_.grain_bytes())) return;
      item.lba = value;
      item.data_bytes = size;
      const std::uint64_t offset = (item.sector << sector_shift) + grain_marker_bytes;
      if (!fits_inside(offset, size, file_bytes_)) {
        item.kind = marker_kind::cut;
        return;
      }
      item.kind = marker_kind::grain;
      item.sectors = marked_sectors(size);
      return;
    }
    if (type == marker_type::end_of_stream && value == 0) {
      is(marker_kind::zero, 1);
    } else if (type == marker_type::grain_table && value == table_sectors) {
      is(marker_kind::table, 1 + table_sectors);
    } else if (type == marker_type::grain_directory && value == geometry_.directory_sectors()) {
      is(marker_kind::directory, 1 + value);
    } else if (type == marker_type::footer && value == 1) {
      is(marker_kind::footer, 2);
    } else if (type == marker_type::progress && value < left) {
      is(marker_kind::progress, 1 + value);
    }
  }

  File* file_;
  sparse_geometry geometry_;
  std::uint64_t file_bytes_;
  std::uint64_t at_;
};

}  // namespace vmdk::detail

// ---- vmdk/verify/table_hints.hpp

namespace vmdk::detail {

/// Tables whose places the stream itself tells.
struct table_hints {
  struct hint {
    std::uint64_t table = 0;
    std::uint64_t sector = 0;
  };
  std::array<hint, 64> kept{};
  std::size_t count = 0;
  bool is_full = false;

  constexpr void add(std::uint64_t table, std::uint64_t sector) noexcept {
    is_full = is_full || count == kept.size();
    if (!is_full) kept.data()[count++] = {table, sector};
  }
  [[nodiscard]] constexpr std::uint64_t find(std::uint64_t table) const noexcept {
    for (std::size_t i = 0; i < count; ++i) {
      if (kept.data()[i].table == table) return kept.data()[i].sector;
    }
    return 0;
  }
};

}  // namespace vmdk::detail

// ---- vmdk/verify/directory_judge.hpp

namespace vmdk::detail {

/// What the entries at a place tell of whether a table is there.
struct table_score {
  std::int64_t good_less_bad = 0;  ///< How many are right, less those that are not.
  bool has_good = false;
};

/// Says whether a directory entry is right (SPEC 13.7). One that continues its neighbours, or the
/// directory itself, is, as tables follow one another in most images; so is one that names what the
/// stream tells. All errors are the file's.
template <class File>
class directory_judge {
 public:
  using walk_type = table_walk<sparse_format, File>;

  constexpr directory_judge(walk_type& walk, entry_judge<File>& judge, const table_hints& hints,
                            std::uint64_t overhead_sectors) noexcept
      : walk_(&walk), judge_(&judge), hints_(&hints), overhead_sectors_(overhead_sectors) {}

  [[nodiscard]] constexpr const sparse_format& format() const noexcept { return walk_->format(); }
  [[nodiscard]] constexpr walk_type& walk() const noexcept { return *walk_; }

  /// True for an entry that needs nothing else to be believed.
  [[nodiscard]] constexpr result<bool> is_right(unsigned copy, std::uint64_t table) const noexcept {
    const auto entry = walk_->directory_entry(copy, table);
    if (!entry) return entry.error();
    const std::uint64_t told = hint(copy, table);
    if (told != 0) return *entry == told;
    // Streams whose tables are behind the grains leave tables out.
    if (*entry == 0) return format().may_lack_tables() && format().copies() == 1 && !is_in_front();
    if (!format().names_table(*entry)) return false;
    if (*entry == usual_sector(copy, table)) return true;
    const auto before = neighbour(copy, table, false);
    if (!before) return before.error();
    const auto after = neighbour(copy, table, true);
    if (!after) return after.error();
    const auto is_beside = [&](std::uint64_t other) {
      return other != 0 && (*entry == other + table_sectors || *entry + table_sectors == other);
    };
    if (is_beside(*before) || is_beside(*after)) return true;
    const auto is_marked = has_marker(*entry);
    if (!is_marked || !*is_marked) return is_marked;
    const auto score = score_of(table, *entry);
    if (!score) return score.error();
    return score->good_less_bad > 0;
  }

  /// Where the stream has a table; 0 where it does not tell.
  [[nodiscard]] constexpr std::uint64_t hint(unsigned copy, std::uint64_t table) const noexcept {
    return copy == 0 ? hints_->find(table) : 0;
  }

  /// Where the table would be if all of them followed the directory.
  [[nodiscard]] constexpr std::uint64_t usual_sector(unsigned copy,
                                                     std::uint64_t table) const noexcept {
    return ((format().directory_at(copy) + format().directory_bytes()) >> sector_shift) +
           table * table_sectors;
  }

  /// A neighbour in the directory; 0 where there is none.
  [[nodiscard]] constexpr result<std::uint64_t> neighbour(unsigned copy, std::uint64_t table,
                                                          bool next) const noexcept {
    if (next ? table + 1 >= format().table_count() : table == 0) return std::uint64_t{0};
    return walk_->directory_entry(copy, next ? table + 1 : table - 1);
  }

  /// True for a table of a stream whose marker stands before it.
  [[nodiscard]] constexpr result<bool> has_marker(std::uint64_t sector) const noexcept {
    if (!format().is_compressed() || is_in_front()) return false;
    marker_walk<File> stream(walk_->file(), format().extent().geometry(), sector - 1);
    const auto item = stream.next();
    if (!item) return item.error();
    return item->kind == marker_kind::table;
  }

  /// Judges the entries at a sector as those of a table.
  [[nodiscard]] constexpr result<table_score> score_of(std::uint64_t table,
                                                       std::uint64_t sector) const noexcept {
    table_score score;
    const failure f = walk_->each_entry(table, sector, [&](const table_entry& entry) -> failure {
      if (entry.grain >= format().grain_count()) return no_failure;
      const auto verdict = judge_->judge(entry.value, entry.grain);
      if (!verdict) return verdict.error();
      const bool is_good = *verdict == entry_verdict::good;
      score.good_less_bad += is_good ? 1 : -1;
      score.has_good = score.has_good || is_good;
      return no_failure;
    });
    if (f) return f;
    return score;
  }

 private:
  [[nodiscard]] constexpr bool is_in_front() const noexcept {
    return format().directory_at(0) < overhead_sectors_ << sector_shift;
  }

  walk_type* walk_;
  entry_judge<File>* judge_;
  const table_hints* hints_;
  std::uint64_t overhead_sectors_;
};

}  // namespace vmdk::detail

// ---- vmdk/verify/place_search.hpp

namespace vmdk::detail {

/// True where a table can be that shares no sector with the header, the descriptor or a directory.
[[nodiscard]] constexpr bool may_hold_table(const sparse_format& format,
                                            std::uint64_t sector) noexcept {
  if (!format.names_table(sector)) return false;
  if (format.copies() == 1) return true;
  const std::uint64_t copy = format.directory_at(1) >> sector_shift;
  return sector >= copy + (format.directory_bytes() >> sector_shift) ||
         sector + table_sectors <= copy;
}

/// Where a copy of a table may be; 0 for a place where it cannot.
struct place_candidates {
  std::array<std::uint64_t, 7> sector{};  ///< The directory's own comes first.
  std::size_t count = 0;
};

/// Collects the places where a table may be whose directory entry may be wrong (SPEC 13.7): what it
/// names, what the stream tells, and where the table would be if it followed its neighbours. All
/// errors are the file's.
template <class File>
class place_search {
 public:
  constexpr explicit place_search(const directory_judge<File>& directory) noexcept
      : directory_(directory) {}

  /// Lists the places for one copy of a table that no other metadata has, nor might have as well.
  [[nodiscard]] constexpr result<place_candidates> list(unsigned copy,
                                                        std::uint64_t table) const noexcept {
    place_candidates found;
    const auto own = walk().directory_entry(copy, table);
    if (!own) return own.error();
    const auto before = directory_.neighbour(copy, table, false);
    if (!before) return before.error();
    const auto after = directory_.neighbour(copy, table, true);
    if (!after) return after.error();
    const auto behind = [](std::uint64_t entry) { return entry == 0 ? 0 : entry + table_sectors; };
    const auto ahead = [](std::uint64_t entry) {
      return entry < table_sectors ? 0 : entry - table_sectors;
    };
    const std::uint64_t wanted[] = {*own,
                                    directory_.hint(copy, table),
                                    directory_.usual_sector(copy, table),
                                    behind(*before),
                                    ahead(*after),
                                    ahead(*before),
                                    behind(*after)};
    for (std::size_t i = 0; i < found.sector.size(); ++i) {
      const auto is_free = may_lie_at(copy, table, wanted[i], i == 0);
      if (!is_free) return is_free.error();
      // What the directory or the stream says is this table's claim; the others are guesses.
      const bool is_guess = *is_free && i >= 2;
      const auto is_wanted =
          is_guess ? is_wanted_by_others(copy, table, wanted[i]) : result<bool>(false);
      if (!is_wanted) return is_wanted.error();
      const bool is_place = *is_free && !*is_wanted;
      found.sector.data()[found.count++] = is_place ? wanted[i] : 0;
    }
    return found;
  }

 private:
  [[nodiscard]] constexpr const sparse_format& format() const noexcept {
    return directory_.format();
  }
  /// True for two tables that are not apart.
  [[nodiscard]] static constexpr bool share_sectors(std::uint64_t first,
                                                    std::uint64_t second) noexcept {
    return first < second + table_sectors && second < first + table_sectors;
  }
  [[nodiscard]] constexpr auto& walk() const noexcept { return directory_.walk(); }

  /// True when a table can be here without sharing sectors with any other metadata. Directory
  /// entries that may be wrong themselves count where it is not `is_own`.
  [[nodiscard]] constexpr result<bool> may_lie_at(unsigned copy, std::uint64_t table,
                                                  std::uint64_t sector,
                                                  bool is_own) const noexcept {
    if (sector >= sector_number_limit || !may_hold_table(format(), sector)) return false;
    for (unsigned other = 0; other < format().copies(); ++other) {
      for (std::uint64_t i = 0; i < format().table_count(); ++i) {
        if (other == copy && i == table) continue;
        const auto entry = walk().directory_entry(other, i);
        if (!entry) return entry.error();
        if (!format().names_table(*entry) || !share_sectors(*entry, sector)) continue;
        const auto is_right = is_own ? directory_.is_right(other, i) : result<bool>(true);
        if (!is_right) return is_right.error();
        if (*is_right) return false;
      }
    }
    return true;
  }

  /// True when a place might as well be another lost table's, or part of it: that one usually lies
  /// there, or beside a neighbour.
  [[nodiscard]] constexpr result<bool> is_wanted_by_others(unsigned copy, std::uint64_t table,
                                                           std::uint64_t sector) const noexcept {
    const auto is_there = [sector](std::uint64_t place) { return share_sectors(place, sector); };
    const std::uint64_t count = format().table_count();
    for (unsigned other = 0; other < format().copies(); ++other) {
      bool is_beside_last = false;
      bool is_beside_this = false;
      for (std::uint64_t i = 0; i < count; ++i) {
        // What its own neighbours give is this one's before it is another's.
        const auto gives = [&](std::uint64_t at) -> result<bool> {
          if (at >= count || (other == copy && at + 1 >= table && at <= table + 1)) return false;
          const auto entry = walk().directory_entry(other, at);
          if (!entry) return entry.error();
          return *entry != 0 &&
                 (is_there(*entry + table_sectors) || is_there(*entry - table_sectors));
        };
        const auto is_beside_next = gives(i + 1);
        if (!is_beside_next) return is_beside_next.error();
        if (i == 0) {
          const auto first = gives(0);
          if (!first) return first.error();
          is_beside_this = *first;
        }
        const bool is_guess =
            is_there(directory_.usual_sector(other, i)) || is_beside_last || *is_beside_next;
        is_beside_last = is_beside_this;
        is_beside_this = *is_beside_next;
        if (other == copy && i == table) continue;
        if (!is_guess) continue;
        const auto is_right = directory_.is_right(other, i);
        if (!is_right) return is_right.error();
        if (!*is_right) return true;
      }
    }
    return false;
  }

  directory_judge<File> directory_;
};

}  // namespace vmdk::detail

// ---- vmdk/verify/table_finder.hpp

namespace vmdk::detail {

/// Where the copies of a table are.
struct table_places {
  std::uint64_t sector[2]{};  ///< 0: not found, or there is no such copy.
  bool is_unwritten[2]{};     ///< It belongs there, but what stands there is something else.
};

/// Finds the tables of a sparse extent whose directory may have wrong entries (SPEC 13.7).
///
/// Where an entry is not right by itself, the content of the places tells where its table may be:
/// compared with the other copy or, where there is none, judged entry by entry.
template <class File>
class table_finder {
 public:
  using walk_type = table_walk<sparse_format, File>;

  constexpr table_finder(walk_type& walk, entry_judge<File>& judge, const table_hints& hints,
                         std::uint64_t overhead_sectors) noexcept
      : walk_(&walk),
        directory_(walk, judge, hints, overhead_sectors),
        places_(directory_),
        overhead_sectors_(overhead_sectors) {}

  [[nodiscard]] constexpr unsigned copies() const noexcept { return walk_->format().copies(); }

  /// Begins a walk over all tables.
  constexpr void begin() noexcept { budget_ = search_limit(); }

  /// Finds the copies of one table. Errors: the file's.
  [[nodiscard]] constexpr result<table_places> find(std::uint64_t table) noexcept {
    table_places places;
    bool sure[2]{};
    for (unsigned copy = 0; copy < copies(); ++copy) {
      const auto is_right = directory_.is_right(copy, table);
      if (!is_right) return is_right.error();
      sure[copy] = *is_right;
      if (!*is_right) continue;
      const auto entry = walk_->directory_entry(copy, table);
      if (!entry) return entry.error();
      places.sector[copy] = *entry;
    }
    const bool is_whole = sure[0] && (copies() == 1 || sure[1]);
    if (is_whole || budget_ == 0) return places;
    --budget_;
    if (copies() == 1) {
      const auto best = best_alone(table);
      if (!best) return best.error();
      places.sector[0] = *best;
      return places;
    }
    if (failure f = find_pair(table, sure, places)) return f;
    return places;
  }

 private:
  /// How many entries that continue nothing are looked into in one walk over all tables: each costs
  /// some walks over the directory.
  [[nodiscard]] constexpr std::uint64_t search_limit() const noexcept {
    constexpr std::uint32_t most_searches = 1024;
    constexpr std::uint32_t most_entries = std::uint32_t{1} << 22;
    // In 32 bits: small processors have no division of 64.
    const auto tables =
        static_cast<std::uint32_t>(smaller_of<std::uint64_t>(format().table_count(), most_entries));
    return smaller_of(most_searches, 1 + most_entries / (1 + tables));
  }

  [[nodiscard]] constexpr const sparse_format& format() const noexcept { return walk_->format(); }

  /// True for two tables with the same entries. Two without any tell nothing.
  [[nodiscard]] constexpr result<bool> are_equal(std::uint64_t first,
                                                 std::uint64_t second) noexcept {
    bool is_empty = true;
    for (std::uint64_t n = 0; n < table_sectors; ++n) {
      const auto ours = walk_->sector_of_table(0, first, n);
      if (!ours) return ours.error();
      const auto theirs = walk_->sector_of_table(1, second, n);
      if (!theirs) return theirs.error();
      if (!equal_bytes(*ours, *theirs, sector_bytes)) return false;
      is_empty = is_empty && is_zero(*ours, sector_bytes);
    }
    return !is_empty;
  }

  /// Finds both copies of a table, at least one of which is not where the directory is sure of it.
  constexpr failure find_pair(std::uint64_t table, const bool (&sure)[2],
                              table_places& places) noexcept {
    place_candidates all[2];
    bool is_named = !format().may_lack_tables();
    for (unsigned copy = 0; copy < 2; ++copy) {
      const auto entry = walk_->directory_entry(copy, table);
      if (!entry) return entry.error();
      is_named = is_named || *entry != 0;
    }
    if (!is_named) return no_failure;
    for (unsigned copy = 0; copy < 2; ++copy) {
      if (sure[copy]) {
        all[copy].sector.data()[0] = places.sector[copy];
        all[copy].count = 1;
        continue;
      }
      const auto found = places_.list(copy, table);
      if (!found) return found.error();
      all[copy] = *found;
    }
    for (std::size_t i = 0; i < all[0].count; ++i) {
      for (std::size_t j = 0; j < all[1].count; ++j) {
        const std::uint64_t first = all[0].sector.data()[i];
        const std::uint64_t second = all[1].sector.data()[j];
        if (first == 0 || second == 0 || first == second) continue;
        const auto equal = are_equal(first, second);
        if (!equal) return equal.error();
        if (!*equal) continue;
        places.sector[0] = first;
        places.sector[1] = second;
        return no_failure;
      }
    }
    for (unsigned copy = 0; copy < 2; ++copy) {
      if (sure[copy]) continue;
      places.sector[copy] = all[copy].sector.data()[0];
      if (places.sector[copy] != 0 || !sure[1 - copy]) continue;
      for (std::size_t i = 1; i < all[copy].count && places.sector[copy] == 0; ++i) {
        const std::uint64_t sector = all[copy].sector.data()[i];
        // Below the overhead no grain can be.
        if (sector == 0 || sector + table_sectors > overhead_sectors_) continue;
        places.sector[copy] = sector;
        places.is_unwritten[copy] = true;
      }
    }
    return no_failure;
  }

  /// The place of a table without a copy: its own while that has an entry that is right, and else
  /// the one whose entries are right most often.
  [[nodiscard]] constexpr result<std::uint64_t> best_alone(std::uint64_t table) noexcept {
    const auto all = places_.list(0, table);
    if (!all) return all.error();
    std::uint64_t best = 0;
    std::int64_t best_score = 0;
    for (std::size_t i = 0; i < all->count; ++i) {
      const std::uint64_t sector = all->sector.data()[i];
      if (sector == 0) continue;
      const auto score = directory_.score_of(table, sector);
      if (!score) return score.error();
      if (i == 0 && score->has_good) return sector;
      const bool may_be_empty =
          i == 0 || (!format().may_lack_tables() && sector + table_sectors <= overhead_sectors_);
      const auto is_marked = i == 0 ? directory_.has_marker(sector) : result<bool>(false);
      if (!is_marked) return is_marked.error();
      // What stands behind a table's marker, and is no other table, is this one, whatever it says.
      const std::int64_t least = *is_marked     ? -std::int64_t{entries_per_table}
                                 : may_be_empty ? 0
                                                : 1;
      const std::int64_t now = score->good_less_bad;
      if (now < least || (best != 0 && now <= best_score)) continue;
      best = sector;
      best_score = now;
    }
    return best;
  }

  walk_type* walk_;
  directory_judge<File> directory_;
  place_search<File> places_;
  std::uint64_t overhead_sectors_;
  std::uint64_t budget_ = search_limit();
};

}  // namespace vmdk::detail

// ---- vmdk/verify/pair_walk.hpp

namespace vmdk::detail {

/// Reads both copies of an extent's tables side by side, each where the finder found it.
template <class File>
class pair_walk {
 public:
  using walk_type = table_walk<sparse_format, File>;

  constexpr pair_walk(walk_type& walk, table_finder<File>& finder) noexcept
      : walk_(&walk), finder_(&finder) {}

  [[nodiscard]] constexpr const sparse_format& format() const noexcept { return walk_->format(); }
  [[nodiscard]] constexpr walk_type& tables() const noexcept { return *walk_; }

  /// Gives each table to `visit(table, const table_places&) -> failure`. No more tables than can
  /// lie in the file side by side: where there are more, they overlap. Errors: those of the file
  /// and of `visit`.
  template <class Visit>
  constexpr failure each_table(Visit&& visit) noexcept {
    const std::uint64_t most = (format().file_bytes() >> sector_shift) / table_sectors + 1;
    const std::uint64_t count = format().table_count();
    finder_->begin();
    for (std::uint64_t table = 0, seen = 0; table < count && seen < most; ++table) {
      const auto places = finder_->find(table);
      if (!places) return places.error();
      if (places->sector[0] != 0 || places->sector[1] != 0) ++seen;
      if (failure f = visit(table, *places)) return f;
    }
    return no_failure;
  }

  /// Gives each entry that is not 0 in all copies to `visit(const entry_pair&) -> failure`, also
  /// those of the tail. Who visits may walk as well. Errors: those of the file and of `visit`.
  template <class Visit>
  constexpr failure each_pair(Visit&& visit) noexcept {
    return each_table([&](std::uint64_t table, const table_places& places) -> failure {
      // Held here: a walk inside this one reads other sectors.
      std::array<sector_image, 2> held{};
      for (std::uint64_t n = 0; n < table_sectors; ++n) {
        bool is_held[2]{};
        bool is_empty = true;
        for (unsigned copy = 0; copy < format().copies(); ++copy) {
          if (places.sector[copy] == 0 || places.is_unwritten[copy]) continue;
          const auto found = walk_->sector_of_table(copy, places.sector[copy], n);
          if (!found) return found.error();
          is_held[copy] = true;
          is_empty = is_empty && is_zero(*found, sector_bytes);
          copy_bytes(held.data()[copy].data(), *found, sector_bytes);
        }
        if (is_empty) continue;
        for (std::uint32_t i = 0; i < walk_type::entries_per_sector; ++i) {
          entry_pair pair;
          pair.grain =
              (table << sparse_format::table_shift) + n * walk_type::entries_per_sector + i;
          for (unsigned copy = 0; copy < 2; ++copy) {
            if (!is_held[copy]) continue;
            const std::uint64_t offset = i * sizeof(std::uint32_t);
            pair.at[copy] = ((places.sector[copy] + n) << sector_shift) + offset;
            pair.value[copy] = load_le<std::uint32_t>(held.data()[copy].data() + offset);
          }
          if (pair.value[0] == 0 && pair.value[1] == 0) continue;
          if (failure f = visit(pair)) return f;
        }
      }
      return no_failure;
    });
  }

  /// One entry. Errors: the file's.
  [[nodiscard]] constexpr result<entry_pair> entry_of(std::uint64_t grain) noexcept {
    const std::uint64_t table = grain >> sparse_format::table_shift;
    const std::uint64_t index = grain & (entries_per_table - 1);
    if (!has_places_ || table != places_table_) {
      const auto places = finder_->find(table);
      if (!places) return places.error();
      places_ = *places;
      places_table_ = table;
      has_places_ = true;
    }
    entry_pair pair;
    pair.grain = grain;
    for (unsigned copy = 0; copy < format().copies(); ++copy) {
      if (places_.sector[copy] == 0 || places_.is_unwritten[copy]) continue;
      const auto value = walk_->entry_of_table(copy, places_.sector[copy], index);
      if (!value) return value.error();
      pair.at[copy] = (places_.sector[copy] << sector_shift) + index * sizeof(std::uint32_t);
      pair.value[copy] = static_cast<std::uint32_t>(*value);
    }
    return pair;
  }

 private:
  walk_type* walk_;
  table_finder<File>* finder_;
  // The table that entry_of looked for last.
  table_places places_{};
  std::uint64_t places_table_ = 0;
  bool has_places_ = false;
};

}  // namespace vmdk::detail

// ---- vmdk/verify/claim_settler.hpp

namespace vmdk::detail {

/// Settles disputes about grains that are not compressed by what other entries claim: a sector
/// belongs to one grain (SPEC 13.7).
template <class Target>
class claim_settler {
 public:
  /// `are_grains_sure`: else the header's grain size is wrong, and what follows from it is left.
  constexpr claim_settler(Target& target, pair_walk<Target>& pairs, entry_judge<Target>& judge,
                          bool are_grains_sure) noexcept
      : pairs_(&pairs), judge_(&judge), entries_(target), are_grains_sure_(are_grains_sure) {}

  /// Settles all disputes of a list and clears it. Errors: the file's.
  constexpr failure settle(dispute_list& list) noexcept {
    if (list.size() == 0) return no_failure;
    list.sort_values();
    if (failure f = pairs_->each_pair([&](const entry_pair& at) { return claim(list, at); })) {
      return f;
    }
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (failure f = settle_one(list.get(i))) return f;
    }
    list.clear();
    return no_failure;
  }

  /// Lets an entry become 0 that no copy has right. Errors: the file's.
  constexpr failure drop(const entry_pair& pair) noexcept {
    return are_grains_sure_ ? entries_.drop(pair) : entries_.leave(pair);
  }

 private:
  [[nodiscard]] constexpr bool is_bad_value(std::uint64_t value,
                                            std::uint64_t grain) const noexcept {
    return judge_->judge_place(value, grain) == entry_verdict::bad;
  }

  /// Marks the disputed values whose sectors an entry names.
  constexpr failure claim(dispute_list& list, const entry_pair& pair) const noexcept {
    if (pair.grain >= pairs_->format().grain_count()) return no_failure;
    const std::uint64_t each = judge_->geometry().grain_sectors();
    for (unsigned named = 0; named < 2; ++named) {
      const std::uint64_t value = pair.value[named];
      if (value <= 1 || is_bad_value(value, pair.grain)) continue;
      const std::uint64_t first = value < each ? 0 : value - each + 1;
      list.each_value(larger_of<std::uint64_t>(first, 2), value + each,
                      [&](std::size_t i, unsigned copy) {
                        dispute d = list.get(i);
                        if (d.grain == pair.grain) return;
                        (pair.is_sure() ? d.is_claimed : d.is_wanted)[copy] = true;
                        list.set(i, d);
                      });
    }
    return no_failure;
  }

  /// Of two values one loses that breaks a rule, or whose place other copies agree to be another
  /// grain's; a grain wins against 0 and 1. What two disputes are about is left: it must not be
  /// given to both. Errors: the file's.
  constexpr failure settle_one(const dispute& d) noexcept {
    bool is_bad[2]{};
    bool is_wrong[2]{};
    for (unsigned copy = 0; copy < 2; ++copy) {
      is_bad[copy] = is_bad_value(d.value[copy], d.grain);
      is_wrong[copy] = is_bad[copy] || d.is_claimed[copy];
      const bool is_open = d.is_wanted[copy] || (d.is_claimed[copy] && !are_grains_sure_);
      if (!is_bad[copy] && is_open) return entries_.leave(d);
    }
    if (is_bad[0] && is_bad[1]) return drop(d);
    if (is_wrong[0] && is_wrong[1]) return entries_.leave(d);
    if (is_wrong[0] || is_wrong[1]) return entries_.take(d, is_wrong[0] ? 1 : 0);
    if (d.value[0] > 1 && d.value[1] > 1) return entries_.leave(d);
    // Between 0 and 1 the primary copy wins, which every reader takes.
    return entries_.take(d, d.value[1] > 1 ? 1 : 0);
  }

  pair_walk<Target>* pairs_;
  entry_judge<Target>* judge_;
  entry_writer<Target> entries_;
  bool are_grains_sure_;
};

}  // namespace vmdk::detail

// ---- vmdk/verify/finding_id.hpp

namespace vmdk {
namespace detail {

struct code_id {
  errc code;
  std::string_view id;
};

/// What each code is called in the output of programs: its name, with dashes. These never change.
inline constexpr code_id code_ids[] = {
    {errc::read_failed, "read-failed"},
    {errc::write_failed, "write-failed"},
    {errc::out_of_range, "out-of-range"},
    {errc::unexpected_end, "unexpected-end"},
    {errc::source_too_long, "source-too-long"},
    {errc::source_changed, "source-changed"},
    {errc::source_not_seekable, "source-not-seekable"},
    {errc::sink_full, "sink-full"},
    {errc::workspace_too_small, "workspace-too-small"},
    {errc::not_supported, "not-supported"},
    {errc::cancelled, "cancelled"},
    {errc::header_truncated, "header-truncated"},
    {errc::magic_invalid, "magic-invalid"},
    {errc::magic_unfinished, "magic-unfinished"},
    {errc::version_unsupported, "version-unsupported"},
    {errc::flags_unknown, "flags-unknown"},
    {errc::markers_without_compression, "markers-without-compression"},
    {errc::compression_without_markers, "compression-without-markers"},
    {errc::compression_algorithm_invalid, "compression-algorithm-invalid"},
    {errc::newline_bytes_damaged, "newline-bytes-damaged"},
    {errc::capacity_zero, "capacity-zero"},
    {errc::capacity_too_large, "capacity-too-large"},
    {errc::grain_size_invalid, "grain-size-invalid"},
    {errc::grain_size_too_large, "grain-size-too-large"},
    {errc::grain_size_unusual, "grain-size-unusual"},
    {errc::grain_size_large, "grain-size-large"},
    {errc::entries_per_table_invalid, "entries-per-table-invalid"},
    {errc::directory_offset_invalid, "directory-offset-invalid"},
    {errc::directory_overlap, "directory-overlap"},
    {errc::redundant_offset_invalid, "redundant-offset-invalid"},
    {errc::redundant_overlap, "redundant-overlap"},
    {errc::redundant_shared, "redundant-shared"},
    {errc::descriptor_offset_invalid, "descriptor-offset-invalid"},
    {errc::descriptor_size_invalid, "descriptor-size-invalid"},
    {errc::overhead_outside_file, "overhead-outside-file"},
    {errc::overhead_too_small, "overhead-too-small"},
    {errc::unclean_shutdown, "unclean-shutdown"},
    {errc::header_padding_not_zero, "header-padding-not-zero"},
    {errc::zeroed_grains_need_version_2, "zeroed-grains-need-version-2"},
    {errc::capacity_not_whole_grains, "capacity-not-whole-grains"},
    {errc::footer_missing, "footer-missing"},
    {errc::footer_mismatch, "footer-mismatch"},
    {errc::footer_marker_invalid, "footer-marker-invalid"},
    {errc::footer_directory_invalid, "footer-directory-invalid"},
    {errc::end_of_stream_invalid, "end-of-stream-invalid"},
    {errc::embedded_descriptor_missing, "embedded-descriptor-missing"},
    {errc::directory_entry_invalid, "directory-entry-invalid"},
    {errc::directory_entry_zero, "directory-entry-zero"},
    {errc::directory_entry_duplicate, "directory-entry-duplicate"},
    {errc::directory_tail_not_zero, "directory-tail-not-zero"},
    {errc::table_overlap, "table-overlap"},
    {errc::grain_below_overhead, "grain-below-overhead"},
    {errc::grain_past_end, "grain-past-end"},
    {errc::grain_zeroed_not_allowed, "grain-zeroed-not-allowed"},
    {errc::grain_duplicate, "grain-duplicate"},
    {errc::grain_overlap, "grain-overlap"},
    {errc::grain_metadata_overlap, "grain-metadata-overlap"},
    {errc::grain_unaligned, "grain-unaligned"},
    {errc::table_tail_not_zero, "table-tail-not-zero"},
    {errc::directories_differ, "directories-differ"},
    {errc::tables_differ, "tables-differ"},
    {errc::marker_invalid, "marker-invalid"},
    {errc::marker_lba_mismatch, "marker-lba-mismatch"},
    {errc::marker_lba_not_ascending, "marker-lba-not-ascending"},
    {errc::marker_size_invalid, "marker-size-invalid"},
    {errc::marker_padding_not_zero, "marker-padding-not-zero"},
    {errc::stream_data_after_end, "stream-data-after-end"},
    {errc::stream_end_missing, "stream-end-missing"},
    {errc::stream_tables_mismatch, "stream-tables-mismatch"},
    {errc::stream_gap, "stream-gap"},
    {errc::stream_end_padded, "stream-end-padded"},
    {errc::last_grain_short, "last-grain-short"},
    {errc::descriptor_signature_missing, "descriptor-signature-missing"},
    {errc::descriptor_empty, "descriptor-empty"},
    {errc::descriptor_too_long, "descriptor-too-long"},
    {errc::descriptor_nul_inside, "descriptor-nul-inside"},
    {errc::descriptor_padding_not_zero, "descriptor-padding-not-zero"},
    {errc::descriptor_control_character, "descriptor-control-character"},
    {errc::descriptor_line_end_invalid, "descriptor-line-end-invalid"},
    {errc::descriptor_line_end_unusual, "descriptor-line-end-unusual"},
    {errc::descriptor_line_too_long, "descriptor-line-too-long"},
    {errc::descriptor_line_invalid, "descriptor-line-invalid"},
    {errc::descriptor_blanks_unusual, "descriptor-blanks-unusual"},
    {errc::descriptor_not_utf8, "descriptor-not-utf8"},
    {errc::descriptor_encoding_unknown, "descriptor-encoding-unknown"},
    {errc::descriptor_encrypted, "descriptor-encrypted"},
    {errc::descriptor_too_many_keys, "descriptor-too-many-keys"},
    {errc::descriptor_key_duplicate, "descriptor-key-duplicate"},
    {errc::descriptor_key_case, "descriptor-key-case"},
    {errc::descriptor_key_hidden, "descriptor-key-hidden"},
    {errc::descriptor_key_unknown, "descriptor-key-unknown"},
    {errc::descriptor_section_order, "descriptor-section-order"},
    {errc::descriptor_value_invalid, "descriptor-value-invalid"},
    {errc::descriptor_value_unquoted, "descriptor-value-unquoted"},
    {errc::descriptor_value_case, "descriptor-value-case"},
    {errc::descriptor_version_missing, "descriptor-version-missing"},
    {errc::descriptor_version_invalid, "descriptor-version-invalid"},
    {errc::descriptor_cid_missing, "descriptor-cid-missing"},
    {errc::descriptor_cid_invalid, "descriptor-cid-invalid"},
    {errc::descriptor_cid_reserved, "descriptor-cid-reserved"},
    {errc::descriptor_cid_order, "descriptor-cid-order"},
    {errc::descriptor_parent_cid_missing, "descriptor-parent-cid-missing"},
    {errc::descriptor_parent_hint_missing, "descriptor-parent-hint-missing"},
    {errc::descriptor_parent_contradiction, "descriptor-parent-contradiction"},
    {errc::descriptor_parent_by_uuid, "descriptor-parent-by-uuid"},
    {errc::descriptor_create_type_missing, "descriptor-create-type-missing"},
    {errc::descriptor_create_type_unknown, "descriptor-create-type-unknown"},
    {errc::descriptor_create_type_misplaced, "descriptor-create-type-misplaced"},
    {errc::descriptor_create_type_mismatch, "descriptor-create-type-mismatch"},
    {errc::descriptor_extent_missing, "descriptor-extent-missing"},
    {errc::descriptor_extent_fields, "descriptor-extent-fields"},
    {errc::descriptor_extent_extra, "descriptor-extent-extra"},
    {errc::descriptor_extent_type_unknown, "descriptor-extent-type-unknown"},
    {errc::descriptor_extent_sectors, "descriptor-extent-sectors"},
    {errc::descriptor_extent_offset, "descriptor-extent-offset"},
    {errc::descriptor_extent_offset_unusual, "descriptor-extent-offset-unusual"},
    {errc::descriptor_extent_name_unusual, "descriptor-extent-name-unusual"},
    {errc::descriptor_extent_name_path, "descriptor-extent-name-path"},
    {errc::descriptor_embedded_extents, "descriptor-embedded-extents"},
    {errc::descriptor_ddb_missing, "descriptor-ddb-missing"},
    {errc::descriptor_ddb_prefix_missing, "descriptor-ddb-prefix-missing"},
    {errc::descriptor_ddb_value_invalid, "descriptor-ddb-value-invalid"},
    {errc::descriptor_capacity_mismatch, "descriptor-capacity-mismatch"},
    {errc::descriptor_compression_mismatch, "descriptor-compression-mismatch"},
    {errc::stream_truncated, "stream-truncated"},
    {errc::stream_header_invalid, "stream-header-invalid"},
    {errc::stream_dictionary, "stream-dictionary"},
    {errc::stream_block_invalid, "stream-block-invalid"},
    {errc::stream_code_invalid, "stream-code-invalid"},
    {errc::stream_symbol_invalid, "stream-symbol-invalid"},
    {errc::stream_output_overrun, "stream-output-overrun"},
    {errc::stream_output_short, "stream-output-short"},
    {errc::stream_input_left, "stream-input-left"},
    {errc::stream_checksum, "stream-checksum"},
    {errc::codec_failed, "codec-failed"},
    {errc::codec_not_available, "codec-not-available"},
    {errc::encoded_too_large, "encoded-too-large"},
    {errc::option_invalid, "option-invalid"},
    {errc::extent_too_large, "extent-too-large"},
    {errc::content_exceeds_capacity, "content-exceeds-capacity"},
    {errc::cowd_magic_invalid, "cowd-magic-invalid"},
    {errc::cowd_version_unsupported, "cowd-version-unsupported"},
    {errc::cowd_flags_invalid, "cowd-flags-invalid"},
    {errc::cowd_grain_size_invalid, "cowd-grain-size-invalid"},
    {errc::cowd_directory_size_invalid, "cowd-directory-size-invalid"},
    {errc::cowd_free_sector_invalid, "cowd-free-sector-invalid"},
    {errc::cowd_zeroed_grain, "cowd-zeroed-grain"},
    {errc::sesparse_magic_invalid, "sesparse-magic-invalid"},
    {errc::sesparse_version_unsupported, "sesparse-version-unsupported"},
    {errc::sesparse_grain_size_invalid, "sesparse-grain-size-invalid"},
    {errc::sesparse_table_size_invalid, "sesparse-table-size-invalid"},
    {errc::sesparse_flags_unknown, "sesparse-flags-unknown"},
    {errc::sesparse_reserved_unusual, "sesparse-reserved-unusual"},
    {errc::sesparse_reserved_not_zero, "sesparse-reserved-not-zero"},
    {errc::sesparse_region_outside_file, "sesparse-region-outside-file"},
    {errc::sesparse_region_overlap, "sesparse-region-overlap"},
    {errc::sesparse_region_too_small, "sesparse-region-too-small"},
    {errc::sesparse_grains_outside_file, "sesparse-grains-outside-file"},
    {errc::sesparse_volatile_magic_invalid, "sesparse-volatile-magic-invalid"},
    {errc::sesparse_dirty, "sesparse-dirty"},
    {errc::sesparse_entry_invalid, "sesparse-entry-invalid"},
    {errc::name_not_allowed, "name-not-allowed"},
    {errc::file_not_found, "file-not-found"},
    {errc::file_not_regular, "file-not-regular"},
    {errc::extent_too_short, "extent-too-short"},
    {errc::extent_no_access, "extent-no-access"},
    {errc::extent_type_unsupported, "extent-type-unsupported"},
    {errc::extent_mismatch, "extent-mismatch"},
    {errc::extent_rounded_up, "extent-rounded-up"},
    {errc::extent_is_descriptor, "extent-is-descriptor"},
    {errc::extent_overlap, "extent-overlap"},
    {errc::extent_count_invalid, "extent-count-invalid"},
    {errc::parent_missing, "parent-missing"},
    {errc::parent_modified, "parent-modified"},
    {errc::parent_capacity_differs, "parent-capacity-differs"},
    {errc::chain_too_deep, "chain-too-deep"},
    {errc::chain_loop, "chain-loop"},
    {errc::already_exists, "already-exists"},
};

}  // namespace detail

/// The stable name of a rule, such as "grain-past-end": for programs to tell findings apart. Codes
/// of a caller's own are "caller", others that are not known "unknown".
[[nodiscard]] constexpr std::string_view id_of(errc code) noexcept {
  using namespace std::string_view_literals;
  for (const detail::code_id& known : detail::code_ids) {
    if (known.code == code) return known.id;
  }
  return code >= errc::caller_first ? "caller"sv : "unknown"sv;
}

}  // namespace vmdk

// ---- vmdk/verify/finding_sentences.hpp

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

// ---- vmdk/verify/describe.hpp

namespace vmdk {
namespace detail {

/// The figure that a letter of a sentence stands for.
[[nodiscard]] constexpr std::uint64_t figure_of(const finding& f, char letter) noexcept {
  switch (letter) {
    case 't':
      return f.table;
    case 'e':
      return f.entry;
    case 'v':
    case 'x':
      return f.value;
    case 'o':
    case 'X':
      return f.other;
    case 'T':
      return f.other_table;
    default:  // 'E'
      return f.other_entry;
  }
}

/// Puts a number in eight or sixteen hexadecimal digits.
template <class Put>
constexpr void put_hex(std::uint64_t number, Put&& put) noexcept {
  using namespace std::string_view_literals;
  unsigned digits = 8;
  if (number >> 32 != 0) digits = 16;
  put("0x"sv);
  put(number_text::hex(number, digits).view());
}

/// Puts a name from an image; what could disturb a line of output becomes a question mark.
template <class Put>
constexpr void put_name(std::string_view name, Put&& put) noexcept {
  using namespace std::string_view_literals;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool bad = is_control(name.data()[i]) || name.data()[i] == '"';
    put(bad ? "?"sv : part(name, i, 1));
  }
}

/// Fills a sentence's figures and name in; false, having put nothing, when the finding lacks one.
template <class Put>
constexpr bool put_sentence(std::string_view text, const finding& f, Put&& put) noexcept {
  for (std::size_t i = 0; i + 2 < text.size(); ++i) {
    if (text.data()[i] != '{') continue;
    const char letter = text.data()[i + 1];
    const bool is_there = letter == 'n' ? !f.name.empty() : figure_of(f, letter) != no_figure;
    if (!is_there) return false;
  }
  std::size_t from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.data()[i] != '{') continue;
    const char letter = text.data()[i + 1];
    put(part(text, from, i - from));
    if (letter == 'n') {
      put_name(f.name, put);
    } else if (letter == 'x' || letter == 'X') {
      put_hex(figure_of(f, letter), put);
    } else {
      put(number_text::decimal(figure_of(f, letter)).view());
    }
    from = i + 3;
    i += 2;
  }
  put(part(text, from));
  return true;
}

}  // namespace detail

/// Says a finding in one sentence with its figures, for a user's eyes: no full stop, no line end.
/// The sentence goes to `put(std::string_view)` piece by piece. Names are shown as they are in the
/// image, but for control characters.
template <class Put>
constexpr void describe(const finding& f, Put&& put) noexcept {
  using namespace std::string_view_literals;
  if (f.more != 0) {
    put(detail::number_text::decimal(f.more).view());
    put(" more like this: "sv);
    put(to_string(f.code));
    return;
  }
  for (const detail::finding_sentence& sentence : detail::finding_sentences) {
    if (sentence.code == f.code && detail::put_sentence(sentence.text, f, put)) return;
  }
  const bool has_table = f.table != no_figure && f.entry != no_figure;
  const bool is_text = f.code >= errc::descriptor_signature_missing &&
                       f.code < errc::stream_truncated && f.entry != no_figure;
  if (has_table) {
    detail::put_sentence("grain table entry {e} of table {t}: "sv, f, put);
  } else if (is_text) {
    detail::put_sentence("line {e} of the descriptor: "sv, f, put);
  }
  put(to_string(f.code));
}

}  // namespace vmdk

// ---- vmdk/verify/directory_mender.hpp

namespace vmdk::detail {

/// Lets the directories name the places where the finder found their tables. It is planned before
/// any table changes, and done once all have: where a table is must not follow from what was just
/// written.
template <class Target>
class directory_mender {
 public:
  constexpr directory_mender(Target& target, pair_walk<Target>& pairs) noexcept
      : target_(&target), pairs_(&pairs) {}

  /// Finds out which directory entries are to change. What there is no room for is changed at once.
  /// Errors: the file's.
  constexpr failure plan() noexcept {
    return pairs_->each_table([&](std::uint64_t table, const table_places& places) -> failure {
      const sparse_format& format = pairs_->format();
      bool is_lost = false;
      for (unsigned copy = 0; copy < format.copies(); ++copy) {
        const auto entry = walk().directory_entry(copy, table);
        if (!entry) return entry.error();
        const std::uint64_t wanted = places.sector[copy];
        is_lost = is_lost || (wanted == 0 && (*entry != 0 || !format.may_lack_tables()));
        if (wanted == 0 || wanted == *entry) continue;
        entry_change& change = changes_.data()[change_count_++];
        change = {.table = table,
                  .before = static_cast<std::uint32_t>(*entry),
                  .after = static_cast<std::uint32_t>(wanted),
                  .copied_from = 0,
                  .copy = copy};
        if (places.is_unwritten[copy]) {
          change.copied_from = static_cast<std::uint32_t>(places.sector[1 - copy]);
        }
        if (change_count_ != changes_.size()) continue;
        if (failure f = mend()) return f;
      }
      if (is_lost) {
        target_->tell({.kind = repair_kind::table_left,
                       .offset = walk().directory_entry_at(0, table),
                       .table = table});
      }
      return no_failure;
    });
  }

  /// Writes the directory entries that plan found, behind a barrier, and tables whose place had
  /// other content: as they are in the other copy by now. Errors: the file's.
  constexpr failure mend() noexcept {
    walk().forget();
    if (change_count_ == 0) return no_failure;
    if (failure f = target_->barrier()) return f;
    for (std::size_t i = 0; i < change_count_; ++i) {
      if (failure f = make(changes_.data()[i])) return f;
    }
    change_count_ = 0;
    return no_failure;
  }

  /// Sets entries of a stream's directory behind the last table to 0 that name none: some writers'
  /// directories go on, with tables of their own. Errors: the file's.
  constexpr failure mend_tail() noexcept {
    const std::uint64_t entries = pairs_->format().directory_bytes() >> sparse_format::entry_shift;
    for (std::uint64_t table = pairs_->format().table_count(); table < entries; ++table) {
      const auto entry = walk().directory_entry(0, table);
      if (!entry) return entry.error();
      if (*entry == 0) continue;
      marker_walk<Target> stream(*target_, pairs_->format().extent().geometry(), *entry - 1);
      const auto item = stream.next();
      if (!item) return item.error();
      if (item->kind == marker_kind::table) continue;
      const repair_step step{.kind = repair_kind::directory_entry_restored,
                             .offset = walk().directory_entry_at(0, table),
                             .table = table,
                             .before = *entry,
                             .after = 0};
      if (failure f = target_->change_value(step, std::uint32_t{0})) return f;
    }
    return no_failure;
  }

 private:
  /// A directory entry that is to name the place of a table.
  struct entry_change {
    std::uint64_t table = 0;
    std::uint32_t before = 0;
    std::uint32_t after = 0;
    std::uint32_t copied_from = 0;  ///< The sector of its other copy, where it is to be copied.
    unsigned copy = 0;
  };

  [[nodiscard]] constexpr auto& walk() const noexcept { return pairs_->tables(); }

  constexpr failure make(const entry_change& change) noexcept {
    if (change.copied_from != 0) {
      if (failure f = copy_table(change)) return f;
    }
    const repair_step step{.kind = repair_kind::directory_entry_restored,
                           .offset = walk().directory_entry_at(change.copy, change.table),
                           .table = change.table,
                           .before = change.before,
                           .after = change.after};
    return target_->change_value(step, change.after);
  }

  constexpr failure copy_table(const entry_change& change) noexcept {
    const std::uint64_t to = std::uint64_t{change.after} << sector_shift;
    target_->tell({.kind = repair_kind::table_copied, .offset = to, .table = change.table});
    for (std::uint64_t n = 0; n < table_sectors; ++n) {
      const auto bytes = walk().sector_of_table(1 - change.copy, change.copied_from, n);
      if (!bytes) return bytes.error();
      if (failure f = target_->write(to + (n << sector_shift), byte_view(*bytes, sector_bytes))) {
        return f;
      }
    }
    return target_->barrier();
  }

  Target* target_;
  pair_walk<Target>* pairs_;
  std::array<entry_change, 256> changes_{};
  std::size_t change_count_ = 0;
};

}  // namespace vmdk::detail

// ---- vmdk/verify/directory_search.hpp

namespace vmdk::detail {

/// Finds the directories of a file whose header may have them wrong (SPEC 13.7).
template <class File>
class directory_search {
 public:
  /// The header, whose other figures are right, is the caller's, and so is at least a sector of
  /// memory.
  constexpr directory_search(File& file, sparse_extent_header& header, byte_span window) noexcept
      : file_(&file), header_(&header), window_(window) {}

  /// True when the redundant directory is nowhere; the header keeps what it says of it.
  [[nodiscard]] constexpr bool is_copy_lost() const noexcept { return is_copy_lost_; }

  /// True where a directory can be: inside the file, apart from the descriptor.
  [[nodiscard]] constexpr bool may_hold(std::uint64_t sector) const noexcept {
    return place_directory(*header_, sector, geometry().directory_sectors(),
                           file_->size() >> sector_shift) == directory_place::good;
  }

  /// Puts both directories' places into the header, whose tables are not at the end. Errors: the
  /// file's; errc::directory_offset_invalid.
  constexpr failure place() noexcept {
    const bool has_copy = header_->has(sparse_flags::redundant_tables);
    const std::uint64_t copy_at =
        header_->rgd_offset == header_->gd_offset.get() ? 0 : header_->rgd_offset.get();
    const auto primary = find(header_->gd_offset, has_copy ? copy_at : 0);
    if (!primary) return primary.error();
    if (*primary != 0) header_->gd_offset = *primary;
    if (!may_hold(header_->gd_offset)) {
      return image_failure(errc::directory_offset_invalid,
                           offsetof(sparse_extent_header, gd_offset));
    }
    // Old writers have one directory for both.
    if (!has_copy || header_->rgd_offset == header_->gd_offset.get()) return no_failure;
    const auto copy = find(copy_at, header_->gd_offset);
    if (!copy) return copy.error();
    if (*copy != 0) header_->rgd_offset = *copy;
    const std::uint64_t sectors = geometry().directory_sectors();
    const bool overlaps = header_->rgd_offset < header_->gd_offset + sectors &&
                          header_->gd_offset < header_->rgd_offset + sectors;
    if (may_hold(header_->rgd_offset) && !overlaps) return no_failure;
    is_copy_lost_ = true;
    return no_failure;
  }

 private:
  [[nodiscard]] constexpr sparse_geometry geometry() const noexcept {
    return sparse_geometry(header_->capacity, header_->grain_size);
  }

  /// How many of a directory's entries name the tables that follow it. Errors: the file's.
  [[nodiscard]] constexpr result<std::uint64_t> regular_entries(std::uint64_t sector) noexcept {
    const std::uint64_t count = geometry().table_count();
    std::uint64_t due = sector + geometry().directory_sectors();
    std::uint64_t regular = 0;
    const byte_span window = window_;
    for (std::uint64_t first = 0; first < count; first += window.size() / sizeof(std::uint32_t)) {
      const auto bytes = static_cast<std::size_t>(
          smaller_of<std::uint64_t>((count - first) * sizeof(std::uint32_t), window.size()));
      const std::uint64_t at = (sector << sector_shift) + first * sizeof(std::uint32_t);
      if (failure f = file_->read_at(at, window.first(bytes))) return f;
      for (std::size_t i = 0; i < bytes; i += sizeof(std::uint32_t), due += table_sectors) {
        regular += load_le<std::uint32_t>(window.data() + i) == due;
      }
    }
    return regular;
  }

  /// Finds a directory that is not where the header says: before or behind the other one with its
  /// tables, or behind the descriptor. 0 when it stays as it is. Errors: the file's.
  [[nodiscard]] constexpr result<std::uint64_t> find(std::uint64_t stated,
                                                     std::uint64_t other) noexcept {
    const std::uint64_t each =
        geometry().directory_sectors() + geometry().table_count() * table_sectors;
    const auto is_regular = [&](std::uint64_t sector) -> result<bool> {
      if (sector == other || !may_hold(sector)) return false;
      const auto regular = regular_entries(sector);
      if (!regular) return regular.error();
      return *regular * 2 > geometry().table_count();
    };
    const auto own = is_regular(stated);
    if (!own) return own.error();
    if (*own) return std::uint64_t{0};
    const std::uint64_t behind_descriptor =
        header_->descriptor_offset == 0 ? 1 : header_->descriptor_offset + header_->descriptor_size;
    const std::uint64_t wanted[] = {other == 0 ? 0 : other + each, other > each ? other - each : 0,
                                    behind_descriptor};
    for (const std::uint64_t sector : wanted) {
      const auto found = is_regular(sector);
      if (!found) return found.error();
      if (*found) return sector;
    }
    return std::uint64_t{0};
  }

  File* file_;
  sparse_extent_header* header_;
  byte_span window_;
  bool is_copy_lost_ = false;
};

}  // namespace vmdk::detail

// ---- vmdk/verify/grain_probe.hpp

namespace vmdk::detail {

enum class grain_state : std::uint8_t { whole, torn, of_other_size };

/// Expands the compressed grain at a sector. Without a decoder or enough memory it counts as whole.
/// Errors: the file's.
template <class File, class D>
[[nodiscard]] constexpr result<grain_state> probe_grain(File& file,
                                                        const sparse_extent_header& header,
                                                        std::uint64_t sector, D& decoder,
                                                        byte_span memory) noexcept {
  if constexpr (std::is_same_v<D, no_decoder>) {
    return grain_state::whole;
  } else {
    const sparse_geometry geometry(header.capacity, header.grain_size);
    const std::uint64_t whole = geometry.grain_bytes();
    marker_walk<File> walk(file, geometry, sector);
    const auto item = walk.next();
    if (!item) return item.error();
    if (item->kind != marker_kind::grain || item->lba >= header.capacity) {
      return grain_state::torn;
    }
    if (memory.size() < whole + sector_bytes) return grain_state::whole;
    const byte_span input = memory.subspan(static_cast<std::size_t>(whole));
    if constexpr (D::needs_contiguous_input) {
      if (input.size() < item->data_bytes) return grain_state::whole;
    }
    const std::uint64_t left = (header.capacity - item->lba) << sector_shift;
    grain_state state = grain_state::torn;
    for (const std::uint64_t wanted : {whole, smaller_of(whole, left)}) {
      const compressed_grain grain{(sector << sector_shift) + grain_marker_bytes, item->data_bytes};
      grain_supply<File> supply(file, grain, {}, input);
      const failure f = decoder.decode(supply, memory.first(static_cast<std::size_t>(wanted)));
      if (!f) return grain_state::whole;
      if (f.from != origin::codec) return f;
      const bool is_longer = f.code == errc::stream_output_overrun;
      if (is_longer || f.code == errc::stream_output_short) state = grain_state::of_other_size;
    }
    return state;
  }
}

/// True when the first grain of a stream is not of the size that a header says. Errors: the file's.
template <class File, class D>
[[nodiscard]] constexpr result<bool> has_other_grains(File& file,
                                                      const sparse_extent_header& header,
                                                      D& decoder, byte_span memory) noexcept {
  const auto state = probe_grain(file, header, header.over_head, decoder, memory);
  if (!state) return state.error();
  return *state == grain_state::of_other_size;
}

}  // namespace vmdk::detail

// ---- vmdk/verify/stream_scan.hpp

namespace vmdk::detail {

/// A sector of a stream that should hold a marker and does not, and where the walk goes on.
struct marker_gap {
  std::uint64_t sector = 0;
  std::uint64_t next_sector = 0;
  marker_kind wanted = marker_kind::nothing;  ///< What should stand here, if that is known.
};

struct marker_gaps {
  std::array<marker_gap, 16> kept{};
  std::size_t count = 0;

  [[nodiscard]] constexpr bool is_full() const noexcept { return count == kept.size(); }
  constexpr void add(const marker_gap& gap) noexcept { kept.data()[count++] = gap; }
  [[nodiscard]] constexpr const marker_gap* find(std::uint64_t sector) const noexcept {
    for (std::size_t i = 0; i < count; ++i) {
      if (kept.data()[i].sector == sector) return kept.data() + i;
    }
    return nullptr;
  }
};

/// What a walk over a stream came to.
struct stream_facts {
  std::uint64_t grains = 0;
  std::uint64_t misplaced = 0;        ///< Grains whose place on the disk cannot be, or comes twice.
  std::uint64_t first_misplaced = 0;  ///< The sector of the first of them.
  std::uint64_t last_grain = 0;       ///< Its sector.
  std::uint64_t content_end = 0;      ///< The sector behind the last whole grain or table.
  std::uint64_t directory = 0;        ///< Behind its marker; 0: none.
  std::uint64_t footer = 0;           ///< Its marker's sector; 0: none.
  std::uint64_t stopped_at = 0;       ///< Where the walk ended.
  marker_kind stopped_by = marker_kind::nothing;
  bool has_holes = false;  ///< Zeros, which elsewhere are a stream's end, stand before a grain.

  /// False when something stopped the walk before the stream's end.
  [[nodiscard]] constexpr bool is_complete() const noexcept {
    return stopped_by != marker_kind::no_marker;
  }
};

/// Where a stream may end.
struct stream_end {
  bool passes_zeros = false;      ///< Tables stand in front: the file's size says where the end is.
  std::uint64_t last_sector = 0;  ///< Not 0: a footer says that the end is here and nowhere else.
  std::uint64_t limit_sector = 0xFFFFFFFFFFFFFFFF;  ///< Nothing from here on is read.
};

/// Walks over a stream from one of its markers on. `visit(const marker_item&) -> failure` gets
/// whole grains and tables. Errors: those of the file and of `visit`.
template <class File, class Visit>
[[nodiscard]] constexpr result<stream_facts> scan_stream(
    File& file, const sparse_geometry& geometry, std::uint64_t first_sector, const stream_end& end,
    const marker_gaps& gaps, Visit&& visit) noexcept {
  stream_facts facts;
  facts.content_end = first_sector;
  marker_walk<File> walk(file, geometry, first_sector);
  std::uint64_t last_lba = 0;
  bool passed_zeros = false;
  while (true) {
    if (walk.sector() >= end.limit_sector) {
      facts.stopped_at = walk.sector();
      facts.stopped_by = marker_kind::nothing;
      return facts;
    }
    auto item = walk.next();
    if (!item) return item.error();
    if (const marker_gap* const gap = gaps.find(item->sector)) {
      item->kind = gap->wanted;
      walk.go_to(gap->next_sector);
      if (gap->wanted == marker_kind::nothing) {
        facts.content_end = gap->next_sector;
        continue;
      }
    } else if (end.last_sector != 0) {
      if (item->sector == end.last_sector) {
        item->kind = marker_kind::zero;
      } else if (item->kind == marker_kind::zero || item->kind == marker_kind::cut ||
                 item->kind == marker_kind::nothing) {
        item->kind = marker_kind::no_marker;
      }
    }
    facts.stopped_at = item->sector;
    facts.stopped_by = item->kind;
    switch (item->kind) {
      case marker_kind::grain: {
        const bool can_be = (item->lba & (geometry.grain_sectors() - 1)) == 0 &&
                            item->lba < geometry.capacity_sectors();
        if (!can_be || (facts.grains != 0 && item->lba == last_lba)) {
          if (facts.misplaced++ == 0) facts.first_misplaced = item->sector;
        }
        last_lba = item->lba;
        facts.has_holes = passed_zeros;
        ++facts.grains;
        facts.last_grain = item->sector;
        facts.content_end = walk.sector();
        if (failure f = visit(*item)) return f;
        continue;
      }
      case marker_kind::table:
        facts.content_end = walk.sector();
        if (failure f = visit(*item)) return f;
        continue;
      case marker_kind::directory:
        facts.directory = item->sector + 1;
        continue;
      case marker_kind::footer:
        facts.footer = item->sector;
        continue;
      case marker_kind::progress:
        continue;
      case marker_kind::zero:
        if (!end.passes_zeros) return facts;
        passed_zeros = true;
        continue;
      default:  // no_marker, cut, nothing
        return facts;
    }
  }
}

}  // namespace vmdk::detail

// ---- vmdk/verify/header_choice.hpp

namespace vmdk::detail {

/// The header of a sparse file and its footer, as they stand and as they are taken.
struct header_choice {
  sparse_extent_header header{};  ///< As it stands in sector 0.
  sparse_extent_header footer{};  ///< As it stands in the last sector but one.
  sparse_extent_header taken{};   ///< The one to go by; its gd_offset is not judged.
  bool is_header_usable = false;
  bool is_footer_usable = false;  ///< There is one, before a marker or an end of its own.
  bool do_differ = false;         ///< The footer is usable, and the header does not say the same.
};

/// The first error of a header, but for where it says that directories are.
[[nodiscard]] constexpr failure first_error_of(sparse_extent_header header,
                                               std::uint64_t file_bytes) noexcept {
  header.gd_offset = directory_at_end;
  header.rgd_offset = std::uint64_t{0};
  return validate(header, file_bytes, strictness::tolerant);
}

/// What speaks against a header of a stream, and how many grains it gives the stream.
struct header_evidence {
  unsigned against = 0;
  std::uint64_t grains = 0;

  [[nodiscard]] constexpr bool is_better_than(const header_evidence& other) const noexcept {
    return against != other.against ? against < other.against : grains > other.grains;
  }
};

/// How many things in a stream contradict a header that it is to have.
template <class File>
[[nodiscard]] constexpr result<header_evidence> evidence_for(
    File& file, const sparse_extent_header& header) noexcept {
  const sparse_geometry geometry(header.capacity, header.grain_size);
  const auto ignore = [](const marker_item&) { return no_failure; };
  const auto facts =
      scan_stream(file, geometry, header.over_head, stream_end{}, marker_gaps{}, ignore);
  if (!facts) return facts.error();
  header_evidence found{.against = facts->misplaced == 0 ? 0u : 1u, .grains = facts->grains};
  if (!facts->is_complete()) ++found.against;
  if (facts->footer == 0 || facts->directory == 0) ++found.against;
  return found;
}

/// Reads header and footer and chooses between them (SPEC 13.7): the one that can be; of two that
/// can be and differ, the one that the stream contradicts less, or that sees more of it; and else
/// the header. `contradicts` adds what else is known against one: (header) -> result<unsigned>.
/// Errors: those of the file; what is wrong with the header when neither is usable.
template <class File, class Contradicts>
[[nodiscard]] constexpr result<header_choice> choose_header(File& file,
                                                            Contradicts&& contradicts) noexcept {
  const std::uint64_t file_bytes = file.size();
  header_choice choice;
  if (file_bytes < sector_bytes) return image_failure(errc::header_truncated, 0);
  if (failure f = read_object(file, 0, choice.header)) return f;
  const failure broken = first_error_of(choice.header, file_bytes);
  choice.is_header_usable = !broken;
  const std::uint64_t footer_at = file_bytes < sector_bytes + stream_tail_bytes
                                      ? 0
                                      : file_bytes - std::uint64_t{2} * sector_bytes;
  if (footer_at != 0 && file_bytes % sector_bytes == 0) {
    stream_marker marker;
    if (failure f = read_object(file, footer_at - sector_bytes, marker)) return f;
    if (failure f = read_object(file, footer_at, choice.footer)) return f;
    const bool is_whole = marker.is(marker_type::footer) || choice.is_header_usable;
    choice.is_footer_usable =
        is_whole && choice.footer.is_compressed() && !first_error_of(choice.footer, file_bytes);
  }
  if (!choice.is_header_usable && !choice.is_footer_usable) return broken;
  choice.taken = choice.is_header_usable ? choice.header : choice.footer;
  if (!choice.is_header_usable || !choice.is_footer_usable) {
    if (choice.is_header_usable) return choice;
    // Data of a guest may look like a footer: what stands before it must be a stream.
    const auto found = evidence_for(file, choice.footer);
    if (!found) return found.error();
    if (found->against != 0) return broken;
    choice.do_differ = true;
    return choice;
  }
  // A footer behind grains that are not compressed is data.
  if (!choice.header.is_compressed()) {
    choice.is_footer_usable = false;
    return choice;
  }
  bool agree = true;
  check_footer_agrees(choice.header, choice.footer, [&](errc, std::uint64_t) {
    agree = false;
    return false;
  });
  if (agree) return choice;
  header_evidence found[2];
  for (unsigned i = 0; i < 2; ++i) {
    const sparse_extent_header& each = i == 0 ? choice.header : choice.footer;
    const auto stream = evidence_for(file, each);
    if (!stream) return stream.error();
    const auto other = contradicts(each);
    if (!other) return other.error();
    found[i] = *stream;
    found[i].against += *other;
  }
  if (found[1].is_better_than(found[0])) choice.taken = choice.footer;
  choice.do_differ = true;
  return choice;
}

}  // namespace vmdk::detail

// ---- vmdk/verify/header_mender.hpp

namespace vmdk::detail {

/// Writes what has become of a header and its footer.
template <class Target>
class header_mender {
 public:
  constexpr header_mender(Target& target, const header_choice& choice) noexcept
      : target_(&target), choice_(&choice) {}

  /// Makes the footer, which can be, the header with the directory's place. That is taken out of a
  /// header which did not have it.
  /// Errors: the file's.
  constexpr failure mend_footer(sparse_extent_header& header) noexcept {
    sparse_extent_header wanted = header;
    wanted.unclean_shutdown = choice_->footer.unclean_shutdown;
    wanted.rgd_offset = choice_->footer.rgd_offset;
    const sector_image bytes = encode(wanted);
    bool is_same = wanted.gd_offset == choice_->footer.gd_offset.get();
    check_footer_agrees(wanted, choice_->footer, [&](errc, std::uint64_t) {
      is_same = false;
      return false;
    });
    const std::uint64_t stated = choice_->header.gd_offset;
    if (stated != header.gd_offset) header.gd_offset = directory_at_end;
    if (is_same) return no_failure;
    if (failure f = target_->barrier()) return f;
    const repair_step step{.kind = repair_kind::footer_rebuilt,
                           .offset = target_->size() - 2 * sector_bytes};
    return target_->change(step, bytes);
  }

  /// Writes what has become of the header, between barriers. Errors: the file's.
  constexpr failure mend_header(sparse_extent_header header) noexcept {
    if (failure f = target_->barrier()) return f;
    if (choice_->is_header_usable) {
      if (failure f = mend_fields(header)) return f;
      return target_->barrier();
    }
    header.unclean_shutdown = 0;
    const repair_step step{.kind = repair_kind::header_rebuilt, .offset = 0};
    if (failure f = target_->change(step, encode(header))) return f;
    return target_->barrier();
  }

  /// Clears the unclean flag of a header that was usable, when nothing was left. Errors: the
  /// file's.
  constexpr failure clear_unclean() noexcept {
    if (!choice_->is_header_usable || choice_->header.unclean_shutdown == 0) return no_failure;
    if (target_->summary.left != 0) return no_failure;
    const repair_step step{.kind = repair_kind::unclean_cleared,
                           .offset = offsetof(h, unclean_shutdown)};
    if (failure f = target_->change_value(step, std::uint8_t{0})) return f;
    return target_->barrier();
  }

 private:
  using h = sparse_extent_header;

  /// Writes the fields of the header that are others now.
  constexpr failure mend_fields(const sparse_extent_header& header) noexcept {
    failure why;
    const auto field = [&](auto before, auto after, std::size_t offset) {
      if (why || before == after) return;
      const repair_step step{.kind = repair_kind::header_corrected,
                             .offset = offset,
                             .before = before,
                             .after = after};
      why = target_->change_value(step, after);
    };
    const sparse_extent_header& old = choice_->header;
    field(old.version.get(), header.version.get(), offsetof(h, version));
    field(old.flags.get(), header.flags.get(), offsetof(h, flags));
    field(old.capacity.get(), header.capacity.get(), offsetof(h, capacity));
    field(old.grain_size.get(), header.grain_size.get(), offsetof(h, grain_size));
    field(old.descriptor_offset.get(), header.descriptor_offset.get(),
          offsetof(h, descriptor_offset));
    field(old.descriptor_size.get(), header.descriptor_size.get(), offsetof(h, descriptor_size));
    field(old.num_gtes_per_gt.get(), header.num_gtes_per_gt.get(), offsetof(h, num_gtes_per_gt));
    if (header.has(sparse_flags::redundant_tables)) {
      field(old.rgd_offset.get(), header.rgd_offset.get(), offsetof(h, rgd_offset));
    }
    field(old.gd_offset.get(), header.gd_offset.get(), offsetof(h, gd_offset));
    field(old.over_head.get(), header.over_head.get(), offsetof(h, over_head));
    field(old.compress_algorithm.get(), header.compress_algorithm.get(),
          offsetof(h, compress_algorithm));
    return why;
  }

  Target* target_;
  const header_choice* choice_;
};

}  // namespace vmdk::detail

// ---- vmdk/verify/mended_extent.hpp

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

// ---- vmdk/verify/metadata_overlap.hpp

namespace vmdk::detail {

/// Looks for metadata that shares sectors: what is written to one table would be read from the
/// other (SPEC 13.7).
template <class File>
class metadata_overlap {
 public:
  /// The memory is the caller's, for at least one dispute; less of it means more walks.
  constexpr metadata_overlap(pair_walk<File>& pairs, byte_span memory) noexcept
      : pairs_(&pairs), places_(memory) {}

  /// A sector of a table that shares it with another table, a directory, the descriptor or the
  /// header; 0 where none does. Errors: the file's.
  [[nodiscard]] constexpr result<std::uint64_t> find() noexcept {
    bool is_whole = true;  // All tables are in the list.
    const failure f =
        pairs_->each_table([&](std::uint64_t table, const table_places& places) -> failure {
          const auto d = sectors_of(table, places);
          if (!d) return d.error();
          for (const std::uint32_t sector : d->value) {
            if (sector != 0 && !may_hold_table(format(), sector)) take(sector);
          }
          if (d->value[0] == 0 && d->value[1] == 0) return no_failure;
          if (places_.is_full()) {
            is_whole = false;
            if (failure why = compare_all()) return why;
            places_.clear();
          }
          places_.add(*d);
          return no_failure;
        });
    if (f) return f;
    if (!is_whole) {
      if (failure why = compare_all()) return why;
    } else {
      places_.sort_values();
      for (std::size_t i = 0; i < places_.size(); ++i) compare(places_.get(i));
    }
    return found_;
  }

 private:
  [[nodiscard]] constexpr const sparse_format& format() const noexcept { return pairs_->format(); }

  /// The first one that is found counts.
  constexpr void take(std::uint64_t sector) noexcept { found_ = found_ == 0 ? sector : found_; }

  /// A table as if its copies' sectors were disputed: those that the directories are going to name,
  /// also where they are not sure of them; each of them once, and else 0. Errors: the file's.
  [[nodiscard]] constexpr result<dispute> sectors_of(std::uint64_t table,
                                                     const table_places& places) noexcept {
    dispute d;
    d.grain = table;
    for (unsigned copy = 0; copy < format().copies(); ++copy) {
      d.value[copy] = static_cast<std::uint32_t>(places.sector[copy]);
      if (d.value[copy] != 0) continue;
      const auto entry = pairs_->tables().directory_entry(copy, table);
      if (!entry) return entry.error();
      if (format().names_table(*entry)) d.value[copy] = static_cast<std::uint32_t>(*entry);
    }
    if (d.value[0] == d.value[1]) d.value[1] = 0;
    return d;
  }

  /// Takes the sectors of a table that it shares with another one in the list.
  constexpr void compare(const dispute& d) noexcept {
    for (unsigned copy = 0; copy < 2; ++copy) {
      const std::uint64_t sector = d.value[copy];
      if (sector == 0) continue;
      const std::uint64_t first = sector < table_sectors ? 1 : sector - table_sectors + 1;
      places_.each_value(first, sector + table_sectors, [&](std::size_t i, unsigned other) {
        if (places_.get(i).grain != d.grain || other != copy) take(sector);
      });
    }
  }

  /// Compares all tables with those in the list. Errors: the file's.
  constexpr failure compare_all() noexcept {
    places_.sort_values();
    return pairs_->each_table([&](std::uint64_t table, const table_places& places) -> failure {
      const auto d = sectors_of(table, places);
      if (!d) return d.error();
      compare(*d);
      return no_failure;
    });
  }

  pair_walk<File>* pairs_;
  dispute_list places_;
  std::uint64_t found_ = 0;
};

/// Errors: errc::table_overlap at the place of a table that shares sectors; the file's.
template <class File>
constexpr failure refuse_overlap(pair_walk<File>& pairs, byte_span memory) noexcept {
  const auto sector = metadata_overlap<File>(pairs, memory).find();
  if (!sector) return sector.error();
  if (*sector == 0) return no_failure;
  return image_failure(errc::table_overlap, *sector << sector_shift);
}

}  // namespace vmdk::detail

// ---- vmdk/verify/table_mender.hpp

namespace vmdk::detail {

/// Mends the entries of an extent's tables (SPEC 13.7): those that tell by themselves at once, and
/// the others as a list of disputes.
template <class Target>
class table_mender {
 public:
  /// The list has room for at least one dispute.
  constexpr table_mender(Target& target, pair_walk<Target>& pairs, entry_judge<Target>& judge,
                         dispute_list& disputes) noexcept
      : target_(&target), pairs_(&pairs), judge_(&judge), disputes_(&disputes), entries_(target) {}

  /// Mends the entries of grains that are not compressed: those on which the copies differ, and
  /// those that no copy has right, which become 0. `are_grains_sure`: else the header's grain size
  /// is wrong, and what follows from it is left. Errors: the file's.
  constexpr failure mend_plain(bool are_grains_sure) noexcept {
    claim_settler<Target> settler(*target_, *pairs_, *judge_, are_grains_sure);
    // Before anything else is written: a place is claimed by what the copies said all along.
    disputes_->clear();
    const failure f = pairs_->each_pair([&](const entry_pair& pair) -> failure {
      if (pair.agrees() || is_tail(pair)) return no_failure;
      disputes_->add(dispute{pair});
      return disputes_->is_full() ? settler.settle(*disputes_) : no_failure;
    });
    if (f) return f;
    if (failure why = settler.settle(*disputes_)) return why;
    return pairs_->each_pair([&](const entry_pair& pair) -> failure {
      if (is_tail(pair)) return mend_tail(pair);
      if (!pair.agrees()) return no_failure;
      const auto judged = judge_->judge_place(pair.value[pair.one_copy()], pair.grain);
      return judged == entry_verdict::bad ? settler.drop(pair) : no_failure;
    });
  }

  /// Mends the entries of compressed grains whose marker settles it, and hands what is left to
  /// `settle() -> failure`, list by list. Errors: the file's.
  template <class Settle>
  constexpr failure mend_marked(Settle&& settle) noexcept {
    disputes_->clear();
    const failure f = pairs_->each_pair([&](const entry_pair& pair) -> failure {
      if (is_tail(pair)) return mend_tail(pair);
      for (unsigned copy = 0; copy < 2; ++copy) {
        if (!pair.has(copy)) continue;
        const auto judged = judge_->judge(pair.value[copy], pair.grain);
        if (!judged) return judged.error();
        // A marker that fits is proof.
        if (*judged == entry_verdict::good) return entries_.take(pair, copy);
      }
      disputes_->add(dispute{pair});
      return disputes_->is_full() ? settle() : no_failure;
    });
    if (f) return f;
    return settle();
  }

 private:
  /// True for an entry behind the last grain.
  [[nodiscard]] constexpr bool is_tail(const entry_pair& pair) const noexcept {
    return pair.grain >= pairs_->format().grain_count();
  }

  /// Behind the last grain entries are 0; what both copies have there is a warning and stays.
  constexpr failure mend_tail(const entry_pair& pair) noexcept {
    if (pair.agrees()) return no_failure;
    if (pair.value[0] == 0 || pair.value[1] == 0) {
      return entries_.take(pair, pair.value[0] == 0 ? 0 : 1);
    }
    return entries_.leave(pair);
  }

  Target* target_;
  pair_walk<Target>* pairs_;
  entry_judge<Target>* judge_;
  dispute_list* disputes_;
  entry_writer<Target> entries_;
};

}  // namespace vmdk::detail

// ---- vmdk/verify/table_survey.hpp

namespace vmdk::detail {

/// What the entries say on which all copies agree: how far the metadata reaches and where grains
/// are, whatever the header says of it.
struct table_survey {
  std::uint64_t metadata_end_sector = 0;
  std::uint64_t lowest_grain_sector = 0xFFFFFFFFFFFFFFFF;  ///< Behind the metadata.
  std::uint64_t grains = 0;          ///< Entries that name a place in the file.
  std::uint64_t below_overhead = 0;  ///< Those that the overhead says cannot be; no copy is lost.
  std::uint64_t ones = 0;            ///< Entries of 1.
  bool do_overlap = false;           ///< Two that follow each other in a table share sectors.
};

/// Finds the end of the directories, the descriptor and the tables. Errors: the file's.
template <class File>
[[nodiscard]] constexpr result<std::uint64_t> metadata_end_sector(pair_walk<File>& pairs) noexcept {
  std::uint64_t end = 0;
  const auto reaches = [&](std::uint64_t sector) { end = larger_of(end, sector); };
  const sparse_format& format = pairs.format();
  for (unsigned copy = 0; copy < format.copies(); ++copy) {
    reaches((format.directory_at(copy) + format.directory_bytes()) >> sector_shift);
  }
  const auto& extent = format.extent();
  reaches((extent.descriptor_offset_bytes() + extent.descriptor_bytes()) >> sector_shift);
  const failure f = pairs.each_table([&](std::uint64_t, const table_places& places) {
    for (const std::uint64_t sector : places.sector) {
      if (sector != 0) reaches(sector + table_sectors);
    }
    return no_failure;
  });
  if (f) return f;
  return end;
}

/// Looks at all entries, of grains that are not compressed, on which the copies agree. Errors: the
/// file's.
template <class File>
[[nodiscard]] constexpr result<table_survey> survey_tables(
    pair_walk<File>& pairs, const entry_judge<File>& judge,
    std::uint64_t overhead_sectors) noexcept {
  const auto end = metadata_end_sector(pairs);
  if (!end) return end.error();
  table_survey found;
  found.metadata_end_sector = *end;
  const sparse_format& format = pairs.format();
  const std::uint64_t each = judge.geometry().grain_sectors();
  std::uint64_t last = 0;
  const failure f = pairs.each_pair([&](const entry_pair& pair) -> failure {
    if (!pair.agrees() || pair.grain >= format.grain_count()) return no_failure;
    const std::uint64_t value = pair.value[pair.one_copy()];
    if (value == 1) ++found.ones;
    if (value <= 1 || value >= format.file_bytes() >> sector_shift) return no_failure;
    if (value < found.metadata_end_sector && value < overhead_sectors) return no_failure;
    ++found.grains;
    // Where a copy of the table is lost, nothing speaks for an entry against the overhead.
    const bool is_sure = format.copies() == 1 || pair.is_sure();
    if (is_sure && value < overhead_sectors) ++found.below_overhead;
    if (last != 0 && value < last + each && last < value + each) found.do_overlap = true;
    last = value;
    found.lowest_grain_sector = smaller_of(found.lowest_grain_sector, value);
    return no_failure;
  });
  if (f) return f;
  return found;
}

}  // namespace vmdk::detail

// ---- vmdk/verify/plain_repair.hpp

namespace vmdk::detail {

/// Repairs an extent whose grains are not compressed, by the copies of its tables, and by where
/// tables and grains lie (SPEC 13.7).
template <class Target>
class plain_repair {
 public:
  constexpr explicit plain_repair(mended_extent<Target>& extent) noexcept : extent_(&extent) {}

  /// Errors, before anything was written: those of directory_search; errc::table_overlap. Those of
  /// the file.
  constexpr failure repair() noexcept {
    if (failure f = extent_->place_directories()) return f;
    table_walk<sparse_format, Target> walk(target(), extent_->format(), extent_->share.windows);
    entry_judge<Target> judge(target(), header());
    judge.allows_zeroed = header().has(sparse_flags::zeroed_grains);
    judge.floor_sector = header().over_head;
    const table_hints hints;
    table_finder<Target> finder(walk, judge, hints, header().over_head);
    pair_walk<Target> pairs(walk, finder);
    const auto found = survey_tables(pairs, judge, header().over_head);
    if (!found) return found.error();
    if (failure f = refuse_overlap(pairs, extent_->share.rest)) return f;
    correct_overhead(*found, finder.copies() == 2, judge);
    if (!judge.allows_zeroed && header().version >= 2 && found->ones != 0) {
      // Version 2 is what zeroed grains are for.
      judge.allows_zeroed = true;
      header().flags = header().flags | sparse_flags::zeroed_grains;
    }
    extent_->tell_lost_directory();
    directory_mender<Target> directories(target(), pairs);
    if (failure f = directories.plan()) return f;
    dispute_list disputes(extent_->share.rest);
    table_mender<Target> tables(target(), pairs, judge, disputes);
    if (failure f = tables.mend_plain(!found->do_overlap)) return f;
    if (failure f = directories.mend()) return f;
    return extent_->mend_header();
  }

 private:
  [[nodiscard]] constexpr Target& target() const noexcept { return *extent_->target; }
  [[nodiscard]] constexpr sparse_extent_header& header() const noexcept { return extent_->header; }

  /// Grains that all copies name are there, whatever the overhead says.
  constexpr void correct_overhead(const table_survey& found, bool is_twice,
                                  entry_judge<Target>& judge) noexcept {
    const std::uint64_t stated = header().over_head;
    const bool contradicted =
        found.below_overhead != 0 && (is_twice || found.below_overhead * 2 > found.grains);
    if (contradicted || stated > extent_->file_sectors()) {
      const std::uint64_t end = found.metadata_end_sector;
      const std::uint64_t aligned = align_up(end, header().grain_size);
      const std::uint64_t most = smaller_of(found.lowest_grain_sector, extent_->file_sectors());
      header().over_head = aligned <= most ? aligned : most;
    }
    judge.floor_sector = header().over_head;
    // Of a single copy nothing says whether the entry or the overhead is wrong.
    if (!is_twice) judge.floor_sector = smaller_of(judge.floor_sector, found.metadata_end_sector);
  }

  mended_extent<Target>* extent_;
};

}  // namespace vmdk::detail

// ---- vmdk/verify/stream_view.hpp

namespace vmdk::detail {

/// A stream as a walk over its markers shows it, with what the last walk came to and the gaps that
/// are known by now.
template <class File>
class stream_view {
 public:
  /// `is_in_front`: its tables are. `has_footer`: the last three sectors are a footer with its
  /// markers.
  constexpr stream_view(File& file, const sparse_extent_header& header, bool is_in_front,
                        bool has_footer) noexcept
      : file_(&file),
        geometry_(header.capacity, header.grain_size),
        first_sector_(header.over_head),
        is_in_front_(is_in_front),
        has_footer_(has_footer) {}

  [[nodiscard]] constexpr File& file() const noexcept { return *file_; }
  [[nodiscard]] constexpr const sparse_geometry& geometry() const noexcept { return geometry_; }
  /// Where the walk begins.
  [[nodiscard]] constexpr std::uint64_t first_sector() const noexcept { return first_sector_; }
  [[nodiscard]] constexpr bool is_in_front() const noexcept { return is_in_front_; }
  [[nodiscard]] constexpr bool has_footer() const noexcept { return has_footer_; }
  /// Of the footer's marker, where there is one.
  [[nodiscard]] constexpr std::uint64_t footer_sector() const noexcept {
    return (file_->size() - stream_tail_bytes) >> sector_shift;
  }
  [[nodiscard]] constexpr const stream_facts& facts() const noexcept { return facts_; }
  [[nodiscard]] constexpr const marker_gaps& gaps() const noexcept { return gaps_; }

  /// True for the first sector of a grain of the disk.
  [[nodiscard]] constexpr bool is_place(std::uint64_t lba) const noexcept {
    return (lba & (geometry_.grain_sectors() - 1)) == 0 && lba < geometry_.capacity_sectors();
  }

  /// Calls `visit(const marker_item&) -> failure` for each whole grain and each table. Errors:
  /// those of the file and of `visit`.
  template <class Visit>
  [[nodiscard]] constexpr result<stream_facts> scan(Visit&& visit) const noexcept {
    const stream_end end{.passes_zeros = is_in_front_,
                         .last_sector = has_footer_ ? footer_sector() + 2 : 0};
    return scan_stream(*file_, geometry_, first_sector_, end, gaps_, visit);
  }

  /// Walks over the whole stream. Errors: the file's.
  constexpr failure look() noexcept {
    const auto facts = scan([](const marker_item&) { return no_failure; });
    if (!facts) return facts.error();
    facts_ = *facts;
    return no_failure;
  }

  /// Lets further walks go on behind a sector that is no marker. There is room: !gaps().is_full().
  constexpr void add_gap(const marker_gap& gap) noexcept { gaps_.add(gap); }

 private:
  File* file_;
  sparse_geometry geometry_;
  std::uint64_t first_sector_;
  bool is_in_front_;
  bool has_footer_;
  stream_facts facts_{};
  marker_gaps gaps_{};
};

}  // namespace vmdk::detail

// ---- vmdk/verify/stream_tables.hpp

namespace vmdk::detail {

/// Compares a stream with what its directory and the tables that this names say of it. All errors
/// are the file's.
template <class File>
class stream_tables {
 public:
  using walk_type = table_walk<sparse_format, File>;

  constexpr stream_tables(const stream_view<File>& stream, walk_type& walk) noexcept
      : stream_(&stream), walk_(&walk) {}

  /// How many grains the tables name where the stream has them.
  [[nodiscard]] constexpr result<std::uint64_t> matches() const noexcept {
    std::uint64_t count = 0;
    const auto facts = stream_->scan([&](const marker_item& item) -> failure {
      if (item.kind != marker_kind::grain || !stream_->is_place(item.lba)) return no_failure;
      const auto entry = plain_entry(item.lba >> geometry().grain_shift());
      if (!entry) return entry.error();
      count += *entry == item.sector;
      return no_failure;
    });
    if (!facts) return facts.error();
    return count;
  }

  /// True when a table entry names a sector.
  [[nodiscard]] constexpr result<bool> is_named(std::uint64_t sector) const noexcept {
    bool found = false;
    const failure f =
        walk_->each_table(repeated_tables{}, [&](std::uint64_t table, std::uint64_t place) {
          return walk_->each_entry(table, place, [&](const table_entry& entry) -> failure {
            found = found || (entry.value == sector && entry.grain < geometry().grain_count());
            return no_failure;
          });
        });
    if (f) return f;
    return found;
  }

  /// The lowest sector behind another where the tables, or the end of the stream, have a marker; 0
  /// where there is none. Behind sector 0 it is that of a grain.
  [[nodiscard]] constexpr result<std::uint64_t> lowest_behind(entry_judge<File>& judge,
                                                              std::uint64_t sector) const noexcept {
    std::uint64_t lowest = 0;
    const auto take = [&](std::uint64_t candidate) {
      if (candidate > sector && (lowest == 0 || candidate < lowest)) lowest = candidate;
    };
    if (sector != 0 && !stream_->is_in_front()) {
      take((walk_->format().directory_at(0) >> sector_shift) - 1);
      take(stream_->footer_sector());
    }
    const failure f =
        walk_->each_table(repeated_tables{}, [&](std::uint64_t table, std::uint64_t place) {
          if (sector != 0 && !stream_->is_in_front()) take(place - 1);
          return walk_->each_entry(table, place, [&](const table_entry& entry) -> failure {
            if (entry.grain >= geometry().grain_count()) return no_failure;
            if (entry.value <= sector || (lowest != 0 && entry.value >= lowest)) return no_failure;
            const auto verdict = judge.judge(entry.value, entry.grain);
            if (!verdict) return verdict.error();
            if (*verdict == entry_verdict::good) take(entry.value);
            return no_failure;
          });
        });
    if (f) return f;
    return lowest;
  }

 private:
  [[nodiscard]] constexpr const sparse_geometry& geometry() const noexcept {
    return stream_->geometry();
  }

  /// A table entry as the directory leads to it; 0 where it leads nowhere.
  [[nodiscard]] constexpr result<std::uint64_t> plain_entry(std::uint64_t grain) const noexcept {
    const auto table = walk_->directory_entry(0, grain >> sparse_format::table_shift);
    if (!table) return table.error();
    if (!walk_->format().names_table(*table)) return std::uint64_t{0};
    return walk_->entry_of_table(0, *table, grain & (entries_per_table - 1));
  }

  const stream_view<File>* stream_;
  walk_type* walk_;
};

}  // namespace vmdk::detail

// ---- vmdk/verify/gap_search.hpp

namespace vmdk::detail {

/// Finds what stands in a stream and is no marker, or another one than directory, footer and file
/// size say. The tables tell where the next marker is. A stream whose tables are not in front has a
/// footer. All errors are the file's.
template <class File>
class gap_search {
 public:
  using walk_type = table_walk<sparse_format, File>;

  constexpr gap_search(stream_view<File>& stream, walk_type& walk,
                       entry_judge<File>& judge) noexcept
      : stream_(&stream), walk_(&walk), judge_(&judge) {}

  /// Walks over the stream again and again, until it finds no further gap.
  constexpr failure fill() noexcept {
    while (true) {
      if (failure f = stream_->look()) return f;
      const auto gap = find();
      if (!gap) return gap.error();
      if (gap->next_sector <= gap->sector || stream_->gaps().is_full()) return no_failure;
      stream_->add_gap(*gap);
    }
  }

 private:
  [[nodiscard]] constexpr const sparse_geometry& geometry() const noexcept {
    return stream_->geometry();
  }

  /// The next sector of the walk that should hold another marker than it does. A gap of no length
  /// when there is none, or nobody knows where the next marker is.
  [[nodiscard]] constexpr result<marker_gap> find() const noexcept {
    const std::uint64_t stopped_at = stream_->facts().stopped_at;
    marker_walk<File> walk(stream_->file(), geometry(), stream_->first_sector());
    while (!stream_->is_in_front()) {
      const auto item = walk.next();
      if (!item) return item.error();
      if (const marker_gap* const known = stream_->gaps().find(item->sector)) {
        walk.go_to(known->next_sector);
        continue;
      }
      const auto told = metadata_at(*item);
      if (!told) return told.error();
      // What is behind a sector that should have been another is not to be trusted.
      if (told->next_sector != 0) return *told;
      if (item->sector >= stopped_at) break;
    }
    if (stream_->facts().is_complete()) return marker_gap{};
    const stream_tables<File> tables(*stream_, *walk_);
    const auto next = tables.lowest_behind(*judge_, stopped_at);
    if (!next) return next.error();
    return marker_gap{.sector = stopped_at, .next_sector = *next != 0 ? *next : stopped_at};
  }

  /// What footer, directory and header say of a sector, where it holds something else; a gap with
  /// next_sector 0 where it does not.
  [[nodiscard]] constexpr result<marker_gap> metadata_at(const marker_item& item) const noexcept {
    const std::uint64_t directory = walk_->format().directory_at(0) >> sector_shift;
    const auto should_be = [&](marker_kind wanted, std::uint64_t next_sector) {
      return item.kind == wanted
                 ? marker_gap{}
                 : marker_gap{.sector = item.sector, .next_sector = next_sector, .wanted = wanted};
    };
    if (item.sector == stream_->footer_sector()) {
      return should_be(marker_kind::footer, item.sector + 2);
    }
    if (item.sector + 1 == directory) {
      return should_be(marker_kind::directory, directory + geometry().directory_sectors());
    }
    const bool is_sure = item.kind == marker_kind::table ||
                         (item.kind == marker_kind::grain && stream_->is_place(item.lba));
    for (std::uint64_t table = 0; !is_sure && table < geometry().table_count(); ++table) {
      const auto entry = walk_->directory_entry(0, table);
      if (!entry) return entry.error();
      if (*entry == item.sector + 1) {
        return should_be(marker_kind::table, *entry + table_sectors);
      }
    }
    return marker_gap{};
  }

  stream_view<File>* stream_;
  walk_type* walk_;
  entry_judge<File>* judge_;
};

}  // namespace vmdk::detail

// ---- vmdk/verify/hint_search.hpp

namespace vmdk::detail {

/// Finds tables of a stream by their markers, and by their grains which tables they are. All errors
/// are the file's.
template <class File>
class hint_search {
 public:
  using walk_type = table_walk<sparse_format, File>;

  constexpr hint_search(const stream_view<File>& stream, walk_type& walk) noexcept
      : stream_(&stream), walk_(&walk) {}

  /// Collects the tables that the directory does not name.
  [[nodiscard]] constexpr result<table_hints> collect() const noexcept {
    table_hints hints;
    if (stream_->is_in_front()) return hints;
    std::uint64_t table = 0;
    bool has_grain = false;
    const auto facts = stream_->scan([&](const marker_item& item) -> failure {
      if (item.kind == marker_kind::grain) {
        if (!stream_->is_place(item.lba)) return no_failure;
        // The marker of a single grain may be wrong: the table is asked as well.
        table = item.lba >> geometry().grain_shift() >> sparse_format::table_shift;
        has_grain = true;
        return no_failure;
      }
      const auto told = table_at(item.sector + 1, table, has_grain);
      if (!told) return told.error();
      has_grain = false;
      if (*told >= geometry().table_count()) return no_failure;
      const auto entry = walk_->directory_entry(0, *told);
      if (!entry) return entry.error();
      if (*entry != item.sector + 1) hints.add(*told, item.sector + 1);
      return no_failure;
    });
    if (!facts) return facts.error();
    return hints;
  }

 private:
  [[nodiscard]] constexpr const sparse_geometry& geometry() const noexcept {
    return stream_->geometry();
  }

  /// Which table stands at a sector: most entries' grains tell; of one without, those before it.
  [[nodiscard]] constexpr result<std::uint64_t> table_at(std::uint64_t sector, std::uint64_t guess,
                                                         bool has_guess) const noexcept {
    constexpr std::uint64_t none = 0xFFFFFFFFFFFFFFFF;
    std::uint64_t told = none;
    unsigned votes = 0;
    unsigned asked = 0;
    const failure f = walk_->each_entry(0, sector, [&](const table_entry& entry) -> failure {
      if (asked == 8) return no_failure;
      ++asked;
      std::array<std::byte, grain_marker_bytes> marker{};
      const std::uint64_t offset = entry.value << sector_shift;
      if (!fits_inside(offset, marker.size(), stream_->file().size())) return no_failure;
      if (failure why = stream_->file().read_at(offset, marker)) return why;
      const auto lba = load_le<std::uint64_t>(marker.data());
      const std::uint64_t grain = lba >> geometry().grain_shift();
      const bool is_here = (grain & (entries_per_table - 1)) == entry.index;
      if (!stream_->is_place(lba) || !is_here) return no_failure;
      const std::uint64_t table = grain >> sparse_format::table_shift;
      if (votes == 0) told = table;
      if (told == table) {
        ++votes;
      } else {
        --votes;
      }
      return no_failure;
    });
    if (f) return f;
    if (votes != 0) return told;
    return has_guess ? guess : none;
  }

  const stream_view<File>* stream_;
  walk_type* walk_;
};

}  // namespace vmdk::detail

// ---- vmdk/verify/marker_mender.hpp

namespace vmdk::detail {

/// Writes the markers of a stream that were not what they should be, and tells what is left: gaps
/// of which nobody knows what should be there. Errors: the file's.
template <class Target>
constexpr failure mend_markers(Target& target, const stream_view<Target>& stream) noexcept {
  for (std::size_t i = 0; i < stream.gaps().count; ++i) {
    const marker_gap& gap = stream.gaps().kept.data()[i];
    const std::uint64_t offset = gap.sector << sector_shift;
    sector_image marker{};
    switch (gap.wanted) {
      case marker_kind::table:
        encode_marker(marker_type::grain_table, table_sectors, marker.data());
        break;
      case marker_kind::directory:
        encode_marker(marker_type::grain_directory, stream.geometry().directory_sectors(),
                      marker.data());
        break;
      case marker_kind::footer:
        encode_marker(marker_type::footer, 1, marker.data());
        break;
      default:
        target.tell({.kind = repair_kind::grain_left, .offset = offset});
        continue;
    }
    const repair_step step{.kind = repair_kind::marker_restored, .offset = offset};
    if (failure f = target.change(step, marker)) return f;
  }
  if (!stream.has_footer()) return no_failure;
  sector_image last{};
  const std::uint64_t end_at = target.size() - sector_bytes;
  if (failure f = target.read_at(end_at, last)) return f;
  if (is_zero(last.data(), last.size())) return no_failure;
  const repair_step step{.kind = repair_kind::marker_restored, .offset = end_at};
  return target.change(step, sector_image{});
}

}  // namespace vmdk::detail

// ---- vmdk/verify/stream_tail.hpp

namespace vmdk::detail {

/// Writes the end of a stream that has lost it: tables whose markers are missing, the directory,
/// the footer and the end-of-stream marker, behind the last whole grain (SPEC 13.7).
template <class Target>
class stream_tail {
 public:
  /// `end_sector` is where the grains end: what lies behind is no longer read. The memory is the
  /// caller's.
  constexpr stream_tail(Target& target, const sparse_extent_header& header, const marker_gaps& gaps,
                        std::uint64_t end_sector, byte_span memory) noexcept
      : target_(&target),
        header_(header),
        geometry_(header.capacity, header.grain_size),
        gaps_(&gaps),
        end_sector_(end_sector),
        memory_(memory) {}

  /// The memory that is needed at least.
  [[nodiscard]] static constexpr std::uint64_t least_bytes(
      const sparse_geometry& geometry) noexcept {
    return (geometry.directory_sectors() << sector_shift) + table_bytes;
  }

  /// Finds out which tables the stream has and which it lacks. Nothing is written yet. Errors:
  /// the file's; errc::workspace_too_small; errc::extent_too_large when a sector number would pass
  /// 2^32.
  constexpr failure plan() noexcept {
    const std::uint64_t wanted = least_bytes(geometry_);
    if (memory_.size() < wanted) {
      return options_failure(
          errc::workspace_too_small, 0,
          static_cast<std::uint32_t>(smaller_of<std::uint64_t>(wanted, 0xFFFFFFFF)));
    }
    directory_ =
        memory_.first(static_cast<std::size_t>(geometry_.directory_sectors() << sector_shift));
    tables_ = memory_.subspan(directory_.size());
    zero_bytes(directory_);
    std::uint64_t table = 0;
    marker_item last_grain;
    std::uint64_t doubtful = 0;
    const auto facts = scan([&](const marker_item& item) -> failure {
      if (item.kind == marker_kind::grain) {
        table = table_of(item.lba);
        last_grain = item;
        doubtful = 0;
        if (place_of(table) == 0) set_place(table, needed);
      } else if (place_of(table) == needed) {
        const auto is_its_own = names(item.sector + 1, last_grain);
        if (!is_its_own) return is_its_own.error();
        set_place(table, static_cast<std::uint32_t>(item.sector + 1));
        if (!*is_its_own) doubtful = item.sector;
      } else if (doubtful == 0) {
        doubtful = item.sector;
      }
      return no_failure;
    });
    if (!facts) return facts.error();
    // Tables behind the last grain's own: a repair that stopped half way wrote them.
    if (doubtful != 0) {
      end_sector_ = doubtful;
      if (place_of(table) > doubtful) set_place(table, needed);
    }
    missing_ = 0;
    for (std::uint64_t i = 0; i < geometry_.table_count(); ++i) missing_ += place_of(i) == needed;
    const std::uint64_t directory_at = end_sector_ + missing_ * (1 + table_sectors) + 1;
    if (directory_at + geometry_.directory_sectors() >= sector_number_limit) {
      return options_failure(errc::extent_too_large);
    }
    return no_failure;
  }

  /// The sector where the directory is going to be, and the size of the file.
  [[nodiscard]] constexpr std::uint64_t directory_sector() const noexcept {
    return end_sector_ + missing_ * (1 + table_sectors) + 1;
  }
  [[nodiscard]] constexpr std::uint64_t file_bytes() const noexcept {
    return ((directory_sector() + geometry_.directory_sectors()) << sector_shift) +
           stream_tail_bytes;
  }

  /// True when the directory stands where it is going to be, if it stands at a sector, and no table
  /// is missing.
  [[nodiscard]] constexpr bool may_stand_at(std::uint64_t sector) const noexcept {
    return missing_ == 0 && sector == directory_sector();
  }
  /// Where the grains end that are kept.
  [[nodiscard]] constexpr std::uint64_t end_sector() const noexcept { return end_sector_; }

  /// Cuts the file behind the grains, or behind a directory that stands already, and writes the
  /// rest, the footer behind a barrier: what stops in between is again a stream without an end.
  /// Errors: the file's.
  constexpr failure write(bool directory_stands) noexcept {
    const std::uint64_t end_at = end_sector_ << sector_shift;
    if (target_->size() > file_bytes()) {
      target_->tell({.kind = repair_kind::file_cut,
                     .offset = file_bytes(),
                     .before = target_->size(),
                     .after = file_bytes()});
    }
    // The last grain's padding may be cut as well.
    if (!directory_stands && target_->size() != end_at) {
      if (failure f = target_->resize(end_at)) return f;
    }
    if (failure f = write_tables()) return f;
    const std::uint64_t directory = directory_sector();
    if (failure f = put_marker(directory - 1, marker_type::grain_directory,
                               geometry_.directory_sectors())) {
      return f;
    }
    target_->tell({.kind = repair_kind::directory_rebuilt, .offset = directory << sector_shift});
    if (failure f = target_->write(directory << sector_shift, directory_)) return f;
    if (failure f = target_->barrier()) return f;

    const std::uint64_t footer = directory + geometry_.directory_sectors();
    if (directory_stands) {
      if (failure f = target_->resize(footer << sector_shift)) return f;
    }
    if (failure f = put_marker(footer, marker_type::footer, 1)) return f;
    header_.gd_offset = directory;
    target_->tell({.kind = repair_kind::footer_rebuilt, .offset = (footer + 1) << sector_shift});
    if (failure f = target_->write((footer + 1) << sector_shift, encode(header_))) return f;
    if (failure f = put_marker(footer + 2, marker_type::end_of_stream, 0)) return f;
    return target_->barrier();
  }

 private:
  static constexpr std::uint32_t needed = 0xFFFFFFFF;

  template <class Visit>
  [[nodiscard]] constexpr result<stream_facts> scan(Visit&& visit) noexcept {
    // What is behind is cut off before the first table is written.
    const stream_end end{.limit_sector = end_sector_};
    return scan_stream(*target_, geometry_, header_.over_head, end, *gaps_, visit);
  }
  /// The table of a grain. The grains were found to be those of the disk; should the file have
  /// changed since, they count as the last table's.
  [[nodiscard]] constexpr std::uint64_t table_of(std::uint64_t lba) const noexcept {
    return smaller_of(lba >> geometry_.grain_shift() >> sparse_geometry::table_shift,
                      geometry_.table_count() - 1);
  }
  /// True when a table has the place of a grain. Errors: the file's.
  [[nodiscard]] constexpr result<bool> names(std::uint64_t table_sector,
                                             const marker_item& grain) noexcept {
    const std::uint64_t index = (grain.lba >> geometry_.grain_shift()) & (entries_per_table - 1);
    std::array<std::byte, sizeof(std::uint32_t)> entry{};
    const std::uint64_t offset = (table_sector << sector_shift) + index * entry.size();
    if (failure f = target_->read_at(offset, entry)) return f;
    return load_le<std::uint32_t>(entry.data()) == grain.sector;
  }
  [[nodiscard]] constexpr std::uint32_t place_of(std::uint64_t table) const noexcept {
    return load_le<std::uint32_t>(directory_.data() + table * sizeof(std::uint32_t));
  }
  constexpr void set_place(std::uint64_t table, std::uint32_t sector) noexcept {
    store_le(directory_.data() + table * sizeof(std::uint32_t), sector);
  }

  constexpr failure put_marker(std::uint64_t sector, marker_type type,
                               std::uint64_t following_sectors) noexcept {
    sector_image marker{};
    encode_marker(type, following_sectors, marker.data());
    return target_->write(sector << sector_shift, marker);
  }

  /// Fills as many missing tables as there is memory for in one walk, and writes them.
  constexpr failure write_tables() noexcept {
    const std::uint64_t most = tables_.size() / table_bytes;
    std::uint64_t sector = end_sector_;
    for (std::uint64_t first = 0; first < geometry_.table_count();) {
      std::uint64_t end = first;
      std::uint64_t count = 0;
      for (; end < geometry_.table_count() && count < most; ++end) count += place_of(end) == needed;
      if (count != 0) {
        if (failure f = fill(first, end)) return f;
      }
      for (std::uint64_t table = first, n = 0; table < end; ++table) {
        if (place_of(table) != needed) continue;
        const byte_view bytes =
            tables_.subspan(static_cast<std::size_t>(n++) * table_bytes, table_bytes);
        if (failure f = put_marker(sector, marker_type::grain_table, table_sectors)) return f;
        const repair_step step{.kind = repair_kind::table_rebuilt,
                               .offset = (sector + 1) << sector_shift,
                               .table = table};
        if (failure f = target_->change(step, bytes)) return f;
        // Not before the others of this turn are written: a number is looked up by counting.
        sector += 1 + table_sectors;
      }
      std::uint64_t place = sector - count * (1 + table_sectors) + 1;
      for (std::uint64_t table = first; table < end; ++table) {
        if (place_of(table) != needed) continue;
        set_place(table, static_cast<std::uint32_t>(place));
        place += 1 + table_sectors;
      }
      first = end;
    }
    return no_failure;
  }

  /// Enters the grains of the missing tables from one up to another.
  constexpr failure fill(std::uint64_t first, std::uint64_t end) noexcept {
    zero_bytes(tables_);
    std::uint64_t last_table = first;
    std::uint64_t number = 0;
    const auto facts = scan([&](const marker_item& item) -> failure {
      if (item.kind != marker_kind::grain) return no_failure;
      const std::uint64_t grain = item.lba >> geometry_.grain_shift();
      const std::uint64_t table = grain >> sparse_geometry::table_shift;
      if (table < first || table >= end || place_of(table) != needed) return no_failure;
      if (table < last_table) {
        last_table = first;
        number = 0;
      }
      for (; last_table < table; ++last_table) number += place_of(last_table) == needed;
      std::byte* const entry = tables_.data() + number * table_bytes +
                               (grain & (entries_per_table - 1)) * sizeof(needed);
      store_le(entry, static_cast<std::uint32_t>(item.sector));
      return no_failure;
    });
    return facts.error();
  }

  Target* target_;
  sparse_extent_header header_;
  sparse_geometry geometry_;
  const marker_gaps* gaps_;
  std::uint64_t end_sector_;
  byte_span memory_;
  byte_span directory_{};
  byte_span tables_{};
  std::uint64_t missing_ = 0;
};

}  // namespace vmdk::detail

// ---- vmdk/verify/lost_end.hpp

namespace vmdk::detail {

/// Gives a stream its end back that it has lost: tables, directory and footer behind the grains
/// (SPEC 13.7).
template <class Target, class D>
class lost_end {
 public:
  constexpr lost_end(mended_extent<Target>& extent, D& decoder) noexcept
      : extent_(&extent), decoder_(&decoder) {}

  /// Writes the end of a stream anew. Errors: errc::footer_missing where it is not sure where the
  /// grains end, zeros between them would be the end, or the directory that the header names would
  /// be lost meanwhile; those of stream_tail.
  constexpr failure rebuild(const stream_view<Target>& stream) noexcept {
    const auto refused = image_failure(errc::footer_missing, offsetof(h, gd_offset));
    const stream_facts facts = stream.facts();
    if (!facts.is_complete() || facts.misplaced != 0 || facts.has_holes) return refused;
    if (header().over_head > extent_->file_sectors()) return refused;
    // What would be written behind the grains must not lie in the descriptor.
    if (header().descriptor_offset != 0 &&
        header().descriptor_offset + header().descriptor_size > header().over_head) {
      return refused;
    }
    if (facts.stopped_by == marker_kind::zero) {
      const auto is_end = is_zero_from(facts.stopped_at);
      if (!is_end) return is_end.error();
      if (!*is_end) return refused;
    }
    std::uint64_t end = facts.content_end;
    if (facts.last_grain != 0) {
      for (const std::uint64_t sector : {header().over_head.get(), facts.last_grain}) {
        const auto state = probe_grain(target(), header(), sector, *decoder_, extent_->share.rest);
        if (!state) return state.error();
        // The header's grain size is not the stream's: nothing that follows from it can be right.
        if (*state == grain_state::of_other_size) {
          return image_failure(errc::grain_size_invalid, offsetof(h, grain_size));
        }
        if (sector == facts.last_grain && *state == grain_state::torn) end = sector;
      }
    }
    header().gd_offset = directory_at_end;
    extent_->drop_copy();
    stream_tail<Target> tail(target(), header(), stream.gaps(), end, extent_->share.rest);
    if (failure f = tail.plan()) return f;
    // Until there is a footer, the file is read by the directory that its header names.
    const bool is_named =
        names_directory() && extent_->choice.header.gd_offset >= tail.end_sector();
    if (is_named) {
      header().gd_offset = extent_->choice.header.gd_offset;
      if (!tail.may_stand_at(header().gd_offset)) return refused;
    }
    // Nobody reads the file yet. The footer is written over: what it knows has to be in the header.
    if (extent_->choice.do_differ && !names_directory()) {
      if (failure f = extent_->mend_header_first()) return f;
    }
    if (failure f = mend_markers(target(), stream)) return f;
    if (failure f = tail.write(is_named)) return f;
    return extent_->mend_header();
  }

 private:
  using h = sparse_extent_header;

  [[nodiscard]] constexpr Target& target() const noexcept { return *extent_->target; }
  [[nodiscard]] constexpr sparse_extent_header& header() const noexcept { return extent_->header; }

  /// True when the header that stands there names a directory that is in the file.
  [[nodiscard]] constexpr bool names_directory() const noexcept {
    const std::uint64_t named = extent_->choice.header.gd_offset;
    return extent_->choice.is_header_usable && named != 0 && named < extent_->file_sectors();
  }

  /// True when a file has only zeros from a sector on. Errors: the file's.
  [[nodiscard]] constexpr result<bool> is_zero_from(std::uint64_t sector) noexcept {
    const byte_span window = extent_->share.rest;
    for (std::uint64_t at = sector << sector_shift; at < target().size();) {
      const auto bytes =
          static_cast<std::size_t>(smaller_of<std::uint64_t>(target().size() - at, window.size()));
      if (failure f = target().read_at(at, window.first(bytes))) return f;
      if (!is_zero(window.data(), bytes)) return false;
      at += bytes;
    }
    return true;
  }

  mended_extent<Target>* extent_;
  D* decoder_;
};

}  // namespace vmdk::detail

// ---- vmdk/verify/marker_settler.hpp

namespace vmdk::detail {

/// Settles disputes about compressed grains by the stream: a grain is where its marker is (SPEC
/// 13.7).
template <class Target>
class marker_settler {
 public:
  constexpr marker_settler(Target& target, const stream_view<Target>& stream,
                           pair_walk<Target>& pairs) noexcept
      : target_(&target), stream_(&stream), pairs_(&pairs), entries_(target) {}

  /// Settles all disputes of a list and clears it. The first time, entries of 0 whose grain is
  /// there are set too. Errors: the file's.
  constexpr failure settle(dispute_list& list) noexcept {
    const bool is_first = is_first_;
    is_first_ = false;
    list.sort_values();
    const auto facts = stream_->scan([&](const marker_item& item) -> failure {
      if (item.kind != marker_kind::grain) return no_failure;
      const std::uint64_t grain = item.lba >> geometry().grain_shift();
      const auto own =
          stream_->is_place(item.lba) ? pairs_->entry_of(grain) : result<entry_pair>(entry_pair{});
      if (!own) return own.error();
      const bool is_named = own->value[0] == item.sector || own->value[1] == item.sector;
      bool is_wanted = false;
      list.each_value(item.sector, item.sector + 1, [&](std::size_t i, unsigned) {
        dispute d = list.get(i);
        // This entry names a marker that says something else of itself.
        is_wanted = true;
        d.is_marker = !is_named;
        list.set(i, d);
      });
      if (!stream_->is_place(item.lba) || is_named) return no_failure;
      if (const std::size_t i = list.find_grain(grain); i < list.size()) {
        dispute d = list.get(i);
        if (d.found == 0) d.found = static_cast<std::uint32_t>(item.sector);
        list.set(i, d);
        return no_failure;
      }
      const bool is_unnamed = own->has(0) && own->value[0] == 0 && own->value[1] == 0;
      if (!is_first || is_wanted || !is_unnamed) return no_failure;
      return entries_.put(*own, static_cast<std::uint32_t>(item.sector),
                          repair_kind::entry_restored);
    });
    if (!facts) return facts.error();
    bool is_known = facts->is_complete();
    for (std::size_t i = 0; i < stream_->gaps().count; ++i) {
      is_known = is_known && stream_->gaps().kept.data()[i].wanted != marker_kind::nothing;
    }
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (failure f = settle_one(list.get(i), is_known)) return f;
    }
    list.clear();
    return no_failure;
  }

 private:
  [[nodiscard]] constexpr const sparse_geometry& geometry() const noexcept {
    return stream_->geometry();
  }

  /// `is_known`: the whole stream is, so that a grain which was not found is nowhere.
  constexpr failure settle_one(const dispute& d, bool is_known) noexcept {
    if (d.found != 0) return entries_.put(d, d.found, repair_kind::entry_restored);
    if (d.is_marker) {
      if (!d.agrees()) return entries_.leave(d);
      // The grain is there, and no other marker has its place: its own marker is wrong.
      const std::uint64_t lba = d.grain << geometry().grain_shift();
      const repair_step step{.kind = repair_kind::marker_restored,
                             .offset = std::uint64_t{d.value[d.one_copy()]} << sector_shift};
      return target_->change_value(step, lba);
    }
    if (is_known) return entries_.drop(d);
    return entries_.leave(d);
  }

  Target* target_;
  const stream_view<Target>* stream_;
  pair_walk<Target>* pairs_;
  entry_writer<Target> entries_;
  bool is_first_ = true;
};

}  // namespace vmdk::detail

// ---- vmdk/verify/stream_repair.hpp

namespace vmdk::detail {

/// Repairs a stream, by what its markers say (SPEC 13.7).
template <class Target, class D>
class stream_repair {
 public:
  constexpr stream_repair(mended_extent<Target>& extent, D& decoder) noexcept
      : extent_(&extent), decoder_(&decoder) {}

  /// Errors, before anything was written: those of directory_search and of lost_end;
  /// errc::grain_size_invalid where the header's is not the grains'; errc::table_overlap. Those of
  /// the file.
  constexpr failure repair() noexcept {
    const bool at_end = extent_->choice.is_footer_usable || header().has_tables_at_end() ||
                        (header().over_head != 0 && header().gd_offset >= header().over_head);
    if (at_end) return repair_at_end();
    if (failure f = extent_->place_directories()) {
      // Tables that cannot be found in front are written behind the grains.
      if (f.code != errc::directory_offset_invalid) return f;
      return repair_at_end();
    }
    return repair_tables(true);
  }

 private:
  using h = sparse_extent_header;
  using walk_type = table_walk<sparse_format, Target>;

  [[nodiscard]] constexpr Target& target() const noexcept { return *extent_->target; }
  [[nodiscard]] constexpr sparse_extent_header& header() const noexcept { return extent_->header; }

  [[nodiscard]] constexpr stream_view<Target> view(bool in_front) const noexcept {
    return stream_view<Target>(target(), header(), in_front, extent_->choice.is_footer_usable);
  }

  /// Finds the directory behind the grains: the one counts that has the most of them right.
  constexpr failure repair_at_end() noexcept {
    const sparse_extent_header& footer = extent_->choice.footer;
    const std::uint64_t footer_directory =
        extent_->choice.is_footer_usable ? footer.gd_offset.get() : 0;
    // A footer that neither has redundant tables nor could name them is right about that.
    if (footer_directory != 0 && footer.rgd_offset == 0 &&
        !footer.has(sparse_flags::redundant_tables)) {
      extent_->drop_copy();
    }
    const std::uint64_t header_directory =
        extent_->choice.header.has_tables_at_end() ? 0 : extent_->choice.header.gd_offset.get();
    stream_view<Target> stream = view(false);
    if (failure f = stream.look()) return f;
    const std::uint64_t wanted[] = {stream.facts().directory, footer_directory, header_directory};
    const directory_search<Target> search(target(), header(), extent_->share.windows);
    extent_->is_copy_lost = header().has(sparse_flags::redundant_tables) &&
                            header().rgd_offset != 0 && !search.may_hold(header().rgd_offset);
    std::uint64_t best = 0;
    std::uint64_t best_matches = 0;
    for (const std::uint64_t sector : wanted) {
      if (sector == 0 || sector == best || !search.may_hold(sector)) continue;
      header().gd_offset = sector;
      walk_type walk(target(), extent_->format(), extent_->share.windows);
      const auto matches = stream_tables<Target>(stream, walk).matches();
      if (!matches) return matches.error();
      if (best != 0 && *matches <= best_matches) continue;
      best = sector;
      best_matches = *matches;
    }
    if (best == 0 || !extent_->choice.is_footer_usable) return rebuild_end(stream);
    header().gd_offset = best;
    return repair_tables(false);
  }

  /// Mends a stream whose directory is where the header says.
  constexpr failure repair_tables(bool in_front) noexcept {
    walk_type walk(target(), extent_->format(), extent_->share.windows);
    entry_judge<Target> judge(target(), header());
    if (failure f = correct_overhead(walk, judge, in_front)) return f;
    const auto is_other = has_other_grains(target(), header(), *decoder_, extent_->share.rest);
    if (!is_other) return is_other.error();
    if (*is_other) return image_failure(errc::grain_size_invalid, offsetof(h, grain_size));
    stream_view<Target> stream = view(in_front);
    gap_search<Target> gaps(stream, walk, judge);
    if (failure f = gaps.fill()) return f;
    const auto hints = hint_search<Target>(stream, walk).collect();
    if (!hints) return hints.error();
    if (hints->is_full) return rebuild_end(stream);
    table_finder<Target> finder(walk, judge, *hints, header().over_head);
    pair_walk<Target> pairs(walk, finder);
    if (stream.facts().is_complete()) {
      const auto is_missing = lacks_tables(stream, pairs);
      if (!is_missing) return is_missing.error();
      if (*is_missing) return rebuild_end(stream);
    }
    if (failure f = refuse_overlap(pairs, extent_->share.rest)) return f;
    extent_->tell_lost_directory();
    directory_mender<Target> directories(target(), pairs);
    if (failure f = directories.plan()) return f;
    dispute_list disputes(extent_->share.rest);
    table_mender<Target> tables(target(), pairs, judge, disputes);
    marker_settler<Target> settler(target(), stream, pairs);
    if (failure f = tables.mend_marked([&] { return settler.settle(disputes); })) return f;
    if (failure f = directories.mend()) return f;
    if (failure f = mend_markers(target(), stream)) return f;
    if (in_front) {
      if (failure f = cut_behind_grains(stream, pairs)) return f;
    } else {
      if (failure f = directories.mend_tail()) return f;
      if (failure f = extent_->mend_footer()) return f;
    }
    return extent_->mend_header();
  }

  /// The walk begins at the first grain that the tables have right, when the overhead is behind it
  /// or no marker stands there.
  constexpr failure correct_overhead(walk_type& walk, entry_judge<Target>& judge,
                                     bool in_front) noexcept {
    marker_walk<Target> start(target(), extent_->geometry(), header().over_head);
    const auto item = start.next();
    if (!item) return item.error();
    const bool is_start = item->kind != marker_kind::no_marker && item->kind != marker_kind::zero &&
                          item->kind != marker_kind::nothing && header().over_head != 0;
    if (is_start && !in_front) return no_failure;
    const stream_view<Target> stream = view(in_front);
    const stream_tables<Target> tables(stream, walk);
    const auto lowest = tables.lowest_behind(judge, 0);
    if (!lowest) return lowest.error();
    // A grain with a broken marker is no reason to begin behind it.
    const auto is_named = tables.is_named(header().over_head);
    if (!is_named) return is_named.error();
    const bool is_behind = !is_start && !*is_named;
    if (*lowest != 0 && (is_behind || *lowest < header().over_head)) header().over_head = *lowest;
    return no_failure;
  }

  /// True when a grain of the stream belongs to a table that is nowhere.
  [[nodiscard]] constexpr result<bool> lacks_tables(const stream_view<Target>& stream,
                                                    pair_walk<Target>& pairs) noexcept {
    bool is_missing = false;
    const auto facts = stream.scan([&](const marker_item& item) -> failure {
      if (item.kind != marker_kind::grain) return no_failure;
      if (!stream.is_place(item.lba)) return no_failure;
      const auto entry = pairs.entry_of(item.lba >> extent_->geometry().grain_shift());
      if (!entry) return entry.error();
      is_missing = is_missing || (!entry->has(0) && !entry->has(1));
      return no_failure;
    });
    if (!facts) return facts.error();
    return is_missing;
  }

  /// Cuts a grain off that goes on behind the end of the file, with tables in front; or what is
  /// left of its marker. Where the grains should begin before the metadata ends, it stays.
  constexpr failure cut_behind_grains(const stream_view<Target>& stream,
                                      pair_walk<Target>& pairs) noexcept {
    const stream_facts& facts = stream.facts();
    const std::uint64_t end_at = facts.stopped_at << sector_shift;
    const bool is_piece = facts.stopped_by == marker_kind::nothing &&
                          facts.stopped_at == extent_->file_sectors() && end_at < target().size();
    if (facts.stopped_by != marker_kind::cut && !is_piece) return no_failure;
    const auto metadata_end = metadata_end_sector(pairs);
    if (!metadata_end) return metadata_end.error();
    if (facts.stopped_at < *metadata_end) return no_failure;
    target().tell({.kind = repair_kind::file_cut,
                   .offset = end_at,
                   .before = target().size(),
                   .after = end_at + sector_bytes});
    if (failure f = target().barrier()) return f;
    // What stops in between ends in a grain that is cut, as before.
    if (target().size() > end_at + sector_bytes) {
      if (failure f = target().resize(end_at + sector_bytes)) return f;
      if (failure f = target().barrier()) return f;
    }
    return target().write(end_at, sector_image{});
  }

  /// Errors: those of lost_end.
  constexpr failure rebuild_end(const stream_view<Target>& stream) noexcept {
    return lost_end<Target, D>(*extent_, *decoder_).rebuild(stream);
  }

  mended_extent<Target>* extent_;
  D* decoder_;
};

}  // namespace vmdk::detail

// ---- vmdk/verify/extent_repair.hpp

namespace vmdk::detail {

/// Repairs one hosted sparse file (SPEC 13.7), once it is sure which header is right. First
/// everything is read that may be a reason to refuse; then tables, directories, and at last the
/// header are mended, so that no step leads to what is not there yet.
template <class Target, class D>
class extent_repairer {
 public:
  constexpr extent_repairer(Target& target, D& decoder, byte_span room) noexcept
      : extent_{.target = &target, .share = walk_room(room)}, decoder_(&decoder), room_(room) {}

  /// Errors, before anything was written: what is wrong where nothing else tells how it was;
  /// errc::workspace_too_small. Those of the file.
  constexpr failure repair() noexcept {
    const auto chosen = choose_header(*extent_.target, [&](const sparse_extent_header& header) {
      const auto grain = has_other_grains(*extent_.target, header, *decoder_, extent_.share.rest);
      if (!grain) return result<unsigned>(grain.error());
      return *grain ? result<unsigned>(1u) : contradicts(header);
    });
    if (!chosen) return chosen.error();
    extent_.choice = *chosen;
    extent_.header = chosen->taken;
    const auto other_capacity = contradicts(extent_.header);
    if (!other_capacity) return other_capacity.error();
    if (*other_capacity != 0) {
      return image_failure(errc::descriptor_capacity_mismatch,
                           offsetof(sparse_extent_header, capacity));
    }
    return extent_.header.is_compressed() ? stream_repair<Target, D>(extent_, *decoder_).repair()
                                          : plain_repair<Target>(extent_).repair();
  }

 private:
  /// A log that nobody reads.
  struct no_log {
    constexpr failure add(const finding&) noexcept { return no_failure; }
  };

  /// 1 when the embedded descriptor gives the disk another size than a header, else 0. A text that
  /// cannot be read says nothing.
  [[nodiscard]] constexpr result<unsigned> contradicts(
      const sparse_extent_header& header) noexcept {
    if (std::is_constant_evaluated()) {
      return 0u;
    }
    if (header.descriptor_offset == 0) return 0u;
    return contradicts_text(header);
  }
  [[nodiscard]] result<unsigned> contradicts_text(const sparse_extent_header& header) noexcept {
    const range region{header.descriptor_offset << sector_shift,
                       header.descriptor_size << sector_shift};
    no_log log;
    const auto text =
        check_descriptor_text(*extent_.target, region, descriptor_place::embedded, room_, log);
    if (!text) {
      if (text.error().code == errc::workspace_too_small) return 0u;
      return text.error();
    }
    if (!text->is_usable) return 0u;
    return is_same_capacity(header.capacity, text->view.total_sectors(), true) ? 0u : 1u;
  }

  mended_extent<Target> extent_;
  D* decoder_;
  byte_span room_;
};

}  // namespace vmdk::detail

// ---- vmdk/verify/open_checked.hpp

namespace vmdk {

/// Opens an image as a strict reader does, having looked at all of it first: what `open` checks
/// only when it is used (tables, their copies, grains and where they overlap) refuses the image
/// here. Errors: the first broken rule of SPEC 13 that is more than a note, with the number of the
/// file and the offset in it; those of `check` and of `open`.
template <Files F, class D>
[[nodiscard]] result<image<F>> open_checked(F& files, file_id file, const image_spans& memory,
                                            const check_spans<D>& checking) noexcept {
  failure why;
  const auto done = check(files, file, checking, [&why](const finding& found) {
    if (accepts(strictness::strict, found.code)) return true;
    why = image_failure(found.code, found.offset);
    why.index = found.file;
    return false;
  });
  if (why) return why;
  if (!done) return done.error();
  return open(files, file, memory, strictness::strict);
}

/// As above, for a file that is named. Errors: also those of `files.open`.
template <Files F, class D>
[[nodiscard]] result<image<F>> open_checked(F& files, std::string_view name,
                                            const image_spans& memory,
                                            const check_spans<D>& checking) noexcept {
  const auto file = files.open(name);
  if (!file) return file.error();
  return open_checked(files, *file, memory, checking);
}

/// As above, in the memory of two objects; `file_or_name` is a file_id or a name.
template <Files F, class Name, std::size_t E, std::size_t L, std::size_t T, std::size_t RoomBytes,
          class D>
[[nodiscard]] result<image<F>> open_checked(F& files, Name file_or_name,
                                            image_memory<E, L, T>& memory,
                                            check_memory<RoomBytes, D>& checking) noexcept {
  return open_checked(files, file_or_name, memory.spans(), checking.spans());
}

/// Opens the image in one Source in the same way; one that names a further file is refused, as if
/// that were missing.
template <Source S, class D>
[[nodiscard]] result<source_image<S>> open_checked(S& source, const image_spans& memory,
                                                   const check_spans<D>& checking) noexcept {
  single_file<S> file(source);
  return open_checked(file, file_id{}, memory, checking);
}

/// As above, in the memory of two objects.
template <Source S, std::size_t E, std::size_t L, std::size_t T, std::size_t RoomBytes, class D>
[[nodiscard]] result<source_image<S>> open_checked(S& source, image_memory<E, L, T>& memory,
                                                   check_memory<RoomBytes, D>& checking) noexcept {
  return open_checked(source, memory.spans(), checking.spans());
}

}  // namespace vmdk

// ---- vmdk/verify/repair_target.hpp

namespace vmdk::detail {

/// The file that is repaired, and who is told. Without a Storage, or in a trial, nothing is
/// written: every decision of a repair follows from what stands in the file before it, and is the
/// same once it is done.
template <Source S, class OnStep>
class repair_target {
 public:
  constexpr repair_target(S& file, bool writes, OnStep& on_step) noexcept
      : file_(&file), on_step_(&on_step), size_bytes_(file.size()), writes_(writes) {}

  /// The size that the file had.
  [[nodiscard]] constexpr std::uint64_t size() const noexcept { return size_bytes_; }

  constexpr failure read_at(std::uint64_t offset, byte_span out) noexcept {
    return file_->read_at(offset, out);
  }

  /// Tells a step that changes bytes at its offset, and makes it. Errors: the file's.
  constexpr failure change(const repair_step& step, byte_view bytes) noexcept {
    tell(step);
    return write(step.offset, bytes);
  }

  /// The same for a table or directory entry, or a field of a header.
  template <class T>
  constexpr failure change_value(const repair_step& step, T value) noexcept {
    std::byte bytes[sizeof(T)]{};
    store_le(bytes, value);
    return change(step, bytes);
  }

  /// Tells a step; one that changes something is then made with `write`.
  constexpr void tell(const repair_step& step) noexcept {
    if (is_left(step.kind)) {
      ++summary.left;
      if (!tells_what_is_left) return;
    } else {
      ++summary.changes;
    }
    if (step.kind == repair_kind::entry_dropped) ++summary.dropped_entries;
    (*on_step_)(step);
  }

  constexpr failure write(std::uint64_t offset, byte_view bytes) noexcept {
    if constexpr (Storage<S>) {
      if (writes_) return file_->write_at(offset, bytes);
    }
    return no_failure;
  }

  /// What was written before is on the medium before what is written after.
  constexpr failure barrier() noexcept {
    if constexpr (Storage<S>) {
      if (writes_ && summary.changes != 0) return file_->flush();
    }
    return no_failure;
  }

  constexpr failure resize(std::uint64_t size_bytes) noexcept {
    if constexpr (Storage<S>) {
      if (writes_) return file_->resize(size_bytes);
    }
    return no_failure;
  }

  repair_summary summary{};
  bool tells_what_is_left = true;

 private:
  S* file_;
  OnStep* on_step_;
  std::uint64_t size_bytes_;
  bool writes_;
};

}  // namespace vmdk::detail

// ---- vmdk/verify/repair.hpp

namespace vmdk {

/// The least room that a repair takes.
inline constexpr std::size_t repair_least_bytes = check_least_bytes;

/// The room that the repair of a stream takes which has lost its end: the directory is made in it.
/// No other repair takes more than repair_least_bytes; more makes it faster.
[[nodiscard]] constexpr std::uint64_t repair_bytes(std::uint64_t capacity_sectors,
                                                   std::uint64_t grain_sectors) noexcept {
  const sparse_geometry geometry(capacity_sectors, grain_sectors);
  const std::uint64_t tail = (geometry.directory_sectors() << sector_shift) + table_bytes;
  // The windows over tables have up to a quarter of the room.
  return repair_least_bytes + tail * 2;
}

/// The memory of a repair as spans, for room whose size is known at run time only.
template <class D = inflate>
struct repair_spans {
  D& decoder;
  byte_span room;
};

/// The memory of a repair. More room means fewer passes, as long as there is repair_bytes of it;
/// and where many entries contradict one another, more of them are weighed together.
template <std::size_t RoomBytes = std::size_t{256} << 10, class D = inflate>
struct repair_memory {
  static_assert(RoomBytes >= repair_least_bytes,
                "vmdk: a repair needs at least repair_least_bytes");
  D decoder{};
  std::array<std::byte, RoomBytes> room{};

  [[nodiscard]] constexpr repair_spans<D> spans() noexcept { return {decoder, room}; }
};

namespace detail {

inline constexpr unsigned most_repair_rounds = 8;

template <class S, class D, class OnStep>
[[nodiscard]] constexpr result<repair_summary> repair_file(S& file, const repair_spans<D>& memory,
                                                           bool writes, OnStep& on_step) noexcept {
  if (memory.room.size() < repair_least_bytes) {
    return options_failure(errc::workspace_too_small, 0, repair_least_bytes);
  }
  // Mended entries may let more be found than the broken ones did, mostly nothing. A trial sees the
  // first round alone.
  repair_summary total;
  for (unsigned round = 0; round < most_repair_rounds; ++round) {
    repair_target<S, OnStep> target(file, writes, on_step);
    target.tells_what_is_left = round == 0;
    extent_repairer<repair_target<S, OnStep>, D> extent(target, memory.decoder, memory.room);
    if (failure f = extent.repair()) return f;
    total.changes += target.summary.changes;
    total.dropped_entries += target.summary.dropped_entries;
    total.left = target.summary.left;
    if (!writes || target.summary.changes == 0) break;
  }
  return total;
}

}  // namespace detail

/// Mends the metadata of a hosted sparse file, in place: monolithicSparse, streamOptimized, or one
/// extent of a split disk. What is right follows from the other copy of a table, directory or
/// header, from the markers of a stream, and from where tables are known to lie (SPEC 13.7). No
/// grain's data is changed. Entries whose grain is nowhere become 0: such a grain reads as zeros,
/// or as what a parent has. A grain that can be read stays so, unless its sectors are those of
/// metadata, or an entry of another grain names them too, in either copy of the tables.
///
/// `on_step(const repair_step&)` is called before each change, and for all that cannot be repaired,
/// and must not throw.
/// What is written in between leads to nothing that is not there yet, with barriers before header
/// and footer: where it stops, an image is no worse than before, and another repair goes on. A
/// second repair changes nothing.
///
/// Errors, before anything was written: what is wrong, with its place, where there is nothing to
/// tell how it was, such as a header without a footer that cannot be; errc::table_overlap where
/// tables share sectors; errc::workspace_too_small (see repair_bytes). Those of the file, at any
/// time.
template <Storage S, class D, class OnStep>
[[nodiscard]] constexpr result<repair_summary> repair(S& file, const repair_spans<D>& memory,
                                                      OnStep&& on_step) noexcept {
  return detail::repair_file(file, memory, true, on_step);
}

/// As above, in the memory of one object.
template <Storage S, std::size_t RoomBytes, class D, class OnStep>
[[nodiscard]] constexpr result<repair_summary> repair(S& file, repair_memory<RoomBytes, D>& memory,
                                                      OnStep&& on_step) noexcept {
  return repair(file, memory.spans(), on_step);
}

/// Tells what a repair would do, and writes nothing; where a repair changes something that lets
/// more be found, it goes on with that, and does more. Errors: as for `repair`.
template <Source S, class D, class OnStep>
[[nodiscard]] constexpr result<repair_summary> plan_repair(S& file, const repair_spans<D>& memory,
                                                           OnStep&& on_step) noexcept {
  return detail::repair_file(file, memory, false, on_step);
}

/// As above, in the memory of one object.
template <Source S, std::size_t RoomBytes, class D, class OnStep>
[[nodiscard]] constexpr result<repair_summary> plan_repair(S& file,
                                                           repair_memory<RoomBytes, D>& memory,
                                                           OnStep&& on_step) noexcept {
  return plan_repair(file, memory.spans(), on_step);
}

}  // namespace vmdk

// ---- vmdk/writer/delta_source.hpp

namespace vmdk::detail {

/// Remembers the last range of data that a source told of, so that a walk asks once for each.
template <Source S>
class data_finder {
 public:
  constexpr explicit data_finder(S& source) noexcept : source_(&source) {}

  /// The first range of data that ends behind an offset, which never descends; one of length 0, and
  /// without an end, when there is none. Errors: those of the source.
  [[nodiscard]] constexpr result<range> at(std::uint64_t offset) noexcept {
    if (offset >= known_until_) {
      const std::uint64_t size_bytes = source_->size();
      data_ = {};
      known_until_ = ~std::uint64_t{0};
      if (offset < size_bytes) {
        const auto found = next_data_of(*source_, offset);
        if (!found) {
          known_until_ = 0;
          return found.error();
        }
        data_ = *found;
        if (data_.bytes != 0) known_until_ = data_.end();
      }
    }
    if (data_.bytes == 0 || data_.offset >= offset) return data_;
    return range{offset, data_.end() - offset};
  }

 private:
  S* source_;
  range data_{};
  std::uint64_t known_until_ = 0;
};

/// Reads a disk, and takes for data also what is data in its parent: there the disk may have to
/// hide the parent's bytes with zeros. To be walked front to back.
template <Source S, Source P>
class delta_source {
 public:
  /// Disk and parent are the caller's.
  constexpr delta_source(S& disk, P& parent) noexcept
      : disk_(&disk), disk_data_(disk), parent_data_(parent) {}

  [[nodiscard]] constexpr std::uint64_t size() const noexcept {
    return static_cast<const S*>(disk_)->size();
  }

  constexpr failure read_at(std::uint64_t offset, byte_span out) noexcept {
    return disk_->read_at(offset, out);
  }

  /// The next data of either. Errors: those of the disk and of the parent.
  constexpr result<range> next_data(std::uint64_t offset) noexcept {
    const auto own = disk_data_.at(offset);
    if (!own) return own;
    const auto hidden = parent_data_.at(offset);
    if (!hidden) return hidden;
    const range first = comes_first(*own, *hidden) ? *own : *hidden;
    if (first.bytes == 0 || first.offset >= size()) return range{size(), 0};
    return range{first.offset, smaller_of(first.end(), size()) - first.offset};
  }

 private:
  [[nodiscard]] static constexpr bool comes_first(const range& a, const range& b) noexcept {
    if (a.bytes == 0 || b.bytes == 0) return a.bytes != 0;
    return a.offset != b.offset ? a.offset < b.offset : a.bytes > b.bytes;
  }

  S* disk_;
  data_finder<S> disk_data_;
  data_finder<P> parent_data_;
};

/// Tells grains in which a disk differs from its parent from others, and adds what it sees of the
/// disk to a content id.
template <Source P>
class delta_scanner {
 public:
  /// Without a hasher nothing is hashed. The buffer takes as many of the parent's grains as are
  /// fetched at a time.
  constexpr delta_scanner(P& parent, const sparse_geometry& geometry, content_hasher* hasher,
                          byte_span buffer) noexcept
      : parent_(&parent),
        hashed_(geometry, hasher),
        hashing_(hasher != nullptr),
        grain_byte_shift_(geometry.grain_byte_shift()),
        buffer_(buffer) {}

  /// Reads the parent's side of some grains; behind its end there are zeros.
  /// Errors: those of the parent.
  [[nodiscard]] constexpr failure fetch(std::uint64_t first_grain, std::uint64_t grains) noexcept {
    first_grain_ = first_grain;
    const byte_span wanted = buffer_.first(static_cast<std::size_t>(grains << grain_byte_shift_));
    const std::uint64_t offset = first_grain << grain_byte_shift_;
    const std::uint64_t size_bytes = parent_->size();
    const std::uint64_t rest_bytes = offset < size_bytes ? size_bytes - offset : 0;
    const auto there =
        static_cast<std::size_t>(smaller_of<std::uint64_t>(wanted.size(), rest_bytes));
    zero_bytes(wanted.subspan(there));
    return there == 0 ? no_failure : parent_->read_at(offset, wanted.first(there));
  }

  /// True when one of the fetched grains is another in the parent.
  [[nodiscard]] constexpr bool holds_data(const std::byte* grain, std::uint64_t index) noexcept {
    if (hashing_) (void)hashed_.holds_data(grain, index);
    const auto at = static_cast<std::size_t>((index - first_grain_) << grain_byte_shift_);
    return !equal_bytes(grain, buffer_.data() + at, std::size_t{1} << grain_byte_shift_);
  }

 private:
  P* parent_;
  grain_scanner hashed_;
  bool hashing_;
  unsigned grain_byte_shift_;
  byte_span buffer_;
  std::uint64_t first_grain_ = 0;
};

}  // namespace vmdk::detail

// ---- vmdk/writer/delta.hpp

namespace vmdk {

/// All the memory that writing a child takes, besides a few hundred bytes of stack: a table, a
/// grain of the child and one of its parent. A larger `bulk` is used instead of the grains when
/// there is one, and never changes the result; with dynamic_grain it holds at least two grains.
template <class Type>
struct delta_workspace;

template <std::uint32_t GrainSectors>
struct delta_workspace<monolithic_sparse<GrainSectors>> {
  std::array<std::byte, table_bytes> table{};
  std::array<std::byte,
             std::size_t{2} * monolithic_sparse<GrainSectors>::grain_sectors * sector_bytes>
      grains{};
  byte_span bulk{};

  [[nodiscard]] constexpr byte_span buffer() noexcept {
    return bulk.size() > grains.size() ? bulk : byte_span(grains);
  }
};

namespace detail {

/// Plans a child. Errors, all with origin options: errc::not_supported (like_mkimg);
/// errc::option_invalid (detail: descriptor_problem::parent); those of plan_file.
[[nodiscard]] constexpr result<sparse_plan> plan_delta(std::uint64_t parent_bytes,
                                                       const parent_link& parent,
                                                       const write_options& options,
                                                       std::uint32_t grain_sectors) noexcept {
  if (options.like_mkimg) return options_failure(errc::not_supported);
  if (failure f = check_grain(grain_sectors)) return f;
  if (parent.cid == no_parent_cid || parent.file_name_hint.empty()) {
    return refused(descriptor_problem::parent);
  }
  return plan_file<sparse_layout>(
      parent_bytes, options, create_type::monolithic_sparse,
      sparse_layout_options{.grain_sectors = grain_sectors, .capacity = capacity_rule::exact},
      parent);
}

/// Fails unless a disk of so many bytes may be a child of this capacity. It may be shorter by what
/// rounding up to a whole grain has added to the parent.
[[nodiscard]] constexpr failure check_child_size(std::uint64_t child_bytes,
                                                 const sparse_layout& layout) noexcept {
  constexpr std::uint64_t padding = std::uint64_t{largest_writable_grain_sectors} * sector_bytes;
  const std::uint64_t capacity_bytes = layout.capacity_bytes();
  if (child_bytes <= capacity_bytes && capacity_bytes - child_bytes < padding) return no_failure;
  return options_failure(errc::parent_capacity_differs, child_bytes);
}

[[nodiscard]] constexpr failure check_delta_memory(byte_span buffer,
                                                   const sparse_layout& layout) noexcept {
  const std::uint32_t wanted = 2 * layout.geometry().grain_bytes();
  if (buffer.size() >= wanted) return no_failure;
  return options_failure(errc::workspace_too_small, 0, wanted);
}

[[nodiscard]] constexpr write_report report_delta(const sparse_plan& plan,
                                                  std::uint64_t source_bytes,
                                                  std::uint64_t stored_grains) noexcept {
  return {.source_bytes = source_bytes,
          .capacity_bytes = plan.layout.capacity_bytes(),
          .file_bytes = plan.layout.file_bytes(stored_grains).value(),
          .stored_grains = stored_grains,
          .id = plan.fields.id};
}

/// The id of a child that is its parent still: the parent's own, as VMware has it, unless readers
/// would take that for something else.
[[nodiscard]] constexpr content_id id_like_parent(std::uint32_t parent_cid) noexcept {
  content_id id = make_content_id(parent_cid);
  if (parent_cid != 0 && parent_cid < 0xFFFFFFFE) id.set_cid(parent_cid);
  return id;
}

}  // namespace detail

/// Writes a monolithicSparse file that holds only the grains in which a disk differs from its
/// parent, any Source that reads as the parent does; reading the file and the parent together gives
/// the disk. A grain of zeros is stored where the parent has something else.
///
/// Disk and parent are walked once, side by side; the disk may be a forward_source. What both know
/// to be holes is not read. The capacity is the parent's, whatever `options.capacity` says: the
/// disk is as large, or less than 1 MiB shorter, and then ends in zeros. The content id is that of
/// the whole disk. Errors: errc::parent_capacity_differs (offset: the disk's size),
/// errc::option_invalid (detail: a descriptor_problem; `parent` without a CID or a hint),
/// errc::capacity_zero, errc::capacity_too_large, errc::grain_size_invalid, errc::not_supported
/// (like_mkimg) and errc::workspace_too_small, all of origin::options and before anything is
/// written; errc::extent_too_large; those of the sink, the disk and the parent, unchanged. After an
/// error the sink's content is no image: its header is missing. Source: SPEC 3, 4, 6, 9, 14.
template <class Type, Source S, Source P, SeekableSink K>
[[nodiscard]] constexpr result<write_report> write_delta(S& source, P& parent,
                                                         const parent_link& link, K& sink,
                                                         const write_options& options,
                                                         delta_workspace<Type>& memory) noexcept {
  auto plan = detail::plan_delta(parent.size(), link, options, detail::grain_of<Type>(options));
  if (!plan) return plan.error();
  const sparse_layout& layout = plan->layout;
  if (failure f = detail::check_child_size(source.size(), layout)) return f;
  const byte_span buffer = memory.buffer();
  if (failure f = detail::check_delta_memory(buffer, layout)) return f;

  content_hasher hasher;
  const std::size_t half = buffer.size() / 2;
  const detail::delta_scanner<P> scanner(parent, layout.geometry(),
                                         detail::needs_content(options) ? &hasher : nullptr,
                                         buffer.subspan(half, half));
  sparse_scratch scratch{.table = memory.table, .buffer = buffer.first(half)};
  padded_source<S> disk(source, layout.capacity_bytes());
  detail::delta_source<padded_source<S>, P> both(disk, parent);
  const auto stored = write_sparse_body(both, sink, layout, scanner, scratch);
  if (!stored) return stored.error();
  if (failure f = detail::finish_source(source)) return f;
  plan->fields.id = detail::choose_id(options, hasher.finish());
  if (failure f = detail::write_sparse_head(sink, *plan)) return f;
  return detail::report_delta(*plan, source.size(), *stored);
}

/// Writes a child that does not differ from its parent yet, without reading either: a snapshot. Its
/// CID is the parent's unless one is given.
///
/// Errors: those of write_delta that concern options, memory and sink. After an error the sink's
/// content is no image. Source: SPEC 3, 4, 6, 9.
template <class Type, SeekableSink K>
[[nodiscard]] constexpr result<write_report> write_empty_delta(
    std::uint64_t parent_bytes, const parent_link& link, K& sink, const write_options& options,
    delta_workspace<Type>& memory) noexcept {
  auto plan = detail::plan_delta(parent_bytes, link, options, detail::grain_of<Type>(options));
  if (!plan) return plan.error();
  const sparse_layout& layout = plan->layout;
  if (failure f = detail::check_delta_memory(memory.buffer(), layout)) return f;

  zero_source nothing(layout.capacity_bytes());
  sparse_scratch scratch{.table = memory.table, .buffer = memory.buffer()};
  const grain_scanner scanner(layout.geometry(), nullptr);
  const auto stored = write_sparse_body(nothing, sink, layout, scanner, scratch);
  if (!stored) return stored.error();
  plan->fields.id = detail::choose_id(options, detail::id_like_parent(link.cid));
  if (failure f = detail::write_sparse_head(sink, *plan)) return f;
  write_report report = detail::report_delta(*plan, parent_bytes, *stored);
  report.id_from_content = false;
  return report;
}

}  // namespace vmdk
