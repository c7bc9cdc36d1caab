// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/hosted/mapped_file.hpp"

#include <array>
#include <catch2/catch.hpp>

#include "tests/hosted/testing.hpp"

namespace mapped_file_test {
using namespace hosted_testing;

TEST_CASE("a mapped file is read and seen in place") {
  const temporary_folder folder;
  write_file(folder / "file", "0123456789");
  auto opened = mapped_file::open(folder / "file");
  REQUIRE(opened);
  mapped_file mapped = std::move(opened).value();
  CHECK(mapped.size() == 10);
  CHECK(text_of(mapped.view(2, 3)) == "234");
  CHECK(mapped.view(8, 3).empty());
  std::array<std::byte, 4> out{};
  CHECK_FALSE(mapped.read_at(6, out));
  CHECK(text_of(out) == "6789");
  CHECK(mapped.read_at(7, out) == source_failure(errc::out_of_range, 7));
  CHECK(mapped.next_data(0)->offset == 0);

  mapped_file assigned;
  CHECK(assigned.size() == 0);
  assigned = std::move(mapped);
  CHECK(text_of(assigned.view(0, 10)) == "0123456789");
}

TEST_CASE("an empty file maps to nothing") {
  const temporary_folder folder;
  write_file(folder / "file", {});
  auto mapped = mapped_file::open(folder / "file");
  REQUIRE(mapped);
  CHECK(mapped->size() == 0);
  CHECK(mapped->view(0, 0).empty());
}

TEST_CASE("what is no file cannot be mapped") {
  const temporary_folder folder;
  CHECK(mapped_file::open(folder / "missing").error() ==
        source_failure(errc::file_not_found, 0, ENOENT));
  CHECK(mapped_file::open(folder.path()).error() ==
        source_failure(errc::file_not_regular, 0, EISDIR));
  CHECK(mapped_file::open("/dev/null").error().code == errc::file_not_regular);
}

}  // namespace mapped_file_test
