// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/descriptor_limits.hpp"
#include "vmdk/format/sparse_geometry.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/reader/extent_file.hpp"
#include "vmdk/reader/file_view.hpp"
#include "vmdk/verify/check_context.hpp"
#include "vmdk/verify/descriptor_text.hpp"
#include "vmdk/verify/esx_file_check.hpp"
#include "vmdk/verify/extent_list.hpp"
#include "vmdk/verify/link_facts.hpp"
#include "vmdk/verify/named_extents.hpp"
#include "vmdk/verify/sparse_file_check.hpp"

namespace vmdk {

/// The most links of a chain that a check follows.
inline constexpr std::size_t check_most_links = 64;

namespace detail {

/// Checks a disk: its file or descriptor, the extents that this names, and all parents.
template <Files F, class Log, class D>
class image_checker {
 public:
  image_checker(F& files, const check_context<Log, D>& context, bool follows_names) noexcept
      : files_(&files), context_(context), follows_names_(follows_names) {}

  /// Errors: those of the files, with the number of the file; that of the log;
  /// errc::workspace_too_small.
  failure check(file_id file) noexcept {
    link_facts child;
    if (failure f = check_link(file, child)) return f;
    while (follows_names_ && child.has_parent) {
      const auto parent = open_parent(file, child);
      if (!parent) return parent.error();
      if (!*parent) return no_failure;
      const file_id child_file = file;
      file = next_;
      link_facts facts;
      if (failure f = check_link(file, facts)) return f;
      if (failure f = compare_links(child_file, child, facts)) return f;
      child = facts;
    }
    return no_failure;
  }

 private:
  [[nodiscard]] constexpr Log& log() const noexcept { return context_.log; }

  void turn_to(file_id file) noexcept { log().set_file(file.value); }

  /// Checks the file of a link: a sparse file with its descriptor inside, or a text descriptor.
  failure check_link(file_id file, link_facts& facts) noexcept {
    links_.data()[link_count_++] = file;
    turn_to(file);
    const auto contents = identify_file(*files_, file);
    if (!contents) {
      const failure why = contents.error();
      const bool is_no_image = why.code == errc::magic_invalid && why.from == origin::image;
      return is_no_image ? count_file(log().add(why.code, why.offset)) : why;
    }
    if (*contents == file_contents::text) return check_text(file, facts);
    if (*contents == file_contents::sparse) {
      return check_extent_file(file, extent_kind::sparse, {}, context_.room, facts);
    }
    // Those of ESXi's have their descriptor in a file of its own.
    if (failure f = log().add(errc::embedded_descriptor_missing, 0)) return f;
    const auto kind = *contents == file_contents::cowd ? extent_kind::cowd : extent_kind::sesparse;
    return check_extent_file(file, kind, {}, context_.room, facts);
  }

  failure count_file(failure why) noexcept {
    ++log().summary.files;
    return why;
  }

  /// Checks a file of an extent that has tables.
  failure check_extent_file(file_id file, extent_kind kind, const extent_claim& claim,
                            byte_span room, link_facts& facts) noexcept {
    turn_to(file);
    ++log().summary.files;
    file_view<F> view(*files_, file);
    const check_context<Log, D> context{log(), context_.state, context_.decoder, room};
    if (room.size() < check_least_bytes) return too_small(check_least_bytes - room.size());
    if (kind == extent_kind::cowd) return check_cowd_file(view, context, claim, facts);
    if (kind == extent_kind::sesparse) return check_sesparse_file(view, context, claim, facts);
    return sparse_file_checker<file_view<F>, Log, D>(view, context, claim, facts).check();
  }

  [[nodiscard]] failure too_small(std::size_t more) const noexcept {
    return options_failure(errc::workspace_too_small, 0,
                           static_cast<std::uint32_t>(context_.room.size() + more));
  }

  failure check_text(file_id file, link_facts& facts) noexcept {
    ++log().summary.files;
    const std::uint64_t bytes = files_->size(file);
    if (bytes > descriptor_max_bytes) {
      return log().add(finding{
          .code = errc::descriptor_too_long, .offset = descriptor_max_bytes, .value = bytes});
    }
    file_view<F> view(*files_, file);
    const auto text = check_descriptor_text(view, range{0, bytes}, descriptor_place::text_file,
                                            context_.room, log());
    if (!text) return text.error();
    if (!text->is_usable) return no_failure;
    facts.take(text->view);
    facts.capacity_sectors = text->view.total_sectors();
    if (!follows_names_) return no_failure;
    byte_span room = context_.room.subspan(text->text_bytes);
    extent_list extents(room);
    if (failure f = open_extents(*files_, file, text->view, extents, log())) {
      if (f.code == errc::workspace_too_small) return too_small(f.detail);
      return f;
    }
    extents.sort();
    if (failure f = find_shared_extents(extents, log())) return f;
    room = room.subspan(extents.used_bytes());
    return check_extents(extents, text->view.extent_count() == 1, room, facts);
  }

  failure check_extents(const extent_list& extents, bool is_only, byte_span room,
                        link_facts& facts) noexcept {
    for (std::size_t i = 0; i < extents.size(); ++i) {
      const named_extent extent = extents.get(i);
      const file_id file{extent.file};
      if (extent.kind == extent_kind::flat) {
        if (failure f = check_flat(extent, i == 0 || extents.get(i - 1).file != extent.file)) {
          return f;
        }
        continue;
      }
      // One file several times is told already.
      if (i != 0 && extents.get(i - 1).file == extent.file) continue;
      link_facts own;
      const extent_claim claim{.has_line = true,
                               .is_only = is_only,
                               .is_last = extent.is_last,
                               .sectors = extent.sectors};
      if (failure f = check_extent_file(file, extent.kind, claim, room, own)) return f;
      // The header of an only extent says how large the disk is.
      if (is_only && own.capacity_sectors != 0) facts.capacity_sectors = own.capacity_sectors;
    }
    return no_failure;
  }

  failure check_flat(const named_extent& extent, bool is_new_file) noexcept {
    const file_id file{extent.file};
    turn_to(file);
    if (is_new_file) ++log().summary.files;
    const std::uint64_t bytes = files_->size(file);
    const std::uint64_t end_sector = extent.first_sector + extent.sectors;
    if (end_sector <= bytes >> sector_shift) return no_failure;
    return log().add(finding{.code = errc::extent_too_short,
                             .offset = bytes,
                             .entry = extent.line,
                             .value = bytes,
                             .other = end_sector << sector_shift});
  }

  /// Opens the parent of a link into next_; false when there is none to go on with.
  result<bool> open_parent(file_id child_file, const link_facts& child) noexcept {
    turn_to(child_file);
    finding found;
    found.name = child.parent_name.view();
    if (child.parent_refusal != errc::none) {
      found.code = child.parent_refusal;
      if (failure f = log().add(found)) return f;
      return false;
    }
    const auto parent = open_named(*files_, child_file, child.parent_name.view());
    if (!parent) {
      if (!is_about_name(parent.error())) {
        return file_view<F>::in_file(parent.error(), child_file);
      }
      const bool is_missing = parent.error().code == errc::file_not_found;
      found.code = is_missing ? errc::parent_missing : parent.error().code;
    } else {
      for (std::size_t i = 0; i < link_count_; ++i) {
        if (links_.data()[i] == *parent) found.code = errc::chain_loop;
      }
      if (found.code == errc::none && link_count_ == links_.size()) {
        found.code = errc::chain_too_deep;
      }
    }
    if (found.code != errc::none) {
      if (failure f = log().add(found)) return f;
      return false;
    }
    next_ = *parent;
    return true;
  }

  failure compare_links(file_id child_file, const link_facts& child,
                        const link_facts& parent) noexcept {
    if (parent.has_descriptor && parent.cid != child.parent_cid) {
      turn_to(child_file);
      finding found{.code = errc::parent_modified};
      found.value = child.parent_cid;
      found.other = parent.cid;
      if (failure f = log().add(found)) return f;
    }
    // A child that names a parent has a descriptor, and so a capacity.
    const bool is_known = parent.capacity_sectors != 0;
    if (!is_known || parent.capacity_sectors == child.capacity_sectors) return no_failure;
    turn_to(next_);
    finding found{.code = errc::parent_capacity_differs};
    found.value = parent.capacity_sectors;
    found.other = child.capacity_sectors;
    return log().add(found);
  }

  F* files_;
  check_context<Log, D> context_;
  bool follows_names_;
  std::array<file_id, check_most_links> links_{};
  std::size_t link_count_ = 0;
  file_id next_{};
};

}  // namespace detail
}  // namespace vmdk
