// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
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
