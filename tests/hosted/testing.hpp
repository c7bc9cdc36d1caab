// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "vmdk/core/bytes.hpp"

namespace hosted_testing {

using namespace vmdk;

/// A folder of its own for one test, removed with all that is in it.
class temporary_folder {
 public:
  temporary_folder() {
    const char* root = std::getenv("TEST_TMPDIR");
    path_ = std::string(root != nullptr ? root : "/tmp") + "/vmdk_test_XXXXXX";
    if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("mkdtemp");
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  ~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator/(std::string_view name) const {
    return path_ + '/' + std::string(name);
  }

  /// The names in the folder, in order.
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

 private:
  std::string path_;
};

inline byte_view bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

inline std::string text_of(byte_view bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline void write_file(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline struct stat status_of(const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) throw std::runtime_error("no " + path);
  return status;
}

/// Bytes of the medium that a file takes.
inline std::uint64_t stored_bytes(const std::string& path) {
  return static_cast<std::uint64_t>(status_of(path).st_blocks) * 512;
}

/// A pipe; what is still open is closed.
struct pipe_pair {
  int read_end = -1;
  int write_end = -1;

  explicit pipe_pair(int flags = 0) {
    int ends[2];
    if (::pipe2(ends, flags | O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    read_end = ends[0];
    write_end = ends[1];
  }
  pipe_pair(const pipe_pair&) = delete;
  pipe_pair& operator=(const pipe_pair&) = delete;
  ~pipe_pair() {
    close_read_end();
    close_write_end();
  }
  void close_read_end() {
    if (read_end >= 0) ::close(read_end);
    read_end = -1;
  }
  void close_write_end() {
    if (write_end >= 0) ::close(write_end);
    write_end = -1;
  }
};

/// Makes a file standard input for a while.
class replaced_input {
 public:
  explicit replaced_input(const std::string& path)
      : old_(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0 || ::dup2(file, STDIN_FILENO) < 0) throw std::runtime_error("no " + path);
    ::close(file);
  }
  replaced_input(const replaced_input&) = delete;
  replaced_input& operator=(const replaced_input&) = delete;
  ~replaced_input() {
    if (::dup2(old_, STDIN_FILENO) < 0) ::close(STDIN_FILENO);
    ::close(old_);
  }

 private:
  int old_;
};

/// Ignores a signal for a while.
class ignored_signal {
 public:
  explicit ignored_signal(int number) : number_(number), old_(std::signal(number, SIG_IGN)) {}
  ignored_signal(const ignored_signal&) = delete;
  ignored_signal& operator=(const ignored_signal&) = delete;
  ~ignored_signal() { std::signal(number_, old_); }

 private:
  int number_;
  void (*old_)(int);
};

/// Lets no file become larger than this for a while: the stand-in for a medium that fills up.
class file_size_limit {
 public:
  explicit file_size_limit(std::uint64_t bytes) : ignored_(SIGXFSZ) {
    ::getrlimit(RLIMIT_FSIZE, &old_);
    struct rlimit limit = old_;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  file_size_limit(const file_size_limit&) = delete;
  file_size_limit& operator=(const file_size_limit&) = delete;
  ~file_size_limit() { ::setrlimit(RLIMIT_FSIZE, &old_); }

 private:
  ignored_signal ignored_;
  struct rlimit old_{};
};

/// A block device over a file, where this machine and user may have one.
class loop_device {
 public:
  explicit loop_device(std::uint64_t size_bytes) {
    write_file(folder_ / "disk", {});
    std::filesystem::resize_file(folder_ / "disk", size_bytes);
    const std::string command = "losetup --show -f '" + (folder_ / "disk") + "' 2>/dev/null";
    if (FILE* output = ::popen(command.c_str(), "r")) {
      char line[64] = {};
      if (std::fgets(line, sizeof line, output) != nullptr) path_ = line;
      (void)::pclose(output);
    }
    if (!path_.empty() && path_.back() == '\n') path_.pop_back();
    if (path_.empty()) return;
    // Detached while it is open, it goes with the last who has it open, even in a crash.
    open_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    (void)!std::system(("losetup -d " + path_).c_str());
    if (open_ < 0) path_.clear();
  }
  loop_device(const loop_device&) = delete;
  loop_device& operator=(const loop_device&) = delete;
  ~loop_device() {
    if (open_ >= 0) ::close(open_);
  }

  /// True where there is none, which the test then says.
  [[nodiscard]] bool is_missing() const {
    if (path_.empty()) WARN("no loop device here");
    return path_.empty();
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  temporary_folder folder_;
  std::string path_;
  int open_ = -1;
};

}  // namespace hosted_testing
