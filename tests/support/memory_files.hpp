// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/format/extent_name.hpp"
#include "vmdk/io/concepts.hpp"

namespace testing_support {

/// Files in memory, by name. Names that are no plain names are refused, as a directory does.
class memory_files {
 public:
  /// Adds a file, or replaces it; returns its bytes, to be changed at will.
  std::vector<std::byte>& put(const std::string& name, std::vector<std::byte> bytes) {
    for (auto& [known, content] : files_) {
      if (known == name) return content = std::move(bytes);
    }
    return files_.emplace_back(name, std::move(bytes)).second;
  }
  std::vector<std::byte>& put(const std::string& name, std::string_view text) {
    std::vector<std::byte> bytes(text.size());
    vmdk::copy_text(bytes.data(), text);
    return put(name, std::move(bytes));
  }
  std::vector<std::byte>& bytes(std::string_view name) {
    for (auto& [known, content] : files_) {
      if (known == name) return content;
    }
    return put(std::string(name), std::vector<std::byte>{});
  }

  vmdk::result<vmdk::file_id> open(std::string_view name) noexcept {
    ++opened;
    if (!closed.empty() && name == closed) return closed_why;
    if (!vmdk::is_plain_name(name)) return failed(vmdk::errc::name_not_allowed);
    for (std::uint32_t i = 0; i < files_.size(); ++i) {
      if (files_[i].first == name) return vmdk::file_id{i};
    }
    return failed(vmdk::errc::file_not_found);
  }
  std::uint64_t size(vmdk::file_id id) const noexcept { return files_[id.value].second.size(); }
  vmdk::failure read_at(vmdk::file_id id, std::uint64_t offset, vmdk::byte_span out) noexcept {
    const auto& content = files_[id.value].second;
    read_bytes += out.size();
    if (!vmdk::fits_inside(offset, out.size(), content.size())) {
      return vmdk::source_failure(vmdk::errc::out_of_range, offset);
    }
    if (read_fails_at != 0 && --read_fails_at == 0) {
      return vmdk::source_failure(fails_with, offset);
    }
    vmdk::copy_bytes(out.data(), content.data() + offset, out.size());
    return vmdk::no_failure;
  }

  std::string closed{};  ///< A name that cannot be opened, and why.
  vmdk::failure closed_why{};
  std::uint64_t opened = 0;         ///< Calls of `open`.
  std::uint64_t read_bytes = 0;     ///< Asked of `read_at`.
  std::uint64_t read_fails_at = 0;  ///< So many reads from now one fails; 0: never.
  vmdk::errc fails_with = vmdk::errc::read_failed;

 private:
  static vmdk::failure failed(vmdk::errc code) {
    return {.code = code, .from = vmdk::origin::files};
  }

  std::vector<std::pair<std::string, std::vector<std::byte>>> files_;
};

static_assert(vmdk::Files<memory_files>);

}  // namespace testing_support
