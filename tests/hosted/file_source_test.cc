// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/hosted/file_source.hpp"

#include <array>
#include <catch2/catch.hpp>

#include "tests/hosted/testing.hpp"

namespace file_source_test {
using namespace hosted_testing;

namespace {

constexpr std::uint64_t MiB = 1 << 20;

/// 4 MiB of hole but for "data" at 1 MiB and "more" at 3 MiB.
void make_sparse(const std::string& path) {
  write_file(path, {});
  std::filesystem::resize_file(path, 4 * MiB);
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(1 * MiB) << "data";
  file.seekp(3 * MiB) << "more";
}

}  // namespace

TEST_CASE("a file source reads a regular file") {
  const temporary_folder folder;
  write_file(folder / "file", "0123456789");
  auto source = file_source::open(folder / "file");
  REQUIRE(source);
  CHECK(source->size() == 10);
  std::array<std::byte, 4> out{};
  CHECK_FALSE(source->read_at(3, out));
  CHECK(text_of(out) == "3456");
  CHECK_FALSE(source->read_at(10, {}));
  CHECK(source->read_at(7, out) == source_failure(errc::out_of_range, 7));
  CHECK(source->read_at(11, {}) == source_failure(errc::out_of_range, 11));

  file_source moved = std::move(source).value();
  CHECK_FALSE(moved.read_at(0, out));
  CHECK(text_of(out) == "0123");
}

TEST_CASE("a file source knows its holes") {
  const temporary_folder folder;
  make_sparse(folder / "sparse");
  if (stored_bytes(folder / "sparse") > MiB) {
    WARN("this file system has no holes");
    return;
  }
  auto source = file_source::open(folder / "sparse");
  REQUIRE(source);
  const auto first = source->next_data(0);
  REQUIRE(first);
  CHECK(first->offset == 1 * MiB);
  CHECK(first->bytes >= 4);
  CHECK(first->end() <= 2 * MiB);
  CHECK(*source->next_data(1 * MiB + 2) == range{1 * MiB + 2, first->bytes - 2});
  const auto second = source->next_data(first->end());
  REQUIRE(second);
  CHECK(second->offset == 3 * MiB);
  CHECK(*source->next_data(second->end()) == range{4 * MiB, 0});
  CHECK(*source->next_data(4 * MiB) == range{4 * MiB, 0});
  CHECK(source->next_data(4 * MiB + 1).error() == source_failure(errc::out_of_range, 4 * MiB + 1));
}

TEST_CASE("a file that has grown is read as it was") {
  const temporary_folder folder;
  write_file(folder / "file", {});
  std::filesystem::resize_file(folder / "file", 1 * MiB);
  auto source = file_source::open(folder / "file");
  REQUIRE(source);
  {
    std::fstream file(folder / "file", std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(2 * MiB) << "late";
  }
  CHECK(source->size() == 1 * MiB);
  CHECK(*source->next_data(0) == range{1 * MiB, 0});

  write_file(folder / "dense", "0123456789");
  auto dense = file_source::open(folder / "dense");
  REQUIRE(dense);
  std::ofstream(folder / "dense", std::ios::binary | std::ios::app) << "more";
  CHECK(*dense->next_data(0) == range{0, 10});
}

TEST_CASE("a file that shrinks is an error, for its holes too") {
  const temporary_folder folder;
  make_sparse(folder / "sparse");
  auto source = file_source::open(folder / "sparse");
  REQUIRE(source);
  std::filesystem::resize_file(folder / "sparse", 2 * MiB + 100);
  std::vector<std::byte> out(MiB);
  CHECK_FALSE(source->read_at(0, out));
  CHECK(source->read_at(3 * MiB, out) == source_failure(errc::unexpected_end, 3 * MiB));
  CHECK(source->read_at(2 * MiB, out) == source_failure(errc::unexpected_end, 2 * MiB + 100));
  CHECK(source->next_data(2 * MiB).error() == source_failure(errc::unexpected_end, 2 * MiB + 100));
  CHECK(source->next_data(3 * MiB).error() == source_failure(errc::unexpected_end, 2 * MiB + 100));
  CHECK_FALSE(source->read_at(1 * MiB, out));
}

TEST_CASE("a file source says why a file cannot be opened") {
  const temporary_folder folder;
  CHECK(file_source::open(folder / "missing").error() ==
        source_failure(errc::file_not_found, 0, ENOENT));
  CHECK(file_source::open(folder / "missing/too").error() ==
        source_failure(errc::file_not_found, 0, ENOENT));
  CHECK(file_source::open(folder.path()).error() ==
        source_failure(errc::file_not_regular, 0, EISDIR));
  REQUIRE(::mkfifo((folder / "fifo").c_str(), 0600) == 0);
  CHECK(file_source::open(folder / "fifo").error() ==
        source_failure(errc::file_not_regular, 0, ESPIPE));
  CHECK(file_source::open("/dev/null").error() ==
        source_failure(errc::file_not_regular, 0, ESPIPE));
  if (::geteuid() != 0) {
    write_file(folder / "secret", "x");
    std::filesystem::permissions(folder / "secret", std::filesystem::perms::none);
    CHECK(file_source::open(folder / "secret").error() ==
          source_failure(errc::read_failed, 0, EACCES));
  }
}

TEST_CASE("a borrowed descriptor stays open and must be a file") {
  const temporary_folder folder;
  write_file(folder / "file", "0123456789");
  const int descriptor = ::open((folder / "file").c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(descriptor >= 0);
  {
    auto source = file_source::borrow(descriptor);
    REQUIRE(source);
    CHECK(source->size() == 10);
  }
  CHECK(::fcntl(descriptor, F_GETFD) >= 0);
  ::close(descriptor);
  const pipe_pair pipe;
  CHECK(file_source::borrow(pipe.read_end).error() ==
        source_failure(errc::file_not_regular, 0, ESPIPE));
}

TEST_CASE("an error of the medium comes back with its errno") {
  const temporary_folder folder;
  write_file(folder / "file", "0123456789");
  const int descriptor = ::open((folder / "file").c_str(), O_WRONLY | O_CLOEXEC);
  auto source = file_source::borrow(descriptor);
  REQUIRE(source);
  std::array<std::byte, 4> out{};
  CHECK(source->read_at(2, out) == source_failure(errc::read_failed, 2, EBADF));
  ::close(descriptor);
}

TEST_CASE("a file source reads a block device") {
  const loop_device device(1 * MiB);
  if (device.is_missing()) return;
  auto source = file_source::open(device.path());
  REQUIRE(source);
  CHECK(source->size() == 1 * MiB);
  std::array<std::byte, 4> out{};
  CHECK_FALSE(source->read_at(MiB - 4, out));
  CHECK(is_zero(out));
  CHECK(source->read_at(MiB - 3, out).code == errc::out_of_range);
  CHECK(*source->next_data(5) == range{5, MiB - 5});
}

TEST_CASE("standard input is read as a file where it is one, and stays open") {
  const temporary_folder folder;
  write_file(folder / "file", "0123456789");
  {
    const replaced_input input(folder / "file");
    {
      auto source = file_source::standard_input();
      REQUIRE(source);
      CHECK(source->size() == 10);
      std::array<std::byte, 4> out{};
      CHECK_FALSE(source->read_at(3, out));
      CHECK(text_of(out) == "3456");
    }
    CHECK(::fcntl(STDIN_FILENO, F_GETFD) >= 0);
  }
  const replaced_input input("/dev/null");
  CHECK(file_source::standard_input().error() == source_failure(errc::file_not_regular, 0, ESPIPE));
}

}  // namespace file_source_test
