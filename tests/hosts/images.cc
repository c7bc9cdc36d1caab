// SPDX-License-Identifier: BSD-2-Clause
// Writes images of generated disks, reads them back and checks them: compiled for several hosts,
// which must all say the same. One line for each image: its type, grain, codec, size and a number
// that hangs on every byte of its files. With a folder as argument the files are kept there.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/memory_files.hpp"
#include "vmdk/vmdk.hpp"

namespace {

using namespace vmdk;
using testing_support::memory_files;

/// Takes the files of an image into memory.
class collecting_directory {
 public:
  /// A file that grows.
  class sink_type {
   public:
    failure write(byte_view bytes) noexcept { return write_at(bytes_.size(), bytes); }
    failure write_at(std::uint64_t offset, byte_view bytes) noexcept {
      const auto at = static_cast<std::size_t>(offset);
      if (bytes_.size() < at + bytes.size()) bytes_.resize(at + bytes.size());
      copy_bytes(bytes_.data() + at, bytes.data(), bytes.size());
      return no_failure;
    }
    failure resize(std::uint64_t size_bytes) noexcept {
      bytes_.resize(static_cast<std::size_t>(size_bytes));
      return no_failure;
    }
    std::vector<std::byte> bytes_;
  };

  explicit collecting_directory(memory_files& files) : files_(&files) {}

  result<sink_type*> create(std::string_view name) noexcept {
    keep();
    names.emplace_back(name);
    return &file_;
  }
  failure commit() noexcept {
    keep();
    return no_failure;
  }
  void abort() noexcept {}

  std::vector<std::string> names;

 private:
  void keep() {
    if (!names.empty()) files_->put(names.back(), std::move(file_.bytes_));
    file_.bytes_.clear();
  }

  memory_files* files_;
  sink_type file_;
};

/// Text that compresses, noise that does not, and zeros, in pieces of 3000 bytes.
void make_disk(std::uint64_t offset, byte_span out) {
  for (std::byte& byte : out) {
    const std::uint64_t piece = offset / 3000;
    std::uint64_t x = 0;
    if (piece % 4 == 0) x = offset % 40 + 48;
    if (piece % 4 == 1) x = (offset + 1) * 0x9E3779B97F4A7C15 >> 56;
    if (piece / 100 % 2 == 1) x = 0;
    byte = static_cast<std::byte>(x);
    ++offset;
  }
}

const char* folder = nullptr;
bool good = true;

void expect(bool ok, const char* what) {
  if (!ok) std::printf("FAILED: %s\n", what);
  good = good && ok;
}

void keep_file(const std::string& name, byte_view bytes) {
  if (folder == nullptr) return;
  std::FILE* const file = std::fopen((folder + ("/" + name)).c_str(), "wb");
  expect(file != nullptr && std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size(),
         "a file is kept");
  if (file != nullptr) std::fclose(file);
}

/// Reads the disk back through the image, and has the image checked.
template <class S>
void read_back(memory_files& files, S& source) {
  static image_memory<> memory;
  static cursor_memory<1, 1024, 65536> caches;
  static inflate decoder;
  auto opened = open(files, "disk.vmdk", memory, strictness::strict);
  expect(opened.ok(), "it opens");
  if (!opened) return;
  auto disk = image_cursor<memory_files, inflate>::make(*opened, caches.spans(), decoder);
  expect(disk.ok() && disk->size() >= source.size(), "it has a cursor");
  std::vector<std::byte> want(65536), got(65536);
  for (std::uint64_t at = 0; disk.ok() && at < source.size(); at += want.size()) {
    const auto n = static_cast<std::size_t>(smaller_of<std::uint64_t>(65536, source.size() - at));
    expect(!source.read_at(at, byte_span(want).first(n)), "the source is read");
    expect(!disk->read_at(at, byte_span(got).first(n)), "the image is read");
    expect(equal_bytes(want.data(), got.data(), n), "the content is the same");
  }
  static check_memory<> check_room;
  const auto sum = check(files, "disk.vmdk", check_room, [](const finding& f) {
    expect(severity_of(f.code) < severity::warning, "the check finds nothing");
  });
  expect(sum.ok(), "it is checked");
}

/// Writes a disk of 2 MiB and a bit.
template <class Type, class... Codec>
void image_of(const char* type, const char* codec, unsigned grain) {
  generator_source source(2 * 1048576 + 512, make_disk);
  const auto memory = std::make_unique<workspace<Type, Codec...>>();
  memory_files files;
  collecting_directory directory(files);
  result<write_report> done = no_failure;
  if constexpr (requires { writer<Type>::write(source, directory, write_options{}, *memory); }) {
    done = write<Type>(source, directory, {}, *memory);
  } else {
    done = write<Type>(source, **directory.create("disk.vmdk"), {}, *memory);
    expect(!directory.commit(), "it is committed");
  }
  expect(done.ok(), "it is written");
  std::uint64_t number = 0xCBF29CE484222325;
  for (const std::string& name : directory.names) {
    const std::vector<std::byte>& bytes = files.bytes(name);
    for (const std::byte b : bytes) {
      number = (number ^ std::to_integer<std::uint64_t>(b)) * 0x100000001B3;
    }
    keep_file(std::string(type) + '-' + codec + '-' + std::to_string(grain) + '-' + name, bytes);
  }
  std::printf("%s %s %u: %llu bytes, %016llx\n", type, codec, grain,
              static_cast<unsigned long long>(done->file_bytes),
              static_cast<unsigned long long>(number));
  read_back(files, source);
}

template <std::uint32_t Grain>
void images_of_grain() {
  image_of<monolithic_sparse<Grain>>("monolithicSparse", "none", Grain);
  image_of<two_gb_max_extent_sparse<Grain>>("twoGbMaxExtentSparse", "none", Grain);
  image_of<stream_optimized<Grain>, stored>("streamOptimized", "stored", Grain);
  image_of<stream_optimized<Grain>, small_deflate>("streamOptimized", "small_deflate", Grain);
  image_of<stream_optimized<Grain>, deflate>("streamOptimized", "deflate", Grain);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) folder = argv[1];
  image_of<monolithic_flat>("monolithicFlat", "none", 0);
  image_of<two_gb_max_extent_flat>("twoGbMaxExtentFlat", "none", 0);
  images_of_grain<8>();
  images_of_grain<16>();
  images_of_grain<128>();
  return good ? 0 : 1;
}
