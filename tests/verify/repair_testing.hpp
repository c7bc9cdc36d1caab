// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
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
    if (forgets_writes) return no_failure;
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
  bool forgets_writes = false;

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

mending mend(mended_file& file, std::size_t room_bytes = repair_room);
mending plan_mending(mended_file& file, std::size_t room_bytes = repair_room);

/// Repairs a file and a copy of it in a trial: the trial tells the same and writes nothing, and a
/// second repair changes nothing.
mending mend_well(bytes& file);

/// Expects that a damaged file becomes the whole one again, byte for byte.
mending expect_original(bytes damaged, const bytes& whole);

}  // namespace verify_testing
