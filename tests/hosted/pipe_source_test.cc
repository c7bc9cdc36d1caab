// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/hosted/pipe_source.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "tests/hosted/testing.hpp"
#include "vmdk/io/forward.hpp"

namespace pipe_source_test {
using namespace hosted_testing;

TEST_CASE("a pipe is read as its bytes come") {
  pipe_pair pipe;
  pipe_source source = pipe_source::borrow(pipe.read_end);
  std::array<std::byte, 8> out{};
  CHECK(*source.read({}) == 0);
  REQUIRE(::write(pipe.write_end, "abc", 3) == 3);
  CHECK(*source.read(out) == 3);
  CHECK(text_of(byte_view(out).first(3)) == "abc");
  REQUIRE(::write(pipe.write_end, "0123456789", 10) == 10);
  CHECK(*source.read(out) == 8);
  CHECK(*source.read(out) == 2);
  CHECK(source.position() == 13);
  pipe.close_write_end();
  CHECK(*source.read(out) == 0);
  CHECK(*source.read(out) == 0);
}

TEST_CASE("small and large reads of a pipe give its bytes in order") {
  // Some large reads find the buffer empty, and go past it.
  constexpr std::size_t sizes[] = {1, 512, 200'000, 200'000, 3, 65'536, 65'535, 100'000, 65'536, 7};
  std::string sent(700'000, ' ');
  for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 7 + i / 253);
  pipe_pair pipe;
  std::thread writer([&] {
    for (std::size_t at = 0; at < sent.size();) {
      const ssize_t n = ::write(pipe.write_end, sent.data() + at, sent.size() - at);
      if (n <= 0) break;
      at += static_cast<std::size_t>(n);
    }
    pipe.close_write_end();
  });
  pipe_source source = pipe_source::borrow(pipe.read_end);
  std::string got;
  std::vector<std::byte> out(200'000);
  for (std::size_t turn = 0;; ++turn) {
    const auto n = source.read(byte_span(out).first(sizes[turn % std::size(sizes)]));
    if (!n || *n == 0) break;
    got += text_of(byte_view(out).first(*n));
    if (source.position() != got.size()) break;
  }
  writer.join();
  CHECK(got == sent);
}

TEST_CASE("a pipe that does not block is waited for") {
  pipe_pair pipe(O_NONBLOCK);
  pipe_source source = pipe_source::borrow(pipe.read_end);
  std::thread writer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    (void)!::write(pipe.write_end, "late", 4);
  });
  std::array<std::byte, 8> out{};
  const auto got = source.read(out);
  writer.join();
  REQUIRE(got);
  CHECK(*got == 4);
}

TEST_CASE("a pipe source's failure sticks") {
  pipe_pair pipe;
  REQUIRE(::write(pipe.write_end, "abc", 3) == 3);
  pipe_source source = pipe_source::borrow(pipe.read_end);
  std::array<std::byte, 8> out{};
  CHECK(*source.read(out) == 3);
  pipe.close_read_end();
  const failure why = source_failure(errc::read_failed, 3, EBADF);
  CHECK(source.read(out).error() == why);
  CHECK(source.read({}).error() == why);
}

TEST_CASE("a FIFO is opened by its path") {
  const temporary_folder folder;
  const std::string path = folder / "fifo";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  std::thread writer([&] { write_file(path, "through"); });
  auto source = pipe_source::open(path);
  writer.join();
  REQUIRE(source);
  std::array<std::byte, 16> out{};
  CHECK(*source->read(out) == 7);
  CHECK(pipe_source::open(folder / "missing").error() ==
        source_failure(errc::file_not_found, 0, ENOENT));
}

TEST_CASE("a pipe of a stated size is a source") {
  pipe_pair pipe;
  REQUIRE(::write(pipe.write_end, "0123456789", 10) == 10);
  pipe.close_write_end();
  pipe_source inner = pipe_source::borrow(pipe.read_end);
  forward_source source{inner, 10};
  std::array<std::byte, 4> out{};
  CHECK_FALSE(source.read_at(5, out));
  CHECK(text_of(out) == "5678");
  CHECK_FALSE(source.finish());
}

TEST_CASE("standard input is read as a pipe, and stays open") {
  const temporary_folder folder;
  write_file(folder / "file", "0123456789");
  const replaced_input input(folder / "file");
  {
    pipe_source source = pipe_source::standard_input();
    std::array<std::byte, 4> out{};
    CHECK(*source.read(out) == 4);
    CHECK(text_of(out) == "0123");
  }
  CHECK(::fcntl(STDIN_FILENO, F_GETFD) >= 0);
}

}  // namespace pipe_source_test
