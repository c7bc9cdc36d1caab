// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/footer_check.hpp"
#include "vmdk/format/sparse_header.hpp"
#include "vmdk/verify/header_choice.hpp"
#include "vmdk/verify/repair_step.hpp"

namespace vmdk::detail {

/// Writes what has become of a header and its footer.
template <class Target>
class header_mender {
 public:
  constexpr header_mender(Target& target, const header_choice& choice) noexcept
      : target_(&target), choice_(&choice) {}

  /// Makes the footer, which can be, the header with the directory's place. That is taken out of a
  /// header which did not have it.
  /// Errors: the file's.
  constexpr failure mend_footer(sparse_extent_header& header) noexcept {
    sparse_extent_header wanted = header;
    wanted.unclean_shutdown = choice_->footer.unclean_shutdown;
    wanted.rgd_offset = choice_->footer.rgd_offset;
    const sector_image bytes = encode(wanted);
    bool is_same = wanted.gd_offset == choice_->footer.gd_offset.get();
    check_footer_agrees(wanted, choice_->footer, [&](errc, std::uint64_t) {
      is_same = false;
      return false;
    });
    const std::uint64_t stated = choice_->header.gd_offset;
    if (stated != header.gd_offset) header.gd_offset = directory_at_end;
    if (is_same) return no_failure;
    if (failure f = target_->barrier()) return f;
    const repair_step step{.kind = repair_kind::footer_rebuilt,
                           .offset = target_->size() - 2 * sector_bytes};
    return target_->change(step, bytes);
  }

  /// Writes what has become of the header, between barriers. Errors: the file's.
  constexpr failure mend_header(sparse_extent_header header) noexcept {
    if (failure f = target_->barrier()) return f;
    if (choice_->is_header_usable) {
      if (failure f = mend_fields(header)) return f;
      return target_->barrier();
    }
    header.unclean_shutdown = 0;
    const repair_step step{.kind = repair_kind::header_rebuilt, .offset = 0};
    if (failure f = target_->change(step, encode(header))) return f;
    return target_->barrier();
  }

  /// Clears the unclean flag of a header that was usable, when nothing was left. Errors: the
  /// file's.
  constexpr failure clear_unclean() noexcept {
    if (!choice_->is_header_usable || choice_->header.unclean_shutdown == 0) return no_failure;
    if (target_->summary.left != 0) return no_failure;
    const repair_step step{.kind = repair_kind::unclean_cleared,
                           .offset = offsetof(h, unclean_shutdown)};
    if (failure f = target_->change_value(step, std::uint8_t{0})) return f;
    return target_->barrier();
  }

 private:
  using h = sparse_extent_header;

  /// Writes the fields of the header that are others now.
  constexpr failure mend_fields(const sparse_extent_header& header) noexcept {
    failure why;
    const auto field = [&](auto before, auto after, std::size_t offset) {
      if (why || before == after) return;
      const repair_step step{.kind = repair_kind::header_corrected,
                             .offset = offset,
                             .before = before,
                             .after = after};
      why = target_->change_value(step, after);
    };
    const sparse_extent_header& old = choice_->header;
    field(old.version.get(), header.version.get(), offsetof(h, version));
    field(old.flags.get(), header.flags.get(), offsetof(h, flags));
    field(old.capacity.get(), header.capacity.get(), offsetof(h, capacity));
    field(old.grain_size.get(), header.grain_size.get(), offsetof(h, grain_size));
    field(old.descriptor_offset.get(), header.descriptor_offset.get(),
          offsetof(h, descriptor_offset));
    field(old.descriptor_size.get(), header.descriptor_size.get(), offsetof(h, descriptor_size));
    field(old.num_gtes_per_gt.get(), header.num_gtes_per_gt.get(), offsetof(h, num_gtes_per_gt));
    if (header.has(sparse_flags::redundant_tables)) {
      field(old.rgd_offset.get(), header.rgd_offset.get(), offsetof(h, rgd_offset));
    }
    field(old.gd_offset.get(), header.gd_offset.get(), offsetof(h, gd_offset));
    field(old.over_head.get(), header.over_head.get(), offsetof(h, over_head));
    field(old.compress_algorithm.get(), header.compress_algorithm.get(),
          offsetof(h, compress_algorithm));
    return why;
  }

  Target* target_;
  const header_choice* choice_;
};

}  // namespace vmdk::detail
