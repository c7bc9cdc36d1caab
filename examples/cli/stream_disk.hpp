// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "codecs.hpp"
#include "disk.hpp"
#include "vmdk/hosted/pipe_source.hpp"
#include "vmdk/reader/stream.hpp"

namespace vmdk::cli {

/// The disk inside a streamOptimized VMDK that comes through a pipe: its offsets may only ascend.
class stream_disk final : public disk {
 public:
  /// Reads up to the first grain. Throws an error, also for a VMDK that is no stream.
  stream_disk(std::string name, pipe_source source, codec which);

  [[nodiscard]] std::uint64_t size() const noexcept override { return stream_.size(); }
  failure read_at(std::uint64_t offset, byte_span out) noexcept override;
  result<range> next_data(std::uint64_t offset) noexcept override;
  [[nodiscard]] bool can_go_back() const noexcept override { return false; }
  [[nodiscard]] std::size_t compressed_grain_bytes() const noexcept override {
    return grain_.size();
  }
  failure finish() noexcept override;
  failure expand_all(unsigned threads, const take_bytes& take) noexcept override;
  [[nodiscard]] std::string file_of(const failure&) const override { return name_; }

 private:
  failure go_to(std::uint64_t offset) noexcept;

  std::string name_;
  pipe_source source_;
  stream_reader<pipe_source> stream_;
  codec codec_;
  any_decoder decoder_;
  std::vector<std::byte> grain_;
  std::vector<std::byte> input_;
  range present_{};           ///< What the disk has of the grain in hand; empty at the end.
  std::uint64_t passed_ = 0;  ///< Where the last grain that was given up ended.
  bool is_expanded_ = false;
  bool has_ended_ = false;
};

}  // namespace vmdk::cli
