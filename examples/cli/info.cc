// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "commands.hpp"
#include "error.hpp"
#include "image_disk.hpp"
#include "info_text.hpp"
#include "text.hpp"
#include "vmdk/format/descriptor_parser.hpp"
#include "vmdk/hosted/file_source.hpp"
#include "vmdk/reader/extent_file.hpp"
#include "vmdk/reader/file_view.hpp"
#include "vmdk/reader/sparse_extent.hpp"

namespace vmdk::cli {
namespace {

using nlohmann::ordered_json;

std::string hex(std::uint32_t value) {
  return std::string(vmdk::detail::number_text::hex(value, 8).view());
}

ordered_json text_or_null(std::string_view text) {
  return text.empty() ? ordered_json(nullptr) : ordered_json(std::string(text));
}

/// Says in the document what keeps it from being whole.
void add_problem(ordered_json& json, const std::string& file, const std::string& text) {
  json["problems"].push_back({{"file", file}, {"text", text}});
}

std::string read_text(const std::string& name, const file_source& file, std::uint64_t offset,
                      std::uint64_t bytes) {
  std::string text(static_cast<std::size_t>(bytes), '\0');
  const byte_span out(reinterpret_cast<std::byte*>(text.data()), text.size());
  if (failure why = file.read_at(offset, out)) fail(name, why);
  return text;
}

ordered_json header_json(const sparse_extent_header& header, const sparse_extent& extent) {
  const bool has_redundant = header.has(sparse_flags::redundant_tables) && header.rgd_offset != 0;
  ordered_json json;
  json["version"] = header.version.get();
  json["flags"] = header.flags.get();
  json["grain_bytes"] = extent.geometry().grain_bytes();
  json["grains"] = extent.geometry().grain_count();
  json["tables"] = extent.geometry().table_count();
  json["overhead_sectors"] = header.over_head.get();
  json["descriptor_sector"] = header.descriptor_offset.get();
  json["descriptor_sectors"] = header.descriptor_size.get();
  json["directory_sector"] = extent.directory_offset_bytes() / sector_bytes;
  json["redundant_directory_sector"] =
      has_redundant ? ordered_json(header.rgd_offset.get()) : ordered_json(nullptr);
  json["tables_at_end"] = header.has_tables_at_end();
  json["compressed"] = header.is_compressed();
  json["unclean_shutdown"] = header.unclean_shutdown != 0;
  return json;
}

ordered_json extent_json(const extent_line& line) {
  return {{"access", vmdk::detail::word_of(extent_access_words, line.access)},
          {"type", vmdk::detail::word_of(extent_type_words, line.type)},
          {"bytes", line.sectors * sector_bytes},
          {"file", text_or_null(line.name.stem)},
          {"offset_bytes", line.offset_sectors * sector_bytes}};
}

void add_descriptor(ordered_json& json, const descriptor_view& view) {
  const geometry shape = view.disk_geometry();
  json["type"] = text_or_null(view.type_text());
  json["cid"] = hex(view.cid());
  json["parent_cid"] = view.has_parent() ? ordered_json(hex(view.parent_cid())) : nullptr;
  json["parent_file"] = text_or_null(view.parent_file_name_hint());
  json["adapter"] = text_or_null(view.ddb().find("adapterType").value);
  json["geometry"] = {
      {"cylinders", shape.cylinders}, {"heads", shape.heads}, {"sectors", shape.sectors}};
  for (const extent_line& line : view.extents()) json["extents"].push_back(extent_json(line));
  for (const descriptor_entry& entry : view.ddb()) {
    json["ddb"][std::string(entry.key)] = std::string(entry.value);
  }
}

/// Describes a sparse file by its own header and descriptor.
void describe_sparse(ordered_json& json, const std::string& name, const file_source& file) {
  const auto opened = sparse_extent::open(file, file.size(), strictness::tolerant);
  if (!opened) fail(name, opened.error());
  sector_image first{};
  if (failure why = file.read_at(0, first)) fail(name, why);
  json["capacity_bytes"] = opened->capacity_bytes();
  json["header"] = header_json(decode_sparse_header(first), *opened);
  if (opened->descriptor_bytes() == 0) return;
  const std::uint64_t offset = opened->descriptor_offset_bytes();
  const std::string text = read_text(name, file, offset, opened->descriptor_bytes());
  if (const auto view = parse_descriptor(text, descriptor_place::embedded)) {
    add_descriptor(json, *view);
  }
}

/// Describes a text descriptor by what it says.
void describe_descriptor(ordered_json& json, const std::string& name, const file_source& file) {
  if (file.size() > descriptor_max_bytes) throw error(name, "is not a VMDK");
  const std::string text = read_text(name, file, 0, file.size());
  const auto view = parse_descriptor(text, descriptor_place::text_file);
  if (!view) fail(name, view.error());
  json["capacity_bytes"] = view->total_sectors() * sector_bytes;
  add_descriptor(json, *view);
}

/// How much of the disk each link of the chain stores.
std::vector<std::uint64_t> stored_bytes(image_map& content) {
  std::vector<std::uint64_t> stored(content.opened().get().links().size());
  for (std::uint64_t at = 0; at < content.size();) {
    const disk_mapping found = content.at(at);
    if (found.where != placement::zero) stored[found.link] += found.bytes;
    at += found.bytes;
  }
  return stored;
}

/// Adds what only the whole image can tell, further files and parents included.
void describe_image(ordered_json& json, const input& from) {
  image_map content(from);
  const image<image_files>& opened = content.opened().get();
  json["capacity_bytes"] = opened.size();
  for (const link& each : opened.links()) {
    json["chain"].push_back({{"file", content.opened().files().name(each.file.value)},
                             {"cid", hex(each.cid)},
                             {"stored_bytes", nullptr}});
  }
  const std::vector<std::uint64_t> stored = stored_bytes(content);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < stored.size(); ++i) {
    json["chain"][i]["stored_bytes"] = stored[i];
    sum += stored[i];
  }
  json["stored_bytes"] = sum;
}

}  // namespace

int run_info(const info_arguments& told) {
  const std::string name = name_of_input(told.source.path);
  auto opened = file_source::open(told.source.path == "-" ? "/dev/stdin" : told.source.path);
  if (!opened) fail_opening(name, opened.error());
  const file_source file = std::move(opened).value();
  const std::string start =
      read_text(name, file, 0, std::min<std::uint64_t>(file.size(), sector_bytes));
  if (!looks_like_vmdk(start)) throw error(name, "is not a VMDK");
  single_file<const file_source> files(file);
  const auto contents = identify_file(files, file_id{});
  if (contents == file_contents::cowd || contents == file_contents::sesparse) {
    fail(name, image_failure(errc::embedded_descriptor_missing, 0));
  }

  ordered_json json;
  json["file"] = name;
  json["type"] = nullptr;
  json["capacity_bytes"] = nullptr;
  json["stored_bytes"] = nullptr;
  json["file_bytes"] = file.size();
  json["header"] = nullptr;
  json["cid"] = nullptr;
  json["parent_cid"] = nullptr;
  json["parent_file"] = nullptr;
  json["adapter"] = nullptr;
  json["geometry"] = nullptr;
  json["extents"] = ordered_json::array();
  json["ddb"] = ordered_json::object();
  json["chain"] = ordered_json::array();
  json["problems"] = ordered_json::array();
  contents == file_contents::sparse ? describe_sparse(json, name, file)
                                    : describe_descriptor(json, name, file);
  try {
    describe_image(json, told.source);
  } catch (const error& why) {
    add_problem(json, why.subject(), why.text());
  }
  // Names in other encodings must not keep the rest from being printed.
  constexpr auto replace = ordered_json::error_handler_t::replace;
  print(told.json ? json.dump(2, ' ', false, replace) + '\n' : info_text(json));
  return status_done;
}

}  // namespace vmdk::cli
