// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "tests/reader/testing.hpp"

namespace reader_testing {

/// A disk of some type and what it reads as. Its first file is `disk`.
struct sample {
  explicit sample(std::string called) : name(std::move(called)) {}

  std::string name;
  watched_files files{};
  bytes disk{};
};
using samples = std::deque<sample>;

inline sample& add(samples& all, std::string name) { return all.emplace_back(std::move(name)); }

inline void add_sparse(samples& all, const std::string& name, sparse_image_plan plan) {
  sample& s = add(all, name);
  const sparse_image image = whole_sparse(std::move(plan));
  s.files.put("disk", image.file.bytes());
  s.disk = disk_of(image);
}

/// One of each type, of odd sizes.
inline samples every_type() {
  samples all;
  const std::vector<std::uint64_t> some{0, 3, 4, 5, 63, 31, 30};
  add_sparse(all, "sparse", {.capacity_sectors = 1021, .stored = some});
  add_sparse(all, "sparse, grain of one sector",
             {.capacity_sectors = 1000, .grain_sectors = 1, .stored = {0, 1, 2, 7, 511, 512, 999}});
  add_sparse(
      all, "sparse, large grains, the last one cut",
      {.capacity_sectors = 300, .grain_sectors = 128, .stored = {0, 2}, .last_grain_cut = true});
  add_sparse(all, "sparse, zeroed grains",
             {.version = 2, .more_flags = 4, .stored = some, .zeroed = {1, 2, 40}});
  add_sparse(all, "sparse, no tables where nothing is",
             {.capacity_sectors = 3 * 512 * 4,
              .grain_sectors = 4,
              .stored = {0, 1200},
              .empty_tables_missing = true});
  for (const auto tables : {stream_tables::at_end, stream_tables::at_end_and_known,
                            stream_tables::in_front, stream_tables::in_front_twice}) {
    for (const bool is_short : {false, true}) {
      sample& s = add(all, "stream " + std::to_string(static_cast<int>(tables)));
      const stream_image image = whole_stream({.capacity_sectors = 1021,
                                               .tables = tables,
                                               .stored = {0, 3, 4, 30, 31, 63},
                                               .last_grain_short = is_short,
                                               .progress_markers = !is_short});
      s.files.put("disk", image.file);
      s.disk = image.disk();
    }
  }
  {
    sample& s = add(all, "flat");
    s.files.put("disk", text_of({.extents = {"RW 500 FLAT \"flat\" 3"}}));
    s.files.put("flat", content_bytes(0, 503 * 512));
    s.disk = content_bytes(3 * 512, 500 * 512);
  }
  for (const bool is_cowd : {true, false}) {
    sample& s = add(all, is_cowd ? "cowd" : "sesparse");
    const redo_log log = is_cowd ? build_cowd(333, 2) : build_sesparse(333);
    s.files.put("disk", text_of({.type = is_cowd ? "vmfsSparse" : "seSparse",
                                 .extents = {std::string("RW 333 ") +
                                             (is_cowd ? "VMFSSPARSE" : "SESPARSE") + " \"log\""}}));
    s.files.put("log", log.file);
    s.disk = log.disk;
  }
  {
    sample& s = add(all, "a mix over a parent");
    const sparse_image sparse = sparse_piece({.capacity_sectors = 70, .stored = {1}});
    const stream_image stream = whole_stream({.capacity_sectors = 33, .stored = {0, 2}, .seed = 4});
    const stream_image base = whole_stream(
        {.capacity_sectors = 130, .stored = {1, 2, 4, 8}, .seed = 9, .last_grain_short = true},
        {.cid = "1"});
    s.files.put("disk", text_of({.extents = {"RW 7 FLAT \"flat\" 0", "RW 70 SPARSE \"sparse\"",
                                             "RW 20 ZERO", "RW 33 SPARSE \"stream\""},
                                 .parent = "1",
                                 .hint = "base"}));
    s.files.put("flat", content_bytes(0, 7 * 512, 2));
    s.files.put("sparse", sparse.file.bytes());
    s.files.put("stream", stream.file);
    s.files.put("base", base.file);
    s.disk = base.disk();
    const auto put = [&s](std::size_t sector, const bytes& content) {
      copy_bytes(s.disk.data() + sector * 512, content.data(), content.size());
    };
    put(0, content_bytes(0, 7 * 512, 2));
    put(7 + 16, content_bytes(16 * 512, 16 * 512));
    put(77, bytes(20 * 512));
    put(97, content_bytes(0, 16 * 512, 4));
    put(97 + 32, content_bytes(32 * 512, 512, 4));
  }
  return all;
}

inline constexpr std::size_t largest_grain = 8192;  ///< Of those that are compressed.

}  // namespace reader_testing
