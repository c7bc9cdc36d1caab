// SPDX-License-Identifier: BSD-2-Clause
// Judges streamOptimized files for the tests: `stream_judge` reads lines "STREAM DISK" and answers
// each with "ok" or with what is wrong. `stream_judge image` and `stream_judge disk` print a small
// disk and the stream that the compiler has made of it.
#include <array>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/stream_checker.hpp"
#include "vmdk/codec/deflate.hpp"
#include "vmdk/codec/inflate.hpp"
#include "vmdk/constant/image.hpp"
#include "vmdk/hosted/directory.hpp"
#include "vmdk/reader/compressed_grain.hpp"
#include "vmdk/reader/cursor.hpp"
#include "vmdk/reader/open.hpp"
#include "vmdk/writer/stream.hpp"

namespace {

/// 5 KiB, which is more than one grain and no whole ones: text, zeros, noise.
constexpr auto small_disk() {
  std::array<unsigned char, 5 * 1024> disk{};
  constexpr char text[] = "a line of text that comes again\n";
  for (std::size_t i = 0; i < 2000; ++i) {
    disk.data()[i] = static_cast<unsigned char>(text[i % (sizeof text - 1)]);
  }
  std::uint32_t dice = 1;
  for (std::size_t i = 4096; i < disk.size(); ++i) {
    dice = dice * 1664525 + 1013904223;
    disk.data()[i] = static_cast<unsigned char>(dice >> 24);
  }
  return disk;
}

constexpr auto disk = small_disk();
constexpr auto image =
    vmdk::constant_image<vmdk::stream_optimized<8>, vmdk::deflate>([] { return small_disk(); });

int print(const void* bytes, std::size_t size) {
  return std::fwrite(bytes, 1, size, stdout) == size && std::fflush(stdout) == 0 ? 0 : 1;
}

std::vector<char> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot be opened: " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The structure, taken apart by code of its own.
void judge_structure(const std::vector<char>& stream, const std::vector<char>& content) {
  stream_checking::stream_checker checker(std::as_bytes(std::span(stream)));
  const bool at_end = std::memcmp(stream.data() + 56, "\xff\xff\xff\xff\xff\xff\xff\xff", 8) == 0;
  const auto facts = at_end ? checker.check_tables_at_end() : checker.check_tables_in_front();
  if (facts.disk.size() < content.size() ||
      std::memcmp(facts.disk.data(), content.data(), content.size()) != 0) {
    throw std::runtime_error("the structure holds another content");
  }
  for (std::size_t i = content.size(); i < facts.disk.size(); ++i) {
    if (facts.disk[i] != 0) throw std::runtime_error("the disk is not padded with zeros");
  }
}

/// Ranges anywhere, in any order, read with the library.
void judge_at_random(const std::string& path, std::vector<char> content) {
  using namespace vmdk;
  directory_files files;
  const auto file = files.open_path(path);
  if (!file) throw std::runtime_error("does not open");
  image_memory<> memory;
  const auto opened = open(files, *file, memory);
  if (!opened) throw std::runtime_error("is no image for us");
  content.resize(static_cast<std::size_t>(opened->size()));
  std::vector<std::byte> tables(table_bytes);
  std::vector<std::byte> grain(opened->compressed_grain_bytes());
  std::vector<std::byte> input(
      static_cast<std::size_t>(compressed_size_limit(opened->compressed_grain_bytes())) +
      sector_bytes);
  std::array<link_cache, 1> caches{};
  vmdk::inflate decoder;
  auto cursor = image_cursor<directory_files, vmdk::inflate>::make(
      *opened, {.caches = caches, .tables = tables, .grain = grain, .input = input}, decoder);
  if (!cursor) throw std::runtime_error("has no cursor");
  std::mt19937 dice(1);
  std::vector<std::byte> got;
  for (int i = 0; i < 60; ++i) {
    const std::size_t at = dice() % content.size();
    const std::size_t most = i % 3 == 0 ? content.size() : std::size_t{5000};
    got.resize(1 + dice() % std::min(most, content.size() - at));
    if (cursor->read_at(at, got))
      throw std::runtime_error("cannot be read at " + std::to_string(at));
    if (std::memcmp(got.data(), content.data() + at, got.size()) != 0) {
      throw std::runtime_error("has other bytes at " + std::to_string(at));
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string command = argc > 1 ? argv[1] : "";
  if (command == "disk") return print(disk.data(), disk.size());
  if (command == "image") return print(image.data(), image.size());
  std::string stream;
  std::string content;
  while (std::cin >> stream >> content) {
    std::string answer = "ok";
    try {
      const std::vector<char> expected = read_file(content);
      judge_structure(read_file(stream), expected);
      judge_at_random(stream, expected);
    } catch (const std::exception& why) {
      answer = why.what();
    }
    std::cout << answer << std::endl;
  }
  return 0;
}
