// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/io/memory.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <limits>

namespace memory_test {
namespace {

using namespace vmdk;

constexpr std::uint64_t huge = (std::numeric_limits<std::uint64_t>::max)();

constexpr std::array<std::byte, 4> abcd{std::byte{'a'}, std::byte{'b'}, std::byte{'c'},
                                        std::byte{'d'}};

constexpr bool same(byte_view bytes, std::string_view text) {
  if (bytes.size() != text.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (bytes[i] != static_cast<std::byte>(text[i])) return false;
  }
  return true;
}

constexpr bool source_reads_inside_its_size() {
  const memory_source source{byte_view(abcd)};
  std::array<std::byte, 4> out{};
  bool ok = source.size() == 4;
  ok = ok && !source.read_at(1, byte_span(out).first(3)) && same(byte_view(out).first(3), "bcd");
  ok = ok && !source.read_at(4, {});
  return ok;
}
static_assert(source_reads_inside_its_size());

constexpr bool source_refuses_what_lies_outside() {
  const memory_source source{byte_view(abcd)};
  std::array<std::byte, 4> out{};
  bool ok = source.read_at(1, out) == source_failure(errc::out_of_range, 1);
  ok = ok && source.read_at(5, {}) == source_failure(errc::out_of_range, 5);
  ok = ok && source.read_at(huge, byte_span(out).first(1)).code == errc::out_of_range;
  ok = ok && !source.read_at(0, out);
  return ok;
}
static_assert(source_refuses_what_lies_outside());

constexpr bool source_shows_its_bytes_in_place() {
  const memory_source source{byte_view(abcd)};
  bool ok = source.view(1, 2).data() == abcd.data() + 1 && source.view(1, 2).size() == 2;
  ok = ok && source.view(4, 0).empty() && source.view(3, 2).empty() && source.view(huge, 1).empty();
  return ok;
}
static_assert(source_shows_its_bytes_in_place());

constexpr bool sink_appends_skips_and_overwrites() {
  std::array<std::byte, 10> room{};
  for (std::byte& b : room) b = std::byte{'#'};
  memory_sink sink{byte_span(room)};
  bool ok = !sink.write(abcd) && !sink.skip(2) && !sink.write(byte_view(abcd).first(1));
  ok = ok && same(sink.written(), std::string_view("abcd\0\0a", 7)) && sink.size() == 7;
  ok = ok && !sink.write_at(2, byte_view(abcd).first(2)) && sink.size() == 7;
  ok = ok && !sink.write(byte_view(abcd).first(1));
  ok = ok && same(sink.written(), std::string_view("abab\0\0aa", 8));
  ok = ok && !sink.write_at(7, byte_view(abcd).first(3)) && sink.size() == 10;
  ok = ok && room[9] == std::byte{'c'};
  return ok;
}
static_assert(sink_appends_skips_and_overwrites());

constexpr bool sink_keeps_what_was_in_use() {
  std::array<std::byte, 4> room = abcd;
  memory_sink sink{byte_span(room), 2};
  return !sink.write(byte_view(abcd).first(1)) && same(sink.written(), "aba") &&
         memory_sink(byte_span(room), 9).size() == 4;
}
static_assert(sink_keeps_what_was_in_use());

constexpr bool sink_resizes_with_zeros() {
  std::array<std::byte, 6> room{};
  memory_sink sink{byte_span(room)};
  bool ok = !sink.write(abcd) && !sink.resize(1) && same(sink.written(), "a");
  ok = ok && !sink.resize(4) && same(sink.written(), std::string_view("a\0\0\0", 4));
  return ok;
}
static_assert(sink_resizes_with_zeros());

constexpr bool sink_failures_stick() {
  std::array<std::byte, 4> room{};
  const failure full = sink_failure(errc::sink_full, 3);

  memory_sink written{byte_span(room), 3};
  bool ok = written.write(abcd) == full && written.write(byte_view(abcd).first(1)) == full;
  ok =
      ok && written.skip(0) == full && written.resize(0) == full && written.write_at(0, {}) == full;
  ok = ok && written.size() == 3;

  memory_sink skipped{byte_span(room), 3};
  ok = ok && skipped.skip(2) == full && skipped.skip(0) == full;
  memory_sink wrapped{byte_span(room), 3};
  ok = ok && wrapped.skip(huge) == full && wrapped.skip(0) == full;
  memory_sink resized{byte_span(room), 3};
  ok = ok && resized.resize(5) == full && resized.write({}) == full;
  memory_sink beyond{byte_span(room), 3};
  ok = ok && beyond.write_at(4, {}) == sink_failure(errc::out_of_range, 4);
  ok = ok && beyond.write({}) == sink_failure(errc::out_of_range, 4);
  return ok;
}
static_assert(sink_failures_stick());

constexpr bool storage_reads_what_it_wrote_even_after_a_failed_write() {
  std::array<std::byte, 4> room{};
  std::array<std::byte, 2> out{};
  memory_storage storage{byte_span(room)};
  bool ok = !storage.write(byte_view(abcd).first(3)) && !storage.flush();
  ok = ok && storage.write(abcd).code == errc::sink_full;
  ok = ok && !storage.read_at(1, out) && same(out, "bc");
  ok = ok && storage.read_at(2, out) == source_failure(errc::out_of_range, 2);
  ok = ok && same(storage.view(0, 3), "abc") && storage.view(0, 4).empty();
  return ok;
}
static_assert(storage_reads_what_it_wrote_even_after_a_failed_write());

}  // namespace

TEST_CASE("a memory source reads, shows and refuses") {
  CHECK(source_reads_inside_its_size());
  CHECK(source_refuses_what_lies_outside());
  CHECK(source_shows_its_bytes_in_place());
}

TEST_CASE("a memory sink appends, skips, overwrites and resizes") {
  CHECK(sink_appends_skips_and_overwrites());
  CHECK(sink_keeps_what_was_in_use());
  CHECK(sink_resizes_with_zeros());
  CHECK(sink_failures_stick());
}

TEST_CASE("a memory storage reads what it wrote") {
  CHECK(storage_reads_what_it_wrote_even_after_a_failed_write());
}

}  // namespace memory_test
