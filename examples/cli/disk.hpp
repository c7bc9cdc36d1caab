// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec_name.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/io/concepts.hpp"

namespace vmdk::cli {

enum class disk_format : std::uint8_t { raw, vmdk };

/// What a user names as a source.
struct input {
  std::string path;                           ///< "-" is standard input.
  std::optional<disk_format> format{};        ///< Else by name and content.
  std::optional<std::uint64_t> size_bytes{};  ///< Of a raw disk that comes through a pipe.
  bool may_be_pipe = false;
  codec decoder = codec::libdeflate;           ///< What expands compressed grains.
  std::vector<std::string> allowed_folders{};  ///< Where further files of an image may lie.
};

/// Takes bytes that belong at an offset of a disk.
using take_bytes = std::function<failure(std::uint64_t offset, byte_view bytes)>;

/// The content of a disk, whatever it is stored in. SparseSource.
class disk {
 public:
  disk() = default;
  disk(const disk&) = delete;
  disk& operator=(const disk&) = delete;
  virtual ~disk() = default;

  [[nodiscard]] virtual std::uint64_t size() const noexcept = 0;
  virtual failure read_at(std::uint64_t offset, byte_span out) noexcept = 0;
  virtual result<range> next_data(std::uint64_t offset) noexcept = 0;

  /// False for a pipe, whose offsets may only ascend.
  [[nodiscard]] virtual bool can_go_back() const noexcept { return true; }
  /// Makes sure that a pipe ends where it should.
  virtual failure finish() noexcept { return no_failure; }
  /// The largest grain that reading expands; 0 where nothing is compressed.
  [[nodiscard]] virtual std::size_t compressed_grain_bytes() const noexcept { return 0; }
  /// The same disk for another thread to read at the same time, where that makes it faster. It does
  /// not outlive this one. Throws an error.
  [[nodiscard]] virtual std::unique_ptr<disk> another() const { return nullptr; }
  /// True when a path leads to one of several files that this disk is read from.
  [[nodiscard]] virtual bool is_read_from(const std::string& /*path*/) const noexcept {
    return false;
  }
  /// Gives all that a compressed disk from a pipe holds to `take`, in order, while several threads
  /// expand it; for disks that cannot go back and have compressed grains. Where grains are zeros
  /// nothing is given. Errors: those of the disk and of `take`, which must not throw.
  virtual failure expand_all(unsigned /*threads*/, const take_bytes& /*take*/) noexcept {
    return source_failure(errc::not_supported, 0);
  }
  /// The name, for messages, of the file that a failure of this disk speaks of.
  [[nodiscard]] virtual std::string file_of(const failure& why) const = 0;
};

/// Opens a source. Throws an error: a name that says raw and content that says VMDK do not go
/// together unless the user says which counts, because guessing what a stranger wrote is how hosts
/// leak files.
[[nodiscard]] std::unique_ptr<disk> open_disk(const input& from);

/// True when a path ends in .vmdk.
[[nodiscard]] bool is_named_vmdk(std::string_view path) noexcept;

/// True when a source and a destination lead to one file or block device that exists.
[[nodiscard]] bool is_same_file(const std::string& source, const std::string& destination) noexcept;

}  // namespace vmdk::cli
