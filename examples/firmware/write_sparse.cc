// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/writer/sparse.hpp"

#include "jobs.hpp"

namespace {

using type = vmdk::monolithic_sparse<board::grain_bytes / 512>;
vmdk::workspace<type> memory;

}  // namespace

vmdk::failure jobs::write_sparse(board::generated_disk& disk, board::line_out& out) noexcept {
  return vmdk::write<type>(disk, out, vmdk::write_options{}, memory).error();
}
