// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cerrno>
#include <cstddef>
#include <new>
#include <utility>

#include "vmdk/core/bytes.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/core/result.hpp"

namespace vmdk {

/// Memory from the heap that begins on a page, for what is read from files. Movable only.
///
/// The alignment is for speed: systems copy out of their cache at half the rate to an address that
/// is not a multiple of 32, and what malloc gives for large blocks is 16 past one.
class aligned_buffer {
 public:
  static constexpr std::size_t alignment = 4096;

  /// Holds nothing until another one is moved here.
  aligned_buffer() noexcept = default;
  aligned_buffer(aligned_buffer&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  aligned_buffer& operator=(aligned_buffer&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~aligned_buffer() { ::operator delete(bytes_.data(), std::align_val_t{alignment}); }

  /// Takes memory, whose content is unspecified. Errors: errc::workspace_too_small, of
  /// origin::options, with ENOMEM in `detail`.
  [[nodiscard]] static result<aligned_buffer> allocate(std::size_t size_bytes) noexcept {
    aligned_buffer buffer;
    void* const memory = ::operator new(size_bytes, std::align_val_t{alignment}, std::nothrow);
    if (memory == nullptr) return options_failure(errc::workspace_too_small, 0, ENOMEM);
    buffer.bytes_ = byte_span(static_cast<std::byte*>(memory), size_bytes);
    return buffer;
  }

  [[nodiscard]] byte_span bytes() const noexcept { return bytes_; }

 private:
  byte_span bytes_{};
};

}  // namespace vmdk
