// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/hosted/output_file.hpp"

#include <catch2/catch.hpp>
#include <thread>
#include <type_traits>

#include "tests/hosted/testing.hpp"

namespace output_file_test {
using namespace hosted_testing;
using names = std::vector<std::string>;

namespace {

failure write_text(output_file& output, std::string_view text) {
  return output.with_sink([&](auto& sink) { return sink.write(bytes_of(text)); });
}

}  // namespace

TEST_CASE("an output to a new name appears on commit") {
  const temporary_folder folder;
  auto output = output_file::open(folder / "file");
  REQUIRE(output);
  CHECK(output->is_seekable());
  CHECK_FALSE(write_text(*output, "text"));
  CHECK(folder.names() == names{base_name_of(output->temporary_path())});
  CHECK_FALSE(output->commit());
  CHECK(output->temporary_path().empty());
  CHECK(read_file(folder / "file") == "text");
  CHECK(output_file::open(folder / "file").error() ==
        sink_failure(errc::already_exists, 0, EEXIST));
  {
    auto dropped = output_file::open(folder / "file", existing_file::replace);
    REQUIRE(dropped);
    CHECK_FALSE(write_text(*dropped, "new"));
  }
  CHECK(read_file(folder / "file") == "text");
  CHECK(folder.names() == names{"file"});
}

TEST_CASE("nodes are written in place") {
  const temporary_folder folder;
  const std::string fifo = folder / "fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  std::string got;
  std::thread reader([&] { got = read_file(fifo); });
  {
    auto output = output_file::open(fifo);
    REQUIRE(output);
    CHECK_FALSE(output->is_seekable());
    CHECK_FALSE(write_text(*output, "text"));
    CHECK_FALSE(output->commit());
  }
  reader.join();
  CHECK(got == "text");
  CHECK(S_ISFIFO(status_of(fifo).st_mode));

  auto null = output_file::open("/dev/null", existing_file::replace);
  REQUIRE(null);
  CHECK_FALSE(write_text(*null, "text"));
  CHECK_FALSE(null->commit());
  CHECK(S_ISCHR(status_of("/dev/null").st_mode));

  auto full = output_file::open("/dev/full");
  REQUIRE(full);
  CHECK(write_text(*full, "text") == sink_failure(errc::sink_full, 0, ENOSPC));
  CHECK(full->commit() == sink_failure(errc::sink_full, 0, ENOSPC));
}

TEST_CASE("a block device is written only on demand") {
  const loop_device device(1 << 20);
  if (device.is_missing()) return;
  CHECK(output_file::open(device.path()).error() == sink_failure(errc::already_exists, 0, EEXIST));
  auto output = output_file::open(device.path(), existing_file::replace);
  REQUIRE(output);
  CHECK(output->is_seekable());
  CHECK_FALSE(write_text(*output, "text"));
  CHECK_FALSE(output->commit());
  CHECK(read_file(device.path()).substr(0, 4) == "text");
  CHECK(S_ISBLK(status_of(device.path()).st_mode));
}

TEST_CASE("a folder or a socket is no output") {
  const temporary_folder folder;
  REQUIRE(::mknod((folder / "socket").c_str(), S_IFSOCK | 0600, 0) == 0);
  CHECK(output_file::open(folder / "socket", existing_file::replace).error() ==
        sink_failure(errc::file_not_regular, 0, ESPIPE));
  CHECK(output_file::open(folder.path(), existing_file::replace).error() ==
        sink_failure(errc::file_not_regular, 0, EISDIR));
  CHECK(output_file::open(folder / "missing/file").error() ==
        sink_failure(errc::file_not_found, 0, ENOENT));
}

TEST_CASE("standard output is a stream that stays open") {
  output_file output = output_file::standard_output();
  CHECK_FALSE(output.is_seekable());
  CHECK(output.temporary_path().empty());
  CHECK_FALSE(output.commit());
  CHECK(::fcntl(STDOUT_FILENO, F_GETFD) >= 0);
}

}  // namespace output_file_test
