// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/io/concepts.hpp"

namespace testing_support {

/// A file in memory that only keeps the pages written to, so that it may be of any size: Storage,
/// SparseSource and HoleSink. Two are equal when their bytes are.
class paged_file {
 public:
  static constexpr std::size_t page_bytes = 4096;

  paged_file() = default;
  explicit paged_file(std::uint64_t size_bytes) : size_bytes_(size_bytes) {}

  std::uint64_t size() const noexcept { return size_bytes_; }

  vmdk::failure read_at(std::uint64_t offset, vmdk::byte_span out) const noexcept {
    if (!vmdk::fits_inside(offset, out.size(), size_bytes_)) {
      return vmdk::source_failure(vmdk::errc::out_of_range, offset);
    }
    while (!out.empty()) {
      const std::size_t in_page = offset % page_bytes;
      const std::size_t n = vmdk::smaller_of(out.size(), page_bytes - in_page);
      const auto found = pages_.find(offset / page_bytes);
      if (found == pages_.end()) {
        vmdk::zero_bytes(out.first(n));
      } else {
        vmdk::copy_bytes(out.data(), found->second.data() + in_page, n);
      }
      offset += n;
      out = out.subspan(n);
    }
    return vmdk::no_failure;
  }

  vmdk::result<vmdk::range> next_data(std::uint64_t offset) const noexcept {
    if (offset > size_bytes_) {
      return vmdk::source_failure(vmdk::errc::out_of_range, offset);
    }
    auto page = pages_.lower_bound(offset / page_bytes);
    if (page == pages_.end()) return vmdk::range{size_bytes_, 0};
    const std::uint64_t begin = vmdk::larger_of(offset, page->first * page_bytes);
    std::uint64_t end = (page->first + 1) * page_bytes;
    while (++page != pages_.end() && page->first * page_bytes == end) end += page_bytes;
    end = vmdk::smaller_of(end, size_bytes_);
    return begin >= end ? vmdk::range{size_bytes_, 0} : vmdk::range{begin, end - begin};
  }

  vmdk::failure write(vmdk::byte_view bytes) noexcept { return write_at(size_bytes_, bytes); }

  vmdk::failure skip(std::uint64_t n) noexcept {
    size_bytes_ += n;
    return vmdk::no_failure;
  }

  vmdk::failure write_at(std::uint64_t offset, vmdk::byte_view bytes) noexcept {
    if (offset > size_bytes_) return vmdk::sink_failure(vmdk::errc::out_of_range, offset);
    size_bytes_ = vmdk::larger_of<std::uint64_t>(size_bytes_, offset + bytes.size());
    while (!bytes.empty()) {
      const std::size_t in_page = offset % page_bytes;
      const std::size_t n = vmdk::smaller_of(bytes.size(), page_bytes - in_page);
      vmdk::copy_bytes(pages_[offset / page_bytes].data() + in_page, bytes.data(), n);
      offset += n;
      bytes = bytes.subspan(n);
    }
    return vmdk::no_failure;
  }

  vmdk::failure resize(std::uint64_t size_bytes) noexcept {
    pages_.erase(pages_.lower_bound(vmdk::ceil_shift(size_bytes, 12)), pages_.end());
    if (const auto last = pages_.find(size_bytes / page_bytes); last != pages_.end()) {
      const std::size_t kept = size_bytes % page_bytes;
      vmdk::zero_bytes(last->second.data() + kept, page_bytes - kept);
    }
    size_bytes_ = size_bytes;
    return vmdk::no_failure;
  }

  vmdk::failure flush() noexcept { return vmdk::no_failure; }

  /// Bytes of memory in use.
  std::uint64_t kept_bytes() const noexcept { return pages_.size() * page_bytes; }

  /// All bytes; for small files.
  std::vector<std::byte> bytes() const {
    std::vector<std::byte> all(static_cast<std::size_t>(size_bytes_));
    (void)read_at(0, all);
    return all;
  }

  /// The number of n bytes at an offset, lowest byte first; zeros past the end.
  std::uint64_t number_at(std::uint64_t offset, std::size_t n) const {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < n; ++i) {
      std::byte one{};
      if (offset + i < size_bytes_) (void)read_at(offset + i, vmdk::byte_span(&one, 1));
      value |= std::uint64_t{std::to_integer<unsigned>(one)} << (8 * i);
    }
    return value;
  }

  /// Puts a number of n bytes at an offset, lowest byte first; the file grows where it must.
  void put_number(std::uint64_t offset, std::uint64_t value, std::size_t n) {
    if (size_bytes_ < offset) size_bytes_ = offset;
    for (std::size_t i = 0; i < n; ++i) {
      const auto one = static_cast<std::byte>(value >> (8 * i));
      (void)write_at(offset + i, vmdk::byte_view(&one, 1));
    }
  }

  friend bool operator==(const paged_file& a, const paged_file& b) {
    return a.size_bytes_ == b.size_bytes_ && a.covers(b) && b.covers(a);
  }

 private:
  /// True when each page kept here has the bytes that the other has there.
  bool covers(const paged_file& other) const {
    constexpr std::array<std::byte, page_bytes> zeros{};
    for (const auto& [number, page] : pages_) {
      const auto found = other.pages_.find(number);
      if (page != (found == other.pages_.end() ? zeros : found->second)) return false;
    }
    return true;
  }

  std::uint64_t size_bytes_ = 0;
  std::map<std::uint64_t, std::array<std::byte, page_bytes>> pages_;
};

static_assert(vmdk::Storage<paged_file> && vmdk::SparseSource<paged_file>);
static_assert(vmdk::HoleSink<paged_file>);

}  // namespace testing_support
