// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/writer/workspace.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <cstddef>

#include "vmdk/codec/stored.hpp"
#include "vmdk/io/counting.hpp"
#include "vmdk/io/zero.hpp"
#include "vmdk/writer/stream.hpp"
#include "vmdk/writer/write.hpp"

namespace workspace_test {
namespace {

using namespace vmdk;

constexpr std::size_t grain_bytes = 4096;
constexpr std::size_t packed_bytes = grain_bytes + 512;

constexpr bool the_larger_memory_is_used() {
  std::array<std::byte, grain_bytes + 1> large{};
  workspace<stream_optimized<8>, stored> memory{};
  bool ok = memory.buffer(packed_bytes).data() == memory.grain.data();
  memory.bulk = byte_span(large).first(grain_bytes);
  ok = ok && memory.buffer(packed_bytes).data() == memory.grain.data();
  memory.bulk = large;
  ok = ok && memory.buffer(packed_bytes).data() == large.data() &&
       memory.buffer(packed_bytes).size() == large.size();
  return ok && memory.slot(packed_bytes).size() == packed_bytes;
}
static_assert(the_larger_memory_is_used());

/// Writes an empty disk with so much memory for grains of a size known at run time.
constexpr failure why_not_with(std::size_t bulk_bytes) {
  std::array<std::byte, 2 * packed_bytes> bulk{};
  workspace<stream_optimized<dynamic_grain>, stored> memory{};
  memory.bulk = byte_span(bulk).first(bulk_bytes);
  zero_source disk(grain_bytes);
  counting_sink sink;
  return write<stream_optimized<dynamic_grain>>(disk, sink, {.grain_sectors = 8}, memory).error();
}

constexpr bool memory_holds_a_grain_and_a_record() {
  const failure too_small =
      options_failure(errc::workspace_too_small, 0, grain_bytes + packed_bytes);
  bool ok = true;
  for (const std::size_t bytes : {std::size_t{0}, packed_bytes, packed_bytes + grain_bytes - 1}) {
    ok = ok && why_not_with(bytes) == too_small;
  }
  return ok && why_not_with(packed_bytes + grain_bytes) == no_failure;
}
static_assert(memory_holds_a_grain_and_a_record());

constexpr bool a_packer_needs_a_grain_and_a_record() {
  std::array<std::byte, packed_bytes> bytes{};
  const byte_span all(bytes);
  stored encoder{};
  const auto layout = stream_layout::for_capacity(grain_bytes, {.grain_sectors = 8}).value();
  const auto checked = [&](byte_span buffer, byte_span slot) {
    return detail::serial_packer<stored>(encoder, buffer, slot).check(layout);
  };
  const failure too_small =
      options_failure(errc::workspace_too_small, 0, grain_bytes + packed_bytes);
  return checked(all.first(grain_bytes), all) == no_failure &&
         checked(all.first(grain_bytes - 1), all) == too_small &&
         checked(all, all.first(packed_bytes - 1)) == too_small;
}
static_assert(a_packer_needs_a_grain_and_a_record());

}  // namespace

TEST_CASE("a workspace's own grain is used where the bulk is no larger") {
  CHECK(the_larger_memory_is_used());
}

TEST_CASE("the bulk holds a grain and a record") { CHECK(memory_holds_a_grain_and_a_record()); }

TEST_CASE("a packer takes no less memory than a grain and a record") {
  CHECK(a_packer_needs_a_grain_and_a_record());
}

}  // namespace workspace_test
