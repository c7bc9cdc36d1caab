// SPDX-License-Identifier: BSD-2-Clause
// An image is checked and repaired, and what was found and done is said in sentences.
#include "vmdk/verify/repair.hpp"

#include <array>
#include <cstddef>
#include <string_view>

#include "vmdk/verify/describe.hpp"
#include "vmdk/verify/open_checked.hpp"
#include "vmdk/vmdk.hpp"

namespace {

vmdk::image_memory<> image_memory;
vmdk::check_memory<80 * 1024> check_memory;
vmdk::repair_memory<80 * 1024> repair_memory;

std::array<char, 4096> said;
std::size_t said_bytes = 0;

void print(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size() && said_bytes < said.size(); ++i) {
    said.data()[said_bytes++] = text.data()[i];
  }
}

}  // namespace

vmdk::failure check_disk(vmdk::byte_view file) {
  vmdk::memory_source source(file);
  const auto done = vmdk::check(source, check_memory, [](const vmdk::finding& found) {
    print(vmdk::to_string(vmdk::severity_of(found.code)));
    print(vmdk::id_of(found.code));
    vmdk::describe(found, print);
  });
  return done.error();
}

vmdk::failure repair_disk(vmdk::byte_span file) {
  vmdk::memory_storage storage(file, file.size());
  const auto done = vmdk::repair(storage, repair_memory, [](const vmdk::repair_step& step) {
    print(vmdk::id_of(step.kind));
    vmdk::describe(step, print);
  });
  if (!done) return done.error();
  return vmdk::open_checked(storage, image_memory, check_memory).error();
}
