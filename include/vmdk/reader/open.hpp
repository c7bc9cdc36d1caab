// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <string_view>

#include "vmdk/core/result.hpp"
#include "vmdk/format/severity.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/reader/file_view.hpp"
#include "vmdk/reader/image.hpp"
#include "vmdk/reader/image_opener.hpp"

namespace vmdk {

/// Opens an image whose files the caller names through a Files object: a sparse file, or a text
/// descriptor with its extents, and all parents.
///
/// Header, footer, descriptor and the place of each directory are checked; table entries are
/// checked when they are used, so opening takes a few reads a file. Every name inside the image
/// goes to `files.open`, and nothing else is opened. Errors: every rule of SPEC 13 that this
/// strictness refuses, with the number of the file in `index` and the offset in it;
/// errc::chain_too_deep, errc::extent_count_invalid and errc::workspace_too_small when the memory
/// is too small for the image; those of `files`.
template <Files F>
[[nodiscard]] result<image<F>> open(F& files, std::string_view name, const image_spans& memory,
                                    strictness mode = strictness::tolerant) noexcept {
  const auto file = files.open(name);
  if (!file) return file.error();
  return detail::image_opener<F>(files, memory, mode).open(*file);
}

/// As above, for a file that the Files object has opened already.
template <Files F>
[[nodiscard]] result<image<F>> open(F& files, file_id file, const image_spans& memory,
                                    strictness mode = strictness::tolerant) noexcept {
  return detail::image_opener<F>(files, memory, mode).open(file);
}

/// As above, in the memory of one object; `file_or_name` is a file_id or a name.
template <Files F, class Name, std::size_t E, std::size_t L, std::size_t T>
[[nodiscard]] result<image<F>> open(F& files, Name file_or_name, image_memory<E, L, T>& memory,
                                    strictness mode = strictness::tolerant) noexcept {
  return open(files, file_or_name, memory.spans(), mode);
}

/// An opened image of one file.
template <Source S>
using source_image = image<single_file<S>>;

/// Opens the image in one Source, which outlives it. Errors: as above; errc::file_not_found, origin
/// files, where the image names a further file.
template <Source S>
[[nodiscard]] result<source_image<S>> open(S& source, const image_spans& memory,
                                           strictness mode = strictness::tolerant) noexcept {
  single_file<S> file(source);
  return open(file, file_id{}, memory, mode);
}

/// As above, in the memory of one object.
template <Source S, std::size_t E, std::size_t L, std::size_t T>
[[nodiscard]] result<source_image<S>> open(S& source, image_memory<E, L, T>& memory,
                                           strictness mode = strictness::tolerant) noexcept {
  return open(source, memory.spans(), mode);
}

}  // namespace vmdk
