// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "vmdk/core/bytes.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/hosted/file_source.hpp"
#include "vmdk/hosted/os.hpp"
#include "vmdk/hosted/os_io.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/io/memory.hpp"

namespace vmdk {

/// Reads a regular file or a block device through a mapping into memory. MappedSource and
/// SparseSource. Movable only; may be read by several threads.
///
/// Nothing is copied where a user takes `view`, but a file that becomes shorter, or a medium that
/// fails, then STOPS THE PROGRAM WITH SIGBUS where a file_source returns a failure. Map files that
/// nobody else writes, from media that can be trusted.
class mapped_file {
 public:
  /// Reads nothing until another one is moved here.
  mapped_file() noexcept = default;
  mapped_file(mapped_file&& other) noexcept
      : file_(std::move(other.file_)), bytes_(std::exchange(other.bytes_, {})) {}
  mapped_file& operator=(mapped_file&& other) noexcept {
    std::swap(file_, other.file_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~mapped_file() {
    if (!bytes_.empty()) detail::os::unmap(bytes_);
  }

  /// Opens and maps a file. Errors: those of file_source::open; errc::read_failed (detail: errno)
  /// where it cannot be mapped, ENOMEM also for what is larger than the address space.
  [[nodiscard]] static result<mapped_file> open(const std::string& path) noexcept {
    mapped_file mapped;
    detail::os::handle file;
    if (const int error = detail::os::open_seekable(path, detail::os::access::read, file)) {
      return detail::os::read_error(error);
    }
    const detail::os::handle same(file.get(), false);
    result<file_source> source = file_source::over(std::move(file));
    if (!source) return source.error();
    mapped.file_ = std::move(source).value();

    const std::uint64_t size_bytes = mapped.file_.size();
    if (size_bytes == 0) return mapped;
    if constexpr (sizeof(std::size_t) < sizeof(size_bytes)) {
      if (size_bytes > (std::numeric_limits<std::size_t>::max)()) {
        return detail::os::read_error(ENOMEM);
      }
    }
    const auto n = static_cast<std::size_t>(size_bytes);
    if (const int error = detail::os::map(same, n, mapped.bytes_)) {
      return detail::os::read_error(error);
    }
    return mapped;
  }

  [[nodiscard]] std::uint64_t size() const noexcept { return bytes_.size(); }

  /// Copies bytes out. Errors: errc::out_of_range.
  failure read_at(std::uint64_t offset, byte_span out) const noexcept {
    return memory_source(bytes_).read_at(offset, out);
  }

  /// Gives n bytes in place; none at all when they do not lie inside size().
  [[nodiscard]] byte_view view(std::uint64_t offset, std::size_t n) const noexcept {
    return memory_source(bytes_).view(offset, n);
  }

  /// Finds data. Errors: those of file_source::next_data.
  result<range> next_data(std::uint64_t offset) const noexcept { return file_.next_data(offset); }

 private:
  file_source file_;
  byte_view bytes_{};
};

static_assert(MappedSource<mapped_file> && SparseSource<mapped_file>);

}  // namespace vmdk
