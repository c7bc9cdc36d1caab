// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <string_view>

#include "vmdk/format/descriptor_parser.hpp"

/// A descriptor that breaks it, for each rule of SPEC 13.4.
namespace bad_descriptors {

using namespace vmdk;

inline constexpr auto embedded = descriptor_place::embedded;
inline constexpr auto text_file = descriptor_place::text_file;

inline constexpr std::string_view head =
    "# Disk DescriptorFile\nversion=1\nCID=0badcafe\nparentCID=ffffffff\n";
inline constexpr std::string_view sparse =
    "# Disk DescriptorFile\nversion=1\nCID=0badcafe\nparentCID=ffffffff\n"
    "createType=\"monolithicSparse\"\n";
inline constexpr std::string_view split =
    "# Disk DescriptorFile\nversion=1\nCID=0badcafe\nparentCID=ffffffff\n"
    "createType=\"twoGbMaxExtentSparse\"\n";
inline constexpr std::string_view flat =
    "# Disk DescriptorFile\nversion=1\nCID=0badcafe\nparentCID=ffffffff\n"
    "createType=\"monolithicFlat\"\n";
inline constexpr std::string_view extent = "RW 8 SPARSE \"a\"\n";
inline constexpr std::string_view ddb = "ddb.adapterType = \"ide\"\n";
inline constexpr std::string_view hidden{"\0\0hidden\0", 9};

/// The parts of a text, front to back.
struct text_parts {
  std::string_view first{};
  std::string_view second{};
  std::string_view third{};
  std::string_view fourth{};
  std::string_view fifth{};
};

/// A text, the one thing that is wrong with it, and the piece of it that stands where.
struct bad_text {
  errc code;
  descriptor_place place;
  std::string_view at;  ///< Empty: the end of the text.
  text_parts parts;
};

/// The parts of a text, joined.
class joined {
 public:
  constexpr explicit joined(const text_parts& parts) {
    add(parts.first);
    add(parts.second);
    add(parts.third);
    add(parts.fourth);
    add(parts.fifth);
  }
  constexpr operator std::string_view() const { return {text_, size_}; }

 private:
  constexpr void add(std::string_view part) {
    for (const char c : part) text_[size_++] = c;
  }

  char text_[512]{};
  std::size_t size_ = 0;
};

inline constexpr bad_text bad_texts[] = {
    // The text as a whole.
    {errc::descriptor_signature_missing,
     embedded,
     "#Disk",
     {"#Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\n"
      "createType=\"monolithicSparse\"\n",
      extent, ddb}},
    {errc::descriptor_empty, embedded, "", {""}},
    {errc::descriptor_empty, text_file, " ", {"  "}},
    {errc::descriptor_padding_not_zero, embedded, "hidden", {sparse, extent, ddb, hidden}},
    {errc::descriptor_nul_inside, text_file, "hidden", {split, extent, ddb, hidden}},
    {errc::descriptor_control_character, embedded, "\x01", {sparse, extent, "# \x01\n", ddb}},
    {errc::descriptor_control_character, embedded, "\x7f", {sparse, extent, "# \x7f\n", ddb}},
    {errc::descriptor_line_end_invalid, embedded, "\rb", {sparse, extent, "#a\rb\n", ddb}},
    {errc::descriptor_line_end_invalid, embedded, "\r", {sparse, extent, ddb, "#\r"}},
    {errc::descriptor_line_end_unusual, embedded, "\r", {sparse, extent, "#a\r\n#b\r\n", ddb}},
    {errc::descriptor_line_invalid, embedded, "what", {sparse, extent, "what is this\n", ddb}},
    {errc::descriptor_line_invalid, embedded, "=x", {sparse, extent, ddb, "=x\n"}},
    {errc::descriptor_line_invalid, embedded, "a b", {sparse, extent, ddb, "a b=x\n"}},
    {errc::descriptor_line_invalid, embedded, "\"k\"", {sparse, extent, ddb, "\"k\"=x\n"}},
    {errc::descriptor_blanks_unusual, embedded, "\t", {sparse, "RW 8\tSPARSE \"a\"\n", ddb}},
    {errc::descriptor_blanks_unusual, embedded, "  RW", {sparse, "  RW 8 SPARSE \"a\"\n", ddb}},
    {errc::descriptor_blanks_unusual,
     embedded,
     "createType",
     {head, "createType = \"monolithicSparse\"\n", extent, ddb}},
    {errc::descriptor_blanks_unusual,
     embedded,
     "createType",
     {head, "createType= \"monolithicSparse\"\n", extent, ddb}},
    {errc::descriptor_not_utf8, embedded, "\xE4", {sparse, "RW 8 SPARSE \"\xC3\xA4\xE4\"\n", ddb}},
    {errc::descriptor_encoding_unknown,
     embedded,
     "\xE4",
     {sparse, "encoding=\"GBK\"\nRW 8 SPARSE \"\xE4\"\n", ddb}},

    // Keys.
    {errc::descriptor_key_duplicate, embedded, "CID=2", {sparse, "CID=2\n", extent, ddb}},
    {errc::descriptor_key_duplicate,
     embedded,
     "new=\"2",
     {sparse, "NEW=\"1\"\nnew=\"2\"\n", extent, ddb}},
    {errc::descriptor_key_duplicate,
     embedded,
     "ddb.X",
     {sparse, extent, "ddb.x=\"1\"\nddb.X=\"2\"\n"}},
    {errc::descriptor_key_duplicate,
     embedded,
     "changeTrackPath=\"2",
     {sparse, "changeTrackPath=\"1\"\n", extent, "changeTrackPath=\"2\"\n", ddb}},
    {errc::descriptor_key_case,
     embedded,
     "CREATETYPE",
     {sparse, "CREATETYPE=\"x\"\n", extent, ddb}},
    {errc::descriptor_key_case, embedded, "Version", {sparse, "Version=1\n", extent, ddb}},
    {errc::descriptor_key_hidden,
     embedded,
     "parentFile",
     {sparse, "#parentFileNameHint=\"/etc/passwd\"\n", extent, ddb}},
    {errc::descriptor_key_hidden, embedded, "CREATETYPE", {sparse, extent, "# CREATETYPE\n", ddb}},
    {errc::descriptor_key_hidden, embedded, "cid=5", {sparse, extent, "# cid=5\n", ddb}},
    {errc::descriptor_key_hidden,
     embedded,
     "parentCID.",
     {sparse, "RW 8 SPARSE \"parentCID.x\"\n", ddb}},
    {errc::descriptor_key_hidden,
     embedded,
     "createType=\"\nRW",
     {sparse, "encoding=\"createType=\"\n", extent, ddb}},
    {errc::descriptor_key_hidden,
     embedded,
     "createType.",
     {sparse, extent, "ddb.createType.x=\"\"\n"}},
    {errc::descriptor_key_hidden, embedded, "cid=y", {sparse, extent, "ddb.x = \"cid=y\"\n"}},
    {errc::descriptor_key_unknown, embedded, "news", {sparse, "news=\"x\"\n", extent, ddb}},
    {errc::descriptor_section_order,
     embedded,
     "encoding",
     {sparse, extent, "encoding=\"UTF-8\"\n", ddb}},
    {errc::descriptor_section_order,
     embedded,
     "RW 9",
     {sparse, extent, ddb, "RW 9 SPARSE \"a\"\n"}},
    {errc::descriptor_section_order,
     text_file,
     "RW 9",
     {split, extent, "changeTrackPath=\"c\"\nRW 9 SPARSE \"a\"\n", ddb}},

    // What is not there to be read.
    {errc::descriptor_encrypted,
     embedded,
     "key\"\nRW",
     {sparse, "encryptionKeys=\"key\"\n", extent, ddb}},
    {errc::descriptor_encrypted,
     text_file,
     "key\nRW",
     {split, "ENCRYPTIONKEYS = key\n", extent, ddb}},
    {errc::descriptor_parent_by_uuid,
     embedded,
     "0-8c",
     {sparse, extent, ddb, "ddb.uuid.parent=\"0-8c7f0a12\"\n"}},
    {errc::descriptor_parent_by_uuid,
     text_file,
     "00 a0",
     {split, extent, ddb, "DDB.UUID.PARENT=\"00 a0\"\n"}},

    // Values.
    {errc::descriptor_value_invalid, embedded, "\"x\n", {sparse, extent, ddb, "ddb.x = \"x\n"}},
    {errc::descriptor_value_invalid, embedded, "x\"\n", {sparse, extent, ddb, "ddb.x = x\"\n"}},
    {errc::descriptor_value_invalid, embedded, "x\" y\n", {sparse, extent, ddb, "ddb.x = x\" y\n"}},
    {errc::descriptor_value_invalid,
     embedded,
     "a\"b\"",
     {sparse, extent, ddb, "ddb.x = \"a\"b\"\n"}},
    {errc::descriptor_value_invalid,
     embedded,
     "\"\nend",
     {sparse, extent, ddb, "ddb.x = \"\nend=\"\"\n"}},
    {errc::descriptor_value_unquoted,
     embedded,
     "monolithic",
     {head, "createType=monolithicSparse\n", extent, ddb}},
    {errc::descriptor_value_unquoted, embedded, "ide", {sparse, extent, "ddb.adapterType = ide\n"}},
    {errc::descriptor_value_case,
     embedded,
     "MONO",
     {head, "createType=\"MONOLITHICSPARSE\"\n", extent, ddb}},
    {errc::descriptor_value_case, embedded, "rw", {sparse, "rw 8 SPARSE \"a\"\n", ddb}},
    {errc::descriptor_value_case, embedded, "RW", {sparse, "RW 8 sparse \"a\"\n", ddb}},

    // The first section.
    {errc::descriptor_version_missing,
     embedded,
     "",
     {"# Disk DescriptorFile\nCID=1\nparentCID=ffffffff\ncreateType=\"monolithicSparse\"\n", extent,
      ddb}},
    {errc::descriptor_version_invalid,
     embedded,
     "4",
     {"# Disk DescriptorFile\nversion=4\nCID=1\nparentCID=ffffffff\n"
      "createType=\"monolithicSparse\"\n",
      extent, ddb}},
    {errc::descriptor_version_invalid,
     embedded,
     "0",
     {"# Disk DescriptorFile\nversion=0\nCID=1\nparentCID=ffffffff\n"
      "createType=\"monolithicSparse\"\n",
      extent, ddb}},
    {errc::descriptor_version_invalid,
     embedded,
     "1\"",
     {"# Disk DescriptorFile\nversion=\"1\"\nCID=2\nparentCID=ffffffff\n"
      "createType=\"monolithicSparse\"\n",
      extent, ddb}},
    {errc::descriptor_cid_missing,
     embedded,
     "",
     {"# Disk "
      "DescriptorFile\nversion=1\nparentCID=ffffffff\ncreateType=\"monolithicSparse\"\n",
      extent, ddb}},
    {errc::descriptor_cid_invalid,
     embedded,
     "0x1",
     {"# Disk DescriptorFile\nversion=1\nCID=0x1\nparentCID=ffffffff\n"
      "createType=\"monolithicSparse\"\n",
      extent, ddb}},
    {errc::descriptor_cid_invalid,
     embedded,
     "1\"\n",
     {"# Disk DescriptorFile\nversion=1\nCID=\"1\"\nparentCID=ffffffff\n"
      "createType=\"monolithicSparse\"\n",
      extent, ddb}},
    {errc::descriptor_cid_invalid,
     embedded,
     "123456789",
     {"# Disk DescriptorFile\nversion=1\nCID=123456789\nparentCID=ffffffff\n"
      "createType=\"monolithicSparse\"\n",
      extent, ddb}},
    {errc::descriptor_cid_invalid,
     embedded,
     "none",
     {"# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=none\n"
      "createType=\"monolithicSparse\"\n",
      extent, ddb}},
    {errc::descriptor_cid_reserved,
     embedded,
     "ffffffff",
     {"# Disk DescriptorFile\nversion=1\nCID=ffffffff\nparentCID=FFFFFFFF\n"
      "createType=\"monolithicSparse\"\n",
      extent, ddb}},
    {errc::descriptor_cid_order,
     embedded,
     "77",
     {"# Disk DescriptorFile\nversion=1\nparentCID=ffffffff\nCID=77\n"
      "createType=\"monolithicSparse\"\n",
      extent, ddb}},
    {errc::descriptor_parent_cid_missing,
     embedded,
     "",
     {"# Disk DescriptorFile\nversion=1\nCID=1\ncreateType=\"monolithicSparse\"\n", extent, ddb}},
    {errc::descriptor_parent_hint_missing,
     embedded,
     "",
     {"# Disk "
      "DescriptorFile\nversion=1\nCID=1\nparentCID=2\ncreateType=\"monolithicSparse\"\n",
      extent, ddb}},
    {errc::descriptor_parent_contradiction,
     embedded,
     "",
     {sparse, "parentFileNameHint=\"p\"\n", extent, ddb}},
    {errc::descriptor_parent_contradiction,
     embedded,
     "",
     {"# Disk DescriptorFile\nversion=1\nCID=1\ncreateType=\"monolithicSparse\"\n"
      "parentFileNameHint=\"p\"\n",
      extent, ddb}},
    {errc::descriptor_create_type_missing, embedded, "", {head, extent, ddb}},
    {errc::descriptor_create_type_missing, embedded, "", {head, "createType=\"\"\n", extent, ddb}},
    {errc::descriptor_create_type_unknown,
     embedded,
     "qcow2",
     {head, "createType=\"qcow2\"\n", extent, ddb}},
    {errc::descriptor_create_type_misplaced, text_file, "", {sparse, extent, ddb}},
    {errc::descriptor_create_type_misplaced,
     embedded,
     "",
     {head, "createType=\"custom\"\n", extent, ddb}},
    {errc::descriptor_create_type_mismatch, text_file, "", {flat, extent, ddb}},
    {errc::descriptor_create_type_mismatch,
     text_file,
     "",
     {flat, "RW 8 FLAT \"a\" 0\nRW 8 FLAT \"b\" 0\n", ddb}},

    // Extents.
    {errc::descriptor_extent_missing, text_file, "", {split, ddb}},
    {errc::descriptor_extent_fields, text_file, "RW 8\n", {split, "RW 8\n", ddb}},
    {errc::descriptor_extent_fields, text_file, "RW\n", {split, "RW\n", ddb}},
    {errc::descriptor_extent_fields, text_file, "\nddb", {split, "RW 8 SPARSE\n", ddb}},
    {errc::descriptor_extent_fields, text_file, "aa\n", {split, "RW 8 SPARSE aa\n", ddb}},
    {errc::descriptor_extent_fields, text_file, "aa\n", {split, "RW 8 SPARSE \"aa\n", ddb}},
    {errc::descriptor_extent_fields, text_file, "aa\"b", {split, "RW 8 SPARSE \"aa\"b\n", ddb}},
    {errc::descriptor_extent_fields, text_file, "RW", {split, "RW \"8\" SPARSE \"a\"\n", ddb}},
    {errc::descriptor_extent_fields, text_file, "RW", {split, "RW 8 \"SPARSE\" \"a\"\n", ddb}},
    {errc::descriptor_extent_fields, text_file, "x\"y", {flat, "RW 8 FLAT \"a\" 0 x\"y\n", ddb}},
    {errc::descriptor_extent_fields, text_file, "hole", {split, "RW 8 ZERO hole\n", ddb}},
    {errc::descriptor_extent_fields,
     text_file,
     "five",
     {flat, "RW 8 FLAT \"a\" 0 one two three four five\n", ddb}},
    {errc::descriptor_extent_extra,
     text_file,
     "RW",
     {flat, "RW 8 FLAT \"a\" 0 partitionUUID \\\\?\\Volume{1} deviceId \"x y\"\n", ddb}},
    {errc::descriptor_extent_type_unknown, text_file, "QCOW", {split, "RW 8 QCOW \"a\"\n", ddb}},
    {errc::descriptor_extent_sectors, text_file, "0 SP", {split, "RW 0 SPARSE \"a\"\n", ddb}},
    {errc::descriptor_extent_sectors, text_file, "0 QC", {split, "RW 0 QCOW \"a\"\n", ddb}},
    {errc::descriptor_extent_sectors, text_file, "-8", {split, "RW -8 SPARSE \"a\"\n", ddb}},
    {errc::descriptor_extent_sectors,
     text_file,
     "18014398509481985",
     {split, "RW 18014398509481985 SPARSE \"a\"\n", ddb}},
    {errc::descriptor_extent_sectors,
     text_file,
     "99999999999999999999",
     {split, "RW 99999999999999999999 SPARSE \"a\"\n", ddb}},
    {errc::descriptor_extent_sectors,
     text_file,
     "RW 18014398509481984",
     {split, extent, "RW 18014398509481984 SPARSE \"a\"\n", ddb}},
    {errc::descriptor_extent_offset, text_file, "11\n", {split, "RW 8 SPARSE \"a\" 11\n", ddb}},
    {errc::descriptor_extent_offset, text_file, "x\n", {flat, "RW 8 FLAT \"a\" x\n", ddb}},
    {errc::descriptor_extent_offset, text_file, "x y", {flat, "RW 8 FLAT \"a\" x y\"z\n", ddb}},
    {errc::descriptor_extent_offset, text_file, "\"\nddb", {flat, "RW 8 FLAT \"a\" \"\"\n", ddb}},
    {errc::descriptor_extent_offset, text_file, "0\"\n", {flat, "RW 8 FLAT \"a\" \"0\"\n", ddb}},
    {errc::descriptor_extent_offset,
     text_file,
     "18014398509481985",
     {flat, "RW 8 FLAT \"a\" 18014398509481985\n", ddb}},
    {errc::descriptor_extent_offset_unusual, text_file, "RW", {flat, "RW 8 FLAT \"a\"\n", ddb}},
    {errc::descriptor_extent_offset_unusual,
     text_file,
     "RW",
     {split, "RW 8 SPARSE \"a\" 0\n", ddb}},
    {errc::descriptor_extent_name_unusual,
     embedded,
     "\"\n#",
     {sparse,
      "RW 8 SPARSE \"\"\n"
      "#\n",
      ddb}},
    {errc::descriptor_extent_name_unusual,
     embedded,
     "/mnt",
     {sparse, "RW 8 SPARSE \"/mnt/a\"\n", ddb}},
    {errc::descriptor_extent_name_path, text_file, "\"\n#", {split, "RW 8 SPARSE \"\"\n#\n", ddb}},
    {errc::descriptor_extent_name_path,
     text_file,
     "/etc",
     {flat, "RW 8 FLAT \"/etc/passwd\" 0\n", ddb}},
    {errc::descriptor_extent_name_path, text_file, "../", {flat, "RW 8 FLAT \"../x\" 0\n", ddb}},
    {errc::descriptor_extent_name_path,
     text_file,
     "json:",
     {flat, "RW 8 FLAT \"json:{}\" 0\n", ddb}},
    {errc::descriptor_extent_name_path,
     text_file,
     "\\\\.",
     {flat, "RW 8 FLAT \"\\\\.\\PhysicalDrive0\" 0\n", ddb}},
    {errc::descriptor_embedded_extents,
     embedded,
     "RW 9",
     {sparse, extent, "RW 9 SPARSE \"b\"\n", ddb}},
    {errc::descriptor_embedded_extents,
     embedded,
     "RW",
     {head, "createType=\"x\"\nRW 8 ZERO\n", ddb}},

    // The disk data base.
    {errc::descriptor_ddb_missing, embedded, "", {sparse, extent}},
    {errc::descriptor_ddb_prefix_missing,
     embedded,
     "adapter",
     {sparse, extent, "adapterType=\"ide\"\n"}},
    {errc::descriptor_ddb_prefix_missing,
     embedded,
     "DDB.a",
     {sparse, extent, "DDB.adapterType=\"ide\"\n"}},
    {errc::descriptor_ddb_value_invalid,
     embedded,
     "pvscsi",
     {sparse, extent, "ddb.adapterType=\"pvscsi\"\n"}},
    {errc::descriptor_ddb_value_invalid,
     embedded,
     "4x",
     {sparse, extent, "ddb.virtualHWVersion=\"4x\"\n"}},
    {errc::descriptor_ddb_value_invalid,
     embedded,
     "4294967296",
     {sparse, extent, "ddb.geometry.cylinders=\"4294967296\"\n"}},
};

}  // namespace bad_descriptors
