// SPDX-License-Identifier: BSD-2-Clause
#include <array>

#include "image_types.hpp"
#include "layout_json.hpp"
#include "vmdk/format/extent_name.hpp"
#include "vmdk/layout/flat.hpp"
#include "vmdk/layout/split.hpp"

namespace vmdk::cli {
namespace {

using nlohmann::ordered_json;

/// Adds the extents, whose bytes and regions `describe(json, index)` knows, and the descriptor.
/// Returns the bytes of the descriptor.
template <class Describe>
std::uint64_t add_files(ordered_json& to, const write_options& options, const disk_pieces& pieces,
                        create_type type, Describe&& describe) {
  const piece_list extents = pieces.extents(options.extent_name);
  to["files"] = ordered_json::array();
  for (std::uint32_t i = 0; i < pieces.piece_count(); ++i) {
    std::array<char, extent_name_max_bytes> memory{};
    ordered_json file;
    file["name"] = extents[i].name.compose(memory).value();
    describe(file, i);
    to["files"].push_back(std::move(file));
  }
  const std::uint64_t text_bytes = pieces.descriptor_bytes(
      vmdk::detail::make_fields(options, type, pieces.capacity_sectors()), options.extent_name);
  ordered_json text = region_json("text", 0, nullptr);
  text["bytes"] = text_bytes;
  to["files"].push_back({{"name", options.extent_name},
                         {"bytes", text_bytes},
                         {"regions", ordered_json::array({std::move(text)})}});
  return text_bytes;
}

void lay_out_flat(const write_options& options, const flat_layout& plan, create_type type,
                  ordered_json& to) {
  to["capacity_bytes"] = plan.capacity_bytes();
  for (const char* size : {"file_bytes", "min_file_bytes", "max_file_bytes"}) to[size] = nullptr;
  const std::uint64_t text_bytes =
      add_files(to, options, plan, type, [&](ordered_json& file, std::uint32_t i) {
        file["bytes"] = plan.file_bytes(i);
        file["regions"] = ordered_json::array({region_json("data", {0, plan.piece(i).sectors})});
      });
  for (const char* size : {"file_bytes", "min_file_bytes", "max_file_bytes"}) {
    to[size] = plan.extents_bytes() + text_bytes;
  }
}

}  // namespace

void lay_out_two_gb_max_extent_sparse(const layout_arguments& from, const write_options& options,
                                      ordered_json& to) {
  const auto planned = split_layout::for_capacity(
      from.capacity_bytes, {.grain_sectors = grain_sectors_of(from), .capacity = options.capacity});
  if (!planned) fail_capacity(from, planned.error());
  const split_layout& plan = *planned;
  const std::uint64_t stored = from.stored_grains.value_or(0);
  const auto extents_bytes = plan.extents_bytes(stored);
  if (!extents_bytes) fail_stored(from, extents_bytes.error(), plan.grain_count());

  std::uint64_t tables = 0;
  for (std::uint32_t i = 0; i < plan.piece_count(); ++i) tables += plan.extent(i).table_count();
  to["capacity_bytes"] = plan.capacity_bytes();
  to["grain_bytes"] = plan.extent(0).geometry().grain_bytes();
  to["grains"] = plan.grain_count();
  to["tables"] = tables;
  to["stored_grains"] = stored;
  for (const char* size : {"file_bytes", "min_file_bytes", "max_file_bytes"}) to[size] = nullptr;
  const std::uint64_t text_bytes =
      add_files(to, options, plan, create_type::two_gb_max_extent_sparse,
                [&](ordered_json& file, std::uint32_t i) {
                  // Which file the grains are in is known only where there is no choice.
                  const sparse_layout extent = plan.extent(i);
                  std::uint64_t grains = stored;
                  bool is_known = stored == 0 || plan.piece_count() == 1;
                  if (stored == plan.grain_count()) {
                    grains = extent.grain_count();
                    is_known = true;
                  }
                  const std::uint64_t sectors = grains * extent.grain_sectors();
                  file["bytes"] = is_known ? size_or_null(extent.file_bytes(grains)) : nullptr;
                  file["regions"] = regions_json(
                      extent, is_known ? ordered_json(sectors) : ordered_json(nullptr));
                });
  to["file_bytes"] = *extents_bytes + text_bytes;
  to["min_file_bytes"] = plan.min_extents_bytes() + text_bytes;
  to["max_file_bytes"] = plan.max_extents_bytes() + text_bytes;
}

void lay_out_monolithic_flat(const layout_arguments& from, const write_options& options,
                             ordered_json& to) {
  const auto planned = flat_layout::for_capacity(from.capacity_bytes, piece_form::whole);
  if (!planned) fail_capacity(from, planned.error());
  lay_out_flat(options, *planned, create_type::monolithic_flat, to);
}

void lay_out_two_gb_max_extent_flat(const layout_arguments& from, const write_options& options,
                                    ordered_json& to) {
  const auto planned = flat_layout::for_capacity(from.capacity_bytes, piece_form::flat);
  if (!planned) fail_capacity(from, planned.error());
  lay_out_flat(options, *planned, create_type::two_gb_max_extent_flat, to);
}

}  // namespace vmdk::cli
