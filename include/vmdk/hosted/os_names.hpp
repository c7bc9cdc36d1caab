// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string>
#include <string_view>

#include "vmdk/hosted/os.hpp"
#include "vmdk/hosted/posix/os_names.hpp"
#include "vmdk/hosted/windows/os_names.hpp"

namespace vmdk {

/// Says what a path leads to, symbolic links followed; `none` for nothing, also behind a link.
[[nodiscard]] inline file_kind kind_of(const std::string& path) noexcept {
  detail::os::file_status status;
  return detail::os::get_status(path, status) == 0 ? status.kind : file_kind::none;
}

/// The folder that a path's last name lies in: "." where it has none.
[[nodiscard]] inline std::string folder_of(std::string_view path) noexcept {
  return detail::os::folder_of(path);
}

/// The last name of a path; empty where it ends in a slash.
[[nodiscard]] inline std::string base_name_of(std::string_view path) noexcept {
  const std::size_t before = path.find_last_of(detail::os::separators);
  return std::string(before == std::string_view::npos ? path : path.substr(before + 1));
}

/// True for a name that can only mean a file of the folder it is looked up in: not empty, not "."
/// or "..", at most 255 bytes, and without slash, backslash, colon (drives, streams, "json:") or
/// NUL.
[[nodiscard]] inline bool is_base_name(std::string_view name) noexcept {
  using namespace std::string_view_literals;
  return !name.empty() && name != "." && name != ".." && name.size() <= 255 &&
         name.find_first_of("/\\:\0"sv) == std::string_view::npos;
}

}  // namespace vmdk
