// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "vmdk/codec/concepts.hpp"
#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/bytes.hpp"
#include "vmdk/core/result.hpp"
#include "vmdk/hosted/ordered_pipeline.hpp"
#include "vmdk/hosted/thread_factory.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/io/next_data.hpp"

namespace vmdk {
namespace detail {

/// Makes workers with `make_worker`, and slots whose jobs `prepare` gives their memory, and runs
/// them. What is thrown on the way becomes errc::workspace_too_small.
template <class Job, class Worker, class MakeWorker, class Prepare, class Make, class Take>
[[nodiscard]] failure run_pipeline(unsigned threads, MakeWorker&& make_worker, Prepare&& prepare,
                                   Make&& make, Take&& take) noexcept {
  try {
    std::vector<Worker> workers;
    const std::size_t count = larger_of(threads, 1u);
    workers.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      if (failure f = make_worker(workers)) return f;
    }
    std::vector<pipeline_slot<Job>> slots(count == 1 ? 1 : count * jobs_per_thread);
    for (auto& slot : slots) prepare(slot.job);
    ordered_pipeline<Job, Worker> pipeline(workers, slots);
    return pipeline.run(make, take);
  } catch (...) {
    return options_failure(errc::workspace_too_small);
  }
}

struct piece_job {
  range piece{};
  std::vector<std::byte> bytes;
};

template <Source S>
struct piece_reader {
  std::unique_ptr<S> source;

  failure operator()(piece_job& job) noexcept {
    return source->read_at(job.piece.offset,
                           byte_span(job.bytes).first(static_cast<std::size_t>(job.piece.bytes)));
  }
};

}  // namespace detail

/// Reads a disk on several threads, each through a Source of its own, and takes what they read in
/// the order of the disk. For an opened image with compressed grains these are cursors on it, so
/// that several threads inflate.
///
/// `source` only tells where the data is; holes are passed over. `make_source()` gives the Source,
/// or a result of one, of a thread. `take(offset, bytes)` gets each piece in the calling thread and
/// gives a failure; it is noexcept. Pieces begin at multiples of `piece_bytes`, a power of two that
/// is best a multiple of the image's grain, but for the first of a run of data.
/// Errors: the first in the order of the disk, of `source`, a thread's Source or `take`; those of
/// the factory; errc::workspace_too_small when memory cannot be had.
template <Source S, std::invocable MakeSource, class Take>
[[nodiscard]] failure read_parallel(S& source, unsigned threads, std::size_t piece_bytes,
                                    MakeSource make_source, Take take) noexcept {
  static_assert(noexcept(take(0, byte_view{})), "vmdk: what takes the pieces must not throw");
  using worker = detail::piece_reader<detail::made_by_t<MakeSource>>;
  const std::uint64_t size_bytes = source.size();
  range data{};
  std::uint64_t at = 0;
  const auto make = [&](detail::piece_job& job) noexcept -> result<bool> {
    if (at >= data.end()) {
      const auto found = next_data_of(source, at);
      if (!found) return found.error();
      if (found->bytes == 0) return false;
      data = *found;
      at = data.offset;
    }
    const std::uint64_t end = smaller_of((at | (piece_bytes - 1)) + 1, data.end());
    job.piece = {at, end - at};
    at = end;
    return true;
  };
  return detail::run_pipeline<detail::piece_job, worker>(
      threads,
      [&](std::vector<worker>& workers) {
        auto own = detail::make_with(make_source);
        if (own) workers.push_back({std::move(*own)});
        return own.error();
      },
      [&](detail::piece_job& job) {
        job.bytes.resize(
            static_cast<std::size_t>(smaller_of<std::uint64_t>(piece_bytes, size_bytes)));
      },
      make,
      [&](detail::piece_job& job) noexcept -> failure {
        return take(job.piece.offset,
                    byte_view(job.bytes).first(static_cast<std::size_t>(job.piece.bytes)));
      });
}

/// A compressed grain on its way to the disk.
struct compressed_piece {
  std::uint64_t disk_offset = 0;
  std::size_t disk_bytes = 0;     ///< Of a grain at the end of the disk, what the disk has of it.
  std::uint64_t file_offset = 0;  ///< Of the data, for what fails.
  byte_span room{};               ///< Memory to read it into.
  byte_view data{};               ///< The RFC 1950 stream, mostly in `room`.
};

namespace detail {

struct inflate_job {
  compressed_piece piece{};
  std::vector<std::byte> room;
  std::vector<std::byte> grain;
};

template <Decoder D>
struct inflate_worker {
  std::unique_ptr<D> decoder;

  /// A last grain may have been compressed with or without its padding (SPEC 5).
  failure operator()(inflate_job& job) noexcept {
    failure why = decode(job, job.grain.size());
    if (why.code == errc::stream_output_short && job.piece.disk_bytes < job.grain.size()) {
      why = decode(job, job.piece.disk_bytes);
    }
    if (why && why.from == origin::codec) why.offset += job.piece.file_offset;
    return why;
  }

  failure decode(inflate_job& job, std::size_t bytes) noexcept {
    single_supply supply(job.piece.data);
    return decoder->decode(supply, byte_span(job.grain).first(bytes));
  }
};

}  // namespace detail

/// Expands compressed grains on several threads and takes them in the order in which they came.
///
/// `next(compressed_piece&)` gives a result<bool>, false when there is no other; it reads a grain's
/// data into the piece's `room`, which has `room_bytes`, and says where it belongs.
/// `make_decoder()` gives a Decoder, or a result of one, for each thread. `take(offset, bytes)`
/// gets what the disk has of each grain. `next` and `take` are called in the calling thread only,
/// and are noexcept. Errors: the first in the order of the grains, of `next`, the decoder (offset:
/// in the file) or `take`; those of the factory; errc::workspace_too_small when memory cannot be
/// had.
template <class Next, std::invocable MakeDecoder, class Take>
[[nodiscard]] failure inflate_parallel(std::size_t grain_bytes, std::size_t room_bytes,
                                       unsigned threads, Next next, MakeDecoder make_decoder,
                                       Take take) noexcept {
  static_assert(noexcept(take(0, byte_view{})), "vmdk: what takes the grains must not throw");
  static_assert(noexcept(next(std::declval<compressed_piece&>())),
                "vmdk: what reads the compressed grains must not throw");
  using worker = detail::inflate_worker<detail::made_by_t<MakeDecoder>>;
  return detail::run_pipeline<detail::inflate_job, worker>(
      threads,
      [&](std::vector<worker>& workers) {
        auto own = detail::make_with(make_decoder);
        if (own) workers.push_back({std::move(*own)});
        return own.error();
      },
      [&](detail::inflate_job& job) {
        job.room.resize(room_bytes);
        job.grain.resize(grain_bytes);
      },
      [&](detail::inflate_job& job) noexcept -> result<bool> {
        job.piece = {.disk_bytes = grain_bytes, .room = job.room};
        return next(job.piece);
      },
      [&](detail::inflate_job& job) noexcept -> failure {
        return take(job.piece.disk_offset,
                    byte_view(job.grain).first(smaller_of(job.piece.disk_bytes, grain_bytes)));
      });
}

}  // namespace vmdk
