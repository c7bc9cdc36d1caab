// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>
#include <utility>

#include "tests/hosted/failing_calls.hpp"
#include "tests/hosted/testing.hpp"
#include "vmdk/hosted/device_sink.hpp"
#include "vmdk/hosted/file_sink.hpp"
#include "vmdk/hosted/file_storage.hpp"
#include "vmdk/hosted/stream_sink.hpp"

namespace failing_writes_test {
using namespace hosted_testing;

namespace {

constexpr std::uint64_t MiB = 1 << 20;

}  // namespace

TEST_CASE("a file that cannot be described or cut is not written") {
  const temporary_folder folder;
  const std::string path = folder / "file";
  write_file(path, "old");
  const failure why = sink_failure(errc::write_failed, 0, EIO);
  {
    const failing_call status("fstat", EIO);
    CHECK(file_sink::overwrite(path).error() == why);
  }
  {
    const failing_call cut("ftruncate", EIO);
    CHECK(file_sink::overwrite(path).error() == why);
  }
  CHECK(read_file(path) == "old");
  const pipe_pair pipe;
  CHECK(file_sink::over(detail::os::handle(pipe.write_end, false)).error() ==
        sink_failure(errc::file_not_regular, 0, ESPIPE));
}

TEST_CASE("a write that a signal interrupts or the system does in part is finished") {
  const temporary_folder folder;
  file_sink sink = file_sink::create(folder / "file").value();
  {
    const short_transfers few(4);
    const failing_call write("pwrite", EINTR, 1, 2);
    CHECK_FALSE(sink.write(bytes_of("0123456789")));
    CHECK(write.calls() == 5);
  }
  CHECK_FALSE(sink.skip(2));
  const failing_call cut("ftruncate", EINTR, 0, 2);
  const failing_call sync_data("fdatasync", EINTR, 0, 2);
  const failing_call sync("fsync", EINTR, 0, 2);
  const failing_call close("close", EINTR);
  CHECK_FALSE(sink.flush());
  CHECK_FALSE(sink.sync());
  CHECK_FALSE(sink.close());
  CHECK(cut.calls() == 3);
  CHECK(sync_data.calls() == 3);
  CHECK(sync.calls() == 3);
  CHECK(close.calls() == 1);
  CHECK(read_file(folder / "file") == std::string("0123456789\0\0", 12));
}

TEST_CASE("a file sink's failure says what is written, and stays") {
  const temporary_folder folder;
  for (const auto& [error, code] :
       {std::pair{EIO, errc::write_failed}, {EDQUOT, errc::sink_full}, {ENOSPC, errc::sink_full}}) {
    file_sink sink = file_sink::create(folder / std::to_string(error)).value();
    const short_transfers few(4);
    const failing_call write("pwrite", error, 2);
    const failure why = sink_failure(code, 8, static_cast<std::uint32_t>(error));
    CHECK(sink.write(bytes_of("0123456789")) == why);
    CHECK(sink.size() == 8);
    CHECK(sink.write(bytes_of("x")) == why);
    CHECK(sink.close() == why);
    CHECK(write.calls() == 3);
  }
  file_sink nothing = file_sink::create(folder / "nothing").value();
  const answered_call write("pwrite", [](unsigned) { return 0; });
  CHECK(nothing.write(bytes_of("x")) == sink_failure(errc::write_failed, 0, EIO));
}

TEST_CASE("a file sink's last calls may fail") {
  const temporary_folder folder;
  const failure why = sink_failure(errc::write_failed, 3, EIO);
  const auto written = [&](const char* name) {
    file_sink sink = file_sink::create(folder / name).value();
    CHECK_FALSE(sink.write(bytes_of("abc")));
    return sink;
  };
  {
    const failing_call call("fdatasync", EIO);
    CHECK(written("flushed").flush() == why);
  }
  {
    const failing_call call("fsync", EIO);
    CHECK(written("synchronised").sync() == why);
  }
  for (const int error : {EINVAL, ENOTSUP}) {
    // Not a failure: this cannot be synchronised at all.
    const failing_call call("fsync", error);
    CHECK_FALSE(written(std::to_string(error).c_str()).sync());
    CHECK(call.calls() == 1);
  }
  {
    const failing_call call("close", EIO);
    CHECK(written("closed").close() == why);
  }
  {
    const failing_call call("ftruncate", EIO);
    CHECK(written("cut").resize(1) == sink_failure(errc::write_failed, 1, EIO));
  }
}

TEST_CASE("no file is longer than the system can say") {
  const temporary_folder folder;
  constexpr std::uint64_t too_long = std::uint64_t{1} << 63;
  file_sink sink = file_sink::create(folder / "file").value();
  CHECK_FALSE(sink.skip(5));
  CHECK(sink.resize(too_long) == sink_failure(errc::sink_full, 5, EFBIG));
  file_storage storage = file_storage::open(folder / "file").value();
  CHECK(storage.resize(too_long) == sink_failure(errc::sink_full, 0, EFBIG));
  file_storage wrapped = file_storage::open(folder / "file").value();
  CHECK_FALSE(wrapped.write(bytes_of("abc")));
  CHECK(wrapped.skip(~std::uint64_t{0}) == sink_failure(errc::sink_full, 3, EFBIG));
}

TEST_CASE("file storage that cannot be synchronised says so") {
  const temporary_folder folder;
  write_file(folder / "file", "abc");
  file_storage storage = file_storage::open(folder / "file").value();
  const failing_call sync("fdatasync", EIO);
  const failure why = sink_failure(errc::write_failed, 3, EIO);
  CHECK(storage.flush() == why);
  CHECK(storage.write(bytes_of("x")) == why);
}

TEST_CASE("a device that cannot be described is not written") {
  const loop_device device(1 * MiB);
  if (device.is_missing()) return;
  const failure why = sink_failure(errc::write_failed, 0, EIO);
  const failing_call status("fstat", EIO);
  CHECK(device_sink::open(device.path()).error() == why);
  const failing_call seek("lseek", EIO);
  CHECK(device_sink::open(device.path()).error() == why);
  CHECK(seek.calls() == 1);
}

TEST_CASE("a device sink takes no file that has taken the device's name") {
  const temporary_folder folder;
  const loop_device device(1 * MiB);
  if (device.is_missing()) return;
  std::filesystem::create_symlink(device.path(), folder / "disk");
  const before_call open("open", [&] {
    ::unlink((folder / "disk").c_str());
    write_file(folder / "disk", "x");
  });
  CHECK(device_sink::open(folder / "disk").error() ==
        sink_failure(errc::file_not_regular, 0, ENOTBLK));
  CHECK(read_file(folder / "disk") == "x");
}

TEST_CASE("a device sink's failure says what is written, and stays") {
  const loop_device device(1 * MiB);
  if (device.is_missing()) return;
  {
    device_sink sink = device_sink::open(device.path()).value();
    CHECK_FALSE(sink.write(bytes_of("abc")));
    const failing_call write("pwrite", EIO);
    const failure why = sink_failure(errc::write_failed, 3, EIO);
    CHECK(sink.write(bytes_of("abc")) == why);
    CHECK(sink.skip(1) == why);
    CHECK(sink.size() == 3);
    CHECK(write.calls() == 1);
  }
  {
    device_sink sink = device_sink::open(device.path()).value();
    const short_transfers few(1000);
    const failing_call write("pwrite", ENOSPC, 4);
    CHECK(sink.skip(10000) == sink_failure(errc::sink_full, 4000, ENOSPC));
    CHECK(sink.size() == 4000);
  }
  device_sink sink = device_sink::open(device.path()).value();
  CHECK_FALSE(sink.skip(5));
  const failing_call sync("fdatasync", EIO);
  CHECK(sink.flush() == sink_failure(errc::write_failed, 5, EIO));
}

TEST_CASE("a device that cannot make zeros itself is written with them") {
  const loop_device device(1 * MiB);
  if (device.is_missing()) return;
  write_file(device.path(), std::string(MiB, 'o'));
  device_sink sink = device_sink::open(device.path()).value();
  const failing_call zero("ioctl", EOPNOTSUPP, 0, for_ever);
  CHECK_FALSE(sink.skip(10000));  // Too little to ask for.
  CHECK(zero.calls() == 0);
  CHECK_FALSE(sink.skip(MiB / 2));
  CHECK(zero.calls() == 1);
  CHECK_FALSE(sink.flush());
  const std::size_t skipped = MiB / 2 + 10000;
  CHECK((read_file(device.path()) == std::string(skipped, '\0') + std::string(MiB - skipped, 'o')));
}

TEST_CASE("a stream is written on after signals, and its errors are told") {
  const pipe_pair pipe(O_NONBLOCK);
  stream_sink sink = stream_sink::borrow(pipe.write_end);
  {
    const short_transfers few(2);
    const failing_call write("write", EINTR, 1, 2);
    CHECK_FALSE(sink.write(bytes_of("abcde")));
    CHECK(write.calls() == 5);
    char got[8] = {};
    CHECK(::read(pipe.read_end, got, 2) == 2);
    CHECK(std::string_view(got) == "ab");
  }
  {
    const failing_call write("write", EAGAIN);
    const failing_call poll("poll", ENOMEM);
    const failure why = sink_failure(errc::write_failed, 5, ENOMEM);
    CHECK(sink.write(bytes_of("x")) == why);
    CHECK(sink.close() == why);
  }
  stream_sink nothing = stream_sink::borrow(pipe.write_end);
  const answered_call write("write", [](unsigned) { return 0; });
  CHECK(nothing.write(bytes_of("x")) == sink_failure(errc::write_failed, 0, EIO));
}

TEST_CASE("a stream whose close fails says so") {
  auto sink = stream_sink::open("/dev/null");
  REQUIRE(sink);
  CHECK_FALSE(sink->write(bytes_of("abc")));
  const failing_call close("close", EIO);
  CHECK(sink->close() == sink_failure(errc::write_failed, 3, EIO));
}

}  // namespace failing_writes_test
