// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "image_types.hpp"
#include "one_file.hpp"
#include "vmdk/hosted/sink_directory.hpp"
#include "vmdk/layout/pieces.hpp"

namespace vmdk::cli {

/// The files of one image in their folder. A signal removes those that are not finished, or comes
/// when all are. SinkDirectory.
class output_directory {
 public:
  using sink_type = file_sink;

  /// Throws an error, also where the files of the disk would replace something without --force, or
  /// the source in any case.
  output_directory(const conversion& job, const disk_pieces& pieces);

  result<file_sink*> create(std::string_view name) noexcept;
  failure commit() noexcept;
  void abort() noexcept { files_.abort(); }

  /// The path of the file that a failure of this directory or its sinks speaks of.
  [[nodiscard]] std::string path_of(const failure& why) const;

 private:
  std::string folder_;
  std::vector<std::string> paths_;  ///< Of the files that were created.
  sink_directory files_;
};

static_assert(SinkDirectory<output_directory>);

/// Writes an image of several files: `write(source, directory)` returns a result<write_report>, and
/// the files appear when it has succeeded. Throws an error; no file is left then.
template <class Write>
write_report write_many_files(const conversion& job, const disk_pieces& pieces, Write&& write) {
  output_directory directory(job, pieces);
  const auto write_from = [&](auto source) { return write(source, directory); };
  const result<write_report> report = job.source.can_go_back()
                                          ? write_from(watched_disk(job.source))
                                          : write_from(watched_pipe(job.source));
  if (report) return *report;
  const failure why = report.error();
  if (why.from == origin::sink) fail_output(directory.path_of(why), why);
  fail_conversion(job, why);
}

}  // namespace vmdk::cli
