// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/core/result.hpp"

#include <catch2/catch.hpp>
#include <csetjmp>
#include <csignal>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace result_test {
namespace {

using namespace vmdk;

static_assert(!std::is_convertible_v<result<std::uint64_t>, bool>,
              "result<bool> must not be taken for its value");

struct point {
  int x = 0;
  int y = 0;
};

constexpr result<int> half(int n) {
  if (n % 2 != 0) return options_failure(errc::option_invalid, 3);
  return n / 2;
}

constexpr bool a_value_is_there_or_not() {
  const auto good = half(8);
  const auto bad = half(7);
  bool ok = good && good.ok() && *good == 4 && good.value() == 4 && good.error() == no_failure;
  ok = ok && !bad && !bad.ok() && bad.error() == options_failure(errc::option_invalid, 3);
  ok = ok && good.value_or(9) == 4 && bad.value_or(9) == 9;
  ok = ok && good == 4 && good != 5 && bad != 0 && bad != 4;
  return ok;
}
static_assert(a_value_is_there_or_not());

constexpr bool a_value_can_be_reached() {
  result<point> p = point{1, 2};
  p->x = 5;
  (*p).y = 6;
  p.value().y += 1;
  const result<point> q = p;
  const point moved = result<point>(point{3, 4}).value();
  return q->x == 5 && q.value().y == 7 && moved.x == 3 && moved.y == 4;
}
static_assert(a_value_can_be_reached());

struct only_moves {
  constexpr only_moves() = default;
  constexpr explicit only_moves(int n) : number(n) {}
  constexpr only_moves(only_moves&& other) noexcept : number(other.number) { other.number = 0; }
  int number = 0;
};

constexpr bool a_value_may_be_one_that_only_moves() {
  result<only_moves> r = only_moves(7);
  const only_moves out = static_cast<result<only_moves>&&>(r).value();
  return out.number == 7 && r->number == 0;
}
static_assert(a_value_may_be_one_that_only_moves());

/// Asking for a value that is not there is not a constant expression.
template <class T, auto = T{}().value()>
constexpr bool is_constant(T) {
  return true;
}
constexpr bool is_constant(...) { return false; }
static_assert(is_constant([] { return half(8); }));
static_assert(!is_constant([] { return half(7); }));

/// At run time it raises the signal that the machine has for that.
sigjmp_buf after_the_trap;
[[noreturn]] void leave_the_trap(int) { siglongjmp(after_the_trap, 1); }

/// What a trap raises depends on the processor.
template <class Ask>
bool is_trapped(Ask ask) {
  constexpr int signals[] = {SIGILL, SIGTRAP, SIGFPE};
  void (*before[3])(int);
  for (int i = 0; i < 3; ++i) before[i] = std::signal(signals[i], leave_the_trap);
  const bool trapped = sigsetjmp(after_the_trap, 1) != 0;
  if (!trapped) ask();
  for (int i = 0; i < 3; ++i) std::signal(signals[i], before[i]);
  return trapped;
}

}  // namespace

TEST_CASE("asking for a value that is not there stops the program") {
  result<int> good = 1;
  result<int> bad = half(7);
  CHECK(is_trapped([&] { static_cast<void>(std::as_const(bad).value()); }));
  CHECK(is_trapped([&] { static_cast<void>(bad.value()); }));
  CHECK(is_trapped([&] { static_cast<void>(std::move(bad).value()); }));
  CHECK(!is_trapped([&] { static_cast<void>(good.value()); }));
}

TEST_CASE("a result has a value or says why not") {
  CHECK(a_value_is_there_or_not());
  CHECK(a_value_can_be_reached());
  CHECK(a_value_may_be_one_that_only_moves());
}

}  // namespace result_test
