// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <string_view>

#include "vmdk/core/result.hpp"
#include "vmdk/format/severity.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/reader/image.hpp"
#include "vmdk/reader/open.hpp"
#include "vmdk/verify/check.hpp"

namespace vmdk {

/// Opens an image as a strict reader does, having looked at all of it first: what `open` checks
/// only when it is used (tables, their copies, grains and where they overlap) refuses the image
/// here. Errors: the first broken rule of SPEC 13 that is more than a note, with the number of the
/// file and the offset in it; those of `check` and of `open`.
template <Files F, class D>
[[nodiscard]] result<image<F>> open_checked(F& files, file_id file, const image_spans& memory,
                                            const check_spans<D>& checking) noexcept {
  failure why;
  const auto done = check(files, file, checking, [&why](const finding& found) {
    if (accepts(strictness::strict, found.code)) return true;
    why = image_failure(found.code, found.offset);
    why.index = found.file;
    return false;
  });
  if (why) return why;
  if (!done) return done.error();
  return open(files, file, memory, strictness::strict);
}

/// As above, for a file that is named. Errors: also those of `files.open`.
template <Files F, class D>
[[nodiscard]] result<image<F>> open_checked(F& files, std::string_view name,
                                            const image_spans& memory,
                                            const check_spans<D>& checking) noexcept {
  const auto file = files.open(name);
  if (!file) return file.error();
  return open_checked(files, *file, memory, checking);
}

/// As above, in the memory of two objects; `file_or_name` is a file_id or a name.
template <Files F, class Name, std::size_t E, std::size_t L, std::size_t T, std::size_t RoomBytes,
          class D>
[[nodiscard]] result<image<F>> open_checked(F& files, Name file_or_name,
                                            image_memory<E, L, T>& memory,
                                            check_memory<RoomBytes, D>& checking) noexcept {
  return open_checked(files, file_or_name, memory.spans(), checking.spans());
}

/// Opens the image in one Source in the same way; one that names a further file is refused, as if
/// that were missing.
template <Source S, class D>
[[nodiscard]] result<source_image<S>> open_checked(S& source, const image_spans& memory,
                                                   const check_spans<D>& checking) noexcept {
  single_file<S> file(source);
  return open_checked(file, file_id{}, memory, checking);
}

/// As above, in the memory of two objects.
template <Source S, std::size_t E, std::size_t L, std::size_t T, std::size_t RoomBytes, class D>
[[nodiscard]] result<source_image<S>> open_checked(S& source, image_memory<E, L, T>& memory,
                                                   check_memory<RoomBytes, D>& checking) noexcept {
  return open_checked(source, memory.spans(), checking.spans());
}

}  // namespace vmdk
