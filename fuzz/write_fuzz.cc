// SPDX-License-Identifier: BSD-2-Clause
// What the writers write is what was put in: any type, grain, codec, capacity, content and memory,
// read back, judged by `check`, and the same bytes however source and sink behave.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "checked.hpp"
#include "choices.hpp"
#include "demand.hpp"
#include "tests/support/memory_directory.hpp"
#include "tests/support/paged_file.hpp"
#include "vmdk/vmdk.hpp"
#include "vmdk/writer/delta.hpp"

namespace {

using namespace vmdk;
using fuzzing::choices;
using fuzzing::demand;
using testing_support::memory_directory;
using testing_support::paged_file;
using bytes = std::vector<std::byte>;

enum class form { sparse, stream, split, flat, split_flat, delta, count };

/// What is to be written, and how.
struct plan {
  form type = form::sparse;
  bool appends = false;      ///< The sink cannot be written but at its end.
  bool knows_holes = false;  ///< The source says where it has data.
  std::size_t more_memory_bytes = 0;
  unsigned encoder = 0;
  unsigned level = 0;
  write_options options{};
};

/// A disk that tells of its holes, or of none.
class disk_source {
 public:
  disk_source(const paged_file& disk, bool knows_holes) : disk_(&disk), knows_(knows_holes) {}
  std::uint64_t size() const noexcept { return disk_->size(); }
  failure read_at(std::uint64_t offset, byte_span out) noexcept {
    demand(fits_inside(offset, out.size(), size()), "no more than the source has is read");
    return disk_->read_at(offset, out);
  }
  result<range> next_data(std::uint64_t offset) noexcept {
    return knows_ ? disk_->next_data(offset) : range{offset, size() - offset};
  }

 private:
  const paged_file* disk_;
  bool knows_;
};

/// Any of the encoders, at any level.
class any_encoder {
 public:
  void choose(unsigned which, unsigned level) {
    which_ = which;
    if (which_ == 1) deflate_ = vmdk::deflate(level);
    if (which_ == 2) small_ = small_deflate(level);
  }
  static constexpr std::size_t bound(std::size_t n) noexcept { return stored::bound(n); }
  result<std::size_t> encode(byte_view in, byte_span out) noexcept {
    if (which_ == 1) return deflate_.encode(in, out);
    return which_ == 2 ? small_.encode(in, out) : stored{}.encode(in, out);
  }

 private:
  unsigned which_ = 0;
  vmdk::deflate deflate_;
  small_deflate small_;
};

using sparse_type = monolithic_sparse<dynamic_grain>;
using stream_type = stream_optimized<dynamic_grain>;
using split_type = two_gb_max_extent_sparse<dynamic_grain>;

template <class K>
result<write_report> write_to(K& sink, const paged_file& disk, const plan& how) {
  disk_source source(disk, how.knows_holes);
  const std::size_t grain_bytes = std::size_t{how.options.grain_sectors} * sector_bytes;
  if (how.type == form::stream) {
    static const auto memory = std::make_unique<workspace<stream_type, any_encoder>>();
    memory->encoder.choose(how.encoder, how.level);
    const sparse_geometry geometry(ceil_shift(disk.size(), sector_shift),
                                   how.options.grain_sectors);
    bytes directory(static_cast<std::size_t>(geometry.directory_sectors()) * sector_bytes);
    bytes bulk(2 * grain_bytes + sector_bytes + how.more_memory_bytes);
    memory->directory = directory;
    memory->bulk = bulk;
    return write<stream_type>(source, sink, how.options, *memory);
  }
  static const auto memory = std::make_unique<workspace<sparse_type>>();
  bytes bulk(grain_bytes + how.more_memory_bytes);
  memory->bulk = bulk;
  return write<sparse_type>(source, sink, how.options, *memory);
}

result<write_report> write_files(memory_directory& folder, const paged_file& disk,
                                 const plan& how) {
  disk_source source(disk, how.knows_holes);
  bytes bulk(std::size_t{how.options.grain_sectors} * sector_bytes + how.more_memory_bytes);
  if (how.type == form::split) {
    workspace<split_type> memory;
    memory.bulk = bulk;
    return write<split_type>(source, folder, how.options, memory);
  }
  if (how.type == form::flat) {
    workspace<monolithic_flat> memory;
    memory.bulk = bulk;
    return write<monolithic_flat>(source, folder, how.options, memory);
  }
  workspace<two_gb_max_extent_flat> memory;
  memory.bulk = bulk;
  return write<two_gb_max_extent_flat>(source, folder, how.options, memory);
}

/// Puts what was written as one file into a folder of its own.
void put(memory_directory& folder, const std::string& name, const paged_file& file) {
  const auto sink = folder.create(name);
  demand(sink.ok(), "a folder in memory takes files");
  for (auto data = file.next_data(0); data->bytes != 0; data = file.next_data(data->end())) {
    bytes part(static_cast<std::size_t>(data->bytes));
    (void)file.read_at(data->offset, part);
    if ((*sink)->size() < data->offset) (void)(*sink)->resize(data->offset);
    (void)(*sink)->write_at(data->offset, part);
  }
  (void)(*sink)->resize(file.size());
  (void)folder.commit();
}

/// All of a disk that is not zero.
template <class S>
paged_file copy_of(S& source) {
  paged_file copy(source.size());
  static bytes buffer(std::size_t{1} << 16);
  for (std::uint64_t at = 0;;) {
    const auto data = source.next_data(at);
    demand(data.ok(), "what was written can be walked over");
    if (data->bytes == 0) return copy;
    const byte_span part = byte_span(buffer).first(
        static_cast<std::size_t>(smaller_of<std::uint64_t>(data->bytes, buffer.size())));
    demand(!source.read_at(data->offset, part), "what was written can be read");
    (void)copy.write_at(data->offset, part);
    at = data->offset + part.size();
  }
}

/// Reads a disk back and has it checked.
void demand_reads_as(memory_directory& folder, std::string_view name, const paged_file& disk,
                     const plan& how, const write_report& report) {
  demand(report.source_bytes == disk.size() && report.capacity_bytes >= disk.size() &&
             report.capacity_bytes % sector_bytes == 0,
         "the report gives both sizes");
  const auto file = folder.open(name);
  demand(file.ok(), "what was written is there under its name");
  const std::size_t grain_bytes = std::size_t{how.options.grain_sectors} * sector_bytes;
  const auto said = fuzzing::check_with_room(folder, *file, grain_bytes + 65536);
  const bool is_flat = how.type == form::flat || how.type == form::split_flat;
  const bool is_whole =
      is_flat || (report.capacity_bytes % grain_bytes == 0 && grain_bytes <= 65536);
  demand(said.accepted(strictness::tolerant), "a check finds what was written sound", said);
  demand(!is_whole || how.options.like_mkimg ||
             (said.accepted(strictness::strict) && said.summary.notes == 0),
         "a check finds nothing in an image of whole, usual grains", said);
  if (!is_flat && how.type != form::delta) {
    demand(said.summary.stored_grains == report.stored_grains, "the report counts the grains");
  }

  static const auto memory = std::make_unique<image_memory<>>();
  const bool strict = is_whole && !how.options.like_mkimg;
  const auto image =
      open(folder, *file, *memory, strict ? strictness::strict : strictness::tolerant);
  demand(image.ok(), "what was written can be opened");
  demand(image->size() == report.capacity_bytes, "the capacity is that of the report");
  demand(how.options.like_mkimg || image->descriptor().cid() == report.id.cid,
         "the content id is that of the report");
  std::vector<link_cache> caches(2);
  bytes tables(2 * 4096);
  bytes grain(image->compressed_grain_bytes());
  bytes input(sector_bytes);
  static const auto decoder = std::make_unique<vmdk::inflate>();
  auto cursor = image_cursor<memory_directory, vmdk::inflate>::make(
      *image, {caches, tables, grain, input}, *decoder);
  demand(cursor.ok(), "what was written can be read");
  paged_file wanted = disk;
  (void)wanted.resize(report.capacity_bytes);
  demand(copy_of(*cursor) == wanted, "what was written reads as what was put in");
}

/// A stream is read in sequence too.
void demand_unpacks_to(const paged_file& file, const paged_file& disk, const write_report& report) {
  struct file_stream {
    const paged_file* file;
    std::uint64_t at = 0;
    result<std::size_t> read(byte_span out) noexcept {
      const auto n =
          static_cast<std::size_t>(smaller_of<std::uint64_t>(out.size(), file->size() - at));
      (void)file->read_at(at, out.first(n));
      at += n;
      return n;
    }
  } source{&file};
  static const auto decoder = std::make_unique<small_inflate>();
  stream_reader<file_stream> reader(source);
  demand(reader.open({}).ok(), "a stream that was written can be opened in sequence");
  paged_file unpacked;
  bytes grain(reader.geometry().grain_bytes());
  bytes input(sector_bytes);
  const auto done = unpack_stream(reader, unpacked, *decoder, {grain, input});
  paged_file wanted = disk;
  (void)wanted.resize(report.capacity_bytes);
  demand(done.ok() && unpacked == wanted, "a stream that was written unpacks to what was put in");
}

bool same_report(const write_report& a, const write_report& b) {
  return a.capacity_bytes == b.capacity_bytes && a.file_bytes == b.file_bytes &&
         a.stored_grains == b.stored_grains && a.id == b.id;
}

void try_one_file(const paged_file& disk, plan how) {
  paged_file seekable;
  paged_file appended;
  append_only_sink<paged_file> at_end(appended);
  const auto report = write_to(seekable, disk, how);
  demand(report.ok(), "a disk can be written");
  demand(report->file_bytes == seekable.size(), "the report knows the file's size");
  memory_directory folder;
  put(folder, "disk.vmdk", seekable);
  demand_reads_as(folder, "disk.vmdk", disk, how, *report);
  if (how.type == form::stream) demand_unpacks_to(seekable, disk, *report);

  // The same through another sink, from another source, with other memory.
  how.knows_holes = !how.knows_holes;
  how.more_memory_bytes = how.more_memory_bytes == 0 ? 100000 : 0;
  const auto again = write_to(at_end, disk, how);
  if (how.type == form::stream && how.options.table_place == tables::in_front) {
    demand(again.error().code == errc::not_supported, "tables in front need a seekable sink");
    return;
  }
  demand(again.ok() && same_report(*again, *report) && appended == seekable,
         "one disk is one file, whatever source, sink and memory");
}

void try_several_files(const paged_file& disk, const plan& how) {
  memory_directory folder;
  const auto report = write_files(folder, disk, how);
  demand(report.ok(), "a disk can be written");
  demand(report->file_bytes == folder.total_bytes(), "the report knows the files' size");
  demand_reads_as(folder, "disk.vmdk", disk, how, *report);
}

/// Writes some of the content that is left in the input.
void change(paged_file& disk, choices& choose, int times) {
  for (; times != 0 && !choose.empty(); --times) {
    const std::uint32_t kind = choose.byte();
    const std::uint64_t offset = choose.wide() % disk.size();
    std::uint64_t n = (kind & 4) != 0 ? choose.number(2) : choose.byte() + 1;
    n = smaller_of(n, disk.size() - offset);
    bytes content(static_cast<std::size_t>(n));
    if ((kind & 3) == 0) {
      std::fill(content.begin(), content.end(), static_cast<std::byte>(choose.byte()));
    } else if ((kind & 3) == 1) {
      const byte_view literal = choose.take(content.size());
      std::copy(literal.begin(), literal.end(), content.begin());
    } else {
      fuzzing::generator random(kind);
      for (std::byte& b : content) b = static_cast<std::byte>(random.next() & (kind >> 3));
    }
    (void)disk.write_at(offset, content);
  }
}

void try_delta(const paged_file& disk, plan how, choices& choose) {
  paged_file child_disk = disk;
  change(child_disk, choose, 4);
  how.options.extent_name = "base.vmdk";
  how.options.capacity = capacity_rule::exact;
  how.options.like_mkimg = false;
  paged_file base;
  const auto base_report = write_to(base, disk, how);
  demand(base_report.ok(), "a disk can be written");

  how.options.extent_name = "disk.vmdk";
  paged_file padded = disk;
  (void)padded.resize(base_report->capacity_bytes);
  disk_source parent(padded, how.knows_holes);
  disk_source source(child_disk, !how.knows_holes);
  delta_workspace<sparse_type> memory;
  bytes bulk(2 * std::size_t{how.options.grain_sectors} * sector_bytes + how.more_memory_bytes);
  memory.bulk = bulk;
  paged_file file;
  const auto report =
      write_delta(source, parent, {.cid = base_report->id.cid, .file_name_hint = "base.vmdk"}, file,
                  how.options, memory);
  demand(report.ok() && report->file_bytes == file.size(), "a child can be written");
  demand(disk == child_disk ? report->stored_grains == 0 : report->stored_grains != 0,
         "a child has grains exactly where it differs");
  memory_directory folder;
  put(folder, "base.vmdk", base);
  put(folder, "disk.vmdk", file);
  demand_reads_as(folder, "disk.vmdk", child_disk, how, *report);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  choices choose(std::as_bytes(std::span(data, size)));
  plan how;
  how.type = static_cast<form>(choose.below(static_cast<std::uint32_t>(form::count)));
  const std::uint32_t bits = choose.byte();
  how.knows_holes = (bits & 1) != 0;
  how.options.capacity = (bits & 2) != 0 ? capacity_rule::exact : capacity_rule::whole_grains;
  how.options.cid_given = (bits & 4) != 0;
  how.options.cid = 0x12345678;
  how.options.table_place = (bits & 8) != 0 ? tables::in_front : tables::at_end;
  const bool one_file = how.type == form::sparse || how.type == form::stream;
  how.options.like_mkimg = (bits & 0x30) == 0x30 && one_file;
  how.more_memory_bytes = (bits & 0x40) != 0 ? choose.number(2) : 0;
  how.encoder = choose.below(3);
  how.level = choose.below(10);
  const std::uint32_t grain = choose.byte();
  how.options.grain_sectors = 8U << (grain < 250 ? grain % 5 : grain % 9);
  std::uint64_t disk_bytes = 1 + (choose.flag() ? choose.number(3) & 0x3FFFFF : choose.number(2));
  const bool has_pieces = how.type == form::split || how.type == form::split_flat;
  if (has_pieces && (bits & 0x80) != 0) {
    disk_bytes += std::uint64_t{2047} << 20;
    how.options.grain_sectors = 128;
    how.knows_holes = true;
  }
  paged_file disk(disk_bytes);
  change(disk, choose, 12);
  switch (how.type) {
    case form::sparse:
    case form::stream:
      try_one_file(disk, how);
      break;
    case form::delta:
      try_delta(disk, how, choose);
      break;
    default:
      try_several_files(disk, how);
      break;
  }
  return 0;
}
