// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>
#include <cstring>
#include <exception>
#include <random>
#include <string>
#include <vector>

#include "tests/support/faults.hpp"
#include "tests/support/stream_checker.hpp"
#include "vmdk/codec/stored.hpp"
#include "vmdk/io/forward.hpp"
#include "vmdk/io/memory.hpp"
#include "vmdk/writer/stream.hpp"

namespace stream_faults_test {
namespace {

using namespace vmdk;
using testing_support::failing_encoder;
using testing_support::failing_file;
using testing_support::failing_source;
using testing_support::failing_stream;
using testing_support::fault;

using contents = std::vector<std::byte>;
using type = stream_optimized<8>;

/// Data in two of three tables.
contents disk_of_three_tables() {
  contents disk(9 << 19);
  std::mt19937 random(5);
  for (const std::size_t at : {0u, 4096u, 20000u, 4194304u, 4700000u}) {
    for (std::size_t i = 0; i < 5000; ++i) disk[at + i] = static_cast<std::byte>(random() & 0xFF);
  }
  return disk;
}

/// True when no reader can take the file for an image.
bool is_no_image(const contents& file, tables place) {
  try {
    stream_checking::stream_checker checker{byte_view(file)};
    (void)(place == tables::at_end ? checker.check_tables_at_end()
                                   : checker.check_tables_in_front());
    return false;
  } catch (const std::exception&) {
    return true;
  }
}

struct run {
  result<write_report> done = no_failure;
  contents file;
};

/// Writes once, with something that fails.
template <class K>
run write_with(const contents& disk, tables place, fault& source_fault, fault& codec_fault,
               fault& sink_fault) {
  failing_source source(disk, source_fault);
  K sink(sink_fault);
  workspace<type, failing_encoder<stored>> memory{.encoder = failing_encoder<stored>(&codec_fault)};
  run r;
  r.done = write<type>(source, sink, {.table_place = place}, memory);
  r.file = sink.content();
  return r;
}

enum class part { source, codec, sink };

/// Lets each call of one part fail in turn, or every so many. Gives the number of calls there are,
/// and what was gone beyond it; 0 for a mistake.
template <class K>
std::uint64_t fails_at_every_call(part which, tables place, std::uint64_t stride = 1) {
  static const contents disk = disk_of_three_tables();
  const failure why{.code = static_cast<errc>(0x8123),
                    .from = which == part::sink    ? origin::sink
                            : which == part::codec ? origin::codec
                                                   : origin::source,
                    .index = 3,
                    .detail = 77,
                    .offset = 5};
  int whole_files = 0;
  for (std::uint64_t call = 0;; call += stride) {
    fault faults[3];
    faults[static_cast<int>(which)] = fault(call, why);
    const run r = write_with<K>(disk, place, faults[0], faults[1], faults[2]);
    if (!faults[static_cast<int>(which)].happened()) {
      const bool good =
          r.done.ok() && !is_no_image(r.file, place) && r.done->file_bytes == r.file.size();
      return good ? call : 0;
    }
    failure seen = r.done.error();
    // Of an encoder's failure the place on the disk is told, not that in the grain.
    if (which == part::codec) {
      if (seen.offset % 4096 != 5) return 0;
      seen.offset = 5;
    }
    if (seen != why) return 0;
    // Only when the barrier behind the header fails is there a whole file all the same.
    if (!is_no_image(r.file, place) && ++whole_files > (which == part::sink ? 1 : 0)) return 0;
  }
}

TEST_CASE("a failing sink is never taken for a success") {
  CHECK(fails_at_every_call<failing_stream>(part::sink, tables::at_end) > 10);
  CHECK(fails_at_every_call<failing_file>(part::sink, tables::at_end) > 10);
  CHECK(fails_at_every_call<failing_file>(part::sink, tables::in_front) > 10);
}

TEST_CASE("a failing source leaves no image") {
  // A call is like the one before it.
  CHECK(fails_at_every_call<failing_stream>(part::source, tables::at_end, 9) == 2 * 1152);
  CHECK(fails_at_every_call<failing_file>(part::source, tables::at_end, 3) == 1152);
  CHECK(fails_at_every_call<failing_file>(part::source, tables::in_front, 3) == 1152);
}

TEST_CASE("a failing encoder leaves no image") {
  CHECK(fails_at_every_call<failing_stream>(part::codec, tables::at_end) == 10);
  CHECK(fails_at_every_call<failing_file>(part::codec, tables::at_end) == 10);
  CHECK(fails_at_every_call<failing_file>(part::codec, tables::in_front) == 10);
}

/// Until the header is there, which is last, the file begins with zeros.
TEST_CASE("a file that was cut short has no header") {
  const contents disk = disk_of_three_tables();
  for (const tables place : {tables::at_end, tables::in_front}) {
    fault none[3];
    const run whole = write_with<failing_file>(disk, place, none[0], none[1], none[2]);
    REQUIRE(whole.done.ok());
    std::uint64_t with_header = 0;
    for (std::uint64_t call = 0;; ++call) {
      fault faults[3];
      faults[2] = fault(call, sink_failure(errc::sink_full, 0));
      const run r = write_with<failing_file>(disk, place, faults[0], faults[1], faults[2]);
      if (!faults[2].happened()) break;
      const bool header = r.file.size() >= 512 && !is_zero(r.file.data(), 512);
      if (header) {
        ++with_header;
        CHECK(r.file == whole.file);
      }
    }
    // Only the barrier behind the header.
    CHECK(with_header == 1);
  }
}

TEST_CASE("an encoder that refuses a grain has it stored") {
  const contents disk = disk_of_three_tables();
  fault none[3];
  const run plain = write_with<failing_file>(disk, tables::at_end, none[0], none[1], none[2]);
  fault refusing(2, codec_failure(errc::encoded_too_large));
  fault others[2];
  const run refused =
      write_with<failing_file>(disk, tables::at_end, others[0], refusing, others[1]);
  CHECK(refusing.happened());
  CHECK(refused.file == plain.file);
}

TEST_CASE("an encoder's failure has its place on the disk") {
  const contents disk = disk_of_three_tables();
  fault none[2];
  fault broken(9, codec_failure(errc::codec_failed, 5));
  const run r = write_with<failing_file>(disk, tables::at_end, none[0], broken, none[1]);
  CHECK(r.done.error() == codec_failure(errc::codec_failed, 4700000 / 4096 * 4096 + 4096 + 5));
}

/// Keeps the order of what is done with a file.
class recording_file {
 public:
  failure write(byte_view) noexcept { return no_failure; }
  failure write_at(std::uint64_t offset, byte_view) noexcept {
    log_ += offset == 0 ? 'h' : offset < 24 * 512 ? 'd' : 'g';
    return no_failure;
  }
  failure resize(std::uint64_t) noexcept { return no_failure; }
  failure flush() noexcept {
    log_ += '|';
    return no_failure;
  }
  const std::string& log() const { return log_; }

 private:
  std::string log_;
};

TEST_CASE("a file's header comes last, between barriers") {
  const contents disk = disk_of_three_tables();
  memory_source source{byte_view(disk)};
  recording_file file;
  workspace<type, stored> memory;
  REQUIRE(write<type>(source, file, {}, memory));
  const std::size_t barrier = file.log().find('|');
  CHECK(file.log().substr(barrier) == "|h|");
  CHECK(file.log().find('h') > barrier);
  CHECK(file.log().find('d') < barrier);
}

struct lying_encoder {
  std::size_t claimed_bytes = 0;

  static constexpr std::size_t bound(std::size_t n) noexcept { return n; }
  result<std::size_t> encode(byte_view, byte_span) noexcept { return claimed_bytes; }
};

failure failure_of_liar(std::size_t claimed_bytes) {
  const contents disk(12288, std::byte{1});
  memory_source source{byte_view(disk)};
  fault none;
  failing_file sink(none);
  workspace<type, lying_encoder> memory{.encoder = {claimed_bytes}};
  const auto done = write<type>(source, sink, {}, memory);
  CHECK(is_no_image(sink.content(), tables::at_end));
  return done.error();
}

TEST_CASE("an encoder that breaks its contract is found out") {
  CHECK(failure_of_liar(0) == codec_failure(errc::codec_failed, 0));
  CHECK(failure_of_liar(4096 + 501) == codec_failure(errc::codec_failed, 0));
  CHECK(failure_of_liar(~std::size_t{0}) == codec_failure(errc::codec_failed, 0));
}

/// Gives other bytes at each walk.
class changing_source {
 public:
  explicit changing_source(byte_view bytes) : bytes_(bytes) {}
  std::uint64_t size() const noexcept { return bytes_.size(); }
  failure read_at(std::uint64_t offset, byte_span out) noexcept {
    if (offset == 0) ++walks_;
    copy_bytes(out.data(), bytes_.data() + offset, out.size());
    if (offset == 4096) out[7] ^= static_cast<std::byte>(walks_);
    return no_failure;
  }

 private:
  byte_view bytes_;
  int walks_ = 0;
};

TEST_CASE("a source that changes between its walks is told") {
  const contents disk = disk_of_three_tables();
  changing_source source(disk);
  fault none;
  failing_stream stream(none);
  workspace<type, stored> memory;
  CHECK(write<type>(source, stream, {}, memory).error() == source_failure(errc::source_changed, 0));
  CHECK(is_no_image(stream.content(), tables::at_end));
  // One walk cannot contradict itself.
  failing_file file(none);
  CHECK(write<type>(source, file, {}, memory).ok());
}

/// A pipe with another length than was said.
class short_pipe {
 public:
  explicit short_pipe(std::uint64_t bytes, failure at_end = {}) : left_(bytes), at_end_(at_end) {}
  result<std::size_t> read(byte_span out) noexcept {
    const std::uint64_t n = smaller_of<std::uint64_t>(left_, out.size());
    for (std::size_t i = 0; i < n; ++i) out[i] = std::byte{0x55};
    left_ -= n;
    if (n == 0 && at_end_) return at_end_;
    return static_cast<std::size_t>(n);
  }

 private:
  std::uint64_t left_;
  failure at_end_;
};

template <class K>
failure failure_of_pipe(std::uint64_t stated_bytes, std::uint64_t bytes, tables place,
                        failure at_end = {}) {
  short_pipe pipe(bytes, at_end);
  forward_source source(pipe, stated_bytes);
  fault none;
  K sink(none);
  workspace<type, stored> memory;
  const auto done = write<type>(source, sink, {.table_place = place}, memory);
  CHECK(is_no_image(sink.content(), place) != done.ok());
  return done.error();
}

TEST_CASE("a pipe that is shorter or longer than was said leaves no image") {
  const failure broken = source_failure(errc::read_failed, 9, 5);
  for (const std::uint64_t bytes : {1u, 512u, 4096u, 50000u}) {
    const failure early = source_failure(errc::unexpected_end, bytes - 1);
    const failure late = source_failure(errc::source_too_long, bytes);
    const auto at_end = tables::at_end;
    CHECK(failure_of_pipe<failing_file>(bytes, bytes, at_end) == no_failure);
    CHECK(failure_of_pipe<failing_file>(bytes, bytes - 1, at_end) == early);
    CHECK(failure_of_pipe<failing_file>(bytes, bytes + 1, at_end) == late);
    CHECK(failure_of_pipe<failing_file>(bytes, bytes, at_end, broken) == broken);
    CHECK(failure_of_pipe<failing_stream>(bytes, bytes, at_end) == no_failure);
    CHECK(failure_of_pipe<failing_stream>(bytes, bytes - 1, at_end) == early);
    CHECK(failure_of_pipe<failing_stream>(bytes, bytes + 1, at_end) == late);
    CHECK(failure_of_pipe<failing_file>(bytes, bytes + 1, tables::in_front) == late);
    CHECK(failure_of_pipe<failing_file>(bytes, bytes, tables::in_front) == no_failure);
  }
}

}  // namespace

}  // namespace stream_faults_test
