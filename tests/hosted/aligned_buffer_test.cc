// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/hosted/aligned_buffer.hpp"

#include <catch2/catch.hpp>
#include <cstdint>

namespace aligned_buffer_test {
using namespace vmdk;

TEST_CASE("a buffer begins on a page and moves") {
  for (const std::size_t size : {std::size_t{1}, std::size_t{4096}, std::size_t{1000000}}) {
    auto buffer = aligned_buffer::allocate(size);
    REQUIRE(buffer);
    CHECK(buffer->bytes().size() == size);
    CHECK(reinterpret_cast<std::uintptr_t>(buffer->bytes().data()) % 4096 == 0);
    zero_bytes(buffer->bytes());

    const std::byte* const where = buffer->bytes().data();
    aligned_buffer moved = std::move(buffer).value();
    aligned_buffer assigned;
    assigned = std::move(moved);
    CHECK(assigned.bytes().data() == where);
    CHECK(moved.bytes().empty());
  }
}

}  // namespace aligned_buffer_test
