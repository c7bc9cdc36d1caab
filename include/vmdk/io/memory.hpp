// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/io/concepts.hpp"

namespace vmdk {

/// Reads bytes that lie in memory and belong to the caller. Source and MappedSource; may be copied
/// and shared by threads.
class memory_source {
 public:
  constexpr memory_source() noexcept = default;
  constexpr explicit memory_source(byte_view bytes) noexcept : bytes_(bytes) {}

  [[nodiscard]] constexpr std::uint64_t size() const noexcept { return bytes_.size(); }

  /// Copies bytes out. Errors: errc::out_of_range.
  constexpr failure read_at(std::uint64_t offset, byte_span out) const noexcept {
    if (!fits_inside(offset, out.size(), bytes_.size())) {
      return source_failure(errc::out_of_range, offset);
    }
    copy_bytes(out.data(), bytes_.data() + offset, out.size());
    return no_failure;
  }

  /// Gives n bytes in place; none at all when they do not lie inside size().
  [[nodiscard]] constexpr byte_view view(std::uint64_t offset, std::size_t n) const noexcept {
    if (!fits_inside(offset, n, bytes_.size())) return {};
    return bytes_.subspan(static_cast<std::size_t>(offset), n);
  }

 private:
  byte_view bytes_{};
};

/// Writes into memory of the caller. SeekableSink and HoleSink: `write` and `skip` add at the end
/// of what is in use; errc::sink_full when the memory is used up. After a failure every further
/// call returns it.
class memory_sink {
 public:
  constexpr memory_sink() noexcept = default;

  /// Writes into `room`, whose first bytes are in use already where `used_bytes` says so.
  constexpr explicit memory_sink(byte_span room, std::size_t used_bytes = 0) noexcept
      : room_(room), size_bytes_(smaller_of(used_bytes, room.size())) {}

  [[nodiscard]] constexpr std::uint64_t size() const noexcept { return size_bytes_; }

  /// Gives the bytes in use.
  [[nodiscard]] constexpr byte_view written() const noexcept { return room_.first(size_bytes_); }

  /// Adds bytes at the end. Errors: errc::sink_full.
  constexpr failure write(byte_view bytes) noexcept { return write_at(size_bytes_, bytes); }

  /// Adds n zero bytes at the end. Errors: errc::sink_full.
  constexpr failure skip(std::uint64_t n) noexcept {
    std::uint64_t wanted = 0;
    if (!failed_ && !checked_add(size_bytes_, n, wanted)) return fail(errc::sink_full, size_bytes_);
    return failed_ ? failed_ : resize(wanted);
  }

  /// Writes at an offset up to size(), past which the bytes in use grow.
  /// Errors: errc::out_of_range, errc::sink_full.
  constexpr failure write_at(std::uint64_t offset, byte_view bytes) noexcept {
    if (failed_) return failed_;
    if (offset > size_bytes_) return fail(errc::out_of_range, offset);
    if (!fits_inside(offset, bytes.size(), room_.size())) return fail(errc::sink_full, offset);
    const auto at = static_cast<std::size_t>(offset);
    copy_bytes(room_.data() + at, bytes.data(), bytes.size());
    size_bytes_ = larger_of(size_bytes_, at + bytes.size());
    return no_failure;
  }

  /// Cuts, or adds zero bytes. Errors: errc::sink_full.
  constexpr failure resize(std::uint64_t size_bytes) noexcept {
    if (failed_) return failed_;
    if (size_bytes > room_.size()) return fail(errc::sink_full, size_bytes_);
    const auto wanted = static_cast<std::size_t>(size_bytes);
    if (wanted > size_bytes_) zero_bytes(room_.data() + size_bytes_, wanted - size_bytes_);
    size_bytes_ = wanted;
    return no_failure;
  }

 private:
  constexpr failure fail(errc code, std::uint64_t offset) noexcept {
    failed_ = sink_failure(code, offset);
    return failed_;
  }

  byte_span room_{};
  std::size_t size_bytes_ = 0;
  failure failed_{};
};

/// Reads and writes memory of the caller in place. Storage, HoleSink and MappedSource. Writing is
/// as in memory_sink; a failed write does not stop reading.
class memory_storage : public memory_sink {
 public:
  using memory_sink::memory_sink;

  /// Copies bytes out. Errors: errc::out_of_range.
  constexpr failure read_at(std::uint64_t offset, byte_span out) const noexcept {
    return memory_source(written()).read_at(offset, out);
  }

  /// Gives n bytes in place; none at all when they do not lie inside size().
  [[nodiscard]] constexpr byte_view view(std::uint64_t offset, std::size_t n) const noexcept {
    return memory_source(written()).view(offset, n);
  }

  /// Does nothing: memory keeps the order of writes.
  constexpr failure flush() noexcept { return no_failure; }
};

static_assert(MappedSource<memory_source>);
static_assert(SeekableSink<memory_sink> && HoleSink<memory_sink>);
static_assert(Storage<memory_storage> && HoleSink<memory_storage> && MappedSource<memory_storage>);

}  // namespace vmdk
