// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <string_view>

#include "vmdk/core/failure.hpp"

namespace vmdk {

/// How bad it is that an image breaks a rule (SPEC 13).
enum class severity : std::uint8_t {
  note,     ///< Worth knowing; every reader opens the image.
  warning,  ///< No good writer makes this; strict readers refuse it.
  unclean,  ///< The last writer did not finish; the content may be old.
  error,    ///< Wrong data or unbounded work may follow; refused.
};

/// The word for a severity, to stand before a finding's sentence.
[[nodiscard]] constexpr std::string_view to_string(severity level) noexcept {
  using namespace std::string_view_literals;
  switch (level) {
    case severity::note:
      return "note"sv;
    case severity::warning:
      return "warning"sv;
    case severity::unclean:
      return "unclean"sv;
    case severity::error:
      return "error"sv;
  }
  return "unknown"sv;
}

/// How strict a reader is.
enum class strictness : std::uint8_t {
  tolerant,  ///< Refuses errors alone.
  strict,    ///< Refuses warnings and unclean images too.
};

/// The severity of breaking the rule that a code stands for; the one table of SPEC 13.
[[nodiscard]] constexpr severity severity_of(errc code) noexcept {
  switch (code) {
    case errc::grain_size_unusual:
    case errc::redundant_shared:
    case errc::overhead_too_small:
    case errc::header_padding_not_zero:
    case errc::zeroed_grains_need_version_2:
    case errc::capacity_not_whole_grains:
    case errc::grain_unaligned:
    case errc::table_tail_not_zero:
    case errc::directory_tail_not_zero:
    case errc::marker_lba_not_ascending:
    case errc::stream_gap:
    case errc::last_grain_short:
    case errc::marker_padding_not_zero:
    case errc::descriptor_signature_missing:
    case errc::descriptor_padding_not_zero:
    case errc::descriptor_line_end_unusual:
    case errc::descriptor_blanks_unusual:
    case errc::descriptor_not_utf8:
    case errc::descriptor_encoding_unknown:
    case errc::descriptor_key_unknown:
    case errc::descriptor_value_unquoted:
    case errc::descriptor_value_case:
    case errc::descriptor_version_missing:
    case errc::descriptor_cid_reserved:
    case errc::descriptor_cid_order:
    case errc::descriptor_parent_cid_missing:
    case errc::descriptor_parent_hint_missing:
    case errc::descriptor_create_type_unknown:
    case errc::descriptor_create_type_misplaced:
    case errc::descriptor_create_type_mismatch:
    case errc::descriptor_extent_extra:
    case errc::descriptor_extent_offset_unusual:
    case errc::descriptor_extent_name_unusual:
    case errc::descriptor_ddb_missing:
    case errc::descriptor_ddb_prefix_missing:
    case errc::descriptor_ddb_value_invalid:
    case errc::descriptor_compression_mismatch:
    case errc::cowd_free_sector_invalid:
    case errc::cowd_zeroed_grain:
    case errc::sesparse_reserved_unusual:
    case errc::sesparse_grains_outside_file:
      return severity::warning;
    case errc::grain_size_large:
    case errc::stream_end_missing:
    case errc::stream_end_padded:
    case errc::extent_no_access:
    case errc::extent_rounded_up:
      return severity::note;
    case errc::unclean_shutdown:
      return severity::unclean;
    default:
      return severity::error;
  }
}

/// True when a reader of this strictness goes on although the rule is broken.
[[nodiscard]] constexpr bool accepts(strictness mode, errc code) noexcept {
  const severity s = severity_of(code);
  if (mode == strictness::tolerant) return s != severity::error;
  return s == severity::note;
}

/// A finding callback that keeps the first failure which a reader of this strictness refuses.
/// Checks call `report(code, offset)` and stop when it returns false.
class first_refusal {
 public:
  constexpr explicit first_refusal(strictness mode) noexcept : mode_(mode) {}

  constexpr bool operator()(errc code, std::uint64_t offset) noexcept {
    if (accepts(mode_, code)) return true;
    if (!why_) why_ = image_failure(code, offset);
    return false;
  }

  [[nodiscard]] constexpr failure why() const noexcept { return why_; }

 private:
  strictness mode_;
  failure why_{};
};

}  // namespace vmdk
