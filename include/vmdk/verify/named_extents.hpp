// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/failure.hpp"
#include "vmdk/format/descriptor_view.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/reader/extent_file.hpp"
#include "vmdk/reader/file_view.hpp"
#include "vmdk/verify/descriptor_text.hpp"
#include "vmdk/verify/extent_list.hpp"
#include "vmdk/verify/finding.hpp"
#include "vmdk/verify/link_facts.hpp"

namespace vmdk::detail {

/// True when a name leads to no file that may be read: that is the image's fault.
[[nodiscard]] constexpr bool is_about_name(const failure& why) noexcept {
  return why.code == errc::file_not_found || why.code == errc::name_not_allowed ||
         why.code == errc::file_not_regular;
}

/// Opens the file of each extent that has one. Names that lead to no file are findings.
/// Errors: those of the files and of the log; errc::workspace_too_small, detail: how much more.
template <Files F, class Log>
failure open_extents(F& files, file_id descriptor, const descriptor_view& view,
                     extent_list& extents, Log& log) noexcept {
  descriptor_reporter<Log> lines(view.text(), 0, log);
  const extent_range range = view.extents();
  std::size_t left = view.extent_count();
  for (extent_iterator at = range.begin(); at != end_of_lines{}; ++at) {
    const extent_line& line = *at;
    --left;
    finding found{.offset = at.line_offset(), .entry = lines.line_at(at.line_offset())};
    if (line.access == extent_access::none) {
      found.code = errc::extent_no_access;
      if (failure f = log.add(found)) return f;
      continue;
    }
    if (line.type == extent_type::zero) continue;
    kept_name name;
    name.set(line.name.stem, view.encoding());
    found.name = name.view();
    const auto file = open_named(files, descriptor, name.view());
    auto kind = result<extent_kind>(extent_kind::zero);
    if (!file) {
      found.code = file.error().code;
      if (!is_about_name(file.error())) return file_view<F>::in_file(file.error(), descriptor);
    } else if (*file == descriptor) {
      found.code = errc::extent_is_descriptor;
    } else {
      file_view<F> extent_file(files, *file);
      kind = kind_of_line(extent_file, line.type);
      if (!kind && kind.error().from != origin::image) return kind.error();
      found.code = kind.error().code;
    }
    if (found.code != errc::none) {
      if (failure f = log.add(found)) return f;
      continue;
    }
    const named_extent extent{.file = file->value,
                              .line = static_cast<std::uint32_t>(found.entry),
                              .sectors = line.sectors,
                              .first_sector = line.offset_sectors,
                              .kind = *kind,
                              .is_last = left == 0};
    if (!extents.add(extent)) return options_failure(errc::workspace_too_small, 0, sizeof(extent));
  }
  return no_failure;
}

/// Finds extents, which are sorted, that share sectors of a file. Errors: those of the log.
template <class Log>
failure find_shared_extents(const extent_list& extents, Log& log) noexcept {
  named_extent longest;
  for (std::size_t i = 0; i < extents.size(); ++i) {
    const named_extent extent = extents.get(i);
    if (i != 0 && longest.shares_sectors(extent)) {
      finding found{.code = errc::extent_overlap, .entry = extent.line};
      found.other = longest.line;
      if (failure f = log.add(found)) return f;
    }
    const bool reaches_further =
        longest.file != extent.file ||
        extent.first_sector + extent.sectors > longest.first_sector + longest.sectors;
    if (i == 0 || reaches_further) longest = extent;
  }
  return no_failure;
}

}  // namespace vmdk::detail
