// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/format/content_id.hpp"
#include "vmdk/format/sparse_geometry.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/io/next_data.hpp"
#include "vmdk/writer/grain_stream.hpp"

namespace vmdk::detail {

/// Remembers the last range of data that a source told of, so that a walk asks once for each.
template <Source S>
class data_finder {
 public:
  constexpr explicit data_finder(S& source) noexcept : source_(&source) {}

  /// The first range of data that ends behind an offset, which never descends; one of length 0, and
  /// without an end, when there is none. Errors: those of the source.
  [[nodiscard]] constexpr result<range> at(std::uint64_t offset) noexcept {
    if (offset >= known_until_) {
      const std::uint64_t size_bytes = source_->size();
      data_ = {};
      known_until_ = ~std::uint64_t{0};
      if (offset < size_bytes) {
        const auto found = next_data_of(*source_, offset);
        if (!found) {
          known_until_ = 0;
          return found.error();
        }
        data_ = *found;
        if (data_.bytes != 0) known_until_ = data_.end();
      }
    }
    if (data_.bytes == 0 || data_.offset >= offset) return data_;
    return range{offset, data_.end() - offset};
  }

 private:
  S* source_;
  range data_{};
  std::uint64_t known_until_ = 0;
};

/// Reads a disk, and takes for data also what is data in its parent: there the disk may have to
/// hide the parent's bytes with zeros. To be walked front to back.
template <Source S, Source P>
class delta_source {
 public:
  /// Disk and parent are the caller's.
  constexpr delta_source(S& disk, P& parent) noexcept
      : disk_(&disk), disk_data_(disk), parent_data_(parent) {}

  [[nodiscard]] constexpr std::uint64_t size() const noexcept {
    return static_cast<const S*>(disk_)->size();
  }

  constexpr failure read_at(std::uint64_t offset, byte_span out) noexcept {
    return disk_->read_at(offset, out);
  }

  /// The next data of either. Errors: those of the disk and of the parent.
  constexpr result<range> next_data(std::uint64_t offset) noexcept {
    const auto own = disk_data_.at(offset);
    if (!own) return own;
    const auto hidden = parent_data_.at(offset);
    if (!hidden) return hidden;
    const range first = comes_first(*own, *hidden) ? *own : *hidden;
    if (first.bytes == 0 || first.offset >= size()) return range{size(), 0};
    return range{first.offset, smaller_of(first.end(), size()) - first.offset};
  }

 private:
  [[nodiscard]] static constexpr bool comes_first(const range& a, const range& b) noexcept {
    if (a.bytes == 0 || b.bytes == 0) return a.bytes != 0;
    return a.offset != b.offset ? a.offset < b.offset : a.bytes > b.bytes;
  }

  S* disk_;
  data_finder<S> disk_data_;
  data_finder<P> parent_data_;
};

/// Tells grains in which a disk differs from its parent from others, and adds what it sees of the
/// disk to a content id.
template <Source P>
class delta_scanner {
 public:
  /// Without a hasher nothing is hashed. The buffer takes as many of the parent's grains as are
  /// fetched at a time.
  constexpr delta_scanner(P& parent, const sparse_geometry& geometry, content_hasher* hasher,
                          byte_span buffer) noexcept
      : parent_(&parent),
        hashed_(geometry, hasher),
        hashing_(hasher != nullptr),
        grain_byte_shift_(geometry.grain_byte_shift()),
        buffer_(buffer) {}

  /// Reads the parent's side of some grains; behind its end there are zeros.
  /// Errors: those of the parent.
  [[nodiscard]] constexpr failure fetch(std::uint64_t first_grain, std::uint64_t grains) noexcept {
    first_grain_ = first_grain;
    const byte_span wanted = buffer_.first(static_cast<std::size_t>(grains << grain_byte_shift_));
    const std::uint64_t offset = first_grain << grain_byte_shift_;
    const std::uint64_t size_bytes = parent_->size();
    const std::uint64_t rest_bytes = offset < size_bytes ? size_bytes - offset : 0;
    const auto there =
        static_cast<std::size_t>(smaller_of<std::uint64_t>(wanted.size(), rest_bytes));
    zero_bytes(wanted.subspan(there));
    return there == 0 ? no_failure : parent_->read_at(offset, wanted.first(there));
  }

  /// True when one of the fetched grains is another in the parent.
  [[nodiscard]] constexpr bool holds_data(const std::byte* grain, std::uint64_t index) noexcept {
    if (hashing_) (void)hashed_.holds_data(grain, index);
    const auto at = static_cast<std::size_t>((index - first_grain_) << grain_byte_shift_);
    return !equal_bytes(grain, buffer_.data() + at, std::size_t{1} << grain_byte_shift_);
  }

 private:
  P* parent_;
  grain_scanner hashed_;
  bool hashing_;
  unsigned grain_byte_shift_;
  byte_span buffer_;
  std::uint64_t first_grain_ = 0;
};

}  // namespace vmdk::detail
