// SPDX-License-Identifier: BSD-2-Clause
#include <array>
#include <catch2/catch.hpp>

#include "tests/hosted/failing_calls.hpp"
#include "tests/hosted/testing.hpp"
#include "vmdk/hosted/aligned_buffer.hpp"
#include "vmdk/hosted/directory.hpp"
#include "vmdk/hosted/file_source.hpp"
#include "vmdk/hosted/file_storage.hpp"
#include "vmdk/hosted/mapped_file.hpp"
#include "vmdk/hosted/pipe_source.hpp"

namespace failing_reads_test {
using namespace hosted_testing;

namespace {

constexpr std::uint64_t MiB = 1 << 20;

failure files_failure(errc code, int error) {
  return {code, origin::files, 0, static_cast<std::uint32_t>(error), 0};
}

/// Puts a FIFO in the place of a file.
void become_fifo(const std::string& path) {
  ::unlink(path.c_str());
  if (::mkfifo(path.c_str(), 0600) != 0) throw std::runtime_error("mkfifo");
}

}  // namespace

TEST_CASE("a file that the system will not open or describe is said") {
  const temporary_folder folder;
  const std::string path = folder / "file";
  write_file(path, "0123456789");
  {
    const failing_call open("open", EACCES, 0, 3);
    const failure why = source_failure(errc::read_failed, 0, EACCES);
    CHECK(file_source::open(path).error() == why);
    CHECK(file_storage::open(path).error() == why);
    CHECK(mapped_file::open(path).error() == why);
  }
  {
    const failing_call status("fstat", EIO, 0, 3);
    const failure why = source_failure(errc::read_failed, 0, EIO);
    CHECK(file_source::open(path).error() == why);
    CHECK(file_storage::open(path).error() == why);
    CHECK(mapped_file::open(path).error() == why);
    CHECK(status.calls() == 3);
  }
  const failing_call map("mmap", ENOMEM);
  CHECK(mapped_file::open(path).error() == source_failure(errc::read_failed, 0, ENOMEM));
}

TEST_CASE("a FIFO that takes a file's name before it is opened is refused") {
  const temporary_folder folder;
  const std::string path = folder / "file";
  const failure why = source_failure(errc::file_not_regular, 0, ESPIPE);
  write_file(path, "x");
  {
    const before_call open("open", [&] { become_fifo(path); });
    CHECK(file_source::open(path).error() == why);
  }
  ::unlink(path.c_str());
  write_file(path, "x");
  {
    const before_call open("open", [&] { become_fifo(path); });
    CHECK(file_storage::open(path).error() == why);
  }
  ::unlink(path.c_str());
  write_file(path, "x");
  directory_files files;
  REQUIRE_FALSE(files.allow(folder.path()));
  const before_call open("openat", [&] { become_fifo(path); });
  CHECK(files.open("file").error() == files_failure(errc::file_not_regular, ESPIPE));
}

TEST_CASE("a device that takes the name of an image's file is refused") {
  const loop_device device(1 * MiB);
  if (device.is_missing()) return;
  const temporary_folder folder;
  write_file(folder / "file", "x");
  directory_files files;
  REQUIRE_FALSE(files.allow(folder.path()));
  const answered_call open(
      "openat", [&](unsigned) { return ::open(device.path().c_str(), O_RDONLY | O_CLOEXEC); });
  CHECK(files.open("file").error() == files_failure(errc::file_not_regular, ENOTBLK));
}

TEST_CASE("a device whose size cannot be had is not opened") {
  const loop_device device(1 * MiB);
  if (device.is_missing()) return;
  const failing_call seek("lseek", EIO, 0, 2);
  const failure why = source_failure(errc::read_failed, 0, EIO);
  CHECK(file_source::open(device.path()).error() == why);
  CHECK(file_storage::open(device.path()).error() == why);
  CHECK(seek.calls() == 2);
}

TEST_CASE("what a signal interrupts is done again, and what is done in part is finished") {
  const temporary_folder folder;
  write_file(folder / "file", "0123456789");
  const failing_call open("open", EINTR, 0, 2);
  auto source = file_source::open(folder / "file");
  REQUIRE(source);
  CHECK(open.calls() == 3);
  auto storage = file_storage::open(folder / "file");
  REQUIRE(storage);
  std::array<std::byte, 10> out{};
  {
    const short_transfers few(3);
    const failing_call read("pread", EINTR, 1, 2);
    CHECK_FALSE(source->read_at(0, out));
    CHECK(text_of(out) == "0123456789");
    CHECK(read.calls() == 6);
  }
  const short_transfers few(3);
  const failing_call read("pread", EIO, 2, for_ever);
  const failure why = source_failure(errc::read_failed, 6, EIO);
  CHECK(source->read_at(0, out) == why);
  CHECK(storage->read_at(6, byte_span(out).first(4)) == why);
}

TEST_CASE("holes that the system cannot tell are data, or an error") {
  const temporary_folder folder;
  write_file(folder / "file", {});
  std::filesystem::resize_file(folder / "file", MiB);
  auto source = file_source::open(folder / "file");
  REQUIRE(source);
  {
    const failing_call seek("lseek", EINVAL);
    CHECK(*source->next_data(5) == range{5, MiB - 5});
  }
  {
    // Data is known, but not where it ends.
    const answered_call seek("lseek", [](unsigned call) -> std::optional<long> {
      errno = EINVAL;
      return call == 0 ? 4096 : -1;
    });
    CHECK(*source->next_data(5) == range{4096, MiB - 4096});
  }
  const failing_call seek("lseek", ENXIO);
  const failing_call status("fstat", EIO);
  CHECK(source->next_data(5).error() == source_failure(errc::read_failed, 5, EIO));
}

TEST_CASE("a device that has no data further on is not thought to be cut") {
  const loop_device device(1 * MiB);
  if (device.is_missing()) return;
  auto source = file_source::open(device.path());
  REQUIRE(source);
  const failing_call seek("lseek", ENXIO);
  CHECK(*source->next_data(5) == range{MiB, 0});
}

TEST_CASE("an image's file that the system will not open or describe is said") {
  const temporary_folder folder;
  write_file(folder / "file", "x");
  directory_files files;
  {
    const failing_call open("open", EMFILE);
    CHECK(files.allow(folder.path()) == files_failure(errc::read_failed, EMFILE));
  }
  REQUIRE_FALSE(files.allow(folder.path()));
  {
    const failing_call status("fstatat", EIO);
    CHECK(files.open("file").error() == files_failure(errc::read_failed, EIO));
  }
  {
    const failing_call open("openat", EMFILE);
    CHECK(files.open("file").error() == files_failure(errc::read_failed, EMFILE));
  }
  for (const unsigned at : {0u, 1u, 2u}) {
    const failing_call status("fstat", EIO, at);
    CHECK(files.open("file").error() == files_failure(errc::read_failed, EIO));
    CHECK(status.calls() == at + 1);
  }
  const failing_call open("openat", EINTR, 0, 2);
  const auto id = files.open("file");
  REQUIRE(id);
  CHECK(open.calls() == 3);
  CHECK(files.size(*id) == 1);
}

TEST_CASE("a pipe is read on after signals, and its errors are told") {
  std::array<std::byte, 8> out{};
  pipe_pair pipe(O_NONBLOCK);
  pipe_source source = pipe_source::borrow(pipe.read_end);
  {
    const failing_call read("read", EINTR, 0, 2);
    // While it waits for the first bytes, a signal comes, then they do.
    const answered_call poll("poll", [&](unsigned call) -> std::optional<long> {
      errno = EINTR;
      if (call == 0) return -1;
      if (::write(pipe.write_end, "abc", 3) != 3) throw std::runtime_error("write");
      return std::nullopt;
    });
    CHECK(*source.read(out) == 3);
    CHECK(read.calls() == 4);
    CHECK(poll.calls() == 2);
  }
  const failing_call poll("poll", ENOMEM);
  CHECK(source.read(out).error() == source_failure(errc::read_failed, 3, ENOMEM));

  // A read as large as the buffer goes past it.
  pipe_pair other;
  pipe_source large = pipe_source::borrow(other.read_end);
  const failing_call read("read", EIO);
  std::vector<std::byte> room(MiB);
  CHECK(large.read(room).error() == source_failure(errc::read_failed, 0, EIO));
}

TEST_CASE("a buffer that cannot be had is said") {
  const failing_call memory("operator new", ENOMEM);
  CHECK(aligned_buffer::allocate(4096).error() ==
        options_failure(errc::workspace_too_small, 0, ENOMEM));
  CHECK(memory.calls() == 1);
}

}  // namespace failing_reads_test
