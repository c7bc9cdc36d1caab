// SPDX-License-Identifier: BSD-2-Clause
#include "codecs.hpp"

#include <string_view>

#include "error.hpp"

namespace vmdk::cli {
namespace {

struct codec_row {
  std::string_view name;
  codec which;
  unsigned default_level;
  unsigned highest_level;
};
constexpr codec_row codecs[] = {
    {"builtin", codec::builtin, deflate::default_level, deflate::highest_level},
    {"stored", codec::stored, 0, 0},
#if !defined(VMDK_CLI_BUILTIN_CODECS)
    {"zlib", codec::zlib, zlib_encoder::default_level, zlib_encoder::highest_level},
    {"libdeflate", codec::libdeflate, libdeflate_encoder::default_level,
     libdeflate_encoder::highest_level},
#endif
};

}  // namespace

codec find_codec(const std::optional<std::string>& name) {
  if (!name) return fastest_codec;
  std::string names;
  for (const codec_row& row : codecs) {
    if (row.name == *name) return row.which;
    names += names.empty() ? "" : ", ";
    names += row.name;
  }
  throw error("--codec " + *name, "is no known codec; there are " + names);
}

unsigned level_for(codec which, const std::optional<unsigned>& given) {
  for (const codec_row& row : codecs) {
    if (row.which != which) continue;
    if (!given) return row.default_level;
    if (*given <= row.highest_level) return *given;
    throw error("-l " + std::to_string(*given), "is too much for " + std::string(row.name) +
                                                    ", whose highest level is " +
                                                    std::to_string(row.highest_level));
  }
  return 0;
}

void any_encoder::choose(codec which, unsigned level) noexcept {
  switch (which) {
    case codec::builtin:
      encoder_.emplace<deflate>(level);
      return;
    case codec::stored:
      encoder_.emplace<stored>();
      return;
#if defined(VMDK_CLI_BUILTIN_CODECS)
    default:
      return;  // find_codec gives no other.
#else
    case codec::zlib:
      encoder_.emplace<zlib_encoder>(level);
      return;
    case codec::libdeflate:
      encoder_.emplace<libdeflate_encoder>(level);
      return;
#endif
  }
}

void any_decoder::choose(codec which) noexcept {
  switch (which) {
    case codec::builtin:
      decoder_.emplace<inflate>();
      return;
#if !defined(VMDK_CLI_BUILTIN_CODECS)
    case codec::zlib:
      decoder_.emplace<zlib_decoder>();
      return;
#endif
    default:
      return;  // It is that already.
  }
}

}  // namespace vmdk::cli
