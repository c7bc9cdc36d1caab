// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <string_view>

#include "vmdk/core/result.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/reader/file_view.hpp"
#include "vmdk/verify/check_memory.hpp"
#include "vmdk/verify/finding.hpp"
#include "vmdk/verify/finding_reporter.hpp"
#include "vmdk/verify/image_check.hpp"

namespace vmdk {
namespace detail {

template <Files F, class D, class OnFinding>
[[nodiscard]] result<check_summary> check_files(F& files, file_id file,
                                                const check_spans<D>& memory, OnFinding& on_finding,
                                                bool follows_names) noexcept {
  if (memory.room.size() < check_least_bytes) {
    return options_failure(errc::workspace_too_small, 0, check_least_bytes);
  }
  using log_type = finding_reporter<OnFinding>;
  log_type log(memory.state.counts, on_finding);
  const check_context<log_type, D> context{log, memory.state, memory.decoder, memory.room};
  image_checker<F, log_type, D> checker(files, context, follows_names);
  const failure why = checker.check(file);
  if (why && !log.summary.stopped) return why;
  log.close();
  return log.summary;
}

}  // namespace detail

/// Checks a disk whose files the caller names through a Files object: its descriptor, each extent,
/// and all parents, by every rule of SPEC 13. It takes the raw bytes and so also judges what `open`
/// refuses. Nothing is opened but what `files.open` gives.
///
/// `on_finding(const finding&)` is called for each broken rule; it returns void, or false to stop,
/// and must not throw.
/// Of each code findings_told_per_code are told, and at the end how many more there were. What is
/// found does not depend on the memory; how often tables are read does: once for each part of a
/// file that the bitmaps have room for. Each pass reads directory and tables once and a sector of
/// each compressed grain; each compressed grain is read and expanded once. Errors: those of
/// `files`, with the number of the file in `index`; errc::workspace_too_small, detail: the bytes of
/// room that are needed (see check_bytes), after all that could be found.
template <Files F, class D, class OnFinding>
[[nodiscard]] result<check_summary> check(F& files, file_id file, const check_spans<D>& memory,
                                          OnFinding&& on_finding) noexcept {
  return detail::check_files(files, file, memory, on_finding, true);
}

/// As above, for a file that is named. Errors: also those of `files.open`.
template <Files F, class D, class OnFinding>
[[nodiscard]] result<check_summary> check(F& files, std::string_view name,
                                          const check_spans<D>& memory,
                                          OnFinding&& on_finding) noexcept {
  const auto file = files.open(name);
  if (!file) return file.error();
  return detail::check_files(files, *file, memory, on_finding, true);
}

/// As above, in the memory of one object; `file_or_name` is a file_id or a name.
template <Files F, class Name, std::size_t RoomBytes, class D, class OnFinding>
[[nodiscard]] result<check_summary> check(F& files, Name file_or_name,
                                          check_memory<RoomBytes, D>& memory,
                                          OnFinding&& on_finding) noexcept {
  return check(files, file_or_name, memory.spans(), on_finding);
}

/// Checks the bytes of one file alone: neither the extents that a text descriptor names nor any
/// parent. Otherwise as above.
template <Source S, class D, class OnFinding>
[[nodiscard]] result<check_summary> check(S& source, const check_spans<D>& memory,
                                          OnFinding&& on_finding) noexcept {
  single_file<S> files(source);
  return detail::check_files(files, file_id{}, memory, on_finding, false);
}

/// As above, in the memory of one object.
template <Source S, std::size_t RoomBytes, class D, class OnFinding>
[[nodiscard]] result<check_summary> check(S& source, check_memory<RoomBytes, D>& memory,
                                          OnFinding&& on_finding) noexcept {
  return check(source, memory.spans(), on_finding);
}

}  // namespace vmdk
