// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/format/create_type.hpp"

#include <catch2/catch.hpp>
#include <string_view>

namespace create_type_test {
namespace {

using vmdk::create_type;
using vmdk::create_type_words;
using vmdk::extent_type;
using vmdk::fits;
using vmdk::detail::find_word;
using vmdk::detail::word_of;

constexpr bool reads(std::string_view text, create_type type, bool exact) {
  const auto match = find_word(create_type_words, text);
  return match.found && match.value == type && match.exact == exact;
}

constexpr bool words_are_read() {
  return reads("monolithicSparse", create_type::monolithic_sparse, true) &&
         reads("MONOLITHICSPARSE", create_type::monolithic_sparse, false) &&
         reads("2GbMaxExtentFlat", create_type::two_gb_max_extent_flat, true) &&
         reads("vmfsSeSparse", create_type::se_sparse, true) &&
         reads("vmfsRDMP", create_type::vmfs_rdm_passthrough, true) &&
         !find_word(create_type_words, "").found && !find_word(create_type_words, "vmfs2").found;
}
static_assert(words_are_read());
TEST_CASE("create types are read in any case, with their aliases") { CHECK(words_are_read()); }

constexpr bool every_word_is_written_as_its_first() {
  for (const auto& word : create_type_words) {
    const auto text = word_of(create_type_words, word.value);
    if (text.empty() || !reads(text, word.value, true)) return false;
    if (text.substr(0, 3) == "2Gb") return false;
  }
  return word_of(create_type_words, create_type::unknown).empty() &&
         word_of(create_type_words, create_type::two_gb_max_extent_sparse) ==
             "twoGbMaxExtentSparse" &&
         word_of(create_type_words, create_type::se_sparse) == "seSparse";
}
static_assert(every_word_is_written_as_its_first());
TEST_CASE("the word that is written is the one other programs know") {
  CHECK(every_word_is_written_as_its_first());
}

constexpr bool types_have_their_extents() {
  return fits(create_type::monolithic_sparse, extent_type::sparse) &&
         !fits(create_type::monolithic_sparse, extent_type::zero) &&
         !fits(create_type::stream_optimized, extent_type::flat) &&
         fits(create_type::two_gb_max_extent_flat, extent_type::zero) &&
         !fits(create_type::two_gb_max_extent_flat, extent_type::sparse) &&
         fits(create_type::vmfs_thin, extent_type::vmfs) &&
         !fits(create_type::vmfs, extent_type::vmfs_sparse) &&
         fits(create_type::vmfs_sparse, extent_type::vmfs_sparse) &&
         fits(create_type::se_sparse, extent_type::se_sparse) &&
         fits(create_type::vmfs_rdm, extent_type::vmfs_rdm) &&
         !fits(create_type::vmfs_rdm, extent_type::vmfs) &&
         fits(create_type::vmfs_rdm_passthrough, extent_type::vmfs_rdm) &&
         fits(create_type::vmfs_raw, extent_type::vmfs_raw) &&
         fits(create_type::full_device, extent_type::flat) &&
         fits(create_type::custom, extent_type::se_sparse) &&
         fits(create_type::unknown, extent_type::sparse);
}
static_assert(types_have_their_extents());
TEST_CASE("each create type has its own extents") { CHECK(types_have_their_extents()); }

constexpr bool only_raw_data_may_start_inside_its_file() {
  for (const auto& word : vmdk::extent_type_words) {
    const bool is_raw = word.value == extent_type::flat || word.value == extent_type::vmfs ||
                        word.value == extent_type::vmfs_rdm || word.value == extent_type::vmfs_raw;
    if (vmdk::may_have_offset(word.value) != is_raw) return false;
  }
  return true;
}
static_assert(only_raw_data_may_start_inside_its_file());
TEST_CASE("an extent of raw data may start inside its file") {
  CHECK(only_raw_data_may_start_inside_its_file());
}

}  // namespace

}  // namespace create_type_test
