// SPDX-License-Identifier: BSD-2-Clause
#include "image_types.hpp"
#include "layout_json.hpp"
#include "vmdk/codec/stored.hpp"
#include "vmdk/layout/stream.hpp"

namespace vmdk::cli {
namespace {

using nlohmann::ordered_json;

/// Everything of the file, in order; what hangs on how well the grains compress is null.
ordered_json regions_json(const stream_layout& plan, bool is_empty) {
  const std::uint64_t overhead = plan.overhead_sectors();
  ordered_json regions = {region_json("header", plan.header()),
                          region_json("descriptor", plan.descriptor())};
  std::uint64_t end = plan.descriptor().end_sector();
  if (!plan.has_tables_at_end()) {
    regions.push_back(region_json("directory", plan.directory()));
    regions.push_back(region_json("tables", plan.tables()));
    end = plan.tables().end_sector();
  }
  if (end != overhead) regions.push_back(region_json("padding", {end, overhead - end}));
  regions.push_back(region_json(plan.has_tables_at_end() ? "grains and tables" : "grains", overhead,
                                is_empty ? ordered_json(0) : ordered_json(nullptr)));
  std::uint64_t at = overhead;
  const auto add = [&](const char* name, std::uint64_t sectors) {
    regions.push_back(
        region_json(name, is_empty ? ordered_json(at) : ordered_json(nullptr), sectors));
    at += sectors;
  };
  if (plan.has_tables_at_end()) {
    add("directory marker", 1);
    add("directory", plan.geometry().directory_sectors());
    add("footer marker", 1);
    add("footer", 1);
  }
  add("end of stream", 1);
  return regions;
}

}  // namespace

void lay_out_stream_optimized(const layout_arguments& from, const write_options& options,
                              ordered_json& to) {
  const auto planned =
      stream_layout::for_capacity(from.capacity_bytes, {.grain_sectors = grain_sectors_of(from),
                                                        .capacity = options.capacity,
                                                        .table_place = options.table_place});
  if (!planned) fail_capacity(from, planned.error());
  const std::uint64_t stored_grains = from.stored_grains.value_or(0);
  if (stored_grains > planned->grain_count()) {
    fail_stored(from, options_failure(errc::content_exceeds_capacity), planned->grain_count());
  }
  const bool is_empty = stored_grains == 0;
  const ordered_json file_bytes =
      is_empty ? ordered_json(planned->min_file_bytes()) : ordered_json(nullptr);
  to["capacity_bytes"] = planned->capacity_bytes();
  to["grain_bytes"] = planned->geometry().grain_bytes();
  to["grains"] = planned->grain_count();
  to["tables"] = planned->table_count();
  to["stored_grains"] = stored_grains;
  to["file_bytes"] = file_bytes;
  to["min_file_bytes"] = planned->min_file_bytes();
  to["max_file_bytes"] =
      size_or_null(planned->max_file_bytes(stored::bound(planned->geometry().grain_bytes())));
  to["files"] = {{{"name", options.extent_name},
                  {"bytes", file_bytes},
                  {"regions", regions_json(*planned, is_empty)}}};
}

}  // namespace vmdk::cli
