// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>
#include <type_traits>

#include "error.hpp"
#include "image_types.hpp"
#include "memory.hpp"
#include "one_file.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/writer/sparse.hpp"

namespace vmdk::cli {

write_report write_monolithic_sparse(const conversion& job) {
  output_file output = open_output(job);
  if (!output.is_seekable() && !job.source.can_go_back()) {
    throw error(job.source_name,
                "is a pipe, and writing monolithicSparse to a pipe reads its source twice; use a "
                "file on one side");
  }
  using type = monolithic_sparse<dynamic_grain>;
  static workspace<type> memory;
  return write_one_file(job, output, [&](auto& source, auto& sink) noexcept {
    constexpr bool is_seekable = SeekableSink<std::remove_reference_t<decltype(sink)>>;
    // A sink that only appends is walked to less often where more is remembered.
    memory.bulk = byte_span(bulk_memory);
    if (is_seekable) {
      const std::size_t grain = std::size_t{job.options.grain_sectors} * sector_bytes;
      memory.bulk = memory.bulk.first(std::max(block_bytes, grain));
    }
    return write<type>(source, sink, job.options, memory);
  });
}

}  // namespace vmdk::cli
