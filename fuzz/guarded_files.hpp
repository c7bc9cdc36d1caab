// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "bundle.hpp"
#include "choices.hpp"
#include "demand.hpp"
#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/format/extent_name.hpp"
#include "vmdk/io/concepts.hpp"

namespace fuzzing {

/// Files that hold readers to their promises: no name but a plain one is asked for, and nothing
/// outside a file is read.
class guarded_files {
 public:
  /// The files of a bundle under their names, as far as those are plain.
  explicit guarded_files(const bundle& files) {
    for (const bundled_file& file : files.files()) add(file.name, file.bytes);
  }

  /// One file under whatever name ends in a multiple of four, and parts of it under other names.
  explicit guarded_files(vmdk::byte_view file) : answers_any_name_(true) {
    for (const std::size_t begin : {0U, 512U, 1024U, 4096U}) {
      if (begin <= file.size()) parts_.push_back(exact_copy(file.subspan(begin)));
    }
    for (const auto& part : parts_) add({}, part);
  }

  std::size_t count() const { return files_.size(); }

  vmdk::result<vmdk::file_id> open(std::string_view name) noexcept {
    demand(vmdk::is_plain_name(name), "only plain names are looked up");
    if (answers_any_name_) {
      const auto number = static_cast<std::uint32_t>(name.back()) & 3;
      if (number < files_.size()) return vmdk::file_id{number};
    }
    for (std::uint32_t i = 0; i < files_.size(); ++i) {
      if (!answers_any_name_ && files_[i].name == name) return vmdk::file_id{i};
    }
    return vmdk::failure{.code = vmdk::errc::file_not_found, .from = vmdk::origin::files};
  }
  std::uint64_t size(vmdk::file_id id) const noexcept { return bytes(id).size(); }
  vmdk::failure read_at(vmdk::file_id id, std::uint64_t offset, vmdk::byte_span out) noexcept {
    demand(vmdk::fits_inside(offset, out.size(), size(id)), "only what a file has is read");
    vmdk::copy_bytes(out.data(), bytes(id).data() + offset, out.size());
    return vmdk::no_failure;
  }
  vmdk::byte_view bytes(vmdk::file_id id) const {
    demand(id.value < files_.size(), "only files that were opened are read");
    return files_[id.value].bytes;
  }

 private:
  struct named {
    std::string_view name;
    vmdk::byte_view bytes;
  };
  void add(std::string_view name, vmdk::byte_view bytes) { files_.push_back({name, bytes}); }

  bool answers_any_name_ = false;
  std::vector<std::vector<std::byte>> parts_;
  std::vector<named> files_;
};

static_assert(vmdk::Files<guarded_files>);

}  // namespace fuzzing
