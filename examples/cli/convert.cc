// SPDX-License-Identifier: BSD-2-Clause
#include <memory>
#include <string>

#include "codecs.hpp"
#include "commands.hpp"
#include "disk.hpp"
#include "error.hpp"
#include "image_disk.hpp"
#include "image_types.hpp"
#include "settings.hpp"
#include "text.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/hosted/os_names.hpp"
#include "vmdk/hosted/thread_factory.hpp"
#include "vmdk/io/zero.hpp"

namespace vmdk::cli {
namespace {

/// A disk of zeros.
class empty_disk final : public disk {
 public:
  explicit empty_disk(std::uint64_t size_bytes) noexcept : zeros_(size_bytes) {}

  [[nodiscard]] std::uint64_t size() const noexcept override { return zeros_.size(); }
  failure read_at(std::uint64_t offset, byte_span out) noexcept override {
    return zeros_.read_at(offset, out);
  }
  result<range> next_data(std::uint64_t offset) noexcept override {
    return zeros_.next_data(offset);
  }
  [[nodiscard]] std::string file_of(const failure&) const override { return "the empty disk"; }

 private:
  zero_source zeros_;
};

/// Refuses what the type cannot do, rather than passing over it.
void check_options(const convert_arguments& told, const image_type& type, const settings& chosen) {
  const std::string name(type.name);
  const auto refuse = [&](const std::string& option) {
    throw error(option, "means nothing for the type " + name);
  };
  if (!type.has_grains && told.grain_bytes) refuse("-g");
  if (!type.is_compressed && told.level) refuse("-l");
  check_settings(type, chosen);
  if (told.parent && type.name != "monolithicSparse") refuse("--parent");
  for (const char* key : {"capacity", "mkimg"}) {
    if (told.parent && chosen.has(key)) {
      throw error(std::string("-o ") + key, "means nothing for the child of a disk");
    }
  }
  if (told.destination == "-" && type.has_many_files) {
    throw error("standard output", name + " has several files, which need a folder");
  }
}

/// What is for compressed grains needs some, on one side or the other.
void check_compression(const convert_arguments& told, const image_type& type, const disk& source) {
  if (type.is_compressed || source.compressed_grain_bytes() != 0) return;
  const std::string text = "means nothing here: neither side is compressed";
  if (told.codec) throw error("--codec", text);
  if (told.threads) throw error("-j", text);
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
    text += ", source of " + counted(report.source_bytes, "byte");
  }
  text += ", file of " + exact_size_text(report.file_bytes);
  if (type.has_grains) text += ", " + counted(report.stored_grains, "grain") + " stored";
  return text;
}

void write_image(const convert_arguments& told, const image_type& type, const settings& chosen,
                 disk& source, const parent_disk* parent = nullptr) {
  const codec which = find_codec(told.codec);
  const std::string base_name =
      told.destination == "-" ? "disk.vmdk" : base_name_of(told.destination);
  const conversion job{
      .source = source,
      .source_name = name_of_input(told.source.path),
      .source_path = told.source.path,
      .destination = told.destination,
      .force = told.force,
      .chosen = chosen,
      .takes_name = !type.has_many_files,
      .options = options_for(told, chosen, base_name),
      .codec = which,
      .level = type.is_compressed ? level_for(which, told.level) : 0,
      .threads = told.threads.value_or(usual_threads()),
      .parent = parent,
  };
  const write_report report = parent != nullptr ? write_child(job) : type.write(job);
  if (told.verbose) print_note(name_of_output(told.destination), report_text(report, type));
}

/// Opens the disk that --parent names: a child is bound to it by its content id.
std::unique_ptr<image_disk> open_parent(const convert_arguments& told) {
  const std::string& path = *told.parent;
  if (kind_of(path) == file_kind::fifo || path == "-") {
    throw error(name_of_input(path), "cannot be a parent; use a file");
  }
  return std::make_unique<image_disk>(
      input{.path = path, .allowed_folders = told.source.allowed_folders});
}

parent_disk as_parent(const convert_arguments& told, image_disk& content) {
  return {
      .content = content, .path = *told.parent, .cid = content.opened().get().links().front().cid};
}

}  // namespace

int run_create(const create_arguments& told) {
  const image_type& type =
      told.image.type ? find_type(*told.image.type) : type_for(told.image.destination);
  const settings chosen(told.image.settings);
  check_options(told.image, type, chosen);
  if (told.size_bytes && *told.size_bytes == 0) throw error("--size 0", "a disk has some size");
  if (!told.image.parent) {
    if (!told.size_bytes) throw error("", "--size is missing; see vmdk create --help");
    empty_disk source(*told.size_bytes);
    write_image(told.image, type, chosen, source);
    return status_done;
  }
  const auto content = open_parent(told.image);
  if (told.size_bytes && *told.size_bytes != content->size()) {
    throw error(*told.image.parent, "has " + std::to_string(content->size()) +
                                        " bytes, and --size says " +
                                        std::to_string(*told.size_bytes));
  }
  parent_disk parent = as_parent(told.image, *content);
  parent.is_unchanged = true;
  write_image(told.image, type, chosen, *content, &parent);
  return status_done;
}

int run_convert(const convert_arguments& told) {
  const image_type& type = told.type ? find_type(*told.type) : type_for(told.destination);
  const settings chosen(told.settings);
  check_options(told, type, chosen);

  input from = told.source;
  from.decoder = find_codec(told.codec);
  if (type.is_compressed) (void)level_for(from.decoder, told.level);
  const std::unique_ptr<disk> source = open_disk(from);
  check_compression(told, type, *source);
  const std::string source_name = name_of_input(told.source.path);
  if (told.parent) {
    const auto content = open_parent(told);
    const parent_disk parent = as_parent(told, *content);
    write_image(told, type, chosen, *source, &parent);
  } else {
    write_image(told, type, chosen, *source);
  }

  const std::uint64_t rest = source->size() % sector_bytes;
  if (rest != 0 && type.name != "raw") {
    print_note(source_name, "has " + counted(source->size(), "byte") +
                                ", no whole number of sectors; " +
                                counted(sector_bytes - rest, "zero byte") + " added");
  }
  return status_done;
}

}  // namespace vmdk::cli
