// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/hosted/directory.hpp"

#include <sys/inotify.h>

#include <array>
#include <catch2/catch.hpp>

#include "tests/hosted/testing.hpp"

namespace directory_test {
using namespace hosted_testing;

namespace {

failure files_failure(errc code, int error = 0) {
  return {code, origin::files, 0, static_cast<std::uint32_t>(error), 0};
}

}  // namespace

TEST_CASE("a directory opens files by their base names") {
  const temporary_folder folder;
  write_file(folder / "one", "first");
  write_file(folder / "two", "second");
  directory_files files;
  REQUIRE_FALSE(files.allow(folder.path()));
  const auto one = files.open("one");
  const auto two = files.open("two");
  REQUIRE((one && two));
  CHECK_FALSE(*one == *two);
  CHECK(files.size(*one) == 5);
  CHECK(files.size(*two) == 6);
  std::array<std::byte, 5> out{};
  CHECK_FALSE(files.read_at(*one, 0, out));
  CHECK(text_of(out) == "first");
  CHECK_FALSE(files.read_at(*two, 1, out));
  CHECK(text_of(out) == "econd");
  CHECK(files.read_at(*two, 2, out) == source_failure(errc::out_of_range, 2));
  CHECK(*files.next_data(*one, 0) == range{0, 5});
  CHECK(files.open("three").error() == files_failure(errc::file_not_found, ENOENT));
  CHECK(files.size(file_id{7}) == 0);
  CHECK(files.read_at(file_id{7}, 0, {}).code == errc::out_of_range);
  CHECK(files.next_data(file_id{7}, 0).error().code == errc::out_of_range);
}

TEST_CASE("one file under two names is one file") {
  const temporary_folder folder;
  write_file(folder / "one", "first");
  std::filesystem::create_hard_link(folder / "one", folder / "again");
  std::filesystem::create_symlink("one", folder / "link");
  directory_files files;
  REQUIRE_FALSE(files.allow(folder.path()));
  const auto start = files.open_path(folder / "link");
  REQUIRE(start);
  CHECK(*files.open("one") == *start);
  CHECK(*files.open("again") == *start);
  CHECK(*files.open("one") == *start);
}

TEST_CASE("a name is looked for beside the file that has it, and then elsewhere") {
  const temporary_folder folder;
  for (const char* name : {"child", "base"}) {
    std::filesystem::create_directory(folder / name);
    write_file(folder / (std::string(name) + "/disk"), name);
    write_file(folder / (std::string(name) + "/extent"), name);
  }
  write_file(folder / "base/alone", "base");
  directory_files files;
  REQUIRE_FALSE(files.allow(folder / "child"));
  REQUIRE_FALSE(files.allow(folder / "base"));
  // Of a file that was opened by its path the folder is not known: all are searched in their order.
  const auto base = files.open_path(folder / "base/alone");
  REQUIRE(base);
  const auto child_extent = files.open("extent");
  CHECK(*files.open_beside(*base, "extent") == *child_extent);
  CHECK(*files.open("alone") == *base);
  const auto base_extent = files.open_beside(*base, "extent");
  REQUIRE(base_extent);
  CHECK_FALSE(*base_extent == *child_extent);
  CHECK(files.open_path(folder / "base/extent") == *base_extent);
  CHECK(files.open_beside(*child_extent, "alone") == *base);
  CHECK(files.open_beside(*base, "gone").error() == files_failure(errc::file_not_found, ENOENT));
  // What names itself means another, while there is one.
  const auto child = files.open("disk");
  const auto parent = files.open_beside(*child, "disk");
  REQUIRE((child && parent));
  CHECK_FALSE(*parent == *child);
  CHECK(files.open_beside(*parent, "disk") == *child);
  CHECK(files.open_beside(*base, "alone") == *base);
}

TEST_CASE("names that are no base names open nothing") {
  const temporary_folder folder;
  std::filesystem::create_directory(folder / "sub");
  write_file(folder / "sub/file", "x");
  write_file(folder / "file", "x");
  write_file(folder / "a\\b", "x");
  write_file(folder / "json:x", "x");
  directory_files files;
  REQUIRE_FALSE(files.allow(folder / "sub"));
  using namespace std::string_view_literals;
  for (const std::string_view name :
       {""sv, "."sv, ".."sv, "../file"sv, "/etc/passwd"sv, "sub/file"sv, "./file"sv, "a\\b"sv,
        "json:x"sv, "file\0"sv, "file\0x"sv, "C:file"sv}) {
    CHECK(files.open(name).error() == files_failure(errc::name_not_allowed));
  }
  CHECK(files.open(std::string(256, 'x')).error() == files_failure(errc::name_not_allowed));
  CHECK(files.open(folder / "file").error() == files_failure(errc::name_not_allowed));
  CHECK(files.open("file"));
}

TEST_CASE("what is no regular file is refused without being opened") {
  const temporary_folder folder;
  const temporary_folder outside;
  write_file(outside / "secret", "x");
  REQUIRE(::mkfifo((folder / "fifo").c_str(), 0600) == 0);
  std::filesystem::create_symlink(outside / "secret", folder / "link");
  std::filesystem::create_symlink("/dev/zero", folder / "zero");
  std::filesystem::create_directory(folder / "sub");
  directory_files files;
  REQUIRE_FALSE(files.allow(folder.path()));
  const int watch = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  REQUIRE(::inotify_add_watch(watch, (folder / "fifo").c_str(), IN_OPEN) >= 0);
  REQUIRE(::inotify_add_watch(watch, (outside / "secret").c_str(), IN_OPEN) >= 0);

  CHECK(files.open("fifo").error() == files_failure(errc::file_not_regular, ESPIPE));
  CHECK(files.open("link").error() == files_failure(errc::file_not_regular, ELOOP));
  CHECK(files.open("zero").error() == files_failure(errc::file_not_regular, ELOOP));
  CHECK(files.open("sub").error() == files_failure(errc::file_not_regular, EISDIR));

  char buffer[4096];
  CHECK(::read(watch, buffer, sizeof buffer) == -1);
  ::close(watch);

  directory_files devices;
  REQUIRE_FALSE(devices.allow("/dev"));
  CHECK(devices.open("zero").error() == files_failure(errc::file_not_regular, ESPIPE));
}

TEST_CASE("further folders are searched in their order") {
  const temporary_folder first;
  const temporary_folder second;
  write_file(first / "both", "1");
  write_file(second / "both", "22");
  write_file(second / "other", "333");
  directory_files files;
  REQUIRE_FALSE(files.allow(first.path()));
  REQUIRE_FALSE(files.allow(second.path()));
  CHECK(files.size(*files.open("both")) == 1);
  CHECK(files.size(*files.open("other")) == 3);
  CHECK(files.allow(first / "missing") == files_failure(errc::file_not_found, ENOENT));
  CHECK(files.allow(first / "both") == files_failure(errc::file_not_found, ENOTDIR));

  // A link in the first folder is refused; it does not lead on to the second.
  std::filesystem::create_symlink(second / "other", first / "other");
  CHECK(files.open("other").error() == files_failure(errc::file_not_regular, ELOOP));
}

TEST_CASE("the number of open files is bounded") {
  const temporary_folder folder;
  for (const char* name : {"one", "two", "three"}) write_file(folder / name, "x");
  directory_files files(2);
  REQUIRE_FALSE(files.allow(folder.path()));
  CHECK(files.open("one"));
  CHECK(files.open("two"));
  CHECK(files.open("three").error() == files_failure(errc::extent_count_invalid, 2));
  CHECK(files.open("one"));
}

TEST_CASE("the program's own file may lie anywhere") {
  const temporary_folder folder;
  const temporary_folder other;
  write_file(other / "file", "x");
  directory_files files;
  REQUIRE_FALSE(files.allow(folder.path()));
  CHECK(files.open_path(other / "file"));
  CHECK(files.open("file").error() == files_failure(errc::file_not_found, ENOENT));
  CHECK(files.open_path(folder.path()).error() == files_failure(errc::file_not_regular, EISDIR));
  CHECK(files.open_path(folder / "missing").error() == files_failure(errc::file_not_found, ENOENT));
  CHECK(files.open_path("/dev/null").error() == files_failure(errc::file_not_regular, ESPIPE));
}

TEST_CASE("the data map of a sparse file comes through") {
  const temporary_folder folder;
  write_file(folder / "file", "");
  std::filesystem::resize_file(folder / "file", 1 << 20);
  directory_files files;
  REQUIRE_FALSE(files.allow(folder.path()));
  const auto id = files.open("file");
  REQUIRE(id);
  CHECK(*files.next_data(*id, 0) == range{1 << 20, 0});
}

TEST_CASE("a file that is open is known by any path to it") {
  const temporary_folder folder;
  write_file(folder / "a.vmdk", "one");
  write_file(folder / "b.vmdk", "one");
  REQUIRE(::symlink("a.vmdk", (folder / "link").c_str()) == 0);
  directory_files files;
  CHECK_FALSE(files.is_open(folder / "a.vmdk"));
  REQUIRE_FALSE(files.allow(folder.path()));
  REQUIRE(files.open("a.vmdk"));
  CHECK(files.is_open(folder / "a.vmdk"));
  CHECK(files.is_open(folder / "link"));
  CHECK_FALSE(files.is_open(folder / "b.vmdk"));
  CHECK_FALSE(files.is_open(folder / "missing"));
  CHECK_FALSE(files.is_open("/proc/self/status"));  // On another file system.
}

}  // namespace directory_test
