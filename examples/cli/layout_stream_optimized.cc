// SPDX-License-Identifier: BSD-2-Clause
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "error.hpp"
#include "image_types.hpp"
#include "vmdk/codec/stored.hpp"
#include "vmdk/core/to_string.hpp"
#include "vmdk/layout/stream.hpp"

namespace vmdk::cli {
namespace {

using nlohmann::ordered_json;

/// A region; what hangs on how well the grains compress is null.
ordered_json region_json(const char* name, const ordered_json& first_sector,
                         const ordered_json& sectors) {
  const auto bytes = [](const ordered_json& number) {
    if (number.is_null()) return ordered_json(nullptr);
    return ordered_json(number.get<std::uint64_t>() * sector_bytes);
  };
  return {{"name", name},
          {"first_sector", first_sector},
          {"sectors", sectors},
          {"offset_bytes", bytes(first_sector)},
          {"bytes", bytes(sectors)}};
}

/// Everything of a file with its tables at the end, in order.
ordered_json regions_json(const stream_layout& plan, bool is_empty) {
  const std::uint64_t end = plan.descriptor().end_sector();
  const std::uint64_t overhead = plan.overhead_sectors();
  const std::uint64_t directory = plan.geometry().directory_sectors();
  ordered_json regions = {region_json("header", 0, 1),
                          region_json("descriptor", 1, plan.descriptor().sectors)};
  if (end != overhead) regions.push_back(region_json("padding", end, overhead - end));
  regions.push_back(region_json("grains and tables", overhead,
                                is_empty ? ordered_json(0) : ordered_json(nullptr)));
  std::uint64_t at = overhead;
  const auto add = [&](const char* name, std::uint64_t sectors) {
    regions.push_back(
        region_json(name, is_empty ? ordered_json(at) : ordered_json(nullptr), sectors));
    at += sectors;
  };
  add("directory marker", 1);
  add("directory", directory);
  add("footer marker", 1);
  add("footer", 1);
  add("end of stream", 1);
  return regions;
}

}  // namespace

void lay_out_stream_optimized(const layout_arguments& from, ordered_json& to) {
  stream_layout_options options;
  if (from.grain_bytes) {
    options.grain_sectors = static_cast<std::uint32_t>(*from.grain_bytes / sector_bytes);
  }
  const auto planned = stream_layout::for_capacity(from.capacity_bytes, options);
  if (!planned) {
    throw error("--capacity " + std::to_string(from.capacity_bytes),
                std::string(to_string(planned.error().code)));
  }
  const std::uint64_t stored_grains = from.stored_grains.value_or(0);
  if (stored_grains > planned->grain_count()) {
    throw error("--stored " + std::to_string(stored_grains),
                "the disk has only " + std::to_string(planned->grain_count()) + " grains");
  }
  const bool is_empty = stored_grains == 0;
  const auto most = planned->max_file_bytes(stored::bound(planned->geometry().grain_bytes()));
  to["capacity_bytes"] = planned->capacity_bytes();
  to["grain_bytes"] = planned->geometry().grain_bytes();
  to["grains"] = planned->grain_count();
  to["tables"] = planned->table_count();
  to["stored_grains"] = stored_grains;
  to["file_bytes"] = is_empty ? ordered_json(planned->min_file_bytes()) : ordered_json(nullptr);
  to["min_file_bytes"] = planned->min_file_bytes();
  to["max_file_bytes"] = most ? ordered_json(*most) : ordered_json(nullptr);
  to["files"] = {{{"name", "disk.vmdk"}, {"regions", regions_json(*planned, is_empty)}}};
}

}  // namespace vmdk::cli
