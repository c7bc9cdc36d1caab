// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "vmdk/core/result.hpp"
#include "vmdk/format/create_type.hpp"
#include "vmdk/format/descriptor_fields.hpp"
#include "vmdk/format/extent_line.hpp"
#include "vmdk/layout/capacity.hpp"
#include "vmdk/layout/types.hpp"
#include "vmdk/writer/embedded_descriptor.hpp"
#include "vmdk/writer/options.hpp"

namespace vmdk::detail {

/// What an image in one file shall be: all that is known before its content.
template <class Layout>
struct file_plan {
  Layout layout{};
  descriptor_fields fields{};  ///< But for the content id.
  extent_line extent{};
};

/// Plans an image in one file. `wanted` is what its layout shall be, but for the descriptor's
/// sectors, which follow from the text.
/// Errors, all with origin options and in this order: errc::grain_size_invalid;
/// errc::capacity_zero; errc::capacity_too_large; errc::option_invalid (detail: a
/// descriptor_problem); those of Layout::for_capacity. Source: SPEC 4, 5, 6.
template <class Layout, class LayoutOptions>
[[nodiscard]] constexpr result<file_plan<Layout>> plan_file(
    std::uint64_t disk_bytes, const write_options& options, create_type type, LayoutOptions wanted,
    const parent_link& parent = {}) noexcept {
  if (failure f = check_grain(wanted.grain_sectors)) return f;
  const auto capacity = capacity_for(disk_bytes, wanted.grain_sectors, wanted.capacity);
  if (!capacity) return capacity.error();
  file_plan<Layout> plan;
  plan.fields = make_fields(options, type, *capacity);
  plan.fields.parent_cid = parent.cid;
  plan.fields.parent_file_name_hint = parent.file_name_hint;
  plan.extent.sectors = *capacity;
  if (!options.like_mkimg) {
    plan.extent.name.stem = options.extent_name;
    if (type == create_type::stream_optimized) plan.extent.access = extent_access::read_only;
  }
  const auto descriptor_sectors = embedded_descriptor_sectors(plan.fields, plan.extent);
  if (!descriptor_sectors) return descriptor_sectors.error();
  wanted.descriptor_sectors = *descriptor_sectors;
  const auto layout = Layout::for_capacity(disk_bytes, wanted);
  if (!layout) return layout.error();
  plan.layout = *layout;
  return plan;
}

}  // namespace vmdk::detail
