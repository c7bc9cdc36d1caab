// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cerrno>
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
