// SPDX-License-Identifier: BSD-2-Clause
// What writing a child refuses, and what it does when disk, parent or sink fails.
#include <catch2/catch.hpp>

#include "tests/support/faults.hpp"
#include "tests/support/paged_file.hpp"
#include "tests/support/walked_source.hpp"
#include "tests/writer/delta_testing.hpp"
#include "vmdk/io/counting.hpp"
#include "vmdk/io/generator.hpp"
#include "vmdk/io/zero.hpp"
#include "vmdk/writer/delta.hpp"

namespace delta_faults_test {
namespace {

using namespace delta_testing;
using namespace vmdk::literals;

}  // namespace

TEST_CASE("what cannot be a child is refused with nothing touched") {
  const auto refusal = [](std::uint64_t parent_bytes, std::uint64_t disk_bytes,
                          const parent_link& link, const write_options& options,
                          std::size_t buffer_bytes = 131072) {
    zero_source parent(parent_bytes);
    zero_source disk(disk_bytes);
    contents buffer(buffer_bytes);
    delta_workspace<any_grain> memory;
    memory.bulk = buffer;
    counting_sink sink;
    REQUIRE_FALSE(sink.resize(77));
    const failure why = write_delta<any_grain>(disk, parent, link, sink, options, memory).error();
    CHECK((!why || (sink.size() == 77 && sink.write_calls() == 0)));
    counting_sink second;
    const failure empty =
        write_empty_delta<any_grain>(parent_bytes, link, second, options, memory).error();
    CHECK((empty == why || why.code == errc::parent_capacity_differs));
    return why;
  };
  const auto differs = [](std::uint64_t offset) {
    return options_failure(errc::parent_capacity_differs, offset);
  };
  const auto problem = [](descriptor_problem why) {
    return options_failure(errc::option_invalid, 0, static_cast<std::uint32_t>(why));
  };
  CHECK(refusal(2_MiB, 2_MiB, some_parent, {}) == no_failure);
  CHECK(refusal(2_MiB, 1_MiB + 1, some_parent, {}) == no_failure);
  CHECK(refusal(2_MiB, 1_MiB, some_parent, {}) == differs(1_MiB));
  CHECK(refusal(2_MiB, 2_MiB + 1, some_parent, {}) == differs(2_MiB + 1));
  CHECK(refusal(0, 0, some_parent, {}) == options_failure(errc::capacity_zero));
  CHECK(refusal(4096, 4096, {}, {}) == problem(descriptor_problem::parent));
  CHECK(refusal(4096, 4096, {.cid = 5}, {}) == problem(descriptor_problem::parent));
  CHECK(refusal(4096, 4096, {.file_name_hint = "a"}, {}) == problem(descriptor_problem::parent));
  CHECK(refusal(4096, 4096, {.cid = 5, .file_name_hint = "a\""}, {}) ==
        problem(descriptor_problem::parent_hint));
  CHECK(refusal(4096, 4096, some_parent, {.extent_name = "a/b"}) ==
        problem(descriptor_problem::extent_name));
  CHECK(refusal(4096, 4096, some_parent, {.grain_sectors = 7}) ==
        options_failure(errc::grain_size_invalid, 0, 7));
  CHECK(refusal(0, 0, {}, {.grain_sectors = 7}) == options_failure(errc::grain_size_invalid, 0, 7));
  CHECK(refusal(0, 0, {}, {}) == problem(descriptor_problem::parent));
  CHECK(refusal(4096, 4096, some_parent, {.like_mkimg = true}) ==
        options_failure(errc::not_supported));
  CHECK(refusal(4096, 4096, some_parent, {}, 131071) ==
        options_failure(errc::workspace_too_small, 0, 131072));
}

TEST_CASE("a child with more tables than readers take is refused") {
  const auto planned = detail::plan_delta(std::uint64_t{1} << 62,
                                          {.cid = 1, .file_name_hint = "parent.vmdk"}, {}, 128);
  CHECK(planned.error() == options_failure(errc::capacity_too_large));
}

TEST_CASE("every failure of disk, parent and sink comes back, and leaves no image") {
  constexpr std::uint64_t size = 600 * 4096;
  paged_file base(size);
  fill(base, 0, 4096, 1);
  fill(base, 300 * 4096, 8192, 1);
  paged_file disk = base;
  fill(disk, 4096, 4096, 2);
  for (std::uint64_t i = 0; i < 4096; i += 8) disk.put_number(301 * 4096 + i, 0, 8);
  fill(disk, 599 * 4096, 4096, 2);
  const std::uint64_t complete_bytes =
      sparse_layout::for_capacity(size, {.grain_sectors = 8}).value().file_bytes(3).value();
  delta_workspace<monolithic_sparse<8>> memory;
  for (int whose = 0; whose < 3; ++whose) {
    const failure why{.code = errc::caller_first,
                      .from = whose == 2 ? origin::sink : origin::source,
                      .index = 3,
                      .detail = 28,
                      .offset = 7};
    bool done = false;
    for (std::uint64_t n = 0; !done; ++n) {
      INFO("object " << whose << ", call " << n);
      REQUIRE(n < 200);
      fault f(n, why);
      fault none;
      walked_source source(disk, whose == 0 ? &f : nullptr);
      walked_source parent(base, whose == 1 ? &f : nullptr);
      failing_file file(whose == 2 ? f : none, contents(100000, std::byte{0xEE}));
      const auto report = write_delta<monolithic_sparse<8>>(source, parent, some_parent, file,
                                                            {.cid_given = n % 2 == 1}, memory);
      done = !f.happened();
      CHECK(report.error() == (done ? no_failure : why));
      if (done) {
        CHECK(report->stored_grains == 3);
        continue;
      }
      const bool untouched = file.content() == contents(100000, std::byte{0xEE});
      const bool headless =
          file.content().size() < 512 || is_zero(byte_view(file.content()).first(512));
      // The header is there when only the last barrier failed.
      const bool complete = whose == 2 && file.content().size() == complete_bytes;
      CHECK((untouched || headless || complete));
    }
  }
}

TEST_CASE("more differences than sectors have numbers stop the walk") {
  // A descriptor so long that two grains alone have room behind it; each block differs.
  const auto plan =
      sparse_layout::for_capacity(
          64 * 4096, {.grain_sectors = 8, .descriptor_sectors = 0xFFFFFFFF - 10 - 2 * 8})
          .value();
  REQUIRE(plan.max_stored_grains() == 2);
  zero_source parent(plan.capacity_bytes());
  generator_source source(plan.capacity_bytes(), [](std::uint64_t, byte_span out) {
    for (std::byte& b : out) b = std::byte{1};
  });
  std::array<std::byte, table_bytes> table{};
  std::array<std::byte, 4096> own{};
  std::array<std::byte, 4096> of_parent{};
  sparse_scratch scratch{.table = table, .buffer = own};
  const detail::delta_scanner scanner(parent, plan.geometry(), nullptr, of_parent);
  detail::delta_source both(source, parent);
  counting_sink sink;
  CHECK(write_sparse_body(both, sink, plan, scanner, scratch).error() ==
        options_failure(errc::extent_too_large, 2 * 4096));
}

}  // namespace delta_faults_test
