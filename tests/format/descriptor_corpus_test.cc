// SPDX-License-Identifier: BSD-2-Clause
// Descriptors that other programs wrote. The folder is named by VMDK_CORPUS; without it there is
// nothing to do.
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "vmdk/core/endian.hpp"
#include "vmdk/core/to_string.hpp"
#include "vmdk/format/descriptor_parser.hpp"

namespace descriptor_corpus_test {
namespace {

using namespace vmdk;

struct corpus_file {
  std::string name;
  std::string expect;
  std::string what;
};

std::string corpus_folder() {
  const char* folder = std::getenv("VMDK_CORPUS");
  return folder == nullptr ? "" : folder;
}

std::vector<corpus_file> manifest() {
  std::vector<corpus_file> files;
  if (corpus_folder().empty()) return files;
  std::ifstream list(corpus_folder() + "/manifest.tsv");
  REQUIRE(list);
  std::string line;
  std::getline(list, line);
  while (std::getline(list, line)) {
    std::vector<std::string> fields;
    std::istringstream cells(line);
    for (std::string cell; std::getline(cells, cell, '\t');) fields.push_back(cell);
    REQUIRE(fields.size() > 4);
    files.push_back({fields[0], fields[1], fields[4]});
  }
  return files;
}

std::string first_bytes(const std::string& name) {
  constexpr std::size_t enough = 64 * 1024;
  std::ifstream file(corpus_folder() + "/" + name, std::ios::binary);
  REQUIRE(file);
  std::string bytes(enough, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(enough));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  return bytes;
}

struct text_in_file {
  descriptor_place place;
  std::string text;
};

text_in_file descriptor_in(const std::string& bytes) {
  if (bytes.compare(0, 4, "KDMV") != 0) return {descriptor_place::text_file, bytes};
  const auto* header = reinterpret_cast<const std::byte*>(bytes.data());
  const auto offset = load_le<std::uint64_t>(header + 28) * 512;
  const auto size = load_le<std::uint64_t>(header + 36) * 512;
  REQUIRE(offset + size <= bytes.size());
  return {descriptor_place::embedded, bytes.substr(offset, size)};
}

TEST_CASE("the descriptors of other programs are read") {
  for (const corpus_file& file : manifest()) {
    INFO(file.name);
    // What is inside an archive is unpacked by the tests of the readers.
    if (file.name.find(".ova") != std::string::npos) continue;
    if (file.expect.find("part:") == 0) continue;
    const text_in_file descriptor = descriptor_in(first_bytes(file.name));
    const auto view = parse_descriptor(descriptor.text, descriptor.place);
    if (file.expect.find("descriptor is cut out") != std::string::npos) {
      CHECK(view.error().code == errc::descriptor_cid_missing);
      continue;
    }
    INFO(to_string(view.error().code) << " at " << view.error().offset);
    REQUIRE(view.ok());
    CHECK(file.what.find(std::string(view->type_text())) == 0);
    const std::string capacity = " cap " + std::to_string(view->total_sectors()) + " ";
    const std::string count = ", " + std::to_string(view->extent_count()) + " extent";
    CHECK((file.what.find(capacity) != std::string::npos ||
           file.what.find(count) != std::string::npos));
    const bool is_1252 = file.what.find("enc windows-1252") != std::string::npos;
    CHECK((!is_1252 || view->encoding() == text_encoding::windows_1252));
    std::size_t extents = 0;
    for (const extent_line& extent : view->extents()) extents += extent.sectors != 0;
    CHECK(extents == view->extent_count());

    // Of all these, only what an AWS export wrote is refused by strict readers.
    const auto strict = parse_descriptor(descriptor.text, descriptor.place, strictness::strict);
    const bool is_aws = file.name.find("monolithicSparse-trunc") != std::string::npos;
    CHECK(strict.error().code == (is_aws ? errc::descriptor_signature_missing : errc::none));
  }
}

}  // namespace

}  // namespace descriptor_corpus_test
