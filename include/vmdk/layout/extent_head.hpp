// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/sparse_geometry.hpp"
#include "vmdk/layout/capacity.hpp"
#include "vmdk/layout/types.hpp"

namespace vmdk {

/// What the layouts of all hosted sparse extents share: the disk in grains and tables, and the
/// header and descriptor in front of them. Source: SPEC 2, 3.
class extent_head {
 public:
  constexpr extent_head() noexcept = default;

  [[nodiscard]] constexpr const sparse_geometry& geometry() const noexcept { return geometry_; }
  [[nodiscard]] constexpr std::uint64_t capacity_sectors() const noexcept {
    return geometry_.capacity_sectors();
  }
  [[nodiscard]] constexpr std::uint64_t capacity_bytes() const noexcept {
    return geometry_.capacity_bytes();
  }
  [[nodiscard]] constexpr std::uint32_t grain_sectors() const noexcept {
    return geometry_.grain_sectors();
  }
  [[nodiscard]] constexpr std::uint64_t grain_count() const noexcept {
    return geometry_.grain_count();
  }
  [[nodiscard]] constexpr std::uint64_t table_count() const noexcept {
    return geometry_.table_count();
  }

  [[nodiscard]] constexpr region header() const noexcept { return {0, 1}; }
  [[nodiscard]] constexpr region descriptor() const noexcept { return {1, descriptor_sectors_}; }

 protected:
  /// Computes what hangs on size and grain alone.
  /// Errors, all with origin options: errc::grain_size_invalid (detail: the grain's sectors);
  /// errc::capacity_zero; errc::capacity_too_large for more than 2^25 tables, which no reader
  /// takes.
  template <class Options>
  [[nodiscard]] static constexpr result<extent_head> make(std::uint64_t disk_bytes,
                                                          const Options& options) noexcept {
    if (failure f = detail::check_grain(options.grain_sectors)) return f;
    const auto capacity = capacity_for(disk_bytes, options.grain_sectors, options.capacity);
    if (!capacity) return capacity.error();
    extent_head head;
    head.geometry_ = sparse_geometry(*capacity, options.grain_sectors);
    if (head.table_count() > table_count_limit) return options_failure(errc::capacity_too_large);
    head.descriptor_sectors_ = options.descriptor_sectors;
    return head;
  }

 private:
  sparse_geometry geometry_{};
  std::uint32_t descriptor_sectors_ = usual_descriptor_sectors;
};

}  // namespace vmdk
