// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/format/footer_check.hpp"

#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>

namespace footer_check_test {
namespace {

using namespace vmdk;

/// Keeps where footers differ, and has enough after so many.
struct places {
  std::size_t enough = 0;
  std::size_t count = 0;
  std::uint64_t last = 0;
  constexpr bool operator()(errc code, std::uint64_t offset) noexcept {
    if (code == errc::footer_mismatch) last = offset;
    return ++count < enough;
  }
};

constexpr sparse_extent_header other_version_and_grain() {
  sparse_extent_header footer;
  footer.version = footer.version + 1;
  footer.grain_size = footer.grain_size + 1;
  return footer;
}

constexpr bool differences_are_reported_in_turn() {
  const sparse_extent_header header;
  places none{.enough = 9};
  check_footer_agrees(header, header, none);
  places all{.enough = 9};
  check_footer_agrees(header, other_version_and_grain(), all, 1024);
  places one{.enough = 1};
  check_footer_agrees(header, other_version_and_grain(), one, 1024);
  return none.count == 0 && all.count == 2 &&
         all.last == 1024 + offsetof(sparse_extent_header, grain_size) && one.count == 1 &&
         one.last == 1024 + offsetof(sparse_extent_header, version);
}
static_assert(differences_are_reported_in_turn());
TEST_CASE("a footer's differences are reported until the report has enough") {
  CHECK(differences_are_reported_in_turn());
}

constexpr bool the_directory_may_lie_elsewhere() {
  sparse_extent_header footer;
  footer.gd_offset = 7;
  places found{.enough = 9};
  check_footer_agrees(sparse_extent_header{}, footer, found);
  return found.count == 0;
}
static_assert(the_directory_may_lie_elsewhere());
TEST_CASE("the directory's place is the footer's own") { CHECK(the_directory_may_lie_elsewhere()); }

}  // namespace

}  // namespace footer_check_test
