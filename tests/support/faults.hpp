// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "vmdk/codec/concepts.hpp"
#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/failure.hpp"
#include "vmdk/io/concepts.hpp"

/// Objects that fail at the n-th call, so that a loop over n meets every call there is.
namespace testing_support {

/// Counts calls, and says when one of them has to fail.
class fault {
 public:
  fault() = default;
  fault(std::uint64_t at_call, vmdk::failure why) : at_call_(at_call), why_(why) {}
  /// Fails once or for ever, whatever is usual for the object that fails.
  fault(std::uint64_t at_call, vmdk::failure why, bool for_ever)
      : at_call_(at_call), why_(why), for_ever_(for_ever) {}

  /// The failure of this call; unless said otherwise every later one fails
  /// alike if `sticky`.
  vmdk::failure next(bool sticky = true) {
    const std::uint64_t call = calls_++;
    const bool now = for_ever_.value_or(sticky) ? call >= at_call_ : call == at_call_;
    return now ? why_ : vmdk::no_failure;
  }

  /// True when the call that had to fail came.
  bool happened() const { return calls_ > at_call_; }
  bool is_for_ever() const { return for_ever_.value_or(false); }

 private:
  std::uint64_t at_call_ = ~std::uint64_t{0};
  vmdk::failure why_{};
  std::optional<bool> for_ever_{};
  std::uint64_t calls_ = 0;
};

/// A sink in memory that is written at its end only, and does not know holes.
class failing_stream {
 public:
  explicit failing_stream(fault& f) : fault_(&f) {}

  vmdk::failure write(vmdk::byte_view bytes) noexcept {
    if (vmdk::failure f = fault_->next()) return f;
    content_.insert(content_.end(), bytes.begin(), bytes.end());
    return vmdk::no_failure;
  }
  const std::vector<std::byte>& content() const { return content_; }

 private:
  fault* fault_;
  std::vector<std::byte> content_;
};

/// A sink in memory that can be written anywhere, and has a barrier.
class failing_file {
 public:
  explicit failing_file(fault& f, std::vector<std::byte> content = {})
      : fault_(&f), content_(std::move(content)) {}

  vmdk::failure write(vmdk::byte_view bytes) noexcept { return write_at(content_.size(), bytes); }
  vmdk::failure write_at(std::uint64_t offset, vmdk::byte_view bytes) noexcept {
    if (vmdk::failure f = fault_->next()) return f;
    if (offset > content_.size()) return vmdk::sink_failure(vmdk::errc::out_of_range, offset);
    const auto at = static_cast<std::size_t>(offset);
    if (content_.size() < at + bytes.size()) content_.resize(at + bytes.size());
    vmdk::copy_bytes(content_.data() + at, bytes.data(), bytes.size());
    return vmdk::no_failure;
  }
  vmdk::failure resize(std::uint64_t size_bytes) noexcept {
    if (vmdk::failure f = fault_->next()) return f;
    content_.resize(static_cast<std::size_t>(size_bytes));
    return vmdk::no_failure;
  }
  vmdk::failure flush() noexcept { return fault_->next(); }
  const std::vector<std::byte>& content() const { return content_; }

 private:
  fault* fault_;
  std::vector<std::byte> content_;
};

/// A source in memory that knows no holes and cannot be seen in place. One bad read does not hide
/// the next.
class failing_source {
 public:
  failing_source(vmdk::byte_view bytes, fault& f) : bytes_(bytes), fault_(&f) {}

  std::uint64_t size() const noexcept { return bytes_.size(); }
  vmdk::failure read_at(std::uint64_t offset, vmdk::byte_span out) noexcept {
    if (vmdk::failure f = fault_->next(false)) return f;
    if (!vmdk::fits_inside(offset, out.size(), bytes_.size())) {
      return vmdk::source_failure(vmdk::errc::out_of_range, offset);
    }
    vmdk::copy_bytes(out.data(), bytes_.data() + offset, out.size());
    return vmdk::no_failure;
  }

 private:
  vmdk::byte_view bytes_;
  fault* fault_;
};

/// An encoder that fails between calls of another one.
template <vmdk::Encoder E>
class failing_encoder {
 public:
  explicit failing_encoder(fault* f = nullptr) : fault_(f) {}

  static constexpr std::size_t bound(std::size_t n) noexcept { return E::bound(n); }
  vmdk::result<std::size_t> encode(vmdk::byte_view in, vmdk::byte_span out) noexcept {
    if (fault_ != nullptr) {
      if (vmdk::failure f = fault_->next(false)) return f;
    }
    return inner_.encode(in, out);
  }

 private:
  fault* fault_;
  E inner_{};
};

static_assert(vmdk::Sink<failing_stream> && !vmdk::SeekableSink<failing_stream>);
static_assert(vmdk::SeekableSink<failing_file> && vmdk::Flushable<failing_file>);
static_assert(vmdk::Source<failing_source> && !vmdk::MappedSource<failing_source>);

}  // namespace testing_support
