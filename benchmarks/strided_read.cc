// SPDX-License-Identifier: BSD-2-Clause

// Reads 4 KiB pieces all over the disk of an image of one file, at the places where
// `qemu-img bench -c COUNT -s 4096 -S STEP -d 1` reads them. Usage: strided_read IMAGE COUNT STEP

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "vmdk/codec/libdeflate.hpp"
#include "vmdk/hosted.hpp"
#include "vmdk/vmdk.hpp"

namespace {

constexpr std::size_t piece_bytes = 4096;

vmdk::image_memory<> image_memory;
// As large as qemu's own cache of tables; any grain that a good writer makes.
vmdk::cursor_memory<1, 2 * 16 * vmdk::table_bytes, 1 << 20, 65536> cursor_memory;
alignas(piece_bytes) std::array<std::byte, piece_bytes> piece;

vmdk::failure read_pieces(const char* name, std::uint64_t count, std::uint64_t step_bytes) {
  auto file = vmdk::file_source::open(name);
  if (!file) return file.error();
  const auto image = vmdk::open(*file, image_memory);
  if (!image) return image.error();
  vmdk::libdeflate_decoder decoder;
  auto disk =
      vmdk::image_cursor<vmdk::single_file<vmdk::file_source>, vmdk::libdeflate_decoder>::make(
          *image, cursor_memory.spans(), decoder);
  if (!disk) return disk.error();
  std::uint64_t offset = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (vmdk::failure f = disk->read_at(offset, piece)) return f;
    offset += step_bytes;
    offset = disk->size() <= piece_bytes ? 0 : offset % (disk->size() - piece_bytes);
  }
  return vmdk::no_failure;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const vmdk::failure f = read_pieces(argv[1], std::strtoull(argv[2], nullptr, 10),
                                      std::strtoull(argv[3], nullptr, 10));
  if (!f) return 0;
  const auto sentence = vmdk::to_string(f.code);
  std::fprintf(stderr, "%s: %.*s\n", argv[1], static_cast<int>(sentence.size()), sentence.data());
  return 1;
}
