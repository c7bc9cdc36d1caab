// SPDX-License-Identifier: BSD-2-Clause
#include "many_files.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include "vmdk/hosted/os_names.hpp"

namespace vmdk::cli {
namespace {

/// Looks at a name before anything is written: a disk may take long to write.
void check_name(const conversion& job, const std::string& path) {
  vmdk::detail::os::file_status there;
  if (vmdk::detail::os::get_link_status(path, there) != 0) return;
  if (there.kind != file_kind::regular) {
    fail_opening(path, vmdk::detail::os::write_error(vmdk::detail::os::errno_of_kind(there.kind)));
  }
  check_not_read(job, path);
  if (!job.force) fail_opening(path, vmdk::detail::os::write_error(EEXIST));
}

}  // namespace

output_directory::output_directory(const conversion& job, const disk_pieces& pieces)
    : folder_(folder_of(job.destination)) {
  const auto path_in = [this](std::string_view name) {
    return folder_ == "." ? std::string(name) : folder_ + '/' + std::string(name);
  };
  check_name(job, job.destination);
  const piece_list extents = pieces.extents(job.options.extent_name);
  for (std::size_t i = 0; i < extents.size(); ++i) {
    std::array<char, extent_name_max_bytes> memory{};
    // A name that is too long is the writer's to refuse.
    if (const auto name = extents[i].name.compose(memory)) check_name(job, path_in(*name));
  }

  auto opened =
      sink_directory::open(folder_, job.force ? existing_file::replace : existing_file::refuse);
  if (!opened) fail_opening(job.destination, opened.error());
  files_ = std::move(opened).value();
  for (const std::string& name : old_set_of(job).names) files_.retire(name);
}

result<file_sink*> output_directory::create(std::string_view name) noexcept {
  paths_.push_back(folder_ == "." ? std::string(name) : folder_ + '/' + std::string(name));
  // Until its name is known, nobody could remove the file.
  const signals_held held;
  const auto sink = files_.create(name);
  if (sink) remove_when_stopped(folder_ + '/' + files_.temporary_name());
  return sink;
}

failure output_directory::commit() noexcept {
  const signals_held held;
  return files_.commit();
}

std::string output_directory::path_of(const failure& why) const {
  if (paths_.empty()) return {};
  return paths_[std::min<std::size_t>(why.index, paths_.size() - 1)];
}

}  // namespace vmdk::cli
