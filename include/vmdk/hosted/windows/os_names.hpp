// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "vmdk/hosted/os_types.hpp"
#include "vmdk/hosted/windows/os.hpp"

#if defined(_WIN32)
#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

/// The calls that deal with names. Each returns 0 or an errno.
namespace vmdk::detail::os {

/// What parts the names of a path. Behind a drive there may be none.
inline constexpr std::string_view separators = "/\\:";

[[nodiscard]] inline std::string folder_of(std::string_view path) noexcept {
  const std::size_t before = path.find_last_of(separators);
  if (before == std::string_view::npos) return ".";
  // "C:" is wherever the user is on that drive, and "C:\" its root.
  if (path[before] == ':') return std::string(path.substr(0, before + 1)) + '.';
  const bool is_root = before == 0 || path[before - 1] == ':';
  return std::string(path.substr(0, is_root ? before + 1 : before));
}

/// Opens a folder, to look names up in it.
[[nodiscard]] inline int open_folder(const std::string& path, handle& folder) noexcept {
  std::wstring wide;
  if (const int error = to_wide(path, wide)) return error;
  if (const int error = open_to_ask(wide, true, folder)) return error;
  file_status status;
  if (const int error = get_status(folder, status)) return error;
  return status.kind == file_kind::directory ? 0 : ENOTDIR;
}

/// The full path of what is open, in the form `\\?\C:\...`, whose names mean files and nothing
/// else.
[[nodiscard]] inline int full_path(const handle& file, std::wstring& path) noexcept {
  path.assign(32768, L'\0');
  const DWORD n = ::GetFinalPathNameByHandleW(file.get(), path.data(),
                                              static_cast<DWORD>(path.size()), VOLUME_NAME_DOS);
  if (n == 0) return last_errno();
  if (n >= path.size()) return ENAMETOOLONG;
  path.resize(n);
  return 0;
}

/// The path of a name in a folder, wherever that is now.
[[nodiscard]] inline int path_in(const handle& folder, const std::string& name,
                                 std::wstring& path) noexcept {
  std::wstring wide;
  if (const int error = to_wide(name, wide)) return error;
  if (const int error = full_path(folder, path)) return error;
  if (path.back() != L'\\') path += L'\\';
  path += wide;
  return 0;
}

/// Tells what a name in a folder is; a symbolic link is not followed.
[[nodiscard]] inline int get_status(const handle& folder, const std::string& name,
                                    file_status& status) noexcept {
  std::wstring path;
  handle file;
  if (const int error = path_in(folder, name, path)) return error;
  if (const int error = open_to_ask(path, false, file)) return error;
  return get_status(file, status);
}

/// Opens a name in a folder; what is opened of a symbolic link is the link, which is no file.
[[nodiscard]] inline int open_in(const handle& folder, const std::string& name, access how,
                                 handle& file, unsigned = 0) noexcept {
  std::wstring path;
  if (const int error = path_in(folder, name, path)) return error;
  return open_wide(path, how, FILE_FLAG_OPEN_REPARSE_POINT, file);
}

/// A new file has what its folder gives it.
inline void take_permissions(const handle&, const file_status&) noexcept {}

[[nodiscard]] inline int remove_name(const handle& folder, const std::string& name) noexcept {
  std::wstring path;
  if (const int error = path_in(folder, name, path)) return error;
  return ::DeleteFileW(path.c_str()) != 0 ? 0 : last_errno();
}

[[nodiscard]] inline int rename_with(const handle& folder, const std::string& from,
                                     const std::string& to, unsigned long flags) noexcept {
  std::wstring old_path;
  std::wstring new_path;
  if (const int error = path_in(folder, from, old_path)) return error;
  if (const int error = path_in(folder, to, new_path)) return error;
  const BOOL ok = ::MoveFileExW(old_path.c_str(), new_path.c_str(), flags | MOVEFILE_WRITE_THROUGH);
  return ok != 0 ? 0 : last_errno();
}

/// Renames within a folder; what has the new name already is replaced.
[[nodiscard]] inline int rename_over(const handle& folder, const std::string& from,
                                     const std::string& to) noexcept {
  return rename_with(folder, from, to, MOVEFILE_REPLACE_EXISTING);
}

/// Renames within a folder; EEXIST when something has the new name already.
[[nodiscard]] inline int rename_new(const handle& folder, const std::string& from,
                                    const std::string& to) noexcept {
  return rename_with(folder, from, to, 0);
}

/// Follows the symbolic links that a path's last name may be, to a path whose last name is none. It
/// may be the name of nothing yet.
[[nodiscard]] inline int follow_links(std::string path, std::string& found) noexcept {
  file_status status;
  const int error = get_link_status(path, status);
  if (error != 0 && error != ENOENT) return error;
  if (error == 0 && status.kind == file_kind::symbolic_link) {
    std::wstring wide;
    handle file;
    if (const int unknown = to_wide(path, wide)) return unknown;
    if (const int missing = open_to_ask(wide, true, file)) return missing;
    if (const int unknown = full_path(file, wide)) return unknown;
    path = to_utf8(wide);
  }
  found = std::move(path);
  return 0;
}

}  // namespace vmdk::detail::os
#endif
