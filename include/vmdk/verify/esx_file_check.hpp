// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/core/units.hpp"
#include "vmdk/format/cowd.hpp"
#include "vmdk/format/cowd_check.hpp"
#include "vmdk/format/sesparse.hpp"
#include "vmdk/format/sesparse_check.hpp"
#include "vmdk/reader/read_object.hpp"
#include "vmdk/verify/check_context.hpp"
#include "vmdk/verify/link_facts.hpp"
#include "vmdk/verify/plain_grains.hpp"
#include "vmdk/verify/table_check.hpp"

namespace vmdk::detail {

/// Compares the capacity of ESXi's extents with the line that names them.
template <class Log>
constexpr failure check_esx_claim(const extent_claim& claim, std::uint64_t sectors,
                                  std::size_t field, Log& log) noexcept {
  if (!claim.has_line || claim.sectors == sectors) return no_failure;
  return log.add(finding{
      .code = errc::extent_mismatch, .offset = field, .value = sectors, .other = claim.sectors});
}

/// Checks the tables and grains of an extent of ESXi's.
template <class Format, class File, class Log, class D, class Fixed>
constexpr failure check_esx_tables(File& file, const Format& format,
                                   const check_context<Log, D>& context,
                                   const Fixed& fixed) noexcept {
  const walk_room share(context.room);
  table_walk<Format, File> walk(file, format, share.windows);
  plain_grains<Format> grains{format};
  return table_checker(walk, context.state, share.rest, context.log, fixed, grains).check();
}

/// Checks a COWD file: header, directory, tables and the places of grains (SPEC 10, 13.5).
/// Errors: those of the file and of the log.
template <class File, class Log, class D>
constexpr failure check_cowd_file(File& file, const check_context<Log, D>& context,
                                  const extent_claim& claim, link_facts& facts) noexcept {
  const std::uint64_t file_bytes = file.size();
  if (file_bytes < sizeof(cowd_header)) return context.log.add(errc::header_truncated, 0);
  cowd_header_start start;
  if (failure f = read_object(file, offsetof(cowd_header, start), start)) return f;
  cowd_header_end end;
  if (failure f = read_object(file, offsetof(cowd_header, end), end)) return f;
  failure why;
  const auto report = [&](errc code, std::uint64_t offset) {
    why = context.log.add(code, offset);
    return !why;
  };
  const bool is_usable = check_cowd_header(start, end, file_bytes, report);
  if (why || !is_usable) return why;
  facts.capacity_sectors = start.num_sectors;
  if (failure f = check_esx_claim(claim, start.num_sectors,
                                  offsetof(cowd_header_start, num_sectors), context.log)) {
    return f;
  }
  const cowd_format format(start, file_bytes);
  const auto fixed = [&](auto&& visit) {
    visit(sector_use{.kind = sector_use_kind::header, .sectors = cowd_header_sectors});
    visit(sector_use{.kind = sector_use_kind::directory,
                     .first_sector = start.gd_offset,
                     .sectors = ceil_shift(format.directory_bytes(), sector_shift),
                     .named_at = offsetof(cowd_header_start, gd_offset)});
  };
  return check_esx_tables(file, format, context, fixed);
}

/// Checks a seSparse file: both headers, directory, tables and the places of grains (SPEC
/// 11, 13.5). Errors: those of the file and of the log.
template <class File, class Log, class D>
constexpr failure check_sesparse_file(File& file, const check_context<Log, D>& context,
                                      const extent_claim& claim, link_facts& facts) noexcept {
  const std::uint64_t file_bytes = file.size();
  if (file_bytes < sector_bytes) return context.log.add(errc::header_truncated, 0);
  sesparse_header header;
  if (failure f = read_object(file, 0, header)) return f;
  failure why;
  const auto report = [&](errc code, std::uint64_t offset) {
    why = context.log.add(code, offset);
    return !why;
  };
  const bool is_usable = check_sesparse_header(header, file_bytes, report);
  if (why || !is_usable) return why;
  facts.capacity_sectors = header.capacity;
  const std::uint64_t volatile_at = header.volatile_header.offset << sector_shift;
  {
    sesparse_volatile_header second;
    if (failure f = read_object(file, volatile_at, second)) return f;
    check_sesparse_volatile_header(second, volatile_at, report);
    if (why) return why;
  }
  if (failure f = check_esx_claim(claim, header.capacity, offsetof(sesparse_header, capacity),
                                  context.log)) {
    return f;
  }
  // That the regions lie apart was checked with the header; tables and grains stay inside theirs.
  const auto fixed = [](auto&&) {};
  return check_esx_tables(file, sesparse_format(header, file_bytes), context, fixed);
}

}  // namespace vmdk::detail
