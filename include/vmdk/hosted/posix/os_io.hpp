// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/hosted/os_types.hpp"
#include "vmdk/hosted/posix/os.hpp"
#include "vmdk/io/concepts.hpp"

#if !defined(_WIN32)
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__linux__)
#include <linux/fs.h>
#include <sys/ioctl.h>
#endif

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <limits>

/// The calls that read and write open files. Each returns 0 or an errno, repeats what a signal
/// interrupted and finishes what the system did in part.
namespace vmdk::detail::os {

/// Says that a file will be read front to back.
inline void expect_sequential_reads(const handle& file) noexcept {
#if defined(POSIX_FADV_SEQUENTIAL)
  (void)::posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
#else
  (void)file;
#endif
}

/// Waits until a descriptor that does not block is ready.
[[nodiscard]] inline int wait_for(const handle& file, short events) noexcept {
  struct pollfd waiting{file.get(), events, 0};
  while (::poll(&waiting, 1, -1) < 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

/// Some systems refuse more than this in one call.
inline constexpr std::size_t largest_call_bytes = std::size_t{1} << 30;

/// Reads at an offset; `done` falls short of the span where the file ends or the call fails.
[[nodiscard]] inline int read_at(const handle& file, std::uint64_t offset, byte_span out,
                                 std::size_t& done) noexcept {
  done = 0;
  while (done < out.size()) {
    const std::size_t wanted = smaller_of(out.size() - done, largest_call_bytes);
    const ssize_t got =
        ::pread(file.get(), out.data() + done, wanted, static_cast<off_t>(offset + done));
    if (got == 0) return 0;
    if (got > 0) {
      done += static_cast<std::size_t>(got);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

/// Writes at an offset; after an error `done` bytes are written.
[[nodiscard]] inline int write_at(const handle& file, std::uint64_t offset, byte_view bytes,
                                  std::size_t& done) noexcept {
  done = 0;
  while (done < bytes.size()) {
    const std::size_t wanted = smaller_of(bytes.size() - done, largest_call_bytes);
    const ssize_t put =
        ::pwrite(file.get(), bytes.data() + done, wanted, static_cast<off_t>(offset + done));
    if (put == 0) return EIO;
    if (put > 0) {
      done += static_cast<std::size_t>(put);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

/// Reads what there is of a stream, at least one byte; 0 at the end.
[[nodiscard]] inline int read_some(const handle& file, byte_span out, std::size_t& done) noexcept {
  done = 0;
  for (;;) {
    const ssize_t got = ::read(file.get(), out.data(), smaller_of(out.size(), largest_call_bytes));
    if (got >= 0) {
      done = static_cast<std::size_t>(got);
      return 0;
    }
    if (errno == EAGAIN) {
      if (const int error = wait_for(file, POLLIN)) return error;
    } else if (errno != EINTR) {
      return errno;
    }
  }
}

/// Writes all bytes to a stream; after an error `done` bytes are written.
[[nodiscard]] inline int write_stream(const handle& file, byte_view bytes,
                                      std::size_t& done) noexcept {
  done = 0;
  while (done < bytes.size()) {
    const std::size_t wanted = smaller_of(bytes.size() - done, largest_call_bytes);
    const ssize_t put = ::write(file.get(), bytes.data() + done, wanted);
    if (put > 0) {
      done += static_cast<std::size_t>(put);
    } else if (put == 0) {
      return EIO;
    } else if (errno == EAGAIN) {
      if (const int error = wait_for(file, POLLOUT)) return error;
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

/// Finds the first data at or after an offset below `size_bytes`, as far as the file system knows;
/// none, at `size_bytes`, when there is none. ENXIO: the file has become shorter, and ends at
/// `found.offset`.
[[nodiscard]] inline int find_data(const handle& file, std::uint64_t offset,
                                   std::uint64_t size_bytes, range& found) noexcept {
  found = {offset, size_bytes - offset};
#if defined(SEEK_DATA)
  const off_t data = ::lseek(file.get(), static_cast<off_t>(offset), SEEK_DATA);
  if (data < 0) {
    // Anything but "no data from here on" means that holes are not known here.
    if (errno != ENXIO) return 0;
    file_status status;
    if (const int error = get_status(file, status)) return error;
    if (status.kind == file_kind::regular && status.size_bytes < size_bytes) {
      found = {status.size_bytes, 0};
      return ENXIO;
    }
    found = {size_bytes, 0};
    return 0;
  }
  const auto start = static_cast<std::uint64_t>(data);
  if (start >= size_bytes) {
    found = {size_bytes, 0};
    return 0;
  }
  const off_t hole = ::lseek(file.get(), data, SEEK_HOLE);
  const std::uint64_t end =
      hole > data ? smaller_of(static_cast<std::uint64_t>(hole), size_bytes) : size_bytes;
  found = {start, end - start};
#endif
  return 0;
}

/// Cuts a regular file, or lets it grow by a hole.
[[nodiscard]] inline int set_size(const handle& file, std::uint64_t size_bytes) noexcept {
  if (size_bytes > static_cast<std::uint64_t>((std::numeric_limits<off_t>::max)())) return EFBIG;
  while (::ftruncate(file.get(), static_cast<off_t>(size_bytes)) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

/// Waits until the medium has the bytes, and what is needed to find them again.
[[nodiscard]] inline int sync_data(const handle& file) noexcept {
#if defined(__APPLE__)
  while (::fsync(file.get()) != 0) {
#else
  while (::fdatasync(file.get()) != 0) {
#endif
    if (errno != EINTR) return errno;
  }
  return 0;
}

/// Waits until the medium has everything about a file or a folder. What cannot be synchronised, as
/// some file systems' folders, counts as done.
[[nodiscard]] inline int sync_all(const handle& file) noexcept {
  while (::fsync(file.get()) != 0) {
    if (errno == EINVAL || errno == ENOTSUP) return 0;
    if (errno != EINTR) return errno;
  }
  return 0;
}

/// Makes a run of a block device zeros; after an error `done` bytes are.
[[nodiscard]] inline int zero_device(const handle& file, std::uint64_t offset, std::uint64_t n,
                                     std::uint64_t& done) noexcept {
  done = 0;
#if defined(BLKZEROOUT)
  // The device itself is asked for whole pages only, so that no page of the cache is cut in two.
  constexpr std::uint64_t page_bytes = 4096;
  const std::uint64_t inner = align_up(offset, page_bytes);
  const std::uint64_t inner_end = (offset + n) & ~(page_bytes - 1);
  bool ask_device = inner_end > inner && inner_end - inner >= zeros.size();
#endif
  while (done < n) {
    std::uint64_t wanted = smaller_of<std::uint64_t>(n - done, zeros.size());
#if defined(BLKZEROOUT)
    if (ask_device && offset + done == inner) {
      std::uint64_t run[2] = {inner, inner_end - inner};
      ask_device = false;
      if (::ioctl(file.get(), BLKZEROOUT, run) == 0) {
        done += inner_end - inner;
        continue;
      }
    } else if (ask_device) {
      wanted = smaller_of(wanted, inner - (offset + done));
    }
#endif
    std::size_t put = 0;
    const int error = write_at(file, offset + done,
                               byte_view(zeros.data(), static_cast<std::size_t>(wanted)), put);
    done += put;
    if (error != 0) return error;
  }
  return 0;
}

/// Maps the first n bytes of a file, which are not 0, for reading.
[[nodiscard]] inline int map(const handle& file, std::size_t n, byte_view& bytes) noexcept {
  void* const address = ::mmap(nullptr, n, PROT_READ, MAP_SHARED, file.get(), 0);
  if (address == MAP_FAILED) return errno;
  bytes = byte_view(static_cast<const std::byte*>(address), n);
  return 0;
}

/// Gives up what `map` gave.
inline void unmap(byte_view bytes) noexcept {
  // It was asked for without PROT_WRITE; munmap takes its address alone.
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
  (void)::munmap(const_cast<std::byte*>(bytes.data()), bytes.size());
}

}  // namespace vmdk::detail::os
#endif
