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
