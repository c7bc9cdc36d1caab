// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/descriptor_view.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/reader/extent.hpp"
#include "vmdk/reader/file_view.hpp"

namespace vmdk {

/// One link of a chain: the disk itself, or an ancestor of it.
struct link {
  file_id file{};                  ///< Of its descriptor, or of the sparse file that holds it.
  std::uint32_t first_extent = 0;  ///< Among all extents of the image.
  std::uint32_t extent_count = 0;
  std::uint32_t cid = 0;
};

/// The memory of an opened image as spans, for memory whose size is known at run time only.
struct image_spans {
  std::span<extent> extents;
  std::span<link> links;
  byte_span text;
};

/// The memory of an opened image. It bounds how many extents and links an image may have, and how
/// long its descriptors may be; the default takes what is common, in about 50 KiB.
template <std::size_t MaxExtents = 128, std::size_t MaxLinks = 16,
          std::size_t TextBytes = 2 * 20 * sector_bytes>
struct image_memory {
  std::array<extent, MaxExtents> extents{};
  std::array<link, MaxLinks> links{};
  std::array<std::byte, TextBytes> text{};

  [[nodiscard]] constexpr image_spans spans() noexcept { return {extents, links, text}; }
};

/// An opened VMDK of any type, with its parents. Immutable: threads may share it, each with a
/// cursor of its own. Files and memory are the caller's and outlive it. Made by `open`.
template <Files F>
class image {
 public:
  constexpr image() noexcept = default;
  constexpr image(files_pointer<F> files, std::span<const extent> extents,
                  std::span<const link> links, const descriptor_view& descriptor) noexcept
      : files_(files), extents_(extents), links_(links), descriptor_(descriptor) {}

  /// The capacity of the disk in bytes.
  [[nodiscard]] constexpr std::uint64_t size() const noexcept {
    return links_.empty() ? 0 : last_extent(links_.front()).end();
  }

  /// The Files object; the single_file of an image of one Source, by value.
  [[nodiscard]] constexpr decltype(auto) files() const noexcept { return *files_; }

  /// The disk's own link first, then its parent, and so on.
  [[nodiscard]] constexpr std::span<const link> links() const noexcept { return links_; }

  /// The extents of a link, in the order of the disk.
  [[nodiscard]] constexpr std::span<const extent> extents(const link& of) const noexcept {
    return extents_.subspan(of.first_extent, of.extent_count);
  }
  /// All extents of all links.
  [[nodiscard]] constexpr std::span<const extent> extents() const noexcept { return extents_; }

  /// The descriptor of the disk's own link; its text lies in the caller's memory.
  [[nodiscard]] constexpr const descriptor_view& descriptor() const noexcept { return descriptor_; }

  /// The number, among all extents, of the one of a link that has an offset of the disk.
  [[nodiscard]] constexpr std::uint32_t find_extent(const link& of,
                                                    std::uint64_t offset) const noexcept {
    const extent* const first = extents_.data() + of.first_extent;
    std::uint32_t low = 0;
    std::uint32_t high = of.extent_count - 1;
    while (low < high) {
      const std::uint32_t middle = low + (high - low) / 2;
      if (offset < first[middle].end()) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return of.first_extent + low;
  }

  /// The largest grain of all compressed extents, in bytes; 0 when nothing is compressed.
  [[nodiscard]] constexpr std::uint32_t compressed_grain_bytes() const noexcept {
    std::uint32_t largest = 0;
    for (std::size_t i = 0; i < extents_.size(); ++i) {
      largest = larger_of(largest, extents_.data()[i].compressed_grain_bytes());
    }
    return largest;
  }

 private:
  [[nodiscard]] constexpr const extent& last_extent(const link& of) const noexcept {
    return extents_.data()[of.first_extent + of.extent_count - 1];
  }

  files_pointer<F> files_{};
  std::span<const extent> extents_{};
  std::span<const link> links_{};
  descriptor_view descriptor_{};
};

}  // namespace vmdk
