// SPDX-License-Identifier: BSD-2-Clause
// Makes the seeds of the fuzz targets that take images: small ones of each form, from the tests'
// builders, which share no code with the library. Usage: make_seeds FOLDER
#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bundle.hpp"
#include "tests/support/cowd_builder.hpp"
#include "tests/support/image_builder.hpp"
#include "tests/support/sesparse_builder.hpp"
#include "tests/support/stream_image_builder.hpp"

namespace {

using namespace testing_support;
using bytes = std::vector<std::byte>;
using fuzzing::bundled;

std::filesystem::path folder;

void put(const std::string& target, const std::string& name, std::string_view seed) {
  std::filesystem::create_directories(folder / target);
  std::ofstream file(folder / target / name, std::ios::binary);
  file.write(seed.data(), static_cast<std::streamsize>(seed.size()));
}

std::string descriptor(std::string_view type, std::string_view lines, std::string_view cid = "1",
                       std::string_view parent = "ffffffff", std::string_view hint = "") {
  std::string text = "# Disk DescriptorFile\nversion=1\nCID=";
  text += cid;
  text += "\nparentCID=";
  text += parent;
  text += "\ncreateType=\"";
  text += type;
  text += "\"\n";
  if (!hint.empty()) text += "parentFileNameHint=\"" + std::string(hint) + "\"\n";
  text += "\n# Extent description\n";
  text += lines;
  return text +
         "\n# The Disk Data Base\n#DDB\n\nddb.adapterType = \"lsilogic\"\n"
         "ddb.geometry.cylinders = \"1\"\nddb.geometry.heads = \"255\"\n"
         "ddb.geometry.sectors = \"63\"\nddb.virtualHWVersion = \"4\"\n";
}

std::string embedded(std::string_view type, std::uint64_t sectors, std::string_view cid = "1",
                     std::string_view parent = "ffffffff", std::string_view hint = "") {
  const bool is_stream = type == "streamOptimized";
  return descriptor(
      type, (is_stream ? "RDONLY " : "RW ") + std::to_string(sectors) + " SPARSE \"disk.vmdk\"\n",
      cid, parent, hint);
}

bytes sparse(sparse_image_plan plan, std::string_view cid = "1",
             std::string_view parent = "ffffffff", std::string_view hint = "") {
  if (plan.descriptor_sectors != 0) {
    plan.descriptor_sectors = 2;
    plan.descriptor = embedded("monolithicSparse", plan.capacity_sectors, cid, parent, hint);
  }
  return build_sparse(plan).file.bytes();
}

bytes stream(stream_image_plan plan) {
  plan.descriptor = embedded("streamOptimized", plan.capacity_sectors);
  return build_stream(plan).file;
}

bytes cowd(std::uint32_t capacity_sectors) {
  bytes room(std::size_t{1} << 18);
  support::cowd_builder image(room, capacity_sectors, 1);
  image.store(1, std::byte{0x11});
  image.store(5, std::byte{0x55});
  room.resize(image.file().size());
  return room;
}

bytes sesparse(std::uint32_t capacity_sectors) {
  bytes room(std::size_t{1} << 18);
  support::sesparse_builder image(room, capacity_sectors, 1, 2);
  image.store(1, std::byte{0x11});
  image.set_entry(2, std::uint64_t{2} << 60);
  room.resize(image.file().size());
  return room;
}

/// The parts of a bundle.
std::string files(const std::vector<std::pair<std::string, std::string>>& parts) {
  std::string text;
  for (const auto& [name, content] : parts) {
    text += (text.empty() ? "=FILE " : "\n=FILE ") + name + '\n' + content;
  }
  return text;
}

/// Images of one file: seeds of all targets that read such.
void put_single_images() {
  const auto everywhere = [](const std::string& name, const bytes& image) {
    put("image", name, bundled(image));
    put("repair", name, bundled(image));
  };
  const sparse_image_plan small{.capacity_sectors = 20, .grain_sectors = 1, .stored = {0, 3, 2}};
  auto plan = small;
  everywhere("sparse", sparse(plan));
  plan.grain_sectors = 8;
  plan.last_grain_cut = true;
  plan.stored = {1, 2};
  everywhere("sparse_grain_8_cut", sparse(plan));
  plan = small;
  plan.version = 2;
  plan.more_flags = 4;
  plan.zeroed = {1, 7};
  everywhere("sparse_zeroed", sparse(plan));
  plan = small;
  plan.copies = table_copies::primary_first;
  plan.overhead_zero = true;
  everywhere("sparse_mkimg", sparse(plan));
  plan = small;
  plan.copies = table_copies::shared;
  everywhere("sparse_shared", sparse(plan));
  plan = small;
  plan.copies = table_copies::primary_only;
  plan.unclean = true;
  everywhere("sparse_unclean", sparse(plan));
  plan = small;
  plan.capacity_sectors = 1200;
  plan.empty_tables_missing = true;
  plan.tables_reversed = true;
  plan.grain_gap_sectors = 1;
  plan.stored = {600, 1, 1199};
  everywhere("sparse_three_tables", sparse(plan));

  const auto streams = [&everywhere](const std::string& name, const bytes& image) {
    everywhere(name, image);
    put("stream", name, bundled(image));
  };
  const stream_image_plan packed{
      .capacity_sectors = 20, .grain_sectors = 2, .stored = {0, 2, 3, 9}};
  auto way = packed;
  streams("stream_at_end", stream(way));
  way.tables = stream_tables::at_end_and_known;
  way.progress_markers = true;
  streams("stream_known", stream(way));
  way = packed;
  way.tables = stream_tables::in_front;
  streams("stream_in_front", stream(way));
  way.tables = stream_tables::in_front_twice;
  streams("stream_in_front_twice", stream(way));
  way = packed;
  way.capacity_sectors = 2047;
  way.empty_tables = true;
  way.last_grain_short = true;
  way.stored = {0, 1023};
  streams("stream_two_tables", stream(way));
}

/// A descriptor whose one extent is the rest of the input: "p1" is the part from byte 512 on.
void put_parts() {
  const auto with_part = [](const std::string& name, const std::string& text, const bytes& extent) {
    std::string all = text;
    all.resize(512, '\n');
    put("image", name, all + bundled(extent));
  };
  with_part("text_flat", descriptor("monolithicFlat", "RW 2 FLAT \"p1\" 0\n"), bytes(1024));
  with_part(
      "text_sparse", descriptor("twoGbMaxExtentSparse", "RW 20 SPARSE \"p1\"\n"),
      sparse(
          {.capacity_sectors = 20, .grain_sectors = 1, .descriptor_sectors = 0, .stored = {0, 3}}));
  with_part("text_cowd", descriptor("vmfsSparse", "RW 20 VMFSSPARSE \"p1\"\n"), cowd(20));
  with_part("text_sesparse", descriptor("seSparse", "RW 32 SESPARSE \"p1\"\n"), sesparse(32));
}

/// Disks of several files.
void put_chains() {
  sparse_image_plan piece{
      .capacity_sectors = 20, .grain_sectors = 1, .descriptor_sectors = 0, .stored = {0, 3}};
  const std::string first = bundled(sparse(piece));
  piece.seed = 1;
  piece.stored = {1, 19};
  const std::string second = bundled(sparse(piece));
  put("chain", "split",
      files({{"disk.vmdk",
              descriptor("twoGbMaxExtentSparse",
                         "RW 20 SPARSE \"disk-s001.vmdk\"\nRW 20 SPARSE \"disk-s002.vmdk\"\n")},
             {"disk-s001.vmdk", first},
             {"disk-s002.vmdk", second}}));
  put("chain", "flat",
      files({{"disk.vmdk", descriptor("twoGbMaxExtentFlat",
                                      "RW 2 FLAT \"disk-f001.vmdk\" 0\nRW 3 ZERO\n"
                                      "RW 1 FLAT \"disk-f001.vmdk\" 2\n")},
             {"disk-f001.vmdk", std::string(600, 'x') + "\n=ZERO 936"}}));
  put("chain", "vmfs",
      files({{"disk.vmdk", descriptor("vmfs", "RW 2 VMFS \"disk-flat.vmdk\"\n")},
             {"disk-flat.vmdk", "=ZERO 1024"}}));
  put("chain", "no_access",
      files({{"disk.vmdk", descriptor("custom", "NOACCESS 4 ZERO\nRDONLY 4 ZERO\n")}}));

  const sparse_image_plan base{.capacity_sectors = 20, .grain_sectors = 2, .stored = {0, 3, 9}};
  sparse_image_plan child{.capacity_sectors = 20,
                          .grain_sectors = 1,
                          .version = 2,
                          .more_flags = 4,
                          .stored = {1, 6},
                          .zeroed = {7}};
  put("chain", "deltas",
      files({{"top.vmdk", bundled(sparse({.capacity_sectors = 20, .grain_sectors = 1}, "3", "2",
                                         "C:\\disks\\middle.vmdk"))},
             {"middle.vmdk", bundled(sparse(child, "2", "1", "base.vmdk"))},
             {"base.vmdk", bundled(sparse(base, "1"))}}));
  put("chain", "cowd_on_flat",
      files({{"disk-000001.vmdk",
              descriptor("vmfsSparse", "RW 20 VMFSSPARSE \"disk-000001-delta.vmdk\"\n", "2", "1",
                         "disk.vmdk")},
             {"disk-000001-delta.vmdk", bundled(cowd(20))},
             {"disk.vmdk", descriptor("vmfs", "RW 20 VMFS \"disk-flat.vmdk\"\n")},
             {"disk-flat.vmdk", "one\n=ZERO 5000\ntwo\n=ZERO 5234"}}));
  put("chain", "sesparse_on_sparse",
      files({{"disk-000001.vmdk",
              descriptor("seSparse", "RW 20 SESPARSE \"disk-000001-sesparse.vmdk\"\n", "2", "1",
                         "base.vmdk")},
             {"disk-000001-sesparse.vmdk", bundled(sesparse(20))},
             {"base.vmdk", bundled(sparse(base, "1"))}}));
  put("chain", "stream_parent",
      files(
          {{"top.vmdk", bundled(sparse({.capacity_sectors = 20, .grain_sectors = 1, .stored = {4}},
                                       "2", "1", "base.vmdk"))},
           {"base.vmdk",
            bundled(
                stream({.capacity_sectors = 20, .grain_sectors = 2, .stored = {0, 2, 3, 9}}))}}));
  put("chain", "loop",
      files({{"a.vmdk",
              bundled(sparse({.capacity_sectors = 20, .grain_sectors = 1}, "1", "2", "b.vmdk"))},
             {"b.vmdk",
              bundled(sparse({.capacity_sectors = 20, .grain_sectors = 1}, "2", "1", "a.vmdk"))}}));
}

void put_streams_of_zlib() {
  const std::string text =
      "A grain of text, a grain of text, and one of zeros." + std::string(300, ' ');
  for (const int level : {0, 1, 9}) {
    for (const int strategy : {Z_DEFAULT_STRATEGY, Z_HUFFMAN_ONLY, Z_FIXED}) {
      std::string packed(2000, '\0');
      z_stream stream{};
      deflateInit2(&stream, level, Z_DEFLATED, 15, 8, strategy);
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
      stream.avail_in = static_cast<uInt>(text.size());
      stream.next_out = reinterpret_cast<Bytef*>(packed.data());
      stream.avail_out = static_cast<uInt>(packed.size());
      ::deflate(&stream, Z_FINISH);
      packed.resize(stream.total_out);
      deflateEnd(&stream);
      std::string seed{static_cast<char>(text.size() & 0xFF), static_cast<char>(text.size() >> 8)};
      put("inflate", "level_" + std::to_string(level) + "_strategy_" + std::to_string(strategy),
          seed + packed);
    }
  }
}

/// Choices, as the targets take them apart.
void put_choices() {
  using namespace std::string_literals;
  for (int level = 0; level < 10; ++level) {
    const char first = static_cast<char>(level);
    const std::string name = "level_" + std::to_string(level);
    put("deflate", name, first + "\x02\0to be or not to be, that is to be or not"s);
    // Literals, a repeat, a run, numbers; then repeats of it all.
    put("deflate", name + "_long",
        first +
            "\x03\0\x28literally!\x81\x05\0\xFA\x20\xFF\x07\x0F\xFD\x00\x10\xFD\x00\x40\xFD\xFF\x7F"s);
  }
  for (char type = 0; type < 6; ++type) {
    const std::string name = "type_" + std::to_string(type);
    const std::string head(1, type);
    // Bits, encoder, level, grain, how large; then changes of the disk.
    put("write", name, head + "\0\1\6\1\0\xFF\x7F\0\x05\x20\xAA\5\x42\x80\xFF\x03\1\x90\4text"s);
    put("write", name + "_exact",
        head + "\x4B\x10\0\2\1\0\1\0\0\x02\x06\x4F\x01\x00\x10\xFE\x44\0\1\x40\x55"s);
    put("write", name + "_pieces", head + "\x84\1\1\0\0\0\1\0\x5F\x80\x20\x11\0\x5E\0\x30\x22"s);
  }
  for (char kind = 0; kind < 4; ++kind) {
    const std::string name = "kind_" + std::to_string(kind);
    const std::string head(1, kind);
    put("layout", name + "_64_gib", head + "\x64\x80\4\0\0\0\x25\0\0\x10\0\x01\x30"s);
    put("layout", name + "_limit", head + "\x7F\x7F\x08\1\1\x7F\x80\1\x60\x80\1\x44"s);
    put("layout", name + "_odd", head + "\x80\1\2\3\4\5\6\0\0\0\0\0\0\x60\x80"s);
  }
  put("options", "usual",
      "adapterType=ide\nvirtualHWVersion=21\ntoolsVersion=10\nCID=fffffffe\n"
      "uuid=60 00 C2 90 00 00 00 00-00 00 00 00 00 00 00 00\ncapacity=exact\ntables=front\n"
      "name=other.vmdk\nddb.thinProvisioned=1\nddb.comment=\xC3\xBC");
  put("options", "mkimg", "mkimg=yes\nCID=0\nddb.a=b");
  put("options", "sizes", "64K\n1g\n18446744073709551615\n16384P\n16383P\nK\n-1\n0\n007T");
  put("options", "refused", "adapterType=scsi");
  put("options", "twice", "tables=end\ntables=front");
  put("options", "reserved", "ddb.uuid=1\nddb.A=\nddb.a=");
  put("options", "hidden", "ddb.x=createType\nname=a/b");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  folder = argv[1];
  put_single_images();
  put_parts();
  put_chains();
  put_streams_of_zlib();
  put_choices();
  return 0;
}
