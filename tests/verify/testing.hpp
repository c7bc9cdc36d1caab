// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/image_builder.hpp"
#include "tests/support/memory_files.hpp"
#include "tests/support/stream_image_builder.hpp"
#include "vmdk/codec/inflate.hpp"
#include "vmdk/io/memory.hpp"
#include "vmdk/verify/check.hpp"
#include "vmdk/verify/describe.hpp"

namespace verify_testing {

using namespace vmdk;
using bytes = std::vector<std::byte>;

/// What a check said.
struct outcome {
  std::vector<finding> findings;
  std::vector<std::string> names;
  check_summary summary{};
  failure why{};

  bool has(errc code) const { return find(code) != nullptr; }
  const finding* find(errc code) const {
    for (const finding& f : findings) {
      if (f.code == code && f.more == 0) return &f;
    }
    return nullptr;
  }
  bool has_error() const {
    for (const finding& f : findings) {
      if (f.level == severity::error) return true;
    }
    return false;
  }
  std::string text() const {
    std::string all;
    for (const finding& f : findings) {
      all += to_string(f.level);
      all += " ";
      all += id_of(f.code);
      all += " @" + std::to_string(f.offset) + ": ";
      describe(f, [&all](std::string_view piece) { all += piece; });
      all += "\n";
    }
    if (why) all += "failed: " + std::string(to_string(why.code)) + "\n";
    return all;
  }
};

/// Collects findings; a name is kept beside its finding.
inline auto collect(outcome& into) {
  return [&into](const finding& f) {
    into.findings.push_back(f);
    into.names.emplace_back(f.name);
    into.findings.back().name = {};
  };
}

inline constexpr std::size_t usual_room = std::size_t{1} << 20;

/// State and room of a check, in memory whose end a sanitizer watches.
template <class D = inflate>
struct owned_memory {
  explicit owned_memory(std::size_t room_bytes) : room(room_bytes) {}
  std::unique_ptr<check_state> state = std::make_unique<check_state>();
  std::unique_ptr<D> decoder = std::make_unique<D>();
  bytes room;
  check_spans<D> spans() { return {*state, *decoder, room}; }
};

template <class S>
outcome check_source(S& source, std::size_t room_bytes = usual_room) {
  owned_memory<> memory(room_bytes);
  outcome said;
  const auto done = check(source, memory.spans(), collect(said));
  said.summary = done.value_or({});
  said.why = done.error();
  return said;
}

outcome check_bytes_of(const bytes& file, std::size_t room_bytes = usual_room);
/// Wants no more after so many findings; 0: wants all.
outcome check_files(testing_support::memory_files& files, std::string_view name,
                    std::size_t room_bytes = usual_room, std::size_t stop_at = 0);

/// All of a disk, or nothing when any of it cannot be read.
std::optional<bytes> read_disk(testing_support::memory_files& files, file_id file);
std::optional<bytes> read_disk(const bytes& file, strictness mode = strictness::tolerant);

/// How many grains of a disk, of 16 sectors, can be read and are what they were.
std::uint64_t right_grains(testing_support::memory_files& files, std::string_view name,
                           const bytes& good);
std::uint64_t right_grains(const bytes& file, const bytes& good);

inline void put(bytes& file, std::uint64_t at, std::uint64_t value, unsigned n) {
  if (file.size() < at + n) file.resize(at + n);
  for (unsigned i = 0; i < n; ++i) file[at + i] = static_cast<std::byte>(value >> (8 * i) & 0xFF);
}
inline std::uint64_t get(const bytes& file, std::uint64_t at, unsigned n) {
  std::uint64_t value = 0;
  for (unsigned i = n; i-- > 0;) value = value << 8 | std::to_integer<unsigned>(file[at + i]);
  return value;
}

/// A descriptor for a sparse file; `line` is its extent line.
inline std::string descriptor_text(std::string_view type, std::string_view lines,
                                   std::string_view more_header = "parentCID=ffffffff\n",
                                   std::string_view cid = "12345678") {
  std::string text = "# Disk DescriptorFile\nversion=1\nCID=";
  text += cid;
  text += "\n";
  text += more_header;
  text += "createType=\"" + std::string(type) + "\"\n\n# Extent description\n";
  text += lines;
  text +=
      "\n# The Disk Data Base\n#DDB\n\nddb.adapterType = \"lsilogic\"\n"
      "ddb.geometry.cylinders = \"10\"\nddb.geometry.heads = \"255\"\n"
      "ddb.geometry.sectors = \"63\"\nddb.virtualHWVersion = \"4\"\n";
  return text;
}

inline std::string sparse_text(std::uint64_t sectors) {
  return descriptor_text("monolithicSparse",
                         "RW " + std::to_string(sectors) + " SPARSE \"disk.vmdk\"\n");
}
inline std::string stream_text(std::uint64_t sectors) {
  return descriptor_text("streamOptimized",
                         "RDONLY " + std::to_string(sectors) + " SPARSE \"disk.vmdk\"\n");
}

/// Two tables, grains in both; the order of the file is not that of the disk.
inline testing_support::sparse_image_plan usual_sparse_plan() {
  testing_support::sparse_image_plan plan;
  plan.capacity_sectors = 600 * 16;
  plan.descriptor = sparse_text(plan.capacity_sectors);
  plan.stored = {0, 3, 2, 511, 512, 599, 100};
  return plan;
}

inline testing_support::stream_image_plan usual_stream_plan(
    testing_support::stream_tables tables = testing_support::stream_tables::at_end) {
  testing_support::stream_image_plan plan;
  plan.capacity_sectors = 1100 * 16;
  plan.tables = tables;
  plan.descriptor = stream_text(plan.capacity_sectors);
  plan.stored = {0, 2, 3, 100, 511, 600, 1099};
  return plan;
}

}  // namespace verify_testing
