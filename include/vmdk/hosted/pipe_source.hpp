// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/hosted/os.hpp"
#include "vmdk/hosted/os_io.hpp"
#include "vmdk/io/concepts.hpp"

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
