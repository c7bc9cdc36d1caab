// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <chrono>
#include <cstdint>

namespace vmdk::cli {

/// Shows on standard error how far long work has come: on a terminal only, and only once the work
/// has taken a while. The line goes away with this object.
class progress {
 public:
  /// The work is to walk over so many bytes.
  explicit progress(std::uint64_t total_bytes) noexcept;
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;
  ~progress();

  /// The walk has come to this byte. Going back starts another walk.
  void reached(std::uint64_t offset) noexcept;

 private:
  using clock = std::chrono::steady_clock;

  void draw(clock::time_point now) noexcept;

  std::uint64_t total_bytes_;
  std::uint64_t reached_ = 0;
  clock::time_point began_{};
  clock::time_point next_{};  ///< No drawing before.
  bool is_terminal_;
  bool is_drawn_ = false;
};

}  // namespace vmdk::cli
