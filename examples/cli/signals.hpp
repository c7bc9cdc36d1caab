// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string>

#if defined(_WIN32)
#include <mutex>
#else
#include <csignal>
#endif

namespace vmdk::cli {

/// Ignores the signals whose causes are reported as errors (closed pipes, size limits), and has
/// those that stop the program remove its temporary files first.
void set_up_signals() noexcept;

/// Names a temporary file to remove when a signal stops the program. It may be gone by then.
void remove_when_stopped(const std::string& path);

/// Holds signals back while it lives: from before a temporary file is created until its name is
/// known.
class signals_held {
 public:
  signals_held() noexcept;
  signals_held(const signals_held&) = delete;
  signals_held& operator=(const signals_held&) = delete;
  ~signals_held();

 private:
#if defined(_WIN32)
  std::unique_lock<std::mutex> lock_;
#else
  sigset_t before_{};
#endif
};

}  // namespace vmdk::cli
