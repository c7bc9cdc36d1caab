// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/hosted/stream_sink.hpp"

#include <catch2/catch.hpp>
#include <thread>

#include "tests/hosted/testing.hpp"

namespace stream_sink_test {
using namespace hosted_testing;

namespace {

/// Reads a descriptor to its end in another thread.
class drain {
 public:
  explicit drain(int descriptor)
      : thread_([this, descriptor] {
          char buffer[4096];
          for (ssize_t n = 0; (n = ::read(descriptor, buffer, sizeof buffer)) > 0;) {
            text_.append(buffer, static_cast<std::size_t>(n));
          }
        }) {}
  std::string text() {
    thread_.join();
    return text_;
  }

 private:
  std::string text_;
  std::thread thread_;
};

}  // namespace

TEST_CASE("a stream sink writes bytes and zeros in order") {
  const int flags = GENERATE(0, O_NONBLOCK);
  pipe_pair pipe;
  ::fcntl(pipe.write_end, F_SETFL, flags);
  drain reader(pipe.read_end);
  stream_sink sink = stream_sink::borrow(pipe.write_end);
  std::string large(1000000, 'x');
  CHECK_FALSE(sink.write(bytes_of("abc")));
  CHECK_FALSE(sink.skip(200000));
  CHECK_FALSE(sink.write(bytes_of(large)));
  CHECK_FALSE(sink.skip(0));
  CHECK(sink.size() == 1200003);
  CHECK_FALSE(sink.close());
  pipe.close_write_end();
  CHECK((reader.text() == "abc" + std::string(200000, '\0') + large));
}

TEST_CASE("a pipe that nobody reads is an error that sticks") {
  const ignored_signal no_sigpipe(SIGPIPE);
  pipe_pair pipe;
  pipe.close_read_end();
  stream_sink sink = stream_sink::borrow(pipe.write_end);
  const failure broken = sink_failure(errc::write_failed, 0, EPIPE);
  CHECK(sink.write(bytes_of("abc")) == broken);
  CHECK(sink.write({}) == broken);
  CHECK(sink.skip(0) == broken);
  CHECK(sink.close() == broken);
}

TEST_CASE("a full device is said") {
  auto sink = stream_sink::open("/dev/full");
  REQUIRE(sink);
  CHECK(sink->write(bytes_of("abc")) == sink_failure(errc::sink_full, 0, ENOSPC));
  auto zeros = stream_sink::open("/dev/full");
  REQUIRE(zeros);
  CHECK(zeros->skip(1) == sink_failure(errc::sink_full, 0, ENOSPC));
}

TEST_CASE("a stream sink opens a FIFO by its path") {
  const temporary_folder folder;
  const std::string path = folder / "fifo";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  std::string got;
  std::thread reader([&] { got = read_file(path); });
  {
    auto sink = stream_sink::open(path);
    REQUIRE(sink);
    CHECK_FALSE(sink->write(bytes_of("through")));
    CHECK_FALSE(sink->close());
  }
  reader.join();
  CHECK(got == "through");
  CHECK(stream_sink::open(folder / "missing").error() ==
        sink_failure(errc::file_not_found, 0, ENOENT));
}

}  // namespace stream_sink_test
