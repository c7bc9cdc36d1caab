// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/content_id.hpp"
#include "vmdk/format/descriptor_builder.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/io/padded.hpp"
#include "vmdk/io/zero.hpp"
#include "vmdk/layout/sparse.hpp"
#include "vmdk/layout/types.hpp"
#include "vmdk/writer/delta_source.hpp"
#include "vmdk/writer/file_plan.hpp"
#include "vmdk/writer/grain_stream.hpp"
#include "vmdk/writer/options.hpp"
#include "vmdk/writer/sparse.hpp"
#include "vmdk/writer/sparse_extent.hpp"

namespace vmdk {

/// All the memory that writing a child takes, besides a few hundred bytes of stack: a table, a
/// grain of the child and one of its parent. A larger `bulk` is used instead of the grains when
/// there is one, and never changes the result; with dynamic_grain it holds at least two grains.
template <class Type>
struct delta_workspace;

template <std::uint32_t GrainSectors>
struct delta_workspace<monolithic_sparse<GrainSectors>> {
  std::array<std::byte, table_bytes> table{};
  std::array<std::byte,
             std::size_t{2} * monolithic_sparse<GrainSectors>::grain_sectors * sector_bytes>
      grains{};
  byte_span bulk{};

  [[nodiscard]] constexpr byte_span buffer() noexcept {
    return bulk.size() > grains.size() ? bulk : byte_span(grains);
  }
};

namespace detail {

/// Plans a child. Errors, all with origin options: errc::not_supported (like_mkimg);
/// errc::option_invalid (detail: descriptor_problem::parent); those of plan_file.
[[nodiscard]] constexpr result<sparse_plan> plan_delta(std::uint64_t parent_bytes,
                                                       const parent_link& parent,
                                                       const write_options& options,
                                                       std::uint32_t grain_sectors) noexcept {
  if (options.like_mkimg) return options_failure(errc::not_supported);
  if (failure f = check_grain(grain_sectors)) return f;
  if (parent.cid == no_parent_cid || parent.file_name_hint.empty()) {
    return refused(descriptor_problem::parent);
  }
  return plan_file<sparse_layout>(
      parent_bytes, options, create_type::monolithic_sparse,
      sparse_layout_options{.grain_sectors = grain_sectors, .capacity = capacity_rule::exact},
      parent);
}

/// Fails unless a disk of so many bytes may be a child of this capacity. It may be shorter by what
/// rounding up to a whole grain has added to the parent.
[[nodiscard]] constexpr failure check_child_size(std::uint64_t child_bytes,
                                                 const sparse_layout& layout) noexcept {
  constexpr std::uint64_t padding = std::uint64_t{largest_writable_grain_sectors} * sector_bytes;
  const std::uint64_t capacity_bytes = layout.capacity_bytes();
  if (child_bytes <= capacity_bytes && capacity_bytes - child_bytes < padding) return no_failure;
  return options_failure(errc::parent_capacity_differs, child_bytes);
}

[[nodiscard]] constexpr failure check_delta_memory(byte_span buffer,
                                                   const sparse_layout& layout) noexcept {
  const std::uint32_t wanted = 2 * layout.geometry().grain_bytes();
  if (buffer.size() >= wanted) return no_failure;
  return options_failure(errc::workspace_too_small, 0, wanted);
}

[[nodiscard]] constexpr write_report report_delta(const sparse_plan& plan,
                                                  std::uint64_t source_bytes,
                                                  std::uint64_t stored_grains) noexcept {
  return {.source_bytes = source_bytes,
          .capacity_bytes = plan.layout.capacity_bytes(),
          .file_bytes = plan.layout.file_bytes(stored_grains).value(),
          .stored_grains = stored_grains,
          .id = plan.fields.id};
}

/// The id of a child that is its parent still: the parent's own, as VMware has it, unless readers
/// would take that for something else.
[[nodiscard]] constexpr content_id id_like_parent(std::uint32_t parent_cid) noexcept {
  content_id id = make_content_id(parent_cid);
  if (parent_cid != 0 && parent_cid < 0xFFFFFFFE) id.set_cid(parent_cid);
  return id;
}

}  // namespace detail

/// Writes a monolithicSparse file that holds only the grains in which a disk differs from its
/// parent, any Source that reads as the parent does; reading the file and the parent together gives
/// the disk. A grain of zeros is stored where the parent has something else.
///
/// Disk and parent are walked once, side by side; the disk may be a forward_source. What both know
/// to be holes is not read. The capacity is the parent's, whatever `options.capacity` says: the
/// disk is as large, or less than 1 MiB shorter, and then ends in zeros. The content id is that of
/// the whole disk. Errors: errc::parent_capacity_differs (offset: the disk's size),
/// errc::option_invalid (detail: a descriptor_problem; `parent` without a CID or a hint),
/// errc::capacity_zero, errc::capacity_too_large, errc::grain_size_invalid, errc::not_supported
/// (like_mkimg) and errc::workspace_too_small, all of origin::options and before anything is
/// written; errc::extent_too_large; those of the sink, the disk and the parent, unchanged. After an
/// error the sink's content is no image: its header is missing. Source: SPEC 3, 4, 6, 9, 14.
template <class Type, Source S, Source P, SeekableSink K>
[[nodiscard]] constexpr result<write_report> write_delta(S& source, P& parent,
                                                         const parent_link& link, K& sink,
                                                         const write_options& options,
                                                         delta_workspace<Type>& memory) noexcept {
  auto plan = detail::plan_delta(parent.size(), link, options, detail::grain_of<Type>(options));
  if (!plan) return plan.error();
  const sparse_layout& layout = plan->layout;
  if (failure f = detail::check_child_size(source.size(), layout)) return f;
  const byte_span buffer = memory.buffer();
  if (failure f = detail::check_delta_memory(buffer, layout)) return f;

  content_hasher hasher;
  const std::size_t half = buffer.size() / 2;
  const detail::delta_scanner<P> scanner(parent, layout.geometry(),
                                         detail::needs_content(options) ? &hasher : nullptr,
                                         buffer.subspan(half, half));
  sparse_scratch scratch{.table = memory.table, .buffer = buffer.first(half)};
  padded_source<S> disk(source, layout.capacity_bytes());
  detail::delta_source<padded_source<S>, P> both(disk, parent);
  const auto stored = write_sparse_body(both, sink, layout, scanner, scratch);
  if (!stored) return stored.error();
  if (failure f = detail::finish_source(source)) return f;
  plan->fields.id = detail::choose_id(options, hasher.finish());
  if (failure f = detail::write_sparse_head(sink, *plan)) return f;
  return detail::report_delta(*plan, source.size(), *stored);
}

/// Writes a child that does not differ from its parent yet, without reading either: a snapshot. Its
/// CID is the parent's unless one is given.
///
/// Errors: those of write_delta that concern options, memory and sink. After an error the sink's
/// content is no image. Source: SPEC 3, 4, 6, 9.
template <class Type, SeekableSink K>
[[nodiscard]] constexpr result<write_report> write_empty_delta(
    std::uint64_t parent_bytes, const parent_link& link, K& sink, const write_options& options,
    delta_workspace<Type>& memory) noexcept {
  auto plan = detail::plan_delta(parent_bytes, link, options, detail::grain_of<Type>(options));
  if (!plan) return plan.error();
  const sparse_layout& layout = plan->layout;
  if (failure f = detail::check_delta_memory(memory.buffer(), layout)) return f;

  zero_source nothing(layout.capacity_bytes());
  sparse_scratch scratch{.table = memory.table, .buffer = memory.buffer()};
  const grain_scanner scanner(layout.geometry(), nullptr);
  const auto stored = write_sparse_body(nothing, sink, layout, scanner, scratch);
  if (!stored) return stored.error();
  plan->fields.id = detail::choose_id(options, detail::id_like_parent(link.cid));
  if (failure f = detail::write_sparse_head(sink, *plan)) return f;
  write_report report = detail::report_delta(*plan, parent_bytes, *stored);
  report.id_from_content = false;
  return report;
}

}  // namespace vmdk
