// SPDX-License-Identifier: BSD-2-Clause
// Reads the images in two memory chips and writes three, each through a port of its own.
// Port 0 says how it went: job, error, the place of the error, bytes of stack.
#include <string_view>

#include "jobs.hpp"

using namespace std::string_view_literals;

namespace {

board::line_out log(0);

void say(std::string_view text) {
  for (const char c : text) {
    const auto b = static_cast<std::byte>(c);
    (void)log.write({&b, 1});
  }
}

void say(std::uint32_t number) {
  char digits[10];
  std::size_t at = sizeof digits;
  do {
    digits[--at] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  say(" "sv);
  say({digits + at, sizeof digits - at});
}

/// Runs a job; true when it succeeds.
template <class From>
bool run(std::string_view name, vmdk::failure (&job)(From&, board::line_out&) noexcept, From from,
         unsigned port) {
  board::line_out out(port);
  board::paint_stack();
  const vmdk::failure why = job(from, out);
  const std::uint32_t stack_bytes = board::painted_over();
  say(name);
  say(static_cast<std::uint32_t>(why.code));
  say(static_cast<std::uint32_t>(why.offset));
  say(stack_bytes);
  say("\n"sv);
  return !why;
}

}  // namespace

extern "C" int main() {
  using namespace board;
  bool good = run("write_sparse"sv, jobs::write_sparse, generated_disk(), 1);
  good &= run("write_stored"sv, jobs::write_stored, generated_disk(), 2);
  good &= run("write_deflate"sv, jobs::write_deflate, generated_disk(), 3);
  good &= run("read_sparse"sv, jobs::read_sparse, flash(0), 4);
  good &= run("read_stream"sv, jobs::read_stream, line_in(1), 4);
  return good ? 0 : 1;
}
