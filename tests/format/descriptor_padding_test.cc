// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>
#include <string>

#include "vmdk/format/descriptor_parser.hpp"

namespace descriptor_padding_test {
namespace {

using namespace vmdk;

// As qemu-img wrote it, which had made the content id of eight digits one of six.
const std::string flat =
    "# Disk DescriptorFile\nversion=1\nCID=85f4d0\nparentCID=ffffffff\n"
    "createType=\"monolithicFlat\"\nRW 8 FLAT \"a-flat.vmdk\" 0\nddb.adapterType = \"ide\"\n";

std::string padded(const std::string& rest, std::size_t zeros = 160) {
  return flat + '\0' + rest + std::string(zeros, '\0');
}

failure tolerant(const std::string& file, descriptor_place place = descriptor_place::text_file) {
  return parse_descriptor(file, place).error();
}
failure strict(const std::string& file) {
  return parse_descriptor(file, descriptor_place::text_file, strictness::strict).error();
}

TEST_CASE("zeros behind a descriptor are padding") {
  for (const std::string& file : {flat, padded("", 0), padded("")}) {
    CHECK(strict(file) == no_failure);
    CHECK(parse_descriptor(file, descriptor_place::text_file)->text() == flat);
  }
}

TEST_CASE("the last bytes of a text file may stand there once more") {
  for (std::size_t bytes = 1; bytes <= 6; ++bytes) {
    for (const std::size_t zeros : {0u, 1u, 160u}) {
      const std::string file = padded(flat.substr(flat.size() - bytes), zeros);
      INFO(bytes << " bytes, " << zeros << " zeros");
      CHECK(tolerant(file) == no_failure);
      CHECK(parse_descriptor(file, descriptor_place::text_file)->text() == flat);
      CHECK(strict(file) == image_failure(errc::descriptor_padding_not_zero, flat.size() + 1));
    }
  }
}

TEST_CASE("nothing else hides behind a text file's zero") {
  const std::string end = flat.substr(flat.size() - 6);
  const std::string zero(1, '\0');
  const std::string hidden[] = {
      flat.substr(flat.size() - 7),  // more than a content id can lose
      flat.substr(flat.size() - 3, 2), " ", end + " ", end + zero + "\n", "x" + end,
  };
  for (const std::string& rest : hidden) {
    INFO(rest);
    CHECK(tolerant(padded(rest)) == image_failure(errc::descriptor_nul_inside, flat.size() + 1));
  }
  CHECK(tolerant(padded(zero + "\n")) ==
        image_failure(errc::descriptor_nul_inside, flat.size() + 2));
  // More than the text has. The compiler sees reads in front of it.
  constexpr std::string_view longer("\n\0\n\n", 4);
  STATIC_REQUIRE(parse_descriptor(longer, descriptor_place::text_file).error() ==
                 image_failure(errc::descriptor_nul_inside, 2));
  CHECK(tolerant(std::string(longer)) == image_failure(errc::descriptor_nul_inside, 2));
}

TEST_CASE("readers find no text behind an embedded descriptor's zero") {
  const std::string text =
      "# Disk DescriptorFile\nversion=1\nCID=85f4d0\nparentCID=ffffffff\n"
      "createType=\"monolithicSparse\"\nRW 8 SPARSE \"a.vmdk\"\nddb.adapterType = \"ide\"\n";
  for (const std::string rest : {"\n", "createType=\"custom\"\n"}) {
    const std::string file = text + '\0' + rest;
    CHECK(tolerant(file, descriptor_place::embedded) == no_failure);
    CHECK(parse_descriptor(file, descriptor_place::embedded, strictness::strict).error() ==
          image_failure(errc::descriptor_padding_not_zero, text.size() + 1));
  }
}

}  // namespace

}  // namespace descriptor_padding_test
