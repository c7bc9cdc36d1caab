// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <string_view>

#include "vmdk/core/result.hpp"
#include "vmdk/io/concepts.hpp"

namespace vmdk {

/// A single Source as a Files object that knows no names: for images of one file. It only refers to
/// the source, and may be copied.
template <Source S>
class single_file {
 public:
  constexpr single_file() noexcept = default;
  /// The source is the caller's.
  constexpr explicit single_file(S& source) noexcept : source_(&source) {}

  [[nodiscard]] constexpr result<file_id> open(std::string_view) const noexcept {
    return failure{.code = errc::file_not_found, .from = origin::files};
  }
  [[nodiscard]] constexpr std::uint64_t size(file_id) const noexcept { return source_->size(); }
  [[nodiscard]] constexpr failure read_at(file_id, std::uint64_t offset,
                                          byte_span out) const noexcept {
    return source_->read_at(offset, out);
  }
  [[nodiscard]] constexpr result<range> next_data(file_id, std::uint64_t offset) const noexcept
    requires SparseSource<S>
  {
    return source_->next_data(offset);
  }

 private:
  S* source_ = nullptr;
};

/// Refers to a Files object that the caller keeps; a single_file, which itself only refers to
/// something, is copied.
template <Files F>
class files_pointer {
 public:
  constexpr files_pointer() noexcept = default;
  // Not explicit: it stands for the reference.
  constexpr files_pointer(F& files) noexcept : files_(&files) {}

  [[nodiscard]] constexpr F& operator*() const noexcept { return *files_; }
  [[nodiscard]] constexpr F* operator->() const noexcept { return files_; }

 private:
  F* files_ = nullptr;
};

template <Source S>
class files_pointer<single_file<S>> {
 public:
  constexpr files_pointer() noexcept = default;
  // Not explicit: it stands for the object.
  constexpr files_pointer(const single_file<S>& file) noexcept : file_(file) {}

  [[nodiscard]] constexpr single_file<S> operator*() const noexcept { return file_; }
  [[nodiscard]] constexpr const single_file<S>* operator->() const noexcept { return &file_; }

 private:
  single_file<S> file_{};
};

/// One file of a Files object, as a Source. Its failures say in `index` which file it was.
template <Files F>
class file_view {
 public:
  constexpr file_view(files_pointer<F> files, file_id id) noexcept : files_(files), id_(id) {}

  [[nodiscard]] constexpr std::uint64_t size() const noexcept { return files_->size(id_); }

  [[nodiscard]] constexpr failure read_at(std::uint64_t offset, byte_span out) noexcept {
    return in_file(files_->read_at(id_, offset, out), id_);
  }

  /// The failure, with the number of this file.
  [[nodiscard]] static constexpr failure in_file(failure why, file_id id) noexcept {
    if (why) why.index = id.value;
    return why;
  }

 private:
  files_pointer<F> files_;
  file_id id_;
};

/// Opens what a file of an image names. Errors: those of `files`.
template <Files F>
[[nodiscard]] constexpr result<file_id> open_named(F& files, [[maybe_unused]] file_id opener,
                                                   std::string_view name) noexcept {
  if constexpr (FolderFiles<F>) {
    return files.open_beside(opener, name);
  } else {
    return files.open(name);
  }
}

/// A Files object that knows the holes of its files.
template <class T>
concept SparseFiles = Files<T> && requires(T& files, file_id id, std::uint64_t offset) {
  { files.next_data(id, offset) } noexcept -> std::same_as<result<range>>;
};

}  // namespace vmdk
