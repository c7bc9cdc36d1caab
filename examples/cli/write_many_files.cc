// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>

#include "many_files.hpp"
#include "memory.hpp"
#include "vmdk/writer/flat.hpp"
#include "vmdk/writer/split.hpp"

namespace vmdk::cli {
namespace {

template <class Type>
write_report write_flat(const conversion& job) {
  static workspace<Type> memory;
  memory.bulk = byte_span(bulk_memory).first(block_bytes);
  const auto plan = layout<Type>::for_capacity(job.source.size());
  if (!plan) fail_conversion(job, plan.error());
  return write_many_files(job, *plan, [&](auto& source, auto& directory) noexcept {
    return write<Type>(source, directory, job.options, memory);
  });
}

}  // namespace

write_report write_two_gb_max_extent_sparse(const conversion& job) {
  using type = two_gb_max_extent_sparse<dynamic_grain>;
  static workspace<type> memory;
  const std::size_t grain = std::size_t{job.options.grain_sectors} * sector_bytes;
  memory.bulk = byte_span(bulk_memory).first(std::max(block_bytes, grain));
  const auto plan = split_layout::for_capacity(
      job.source.size(),
      {.grain_sectors = job.options.grain_sectors, .capacity = job.options.capacity});
  if (!plan) fail_conversion(job, plan.error());
  return write_many_files(job, *plan, [&](auto& source, auto& directory) noexcept {
    return write<type>(source, directory, job.options, memory);
  });
}

write_report write_monolithic_flat(const conversion& job) {
  return write_flat<monolithic_flat>(job);
}

write_report write_two_gb_max_extent_flat(const conversion& job) {
  return write_flat<two_gb_max_extent_flat>(job);
}

}  // namespace vmdk::cli
