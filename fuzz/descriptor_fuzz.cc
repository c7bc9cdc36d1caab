// SPDX-License-Identifier: BSD-2-Clause
// Descriptors: parsing any text is safe, views agree with themselves, and what the builder makes of
// a strictly right descriptor means the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "vmdk/core/to_string.hpp"
#include "vmdk/format/descriptor_builder.hpp"
#include "vmdk/format/descriptor_parser.hpp"

namespace {

using namespace vmdk;

void demand(bool truth) {
  if (!truth) std::abort();
}

bool lies_in(std::string_view piece, std::string_view text) {
  return piece.empty() ||
         (piece.data() >= text.data() && piece.data() + piece.size() <= text.data() + text.size());
}

/// Counts findings, and knows whether one of them was an error.
struct tally {
  std::size_t limit = 0;
  std::size_t count = 0;
  bool has_error = false;
  bool operator()(errc code, std::uint64_t offset) noexcept {
    demand(offset <= limit && to_string(code) != "an unknown error");
    has_error = has_error || severity_of(code) == severity::error;
    ++count;
    return true;
  }
};

/// Walks over everything that a view gives.
void walk(const descriptor_view& view, std::string_view text) {
  std::size_t extents = 0;
  std::uint64_t sectors = 0;
  for (const extent_line& extent : view.extents()) {
    ++extents;
    sectors += extent.sectors;
    char memory[3 * extent_name_max_bytes];
    char name[extent_name_max_bytes];
    demand(lies_in(extent.name.stem, text) && extent.sectors != 0);
    if (extent.name.compose(name).ok()) {
      const auto utf8 = name_to_utf8(extent.name.stem, view.encoding(), memory);
      demand(utf8.ok());
      demand(view.encoding() != text_encoding::windows_1252 || is_utf8(*utf8));
    }
  }
  demand(extents == view.extent_count() && sectors == view.total_sectors() && extents != 0);
  const auto check_entries = [&](entry_range entries, std::size_t most) {
    std::size_t count = 0;
    for (const descriptor_entry& entry : entries) {
      ++count;
      demand(lies_in(entry.key, text) && lies_in(entry.value, text) && !entry.key.empty());
      demand(entries.find(entry.key).offset == entry.offset);
    }
    demand(count <= most);
  };
  check_entries(view.headers(), descriptor_max_header_entries);
  check_entries(view.ddb(), descriptor_max_ddb_entries);
  demand(!view.type_text().empty());
  demand(view.parent_file_name_hint().empty() || view.has_parent());
  (void)view.disk_geometry();
  (void)view.controller();
}

/// What the builder can say of a parsed descriptor.
struct rebuilt {
  descriptor_fields fields{};
  std::vector<extent_line> extents{};
  std::vector<ddb_entry> more{};

  explicit rebuilt(const descriptor_view& view) {
    fields.type = view.type();
    fields.id.cid = view.cid();
    fields.parent_cid = view.parent_cid();
    fields.parent_file_name_hint = view.parent_file_name_hint();
    fields.controller = view.controller();
    fields.disk_geometry = view.disk_geometry();
    fields.tools_version = view.number("toolsVersion");
    fields.virtual_hw_version = view.number("virtualHWVersion");
    fields.uuid = view.ddb().find("uuid").value;
    for (const extent_line& extent : view.extents()) extents.push_back(extent);
    for (const descriptor_entry& entry : view.ddb()) {
      if (!detail::is_reserved_ddb_key(entry.key)) more.push_back({entry.key, entry.value});
    }
    fields.more_ddb = more;
  }
};

bool same_extent(const extent_line& a, const extent_line& b) {
  return a.access == b.access && a.type == b.type && a.sectors == b.sectors &&
         a.has_offset == b.has_offset && a.offset_sectors == b.offset_sectors &&
         a.name.stem == b.name.stem;
}

/// Builds a descriptor and demands that strict readers find the same values in it.
void round_trip(const descriptor_view& view, descriptor_place place) {
  const rebuilt again(view);
  const std::uint64_t bytes = descriptor_bytes(again.fields, again.extents);
  std::string text(static_cast<std::size_t>(bytes), '\0');
  const auto built =
      build_descriptor(again.fields, again.extents, std::as_writable_bytes(std::span(text)));
  if (!built.ok()) {
    demand(built.error().code == errc::option_invalid);
    return;
  }
  demand(*built == text.size());
  const auto second = parse_descriptor(text, place, strictness::strict);
  demand(second.ok());
  demand(second->cid() == view.cid() && second->parent_cid() == view.parent_cid() &&
         second->type() == view.type() && second->controller() == view.controller() &&
         second->parent_file_name_hint() == view.parent_file_name_hint() &&
         second->disk_geometry() == view.disk_geometry() &&
         second->total_sectors() == view.total_sectors());
  std::size_t i = 0;
  for (const extent_line& extent : second->extents()) {
    demand(same_extent(extent, again.extents.at(i++)));
  }
  demand(i == again.extents.size());
  for (const ddb_entry& entry : again.more) {
    demand(second->ddb().find(entry.key).value == entry.value);
  }
}

void try_place(std::string_view text, descriptor_place place) {
  tally found{.limit = text.size()};
  const auto checked = check_descriptor(text, place, found);
  const auto tolerant = parse_descriptor(text, place);
  const auto strict = parse_descriptor(text, place, strictness::strict);
  demand(checked.ok() == !found.has_error && tolerant.ok() == checked.ok());
  demand(strict.ok() == (found.count == 0));
  demand(checked.error() == tolerant.error());
  if (tolerant.ok()) walk(*tolerant, text);
  if (strict.ok()) round_trip(*strict, place);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try_place(text, descriptor_place::embedded);
  try_place(text, descriptor_place::text_file);
  return 0;
}
