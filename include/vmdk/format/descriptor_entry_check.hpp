// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "vmdk/format/descriptor_text_check.hpp"
#include "vmdk/format/descriptor_view.hpp"

namespace vmdk::detail {

/// False for a value of the disk data base that is no number, or no word that is known, where one
/// belongs (SPEC 6).
[[nodiscard]] constexpr bool is_good_ddb_value(std::string_view key,
                                               std::string_view value) noexcept {
  constexpr std::string_view number_keys[] = {
      "geometry.cylinders", "geometry.heads",       "geometry.sectors", "geometry.biosCylinders",
      "geometry.biosHeads", "geometry.biosSectors", "virtualHWVersion", "toolsVersion"};
  if (same_ignoring_case(key, "adapterType"sv)) return find_word(adapter_words, value).found;
  for (const std::string_view number_key : number_keys) {
    std::uint64_t number = 0;
    if (!same_ignoring_case(key, number_key)) continue;
    return read_decimal(value, number) && number <= 0xFFFFFFFF;
  }
  return true;
}

/// True for the UUID of nothing, as VirtualBox has it for the parent of a disk without one.
[[nodiscard]] constexpr bool is_no_uuid(std::string_view uuid) noexcept {
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    const char c = uuid.data()[i];
    if (c != '0' && c != '-' && c != ' ') return false;
  }
  return true;
}

/// Takes the values of the first section, and knows what is missing there and what contradicts.
template <class Report>
class header_checker {
 public:
  constexpr header_checker(descriptor_facts& facts, finding_log<Report>& log) noexcept
      : facts_(&facts), log_(&log) {}

  /// Takes an entry; `offset` is where its value stands.
  constexpr void take(header_key key, const entry_parts& parts, std::size_t offset) noexcept {
    switch (key) {
      case header_key::unknown:
        log_->add(errc::descriptor_key_unknown, offset);
        return;
      case header_key::version:
        take_version(parts, offset);
        return;
      case header_key::cid:
        has_cid_ = true;
        if (has_parent_cid_) log_->add(errc::descriptor_cid_order, offset);
        take_cid(parts, offset, facts_->cid);
        if (facts_->cid == no_parent_cid) log_->add(errc::descriptor_cid_reserved, offset);
        return;
      case header_key::parent_cid:
        has_parent_cid_ = true;
        take_cid(parts, offset, facts_->parent_cid);
        return;
      case header_key::create_type:
        take_type(parts.value, offset);
        break;
      case header_key::encoding:
        facts_->encoding = encoding_named(parts.value);
        has_encoding_ = true;
        break;
      case header_key::parent_file_name_hint:
        has_parent_hint_ = !parts.value.empty();
        break;
      default:
        break;
    }
    if (!parts.quoted) log_->add(errc::descriptor_value_unquoted, offset);
  }

  /// VDDK states the encoding in the disk data base only.
  constexpr void take_ddb_encoding(std::string_view value) noexcept {
    if (!has_encoding_) facts_->encoding = encoding_named(value);
  }

  /// VirtualBox knows a parent by its UUID alone: a reader that looks for a parentCID would take
  /// the difference for the disk.
  constexpr void take_ddb_parent(std::string_view uuid, std::size_t offset) noexcept {
    if (facts_->parent_cid == no_parent_cid && !is_no_uuid(uuid)) {
      log_->add(errc::descriptor_parent_by_uuid, offset);
    }
  }

  /// Reports what is missing or contradicts, at the end of the text.
  constexpr void finish(std::size_t end) noexcept {
    if (!has_version_) log_->add(errc::descriptor_version_missing, end);
    if (!has_cid_) log_->add(errc::descriptor_cid_missing, end);
    if (!has_type_) log_->add(errc::descriptor_create_type_missing, end);
    // Without a parentCID some readers open the parent that the hint names, and some do not.
    const bool has_parent = facts_->parent_cid != no_parent_cid;
    if (has_parent_hint_ && !has_parent) {
      log_->add(errc::descriptor_parent_contradiction, end);
    } else if (!has_parent_cid_) {
      log_->add(errc::descriptor_parent_cid_missing, end);
    } else if (has_parent && !has_parent_hint_) {
      log_->add(errc::descriptor_parent_hint_missing, end);
    }
  }

 private:
  constexpr void take_version(const entry_parts& parts, std::size_t offset) noexcept {
    std::uint64_t number = 0;
    has_version_ = true;
    if (parts.quoted || !read_decimal(parts.value, number) || number == 0 || number > 3) {
      log_->add(errc::descriptor_version_invalid, offset);
      return;
    }
    facts_->version = static_cast<std::uint32_t>(number);
  }

  constexpr void take_cid(const entry_parts& parts, std::size_t offset,
                          std::uint32_t& cid) noexcept {
    if (parts.quoted || !read_hex(parts.value, cid)) {
      log_->add(errc::descriptor_cid_invalid, offset);
    }
  }

  constexpr void take_type(std::string_view word, std::size_t offset) noexcept {
    if (word.empty()) return;
    has_type_ = true;
    const auto type = find_word(create_type_words, word);
    facts_->type = type.value;
    if (!type.found) log_->add(errc::descriptor_create_type_unknown, offset);
    if (type.found && !type.exact) log_->add(errc::descriptor_value_case, offset);
  }

  descriptor_facts* facts_;
  finding_log<Report>* log_;
  bool has_version_ = false;
  bool has_cid_ = false;
  bool has_parent_cid_ = false;
  bool has_parent_hint_ = false;
  bool has_type_ = false;
  bool has_encoding_ = false;
};

}  // namespace vmdk::detail
