// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <type_traits>

#include "vmdk/core/bytes.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/sparse_header.hpp"
#include "vmdk/verify/check_memory.hpp"
#include "vmdk/verify/descriptor_text.hpp"
#include "vmdk/verify/finding.hpp"
#include "vmdk/verify/grain_probe.hpp"
#include "vmdk/verify/header_choice.hpp"
#include "vmdk/verify/link_facts.hpp"
#include "vmdk/verify/mended_extent.hpp"
#include "vmdk/verify/plain_repair.hpp"
#include "vmdk/verify/stream_repair.hpp"

namespace vmdk::detail {

/// Repairs one hosted sparse file (SPEC 13.7), once it is sure which header is right. First
/// everything is read that may be a reason to refuse; then tables, directories, and at last the
/// header are mended, so that no step leads to what is not there yet.
template <class Target, class D>
class extent_repairer {
 public:
  constexpr extent_repairer(Target& target, D& decoder, byte_span room) noexcept
      : extent_{.target = &target, .share = walk_room(room)}, decoder_(&decoder), room_(room) {}

  /// Errors, before anything was written: what is wrong where nothing else tells how it was;
  /// errc::workspace_too_small. Those of the file.
  constexpr failure repair() noexcept {
    const auto chosen = choose_header(*extent_.target, [&](const sparse_extent_header& header) {
      const auto grain = has_other_grains(*extent_.target, header, *decoder_, extent_.share.rest);
      if (!grain) return result<unsigned>(grain.error());
      return *grain ? result<unsigned>(1u) : contradicts(header);
    });
    if (!chosen) return chosen.error();
    extent_.choice = *chosen;
    extent_.header = chosen->taken;
    const auto other_capacity = contradicts(extent_.header);
    if (!other_capacity) return other_capacity.error();
    if (*other_capacity != 0) {
      return image_failure(errc::descriptor_capacity_mismatch,
                           offsetof(sparse_extent_header, capacity));
    }
    return extent_.header.is_compressed() ? stream_repair<Target, D>(extent_, *decoder_).repair()
                                          : plain_repair<Target>(extent_).repair();
  }

 private:
  /// A log that nobody reads.
  struct no_log {
    constexpr failure add(const finding&) noexcept { return no_failure; }
  };

  /// 1 when the embedded descriptor gives the disk another size than a header, else 0. A text that
  /// cannot be read says nothing.
  [[nodiscard]] constexpr result<unsigned> contradicts(
      const sparse_extent_header& header) noexcept {
    if (std::is_constant_evaluated()) {
      return 0u;
    }
    if (header.descriptor_offset == 0) return 0u;
    return contradicts_text(header);
  }
  [[nodiscard]] result<unsigned> contradicts_text(const sparse_extent_header& header) noexcept {
    const range region{header.descriptor_offset << sector_shift,
                       header.descriptor_size << sector_shift};
    no_log log;
    const auto text =
        check_descriptor_text(*extent_.target, region, descriptor_place::embedded, room_, log);
    if (!text) {
      if (text.error().code == errc::workspace_too_small) return 0u;
      return text.error();
    }
    if (!text->is_usable) return 0u;
    return is_same_capacity(header.capacity, text->view.total_sectors(), true) ? 0u : 1u;
  }

  mended_extent<Target> extent_;
  D* decoder_;
  byte_span room_;
};

}  // namespace vmdk::detail
