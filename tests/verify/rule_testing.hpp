// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "tests/verify/testing.hpp"

/// Breaks one rule at a time in a good image, and sees what readers and a check make of it.
namespace verify_testing {

using namespace testing_support;

/// What a reader does with an image.
enum class verdict {
  refused,     ///< open fails.
  unreadable,  ///< open takes it, but reading all of the disk fails.
  accepted,
};

verdict judge(const bytes& file, strictness mode);

/// True when a strict reader that looks at everything first takes the image.
bool is_opened_after_check(const bytes& file);

/// One broken rule: how to break it in a good image, and what must be said. `spoil` gives the
/// offset at which the finding stands.
template <class Image>
struct row {
  const char* what;
  errc code;
  severity level;
  verdict tolerant;
  verdict strict;
  std::function<std::uint64_t(bytes&, const Image&)> spoil;
};

inline constexpr auto refused = verdict::refused;
inline constexpr auto unreadable = verdict::unreadable;
inline constexpr auto accepted = verdict::accepted;
inline constexpr auto error = severity::error;
inline constexpr auto warning = severity::warning;
inline constexpr auto note = severity::note;

/// Sets a header field; the finding stands at it.
template <class Image>
auto field(std::uint64_t at, std::uint64_t value, unsigned n) {
  return [=](bytes& file, const Image&) {
    put(file, at, value, n);
    return at;
  };
}

template <class Image>
void expect_row(const row<Image>& r, const Image& good, bytes file) {
  INFO(r.what);
  const std::uint64_t at = r.spoil(file, good);
  const outcome said = check_bytes_of(file);
  INFO(said.text());
  REQUIRE(said.has(r.code));
  bool is_there = false;
  for (const finding& f : said.findings) {
    if (f.code != r.code) continue;
    CHECK(f.level == r.level);
    is_there = is_there || f.offset == at;
  }
  INFO("expected at " << at);
  CHECK(is_there);
  CHECK(said.has_error() == (r.level == error || r.tolerant != accepted));
  CHECK(judge(file, strictness::tolerant) == r.tolerant);
  CHECK(judge(file, strictness::strict) == r.strict);
  CHECK(is_opened_after_check(file) == (r.level == note));
}

}  // namespace verify_testing
