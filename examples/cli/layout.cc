// SPDX-License-Identifier: BSD-2-Clause
#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "commands.hpp"
#include "error.hpp"
#include "image_types.hpp"
#include "settings.hpp"
#include "text.hpp"

namespace vmdk::cli {
namespace {

using nlohmann::ordered_json;

std::string line(const char* name, const std::string& value) {
  char padded[24];
  (void)std::snprintf(padded, sizeof padded, "%-14s", name);
  return padded + value + '\n';
}

std::string size_line(const char* name, const ordered_json& bytes) {
  return line(name, bytes.is_null() ? "more than 32-bit sector numbers allow"
                                    : exact_size_text(bytes.get<std::uint64_t>()));
}

std::string number_or_dash(const ordered_json& number) {
  return number.is_null() ? "-" : number.dump();
}

std::string as_text(const ordered_json& plan, bool is_compressed) {
  std::string text = line("type", plan["type"].get<std::string>());
  text += size_line("capacity", plan["capacity_bytes"]);
  if (plan.contains("grain_bytes")) {
    text += line("grains", plan["grains"].dump() + " of " +
                               size_text(plan["grain_bytes"].get<std::uint64_t>()) + ", " +
                               counted(plan["tables"].get<std::uint64_t>(), "table"));
    text += line("stored", counted(plan["stored_grains"].get<std::uint64_t>(), "grain"));
  }
  if (is_compressed && plan["file_bytes"].is_null()) {
    text += line("file size", "as the grains compress");
  } else {
    text += size_line("file size", plan["file_bytes"]);
  }
  text += size_line("at least", plan["min_file_bytes"]);
  text += size_line("at most", plan["max_file_bytes"]);
  for (const ordered_json& file : plan["files"]) {
    char row[160];
    (void)std::snprintf(row, sizeof row, "\n%-22s%14s%14s%18s%18s\n",
                        file["name"].get<std::string>().c_str(), "first sector", "sectors",
                        "at byte", "bytes");
    text += row;
    for (const ordered_json& region : file["regions"]) {
      (void)std::snprintf(
          row, sizeof row, "  %-20s%14s%14s%18s%18s\n", region["name"].get<std::string>().c_str(),
          number_or_dash(region["first_sector"]).c_str(), number_or_dash(region["sectors"]).c_str(),
          number_or_dash(region["offset_bytes"]).c_str(), number_or_dash(region["bytes"]).c_str());
      text += row;
    }
  }
  return text;
}

}  // namespace

int run_layout(const layout_arguments& told) {
  const image_type& type = find_type(told.type);
  const std::string name(type.name);
  if (!type.has_grains && told.grain_bytes) throw error("-g", "means nothing for the type " + name);
  if (!type.has_grains && told.stored_grains) {
    throw error("--stored", "means nothing for the type " + name);
  }
  const settings chosen(told.settings);
  check_settings(type, chosen);
  for (const std::string& text : told.settings) {
    const std::string key = text.substr(0, text.find('='));
    if (key != "tables" && key != "capacity") {
      throw error("-o " + key, "means nothing for a layout; there are tables and capacity");
    }
  }
  if (type.lay_out == nullptr)
    throw error("-t " + name, "has no layout; a raw file is the disk itself");
  if (told.capacity_bytes == 0) throw error("--capacity 0", "a disk has some size");
  ordered_json plan;
  plan["type"] = name;
  write_options options = chosen.options();
  options.extent_name = "disk.vmdk";
  type.lay_out(told, options, plan);
  print(told.json ? plan.dump(2) + '\n' : as_text(plan, type.is_compressed));
  return status_done;
}

}  // namespace vmdk::cli
