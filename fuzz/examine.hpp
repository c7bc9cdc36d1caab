// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "checked.hpp"
#include "choices.hpp"
#include "demand.hpp"
#include "vmdk/codec/inflate.hpp"
#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/reader/cursor.hpp"
#include "vmdk/reader/open.hpp"

namespace fuzzing {

/// A cursor with memory of exact sizes.
template <vmdk::Files F, class D>
class sized_cursor {
 public:
  sized_cursor(const vmdk::image<F>& image, std::size_t links, std::size_t table_bytes,
               std::size_t input_bytes)
      : caches_(links),
        tables_(links * table_bytes),
        grain_(image.compressed_grain_bytes()),
        input_(grain_.empty() ? 0 : input_bytes) {
    auto made =
        vmdk::image_cursor<F, D>::make(image, {caches_, tables_, grain_, input_}, *decoder_);
    demand(made.ok(), "a cursor takes the memory that is asked for");
    cursor = *made;
  }

  vmdk::image_cursor<F, D> cursor;

 private:
  std::vector<vmdk::link_cache> caches_;
  std::vector<std::byte> tables_;
  std::vector<std::byte> grain_;
  std::vector<std::byte> input_;
  std::unique_ptr<D> decoder_ = std::make_unique<D>();
};

/// Reads an opened image with much memory in one go and with little in pieces: the same bytes, or
/// the same failure, which is the image's own.
template <vmdk::Files F>
class two_readers {
 public:
  static constexpr std::size_t window_bytes = 20000;
  static constexpr int most_ranges = 24;

  two_readers(const vmdk::image<F>& image, generator& random)
      : random_(&random),
        much_(image, 4, 4096, 2 * std::size_t{image.compressed_grain_bytes()} + 512),
        little_(image, 1, 1024, 512),
        whole_(window_bytes),
        pieces_(window_bytes) {}

  /// Reads the beginning, the end and what holds data, as far as that is not too much.
  void read_around() {
    const std::uint64_t size = much_.cursor.size();
    demand(size != 0 && size == little_.cursor.size(), "a disk has one size, and not 0");
    read(0);
    read(size - vmdk::smaller_of<std::uint64_t>(size, window_bytes));
    read(random_->next() % size);
    walk(0);
    walk(random_->next() % size);
  }

  bool failed() const { return failed_; }

 private:
  /// Reads a window, and gives whether it could be read.
  bool read(std::uint64_t offset) {
    const auto n = static_cast<std::size_t>(
        vmdk::smaller_of<std::uint64_t>(window_bytes, much_.cursor.size() - offset));
    const vmdk::byte_span whole = vmdk::byte_span(whole_).first(n);
    const vmdk::byte_span pieces = vmdk::byte_span(pieces_).first(n);
    const vmdk::failure why = much_.cursor.read_at(offset, whole);
    vmdk::failure first;
    for (std::size_t at = 0; at < n && !first;) {
      const std::size_t now = std::min(n - at, 1 + random_->below(7000));
      first = little_.cursor.read_at(offset + at, pieces.subspan(at, now));
      at += now;
    }
    demand(why == first, "a failure hangs on neither memory nor pieces");
    demand(!why || why.from == vmdk::origin::image || why.from == vmdk::origin::codec,
           "a failure to read an image is the image's own");
    demand(why || std::equal(whole.begin(), whole.end(), pieces.begin()),
           "what is read hangs on neither memory nor pieces");
    note(why);
    last_bytes_ = n;
    return !why;
  }

  /// Keeps in mind that the image is broken. That nobody may read an extent is no such thing.
  void note(const vmdk::failure& why) {
    failed_ = failed_ || (why && why.code != vmdk::errc::extent_no_access);
  }

  /// Goes from one range of data to the next; what is between two reads as zeros.
  void walk(std::uint64_t at) {
    for (int i = 0; i < most_ranges && at < much_.cursor.size(); ++i) {
      const auto data = much_.cursor.next_data(at);
      const auto same = little_.cursor.next_data(at);
      demand(data.error() == same.error(), "a walk fails for one reason");
      if (!data) {
        note(data.error());
        return;
      }
      demand(data->offset == same->offset, "data begins at one place");
      demand(data->offset >= at && data->end() <= much_.cursor.size() && data->end() >= at,
             "data lies ahead, inside the disk");
      if (data->offset > at) {
        demand(read(at) || last_bytes_ > data->offset - at, "what holds no data can be read");
        const auto holes = static_cast<std::size_t>(
            vmdk::smaller_of<std::uint64_t>(last_bytes_, data->offset - at));
        demand(failed_ || vmdk::is_zero(whole_.data(), holes), "what holds no data is zeros");
      }
      if (data->bytes == 0) return;
      read(data->offset);
      at = data->end();
    }
  }

  generator* random_;
  sized_cursor<F, vmdk::inflate> much_;
  sized_cursor<F, vmdk::small_inflate> little_;
  std::vector<std::byte> whole_;
  std::vector<std::byte> pieces_;
  std::size_t last_bytes_ = 0;
  bool failed_ = false;
};

/// True for what says that the caller's memory, and not the image, is at fault.
inline bool is_about_memory(const vmdk::failure& why) {
  return why.code == vmdk::errc::workspace_too_small ||
         why.code == vmdk::errc::extent_count_invalid || why.code == vmdk::errc::chain_too_deep;
}

/// Checks an image, opens it tolerantly and strictly, and reads it: all of them must agree.
template <vmdk::Files F>
void examine(F& files, vmdk::file_id file, generator& random) {
  constexpr std::uint32_t largest_grain_bytes = 1 << 18;
  static const auto memory = std::make_unique<vmdk::image_memory<64, 8, 1 << 16>>();
  static const auto strict_memory = std::make_unique<vmdk::image_memory<64, 8, 1 << 16>>();

  const verdict said = check_twice(files, file);
  const auto opened = vmdk::open(files, file, *memory, vmdk::strictness::tolerant);
  const auto strict = vmdk::open(files, file, *strict_memory, vmdk::strictness::strict);
  demand(!strict || opened, "a tolerant reader opens what a strict one does");
  if (!is_about_memory(opened.error())) {
    demand(opened || said.has_error(), "a check finds what keeps an image from being opened", said);
  }
  if (!is_about_memory(strict.error())) {
    demand(strict || !said.accepted(vmdk::strictness::strict),
           "a check finds what keeps a strict reader from opening", said);
  }
  if (!opened) return;
  demand(!strict || strict->size() == opened->size(), "a disk has one size");
  if (opened->compressed_grain_bytes() > largest_grain_bytes) return;
  two_readers<F> readers(*opened, random);
  readers.read_around();
  demand(!readers.failed() || said.has_error(), "a check finds what cannot be read", said);
}

}  // namespace fuzzing
