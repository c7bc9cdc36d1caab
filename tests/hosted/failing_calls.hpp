// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cerrno>
#include <cstddef>
#include <functional>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

/// System calls that fail on demand. failing_calls.cc stands between the headers and the C library
/// for the calls named there; what is arranged here holds for the thread that arranges it.
namespace hosted_testing {

/// While it lives, answers calls of one name. The latest that has an answer gives it.
class answered_call {
 public:
  /// Is told the number of the call, from 0 on, before it is made; what it returns is what the call
  /// returns, which is then not made. errno is its own to set.
  using answer = std::function<std::optional<long>(unsigned)>;

  answered_call(std::string_view name, answer says);
  answered_call(const answered_call&) = delete;
  answered_call& operator=(const answered_call&) = delete;
  ~answered_call();

  /// How many calls of the name there were.
  [[nodiscard]] unsigned calls() const { return calls_; }

  static std::optional<long> find(std::string_view name);

 private:
  std::string_view name_;
  answer says_;
  unsigned calls_ = 0;
  answered_call* older_;
};

inline constexpr unsigned for_ever = std::numeric_limits<unsigned>::max();

/// Fails calls of one name with an errno: the one of this number, and the next ones up to `times`.
class failing_call : public answered_call {
 public:
  failing_call(std::string_view name, int error, unsigned at = 0, unsigned times = 1)
      : answered_call(name, [=](unsigned call) -> std::optional<long> {
          if (call < at || call - at >= times) return std::nullopt;
          errno = error;
          return -1;
        }) {}
};

/// Has something happen just before the first call of one name.
class before_call : public answered_call {
 public:
  template <class Happens>
  before_call(std::string_view name, Happens happens)
      : answered_call(name, [=](unsigned call) -> std::optional<long> {
          if (call == 0) happens();
          return std::nullopt;
        }) {}
};

/// Lets no call read or write more bytes than this.
class short_transfers {
 public:
  explicit short_transfers(std::size_t bytes);
  short_transfers(const short_transfers&) = delete;
  short_transfers& operator=(const short_transfers&) = delete;
  ~short_transfers();
};

}  // namespace hosted_testing
