// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/hosted/file_storage.hpp"

#include <array>
#include <catch2/catch.hpp>

#include "tests/hosted/testing.hpp"

namespace file_storage_test {
using namespace hosted_testing;

TEST_CASE("file storage is read and written in place") {
  const temporary_folder folder;
  write_file(folder / "file", "0123456789");
  auto storage = file_storage::open(folder / "file");
  REQUIRE(storage);
  std::array<std::byte, 4> out{};
  CHECK(storage->size() == 10);
  CHECK_FALSE(storage->write_at(2, bytes_of("ab")));
  CHECK_FALSE(storage->read_at(1, out));
  CHECK(text_of(out) == "1ab4");
  CHECK_FALSE(storage->write(bytes_of("end")));
  CHECK_FALSE(storage->skip(2));
  CHECK_FALSE(storage->flush());
  CHECK(read_file(folder / "file") == std::string("01ab456789end\0\0", 15));
  CHECK_FALSE(storage->resize(4));
  CHECK_FALSE(storage->resize(6));
  CHECK(read_file(folder / "file") == std::string("01ab\0\0", 6));
  CHECK_FALSE(storage->write_at(6, bytes_of("x")));
  CHECK(storage->size() == 7);
}

TEST_CASE("file storage fails with cause and place, and reads on") {
  const temporary_folder folder;
  write_file(folder / "file", "0123456789");
  file_storage storage = file_storage::open(folder / "file").value();
  std::array<std::byte, 4> out{};
  CHECK(storage.read_at(7, out) == source_failure(errc::out_of_range, 7));
  const failure outside = sink_failure(errc::out_of_range, 11);
  CHECK(storage.write_at(11, {}) == outside);
  CHECK(storage.write({}) == outside);
  CHECK(storage.skip(0) == outside);
  CHECK(storage.resize(1) == outside);
  CHECK(storage.flush() == outside);
  CHECK_FALSE(storage.read_at(0, out));
  std::filesystem::resize_file(folder / "file", 3);
  CHECK(storage.read_at(0, out) == source_failure(errc::unexpected_end, 3));

  const file_size_limit limit(100);
  file_storage full = file_storage::open(folder / "file").value();
  const std::string text(200, 'x');
  CHECK(full.write(bytes_of(text)) == sink_failure(errc::sink_full, 100, EFBIG));
  CHECK(full.write_at(0, bytes_of("x")) == sink_failure(errc::sink_full, 100, EFBIG));
  file_storage grown = file_storage::open(folder / "file").value();
  CHECK(grown.resize(200) == sink_failure(errc::sink_full, 100, EFBIG));
}

TEST_CASE("file storage opens files only") {
  const temporary_folder folder;
  CHECK(file_storage::open(folder / "missing").error() ==
        source_failure(errc::file_not_found, 0, ENOENT));
  CHECK(file_storage::open(folder.path()).error() ==
        source_failure(errc::file_not_regular, 0, EISDIR));
  CHECK(file_storage::open("/dev/null").error() ==
        source_failure(errc::file_not_regular, 0, ESPIPE));
}

TEST_CASE("file storage on a device keeps the device's size") {
  const loop_device device(1 << 20);
  if (device.is_missing()) return;
  auto storage = file_storage::open(device.path());
  REQUIRE(storage);
  CHECK(storage->size() == 1 << 20);
  CHECK_FALSE(storage->write_at(5, bytes_of("abc")));
  std::array<std::byte, 3> out{};
  CHECK_FALSE(storage->read_at(5, out));
  CHECK(text_of(out) == "abc");
  CHECK_FALSE(storage->flush());
  CHECK_FALSE(storage->resize(1 << 20));
  CHECK(storage->resize(1) == sink_failure(errc::not_supported, 1));
  file_storage full = file_storage::open(device.path()).value();
  CHECK(full.write(bytes_of("x")) == sink_failure(errc::sink_full, 1 << 20, ENOSPC));
}

}  // namespace file_storage_test
