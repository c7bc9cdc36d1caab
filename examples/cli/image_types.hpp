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

/// One conversion: what is read, and what shall become of it.
struct conversion {
  disk& source;
  std::string source_name;
  std::string destination;
  bool force = false;
  const settings& chosen;
  write_options options{};
  vmdk::cli::codec codec = codec::libdeflate;
  unsigned level = 0;
  unsigned threads = 1;
};

/// A type of image that the program knows, and what it takes. A new type is a row of the table.
struct image_type {
  std::string_view name;
  bool has_grains = false;      ///< -g, and all of -o but `tables`.
  bool is_compressed = false;   ///< -l, -j, --codec, -o tables.
  bool has_many_files = false;  ///< Does not go to a pipe.
  /// Writes an image; absent where the program cannot. Throws an error.
  write_report (*write)(const conversion&) = nullptr;
  /// Fills in where everything goes; absent where the program cannot. Throws an error.
  void (*lay_out)(const layout_arguments&, nlohmann::ordered_json&) = nullptr;
};

/// Finds a type by the word of -t, in whatever case. Throws an error for one that does not exist.
[[nodiscard]] const image_type& find_type(std::string_view name);

/// The type that a destination's name asks for.
[[nodiscard]] const image_type& type_for(std::string_view destination);

/// The rows' functions, each in a file of its own.
write_report write_raw(const conversion& job);
write_report write_monolithic_sparse(const conversion& job);
write_report write_stream_optimized(const conversion& job);
void lay_out_monolithic_sparse(const layout_arguments& from, nlohmann::ordered_json& to);
void lay_out_stream_optimized(const layout_arguments& from, nlohmann::ordered_json& to);

}  // namespace vmdk::cli
