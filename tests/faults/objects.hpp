// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string_view>
#include <utility>

#include "tests/faults/images.hpp"
#include "tests/support/faults.hpp"
#include "tests/support/memory_files.hpp"
#include "vmdk/io/concepts.hpp"

namespace fault_testing {

/// All images under their names; each call may fail.
class failing_files {
 public:
  explicit failing_files(fault& f) : fault_(&f) {
    files_.put("child.vmdk", child_file());
    files_.put("parent.vmdk", parent_file());
    files_.put("stream.vmdk", stream_file());
  }

  result<file_id> open(std::string_view name) noexcept {
    if (failure f = fault_->next(false)) return f;
    return files_.open(name);
  }
  std::uint64_t size(file_id id) const noexcept { return files_.size(id); }
  failure read_at(file_id id, std::uint64_t offset, byte_span out) noexcept {
    if (failure f = fault_->next(false)) return f;
    return files_.read_at(id, offset, out);
  }

 private:
  fault* fault_;
  testing_support::memory_files files_;
};

/// Memory as a pipe that gives up to 700 bytes at a time.
class failing_pipe {
 public:
  failing_pipe(byte_view bytes, fault& f) : bytes_(bytes), fault_(&f) {}

  result<std::size_t> read(byte_span out) noexcept {
    if (failure f = fault_->next()) return f;
    const std::size_t n = smaller_of(smaller_of(out.size(), std::size_t{700}), bytes_.size());
    copy_bytes(out.data(), bytes_.data(), n);
    bytes_ = bytes_.subspan(n);
    return n;
  }

 private:
  byte_view bytes_;
  fault* fault_;
};

/// A disk that is written front to back, and knows holes.
class failing_disk {
 public:
  explicit failing_disk(fault& f) : fault_(&f) {}

  failure write(byte_view bytes) noexcept {
    if (failure f = fault_->next()) return f;
    content_.insert(content_.end(), bytes.begin(), bytes.end());
    return no_failure;
  }
  failure skip(std::uint64_t n) noexcept {
    if (failure f = fault_->next()) return f;
    content_.resize(content_.size() + static_cast<std::size_t>(n));
    return no_failure;
  }
  const contents& content() const { return content_; }

 private:
  fault* fault_;
  contents content_;
};

/// A file in memory that is read and written in place.
class failing_storage {
 public:
  failing_storage(fault& f, contents content) : fault_(&f), file_(f, std::move(content)) {}

  std::uint64_t size() const noexcept { return file_.content().size(); }
  failure read_at(std::uint64_t offset, byte_span out) noexcept {
    failing_source source(file_.content(), *fault_);
    return source.read_at(offset, out);
  }
  failure write(byte_view bytes) noexcept { return file_.write(bytes); }
  failure write_at(std::uint64_t offset, byte_view bytes) noexcept {
    return file_.write_at(offset, bytes);
  }
  failure resize(std::uint64_t size_bytes) noexcept { return file_.resize(size_bytes); }
  failure flush() noexcept { return file_.flush(); }
  const contents& content() const { return file_.content(); }

 private:
  fault* fault_;
  failing_file file_;
};

static_assert(Files<failing_files> && SequentialSource<failing_pipe>);
static_assert(HoleSink<failing_disk> && Storage<failing_storage>);

}  // namespace fault_testing
