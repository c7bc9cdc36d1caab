// SPDX-License-Identifier: BSD-2-Clause
// Descriptors are parsed and built without a heap or a C library.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "vmdk/format/bytes_as_text.hpp"
#include "vmdk/format/descriptor_builder.hpp"
#include "vmdk/format/descriptor_parser.hpp"

vmdk::failure read_descriptor(vmdk::byte_view bytes, std::uint64_t& sectors,
                              vmdk::geometry& shape) {
  const auto parsed =
      vmdk::parse_descriptor(vmdk::as_text(bytes), vmdk::descriptor_place::embedded);
  if (!parsed) return parsed.error();
  sectors = parsed->extents().begin()->sectors;
  shape = parsed->disk_geometry();
  return vmdk::no_failure;
}

vmdk::result<std::size_t> make_descriptor(std::uint64_t sectors, vmdk::byte_span out) {
  vmdk::descriptor_fields fields;
  fields.disk_geometry = vmdk::geometry_for(fields.controller, sectors);
  constexpr std::string_view name = "disk.vmdk";
  const vmdk::extent_line extent{.sectors = sectors, .name = {name}};
  return vmdk::build_descriptor(fields, std::span(&extent, 1), out);
}
