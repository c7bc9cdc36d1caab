// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vmdk/core/bytes.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/hosted/file_source.hpp"
#include "vmdk/hosted/os.hpp"
#include "vmdk/hosted/os_names.hpp"
#include "vmdk/io/concepts.hpp"

namespace vmdk {

/// Opens the files that images name, in folders that the caller allows and nowhere else.
/// FolderFiles; movable only. Once everything is open, several threads may read.
///
/// A name must be a base name (see is_base_name) of a regular file; symbolic links, directories,
/// devices and FIFOs are refused without being opened. One file under two names is one file_id.
class directory_files {
 public:
  static constexpr std::size_t default_max_files = 4096;

  explicit directory_files(std::size_t max_files = default_max_files) noexcept
      : max_files_(max_files) {}

  /// Allows a folder. Names are looked for in the folders in the order in which they were allowed.
  /// Errors, of origin::files with errno in `detail`: errc::file_not_found, errc::read_failed.
  failure allow(const std::string& folder) noexcept {
    detail::os::handle opened;
    if (const int error = detail::os::open_folder(folder, opened)) return files_failure(error);
    folders_.push_back(std::move(opened));
    return no_failure;
  }

  /// Opens a file by a path that the program itself was given: anywhere, symbolic links followed,
  /// block devices too. Errors, of origin::files: those of file_source::open;
  /// errc::extent_count_invalid (detail: the number of files allowed).
  result<file_id> open_path(const std::string& path) noexcept {
    detail::os::handle file;
    if (const int error = detail::os::open_seekable(path, detail::os::access::read, file)) {
      return files_failure(error);
    }
    return keep(std::move(file), unknown);
  }

  /// Opens a file by a name from an image. Errors, of origin::files with errno in `detail`:
  /// errc::name_not_allowed, errc::file_not_found, errc::file_not_regular, errc::read_failed,
  /// errc::extent_count_invalid (detail: the number of files allowed).
  result<file_id> open(std::string_view name) noexcept { return open_beside(no_file, name); }

  /// Opens a file by a name from an image's file, looking first in the folder where that was found:
  /// children in one folder and parents in another may have equal names. A file that names itself
  /// is passed over while another has the name. Errors: as for `open`.
  result<file_id> open_beside(file_id opener, std::string_view name) noexcept {
    if (!is_base_name(name)) return failure{.code = errc::name_not_allowed, .from = origin::files};
    const std::string zero_ended(name);
    const std::size_t first = opener.value < files_.size() ? files_[opener.value].folder : unknown;
    result<file_id> none = files_failure(ENOENT);
    for (std::size_t i = 0; i <= folders_.size(); ++i) {
      const std::size_t folder = i == 0 ? first : i - 1;
      if (folder == unknown || (i != 0 && folder == first)) continue;
      const auto file = open_in(folder, zero_ended);
      if (file && *file == opener) none = file;
      const bool goes_on = file ? *file == opener : file.error().code == errc::file_not_found;
      if (!goes_on) return file;
    }
    return none;
  }

  /// True when a path leads, symbolic links followed, to a file that is open here.
  [[nodiscard]] bool is_open(const std::string& path) const noexcept {
    detail::os::file_status status;
    if (detail::os::get_status(path, status) != 0) return false;
    for (const open_file& file : files_) {
      if (is_same_file(file.status, status)) return true;
    }
    return false;
  }

  /// The size of a file that is open; 0 for an id that is not this object's.
  [[nodiscard]] std::uint64_t size(file_id id) const noexcept {
    return id.value < files_.size() ? files_[id.value].source.size() : 0;
  }

  /// Reads. Errors: those of file_source::read_at.
  failure read_at(file_id id, std::uint64_t offset, byte_span out) const noexcept {
    if (id.value >= files_.size()) return source_failure(errc::out_of_range, offset);
    return files_[id.value].source.read_at(offset, out);
  }

  /// Finds data. Errors: those of file_source::next_data.
  result<range> next_data(file_id id, std::uint64_t offset) const noexcept {
    if (id.value >= files_.size()) return source_failure(errc::out_of_range, offset);
    return files_[id.value].source.next_data(offset);
  }

 private:
  static constexpr std::size_t unknown = ~std::size_t{0};

  struct open_file {
    file_source source;
    detail::os::file_status status{};
    std::size_t folder = unknown;  ///< Among folders_, where a name was looked for.
  };

  static failure files_failure(int error) noexcept {
    failure why = detail::os::read_error(error);
    why.from = origin::files;
    return why;
  }

  result<file_id> open_in(std::size_t folder, const std::string& name) noexcept {
    detail::os::file_status status;
    if (const int error = detail::os::get_status(folders_[folder], name, status)) {
      return files_failure(error);
    }
    if (status.kind != file_kind::regular) {
      return files_failure(detail::os::errno_of_kind(status.kind));
    }
    // Should something else have taken the name meanwhile, it is not followed, not waited for,
    // and refused after all.
    detail::os::handle file;
    if (const int error =
            detail::os::open_in(folders_[folder], name, detail::os::access::read, file)) {
      return files_failure(error);
    }
    if (const int error = detail::os::get_status(file, status)) return files_failure(error);
    if (status.kind != file_kind::regular) {
      return files_failure(detail::os::errno_of_kind(status.kind));
    }
    return keep(std::move(file), folder);
  }

  /// Takes an open file in, unless it is here already.
  result<file_id> keep(detail::os::handle file, std::size_t folder) noexcept {
    detail::os::file_status status;
    if (const int error = detail::os::get_status(file, status)) return files_failure(error);
    for (std::size_t i = 0; i < files_.size(); ++i) {
      if (is_same_file(files_[i].status, status)) {
        if (files_[i].folder == unknown) files_[i].folder = folder;
        return file_id{static_cast<std::uint32_t>(i)};
      }
    }
    if (files_.size() >= max_files_) {
      return failure{.code = errc::extent_count_invalid,
                     .from = origin::files,
                     .index = 0,
                     .detail = static_cast<std::uint32_t>(max_files_)};
    }
    result<file_source> source = file_source::over(std::move(file));
    if (!source) {
      failure why = source.error();
      why.from = origin::files;
      return why;
    }
    files_.push_back({std::move(source).value(), status, folder});
    return file_id{static_cast<std::uint32_t>(files_.size() - 1)};
  }

  static constexpr file_id no_file{0xFFFFFFFF};

  std::size_t max_files_;
  std::vector<detail::os::handle> folders_;
  std::vector<open_file> files_;
};

static_assert(FolderFiles<directory_files>);

}  // namespace vmdk
