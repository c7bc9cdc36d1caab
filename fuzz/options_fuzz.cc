// SPDX-License-Identifier: BSD-2-Clause
// What a user types: sizes, and `-o KEY=VALUE`, one a line. Read as wide arithmetic reads them,
// and settings end up in the image as they were given, or are refused with a sentence.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "choices.hpp"
#include "demand.hpp"
#include "examples/cli/error.hpp"
#include "examples/cli/settings.hpp"
#include "examples/cli/text.hpp"
#include "tests/support/paged_file.hpp"
#include "vmdk/format/descriptor_parser.hpp"
#include "vmdk/format/encoding.hpp"
#include "vmdk/format/text.hpp"
#include "vmdk/io/zero.hpp"
#include "vmdk/writer/sparse.hpp"

namespace {

using namespace vmdk;
using fuzzing::demand;
__extension__ using wide = unsigned __int128;

bool is_one_line(std::string_view text) {
  return is_utf8(text) &&
         std::none_of(text.begin(), text.end(), [](char c) { return vmdk::detail::is_control(c); });
}

void try_printable(std::string_view text) {
  const std::string shown = cli::printable(text);
  demand(is_one_line(shown), "what is printed is one line without control characters");
  demand(cli::printable(shown) == shown, "what can be printed is printed as it is");
}

/// A size as the documentation says: digits, and perhaps K, M, G, T or P.
bool reads_as(std::string_view text, std::uint64_t& bytes) {
  static constexpr std::string_view units = "KkMmGgTtPp";
  unsigned shift = 0;
  if (!text.empty()) {
    const std::size_t unit = units.find(text.back());
    if (unit != std::string_view::npos) {
      shift = 10 * (static_cast<unsigned>(unit) / 2 + 1);
      text.remove_suffix(1);
    }
  }
  if (text.empty()) return false;
  wide sum = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    sum = sum * 10 + static_cast<unsigned>(c - '0');
    if (sum >> 64 != 0) return false;
  }
  sum <<= shift;
  if (sum >> 64 != 0) return false;
  bytes = static_cast<std::uint64_t>(sum);
  return true;
}

void try_size(std::string_view text) {
  std::uint64_t due = 77;
  std::uint64_t bytes = 77;
  const bool is_size = reads_as(text, due);
  demand(cli::read_size(text, bytes) == is_size && bytes == due, "a size is read, or untouched");
  if (!is_size) return;
  const std::string exact = cli::exact_size_text(bytes);
  demand(is_one_line(exact) && exact.starts_with(std::to_string(bytes) + " byte"),
         "a size is shown exactly");
  const std::string shown = cli::size_text(bytes);
  const double value = std::stod(shown);
  demand(value >= 0 && value <= 16384 && shown.size() < 20, "a size is shown shortly");
}

void demand_said(const cli::error& why) {
  demand(!why.text().empty(), "a refusal says why");
  demand(why.subject().starts_with("-o "), "a refusal says which setting it is about");
  try_printable(why.subject());
}

/// What stands in the descriptor of an image with these settings.
void demand_written(const testing_support::paged_file& file, const write_options& options) {
  const std::uint64_t sectors = file.number_at(36, 8);
  std::vector<std::byte> bytes(static_cast<std::size_t>(sectors) * sector_bytes);
  demand(!file.read_at(sector_bytes, bytes), "the descriptor lies in the file");
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto view =
      parse_descriptor(text, descriptor_place::embedded,
                       options.like_mkimg ? strictness::tolerant : strictness::strict);
  demand(view.ok(), "settings make a descriptor that strict readers take");
  if (options.cid_given) demand(view->cid() == options.cid, "the CID is the one given");
  for (const ddb_entry& entry : options.more_ddb) {
    demand(view->ddb().find(entry.key).value == entry.value, "ddb lines are there as given");
  }
  if (options.like_mkimg) return;
  demand(view->controller() == options.controller &&
             view->number("virtualHWVersion") == options.virtual_hw_version &&
             view->number("toolsVersion") == options.tools_version &&
             view->ddb().find("uuid").value == options.uuid,
         "settings are there as given");
  for (const extent_line& extent : view->extents()) {
    demand(extent.name.stem == options.extent_name, "the extent has the name that was given");
  }
}

void try_settings(const std::vector<std::string>& texts) {
  static const auto memory = std::make_unique<workspace<monolithic_sparse<8>>>();
  try {
    const cli::settings read(texts);
    demand(read.empty() == texts.empty(), "no setting is lost");
    for (const std::string& text : texts) {
      demand(read.has(text.substr(0, text.find('='))), "each key is known afterwards");
    }
    write_options options = read.options();
    if (options.extent_name.empty()) options.extent_name = "disk.vmdk";
    zero_source disk(4096);
    testing_support::paged_file file;
    const auto report = write<monolithic_sparse<8>>(disk, file, options, *memory);
    if (report) return demand_written(file, options);
    const failure why = report.error();
    demand(why.code == errc::option_invalid && why.from == origin::options && file.size() == 0,
           "settings are refused before anything is written");
    demand(why.detail == static_cast<std::uint32_t>(descriptor_problem::ddb_count) ||
               why.detail == static_cast<std::uint32_t>(descriptor_problem::text_bytes) ||
               read.culprit(why).starts_with("-o "),
           "the culprit is known");
  } catch (const cli::error& why) {
    demand_said(why);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < input.size() && lines.size() < 250;) {
    const std::size_t end = std::min(input.find('\n', at), input.size());
    lines.emplace_back(input.substr(at, end - at));
    at = end + 1;
  }
  for (const std::string& line : lines) {
    try_printable(line);
    try_size(line);
    try_size(std::string_view(line).substr(std::min(line.size(), line.find('=') + 1)));
  }
  try_settings(lines);
  return 0;
}
