// SPDX-License-Identifier: BSD-2-Clause

#include "tests/verify/testing.hpp"

#include "tests/support/read_back.hpp"
#include "tests/verify/rule_testing.hpp"
#include "vmdk/io/memory.hpp"
#include "vmdk/reader/cursor.hpp"
#include "vmdk/reader/open.hpp"
#include "vmdk/verify/open_checked.hpp"

// The templates that most tests of this layer call are made here, once, because that is what takes
// time when they are compiled.
namespace verify_testing {

namespace {

template <class F>
std::optional<bytes> read_all(F& files, file_id file, strictness mode) {
  constexpr std::uint64_t most_disk_bytes = std::uint64_t{1} << 26;
  testing_support::opened_disk<F, inflate> opened(files, file, mode);
  if (opened.why || opened.image.size() > most_disk_bytes) return std::nullopt;
  bytes disk(static_cast<std::size_t>(opened.image.size()));
  if (opened.cursor.read_at(0, disk)) return std::nullopt;
  return disk;
}

}  // namespace

outcome check_bytes_of(const bytes& file, std::size_t room_bytes) {
  memory_source source(file);
  return check_source(source, room_bytes);
}

outcome check_files(testing_support::memory_files& files, std::string_view name,
                    std::size_t room_bytes, std::size_t stop_at) {
  owned_memory<> memory(room_bytes);
  outcome said;
  const auto done = check(files, name, memory.spans(), [&said, stop_at](const finding& f) {
    collect(said)(f);
    return said.findings.size() != stop_at;
  });
  said.summary = done.value_or({});
  said.why = done.error();
  return said;
}

std::optional<bytes> read_disk(testing_support::memory_files& files, file_id file) {
  return read_all(files, file, strictness::tolerant);
}

std::optional<bytes> read_disk(const bytes& file, strictness mode) {
  memory_source source(file);
  single_file<memory_source> files(source);
  return read_all(files, file_id{}, mode);
}

std::uint64_t right_grains(testing_support::memory_files& files, std::string_view name,
                           const bytes& good) {
  constexpr std::uint64_t grain_bytes = 16 * sector_bytes;
  testing_support::opened_disk<testing_support::memory_files, inflate> opened(files, name,
                                                                              strictness::tolerant);
  if (opened.why) return 0;
  std::uint64_t right = 0;
  bytes now(grain_bytes);
  for (std::uint64_t at = 0; at + grain_bytes <= good.size(); at += grain_bytes) {
    if (at + grain_bytes > opened.image.size() || opened.cursor.read_at(at, now)) continue;
    right += equal_bytes(now.data(), good.data() + at, grain_bytes);
  }
  return right;
}

std::uint64_t right_grains(const bytes& file, const bytes& good) {
  testing_support::memory_files files;
  files.put("disk.vmdk", file);
  return right_grains(files, "disk.vmdk", good);
}

verdict judge(const bytes& file, strictness mode) {
  memory_source source(file);
  single_file<memory_source> files(source);
  auto memory = std::make_unique<image_memory<16, 4, std::size_t{1} << 21>>();
  if (!open(files, file_id{}, *memory, mode)) return verdict::refused;
  return read_disk(file, mode) ? verdict::accepted : verdict::unreadable;
}

bool is_opened_after_check(const bytes& file) {
  memory_source source(file);
  single_file<memory_source> files(source);
  auto memory = std::make_unique<image_memory<16, 4, std::size_t{1} << 21>>();
  owned_memory<> checking(usual_room);
  return open_checked(files, file_id{}, image_spans{memory->extents, memory->links, memory->text},
                      checking.spans())
      .ok();
}

}  // namespace verify_testing
