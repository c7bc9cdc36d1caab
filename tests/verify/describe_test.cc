// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/verify/describe.hpp"

#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <string_view>

namespace describe_test {
namespace {

using namespace vmdk;

/// Collects pieces in a constant expression.
struct text_buffer {
  char text[512]{};
  std::size_t size = 0;
  constexpr void operator()(std::string_view piece) noexcept {
    for (const char c : piece) text[size++] = c;
  }
  constexpr std::string_view view() const { return {text, size}; }
};

constexpr bool says(const finding& f, std::string_view wanted) {
  text_buffer buffer;
  describe(f, buffer);
  return buffer.view() == wanted;
}

constexpr bool sentences_have_their_figures() {
  bool ok = says({.code = errc::grain_past_end, .table = 7522, .entry = 62},
                 "grain table entry 62 of table 7522 points past the end of the file");
  ok = ok && says({.code = errc::version_unsupported, .value = 4},
                  "the image's version is 4, not 1, 2 or 3");
  ok = ok && says({.code = errc::flags_unknown, .value = 0x40003},
                  "the flags 0x00040003 have a feature that is not known");
  ok = ok && says({.code = errc::tables_differ, .table = 0, .entry = 3, .value = 128, .other = 0},
                  "grain table entry 3 of table 0 is 128, but 0 in the redundant copy");
  ok = ok && says({.code = errc::grain_duplicate,
                   .table = 2,
                   .entry = 5,
                   .value = 640,
                   .other = 3,
                   .other_table = 1,
                   .other_entry = 511},
                  "grain table entry 5 of table 2 names the grain of entry 511 of table 1 at "
                  "sector 640 (3 entries do)");
  ok = ok && says({.code = errc::parent_modified, .value = 0x11111111, .other = 0xFE},
                  "the parent's content id is 0x000000fe, not 0x11111111: it was modified");
  ok = ok &&
       says({.code = errc::file_not_found, .name = "a b.vmdk"}, "the file \"a b.vmdk\" is missing");
  ok = ok &&
       says({.code = errc::parent_missing, .name = "a.vmdk"}, "the parent \"a.vmdk\" is missing");
  ok = ok && says({.code = errc::parent_missing}, to_string(errc::parent_missing));
  ok = ok && says({.code = errc::stream_checksum, .table = 1, .entry = 9},
                  "grain table entry 9 of table 1: the checksum of a compressed grain is wrong");
  ok = ok && says({.code = errc::descriptor_key_duplicate, .entry = 4},
                  "line 4 of the descriptor: a key of the descriptor is given twice");
  return ok;
}
static_assert(sentences_have_their_figures());

constexpr bool a_sentence_without_its_figures_is_the_plain_one() {
  bool ok = says({.code = errc::grain_past_end, .table = 1},
                 "a grain table entry points past the end of the file");
  ok = ok && says({.code = errc::marker_lba_mismatch, .value = 3},
                  "a grain's marker names another place of the disk");
  ok = ok && says({.code = errc::unclean_shutdown},
                  "the image was not closed properly by its last writer");
  return ok;
}
static_assert(a_sentence_without_its_figures_is_the_plain_one());

constexpr bool names_cannot_disturb_the_line() {
  return says({.code = errc::file_not_found, .name = "a\nb\"c\x1B[1m"},
              "the file \"a?b?c?[1m\" is missing");
}
static_assert(names_cannot_disturb_the_line());

constexpr bool what_was_left_out_is_counted() {
  return says({.code = errc::grain_duplicate, .more = 412},
              "412 more like this: two grain table entries name one grain");
}
static_assert(what_was_left_out_is_counted());

TEST_CASE("sentences are evaluated at run time too") {
  CHECK(sentences_have_their_figures());
  CHECK(a_sentence_without_its_figures_is_the_plain_one());
  CHECK(names_cannot_disturb_the_line());
  CHECK(what_was_left_out_is_counted());
  CHECK(to_string(severity::note) == "note");
  CHECK(to_string(severity::warning) == "warning");
  CHECK(to_string(severity::unclean) == "unclean");
  CHECK(to_string(severity::error) == "error");
  CHECK(to_string(static_cast<severity>(9)) == "unknown");
}

TEST_CASE("every code has an id of its own, which is its name with dashes") {
  std::set<std::string_view> ids;
  for (const auto& sentence : detail::error_sentences) {
    if (sentence.code == errc::none) continue;
    const std::string_view id = id_of(sentence.code);
    INFO(id << ": " << sentence.text);
    CHECK(id != "unknown");
    CHECK(ids.insert(id).second);
    for (const char c : id) CHECK(((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'));
  }
  CHECK(ids.size() == std::size(detail::code_ids));
  CHECK(id_of(errc::grain_past_end) == "grain-past-end");
  CHECK(id_of(errc::caller_first) == "caller");
  CHECK(id_of(static_cast<errc>(99)) == "unknown");
}

TEST_CASE("sentences with figures are of known codes, and their letters are known") {
  for (const auto& sentence : detail::finding_sentences) {
    INFO(sentence.text);
    CHECK(to_string(sentence.code) != "an unknown error");
    CHECK(sentence.text.back() != '.');
    for (std::size_t i = 0; i < sentence.text.size(); ++i) {
      if (sentence.text[i] != '{') continue;
      CHECK(std::string_view("tevoxXTEn").find(sentence.text[i + 1]) != std::string_view::npos);
      CHECK(sentence.text[i + 2] == '}');
    }
  }
}

}  // namespace

}  // namespace describe_test
