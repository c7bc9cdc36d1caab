// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/bytes.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/core/result.hpp"

/// What a board gives to the jobs. They see no more of it than this, so that their size is that of
/// the library.
namespace board {

inline constexpr std::uint64_t disk_bytes = 17 << 18;  ///< Of the disk that is written.
inline constexpr std::uint32_t grain_bytes = 8 << 10;  ///< Of its images.

/// A memory chip with an image in it: a Source.
class flash {
 public:
  explicit flash(unsigned chip) noexcept : chip_(chip) {}
  [[nodiscard]] std::uint64_t size() const noexcept;
  /// Errors: errc::out_of_range.
  [[nodiscard]] vmdk::failure read_at(std::uint64_t offset, vmdk::byte_span out) noexcept;

 private:
  unsigned chip_;
};

/// Such a chip, read front to back as a serial line would be: a SequentialSource.
class line_in {
 public:
  explicit line_in(unsigned chip) noexcept : chip_(chip) {}
  [[nodiscard]] vmdk::result<std::size_t> read(vmdk::byte_span out) noexcept;

 private:
  flash chip_;
  std::uint64_t at_ = 0;
};

/// A serial port: a Sink, and a HoleSink that sends zeros. It never fails.
class line_out {
 public:
  explicit line_out(unsigned port) noexcept : port_(port) {}
  [[nodiscard]] vmdk::failure write(vmdk::byte_view bytes) noexcept;
  [[nodiscard]] vmdk::failure skip(std::uint64_t n) noexcept;

 private:
  unsigned port_;
};

/// The disk that is written: a Source of bytes that follow from their place. Of each MiB only the
/// first 64 KiB hold data: of four blocks of 4 KiB the first two compress, the third does not, and
/// the fourth is zeros.
class generated_disk {
 public:
  [[nodiscard]] std::uint64_t size() const noexcept;
  /// Errors: errc::out_of_range.
  [[nodiscard]] vmdk::failure read_at(std::uint64_t offset, vmdk::byte_span out) noexcept;
};

/// Fills the unused stack with a pattern.
void paint_stack() noexcept;

/// How far below the caller's stack the pattern has been overwritten, in bytes.
[[nodiscard]] std::uint32_t painted_over() noexcept;

}  // namespace board
