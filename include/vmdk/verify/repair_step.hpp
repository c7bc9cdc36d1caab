// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <string_view>

#include "vmdk/format/text.hpp"
#include "vmdk/verify/finding.hpp"

namespace vmdk {

/// What a repair does, or cannot do, in one place (SPEC 13.7).
enum class repair_kind : std::uint8_t {
  header_rebuilt,            ///< From the footer.
  footer_rebuilt,            ///< From the header, or with a lost end of a stream.
  header_corrected,          ///< One field; offset says which.
  unclean_cleared,           ///< The flag that the last writer left.
  directory_entry_restored,  ///< A table was found where the directory did not name it.
  table_copied,              ///< A whole table, from the other copy.
  entry_restored,            ///< A table entry, from the other copy or from the stream's markers.
  entry_dropped,             ///< A table entry that no copy has right: the grain reads as absent.
  marker_restored,           ///< A marker of a stream, from what the tables say of it.
  table_rebuilt,             ///< A table of a stream that has lost its end.
  directory_rebuilt,         ///< The same for the directory.
  file_cut,                  ///< What followed the last whole grain, or the end, is gone.
  entry_left,                ///< Not repaired: nothing tells which value is right.
  table_left,                ///< Not repaired: no copy of a table, or of one copy, was found.
  directory_left,            ///< Not repaired: the redundant directory cannot be found.
  grain_left,                ///< Not repaired: something in a stream that is no marker.
};

/// One step of a repair: a change that was made, or would be made, or what had to be left.
struct repair_step {
  repair_kind kind = repair_kind::header_rebuilt;
  std::uint64_t offset = 0;          ///< In the file, in bytes: of what changes.
  std::uint64_t table = no_figure;   ///< From 0 in the order of the directory.
  std::uint64_t entry = no_figure;   ///< From 0 in its table.
  std::uint64_t before = no_figure;  ///< The value that stood there.
  std::uint64_t after = no_figure;   ///< The value that stands there now.

  [[nodiscard]] friend constexpr bool operator==(const repair_step& a,
                                                 const repair_step& b) noexcept {
    return a.kind == b.kind && a.offset == b.offset && a.table == b.table && a.entry == b.entry &&
           a.before == b.before && a.after == b.after;
  }
};

/// True for what could not be repaired.
[[nodiscard]] constexpr bool is_left(repair_kind kind) noexcept {
  return kind >= repair_kind::entry_left;
}

/// What a repair came to.
struct repair_summary {
  std::uint64_t changes = 0;          ///< Steps that changed something, or would.
  std::uint64_t dropped_entries = 0;  ///< Those of them that gave a grain up.
  std::uint64_t left = 0;             ///< Steps that say what could not be repaired.
};

/// A word for a kind of step that stays the same between versions.
[[nodiscard]] constexpr std::string_view id_of(repair_kind kind) noexcept {
  using namespace std::string_view_literals;
  switch (kind) {
    case repair_kind::header_rebuilt:
      return "header-rebuilt"sv;
    case repair_kind::footer_rebuilt:
      return "footer-rebuilt"sv;
    case repair_kind::header_corrected:
      return "header-corrected"sv;
    case repair_kind::unclean_cleared:
      return "unclean-cleared"sv;
    case repair_kind::directory_entry_restored:
      return "directory-entry-restored"sv;
    case repair_kind::table_copied:
      return "table-copied"sv;
    case repair_kind::entry_restored:
      return "entry-restored"sv;
    case repair_kind::entry_dropped:
      return "entry-dropped"sv;
    case repair_kind::marker_restored:
      return "marker-restored"sv;
    case repair_kind::table_rebuilt:
      return "table-rebuilt"sv;
    case repair_kind::directory_rebuilt:
      return "directory-rebuilt"sv;
    case repair_kind::file_cut:
      return "file-cut"sv;
    case repair_kind::entry_left:
      return "entry-left"sv;
    case repair_kind::table_left:
      return "table-left"sv;
    case repair_kind::directory_left:
      return "directory-left"sv;
    case repair_kind::grain_left:
      return "grain-left"sv;
  }
  return "unknown"sv;
}

namespace detail {

/// The sentence of a step, with {t} for its table, {e} for its entry, {v} for the value before and
/// {o} for the one after.
[[nodiscard]] constexpr std::string_view step_sentence(repair_kind kind) noexcept {
  using namespace std::string_view_literals;
  switch (kind) {
    case repair_kind::header_rebuilt:
      return "the header is rebuilt from the footer"sv;
    case repair_kind::footer_rebuilt:
      return "the footer is written anew"sv;
    case repair_kind::header_corrected:
      return "a field of the header is corrected from {v} to {o}"sv;
    case repair_kind::unclean_cleared:
      return "the image is marked as closed by its last writer"sv;
    case repair_kind::directory_entry_restored:
      return "grain directory entry {t} is restored from {v} to {o}"sv;
    case repair_kind::table_copied:
      return "grain table {t} is written from its other copy"sv;
    case repair_kind::entry_restored:
      return "grain table entry {e} of table {t} is restored from {v} to {o}"sv;
    case repair_kind::entry_dropped:
      return "grain table entry {e} of table {t} is dropped; it was {v}, where no such grain can "
             "be"sv;
    case repair_kind::marker_restored:
      return "a marker of the stream is restored"sv;
    case repair_kind::table_rebuilt:
      return "grain table {t} is written from the stream's markers"sv;
    case repair_kind::directory_rebuilt:
      return "the grain directory is written from the stream's markers"sv;
    case repair_kind::file_cut:
      return "the file is cut from {v} to {o} bytes, behind the last whole grain and its tables"sv;
    case repair_kind::entry_left:
      return "grain table entry {e} of table {t} is left: nothing tells which value is right"sv;
    case repair_kind::table_left:
      return "grain table {t} is left: a copy of it cannot be found"sv;
    case repair_kind::directory_left:
      return "the redundant grain directory is left: it cannot be found"sv;
    case repair_kind::grain_left:
      return "what stands here in the stream is left: it is no marker"sv;
  }
  return "unknown"sv;
}

}  // namespace detail

/// Says a step in one sentence with its figures: no full stop, no line end. The sentence goes to
/// `put(std::string_view)` piece by piece.
template <class Put>
constexpr void describe(const repair_step& step, Put&& put) noexcept {
  const std::string_view text = detail::step_sentence(step.kind);
  const auto figure = [&step](char letter) {
    return letter == 't'   ? step.table
           : letter == 'e' ? step.entry
           : letter == 'v' ? step.before
                           : step.after;
  };
  std::size_t from = 0;
  for (std::size_t i = 0; i + 2 < text.size(); ++i) {
    if (text.data()[i] != '{') continue;
    put(detail::part(text, from, i - from));
    put(detail::number_text::decimal(figure(text.data()[i + 1])).view());
    from = i + 3;
  }
  put(detail::part(text, from));
}

}  // namespace vmdk
