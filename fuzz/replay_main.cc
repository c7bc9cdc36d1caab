// SPDX-License-Identifier: BSD-2-Clause
// Runs a fuzz target over the files named on the command line, with any compiler and no fuzzer.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    if (!file) {
      std::printf("%s: cannot be read\n", argv[i]);
      return 1;
    }
    // A heap block of the exact size, so that a sanitizer sees the first byte read past the end.
    const auto exact = std::make_unique_for_overwrite<std::uint8_t[]>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(exact.get()));
    std::printf("%s: %zu bytes\n", argv[i], bytes.size());
    std::fflush(stdout);  // Names the culprit if the next line does not return.
    LLVMFuzzerTestOneInput(exact.get(), bytes.size());
  }
  std::printf("%d inputs replayed\n", argc - 1);
  return argc > 1 ? 0 : 1;
}
