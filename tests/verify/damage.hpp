// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "tests/verify/testing.hpp"

/// Five kinds of image, and random damages of single fields of their metadata.
namespace verify_testing {

using namespace testing_support;

/// A field of the metadata of one file.
struct field {
  std::string file;
  std::uint64_t at;
  unsigned bytes;
};

/// A kind of image, whole.
struct specimen {
  const char* what;
  memory_files files;
  std::string name;
  std::vector<field> fields;
};

inline void add_header_fields(specimen& s, const std::string& file, std::uint64_t at) {
  const unsigned widths[] = {4, 4, 4, 8, 8, 8, 8, 4, 8, 8, 8, 1, 1, 1, 1, 1, 2, 1};
  // Headers are a small part of the metadata, and what is wrong there does the most harm.
  for (int times = 0; times < 8; ++times) {
    std::uint64_t next = at;
    for (const unsigned width : widths) {
      s.fields.push_back({file, next, width});
      next += width;
    }
  }
}

inline void add_words(specimen& s, const std::string& file, std::uint64_t at, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) s.fields.push_back({file, at + 4 * i, 4});
}

inline void add_text(specimen& s, const std::string& file, std::uint64_t at, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) s.fields.push_back({file, at + i, 1});
}

inline void add_tables(specimen& s, const std::string& file, const sparse_image& image) {
  for (const std::uint64_t directory : {image.directory_at, image.redundant_directory_at}) {
    for (int times = 0; times < 20; ++times) add_words(s, file, directory, 3);
  }
  for (const auto& [table, at] : image.table_at) add_words(s, file, at, 512);
  for (const auto& [table, at] : image.redundant_table_at) add_words(s, file, at, 512);
  for (const auto& [grain, at] : image.grain_at) {
    for (int times = 0; times < 30; ++times) {
      s.fields.push_back({file, image.table_entry_at(grain), 4});
    }
  }
}

inline specimen sparse_specimen(bool zeroed) {
  specimen s;
  s.what = zeroed ? "sparse version 2 with zeroed grains" : "sparse with redundant copies";
  s.name = "disk.vmdk";
  auto plan = usual_sparse_plan();
  if (zeroed) {
    plan.version = 2;
    plan.more_flags = 4;
    plan.zeroed = {1, 7, 513, 598};
  }
  const auto image = build_sparse(plan);
  s.files.put(s.name, image.file.bytes());
  add_header_fields(s, s.name, 0);
  add_text(s, s.name, 512, plan.descriptor.size());
  add_tables(s, s.name, image);
  for (const std::uint64_t grain : plan.zeroed) {
    for (int times = 0; times < 30; ++times) {
      s.fields.push_back({s.name, image.table_entry_at(grain), 4});
    }
  }
  return s;
}

inline specimen stream_specimen(stream_tables tables) {
  specimen s;
  s.what = tables == stream_tables::at_end ? "stream with tables at the end"
                                           : "stream with tables in front";
  s.name = "disk.vmdk";
  const auto image = build_stream(usual_stream_plan(tables));
  s.files.put(s.name, image.file);
  add_header_fields(s, s.name, 0);
  if (image.footer_at != 0) add_header_fields(s, s.name, image.footer_at);
  add_text(s, s.name, 512, image.plan.descriptor.size());
  for (const auto& [at, size] : image.metadata) {
    if (at == 0 || at == 512 || at == image.footer_at) continue;
    const bool is_table = size >= 2048;
    for (int times = 0; times < (is_table ? 1 : 10); ++times) {
      s.fields.push_back({s.name, at, 8});
      s.fields.push_back({s.name, at + 8, 4});
      if (size > 12) s.fields.push_back({s.name, at + 12, 4});
      if (size > 12) s.fields.push_back({s.name, at + size - 1, 1});
    }
    if (is_table) add_words(s, s.name, at, size / 4);
  }
  for (int times = 0; times < 30; ++times) add_words(s, s.name, image.directory_at, 4);
  for (const auto& [grain, at] : image.marker_at) {
    for (int times = 0; times < 30; ++times) {
      s.fields.push_back({s.name, image.table_entry_at(grain), 4});
    }
  }
  return s;
}

inline specimen split_specimen() {
  specimen s;
  s.what = "split sparse with its descriptor";
  s.name = "a.vmdk";
  auto plan = usual_sparse_plan();
  plan.descriptor.clear();
  plan.descriptor_sectors = 0;
  for (int part = 1; part <= 2; ++part) {
    const std::string name = "a-s00" + std::to_string(part) + ".vmdk";
    const auto image = build_sparse(plan);
    s.files.put(name, image.file.bytes());
    add_header_fields(s, name, 0);
    add_tables(s, name, image);
    plan.seed = 1;
    plan.capacity_sectors = 100 * 16;
    plan.stored = {7, 99};
  }
  const std::string text = descriptor_text("twoGbMaxExtentSparse",
                                           "RW 9600 SPARSE \"a-s001.vmdk\"\n"
                                           "RW 1600 SPARSE \"a-s002.vmdk\"\n");
  s.files.put(s.name, text);
  for (int times = 0; times < 4; ++times) add_text(s, s.name, 0, text.size());
  return s;
}

/// Another value for a field: what a lost write, a flipped bit, a neighbour's value would make.
inline std::uint64_t damaged_value(std::uint64_t old, const specimen& s, const field& f,
                                   std::mt19937_64& random) {
  auto files = s.files;
  switch (random() % 9) {
    case 0:
      return 0;
    case 1:
      return 1;
    case 2:
      return old + 1;
    case 3:
      return old - 1;
    case 4:
      return old ^ std::uint64_t{1} << random() % (8 * f.bytes);
    case 5:
      return random() >> random() % 64;
    case 6:
      return ~std::uint64_t{0};
    case 7:
      return old + 16 * (random() % 32) - 256;
    default: {
      const field& other = s.fields[random() % s.fields.size()];
      return get(files.bytes(other.file), other.at, other.bytes);
    }
  }
}

inline std::vector<specimen> all_specimens() {
  std::vector<specimen> all;
  all.push_back(sparse_specimen(false));
  all.push_back(sparse_specimen(true));
  all.push_back(stream_specimen(stream_tables::at_end));
  all.push_back(stream_specimen(stream_tables::in_front));
  all.push_back(split_specimen());
  return all;
}

/// One damage: a field that gets another value.
struct damage {
  field where;
  std::uint64_t old_value = 0;
  std::uint64_t value = 0;
};

/// A damage of a field; `value` is the old one now and then.
inline damage random_damage(specimen& s, std::mt19937_64& random) {
  damage d;
  d.where = s.fields[random() % s.fields.size()];
  d.old_value = get(s.files.bytes(d.where.file), d.where.at, d.where.bytes);
  const std::uint64_t mask =
      d.where.bytes == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << 8 * d.where.bytes) - 1;
  d.value = damaged_value(d.old_value, s, d.where, random) & mask;
  return d;
}

}  // namespace verify_testing
