// SPDX-License-Identifier: BSD-2-Clause
#include "image_disk.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "error.hpp"
#include "vmdk/format/text.hpp"
#include "vmdk/hosted/os_names.hpp"
#include "vmdk/reader/extent_file.hpp"
#include "vmdk/verify/describe.hpp"

namespace vmdk::cli {
namespace {

/// What opening an image may take, in steps: few need more than the first.
struct image_limits {
  std::size_t extents;
  std::size_t links;
  std::size_t text_bytes;
};
constexpr image_limits limits[] = {
    {128, 16, std::size_t{64} << 10},
    {image_files::max_files, 256, std::size_t{8} << 20},
};

/// True for the failures that more memory may cure.
bool wants_more(const failure& why) noexcept {
  return why.code == errc::workspace_too_small || why.code == errc::extent_count_invalid ||
         why.code == errc::chain_too_deep;
}

/// True for a text that other programs take for a descriptor, this one's rules aside.
bool looks_like_descriptor(std::string_view text) noexcept {
  using namespace vmdk::detail;
  for (const std::string_view head : {"# disk descriptor", "#disk descriptor"}) {
    if (starts_with_ignoring_case(text, head)) return true;
  }
  // Some take any text whose first line that says something states a version.
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    if (!line.empty() && line.front() != '#' && line != "\r") {
      return starts_with_ignoring_case(line, "version=");
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return false;
}

/// What `check` says of an extent whose header contradicts its line, with both sizes.
std::string mismatch_text(image_files& files, const failure& why) {
  finding found{.code = why.code};
  const file_id file{why.index};
  file_view<image_files> from(files, file);
  if (const auto contents = identify_file(files, file)) {
    const auto kind = *contents == file_contents::cowd       ? extent_kind::cowd
                      : *contents == file_contents::sesparse ? extent_kind::sesparse
                                                             : extent_kind::sparse;
    const auto extent = open_extent_file(from, file, kind, strictness::tolerant);
    if (extent) found.value = extent->bytes / sector_bytes;
  }
  if (why.detail != 0xFFFFFFFF) found.other = why.detail;
  std::string text;
  describe(found, [&text](std::string_view piece) { text += piece; });
  return text + ' ' + place_text(why.offset);
}

}  // namespace

bool looks_like_vmdk(std::string_view start) noexcept {
  constexpr std::string_view magics[] = {"KDMV", "kdmv", "COWD", "\xBE\xBA\xFE\xCA"};
  for (const std::string_view magic : magics) {
    if (start.starts_with(magic)) return true;
  }
  return looks_like_descriptor(start);
}

file_id open_image_file(image_files& files, const input& from) {
  const bool is_standard_input = from.path == "-";
  const std::string name = name_of_input(from.path);
  if (!is_standard_input) {
    if (failure why = files.allow(folder_of(from.path))) fail_opening(name, why);
  }
  for (const std::string& folder : from.allowed_folders) {
    if (failure why = files.allow(folder)) fail_opening(folder, why);
  }
  const auto file = files.open_path(is_standard_input ? "/dev/stdin" : from.path, name);
  if (!file) fail_opening(name, file.error());
  return *file;
}

opened_image::opened_image(const input& from) {
  const file_id file = open_image_file(files_, from);
  failure why;
  for (const image_limits& limit : limits) {
    extents_.resize(limit.extents);
    links_.resize(limit.links);
    text_.resize(limit.text_bytes);
    const auto opened = open(files_, file, image_spans{extents_, links_, text_});
    if (opened) {
      image_ = *opened;
      return;
    }
    why = opened.error();
    if (!wants_more(why)) break;
  }
  refuse(why);
}

void opened_image::refuse(const failure& why) {
  if (why.from == origin::files && !files_.last_name().empty()) {
    throw error(files_.name(why.index),
                "names \"" + files_.last_name() + "\": " + opening_text(why));
  }
  if (why.code == errc::parent_modified) {
    // The parent's is the link behind the one that failed.
    const auto is_child = [&](const link& each) { return each.file.value == why.index; };
    const auto child = std::find_if(links_.begin(), links_.end(), is_child);
    if (links_.end() - child > 1) {
      throw error(files_.name(why.index),
                  "names \"" + files_.name(child[1].file.value) + "\": " + failure_text(why));
    }
  }
  if (why.code == errc::extent_mismatch) {
    throw error(files_.name(why.index), mismatch_text(files_, why));
  }
  fail(files_.name(why.index), why);
}

table_memory::table_memory(const image<image_files>& of) : caches(of.links().size()) {
  constexpr std::size_t bytes_each = std::size_t{256} << 10;
  constexpr std::size_t bytes_most = std::size_t{4} << 20;
  bytes.resize(std::min(bytes_each * caches.size(), bytes_most));
}

image_map::image_map(const input& from) : opened_(from), tables_(opened_.get()) {
  const auto made = image_cursor<image_files>::make(opened_.get(),
                                                    {tables_.caches, tables_.bytes, {}, {}}, none_);
  if (!made) fail(opened_.files().name(0), made.error());
  cursor_ = *made;
}

disk_mapping image_map::at(std::uint64_t offset) {
  const auto found = cursor_.map(offset);
  if (!found) fail(opened_.files().name(found.error().index), found.error());
  return *found;
}

image_disk::image_disk(const input& from)
    : image_disk(std::make_shared<const opened_image>(from), from.decoder) {}

image_disk::image_disk(std::shared_ptr<const opened_image> opened, codec which)
    : opened_(std::move(opened)), codec_(which), tables_(opened_->get()), decoder_(which) {
  const image<image_files>& of = opened_->get();
  const std::uint32_t grain_bytes = of.compressed_grain_bytes();
  grain_.resize(grain_bytes);
  if (grain_bytes != 0) {
    input_.resize(static_cast<std::size_t>(compressed_size_limit(grain_bytes)) + sector_bytes);
  }
  const auto made = image_cursor<image_files, any_decoder>::make(
      of, {.caches = tables_.caches, .tables = tables_.bytes, .grain = grain_, .input = input_},
      decoder_);
  if (!made) fail(opened_->files().name(0), made.error());
  cursor_ = *made;
}

std::unique_ptr<disk> image_disk::another() const {
  if (compressed_grain_bytes() == 0) return nullptr;
  return std::make_unique<image_disk>(opened_, codec_);
}

/// Neighbouring ranges are one, so that reads become large.
result<range> image_disk::next_data(std::uint64_t offset) noexcept {
  constexpr std::uint64_t enough_bytes = std::uint64_t{8} << 20;
  auto found = cursor_.next_data(offset);
  while (found && found->bytes != 0 && found->bytes < enough_bytes && found->end() < size()) {
    const auto next = cursor_.next_data(found->end());
    // A damaged neighbour is reported when its own turn comes.
    if (!next || next->bytes == 0 || next->offset != found->end()) break;
    found->bytes += next->bytes;
  }
  return found;
}

}  // namespace vmdk::cli
