// SPDX-License-Identifier: BSD-2-Clause
// Layouts of disks of any size: what is laid out is disjoint, adds up to the size of the file and
// passes no limit, counted in 128 bits; what is refused does pass one.
#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "choices.hpp"
#include "demand.hpp"
#include "vmdk/layout/flat.hpp"
#include "vmdk/layout/sparse.hpp"
#include "vmdk/layout/split.hpp"
#include "vmdk/layout/stream.hpp"
#include "vmdk/layout/stream_size.hpp"

namespace {

using namespace vmdk;
using fuzzing::choices;
using fuzzing::demand;
__extension__ using wide = unsigned __int128;

constexpr wide ceil_div(wide n, wide by) { return (n + by - 1) / by; }

/// The figures of a disk, from its size alone.
struct figures {
  figures(std::uint64_t disk_bytes, std::uint32_t grain_sectors, capacity_rule rule)
      : is_grain(grain_sectors >= 8 && grain_sectors <= 2048 &&
                 (grain_sectors & (grain_sectors - 1)) == 0) {
    if (!is_grain) return;
    const wide unit = rule == capacity_rule::exact ? 1 : grain_sectors;
    capacity = ceil_div(ceil_div(disk_bytes, 512), unit) * unit;
    grains = ceil_div(capacity, grain_sectors);
    tables = ceil_div(grains, 512);
    directory = ceil_div(tables * 4, 512);
  }

  bool is_grain;
  wide capacity = 0;
  wide grains = 0;
  wide tables = 0;
  wide directory = 0;  ///< In sectors.

  errc refusal() const {
    if (!is_grain) return errc::grain_size_invalid;
    if (capacity == 0) return errc::capacity_zero;
    return capacity > wide{1} << 54 ? errc::capacity_too_large : errc::none;
  }

  /// Of one extent with tables, of which so many sectors come first.
  errc extent_refusal(wide overhead) const {
    if (const errc why = refusal(); why != errc::none) return why;
    const bool fits = tables <= wide{1} << 25 && overhead <= wide{1} << 32;
    return fits ? errc::none : errc::capacity_too_large;
  }
};

/// Walks over regions that lie one behind the other.
class regions {
 public:
  regions& then(const region& next) {
    demand(next.first_sector == end_, "a region begins where the one before it ends");
    end_ += next.sectors;
    demand(next.end_sector() == end_, "a region's end does not wrap");
    demand(next.first_byte() == next.first_sector * wide{512} &&
               next.bytes() == next.sectors * wide{512},
           "a region's bytes do not wrap");
    return *this;
  }
  wide end() const { return end_; }

 private:
  wide end_ = 0;
};

template <class Layout>
void demand_figures(const Layout& plan, const figures& due) {
  demand(plan.capacity_sectors() == due.capacity && plan.capacity_bytes() == due.capacity * 512,
         "the capacity is the disk's, rounded up");
  demand(plan.grain_count() == due.grains && plan.table_count() == due.tables,
         "grains and tables are counted right");
}

void demand_refusal(const failure& why, errc due) {
  demand(why.code == due && (!why || why.from == origin::options),
         "a disk is refused for its reason, and for none");
}

void try_sparse(std::uint64_t disk_bytes, const sparse_layout_options& options, choices& choose) {
  const figures due(disk_bytes, options.grain_sectors, options.capacity);
  const wide one_copy = due.directory + due.tables * 4;
  const wide end = 1 + wide{options.descriptor_sectors} + 2 * one_copy;
  const wide overhead =
      due.is_grain ? ceil_div(end, options.grain_sectors) * options.grain_sectors : wide{0};

  const auto planned = sparse_layout::for_capacity(disk_bytes, options);
  demand_refusal(planned.error(), due.extent_refusal(overhead));
  if (!planned) return;
  demand_figures(*planned, due);
  regions all;
  all.then(planned->header()).then(planned->descriptor());
  const bool primary_first = options.order == directory_order::primary_first;
  const auto primary = [&] { all.then(planned->directory()).then(planned->tables()); };
  if (primary_first) primary();
  all.then(planned->redundant_directory()).then(planned->redundant_tables());
  if (!primary_first) primary();
  demand(all.end() == end && planned->overhead_sectors() == overhead &&
             planned->overhead_bytes() == overhead * 512,
         "the overhead is the regions' sum, rounded up");
  demand(
      planned->directory().sectors == due.directory && planned->tables().sectors == due.tables * 4,
      "directory and tables have room for all grains");
  const std::uint64_t table = choose.wide() % planned->table_count();
  demand(planned->table_sector(table) == planned->tables().first_sector + table * wide{4} &&
             planned->redundant_table_sector(table) ==
                 planned->redundant_tables().first_sector + table * wide{4},
         "an entry of the directory is not cut");

  const std::uint64_t stored = choose.wide();
  const wide file_sectors = overhead + wide{stored} * options.grain_sectors;
  const auto file_bytes = planned->file_bytes(stored);
  if (stored > due.grains) {
    demand_refusal(file_bytes.error(), errc::content_exceeds_capacity);
  } else if (file_sectors > wide{1} << 32) {
    demand_refusal(file_bytes.error(), errc::extent_too_large);
    demand(stored > planned->max_stored_grains(), "what does not fit is more than the most");
  } else {
    demand(file_bytes.ok() && *file_bytes == file_sectors * 512 &&
               stored <= planned->max_stored_grains(),
           "a file is as large as its overhead and its grains");
    demand(planned->grain_sector(stored) == file_sectors, "grains lie one behind the other");
  }
  const auto header = planned->make_header();
  demand(header.capacity == planned->capacity_sectors() && header.over_head == overhead &&
             header.gd_offset == planned->directory().first_sector &&
             header.rgd_offset == planned->redundant_directory().first_sector,
         "the header says what was laid out");
}

void try_stream(std::uint64_t disk_bytes, const stream_layout_options& options, choices& choose) {
  const figures due(disk_bytes, options.grain_sectors, options.capacity);
  const bool in_front = options.table_place == tables::in_front;
  const wide head = 1 + wide{options.descriptor_sectors};
  const wide grain = options.grain_sectors;
  const wide overhead = in_front       ? head + due.directory + due.tables * 4
                        : due.is_grain ? ceil_div(head, grain) * grain
                                       : wide{0};

  const auto planned = stream_layout::for_capacity(disk_bytes, options);
  demand_refusal(planned.error(), due.extent_refusal(overhead));
  if (!planned) return;
  demand_figures(*planned, due);
  regions all;
  all.then(planned->header()).then(planned->descriptor());
  all.then(planned->directory()).then(planned->tables());
  demand(planned->overhead_sectors() == overhead && planned->overhead_sectors() >= all.end(),
         "the overhead is the regions' sum, rounded up where tables follow");
  const wide tail = in_front ? wide{1} : 1 + due.directory + 3;
  demand(planned->tail_sectors() == tail && planned->min_file_bytes() == (overhead + tail) * 512,
         "an empty file is overhead and tail");

  const std::uint64_t bound = choose.wide();
  const wide limit = grain * 512 + 500;
  const wide each = ceil_div((bound < limit ? bound : limit) + 12, 512);
  const wide end = overhead + due.grains * each + (in_front ? wide{0} : due.tables * 5);
  const wide last = in_front ? end - each : end - 4;
  const auto most = planned->max_file_bytes(bound);
  if (last >= wide{1} << 32) {
    demand_refusal(most.error(), errc::extent_too_large);
  } else {
    demand(most.ok() && *most == (end + tail) * 512, "the largest file is the sum of its parts");
  }

  // Grains one by one: each lies behind the one before, and a refusal changes nothing.
  stream_size size(*planned);
  wide next = overhead;
  std::uint64_t next_grain = 0;
  bool open = false;
  for (int i = 0; i < 20 && !choose.empty(); ++i) {
    const std::uint64_t number = choose.flag() ? next_grain + choose.byte() * 5 : choose.wide();
    const auto bytes = static_cast<std::uint32_t>(
        choose.flag() ? 1 + choose.number(2) % (planned->compressed_limit_bytes()) : choose.wide());
    const bool new_table = open && number / 512 != (next_grain - 1) / 512;
    const wide at = next + (new_table ? 5 : 0);
    const wide behind = at + ceil_div(wide{bytes} + 12, 512);
    errc why = errc::none;
    if (number >= due.grains) {
      why = errc::content_exceeds_capacity;
    } else if (number < next_grain) {
      why = errc::marker_lba_not_ascending;
    } else if (bytes == 0 || bytes > planned->compressed_limit_bytes()) {
      why = errc::marker_size_invalid;
    } else if ((in_front ? at : behind + 1) >= wide{1} << 32) {
      why = errc::extent_too_large;
    }
    const std::uint64_t before = size.file_bytes();
    const auto placed = size.add_grain(number, bytes);
    demand_refusal(placed.error(), why);
    if (!placed) {
      demand(size.file_bytes() == before, "a refused grain changes nothing");
      continue;
    }
    demand(*placed == at && size.next_sector() == behind, "grains and tables lie one by one");
    next = behind;
    next_grain = number + 1;
    open = !in_front;
    demand(size.table_open() == open && size.file_bytes() == (next + (open ? 5 : 0) + tail) * 512,
           "a file is as large as its parts");
  }
}

template <class Layout>
void demand_pieces(const Layout& plan, wide most_sectors, choices& choose) {
  const wide count = ceil_div(plan.capacity_sectors(), most_sectors);
  demand(plan.piece_count() == count, "there are as many pieces as the disk fills");
  const std::uint32_t last = plan.piece_count() - 1;
  for (const std::uint32_t i : {0U, last, static_cast<std::uint32_t>(choose.wide() % count)}) {
    const region piece = plan.piece(i);
    const wide due = i == last ? plan.capacity_sectors() - i * most_sectors : most_sectors;
    demand(piece.first_sector == i * most_sectors && piece.sectors == due && due != 0,
           "pieces lie one behind the other on the disk");
  }
}

/// No descriptor of 1 MiB can list more pieces of that size.
bool is_cut(const figures& due, wide most_sectors) {
  return ceil_div(due.capacity, 512) <= most_sectors / 512 * (wide{1} << 15);
}

void try_split(std::uint64_t disk_bytes, const split_layout_options& options, choices& choose) {
  constexpr wide most_sectors = 4192256;
  const figures due(disk_bytes, options.grain_sectors, options.capacity);
  errc refusal = due.refusal();
  if (refusal == errc::none && !is_cut(due, most_sectors)) refusal = errc::capacity_too_large;
  const auto planned = split_layout::for_capacity(disk_bytes, options);
  demand_refusal(planned.error(), refusal);
  if (!planned) return;
  demand(planned->capacity_sectors() == due.capacity && planned->grain_count() == due.grains,
         "the capacity is the disk's, rounded up");
  demand_pieces(*planned, most_sectors, choose);
  wide overhead = 0;
  const std::uint32_t last = planned->piece_count() - 1;
  for (const std::uint32_t i : {0U, last}) {
    const sparse_layout extent = planned->extent(i);
    demand(extent.capacity_sectors() == planned->piece(i).sectors,
           "a piece's file holds the piece");
    demand(extent.max_file_bytes().ok() && *extent.max_file_bytes() < wide{1} << 32,
           "no piece is too large");
    overhead += i == last ? wide{extent.overhead_bytes()} : wide{last} * extent.overhead_bytes();
    if (last == 0) break;
  }
  const std::uint64_t stored = choose.wide();
  const auto bytes = planned->extents_bytes(stored);
  if (stored > due.grains) return demand_refusal(bytes.error(), errc::content_exceeds_capacity);
  demand(bytes.ok() && *bytes == overhead + wide{stored} * options.grain_sectors * 512,
         "all files together are their overhead and their grains");
}

void try_flat(std::uint64_t disk_bytes, piece_form form, choices& choose) {
  const figures due(disk_bytes, 8, capacity_rule::exact);
  const wide most_sectors = form == piece_form::whole    ? wide{1} << 54
                            : form == piece_form::sparse ? wide{4192256}
                                                         : wide{4193792};
  errc refusal = due.refusal();
  if (refusal == errc::none && form != piece_form::whole && !is_cut(due, most_sectors)) {
    refusal = errc::capacity_too_large;
  }
  const auto planned = flat_layout::for_capacity(disk_bytes, form);
  demand_refusal(planned.error(), refusal);
  if (!planned) return;
  demand(
      planned->capacity_sectors() == due.capacity && planned->extents_bytes() == due.capacity * 512,
      "flat files are the disk");
  demand_pieces(*planned, most_sectors, choose);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  choices choose(std::as_bytes(std::span(data, size)));
  const std::uint32_t kind = choose.byte();
  const std::uint64_t disk_bytes = choose.wide();
  const std::uint32_t grain_form = choose.byte();
  const std::uint32_t grain =
      grain_form < 224 ? 8U << (grain_form % 9) : static_cast<std::uint32_t>(choose.wide());
  const auto capacity = choose.flag() ? capacity_rule::exact : capacity_rule::whole_grains;
  const auto descriptor_sectors = static_cast<std::uint32_t>(choose.flag() ? choose.wide() : 20);
  switch (kind & 3) {
    case 0:
      try_sparse(disk_bytes,
                 {.grain_sectors = grain,
                  .descriptor_sectors = descriptor_sectors,
                  .capacity = capacity,
                  .order = choose.flag() ? directory_order::primary_first
                                         : directory_order::redundant_first},
                 choose);
      break;
    case 1:
      try_stream(disk_bytes,
                 {.grain_sectors = grain,
                  .descriptor_sectors = descriptor_sectors,
                  .capacity = capacity,
                  .table_place = choose.flag() ? tables::in_front : tables::at_end},
                 choose);
      break;
    case 2:
      try_split(disk_bytes, {.grain_sectors = grain, .capacity = capacity}, choose);
      break;
    default:
      try_flat(disk_bytes, static_cast<piece_form>((kind >> 2) % 3), choose);
      break;
  }
  return 0;
}
