// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// Takes a streamOptimized file apart, sector by sector, and says what is wrong with it. Written
// from SPEC 5 alone: nothing of the library is used here, so that a mistake there cannot hide
// itself.

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace stream_checking {

using bytes = std::vector<unsigned char>;

/// What a good file says.
struct stream_facts {
  std::uint64_t capacity_sectors = 0;
  std::uint64_t grain_sectors = 0;
  std::uint64_t stored_grains = 0;
  std::uint64_t stored_tables = 0;  ///< With tables in front: those that are not empty.
  std::uint64_t stored_blocks = 0;  ///< Grains that begin with a stored block.
  std::string descriptor;
  bytes disk;  ///< Its whole content.
};

class stream_checker {
 public:
  explicit stream_checker(std::span<const std::byte> file)
      : file_(reinterpret_cast<const unsigned char*>(file.data())), file_bytes_(file.size()) {}

  /// Checks the layout with tables behind the grains; throws std::runtime_error for the first thing
  /// that is wrong.
  stream_facts check_tables_at_end() {
    check_header();
    need(u64(0, 56) == all_ones, "the header must say that the directory is at the end");
    need(overhead_ == (descriptor_end_ + grain_ - 1) / grain_ * grain_,
         "the grains must begin on the grain boundary behind the descriptor");
    need_zeros(descriptor_end_, overhead_, "before the grains");

    std::vector<std::uint32_t> directory(tables_);
    std::vector<std::uint32_t> table(512);
    std::uint64_t at = overhead_;
    bool grains_without_table = false;
    for (;;) {
      const std::uint64_t value = u64(at, 0);
      const std::uint32_t size = u32(at, 8);
      if (size != 0) {
        const std::uint64_t index = value / grain_;
        need(!grains_without_table || index / 512 == last_grain_ / 512,
             "the table must follow its last grain");
        table[index % 512] = static_cast<std::uint32_t>(at);
        grains_without_table = true;
        at += take_grain(at);
        continue;
      }
      const std::uint32_t type = u32(at, 12);
      need(is_zero(at * 512 + 16, 496), "a marker's padding is not zero");
      if (type == 1) {
        need(value == 4, "a table's marker must announce 4 sectors");
        need(grains_without_table, "a table without a grain");
        for (std::uint32_t i = 0; i < 512; ++i) {
          need(u32(at + 1, 4 * i) == table[i], "a table entry does not name its grain's marker");
        }
        directory[last_grain_ / 512] = static_cast<std::uint32_t>(at + 1);
        table.assign(512, 0);
        grains_without_table = false;
        ++facts_.stored_tables;
        at += 5;
        continue;
      }
      need(type == 2, "a marker of an unexpected type");
      need(!grains_without_table, "the last table is missing");
      const std::uint64_t directory_sectors = (tables_ * 4 + 511) / 512;
      need(value == directory_sectors, "the directory's marker has another length");
      const std::uint64_t directory_at = at + 1;
      for (std::uint64_t t = 0; t < tables_; ++t) {
        need(u32(directory_at, 4 * t) == directory[t], "a directory entry does not name its table");
      }
      const std::uint64_t used = directory_at * 512 + tables_ * 4;
      need(is_zero(used, (directory_at + directory_sectors) * 512 - used),
           "the directory's padding is not zero");
      check_footer(directory_at + directory_sectors, directory_at);
      return facts_;
    }
  }

  /// Checks the layout with tables before the grains.
  stream_facts check_tables_in_front() {
    check_header();
    const std::uint64_t directory_at = u64(0, 56);
    const std::uint64_t directory_sectors = (tables_ * 4 + 511) / 512;
    need(directory_at == descriptor_end_, "the directory must follow the descriptor");
    const std::uint64_t tables_at = directory_at + directory_sectors;
    need(overhead_ == tables_at + tables_ * 4, "the grains must follow the tables");
    for (std::uint64_t t = 0; t < tables_; ++t) {
      need(u32(directory_at, 4 * t) == tables_at + 4 * t,
           "a directory entry is not the table's place");
    }
    const std::uint64_t used = directory_at * 512 + tables_ * 4;
    need(is_zero(used, tables_at * 512 - used), "the directory's padding is not zero");

    std::vector<std::uint32_t> entries(tables_ * 512);
    std::uint64_t at = overhead_;
    while (u32(at, 8) != 0) {
      entries[u64(at, 0) / grain_] = static_cast<std::uint32_t>(at);
      at += take_grain(at);
    }
    for (std::uint64_t t = 0; t < tables_; ++t) {
      bool used_table = false;
      for (std::uint64_t i = 0; i < 512; ++i) {
        const std::uint32_t entry = u32(tables_at + 4 * t, 4 * i);
        need(entry == entries[t * 512 + i], "a table entry does not name its grain's marker");
        used_table = used_table || entry != 0;
      }
      if (used_table) ++facts_.stored_tables;
    }
    check_end(at);
    return facts_;
  }

 private:
  static constexpr std::uint64_t all_ones = ~std::uint64_t{0};

  static void need(bool good, const char* what) {
    if (!good) throw std::runtime_error(what);
  }

  std::uint64_t number(std::uint64_t sector, std::uint64_t offset, unsigned n) const {
    const std::uint64_t at = sector * 512 + offset;
    need(at + n <= file_bytes_, "the file ends early");
    std::uint64_t value = 0;
    for (unsigned i = 0; i < n; ++i) value |= std::uint64_t{file_[at + i]} << (8 * i);
    return value;
  }
  std::uint64_t u64(std::uint64_t sector, std::uint64_t offset) const {
    return number(sector, offset, 8);
  }
  std::uint32_t u32(std::uint64_t sector, std::uint64_t offset) const {
    return static_cast<std::uint32_t>(number(sector, offset, 4));
  }

  bool is_zero(std::uint64_t at, std::uint64_t n) const {
    need(at + n <= file_bytes_, "the file ends early");
    for (std::uint64_t i = 0; i < n; ++i) {
      if (file_[at + i] != 0) return false;
    }
    return true;
  }
  void need_zeros(std::uint64_t first_sector, std::uint64_t end_sector, const char* where) const {
    need(is_zero(first_sector * 512, (end_sector - first_sector) * 512), where);
  }

  void check_header() {
    need(file_bytes_ % 512 == 0, "the file is not whole sectors");
    need(file_bytes_ >= 512 && std::memcmp(file_, "KDMV", 4) == 0, "no magic number");
    need(u32(0, 4) == 3, "the version must be 3");
    need(u32(0, 8) == 0x30001, "the flags must be 0x30001");
    facts_.capacity_sectors = capacity_ = u64(0, 12);
    facts_.grain_sectors = grain_ = u64(0, 20);
    need(capacity_ != 0, "no capacity");
    need(grain_ >= 8 && (grain_ & (grain_ - 1)) == 0, "the grain is no power of two");
    need(u64(0, 28) == 1, "the descriptor must be at sector 1");
    descriptor_end_ = 1 + u64(0, 36);
    need(u32(0, 44) == 512, "a table must have 512 entries");
    need(u64(0, 48) == 0, "there is no redundant directory");
    overhead_ = u64(0, 64);
    const unsigned char line_ends[] = {0, '\n', ' ', '\r', '\n'};
    need(std::memcmp(file_ + 72, line_ends, sizeof line_ends) == 0, "clean flag or newline bytes");
    need(number(0, 77, 2) == 1, "the algorithm must be deflate");
    need(is_zero(79, 433), "the header's padding is not zero");
    grains_ = (capacity_ + grain_ - 1) / grain_;
    tables_ = (grains_ + 511) / 512;
    need(overhead_ >= descriptor_end_ && overhead_ * 512 <= file_bytes_, "overhead");

    const char* const text = reinterpret_cast<const char*>(file_ + 512);
    const std::size_t room = static_cast<std::size_t>((descriptor_end_ - 1) * 512);
    facts_.descriptor.assign(text, strnlen(text, room));
    need(is_zero(512 + facts_.descriptor.size(), room - facts_.descriptor.size()),
         "the descriptor's padding is not zero");
    need(facts_.descriptor.find("createType=\"streamOptimized\"\n") != std::string::npos,
         "the descriptor's type");
    const std::string line = " " + std::to_string(capacity_) + " SPARSE \"";
    need(facts_.descriptor.find(line) != std::string::npos, "the descriptor's extent line");
    facts_.disk.assign(static_cast<std::size_t>(capacity_ * 512), 0);
  }

  /// Takes the grain whose marker is at a sector; gives its sectors.
  std::uint64_t take_grain(std::uint64_t at) {
    const std::uint64_t lba = u64(at, 0);
    const std::uint32_t size = u32(at, 8);
    need(lba % grain_ == 0 && lba < capacity_, "a grain's place on the disk");
    const std::uint64_t index = lba / grain_;
    need(facts_.stored_grains == 0 || index > last_grain_, "grains must ascend");
    last_grain_ = index;
    ++facts_.stored_grains;
    const std::uint64_t grain_bytes = grain_ * 512;
    need(size <= grain_bytes + 500, "a compressed grain is larger than readers take");
    const std::uint64_t sectors = (12 + std::uint64_t{size} + 511) / 512;
    need((at + sectors) * 512 <= file_bytes_, "a grain ends behind the file");
    need(is_zero(at * 512 + 12 + size, sectors * 512 - 12 - size), "a grain's padding is not zero");

    const unsigned char* const data = file_ + at * 512 + 12;
    bytes out(static_cast<std::size_t>(grain_bytes));
    z_stream z{};
    need(inflateInit(&z) == Z_OK, "zlib");
    z.next_in = const_cast<unsigned char*>(data);
    z.avail_in = size;
    z.next_out = out.data();
    z.avail_out = static_cast<uInt>(out.size());
    const int end = inflate(&z, Z_FINISH);
    const bool exact = end == Z_STREAM_END && z.avail_in == 0 && z.avail_out == 0;
    inflateEnd(&z);
    need(exact, "a grain is not one zlib stream of exactly a grain");
    if (size > 2 && (data[2] & 6) == 0) ++facts_.stored_blocks;

    bool data_there = false;
    for (const unsigned char c : out) data_there = data_there || c != 0;
    need(data_there, "a grain of zeros is stored");
    const std::uint64_t first = lba * 512;
    const std::uint64_t there = std::min<std::uint64_t>(grain_bytes, facts_.disk.size() - first);
    std::memcpy(facts_.disk.data() + first, out.data(), static_cast<std::size_t>(there));
    for (std::uint64_t i = there; i < grain_bytes; ++i) {
      need(out[i] == 0, "the last grain is not padded with zeros");
    }
    return sectors;
  }

  void check_footer(std::uint64_t at, std::uint64_t directory_at) const {
    need(u64(at, 0) == 1 && u32(at, 8) == 0 && u32(at, 12) == 3, "no footer marker");
    need(is_zero(at * 512 + 16, 496), "the footer marker's padding is not zero");
    const unsigned char* const footer = file_ + (at + 1) * 512;
    need((at + 2) * 512 <= file_bytes_, "no footer");
    need(u64(at + 1, 56) == directory_at, "the footer names another directory");
    need(std::memcmp(footer, file_, 56) == 0 && std::memcmp(footer + 64, file_ + 64, 448) == 0,
         "header and footer differ");
    check_end(at + 2);
  }

  /// One end-of-stream marker as the last sector.
  void check_end(std::uint64_t at) const {
    need((at + 1) * 512 <= file_bytes_, "no end-of-stream marker");
    need(is_zero(at * 512, 512), "the end-of-stream marker is not zero");
    need((at + 1) * 512 == file_bytes_, "something follows the end of the stream");
  }

  const unsigned char* file_;
  std::uint64_t file_bytes_;
  std::uint64_t capacity_ = 0;
  std::uint64_t grain_ = 0;
  std::uint64_t grains_ = 0;
  std::uint64_t tables_ = 0;
  std::uint64_t overhead_ = 0;
  std::uint64_t descriptor_end_ = 0;
  std::uint64_t last_grain_ = 0;
  stream_facts facts_;
};

}  // namespace stream_checking
