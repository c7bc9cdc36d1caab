// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <concepts>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "vmdk/core/failure.hpp"
#include "vmdk/core/result.hpp"

namespace vmdk {

/// Does a job on one thread; the same object is never called by two threads.
template <class W, class Job>
concept PipelineWorker = requires(W& worker, Job& job) {
  { worker(job) } noexcept -> std::same_as<failure>;
};

/// A place for one job at a time, with all the memory that it takes.
template <class Job>
struct pipeline_slot {
  Job job{};
  failure why{};  ///< Of making or doing the job.
  bool done = false;
};

/// Does jobs on several threads and takes their results in the order of the jobs.
///
/// The calling thread makes the jobs and takes the results, so neither source nor sink is ever
/// touched by two threads; the others only work. There are never more jobs under way than slots.
/// With one worker no thread is started and the calling thread does it all. Workers and slots are
/// the caller's, who may use them again.
template <class Job, PipelineWorker<Job> Worker>
class ordered_pipeline {
 public:
  using slot = pipeline_slot<Job>;

  /// At least one worker and one slot; two slots or more for each worker keep it busy.
  ordered_pipeline(std::span<Worker> workers, std::span<slot> slots) noexcept
      : workers_(workers), slots_(slots) {}

  /// Runs until there are no more jobs or something fails. `make(Job&)` gives a result<bool>, false
  /// when there is no other job; `take(Job&)` gives a failure. Both are noexcept.
  ///
  /// Errors: the first in the order of the jobs, whether it was in making, doing or taking one; all
  /// jobs before it have been taken, none behind it. No thread is left when the call returns.
  template <class Make, class Take>
  [[nodiscard]] failure run(Make&& make, Take&& take) noexcept {
    static_assert(noexcept(make(slots_[0].job)) && noexcept(take(slots_[0].job)),
                  "vmdk: what runs in a pipeline must not throw");
    std::vector<std::thread> threads;
    stop_ = false;
    made_ = begun_ = 0;
    if (workers_.size() > 1 && slots_.size() > 1) start(threads);
    if (threads.empty()) return run_alone(make, take);
    const failure why = feed(make, take);
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    job_made_.notify_all();
    for (std::thread& thread : threads) thread.join();
    return why;
  }

 private:
  /// Starts a thread for each worker, or for as many as the system allows.
  void start(std::vector<std::thread>& threads) noexcept {
    try {
      threads.reserve(workers_.size());
      for (Worker& worker : workers_) {
        threads.emplace_back([this, &worker] { work(worker); });
      }
    } catch (...) {  // NOLINT(bugprone-empty-catch): with fewer threads it takes longer.
    }
  }

  template <class Make, class Take>
  failure run_alone(Make& make, Take& take) noexcept {
    Job& job = slots_[0].job;
    for (;;) {
      const result<bool> made = make(job);
      if (!made) return made.error();
      if (!*made) return no_failure;
      if (failure f = workers_[0](job)) return f;
      if (failure f = take(job)) return f;
    }
  }

  template <class Make, class Take>
  failure feed(Make& make, Take& take) noexcept {
    std::uint64_t made = 0;
    std::uint64_t taken = 0;
    bool more = true;
    for (;;) {
      while (more && made - taken < slots_.size()) {
        slot& next = at(made);
        const result<bool> there = make(next.job);
        more = there.ok() && *there;
        if (there.ok() && !more) break;
        ++made;
        next.why = there.error();
        next.done = !there.ok();
        // A job that could not be made waits for its turn to be reported.
        if (more) offer(made);
      }
      if (taken == made) return no_failure;
      slot& oldest = at(taken);
      wait_for(oldest);
      if (oldest.why) return oldest.why;
      if (failure f = take(oldest.job)) return f;
      ++taken;
    }
  }

  [[nodiscard]] slot& at(std::uint64_t number) noexcept {
    return slots_[static_cast<std::size_t>(number % slots_.size())];
  }

  void offer(std::uint64_t made) noexcept {
    {
      const std::lock_guard lock(mutex_);
      made_ = made;
    }
    job_made_.notify_one();
  }

  void wait_for(const slot& wanted) noexcept {
    std::unique_lock lock(mutex_);
    job_done_.wait(lock, [&wanted] { return wanted.done; });
  }

  void work(Worker& worker) noexcept {
    for (;;) {
      std::unique_lock lock(mutex_);
      job_made_.wait(lock, [this] { return stop_ || begun_ != made_; });
      if (stop_) return;
      slot& mine = at(begun_++);
      lock.unlock();
      const failure why = worker(mine.job);
      lock.lock();
      mine.why = why;
      mine.done = true;
      lock.unlock();
      job_done_.notify_one();
    }
  }

  std::span<Worker> workers_;
  std::span<slot> slots_;
  std::mutex mutex_;
  std::condition_variable job_made_;
  std::condition_variable job_done_;
  std::uint64_t made_ = 0;   ///< Jobs that workers may begin.
  std::uint64_t begun_ = 0;  ///< Jobs that a worker has begun.
  bool stop_ = false;
};

}  // namespace vmdk
