// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vmdk/core/failure.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/hosted/file_sink.hpp"
#include "vmdk/hosted/os.hpp"
#include "vmdk/hosted/os_names.hpp"
#include "vmdk/hosted/pending_file.hpp"
#include "vmdk/io/concepts.hpp"

namespace vmdk {

/// Writes the files of one image into a folder, each under a temporary name until `commit`. What is
/// not committed goes away with this object. SinkDirectory; movable only, and not while a sink of
/// it is in use.
class sink_directory {
 public:
  using sink_type = file_sink;

  /// Writes nothing until another one is moved here.
  sink_directory() noexcept = default;
  sink_directory(sink_directory&&) noexcept = default;
  sink_directory& operator=(sink_directory&& other) noexcept {
    std::swap(folder_, other.folder_);
    std::swap(existing_, other.existing_);
    std::swap(pending_, other.pending_);
    std::swap(retired_, other.retired_);
    std::swap(failed_, other.failed_);
    return *this;
  }
  ~sink_directory() { abort(); }

  /// Opens the folder. Errors, of origin::sink with errno in `detail`: errc::file_not_found,
  /// errc::write_failed.
  [[nodiscard]] static result<sink_directory> open(
      const std::string& folder, existing_file existing = existing_file::refuse) noexcept {
    sink_directory directory;
    directory.existing_ = existing;
    if (const int error = detail::os::open_folder(folder, directory.folder_)) {
      return detail::os::write_error(error);
    }
    return directory;
  }

  /// Finishes the file before, and begins the next one. Its sink is valid until the next `create`,
  /// `commit` or `abort`. Errors: those of the sink before; errc::name_not_allowed (not a base
  /// name, or used twice); errc::already_exists; errc::file_not_regular; errc::write_failed;
  /// errc::sink_full. After a failure only `abort` is left, and every further call returns it.
  result<file_sink*> create(std::string_view name) noexcept {
    if (failed_) return failed_;
    if (!is_base_name(name) || is_known(name)) {
      return failed_ = sink_failure(errc::name_not_allowed, 0);
    }
    if (finish_last()) return failed_;
    result<detail::pending_file> next =
        detail::pending_file::create(folder_, std::string(name), existing_);
    if (!next) return failed_ = next.error();
    pending_.push_back(std::move(next).value());
    return &pending_.back().sink();
  }

  /// The name in the folder that the file created last has until `commit`, for who must remove it
  /// when the program is stopped; empty where there is none.
  [[nodiscard]] std::string temporary_name() const noexcept {
    return pending_.empty() ? std::string() : pending_.back().temporary_name();
  }

  /// Has `commit` remove a file of an older set, unless a new one has its name. A name that is no
  /// base name is passed over, as one that is not there.
  void retire(std::string_view name) noexcept {
    if (is_base_name(name)) retired_.emplace_back(name);
  }

  /// Gives all files their names, in the order of their creation, so that the descriptor, which is
  /// created last, appears last; an older descriptor of the name goes first. Then removes what is
  /// retired. Errors: those of the sinks; errc::already_exists; errc::write_failed. On failure none
  /// of the new files is left, but where only the folder could not be brought to the medium at the
  /// end: then all have their names.
  failure commit() noexcept {
    if (failed_ || finish_last()) {
      abort();
      return failed_;
    }
    if (pending_.empty()) return no_failure;

    failure why;
    if (existing_ == existing_file::replace) why = remove_old_descriptor();
    std::size_t published = 0;
    while (!why && published < pending_.size()) {
      // The medium must not learn of the descriptor before it knows the extents.
      if (published + 1 == pending_.size()) why = sync_folder();
      if (!why) why = pending_[published].publish(folder_);
      if (!why) ++published;
    }
    if (why) {
      for (std::size_t i = 0; i < published; ++i) {
        (void)detail::os::remove_name(folder_, pending_[i].final_name());
      }
      failed_ = why;
      abort();
      return why;
    }
    for (const std::string& name : retired_) {
      if (!is_known(name)) remove_regular(name);
    }
    pending_.clear();
    retired_.clear();
    return sync_folder();
  }

  /// Removes all files that are not committed.
  void abort() noexcept {
    for (detail::pending_file& file : pending_) file.discard(folder_);
    pending_.clear();
    retired_.clear();
  }

 private:
  [[nodiscard]] bool is_known(std::string_view name) const noexcept {
    for (const detail::pending_file& file : pending_) {
      if (file.final_name() == name) return true;
    }
    return false;
  }

  failure finish_last() noexcept {
    if (!pending_.empty()) failed_ = pending_.back().finish();
    return failed_;
  }

  /// New extents under an old descriptor would look like an image.
  failure remove_old_descriptor() noexcept {
    const int error = detail::os::remove_name(folder_, pending_.back().final_name());
    if (error == ENOENT) return no_failure;
    return error != 0 ? detail::os::write_error(error) : sync_folder();
  }

  void remove_regular(const std::string& name) noexcept {
    detail::os::file_status status;
    if (detail::os::get_status(folder_, name, status) != 0) return;
    if (status.kind == file_kind::regular) (void)detail::os::remove_name(folder_, name);
  }

  failure sync_folder() noexcept {
    const int error = detail::os::sync_all(folder_);
    return error != 0 ? detail::os::write_error(error) : no_failure;
  }

  detail::os::handle folder_;
  existing_file existing_ = existing_file::refuse;
  std::vector<detail::pending_file> pending_;
  std::vector<std::string> retired_;
  failure failed_{};
};

static_assert(SinkDirectory<sink_directory>);

}  // namespace vmdk
