// SPDX-License-Identifier: BSD-2-Clause
#include "progress.hpp"

#include <algorithm>
#include <cstdio>
#include <string>

#include "text.hpp"
#include "vmdk/hosted/os.hpp"

namespace vmdk::cli {
namespace {

constexpr auto first_pause = std::chrono::milliseconds(400);
constexpr auto pause = std::chrono::milliseconds(100);
constexpr std::size_t bar_width = 30;

bool is_on_terminal() noexcept {
  namespace os = vmdk::detail::os;
  return os::is_terminal(os::standard(os::standard_stream::error));
}

}  // namespace

progress::progress(std::uint64_t total_bytes) noexcept
    : total_bytes_(total_bytes), is_terminal_(total_bytes != 0 && is_on_terminal()) {
  if (!is_terminal_) return;
  began_ = clock::now();
  next_ = began_ + first_pause;
}

progress::~progress() {
  if (is_drawn_) print_error("\r\033[K");
}

void progress::reached(std::uint64_t offset) noexcept {
  if (!is_terminal_) return;
  const clock::time_point now = clock::now();
  if (offset < reached_) began_ = now;
  reached_ = std::min(offset, total_bytes_);
  if (now < next_) return;
  next_ = now + pause;
  draw(now);
}

void progress::draw(clock::time_point now) noexcept {
  const double share = static_cast<double>(reached_) / static_cast<double>(total_bytes_);
  const double seconds = std::chrono::duration<double>(now - began_).count();
  const double rate = seconds > 0 ? static_cast<double>(reached_) / seconds : 0;
  const auto filled = static_cast<std::size_t>(share * static_cast<double>(bar_width));
  std::string bar(filled, '#');
  bar.resize(bar_width, '.');

  char line[128];
  (void)std::snprintf(line, sizeof line, "\r%3d %% [%s] %s/s", static_cast<int>(share * 100),
                      bar.c_str(), size_text(static_cast<std::uint64_t>(rate)).c_str());
  std::string text = line;
  if (rate > 0) {
    const double left = static_cast<double>(total_bytes_ - reached_) / rate;
    (void)std::snprintf(line, sizeof line, ", %.0f s left", left);
    text += line;
  }
  print_error(text + "\033[K");
  is_drawn_ = true;
}

}  // namespace vmdk::cli
