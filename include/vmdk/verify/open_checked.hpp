// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
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
    why.index = static_cast<std::uint16_t>(found.file);
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

}  // namespace vmdk
