// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "tests/support/paged_file.hpp"
#include "vmdk/core/arithmetic.hpp"
#include "vmdk/reader/cursor.hpp"
#include "vmdk/reader/open.hpp"

namespace testing_support {

/// Copies the data of any Source, so that disks of any size can be compared; `why` is what stopped
/// it.
template <class S>
paged_file copy_of(S& source, vmdk::failure& why) {
  paged_file copy;
  why = copy.resize(source.size());
  std::vector<std::byte> buffer(std::size_t{1} << 20);
  for (std::uint64_t at = 0; !why && at < source.size();) {
    const auto data = source.next_data(at);
    why = data.error();
    if (why || data->bytes == 0) break;
    const auto n =
        static_cast<std::size_t>(vmdk::smaller_of<std::uint64_t>(data->bytes, buffer.size()));
    const vmdk::byte_span part = vmdk::byte_span(buffer).first(n);
    why = source.read_at(data->offset, part);
    if (!why) why = copy.write_at(data->offset, part);
    at = data->offset + n;
  }
  return copy;
}

/// An image opened with its parents, by its name or file, and a cursor over its disk.
template <vmdk::Files F, vmdk::Decoder D = vmdk::no_decoder>
class opened_disk {
 public:
  opened_disk(F& files, const auto& name_or_file,
              vmdk::strictness mode = vmdk::strictness::strict) {
    auto opened = vmdk::open(files, name_or_file, memory_->image, mode);
    why = opened.error();
    if (why) return;
    image = *opened;
    auto cursor_or_not =
        vmdk::image_cursor<F, D>::make(image, memory_->caches.spans(), memory_->decoder);
    why = cursor_or_not.error();
    if (!why) cursor = *cursor_or_not;
  }
  opened_disk(const opened_disk&) = delete;

  /// All of the disk; an empty one when it cannot be read.
  paged_file content() {
    if (why) return {};
    paged_file copy = copy_of(cursor, why);
    return why ? paged_file() : copy;
  }

  vmdk::failure why;
  vmdk::image<F> image;
  vmdk::image_cursor<F, D> cursor;

 private:
  struct memory {
    vmdk::image_memory<128, 16, std::size_t{1} << 16> image;
    vmdk::cursor_memory<4, 16 * vmdk::sector_bytes, std::size_t{1} << 20> caches;
    D decoder;
  };

  std::unique_ptr<memory> memory_ = std::make_unique<memory>();
};

}  // namespace testing_support
