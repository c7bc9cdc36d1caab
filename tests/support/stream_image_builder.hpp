// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/support/image_builder.hpp"

/// Builds streamOptimized images of the kinds that are about (SPEC 5), again with none of the
/// library's code. Grains are stored blocks, so that a damage of their bytes is one of the content.
namespace testing_support {

enum class stream_tables {
  at_end,            ///< Header says at the end; markers, footer: VMware's exports, VirtualBox.
  at_end_and_known,  ///< The same, and the header names the directory too: vmdktool.
  in_front,          ///< No footer, an end-of-stream marker: open-vmdk.
  in_front_twice,    ///< Both copies in front, no end-of-stream marker: qemu.
};

struct stream_image_plan {
  std::uint64_t capacity_sectors = 16 * 1024;
  std::uint64_t grain_sectors = 16;
  stream_tables tables = stream_tables::at_end;
  std::string descriptor{};
  std::vector<std::uint64_t> stored{};  ///< In the file's order.
  std::uint64_t seed = 0;
  bool last_grain_short = false;  ///< Compressed without padding.
  bool progress_markers = false;  ///< A marker of type 4 behind each grain.
  bool empty_tables = false;      ///< Tables without grains are written too.
  std::uint64_t gap_sectors = 0;  ///< Zero sectors behind each grain.
};

struct stream_image {
  stream_image_plan plan;
  std::vector<std::byte> file;
  std::uint64_t directory_at = 0;
  std::uint64_t redundant_directory_at = 0;
  std::uint64_t overhead_bytes = 0;
  std::uint64_t footer_at = 0;                      ///< 0: none.
  std::map<std::uint64_t, std::uint64_t> table_at;  ///< By the table's number.
  std::map<std::uint64_t, std::uint64_t> redundant_table_at;
  std::map<std::uint64_t, std::uint64_t> marker_at;                 ///< By the grain's number.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> metadata{};  ///< All of it: offset, bytes.

  void put(std::uint64_t at, std::uint64_t value, unsigned bytes) {
    grow(at + bytes);
    for (unsigned i = 0; i < bytes; ++i) {
      file[at + i] = static_cast<std::byte>(value >> (8 * i) & 0xFF);
    }
  }
  std::uint64_t get(std::uint64_t at, unsigned bytes) const {
    std::uint64_t value = 0;
    for (unsigned i = bytes; i-- > 0;) value = value << 8 | std::to_integer<unsigned>(file[at + i]);
    return value;
  }
  void grow(std::uint64_t bytes) {
    if (file.size() < bytes) file.resize(bytes);
  }
  std::uint64_t table_entry_at(std::uint64_t grain) const {
    return table_at.at(grain / 512) + grain % 512 * 4;
  }
  std::uint64_t directory_entry_at(std::uint64_t grain) const {
    return directory_at + grain / 512 * 4;
  }
  /// The disk that was put in.
  std::vector<std::byte> disk() const {
    std::vector<std::byte> bytes(plan.capacity_sectors * 512);
    const std::uint64_t each = plan.grain_sectors * 512;
    for (const auto& [grain, at] : marker_at) {
      for (std::uint64_t i = grain * each; i < (grain + 1) * each && i < bytes.size(); ++i) {
        bytes[i] = content_byte(i, plan.seed);
      }
    }
    return bytes;
  }
};

/// An RFC 1950 stream of stored blocks.
inline std::vector<std::byte> stored_stream(const std::vector<std::byte>& data) {
  std::vector<std::byte> out{std::byte{0x78}, std::byte{0x01}};
  std::size_t at = 0;
  do {
    const std::size_t n = data.size() - at < 65535 ? data.size() - at : 65535;
    const bool last = at + n == data.size();
    out.push_back(last ? std::byte{1} : std::byte{0});
    for (const std::size_t word : {n, ~n}) {
      out.push_back(static_cast<std::byte>(word & 0xFF));
      out.push_back(static_cast<std::byte>(word >> 8 & 0xFF));
    }
    out.insert(out.end(), data.begin() + static_cast<std::ptrdiff_t>(at),
               data.begin() + static_cast<std::ptrdiff_t>(at + n));
    at += n;
  } while (at < data.size());
  std::uint32_t a = 1;
  std::uint32_t b = 0;
  for (const std::byte byte : data) {
    a = (a + std::to_integer<std::uint32_t>(byte)) % 65521;
    b = (b + a) % 65521;
  }
  const std::uint32_t sum = b << 16 | a;
  for (int shift = 24; shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::byte>(sum >> shift & 0xFF));
  }
  return out;
}

namespace detail {

inline void put_stream_header(stream_image& image, std::uint64_t at, bool is_footer) {
  const stream_image_plan& plan = image.plan;
  const bool known = is_footer || plan.tables != stream_tables::at_end;
  const bool twice = plan.tables == stream_tables::in_front_twice;
  image.put(at + 0, 0x564D444B, 4);
  image.put(at + 4, 3, 4);
  image.put(at + 8, twice ? 0x30003 : 0x30001, 4);
  image.put(at + 12, plan.capacity_sectors, 8);
  image.put(at + 20, plan.grain_sectors, 8);
  image.put(at + 28, 1, 8);
  image.put(at + 36, 20, 8);
  image.put(at + 44, 512, 4);
  image.put(at + 48, twice ? image.redundant_directory_at / 512 : 0, 8);
  image.put(at + 56, known ? image.directory_at / 512 : ~std::uint64_t{0}, 8);
  image.put(at + 64, image.overhead_bytes / 512, 8);
  image.put(at + 73, 0x0A0D200A, 4);
  image.put(at + 77, 1, 2);
  image.grow(at + 512);
  image.metadata.emplace_back(at, 512);
}

inline void put_stream_marker(stream_image& image, std::uint64_t at, std::uint64_t sectors,
                              std::uint32_t type) {
  image.put(at, sectors, 8);
  image.put(at + 12, type, 4);
  image.grow(at + 512);
  image.metadata.emplace_back(at, 512);
}

}  // namespace detail

/// Builds an image.
inline stream_image build_stream(const stream_image_plan& plan) {
  stream_image image;
  image.plan = plan;
  const std::uint64_t grains =
      (plan.capacity_sectors + plan.grain_sectors - 1) / plan.grain_sectors;
  const std::uint64_t tables = (grains + 511) / 512;
  const std::uint64_t directory_sectors = (tables * 4 + 511) / 512;
  const bool in_front =
      plan.tables == stream_tables::in_front || plan.tables == stream_tables::in_front_twice;
  std::uint64_t sector = 21;
  const auto tables_in_front = [&](std::uint64_t& directory_at,
                                   std::map<std::uint64_t, std::uint64_t>& table_at) {
    directory_at = sector * 512;
    sector += directory_sectors;
    for (std::uint64_t t = 0; t < tables; ++t, sector += 4) {
      table_at[t] = sector * 512;
      image.put(directory_at + 4 * t, sector, 4);
    }
    image.grow(sector * 512);
    image.metadata.emplace_back(directory_at, sector * 512 - directory_at);
  };
  if (plan.tables == stream_tables::in_front_twice) {
    tables_in_front(image.redundant_directory_at, image.redundant_table_at);
  }
  if (in_front) tables_in_front(image.directory_at, image.table_at);
  sector = (sector + 15) / 16 * 16;
  image.overhead_bytes = sector * 512;
  image.grow(sector * 512);

  std::map<std::uint64_t, std::vector<std::uint32_t>> table;
  const auto put_tables_up_to = [&](std::uint64_t end) {
    while (!table.empty() && table.begin()->first < end) {
      const std::uint64_t number = table.begin()->first;
      detail::put_stream_marker(image, sector * 512, 4, 1);
      ++sector;
      image.table_at[number] = sector * 512;
      for (std::uint64_t i = 0; i < 512; ++i) {
        image.put(sector * 512 + 4 * i, table.begin()->second[i], 4);
      }
      image.metadata.emplace_back(sector * 512, 2048);
      sector += 4;
      table.erase(table.begin());
    }
  };
  if (!in_front && plan.empty_tables) {
    for (std::uint64_t t = 0; t < tables; ++t) table[t].resize(512);
  }
  for (const std::uint64_t grain : plan.stored) {
    if (!in_front) put_tables_up_to(grain / 512);
    image.marker_at[grain] = sector * 512;
    if (in_front) {
      image.put(image.table_entry_at(grain), sector, 4);
      if (!image.redundant_table_at.empty()) {
        image.put(image.redundant_table_at.at(grain / 512) + grain % 512 * 4, sector, 4);
      }
    } else {
      auto& entries = table[grain / 512];
      entries.resize(512);
      entries[grain % 512] = static_cast<std::uint32_t>(sector);
    }
    const std::uint64_t begin = grain * plan.grain_sectors;
    const std::uint64_t left = plan.capacity_sectors - begin;
    const std::uint64_t used = left < plan.grain_sectors ? left : plan.grain_sectors;
    auto content = content_bytes(begin * 512, static_cast<std::size_t>(used * 512), plan.seed);
    if (!plan.last_grain_short) content.resize(plan.grain_sectors * 512);
    const auto packed = stored_stream(content);
    image.put(sector * 512, begin, 8);
    image.put(sector * 512 + 8, packed.size(), 4);
    image.metadata.emplace_back(sector * 512, 12);
    image.grow(sector * 512 + 12 + packed.size());
    vmdk::copy_bytes(image.file.data() + sector * 512 + 12, packed.data(), packed.size());
    sector += (12 + packed.size() + 511) / 512;
    image.grow(sector * 512);
    if (plan.progress_markers) detail::put_stream_marker(image, sector++ * 512, 0, 4);
    sector += plan.gap_sectors;
    image.grow(sector * 512);
  }
  if (!in_front) {
    put_tables_up_to(tables);
    detail::put_stream_marker(image, sector * 512, directory_sectors, 2);
    ++sector;
    image.directory_at = sector * 512;
    image.grow((sector + directory_sectors) * 512);
    for (const auto& [number, at] : image.table_at) {
      image.put(image.directory_at + 4 * number, at / 512, 4);
    }
    image.metadata.emplace_back(image.directory_at, directory_sectors * 512);
    sector += directory_sectors;
    detail::put_stream_marker(image, sector * 512, 1, 3);
    image.footer_at = (sector + 1) * 512;
    detail::put_stream_header(image, image.footer_at, true);
    sector += 2;
  }
  if (plan.tables != stream_tables::in_front_twice) {
    detail::put_stream_marker(image, sector * 512, 0, 0);
    ++sector;
  }
  detail::put_stream_header(image, 0, false);
  vmdk::copy_text(image.file.data() + 512, plan.descriptor);
  image.metadata.emplace_back(512, plan.descriptor.size());
  return image;
}

}  // namespace testing_support
