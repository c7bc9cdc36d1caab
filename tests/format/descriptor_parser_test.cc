// SPDX-License-Identifier: BSD-2-Clause
#include <array>
#include <catch2/catch.hpp>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "tests/support/bad_descriptors.hpp"

namespace descriptor_parser_test {
namespace {

using namespace bad_descriptors;

/// Keeps what was found.
struct findings {
  std::array<std::pair<errc, std::uint64_t>, 16> list{};
  std::size_t count = 0;
  constexpr bool operator()(errc code, std::uint64_t offset) noexcept {
    if (count < list.size()) list[count++] = {code, offset};
    return true;
  }
  constexpr bool has(errc code, std::uint64_t offset) const noexcept {
    for (std::size_t i = 0; i < count; ++i) {
      if (list[i] == std::pair{code, offset}) return true;
    }
    return false;
  }
};

constexpr std::size_t expected_offset(const bad_text& bad, std::string_view text) {
  return bad.at.empty() ? text.size() : text.find(bad.at);
}

/// The check names rule and place; readers refuse what their strictness says, and nothing earlier.
constexpr bool is_found(const bad_text& bad) {
  const joined whole(bad.parts);
  const std::string_view text = whole;
  const failure why = image_failure(bad.code, expected_offset(bad, text));
  const bool is_error = severity_of(bad.code) == severity::error;
  findings found;
  const auto checked = check_descriptor(text, bad.place, found);
  const auto tolerant = parse_descriptor(text, bad.place);
  const auto strict = parse_descriptor(text, bad.place, strictness::strict);
  return found.has(bad.code, why.offset) && checked.error() == (is_error ? why : no_failure) &&
         tolerant.error() == (is_error ? why : no_failure) &&
         strict.error() == image_failure(found.list[0].first, found.list[0].second);
}

template <std::size_t... I>
constexpr bool are_found_at_compile_time(std::index_sequence<I...>) {
  return (std::bool_constant<is_found(bad_texts[I])>::value && ...);
}
static_assert(are_found_at_compile_time(std::make_index_sequence<std::size(bad_texts)>()));

TEST_CASE("each rule is found under its name and at its place") {
  for (const bad_text& bad : bad_texts) {
    const joined text(bad.parts);
    INFO("code " << static_cast<unsigned>(bad.code) << "\n" << std::string_view(text));
    findings found;
    (void)check_descriptor(text, bad.place, found);
    INFO("found " << found.count << ": " << static_cast<unsigned>(found.list[0].first) << " at "
                  << found.list[0].second << ", not at " << expected_offset(bad, text));
    CHECK(is_found(bad));
    // One thing is wrong with each text, so that no rule hides behind another; a missing parentCID
    // and what no type can match are the exceptions.
    CHECK(found.count <= 2);
  }
}

std::string good_head(std::string_view more) {
  return "# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\n"
         "createType=\"monolithicSparse\"\n" +
         std::string(more);
}

constexpr std::string_view good_tail = "RW 8 SPARSE \"a\"\nddb.adapterType = \"ide\"\n";

errc tolerant_code(const std::string& text) {
  return parse_descriptor(text, embedded).error().code;
}

TEST_CASE("sizes are bounded") {
  const std::string good = good_head(good_tail);
  std::string padded = good;
  padded.resize(descriptor_max_bytes);
  CHECK(tolerant_code(padded) == errc::none);
  CHECK(parse_descriptor(padded, embedded).value().text() == good);
  padded += '\0';
  CHECK(parse_descriptor(padded, embedded).error() ==
        image_failure(errc::descriptor_too_long, descriptor_max_bytes));

  const std::string longest = "#" + std::string(descriptor_line_max_bytes - 1, 'x');
  CHECK(tolerant_code(good + longest + "\n") == errc::none);
  CHECK(parse_descriptor(good + longest + "x\n", embedded).error() ==
        image_failure(errc::descriptor_line_too_long, good.size()));

  const std::string name(extent_name_max_bytes, 'n');
  const std::string named = good_head("RW 8 SPARSE \"" + name + "\"\nddb.a=\"\"\n");
  CHECK(parse_descriptor(named, embedded, strictness::strict).ok());
  const std::string too_long = good_head("RW 8 SPARSE \"" + name + "n\"\nddb.a=\"\"\n");
  CHECK(parse_descriptor(too_long, embedded, strictness::strict).error().code ==
        errc::descriptor_extent_name_unusual);
}

TEST_CASE("an encrypted disk is called so, however long its keys are") {
  const std::string head = good_head("");
  const std::string keys = "encryptionKeys=\"" + std::string(3000, 'k') + "\"\n";
  const std::string text = head + keys + std::string(good_tail);
  const failure why = image_failure(errc::descriptor_encrypted, head.size() + 16);
  CHECK(parse_descriptor(text, embedded).error() == why);
  CHECK(parse_descriptor(text, embedded, strictness::strict).error() == why);
  // Wherever the line stands, and whatever its form.
  for (const std::string line : {"encryptionkeys=x\n", " EncryptionKeys = \"x\n"}) {
    CHECK(tolerant_code(good_head(good_tail) + line) == errc::descriptor_encrypted);
  }
  // A key without a value says nothing; neither does another line with that word.
  for (const std::string line : {"encryptionKeys=\"\"\n", "#encryptionKeys=\"x\"\n"}) {
    CHECK(
        parse_descriptor(head + line + std::string(good_tail), embedded, strictness::strict).ok());
  }
}

TEST_CASE("a parent that only a UUID names is a parent") {
  const auto code = [](std::string_view parent, std::string_view uuid) {
    return tolerant_code("# Disk DescriptorFile\nversion=1\nCID=1\n" + std::string(parent) +
                         "createType=\"monolithicSparse\"\n" + std::string(good_tail) +
                         "ddb.uuid.parent=\"" + std::string(uuid) + "\"\n");
  };
  constexpr std::string_view none = "parentCID=ffffffff\n";
  constexpr std::string_view known = "parentCID=5\nparentFileNameHint=\"p\"\n";
  constexpr std::string_view uuid = "5e2e1fa0-7e0e-4b8a-9a4b-0b1c2d3e4f50";
  CHECK(code(none, uuid) == errc::descriptor_parent_by_uuid);
  CHECK(code("", uuid) == errc::descriptor_parent_by_uuid);
  CHECK(code(known, uuid) == errc::none);
  CHECK(code(none, "00000000-0000-0000-0000-000000000000") == errc::none);
  CHECK(code(none, "00 00-00 00") == errc::none);
  CHECK(code(none, "") == errc::none);
}

TEST_CASE("the number of keys is bounded") {
  std::string keys;
  for (int i = 0; i < 192; ++i) keys += "ddb.k" + std::to_string(i) + " = \"\"\n";
  const std::string most = good_head("RW 8 SPARSE \"a\"\n" + keys);
  CHECK(parse_descriptor(most, embedded, strictness::strict).ok());
  CHECK(parse_descriptor(most + "ddb.x = \"\"\n", embedded).error() ==
        image_failure(errc::descriptor_too_many_keys, most.size()));

  std::string headers;
  for (int i = 0; i < 28; ++i) headers += "k" + std::to_string(i) + "=\"\"\n";
  CHECK(tolerant_code(good_head(headers + std::string(good_tail))) == errc::none);
  CHECK(tolerant_code(good_head(headers + "x=\"\"\n" + std::string(good_tail))) ==
        errc::descriptor_too_many_keys);
}

TEST_CASE("extents past every size are reported one by one") {
  // 1024 times the largest are 2^64 sectors.
  constexpr std::string_view largest = "RW 18014398509481984 ZERO\n";
  constexpr std::size_t count = 1026;
  const std::string start =
      "# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\n"
      "createType=\"custom\"\n";
  std::string text = start;
  for (std::size_t i = 0; i < count; ++i) text += largest;
  std::size_t reported = 0;
  std::uint64_t next = start.size() + largest.size();
  bool in_order = true;
  const auto report = [&](errc code, std::uint64_t offset) {
    if (code != errc::descriptor_extent_sectors) return true;
    in_order = in_order && offset == next;
    next += largest.size();
    ++reported;
    return true;
  };
  (void)check_descriptor(text + std::string(ddb), text_file, report);
  CHECK(reported == count - 1);
  CHECK(in_order);
}

TEST_CASE("a report that has enough ends the parsing with its finding") {
  std::size_t calls = 0;
  const auto enough = [&calls](errc, std::uint64_t) { return ++calls < 2; };
  const std::string text =
      "#Foreign\nversion=1\nCID=1\ncreateType=monolithicSparse\n" + std::string(good_tail);
  auto report = enough;
  const auto parsed = check_descriptor(text, embedded, report);
  CHECK(calls == 2);
  CHECK(parsed.error() == image_failure(errc::descriptor_value_unquoted, text.find("monolithic")));
}

TEST_CASE("the text after padding and line ends of both kinds are one descriptor") {
  std::string text = good_head(good_tail);
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) {
    text.replace(at, 1, "\r\n");
  }
  const auto parsed = parse_descriptor(text, embedded);
  REQUIRE(parsed.ok());
  CHECK(parsed->type_text() == "monolithicSparse");
  CHECK(parsed->ddb().find("adapterType").value == "ide");
  CHECK(parsed->extents().begin()->name.stem == "a");
}

}  // namespace

}  // namespace descriptor_parser_test
