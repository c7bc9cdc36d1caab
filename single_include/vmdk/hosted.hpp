// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// Made by tools/amalgamate of the headers in include/. Change those instead.
//
// BSD 2-Clause License
//
// Copyright (c) 2026, The vmdk authors
//
// Redistribution and use in source and binary forms, with or without
// modification, are permitted provided that the following conditions are met:
//
// 1. Redistributions of source code must retain the above copyright notice, this
//    list of conditions and the following disclaimer.
//
// 2. Redistributions in binary form must reproduce the above copyright notice,
//    this list of conditions and the following disclaimer in the documentation
//    and/or other materials provided with the distribution.
//
// THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS"
// AND ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE
// IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
// DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE
// FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL
// DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR
// SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER
// CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY,
// OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE
// OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.

#include "vmdk.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <concepts>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

// ---- vmdk/hosted/aligned_buffer.hpp

namespace vmdk {

/// Memory from the heap that begins on a page, for what is read from files. Movable only.
///
/// The alignment is for speed: systems copy out of their cache at half the rate to an address that
/// is not a multiple of 32, and what malloc gives for large blocks is 16 past one.
class aligned_buffer {
 public:
  static constexpr std::size_t alignment = 4096;

  /// Holds nothing until another one is moved here.
  aligned_buffer() noexcept = default;
  aligned_buffer(aligned_buffer&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  aligned_buffer& operator=(aligned_buffer&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~aligned_buffer() { ::operator delete(bytes_.data(), std::align_val_t{alignment}); }

  /// Takes memory, whose content is unspecified. Errors: errc::workspace_too_small, of
  /// origin::options, with ENOMEM in `detail`.
  [[nodiscard]] static result<aligned_buffer> allocate(std::size_t size_bytes) noexcept {
    aligned_buffer buffer;
    void* const memory = ::operator new(size_bytes, std::align_val_t{alignment}, std::nothrow);
    if (memory == nullptr) return options_failure(errc::workspace_too_small, 0, ENOMEM);
    buffer.bytes_ = byte_span(static_cast<std::byte*>(memory), size_bytes);
    return buffer;
  }

  [[nodiscard]] byte_span bytes() const noexcept { return bytes_; }

 private:
  byte_span bytes_{};
};

}  // namespace vmdk

// ---- vmdk/hosted/os_types.hpp

namespace vmdk {

/// What a name or an open file is.
enum class file_kind : std::uint8_t {
  none,  ///< There is nothing of that name.
  regular,
  directory,
  symbolic_link,
  block_device,
  character_device,
  fifo,
  other,  ///< A socket, or what this system cannot say.
};

}  // namespace vmdk

/// What the calls of every operating system speak of. The calls themselves are in posix/ and
/// windows/, under the same names; each returns 0 or an errno.
namespace vmdk::detail::os {

/// What a file is opened for.
enum class access : std::uint8_t {
  read,
  write,
  read_write,
  write_alone,  ///< A device that nobody has mounted or otherwise holds.
  create,       ///< To write what must not be there yet.
};

enum class standard_stream : std::uint8_t { input, output, error };

/// What the system knows of a file.
struct file_status {
  file_kind kind = file_kind::none;
  std::uint64_t size_bytes = 0;  ///< Of a regular file.
  std::uint64_t device = 0;      ///< With `inode`, what makes two names one file.
  std::uint64_t inode = 0;
  unsigned mode = 0;  ///< Permission bits.
  unsigned user = 0;
  unsigned group = 0;
};

[[nodiscard]] inline bool is_same_file(const file_status& a, const file_status& b) noexcept {
  return a.device == b.device && a.inode == b.inode;
}

/// A file that is open, closed at the end when it is owned. `System` has the type of the system's
/// own handle, the value that is none, and the call that closes one. Movable only.
template <class System>
class basic_handle {
 public:
  using native = typename System::native;

  basic_handle() noexcept = default;
  explicit basic_handle(native file, bool is_owned = true) noexcept
      : file_(file), is_owned_(is_owned) {}
  basic_handle(basic_handle&& other) noexcept
      : file_(std::exchange(other.file_, System::none)), is_owned_(other.is_owned_) {}
  basic_handle& operator=(basic_handle&& other) noexcept {
    std::swap(file_, other.file_);
    std::swap(is_owned_, other.is_owned_);
    return *this;
  }
  ~basic_handle() { (void)close(); }

  [[nodiscard]] native get() const noexcept { return file_; }
  [[nodiscard]] explicit operator bool() const noexcept { return file_ != System::none; }

  /// Closes; the system may tell only here that earlier writes failed.
  int close() noexcept {
    const native file = std::exchange(file_, System::none);
    return file == System::none || !is_owned_ ? 0 : System::close(file);
  }

 private:
  native file_ = System::none;
  bool is_owned_ = true;
};

/// Zeros, for what cannot leave a hole.
inline constexpr std::array<std::byte, 65536> zeros{};

// Windows has no errno for these two.
#if defined(ENOTBLK)
inline constexpr int error_no_block_device = ENOTBLK;
#else
inline constexpr int error_no_block_device = ENODEV;
#endif
#if defined(EDQUOT)
inline constexpr int error_quota = EDQUOT;
#else
inline constexpr int error_quota = ENOSPC;
#endif

/// The errno that tells a person why a file of this kind, which is there, will not do.
[[nodiscard]] inline int errno_of_kind(file_kind kind) noexcept {
  switch (kind) {
    case file_kind::directory:
      return EISDIR;
    case file_kind::symbolic_link:
      return ELOOP;
    case file_kind::regular:
    case file_kind::block_device:
      return error_no_block_device;
    default:
      return ESPIPE;
  }
}

/// True for the errors that say that a file is of the wrong kind.
[[nodiscard]] inline bool is_wrong_kind(int error) noexcept {
  return error == EISDIR || error == ESPIPE || error == error_no_block_device || error == ELOOP;
}

/// Names the failure of a source that could not be opened or read.
[[nodiscard]] inline failure read_error(int error, std::uint64_t offset = 0) noexcept {
  errc code = errc::read_failed;
  if (error == ENOENT || error == ENOTDIR) code = errc::file_not_found;
  if (is_wrong_kind(error)) code = errc::file_not_regular;
  return source_failure(code, offset, static_cast<std::uint32_t>(error));
}

/// Names the failure of a sink that could not be opened or written.
[[nodiscard]] inline failure write_error(int error, std::uint64_t offset = 0) noexcept {
  errc code = errc::write_failed;
  if (error == ENOSPC || error == error_quota || error == EFBIG) code = errc::sink_full;
  if (error == ENOENT || error == ENOTDIR) code = errc::file_not_found;
  if (error == EEXIST) code = errc::already_exists;
  if (is_wrong_kind(error)) code = errc::file_not_regular;
  return sink_failure(code, offset, static_cast<std::uint32_t>(error));
}

}  // namespace vmdk::detail::os

// ---- vmdk/hosted/posix/os.hpp

#if !defined(_WIN32)
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>

/// The calls of POSIX, and nothing above them: here what opens files and tells what they are. Each
/// returns 0 or an errno, and repeats what a signal interrupted.
namespace vmdk::detail::os {

static_assert(sizeof(off_t) == 8, "files need 64-bit offsets: build with _FILE_OFFSET_BITS=64");

struct descriptor {
  using native = int;
  static constexpr native none = -1;
  static int close(native file) noexcept {
    // A close that a signal interrupted has closed all the same.
    return ::close(file) == 0 || errno == EINTR ? 0 : errno;
  }
};
using handle = basic_handle<descriptor>;

[[nodiscard]] inline handle standard(standard_stream which) noexcept {
  constexpr int descriptors[] = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
  return handle(descriptors[static_cast<std::size_t>(which)], false);
}

[[nodiscard]] inline bool is_terminal(const handle& file) noexcept {
  return ::isatty(file.get()) != 0;
}

/// A number that no other process has now.
[[nodiscard]] inline std::uint64_t process_number() noexcept {
  return static_cast<std::uint64_t>(::getpid());
}

[[nodiscard]] inline file_kind kind_of_mode(mode_t mode) noexcept {
  if (S_ISREG(mode)) return file_kind::regular;
  if (S_ISDIR(mode)) return file_kind::directory;
  if (S_ISLNK(mode)) return file_kind::symbolic_link;
  if (S_ISBLK(mode)) return file_kind::block_device;
  if (S_ISCHR(mode)) return file_kind::character_device;
  if (S_ISFIFO(mode)) return file_kind::fifo;
  return file_kind::other;
}

[[nodiscard]] inline file_status status_of(const struct stat& raw) noexcept {
  file_status status;
  status.kind = kind_of_mode(raw.st_mode);
  status.size_bytes = static_cast<std::uint64_t>(raw.st_size);
  status.device = static_cast<std::uint64_t>(raw.st_dev);
  status.inode = static_cast<std::uint64_t>(raw.st_ino);
  if (status.kind == file_kind::block_device) {
    // A device is the same under each of its nodes. No file has the inode 0.
    status.device = static_cast<std::uint64_t>(raw.st_rdev);
    status.inode = 0;
  }
  status.mode = static_cast<unsigned>(raw.st_mode & 0777);
  status.user = static_cast<unsigned>(raw.st_uid);
  status.group = static_cast<unsigned>(raw.st_gid);
  return status;
}

[[nodiscard]] inline int get_status(const handle& file, file_status& status) noexcept {
  struct stat raw{};
  if (::fstat(file.get(), &raw) != 0) return errno;
  status = status_of(raw);
  return 0;
}

/// Tells what a path leads to, symbolic links followed.
[[nodiscard]] inline int get_status(const std::string& path, file_status& status) noexcept {
  struct stat raw{};
  if (::stat(path.c_str(), &raw) != 0) return errno;
  status = status_of(raw);
  return 0;
}

/// Tells what a path is, which may be a symbolic link.
[[nodiscard]] inline int get_link_status(const std::string& path, file_status& status) noexcept {
  struct stat raw{};
  if (::lstat(path.c_str(), &raw) != 0) return errno;
  status = status_of(raw);
  return 0;
}

[[nodiscard]] inline int flags_of(access how) noexcept {
  // O_EXCL without O_CREAT refuses a device that is in use.
  constexpr int flags[] = {O_RDONLY, O_WRONLY, O_RDWR, O_WRONLY | O_EXCL,
                           O_WRONLY | O_CREAT | O_EXCL};
  return flags[static_cast<std::size_t>(how)];
}

/// As open(2), which gives a new file these permissions; `flags` go with those of the access.
[[nodiscard]] inline int open_with(const std::string& path, access how, int flags, handle& file,
                                   unsigned mode = 0666) noexcept {
  int opened = -1;
  do {
    opened = ::open(path.c_str(), flags_of(how) | flags | O_CLOEXEC | O_NOCTTY,
                    static_cast<mode_t>(mode));
  } while (opened < 0 && errno == EINTR);
  if (opened < 0) return errno;
  file = handle(opened);
  return 0;
}

/// Opens a path, whatever it leads to; a FIFO waits for its other end.
[[nodiscard]] inline int open_path(const std::string& path, access how, handle& file) noexcept {
  return open_with(path, how, 0, file);
}

/// Opens what can be read or written at any offset: a regular file or a block device. Nothing else
/// is opened at all: EISDIR, ESPIPE.
[[nodiscard]] inline int open_seekable(const std::string& path, access how, handle& file) noexcept {
  file_status status;
  if (const int error = get_status(path, status)) return error;
  if (status.kind != file_kind::regular && status.kind != file_kind::block_device) {
    return errno_of_kind(status.kind);
  }
  // Should a FIFO have taken the name meanwhile, the open must not wait. On a device the flag would
  // mean to open a drive without its medium.
  return open_with(path, how, status.kind == file_kind::regular ? O_NONBLOCK : 0, file);
}

/// Finds the size of a regular file or a block device.
[[nodiscard]] inline int get_size(const handle& file, const file_status& status,
                                  std::uint64_t& size_bytes) noexcept {
  size_bytes = status.size_bytes;
  if (status.kind != file_kind::block_device) return 0;
  const off_t end = ::lseek(file.get(), 0, SEEK_END);
  if (end < 0) return errno;
  size_bytes = static_cast<std::uint64_t>(end);
  return 0;
}

}  // namespace vmdk::detail::os
#endif

// ---- vmdk/hosted/windows/os.hpp

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

// ---- vmdk/hosted/os.hpp

namespace vmdk {

/// What the operating system calls an open file: a descriptor, on Windows a HANDLE.
using native_file = detail::os::handle::native;

}  // namespace vmdk

// ---- vmdk/hosted/posix/os_io.hpp

#if !defined(_WIN32)
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__linux__)
#include <linux/fs.h>
#include <sys/ioctl.h>
#endif

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <limits>

/// The calls that read and write open files. Each returns 0 or an errno, repeats what a signal
/// interrupted and finishes what the system did in part.
namespace vmdk::detail::os {

/// Says that a file will be read front to back.
inline void expect_sequential_reads(const handle& file) noexcept {
#if defined(POSIX_FADV_SEQUENTIAL)
  (void)::posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
#else
  (void)file;
#endif
}

/// Waits until a descriptor that does not block is ready.
[[nodiscard]] inline int wait_for(const handle& file, short events) noexcept {
  struct pollfd waiting{file.get(), events, 0};
  while (::poll(&waiting, 1, -1) < 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

/// Some systems refuse more than this in one call.
inline constexpr std::size_t largest_call_bytes = std::size_t{1} << 30;

/// Reads at an offset; `done` falls short of the span where the file ends or the call fails.
[[nodiscard]] inline int read_at(const handle& file, std::uint64_t offset, byte_span out,
                                 std::size_t& done) noexcept {
  done = 0;
  while (done < out.size()) {
    const std::size_t wanted = smaller_of(out.size() - done, largest_call_bytes);
    const ssize_t got =
        ::pread(file.get(), out.data() + done, wanted, static_cast<off_t>(offset + done));
    if (got == 0) return 0;
    if (got > 0) {
      done += static_cast<std::size_t>(got);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

/// Writes at an offset; after an error `done` bytes are written.
[[nodiscard]] inline int write_at(const handle& file, std::uint64_t offset, byte_view bytes,
                                  std::size_t& done) noexcept {
  done = 0;
  while (done < bytes.size()) {
    const std::size_t wanted = smaller_of(bytes.size() - done, largest_call_bytes);
    const ssize_t put =
        ::pwrite(file.get(), bytes.data() + done, wanted, static_cast<off_t>(offset + done));
    if (put == 0) return EIO;
    if (put > 0) {
      done += static_cast<std::size_t>(put);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

/// Reads what there is of a stream, at least one byte; 0 at the end.
[[nodiscard]] inline int read_some(const handle& file, byte_span out, std::size_t& done) noexcept {
  done = 0;
  for (;;) {
    const ssize_t got = ::read(file.get(), out.data(), smaller_of(out.size(), largest_call_bytes));
    if (got >= 0) {
      done = static_cast<std::size_t>(got);
      return 0;
    }
    if (errno == EAGAIN) {
      if (const int error = wait_for(file, POLLIN)) return error;
    } else if (errno != EINTR) {
      return errno;
    }
  }
}

/// Writes all bytes to a stream; after an error `done` bytes are written.
[[nodiscard]] inline int write_stream(const handle& file, byte_view bytes,
                                      std::size_t& done) noexcept {
  done = 0;
  while (done < bytes.size()) {
    const std::size_t wanted = smaller_of(bytes.size() - done, largest_call_bytes);
    const ssize_t put = ::write(file.get(), bytes.data() + done, wanted);
    if (put > 0) {
      done += static_cast<std::size_t>(put);
    } else if (put == 0) {
      return EIO;
    } else if (errno == EAGAIN) {
      if (const int error = wait_for(file, POLLOUT)) return error;
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

/// Finds the first data at or after an offset below `size_bytes`, as far as the file system knows;
/// none, at `size_bytes`, when there is none. ENXIO: the file has become shorter, and ends at
/// `found.offset`.
[[nodiscard]] inline int find_data(const handle& file, std::uint64_t offset,
                                   std::uint64_t size_bytes, range& found) noexcept {
  found = {offset, size_bytes - offset};
#if defined(SEEK_DATA)
  const off_t data = ::lseek(file.get(), static_cast<off_t>(offset), SEEK_DATA);
  if (data < 0) {
    // Anything but "no data from here on" means that holes are not known here.
    if (errno != ENXIO) return 0;
    file_status status;
    if (const int error = get_status(file, status)) return error;
    if (status.kind == file_kind::regular && status.size_bytes < size_bytes) {
      found = {status.size_bytes, 0};
      return ENXIO;
    }
    found = {size_bytes, 0};
    return 0;
  }
  const auto start = static_cast<std::uint64_t>(data);
  if (start >= size_bytes) {
    found = {size_bytes, 0};
    return 0;
  }
  const off_t hole = ::lseek(file.get(), data, SEEK_HOLE);
  const std::uint64_t end =
      hole > data ? smaller_of(static_cast<std::uint64_t>(hole), size_bytes) : size_bytes;
  found = {start, end - start};
#endif
  return 0;
}

/// Cuts a regular file, or lets it grow by a hole.
[[nodiscard]] inline int set_size(const handle& file, std::uint64_t size_bytes) noexcept {
  if (size_bytes > static_cast<std::uint64_t>((std::numeric_limits<off_t>::max)())) return EFBIG;
  while (::ftruncate(file.get(), static_cast<off_t>(size_bytes)) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

/// Waits until the medium has the bytes, and what is needed to find them again.
[[nodiscard]] inline int sync_data(const handle& file) noexcept {
#if defined(__APPLE__)
  while (::fsync(file.get()) != 0) {
#else
  while (::fdatasync(file.get()) != 0) {
#endif
    if (errno != EINTR) return errno;
  }
  return 0;
}

/// Waits until the medium has everything about a file or a folder. What cannot be synchronised, as
/// some file systems' folders, counts as done.
[[nodiscard]] inline int sync_all(const handle& file) noexcept {
  while (::fsync(file.get()) != 0) {
    if (errno == EINVAL || errno == ENOTSUP) return 0;
    if (errno != EINTR) return errno;
  }
  return 0;
}

/// Makes a run of a block device zeros; after an error `done` bytes are.
[[nodiscard]] inline int zero_device(const handle& file, std::uint64_t offset, std::uint64_t n,
                                     std::uint64_t& done) noexcept {
  done = 0;
#if defined(BLKZEROOUT)
  // The device itself is asked for whole pages only, so that no page of the cache is cut in two.
  constexpr std::uint64_t page_bytes = 4096;
  const std::uint64_t inner = align_up(offset, page_bytes);
  const std::uint64_t inner_end = (offset + n) & ~(page_bytes - 1);
  bool ask_device = inner_end > inner && inner_end - inner >= zeros.size();
#endif
  while (done < n) {
    std::uint64_t wanted = smaller_of<std::uint64_t>(n - done, zeros.size());
#if defined(BLKZEROOUT)
    if (ask_device && offset + done == inner) {
      std::uint64_t run[2] = {inner, inner_end - inner};
      ask_device = false;
      if (::ioctl(file.get(), BLKZEROOUT, run) == 0) {
        done += inner_end - inner;
        continue;
      }
    } else if (ask_device) {
      wanted = smaller_of(wanted, inner - (offset + done));
    }
#endif
    std::size_t put = 0;
    const int error = write_at(file, offset + done,
                               byte_view(zeros.data(), static_cast<std::size_t>(wanted)), put);
    done += put;
    if (error != 0) return error;
  }
  return 0;
}

/// Maps the first n bytes of a file, which are not 0, for reading.
[[nodiscard]] inline int map(const handle& file, std::size_t n, byte_view& bytes) noexcept {
  void* const address = ::mmap(nullptr, n, PROT_READ, MAP_SHARED, file.get(), 0);
  if (address == MAP_FAILED) return errno;
  bytes = byte_view(static_cast<const std::byte*>(address), n);
  return 0;
}

/// Gives up what `map` gave.
inline void unmap(byte_view bytes) noexcept {
  // It was asked for without PROT_WRITE; munmap takes its address alone.
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
  (void)::munmap(const_cast<std::byte*>(bytes.data()), bytes.size());
}

}  // namespace vmdk::detail::os
#endif

// ---- vmdk/hosted/windows/os_io.hpp

#if defined(_WIN32)
#include <cerrno>
#include <cstddef>
#include <cstdint>

/// The calls that read and write open files. Each returns 0 or an errno, and finishes what the
/// system did in part.
namespace vmdk::detail::os {

/// Windows finds out by itself.
inline void expect_sequential_reads(const handle&) noexcept {}

/// Network drives refuse more than this in one call.
inline constexpr std::size_t largest_call_bytes = std::size_t{32} << 20;

[[nodiscard]] inline DWORD call_bytes(std::size_t wanted) noexcept {
  return static_cast<DWORD>(smaller_of(wanted, largest_call_bytes));
}

/// The place of a read or write, for a file that is not asynchronous either.
[[nodiscard]] inline OVERLAPPED place_of(std::uint64_t offset) noexcept {
  OVERLAPPED place{};
  place.Offset = static_cast<DWORD>(offset);
  place.OffsetHigh = static_cast<DWORD>(offset >> 32);
  return place;
}

/// Reads at an offset; `done` falls short of the span where the file ends or the call fails.
[[nodiscard]] inline int read_at(const handle& file, std::uint64_t offset, byte_span out,
                                 std::size_t& done) noexcept {
  done = 0;
  while (done < out.size()) {
    OVERLAPPED place = place_of(offset + done);
    DWORD got = 0;
    if (::ReadFile(file.get(), out.data() + done, call_bytes(out.size() - done), &got, &place) ==
        0) {
      return ::GetLastError() == ERROR_HANDLE_EOF ? 0 : last_errno();
    }
    if (got == 0) return 0;
    done += got;
  }
  return 0;
}

/// Writes at an offset; after an error `done` bytes are written.
[[nodiscard]] inline int write_at(const handle& file, std::uint64_t offset, byte_view bytes,
                                  std::size_t& done) noexcept {
  done = 0;
  while (done < bytes.size()) {
    OVERLAPPED place = place_of(offset + done);
    DWORD put = 0;
    if (::WriteFile(file.get(), bytes.data() + done, call_bytes(bytes.size() - done), &put,
                    &place) == 0) {
      return last_errno();
    }
    if (put == 0) return EIO;
    done += put;
  }
  return 0;
}

/// Reads what there is of a stream, at least one byte; 0 at the end.
[[nodiscard]] inline int read_some(const handle& file, byte_span out, std::size_t& done) noexcept {
  DWORD got = 0;
  done = 0;
  if (::ReadFile(file.get(), out.data(), call_bytes(out.size()), &got, nullptr) == 0) {
    // A pipe whose writer has gone is at its end.
    const int error = last_errno();
    return error == EPIPE ? 0 : error;
  }
  done = got;
  return 0;
}

/// Writes all bytes to a stream; after an error `done` bytes are written.
[[nodiscard]] inline int write_stream(const handle& file, byte_view bytes,
                                      std::size_t& done) noexcept {
  done = 0;
  while (done < bytes.size()) {
    DWORD put = 0;
    if (::WriteFile(file.get(), bytes.data() + done, call_bytes(bytes.size() - done), &put,
                    nullptr) == 0) {
      return last_errno();
    }
    if (put == 0) return EIO;
    done += put;
  }
  return 0;
}

/// Finds the first data at or after an offset below `size_bytes`, as far as the file system knows;
/// none, at `size_bytes`, when there is none. ENXIO: the file has become shorter, and ends at
/// `found.offset`.
[[nodiscard]] inline int find_data(const handle& file, std::uint64_t offset,
                                   std::uint64_t size_bytes, range& found) noexcept {
  found = {offset, size_bytes - offset};
  FILE_ALLOCATED_RANGE_BUFFER asked{};
  asked.FileOffset.QuadPart = static_cast<LONGLONG>(offset);
  asked.Length.QuadPart = static_cast<LONGLONG>(size_bytes - offset);
  FILE_ALLOCATED_RANGE_BUFFER first{};
  DWORD got = 0;
  if (::DeviceIoControl(file.get(), FSCTL_QUERY_ALLOCATED_RANGES, &asked, sizeof asked, &first,
                        sizeof first, &got, nullptr) == 0 &&
      ::GetLastError() != ERROR_MORE_DATA) {
    return 0;  // Holes are not known here.
  }
  if (got < sizeof first) {
    file_status status;
    if (const int error = get_status(file, status)) return error;
    const bool is_cut = status.size_bytes < size_bytes;
    found = {is_cut ? status.size_bytes : size_bytes, 0};
    return is_cut ? ENXIO : 0;
  }
  const auto start = static_cast<std::uint64_t>(first.FileOffset.QuadPart);
  const std::uint64_t end = start + static_cast<std::uint64_t>(first.Length.QuadPart);
  found.offset = larger_of(start, offset);
  found.bytes = smaller_of(end, size_bytes) - found.offset;
  return 0;
}

/// Cuts a regular file, or lets it grow by a hole.
[[nodiscard]] inline int set_size(const handle& file, std::uint64_t size_bytes) noexcept {
  if (size_bytes >> 63 != 0) return EFBIG;
  FILE_END_OF_FILE_INFO end{};
  end.EndOfFile.QuadPart = static_cast<LONGLONG>(size_bytes);
  const BOOL ok = ::SetFileInformationByHandle(file.get(), FileEndOfFileInfo, &end, sizeof end);
  return ok != 0 ? 0 : last_errno();
}

/// Waits until the medium has everything about a file. A folder, which Windows keeps in its own
/// journal, counts as done.
[[nodiscard]] inline int sync_all(const handle& file) noexcept {
  if (::FlushFileBuffers(file.get()) != 0) return 0;
  const int error = last_errno();
  file_status status;
  const bool is_folder = get_status(file, status) == 0 && status.kind == file_kind::directory;
  return is_folder ? 0 : error;
}

/// Waits until the medium has the bytes, and what is needed to find them again.
[[nodiscard]] inline int sync_data(const handle& file) noexcept { return sync_all(file); }

/// There are no block devices to make zeros in.
[[nodiscard]] inline int zero_device(const handle&, std::uint64_t, std::uint64_t,
                                     std::uint64_t& done) noexcept {
  done = 0;
  return ENOTSUP;
}

/// Maps the first n bytes of a file, which are not 0, for reading.
[[nodiscard]] inline int map(const handle& file, std::size_t n, byte_view& bytes) noexcept {
  const handle mapping(::CreateFileMappingW(file.get(), nullptr, PAGE_READONLY, 0, 0, nullptr));
  if (!mapping) return last_errno();
  const void* const address = ::MapViewOfFile(mapping.get(), FILE_MAP_READ, 0, 0, n);
  if (address == nullptr) return last_errno();
  bytes = byte_view(static_cast<const std::byte*>(address), n);
  return 0;
}

/// Gives up what `map` gave.
inline void unmap(byte_view bytes) noexcept { (void)::UnmapViewOfFile(bytes.data()); }

}  // namespace vmdk::detail::os
#endif

// ---- vmdk/hosted/os_io.hpp

// The calls that read and write open files.

// ---- vmdk/hosted/file_sink.hpp

namespace vmdk {

/// Writes a regular file, straight from the caller's bytes. SeekableSink, HoleSink and Flushable:
/// `write` and `skip` add at the end, what is skipped stays a hole. Movable only. After a failure
/// every further call returns it.
///
/// Failures are of origin::sink, with errno in `detail`: errc::sink_full for ENOSPC, EDQUOT and
/// EFBIG, errc::write_failed for the rest.
///
/// A hole at the very end is put into the file by `flush`, `sync` or `close`, or at last by the
/// destructor, which cannot tell whether that failed.
class file_sink {
 public:
  /// Writes nothing until another one is moved here.
  file_sink() noexcept = default;
  file_sink(file_sink&&) noexcept = default;
  file_sink& operator=(file_sink&& other) noexcept {
    std::swap(file_, other.file_);
    std::swap(size_bytes_, other.size_bytes_);
    std::swap(stored_bytes_, other.stored_bytes_);
    std::swap(failed_, other.failed_);
    return *this;
  }
  ~file_sink() {
    if (file_ && !failed_) (void)settle();
  }

  /// Creates a file, with the permissions that the umask leaves. Errors: errc::already_exists,
  /// errc::file_not_found (its folder), errc::write_failed, errc::sink_full.
  [[nodiscard]] static result<file_sink> create(const std::string& path) noexcept {
    detail::os::handle file;
    if (const int error = detail::os::open_path(path, detail::os::access::create, file)) {
      return detail::os::write_error(error);
    }
    return over(std::move(file));
  }

  /// Opens an existing regular file and throws its content away. Errors: errc::file_not_found,
  /// errc::file_not_regular, errc::write_failed.
  [[nodiscard]] static result<file_sink> overwrite(const std::string& path) noexcept {
    detail::os::handle file;
    if (const int error = detail::os::open_seekable(path, detail::os::access::write, file)) {
      return detail::os::write_error(error);
    }
    result<file_sink> sink = over(std::move(file));
    if (sink) {
      if (failure why = sink->resize(0)) return why;
    }
    return sink;
  }

  /// Writes at the end of an open regular file. Errors: errc::file_not_regular,
  /// errc::write_failed.
  [[nodiscard]] static result<file_sink> over(detail::os::handle file) noexcept {
    detail::os::file_status status;
    if (const int error = detail::os::get_status(file, status)) {
      return detail::os::write_error(error);
    }
    if (status.kind != file_kind::regular) {
      return detail::os::write_error(detail::os::errno_of_kind(status.kind));
    }
    file_sink sink;
    sink.file_ = std::move(file);
    sink.size_bytes_ = sink.stored_bytes_ = status.size_bytes;
    return sink;
  }

  [[nodiscard]] std::uint64_t size() const noexcept { return size_bytes_; }

  /// Adds bytes at the end. Errors: errc::sink_full, errc::write_failed.
  failure write(byte_view bytes) noexcept { return write_at(size_bytes_, bytes); }

  /// Leaves a hole of n bytes at the end. Errors: errc::sink_full past 2^63 - 1 bytes.
  failure skip(std::uint64_t n) noexcept {
    if (failed_) return failed_;
    std::uint64_t wanted = 0;
    if (!checked_add(size_bytes_, n, wanted)) return fail(EFBIG, size_bytes_);
    return resize(wanted);
  }

  /// Writes at an offset up to size(), past which the file grows. Errors: errc::out_of_range,
  /// errc::sink_full, errc::write_failed.
  failure write_at(std::uint64_t offset, byte_view bytes) noexcept {
    if (failed_) return failed_;
    if (offset > size_bytes_) return failed_ = sink_failure(errc::out_of_range, offset);
    if (!fits_inside(offset, bytes.size(), largest_bytes)) return fail(EFBIG, offset);
    std::size_t done = 0;
    const int error = detail::os::write_at(file_, offset, bytes, done);
    stored_bytes_ = larger_of(stored_bytes_, offset + done);
    size_bytes_ = larger_of(size_bytes_, stored_bytes_);
    if (error != 0) return fail(error, offset + done);
    return no_failure;
  }

  /// Cuts, or adds a hole. Errors: errc::sink_full, errc::write_failed.
  failure resize(std::uint64_t size_bytes) noexcept {
    if (failed_) return failed_;
    if (size_bytes > largest_bytes) return fail(EFBIG, size_bytes_);
    if (size_bytes < stored_bytes_) {
      if (const int error = detail::os::set_size(file_, size_bytes)) return fail(error, size_bytes);
      stored_bytes_ = size_bytes;
    }
    size_bytes_ = size_bytes;
    return no_failure;
  }

  /// Puts a barrier: what was written is on the medium. Errors: errc::sink_full,
  /// errc::write_failed.
  failure flush() noexcept {
    if (failure why = settle()) return why;
    if (const int error = detail::os::sync_data(file_)) return fail(error, size_bytes_);
    return no_failure;
  }

  /// As `flush`, for everything about the file.
  failure sync() noexcept {
    if (failure why = settle()) return why;
    if (const int error = detail::os::sync_all(file_)) return fail(error, size_bytes_);
    return no_failure;
  }

  /// Closes the file, whose size is then size(); nothing can be written afterwards. Errors:
  /// errc::sink_full, errc::write_failed.
  failure close() noexcept {
    if (failure why = settle()) return why;
    if (const int error = file_.close()) return fail(error, size_bytes_);
    return no_failure;
  }

 private:
  static constexpr std::uint64_t largest_bytes = (std::uint64_t{1} << 63) - 1;

  /// Makes the file as long as what was skipped at its end says.
  failure settle() noexcept {
    if (failed_) return failed_;
    if (size_bytes_ > stored_bytes_) {
      if (const int error = detail::os::set_size(file_, size_bytes_)) {
        return fail(error, stored_bytes_);
      }
      stored_bytes_ = size_bytes_;
    }
    return no_failure;
  }

  failure fail(int error, std::uint64_t offset) noexcept {
    failed_ = detail::os::write_error(error, offset);
    return failed_;
  }

  detail::os::handle file_;
  std::uint64_t size_bytes_ = 0;
  std::uint64_t stored_bytes_ = 0;  ///< How long the file itself is.
  failure failed_{};
};

static_assert(SeekableSink<file_sink> && HoleSink<file_sink> && Flushable<file_sink>);

}  // namespace vmdk

// ---- vmdk/hosted/posix/os_names.hpp

#if !defined(_WIN32)
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

/// The calls that deal with names. Each returns 0 or an errno.
namespace vmdk::detail::os {

/// What parts the names of a path.
inline constexpr std::string_view separators = "/";

[[nodiscard]] inline std::string folder_of(std::string_view path) noexcept {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(path.substr(0, slash == 0 ? 1 : slash));
}

/// Opens a folder, to look names up in it.
[[nodiscard]] inline int open_folder(const std::string& path, handle& folder) noexcept {
  return open_with(path, access::read, O_DIRECTORY, folder);
}

/// Tells what a name in a folder is; a symbolic link is not followed.
[[nodiscard]] inline int get_status(const handle& folder, const std::string& name,
                                    file_status& status) noexcept {
  struct stat raw{};
  if (::fstatat(folder.get(), name.c_str(), &raw, AT_SYMLINK_NOFOLLOW) != 0) return errno;
  status = status_of(raw);
  return 0;
}

/// Opens a name in a folder, and does not wait for a FIFO; a symbolic link is an error. A new file
/// gets these permissions.
[[nodiscard]] inline int open_in(const handle& folder, const std::string& name, access how,
                                 handle& file, unsigned mode = 0) noexcept {
  constexpr int flags = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
  int opened = -1;
  do {
    opened = ::openat(folder.get(), name.c_str(), flags_of(how) | flags, static_cast<mode_t>(mode));
  } while (opened < 0 && errno == EINTR);
  if (opened < 0) return errno;
  file = handle(opened);
  return 0;
}

/// Gives a new file, which nobody else may read yet, the permissions and where possible the owner
/// of an old one. Where the group cannot be kept, it gets no more than everybody.
inline void take_permissions(const handle& file, const file_status& old) noexcept {
  (void)!::fchown(file.get(), old.user, static_cast<gid_t>(-1));
  unsigned mode = old.mode;
  if (::fchown(file.get(), static_cast<uid_t>(-1), old.group) != 0) {
    mode &= 0707U | (mode & 07U) << 3;
  }
  (void)!::fchmod(file.get(), static_cast<mode_t>(mode));
}

[[nodiscard]] inline int remove_name(const handle& folder, const std::string& name) noexcept {
  return ::unlinkat(folder.get(), name.c_str(), 0) == 0 ? 0 : errno;
}

/// Renames within a folder; what has the new name already is replaced.
[[nodiscard]] inline int rename_over(const handle& folder, const std::string& from,
                                     const std::string& to) noexcept {
  return ::renameat(folder.get(), from.c_str(), folder.get(), to.c_str()) == 0 ? 0 : errno;
}

/// Renames within a folder; EEXIST when something has the new name already.
[[nodiscard]] inline int rename_new(const handle& folder, const std::string& from,
                                    const std::string& to) noexcept {
#if defined(__linux__) && defined(RENAME_NOREPLACE)
  if (::renameat2(folder.get(), from.c_str(), folder.get(), to.c_str(), RENAME_NOREPLACE) == 0) {
    return 0;
  }
  if (errno != EINVAL && errno != ENOSYS) return errno;
#endif
  // A second name for the file is made only where there is none, then the first one goes.
  if (::linkat(folder.get(), from.c_str(), folder.get(), to.c_str(), 0) == 0) {
    return remove_name(folder, from);
  }
  if (errno != EPERM && errno != ENOTSUP && errno != ENOSYS && errno != EMLINK) return errno;
  // Neither is known to this file system: the best left is to look first.
  file_status status;
  const int error = get_status(folder, to, status);
  if (error == 0) return EEXIST;
  return error == ENOENT ? rename_over(folder, from, to) : error;
}

/// Follows the symbolic links that a path's last name may be, to a path whose last name is none. It
/// may be the name of nothing yet.
[[nodiscard]] inline int follow_links(std::string path, std::string& found) noexcept {
  for (int links = 0; links < 40; ++links) {
    std::array<char, 4096> target{};
    const ssize_t n = ::readlink(path.c_str(), target.data(), target.size());
    if (n < 0) {
      if (errno != EINVAL && errno != ENOENT) return errno;
      found = std::move(path);
      return 0;
    }
    if (static_cast<std::size_t>(n) == target.size()) return ENAMETOOLONG;
    const std::string_view to(target.data(), static_cast<std::size_t>(n));
    path = to.front() == '/' ? std::string(to) : folder_of(path) + '/' + std::string(to);
  }
  return ELOOP;
}

}  // namespace vmdk::detail::os
#endif

// ---- vmdk/hosted/windows/os_names.hpp

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

// ---- vmdk/hosted/os_names.hpp

namespace vmdk {

/// Says what a path leads to, symbolic links followed; `none` for nothing, also behind a link.
[[nodiscard]] inline file_kind kind_of(const std::string& path) noexcept {
  detail::os::file_status status;
  return detail::os::get_status(path, status) == 0 ? status.kind : file_kind::none;
}

/// The folder that a path's last name lies in: "." where it has none.
[[nodiscard]] inline std::string folder_of(std::string_view path) noexcept {
  return detail::os::folder_of(path);
}

/// The last name of a path; empty where it ends in a slash.
[[nodiscard]] inline std::string base_name_of(std::string_view path) noexcept {
  const std::size_t before = path.find_last_of(detail::os::separators);
  return std::string(before == std::string_view::npos ? path : path.substr(before + 1));
}

/// True for a name that can only mean a file of the folder it is looked up in: not empty, not "."
/// or "..", at most 255 bytes, and without slash, backslash, colon (drives, streams, "json:") or
/// NUL.
[[nodiscard]] inline bool is_base_name(std::string_view name) noexcept {
  using namespace std::string_view_literals;
  return !name.empty() && name != "." && name != ".." && name.size() <= 255 &&
         name.find_first_of("/\\:\0"sv) == std::string_view::npos;
}

}  // namespace vmdk

// ---- vmdk/hosted/pending_file.hpp

namespace vmdk {

/// What to do with an output's name that is taken.
enum class existing_file : std::uint8_t {
  refuse,   ///< errc::already_exists
  replace,  ///< The new file takes its place, and its permissions.
};

namespace detail {

/// A file under a temporary name, and the name in the same folder that it is to have. The folder is
/// its owner's, who hands the same one to each call.
class pending_file {
 public:
  pending_file() noexcept = default;

  /// Creates the temporary file. Errors: errc::already_exists, errc::file_not_regular (something
  /// else than a file has the name), errc::write_failed, errc::sink_full.
  [[nodiscard]] static result<pending_file> create(const os::handle& folder, std::string name,
                                                   existing_file existing) noexcept {
    os::file_status old;
    const int missing = os::get_status(folder, name, old);
    if (missing != 0 && missing != ENOENT) return os::write_error(missing);
    if (missing == 0 && old.kind != file_kind::regular) {
      return os::write_error(os::errno_of_kind(old.kind));
    }
    if (missing == 0 && existing == existing_file::refuse) return os::write_error(EEXIST);

    pending_file pending;
    os::handle file;
    int error = EEXIST;
    for (int attempt = 0; attempt < 100 && error == EEXIST; ++attempt) {
      pending.temporary_name_ = make_temporary_name(name);
      error = os::open_in(folder, pending.temporary_name_, os::access::create, file,
                          missing == 0 ? 0600 : 0666);
    }
    if (error != 0) return os::write_error(error == EEXIST ? EIO : error);
    if (missing == 0) os::take_permissions(file, old);
    pending.final_name_ = std::move(name);
    pending.existing_ = existing;
    result<file_sink> sink = file_sink::over(std::move(file));
    if (!sink) {
      pending.discard(folder);
      return sink.error();
    }
    pending.sink_ = std::move(sink).value();
    return pending;
  }

  [[nodiscard]] file_sink& sink() noexcept { return sink_; }
  [[nodiscard]] const std::string& temporary_name() const noexcept { return temporary_name_; }
  [[nodiscard]] const std::string& final_name() const noexcept { return final_name_; }

  /// Brings the file to the medium and closes it. Errors: those of the sink, an earlier one too.
  failure finish() noexcept {
    if (failure why = sink_.sync()) return why;
    return sink_.close();
  }

  /// Gives a finished file its final name. Errors: errc::already_exists, errc::file_not_regular,
  /// errc::write_failed.
  failure publish(const os::handle& folder) noexcept {
    int error = 0;
    if (existing_ == existing_file::refuse) {
      error = os::rename_new(folder, temporary_name_, final_name_);
    } else {
      // A node that has taken the name meanwhile stays.
      os::file_status old;
      error = os::get_status(folder, final_name_, old);
      if (error == 0 && old.kind != file_kind::regular) {
        return os::write_error(os::errno_of_kind(old.kind));
      }
      if (error == 0 || error == ENOENT) {
        error = os::rename_over(folder, temporary_name_, final_name_);
      }
    }
    if (error != 0) return os::write_error(error);
    temporary_name_.clear();
    return no_failure;
  }

  /// Removes the file while it has its temporary name.
  void discard(const os::handle& folder) noexcept {
    sink_ = file_sink();
    if (!temporary_name_.empty()) (void)os::remove_name(folder, temporary_name_);
    temporary_name_.clear();
  }

 private:
  /// Makes `.NAME.XXXXXXXX.tmp`, not longer than a name may be. Whether it is taken, the system
  /// knows.
  [[nodiscard]] static std::string make_temporary_name(std::string_view name) noexcept {
    constexpr std::size_t longest_part = 240;
    static std::atomic<std::uint32_t> calls{0};
    const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
    auto mixed =
        (static_cast<std::uint64_t>(now) ^ os::process_number() << 40) * 0x9E3779B97F4A7C15U +
        calls.fetch_add(1) * 0xD1B54A32D192ED03U;
    std::string temporary = ".";
    temporary += name.substr(0, longest_part);
    temporary += '.';
    for (int i = 0; i < 8; ++i) {
      temporary += "0123456789abcdefghijklmnopqrstuv"[mixed >> 59];
      mixed <<= 5;
    }
    return temporary + ".tmp";
  }

  file_sink sink_;
  std::string temporary_name_;
  std::string final_name_;
  existing_file existing_ = existing_file::refuse;
};

}  // namespace detail

}  // namespace vmdk

// ---- vmdk/hosted/atomic_file.hpp

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

// ---- vmdk/hosted/device_sink.hpp

namespace vmdk {

/// Writes a block device in place. SeekableSink, HoleSink and Flushable: what `skip` and `resize`
/// add is made zeros, by the device itself where it can. Movable only. After a failure every
/// further call returns it.
///
/// size() starts at 0 and says how much of the device is in use; what lies behind keeps its old
/// content. Failures are of origin::sink with errno in `detail`.
class device_sink {
 public:
  /// Writes nothing until another one is moved here.
  device_sink() noexcept = default;

  /// Opens a block device that nobody has mounted. Errors: errc::file_not_found,
  /// errc::file_not_regular (detail: ENOTBLK, EISDIR, ESPIPE), errc::write_failed (EBUSY: in
  /// use).
  [[nodiscard]] static result<device_sink> open(const std::string& path) noexcept {
    device_sink sink;
    if (const int error =
            detail::os::open_seekable(path, detail::os::access::write_alone, sink.file_)) {
      return detail::os::write_error(error);
    }
    detail::os::file_status status;
    if (const int error = detail::os::get_status(sink.file_, status)) {
      return detail::os::write_error(error);
    }
    if (status.kind != file_kind::block_device) {
      return detail::os::write_error(detail::os::errno_of_kind(status.kind));
    }
    if (const int error = detail::os::get_size(sink.file_, status, sink.device_bytes_)) {
      return detail::os::write_error(error);
    }
    return sink;
  }

  /// How much is in use.
  [[nodiscard]] std::uint64_t size() const noexcept { return size_bytes_; }

  /// How much the device holds.
  [[nodiscard]] std::uint64_t device_bytes() const noexcept { return device_bytes_; }

  /// Adds bytes at the end of what is in use. Errors: errc::sink_full past the device's end,
  /// errc::write_failed.
  failure write(byte_view bytes) noexcept { return write_at(size_bytes_, bytes); }

  /// Makes the next n bytes zeros. Errors: errc::sink_full, errc::write_failed.
  failure skip(std::uint64_t n) noexcept {
    if (failed_) return failed_;
    if (!fits_inside(size_bytes_, n, device_bytes_)) return fail(ENOSPC, device_bytes_);
    std::uint64_t done = 0;
    const int error = detail::os::zero_device(file_, size_bytes_, n, done);
    size_bytes_ += done;
    if (error != 0) return fail(error, size_bytes_);
    return no_failure;
  }

  /// Writes at an offset up to size(). Errors: errc::out_of_range, errc::sink_full,
  /// errc::write_failed.
  failure write_at(std::uint64_t offset, byte_view bytes) noexcept {
    if (failed_) return failed_;
    if (offset > size_bytes_) return failed_ = sink_failure(errc::out_of_range, offset);
    if (!fits_inside(offset, bytes.size(), device_bytes_)) return fail(ENOSPC, device_bytes_);
    std::size_t done = 0;
    const int error = detail::os::write_at(file_, offset, bytes, done);
    size_bytes_ = larger_of(size_bytes_, offset + done);
    if (error != 0) return fail(error, offset + done);
    return no_failure;
  }

  /// Takes bytes out of use, or makes more of them zeros. Errors: errc::sink_full,
  /// errc::write_failed.
  failure resize(std::uint64_t size_bytes) noexcept {
    if (failed_) return failed_;
    if (size_bytes > size_bytes_) return skip(size_bytes - size_bytes_);
    size_bytes_ = size_bytes;
    return no_failure;
  }

  /// Puts a barrier. Errors: errc::write_failed.
  failure flush() noexcept {
    if (failed_) return failed_;
    if (const int error = detail::os::sync_data(file_)) return fail(error, size_bytes_);
    return no_failure;
  }

 private:
  failure fail(int error, std::uint64_t offset) noexcept {
    failed_ = detail::os::write_error(error, offset);
    return failed_;
  }

  detail::os::handle file_;
  std::uint64_t device_bytes_ = 0;
  std::uint64_t size_bytes_ = 0;
  failure failed_{};
};

static_assert(SeekableSink<device_sink> && HoleSink<device_sink> && Flushable<device_sink>);

}  // namespace vmdk

// ---- vmdk/hosted/file_source.hpp

namespace vmdk {

/// Reads a regular file or a block device, straight into the caller's buffer. SparseSource: holes
/// are asked of the file system. Movable only; may be read by several threads. Reads are fastest
/// into an aligned_buffer.
///
/// The size is taken once, when the file is opened. A file that becomes shorter gives
/// errc::unexpected_end at the offset where it now ends, from `next_data` as well.
class file_source {
 public:
  /// Reads nothing until another one is moved here.
  file_source() noexcept = default;

  /// Opens a file by its path, symbolic links followed. Errors, of origin::source with errno in
  /// `detail`: errc::file_not_found, errc::file_not_regular (EISDIR: a directory; ESPIPE: a FIFO or
  /// a character device, which a pipe_source reads), errc::read_failed.
  [[nodiscard]] static result<file_source> open(const std::string& path) noexcept {
    detail::os::handle file;
    if (const int error = detail::os::open_seekable(path, detail::os::access::read, file)) {
      return detail::os::read_error(error);
    }
    detail::os::expect_sequential_reads(file);
    return over(std::move(file));
  }

  /// Reads a file that the caller opened and closes. Errors: those of `open`.
  [[nodiscard]] static result<file_source> borrow(native_file file) noexcept {
    return over(detail::os::handle(file, false));
  }

  /// Reads standard input, where that is a file. Errors: those of `open`.
  [[nodiscard]] static result<file_source> standard_input() noexcept {
    return over(detail::os::standard(detail::os::standard_stream::input));
  }

  /// Reads an open file. Errors: those of `open`.
  [[nodiscard]] static result<file_source> over(detail::os::handle file) noexcept {
    detail::os::file_status status;
    if (const int error = detail::os::get_status(file, status)) {
      return detail::os::read_error(error);
    }
    if (status.kind != file_kind::regular && status.kind != file_kind::block_device) {
      return detail::os::read_error(detail::os::errno_of_kind(status.kind));
    }
    file_source source;
    if (const int error = detail::os::get_size(file, status, source.size_bytes_)) {
      return detail::os::read_error(error);
    }
    source.file_ = std::move(file);
    return source;
  }

  [[nodiscard]] std::uint64_t size() const noexcept { return size_bytes_; }

  /// Reads. Errors: errc::out_of_range, errc::read_failed (detail: errno), errc::unexpected_end.
  failure read_at(std::uint64_t offset, byte_span out) const noexcept {
    if (!fits_inside(offset, out.size(), size_bytes_)) {
      return source_failure(errc::out_of_range, offset);
    }
    std::size_t done = 0;
    if (const int error = detail::os::read_at(file_, offset, out, done)) {
      return source_failure(errc::read_failed, offset + done, static_cast<std::uint32_t>(error));
    }
    if (done != out.size()) return source_failure(errc::unexpected_end, offset + done);
    return no_failure;
  }

  /// Finds data; all is data where the file system does not know better. Errors:
  /// errc::out_of_range, errc::read_failed (detail: errno), errc::unexpected_end.
  result<range> next_data(std::uint64_t offset) const noexcept {
    if (offset > size_bytes_) return source_failure(errc::out_of_range, offset);
    if (offset == size_bytes_) return range{offset, 0};
    range found;
    const int error = detail::os::find_data(file_, offset, size_bytes_, found);
    if (error == ENXIO) return source_failure(errc::unexpected_end, found.offset);
    if (error != 0) {
      return source_failure(errc::read_failed, offset, static_cast<std::uint32_t>(error));
    }
    return found;
  }

 private:
  detail::os::handle file_;
  std::uint64_t size_bytes_ = 0;
};

static_assert(SparseSource<file_source> && SparseSource<const file_source>);

}  // namespace vmdk

// ---- vmdk/hosted/directory.hpp

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

// ---- vmdk/hosted/file_storage.hpp

namespace vmdk {

/// Reads and writes a regular file, or a block device of unchanging size, in place. Storage and
/// HoleSink: `write` and `skip` add at the end. Movable only. After a failed write every further
/// write returns that failure; reading goes on.
///
/// Failures of reads are of origin::source, the others of origin::sink; errno is in `detail`.
class file_storage {
 public:
  /// Holds nothing until another one is moved here.
  file_storage() noexcept = default;

  /// Opens an existing file, whose content stays. Errors: errc::file_not_found,
  /// errc::file_not_regular, errc::read_failed (also when it may not be written).
  [[nodiscard]] static result<file_storage> open(const std::string& path) noexcept {
    file_storage storage;
    if (const int error =
            detail::os::open_seekable(path, detail::os::access::read_write, storage.file_)) {
      return detail::os::read_error(error);
    }
    detail::os::file_status status;
    if (const int error = detail::os::get_status(storage.file_, status)) {
      return detail::os::read_error(error);
    }
    storage.is_device_ = status.kind == file_kind::block_device;
    if (status.kind != file_kind::regular && !storage.is_device_) {
      return detail::os::read_error(detail::os::errno_of_kind(status.kind));
    }
    if (const int error = detail::os::get_size(storage.file_, status, storage.size_bytes_)) {
      return detail::os::read_error(error);
    }
    return storage;
  }

  [[nodiscard]] std::uint64_t size() const noexcept { return size_bytes_; }

  /// Reads. Errors: errc::out_of_range, errc::read_failed, errc::unexpected_end.
  failure read_at(std::uint64_t offset, byte_span out) const noexcept {
    if (!fits_inside(offset, out.size(), size_bytes_)) {
      return source_failure(errc::out_of_range, offset);
    }
    std::size_t done = 0;
    if (const int error = detail::os::read_at(file_, offset, out, done)) {
      return detail::os::read_error(error, offset + done);
    }
    if (done != out.size()) return source_failure(errc::unexpected_end, offset + done);
    return no_failure;
  }

  /// Adds bytes at the end. Errors: errc::sink_full, errc::write_failed.
  failure write(byte_view bytes) noexcept { return write_at(size_bytes_, bytes); }

  /// Leaves a hole of n bytes at the end. Errors: those of `resize`.
  failure skip(std::uint64_t n) noexcept {
    if (failed_) return failed_;
    std::uint64_t wanted = 0;
    if (!checked_add(size_bytes_, n, wanted)) return fail(EFBIG, size_bytes_);
    return resize(wanted);
  }

  /// Writes at an offset up to size(), past which a file grows. Errors: errc::out_of_range,
  /// errc::sink_full, errc::write_failed.
  failure write_at(std::uint64_t offset, byte_view bytes) noexcept {
    if (failed_) return failed_;
    if (offset > size_bytes_) return failed_ = sink_failure(errc::out_of_range, offset);
    if (is_device_ && !fits_inside(offset, bytes.size(), size_bytes_)) {
      return fail(ENOSPC, size_bytes_);
    }
    std::size_t done = 0;
    const int error = detail::os::write_at(file_, offset, bytes, done);
    size_bytes_ = larger_of(size_bytes_, offset + done);
    if (error != 0) return fail(error, offset + done);
    return no_failure;
  }

  /// Cuts, or adds a hole. Errors: errc::sink_full, errc::write_failed; errc::not_supported for
  /// another size of a device.
  failure resize(std::uint64_t size_bytes) noexcept {
    if (failed_) return failed_;
    if (size_bytes == size_bytes_) return no_failure;
    if (is_device_) return failed_ = sink_failure(errc::not_supported, size_bytes);
    if (const int error = detail::os::set_size(file_, size_bytes)) return fail(error, size_bytes_);
    size_bytes_ = size_bytes;
    return no_failure;
  }

  /// Puts a barrier. Errors: errc::sink_full, errc::write_failed.
  failure flush() noexcept {
    if (failed_) return failed_;
    if (const int error = detail::os::sync_data(file_)) return fail(error, size_bytes_);
    return no_failure;
  }

 private:
  failure fail(int error, std::uint64_t offset) noexcept {
    failed_ = detail::os::write_error(error, offset);
    return failed_;
  }

  detail::os::handle file_;
  std::uint64_t size_bytes_ = 0;
  bool is_device_ = false;
  failure failed_{};
};

static_assert(Storage<file_storage> && HoleSink<file_storage>);

}  // namespace vmdk

// ---- vmdk/hosted/mapped_file.hpp

namespace vmdk {

/// Reads a regular file or a block device through a mapping into memory. MappedSource and
/// SparseSource. Movable only; may be read by several threads.
///
/// Nothing is copied where a user takes `view`, but a file that becomes shorter, or a medium that
/// fails, then STOPS THE PROGRAM WITH SIGBUS where a file_source returns a failure. Map files that
/// nobody else writes, from media that can be trusted.
class mapped_file {
 public:
  /// Reads nothing until another one is moved here.
  mapped_file() noexcept = default;
  mapped_file(mapped_file&& other) noexcept
      : file_(std::move(other.file_)), bytes_(std::exchange(other.bytes_, {})) {}
  mapped_file& operator=(mapped_file&& other) noexcept {
    std::swap(file_, other.file_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~mapped_file() {
    if (!bytes_.empty()) detail::os::unmap(bytes_);
  }

  /// Opens and maps a file. Errors: those of file_source::open; errc::read_failed (detail: errno)
  /// where it cannot be mapped, ENOMEM also for what is larger than the address space.
  [[nodiscard]] static result<mapped_file> open(const std::string& path) noexcept {
    mapped_file mapped;
    detail::os::handle file;
    if (const int error = detail::os::open_seekable(path, detail::os::access::read, file)) {
      return detail::os::read_error(error);
    }
    const detail::os::handle same(file.get(), false);
    result<file_source> source = file_source::over(std::move(file));
    if (!source) return source.error();
    mapped.file_ = std::move(source).value();

    const std::uint64_t size_bytes = mapped.file_.size();
    if (size_bytes == 0) return mapped;
    if constexpr (sizeof(std::size_t) < sizeof(size_bytes)) {
      if (size_bytes > (std::numeric_limits<std::size_t>::max)()) {
        return detail::os::read_error(ENOMEM);
      }
    }
    const auto n = static_cast<std::size_t>(size_bytes);
    if (const int error = detail::os::map(same, n, mapped.bytes_)) {
      return detail::os::read_error(error);
    }
    return mapped;
  }

  [[nodiscard]] std::uint64_t size() const noexcept { return bytes_.size(); }

  /// Copies bytes out. Errors: errc::out_of_range.
  failure read_at(std::uint64_t offset, byte_span out) const noexcept {
    return memory_source(bytes_).read_at(offset, out);
  }

  /// Gives n bytes in place; none at all when they do not lie inside size().
  [[nodiscard]] byte_view view(std::uint64_t offset, std::size_t n) const noexcept {
    return memory_source(bytes_).view(offset, n);
  }

  /// Finds data. Errors: those of file_source::next_data.
  result<range> next_data(std::uint64_t offset) const noexcept { return file_.next_data(offset); }

 private:
  file_source file_;
  byte_view bytes_{};
};

static_assert(MappedSource<mapped_file> && SparseSource<mapped_file>);

}  // namespace vmdk

// ---- vmdk/hosted/ordered_pipeline.hpp

namespace vmdk {

/// Does a job on one thread; the same object is never called by two threads.
template <class W, class Job>
concept PipelineWorker = requires(W& worker, Job& job) {
  { worker(job) } noexcept -> std::same_as<failure>;
};

/// A place for one job at a time, with all the memory that it takes.
template <class Job>
struct pipeline_slot {
  Job job{};
  failure why{};  ///< Of making or doing the job.
  bool done = false;
};

/// Does jobs on several threads and takes their results in the order of the jobs.
///
/// The calling thread makes the jobs and takes the results, so neither source nor sink is ever
/// touched by two threads; the others only work. There are never more jobs under way than slots.
/// With one worker no thread is started and the calling thread does it all. Workers and slots are
/// the caller's, who may use them again.
template <class Job, PipelineWorker<Job> Worker>
class ordered_pipeline {
 public:
  using slot = pipeline_slot<Job>;

  /// At least one worker and one slot; two slots or more for each worker keep it busy.
  ordered_pipeline(std::span<Worker> workers, std::span<slot> slots) noexcept
      : workers_(workers), slots_(slots) {}

  /// Runs until there are no more jobs or something fails. `make(Job&)` gives a result<bool>, false
  /// when there is no other job; `take(Job&)` gives a failure. Both are noexcept.
  ///
  /// Errors: the first in the order of the jobs, whether it was in making, doing or taking one; all
  /// jobs before it have been taken, none behind it. No thread is left when the call returns.
  template <class Make, class Take>
  [[nodiscard]] failure run(Make&& make, Take&& take) noexcept {
    static_assert(noexcept(make(slots_[0].job)) && noexcept(take(slots_[0].job)),
                  "vmdk: what runs in a pipeline must not throw");
    std::vector<std::thread> threads;
    stop_ = false;
    made_ = begun_ = 0;
    if (workers_.size() > 1 && slots_.size() > 1) start(threads);
    if (threads.empty()) return run_alone(make, take);
    const failure why = feed(make, take);
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    job_made_.notify_all();
    for (std::thread& thread : threads) thread.join();
    return why;
  }

 private:
  /// Starts a thread for each worker, or for as many as the system allows.
  void start(std::vector<std::thread>& threads) noexcept {
    try {
      threads.reserve(workers_.size());
      for (Worker& worker : workers_) {
        threads.emplace_back([this, &worker] { work(worker); });
      }
    } catch (...) {  // NOLINT(bugprone-empty-catch): with fewer threads it takes longer.
    }
  }

  template <class Make, class Take>
  failure run_alone(Make& make, Take& take) noexcept {
    Job& job = slots_[0].job;
    for (;;) {
      const result<bool> made = make(job);
      if (!made) return made.error();
      if (!*made) return no_failure;
      if (failure f = workers_[0](job)) return f;
      if (failure f = take(job)) return f;
    }
  }

  template <class Make, class Take>
  failure feed(Make& make, Take& take) noexcept {
    std::uint64_t made = 0;
    std::uint64_t taken = 0;
    bool more = true;
    for (;;) {
      while (more && made - taken < slots_.size()) {
        slot& next = at(made);
        const result<bool> there = make(next.job);
        more = there.ok() && *there;
        if (there.ok() && !more) break;
        ++made;
        next.why = there.error();
        next.done = !there.ok();
        // A job that could not be made waits for its turn to be reported.
        if (more) offer(made);
      }
      if (taken == made) return no_failure;
      slot& oldest = at(taken);
      wait_for(oldest);
      if (oldest.why) return oldest.why;
      if (failure f = take(oldest.job)) return f;
      ++taken;
    }
  }

  [[nodiscard]] slot& at(std::uint64_t number) noexcept {
    return slots_[static_cast<std::size_t>(number % slots_.size())];
  }

  void offer(std::uint64_t made) noexcept {
    {
      const std::lock_guard lock(mutex_);
      made_ = made;
    }
    job_made_.notify_one();
  }

  void wait_for(const slot& wanted) noexcept {
    std::unique_lock lock(mutex_);
    job_done_.wait(lock, [&wanted] { return wanted.done; });
  }

  void work(Worker& worker) noexcept {
    for (;;) {
      std::unique_lock lock(mutex_);
      job_made_.wait(lock, [this] { return stop_ || begun_ != made_; });
      if (stop_) return;
      slot& mine = at(begun_++);
      lock.unlock();
      const failure why = worker(mine.job);
      lock.lock();
      mine.why = why;
      mine.done = true;
      lock.unlock();
      job_done_.notify_one();
    }
  }

  std::span<Worker> workers_;
  std::span<slot> slots_;
  std::mutex mutex_;
  std::condition_variable job_made_;
  std::condition_variable job_done_;
  std::uint64_t made_ = 0;   ///< Jobs that workers may begin.
  std::uint64_t begun_ = 0;  ///< Jobs that a worker has begun.
  bool stop_ = false;
};

}  // namespace vmdk

// ---- vmdk/hosted/stream_sink.hpp

namespace vmdk {

/// Writes a pipe, a FIFO, a character device or another stream front to back. Sink and HoleSink,
/// whose holes are zeros that are written. Movable only. After a failure every further call returns
/// it.
///
/// A pipe whose reader has gone gives errc::write_failed with EPIPE, provided that the program
/// ignores SIGPIPE; the system stops it otherwise.
class stream_sink {
 public:
  /// Writes nothing until another one is moved here.
  stream_sink() noexcept = default;

  /// Opens a FIFO or a character device by its path; a FIFO waits for its reader. Errors, of
  /// origin::sink with errno in `detail`: errc::file_not_found, errc::write_failed.
  [[nodiscard]] static result<stream_sink> open(const std::string& path) noexcept {
    stream_sink sink;
    if (const int error = detail::os::open_path(path, detail::os::access::write, sink.file_)) {
      return detail::os::write_error(error);
    }
    return sink;
  }

  /// Writes what the caller opened and closes, from where it stands.
  [[nodiscard]] static stream_sink borrow(native_file file) noexcept {
    stream_sink sink;
    sink.file_ = detail::os::handle(file, false);
    return sink;
  }

  [[nodiscard]] static stream_sink standard_output() noexcept {
    return borrow(detail::os::standard(detail::os::standard_stream::output).get());
  }

  /// Bytes written so far.
  [[nodiscard]] std::uint64_t size() const noexcept { return size_bytes_; }

  /// Writes all bytes. Errors: errc::sink_full, errc::write_failed (detail: errno, offset: bytes
  /// written so far).
  failure write(byte_view bytes) noexcept {
    if (failed_) return failed_;
    std::size_t done = 0;
    const int error = detail::os::write_stream(file_, bytes, done);
    size_bytes_ += done;
    if (error != 0) return fail(error);
    return no_failure;
  }

  /// Writes n zeros. Errors: those of `write`.
  failure skip(std::uint64_t n) noexcept {
    if (failed_) return failed_;
    while (n != 0) {
      const auto now =
          static_cast<std::size_t>(smaller_of<std::uint64_t>(n, detail::os::zeros.size()));
      if (failure why = write(byte_view(detail::os::zeros).first(now))) return why;
      n -= now;
    }
    return no_failure;
  }

  /// Closes the stream. Errors: errc::sink_full, errc::write_failed.
  failure close() noexcept {
    if (failed_) return failed_;
    if (const int error = file_.close()) return fail(error);
    return no_failure;
  }

 private:
  failure fail(int error) noexcept {
    failed_ = detail::os::write_error(error, size_bytes_);
    return failed_;
  }

  detail::os::handle file_;
  std::uint64_t size_bytes_ = 0;
  failure failed_{};
};

static_assert(HoleSink<stream_sink> && !SeekableSink<stream_sink>);

}  // namespace vmdk

// ---- vmdk/hosted/output_file.hpp

namespace vmdk {

/// Writes to whatever a path leads to, as a program's output: a new or regular file through an
/// atomic_file, a block device through a device_sink, a FIFO or a character device through a
/// stream_sink. Nodes are written in place, never renamed over or removed. Movable only.
class output_file {
 public:
  /// Writes nothing until another one is moved here.
  output_file() noexcept = default;

  /// Opens the output. Errors, of origin::sink with errno in `detail`: those of the three; a block
  /// device is errc::already_exists unless `existing` says replace; a directory or a socket is
  /// errc::file_not_regular.
  [[nodiscard]] static result<output_file> open(
      const std::string& path, existing_file existing = existing_file::refuse) noexcept {
    switch (const file_kind kind = kind_of(path)) {
      case file_kind::none:
      case file_kind::regular:
        return from(atomic_file::create(path, existing));
      case file_kind::block_device:
        if (existing == existing_file::refuse) return detail::os::write_error(EEXIST);
        return from(device_sink::open(path));
      case file_kind::character_device:
      case file_kind::fifo:
        return from(stream_sink::open(path));
      default:
        return detail::os::write_error(detail::os::errno_of_kind(kind));
    }
  }

  [[nodiscard]] static output_file standard_output() noexcept {
    output_file output;
    output.target_ = stream_sink::standard_output();
    return output;
  }

  /// Calls `write(sink)` with a file_sink&, device_sink& or stream_sink&, and returns what it
  /// returns. The function must not throw.
  template <class Write>
  auto with_sink(Write&& write) noexcept {
    if (auto* file = std::get_if<atomic_file>(&target_)) return write(file->sink());
    if (auto* device = std::get_if<device_sink>(&target_)) return write(*device);
    return write(*std::get_if<stream_sink>(&target_));
  }

  /// True when `with_sink` gives a sink that can be written at any place.
  [[nodiscard]] bool is_seekable() const noexcept {
    return !std::holds_alternative<stream_sink>(target_);
  }

  /// As atomic_file::temporary_path.
  [[nodiscard]] std::string temporary_path() const noexcept {
    const auto* file = std::get_if<atomic_file>(&target_);
    return file != nullptr ? file->temporary_path() : std::string();
  }

  /// Completes the output; without it a file does not appear. Errors: those of the sink, an earlier
  /// one too; those of atomic_file::commit.
  failure commit() noexcept {
    if (auto* file = std::get_if<atomic_file>(&target_)) return file->commit();
    if (auto* device = std::get_if<device_sink>(&target_)) return device->flush();
    return std::get_if<stream_sink>(&target_)->close();
  }

 private:
  template <class T>
  static result<output_file> from(result<T> opened) noexcept {
    if (!opened) return opened.error();
    output_file output;
    output.target_ = std::move(opened).value();
    return output;
  }

  std::variant<stream_sink, atomic_file, device_sink> target_;
};

}  // namespace vmdk

// ---- vmdk/hosted/thread_factory.hpp

namespace vmdk {

/// As many threads as the machine runs at once.
[[nodiscard]] inline unsigned usual_threads() noexcept {
  return larger_of(std::thread::hardware_concurrency(), 1u);
}

namespace detail {

/// Jobs under way for each thread: one that it does, one that waits for it, one that waits to be
/// taken.
inline constexpr std::size_t jobs_per_thread = 3;

/// What a factory makes: a T, whether it gives a T or a result<T>.
template <class T>
struct made_by {
  using type = T;
};
template <class T>
struct made_by<result<T>> {
  using type = T;
};
template <class F>
using made_by_t = typename made_by<std::invoke_result_t<F&>>::type;

/// Calls a factory. What it throws, the caller of this catches.
template <class F>
[[nodiscard]] result<std::unique_ptr<made_by_t<F>>> make_with(F& factory) {
  using T = made_by_t<F>;
  if constexpr (std::same_as<std::invoke_result_t<F&>, T>) {
    return std::unique_ptr<T>(new T(factory()));
  } else {
    result<T> made = factory();
    if (!made) return made.error();
    return std::make_unique<T>(std::move(*made));
  }
}

}  // namespace detail
}  // namespace vmdk

// ---- vmdk/hosted/parallel.hpp

namespace vmdk {

/// Stands for sources that the calling thread alone may read.
struct no_thread_source {};

namespace detail {

/// A few neighbouring grains on their way from the source into the stream.
struct grains_job {
  std::uint64_t first_grain = 0;
  std::uint64_t grains = 0;
  const std::byte* bytes = nullptr;  ///< Null: the worker has to read them.
  std::vector<std::byte> buffer;
  std::vector<std::byte> packed;
  std::vector<byte_view> records;
  failure why{};  ///< What stopped the worker; the records before it are good.
};

/// Reads, hashes and packs grains on one thread.
template <Source S, Encoder E, class OwnSource>
class grains_worker {
 public:
  grains_worker(const stream_layout& layout, std::unique_ptr<E> encoder,
                std::unique_ptr<OwnSource> own_source) noexcept
      : layout_(layout), encoder_(std::move(encoder)), own_source_(std::move(own_source)) {}

  /// Without `hashing` nothing is hashed, without `packing` nothing is compressed.
  void begin(const grain_stream<S>& grains, bool hashing, bool packing) noexcept {
    grains_ = &grains;
    hashing_ = hashing;
    packing_ = packing;
    hasher_ = {};
  }

  [[nodiscard]] const content_hasher& hasher() const noexcept { return hasher_; }

  failure operator()(grains_job& job) noexcept {
    job.records.clear();
    job.why = do_grains(job);
    return no_failure;
  }

 private:
  failure do_grains(grains_job& job) noexcept {
    if constexpr (Source<OwnSource>) {
      if (job.bytes == nullptr) {
        const typename grain_stream<S>::chunk found{job.first_grain, job.grains, nullptr};
        if (failure f = grains_->read(*own_source_, found, job.buffer)) return f;
        job.bytes = job.buffer.data();
      }
    }
    const unsigned shift = layout_.geometry().grain_byte_shift();
    grain_scanner scanner(layout_.geometry(), hashing_ ? &hasher_ : nullptr);
    byte_span room = job.packed;
    for (std::uint64_t i = 0; i < job.grains; ++i) {
      const std::byte* const bytes = job.bytes + (i << shift);
      const std::uint64_t grain = job.first_grain + i;
      if (!scanner.holds_data(bytes, grain) || !packing_) continue;
      const auto record = pack_grain(*encoder_, layout_, grain, bytes, room);
      if (!record) return record.error();
      job.records.push_back(*record);
      room = room.subspan(layout_.packed_limit_bytes());
    }
    return no_failure;
  }

  stream_layout layout_;
  std::unique_ptr<E> encoder_;
  std::unique_ptr<OwnSource> own_source_;
  const grain_stream<S>* grains_ = nullptr;
  content_hasher hasher_{};
  bool hashing_ = false;
  bool packing_ = false;
};

/// Packs grains on several threads; the counterpart of serial_packer.
template <Source S, Encoder E, class OwnSource>
class parallel_packer {
 public:
  using worker = grains_worker<S, E, OwnSource>;

  /// Makes workers and memory. Errors: those of the factories. Throws what they and the allocation
  /// of memory throw.
  template <class MakeEncoder, class MakeSource>
  [[nodiscard]] failure prepare(const stream_layout& layout, unsigned threads,
                                MakeEncoder& make_encoder, MakeSource& make_source) {
    const std::uint32_t grain_bytes = layout.geometry().grain_bytes();
    job_grains_ = grain_bytes < usual_job_bytes ? usual_job_bytes / grain_bytes : 1;
    const std::uint64_t jobs = layout.grain_count() / job_grains_ + 1;
    const auto count =
        static_cast<std::size_t>(smaller_of<std::uint64_t>(larger_of(threads, 1u), jobs));
    workers_.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      auto encoder = make_with(make_encoder);
      if (!encoder) return encoder.error();
      auto own_source = make_with(make_source);
      if (!own_source) return own_source.error();
      workers_.emplace_back(layout, std::move(*encoder), std::move(*own_source));
    }
    slots_.resize(count == 1 ? 1 : count * jobs_per_thread);
    for (auto& slot : slots_) {
      slot.job.buffer.resize(job_grains_ * grain_bytes);
      slot.job.packed.resize(job_grains_ * layout.packed_limit_bytes());
      slot.job.records.reserve(job_grains_);
    }
    return no_failure;
  }

  [[nodiscard]] failure check(const stream_layout&) const noexcept { return no_failure; }

  [[nodiscard]] failure survey(S& source, const stream_layout& layout,
                               content_hasher& hasher) noexcept {
    return run(source, layout, &hasher, false, [](byte_view) noexcept { return no_failure; });
  }

  template <Sink K>
  [[nodiscard]] failure pack(S& source, const stream_layout& layout, content_hasher* hasher,
                             stream_builder<K>& builder) noexcept {
    return run(source, layout, hasher, true,
               [&builder](byte_view record) noexcept { return builder.add(record); });
  }

 private:
  static constexpr std::uint32_t usual_job_bytes = 64 * 1024;

  template <class Add>
  [[nodiscard]] failure run(S& source, const stream_layout& layout, content_hasher* hasher,
                            bool packing, Add&& add) noexcept {
    grain_stream<S> grains(source, layout.geometry(), {});
    for (worker& w : workers_) w.begin(grains, hasher != nullptr, packing);
    const auto make = [&](grains_job& job) noexcept -> result<bool> {
      const auto found = grains.find(layout.grain_count(), job_grains_);
      if (!found) return found.error();
      if (found->grains == 0) return false;
      job.first_grain = found->first_grain;
      job.grains = found->grains;
      job.bytes = nullptr;
      if (failure f = fetch(source, grains, *found, job)) return f;
      return true;
    };
    const auto take = [&](grains_job& job) noexcept -> failure {
      for (const byte_view record : job.records) {
        if (failure f = add(record)) return f;
      }
      return job.why;
    };
    ordered_pipeline<grains_job, worker> pipeline(workers_, slots_);
    if (failure f = pipeline.run(make, take)) return f;
    if (hasher != nullptr) {
      for (const worker& w : workers_) hasher->merge(w.hasher());
    }
    return no_failure;
  }

  /// Reads a job's grains in the calling thread, where the worker cannot.
  static failure fetch(S& source, const grain_stream<S>& grains,
                       const typename grain_stream<S>::chunk& found, grains_job& job) noexcept {
    if constexpr (MappedSource<S>) {
      const std::uint64_t bytes = found.grains << grains.grain_byte_shift();
      const std::uint64_t offset = found.first_grain << grains.grain_byte_shift();
      if (fits_inside(offset, bytes, source.size())) {
        job.bytes = source.view(offset, static_cast<std::size_t>(bytes)).data();
        return no_failure;
      }
    }
    if constexpr (Source<OwnSource>) {
      return no_failure;
    } else {
      job.bytes = job.buffer.data();
      return grains.read(source, found, job.buffer);
    }
  }

  std::vector<worker> workers_;
  std::vector<pipeline_slot<grains_job>> slots_;
  std::uint64_t job_grains_ = 1;
};

}  // namespace detail

/// Writes one streamOptimized file as writer<Type> does, byte for byte, with grains hashed and
/// compressed on several threads. Needs a few grains of memory a thread, and the directory.
///
/// `make_encoder()` gives an Encoder, or a result<Encoder>, for each thread. `make_source()` does
/// so for a Source of the same disk that a thread may read while others read theirs: a cursor on an
/// opened image, or a file; without it the calling thread does the reading. Factories are called
/// before anything is written. The sink is only used by the calling thread. With one thread, none
/// is started.
///
/// Errors: those of writer<Type>, and the first of them in the order of the disk, as there; those
/// of the factories; errc::workspace_too_small when memory cannot be had.
template <class Type, Source S, Sink K, std::invocable MakeEncoder, std::invocable MakeSource>
[[nodiscard]] result<write_report> write_parallel(S& source, K& sink, const write_options& options,
                                                  unsigned threads, MakeEncoder make_encoder,
                                                  MakeSource make_source) noexcept {
  using encoder = detail::made_by_t<MakeEncoder>;
  using own_source = detail::made_by_t<MakeSource>;
  static_assert(Encoder<encoder>, "vmdk: make_encoder must give an Encoder");
  static_assert(Source<own_source> || std::same_as<own_source, no_thread_source>,
                "vmdk: make_source must give a Source");
  auto plan = detail::plan_stream(source.size(), options, detail::grain_of<Type>(options));
  if (!plan) return plan.error();
  try {
    detail::parallel_packer<S, encoder, own_source> packer;
    if (failure f = packer.prepare(plan->layout, threads, make_encoder, make_source)) return f;
    std::vector<std::byte> table(stream_memory::marked_table_bytes);
    std::vector<std::byte> directory(
        static_cast<std::size_t>(plan->layout.directory_memory_bytes()));
    const stream_memory memory{
        .table = std::span<std::byte, stream_memory::marked_table_bytes>(table),
        .directory = directory};
    return detail::write_stream(source, sink, options, *plan, memory, packer);
  } catch (...) {
    return options_failure(errc::workspace_too_small);
  }
}

/// As above; the calling thread does the reading.
template <class Type, Source S, Sink K, std::invocable MakeEncoder>
[[nodiscard]] result<write_report> write_parallel(S& source, K& sink, const write_options& options,
                                                  unsigned threads,
                                                  MakeEncoder make_encoder) noexcept {
  return write_parallel<Type>(source, sink, options, threads, std::move(make_encoder),
                              [] { return no_thread_source{}; });
}

}  // namespace vmdk

// ---- vmdk/hosted/parallel_read.hpp

namespace vmdk {
namespace detail {

/// Makes workers with `make_worker`, and slots whose jobs `prepare` gives their memory, and runs
/// them. What is thrown on the way becomes errc::workspace_too_small.
template <class Job, class Worker, class MakeWorker, class Prepare, class Make, class Take>
[[nodiscard]] failure run_pipeline(unsigned threads, MakeWorker&& make_worker, Prepare&& prepare,
                                   Make&& make, Take&& take) noexcept {
  try {
    std::vector<Worker> workers;
    const std::size_t count = larger_of(threads, 1u);
    workers.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      if (failure f = make_worker(workers)) return f;
    }
    std::vector<pipeline_slot<Job>> slots(count == 1 ? 1 : count * jobs_per_thread);
    for (auto& slot : slots) prepare(slot.job);
    ordered_pipeline<Job, Worker> pipeline(workers, slots);
    return pipeline.run(make, take);
  } catch (...) {
    return options_failure(errc::workspace_too_small);
  }
}

struct piece_job {
  range piece{};
  std::vector<std::byte> bytes;
};

template <Source S>
struct piece_reader {
  std::unique_ptr<S> source;

  failure operator()(piece_job& job) noexcept {
    return source->read_at(job.piece.offset,
                           byte_span(job.bytes).first(static_cast<std::size_t>(job.piece.bytes)));
  }
};

}  // namespace detail

/// Reads a disk on several threads, each through a Source of its own, and takes what they read in
/// the order of the disk. For an opened image with compressed grains these are cursors on it, so
/// that several threads inflate.
///
/// `source` only tells where the data is; holes are passed over. `make_source()` gives the Source,
/// or a result of one, of a thread. `take(offset, bytes)` gets each piece in the calling thread and
/// gives a failure; it is noexcept. Pieces begin at multiples of `piece_bytes`, a power of two that
/// is best a multiple of the image's grain, but for the first of a run of data.
/// Errors: the first in the order of the disk, of `source`, a thread's Source or `take`; those of
/// the factory; errc::workspace_too_small when memory cannot be had.
template <Source S, std::invocable MakeSource, class Take>
[[nodiscard]] failure read_parallel(S& source, unsigned threads, std::size_t piece_bytes,
                                    MakeSource make_source, Take take) noexcept {
  static_assert(noexcept(take(0, byte_view{})), "vmdk: what takes the pieces must not throw");
  using worker = detail::piece_reader<detail::made_by_t<MakeSource>>;
  const std::uint64_t size_bytes = source.size();
  range data{};
  std::uint64_t at = 0;
  const auto make = [&](detail::piece_job& job) noexcept -> result<bool> {
    if (at >= data.end()) {
      const auto found = next_data_of(source, at);
      if (!found) return found.error();
      if (found->bytes == 0) return false;
      data = *found;
      at = data.offset;
    }
    const std::uint64_t end = smaller_of((at | (piece_bytes - 1)) + 1, data.end());
    job.piece = {at, end - at};
    at = end;
    return true;
  };
  return detail::run_pipeline<detail::piece_job, worker>(
      threads,
      [&](std::vector<worker>& workers) {
        auto own = detail::make_with(make_source);
        if (own) workers.push_back({std::move(*own)});
        return own.error();
      },
      [&](detail::piece_job& job) {
        job.bytes.resize(
            static_cast<std::size_t>(smaller_of<std::uint64_t>(piece_bytes, size_bytes)));
      },
      make,
      [&](detail::piece_job& job) noexcept -> failure {
        return take(job.piece.offset,
                    byte_view(job.bytes).first(static_cast<std::size_t>(job.piece.bytes)));
      });
}

/// A compressed grain on its way to the disk.
struct compressed_piece {
  std::uint64_t disk_offset = 0;
  std::size_t disk_bytes = 0;     ///< Of a grain at the end of the disk, what the disk has of it.
  std::uint64_t file_offset = 0;  ///< Of the data, for what fails.
  byte_span room{};               ///< Memory to read it into.
  byte_view data{};               ///< The RFC 1950 stream, mostly in `room`.
};

namespace detail {

struct inflate_job {
  compressed_piece piece{};
  std::vector<std::byte> room;
  std::vector<std::byte> grain;
};

template <Decoder D>
struct inflate_worker {
  std::unique_ptr<D> decoder;

  /// A last grain may have been compressed with or without its padding (SPEC 5).
  failure operator()(inflate_job& job) noexcept {
    failure why = decode(job, job.grain.size());
    if (why.code == errc::stream_output_short && job.piece.disk_bytes < job.grain.size()) {
      why = decode(job, job.piece.disk_bytes);
    }
    if (why && why.from == origin::codec) why.offset += job.piece.file_offset;
    return why;
  }

  failure decode(inflate_job& job, std::size_t bytes) noexcept {
    single_supply supply(job.piece.data);
    return decoder->decode(supply, byte_span(job.grain).first(bytes));
  }
};

}  // namespace detail

/// Expands compressed grains on several threads and takes them in the order in which they came.
///
/// `next(compressed_piece&)` gives a result<bool>, false when there is no other; it reads a grain's
/// data into the piece's `room`, which has `room_bytes`, and says where it belongs.
/// `make_decoder()` gives a Decoder, or a result of one, for each thread. `take(offset, bytes)`
/// gets what the disk has of each grain. `next` and `take` are called in the calling thread only,
/// and are noexcept. Errors: the first in the order of the grains, of `next`, the decoder (offset:
/// in the file) or `take`; those of the factory; errc::workspace_too_small when memory cannot be
/// had.
template <class Next, std::invocable MakeDecoder, class Take>
[[nodiscard]] failure inflate_parallel(std::size_t grain_bytes, std::size_t room_bytes,
                                       unsigned threads, Next next, MakeDecoder make_decoder,
                                       Take take) noexcept {
  static_assert(noexcept(take(0, byte_view{})), "vmdk: what takes the grains must not throw");
  static_assert(noexcept(next(std::declval<compressed_piece&>())),
                "vmdk: what reads the compressed grains must not throw");
  using worker = detail::inflate_worker<detail::made_by_t<MakeDecoder>>;
  return detail::run_pipeline<detail::inflate_job, worker>(
      threads,
      [&](std::vector<worker>& workers) {
        auto own = detail::make_with(make_decoder);
        if (own) workers.push_back({std::move(*own)});
        return own.error();
      },
      [&](detail::inflate_job& job) {
        job.room.resize(room_bytes);
        job.grain.resize(grain_bytes);
      },
      [&](detail::inflate_job& job) noexcept -> result<bool> {
        job.piece = {.disk_bytes = grain_bytes, .room = job.room};
        return next(job.piece);
      },
      [&](detail::inflate_job& job) noexcept -> failure {
        return take(job.piece.disk_offset,
                    byte_view(job.grain).first(smaller_of(job.piece.disk_bytes, grain_bytes)));
      });
}

}  // namespace vmdk

// ---- vmdk/hosted/pipe_source.hpp

namespace vmdk {

/// Reads a pipe, a FIFO, a terminal or another stream front to back. SequentialSource; movable
/// only. After a failure every further call returns it.
///
/// Small reads are served from a buffer, so the file may stand behind what was handed out.
class pipe_source {
 public:
  /// Reads nothing until another one is moved here.
  pipe_source() noexcept = default;

  /// Opens a FIFO or a character device (or any file) by its path; a FIFO waits for its writer.
  /// Errors, of origin::source with errno in `detail`: errc::file_not_found, errc::read_failed.
  [[nodiscard]] static result<pipe_source> open(const std::string& path) noexcept {
    pipe_source source;
    if (const int error = detail::os::open_path(path, detail::os::access::read, source.file_)) {
      return detail::os::read_error(error);
    }
    return source;
  }

  /// Reads what the caller opened and closes, from where it stands.
  [[nodiscard]] static pipe_source borrow(native_file file) noexcept {
    pipe_source source;
    source.file_ = detail::os::handle(file, false);
    return source;
  }

  [[nodiscard]] static pipe_source standard_input() noexcept {
    return borrow(detail::os::standard(detail::os::standard_stream::input).get());
  }

  /// Bytes handed out so far.
  [[nodiscard]] std::uint64_t position() const noexcept { return position_; }

  /// Reads what there is, at least one byte; 0 at the end, or for an empty span. Errors:
  /// errc::read_failed (detail: errno, offset: bytes read so far).
  result<std::size_t> read(byte_span out) noexcept {
    if (failed_) return failed_;
    if (out.empty()) return std::size_t{0};
    if (used_ == filled_ && out.size() < buffer_bytes) {
      if (buffer_.empty()) buffer_.resize(buffer_bytes);
      const auto got = read_some(buffer_);
      if (!got) return got;
      used_ = 0;
      filled_ = *got;
    }
    std::size_t done = smaller_of(filled_ - used_, out.size());
    if (done != 0) {
      copy_bytes(out.data(), buffer_.data() + used_, done);
      used_ += done;
    } else if (out.size() >= buffer_bytes) {
      const auto got = read_some(out);
      if (!got) return got;
      done = *got;
    }
    position_ += done;
    return done;
  }

 private:
  static constexpr std::size_t buffer_bytes = std::size_t{64} << 10;  // What a pipe holds.

  result<std::size_t> read_some(byte_span out) noexcept {
    std::size_t done = 0;
    if (const int error = detail::os::read_some(file_, out, done)) {
      failed_ = source_failure(errc::read_failed, position_, static_cast<std::uint32_t>(error));
      return failed_;
    }
    return done;
  }

  detail::os::handle file_;
  std::vector<std::byte> buffer_;
  std::size_t used_ = 0;
  std::size_t filled_ = 0;
  std::uint64_t position_ = 0;
  failure failed_{};
};

static_assert(SequentialSource<pipe_source>);

}  // namespace vmdk

// ---- vmdk/hosted/sink_directory.hpp

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

// ---- vmdk/hosted.hpp

// What needs an operating system: its files, pipes, devices, folders and threads. Here, unlike
// everywhere else, names and lists live on the heap; the program stops where there is no memory for
// them.
