// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include "error.hpp"
#include "image_types.hpp"
#include "old_set.hpp"
#include "progress.hpp"
#include "signals.hpp"
#include "vmdk/hosted/output_file.hpp"

namespace vmdk::cli {

/// A disk whose reading moves a progress bar.
class watched_disk {
 public:
  explicit watched_disk(disk& inner) noexcept : inner_(&inner), progress_(inner.size()) {}

  [[nodiscard]] std::uint64_t size() const noexcept { return inner_->size(); }
  failure read_at(std::uint64_t offset, byte_span out) noexcept {
    const failure why = inner_->read_at(offset, out);
    progress_.reached(offset + out.size());
    return why;
  }
  void reached(std::uint64_t offset) noexcept { progress_.reached(offset); }
  result<range> next_data(std::uint64_t offset) noexcept {
    progress_.reached(offset);
    return inner_->next_data(offset);
  }

 protected:
  disk* inner_;

 private:
  progress progress_;
};

/// The same for a disk that comes through a pipe; its `finish` tells the writers that it does.
class watched_pipe : public watched_disk {
 public:
  using watched_disk::watched_disk;

  failure finish() noexcept { return inner_->finish(); }
  failure expand_all(unsigned threads, const take_bytes& take) noexcept {
    return inner_->expand_all(threads, take);
  }
};

/// True when a path leads to a file that the source, or a parent of what is written, is read from.
[[nodiscard]] bool is_read(const conversion& job, const std::string& path) noexcept;

/// Throws an error for what is read: it shall not be written to, nor replaced.
void check_not_read(const conversion& job, const std::string& path);

/// Opens the destination of a conversion into one file. Throws an error.
[[nodiscard]] output_file open_output(const conversion& job);

/// What the destination is to lose when it is replaced: nothing that is read.
[[nodiscard]] old_set old_set_of(const conversion& job);

/// Throws what a failure of a sink means for the file that it writes.
[[noreturn]] void fail_output(const std::string& name, const failure& why);

/// Throws the error that a failed conversion ends with.
[[noreturn]] void fail_conversion(const conversion& job, const failure& why);

/// Writes an image of one file: `write(source, sink)` returns a result<write_report>, and the file
/// appears when it has succeeded; of a disk of several files that it replaces nothing is left.
/// Throws an error; no file is left then.
template <class Write>
write_report write_one_file(const conversion& job, output_file& output, Write&& write) {
  const auto write_from = [&](auto source) {
    return output.with_sink([&](auto& sink) noexcept { return write(source, sink); });
  };
  const result<write_report> report = job.source.can_go_back()
                                          ? write_from(watched_disk(job.source))
                                          : write_from(watched_pipe(job.source));
  if (!report) fail_conversion(job, report.error());
  const old_set old = old_set_of(job);
  if (failure why = output.commit()) fail_conversion(job, why);
  remove_old_set(old);
  return *report;
}

}  // namespace vmdk::cli
