// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <string_view>

#include "vmdk/core/result.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/io/counting.hpp"
#include "vmdk/writer/options.hpp"
#include "vmdk/writer/workspace.hpp"
#include "vmdk/writer/write.hpp"

namespace vmdk {
namespace detail {

/// Takes the files of an image that has several, and keeps nothing.
class counting_directory {
 public:
  using sink_type = counting_sink;

  constexpr result<counting_sink*> create(std::string_view /*name*/) noexcept {
    file_ = {};
    return &file_;
  }
  constexpr failure commit() noexcept { return no_failure; }
  constexpr void abort() noexcept {}

 private:
  counting_sink file_{};
};

static_assert(SinkDirectory<counting_directory>);

}  // namespace detail

/// Computes the size of the file, or of all files together, that `write` makes of a disk. It does
/// all that `write` does, and keeps nothing: the layout alone gives bounds at no cost.
/// Errors: those of `write`.
template <class Type, Source S, class Workspace>
[[nodiscard]] constexpr result<std::uint64_t> file_bytes(S& source, const write_options& options,
                                                         Workspace& memory) noexcept {
  result<write_report> report = no_failure;
  if constexpr (requires(counting_sink& sink) {
                  writer<Type>::write(source, sink, options, memory);
                }) {
    counting_sink sink;
    report = writer<Type>::write(source, sink, options, memory);
  } else {
    detail::counting_directory directory;
    report = writer<Type>::write(source, directory, options, memory);
  }
  if (!report) return report.error();
  return report->file_bytes;
}

/// As above, with the workspace of the type, and of the encoder where it has one, on the stack.
template <class Type, class... Codec, Source S>
[[nodiscard]] constexpr result<std::uint64_t> file_bytes(
    S& source, const write_options& options = {}) noexcept {
  workspace<Type, Codec...> memory{};
  return file_bytes<Type>(source, options, memory);
}

}  // namespace vmdk
