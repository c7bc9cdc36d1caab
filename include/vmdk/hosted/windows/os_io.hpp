// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/hosted/os_types.hpp"
#include "vmdk/hosted/windows/os.hpp"
#include "vmdk/io/concepts.hpp"

#if defined(_WIN32)
#include <cerrno>
#include <cstddef>
#include <cstdint>

/// The calls that read and write open files. Each returns 0 or an errno, and finishes what the
/// system did in part.
namespace vmdk::detail::os {

/// Windows finds out by itself.
inline void expect_sequential_reads(const handle&) noexcept {}

/// Network drives refuse more than this in one call.
inline constexpr std::size_t largest_call_bytes = std::size_t{32} << 20;

[[nodiscard]] inline DWORD call_bytes(std::size_t wanted) noexcept {
  return static_cast<DWORD>(smaller_of(wanted, largest_call_bytes));
}

/// The place of a read or write, for a file that is not asynchronous either.
[[nodiscard]] inline OVERLAPPED place_of(std::uint64_t offset) noexcept {
  OVERLAPPED place{};
  place.Offset = static_cast<DWORD>(offset);
  place.OffsetHigh = static_cast<DWORD>(offset >> 32);
  return place;
}

/// Reads at an offset; `done` falls short of the span where the file ends or the call fails.
[[nodiscard]] inline int read_at(const handle& file, std::uint64_t offset, byte_span out,
                                 std::size_t& done) noexcept {
  done = 0;
  while (done < out.size()) {
    OVERLAPPED place = place_of(offset + done);
    DWORD got = 0;
    if (::ReadFile(file.get(), out.data() + done, call_bytes(out.size() - done), &got, &place) ==
        0) {
      return ::GetLastError() == ERROR_HANDLE_EOF ? 0 : last_errno();
    }
    if (got == 0) return 0;
    done += got;
  }
  return 0;
}

/// Writes at an offset; after an error `done` bytes are written.
[[nodiscard]] inline int write_at(const handle& file, std::uint64_t offset, byte_view bytes,
                                  std::size_t& done) noexcept {
  done = 0;
  while (done < bytes.size()) {
    OVERLAPPED place = place_of(offset + done);
    DWORD put = 0;
    if (::WriteFile(file.get(), bytes.data() + done, call_bytes(bytes.size() - done), &put,
                    &place) == 0) {
      return last_errno();
    }
    if (put == 0) return EIO;
    done += put;
  }
  return 0;
}

/// Reads what there is of a stream, at least one byte; 0 at the end.
[[nodiscard]] inline int read_some(const handle& file, byte_span out, std::size_t& done) noexcept {
  DWORD got = 0;
  done = 0;
  if (::ReadFile(file.get(), out.data(), call_bytes(out.size()), &got, nullptr) == 0) {
    // A pipe whose writer has gone is at its end.
    const int error = last_errno();
    return error == EPIPE ? 0 : error;
  }
  done = got;
  return 0;
}

/// Writes all bytes to a stream; after an error `done` bytes are written.
[[nodiscard]] inline int write_stream(const handle& file, byte_view bytes,
                                      std::size_t& done) noexcept {
  done = 0;
  while (done < bytes.size()) {
    DWORD put = 0;
    if (::WriteFile(file.get(), bytes.data() + done, call_bytes(bytes.size() - done), &put,
                    nullptr) == 0) {
      return last_errno();
    }
    if (put == 0) return EIO;
    done += put;
  }
  return 0;
}

/// Finds the first data at or after an offset below `size_bytes`, as far as the file system knows;
/// none, at `size_bytes`, when there is none. ENXIO: the file has become shorter, and ends at
/// `found.offset`.
[[nodiscard]] inline int find_data(const handle& file, std::uint64_t offset,
                                   std::uint64_t size_bytes, range& found) noexcept {
  found = {offset, size_bytes - offset};
  FILE_ALLOCATED_RANGE_BUFFER asked{};
  asked.FileOffset.QuadPart = static_cast<LONGLONG>(offset);
  asked.Length.QuadPart = static_cast<LONGLONG>(size_bytes - offset);
  FILE_ALLOCATED_RANGE_BUFFER first{};
  DWORD got = 0;
  if (::DeviceIoControl(file.get(), FSCTL_QUERY_ALLOCATED_RANGES, &asked, sizeof asked, &first,
                        sizeof first, &got, nullptr) == 0 &&
      ::GetLastError() != ERROR_MORE_DATA) {
    return 0;  // Holes are not known here.
  }
  if (got < sizeof first) {
    file_status status;
    if (const int error = get_status(file, status)) return error;
    const bool is_cut = status.size_bytes < size_bytes;
    found = {is_cut ? status.size_bytes : size_bytes, 0};
    return is_cut ? ENXIO : 0;
  }
  const auto start = static_cast<std::uint64_t>(first.FileOffset.QuadPart);
  const std::uint64_t end = start + static_cast<std::uint64_t>(first.Length.QuadPart);
  found.offset = larger_of(start, offset);
  found.bytes = smaller_of(end, size_bytes) - found.offset;
  return 0;
}

/// Cuts a regular file, or lets it grow by a hole.
[[nodiscard]] inline int set_size(const handle& file, std::uint64_t size_bytes) noexcept {
  if (size_bytes >> 63 != 0) return EFBIG;
  FILE_END_OF_FILE_INFO end{};
  end.EndOfFile.QuadPart = static_cast<LONGLONG>(size_bytes);
  const BOOL ok = ::SetFileInformationByHandle(file.get(), FileEndOfFileInfo, &end, sizeof end);
  return ok != 0 ? 0 : last_errno();
}

/// Waits until the medium has everything about a file. A folder, which Windows keeps in its own
/// journal, counts as done.
[[nodiscard]] inline int sync_all(const handle& file) noexcept {
  if (::FlushFileBuffers(file.get()) != 0) return 0;
  const int error = last_errno();
  file_status status;
  const bool is_folder = get_status(file, status) == 0 && status.kind == file_kind::directory;
  return is_folder ? 0 : error;
}

/// Waits until the medium has the bytes, and what is needed to find them again.
[[nodiscard]] inline int sync_data(const handle& file) noexcept { return sync_all(file); }

/// There are no block devices to make zeros in.
[[nodiscard]] inline int zero_device(const handle&, std::uint64_t, std::uint64_t,
                                     std::uint64_t& done) noexcept {
  done = 0;
  return ENOTSUP;
}

/// Maps the first n bytes of a file, which are not 0, for reading.
[[nodiscard]] inline int map(const handle& file, std::size_t n, byte_view& bytes) noexcept {
  const handle mapping(::CreateFileMappingW(file.get(), nullptr, PAGE_READONLY, 0, 0, nullptr));
  if (!mapping) return last_errno();
  const void* const address = ::MapViewOfFile(mapping.get(), FILE_MAP_READ, 0, 0, n);
  if (address == nullptr) return last_errno();
  bytes = byte_view(static_cast<const std::byte*>(address), n);
  return 0;
}

/// Gives up what `map` gave.
inline void unmap(byte_view bytes) noexcept { (void)::UnmapViewOfFile(bytes.data()); }

}  // namespace vmdk::detail::os
#endif
