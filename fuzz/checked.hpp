// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string_view>
#include <vector>

#include "choices.hpp"
#include "demand.hpp"
#include "vmdk/codec/inflate.hpp"
#include "vmdk/format/severity.hpp"
#include "vmdk/verify/check.hpp"
#include "vmdk/verify/describe.hpp"

namespace fuzzing {

/// What a check said of an image.
struct verdict {
  vmdk::failure why;
  vmdk::check_summary summary;
  std::uint64_t told = 0;  ///< Hangs on each finding, in any order.
  bool some_untold = false;
  bool has(vmdk::errc code) const {
    for (const vmdk::errc one : codes) {
      if (one == code) return true;
    }
    return false;
  }
  std::vector<vmdk::errc> codes;

  /// True when all of the image was looked at and nothing is wrong that such a reader refuses.
  bool accepted(vmdk::strictness mode) const {
    if (why) return false;
    const bool tolerable = summary.errors == 0;
    return mode == vmdk::strictness::tolerant
               ? tolerable
               : tolerable && summary.warnings == 0 && !summary.unclean;
  }
  /// True when something was found that is worse than a warning, or the check could not go on.
  bool has_error() const { return why || summary.errors != 0; }
};

/// As `demand`, and tells what the check said.
inline void demand(bool holds, const char* promise, const verdict& said) {
  if (holds) return;
  for (const vmdk::errc code : said.codes) {
    std::fprintf(stderr, "found: %s\n", vmdk::id_of(code).data());
  }
  std::fprintf(stderr, "the check failed with %d\n", static_cast<int>(said.why.code));
  demand(false, promise);
}

namespace detail {

inline std::uint64_t mixed(const vmdk::finding& f) {
  std::uint64_t sum = generator(static_cast<std::uint64_t>(f.code)).next();
  for (const std::uint64_t figure : {std::uint64_t{f.file}, f.offset, f.table, f.entry, f.value,
                                     f.other, f.other_table, f.other_entry}) {
    sum = generator(sum ^ figure).next();
  }
  return sum;
}

}  // namespace detail

/// Checks an image with so much room, and each finding's sentence too.
template <vmdk::Files F>
verdict check_with_room(F& files, vmdk::file_id file, std::size_t room_bytes) {
  static const auto state = std::make_unique<vmdk::check_state>();
  static const auto decoder = std::make_unique<vmdk::inflate>();
  std::vector<std::byte> room(room_bytes);
  verdict said;
  const vmdk::check_spans<> memory{*state, *decoder, room};
  const auto done = vmdk::check(files, file, memory, [&said](const vmdk::finding& f) {
    demand(f.code != vmdk::errc::none && f.level == vmdk::severity_of(f.code),
           "a finding has a code and its severity");
    std::size_t characters = 0;
    vmdk::describe(f, [&characters](std::string_view piece) {
      for (const char c : piece) {
        demand(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F,
               "sentences have no control characters");
      }
      characters += piece.size();
    });
    demand(characters != 0, "a finding has a sentence");
    said.some_untold = said.some_untold || f.more != 0;
    said.told += detail::mixed(f);
    said.codes.push_back(f.code);
  });
  said.why = done.error();
  said.summary = done.value_or({});
  demand(said.why || !said.summary.stopped, "a check goes on to its end");
  return said;
}

inline bool same_summary(const vmdk::check_summary& a, const vmdk::check_summary& b) {
  return a.notes == b.notes && a.warnings == b.warnings && a.errors == b.errors &&
         a.unclean == b.unclean && a.files == b.files && a.tables == b.tables &&
         a.stored_grains == b.stored_grains && a.zeroed_grains == b.zeroed_grains &&
         a.expanded_grains == b.expanded_grains;
}

/// Checks an image with much room and with little, which must say the same.
template <vmdk::Files F>
verdict check_twice(F& files, vmdk::file_id file) {
  const verdict much = check_with_room(files, file, std::size_t{1} << 16);
  const verdict little = check_with_room(files, file, vmdk::check_least_bytes + 2048);
  const auto is_too_small = [](const verdict& v) {
    return v.why.code == vmdk::errc::workspace_too_small;
  };
  if (!is_too_small(little)) {
    demand(much.why == little.why, "less room for a check is no other failure");
    if (!much.why) {
      demand(same_summary(much.summary, little.summary), "less room finds as much");
      demand(much.some_untold || much.told == little.told, "less room finds the same");
    }
  }
  return much;
}

}  // namespace fuzzing
