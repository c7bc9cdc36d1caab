// SPDX-License-Identifier: BSD-2-Clause
#include "image_types.hpp"

#include <nlohmann/json.hpp>

#include "error.hpp"
#include "vmdk/format/text.hpp"

namespace vmdk::cli {
namespace {

constexpr image_type types[] = {
    {.name = "raw", .write = write_raw},
    {.name = "monolithicSparse",
     .has_grains = true,
     .write = write_monolithic_sparse,
     .lay_out = lay_out_monolithic_sparse},
    {.name = "streamOptimized",
     .has_grains = true,
     .is_compressed = true,
     .write = write_stream_optimized,
     .lay_out = lay_out_stream_optimized},
    {.name = "twoGbMaxExtentSparse",
     .has_grains = true,
     .has_many_files = true,
     .write = write_two_gb_max_extent_sparse,
     .lay_out = lay_out_two_gb_max_extent_sparse},
    {.name = "monolithicFlat",
     .has_many_files = true,
     .write = write_monolithic_flat,
     .lay_out = lay_out_monolithic_flat},
    {.name = "twoGbMaxExtentFlat",
     .has_many_files = true,
     .write = write_two_gb_max_extent_flat,
     .lay_out = lay_out_two_gb_max_extent_flat},
};

}  // namespace

const image_type& find_type(std::string_view name) {
  std::string names;
  for (const image_type& type : types) {
    if (vmdk::detail::same_ignoring_case(type.name, name)) return type;
    names += names.empty() ? "" : ", ";
    names += type.name;
  }
  throw error("-t " + std::string(name), "is no known type; there are " + names);
}

const image_type& type_for(std::string_view destination) {
  return find_type(is_named_vmdk(destination) ? "monolithicSparse" : "raw");
}

void check_settings(const image_type& type, const settings& chosen) {
  const auto refuse = [&](const char* option) {
    throw error(option, "means nothing for the type " + std::string(type.name));
  };
  if (type.name == "raw" && !chosen.empty()) refuse("-o");
  if (!type.is_compressed && chosen.has("tables")) refuse("-o tables");
  if (!type.has_grains && chosen.has("capacity")) refuse("-o capacity");
  if (type.name != "monolithicSparse" && chosen.has("mkimg")) refuse("-o mkimg");
  if (type.has_many_files && chosen.has("name")) {
    throw error("-o name", "means nothing for the type " + std::string(type.name) +
                               ", whose files are named after the destination");
  }
}

}  // namespace vmdk::cli
