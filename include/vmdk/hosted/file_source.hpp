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
