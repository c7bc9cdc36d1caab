// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "vmdk/core/result.hpp"
#include "vmdk/writer/options.hpp"

namespace vmdk {

/// How an image of a type is written; specialised by each writer.
template <class Type>
struct writer;

/// Writes an image of a type: reads the disk from a Source, front to back, and writes the file to a
/// Sink. The same bytes come out whatever the sink, the block size and the host.
///
/// Errors: those of the type's writer, of the source and of the sink. After an error the sink's
/// content is no image: its header is missing, or its end. Nothing else is kept: a new call starts
/// afresh.
template <class Type, class S, class K, class Workspace>
[[nodiscard]] constexpr result<write_report> write(S& source, K& sink, const write_options& options,
                                                   Workspace& memory) noexcept {
  return writer<Type>::write(source, sink, options, memory);
}

}  // namespace vmdk
