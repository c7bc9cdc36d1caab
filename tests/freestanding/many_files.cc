// SPDX-License-Identifier: BSD-2-Clause
// Disks of several files are written, and a child of a disk.
#include <array>
#include <cstddef>
#include <string_view>

#include "vmdk/vmdk.hpp"
#include "vmdk/writer/delta.hpp"

namespace {

/// As many files in memory as such a small disk has.
class folder {
 public:
  using sink_type = vmdk::memory_sink;

  vmdk::result<sink_type*> create(std::string_view) noexcept {
    if (count_ == sinks_.size()) return vmdk::sink_failure(vmdk::errc::sink_full, 0);
    return &sinks_.data()[count_++];
  }
  vmdk::failure commit() noexcept { return vmdk::no_failure; }
  void abort() noexcept { count_ = 0; }

 private:
  std::array<std::array<std::byte, 8192>, 2> memory_{};
  std::array<sink_type, 2> sinks_{sink_type{memory_[0]}, sink_type{memory_[1]}};
  std::size_t count_ = 0;
};
static_assert(vmdk::SinkDirectory<folder>);

using split = vmdk::two_gb_max_extent_sparse<8>;
using child = vmdk::monolithic_sparse<8>;

folder files;
vmdk::workspace<split> split_workspace;
vmdk::workspace<vmdk::monolithic_flat> flat_workspace;
vmdk::delta_workspace<child> child_workspace;

}  // namespace

vmdk::failure write_split(vmdk::byte_view disk) {
  vmdk::memory_source source(disk);
  return vmdk::write<split>(source, files, vmdk::write_options{}, split_workspace).error();
}

vmdk::failure write_flat(vmdk::byte_view disk) {
  vmdk::memory_source source(disk);
  return vmdk::write<vmdk::monolithic_flat>(source, files, vmdk::write_options{}, flat_workspace)
      .error();
}

vmdk::failure write_child(vmdk::byte_view disk, vmdk::byte_view parent_disk, vmdk::byte_span file) {
  vmdk::memory_source source(disk);
  vmdk::memory_source parent(parent_disk);
  vmdk::memory_sink sink(file);
  constexpr vmdk::parent_link link{.cid = 1, .file_name_hint = "parent.vmdk"};
  return vmdk::write_delta<child>(source, parent, link, sink, vmdk::write_options{},
                                  child_workspace)
      .error();
}
