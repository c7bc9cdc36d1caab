// SPDX-License-Identifier: BSD-2-Clause
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "error.hpp"
#include "image_types.hpp"
#include "vmdk/core/to_string.hpp"
#include "vmdk/layout/sparse.hpp"

namespace vmdk::cli {
namespace {

using nlohmann::ordered_json;

ordered_json region_json(const char* name, const region& place) {
  return {{"name", name},
          {"first_sector", place.first_sector},
          {"sectors", place.sectors},
          {"offset_bytes", place.first_byte()},
          {"bytes", place.bytes()}};
}

ordered_json size_or_null(const result<std::uint64_t>& size) {
  return size ? ordered_json(*size) : ordered_json(nullptr);
}

/// Everything of the file, in order.
ordered_json regions_json(const sparse_layout& plan, std::uint64_t stored_grains) {
  const std::uint64_t end = plan.tables().end_sector();
  const std::uint64_t overhead = plan.overhead_sectors();
  ordered_json regions = {region_json("header", plan.header()),
                          region_json("descriptor", plan.descriptor()),
                          region_json("redundant directory", plan.redundant_directory()),
                          region_json("redundant tables", plan.redundant_tables()),
                          region_json("directory", plan.directory()),
                          region_json("tables", plan.tables())};
  if (end != overhead) regions.push_back(region_json("padding", {end, overhead - end}));
  regions.push_back(region_json("grains", {overhead, stored_grains * plan.grain_sectors()}));
  return regions;
}

}  // namespace

void lay_out_monolithic_sparse(const layout_arguments& from, ordered_json& to) {
  sparse_layout_options options;
  if (from.grain_bytes) {
    options.grain_sectors = static_cast<std::uint32_t>(*from.grain_bytes / sector_bytes);
  }
  const auto planned = sparse_layout::for_capacity(from.capacity_bytes, options);
  if (!planned) {
    throw error("--capacity " + std::to_string(from.capacity_bytes),
                std::string(to_string(planned.error().code)));
  }
  const std::uint64_t stored = from.stored_grains.value_or(0);
  const auto file_bytes = planned->file_bytes(stored);
  if (!file_bytes) {
    throw error("--stored " + std::to_string(stored),
                file_bytes.error().code == errc::content_exceeds_capacity
                    ? "the disk has only " + std::to_string(planned->grain_count()) + " grains"
                    : std::string(to_string(file_bytes.error().code)));
  }
  to["capacity_bytes"] = planned->capacity_bytes();
  to["grain_bytes"] = planned->geometry().grain_bytes();
  to["grains"] = planned->grain_count();
  to["tables"] = planned->table_count();
  to["stored_grains"] = stored;
  to["file_bytes"] = *file_bytes;
  to["min_file_bytes"] = size_or_null(planned->min_file_bytes());
  to["max_file_bytes"] = size_or_null(planned->max_file_bytes());
  to["files"] = {{{"name", "disk.vmdk"}, {"regions", regions_json(*planned, stored)}}};
}

}  // namespace vmdk::cli
