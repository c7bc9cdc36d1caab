// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/hosted/file_sink.hpp"

#include <catch2/catch.hpp>

#include "tests/hosted/testing.hpp"

namespace file_sink_test {
using namespace hosted_testing;

namespace {

constexpr std::uint64_t MiB = 1 << 20;

}  // namespace

TEST_CASE("a file sink appends, overwrites and cuts") {
  const temporary_folder folder;
  auto sink = file_sink::create(folder / "file");
  REQUIRE(sink);
  CHECK_FALSE(sink->write(bytes_of("abcdef")));
  CHECK_FALSE(sink->write_at(1, bytes_of("XY")));
  CHECK_FALSE(sink->write(bytes_of("gh")));
  CHECK_FALSE(sink->write_at(8, bytes_of("ij")));
  CHECK_FALSE(sink->write(bytes_of("k")));
  CHECK(sink->size() == 11);
  CHECK_FALSE(sink->flush());
  CHECK(read_file(folder / "file") == "aXYdefghijk");
  CHECK_FALSE(sink->resize(3));
  CHECK_FALSE(sink->resize(5));
  CHECK_FALSE(sink->write(bytes_of("z")));
  CHECK_FALSE(sink->close());
  CHECK(read_file(folder / "file") == std::string("aXY\0\0z", 6));
}

TEST_CASE("what is skipped stays a hole and reads as zeros") {
  const temporary_folder folder;
  auto sink = file_sink::create(folder / "file");
  REQUIRE(sink);
  CHECK_FALSE(sink->skip(2 * MiB));
  CHECK_FALSE(sink->write(bytes_of("data")));
  CHECK_FALSE(sink->skip(2 * MiB));
  CHECK_FALSE(sink->resize(8 * MiB));
  CHECK_FALSE(sink->write_at(5 * MiB, bytes_of("late")));
  CHECK(sink->size() == 8 * MiB);
  CHECK_FALSE(sink->flush());
  CHECK(status_of(folder / "file").st_size == 8 * MiB);
  CHECK(stored_bytes(folder / "file") <= MiB / 8);
  std::string expected(8 * MiB, '\0');
  expected.replace(2 * MiB, 4, "data");
  expected.replace(5 * MiB, 4, "late");
  CHECK((read_file(folder / "file") == expected));
}

TEST_CASE("a hole at the very end is in the file however the sink ends") {
  const temporary_folder folder;
  SECTION("closed") {
    auto sink = file_sink::create(folder / "file");
    REQUIRE(sink);
    CHECK_FALSE(sink->skip(MiB));
    CHECK_FALSE(sink->close());
  }
  SECTION("destroyed") {
    auto sink = file_sink::create(folder / "file");
    REQUIRE(sink);
    CHECK_FALSE(sink->skip(MiB));
  }
  SECTION("moved") {
    file_sink other;
    {
      auto sink = file_sink::create(folder / "file");
      REQUIRE(sink);
      CHECK_FALSE(sink->skip(MiB));
      other = std::move(sink).value();
    }
    CHECK_FALSE(other.sync());
  }
  CHECK(status_of(folder / "file").st_size == MiB);
}

TEST_CASE("a cut throws away what lies behind, also when it grows again") {
  const temporary_folder folder;
  write_file(folder / "file", "old content");
  auto sink = file_sink::overwrite(folder / "file");
  REQUIRE(sink);
  CHECK(sink->size() == 0);
  CHECK_FALSE(sink->skip(4));
  CHECK_FALSE(sink->write(bytes_of("new")));
  CHECK_FALSE(sink->resize(5));
  CHECK_FALSE(sink->resize(9));
  CHECK_FALSE(sink->close());
  CHECK(read_file(folder / "file") == std::string("\0\0\0\0n\0\0\0\0", 9));

  auto patched = file_sink::create(folder / "patched");
  REQUIRE(patched);
  CHECK_FALSE(patched->write(bytes_of("0123456789")));
  CHECK_FALSE(patched->write_at(1, bytes_of("X")));
  CHECK_FALSE(patched->resize(5));
  CHECK_FALSE(patched->resize(9));
  CHECK_FALSE(patched->close());
  CHECK(read_file(folder / "patched") == std::string("0X234\0\0\0\0", 9));
}

TEST_CASE("a file sink says why a file cannot be written") {
  const temporary_folder folder;
  write_file(folder / "file", "x");
  CHECK(file_sink::create(folder / "file").error() ==
        sink_failure(errc::already_exists, 0, EEXIST));
  CHECK(read_file(folder / "file") == "x");
  CHECK(file_sink::create(folder / "missing/file").error() ==
        sink_failure(errc::file_not_found, 0, ENOENT));
  CHECK(file_sink::overwrite(folder / "missing").error() ==
        sink_failure(errc::file_not_found, 0, ENOENT));
  CHECK(file_sink::overwrite(folder.path()).error() ==
        sink_failure(errc::file_not_regular, 0, EISDIR));
  REQUIRE(::mkfifo((folder / "fifo").c_str(), 0600) == 0);
  CHECK(file_sink::overwrite(folder / "fifo").error() ==
        sink_failure(errc::file_not_regular, 0, ESPIPE));
  const loop_device device(MiB);
  if (device.is_missing()) return;
  CHECK(file_sink::overwrite(device.path()).error() ==
        sink_failure(errc::file_not_regular, 0, ENOTBLK));
}

TEST_CASE("a medium that fills up is said, with the place, and stays said") {
  const temporary_folder folder;
  const file_size_limit limit(100000);
  auto sink = file_sink::create(folder / "file");
  REQUIRE(sink);
  const std::string text(65536, 'x');
  CHECK_FALSE(sink->write(bytes_of(text)));
  const failure full = sink_failure(errc::sink_full, 100000, EFBIG);
  CHECK(sink->write(bytes_of(text)) == full);
  CHECK(sink->write({}) == full);
  CHECK(sink->write_at(0, bytes_of("x")) == full);
  CHECK(sink->skip(1) == full);
  CHECK(sink->resize(0) == full);
  CHECK(sink->flush() == full);
  CHECK(sink->sync() == full);
  CHECK(sink->close() == full);

  auto sparse = file_sink::create(folder / "sparse");
  REQUIRE(sparse);
  CHECK_FALSE(sparse->skip(200000));
  CHECK(sparse->close() == sink_failure(errc::sink_full, 0, EFBIG));
}

TEST_CASE("a file sink refuses what is outside") {
  const temporary_folder folder;
  auto sink = file_sink::create(folder / "file");
  REQUIRE(sink);
  CHECK_FALSE(sink->skip(10));
  CHECK(sink->write_at(11, {}) == sink_failure(errc::out_of_range, 11));
  CHECK(sink->write({}) == sink_failure(errc::out_of_range, 11));

  constexpr std::uint64_t largest = (std::uint64_t{1} << 63) - 1;
  file_sink huge = file_sink::create(folder / "huge").value();
  CHECK_FALSE(huge.skip(largest - 1));
  CHECK(huge.write(bytes_of("ab")) == sink_failure(errc::sink_full, largest - 1, EFBIG));
  file_sink wrapped = file_sink::create(folder / "wrapped").value();
  CHECK_FALSE(wrapped.skip(10));
  CHECK(wrapped.skip(~std::uint64_t{0}) == sink_failure(errc::sink_full, 10, EFBIG));
}

}  // namespace file_sink_test
