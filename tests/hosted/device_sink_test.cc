// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/hosted/device_sink.hpp"

#include <catch2/catch.hpp>

#include "tests/hosted/testing.hpp"

namespace device_sink_test {
using namespace hosted_testing;

namespace {

constexpr std::uint64_t MiB = 1 << 20;

}  // namespace

TEST_CASE("a device sink takes block devices only") {
  const temporary_folder folder;
  write_file(folder / "file", "x");
  CHECK(device_sink::open(folder / "file").error() ==
        sink_failure(errc::file_not_regular, 0, ENOTBLK));
  CHECK(device_sink::open("/dev/null").error() == sink_failure(errc::file_not_regular, 0, ESPIPE));
  CHECK(device_sink::open(folder.path()).error() ==
        sink_failure(errc::file_not_regular, 0, EISDIR));
  CHECK(device_sink::open(folder / "missing").error() ==
        sink_failure(errc::file_not_found, 0, ENOENT));
  CHECK(read_file(folder / "file") == "x");
}

TEST_CASE("a device sink makes zeros of what it adds and stays inside the device") {
  const loop_device device(2 * MiB);
  if (device.is_missing()) return;
  std::string expected(2 * MiB, 'o');
  write_file(device.path(), expected);
  {
    auto opened = device_sink::open(device.path());
    REQUIRE(opened);
    device_sink sink = std::move(opened).value();
    CHECK(sink.device_bytes() == 2 * MiB);
    CHECK(sink.size() == 0);
    CHECK_FALSE(sink.write(bytes_of("first")));
    CHECK_FALSE(sink.skip(MiB));  // Longer than what is worth asking the device for.
    CHECK_FALSE(sink.write(bytes_of("second")));
    CHECK_FALSE(sink.resize(sink.size() + 1000));
    CHECK_FALSE(sink.write_at(100, bytes_of("inside")));
    CHECK_FALSE(sink.flush());
    CHECK(sink.size() == MiB + 1011);
    expected.replace(0, MiB + 1011, MiB + 1011, '\0');
    expected.replace(0, 5, "first").replace(100, 6, "inside").replace(MiB + 5, 6, "second");
    CHECK((read_file(device.path()) == expected));

    CHECK_FALSE(sink.resize(3));
    CHECK_FALSE(sink.resize(5));
    expected.replace(3, 2, 2, '\0');
    CHECK_FALSE(sink.flush());
    CHECK((read_file(device.path()) == expected));
  }
  const failure full = sink_failure(errc::sink_full, 2 * MiB, ENOSPC);
  {
    device_sink sink = device_sink::open(device.path()).value();
    CHECK(sink.skip(2 * MiB + 1) == full);
    CHECK(sink.flush() == full);
    CHECK((read_file(device.path()) == expected));
  }
  {
    device_sink sink = device_sink::open(device.path()).value();
    CHECK(sink.resize(2 * MiB + 1) == full);
    CHECK(sink.resize(0) == full);
  }
  {
    device_sink sink = device_sink::open(device.path()).value();
    CHECK_FALSE(sink.skip(2 * MiB - 2));
    CHECK(sink.write(bytes_of("abc")) == full);
    CHECK(sink.write({}) == full);
    CHECK(sink.size() == 2 * MiB - 2);
  }
  {
    device_sink sink = device_sink::open(device.path()).value();
    CHECK(sink.write_at(1, {}) == sink_failure(errc::out_of_range, 1));
    CHECK(device_sink::open(device.path()).error() == sink_failure(errc::write_failed, 0, EBUSY));
  }
}

}  // namespace device_sink_test
