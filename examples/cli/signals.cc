// SPDX-License-Identifier: BSD-2-Clause
#include "signals.hpp"

#if !defined(_WIN32)
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>

namespace vmdk::cli {
namespace {

constexpr int stopping[] = {SIGINT, SIGTERM, SIGHUP};

/// The files to remove. Entries are never freed, so that a handler may walk over them at any time.
struct doomed_file {
  std::string path;
  doomed_file* next;
};
std::atomic<doomed_file*> doomed_files{nullptr};
static_assert(std::atomic<doomed_file*>::is_always_lock_free);

void stop(int signal) {
  for (const doomed_file* file = doomed_files; file != nullptr; file = file->next) {
    (void)::unlink(file->path.c_str());
  }
  // Whoever started the program shall see that a signal ended it.
  (void)std::signal(signal, SIG_DFL);
  (void)::raise(signal);
}

sigset_t stopping_set() noexcept {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : stopping) sigaddset(&set, signal);
  return set;
}

}  // namespace

void set_up_signals() noexcept {
  (void)std::signal(SIGPIPE, SIG_IGN);
  (void)std::signal(SIGXFSZ, SIG_IGN);
  struct sigaction action{};
  action.sa_handler = stop;
  action.sa_mask = stopping_set();
  for (const int signal : stopping) {
    struct sigaction before{};
    // Who started the program under nohup wants it to go on.
    if (::sigaction(signal, nullptr, &before) == 0 && before.sa_handler == SIG_IGN) continue;
    (void)::sigaction(signal, &action, nullptr);
  }
}

void remove_when_stopped(const std::string& path) {
  if (path.empty()) return;
  doomed_files = new doomed_file{path, doomed_files};
}

signals_held::signals_held() noexcept {
  const sigset_t held = stopping_set();
  (void)::sigprocmask(SIG_BLOCK, &held, &before_);
}

signals_held::~signals_held() { (void)::sigprocmask(SIG_SETMASK, &before_, nullptr); }

}  // namespace vmdk::cli
#endif
