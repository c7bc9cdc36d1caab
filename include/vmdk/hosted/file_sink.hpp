// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/hosted/os.hpp"
#include "vmdk/hosted/os_io.hpp"
#include "vmdk/io/concepts.hpp"

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
