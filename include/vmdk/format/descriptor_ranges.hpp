// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "vmdk/format/create_type.hpp"
#include "vmdk/format/descriptor_lines.hpp"
#include "vmdk/format/encoding.hpp"
#include "vmdk/format/extent_parser.hpp"
#include "vmdk/format/geometry.hpp"

namespace vmdk {

/// One "key = value" of a descriptor.
struct descriptor_entry {
  std::string_view key{};    ///< Without "ddb.".
  std::string_view value{};  ///< Without quotes.
  std::size_t offset = 0;    ///< Where its line starts in the text.
};

/// The end of a walk over lines.
struct end_of_lines {};

namespace detail {

/// Where the sections of a descriptor's text are.
struct descriptor_sections {
  std::string_view text{};
  std::size_t header_end = 0;
  std::size_t tail_begin = 0;  ///< Behind the extents: the disk data base, and changeTrackPath.
};

enum class entry_section : std::uint8_t { header, ddb };

}  // namespace detail

/// Walks over the entries of one section. Entries are parsed again from their lines; nothing is
/// stored.
class entry_iterator {
 public:
  using value_type = descriptor_entry;
  using difference_type = std::ptrdiff_t;

  constexpr entry_iterator() noexcept = default;
  constexpr entry_iterator(const detail::descriptor_sections& sections,
                           detail::entry_section wanted) noexcept
      : sections_(sections),
        wanted_(wanted),
        lines_(sections.text, wanted == detail::entry_section::header ? 0 : sections.tail_begin) {
    ++*this;
  }

  [[nodiscard]] constexpr const descriptor_entry& operator*() const noexcept { return entry_; }
  [[nodiscard]] constexpr const descriptor_entry* operator->() const noexcept { return &entry_; }

  constexpr entry_iterator& operator++() noexcept {
    detail::text_line line;
    for (;;) {
      if (lines_.position() >= sections_.header_end && lines_.position() < sections_.tail_begin) {
        lines_ = detail::line_reader(sections_.text, sections_.tail_begin);
      }
      if (!lines_.next(line)) break;
      if (is_wanted(line)) return *this;
    }
    at_end_ = true;
    return *this;
  }
  constexpr entry_iterator operator++(int) noexcept {
    const entry_iterator before = *this;
    ++*this;
    return before;
  }

  [[nodiscard]] friend constexpr bool operator==(const entry_iterator& a,
                                                 const entry_iterator& b) noexcept {
    return a.at_end_ == b.at_end_ && (a.at_end_ || a.entry_.offset == b.entry_.offset);
  }
  [[nodiscard]] friend constexpr bool operator==(const entry_iterator& a, end_of_lines) noexcept {
    return a.at_end_;
  }

 private:
  constexpr bool is_wanted(const detail::text_line& line) noexcept {
    const std::string_view text = detail::without_indent(line.text);
    detail::entry_parts parts;
    if (text.empty() || text.front() == '#' || !detail::split_entry(text, parts)) return false;
    const bool is_ddb = line.offset >= sections_.tail_begin &&
                        !detail::same_ignoring_case(parts.key, detail::change_track_key);
    if (is_ddb != (wanted_ == detail::entry_section::ddb)) return false;
    entry_ = {is_ddb ? detail::without_ddb_prefix(parts.key) : parts.key, parts.value, line.offset};
    return true;
  }

  detail::descriptor_sections sections_{};
  detail::entry_section wanted_ = detail::entry_section::header;
  detail::line_reader lines_{};
  descriptor_entry entry_{};
  bool at_end_ = false;
};

/// Walks over the extents of a descriptor that was parsed, front to back of the disk.
class extent_iterator {
 public:
  using value_type = extent_line;
  using difference_type = std::ptrdiff_t;

  constexpr extent_iterator() noexcept = default;
  constexpr explicit extent_iterator(const detail::descriptor_sections& sections) noexcept
      : lines_(detail::part(sections.text, 0, sections.tail_begin), sections.header_end) {
    ++*this;
  }

  [[nodiscard]] constexpr const extent_line& operator*() const noexcept { return extent_; }
  [[nodiscard]] constexpr const extent_line* operator->() const noexcept { return &extent_; }

  constexpr extent_iterator& operator++() noexcept {
    detail::text_line line;
    while (lines_.next(line)) {
      if (!detail::is_extent_line(line.text)) continue;
      extent_ = detail::parse_extent(line.text).line;
      offset_ = line.offset;
      return *this;
    }
    at_end_ = true;
    return *this;
  }
  constexpr extent_iterator operator++(int) noexcept {
    const extent_iterator before = *this;
    ++*this;
    return before;
  }

  [[nodiscard]] friend constexpr bool operator==(const extent_iterator& a,
                                                 const extent_iterator& b) noexcept {
    return a.at_end_ == b.at_end_ && (a.at_end_ || a.offset_ == b.offset_);
  }
  [[nodiscard]] friend constexpr bool operator==(const extent_iterator& a, end_of_lines) noexcept {
    return a.at_end_;
  }

  /// Where the present extent's line starts in the text.
  [[nodiscard]] constexpr std::size_t line_offset() const noexcept { return offset_; }

 private:
  detail::line_reader lines_{};
  extent_line extent_{};
  std::size_t offset_ = 0;
  bool at_end_ = false;
};

/// The entries of one section, as a range.
class entry_range {
 public:
  constexpr entry_range(const detail::descriptor_sections& sections,
                        detail::entry_section wanted) noexcept
      : sections_(sections), wanted_(wanted) {}
  [[nodiscard]] constexpr entry_iterator begin() const noexcept { return {sections_, wanted_}; }
  [[nodiscard]] constexpr end_of_lines end() const noexcept { return {}; }

  /// The entry of that key, in whatever case; one with an empty key when there is none.
  [[nodiscard]] constexpr descriptor_entry find(std::string_view key) const noexcept {
    for (entry_iterator at = begin(); at != end_of_lines{}; ++at) {
      if (detail::same_ignoring_case(at->key, key)) return *at;
    }
    return {};
  }

 private:
  detail::descriptor_sections sections_;
  detail::entry_section wanted_;
};

/// The extents of a descriptor, as a range.
class extent_range {
 public:
  constexpr explicit extent_range(const detail::descriptor_sections& sections) noexcept
      : sections_(sections) {}
  [[nodiscard]] constexpr extent_iterator begin() const noexcept {
    return extent_iterator(sections_);
  }
  [[nodiscard]] constexpr end_of_lines end() const noexcept { return {}; }

 private:
  detail::descriptor_sections sections_;
};

}  // namespace vmdk
