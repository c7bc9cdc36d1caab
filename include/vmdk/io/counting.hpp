// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/io/concepts.hpp"

namespace vmdk {

/// Keeps nothing of what is written but the numbers. SeekableSink and HoleSink: tells how large an
/// output becomes without room for it. After a failure every further call returns it.
class counting_sink {
 public:
  /// The size that a file written like this would have.
  [[nodiscard]] constexpr std::uint64_t size() const noexcept { return size_bytes_; }
  /// Bytes handed to `write` and `write_at`.
  [[nodiscard]] constexpr std::uint64_t written_bytes() const noexcept { return written_bytes_; }
  /// Bytes left out by `skip`.
  [[nodiscard]] constexpr std::uint64_t skipped_bytes() const noexcept { return skipped_bytes_; }
  /// Calls of `write` and `write_at`.
  [[nodiscard]] constexpr std::uint64_t write_calls() const noexcept { return write_calls_; }

  /// Counts bytes at the end. Errors: errc::sink_full past 2^64 - 1 bytes.
  constexpr failure write(byte_view bytes) noexcept { return write_at(size_bytes_, bytes); }

  /// Counts a hole at the end. Errors: errc::sink_full past 2^64 - 1 bytes.
  constexpr failure skip(std::uint64_t n) noexcept {
    if (failed_) return failed_;
    if (!checked_add(size_bytes_, n, size_bytes_)) return fail(errc::sink_full, size_bytes_);
    skipped_bytes_ += n;
    return no_failure;
  }

  /// Counts bytes at an offset up to size(). Errors: errc::out_of_range, errc::sink_full.
  constexpr failure write_at(std::uint64_t offset, byte_view bytes) noexcept {
    if (failed_) return failed_;
    if (offset > size_bytes_) return fail(errc::out_of_range, offset);
    std::uint64_t end = 0;
    if (!checked_add(offset, bytes.size(), end)) return fail(errc::sink_full, offset);
    size_bytes_ = larger_of(size_bytes_, end);
    written_bytes_ += bytes.size();
    ++write_calls_;
    return no_failure;
  }

  /// Takes another size. Errors: only an earlier one.
  constexpr failure resize(std::uint64_t size_bytes) noexcept {
    if (failed_) return failed_;
    size_bytes_ = size_bytes;
    return no_failure;
  }

 private:
  constexpr failure fail(errc code, std::uint64_t offset) noexcept {
    failed_ = sink_failure(code, offset);
    return failed_;
  }

  std::uint64_t size_bytes_ = 0;
  std::uint64_t written_bytes_ = 0;
  std::uint64_t skipped_bytes_ = 0;
  std::uint64_t write_calls_ = 0;
  failure failed_{};
};

/// Counts what is read of another Source, which the caller owns and keeps alive. SparseSource and
/// MappedSource where that one is. Failures pass unchanged.
template <Source S>
class counting_source {
 public:
  constexpr explicit counting_source(S& inner) noexcept : inner_(&inner) {}

  [[nodiscard]] constexpr std::uint64_t size() const noexcept {
    return static_cast<const S*>(inner_)->size();
  }
  /// Bytes asked of `read_at` and `view`.
  [[nodiscard]] constexpr std::uint64_t read_bytes() const noexcept { return read_bytes_; }
  /// Calls of `read_at` and `view`.
  [[nodiscard]] constexpr std::uint64_t read_calls() const noexcept { return read_calls_; }
  /// Calls of `next_data`.
  [[nodiscard]] constexpr std::uint64_t next_data_calls() const noexcept {
    return next_data_calls_;
  }
  /// Counts from zero again.
  constexpr void reset() noexcept { read_bytes_ = read_calls_ = next_data_calls_ = 0; }

  /// Counts and reads. Errors: those of the inner source.
  constexpr failure read_at(std::uint64_t offset, byte_span out) noexcept {
    ++read_calls_;
    read_bytes_ += out.size();
    return inner_->read_at(offset, out);
  }

  /// Counts and asks. Errors: those of the inner source.
  constexpr result<range> next_data(std::uint64_t offset) noexcept
    requires SparseSource<S>
  {
    ++next_data_calls_;
    return inner_->next_data(offset);
  }

  /// Counts and gives bytes in place.
  [[nodiscard]] constexpr byte_view view(std::uint64_t offset, std::size_t n) noexcept
    requires MappedSource<S>
  {
    ++read_calls_;
    read_bytes_ += n;
    return inner_->view(offset, n);
  }

 private:
  S* inner_;
  std::uint64_t read_bytes_ = 0;
  std::uint64_t read_calls_ = 0;
  std::uint64_t next_data_calls_ = 0;
};

static_assert(SeekableSink<counting_sink> && HoleSink<counting_sink>);

}  // namespace vmdk
