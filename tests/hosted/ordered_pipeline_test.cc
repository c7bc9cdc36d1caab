// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/hosted/ordered_pipeline.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>
#include <vector>

#include "tests/hosted/failing_calls.hpp"

namespace ordered_pipeline_test {
namespace {

using namespace vmdk;

struct numbered_job {
  std::uint64_t number = 0;
  std::uint64_t answer = 0;
};

/// Takes its time, and more of it for some jobs than for others; fails at one job.
struct squaring_worker {
  std::uint64_t fails_at = ~std::uint64_t{0};
  std::atomic<int>* at_work = nullptr;

  failure operator()(numbered_job& job) noexcept {
    if (at_work != nullptr) ++*at_work;
    if (job.number % 5 == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
    job.answer = job.number * job.number;
    if (at_work != nullptr) --*at_work;
    // Others fail as well, behind the first.
    return job.number >= fails_at ? codec_failure(errc::codec_failed, job.number) : no_failure;
  }
};

struct pipeline_run {
  failure why{};
  std::uint64_t made = 0;
  std::uint64_t taken = 0;
  bool in_order = true;
  bool bounded = true;
};

pipeline_run run_jobs(unsigned threads, std::uint64_t jobs, std::uint64_t make_fails_at,
                      std::uint64_t work_fails_at, std::uint64_t take_fails_at) {
  std::vector<squaring_worker> workers(threads, {.fails_at = work_fails_at});
  std::vector<pipeline_slot<numbered_job>> slots(2 * threads);
  ordered_pipeline<numbered_job, squaring_worker> pipeline(workers, slots);
  pipeline_run r;
  const auto caller = std::this_thread::get_id();
  r.why = pipeline.run(
      [&](numbered_job& job) noexcept -> result<bool> {
        r.bounded =
            r.bounded && r.made - r.taken < slots.size() && std::this_thread::get_id() == caller;
        if (r.made == make_fails_at) return source_failure(errc::read_failed, r.made);
        job.number = r.made;
        return r.made++ < jobs;
      },
      [&](numbered_job& job) noexcept -> failure {
        r.in_order = r.in_order && job.number == r.taken && job.answer == r.taken * r.taken &&
                     std::this_thread::get_id() == caller;
        if (r.taken == take_fails_at) return sink_failure(errc::sink_full, r.taken);
        ++r.taken;
        return no_failure;
      });
  return r;
}

constexpr std::uint64_t never = ~std::uint64_t{0};

TEST_CASE("a pipeline gives results in the order of the jobs") {
  for (const unsigned threads : {1u, 2u, 7u}) {
    for (const std::uint64_t jobs : {0u, 1u, 5u, 300u}) {
      const pipeline_run r = run_jobs(threads, jobs, never, never, never);
      CHECK(r.why == no_failure);
      CHECK(r.taken == jobs);
      CHECK(r.in_order);
      CHECK(r.bounded);
    }
  }
}

TEST_CASE("a pipeline stops at the first failure in the order of the jobs") {
  for (const unsigned threads : {1u, 2u, 7u}) {
    for (const std::uint64_t at : {0u, 1u, 7u, 40u}) {
      CAPTURE(threads, at);
      const pipeline_run make = run_jobs(threads, 60, at, at + 1, at + 2);
      CHECK(make.why == source_failure(errc::read_failed, at));
      CHECK(make.taken == at);
      const pipeline_run work = run_jobs(threads, 60, at + 1, at, at + 3);
      CHECK(work.why == codec_failure(errc::codec_failed, at));
      CHECK(work.taken == at);
      const pipeline_run take = run_jobs(threads, 60, at + 4, at + 2, at);
      CHECK(take.why == sink_failure(errc::sink_full, at));
      CHECK(take.taken == at);
    }
  }
}

TEST_CASE("a pipeline leaves no thread at work, and may be run again") {
  std::atomic<int> at_work{0};
  std::vector<squaring_worker> workers(4, {.fails_at = 3, .at_work = &at_work});
  std::vector<pipeline_slot<numbered_job>> slots(8);
  ordered_pipeline<numbered_job, squaring_worker> pipeline(workers, slots);
  for (int round = 0; round < 20; ++round) {
    std::uint64_t made = 0;
    const failure why = pipeline.run(
        [&](numbered_job& job) noexcept -> result<bool> {
          job.number = made++;
          return true;
        },
        [](numbered_job&) noexcept { return no_failure; });
    CHECK(at_work == 0);
    CHECK(why == codec_failure(errc::codec_failed, 3));
  }
}

TEST_CASE("a pipeline does with the threads that the system starts, or none") {
  for (const unsigned started : {0u, 1u, 3u}) {
    const hosted_testing::answered_call create("pthread_create",
                                               [=](unsigned call) -> std::optional<long> {
                                                 if (call < started) return std::nullopt;
                                                 return EAGAIN;
                                               });
    const pipeline_run r = run_jobs(4, 60, never, never, never);
    CHECK(create.calls() == started + 1);
    CHECK(r.why == no_failure);
    CHECK(r.taken == 60);
    CHECK(r.in_order);
    CHECK(r.bounded);
  }
}

TEST_CASE("a pipeline with one slot needs no thread") {
  const hosted_testing::answered_call create("pthread_create", [](unsigned) { return EAGAIN; });
  std::vector<squaring_worker> workers(2);
  std::vector<pipeline_slot<numbered_job>> slots(1);
  ordered_pipeline<numbered_job, squaring_worker> pipeline(workers, slots);
  std::uint64_t made = 0;
  std::uint64_t sum = 0;
  CHECK(pipeline.run(
            [&](numbered_job& job) noexcept -> result<bool> {
              job.number = made++;
              return made <= 5;
            },
            [&](numbered_job& job) noexcept {
              sum += job.answer;
              return no_failure;
            }) == no_failure);
  CHECK(sum == 0 + 1 + 4 + 9 + 16);
  CHECK(create.calls() == 0);
}

}  // namespace

}  // namespace ordered_pipeline_test
