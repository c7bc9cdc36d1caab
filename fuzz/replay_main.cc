// SPDX-License-Identifier: BSD-2-Clause
// Runs a fuzz target over the files named on the command line, with any compiler and no fuzzer.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

/// By C's functions, because MemorySanitizer knows that they write.
bool read_file(const char* path, std::vector<std::uint8_t>& bytes) {
  std::FILE* const file = std::fopen(path, "rb");
  if (file == nullptr) return false;
  std::uint8_t piece[4096];
  while (const std::size_t n = std::fread(piece, 1, sizeof piece, file)) {
    bytes.insert(bytes.end(), piece, piece + n);
  }
  const bool is_read = std::ferror(file) == 0;
  return std::fclose(file) == 0 && is_read;
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    std::vector<std::uint8_t> bytes;
    if (!read_file(argv[i], bytes)) {
      std::printf("%s: cannot be read\n", argv[i]);
      return 1;
    }
    // A heap block of the exact size, so that a sanitizer sees the first byte read past the end.
    const auto exact = std::make_unique_for_overwrite<std::uint8_t[]>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), exact.get());
    std::printf("%s: %zu bytes\n", argv[i], bytes.size());
    std::fflush(stdout);  // Names the culprit if the next line does not return.
    LLVMFuzzerTestOneInput(exact.get(), bytes.size());
  }
  std::printf("%d inputs replayed\n", argc - 1);
  return argc > 1 ? 0 : 1;
}
