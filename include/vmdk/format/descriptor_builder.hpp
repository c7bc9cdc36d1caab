// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "vmdk/core/bytes.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/format/descriptor_fields_check.hpp"
#include "vmdk/io/concepts.hpp"

namespace vmdk {
namespace detail {

/// Only counts: the size of a descriptor comes from the code that writes it.
class text_counter {
 public:
  constexpr bool put(std::string_view text) noexcept {
    bytes_ += text.size();
    return true;
  }
  [[nodiscard]] constexpr std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  std::uint64_t bytes_ = 0;
};

/// Writes into memory that has been found large enough.
class text_in_memory {
 public:
  constexpr explicit text_in_memory(std::byte* to) noexcept : to_(to) {}

  constexpr bool put(std::string_view text) noexcept {
    copy_text(to_, text);
    to_ += text.size();
    return true;
  }

 private:
  std::byte* to_;
};

/// Gathers small pieces and hands them to a sink together.
template <Sink To>
class text_into_sink {
 public:
  constexpr explicit text_into_sink(To& sink) noexcept : sink_(&sink) {}

  constexpr bool put(std::string_view text) noexcept {
    while (!text.empty() && !why_) {
      if (used_ == sizeof pieces_) flush();
      const std::size_t room = sizeof pieces_ - used_;
      const std::size_t n = text.size() < room ? text.size() : room;
      copy_text(pieces_ + used_, part(text, 0, n));
      used_ += n;
      text = part(text, n);
    }
    return !why_;
  }

  constexpr failure finish() noexcept {
    flush();
    return why_;
  }

 private:
  constexpr void flush() noexcept {
    if (!why_) why_ = sink_->write(byte_view{pieces_, used_});
    used_ = 0;
  }

  To* sink_;
  std::size_t used_ = 0;
  failure why_{};
  std::byte pieces_[256]{};
};

template <class Text>
constexpr void put_ddb(Text& text, std::string_view key, std::string_view value) noexcept {
  text.put(ddb_prefix);
  text.put(key);
  text.put(" = \""sv);
  text.put(value);
  text.put("\"\n"sv);
}

template <class Text>
constexpr void put_ddb(Text& text, std::string_view key, std::uint32_t value) noexcept {
  put_ddb(text, key, number_text::decimal(value).view());
}

template <class Text>
constexpr void put_header(Text& text, const descriptor_fields& fields) noexcept {
  text.put(descriptor_signature);
  text.put("\nversion=1\n"sv);
  if (fields.style == descriptor_style::usual) text.put("encoding=\"UTF-8\"\n"sv);
  text.put("CID="sv);
  text.put(number_text::hex(fields.id.cid, 8).view());
  text.put("\nparentCID="sv);
  text.put(number_text::hex(fields.parent_cid, 8).view());
  text.put("\ncreateType=\""sv);
  text.put(word_of(create_type_words, fields.type));
  text.put("\"\n"sv);
  if (!fields.parent_file_name_hint.empty()) {
    text.put("parentFileNameHint=\""sv);
    text.put(fields.parent_file_name_hint);
    text.put("\"\n"sv);
  }
}

/// False when the text takes no more.
template <class Text>
constexpr bool put_extent(Text& text, const extent_line& extent) noexcept {
  text.put(word_of(extent_access_words, extent.access));
  text.put(" "sv);
  text.put(number_text::decimal(extent.sectors).view());
  text.put(" "sv);
  text.put(word_of(extent_type_words, extent.type));
  if (extent.type != extent_type::zero) {
    text.put(" \""sv);
    extent.name.each_part([&text](std::string_view part) { text.put(part); });
    text.put("\""sv);
  }
  if (extent.has_offset) {
    text.put(" "sv);
    text.put(number_text::decimal(extent.offset_sectors).view());
  }
  return text.put("\n"sv);
}

template <class Text>
constexpr void put_disk_data_base(Text& text, const descriptor_fields& fields) noexcept {
  const bool usual = fields.style == descriptor_style::usual;
  put_ddb(text, "adapterType"sv, word_of(adapter_words, fields.controller));
  put_ddb(text, "geometry.cylinders"sv, fields.disk_geometry.cylinders);
  put_ddb(text, "geometry.heads"sv, fields.disk_geometry.heads);
  put_ddb(text, "geometry.sectors"sv, fields.disk_geometry.sectors);
  if (usual) {
    text.put("ddb.longContentID = \""sv);
    text.put(number_text::hex(fields.id.long_high, 16).view());
    text.put(number_text::hex(fields.id.long_low >> 32, 8).view());
    text.put(number_text::hex(fields.id.cid, 8).view());
    text.put("\"\n"sv);
    put_ddb(text, "toolsVersion"sv, fields.tools_version);
  }
  if (!fields.uuid.empty()) put_ddb(text, "uuid"sv, fields.uuid);
  // mkimg states it for streams alone.
  if (usual || fields.type == create_type::stream_optimized) {
    put_ddb(text, "virtualHWVersion"sv, fields.virtual_hw_version);
  }
  for (const ddb_entry& entry : fields.more_ddb) put_ddb(text, entry.key, entry.value);
}

/// Writes the whole descriptor; the one place that knows its form.
template <class Text, ExtentList Extents>
constexpr void put_descriptor(Text& text, const descriptor_fields& fields,
                              const Extents& extents) noexcept {
  const std::string_view blank_line = fields.style == descriptor_style::usual ? "\n"sv : ""sv;
  put_header(text, fields);
  text.put(blank_line);
  text.put("# Extent description\n"sv);
  const std::size_t count = extents.size();
  for (std::size_t i = 0; i < count; ++i) {
    if (!put_extent(text, extents[i])) return;
  }
  text.put(blank_line);
  text.put("# The Disk Data Base\n#DDB\n"sv);
  text.put(blank_line);
  put_disk_data_base(text, fields);
}

}  // namespace detail

/// Computes the size in bytes of the descriptor that these fields and extents make (SPEC 6). No
/// value of the content id changes it.
template <ExtentList Extents>
[[nodiscard]] constexpr std::uint64_t descriptor_bytes(const descriptor_fields& fields,
                                                       const Extents& extents) noexcept {
  detail::text_counter counter;
  detail::put_descriptor(counter, fields, extents);
  return counter.bytes();
}

/// Checks that fields and extents make a descriptor that every reader understands alike, before
/// anything is written (SPEC 6, 13.4).
/// Errors: errc::option_invalid; detail: a descriptor_problem; offset: which extent or ddb line.
template <ExtentList Extents>
[[nodiscard]] constexpr failure check_descriptor_fields(const descriptor_fields& fields,
                                                        const Extents& extents) noexcept {
  if (failure why = detail::check_fields(fields)) return why;
  if (failure why = detail::check_extents(fields, extents)) return why;
  if (descriptor_bytes(fields, extents) > descriptor_max_bytes) {
    return detail::refused(descriptor_problem::text_bytes);
  }
  return no_failure;
}

/// Builds a descriptor in the caller's memory and gives its size; bytes behind it stay as they are.
/// Errors: those of check_descriptor_fields; errc::workspace_too_small, detail: the bytes that are
/// needed. After an error nothing has been written.
template <ExtentList Extents>
[[nodiscard]] constexpr result<std::size_t> build_descriptor(const descriptor_fields& fields,
                                                             const Extents& extents,
                                                             byte_span out) noexcept {
  if (failure why = check_descriptor_fields(fields, extents)) return why;
  const auto bytes = static_cast<std::size_t>(descriptor_bytes(fields, extents));
  if (bytes > out.size()) {
    return options_failure(errc::workspace_too_small, 0, static_cast<std::uint32_t>(bytes));
  }
  detail::text_in_memory text(out.data());
  detail::put_descriptor(text, fields, extents);
  return bytes;
}

/// Writes a descriptor to a sink in small pieces, so that thousands of extents need no memory.
/// Errors: those of check_descriptor_fields, with nothing written; those of the sink.
template <ExtentList Extents, Sink To>
[[nodiscard]] constexpr failure write_descriptor(const descriptor_fields& fields,
                                                 const Extents& extents, To& sink) noexcept {
  if (failure why = check_descriptor_fields(fields, extents)) return why;
  detail::text_into_sink<To> text(sink);
  detail::put_descriptor(text, fields, extents);
  return text.finish();
}

}  // namespace vmdk
