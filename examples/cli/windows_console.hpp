// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#if defined(_WIN32)
#include <string>
#include <vector>

#include "vmdk/hosted/os.hpp"
// After windows.h, which it needs.
#include <shellapi.h>

namespace vmdk::cli {

/// Has the program speak UTF-8 while it lives: main's arguments and what a console shows would go
/// through the user's code page.
class windows_console {
 public:
  windows_console() {
    (void)::SetConsoleOutputCP(CP_UTF8);
    // What the progress bar is drawn with.
    void* const output = ::GetStdHandle(STD_ERROR_HANDLE);
    DWORD mode = 0;
    if (::GetConsoleMode(output, &mode) != 0) {
      (void)::SetConsoleMode(output, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING);
    }
    int count = 0;
    wchar_t** const words = ::CommandLineToArgvW(::GetCommandLineW(), &count);
    for (int i = 0; i < count; ++i) words_.push_back(vmdk::detail::os::to_utf8(words[i]));
    (void)::LocalFree(words);
    for (std::string& word : words_) pointers_.push_back(word.data());
    pointers_.push_back(nullptr);
  }
  windows_console(const windows_console&) = delete;
  windows_console& operator=(const windows_console&) = delete;
  ~windows_console() { (void)::SetConsoleOutputCP(code_page_); }

  [[nodiscard]] int argument_count() const noexcept { return static_cast<int>(words_.size()); }
  [[nodiscard]] char** arguments() noexcept { return pointers_.data(); }

 private:
  UINT code_page_ = ::GetConsoleOutputCP();
  std::vector<std::string> words_;
  std::vector<char*> pointers_;
};

}  // namespace vmdk::cli
#endif
