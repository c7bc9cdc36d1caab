// SPDX-License-Identifier: BSD-2-Clause
#include <memory>
#include <string>

#include "commands.hpp"
#include "disk.hpp"
#include "error.hpp"
#include "image_types.hpp"
#include "settings.hpp"
#include "text.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/hosted/os_names.hpp"

namespace vmdk::cli {
namespace {

/// Refuses what the type cannot do, rather than passing over it.
void check_options(const convert_arguments& told, const image_type& type, const settings& chosen) {
  const std::string name(type.name);
  const auto refuse = [&](const std::string& option) {
    throw error(option, "means nothing for the type " + name);
  };
  if (!type.has_grains && told.grain_bytes) refuse("-g");
  if (!type.is_compressed && told.level) refuse("-l");
  if (!type.is_compressed && told.codec) refuse("--codec");
  if (!type.is_compressed && chosen.has("tables")) refuse("-o tables");
  if (type.name == "raw" && !chosen.empty()) refuse("-o");
  if (type.name != "monolithicSparse" && chosen.has("mkimg")) refuse("-o mkimg");
  if (told.destination == "-" && type.has_many_files) {
    throw error("standard output", name + " has several files, which need a folder");
  }
  if (type.write == nullptr) throw error("-t " + name, "cannot be written by this version");
}

write_options options_for(const convert_arguments& told, const settings& chosen,
                          const std::string& name) {
  constexpr std::uint64_t mkimg_grain_bytes = 8192;
  write_options options = chosen.options();
  if (options.extent_name.empty()) options.extent_name = name;
  std::uint64_t grain_bytes = options.grain_sectors * std::uint64_t{sector_bytes};
  if (options.like_mkimg) grain_bytes = mkimg_grain_bytes;
  options.grain_sectors =
      static_cast<std::uint32_t>(told.grain_bytes.value_or(grain_bytes) / sector_bytes);
  return options;
}

std::string report_text(const write_report& report, const image_type& type) {
  std::string text = "disk of " + exact_size_text(report.capacity_bytes);
  if (report.capacity_bytes != report.source_bytes) {
    text += ", source of " + std::to_string(report.source_bytes) + " bytes";
  }
  text += ", file of " + exact_size_text(report.file_bytes);
  if (type.has_grains) text += ", " + std::to_string(report.stored_grains) + " grains stored";
  return text;
}

}  // namespace

int run_convert(const convert_arguments& told) {
  const image_type& type = told.type ? find_type(*told.type) : type_for(told.destination);
  const settings chosen(told.settings);
  check_options(told, type, chosen);

  const std::unique_ptr<disk> source = open_disk(told.source);
  const std::string source_name = name_of_input(told.source.path);
  if (is_same_file(told.source.path, told.destination)) {
    throw error(name_of_output(told.destination), "is the source as well");
  }
  const std::string base_name =
      told.destination == "-" ? "disk.vmdk" : base_name_of(told.destination);
  const conversion job{.source = *source,
                       .source_name = source_name,
                       .destination = told.destination,
                       .force = told.force,
                       .chosen = chosen,
                       .options = options_for(told, chosen, base_name)};
  const write_report report = type.write(job);

  const std::uint64_t rest = source->size() % sector_bytes;
  if (rest != 0 && type.name != "raw") {
    print_note(source_name, "has " + std::to_string(source->size()) +
                                " bytes, which are no whole sectors; " +
                                std::to_string(sector_bytes - rest) + " zero bytes follow them");
  }
  if (told.verbose) print_note(name_of_output(told.destination), report_text(report, type));
  return status_done;
}

}  // namespace vmdk::cli
