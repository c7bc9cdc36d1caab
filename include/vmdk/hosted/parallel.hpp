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
#include "vmdk/core/units.hpp"
#include "vmdk/format/content_id.hpp"
#include "vmdk/hosted/ordered_pipeline.hpp"
#include "vmdk/hosted/thread_factory.hpp"
#include "vmdk/io/concepts.hpp"
#include "vmdk/layout/stream.hpp"
#include "vmdk/writer/grain_stream.hpp"
#include "vmdk/writer/pack_grain.hpp"
#include "vmdk/writer/stream.hpp"
#include "vmdk/writer/stream_builder.hpp"

namespace vmdk {

/// Stands for sources that the calling thread alone may read.
struct no_thread_source {};

namespace detail {

/// A few neighbouring grains on their way from the source into the stream.
struct grains_job {
  std::uint64_t first_grain = 0;
  std::uint64_t grains = 0;
  const std::byte* bytes = nullptr;  ///< Null: the worker has to read them.
  std::vector<std::byte> buffer;
  std::vector<std::byte> packed;
  std::vector<byte_view> records;
  failure why{};  ///< What stopped the worker; the records before it are good.
};

/// Reads, hashes and packs grains on one thread.
template <Source S, Encoder E, class OwnSource>
class grains_worker {
 public:
  grains_worker(const stream_layout& layout, std::unique_ptr<E> encoder,
                std::unique_ptr<OwnSource> own_source) noexcept
      : layout_(layout), encoder_(std::move(encoder)), own_source_(std::move(own_source)) {}

  /// Without `hashing` nothing is hashed, without `packing` nothing is compressed.
  void begin(const grain_stream<S>& grains, bool hashing, bool packing) noexcept {
    grains_ = &grains;
    hashing_ = hashing;
    packing_ = packing;
    hasher_ = {};
  }

  [[nodiscard]] const content_hasher& hasher() const noexcept { return hasher_; }

  failure operator()(grains_job& job) noexcept {
    job.records.clear();
    job.why = do_grains(job);
    return no_failure;
  }

 private:
  failure do_grains(grains_job& job) noexcept {
    if constexpr (Source<OwnSource>) {
      if (job.bytes == nullptr) {
        const typename grain_stream<S>::chunk found{job.first_grain, job.grains, nullptr};
        if (failure f = grains_->read(*own_source_, found, job.buffer)) return f;
        job.bytes = job.buffer.data();
      }
    }
    const unsigned shift = layout_.geometry().grain_byte_shift();
    grain_scanner scanner(layout_.geometry(), hashing_ ? &hasher_ : nullptr);
    byte_span room = job.packed;
    for (std::uint64_t i = 0; i < job.grains; ++i) {
      const std::byte* const bytes = job.bytes + (i << shift);
      const std::uint64_t grain = job.first_grain + i;
      if (!scanner.holds_data(bytes, grain) || !packing_) continue;
      const auto record = pack_grain(*encoder_, layout_, grain, bytes, room);
      if (!record) return record.error();
      job.records.push_back(*record);
      room = room.subspan(layout_.packed_limit_bytes());
    }
    return no_failure;
  }

  stream_layout layout_;
  std::unique_ptr<E> encoder_;
  std::unique_ptr<OwnSource> own_source_;
  const grain_stream<S>* grains_ = nullptr;
  content_hasher hasher_{};
  bool hashing_ = false;
  bool packing_ = false;
};

/// Packs grains on several threads; the counterpart of serial_packer.
template <Source S, Encoder E, class OwnSource>
class parallel_packer {
 public:
  using worker = grains_worker<S, E, OwnSource>;

  /// Makes workers and memory. Errors: those of the factories. Throws what they and the allocation
  /// of memory throw.
  template <class MakeEncoder, class MakeSource>
  [[nodiscard]] failure prepare(const stream_layout& layout, unsigned threads,
                                MakeEncoder& make_encoder, MakeSource& make_source) {
    const std::uint32_t grain_bytes = layout.geometry().grain_bytes();
    job_grains_ = grain_bytes < usual_job_bytes ? usual_job_bytes / grain_bytes : 1;
    const std::uint64_t jobs = layout.grain_count() / job_grains_ + 1;
    const auto count =
        static_cast<std::size_t>(smaller_of<std::uint64_t>(larger_of(threads, 1u), jobs));
    workers_.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      auto encoder = make_with(make_encoder);
      if (!encoder) return encoder.error();
      auto own_source = make_with(make_source);
      if (!own_source) return own_source.error();
      workers_.emplace_back(layout, std::move(*encoder), std::move(*own_source));
    }
    slots_.resize(count == 1 ? 1 : count * jobs_per_thread);
    for (auto& slot : slots_) {
      slot.job.buffer.resize(job_grains_ * grain_bytes);
      slot.job.packed.resize(job_grains_ * layout.packed_limit_bytes());
      slot.job.records.reserve(job_grains_);
    }
    return no_failure;
  }

  [[nodiscard]] failure check(const stream_layout&) const noexcept { return no_failure; }

  [[nodiscard]] failure survey(S& source, const stream_layout& layout,
                               content_hasher& hasher) noexcept {
    return run(source, layout, &hasher, false, [](byte_view) noexcept { return no_failure; });
  }

  template <Sink K>
  [[nodiscard]] failure pack(S& source, const stream_layout& layout, content_hasher* hasher,
                             stream_builder<K>& builder) noexcept {
    return run(source, layout, hasher, true,
               [&builder](byte_view record) noexcept { return builder.add(record); });
  }

 private:
  static constexpr std::uint32_t usual_job_bytes = 64 * 1024;

  template <class Add>
  [[nodiscard]] failure run(S& source, const stream_layout& layout, content_hasher* hasher,
                            bool packing, Add&& add) noexcept {
    grain_stream<S> grains(source, layout.geometry(), {});
    for (worker& w : workers_) w.begin(grains, hasher != nullptr, packing);
    const auto make = [&](grains_job& job) noexcept -> result<bool> {
      const auto found = grains.find(layout.grain_count(), job_grains_);
      if (!found) return found.error();
      if (found->grains == 0) return false;
      job.first_grain = found->first_grain;
      job.grains = found->grains;
      job.bytes = nullptr;
      if (failure f = fetch(source, grains, *found, job)) return f;
      return true;
    };
    const auto take = [&](grains_job& job) noexcept -> failure {
      for (const byte_view record : job.records) {
        if (failure f = add(record)) return f;
      }
      return job.why;
    };
    ordered_pipeline<grains_job, worker> pipeline(workers_, slots_);
    if (failure f = pipeline.run(make, take)) return f;
    if (hasher != nullptr) {
      for (const worker& w : workers_) hasher->merge(w.hasher());
    }
    return no_failure;
  }

  /// Reads a job's grains in the calling thread, where the worker cannot.
  static failure fetch(S& source, const grain_stream<S>& grains,
                       const typename grain_stream<S>::chunk& found, grains_job& job) noexcept {
    if constexpr (MappedSource<S>) {
      const std::uint64_t bytes = found.grains << grains.grain_byte_shift();
      const std::uint64_t offset = found.first_grain << grains.grain_byte_shift();
      if (fits_inside(offset, bytes, source.size())) {
        job.bytes = source.view(offset, static_cast<std::size_t>(bytes)).data();
        return no_failure;
      }
    }
    if constexpr (Source<OwnSource>) {
      return no_failure;
    } else {
      job.bytes = job.buffer.data();
      return grains.read(source, found, job.buffer);
    }
  }

  std::vector<worker> workers_;
  std::vector<pipeline_slot<grains_job>> slots_;
  std::uint64_t job_grains_ = 1;
};

}  // namespace detail

/// Writes one streamOptimized file as writer<Type> does, byte for byte, with grains hashed and
/// compressed on several threads. Needs a few grains of memory a thread, and the directory.
///
/// `make_encoder()` gives an Encoder, or a result<Encoder>, for each thread. `make_source()` does
/// so for a Source of the same disk that a thread may read while others read theirs: a cursor on an
/// opened image, or a file; without it the calling thread does the reading. Factories are called
/// before anything is written. The sink is only used by the calling thread. With one thread, none
/// is started.
///
/// Errors: those of writer<Type>, and the first of them in the order of the disk, as there; those
/// of the factories; errc::workspace_too_small when memory cannot be had.
template <class Type, Source S, Sink K, std::invocable MakeEncoder, std::invocable MakeSource>
[[nodiscard]] result<write_report> write_parallel(S& source, K& sink, const write_options& options,
                                                  unsigned threads, MakeEncoder make_encoder,
                                                  MakeSource make_source) noexcept {
  using encoder = detail::made_by_t<MakeEncoder>;
  using own_source = detail::made_by_t<MakeSource>;
  static_assert(Encoder<encoder>, "vmdk: make_encoder must give an Encoder");
  static_assert(Source<own_source> || std::same_as<own_source, no_thread_source>,
                "vmdk: make_source must give a Source");
  auto plan = detail::plan_stream(source.size(), options, detail::grain_of<Type>(options));
  if (!plan) return plan.error();
  try {
    detail::parallel_packer<S, encoder, own_source> packer;
    if (failure f = packer.prepare(plan->layout, threads, make_encoder, make_source)) return f;
    std::vector<std::byte> table(stream_memory::marked_table_bytes);
    std::vector<std::byte> directory(
        static_cast<std::size_t>(plan->layout.directory_memory_bytes()));
    const stream_memory memory{
        .table = std::span<std::byte, stream_memory::marked_table_bytes>(table),
        .directory = directory};
    return detail::write_stream(source, sink, options, *plan, memory, packer);
  } catch (...) {
    return options_failure(errc::workspace_too_small);
  }
}

/// As above; the calling thread does the reading.
template <class Type, Source S, Sink K, std::invocable MakeEncoder>
[[nodiscard]] result<write_report> write_parallel(S& source, K& sink, const write_options& options,
                                                  unsigned threads,
                                                  MakeEncoder make_encoder) noexcept {
  return write_parallel<Type>(source, sink, options, threads, std::move(make_encoder),
                              [] { return no_thread_source{}; });
}

}  // namespace vmdk
