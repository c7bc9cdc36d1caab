// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "vmdk/core/failure.hpp"

namespace vmdk::cli {

/// The statuses that the program exits with.
inline constexpr int status_done = 0;
inline constexpr int status_negative = 1;  ///< A negative answer: images differ, damage was found.
inline constexpr int status_error = 2;

/// What ends the program with status_error, and what the user reads then:
/// `vmdk: SUBJECT: TEXT`, the subject being a file or an option.
class error {
 public:
  error(std::string subject, std::string text)
      : subject_(std::move(subject)), text_(std::move(text)) {}

  [[nodiscard]] const std::string& subject() const noexcept { return subject_; }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  std::string subject_;
  std::string text_;
};

/// The name that messages have for a file.
[[nodiscard]] std::string name_of_input(const std::string& path);
[[nodiscard]] std::string name_of_output(const std::string& path);

/// "(at byte 53252, in sector 104)": the sector only where there is a sector to look for.
[[nodiscard]] std::string place_text(std::uint64_t offset);

/// The sentence for a file that could not be opened: there is no place yet.
[[nodiscard]] std::string opening_text(const failure& why);

/// The sentence for a failure of a source, sink or image, with its place.
[[nodiscard]] std::string failure_text(const failure& why);

/// Throws what a failed `open` means for this file.
[[noreturn]] void fail_opening(const std::string& subject, const failure& why);

/// Throws what a failure means for this file.
[[noreturn]] void fail(const std::string& subject, const failure& why);

}  // namespace vmdk::cli
