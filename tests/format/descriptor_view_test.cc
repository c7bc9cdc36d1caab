// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/format/descriptor_view.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <cstddef>
#include <string>
#include <string_view>

#include "vmdk/format/bytes_as_text.hpp"
#include "vmdk/format/descriptor_builder.hpp"
#include "vmdk/format/descriptor_parser.hpp"

namespace descriptor_view_test {
namespace {

using namespace vmdk;

constexpr std::string_view delta =
    "# Disk DescriptorFile\n"
    "version=3\n"
    "encoding=\"windows-1252\"\n"
    "CID=1af\n"
    "parentCID=0172e8a4\n"
    "isNativeSnapshot=\"no\"\n"
    "createType=\"custom\"\n"
    "parentFileNameHint=\"C:\\vm\\base=1.vmdk\"\n"
    "# Extent description\n"
    "RW 4096 VMFSSPARSE \"a b.vmdk\"\n"
    "RDONLY 63 ZERO \n"
    "# a comment between\n"
    "NOACCESS 100 FLAT \"c-\xE4.vmdk\" 512\n"
    "\n"
    "# Change Tracking File\n"
    "changeTrackPath=\"a-ctk.vmdk\"\n"
    "\n"
    "# The Disk Data Base \n"
    "#DDB\n"
    "\n"
    "ddb.adapterType = \"legacyESX\"\n"
    "ddb.geometry.cylinders=\"7832\"\n"
    "ddb.geometry.heads = \"255\" \n"
    "ddb.geometry.sectors = \"x\"\n"
    "ddb.comment = \"a = b\"\n"
    "ddb.longContentId = \"00\"";

constexpr descriptor_view parsed() {
  return parse_descriptor(delta, descriptor_place::text_file).value();
}

constexpr bool facts_are_kept() {
  const descriptor_view view = parsed();
  return view.text() == delta && view.version() == 3 && view.cid() == 0x1AF &&
         view.parent_cid() == 0x0172E8A4 && view.has_parent() &&
         view.type() == create_type::custom && view.type_text() == "custom" &&
         view.parent_file_name_hint() == "C:\\vm\\base=1.vmdk" &&
         view.change_track_path() == "a-ctk.vmdk" &&
         view.encoding() == text_encoding::windows_1252 && view.extent_count() == 3 &&
         view.total_sectors() == 4096 + 63 + 100;
}
static_assert(facts_are_kept());
TEST_CASE("a parsed descriptor gives its header") { CHECK(facts_are_kept()); }

constexpr bool extents_are_walked() {
  const descriptor_view view = parsed();
  extent_iterator at = view.extents().begin();
  if (at->type != extent_type::vmfs_sparse || at->access != extent_access::read_write ||
      at->sectors != 4096 || at->name.stem != "a b.vmdk" || at->has_offset ||
      at.line_offset() != delta.find("RW")) {
    return false;
  }
  const extent_iterator first = at++;
  if (at == first || at->type != extent_type::zero || at->access != extent_access::read_only ||
      at->sectors != 63 || !at->name.stem.empty()) {
    return false;
  }
  ++at;
  if (at->type != extent_type::flat || at->access != extent_access::none || at->sectors != 100 ||
      !at->has_offset || at->offset_sectors != 512) {
    return false;
  }
  std::size_t count = 0;
  for (const extent_line& extent : view.extents()) count += extent.sectors != 0;
  extent_iterator again = view.extents().begin();
  if (again != first) return false;
  while (again != end_of_lines{}) ++again;
  return ++at == end_of_lines{} && count == 3 && at != first && at == again;
}
static_assert(extents_are_walked());
TEST_CASE("extents are walked front to back") { CHECK(extents_are_walked()); }

constexpr bool entries_are_walked() {
  const descriptor_view view = parsed();
  constexpr std::string_view headers[] = {"version",
                                          "encoding",
                                          "CID",
                                          "parentCID",
                                          "isNativeSnapshot",
                                          "createType",
                                          "parentFileNameHint",
                                          "changeTrackPath"};
  constexpr std::string_view keys[] = {"adapterType",    "geometry.cylinders",
                                       "geometry.heads", "geometry.sectors",
                                       "comment",        "longContentId"};
  std::size_t i = 0;
  for (const descriptor_entry& entry : view.headers()) {
    if (i == std::size(headers) || entry.key != headers[i++]) return false;
  }
  std::size_t j = 0;
  for (const descriptor_entry& entry : view.ddb()) {
    if (j == std::size(keys) || entry.key != keys[j++]) return false;
  }
  return i == std::size(headers) && j == std::size(keys) &&
         view.ddb().find("COMMENT").value == "a = b" &&
         view.ddb().find("comment").offset == delta.find("ddb.comment") &&
         view.ddb().find("longContentID").value == "00" && view.ddb().find("uuid").key.empty() &&
         view.headers().find("adapterType").key.empty() && view.ddb().find("version").key.empty();
}
static_assert(entries_are_walked());
TEST_CASE("entries are walked and found in any case") { CHECK(entries_are_walked()); }

constexpr bool entry_iterators_are_compared() {
  const descriptor_view view = parsed();
  entry_iterator at = view.ddb().begin();
  const entry_iterator first = at++;
  if (first->key != "adapterType" || at->key != "geometry.cylinders") return false;
  if (first == at || first != view.ddb().begin()) return false;
  entry_iterator end = at;
  while (end != end_of_lines{}) ++end;
  entry_iterator last = first;
  for (int i = 0; i < 6; ++i) last++;
  return last == end && last != first && last == end_of_lines{};
}
static_assert(entry_iterators_are_compared());
TEST_CASE("entry iterators are the same at one entry and at the end") {
  CHECK(entry_iterators_are_compared());
}

constexpr bool values_are_read() {
  const descriptor_view view = parsed();
  return view.controller() == adapter::legacy_esx &&
         view.disk_geometry() == geometry{7832, 255, 0} && view.number("geometry.heads") == 255 &&
         view.number("comment") == 0 && view.number("none") == 0;
}
static_assert(values_are_read());
TEST_CASE("what is no number counts as missing") { CHECK(values_are_read()); }

constexpr bool numbers_have_32_bits() {
  constexpr std::string_view text =
      "# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType=\"custom\"\n"
      "RW 8 ZERO\nddb.most = \"4294967295\"\nddb.more = \"4294967296\"\n";
  const auto view = parse_descriptor(text, descriptor_place::text_file);
  return view->number("most") == 0xFFFFFFFF && view->number("more") == 0;
}
static_assert(numbers_have_32_bits());
TEST_CASE("a number of more than 32 bits counts as missing") { CHECK(numbers_have_32_bits()); }

TEST_CASE("a default view is empty") {
  const descriptor_view none;
  CHECK(none.headers().begin() == end_of_lines{});
  CHECK(none.extents().begin() == end_of_lines{});
  CHECK(none.controller() == adapter::lsilogic);
}

constexpr bool encoding_is_taken_from_either_place() {
  constexpr std::string_view only_ddb =
      "# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType=\"custom\"\n"
      "RW 8 ZERO\nddb.encoding = \"windows-1252\"\n";
  constexpr std::string_view both =
      "# Disk DescriptorFile\nversion=1\nencoding=\"UTF-8\"\nCID=1\nparentCID=ffffffff\n"
      "createType=\"custom\"\nRW 8 ZERO\nddb.encoding = \"windows-1252\"\n";
  constexpr auto file = descriptor_place::text_file;
  return parse_descriptor(only_ddb, file)->encoding() == text_encoding::windows_1252 &&
         parse_descriptor(both, file)->encoding() == text_encoding::utf_8;
}
static_assert(encoding_is_taken_from_either_place());
TEST_CASE("the header's encoding wins") { CHECK(encoding_is_taken_from_either_place()); }

constexpr bool built_descriptors_come_back() {
  constexpr std::array<extent_line, 2> extents{
      {{.type = extent_type::flat, .has_offset = true, .sectors = 100, .name = {"d", 'f', 1}},
       {.access = extent_access::read_only,
        .type = extent_type::flat,
        .has_offset = true,
        .sectors = 7,
        .name = {"d", 'f', 2},
        .offset_sectors = 9}}};
  constexpr std::array<ddb_entry, 1> more{{{"thinProvisioned", "1"}}};
  descriptor_fields fields;
  fields.type = create_type::two_gb_max_extent_flat;
  fields.id = {0x1234, 0x5678, 0x9ABC};
  fields.parent_cid = 7;
  fields.parent_file_name_hint = "p\xC3\xA4.vmdk";
  fields.controller = adapter::buslogic;
  fields.disk_geometry = {5, 6, 7};
  fields.more_ddb = more;
  std::array<std::byte, 1024> bytes{};
  char text[1024] = {};
  if (!build_descriptor(fields, extents, bytes).ok()) return false;
  const auto view =
      parse_descriptor(copy_as_text(bytes, text), descriptor_place::text_file, strictness::strict);
  if (!view.ok()) return false;
  extent_iterator second = view->extents().begin();
  ++second;
  return view->cid() == 0x1234 && view->parent_cid() == 7 &&
         view->parent_file_name_hint() == fields.parent_file_name_hint &&
         view->type() == fields.type && view->controller() == adapter::buslogic &&
         view->disk_geometry() == fields.disk_geometry && view->extent_count() == 2 &&
         view->total_sectors() == 107 && second->name.stem == "d-f002.vmdk" &&
         second->offset_sectors == 9 && second->access == extent_access::read_only &&
         view->ddb().find("longContentID").value == "00000000000056780000000000001234" &&
         view->ddb().find("thinProvisioned").value == "1";
}
static_assert(built_descriptors_come_back());
TEST_CASE("what the builder writes is strictly right, and comes back") {
  CHECK(built_descriptors_come_back());
}

}  // namespace

}  // namespace descriptor_view_test
