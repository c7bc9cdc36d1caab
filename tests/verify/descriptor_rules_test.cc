// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>
#include <stdexcept>
#include <string>

#include "tests/support/bad_descriptors.hpp"
#include "tests/verify/rule_testing.hpp"

namespace descriptor_rules_test {
namespace {

using namespace verify_testing;

struct text_row {
  errc code;
  severity level;
  verdict tolerant;
  verdict strict;
  std::string text;
};

std::string with(std::string text, const std::string& what, const std::string& by) {
  const auto at = text.find(what);
  if (at == std::string::npos) throw std::runtime_error("no " + what);
  return text.replace(at, what.size(), by);
}

TEST_CASE("each rule of an embedded descriptor is found") {
  const std::string good = sparse_text(9600);
  const text_row rows[] = {
      {errc::descriptor_empty, error, refused, refused, ""},
      {errc::descriptor_signature_missing, warning, accepted, refused,
       with(good, "# Disk", "#Disk")},
      {errc::descriptor_padding_not_zero, warning, accepted, refused,
       good + std::string(3, '\0') + "x"},
      {errc::descriptor_control_character, error, refused, refused, with(good, "# Ext", "# \aExt")},
      {errc::descriptor_line_end_invalid, error, refused, refused, with(good, "# Ext", "# \rExt")},
      {errc::descriptor_line_end_unusual, warning, accepted, refused,
       with(good, "\n# Ext", "\r\n# Ext")},
      {errc::descriptor_line_too_long, error, refused, refused,
       with(good, "# Ext", "# " + std::string(2100, 'x') + "Ext")},
      {errc::descriptor_line_invalid, error, refused, refused, with(good, "# Ext", "what\n# Ext")},
      {errc::descriptor_blanks_unusual, warning, accepted, refused, with(good, "# Ext", "#\tExt")},
      {errc::descriptor_not_utf8, warning, accepted, refused, with(good, "# Ext", "# \xFF Ext")},
      {errc::descriptor_encoding_unknown, warning, accepted, refused,
       with(good, "# Ext", "encoding=\"GBK\"\n# \xE4 Ext")},
      {errc::descriptor_key_duplicate, error, refused, refused,
       with(good, "version=1\n", "version=1\nversion=1\n")},
      {errc::descriptor_key_case, error, refused, refused, with(good, "createType", "CreateType")},
      {errc::descriptor_key_hidden, error, refused, refused,
       with(good, "# Ext", "#parentFileNameHint=\"x\"\n# Ext")},
      {errc::descriptor_key_unknown, warning, accepted, refused,
       with(good, "version=1\n", "version=1\nx=1\n")},
      {errc::descriptor_version_invalid, error, refused, refused,
       with(good, "version=1", "version=9")},
      {errc::descriptor_cid_invalid, error, refused, refused, with(good, "12345678", "1234567g")},
      {errc::descriptor_cid_missing, error, refused, refused, with(good, "\nCID=12345678", "")},
      {errc::descriptor_parent_contradiction, error, refused, refused,
       with(good, "parentCID=ffffffff\n", "parentCID=ffffffff\nparentFileNameHint=\"x\"\n")},
      {errc::descriptor_parent_by_uuid, error, refused, refused,
       good + "ddb.uuid.parent = \"01234567-0000-0000-0000-000000000000\"\n"},
      {errc::descriptor_encrypted, error, refused, refused,
       with(good, "# Ext", "encryptionKeys=\"" + std::string(2100, 'x') + "\"\n# Ext")},
      {errc::descriptor_create_type_missing, error, refused, refused,
       with(good, "createType=\"monolithicSparse\"\n", "")},
      {errc::descriptor_create_type_misplaced, warning, accepted, refused,
       with(good, "monolithicSparse", "custom")},
      {errc::descriptor_compression_mismatch, warning, accepted, accepted,
       with(good, "monolithicSparse", "streamOptimized")},
      {errc::descriptor_extent_missing, error, refused, refused,
       with(good, "RW 9600 SPARSE \"disk.vmdk\"\n", "")},
      {errc::descriptor_embedded_extents, error, refused, refused,
       with(good, "RW 9600 SPARSE \"disk.vmdk\"\n",
            "RW 9600 SPARSE \"disk.vmdk\"\nRW 16 SPARSE \"b.vmdk\"\n")},
      {errc::descriptor_embedded_extents, error, refused, refused,
       with(good, "SPARSE \"disk.vmdk\"", "FLAT \"/etc/passwd\" 0")},
      {errc::descriptor_extent_name_unusual, warning, accepted, refused,
       with(good, "disk.vmdk", "../x")},
      {errc::descriptor_extent_name_unusual, warning, accepted, refused,
       with(good, "disk.vmdk", "")},
      {errc::descriptor_extent_sectors, error, refused, refused, with(good, "9600", "0")},
      {errc::descriptor_extent_offset, error, refused, refused,
       with(good, "\"disk.vmdk\"", "\"disk.vmdk\" 1")},
      {errc::descriptor_capacity_mismatch, error, accepted, accepted, with(good, "9600", "9601")},
      {errc::descriptor_ddb_missing, warning, accepted, refused, good.substr(0, good.find("ddb."))},
      {errc::descriptor_ddb_value_invalid, warning, accepted, refused,
       with(good, "\"10\"", "\"x\"")},
  };
  for (const auto& r : rows) {
    auto plan = usual_sparse_plan();
    plan.descriptor = r.text;
    const bytes file = build_sparse(plan).file.bytes();
    const outcome said = check_bytes_of(file);
    INFO(r.text);
    INFO(said.text());
    REQUIRE(said.has(r.code));
    CHECK(said.find(r.code)->level == r.level);
    CHECK(said.find(r.code)->offset >= 512);
    CHECK(said.has_error() == (r.level == error));
    CHECK(judge(file, strictness::tolerant) == r.tolerant);
    CHECK(judge(file, strictness::strict) == r.strict);
  }
}

TEST_CASE("a check tells what the parser finds in a descriptor, and where") {
  for (const bad_descriptors::bad_text& bad : bad_descriptors::bad_texts) {
    const bad_descriptors::joined joined(bad.parts);
    const std::string text{std::string_view(joined)};
    const bool is_embedded = bad.place == descriptor_place::embedded;
    memory_files files;
    auto plan = usual_sparse_plan();
    plan.descriptor = text;
    if (is_embedded) {
      files.put("disk.vmdk", build_sparse(plan).file.bytes());
    } else {
      files.put("disk.vmdk", text);
    }
    const outcome said = check_files(files, "disk.vmdk");
    INFO(text << "\n" << said.text());
    REQUIRE(said.has(bad.code));
    CHECK(said.find(bad.code)->level == severity_of(bad.code));
    const std::size_t at = bad.at.empty() ? text.size() : text.find(bad.at);
    CHECK(said.find(bad.code)->offset == at + (is_embedded ? 512 : 0));
  }
}

TEST_CASE("an embedded descriptor that forbids access is noted") {
  const std::string text = with(sparse_text(9600), "RW 9600", "NOACCESS 9600");
  auto plan = usual_sparse_plan();
  plan.descriptor = text;
  const outcome said = check_bytes_of(build_sparse(plan).file.bytes());
  INFO(said.text());
  REQUIRE(said.findings.size() == 1);
  CHECK(said.findings[0].code == errc::extent_no_access);
  CHECK(said.findings[0].level == severity::note);
  CHECK(said.findings[0].offset == 512 + text.find("NOACCESS"));
  CHECK(said.text().find("line 8 ") != std::string::npos);
}

TEST_CASE("a descriptor with more keys than are looked at is found") {
  std::string text = sparse_text(9600);
  for (int key = 0; key <= 192; ++key) text += "ddb.key" + std::to_string(key) + " = \"\"\n";
  auto plan = usual_sparse_plan();
  plan.descriptor = text;
  CHECK(check_bytes_of(build_sparse(plan).file.bytes()).has(errc::descriptor_too_many_keys));
}

TEST_CASE("a text of more than 1 MiB is no descriptor") {
  std::string text = "# Disk DescriptorFile\n";
  while (text.size() <= 1 << 20) text += "# " + std::string(1000, 'x') + '\n';
  bytes file(text.size());
  copy_text(file.data(), text);
  const outcome said = check_bytes_of(file);
  INFO(said.text());
  REQUIRE(said.has(errc::descriptor_too_long));
  CHECK(said.find(errc::descriptor_too_long)->level == error);
  CHECK(judge(file, strictness::tolerant) == refused);
}

}  // namespace

}  // namespace descriptor_rules_test
