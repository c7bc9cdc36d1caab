// SPDX-License-Identifier: BSD-2-Clause
#include <cerrno>
#include <concepts>
#include <type_traits>

#include "copy_disk.hpp"
#include "image_types.hpp"
#include "memory.hpp"
#include "one_file.hpp"

namespace vmdk::cli {

write_report write_raw(const conversion& job) {
  output_file output = open_output(job);
  return write_one_file(
      job, output, [&](auto& source, auto& sink) noexcept -> result<write_report> {
        // A device that is too small shall keep what it has.
        if constexpr (std::same_as<std::remove_reference_t<decltype(sink)>, device_sink>) {
          if (source.size() > sink.device_bytes()) {
            return sink_failure(errc::sink_full, sink.device_bytes(), ENOSPC);
          }
        }
        const byte_span buffer = byte_span(bulk_memory).first(block_bytes);
        if (failure why = copy_disk(source, sink, buffer)) return why;
        return write_report{.source_bytes = source.size(),
                            .capacity_bytes = source.size(),
                            .file_bytes = source.size()};
      });
}

}  // namespace vmdk::cli
