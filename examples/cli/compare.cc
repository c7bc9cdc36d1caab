// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "commands.hpp"
#include "disk.hpp"
#include "error.hpp"
#include "memory.hpp"
#include "progress.hpp"
#include "text.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/units.hpp"

namespace vmdk::cli {
namespace {

/// One side of a comparison: a disk, followed by zeros without end.
class side {
 public:
  explicit side(disk& content) noexcept : content_(&content) {}

  [[nodiscard]] std::uint64_t size() const noexcept { return content_->size(); }

  /// The first byte at or after an offset that may be something else than zero; `limit` when there
  /// is none before it.
  std::uint64_t data_from(std::uint64_t offset, std::uint64_t limit) {
    if (offset >= size()) return limit;
    if (offset >= data_.end() && !at_end_) {
      const auto found = content_->next_data(offset);
      if (!found) fail(content_->file_of(found.error()), found.error());
      data_ = *found;
      at_end_ = found->bytes == 0;
    }
    if (at_end_) return limit;
    return std::min(std::max(offset, data_.offset), limit);
  }

  /// Reads a block, or gives zeros where the disk has none.
  byte_view read(std::uint64_t offset, byte_span buffer) {
    const std::uint64_t left = offset < size() ? size() - offset : 0;
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer.size()));
    if (failure why = n == 0 ? no_failure : content_->read_at(offset, buffer.first(n))) {
      fail(content_->file_of(why), why);
    }
    zero_bytes(buffer.subspan(n));
    return buffer;
  }

  /// True when there is nothing but zeros up to `end`, as far as the disk knows without reading.
  [[nodiscard]] bool is_hole(std::uint64_t offset, std::uint64_t end) {
    return data_from(offset, end) == end;
  }

 private:
  disk* content_;
  range data_{};
  bool at_end_ = false;
};

/// The first byte that differs.
std::optional<std::uint64_t> find_difference(side& a, side& b) {
  const std::uint64_t end = std::max(a.size(), b.size());
  progress shown(end);
  const byte_span memory(bulk_memory);
  for (std::uint64_t at = 0;;) {
    at = std::min(a.data_from(at, end), b.data_from(at, end));
    if (at == end) return std::nullopt;
    const auto n =
        static_cast<std::size_t>(std::min<std::uint64_t>(block_bytes - at % block_bytes, end - at));
    const bool a_is_hole = a.is_hole(at, at + n);
    const bool b_is_hole = b.is_hole(at, at + n);
    const byte_span a_buffer = memory.first(n);
    const byte_span b_buffer = memory.subspan(block_bytes, n);
    if (a_is_hole || b_is_hole) {
      const byte_view data = a_is_hole ? b.read(at, b_buffer) : a.read(at, a_buffer);
      if (!is_zero(data)) {
        const auto* const first = std::find_if(data.data(), data.data() + n,
                                               [](std::byte x) { return x != std::byte{0}; });
        return at + static_cast<std::uint64_t>(first - data.data());
      }
    } else {
      const byte_view left = a.read(at, a_buffer);
      const byte_view right = b.read(at, b_buffer);
      if (!equal_bytes(left.data(), right.data(), n)) {
        const auto* const first = std::mismatch(left.data(), left.data() + n, right.data()).first;
        return at + static_cast<std::uint64_t>(first - left.data());
      }
    }
    at += n;
    shown.reached(at);
  }
}

}  // namespace

int run_compare(const compare_arguments& told) {
  if (told.first.path == "-" && told.second.path == "-") {
    throw error("standard input", "cannot be both sides");
  }
  const std::unique_ptr<disk> first = open_disk(told.first);
  const std::unique_ptr<disk> second = open_disk(told.second);
  side a(*first);
  side b(*second);
  if (const auto difference = find_difference(a, b)) {
    print("different: at byte " + std::to_string(*difference) + ", in sector " +
          std::to_string(*difference / sector_bytes) + '\n');
    return status_negative;
  }
  std::string text = "identical";
  if (a.size() != b.size()) {
    const bool first_is_longer = a.size() > b.size();
    const std::uint64_t more = first_is_longer ? a.size() - b.size() : b.size() - a.size();
    text += "; " + printable(name_of_input(first_is_longer ? told.first.path : told.second.path)) +
            " goes on for " + counted(more, "zero byte");
  }
  print(text + '\n');
  return status_done;
}

}  // namespace vmdk::cli
