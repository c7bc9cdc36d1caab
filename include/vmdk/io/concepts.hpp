// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "vmdk/core/bytes.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/core/result.hpp"

namespace vmdk {

/// A run of bytes of a disk or a file.
struct range {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;

  [[nodiscard]] constexpr std::uint64_t end() const noexcept { return offset + bytes; }
  [[nodiscard]] friend constexpr bool operator==(const range&, const range&) noexcept = default;
};

/// Can be read at random: a raw file, memory, an opened VMDK, a slice of another Source.
/// `read_at` fills the whole span or says why not (errc::out_of_range past the end); after a
/// failure the span's bytes are unspecified and the object is as good as before.
template <class T>
concept Source = requires(T& source, const T& constant, std::uint64_t offset, byte_span out) {
  { constant.size() } noexcept -> std::same_as<std::uint64_t>;
  { source.read_at(offset, out) } noexcept -> std::same_as<failure>;
};

/// Knows its holes. `next_data(offset)` is the first range at or after the offset that may hold
/// something else than zeros; its length is 0, at size(), when only zeros are left. Another may
/// follow it at once.
template <class T>
concept SparseSource = Source<T> && requires(T& source, std::uint64_t offset) {
  { source.next_data(offset) } noexcept -> std::same_as<result<range>>;
};

/// Lies in memory: `view` gives n bytes at an offset, inside size(), without copying them.
template <class T>
concept MappedSource = Source<T> && requires(T& source, std::uint64_t offset, std::size_t n) {
  { source.view(offset, n) } noexcept -> std::same_as<byte_view>;
};

/// Can only be read front to back: a pipe, a network connection. `read` gives at least one byte, or
/// 0 at the end. After a failure every further call fails alike.
template <class T>
concept SequentialSource = requires(T& source, byte_span out) {
  { source.read(out) } noexcept -> std::same_as<result<std::size_t>>;
};

/// Reads a stream that cannot go back, and knows whether it ended where it should: `finish` drops
/// what is left of it and fails when there is less or more than its size.
template <class T>
concept FinishingSource = Source<T> && requires(T& source) {
  { source.finish() } noexcept -> std::same_as<failure>;
};

/// Takes bytes one after the other: a pipe, a UART, a socket. All of them, or why not; after a
/// failure every further call fails alike.
template <class T>
concept Sink = requires(T& sink, byte_view bytes) {
  { sink.write(bytes) } noexcept -> std::same_as<failure>;
};

/// Can also write anywhere. `write_at` takes an offset up to the present size and does not move the
/// place of `write`; `resize` cuts, or adds bytes that READ AS ZERO.
template <class T>
concept SeekableSink =
    Sink<T> && requires(T& sink, std::uint64_t offset, byte_view bytes, std::uint64_t size) {
      { sink.write_at(offset, bytes) } noexcept -> std::same_as<failure>;
      { sink.resize(size) } noexcept -> std::same_as<failure>;
    };

/// Can leave n bytes out that READ AS ZERO afterwards (a device that cannot do so writes zeros).
template <class T>
concept HoleSink = Sink<T> && requires(T& sink, std::uint64_t n) {
  { sink.skip(n) } noexcept -> std::same_as<failure>;
};

/// Has a barrier: what was written before `flush` is on the medium before anything written after.
template <class T>
concept Flushable = requires(T& object) {
  { object.flush() } noexcept -> std::same_as<failure>;
};

/// One object that is read and written in place.
template <class T>
concept Storage = Source<T> && SeekableSink<T> && Flushable<T>;

/// A file that a `Files` object opened.
struct file_id {
  std::uint32_t value = 0;
  [[nodiscard]] friend constexpr bool operator==(const file_id&, const file_id&) noexcept = default;
};

/// The only way from a name inside an image to bytes. The caller decides which names it knows.
/// Two names of one file must give one id.
template <class T>
concept Files = requires(T& files, const T& constant, std::string_view name, file_id id,
                         std::uint64_t offset, byte_span out) {
  { files.open(name) } noexcept -> std::same_as<result<file_id>>;
  { constant.size(id) } noexcept -> std::same_as<std::uint64_t>;
  { files.read_at(id, offset, out) } noexcept -> std::same_as<failure>;
};

/// Has files in several folders. `open_beside` is `open` for a name inside a file that is open: it
/// looks where that file lies first, and gives the file itself only when no other has the name.
template <class T>
concept FolderFiles = Files<T> && requires(T& files, file_id opener, std::string_view name) {
  { files.open_beside(opener, name) } noexcept -> std::same_as<result<file_id>>;
};

/// Takes the files of an image that has several. `create` gives an empty file, which stays valid
/// until the next `create`, `commit` or `abort`; nothing has its final name before `commit`, and
/// the file created last appears last.
template <class T>
concept SinkDirectory = requires(T& directory, std::string_view name) {
  typename T::sink_type;
  requires SeekableSink<typename T::sink_type>;
  { directory.create(name) } noexcept -> std::same_as<result<typename T::sink_type*>>;
  { directory.commit() } noexcept -> std::same_as<failure>;
  { directory.abort() } noexcept;
};

}  // namespace vmdk
