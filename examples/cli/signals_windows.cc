// SPDX-License-Identifier: BSD-2-Clause
#include "signals.hpp"

#if defined(_WIN32)
#include <vector>

#include "vmdk/hosted/os.hpp"

namespace vmdk::cli {
namespace {

/// Held while the list, or a file that is not on it yet, is worked on: Windows tells of Ctrl+C on a
/// thread of its own.
std::mutex held;
std::vector<std::wstring> doomed_files;

BOOL WINAPI stop(DWORD) noexcept {
  const std::lock_guard lock(held);
  // An open file goes when the program does, which the system ends when this returns FALSE.
  for (const std::wstring& file : doomed_files) (void)::DeleteFileW(file.c_str());
  return FALSE;
}

}  // namespace

void set_up_signals() noexcept { (void)::SetConsoleCtrlHandler(stop, TRUE); }

// A signals_held lives where this is called.
void remove_when_stopped(const std::string& path) {
  std::wstring wide;
  if (path.empty() || vmdk::detail::os::to_wide(path, wide) != 0) return;
  doomed_files.push_back(std::move(wide));
}

signals_held::signals_held() noexcept : lock_(held) {}
signals_held::~signals_held() = default;

}  // namespace vmdk::cli
#endif
