// SPDX-License-Identifier: BSD-2-Clause
#include "image_types.hpp"
#include "layout_json.hpp"

namespace vmdk::cli {

void lay_out_monolithic_sparse(const layout_arguments& from, const write_options& options,
                               nlohmann::ordered_json& to) {
  const auto planned = sparse_layout::for_capacity(
      from.capacity_bytes, {.grain_sectors = grain_sectors_of(from), .capacity = options.capacity});
  if (!planned) fail_capacity(from, planned.error());
  const std::uint64_t stored = from.stored_grains.value_or(0);
  const auto file_bytes = planned->file_bytes(stored);
  if (!file_bytes) fail_stored(from, file_bytes.error(), planned->grain_count());
  to["capacity_bytes"] = planned->capacity_bytes();
  to["grain_bytes"] = planned->geometry().grain_bytes();
  to["grains"] = planned->grain_count();
  to["tables"] = planned->table_count();
  to["stored_grains"] = stored;
  to["file_bytes"] = *file_bytes;
  to["min_file_bytes"] = size_or_null(planned->min_file_bytes());
  to["max_file_bytes"] = size_or_null(planned->max_file_bytes());
  to["files"] = {{{"name", options.extent_name},
                  {"bytes", *file_bytes},
                  {"regions", regions_json(*planned, stored * planned->grain_sectors())}}};
}

}  // namespace vmdk::cli
