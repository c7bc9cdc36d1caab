// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cerrno>
#include <string>
#include <utility>
#include <variant>

#include "vmdk/core/failure.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/hosted/atomic_file.hpp"
#include "vmdk/hosted/device_sink.hpp"
#include "vmdk/hosted/os_names.hpp"
#include "vmdk/hosted/stream_sink.hpp"

namespace vmdk {

/// Writes to whatever a path leads to, as a program's output: a new or regular file through an
/// atomic_file, a block device through a device_sink, a FIFO or a character device through a
/// stream_sink. Nodes are written in place, never renamed over or removed. Movable only.
class output_file {
 public:
  /// Writes nothing until another one is moved here.
  output_file() noexcept = default;

  /// Opens the output. Errors, of origin::sink with errno in `detail`: those of the three; a block
  /// device is errc::already_exists unless `existing` says replace; a directory or a socket is
  /// errc::file_not_regular.
  [[nodiscard]] static result<output_file> open(
      const std::string& path, existing_file existing = existing_file::refuse) noexcept {
    switch (const file_kind kind = kind_of(path)) {
      case file_kind::none:
      case file_kind::regular:
        return from(atomic_file::create(path, existing));
      case file_kind::block_device:
        if (existing == existing_file::refuse) return detail::os::write_error(EEXIST);
        return from(device_sink::open(path));
      case file_kind::character_device:
      case file_kind::fifo:
        return from(stream_sink::open(path));
      default:
        return detail::os::write_error(detail::os::errno_of_kind(kind));
    }
  }

  [[nodiscard]] static output_file standard_output() noexcept {
    output_file output;
    output.target_ = stream_sink::standard_output();
    return output;
  }

  /// Calls `write(sink)` with a file_sink&, device_sink& or stream_sink&, and returns what it
  /// returns. The function must not throw.
  template <class Write>
  auto with_sink(Write&& write) noexcept {
    if (auto* file = std::get_if<atomic_file>(&target_)) return write(file->sink());
    if (auto* device = std::get_if<device_sink>(&target_)) return write(*device);
    return write(*std::get_if<stream_sink>(&target_));
  }

  /// True when `with_sink` gives a sink that can be written at any place.
  [[nodiscard]] bool is_seekable() const noexcept {
    return !std::holds_alternative<stream_sink>(target_);
  }

  /// As atomic_file::temporary_path.
  [[nodiscard]] std::string temporary_path() const noexcept {
    const auto* file = std::get_if<atomic_file>(&target_);
    return file != nullptr ? file->temporary_path() : std::string();
  }

  /// Completes the output; without it a file does not appear. Errors: those of the sink, an earlier
  /// one too; those of atomic_file::commit.
  failure commit() noexcept {
    if (auto* file = std::get_if<atomic_file>(&target_)) return file->commit();
    if (auto* device = std::get_if<device_sink>(&target_)) return device->flush();
    return std::get_if<stream_sink>(&target_)->close();
  }

 private:
  template <class T>
  static result<output_file> from(result<T> opened) noexcept {
    if (!opened) return opened.error();
    output_file output;
    output.target_ = std::move(opened).value();
    return output;
  }

  std::variant<stream_sink, atomic_file, device_sink> target_;
};

}  // namespace vmdk
