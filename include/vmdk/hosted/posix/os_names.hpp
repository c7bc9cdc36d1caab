// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "vmdk/hosted/os_types.hpp"
#include "vmdk/hosted/posix/os.hpp"

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
