// SPDX-License-Identifier: BSD-2-Clause
#include "tests/hosted/failing_calls.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <new>
#include <type_traits>

namespace hosted_testing {

namespace {

thread_local answered_call* latest = nullptr;
thread_local std::size_t longest_transfer = std::numeric_limits<std::size_t>::max();

/// The call that a program without this file would make: a sanitizer's, or the C library's.
template <class Function>
Function* next_of(Function*, const char* name) {
  char intercepted[64];
  (void)std::snprintf(intercepted, sizeof intercepted, "__interceptor_%s", name);
  void* found = ::dlsym(RTLD_DEFAULT, intercepted);
  if (found == nullptr) found = ::dlsym(RTLD_NEXT, name);
  return reinterpret_cast<Function*>(found);
}

}  // namespace

answered_call::answered_call(std::string_view name, answer says)
    : name_(name), says_(std::move(says)), older_(std::exchange(latest, this)) {}

answered_call::~answered_call() { latest = older_; }

std::optional<long> answered_call::find(std::string_view name) {
  for (answered_call* one = latest; one != nullptr; one = one->older_) {
    if (one->name_ != name) continue;
    if (const auto said = one->says_(one->calls_++)) return said;
  }
  return std::nullopt;
}

short_transfers::short_transfers(std::size_t bytes) { longest_transfer = bytes; }

short_transfers::~short_transfers() { longest_transfer = std::numeric_limits<std::size_t>::max(); }

namespace {

/// Answers a call, or makes it.
template <class Function, class... Arguments>
auto call(const char* name, Function* self, Arguments... arguments) {
  using returned = decltype(self(arguments...));
  if (const auto said = answered_call::find(name)) {
    if constexpr (std::is_pointer_v<returned>) {
      return reinterpret_cast<returned>(*said);
    } else {
      return static_cast<returned>(*said);
    }
  }
  return next_of(self, name)(arguments...);
}

std::size_t smaller_transfer(std::size_t n) { return std::min(n, longest_transfer); }

}  // namespace

}  // namespace hosted_testing

using hosted_testing::call;
using hosted_testing::smaller_transfer;

extern "C" {

int open(const char* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & O_CREAT) != 0) {
    std::va_list more;
    va_start(more, flags);
    mode = static_cast<mode_t>(va_arg(more, unsigned));
    va_end(more);
  }
  return call("open", open, path, flags, mode);
}
int openat(int folder, const char* name, int flags, ...) {
  mode_t mode = 0;
  if ((flags & O_CREAT) != 0) {
    std::va_list more;
    va_start(more, flags);
    mode = static_cast<mode_t>(va_arg(more, unsigned));
    va_end(more);
  }
  return call("openat", openat, folder, name, flags, mode);
}
int close(int file) { return call("close", close, file); }
int fstat(int file, struct stat* status) noexcept { return call("fstat", fstat, file, status); }
int fstatat(int folder, const char* name, struct stat* status, int flags) noexcept {
  return call("fstatat", fstatat, folder, name, status, flags);
}
off_t lseek(int file, off_t offset, int from) noexcept {
  return call("lseek", lseek, file, offset, from);
}
ssize_t pread(int file, void* bytes, std::size_t n, off_t offset) {
  return call("pread", pread, file, bytes, smaller_transfer(n), offset);
}
ssize_t pwrite(int file, const void* bytes, std::size_t n, off_t offset) {
  return call("pwrite", pwrite, file, bytes, smaller_transfer(n), offset);
}
ssize_t read(int file, void* bytes, std::size_t n) {
  return call("read", read, file, bytes, smaller_transfer(n));
}
ssize_t write(int file, const void* bytes, std::size_t n) {
  return call("write", write, file, bytes, smaller_transfer(n));
}
int poll(struct pollfd* files, nfds_t n, int timeout) {
  return call("poll", poll, files, n, timeout);
}
int ftruncate(int file, off_t size) noexcept { return call("ftruncate", ftruncate, file, size); }
int fsync(int file) { return call("fsync", fsync, file); }
int fdatasync(int file) { return call("fdatasync", fdatasync, file); }
int ioctl(int file, unsigned long request, ...) noexcept {
  std::va_list more;
  va_start(more, request);
  void* const argument = va_arg(more, void*);
  va_end(more);
  return call("ioctl", ioctl, file, request, argument);
}
void* mmap(void* where, std::size_t n, int access, int flags, int file, off_t offset) noexcept {
  return call("mmap", mmap, where, n, access, flags, file, offset);
}
int fchown(int file, uid_t user, gid_t group) noexcept {
  return call("fchown", fchown, file, user, group);
}
int renameat(int old_folder, const char* from, int folder, const char* to) noexcept {
  return call("renameat", renameat, old_folder, from, folder, to);
}
int renameat2(int old_folder, const char* from, int folder, const char* to,
              unsigned flags) noexcept {
  return call("renameat2", renameat2, old_folder, from, folder, to, flags);
}
int linkat(int old_folder, const char* from, int folder, const char* to, int flags) noexcept {
  return call("linkat", linkat, old_folder, from, folder, to, flags);
}
int unlinkat(int folder, const char* name, int flags) noexcept {
  return call("unlinkat", unlinkat, folder, name, flags);
}
ssize_t readlink(const char* path, char* target, std::size_t n) noexcept {
  return call("readlink", readlink, path, target, n);
}
int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*work)(void*),
                   void* argument) noexcept {
  return call("pthread_create", pthread_create, thread, attributes, work, argument);
}
}

void* operator new(std::size_t n, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  if (hosted_testing::answered_call::find("operator new")) return nullptr;
  try {
    return ::operator new(n, alignment);
  } catch (...) {
    return nullptr;
  }
}
