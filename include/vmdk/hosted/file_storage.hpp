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
