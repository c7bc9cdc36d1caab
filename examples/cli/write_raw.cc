// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>
#include <cerrno>
#include <concepts>
#include <cstdint>
#include <type_traits>

#include "copy_disk.hpp"
#include "image_types.hpp"
#include "memory.hpp"
#include "one_file.hpp"
#include "thread_disk.hpp"
#include "vmdk/hosted/parallel_read.hpp"

namespace vmdk::cli {
namespace {

/// As copy_disk, with compressed grains expanded on several threads.
template <class Disk, HoleSink K>
[[nodiscard]] failure copy_on_threads(const conversion& job, Disk& source, K& sink) noexcept {
  std::uint64_t at = 0;
  const auto take = [&](std::uint64_t offset, byte_view bytes) noexcept -> failure {
    if (failure why = offset == at ? no_failure : sink.skip(offset - at)) return why;
    at = offset + bytes.size();
    return write_around_zeros(sink, offset, bytes);
  };
  failure why;
  if constexpr (std::same_as<Disk, watched_pipe>) {
    why = source.expand_all(job.threads, [&](std::uint64_t offset, byte_view bytes) {
      source.reached(offset);
      return take(offset, bytes);
    });
  } else {
    const auto make_source = [&job] { return thread_disk(job.source.another()); };
    const std::size_t piece_bytes = std::max(block_bytes, job.source.compressed_grain_bytes());
    why = read_parallel(source, job.threads, piece_bytes, make_source, take);
  }
  if (why) return why;
  return at == source.size() ? no_failure : sink.skip(source.size() - at);
}

}  // namespace

write_report write_raw(const conversion& job) {
  output_file output = open_output(job);
  const bool on_threads = job.threads > 1 && job.source.compressed_grain_bytes() != 0;
  return write_one_file(
      job, output, [&](auto& source, auto& sink) noexcept -> result<write_report> {
        // A device that is too small shall keep what it has.
        if constexpr (std::same_as<std::remove_reference_t<decltype(sink)>, device_sink>) {
          if (source.size() > sink.device_bytes()) {
            return sink_failure(errc::sink_full, sink.device_bytes(), ENOSPC);
          }
        }
        const byte_span buffer = byte_span(bulk_memory).first(block_bytes);
        if (failure why =
                on_threads ? copy_on_threads(job, source, sink) : copy_disk(source, sink, buffer)) {
          return why;
        }
        return write_report{.source_bytes = source.size(),
                            .capacity_bytes = source.size(),
                            .file_bytes = source.size()};
      });
}

}  // namespace vmdk::cli
