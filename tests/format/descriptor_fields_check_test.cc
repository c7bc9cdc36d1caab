// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/format/descriptor_fields_check.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <cstddef>
#include <string>
#include <string_view>

#include "vmdk/format/descriptor_builder.hpp"

namespace descriptor_fields_check_test {
namespace {

using namespace vmdk;
using problem = descriptor_problem;

constexpr descriptor_fields good_fields(create_type type = create_type::monolithic_sparse) {
  descriptor_fields fields;
  fields.type = type;
  fields.disk_geometry = {1, 1, 1};
  return fields;
}

constexpr std::array<extent_line, 1> good_extent{{{.sectors = 1, .name = {"a"}}}};

/// True when the fields are refused for that reason.
template <class Extents>
constexpr bool refused_as(problem why, std::size_t which, const descriptor_fields& fields,
                          const Extents& extents) {
  return check_descriptor_fields(fields, extents) ==
         options_failure(errc::option_invalid, which, static_cast<std::uint32_t>(why));
}

template <class Change>
constexpr bool field_is_refused(problem why, Change change) {
  descriptor_fields fields = good_fields();
  if (check_descriptor_fields(fields, good_extent)) return false;
  change(fields);
  return refused_as(why, 0, fields, good_extent);
}

constexpr bool fields_are_refused() {
  return field_is_refused(problem::create_type, [](auto& f) { f.type = create_type::unknown; }) &&
         field_is_refused(problem::create_type, [](auto& f) { f.type = create_type::vmfs; }) &&
         field_is_refused(problem::create_type, [](auto& f) { f.type = create_type::custom; }) &&
         field_is_refused(problem::content_id, [](auto& f) { f.id.cid = 0xFFFFFFFF; }) &&
         field_is_refused(problem::parent, [](auto& f) { f.parent_cid = 1; }) &&
         field_is_refused(problem::parent, [](auto& f) { f.parent_file_name_hint = "x"; }) &&
         field_is_refused(problem::parent_hint,
                          [](auto& f) {
                            f.parent_cid = 1;
                            f.parent_file_name_hint = "x\n";
                          }) &&
         field_is_refused(problem::geometry, [](auto& f) { f.disk_geometry.cylinders = 0; }) &&
         field_is_refused(problem::geometry, [](auto& f) { f.disk_geometry.heads = 0; }) &&
         field_is_refused(problem::geometry, [](auto& f) { f.disk_geometry.sectors = 0; });
}
static_assert(fields_are_refused());
TEST_CASE("fields that no descriptor can hold are refused") { CHECK(fields_are_refused()); }

constexpr bool uuid_is(bool good, std::string_view uuid) {
  descriptor_fields fields = good_fields();
  fields.uuid = uuid;
  return good ? !check_descriptor_fields(fields, good_extent)
              : refused_as(problem::uuid, 0, fields, good_extent);
}

constexpr bool uuids_are_checked() {
  return uuid_is(true, "60 00 C2 9b 01 23 45 67-89 ab cd ef 01 23 45 67") && uuid_is(true, "") &&
         uuid_is(false, "60 00 C2 9b 01 23 45 67 89 ab cd ef 01 23 45 67") &&
         uuid_is(false, "60 00 C2 9b 01 23 45-67-89 ab cd ef 01 23 45 67") &&
         uuid_is(false, "60 00 C2 9b 01 23 45 67-89 ab cd ef 01 23 45 6g") &&
         uuid_is(false, "g0 00 C2 9b 01 23 45 67-89 ab cd ef 01 23 45 67") &&
         uuid_is(false, "60 00 C2 9b 01 23 45 67-89 ab cd ef 01 23 45 6") &&
         uuid_is(false, "60 00 C2 9b 01 23 45 67-89 ab cd ef 01 23 45 67 ") &&
         uuid_is(false, "428fbafb-8694-4ee2-9ce8-333d77f90140");
}
static_assert(uuids_are_checked());
TEST_CASE("a uuid has VMware's form") { CHECK(uuids_are_checked()); }

constexpr bool ddb_is_refused(problem why, std::size_t which, std::string_view key,
                              std::string_view value) {
  const std::array<ddb_entry, 3> entries{{{"first", "x"}, {"second", "y"}, {key, value}}};
  descriptor_fields fields = good_fields();
  fields.more_ddb = std::span(entries).first(2);
  if (check_descriptor_fields(fields, good_extent)) return false;
  fields.more_ddb = entries;
  return refused_as(why, which, fields, good_extent);
}

constexpr bool ddb_lines_are_refused() {
  return ddb_is_refused(problem::ddb_key, 2, "", "x") &&
         ddb_is_refused(problem::ddb_key, 2, "a b", "x") &&
         ddb_is_refused(problem::ddb_key, 2, "a=b", "x") &&
         ddb_is_refused(problem::ddb_key, 2, "a{b", "x") &&
         ddb_is_refused(problem::ddb_key, 2, "a/b", "x") &&
         ddb_is_refused(problem::ddb_key, 2, "a\n", "x") &&
         ddb_is_refused(problem::ddb_key, 2, "\xC3\xA4", "x") &&
         ddb_is_refused(problem::ddb_key, 2, "createTypes", "x") &&
         ddb_is_refused(problem::ddb_key_reserved, 2, "adapterType", "ide") &&
         ddb_is_refused(problem::ddb_key_reserved, 2, "ADAPTERTYPE", "ide") &&
         ddb_is_refused(problem::ddb_key_reserved, 2, "geometry.heads", "1") &&
         ddb_is_refused(problem::ddb_key_reserved, 2, "longContentID", "1") &&
         ddb_is_refused(problem::ddb_key_reserved, 2, "encoding", "GBK") &&
         ddb_is_refused(problem::ddb_key_reserved, 2, "uuid.parent", "x") &&
         ddb_is_refused(problem::ddb_key_twice, 2, "FIRST", "x") &&
         ddb_is_refused(problem::ddb_value, 2, "third", "a\"b") &&
         ddb_is_refused(problem::ddb_value, 2, "third", "a\nb") &&
         ddb_is_refused(problem::ddb_value, 2, "third", "a\tb") &&
         ddb_is_refused(problem::ddb_value, 2, "third", "a\x7f") &&
         ddb_is_refused(problem::ddb_value, 2, "third", std::string_view("a\0b", 3)) &&
         ddb_is_refused(problem::ddb_value, 2, "third", "\xE4") &&
         ddb_is_refused(problem::ddb_value, 2, "third", "createType=") &&
         ddb_is_refused(problem::ddb_value, 2, "third", "my parentfilenamehint") &&
         ddb_is_refused(problem::ddb_value, 2, "third", "xCID=1");
}
static_assert(ddb_lines_are_refused());
TEST_CASE("further ddb lines that would be misread are refused") { CHECK(ddb_lines_are_refused()); }

constexpr bool ddb_keys_are_words() {
  constexpr std::array<ddb_entry, 4> entries{{{"aZ09", ""}, {"a.b", ""}, {"a_b", ""}, {"a-b", ""}}};
  descriptor_fields fields = good_fields();
  fields.more_ddb = entries;
  return !check_descriptor_fields(fields, good_extent);
}
static_assert(ddb_keys_are_words());
TEST_CASE("a ddb key has letters, digits, dots, underscores and hyphens") {
  CHECK(ddb_keys_are_words());
}

TEST_CASE("long and many ddb lines are refused") {
  const std::string longest(1792, 'x');
  const std::string too_long(1793, 'x');
  const std::array<ddb_entry, 1> good{{{"a", longest}}};
  const std::array<ddb_entry, 1> bad{{{"a", too_long}}};
  descriptor_fields fields = good_fields();
  fields.more_ddb = good;
  CHECK(!check_descriptor_fields(fields, good_extent));
  fields.more_ddb = bad;
  CHECK(refused_as(problem::ddb_value, 0, fields, good_extent));
  const std::string key(129, 'k');
  const std::array<ddb_entry, 1> long_key{{{key, "x"}}};
  fields.more_ddb = long_key;
  CHECK(refused_as(problem::ddb_key, 0, fields, good_extent));
  const std::array<ddb_entry, descriptor_max_ddb_entries - 8> many{};
  fields.more_ddb = many;
  CHECK(refused_as(problem::ddb_count, 0, fields, good_extent));
}

constexpr bool extent_is_refused(problem why, create_type type, extent_line extent) {
  const std::array<extent_line, 1> extents{extent};
  return refused_as(why, 0, good_fields(type), extents);
}

constexpr bool name_is_refused(std::string_view name) {
  return extent_is_refused(problem::extent_name, create_type::monolithic_sparse,
                           {.sectors = 1, .name = {name}}) &&
         extent_is_refused(problem::extent_name, create_type::two_gb_max_extent_sparse,
                           {.sectors = 1, .name = {name, 's', 1}});
}

constexpr bool extents_are_refused() {
  constexpr auto sparse = create_type::monolithic_sparse;
  constexpr auto flat = create_type::monolithic_flat;
  return name_is_refused("") && name_is_refused("a/b") && name_is_refused("a\\b") &&
         name_is_refused("..") && name_is_refused("json:x") && name_is_refused("a\"b") &&
         name_is_refused("a\nb") && name_is_refused("\xE4") && name_is_refused("parentCID") &&
         extent_is_refused(problem::extent_name, sparse, {.sectors = 1, .name = {"a", 'x', 1}}) &&
         extent_is_refused(problem::extent_sectors, sparse, {.name = {"a"}}) &&
         extent_is_refused(problem::extent_sectors, sparse,
                           {.sectors = (std::uint64_t{1} << 54) + 1, .name = {"a"}}) &&
         extent_is_refused(problem::extent_type, sparse,
                           {.type = extent_type::flat, .sectors = 1, .name = {"a"}}) &&
         extent_is_refused(problem::extent_type, sparse,
                           {.type = extent_type::zero, .sectors = 1}) &&
         extent_is_refused(problem::extent_name, flat,
                           {.type = extent_type::zero, .sectors = 1, .name = {"a"}}) &&
         extent_is_refused(problem::extent_name, flat,
                           {.type = extent_type::flat,
                            .has_offset = true,
                            .sectors = 1,
                            .name = {.stem = "", .flat = true}}) &&
         extent_is_refused(problem::extent_offset, sparse,
                           {.has_offset = true, .sectors = 1, .name = {"a"}}) &&
         extent_is_refused(problem::extent_offset, flat,
                           {.type = extent_type::flat, .sectors = 1, .name = {"a"}});
}
static_assert(extents_are_refused());
TEST_CASE("extents that no reader could open are refused") { CHECK(extents_are_refused()); }

constexpr bool extents_are_counted() {
  constexpr std::array<extent_line, 2> two{
      {{.sectors = 1, .name = {"a"}}, {.sectors = std::uint64_t{1} << 54, .name = {"b"}}}};
  constexpr std::array<extent_line, 2> overflow{
      {{.sectors = 2, .name = {"a"}}, {.sectors = ~std::uint64_t{0}, .name = {"b"}}}};
  constexpr std::array<extent_line, 1> largest{
      {{.sectors = std::uint64_t{1} << 54, .name = {"b"}}}};
  constexpr auto split = create_type::two_gb_max_extent_sparse;
  constexpr std::array<extent_line, 2> pair{
      {{.sectors = 1, .name = {"a"}}, {.sectors = 1, .name = {"b"}}}};
  const std::span<const extent_line> some(pair);
  return refused_as(problem::extent_count, 0, good_fields(), some.first(0)) &&
         refused_as(problem::extent_count, 0, good_fields(), some) &&
         !check_descriptor_fields(good_fields(), some.first(1)) &&
         refused_as(problem::extent_count, 0, good_fields(split), some.first(0)) &&
         !check_descriptor_fields(good_fields(split), some) &&
         refused_as(problem::extent_sectors, 1, good_fields(split), two) &&
         refused_as(problem::extent_sectors, 1, good_fields(split), overflow) &&
         !check_descriptor_fields(good_fields(split), largest);
}
static_assert(extents_are_counted());
TEST_CASE("the number and the sum of the extents have limits") { CHECK(extents_are_counted()); }

TEST_CASE("names have room for 511 bytes, the number included") {
  const std::string longest(511 - 10, 'n');
  const std::string too_long(511 - 9, 'n');
  const descriptor_fields fields = good_fields(create_type::two_gb_max_extent_sparse);
  const std::array<extent_line, 1> good{{{.sectors = 1, .name = {longest, 's', 1}}}};
  const std::array<extent_line, 1> bad{{{.sectors = 1, .name = {too_long, 's', 1}}}};
  CHECK(!check_descriptor_fields(fields, good));
  CHECK(refused_as(problem::extent_name, 0, fields, bad));
}

TEST_CASE("every problem has a sentence of its own") {
  for (unsigned i = 0; i <= static_cast<unsigned>(problem::text_bytes); ++i) {
    const auto text = to_string(static_cast<problem>(i));
    CHECK(text != to_string(static_cast<problem>(1000)));
    for (unsigned j = 0; j < i; ++j) CHECK(text != to_string(static_cast<problem>(j)));
  }
}

}  // namespace

}  // namespace descriptor_fields_check_test
