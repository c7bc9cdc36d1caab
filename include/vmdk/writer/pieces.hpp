// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/content_id.hpp"
#include "vmdk/format/descriptor_builder.hpp"
#include "vmdk/format/extent_name.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/io/slice.hpp"
#include "vmdk/layout/pieces.hpp"
#include "vmdk/writer/grain_stream.hpp"
#include "vmdk/writer/options.hpp"

namespace vmdk::detail {

/// Tells which file of a directory could not be written, in the order of their creation.
[[nodiscard]] constexpr failure in_file(failure why, std::uint32_t file) noexcept {
  if (why.from == origin::sink) why.index = file;
  return why;
}

/// The createType that goes with a form.
[[nodiscard]] constexpr create_type type_of(piece_form form) noexcept {
  if (form == piece_form::sparse) return create_type::two_gb_max_extent_sparse;
  if (form == piece_form::flat) return create_type::two_gb_max_extent_flat;
  return create_type::monolithic_flat;
}

/// Writes the extents of a disk one after the other, in one walk over the source, and at last their
/// descriptor: without it the extents are no disk. `write_piece(part, sink, index)` writes one
/// extent, whose part of the disk is a Source of its own, and may add to the hasher.
/// The report lacks the stored grains and the size of the extents.
template <Source S, SinkDirectory D, class WritePiece>
[[nodiscard]] constexpr result<write_report> write_files(S& source, D& directory,
                                                         const write_options& options,
                                                         const disk_pieces& pieces,
                                                         const content_hasher& hasher,
                                                         WritePiece&& write_piece) noexcept {
  if (options.like_mkimg) return options_failure(errc::not_supported);
  descriptor_fields fields =
      make_fields(options, type_of(pieces.form()), pieces.capacity_sectors());
  // The descriptor's own name is a plain one if those that are made from it are.
  const piece_list extents = pieces.extents(options.extent_name);
  if (failure f = check_descriptor_fields(fields, extents)) return f;

  std::array<char, extent_name_max_bytes> name_memory{};
  const std::uint32_t count = pieces.piece_count();
  for (std::uint32_t i = 0; i < count; ++i) {
    // A name that fields may have fits.
    const auto name = extents[i].name.compose(name_memory).value();
    const auto sink = directory.create(name);
    if (!sink) return in_file(sink.error(), i);
    const region place = pieces.piece(i);
    const std::uint64_t rest_bytes = source.size() - place.first_byte();
    slice_source<S> part(source, place.first_byte(), smaller_of(place.bytes(), rest_bytes));
    if (failure f = write_piece(part, **sink, i)) return in_file(f, i);
  }
  if (failure f = finish_source(source)) return f;

  write_report report{.source_bytes = source.size(), .capacity_bytes = pieces.capacity_bytes()};
  fields.id = report.id = choose_id(options, hasher.finish());
  const auto sink = directory.create(options.extent_name);
  if (!sink) return in_file(sink.error(), count);
  if (failure f = write_descriptor(fields, extents, **sink)) return in_file(f, count);
  report.file_bytes = descriptor_bytes(fields, extents);
  return report;
}

/// Gives the files their names if all was written, and takes them away if not.
template <SinkDirectory D>
[[nodiscard]] constexpr result<write_report> commit_or_abort(
    D& directory, const result<write_report>& report) noexcept {
  failure why = report.error();
  if (!why) why = directory.commit();
  if (!why) return report;
  directory.abort();
  return why;
}

}  // namespace vmdk::detail
