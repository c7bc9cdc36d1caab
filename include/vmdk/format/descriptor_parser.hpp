// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <string_view>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/format/descriptor_entry_check.hpp"
#include "vmdk/format/descriptor_text_check.hpp"
#include "vmdk/format/descriptor_view.hpp"

namespace vmdk {
namespace detail {

/// One walk over a descriptor's text that finds every rule it breaks (SPEC 13.4).
template <class Report>
class descriptor_parser {
 public:
  constexpr descriptor_parser(Report& report, descriptor_place place) noexcept
      : log_(report), place_(place) {}
  descriptor_parser(const descriptor_parser&) = delete;
  descriptor_parser& operator=(const descriptor_parser&) = delete;

  constexpr result<descriptor_view> parse(std::string_view bytes) noexcept {
    if (bytes.size() > descriptor_max_bytes) {
      log_.add(errc::descriptor_too_long, descriptor_max_bytes);
      return log_.why();
    }
    text_ = without_padding(bytes, place_, log_);
    if (trimmed(text_).empty()) {
      log_.add(errc::descriptor_empty, 0);
      return log_.why();
    }
    // Its line may be longer than others: what is wrong with it is not its length.
    const std::string_view encryption = find_encryption(text_);
    if (!encryption.empty()) log_.add(errc::descriptor_encrypted, at(encryption));
    const std::size_t first_not_ascii = check_characters(text_, log_);
    if (!log_.stopped()) take_lines();
    if (!log_.stopped()) finish();
    if (!log_.stopped()) check_encoding(text_, first_not_ascii, facts_.encoding, log_);
    if (log_.why()) return log_.why();
    return descriptor_view(facts_);
  }

 private:
  constexpr void take_lines() noexcept {
    line_reader lines(text_);
    text_line line;
    while (!log_.stopped() && lines.next(line)) {
      const std::string_view text = without_indent(line.text);
      if (line.offset == 0 && trimmed(line.text) != descriptor_signature) {
        log_.add(errc::descriptor_signature_missing, 0);
      }
      if (text.empty()) continue;
      if (text.size() != line.text.size()) unusual_blanks(line.offset);
      entry_parts parts;
      if (text.front() == '#') {
        check_hidden_keys(text);
      } else if (is_extent_line(text)) {
        check_hidden_keys(text);
        take_extent(text, lines.position());
      } else if (split_entry(text, parts)) {
        take_entry(text, parts);
      } else {
        log_.add(errc::descriptor_line_invalid, line.offset);
      }
    }
  }

  constexpr void take_extent(std::string_view line, std::size_t next_line) noexcept {
    if (in_tail_) return log_.add(errc::descriptor_section_order, at(line));
    const parsed_extent parsed = parse_extent(line);
    const extent_line& extent = parsed.line;
    if (facts_.extent_count == 0) header_end_ = at(line);
    tail_begin_ = next_line;
    ++facts_.extent_count;
    if (parsed.error != errc::none) return log_.add(parsed.error, at(parsed.culprit));

    if (!checked_add(facts_.total_sectors, extent.sectors, facts_.total_sectors) ||
        facts_.total_sectors > capacity_limit_sectors) {
      log_.add(errc::descriptor_extent_sectors, at(line));
    }
    if (parsed.has_unusual_word) log_.add(errc::descriptor_value_case, at(line));
    if (parsed.has_unusual_offset) log_.add(errc::descriptor_extent_offset_unusual, at(line));
    if (parsed.has_more_fields) log_.add(errc::descriptor_extent_extra, at(line));
    const bool embedded = place_ == descriptor_place::embedded;
    const std::string_view name = extent.name.stem;
    if (extent.type != extent_type::zero &&
        (!is_plain_name(name) || name.size() > extent_name_max_bytes)) {
      log_.add(embedded ? errc::descriptor_extent_name_unusual : errc::descriptor_extent_name_path,
               at(name));
    }
    if (embedded && (facts_.extent_count > 1 || extent.type != extent_type::sparse)) {
      log_.add(errc::descriptor_embedded_extents, at(line));
    }
    extent_types_ |= 1u << static_cast<unsigned>(extent.type);
  }

  constexpr void take_entry(std::string_view line, const entry_parts& parts) noexcept {
    const auto key = find_word(header_key_words, parts.key);
    if (key.found && !key.exact) return log_.add(errc::descriptor_key_case, at(line));
    check_hidden_keys(key.found ? parts.value : line);
    if (!parts.value_is_good) return log_.add(errc::descriptor_value_invalid, at(parts.value));
    if (!in_tail_ && (facts_.extent_count != 0 || has_ddb_prefix(parts.key))) {
      in_tail_ = true;
      if (facts_.extent_count == 0) header_end_ = tail_begin_ = at(line);
    }
    const bool is_header = key.found || !in_tail_;
    if (key.found && in_tail_ && key.value != header_key::change_track_path) {
      return log_.add(errc::descriptor_section_order, at(line));
    }
    if (!is_new(is_header ? parts.key : without_ddb_prefix(parts.key), is_header, at(line))) return;
    if (is_header) {
      if (parts.spaced) unusual_blanks(at(line));
      header_.take(key.value, parts, at(key.found ? parts.value : parts.key));
    } else {
      take_ddb(parts);
    }
  }

  constexpr void take_ddb(const entry_parts& parts) noexcept {
    const std::string_view key = without_ddb_prefix(parts.key);
    if (!parts.key.starts_with(ddb_prefix)) {
      log_.add(errc::descriptor_ddb_prefix_missing, at(parts.key));
    }
    if (!is_good_ddb_value(key, parts.value)) {
      log_.add(errc::descriptor_ddb_value_invalid, at(parts.value));
    }
    if (!parts.quoted) log_.add(errc::descriptor_value_unquoted, at(parts.value));
    if (same_ignoring_case(key, "encoding"sv)) header_.take_ddb_encoding(parts.value);
    if (same_ignoring_case(key, "uuid.parent"sv)) {
      header_.take_ddb_parent(parts.value, at(parts.value));
    }
  }

  /// Looks for the key in what was read before; no more than a bounded number of times.
  constexpr bool is_new(std::string_view key, bool is_header, std::size_t offset) noexcept {
    std::size_t& count = is_header ? header_entries_ : ddb_entries_;
    const std::size_t most = is_header ? descriptor_max_header_entries : descriptor_max_ddb_entries;
    if (count == most) {
      log_.add_first(errc::descriptor_too_many_keys, offset, too_many_told_);
      return false;
    }
    ++count;
    const descriptor_sections before{part(text_, 0, offset), smaller_of(header_end_, offset),
                                     smaller_of(tail_begin_, offset)};
    const entry_range entries(before, is_header ? entry_section::header : entry_section::ddb);
    if (entries.find(key).key.empty()) return true;
    log_.add(errc::descriptor_key_duplicate, offset);
    return false;
  }

  /// Finds what is missing, and what contradicts.
  constexpr void finish() noexcept {
    const std::size_t end = text_.size();
    facts_.sections = {text_, smaller_of(header_end_, end), smaller_of(tail_begin_, end)};
    header_.finish(end);
    if (facts_.extent_count == 0) log_.add(errc::descriptor_extent_missing, end);
    if (ddb_entries_ == 0) log_.add(errc::descriptor_ddb_missing, end);
    if (facts_.type == create_type::unknown) return;
    if (has_embedded_descriptor(facts_.type) != (place_ == descriptor_place::embedded)) {
      log_.add(errc::descriptor_create_type_misplaced, end);
    }
    bool matches = facts_.extent_count < 2 || !has_single_extent(facts_.type);
    for (const auto& type : extent_type_words) {
      const bool seen = (extent_types_ >> static_cast<unsigned>(type.value) & 1) != 0;
      matches = matches && (!seen || fits(facts_.type, type.value));
    }
    if (!matches) log_.add(errc::descriptor_create_type_mismatch, end);
  }

  constexpr void check_hidden_keys(std::string_view text) noexcept {
    const std::size_t found = find_hidden_key(text);
    if (found != text.size()) log_.add(errc::descriptor_key_hidden, at(text) + found);
  }

  constexpr void unusual_blanks(std::size_t offset) noexcept {
    log_.add_first(errc::descriptor_blanks_unusual, offset, blanks_told_);
  }

  /// Where a piece of the text stands in it.
  [[nodiscard]] constexpr std::size_t at(std::string_view piece) const noexcept {
    return static_cast<std::size_t>(piece.data() - text_.data());
  }

  finding_log<Report> log_;
  descriptor_place place_;
  std::string_view text_{};
  descriptor_facts facts_{};
  header_checker<Report> header_{facts_, log_};
  std::size_t header_end_ = descriptor_max_bytes;
  std::size_t tail_begin_ = descriptor_max_bytes;
  std::size_t header_entries_ = 0;
  std::size_t ddb_entries_ = 0;
  unsigned extent_types_ = 0;
  bool in_tail_ = false;
  bool blanks_told_ = false;
  bool too_many_told_ = false;
};

}  // namespace detail

/// Parses a descriptor and reports every rule that it breaks: `report(errc, offset) -> bool`, the
/// offset in bytes from the start of the text; false ends the parsing (SPEC 6, 13.4).
/// Gives a view when no error was found and `report` always wanted more; else the first error, or
/// the finding that ended it. A caller adds the place of the text in its file to the offset.
template <class Report>
constexpr result<descriptor_view> check_descriptor(std::string_view text, descriptor_place place,
                                                   Report& report) noexcept {
  return detail::descriptor_parser<Report>(report, place).parse(text);
}

/// Parses a descriptor as a reader does. Text behind the first zero byte is padding.
/// Errors: the first descriptor_* code of an error (SPEC 13.4), in strict mode also of a warning,
/// with its offset in the text.
[[nodiscard]] constexpr result<descriptor_view> parse_descriptor(
    std::string_view text, descriptor_place place,
    strictness mode = strictness::tolerant) noexcept {
  first_refusal refusal(mode);
  return check_descriptor(text, place, refusal);
}

}  // namespace vmdk
