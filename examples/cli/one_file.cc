// SPDX-License-Identifier: BSD-2-Clause
#include "one_file.hpp"

#include "vmdk/core/to_string.hpp"
#include "vmdk/format/descriptor_fields.hpp"
#include "vmdk/hosted/os_names.hpp"

namespace vmdk::cli {

bool is_read(const conversion& job, const std::string& path) noexcept {
  return is_same_file(job.source_path, path) || job.source.is_read_from(path) ||
         (job.parent != nullptr && job.parent->content.is_read_from(path));
}

old_set old_set_of(const conversion& job) {
  if (!job.force) return {};
  old_set old = find_old_set(job.destination);
  std::erase_if(old.names,
                [&](const std::string& name) { return is_read(job, old.folder + '/' + name); });
  return old;
}

void check_not_read(const conversion& job, const std::string& path) {
  if (!is_read(job, path)) return;
  const bool is_parent = job.parent != nullptr && job.parent->content.is_read_from(path);
  throw error(name_of_output(path), is_parent ? "is the parent as well" : "is the source as well");
}

output_file open_output(const conversion& job) {
  check_not_read(job, job.destination);
  if (job.destination == "-") return output_file::standard_output();
  const file_kind kind = kind_of(job.destination);
  if (kind == file_kind::block_device && !job.force) {
    throw error(job.destination, "is a device; --force overwrites it");
  }
  // Opening a FIFO waits for its reader, and there shall be a way to stop that.
  std::optional<signals_held> held;
  if (kind == file_kind::none || kind == file_kind::regular) held.emplace();
  auto opened = output_file::open(job.destination,
                                  job.force ? existing_file::replace : existing_file::refuse);
  if (!opened) fail_opening(job.destination, opened.error());
  remove_when_stopped(opened->temporary_path());
  return std::move(opened).value();
}

void fail_output(const std::string& name, const failure& why) {
  if (why.code == errc::already_exists) fail_opening(name, why);
  fail(name, why);
}

void fail_conversion(const conversion& job, const failure& why) {
  const std::string destination = name_of_output(job.destination);
  switch (why.from) {
    case origin::sink:
      fail_output(destination, why);
    case origin::options:
      break;
    default:
      fail(job.source.file_of(why), why);
  }
  if (why.code == errc::option_invalid) {
    const std::string culprit = job.chosen.culprit(why);
    const auto problem = static_cast<descriptor_problem>(why.detail);
    std::string text(to_string(problem));
    if (problem == descriptor_problem::extent_name && culprit.empty() && job.takes_name) {
      text += "; -o name=FILE gives it another";
    }
    throw error(culprit.empty() ? destination : culprit, text);
  }
  std::string text(to_string(why.code));
  if (why.code == errc::extent_too_large) {
    text += ": the data from byte " + std::to_string(why.offset) + " of the disk on does not fit";
  }
  throw error(destination, text);
}

}  // namespace vmdk::cli
