// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "choices.hpp"
#include "vmdk/core/bytes.hpp"

namespace fuzzing {

/// One file of a bundle; its bytes end where their heap block does.
struct bundled_file {
  std::string name;
  std::vector<std::byte> bytes;
};

/// Several files in one input, so that a fuzzer may change any of them and their number.
///
/// A line "=FILE name" begins a file, and a line "=ZERO n" stands for n zeros, of which images have
/// many. Everything else is content; the newline before such a line belongs to the line. What
/// comes before the first "=FILE" is the file "disk.vmdk", so that an image as it is will do too.
class bundle {
 public:
  static constexpr std::size_t most_files = 16;
  static constexpr std::size_t most_bytes = std::size_t{1} << 18;  ///< Of all files together.

  explicit bundle(vmdk::byte_view input) {
    const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
    std::string name = "disk.vmdk";
    std::vector<std::byte> now;
    std::size_t at = 0;
    while (at < text.size()) {
      const std::size_t line = find_line(text, at);
      const std::size_t end = line == std::string_view::npos ? text.size() : line;
      // The newline before a line of ours is no content, but for one at the very beginning.
      const std::size_t content_end =
          line != std::string_view::npos && end > at && text[end - 1] == '\n' ? end - 1 : end;
      append(now, input.subspan(at, content_end - at));
      if (line == std::string_view::npos) break;
      const std::size_t line_end = text.find('\n', line);
      const std::string_view words = text.substr(line, line_end - line);
      at = line_end == std::string_view::npos ? text.size() : line_end + 1;
      const std::string_view value = words.substr(keyword_bytes);
      if (words.substr(0, keyword_bytes) == zero_keyword) {
        append_zeros(now, value);
        continue;
      }
      if (line != 0) close(name, now);
      if (files_.size() == most_files) return;
      name = value;
    }
    close(name, now);
  }

  std::vector<bundled_file>& files() { return files_; }
  const std::vector<bundled_file>& files() const { return files_; }

 private:
  static constexpr std::string_view file_keyword = "=FILE ";
  static constexpr std::string_view zero_keyword = "=ZERO ";
  static constexpr std::size_t keyword_bytes = 6;

  /// The next place, at the beginning of a line, of one of the two keywords.
  static std::size_t find_line(std::string_view text, std::size_t from) {
    for (std::size_t at = from; (at = text.find('=', at)) != std::string_view::npos; ++at) {
      if (at != from && text[at - 1] != '\n') continue;
      const std::string_view word = text.substr(at, keyword_bytes);
      if (word == file_keyword || word == zero_keyword) return at;
    }
    return std::string_view::npos;
  }

  void append(std::vector<std::byte>& to, vmdk::byte_view bytes) {
    const std::size_t n = std::min(bytes.size(), room_);
    to.insert(to.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
    room_ -= n;
  }
  void append_zeros(std::vector<std::byte>& to, std::string_view digits) {
    std::size_t n = 0;
    for (const char c : digits) {
      if (c < '0' || c > '9' || n > most_bytes) break;
      n = 10 * n + static_cast<std::size_t>(c - '0');
    }
    n = std::min(n, room_);
    to.resize(to.size() + n);
    room_ -= n;
  }
  void close(const std::string& name, std::vector<std::byte>& bytes) {
    files_.push_back({name, exact_copy(bytes)});
    bytes.clear();
  }

  std::size_t room_ = most_bytes;
  std::vector<bundled_file> files_;
};

/// Content as a bundle has it: long runs of zeros become a line.
inline std::string bundled(vmdk::byte_view bytes) {
  constexpr std::size_t shortest_run = 24;
  std::string text;
  for (std::size_t at = 0; at < bytes.size();) {
    std::size_t run = at;
    while (run < bytes.size() && bytes[run] == std::byte{0}) ++run;
    if (run - at >= shortest_run) {
      text += (text.empty() ? "=ZERO " : "\n=ZERO ") + std::to_string(run - at) + '\n';
      at = run;
    } else {
      for (run = std::min(run + 1, bytes.size()); at < run; ++at) {
        text += static_cast<char>(bytes[at]);
      }
    }
  }
  return text;
}

}  // namespace fuzzing
