// SPDX-License-Identifier: BSD-2-Clause
#include "disk.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "error.hpp"
#include "image_disk.hpp"
#include "raw_disk.hpp"
#include "stream_disk.hpp"
#include "vmdk/format/text.hpp"
#include "vmdk/hosted/os_names.hpp"

namespace vmdk::cli {
namespace {

using vmdk::detail::os::standard_stream;

bool is_standard_input(const input& from) noexcept { return from.path == "-"; }

/// Looks at what a path leads to, "-" to a standard stream; false where there is nothing to see.
bool status_of(const std::string& path, standard_stream stream,
               vmdk::detail::os::file_status& status) noexcept {
  namespace os = vmdk::detail::os;
  return (path == "-" ? os::get_status(os::standard(stream), status)
                      : os::get_status(path, status)) == 0;
}

/// True for what can only be read front to back.
bool is_stream(const input& from) noexcept {
  file_kind kind = file_kind::none;
  if (is_standard_input(from)) {
    vmdk::detail::os::file_status status;
    if (status_of("-", standard_stream::input, status)) kind = status.kind;
    return kind != file_kind::regular && kind != file_kind::block_device;
  }
  kind = kind_of(from.path);
  return kind == file_kind::fifo || kind == file_kind::character_device;
}

/// Tells the format from name and content.
disk_format format_of(const input& from, const file_source& file) {
  std::array<char, 1024> start{};
  const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(start.size(), file.size()));
  const byte_span bytes(reinterpret_cast<std::byte*>(start.data()), n);
  if (failure why = file.read_at(0, bytes)) fail(from.path, why);
  const bool is_vmdk = looks_like_vmdk({start.data(), n});

  if (is_named_vmdk(from.path)) {
    if (is_vmdk) return disk_format::vmdk;
    throw error(from.path, "is not a VMDK, whatever its name; -f raw reads it as a raw disk");
  }
  if (!is_vmdk) return disk_format::raw;
  throw error(from.path,
              "has no VMDK's name but holds one; -f vmdk reads it as that, -f raw takes its bytes");
}

pipe_source open_pipe(const input& from, const std::string& name) {
  if (is_standard_input(from)) return pipe_source::standard_input();
  auto opened = pipe_source::open(from.path);
  if (!opened) fail_opening(name, opened.error());
  return std::move(opened).value();
}

std::unique_ptr<disk> open_stream(const input& from) {
  const std::string name = name_of_input(from.path);
  if (*from.format == disk_format::vmdk) {
    if (from.size_bytes) throw error("--size", "is for raw disks; a VMDK knows its size");
    return std::make_unique<stream_disk>(name, open_pipe(from, name), from.decoder);
  }
  if (!from.size_bytes) {
    throw error(name, "is a pipe, so --size must say how large the disk is");
  }
  return std::make_unique<piped_disk>(name, open_pipe(from, name), *from.size_bytes);
}

std::unique_ptr<disk> open_file(const input& from) {
  const std::string name = name_of_input(from.path);
  auto opened =
      is_standard_input(from) ? file_source::standard_input() : file_source::open(from.path);
  if (!opened) fail_opening(name, opened.error());
  file_source file = std::move(opened).value();
  if (file.size() == 0) throw error(name, "is empty");

  if ((from.format ? *from.format : format_of(from, file)) == disk_format::vmdk) {
    if (from.size_bytes) throw error("--size", "is for raw disks; a VMDK knows its size");
    return std::make_unique<image_disk>(from);
  }
  if (from.size_bytes && *from.size_bytes != file.size()) {
    throw error(name, "has " + std::to_string(file.size()) + " bytes, and --size says " +
                          std::to_string(*from.size_bytes));
  }
  return std::make_unique<raw_disk>(name, std::move(file));
}

}  // namespace

std::unique_ptr<disk> open_disk(const input& from) {
  const bool stream = is_stream(from);
  if (stream && !from.may_be_pipe) {
    throw error(name_of_input(from.path),
                "is a pipe, which cannot be read at any place; use a file");
  }
  if (!from.format && (stream || is_standard_input(from))) {
    throw error(name_of_input(from.path), "has no name to go by; say -f raw or -f vmdk");
  }
  if (from.size_bytes && *from.size_bytes == 0) throw error("--size 0", "a disk has some size");
  return stream ? open_stream(from) : open_file(from);
}

bool is_named_vmdk(std::string_view path) noexcept {
  constexpr std::string_view ending = ".vmdk";
  return path.size() >= ending.size() &&
         vmdk::detail::same_ignoring_case(path.substr(path.size() - ending.size()), ending);
}

bool is_same_file(const std::string& source, const std::string& destination) noexcept {
  vmdk::detail::os::file_status first;
  vmdk::detail::os::file_status second;
  return status_of(source, standard_stream::input, first) &&
         status_of(destination, standard_stream::output, second) &&
         (first.kind == file_kind::regular || first.kind == file_kind::block_device) &&
         vmdk::detail::os::is_same_file(first, second);
}

}  // namespace vmdk::cli
