// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/format/descriptor_builder.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <cstddef>
#include <string>
#include <string_view>

#include "vmdk/format/bytes_as_text.hpp"

namespace descriptor_builder_test {
namespace {

using namespace vmdk;

constexpr std::string_view usual_text =
    "# Disk DescriptorFile\n"
    "version=1\n"
    "encoding=\"UTF-8\"\n"
    "CID=0badcafe\n"
    "parentCID=ffffffff\n"
    "createType=\"monolithicSparse\"\n"
    "\n"
    "# Extent description\n"
    "RW 131072 SPARSE \"disk.vmdk\"\n"
    "\n"
    "# The Disk Data Base\n"
    "#DDB\n"
    "\n"
    "ddb.adapterType = \"lsilogic\"\n"
    "ddb.geometry.cylinders = \"64\"\n"
    "ddb.geometry.heads = \"64\"\n"
    "ddb.geometry.sectors = \"32\"\n"
    "ddb.longContentID = \"00112233445566778899aabb0badcafe\"\n"
    "ddb.toolsVersion = \"2147483647\"\n"
    "ddb.virtualHWVersion = \"4\"\n";

constexpr std::string_view delta_text =
    "# Disk DescriptorFile\n"
    "version=1\n"
    "encoding=\"UTF-8\"\n"
    "CID=00000001\n"
    "parentCID=12345678\n"
    "createType=\"twoGbMaxExtentFlat\"\n"
    "parentFileNameHint=\"../base/disk.vmdk\"\n"
    "\n"
    "# Extent description\n"
    "RW 4193792 FLAT \"d-f001.vmdk\" 0\n"
    "RDONLY 1024 FLAT \"d-f002.vmdk\" 7\n"
    "NOACCESS 63 ZERO\n"
    "\n"
    "# The Disk Data Base\n"
    "#DDB\n"
    "\n"
    "ddb.adapterType = \"ide\"\n"
    "ddb.geometry.cylinders = \"3\"\n"
    "ddb.geometry.heads = \"2\"\n"
    "ddb.geometry.sectors = \"1\"\n"
    "ddb.longContentID = \"00000000000000000000000000000001\"\n"
    "ddb.toolsVersion = \"12\"\n"
    "ddb.uuid = \"60 00 C2 9b 01 23 45 67-89 ab cd ef 01 23 45 67\"\n"
    "ddb.virtualHWVersion = \"21\"\n"
    "ddb.thinProvisioned = \"1\"\n"
    "ddb.comment = \"\"\n";

// What mkimg wrote into its own known answers, of 269 and 295 bytes.
constexpr std::string_view mkimg_text =
    "# Disk DescriptorFile\n"
    "version=1\n"
    "CID=00000000\n"
    "parentCID=ffffffff\n"
    "createType=\"monolithicSparse\"\n"
    "# Extent description\n"
    "RW 10240 SPARSE \"\"\n"
    "# The Disk Data Base\n"
    "#DDB\n"
    "ddb.adapterType = \"ide\"\n"
    "ddb.geometry.cylinders = \"10240\"\n"
    "ddb.geometry.heads = \"1\"\n"
    "ddb.geometry.sectors = \"1\"\n";

constexpr descriptor_fields usual_fields() {
  descriptor_fields fields;
  fields.id = {0x0BADCAFE, 0x0011223344556677, 0x8899AABB00000000};
  fields.disk_geometry = geometry_for(adapter::lsilogic, 131072);
  return fields;
}

constexpr std::array<extent_line, 1> one_extent{{{.sectors = 131072, .name = {"disk.vmdk"}}}};

template <class Extents>
constexpr bool builds(const descriptor_fields& fields, const Extents& extents,
                      std::string_view expected) {
  std::array<std::byte, 1024> out{};
  char text[1024] = {};
  const auto n = build_descriptor(fields, extents, out);
  if (!n.ok() || *n != expected.size()) return false;
  return copy_as_text(byte_view(out).first(*n), text) == expected && out[*n] == std::byte{0} &&
         descriptor_bytes(fields, extents) == expected.size();
}

constexpr bool usual_descriptor_is_built() {
  return builds(usual_fields(), one_extent, usual_text);
}
static_assert(usual_descriptor_is_built());
TEST_CASE("the usual descriptor") { CHECK(usual_descriptor_is_built()); }

constexpr bool delta_descriptor_is_built() {
  constexpr std::array<extent_line, 3> extents{{
      {.type = extent_type::flat, .has_offset = true, .sectors = 4193792, .name = {"d", 'f', 1}},
      {.access = extent_access::read_only,
       .type = extent_type::flat,
       .has_offset = true,
       .sectors = 1024,
       .name = {"d", 'f', 2},
       .offset_sectors = 7},
      {.access = extent_access::none, .type = extent_type::zero, .sectors = 63},
  }};
  constexpr std::array<ddb_entry, 2> more{{{"thinProvisioned", "1"}, {"comment", ""}}};
  descriptor_fields fields;
  fields.type = create_type::two_gb_max_extent_flat;
  fields.id.cid = 1;
  fields.parent_cid = 0x12345678;
  fields.parent_file_name_hint = "../base/disk.vmdk";
  fields.controller = adapter::ide;
  fields.disk_geometry = {3, 2, 1};
  fields.tools_version = 12;
  fields.virtual_hw_version = 21;
  fields.uuid = "60 00 C2 9b 01 23 45 67-89 ab cd ef 01 23 45 67";
  fields.more_ddb = more;
  return builds(fields, extents, delta_text);
}
static_assert(delta_descriptor_is_built());
TEST_CASE("a descriptor with every field, several extents and a parent") {
  CHECK(delta_descriptor_is_built());
}

constexpr bool mkimg_descriptors_are_built() {
  descriptor_fields fields;
  fields.style = descriptor_style::mkimg;
  fields.controller = adapter::ide;
  fields.disk_geometry = {10240, 1, 1};
  constexpr std::array<extent_line, 1> nameless{{{.sectors = 10240}}};
  if (!builds(fields, nameless, mkimg_text) || mkimg_text.size() != 269) return false;
  fields.type = create_type::stream_optimized;
  return descriptor_bytes(fields, nameless) == 295 &&
         check_descriptor_fields(fields, nameless) == no_failure;
}
static_assert(mkimg_descriptors_are_built());
TEST_CASE("mkimg's descriptors, byte for byte") { CHECK(mkimg_descriptors_are_built()); }

constexpr bool little_memory_is_refused() {
  std::array<std::byte, 512> out{};
  const auto bytes = static_cast<std::uint32_t>(usual_text.size());
  const auto n = build_descriptor(usual_fields(), one_extent, byte_span(out).first(bytes - 1));
  return n.error() == options_failure(errc::workspace_too_small, 0, bytes) && is_zero(out) &&
         build_descriptor(usual_fields(), one_extent, byte_span(out).first(bytes)).ok();
}
static_assert(little_memory_is_refused());
TEST_CASE("memory that is a byte too small is refused untouched") {
  CHECK(little_memory_is_refused());
}

constexpr bool wrong_fields_are_refused() {
  descriptor_fields fields = usual_fields();
  fields.id.cid = 0xFFFFFFFF;
  std::array<std::byte, 1024> out{};
  const failure why = options_failure(errc::option_invalid, 0,
                                      static_cast<std::uint32_t>(descriptor_problem::content_id));
  return build_descriptor(fields, one_extent, out).error() == why && is_zero(out);
}
static_assert(wrong_fields_are_refused());
TEST_CASE("fields that make no descriptor leave the memory untouched") {
  CHECK(wrong_fields_are_refused());
}

/// A split disk whose extents are computed, not stored.
struct many_pieces {
  std::size_t count = 0;
  constexpr std::size_t size() const noexcept { return count; }
  constexpr extent_line operator[](std::size_t i) const noexcept {
    return {.sectors = 4192256, .name = {"disk", 's', static_cast<std::uint32_t>(i + 1)}};
  }
};

struct string_sink {
  std::string text;
  std::size_t largest = 0;
  failure write(byte_view bytes) noexcept {
    text += as_text(bytes);
    largest = bytes.size() > largest ? bytes.size() : largest;
    return no_failure;
  }
};

struct full_sink {
  std::size_t room = 0;
  std::size_t writes = 0;
  constexpr failure write(byte_view bytes) noexcept {
    ++writes;
    if (bytes.size() > room) return sink_failure(errc::sink_full, 1000);
    room -= bytes.size();
    return no_failure;
  }
};

TEST_CASE("thousands of extents are streamed in small pieces") {
  descriptor_fields fields = usual_fields();
  fields.type = create_type::two_gb_max_extent_sparse;
  const many_pieces pieces{10000};
  string_sink sink;
  REQUIRE(!write_descriptor(fields, pieces, sink));
  CHECK(sink.text.size() == descriptor_bytes(fields, pieces));
  CHECK(sink.largest <= 256);
  CHECK(sink.text.find("\nRW 4192256 SPARSE \"disk-s001.vmdk\"\n") != std::string::npos);
  CHECK(sink.text.find("\nRW 4192256 SPARSE \"disk-s10000.vmdk\"\n\n#") != std::string::npos);

  std::string built(sink.text.size(), '\0');
  REQUIRE(build_descriptor(fields, pieces, std::as_writable_bytes(std::span(built))).ok());
  CHECK(built == sink.text);
}

TEST_CASE("more extents than readers take are refused") {
  descriptor_fields fields = usual_fields();
  fields.type = create_type::two_gb_max_extent_sparse;
  string_sink sink;
  const failure why = write_descriptor(fields, many_pieces{40000}, sink);
  CHECK(why.code == errc::option_invalid);
  CHECK(why.detail == static_cast<std::uint32_t>(descriptor_problem::text_bytes));
  CHECK(sink.text.empty());
}

constexpr bool a_sinks_failure_comes_back() {
  full_sink none;
  full_sink some{256};
  full_sink enough{usual_text.size()};
  return write_descriptor(usual_fields(), one_extent, none) ==
             sink_failure(errc::sink_full, 1000) &&
         write_descriptor(usual_fields(), one_extent, some) ==
             sink_failure(errc::sink_full, 1000) &&
         write_descriptor(usual_fields(), one_extent, enough) == no_failure && enough.room == 0;
}
static_assert(a_sinks_failure_comes_back());
TEST_CASE("a full sink's failure comes back unchanged") { CHECK(a_sinks_failure_comes_back()); }

constexpr bool a_full_sink_is_left_alone() {
  descriptor_fields fields = usual_fields();
  fields.type = create_type::two_gb_max_extent_sparse;
  full_sink some{600};  // It is full among the extents.
  return write_descriptor(fields, many_pieces{100}, some) == sink_failure(errc::sink_full, 1000) &&
         some.writes == 3 && some.room == 600 - 2 * 256;
}
static_assert(a_full_sink_is_left_alone());
TEST_CASE("nothing more is written to a sink that failed") { CHECK(a_full_sink_is_left_alone()); }

}  // namespace

}  // namespace descriptor_builder_test
