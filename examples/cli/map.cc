// SPDX-License-Identifier: BSD-2-Clause
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "commands.hpp"
#include "error.hpp"
#include "image_disk.hpp"
#include "text.hpp"

namespace vmdk::cli {
namespace {

using nlohmann::ordered_json;

/// A run of the disk that is stored in one way and in one place.
struct run {
  std::uint64_t offset = 0;
  disk_mapping what{};
  std::uint32_t file = 0;
};

bool continues(const run& before, const run& next) noexcept {
  if (before.what.where != next.what.where) return false;
  if (next.what.where == placement::zero) return true;
  if (before.what.link != next.what.link || before.file != next.file) return false;
  return next.what.where == placement::compressed ||
         before.what.file_offset + before.what.bytes == next.what.file_offset;
}

std::string_view word_of(placement where) noexcept {
  switch (where) {
    case placement::stored:
      return "stored";
    case placement::compressed:
      return "compressed";
    default:
      return "zero";
  }
}

/// Calls `take(run)` for each run of the disk, neighbours that belong together as one.
template <class Take>
void for_each_run(image_map& of, Take&& take) {
  const image<image_files>& image = of.opened().get();
  run present;
  for (std::uint64_t at = 0; at < of.size();) {
    const disk_mapping found = of.at(at);
    run next{at, found, 0};
    if (found.where != placement::zero) next.file = image.extents()[found.extent].file.value;
    at += found.bytes;
    if (present.what.bytes != 0 && continues(present, next)) {
      present.what.bytes += next.what.bytes;
      continue;
    }
    if (present.what.bytes != 0) take(present);
    present = next;
  }
  if (present.what.bytes != 0) take(present);
}

ordered_json as_json(const run& of, const image_files& files) {
  const bool is_zero = of.what.where == placement::zero;
  ordered_json json;
  json["offset_bytes"] = of.offset;
  json["bytes"] = of.what.bytes;
  json["kind"] = word_of(of.what.where);
  json["link"] = is_zero ? ordered_json(nullptr) : ordered_json(of.what.link);
  json["file"] = is_zero ? ordered_json(nullptr) : ordered_json(files.name(of.file));
  json["file_offset_bytes"] = is_zero ? ordered_json(nullptr) : ordered_json(of.what.file_offset);
  return json;
}

std::string as_line(const run& of, const image_files& files) {
  char row[96];
  (void)std::snprintf(row, sizeof row, "%18llu%18llu  ", static_cast<unsigned long long>(of.offset),
                      static_cast<unsigned long long>(of.what.bytes));
  std::string line(row);
  line += word_of(of.what.where);
  if (of.what.where == placement::zero) return line + '\n';
  line.resize(sizeof "                                      compressed" - 1, ' ');
  (void)std::snprintf(row, sizeof row, "%18llu  ",
                      static_cast<unsigned long long>(of.what.file_offset));
  return line + row + printable(files.name(of.file)) + '\n';
}

}  // namespace

int run_map(const map_arguments& told) {
  image_map of(told.source);
  const image_files& files = of.opened().files();
  if (told.json) {
    ordered_json report;
    report["file"] = name_of_input(told.source.path);
    report["capacity_bytes"] = of.size();
    ordered_json& ranges = report["ranges"] = ordered_json::array();
    for_each_run(of, [&](const run& each) { ranges.push_back(as_json(each, files)); });
    print(report.dump(2, ' ', false, ordered_json::error_handler_t::replace) + '\n');
    return status_done;
  }
  std::string text = "           at byte             bytes  kind              at file byte  file\n";
  for_each_run(of, [&](const run& each) {
    text += as_line(each, files);
    constexpr std::size_t much = std::size_t{64} << 10;
    if (text.size() < much) return;
    print(text);
    text.clear();
  });
  print(text);
  return status_done;
}

}  // namespace vmdk::cli
