// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/io/next_data.hpp"

namespace vmdk {

namespace detail {

template <std::size_t Index, Source S>
struct concat_part {
  S* source;
};

template <class Indices, Source... S>
class concat_parts;

template <std::size_t... Index, Source... S>
class concat_parts<std::index_sequence<Index...>, S...> : concat_part<Index, S>... {
 public:
  constexpr explicit concat_parts(S&... parts) noexcept : concat_part<Index, S>{&parts}... {}

  /// Calls visit(source, index) for each part in turn, as long as it returns true.
  template <class Visit>
  constexpr void each(Visit visit) const noexcept {
    (void)(visit(*static_cast<const concat_part<Index, S>&>(*this).source,
                 static_cast<std::uint32_t>(Index)) &&
           ...);
  }
};

}  // namespace detail

/// Reads several Sources, which the caller owns and keeps alive, as one after the other.
/// SparseSource where one of them is.
///
/// A part's failure keeps its cause and its offset in that part; `index`, where the part left it 0,
/// says which part. errc::out_of_range of the whole carries the offset in the whole.
template <Source... S>
  requires(sizeof...(S) != 0)
class concat_source {
 public:
  constexpr explicit concat_source(S&... parts) noexcept : parts_(parts...) {}

  /// The sum of the parts' sizes; it must be less than 2^64.
  [[nodiscard]] constexpr std::uint64_t size() const noexcept {
    std::uint64_t sum = 0;
    parts_.each([&](const auto& part, std::uint32_t) {
      if (checked_add(sum, part.size(), sum)) return true;
      sum = (std::numeric_limits<std::uint64_t>::max)();
      return false;
    });
    return sum;
  }

  /// Reads from each part that has a share in the range. Errors: errc::out_of_range, and those of
  /// the parts.
  constexpr failure read_at(std::uint64_t offset, byte_span out) noexcept {
    if (!fits_inside(offset, out.size(), size())) {
      return source_failure(errc::out_of_range, offset);
    }
    failure why;
    parts_.each([&](auto& part, std::uint32_t index) {
      const std::uint64_t part_bytes = std::as_const(part).size();
      if (offset >= part_bytes) {
        offset -= part_bytes;
        return true;
      }
      const auto share =
          static_cast<std::size_t>(smaller_of<std::uint64_t>(out.size(), part_bytes - offset));
      if (share != 0) why = of_part(part.read_at(offset, out.first(share)), index);
      out = out.subspan(share);
      offset = 0;
      return !why && !out.empty();
    });
    return why;
  }

  /// Finds data; runs that touch across parts are one. Errors: errc::out_of_range, and those of the
  /// parts.
  constexpr result<range> next_data(std::uint64_t offset) noexcept
    requires(SparseSource<S> || ...)
  {
    const std::uint64_t size_bytes = size();
    if (offset > size_bytes) return source_failure(errc::out_of_range, offset);
    range found{size_bytes, 0};
    failure why;
    std::uint64_t end = 0;
    parts_.each([&](auto& part, std::uint32_t index) {
      const std::uint64_t start = end;
      end += std::as_const(part).size();
      if (offset >= end) return true;
      const result<range> piece = next_data_of(part, offset > start ? offset - start : 0);
      if (!piece) {
        why = of_part(piece.error(), index);
        return false;
      }
      if (piece->bytes == 0) return found.bytes == 0;
      if (found.bytes == 0) {
        found = {start + piece->offset, piece->bytes};
      } else if (start + piece->offset == found.end()) {
        found.bytes += piece->bytes;
      }
      return found.end() == end;
    });
    if (why) return why;
    return found;
  }

 private:
  static constexpr failure of_part(failure why, std::uint32_t index) noexcept {
    if (why && why.index == 0) why.index = index;
    return why;
  }

  detail::concat_parts<std::index_sequence_for<S...>, S...> parts_;
};

}  // namespace vmdk
