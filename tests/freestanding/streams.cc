// SPDX-License-Identifier: BSD-2-Clause
// A stream is written, and unpacked from something that cannot go back.
#include <array>
#include <cstddef>

#include "vmdk/vmdk.hpp"

namespace {

using type = vmdk::stream_optimized<8>;

vmdk::workspace<type, vmdk::deflate> workspace;
vmdk::small_inflate decoder;
std::array<std::byte, type::grain_sectors * vmdk::sector_bytes> grain;
std::array<std::byte, vmdk::sector_bytes> input;

/// Bytes that come once.
class wire {
 public:
  constexpr explicit wire(vmdk::byte_view bytes) noexcept : left_(bytes) {}
  constexpr vmdk::result<std::size_t> read(vmdk::byte_span out) noexcept {
    const std::size_t n = vmdk::smaller_of(out.size(), left_.size());
    vmdk::copy_bytes(out.data(), left_.data(), n);
    left_ = left_.subspan(n);
    return n;
  }

 private:
  vmdk::byte_view left_;
};

}  // namespace

vmdk::failure pack(vmdk::byte_view disk, vmdk::byte_span file) {
  vmdk::memory_source source(disk);
  vmdk::memory_sink sink(file);
  return vmdk::write<type>(source, sink, vmdk::write_options{}, workspace).error();
}

vmdk::failure unpack(vmdk::byte_view file, vmdk::byte_span disk) {
  wire source(file);
  vmdk::stream_reader<wire> stream(source);
  if (const auto opened = stream.open({}); !opened) return opened.error();
  vmdk::memory_sink sink(disk);
  return vmdk::unpack_stream(stream, sink, decoder, vmdk::unpack_spans{grain, input}).error();
}
