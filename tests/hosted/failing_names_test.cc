// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>
#include <utility>

#include "tests/hosted/failing_calls.hpp"
#include "tests/hosted/testing.hpp"
#include "vmdk/hosted/atomic_file.hpp"
#include "vmdk/hosted/sink_directory.hpp"

namespace failing_names_test {
using namespace hosted_testing;
using names = std::vector<std::string>;

namespace {

const failure broken = sink_failure(errc::write_failed, 0, EIO);

/// Writes a file of 3 bytes and a hole.
failure write_atomically(const std::string& path, existing_file existing) {
  auto file = atomic_file::create(path, existing);
  if (!file) return file.error();
  if (failure why = file->sink().write(bytes_of("new"))) return why;
  if (failure why = file->sink().skip(2)) return why;
  return file->commit();
}

/// Writes a set of two files.
failure write_set(const std::string& folder, existing_file existing) {
  auto directory = sink_directory::open(folder, existing);
  if (!directory) return directory.error();
  for (const char* name : {"extent", "descriptor"}) {
    auto sink = directory->create(name);
    if (!sink) return sink.error();
    if (failure why = (*sink)->write(bytes_of("new"))) return why;
    if (failure why = (*sink)->skip(2)) return why;
  }
  return directory->commit();
}

}  // namespace

TEST_CASE("a new file is whole, or nothing is left of it, whatever call fails") {
  for (const char* name : {"readlink", "open", "fstatat", "openat", "fstat", "pwrite", "ftruncate",
                           "fsync", "close", "renameat2"}) {
    for (unsigned at = 0;; ++at) {
      CAPTURE(name, at);
      const temporary_folder folder;
      failure why;
      {
        const failing_call call(name, EIO, at);
        why = write_atomically(folder / "file", existing_file::refuse);
        if (call.calls() <= at) {
          CHECK(at > 0);
          break;
        }
      }
      // A folder's own close tells nobody anything.
      if (name == std::string("close") && at == 1) {
        CHECK_FALSE(why);
        continue;
      }
      CHECK(why.code == errc::write_failed);
      CHECK(why.from == origin::sink);
      CHECK(why.detail == EIO);
      // Only the folder's synchronisation comes after the new name.
      const bool is_there = name == std::string("fsync") && at == 1;
      CHECK(folder.names() == (is_there ? names{"file"} : names{}));
    }
  }
}

TEST_CASE("an old file is whole, or replaced by a whole one, whatever call fails") {
  for (const char* name : {"readlink", "open", "fstatat", "openat", "fstat", "pwrite", "ftruncate",
                           "fsync", "renameat"}) {
    for (unsigned at = 0;; ++at) {
      CAPTURE(name, at);
      const temporary_folder folder;
      write_file(folder / "file", "old");
      failure why;
      {
        const failing_call call(name, EIO, at);
        why = write_atomically(folder / "file", existing_file::replace);
        if (call.calls() <= at) {
          CHECK(at > 0);
          break;
        }
      }
      CHECK(why.code == errc::write_failed);
      CHECK(why.detail == EIO);
      CHECK(folder.names() == names{"file"});
      const bool is_new = name == std::string("fsync") && at == 1;
      CHECK(read_file(folder / "file") == (is_new ? std::string("new\0\0", 5) : "old"));
    }
  }
}

TEST_CASE("a set of files is whole, or none of its names is there, whatever call fails") {
  for (const existing_file existing : {existing_file::refuse, existing_file::replace}) {
    for (const char* name : {"open", "fstatat", "openat", "fstat", "pwrite", "ftruncate", "fsync",
                             "renameat", "renameat2"}) {
      for (unsigned at = 0;; ++at) {
        CAPTURE(name, at);
        const temporary_folder folder;
        failure why;
        {
          const failing_call call(name, EIO, at);
          why = write_set(folder.path(), existing);
          if (call.calls() <= at) break;
        }
        CHECK(why.code == errc::write_failed);
        CHECK(why.from == origin::sink);
        CHECK(why.detail == EIO);
        // The last synchronisation is that of the folder with all names.
        const bool is_there = name == std::string("fsync") && at == 3;
        CHECK(folder.names() == (is_there ? names{"descriptor", "extent"} : names{}));
      }
    }
  }
}

TEST_CASE("an old descriptor that cannot be removed for good lets no new extent appear") {
  for (const char* name : {"unlinkat", "fsync"}) {
    CAPTURE(name);
    const temporary_folder folder;
    for (const char* old : {"extent", "descriptor"}) write_file(folder / old, "old");
    const bool is_removal = name == std::string("unlinkat");
    {
      // What is synchronised before: both files.
      const failing_call call(name, EIO, is_removal ? 0 : 2);
      CHECK(write_set(folder.path(), existing_file::replace) == broken);
    }
    CHECK(folder.names() == (is_removal ? names{"descriptor", "extent"} : names{"extent"}));
    CHECK(read_file(folder / "extent") == "old");
  }
}

TEST_CASE("a temporary name that is taken is made anew, but not for ever") {
  const temporary_folder folder;
  {
    const failing_call open("openat", EEXIST, 0, 99);
    CHECK_FALSE(write_atomically(folder / "file", existing_file::refuse));
    CHECK(open.calls() == 100);
  }
  const failing_call open("openat", EEXIST, 0, for_ever);
  CHECK(write_atomically(folder / "other", existing_file::refuse) == broken);
  CHECK(open.calls() == 100);
}

TEST_CASE("a file whose group cannot be kept lends that group no more than everybody has") {
  const temporary_folder folder;
  const std::string path = folder / "file";
  write_file(path, "old");
  ::chmod(path.c_str(), 0674);
  {
    const failing_call own("fchown", EPERM, 0, 2);
    CHECK_FALSE(write_atomically(path, existing_file::replace));
    CHECK(own.calls() == 2);
  }
  CHECK((status_of(path).st_mode & 07777) == 0644);
}

TEST_CASE("where a file system cannot rename without replacing, a second name is made") {
  const temporary_folder folder;
  write_file(folder / "taken", "theirs");
  detail::os::handle opened;
  REQUIRE(detail::os::open_folder(folder.path(), opened) == 0);
  for (const int error : {EINVAL, ENOSYS}) {
    write_file(folder / "from", "mine");
    const failing_call rename("renameat2", error, 0, for_ever);
    CHECK(detail::os::rename_new(opened, "from", "taken") == EEXIST);
    CHECK(detail::os::rename_new(opened, "from", "to") == 0);
    CHECK(rename.calls() == 2);
    CHECK(folder.names() == names{"taken", "to"});
    CHECK(read_file(folder / "taken") == "theirs");
    CHECK(read_file(folder / "to") == "mine");
    ::unlink((folder / "to").c_str());
  }
}

TEST_CASE("where there are no second names either, it is looked whether the name is free") {
  const temporary_folder folder;
  write_file(folder / "taken", "theirs");
  detail::os::handle opened;
  REQUIRE(detail::os::open_folder(folder.path(), opened) == 0);
  const failing_call rename("renameat2", EINVAL, 0, for_ever);
  for (const int error : {EPERM, ENOTSUP, ENOSYS, EMLINK}) {
    write_file(folder / "from", "mine");
    const failing_call link("linkat", error, 0, for_ever);
    CHECK(detail::os::rename_new(opened, "from", "taken") == EEXIST);
    {
      const failing_call status("fstatat", EIO);
      CHECK(detail::os::rename_new(opened, "from", "to") == EIO);
    }
    CHECK(folder.names() == names{"from", "taken"});
    CHECK(detail::os::rename_new(opened, "from", "to") == 0);
    CHECK(folder.names() == names{"taken", "to"});
    CHECK(read_file(folder / "taken") == "theirs");
    ::unlink((folder / "to").c_str());
  }
}

TEST_CASE("links that cannot be followed are said") {
  const temporary_folder folder;
  write_file(folder / "file", "x");
  CHECK(atomic_file::create(folder / "file/inner").error() ==
        sink_failure(errc::file_not_found, 0, ENOTDIR));
  // A link as long as the room for it may have been longer.
  const answered_call read("readlink", [](unsigned) { return 4096; });
  CHECK(atomic_file::create(folder / "new").error() ==
        sink_failure(errc::write_failed, 0, ENAMETOOLONG));
  CHECK(folder.names() == names{"file"});
}

}  // namespace failing_names_test
