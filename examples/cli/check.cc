// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/verify/check.hpp"

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "codecs.hpp"
#include "commands.hpp"
#include "error.hpp"
#include "image_disk.hpp"
#include "text.hpp"
#include "vmdk/verify/describe.hpp"

namespace vmdk::cli {
namespace {

using nlohmann::ordered_json;

/// Enough for the longest descriptor and for the largest grain.
constexpr std::size_t room_bytes = std::size_t{9} << 20;

std::string sentence_of(const finding& found) {
  std::string text;
  describe(found, [&text](std::string_view piece) { text += piece; });
  return text;
}

std::string as_line(const finding& found, const std::string& file) {
  std::string line(to_string(found.level));
  line += ": " + printable(file) + ": " + printable(sentence_of(found));
  if (found.more == 0) line += ' ' + place_text(found.offset);
  return line + " [" + std::string(id_of(found.code)) + "]\n";
}

ordered_json as_json(const finding& found, const std::string& file) {
  return {{"severity", to_string(found.level)},
          {"id", id_of(found.code)},
          {"file", file},
          {"offset", found.more == 0 ? ordered_json(found.offset) : ordered_json(nullptr)},
          {"text", sentence_of(found)},
          {"more", found.more}};
}

std::string summary_line(const check_summary& sum) {
  const char* verdict = "sound";
  if (sum.unclean) verdict = "not closed by its last writer";
  if (sum.errors != 0) verdict = "damaged";
  return std::string(verdict) + ": " + counted(sum.errors, "error") + ", " +
         counted(sum.warnings, "warning") + ", " + counted(sum.notes, "note") + "; " +
         counted(sum.files, "file") + ", " + counted(sum.tables, "table") + ", " +
         counted(sum.stored_grains, "stored grain") + '\n';
}

void add_summary(ordered_json& report, const check_summary& sum) {
  report["sound"] = sum.is_sound();
  report["unclean"] = sum.unclean;
  report["errors"] = sum.errors;
  report["warnings"] = sum.warnings;
  report["notes"] = sum.notes;
  report["files"] = sum.files;
  report["tables"] = sum.tables;
  report["stored_grains"] = sum.stored_grains;
  report["zeroed_grains"] = sum.zeroed_grains;
  report["expanded_grains"] = sum.expanded_grains;
}

}  // namespace

int run_check(const check_arguments& told) {
  image_files files;
  const file_id file = open_image_file(files, told.source);
  any_decoder decoder(told.source.decoder);
  const auto state = std::make_unique<vmdk::check_state>();
  std::vector<std::byte> room(room_bytes);

  ordered_json findings = ordered_json::array();
  std::string lines;
  const auto summary = check(files, file, check_spans<any_decoder>{*state, decoder, room},
                             [&](const finding& found) {
                               const std::string& name = files.name(found.file);
                               if (told.json) {
                                 findings.push_back(as_json(found, name));
                               } else {
                                 lines += as_line(found, name);
                               }
                             });
  if (!told.json) print(lines);
  if (!summary) {
    const failure& why = summary.error();
    if (why.from == origin::files && !files.last_name().empty()) {
      fail_opening(files.last_name(), why);
    }
    fail(files.name(why.index), why);
  }
  if (told.json) {
    ordered_json report;
    report["file"] = name_of_input(told.source.path);
    add_summary(report, *summary);
    report["findings"] = findings;
    print(report.dump(2, ' ', false, ordered_json::error_handler_t::replace) + '\n');
  } else {
    print(printable(name_of_input(told.source.path)) + ": " + summary_line(*summary));
  }
  return summary->is_sound() ? status_done : status_negative;
}

}  // namespace vmdk::cli
