// SPDX-License-Identifier: BSD-2-Clause
// Usage: raw_to_vmdk disk.img disk.vmdk
#include <iostream>
#include <string>

#include "vmdk/hosted.hpp"
#include "vmdk/vmdk.hpp"

using type = vmdk::monolithic_sparse<128>;  // 64 KiB grains

vmdk::failure convert(const std::string& from, const std::string& to) {
  auto source = vmdk::file_source::open(from);
  if (!source) return source.error();
  auto image = vmdk::atomic_file::create(to);  // it has its name when it is complete
  if (!image) return image.error();
  const std::string name = vmdk::base_name_of(to);
  vmdk::write_options options;
  options.extent_name = name;
  static vmdk::workspace<type> workspace;
  auto done = vmdk::write<type>(*source, image->sink(), options, workspace);
  return done ? image->commit() : done.error();
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const vmdk::failure f = convert(argv[1], argv[2]);
  if (f) std::cerr << vmdk::to_string(f.from) << ": " << vmdk::to_string(f.code) << '\n';
  return f ? 1 : 0;
}
