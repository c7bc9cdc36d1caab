// SPDX-License-Identifier: BSD-2-Clause

// Speed and ratio of the codecs on 64 KiB grains, cut from files of this machine: up to 64 MiB of
// /usr/lib and /usr/share, or the file that VMDK_BENCHMARK_DATA names. Counters: MB/s of plain
// bytes, and the compressed size relative to them.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "vmdk/codec/adler32.hpp"
#include "vmdk/codec/deflate.hpp"
#include "vmdk/codec/inflate.hpp"
#include "vmdk/codec/libdeflate.hpp"
#include "vmdk/codec/stored.hpp"
#include "vmdk/codec/zlib.hpp"

namespace {

using bytes = std::vector<std::byte>;
constexpr std::size_t grain_bytes = 65536;
constexpr std::size_t most_bytes = std::size_t{64} << 20;

void append_file(bytes& all, const std::filesystem::path& path, std::size_t most) {
  std::ifstream file(path, std::ios::binary);
  const std::size_t before = all.size();
  all.resize(before + most);
  file.read(reinterpret_cast<char*>(all.data() + before), static_cast<std::streamsize>(most));
  all.resize(before + static_cast<std::size_t>(file.gcount()));
}

bytes gather() {
  namespace fs = std::filesystem;
  bytes all;
  if (const char* const name = std::getenv("VMDK_BENCHMARK_DATA")) {
    append_file(all, name, most_bytes);
  } else {
    std::vector<fs::path> files;
    std::error_code ignored;
    for (const char* const root : {"/usr/lib", "/usr/share"}) {
      auto walk = fs::recursive_directory_iterator(
          root, fs::directory_options::skip_permission_denied, ignored);
      for (; walk != fs::recursive_directory_iterator(); walk.increment(ignored)) {
        if (walk->is_regular_file(ignored) && !walk->is_symlink(ignored)) {
          files.push_back(walk->path());
        }
      }
    }
    std::sort(files.begin(), files.end());
    // Every 37th file, then the ones after them: a mixture of all there is, the same each time.
    for (std::size_t first = 0; first < 37; ++first) {
      for (std::size_t i = first; i < files.size() && all.size() < most_bytes; i += 37) {
        append_file(all, files[i], std::min<std::size_t>(most_bytes - all.size(), 1 << 20));
      }
    }
  }
  all.resize(all.size() / grain_bytes * grain_bytes);
  return all;
}

const bytes& data() {
  static const bytes all = gather();
  return all;
}

template <class Encoder>
void encodes(benchmark::State& state) {
  const auto encoder = std::make_unique<Encoder>(static_cast<unsigned>(state.range(0)));
  bytes out(Encoder::bound(grain_bytes));
  static_cast<void>(data());  // Gathered before the clock starts.
  std::size_t in_bytes = 0, out_bytes = 0;
  for (auto _ : state) {
    for (std::size_t at = 0; at < data().size(); at += grain_bytes) {
      const auto length = encoder->encode({data().data() + at, grain_bytes}, out);
      if (!length) return state.SkipWithError("an encoder failed");
      in_bytes += grain_bytes;
      out_bytes += *length;
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(in_bytes));
  state.counters["ratio"] = static_cast<double>(out_bytes) / static_cast<double>(in_bytes);
}

template <class Decoder>
void decodes(benchmark::State& state) {
  static const std::vector<bytes> streams = [] {
    std::vector<bytes> all;
    vmdk::zlib_encoder encoder;
    for (std::size_t at = 0; at < data().size(); at += grain_bytes) {
      bytes out(vmdk::zlib_encoder::bound(grain_bytes));
      out.resize(encoder.encode({data().data() + at, grain_bytes}, out).value_or(0));
      all.push_back(std::move(out));
    }
    return all;
  }();
  Decoder decoder;
  bytes out(grain_bytes);
  std::size_t out_bytes = 0;
  for (auto _ : state) {
    for (const bytes& stream : streams) {
      vmdk::single_supply supply{stream};
      if (decoder.decode(supply, out)) return state.SkipWithError("a decoder failed");
      out_bytes += grain_bytes;
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(out_bytes));
}

/// `stored` has no level.
struct stored_encoder : vmdk::stored {
  explicit stored_encoder(unsigned) {}
};

void checksums(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(vmdk::adler32(data()));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(data().size()));
}

BENCHMARK(encodes<stored_encoder>)->Arg(0)->Unit(benchmark::kMillisecond);
BENCHMARK(encodes<vmdk::deflate>)->DenseRange(1, 9)->Unit(benchmark::kMillisecond);
BENCHMARK(encodes<vmdk::small_deflate>)->Arg(6)->Unit(benchmark::kMillisecond);
BENCHMARK(encodes<vmdk::zlib_encoder>)->Arg(1)->Arg(6)->Arg(9)->Unit(benchmark::kMillisecond);
BENCHMARK(encodes<vmdk::libdeflate_encoder>)->Arg(1)->Arg(5)->Arg(6)->Unit(benchmark::kMillisecond);
BENCHMARK(decodes<vmdk::inflate>)->Unit(benchmark::kMillisecond);
BENCHMARK(decodes<vmdk::small_inflate>)->Unit(benchmark::kMillisecond);
BENCHMARK(decodes<vmdk::zlib_decoder>)->Unit(benchmark::kMillisecond);
BENCHMARK(decodes<vmdk::libdeflate_decoder>)->Unit(benchmark::kMillisecond);
BENCHMARK(checksums)->Unit(benchmark::kMillisecond);

}  // namespace
