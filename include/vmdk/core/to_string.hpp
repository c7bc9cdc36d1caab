// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string_view>

#include "vmdk/core/errc.hpp"
#include "vmdk/core/error_sentences.hpp"
#include "vmdk/core/failure.hpp"

namespace vmdk {

/// Says in one sentence what a code means, for a user's eyes: no full stop, no line end. Codes of a
/// caller's own are "an error of the caller's own code"; their text is the caller's.
[[nodiscard]] constexpr std::string_view to_string(errc code) noexcept {
  using namespace std::string_view_literals;
  for (const detail::error_sentence& sentence : detail::error_sentences) {
    if (sentence.code == code) return sentence.text;
  }
  return code >= errc::caller_first ? "an error of the caller's own code"sv : "an unknown error"sv;
}

/// Says whose failure it is, to stand before or after a sentence.
[[nodiscard]] constexpr std::string_view to_string(origin from) noexcept {
  using namespace std::string_view_literals;
  switch (from) {
    case origin::none:
      return "none"sv;
    case origin::source:
      return "source"sv;
    case origin::sink:
      return "sink"sv;
    case origin::codec:
      return "codec"sv;
    case origin::image:
      return "image"sv;
    case origin::files:
      return "files"sv;
    case origin::options:
      return "options"sv;
  }
  return "unknown"sv;
}

}  // namespace vmdk
