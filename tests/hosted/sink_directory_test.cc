// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/hosted/sink_directory.hpp"

#include <sys/inotify.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>

#include "tests/hosted/testing.hpp"

namespace sink_directory_test {
using namespace hosted_testing;
using names = std::vector<std::string>;

namespace {

sink_directory open_directory(const temporary_folder& folder,
                              existing_file existing = existing_file::refuse) {
  auto directory = sink_directory::open(folder.path(), existing);
  REQUIRE(directory);
  return std::move(directory).value();
}

void add(sink_directory& directory, std::string_view name, std::string_view text) {
  auto sink = directory.create(name);
  REQUIRE(sink);
  CHECK_FALSE((*sink)->write(bytes_of(text)));
}

}  // namespace

TEST_CASE("a set of files appears when it is complete") {
  const temporary_folder folder;
  sink_directory directory = open_directory(folder);
  add(directory, "disk-s001.vmdk", "one");
  add(directory, "disk-s002.vmdk", "two");
  add(directory, "disk.vmdk", "descriptor");
  for (const std::string& name : folder.names()) CHECK(name.substr(0, 5) == ".disk");
  CHECK_FALSE(directory.commit());
  CHECK(folder.names() == names{"disk-s001.vmdk", "disk-s002.vmdk", "disk.vmdk"});
  CHECK(read_file(folder / "disk-s001.vmdk") == "one");
  CHECK(read_file(folder / "disk-s002.vmdk") == "two");
  CHECK(read_file(folder / "disk.vmdk") == "descriptor");
  CHECK_FALSE(directory.commit());
}

TEST_CASE("the temporary name of the last file is known until the set appears") {
  const temporary_folder folder;
  sink_directory directory = open_directory(folder);
  CHECK(directory.temporary_name().empty());
  add(directory, "disk-s001.vmdk", "one");
  CHECK(folder.names() == names{directory.temporary_name()});
  add(directory, "disk.vmdk", "two");
  CHECK(read_file(folder / directory.temporary_name()) == "two");
  CHECK(directory.temporary_name().starts_with(".disk.vmdk."));
  CHECK_FALSE(directory.commit());
  CHECK(directory.temporary_name().empty());
}

TEST_CASE("a set that is moved is committed by its new owner only") {
  const temporary_folder folder;
  sink_directory directory;
  {
    sink_directory first = open_directory(folder, existing_file::replace);
    write_file(folder / "old", "x");
    add(first, "disk", "one");
    first.retire("old");
    directory = std::move(first);
  }
  CHECK_FALSE(directory.commit());
  CHECK(folder.names() == names{"disk"});
}

TEST_CASE("the descriptor appears last") {
  const temporary_folder folder;
  sink_directory directory = open_directory(folder);
  add(directory, "z-extent", "one");
  add(directory, "a-extent", "two");
  add(directory, "descriptor", "three");
  const int watch = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  REQUIRE(::inotify_add_watch(watch, folder.path().c_str(), IN_MOVED_TO) >= 0);
  CHECK_FALSE(directory.commit());
  alignas(inotify_event) char buffer[4096];
  const ssize_t n = ::read(watch, buffer, sizeof buffer);
  ::close(watch);
  names order;
  for (ssize_t at = 0; at < n;) {
    const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
    order.emplace_back(event->name);
    at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
  }
  CHECK(order == names{"z-extent", "a-extent", "descriptor"});
}

TEST_CASE("a set that is not committed goes away") {
  const temporary_folder folder;
  write_file(folder / "bystander", "x");
  {
    sink_directory directory = open_directory(folder);
    add(directory, "one", "one");
    add(directory, "two", "two");
    CHECK(folder.names().size() == 3);
  }
  CHECK(folder.names() == names{"bystander"});
  sink_directory directory = open_directory(folder);
  add(directory, "one", "one");
  directory.abort();
  CHECK(folder.names() == names{"bystander"});
}

TEST_CASE("a killed process leaves no final name of a set") {
  const temporary_folder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    sink_directory directory = sink_directory::open(folder.path()).value();
    (void)!!directory.create("one");
    (void)!!directory.create("two");
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
  const names left = folder.names();
  REQUIRE(left.size() == 2);
  for (const std::string& name : left) CHECK(name.substr(name.size() - 4) == ".tmp");
}

TEST_CASE("a name of a set that is taken is refused") {
  const temporary_folder folder;
  write_file(folder / "two", "old");
  const failure taken = sink_failure(errc::already_exists, 0, EEXIST);
  {
    sink_directory directory = open_directory(folder);
    add(directory, "one", "one");
    CHECK(directory.create("two").error() == taken);
    CHECK(directory.create("three").error() == taken);
    CHECK(directory.commit() == taken);
    CHECK(folder.names() == names{"two"});
  }
  sink_directory late = open_directory(folder);
  add(late, "one", "one");
  add(late, "late", "late");
  add(late, "descriptor", "descriptor");
  write_file(folder / "late", "theirs");
  CHECK(late.commit() == taken);
  CHECK(folder.names() == names{"late", "two"});
  CHECK(read_file(folder / "late") == "theirs");
}

TEST_CASE("an old set is replaced, and its other pieces removed") {
  const temporary_folder folder;
  for (const char* name : {"s001", "s002", "s003", "disk", "bystander"}) {
    write_file(folder / name, "old");
  }
  REQUIRE(::mkfifo((folder / "s004").c_str(), 0600) == 0);
  sink_directory directory = open_directory(folder, existing_file::replace);
  add(directory, "s001", "new");
  add(directory, "disk", "new");
  for (const char* name : {"s001", "s002", "s003", "s004", "s005", "../x", "disk"}) {
    directory.retire(name);
  }
  CHECK(read_file(folder / "disk") == "old");
  CHECK_FALSE(directory.commit());
  CHECK(folder.names() == names{"bystander", "disk", "s001", "s004"});
  CHECK(read_file(folder / "disk") == "new");
  CHECK(read_file(folder / "s001") == "new");
}

TEST_CASE("nothing outside the folder is removed") {
  const temporary_folder folder;
  std::filesystem::create_directory(folder / "inner");
  write_file(folder / "bystander", "x");
  sink_directory directory = sink_directory::open(folder / "inner", existing_file::replace).value();
  add(directory, "disk", "new");
  directory.retire("../bystander");
  CHECK_FALSE(directory.commit());
  CHECK(folder.names() == names{"bystander", "inner"});
}

TEST_CASE("new extents never lie under an old descriptor") {
  const temporary_folder folder;
  for (const char* name : {"s001", "s002", "disk"}) write_file(folder / name, "old");
  sink_directory directory = open_directory(folder, existing_file::replace);
  add(directory, "s001", "new");
  add(directory, "s002", "new");
  add(directory, "disk", "new");
  // The second extent cannot be renamed: something that is no file has taken its name.
  ::unlink((folder / "s002").c_str());
  REQUIRE(::mkfifo((folder / "s002").c_str(), 0600) == 0);
  CHECK(directory.commit() == sink_failure(errc::file_not_regular, 0, ESPIPE));
  CHECK(folder.names() == names{"s002"});
}

TEST_CASE("names that are none are refused") {
  const temporary_folder folder;
  for (const char* name : {"", ".", "..", "a/b", "/etc/x", "a\\b", "c:x", "../x"}) {
    sink_directory directory = open_directory(folder);
    CHECK(directory.create(name).error() == sink_failure(errc::name_not_allowed, 0));
  }
  sink_directory twice = open_directory(folder);
  add(twice, "one", "x");
  CHECK(twice.create("one").error() == sink_failure(errc::name_not_allowed, 0));
  REQUIRE(::mkfifo((folder / "fifo").c_str(), 0600) == 0);
  sink_directory node = open_directory(folder, existing_file::replace);
  CHECK(node.create("fifo").error() == sink_failure(errc::file_not_regular, 0, ESPIPE));
  CHECK(sink_directory::open(folder / "missing").error() ==
        sink_failure(errc::file_not_found, 0, ENOENT));
  CHECK(sink_directory::open(folder / "fifo").error() ==
        sink_failure(errc::file_not_found, 0, ENOTDIR));
}

TEST_CASE("a failed write spoils the whole set") {
  const temporary_folder folder;
  const file_size_limit limit(1000);
  const failure full = sink_failure(errc::sink_full, 1000, EFBIG);
  sink_directory directory = open_directory(folder);
  auto sink = directory.create("one");
  REQUIRE(sink);
  CHECK((*sink)->write(bytes_of(std::string(2000, 'x'))) == full);
  CHECK(directory.create("two").error() == full);
  CHECK(directory.commit() == full);
  CHECK(folder.names().empty());
}

}  // namespace sink_directory_test
