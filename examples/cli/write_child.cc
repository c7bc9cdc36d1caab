// SPDX-License-Identifier: BSD-2-Clause
#include <concepts>
#include <filesystem>
#include <string>
#include <type_traits>

#include "error.hpp"
#include "image_types.hpp"
#include "memory.hpp"
#include "one_file.hpp"
#include "vmdk/hosted/os_names.hpp"
#include "vmdk/writer/delta.hpp"

namespace vmdk::cli {
namespace {

/// How the child's descriptor names its parent: by its base name where both lie in one folder, so
/// that the folder may be moved.
std::string hint_for(const conversion& job) {
  namespace files = std::filesystem;
  std::error_code ignored;
  const std::string folder = folder_of(job.destination);
  if (files::equivalent(folder, folder_of(job.parent->path), ignored)) {
    return base_name_of(job.parent->path);
  }
  if (files::path(job.parent->path).is_absolute()) return job.parent->path;
  return files::proximate(job.parent->path, folder, ignored).string();
}

}  // namespace

write_report write_child(const conversion& job) {
  output_file output = open_output(job);
  if (!output.is_seekable()) {
    throw error(name_of_output(job.destination), "cannot hold a child; use a file");
  }
  using type = monolithic_sparse<dynamic_grain>;
  static delta_workspace<type> memory;
  memory.bulk = byte_span(bulk_memory);
  const std::string hint = hint_for(job);
  const parent_link link{.cid = job.parent->cid, .file_name_hint = hint};
  return write_one_file(
      job, output, [&](auto& source, auto& sink) noexcept -> result<write_report> {
        if constexpr (SeekableSink<std::remove_reference_t<decltype(sink)>>) {
          watched_disk parent(job.parent->content);
          if (job.parent->is_unchanged) {
            return write_empty_delta<type>(source.size(), link, sink, job.options, memory);
          }
          return write_delta<type>(source, parent, link, sink, job.options, memory);
        } else {
          return sink_failure(errc::not_supported, 0);
        }
      });
}

}  // namespace vmdk::cli
