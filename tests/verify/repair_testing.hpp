// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/verify/testing.hpp"
#include "vmdk/verify/repair.hpp"

namespace verify_testing {

/// A file in memory that is repaired. A read or a write can be made to fail; it counts what is
/// asked of it.
class mended_file {
 public:
  explicit mended_file(bytes start) : content(std::move(start)) {}

  std::uint64_t size() const noexcept { return content.size(); }
  failure read_at(std::uint64_t offset, byte_span out) noexcept {
    if (reads++ == read_fails_at) return source_failure(errc::read_failed, 0, 5);
    if (!fits_inside(offset, out.size(), content.size())) {
      return source_failure(errc::out_of_range, offset);
    }
    copy_bytes(out.data(), content.data() + offset, out.size());
    return no_failure;
  }
  failure write(byte_view from) noexcept { return write_at(content.size(), from); }
  failure write_at(std::uint64_t offset, byte_view from) noexcept {
    if (failure f = count()) return f;
    if (offset > content.size()) return sink_failure(errc::out_of_range, offset);
    if (content.size() < offset + from.size()) content.resize(offset + from.size());
    copy_bytes(content.data() + offset, from.data(), from.size());
    return no_failure;
  }
  failure resize(std::uint64_t size_bytes) noexcept {
    if (failure f = count()) return f;
    content.resize(size_bytes);
    return no_failure;
  }
  failure flush() noexcept { return count(); }

  bytes content;
  std::uint64_t reads = 0;
  std::uint64_t read_fails_at = ~std::uint64_t{0};  ///< The number of the one that fails, from 0.
  std::uint64_t writes = 0;                         ///< And barriers.
  std::uint64_t fails_at = ~std::uint64_t{0};       ///< The number of the write that fails, from 0.

 private:
  failure count() {
    return writes++ < fails_at ? no_failure : sink_failure(errc::write_failed, 0, 5);
  }
};

static_assert(Storage<mended_file>);

/// What a repair did.
struct mending {
  std::vector<repair_step> steps;
  repair_summary summary{};
  failure why{};

  bool did(repair_kind kind) const { return count(kind) != 0; }
  std::size_t count(repair_kind kind) const {
    std::size_t n = 0;
    for (const repair_step& s : steps) n += s.kind == kind;
    return n;
  }
  std::string text() const {
    std::string all;
    for (const repair_step& s : steps) {
      all += std::string(id_of(s.kind)) + " @" + std::to_string(s.offset) + ": ";
      describe(s, [&all](std::string_view piece) { all += piece; });
      all += "\n";
    }
    if (why) all += "refused: " + std::string(to_string(why.code)) + "\n";
    return all;
  }
};

inline constexpr std::size_t repair_room = std::size_t{64} << 10;

template <class S>
mending mend(S& file, std::size_t room_bytes = repair_room) {
  auto decoder = std::make_unique<inflate>();
  bytes room(room_bytes);
  mending done;
  const auto summary = repair(file, repair_spans<inflate>{*decoder, room},
                              [&done](const repair_step& s) { done.steps.push_back(s); });
  done.summary = summary.value_or({});
  done.why = summary.error();
  return done;
}

template <class S>
mending plan_mending(S& file, std::size_t room_bytes = repair_room) {
  auto decoder = std::make_unique<inflate>();
  bytes room(room_bytes);
  mending done;
  const auto summary = plan_repair(file, repair_spans<inflate>{*decoder, room},
                                   [&done](const repair_step& s) { done.steps.push_back(s); });
  done.summary = summary.value_or({});
  done.why = summary.error();
  return done;
}

inline void put(bytes& file, std::uint64_t at, std::uint64_t value, unsigned width) {
  for (unsigned i = 0; i < width; ++i) file[at + i] = static_cast<std::byte>(value >> (8 * i));
}

/// Repairs a file and a copy of it in a trial: the trial tells the same and writes nothing, and a
/// second repair changes nothing.
inline mending mend_well(bytes& file) {
  mended_file trial(file);
  const mending planned = plan_mending(trial);
  mended_file mended(file);
  mending done = mend(mended);
  INFO(done.text());
  CHECK(planned.steps == done.steps);
  CHECK(planned.why == done.why);
  CHECK(trial.writes == 0);
  mended_file again(mended.content);
  CHECK(mend(again).summary.changes == 0);
  CHECK(again.writes == 0);
  file = mended.content;
  return done;
}

/// Expects that a damaged file becomes the whole one again, byte for byte.
inline mending expect_original(bytes damaged, const bytes& whole) {
  mending done = mend_well(damaged);
  INFO(done.text());
  CHECK(!done.why);
  CHECK(done.summary.left == 0);
  CHECK((damaged == whole));
  return done;
}

}  // namespace verify_testing
