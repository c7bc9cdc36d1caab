// SPDX-License-Identifier: BSD-2-Clause
#include "info_text.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "text.hpp"
#include "vmdk/format/sparse_header.hpp"
#include "vmdk/format/text.hpp"

namespace vmdk::cli {
namespace {

using nlohmann::ordered_json;

/// More lines of one kind than this tell a person nothing.
constexpr std::size_t most_lines = 16;

class page {
 public:
  void title(const std::string& value) { text_ += printable(value) + '\n'; }
  void add(const char* name, const std::string& value) {
    char padded[24];
    (void)std::snprintf(padded, sizeof padded, "  %-12s", name);
    text_ += padded + printable(value) + '\n';
  }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
};

std::string text_of(const ordered_json& value, const char* otherwise) {
  return value.is_string() ? value.get<std::string>() : otherwise;
}

std::uint64_t number_of(const ordered_json& value) {
  return value.is_number() ? value.get<std::uint64_t>() : 0;
}

std::string flags_text(std::uint32_t flags) {
  constexpr struct {
    std::uint32_t bit;
    const char* name;
  } names[] = {{sparse_flags::newline_bytes_valid, "newline bytes"},
               {sparse_flags::redundant_tables, "redundant tables"},
               {sparse_flags::zeroed_grains, "zeroed grains"},
               {sparse_flags::compressed, "compressed"},
               {sparse_flags::markers, "markers"}};
  std::string text;
  for (const auto& flag : names) {
    if ((flags & flag.bit) == 0) continue;
    text += text.empty() ? "" : ", ";
    text += flag.name;
  }
  const std::string digits(vmdk::detail::number_text::hex(flags, 8).view());
  return "0x" + digits.substr(std::min<std::size_t>(digits.find_first_not_of('0'), 7)) +
         (text.empty() ? "" : " (" + text + ')');
}

std::string share_text(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return {};
  const double percent = 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  char text[32];
  (void)std::snprintf(text, sizeof text, percent < 10 ? ", %.1f %%" : ", %.0f %%", percent);
  return text;
}

void add_sizes(page& to, const ordered_json& json) {
  const std::uint64_t capacity = number_of(json["capacity_bytes"]);
  to.add("capacity", exact_size_text(capacity));
  if (json["stored_bytes"].is_number()) {
    const std::uint64_t stored = number_of(json["stored_bytes"]);
    to.add("stored", exact_size_text(stored) + share_text(stored, capacity));
  }
  to.add("file size", exact_size_text(number_of(json["file_bytes"])));
}

void add_header(page& to, const ordered_json& header) {
  const std::uint64_t grain_bytes = number_of(header["grain_bytes"]);
  to.add("grain", size_text(grain_bytes) + ", " + header["grains"].dump() + " in all");
  std::string tables =
      header["tables"].dump() + ", directory in sector " + header["directory_sector"].dump();
  if (number_of(header["redundant_directory_sector"]) != 0) {
    tables += ", redundant one in sector " + header["redundant_directory_sector"].dump();
  }
  if (header["tables_at_end"] == true) tables += ", behind the grains";
  to.add("tables", tables);
  to.add("header", "version " + header["version"].dump() + ", flags " +
                       flags_text(header["flags"].get<std::uint32_t>()) + ", overhead " +
                       header["overhead_sectors"].dump() + " sectors");
  if (header["unclean_shutdown"] == true) to.add("state", "was not closed properly");
}

void add_descriptor(page& to, const ordered_json& json) {
  to.add("content id", text_of(json["cid"], "none"));
  if (json["parent_cid"].is_null()) {
    to.add("parent", "none");
  } else {
    to.add("parent", text_of(json["parent_file"], "not named") + ", content id " +
                         text_of(json["parent_cid"], ""));
  }
  const ordered_json& shape = json["geometry"];
  to.add("adapter", text_of(json["adapter"], "not stated"));
  to.add("geometry", counted(number_of(shape["cylinders"]), "cylinder") + ", " +
                         counted(number_of(shape["heads"]), "head") + ", " +
                         counted(number_of(shape["sectors"]), "sector"));
  for (const auto& [key, value] : json["ddb"].items()) {
    if (key == "adapterType" || key.starts_with("geometry.")) continue;
    to.add("ddb", key + " = " + value.get<std::string>());
  }
}

void add_extents(page& to, const ordered_json& extents) {
  for (std::size_t i = 0; i < std::min(extents.size(), most_lines); ++i) {
    const ordered_json& extent = extents[i];
    std::string text = text_of(extent["access"], "") + ' ' + text_of(extent["type"], "") + ", " +
                       size_text(number_of(extent["bytes"]));
    if (extent["file"].is_string()) text += ", \"" + text_of(extent["file"], "") + '"';
    if (number_of(extent["offset_bytes"]) != 0) {
      text += " from byte " + extent["offset_bytes"].dump();
    }
    to.add("extent", text);
  }
  if (extents.size() > most_lines) {
    to.add("", "and " + std::to_string(extents.size() - most_lines) + " more");
  }
}

void add_chain(page& to, const ordered_json& chain) {
  if (chain.size() < 2) return;
  for (const ordered_json& link : chain) {
    std::string text = text_of(link["file"], "") + ", content id " + text_of(link["cid"], "none");
    if (link["stored_bytes"].is_number()) {
      text += ", holds " + size_text(number_of(link["stored_bytes"]));
    }
    to.add("chain", text);
  }
}

}  // namespace

std::string info_text(const ordered_json& json) {
  page to;
  to.title(json["file"].get<std::string>() + ": VMDK, " + text_of(json["type"], "no known type"));
  add_sizes(to, json);
  if (json["header"].is_object()) add_header(to, json["header"]);
  if (json["cid"].is_string()) {
    add_descriptor(to, json);
    add_extents(to, json["extents"]);
  }
  add_chain(to, json["chain"]);
  for (const ordered_json& problem : json["problems"]) {
    to.add("problem", text_of(problem["file"], "") + ": " + text_of(problem["text"], ""));
  }
  return to.text();
}

}  // namespace vmdk::cli
