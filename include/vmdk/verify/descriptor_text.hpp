// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/bytes_as_text.hpp"
#include "vmdk/format/descriptor_parser.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/verify/finding.hpp"

namespace vmdk::detail {

/// A descriptor that was read and checked.
struct checked_descriptor {
  bool is_usable = false;
  descriptor_view view{};
  std::size_t text_bytes = 0;  ///< At the start of the memory.
};

/// Turns what the descriptor's parser finds into findings, with the number of the line.
template <class Log>
class descriptor_reporter {
 public:
  constexpr descriptor_reporter(std::string_view text, std::uint64_t text_at, Log& log) noexcept
      : text_(text), text_at_(text_at), log_(&log) {}

  constexpr bool operator()(errc code, std::uint64_t offset) noexcept {
    finding found{.code = code, .offset = text_at_ + offset};
    found.entry = line_at(offset);
    why_ = log_->add(found);
    return !why_;
  }

  /// The line, from 1, of a place in the text. Places are mostly near to the one asked for before.
  [[nodiscard]] constexpr std::uint64_t line_at(std::uint64_t offset) noexcept {
    const auto wanted = static_cast<std::size_t>(smaller_of<std::uint64_t>(offset, text_.size()));
    for (; place_ < wanted; ++place_) line_ += text_.data()[place_] == '\n';
    for (; place_ > wanted; --place_) line_ -= text_.data()[place_ - 1] == '\n';
    return line_;
  }

  [[nodiscard]] constexpr failure why() const noexcept { return why_; }

 private:
  std::string_view text_;
  std::uint64_t text_at_;
  Log* log_;
  std::size_t place_ = 0;
  std::uint64_t line_ = 1;
  failure why_{};
};

/// Reads the text of a descriptor, up to the first zero byte of a region of a file, and checks it
/// and the padding behind it. The text stays at the start of the memory.
/// Errors: those of the file and of the log; errc::workspace_too_small.
template <class File, class Log>
[[nodiscard]] inline result<checked_descriptor> check_descriptor_text(
    File& file, const range& region, descriptor_place place, byte_span memory, Log& log) noexcept {
  std::uint64_t text_bytes = no_figure;
  descriptor_padding padding;
  for (std::uint64_t at = 0; at < region.bytes;) {
    // Padding is read over itself, so that only the text needs room.
    const auto used = static_cast<std::size_t>(smaller_of(text_bytes, at));
    const byte_span piece = memory.subspan(used).first(static_cast<std::size_t>(
        smaller_of<std::uint64_t>(memory.size() - used, region.bytes - at)));
    if (piece.empty()) {
      const auto wanted = static_cast<std::uint32_t>(region.bytes + sector_bytes);
      return options_failure(errc::workspace_too_small, 0, wanted);
    }
    if (failure f = file.read_at(region.offset + at, piece)) return f;
    std::size_t i = 0;
    if (text_bytes == no_figure) {
      while (i < piece.size() && piece.data()[i] != std::byte{0}) ++i;
      if (i < piece.size()) text_bytes = at + i;
    }
    for (; i < piece.size(); ++i) padding.add(static_cast<char>(piece.data()[i]));
    at += piece.size();
  }
  text_bytes = smaller_of(text_bytes, region.bytes);
  const std::string_view text = as_text(memory.first(static_cast<std::size_t>(text_bytes)));
  descriptor_reporter<Log> report(text, region.offset, log);
  if (const errc broken = padding.broken_rule(text, place); broken != errc::none) {
    report(broken, text_bytes + padding.broken_at());
    if (report.why()) return report.why();
  }
  const auto view = check_descriptor(text, place, report);
  if (report.why()) return report.why();
  checked_descriptor checked;
  checked.is_usable = view.ok();
  checked.view = view.value_or(descriptor_view{});
  checked.text_bytes = text.size();
  return checked;
}

}  // namespace vmdk::detail
