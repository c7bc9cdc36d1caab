// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/reader/extent_file.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <cstddef>
#include <string_view>

#include "vmdk/io/memory.hpp"

namespace extent_file_test {
namespace {

using namespace vmdk;

/// A file of a few bytes.
class short_file {
 public:
  constexpr explicit short_file(std::string_view text) noexcept
      : size_(text.size()), source_(byte_view(fill(bytes_, text)).first(text.size())) {}
  short_file(const short_file&) = delete;

  constexpr result<file_contents> contents() noexcept {
    single_file files(source_);
    return identify_file(files, file_id{});
  }
  constexpr result<extent_kind> kind(extent_type type) noexcept {
    single_file files(source_);
    file_view<single_file<memory_source>> view(files, file_id{});
    return kind_of_line(view, type);
  }

 private:
  static constexpr std::array<std::byte, 40>& fill(std::array<std::byte, 40>& bytes,
                                                   std::string_view text) noexcept {
    copy_text(bytes.data(), text);
    return bytes;
  }

  std::array<std::byte, 40> bytes_{};
  std::size_t size_;
  memory_source source_;
};

constexpr bool contents_are_told_by_the_first_bytes() {
  const auto is = [](std::string_view text, file_contents wanted) {
    return short_file(text).contents() == wanted;
  };
  bool ok = is("KDMV", file_contents::sparse) && is("kdmv", file_contents::sparse);
  ok = ok && is("COWD", file_contents::cowd) && is("KDM", file_contents::text);
  ok = ok && is({"\xBE\xBA\xFE\xCA\0\0\0\0", 8}, file_contents::sesparse);
  ok = ok && is("\t# Disk DescriptorFile\r\n", file_contents::text);
  for (const std::string_view text : {std::string_view(), std::string_view("text\x01")}) {
    ok = ok && short_file(text).contents().error() == image_failure(errc::magic_invalid, 0);
  }
  return ok;
}
static_assert(contents_are_told_by_the_first_bytes());

constexpr bool kinds_follow_the_type_and_the_magic() {
  const auto is = [](std::string_view text, extent_type type, extent_kind wanted) {
    return short_file(text).kind(type) == wanted;
  };
  bool ok = is("COWD", extent_type::zero, extent_kind::zero);
  ok = ok && is("COWD", extent_type::flat, extent_kind::flat);
  ok = ok && is("COWD", extent_type::vmfs, extent_kind::flat);
  ok = ok && is("KDMV", extent_type::vmfs_sparse, extent_kind::cowd);
  ok = ok && is("KDMV", extent_type::se_sparse, extent_kind::sesparse);
  ok = ok && is("KDMV", extent_type::sparse, extent_kind::sparse);
  ok = ok && is("COWD", extent_type::sparse, extent_kind::cowd);
  return ok && is("COW", extent_type::sparse, extent_kind::sparse);
}
static_assert(kinds_follow_the_type_and_the_magic());

constexpr bool devices_and_unknown_types_have_no_kind() {
  bool ok = true;
  for (const extent_type type :
       {extent_type::vmfs_rdm, extent_type::vmfs_raw, static_cast<extent_type>(200)}) {
    ok = ok &&
         short_file("COWD").kind(type).error() == image_failure(errc::extent_type_unsupported, 0);
  }
  return ok;
}
static_assert(devices_and_unknown_types_have_no_kind());

TEST_CASE("files and extent lines are told apart at run time too") {
  CHECK(contents_are_told_by_the_first_bytes());
  CHECK(kinds_follow_the_type_and_the_magic());
  CHECK(devices_and_unknown_types_have_no_kind());
}

}  // namespace

}  // namespace extent_file_test
