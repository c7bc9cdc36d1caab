// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "vmdk/hosted/os_types.hpp"

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
