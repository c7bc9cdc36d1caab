// SPDX-License-Identifier: BSD-2-Clause
#include <new>

#include "jobs.hpp"
#include "vmdk/codec/inflate.hpp"
#include "vmdk/reader/unpack.hpp"

namespace {

using reader = vmdk::stream_reader<board::line_in>;

alignas(reader) std::byte stream_room[sizeof(reader)];
vmdk::small_inflate decoder;
std::byte grain[64 << 10];
std::byte input[512];

}  // namespace

vmdk::failure jobs::read_stream(board::line_in& image, board::line_out& out) noexcept {
  reader& stream = *::new (stream_room) reader(image);
  if (const auto opened = stream.open({}); !opened) return opened.error();
  return vmdk::unpack_stream(stream, out, decoder, {.grain = grain, .input = input}).error();
}
