// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "vmdk/hosted/os_types.hpp"

#if defined(_WIN32)
#if !defined(NOMINMAX)
#define NOMINMAX
#endif
#if !defined(WIN32_LEAN_AND_MEAN)
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>
// After it, which it needs.
#include <winioctl.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// The calls of Windows, under the names of those of posix/: here what opens files and tells what
/// they are. Each returns 0 or an errno. Names are UTF-8. What Windows does not have stays out:
/// devices (`\\.\NAME`) are ENOTSUP, permissions are the folder's.
namespace vmdk::detail::os {

struct win32_handle {
  using native = void*;
  static constexpr native none = nullptr;
  static int close(native file) noexcept { return ::CloseHandle(file) != 0 ? 0 : EIO; }
};
using handle = basic_handle<win32_handle>;

/// The errno for an error of Windows.
[[nodiscard]] inline int errno_of(unsigned long error) noexcept {
  switch (error) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
    case ERROR_INVALID_DRIVE:
    case ERROR_INVALID_NAME:
    case ERROR_BAD_PATHNAME:
    case ERROR_BAD_NETPATH:
    case ERROR_BAD_NET_NAME:
      return ENOENT;
    case ERROR_DIRECTORY:
      return ENOTDIR;
    case ERROR_ACCESS_DENIED:
    case ERROR_SHARING_VIOLATION:
    case ERROR_LOCK_VIOLATION:
    case ERROR_USER_MAPPED_FILE:
      return EACCES;
    case ERROR_WRITE_PROTECT:
      return EROFS;
    case ERROR_FILE_EXISTS:
    case ERROR_ALREADY_EXISTS:
      return EEXIST;
    case ERROR_DISK_FULL:
    case ERROR_HANDLE_DISK_FULL:
      return ENOSPC;
    case ERROR_FILE_TOO_LARGE:
      return EFBIG;
    case ERROR_BROKEN_PIPE:
    case ERROR_NO_DATA:
    case ERROR_PIPE_NOT_CONNECTED:
      return EPIPE;
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
    case ERROR_NO_SYSTEM_RESOURCES:
    case ERROR_COMMITMENT_LIMIT:
      return ENOMEM;
    case ERROR_TOO_MANY_OPEN_FILES:
      return EMFILE;
    case ERROR_FILENAME_EXCED_RANGE:
      return ENAMETOOLONG;
    case ERROR_CANT_RESOLVE_FILENAME:
      return ELOOP;
    case ERROR_INVALID_PARAMETER:
      return EINVAL;
    case ERROR_INVALID_HANDLE:
      return EBADF;
    default:
      return EIO;
  }
}
[[nodiscard]] inline int last_errno() noexcept { return errno_of(::GetLastError()); }

/// Turns UTF-8 into what Windows takes. EINVAL: it is none, or holds a NUL.
[[nodiscard]] inline int to_wide(std::string_view text, std::wstring& wide) noexcept {
  wide.clear();
  if (text.empty()) return 0;
  if (text.find('\0') != std::string_view::npos || text.size() > 32767 * 3) return EINVAL;
  const int bytes = static_cast<int>(text.size());
  const int n =
      ::MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text.data(), bytes, nullptr, 0);
  if (n <= 0) return EINVAL;
  wide.resize(static_cast<std::size_t>(n));
  (void)::MultiByteToWideChar(CP_UTF8, 0, text.data(), bytes, wide.data(), n);
  return 0;
}

/// Turns what Windows gives into UTF-8; halves of characters become U+FFFD.
[[nodiscard]] inline std::string to_utf8(std::wstring_view wide) noexcept {
  const int length = static_cast<int>(wide.size());
  const int n =
      ::WideCharToMultiByte(CP_UTF8, 0, wide.data(), length, nullptr, 0, nullptr, nullptr);
  std::string text(static_cast<std::size_t>(n > 0 ? n : 0), '\0');
  (void)::WideCharToMultiByte(CP_UTF8, 0, wide.data(), length, text.data(), n, nullptr, nullptr);
  return text;
}

[[nodiscard]] inline handle standard(standard_stream which) noexcept {
  constexpr DWORD names[] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};
  void* const file = ::GetStdHandle(names[static_cast<std::size_t>(which)]);
  return file == INVALID_HANDLE_VALUE ? handle() : handle(file, false);
}

[[nodiscard]] inline bool is_terminal(const handle& file) noexcept {
  DWORD mode = 0;
  return ::GetConsoleMode(file.get(), &mode) != 0;
}

/// A number that no other process has now.
[[nodiscard]] inline std::uint64_t process_number() noexcept { return ::GetCurrentProcessId(); }

/// True for a path that leads out of the file system: `\\.\PhysicalDrive0`, `\\.\pipe\NAME`.
[[nodiscard]] inline bool is_device_path(std::string_view path) noexcept {
  const auto is_slash = [](char c) { return c == '/' || c == '\\'; };
  return path.size() >= 4 && is_slash(path[0]) && is_slash(path[1]) && path[2] == '.' &&
         is_slash(path[3]);
}

[[nodiscard]] inline int get_status(const handle& file, file_status& status) noexcept {
  status = {};
  switch (::GetFileType(file.get())) {
    case FILE_TYPE_DISK:
      break;
    case FILE_TYPE_CHAR:
      status.kind = file_kind::character_device;
      return 0;
    case FILE_TYPE_PIPE:
      status.kind = file_kind::fifo;
      return 0;
    default:
      return EBADF;
  }
  BY_HANDLE_FILE_INFORMATION raw{};
  if (::GetFileInformationByHandle(file.get(), &raw) == 0) return last_errno();
  status.kind = file_kind::regular;
  if ((raw.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0) status.kind = file_kind::directory;
  if ((raw.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0) {
    // Files that a backup or a cloud has moved away are such points as well, and are read as files.
    FILE_ATTRIBUTE_TAG_INFO tag{};
    if (::GetFileInformationByHandleEx(file.get(), FileAttributeTagInfo, &tag, sizeof tag) != 0 &&
        (tag.ReparseTag == IO_REPARSE_TAG_SYMLINK ||
         tag.ReparseTag == IO_REPARSE_TAG_MOUNT_POINT)) {
      status.kind = file_kind::symbolic_link;
    }
  }
  status.size_bytes = std::uint64_t{raw.nFileSizeHigh} << 32 | raw.nFileSizeLow;
  status.device = raw.dwVolumeSerialNumber;
  status.inode = std::uint64_t{raw.nFileIndexHigh} << 32 | raw.nFileIndexLow;
  return 0;
}

/// As CreateFileW, which others may share in every way, as they may in POSIX.
[[nodiscard]] inline int open_wide(const std::wstring& path, unsigned long rights, bool is_new,
                                   unsigned long flags, handle& file) noexcept {
  constexpr DWORD shared = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
  void* const opened = ::CreateFileW(path.c_str(), rights, shared, nullptr,
                                     is_new ? CREATE_NEW : OPEN_EXISTING, flags, nullptr);
  if (opened == INVALID_HANDLE_VALUE) return last_errno();
  file = handle(opened);
  return 0;
}

/// Opens a path for an access.
[[nodiscard]] inline int open_wide(const std::wstring& path, access how, unsigned long flags,
                                   handle& file) noexcept {
  DWORD rights = GENERIC_WRITE | FILE_READ_ATTRIBUTES;
  if (how == access::read) rights = GENERIC_READ;
  if (how == access::read_write) rights = GENERIC_READ | GENERIC_WRITE;
  if (const int error = open_wide(path, rights, how == access::create, flags, file)) return error;
  if (how == access::create) {
    // Where the file system has no holes, zeros are written.
    DWORD ignored = 0;
    (void)::DeviceIoControl(file.get(), FSCTL_SET_SPARSE, nullptr, 0, nullptr, 0, &ignored,
                            nullptr);
  }
  return 0;
}

/// Opens a path only to ask what it is.
[[nodiscard]] inline int open_to_ask(const std::wstring& path, bool follows_links,
                                     handle& file) noexcept {
  constexpr DWORD itself = FILE_FLAG_OPEN_REPARSE_POINT;
  return open_wide(path, FILE_READ_ATTRIBUTES, false,
                   FILE_FLAG_BACKUP_SEMANTICS | (follows_links ? 0 : itself), file);
}

[[nodiscard]] inline int get_status(const std::string& path, bool follows_links,
                                    file_status& status) noexcept {
  if (is_device_path(path)) {
    status = {};
    status.kind = file_kind::other;
    return 0;
  }
  std::wstring wide;
  handle file;
  if (const int error = to_wide(path, wide)) return error;
  if (const int error = open_to_ask(wide, follows_links, file)) return error;
  return get_status(file, status);
}

/// Tells what a path leads to, symbolic links followed.
[[nodiscard]] inline int get_status(const std::string& path, file_status& status) noexcept {
  return get_status(path, true, status);
}

/// Tells what a path is, which may be a symbolic link.
[[nodiscard]] inline int get_link_status(const std::string& path, file_status& status) noexcept {
  return get_status(path, false, status);
}

/// Opens a path, whatever it leads to.
[[nodiscard]] inline int open_path(const std::string& path, access how, handle& file) noexcept {
  if (is_device_path(path)) return ENOTSUP;
  std::wstring wide;
  if (const int error = to_wide(path, wide)) return error;
  return open_wide(wide, how, 0, file);
}

/// Opens a regular file. Nothing else is opened at all: EISDIR, ESPIPE, ENOTSUP.
[[nodiscard]] inline int open_seekable(const std::string& path, access how, handle& file) noexcept {
  if (is_device_path(path)) return ENOTSUP;
  file_status status;
  if (const int error = get_status(path, status)) return error;
  if (status.kind != file_kind::regular) return errno_of_kind(status.kind);
  return open_path(path, how, file);
}

/// Finds the size of a regular file.
[[nodiscard]] inline int get_size(const handle&, const file_status& status,
                                  std::uint64_t& size_bytes) noexcept {
  size_bytes = status.size_bytes;
  return 0;
}

}  // namespace vmdk::detail::os
#endif
