// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "board.hpp"
#include "vmdk/codec/concepts.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/format/content_id.hpp"
#include "vmdk/format/descriptor_builder.hpp"
#include "vmdk/format/geometry.hpp"
#include "vmdk/layout/stream.hpp"
#include "vmdk/writer/pack_grain.hpp"
#include "vmdk/writer/stream_builder.hpp"

namespace jobs {

constexpr auto plan =
    vmdk::layout<vmdk::stream_optimized<board::grain_bytes / 512>>::for_capacity(board::disk_bytes)
        .value();

/// The descriptor, built by the compiler: all that it hangs on is known before the content.
constexpr std::uint32_t cid = 0x1F0DFACE;
constexpr auto descriptor_text = [] {
  vmdk::descriptor_fields fields;
  fields.type = vmdk::create_type::stream_optimized;
  fields.id = vmdk::make_content_id(cid);
  fields.id.set_cid(cid);
  fields.disk_geometry = vmdk::geometry_for(fields.controller, plan.capacity_sectors());
  vmdk::extent_line extent;
  extent.access = vmdk::extent_access::read_only;
  extent.sectors = plan.capacity_sectors();
  extent.name.stem = "disk.vmdk";
  struct {
    std::array<std::byte, 1024> bytes{};
    std::size_t size = 0;
  } text;
  text.size = vmdk::build_descriptor(fields, std::array{extent}, text.bytes).value();
  return text;
}();

/// The memory of writing a stream, besides its encoder's.
struct stream_room {
  std::byte grain[board::grain_bytes];
  std::byte slot[plan.packed_limit_bytes()];
  std::byte table[vmdk::stream_memory::marked_table_bytes];
  std::byte directory[plan.directory_memory_bytes()];
};

/// Sends a disk as a streamOptimized image.
template <vmdk::Encoder E>
[[nodiscard]] vmdk::failure write_stream(board::generated_disk& disk, board::line_out& out,
                                         E& encoder, stream_room& room) noexcept {
  vmdk::stream_builder<board::line_out> stream(out, plan,
                                               {.table = room.table, .directory = room.directory});
  const vmdk::byte_view text(descriptor_text.bytes);
  if (vmdk::failure f = stream.write_head(text.first(descriptor_text.size))) return f;
  for (std::uint64_t grain = 0; grain < plan.grain_count(); ++grain) {
    if (vmdk::failure f = disk.read_at(grain * board::grain_bytes, room.grain)) return f;
    if (vmdk::is_zero(room.grain)) continue;
    const auto record = vmdk::pack_grain(encoder, plan, grain, room.grain, room.slot);
    if (!record) return record.error();
    if (vmdk::failure f = stream.add(*record)) return f;
  }
  return stream.finish();
}

}  // namespace jobs
