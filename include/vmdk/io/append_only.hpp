// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "vmdk/core/bytes.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/io/concepts.hpp"

namespace vmdk {

/// Lets another Sink, which the caller owns and keeps alive, be written at its end only, as a pipe
/// would be. HoleSink and Flushable where that one is. Failures pass unchanged.
template <Sink S>
class append_only_sink {
 public:
  constexpr explicit append_only_sink(S& inner) noexcept : inner_(&inner) {}

  /// Adds bytes at the end. Errors: those of the inner sink.
  constexpr failure write(byte_view bytes) noexcept { return inner_->write(bytes); }

  /// Leaves a hole at the end. Errors: those of the inner sink.
  constexpr failure skip(std::uint64_t n) noexcept
    requires HoleSink<S>
  {
    return inner_->skip(n);
  }

  /// Puts a barrier. Errors: those of the inner sink.
  constexpr failure flush() noexcept
    requires Flushable<S>
  {
    return inner_->flush();
  }

 private:
  S* inner_;
};

}  // namespace vmdk
