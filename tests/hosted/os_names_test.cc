// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/hosted/os_names.hpp"

#include <catch2/catch.hpp>

#include "tests/hosted/testing.hpp"

namespace os_names_test {
using namespace hosted_testing;

TEST_CASE("a path is a folder and a base name") {
  CHECK(folder_of("a/b/c") == "a/b");
  CHECK(folder_of("/c") == "/");
  CHECK(folder_of("c") == ".");
  CHECK(folder_of("") == ".");
  CHECK(folder_of("a/") == "a");
  CHECK(base_name_of("a/b/c") == "c");
  CHECK(base_name_of("/c") == "c");
  CHECK(base_name_of("c") == "c");
  CHECK(base_name_of("a/") == "");
}

TEST_CASE("base names are told from paths") {
  for (const char* name : {"a", "disk-s001.vmdk", "...", "a b", ".hidden", "-x", "ü"}) {
    CHECK(is_base_name(name));
  }
  CHECK(is_base_name(std::string(255, 'x')));
  CHECK_FALSE(is_base_name(std::string(256, 'x')));
}

TEST_CASE("the kind of a file is that behind its links") {
  const temporary_folder folder;
  write_file(folder / "file", "x");
  std::filesystem::create_symlink("file", folder / "link");
  std::filesystem::create_symlink("nothing", folder / "dangling");
  REQUIRE(::mkfifo((folder / "fifo").c_str(), 0600) == 0);
  CHECK(kind_of(folder / "file") == file_kind::regular);
  CHECK(kind_of(folder / "link") == file_kind::regular);
  CHECK(kind_of(folder / "dangling") == file_kind::none);
  CHECK(kind_of(folder / "missing") == file_kind::none);
  CHECK(kind_of(folder / "fifo") == file_kind::fifo);
  CHECK(kind_of(folder.path()) == file_kind::directory);
  CHECK(kind_of("/dev/null") == file_kind::character_device);
}

TEST_CASE("a rename to a new name takes no name from anybody") {
  const temporary_folder folder;
  write_file(folder / "from", "mine");
  write_file(folder / "taken", "theirs");
  detail::os::handle opened;
  REQUIRE(detail::os::open_folder(folder.path(), opened) == 0);
  CHECK(detail::os::rename_new(opened, "from", "taken") == EEXIST);
  CHECK(read_file(folder / "taken") == "theirs");
  CHECK(detail::os::rename_new(opened, "from", "to") == 0);
  CHECK(read_file(folder / "to") == "mine");
  CHECK(folder.names() == std::vector<std::string>{"taken", "to"});
  CHECK(detail::os::rename_new(opened, "missing", "x") == ENOENT);
}

TEST_CASE("a link is told from what it leads to") {
  const temporary_folder folder;
  write_file(folder / "file", "x");
  std::filesystem::create_symlink("file", folder / "link");
  detail::os::file_status status;
  CHECK(detail::os::get_link_status(folder / "link", status) == 0);
  CHECK(status.kind == file_kind::symbolic_link);
  CHECK(detail::os::get_link_status(folder / "file", status) == 0);
  CHECK(status.kind == file_kind::regular);
  CHECK(detail::os::get_link_status(folder / "missing", status) == ENOENT);
}

TEST_CASE("a terminal is told from other devices") {
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  REQUIRE(terminal >= 0);
  CHECK(detail::os::is_terminal(detail::os::handle(terminal)));
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  CHECK_FALSE(detail::os::is_terminal(detail::os::handle(null)));
}

}  // namespace os_names_test
