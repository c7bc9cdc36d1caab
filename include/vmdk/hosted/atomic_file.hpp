// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cerrno>
#include <string>
#include <utility>

#include "vmdk/core/failure.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/hosted/file_sink.hpp"
#include "vmdk/hosted/os.hpp"
#include "vmdk/hosted/os_names.hpp"
#include "vmdk/hosted/pending_file.hpp"

namespace vmdk {

/// Writes a regular file that appears under its name only when it is complete: until `commit` it
/// has a temporary name (`.NAME.XXXXXXXX.tmp`) in the same folder, and goes away with this object.
/// Movable only; `sink()` moves with it.
///
/// A path that is a symbolic link stays one: what it leads to is written.
class atomic_file {
 public:
  /// Writes nothing until another one is moved here.
  atomic_file() noexcept = default;
  atomic_file(atomic_file&&) noexcept = default;
  atomic_file& operator=(atomic_file&& other) noexcept {
    std::swap(folder_, other.folder_);
    std::swap(folder_path_, other.folder_path_);
    std::swap(pending_, other.pending_);
    return *this;
  }
  ~atomic_file() { abort(); }

  /// Begins a file. Errors, of origin::sink with errno in `detail`: errc::already_exists;
  /// errc::file_not_found (its folder); errc::file_not_regular (a directory, device or FIFO has the
  /// name, whatever `existing` says); errc::write_failed; errc::sink_full.
  [[nodiscard]] static result<atomic_file> create(
      const std::string& path, existing_file existing = existing_file::refuse) noexcept {
    std::string resolved;
    if (const int error = detail::os::follow_links(path, resolved)) {
      return detail::os::write_error(error);
    }
    atomic_file file;
    file.folder_path_ = folder_of(resolved);
    if (const int error = detail::os::open_folder(file.folder_path_, file.folder_)) {
      return detail::os::write_error(error);
    }
    std::string name = base_name_of(resolved);
    if (name.empty()) return detail::os::write_error(resolved.empty() ? ENOENT : EISDIR);
    result<detail::pending_file> pending =
        detail::pending_file::create(file.folder_, std::move(name), existing);
    if (!pending) return pending.error();
    file.pending_ = std::move(pending).value();
    return file;
  }

  /// Where to write; until `commit` or `abort`.
  [[nodiscard]] file_sink& sink() noexcept { return pending_.sink(); }

  /// The path of the temporary file, for a program that is told to stop and has to remove it; empty
  /// when there is none.
  [[nodiscard]] std::string temporary_path() const noexcept {
    if (pending_.temporary_name().empty()) return {};
    return folder_path_ + '/' + pending_.temporary_name();
  }

  /// Brings the file to the medium and gives it its name. On failure nothing is left of it, but
  /// where only the folder could not be brought to the medium: then the file has its name. Errors:
  /// those of the sink, an earlier one too; errc::already_exists, when the name was taken
  /// meanwhile.
  failure commit() noexcept {
    failure why = pending_.finish();
    if (!why) why = pending_.publish(folder_);
    abort();
    if (why) return why;
    if (const int error = detail::os::sync_all(folder_)) return detail::os::write_error(error);
    return no_failure;
  }

  /// Removes the temporary file.
  void abort() noexcept { pending_.discard(folder_); }

 private:
  detail::os::handle folder_;
  std::string folder_path_;
  detail::pending_file pending_;
};

}  // namespace vmdk
