// SPDX-License-Identifier: BSD-2-Clause
#include "old_set.hpp"

#include <algorithm>
#include <string_view>

#include "vmdk/format/descriptor_limits.hpp"
#include "vmdk/format/descriptor_parser.hpp"
#include "vmdk/hosted/file_source.hpp"
#include "vmdk/hosted/os_names.hpp"
#include "vmdk/layout/pieces.hpp"

namespace vmdk::cli {
namespace {

/// True for STEM-flat.vmdk, STEM-s001.vmdk, STEM-f001.vmdk and so on.
bool is_named_after(std::string_view name, std::string_view stem) noexcept {
  constexpr std::string_view ending = ".vmdk";
  if (!name.starts_with(stem) || !name.ends_with(ending)) return false;
  name.remove_prefix(stem.size());
  if (name == "-flat.vmdk") return true;
  if (!name.starts_with("-s") && !name.starts_with("-f")) return false;
  name.remove_prefix(2);
  name.remove_suffix(ending.size());
  return name.size() >= 3 &&
         std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

old_set find_old_set(const std::string& destination) {
  old_set old;
  std::string path;
  if (vmdk::detail::os::follow_links(destination, path) != 0) return old;
  if (kind_of(path) != file_kind::regular) return old;
  const auto file = file_source::open(path);
  if (!file || file->size() > descriptor_max_bytes) return old;
  std::string text(static_cast<std::size_t>(file->size()), '\0');
  if (file->read_at(0, byte_span(reinterpret_cast<std::byte*>(text.data()), text.size()))) {
    return old;
  }
  const auto view = parse_descriptor(text, descriptor_place::text_file);
  if (!view) return old;
  old.folder = folder_of(path);
  const std::string own_name = base_name_of(path);
  for (const extent_line& line : view->extents()) {
    const std::string name(line.name.stem);
    if (is_plain_name(name) && is_named_after(name, stem_of(own_name))) {
      old.names.push_back(name);
    }
  }
  return old;
}

void remove_old_set(const old_set& old) noexcept {
  vmdk::detail::os::handle folder;
  if (old.names.empty() || vmdk::detail::os::open_folder(old.folder, folder) != 0) return;
  for (const std::string& name : old.names) {
    vmdk::detail::os::file_status status;
    if (vmdk::detail::os::get_status(folder, name, status) == 0 &&
        status.kind == file_kind::regular) {
      (void)vmdk::detail::os::remove_name(folder, name);
    }
  }
}

}  // namespace vmdk::cli
