// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "arguments.hpp"
#include "disk.hpp"
#include "settings.hpp"
#include "vmdk/writer/options.hpp"

namespace vmdk::cli {

/// What a child is made of.
struct parent_disk {
  disk& content;
  std::string path;
  std::uint32_t cid = 0;
  bool is_unchanged = false;  ///< The child does not differ yet, and has no source of its own.
};

/// One conversion: what is read, and what shall become of it.
struct conversion {
  disk& source;
  std::string source_name;
  std::string source_path;  ///< Empty where no file is read.
  std::string destination;
  bool force = false;
  const settings& chosen;
  bool takes_name = true;  ///< Whether -o name means something.
  write_options options{};
  vmdk::cli::codec codec = codec::libdeflate;
  unsigned level = 0;
  unsigned threads = 1;
  const parent_disk* parent = nullptr;
};

/// A type of image that the program knows, and what it takes. A new type is a row of the table.
struct image_type {
  std::string_view name;
  bool has_grains = false;      ///< -g, -o capacity.
  bool is_compressed = false;   ///< -l, -j, --codec, -o tables.
  bool has_many_files = false;  ///< Does not go to a pipe, and has no -o name.
  /// Writes an image. Throws an error.
  write_report (*write)(const conversion&) = nullptr;
  /// Fills in where everything goes; absent for raw, which is the disk itself. Throws an error.
  void (*lay_out)(const layout_arguments&, const write_options&, nlohmann::ordered_json&) = nullptr;
};

/// Finds a type by the word of -t, in whatever case. Throws an error for one that does not exist.
[[nodiscard]] const image_type& find_type(std::string_view name);

/// The type that a destination's name asks for.
[[nodiscard]] const image_type& type_for(std::string_view destination);

/// Refuses settings that mean nothing for a type, rather than passing over them. Throws an error.
void check_settings(const image_type& type, const settings& chosen);

/// The rows' functions.
write_report write_raw(const conversion& job);
write_report write_monolithic_sparse(const conversion& job);
write_report write_stream_optimized(const conversion& job);
write_report write_two_gb_max_extent_sparse(const conversion& job);
write_report write_monolithic_flat(const conversion& job);
write_report write_two_gb_max_extent_flat(const conversion& job);

void lay_out_monolithic_sparse(const layout_arguments& from, const write_options& options,
                               nlohmann::ordered_json& to);
void lay_out_stream_optimized(const layout_arguments& from, const write_options& options,
                              nlohmann::ordered_json& to);
void lay_out_two_gb_max_extent_sparse(const layout_arguments& from, const write_options& options,
                                      nlohmann::ordered_json& to);
void lay_out_monolithic_flat(const layout_arguments& from, const write_options& options,
                             nlohmann::ordered_json& to);
void lay_out_two_gb_max_extent_flat(const layout_arguments& from, const write_options& options,
                                    nlohmann::ordered_json& to);

/// Writes what is asked for with --parent: a monolithicSparse child of the job's parent.
write_report write_child(const conversion& job);

}  // namespace vmdk::cli
