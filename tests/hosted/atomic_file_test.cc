// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/hosted/atomic_file.hpp"

#include <sys/wait.h>

#include <catch2/catch.hpp>

#include "tests/hosted/testing.hpp"

namespace atomic_file_test {
using namespace hosted_testing;
using names = std::vector<std::string>;

TEST_CASE("a file appears when it is complete") {
  const temporary_folder folder;
  auto file = atomic_file::create(folder / "file");
  REQUIRE(file);
  CHECK_FALSE(file->sink().write(bytes_of("content")));
  CHECK(file_kind::none == kind_of(folder / "file"));
  CHECK(kind_of(file->temporary_path()) == file_kind::regular);
  CHECK(folder_of(file->temporary_path()) == folder.path());
  CHECK_FALSE(file->commit());
  CHECK(file->temporary_path().empty());
  CHECK(read_file(folder / "file") == "content");
  CHECK(folder.names() == names{"file"});
}

TEST_CASE("a file that is not committed goes away") {
  const temporary_folder folder;
  {
    auto file = atomic_file::create(folder / "file");
    REQUIRE(file);
    CHECK_FALSE(file->sink().write(bytes_of("content")));
    atomic_file moved = std::move(file).value();
    CHECK(folder.names().size() == 1);
    atomic_file assigned;
    assigned = std::move(moved);
    CHECK(assigned.sink().size() == 7);
    CHECK(moved.temporary_path().empty());
    CHECK(assigned.temporary_path() == folder / folder.names().at(0));
  }
  CHECK(folder.names().empty());
  atomic_file aborted = atomic_file::create(folder / "file").value();
  aborted.abort();
  CHECK(folder.names().empty());
}

TEST_CASE("a process that is killed leaves nothing under the final name") {
  const temporary_folder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    atomic_file file = atomic_file::create(folder / "file").value();
    (void)!!file.sink().write(bytes_of("half"));
    (void)!!file.sink().flush();
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
  CHECK(kind_of(folder / "file") == file_kind::none);
  const names left = folder.names();
  REQUIRE(left.size() == 1);
  CHECK(left[0].substr(0, 6) == ".file.");
  CHECK(left[0].substr(left[0].size() - 4) == ".tmp");
}

TEST_CASE("an existing file is refused at the beginning and at the end") {
  const temporary_folder folder;
  write_file(folder / "file", "old");
  const failure taken = sink_failure(errc::already_exists, 0, EEXIST);
  CHECK(atomic_file::create(folder / "file").error() == taken);
  CHECK(folder.names() == names{"file"});

  auto late = atomic_file::create(folder / "late");
  REQUIRE(late);
  CHECK_FALSE(late->sink().write(bytes_of("mine")));
  write_file(folder / "late", "theirs");
  CHECK(late->commit() == taken);
  CHECK(read_file(folder / "late") == "theirs");
  CHECK(folder.names() == names{"file", "late"});
}

TEST_CASE("an existing file is replaced on demand, and lends its permissions") {
  const temporary_folder folder;
  write_file(folder / "file", "old");
  ::chmod((folder / "file").c_str(), 0640);
  auto file = atomic_file::create(folder / "file", existing_file::replace);
  REQUIRE(file);
  CHECK_FALSE(file->sink().write(bytes_of("new")));
  CHECK(read_file(folder / "file") == "old");
  CHECK_FALSE(file->commit());
  CHECK(read_file(folder / "file") == "new");
  CHECK((status_of(folder / "file").st_mode & 07777) == 0640);

  // The replaced file may also have gone meanwhile, or never have been.
  auto gone = atomic_file::create(folder / "file", existing_file::replace);
  REQUIRE(gone);
  ::unlink((folder / "file").c_str());
  CHECK_FALSE(gone->commit());
  CHECK(folder.names() == names{"file"});
}

TEST_CASE("a new file's permissions are those of the umask") {
  const temporary_folder folder;
  const mode_t old = ::umask(027);
  auto file = atomic_file::create(folder / "file");
  ::umask(old);
  REQUIRE(file);
  CHECK_FALSE(file->commit());
  CHECK((status_of(folder / "file").st_mode & 07777) == 0640);
}

TEST_CASE("a failed write cannot be committed") {
  const temporary_folder folder;
  const file_size_limit limit(1000);
  const std::string text(2000, 'x');
  const failure full = sink_failure(errc::sink_full, 1000, EFBIG);
  auto file = atomic_file::create(folder / "file");
  REQUIRE(file);
  CHECK(file->sink().write(bytes_of(text)) == full);
  CHECK(file->commit() == full);
  CHECK(folder.names().empty());

  auto sparse = atomic_file::create(folder / "file");
  REQUIRE(sparse);
  CHECK_FALSE(sparse->sink().skip(2000));
  CHECK(sparse->commit() == sink_failure(errc::sink_full, 0, EFBIG));
  CHECK(folder.names().empty());
}

TEST_CASE("a hole at the end is part of the file") {
  const temporary_folder folder;
  auto file = atomic_file::create(folder / "file");
  REQUIRE(file);
  CHECK_FALSE(file->sink().skip(12345));
  CHECK_FALSE(file->commit());
  CHECK(status_of(folder / "file").st_size == 12345);
}

TEST_CASE("a symbolic link stays one") {
  const temporary_folder folder;
  std::filesystem::create_directory(folder / "real");
  std::filesystem::create_symlink("real/file", folder / "link");
  std::filesystem::create_symlink(folder / "link", folder / "link to link");

  auto through_dangling = atomic_file::create(folder / "link to link");
  REQUIRE(through_dangling);
  CHECK(folder_of(through_dangling->temporary_path()) == folder / "real");
  CHECK_FALSE(through_dangling->sink().write(bytes_of("new")));
  CHECK_FALSE(through_dangling->commit());
  CHECK(read_file(folder / "real/file") == "new");
  CHECK(folder.names() == names{"link", "link to link", "real"});
  CHECK(S_ISLNK(status_of(folder / "link").st_mode));

  CHECK(atomic_file::create(folder / "link").error().code == errc::already_exists);
  auto replacing = atomic_file::create(folder / "link", existing_file::replace);
  REQUIRE(replacing);
  CHECK_FALSE(replacing->sink().write(bytes_of("newer")));
  CHECK_FALSE(replacing->commit());
  CHECK(read_file(folder / "real/file") == "newer");
  CHECK(S_ISLNK(status_of(folder / "link").st_mode));

  std::filesystem::create_symlink("ring", folder / "ring");
  CHECK(atomic_file::create(folder / "ring").error() ==
        sink_failure(errc::file_not_regular, 0, ELOOP));
}

TEST_CASE("nodes and folders are neither replaced nor removed") {
  const temporary_folder folder;
  REQUIRE(::mkfifo((folder / "fifo").c_str(), 0600) == 0);
  CHECK(atomic_file::create(folder / "fifo", existing_file::replace).error() ==
        sink_failure(errc::file_not_regular, 0, ESPIPE));
  CHECK(atomic_file::create(folder.path(), existing_file::replace).error() ==
        sink_failure(errc::file_not_regular, 0, EISDIR));
  CHECK(atomic_file::create(folder / "", existing_file::replace).error() ==
        sink_failure(errc::file_not_regular, 0, EISDIR));
  CHECK(atomic_file::create("").error() == sink_failure(errc::file_not_found, 0, ENOENT));
  CHECK(atomic_file::create(folder / "missing/file").error() ==
        sink_failure(errc::file_not_found, 0, ENOENT));

  auto late = atomic_file::create(folder / "late", existing_file::replace);
  REQUIRE(late);
  REQUIRE(::mkfifo((folder / "late").c_str(), 0600) == 0);
  CHECK(late->commit() == sink_failure(errc::file_not_regular, 0, ESPIPE));
  CHECK(folder.names() == names{"fifo", "late"});
  CHECK(S_ISFIFO(status_of(folder / "late").st_mode));
}

TEST_CASE("the longest name still has room for a temporary one") {
  const temporary_folder folder;
  const std::string name(255, 'n');
  auto file = atomic_file::create(folder / name);
  REQUIRE(file);
  CHECK_FALSE(file->commit());
  CHECK(folder.names() == names{name});
}

TEST_CASE("a path without a folder means the present one") {
  const temporary_folder folder;
  const auto old = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  auto file = atomic_file::create("file");
  const bool ok = file && !file->commit();
  std::filesystem::current_path(old);
  CHECK(ok);
  CHECK(folder.names() == names{"file"});
}

}  // namespace atomic_file_test
