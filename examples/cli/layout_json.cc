// SPDX-License-Identifier: BSD-2-Clause
#include "layout_json.hpp"

#include "error.hpp"
#include "vmdk/core/to_string.hpp"

namespace vmdk::cli {

using nlohmann::ordered_json;

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

ordered_json region_json(const char* name, const region& place) {
  return region_json(name, ordered_json(place.first_sector), ordered_json(place.sectors));
}

ordered_json regions_json(const sparse_layout& plan, const ordered_json& grain_sectors) {
  const std::uint64_t end = plan.tables().end_sector();
  const std::uint64_t overhead = plan.overhead_sectors();
  // Braces around one value alone mean another thing to each compiler.
  ordered_json regions = ordered_json::array({region_json("header", plan.header())});
  // A file beside a text descriptor has none of its own.
  if (plan.descriptor().sectors != 0) {
    regions.push_back(region_json("descriptor", plan.descriptor()));
  }
  regions.push_back(region_json("redundant directory", plan.redundant_directory()));
  regions.push_back(region_json("redundant tables", plan.redundant_tables()));
  regions.push_back(region_json("directory", plan.directory()));
  regions.push_back(region_json("tables", plan.tables()));
  if (end != overhead) regions.push_back(region_json("padding", {end, overhead - end}));
  regions.push_back(region_json("grains", ordered_json(overhead), grain_sectors));
  return regions;
}

ordered_json size_or_null(const result<std::uint64_t>& size) {
  return size ? ordered_json(*size) : ordered_json(nullptr);
}

std::uint32_t grain_sectors_of(const layout_arguments& from) noexcept {
  return from.grain_bytes ? static_cast<std::uint32_t>(*from.grain_bytes / sector_bytes)
                          : sparse_layout_options{}.grain_sectors;
}

void fail_capacity(const layout_arguments& from, const failure& why) {
  throw error("--capacity " + std::to_string(from.capacity_bytes),
              std::string(to_string(why.code)));
}

void fail_stored(const layout_arguments& from, const failure& why, std::uint64_t grains) {
  throw error("--stored " + std::to_string(from.stored_grains.value_or(0)),
              why.code == errc::content_exceeds_capacity
                  ? "the disk has only " + std::to_string(grains) + " grains"
                  : std::string(to_string(why.code)));
}

}  // namespace vmdk::cli
