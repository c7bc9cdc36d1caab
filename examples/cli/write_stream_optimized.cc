// SPDX-License-Identifier: BSD-2-Clause
#include <concepts>
#include <type_traits>

#include "codecs.hpp"
#include "error.hpp"
#include "image_types.hpp"
#include "one_file.hpp"
#include "thread_disk.hpp"
#include "vmdk/hosted/parallel.hpp"

namespace vmdk::cli {
namespace {

using type = stream_optimized<dynamic_grain>;

}  // namespace

write_report write_stream_optimized(const conversion& job) {
  output_file output = open_output(job);
  if (!output.is_seekable() && job.options.table_place == tables::in_front) {
    throw error("-o tables=front",
                "needs a file, because the tables are written last; use tables=end for a pipe");
  }
  const auto make_encoder = [&job] { return any_encoder(job.codec, job.level); };
  const bool readers_are_threads = job.threads > 1 && job.source.another() != nullptr;
  return write_one_file(job, output, [&](auto& source, auto& sink) noexcept {
    // Compressed sources are expanded by the threads as well.
    if constexpr (std::same_as<std::remove_reference_t<decltype(source)>, watched_disk>) {
      if (readers_are_threads) {
        const auto make_source = [&job] { return thread_disk(job.source.another()); };
        return write_parallel<type>(source, sink, job.options, job.threads, make_encoder,
                                    make_source);
      }
    }
    return write_parallel<type>(source, sink, job.options, job.threads, make_encoder);
  });
}

}  // namespace vmdk::cli
