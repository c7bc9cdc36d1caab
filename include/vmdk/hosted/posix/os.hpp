// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <utility>

#include "vmdk/core/failure.hpp"

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

/// The calls of the operating system, and nothing above them: here what opens files and tells what
/// they are. Each returns 0 or an errno, and repeats what a signal interrupted.
namespace vmdk::detail::os {

static_assert(sizeof(off_t) == 8, "files need 64-bit offsets: build with _FILE_OFFSET_BITS=64");

/// A file descriptor, closed at the end when it is owned. Movable only.
class handle {
 public:
  handle() noexcept = default;
  explicit handle(int descriptor, bool is_owned = true) noexcept
      : descriptor_(descriptor), is_owned_(is_owned) {}
  handle(handle&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), is_owned_(other.is_owned_) {}
  handle& operator=(handle&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(is_owned_, other.is_owned_);
    return *this;
  }
  ~handle() { (void)close(); }

  [[nodiscard]] int get() const noexcept { return descriptor_; }
  [[nodiscard]] explicit operator bool() const noexcept { return descriptor_ >= 0; }

  /// Closes; the system may tell only here that earlier writes failed.
  int close() noexcept {
    const int descriptor = std::exchange(descriptor_, -1);
    // A close that a signal interrupted has closed all the same.
    if (descriptor < 0 || !is_owned_ || ::close(descriptor) == 0 || errno == EINTR) return 0;
    return errno;
  }

 private:
  int descriptor_ = -1;
  bool is_owned_ = true;
};

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

/// Opens a path; `flags` are those of open(2).
[[nodiscard]] inline int open_path(const std::string& path, int flags, handle& file,
                                   unsigned mode = 0) noexcept {
  int descriptor = -1;
  do {
    descriptor = ::open(path.c_str(), flags | O_CLOEXEC | O_NOCTTY, static_cast<mode_t>(mode));
  } while (descriptor < 0 && errno == EINTR);
  if (descriptor < 0) return errno;
  file = handle(descriptor);
  return 0;
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

/// The errno that tells a person why a file of this kind will not do.
[[nodiscard]] inline int errno_of_kind(file_kind kind) noexcept {
  switch (kind) {
    case file_kind::none:
      return ENOENT;
    case file_kind::directory:
      return EISDIR;
    case file_kind::symbolic_link:
      return ELOOP;
    case file_kind::regular:
    case file_kind::block_device:
      return ENOTBLK;
    default:
      return ESPIPE;
  }
}

/// Opens what can be read or written at any offset: a regular file or a block device. Nothing else
/// is opened at all: EISDIR, ESPIPE.
[[nodiscard]] inline int open_seekable(const std::string& path, int flags, handle& file) noexcept {
  struct stat raw{};
  if (::stat(path.c_str(), &raw) != 0) return errno;
  const file_kind kind = kind_of_mode(raw.st_mode);
  if (kind != file_kind::regular && kind != file_kind::block_device) return errno_of_kind(kind);
  // Should a FIFO have taken the name meanwhile, the open must not wait. On a device the flag would
  // mean to open a drive without its medium.
  return open_path(path, kind == file_kind::regular ? flags | O_NONBLOCK : flags, file);
}

/// True for the errors that say that a file is of the wrong kind.
[[nodiscard]] inline bool is_wrong_kind(int error) noexcept {
  return error == EISDIR || error == ESPIPE || error == ENOTBLK || error == ELOOP;
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
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) code = errc::sink_full;
  if (error == ENOENT || error == ENOTDIR) code = errc::file_not_found;
  if (error == EEXIST) code = errc::already_exists;
  if (is_wrong_kind(error)) code = errc::file_not_regular;
  return sink_failure(code, offset, static_cast<std::uint32_t>(error));
}

}  // namespace vmdk::detail::os
