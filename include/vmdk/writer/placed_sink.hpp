// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "vmdk/core/bytes.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/io/concepts.hpp"

namespace vmdk {

/// Writes front to back at a place of a SeekableSink, so that one piece of code serves both kinds
/// of sink. The bytes passed over by `skip` must be zero already: `resize` has made them so.
template <SeekableSink K>
class placed_sink {
 public:
  /// The sink is the caller's.
  constexpr placed_sink(K& sink, std::uint64_t offset) noexcept : sink_(&sink), offset_(offset) {}

  /// Errors: those of the sink, after which the place has not moved.
  constexpr failure write(byte_view bytes) noexcept {
    if (failure f = sink_->write_at(offset_, bytes)) return f;
    offset_ += bytes.size();
    return no_failure;
  }
  constexpr failure skip(std::uint64_t n) noexcept {
    offset_ += n;
    return no_failure;
  }

 private:
  K* sink_;
  std::uint64_t offset_;
};

}  // namespace vmdk
