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

namespace vmdk {

/// Walks a disk front to back in whole grains and passes over what the source knows to be holes.
/// Reads ascend and are as large as the buffer allows; a mapped source is not copied.
template <Source S>
class grain_stream {
 public:
  /// Neighbouring whole grains; none when nothing is left below the limit.
  struct chunk {
    std::uint64_t first_grain = 0;
    std::uint64_t grains = 0;
    const std::byte* bytes = nullptr;
  };

  /// The buffer holds at least one grain; source and buffer outlive the stream.
  constexpr grain_stream(S& source, const sparse_geometry& geometry, byte_span buffer) noexcept
      : source_(&source),
        grain_byte_shift_(geometry.grain_byte_shift()),
        source_bytes_(source.size()),
        buffer_(buffer) {}

  [[nodiscard]] constexpr unsigned grain_byte_shift() const noexcept { return grain_byte_shift_; }

  /// Gives the next grains below a limit that may hold data; they stay valid until the next call.
  /// Bytes past the end of the source are zeros. Errors: those of the source; the call may be
  /// repeated.
  [[nodiscard]] constexpr result<chunk> next(std::uint64_t limit_grain) noexcept {
    return next(limit_grain, buffer_);
  }

  /// As above, into another buffer of at least one grain.
  [[nodiscard]] constexpr result<chunk> next(std::uint64_t limit_grain, byte_span buffer) noexcept {
    auto found = peek(limit_grain);
    if (!found || found->grains == 0) return found;
    if constexpr (MappedSource<S>) {
      const std::uint64_t mapped = (source_bytes_ - at()) >> grain_byte_shift_;
      if (mapped != 0) {
        found->grains = smaller_of(found->grains, mapped);
        const auto wanted = static_cast<std::size_t>(found->grains << grain_byte_shift_);
        const byte_view there = source_->view(at(), wanted);
        if (there.size() == wanted) {
          found->bytes = there.data();
          return step(*found);
        }
        // A source that cannot show its bytes says why when it is to read them.
      }
    }
    found->grains = smaller_of<std::uint64_t>(found->grains, buffer.size() >> grain_byte_shift_);
    if (failure f = read(*source_, *found, buffer)) return f;
    found->bytes = buffer.data();
    return step(*found);
  }

  /// Gives at most so many of the next grains below a limit that may hold data, and passes over
  /// them without reading them. Errors: those of the source; the call may be repeated.
  [[nodiscard]] constexpr result<chunk> find(std::uint64_t limit_grain,
                                             std::uint64_t most_grains) noexcept {
    auto found = peek(limit_grain);
    if (!found) return found;
    found->grains = smaller_of(found->grains, most_grains);
    return step(*found);
  }

  /// Reads grains that were found, from this source or another one of the same disk, into a buffer
  /// that has room for them. Errors: those of the source.
  template <Source From>
  [[nodiscard]] constexpr failure read(From& source, const chunk& found,
                                       byte_span buffer) const noexcept {
    const std::uint64_t offset = found.first_grain << grain_byte_shift_;
    const auto wanted = static_cast<std::size_t>(found.grains << grain_byte_shift_);
    const auto there =
        static_cast<std::size_t>(smaller_of<std::uint64_t>(wanted, source_bytes_ - offset));
    if (failure f = source.read_at(offset, buffer.first(there))) return f;
    zero_bytes(buffer.data() + there, wanted - there);
    return no_failure;
  }

 private:
  [[nodiscard]] constexpr std::uint64_t at() const noexcept { return grain_ << grain_byte_shift_; }

  [[nodiscard]] constexpr chunk step(const chunk& found) noexcept {
    grain_ += found.grains;
    return found;
  }

  /// All of the next grains below a limit that may hold data.
  [[nodiscard]] constexpr result<chunk> peek(std::uint64_t limit_grain) noexcept {
    if (failure f = pass_over_hole()) return f;
    if (grain_ >= limit_grain || at() >= source_bytes_) return chunk{};
    const std::uint64_t data_grains = ceil_shift(data_.end() - at(), grain_byte_shift_);
    return chunk{.first_grain = grain_,
                 .grains = smaller_of(limit_grain - grain_, data_grains),
                 .bytes = nullptr};
  }

  /// Moves to the first grain at or behind the present one that holds data, or past the end.
  [[nodiscard]] constexpr failure pass_over_hole() noexcept {
    if (at() < data_.end() || at() >= source_bytes_) return no_failure;
    const auto found = next_data_of(*source_, at());
    if (!found) return found.error();
    data_ = *found;
    if (data_.bytes == 0)
      data_.offset = align_up(source_bytes_, std::uint64_t{1} << grain_byte_shift_);
    grain_ = larger_of(grain_, data_.offset >> grain_byte_shift_);
    return no_failure;
  }

  S* source_;
  unsigned grain_byte_shift_;
  std::uint64_t source_bytes_;
  byte_span buffer_;
  std::uint64_t grain_ = 0;
  range data_{};  ///< The source's data around the present grain.
};

/// Tells grains of zeros from others, and adds what it sees to a content id.
class grain_scanner {
 public:
  /// Without a hasher only zeros are looked for. `disk_offset` is where on the disk grain 0 lies, a
  /// multiple of 4 KiB; the hasher is the caller's.
  constexpr grain_scanner(const sparse_geometry& geometry, content_hasher* hasher,
                          std::uint64_t disk_offset = 0) noexcept
      : hasher_(hasher),
        first_block_(disk_offset >> block_shift),
        blocks_shift_(geometry.grain_byte_shift() - block_shift) {}

  /// True when the grain holds anything but zeros.
  [[nodiscard]] constexpr bool holds_data(const std::byte* grain,
                                          std::uint64_t grain_index) noexcept {
    const std::uint64_t blocks = std::uint64_t{1} << blocks_shift_;
    bool data = false;
    for (std::uint64_t i = 0; i < blocks; ++i) {
      const std::byte* block = grain + (i << block_shift);
      if (is_zero(block, content_hasher::block_bytes)) continue;
      data = true;
      if (hasher_ == nullptr) break;
      hasher_->add_data_block(block, first_block_ + (grain_index << blocks_shift_) + i);
    }
    return data;
  }

 private:
  static constexpr unsigned block_shift = log2_exact(content_hasher::block_bytes);

  content_hasher* hasher_;
  std::uint64_t first_block_;
  unsigned blocks_shift_;
};

namespace detail {

/// Makes sure that a source which knows where it must end ended there.
template <Source S>
[[nodiscard]] constexpr failure finish_source(S& source) noexcept {
  if constexpr (FinishingSource<S>) {
    return source.finish();
  } else {
    return no_failure;
  }
}

}  // namespace detail
}  // namespace vmdk
