// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vmdk::cli {

/// Makes text from a file or an argument safe to print: one line, no control characters. What is
/// not well-formed UTF-8 is shown as \xHH.
[[nodiscard]] std::string printable(std::string_view text);

/// Writes to standard output. Throws an error when that fails.
void print(std::string_view text);

/// Prints `vmdk: SUBJECT: TEXT` on standard error, as one line.
void print_note(std::string_view subject, std::string_view text) noexcept;

/// Writes to standard error, as it stands.
void print_error(std::string_view text) noexcept;

/// Reads a size: a number of bytes, or one of K, M, G, T, P, each 1024 times the one before. False,
/// and `bytes` untouched, for anything else.
[[nodiscard]] bool read_size(std::string_view text, std::uint64_t& bytes);

/// A number of things: "1 grain", "2 grains".
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view what);

/// A size for a person's eyes: "64 KiB", "1.25 GiB".
[[nodiscard]] std::string size_text(std::uint64_t bytes);

/// A size both exact and for a person's eyes: "65536 bytes (64 KiB)".
[[nodiscard]] std::string exact_size_text(std::uint64_t bytes);

}  // namespace vmdk::cli
