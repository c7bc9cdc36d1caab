// SPDX-License-Identifier: BSD-2-Clause
#include "jobs.hpp"
#include "vmdk/codec/stored.hpp"
#include "write_stream.hpp"

namespace {

vmdk::stored encoder;
jobs::stream_room room;

}  // namespace

vmdk::failure jobs::write_stored(board::generated_disk& disk, board::line_out& out) noexcept {
  return write_stream(disk, out, encoder, room);
}
