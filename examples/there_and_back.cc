// SPDX-License-Identifier: BSD-2-Clause
#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "vmdk/hosted.hpp"
#include "vmdk/vmdk.hpp"

namespace {

using Files = vmdk::directory_files;

/// Writes a disk of 1 MiB into an image in a folder, and reads it back.
vmdk::failure there_and_back(const std::string& folder) {
  auto pattern = [](std::uint64_t offset, vmdk::byte_span out) {
    for (std::byte& byte : out) byte = static_cast<std::byte>(offset++ / 4096 % 5);
  };
  vmdk::generator_source source(1 << 20, pattern);
  auto output = vmdk::file_sink::create(folder + "/disk.vmdk");
  if (!output) return output.error();
  auto& sink = *output;
  const vmdk::write_options options;
  static vmdk::workspace<vmdk::monolithic_sparse<128>> workspace;

  auto done = vmdk::write<vmdk::monolithic_sparse<128>>(source, sink, options, workspace);
  if (!done) return done.error();

  Files files;
  if (vmdk::failure f = files.allow(folder)) return f;
  static vmdk::image_memory<> memory;
  auto image = vmdk::open(files, "disk.vmdk", memory);
  if (!image) return image.error();

  static vmdk::cursor_memory<> caches;
  static vmdk::inflate decoder;
  auto disk = vmdk::image_cursor<Files, vmdk::inflate>::make(*image, caches.spans(), decoder);
  if (!disk) return disk.error();

  std::array<std::byte, 8192> block{};
  if (vmdk::failure f = disk->read_at(8192, block)) return f;
  if (block[0] != std::byte{2} || block[8191] != std::byte{3}) {
    return vmdk::source_failure(vmdk::errc::source_changed, 8192);
  }
  return vmdk::no_failure;
}

}  // namespace

int main() {
  std::string folder = "/tmp/vmdk-example-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return 2;
  const vmdk::failure f = there_and_back(folder);
  std::remove((folder + "/disk.vmdk").c_str());
  std::remove(folder.c_str());
  if (!f) return 0;
  const auto sentence = vmdk::to_string(f.code);
  std::fprintf(stderr, "%.*s\n", static_cast<int>(sentence.size()), sentence.data());
  return 1;
}
